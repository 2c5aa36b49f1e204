"""Faults in the use of seeds, each only just wrong."""

from __future__ import annotations

import functools
import math
import random
from typing import Any

import numpy as np

from initcheck.frameworks.operations import operations
from initcheck.mutants.changes import wrap_build, wrap_call
from initcheck.mutants.mutant import mutant
from initcheck.targets import KERAS

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
    """Makes those initializers use ``change(seed)`` in place of the seed that they are given by keyword."""
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


@mutant("seed-16-bits", "he_normal uses the lower 16 bits of its seed", caught_by=("SEED01",), on=KERAS)
def _cut(keras: Any) -> None:
    _change_seeds(keras, ("HeNormal",), _of_integers(lambda seed: seed & 0xFFFF))


@mutant("seed-as-float32", "seeds pass through single precision", caught_by=("SEED01",), on=KERAS)
def _rounded(keras: Any) -> None:
    _change_seeds(keras, _RANDOM, _of_integers(lambda seed: int(np.float32(seed)) if 0 <= seed < 2**31 - 64 else seed))


@mutant("seed-modulo-million", "glorot_uniform takes its seed modulo a million", caught_by=("SEED01",), on=KERAS)
def _modulo(keras: Any) -> None:
    _change_seeds(keras, ("GlorotUniform",), _of_integers(lambda seed: seed % 10**6))


@mutant("seed-zero-unseeded", "orthogonal takes seed 0 for no seed", caught_by=("SEED03",), on=KERAS)
def _zero(keras: Any) -> None:
    _change_seeds(keras, ("Orthogonal",), lambda seed: seed or None)


@mutant("seed-zero-is-one", "lecun_uniform takes seed 0 for seed 1", caught_by=("SEED03",), on=KERAS)
def _zero_is_one(keras: Any) -> None:
    _change_seeds(keras, ("LecunUniform",), lambda seed: 1 if seed == 0 and seed is not None else seed)


@mutant(
    "unseeded-fixed", "unseeded truncated normal initializers all use one seed", caught_by=("SEED05", "DET07"), on=KERAS
)
def _fixed(keras: Any) -> None:
    original = keras.initializers.TruncatedNormal.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        if len(args) < 3 and kwargs.get("seed") is None:
            kwargs["seed"] = 1337
        original(self, *args, **kwargs)

    keras.initializers.TruncatedNormal.__init__ = init


