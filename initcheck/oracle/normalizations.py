"""The outputs of normalizations with their options.

Sources: https://keras.io/api/layers/normalization_layers/; Wu & He 2018, https://arxiv.org/abs/1803.08494, for groups;
Zhang & Sennrich 2019, https://arxiv.org/abs/1910.07467, for root mean squares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    along = [moved(one, lambda values: values.reshape(shape)) for one in weights]
    return _scaled_and_shifted(normalized, along, scale, center)


def group_norm(
    weights: Weights,
    x: Array,
    groups: int,
    axis: int = -1,
    epsilon: float = 1e-3,
    center: bool = True,
    scale: bool = True,
    **_: Any,
) -> Array:
    """Each row without the mean and variance of each group of its channels, over all positions.

    With -1 groups each channel is one.
    """
    x = moved(x, lambda values: np.moveaxis(values, axis, -1))
    count = x.shape[-1] if groups == -1 else groups
    parts = moved(x, lambda values: values.reshape(*values.shape[:-1], count, -1))
    axes = (*range(1, len(x.shape) - 1), len(x.shape))
    normalized = moved(_without_moments(parts, axes, epsilon), lambda values: values.reshape(x.shape))
    normalized = _scaled_and_shifted(normalized, weights, scale, center)
    return moved(normalized, lambda values: np.moveaxis(values, -1, axis))


def root_mean_square(weights: Weights, x: Array, axis: int = -1, epsilon: float = 1e-6, **_: Any) -> Array:
    """The input over the root of its mean square along an axis, scaled."""
    mean = np.square(x).sum(axis=axis, keepdims=True) / float(x.shape[axis])
    return x / np.sqrt(mean + Rounded(epsilon)) * _along(weights[0], x, axis)


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
    left = [_along(one, x, axis) for one in weights]
    gamma = left.pop(0) if scale else 1.0
    beta = left.pop(0) if center else 0.0
    mean, variance = left
    scaled = gamma / np.sqrt(variance + Rounded(epsilon))
    return x * scaled + (beta - mean * scaled)  # as it is computed in one go, with the larger rounding errors


def batch_norm_in_training(
    weights: Weights,
    x: Array,
    axis: int = -1,
    epsilon: float = 1e-3,
    center: bool = True,
    scale: bool = True,
    renorm_clipping: Mapping[str, float] | None = None,
    renorm: bool = False,
    **_: Any,
) -> Array:
    """By the mean and variance of each channel over the batch.

    With ``renorm`` corrected towards moving ones by two factors, which may be clipped: Ioffe 2017,
    https://arxiv.org/abs/1702.03275, algorithm 1.
    """
    left = [_along(one, x, axis) for one in weights]
    gamma = left.pop(0) if scale else 1.0
    beta = left.pop(0) if center else 0.0
    mean, variance = (_along(one, x, axis) for one in _channel_moments(x, axis))
    deviation = np.sqrt(variance + Rounded(epsilon))
    normalized = (x - mean) / deviation
    if renorm:
        moving_mean, moving_deviation = left[-2:]
        moving_deviation = np.maximum(moving_deviation, np.sqrt(Rounded(epsilon)))
        factor, shift = deviation / moving_deviation, (mean - moving_mean) / moving_deviation
        if limits := renorm_clipping or {}:
            factor = np.minimum(np.maximum(factor, limits["rmin"]), limits["rmax"])
            shift = np.minimum(np.maximum(shift, -limits["dmax"]), limits["dmax"])
        normalized = normalized * factor + shift
    return normalized * gamma + beta


def moved_averages(
    weights: Weights,
    x: Array,
    axis: int = -1,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
    renorm_momentum: float = 0.99,
    renorm: bool = False,
    **_: Any,
) -> list[Array]:
    """The weights of a batch normalization after a batch; the moving averages, by their momentum, come last.

    With ``renorm`` the moving variance is that of the moving deviation, both of which include epsilon.
    """
    mean, variance = _channel_moments(x, axis)
    if not renorm:
        first = len(weights) - 2
        return [*weights[:first], *map(_kept(momentum), weights[first:], (mean, variance))]
    first = len(weights) - 5
    moving_mean, _variance, moving_deviation, *others = weights[first:]
    deviation = np.sqrt(variance + Rounded(epsilon))
    new_mean, new_deviation = map(_kept(momentum), (moving_mean, moving_deviation), (mean, deviation))
    new_variance = np.maximum(np.square(new_deviation) - Rounded(epsilon), 0.0)
    corrections = map(_kept(renorm_momentum), others, (mean, deviation))
    return [*weights[:first], new_mean, new_variance, new_deviation, *corrections]


def _kept(momentum: float) -> Callable[[Array, Array], Array]:
    share = Rounded(momentum)
    return lambda old, new: old * share + new * (1.0 - share)


def _channel_moments(x: Array, axis: int) -> tuple[Array, Array]:
    """The mean and variance of each channel over all else."""
    rows = moved(x, lambda values: np.moveaxis(values, axis, -1).reshape(-1, values.shape[axis]))
    mean = rows.sum(axis=0) / float(len(rows))
    return mean, np.square(rows - mean).sum(axis=0) / float(len(rows))


def _along(weight: Array, x: Array, axis: int) -> Array:
    """A weight that lies along an axis of the input."""
    shape = [1] * len(x.shape)
    shape[axis] = x.shape[axis]
    return moved(weight, lambda values: values.reshape(shape))


def _scaled_and_shifted(normalized: Array, weights: Weights, scale: bool, center: bool) -> Array:
    """Times the first weight and plus the next, where there are such."""
    left = list(weights)
    normalized = normalized * left.pop(0) if scale else normalized
    return normalized + left.pop(0) if center else normalized


def _without_moments(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    count = float(np.prod([x.shape[axis] for axis in axes]))
    mean = x.sum(axis=axes, keepdims=True) / count
    variance = np.square(x - mean).sum(axis=axes, keepdims=True) / count
    return (x - mean) / np.sqrt(variance + Rounded(epsilon))
