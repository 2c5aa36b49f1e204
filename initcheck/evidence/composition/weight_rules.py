"""What decides a layer's weights: variables, initializers, constraints and penalties; and numbers at their limits."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from packaging.version import Version

from initcheck.catalog.cases.formulas import FORMULAS
from initcheck.catalog.layers import select
from initcheck.catalog.layers.kind import LayerRequest
from initcheck.catalog.layers.traits.computing import LayerOptions
from initcheck.evidence.composition.promises import (
    Row,
    Seen,
    close,
    inputs,
    is_keras_3,
    normals,
    on_tensorflow,
    refusal,
    table,
    tensorflows,
    there,
    values,
)
from initcheck.evidence.made_layers import made
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor, compiled
from initcheck.frameworks.floatx import image_data_format

Array = np.ndarray[Any, Any]

_STREAM = 7
_FORMAT = "data_format"


# The classes that the first two rows judge, with the arguments that they give.
CONSTRAINTS: Mapping[str, Sequence[str]] = {
    "MaxNorm": ("max_value", "axis"),
    "UnitNorm": ("axis",),
    "MinMaxNorm": ("min_value", "max_value", "rate", "axis"),
    "NonNeg": (),
}
WINDOWS = ("side", "window", "scaling")  # of the initializer STFT
_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "@": operator.matmul,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
REGULARIZERS: Mapping[str, Sequence[str]] = {
    **{"L1": ("l1",), "L2": ("l2",), "L1L2": ("l1", "l2"), "OrthogonalRegularizer": ("factor", "mode")},
}


def constraints_by_formula(keras: Any, _: Path) -> Iterator[Seen]:
    """Lengths along one axis or several are cut, made one, or moved into a range by ``rate``."""
    kinds, w = keras.constraints, normals(_STREAM, 3, 4, 2, 5)
    w[:, 1] = 0

    def scaled(rule: Callable[[Array], Array], axis: Any) -> Array:
        axes = tuple(np.atleast_1d(axis).tolist())
        lengths = np.sqrt(np.square(w.astype(float)).sum(axis=axes, keepdims=True))
        product: Array = w * np.divide(rule(lengths), lengths, out=np.zeros_like(lengths), where=lengths > 0)
        return product

    for axis in (0, 1, -1, [0, 1, 2], [1, 2]):
        made_by: Mapping[str, tuple[Any, Callable[[Array], Array]]] = {
            "at most": (kinds.MaxNorm(1.5, axis=axis), lambda lengths: np.minimum(lengths, 1.5)),
            "one": (kinds.UnitNorm(axis=axis), np.ones_like),
            "between": (
                kinds.MinMaxNorm(1.0, 1.5, rate=0.25, axis=axis),
                lambda lengths: 0.25 * np.clip(lengths, 1.0, 1.5) + 0.75 * lengths,
            ),
        }
        for words, (constraint, rule) in made_by.items():
            yield f"whether lengths along {axis} are {words}", True, close(constraint(w), scaled(rule, axis))
    yield "whether numbers are not negative", True, close(kinds.NonNeg()(w), np.maximum(w, 0))
    for name, number in (("max_norm", 2.0), ("unit_norm", 1.0), ("min_max_norm", 1.0), ("non_neg", 0.0)):
        long = np.array([[3.0], [-4.0]], np.float32)
        length = float(np.linalg.norm(as_array(kinds.get(name)(long))))
        yield f"whether {name} is known by its name", True, abs(length - (number or 3.0)) < 1e-5


def penalties_by_formula(keras: Any, _: Path) -> Iterator[Seen]:
    """Sums of absolute values and squares, and of angles between rows or columns."""
    kinds, w = keras.regularizers, normals(_STREAM, 3, 4)
    exact = w.astype(float)
    one, two = np.abs(exact).sum(), np.square(exact).sum()

    def angles(rows: Array) -> float:
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        above = np.abs(rows @ rows.T)[np.triu_indices(len(rows), 1)]
        return float(above.mean())

    for words, penalty, expected in (
        ("L1", kinds.L1(0.25), 0.25 * one),
        ("L2", kinds.L2(0.375), 0.375 * two),
        ("L1L2", kinds.L1L2(0.25, 0.375), 0.25 * one + 0.375 * two),
        ("l1 alone", kinds.L1L2(l1=0.25), 0.25 * one),
        ("l2 alone", kinds.L1L2(l2=0.375), 0.375 * two),
        ("rows", kinds.OrthogonalRegularizer(0.375, mode="rows"), 0.375 * angles(exact)),
        ("columns", kinds.OrthogonalRegularizer(0.375, mode="columns"), 0.375 * angles(exact.T)),
        ("the name l1", kinds.get("l1"), 0.01 * one),
        ("the name l2", kinds.get("l2"), 0.01 * two),
    ):
        yield f"whether right by {words}", True, close(penalty(as_tensor(w)), expected)
    for words, make in (
        ("a negative rate", lambda: kinds.L1(-0.5)),
        ("another negative rate", lambda: kinds.L2(-0.5)),
        ("a rate that is no number", lambda: kinds.L1L2(float("nan"))),
        ("another mode", lambda: kinds.OrthogonalRegularizer(mode="axes")),
    ):
        if is_keras_3(keras):
            yield f"raised for {words}", "ValueError", refusal(make)


def both_penalties_by_name(keras: Any, _: Path) -> Iterator[Seen]:
    """A layer takes "l1_l2" as "a string identifier", with both rates 0.01."""
    w = inputs([1, -2])
    penalty = keras.regularizers.get("l1_l2")
    yield "whether both count", True, close(penalty(as_tensor(w)), 0.01 * 3 + 0.01 * 5)


def functions_as_constraints(keras: Any, _: Path) -> Iterator[Seen]:
    """As of a regularizer, any callable that takes a weight."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_constraint=lambda w: w * 0.5)])
    model.set_weights([np.ones((1, 1)), np.zeros(1)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.train_on_batch(inputs([1]), inputs([1]))
    yield "kernel after a step", [[0.5]], values(model.layers[0].kernel)


def variables(keras: Any, _: Path) -> Iterator[Seen]:
    """Made of arrays, numbers, names and functions; read, compared and assigned."""
    if not is_keras_3(keras):
        return
    make = keras.Variable
    yield "of a name", [1.0, 1.0], values(make("ones", shape=(2,)))
    yield "of a function", [3.0], values(make(lambda shape, dtype: np.full(shape, 3, dtype), shape=(1,)))
    yield "of a number", [2.5, "float32"], [values(make(2.5)), make(2.5).dtype]
    yield "of sizes of NumPy", (2, 3), tuple(make("zeros", shape=(np.int64(2), np.int32(3))).shape)
    yield "raised without a shape", "ValueError", refusal(lambda: make("ones"))
    yield "raised for an unknown size", "ValueError", refusal(lambda: make("ones", shape=(None, 2)))
    one = make(inputs(1, 2), name="one")
    copy = one.numpy()
    copy[:] = 7
    one.assign_add(inputs(1, 1))
    one.assign_sub([0.5, 0.5])
    yield "after additions", [1.5, 2.5], values(one)
    yield "raised for another shape", "ValueError", refusal(one.assign, inputs(1, 2, 3))
    whole = make(np.array([1, 2, 3]), dtype="int32")
    yield "whole numbers below 2.5", [True, True, False], values(whole < 2.5)
    yield "whole numbers from 1.5 on", [False, True, True], values(whole >= 1.5)
    yield "whole numbers that are 2.5", [False] * 3, values(whole == 2.5)
    yield "whole numbers halved", [0.5, 1.0, 1.5], values(whole / 2)
    yield "negatives, from one, squares", [[-1.5, -2.5], [-0.5, -1.5], [2.25, 6.25]], values([-one, 1 - one, one**2])
    yield "as numbers of Python", [2, 2.5], [int(make(2.0)), float(make(2.5))]
    one.trainable = False
    yield "whether it is trained", False, one.trainable


def _both_ways(action: Callable[[Any, Any], Any], other: Any) -> list[Callable[[Any], Any]]:
    """The operation with the other number behind what it is called with, and before it."""
    return [lambda one: action(one, other), lambda one: action(other, one)]


def operators_on_variables(keras: Any, _: Path) -> Iterator[Seen]:
    """Operators mean what they mean of NumPy's arrays, on both sides; of symbolic tensors, too."""
    if not is_keras_3(keras):
        return
    numbers = inputs([1, 2], [3, 5])
    variable, source = keras.Variable(numbers), keras.Input((2,), 2)
    outputs, wanted = [], []
    for sign, action in _OPERATORS.items():
        two: Any = [[0.0, 1.0], [2.0, 0.0]] if sign == "@" else 2.0  # what has such an operator itself uses that
        ways = _both_ways(action, two)
        expected = [as_array(way(numbers)).tolist() for way in ways]
        yield f"{sign} behind and before a variable", expected, values([way(variable) for way in ways])
        if sign not in ("@", "==", "!="):  # a symbolic tensor takes no list for a matrix, and equals itself alone
            outputs += [way(source) for way in ways]
            wanted += expected
    yield "those of symbolic ones", wanted, [values(one) for one in keras.Model(source, outputs)(numbers)]
    flags = keras.Variable(np.array([True, True, False, False]))
    others = np.array([True, False, True, False])
    both = [[True, False, False, False], [True, True, True, False], [False, True, True, False]]
    yield "flags", both, values([flags & others, flags | others, flags ^ others])
    yield "flags behind", both, values([others.tolist() & flags, others.tolist() | flags, others.tolist() ^ flags])
    signed = keras.Variable(inputs(-1.26, 2.34))
    yield (
        "positive, absolute, element, reverse",
        [values(signed), [1.26, 2.34], 2.34, values(signed)[::-1]],
        [values(+signed), [round(x, 2) for x in values(abs(signed))], round(float(signed[1]), 2), values(signed[::-1])],
    )
    rounded = [[-1.3, 2.3], [-1.0, 2.0]]
    yield "rounded", rounded, [[round(x, 6) for x in values(one)] for one in (round(signed, 1), round(signed))]
    source = keras.Input((2,), 1)
    output = keras.Model(source, [round(source, 1), round(source)])(inputs([-1.26, 2.34]))
    yield "symbolic ones rounded", rounded, [[round(x, 6) for x in values(one)[0]] for one in output]
    yield "whole numbers by halves", [0.5, 1.5], values(keras.Variable(np.array([1, 3])) * 0.5)
    yield "raised as a condition", "TypeError", refusal(bool, signed)
    yield "raised as a number", "TypeError", refusal(float, signed)


def notes_of_variables(keras: Any, _: Path) -> Iterator[Seen]:
    """What a variable is for strategies, its place, and how it is shown; others are refused."""
    if not is_keras_3(keras):
        return
    make = keras.Variable
    parameters = inspect.signature(make.__init__).parameters
    one = make(inputs(1, 2), name="one")
    for name, kinds in (
        ("aggregation", ("none", "mean", "sum", "only_first_replica")),
        ("synchronization", ("auto", "none", "on_read", "on_write")),
    ):
        if name not in parameters or Version(keras.__version__) < Version("3.8"):  # which averaged by default
            continue
        yield f"{name} by default", kinds[0], getattr(one, name)
        for kind in kinds:
            made = make(inputs(1, 2), **{name: kind})
            yield f"{name} of {kind}", kind, getattr(made, name)
            if on_tensorflow():
                import tensorflow as tf

                enumeration = getattr(tf, f"Variable{name.capitalize()}")
                yield f"{name} of {kind}, below", getattr(enumeration, kind.upper()), getattr(made.value, name)
        yield f"{name} of None", "none", getattr(make(inputs(1, 2), **{name: None}), name)
        yield f"raised for another {name}", "ValueError", refusal(lambda name=name: make(1.0, **{name: "first"}))
    yield "raised for a name of parts", "ValueError", refusal(lambda: make(1.0, name="one/two"))
    for size in (-1, 2.0, "2"):
        yield f"raised for a size of {size!r}", "ValueError", refusal(lambda size=size: make("ones", shape=(size,)))
    layer = keras.layers.Dense(1, name="layer")
    layer.build((None, 1))
    yield "path and name", ["layer/kernel", "kernel"], [layer.kernel.path, layer.kernel.name]
    shown: list[str] = []
    show = compiled(lambda: shown.append(repr(one)))
    if Version(keras.__version__) >= Version("3.12"):
        show()
    shown.append(repr(one))
    for text in shown:
        yield f"path and type within {text}", [True, True], ["one" in text, "float32" in text]
    if hasattr(one, "overwrite_with_gradient"):
        yield "raised for a number as a flag", "TypeError", refusal(setattr, one, "overwrite_with_gradient", 1)


def arrays_as_variables(keras: Any, _: Path) -> Iterator[Seen]:
    """A variable of an array has its dtype."""
    if not is_keras_3(keras):
        return
    for dtype in there("float16", "float32", "float64", "int32", "uint8", "bool"):
        yield f"dtype of an array of {dtype}", dtype, keras.Variable(np.ones(2, dtype)).dtype


def assigned_values(keras: Any, _: Path) -> Iterator[Seen]:
    """Assigning returns the new value, and casts it to the variable's own dtype."""
    if not is_keras_3(keras):
        return
    one = keras.Variable(inputs(1, 2))
    yield "assigned", [3.0, 4.0], values(one.assign(inputs(3, 4)))
    yield "added", [4.0, 5.0], values(one.assign_add(inputs(1, 1)))
    yield "subtracted", [3.0, 3.0], values(one.assign_sub(inputs(1, 2)))
    yield "dtype of doubles", "float32", as_array(one.assign(np.zeros(2))).dtype.name


def arrays_of_weights(keras: Any, _: Path) -> Iterator[Seen]:
    """``get_weights`` copies: who writes into them changes no layer."""
    layer = keras.layers.Dense(2, kernel_initializer="ones")
    layer.build((None, 1))
    copies = [layer.get_weights()[0], layer.kernel.numpy()]
    if is_keras_3(keras):
        copies.append(keras.ops.convert_to_numpy(layer.kernel))
    for kernel in copies:
        yield "raised as one writes", "", refusal(kernel.__setitem__, (0, 0), 7.0)
    yield "kernel", [[1.0, 1.0]], values(layer.kernel)


def arrays_as_initializers(keras: Any, _: Path) -> Iterator[Seen]:
    """Documented as "a backend tensor or numpy array": weights begin with it, in their own dtype."""
    if Version(keras.__version__) < Version("3.7"):
        return
    kernel = normals(_STREAM, 3, 2).astype(float)
    for words, given in (("array", kernel), ("tensor", keras.ops.convert_to_tensor(kernel))):
        layer = keras.layers.Dense(2, kernel_initializer=given, bias_initializer=np.array([1, 2]))
        layer.build((None, 3))
        yield f"kernel of an {words}", kernel.astype(np.float32).tolist(), values(layer.kernel)
        yield f"bias beside an {words}", [1.0, 2.0], values(layer.bias)
        yield f"dtype by an {words}", "float32", layer.kernel.dtype
        yield f"raised for another shape of an {words}", True, bool(refusal(layer.__class__.build, layer, (None, 4)))


def types_of_initializers(keras: Any, _: Path) -> Iterator[Seen]:
    """Documented as "numeric or boolean": numbers and flags of the type that is asked for."""
    kinds = keras.initializers
    for dtype in there("float16", "bfloat16", "float64", "int32", "uint8", "bool"):
        constant = [] if dtype == "bool" else [(kinds.Constant(1), 1)]
        for kind, number in ((kinds.Zeros(), 0), (kinds.Ones(), 1), *constant):
            given = as_array(kind((2,), dtype=dtype))
            yield f"{type(kind).__name__} in {dtype}", [dtype, number], [given.dtype.name, int(given[0])]
    for shape in ((2, 3), (3, 2), (1, 1)):
        yield f"identity of {shape}", (2.5 * np.eye(*shape)).tolist(), values(kinds.Identity(2.5)(shape))
    yield "raised for an identity of three axes", "ValueError", refusal(kinds.Identity(), (2, 2, 2))
    for name in ("Constant", "Zeros", "RandomNormal", "VarianceScaling", "Orthogonal", "GlorotUniform"):
        one = getattr(kinds, name)()
        again = type(one).from_config(one.get_config())
        yield f"whether a rebuilt {name} is one", True, type(again) is type(one)


def windows(keras: Any, _: Path) -> Iterator[Seen]:
    """``STFT``: cosines or sines under a window, which is scaled to length or sum one."""
    kind = getattr(keras.initializers, "STFT", None)
    if kind is None:
        return
    steps, bands = 6, 5
    times, window = np.arange(steps)[:, None, None], 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(steps) / (steps - 1))
    turns = 2 * np.pi * times * np.arange(bands) / (2 * (bands - 1))
    for side, waves in (("real", np.cos(turns)), ("imag", -np.sin(turns))):
        for scaling, scale in (("density", np.sqrt(np.square(window).sum())), ("spectrum", window.sum()), (None, 1.0)):
            kernel = kind(side, "hann", scaling)((steps, 1, bands))
            yield f"whether right, {side}, {scaling}", True, close(kernel, waves * window[:, None, None] / scale)
        yield f"whether right without a window, {side}", True, close(kind(side, None, None)((steps, 1, bands)), waves)
    for name in ("STFT", "stft", "STFTInitializer"):
        yield f"class of {name}", "STFT", type(keras.initializers.get(name)).__name__


@tensorflows("graphs that make variables")
def weights_made_in_a_graph(keras: Any, _: Path) -> Iterator[Seen]:
    """A layer that is first called within a ``tf.function`` has weights that outlive it."""
    import tensorflow as tf

    layer = keras.layers.Dense(1, kernel_initializer="ones")
    drops = keras.layers.Dropout(0.5, seed=3)
    call = tf.function(lambda x: layer(drops(x, training=False)), autograph=False)
    yield "in the first graph", [[3.0]], values(call(inputs([1, 2])))
    yield "in another graph", [[3.0], [7.0]], values(call(inputs([1, 2], [3, 4])))
    yield "outside", [[3.0]], values(layer(inputs([1, 2])))
    yield "its kernel", [[1.0], [1.0]], values(layer.get_weights()[0])


def data_formats_by_default(keras: Any, _: Path) -> Iterator[Seen]:
    """A layer that is given no data format has the global one, written down as it is made."""
    if not is_keras_3(keras):  # some of its layers are documented to have channels last
        return
    cases = {case.layer: dict(case.options) for case in reversed(select(LayerOptions))}
    cases |= {case.layer: dict(case.config) for case in reversed(FORMULAS)}
    for name, options in sorted(cases.items()):
        if not hasattr(keras.layers, name):
            continue
        options.pop(_FORMAT, None)
        with image_data_format(keras, "channels_first"):
            try:
                layer = made(keras, LayerRequest(name, options))
            except (TypeError, ValueError):  # an older one without that argument
                continue
            known = getattr(layer, _FORMAT, "channels_first")
        yield name, "channels_first", known
        if _FORMAT in (config := layer.get_config()):
            yield f"{name}, written down", "channels_first", config[_FORMAT]


def large_numbers(keras: Any, _: Path) -> Iterator[Seen]:
    """Activations of the largest numbers that half precision has are numbers, and in the input's dtype."""
    x = np.array([[-60000.0, -20.0, 0.0, 20.0, 60000.0]])
    with np.errstate(over="ignore"):
        decay, soft = np.exp(np.minimum(x, 0)), np.logaddexp(0, x)
        sure = 1 / (1 + np.exp(-x))
    exact = {
        "softmax": x == x.max(),
        "sigmoid": sure,
        "softplus": soft,
        "softsign": x / (1 + np.abs(x)),
        "silu": x * sure,
        "gelu": np.maximum(x, 0),
        "tanh": np.tanh(x),
        "elu": np.where(x > 0, x, decay - 1),
        "selu": 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (decay - 1)),
        "mish": x * np.tanh(soft),
        "log_sigmoid": -np.logaddexp(0, -x),
        "hard_sigmoid": np.clip(x / 6 + 0.5, 0, 1),
        "hard_silu": x * np.clip(x / 6 + 0.5, 0, 1),
        "relu6": np.clip(x, 0, 6),
    }
    if not is_keras_3(keras):
        return
    for name, expected in exact.items():
        if not hasattr(keras.activations, name):
            continue
        for dtype, unit in (("float32", 1e-5), ("float16", 2e-3), ("bfloat16", 2e-2)):
            output = keras.layers.Activation(name, dtype=dtype)(x.astype(np.float32))
            right = np.allclose(as_array(output).astype(float), expected, rtol=unit, atol=unit)
            yield f"{name} in {dtype}, whether right", [dtype, True], [as_array(output).dtype.name, bool(right)]


