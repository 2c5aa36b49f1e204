"""Cells of layers: each stage of each layer, and the first that differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from initcheck.baselines.comparing.classes import Class, worst
from initcheck.baselines.comparing.closeness import DRAW_ROUNDINGS, deviation, largest, ulp
from initcheck.baselines.comparing.comparison import AnyStage, CellKey, ComparedCell, Step
from initcheck.baselines.comparing.draw_cells import compare_weights
from initcheck.baselines.comparing.noise_laws import compare_noise
from initcheck.baselines.records.layer_records import COMPUTED, LayerRecord, LayerStage
from initcheck.baselines.records.training_records import StageRecord

NOISE_TESTS = 2  # p-values of a layer's noise: its mean and its scale
# Of the standard deviation of a layer's outputs, most of which is that of its inputs: what must be seen of its noise.
_NOISE_EFFECT = 0.25
# A sum of n terms, in any order, has the error of terms that are off by n units of rounding, half an ulp each (Higham
# 2002, chapter 4); one ulp of each term is learned. The layers recorded sum up some hundred terms in tens.
_TERMS = 64
_UNSET = "null"


def compare_layers(
    key: CellKey, old: LayerRecord, new: LayerRecord, alpha: float, law_of: Callable[[str], Class]
) -> ComparedCell:
    """The cell of one layer.

    Output, gradient and weights are judged at given weights and inputs, so that each stage is judged whatever became of
    those before it.

    Args:
        key: The cell's key.
        old: The old record.
        new: The new one.
        alpha: The false-alarm rate of each p-value.
        law_of: The class of an initializer's draws, by the name of its class.
    """
    if old.refused or new.refused:
        return refused_cell(key, old.refused, new.refused)
    present = [stage for stage in COMPUTED if stage in old.computed or stage in new.computed]
    ladder = [
        _compare_weights(old, new, alpha, law_of),
        *(compare_computed(stage, old.computed.get(stage), new.computed.get(stage)) for stage in present),
        *([_compare_noise(old, new, alpha)] if old.noise or new.noise else []),
        _compare_configuration(old, new),
    ]
    return cell_of(key, ladder)


def refused_cell(key: CellKey, old: str, new: str) -> ComparedCell:
    """The cell of what one environment refuses, by the name of what it raises; empty where it raises nothing."""
    return ComparedCell(key, Class.CHANGED, note=f"the {'old' if old else 'new'} environment raises {old or new}")


def cell_of(key: CellKey, ladder: Sequence[Step]) -> ComparedCell:
    """The cell of those stages, each of which is judged whatever became of those before it."""
    found = worst(step.found for step in ladder)
    first = next((step for step in ladder if step.found is not Class.IDENTICAL), None)
    if first is None:
        return ComparedCell(key, Class.IDENTICAL, note=ladder[-1].note, ladder=tuple(ladder))
    # As with trainings, what is inconclusive or lies within tolerance is named only where nothing lies beyond it.
    beyond = next((step for step in ladder if step.found is found), first)
    return ComparedCell(key, found, beyond.stage, beyond.size, beyond.note, tuple(ladder))


def _compare_weights(old: LayerRecord, new: LayerRecord, alpha: float, law_of: Callable[[str], Class]) -> Step:
    asked = [
        one
        if one == other and one.initializer and law_of(one.initializer).rank <= Class.SAME_DISTRIBUTION.rank
        else None
        for one, other in zip(old.asked, new.asked, strict=False)
    ]
    judged = compare_weights(old.initial_weights, new.initial_weights, alpha, asked)
    return Step(
        LayerStage.INITIAL_WEIGHTS,
        judged.found,
        judged.size,
        note=judged.note,
        by_initializer=judged.by_initializer,
    )


def compare_computed(stage: AnyStage, mine: StageRecord | None, other: StageRecord | None) -> Step:
    """One stage of what was computed from given numbers, by its bits or within what rounding explains.

    Args:
        stage: The stage.
        mine: The old record; None where the old environment has no such stage.
        other: The new one.
    """
    if mine is None or other is None:
        return Step(stage, Class.CHANGED, note=f"only in the {'new' if mine is None else 'old'} environment")
    if mine.digest == other.digest:
        return Step(stage, Class.IDENTICAL)
    if mine.size != other.size:
        return Step(stage, Class.CHANGED, note=f"the number of elements differs: {mine.size} → {other.size}")
    size = deviation(mine, other)
    learned = [one.tolerance for one in (mine, other) if one.tolerance is not None]
    if not learned:
        return Step(stage, Class.INCONCLUSIVE, size, note="no tolerance could be learned")
    allowed = _TERMS * max(*learned, ulp(largest(mine, other)))
    if size.absolute <= allowed:
        return Step(stage, Class.WITHIN_TOLERANCE, size, allowed)
    values = f"mean {float(mine.mean):.4g} → {float(other.mean):.4g}"
    return Step(stage, Class.CHANGED, size, allowed, f"{values}; {allowed:.2g} is allowed, actual {size.absolute:.2g}")


def _compare_noise(old: LayerRecord, new: LayerRecord, alpha: float) -> Step:
    """Noise of one stream by its bits, of another by its mean and scale, with errors from its independent parts."""
    mine, other, stage = old.noise, new.noise, LayerStage.NOISE
    if mine is None or other is None:
        return Step(stage, Class.CHANGED, note=f"noise in the {'new' if mine is None else 'old'} environment only")
    if mine.digest == other.digest:
        return Step(stage, Class.IDENTICAL)
    if (mine.size, mine.dtype) != (other.size, other.dtype):
        return Step(stage, Class.CHANGED, note="size or dtype differs")
    size = deviation(mine, other)
    if size.ulps <= DRAW_ROUNDINGS:
        return Step(stage, Class.WITHIN_TOLERANCE, size, note=f"{DRAW_ROUNDINGS} ulps are allowed")
    law = compare_noise(old, new)
    moments = f"mean {mine.mean:.4g} → {other.mean:.4g}, standard deviation {mine.stddev:.4g} → {other.stddev:.4g}"
    facts = f"{moments}, p {law.p_value:.2g}, {law.count}, α={alpha:.2g}"
    if law.p_value < alpha:
        return Step(stage, Class.CHANGED, size, note=f"another law: {facts}")
    smallest = law.detectable_at(alpha)
    kind = Class.SAME_DISTRIBUTION if smallest <= _NOISE_EFFECT else Class.INCONCLUSIVE
    return Step(stage, kind, size, note=f"another stream, {facts}; a scale off by {smallest:.1%} would be seen")


def _compare_configuration(old: LayerRecord, new: LayerRecord) -> Step:
    """Options with other values, or lost ones that had any; new ones, which change nothing, are noted."""
    mine, other = old.configuration, new.configuration
    changed = [
        f"{key} {value} → {other.get(key, 'none')}"
        for key, value in mine.items()
        if other.get(key, value if value == _UNSET else None) != value
    ]
    if changed:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        return Step(LayerStage.CONFIGURATION, Class.CHANGED, note=f"{'; '.join(changed[:3])}{more}")
    added = [key for key in other if key not in mine]
    return Step(LayerStage.CONFIGURATION, Class.IDENTICAL, note=f"new options: {', '.join(added)}" if added else "")
