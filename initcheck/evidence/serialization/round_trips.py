"""Records of objects before and after a round trip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Config = Mapping[str, Any]
Arrays = list[np.ndarray]


@dataclass(frozen=True, eq=False)
class RoundTrip:
    """An object before and after it was written and read.

    Attributes:
        route: By which functions.
        config: The configuration written, as JSON gives it back.
        config_again: The configuration of what was read.
        arrays: Draws, weights or outputs of the original.
        arrays_again: Those of the one that was read.
        kinds: The classes of both.
    """

    route: str
    config: Config
    config_again: Config
    arrays: Arrays
    arrays_again: Arrays
    kinds: tuple[str, str] = ("", "")


@dataclass(frozen=True, eq=False)
class Continued:
    """A training that went on, and the same one saved, read and continued.

    Attributes:
        initial: The weights before training.
        saved: The weights at the moment of saving.
        weights: The weights at the end of the uninterrupted training.
        weights_again: Those of the one that was read.
        state: The optimizer's variables at the end, in order.
        state_again: Those of the one that was read.
        config: The optimizer's configuration when saved.
        config_again: That of the one that was read.
        assigned: The learning rate that was assigned before saving; None where a schedule decides it.
    """

    initial: Arrays
    saved: Arrays
    weights: Arrays
    weights_again: Arrays
    state: Arrays
    state_again: Arrays
    config: Config
    config_again: Config
    assigned: float | None = None


@dataclass(frozen=True, eq=False)
class Clone:
    """A model and its clone.

    Attributes:
        initial: The model's initial weights.
        trained: Its weights when it was cloned.
        cloned: The clone's weights.
        kept: The model's weights after the clone's were overwritten.
        config: The model's configuration.
        config_again: The clone's.
    """

    initial: Arrays
    trained: Arrays
    cloned: Arrays
    kept: Arrays
    config: Config
    config_again: Config


@dataclass(frozen=True, eq=False)
class Got:
    """The results of two calls of ``initializers.get``.

    Attributes:
        kind: The class of what was given.
        fresh: Whether the two results are two instances.
        same: Whether the first result is the argument itself.
        draws: A draw of each; empty where nothing can be drawn.
        config: The configuration of the first.
    """

    kind: str
    fresh: bool
    same: bool
    draws: Arrays
    config: Config
