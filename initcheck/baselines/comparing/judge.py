"""Judges the cells of one baseline, all at once or part by part, and says what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from initcheck.baselines.comparing.classes import Class
from initcheck.baselines.comparing.compare import compare
from initcheck.baselines.comparing.comparison import CellKey, ComparedCell, Comparison
from initcheck.baselines.records.schema import Baseline
from initcheck.targets import frameworks_of
from initcheck.texts import for_terminal


@dataclass(frozen=True)
class Judge:
    """The baseline that a framework is compared with.

    Attributes:
        file: The baseline's file, as the user named it.
        old: The baseline.
        allowed: The classes that a cell may have.
        advice: The command that shows everything.
    """

    file: str
    old: Baseline
    allowed: frozenset[Class]
    advice: str

    def __str__(self) -> str:
        return for_terminal(f"{self.file} ({versions_of(self.old)})")

    @property
    def keys(self) -> list[CellKey]:
        """The keys of the baseline's cells."""
        return [cell.key for cell in compare(self.old, self.old).cells]

    def compare(self, new: Baseline) -> Comparison:
        """All cells, those for which the new baseline has no evidence being absent."""
        return compare(self.old, new, self.allowed)

    def complaint(self, cells: Sequence[ComparedCell]) -> str:
        """The actual classes, the expected ones, and how to see the rest."""
        best = " or ".join(one.value for one in Class if one in self.allowed)
        lines = [*map(_describe, cells), f"expected: {best}, against {self}", f"see all: {self.advice}"]
        return "\n".join(map(for_terminal, lines))


def versions_of(baseline: Baseline) -> str:
    """The framework that it was recorded on."""
    versions, names = baseline.environment.versions, frameworks_of(baseline.environment.target)
    return ", ".join(f"{name} {versions[name]}" for name in names if name in versions)


def _describe(cell: ComparedCell) -> str:
    since = f" since '{cell.stage}'" if cell.stage else ""
    size = f" by {cell.size}" if cell.size else ""
    return f"{cell.key}: {cell.found.value.upper()}{since}{size}{f': {cell.note}' if cell.note else ''}"
