"""Models with one planted cause each, and what the doctor is to call it."""

from typing import Any

import numpy as np
from healthy_models import codes, compiled, images, keras, layers, pixels, series, tabular, texts, two_classes


def normal(stddev):
    """Makes an initializer for each layer, as one instance would draw equal kernels."""
    return lambda: keras.initializers.RandomNormal(stddev=stddev)


def dense(*hidden, units=20, last=None, loss="mse", **options):
    return compiled(keras.Sequential([keras.Input((units,)), *hidden, last or layers.Dense(1)]), loss, **options)


def many(count, activation, kernel, units=64, **options):
    """Layers of a kind; ``kernel`` is a name, or makes an initializer."""
    made = (kernel() if callable(kernel) else kernel for _ in range(count))
    return [layers.Dense(units, activation, kernel_initializer=one, **options) for one in made]


def negative_biases():
    return dense(*many(3, "relu", "he_normal", bias_initializer=keras.initializers.Constant(-20.0)))


def positive_inputs():
    x, _ = codes()
    return x[:, :20], x[:, :1]


def negative_kernels():
    return dense(*many(3, "relu", lambda: keras.initializers.RandomUniform(-0.1, 0.0)))


def plain():
    return dense(*many(2, "relu", "he_normal"))


def zero_inputs():
    x, y = tabular()
    return 0 * x, y


def large_inputs():
    x, y = tabular()
    return 200 * x + 100, y


def small_kernels():
    return dense(*many(8, "relu", normal(0.01)))


def large_tanh_kernels():
    return dense(*many(8, "tanh", normal(1.0)))


def large_sigmoid_kernels():
    return dense(*many(3, "sigmoid", normal(2.0)))


def exploding():
    return dense(*many(10, "relu", lambda: keras.initializers.VarianceScaling(8.0)))  # he_normal's deviation twice


def sigmoid_chain():
    return dense(*many(8, "sigmoid", "glorot_uniform"))


def glorot_relu():
    return dense(*many(24, "relu", "glorot_uniform"))


def small_selu():
    return dense(*many(8, "selu", normal(0.02)))


def small_convolutions():
    kernel = normal(0.01)
    filters = [layers.Conv2D(8, 3, activation="relu", padding="same", kernel_initializer=kernel()) for _ in range(5)]
    model = keras.Sequential([keras.Input((12, 12, 3)), *filters, layers.GlobalAveragePooling2D()])
    model.add(layers.Dense(10, "softmax"))
    return compiled(model, "sparse_categorical_crossentropy")


class Small(keras.Model):
    """Of a class of the user's, with activations as functions."""

    def __init__(self):
        super().__init__()
        self.hidden = many(8, None, normal(0.01))
        self.out = layers.Dense(1)

    def call(self, inputs):
        x = inputs
        for layer in self.hidden:
            x = keras.ops.relu(layer(x)) if hasattr(keras, "ops") else keras.activations.relu(layer(x))
        return self.out(x)


def small_subclassed():
    return compiled(Small())


class TwoEqual(keras.initializers.Initializer):
    """He's normal law, with the second unit like the first; of the layer behind, the second row like the first."""

    def __init__(self, axis):
        self.axis = axis

    def __call__(self, shape, dtype=None, **options):
        value = np.array(keras.initializers.HeNormal()(shape))
        if self.axis:
            value[:, 1] = value[:, 0]
        else:
            value[1] = value[0]
        return value


def two_equal_units():
    first = layers.Dense(16, "tanh", kernel_initializer=TwoEqual(1), name="first")
    return dense(first, last=layers.Dense(1, kernel_initializer=TwoEqual(0)))


def all_equal():
    kernel = keras.initializers.Constant(0.1)
    return dense(layers.Dense(8, "tanh", kernel_initializer=kernel), last=layers.Dense(1, kernel_initializer="zeros"))


def constant_recurrence():
    cell = layers.SimpleRNN(16, kernel_initializer="ones", recurrent_initializer="ones")
    return compiled(keras.Sequential([keras.Input((10, 3)), cell, layers.Dense(8, "tanh"), layers.Dense(1)]))


def constant_lstm():
    cell = layers.LSTM(8, kernel_initializer="ones", recurrent_initializer="ones")
    last = layers.Dense(1, kernel_initializer="zeros")
    return compiled(keras.Sequential([keras.Input((10, 3)), cell, last]))


def constant_embedding():
    model = keras.Sequential(
        [keras.Input((12,), dtype="int32"), layers.Embedding(200, 16, embeddings_initializer="ones")]
    )
    model.add(layers.GlobalAveragePooling1D())
    model.add(layers.Dense(16, "relu"))
    model.add(layers.Dense(1, "sigmoid"))
    return compiled(model, "binary_crossentropy")


class Stopped(layers.Layer):
    """Stops the gradient."""

    def call(self, x):
        if hasattr(keras, "ops"):
            return keras.ops.stop_gradient(x)
        import tensorflow as tf

        return tf.stop_gradient(x)


def stopped():
    inputs = keras.Input((20,))
    x = Stopped()(layers.Dense(16, "relu", name="frozen")(inputs))
    return compiled(keras.Model(inputs, layers.Dense(1)(x)))


