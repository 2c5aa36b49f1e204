"""Layers that draw noise: what each does to its inputs, by the documentation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from initcheck.checks.dependence import between, within
from initcheck.checks.goodness import Finding, Sample, mean_test, scale_test, shape_test, two_sided, unit_law

SHAPE = (64, 16, 64)  # rows, positions, channels


@dataclass(frozen=True)
class NoiseCase:
    """One layer with its arguments but for the seed.

    Attributes:
        name: Readable.
        layer: A class of ``keras.layers``.
        arguments: Its arguments.
        kind: ``dropped``: each element is 0 with the rate, else divided by 1 − rate. ``channels``: so, but all
            positions of a channel alike. ``added``: a normal variable is added. ``multiplied``: the element is
            multiplied by a normal variable around 1.
        strength: The rate, or the standard deviation of the normal variable.
    """

    name: str
    layer: str
    arguments: Mapping[str, float]
    kind: Literal["dropped", "channels", "added", "multiplied"]
    strength: float


CASES = (
    *(NoiseCase(f"Dropout({rate})", "Dropout", {"rate": rate}, "dropped", rate) for rate in (0.1, 0.5, 0.8)),
    *(NoiseCase(f"SpatialDropout1D({rate})", "SpatialDropout1D", {"rate": rate}, "channels", rate) for rate in (0.3,)),
    NoiseCase("GaussianNoise(0.7)", "GaussianNoise", {"stddev": 0.7}, "added", 0.7),
    # "Multiplicative noise with standard deviation sqrt(rate / (1 - rate))": https://keras.io/api/layers/
    NoiseCase("GaussianDropout(0.2)", "GaussianDropout", {"rate": 0.2}, "multiplied", 0.5),
)


def inputs() -> np.ndarray:
    """Inputs that are nowhere zero and not all alike: powers of two, so that products with them are exact."""
    return np.resize(np.array([1.0, -2.0, 0.5, 4.0, -0.25], np.float32), SHAPE)


def _dropped(case: NoiseCase, output: np.ndarray) -> np.ndarray:
    """Which elements, or whole channels of a row, are dropped."""
    zero = np.asarray(output == 0)
    return zero[:, 0, :] if case.kind == "channels" else zero


def exact_problem(case: NoiseCase, given: np.ndarray, outputs: Sequence[np.ndarray]) -> str:
    """What is wrong beyond chance; empty if nothing is."""
    if np.array_equal(outputs[0], outputs[1]):
        return "the second call repeats the first"
    for output in outputs:
        if output.shape != given.shape or output.dtype != given.dtype:
            return f"{output.dtype} of shape {output.shape}"
        if case.kind in {"dropped", "channels"}:
            kept = output != 0
            ratio = output[kept].astype(np.float64) / given[kept]
            # One division or product rounded to float32, of a rounded 1/(1 − rate): 3 units of roundoff.
            if np.any(np.abs(ratio * (1 - case.strength) - 1) > 3 * 2.0**-24):
                return f"kept elements are multiplied by {ratio[0]:.7g}, not by 1/(1 − {case.strength})"
            if case.kind == "channels" and np.any(kept != kept[:, :1, :]):
                return "positions of one channel are not dropped together"
    return ""


def judge(case: NoiseCase, given: np.ndarray, outputs: Sequence[np.ndarray]) -> Finding:
    """The most suspicious of rate or law, independence within a call, and independence of the two calls."""
    found: list[Finding] = []
    streams: list[Sample] = []
    law = unit_law("normal")
    for call, output in enumerate(outputs, start=1):
        if case.kind in {"dropped", "channels"}:
            dropped = _dropped(case, output).astype(np.float64).ravel()
            spread = math.sqrt(case.strength * (1 - case.strength))
            stream = (dropped - case.strength) / spread
            share = float(dropped.mean())
            z = (share - case.strength) / spread * math.sqrt(len(dropped))
            found.append(Finding(f"share dropped in call {call} is", share, len(dropped), two_sided(z)))
        else:
            exact = output.astype(np.float64)
            noise = exact - given if case.kind == "added" else exact / given - 1
            stream = noise.ravel() / case.strength
            found += [
                _named(f"mean of call {call} in σ is", mean_test(1e-6)(stream), len(stream)),
                _named(f"stddev of call {call} over the documented one is", scale_test(3.0, 1e-6)(stream), len(stream)),
                _named(f"distance from the normal law in call {call} is", shape_test(law, 1e-6)(stream), len(stream)),
            ]
        streams.append(stream)
    if case.kind in {"added", "multiplied"}:
        found += [within(streams[0], law), between([(streams[0], streams[1])], law)]
    worst = min(found, key=lambda one: one.p_value)
    return Finding(worst.group, worst.value, worst.n, min(1.0, worst.p_value * len(found)))


def _named(name: str, result: tuple[float, float], n: int) -> Finding:
    return Finding(name, result[0], n, result[1])
