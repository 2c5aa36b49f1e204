"""What layers hold: weights frozen before they are made, states of generators, modes and policies by default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.evidence.composition.promises import Row, Seen, inputs, is_keras_3, refusal, table, values
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.floatx import dtype_policy

_X = inputs([1, 2], [3, -4])


def locked_layers(keras: Any, _: Path) -> Iterator[Seen]:
    """A layer that is built takes no more weights, variables or layers."""
    if not is_keras_3(keras):
        return
    built = keras.layers.Dense(1)
    built.held, built.named = [], {}
    built.build((None, 2))
    asked = {
        "add_weight": lambda: built.add_weight(shape=(2,)),
        "a variable": lambda: setattr(built, "late", keras.Variable(1.0)),
        "a layer": lambda: setattr(built, "inner", keras.layers.Dense(1)),
        "a list of layers": lambda: setattr(built, "listed", [keras.layers.Dense(1)]),
        "append": lambda: built.held.append(keras.Variable(1.0)),
        "an item": lambda: built.named.__setitem__("a", keras.Variable(1.0)),
    }
    for words, late in asked.items():
        yield f"what {words} raises", "ValueError", refusal(late)
    yield "weights", 2, len(built.weights)
    built.note = "text"
    yield "another attribute", "text", built.note


def frozen_before_build(keras: Any, _: Path) -> Iterator[Seen]:
    """What is frozen when its weights are made is trained once it is thawed, but for what is never trained."""
    if not is_keras_3(keras):
        return
    layers = keras.layers

    class FrozenParts(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.inner = layers.Dense(2)
            self.early = self.add_weight(shape=(), name="early")

        def build(self, input_shape: Any) -> None:
            self.late = self.add_weight(shape=(), name="late")
            self.count = self.add_weight(shape=(), name="count", trainable=False)
            self.inner.build(input_shape)

    kinds: tuple[tuple[Any, int, Mapping[str, Any]], ...] = (
        (layers.Dense, 2, {"units": 2}),
        (layers.BatchNormalization, 2, {}),
        (FrozenParts, 4, {}),
    )
    for kind, trained, options in kinds:
        for way in ("argument", "attribute"):
            layer = kind(**options, **({"trainable": False} if way == "argument" else {}))
            layer.trainable = False
            layer.build((None, 2))
            counts = [len(layer.trainable_weights)]
            layer.trainable = True
            counts += [len(layer.trainable_weights), sum(weight.trainable for weight in layer.weights)]
            yield f"trained weights of {kind.__name__} by its {way}", [0, trained, trained], counts
            yield f"all of them by its {way}", len(layer.weights), trained + len(layer.non_trainable_weights)


def modes_given_by_default(keras: Any, _: Path) -> Iterator[Seen]:
    """A default of ``training`` in an outer layer's or model's call is the mode of those within, until one is given."""
    if not is_keras_3(keras):
        return

    class Switch(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any, training: Any = None) -> Any:
            return inputs + (1.0 if training else 0.0)

    class Handing(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = Switch()

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    def outer(base: Any, default: Any) -> Any:
        class Outermost(base):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.inner = Handing()

            def call(self, inputs: Any, training: Any = default) -> Any:
                return self.inner(inputs)

        return Outermost()

    zero = inputs([0.0])
    for default in (True, False, None):
        for base in (keras.layers.Layer, keras.Model):
            one, words = outer(base, default), f"{base.__name__} with {default} by default"
            seen = [values(one(zero)), *(values(one(zero, training=mode)) for mode in (True, False))]
            yield f"plainly, in training, in inference, {words}", [[[float(bool(default))]], [[1.0]], [[0.0]]], seen
        one.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
        steps = [float(as_array(one.train_on_batch(zero, zero)))]
        one.reset_metrics()
        steps.append(float(as_array(one.test_on_batch(zero, zero))))
        seen = [*steps, values(one.predict_on_batch(zero))]
        yield f"losses of training and of a test, prediction, {words}", [1.0, 0.0, [[0.0]]], seen


def states_of_stateless_calls(keras: Any, _: Path) -> Iterator[Seen]:
    """Generators of seeds go on in what a stateless call returns, and are not changed; states are all to be given."""
    if not is_keras_3(keras):
        return
    layers = keras.layers
    inner = keras.Sequential([keras.Input((2,)), layers.GaussianNoise(0.5, seed=3), layers.BatchNormalization()])
    model = keras.Sequential([keras.Input((2,)), layers.Dropout(0.5, seed=1), inner])
    before = [values(one) for one in model.non_trainable_variables]
    names = [one.name for one in model.non_trainable_variables]
    given = [as_array(one) for one in model.trainable_variables], [as_array(one) for one in before]
    changed = model.stateless_call(*given, _X, training=True)[1]
    states = [(old, values(new)) for name, old, new in zip(names, before, changed, strict=True) if "seed" in name]
    yield "number of generators", 2, len(states)
    yield "whether each went on", [True, True], [old[0] == new[0] and old[1] < new[1] for old, new in states]
    yield "whether all were changed", True, all(old != values(new) for old, new in zip(before, changed, strict=True))
    kept = [values(one) for one in model.non_trainable_variables]
    yield "whether the model's were not", True, kept == before
    still = model.stateless_call(*given, _X, training=False)[1]
    yield "whether none is changed in inference", True, [values(one) for one in still] == before
    trained, other = given
    for words, weights in (
        ("no state", (trained, [])),
        ("a state too few", (trained, other[:-1])),
        ("a state too many", (trained, [*other, other[0]])),
        ("a weight too few", (trained[:-1], other)),
        ("a weight too many", ([*trained, trained[0]], other)),
    ):
        yield f"what {words} raises", "ValueError", refusal(model.stateless_call, *weights, _X)


def states_of_stateless_metrics(keras: Any, _: Path) -> Iterator[Seen]:
    """A metric is given all its variables, too, and changes none."""
    if not is_keras_3(keras):
        return
    mean = keras.metrics.Mean()
    states = mean.stateless_update_state([np.float32(3), np.float32(1)], inputs(5))
    yield "mean of a total and a count", [[8.0, 2.0], 4.0], [values([*states]), float(mean.stateless_result(states))]
    yield "the metric's own", [0.0, 0.0], values(list(mean.variables))
    for words, given in (("too few", [np.float32(3)]), ("too many", [np.float32(3)] * 3)):
        yield f"what {words} raise in an update", "ValueError", refusal(mean.stateless_update_state, given, inputs(5))
        yield f"what {words} raise in a result", "ValueError", refusal(mean.stateless_result, given)


def maps_without_a_default(keras: Any, _: Path) -> Iterator[Seen]:
    """A map of policies that is given no default has the global policy, and writes down none."""
    lib: Any = getattr(keras, "dtype_policies", None)
    if not hasattr(lib, "DTypePolicyMap"):
        return
    plain = lib.DTypePolicyMap()
    given = lib.DTypePolicyMap(default_policy="float64")
    yield "default in its configuration", None, plain.get_config()["default_policy"]
    with dtype_policy(keras, "mixed_bfloat16"):
        again = lib.DTypePolicyMap.from_config(plain.get_config())
        kept = lib.DTypePolicyMap.from_config(given.get_config())
        names = [each["any"].name for each in (again, kept)]
        yield "policies under another one", ["mixed_bfloat16", "float64"], names


LAYER_STATES: Mapping[str, Row] = table(
    locked_layers,
    frozen_before_build,
    modes_given_by_default,
    states_of_stateless_calls,
    states_of_stateless_metrics,
    maps_without_a_default,
)
