"""The outputs of pooling layers, written from their documentation: https://keras.io/api/layers/pooling_layers/."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from initcheck.oracle.arranging import as_given, channels_last
from initcheck.oracle.layer_outputs import padding_for
from initcheck.oracle.rounding import Rounded

Array = Any
Weights = Sequence[Array]


def average_pooling(_weights: Weights, x: Array, **config: Any) -> Rounded:
    """The mean of each window, of which cells beyond the edge are no part."""
    x = channels_last(x, config)
    counted = Rounded(np.ones((1, *x.shape[1:-1], 1)))
    total, count = (functools.reduce(np.add, _cells(one, 0.0, config)) for one in (x, counted))
    return as_given(total / count.value, config)


def max_pooling(_weights: Weights, x: Array, **config: Any) -> Rounded:
    """The maximum of each window, of which cells beyond the edge are no part."""
    x = channels_last(x, config)
    return as_given(functools.reduce(np.maximum, _cells(x, -np.inf, config)), config)


def _cells(x: Array, beyond: float, config: dict[str, Any]) -> Iterator[Array]:
    """For each cell of the window, the elements that lie there, over all windows."""
    rank = len(x.shape) - 2
    size = [int(one) for one in np.broadcast_to(config.get("pool_size", 2), rank)]
    strides = [int(one) for one in np.broadcast_to(config.get("strides") or size, rank)]
    around = padding_for(x.shape, config.get("padding", "valid"), size, strides)
    values, errors = np.pad(x.value, around, constant_values=beyond), np.pad(x.error, around)
    places = [(n - s) // step + 1 for n, s, step in zip(values.shape[1:-1], size, strides, strict=True)]
    for offset in np.ndindex(*size):
        cut = [slice(a, a + (n - 1) * s + 1, s) for a, n, s in zip(offset, places, strides, strict=True)]
        yield Rounded(values[(slice(None), *cut)], errors[(slice(None), *cut)])


def global_average(_weights: Weights, x: Array, keepdims: bool = False, **config: Any) -> Rounded:
    """The mean over all positions."""
    count = float(np.prod(channels_last(x, config).shape[1:-1]))
    return _over_positions(x, keepdims, config, lambda rows, axes: rows.sum(axis=axes, keepdims=True) / count)


def global_maximum(_weights: Weights, x: Array, keepdims: bool = False, **config: Any) -> Rounded:
    """The maximum over all positions."""
    return _over_positions(x, keepdims, config, lambda rows, axes: rows.max(axis=axes, keepdims=True))


def _over_positions(
    x: Array, keepdims: bool, config: dict[str, Any], reduce: Callable[[Array, tuple[int, ...]], Rounded]
) -> Rounded:
    x = channels_last(x, config)
    axes = tuple(range(1, len(x.shape) - 1))
    pooled = reduce(x, axes)
    return as_given(pooled, config) if keepdims else pooled[(slice(None), *(0 for _ in axes))]


def adaptive_average(_weights: Weights, x: Array, output_size: Any, **config: Any) -> Rounded:
    """The means of as many parts of each axis as asked for."""
    return _in_parts(x, output_size, config, lambda part, axes, n: part.sum(axis=axes) / float(n))


def adaptive_maximum(_weights: Weights, x: Array, output_size: Any, **config: Any) -> Rounded:
    """The maxima of as many parts of each axis as asked for."""
    return _in_parts(x, output_size, config, lambda part, axes, n: part.max(axis=axes))


def _in_parts(x: Array, output_size: Any, config: dict[str, Any], reduce: Callable[..., Rounded]) -> Rounded:
    """Part i of n of an axis of length m reaches from ⌊i·m/n⌋ to ⌈(i + 1)·m/n⌉, as in PyTorch."""
    x = channels_last(x, config)
    lengths, axes = x.shape[1:-1], tuple(range(1, len(x.shape) - 1))
    counts = [int(one) for one in np.broadcast_to(output_size, len(lengths))]
    values = np.empty((len(x), *counts, x.shape[-1]))
    errors = np.empty_like(values)
    for place in np.ndindex(*counts):
        cut = [slice(i * m // n, -(-(i + 1) * m // n)) for i, m, n in zip(place, lengths, counts, strict=True)]
        part = x[(slice(None), *cut)]
        pooled = reduce(part, axes, np.prod(part.shape[1:-1]))
        values[(slice(None), *place)], errors[(slice(None), *place)] = pooled.value, pooled.error
    return as_given(Rounded(values, errors), config)