def further_activations(keras: Any, _: Path) -> Iterator[Seen]:
    """Gates along any axis, and straight lines between zero and one."""
    x = 2 * normals(_STREAM, 3, 4, 2)
    exact = x.astype(float)
    first, second = np.split(exact, 2, axis=1)
    line = np.clip((exact + 1) / 2, 0, 1)
    for words, name, options, expected in (
        ("glu along the second axis", "glu", {"axis": 1}, first / (1 + np.exp(-second))),
        ("glu", "glu", {}, exact[..., :1] / (1 + np.exp(-exact[..., 1:]))),
        ("sparse_sigmoid", "sparse_sigmoid", {}, line),
        ("sparse_plus", "sparse_plus", {}, np.where(exact > 1, exact, line**2)),
    ):
        if activation := getattr(keras.activations, name, None):
            yield f"whether {words} is right", True, close(activation(x, **options), expected)


def sparse_probabilities(keras: Any, _: Path) -> Iterator[Seen]:
    """``sparsemax``: the nearest point among probabilities, arXiv:1602.02068; they sum to one."""
    sparsemax = getattr(keras.activations, "sparsemax", None)
    if sparsemax is None:
        return

    def nearest(row: Array) -> Array:
        ordered = np.sort(row)[::-1]
        lowered = (np.cumsum(ordered) - 1) / np.arange(1, len(row) + 1)
        point: Array = np.maximum(row - lowered[np.count_nonzero(ordered > lowered) - 1], 0)
        return point

    x = 0.5 * normals(_STREAM, 3, 4, 2)
    for axis in (-1, 1):
        expected = np.apply_along_axis(nearest, axis, x.astype(float))
        yield f"whether those along {axis} are right", True, close(sparsemax(x, axis=axis), expected)


