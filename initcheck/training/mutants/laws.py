"""Faults in the laws of initial weights, each only just wrong."""

from __future__ import annotations

import math
from typing import Any

from initcheck.training.mutants.registry import mutant


def _wrap_call(keras_class: Any, change: Any) -> None:
    """Replaces ``__call__`` of a class by ``change(original, self, shape, dtype)``."""
    original = keras_class.__call__

    def call(self: Any, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return change(lambda *a, **k: original(self, *a, **k), self, tuple(shape), dtype)

    keras_class.__call__ = call


def _scaled(keras: Any, values: Any, factor: float) -> Any:
    import tensorflow as tf

    return values * tf.cast(factor, values.dtype)


@mutant("scale-2-percent", "he_normal's standard deviation is 2 % too large", family="laws")
def _scale(keras: Any) -> None:
    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        return _scaled(keras, draw(shape, dtype), 1.02)

    _wrap_call(keras.initializers.HeNormal, change)


@mutant("truncation-uncorrected", "scaled truncated normal draws lack the division by 0.8796", family="laws")
def _truncation(keras: Any) -> None:
    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        factor = 0.87962566103423978 if self.distribution == "truncated_normal" else 1.0
        return _scaled(keras, draw(shape, dtype), factor)

    _wrap_call(keras.initializers.VarianceScaling, change)


@mutant("uniform-limit-0.2-percent", "scaled uniform draws reach 0.2 % less far than sqrt(3·scale/n)", family="laws")
def _limit(keras: Any) -> None:
    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        return _scaled(keras, draw(shape, dtype), 0.998 if self.distribution == "uniform" else 1.0)

    _wrap_call(keras.initializers.VarianceScaling, change)


@mutant("window-forgotten", "fans of kernels of rank 5 leave out one axis of the window", family="laws")
def _window(keras: Any) -> None:
    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        factor = math.sqrt(shape[0]) if len(shape) == 5 else 1.0
        return _scaled(keras, draw(shape, dtype), factor)

    _wrap_call(keras.initializers.VarianceScaling, change)


@mutant("vector-fan-halved", "the fan of a vector is half its length", family="laws")
def _vector(keras: Any) -> None:
    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        return _scaled(keras, draw(shape, dtype), math.sqrt(2.0) if len(shape) == 1 else 1.0)

    _wrap_call(keras.initializers.VarianceScaling, change)


@mutant("mean-ignored", "RandomNormal(mean=…) draws around 2 % less than the mean", family="laws")
def _mean(keras: Any) -> None:
    import tensorflow as tf

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        values = draw(shape, dtype)
        return values - tf.cast(0.02 * self.mean, values.dtype)

    _wrap_call(keras.initializers.RandomNormal, change)


@mutant("twelve-bits", "RandomUniform draws 12 random bits, not 23", family="laws")
def _resolution(keras: Any) -> None:
    import tensorflow as tf

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        values = draw(shape, dtype)
        cell = (self.maxval - self.minval) / 4096
        return (tf.floor((values - self.minval) / cell) + 0.5) * cell + self.minval

    _wrap_call(keras.initializers.RandomUniform, change)


@mutant("repeated-block", "the second half of a large draw repeats the first with its sign turned", family="laws")
def _repeated(keras: Any) -> None:
    import tensorflow as tf

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        values = draw(shape, dtype)
        flat = tf.reshape(values, [-1])
        half = math.prod(shape) // 2
        if half < 1000:
            return values
        return tf.reshape(tf.concat([flat[: math.prod(shape) - half], 2 * self.mean - flat[:half]], 0), shape)

    _wrap_call(keras.initializers.RandomNormal, change)


@mutant("centred-rows", "the columns of a random normal matrix are shifted so that each has the mean", family="laws")
def _centred(keras: Any) -> None:
    import tensorflow as tf

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        values = draw(shape, dtype)
        if len(shape) != 2 or shape[0] < 50:
            return values
        return values - tf.reduce_mean(values, axis=0, keepdims=True) + tf.cast(self.mean, values.dtype)

    _wrap_call(keras.initializers.RandomNormal, change)


@mutant("orthogonal-signs", "orthogonal draws lack the correction of signs that makes them uniform", family="laws")
def _signs(keras: Any) -> None:
    import tensorflow as tf

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        values = draw(shape, dtype)
        rows, columns = math.prod(shape[:-1]), shape[-1]
        matrix = tf.reshape(values, (rows, columns))
        first = matrix[:1] if rows >= columns else matrix[:, :1]
        return tf.reshape(-matrix * tf.sign(first), shape)

    _wrap_call(keras.initializers.Orthogonal, change)


@mutant("gain-lost", "Orthogonal(gain=g) multiplies by √g", family="laws")
def _gain(keras: Any) -> None:
    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        return _scaled(keras, draw(shape, dtype), 1 / math.sqrt(self.gain))

    _wrap_call(keras.initializers.Orthogonal, change)


@mutant("dense-default-normal", "Dense draws its kernel from glorot_normal by default", family="laws")
def _default(keras: Any) -> None:
    original = keras.layers.Dense.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        if len(args) < 4:
            kwargs.setdefault("kernel_initializer", "glorot_normal")
        original(self, *args, **kwargs)

    keras.layers.Dense.__init__ = init


@mutant("forget-gate-closed", "an LSTM's forget gate starts with a bias of 0", family="laws")
def _forget(keras: Any) -> None:
    original = keras.layers.LSTMCell.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.unit_forget_bias = False

    keras.layers.LSTMCell.__init__ = init


@mutant("dropout-rate", "Dropout drops 0.03 more than its rate, and scales to match the rate", family="laws")
def _dropout(keras: Any) -> None:
    import tensorflow as tf

    original = keras.layers.Dropout.call

    def call(self: Any, inputs: Any, training: Any = False, **kwargs: Any) -> Any:
        outputs = original(self, inputs, training=training, **kwargs)
        if not training:
            return outputs
        noise = tf.random.stateless_uniform(tf.shape(outputs), seed=[1, int(1e6 * self.rate)])
        return tf.where(noise < 0.03, tf.zeros_like(outputs), outputs)

    keras.layers.Dropout.call = call


@mutant("slower-initializer", "he_normal takes ten times as long, and draws the same")
def _slow(keras: Any) -> None:
    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        for _ in range(9):
            draw(shape, dtype)
        return draw(shape, dtype)

    _wrap_call(keras.initializers.HeNormal, change)
