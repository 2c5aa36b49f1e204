"""Layers compared with their formulas: alone, in a model, under dtype policies, in training and inference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.catalog.cases.formulas import (
    FORMULAS,
    GALLERY_OF,
    INFERRED,
    OF_WHOLE_NUMBERS,
    UNDER_A_FORMAT,
    exactly,
    layer_inputs,
)
from initcheck.catalog.cases.options import POLICIES
from initcheck.catalog.layers.normalization import BATCH_NORMALIZATION
from initcheck.catalog.layers.traits.computing import FormulaCase, alone
from initcheck.checks.bits import first_difference
from initcheck.checks.registry import NotApplicable, Subject, check, require, require_dtype
from initcheck.checks.within_rounding import verdict
from initcheck.evidence.layers import NoKernel, Policy
from initcheck.evidence.modes import FROZEN, GROUP_OF, LAYERS, STILL, Freezing, ModelRun, runs_of
from initcheck.oracle.networks import (
    row_losses,
)
from initcheck.oracle.rounding import Rounded, rounding_to
from initcheck.records import Verdict, failed, passed
from initcheck.targets import KERAS, NAMES_OF_BACKENDS, backend_of, target

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

_IN_A_MODEL = [Subject(case.name, case, evidence=f"gallery {GALLERY_OF[case.name]}") for case in INFERRED]


@check(
    "ARI14",
    "Common layers compute their documented formula.",
    subjects=[Subject(case.name, case) for case in (*FORMULAS, *UNDER_A_FORMAT, *OF_WHOLE_NUMBERS)],
    on=KERAS,
)
def layers(lab: Lab, case: FormulaCase) -> Verdict:
    """The forward pass at a tiny size in both types, with the defaults that are documented."""
    require(lab.layers.lacking(case))
    compared: list[tuple[str, Any, Rounded]] = []
    for dtype in lab.computed(case.dtypes):
        weights, inputs = layer_inputs(case, lab.stream("layer", case.name), dtype)
        exact, into = exactly(case, weights, inputs)
        shown = lab.layers.compute(case, weights, inputs)
        if np.dtype(dtype).kind != "f" and shown.output.dtype != dtype:
            return failed(f"{dtype} comes out as {shown.output.dtype}", dtype)
        compared.append((f"output in {dtype}", shown.output, case.output(exact, into).of(dtype)))
        if case.loss:
            losses = np.asarray(np.sum(shown.losses, dtype=np.float64))
            expected_loss = case.loss(exact, alone(into), **case.config)
            compared.append((f"losses in {dtype}", losses, expected_loss.of(dtype)))
        expected = case.updated(exact, alone(into), **case.config) if case.updated else exact
        compared += [
            (f"weight {k} afterwards in {dtype}", a, b.of(dtype))
            for k, (a, b) in enumerate(zip(shown.weights, expected, strict=True))
        ]
    return verdict(compared)


@check(
    "ARI17",
    "A layer within a model computes its documented formula when predict runs it in a graph.",
    subjects=_IN_A_MODEL,
    on=KERAS,
)
def predicted_layers(lab: Lab, case: FormulaCase) -> Verdict:
    """Layers are branches of a model, which runs once."""
    require(lab.layers.lacking(case))
    expected = case.output(*exactly(case, *lab.layers.given(case)))
    return verdict([("output of predict", lab.layers.shown(case).output, expected)])


@check(
    "ARI22",
    "Whatever runs a layer as in inference, it computes the same, and none of its weights moves.",
    subjects=_IN_A_MODEL,
    on=KERAS,
)
def inferred_layers(lab: Lab, case: FormulaCase) -> Verdict:
    """``predict``, ``predict_on_batch``, a plain call, a call with ``training=False``, one after the other."""
    require(lab.layers.lacking(case))
    weights, inputs = lab.layers.given(case)
    shown, expected = lab.layers.shown(case), case.output(*exactly(case, weights, inputs))
    if wrong := first_difference(weights, shown.weights):
        return failed(f"weights after inference: {wrong}", "the same bits as before")
    return verdict([(f"output of {way}", output, expected) for way, output in shown.outputs.items()])


_POLICIES = {
    name: Policy(name, *POLICIES.get(name, (name, name)), globally=globally)
    for name, globally in {"mixed_float16": False, "mixed_bfloat16": True, "bfloat16": False, "float64": True}.items()
}


@check(
    "ARI21",
    "Under a dtype policy, a layer stores its weights in the one type and computes its formula in the other.",
    subjects=[Subject(f"{case.name}-{policy}", (case, policy)) for case in INFERRED for policy in _POLICIES],
    on=KERAS,
)
def policies(lab: Lab, case_and_policy: tuple[FormulaCase, str]) -> Verdict:
    """The policy is the layer's own or the global one; the bounds are those of the type in which it computes."""
    case, policy = case_and_policy[0], _POLICIES[case_and_policy[1]]
    require(lab.layers.lacking(case))
    require_dtype(policy.computed)
    weights, inputs = lab.layers.given(case)
    weights = [one / 4 for one in weights]  # small ones: half precision's bounds grow with the weights
    try:
        shown = lab.layers.compute(case, weights, inputs, policy)
    except NoKernel:
        backend = NAMES_OF_BACKENDS[backend_of(target())]
        raise NotApplicable(f"{backend} computes {case.layer} not in {policy.computed} on this device") from None
    if shown.output.dtype != policy.computed:
        return failed(f"an output in {shown.output.dtype}", f"in {policy.computed}, as {policy.name} says")
    for number, (given, after) in enumerate(zip(weights, shown.weights, strict=True)):
        if after.dtype != policy.stored:
            return failed(f"weight {number} in {after.dtype}", f"in {policy.stored}, as {policy.name} says")
        if wrong := first_difference([given.astype(after.dtype)], [after]):
            return failed(f"weight {number} after it was set: {wrong}", f"the same bits in {policy.stored}")
    with rounding_to("float32" if policy.computed == "float64" else policy.computed):
        return verdict([(f"output under {policy.name}", shown.output, case.output(*exactly(case, weights, inputs)))])


