"""Dropout in attention layers: which scores are dropped, what becomes of the others, and by which law."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from initcheck.catalog.layers import LayerRequest, select
from initcheck.catalog.layers.attention import KEYS
from initcheck.catalog.layers.traits.noises import ScoreDropout
from initcheck.checks.judgement import judged
from initcheck.checks.registry import NotApplicable, Subject, check
from initcheck.oracle.rounding import UNIT
from initcheck.records import Verdict, failed
from initcheck.statistics.dependence import between, within
from initcheck.statistics.goodness import Finding, Sample, samples_for_shift, together, two_sided
from initcheck.targets import KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab
    from initcheck.evidence.laws.layer_weights import Dropped

Array = npt.NDArray[Any]
QUERIES, SAMPLES = 16, 65536
MOST_FINDINGS = 4  # that one verdict compares: the shares of two calls, independence within a call and between two
# The factor 1/(1 − rate) of a rounded rate, its product with a score, and the softmax's quotient: a unit each, or two.
_ROUNDING = 8 * UNIT

CASES = select(ScoreDropout)


def needs(alpha: float) -> int:
    """Returns how many scores of one call detect a rate off by 0.02, and a correlation of 0.06."""
    return max(
        samples_for_shift(0.04, alpha, MOST_FINDINGS),  # 0.02 of a rate of ½, which varies by ½
        # Half of them at the largest shift; pairs by themselves and together.
        2 * samples_for_shift(0.06, alpha, MOST_FINDINGS * 2 * SAMPLES, math.sqrt(1 + 3 * 0.06**2)),
    )


def heads(case: ScoreDropout) -> int:
    """Returns how many masks a query has."""
    return max(1, case.heads[0])


def inputs(case: ScoreDropout) -> list[Array]:
    """Returns queries and keys of zeros, whose scores are all equal, and values by which each key has its place."""
    rows = SAMPLES // (heads(case) * QUERIES * KEYS)
    width = heads(case) * KEYS  # of all inputs: Keras 3.5 takes no others
    values = np.broadcast_to(np.eye(KEYS, width), (rows, KEYS, width))
    given = (np.zeros((rows, QUERIES, width)), values, np.zeros(values.shape))
    return [one.astype("float32") for one in given]


def weights(case: ScoreDropout) -> list[Array]:
    """Returns weights by which each head passes on the values as they are, to its own place in the output."""
    of_queries, of_keys = case.heads
    if not of_queries:
        return [np.ones(shape, "float32") for shape in case.shapes]
    width = of_queries * KEYS
    made = (
        np.zeros((width, of_queries, KEYS)),
        np.zeros((width, of_keys, KEYS)),
        np.repeat(np.eye(width, KEYS)[:, None], of_keys, axis=1),
        np.eye(width).reshape(of_queries, KEYS, width),
    )
    return [one.astype("float32") for one in made]


def scores(case: ScoreDropout, output: Array) -> Array:
    """Returns the scores after dropout: row, head, query and key."""
    return np.moveaxis(output.reshape(*output.shape[:2], heads(case), KEYS), 2, 1)


def exact_problem(case: ScoreDropout, shown: Dropped) -> str:
    """Describes what no chance explains; empty if there is nothing."""
    kept = 1 / (KEYS * (1 - case.rate))
    for call, output in zip(("eagerly", "in a graph"), shown.calls, strict=True):
        seen = scores(case, output).astype(np.float64)
        wrong = ~((seen == 0) | (np.abs(seen - kept) <= _ROUNDING * kept))
        if np.any(wrong):
            return f"{call}, a score of 1/{KEYS} becomes {seen[wrong][0]:.8g}, not 0 or {kept:.8g}"
        masks = (seen == 0).reshape(-1, QUERIES * KEYS)
        if len(np.unique(masks, axis=0)) < len(masks):
            return f"{call}, two rows or heads have the same mask"
    if not np.all(np.abs(scores(case, shown.at_inference) * KEYS - 1) <= _ROUNDING):
        return "something is dropped outside training"
    return shown.seed_problem()


def judge(case: ScoreDropout, outputs: Sequence[Array]) -> Finding:
    """The most suspicious of the shares, independence within a call, and independence of the two calls."""
    spread = math.sqrt(case.rate * (1 - case.rate))
    findings: list[Finding] = []
    streams: list[Sample] = []
    for call, output in zip(("eagerly", "in a graph"), outputs, strict=True):
        dropped = (scores(case, output) == 0).astype(np.float64).ravel()
        share = float(dropped.mean())
        z = (share - case.rate) / spread * math.sqrt(len(dropped))
        findings.append(Finding(f"share of scores dropped {call} is", share, len(dropped), two_sided(z)))
        streams.append((dropped - case.rate) / spread)
    return together([*findings, within(streams[0], None), between([(streams[0], streams[1])], None)])


@check(
    "LAW27",
    "Attention drops its scores after the softmax, each with the documented rate, independently for every row, head, "
    "query and key, and repeats with its seed.",
    on=KERAS,
    subjects=[Subject(case.name, case) for case in CASES],
    detects="a rate off by 0.02, a correlation of 0.06 any fixed distance apart, two equal masks of rows or heads",
    samples=lambda factor: SAMPLES,
    min_samples=needs,
)
def score_dropout(lab: Lab, case: ScoreDropout, alpha: float) -> Verdict:
    """Of equal scores and values that are the identity matrix the outputs are the mask."""
    if not lab.draws.layers.offers(case.layer):
        raise NotApplicable(f"the installed Keras has no {case.layer}")
    seed = lab.stream("laws", "score dropout", case.name)
    given = inputs(case)
    request = LayerRequest(case.layer, case.arguments, listed_inputs=not case.heads[0])
    shown = lab.draws.layers.dropped(request, weights(case), given, seed=seed, apart=True)
    expected = (len(given[0]), QUERIES, heads(case) * KEYS)
    for output in (*shown.calls, shown.at_inference):
        if output.shape != expected:
            return failed(f"{case.name}: outputs of shape {output.shape}", f"{expected}")
    if problem := exact_problem(case, shown):
        return failed(f"{case.name}: {problem}", "the documented dropout")
    finding = judge(case, shown.calls)
    return judged(finding, alpha, f"{case.name}: {finding.group} {finding.value:.4f}", "the documented law")
