"""One draw of an int-seeded initializer, repeated in every way that must not change it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from initcheck.catalog.initializers import Initializer
from initcheck.digests import digest
from initcheck.evidence import unrelated_work as unrelated
from initcheck.evidence.trace import Array
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import compiled, traces
from initcheck.frameworks.backends import load_target_keras
from initcheck.frameworks.instances import drawer, make_initializer, rebuilt
from initcheck.targets import backend_of, target

Requests = Sequence[tuple[str, tuple[int, ...]]]  # dtypes and shapes


@dataclass(frozen=True)
class RepeatedDraws:
    """One draw, in several ways.

    Attributes:
        dtype: Asked for.
        shape: Asked for.
        first: The first draw.
        again: From the same instance, after draws of all other shapes and dtypes.
        another: From a second instance of the same seed.
        in_thread: From a new instance, in a thread other than the main one.
        after_work: From a new instance, after unrelated random work under another global seed.
        from_config: From an instance made of the first one's configuration after it had drawn; None of a library.
        traced: From an instance of its own within a compiled function; None where Keras's backend compiles nothing.
        traced_again: From the same function, called for the second time.
    """

    dtype: str
    shape: tuple[int, ...]
    first: Array
    again: Array
    another: Array
    in_thread: Array
    after_work: Array
    from_config: Array | None
    traced: Array | None
    traced_again: Array | None

    @property
    def name(self) -> str:
        """The dtype and shape, in words."""
        return f"{self.dtype} {self.shape}"

    def digest(self) -> str:
        """Of the first draw."""
        return digest([self.first])


def repeat_draws(row: Initializer, seed: int, requests: Requests) -> list[RepeatedDraws]:
    """The draws of that row for every dtype and shape asked for."""
    keras = load_target_keras() if backend_of(target()) else None

    def draw(one: Callable[..., Array]) -> list[Array]:
        return [one(shape, dtype) for dtype, shape in requests]

    if keras is not None:
        keras.utils.set_random_seed(seed)
    instance = drawer(row, seed)
    first, again = draw(instance), draw(instance)
    another = draw(drawer(row, seed))
    nothing: list[Array | None] = [None] * len(requests)
    of_keras = [nothing] * 3 if keras is None else _of_keras(row, seed, requests)
    with ThreadPoolExecutor(1) as pool:
        in_thread = pool.submit(lambda: draw(drawer(row, seed))).result()
    unrelated.draw(seed + 1)
    after_work = draw(drawer(row, seed))
    ways = zip(first, again, another, in_thread, after_work, *of_keras, strict=True)
    return [RepeatedDraws(*one, *values) for one, values in zip(requests, ways, strict=True)]


def _of_keras(row: Initializer, seed: int, requests: Requests) -> list[list[Array | None]]:
    """Draws from a configuration, from a compiled function, and from that again."""
    instance, to_trace = make_initializer(row, seed), make_initializer(row, seed)

    def draw(initializer: Any) -> list[Any]:
        return [initializer(shape, dtype=dtype) for dtype, shape in requests]

    draw(instance)
    from_config: list[Array | None] = [as_array(one) for one in draw(rebuilt(instance))]
    if not traces():
        return [from_config, [None] * len(requests), [None] * len(requests)]
    function = compiled(lambda: draw(to_trace))
    traced, traced_again = ([*map(as_array, function())] for _ in range(2))
    return [from_config, [*traced], [*traced_again]]


def draw_in_a_row(row: Initializer, seed: int, shape: tuple[int, ...], calls: int) -> list[Array]:
    """Returns the draw of one instance at each of several calls."""
    instance = drawer(row, seed)
    return [instance(shape, None) for _ in range(calls)]
