"""The weights of a library's layers without given initializers, compared with the documented defaults."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from initcheck.catalog.laws import Constant, Orthogonal
from initcheck.checks.judgement import judged
from initcheck.checks.laws import orthogonal
from initcheck.checks.laws.default_weights import element_findings
from initcheck.checks.registry import FRAMEWORK, NotApplicable, Subject, check
from initcheck.frameworks.libraries.chosen import default_dtype, offered_layers
from initcheck.records import Status, Verdict, failed, passed
from initcheck.statistics.goodness import (
    Finding,
    extremes_test,
    most_suspicious,
    samples_for_distance,
    samples_for_limit,
    samples_for_scale,
    together,
    unit_law,
)
from initcheck.targets import LIBRARY, target

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab
    from initcheck.frameworks.libraries.library import DefaultWeight, LibraryLayer

SAMPLES = 50_000  # elements of each random weight, of as many layers as have them
MOST = 5  # random weights of one layer
_TESTS = 4 * MOST
_ROUNDING = 2.0**-20  # of single precision's draws and bounds, in σ


def needs(alpha: float) -> int:
    """Returns how many elements of a weight detect a scale off by 3 %, another family, and a limit off by 0.5 %."""
    return max(
        samples_for_scale(0.03, 3.0, alpha, _TESTS),
        samples_for_distance(0.043, alpha, _TESTS),  # of the uniform law from the truncated normal one, the nearest
        samples_for_limit(0.005, alpha, _TESTS),
    )


@check(
    "LAW28",
    "A library's layer without given initializers draws its weights by the documented laws.",
    on=LIBRARY,
    subjects=[Subject(layer.name, layer) for layer in offered_layers()] or FRAMEWORK,
    detects="a standard deviation off by 3 %, another family of distributions, a limit off by 0.5 %, a constant off by "
    "anything",
    samples=lambda factor: math.ceil(SAMPLES * factor),
    min_samples=needs,
)
def library_defaults(lab: Lab, layer: LibraryLayer | None, alpha: float) -> Verdict:
    """Constants exactly; orthogonal kernels by their columns; random ones by mean, scale, distribution and limits."""
    if layer is None:
        raise NotApplicable(f"{target()} describes no layers")
    least = math.ceil(SAMPLES * lab.factor)
    drawn = lab.draws.of_library(layer, least, lambda number: lab.stream("laws", "library", layer.name, number))
    if {*drawn} != {*layer.weights}:
        return failed(f"{layer.name}: weights {', '.join(sorted(drawn))}", ", ".join(sorted(layer.weights)))
    findings: dict[str, list[Finding]] = {}
    for path, row in layer.weights.items():
        label = f"{layer.name}, {path} {drawn[path][0].shape}"
        if isinstance(row.law, Constant | Orthogonal):
            wrong = _departure(row.law, drawn[path], label)
            if wrong:
                return failed(wrong, _documented(row, layer))
            continue
        sample = np.concatenate([values.ravel() for values in drawn[path]]).astype(np.float64)
        element = row.law.law
        findings[path] = element_findings(label, sample, element)
        if math.isfinite(element.support[0]):
            scaled = {f"largest of {label} in σ": (sample - element.mean) / element.stddev}
            findings[path].append(most_suspicious(scaled, extremes_test(unit_law(element.family), _ROUNDING)))
    if findings:
        worst = together([one for some in findings.values() for one in some])
        path = next(path for path, some in findings.items() if any(one.group == worst.group for one in some))
        by_law = judged(worst, alpha, f"{worst.group}: {worst.value:.4f}", _documented(layer.weights[path], layer))
    else:
        by_law = passed(f"{layer.name}: {len(layer.weights)} weights exact")
    return by_law if by_law.status is Status.FAIL else _of_another_type(drawn, layer) or by_law


def _of_another_type(drawn: Mapping[str, list[np.ndarray]], layer: LibraryLayer) -> Verdict | None:
    """The failure of a weight of another float type than the library takes by default; None if there is none."""
    stored = default_dtype()
    for path, values in drawn.items():
        dtype = values[0].dtype
        if dtype != stored and not np.issubdtype(dtype, np.integer):
            return failed(f"{layer.name}, {path}: {dtype}", f"{stored}, which the library takes where none is given")
    return None


def _departure(law: Constant | Orthogonal, drawn: list[np.ndarray], label: str) -> str:
    """How a weight without independent elements differs from its law; empty where it does not."""
    for values in drawn:
        if isinstance(law, Constant):
            if not np.array_equal(values, law.expected(values.shape)):
                return f"{label}: {np.unique(values)[:5]}"
            continue
        off, bound = orthogonal.departure(values, law.gain)
        if not off <= bound:
            return f"{label}: |QᵀQ − I| up to {off:.3g}, from rounding at most {bound:.2g}"
    return ""


def _documented(row: DefaultWeight, layer: LibraryLayer) -> str:
    return f"{row.law}, as of “{row.sentence}” ({layer.source})"
