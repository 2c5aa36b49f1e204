"""Gathers the evidence of optimizers, each alone."""

from __future__ import annotations

from collections.abc import Mapping

from initcheck.baselines.records.step_records import StepsRecord, StepStage
from initcheck.baselines.records.summary import stage_record
from initcheck.catalog.cases.recorded_steps import RECORDED_OPTIMIZERS, RecordedOptimizer
from initcheck.evidence.baseline.layer_stages import Computed
from initcheck.evidence.baseline.step_stages import StepRecorder

_VALUES = 8


def record_steps(seed: int, cases: Mapping[str, RecordedOptimizer] = RECORDED_OPTIMIZERS) -> dict[str, StepsRecord]:
    """Each optimizer that the installed framework has, with all its arguments."""
    recorder = StepRecorder(seed)
    return {name: _record(recorder, case) for name, case in cases.items() if not recorder.lacks(case)}


def _record(recorder: StepRecorder, case: RecordedOptimizer) -> StepsRecord:
    try:
        seen = recorder.observe(case)
    except Exception as error:  # noqa: BLE001 - what the framework refuses is evidence
        return StepsRecord(kind="optimizers", name=case.optimizer, refused=type(error).__name__)
    found: dict[StepStage, Computed | None] = {
        StepStage.FIRST_MOVE: seen.first_move,
        StepStage.UPDATES: seen.updates,
        StepStage.FITTED: seen.fitted,
    }
    return StepsRecord(
        kind="optimizers",
        name=case.optimizer,
        stages={stage: stage_record(one.arrays, one.deviation, _VALUES) for stage, one in found.items() if one},
    )