_STATEFUL = [case for case in FORMULAS if case.in_turn]


@dataclass(frozen=True)
class InTurn:
    """Calls of a stateful layer, one after another.

    Attributes:
        case: The layer.
        given: Whether a call is given states.
        traced: Whether the calls are in a graph.
    """

    case: FormulaCase
    given: bool = False
    traced: bool = False


@check(
    "ARI25",
    "A stateful layer goes on from the states of its last call, until it is given others or they are reset.",
    subjects=[
        *(Subject(case.name, InTurn(case)) for case in _STATEFUL),
        *(Subject(f"{case.name}-in-a-graph", InTurn(case, traced=True)) for case in _STATEFUL),
        *(Subject(f"{case.name}-given-states", InTurn(case, given=True)) for case in _STATEFUL),
    ],
    on=KERAS,
)
def stateful_layers(lab: Lab, calls: InTurn) -> Verdict:
    """Two calls in a row, then the first again after a reset; or four, to the third of which states are given."""
    case = calls.case
    require(lab.layers.lacking(case))
    assert case.in_turn is not None
    weights, first = layer_inputs(case, lab.stream("stateful", case.name), "float32")
    second = layer_inputs(case, lab.stream("stateful", case.name, "second"), "float32")[1]
    inputs = [*first, *second]
    exact, into = [Rounded(one) for one in weights], [Rounded(one) for one in inputs]
    expected, states = case.in_turn(exact, into, **case.config)
    labels = ["the first call", "the second call"]
    begun: list[np.ndarray] = []
    if calls.given:
        stream = np.random.RandomState(lab.stream("stateful", case.name, "states") % 2**32)
        begun = [stream.normal(size=one.shape).astype(np.float32) for one in states]
        expected += case.in_turn(exact, into, [Rounded(one) for one in begun], **case.config)[0]
        labels += ["a call with initial_state", "the call after it"]
    else:
        expected.append(expected[0])
        labels.append("the first call after a reset")
    outputs = lab.layers.in_turn(case, weights, inputs, begun, traced=calls.traced)
    return verdict((f"output of {label}", *both) for label, *both in zip(labels, outputs, expected, strict=True))


@check(
    "ARI15",
    "Evaluate, predict and a plain call run layers as in inference, where fit runs them as in training.",
    on=KERAS,
)
def inference(lab: Lab, _: None) -> Verdict:
    """A model of batch normalization, dropout and noise: by moving averages, and without noise."""
    case = next(case for case in BATCH_NORMALIZATION.select(FormulaCase) if not case.training)
    weights, (x,) = layer_inputs(case, lab.stream("inference"), "float32")
    (y,) = layer_inputs(case, lab.stream("inference", "targets"), "float32")[1]
    output = case.formula([Rounded(one) for one in weights], Rounded(x))
    loss = row_losses("mean_squared_error", y, output).sum() / float(len(x))
    actual = lab.steps.inference(weights, x, y)
    expected: dict[str, Any] = {**dict.fromkeys(actual, output), "loss of evaluate": loss}
    return verdict([(label, values, expected[label]) for label, values in actual.items()])


@check(
    "ARI23",
    "A layer that is called inside a model with a fixed training argument obeys it, whatever runs the model.",
    subjects=[
        Subject(
            f"{layer}-{'training' if fixed else 'inference'}-{run.value}",
            (layer, fixed, run),
            evidence=f"layers in fixed modes {GROUP_OF[layer]}",
        )
        for layer in LAYERS
        for fixed in (True, False)
        for run in runs_of(layer)
    ],
    on=KERAS,
)
def fixed_modes(lab: Lab, subject: tuple[str, bool, ModelRun]) -> Verdict:
    """Dropouts, noises, image layers, batch normalization: branches of three models for each value."""
    layer, fixed, run = subject
    if lab.modes.lacks(layer):
        raise NotApplicable(f"the installed Keras has no {layer}")
    if what := lab.modes.unable(run):
        raise NotApplicable(f"{target()} has no {what}")
    words = {True: "as in training", False: "as in inference"}
    behaved = lab.modes.in_training(*subject)
    if behaved is None:
        return failed(f"a model of {layer} is built without it", "the layer that is called")
    if behaved is not fixed:
        return failed(f"{run.value}: {layer} behaves {words[behaved]}", f"{words[fixed]}: it is called so in the model")
    return passed(f"{words[fixed]}")


