"""Rows of arrays as pipelines that ``fit`` takes, in an order that is ours."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from packaging.version import Version

from initcheck.frameworks.backend_calls import as_tensor
from initcheck.frameworks.backends import load_target_keras
from initcheck.frameworks.memory import require_memory_for_order
from initcheck.targets import TENSORFLOW, target


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
    """All batches of all epochs, each row where the order puts it: by ``tf.data`` on TensorFlow, else by a PyDataset.

    Args:
        arrays: The arrays of all rows, in any structure of tuples, lists and dicts.
        order: Shape ``(epochs, rows)``; the last batch of an epoch may be smaller.
        size: Rows of a batch.
    """
    if target() != TENSORFLOW:
        return _by_python(arrays, order, size)
    import tensorflow as tf

    held = tf.nest.map_structure(tf.constant, arrays)
    as_written = tf.autograph.experimental.do_not_convert  # else it reads this file again, as it is by then
    batches = tf.data.Dataset.from_tensor_slices(order).flat_map(
        as_written(lambda epoch: tf.data.Dataset.from_tensor_slices(epoch).batch(size))
    )
    return _untuned(
        batches.map(as_written(lambda rows: tf.nest.map_structure(lambda array: tf.gather(array, rows), held)))
    )


def rows_for(model: Any, rows: Any) -> Any:
    """The batches that ``ordered_rows`` gave, for a ``fit`` of the model that is given steps.

    Keras before 3.7 builds what is not built by the first batch, on which it does not train then
    (<https://github.com/keras-team/keras/pull/20396>): it is built here, by a batch that is not trained on either.
    """
    if target() != TENSORFLOW and Version(load_target_keras().__version__) < Version("3.7"):
        model.test_on_batch(*rows[0])
    return rows


def batches_of(arrays: Any, size: int, *, kept: bool = False) -> Any:
    """The rows in their own order, in batches of that size; kept, for those that pass often, once they are made."""
    if target() != TENSORFLOW:
        return _by_python(arrays, np.arange(_rows(arrays))[None], size)
    import tensorflow as tf

    batches = _untuned(tf.data.Dataset.from_tensor_slices(arrays).batch(size))
    return batches.cache() if kept else batches


def dataset_of(arrays: Any, size: int) -> Any:
    """The rows in their own order, as the backend's own datasets give them: ``tf.data``, or a ``DataLoader`` of torch.

    JAX has none: it is a PyDataset there.
    """
    if target() != "keras:torch":
        return batches_of(arrays, size)
    import torch

    rows = torch.utils.data.TensorDataset(*map(as_tensor, arrays))
    return torch.utils.data.DataLoader(rows, batch_size=size)


def _by_python(arrays: Any, order: npt.NDArray[np.int64], size: int) -> Any:
    keras: Any = load_target_keras()
    steps: int = -(-order.shape[1] // size)

    class OrderedRows(keras.utils.PyDataset):  # type: ignore[misc] # Keras is loaded at run time
        """Batches of rows, in any number of epochs, one after another."""

        def __len__(self) -> int:
            return len(order) * steps

        def __getitem__(self, number: int) -> Any:
            epoch, step = divmod(number, steps)
            return _taken(arrays, order[epoch, step * size : (step + 1) * size])

    return OrderedRows()


def _rows(arrays: Any) -> int:
    """How many rows arrays of any structure have."""
    if isinstance(arrays, dict | list | tuple):
        return _rows(next(iter(arrays.values() if isinstance(arrays, dict) else arrays)))
    return len(arrays)


def _taken(arrays: Any, rows: npt.NDArray[np.int64]) -> Any:
    if isinstance(arrays, dict):
        return {name: _taken(one, rows) for name, one in arrays.items()}
    if isinstance(arrays, list | tuple):
        return type(arrays)(_taken(one, rows) for one in arrays)
    return np.asarray(arrays)[rows]


def _untuned(rows: Any) -> Any:
    """The dataset without TensorFlow's tuner, which, cancelled, sleeps up to as long as it has run."""
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return rows.with_options(options)
