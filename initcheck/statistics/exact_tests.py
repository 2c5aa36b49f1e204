"""Permutation tests of two samples of integers, valid for any distribution and any number of runs."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from initcheck.statistics.counts import Counts, difference_p_value
from initcheck.statistics.estimates import Values

Integers = npt.NDArray[np.int64]

_LEVELS = 1000  # of a score with any value
_MOST_STEPS = 100_000_000  # additions: a tenth of a second; beyond them values are rounded
_MOST_ROUNDED_STEPS = 500_000_000  # rarely needed, and worth a second or two
_MOST_SLACK = 0.2  # standard deviations of the sum that rounding may hide; beyond that the tail is approximated


def as_levels(old: Values, new: Values) -> tuple[Integers, Integers]:
    """Both samples in whole numbers, as thousandths of their common range."""
    both = np.concatenate([old, new])
    step = float(np.ptp(both)) / _LEVELS or 1.0
    levels = np.rint((both - both.min()) / step).astype(np.int64)
    return levels[: len(old)], levels[len(old) :]


def sign_flip_p_value(differences: Integers) -> float:
    """Two-sided p-value of the mean of paired differences, if the two of a pair are exchangeable.

    Exact: the probability that random signs give a sum as far from 0. For very many pairs the tail is the normal one
    with Yates's correction; a sum of random signs has lighter tails, so the p-value is never too small. Source:
    Fisher 1935, The Design of Experiments, section 21.

    Args:
        differences: One for each pair, shape ``(pairs,)``.
    """
    from scipy import stats

    sizes = np.abs(differences[differences != 0])
    if not len(sizes):
        return 1.0
    step = int(np.gcd.reduce(sizes))
    sizes = np.sort(sizes // step)
    total, distance = int(sizes.sum()), abs(int(differences.sum())) // step
    if len(sizes) * total > _MOST_STEPS:
        return min(1.0, float(2 * stats.norm.sf((distance - 1) / math.sqrt(float((sizes.astype(float) ** 2).sum())))))
    chances = np.zeros(total + 1)  # of the sum of those differences that are positive
    chances[0], reach = 1.0, 0
    for size in map(int, sizes):
        reach += size
        chances[: reach + 1] /= 2
        chances[size : reach + 1] += chances[: reach + 1 - size].copy()
    positive = (total + distance + 1) // 2  # at least so much of the total has to be positive
    return min(1.0, 2 * float(chances[positive:].sum())) if distance else 1.0


def permutation_p_value(old: Integers, new: Integers) -> float:
    """Two-sided p-value of the difference of two samples' means, if one distribution gave both.

    Exact: the probability that a random division of all values into two samples gives means as far apart. Where that
    takes too many steps, values are rounded, and divisions that rounding may have moved nearer count too: the p-value
    is no smaller than the exact one. Where that would matter, for very many values in either sample,
    ``difference_p_value`` approximates the tail. Source: Pitman 1937, Significance tests which may be applied to
    samples from any populations.

    Args:
        old: The first sample, shape ``(runs,)``.
        new: The second sample, shape ``(runs,)``.
    """
    values = np.concatenate([old, new])
    few = min(len(old), len(new))
    scores = values - values.min()
    if not scores.any():
        return 1.0
    scores = scores // int(np.gcd.reduce(scores))
    expected = few * float(scores.mean())
    smaller = scores[: len(old)] if len(old) <= len(new) else scores[len(old) :]
    distance = abs(float(smaller.sum()) - expected)
    steps = len(values) * few * int(np.sort(scores)[-few:].sum())
    if steps <= _MOST_STEPS:
        return _farther(scores, few, expected, distance)
    grid = math.ceil(steps / _MOST_ROUNDED_STEPS) + 1
    slack = few * grid / 2
    if slack > _MOST_SLACK * math.sqrt(few * float(scores.var()) * (len(values) - few) / (len(values) - 1)):
        return difference_p_value(Counts.of(old), Counts.of(new), lambda value: value)
    return _farther((scores + grid // 2) // grid, few, expected / grid, max(0.0, distance - slack) / grid)


def _farther(scores: Integers, few: int, expected: float, distance: float) -> float:
    """The probability that a random choice of ``few`` scores has a sum at least that far from the expected one."""
    # Values are chosen one after the other, each with the share still missing: probabilities for any n.
    most = int(np.sort(scores)[-few:].sum())
    joint = np.zeros((few + 1, most + 1))  # P(so many of the values so far are chosen, with that sum)
    joint[0, 0] = 1.0
    missing = np.arange(few, -1, -1.0)[:, np.newaxis]
    reached = 0  # the largest sum so far
    for left, score in zip(range(len(scores), 0, -1), map(int, np.sort(scores)), strict=True):
        chosen = np.minimum(1.0, missing / left)
        moved = joint[:-1, : min(reached, most - score) + 1] * chosen[:-1]
        joint[:, : reached + 1] *= 1 - chosen
        joint[1:, score : score + moved.shape[1]] += moved
        reached = min(most, reached + score)
    far = np.abs(np.arange(most + 1) - expected) >= distance - 1e-9 * (1 + expected)
    return min(1.0, float(joint[few][far].sum()))


def min_pairs_for(alpha: float) -> int:
    """The least number of pairs for which the sign-flip test can give a p-value below ``alpha``."""
    return 1 + math.floor(1 - math.log2(alpha))


def min_runs_for(alpha: float) -> int:
    """The least number of runs in each sample for which the permutation test can give a p-value below ``alpha``."""
    runs = 1
    while 2 / math.comb(2 * runs, runs) >= alpha:
        runs += 1
    return runs


def spread_p_value(old: Integers, new: Integers, *, paired: bool) -> float:
    """Two-sided p-value of equal spread: the greater of two tests of the mean absolute deviations.

    With deviations from the median of both samples, the test is exact if both have one distribution, but it also
    detects a mere shift. With deviations from each sample's own median (Brown & Forsythe 1974) it ignores a shift, but
    is only approximate, as few values lie closer to their own median than to the distribution's.
    """
    first, second = (int(np.median(2 * sample)) for sample in (old, new))
    both = int(np.median(np.concatenate([2 * old, 2 * new])))
    p_values = []
    for middles in ((both, both), (first, second)):
        one, two = (np.abs(2 * sample - middle) for sample, middle in zip((old, new), middles, strict=True))
        p_values.append(sign_flip_p_value(two - one) if paired else permutation_p_value(one, two))
    return max(p_values)
