"""One root seed's streams, and a cache that makes no evidence twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from initcheck.frameworks.keras import load_keras
from initcheck.seeding import derive_seed
from initcheck.statistics.budget import EFFORTS


@dataclass(frozen=True)
class Session:
    """What all evidence under one root seed shares, for the life of the process.

    Attributes:
        seed: The root seed; every stream of the suite is derived from it by name.
        factor: How many samples to take, as a multiple of what the stated power needs; at least 1.
        salt: 0 for the first look, 1 for the confirmation on fresh streams.
    """

    seed: int
    factor: float = EFFORTS["normal"]
    salt: int = 0
    _cache: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def keras(self) -> Any:
        """Keras as installed."""
        return load_keras()

    def stream(self, *names: str | int) -> int:
        """The seed of the stream of those names."""
        return derive_seed(self.seed, "suite", self.salt, *names)

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What ``make`` returned when that key was first asked for; never to be changed by the caller."""
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]
