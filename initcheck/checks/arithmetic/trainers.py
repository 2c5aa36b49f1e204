"""What ``compile``, ``fit``, ``evaluate``, ``predict`` and the calls for one batch do around a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from initcheck.checks.promised import judge_promises
from initcheck.checks.registry import Subject, check
from initcheck.evidence.composition.promises import Row
from initcheck.evidence.steps.compiled_models import COMPILED_MODELS
from initcheck.evidence.steps.several_outputs import SEVERAL_OUTPUTS
from initcheck.evidence.steps.weighted_rows import WEIGHTED_ROWS
from initcheck.evidence.steps.whole_runs import WHOLE_RUNS
from initcheck.records import Verdict
from initcheck.targets import KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

_TABLES: tuple[Mapping[str, Row], ...] = (WEIGHTED_ROWS, SEVERAL_OUTPUTS, WHOLE_RUNS, COMPILED_MODELS)


@check(
    "ARI37",
    "A trainer weighs, adds up, validates and reports as documented, and moves the weights that it is to move.",
    subjects=[Subject(name, row) for rows in _TABLES for name, row in rows.items()],
    on=KERAS,
)
def trainers(lab: Lab, row: Row) -> Verdict:
    """Each row trains small linear models, whose losses, metrics and steps NumPy works out from the documentation."""
    return judge_promises(lab, row)
