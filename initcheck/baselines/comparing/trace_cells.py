"""Cells of trainings: the ladder of stages, and the first that differs."""

from __future__ import annotations

from initcheck.baselines.comparing.classes import Class, worst
from initcheck.baselines.comparing.closeness import deviation, largest, ulp
from initcheck.baselines.comparing.comparison import CellKey, ComparedCell, Moved, Obstacle, Section, Step
from initcheck.baselines.records.training_records import Stage, StageRecord, TraceRecord

_REPORTED = (Stage.EPOCH_LOSSES, Stage.EPOCH_ACCURACIES, Stage.EPOCH_METRICS)
_IN_ONE_ORDER = (Section.GIVEN, Section.MODELS)  # from given weights, or of a model of the user's
_FIRST_STEP = (Stage.FIRST_LOSS, Stage.FIRST_GRADIENT, Stage.FIRST_UPDATE)
_MOST = 1e-3  # of the stage's largest value: where rounding alone does more, the accuracies must decide


def compare_traces(
    key: CellKey,
    old: TraceRecord,
    new: TraceRecord,
    *,
    rows: int,
    law: Class,
    roundings: int,
    order: ComparedCell | None,
    accuracies: Class,
) -> ComparedCell:
    """The cell of one problem and initializer.

    Up to the first update a stage is judged by its values. Later ones are, too, as long as they stay within what
    rounding may have become; beyond that the accuracies over reseeds decide, since training amplifies a bit without
    limit.

    Args:
        key: The cell's key: a training in the frozen order, or one in ``fit``'s own, which then decides all that
            follows.
        old: The old training.
        new: The new one.
        rows: The number of held-out rows.
        law: The class of the initializer's draws in float32.
        roundings: The ulps that its draws may differ by and be the same stream.
        order: The cell of ``fit``'s order on this problem; None where that decides nothing.
        accuracies: The class of the accuracies, or of another score, of this problem and initializer.
    """
    if (old.seed, old.steps, list(old.stages)) != (new.seed, new.steps, list(new.stages)):
        return ComparedCell(key, Class.CHANGED, note="the seed, the steps or the stages differ")
    before, after = _split(old)
    judged_by = "the scores over reseeds" if key.section is Section.MODELS else "its law under draws"
    starts = [
        _compare_draws(stage, old.stages[stage], new.stages[stage], law, roundings, judged_by) for stage in before
    ]
    other_start = worst(step.found for step in starts).rank > Class.WITHIN_TOLERANCE.rank
    other_order = key.section is Section.FITS and order is not None and order.found is not Class.IDENTICAL
    obstacle = Obstacle.INITIAL_WEIGHTS if other_start else Obstacle.BATCH_ORDER if other_order else None
    judged_by_order = order is not None and key.section not in _IN_ONE_ORDER
    orders = [Step(Stage.BATCH_ORDER, order.found, note=order.note)] if order and judged_by_order else []
    ladder = [*starts, *orders]
    if obstacle:
        note = f"not comparable: {obstacle.value}"
        ladder += [Step(stage, Class.INCONCLUSIVE, note=note, obstacle=obstacle) for stage in after]
    else:
        ladder += [_compare_stage(stage, old, new, rows, accuracies) for stage in after]
    judged = [step.found for step in ladder if step.obstacle is None]
    found = worst([*judged, accuracies] if other_start else judged)
    first = next((step for step in ladder if step.found is not Class.IDENTICAL), None)
    if first is None:
        return ComparedCell(key, Class.IDENTICAL, ladder=tuple(ladder))
    # What lies within tolerance is named only where nothing lies beyond it.
    beyond = next((step for step in ladder if step.found.rank > Class.WITHIN_TOLERANCE.rank), first)
    if beyond.stage == Stage.BATCH_ORDER and other_order:
        ends = _ends(old, new)
        note = f"trained in another order; {', '.join(map(str, ends))}"
        return ComparedCell(key, found, beyond.stage, beyond.size, note, tuple(ladder), ends=ends)
    return ComparedCell(key, found, beyond.stage, beyond.size, _note(beyond, ladder), tuple(ladder))


def _split(trace: TraceRecord) -> tuple[list[Stage], list[Stage]]:
    """The stages before the first step, and those after."""
    stages = [Stage(stage) for stage in trace.stages]
    drawn = (Stage.DRAWS, Stage.INITIAL_WEIGHTS)
    return [stage for stage in stages if stage in drawn], [stage for stage in stages if stage not in drawn]


def _compare_draws(
    stage: Stage, old: StageRecord, new: StageRecord, law: Class, roundings: int, judged_by: str
) -> Step:
    if old.digest == new.digest:
        return Step(stage, Class.IDENTICAL)
    if old.size != new.size:
        return Step(stage, Class.CHANGED, note="the number of elements differs")
    size = deviation(old, new)
    if size.ulps <= roundings:
        return Step(stage, Class.WITHIN_TOLERANCE, size, note=f"{roundings} ulps are allowed")
    if law in (Class.IDENTICAL, Class.WITHIN_TOLERANCE):
        return Step(stage, Class.CHANGED, size, note="though the initializer's own draws did not change")
    return Step(stage, law, size, note=f"another stream; judged by {judged_by}")


