"""The checks of the spread, both ways: on made runs, and on faults of the installed framework."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from initcheck.bounds import Bound, load_bounds
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.checks import spread
from initcheck.checks.registry import budget_share
from initcheck.checks.spread_tests import (
    MOST_RESEEDS,
    STAGE,
    compare,
    is_nearly_constant,
    needed_calibration,
    needed_reseeds,
)
from initcheck.frameworks.keras import load_keras
from initcheck.records import Runs, Status
from initcheck.statistics.counts import Counts

ROWS = 100
ALPHA = budget_share()
CELLS = [
    pytest.param(bound, id=f"{problem}-{name}")
    for problem, name, bound in load_bounds().cells()
    if INITIALIZERS[name].law.random
]  # fmt: skip


def as_bound(sample, collapsed=0):
    counts = Counts.of(np.clip(np.round(sample), 0, ROWS).astype(np.int64))
    return Bound(collapsed=collapsed, correct=counts.values.tolist(), runs_with=counts.counts.tolist())


def resample(bound, n, stream, change=lambda rows: rows):
    """Runs drawn from the calibration's, changed."""
    drawn = stream.choice(bound.correct, n, p=bound.counts.counts / bound.counts.n).astype(float)
    return change(drawn)


def lab_with(draw):
    """A laboratory whose runs are drawn by ``draw(n)``."""

    def runs(problem, initializer, reseeds):
        rows = np.round(draw(len(reseeds))).astype(np.int64)
        ones = np.ones(len(reseeds), np.int64)
        return Runs(
            problem,
            initializer,
            ones,
            ones,
            ones,
            np.full(len(reseeds), 0.9),
            100,
            rows / ROWS,
            ROWS,
            np.zeros((len(reseeds), 1, 4)),
        )

    keras = SimpleNamespace(__version__="3.0.0")
    return SimpleNamespace(keras=keras, spread=SimpleNamespace(runs=runs, majority=lambda problem: 0.5))


POPULATIONS = {
    "normal": lambda stream, n: stream.normal(60, 8, n),
    "skewed": lambda stream, n: 100 * stream.beta(9, 2, n),
    "groups": lambda stream, n: stream.choice([40, 60, 90], n, p=[0.3, 0.3, 0.4]),
}


@pytest.mark.parametrize("population", POPULATIONS)
def test_fresh_runs_of_the_same_distribution_pass(population):
    stream = np.random.RandomState(1)
    for _ in range(20):
        bound = as_bound(POPULATIONS[population](stream, 10_000))
        lab = lab_with(lambda n: POPULATIONS[population](stream, n).clip(0, ROWS))
        verdict = spread.judge_bounds(lab, ("own", "he_normal", bound), ALPHA)
        assert verdict.status is Status.PASS, verdict


@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("fault", ["mean", "wider", "narrower"])
def test_the_stated_effects_are_detected(population, fault):
    stream = np.random.RandomState(2)
    whole = POPULATIONS[population](stream, 200_000)
    mean, stddev = whole.mean(), whole.std()
    changes = {
        "mean": lambda rows: rows + 0.2 * stddev,
        "wider": lambda rows: mean + 1.2 * (rows - mean),
        "narrower": lambda rows: mean + (rows - mean) / 1.2,
    }

    def fine(rows):
        """In twentieths of a row and above zero, so that neither rounding nor an end takes anything off the effect."""
        return 20 * (rows + 100)

    for _ in range(5):
        counts = Counts.of(np.round(fine(POPULATIONS[population](stream, 10_000))).astype(np.int64))
        bound = Bound(collapsed=0, correct=counts.values.tolist(), runs_with=counts.counts.tolist())
        lab = lab_with(lambda n: fine(changes[fault](POPULATIONS[population](stream, n))))
        verdict = spread.judge_bounds(lab, ("own", "he_normal", bound), ALPHA)
        assert verdict.status is Status.FAIL, verdict


