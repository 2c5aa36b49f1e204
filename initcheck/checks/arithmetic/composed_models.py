"""Layers that a user writes, and models of every documented structure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initcheck.checks.promised import judge_promises
from initcheck.checks.registry import Subject, check
from initcheck.evidence.composition.called_layers import CALLED
from initcheck.evidence.composition.image_rules import IMAGE_RULES
from initcheck.evidence.composition.promises import Row
from initcheck.evidence.composition.structured_models import STRUCTURES
from initcheck.evidence.composition.user_layers import USER_LAYERS
from initcheck.evidence.composition.weight_rules import WEIGHT_RULES
from initcheck.records import Verdict

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab


@check(
    "ARI30",
    "A layer that a user writes is built, called, tracked and rebuilt as documented.",
    subjects=[Subject(name, row) for name, row in USER_LAYERS.items()],
)
def user_layers(lab: Lab, row: Row) -> Verdict:
    """Each row writes a few layers; numbers are chosen so that every result is exact."""
    return judge_promises(lab, row)


@check(
    "ARI31",
    "A model computes what its layers compute, and comes back from its configuration with its structure.",
    subjects=[Subject(name, row) for name, row in STRUCTURES.items()],
)
def structured_models(lab: Lab, row: Row) -> Verdict:
    """Each row builds a few models, whose layers double or add, so that every result is exact."""
    return judge_promises(lab, row)


@check(
    "ARI32",
    "A layer takes the inputs and arguments that it is documented to take, and refuses others.",
    subjects=[Subject(name, row) for name, row in {**CALLED, **WEIGHT_RULES, **IMAGE_RULES}.items()],
)
def called_layers(lab: Lab, row: Row) -> Verdict:
    """Each row calls a few layers: on inputs of more axes, of other types, without a batch, or of a wrong shape.

    The last rows look at what decides its weights: variables, initializers, constraints and penalties.
    """
    return judge_promises(lab, row)
