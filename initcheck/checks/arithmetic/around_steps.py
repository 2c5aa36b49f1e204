"""What is documented around a step of an optimizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initcheck.checks.promised import judge_promises
from initcheck.checks.registry import Subject, check
from initcheck.evidence.composition.promises import Row
from initcheck.evidence.steps.averaged_weights import AVERAGED
from initcheck.evidence.steps.gathered_gradients import GATHERED
from initcheck.evidence.steps.optimizer_options import OPTIONS
from initcheck.evidence.steps.scaled_losses import SCALED
from initcheck.evidence.steps.several_optimizers import SEVERAL
from initcheck.evidence.steps.trained_variables import TRAINED
from initcheck.records import Verdict
from initcheck.targets import KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

_TABLES = (AVERAGED, GATHERED, SCALED, TRAINED, SEVERAL, OPTIONS)


@check(
    "ARI36",
    "Around its step, an optimizer clips, decays, averages, accumulates, scales and counts as documented.",
    subjects=[Subject(name, row) for table in _TABLES for name, row in table.items()],
    on=KERAS,
)
def around_steps(lab: Lab, row: Row) -> Verdict:
    """Each row takes a few steps along given gradients, by hand or by ``fit``."""
    return judge_promises(lab, row)
