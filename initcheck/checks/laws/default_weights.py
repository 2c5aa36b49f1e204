"""The weights of a layer with default initializers, compared with the documented defaults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from initcheck.catalog.cases.layer_defaults import DEFAULTS
from initcheck.catalog.laws import Constant, ElementLaw
from initcheck.catalog.layers.traits.weights import FORGET_GATE, ORTHOGONAL, LayerDefaults
from initcheck.checks.judgement import judged
from initcheck.checks.laws import orthogonal
from initcheck.checks.laws.samples import element_law
from initcheck.checks.registry import NotApplicable, Subject, check
from initcheck.records import Verdict, failed, passed
from initcheck.statistics.goodness import (
    Finding,
    mean_test,
    most_suspicious,
    samples_for_distance,
    samples_for_scale,
    scale_test,
    shape_test,
    together,
    unit_law,
)
from initcheck.targets import KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

SAMPLES = 20_000
_SLACK = 0.01  # what is left of the different ways of counting a gated layer's units
_TESTS = 3 * 4  # three for each kernel, of which attention has four


def needs(alpha: float) -> int:
    """Returns how many elements of a kernel detect a scale off by 5 %, and another family of distributions."""
    return max(
        samples_for_scale(0.05, 1.8, alpha, _TESTS, _SLACK),
        # Of the other families with a uniform law's standard deviation the truncated normal one is nearest to it.
        samples_for_distance(0.043 - _SLACK, alpha, _TESTS),
    )


def judge_weights(name: str, weights: Sequence[np.ndarray], expected: LayerDefaults, alpha: float) -> Verdict:
    """Shapes and constants exactly; orthogonal kernels by their rows; random ones by mean, scale and distribution."""
    shapes = tuple(values.shape for values in weights)
    if shapes != expected.shapes:
        return failed(f"{name}: weights of shapes {shapes}", f"{expected.shapes}")
    findings: list[Finding] = []
    for place, (values, row) in enumerate(zip(weights, expected.initializers, strict=True)):
        label = f"{name}, weight {place} {values.shape}"
        if isinstance(row.law, Constant):
            exact = row.law.expected(values.shape)
            if row is FORGET_GATE:
                units = values.shape[0] // 4  # the gates' order is input, forget, cell, output
                exact[units : 2 * units] = 1.0
            if not np.array_equal(values, exact):
                return failed(f"{label}: {np.unique(values)[:5]}", f"{row.name} exactly")
        elif row is ORTHOGONAL:
            off, bound = orthogonal.departure(values, 1.0)
            if not off <= bound:
                return failed(f"{label}: |QᵀQ − I| up to {off:.3g}", "orthogonal", bound=f"at most {bound:.2g}")
        else:
            findings += element_findings(label, values, element_law(row, values.shape), _SLACK)
    if not findings:
        return passed(f"{name}: {len(weights)} weights exact")
    worst = together(findings)
    return judged(worst, alpha, f"{worst.group}: {worst.value:.4f}", "the documented default")


def element_findings(label: str, values: np.ndarray, element: ElementLaw, slack: float = 0.0) -> list[Finding]:
    """What tests of mean, scale and distribution say of the elements; ``slack`` is taken off the latter two."""
    sample = (values.astype(np.float64).ravel() - element.mean) / element.stddev
    return [
        most_suspicious({f"{what} of {label}": sample}, test)
        for what, test in (
            ("mean in σ", mean_test()),
            ("stddev over the documented one", scale_test(element.kurtosis, slack)),
            ("distance of distribution functions", shape_test(unit_law(element.family), slack)),
        )
    ]


@check(
    "LAW15",
    "A layer without given initializers has the documented defaults: kernels, biases, scales, statistics.",
    on=KERAS,
    subjects=[Subject(name, name) for name in DEFAULTS],
    detects="a standard deviation off by 5 %, another family of distributions, a constant off by anything",
    samples=lambda factor: SAMPLES,
    min_samples=needs,
)
def layer_defaults(lab: Lab, name: str, alpha: float) -> Verdict:
    """Shapes and constants exactly; orthogonal kernels by their rows; random ones by mean, scale and distribution."""
    expected = DEFAULTS[name]
    if not lab.draws.layers.offers(expected.layer):
        raise NotApplicable(f"the installed Keras has no {expected.layer}")
    weights = lab.draws.layers.defaults(expected.request, lab.stream("laws", "defaults", name))
    return judge_weights(name, weights, expected, alpha)
