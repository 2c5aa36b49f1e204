"""Layers that a user writes, and models of every documented structure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from initcheck.checks.promised import judge_promises
from initcheck.checks.registry import Subject, check
from initcheck.evidence.composition.added_weights import ADDED
from initcheck.evidence.composition.called_layers import CALLED
from initcheck.evidence.composition.derived_models import DERIVED
from initcheck.evidence.composition.encoders import ENCODED
from initcheck.evidence.composition.given_policies import GIVEN_POLICIES
from initcheck.evidence.composition.image_companions import COMPANIONS
from initcheck.evidence.composition.image_rules import IMAGE_RULES
from initcheck.evidence.composition.layer_arguments import ARGUMENTS
from initcheck.evidence.composition.layer_bookkeeping import BOOKKEEPING
from initcheck.evidence.composition.layer_states import LAYER_STATES
from initcheck.evidence.composition.model_bookkeeping import MODEL_BOOKKEEPING
from initcheck.evidence.composition.promises import Row
from initcheck.evidence.composition.refused_values import REFUSED
from initcheck.evidence.composition.structured_models import STRUCTURES
from initcheck.evidence.composition.user_layers import USER_LAYERS
from initcheck.evidence.composition.weight_rules import WEIGHT_RULES
from initcheck.records import Verdict
from initcheck.targets import KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab


def _subjects(*tables: Mapping[str, Row]) -> list[Subject]:
    return [Subject(name, row) for table in tables for name, row in table.items()]


@check(
    "ARI30",
    "A layer that a user writes is built, called, tracked and rebuilt as documented.",
    subjects=_subjects(USER_LAYERS, ADDED, BOOKKEEPING, GIVEN_POLICIES, LAYER_STATES),
    on=KERAS,
)
def user_layers(lab: Lab, row: Row) -> Verdict:
    """Each row writes a few layers; numbers are chosen so that every result is exact."""
    return judge_promises(lab, row)


@check(
    "ARI31",
    "A model computes what its layers compute, and comes back from its configuration with its structure.",
    subjects=_subjects(STRUCTURES, DERIVED, MODEL_BOOKKEEPING),
    on=KERAS,
)
def structured_models(lab: Lab, row: Row) -> Verdict:
    """Each row builds a few models, whose layers double or add, so that every result is exact."""
    return judge_promises(lab, row)


@check(
    "ARI32",
    "A layer takes the inputs and arguments that it is documented to take, and refuses others.",
    subjects=_subjects(CALLED, ARGUMENTS, ENCODED, REFUSED, WEIGHT_RULES, IMAGE_RULES),
    on=KERAS,
)
def called_layers(lab: Lab, row: Row) -> Verdict:
    """Each row calls a few layers: on inputs of more axes, of other types, without a batch, or of a wrong shape.

    The last rows look at what decides its weights: variables, initializers, constraints and penalties.
    """
    return judge_promises(lab, row)


@check(
    "ARI33",
    "Labels, masks and boxes that are passed with images follow what an image layer does to them.",
    subjects=_subjects(COMPANIONS),
    on=KERAS,
)
def image_companions(lab: Lab, row: Row) -> Verdict:
    """Each image shows one rectangle: it is what the mask says, and where the box is, in every format of boxes."""
    return judge_promises(lab, row)