def _compare_stage(stage: Stage, old: TraceRecord, new: TraceRecord, rows: int, accuracies: Class) -> Step:
    mine, other = old.stages[stage], new.stages[stage]
    if mine.digest == other.digest:
        return Step(stage, Class.IDENTICAL)
    if mine.size != other.size:
        return Step(stage, Class.CHANGED, note="the number of elements differs")
    size = deviation(mine, other)
    if stage is Stage.RELOADED_WEIGHTS and _kept(old, new):
        return Step(stage, Class.CHANGED, size, note="saving and loading did not give back the final weights")
    allowed = _allowed(stage, old, new, rows)
    if stage in _FIRST_STEP:
        if allowed is None:
            return Step(stage, Class.INCONCLUSIVE, size, note="no tolerance could be learned")
        return Step(stage, Class.WITHIN_TOLERANCE if size.absolute <= allowed else Class.CHANGED, size, allowed)
    if allowed is not None and size.absolute <= allowed:
        return Step(stage, Class.WITHIN_TOLERANCE, size, allowed)
    if stage in _REPORTED and _agree(Stage.FINAL_WEIGHTS, old, new, rows):
        return Step(stage, Class.CHANGED, size, allowed, "though the final weights agree: what fit reports differs")
    ends = "accuracies" if Stage.EPOCH_ACCURACIES in old.stages else "scores"
    if accuracies.rank <= Class.SAME_DISTRIBUTION.rank:
        return Step(stage, Class.SAME_DISTRIBUTION, size, allowed, f"beyond rounding error; {ends} are equivalent")
    return Step(stage, accuracies, size, allowed, f"beyond rounding error; {ends} are {accuracies.value}")


def _kept(old: TraceRecord, new: TraceRecord) -> bool:
    """Whether a save and a load gave back the weights in one baseline and not in the other."""
    kept = [
        trace.stages[Stage.RELOADED_WEIGHTS].digest == trace.stages[Stage.FINAL_WEIGHTS].digest
        for trace in (old, new)
        if Stage.FINAL_WEIGHTS in trace.stages
    ]
    return len(set(kept)) == 2


def _allowed(stage: Stage, old: TraceRecord, new: TraceRecord, rows: int) -> float | None:
    """The largest absolute deviation within rounding error.

    Two environments round every weight once in each step and the stage once more, so after s steps they differ by
    what s + 1 moves by one unit in the last place have become. What one move becomes is learned; moves add up. An
    accuracy moves by whole rows, so one row is added to it.
    """
    mine, other = old.stages[stage], new.stages[stage]
    learned = [one.tolerance for one in (mine, other) if one.tolerance is not None]
    if not learned:
        return None
    scale = largest(mine, other)
    steps = 1 if stage in _FIRST_STEP else old.steps
    row = 1 / rows if stage is Stage.EPOCH_ACCURACIES else 0.0
    return min((steps + 1) * (max(learned) + ulp(scale)), _MOST * scale) + row


def _agree(stage: Stage, old: TraceRecord, new: TraceRecord, rows: int) -> bool:
    """Whether a stage is the same within rounding error."""
    if stage not in old.stages:
        return False
    mine, other = old.stages[stage], new.stages[stage]
    allowed = _allowed(stage, old, new, rows)
    close = mine.size == other.size and allowed is not None and deviation(mine, other).absolute <= allowed
    return mine.digest == other.digest or close


def _ends(old: TraceRecord, new: TraceRecord) -> tuple[Moved, ...]:
    """The last recorded values of a training in ``fit``'s own order."""
    names = {Stage.EPOCH_LOSSES: "last training loss", Stage.EPOCH_ACCURACIES: "held-out accuracy"}
    return tuple(
        Moved(name, *(float(one.stages[stage].values[-1]) for one in (old, new)))
        for stage, name in names.items()
        if stage in old.stages
    )


def _note(first: Step, ladder: list[Step]) -> str:
    parts = [first.note] if first.note else []
    if first.allowed is not None:
        parts.append(f"{first.allowed:.2g} is allowed, actual {first.size.absolute:.2g}" if first.size else "")
    if first.stage == Stage.BATCH_ORDER:
        rest = ladder[[step.stage for step in ladder].index(Stage.BATCH_ORDER) + 1 :]
        later = next((step for step in rest if step.found.rank > Class.WITHIN_TOLERANCE.rank), None)
        parts.append(
            f"with the rows in one order, {later.stage} is {later.found.value}"
            if later
            else f"with the rows in one order, all that follows is {worst([step.found for step in rest]).value}"
        )
    return "; ".join(filter(None, parts))