def penalties_under_policies(keras: Any, _: Path) -> Iterator[Seen]:
    """Weights and their penalties are in single precision under mixed policies, however large."""
    for policy in ("mixed_float16", "mixed_bfloat16"):
        layer = keras.layers.Dense(
            2,
            kernel_initializer=keras.initializers.Constant(300.5),
            kernel_regularizer=keras.regularizers.L2(1.0),
            kernel_constraint=keras.constraints.NonNeg(),
            dtype=policy,
        )
        layer(inputs([1, 1]))
        yield f"losses under {policy}", [4 * 300.5**2], values(list(layer.losses))
        yield f"dtype under {policy}", "float32", as_array(layer.losses[0]).dtype.name


def refused_draws(keras: Any, _: Path) -> Iterator[Seen]:
    """Numbers of a type that a law does not have, and seeds that are none."""
    if not is_keras_3(keras):
        return
    draws = keras.random
    asked: Mapping[str, Callable[[], Any]] = {
        "whole numbers of a uniform law": lambda: draws.uniform((2,), dtype="int32", seed=1),
        "whole numbers of a normal law": lambda: draws.normal((2,), dtype="int32", seed=1),
        "fractions among integers": lambda: draws.randint((2,), 0, 5, dtype="float32", seed=1),
        "a text as a seed": lambda: draws.normal((2,), seed="one"),
        "a fraction as a seed": lambda: draws.normal((2,), seed=0.5),
        "a fraction as a generator's seed": lambda: draws.SeedGenerator(0.5),
        "logits of one axis": lambda: draws.categorical(inputs(1, 2), 3, seed=1),
    }
    for words, call in asked.items():
        yield f"whether {words} raise", True, refusal(call) in ("ValueError", "TypeError", "NotImplementedError")


