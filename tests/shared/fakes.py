"""Laboratories whose evidence is made by NumPy: no framework is loaded."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Orthogonal
from initcheck.seeding import derive_seed

Generator = Callable[[Initializer, tuple[int, ...], int | None, str], np.ndarray]


def healthy_draw(row: Initializer, shape: tuple[int, ...], seed: int | None, dtype: str = "float32") -> np.ndarray:
    """A draw of that row's law."""
    import ml_dtypes

    kind = np.dtype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    if not row.law.random:
        return row.law.expected(shape).astype(kind)
    stream = np.random.RandomState(int(seed) % 2**32 if seed is not None else None)
    if isinstance(row.law, Orthogonal):
        rows, columns = int(np.prod(shape[:-1])), shape[-1]
        q, r = np.linalg.qr(stream.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))
        return (row.law.gain * (q if rows >= columns else q.T)).reshape(shape).astype(kind)
    law = row.law.at(shape)
    if law.family == "uniform":
        drawn = stream.uniform(-1, 1, shape)
    elif law.family == "normal":
        drawn = stream.standard_normal(shape)
    else:
        drawn = np.resize(_truncated(stream, int(np.prod(shape))), shape)
    return np.asarray(law.mean + law.spread * drawn).astype(kind)


def _truncated(stream: np.random.RandomState, count: int) -> np.ndarray:
    draws = stream.standard_normal(count * 2 + 50)
    return draws[np.abs(draws) < 2][:count]


@dataclass(frozen=True)
class FakeDraws:
    """Evidence from a generator."""

    generate: Generator

    def draw(self, row: Initializer, shape: Any, *, seed: Any, dtype: str | None = None) -> np.ndarray:
        """A draw."""
        return self.generate(row, tuple(shape), seed, dtype or "float32")

    def repeated(self, row: Initializer, shape: Any, *, seed: int | None, calls: int) -> list[np.ndarray]:
        """Returns one instance's draw at each call."""
        return [self.draw(row, shape, seed=seed) for _ in range(calls)]

    def advancing(self, row: Initializer, shape: Any, *, seed: int, calls: int) -> list[np.ndarray]:
        """Returns the draws of an instance seeded by a generator."""
        return [self.draw(row, shape, seed=derive_seed(seed, call)) for call in range(calls)]

    def states(self, *, seed: int | None = None, calls: int = 1) -> list[np.ndarray]:
        """Returns a generator's state at each call."""
        start = random.randrange(10**9) if seed is None else seed
        return [np.array([start, call]) for call in range(calls)]

    def attempt(self, row: Initializer, shape: Any, *, seed: Any, dtype: str | None = None) -> np.ndarray | str:
        """A draw, or the name of the exception that refuses the seed."""
        return self.draw(row, shape, seed=seed, dtype=dtype) if isinstance(seed, int | np.integer) else "TypeError"

    def dtypes(self, row: Initializer) -> tuple[str, ...]:
        """The float types of draws."""
        return ("float32", "float64", "float16", *(() if isinstance(row.law, Orthogonal) else ("bfloat16",)))

    def refusal(self, row: Initializer, shape: Any) -> str:
        """The name of the exception that refuses the shape."""
        return "" if row.law.allows(tuple(shape)) else "ValueError"


@dataclass(frozen=True)
class FakeLab:
    """The parts of a laboratory that checks use."""

    generate: Generator = healthy_draw
    layers: Any = None
    seed: int = 7
    factor: float = 1.0
    salt: int = 0
    cache: dict[Any, Any] = field(default_factory=dict)

    @property
    def draws(self) -> Any:
        """The evidence class."""
        evidence = FakeDraws(self.generate)
        names = ("draw", "repeated", "advancing", "states", "attempt", "refusal", "dtypes")
        methods = {name: getattr(evidence, name) for name in names}
        return SimpleNamespace(layers=self.layers, **methods)

    def stream(self, *names: str | int) -> int:
        """The seed of a stream."""
        return derive_seed(self.seed, *names)

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """The cache."""
        if key not in self.cache:
            self.cache[key] = make()
        return self.cache[key]
