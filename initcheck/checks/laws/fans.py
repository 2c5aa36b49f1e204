"""The scale of the kernels that layers draw, divided by the scale for one of their fans."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.catalog.cases import kernels as layer_cases
from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Mode, VarianceScaled, fans
from initcheck.checks.judgement import judged
from initcheck.checks.registry import NotApplicable, Subject, check
from initcheck.records import Verdict
from initcheck.statistics.goodness import Finding, most_suspicious, samples_for_scale, scale_test
from initcheck.targets import KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

_GROUPS = 1 + layer_cases.CASES_PER_KIND


def samples(factor: float) -> int:
    """Returns how many elements the kernels of one kind of layer have."""
    return layer_cases.CASES_PER_KIND * math.ceil(layer_cases.CASE_SAMPLES * factor)


def needs(alpha: float) -> int:
    """Returns how many elements detect a scale off by 3.5 % in all kernels, by 6 % in one."""
    return max(
        samples_for_scale(0.035, 2.37, alpha, _GROUPS),
        layer_cases.CASES_PER_KIND * samples_for_scale(0.06, 2.37, alpha, _GROUPS),
    )


def scale_finding(lab: Lab, kind: str, mode: Mode, *, by_shape: bool) -> Finding:
    """The scale of kernels that layers of one kind draw, divided by the scale for one of their fans.

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
    "samples": samples,
    "min_samples": needs,
}


@check(
    "LAW12",
    "The scale of a layer's kernel follows from its fan-in or fan-out.",
    on=KERAS,
    subjects=[Subject(f"{kind}-{mode}", (kind, mode)) for kind in layer_cases.KINDS for mode in ("fan_in", "fan_out")],
    **_FAN_TRAITS,
)
def layer_fans(lab: Lab, subject: tuple[str, Mode], alpha: float) -> Verdict:
    """The fans of the layer's units (He et al. 2015); where Keras is known to count the kernel's shape, also those."""
    kind, mode = subject
    finding = scale_finding(lab, kind, mode, by_shape=False)
    if subject in layer_cases.QUIRKS:
        finding = max(finding, scale_finding(lab, kind, mode, by_shape=True), key=lambda one: one.p_value)
    measured = f"{kind}, {finding.group}: stddev {finding.value:.4f} times the documented one"
    return judged(finding, alpha, measured, "1", effect=finding.value - 1)


@check(
    "LAW13",
    "Fan-in is the number of inputs that a unit sums up, fan-out the number of units that an input goes to.",
    on=KERAS,
    subjects=[Subject(f"{kind}-{mode}", (kind, mode)) for kind, mode in layer_cases.QUIRKS],
    **_FAN_TRAITS,
)
def layer_units(lab: Lab, subject: tuple[str, Mode], alpha: float) -> Verdict:
    """He et al. 2015, equations 10 and 14, for layers whose kernels are not shaped like their units."""
    kind, mode = subject
    finding = scale_finding(lab, kind, mode, by_shape=False)
    measured = f"{kind}, {finding.group}: stddev {finding.value:.4f} times that of its units"
    return judged(finding, alpha, measured, "1", effect=finding.value - 1)
