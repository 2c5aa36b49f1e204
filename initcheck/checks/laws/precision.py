"""Draws in double and half precision: the law on each dtype's grid."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import ElementLaw, Shape
from initcheck.checks.judgement import judged
from initcheck.checks.laws import samples
from initcheck.checks.laws.rows import elementwise_rows
from initcheck.checks.registry import NotApplicable, check
from initcheck.records import Verdict, failed
from initcheck.statistics.goodness import (
    Finding,
    extremes_test,
    mean_test,
    most_suspicious,
    resolution_test,
    samples_for_repeats,
    samples_for_scale,
    scale_test,
    shape_test,
    unit_law,
)
from initcheck.targets import ANY

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

# Unit roundoff, and bits drawn. TensorFlow draws 52 of a double, of which 40 leave room for another way of filling it.
DTYPES = {"float64": (2.0**-53, 40), "float16": (2.0**-11, 0), "bfloat16": (2.0**-8, 0)}
SHAPES: tuple[Shape, ...] = ((6, 6000), (3, 3, 1000, 4))
TESTS = len(SHAPES) * sum(4 + (bits > 0) for _, bits in DTYPES.values())
# Two normal variables that are rounded to float32 agree with the chance ∫ f(x)²·ulp(x) dx, at least 2^-26.13.
_FLOATS_MEET = 2.0**-26.13


def needs(alpha: float) -> int:
    """Returns how many elements of one dtype and shape detect a stddev off by 4 %, and doubles that are floats."""
    return max(
        samples_for_scale(0.04, 3.0, alpha, TESTS),
        samples_for_repeats(_FLOATS_MEET, DTYPES["float64"][1], alpha, TESTS, len(SHAPES)),
    )


def beyond_support(values: np.ndarray, law: ElementLaw, dtype: str) -> str:
    """Describes the farthest element if it is outside of the support or NaN; empty otherwise."""
    low, high = law.support
    far = float(np.abs(_standardized(values, law)).max())
    if math.isfinite(far) and far <= (high - low) / 2 / law.stddev + _cell(law, dtype):
        return ""
    return f"{far:.4f} σ from the mean"


def findings(values: np.ndarray, law: ElementLaw, dtype: str) -> list[tuple[str, Finding]]:
    """Mean, scale, distribution and extremes within rounding error; and all the bits of double precision."""
    roundoff, bits = DTYPES[dtype]
    cell, unit = _cell(law, dtype), unit_law(law.family)
    group = {f"{dtype} {values.shape}": _standardized(values, law)}
    tests = {
        "mean in σ": mean_test(cell),
        "stddev over the documented one": scale_test(law.kurtosis, 3 * roundoff + cell),
        "distance of distribution functions": shape_test(unit, cell),
        # A uniform draw ends one step short of its limit; its range, product and sum are rounded, each by half a cell.
        "most extreme element, in σ,": extremes_test(unit, 2.5 * cell),
        **({"repeated elements": resolution_test(bits)} if bits else {}),
    }
    return [(what, most_suspicious(group, test)) for what, test in tests.items()]


def _standardized(values: np.ndarray, law: ElementLaw) -> np.ndarray:
    return np.asarray((values.astype(np.float64).ravel() - law.mean) / law.stddev)


def _cell(law: ElementLaw, dtype: str) -> float:
    """A cell of the grid where it is coarsest, in σ: uniform draws have 1,024 (128) steps from end to end."""
    reach = 3 * law.stddev if law.family == "normal" else law.support[1] - law.mean
    return 2 * DTYPES[dtype][0] * (abs(law.mean) + 2 * reach) / law.stddev


@check(
    "LAW06",
    "Draws in double and half precision follow the same law as far as their precision goes.",
    on=ANY,
    subjects=elementwise_rows(),
    takes="initializer",
    detects="a standard deviation off by 4 % in any dtype and shape, beyond the rounding of that dtype; doubles that "
    "are cast floats",
    samples=lambda factor: min(math.prod(shape) for shape in SHAPES),
    min_samples=needs,
)
def other_dtypes(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """Mean, scale, distribution and extremes within rounding error; and all the bits of double precision."""
    samples.element_law(row, ())
    tests: list[tuple[str, Finding]] = []
    for dtype in filter(lab.draws.dtypes(row).__contains__, DTYPES):
        for shape in SHAPES:
            law = samples.element_law(row, shape)
            values = lab.draws.draw(row, shape, seed=lab.stream("laws", dtype, row.name, *shape), dtype=dtype)
            if str(values.dtype) != dtype or values.shape != shape:
                return failed(f"{row.name}: {values.dtype} of shape {values.shape}", f"{dtype} of shape {shape}")
            beyond = beyond_support(values, law, dtype)
            if beyond:
                return failed(f"{row.name} as {dtype}: {beyond}", "within the support")
            tests += findings(values, law, dtype)
    if not tests:
        raise NotApplicable(f"{row.name} is drawn in float32 alone")
    what, worst = min(tests, key=lambda item: item[1].p_value)
    worst = Finding(worst.group, worst.value, worst.n, min(1.0, worst.p_value * len(tests)))
    return judged(worst, alpha, f"{row.name} {worst.group}: {what} {worst.value:.4f}", "the documented law")
