"""The plan of a sweep: what varies, and which engine trains; loads no framework."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from initcheck.arguments import choice, whole_number

ENGINES = ("auto", "ensemble", "reference")


class Vary(StrEnum):
    """The parts of a run that vary within a sweep."""

    INIT = "init"  # the initial weights
    ORDER = "order"  # the order of the rows
    BOTH = "init,order"  # both, in a grid


VARIED = tuple(one.value for one in Vary)


@dataclass(frozen=True)
class Plan:
    """The settings of a sweep beside its problem and initializers.

    Attributes:
        reseeds: Runs for each initializer, at least.
        seed: The root seed.
        epochs: Passes over the training rows; None for the problem's own number.
        engine: One of ``ENGINES``.
        vary: One of ``VARIED``.
    """

    reseeds: int
    seed: int
    epochs: int | None
    engine: str
    vary: str

    def __post_init__(self) -> None:
        """Refuses what no sweep could do, before data or framework are loaded for it.

        Raises:
            InitcheckError: A number or a choice that is none of those.
        """
        object.__setattr__(self, "reseeds", whole_number("reseeds", self.reseeds, least=1))
        object.__setattr__(self, "seed", whole_number("seed", self.seed))
        if self.epochs is not None:
            object.__setattr__(self, "epochs", whole_number("epochs", self.epochs, least=1))
        choice("engine", self.engine, ENGINES)
        choice("vary", self.vary, VARIED)


def grid(vary: str, reseeds: int) -> tuple[range, range]:
    """The numbers of the reseeds and of the orders that give at least so many runs.

    Raises:
        InitcheckError: ``reseeds`` is no whole number, less than 1, or beyond 64 bits.
    """
    reseeds = whole_number("reseeds", reseeds, least=1)
    if vary == Vary.INIT:
        return range(reseeds), range(1)
    if vary == Vary.ORDER:
        return range(1), range(1, reseeds + 1)
    inits = math.isqrt(reseeds - 1) + 1
    return range(inits), range(1, -(-reseeds // inits) + 1)
