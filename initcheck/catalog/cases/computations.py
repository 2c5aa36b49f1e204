"""The cases for the checks of arithmetic: losses, networks, optimizers, tiny trainings, metrics, schedules."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from initcheck.catalog import optimizers
from initcheck.catalog.cases.drawn import CaseStream, draw_cases
from initcheck.catalog.optimizers import MOMENTA, OPTIMIZERS, Rule
from initcheck.catalog.recipes import Task
from initcheck.oracle.networks import DenseNetwork
from initcheck.oracle.optimizer_steps import Schedule

LOSSES = (
    "mean_squared_error",
    "mean_absolute_error",
    "binary_crossentropy",
    "binary_crossentropy_logits",
    "categorical_crossentropy",
    "categorical_crossentropy_logits",
    "sparse_categorical_crossentropy",
    "sparse_categorical_crossentropy_logits",
)

PAIRS = (
    ("tanh", "mean_squared_error", "linear"),
    ("elu", "mean_absolute_error", "linear"),
    ("sigmoid", "binary_crossentropy", "sigmoid"),
    ("relu", "binary_crossentropy_logits", "linear"),
    ("relu", "categorical_crossentropy", "softmax"),
    ("softplus", "categorical_crossentropy_logits", "linear"),
    ("tanh", "sparse_categorical_crossentropy", "softmax"),
    ("selu", "sparse_categorical_crossentropy_logits", "linear"),
    ("softsign", "mean_squared_error", "sigmoid"),
    ("swish", "mean_squared_error", "tanh"),
    ("exponential", "mean_squared_error", "softmax"),
)
_NETS_PER_PAIR = 3

_DECAY = Schedule("ExponentialDecay", {"initial_learning_rate": 0.05, "decay_steps": 3, "decay_rate": 0.6})
_RATE = {"initial_learning_rate": 0.1, "decay_steps": 4}
_CLIPS = ({"clipnorm": 0.5}, {"clipvalue": 0.05}, {"global_clipnorm": 0.5})
_LATE = 10_000  # steps, as in the middle of a training
_JUDGED = tuple(row for row in OPTIMIZERS if row.formula)
# By identifier: those whose defaults are equal in every version.
NAMED_OPTIMIZERS = {row.identifier: row for row in _JUDGED if not row.version_defaults}
_DEFAULT_RULES = tuple(Rule(row, {name: row.defaults[name] for name in row.version_defaults}) for row in _JUDGED)
# Steps of small gradients depend on epsilon: tested with the default, and with a large one.
_LARGE_EPSILON = {row: {"epsilon": 1e-4} if "epsilon" in row.defaults else {} for row in _JUDGED}
RULES = (
    *_DEFAULT_RULES,
    *(Rule(row, options) for row in _JUDGED for options in row.options),
    *(Rule(row, epsilon) for row, epsilon in _LARGE_EPSILON.items() if epsilon),
    # A changing rate tests all state of an optimizer, and a graph that is traced at the first step.
    *(Rule(row, {"learning_rate": _DECAY}, graph=row.stateful) for row in _JUDGED),
    *(Rule(optimizers.SGD, {"learning_rate": _DECAY, **momentum}) for momentum in MOMENTA),
    Rule(optimizers.SGD, {"learning_rate": _DECAY, **MOMENTA[1], "weight_decay": 0.1, "clipnorm": 1.0}),
    Rule(optimizers.RMSPROP, {"learning_rate": _DECAY, "momentum": 0.9, "centered": True, "weight_decay": 0.1}),
    Rule(optimizers.ADAM, {"learning_rate": _DECAY, "amsgrad": True, "weight_decay": 0.1, "clipnorm": 1.0}),
    *(Rule(row, {**_LARGE_EPSILON[row], **clip}) for row in _JUDGED if row.every_clip for clip in _CLIPS),
    Rule(optimizers.SGD, {"weight_decay": 0.1}),
    *(Rule(row, row.exact, dtype="float64") for row in _JUDGED if row.exact is not None),
    # Optimizers that count their steps, and stateless ones, for which no step differs from the first.
    *(Rule(row, start=_LATE) for row in _JUDGED if row.counts_steps or not row.stateful),
    Rule(optimizers.ADAM, {"amsgrad": True, "beta_1": 0.99999, "beta_2": 0.99999}, start=_LATE),
    Rule(
        optimizers.RMSPROP,
        {"learning_rate": Schedule("InverseTimeDecay", {**_RATE, "decay_rate": 0.5})},
        start=_LATE,
    ),
)
LOOKUP_RULES = (
    *(Rule(rule.optimizer, {**rule.config, **rule.optimizer.looked_up}) for rule in _DEFAULT_RULES),
    *(Rule(optimizers.SGD, {"learning_rate": 0.1, **momentum}) for momentum in MOMENTA),
    Rule(optimizers.RMSPROP, {"momentum": 0.5, "centered": True}),
    Rule(optimizers.ADAM, {"amsgrad": True, "beta_2": 0.7}),
    Rule(optimizers.SGD, {"clipvalue": 0.5}),
)
# Frequency of lookups → the indices of a batch; never row 4.
LOOKUPS = {"once": (0, 1, 2, 3, 5, 6), "repeated": (1, 1, 1, 2, 2, 3, 5, 5)}
STEPS = 9

# Name of a loss or metric → the loss whose targets and outputs it takes, and the number of outputs.
NAMED = {
    "mse": ("mean_squared_error", 3),
    "mean_squared_error": ("mean_squared_error", 3),
    "mae": ("mean_absolute_error", 3),
    "mean_absolute_error": ("mean_absolute_error", 3),
    "binary_crossentropy": ("binary_crossentropy", 3),
    "categorical_crossentropy": ("categorical_crossentropy", 4),
    "sparse_categorical_crossentropy": ("sparse_categorical_crossentropy", 4),
    "binary_accuracy": ("binary_crossentropy", 3),
    "categorical_accuracy": ("categorical_crossentropy", 4),
    "sparse_categorical_accuracy": ("sparse_categorical_crossentropy", 4),
}

_XOR = DenseNetwork(2, (4, 1), ("tanh", "sigmoid"))
_IRIS = DenseNetwork(4, (5, 3), ("relu", "softmax"))
_LINE = DenseNetwork(3, (6, 4, 2), ("sigmoid", "tanh", "linear"))
_FLAGS = DenseNetwork(3, (4, 3), ("tanh", "sigmoid"))
_CURVE = DenseNetwork(2, (4, 1), ("tanh", "linear"))
_NESTEROV = Rule(optimizers.SGD, {"learning_rate": _DECAY, "momentum": 0.9, "nesterov": True})
_CENTERED = Rule(optimizers.RMSPROP, {"momentum": 0.5, "centered": True})
_ADAGRAD = Rule(optimizers.ADAGRAD, {"learning_rate": 0.05})
_CLIPPED = Rule(optimizers.SGD, {"clipnorm": 0.1})
TASKS = (
    Task("sgd-binary", _XOR, "binary_crossentropy", Rule(optimizers.SGD, {"learning_rate": 0.5}), epochs=3, graph=True),
    Task("rmsprop-sparse", _IRIS, "sparse_categorical_crossentropy", Rule(optimizers.RMSPROP), 24, graph=True),
    Task("adam-categorical", _IRIS, "categorical_crossentropy", Rule(optimizers.ADAM), graph=True, dataset=True),
    Task(
        "momentum-weighted",
        _XOR,
        "binary_crossentropy",
        Rule(optimizers.SGD, {"momentum": 0.9}),
        weighted=True,
        graph=True,
    ),
    # A last batch of one row; targets of shape (n,) for outputs of shape (n, 1).
    Task("nesterov-squares", _CURVE, "mean_squared_error", _NESTEROV, 17, weighted=True, reshaped=True, graph=True),
    Task("rmsprop-binary", _XOR, "binary_crossentropy", _CENTERED, class_weights=(0.5, 3.0), reshaped=True, graph=True),
    Task(
        "adam-weighted",
        _IRIS,
        "sparse_categorical_crossentropy",
        Rule(optimizers.ADAM),
        batch=5,
        weighted=True,
        reshaped=True,
    ),
    Task(
        "adamw-squares",
        _LINE,
        "mean_squared_error",
        Rule(optimizers.ADAMW, {"learning_rate": 0.01}),
        dataset=True,
        graph=True,
    ),
    Task("adagrad-absolute", _LINE, "mean_absolute_error", _ADAGRAD, 24, 6, weighted=True),
    Task(
        "clipped-categorical",
        _IRIS,
        "categorical_crossentropy",
        _CLIPPED,
        24,
        class_weights=(0.25, 1.0, 4.0),
        dataset=True,
        graph=True,
    ),
    Task("flags-by-name", _FLAGS, "binary_crossentropy", Rule(optimizers.ADAM), by_name=True),
)

_Y2 = np.array([[1.0], [0.0], [1.0], [0.0], [1.0], [0.0], [1.0]], np.float32)
_P2 = np.array([[0.5], [0.5], [0.50000006], [0.49999997], [0.9], [0.7], [0.2]], np.float32)
_Y3 = np.array([0, 1, 2, 2, 0], np.int32)
_P3 = np.array([[0.4, 0.4, 0.2], [0.4, 0.4, 0.2], [0.1, 0.3, 0.6], [0.3, 0.4, 0.3], [0.2, 0.5, 0.3]], np.float32)
_P3_SPREAD = np.array(
    [[0.4, 0.35, 0.25], [0.4, 0.1, 0.5], [0.1, 0.3, 0.6], [0.35, 0.25, 0.4], [0.3, 0.5, 0.2]], np.float32
)
_HOT = np.eye(3, dtype=np.float32)
_SHARE = np.array([2.0, 1.0, 0.5, 0.0, 4.0, 1.0, 3.0], np.float32)
_Y22 = np.array([[1, 0], [1, 1], [0, 0], [0, 1]], np.float32)
_P22 = np.array([[0.9, 0.1], [0.9, 0.2], [0.7, 0.8], [0.1, 0.6]], np.float32)  # 2, 1, 0 and 2 correct of 2
# Name, arguments, batches, and after each batch the correct rows and all rows (or their weights), by hand:
# ½ is not above ½; of equal outputs the first is the largest.
METRICS: tuple[tuple[str, dict[str, Any], list[tuple[Any, ...]], list[tuple[float, float]]], ...] = (
    ("BinaryAccuracy", {}, [(_Y2, _P2), (_Y2[:3], _P2[2:5])], [(4, 7), (7, 10)]),
    ("BinaryAccuracy", {"threshold": 0.75}, [(_Y2, _P2), (_Y2[:2], _P2[:2])], [(4, 7), (5, 9)]),
    ("BinaryAccuracy", {}, [(_Y2, _P2, _SHARE)], [(5.5, 11.5)]),
    ("BinaryAccuracy", {}, [(_Y2[:, 0], _P2), (_Y2[:3, 0], _P2[2:5])], [(4, 7), (7, 10)]),
    ("BinaryAccuracy", {}, [(_Y22, _P22), (_Y22[1:], _P22[1:])], [(2.5, 4), (4, 7)]),
    ("BinaryAccuracy", {}, [(_Y22, _P22, _SHARE[:4])], [(2.5, 3.5)]),
    ("SparseCategoricalAccuracy", {}, [(_Y3, _P3), (_Y3[:1], _P3[:1])], [(2, 5), (3, 6)]),
    ("SparseCategoricalAccuracy", {}, [(_Y3, _P3, _SHARE[:5])], [(2.5, 7.5)]),
    ("SparseCategoricalAccuracy", {}, [(_Y3[:, None], _P3), (_Y3[:1, None], _P3[:1])], [(2, 5), (3, 6)]),
    ("SparseCategoricalAccuracy", {}, [(_Y3[:, None], _P3, _SHARE[:5])], [(2.5, 7.5)]),
    ("CategoricalAccuracy", {}, [(_HOT[_Y3], _P3, _SHARE[:5])], [(2.5, 7.5)]),
    ("CategoricalAccuracy", {}, [(_HOT[_Y3], _P3), (_HOT[_Y3[1:]], _P3[1:])], [(2, 5), (3, 9)]),
    # The label is among the two largest in all rows but the second, and in both of the second batch.
    ("SparseTopKCategoricalAccuracy", {"k": 2}, [(_Y3, _P3_SPREAD), (_Y3[:2], _P3_SPREAD[1:3])], [(4, 5), (6, 7)]),
    ("TopKCategoricalAccuracy", {"k": 2}, [(_HOT[_Y3], _P3_SPREAD)], [(4, 5)]),
    ("Accuracy", {}, [(_Y3, np.array([0, 2, 2, 2, 1], np.int32))], [(3, 5)]),
    (
        "Mean",
        {},
        [(_P2[:, 0],), (_SHARE,)],
        [(float(_P2.astype(float).sum()), 7), (float(_P2.astype(float).sum()) + 11.5, 14)],
    ),
)

SCHEDULES = (
    _DECAY,
    Schedule(
        "ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.5, "staircase": True}
    ),
    Schedule("PiecewiseConstantDecay", {"boundaries": [3, 8], "values": [0.1, 0.05, 0.001]}),
    Schedule("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.5}),
    Schedule(
        "PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "end_learning_rate": 0.01, "power": 2.0}
    ),
    Schedule("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 5, "cycle": True}),
    Schedule("PolynomialDecay", {**_RATE}),
    Schedule("InverseTimeDecay", {**_RATE, "decay_rate": 0.5, "staircase": True}),
    Schedule("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "alpha": 0.05}),
    Schedule("CosineDecay", {**_RATE}),
    Schedule("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 50_000}),
    Schedule("CosineDecay", {**_RATE, "warmup_target": 0.4, "warmup_steps": 5, "alpha": 0.1}),
    Schedule("CosineDecay", {"initial_learning_rate": 0.0, "decay_steps": 6, "warmup_target": 0.2, "warmup_steps": 3}),
    Schedule("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 5}),
    Schedule(
        "CosineDecayRestarts",
        {"initial_learning_rate": 0.1, "first_decay_steps": 4, "t_mul": 1.0, "m_mul": 0.5, "alpha": 0.1},
    ),
)


def output_for(loss: str) -> str:
    """The output activation that the loss requires."""
    if loss.startswith("mean") or loss.endswith("_logits"):
        return "linear"
    return "sigmoid" if loss.startswith("binary") else "softmax"


def drawn_nets(hidden: str, loss: str, output: str) -> list[tuple[DenseNetwork, int]]:
    """Drawn networks, each with a number of rows."""
    least, most = (2, 4) if "categorical" in loss or output == "softmax" else (1, 3)

    def make(stream: CaseStream) -> tuple[int, tuple[int, ...], int, int]:
        widths = stream.integers(1, 7, most=2)
        return stream.integer(1, 5), widths, stream.integer(least, most), stream.integer(1, 9)

    return [
        (DenseNetwork(inputs, (*widths, outputs), (*[hidden] * len(widths), output)), rows)
        for inputs, widths, outputs, rows in draw_cases(make, _NETS_PER_PAIR, f"nets {hidden} {loss} {output}")
    ]


def gradients_for(seed: int, dtype: str = "float32") -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
    """A kernel of zeros, where the smallest step shows, an ordinary bias, and gradients of many sizes for both.

    The kernel has one of each size: so small that epsilon matters, and so large that a hidden limit would show. The
    fifth gradients are all zero.
    """
    stream = np.random.RandomState(seed % 2**32)
    shapes = ((4, 6), (6,))
    sizes = [10.0 ** stream.permutation(np.linspace(-9, 3.5, math.prod(shape))).reshape(shape) for shape in shapes]
    gradients = [
        [(size * stream.normal(size=size.shape) * (step != 4)).astype(dtype) for size in sizes] for step in range(STEPS)
    ]
    return [np.zeros(shapes[0], dtype), stream.normal(size=shapes[1]).astype(dtype)], gradients


def lookups_for(indices: tuple[int, ...], seed: int) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """A table, and steps that look up those rows in some order, two at a time, with a gradient for each value."""
    stream = np.random.RandomState(seed % 2**32)
    steps = []
    for _ in range(4):
        order = stream.permutation(indices).reshape(-1, 2).astype(np.int32)
        steps.append((order, stream.normal(size=(*order.shape, 3)).astype(np.float32)))
    return stream.normal(size=(7, 3)).astype(np.float32), steps
