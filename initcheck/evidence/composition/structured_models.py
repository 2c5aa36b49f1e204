"""Models of every documented structure: what they compute, and what comes back of a configuration and a clone."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.evidence.composition.promises import (
    Row,
    Seen,
    inputs,
    is_keras_3,
    on_tensorflow,
    refusal,
    table,
    tensorflows,
    values,
)
from initcheck.evidence.steps.trained_models import reported
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import changed_result
from initcheck.frameworks.floatx import dtype_policy

_X = inputs([1, 2], [3, -4])


def _doubling(keras: Any, **options: Any) -> Any:
    """A layer that doubles its two inputs, with weights of its own."""
    twos = keras.initializers.Constant(2.0)
    return keras.layers.EinsumDense("ab,b->ab", 2, bias_axes="b", kernel_initializer=twos, **options)


def _plus(keras: Any) -> Any:
    """A class whose layers add what they are given beside their first input, if anything."""

    class Plus(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any, other: Any = None) -> Any:
            if x is None:
                return other
            return x if other is None else x + other

    return Plus


def _again(model: Any, **kinds: Any) -> Any:
    """The model rebuilt of its configuration, with its weights."""
    rebuilt = type(model).from_config(model.get_config(), custom_objects=kinds)
    rebuilt.set_weights(model.get_weights())
    return rebuilt


def optional_inputs(keras: Any, _: Path) -> Iterator[Seen]:
    """An input that is optional may be None: called, rebuilt, in fit, evaluate and predict."""
    if not _has_optional(keras):
        return
    plus = _plus(keras)
    first, second = keras.Input((2,), optional=True), keras.Input((2,))
    model = keras.Model([first, second], _doubling(keras)(plus()(first, second)))
    for words, one in (("", model), ("rebuilt, ", _again(model, Plus=plus))):
        yield f"{words}which are optional", [True, False], [tensor.optional for tensor in one.layers[:2]]
        yield f"{words}first None", (2 * _X).tolist(), values(one([None, _X]))
        yield f"{words}both given", (4 * _X).tolist(), values(one([_X, _X]))
        yield f"{words}what the other None raises", "ValueError", refusal(one, [_X, None])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    yield "loss of fit with the first None", 7.5, model.fit([None, _X], _X, verbose=0).history["loss"][0]
    yield "loss of evaluate with the first None", 7.5, model.evaluate([None, _X], _X, verbose=0)
    yield "predict with the first None", (2 * _X).tolist(), values(model.predict([None, _X], verbose=0))


def clones_of_inputs(keras: Any, _: Path) -> Iterator[Seen]:
    """A clone's inputs have the batch, shape, dtype and name of the model's."""
    for clone, original in _cloned_inputs(keras):
        yield "shape and dtype", [tuple(original.shape), original.dtype], [tuple(clone.shape), clone.dtype]
        yield "name", original.name, clone.name


def flags_of_cloned_inputs(keras: Any, _: Path) -> Iterator[Seen]:
    """They are optional or sparse as the model's."""
    if "optional" not in inspect.signature(keras.Input).parameters:
        return
    for flag in ("optional", "sparse"):
        for clone, original in _cloned_inputs(keras, **{flag: True}):
            yield f"whether they are {flag}", _flags(original), _flags(clone)


def _cloned_inputs(keras: Any, **options: Any) -> list[tuple[Any, Any]]:
    """The last input of each clone, and the one that its model was given."""
    x, z = keras.Input((2,), name="x"), keras.Input((1,), batch_size=3, dtype="float16", name="z", **options)
    models = keras.Model([x, z], [x, z]), keras.Sequential([z, keras.layers.Activation("relu")])
    return [(keras.models.clone_model(one).inputs[-1], z) for one in models]


def _flags(tensor: Any) -> list[bool]:
    return [tensor._keras_history[0].optional, tensor.sparse]


def _has_optional(keras: Any) -> bool:
    return is_keras_3(keras) and "optional" in inspect.signature(keras.Input).parameters


