"""Layers under masks, compared with formulas that skip the masked steps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.catalog.layers.traits.masking import HEADS, STEP, UNITS, UNMASKED, MaskedCase, Source
from initcheck.catalog.layers.under_masks import BATCH_NORMALIZATION_UNDER_MASK, MASKED, MASKED_GROUP_OF
from initcheck.checks.registry import NotApplicable, Subject, check, require
from initcheck.checks.within_rounding import verdict
from initcheck.oracle.masked_formulas import seen_moments
from initcheck.oracle.networks import (
    loss_gradient,
    row_losses,
)
from initcheck.oracle.rounding import UNIT, Rounded
from initcheck.records import Verdict, failed, passed
from initcheck.targets import KERAS, target

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab
    from initcheck.evidence.masked_layers import MaskedFit, UnderMasks

_BY_ROW, _FLAT = "-by-row", "-by-row-in-one-axis"


def _subject(case: MaskedCase) -> Subject:
    return Subject(case.name, case, evidence=f"layers under masks {MASKED_GROUP_OF[case.name]}")


@check(
    "ARI18",
    "A layer under masks computes its documented formula: masked steps are skipped and count nowhere.",
    subjects=[_subject(case) for case in MASKED if case.formula],
    on=KERAS,
)
def masked_layers(lab: Lab, case: MaskedCase) -> Verdict:
    """Masks carried by the inputs and given as arguments; by a plain call, and by predict in a model of many."""
    compared: list[tuple[str, Any, Rounded]] = []
    weights, inputs, arrays = lab.masked.given(case)
    exact = expected_under_masks(case, weights, inputs, arrays)
    after = updated_under_masks(case, weights, inputs)
    for label, seen in _under_masks(lab, case):
        compared += [
            (f"weight {number} afterwards, {label}", *pair)
            for number, pair in enumerate(zip(seen.weights, after, strict=True) if after else ())
        ]
        pairs = itertools.zip_longest(seen.outputs, exact)
        compared += [(f"output {number} {label}", *pair) for number, pair in enumerate(pairs)]
    return verdict(compared)


def expected_under_masks(
    case: MaskedCase, weights: Sequence[np.ndarray], inputs: Sequence[np.ndarray], arrays: dict[str, np.ndarray]
) -> list[Rounded]:
    """The outputs by the formula, with the bounds of the type that the layer computes in."""
    into = inputs if case.sources == (Source.INDICES,) else [_stored(one, case.dtype) for one in inputs]
    outputs = case.outputs([_stored(one, case.dtype) for one in weights], into, arrays)
    return [one.of(case.dtype) for one in outputs]


def updated_under_masks(case: MaskedCase, weights: Sequence[np.ndarray], inputs: Sequence[np.ndarray]) -> list[Rounded]:
    """The weights after the call by the formula; none where no formula is given."""
    if case.updated is None:
        return []
    return case.updated([Rounded(one) for one in weights], [Rounded(one) for one in inputs], case.masks, **case.config)


def _stored(values: np.ndarray, dtype: str) -> Rounded:
    """Numbers of float32, which types below it round first: its bound is that of the type, in float32's units."""
    return Rounded(values, UNIT * np.abs(values.astype(np.float64))) if dtype.endswith("float16") else Rounded(values)


def _under_masks(lab: Lab, case: MaskedCase) -> Iterator[tuple[str, UnderMasks]]:
    require(lab.masked.lacking(case))
    if not lab.computed((case.dtype,)):
        raise NotApplicable(f"Keras does not compute in double precision on {target()}")
    yield "of a call", lab.masked.alone(case)
    if case.explicit:
        yield f"of a call with {', '.join(case.explicit)}=", lab.masked.alone(case, explicit=True)
    if case.modelled:
        yield "of predict", lab.masked.predicted(case)


@check(
    "ARI19",
    "The mask that leaves a layer is the documented one: made, carried, combined or dropped.",
    subjects=[_subject(case) for case in MASKED if case.carries],
    on=KERAS,
)
def carried_masks(lab: Lab, case: MaskedCase) -> Verdict:
    """As another layer behind it reads it; the masks of its inputs stay as they are."""
    assert case.carries is not None
    inputs = lab.masked.given(case)[1]
    expected = case.carries([Rounded(one) for one in inputs], case.masks)
    count = 0
    for label, seen in _under_masks(lab, case):
        for number, (mask, right) in enumerate(zip(seen.masks, expected, strict=True)):
            count += 1
            if not _same_mask(mask, right):
                return failed(f"the mask of output {number} {label} is {_shown(mask)}", _shown(right))
        if case.keeps and seen.kept is False:
            return failed(f"after the layer's call {label}, the mask of an input is another", "the mask that it had")
    return passed(f"{count} masks as documented")


def _same_mask(actual: np.ndarray, expected: Any) -> bool:
    return bool((actual == UNMASKED).all()) if expected is None else np.array_equal(actual, expected)


