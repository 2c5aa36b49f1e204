"""Cases from frozen streams: shapes, architectures, arguments; never the seed of a p-value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from initcheck.seeding import derive_seed

Case = TypeVar("Case")

_TRIES = 100  # for each case, before there seem to be no more


class CaseStream:
    """Draws from a ``RandomState``, the one generator that NumPy promises never to change.

    Args:
        key: Names the stream; another key gives others.
    """

    def __init__(self, key: str) -> None:
        self._state = np.random.RandomState(derive_seed(0, "cases", key) % 2**32)

    def integer(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return int(self._state.randint(low, high + 1, dtype=np.int64))

    def integers(self, low: int, high: int, *, most: int) -> tuple[int, ...]:
        """From one to so many whole numbers."""
        return tuple(self.integer(low, high) for _ in range(self.integer(1, most)))

    def real(self, low: float, high: float) -> float:
        """A number between the two."""
        return float(self._state.uniform(low, high))

    def one_of(self, options: Sequence[Case]) -> Case:
        """One of the options."""
        return options[self.integer(0, len(options) - 1)]


def draw_cases(make: Callable[[CaseStream], Case], count: int, key: str) -> list[Case]:
    """Distinct cases: the same ones on every run and machine, whatever is installed.

    They are gathered first and judged together, since evidence is pooled over them; a case that fails is named by the
    verdict.

    Args:
        make: Makes a case of what it draws from the stream; cases have a ``repr`` that tells them apart.
        count: How many at most; fewer where there seem to be no more.
        key: Names the stream of cases.
    """
    stream = CaseStream(key)
    found: dict[str, Case] = {}
    for _ in range(_TRIES * count):
        case = make(stream)
        found.setdefault(repr(case), case)
        if len(found) == count:
            break
    return list(found.values())