def optional_inputs_by_name(keras: Any, _: Path) -> Iterator[Seen]:
    """In a dictionary too."""
    if not _has_optional(keras):
        return
    plus = _plus(keras)
    tensors = {"z": keras.Input((2,), name="z"), "a": keras.Input((2,), name="a", optional=True)}
    model = keras.Model(tensors, plus()(tensors["z"], tensors["a"]))
    for words, one in (("", model), ("rebuilt, ", _again(model, Plus=plus))):
        yield f"{words}one None", _X.tolist(), values(one({"z": _X, "a": None}))
        yield f"{words}both given", (3 * _X).tolist(), values(one({"z": _X, "a": 2 * _X}))
        yield (
            f"{words}the one that is not optional None",
            True,
            bool(refusal(one, {"z": None, "a": _X})),
        )


def inputs_by_name(keras: Any, _: Path) -> Iterator[Seen]:
    """A dictionary is taken by name; a list only where the names are sorted."""
    if not is_keras_3(keras):
        return

    def model(names: str) -> Any:
        tensors = {name: keras.Input((2,), name=name) for name in names}
        return keras.Model(tensors, keras.layers.Subtract()([tensors["b"], tensors["a"]]))

    for names in ("ab", "ba"):
        given = {name: _X * (1 + (name == "b")) for name in names}
        for order in (given, dict(reversed(given.items()))):
            yield f"output by name, {names}", _X.tolist(), values(model(names)(order))
        yield f"predict by name, {names}", _X.tolist(), values(model(names).predict(given, verbose=0))
    yield "output of a list, sorted names", _X.tolist(), values(model("ab")([_X, 2 * _X]))
    yield "what a list raises, unsorted names", "ValueError", refusal(model("ba"), [2 * _X, _X])


def one_input_in_a_list(keras: Any, _: Path) -> Iterator[Seen]:
    """A list of one tensor stays a list, and a dictionary of one a dictionary."""
    if not is_keras_3(keras):
        return
    for words, wrap in (("tensor", lambda one: one), ("list", lambda one: [one]), ("dict", lambda one: {"x": one})):
        tensor = keras.Input((2,), name="x")
        model = keras.Model(wrap(tensor), wrap(_doubling(keras)(tensor)))
        clone = keras.models.clone_model(model)
        kinds = [type(model.input).__name__, type(model.output).__name__]
        for way, one in (("rebuilt", _again(model)), ("cloned", clone)):
            yield f"input and output, {words}, {way}", kinds, [type(one.input).__name__, type(one.output).__name__]
            yield f"result, {words}, {way}", values(model(wrap(_X))), values(one(wrap(_X)))
        if words != "list":
            yield f"predicted, {words}", values(wrap(2 * _X)), values(model.predict(wrap(_X), verbose=0))


def sequential_of_models(keras: Any, _: Path) -> Iterator[Seen]:
    """It is built where it begins with an input, or with what is built; else by its first call."""
    tensor = keras.Input((2,))
    built = {
        "Sequential": keras.Sequential([keras.Input((2,)), _doubling(keras)]),
        "Model": keras.Model(tensor, _doubling(keras)(tensor)),
    }
    if is_keras_3(keras):
        for words, first in built.items():
            model = keras.Sequential([first, _doubling(keras)])
            yield (
                f"built, weights and shape after a {words}",
                [True, 4, (None, 2)],
                [*(model.built, len(model.weights), tuple(model.output_shape))],
            )
            yield f"output after a {words}", (4 * _X).tolist(), values(model(_X))
    later = keras.Sequential([_doubling(keras)])
    later.add(_doubling(keras))
    yield "built without input", False, later.built
    later.build((None, 2))
    yield "output after build", (4 * _X).tolist(), values(later(_X))
    later.pop()
    yield "output after pop", (2 * _X).tolist(), values(later(_X))
    later.add(_doubling(keras))
    later.add(_doubling(keras))
    yield "output after add", (8 * _X).tolist(), values(later(_X))
    yield "weights after add", 6, len(later.weights)


