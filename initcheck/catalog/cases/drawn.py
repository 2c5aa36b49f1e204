"""Cases from frozen streams: shapes, architectures, arguments; never the seed of a p-value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from initcheck.seeding import derive_seed

Case = TypeVar("Case")

_TRIES = 100  # for each case, before giving up


class CaseStream:
    """Draws from a ``RandomState``, the one generator that NumPy promises never to change.

    Args:
        key: Names the stream.
    """

    def __init__(self, key: str) -> None:
        self._state = np.random.RandomState(derive_seed(0, "cases", key) % 2**32)

    def integer(self, low: int, high: int) -> int:
        """An integer from ``low`` to ``high``, both included."""
        return int(self._state.randint(low, high + 1, dtype=np.int64))

    def integers(self, low: int, high: int, *, most: int) -> tuple[int, ...]:
        """From one to ``most`` integers from ``low`` to ``high``."""
        return tuple(self.integer(low, high) for _ in range(self.integer(1, most)))

    def real(self, low: float, high: float) -> float:
        """A uniform number from ``low`` to ``high``."""
        return float(self._state.uniform(low, high))

    def one_of(self, options: Sequence[Case]) -> Case:
        """One of the options, with equal chances."""
        return options[self.integer(0, len(options) - 1)]


def draw_cases(make: Callable[[CaseStream], Case], count: int, key: str) -> list[Case]:
    """Distinct cases: the same on every run and machine, whatever is installed.

    They are judged together, since evidence is pooled over them; the verdict names a case that fails.

    Args:
        make: Makes a case with draws from the stream; distinct cases have distinct ``repr``.
        count: The number of cases, at most; fewer where no more are found.
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
