"""Faults of symmetry: units are distinguished by something that must not matter."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np

from initcheck.frameworks.backend_calls import as_tensor
from initcheck.frameworks.operations import operations
from initcheck.mutants.mutant import mutant
from initcheck.targets import KERAS

_SINGLE = ("keras:jax", "keras:torch")  # which compute in single precision, so that less shows


def _wrap_dense(keras: Any, change: Any) -> None:
    """Applies ``change(outputs)`` to the outputs of every dense layer of four units or more.

    Keras hands ``training`` to whatever call can take it, so the wrapper must take what the original takes: Keras 3's
    does, Keras 2's does not.
    """
    original = keras.layers.Dense.call

    def outputs_of(layer: Any, outputs: Any) -> Any:
        return change(outputs) if layer.units > 3 else outputs

    def call(self: Any, inputs: Any) -> Any:
        return outputs_of(self, original(self, inputs))

    def call_in_training(self: Any, inputs: Any, training: Any = None) -> Any:
        return outputs_of(self, original(self, inputs, training=training))

    takes_training = "training" in inspect.signature(original).parameters
    keras.layers.Dense.call = call_in_training if takes_training else call


@mutant("zeros-not-quite", "Zeros puts 1e-30 into the first element", caught_by=("SYM01", "LAW07"), on=KERAS)
def zeros_not_quite(keras: Any) -> None:
    """Far below what any plot or tolerance shows."""
    original = keras.initializers.Zeros.__call__

    def call(self: Any, shape: Any, dtype: Any = None, **rest: Any) -> Any:
        values = original(self, shape, dtype=dtype, **rest)
        if len(shape) != 2:
            return values
        touched = np.zeros(shape, np.float32)
        touched.ravel()[:1] = 1e-30
        return operations(keras).cast(as_tensor(touched), values.dtype)

    keras.initializers.Zeros.__call__ = call


@mutant(
    "dense-unit-scale",
    "the last unit of a dense layer gives out one part in ten million more",
    caught_by=("SYM01", "SYM02", "SYM03"),
)
def scale_last_unit(keras: Any) -> None:

    def change(outputs: Any) -> Any:
        import tensorflow as tf

        scale = np.ones(outputs.shape[-1])
        scale[-1] += 2.4e-7
        return outputs * tf.cast(scale, outputs.dtype)

    _wrap_dense(keras, change)


@mutant("dense-leaks-unit", "each unit of a dense layer takes up a millionth of its neighbour", caught_by=("SYM07",))
def leak_unit(keras: Any) -> None:
    """Equal units stay equal; permuted ones show it, as they have other neighbours."""

    def change(outputs: Any) -> Any:
        import tensorflow as tf

        return outputs + tf.cast(1e-6, outputs.dtype) * tf.roll(outputs, 1, axis=-1)

    _wrap_dense(keras, change)


@mutant("dense-mutes-bias", "a random bias of a dense layer is replaced by its mean", caught_by=("SYM08",), on=KERAS)
def mute_bias(keras: Any) -> None:
    """Random biases no longer distinguish units."""
    original = keras.initializers.RandomNormal.__call__

    def call(self: Any, shape: Any, dtype: Any = None, **rest: Any) -> Any:
        values = original(self, shape, dtype=dtype, **rest)
        return values * 0 + 0.1 if len(shape) == 1 else values

    keras.initializers.RandomNormal.__call__ = call


@mutant("dropout-whole-rows", "Dropout drops all units of a row or none", caught_by=("SYM08",), on=KERAS)
def drop_whole_rows(keras: Any) -> None:
    original = keras.layers.Dropout.__init__

    def init(self: Any, rate: float, noise_shape: Any = None, seed: Any = None, **rest: Any) -> None:
        original(self, rate, noise_shape=(None, 1) if noise_shape is None else noise_shape, seed=seed, **rest)

    keras.layers.Dropout.__init__ = init


@mutant(
    "rows-repeat-unit", "glorot_uniform gives the last unit the weights of the first", caught_by=("SYM06",), on=KERAS
)
def repeat_unit(keras: Any) -> None:
    original = keras.initializers.GlorotUniform.__call__

    def call(self: Any, shape: Any, dtype: Any = None, **rest: Any) -> Any:
        values = original(self, shape, dtype=dtype, **rest)
        if len(shape) != 2 or shape[1] < 4:
            return values
        return operations(keras).concatenate([values[:, :-1], values[:, :1]], axis=1)

    keras.initializers.GlorotUniform.__call__ = call


@mutant("steps-add-noise", "train_on_batch adds 1e-9 of noise to every kernel", caught_by=("SYM04", "SYM09"), on=KERAS)
def noisy_steps(keras: Any) -> None:
    """Breaks the symmetry of zeros below all tolerances of single precision."""
    original = keras.Model.train_on_batch

    def train_on_batch(self: Any, *arguments: Any, **rest: Any) -> Any:
        result = original(self, *arguments, **rest)
        stream = np.random.RandomState(5)
        values = [
            value + (1e-9 * stream.normal(size=value.shape)).astype(value.dtype) if value.ndim == 2 else value
            for value in self.get_weights()
        ]
        self.set_weights(values)
        return result

    keras.Model.train_on_batch = train_on_batch


def _wrap_last_unit(keras_class: Any) -> None:
    """Makes the output of that layer's last filter or unit larger by a millionth."""
    original = keras_class.call

    @functools.wraps(original)  # Keras reads from the signature what to hand over
    def call(self: Any, *arguments: Any, **rest: Any) -> Any:
        import tensorflow as tf

        result = original(self, *arguments, **rest)
        outputs = result[0] if isinstance(result, tuple) else result
        scale = np.ones(outputs.shape[-1])
        scale[-1] += 1e-6
        scaled = outputs * tf.cast(scale, outputs.dtype)
        return (scaled, [scaled, *result[1][1:]]) if isinstance(result, tuple) else scaled

    keras_class.call = call


