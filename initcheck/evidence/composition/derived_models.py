"""Models that a user derives or builds by hand: constructors, shapes, slices, clones, and models without a graph."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.evidence.composition.promises import Row, Seen, inputs, is_keras_3, lacked_by, refusal, table, values
from initcheck.frameworks.arrays import as_array

_X = inputs([1, 2], [3, -4])


def _doubling(keras: Any, **options: Any) -> Any:
    twos = keras.initializers.Constant(2.0)
    return keras.layers.EinsumDense("ab,b->ab", 2, bias_axes="b", kernel_initializer=twos, **options)


def any_constructors(keras: Any, folder: Path) -> Iterator[Seen]:
    """A class that hands arguments of any number on to Model comes back as itself, with arguments of its own."""
    if not is_keras_3(keras):
        return

    @keras.saving.register_keras_serializable("initcheck")
    class AnyArguments(keras.Model):  # type: ignore[misc]
        def __init__(self, *args: Any, factor: float = 1.0, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.factor = factor

        def call(self, *args: Any, **kwargs: Any) -> Any:
            return super().call(*args, **kwargs) * self.factor

        def get_config(self) -> Any:
            return {**super().get_config(), "factor": self.factor}

    x = keras.Input((2,))
    model = AnyArguments(x, _doubling(keras)(x), factor=3.0, name="any")
    model.trainable = False
    model.save(folder / "model.keras")
    ways = {"": model, "loaded, ": keras.models.load_model(folder / "model.keras")}
    ways["rebuilt, "] = AnyArguments.from_config(model.get_config())
    for words, one in ways.items():
        yield (
            f"{words}output, class, name, trained weights",
            [(6 * _X).tolist(), "AnyArguments", "any", 0],
            [*(values(one(_X)), type(one).__name__, one.name, len(one.trainable_weights))],
        )
    clone = keras.models.clone_model(model)
    yield "class of a clone", "AnyArguments", type(clone).__name__


@lacked_by("attributes before the constructor, as modules of torch have none", "keras:torch")
def layers_before_the_graph(keras: Any, _: Path) -> Iterator[Seen]:
    """Layers that are attributes before the constructor of Model is called, or after it, count as the model's."""
    if not is_keras_3(keras):
        return

    class HoldingBefore(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            self.before = _doubling(keras)
            self.listed = [_doubling(keras)]
            x = keras.Input((2,))
            super().__init__(x, self.before(x))
            self.after = _doubling(keras)
            self.after.build((None, 2))
            self.listed[0].build((None, 2))

    model = HoldingBefore()
    yield "output", (2 * _X).tolist(), values(model(_X))
    yield "weights", 6, len(model.weights)
    model.trainable = False
    yield "weights that are trained when it is frozen", 0, len(model.trainable_weights)


def several_tensors(keras: Any, folder: Path) -> Iterator[Seen]:
    """A subclass that takes tensors by name, and builds its layers by their shapes, or nested ones, comes back."""
    if not is_keras_3(keras):
        return

    @keras.saving.register_keras_serializable("initcheck")
    class TwoTensors(keras.Model):  # type: ignore[misc]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.one, self.two = keras.layers.Dense(3), keras.layers.Dense(3)

        def call(self, x: Any) -> Any:
            return self.one(x["x"]) + self.two(x["y"])

    @keras.saving.register_keras_serializable("initcheck")
    class TensorsByName(TwoTensors):
        def build(self, x_shape: Any, y_shape: Any) -> None:
            self.one.build(x_shape)
            self.two.build(y_shape)
            self.built = True

        def call(self, x: Any, y: Any) -> Any:  # type: ignore[override]
            return self.one(x) + self.two(y)

    calls: Mapping[str, tuple[Any, tuple[Any, ...], dict[str, Any]]] = {
        "by name": (TensorsByName, (_X,), {"y": _X[:, :1]}),
        "in a dictionary": (TwoTensors, ({"x": _X, "y": _X[:, :1]},), {}),
    }
    for words, (kind, args, kwargs) in calls.items():
        model = kind()
        expected = values(model(*args, **kwargs))
        model.save(folder / f"{words}.keras")
        loaded = keras.models.load_model(folder / f"{words}.keras")
        yield f"output of tensors {words}, loaded", expected, values(loaded(*args, **kwargs))


def untraceable_models(keras: Any, folder: Path) -> Iterator[Seen]:
    """A model whose call needs numbers is loaded if its constructor builds its layers."""
    if not is_keras_3(keras):
        return

    @keras.saving.register_keras_serializable("initcheck")
    class Untraceable(keras.Model):  # type: ignore[misc]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(2)
            self.dense.build((None, 2))

        def call(self, x: Any) -> Any:
            return self.dense(x) * float(as_array(x)[0, 0])

    model = Untraceable()
    expected = values(model(_X))
    model.save(folder / "model.keras")
    yield "output", expected, values(keras.models.load_model(folder / "model.keras")(_X))


def shapes_of_sequences(keras: Any, _: Path) -> Iterator[Seen]:
    """A Sequential has shapes once it is built, as tuples; before, it has no such attribute."""
    if not is_keras_3(keras):
        return
    names = ("input_shape", "output_shape", "inputs", "outputs")
    model = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(4)])
    yield "attributes before", [False] * 4, [hasattr(model, name) for name in names]
    model.build([None, 2])
    yield "attributes", [True] * 4, [hasattr(model, name) for name in names]
    yield "shapes", [(None, 2), (None, 4)], [model.input_shape, model.output_shape]
    yield "shape of its input layer", (None, 2), keras.layers.InputLayer(batch_shape=[None, 2]).batch_shape

    class ShapeAround(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner = inner

        def build(self, input_shape: Any) -> None:
            self.inner.build(input_shape)
            self.built = True

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

        def compute_output_shape(self, input_shape: Any) -> Any:
            return self.inner.compute_output_shape(input_shape)

    x = keras.Input((2,))
    for words, inner in (
        ("Sequential", keras.Sequential([keras.layers.Dense(3)])),
        ("model", keras.Model(x, keras.layers.Dense(3)(x))),
    ):
        around = ShapeAround(inner)
        yield f"announced shape of a layer around a {words}", (None, 3), tuple(around(keras.Input((2,))).shape)
        yield f"shape of its output, {words}", (2, 3), tuple(around(_X).shape)


@lacked_by("slices of negative steps", "keras:torch")
def slices_of_all_axes(keras: Any, folder: Path) -> Iterator[Seen]:
    """An ellipsis, new axes, steps and negative numbers in a model's graph, rebuilt and loaded."""
    if not is_keras_3(keras):
        return
    x = keras.Input((2, 4))
    y = keras.layers.Identity()(x)
    parts = [y[..., 1], y[:, ::-1, 2], y[..., None, -1, :2][:, 0], y[:, 0, 1:4:2]]
    model = keras.Model(x, keras.layers.Concatenate()(parts))
    model.save(folder / "model.keras")
    given = np.arange(16.0, dtype=np.float32).reshape(2, 2, 4)
    expected = values(
        np.concatenate([given[..., 1], given[:, ::-1, 2], given[..., None, -1, :2][:, 0], given[:, 0, 1:4:2]], -1)
    )
    ways = {"": model, "rebuilt, ": keras.Model.from_config(model.get_config())}
    ways["loaded, "], ways["cloned, "] = (
        keras.models.load_model(folder / "model.keras"),
        keras.models.clone_model(model),
    )
    for words, one in ways.items():
        yield f"{words}output", expected, values(one(given))


def layers_at_several_depths(keras: Any, folder: Path) -> Iterator[Seen]:
    """Two layers that are called in turn, twice each, come back."""
    x, one, two = keras.Input((2,)), _doubling(keras, name="one"), keras.layers.Dense(2, name="two")
    model = keras.Model(x, two(one(two(one(x)))))
    model.save(folder / "model.keras")
    for words, again in (
        ("rebuilt", keras.Model.from_config(model.get_config())),
        ("loaded", keras.models.load_model(folder / "model.keras")),
    ):
        again.set_weights(model.get_weights())
        yield f"weights, {words}", 4, len(again.weights)
        yield f"output, {words}", values(model(_X)), values(again(_X))


def structures_of_models(keras: Any, _: Path) -> Iterator[Seen]:
    """Inputs and outputs of a model and its clone are in plain lists and dictionaries, as they were given."""
    if not is_keras_3(keras):
        return
    wraps: Mapping[str, Any] = {
        "list": lambda one, two: [one, two],
        "dict": lambda one, two: {"one": one, "two": two},
        "nested": lambda one, two: {"one": one, "rest": [two]},
    }
    for words, wrap in wraps.items():
        one, two = keras.Input((2,), name="one"), keras.Input((2,), name="two")
        model = keras.Model(wrap(one, two), wrap(_doubling(keras)(two), one))
        fresh = wrap(keras.Input((2,), name="one", batch_size=2), keras.Input((2,), name="two", batch_size=2))
        clones = {"": model, "cloned, ": keras.models.clone_model(model)}
        clones["cloned with inputs, "] = keras.models.clone_model(model, input_tensors=fresh)
        for way, each in clones.items():
            kinds = [_kinds(each.input), _kinds(each.output)]
            yield f"{way}input and output, {words}", [_kinds(wrap(1, 2))] * 2, kinds
            yield f"{way}result, {words}", values(wrap(4 * _X, _X)), values(each(wrap(_X, 2 * _X)))
        if words != "list":
            flat = [keras.Input((2,), name="one"), keras.Input((2,), name="two")]
            yield (
                f"what other structures raise, {words}",
                True,
                bool(refusal(lambda flat=flat, model=model: keras.models.clone_model(model, input_tensors=flat))),
            )


def _kinds(nested: Any) -> Any:
    if isinstance(nested, dict):
        return [type(nested).__name__, {name: _kinds(one) for name, one in nested.items()}]
    if isinstance(nested, list | tuple):
        return [type(nested).__name__, [_kinds(one) for one in nested]]
    return "one"


def calls_of_clones(keras: Any, _: Path) -> Iterator[Seen]:
    """``call_function`` calls the layers of a clone, for which it may put others between."""
    if "call_function" not in inspect.signature(keras.models.clone_model).parameters:
        return
    x = keras.Input((2,))
    inner = keras.Sequential([keras.Input((2,)), _doubling(keras, name="inside")])
    model = keras.Model(x, inner(_doubling(keras, name="first")(x)))

    def called(layer: Any, *args: Any, **kwargs: Any) -> Any:
        return keras.layers.Rescaling(3.0)(layer(*args, **kwargs))

    clone = keras.models.clone_model(model, call_function=called)
    yield "output", (36 * _X).tolist(), values(clone(_X))
    yield "output of the original", (4 * _X).tolist(), values(model(_X))


def shared_layers_of_clones(keras: Any, _: Path) -> Iterator[Seen]:
    """A layer that two models within a model share is shared within a recursive clone, too."""
    if "recursive" not in inspect.signature(keras.models.clone_model).parameters:
        return
    shared, x = _doubling(keras, name="shared"), keras.Input((2,))
    parts = [keras.Model(y, shared(y), name=name) for name in ("p", "q") for y in [keras.Input((2,))]]
    model = keras.Model(x, parts[1](parts[0](shared(x))))
    clone = keras.models.clone_model(model, recursive=True)
    yield "weights", [2, 2], [len(model.weights), len(clone.weights)]
    clone.set_weights([3 * np.ones(2), np.zeros(2)])
    yield "output of the clone", (27 * _X).tolist(), values(clone(_X))
    yield "output of the original", (8 * _X).tolist(), values(model(_X))


def inputs_that_differ(keras: Any, _: Path) -> Iterator[Seen]:
    """``Input(tensor=...)`` refuses a shape, batch or dtype that is not the tensor's."""
    if not is_keras_3(keras):
        return
    tensor = keras.Input((2,), batch_size=3, dtype="float32")
    asked: Mapping[str, Any] = {
        "dtype": {"dtype": "int32"},
        "batch_size": {"batch_size": 4},
        "shape": {"shape": (5,)},
        "batch_shape": {"batch_shape": (3, 7)},
    }
    for words, options in asked.items():
        yield f"what another {words} raises", "ValueError", refusal(lambda o=options: keras.Input(tensor=tensor, **o))
    same = keras.Input(tensor=tensor, dtype="float32", batch_size=3)
    yield "one that fits", ((3, 2), "float32"), (tuple(same.shape), same.dtype)
    for words, options in {
        "no shape": {},
        "two shapes": {"shape": (2,), "batch_shape": (None, 2)},
        "two batches": {"batch_size": 2, "batch_shape": (None, 2)},
    }.items():
        yield f"what {words} raise", "ValueError", refusal(lambda o=options: keras.Input(**o))


def generators_of_optional_inputs(keras: Any, _: Path) -> Iterator[Seen]:
    """What a generator yields may be None for an input that is optional."""
    if not is_keras_3(keras) or "optional" not in inspect.signature(keras.Input).parameters:
        return

    class Either(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any, other: Any = None) -> Any:
            return x if other is None else x + other

    tensors = {"x": keras.Input((2,), name="x"), "z": keras.Input((2,), name="z", optional=True)}
    model = keras.Model(tensors, _doubling(keras)(Either()(tensors["x"], tensors["z"])))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    for words, other, loss, factor in (("None", None, 7.5, 2), ("a tensor", _X, 67.5, 4)):
        given = {"x": _X, "z": other}
        yield f"loss of fit with {words}", [loss], model.fit((one for one in [(given, _X)]), verbose=0).history["loss"]
        yield f"loss of evaluate with {words}", loss, model.evaluate((one for one in [(given, _X)]), verbose=0)
        yield (
            f"prediction with {words}",
            (factor * _X).tolist(),
            values(model.predict((one for one in [(given,)]), verbose=0)),
        )


def operations_of_a_user(keras: Any, folder: Path) -> Iterator[Seen]:
    """An operation that a user writes comes back with its arguments and its name."""
    if not hasattr(keras, "Operation"):
        return

    @keras.saving.register_keras_serializable("initcheck")
    class ScalingOperation(keras.Operation):  # type: ignore[misc]
        def __init__(self, *, factor: float = 1.0, name: str | None = None) -> None:
            super().__init__(name=name)
            self.factor = factor

        def call(self, x: Any) -> Any:
            return x * self.factor

        def compute_output_spec(self, x: Any) -> Any:
            return keras.KerasTensor(x.shape, x.dtype)

    x = keras.Input((2,))
    model = keras.Model(x, ScalingOperation(factor=3.0, name="thrice")(ScalingOperation()(x)))
    model.save(folder / "model.keras")
    again = ScalingOperation.from_config(ScalingOperation(factor=3.0, name="thrice").get_config())
    yield "factor and name, rebuilt", [3.0, "thrice"], [again.factor, again.name]
    loaded = keras.models.load_model(folder / "model.keras")
    yield "names", [one.name for one in model.operations], [one.name for one in loaded.operations]
    yield "output, loaded", (3 * _X).tolist(), values(loaded(_X))


def sequences_without_a_graph(keras: Any, _: Path) -> Iterator[Seen]:
    """A Sequential whose input is a dictionary passes the mode and masks from layer to layer."""
    if not is_keras_3(keras):
        return

    class Picking(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.supports_masking = True

        def call(self, inputs: Any) -> Any:
            return inputs["steps"] * 1

        def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
            return keras.ops.any(keras.ops.not_equal(inputs["steps"], 0), axis=-1)

    class ObservingModes(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
            self.seen = (None if mask is None else values(mask)), training
            return inputs

    last = ObservingModes()
    model = keras.Sequential([Picking(), last])
    steps = {"steps": inputs([[1], [0]])}
    for training in (True, False):
        yield "output", values(steps["steps"]), values(model(steps, training=training))
        yield "mask and mode", ([[True, False]], training), last.seen


def ranks_adjusted(keras: Any, _: Path) -> Iterator[Seen]:
    """A model whose input has one axis less or more than it was built for adjusts the last axis alone."""
    if not is_keras_3(keras):
        return
    for shape, given, expected in (((1,), (2, 1, 1), (2, 1)), ((3,), (1, 3, 1), (1, 3)), ((3, 1), (1, 3), (1, 3, 1))):
        source = keras.Input(shape)
        output = keras.Model(source, source * 2)(np.ones(given, np.float32))
        yield f"shape of {given} for {shape}", expected, tuple(output.shape)


def named_and_typed_inputs(keras: Any, _: Path) -> Iterator[Seen]:
    """A model takes what it needs from a dictionary with more keys, in its inputs' types."""
    if not is_keras_3(keras):
        return
    one, two = keras.Input((1,), name="one"), keras.Input((1,), name="two", dtype="int32")
    model = keras.Model([one, two], [one * 2, two * 2])
    given = {"one": inputs([1]), "two": inputs([2.5]), "three": inputs([3])}
    yield "outputs", [[[2.0]], [[4]]], values(model(given))


DERIVED: Mapping[str, Row] = table(
    any_constructors,
    layers_before_the_graph,
    several_tensors,
    untraceable_models,
    shapes_of_sequences,
    slices_of_all_axes,
    layers_at_several_depths,
    structures_of_models,
    calls_of_clones,
    shared_layers_of_clones,
    inputs_that_differ,
    generators_of_optional_inputs,
    operations_of_a_user,
    sequences_without_a_graph,
    ranks_adjusted,
    named_and_typed_inputs,
)
