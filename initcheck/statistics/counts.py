"""Samples of a discrete quantity, such as correctly classified rows: moments, tolerance intervals, comparison."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.statistics.estimates import CONFIDENCE, FEW_RESAMPLES, Values

_FARTHEST = 60  # standard errors: beyond them no p-value is asked for


@dataclass(frozen=True, eq=False)
class Counts:
    """A sample, as its distinct values and how often each occurred.

    Attributes:
        values: The distinct values, ascending, shape ``(values,)``.
        counts: How often each occurred, shape ``(values,)``.
    """

    values: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, sample: npt.NDArray[np.int64]) -> Counts:
        """The distinct values of a sample, counted."""
        return cls(*np.unique(np.asarray(sample, dtype=np.int64), return_counts=True))

    @property
    def n(self) -> int:
        """The sample's size."""
        return int(self.counts.sum())

    @property
    def mean(self) -> float:
        """The sample's mean."""
        return float(self.values @ self.counts / self.n)

    @property
    def stddev(self) -> float:
        """The sample's standard deviation (n − 1); 0 of a single value."""
        return math.sqrt(float(self.counts @ (self.values - self.mean) ** 2) / max(1, self.n - 1))

    @property
    def kurtosis(self) -> float:
        """Fourth central moment over the squared second, 3 for a normal distribution; NaN without spread."""
        deviations = self.values - self.mean
        second = float(self.counts @ deviations**2 / self.n)
        return float(self.counts @ deviations**4 / self.n) / second**2 if second else math.nan

    def outside(self, low: float, high: float) -> int:
        """The number of values below ``low`` or above ``high``."""
        return int(self.counts[(self.values < low) | (self.values > high)].sum())

    def percentile_of(self, value: float) -> float:
        """The share below the value, plus half of the share that equals it, in per cent."""
        below, equal = (int(self.counts[chosen].sum()) for chosen in (self.values < value, self.values == value))
        return 100 * (below + equal / 2) / self.n

    def share_of(self, value: float) -> float:
        """The share of the sample that equals the value."""
        return float(self.counts[self.values == value].sum() / self.n)

    def tolerance_interval(self, content: float) -> tuple[int, int]:
        """Two values between which at least that share of the distribution lies, with confidence 95 %.

        For any distribution; as many of the sample lie beyond either end. Sources: Wilks 1941, Determination of sample
        sizes for setting tolerance limits; Conover 1999, Practical Nonparametric Statistics, 3.3.
        """
        from scipy import stats

        # The interval from the k-th least to the k-th greatest holds n + 1 − 2k of the n + 1 gaps between the values.
        k = np.arange(1, self.n // 2 + 1)
        enough = k[stats.binom.cdf(self.n - 2 * k, self.n, content) >= CONFIDENCE]
        place = int(enough.max(initial=1)) - 1
        ordered = np.repeat(self.values, self.counts)
        return int(ordered[place]), int(ordered[self.n - 1 - place])

    @functools.cached_property
    def stddev_interval(self) -> tuple[float, float]:
        """The 95 % percentile bootstrap interval of the standard deviation."""
        drawn = np.random.RandomState(0).multinomial(self.n, self.counts / self.n, size=FEW_RESAMPLES)
        centred = self.values - self.mean
        variances = (drawn @ centred**2 - (drawn @ centred) ** 2 / self.n) / max(1, self.n - 1)
        tail = 100 * (1 - CONFIDENCE) / 2
        low, high = np.percentile(np.sqrt(np.maximum(0, variances)), [tail, 100 - tail])
        return float(low), float(high)


def difference_p_value(old: Counts, new: Counts, score: Callable[[Values], Values]) -> float:
    """Two-sided p-value of the difference between two samples' means of a score, if one distribution gave both.

    Both samples are resampled from the two pooled: a bootstrap under the null hypothesis, whose tail is approximated
    rather than simulated.

    Args:
        old: The first sample.
        new: The second sample.
        score: The function of the values that is averaged.
    """
    pooled = Counts.of(np.repeat([*old.values, *new.values], [*old.counts, *new.counts]))
    scores = score(pooled.values.astype(np.float64))
    return resampling_p_value(
        scores, pooled.counts / pooled.n, (new.n, old.n), _mean_score(new, score) - _mean_score(old, score)
    )


def resampling_p_value(scores: Values, weights: Values, sizes: tuple[int, int], difference: float) -> float:
    """The probability that two samples of one distribution have mean scores that far apart, by a saddlepoint.

    The approximation keeps its relative error far out, where the normal one fails on skewed and discrete values.
    Sources: Lugannani & Rice 1980, Saddle point approximation for the distribution of the sum of independent random
    variables, eq. 12; Davison & Hinkley 1988, Saddlepoint approximations in resampling methods.

    Args:
        scores: The distribution's values, shape ``(values,)``.
        weights: Their probabilities, shape ``(values,)``.
        sizes: The samples' sizes.
        difference: The first sample's mean less the second's.
    """
    from scipy import optimize, special, stats

    scores = scores - weights @ scores
    error = math.sqrt(weights @ scores**2) * math.sqrt(sum(1 / n for n in sizes))
    if abs(difference) <= 1e-4 * error:  # the formula divides by 0 here, and the p-value is 1 to four digits
        return 1.0

    def cumulants(t: float) -> Values:
        """The difference's cumulant generating function, and its first two derivatives."""
        total = np.zeros(3)
        for n, sign in zip(sizes, (1.0, -1.0), strict=True):
            tilted = sign * t * scores / n
            log_mean = float(special.logsumexp(tilted, b=weights))
            shares = weights * np.exp(tilted - log_mean)
            first = float(shares @ scores)
            total += (n * log_mean, sign * first, float(shares @ (scores - first) ** 2) / n)
        return total

    reach = _FARTHEST / error
    tails = 0.0
    for side in (difference, -difference):
        if not cumulants(-reach)[1] < side < cumulants(reach)[1]:
            continue
        t = optimize.brentq(lambda t, side=side: cumulants(t)[1] - side, -reach, reach, xtol=1e-9 / error)
        value, _, curvature = cumulants(t)
        w, u = math.sqrt(max(0.0, 2 * (t * side - value))), abs(t) * math.sqrt(curvature)
        if not w or not u:
            return 1.0
        tails += max(0.0, float(stats.norm.sf(w) + stats.norm.pdf(w) * (1 / u - 1 / w)))
    return min(1.0, tails)


def _mean_score(sample: Counts, score: Callable[[Values], Values]) -> float:
    return float(sample.counts @ score(sample.values.astype(np.float64)) / sample.n)
