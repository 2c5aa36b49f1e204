"""Spread: accuracies over reseeds compared with the documented bounds, and one engine compared with the other."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from initcheck.bounds import Bound, Bounds, load_bounds, summarize
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.laws import Law
from initcheck.catalog.own_problems import OwnProblem
from initcheck.checks.registry import Cell, NotApplicable, Subject, all_checks, budget_share, check
from initcheck.checks.spread_tests import MOST_RESEEDS, STAGE, compare, needed_calibration, needed_reseeds
from initcheck.records import Runs, Status, Verdict, failed, passed
from initcheck.targets import KERAS, TENSORFLOW, target

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

_BOUNDS = load_bounds()
# Problem → the only initializers judged where a thousand runs take ten seconds and more: not on TensorFlow.
_LONG = {"digits": ("he_normal",)}


def _subjects(bounds: Bounds, *, random: bool) -> list[Subject]:
    """The bounds of initializers that draw, or of those that do not, as ``(problem, initializer, bound)``."""
    return [
        Subject(f"{problem}-{initializer}", (problem, initializer, bound), evidence=f"spread of {problem}")
        for problem, initializer, bound in bounds.cells()
        if INITIALIZERS[initializer].law.random is random
    ]


def cells_of(bounds: Bounds, models: Mapping[str, OwnProblem] = MappingProxyType({})) -> list[Cell]:
    """Returns the cells that judge the bounds of any file, with the package's shares of the error budget.

    Args:
        bounds: The bounds.
        models: Name of a problem in them → the user's own model that it is.
    """
    judges = {check.code: check for check in all_checks()}
    drawn = [
        Cell(judges["SPR01"], subject, budget_share())
        for problem, name, bound in bounds.cells()
        if problem in models
        for subject in [Subject(f"{problem}-{name}", (models[problem], name, bound), evidence=f"spread of {problem}")]
    ]
    bounds = Bounds(problems={name: one for name, one in bounds.problems.items() if name not in models})
    drawn += [Cell(judges["SPR01"], subject, budget_share()) for subject in _subjects(bounds, random=True)]
    return drawn + [Cell(judges["SPR02"], subject, 0.0) for subject in _subjects(bounds, random=False)]


def _one_of_each_law(subjects: list[Subject]) -> list[Subject]:
    """Returns one subject for each law of a problem: another name of one initializer gives no new evidence."""
    by_law: dict[tuple[str, Law], Subject] = {}
    for subject in subjects:
        problem, initializer, _ = subject.value
        by_law.setdefault((problem, INITIALIZERS[initializer].law), subject)
    return list(by_law.values())


_DRAWN = _one_of_each_law(_subjects(_BOUNDS, random=True))


@check(
    "SPR01",
    "Accuracy over reseeds stays within the documented bounds: mean, spread, tails and collapses.",
    on=KERAS,
    subjects=_DRAWN,
    detects="a mean off by 0.2 standard deviations, a standard deviation off by a fifth; where 99 % of runs end alike, "
    "two runs in a hundred that do not",
    samples=lambda factor: MOST_RESEEDS,
    min_samples=lambda alpha: max(needed_reseeds(subject.value[2].counts, alpha) for subject in _DRAWN),
)
def judge_bounds(lab: Lab, cell: tuple[str | OwnProblem, str, Bound], alpha: float) -> Verdict:
    """Takes fresh runs by the thousand until they lie within the effect, or are enough to detect it."""
    problem, initializer, bound = cell
    if target() != TENSORFLOW and problem in _LONG and initializer not in _LONG[problem]:
        only = ", ".join(_LONG[problem])
        raise NotApplicable(f"thousands of runs of {problem} take minutes on this backend: {only} alone is judged")
    most = min(needed_reseeds(bound.counts, alpha), MOST_RESEEDS)  # a small calibration stays INCONCLUSIVE
    for reseeds in range(STAGE, most + 1, STAGE):
        verdict = judge_fresh(bound, _fresh(lab, problem, initializer, reseeds, bound.unit), alpha)
        if verdict.status is not Status.INCONCLUSIVE:
            break
    return verdict


def judge_fresh(bound: Bound, fresh: Bound, alpha: float) -> Verdict:
    """Judges any number of fresh runs of a cell; too few are INCONCLUSIVE.

    A failure takes as many runs as the effect needs: as no earlier stage can fail, the false-alarm rate stays α for any
    number of stages.
    """
    findings = compare(bound, fresh)
    worst = min(findings, key=lambda finding: finding.p_value)
    facts = {"n": fresh.counts.n, "p_value": worst.p_value, "alpha": alpha, "effect": worst.effect}
    suspicious = worst.p_value < alpha
    if suspicious and fresh.counts.n >= needed_reseeds(bound.counts, alpha):
        return failed(worst.what, f"as in {bound.counts.n:,} runs at calibration", **facts)
    unsettled = [finding.what for finding in findings if suspicious or not finding.settled]
    if unsettled:
        hint = describe_calibration_size(bound, alpha) or "more reseeds would decide"
        return Verdict(Status.INCONCLUSIVE, "; ".join(unsettled), bound=hint, **facts)  # type: ignore[arg-type] # Verdict's own fields
    return passed("; ".join(finding.what for finding in findings), **facts)


def describe_calibration_size(bound: Bound, alpha: float) -> str:
    """Describes why a check of that bound may not decide: too few reseeds at calibration; empty if it had enough."""
    counts = bound.counts
    if needed_reseeds(counts, alpha) <= MOST_RESEEDS:
        return ""
    needed = needed_calibration(counts, alpha)
    enough = (
        f"{needed:,} or more are needed" if needed else "no number would be enough, as their accuracies differ too much"
    )
    return f"its calibration had {counts.n:,} reseeds, too few to be sure of a decision: {enough}"


@check(
    "SPR02",
    "An initializer without randomness ends at the calibrated accuracy, within rounding error.",
    on=KERAS,
    subjects=_subjects(_BOUNDS, random=False),
)
def judge_fixed(lab: Lab, cell: tuple[str, str, Bound]) -> Verdict:
    """Compares the only run with the range over runs perturbed by rounding, plus or minus one row."""
    problem, initializer, bound = cell
    (correct,) = _fresh(lab, problem, initializer, 1).correct
    low, high = bound.correct[0] - 1, bound.correct[-1] + 1
    measured, expected = f"{correct} held-out rows are right", f"{low} to {high}"
    return passed(measured, expected=expected) if low <= correct <= high else failed(measured, expected)


@check(
    "SPR03",
    "One run gives the same losses and accuracies by fit and by the ensemble engine.",
    on=KERAS,
    subjects=[
        Subject(f"{problem}-he_normal", (problem, "he_normal"), evidence=f"spread of {problem}")
        for problem in _BOUNDS.problems
    ],
)
def judge_engines(lab: Lab, cell: tuple[str, str]) -> Verdict:
    """Judges one fresh run by both engines, within rounding error."""
    _require_support(lab)
    agreement = lab.spread.agreement(*cell)
    measured = f"reported losses differ by {agreement.loss:.2g}, {agreement.rows} rows are classified differently"
    allowed = f"at most {agreement.loss_tolerance:.2g} and {agreement.rows_tolerance} rows"
    return passed(measured, expected=allowed) if agreement.agrees else failed(measured, allowed)


def _fresh(lab: Lab, problem: str | OwnProblem, initializer: str, reseeds: int, unit: float | None = None) -> Bound:
    """The cell's first reseeds under the laboratory's streams."""
    _require_support(lab)
    parts = [
        lab.spread.runs(problem, initializer, range(start, min(start + STAGE, reseeds)))
        for start in range(0, reseeds, STAGE)
    ]
    return summarize(Runs.join(parts), lab.spread.majority(problem), unit)


def _require_support(lab: Lab) -> None:
    """On Keras 3 the engine supports every problem of the catalogue, so an unsupported one is a failure there."""
    if lab.keras.__version__.startswith("2."):
        raise NotApplicable("thousands of reseeds take the ensemble engine, which has no Keras 2")
