"""Family laws: every draw follows its documented distribution, as drawn and as layers create it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.catalog.cases import layers as layer_cases
from initcheck.catalog.cases import strings
from initcheck.catalog.cases.layer_defaults import DEFAULTS
from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Constant, Identity, Mode, Orthogonal, Unstated
from initcheck.checks import (
    default_weights,
    dependence,
    given_weights,
    large_draws,
    layer_scales,
    noise,
    orthogonality,
    precision,
    random_functions,
    samples,
)
from initcheck.checks.goodness import (
    Finding,
    extremes_test,
    magnitude_test,
    mean_test,
    most_suspicious,
    resolution_test,
    samples_for_distance,
    samples_for_limit,
    samples_for_repeats,
    samples_for_scale,
    samples_for_shift,
    samples_for_tail,
    scale_test,
    shape_test,
    sign_test,
    together,
    unit_law,
)
from initcheck.checks.judgement import judged
from initcheck.checks.registry import NotApplicable, Subject, check, require_law
from initcheck.checks.rows import all_rows, elementwise_rows, fixed_rows, orthogonal_rows
from initcheck.records import Verdict, failed, passed

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

_TINY: tuple[tuple[int, ...], ...] = (
    (0,), (0, 3), (3, 0), (2, 0, 3), (2, 3, 0), (), (1,), (1, 1), (1, 1, 1), (7, 1), (1, 7), (2, 3, 4, 5),
    (2, 1, 3, 2, 2),
)  # fmt: skip


def _class_samples(factor: float) -> int:
    return samples.SHAPES_PER_CLASS * math.ceil(samples.CLASS_SAMPLES / samples.SHAPES_PER_CLASS * factor)


def _class_needs(*, pooled: int, one_class: int = 0, one_shape: int = 0) -> int:
    """How many elements each class of shapes needs where all together, one class and one shape need so many."""
    return max(math.ceil(pooled / samples.CLASSES), one_class, samples.SHAPES_PER_CLASS * one_shape)


@check(
    "LAW01",
    "A draw has the shape asked for and the default dtype, is finite, and lies within the law's support.",
    subjects=elementwise_rows(),
    takes="initializer",
)
def support(lab: Lab, row: Initializer) -> Verdict:
    """Exactly, but for the rounding of the limits themselves.

    The framework forms mean + spread·z in float32, with |z| exactly within its limit: the rounded spread, product and
    sum each add a relative 2⁻²⁴ at most, of which the last cell of the grid of z takes back 2⁻²⁴.
    """
    drawn = samples.sample(lab, row)
    for draw in drawn:
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
    return passed(f"{row.name}: {len(drawn)} draws within the support", n=sum(draw.values.size for draw in drawn))


@check(
    "LAW02",
    "Draws have the documented mean, and as many elements above it as below.",
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
    worst = min(mean, signs, key=lambda found: found.p_value)
    twice = Finding(worst.group, worst.value, worst.n, min(1.0, 2 * worst.p_value))
    if worst is mean:
        return judged(
            twice, alpha, f"{row.name}, {mean.group}: mean off by {mean.value:.4f} σ", "0 σ", effect=mean.value
        )
    said = f"{row.name}, {signs.group}: {signs.value:.4f} of the elements above the mean"
    return judged(twice, alpha, said, "0.5", effect=signs.value - 0.5)


@check(
    "LAW03",
    "Draws have the documented standard deviation, for every order of magnitude of the fans and every rank.",
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
    found = most_suspicious(samples.groups(drawn), scale_test(drawn[0].law.kurtosis))
    sigma = {f"{draw.kind} {draw.shape}": f" {draw.law.stddev:.4g}" for draw in drawn}.get(found.group, "")
    said = f"{row.name}, {found.group}: stddev {found.value:.4f} times the documented one{sigma}"
    return judged(found, alpha, said, "1", effect=found.value - 1)


_DISTRIBUTION_TESTS = 3 * (1 + samples.CLASSES)  # three tests; the pool and each class


@check(
    "LAW04",
    "Draws have the documented distribution up to its ends, at single precision.",
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
    told = {
        "distance from the documented distribution function": (shape, "0"),
        "most extreme element, in σ,": (ends, f"the extreme of n draws of a {law.family} law"),
        "repeated elements": (repeats, f"those of a grid of 2^{bits}"),
    }
    what, (worst, expected) = min(told.items(), key=lambda item: item[1][0].p_value)
    thrice = Finding(worst.group, worst.value, worst.n, min(1.0, 3 * worst.p_value))
    return judged(thrice, alpha, f"{row.name}, {worst.group}: {what} {worst.value:.5g}", expected, effect=worst.value)


_DEPENDENCE_SHAPES: tuple[tuple[int, ...], ...] = (
    (128, 545),
    (5, 16, 871),
    (3, 3, 64, 121),
    (3, 3, 3, 32, 81),
    (80_000,),
)
# Elements and magnitudes at every lag up to half the longest; as many findings for each shape, two more for its rows.
_LAGS = 2 * max(map(math.prod, _DEPENDENCE_SHAPES)) // 2
_DEPENDENCE_TESTS = _LAGS * sum(1 + (len(shape) > 1) for shape in _DEPENDENCE_SHAPES)


@check(
    "LAW05",
    "The elements of a draw are independent of each other, along rows, columns and windows.",
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
    found = []
    for shape in _DEPENDENCE_SHAPES:
        law = samples.element_law(row, shape)
        values = lab.draws.draw(row, shape, seed=lab.stream("laws", "independence", row.name, *shape))
        sample = (values.astype(np.float64) - law.mean) / law.stddev
        one = dependence.within(sample.ravel(), unit_law(law.family))
        found.append(Finding(f"{shape}: {one.group}", one.value, one.n, one.p_value))
        if len(shape) > 1:
            one = dependence.rows(sample.reshape(-1, shape[-1]), unit_law(law.family))
            found.append(Finding(f"{shape}: {one.group}", one.value, one.n, one.p_value))
    worst = together(found)
    return judged(worst, alpha, f"{row.name} {worst.group} scores {worst.value:.2f}", "independent elements")


@check(
    "LAW06",
    "Draws in double and half precision follow the same law as far as their precision goes.",
    subjects=elementwise_rows(),
    takes="initializer",
    detects="a standard deviation off by 4 % in any dtype and shape, beyond the rounding of that dtype; doubles that "
    "are cast floats",
    samples=lambda factor: min(math.prod(shape) for shape in precision.SHAPES),
    min_samples=precision.needs,
)
def other_dtypes(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """Mean, scale, distribution and extremes with what rounding may add; and all the bits of double precision."""
    found: list[tuple[str, Finding]] = []
    for dtype in precision.DTYPES:
        for shape in precision.SHAPES:
            law = samples.element_law(row, shape)
            values = lab.draws.draw(row, shape, seed=lab.stream("laws", dtype, row.name, *shape), dtype=dtype)
            if str(values.dtype) != dtype or values.shape != shape:
                return failed(f"{row.name}: {values.dtype} of shape {values.shape}", f"{dtype} of shape {shape}")
            beyond = precision.beyond_support(values, law, dtype)
            if beyond:
                return failed(f"{row.name} as {dtype}: {beyond}", "within the support")
            found += precision.findings(values, law, dtype)
    what, worst = min(found, key=lambda item: item[1].p_value)
    worst = Finding(worst.group, worst.value, worst.n, min(1.0, worst.p_value * len(found)))
    return judged(worst, alpha, f"{row.name} {worst.group}: {what} {worst.value:.4f}", "the documented law")


@check(
    "LAW07",
    "Initializers without randomness return exactly their constants, in every dtype.",
    subjects=fixed_rows(),
    takes="initializer",
)
def constants(lab: Lab, row: Initializer) -> Verdict:
    """Element by element, rounded to the dtype."""
    require_law(row)
    if not isinstance(row.law, Constant | Identity):
        raise NotApplicable(f"{row.name} is random")
    count = 0
    for dtype in ("float32", *precision.DTYPES):
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
    "LAW08",
    "Orthogonal draws have orthonormal columns, or rows where they are fewer, times the gain.",
    subjects=orthogonal_rows(),
    takes="initializer",
)
def orthonormality(lab: Lab, row: Initializer) -> Verdict:
    """‖QᵀQ − g²I‖ stays within the rounding of a QR factorization, for every rank and three dtypes."""
    require_law(row)
    if not isinstance(row.law, Orthogonal):
        raise NotApplicable(f"{row.name} is not orthogonal")
    largest = 0.0
    for dtype in ("float32", "float64", "float16"):
        for shape in orthogonality.SHAPES:
            seed = lab.stream("laws", "orthonormality", row.name, dtype, *shape)
            values = lab.draws.draw(row, shape, seed=seed, dtype=dtype)
            if values.shape != shape or str(values.dtype) != dtype:
                return failed(f"{row.name}: {values.dtype} of shape {values.shape}", f"{dtype} of shape {shape}")
            off, bound = orthogonality.departure(values, row.law.gain)
            if not off <= bound:
                said = f"{row.name} {shape}, {dtype}: |QᵀQ/g² − I| up to {off:.3g}"
                return failed(said, "0", bound=f"at most {bound:.2g} from rounding")
            largest = max(largest, off / bound)
    return passed(f"{row.name}: |QᵀQ/g² − I| at most {largest:.2f} of what rounding explains")


_HAAR_DRAWS = 124  # of each shape, times the effort's factor; half as many in other dtypes


def _haar_needs(alpha: float) -> int:
    """How many signs of the shape that has fewest; those of the other dtypes are fewer, by how much is known."""
    fewest = min(map(orthogonality.haar_signs, orthogonality.HAAR_SHAPES))
    others = min(orthogonality.haar_signs(shape) for shape, _ in orthogonality.HAAR_OTHERS)
    return max(
        samples_for_shift(0.26, alpha, orthogonality.HAAR_TESTS),
        math.ceil(samples_for_shift(0.36, alpha, orthogonality.HAAR_TESTS) * 2 * fewest / others),
    )


@check(
    "LAW09",
    "Orthogonal draws are uniform among all orthogonal matrices (Haar's law).",
    subjects=orthogonal_rows()[:1],  # the gain multiplies the same draw, and LAW08 judges it
    takes="initializer",
    detects="signs of the first row and column that are positive 63 % of the time in matrices of one shape, 68 % in "
    "double and half precision",
    # The first row and column have rows + columns − 1 signs.
    samples=lambda factor: (
        math.ceil(_HAAR_DRAWS * factor) * min(map(orthogonality.haar_signs, orthogonality.HAAR_SHAPES))
    ),
    min_samples=_haar_needs,
)
def haar(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """Signs, squares and the Beta law of entries over small matrices; a missing sign correction shows only here."""
    require_law(row)
    if not isinstance(row.law, Orthogonal):
        raise NotApplicable(f"{row.name} is not orthogonal")
    asked = [(shape, "float32", _HAAR_DRAWS) for shape in orthogonality.HAAR_SHAPES]
    asked += [(shape, dtype, _HAAR_DRAWS // 2) for shape, dtype in orthogonality.HAAR_OTHERS]
    drawn = []
    for shape, dtype, count in asked:
        seeds = (lab.stream("laws", "haar", row.name, dtype, *shape, k) for k in range(math.ceil(count * lab.factor)))
        kernels = [lab.draws.draw(row, shape, seed=seed, dtype=dtype) for seed in seeds]
        drawn.append([orthogonality.as_matrix(kernel) / row.law.gain for kernel in kernels])
    found = orthogonality.haar(drawn)
    return judged(found, alpha, f"{row.name}: {found.group} scores {found.value:.3g}", "Haar's law")


@check(
    "LAW10",
    "Tiny, empty and scalar shapes give draws of that shape, and shapes without a meaning are refused.",
    subjects=all_rows(),
    takes="initializer",
)
def edge_shapes(lab: Lab, row: Initializer) -> Verdict:
    """Shapes with zeros, ones, and no axes at all; those that no stated law promises may be refused."""
    refused: list[str] = []
    for shape in _TINY:
        if not row.law.allows(shape):
            if not lab.draws.refusal(row, shape):
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
    "LAW11",
    "Orthogonal draws exist in bfloat16, a floating-point dtype like any other.",
    subjects=orthogonal_rows()[:1],
)
def orthogonal_in_bfloat16(lab: Lab, row: Initializer) -> Verdict:
    """The documentation admits "only floating point types" without excluding one."""
    assert isinstance(row.law, Orthogonal)
    values = lab.draws.draw(row, (16, 12), seed=lab.stream("laws", "bfloat16", row.name), dtype="bfloat16")
    off, bound = orthogonality.departure(values, row.law.gain)
    if not off <= bound:
        return failed(f"{row.name}: |QᵀQ/g² − I| up to {off:.3g}", "0", bound=f"at most {bound:.2g} from rounding")
    return passed(f"{row.name}: orthonormal to {off:.2g}")


_FAN_TRAITS: dict[str, Any] = {
    "detects": "a standard deviation off by 3.5 % over the kernels of one kind of layer, 6 % in one kernel",
    "samples": layer_scales.samples,
    "min_samples": layer_scales.needs,
}


@check(
    "LAW12",
    "The scale of a layer's kernel follows from its fan-in or fan-out.",
    subjects=[Subject(f"{kind}-{mode}", (kind, mode)) for kind in layer_cases.KINDS for mode in ("fan_in", "fan_out")],
    **_FAN_TRAITS,
)
def layer_fans(lab: Lab, subject: tuple[str, Mode], alpha: float) -> Verdict:
    """The fans of the layer's units (He et al. 2015); where Keras is known to count the kernel's shape, also those."""
    kind, mode = subject
    found = layer_scales.scale_finding(lab, kind, mode, by_shape=False)
    if subject in layer_cases.QUIRKS:
        found = max(found, layer_scales.scale_finding(lab, kind, mode, by_shape=True), key=lambda one: one.p_value)
    said = f"{kind}, {found.group}: stddev {found.value:.4f} times the documented one"
    return judged(found, alpha, said, "1", effect=found.value - 1)


@check(
    "LAW13",
    "Fan-in is the number of inputs that a unit sums up, fan-out the number of units that an input goes to.",
    subjects=[Subject(f"{kind}-{mode}", (kind, mode)) for kind, mode in layer_cases.QUIRKS],
    **_FAN_TRAITS,
)
def layer_units(lab: Lab, subject: tuple[str, Mode], alpha: float) -> Verdict:
    """He et al. 2015, equations 10 and 14, for layers whose kernels are not shaped like their units."""
    kind, mode = subject
    found = layer_scales.scale_finding(lab, kind, mode, by_shape=False)
    said = f"{kind}, {found.group}: stddev {found.value:.4f} times that of its units"
    return judged(found, alpha, said, "1", effect=found.value - 1)


@check(
    "LAW14",
    "A layer's first weights are what the initializer it was given returns for their shape.",
    subjects=[Subject(name, name) for name in given_weights.SUBJECTS],
)
def layers_use_their_initializers(lab: Lab, name: str) -> Verdict:
    """Bit for bit: an initializer with an integer seed returns the same values at every call (documented)."""
    return given_weights.judge(lab, name)


@check(
    "LAW15",
    "A layer that is told nothing of initializers has the documented defaults: kernels, biases, scales, statistics.",
    subjects=[Subject(name, name) for name in DEFAULTS],
    detects="a standard deviation off by 5 %, another family of distributions, a constant off by anything",
    samples=lambda factor: default_weights.SAMPLES,
    min_samples=default_weights.needs,
)
def layer_defaults(lab: Lab, name: str, alpha: float) -> Verdict:
    """Shapes and constants exactly; orthogonal kernels by their rows; random ones by mean, scale and distribution."""
    expected = DEFAULTS[name]
    if not lab.draws.layers.offers(expected.request.layer):
        raise NotApplicable(f"the installed Keras has no {expected.request.layer}")
    weights = lab.draws.layers.defaults(expected.request, lab.stream("laws", "defaults", name))
    return default_weights.judge(name, weights, expected, alpha)


@check(
    "LAW16",
    "Layers that draw noise draw it with the documented rate, scale and shape, anew at each call, in training only.",
    subjects=[Subject(case.name, case) for case in noise.CASES],
    detects="a rate off by 0.02, a standard deviation off by 4 %, a correlation of 0.06 any fixed distance apart",
    samples=lambda factor: min(map(noise.draws, noise.CASES)),
    min_samples=noise.needs,
)
def layer_noise(lab: Lab, case: noise.NoiseCase, alpha: float) -> Verdict:
    """Which elements are dropped and what becomes of the others; the distribution of what is added or multiplied."""
    seed = lab.stream("laws", "noise", case.name)
    inputs = noise.inputs(case)
    arguments = {**case.arguments, "seed": seed}
    idle = lab.draws.layers.noise(case.layer, arguments, inputs, seed=seed, training=False)[0]
    if not np.array_equal(idle[0], inputs):
        return failed(f"{case.name} changes its inputs outside training", "inputs unchanged")
    outputs = lab.draws.layers.noise(case.layer, arguments, inputs, seed=seed, calls=2, traced=1)[0]
    problem = noise.exact_problem(case, inputs, outputs)
    if problem:
        return failed(f"{case.name}: {problem}", "the documented values")
    found = noise.judge(case, inputs, outputs)
    return judged(found, alpha, f"{case.name}: {found.group} {found.value:.4f}", "the documented law")


@check(
    "LAW17",
    "A large draw repeats no part of itself, and reaches as far out as its law does.",
    subjects=elementwise_rows(),
    takes="initializer",
    detects="a part of 1,000 elements that comes twice anywhere; a normal law cut off at 4.3 standard deviations",
    samples=lambda factor: large_draws.SIZE,
    min_samples=lambda alpha: samples_for_tail(large_draws.TAIL, alpha, 1),
)
def large(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """Successive elements that come again, exactly; the law of the element that lies farthest out."""
    law = samples.element_law(row, large_draws.SHAPE)
    values = np.asarray(lab.draws.draw(row, large_draws.SHAPE, seed=lab.stream("laws", "large", row.name)))
    repeated = large_draws.repeats(values)
    if repeated:
        return failed(f"{row.name} {large_draws.SHAPE}: {repeated} of the parts looked at come again", "none")
    sample = (values.ravel().astype(np.float64) - law.mean) / law.stddev
    found = most_suspicious({str(large_draws.SHAPE): sample}, magnitude_test(unit_law(law.family)))
    said = f"{row.name} {found.group}: the farthest element lies {found.value:.5f} σ from the mean"
    return judged(found, alpha, said, f"the extreme of {found.n} draws of a {law.family} law")


@check(
    "LAW18",
    "A layer's weights have the dtype that its dtype policy states, and are its initializers' draws in that dtype.",
    subjects=[Subject(policy, policy) for policy in given_weights.POLICIES],
)
def layer_dtypes(lab: Lab, policy: str) -> Verdict:
    """Bit for bit; doubles that are cast floats differ, and mixed precision keeps its variables in float32."""
    return given_weights.judge_policy(lab, policy)


@check(
    "LAW19",
    "An initializer that is told no dtype draws in the framework's own (floatx).",
    subjects=all_rows(),
)
def default_dtype(lab: Lab, row: Initializer) -> Verdict:
    """Documented: "If not specified, keras.backend.floatx() is used"; bit for bit the draw of that dtype."""
    shape, seed = (4, 3), lab.stream("laws", "floatx", row.name)
    for dtype in ("float64", "float16", "float32"):
        values, told = lab.draws.under(dtype, row, shape, seed=seed), lab.draws.draw(row, shape, seed=seed, dtype=dtype)
        if str(values.dtype) != dtype or not np.array_equal(values, told):
            return failed(f"{row.name} under floatx {dtype}: {values.dtype}, or other values", f"the draw in {dtype}")
    return passed(f"{row.name}: three dtypes")


@check(
    "LAW20",
    "A string stands for an initializer with its documented arguments.",
    subjects=[Subject(name, name) for name in strings.MEANINGS],
)
def string_arguments(lab: Lab, name: str) -> Verdict:
    """The configuration of what ``initializers.get`` returns; SER09 judges which names it knows."""
    keras_class, arguments = strings.MEANINGS[name]
    found, config = lab.draws.described(name, keras_class)
    # Keys beyond the documented ones are a version's own affair; a seed nobody gave is none.
    told = {key: config.get(key) for key in (*arguments, "seed")}
    if found != keras_class or told != {**arguments, "seed": None}:
        return failed(f"{name!r} is {found} with {told}", f"{keras_class} with {dict(arguments)} and no seed")
    return passed(f"{name!r}: {keras_class} with {told}")


@check(
    "LAW21",
    "The functions of keras.random draw their documented laws, and an int seed repeats.",
    subjects=[Subject(case.function, case) for case in random_functions.CASES],
    detects="distribution functions 2 % apart",
    samples=lambda factor: random_functions.SAMPLES,
    min_samples=random_functions.needs,
)
def functions(lab: Lab, case: random_functions.FunctionCase, alpha: float) -> Verdict:
    """Kolmogorov and Smirnov's test against scipy's law; values of a discrete law are spread over their steps."""
    seed = lab.stream("laws", "functions", case.function)
    drawn = [lab.draws.function(case.function, case.arguments, one) for one in (seed, seed, seed // 2 + 1)]
    values, again, other = drawn
    if values is None or again is None or other is None:
        raise NotApplicable(f"the installed Keras has no keras.random.{case.function}")
    problem = random_functions.exact_problem(case, values, again, other)
    if problem:
        return failed(f"keras.random.{case.function}: {problem}", "its documentation")
    found = random_functions.finding(case, values)
    said = f"keras.random.{case.function}: distance of distribution functions {found.value:.4f}"
    return judged(found, alpha, said, "0", effect=found.value)