class Unconnected(layers.Layer):
    """Has a weight that it does not use."""

    def build(self, shape):
        self.used = self.add_weight(shape=(shape[-1], 8), initializer="glorot_uniform", name="used")
        self.unused = self.add_weight(shape=(shape[-1], 8), initializer="glorot_uniform", name="unused")

    def call(self, x):
        return keras.activations.relu(x @ self.used)


def unconnected():
    return dense(Unconnected())


def zeros_before_zeros():
    return dense(layers.Dense(16, "tanh", kernel_initializer="zeros"), last=layers.Dense(1, kernel_initializer="zeros"))


def one_unit_softmax():
    return dense(layers.Dense(16, "relu"), last=layers.Dense(1, "softmax"), loss="binary_crossentropy")


def large_last_layer():
    kernel = keras.initializers.VarianceScaling(2500.0)
    last = layers.Dense(10, kernel_initializer=kernel)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = keras.Sequential([keras.Input((12, 12, 3)), layers.Flatten(), layers.Dense(32, "relu"), last])
    return compiled(model, loss)


def unscaled_targets():
    x, y = tabular()
    return x, 2000 + 10 * y


def softmax_twice():
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = keras.Sequential([keras.Input((12, 12, 3)), layers.Flatten(), layers.Dense(10, "softmax")])
    return compiled(model, loss)


def logits_for_probabilities():
    model = keras.Sequential([keras.Input((12, 12, 3)), layers.Flatten(), layers.Dense(10)])
    return compiled(model, "sparse_categorical_crossentropy")


def classified_pixels():
    model = keras.Sequential([keras.Input((12, 12, 3)), layers.Flatten(), layers.Dense(32, "relu"), layers.Dense(10)])
    return compiled(model, keras.losses.SparseCategoricalCrossentropy(from_logits=True))


def sigmoid_twice():
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    return dense(layers.Dense(8, "relu"), last=layers.Dense(1, "sigmoid"), loss=loss)


DEAD, NO_ROWS = "dead relu units", "a layer that tells no rows apart"
FADES, BLOWS = "a signal that vanishes with depth", "explode"
FIRST, TWICE = "a first loss far above that of a constant", "softmax taken twice"
NEVER_PART, GROUPS, NEVER_MOVE = (
    "kernels that are constant: their units never part",
    "units that never part",
    "weights that can never move",
)

# Build, data, the finding, and a word of where or why.
ILL: dict[str, tuple[Any, Any, str, str]] = {
    "negative_biases": (negative_biases, tabular, DEAD, "dense"),
    "positive_inputs_of_negative_kernels": (negative_kernels, positive_inputs, DEAD, "dense"),
    "zero_inputs": (plain, zero_inputs, "inputs that tell no rows apart", "data"),
    "large_inputs": (plain, large_inputs, "inputs that are not scaled", "data"),
    "pixels": (classified_pixels, pixels, "inputs that are not scaled", "data"),
    "small_kernels": (small_kernels, tabular, FADES, "he_normal"),
    "small_selu": (small_selu, tabular, FADES, "lecun_normal"),
    "small_convolutions": (small_convolutions, images, FADES, "he_normal"),
    "small_subclassed": (small_subclassed, tabular, FADES, "he_normal"),
    "glorot_relu": (glorot_relu, tabular, FADES, "he_normal"),
    "exploding": (exploding, tabular, BLOWS, "he_normal"),
    "large_tanh_kernels": (large_tanh_kernels, tabular, "saturated tanh units", "glorot_uniform"),
    "large_sigmoid_kernels": (large_sigmoid_kernels, tabular, "saturated sigmoid units", "glorot_uniform"),
    "sigmoid_chain": (sigmoid_chain, tabular, "gradients that vanish with depth", "sigmoid"),
    "two_equal_units": (two_equal_units, tabular, GROUPS, "units 0, 1 of 16"),
    "all_equal": (all_equal, tabular, NEVER_PART, "kernel"),
    "constant_lstm": (constant_lstm, series, NEVER_PART, "kernel"),
    "constant_recurrence": (constant_recurrence, series, "saturated tanh units", "simple_rnn"),
    "constant_embedding": (constant_embedding, texts, NO_ROWS, "embedding"),
    "stopped": (stopped, tabular, NEVER_MOVE, "frozen"),
    "unconnected": (unconnected, tabular, NEVER_MOVE, "unused"),
    "zeros_before_zeros": (zeros_before_zeros, tabular, NEVER_MOVE, "kernel"),
    "one_unit_softmax": (one_unit_softmax, two_classes, "a softmax over one unit", "use sigmoid"),
    "large_last_layer": (large_last_layer, images, FIRST, "logits"),
    "unscaled_targets": (plain, unscaled_targets, FIRST, "standardize the targets"),
    "softmax_twice": (softmax_twice, images, TWICE, "from_logits"),
    "sigmoid_twice": (sigmoid_twice, two_classes, "sigmoid taken twice", "from_logits"),
    "logits_for_probabilities": (logits_for_probabilities, images, "logits taken for probabilities", "from_logits"),
}
