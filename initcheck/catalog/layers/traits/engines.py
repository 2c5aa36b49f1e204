"""The traits that engines need: what a training leaves behind in a layer, and whether members stand side by side."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from initcheck.catalog.layers.kind import Trait


class Holds(Enum):
    """What a training leaves behind in a layer."""

    WEIGHTS = "nothing but weights"
    MORE = "state beside weights, or nobody has looked"
    OTHERS_CODE = "whatever the code does that it is a shell around"


@dataclass(frozen=True, kw_only=True)
class State(Trait):
    """What a training leaves behind in it, which decides whether engines may use a compiled model again.

    Attributes:
        holds: What.
        draws: Whether it draws at every step of training, whatever its options.
        drawing_options: The options that make it draw where they are not 0.
    """

    holds: Holds = Holds.WEIGHTS
    draws: bool = False
    drawing_options: tuple[str, ...] = ()


class Stacking(Enum):
    """How members side by side, on the last axis, go through a layer."""

    WITH_ACTIVATION = "a product if it has weights, then its activation"
    ELEMENTWISE = "element by element"
    FLATTENED = "the features of each member in one row"


@dataclass(frozen=True, kw_only=True)
class Stackable(Trait):
    """Members can be trained side by side.

    Attributes:
        how: What the engine does for it.
    """

    how: Stacking
