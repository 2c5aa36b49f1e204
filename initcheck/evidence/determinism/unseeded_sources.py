"""Everything unseeded that ``keras.utils.set_random_seed`` is documented to decide."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.catalog.initializers import INITIALIZERS
from initcheck.digests import digest
from initcheck.evidence import unrelated_work as unrelated
from initcheck.evidence.toy_models import make_unseeded
from initcheck.evidence.trace import Array

Source = Callable[[Any], Any]
Pair = tuple[Array, Array]
_IMAGES = np.random.RandomState(3).uniform(0, 255, (24, 9, 8, 3)).astype(np.float32)
_ROWS = np.random.RandomState(4).uniform(1, 2, (24, 6)).astype(np.float32)


class MissingSourceError(Exception):
    """This version of the framework has no such source."""


@dataclass(frozen=True)
class SourceDraws:
    """What a source gave under two global seeds, two draws in a row each time.

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
        """Of the first look, by name."""
        return {"first draw": digest(self.first[:1]), "second draw": digest(self.first[1:])}


def draw(keras: Any, name: str, seed: int, other: int) -> SourceDraws:
    """Draws from that source under both global seeds in turn.

    Raises:
        MissingSourceError: This version of the framework has no such source.
    """
    if name.startswith("keras.random"):  # the global generator is in use, as it is in most programs that seed again
        unrelated.work(keras, other + 1)
    first = draw_twice(keras, name, seed)
    beside = np.array(find_source(keras, name)(keras)) if name.startswith(("mask", "image")) else None
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
    return np.array(source(keras)), np.array(source(keras))


def find_source(keras: Any, name: str) -> Source:
    """The source of that name, of ``initcheck.catalog.sources``."""
    kind, _, what = name.rpartition(" ")
    if kind == "initializer":
        return lambda keras: make_unseeded(keras, INITIALIZERS[what])((24, 6))
    if kind == "kernel":
        return lambda keras: _kernels(keras, what)
    if kind == "mask" and what in _WEIGHTED:
        return _weighted(getattr(keras.layers, what)(**_WEIGHTED[what]), what)
    if kind in ("mask", "image"):
        return _layer(keras, what, *_SETTINGS[what])
    if kind == "traced mask":
        import tensorflow as tf

        traced = tf.function(_layer(keras, what, *_SETTINGS[what]))
        return lambda keras: traced(None)
    if kind == "keras.random":
        return _keras_random(keras, what)
    if name == "tensorflow function":
        import tensorflow as tf

        function = tf.function(lambda: tf.random.uniform((9,)))
        return lambda keras: function()
    return _GENERATORS[name]


# Arguments of the layers that act at random when training.
_SETTINGS: dict[str, tuple[Any, ...]] = {
    "Dropout": (0.5,),
    "SpatialDropout1D": (0.5,),
    "SpatialDropout2D": (0.5,),
    "SpatialDropout3D": (0.5,),
    "GaussianDropout": (0.5,),
    "GaussianNoise": (1.0,),
    "AlphaDropout": (0.5,),
    "RandomFlip": (),
    "RandomRotation": (0.4,),
    "RandomZoom": (0.4,),
    "RandomContrast": (0.4,),
    "RandomBrightness": (0.4,),
    "RandomTranslation": (0.4, 0.4),
    "RandomCrop": (4, 4),
}
_AXES = {"SpatialDropout1D": (24, 4, 6), "SpatialDropout2D": (24, 2, 2, 6), "SpatialDropout3D": (24, 2, 2, 1, 6)}
# Of the layers that have weights too, which are no part of the noise.
_WEIGHTED: dict[str, dict[str, Any]] = {
    "LSTM": {
        "units": 4,
        "dropout": 0.5,
        "recurrent_dropout": 0.5,
        "kernel_initializer": "ones",
        "recurrent_initializer": "ones",
    },
    "MultiHeadAttention": {"num_heads": 2, "key_dim": 3, "dropout": 0.5, "kernel_initializer": "ones"},
}
_STEPS = np.random.RandomState(5).uniform(-1, 1, (24, 4, 6)).astype(np.float32)


