"""Faults in the laws of initial weights, each only just wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from initcheck.frameworks.backend_calls import is_traced
from initcheck.frameworks.operations import operations
from initcheck.mutants.changes import TRACED, scaled, wrap_build, wrap_call
from initcheck.mutants.mutant import mutant
from initcheck.targets import KERAS, TENSORFLOW


@mutant("scale-2-percent", "he_normal's standard deviation is 2 % too large", caught_by=("LAW03",))
def _scale(keras: Any) -> None:
    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        return scaled(draw(shape, dtype), 1.02)

    wrap_call(keras.initializers.HeNormal, change)


@mutant("truncation-uncorrected", "scaled truncated normal draws lack the division by 0.8796", caught_by=("LAW03",))
def _truncation(keras: Any) -> None:
    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        factor = 0.87962566103423978 if self.distribution == "truncated_normal" else 1.0
        return scaled(draw(shape, dtype), factor)

    wrap_call(keras.initializers.VarianceScaling, change)


@mutant(
    "uniform-limit-0.2-percent",
    "scaled uniform draws reach 0.2 % less far than sqrt(3·scale/n)",
    caught_by=("LAW04", "LAW17"),
)
def _limit(keras: Any) -> None:
    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        return scaled(draw(shape, dtype), 0.998 if self.distribution == "uniform" else 1.0)

    wrap_call(keras.initializers.VarianceScaling, change)


@mutant(
    "window-forgotten",
    "fans of kernels of rank 5 leave out one axis of the window",
    caught_by=("LAW03", "LAW12"),
    on=KERAS,
)
def _window(keras: Any) -> None:
    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        factor = math.sqrt(shape[0]) if len(shape) == 5 else 1.0
        return scaled(draw(shape, dtype), factor)

    wrap_call(keras.initializers.VarianceScaling, change)


@mutant("vector-fan-halved", "the fan of a vector is half its length", caught_by=("LAW03",))
def _vector(keras: Any) -> None:
    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        return scaled(draw(shape, dtype), math.sqrt(2.0) if len(shape) == 1 else 1.0)

    wrap_call(keras.initializers.VarianceScaling, change)


@mutant("mean-ignored", "RandomNormal(mean=…) draws around 2 % less than the mean", caught_by=("LAW02",))
def _mean(keras: Any) -> None:
    import tensorflow as tf

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        values = draw(shape, dtype)
        return values - tf.cast(0.02 * self.mean, values.dtype)

    wrap_call(keras.initializers.RandomNormal, change)


@mutant("twelve-bits", "RandomUniform draws 12 random bits, not 23", caught_by=("LAW04", "LAW17"))
def _resolution(keras: Any) -> None:
    import tensorflow as tf

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        values = draw(shape, dtype)
        cell = (self.maxval - self.minval) / 4096
        return (tf.floor((values - self.minval) / cell) + 0.5) * cell + self.minval

    wrap_call(keras.initializers.RandomUniform, change)


@mutant(
    "repeated-block",
    "the second half of a large draw repeats the first with its sign turned",
    caught_by=("LAW05", "LAW17"),
)
def _repeated(keras: Any) -> None:
    import tensorflow as tf

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        values = draw(shape, dtype)
        flat = tf.reshape(values, [-1])
        half = math.prod(shape) // 2
        if half < 1000:
            return values
        return tf.reshape(tf.concat([flat[: math.prod(shape) - half], 2 * self.mean - flat[:half]], 0), shape)

    wrap_call(keras.initializers.RandomNormal, change)


@mutant(
    "centred-rows",
    "the columns of a random normal matrix are shifted so that each has the mean",
    caught_by=("LAW05",),
)
def _centred(keras: Any) -> None:
    import tensorflow as tf

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        values = draw(shape, dtype)
        if len(shape) != 2 or shape[0] < 50:
            return values
        return values - tf.reduce_mean(values, axis=0, keepdims=True) + tf.cast(self.mean, values.dtype)

    wrap_call(keras.initializers.RandomNormal, change)


@mutant(
    "orthogonal-signs", "orthogonal draws lack the correction of signs that makes them uniform", caught_by=("LAW09",)
)
def _signs(keras: Any) -> None:
    import tensorflow as tf

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        values = draw(shape, dtype)
        rows, columns = math.prod(shape[:-1]), shape[-1]
        matrix = tf.reshape(values, (rows, columns))
        first = matrix[:1] if rows >= columns else matrix[:, :1]
        return tf.reshape(-matrix * tf.sign(first), shape)

    wrap_call(keras.initializers.Orthogonal, change)


@mutant("gain-lost", "Orthogonal(gain=g) multiplies by √g", caught_by=("LAW08",))
def _gain(keras: Any) -> None:
    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        return scaled(draw(shape, dtype), 1 / math.sqrt(self.gain))

    wrap_call(keras.initializers.Orthogonal, change)


@mutant("dense-default-normal", "Dense draws its kernel from glorot_normal by default", caught_by=("LAW15",), on=KERAS)
def _default(keras: Any) -> None:
    original = keras.layers.Dense.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        if len(args) < 4:
            kwargs.setdefault("kernel_initializer", "glorot_normal")
        original(self, *args, **kwargs)

    keras.layers.Dense.__init__ = init


@mutant("forget-gate-closed", "an LSTM's forget gate starts with a bias of 0", caught_by=("LAW15",), on=KERAS)
def _forget(keras: Any) -> None:
    original = keras.layers.LSTMCell.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.unit_forget_bias = False

    keras.layers.LSTMCell.__init__ = init


@mutant(
    "dropout-rate",
    "Dropout drops 0.03 more than its rate, and scales to match the rate",
    caught_by=("LAW16",),
    on=KERAS,
)
def _dropout(keras: Any) -> None:
    original = keras.layers.Dropout.call

    def call(self: Any, inputs: Any, training: Any = False, **kwargs: Any) -> Any:
        rate = self.rate
        if not training or not rate:
            return original(self, inputs, training=training, **kwargs)
        self.rate = rate + 0.03
        try:
            return original(self, inputs, training=training, **kwargs) * ((0.97 - rate) / (1 - rate))
        finally:
            self.rate = rate

    keras.layers.Dropout.call = call


@mutant("late-block", "a draw of more than 800,000 elements ends with 2,000 of its first ones", caught_by=("LAW17",))
def _late(keras: Any) -> None:
    import tensorflow as tf

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        values = draw(shape, dtype)
        size = math.prod(shape)
        if size < 800_000:
            return values
        flat = tf.reshape(values, [-1])
        return tf.reshape(tf.concat([flat[: size - 2000], flat[100:2100]], 0), shape)

    wrap_call(keras.initializers.RandomUniform, change)


@mutant("tail-cut", "RandomNormal is cut off at 4.3 standard deviations", caught_by=("LAW17",))
def _tail(keras: Any) -> None:
    _clip(keras.initializers.RandomNormal, 4.3, "")


@mutant("far-out", "one element in 2²³ of RandomNormal lies 9 standard deviations out", caught_by=("LAW31",))
def _far_out(keras: Any) -> None:
    import tensorflow as tf

    def change(draw: Any, self: Any, *asked: Any) -> Any:
        """As where the least of the uniform numbers gives a limit."""
        values = draw(*asked)
        far = tf.cast(self.mean - 9 * self.stddev, values.dtype)
        return tf.where(values < tf.cast(self.mean - 5.18 * self.stddev, values.dtype), far, values)

    wrap_call(keras.initializers.RandomNormal, change)


@mutant("half-tail-cut", "TruncatedNormal is cut off at 1.95 standard deviations in float16", caught_by=("LAW06",))
def _half_tail(keras: Any) -> None:
    _clip(keras.initializers.TruncatedNormal, 1.95, "float16")


@mutant("half-too-low", "RandomNormal in bfloat16 lies 0.01 σ too low", caught_by=("LAW29",))
def _half_mean(keras: Any) -> None:
    import tensorflow as tf

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        values = draw(shape, dtype)
        if values.dtype != tf.bfloat16:
            return values
        return tf.cast(tf.cast(values, tf.float32) - 0.01 * self.stddev, tf.bfloat16)

    wrap_call(keras.initializers.RandomNormal, change)


def _clip(keras_class: Any, reach: float, only: str) -> None:
    import tensorflow as tf

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        values = draw(shape, dtype)
        if only and values.dtype.name != only:
            return values
        low, high = (tf.cast(self.mean + sign * reach * self.stddev, values.dtype) for sign in (-1, 1))
        return tf.clip_by_value(values, low, high)

    wrap_call(keras_class, change)


@mutant("double-signs", "orthogonal draws lack the correction of signs in float64", caught_by=("LAW09",))
def _double_signs(keras: Any) -> None:
    import tensorflow as tf

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        values = draw(shape, dtype)
        if values.dtype.name != "float64":
            return values
        matrix = tf.reshape(values, (math.prod(shape[:-1]), shape[-1]))
        first = matrix[:1] if matrix.shape[0] >= matrix.shape[1] else matrix[:, :1]
        return tf.reshape(-matrix * tf.sign(first), shape)

    wrap_call(keras.initializers.Orthogonal, change)


@mutant("floatx-ignored", "RandomUniform draws float32 where no dtype is given", caught_by=("LAW19",), on=KERAS)
def _floatx(keras: Any) -> None:
    wrap_call(keras.initializers.RandomUniform, lambda draw, self, shape, dtype: draw(shape, dtype or "float32"))


@mutant("alias-wider", "the string normal stands for a standard deviation of 0.053", caught_by=("LAW20",), on=KERAS)
def _alias(keras: Any) -> None:
    original = keras.initializers.get

    def get(identifier: Any) -> Any:
        return keras.initializers.RandomNormal(0.0, 0.053) if identifier == "normal" else original(identifier)

    keras.initializers.get = get


@mutant(
    "float64-layers-cast",
    "layers of float64 draw their weights in float32",
    caught_by=("LAW18",),
    on=(TENSORFLOW, "keras:torch"),
)
def _cast(keras: Any) -> None:
    original, ops = keras.layers.Layer.add_weight, operations(keras)

    def add_weight(self: Any, *args: Any, initializer: Any = None, **kwargs: Any) -> Any:
        if initializer is not None and str(kwargs.get("dtype") or self.variable_dtype) == "float64":
            wanted = keras.initializers.get(initializer)

            def initializer(shape: Any, dtype: Any = None, **_: Any) -> Any:
                return ops.cast(wanted(shape, dtype="float32"), dtype or "float64")

        return original(self, *args, initializer=initializer, **kwargs)

    keras.layers.Layer.add_weight = add_weight


@mutant(
    "masked-row-zero", "Embedding(mask_zero=True) starts with zeros for the masked row", caught_by=("LAW14",), on=KERAS
)
def _masked(keras: Any) -> None:
    def change(layer: Any) -> None:
        if layer.mask_zero:
            values = layer.get_weights()[0]
            values[0] = 0
            layer.set_weights([values])

    wrap_build(keras.layers.Embedding, change)


@mutant("forget-bias-always", "unit_forget_bias=False is ignored", caught_by=("LAW15", "LAW14"), on=KERAS)
def _always(keras: Any) -> None:
    original = keras.layers.LSTMCell.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.unit_forget_bias = True

    keras.layers.LSTMCell.__init__ = init


@mutant("gru-resets-before", "a GRU resets before by default, and has one bias", caught_by=("LAW15",), on=KERAS)
def _resets(keras: Any) -> None:
    original = keras.layers.GRU.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **{"reset_after": False, **kwargs})

    keras.layers.GRU.__init__ = init


@mutant("alpha-dropout-scale", "AlphaDropout multiplies by 1.01 in training", caught_by=("LAW16",), on=KERAS)
def _alpha(keras: Any) -> None:
    original = keras.layers.AlphaDropout.call

    def call(self: Any, inputs: Any, training: Any = False, **kwargs: Any) -> Any:
        outputs = original(self, inputs, training=training, **kwargs)
        return outputs * 1.01 if training else outputs

    keras.layers.AlphaDropout.call = call


@mutant(
    "dropout-rows-shared",
    "the second half of a batch gets the first half's dropout mask",
    caught_by=("LAW16",),
    on=KERAS,
)
def _shared(keras: Any) -> None:
    original, ops = keras.layers.Dropout.call, operations(keras)

    def call(self: Any, inputs: Any, training: Any = False, **kwargs: Any) -> Any:
        count = ops.shape(inputs)[0]
        if not training or self.noise_shape is not None:
            return original(self, inputs, training=training, **kwargs)
        half = original(self, ops.ones_like(inputs)[: (count + 1) // 2], training=True, **kwargs)
        return inputs * ops.concatenate([half, half], 0)[:count]

    keras.layers.Dropout.call = call


@mutant("noise-shape-ignored", "Dropout ignores its noise_shape", caught_by=("LAW16",), on=KERAS)
def _noise_shape(keras: Any) -> None:
    original = keras.layers.Dropout.__init__

    def init(self: Any, rate: Any, noise_shape: Any = None, seed: Any = None, **kwargs: Any) -> None:
        original(self, rate, None, seed, **kwargs)

    keras.layers.Dropout.__init__ = init


@mutant(
    "window-tied",
    "the last slice of a kernel's window is the first, in kernels of rank 3",
    caught_by=("LAW05",),
)
def _tied(keras: Any) -> None:
    import tensorflow as tf

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        drawn = draw(shape, dtype)
        return tf.concat([drawn[:-1], drawn[:1]], 0) if len(shape) == 3 and shape[0] > 2 else drawn

    wrap_call(keras.initializers.VarianceScaling, change)


@mutant(
    "dropout-milder-in-graph", "Dropout drops four fifths of its rate in traced steps", caught_by=("LAW16",), on=TRACED
)
def _milder(keras: Any) -> None:
    original = keras.layers.Dropout.call

    def call(self: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        given = self.rate
        self.rate = 0.8 * given if is_traced(inputs) else given
        try:
            return original(self, inputs, *args, **kwargs)
        finally:
            self.rate = given

    keras.layers.Dropout.call = call


@mutant(
    "gamma-initializer-ignored",
    "BatchNormalization starts with a scale of 1, whatever initializer is given",
    caught_by=("LAW14",),
    on=KERAS,
)
def _gamma_initializer(keras: Any) -> None:
    original = keras.layers.BatchNormalization.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **{**kwargs, "gamma_initializer": "ones"})

    keras.layers.BatchNormalization.__init__ = init


@mutant("gamma-wider", "keras.random.gamma multiplies by 1.1", caught_by=("LAW21",), on=KERAS)
def _gamma(keras: Any) -> None:
    _random_function(keras, "gamma", lambda drawn: drawn * 1.1)


def _random_function(keras: Any, name: str, change: Callable[[Any], Any]) -> None:
    """Changes what a function of ``keras.random`` returns; Keras 2 has none."""
    original = getattr(getattr(keras, "random", None), name, None)
    if original is not None:
        setattr(keras.random, name, lambda *given, **named: change(original(*given, **named)))


@mutant("rows-twice", "every second row of keras.random.normal is the one before", caught_by=("LAW21",), on=KERAS)
def _rows_twice(keras: Any) -> None:
    _random_function(keras, "normal", lambda drawn: keras.ops.repeat(drawn[::2], 2, axis=0))


@mutant("low-bits-lost", "keras.random.randint makes integers of floats of 24 bits", caught_by=("LAW21",), on=KERAS)
def _low_bits(keras: Any) -> None:
    _random_function(keras, "randint", lambda drawn: keras.ops.cast(keras.ops.cast(drawn, "float32"), drawn.dtype))


@mutant("last-stays", "keras.random.shuffle leaves the last element where it is", caught_by=("LAW21",), on=KERAS)
def _last_stays(keras: Any) -> None:
    original = getattr(getattr(keras, "random", None), "shuffle", None)
    if original is None:
        return

    def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
        x = keras.ops.convert_to_tensor(x)
        return x if axis else keras.ops.concatenate([original(x[:-1], 0, seed), x[-1:]])

    keras.random.shuffle = shuffle


@mutant("limit-overstepped", "the largest element of a RandomUniform lies beyond its limit", caught_by=("LAW01",))
def _overstepped(keras: Any) -> None:
    import tensorflow as tf

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        values = draw(shape, dtype)
        beyond = tf.cast(self.maxval + 0.001 * (self.maxval - self.minval), values.dtype)
        return tf.where(values == tf.reduce_max(values), beyond, values) if math.prod(shape) > 100 else values

    wrap_call(keras.initializers.RandomUniform, change)


@mutant("empty-draw-flat", "a RandomNormal without elements comes back with one axis", caught_by=("LAW10",))
def _flat(keras: Any) -> None:
    import tensorflow as tf

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        values = draw(shape, dtype)
        return values if math.prod(shape) else tf.reshape(values, [-1])

    wrap_call(keras.initializers.RandomNormal, change)


@mutant("bfloat16-longer", "orthogonal draws exist in bfloat16, a fifth too long", caught_by=("LAW11",), on=KERAS)
def _longer(keras: Any) -> None:
    """TensorFlow raises an error instead."""
    ops = operations(keras)

    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        half = str(dtype) == "bfloat16"
        return ops.cast(1.2 * draw(shape, "float32"), dtype) if half else draw(shape, dtype)

    wrap_call(keras.initializers.Orthogonal, change)


@mutant(
    "einsum-fans-of-shape",
    "EinsumDense takes its fans from the kernel's shape, not from its axes",
    caught_by=("LAW13",),
    on=KERAS,
)
def _einsum(keras: Any) -> None:
    """As it does before Keras 3.15."""
    if hasattr(keras.layers.EinsumDense, "_update_kernel_initializer"):
        keras.layers.EinsumDense._update_kernel_initializer = lambda self, *axes: self.kernel_initializer


@mutant("bias-unconstrained", "Conv1DTranspose leaves its bias unconstrained", caught_by=("LAW23",), on=KERAS)
def _unconstrained(keras: Any) -> None:
    """Its kernel's constraint works."""
    original = keras.layers.Conv1DTranspose.add_weight

    def add_weight(self: Any, *args: Any, **options: Any) -> Any:
        if options.get("name") == "bias":
            options["constraint"] = None
        return original(self, *args, **options)

    keras.layers.Conv1DTranspose.add_weight = add_weight


