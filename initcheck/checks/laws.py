"""Family laws: every draw follows its documented distribution, as drawn and as layers create it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Constant, Identity, Mode, Orthogonal, VarianceScaled, fans
from initcheck.checks import dependence, layer_cases, noise, orthogonality, samples
from initcheck.checks.goodness import (
    Finding,
    extremes_test,
    mean_test,
    most_suspicious,
    resolution_test,
    samples_for_scale,
    samples_for_shift,
    scale_test,
    shape_test,
    sign_test,
    unit_law,
)
from initcheck.checks.layer_defaults import DEFAULTS, FORGET_GATE, ORTHOGONAL
from initcheck.checks.registry import NotApplicable, Subject, check
from initcheck.checks.variants import all_rows, elementwise_rows, fixed_rows, orthogonal_rows
from initcheck.records import Verdict, failed, passed

if TYPE_CHECKING:
    from initcheck.training.lab import Lab

CLASS_EFFECT = 0.04
_TINY: tuple[tuple[int, ...], ...] = (
    (0,), (0, 3), (3, 0), (2, 0, 3), (2, 3, 0), (), (1,), (1, 1), (1, 1, 1), (7, 1), (1, 7), (2, 3, 4, 5),
    (2, 1, 3, 2, 2),
)  # fmt: skip
_DTYPES = {"float64": (2.0**-53, 31), "float16": (2.0**-11, 0), "bfloat16": (2.0**-8, 0)}  # unit roundoff, bits drawn


def _class_samples(factor: float) -> int:
    return samples.SHAPES_PER_CLASS * math.ceil(samples.CLASS_SAMPLES / samples.SHAPES_PER_CLASS * factor)


def _judged(found: Finding, alpha: float, said: str, expected: str, *, effect: float | None = None) -> Verdict:
    facts = {"n": found.n, "p_value": found.p_value, "alpha": alpha, "effect": effect}
    if found.p_value < alpha:
        return failed(said, expected, **facts)
    return passed(said, expected=expected, **facts)


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
    min_samples=lambda alpha: samples_for_shift(0.06, alpha, 2 * samples.GROUPS),
)
def mean_and_signs(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """The z tests of the mean and of the signs, for each shape, each class of shapes and all together."""
    groups = samples.groups(samples.sample(lab, row))
    mean, signs = most_suspicious(groups, mean_test()), most_suspicious(groups, sign_test)
    worst = min(mean, signs, key=lambda found: found.p_value)
    twice = Finding(worst.group, worst.value, worst.n, min(1.0, 2 * worst.p_value))
    if worst is mean:
        return _judged(
            twice, alpha, f"{row.name}, {mean.group}: mean off by {mean.value:.4f} σ", "0 σ", effect=mean.value
        )
    said = f"{row.name}, {signs.group}: {signs.value:.4f} of the elements above the mean"
    return _judged(twice, alpha, said, "0.5", effect=signs.value - 0.5)


@check(
    "LAW03",
    "Draws have the documented standard deviation, for every order of magnitude of the fans and every rank.",
    subjects=elementwise_rows(),
    takes="initializer",
    detects="a standard deviation off by 1.2 % (4 % in one class of shapes, 8 % in one shape)",
    samples=_class_samples,
    min_samples=lambda alpha: samples_for_scale(CLASS_EFFECT, 3.0, alpha, samples.GROUPS),
)
def scale(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """Score ln(s/σ)·√(4n/(κ−1)) for each shape, each class of shapes and all together."""
    drawn = samples.sample(lab, row)
    found = most_suspicious(samples.groups(drawn), scale_test(drawn[0].law.kurtosis))
    sigma = {f"{draw.kind} {draw.shape}": f" {draw.law.stddev:.4g}" for draw in drawn}.get(found.group, "")
    said = f"{row.name}, {found.group}: stddev {found.value:.4f} times the documented one{sigma}"
    return _judged(found, alpha, said, "1", effect=found.value - 1)


@check(
    "LAW04",
    "Draws have the documented distribution up to its ends, at single precision.",
    subjects=elementwise_rows(),
    takes="initializer",
    detects="distribution functions 0.9 % apart (2.9 % in one class); limits of a bounded law off by 0.1 %",
    samples=lambda factor: samples.CLASSES * _class_samples(factor),
    min_samples=lambda alpha: math.ceil(((math.sqrt(-math.log(alpha / 24 / 2) / 2) + 1.55) / 0.009) ** 2),
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
    return _judged(thrice, alpha, f"{row.name}, {worst.group}: {what} {worst.value:.5g}", expected, effect=worst.value)


_DEPENDENCE_SHAPES: tuple[tuple[int, ...], ...] = ((128, 512), (3, 3, 64, 100), (40_000,))


@check(
    "LAW05",
    "The elements of a draw are independent of each other, along rows, columns and windows.",
    subjects=elementwise_rows(),
    takes="initializer",
    detects="a correlation of 0.055 between elements (or their magnitudes) any fixed distance apart",
    samples=lambda factor: min(math.prod(shape) for shape in _DEPENDENCE_SHAPES),
    min_samples=lambda alpha: samples_for_shift(0.055, alpha, 4 * len(_DEPENDENCE_SHAPES) * 40_000),
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
    worst = min(found, key=lambda one: one.p_value)
    worst = Finding(worst.group, worst.value, worst.n, min(1.0, worst.p_value * len(found)))
    return _judged(worst, alpha, f"{row.name} {worst.group} scores {worst.value:.2f}", "independent elements")


_DTYPE_SHAPES: tuple[tuple[int, ...], ...] = ((6, 6000), (3, 3, 1000, 4))


@check(
    "LAW06",
    "Draws in double and half precision follow the same law as far as their precision goes.",
    subjects=elementwise_rows(),
    takes="initializer",
    detects="a standard deviation off by 4 % in any dtype and shape, beyond the rounding of that dtype",
    samples=lambda factor: min(math.prod(shape) for shape in _DTYPE_SHAPES),
    min_samples=lambda alpha: samples_for_scale(CLASS_EFFECT, 3.0, alpha, 4 * 6),
)
def other_dtypes(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """Mean, scale and distribution with what rounding may add; and all the bits of double precision."""
    found: dict[str, Finding] = {}
    for dtype, (roundoff, bits) in _DTYPES.items():
        for shape in _DTYPE_SHAPES:
            law = samples.element_law(row, shape)
            seed = lab.stream("laws", dtype, row.name, *shape)
            values = lab.draws.draw(row, shape, seed=seed, dtype=dtype)
            if str(values.dtype) != dtype or values.shape != shape:
                return failed(f"{row.name}: {values.dtype} of shape {values.shape}", f"{dtype} of shape {shape}")
            sample = (values.astype(np.float64).ravel() - law.mean) / law.stddev
            reach = 3 * law.stddev if law.family == "normal" else law.support[1] - law.mean
            # A cell of the grid where it is coarsest, in σ: uniform draws have 1,024 (128) steps from end to end.
            cell = 2 * roundoff * (abs(law.mean) + 2 * reach) / law.stddev
            low, high = law.support
            if not np.isfinite(sample).all() or np.abs(sample).max() > (high - low) / 2 / law.stddev + cell:
                return failed(
                    f"{row.name} as {dtype}: {np.abs(sample).max():.4f} σ from the mean", "within the support"
                )
            unit, group = unit_law(law.family), {f"{dtype} {shape}": sample}
            found[f"mean in σ, {dtype}"] = most_suspicious(group, mean_test(cell))
            found[f"stddev over the documented one, {dtype}"] = most_suspicious(
                group, scale_test(law.kurtosis, 3 * roundoff + cell)
            )
            found[f"distance of distribution functions, {dtype}"] = most_suspicious(group, shape_test(unit, cell))
            if bits:
                found[f"repeated elements, {dtype}"] = most_suspicious(group, resolution_test(bits))
    what, worst = min(found.items(), key=lambda item: item[1].p_value)
    count = len(_DTYPES) * len(_DTYPE_SHAPES) * 4
    worst = Finding(worst.group, worst.value, worst.n, min(1.0, worst.p_value * count))
    return _judged(worst, alpha, f"{row.name} {worst.group}: {what} {worst.value:.4f}", "the documented law")


@check(
    "LAW07",
    "Initializers without randomness return exactly their constants, in every dtype.",
    subjects=fixed_rows(),
    takes="initializer",
)
def constants(lab: Lab, row: Initializer) -> Verdict:
    """Element by element, rounded to the dtype."""
    if not isinstance(row.law, Constant | Identity):
        raise NotApplicable(f"{row.name} is random")
    count = 0
    for dtype in ("float32", *_DTYPES):
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


_HAAR_DRAWS = 120  # of each shape, times the effort's factor


@check(
    "LAW09",
    "Orthogonal draws are uniform among all orthogonal matrices (Haar's law).",
    subjects=orthogonal_rows()[:1],  # the gain multiplies the same draw, and LAW08 judges it
    takes="initializer",
    detects="signs of the first row and column that are positive 63 % of the time in matrices of one shape",
    samples=lambda factor: min(sum(shape[-2:]) for shape in ((6, 5), (4, 6))) * math.ceil(_HAAR_DRAWS * factor),
    min_samples=lambda alpha: samples_for_shift(0.26, alpha, 16),
)
def haar(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """Signs, squares and the Beta law of entries over small matrices; a missing sign correction shows only here."""
    if not isinstance(row.law, Orthogonal):
        raise NotApplicable(f"{row.name} is not orthogonal")
    drawn = []
    for shape in orthogonality.HAAR_SHAPES:
        seeds = (lab.stream("laws", "haar", row.name, *shape, k) for k in range(math.ceil(_HAAR_DRAWS * lab.factor)))
        kernels = [lab.draws.draw(row, shape, seed=seed) for seed in seeds]
        drawn.append([orthogonality.as_matrix(kernel) / row.law.gain for kernel in kernels])
    found = orthogonality.haar(drawn)
    return _judged(found, alpha, f"{row.name}: {found.group} scores {found.value:.3g}", "Haar's law")


@check(
    "LAW10",
    "Tiny, empty and scalar shapes give draws of that shape, and shapes without a meaning are refused.",
    subjects=all_rows(),
    takes="initializer",
)
def edge_shapes(lab: Lab, row: Initializer) -> Verdict:
    """Shapes with zeros, ones, and no axes at all."""
    for shape in _TINY:
        if not row.law.allows(shape):
            if not lab.draws.refusal(row, shape):
                return failed(f"{row.name} takes the shape {shape}", "an error: the documentation excludes it")
            continue
        values = lab.draws.draw(row, shape, seed=lab.stream("laws", "edges", row.name, *shape))
        if values.shape != shape or values.dtype != np.float32 or not np.isfinite(values).all():
            return failed(f"{row.name} {shape}: {values.dtype} of shape {values.shape}", f"finite float32 of {shape}")
        if row.law.random and values.size > 1 and not isinstance(row.law, Orthogonal) and np.ptp(values) == 0:
            return failed(f"{row.name} {shape}: all elements are {values.flat[0]}", "elements that differ")
    return passed(f"{row.name}: {len(_TINY)} shapes")


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


def _layer_samples(factor: float) -> int:
    return layer_cases.CASES_PER_KIND * math.ceil(layer_cases.CASE_SAMPLES * factor)


def _fan_finding(lab: Lab, kind: str, mode: Mode, *, by_shape: bool) -> Finding:
    """The scale of kernels that layers of one kind draw, over what one fan of theirs asks for.

    Args:
        lab: The laboratory.
        kind: The kind of layer.
        mode: Which fan decides the scale.
        by_shape: Whether the fans are those of the kernel's shape, rather than those of the layer's units.
    """
    law = VarianceScaled(2.0, mode, "truncated_normal")
    config: Any = {"scale": 2.0, "mode": mode, "distribution": "truncated_normal"}
    row = Initializer(f"VarianceScaling({mode})", "VarianceScaling", law, "He et al. 2015", config)
    groups = {}
    for number, (case, kernel) in enumerate(_kernels(lab, kind, mode, row)):
        units = {"fan_in": case.fan_in, "fan_out": case.fan_out}[mode]
        fan = fans(kernel.shape)[mode == "fan_out"] if by_shape else units
        name = f"kernel {number} {kernel.shape} with {mode} {fan}"
        groups[name] = kernel.astype(np.float64).ravel() / math.sqrt(2 / fan)
    pooled = {"all its kernels": np.concatenate(list(groups.values())), **groups}
    return most_suspicious(pooled, scale_test(law.at((1, 1)).kurtosis))


def _kernels(lab: Lab, kind: str, mode: Mode, row: Initializer) -> list[tuple[layer_cases.LayerCase, np.ndarray]]:
    cases = layer_cases.layer_cases(kind, math.ceil(layer_cases.CASE_SAMPLES * lab.factor))
    if not lab.draws.layers.offers(cases[0].request.layer):
        raise NotApplicable(f"the installed Keras has no {cases[0].request.layer}")

    def make() -> list[tuple[layer_cases.LayerCase, np.ndarray]]:
        seeds = [lab.stream("laws", "fans", kind, mode, number) for number in range(len(cases))]
        layers = lab.draws.layers
        built = [
            layers.weights(case.request, {case.argument: (row, seed)}) for case, seed in zip(cases, seeds, strict=True)
        ]
        return [(case, np.asarray(weights[case.weight])) for case, weights in zip(cases, built, strict=True)]

    made: list[tuple[layer_cases.LayerCase, np.ndarray]] = lab.once(("laws", "fans", kind, mode), make)
    return made


_FAN_TRAITS: dict[str, Any] = {
    "detects": "a standard deviation off by 3.5 % over the kernels of one kind of layer, 6 % in one kernel",
    "samples": _layer_samples,
    "min_samples": lambda alpha: samples_for_scale(0.035, 2.37, alpha, 1 + layer_cases.CASES_PER_KIND),
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
    found = _fan_finding(lab, kind, mode, by_shape=False)
    if subject in layer_cases.QUIRKS:
        found = max(found, _fan_finding(lab, kind, mode, by_shape=True), key=lambda one: one.p_value)
    said = f"{kind}, {found.group}: stddev {found.value:.4f} times the documented one"
    return _judged(found, alpha, said, "1", effect=found.value - 1)


@check(
    "LAW13",
    "Fan-in is the number of inputs that a unit sums up, fan-out the number of units that an input goes to.",
    subjects=[Subject(f"{kind}-{mode}", (kind, mode)) for kind, mode in layer_cases.QUIRKS],
    **_FAN_TRAITS,
)
def layer_units(lab: Lab, subject: tuple[str, Mode], alpha: float) -> Verdict:
    """He et al. 2015, equations 10 and 14, for layers whose kernels are not shaped like their units."""
    kind, mode = subject
    found = _fan_finding(lab, kind, mode, by_shape=False)
    said = f"{kind}, {found.group}: stddev {found.value:.4f} times that of its units"
    return _judged(found, alpha, said, "1", effect=found.value - 1)


_GIVEN = ("he_normal", "random_uniform", "lecun_uniform", "constant")


@check(
    "LAW14",
    "A layer's first weights are what the initializer it was given returns for their shape.",
    subjects=[Subject(kind, kind) for kind in layer_cases.KINDS if "attention" not in kind],
)
def layers_use_their_initializers(lab: Lab, kind: str) -> Verdict:
    """Bit for bit: an initializer with an integer seed returns the same values at every call (documented)."""
    rows = {subject.name: subject.value for subject in all_rows()}
    case = layer_cases.layer_cases(kind, 1000)[0]
    if not lab.draws.layers.offers(case.request.layer):
        raise NotApplicable(f"the installed Keras has no {case.request.layer}")
    for argument, place in layer_cases.arguments_of(kind, case):
        for name in _GIVEN:
            # An einsum kernel's fans are told to the layer's own copy of the initializer since Keras 3.15.
            if (
                (kind, "fan_out") in layer_cases.QUIRKS
                and "einsum" in kind
                and isinstance(rows[name].law, VarianceScaled)
            ):
                continue
            seed = lab.stream("laws", "given", kind, argument, name)
            weights, drawn = lab.draws.layers.requested(case.request, argument, rows[name], seed)
            if not np.array_equal(weights[place], drawn[place]):
                said = f"{case.request.layer}({argument}={name}): weight {place} is not what {name} returns"
                return failed(said, "the same bits", n=int(weights[place].size))
    return passed(f"{kind}: {case.request.layer}'s weights are its initializers' draws")


_DEFAULT_SAMPLES = 20_000


@check(
    "LAW15",
    "A layer that is told nothing of initializers has the documented defaults: kernels, biases, scales, statistics.",
    subjects=[Subject(name, name) for name in DEFAULTS],
    detects="a standard deviation off by 5 %, another family of distributions, a constant off by anything",
    samples=lambda factor: _DEFAULT_SAMPLES,
    min_samples=lambda alpha: samples_for_scale(0.04, 1.8, alpha, 3 * 4),
)
def layer_defaults(lab: Lab, name: str, alpha: float) -> Verdict:
    """Constants exactly; orthogonal kernels by their rows; random ones by mean, scale and distribution."""
    expected = DEFAULTS[name]
    if not lab.draws.layers.offers(expected.request.layer):
        raise NotApplicable(f"the installed Keras has no {name}")
    weights = lab.draws.layers.defaults(expected.request, lab.stream("laws", "defaults", name))
    if len(weights) != len(expected.initializers):
        return failed(f"{name}: {len(weights)} weights", f"{len(expected.initializers)} weights")
    found: dict[str, Finding] = {}
    for place, (values, row) in enumerate(zip(weights, expected.initializers, strict=True)):
        label = f"{name}, weight {place} {values.shape}"
        law = row.law
        if isinstance(law, Constant):
            exact = law.expected(values.shape)
            if row is FORGET_GATE:
                units = values.shape[0] // 4  # the gates' order is input, forget, cell, output
                exact[units : 2 * units] = 1.0
            if not np.array_equal(values, exact):
                return failed(f"{label}: {np.unique(values)[:5]}", f"{row.name} exactly")
        elif row is ORTHOGONAL:
            off, bound = orthogonality.departure(values, 1.0)
            if not off <= bound:
                return failed(f"{label}: |QᵀQ − I| up to {off:.3g}", "orthogonal", bound=f"at most {bound:.2g}")
        else:
            element = samples.element_law(row, values.shape)
            sample = {label: (values.astype(np.float64).ravel() - element.mean) / element.stddev}
            found[f"mean in σ of {label}"] = most_suspicious(sample, mean_test())
            # 1 %: what is left of the different ways of counting a gated layer's units.
            found[f"stddev over the documented one of {label}"] = most_suspicious(
                sample, scale_test(element.kurtosis, 0.01)
            )
            found[f"distance of distribution functions of {label}"] = most_suspicious(
                sample, shape_test(unit_law(element.family), 0.01)
            )
    if not found:
        return passed(f"{name}: {len(weights)} weights exact")
    what, worst = min(found.items(), key=lambda item: item[1].p_value)
    worst = Finding(worst.group, worst.value, worst.n, min(1.0, worst.p_value * len(found)))
    return _judged(worst, alpha, f"{what}: {worst.value:.4f}", "the documented default")


@check(
    "LAW16",
    "Layers that draw noise draw it with the documented rate, scale and shape, anew at each call, in training only.",
    subjects=[Subject(case.name, case) for case in noise.CASES],
    detects="a rate off by 0.02, a standard deviation off by 4 %",
    samples=lambda factor: math.prod(noise.SHAPE),
    min_samples=lambda alpha: samples_for_shift(0.045, alpha, 12),
)
def layer_noise(lab: Lab, case: noise.NoiseCase, alpha: float) -> Verdict:
    """Which elements are dropped and what becomes of the others; the distribution of what is added or multiplied."""
    seed = lab.stream("laws", "noise", case.name)
    inputs = noise.inputs()
    arguments = {**case.arguments, "seed": seed}
    idle = lab.draws.layers.noise(case.layer, arguments, inputs, seed=seed, training=False)[0]
    if not np.array_equal(idle[0], inputs):
        return failed(f"{case.name} changes its inputs outside training", "inputs unchanged")
    outputs = lab.draws.layers.noise(case.layer, arguments, inputs, seed=seed, calls=2)[0]
    problem = noise.exact_problem(case, inputs, outputs)
    if problem:
        return failed(f"{case.name}: {problem}", "the documented values")
    found = noise.judge(case, inputs, outputs)
    return _judged(found, alpha, f"{case.name}: {found.group} {found.value:.4f}", "the documented law")