@check(
    "ARI26",
    "A frozen layer of statistics runs as in inference, and its weights stay; frozen noise goes on in training.",
    subjects=[Subject(f"{layer}-{way.value}", (layer, way)) for layer in FROZEN for way in Freezing],
    evidence="frozen layers",
    on=KERAS,
)
def frozen_layers(lab: Lab, subject: tuple[str, Freezing]) -> Verdict:
    """Frozen when made, by attribute, by the model around it, a second time; and unfrozen again."""
    layer, way = subject
    if lab.modes.lacks(layer):
        raise NotApplicable(f"the installed Keras has no {layer}")
    if lab.modes.unfreezable(layer, way):
        raise NotApplicable(f"{layer} takes no argument trainable")
    seen, still = lab.modes.frozen(layer, way), layer in STILL and way.freezes
    state = "frozen" if way.freezes else "unfrozen"
    for run, behaved in seen.behaved.items():
        if behaved is still:
            actual, right = (("inference", "training"), ("training", "inference"))[still]
            return failed(f"{run.value}: the {state} layer behaves as in {actual}", f"as in {right}")
    if layer in STILL and seen.moved is still:
        return failed(f"the {state} layer's weights {'moved' if still else 'stayed'}", "stayed" if still else "moved")
    return passed(f"as in {'inference' if still else 'training'}")


_GRADED = [case for case in FORMULAS if case.graded]
_MOVE = 1e-6  # along a direction, to and fro
_DIRECTIONS = 5
_OPERATIONS = 1000  # one after another, at most, in a layer of these sizes and its gradient
_IN_DOUBLES = 20  # roundings in double precision, at most, that the difference of two sums keeps


@check(
    "ARI16",
    "The gradients of common layers are those of their documented formula.",
    subjects=[Subject(case.name, case) for case in _GRADED],
    on=KERAS,
)
def layer_gradients(lab: Lab, case: FormulaCase) -> Verdict:
    """Of every trained weight and of the input, along random directions, compared with finite differences."""
    require(lab.layers.lacking(case))
    dtype = lab.computed(case.dtypes)[-1]
    weights, inputs = layer_inputs(case, lab.stream("layer", case.name), dtype)
    stream = np.random.RandomState(lab.stream("gradient", case.name) % 2**32)
    exact = [one.astype(np.float64) for one in (*weights, *([] if case.vocabulary else inputs))]
    output = _value(case, exact, inputs)
    slopes = stream.normal(size=output.shape).astype(dtype)
    here = float((output * slopes).sum())
    gradients = lab.layers.gradients(case, weights, inputs, slopes)
    places = [*case.trained, *range(len(weights), len(exact))]
    if len(gradients) != len(places):
        return failed(f"{len(gradients)} gradients", f"{len(places)}: of every trained weight and input")
    total = sum(float(np.abs(gradient).sum()) for gradient in gradients)
    noise = _IN_DOUBLES * np.finfo(np.float64).eps * float(np.abs(output * slopes).sum()) / _MOVE
    for place, gradient in zip(places, gradients, strict=True):
        what = f"weight {place}" if place < len(weights) else f"input {place - len(weights)}"
        size = total if place in case.idle else float(np.abs(gradient).sum())
        allowed = _OPERATIONS * np.finfo(np.float32).eps * size + noise
        judged = 0
        for direction in stream.choice([-1.0, 1.0], size=(_DIRECTIONS, *gradient.shape)):
            moved = [[*exact[:place], exact[place] + step * direction, *exact[place + 1 :]] for step in (-_MOVE, _MOVE)]
            back, on = (float((_value(case, one, inputs) * slopes).sum()) for one in moved)
            if abs((on - here) - (here - back)) > allowed * _MOVE:
                continue  # a kink lies between, or another element becomes the largest
            judged += 1
            slope, expected = float((gradient * direction).sum()), (on - back) / (2 * _MOVE)
            if not abs(slope - expected) <= allowed:
                measured = f"in {dtype}, {what} moved in one direction changes the sum by {slope:.6g} a unit"
                return failed(measured, f"{expected:.6g} ± {allowed:.2g}")
        if not judged:
            return failed(f"{what} was moved in no direction without a kink", f"one of {_DIRECTIONS}")
    return passed(f"{len(gradients)} gradients in {dtype}, in up to {_DIRECTIONS} directions each")


def _value(case: FormulaCase, arrays: Sequence[np.ndarray], inputs: Sequence[np.ndarray]) -> np.ndarray:
    """The layer's output from weights and inputs, by its formula; from indices where it takes those."""
    count = len(case.shapes)
    return np.asarray(case.output(*exactly(case, arrays[:count], inputs if case.vocabulary else arrays[count:])).value)
