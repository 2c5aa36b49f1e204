"""Cells of trainings: the ladder of stages, and the first that differs."""

from __future__ import annotations

from initcheck.baselines.comparing.closeness import DRAW_ROUNDINGS, MATRIX_ROUNDINGS, deviation, largest, ulp
from initcheck.baselines.comparing.comparison import Class, ComparedCell, Step, worst
from initcheck.baselines.records.training_records import StageRecord, TraceRecord

_REPORTED = ("epoch losses", "epoch accuracies")
FIRST_STEP = ("first loss", "first gradient", "first update")
_MOST = 1e-3  # of the stage's largest value: where rounding alone does more, the accuracies must decide


def compare_traces(
    name: str,
    old: TraceRecord,
    new: TraceRecord,
    *,
    rows: int,
    law: ComparedCell,
    order: ComparedCell,
    accuracies: ComparedCell,
    section: str = "traces",
) -> ComparedCell:
    """The cell of one problem and initializer.

    Up to the first update a stage is judged by its values. Later ones are, too, as long as they stay within what
    rounding may have become; beyond that the accuracies over reseeds decide, since training amplifies a bit without
    limit.

    Args:
        name: The cell's.
        old: The old training.
        new: The new one.
        rows: How many held-out rows there are.
        law: The cell of the initializer's draws in float32.
        order: The cell of ``fit``'s order on this problem.
        accuracies: The cell of the accuracies of this problem and initializer.
        section: ``traces`` in the frozen order, or ``fits`` in ``fit``'s own, which then decides all that follows.
    """
    if (old.seed, old.steps, list(old.stages)) != (new.seed, new.steps, list(new.stages)):
        return ComparedCell(section, name, Class.CHANGED, note="another seed, or other steps or stages")
    ladder = [_compare_draws(stage, old.stages[stage], new.stages[stage], law) for stage in _before(old)]
    ladder.append(Step("batch order", order.found, note=order.note))
    other_start = worst([step.found for step in ladder[:-1]]).rank > Class.WITHIN_TOLERANCE.rank
    other_order = section == "fits" and order.found is not Class.IDENTICAL
    reason = "it started from other weights" if other_start else "its rows came in another order" if other_order else ""
    follows = list(old.stages)[len(ladder) - 1 :]
    if reason:
        ladder += [Step(stage, Class.INCONCLUSIVE, note=f"not comparable: {reason}") for stage in follows]
    else:
        ladder += [_compare_stage(stage, old, new, rows, accuracies) for stage in follows]
    judged = [step.found for step in (ladder[: -len(follows)] if reason and follows else ladder)]
    found = worst([*judged, accuracies.found] if other_start else judged)
    first = next((step for step in ladder if step.found is not Class.IDENTICAL), None)
    if first is None:
        return ComparedCell(section, name, Class.IDENTICAL, ladder=tuple(ladder))
    # What lies within tolerance is named only where nothing lies beyond it.
    beyond = next((step for step in ladder if step.found.rank > Class.WITHIN_TOLERANCE.rank), first)
    note = _outcome(old, new) if beyond.stage == "batch order" and other_order else _note(beyond, ladder)
    return ComparedCell(section, name, found, beyond.stage, beyond.size, note, tuple(ladder))


def _before(trace: TraceRecord) -> list[str]:
    return [stage for stage in ("draws", "initial weights") if stage in trace.stages]


def _compare_draws(stage: str, old: StageRecord, new: StageRecord, law: ComparedCell) -> Step:
    if old.digest == new.digest:
        return Step(stage, Class.IDENTICAL)
    if old.size != new.size:
        return Step(stage, Class.CHANGED, note="another number of elements")
    size = deviation(old, new)
    allowed = MATRIX_ROUNDINGS if "orthogonal" in law.name else DRAW_ROUNDINGS
    if size.ulps <= allowed:
        return Step(stage, Class.WITHIN_TOLERANCE, size, note=f"{allowed} ulps are allowed")
    if law.found in (Class.IDENTICAL, Class.WITHIN_TOLERANCE):
        return Step(stage, Class.CHANGED, size, note="though the initializer's own draws did not change")
    return Step(stage, law.found, size, note="another stream; its law is judged under draws")


