"""Draws of complex numbers, where a library has them: their variance, how they lie on the disk, their directions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Family, Shape, VarianceScaled
from initcheck.checks.judgement import judged
from initcheck.checks.laws import samples
from initcheck.checks.registry import FRAMEWORK, NotApplicable, check, over_initializers
from initcheck.frameworks.libraries.chosen import complex_dtype
from initcheck.records import Verdict, failed
from initcheck.statistics.goodness import (
    Finding,
    Sample,
    mean_test,
    most_suspicious,
    samples_for_shift,
    shape_test,
    unit_law,
)
from initcheck.targets import ANY, target

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

SHAPE: Shape = (96, 5000)
_TESTS = 3
# Of a complex normal number with E|z|² = 1, the squared modulus is exponential; cut at |z| ≤ 2, it is so below 4, with
# mean 1 − 4/(e⁴ − 1). On a disk it is uniform.
_CUT = 4.0
_CUT_MASS = -math.expm1(-_CUT)
_CUT_MEAN = 1 - _CUT / math.expm1(_CUT)
# E x² of the exponential law cut at 4, less the squared mean.
_CUT_VARIANCE = (2 - math.exp(-_CUT) * (_CUT**2 + 2 * _CUT + 2)) / _CUT_MASS - _CUT_MEAN**2
_SPREAD: dict[Family, float] = {
    "normal": 1.0,
    "uniform": 1 / math.sqrt(3),
    "truncated_normal": math.sqrt(_CUT_VARIANCE) / _CUT_MEAN,
}


def _shares(squares: Sample, family: Family) -> Sample:
    """The distribution function of the squared modulus, whose mean is 1, at those values."""
    if family == "uniform":
        return np.asarray(np.clip(squares / 2, 0.0, 1.0))
    if family == "normal":
        return np.asarray(-np.expm1(-squares))
    return np.asarray(np.clip(-np.expm1(-squares * _CUT_MEAN) / _CUT_MASS, 0.0, 1.0))


def _as_uniform(shares: Sample) -> Sample:
    """Shares between 0 and 1 as a sample of the uniform law with mean 0 and standard deviation 1."""
    return (2 * shares - 1) * math.sqrt(3)


def complex_findings(values: npt.NDArray[np.generic], family: Family, stddev: float) -> list[tuple[str, Finding]]:
    """Mean square in units of its standard error's σ, distribution of the modulus and of the direction.

    Args:
        values: Complex numbers.
        family: Their law: normal, cut at two standard deviations of the parent, or uniform on a disk.
        stddev: The root of the documented mean square.
    """
    numbers = values.astype(np.complex128).ravel() / stddev
    squares = np.asarray(np.square(np.abs(numbers)))
    turns = np.asarray(np.angle(numbers) / (2 * math.pi) + 0.5)
    shape = shape_test(unit_law("uniform"))
    return [
        ("mean square off by", most_suspicious({"": (squares - 1) / _SPREAD[family]}, mean_test())),
        ("distance of the modulus's law", most_suspicious({"": _as_uniform(_shares(squares, family))}, shape)),
        ("distance of the direction's law", most_suspicious({"": _as_uniform(turns)}, shape)),
    ]


_SCALED = [one for one in over_initializers(random=True) if isinstance(one.value.law, VarianceScaled)]
_SUBJECTS = _SCALED if complex_dtype() else FRAMEWORK


@check(
    "LAW30",
    "Complex draws have the documented variance, lie on the disk as documented, and point evenly in all directions.",
    on=ANY,
    subjects=_SUBJECTS,
    detects="a variance off by 1.3 % (of a normal law; 0.8 % of the others)",
    samples=lambda factor: math.prod(SHAPE),
    min_samples=lambda alpha: samples_for_shift(0.013, alpha, _TESTS),
)
def complex_draws(lab: Lab, row: Initializer | None, alpha: float) -> Verdict:
    """The mean square about 0, the distribution of the modulus, and that of the direction."""
    dtype = complex_dtype()
    if row is None:
        raise NotApplicable(f"{target()} documents no complex draws")
    law = samples.element_law(row, SHAPE)
    values = lab.draws.draw(row, SHAPE, seed=lab.stream("laws", "complex", row.name), dtype=dtype)
    if values.shape != SHAPE or str(values.dtype) != dtype:
        return failed(f"{row.name}: {values.dtype} of shape {values.shape}", f"{dtype} of shape {SHAPE}")
    what, worst = min(complex_findings(values, law.family, law.stddev), key=lambda item: item[1].p_value)
    value = worst.value * _SPREAD[law.family] if what.startswith("mean") else worst.value
    worst = Finding(worst.group, value, worst.n, min(1.0, worst.p_value * _TESTS))
    return judged(worst, alpha, f"{row.name} as {dtype}: {what} {value:+.4f}", "0", effect=value)
