"""Goodness-of-fit tests of samples against a law: pure statistics, one p-value each.

Samples are standardized: the law's mean subtracted, divided by its standard deviation. Of several p-values taken
together, the smallest is multiplied by their number (Bonferroni), so that each verdict has one p-value.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.catalog.laws import ElementLaw
from initcheck.catalog.laws import Family as LawFamily
from initcheck.statistics.budget import POWER

LOOK_POWER = math.sqrt(POWER)  # a failure is confirmed on fresh streams: two independent tests must detect the effect
Sample = npt.NDArray[np.float64]
Test = Callable[[Sample], tuple[float, float]]  # a standardized sample → its statistic and p-value


@dataclass(frozen=True)
class Finding:
    """The most suspicious of several groups of samples.

    Attributes:
        group: Its name.
        value: Its statistic, in the units of the test.
        n: Its sample size.
        p_value: Its p-value times the number of groups, at most 1.
    """

    group: str
    value: float
    n: int
    p_value: float


def most_suspicious(groups: Mapping[str, Sample], test: Test) -> Finding:
    """The group with the smallest p-value, corrected for the choice among all."""
    findings = []
    for name, sample in groups.items():
        value, p_value = test(sample)
        findings.append(Finding(name, value, len(sample), min(1.0, p_value * len(groups))))
    return min(findings, key=lambda one: one.p_value)


def unit_law(family: LawFamily) -> ElementLaw:
    """The law of that family with mean 0 and standard deviation 1."""
    return ElementLaw(family, 0.0, 1 / ElementLaw(family, 0.0, 1.0).stddev)


def cdf(law: ElementLaw, values: Sample) -> Sample:
    """The law's distribution function; ``scipy.stats`` is a hundred times slower for the truncated normal one."""
    from scipy.special import ndtr

    scaled = (values - law.mean) / law.spread
    if law.family == "uniform":
        return np.asarray(np.clip((scaled + 1) / 2, 0.0, 1.0))
    if law.family == "normal":
        return np.asarray(ndtr(scaled))
    return np.asarray(np.clip((ndtr(scaled) - ndtr(-2.0)) / (ndtr(2.0) - ndtr(-2.0)), 0.0, 1.0))


def together(findings: Sequence[Finding]) -> Finding:
    """The most suspicious of several findings, corrected for the choice among all."""
    worst = min(findings, key=lambda one: one.p_value)
    return Finding(worst.group, worst.value, worst.n, min(1.0, worst.p_value * len(findings)))


def two_sided(z: float) -> float:
    """The p-value of a standard normal score."""
    return math.erfc(abs(z) / math.sqrt(2))


def mean_test(slack: float = 0.0) -> Test:
    """The z test of mean 0 with known standard deviation; ``slack`` is the rounding error that may shift it."""

    def test(sample: Sample) -> tuple[float, float]:
        mean = float(sample.mean())
        return mean, two_sided(max(0.0, abs(mean) - slack) * math.sqrt(len(sample)))

    return test


def sign_test(sample: Sample) -> tuple[float, float]:
    """The share of elements above the mean, and its p-value if ½ is expected (binomial, by its normal limit)."""
    above = float(np.count_nonzero(sample > 0) + np.count_nonzero(sample == 0) / 2) / len(sample)
    return above, two_sided((2 * above - 1) * math.sqrt(len(sample)))


def scale_test(kurtosis: float, slack: float = 0.0) -> Test:
    """The z test of a standard deviation of 1 about the known mean: z = ln(s)·√(4n/(κ−1)), by the delta method.

    ``slack`` is the relative rounding error of s.
    """

    def test(sample: Sample) -> tuple[float, float]:
        s = math.sqrt(float(np.mean(np.square(sample))))
        off = max(0.0, abs(math.log(s)) - slack) if s > 0 else math.inf
        return s, two_sided(off * math.sqrt(4 * len(sample) / (kurtosis - 1)))

    return test


def shape_test(law: ElementLaw, slack: float = 0.0) -> Test:
    """Kolmogorov and Smirnov's test: the largest distance of the distribution functions, beyond ``slack``.

    Its p-value is the limit for large n, which is never too small: 0.86 to 0.997 of the stated alarms occur.
    """

    def test(sample: Sample) -> tuple[float, float]:
        from scipy.special import kolmogorov

        n = len(sample)
        expected = cdf(law, np.sort(sample))
        steps = np.arange(n + 1) / n
        distance = float(max(np.max(steps[1:] - expected), np.max(expected - steps[:-1])))
        return distance, float(kolmogorov(max(0.0, distance - slack) * math.sqrt(n)))

    return test


def extremes_test(law: ElementLaw, slack: float = 0.0) -> Test:
    """Whether the least and the greatest element lie where those of n independent ones do.

    P(max ≤ m) = F(m)ⁿ, and likewise for the least one; too near the middle and too far out both count. It detects a
    wrong limit of a bounded law far better than the standard deviation does: n elements fill the support to about 1/n.
    ``slack`` is the rounding error that may have moved an element in or out.
    """
    # The support has its own check; at its limits float32 does not resolve one cell of its grid from the next.
    least = 0.0 if law.family == "normal" else 2.0**-23

    def test(sample: Sample) -> tuple[float, float]:
        n = len(sample)
        ends = np.array([-sample.min(), sample.max()])
        # The law is symmetric: both ends are judged in the lower tail, which floating point resolves.
        short, far = (_counts(n, cdf(law, -ends - side), least) for side in (slack, -slack))
        p_value = min(*(math.exp(count) for count in short), *(-math.expm1(count) for count in far))
        return float(ends[np.argmax(np.abs(ends))]), min(1.0, 4 * p_value)

    return test


