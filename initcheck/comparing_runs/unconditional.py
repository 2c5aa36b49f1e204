"""Exact tests of shares that are not conditioned on how many runs differ: they miss less at the same false-alarm rate.

A conditional test, of Fisher's or McNemar's kind, rejects only what is rare among the samples with as many events as
were seen. Where few are possible its p-values jump, and it stays far below its level. Here its p-value only orders the
samples: what counts is how often one as small or smaller comes up, for the share of events that makes this most
frequent. Sources: Boschloo 1970, Raised conditional level of significance for the 2 × 2-table; Suissa & Shuster 1991,
The 2 × 2 matched-pairs trial.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.statistics.estimates import Values

MOST_RUNS = 600  # of both sides, or pairs: beyond them the conditional test loses little, and this one takes seconds
_FINE = 80  # shares of events that are tried, for each root of the number of runs
_BETWEEN = 1.002  # the largest value over the largest that was tried: measured, less than a thousandth above 1
_ROUNDING = 1 + 1e-9
_ROUNDS = 40  # of a bisection, to the last digits


@dataclass(frozen=True, eq=False)
class ShareTest:
    """A test of one size of samples.

    Attributes:
        p_values: Conditional p-values, shape ``(events + 1, outcomes)``: of so many events, so many of them of one
            kind; 2 where no outcome is.
        chances: Of each outcome, given its row's number of events, if nothing has changed.
        events: Chance of each number of events, shape ``(shares, events + 1)``, for each share that was tried.
    """

    p_values: Values
    chances: Values
    events: Values

    def p_value(self, conditional: float) -> float:
        """The p-value of an outcome that has this conditional one; never greater than it."""
        sizes = np.where(self.p_values <= conditional * _ROUNDING, self.chances, 0.0).sum(axis=1)
        return min(conditional, 1.0, float((self.events @ sizes).max()) * _BETWEEN)

    def level(self, alpha: float) -> float:
        """The conditional p-value up to which outcomes have a p-value below ``alpha``: its logarithm, by bisection."""
        low, high = math.log(alpha), 0.0
        for _ in range(_ROUNDS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.p_value(math.exp(middle)) < alpha else (low, middle)
        return math.exp(low)


def shares_p_value(old: tuple[int, int], new: tuple[int, int], conditional: float) -> float:
    """The p-value of two samples' shares being equal, from that of the permutation test.

    Args:
        old: The count and the size of the first sample.
        new: Those of the second.
        conditional: The permutation test's p-value; given back where the samples are large.
    """
    sizes = old[1], new[1]
    return conditional if sum(sizes) > MOST_RUNS else two_samples(*sizes).p_value(conditional)


def signs_p_value(pairs: int, conditional: float) -> float:
    """The p-value of as many pairs going up as down, from that of the sign test; as above."""
    return conditional if pairs > MOST_RUNS else signs(pairs).p_value(conditional)


def shares_power(sizes: tuple[int, int], shares: tuple[float, float], alpha: float) -> float:
    """The power of the test of two samples of those sizes at that level, if those are the true shares."""
    from scipy import stats

    test = two_samples(*sizes)
    one, two = (np.arange(size + 1) for size in sizes)
    rejected = test.p_values[one[:, np.newaxis] + two, one[:, np.newaxis]] <= _level(test, alpha)
    chances = [
        stats.binom.pmf(counts, size, share) for counts, size, share in zip((one, two), sizes, shares, strict=True)
    ]
    return float(chances[0] @ rejected @ chances[1])


def signs_power(pairs: int, up: float, down: float, alpha: float) -> float:
    """The power of the sign test, if a pair goes up and down with those chances."""
    from scipy import stats

    test = signs(pairs)
    events = np.arange(pairs + 1)[:, np.newaxis]
    rejected = test.p_values <= _level(test, alpha)
    kinds = stats.binom.pmf(np.arange(pairs + 1), events, up / (up + down) if up + down else 0.5)
    power = np.where(rejected, kinds, 0.0).sum(axis=1)
    return float(stats.binom.pmf(events[:, 0], pairs, min(1.0, up + down)) @ power)


@functools.lru_cache(maxsize=8)
def _level(test: ShareTest, alpha: float) -> float:
    return test.level(alpha)


@functools.lru_cache(maxsize=8)
def two_samples(old: int, new: int) -> ShareTest:
    """The test of two samples: an event is a run of either that has the property, its kind the sample."""
    from scipy import stats

    events, kinds = np.arange(old + new + 1)[:, np.newaxis], np.arange(old + 1)
    chances = np.nan_to_num(stats.hypergeom.pmf(kinds, old + new, events, old))
    return _test(chances, np.abs(kinds - events * (old / (old + new))))


@functools.lru_cache(maxsize=8)
def signs(pairs: int) -> ShareTest:
    """The test of pairs: an event is a pair that differs, its kind the direction."""
    from scipy import stats

    events, kinds = np.arange(pairs + 1)[:, np.newaxis], np.arange(pairs + 1)
    return _test(stats.binom.pmf(kinds, events, 0.5), np.abs(kinds - events / 2))


def _test(chances: Values, distances: Values) -> ShareTest:
    """The test whose conditional p-values say how often an outcome is as far from what is expected."""
    total = len(chances) - 1
    far = np.where(chances > 0, np.rint(distances * 1e6), -1).astype(np.int64)  # equal distances, but for rounding
    order = np.argsort(-far, axis=1, kind="stable")
    sums = np.cumsum(np.take_along_axis(chances, order, axis=1), axis=1)
    ordered = np.take_along_axis(far, order, axis=1)
    p_values = np.empty_like(chances)
    np.put_along_axis(p_values, order, _at_last_equal(ordered, sums), axis=1)
    p_values[far < 0] = 2.0
    angles = np.linspace(0, math.pi / 2, 3 + math.ceil(_FINE * math.sqrt(total)))
    return ShareTest(p_values, chances, _binomials(total, np.sin(angles) ** 2))


def _at_last_equal(keys: npt.NDArray[np.int64], values: Values) -> Values:
    """In each row, for each place the value at the last place that has the same key; equal keys are neighbours."""
    places = np.arange(keys.shape[1])
    ends = np.ones_like(keys, dtype=bool)
    ends[:, :-1] = keys[:, 1:] != keys[:, :-1]
    last = np.minimum.accumulate(np.where(ends, places, keys.shape[1])[:, ::-1], axis=1)[:, ::-1]
    ends_of_ties: Values = np.take_along_axis(values, last, axis=1)
    return ends_of_ties


def _binomials(total: int, shares: Values) -> Values:
    """The chances of 0 to ``total`` events, shape ``(shares, total + 1)``."""
    from scipy import stats

    chances: Values = stats.binom.pmf(np.arange(total + 1), total, shares[:, np.newaxis])
    return chances
