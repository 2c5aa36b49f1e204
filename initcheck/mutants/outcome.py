"""What the checks said of one mutant."""

from __future__ import annotations

from dataclasses import dataclass

from initcheck.mutants.registry import Mutant


@dataclass(frozen=True)
class Outcome:
    """What the checks said of one mutant.

    Attributes:
        mutant: The change that was made.
        failures: Family → the first failing cell and its verdict; families that passed map to an empty text.
        error: Why the process gave no verdicts, if it gave none.
    """

    mutant: Mutant
    failures: dict[str, str]
    error: str = ""

    @property
    def as_expected(self) -> bool:
        """Whether a fault was caught by the family that must catch it, or a harmless change passed everywhere."""
        if self.error:
            return False
        if self.mutant.harmless:
            return not any(self.failures.values())
        return bool(self.failures.get(self.mutant.family))
