"""Accuracies over reseeds, old and new: equivalent, changed, or inconclusive."""

from __future__ import annotations

import math

import numpy as np

from initcheck.baselines.comparing.classes import Class
from initcheck.baselines.comparing.comparison import CellKey, ComparedCell
from initcheck.baselines.records.training_records import AccuraciesRecord
from initcheck.statistics.counts import Counts, difference_p_value
from initcheck.statistics.estimates import CONFIDENCE, Estimate, Values
from initcheck.statistics.exact_tests import spread_p_value

DELTA = 0.01  # of accuracy: one held-out row in a hundred
_LEAST_REACH = 0.1  # 10 points
TESTS = 3  # p-values of a cell: two of the mean, one of the spread


def compare_accuracies(
    key: CellKey, old: AccuraciesRecord, new: AccuraciesRecord, rows: int, *, paired: bool, alpha: float
) -> ComparedCell:
    """The cell of one problem and initializer.

    Accuracies are equivalent where the 95 % interval of the difference of their means lies inside ±``DELTA`` and their
    spread does not differ.

    Args:
        key: The cell's key.
        old: The old accuracies.
        new: The new ones.
        rows: The number of held-out rows of both.
        paired: Whether equal reseeds start from equal weights, so that their runs may be compared pair by pair.
        alpha: The false-alarm rate of each of its ``TESTS`` p-values.
    """
    if old.correct == new.correct:
        return ComparedCell(key, Class.IDENTICAL)
    common = min(len(old.correct), len(new.correct))
    mine, other = (np.array(one.correct[: common if paired else None]) for one in (old, new))
    gap = difference(mine / rows, other / rows, paired=paired, least=_LEAST_REACH)
    how = f"{len(mine)} and {len(other)} runs, {'paired by seed' if paired else 'unpaired'}"
    moved = f"mean accuracy {mine.mean() / rows:.4f} → {other.mean() / rows:.4f}"
    if math.isnan(gap.low):
        return ComparedCell(key, Class.INCONCLUSIVE, note=f"{moved}; too few runs for an interval ({how})")
    inside = gap.low > -DELTA and gap.high < DELTA
    mean_p, spread_p = _p_values(mine, other, paired=paired)
    note = (
        f"{moved}, difference {gap.value:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}], "
        f"{'inside' if inside else 'not inside'} ±{DELTA:g}; "
        f"spread {mine.std(ddof=1) / rows:.4f} → {other.std(ddof=1) / rows:.4f} "
        f"(p {spread_p:.2g}); {how}"
    )
    if spread_p < alpha or (mean_p < alpha and not inside):
        return ComparedCell(key, Class.CHANGED, note=note)
    return ComparedCell(key, Class.SAME_DISTRIBUTION if inside else Class.INCONCLUSIVE, note=note)


def difference(old: Values, new: Values, *, paired: bool, least: float) -> Estimate:
    """The difference of two means, with its 95 % interval.

    As Agresti and Coull 1998 do with shares, an observation at either end of what was seen is added to each sample, so
    that runs that happened to agree do not give an interval without width.

    Args:
        old: Scores of runs, shape ``(runs,)``.
        new: The same; of the same reseeds if paired.
        paired: Whether to take the differences run by run.
        least: The least distance of the two ends, around the middle of what was seen.
    """
    from scipy import stats

    value = float(new.mean() - old.mean())
    if min(len(old), len(new)) < 2:
        return Estimate(value, math.nan, math.nan)
    low, high = float(min(old.min(), new.min())), float(max(old.max(), new.max()))
    reach, middle = max(high - low, least), (low + high) / 2
    if paired:
        samples = [np.append(new - old, [-reach, reach])]
    else:
        samples = [np.append(one, [middle - reach / 2, middle + reach / 2]) for one in (old, new)]
    error = math.sqrt(sum(float(one.var(ddof=1)) / len(one) for one in samples))
    half = float(stats.t.isf((1 - CONFIDENCE) / 2, min(map(len, samples)) - 1)) * error
    return Estimate(value, value - half, value + half)


def _p_values(old: np.ndarray, new: np.ndarray, *, paired: bool) -> tuple[float, float]:
    """The p-values of equal means, by two tests where runs are paired, and of equal spreads."""
    from scipy import stats

    mean_p = difference_p_value(Counts.of(old), Counts.of(new), lambda values: values)
    spread_p = spread_p_value(old, new, paired=paired)
    up, down = int((new > old).sum()) if paired else 0, int((new < old).sum()) if paired else 0
    if up + down:
        mean_p = min(mean_p, float(stats.binomtest(up, up + down).pvalue))
    return min(1.0, mean_p), spread_p
