"""Two samples of runs judged: the difference with its interval, the test, and what so many runs can show."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.comparing_runs.unconditional import (
    MOST_RUNS,
    shares_p_value,
    shares_power,
    signs_p_value,
    signs_power,
)
from initcheck.comparing_runs.verdicts import POWER, RunsVerdict
from initcheck.statistics.estimates import CONFIDENCE, Estimate, Values
from initcheck.statistics.exact_tests import (
    as_levels,
    min_pairs_for,
    min_runs_for,
    permutation_p_value,
    sign_flip_p_value,
)

Integers = npt.NDArray[np.int64]

# Observations added at either end of shares (Agresti & Coull 1998 add as many, z²/2): n runs that all agree then give
# an interval of ±3.9/n, where the exact limit of a share of which none was seen is 3.7/n.
ENDS = 2
_LEAST_END = 0.1  # of accuracy: by how much runs may differ that happened to agree
_MOST_RUNS = 10**9  # more are not asked for
_PRECISION = 1e-3  # of a share that is said to be seen
_ROUNDS = 20  # of a fixed point that is off by less than a hundredth after five


@dataclass(frozen=True)
class Measured:
    """A difference of two samples, before it is judged.

    Attributes:
        difference: The second less the first, with its 95 % interval; NaN where the samples are too few.
        p_value: Of the null hypothesis that both have one distribution.
        error: Standard error that n pairs, or n runs of each side, would have, with that added to one side's variance.
        runs: Pairs, or runs of the smaller side.
        paired: Whether they are pairs.
        counted: Whether only the runs that differ are evidence: those of a sign test, or of rare events.
        reach: How far from the mean a run that was not seen could be; 0 where the interval has it already.
        power: The exact chance that a difference of that size is seen at that level; None where that is not known.
    """

    difference: Estimate
    p_value: float
    error: Callable[[int, float], float]
    runs: int
    paired: bool
    counted: bool = False
    reach: float = 0.0
    power: Callable[[float, float], float] | None = None


def measure_accuracy(old: Integers, new: Integers, rows: int, *, paired: bool) -> Measured:
    """The difference of two mean accuracies.

    The tests are the sign-flip test of the differences, or the permutation test of two samples that are not paired. The
    interval is a t interval with observations at either end of what was seen, or 10 points around it.

    Args:
        old: Correctly classified held-out rows, shape ``(runs,)``.
        new: The same; of the same seeds where they are paired.
        rows: The held-out rows.
        paired: Whether they are.
    """
    one, two = old / rows, new / rows
    means = float(one.mean()), float(two.mean())
    reach = max(*means, *(1 - mean for mean in means))  # a run can collapse below chance, or learn where few do
    return _measure_means((one, two), (old, new), paired=paired, reach=reach, least_end=_LEAST_END, most=1.0)


def measure_score(old: Values, new: Values, *, paired: bool, reach: float, least_end: float) -> Measured:
    """The difference of two means of a score that may have any value.

    The same tests and interval as of accuracies. The tests are those of the values rounded to a thousandth of their
    range, which keeps them exact: the rounding does not depend on which sample a value is of. The interval adds
    observations at either end of what was seen.

    Args:
        old: The first sample, shape ``(runs,)``, finite.
        new: The second; of the same seeds where they are paired.
        paired: Whether they are.
        reach: How far from the mean a run that was not seen could be; what was seen counts, too.
        least_end: By how much runs may differ that happened to agree.
    """
    both = np.concatenate([old, new])
    seen = max(float(np.abs(both - sample.mean()).max()) for sample in (old, new))
    return _measure_means(
        (old, new), as_levels(old, new), paired=paired, reach=max(reach, seen), least_end=least_end, most=math.inf
    )


def _measure_means(
    values: tuple[Values, Values],
    levels: tuple[Integers, Integers],
    *,
    paired: bool,
    reach: float,
    least_end: float,
    most: float,
) -> Measured:
    """The difference of two means; ``levels`` are the values in whole numbers, ``most`` what a mean can be apart."""
    one, two = values
    if paired:
        samples, p_value = [two - one], sign_flip_p_value(levels[1] - levels[0])
        end = float(max(samples[0].max(), 0) - min(samples[0].min(), 0))
    else:
        samples, p_value = [two, -one], permutation_p_value(*levels)
        end = float(np.ptp(np.concatenate([one, two])))
    # Of unequal samples the smaller one's ends have to do alone; of equal ones, both sides' together.
    sizes = np.array([len(sample) for sample in samples], dtype=float)
    end = max(least_end, end) / (sizes.min() * math.sqrt(float((sizes**-2).sum())))
    around = [np.append(sample, sample.mean() + end * np.array([1.0, -1.0] * ENDS)) for sample in samples]
    value = float(two.mean() - one.mean())
    interval = _interval(around, value, value, most)
    return Measured(interval, p_value, _error(samples, end, ENDS), int(sizes.min()), paired, reach=reach)


def measure_net_share(old: Values, new: Values, *, paired: bool) -> Measured:
    """The share of comparisons that the second sample exceeds the first in, less those that it falls below it in.

    Of samples of 0 and 1 that is the difference of their shares; of any others it needs no more than an order, so that
    values may be infinite, and count as equal where both are. Tests: of pairs the sign test, which is McNemar's of 0
    and 1, and of samples of two values Fisher's, both unconditional up to ``MOST_RUNS``; of other samples the
    permutation test of midranks, which is Wilcoxon, Mann and Whitney's with its exact distribution under ties.
    Intervals: of the pairs' mean sign (Agresti & Min 2005); of Cliff's 1993 delta, which for 0 and 1 is Agresti &
    Caffo's 2000; both wider where they are skewed.

    Args:
        old: The first sample, shape ``(runs,)``.
        new: The second; of the same seeds where they are paired.
        paired: Whether they are.
    """
    if paired:
        signs = _signs(old, new)
        around = np.append(signs, [1.0, -1.0] * ENDS)
        interval = _interval([around], float(signs.mean()), float(around.mean()))
        error, n = _error([signs], 1.0, ENDS), len(signs)
        p_value = signs_p_value(n, sign_flip_p_value(signs.astype(np.int64)))
        return Measured(interval, p_value, error, n, paired, counted=True, power=_power_of_pairs(signs))
    mine, other = _midranks(old, new)
    p_value = permutation_p_value(mine, other)
    seen = [_placements(mine, other), -_placements(other, mine)]
    # The added ends lie beyond all others, in either sample.
    ends = np.array([np.iinfo(np.int64).max, np.iinfo(np.int64).min] * ENDS)
    mine, other = np.append(mine, ends), np.append(other, ends)
    ended = [_placements(mine, other), -_placements(other, mine)]
    interval = _interval(ended, float(seen[0].mean()), float(ended[0].mean()))
    few = min(len(old), len(new))
    values = np.unique(np.concatenate([old, new]))
    if len(values) > 2:
        return Measured(interval, p_value, _error(seen, 1.0, ENDS), few, paired)
    counts = int((old == values[-1]).sum()), int((new == values[-1]).sum())  # of two values the commoner says nothing
    p_value = shares_p_value((counts[0], len(old)), (counts[1], len(new)), p_value)
    power = _power_of_samples((len(old), len(new)), sum(counts) if len(values) > 1 else 0)
    return Measured(interval, p_value, _error(seen, 1.0, ENDS), few, paired, counted=True, power=power)


def _power_of_pairs(signs: Values) -> Callable[[float, float], float] | None:
    """The power of the sign test, where the change adds to the pairs that differ anyway."""
    pairs, differ = len(signs), int(np.abs(signs).sum())
    if pairs > MOST_RUNS:
        return None
    share = (differ + ENDS) / (pairs + 2 * ENDS)

    def power(effect: float, alpha: float) -> float:
        both = min(1.0, share + effect)
        return signs_power(pairs, (both + effect) / 2, (both - effect) / 2, alpha)

    return power


def _power_of_samples(sizes: tuple[int, int], count: int) -> Callable[[float, float], float] | None:
    """The power of the test of two shares, where the first is the share of both together."""
    if sum(sizes) > MOST_RUNS:
        return None
    share = (count + ENDS) / (sum(sizes) + 2 * ENDS)
    share = min(share, 1 - share)

    def power(effect: float, alpha: float) -> float:
        return shares_power(sizes, (share, min(1.0, share + effect)), alpha)

    return power


def net_share(old: Values, new: Values, *, paired: bool) -> float:
    """The net share of ``measure_net_share`` alone."""
    return float((_signs(old, new) if paired else _placements(*_midranks(old, new))).mean())


def judge(measured: Measured, delta: float, alpha: float) -> tuple[RunsVerdict, float, int]:
    """The verdict of a difference, the smallest one that so many runs show, and how many show ``delta``.

    Args:
        measured: The difference.
        delta: The allowed difference.
        alpha: The false-alarm rate of its p-value.
    """
    low, high = measured.difference.low, measured.difference.high
    inside = low > -delta and high < delta  # never with NaN
    if measured.p_value < alpha and not inside:
        verdict = RunsVerdict.CHANGED
    elif inside and measured.runs >= runs_that_show_a_rare_outcome(measured.reach, delta):
        verdict = RunsVerdict.EQUIVALENT
    else:
        verdict = RunsVerdict.INCONCLUSIVE
    shown, asked = _shown(measured, alpha), needed(measured, delta, alpha)
    if shown <= delta:
        asked = min(asked, max(measured.runs, runs_that_show_a_rare_outcome(measured.reach, delta)))
    return verdict, max(delta, shown), asked


def _shown(measured: Measured, alpha: float) -> float:
    """The difference that is seen with power ``POWER``, exactly where that is known; infinite where none is."""
    if measured.power is None:
        return detectable(measured, measured.runs, alpha)
    if measured.power(1.0, alpha) < POWER:
        return math.inf
    low, high = 0.0, 1.0
    while high - low > _PRECISION:
        middle = (low + high) / 2
        low, high = (low, middle) if measured.power(middle, alpha) >= POWER else (middle, high)
    return high


def runs_that_show_a_rare_outcome(reach: float, delta: float) -> int:
    """The runs that show a rare outcome with chance 97.5 %, where such outcomes move the mean by ``delta``.

    With fewer runs, equal samples are no sign of equal means.

    Args:
        reach: How far the outcome is from the mean of all others.
        delta: The allowed change of the mean.
    """
    if reach <= delta:
        return 0
    return math.ceil(math.log((1 - CONFIDENCE) / 2) / math.log1p(-delta / reach))


def detectable(measured: Measured, runs: int, alpha: float) -> float:
    """The difference that so many runs show at that level with power ``POWER``; infinite where none can be shown."""
    from scipy import special

    least = min_pairs_for(alpha) if measured.paired or measured.counted else min_runs_for(alpha)
    if runs < max(2, least):
        return math.inf
    reach = -float(special.stdtrit(runs - 1, alpha / 2) + special.stdtrit(runs - 1, 1 - POWER))  # Student's t
    effect = reach * measured.error(runs, 0.0)
    if not measured.counted:  # where every run changes by all that it could, the test has its least p-value
        return min(effect, measured.reach or 1.0)
    for _ in range(_ROUNDS):  # runs that become stuck spread more than those that were seen
        effect = min(1.0, reach * measured.error(runs, effect * (1 - effect)))
    # Of a sign test at least so many must differ, all in one direction: Clopper and Pearson's limit.
    return max(effect, float(special.betaincinv(least, runs - least + 1, POWER)))


def needed(measured: Measured, delta: float, alpha: float) -> int:
    """The number of runs that show a difference of ``delta``, a rare outcome's too, by bisection."""
    low, high = 1, 2
    while high < _MOST_RUNS and detectable(measured, high, alpha) > delta:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if detectable(measured, middle, alpha) <= delta else (middle, high)
    return max(high, runs_that_show_a_rare_outcome(measured.reach, delta))