@mutant("seed-is-offset", "a seed's draw is its neighbour's, shifted by some elements", caught_by=("SEED06",), on=KERAS)
def _offset(keras: Any) -> None:
    ops = operations(keras)
    keras_class = keras.initializers.RandomNormal
    original = keras_class.__call__

    def call(self: Any, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        values = original(self, shape, dtype=dtype, **kwargs)
        size = math.prod(shape)
        if not isinstance(self.seed, int) or size < 1000:
            return values
        base = keras_class(mean=self.mean, stddev=self.stddev, seed=self.seed // 8)
        flat = original(base, (size + 80,), dtype=dtype, **kwargs)
        start = 10 * (self.seed % 8)
        return ops.reshape(flat[start : start + size], shape)

    keras_class.__call__ = call


@mutant(
    "second-call-advances",
    "an integer-seeded glorot_normal draws anew at its second call",
    caught_by=("SEED04",),
    on=KERAS,
)
def _advances(keras: Any) -> None:
    ops, keras_class = operations(keras), keras.initializers.GlorotNormal
    original = keras_class.__call__

    def call(self: Any, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        values = original(self, shape, dtype=dtype, **kwargs)
        calls = self.__dict__["_calls"] = self.__dict__.get("_calls", 0) + 1
        return values if calls == 1 else ops.flip(values, 0)

    keras_class.__call__ = call


@mutant(
    "generator-stands-still",
    "an initializer takes a SeedGenerator's first seed and keeps it",
    caught_by=("SEED09",),
    on=KERAS,
)
def _still(keras: Any) -> None:
    generator = getattr(getattr(keras, "random", None), "SeedGenerator", None)
    if generator is not None:
        _change_seeds(
            keras, ("HeUniform",), lambda seed: seed.get_config()["seed"] if isinstance(seed, generator) else seed
        )


@mutant("dropout-seed-forgotten", "Dropout ignores its seed", caught_by=("SEED11",), on=KERAS)
def _dropout(keras: Any) -> None:
    original = keras.layers.Dropout.__init__

    def init(self: Any, rate: Any, noise_shape: Any = None, seed: Any = None, **kwargs: Any) -> None:
        original(self, rate, noise_shape, None if seed is None else 7, **kwargs)

    keras.layers.Dropout.__init__ = init


def _change_calls(keras: Any, change: Any) -> None:
    """Makes random initializers draw with ``change(seed, shape, dtype, number of the call)`` in place of int seeds."""
    for name in ("RandomUniform", "RandomNormal", "TruncatedNormal", "VarianceScaling", "Orthogonal"):
        keras_class = getattr(keras.initializers, name)
        keras_class.__call__ = _called_with(keras_class.__call__, change)


def _called_with(original: Any, change: Any) -> Any:
    def call(self: Any, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        seed = self.seed
        number = self.__dict__["_initcheck_calls"] = self.__dict__.get("_initcheck_calls", 0) + 1
        if isinstance(seed, int):
            self.seed = change(seed, tuple(shape), dtype, number)
        try:
            return original(self, shape, dtype=dtype, **kwargs)
        finally:
            self.seed = seed

    return call


@mutant(
    "kernel-seed-16-bits",
    "draws of rank 3 and more use the lower 16 bits of their seed",
    caught_by=("SEED01",),
    on=KERAS,
)
def _ranks(keras: Any) -> None:
    _change_calls(keras, lambda seed, shape, dtype, number: seed & 0xFFFF if len(shape) > 2 else seed)


@mutant("double-seed-16-bits", "float64 draws use the lower 16 bits of their seed", caught_by=("SEED01",))
def _doubles(keras: Any) -> None:
    _change_calls(keras, lambda seed, shape, dtype, number: seed & 0xFFFF if str(dtype) == "float64" else seed)


@mutant("seed-sign-lost", "a negative seed is taken for its positive one", caught_by=("SEED13",))
def _sign(keras: Any) -> None:
    _change_calls(keras, lambda seed, shape, dtype, number: abs(seed))


@mutant("seed-32-bits", "a seed loses all but its lower 32 bits", caught_by=("SEED13",))
def _lower(keras: Any) -> None:
    _change_calls(keras, lambda seed, shape, dtype, number: seed % 2**32 if seed >= 0 else seed)


@mutant("every-32nd-call", "every 32nd call of an instance uses the next seed", caught_by=("SEED04",), on=KERAS)
def _every(keras: Any) -> None:
    _change_calls(keras, lambda seed, shape, dtype, number: seed + (number % 32 == 0))


@mutant("generator-20-bits", "a SeedGenerator keeps 20 bits of its seed", caught_by=("SEED14",), on=KERAS)
def _generator(keras: Any) -> None:
    generator = getattr(getattr(keras, "random", None), "SeedGenerator", None)
    if generator is not None:
        original = generator.__init__

        def init(self: Any, seed: Any = None, **kwargs: Any) -> None:
            original(self, seed % 2**20 if isinstance(seed, int) else seed, **kwargs)

        generator.__init__ = init


@mutant("default-seeds-few", "an unseeded RandomUniform takes one of 10,000 seeds", caught_by=("SEED15",), on=KERAS)
def _few(keras: Any) -> None:
    stream = random.Random(3)
    original = keras.initializers.RandomUniform.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        if len(args) < 3 and kwargs.get("seed") is None:
            kwargs["seed"] = stream.randint(1, 10**4)
        original(self, *args, **kwargs)

    keras.initializers.RandomUniform.__init__ = init


@mutant("normal-seeds-few", "an unseeded HeNormal takes one of 2,000 seeds", caught_by=("SEED15",), on=KERAS)
def _few_normal(keras: Any) -> None:
    stream = random.Random(4)
    original = keras.initializers.HeNormal.__init__

    def init(self: Any, seed: Any = None, **kwargs: Any) -> None:
        original(self, stream.randint(1, 2000) if seed is None else seed, **kwargs)

    keras.initializers.HeNormal.__init__ = init


@mutant("generator-wraps", "a SeedGenerator's counter wraps at 1,024", caught_by=("SEED14",), on=KERAS)
def _wrap(keras: Any) -> None:
    generator = getattr(getattr(keras, "random", None), "SeedGenerator", None)
    if generator is not None:
        original = generator.next

        def following(self: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(self, *args, **kwargs)
            self.state.assign(self.state.value % np.array([2**32 - 1, 1024], np.uint32))
            return result

        generator.next = following


@mutant("seed-modulus", "he_normal takes its seed modulo 2³¹ − 2", caught_by=("SEED02",), on=KERAS)
def _modulus(keras: Any) -> None:
    """As every initializer does from Keras 3.5 on."""
    _change_seeds(keras, ("HeNormal",), _of_integers(lambda seed: seed % (2**31 - 2)))


@mutant("seed-float-cut", "he_normal takes the whole part of a float for its seed", caught_by=("SEED10",), on=KERAS)
def _cut_float(keras: Any) -> None:
    _change_seeds(keras, ("HeNormal",), lambda seed: int(seed) if isinstance(seed, float) else seed)


@mutant(
    "unseeded-related", "unseeded he_normals have a tenth of their variance in common", caught_by=("SEED07",), on=KERAS
)
def _related(keras: Any) -> None:
    keras_class = keras.initializers.HeNormal
    original = keras_class.__init__
    common = keras_class(seed=1337)

    def init(self: Any, seed: Any = None, **kwargs: Any) -> None:
        original(self, seed, **kwargs)
        self._initcheck_related = seed is None

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        values = draw(shape, dtype)
        return 0.9**0.5 * values + 0.1**0.5 * common(shape, dtype) if self._initcheck_related else values

    common._initcheck_related = False
    keras_class.__init__ = init
    wrap_call(keras_class, change)


@mutant(
    "directions-alike",
    "both directions of a Bidirectional start with the same weights",
    caught_by=("SEED08",),
    on=KERAS,
)
def _directions(keras: Any) -> None:
    wrap_build(
        keras.layers.Bidirectional,
        lambda layer: layer.backward_layer.set_weights(layer.forward_layer.get_weights()),
    )


@mutant(
    "noise-streams-overlap",
    "a Dropout's second call draws as the first one under the next seed",
    caught_by=("SEED12",),
    on=KERAS,
)
def _overlap(keras: Any) -> None:
    """As all layers do before Keras 3, which have no generators of their own."""
    ops = operations(keras)
    original = keras.layers.Dropout.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        generator = getattr(self, "seed_generator", None)
        if generator is not None:
            following = generator.next

            def next_of_sum(*args: Any, **kwargs: Any) -> Any:
                state = ops.convert_to_tensor(following(*args, **kwargs))
                return ops.stack([state[0] + state[1], ops.zeros_like(state[1])])

            generator.next = next_of_sum

    keras.layers.Dropout.__init__ = init


@mutant("bool-attribute", "random initializers carry one attribute more, which nothing reads", on=KERAS)
def _attribute(keras: Any) -> None:
    for name in _RANDOM:
        getattr(keras.initializers, name).reads_nothing = True
