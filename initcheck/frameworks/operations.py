"""Operations on tensors by Keras's names, for layers, losses and metrics that evidence writes as a user would."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


def operations(keras: Any) -> Any:
    """``keras.ops``, which runs on every backend; of Keras 2, which has none, TensorFlow's under the same names."""
    if hasattr(keras, "ops"):
        return keras.ops
    import tensorflow as tf

    return SimpleNamespace(
        abs=tf.abs,
        all=tf.reduce_all,
        cast=tf.cast,
        clip=tf.clip_by_value,
        concatenate=tf.concat,
        convert_to_tensor=tf.convert_to_tensor,
        copy=tf.identity,
        equal=tf.equal,
        exp=tf.exp,
        flip=lambda x, axis: tf.reverse(x, [axis]),
        full=tf.fill,
        isfinite=tf.math.is_finite,
        max=tf.reduce_max,
        maximum=tf.maximum,
        mean=tf.reduce_mean,
        ones=tf.ones,
        ones_like=tf.ones_like,
        power=tf.pow,
        repeat=tf.repeat,
        reshape=tf.reshape,
        shape=tf.shape,
        sqrt=tf.sqrt,
        stop_gradient=tf.stop_gradient,
        sum=tf.reduce_sum,
        take=tf.gather,
        tile=tf.tile,
        var=tf.math.reduce_variance,
        where=tf.where,
        zeros=tf.zeros,
        zeros_like=tf.zeros_like,
    )
