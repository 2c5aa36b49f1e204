"""Normal draws in half precision: whether they are centred and reach as far out as the law, whatever their grid."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import ElementLaw, Shape
from initcheck.checks.judgement import judged
from initcheck.checks.laws import samples
from initcheck.checks.laws.precision import DTYPES
from initcheck.checks.laws.rows import elementwise_rows
from initcheck.checks.registry import NotApplicable, Subject, check
from initcheck.records import Verdict
from initcheck.statistics.goodness import (
    Finding,
    extremes_test,
    mean_test,
    most_suspicious,
    samples_for_shift,
    samples_for_tail,
    together,
    unit_law,
)
from initcheck.targets import ANY

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

SHAPE: Shape = (1000, 1200)
_HALF = ("float16", "bfloat16")
_TESTS = 2 * len(_HALF)
_TAIL = 9.6e-5  # of the normal law beyond ±3.9 standard deviations


def _is_normal(subject: Subject) -> bool:
    return samples.element_law(subject.value, SHAPE).family != "uniform"


def _most_bias(law: ElementLaw, dtype: str) -> float:
    """How far rounding to nearest may shift the mean, in σ.

    It is odd, so that it shifts nothing of a law that is symmetric about 0. About another mean a coarse grid of
    products is rounded once more, by a unit roundoff of the largest values that are common at most.
    """
    return DTYPES[dtype][0] * (abs(law.mean) + law.stddev) / law.stddev if law.mean else 0.0


@check(
    "LAW29",
    "Normal draws in half precision have the documented mean, and reach as far out as the law does.",
    on=ANY,
    subjects=list(filter(_is_normal, elementwise_rows())),
    takes="initializer",
    detects="a mean off by 0.008 σ, where the law's is 0; a normal law cut off at 3.9 standard deviations",
    samples=lambda factor: math.prod(SHAPE),
    min_samples=lambda alpha: max(samples_for_shift(0.008, alpha, _TESTS), samples_for_tail(_TAIL, alpha, _TESTS)),
)
def centred_in_half_precision(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """A grid of few values is what half precision is; a grid whose values are all too low, or end early, is not."""
    law = samples.element_law(row, SHAPE)
    if law.family == "uniform":
        raise NotApplicable(f"{row.name} is uniform on a half-open interval, whose grid may begin at its lower end")
    findings: list[Finding] = []
    for dtype in filter(lab.draws.dtypes(row).__contains__, _HALF):
        values = lab.draws.draw(row, SHAPE, seed=lab.stream("laws", "half", dtype, row.name), dtype=dtype)
        sample = (values.astype(np.float64).ravel() - law.mean) / law.stddev
        # The rounding of the element farthest out; uniform numbers from which a cut law is made may end a cell early.
        ends = 2 * DTYPES[dtype][0] * (abs(law.mean) / law.stddev + 5)
        findings += [
            most_suspicious({f"{dtype} {SHAPE}: {what}": sample}, test)
            for what, test in (
                ("mean in σ", mean_test(_most_bias(law, dtype))),
                ("most extreme element, in σ,", extremes_test(unit_law(law.family), ends)),
            )
        ]
    if not findings:
        raise NotApplicable(f"{row.name} is not drawn in half precision")
    worst = together(findings)
    return judged(worst, alpha, f"{row.name} {worst.group} {worst.value:.4f}", "the documented law")
