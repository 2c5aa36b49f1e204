"""What comes of two baselines: a class for each cell, the first stage that differs, and its size."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Self


class Ranked(Enum):
    """Judgements from the best to the worst, in the order in which they are defined."""

    @property
    def rank(self) -> int:
        """0 for the best."""
        return list(type(self)).index(self)

    @classmethod
    def options(cls) -> dict[str, Self]:
        """Each of them by the name that an option has for it."""
        return {one.value.replace(" ", "-"): one for one in cls}


class Class(Ranked):
    """How a cell of the new baseline stands to that of the old one, from the best to the worst."""

    IDENTICAL = "identical"
    WITHIN_TOLERANCE = "within tolerance"
    SAME_DISTRIBUTION = "same distribution"
    INCONCLUSIVE = "inconclusive"
    CHANGED = "changed"


CLASSES = Class.options()


def worst(classes: list[Class]) -> Class:
    """The worst of some classes; identical where there are none."""
    return max(classes, key=lambda one: one.rank, default=Class.IDENTICAL)


def allowed(named: Collection[Class]) -> set[Class]:
    """Those classes, and what is better: same bits before other bits before another stream of one law.

    Args:
        named: What a cell may be; within tolerance where nothing is named.
    """
    chain = [Class.IDENTICAL, Class.WITHIN_TOLERANCE, Class.SAME_DISTRIBUTION]
    reach = max((chain.index(one) for one in named if one in chain), default=1)
    return {*chain[: reach + 1], *named}


@dataclass(frozen=True)
class Deviation:
    """How far two arrays are apart, as far as their recorded values and moments tell: at least so far.

    Attributes:
        absolute: The largest difference; infinite where one side is no number.
        relative: The same over the largest recorded value.
        ulps: The same in units in the last place of the largest recorded value.
    """

    absolute: float
    relative: float
    ulps: float

    def __str__(self) -> str:
        return f"{self.ulps:.3g} ulps, relative {self.relative:.2g}"


@dataclass(frozen=True)
class Step:
    """One stage of a training, in both baselines.

    Attributes:
        stage: Its name.
        found: Its class.
        size: How far it is apart; None where it is not, or where that cannot be said.
        allowed: The largest absolute deviation that is within tolerance; None where none is known.
        note: What else there is to say.
    """

    stage: str
    found: Class
    size: Deviation | None = None
    allowed: float | None = None
    note: str = ""


@dataclass(frozen=True)
class ComparedCell:
    """One comparison.

    Attributes:
        section: ``draws``, ``defaults``, ``fans``, ``orders``, ``traces``, ``fits`` or ``accuracies``.
        name: Which of its section.
        found: Its class.
        stage: The first stage that differs; empty where none does, or the section has none.
        size: How far that is apart.
        note: What else there is to say, with its numbers.
        ladder: All stages of a training, in order.
        unclaimed: Whether the same bits were recorded, and are called within tolerance only because no claim about bits
            is made between the environments.
    """

    section: str
    name: str
    found: Class
    stage: str = ""
    size: Deviation | None = None
    note: str = ""
    ladder: tuple[Step, ...] = ()
    unclaimed: bool = False


@dataclass(frozen=True)
class Difference:
    """An environment's property that is not the same in both."""

    what: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.what} {self.old} → {self.new}"


@dataclass(frozen=True)
class Comparison:
    """Two baselines side by side.

    Attributes:
        differences: What is not the same of the environments.
        refused: Those of them for which no claim about bits is made.
        cells: Everything compared, in the baselines' order.
        delta: What accuracies may differ by to be equivalent.
        alpha: Chance that an unchanged framework that draws other streams has a cell that is called changed.
    """

    differences: tuple[Difference, ...]
    refused: tuple[Difference, ...]
    cells: tuple[ComparedCell, ...]
    delta: float
    alpha: float

    def of(self, section: str) -> list[ComparedCell]:
        """The cells of one section."""
        return [cell for cell in self.cells if cell.section == section]

    @property
    def differing(self) -> list[ComparedCell]:
        """The cells that are not identical, as far as recorded."""
        return [cell for cell in self.cells if cell.found is not Class.IDENTICAL and not cell.unclaimed]