def test_two_strays_in_a_hundred_nearly_constant_runs_are_detected_and_rare_ones_are_not():
    bound = as_bound(np.where(np.arange(10_000) < 3, 50, 20))
    assert is_nearly_constant(bound.counts)
    stream = np.random.RandomState(3)

    def with_strays(share):
        return lambda n: np.where(stream.uniform(size=n) < share, 55, 20)

    cell = ("own", "he_normal", bound)
    assert {spread.judge_bounds(lab_with(with_strays(0.03)), cell, ALPHA).status for _ in range(50)} == {Status.FAIL}
    assert {spread.judge_bounds(lab_with(with_strays(3e-4)), cell, ALPHA).status for _ in range(50)} == {Status.PASS}


def test_collapses_are_counted_separately():
    """The held-out rows are the same; the training rows tell."""
    stream = np.random.RandomState(4)
    sample = stream.normal(60, 8, 10_000)
    bound, fresh = as_bound(sample, collapsed=20), as_bound(stream.normal(60, 8, 3000), collapsed=90)
    worst = min(compare(bound, fresh), key=lambda finding: finding.p_value)
    assert worst.what == "90 of 3000 runs collapsed, 20 of 10000 at calibration"
    assert worst.p_value < ALPHA


def test_too_few_runs_are_inconclusive_whatever_they_show():
    bound = as_bound(np.random.RandomState(5).normal(60, 8, 10_000))
    for mean in (60, 90):
        fresh = as_bound(np.random.RandomState(6).normal(mean, 8, 50))
        assert spread.judge_fresh(bound, fresh, ALPHA).status is Status.INCONCLUSIVE


def test_a_calibration_of_as_many_reseeds_as_are_stated_to_be_needed_is_the_smallest_that_can_pass():
    counts = as_bound(POPULATIONS[next(iter(POPULATIONS))](np.random.RandomState(6), 10_000)).counts
    needed = needed_calibration(counts, ALPHA)

    def of(size):  # the same shares of so many runs
        return SimpleNamespace(n=size, kurtosis=counts.kurtosis, counts=counts.counts * size / counts.n)

    assert STAGE < needed < 10_000
    assert needed_reseeds(of(needed), ALPHA) <= MOST_RESEEDS < needed_reseeds(of(needed - 1), ALPHA)


def test_a_check_says_that_its_calibration_was_too_small_and_how_many_reseeds_it_needs():
    draw = POPULATIONS[next(iter(POPULATIONS))]
    small, large = (as_bound(draw(np.random.RandomState(7), n)) for n in (200, 10_000))
    description = spread.describe_calibration_size(small, ALPHA)
    needed = needed_calibration(small.counts, ALPHA)
    assert (
        description
        == f"its calibration had 200 reseeds, too few to be sure of a decision: {needed:,} or more are needed"
    )
    assert spread.describe_calibration_size(large, ALPHA) == ""
    stream = np.random.RandomState(8)
    verdict = spread.judge_bounds(lab_with(lambda n: draw(stream, n).clip(0, ROWS)), ("own", "he_normal", small), ALPHA)
    assert verdict.status is Status.INCONCLUSIVE
    assert description in str(verdict)


def test_a_calibration_that_is_too_small_is_inconclusive_and_comes_to_an_end():
    stream = np.random.RandomState(8)
    bound = as_bound(stream.normal(60, 8, 20))
    verdict = spread.judge_bounds(lab_with(lambda n: stream.normal(60, 8, n)), ("own", "he_normal", bound), ALPHA)
    assert verdict.status is Status.INCONCLUSIVE
    assert verdict.n == MOST_RESEEDS


@pytest.mark.parametrize("bound", CELLS)
def test_every_calibrated_cell_is_large_enough_for_the_effects(bound):
    assert STAGE <= needed_reseeds(bound.counts, ALPHA) <= MOST_RESEEDS


@pytest.mark.parametrize("bound", CELLS)
def test_the_calibrated_cells_pass_their_own_resamples(bound):
    stream = np.random.RandomState(7)
    verdict = spread.judge_bounds(lab_with(lambda n: resample(bound, n, stream)), ("own", "own", bound), ALPHA)
    assert verdict.status is Status.PASS or bound.collapsed, verdict