def _compare_stage(stage: str, old: TraceRecord, new: TraceRecord, rows: int, accuracies: ComparedCell) -> Step:
    mine, other = old.stages[stage], new.stages[stage]
    if mine.digest == other.digest:
        return Step(stage, Class.IDENTICAL)
    if mine.size != other.size:
        return Step(stage, Class.CHANGED, note="another number of elements")
    size = deviation(mine, other)
    if stage == "reloaded weights" and _kept(old, new):
        return Step(stage, Class.CHANGED, size, note="saving and loading did not give back the final weights")
    allowed = _allowed(stage, old, new, rows)
    if stage in FIRST_STEP:
        if allowed is None:
            return Step(stage, Class.INCONCLUSIVE, size, note="no tolerance could be learned")
        return Step(stage, Class.WITHIN_TOLERANCE if size.absolute <= allowed else Class.CHANGED, size, allowed)
    if allowed is not None and size.absolute <= allowed:
        return Step(stage, Class.WITHIN_TOLERANCE, size, allowed)
    if stage in _REPORTED and _agree("final weights", old, new, rows):
        return Step(stage, Class.CHANGED, size, allowed, "though the final weights agree: it is reported otherwise")
    if accuracies.found.rank <= Class.SAME_DISTRIBUTION.rank:
        return Step(stage, Class.SAME_DISTRIBUTION, size, allowed, "beyond rounding; accuracies are equivalent")
    return Step(stage, accuracies.found, size, allowed, f"beyond rounding; accuracies are {accuracies.found.value}")


def _kept(old: TraceRecord, new: TraceRecord) -> bool:
    """Whether a save and a load gave back the weights in one baseline and not in the other."""
    kept = [
        trace.stages["reloaded weights"].digest == trace.stages["final weights"].digest
        for trace in (old, new)
        if "final weights" in trace.stages
    ]
    return len(set(kept)) == 2


def _allowed(stage: str, old: TraceRecord, new: TraceRecord, rows: int) -> float | None:
    """The largest absolute deviation that rounding explains.

    Two environments round every weight once in each step and the stage once more, so after s steps they are apart by
    what s + 1 moves by one unit in the last place have become. What one move becomes is learned; moves add up. An
    accuracy moves by whole rows, so one row is added to it.
    """
    mine, other = old.stages[stage], new.stages[stage]
    learned = [one.tolerance for one in (mine, other) if one.tolerance is not None]
    if not learned:
        return None
    scale = largest(mine, other)
    steps = 1 if stage in FIRST_STEP else old.steps
    row = 1 / rows if stage == "epoch accuracies" else 0.0
    return min((steps + 1) * (max(learned) + ulp(scale)), _MOST * scale) + row


def _agree(stage: str, old: TraceRecord, new: TraceRecord, rows: int) -> bool:
    """Whether a stage is the same within what rounding explains."""
    if stage not in old.stages:
        return False
    mine, other = old.stages[stage], new.stages[stage]
    allowed = _allowed(stage, old, new, rows)
    close = mine.size == other.size and allowed is not None and deviation(mine, other).absolute <= allowed
    return mine.digest == other.digest or close


def _outcome(old: TraceRecord, new: TraceRecord) -> str:
    """What became of a training as ``fit`` runs it, which the last recorded values tell."""
    names = {"epoch losses": "last training loss", "epoch accuracies": "held-out accuracy"}
    ends = {
        words: [float(one.stages[stage].values[-1]) for one in (old, new)]
        for stage, words in names.items()
        if stage in old.stages
    }
    moved = ", ".join(f"{words} {was:.4g} → {now:.4g}" for words, (was, now) in ends.items())
    return f"trained in another order; {moved}"


def _note(first: Step, ladder: list[Step]) -> str:
    parts = [first.note] if first.note else []
    if first.allowed is not None:
        parts.append(f"{first.allowed:.2g} is allowed, {first.size.absolute:.2g} found" if first.size else "")
    if first.stage == "batch order":
        rest = ladder[[step.stage for step in ladder].index("batch order") + 1 :]
        later = next((step for step in rest if step.found.rank > Class.WITHIN_TOLERANCE.rank), None)
        parts.append(
            f"with the rows in one order, {later.stage} is {later.found.value}"
            if later
            else f"with the rows in one order, all that follows is {worst([step.found for step in rest]).value}"
        )
    return "; ".join(filter(None, parts))
