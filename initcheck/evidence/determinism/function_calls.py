"""The functions of ``keras.random``, called with an integer or a ``SeedGenerator`` for their seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.evidence import unrelated_work as unrelated
from initcheck.evidence.trace import Array
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor, compiled, traces
from initcheck.targets import TENSORFLOW, target

COUNT = 4000


@dataclass(frozen=True)
class SeededCalls:
    """Values that a function of ``keras.random`` returned.

    Attributes:
        first: Under an int seed.
        again: Under the same one, right after it.
        after_work: Under the same one, after unrelated random work under another global seed.
        other: Under another int seed.
        traced: Under the first one, within a compiled function; None where the backend compiles nothing.
        piped: Under the first one, within a pipeline of ``tf.data``; None on other backends than TensorFlow.
        advancing: With a ``SeedGenerator`` of that seed, again with it, and with another one; if Keras has any.
    """

    first: Array
    again: Array
    after_work: Array
    other: Array
    traced: Array | None
    piped: Array | None
    advancing: tuple[Array, ...] = ()


def call_seeded(keras: Any, name: str, seed: int) -> SeededCalls | None:
    """Calls that function; None where this version of Keras has none of that name."""
    home: Any = getattr(keras, "random", None)
    if not hasattr(home, name):
        return None
    call = _CALLS[name]
    first, again = (as_array(call(home, seed)) for _ in range(2))
    unrelated.work(keras, seed + 1)
    later = as_array(call(home, seed)), as_array(call(home, seed + 1))
    in_graph = as_array(compiled(lambda: call(home, seed))()) if traces() else None
    graphs = in_graph, _piped(lambda: call(home, seed)) if target() == TENSORFLOW else None
    generators = [home.SeedGenerator(seed) for _ in range(2)] if hasattr(home, "SeedGenerator") else []
    advancing = tuple(as_array(call(home, generators[number])) for number in (0, 0, 1)) if generators else ()
    return SeededCalls(first, again, *later, *graphs, advancing)


def _piped(draw: Callable[[], Any]) -> Array:
    import tensorflow as tf

    return as_array(next(iter(tf.data.Dataset.range(1).map(lambda _: draw()))))


_CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "normal": lambda random, seed: random.normal((COUNT,), mean=3.0, stddev=2.0, seed=seed),
    "uniform": lambda random, seed: random.uniform((COUNT,), minval=2.0, maxval=5.0, seed=seed),
    "truncated_normal": lambda random, seed: random.truncated_normal((COUNT,), mean=1.0, stddev=0.5, seed=seed),
    "randint": lambda random, seed: random.randint((COUNT,), minval=3, maxval=8, seed=seed),
    "categorical": lambda random, seed: random.categorical(np.zeros((1, 5), np.float32), COUNT, seed=seed),
    "shuffle": lambda random, seed: random.shuffle(np.arange(COUNT), seed=seed),
    "dropout": lambda random, seed: random.dropout(as_tensor(np.ones(COUNT, np.float32)), 0.75, seed=seed),
    "gamma": lambda random, seed: random.gamma((COUNT,), 2.0, seed=seed),
    "beta": lambda random, seed: random.beta((COUNT,), 2.0, 2.0, seed=seed),
    "binomial": lambda random, seed: random.binomial((COUNT,), 3.0, 0.5, seed=seed),
}
