"""Laws of weights as documentations put them: by the number of a unit's inputs."""

from __future__ import annotations

import math

from initcheck.catalog.laws import Elementwise, Family, VarianceScaled, around


def uniform_within(k: float) -> Elementwise:
    """U(−√k, √k)."""
    return around("uniform", 0.0, math.sqrt(k))


def scaled_by(scale: float, count: float, family: Family) -> Elementwise:
    """Mean 0 and variance ``scale / count``, after the cut where the family is cut."""
    return Elementwise(VarianceScaled(scale / count, "fan_in", family).at((1, 1)))