def magnitude_test(law: ElementLaw) -> Test:
    """Whether the element farthest from the middle lies where that of n independent ones does, too near or too far."""
    least = 0.0 if law.family == "normal" else 2.0**-22  # both ends; see ``extremes_test``

    def test(sample: Sample) -> tuple[float, float]:
        farthest = max(float(sample.max()), -float(sample.min()))
        (count,) = _counts(len(sample), 2 * cdf(law, np.array([-farthest])), least)
        return farthest, min(1.0, 2 * min(math.exp(count), -math.expm1(count)))

    return test


def _counts(n: int, tails: Sample, least: float) -> list[float]:
    """The logarithm of the chance that none of n elements lies in a tail, for each tail."""
    return [n * math.log1p(-min(max(float(tail), least), 1 - 1e-16)) for tail in tails]


def resolution_test(bits: int) -> Test:
    """Whether no more elements coincide than draws on a grid of 2^bits equally likely values would.

    The number of coinciding pairs is Poisson with expectation n²/2^(bits+1).
    """

    def test(sample: Sample) -> tuple[float, float]:
        from scipy.special import pdtrc

        n = len(sample)
        repeated = n - len(np.unique(sample))
        return float(repeated), float(pdtrc(repeated - 1, n * n / 2.0 ** (bits + 1))) if repeated else 1.0

    return test


def samples_for_scale(effect: float, kurtosis: float, false_alarm_rate: float, groups: int, slack: float = 0.0) -> int:
    """The sample size that detects a relative error of the standard deviation, in each of two tests with power √0.999.

    n = (κ−1)/4 · ((z_{1−α/2G} + z_{0.9995}) / (ln(1+e) − slack))²: the scale test's z has expectation
    (ln(1+e) − slack)·√(4n/(κ−1)).
    """
    quantiles = _limit(false_alarm_rate, groups) + _reserve()
    return math.ceil((kurtosis - 1) / 4 * (quantiles / (math.log1p(effect) - slack)) ** 2)


def samples_for_shift(effect: float, false_alarm_rate: float, groups: int, spread: float = 1.0) -> int:
    """The sample size that detects a mean (or a correlation) of ``effect`` standard deviations, likewise.

    n = ((z_{1−α/2G} + spread·z_{0.9995}) / e)², where ``spread`` is the score's standard deviation under the effect.
    """
    return math.ceil(((_limit(false_alarm_rate, groups) + spread * _reserve()) / effect) ** 2)


def samples_for_distance(effect: float, false_alarm_rate: float, groups: int) -> int:
    """The sample size that detects distribution functions ``effect`` apart, beyond the slack, likewise.

    n = ((√(−½·ln(α/2G)) + ½·z_{0.9995}) / e)²: Kolmogorov's tail is 2·exp(−2x²), and the empirical distribution
    function has a standard deviation of at most ½/√n where the two are farthest apart.
    """
    limit = math.sqrt(-math.log(false_alarm_rate / (2 * groups)) / 2)
    return math.ceil(((limit + _reserve() / 2) / effect) ** 2)


def samples_for_limit(effect: float, false_alarm_rate: float, groups: int) -> int:
    """The sample size that detects with certainty that a bounded law ends short of its limits by ``effect``.

    n = ln(4G/α) / −ln(1 − tail): the extremes' p-value is 4·(1 − tail)ⁿ at most. The tail is that of the truncated
    normal law, whose ends are thinner than the uniform law's.
    """
    law = unit_law("truncated_normal")
    tail = float(cdf(law, np.array([law.support[0] * (1 - effect)]))[0])
    return math.ceil(math.log(4 * groups / false_alarm_rate) / -math.log1p(-tail))


def samples_for_tail(tail: float, false_alarm_rate: float, groups: int) -> int:
    """The sample size that detects with certainty that a tail is missing: the p-value is 2·(1 − tail)ⁿ at most."""
    return math.ceil(math.log(2 * groups / false_alarm_rate) / -math.log1p(-tail))


def samples_for_repeats(chance: float, bits: int, false_alarm_rate: float, groups: int, shapes: int = 1) -> int:
    """The sample size in each shape that detects that two elements coincide with that chance, not with 2^-bits.

    Both counts of coinciding pairs are Poisson; the effect is missed if it is missed in every shape.
    """
    from scipy.special import pdtr, pdtrc

    n = 100
    while True:
        pairs = n * n / 2
        least = next(k for k in itertools.count(1) if pdtrc(k - 1, pairs / 2.0**bits) < false_alarm_rate / groups)
        if pdtr(least - 1, pairs * chance) ** shapes <= 1 - LOOK_POWER:
            return n
        n = math.ceil(1.02 * n)


def _limit(false_alarm_rate: float, groups: int) -> float:
    """The score above which the most suspicious of several groups fails."""
    from scipy.special import ndtri

    return float(-ndtri(false_alarm_rate / (2 * groups)))


def _reserve() -> float:
    """The distance of the expected score above that limit, in standard deviations, for the required power."""
    from scipy.special import ndtri

    return float(ndtri(LOOK_POWER))
