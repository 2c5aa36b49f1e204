"""Faults in the use of seeds, each only just wrong."""

from __future__ import annotations

import functools
from typing import Any

from initcheck.training.mutants.registry import mutant

_RANDOM = [
    "RandomUniform",
    "RandomNormal",
    "TruncatedNormal",
    "VarianceScaling",
    "GlorotUniform",
    "GlorotNormal",
    "HeUniform",
    "HeNormal",
    "LecunUniform",
    "LecunNormal",
    "Orthogonal",
]


def _change_seeds(keras: Any, names: list[str] | tuple[str, ...], change: Any) -> None:
    """Lets those initializers take ``change(seed)`` in place of the seed that they are given by keyword."""
    for name in names:
        keras_class = getattr(keras.initializers, name)
        keras_class.__init__ = _seeded_with(keras_class.__init__, change)


def _seeded_with(original: Any, change: Any) -> Any:
    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        # Through a subclass's call only: its base class is handed the seed already changed.
        if "seed" in kwargs and not getattr(self, "_initcheck_changed", False):
            self._initcheck_changed = True
            kwargs["seed"] = change(kwargs["seed"])
        original(self, *args, **kwargs)

    return init


def _of_integers(change: Any) -> Any:
    return lambda seed: change(seed) if isinstance(seed, int) else seed


@mutant("seed-16-bits", "he_normal uses the lower 16 bits of its seed", family="seeds")
def _cut(keras: Any) -> None:
    _change_seeds(keras, ("HeNormal",), _of_integers(lambda seed: seed & 0xFFFF))


@mutant("seed-as-float32", "seeds pass through single precision", family="seeds")
def _rounded(keras: Any) -> None:
    import numpy as np

    _change_seeds(keras, _RANDOM, _of_integers(lambda seed: int(np.float32(seed)) if 0 <= seed < 2**31 - 64 else seed))


@mutant("seed-modulo-million", "glorot_uniform takes its seed modulo a million", family="seeds")
def _modulo(keras: Any) -> None:
    _change_seeds(keras, ("GlorotUniform",), _of_integers(lambda seed: seed % 10**6))


@mutant("seed-zero-unseeded", "orthogonal takes seed 0 for no seed", family="seeds")
def _zero(keras: Any) -> None:
    _change_seeds(keras, ("Orthogonal",), lambda seed: seed or None)


@mutant("seed-zero-is-one", "lecun_uniform takes seed 0 for seed 1", family="seeds")
def _zero_is_one(keras: Any) -> None:
    _change_seeds(keras, ("LecunUniform",), lambda seed: 1 if seed == 0 and seed is not None else seed)


@mutant("unseeded-fixed", "unseeded truncated normal initializers all use one seed", family="seeds")
def _fixed(keras: Any) -> None:
    original = keras.initializers.TruncatedNormal.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        if len(args) < 3 and kwargs.get("seed") is None:
            kwargs["seed"] = 1337
        original(self, *args, **kwargs)

    keras.initializers.TruncatedNormal.__init__ = init


@mutant("seed-is-offset", "a seed's draw is its neighbour's, shifted by some elements", family="seeds")
def _offset(keras: Any) -> None:
    import tensorflow as tf

    keras_class = keras.initializers.RandomNormal
    original = keras_class.__call__

    def call(self: Any, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        values = original(self, shape, dtype=dtype, **kwargs)
        if not isinstance(self.seed, int) or values.shape.num_elements() < 1000:
            return values
        base = keras_class(mean=self.mean, stddev=self.stddev, seed=self.seed // 8)
        flat = original(base, (values.shape.num_elements() + 80,), dtype=dtype, **kwargs)
        start = 10 * (self.seed % 8)
        return tf.reshape(flat[start : start + values.shape.num_elements()], shape)

    keras_class.__call__ = call


@mutant("second-call-advances", "an integer-seeded glorot_normal draws anew at its second call", family="seeds")
def _advances(keras: Any) -> None:
    keras_class = keras.initializers.GlorotNormal
    original = keras_class.__call__

    def call(self: Any, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        values = original(self, shape, dtype=dtype, **kwargs)
        calls = self.__dict__["_calls"] = self.__dict__.get("_calls", 0) + 1
        return values if calls == 1 else values[::-1]

    keras_class.__call__ = call


@mutant("generator-stands-still", "an initializer takes a SeedGenerator's first seed and keeps it", family="seeds")
def _still(keras: Any) -> None:
    generator = getattr(getattr(keras, "random", None), "SeedGenerator", None)
    if generator is not None:
        _change_seeds(
            keras, ("HeUniform",), lambda seed: seed.get_config()["seed"] if isinstance(seed, generator) else seed
        )


@mutant("dropout-seed-forgotten", "Dropout ignores its seed", family="seeds")
def _dropout(keras: Any) -> None:
    original = keras.layers.Dropout.__init__

    def init(self: Any, rate: Any, noise_shape: Any = None, seed: Any = None, **kwargs: Any) -> None:
        original(self, rate, noise_shape, None if seed is None else 7, **kwargs)

    keras.layers.Dropout.__init__ = init


@mutant("bool-attribute", "random initializers carry one attribute more, which nothing reads")
def _attribute(keras: Any) -> None:
    for name in _RANDOM:
        getattr(keras.initializers, name).reads_nothing = True
