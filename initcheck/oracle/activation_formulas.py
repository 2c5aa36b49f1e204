"""The activations of Keras with their options, written from https://keras.io/api/layers/activations/.

Those of ``oracle.networks`` have gradients as well; these are compared with their outputs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import special

from initcheck.oracle.activation_options import exponential_linear, leaky, rectified
from initcheck.oracle.arranging import moved
from initcheck.oracle.networks import ACTIVATIONS, activate, sigmoid

Array = Any


@dataclass(frozen=True)
class ActivationCase:
    """An activation with options.

    Attributes:
        name: Of the function in ``keras.activations``.
        formula: The output, with the options as keyword arguments.
        options: The arguments that are not its defaults.
        columns: Of its input; the rows fill them.
        dtypes: Those that it is tested in; float64 needs options that float32 stores exactly.
        since: The version of Keras that documents the formula first.
    """

    name: str
    formula: Callable[..., Array]
    options: Mapping[str, Any] = field(default_factory=dict)
    columns: int = 5
    dtypes: tuple[str, ...] = ("float32", "float64")
    since: str = "2"

    def __str__(self) -> str:
        shown = ",".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.name}({shown})" if shown else self.name


def _clipped(x: Array, low: float, high: float) -> Array:
    return np.minimum(np.maximum(x, low), high)


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.absolute(x)))


def _continuous_elu(x: Array, alpha: float = 1.0) -> Array:
    """max(x, 0) + α·(exp(min(x, 0)/α) − 1)."""
    return np.maximum(x, 0.0) + alpha * (np.exp(np.minimum(x, 0.0) / alpha) - 1.0)


def _gelu(x: Array, approximate: bool = False) -> Array:
    """x·Φ(x); approximately by tanh. Hendrycks & Gimpel 2016, https://arxiv.org/abs/1606.08415."""
    if approximate:
        return 0.5 * x * (1.0 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1.0 + special.erf(x / np.sqrt(2.0)))


def _gated(x: Array) -> Array:
    """The first half of the columns times the sigmoid of the second."""
    half = x.shape[-1] // 2
    return x[..., :half] * sigmoid(x[..., half:])


def _log_softmax(x: Array) -> Array:
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _sparsemax(x: Array) -> Array:
    """The nearest point of the simplex. Martins & Astudillo 2016, https://arxiv.org/abs/1602.02068, algorithm 1."""
    descending = -np.sort(-x.value, axis=-1)
    ranks = np.arange(1, x.shape[-1] + 1)
    count = (1 + ranks * descending > np.cumsum(descending, axis=-1)).sum(axis=-1, keepdims=True)
    least = np.take_along_axis(descending, count - 1, axis=-1)
    kept = moved(x, lambda values: np.where(x.value >= least, values, 0.0))
    threshold = (kept.sum(axis=-1, keepdims=True) - 1.0) / count.astype(float)
    return np.maximum(x - threshold, 0.0)


def _hard_sigmoid(x: Array) -> Array:
    return _clipped(x + 3.0, 0.0, 6.0) / 6.0


def _squareplus(x: Array, b: float = 4.0) -> Array:
    return (x + np.sqrt(x * x + b)) / 2.0


def _hard_shrink(x: Array, threshold: float = 0.5) -> Array:
    return x * (np.heaviside(x - threshold, 0.0) + np.heaviside(-x - threshold, 0.0))


def _soft_shrink(x: Array, threshold: float = 0.5) -> Array:
    return np.maximum(x - threshold, 0.0) + np.minimum(x + threshold, 0.0)


def _thresholded(x: Array, threshold: float, default_value: float) -> Array:
    above = np.heaviside(x - threshold, 0.0)
    return x * above + default_value * (1.0 - above)


def _sparse_plus(x: Array) -> Array:
    """0 up to −1, ¼·(x + 1)² from there to 1, x from there on."""
    return np.square(_clipped(x, -1.0, 1.0) + 1.0) / 4.0 + np.maximum(x - 1.0, 0.0)


def _plain(name: str) -> ActivationCase:
    return ActivationCase(name, lambda x: activate(name, x))


_SINGLE = ("float32",)  # an option or constant is not exact in it
CASES: tuple[ActivationCase, ...] = (
    *map(_plain, (*ACTIVATIONS, "softmax")),
    ActivationCase("relu6", lambda x: _clipped(x, 0.0, 6.0)),
    ActivationCase("leaky_relu", lambda x: leaky((), x, 0.2), dtypes=_SINGLE),
    ActivationCase("leaky_relu", lambda x, negative_slope: leaky((), x, negative_slope), {"negative_slope": 0.375}),
    ActivationCase(
        "relu",
        lambda x, **options: rectified((), x, **options),
        {"negative_slope": 0.25, "max_value": 1.5, "threshold": 0.5},
    ),
    ActivationCase("elu", lambda x, alpha: exponential_linear((), x, alpha), {"alpha": 0.375}),
    ActivationCase("celu", _continuous_elu),
    ActivationCase("celu", _continuous_elu, {"alpha": 0.5}),
    ActivationCase("gelu", _gelu, dtypes=_SINGLE),
    ActivationCase("gelu", _gelu, {"approximate": True}, dtypes=_SINGLE),
    ActivationCase("silu", lambda x: x * sigmoid(x)),
    ActivationCase("mish", lambda x: x * np.tanh(_softplus(x))),
    ActivationCase("squareplus", _squareplus),
    ActivationCase("squareplus", _squareplus, {"b": 0.25}),
    ActivationCase("log_sigmoid", lambda x: np.minimum(x, 0.0) - np.log1p(np.exp(-np.absolute(x)))),
    ActivationCase("hard_sigmoid", _hard_sigmoid, since="3"),  # 0.2·x + 0.5 before
    ActivationCase("hard_silu", lambda x: x * _hard_sigmoid(x)),
    ActivationCase("hard_tanh", lambda x: _clipped(x, -1.0, 1.0)),
    ActivationCase("tanh_shrink", lambda x: x - np.tanh(x)),
    ActivationCase("soft_shrink", _soft_shrink),
    ActivationCase("soft_shrink", _soft_shrink, {"threshold": 1.25}),
    ActivationCase("hard_shrink", _hard_shrink),
    ActivationCase("hard_shrink", _hard_shrink, {"threshold": 1.25}),
    ActivationCase("threshold", _thresholded, {"threshold": 0.5, "default_value": -2.0}),
    ActivationCase("sparse_plus", _sparse_plus),
    ActivationCase("sparse_sigmoid", lambda x: (_clipped(x, -1.0, 1.0) + 1.0) / 2.0),
    ActivationCase("log_softmax", _log_softmax),
    ActivationCase("sparsemax", _sparsemax),
    ActivationCase("glu", _gated, columns=2),
)
