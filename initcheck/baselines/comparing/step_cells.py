"""Cells of optimizers, losses and metrics alone: each stage of each, and the first that differs."""

from __future__ import annotations

from initcheck.baselines.comparing.comparison import CellKey, ComparedCell
from initcheck.baselines.comparing.layer_cells import cell_of, compare_computed, refused_cell
from initcheck.baselines.records.step_records import STEP_STAGES, StepsRecord


def compare_steps(key: CellKey, old: StepsRecord, new: StepsRecord) -> ComparedCell:
    """The cell of one optimizer, loss or metric.

    Args:
        key: The cell's key.
        old: The old record.
        new: The new one.
    """
    if old.refused or new.refused:
        return refused_cell(key, old.refused, new.refused)
    present = [stage for stage in STEP_STAGES if stage in old.stages or stage in new.stages]
    return cell_of(key, [compare_computed(stage, old.stages.get(stage), new.stages.get(stage)) for stage in present])
