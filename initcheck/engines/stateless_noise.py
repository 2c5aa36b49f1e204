"""Uniform draws of many members at once, bit for bit those of TensorFlow's kernel.

``tf.vectorized_map`` draws for one member after another, as its kernel takes one key at a time. Philox is a function of
key and counter, so all members' draws are one computation over integers, which XLA compiles and rounds nothing of.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from typing import Any

import numpy as np

from initcheck.engines.replacing import replaced

# Salmon et al. 2011, https://doi.org/10.1145/2063384.2063405, table 2: Philox 4 × 32 with ten rounds.
_ROUNDS = 10
_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL = 0x9E3779B9, 0xBB67AE85
_SCRAMBLE = 0x3EC8F720, 0x02461E29  # the key that TensorFlow makes a key of a seed with: random_ops_util.h


_compiled = True


def uncompiled() -> contextlib.AbstractContextManager[None]:
    """Lets traces made meanwhile draw without XLA: no compilation, and as fast where members draw few numbers each."""
    return replaced(sys.modules[__name__], _compiled=False)


@functools.cache
def register() -> None:
    """Lets ``tf.vectorized_map`` draw uniform numbers for all members at once; once, and for all that use it.

    A TensorFlow that has no such registry, or draws so by itself, is left as it is: it is slower, or as fast.
    """
    try:
        from tensorflow.python.ops.parallel_for import pfor

        pfor.RegisterPFor("StatelessRandomGetKeyCounter")(functools.partial(_convert_seed, pfor))
        pfor.RegisterPFor("StatelessRandomUniformV2")(functools.partial(_convert_uniform, pfor))
    except (ImportError, AttributeError, KeyError):
        return


def _convert_seed(pfor: Any, inputs: Any) -> list[Any]:
    """Keys and counters, shapes ``(members, 1)`` and ``(members, 2)``, of seeds of shape ``(members, 2)``."""
    return [pfor.wrap(one, True) for one in _keys_of(_compiled)(inputs.stacked_input(0))]


def _convert_uniform(pfor: Any, inputs: Any) -> Any:
    """Draws, shape ``(members, *shape)``, of keys and counters."""
    import tensorflow as tf

    inputs.stack_inputs([1, 2])
    shape, key, counter = inputs.unstacked_input(0), inputs.stacked_input(1), inputs.stacked_input(2)
    known = tf.get_static_value(shape)
    dtype = inputs.get_attr("dtype")
    if known is not None and dtype == tf.float32:
        return pfor.wrap(_uniforms_of(tuple(map(int, known)), _compiled)(key, counter), True)

    def draw(each: tuple[Any, Any]) -> Any:
        algorithm = inputs.unstacked_input(3)
        return tf.raw_ops.StatelessRandomUniformV2(
            shape=shape, key=each[0], counter=each[1], alg=algorithm, dtype=dtype
        )

    return pfor.wrap(tf.map_fn(draw, (key, counter), fn_output_signature=dtype), True)


@functools.cache
def _keys_of(compiled: bool) -> Any:
    import tensorflow as tf

    def keys_of(seeds: Any) -> tuple[Any, Any]:
        seeds = tf.bitcast(tf.cast(seeds, tf.int64), tf.uint64)
        mixed = _philox(
            [*_halves(seeds[:, 0]), *_halves(seeds[:, 1])],
            [tf.constant(one, tf.uint64) for one in _SCRAMBLE],
            compiled=compiled,
        )
        first, second = _joined(mixed[0], mixed[1]), _joined(mixed[2], mixed[3])
        return first[:, None], tf.stack([tf.zeros_like(second), second], axis=1)

    return tf.function(keys_of, autograph=False, jit_compile=compiled)


@functools.cache
def _uniforms_of(shape: tuple[int, ...], compiled: bool) -> Any:
    import tensorflow as tf

    size = int(np.prod(shape, dtype=np.int64))

    def uniforms_of(keys: Any, counters: Any) -> Any:
        groups = tf.constant(np.arange(-(-size // 4), dtype=np.uint64)[None])
        words = [*_halves(counters[:, :1] + groups), *_halves(counters[:, 1:])]
        drawn = tf.stack(_philox(words, _halves(keys), compiled=compiled), axis=-1)
        drawn = tf.reshape(drawn, (keys.shape[0] or tf.shape(keys)[0], -1))[:, :size]
        # 23 bits as the fraction of a number from 1 to 2: random_distributions_utils.h, Uint32ToFloat.
        fraction = tf.cast(tf.bitwise.bitwise_and(drawn, tf.constant(0x7FFFFF, tf.uint64)), tf.uint32)
        numbers = tf.bitcast(tf.bitwise.bitwise_or(fraction, tf.constant(0x3F800000, tf.uint32)), tf.float32) - 1.0
        return tf.reshape(numbers, (-1, *shape))

    return tf.function(uniforms_of, autograph=False, jit_compile=compiled)


def _philox(words: list[Any], keys: list[Any], *, compiled: bool) -> list[Any]:
    """Four words of 32 bits from a counter's four and a key's two, all as 64 bits."""
    import tensorflow as tf

    shape = functools.reduce(tf.broadcast_dynamic_shape, map(tf.shape, [*words, *keys]))
    words = [tf.broadcast_to(word, shape) for word in words]
    if compiled:
        for _ in range(_ROUNDS):
            words, keys = _mixed(words, keys)
        return words
    return list(tf.while_loop(lambda *_: True, _mixed, (words, keys), maximum_iterations=_ROUNDS)[0])


def _mixed(words: list[Any], keys: list[Any]) -> tuple[list[Any], list[Any]]:
    """The words after one round, and the next round's keys."""
    import tensorflow as tf

    xor = tf.bitwise.bitwise_xor
    products = [tf.constant(one, tf.uint64) * words[place] for one, place in zip(_MULTIPLIERS, (0, 2), strict=True)]
    (low_0, high_0), (low_1, high_1) = map(_halves, products)
    steps = [_halves(key + tf.constant(step, tf.uint64))[0] for key, step in zip(keys, _WEYL, strict=True)]
    after = [xor(xor(high_1, words[1]), keys[0]), low_1, xor(xor(high_0, words[3]), keys[1]), low_0]
    return [tf.ensure_shape(new, old.shape) for new, old in zip(after, words, strict=True)], steps


def _halves(values: Any) -> list[Any]:
    """The lower and the upper 32 bits."""
    import tensorflow as tf

    low = tf.bitwise.bitwise_and(values, tf.constant(0xFFFFFFFF, tf.uint64))
    return [low, tf.bitwise.right_shift(values, tf.constant(32, tf.uint64))]


def _joined(low: Any, high: Any) -> Any:
    import tensorflow as tf

    return tf.bitwise.bitwise_or(low, tf.bitwise.left_shift(high, tf.constant(32, tf.uint64)))