@pytest.mark.parametrize(("correct", "status"), [(18, "fail"), (19, "pass"), (23, "pass"), (24, "pass"), (25, "fail")])
def test_a_run_without_randomness_may_be_a_row_beside_those_that_rounding_moved(correct, status):
    bound = Bound(collapsed=0, correct=(20, 23), runs_with=(1, 3))
    assert spread.judge_fixed(lab_with(lambda n: np.full(n, correct)), ("own", "zeros", bound)).status.value == status


# What each fault does to the cells of the problems that it touches: the list that docs/checks.md gives, as measured.
SMALL = ("uniform", "normal", "truncated_normal")
SCALED = ("glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal")
FAULTS: dict[tuple[str, str], dict[str, Any]] = {
    ("rmsprop-forgets", "iris"): {"SPR01": (*SMALL, "unit_uniform", "lecun_uniform", "lecun_normal")},
    ("rmsprop-forgets", "digits"): {
        "SPR01": ("unit_uniform", "standard_normal", *SCALED, "orthogonal"),
        "SPR02": ("identity",),
    },
    ("adam-too-far", "xor"): {"SPR01": SMALL},
    ("uniform-10-percent", "iris"): {"SPR01": ("glorot_uniform", "he_uniform")},
    ("uniform-10-percent", "xor"): {},
    ("uniform-10-percent", "digits"): {"SPR01": ("unit_uniform", "glorot_uniform", "lecun_uniform")},
    ("fit-loses-a-batch", "iris"): {"SPR03": ("he_normal",)},
    ("fit-loses-a-batch", "xor"): {"SPR03": ("he_normal",)},
    ("fit-loses-a-batch", "digits"): {"SPR03": ("he_normal",)},
}
# On the largest problem a fault is judged by the cells that it touches and these; by all cells where it touches most.
CONTROLS = {
    ("uniform-10-percent", "digits"): ("he_normal", "zeros"),
    ("fit-loses-a-batch", "digits"): ("lecun_uniform", "zeros"),
}
# Two engines part by rounding on what hardly learns, so that whether they do depends on the processor.
BY_ROUNDING = {("rmsprop-forgets", "digits"): {"SPR03-digits-he_normal"}}
JUDGE = """
import json, sys
from initcheck.checks.registry import cells
from initcheck.evidence.lab import get_lab
from initcheck.mutants.mutant import apply_mutant
fault, problem, *names = sys.argv[1:]
apply_mutant(fault)
lab = get_lab(20260101)
chosen = [cell for cell in cells(["spread"]) if cell.subject.value[0] == problem]
chosen = [cell for cell in chosen if not names or cell.subject.value[1] in names]

def look(cell):
    # Once: a second look doubles the time and changes nothing here.
    return cell.check.judge(lab, cell.subject.value, *([cell.alpha] if cell.check.statistical else []))

print(json.dumps({cell.name: look(cell).status.value for cell in chosen}))
"""


@pytest.mark.slow
@pytest.mark.skipif(load_keras().__version__.startswith("2."), reason="the ensemble engine has no Keras 2")
@pytest.mark.parametrize(("fault", "problem"), FAULTS, ids=["-".join(one) for one in FAULTS])
def test_each_fault_is_detected_by_the_cells_that_the_documentation_names(fault, problem):
    touched = FAULTS[fault, problem]
    controls = CONTROLS.get((fault, problem), ())
    judged = sorted({name for some in touched.values() for name in some} | {*controls}) if controls else ()
    done = subprocess.run(
        [sys.executable, "-c", JUDGE, fault, problem, *judged],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "INITCHECK_MUTANT": fault},
    )
    verdicts = json.loads(done.stdout.splitlines()[-1])
    expected = [f"{code}-{problem}-{name}" for code, names in touched.items() for name in names]
    failing = [name for name, status in verdicts.items() if status != "pass"]
    assert [name for name in failing if name not in BY_ROUNDING.get((fault, problem), ())] == expected, verdicts
