"""Cells of a user's own model: its training stage by stage, and its score over reseeds."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from initcheck.baselines.comparing.accuracy import DELTA, difference
from initcheck.baselines.comparing.classes import RELATIVE_DELTA, Class, worst
from initcheck.baselines.comparing.comparison import CellKey, ComparedCell
from initcheck.baselines.comparing.trace_cells import compare_traces
from initcheck.baselines.records.training_records import ModelRecord, Stage
from initcheck.statistics.exact_tests import as_levels, permutation_p_value, sign_flip_p_value

MODEL_TESTS = 1  # p-values of a cell


def compare_models(key: CellKey, old: ModelRecord, new: ModelRecord, alpha: float) -> ComparedCell:
    """The cell of one model.

    Its training is judged by its stages, as those of problems are. Another stream of initial weights is judged by the
    scores over reseeds alone: that its weights are drawn as documented is for the doctor to say.

    Args:
        key: The cell's key.
        old: The old record.
        new: The new one.
        alpha: The false-alarm rate of its p-value.
    """
    if (old.held_out_rows, old.score) != (new.held_out_rows, new.score):
        return ComparedCell(
            key, Class.CHANGED, note="the held-out rows or the score differ: other data, or another model"
        )
    initial = [one.trace.stages[Stage.INITIAL_WEIGHTS].digest for one in (old, new)]
    found, note = _compare_scores(old, new, paired=initial[0] == initial[1], alpha=alpha)
    cell = compare_traces(
        key, old.trace, new.trace, rows=old.held_out_rows, law=found, roundings=0, order=None, accuracies=found
    )
    within = cell.found.rank <= Class.WITHIN_TOLERANCE.rank
    whole = worst([cell.found] if within and found is not Class.CHANGED else [cell.found, found])
    return dataclasses.replace(cell, found=whole, note="; ".join(filter(None, (cell.note, note))))


def _compare_scores(old: ModelRecord, new: ModelRecord, *, paired: bool, alpha: float) -> tuple[Class, str]:
    """The class of the scores over reseeds, and their means in words."""
    mine, other = (np.array([float(value) for value in one.scores]) for one in (old, new))
    if not len(mine) or not len(other):
        return Class.INCONCLUSIVE, "no scores over reseeds were recorded"
    if old.scores == new.scores:
        return Class.IDENTICAL, ""
    common = min(len(mine), len(other))
    if paired:
        mine, other = mine[:common], other[:common]
    how = f"{len(mine)} and {len(other)} runs, {'paired by seed' if paired else 'unpaired'}"
    if not (np.isfinite(mine).all() and np.isfinite(other).all()):
        return Class.INCONCLUSIVE, f"{old.score} is no number in some runs ({how})"
    delta = DELTA if old.is_share else RELATIVE_DELTA * abs(float(mine.mean()))
    gap = difference(mine, other, paired=paired, least=delta)
    words = f"mean {old.score} {mine.mean():.4g} → {other.mean():.4g}"
    if math.isnan(gap.low):
        return Class.INCONCLUSIVE, f"{words}; too few runs for an interval ({how})"
    levels = as_levels(mine, other)
    p_value = sign_flip_p_value(levels[1] - levels[0]) if paired else permutation_p_value(*levels)
    inside = gap.low > -delta and gap.high < delta
    note = (
        f"{words}, difference {gap.value:+.3g} [{gap.low:+.3g}, {gap.high:+.3g}], "
        f"{'inside' if inside else 'not inside'} ±{delta:.3g}; p {p_value:.2g}; {how}"
    )
    if p_value < alpha and not inside:
        return Class.CHANGED, note
    return (Class.SAME_DISTRIBUTION if inside else Class.INCONCLUSIVE), note
