"""The session's laboratory: gives checks their evidence, and makes no evidence twice."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from initcheck.frameworks.keras import load_keras
from initcheck.seeding import derive_seed
from initcheck.training.efforts import EFFORTS

if TYPE_CHECKING:
    from initcheck.frameworks.initializers import Draws
    from initcheck.training.models import Models
    from initcheck.training.orders import Orders
    from initcheck.training.processes import Processes
    from initcheck.training.saving import Saving
    from initcheck.training.spread import Spread
    from initcheck.training.steps import Steps


@dataclass(frozen=True)
class Lab:
    """Evidence under one root seed, cached for the life of the process.

    Attributes:
        seed: The root seed; every stream of the suite is derived from it by name.
        factor: How many samples to take, as a multiple of what the stated power needs; at least 1.
        salt: 0 for the first look, 1 for the confirmation on fresh streams.
    """

    seed: int
    factor: float = EFFORTS["normal"]
    salt: int = 0
    _cache: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def keras(self) -> Any:
        """Keras as installed."""
        return load_keras()

    def stream(self, *names: str | int) -> int:
        """The seed of the stream that bears those names."""
        return derive_seed(self.seed, "suite", self.salt, *names)

    @functools.cached_property
    def draws(self) -> Draws:
        """Draws of initializers, and kernels as layers create them."""
        from initcheck.frameworks.initializers import Draws

        return Draws(self)

    @functools.cached_property
    def models(self) -> Models:
        """Small models of drawn architectures: built, compiled, trained, with their traces."""
        from initcheck.training.models import Models

        return Models(self)

    @functools.cached_property
    def processes(self) -> Processes:
        """The same evidence from fresh processes."""
        from initcheck.training.processes import Processes

        return Processes(self)

    @functools.cached_property
    def orders(self) -> Orders:
        """The orders in which ``fit`` took the rows."""
        from initcheck.training.orders import Orders

        return Orders(self)

    @functools.cached_property
    def saving(self) -> Saving:
        """Configurations, weights and models after a round trip."""
        from initcheck.training.saving import Saving

        return Saving(self)

    @functools.cached_property
    def steps(self) -> Steps:
        """First optimizer steps of tiny models, to hold against arithmetic."""
        from initcheck.training.steps import Steps

        return Steps(self)

    @functools.cached_property
    def spread(self) -> Spread:
        """Runs over thousands of reseeds."""
        from initcheck.training.spread import Spread

        return Spread(self)

    def salted(self) -> Lab:
        """The same laboratory with fresh streams."""
        return Lab(self.seed, self.factor, self.salt + 1)

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What ``make`` returned when that key was first asked for; never to be changed by the caller."""
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]


@functools.cache
def get_lab(seed: int, factor: float = EFFORTS["normal"]) -> Lab:
    """The process's laboratory for that root seed and effort."""
    return Lab(seed, factor)
