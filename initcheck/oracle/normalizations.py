"""The outputs of normalizations with their options.

Sources: https://keras.io/api/layers/normalization_layers/; Wu & He 2018, https://arxiv.org/abs/1803.08494, for groups;
Zhang & Sennrich 2019, https://arxiv.org/abs/1910.07467, for root mean squares.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from initcheck.oracle.arranging import moved
from initcheck.oracle.rounding import Rounded

Array = Any
Weights = Sequence[Array]


def layer_norm(
    weights: Weights,
    x: Array,
    axis: Any = -1,
    epsilon: float = 1e-3,
    center: bool = True,
    scale: bool = True,
    **_: Any,
) -> Array:
    """Each row without its mean and variance along some axes, scaled and shifted where asked for."""
    axes = tuple(np.atleast_1d(axis).tolist())
    normalized = _without_moments(x, axes, epsilon)
    shape = [size if number - len(x.shape) in axes or number in axes else 1 for number, size in enumerate(x.shape)]
    left = [moved(one, lambda values: values.reshape(shape)) for one in weights]
    normalized = normalized * left.pop(0) if scale else normalized
    return normalized + left.pop(0) if center else normalized


def group_norm(weights: Weights, x: Array, groups: int, epsilon: float = 1e-3, **_: Any) -> Array:
    """Each row without the mean and variance of each group of its channels, over all positions."""
    parts = moved(x, lambda values: values.reshape(*values.shape[:-1], groups, -1))
    axes = (*range(1, len(x.shape) - 1), len(x.shape))
    normalized = moved(_without_moments(parts, axes, epsilon), lambda values: values.reshape(x.shape))
    return normalized * weights[0] + weights[1]


def root_mean_square(weights: Weights, x: Array, axis: int = -1, epsilon: float = 1e-6, **_: Any) -> Array:
    """The input over the root of its mean square along an axis, scaled."""
    mean = np.square(x).sum(axis=axis, keepdims=True) / float(x.shape[axis])
    return x / np.sqrt(mean + Rounded(epsilon)) * weights[0]


def batch_norm(
    weights: Weights,
    x: Array,
    axis: int = -1,
    epsilon: float = 1e-3,
    center: bool = True,
    scale: bool = True,
    **_: Any,
) -> Array:
    """As in inference, by the moving mean and variance of each channel."""
    shape = [1] * len(x.shape)
    shape[axis] = x.shape[axis]
    left = [moved(one, lambda values: values.reshape(shape)) for one in weights]
    gamma = left.pop(0) if scale else 1.0
    beta = left.pop(0) if center else 0.0
    mean, variance = left
    scaled = gamma / np.sqrt(variance + Rounded(epsilon))
    return x * scaled + (beta - mean * scaled)  # as it is computed in one go, with the larger rounding errors


def _without_moments(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    count = float(np.prod([x.shape[axis] for axis in axes]))
    mean = x.sum(axis=axes, keepdims=True) / count
    variance = np.square(x - mean).sum(axis=axes, keepdims=True) / count
    return (x - mean) / np.sqrt(variance + Rounded(epsilon))
