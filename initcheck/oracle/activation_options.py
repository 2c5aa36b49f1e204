"""The outputs of activations as layers, with their options: https://keras.io/api/layers/activation_layers/."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from initcheck.oracle.arranging import moved
from initcheck.oracle.networks import activate, softmax

Array = Any
Weights = Sequence[Array]


def activation_layer(_weights: Weights, x: Array, activation: str, **_: Any) -> Array:
    """The activation of that name."""
    return activate(activation, x)


def rectified(
    _weights: Weights,
    x: Array,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
    **_: Any,
) -> Array:
    """The input from the threshold up to a largest value; below the threshold a line through it."""
    below = negative_slope * (np.minimum(x, threshold) - threshold)
    above = x * np.heaviside(x - threshold, 1.0)
    return (above if max_value is None else np.minimum(above, max_value)) + below


def leaky(_weights: Weights, x: Array, negative_slope: float = 0.3, **_: Any) -> Array:
    """x, times a slope where it is below 0."""
    return np.maximum(x, 0.0) + negative_slope * np.minimum(x, 0.0)


def exponential_linear(_weights: Weights, x: Array, alpha: float = 1.0, **_: Any) -> Array:
    """x, or α·(eˣ − 1) where it is below 0."""
    return np.maximum(x, 0.0) + alpha * (np.exp(np.minimum(x, 0.0)) - 1.0)


def softmax_layer(_weights: Weights, x: Array, axis: Any = -1, **_: Any) -> Array:
    """Exponentials that sum to one along an axis, or over several together."""
    axes = np.atleast_1d(axis).tolist()
    last = list(range(-len(axes), 0))
    turned = moved(x, lambda values: np.moveaxis(values, axes, last))
    together = moved(turned, lambda values: values.reshape(*values.shape[: -len(axes)], -1))
    return moved(softmax(together), lambda values: np.moveaxis(values.reshape(turned.shape), last, axes))


def parametric(weights: Weights, x: Array, **_: Any) -> Array:
    """x, times a learned slope where it is below 0."""
    return np.maximum(x, 0.0) + weights[0] * np.minimum(x, 0.0)
