"""The streams of one root seed, and a cache so that no evidence is computed twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from initcheck.frameworks.backends import computes_in_doubles, has_doubles, load_target_keras
from initcheck.seeding import derive_seed
from initcheck.statistics.budget import EFFORTS
from initcheck.targets import target


@dataclass(frozen=True)
class Session:
    """The streams and the cache that all evidence under one root seed shares, for the life of the process.

    Attributes:
        seed: The root seed; every stream of the suite is derived from it by name.
        factor: How many samples to take, as a multiple of what the stated power needs; at least 1.
        salt: 0 for the first verdict, 1 for its confirmation on fresh streams.
    """

    seed: int
    factor: float = EFFORTS["normal"]
    salt: int = 0
    _cache: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def keras(self) -> Any:
        """Keras as installed, on the backend that is the target."""
        return load_target_keras()

    @property
    def doubles(self) -> bool:
        """Whether Keras computes in double precision where it is asked to."""
        return computes_in_doubles(self.keras)

    def computed(self, dtypes: Sequence[str]) -> list[str]:
        """Those types in which Keras computes where it is asked to."""
        whole = has_doubles(target())  # JAX makes 32 of all 64 bits
        return [one for one in dtypes if (self.doubles if one == "float64" else whole or one != "int64")]

    def stream(self, *names: str | int) -> int:
        """The seed of the stream of those names."""
        return derive_seed(self.seed, "suite", self.salt, *names)

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Returns the cached result of ``make`` for that key; the caller must not change it."""
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]