def infinite_numbers(keras: Any, _: Path) -> Iterator[Seen]:
    """What is cut off or masked does not count, whatever it is."""
    layers, infinite, none = keras.layers, float("inf"), float("nan")
    x = inputs(-infinite, -1, 0.5, 2)
    yield "cut below a threshold", [0.0, 0.0, 0.0, 2.0], values(layers.ReLU(threshold=1.0)(x))
    yield "not negative", [0.0, 0.0, 0.5, 2.0], values(keras.constraints.NonNeg()(x))
    steps, seen = inputs([[1], [none], [3]]), np.array([[True, False, True]])
    yield "mean of seen steps", [[2.0]], values(layers.GlobalAveragePooling1D()(steps, mask=seen))
    yield "masked", [[[1.0], [0.0]]], values(layers.Masking(mask_value=infinite)(inputs([[1], [infinite]])))
    for kind in (layers.LSTM, layers.GRU, layers.SimpleRNN):
        output = kind(2)(steps, mask=seen)
        yield f"whether a number by {kind.__name__}", True, bool(np.isfinite(as_array(output)).all())


def masks_of_numbers(keras: Any, _: Path) -> Iterator[Seen]:
    """A recurrent layer's mask is "binary", of flags or of zeros and ones."""
    steps, seen = normals(_STREAM, 2, 4, 3), np.array([[1, 0, 1, 1], [0, 1, 1, 0]])
    for kind in (keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN):
        layer = kind(2)
        expected = layer(steps, mask=seen.astype(bool))
        for dtype in ("int32", "float32"):
            yield (
                f"whether {kind.__name__} takes {dtype}",
                True,
                close(layer(steps, mask=seen.astype(dtype)), expected),
            )


