"""Inputs of other lengths: the axes along which a layer's formula takes any number of steps, rows or pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from initcheck.catalog.cases.formulas import INFERRED, exactly
from initcheck.catalog.layers.kind import Arguments, LayerRequest
from initcheck.catalog.layers.traits.computing import FormulaCase

Axes = frozenset[int]


def _unrolled(config: Arguments) -> bool:
    """Whether a loop over steps is unrolled, which needs their number."""
    inner = [one.arguments for one in config.values() if isinstance(one, LayerRequest)]
    return bool(config.get("unroll")) or any(_unrolled(one) for one in inner)


OTHER_LENGTHS: Sequence[FormulaCase] = tuple(
    case for case in INFERRED if case.any_length and not _unrolled(case.config)
)


def unknown_axes(case: FormulaCase, weights: Sequence[np.ndarray], inputs: Sequence[np.ndarray]) -> list[Axes]:
    """For each input its axis of rows, and those along which the formula computes from twice the length, too.

    Inputs that have the first one's length along such an axis are longer with it.
    """
    lengths = inputs[0].shape
    free = [axis for axis in range(1, len(lengths)) if _computes(case, weights, _doubled(inputs, axis, lengths[axis]))]
    return [
        frozenset({0, *(axis for axis in free if axis < one.ndim and one.shape[axis] == lengths[axis])})
        for one in inputs
    ]


def longer(inputs: Sequence[np.ndarray], unknown: Sequence[Axes]) -> list[np.ndarray]:
    """One row of each input, twice as long along all but that of its unknown axes."""
    values = []
    for one, axes in zip(inputs, unknown, strict=True):
        row = one[:1]
        for axis in axes - {0}:
            row = np.concatenate([row, row[::-1]], axis=axis)
        values.append(row)
    return values


def _doubled(inputs: Sequence[np.ndarray], axis: int, length: int) -> list[np.ndarray]:
    return [
        np.concatenate([one, one], axis=axis) if axis < one.ndim and one.shape[axis] == length else one
        for one in inputs
    ]


def _computes(case: FormulaCase, weights: Sequence[np.ndarray], inputs: Sequence[np.ndarray]) -> bool:
    """Whether the formula takes such inputs: weights and arguments fix the other axes."""
    try:
        case.output(*exactly(case, weights, inputs))
    except (ValueError, IndexError, AssertionError):
        return False
    return True
