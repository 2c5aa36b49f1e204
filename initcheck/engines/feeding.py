"""Rows of arrays as pipelines that ``fit`` takes, in an order that is ours."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.frameworks.memory import require_memory_for_order


def batch_order(rows: int, epochs: int, *, seed: int | None = None) -> npt.NDArray[np.int64]:
    """The order of the training rows in every epoch, shape ``(epochs, rows)``.

    It comes from NumPy's ``RandomState``, the only stream that NumPy promises never to change. Without a seed it is the
    frozen order: the same for every run ever made.

    Raises:
        InitcheckError: It does not fit into memory.
    """
    require_memory_for_order(rows, epochs)
    stream = np.random.RandomState(42 if seed is None else seed)
    return np.stack([stream.permutation(rows) for _ in range(epochs)])


def ordered_rows(arrays: Any, order: npt.NDArray[np.int64], size: int) -> Any:
    """All batches of all epochs as a ``tf.data.Dataset``, each row where the order puts it.

    Args:
        arrays: The arrays of all rows, in any structure of tuples, lists and dicts.
        order: Shape ``(epochs, rows)``; the last batch of an epoch may be smaller.
        size: Rows of a batch.
    """
    import tensorflow as tf

    held = tf.nest.map_structure(tf.constant, arrays)
    as_written = tf.autograph.experimental.do_not_convert  # else it reads this file again, as it is by then
    batches = tf.data.Dataset.from_tensor_slices(order).flat_map(
        as_written(lambda epoch: tf.data.Dataset.from_tensor_slices(epoch).batch(size))
    )
    return _untuned(
        batches.map(as_written(lambda rows: tf.nest.map_structure(lambda array: tf.gather(array, rows), held)))
    )


def batches_of(arrays: Any, size: int) -> Any:
    """The rows in their own order, in batches of that size, as a ``tf.data.Dataset``."""
    import tensorflow as tf

    return _untuned(tf.data.Dataset.from_tensor_slices(arrays).batch(size))


def _untuned(rows: Any) -> Any:
    """The dataset without TensorFlow's tuner, which, cancelled, sleeps up to as long as it has run."""
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return rows.with_options(options)