def equal_numbers(keras: Any, _: Path) -> Iterator[Seen]:
    """The variance of equal numbers is zero, however it is rounded: none of them is normalized to NaN."""
    names = dict.fromkeys(case.layer for case in FORMULAS if case.loud)
    for name in names:
        kind = getattr(keras.layers, name, None)
        if kind is None:
            continue
        for words, x in (
            ("rows", np.linspace(1000, 2000, 64, dtype=np.float32)[:, None] * np.ones((1, 6), np.float32)),
            ("columns", np.ones((6, 1), np.float32) * np.linspace(1000, 2000, 64, dtype=np.float32)),
            ("zeros", np.zeros((2, 64), np.float32)),
        ):
            layer = kind(**({"groups": 2} if "groups" in inspect.signature(kind).parameters else {}))
            trained = "training" in inspect.signature(layer.call).parameters
            output = layer(x, training=True) if trained else layer(x)
            yield f"whether {name} of equal {words} is a number", True, bool(np.isfinite(as_array(output)).all())


def large_angles(keras: Any, _: Path) -> Iterator[Seen]:
    """The "cosine proximity" of two vectors in half precision, however long they are."""
    for dtype in ("float32", "mixed_bfloat16", "mixed_float16"):
        x = inputs([3000, 4000])
        angle = as_array(keras.layers.Dot(axes=1, normalize=True, dtype=dtype)([x, x])).astype(float)
        yield f"whether that of equal ones is one in {dtype}", True, bool(abs(angle[0, 0] - 1) < 0.02)


