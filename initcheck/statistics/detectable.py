"""The smallest difference between two configurations that n runs of each find, and what the best of n runs shows."""

from __future__ import annotations

import functools
import math

import numpy as np

POWER = 0.90
LEVEL = 0.05
_GRID = 200  # quantiles of each of two sample variances; the result is exact to three digits from 100 on
_ENOUGH = 100.0  # standard deviations


@functools.cache
def detectable_difference(n: int, power: float = POWER, level: float = LEVEL) -> float:
    """The smallest difference of two means, in standard deviations, that Welch's two-sided test finds with that power.

    Scores are taken for normal, of one standard deviation in both. Given the sample variances, Welch's statistic is
    normal and its degrees of freedom are known; their chance is integrated over a grid of quantiles of χ².
    (Noncentral t with 2n − 2 degrees of freedom takes these for certain, and promises too much for few runs: 3.6 in
    place of 4.1 for n = 3.)

    Args:
        n: Runs of each, two or more.
        power: The power.
        level: The error rate of the test.

    Source: Welch 1947, The generalization of Student's problem.
    """
    from scipy import optimize

    return float(optimize.brentq(lambda size: _power(size, n, level) - power, 0.0, _ENOUGH, xtol=1e-6))


def _power(size: float, n: int, level: float) -> float:
    from scipy import special

    limits, scales = _limits(n, level)
    shift = size * math.sqrt(n / 2)
    return float(np.mean(special.ndtr(shift - limits * scales) + special.ndtr(-shift - limits * scales)))


@functools.cache
def _limits(n: int, level: float) -> tuple[np.ndarray, np.ndarray]:
    """The test's limit, and the standard error over its expected value, for a grid of pairs of sample variances."""
    from scipy import special, stats

    variances = stats.chi2.ppf((np.arange(_GRID) + 0.5) / _GRID, n - 1) / (n - 1)
    one, two = variances[:, None], variances[None, :]
    freedom = (one + two) ** 2 * (n - 1) / (one**2 + two**2)
    return special.stdtrit(freedom, 1 - level / 2), np.sqrt((one + two) / 2)


@functools.cache
def expected_best(n: int) -> float:
    """How far the largest of n normal values lies above their mean on average, in standard deviations."""
    from scipy import special

    x = np.linspace(-10, 10, 20_001)
    density = n * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi) * special.ndtr(x) ** (n - 1)
    return float(np.sum(x * density) * (x[1] - x[0]))


def stddev_interval(stddev: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of a standard deviation of n normal values (χ² with n − 1 degrees of freedom)."""
    from scipy import stats

    tail = (1 - confidence) / 2
    low, high = stats.chi2.ppf([1 - tail, tail], n - 1)
    return stddev * math.sqrt((n - 1) / low), stddev * math.sqrt((n - 1) / high)