def operations(keras: Any, folder: Path) -> Iterator[Seen]:
    """Operations and operators are steps of a model, which comes back from its configuration and file."""
    if not is_keras_3(keras):
        return
    ops, x = keras.ops, keras.Input((2,))
    y = _doubling(keras)(x)
    y = ops.add(y, x) - 1.0
    y = 2.0 * ops.concatenate([y, -x], axis=-1)
    y = ops.take(ops.reshape(ops.maximum(y, 0.0), (-1, 2, 2)), 0, axis=1)
    y = ops.sum(ops.stack([y, y], axis=0), axis=0) / 4.0 + ops.cast(x > 0, "float32")
    model = keras.Model(x, y)
    expected = (np.maximum(3 * _X - 1, 0) + (_X > 0)).tolist()
    model.save(folder / "model.keras")
    loaded = keras.models.load_model(folder / "model.keras")
    clone = keras.models.clone_model(model)
    for words, one in (("", model), ("rebuilt, ", _again(model)), ("loaded, ", loaded), ("cloned, ", clone)):
        yield f"{words}output", expected, values(one(_X))
    yield (
        "operations",
        [type(one).__name__ for one in model.operations],
        [type(one).__name__ for one in loaded.operations],
    )


def half_precision(keras: Any, _: Path) -> Iterator[Seen]:
    """A graph has the layers that were called and no others, under every global policy."""
    if not is_keras_3(keras):
        return
    layers = keras.layers
    for policy in ("mixed_float16", "float16", "float64"):
        with dtype_policy(keras, policy):
            x = keras.Input((2,), dtype="float32")
            y = keras.layers.Activation("linear")(_doubling(keras)(x))
            model = keras.Model(x, keras.layers.Add()([y, y]))
            yield (
                f"operations under {policy}",
                [layers.InputLayer, layers.EinsumDense, layers.Activation, layers.Add],
                [type(one) for one in model.operations],
            )
            yield f"output under {policy}", (4 * _X).tolist(), values(model(_X))
            yield f"rebuilt under {policy}", (4 * _X).tolist(), values(_again(model)(_X))
            yield f"dtype under {policy}", policy.removeprefix("mixed_"), model.output.dtype


def clones_with_inputs(keras: Any, _: Path) -> Iterator[Seen]:
    """A clone has the tensors for inputs that it is given, and layers of its own."""
    x = keras.Input((2,))
    models = {
        "Sequential": keras.Sequential([keras.Input((2,)), _doubling(keras), _doubling(keras)]),
        "Model": keras.Model(x, _doubling(keras)(_doubling(keras)(x))),
    }
    for words, model in models.items():
        clone = keras.models.clone_model(model, input_tensors=keras.Input((2,), name="given", batch_size=2))
        yield f"shape of a {words} with another input", (2, 2), tuple(clone.output_shape)
        yield f"output of a {words} with another input", (4 * _X).tolist(), values(clone(_X))
        clone.set_weights([0 * one for one in clone.get_weights()])
        yield f"output of the original {words}", (4 * _X).tolist(), values(model(_X))
        made: list[str] = []

        def again(layer: Any, made: list[str] = made) -> Any:
            made.append(layer.name)
            return type(layer).from_config(layer.get_config())

        function = keras.models.clone_model(model, clone_function=again)
        dense = [layer.name for layer in model.layers if layer.weights]
        yield f"layers of a {words} made by the function", dense, [name for name in made if name in dense]
        yield f"output of a {words} made by the function", (4 * _X).tolist(), values(function(_X))


def compiled_clones(keras: Any, _: Path) -> Iterator[Seen]:
    """A clone of a compiled model is compiled likewise, and one of another is not."""
    if not is_keras_3(keras):
        return
    x = keras.Input((2,))
    for words, model in (
        ("Sequential", keras.Sequential([keras.Input((2,)), _doubling(keras)])),
        ("Model", keras.Model(x, _doubling(keras)(x))),
    ):
        yield f"a clone of a {words} is compiled", False, keras.models.clone_model(model).compiled
        model.compile(keras.optimizers.SGD(0.375, momentum=0.25), "mse", metrics=["mae"])
        clone = keras.models.clone_model(model)
        yield f"a clone of a compiled {words} is compiled", True, clone.compiled
        if clone.compiled:
            yield (
                f"optimizer of the clone of a {words}",
                [0.375, 0.25, False],
                [
                    *(float(as_array(clone.optimizer.learning_rate)), clone.optimizer.momentum),
                    clone.optimizer is model.optimizer,
                ],
            )
            yield f"evaluation of the clone of a {words}", [7.5, 2.5], clone.evaluate(_X, _X, verbose=0)