def _shown(mask: Any) -> str:
    if mask is None or (np.asarray(mask) == UNMASKED).all():
        return "none"
    rows = np.atleast_2d(mask)
    return " ".join("".join(str(int(step)) for step in row.ravel()) for row in rows)


@check(
    "ARI20",
    "Masked steps are no part of a loss, a metric, a gradient or a batch's statistics.",
    subjects=[
        Subject(name, name)
        for name in (
            *HEADS,
            "metric",
            "weighted-metric",
            "step",
            "batch-normalization",
            *(f"{head}{_BY_ROW}" for head in HEADS),
            f"squared{_FLAT}",
        )
    ],
    evidence="losses under masks",
    on=KERAS,
)
def masked_losses(lab: Lab, name: str) -> Verdict:
    """One step of fit with sample weights, and evaluate without, of dense heads on padded sequences."""
    seen = Source.PADDED.mask.ravel().astype(float)
    if name.endswith((_BY_ROW, _FLAT)):
        return _weighted_by_row(lab, name.removesuffix(_BY_ROW).removesuffix(_FLAT), seen, flat=name.endswith(_FLAT))
    if name == "batch-normalization":
        if lab.masked.lacking(BATCH_NORMALIZATION_UNDER_MASK):
            raise NotApplicable("the installed Keras documents no mask of BatchNormalization")
        trace = lab.masked.fitted()
        before, after = trace.averages
        kept = [Rounded(one) * 0.5 for one in before[2:]]
        moments = seen_moments(Rounded(trace.x), Source.PADDED.mask)
        names = ("moving mean", "moving variance")
        return verdict((a, b, c + d * 0.5) for a, b, c, d in zip(names, after[2:], kept, moments, strict=True))
    trace = lab.masked.fitted()
    weight = trace.sample_weight.ravel().astype(float)
    y = trace.y.reshape(-1, UNITS)
    if name == "step":
        return verdict(_masked_step(trace, y, seen * weight / seen.sum()))
    head = name if name in HEADS else "squared"
    loss, reduction = HEADS[head]
    number = seen.sum() if reduction != "sum" else 1.0
    fitted, evaluated = (_head_losses(trace.x, one[head], loss, y) for one in (trace.before, trace.after))
    if name in HEADS:
        expected = (fitted * seen * weight).sum() / number, (evaluated * seen).sum() / number
        key = f"{name}_loss"
        if key not in trace.fitted:
            raise NotApplicable("the installed Keras reports no loss of an output")
    else:
        weighs = weight if name.startswith("weighted") else np.ones_like(seen)
        expected = (fitted * seen * weighs).sum() / (seen * weighs).sum(), (evaluated * seen).sum() / seen.sum()
        key = "squared_weighted" if name.startswith("weighted") else "squared_plain"
    return verdict(
        [(f"{key} of fit", trace.fitted[key], expected[0]), (f"{key} of evaluate", trace.evaluated[key], expected[1])]
    )


def _weighted_by_row(lab: Lab, name: str, seen: np.ndarray, flat: bool) -> Verdict:
    """The loss itself, with a weight for each sequence, of one axis or of two."""
    stream = np.random.RandomState(lab.stream("masked loss", name) % 2**32)
    rows, steps = Source.PADDED.shape[:2]
    output = stream.normal(size=(rows, steps, UNITS)).astype(np.float32)
    y = stream.randint(0, 2, size=output.shape).astype(np.float32)
    weights = stream.uniform(0.5, 1.5, size=rows if flat else (rows, 1)).astype(np.float32)
    loss, reduction = HEADS[name]
    each = row_losses(loss, y.reshape(-1, UNITS), Rounded(output.reshape(-1, UNITS)))
    total = (each * seen * np.repeat(weights.ravel().astype(float), steps)).sum()
    expected = total / (seen.sum() if reduction != "sum" else 1.0)
    return verdict([("the loss", lab.masked.loss(name, y, output, weights), expected)])


def _head_losses(x: np.ndarray, weights: list[np.ndarray], loss: str, y: np.ndarray) -> Rounded:
    """The loss of each step of each row."""
    each: Rounded = row_losses(loss, y, _head(x, weights))
    return each


def _head(x: np.ndarray, weights: list[np.ndarray]) -> Rounded:
    kernel, bias = map(Rounded, weights)
    output: Rounded = Rounded(x.reshape(-1, x.shape[-1])) @ kernel + bias
    return output


def _masked_step(trace: MaskedFit, y: np.ndarray, shares: np.ndarray) -> Iterator[tuple[str, Any, Rounded]]:
    """The weights of the first head, whose loss is a mean: each step's gradient counts by its share."""
    kernel, bias = trace.before["squared"]
    slopes = loss_gradient(HEADS["squared"][0], y, _head(trace.x, [kernel, bias])) * shares[:, None]
    rows = Rounded(trace.x.reshape(-1, trace.x.shape[-1]))
    yield "kernel after the step", trace.after["squared"][0], Rounded(kernel) - (rows.T @ slopes) * STEP
    yield "bias after the step", trace.after["squared"][1], Rounded(bias) - slopes.sum(axis=0) * STEP
