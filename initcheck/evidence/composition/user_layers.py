"""Layers that a user writes: how they are built, called, tracked and rebuilt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.evidence.composition.promises import Row, Seen, inputs, is_keras_3, keeps_doubles, refusal, table, values
from initcheck.evidence.toy_data import pipeline
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import dtype_name
from initcheck.frameworks.floatx import dtype_policy

_X = inputs([1, 2], [3, -4])


def _scaling(keras: Any, base: Any = None) -> Any:
    """A class whose layers multiply by a weight that is built from the input's shape."""

    class Scaling(base or keras.layers.Layer):  # type: ignore[misc]
        def build(self, input_shape: Any) -> None:
            self.scale = self.add_weight(name="scale", shape=(input_shape[-1],), initializer="ones")
            self.built = True

        def call(self, inputs: Any) -> Any:
            scaled = inputs * self.scale
            return scaled if base is None else super().call(scaled)

    return Scaling


def masks_among_arguments(keras: Any, _: Path) -> Iterator[Seen]:
    """``key_mask`` is an argument like any other; ``mask`` has no shape in build."""
    if not is_keras_3(keras):
        return

    class Masked(keras.layers.Layer):  # type: ignore[misc]
        def build(self, x_shape: Any, key_mask_shape: Any) -> None:
            self.shapes = x_shape, key_mask_shape

        def call(self, x: Any, key_mask: Any, mask: Any = None) -> Any:
            return x * key_mask

    for way, given, shapes in (
        ("eagerly", (_X, inputs([2, 3])), ((2, 2), (1, 2))),
        ("symbolically", (keras.Input((2,)), keras.Input((2,))), ((None, 2), (None, 2))),
    ):
        layer = Masked()
        layer(*given)
        yield f"shapes in build, {way}", shapes, layer.shapes
    layer = Masked()
    layer(_X, key_mask=_X, mask=_X > 0)
    yield "shapes in build beside a mask", ((2, 2), (2, 2)), layer.shapes


def shapes_by_name(keras: Any, _: Path) -> Iterator[Seen]:
    """Each tensor's shape has the name of its argument, and that of nested ones its structure."""
    if not is_keras_3(keras):
        return

    class Pairs(keras.layers.Layer):  # type: ignore[misc]
        def build(self, second_shape: Any, first_shape: Any) -> None:
            self.shapes = first_shape, second_shape

        def call(self, first: Any, second: Any, times: int = 1) -> Any:
            return first + second["a"] * times + second["z"][0]

    layer = Pairs()
    one, two = np.ones((2, 1), np.float32), {"a": inputs([1, 2]), "z": [_X]}
    yield "output", [[5.0, 8.0], [7.0, 2.0]], values(layer(one * 2, two, times=2))
    yield "shapes in build", ((2, 1), {"a": (1, 2), "z": [(2, 2)]}), layer.shapes


def nothing_among_inputs(keras: Any, _: Path) -> Iterator[Seen]:
    """A layer that is not yet built takes None beside a tensor."""

    class Optional(keras.layers.Layer):  # type: ignore[misc]
        def build(self, x_shape: Any, other_shape: Any = None) -> None:
            self.built = True

        def call(self, x: Any, other: Any = None) -> Any:
            first, second = x
            return first if second is None else first + second

    if is_keras_3(keras):
        yield "output beside None", _X.tolist(), values(Optional()([_X, None]))
    yield "output beside a tensor", (2 * _X).tolist(), values(Optional()([_X, _X]))
    layer = Optional()
    yield "output with an argument None", (2 * _X).tolist(), values(layer([_X, _X], other=None))


def derived_layers(keras: Any, _: Path) -> Iterator[Seen]:
    """A class derived from one without weights has its own build."""
    layers = keras.layers
    bases: Mapping[Any, Mapping[str, Any]] = {
        layers.Dropout: {"rate": 0.5},
        layers.Activation: {"activation": "relu"},
        layers.GaussianNoise: {"stddev": 0.5},
        layers.ReLU: {},
        layers.Flatten: {},
        layers.Rescaling: {"scale": 1.0},
        layers.Identity: {},
    }
    for base, arguments in bases.items():
        name, layer = base.__name__, _scaling(keras, base)(**arguments)
        output = values(layer(np.abs(_X)))
        yield f"output of one derived from {name}", np.abs(_X).tolist(), output
        yield f"weights of one derived from {name}", [(2,)], [tuple(one.shape) for one in layer.weights]


