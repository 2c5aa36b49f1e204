"""Every public loss and metric: by formula, and by what is documented of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initcheck.checks.promised import judge_promises
from initcheck.checks.registry import Subject, check
from initcheck.evidence.composition.promises import Row
from initcheck.evidence.steps.judged_losses import JUDGED_LOSSES
from initcheck.evidence.steps.judged_metrics import JUDGED_METRICS
from initcheck.evidence.steps.loss_rules import LOSS_RULES
from initcheck.evidence.steps.metric_rules import METRIC_RULES
from initcheck.records import Verdict
from initcheck.targets import KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab


@check(
    "ARI34",
    "Every loss computes its documented formula, with every option, reduction, weight and mask, and by every name.",
    subjects=[Subject(name, row) for name, row in {**JUDGED_LOSSES, **LOSS_RULES}.items()],
    on=KERAS,
)
def every_loss(lab: Lab, row: Row) -> Verdict:
    """As an object, a function, a string and from its configuration; then what is documented of losses in general."""
    return judge_promises(lab, row)


@check(
    "ARI35",
    "Every metric computes its documented formula over all batches since its reset, with every option and weight.",
    subjects=[Subject(name, row) for name, row in {**JUDGED_METRICS, **METRIC_RULES}.items()],
    on=KERAS,
)
def every_metric(lab: Lab, row: Row) -> Verdict:
    """Batch by batch, weighted and not, by strings, from its configuration and in a compiled model."""
    return judge_promises(lab, row)