def extreme_rates(keras: Any, _: Path) -> Iterator[Seen]:
    """Everything is dropped at a rate of one, nothing at zero."""
    x = normals(_STREAM, 2, 3, 4)
    layers = keras.layers
    for kind in (layers.Dropout, layers.SpatialDropout1D):
        yield f"{kind.__name__} of all", np.zeros(x.shape).tolist(), values(kind(1.0)(x, training=True))
        yield f"{kind.__name__} of nothing", x.tolist(), values(kind(0.0)(x, training=True))
    for kind in (layers.GaussianDropout, layers.AlphaDropout, layers.GaussianNoise):
        yield f"{kind.__name__} of nothing", x.tolist(), values(kind(0.0)(x, training=True))


def flat_crops(keras: Any, _: Path) -> Iterator[Seen]:
    """A crop to another aspect ratio keeps one pixel at least."""
    for shape, size in (((2, 3, 12, 1), (9, 1)), ((2, 12, 3, 1), (1, 9)), ((2, 3, 2, 1), (1, 9))):
        output = keras.layers.Resizing(*size, crop_to_aspect_ratio=True)(np.full(shape, 5.0, np.float32))
        yield f"{shape} to {size}", np.full((2, *size, 1), 5.0).tolist(), values(output)


def colours_needed(keras: Any, _: Path) -> Iterator[Seen]:
    """Images of four channels have no grey ones."""
    endings = ("Degeneration", "Grayscale", "Saturation", "Hue")
    for name in filter(lambda name: name.endswith(endings), dir(keras.layers)):
        layer = getattr(keras.layers, name)(0.5)
        error = refusal(lambda layer=layer: layer(np.ones((2, 4, 4, 4), np.float32), training=True))
        yield f"whether {name} raises", True, bool(error)