def _layer(keras: Any, name: str, *arguments: Any) -> Source:
    found = getattr(keras.layers, name, None)
    if found is None:
        raise MissingSourceError(f"keras.layers has no {name}")
    layer = found(*arguments)
    if name == "RandomCrop":  # one place for all images of a batch, out of thirty: six crops tell two draws apart
        return lambda keras: np.stack([np.array(layer(_IMAGES, training=True)) for _ in range(6)])
    if name.startswith("Random"):
        return lambda keras: layer(_IMAGES, training=True)
    if name in _AXES:
        return lambda keras: layer(np.ones(_AXES[name], np.float32), training=True)
    return lambda keras: layer(_ROWS, training=True)


def _weighted(layer: Any, name: str) -> Source:
    inputs = (_STEPS, _STEPS) if name == "MultiHeadAttention" else (_STEPS,)
    return lambda keras: layer(*inputs, training=True)


_KERNELS: dict[str, Callable[[Any], tuple[Any, tuple[int, ...]]]] = {
    "Dense": lambda layers: (layers.Dense(6), (24,)),
    "Conv1D": lambda layers: (layers.Conv1D(6, 3), (5, 8)),
    "Conv2D": lambda layers: (layers.Conv2D(6, 3), (5, 5, 2)),
    "Conv3D": lambda layers: (layers.Conv3D(6, 2), (3, 3, 3, 3)),
    "Conv2DTranspose": lambda layers: (layers.Conv2DTranspose(6, 3), (5, 5, 2)),
    "DepthwiseConv2D": lambda layers: (layers.DepthwiseConv2D(3, depth_multiplier=4), (5, 5, 4)),
    "SeparableConv1D": lambda layers: (layers.SeparableConv1D(6, 3, depth_multiplier=4), (5, 8)),
    "SeparableConv2D": lambda layers: (layers.SeparableConv2D(6, 3, depth_multiplier=4), (5, 5, 4)),
    "Embedding": lambda layers: (layers.Embedding(24, 6), (5,)),
    "SimpleRNN": lambda layers: (layers.SimpleRNN(6), (5, 24)),
    "LSTM": lambda layers: (layers.LSTM(6), (5, 4)),
    "GRU": lambda layers: (layers.GRU(6), (5, 4)),
    "ConvLSTM2D": lambda layers: (layers.ConvLSTM2D(6, 2), (2, 4, 4, 3)),
    "EinsumDense": lambda layers: (layers.EinsumDense("ab,bc->ac", 6), (24,)),
    "MultiHeadAttention": lambda layers: (layers.MultiHeadAttention(2, 6), (4, 6)),
}


def _kernels(keras: Any, name: str) -> Array:
    layer, shape = _KERNELS[name](keras.layers)
    if name == "MultiHeadAttention":  # which Keras 2 builds when it is called
        layer(*[np.zeros((1, *shape), np.float32)] * 2)
    else:
        layer.build((None, *shape))
    return np.concatenate([np.ravel(np.array(value)) for value in layer.get_weights()])


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "normal": lambda random: random.normal((24, 6)),
    "uniform": lambda random: random.uniform((24, 6)),
    "truncated_normal": lambda random: random.truncated_normal((24, 6)),
    "randint": lambda random: random.randint((24, 6), 0, 1000),
    "categorical": lambda random: random.categorical(np.zeros((24, 50), np.float32), 6),
    "shuffle": lambda random: random.shuffle(np.arange(144)),
    "dropout": lambda random: random.dropout(_ROWS, 0.5),
    "gamma": lambda random: random.gamma((24, 6), 2.0),
    "beta": lambda random: random.beta((24, 6), 2.0, 2.0),
    "binomial": lambda random: random.binomial((24, 6), 40.0, 0.5),
}


def _keras_random(keras: Any, name: str) -> Source:
    if not hasattr(getattr(keras, "random", None), name):
        raise MissingSourceError(f"keras.random has no {name}")
    return lambda keras: _FUNCTIONS[name](keras.random)


def _tensorflow(draw: Callable[[Any], Any]) -> Source:
    def source(keras: Any) -> Any:
        import tensorflow as tf

        return draw(tf)

    return source


_GENERATORS: dict[str, Source] = {
    "python": lambda keras: [random.random() for _ in range(9)],
    "numpy": lambda keras: np.random.random(9),
    "tensorflow": _tensorflow(lambda tf: tf.random.normal((9,))),
    "tensorflow shuffle": _tensorflow(lambda tf: tf.random.shuffle(tf.range(99))),
}
