"""The verdicts of the checks under one mutant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from initcheck.mutants.mutant import Mutant


class Mark(Enum):
    """The outcome of one check under a mutant, the gravest last."""

    NOT_APPLICABLE = "is not applicable"
    PASSED = "passes"
    INCONCLUSIVE = "is inconclusive"
    CRASHED = "crashes"  # an exception in place of a judgement
    FAILED = "fails"

    @property
    def good(self) -> bool:
        """Whether a check of a healthy framework has this outcome."""
        return self in (Mark.NOT_APPLICABLE, Mark.PASSED)


@dataclass(frozen=True)
class Reaction:
    """The outcome of one check under a mutant, and the cell that decided it.

    Attributes:
        mark: The gravest outcome of its cells.
        cell: That cell and its verdict, or the exception; empty where all is well.
    """

    mark: Mark
    cell: str = ""


@dataclass(frozen=True)
class Outcome:
    """The outcomes of all checks under one mutant.

    Attributes:
        mutant: The change that was made.
        reactions: Code of each check that was run → its outcome.
        error: Why the process ended without an answer, if it did.
    """

    mutant: Mutant
    reactions: Mapping[str, Reaction]
    error: str = ""

    @property
    def as_expected(self) -> bool:
        """Whether every check that a fault names failed, or every check passed under a harmless change."""
        run = set(self.mutant.caught_by) <= set(self.reactions)
        return run and not self.error and not self.unexpected

    @property
    def unexpected(self) -> list[Reaction]:
        """Outcomes other than the failures that the fault names, or other than a pass under a harmless change."""
        if self.mutant.harmless:
            return [reaction for reaction in self.reactions.values() if not reaction.mark.good]
        named = [self.reactions[code] for code in self.mutant.caught_by if code in self.reactions]
        return [reaction for reaction in named if reaction.mark is not Mark.FAILED]
