"""Cells of files: the old environment's saved models as the new one loads them, beside what the old one loads."""

from __future__ import annotations

from collections.abc import Iterator

from initcheck.baselines.comparing.classes import Class, worst
from initcheck.baselines.comparing.closeness import deviation, largest, ulp
from initcheck.baselines.comparing.comparison import CellKey, ComparedCell, Section, Step
from initcheck.baselines.records.file_records import FileStage, LoadedRecord, digest_of
from initcheck.baselines.records.schema import Baseline
from initcheck.baselines.records.training_records import StageRecord

_TERMS = 64  # as of a layer's sums; a step adds to a weight a few terms that are no larger than itself


def own_files(baseline: Baseline) -> dict[CellKey, LoadedRecord]:
    """What an environment makes of its own files."""
    return {CellKey(Section.FILES, name): one.own for name, one in baseline.files.items()}


def loaded_files(old: Baseline, new: Baseline) -> dict[CellKey, LoadedRecord]:
    """What the new environment makes of the old one's files: its own where both are the same files."""
    if digest_of(new.files) == digest_of(old.files):
        return own_files(new)
    return {CellKey(Section.FILES, name): one for name, one in new.loaded.items()}


def knows_files_of(new: Baseline, old: Baseline) -> bool:
    """Whether the new baseline says what its environment makes of the old one's files."""
    return bool(old.files) and digest_of(old.files) in (new.loaded_from, digest_of(new.files))


def compare_files(key: CellKey, old: LoadedRecord, new: LoadedRecord) -> ComparedCell:
    """The cell of one file.

    Args:
        key: The cell's key.
        old: What the old environment makes of its own file.
        new: What the new one makes of it.
    """
    if new.refused:
        return ComparedCell(key, Class.CHANGED, FileStage.LOADED, note=f"the new environment raises {new.refused}")
    ladder = list(_steps(old, new))
    found = worst(step.found for step in ladder)
    if found is Class.IDENTICAL:
        return ComparedCell(key, Class.IDENTICAL, ladder=tuple(ladder))
    first = next(step for step in ladder if step.found is found)
    return ComparedCell(key, found, first.stage, first.size, first.note, tuple(ladder))


def _steps(old: LoadedRecord, new: LoadedRecord) -> Iterator[Step]:
    yield _compare_values(FileStage.PREDICTIONS, old.predictions, new.predictions)
    same = old.steps == new.steps
    yield Step(
        FileStage.STEPS,
        Class.IDENTICAL if same else Class.CHANGED,
        note="" if same else f"steps of the optimizer {old.steps} → {new.steps}",
    )
    lost = len(set(old.moments) - set(new.moments))
    yield Step(
        FileStage.MOMENTS,
        Class.CHANGED if lost else Class.IDENTICAL,
        note=f"{lost} of {len(set(old.moments))} arrays of the optimizer are not what was saved" if lost else "",
    )
    if old.following is None:
        return
    if new.following is None:
        yield Step(FileStage.FOLLOWING, Class.CHANGED, note="the new environment cannot train it on")
    else:
        yield _compare_values(FileStage.FOLLOWING, old.following, new.following)


def _compare_values(stage: FileStage, old: StageRecord | None, new: StageRecord | None) -> Step:
    if old is None or new is None or old.size != new.size:
        return Step(stage, Class.CHANGED, note="the number of elements differs")
    if old.digest == new.digest:
        return Step(stage, Class.IDENTICAL)
    size = deviation(old, new)
    allowed = _TERMS * max(*(one.tolerance or 0.0 for one in (old, new)), ulp(largest(old, new)))
    note = f"{allowed:.2g} is allowed, actual {size.absolute:.2g}"
    return Step(stage, Class.WITHIN_TOLERANCE if size.absolute <= allowed else Class.CHANGED, size, allowed, note)
