"""Tests that judge the installed framework against a baseline, or record one: one for each cell and each part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from initcheck.baselines.comparing.classes import Class
from initcheck.baselines.comparing.comparison import CellKey, ComparedCell, Comparison
from initcheck.baselines.comparing.judge import Judge
from initcheck.baselines.recording.parts import Part, merge, needed_by, part_of, pick
from initcheck.baselines.recording.pool import Pool
from initcheck.baselines.recording.record import DEFAULT_RESEEDS, parts_of, record_nothing, record_part
from initcheck.baselines.recording.saved_models import with_loaded
from initcheck.baselines.records.schema import Baseline, ProblemRecord
from initcheck.catalog.own_problems import OwnProblem
from initcheck.catalog.problems import DEFAULT_PROBLEMS, PROBLEMS, Problem
from initcheck.errors import InitcheckError
from initcheck.frameworks.quiet import quiet, unlogged
from initcheck.plugin.lab_argument import require_lab

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab


@dataclass(frozen=True)
class Evidence:
    """The installed framework's evidence, part by part.

    Attributes:
        pool: The folder where all processes of the session put it.
        parts: All that there are.
    """

    pool: Pool
    parts: tuple[Part, ...]

    def of(self, part: Part, lab: Lab) -> Baseline:
        """The part, recorded now unless it was before.

        Raises:
            InitcheckError: It could not be recorded.
        """
        outcome = lab.once(("baseline", self.pool.folder, str(part)), lambda: self._attempt(part, lab))
        if isinstance(outcome, Exception):
            kind = "" if isinstance(outcome, InitcheckError) else f"{type(outcome).__name__}: "
            raise InitcheckError(f"{part} could not be recorded: {kind}{' '.join(str(outcome).split())}") from outcome
        assert isinstance(outcome, Baseline)
        return outcome

    def _attempt(self, part: Part, lab: Lab) -> Baseline | Exception:
        try:
            with quiet(), unlogged():
                return self.pool.get(part, lambda: record_part(part, seed=lab.seed, advance=lambda now, steps: None))
        except Exception as error:  # noqa: BLE001 - reported by every test that needs the part
            return error

    def compared(self, part: Part | None, judge: Judge, lab: Lab) -> Comparison:
        """The comparison whose cells that part decides; of nothing where no part does."""
        comparison: Comparison = lab.once(
            ("comparison", self.pool.folder, str(part)), lambda: judge.compare(self._needed_by(part, judge, lab))
        )
        return comparison

    def _needed_by(self, part: Part | None, judge: Judge, lab: Lab) -> Baseline:
        if part is None:
            return record_nothing(seed=lab.seed)
        new = merge([self.of(one, lab) for one in needed_by(part, judge.old, self.parts)])
        return with_loaded(new, judge.old.files) if part.section == "files" and judge.old.files else new


@dataclass
class PartTest:
    """Records one part; judges that it has no cell that the baseline lacks."""

    part: Part
    evidence: Evidence = field(repr=False)
    judge: Judge | None = field(repr=False)

    def __call__(self, lab: Lab | None = None) -> None:
        """Records, and judges where there is a baseline.

        Raises:
            AssertionError: It cannot be recorded, or has what the baseline lacks.
        """
        __tracebackhide__ = True
        lab = require_lab(lab, "cell(initcheck_lab)")
        try:
            self.evidence.of(self.part, lab)
            extra = self._extra(lab, self.judge) if self.judge else []
        except InitcheckError as error:
            raise AssertionError(str(error)) from error.__cause__  # what the framework raised, and where
        if self.judge and extra:
            raise AssertionError(self.judge.complaint(extra))

    def _extra(self, lab: Lab, judge: Judge) -> list[ComparedCell]:
        known = set(judge.keys)
        return [
            cell
            for cell in self.evidence.compared(self.part, judge, lab).beyond()
            if cell.key not in known and part_of(cell.key, self.evidence.parts) == self.part
        ]


@dataclass
class CellTest:
    """Judges one cell of the baseline.

    Attributes:
        key: The cell's key.
        found: Its class, once it was judged.
    """

    key: CellKey
    part: Part | None = field(repr=False)
    evidence: Evidence = field(repr=False)
    judge: Judge = field(repr=False)
    found: Class | None = field(default=None, compare=False)

    def __call__(self, lab: Lab | None = None) -> None:
        """Judges the cell.

        Raises:
            AssertionError: The cell's class is not allowed, or there is no evidence.
        """
        __tracebackhide__ = True
        lab = require_lab(lab, "cell(initcheck_lab)")
        try:
            cells = self.evidence.compared(self.part, self.judge, lab).cells
        except InitcheckError as error:
            raise AssertionError(str(error)) from None  # the test of the part shows where
        cell = pick(cells, self.key)
        assert cell is not None, f"{self.key} was not compared; report this"
        self.found = cell.found
        if cell.found not in self.judge.allowed:
            raise AssertionError(self.judge.complaint([cell]))


def plan(problems: Sequence[Problem | OwnProblem], reseeds: int | None, judge: Judge | None) -> list[Part]:
    """The parts to record: those of a baseline where there is one to compare with, by default.

    Args:
        problems: The problems, and models of the user's own; by default the baseline's problems, as far as the
            catalogue has them, or the catalogue's.
        reseeds: Runs of each problem and initializer for the accuracies, and of each model; by default the baseline's
            number.
        judge: The baseline.
    """
    old = judge.old.problems if judge else {}
    names = old if judge else DEFAULT_PROBLEMS
    counts = {("problems", name): _reseeds(one) for name, one in old.items()}
    counts |= {("models", name): len(one.scores) for name, one in judge.old.models.items()} if judge else {}
    chosen = list(problems) or [PROBLEMS[name] for name in names if name in PROBLEMS]
    parts = parts_of(
        [one for one in chosen if isinstance(one, Problem)],
        reseeds,
        [one for one in chosen if isinstance(one, OwnProblem)],
    )
    if reseeds is not None:
        return parts
    return [replace(part, reseeds=counts.get((part.section, part.name))) for part in parts]


def tests_of(evidence: Evidence, judge: Judge | None) -> Iterator[tuple[str, PartTest | CellTest]]:
    """Id → test: each part, with its cells behind it; then the cells that no part can have.

    Trainings come first: they take longest, and so several workers each begin with another one.
    """
    deciding = {key: part_of(key, evidence.parts) for key in judge.keys} if judge else {}
    for part in (*sorted(evidence.parts, key=lambda one: not (one.problem or one.model)), None):
        if part:
            yield f"evidence-{str(part).replace(' ', '-')}", PartTest(part, evidence, judge)
        for key, one in deciding.items():
            if one is part and judge:
                yield str(key).replace(" ", "-"), CellTest(key, part, evidence, judge)


def _reseeds(old: ProblemRecord) -> int | None:
    counts = [len(record.correct) for record in old.accuracies.values()]
    # The default stays one: where the ensemble engine is unsupported, it is none.
    return None if max(counts, default=0) == DEFAULT_RESEEDS else max(counts, default=0)
