"""How many seeds a claim needs: the spread of a score over reseeds, and the difference that n seeds each find."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from initcheck.models.diagnosis import ReseededScore, SeedsNeeded
from initcheck.statistics.detectable import detectable_difference, expected_best, stddev_interval
from initcheck.statistics.estimates import UNKNOWN, Estimate
from initcheck.statistics.t_intervals import mean_over

SEEDS_EACH = (3, 5, 10, 20, 30, 50, 100)
LEAST = 3  # reseeds: with two a standard deviation has hardly an upper end
MOST_SCORES = 6


def by_interest(names: Iterable[str]) -> list[str]:
    """The names of the scores that are kept: those of held-out rows first, and of these accuracies."""
    ordered = sorted(names, key=lambda name: (not name.startswith("held-out"), "acc" not in name))
    return ordered[:MOST_SCORES]


def score_over_reseeds(name: str, values: Sequence[float]) -> ReseededScore:
    """One score over reseeds, and what so many seeds of two configurations find.

    Differences are those of Welch's two-sided test at α = 0.05 with power 90 %, for normal scores of that standard
    deviation in both; the upper end of its 95 % interval gives what they may be at most, as the standard deviation of
    few reseeds is itself uncertain. The best of n seeds is that of n normal scores.
    """
    array = np.array(values, np.float64)
    mean = mean_over(values)
    if not np.isfinite(array).all() or len(array) < LEAST:
        return ReseededScore(name, tuple(values), mean, UNKNOWN, ())
    spread = float(array.std(ddof=1))
    if not np.ptp(array):  # the computed one may be a rounding error
        return ReseededScore(name, tuple(values), mean, Estimate(0.0, math.nan, math.nan), ())
    low, high = stddev_interval(spread, len(array))
    table = tuple(
        SeedsNeeded(n, detectable_difference(n) * spread, detectable_difference(n) * high, expected_best(n) * spread)
        for n in SEEDS_EACH
    )
    return ReseededScore(name, tuple(values), mean, Estimate(spread, low, high), table)