def functions_as_layers(keras: Any, folder: Path) -> Iterator[Seen]:
    """A Lambda of a function of Keras comes back from a configuration and a file, its output_shape as a tuple."""
    lambdas = keras.layers.Lambda
    if not is_keras_3(keras):
        return
    for words, tensor, shape in (
        ("one axis", keras.Input((2,)), (2,)),
        ("None in it", keras.Input((None, 2)), (None, 2)),
        ("nothing", keras.Input((2,)), None),
    ):
        layer = lambdas(keras.activations.relu, output_shape=shape)
        config = json.loads(json.dumps(layer.get_config()))
        again = lambdas.from_config(config)
        yield f"output_shape of {words}", shape, again.get_config().get("output_shape")
        yield f"symbolic shape of {words}", tuple(tensor.shape), tuple(again(tensor).shape)
    x = keras.Input((2,))
    model = keras.Model(x, lambdas(keras.activations.leaky_relu, arguments={"negative_slope": 0.5})(x))
    model.save(folder / "model.keras")
    for words, one in (("", model), ("loaded, ", keras.models.load_model(folder / "model.keras"))):
        yield f"{words}output with arguments", [[1.0, 2.0], [3.0, -2.0]], values(one(_X))
    other = keras.Sequential([keras.Input((2,)), lambdas(lambda t: t + 1)])
    other.save(folder / "other.keras")
    yield (
        "what a lambda in a file raises",
        "ValueError",
        refusal(keras.models.load_model, folder / "other.keras"),
    )
    unsafe = keras.models.load_model(folder / "other.keras", safe_mode=False)
    yield "output of a lambda that is trusted", (_X + 1).tolist(), values(unsafe(_X))


def rematerialized_layers(keras: Any, _: Path) -> Iterator[Seen]:
    """Layers whose activations are computed anew have their arguments, outputs and gradients."""
    if not hasattr(keras, "RematScope"):
        return
    # A loop whose trace failed leaves a device behind in the scope of variables, which recompute_grad then refuses.
    if on_tensorflow():
        import tensorflow as tf

        tf.compat.v1.get_variable_scope()._caching_device = None
    for mode, options in _REMATERIALIZED.items():
        with keras.RematScope(mode=mode, **options):
            layer, dense = _timing(keras)(lambda x: 2 * x), _doubling(keras, activation="relu", name="dense_again")
            model = keras.Sequential([keras.Input((2,)), dense])
            model.compile(keras.optimizers.SGD(1.0), "mse", run_eagerly=True)
        yield (
            f"output of a layer with arguments, {mode}",
            (6 * _X + 1).tolist(),
            values(layer(_X, times=3.0, training=True)),
        )
        yield f"output of a model, {mode}", np.maximum(2 * _X, 0).tolist(), values(model(_X))
        model.train_on_batch(_X[:1], 2 * _X[:1] - inputs(1, 0))
        yield f"bias after a step, {mode}", [-1.0, 0.0], values(dense.bias)


def rematerialized_graphs(keras: Any, _: Path) -> Iterator[Seen]:
    """Within a model's graph too, whose layers have their arguments by name."""
    if not hasattr(keras, "RematScope"):
        return
    with keras.RematScope(mode="full"):
        model = keras.Sequential([keras.Input((2,)), _timing(keras)(_doubling(keras))])
        model.compile(keras.optimizers.SGD(0.0), "mse")
    yield "loss of fit", 0.5, model.fit(inputs([1, 0]), inputs([3, 2]), verbose=0).history["loss"][0]
    yield "prediction", (2 * _X).tolist(), values(model.predict(_X, verbose=0))


_REMATERIALIZED: Mapping[str, Mapping[str, Any]] = {
    "full": {},
    "activations": {},
    "larger_than": {"output_size_threshold": 1},
    "list_of_layers": {"layer_names": ["dense_again"]},
}


