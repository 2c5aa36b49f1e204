"""Layers that a user writes: their weights by default, and what one call leaves to the next."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.evidence.composition.promises import Row, Seen, inputs, is_keras_3, refusal, table, values
from initcheck.evidence.toy_data import pipeline
from initcheck.frameworks.arrays import as_array

_X = inputs([1, 2], [3, -4])


def weights_by_default(keras: Any, _: Path) -> Iterator[Seen]:
    """A number, drawn by glorot_uniform if it is floating, else zero; shape and initializer need no name."""
    if not is_keras_3(keras):
        return
    layer = keras.layers.Layer()
    wide = layer.add_weight(shape=(40, 60))
    limit = float(np.abs(as_array(wide)).max())
    yield "whether the largest of 2400 is near sqrt(6 / 100)", True, 0.97 < limit / 0.06**0.5 <= 1
    for dtype, zeros in (("int32", [0, 0]), ("bool", [False, False])):
        yield f"of {dtype}", zeros, values(layer.add_weight(shape=(2,), dtype=dtype, trainable=False))
    yield "shape", (), tuple(layer.add_weight(name="number").shape)
    twos = keras.initializers.Constant(2.0)
    weight = layer.add_weight((3,), twos, "float16")
    yield "by position", ["float16", [2.0, 2.0, 2.0]], [weight.dtype, values(weight)]
    yield "of its other name", [2.0], values(layer.add_variable((1,), twos))


def weights_by_name(keras: Any, _: Path) -> Iterator[Seen]:
    """Regularizers and constraints may be names; a stateless call returns the losses of weights."""
    if not is_keras_3(keras):
        return

    class GivenByName(keras.layers.Layer):  # type: ignore[misc]
        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(
                shape=(2,), initializer="ones", regularizer="l1", constraint="non_neg", name="kernel"
            )
            self.built = True

        def call(self, inputs: Any) -> Any:
            return inputs * self.kernel

    layer = GivenByName()
    layer(_X)
    yield "losses", [0.02], [round(float(one), 6) for one in layer.losses]
    losses = layer.stateless_call([inputs(3, 5)], [], _X, return_losses=True)[2]
    yield "losses of a stateless call", [0.08], [round(float(one), 6) for one in losses]
    yield "constrained", [0.0, 1.0], values(layer.kernel.constraint(inputs(-3, 1)))
    for words, given in (("one too many", ([_X[0], _X[0]], [])), ("one too few", ([], [])), ("others", ([_X[0]], [1]))):
        yield f"what weights raise, {words}", "ValueError", refusal(layer.stateless_call, *given, _X)
    yield "what a layer without weights raises", "ValueError", refusal(GivenByName().stateless_call, [], [], _X)


def notes_of_weights(keras: Any, _: Path) -> Iterator[Seen]:
    """``aggregation``, ``overwrite_with_gradient`` and ``trainable`` are the weight's."""
    if "overwrite_with_gradient" not in inspect.signature(keras.layers.Layer.add_weight).parameters:
        return
    weight = keras.layers.Layer().add_weight(
        shape=(), aggregation="mean", overwrite_with_gradient=True, trainable=False, name="noted"
    )
    yield "noted", [True, False, "noted"], [weight.overwrite_with_gradient, weight.trainable, weight.name]
    yield "aggregation", "mean", weight.aggregation


def flags_that_are_none(keras: Any, _: Path) -> Iterator[Seen]:
    """``trainable`` is True or False."""
    if is_keras_3(keras):
        yield "raised", "ValueError", refusal(lambda: keras.layers.Dense(2, trainable="no"))


def masks_beside_lists(keras: Any, _: Path) -> Iterator[Seen]:
    """A mask is filled beside an empty list, and for each of several tensors by its name."""
    if not is_keras_3(keras):
        return

    class BesideOthers(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any, others: Any = (), mask: Any = None) -> Any:
            self.seen = None if mask is None else values(mask)
            return x

    class Pairing(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any, other: Any, x_mask: Any = None, other_mask: Any = None) -> Any:
            self.seen = [None if one is None else values(one) for one in (x_mask, other_mask)]
            return x

    steps, masking = inputs([[1], [0]], [[2], [3]]), keras.layers.Masking()
    mask = [[True, False], [True, True]]
    nothing: tuple[Any, ...] = [], ()
    for others in nothing:
        layer = BesideOthers()
        layer(masking(steps), others=others)
        yield f"beside {others}", mask, layer.seen
    pairing = Pairing()
    pairing(masking(steps), masking(steps[::-1]))
    yield "of two", [mask, mask[::-1]], pairing.seen
    pairing(steps, masking(steps))
    yield "of the second", [None, mask], pairing.seen