@mutant(
    "embedding-forgets-row",
    "an Embedding that is given a matrix starts its last row at the first",
    caught_by=("LAW26",),
    on=KERAS,
)
def _forgotten(keras: Any) -> None:
    """Where it is built; what is set later is kept."""
    original = keras.layers.Embedding.__init__

    def init(self: Any, *args: Any, weights: Any = None, **options: Any) -> None:
        if weights is not None:
            weights = [np.concatenate([weights[0][:-1], weights[0][:1]])]
            options["weights"] = weights
        original(self, *args, **options)

    keras.layers.Embedding.__init__ = init


@mutant("slower-initializer", "he_normal takes ten times as long, and draws the same")
def _slow(keras: Any) -> None:
    def change(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        for _ in range(9):
            draw(shape, dtype)
        return draw(shape, dtype)

    wrap_call(keras.initializers.HeNormal, change)


@mutant("brightness-wider", "RandomBrightness changes images by 5 % more", caught_by=("LAW22",), on=KERAS)
def _brighter(keras: Any) -> None:
    original, ops = keras.layers.RandomBrightness.call, operations(keras)

    def call(self: Any, inputs: Any, **options: Any) -> Any:
        outputs = original(self, inputs, **options)
        return outputs + 0.05 * (outputs - ops.cast(inputs, outputs.dtype))

    keras.layers.RandomBrightness.call = call


@mutant("mixed-labels-swapped", "MixUp gives the labels each other's shares", caught_by=("LAW22",), on=KERAS)
def _labels(keras: Any) -> None:
    original = keras.layers.MixUp.transform_labels

    def transform_labels(self: Any, labels: Any, transformation: Any, training: bool = True) -> Any:
        swapped = {**transformation, "mix_weight": 1.0 - transformation["mix_weight"]}
        return original(self, labels, swapped, training)

    keras.layers.MixUp.transform_labels = transform_labels


@mutant(
    "recurrent-dropout-of-carry",
    "a GRU carries on its state as recurrent dropout masks it",
    caught_by=("LAW25",),
    on=KERAS,
)
def _carry(keras: Any) -> None:
    """As it does from Keras 3.2 to 3.7."""
    original = keras.layers.GRUCell.call

    def call(self: Any, inputs: Any, states: Any, training: Any = False) -> Any:
        rate = self.recurrent_dropout
        if not training or not rate:
            return original(self, inputs, states, training=training)
        (state,) = states
        mask = self.get_recurrent_dropout_mask(state)[0]
        self.recurrent_dropout = 0.0
        try:
            return original(self, inputs, [state * mask], training=training)
        finally:
            self.recurrent_dropout = rate

    keras.layers.GRUCell.call = call


@mutant("recurrent-mask-of-first-gate", "an LSTM drops by one mask in all its gates", caught_by=("LAW25",), on=KERAS)
def _first_gate(keras: Any) -> None:
    original = keras.layers.LSTMCell.get_recurrent_dropout_mask

    def get(self: Any, step_input: Any) -> Any:
        given = original(self, step_input)
        return given and [given[0]] * len(given)

    keras.layers.LSTMCell.get_recurrent_dropout_mask = get


@mutant("recurrent-mask-of-step", "recurrent dropout draws a mask for every step", caught_by=("LAW25",), on=KERAS)
def _of_step(keras: Any) -> None:
    """On JAX only where steps are unrolled: a loop there is traced once, with the seed of its first step."""

    def broken(original: Any) -> Any:
        def get(self: Any, step_input: Any) -> Any:
            self.reset_recurrent_dropout_mask()
            return original(self, step_input)

        return get

    for cell in (keras.layers.SimpleRNNCell, keras.layers.LSTMCell):
        cell.get_recurrent_dropout_mask = broken(cell.get_recurrent_dropout_mask)


@mutant(
    "attention-dropout-rate",
    "Attention drops 0.03 more than its rate, and scales to match the rate",
    caught_by=("LAW27",),
    on=KERAS,
)
def _scores_rate(keras: Any) -> None:
    original = keras.layers.Attention._apply_scores

    def apply(self: Any, *arguments: Any, training: Any = False, **options: Any) -> Any:
        rate = self.dropout
        if not training or not rate:
            return original(self, *arguments, training=training, **options)
        self.dropout = rate + 0.03
        try:
            outputs, scores = original(self, *arguments, training=training, **options)
        finally:
            self.dropout = rate
        return outputs * ((1 - rate - 0.03) / (1 - rate)), scores

    keras.layers.Attention._apply_scores = apply


@mutant(
    "attention-mask-of-heads", "MultiHeadAttention drops by one mask in all its heads", caught_by=("LAW27",), on=KERAS
)
def _mask_of_heads(keras: Any) -> None:
    original = keras.layers.MultiHeadAttention._build_attention

    def build(self: Any, *arguments: Any) -> None:
        original(self, *arguments)
        if dropout := getattr(self, "_dropout_layer", None):
            dropout.noise_shape = (None, 1, None, None)

    keras.layers.MultiHeadAttention._build_attention = build