def _error(samples: list[Values], end: float, ends: int) -> Callable[[int, float], float]:
    """The standard error of n runs like those samples, with the ends that the interval adds among them."""
    variances = [float(sample.var(ddof=1)) if len(sample) > 1 else 0.0 for sample in samples]

    def error(runs: int, more: float) -> float:
        squares = [runs * variance + 2 * ends * end**2 for variance in variances]
        return math.sqrt(runs * more + sum(squares)) / (runs + 2 * ends)  # a change adds its variance to one side

    return error


def _interval(samples: list[Values], value: float, middle: float, most: float = 1.0) -> Estimate:
    """A value with the t interval around a middle, from what each run adds: samples that have the ends among them."""
    from scipy import stats

    if min(map(len, samples)) - 2 * ENDS < 2:
        return Estimate(value, math.nan, math.nan)
    error = math.sqrt(sum(float(sample.var(ddof=1)) / len(sample) for sample in samples))
    half = float(stats.t.isf((1 - CONFIDENCE) / 2, min(map(len, samples)) - 1)) * error
    interval = Estimate(value, min(value, max(-most, middle - half)), max(value, min(most, middle + half)))
    return _for_skewness(interval, samples)


def _for_skewness(interval: Estimate, samples: Sequence[Values]) -> Estimate:
    """A t interval, wider on the side where values are rarer and farther: few of them were seen, and more may come.

    The end on that side is moved as Hall's interval moves both; the other one stays. Source: Hall 1992, On the removal
    of skewness by transformation, the quadratic term of the Edgeworth expansion.

    Args:
        interval: The interval.
        samples: What each run adds, to one mean or to two whose sum counts, shape ``(values,)`` each.
    """
    from scipy import stats

    second = third = 0.0
    for sample in samples:
        moved = sample - sample.mean()
        second += float(np.mean(moved**2)) / len(sample)
        third += float(np.mean(moved**3)) / len(sample) ** 2
    if not second or math.isnan(interval.low):
        return interval
    z = float(stats.norm.isf((1 - CONFIDENCE) / 2))
    shift = third / second * (2 * z**2 + 1) / 6
    return Estimate(interval.value, interval.low + min(0.0, shift), interval.high + max(0.0, shift))


def _signs(old: Values, new: Values) -> Values:
    """1 where the second is greater, −1 where it is smaller, 0 where both are equal, or both infinite."""
    signs: Values = (new > old).astype(np.float64) - (new < old)
    return signs


def _midranks(old: Values, new: Values) -> tuple[Integers, Integers]:
    """Twice the midranks among both, which are whole numbers."""
    from scipy import stats

    ranks = np.rint(2 * stats.rankdata(np.concatenate([old, new]))).astype(np.int64)
    return ranks[: len(old)], ranks[len(old) :]


def _placements(sample: Integers, other: Integers) -> Values:
    """For each value of a sample: the share of the other's values above it, less the share below it."""
    ordered = np.sort(other)
    above = len(ordered) - np.searchsorted(ordered, sample, side="right")
    below = np.searchsorted(ordered, sample, side="left")
    shares: Values = (above - below) / len(ordered)
    return shares
