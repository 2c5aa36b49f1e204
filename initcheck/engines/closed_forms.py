"""Closed forms of what an ensemble sums over rows, and whether they are what the framework computes."""

from __future__ import annotations

from typing import Any

import numpy as np

_FACTORS = 64  # of one product: each is at most 2, so that it stays below the largest float
_PROBED_LOGITS = 17.0  # beyond it, a float's sigmoid is 1
_ROUNDINGS = 8.0  # of a loss or gradient, in units of float32's eps: another formula differs by more


def sum_binary_judgements(logits: Any, targets: Any, filled: Any) -> tuple[Any, Any]:
    """Each member's summed binary cross-entropy of its sigmoids, and its correct classifications, shape ``(members,)``.

    Loss and gradient share one exponential, and the logarithm is one of a product of rows: Keras's functions, compiled,
    take an exponential for each of loss, gradient and accuracy, and a logarithm for each row.

    Args:
        logits: What the sigmoids are taken of, shape ``(rows, members)``.
        targets: 0 or 1 for each row, shape ``(rows, 1)``.
        filled: 1 for each row that counts, 0 for others, shape ``(rows, 1)``.
    """
    import tensorflow as tf

    def judge(logits: Any) -> tuple[Any, Any]:
        powers = tf.exp(-tf.abs(logits))
        linear = tf.reduce_sum(filled * (tf.maximum(logits, 0.0) - logits * targets), 0)
        loss = linear + _log_of_product(1.0 + filled * powers)
        correct = tf.reduce_sum(filled * tf.cast(tf.cast(logits > 0.0, tf.float32) == targets, tf.float32), 0)

        def gradient(of_loss: Any, _: Any) -> Any:
            shares = 1.0 / (1.0 + powers)
            sigmoids = tf.where(logits >= 0.0, shares, powers * shares)
            return filled * of_loss * (sigmoids - targets)

        return (loss, correct), gradient

    judged: tuple[Any, Any] = tf.custom_gradient(judge)(logits)
    return judged


def _log_of_product(factors: Any) -> Any:
    """The logarithm of the factors' product over the first axis, each from 1 to 2."""
    import tensorflow as tf

    rows, members = factors.shape
    size = min(rows, _FACTORS)
    if missing := -rows % size:
        factors = tf.pad(factors, [(0, missing), (0, 0)], constant_values=1.0)
    products = tf.reduce_prod(tf.reshape(factors, (-1, size, members)), 1)
    return tf.reduce_sum(tf.math.log(products), 0)


def is_binary_form_of(keras: Any, activation: Any) -> bool:
    """Whether Keras's binary cross-entropy and accuracy of that activation are the closed form, within rounding.

    They are compared at both targets over all logits for which they have a slope.
    """
    import tensorflow as tf

    side = np.linspace(0.01, _PROBED_LOGITS, 64, dtype=np.float32)
    logits = tf.constant(np.tile(np.concatenate([-side, side]), 2)[None])
    targets = tf.constant(np.repeat(np.array([0, 1], np.float32), 2 * len(side))[None])

    def own(logits: Any) -> tuple[Any, Any]:
        outputs = activation(tf.reshape(logits, (-1, 1)))
        expected = tf.reshape(targets, (-1, 1))
        judged = keras.losses.binary_crossentropy(expected, outputs), keras.metrics.binary_accuracy(expected, outputs)
        return tuple(tf.reshape(one, (-1,)) for one in judged)

    def both() -> tuple[list[Any], list[Any]]:
        judgements = []
        for judge in (own, lambda logits: sum_binary_judgements(logits, targets, tf.ones((1, 1)))):
            with tf.GradientTape() as tape:
                tape.watch(logits)
                loss, correct = judge(logits)
            judgements.append([loss, correct, tape.gradient(loss, logits)[0]])
        return judgements[0], judgements[1]

    of_keras, closed = tf.function(both, autograph=False)()  # in a graph, as fit
    eps = float(np.finfo(np.float32).eps)
    return all(
        np.all(np.abs(one - other) <= _ROUNDINGS * eps * np.maximum(1.0, np.abs(other)))
        for one, other in zip(map(np.asarray, of_keras), map(np.asarray, closed), strict=True)
    )
