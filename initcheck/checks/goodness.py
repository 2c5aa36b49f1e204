"""How likely a faultless generator is to look as a sample does: pure statistics, one p-value each.

Samples come standardized: the law's mean taken off, divided by its standard deviation. Where several p-values are
looked at together, the smallest is multiplied by their number (Bonferroni), so that each verdict has one p-value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.catalog.laws import ElementLaw
from initcheck.catalog.laws import Family as LawFamily

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
    found = []
    for name, sample in groups.items():
        value, p_value = test(sample)
        found.append(Finding(name, value, len(sample), min(1.0, p_value * len(groups))))
    return min(found, key=lambda one: one.p_value)


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


def two_sided(z: float) -> float:
    """The p-value of a standard normal score."""
    return math.erfc(abs(z) / math.sqrt(2))


def mean_test(slack: float = 0.0) -> Test:
    """The z test of a mean of zero, known standard deviation; ``slack`` is the rounding that may shift it."""

    def test(sample: Sample) -> tuple[float, float]:
        mean = float(sample.mean())
        return mean, two_sided(max(0.0, abs(mean) - slack) * math.sqrt(len(sample)))

    return test


def sign_test(sample: Sample) -> tuple[float, float]:
    """As many elements above the mean as below: the share above, and its p-value (binomial, by its normal limit)."""
    above = float(np.count_nonzero(sample > 0) + np.count_nonzero(sample == 0) / 2) / len(sample)
    return above, two_sided((2 * above - 1) * math.sqrt(len(sample)))


def scale_test(kurtosis: float, slack: float = 0.0) -> Test:
    """The z test of a standard deviation of 1 about the known mean: z = ln(s)·√(4n/(κ−1)), by the delta method.

    ``slack`` is the relative rounding that may change s.
    """

    def test(sample: Sample) -> tuple[float, float]:
        s = math.sqrt(float(np.mean(np.square(sample))))
        off = max(0.0, abs(math.log(s)) - slack) if s > 0 else math.inf
        return s, two_sided(off * math.sqrt(4 * len(sample) / (kurtosis - 1)))

    return test


def shape_test(law: ElementLaw, slack: float = 0.0) -> Test:
    """Kolmogorov and Smirnov's test: the largest distance of the distribution functions, beyond ``slack``."""

    def test(sample: Sample) -> tuple[float, float]:
        from scipy.special import kolmogorov

        n = len(sample)
        expected = cdf(law, np.sort(sample))
        steps = np.arange(n + 1) / n
        distance = float(max(np.max(steps[1:] - expected), np.max(expected - steps[:-1])))
        return distance, float(kolmogorov(max(0.0, distance - slack) * math.sqrt(n)))

    return test


def extremes_test(law: ElementLaw) -> Test:
    """Whether the least and the greatest element lie where those of n independent ones do.

    P(max ≤ m) = F(m)ⁿ, and so for the least one; too near the middle and too far out both count. It sees a wrong limit
    of a bounded law far more finely than its standard deviation does: n elements fill the support to about 1/n.
    """
    # Beyond a limit is the support's business; at it, float32 cannot tell one cell of its grid from the next.
    least = 0.0 if law.family == "normal" else 2.0**-23

    def test(sample: Sample) -> tuple[float, float]:
        n = len(sample)
        ends = np.array([-sample.min(), sample.max()])
        # The law is symmetric: both ends are judged in the lower tail, which floating point resolves.
        counts = [n * math.log1p(-min(max(float(tail), least), 1 - 1e-16)) for tail in cdf(law, -ends)]
        p_value = min(min(math.exp(count), -math.expm1(count)) for count in counts)
        return float(ends[np.argmax(np.abs(ends))]), min(1.0, 4 * p_value)

    return test


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


def samples_for_scale(effect: float, kurtosis: float, false_alarm_rate: float, groups: int) -> int:
    """How many elements show a relative error of the standard deviation with power 99.9 %.

    n = (κ−1)/4 · ((z_{1−α/2G} + z_{0.999}) / ln(1+e))²: the scale test's z has expectation ln(1+e)·√(4n/(κ−1)).
    """
    return math.ceil((kurtosis - 1) / 4 * (_quantiles(false_alarm_rate, groups) / math.log1p(effect)) ** 2)


def samples_for_shift(effect: float, false_alarm_rate: float, groups: int) -> int:
    """How many show a mean (or a correlation) of ``effect`` standard deviations with power 99.9 %."""
    return math.ceil((_quantiles(false_alarm_rate, groups) / effect) ** 2)


def _quantiles(false_alarm_rate: float, groups: int) -> float:
    from scipy.special import ndtri

    return float(ndtri(0.999) - ndtri(false_alarm_rate / (2 * groups)))
