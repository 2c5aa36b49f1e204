"""Layers that draw noise: their documented effect on the inputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from initcheck.catalog.laws import ElementLaw
from initcheck.catalog.layers import select
from initcheck.catalog.layers.traits.noises import NoiseLaw
from initcheck.checks.judgement import judged
from initcheck.checks.registry import Subject, check
from initcheck.records import Verdict, failed
from initcheck.statistics.dependence import between, within
from initcheck.statistics.goodness import (
    Finding,
    Sample,
    mean_test,
    samples_for_scale,
    samples_for_shift,
    scale_test,
    shape_test,
    together,
    two_sided,
    unit_law,
)
from initcheck.targets import KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

MOST_FINDINGS = 8  # that one verdict compares: three of each call's law, independence within a call and between two
# Klambauer et al. 2017, https://arxiv.org/abs/1706.02515, section 2: dropped elements take the value −λα of SELU.
_SATURATED = -1.0507009873554804934193349852946 * 1.6732632423543772848170429916717

# Of 65,536 normal numbers none is beyond 3.3 σ on one side with a probability of 2e-14.
_TAIL = 3.3

CASES = select(NoiseLaw)


def inputs(case: NoiseLaw) -> np.ndarray:
    """Returns inputs that are not zero and not all equal: powers of two, so that products with them are exact."""
    return np.resize(np.array([1.0, -2.0, 0.5, 4.0, -0.25], np.float32), case.shape)


def draws(case: NoiseLaw) -> int:
    """Returns how many independent random numbers one call draws."""
    return math.prod(case.shape) // math.prod(case.shape[axis] for axis in case.shared_axes)


def needs(alpha: float) -> int:
    """Returns how many numbers of one call detect a rate off by 0.02, a scale by 4 %, a correlation of 0.06."""
    most = max(map(draws, CASES))
    return max(
        samples_for_shift(0.04, alpha, MOST_FINDINGS),  # 0.02 of a rate of ½, which varies by ½
        samples_for_scale(0.04, 3.0, alpha, MOST_FINDINGS),
        # Half of them at the largest shift; elements and magnitudes, and pairs by themselves and together.
        2 * samples_for_shift(0.06, alpha, MOST_FINDINGS * 4 * most, math.sqrt(1 + 3 * 0.06**2)),
    )


def exact_problem(case: NoiseLaw, given: np.ndarray, outputs: Sequence[np.ndarray]) -> str:
    """Describes a value that no chance explains; empty if there is none."""
    if np.array_equal(outputs[0], outputs[1]):
        return "the second call repeats the first"
    for output in outputs:
        if output.shape != given.shape or output.dtype != given.dtype:
            return f"{output.dtype} of shape {output.shape}"
        if _law(case):
            least, most = (float(end(_noise(case, given, output)) / case.strength) for end in (np.min, np.max))
            if not (least <= -_TAIL and most >= _TAIL):
                return f"noise from {least:.3f} σ to {most:.3f} σ, whose ends should be beyond {_TAIL} σ"
            continue
        gone = _dropped(case, output)
        if np.any(gone != gone[_one_of(case)]):
            return "elements that belong together are not dropped together"
        problem = _wrong_values(case, given, output.astype(np.float64), gone)
        if problem:
            return problem
    return ""


def _law(case: NoiseLaw) -> ElementLaw | None:
    """The law of the noise in its standard deviations; none where it only drops."""
    return unit_law("normal") if case.kind in {"added", "multiplied"} else None


def _noise(case: NoiseLaw, given: np.ndarray, output: np.ndarray) -> Sample:
    """What is added, or by what is multiplied less 1."""
    exact = output.astype(np.float64)
    return np.asarray(exact - given if case.kind == "added" else exact / given - 1)


def _one_of(case: NoiseLaw) -> tuple[slice, ...]:
    """One of each set of elements that are dropped together."""
    return tuple(slice(1) if axis in case.shared_axes else slice(None) for axis in range(len(case.shape)))


def _affine(case: NoiseLaw) -> tuple[float, float]:
    """By how much the elements that remain, or saturate, are multiplied and moved."""
    if case.kind == "dropped":
        return 1 / (1 - case.strength), 0.0
    kept = 1 - case.strength
    scale = 1 / math.sqrt(kept + _SATURATED**2 * kept * (1 - kept))
    return scale, -scale * (1 - kept) * _SATURATED


def _dropped(case: NoiseLaw, output: np.ndarray) -> np.ndarray:
    """Which elements are dropped."""
    if case.kind == "dropped":
        return np.asarray(output == 0)
    scale, shift = _affine(case)
    # No input is near −λα, and none of the inputs comes out near to where that comes out.
    return np.asarray(np.abs(output - (scale * _SATURATED + shift)) < 1e-4)


def _wrong_values(case: NoiseLaw, given: np.ndarray, output: np.ndarray, gone: np.ndarray) -> str:
    """Describes the first kept element with a wrong value; empty if there is none."""
    scale, shift = _affine(case)
    # The rounded scale, its product and the sum, and the rounded shift: 3 units of roundoff of either part, 4 with
    # their products. A dropped element is recognized by its value, so an error shows here or in the share.
    rounding = 4 * 2.0**-24 * (np.abs(scale * given) + abs(shift))
    off = np.where(gone, 0.0, np.abs(output - (scale * given.astype(np.float64) + shift)))
    if not np.any(off > rounding):
        return ""
    where = np.unravel_index(int(np.argmax(off / rounding)), off.shape)
    return f"a kept element {given[where]:g} becomes {output[where]:.7g}, not {scale:.7g} times it {shift:+.7g}"


def judge(case: NoiseLaw, given: np.ndarray, outputs: Sequence[np.ndarray]) -> Finding:
    """The most suspicious of rate or law, independence within a call, and independence of the two calls."""
    findings: list[Finding] = []
    streams: list[Sample] = []
    law = _law(case)
    for call, output in enumerate(outputs, start=1):
        if law is None:
            dropped = _dropped(case, output)[_one_of(case)].astype(np.float64).ravel()
            spread = math.sqrt(case.strength * (1 - case.strength))
            stream = (dropped - case.strength) / spread
            share = float(dropped.mean())
            z = (share - case.strength) / spread * math.sqrt(len(dropped))
            findings.append(Finding(f"share dropped in call {call} is", share, len(dropped), two_sided(z)))
        else:
            stream = _noise(case, given, output).ravel() / case.strength
            findings += [
                _named(f"mean of call {call} in σ is", mean_test(1e-6)(stream), len(stream)),
                _named(f"stddev of call {call} over the documented one is", scale_test(3.0, 1e-6)(stream), len(stream)),
                _named(f"distance from the normal law in call {call} is", shape_test(law, 1e-6)(stream), len(stream)),
            ]
        streams.append(stream)
    # Products of two such indicators are skewed by (1 − 2p)²/p(1 − p): too much for a normal score at other rates.
    if law or 0.25 <= case.strength <= 0.75:
        findings += [within(streams[0], law), between([(streams[0], streams[1])], law)]
    return together(findings)


def _named(name: str, result: tuple[float, float], n: int) -> Finding:
    return Finding(name, result[0], n, result[1])


@check(
    "LAW16",
    "Noise layers have the documented rate, scale and shape, draw anew at each call, and only in training.",
    on=KERAS,
    subjects=[Subject(case.name, case) for case in CASES],
    detects="a rate off by 0.02, a standard deviation off by 4 %, a correlation of 0.06 any fixed distance apart",
    samples=lambda factor: min(map(draws, CASES)),
    min_samples=needs,
)
def layer_noise(lab: Lab, case: NoiseLaw, alpha: float) -> Verdict:
    """Which elements are dropped and what becomes of the others; the distribution of what is added or multiplied."""
    seed = lab.stream("laws", "noise", case.name)
    given = inputs(case)
    arguments = {**case.arguments, "seed": seed}
    idle = lab.draws.layers.noise(case.layer, arguments, given, seed=seed, training=False)[0]
    if not np.array_equal(idle[0], given):
        return failed(f"{case.name} changes its inputs outside training", "inputs unchanged")
    outputs = lab.draws.layers.noise(case.layer, arguments, given, seed=seed, calls=2, traced=1)[0]
    problem = exact_problem(case, given, outputs)
    if problem:
        return failed(f"{case.name}: {problem}", "the documented values")
    finding = judge(case, given, outputs)
    return judged(finding, alpha, f"{case.name}: {finding.group} {finding.value:.4f}", "the documented law")