def metrics_within(keras: Any, _: Path) -> Iterator[Seen]:
    """A metric of a layer in a layer is one of the model's: reported, and reset before each epoch."""
    if not is_keras_3(keras):
        return

    class Measuring(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.total = keras.metrics.Sum(name="total")

        def call(self, inputs: Any) -> Any:
            self.total.update_state(inputs)
            return inputs

    class MeasuringAround(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = Measuring()

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    class MeasuringDeep(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = MeasuringAround()

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    model = keras.Sequential([keras.Input((2,)), MeasuringDeep(), keras.layers.Dense(2, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    history = model.fit(pipeline(_X, _X), epochs=2, shuffle=False, verbose=0).history
    yield "names", True, "total" in [one.name for one in model.metrics]
    yield "in two epochs", [2.0, 2.0], history.get("total")
    yield "of a layer", ["total"], [one.name for one in getattr(model.layers[0], "metrics", ())]


def metrics_apart(keras: Any, _: Path) -> Iterator[Seen]:
    """Neither weights nor variables hold a metric's state, which has a list of its own."""
    if not is_keras_3(keras):
        return

    class Totalled(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.total, self.generator = keras.metrics.Sum(name="total"), keras.random.SeedGenerator(1)
            self.factor = self.add_weight(shape=(), initializer="ones", name="factor")
            self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

        def call(self, inputs: Any) -> Any:
            self.total.update_state(inputs)
            return inputs * self.factor

    class TotalledAround(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.mean = [Totalled()], keras.metrics.Mean(name="mean")

        def call(self, inputs: Any) -> Any:
            return self.inner[0](inputs)

    model = keras.Sequential([keras.Input((2,)), TotalledAround()])
    model.compile(keras.optimizers.SGD(0.5, momentum=0.5), "mse", metrics=["mae"], run_eagerly=True)
    model.train_on_batch(_X, _X)
    makers = {"a layer": Totalled(), "a layer around it": TotalledAround(), "a compiled model": model}
    expected = {
        "weights": ["count", "factor"],
        "trainable_weights": ["factor"],
        "non_trainable_weights": ["count"],
        "trainable_variables": ["factor"],
        "variables": ["count", "factor", "seed_generator_state"],
    }
    for words, layer in makers.items():
        for kind, names in expected.items():
            yield f"{kind} of {words}", names, sorted(one.name for one in getattr(layer, kind))
        yield f"whether metrics_variables has the rest, of {words}", True, len(layer.metrics_variables) > 0


def _mode(keras: Any) -> Any:
    class ModeOfItsOwn(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any, training: Any = None) -> Any:
            return inputs + (1.0 if training else 0.0)

    return ModeOfItsOwn


def calls_after_failures(keras: Any, _: Path) -> Iterator[Seen]:
    """What a call that failed was given has no effect on later calls."""

    class Failing(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = _mode(keras)()

        def call(self, inputs: Any, fails: bool = True) -> Any:
            self.add_loss(keras.losses.mean_absolute_error(inputs[0], 0 * inputs[0]))
            if fails:
                raise ArithmeticError
            return self.inner(inputs)

    layer, mode = Failing(), _mode(keras)()
    failure = refusal(lambda: layer(_X, training=True)) if is_keras_3(keras) else refusal(layer, _X)
    yield "raised", "ArithmeticError", failure
    yield "output of another layer", _X.tolist(), values(mode(_X))
    yield "output of the layer", _X.tolist(), values(layer(_X, fails=False))
    yield "its losses", [1.5], values(layer.losses)


def modes_of_neighbours(keras: Any, _: Path) -> Iterator[Seen]:
    """The mode by default of one layer is not that of the layers beside it."""

    class Fixed(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any, training: Any = True) -> Any:
            return inputs

    class Beside(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.fixed, self.mode = Fixed(), _mode(keras)()

        def call(self, inputs: Any) -> Any:
            return self.mode(self.fixed(inputs))

    yield "output", _X.tolist(), values(Beside()(_X))


ADDED: Mapping[str, Row] = table(
    weights_by_default,
    weights_by_name,
    notes_of_weights,
    flags_that_are_none,
    masks_beside_lists,
    metrics_within,
    metrics_apart,
    calls_after_failures,
    modes_of_neighbours,
)
