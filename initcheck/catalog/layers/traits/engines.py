"""The traits that engines need: a layer's state after a training, and whether members can be stacked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from initcheck.catalog.layers.kind import Trait


class Holds(Enum):
    """The state that a training leaves in a layer."""

    WEIGHTS = "only weights"
    MORE = "state beside weights, or not examined"
    OTHERS_CODE = "whatever the wrapped code keeps"


@dataclass(frozen=True, kw_only=True)
class State(Trait):
    """The state that a training leaves in a layer, which decides whether engines may reuse a compiled model.

    Attributes:
        holds: The kind of state.
        draws: Whether it draws at every step of training, whatever its options.
        drawing_options: The options that make it draw where they are not 0.
    """

    holds: Holds = Holds.WEIGHTS
    draws: bool = False
    drawing_options: tuple[str, ...] = ()


class Stacking(Enum):
    """The way in which a layer computes members side by side on the last axis."""

    WITH_ACTIVATION = "a product if it has weights, then its activation"
    ELEMENTWISE = "element by element"
    FLATTENED = "the features of each member in one row"


@dataclass(frozen=True, kw_only=True)
class Stackable(Trait):
    """Members can be trained side by side.

    Attributes:
        how: The engine's method.
    """

    how: Stacking
