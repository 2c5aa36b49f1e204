"""Harmless changes around a training step: another order of computation, other threads, other ways through Keras."""

from __future__ import annotations

import importlib
import time
import types
from typing import Any

from initcheck.mutants.changes import add_config_key
from initcheck.mutants.mutant import mutant


def _divide_otherwise(module: str) -> None:
    """Makes that module of Keras multiply with reciprocals where it divides."""
    changed: Any = importlib.import_module(module)
    ops = changed.ops

    def divide(x: Any, y: Any) -> Any:
        return x * ops.divide_no_nan(ops.ones_like(y), y)

    changed.ops = types.SimpleNamespace(**{**vars(ops), "divide_no_nan": divide})


@mutant("harmless-loss-rounding", "the mean of losses is their sum times the reciprocal of their number")
def harmless_loss_rounding(_: Any) -> None:
    """Which is the same but for rounding."""
    _divide_otherwise("keras.src.losses.loss")


@mutant("harmless-mean-rounding", "the mean that a metric reports is the sum times the reciprocal of the count")
def harmless_mean_rounding(_: Any) -> None:
    """Which is the same but for rounding."""
    _divide_otherwise("keras.src.metrics.reduction_metrics")


@mutant("harmless-average-rounding", "moving averages of weights go a share of the way to the weights")
def harmless_average_rounding(keras: Any) -> None:
    """Which is the same but for rounding."""

    def update(self: Any, trainable_variables: Any) -> None:
        if not self.use_ema:
            return
        for weight, average in zip(trainable_variables, self._model_variables_moving_average, strict=True):
            if average is not None:
                begun = keras.ops.cast(keras.ops.not_equal(self.iterations, 0), weight.dtype)
                average.assign_add((1 - begun * self.ema_momentum) * (weight - average))

    keras.optimizers.Optimizer._update_model_variables_moving_average = update


@mutant("harmless-clip-rounding", "gradients are clipped by a factor that is computed first")
def harmless_clip_rounding(keras: Any) -> None:
    """Which is the same but for rounding."""
    ops = keras.ops

    def clip(self: Any, values: Any, axes: Any = None) -> Any:
        norm = ops.sqrt(ops.sum(ops.square(values), axes, keepdims=True))
        return values * (self.clipnorm / ops.maximum(norm, self.clipnorm))

    keras.optimizers.Optimizer._clip_by_norm = clip


@mutant("harmless-step-keys", "configurations of an optimizer, a loss and a metric have one key more")
def harmless_step_keys(keras: Any) -> None:
    """Their from_config understands it."""
    for keras_class in (keras.optimizers.RMSprop, keras.losses.Huber, keras.metrics.Precision):
        add_config_key(keras_class)


@mutant("harmless-callback", "fit calls one callback more, which does nothing")
def harmless_callback(keras: Any) -> None:
    """As one that logs would."""
    original = keras.Model.fit

    def fit(self: Any, *args: Any, callbacks: Any = None, **options: Any) -> Any:
        if len(args) < 6 and isinstance(callbacks, list | tuple | None):
            callbacks = [*(callbacks or ()), keras.callbacks.Callback()]
        return original(self, *args, **({} if callbacks is None else {"callbacks": callbacks}), **options)

    keras.Model.fit = fit


@mutant("harmless-prefetch", "batches of arrays are fetched before they are needed")
def harmless_prefetch(keras: Any) -> None:
    """Their order is the same."""
    adapters = importlib.import_module("keras.src.trainers.data_adapters.array_data_adapter")
    original = adapters.ArrayDataAdapter.get_tf_dataset

    def prefetched(self: Any) -> Any:
        return original(self).prefetch(3)

    adapters.ArrayDataAdapter.get_tf_dataset = prefetched


@mutant("harmless-uneven-workers", "some batches of a PyDataset with workers take longer than those after them")
def harmless_uneven_workers(keras: Any) -> None:
    """Their order is the same."""
    adapter: Any = importlib.import_module("keras.src.trainers.data_adapters.py_dataset_adapter")
    original = adapter.get_index

    def get_index(uid: Any, number: int) -> Any:
        time.sleep(0.004 * (number % 2 == 0))
        return original(uid, number)

    adapter.get_index = get_index
