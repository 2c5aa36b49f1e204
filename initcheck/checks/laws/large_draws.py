"""Draws that are larger than most: whether parts of one come twice, and how far out their elements lie."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Elementwise, Shape
from initcheck.checks.judgement import judged
from initcheck.checks.laws import samples
from initcheck.checks.laws.rows import elementwise_rows
from initcheck.checks.registry import NotApplicable, Subject, check
from initcheck.records import Verdict, failed
from initcheck.statistics.goodness import (
    LOOK_POWER,
    Finding,
    magnitude_test,
    most_suspicious,
    samples_for_tail,
    unit_law,
)
from initcheck.targets import ANY

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

SHAPE: Shape = (950, 900)
SIZE = 950 * 900
TAIL = 1.708e-5  # of the normal law beyond ±4.3 standard deviations

RARE = 2.0**-23  # the chance of the least of the uniform numbers that float32 draws are made of
_PART: Shape = (2048, 4096)
_PARTS = 8

_WINDOW = 4  # successive elements that are compared as one: 72 random bits at least
_FACTORS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5)
_KEPT_BITS = 4  # of the hashes, one in 2⁴ is compared; a part of 1,000 elements has 62 of those


def repeats(values: np.ndarray) -> int:
    """Counts how often four successive elements, along rows or columns, recur elsewhere up to their signs."""
    return sum(_repeated(order) for order in (values, values.T))


def _repeated(values: np.ndarray) -> int:
    bits = np.abs(values).ravel().view(np.uint32).astype(np.uint64)
    count = len(bits) - _WINDOW + 1
    hashes = np.zeros(count, np.uint64)
    for place, factor in enumerate(_FACTORS):
        hashes += bits[place : place + count] * np.uint64(factor)
    kept = np.sort(hashes[hashes >> np.uint64(64 - _KEPT_BITS) == 0])
    return int(np.count_nonzero(kept[1:] == kept[:-1]))


@check(
    "LAW17",
    "A large draw repeats no part of itself, and reaches as far out as its law does.",
    on=ANY,
    subjects=elementwise_rows(),
    takes="initializer",
    detects="a part of 1,000 elements that comes twice anywhere; a normal law cut off at 4.3 standard deviations",
    samples=lambda factor: SIZE,
    min_samples=lambda alpha: samples_for_tail(TAIL, alpha, 1),
)
def large(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """Successive elements that come again, exactly; the law of the element that lies farthest out."""
    law = samples.element_law(row, SHAPE)
    values = np.asarray(lab.draws.draw(row, SHAPE, seed=lab.stream("laws", "large", row.name)))
    repeated = repeats(values)
    if repeated:
        return failed(f"{row.name} {SHAPE}: {repeated} of the parts looked at come again", "none")
    sample = (values.ravel().astype(np.float64) - law.mean) / law.stddev
    finding = most_suspicious({str(SHAPE): sample}, magnitude_test(unit_law(law.family)))
    measured = f"{row.name} {finding.group}: the farthest element lies {finding.value:.5f} σ from the mean"
    return judged(finding, alpha, measured, f"the extreme of {finding.n} draws of a {law.family} law")


def uncut_rows() -> list[Subject]:
    """The rows of one normal law in every shape, whether or not it is made by a function that can cut it."""
    laws = ((one, one.value.law) for one in elementwise_rows())
    return [one for one, law in laws if isinstance(law, Elementwise) and law.law.family == "normal"]


@check(
    "LAW31",
    "No element of a normal law lies where it has none, at a limit that cuts nothing off for one.",
    on=ANY,
    subjects=uncut_rows(),
    takes="initializer",
    detects="one element in 2²³ that lies 9 standard deviations out",
    samples=lambda factor: _PARTS * math.prod(_PART),
    min_samples=lambda alpha: math.ceil(math.log(1 - LOOK_POWER) / math.log1p(-RARE)),  # that one is among them
)
def outliers(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """How likely one of so many elements lies as far out as the farthest."""
    from scipy.special import ndtr

    law = samples.element_law(row, _PART)
    if law.family != "normal":
        raise NotApplicable(f"{row.name} is no normal law")
    farthest = 0.0
    for part in range(_PARTS):
        values = np.asarray(lab.draws.draw(row, _PART, seed=lab.stream("laws", "outliers", row.name, str(part))))
        farthest = max(farthest, *(abs(float(end) - law.mean) / law.stddev for end in (values.min(), values.max())))
    n = _PARTS * math.prod(_PART)
    p_value = -math.expm1(n * math.log1p(-2 * ndtr(-farthest)))
    measured = f"{row.name} {_PART}: of {n} elements the farthest lies {farthest:.5f} σ from the mean"
    return judged(Finding(row.name, farthest, n, p_value), alpha, measured, "the extreme of a normal law")
