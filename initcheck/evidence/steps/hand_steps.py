"""Steps of optimizers taken by hand: variables, gradients and models of a few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from initcheck.evidence.composition.promises import inputs, on_tensorflow
from initcheck.evidence.toy_data import pipeline
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor, dtype_name, is_tensor
from initcheck.frameworks.layer_calls import take_step

Array = np.ndarray[Any, Any]


def variable(keras: Any, numbers: Any, name: str = "given", dtype: str = "float32") -> Any:
    """A trained variable of these numbers."""
    return keras.Variable(np.array(numbers, np.float64), dtype=dtype, name=name)


def step(optimizer: Any, weights: Sequence[Any], gradients: Sequence[Any]) -> list[Any]:
    """The weights after a step along gradients, which are numbers, tensors or None."""

    def tensor(weight: Any, given: Any) -> Any:
        if given is None or is_tensor(given) or hasattr(given, "indices"):
            return given
        return as_tensor(np.broadcast_to(given, weight.shape).astype(dtype_name(weight)))

    take_step(optimizer, [tensor(*one) for one in zip(weights, gradients, strict=True)], weights)
    return [as_array(weight).tolist() for weight in weights]


def the_number(given: Any) -> float:
    """A tensor or variable of one number."""
    return float(as_array(given).ravel()[0])


def halved(keras: Any) -> Any:
    """A constraint that halves a weight whenever it is applied."""

    class HalvedWeight(keras.constraints.Constraint):  # type: ignore[misc] # has no types
        def __call__(self, weight: Any) -> Any:
            return weight * 0.5

    return HalvedWeight()


def looked_up(rows: Sequence[int], numbers: Any, count: int) -> Any:
    """A gradient as an Embedding has it: of these rows of ``count``; a row may come twice.

    TensorFlow hands on the rows that were looked up, other backends the whole table with their sums.
    """
    values = inputs(*numbers)
    if not on_tensorflow():
        table = np.zeros((count, *values.shape[1:]), np.float32)
        np.add.at(table, list(rows), values)
        return table
    import tensorflow as tf

    return tf.IndexedSlices(tf.constant(values), tf.constant(rows), tf.constant([count, *values.shape[1:]]))


def scalar_model(keras: Any, optimizer: Any, start: float = 1.0, **options: Any) -> Any:
    """A weight without a bias whose loss is the mean output: inputs are its gradients, whatever the targets."""
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(start))
    model = keras.Sequential([keras.Input((1,)), dense])
    model.compile(optimizer, lambda _, output: output, **options)
    return model


def fitted(model: Any, slopes: Sequence[float], batch_size: int = 1, **options: Any) -> float:
    """The weight after an epoch along these gradients, in order."""
    x = np.array(slopes, np.float32)[:, None]
    model.fit(pipeline(x, x, size=batch_size), shuffle=False, verbose=0, **options)
    return weight_of(model)


def weight_of(model: Any) -> float:
    """The weight of a model of one number."""
    return the_number(model.layers[-1].kernel)


def stepped(model: Any, *slopes: float) -> float:
    """The weight after a batch of these gradients."""
    x = np.array(slopes, np.float32)[:, None]
    model.train_on_batch(x, x)
    return weight_of(model)