@mutant("first-step-idle", "the first call of train_on_batch changes no kernel", caught_by=("SYM05",), on=KERAS)
def idle_first_step(keras: Any) -> None:
    original = keras.Model.train_on_batch

    def train_on_batch(self: Any, *arguments: Any, **rest: Any) -> Any:
        before, first = self.get_weights(), not getattr(self, "_initcheck_trained", False)
        result = original(self, *arguments, **rest)
        if first:
            self._initcheck_trained = True
            pairs = zip(before, self.get_weights(), strict=True)
            self.set_weights([old if old.ndim == 2 else new for old, new in pairs])
        return result

    keras.Model.train_on_batch = train_on_batch


@mutant("filter-scale", "the last filter of a Conv2D gives out a millionth more", caught_by=("SYM10",))
def scale_last_filter(keras: Any) -> None:
    """Dense layers are right."""
    _wrap_last_unit(keras.layers.Conv2D)


@mutant("recurrent-unit-scale", "the last unit of a SimpleRNN gives out a millionth more", caught_by=("SYM10",))
def scale_last_recurrent_unit(keras: Any) -> None:
    """So is the state that it passes to the next step."""
    _wrap_last_unit(keras.layers.SimpleRNNCell)


@mutant(
    "dense-unit-tenth",
    "the last unit of a dense layer gives out a tenth more",
    caught_by=("SYM01", "SYM02", "SYM03"),
    on=_SINGLE,
)
def scale_last_unit_of_single_precision(keras: Any) -> None:
    """As much as the bounds of single precision let show."""
    _wrap_dense(keras, lambda outputs: outputs * as_tensor(_last_one(outputs.shape[-1], 1.1)))


@mutant(
    "dense-leaks-half-a-unit",
    "each unit of a dense layer takes up half of its neighbour",
    caught_by=("SYM07",),
    on=_SINGLE,
)
def leak_half_a_unit(keras: Any) -> None:
    """Equal units stay equal; permuted ones show it, as they have other neighbours."""
    _wrap_dense(keras, lambda outputs: outputs + 0.5 * keras.ops.roll(outputs, 1, axis=-1))


@mutant("filter-halved", "the last filter of a Conv2D gives out half as much", caught_by=("SYM10",), on=_SINGLE)
def halve_last_filter(keras: Any) -> None:
    """Dense layers are right."""
    original = keras.layers.Conv2D.call
    keras.layers.Conv2D.call = lambda self, inputs: original(self, inputs) * as_tensor(_last_one(self.filters, 0.5))


def _last_one(count: int, last: float) -> np.ndarray[Any, Any]:
    """So many ones, but for the last."""
    return np.array([*[1.0] * (count - 1), last], np.float32)


@mutant("dense-identity", "harmless: a dense layer passes its output through an identity")
def identity(keras: Any) -> None:

    def change(outputs: Any) -> Any:
        import tensorflow as tf

        return tf.identity(outputs)

    _wrap_dense(keras, change)