def paths(keras: Any, _: Path) -> Iterator[Seen]:
    """Weights of the constructor and of build have the names of what holds them before their own."""
    if not is_keras_3(keras):
        return

    class Early(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.early = self.add_weight(name="early", shape=())
            self.inner = keras.layers.Dense(1, name="inner")

        def build(self, input_shape: Any) -> None:
            self.late = self.add_weight(name="late", shape=())
            self.built = True

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs) * self.early * self.late

    class Around(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="around")
            self.held = Early(name="held")

        def call(self, inputs: Any) -> Any:
            return self.held(inputs)

    model = Around()
    model(_X)
    held = ["held/inner/bias", "held/inner/kernel", "held/late"]
    later = sorted(one.path for one in model.weights if one.name != "early")  # that one was not yet in the model
    yield "paths in a subclassed model", [f"around/{one}" for one in held], later
    alone = Early(name="held")
    alone(_X)
    yield "paths of the layer alone", sorted([*held, "held/early"]), sorted(one.path for one in alone.weights)
    within = keras.Sequential([keras.Input((2,)), Early(name="held")], name="outside")
    yield "number of paths in a Sequential", 4, len({one.path for one in within.weights})


def paths_of_later_weights(keras: Any, _: Path) -> Iterator[Seen]:
    """Weights that are made after the build have the names of what holds their layer before their own, too."""
    layers = keras.layers
    if not hasattr(layers.Dense, "enable_lora"):
        return

    class Held(layers.Layer):  # type: ignore[misc,name-defined]
        def __init__(self, inner: Any, name: str) -> None:
            super().__init__(name=name)
            self.inner = inner

        def build(self, input_shape: Any) -> None:
            self.inner.build(input_shape)

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    for kind, given in ((layers.Dense, (2,)), (layers.EinsumDense, ("ab,bc->ac", 2)), (layers.Embedding, (5, 2))):
        for words, around in (("within a layer", ("outer",)), ("within two", ("middle", "outer"))):
            one = layer = kind(*given, name="one")
            for name in around:
                layer = Held(layer, name)
            layer(np.abs(_X))
            one.enable_lora(1)
            held = "/".join([*reversed(around), "one"])
            elsewhere = [weight.path for weight in layer.weights if weight.path.rpartition("/")[0] != held]
            yield f"weights of {kind.__name__} {words}", len(one.weights), len(layer.weights)
            yield f"paths that are others than those of {held}, {kind.__name__} {words}", [], elsewhere


def containers(keras: Any, _: Path) -> Iterator[Seen]:
    """Layers and variables in lists, tuples and dictionaries, nested and appended later, count as the layer's."""
    dense = keras.layers.Dense

    class Holding(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.listed = [
                dense(2, kernel_initializer=keras.initializers.Identity()),
                [dense(2, kernel_initializer=keras.initializers.Identity())],
            ]
            self.named = {"z": dense(2, kernel_initializer=keras.initializers.Identity()), "deep": {"a": dense(2)}}
            self.pair = (dense(2, kernel_initializer=keras.initializers.Identity()), 3)
            self.listed.append(dense(2, kernel_initializer=keras.initializers.Identity()))

        def call(self, inputs: Any) -> Any:
            for one in (self.listed[0], self.listed[1][0], self.listed[2], self.named["z"], self.pair[0]):
                inputs = one(inputs)
            return inputs + 0 * self.named["deep"]["a"](inputs)

    layer = Holding()
    yield "output", _X.tolist(), values(layer(_X))
    yield "weights", 12, len(layer.weights)
    yield "trained weights", 12, len(layer.trainable_weights)
    layer.trainable = False
    yield "trained weights of a frozen layer", 0, len(layer.trainable_weights)
    yield "inner layers that are trained", [False], [layer.named["deep"]["a"].trainable]
    layer.trainable = True
    layer.listed[0].trainable = False
    yield "trained weights beside a frozen inner layer", 10, len(layer.trainable_weights)


def added_losses(keras: Any, _: Path) -> Iterator[Seen]:
    """Losses of a call, of weights and of activities; those of the last call alone."""
    if not is_keras_3(keras):
        return

    class Lossy(_scaling(keras)):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            self.add_loss(keras.ops.sum(inputs))
            return super().call(inputs)

    class Regular(keras.layers.Layer):  # type: ignore[misc]
        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(
                shape=(2,), initializer="ones", regularizer=keras.regularizers.L2(0.5), name="kernel"
            )
            self.frozen = self.add_weight(shape=(), initializer="ones", trainable=False, regularizer="l1", name="held")
            self.built = True

        def call(self, inputs: Any) -> Any:
            return inputs * self.kernel

    layer = Lossy()
    layer(_X)
    layer(2 * _X)
    yield "losses after two calls", [4.0], values(layer.losses)
    model = keras.Sequential([keras.Input((2,)), Lossy(), Regular()])
    model(_X)
    yield "losses of a model", [1.0, 2.0], sorted(values(model.losses))
    model.compile(keras.optimizers.SGD(), "mse")
    yield "loss in evaluate", 3.0, model.evaluate(pipeline(_X, _X), verbose=0)
    model.layers[1].trainable = False
    model(_X)
    yield "losses of a model with a frozen regularized layer", [2.0], values(model.losses)


def activity_losses(keras: Any, _: Path) -> Iterator[Seen]:
    """The loss of a layer's output is divided by the batch's size."""
    active = _scaling(keras)(activity_regularizer=keras.regularizers.L2(0.5))
    active(_X)
    yield "loss of a layer", [7.5], values(active.losses)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activity_regularizer="l1")])
    model.set_weights([np.eye(2), np.zeros(2)])
    model(_X * 100)
    yield "loss within a model", [5.0], values(model.losses)


