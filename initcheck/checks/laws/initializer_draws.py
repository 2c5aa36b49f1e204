"""Draws of initializers follow their documented distributions: support, moments, shape, independence, edges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Constant, Identity, Orthogonal, Unstated, VarianceScaled
from initcheck.checks.judgement import judged
from initcheck.checks.laws import samples
from initcheck.checks.laws.rows import all_rows, elementwise_rows, fixed_rows
from initcheck.checks.registry import NotApplicable, check, require_law
from initcheck.records import Verdict, failed, passed
from initcheck.statistics import dependence
from initcheck.statistics.goodness import (
    Finding,
    extremes_test,
    mean_test,
    most_suspicious,
    resolution_test,
    samples_for_distance,
    samples_for_limit,
    samples_for_repeats,
    samples_for_scale,
    samples_for_shift,
    scale_test,
    shape_test,
    sign_test,
    together,
    unit_law,
)
from initcheck.targets import ANY, KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

_TINY: tuple[tuple[int, ...], ...] = (
    (0,), (0, 3), (3, 0), (2, 0, 3), (2, 3, 0), (), (1,), (1, 1), (1, 1, 1), (7, 1), (1, 7), (2, 3, 4, 5),
    (2, 1, 3, 2, 2),
)  # fmt: skip


_MANY = (1250, 1600)


def _class_samples(factor: float) -> int:
    return samples.SHAPES_PER_CLASS * math.ceil(samples.CLASS_SAMPLES / samples.SHAPES_PER_CLASS * factor)


def _class_needs(*, pooled: int, one_class: int = 0, one_shape: int = 0) -> int:
    """Returns how many elements a class of shapes needs, from the needs of all together, one class and one shape."""
    return max(math.ceil(pooled / samples.CLASSES), one_class, samples.SHAPES_PER_CLASS * one_shape)


@check(
    "LAW01",
    "A draw has the shape asked for and the default dtype, is finite, and lies within the law's support.",
    on=ANY,
    subjects=elementwise_rows(),
    takes="initializer",
)
def support(lab: Lab, row: Initializer) -> Verdict:
    """Exactly, but for the rounding of the limits themselves.

    The framework forms mean + spread·z in float32, with |z| exactly within its limit: the rounded spread, product and
    sum each add a relative 2⁻²⁴ at most, of which the last cell of the grid of z takes back 2⁻²⁴.

    A normal law is often cut by drawing again, and what is still outside after the last try is a matter of luck: of
    those rows two million elements more are drawn, in which one in 2·10⁵ is missed with the chance e⁻¹⁰.
    """
    drawn = samples.sample(lab, row)
    many = [samples.one(lab, row, _MANY)] if drawn[0].law.family == "truncated_normal" else []
    for draw in (*drawn, *many):
        values = draw.values
        low, high = draw.law.support
        rounding = 2.0**-23 * (abs(draw.law.mean) + (high - low) / 2) if math.isfinite(high) else 0.0
        if values.shape != draw.shape or values.dtype != np.float32:
            return failed(f"{row.name}: {values.dtype} of shape {values.shape}", f"float32 of shape {draw.shape}")
        least, most = float(values.min()), float(values.max())
        if not np.isfinite(values).all() or least < low - rounding or most > high + rounding:
            return failed(
                f"{row.name} {draw.shape}: from {least:.7g} to {most:.7g}", f"finite, within [{low:.7g}, {high:.7g}]"
            )
    size = sum(draw.values.size for draw in (*drawn, *many))
    return passed(f"{row.name}: {len(drawn) + len(many)} draws within the support", n=size)


@check(
    "LAW02",
    "Draws have the documented mean, and as many elements above it as below.",
    on=ANY,
    subjects=elementwise_rows(),
    takes="initializer",
    detects="a mean off by 0.017 σ (0.06 σ in one class of shapes); a share of positive elements off by 0.9 %",
    samples=_class_samples,
    min_samples=lambda alpha: _class_needs(
        # A share of ½ + s is a mean of the signs of 2s.
        pooled=samples_for_shift(min(0.017, 2 * 0.009), alpha, 2 * samples.GROUPS),
        one_class=samples_for_shift(0.06, alpha, 2 * samples.GROUPS),
    ),
)
def mean_and_signs(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """The z tests of the mean and of the signs, for each shape, each class of shapes and all together."""
    groups = samples.groups(samples.sample(lab, row))
    mean, signs = most_suspicious(groups, mean_test()), most_suspicious(groups, sign_test)
    worst = min(mean, signs, key=lambda finding: finding.p_value)
    twice = Finding(worst.group, worst.value, worst.n, min(1.0, 2 * worst.p_value))
    if worst is mean:
        return judged(
            twice, alpha, f"{row.name}, {mean.group}: mean off by {mean.value:.4f} σ", "0 σ", effect=mean.value
        )
    measured = f"{row.name}, {signs.group}: {signs.value:.4f} of the elements above the mean"
    return judged(twice, alpha, measured, "0.5", effect=signs.value - 0.5)


@check(
    "LAW03",
    "Draws have the documented standard deviation, for every order of magnitude of the fans and every rank.",
    on=ANY,
    subjects=elementwise_rows(),
    takes="initializer",
    detects="a standard deviation off by 1.2 % (4 % in one class of shapes, 8 % in one shape)",
    samples=_class_samples,
    min_samples=lambda alpha: _class_needs(
        pooled=samples_for_scale(0.012, 3.0, alpha, samples.GROUPS),
        one_class=samples_for_scale(0.04, 3.0, alpha, samples.GROUPS),
        one_shape=samples_for_scale(0.08, 3.0, alpha, samples.GROUPS),
    ),
)
def scale(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """Score ln(s/σ)·√(4n/(κ−1)) for each shape, each class of shapes and all together."""
    drawn = samples.sample(lab, row)
    finding = most_suspicious(samples.groups(drawn), scale_test(drawn[0].law.kurtosis))
    sigma = {f"{draw.kind} {draw.shape}": f" {draw.law.stddev:.4g}" for draw in drawn}.get(finding.group, "")
    measured = f"{row.name}, {finding.group}: stddev {finding.value:.4f} times the documented one{sigma}"
    return judged(finding, alpha, measured, "1", effect=finding.value - 1)


_DISTRIBUTION_TESTS = 3 * (1 + samples.CLASSES)  # three tests; the pool and each class


@check(
    "LAW04",
    "Draws have the documented distribution up to its ends, at single precision.",
    on=ANY,
    subjects=elementwise_rows(),
    takes="initializer",
    detects="distribution functions 0.9 % apart (2.9 % in one class); limits of a bounded law too narrow by 0.1 % "
    "(too wide: LAW01); draws on a grid of 2^16 values",
    samples=_class_samples,
    min_samples=lambda alpha: _class_needs(
        pooled=max(
            samples_for_distance(0.009, alpha, _DISTRIBUTION_TESTS),
            samples_for_limit(0.001, alpha, _DISTRIBUTION_TESTS),
        ),
        one_class=samples_for_distance(0.029, alpha, _DISTRIBUTION_TESTS),
        # 18 bits are the fewest that the rows' means leave to float32; see the judge.
        one_shape=samples_for_repeats(2.0**-16, 18, alpha, 3),
    ),
)
def distribution(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """Kolmogorov and Smirnov's test, the law of the extremes, and the number of repeated elements."""
    drawn = samples.sample(lab, row)
    law = samples.unit(drawn)
    pools = {name: pool for name, pool in samples.groups(drawn).items() if name.startswith("all shapes")}
    shape, ends = most_suspicious(pools, shape_test(law)), most_suspicious(pools, extremes_test(law))
    largest = max(drawn, key=lambda draw: draw.values.size)
    # TensorFlow draws 23 random bits; 22 leave room for another way of filling a float32, whose own grid around a mean
    # far from zero may be coarser.
    bits = min(22, int(math.log2(largest.law.stddev / (2.0**-22 * max(abs(largest.law.mean), 1e-30)))))
    elements = {f"{largest.kind} {largest.shape}": largest.values.astype(np.float64).ravel()}
    repeats = most_suspicious(elements, resolution_test(bits))
    findings = {
        "distance from the documented distribution function": (shape, "0"),
        "most extreme element, in σ,": (ends, f"the extreme of n draws of a {law.family} law"),
        "repeated elements": (repeats, f"those of a grid of 2^{bits}"),
    }
    what, (worst, expected) = min(findings.items(), key=lambda item: item[1][0].p_value)
    thrice = Finding(worst.group, worst.value, worst.n, min(1.0, 3 * worst.p_value))
    return judged(thrice, alpha, f"{row.name}, {worst.group}: {what} {worst.value:.5g}", expected, effect=worst.value)


