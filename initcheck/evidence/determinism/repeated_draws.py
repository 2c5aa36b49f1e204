"""One draw of an int-seeded initializer, repeated in every way that must not change it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.digests import digest
from initcheck.evidence import unrelated_work as unrelated
from initcheck.evidence.trace import Array
from initcheck.frameworks.instances import make_initializer, rebuilt


@dataclass(frozen=True)
class RepeatedDraws:
    """One draw, in several ways.

    Attributes:
        dtype: Asked for.
        shape: Asked for.
        first: The first draw.
        again: From the same instance, after draws of all other shapes and dtypes.
        another: From a second instance of the same seed.
        from_config: From an instance made of the first one's configuration after it had drawn.
        traced: From an instance of its own within a ``tf.function``.
        traced_again: From the same function, called for the second time.
        in_thread: From a new instance, in a thread other than the main one.
        after_work: From a new instance, after unrelated random work under another global seed.
    """

    dtype: str
    shape: tuple[int, ...]
    first: Array
    again: Array
    another: Array
    from_config: Array
    traced: Array
    traced_again: Array
    in_thread: Array
    after_work: Array

    @property
    def name(self) -> str:
        """The dtype and shape, in words."""
        return f"{self.dtype} {self.shape}"

    def digest(self) -> str:
        """Of the first draw."""
        return digest([self.first])


def repeat_draws(
    keras: Any, row: Initializer, seed: int, requests: Sequence[tuple[str, tuple[int, ...]]]
) -> list[RepeatedDraws]:
    """The draws of that row for every dtype and shape asked for."""
    import tensorflow as tf

    def draw(initializer: Any) -> list[Array]:
        return [np.array(initializer(shape, dtype=dtype)) for dtype, shape in requests]

    keras.utils.set_random_seed(seed)
    instance = make_initializer(row, seed)
    first, again = draw(instance), draw(instance)
    another = draw(make_initializer(row, seed))
    from_config = draw(rebuilt(instance))
    to_trace = make_initializer(row, seed)
    function = tf.function(lambda: [to_trace(shape, dtype=dtype) for dtype, shape in requests])
    traced, traced_again = ([np.array(value) for value in function()] for _ in range(2))
    with ThreadPoolExecutor(1) as pool:
        in_thread = pool.submit(lambda: draw(make_initializer(row, seed))).result()
    unrelated.work(keras, seed + 1)
    after_work = draw(make_initializer(row, seed))
    ways = zip(first, again, another, from_config, traced, traced_again, in_thread, after_work, strict=True)
    return [RepeatedDraws(*one, *values) for one, values in zip(requests, ways, strict=True)]


def draw_in_a_row(row: Initializer, seed: int, shape: tuple[int, ...], calls: int) -> list[Array]:
    """Returns the draw of one instance at each of several calls."""
    instance = make_initializer(row, seed)
    return [np.array(instance(shape)) for _ in range(calls)]
