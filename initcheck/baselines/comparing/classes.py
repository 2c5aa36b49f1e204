"""The classes of a comparison between a new and an old baseline's cell."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import Enum
from typing import Self

RELATIVE_DELTA = 0.05  # of the mean of a score that is no share: means within it are equivalent


class Ranked(Enum):
    """Judgements from the best to the worst, in the order in which they are defined."""

    @property
    def rank(self) -> int:
        """0 for the best."""
        return list(type(self)).index(self)

    @classmethod
    def options(cls) -> dict[str, Self]:
        """The members by their names in options."""
        return {one.value.replace(" ", "-"): one for one in cls}


class Class(Ranked):
    """The class of a new baseline's cell beside the old one's, from the best to the worst."""

    IDENTICAL = "identical"
    WITHIN_TOLERANCE = "within tolerance"
    SAME_DISTRIBUTION = "same distribution"
    INCONCLUSIVE = "inconclusive"
    CHANGED = "changed"


CLASSES = Class.options()


def worst(classes: Iterable[Class]) -> Class:
    """The worst of some classes; identical where there are none."""
    return max(classes, key=lambda one: one.rank, default=Class.IDENTICAL)


def allowed(named: Collection[Class] = ()) -> frozenset[Class]:
    """The named classes, and any better one: same bits before different bits before another stream of one law.

    Args:
        named: The classes that a cell may have; by default within tolerance.
    """
    chain = [Class.IDENTICAL, Class.WITHIN_TOLERANCE, Class.SAME_DISTRIBUTION]
    reach = max((chain.index(one) for one in named if one in chain), default=1)
    return frozenset({*chain[: reach + 1], *named})
