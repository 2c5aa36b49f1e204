"""Callbacks, epoch by epoch and batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initcheck.checks.promised import judge_promises
from initcheck.checks.registry import Subject, check
from initcheck.evidence.composition.promises import Row
from initcheck.evidence.steps.backed_up_trainings import KEEPS
from initcheck.evidence.steps.called_hooks import REPORTS
from initcheck.evidence.steps.stopped_trainings import STOPS
from initcheck.records import Verdict
from initcheck.targets import KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab


@check(
    "ARI38",
    "A callback stops training, changes its rate and keeps its weights when it is documented to.",
    subjects=[Subject(name, row) for rows in (STOPS, KEEPS, REPORTS) for name, row in rows.items()],
    on=KERAS,
)
def followed_callbacks(lab: Lab, row: Row) -> Verdict:
    """Most rows call a callback's hooks with given logs, as ``fit`` does, on a model of one weight; some fit it."""
    return judge_promises(lab, row)
