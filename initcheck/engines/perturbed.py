"""Weights perturbed by units in the last place (ulps): their effect on a run bounds the effect of rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

TRIALS = 8  # perturbed runs beside one


def perturbed(weight: Array, ulps: int, trial: int) -> Array:
    """Every element perturbed by so many ulps, up or down; a zero, which no rounding moves, stays.

    Args:
        weight: The weight, float32.
        ulps: The number of ulps.
        trial: The seed of the ups and downs.
    """
    up = np.random.RandomState(trial).rand(*weight.shape) < 0.5
    unit = np.where(weight == 0, np.float32(0), np.spacing(np.abs(weight)))
    moved: Array = weight + np.where(up, unit, -unit) * np.float32(ulps)
    return moved


def tolerance(deviations: Array) -> Array:
    """How far a run may deviate that differs as perturbed ones do: one in 10⁴ lies farther, by Student's t.

    Args:
        deviations: Of perturbed runs from the same one, of shape ``(TRIALS, …)``.
    """
    from scipy import stats

    return np.asarray(stats.t.isf(1e-4 / 2, len(deviations)) * np.sqrt(np.square(deviations).mean(axis=0)))


def worst(differences: Array, tolerances: Array) -> tuple[float, float]:
    """The size of the difference that is largest beside its tolerance, and that; NaN is larger than any."""
    sizes = np.abs(differences)
    where = np.unravel_index(np.argmax(np.nan_to_num(sizes / tolerances, nan=np.inf)), sizes.shape)
    return float(sizes[where]), float(tolerances[where])
