"""What the checks of arithmetic are applied to: losses, networks, optimizers, tiny trainings, metrics, schedules."""

from __future__ import annotations

from typing import Any

import numpy as np

from initcheck.catalog.oracle import Net
from initcheck.catalog.tasks import Task
from initcheck.catalog.update_rules import Rule, Schedule
from initcheck.checks.cases import draw_cases

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
RULES = (
    Rule("SGD"),
    Rule("SGD", {"learning_rate": 0.3}),
    Rule("SGD", {"momentum": 0.9}),
    Rule("SGD", {"learning_rate": 0.05, "momentum": 0.7, "nesterov": True}),
    Rule("SGD", {"clipnorm": 0.5}),
    Rule("SGD", {"clipvalue": 0.05}),
    Rule("SGD", {"global_clipnorm": 0.5}),
    Rule("SGD", {"weight_decay": 0.1}),
    Rule("SGD", {"learning_rate": _DECAY}),
    Rule("RMSprop"),
    Rule("RMSprop", {"learning_rate": 0.01, "rho": 0.8, "epsilon": 1e-4}),
    Rule("RMSprop", {"momentum": 0.5}),
    Rule("RMSprop", {"centered": True}),
    Rule("RMSprop", {"rho": 0.95, "momentum": 0.9, "centered": True, "epsilon": 1e-3}),
    Rule("Adam"),
    Rule("Adam", {"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}),
    Rule("Adam", {"amsgrad": True, "beta_2": 0.7}),
    Rule("Adam", {"weight_decay": 0.02}),
    Rule("Adam", {"learning_rate": _DECAY, "clipnorm": 1.0}),
    Rule("AdamW"),
    Rule("AdamW", {"learning_rate": 0.5}),  # at the default rate, the default decay drowns in the rounding of a weight
    Rule("AdamW", {"weight_decay": 0.1, "beta_1": 0.85}),
    Rule("Adamax"),
    Rule("Adamax", {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-4}),
    Rule("Adagrad"),
    Rule("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.01, "epsilon": 1e-4}),
    Rule("Adadelta"),
    Rule("Adadelta", {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-4}),
)
STEPS = 12

_XOR = Net(2, (4, 1), ("tanh", "sigmoid"))
_IRIS = Net(4, (5, 3), ("relu", "softmax"))
_LINE = Net(3, (6, 4, 2), ("sigmoid", "tanh", "linear"))
TASKS = (
    Task("sgd-binary", _XOR, "binary_crossentropy", Rule("SGD", {"learning_rate": 0.5}), epochs=3, graph=True),
    Task("rmsprop-sparse", _IRIS, "sparse_categorical_crossentropy", Rule("RMSprop"), 24, graph=True),
    Task("adam-categorical", _IRIS, "categorical_crossentropy", Rule("Adam"), graph=True, dataset=True),
    Task("momentum-weighted", _XOR, "binary_crossentropy", Rule("SGD", {"momentum": 0.9}), weighted=True, graph=True),
    Task("nesterov-squares", _LINE, "mean_squared_error", Rule("SGD", {"momentum": 0.9, "nesterov": True})),
    Task("rmsprop-binary", _XOR, "binary_crossentropy", Rule("RMSprop", {"momentum": 0.5, "centered": True})),
    Task("adam-weighted", _IRIS, "sparse_categorical_crossentropy", Rule("Adam"), weighted=True, batch=5),
    Task("adamw-squares", _LINE, "mean_squared_error", Rule("AdamW", {"learning_rate": 0.01}), dataset=True),
    Task("adagrad-absolute", _LINE, "mean_absolute_error", Rule("Adagrad", {"learning_rate": 0.05}), 24, 6),
    Task("clipped-categorical", _IRIS, "categorical_crossentropy", Rule("SGD", {"clipnorm": 0.1}), batch=9),
)

_Y2 = np.array([[1.0], [0.0], [1.0], [0.0], [1.0], [0.0], [1.0]], np.float32)
_P2 = np.array([[0.5], [0.5], [0.50000006], [0.49999997], [0.9], [0.7], [0.2]], np.float32)
_Y3 = np.array([0, 1, 2, 2, 0], np.int32)
_P3 = np.array([[0.4, 0.4, 0.2], [0.4, 0.4, 0.2], [0.1, 0.3, 0.6], [0.3, 0.4, 0.3], [0.2, 0.5, 0.3]], np.float32)
_HOT = np.eye(3, dtype=np.float32)
_SHARE = np.array([2.0, 1.0, 0.5, 0.0, 4.0, 1.0, 3.0], np.float32)
# Name, arguments, batches, and the right rows (or their weight) and rows (or their weight) after each batch, by hand:
# ½ is not above ½; of equal outputs the first is the largest.
METRICS: tuple[tuple[str, dict[str, Any], list[tuple[Any, ...]], list[tuple[float, float]]], ...] = (
    ("BinaryAccuracy", {}, [(_Y2, _P2), (_Y2[:3], _P2[2:5])], [(4, 7), (7, 10)]),
    ("BinaryAccuracy", {"threshold": 0.75}, [(_Y2, _P2), (_Y2[:2], _P2[:2])], [(4, 7), (5, 9)]),
    ("BinaryAccuracy", {}, [(_Y2, _P2, _SHARE)], [(5.5, 11.5)]),
    ("SparseCategoricalAccuracy", {}, [(_Y3, _P3), (_Y3[:1], _P3[:1])], [(2, 5), (3, 6)]),
    ("SparseCategoricalAccuracy", {}, [(_Y3, _P3, _SHARE[:5])], [(2.5, 7.5)]),
    ("CategoricalAccuracy", {}, [(_HOT[_Y3], _P3), (_HOT[_Y3[1:]], _P3[1:])], [(2, 5), (3, 9)]),
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
    Schedule("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "alpha": 0.05}),
)


def output_for(loss: str) -> str:
    """The output activation that gives the loss what it takes."""
    if loss.startswith("mean") or loss.endswith("_logits"):
        return "linear"
    return "sigmoid" if loss.startswith("binary") else "softmax"


def drawn_nets(hidden: str, loss: str, output: str) -> list[tuple[Net, int]]:
    """Networks with a number of rows, as Hypothesis draws them: depths, widths, rows."""
    from hypothesis import strategies as st

    least, most = (2, 4) if "categorical" in loss or output == "softmax" else (1, 1) if "binary" in loss else (1, 3)
    drawn = st.tuples(
        st.integers(1, 5),
        st.lists(st.integers(1, 7), min_size=1, max_size=2),
        st.integers(least, most),
        st.integers(1, 9),
    )
    return [
        (Net(inputs, (*widths, outputs), (*[hidden] * len(widths), output)), rows)
        for inputs, widths, outputs, rows in draw_cases(drawn, _NETS_PER_PAIR, f"nets {hidden} {loss} {output}")
    ]


def gradients_for(seed: int) -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
    """A kernel of zeros, which shows the smallest step, an ordinary bias, and gradients of many sizes for both."""
    stream = np.random.RandomState(seed % 2**32)
    shapes = ((4, 6), (6,))
    sizes = [10.0 ** stream.uniform(-6, 0.5, size=shape) for shape in shapes]
    slopes = [[(size * stream.normal(size=size.shape)).astype(np.float32) for size in sizes] for _ in range(STEPS)]
    return [np.zeros(shapes[0], np.float32), stream.normal(size=shapes[1]).astype(np.float32)], slopes
