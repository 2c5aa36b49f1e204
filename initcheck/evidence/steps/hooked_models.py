"""Callbacks with given logs: their hooks are called as ``fit`` calls them, with no training between."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from initcheck.evidence.composition.promises import inputs
from initcheck.frameworks.arrays import as_array

Logs = Mapping[str, Any]


def single_weight(keras: Any, optimizer: Any = None, metrics: Sequence[Any] = (), **options: Any) -> Any:
    """A compiled model of one weight, which multiplies by it; eager, for no graph adds anything."""
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((1,)), layer])
    optimizer = keras.optimizers.SGD(1.0) if optimizer is None else optimizer
    model.compile(optimizer, keras.losses.MeanSquaredError(), metrics=list(metrics), run_eagerly=True, **options)
    return model


def set_weight(model: Any, number: float) -> None:
    """Gives the model's one weight a value."""
    model.set_weights([np.full((1, 1), number, np.float32)])


def learning_rate(model: Any) -> float:
    """The optimizer's present learning rate, without the rounding of single precision."""
    return round(float(as_array(model.optimizer.learning_rate)), 6)


def driven(callback: Any, model: Any, epochs: Sequence[Logs], batches: Sequence[Sequence[Logs]] = ()) -> list[float]:
    """Calls the hooks of one ``fit``, whose epochs end with those logs; stops where the callback wants to.

    At the end of epoch ``k``, counted from zero, the weight is ``k``.

    Args:
        callback: The callback.
        model: The model of one weight.
        epochs: The logs of each epoch.
        batches: The logs of each epoch's batches; none by default.

    Returns:
        The learning rate after each epoch that was run.
    """
    rates = []
    callback.set_model(model)
    callback.set_params({"epochs": len(epochs), "steps": len(batches[0]) if batches else 1, "verbose": 0})
    model.stop_training = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        callback.on_train_begin({})
        for epoch, logs in enumerate(epochs):
            callback.on_epoch_begin(epoch, {})
            set_weight(model, epoch)
            for batch, seen in enumerate(batches[epoch] if batches else ()):
                callback.on_train_batch_begin(batch, {})
                callback.on_train_batch_end(batch, dict(seen))
            callback.on_epoch_end(epoch, dict(logs))
            rates.append(learning_rate(model))
            if model.stop_training:
                break
        callback.on_train_end({})
    return rates


def losses(*numbers: float, name: str = "loss") -> list[Logs]:
    """Logs of as many epochs."""
    return [{name: number} for number in numbers]


def taken_step(model: Any) -> Any:
    """The model after a step, so that its metrics exist."""
    model.train_on_batch(inputs([0.25], [0.75]), inputs([0.0], [1.0]))
    return model
