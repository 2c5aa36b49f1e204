"""Everything unseeded that ``keras.utils.set_random_seed`` is documented to decide."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.layers.traits.noises import Fed, NoiseSource
from initcheck.catalog.layers.traits.weights import UnseededKernel
from initcheck.catalog.sources import IMAGES, KERNELS, MASKS
from initcheck.digests import digest
from initcheck.evidence import unrelated_work as unrelated
from initcheck.evidence.made_layers import arguments_made
from initcheck.evidence.source_inputs import FED, inputs_of
from initcheck.evidence.toy_models import make_unseeded
from initcheck.evidence.trace import Array
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor, global_draws, traces, training_call
from initcheck.targets import target

Source = Callable[[Any], Any]
Pair = tuple[Array, Array]


class MissingSourceError(Exception):
    """This version of the framework has no such source."""


@dataclass(frozen=True)
class SourceDraws:
    """Draws of a source under two global seeds, two in a row each time.

    Attributes:
        first: Under seed A.
        other: Under seed B, right after it.
        again: Under seed A again, after unrelated random work.
        other_again: Under seed B again, after more draws under A.
        beside: Of a second layer of that kind, right after the first one's two draws under seed A; None where the
            source is no layer.
    """

    first: Pair
    other: Pair
    again: Pair
    other_again: Pair
    beside: Array | None

    def digests(self) -> dict[str, str]:
        """The digests of the first draws under each seed, by name."""
        return {"first draw": digest(self.first[:1]), "second draw": digest(self.first[1:])}


def draw(keras: Any, name: str, seed: int, other: int) -> SourceDraws:
    """Draws from that source under both global seeds in turn.

    Raises:
        MissingSourceError: This version of the framework has no such source.
    """
    if name.startswith("keras.random"):  # the global generator is in use, as it is in most programs that seed again
        unrelated.work(keras, other + 1)
    first = draw_twice(keras, name, seed)
    beside = as_array(find_source(keras, name)(keras)) if name.startswith(("mask", "image")) else None
    second = draw_twice(keras, name, other)
    unrelated.work(keras, seed + 1)
    third = draw_twice(keras, name, seed)
    random.random()
    np.random.random()
    keras.initializers.HeNormal()((2, 2))
    return SourceDraws(first, second, third, draw_twice(keras, name, other), beside)


def draw_twice(keras: Any, name: str, seed: int) -> Pair:
    """Two draws in a row from that source, under that global seed.

    Raises:
        MissingSourceError: This version of the framework has no such source.
    """
    keras.utils.set_random_seed(seed)
    source = find_source(keras, name)
    return _copied(source(keras)), _copied(source(keras))


def _copied(values: Any) -> Array:
    return np.array(as_array(values))


def find_source(keras: Any, name: str) -> Source:
    """The source of that name, of ``initcheck.catalog.sources``."""
    kind, _, what = name.rpartition(" ")
    if kind == "initializer":
        return lambda keras: make_unseeded(keras, INITIALIZERS[what])((24, 6))
    if kind == "kernel":
        return lambda keras: _kernels(keras, KERNELS[what])
    if kind in ("mask", "image"):
        return _noise(keras, {**MASKS, **IMAGES}[what])
    if kind == "traced mask":
        if not traces():
            raise MissingSourceError(f"Keras compiles nothing on {target()}")
        return _noise(keras, MASKS[what], training_call)
    if kind == "keras.random":
        return _keras_random(keras, what)
    return _generator(name)


def _generator(name: str) -> Source:
    if name == "python":
        return lambda keras: [random.random() for _ in range(9)]
    if name == "numpy":
        return lambda keras: np.random.random(9)
    draw = global_draws().get(name)
    if draw is None:
        raise MissingSourceError(f"{target()} as installed has no generator {name}")
    return lambda keras: draw()


def _noise(keras: Any, source: NoiseSource, training: Callable[[Any], Any] | None = None) -> Source:
    layer_class = getattr(keras.layers, source.layer, None)
    if layer_class is None:
        raise MissingSourceError(f"keras.layers has no {source.layer}")
    layer = layer_class(**arguments_made(keras, source.arguments))
    inputs = inputs_of(source)
    call = training(layer) if training else functools.partial(layer, training=True)
    if source.calls == 1:
        return lambda keras: call(*inputs)
    return lambda keras: np.stack([_copied(call(*inputs)) for _ in range(source.calls)])


def _kernels(keras: Any, kernel: UnseededKernel) -> Array:
    layer = getattr(keras.layers, kernel.layer)(**kernel.arguments)
    if len(kernel.inputs) == 1:
        layer.build((None, *kernel.inputs[0][1:]))
    else:  # which Keras 2 builds when it is called
        layer(*(np.zeros(shape, np.float32) for shape in kernel.inputs))
    return np.concatenate([np.ravel(np.array(value)) for value in layer.get_weights()])


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "normal": lambda random: random.normal((24, 6)),
    "uniform": lambda random: random.uniform((24, 6)),
    "truncated_normal": lambda random: random.truncated_normal((24, 6)),
    "randint": lambda random: random.randint((24, 6), 0, 1000),
    "categorical": lambda random: random.categorical(np.zeros((24, 50), np.float32), 6),
    "shuffle": lambda random: random.shuffle(np.arange(144)),
    "dropout": lambda random: random.dropout(as_tensor(FED[Fed.ROWS]), 0.5),
    "gamma": lambda random: random.gamma((24, 6), 2.0),
    "beta": lambda random: random.beta((24, 6), 2.0, 2.0),
    "binomial": lambda random: random.binomial((24, 6), 40.0, 0.5),
}


def _keras_random(keras: Any, name: str) -> Source:
    if not hasattr(getattr(keras, "random", None), name):
        raise MissingSourceError(f"keras.random has no {name}")
    return lambda keras: _FUNCTIONS[name](keras.random)
