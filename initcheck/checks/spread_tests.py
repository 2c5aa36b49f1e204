"""Fresh runs of a cell against its bound: four statistics, each with its p-value and whether it is settled.

Pure statistics. A finding is settled where its confidence interval lies within the effect that the check is about: then
more runs would change nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

from initcheck.bounds import Bound
from initcheck.statistics.counts import Counts, difference_p_value
from initcheck.statistics.goodness import LOOK_POWER

MEAN_SHIFT = 0.2  # standard deviations
SPREAD_RATIO = 1.2
STRAYS = 0.02  # share of runs that is distinguished from a rare one, or from none
_RARE = 0.01
STAGE = 1000  # reseeds taken at a time
MOST_RESEEDS = 8 * STAGE
_TESTS = 4  # p-values of a cell; it is judged by the least of them times 4

# The error of the second kind is split: half for the last test, half for settling too early at one of the stages.
_MISSED = (1 - LOOK_POWER) / 2
_SURE = float(stats.norm.isf(_MISSED * STAGE / MOST_RESEEDS))


@dataclass(frozen=True)
class SpreadFinding:
    """One statistic of fresh runs against calibration.

    Attributes:
        what: Both values, in words.
        p_value: Its p-value times the number of statistics of a cell, at most 1.
        effect: The difference: of means in standard deviations, of stddevs as ratio − 1, else of shares.
        settled: Whether it lies within the effect that the check is about, with confidence.
    """

    what: str
    p_value: float
    effect: float
    settled: bool


def needed_reseeds(old: Counts, alpha: float) -> int:
    """Returns how many fresh reseeds, in complete stages, detect the effects with power √0.999.

    For a mean off by 0.2 σ: (z/0.2)² with z = z(α/8) + z(power); for a standard deviation off by a fifth: (z/ln 1.2)²
    times (κ − 1)/4, κ being the calibration's kurtosis, as var(ln s) = (κ − 1)/4n. With N runs at calibration, 1/n is
    less by 1/N. Where the runs are nearly constant, one stage detects two strays in a hundred.
    """
    if is_nearly_constant(old):
        return STAGE
    alone = _needed_alone(old, alpha)
    if alone >= old.n:
        return 10**9  # the calibration itself is too small
    return STAGE * math.ceil(1 / (1 / alone - 1 / old.n) / STAGE)


def needed_calibration(old: Counts, alpha: float) -> int:
    """Returns the fewest reseeds at calibration with which a check can pass, given such counts.

    The inverse of ``needed_reseeds``; 0 if no calibration is large enough.
    """
    if is_nearly_constant(old):
        return 1
    alone = _needed_alone(old, alpha)
    return math.ceil(1 / (1 / alone - 1 / MOST_RESEEDS)) if alone < MOST_RESEEDS else 0


def _needed_alone(old: Counts, alpha: float) -> float:
    """Returns how many fresh reseeds are needed with a calibration of unlimited size."""
    distance = float(stats.norm.isf(alpha / _TESTS / 2) + stats.norm.isf(_MISSED))
    return max((distance / MEAN_SHIFT) ** 2, (old.kurtosis - 1) / 4 * (distance / math.log(SPREAD_RATIO)) ** 2)


def is_nearly_constant(old: Counts) -> bool:
    """Whether at least 99 % of the runs end at one accuracy."""
    return bool(old.counts.max() >= (1 - _RARE) * old.n)


def compare(bound: Bound, fresh: Bound) -> list[SpreadFinding]:
    """Mean, stddev, runs outside of the 95 % interval and collapses; only strays if the runs are nearly constant."""
    old, new = bound.counts, fresh.counts
    collapses = _compare_shares("collapsed", bound.collapsed, old.n, fresh.collapsed, new.n)
    unit = bound.unit
    if is_nearly_constant(old):
        usual = int(old.values[old.counts.argmax()])
        return [_compare_outside(f"not at {_level(usual, unit)}", (usual, usual), old, new), collapses]
    low, high = ends = old.tolerance_interval(0.95)
    outside = _compare_outside(f"outside of {_level(low, unit)} to {_level(high, unit)}", ends, old, new)
    return [_compare_means(old, new, unit), _compare_spreads(old, new, unit), outside, collapses]


def _level(count: float, unit: float | None) -> str:
    """A count of rows, or a score that is counted in units."""
    return f"{count}" if unit is None else f"{count * unit:.6g}"


def _compare_means(old: Counts, new: Counts, unit: float | None) -> SpreadFinding:
    shift = (new.mean - old.mean) / old.stddev
    error = math.sqrt(1 / old.n + 1 / new.n)
    return SpreadFinding(
        f"mean {new.mean:.3f} rows right, {old.mean:.3f} at calibration"
        if unit is None
        else f"mean {_level(new.mean, unit)}, {_level(old.mean, unit)} at calibration",
        min(1.0, _TESTS * difference_p_value(old, new, lambda values: values)),
        shift,
        abs(shift) + _SURE * error < MEAN_SHIFT,
    )


def _compare_spreads(old: Counts, new: Counts, unit: float | None) -> SpreadFinding:
    ratio = new.stddev / old.stddev
    error = math.sqrt((old.kurtosis - 1) / 4 * (1 / old.n + 1 / new.n))
    return SpreadFinding(
        f"standard deviation {new.stddev:.3f}, {old.stddev:.3f} at calibration"
        if unit is None
        else f"standard deviation {_level(new.stddev, unit)}, {_level(old.stddev, unit)} at calibration",
        min(1.0, _TESTS * difference_p_value(old, new, lambda values: (values - old.mean) ** 2)),
        ratio - 1,
        ratio > 0 and abs(math.log(ratio)) + _SURE * error < math.log(SPREAD_RATIO),
    )


def _compare_outside(what: str, ends: tuple[int, int], old: Counts, new: Counts) -> SpreadFinding:
    return _compare_shares(what, old.outside(*ends), old.n, new.outside(*ends), new.n)


def _compare_shares(what: str, old: int, of_old: int, new: int, of_new: int) -> SpreadFinding:
    """Two shares, exactly, given how many there are in both; a rare one may not become common. Source: Fisher 1934."""
    p_value = float(stats.fisher_exact([[old, of_old - old], [new, of_new - new]]).pvalue)
    upper = float(stats.beta.isf(_MISSED, new + 1, of_new - new)) if new < of_new else 1.0
    return SpreadFinding(
        f"{new} of {of_new} runs {what}, {old} of {of_old} at calibration",
        min(1.0, _TESTS * p_value),
        new / of_new - old / of_old,
        old > _RARE * of_old or upper < old / of_old + STRAYS,
    )