def constrained_weights(keras: Any, _: Path) -> Iterator[Seen]:
    """What ``add_weight`` is given: initializer, dtype, whether it is trained, constraint."""

    class GivenBeside(keras.layers.Layer):  # type: ignore[misc]
        def build(self, input_shape: Any) -> None:
            add = self.add_weight
            self.kernel = add(name="k", shape=(2,), initializer=lambda shape, dtype=None: np.full(shape, 3.0, "f"))
            self.bound = add(name="b", shape=(2,), initializer="ones", constraint=keras.constraints.MaxNorm(0.5, 0))
            self.plain = add(name="p", shape=(2,), initializer=keras.initializers.Constant(7.0), trainable=False)
            self.counts = add(name="c", shape=(), initializer="zeros", dtype="int32", trainable=False)
            self.built = True

        def call(self, inputs: Any) -> Any:
            return inputs * self.kernel + self.bound * self.plain

    model = keras.Sequential([keras.Input((2,)), GivenBeside()])
    layer = model.layers[0]
    yield (
        "initial weights",
        [[3.0, 3.0], [1.0, 1.0], [7.0, 7.0], 0],
        values([layer.kernel, layer.bound, layer.plain, layer.counts]),
    )
    yield "dtype of integers", "int32", as_array(layer.counts).dtype.name
    yield "trained weights", 2, len(model.trainable_weights)
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.train_on_batch(_X, _X)
    norm = float(np.linalg.norm(as_array(layer.bound)))
    yield "norm of the constrained weight after a step", True, abs(norm - 0.5) < 1e-5
    yield "a weight without constraint", [[3.0, 3.0], [7.0, 7.0]], values([layer.kernel, layer.plain])


def any_arguments(keras: Any, _: Path) -> Iterator[Seen]:
    """Positional and named arguments beyond those that the call names, tensors or not."""

    class Variadic(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any, *more: Any, times: float = 1.0, **named: Any) -> Any:
            for one in more:
                x = x + one
            return x * times + named.get("offset", 0.0)

    layer = Variadic()
    yield "output", (9 * _X + 2).tolist(), values(layer(_X, _X, _X, times=3.0, offset=2.0))
    first, second = keras.Input((2,)), keras.Input((2,))
    model = keras.Model([first, second], layer(first, second, times=3.0, offset=2.0))
    yield "output of a model", (6 * _X + 2).tolist(), values(model([_X, _X]))
    if is_keras_3(keras):
        rebuilt = type(model).from_config(model.get_config(), custom_objects={"Variadic": Variadic})
        yield "output of the rebuilt model", (6 * _X + 2).tolist(), values(rebuilt([_X, _X]))


