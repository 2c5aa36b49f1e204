"""Estimates with their intervals: thin over ``scipy.stats``."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95
RESAMPLES = 9999
FEW_RESAMPLES = 999  # where each is dear
MANY = 1000  # from here on BCa's corrections are far below the interval's own error, and cost n² steps
_BATCH = 4_000_000  # values resampled at once: 32 MB, however many there are
_ROUNDING = 1e-9  # of shares that would otherwise be equal
MIN_BOOTSTRAP = 5  # fewer values have too few distinct resamples for 95 %
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A number with its error.

    Attributes:
        value: The estimate; infinite where it lies beyond the observed values.
        low: Lower end of the interval; NaN where the sample does not determine it.
        high: Upper end of the interval; NaN where the sample does not determine it.
    """

    value: float
    low: float
    high: float


UNKNOWN = Estimate(math.nan, math.nan, math.nan)  # where the sample does not determine it


def mean(values: Values) -> Estimate:
    """The mean, with its bootstrap interval (BCa, Efron 1987; percentile for many); none where all are equal."""
    return _bootstrap(values, np.mean)


def stddev(values: Values) -> Estimate:
    """The standard deviation (n − 1), with its interval as the mean's; none where all values are equal."""
    return _bootstrap(values, lambda sample, axis=-1: np.std(sample, axis=axis, ddof=1))


