"""Initial weights of many runs at once, by the framework's own initializers, bit for bit as each run alone has them."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.catalog.initializers import Initializer
from initcheck.engines import stateless_noise
from initcheck.engines.replacing import replaced
from initcheck.engines.reuse import named
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.instances import LayerInitializers, attempt_draw, make_initializer
from initcheck.frameworks.keras import load_keras
from initcheck.seeding import layer_seed, layer_seeds
from initcheck.targets import TENSORFLOW, target
from initcheck.texts import reason_of

Array = npt.NDArray[Any]

_WORTH_TRACING = 100  # draws below which calling the initializer is faster than tracing it
_WORTH_UNROLLING = 4096
_MOST_TOGETHER = 256  # numbers of a draw beyond which drawing many together is slower than TensorFlow's kernel in turn
_UNROLLED = 8  # draws in one turn of the traced loop: a turn costs as much as a draw, a longer trace a second
_MOST_BUILDS = 40
_PROBES = 4  # draws of each call that are made eagerly as well and must agree


class UnsuitableError(Exception):
    """The ensemble engine cannot match the reference engine; the text says why, as a clause."""


class InitialWeights:
    """The initial weights of one model under one initializer, for any run's seed.

    Building the model under several seeds and comparing bits shows which layer's initializer draws each weight, without
    reading the model: so this works for any model, or ``UnsuitableError`` says that it does not.

    Args:
        row: The initializer under test.
        build: ``build(initializers, global_seed)`` returns the uncompiled model.

    Attributes:
        untraced: Why draws of many runs were made one by one, as a clause; empty where they were traced, or few.

    Raises:
        UnsuitableError: A weight is not drawn by the initializer under test alone.
    """

    def __init__(self, row: Initializer, build: Callable[[LayerInitializers, int], Any]) -> None:
        self.untraced = ""
        self._row = row
        self._traces: dict[tuple[tuple[int, ...], int], Any] = {}
        self._together: dict[tuple[int, ...], Any] = {}  # None where that cannot be
        self._constants, layers = _build(row, build, 1)
        self.shapes = [weight.shape for weight in self._constants]
        origins: list[set[str | None]] = [{None, *layers} for _ in self.shapes]
        attempt = functools.cache(functools.partial(_attempt, row))  # many weights of a net have one shape
        for seed in range(1, _MOST_BUILDS + 1):
            weights = self._constants if seed == 1 else _build(row, build, seed)[0]
            for weight, first, possible in zip(weights, self._constants, origins, strict=True):
                possible -= {
                    layer
                    for layer in possible
                    if not np.array_equal(
                        weight, first if layer is None else attempt(seed, layer, weight.shape, weight.dtype.name)
                    )
                }
            if seed > 1 and all(len(possible) <= 1 or not row.law.random for possible in origins):
                break  # small weights of few values, such as an orthogonal 1 × 1, may agree by chance
        for place, possible in enumerate(origins):
            if not possible:
                model = build(LayerInitializers(row, 1), 1)
                raise UnsuitableError(
                    f"{_owner(model, place)} has a weight that the initializer under test does not decide alone"
                )
        self._layers = [None if None in possible else next(iter(possible)) for possible in origins]

    def draw(self, seeds: Sequence[int]) -> list[Array]:
        """The initial weights of the runs of those seeds, each of shape ``(*shape, runs)``."""
        return [
            np.repeat(weight[..., None], len(seeds), axis=-1)
            if layer is None
            else np.moveaxis(self._draw_many(layer_seeds(seeds, layer), weight), 0, -1)
            for weight, layer in zip(self._constants, self._layers, strict=True)
        ]

    def _draw_many(self, seeds: Sequence[int], weight: Array) -> Array:
        """Draws of a weight's shape and dtype under many int seeds, as so many fresh instances of the initializer give.

        Their shape is ``(seeds, *shape)``.

        The initializer is traced once, with its seed as an input, which costs microseconds a draw instead of
        milliseconds. Some draws of every call are made eagerly as well; if one differs by a bit, all are.
        """
        shape, dtype = weight.shape, weight.dtype.name
        if target() == "keras:torch":
            return np.stack([_draw(self._row, seed, shape, dtype) for seed in seeds])
        if len(seeds) < _WORTH_TRACING and not any(traced == shape for traced, _ in self._traces):
            return np.stack([_draw(self._row, seed, shape, dtype) for seed in seeds])
        places = {round(place) for place in np.linspace(0, len(seeds) - 1, _PROBES)}
        probes = {place: _draw(self._row, seeds[place], shape, dtype) for place in places}
        if target() == TENSORFLOW and len(seeds) >= _WORTH_UNROLLING and weight.size <= _MOST_TOGETHER:
            together = self._draw_together(seeds, shape, dtype)
            if together is not None and _agree(together, probes):
                return together
            self._together[shape] = None
        try:
            drawn = self._draw_traced(seeds, shape, dtype)
        except Exception as error:  # noqa: BLE001 - an initializer that cannot be traced is called as it can be
            self._untraceable(f"tracing it raises {reason_of(error)}")
        else:
            if _agree(drawn, probes):
                return drawn
            self._untraceable("traced, it draws other bits")
        return np.stack([_draw(self._row, seed, shape, dtype) for seed in seeds])

    def _untraceable(self, reason: str) -> None:
        """Keeps the first reason for drawing one by one, and says it: results are the same, but slower."""
        if not self.untraced:
            self.untraced = reason
            warnings.warn(f"{self._row.name} is drawn one by one, which is slower: {reason}", stacklevel=2)

    def _draw_together(self, seeds: Sequence[int], shape: tuple[int, ...], dtype: str) -> Array | None:
        """All draws in one computation; None where the initializer draws what only TensorFlow's kernel can."""
        import tensorflow as tf

        try:
            if shape not in self._together:
                self._together[shape] = trace_joint_draws(make_initializer(self._row, 1), shape, dtype)
            trace = self._together[shape]
            return None if trace is None else np.asarray(trace(tf.constant(seeds, tf.int32)))
        except Exception:  # noqa: BLE001 - most initializers cannot be drawn so
            return None

    def _draw_traced(self, seeds: Sequence[int], shape: tuple[int, ...], dtype: str) -> Array:
        if target() != TENSORFLOW:
            if (shape, 1) not in self._traces:
                self._traces[shape, 1] = map_draws(make_initializer(self._row, 1), shape, dtype)
            return np.asarray(self._traces[shape, 1](np.array(seeds, np.uint32)))
        import tensorflow as tf

        many = len(seeds) >= _WORTH_UNROLLING or (shape, _UNROLLED) in self._traces
        unrolled = _UNROLLED if many else 1
        turns = np.resize(np.array(seeds, dtype=np.int32), (-(-len(seeds) // unrolled), unrolled))
        if (shape, unrolled) not in self._traces:
            self._traces[shape, unrolled] = trace_draws(make_initializer(self._row, 1), shape, dtype, unrolled)
        return np.asarray(self._traces[shape, unrolled](tf.constant(turns))).reshape(-1, *shape)[: len(seeds)]


def trace_draws(instance: Any, shape: tuple[int, ...], dtype: str, unrolled: int = 1) -> Any:
    """A function from int seeds to draws of an initializer, which loses its own seed; one draw after another.

    Args:
        instance: The initializer.
        shape: Of a draw.
        dtype: Of a draw.
        unrolled: Draws in one turn of its loop.

    Returns:
        A function from seeds, shape ``(turns, unrolled)``, to draws, shape ``(turns, unrolled, *shape)``.
    """
    import tensorflow as tf

    draw = _seedless(instance, shape, dtype)

    def draws(seeds: Any) -> Any:
        return tf.map_fn(
            lambda turn: tf.stack([draw(seed) for seed in tf.unstack(turn, num=unrolled)]),
            seeds,
            fn_output_signature=tf.as_dtype(dtype),
            parallel_iterations=1,
        )

    # AutoGraph takes longer than the trace; an initializer that branches on tensors is drawn without one.
    return tf.function(draws, autograph=False).get_concrete_function(tf.TensorSpec((None, unrolled), tf.int32))


def trace_joint_draws(instance: Any, shape: tuple[int, ...], dtype: str) -> Any:
    """A function from int seeds, shape ``(draws,)``, to draws of an initializer, all in one computation.

    Raises:
        ValueError: The initializer draws otherwise than uniformly, which TensorFlow computes one draw at a time.
    """
    import tensorflow as tf

    draw = _seedless(instance, shape, dtype)

    def draws(seeds: Any) -> Any:
        return tf.vectorized_map(draw, seeds, fallback_to_while_loop=False, warn=False)

    stateless_noise.register()
    with stateless_noise.uncompiled(), replaced(tf.get_logger(), disabled=True):  # which prints what cannot be
        return tf.function(draws, autograph=False).get_concrete_function(tf.TensorSpec((None,), tf.int32))


def _seedless(instance: Any, shape: tuple[int, ...], dtype: str) -> Callable[[Any], Any]:
    """The initializer as a function of its seed, a tensor; it loses its own."""
    import tensorflow as tf

    class TracedSeed(load_keras().random.SeedGenerator):  # type: ignore[misc] # Keras is loaded at run time
        """An int seed that is known only when the traced function runs."""

        def __init__(self, seed: Any) -> None:
            self.value = tf.stack([tf.cast(seed, "uint32"), tf.constant(0, "uint32")])  # as Keras makes it of an int

        def next(self, ordered: bool = True) -> Any:  # noqa: ARG002 - Keras's signature
            return self.value

    def draw(seed: Any) -> Any:
        instance.seed = TracedSeed(seed)
        return tf.cast(instance(shape, dtype=dtype), dtype)

    return draw


def map_draws(instance: Any, shape: tuple[int, ...], dtype: str) -> Any:
    """A function of JAX from int seeds to draws of an initializer, which loses its own seed: all in one computation.

    Keras on JAX makes of an int seed a key of two words, the seed and zero.
    """
    import jax

    def draw(seed: Any) -> Any:
        instance.seed = jax.numpy.stack([seed, jax.numpy.zeros_like(seed)])
        return instance(shape, dtype=dtype)

    return jax.jit(jax.vmap(draw))


def _agree(drawn: Array, probes: Mapping[int, Array]) -> bool:
    """Whether the draws in those places are the probes bit for bit."""
    return all(np.array_equal(drawn[place], probe) for place, probe in probes.items())


def _draw(row: Initializer, seed: int, shape: tuple[int, ...], dtype: str) -> Array:
    """The weight of a layer that asks for that dtype: Keras casts the initializer's draw to it."""
    drawn: Array = as_array(make_initializer(row, seed)(shape, dtype=dtype)).astype(dtype)
    return drawn


def _build(
    row: Initializer, build: Callable[[LayerInitializers, int], Any], seed: int
) -> tuple[list[Array], tuple[str, ...]]:
    """The weights of the model of that run's seed, and the layers that asked for an initializer."""
    initializers = LayerInitializers(row, seed)
    model = build(initializers, seed)
    return [np.asarray(weight) for weight in model.get_weights()], tuple(initializers.asked)


def _owner(model: Any, place: int) -> str:
    """The layer that the weight in that place of ``get_weights`` belongs to, in words."""
    weight = model.weights[place]
    return next((named(model, layer) for layer in model.layers if any(weight is own for own in layer.weights)), "it")


def _attempt(row: Initializer, seed: int, layer: str, shape: tuple[int, ...], dtype: str) -> Array:
    """The draw of that layer's initializer in the run of that seed; empty where it refuses the shape."""
    drawn = attempt_draw(row, shape, layer_seed(seed, layer), dtype=dtype)
    return np.empty(0) if isinstance(drawn, str) else drawn.astype(dtype)