def training_passed_down(keras: Any, _: Path) -> Iterator[Seen]:
    """An inner layer has the mode of the outer one, unless it is given its own."""

    class Mode(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any, training: Any = None) -> Any:
            return inputs + (1.0 if training else 0.0)

    class Wrapping(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, **fixed: Any) -> None:
            super().__init__()
            self.inner, self.fixed = Mode(), fixed

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs, **self.fixed)

    class WrappingFixed(Wrapping):
        def call(self, inputs: Any, training: Any = False) -> Any:
            return self.inner(inputs)

    class Whole(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = Wrapping()

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    zero = inputs([0.0])
    for name, layer in (("layer", Wrapping), ("layer whose default is False", WrappingFixed), ("model", Whole)):
        yield f"inside a {name}", [[[0.0]], [[1.0]]], [values(layer()(zero, training=one)) for one in (False, True)]
        yield f"inside a {name} called plainly", [[0.0]], values(layer()(zero))
    yield (
        "inside a layer that fixes it",
        [[[1.0]]] * 2,
        [values(Wrapping(training=True)(zero, training=one)) for one in (False, True)],
    )
    model = keras.Sequential([keras.Input((1,)), WrappingFixed()])
    yield "in fit, evaluate and predict", [1.0, 0.0, [[0.0]]], _in_loops(keras, model)


def training_of_plain_models(keras: Any, _: Path) -> Iterator[Seen]:
    """``fit`` trains the layers of a model whose call has no argument ``training``."""

    class Unmoded(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = keras.layers.Dropout(1 - 2**-20, seed=1)

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs + 1) - 1

    yield "in fit, evaluate and predict", [1.0, 0.0, [[0.0]]], _in_loops(keras, Unmoded())


def _in_loops(keras: Any, model: Any) -> list[Any]:
    """The loss of fit and evaluate and the output of predict, of zeros."""
    zero = inputs([0.0])
    pairs = pipeline(zero, zero)
    model.compile(keras.optimizers.SGD(0.0), "mse")
    return [
        model.fit(pairs, shuffle=False, verbose=0).history["loss"][0],
        model.evaluate(pairs, verbose=0),
        values(model.predict(pipeline(zero), verbose=0)),
    ]


def tracked_attributes(keras: Any, _: Path) -> Iterator[Seen]:
    """Variables, generators of seeds and metrics that are attributes."""
    if not is_keras_3(keras):
        return

    class Tracking(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.factor = keras.Variable(inputs(2.0, 3.0), name="factor")
            self.calls = keras.Variable(0, trainable=False, dtype="int32", name="calls")
            self.generator = keras.random.SeedGenerator(5)
            self.mean = keras.metrics.Mean(name="mean")
            self.listed = [keras.Variable(1.0, name="listed")]

        def call(self, inputs: Any) -> Any:
            self.calls.assign_add(1)
            return inputs * self.factor * self.listed[0] + 0 * keras.random.normal((2,), seed=self.generator)

    layer = Tracking()
    yield "weights", ["calls", "factor", "listed"], sorted(one.name for one in layer.weights)
    yield "trained weights", ["factor", "listed"], sorted(one.name for one in layer.trainable_weights)
    yield (
        "variables beyond weights",
        ["seed_generator_state"],
        [
            one.name
            for one in layer.variables
            if not any(one is weight for weight in layer.weights) and "seed" in one.name
        ],
    )
    before = values(layer.generator.state)
    yield "output", (_X * inputs(2, 3)).tolist(), values(layer(_X))
    yield "whether the generator went on", True, before != values(layer.generator.state)
    model = keras.Sequential([keras.Input((2,)), layer])
    start = values(layer.calls)
    for _calls in range(3):
        model.predict(pipeline(_X), verbose=0)
    yield "calls counted in predict", start + 3, values(layer.calls)


def deleted_variables(keras: Any, _: Path) -> Iterator[Seen]:
    """A variable that is deleted is no longer one of the layer's weights."""
    if not is_keras_3(keras):
        return
    layer = keras.layers.Layer()
    layer.one = keras.Variable(1.0, name="one")
    layer.two = keras.Variable(1.0, name="two", trainable=False)
    layer.three = keras.Variable(1.0, name="three")
    layer.build((None, 2))
    yield "weights", ["one", "three", "two"], sorted(one.name for one in layer.weights)
    del layer.one
    del layer.two
    yield (
        "weights afterwards",
        [["three"], ["three"]],
        [
            [one.name for one in layer.weights],
            [one.name for one in layer.trainable_weights],
        ],
    )


def stateless_calls(keras: Any, _: Path) -> Iterator[Seen]:
    """They take and return the variables, and change none."""
    if not is_keras_3(keras):
        return

    class Counting(_scaling(keras)):  # type: ignore[misc]
        def build(self, input_shape: Any) -> None:
            super().build(input_shape)
            self.calls = self.add_weight(name="calls", shape=(), initializer="zeros", trainable=False)

        def call(self, inputs: Any) -> Any:
            self.calls.assign(self.calls + 1)
            self.add_loss(keras.ops.sum(inputs))
            return super().call(inputs)

    layer = Counting()
    layer.build((2, 2))
    output, changed, losses = layer.stateless_call([inputs(2, 3)], [np.float32(4)], _X, return_losses=True)
    yield (
        "output, changed variables, losses",
        [(_X * inputs(2, 3)).tolist(), [5.0], [2.0]],
        values([output, list(changed), list(losses)]),
    )
    yield "weights afterwards", [[1.0, 1.0], 0.0], values(list(layer.weights))


def declared_shapes(keras: Any, _: Path) -> Iterator[Seen]:
    """``compute_output_shape`` says a symbolic output's shape; without it the call is traced."""
    if not is_keras_3(keras):
        return

    class Declared(keras.layers.Layer):  # type: ignore[misc]
        def compute_output_shape(self, input_shape: Any) -> Any:
            return (*input_shape[:-1], 7)

        def call(self, inputs: Any) -> Any:
            return keras.ops.repeat(inputs, 7, -1)[..., :7]

    class Several(keras.layers.Layer):  # type: ignore[misc]
        def compute_output_shape(self, first_shape: Any, second_shape: Any) -> Any:
            return {"a": first_shape, "z": (second_shape[0], 5)}

        def call(self, first: Any, second: Any) -> Any:
            return {"a": first, "z": keras.ops.repeat(second, 5, -1)[..., :5]}

    class Traced(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return keras.ops.concatenate([inputs, inputs], -1), keras.ops.sum(inputs, -1)

    x = keras.Input((4, 2), dtype="float32")
    yield "one that is declared", (None, 4, 7), tuple(Declared()(x).shape)
    declared = {name: tuple(one.shape) for name, one in Several()(x, second=keras.Input((3,))).items()}
    yield "several that are declared", {"a": (None, 4, 2), "z": (None, 5)}, declared
    yield "those of a traced call", [(None, 4, 4), (None, 4)], [tuple(one.shape) for one in Traced()(x)]
    yield "dtypes of a traced call", ["float32"] * 2, [one.dtype for one in Traced()(x)]
    for words, layer in (("a layer of its own", Traced()), ("the base class", keras.layers.Layer())):
        raised = refusal(layer.compute_output_shape, (None, 4, 2))
        yield f"what compute_output_shape of {words} raises, which has none", "NotImplementedError", raised


def configurations(keras: Any, _: Path) -> Iterator[Seen]:
    """Arguments of the constructor come back without a get_config of its own; those of the base class too."""
    if not is_keras_3(keras):
        return

    class Automatic(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, units: int, factor: float = 1.0, names: Any = ("a",), **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units, self.factor, self.names = units, factor, names

        def call(self, inputs: Any) -> Any:
            return inputs * self.factor

    class Longer(Automatic):
        def __init__(self, units: int, offset: float, **options: Any) -> None:
            super().__init__(units, **options)
            self.offset = offset

        def get_config(self) -> Any:
            return {**keras.layers.Layer.get_config(self), "units": self.units, "offset": self.offset}

    one = Automatic(3, factor=0.375, name="plain", trainable=False, dtype="float16")
    again = Automatic.from_config(one.get_config())
    yield (
        "arguments",
        [3, 0.375, "plain", False, "float16"],
        [*(again.units, again.factor, again.name, again.trainable, again.compute_dtype)],
    )
    model = keras.Sequential([keras.Input((2,)), Automatic(3, 2.0), Longer(5, offset=0.25)])
    rebuilt = keras.Sequential.from_config(
        model.get_config(), custom_objects={"Automatic": Automatic, "Longer": Longer}
    )
    yield (
        "arguments within a model",
        [3, 2.0, 5, 0.25],
        [*(rebuilt.layers[0].units, rebuilt.layers[0].factor, rebuilt.layers[1].units, rebuilt.layers[1].offset)],
    )


def names_in_configurations(keras: Any, _: Path) -> Iterator[Seen]:
    """The name comes back without a get_config, whatever the constructor calls its further arguments."""
    if not is_keras_3(keras):
        return

    class Renamed(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, units: int, **options: Any) -> None:
            super().__init__(**options)
            self.units = units

    config = Renamed(3, name="given", trainable=False).get_config()
    again = Renamed.from_config(config)
    yield "units, name and whether it is trained", [3, "given", False], [again.units, again.name, again.trainable]


def precisions(keras: Any, _: Path) -> Iterator[Seen]:
    """Floating inputs and weights are cast to the compute dtype, integers are not."""
    if not is_keras_3(keras):
        return

    class Dtypes(_scaling(keras)):  # type: ignore[misc]
        def call(self, inputs: Any, *, ids: Any = None) -> Any:
            output = super().call(inputs)
            self.seen = [dtype_name(one) for one in (inputs, ids, output)]
            return output

    long = "int64" if keeps_doubles() else "int32"
    for policy, name in (("mixed_float16", "float16"), ("float16", "float16"), ("mixed_bfloat16", "bfloat16")):
        layer = Dtypes(dtype=policy)
        layer(_X, ids=np.array([1], long))
        yield f"dtypes under {policy}", [name, long, name], layer.seen
        yield f"dtype of the weight under {policy}", "float32" if "mixed" in policy else name, layer.scale.dtype
    with dtype_policy(keras, "mixed_float16"):
        layer = Dtypes(autocast=False)
        layer(_X, ids=np.array([1], np.int32))
        yield "dtypes without autocast", ["float32", "int32"], layer.seen[:2]
    if keeps_doubles():
        layer = Dtypes(dtype="float64")
        layer(_X, ids=np.array([1], np.int32))
        yield "dtypes in double precision", ["float64", "int32", "float64"], layer.seen


def specified_inputs(keras: Any, _: Path) -> Iterator[Seen]:
    """Inputs that ``input_spec`` excludes are refused, others are taken."""
    specify = keras.layers.InputSpec

    class Specified(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, *specs: Any) -> None:
            super().__init__()
            self.input_spec = specs[0] if len(specs) == 1 else list(specs)

        def call(self, inputs: Any) -> Any:
            return inputs[0] if isinstance(inputs, list) else inputs

    for words, spec, right, wrong in (
        ("ndim", specify(ndim=2), _X, _X[0]),
        ("min_ndim", specify(min_ndim=2), _X, _X[0]),
        ("max_ndim", specify(max_ndim=2), _X, _X[None]),
        ("shape", specify(shape=(None, 2)), _X, _X[:, :1]),
        ("axes", specify(axes={-1: 2}), _X, _X[:, :1]),
    ):
        yield f"what is raised for a right {words}", "", refusal(Specified(spec), right)
        yield (
            f"what is raised for a wrong {words}",
            "ValueError",
            refusal(Specified(spec), wrong),
        )
    two = specify(ndim=2)
    yield "what is raised for too few inputs", "ValueError", refusal(Specified(two, two), [_X])


def built_once(keras: Any, _: Path) -> Iterator[Seen]:
    """Whatever is called, and however often; a layer that was built by hand is not built by its call."""

    class Counted(_scaling(keras)):  # type: ignore[misc]
        builds = 0

        def build(self, input_shape: Any) -> None:
            self.builds += 1
            super().build(input_shape)

    for way in ("call", "build", "build by name"):
        layer = Counted()
        if way == "build":
            layer.build((None, 2))
        elif way != "call":
            layer.build(input_shape=(None, 2))
        layer(_X)
        layer(keras.Input((2,)))
        layer(_X[:1])
        yield f"builds, the first by {way}", [1, 1, True], [layer.builds, len(layer.weights), layer.built]
    model = keras.Sequential([Counted(), Counted()])
    model(_X)
    model.predict(pipeline(_X), verbose=0)
    yield "builds in a model", [1, 1], [one.builds for one in model.layers]


def user_cells(keras: Any, _: Path) -> Iterator[Seen]:
    """A cell in an RNN, and layers within a TimeDistributed and a Bidirectional."""
    layers = keras.layers

    class Sum(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, width: int = 2, **options: Any) -> None:
            super().__init__(**options)
            self.width, self.state_size, self.output_size = width, width, width

        def call(self, inputs: Any, states: Any) -> Any:
            return inputs + states[0], [inputs + states[0]]

        def get_config(self) -> Any:
            return {**super().get_config(), "width": self.width}

    steps = inputs([[1, 2], [3, -4], [5, 6]])
    sums = np.cumsum(steps, 1)
    yield "sums by a cell", sums.tolist(), values(layers.RNN(Sum(), return_sequences=True)(steps))
    yield "last sum and state", [sums[:, -1].tolist()] * 2, values(list(layers.RNN(Sum(), return_state=True)(steps)))
    with keras.utils.custom_object_scope({"Sum": Sum}):
        both = layers.Bidirectional(layers.RNN(Sum()), merge_mode="sum")
    yield "sums both ways", (2 * sums[:, -1]).tolist(), values(both(steps))
    spread = layers.TimeDistributed(_scaling(keras)())
    yield "each step by a user's layer", steps.tolist(), values(spread(steps))
    yield "its weights", [(2,)], [tuple(one.shape) for one in spread.weights]


def callables(keras: Any, _: Path) -> Iterator[Seen]:
    """A user's initializer, regularizer, constraint and activation, as functions and as objects."""

    class Twos(keras.initializers.Initializer):  # type: ignore[misc]
        def __call__(self, shape: Any, dtype: Any = None, **options: Any) -> Any:
            return np.full(shape, 2, np.float32)

    class Largest(keras.regularizers.Regularizer):  # type: ignore[misc]
        def __call__(self, x: Any) -> Any:
            return x[0][0] * 8

    class Halved(keras.constraints.Constraint):  # type: ignore[misc]
        def __call__(self, w: Any) -> Any:
            return w * 0.5

    dense = keras.layers.Dense
    one = dense(1, kernel_initializer=Twos(), kernel_regularizer=Largest(), kernel_constraint=Halved())
    two = dense(1, lambda x: x * 3, bias_initializer=lambda shape, dtype=None: np.ones(shape, np.float32))
    model = keras.Sequential([keras.Input((2,)), one, two])
    two.kernel.assign([[1.0]])
    yield "output", [[21.0], [-3.0]], values(model(_X))
    yield "loss", [16.0], values(model.losses)
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.train_on_batch(_X, _X[:, :1])
    yield "kernel after a step", [[1.0], [1.0]], values(one.kernel)


def names(keras: Any, _: Path) -> Iterator[Seen]:
    """Layers without a name have that of their class, in small letters and numbered."""

    class InitcheckUserLayer(keras.layers.Layer):  # type: ignore[misc]
        pass

    first, second = InitcheckUserLayer(), InitcheckUserLayer()
    stem = "initcheck_user_layer"
    yield "a stem of the class's name", [True, True], [one.name.startswith(stem) for one in (first, second)]
    yield "whether two names differ", True, first.name != second.name
    yield "a name that is given", "given", InitcheckUserLayer(name="given").name


def masks_within(keras: Any, _: Path) -> Iterator[Seen]:
    """A layer with an argument ``mask`` has it filled, passes it on if it supports it, and may compute another."""
    if not is_keras_3(keras):
        return

    class Observing(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any, mask: Any = None) -> Any:
            self.seen = None if mask is None else values(mask)
            return inputs * 1

    class Passing(Observing):
        def __init__(self) -> None:
            super().__init__()
            self.supports_masking = True

    class Inverting(Observing):
        def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
            return keras.ops.logical_not(previous_mask)

    steps = inputs([[1], [0], [2]])
    for kind, expected in ((Passing, [[True, False, True]]), (Inverting, [[False, True, False]]), (Observing, None)):
        first, last = kind(), Observing()
        last(first(keras.layers.Masking()(steps)))
        yield (
            f"masks at a layer and after it, {kind.__name__}",
            [[[True, False, True]], expected],
            [*(first.seen, last.seen)],
        )


USER_LAYERS: Mapping[str, Row] = table(
    masks_among_arguments,
    shapes_by_name,
    nothing_among_inputs,
    derived_layers,
    paths,
    paths_of_later_weights,
    containers,
    added_losses,
    activity_losses,
    constrained_weights,
    any_arguments,
    training_passed_down,
    training_of_plain_models,
    tracked_attributes,
    deleted_variables,
    stateless_calls,
    declared_shapes,
    configurations,
    names_in_configurations,
    precisions,
    specified_inputs,
    built_once,
    user_cells,
    callables,
    names,
    masks_within,
)
