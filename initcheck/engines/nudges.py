"""Weights moved by units in the last place: what rounding may do to a run is learned from what that does to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def nudged(weight: Array, ulps: int, trial: int) -> Array:
    """Every element moved by so many units in the last place, up or down; a zero, which no rounding moves, stays.

    Args:
        weight: The weight, float32.
        ulps: How many units.
        trial: Which ups and downs.
    """
    up = np.random.RandomState(trial).rand(*weight.shape) < 0.5
    unit = np.where(weight == 0, np.float32(0), np.spacing(np.abs(weight)))
    moved: Array = weight + np.where(up, unit, -unit) * np.float32(ulps)
    return moved