_DEPENDENCE_SHAPES: tuple[tuple[int, ...], ...] = (
    (128, 553),
    (5, 16, 883),
    (3, 3, 64, 123),
    (3, 3, 3, 32, 82),
    (80_000,),
)
# Elements and magnitudes at every lag up to half the longest; as many findings for each shape, two more for its rows.
_LAGS = 2 * max(map(math.prod, _DEPENDENCE_SHAPES)) // 2
_DEPENDENCE_TESTS = _LAGS * sum(1 + (len(shape) > 1) for shape in _DEPENDENCE_SHAPES)


@check(
    "LAW05",
    "The elements of a draw are independent of each other, along rows, columns and windows.",
    on=ANY,
    subjects=elementwise_rows(),
    takes="initializer",
    detects="a correlation of 0.055 between elements (or their magnitudes) any fixed distance apart",
    samples=lambda factor: min(map(math.prod, _DEPENDENCE_SHAPES)) // 2,  # products at the largest lag
    # Isserlis 1918: the products of normal elements that are correlated at one lag have variance 1 + ρ², and each has
    # a covariance of ρ² with two others.
    min_samples=lambda alpha: samples_for_shift(0.055, alpha, _DEPENDENCE_TESTS, math.sqrt(1 + 3 * 0.055**2)),
)
def independence(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """Correlations at every shift up to half the draw; the scatter of the sums and norms of rows and columns."""
    findings = []
    for shape in filter(row.law.allows, _DEPENDENCE_SHAPES):
        law = samples.element_law(row, shape)
        values = lab.draws.draw(row, shape, seed=lab.stream("laws", "independence", row.name, *shape))
        sample = (values.astype(np.float64) - law.mean) / law.stddev
        one = dependence.within(sample.ravel(), unit_law(law.family))
        findings.append(Finding(f"{shape}: {one.group}", one.value, one.n, one.p_value))
        if len(shape) > 1:
            one = dependence.rows(sample.reshape(-1, shape[-1]), unit_law(law.family))
            findings.append(Finding(f"{shape}: {one.group}", one.value, one.n, one.p_value))
    worst = together(findings)
    return judged(worst, alpha, f"{row.name} {worst.group} scores {worst.value:.2f}", "independent elements")


@check(
    "LAW07",
    "Initializers without randomness return exactly their constants, in every dtype.",
    on=ANY,
    subjects=fixed_rows(),
    takes="initializer",
)
def constants(lab: Lab, row: Initializer) -> Verdict:
    """Element by element, rounded to the dtype."""
    require_law(row)
    if not isinstance(row.law, Constant | Identity):
        raise NotApplicable(f"{row.name} is random")
    count = 0
    for dtype in lab.draws.dtypes(row):
        for shape in ((3,), (1, 1), (4, 7), (7, 4), (30, 30), (2, 3, 5), (3, 1, 2, 4)):
            if not row.law.allows(shape):
                continue
            values = lab.draws.draw(row, shape, seed=None, dtype=dtype)
            expected = row.law.expected(shape)
            if str(values.dtype) != dtype or values.shape != shape:
                return failed(f"{row.name}: {values.dtype} of shape {values.shape}", f"{dtype} of shape {shape}")
            wrong = int(np.count_nonzero(values != expected.astype(values.dtype)))
            if wrong:
                return failed(f"{row.name} {shape}, {dtype}: {wrong} elements differ", f"{row.law}", n=values.size)
            count += values.size
    return passed(f"{row.name}: {count} elements exact", n=count)


@check(
    "LAW10",
    "Tiny, empty and scalar shapes give draws of that shape, and shapes without a meaning are refused.",
    on=ANY,
    subjects=all_rows(),
    takes="initializer",
)
def edge_shapes(lab: Lab, row: Initializer) -> Verdict:
    """Shapes with zeros, ones, and no axes at all; those that no stated law promises may be refused."""
    refused: list[str] = []
    for shape in _TINY:
        if not row.law.allows(shape):
            # Of a shape without fans, no elements are as good as an error: torch.nn.init documents neither.
            nothing = isinstance(row.law, VarianceScaled) and math.prod(shape) == 0
            if not nothing and not lab.draws.refusal(row, shape):
                return failed(f"{row.name} takes the shape {shape}", "an error: the documentation excludes it")
            continue
        seed = lab.stream("laws", "edges", row.name, *shape)
        if isinstance(row.law, Unstated) and isinstance(error := lab.draws.attempt(row, shape, seed=seed), str):
            refused.append(f"{shape} ({error})")
            continue
        values = lab.draws.draw(row, shape, seed=seed)
        if values.shape != shape or values.dtype != np.float32 or not np.isfinite(values).all():
            return failed(f"{row.name} {shape}: {values.dtype} of shape {values.shape}", f"finite float32 of {shape}")
        if row.law.random and values.size > 1 and not isinstance(row.law, Orthogonal) and np.ptp(values) == 0:
            return failed(f"{row.name} {shape}: all elements are {values.flat[0]}", "elements that differ")
    if refused:
        rest = "; the other tiny shapes are right" if len(refused) < len(_TINY) else ""
        shapes = f"{refused[0]}{_and_more(refused[1:])}"
        raise NotApplicable(f"{row.name} does not draw the shape {shapes}, and states no law that promises it{rest}")
    return passed(f"{row.name}: {len(_TINY)} shapes")


def _and_more(others: Sequence[str]) -> str:
    return f" and {len(others)} more of the {len(_TINY)} tiny ones" if others else ""


@check(
    "LAW19",
    "An initializer without a given dtype draws in the default one (floatx).",
    on=KERAS,
    subjects=all_rows(),
)
def default_dtype(lab: Lab, row: Initializer) -> Verdict:
    """Documented: "If not specified, keras.backend.floatx() is used"; bit for bit the draw of that dtype."""
    shape, seed = (4, 3), lab.stream("laws", "floatx", row.name)
    dtypes = [dtype for dtype in ("float64", "float16", "float32") if dtype in lab.draws.dtypes(row)]
    for dtype in dtypes:
        values, given = (
            lab.draws.under(dtype, row, shape, seed=seed),
            lab.draws.draw(row, shape, seed=seed, dtype=dtype),
        )
        if str(values.dtype) != dtype or not np.array_equal(values, given):
            return failed(f"{row.name} under floatx {dtype}: {values.dtype}, or other values", f"the draw in {dtype}")
    return passed(f"{row.name}: {len(dtypes)} dtypes")
