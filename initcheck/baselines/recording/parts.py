"""The parts of a baseline: each is recorded in any process, and they are merged in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from initcheck.baselines.comparing.comparison import CellKey, ComparedCell, Section
from initcheck.baselines.comparing.differences import environment_differences
from initcheck.baselines.records.schema import Baseline
from initcheck.catalog.own_problems import OwnProblem
from initcheck.catalog.problems import Problem
from initcheck.errors import InitcheckError

_BY_SUBJECT = (Section.DRAWS, Section.MODELS)  # sections with a part for each subject


@dataclass(frozen=True)
class Part:
    """A part of a baseline, recorded in one go: an initializer's draws, a whole section, or all of one problem.

    Attributes:
        section: The field of ``Baseline`` that it belongs to.
        name: Its key there; empty where it is the whole section.
        problem: The problem, where it is one's.
        model: The user's own model, where it is one's.
        reseeds: Runs of each of the problem's initializers for the accuracies, or of the model for its scores; by
            default as many as take seconds.
    """

    section: str
    name: str = ""
    problem: Problem | None = None
    reseeds: int | None = None
    model: OwnProblem | None = None

    def __str__(self) -> str:
        return f"{self.section} {self.name}".strip()


def merge(parts: Sequence[Baseline]) -> Baseline:
    """One baseline of several, with the entries in the parts' order.

    Raises:
        InitcheckError: They were recorded in different environments or under different seeds.
    """
    first = parts[0]
    for part in parts[1:]:
        if (part.environment, part.seed) != (first.environment, first.seed):
            differing = environment_differences(first.environment.environment, part.environment.environment)
            what = [one.what for one in differing] + (["seed"] if part.seed != first.seed else [])
            raise InitcheckError(
                f"parts of the baseline were recorded with different {', '.join(what)}; "
                "let nothing start or set up the framework before initcheck does"
            )
    sections = [name for name in Baseline.model_fields if isinstance(getattr(first, name), Mapping)]
    merged = {name: {key: one for part in parts for key, one in getattr(part, name).items()} for name in sections}
    return first.model_copy(update=merged)


def part_of(key: CellKey, parts: Sequence[Part]) -> Part | None:
    """The part whose evidence decides that cell; None where no part's does."""
    if key.problem:
        wanted = ("problems", key.problem)
    else:
        wanted = (key.section, key.subject if key.section in _BY_SUBJECT else "")
    return next((part for part in parts if (part.section, part.name) == wanted), None)


def needed_by(part: Part, old: Baseline, parts: Sequence[Part]) -> list[Part]:
    """The parts that a part's cells are judged by: a training's first stage is judged by the law of its draws, too."""
    known = old.problems.get(part.name) if part.section == "problems" else None
    laws = [one for one in parts if known and one.section == "draws" and one.name in known.traces]
    return [*laws, part]


def pick(cells: Sequence[ComparedCell], key: CellKey) -> ComparedCell | None:
    """The cell of that key, or its whole problem's where nothing of the problem could be compared."""
    compared = {cell.key: cell for cell in cells}
    whole = CellKey(Section.TRACES, problem=key.problem)
    return compared.get(key) or (compared.get(whole) if key.problem else None)