def _bootstrap(values: Values, statistic: Callable[..., Any]) -> Estimate:
    from scipy import stats

    value = float(statistic(values)) if len(values) > 1 or statistic is np.mean else math.nan
    if len(values) > 1 and np.ptp(values) == 0:  # exact: the computed mean of n equal floats may differ by a bit
        return Estimate(float(values[0]) if statistic is np.mean else 0.0, math.nan, math.nan)
    if len(values) < MIN_BOOTSTRAP:
        return Estimate(value, math.nan, math.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # its NaN says the same: no interval
        interval = stats.bootstrap(
            (values,),
            statistic,
            n_resamples=RESAMPLES if len(values) < MANY else FEW_RESAMPLES,
            method="BCa" if len(values) < MANY else "percentile",
            confidence_level=CONFIDENCE,
            batch=max(1, _BATCH // len(values)),
            random_state=np.random.RandomState(0),
        ).confidence_interval
    return Estimate(value, float(interval.low), float(interval.high))


def proportion(count: int, n: int) -> Estimate:
    """A share of n, with its exact interval (Clopper & Pearson 1934); unknown where n is 0."""
    from scipy import stats

    if n == 0:
        return UNKNOWN
    interval = stats.binomtest(count, n).proportion_ci(CONFIDENCE, method="exact")
    return Estimate(count / n, float(interval.low), float(interval.high))


def median(values: Values) -> Estimate:
    """The lower median, with its interval between order statistics: free of any assumption on the distribution.

    Values may be infinite (not reached); then so may be the median and the ends. With fewer than 6 values no interval
    of that confidence exists, and the ends are NaN. Source: Conover 1999, Practical Nonparametric Statistics, 3.2.
    """
    from scipy import stats

    ordered = np.sort(values)
    n = len(ordered)
    value = float(ordered[(n - 1) // 2])
    # The k-th smallest and k-th largest value enclose the median unless fewer than k of n fair coins fall on one side.
    k = int(stats.binom.ppf((1 - CONFIDENCE) / 2, n, 0.5))
    if k < 1:
        return Estimate(value, math.nan, math.nan)
    return Estimate(value, float(ordered[k - 1]), float(ordered[n - k]))


def runs_until_success(failure: Estimate) -> Estimate:
    """The number of runs for a 95 % chance that at least one succeeds, from the share that fails."""
    return Estimate(*(_runs_until_success(share) for share in (failure.value, failure.low, failure.high)))


def _runs_until_success(failure: float) -> float:
    if math.isnan(failure):
        return math.nan
    if failure <= 1 - CONFIDENCE:
        return 1.0
    if failure >= 1:
        return math.inf
    # The 1e-9 makes a share of exactly 0.05^(1/k) need k runs, not k + 1.
    return float(math.ceil(math.log(1 - CONFIDENCE) / math.log(failure) - 1e-9))


def best_shares(samples: Sequence[Values]) -> list[Estimate]:
    """Each sample's chance to come out best if one value were taken from each; ties are shared.

    The value is exact for the empirical distributions; the interval is the percentile bootstrap's over the values.
    Where one always or never comes out best a bootstrap sees no spread; then it is Clopper and Pearson's for as many
    contests as each has values, paired by their place.

    Args:
        samples: One array of values for each competitor.
    """
    counts = _count_values(samples)
    value = _shares_of_counts(counts)
    if min(map(len, samples)) < MIN_BOOTSTRAP:
        return [Estimate(float(share), math.nan, math.nan) for share in value]
    stream = np.random.RandomState(0)
    sizes = counts.sum(axis=1)
    resampled = np.array(
        [
            _shares_of_counts(np.array([stream.multinomial(n, row / n) for n, row in zip(sizes, counts, strict=True)]))
            for _ in range(FEW_RESAMPLES)
        ]
    )
    contests = min(map(len, samples))
    return [_bound_if_certain(share, contests) for share in with_percentiles(value, resampled)]


def _bound_if_certain(share: Estimate, contests: int) -> Estimate:
    """The share with the exact interval if it is 0 or 1 and has none."""
    nearest = round(share.value)
    certain = math.isnan(share.low) and abs(share.value - nearest) < _ROUNDING
    return proportion(nearest * contests, contests) if certain else share


def compare_pairs(first: Values, second: Values) -> tuple[float, float]:
    """The shares of all pairs, one value of each sample, in which the first is above the second, and below it."""
    ordered = np.sort(second)
    pairs = len(first) * len(second)
    above = int(np.searchsorted(ordered, first, side="left").sum())
    below = pairs - int(np.searchsorted(ordered, first, side="right").sum())
    return above / pairs, below / pairs


def with_percentiles(values: Values, resampled: Values | list[Values]) -> list[Estimate]:
    """Each value with its percentile bootstrap interval; ``resampled`` has shape ``(resamples, values)``.

    An interval of width 0 counts as none: it comes from too few values, not from certainty.
    """
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(resampled, [tail, 100 - tail], axis=0)
    low, high = (np.where(high - low > _ROUNDING, end, np.nan) for end in (low, high))
    return [Estimate(*map(float, ends)) for ends in zip(values, low, high, strict=True)]


def _count_values(samples: Sequence[Values]) -> npt.NDArray[np.int64]:
    """The count of each value in each sample, shape ``(samples, values)``, values ascending."""
    values = np.unique(np.concatenate(samples))
    return np.array([np.bincount(np.searchsorted(values, sample), minlength=len(values)) for sample in samples])


# Once for each number of nodes: it costs more than what a resample is used for.
_quadrature = functools.cache(np.polynomial.legendre.leggauss)


def _shares_of_counts(counts: npt.NDArray[np.int64]) -> Values:
    """The chance of each competitor to have the highest value, shape ``(competitors,)``.

    If a uniform u breaks ties, the others' chance to stay below a value is a product of lines in u, a polynomial of
    degree ``len(counts) − 1``, which Gauss–Legendre integrates exactly.
    """
    mass = counts.astype(np.float64)
    mass /= mass.sum(axis=1, keepdims=True)
    below = np.cumsum(mass, axis=1) - mass
    nodes, weights = _quadrature(len(counts) // 2 + 1)
    u = (nodes + 1)[:, None, None] / 2
    stays_below = below + u * mass  # (node, competitor, value)
    shares = [
        np.einsum("n,nv,v->", weights / 2, np.delete(stays_below, k, axis=1).prod(axis=1), mass[k])
        for k in range(len(counts))
    ]
    return np.array(shares)
