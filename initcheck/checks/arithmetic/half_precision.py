"""What is computed in which type: large numbers in half precision, and what a layer's call sees under a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from initcheck.catalog.cases.computations import LOSSES, output_for
from initcheck.catalog.cases.formulas import FORMULAS, exactly, layer_inputs
from initcheck.catalog.cases.options import POLICIES
from initcheck.catalog.layers.traits.computing import FormulaCase, alone
from initcheck.checks.bits import first_difference
from initcheck.checks.registry import NotApplicable, Subject, check, require
from initcheck.checks.within_rounding import verdict
from initcheck.evidence.autocasting import PRECISE, Given
from initcheck.evidence.layers import Policy
from initcheck.oracle.networks import DenseNetwork, forward, row_losses
from initcheck.oracle.rounding import UNIT_OF, Rounded
from initcheck.oracle.tasks import rows_for, weights_for
from initcheck.records import Verdict, failed, passed
from initcheck.targets import KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

_HALF = {name: Policy(name, *POLICIES[name], globally=False) for name in ("mixed_float16", "mixed_bfloat16")}


@check(
    "ARI27",
    "In half precision, normalizations and losses compute in float32: large numbers neither overflow nor get lost.",
    subjects=[
        *(Subject(f"{case.name}-{name}", (case, name)) for case in FORMULAS if case.loud for name in _HALF),
        *(Subject(f"{loss}-float16", (loss, "mixed_float16")) for loss in LOSSES),
    ],
    on=KERAS,
)
def half_precision(lab: Lab, subject: tuple[FormulaCase | str, str]) -> Verdict:
    """Inputs of some thousands, which half precision stores exactly; outputs rounded once, statistics not at all."""
    case, policy = subject[0], _HALF[subject[1]]
    if isinstance(case, str):
        return _loss(lab, case)
    require(lab.layers.lacking(case))
    weights, inputs = layer_inputs(case, lab.stream("loud", case.name), "float32")
    weights, inputs = [coarse(one) for one in weights], [coarse(one * np.float32(case.loud)) for one in inputs]
    shown = lab.layers.compute(case, weights, inputs, policy)
    exact, into = exactly(case, weights, inputs)
    output = case.output(exact, into)
    compared = [("output", shown.output, output.fuzzed(UNIT_OF[policy.computed] * np.abs(output.value)))]
    if case.updated:
        pairs = zip(shown.weights, case.updated(exact, alone(into), **case.config), strict=True)
        compared += [(f"weight {number} afterwards", *pair) for number, pair in enumerate(pairs)]
    return verdict(compared)


def coarse(values: np.ndarray) -> np.ndarray:
    """The numbers cut to the eight bits that both types of half precision store."""
    return (values.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)


def _loss(lab: Lab, name: str) -> Verdict:
    if not lab.steps.losses_have_a_dtype:
        raise NotApplicable("the installed Keras documents no dtype of a loss")
    net, seed = DenseNetwork(3, (4,), (output_for(name),)), lab.stream("half", name)
    batch = rows_for(net, name, 23, seed)
    output = coarse(forward(net, weights_for(net, seed + 1), batch.x.astype(np.float64)))
    loud = 1.0 if name.endswith("crossentropy") else 200.0  # probabilities stay what they are
    output = (output * np.float32(loud)).astype(np.float16)
    if name.endswith("categorical_crossentropy"):
        output = _summing_to_one(output)
    each = row_losses(name, batch.y, Rounded(output.astype(np.float32))).fuzzed(lab.steps.logarithm_rounding(name))
    return verdict([("each row's loss", lab.steps.losses(name, batch.y, output, None, reduction="none"), each)])


def _summing_to_one(shares: np.ndarray) -> np.ndarray:
    """Multiples of 1/256, none of them zero, which half precision stores exactly."""
    parts = 1 + np.floor(shares.astype(np.float64) * (256 - shares.shape[-1]))
    parts[:, 0] += 256 - parts.sum(axis=-1)
    exact: np.ndarray = (parts / 256).astype(np.float16)
    return exact


@check(
    "ARI28",
    "Under a dtype policy a layer's call sees inputs and weights in the documented types, and stores what it assigns.",
    subjects=[
        Subject(f"{name}-{given.value}", (Policy(name, *POLICIES[name], globally=given is Given.GLOBALLY), given))
        for name in POLICIES
        for given in Given
    ],
    on=KERAS,
)
def autocasting(lab: Lab, subject: tuple[Policy, Given]) -> Verdict:
    """A layer of the user's own, given its policy in every way; and the policies of layers within wrappers."""
    policy, given = subject
    seen = lab.autocasting.seen(policy, given)
    if seen is None:
        raise NotApplicable("the installed Keras has no such way")
    if not seen.types:
        raise AssertionError("no type was seen")
    for what, (actual, kind) in seen.types.items():
        expected = {"computed": policy.computed, "stored": policy.stored}.get(kind, kind)
        if actual != expected:
            return failed(f"{what} is {actual}", f"{expected} under {policy.name}")
    if wrong := first_difference([PRECISE.astype(policy.stored)], [seen.assigned]) if seen.assigned is not None else "":
        return failed(f"what the call assigned: {wrong}", f"the same bits in {policy.stored}")
    return passed(f"{len(seen.types)} types as documented")
