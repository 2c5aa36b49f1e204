"""Student's t intervals of means over a few reseeds, for what is nearly normal, such as logarithms of scales."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from initcheck.statistics.estimates import CONFIDENCE, Estimate

Values = npt.NDArray[np.float64]


def mean_over(values: Sequence[float] | Values) -> Estimate:
    """The mean with its 95 % interval, whose ends are NaN for one value, and where one is no number."""
    array = np.asarray(values, np.float64)
    if len(array) < 2 or not np.isfinite(array).all():
        return Estimate(float(array.mean()), math.nan, math.nan)
    margin = _margin(array, (1 + CONFIDENCE) / 2)
    return Estimate(float(array.mean()), float(array.mean()) - margin, float(array.mean()) + margin)


def lower_end(values: Values, rate: float) -> float:
    """The lower end of the one-sided interval of the mean at that error rate."""
    return float(values.mean()) - _margin(values, 1 - rate)


def _margin(values: Values, share: float) -> float:
    from scipy import special

    return float(special.stdtrit(len(values) - 1, share) * values.std(ddof=1) / math.sqrt(len(values)))