def symbolic_activations(keras: Any, _: Path) -> Iterator[Seen]:
    """Activations announce the shapes that they compute, and refuse axes that there are not."""
    if not is_keras_3(keras):
        return
    activations, tensor = keras.activations, keras.KerasTensor((2, 4))
    known = [one for one in ("glu", "softmax", "log_softmax") if hasattr(activations, one)]
    for name in known:
        activation = getattr(activations, name)
        yield f"shape of {name}", tuple(activation(np.ones((2, 4), np.float32)).shape), tuple(activation(tensor).shape)
    for name in ("softmax", "log_softmax"):
        yield f"raised by {name}", "ValueError", refusal(lambda name=name: getattr(activations, name)(tensor, axis=5))


def masked_numbers(keras: Any, _: Path) -> Iterator[Seen]:
    """A masked step does not count, even if it is infinite or no number."""
    if not is_keras_3(keras):
        return
    layers = keras.layers
    for number in (np.nan, np.inf):
        x, mask = inputs([[1], [3], [number]]), np.array([[True, True, False]])
        yield f"mean beside {number}", [[2.0]], values(layers.GlobalAveragePooling1D()(x, mask=mask))
        normalized = layers.BatchNormalization(epsilon=0.0)(x, training=True, mask=mask)
        yield f"normalized beside {number}", [[-1.0], [1.0]], np.round(as_array(normalized)[0, :2], 5).tolist()
    masked = layers.Masking(mask_value=np.inf)(np.full((1, 2, 2), np.inf, np.float32))
    yield "what is masked", [[[0.0, 0.0], [0.0, 0.0]]], values(masked)


