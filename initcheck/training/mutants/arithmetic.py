"""Faults in the arithmetic of training, each only just wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from initcheck.training.mutants.registry import mutant


def _mutant(name: str, title: str) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    return mutant(name, title, family="arithmetic")


def _step_with(keras_class: Any, attribute: str, change: Callable[[Any], Any]) -> None:
    """Lets the optimizer of that class step with another value of one of its attributes."""
    original = keras_class.update_step

    def update_step(self: Any, *args: Any, **options: Any) -> Any:
        told = getattr(self, attribute)
        setattr(self, attribute, change(told))
        try:
            return original(self, *args, **options)
        finally:
            setattr(self, attribute, told)

    keras_class.update_step = update_step


def _step_scaled(keras_class: Any, factor: Callable[[Any], Any]) -> None:
    """Makes every step of that class longer by a factor."""
    import tensorflow as tf

    original = keras_class.update_step

    def update_step(self: Any, gradient: Any, variable: Any, *args: Any) -> Any:
        before = tf.identity(tf.convert_to_tensor(variable))
        original(self, gradient, variable, *args)
        after = tf.convert_to_tensor(variable)
        variable.assign(before + (after - before) * tf.cast(factor(self), before.dtype))

    keras_class.update_step = update_step


@_mutant("rmsprop-rho", "RMSprop steps with rho 0.89 where it is 0.9")
def rmsprop_rho(keras: Any) -> None:
    """Off by a hundredth."""
    _step_with(keras.optimizers.RMSprop, "rho", lambda rho: 0.89 if rho == 0.9 else rho)


@_mutant("rmsprop-epsilon", "RMSprop steps with epsilon 1e-6 where it is 1e-7")
def rmsprop_epsilon(keras: Any) -> None:
    """Shows for small gradients only."""
    _step_with(keras.optimizers.RMSprop, "epsilon", lambda epsilon: 1e-6 if epsilon == 1e-7 else epsilon)


@_mutant("adam-beta-2", "Adam steps with beta_2 0.998 where it is 0.999")
def adam_beta_2(keras: Any) -> None:
    """Bias correction hides most of it."""
    _step_with(keras.optimizers.Adam, "beta_2", lambda beta: 0.998 if beta == 0.999 else beta)


@_mutant("adam-no-bias-correction", "Adam steps without correcting the bias of its averages")
def adam_no_bias_correction(keras: Any) -> None:
    """The steps are too long at first, right in the end."""
    import tensorflow as tf

    def undo(self: Any) -> Any:
        step = tf.cast(self.iterations + 1, tf.float32)
        return (1 - tf.pow(float(self.beta_1), step)) / tf.sqrt(1 - tf.pow(float(self.beta_2), step))

    _step_scaled(keras.optimizers.Adam, undo)


@_mutant("adamw-weight-decay", "AdamW's weight decay is off by a tenth")
def adamw_weight_decay(keras: Any) -> None:
    """From its first step on."""
    original = keras.optimizers.AdamW.__init__

    def init(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        self.weight_decay = self.weight_decay * 1.1

    keras.optimizers.AdamW.__init__ = init


@_mutant("sgd-momentum-sign", "SGD's momentum brakes")
def sgd_momentum_sign(keras: Any) -> None:
    """The first step is right."""
    _step_with(keras.optimizers.SGD, "momentum", lambda momentum: -momentum)


@_mutant("sgd-nesterov-ignored", "SGD ignores nesterov")
def sgd_nesterov_ignored(keras: Any) -> None:
    """Plain momentum instead."""
    _step_with(keras.optimizers.SGD, "nesterov", lambda nesterov: False)


@_mutant("sgd-learning-rate", "SGD's learning rate is off by 1 %")
def sgd_learning_rate(keras: Any) -> None:
    """Too little to see in a loss."""
    _step_scaled(keras.optimizers.SGD, lambda optimizer: 1.01)


@_mutant("adagrad-learning-rate", "Adagrad's learning rate is off by 0.1 %")
def adagrad_learning_rate(keras: Any) -> None:
    """Too little to see in a loss."""
    _step_scaled(keras.optimizers.Adagrad, lambda optimizer: 1.001)


@_mutant("sgd-gradient-noise", "SGD's gradients carry noise of 1e-4 of their size")
def sgd_gradient_noise(keras: Any) -> None:
    """As lower precision somewhere would bring."""
    import tensorflow as tf

    original = keras.optimizers.SGD.update_step

    def update_step(self: Any, gradient: Any, *args: Any) -> Any:
        noise = tf.random.stateless_normal(tf.shape(gradient), seed=(1, 2))
        return original(self, gradient * (1.0 + 1e-4 * noise), *args)

    keras.optimizers.SGD.update_step = update_step


@_mutant("schedule-late", "ExponentialDecay is one step late")
def schedule_late(keras: Any) -> None:
    """Off by one."""
    keras_class = keras.optimizers.schedules.ExponentialDecay
    original = keras_class.__call__
    keras_class.__call__ = lambda self, step: original(self, step + 1)


@_mutant("loss-scaled", "binary crossentropy is larger by 0.1 %")
def loss_scaled(keras: Any) -> None:
    """And its gradient with it."""
    original = keras.losses.BinaryCrossentropy.call
    keras.losses.BinaryCrossentropy.call = lambda self, y_true, y_pred: original(self, y_true, y_pred) * 1.001


@_mutant("loss-sums", "mean squared error sums over the rows by default")
def loss_sums(keras: Any) -> None:
    """Instead of taking their mean."""
    original = keras.losses.MeanSquaredError.__init__

    def init(self: Any, *args: Any, **options: Any) -> None:
        options.setdefault("reduction", "sum")
        original(self, *args, **options)

    keras.losses.MeanSquaredError.__init__ = init


@_mutant("loss-ignores-sample-weight", "crossentropy of class numbers ignores sample weights")
def loss_ignores_sample_weight(keras: Any) -> None:
    """Unweighted training is right."""
    keras_class = keras.losses.SparseCategoricalCrossentropy
    original = keras_class.__call__
    keras_class.__call__ = lambda self, y_true, y_pred, sample_weight=None: original(self, y_true, y_pred)


@_mutant("accuracy-threshold", "an output of exactly ½ counts as 1")
def accuracy_threshold(keras: Any) -> None:
    """≥ instead of >."""
    import tensorflow as tf

    keras_class = keras.metrics.BinaryAccuracy
    original = keras_class.update_state

    def update_state(self: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        moved = tf.where(tf.equal(y_pred, 0.5), tf.ones_like(y_pred), y_pred)
        return original(self, y_true, moved, sample_weight)

    keras_class.update_state = update_state


@_mutant("metrics-not-reset", "losses and metrics go on from one epoch to the next")
def metrics_not_reset(keras: Any) -> None:
    """The first epoch is right."""
    keras.Model.reset_metrics = lambda self: None


@_mutant("fit-drops-last-batch", "fit drops a partial last batch of arrays")
def fit_drops_last_batch(keras: Any) -> None:
    """As drop_remainder would."""
    original = keras.Model.fit

    def fit(self: Any, x: Any = None, y: Any = None, batch_size: Any = None, **options: Any) -> Any:
        if y is not None and batch_size:
            kept = len(x) // batch_size * batch_size
            x, y = x[:kept], y[:kept]
            if options.get("sample_weight") is not None:
                options["sample_weight"] = options["sample_weight"][:kept]
        return original(self, x, y, batch_size, **options)

    keras.Model.fit = fit


@_mutant("evaluate-drops-last-batch", "evaluate drops a partial last batch of arrays")
def evaluate_drops_last_batch(keras: Any) -> None:
    """Training is right."""
    original = keras.Model.evaluate

    def evaluate(self: Any, x: Any = None, y: Any = None, batch_size: Any = None, **options: Any) -> Any:
        if y is not None and batch_size:
            kept = len(x) // batch_size * batch_size
            x, y = x[:kept], y[:kept]
        return original(self, x, y, batch_size, **options)

    keras.Model.evaluate = evaluate


@_mutant("dense-output", "what Dense computes is larger by 1e-4")
def dense_output(keras: Any) -> None:
    """As a kernel of lower precision would bring."""
    original = keras.layers.Dense.call

    def call(self: Any, inputs: Any) -> Any:
        return original(self, inputs) * 1.0001

    keras.layers.Dense.call = call


@mutant("harmless-rounding", "the steps of SGD and Adam are computed in another order, off by a rounding")
def harmless_rounding(keras: Any) -> None:
    """As another build of the same kernels would."""
    for keras_class in (keras.optimizers.SGD, keras.optimizers.Adam):
        _step_scaled(keras_class, lambda optimizer: 1.0)


@mutant("harmless-slow-step", "every call of a loss takes two milliseconds more")
def harmless_slow_step(keras: Any) -> None:
    """Time decides nothing."""
    original = keras.losses.Loss.__call__

    def call(self: Any, *args: Any, **options: Any) -> Any:
        time.sleep(0.002)
        return original(self, *args, **options)

    keras.losses.Loss.__call__ = call
