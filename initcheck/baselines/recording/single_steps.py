"""Gathers the evidence of optimizers, losses and metrics, each alone."""

from __future__ import annotations

from collections.abc import Mapping

from initcheck.baselines.records.step_records import StepsRecord, StepStage
from initcheck.baselines.records.summary import stage_record
from initcheck.catalog.cases.recorded_steps import KIND_OF, RECORDED_STEPS, RecordedOptimizer, RecordedStep, class_of
from initcheck.evidence.baseline.layer_stages import Computed
from initcheck.evidence.baseline.step_stages import StepRecorder
from initcheck.frameworks.backends import forget_sources

_VALUES = 8


def record_steps(seed: int, cases: Mapping[str, RecordedStep] = RECORDED_STEPS) -> dict[str, StepsRecord]:
    """Each optimizer, loss and metric that the installed framework has, with all its arguments."""
    recorder = StepRecorder(seed)
    return {name: _record(recorder, case) for name, case in cases.items() if not recorder.lacks(case)}


def _record(recorder: StepRecorder, case: RecordedStep) -> StepsRecord:
    kind, name = KIND_OF[type(case)], class_of(case)
    try:
        found = _stages(recorder, case)
    except Exception as error:  # noqa: BLE001 - what the framework refuses is evidence
        return StepsRecord(kind=kind, name=name, refused=type(error).__name__)
    finally:
        forget_sources()
    return StepsRecord(
        kind=kind,
        name=name,
        stages={stage: stage_record(one.arrays, one.deviation, _VALUES) for stage, one in found.items() if one},
    )


def _stages(recorder: StepRecorder, case: RecordedStep) -> dict[StepStage, Computed | None]:
    if not isinstance(case, RecordedOptimizer):
        return {StepStage.VALUE: recorder.value(case)}
    seen = recorder.observe(case)
    return {
        StepStage.FIRST_MOVE: seen.first_move,
        StepStage.UPDATES: seen.updates,
        StepStage.FITTED: seen.fitted,
    }
