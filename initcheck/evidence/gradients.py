"""The gradient of a batch's mean loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from initcheck.evidence.trace import Array, Arrays


def loss_gradient(keras: Any, model: Any, x: Array, y: Array, loss: str) -> Arrays:
    """Of the mean loss of those rows, by trained weight; in inference mode, so that it costs no randomness."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        output = model(tf.constant(x), training=False)
        value = tf.reduce_mean(keras.losses.get(loss)(tf.constant(y), output))
    gradients = tape.gradient(value, model.trainable_variables)
    return tuple(np.array(tf.convert_to_tensor(one)) for one in gradients if one is not None)