def rows_of_draws(keras: Any, _: Path) -> Iterator[Seen]:
    """Rows of logits draw by themselves; a dropout with ``noise_shape`` drops whole columns."""
    if not is_keras_3(keras):
        return
    drawn = as_array(keras.random.categorical(as_tensor(np.zeros((2, 50), np.float32)), 100, seed=3))
    yield "whether two rows draw the same", False, bool((drawn[0] == drawn[1]).all())
    ones = as_tensor(np.ones((4, 200), np.float32))
    dropped = as_array(keras.random.dropout(ones, 0.5, noise_shape=(1, 200), seed=3))
    yield "whether rows share what is dropped", True, bool((dropped == dropped[:1]).all())
    yield "whether some columns are dropped", [0.0, 2.0], sorted(set(dropped[0].tolist()))
    for dtype in ("float16", "bfloat16"):
        layer = keras.layers.Dropout(0.1, dtype=dtype, seed=3)
        share = float(np.mean(as_array(layer(np.ones((300, 300), np.float32), training=True)).astype(float) == 0))
        yield f"whether a tenth is dropped of {dtype}, within ten standard deviations", True, abs(share - 0.1) < 0.01


WEIGHT_RULES: Mapping[str, Row] = table(
    constraints_by_formula,
    penalties_by_formula,
    both_penalties_by_name,
    functions_as_constraints,
    variables,
    operators_on_variables,
    notes_of_variables,
    arrays_as_variables,
    assigned_values,
    arrays_of_weights,
    arrays_as_initializers,
    types_of_initializers,
    windows,
    weights_made_in_a_graph,
    data_formats_by_default,
    large_numbers,
    further_activations,
    sparse_probabilities,
    penalties_under_policies,
    refused_draws,
    infinite_numbers,
    masks_of_numbers,
    equal_numbers,
    large_angles,
    extreme_rates,
    flat_crops,
    colours_needed,
    symbolic_activations,
    masked_numbers,
    rows_of_draws,
)
