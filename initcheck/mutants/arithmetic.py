"""Faults in the arithmetic of training, each only just wrong."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor, dtype_name, is_traced
from initcheck.frameworks.operations import operations
from initcheck.mutants.changes import TRACED, step_scaled, step_with
from initcheck.mutants.mutant import mutant
from initcheck.targets import ALL_BUT_JAX, KERAS, TENSORFLOW, backend_of, target

_ONE_BY_ONE = (TENSORFLOW, "keras:jax")  # where an optimizer updates one weight after another: torch does all at once


@mutant("rmsprop-rho", "RMSprop steps with rho 0.89 where it is 0.9", caught_by=("ARI04",), on=KERAS)
def rmsprop_rho(keras: Any) -> None:
    step_with(keras.optimizers.RMSprop, "rho", lambda rho: 0.89 if rho == 0.9 else rho)


@mutant("rmsprop-epsilon", "RMSprop steps with epsilon 1e-6 where it is 1e-7", caught_by=("ARI04",), on=KERAS)
def rmsprop_epsilon(keras: Any) -> None:
    """Shows for small gradients only."""
    step_with(keras.optimizers.RMSprop, "epsilon", lambda epsilon: 1e-6 if epsilon == 1e-7 else epsilon)


@mutant("adam-beta-2", "Adam steps with beta_2 0.998 where it is 0.999", caught_by=("ARI04",), on=KERAS)
def adam_beta_2(keras: Any) -> None:
    """Bias correction hides most of it."""
    step_with(keras.optimizers.Adam, "beta_2", lambda beta: 0.998 if beta == 0.999 else beta)


@mutant(
    "adam-no-bias-correction",
    "Adam steps without correcting the bias of its averages",
    caught_by=("ARI04",),
    on=KERAS,
)
def adam_no_bias_correction(keras: Any) -> None:
    """The steps are too long at first, right in the end."""
    math = operations(keras)

    def undo(self: Any) -> Any:
        step = math.cast(self.iterations + 1, "float32")
        return (1 - math.power(float(self.beta_1), step)) / math.sqrt(1 - math.power(float(self.beta_2), step))

    step_scaled(keras.optimizers.Adam, undo)


@mutant("adamw-weight-decay", "AdamW's weight decay is off by a tenth", caught_by=("ARI04",), on=KERAS)
def adamw_weight_decay(keras: Any) -> None:
    original = keras.optimizers.AdamW.__init__

    def init(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        self.weight_decay = self.weight_decay * 1.1

    keras.optimizers.AdamW.__init__ = init


@mutant("sgd-momentum-sign", "SGD's momentum brakes", caught_by=("ARI04",), on=KERAS)
def sgd_momentum_sign(keras: Any) -> None:
    """The first step is right."""
    step_with(keras.optimizers.SGD, "momentum", lambda momentum: -momentum)


@mutant("sgd-nesterov-ignored", "SGD ignores nesterov", caught_by=("ARI04",), on=KERAS)
def sgd_nesterov_ignored(keras: Any) -> None:
    step_with(keras.optimizers.SGD, "nesterov", lambda nesterov: False)


@mutant("sgd-learning-rate", "SGD's learning rate is off by 1 %", caught_by=("ARI04", "ARI05"), on=KERAS)
def sgd_learning_rate(keras: Any) -> None:
    step_scaled(keras.optimizers.SGD, lambda optimizer: 1.01)


@mutant("adagrad-learning-rate", "Adagrad's learning rate is off by 0.1 %", caught_by=("ARI04",), on=KERAS)
def adagrad_learning_rate(keras: Any) -> None:
    step_scaled(keras.optimizers.Adagrad, lambda optimizer: 1.001)


@mutant(
    "sgd-gradient-noise",
    "SGD's gradients carry noise of 1e-4 of their size",
    caught_by=("ARI04", "ARI05"),
    on=_ONE_BY_ONE,
)
def sgd_gradient_noise(keras: Any) -> None:
    """As lower precision somewhere would bring."""
    original, math = keras.optimizers.SGD.update_step, operations(keras)

    def update_step(self: Any, gradient: Any, *args: Any) -> Any:
        noise = 1.0 + 1e-4 * np.random.RandomState(1).normal(size=gradient.shape)
        return original(self, gradient * math.cast(as_tensor(noise), gradient.dtype), *args)

    keras.optimizers.SGD.update_step = update_step


@mutant("schedule-late", "ExponentialDecay is one step late", caught_by=("ARI10",), on=KERAS)
def schedule_late(keras: Any) -> None:
    keras_class = keras.optimizers.schedules.ExponentialDecay
    original = keras_class.__call__
    keras_class.__call__ = lambda self, step: original(self, step + 1)


@mutant("loss-scaled", "binary crossentropy is larger by 0.1 %", caught_by=("ARI02",), on=KERAS)
def loss_scaled(keras: Any) -> None:
    original = keras.losses.BinaryCrossentropy.call
    keras.losses.BinaryCrossentropy.call = lambda self, y_true, y_pred: original(self, y_true, y_pred) * 1.001


@mutant("loss-sums", "mean squared error sums over the rows by default", caught_by=("ARI02",), on=KERAS)
def loss_sums(keras: Any) -> None:
    original = keras.losses.MeanSquaredError.__init__

    def init(self: Any, *args: Any, **options: Any) -> None:
        options.setdefault("reduction", "sum")
        original(self, *args, **options)

    keras.losses.MeanSquaredError.__init__ = init


@mutant(
    "loss-ignores-sample-weight", "crossentropy of class numbers ignores sample weights", caught_by=("ARI02",), on=KERAS
)
def loss_ignores_sample_weight(keras: Any) -> None:
    """Unweighted training is right."""
    keras_class = keras.losses.SparseCategoricalCrossentropy
    original = keras_class.__call__
    keras_class.__call__ = lambda self, y_true, y_pred, sample_weight=None: original(self, y_true, y_pred)


@mutant("accuracy-threshold", "an output of exactly ½ counts as 1", caught_by=("ARI09",), on=KERAS)
def accuracy_threshold(keras: Any) -> None:
    keras_class = keras.metrics.BinaryAccuracy
    original, math = keras_class.update_state, operations(keras)

    def update_state(self: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        moved = math.where(math.equal(y_pred, 0.5), math.ones_like(y_pred), y_pred)
        return original(self, y_true, moved, sample_weight)

    keras_class.update_state = update_state


@mutant(
    "metrics-not-reset",
    "losses and metrics go on from one epoch to the next",
    caught_by=("ARI06", "ARI07", "ARI11"),
    on=KERAS,
)
def metrics_not_reset(keras: Any) -> None:
    """The first epoch is right."""
    keras.Model.reset_metrics = lambda self: None


@mutant("fit-drops-last-batch", "fit drops a partial last batch of arrays", caught_by=("ARI05",), on=KERAS)
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


@mutant(
    "evaluate-drops-last-batch",
    "evaluate drops a partial last batch of arrays",
    caught_by=("ARI11", "ARI07"),
    on=ALL_BUT_JAX,
)
def evaluate_drops_last_batch(keras: Any) -> None:
    """Training is right."""
    original = keras.Model.evaluate

    def evaluate(self: Any, x: Any = None, y: Any = None, batch_size: Any = None, **options: Any) -> Any:
        if y is not None and batch_size:
            kept = len(x) // batch_size * batch_size
            x, y = x[:kept], y[:kept]
        return original(self, x, y, batch_size, **options)

    keras.Model.evaluate = evaluate


@mutant("dense-output", "what Dense computes is larger by 1e-4", caught_by=("ARI03", "ARI14"), on=KERAS)
def dense_output(keras: Any) -> None:
    """As a kernel of lower precision would bring."""
    original = keras.layers.Dense.call

    def call(self: Any, inputs: Any) -> Any:
        return original(self, inputs) * 1.0001

    keras.layers.Dense.call = call


def _rate_changes(optimizer: Any, ahead: int, behind: int) -> Any:
    """Returns the ratio of the scheduled rates of two steps; 1 if the rate is constant."""
    schedule, step = optimizer._learning_rate, optimizer.iterations
    return schedule(step + ahead) / schedule(step + behind) if hasattr(schedule, "get_config") else 1.0


def _mask_of(tensor: Any) -> Any:
    """The mask that a tensor carries."""
    if backend_of(target()) != "jax":
        return getattr(tensor, "_keras_mask", None)
    from keras.src.backend import get_keras_mask  # JAX's arrays take no attributes

    return get_keras_mask(tensor)


def _gradients_changed(keras_class: Any, change: Callable[[Any], Any]) -> None:
    """Changes every gradient that an optimizer of that class is given."""
    original = keras_class.apply_gradients

    def apply_gradients(self: Any, grads_and_vars: Any, *args: Any, **options: Any) -> Any:
        return original(self, [(change(gradient), one) for gradient, one in grads_and_vars], *args, **options)

    keras_class.apply_gradients = apply_gradients


@mutant(
    "sgd-rate-outside-velocity",
    "SGD multiplies its whole velocity by the rate of the step",
    caught_by=("ARI04",),
    on=_ONE_BY_ONE,
)
def sgd_rate_outside_velocity(keras: Any) -> None:
    """The same where the rate is constant."""
    original, math = keras.optimizers.SGD.update_step, operations(keras)

    def update_step(self: Any, *args: Any) -> Any:
        given = self.momentum
        self.momentum = given * math.where(self.iterations > 0, _rate_changes(self, 0, -1), 1.0) if given else given
        try:
            return original(self, *args)
        finally:
            self.momentum = given

    keras.optimizers.SGD.update_step = update_step


@mutant("rmsprop-schedule-late", "RMSprop reads its schedule one step late", caught_by=("ARI04",), on=KERAS)
def rmsprop_schedule_late(keras: Any) -> None:
    """Every other optimizer is right, and so is a constant rate."""
    step_scaled(keras.optimizers.RMSprop, lambda optimizer: _rate_changes(optimizer, 1, 0))


@mutant(
    "adam-counter-wraps",
    "Adam corrects its bias by the number of the step modulo 4096",
    caught_by=("ARI04",),
    on=KERAS,
)
def adam_counter_wraps(keras: Any) -> None:
    """Right for thousands of steps."""
    math = operations(keras)

    def factor(self: Any, step: Any) -> Any:
        step = math.cast(step + 1, "float32")
        return math.sqrt(1 - math.power(float(self.beta_2), step)) / (1 - math.power(float(self.beta_1), step))

    wrapped = 4096
    step_scaled(keras.optimizers.Adam, lambda one: factor(one, one.iterations % wrapped) / factor(one, one.iterations))


@mutant("adam-float64-rounded", "Adam rounds float64 gradients to float32", caught_by=("ARI04",))
def adam_float64_rounded(keras: Any) -> None:
    """Nothing shows in float32."""
    import tensorflow as tf

    def change(gradient: Any) -> Any:
        return tf.cast(tf.cast(gradient, tf.float32), gradient.dtype) if gradient.dtype == tf.float64 else gradient

    _gradients_changed(keras.optimizers.Adam, change)


@mutant("sgd-hidden-clip", "SGD clips gradients at 100 without clipvalue", caught_by=("ARI04",))
def sgd_hidden_clip(keras: Any) -> None:
    """Most gradients are smaller."""
    import tensorflow as tf

    _gradients_changed(
        keras.optimizers.SGD,
        lambda one: one if isinstance(one, tf.IndexedSlices) else tf.clip_by_value(one, -100.0, 100.0),
    )


@mutant(
    "sgd-lookups-once",
    "SGD takes the mean of the gradients of a row that is looked up several times",
    caught_by=("ARI13",),
)
def sgd_lookups_once(keras: Any) -> None:
    """Right where every row is looked up once."""
    import tensorflow as tf

    def change(gradient: Any) -> Any:
        if not isinstance(gradient, tf.IndexedSlices):
            return gradient
        indices, places = tf.unique(gradient.indices)
        values = tf.math.unsorted_segment_mean(gradient.values, places, tf.size(indices))
        return tf.IndexedSlices(values, indices, gradient.dense_shape)

    _gradients_changed(keras.optimizers.SGD, change)


@mutant("warmup-longer", "CosineDecay warms up one step longer", caught_by=("ARI10",), on=KERAS)
def warmup_longer(keras: Any) -> None:
    """Without warm-up it is right."""
    keras_class = keras.optimizers.schedules.CosineDecay
    original = keras_class.__init__

    def init(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        self.warmup_steps += self.warmup_target is not None

    keras_class.__init__ = init


@mutant("adam-by-name", 'the name "adam" means a rate of 0.0011', caught_by=("ARI12",), on=KERAS)
def adam_by_name(keras: Any) -> None:
    """The class is right."""
    original = keras.optimizers.get
    keras.optimizers.get = lambda name: keras.optimizers.Adam(0.0011) if name == "adam" else original(name)


@mutant("loss-by-name", 'the name "binary_crossentropy" means smoothed labels', caught_by=("ARI12",), on=KERAS)
def loss_by_name(keras: Any) -> None:
    """The class is right."""
    original = keras.losses.get

    def get(name: Any) -> Any:
        if name != "binary_crossentropy":
            return original(name)
        return lambda y_true, y_pred: original(name)(y_true, y_pred, label_smoothing=0.01)

    keras.losses.get = get


@mutant("loss-sums-outputs", "binary crossentropy sums over several outputs", caught_by=("ARI02",), on=KERAS)
def loss_sums_outputs(keras: Any) -> None:
    """With one output it is right."""
    original = keras.losses.BinaryCrossentropy.call
    keras.losses.BinaryCrossentropy.call = lambda self, y_true, y_pred: (
        original(self, y_true, y_pred) * y_pred.shape[-1]
    )


@mutant(
    "loss-broadcasts",
    "mean squared error takes every target of shape (n,) with every output of shape (n, 1)",
    caught_by=("ARI02",),
    on=KERAS,
)
def loss_broadcasts(keras: Any) -> None:
    """Targets of shape (n, 1) are right."""
    original, math = keras.losses.MeanSquaredError.__call__, operations(keras)

    def call(self: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if len(y_true.shape) == 1 and len(y_pred.shape) == 2:
            rows = math.shape(y_true)[0]
            pairs = (math.repeat(y_true, rows)[:, None], math.tile(y_pred, [rows, 1]))
            return original(self, *pairs)
        return original(self, y_true, y_pred, sample_weight)

    keras.losses.MeanSquaredError.__call__ = call


@mutant(
    "accuracy-of-all-outputs",
    "binary accuracy counts a row as right only if all its outputs are",
    caught_by=("ARI09",),
    on=KERAS,
)
def accuracy_of_all_outputs(keras: Any) -> None:
    """With one output it is right."""
    keras_class = keras.metrics.BinaryAccuracy
    original, math = keras_class.update_state, operations(keras)

    def update_state(self: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if len(y_pred.shape) == 2 and y_pred.shape[-1] > 1:
            right = math.all((math.cast(y_true, "float32") > 0.5) == (y_pred > 0.5), axis=-1, keepdims=True)
            y_true, y_pred = math.ones_like(right, "float32"), math.cast(right, "float32")
        return original(self, y_true, y_pred, sample_weight)

    keras_class.update_state = update_state


@mutant(
    "accuracy-broadcasts",
    "sparse accuracy takes every class number of shape (n, 1) with every row of outputs",
    caught_by=("ARI09",),
    on=KERAS,
)
def accuracy_broadcasts(keras: Any) -> None:
    """Class numbers of shape (n,) are right."""
    keras_class = keras.metrics.SparseCategoricalAccuracy
    original, math = keras_class.update_state, operations(keras)

    def update_state(self: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if len(y_true.shape) == 2 and len(y_pred.shape) == 2:
            rows = math.shape(y_true)[0]
            return original(self, math.repeat(math.reshape(y_true, [-1]), rows), math.tile(y_pred, [rows, 1]))
        return original(self, y_true, y_pred, sample_weight)

    keras_class.update_state = update_state


@mutant("softmax-overflows", "softmax takes exponentials of its input as it is", caught_by=("ARI01",), on=KERAS)
def softmax_overflows(keras: Any) -> None:
    """Right up to 88."""
    original, math = keras.activations.get, operations(keras)

    def softmax(x: Any, axis: int = -1) -> Any:
        return math.exp(x) / math.sum(math.exp(x), axis=axis, keepdims=True)

    keras.activations.get = lambda name: softmax if name == "softmax" else original(name)


@mutant("sigmoid-saturates", "sigmoid is constant beyond 15", caught_by=("ARI01",), on=KERAS)
def sigmoid_saturates(keras: Any) -> None:
    """Off by 3e-7."""
    original, math = keras.activations.get, operations(keras)
    keras.activations.get = lambda name: (
        (lambda x: original(name)(math.clip(x, -15.0, 15.0))) if name == "sigmoid" else original(name)
    )


@mutant(
    "moving-average-faster",
    "batch normalization's moving averages keep 98.9 % of themselves by default",
    caught_by=("ARI14",),
    on=KERAS,
)
def moving_average_faster(keras: Any) -> None:
    keras_class = keras.layers.BatchNormalization
    original = keras_class.__init__

    def init(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **{"momentum": 0.989, **options})

    keras_class.__init__ = init


@mutant("evaluate-ignores-sample-weight", "evaluate ignores sample weights", caught_by=("ARI11", "ARI06"), on=KERAS)
def evaluate_ignores_sample_weight(keras: Any) -> None:
    """Training is right."""
    original = keras.Model.evaluate

    def evaluate(self: Any, *args: Any, sample_weight: Any = None, **options: Any) -> Any:
        return original(self, *args, **options)

    keras.Model.evaluate = evaluate


@mutant(
    "validation-ignores-sample-weight",
    "fit ignores the sample weights of its validation rows",
    caught_by=("ARI11", "ARI06"),
    on=KERAS,
)
def validation_ignores_sample_weight(keras: Any) -> None:
    """Training is right."""
    original = keras.Model.fit

    def fit(self: Any, *args: Any, validation_data: Any = None, **options: Any) -> Any:
        return original(self, *args, validation_data=validation_data and validation_data[:2], **options)

    keras.Model.fit = fit


@mutant("class-weights-normalized", "fit divides class weights by their mean", caught_by=("ARI05",), on=KERAS)
def class_weights_normalized(keras: Any) -> None:
    """Their ratios are right."""
    original = keras.Model.fit

    def fit(self: Any, *args: Any, class_weight: Any = None, **options: Any) -> Any:
        if class_weight:
            mean = sum(class_weight.values()) / len(class_weight)
            class_weight = {number: weight / mean for number, weight in class_weight.items()}
        return original(self, *args, class_weight=class_weight, **options)

    keras.Model.fit = fit


@mutant("weighted-metrics-unweighted", "compile takes weighted metrics for plain ones", caught_by=("ARI07",), on=KERAS)
def weighted_metrics_unweighted(keras: Any) -> None:
    """The loss is weighted, and rightly so."""
    original = keras.Model.compile

    def compile_plainly(
        self: Any, *args: Any, metrics: Any = None, weighted_metrics: Any = None, **options: Any
    ) -> Any:
        return original(self, *args, metrics=[*(metrics or []), *(weighted_metrics or [])], **options)

    keras.Model.compile = compile_plainly


@mutant(
    "schedule-frozen-in-graph",
    "a traced step keeps the learning rate of the step at which it was traced",
    caught_by=("ARI05",),
    on=TRACED,
)
def schedule_frozen_in_graph(keras: Any) -> None:
    """Eager steps take the rate of their own step."""
    keras_class = keras.optimizers.schedules.ExponentialDecay
    original, math = keras_class.__call__, operations(keras)

    def call(self: Any, step: Any) -> Any:
        return original(self, step * 0 if is_traced(math.convert_to_tensor(step)) else step)

    keras_class.__call__ = call


@mutant("clip-by-lookup-lost", "gradients of an Embedding are not clipped by value", caught_by=("ARI13",))
def clip_by_lookup_lost(keras: Any) -> None:
    """Those of other weights are."""
    import tensorflow as tf

    original = keras.optimizers.SGD.apply_gradients

    def apply_gradients(self: Any, pairs: Any, *args: Any, **options: Any) -> Any:
        pairs = list(pairs)
        given, sparse = self.clipvalue, any(isinstance(gradient, tf.IndexedSlices) for gradient, _ in pairs)
        if sparse:
            self.clipvalue = None
        try:
            return original(self, pairs, *args, **options)
        finally:
            self.clipvalue = given

    keras.optimizers.SGD.apply_gradients = apply_gradients


@mutant(
    "evaluate-moves-weights",
    "evaluate leaves the first weight a unit in the last place larger",
    caught_by=("ARI08",),
    on=KERAS,
)
def evaluate_moves_weights(keras: Any) -> None:
    """Its results are right."""
    original = keras.Model.evaluate

    def evaluate(self: Any, *args: Any, **options: Any) -> Any:
        results = original(self, *args, **options)
        weights = self.get_weights()
        weights[0] = np.nextafter(weights[0], np.float32(np.inf))
        self.set_weights(weights)
        return results

    keras.Model.evaluate = evaluate


@mutant("evaluate-drops-units", "evaluate runs Dropout as in training", caught_by=("ARI15",), on=KERAS)
def evaluate_drops_units(keras: Any) -> None:
    """Fit and predict run it rightly."""
    tested: list[bool] = []
    test_step, call = keras.Model.test_step, keras.layers.Dropout.call

    def step(self: Any, *state_and_data: Any) -> Any:
        tested.append(True)
        try:
            return test_step(self, *state_and_data)
        finally:
            tested.pop()

    def call_dropout(self: Any, inputs: Any, training: Any = False) -> Any:
        return call(self, inputs, training=training or bool(tested))

    keras.Model.test_step, keras.layers.Dropout.call = step, call_dropout


@mutant(
    "predict-on-batch-moves-weights",
    "predict_on_batch leaves the first weight a unit in the last place larger",
    caught_by=("ARI22",),
    on=KERAS,
)
def predict_on_batch_moves_weights(keras: Any) -> None:
    """Its outputs are right."""
    original = keras.Model.predict_on_batch

    def predict_on_batch(self: Any, *args: Any, **options: Any) -> Any:
        outputs = original(self, *args, **options)
        weights = self.get_weights()
        weights[0] = np.nextafter(weights[0], np.float32(np.inf))
        self.set_weights(weights)
        return outputs

    keras.Model.predict_on_batch = predict_on_batch


@mutant(
    "gamma-in-half-precision",
    "under a mixed policy GroupNormalization stores its weights in the type in which it computes",
    caught_by=("ARI21",),
    on=KERAS,
)
def gamma_in_half_precision(keras: Any) -> None:
    """Under other policies the two types are one."""
    original = keras.layers.GroupNormalization.add_weight

    def add_weight(self: Any, *args: Any, **options: Any) -> Any:
        return original(self, *args, **{**options, "dtype": self.compute_dtype})

    keras.layers.GroupNormalization.add_weight = add_weight


@mutant(
    "plain-call-is-inference",
    "a plain call of a model runs all its layers as in inference, those with training=True, too",
    caught_by=("ARI23",),
    on=KERAS,
)
def plain_call_is_inference(keras: Any) -> None:
    """Calls with the argument, and fit, are as before."""
    functional = type(keras.Model(one := keras.Input((1,)), one))
    original = functional.call

    def call(self: Any, inputs: Any, training: Any = None, mask: Any = None, **options: Any) -> Any:
        return original(self, inputs, training=bool(training), mask=mask, **options)

    functional.call = call


@mutant(
    "squares-in-half-precision",
    "a LayerNormalization of float16 is zero where the sum of squares overflows",
    caught_by=("ARI27",),
    on=KERAS,
)
def squares_in_half_precision(keras: Any) -> None:
    """Inputs below some hundreds, and other types, are as before."""
    original, math = keras.layers.LayerNormalization.call, operations(keras)

    def call(self: Any, inputs: Any) -> Any:
        inputs, outputs = math.convert_to_tensor(inputs), original(self, inputs)
        if dtype_name(inputs) != "float16":
            return outputs
        finite = math.isfinite(math.sum(inputs * inputs, -1, keepdims=True))
        return math.where(finite, outputs, math.zeros_like(outputs))

    keras.layers.LayerNormalization.call = call


@mutant("autocast-ignored", "a layer with autocast=False casts its inputs nevertheless", caught_by=("ARI28",), on=KERAS)
def autocast_ignored(keras: Any) -> None:
    """Other layers cast them, and rightly so."""
    original = keras.layers.Layer.__init__

    def init(self: Any, *args: Any, **options: Any) -> None:
        options.pop("autocast", None)
        original(self, *args, **options)

    keras.layers.Layer.__init__ = init


@mutant(
    "frozen-averages-move",
    "the moving mean of a frozen BatchNormalization moves in training",
    caught_by=("ARI26",),
    on=KERAS,
)
def frozen_averages_move(keras: Any) -> None:
    """Its output is that of inference."""
    original, math = keras.layers.BatchNormalization.call, operations(keras)

    def call(self: Any, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        outputs = original(self, inputs, training=training, mask=mask)
        if training and not self.trainable:
            axes = list(range(len(inputs.shape) - 1))
            mean = math.cast(math.mean(inputs, axes), self.moving_mean.dtype)
            self.moving_mean.assign(self.moving_mean * 0.99 + mean * 0.01)
        return outputs

    keras.layers.BatchNormalization.call = call


@mutant(
    "frozen-dropout-drops-nothing", "a frozen Dropout passes on its input in training", caught_by=("ARI26",), on=KERAS
)
def frozen_dropout_drops_nothing(keras: Any) -> None:
    """As a frozen batch normalization would."""
    original = keras.layers.Dropout.call

    def call(self: Any, inputs: Any, training: Any = False) -> Any:
        return original(self, inputs, training=training and self.trainable)

    keras.layers.Dropout.call = call


@mutant(
    "normalization-gradient-cut",
    "no gradient runs through the variance of a LayerNormalization",
    caught_by=("ARI16",),
    on=KERAS,
)
def normalization_gradient_cut(keras: Any) -> None:
    """Its output is right."""
    math = operations(keras)

    def call(self: Any, inputs: Any) -> Any:
        mean, variance = math.mean(inputs, -1, keepdims=True), math.var(inputs, -1, keepdims=True)
        scale = math.stop_gradient(1 / math.sqrt(variance + math.cast(self.epsilon, inputs.dtype)))
        return (inputs - mean) * scale * self.gamma + self.beta

    keras.layers.LayerNormalization.call = call


@mutant("harmless-rounding", "the steps of SGD and Adam are computed in another order, off by a rounding", on=KERAS)
def harmless_rounding(keras: Any) -> None:
    """As another build of the same kernels would."""
    for keras_class in (keras.optimizers.SGD, keras.optimizers.Adam):
        step_scaled(keras_class, lambda optimizer: 1.0)


@mutant("harmless-slow-step", "every call of a loss takes two milliseconds more")
def harmless_slow_step(keras: Any) -> None:
    original = keras.losses.Loss.__call__

    def call(self: Any, *args: Any, **options: Any) -> Any:
        time.sleep(0.002)
        return original(self, *args, **options)

    keras.losses.Loss.__call__ = call


@mutant(
    "graph-pools-more",
    "in a graph AveragePooling1D divides by its window also at the edge",
    caught_by=("ARI17",),
    on=TRACED,
)
def graph_pools_more(keras: Any) -> None:
    """Eagerly, and without padding, it is right."""
    original = keras.layers.AveragePooling1D.call

    def call(self: Any, inputs: Any) -> Any:
        pooled = original(self, inputs)
        if not is_traced(inputs) or self.padding != "same" or inputs.shape[1] is None:
            return pooled
        (window,), (step,) = (one if isinstance(one, tuple) else (one,) for one in (self.pool_size, self.strides))
        steps, starts = inputs.shape[1], step * np.arange(pooled.shape[1])
        starts -= max(starts[-1] + window - steps, 0) // 2
        cells = np.minimum(starts + window, steps) - np.maximum(starts, 0)
        return pooled * as_tensor((cells / window).astype(np.float32)[:, None])

    keras.layers.AveragePooling1D.call = call


@mutant(
    "cropping-from-start", "Cropping2D cuts at the start what it should cut at the end", caught_by=("ARI14",), on=KERAS
)
def cropping_from_start(keras: Any) -> None:
    """Where both are equal it is right."""
    original = keras.layers.Cropping2D.__init__

    def init(self: Any, cropping: Any = ((0, 0), (0, 0)), data_format: Any = None, **options: Any) -> None:
        original(self, cropping=cropping, data_format=data_format, **options)
        self.cropping = tuple((end, start) for start, end in self.cropping)

    keras.layers.Cropping2D.__init__ = init


@mutant(
    "resizing-by-corners",
    "Resizing takes the nearest pixel of each corner, not of the middle",
    caught_by=("ARI14",),
    on=KERAS,
)
def resizing_by_corners(keras: Any) -> None:
    """As TensorFlow 1 did: a shift by half a pixel."""
    original, math = keras.layers.Resizing.call, operations(keras)

    def call(self: Any, inputs: Any, **options: Any) -> Any:
        if self.interpolation != "nearest":
            return original(self, inputs, **options)
        for axis, size in ((-3, self.height), (-2, self.width)):
            places = np.arange(size) * inputs.shape[axis] // size
            inputs = math.take(inputs, places, axis=axis)
        return inputs

    keras.layers.Resizing.call = call


@mutant(
    "activity-loss-summed",
    "ActivityRegularization adds the sum over rows, not their mean",
    caught_by=("ARI14",),
    on=KERAS,
)
def activity_loss_summed(keras: Any) -> None:
    original = keras.layers.ActivityRegularization.__init__

    def init(self: Any, l1: float = 0.0, l2: float = 0.0, **options: Any) -> None:
        original(self, l1=l1, l2=l2, **options)
        penalty = self.activity_regularizer
        self.activity_regularizer = lambda x: penalty(x) * float(x.shape[0] or 1)

    keras.layers.ActivityRegularization.__init__ = init


@mutant(
    "causal-mask-lost-with-scores",
    "MultiHeadAttention ignores use_causal_mask where it returns its scores",
    caught_by=("ARI18",),
    on=KERAS,
)
def causal_mask_lost_with_scores(keras: Any) -> None:
    """Without scores it is right (https://github.com/keras-team/keras/issues/23038)."""
    original = keras.layers.MultiHeadAttention.call

    @functools.wraps(original)
    def call(self: Any, *args: Any, **options: Any) -> Any:
        if options.get("return_attention_scores"):
            options["use_causal_mask"] = False
        return original(self, *args, **options)

    keras.layers.MultiHeadAttention.call = call


@mutant(
    "attention-ignores-padding", "MultiHeadAttention ignores the mask of its values", caught_by=("ARI18",), on=KERAS
)
def attention_ignores_padding(keras: Any) -> None:
    """Its own attention_mask and use_causal_mask are right."""
    keras_class = keras.layers.MultiHeadAttention
    original = keras_class._compute_attention_mask

    @functools.wraps(original)
    def masks(self: Any, *args: Any, **options: Any) -> Any:
        return original(self, *args, **{**options, "value_mask": None})

    keras_class._compute_attention_mask = masks


@mutant(
    "backward-mask-not-reversed", "an LSTM that goes backwards takes its mask forwards", caught_by=("ARI18",), on=KERAS
)
def backward_mask_not_reversed(keras: Any) -> None:
    """A mask that reads the same both ways hides it."""
    original, math = keras.layers.LSTM.call, operations(keras)

    @functools.wraps(original)
    def call(self: Any, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None) -> Any:
        if mask is not None and self.go_backwards:
            mask = math.flip(mask, 1)
        return original(self, sequences, initial_state=initial_state, mask=mask, training=training)

    keras.layers.LSTM.call = call


@mutant("dense-drops-mask", "no mask leaves a Dense in bfloat16", caught_by=("ARI19",), on=KERAS)
def dense_drops_mask(keras: Any) -> None:
    """In float32 it passes on the mask."""
    keras.layers.Dense.compute_mask = lambda self, inputs, mask=None: None if self.compute_dtype == "bfloat16" else mask


@mutant(
    "masked-loss-of-all-steps", "the mean loss of masked sequences divides by all steps", caught_by=("ARI20",), on=KERAS
)
def masked_loss_of_all_steps(keras: Any) -> None:
    """Masked steps add nothing to it, but count."""
    original, math = keras.losses.Loss.__call__, operations(keras)

    def call(self: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        mask = _mask_of(y_pred)
        if mask is not None:
            seen = math.cast(mask, y_pred.dtype)
            sample_weight = seen if sample_weight is None else math.cast(sample_weight, y_pred.dtype) * seen
            y_pred = math.copy(y_pred)
        return original(self, y_true, y_pred, sample_weight)

    keras.losses.Loss.__call__ = call


@mutant(
    "gru-resets-more",
    "the reset gate of a GRU that resets before the product is a hundredth larger",
    caught_by=("ARI14",),
    on=KERAS,
)
def gru_resets_more(keras: Any) -> None:
    """A GRU that resets after it, as is the default, is right."""
    original = keras.layers.GRUCell.call

    def call(self: Any, inputs: Any, states: Any, *args: Any, **options: Any) -> Any:
        if self.reset_after:
            return original(self, inputs, states, *args, **options)
        given, calls = self.recurrent_activation, []

        def gate(x: Any) -> Any:
            calls.append(x)
            return given(x) * (1.01 if len(calls) == 2 else 1.0)

        self.recurrent_activation = gate
        try:
            return original(self, inputs, states, *args, **options)
        finally:
            self.recurrent_activation = given

    keras.layers.GRUCell.call = call


@mutant("bidirectional-averages-nothing", "Bidirectional's mode ave adds", caught_by=("ARI14",), on=KERAS)
def bidirectional_averages_nothing(keras: Any) -> None:
    """The other modes are right."""
    original = keras.layers.Bidirectional.call

    @functools.wraps(original)
    def call(self: Any, *args: Any, **options: Any) -> Any:
        output = original(self, *args, **options)
        return output * 2 if self.merge_mode == "ave" else output

    keras.layers.Bidirectional.call = call


@mutant(
    "mean-of-known-steps",
    "a GlobalAveragePooling1D divides by the number of steps of its first inputs",
    caught_by=("ARI29",),
    on=KERAS,
)
def mean_of_known_steps(keras: Any) -> None:
    """A layer that is always called with one shape is as before."""
    original, math = keras.layers.GlobalAveragePooling1D.call, operations(keras)

    def call(self: Any, inputs: Any, mask: Any = None) -> Any:
        steps = math.cast(math.shape(inputs)[1], inputs.dtype)
        self.first = getattr(self, "first", None) or inputs.shape[1]
        return original(self, inputs, mask=mask) * (steps / math.cast(self.first, inputs.dtype))

    keras.layers.GlobalAveragePooling1D.call = call


@mutant(
    "announced-with-padding", "a MaxPooling1D announces one step more than it returns", caught_by=("ARI24",), on=KERAS
)
def announced_with_padding(keras: Any) -> None:
    """What it returns is as before."""
    original = keras.layers.MaxPooling1D.compute_output_shape

    def compute_output_shape(self: Any, input_shape: Any) -> Any:
        rows, steps, *rest = original(self, input_shape)
        return (rows, steps + 1, *rest)

    keras.layers.MaxPooling1D.compute_output_shape = compute_output_shape


@mutant(
    "states-outlive-reset",
    "reset_state leaves the states of a stateful layer as they are",
    caught_by=("ARI25",),
    on=KERAS,
)
def states_outlive_reset(keras: Any) -> None:
    """They are carried from call to call, and rightly so."""
    for name in ("reset_state", "reset_states"):
        setattr(keras.layers.RNN, name, lambda self, *args: None)


@mutant(
    "given-states-ignored",
    "a stateful layer goes on from its own states although it is given others",
    caught_by=("ARI25",),
    on=KERAS,
)
def given_states_ignored(keras: Any) -> None:
    """A layer that is not stateful takes them."""
    original = keras.layers.RNN.call

    @functools.wraps(original)
    def call(self: Any, sequences: Any, initial_state: Any = None, **options: Any) -> Any:
        return original(self, sequences, initial_state=None if self.stateful else initial_state, **options)

    keras.layers.RNN.call = call


@mutant(
    "padding-by-global-format",
    "ZeroPadding2D takes the global data format whatever it is given",
    caught_by=("ARI14",),
    on=KERAS,
)
def padding_by_global_format(keras: Any) -> None:
    """Where the two are equal it is right."""
    original = keras.layers.ZeroPadding2D.call

    @functools.wraps(original)
    def call(self: Any, *args: Any, **options: Any) -> Any:
        given = self.data_format
        self.data_format = given if given == "channels_first" else keras.backend.image_data_format()
        try:
            return original(self, *args, **options)
        finally:
            self.data_format = given

    keras.layers.ZeroPadding2D.call = call


@mutant("steps-unknown", "an LSTM forgets the number of steps of its outputs", caught_by=("ARI32",))
def steps_unknown(keras: Any) -> None:
    """Its numbers are right; what comes behind is built for any number."""
    import tensorflow as tf

    original = keras.layers.LSTM.call

    @functools.wraps(original)
    def call(self: Any, sequences: Any, *args: Any, **options: Any) -> Any:
        outputs = original(self, sequences, *args, **options)
        if not self.return_sequences or self.return_state or tf.executing_eagerly():
            return outputs
        return tf.compat.v1.placeholder_with_default(outputs, (None, None, self.units))

    keras.layers.LSTM.call = call


@mutant("boxes-behind-flips", "RandomFlip leaves boxes where they were", caught_by=("ARI33",), on=KERAS)
def boxes_behind_flips(keras: Any) -> None:
    """Its images and masks are right."""

    def transform_bounding_boxes(self: Any, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        return bounding_boxes

    keras.layers.RandomFlip.transform_bounding_boxes = transform_bounding_boxes


@mutant(
    "constraint-of-users-lost", "weights that a user's layer adds have no constraint", caught_by=("ARI30",), on=KERAS
)
def constraint_of_users_lost(keras: Any) -> None:
    """The layers of Keras itself are right."""
    original = keras.layers.Layer.add_weight

    def add_weight(self: Any, *args: Any, **options: Any) -> Any:
        if type(self).__module__.split(".")[0] not in ("keras", "tf_keras"):
            options.pop("constraint", None)
        return original(self, *args, **options)

    keras.layers.Layer.add_weight = add_weight


@mutant("popped-layer-stays", "pop takes no layer off a Sequential", caught_by=("ARI31",), on=KERAS)
def popped_layer_stays(keras: Any) -> None:
    keras.Sequential.pop = lambda self, *args, **options: None


@mutant("dice-of-all-samples", "Dice forgets its axis", caught_by=("ARI34",), on=KERAS)
def dice_of_all_samples(keras: Any) -> None:
    """Without one it is right."""
    original = keras.losses.Dice.__init__

    def init(self: Any, *args: Any, axis: Any = None, **options: Any) -> None:
        original(self, *args, axis=axis, **options)
        self._fn_kwargs["axis"] = None

    keras.losses.Dice.__init__ = init


@mutant("precision-after-reset", "Precision keeps its false positives when it is reset", caught_by=("ARI35",), on=KERAS)
def precision_after_reset(keras: Any) -> None:
    """Its first epoch is right."""
    original = keras.metrics.Precision.reset_state

    def reset_state(self: Any) -> None:
        kept = as_array(self.false_positives + 0)
        original(self)
        self.false_positives.assign(kept)

    keras.metrics.Precision.reset_state = reset_state


@mutant("averages-of-zeros", "moving averages of weights begin with zeros", caught_by=("ARI36",), on=KERAS)
def averages_of_zeros(keras: Any) -> None:
    """As in Keras 3.0.1; training itself is right, and so is what it reports."""

    def update(self: Any, trainable_variables: Any) -> None:
        for weight, average in zip(trainable_variables, self._model_variables_moving_average, strict=True):
            average.assign(self.ema_momentum * average + (1 - self.ema_momentum) * weight)

    keras.optimizers.Optimizer._update_model_variables_moving_average = update


@mutant("steps-of-muon", "Muon's momentum is 0.94 where it is 0.95", caught_by=("ARI04",), on=KERAS)
def steps_of_muon(keras: Any) -> None:
    step_with(keras.optimizers.Muon, "momentum", lambda momentum: 0.94 if momentum == 0.95 else momentum)


@mutant("losses-unweighted", "compile forgets loss_weights", caught_by=("ARI37",), on=KERAS)
def losses_unweighted(keras: Any) -> None:
    """Each output's loss is right, and their sum counts each once."""
    original = keras.Model.compile

    def compile_model(self: Any, *args: Any, **options: Any) -> Any:
        options.pop("loss_weights", None)
        return original(self, *args, **options)

    keras.Model.compile = compile_model


@mutant("stopping-remembers", "EarlyStopping keeps the best value of an earlier fit", caught_by=("ARI38",), on=KERAS)
def stopping_remembers(keras: Any) -> None:
    """As in Keras 3.11 to 3.14; its first fit is right."""
    original = keras.callbacks.EarlyStopping.on_train_begin

    def on_train_begin(self: Any, logs: Any = None) -> None:
        best = getattr(self, "best", None)
        original(self, logs)
        self.best = best

    keras.callbacks.EarlyStopping.on_train_begin = on_train_begin


@mutant("sgd-step-longer", "steps of SGD are longer by 0.1 %", caught_by=("ARI36", "ARI37"), on=KERAS)
def sgd_step_longer(keras: Any) -> None:
    step_scaled(keras.optimizers.SGD, lambda optimizer: 1.001)


@mutant("clipnorm-looser", "clipnorm leaves gradients longer by 0.1 %", caught_by=("ARI36",), on=KERAS)
def clipnorm_looser(keras: Any) -> None:
    """Other clips are right."""
    original = keras.optimizers.Optimizer._clip_by_norm

    def clip(self: Any, *args: Any, **options: Any) -> Any:
        return original(self, *args, **options) * 1.001

    keras.optimizers.Optimizer._clip_by_norm = clip


@mutant("metrics-outlive-epochs", "the metrics of compile go on into the next epoch", caught_by=("ARI37",), on=KERAS)
def metrics_outlive_epochs(keras: Any) -> None:
    """Losses do not."""
    original = keras.Model.reset_metrics

    def reset_metrics(self: Any) -> None:
        kept = [(one, np.array(one)) for one in self._compile_metrics.variables] if self._compile_metrics else []
        original(self)
        for variable, value in kept:
            variable.assign(value)

    keras.Model.reset_metrics = reset_metrics


@mutant(
    "norm-not-kept",
    "SpectralNormalization computes with the kernel that it has divided, and does not keep it",
    caught_by=("ARI37",),
    on=ALL_BUT_JAX,
)
def norm_not_kept(keras: Any) -> None:
    """As on JAX; outputs in training are right."""
    original = keras.layers.SpectralNormalization.call

    @functools.wraps(original)
    def call(self: Any, *args: Any, **options: Any) -> Any:
        before = self.kernel + 0
        output = original(self, *args, **options)
        self.kernel.assign(before)
        return output

    keras.layers.SpectralNormalization.call = call


@mutant("plateau-longer", "ReduceLROnPlateau waits an epoch more than its patience", caught_by=("ARI38",), on=KERAS)
def plateau_longer(keras: Any) -> None:
    original = keras.callbacks.ReduceLROnPlateau.__init__

    @functools.wraps(original)
    def init(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        self.patience += 1

    keras.callbacks.ReduceLROnPlateau.__init__ = init
