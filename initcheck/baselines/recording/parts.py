"""The parts of a baseline: each recorded in whatever process, and merged in whatever order they come."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from initcheck.baselines.comparing.comparison import ComparedCell
from initcheck.baselines.records.schema import Baseline
from initcheck.catalog.problems import Problem
from initcheck.errors import InitcheckError

_WHOLE = ("defaults", "fans")  # sections that are one part, with a cell for each of their entries


@dataclass(frozen=True)
class Part:
    """What is recorded at one go: one initializer's draws, a whole section, or all of one problem.

    Attributes:
        section: The field of ``Baseline`` that it belongs to.
        name: Its key there; empty where it is the whole section.
        problem: The problem, where it is one's.
        reseeds: Runs of each of the problem's initializers for the accuracies; by default what takes seconds.
    """

    section: str
    name: str = ""
    problem: Problem | None = None
    reseeds: int | None = None

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
            told = [dict(one.environment.environment.rows()) | {"seed": str(one.seed)} for one in (first, part)]
            what = [name for name in {**told[0], **told[1]} if told[0].get(name) != told[1].get(name)]
            raise InitcheckError(
                f"parts of the baseline were recorded with different {', '.join(what)}; "
                "let nothing start or set up TensorFlow before initcheck does"
            )
    sections = [name for name in Baseline.model_fields if isinstance(getattr(first, name), Mapping)]
    merged = {name: {key: one for part in parts for key, one in getattr(part, name).items()} for name in sections}
    return first.model_copy(update=merged)


def part_of(section: str, name: str, parts: Sequence[Part]) -> Part | None:
    """The part whose evidence decides the cell of that name; None where no part's does."""
    mine = [part for part in parts if _decides(part, section, name)]
    return max(mine, key=lambda part: len(part.name), default=None)


def needed_by(part: Part, old: Baseline, parts: Sequence[Part]) -> list[Part]:
    """Those that a part's cells are judged by: a training's first stage is judged by the law of its draws, too."""
    found = old.problems.get(part.name) if part.section == "problems" else None
    laws = [one for one in parts if found and one.section == "draws" and one.name in found.traces]
    return [*laws, part]


def pick(cells: Sequence[ComparedCell], section: str, name: str, problems: Collection[str]) -> ComparedCell | None:
    """The cell of that name, or that of its whole problem where nothing of the problem could be compared."""
    whole = [one for one in problems if name == one or name.startswith(f"{one} ")]
    wanted = [(section, name), *(("traces", one) for one in sorted(whole, key=len, reverse=True))]
    found = {(cell.section, cell.name): cell for cell in cells}
    return next((found[one] for one in wanted if one in found), None)


def _decides(part: Part, section: str, name: str) -> bool:
    if part.section == "draws" or section == "draws":
        return part.section == section and name.rpartition(" ")[0] == part.name
    if part.section in _WHOLE or section in _WHOLE:
        return part.section == section
    if part.section == "orders":
        return section == "orders"
    return name == part.name or name.startswith(f"{part.name} ")
