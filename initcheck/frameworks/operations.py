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
        cast=tf.cast,
        concatenate=tf.concat,
        convert_to_tensor=tf.convert_to_tensor,
        copy=tf.identity,
        full=tf.fill,
        max=tf.reduce_max,
        maximum=tf.maximum,
        mean=tf.reduce_mean,
        ones=tf.ones,
        ones_like=tf.ones_like,
        reshape=tf.reshape,
        shape=tf.shape,
        sum=tf.reduce_sum,
        zeros=tf.zeros,
    )