def _timing(keras: Any) -> Any:
    class Timing(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner = inner

        def call(self, x: Any, times: float = 1.0, training: bool = False) -> Any:
            return self.inner(x) * times + (1.0 if training else 0.0)

    return Timing


def shapes_of_models(keras: Any, _: Path) -> Iterator[Seen]:
    """``compute_output_shape`` and symbolic calls of models, in the structure of their outputs."""
    if not is_keras_3(keras):
        return
    x, z = keras.Input((None, 2)), keras.Input((3,))
    wide, dense = keras.layers.Dense(5), keras.layers.Dense(4)
    several = keras.Model([x, z], {"b": wide(x), "a": [dense(z), z]})
    shapes = {"b": (7, 6, 5), "a": [(7, 4), (7, 3)]}
    yield "of several outputs", shapes, several.compute_output_shape([(7, 6, 2), (7, 3)])
    called = several([keras.Input((6, 2), batch_size=7), keras.Input((3,), batch_size=7)])
    yield (
        "of a symbolic call",
        shapes,
        {
            "b": tuple(called["b"].shape),
            "a": [tuple(one.shape) for one in called["a"]],
        },
    )
    model = keras.Sequential([keras.layers.Dense(3), keras.layers.Reshape((3, 1))])
    yield "of a Sequential that is not built", (None, 3, 1), tuple(model.compute_output_shape((None, 2)))
    yield "shapes of its inputs", [(None, None, 2), (None, 3)], [tuple(one) for one in several.input_shape]
    yield "number of parameters", 15 + 16, several.count_params()


@tensorflows("graphs of unknown sizes")
def in_graphs(keras: Any, _: Path) -> Iterator[Seen]:
    """Models within a ``tf.function`` of unknown sizes, and mapped over a data set."""
    import tensorflow as tf

    x = keras.Input((None, 2))
    flat = keras.layers.GlobalMaxPooling1D()(x)
    models = {
        "Model": keras.Model(x, {"a": _doubling(keras)(flat), "b": flat}),
        "Sequential": keras.Sequential([keras.Input((None, 2)), keras.layers.GlobalMaxPooling1D(), _doubling(keras)]),
    }
    data = np.stack([_X, _X + 1, _X - 1])
    for words, model in models.items():
        compiled = tf.function(model, input_signature=[tf.TensorSpec((None, None, 2), tf.float32)])
        for batch in (data, data[:1], data[:, :1]):
            yield f"{words}, a batch of {batch.shape}", values(model(batch)), values(compiled(batch))
        mapped = [*tf.data.Dataset.from_tensor_slices(data).batch(2).map(model)]
        yield f"{words}, mapped", values(model(data[:2])), values(mapped[0])


def parts_of_models(keras: Any, _: Path) -> Iterator[Seen]:
    """A model of another one's tensors, the same layer in two models, layers by name and number."""
    x = keras.Input((2,), name="x")
    middle = _doubling(keras, name="middle")(x)
    model = keras.Model(x, _doubling(keras, name="last")(middle))
    part = keras.Model(model.input, model.get_layer("middle").output)
    both = keras.Model(model.inputs, [middle, model.output, x, middle])
    after = keras.Model(middle, model.output)
    yield "the first half", (2 * _X).tolist(), values(part(_X))
    yield "the second half", (2 * _X).tolist(), values(after(_X))
    yield "outputs within, twice, and the input", [(k * _X).tolist() for k in (2, 4, 1, 2)], values(list(both(_X)))
    part.layers[-1].set_weights([3 * np.ones(2), np.zeros(2)])
    yield "the whole after the half was changed", (6 * _X).tolist(), values(model(_X))
    yield (
        "layers by number and name",
        [True, "last", ["x", "middle", "last"]],
        [
            model.get_layer(index=1) is model.get_layer("middle"),
            model.get_layer(index=2).name,
            [one.name for one in model.layers],
        ],
    )
    yield "what an unknown name raises", "ValueError", refusal(model.get_layer, "none")
    elsewhere = keras.Input((2,))
    yield (
        "the model on other inputs",
        (12 * _X).tolist(),
        values(keras.Model(elsewhere, model(elsewhere + elsewhere))(_X)),
    )


def outputs_without_inputs(keras: Any, _: Path) -> Iterator[Seen]:
    """A model whose output needs another input is refused."""
    one, two = keras.Input((2,)), keras.Input((2,))
    output = keras.layers.Add()([one, two])
    yield "what an input beside raises", "ValueError", refusal(keras.Model, keras.Input((2,)), output)
    yield "what one of two inputs raises", "ValueError", refusal(keras.Model, one, output)


def names_in_models(keras: Any, _: Path) -> Iterator[Seen]:
    """Two layers of one name are refused; a summary counts what is trained."""
    if not is_keras_3(keras):
        return
    x = keras.Input((2,))
    twice = _doubling(keras, name="one")(_doubling(keras, name="one")(x))
    yield "what two layers of one name raise", "ValueError", refusal(keras.Model, x, twice)
    model = keras.Sequential([keras.Input((2,)), _doubling(keras, name="one")])
    yield "what adding that name raises", "ValueError", refusal(model.add, _doubling(keras, name="one"))
    model.add(_doubling(keras, name="two", trainable=False))
    lines: list[str] = []
    model.summary(print_fn=lambda line, **_: lines.append(line))
    counts = [int(count) for count in re.findall(r"params:\s*(\d+)", "".join(lines))]
    yield "parameters, trained, not trained, in a summary", [8, 4, 4], counts
    yield "parameters of the model and a layer", [8, 4], [model.count_params(), model.layers[0].count_params()]


def frozen_parts(keras: Any, _: Path) -> Iterator[Seen]:
    """Freezing a model freezes its layers; thawing one of them, or a model around, has effect when compiled anew."""
    inner = keras.Sequential([keras.Input((2,)), _doubling(keras), _doubling(keras)])
    outer = keras.Sequential([keras.Input((2,)), inner, _doubling(keras)])
    counts = [len(outer.trainable_weights)]
    for layer, trained in ((inner, False), (inner, True), (outer, False), (outer, True)):
        layer.trainable = trained
        counts.append(len(outer.trainable_weights))
    inner.layers[0].trainable = False
    yield "trained weights as parts are frozen", [6, 2, 6, 0, 6], counts
    outer.compile(keras.optimizers.SGD(0.5), "mse")
    before = outer.get_weights()
    outer.train_on_batch(_X[:1], _X[:1])
    changed = [not np.array_equal(*pair) for pair in zip(before, outer.get_weights(), strict=True)]
    yield "weights that a step changes", [False, False, True, True, True, True], changed


def sizes_of_inputs(keras: Any, _: Path) -> Iterator[Seen]:
    """Inputs are cast and given an axis of one where that is missing; others are refused."""

    def column_model() -> Any:
        x = keras.Input((1,))
        return keras.Model(x, keras.layers.Dense(1, kernel_initializer="ones")(x))

    column = inputs([1], [2])
    for words, given in (
        ("without the last axis", column[:, 0]),
        ("in double precision", column.astype(np.float64)),
        ("of integers", column.astype(np.int32)),
    ):
        yield f"output {words}", [[1.0], [2.0]], values(column_model().predict(given, verbose=0))
    yield "what another width raises", True, bool(refusal(column_model(), _X))
    ids = keras.Input((2,), dtype="int32")
    yield "dtype of integers", "int32", str(getattr(ids.dtype, "name", ids.dtype))
    fixed = keras.Input(batch_shape=(4, 2))
    yield "a fixed batch", (4, 2), tuple(keras.Model(fixed, _doubling(keras)(fixed)).output_shape)
    if is_keras_3(keras):
        again = _again(keras.Model(fixed, _doubling(keras)(fixed)))
        yield "a fixed batch, rebuilt", (4, 2), tuple(again.input_shape)


def ranks_in_turn(keras: Any, _: Path) -> Iterator[Seen]:
    """One model predicts for numbers with and without an axis of one."""
    x = keras.Input((1,))
    model = keras.Model(x, keras.layers.Dense(1, kernel_initializer="ones")(x))
    for given in (inputs(1, 2), inputs([1], [2])):
        yield f"prediction for {given.ndim} axes", [[1.0], [2.0]], values(model.predict(given, verbose=0))


def arguments_of_calls(keras: Any, folder: Path) -> Iterator[Seen]:
    """What layers are called with beside tensors is part of the model: numbers, names, None, nested tensors."""
    if not is_keras_3(keras):
        return

    @keras.saving.register_keras_serializable("initcheck")
    class Called(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any, sign: str = "plus", pair: Any = (), offset: Any = None, *, times: Any = 1) -> Any:
            for one in pair:
                x = x + one["a"] if sign == "plus" else x - one["a"]
            return x * times + (0.0 if offset is None else offset)

    first, second = keras.Input((2,)), keras.Input((2,))
    layer = Called()
    once = layer(first, sign="minus", pair=[{"a": second}, {"a": second}], times=3)
    model = keras.Model([first, second], [once, layer(once, offset=second), layer(x=once, sign="plus")])
    model.save(folder / "model.keras")
    ways = {
        "": model,
        "rebuilt, ": _again(model),
        "cloned, ": keras.models.clone_model(model),
        "loaded, ": keras.models.load_model(folder / "model.keras"),
    }
    for words, one in ways.items():
        yield f"{words}outputs", [(-9 * _X).tolist(), (-7 * _X).tolist(), (-9 * _X).tolist()], values(one([_X, 2 * _X]))


def subclasses_of_functional(keras: Any, folder: Path) -> Iterator[Seen]:
    """A class derived from Model that builds a graph in its constructor, with methods of its own."""
    if not is_keras_3(keras):
        return

    @keras.saving.register_keras_serializable("initcheck")
    class Graph(keras.Model):  # type: ignore[misc]
        def __init__(self, factor: float = 1.0, **kwargs: Any) -> None:
            x = keras.Input((2,))
            super().__init__(x, _doubling(keras)(x), **kwargs)
            self.factor = factor

        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            return super().call(inputs, training=training, mask=mask) * self.factor

        def get_config(self) -> Any:
            return {"factor": self.factor, "name": self.name}

    model = Graph(3.0, name="graph")
    model.save(folder / "model.keras")
    ways = {
        "": model,
        "rebuilt, ": Graph.from_config(model.get_config()),
        "loaded, ": keras.models.load_model(folder / "model.keras"),
    }
    for words, one in ways.items():
        yield (
            f"{words}output, name, class",
            [(6 * _X).tolist(), "graph", "Graph"],
            [*(values(one(_X)), one.name, type(one).__name__)],
        )


def own_steps(keras: Any, _: Path) -> Iterator[Seen]:
    """``compute_loss``, ``train_step``, ``test_step`` and ``predict_step`` of a subclass are used."""
    if not is_keras_3(keras):
        return

    class Stepping(keras.Sequential):  # type: ignore[misc]
        def compute_loss(self, *arguments: Any, **options: Any) -> Any:
            return super().compute_loss(*arguments, **options) * 2

        def predict_step(self, *state_and_data: Any) -> Any:
            return changed_result(super().predict_step(*state_and_data), lambda outputs: outputs + 1)

        def train_step(self, *state_and_data: Any) -> Any:
            return changed_result(super().train_step(*state_and_data), lambda logs: {**logs, "steps": 5.0})

        def test_step(self, *state_and_data: Any) -> Any:
            return changed_result(super().test_step(*state_and_data), lambda logs: {**logs, "steps": 7.0})

    model = Stepping([keras.Input((2,)), _doubling(keras)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    yield "fit", {"loss": [15.0], "steps": [5.0]}, reported(model.fit(_X, _X, verbose=0).history)
    yield "evaluate", {"loss": 15.0, "steps": 7.0}, model.evaluate(_X, _X, verbose=0, return_dict=True)
    yield "predict", (2 * _X + 1).tolist(), values(model.predict(_X, verbose=0))


STRUCTURES: Mapping[str, Row] = table(
    optional_inputs,
    optional_inputs_by_name,
    clones_of_inputs,
    flags_of_cloned_inputs,
    inputs_by_name,
    one_input_in_a_list,
    sequential_of_models,
    operations,
    half_precision,
    clones_with_inputs,
    compiled_clones,
    functions_as_layers,
    rematerialized_layers,
    rematerialized_graphs,
    shapes_of_models,
    in_graphs,
    parts_of_models,
    outputs_without_inputs,
    names_in_models,
    frozen_parts,
    sizes_of_inputs,
    ranks_in_turn,
    arguments_of_calls,
    subclasses_of_functional,
    own_steps,
)
