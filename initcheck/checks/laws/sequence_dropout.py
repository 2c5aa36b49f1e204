"""Dropout in recurrent layers: which inputs and states are dropped, for how long, and by which law."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from initcheck.catalog.layers import LayerRequest, select
from initcheck.catalog.layers.traits.noises import SequenceDropout
from initcheck.checks.judgement import judged
from initcheck.checks.registry import NotApplicable, Subject, check
from initcheck.oracle.rounding import OTHER_ORDER, TINY, Rounded
from initcheck.records import Verdict, failed
from initcheck.statistics.dependence import between, within
from initcheck.statistics.goodness import Finding, Sample, samples_for_shift, together, two_sided
from initcheck.targets import KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab
    from initcheck.evidence.laws.layer_weights import Dropped

Array = npt.NDArray[Any]
INPUTS, SAMPLES, STEPS = 4, 8192, 3
MOST_FINDINGS = 8  # that one verdict compares: shares of inputs and states in two calls, independence
_BOUNDED = 64  # rows whose rounding errors are bounded one by one
_PAIRS = 16  # of masks whose independence it tests
_KERNEL, _RECURRENT, _BIAS = 0.5, 0.75, 0.25  # far from saturation, so that each mask shows

CASES = select(SequenceDropout)


def needs(alpha: float) -> int:
    """Returns how many elements of a mask detect a rate off by 0.05, and a correlation of 0.18."""
    return max(
        samples_for_shift(0.1, alpha, MOST_FINDINGS),  # 0.05 of a rate of ½, which varies by ½
        2 * samples_for_shift(0.18, alpha, MOST_FINDINGS * 4 * _PAIRS * SAMPLES, math.sqrt(1 + 3 * 0.18**2)),
    )


def inputs(case: SequenceDropout, seed: int) -> Array:
    """Returns inputs far from zero; ``SAMPLES`` of them in a step."""
    rows = SAMPLES // (INPUTS * math.prod(case.space))
    shape = (rows, STEPS, *case.space, INPUTS)
    return np.random.RandomState(seed % 2**32).uniform(0.5, 1.5, size=shape).astype("float32")


def weights(case: SequenceDropout) -> list[Array]:
    """Returns weights by which each unit reads one input, and the state of one of the first units, by one gate."""
    units, own = len(case.read) * INPUTS, np.arange(INPUTS)
    kernel, recurrent = np.zeros((INPUTS, case.cell.gates, units)), np.zeros((units, case.cell.gates, units))
    for place, gate in enumerate(case.read):
        kernel[own, gate, place * INPUTS + own] = _KERNEL
        recurrent[own, gate, place * INPUTS + own] = _RECURRENT
    ones = (1,) * len(case.space)
    width = case.cell.gates * units
    after = case.cell.options.get("reset_after", False)
    shapes = ((*ones, INPUTS, width), (*ones, units, width), (2, width) if after else (width,))
    arrays = (kernel, recurrent, np.full(shapes[2], _BIAS))
    made = [one.reshape(shape).astype("float32") for one, shape in zip(arrays, shapes, strict=True)]
    through = [np.eye(INPUTS), np.zeros((INPUTS, INPUTS)), np.zeros(INPUTS)]
    return [*(one.astype("float32") for one in through if case.before), *made]


@dataclass(frozen=True)
class Masks:
    """What a call dropped.

    Attributes:
        off: By unit, the largest deviation from the formula under the masks that fit best, over the rounding error; of
            the first rows over their own, of the others over twice the largest of those.
        dropped: Of inputs and of states: gate, row and element, whether it is dropped; None at a rate of 0.
    """

    off: Array
    dropped: tuple[npt.NDArray[np.bool_] | None, npt.NDArray[np.bool_] | None]


def masks(case: SequenceDropout, x: Array, output: Array, training: bool = True) -> Masks:
    """Returns the masks that explain the outputs best: those of one unit are its own, so that four cases remain."""
    exact = [one.reshape(one.shape[-2:]) if one.ndim > 2 else one for one in weights(case)[-3:]]
    seen, shown = (np.moveaxis(one, 1, -2).reshape(-1, STEPS, one.shape[-1]) for one in (x, output))
    factors = [_factors(rate) if training else (1.0,) for rate in case.rates]
    every = np.array([_deviations(case, exact, seen, shown, pair)[0] for pair in itertools.product(*factors)])
    bounded = [Rounded(one) for one in exact]
    few = [_deviations(case, bounded, seen[:_BOUNDED], shown[:_BOUNDED], pair) for pair in itertools.product(*factors)]
    off = np.min([np.max(deviation / allowed, axis=0) for deviation, allowed in few], axis=0)
    largest = max(float(allowed.max()) for _, allowed in few)
    best = every.max(axis=1)
    off = np.maximum(off.max(axis=0), best.min(axis=0).max(axis=0) / (2 * largest))
    choice = np.moveaxis(best.argmin(axis=0).reshape(len(seen), len(case.read), INPUTS), 1, 0)
    of_inputs, of_states = (
        None if len(given) == 1 else which == 0
        for given, which in zip(factors, np.divmod(choice, len(factors[1])), strict=True)
    )
    return Masks(np.nan_to_num(off, nan=np.inf), (of_inputs, of_states))


def _factors(rate: float) -> tuple[float, ...]:
    return (0.0, 1 / (1 - rate)) if rate else (1.0,)


def _deviations(
    case: SequenceDropout, exact: Sequence[Any], x: Array, output: Array, factors: tuple[float, ...]
) -> tuple[Array, Array]:
    """By step: of the outputs from the formula, with the states that the layer returned before; what is allowed."""
    kind = Rounded if isinstance(exact[0], Rounded) else np.float64
    states: list[Any] = [kind(np.zeros(output[:, 0].shape))] * case.cell.states
    deviations, allowed = [], []
    for step in range(STEPS):
        expected, after = case.cell.step(exact, kind(x[:, step]), states, factors=factors, **case.cell.options)
        value, error = (expected.value, expected.error) if kind is Rounded else (expected, 0.0)
        deviations.append(np.abs(output[:, step] - value))
        allowed.append(OTHER_ORDER * np.broadcast_to(error, value.shape) + TINY)
        states = [kind(output[:, step]), *after[1:]]
    return np.array(deviations), np.array(allowed)


def exact_problem(case: SequenceDropout, x: Array, shown: Dropped, seen: Sequence[Masks]) -> str:
    """Describes what no chance explains; empty if there is nothing."""
    for call, one in zip(("eagerly", "in a graph"), seen, strict=True):
        if one.off.max() > 1:
            unit = int(one.off.argmax())
            gate = case.read[unit // INPUTS]
            return f"{call}, outputs of units that read by gate {gate} fit no mask of a sequence with these rates"
        of_states = one.dropped[1]
        if of_states is not None and len(of_states) > 1 and np.all(of_states == of_states[0]):
            return f"{call}, all gates have the same mask of the states"
    if masks(case, x, shown.at_inference, training=False).off.max() > 1:
        return "something is dropped outside training"
    return shown.seed_problem()


def judge(case: SequenceDropout, seen: Sequence[Masks]) -> Finding:
    """The most suspicious of shares, independence within a mask, and independence of any two."""
    findings: list[Finding] = []
    pairs: list[tuple[Sample, Sample]] = []
    first: list[Sample] = []
    for kind, (what, rate) in enumerate(zip(("inputs", "states"), case.rates, strict=True)):
        calls = [one.dropped[kind] for one in seen]
        if calls[0] is None:
            continue
        streams = [_streams(gates, rate) for gates in calls if gates is not None]
        for call, gates in zip(("eagerly", "in a graph"), streams, strict=True):
            z = float(np.sum(gates)) / math.sqrt(np.size(gates))
            share = rate + float(np.mean(gates)) * math.sqrt(rate * (1 - rate))
            findings.append(Finding(f"share of {what} dropped {call} is", share, np.size(gates), two_sided(z)))
        findings.append(within(streams[0][0], None))
        pairs += [*itertools.combinations(streams[0], 2), (streams[0][0], streams[1][0])]
        first.append(streams[0][0])
    return together([*findings, between([*pairs, *itertools.combinations(first, 2)], None)])


def _streams(gates: npt.NDArray[np.bool_], rate: float) -> list[Sample]:
    """The mask of each gate, standardized; one where all have the same."""
    own = gates[:1] if np.all(gates == gates[0]) else gates
    return [(one.ravel() - rate) / math.sqrt(rate * (1 - rate)) for one in own]


@check(
    "LAW25",
    "Recurrent layers drop inputs and states by one mask a sequence, where they are transformed, and only in training.",
    on=KERAS,
    subjects=[Subject(case.name, case) for case in CASES],
    detects="a rate off by 0.05, a correlation of 0.18 any fixed distance apart, a wrong factor or step of any unit",
    samples=lambda factor: SAMPLES,
    min_samples=needs,
)
def sequence_dropout(lab: Lab, case: SequenceDropout, alpha: float) -> Verdict:
    """Each unit's outputs are compared with the formula under the four masks that it can have."""
    if not lab.draws.layers.offers(case.layer):
        raise NotApplicable(f"the installed Keras has no {case.layer}")
    seed = lab.stream("laws", "sequence dropout", case.name)
    x = inputs(case, seed)
    request = LayerRequest(case.layer, {**case.arguments, "return_sequences": True})
    shown = lab.draws.layers.dropped(request, weights(case), x, seed=seed)
    expected = (*x.shape[:-1], len(case.read) * INPUTS)
    for output in (*shown.calls, shown.at_inference):
        if output.shape != expected:
            return failed(f"{case.name}: outputs of shape {output.shape}", f"{expected}")
    seen = [masks(case, x, output) for output in shown.calls]
    if problem := exact_problem(case, x, shown, seen):
        return failed(f"{case.name}: {problem}", "the documented dropout")
    finding = judge(case, seen)
    return judged(finding, alpha, f"{case.name}: {finding.group} {finding.value:.4f}", "the documented law")
