"""Healthy models with their data, written as their users would, before any threshold of the doctor was chosen."""

from typing import Any

import numpy as np

from initcheck.frameworks.backends import load_target_keras

keras: Any = load_target_keras()
layers: Any = keras.layers


def _stream():
    return np.random.RandomState(7)


def tabular(rows=256, features=20):
    x = _stream().normal(size=(rows, features)).astype("float32")
    return x, (x[:, :1] - 0.5 * x[:, 1:2] + 0.1 * x[:, 2:3] ** 2).astype("float32")


def two_classes():
    x, y = tabular()
    return x, (y > 0).astype("float32")


def flowers():
    """Unscaled lengths in centimetres, sorted by class, as scikit-learn has them."""
    from sklearn.datasets import load_iris

    bunch = load_iris()
    return bunch.data.astype("float32"), bunch.target.astype("int32")


def houses():
    """Standardized features and a target in units of 100,000."""
    x, y = tabular()
    return x, (2.0 + 1.1 * y).astype("float32")


def images():
    stream = _stream()
    return stream.uniform(size=(128, 12, 12, 3)).astype("float32"), stream.randint(0, 10, 128)


def pixels():
    stream = _stream()
    return stream.randint(0, 256, (128, 12, 12, 3)).astype("uint8"), stream.randint(0, 10, 128)


def texts():
    x = _stream().randint(1, 200, (128, 12))
    lengths = _stream().randint(3, 12, 128)
    x[np.arange(12) >= lengths[:, None]] = 0
    return x, (x[:, :1] > 100).astype("float32")


def series():
    x = np.cumsum(_stream().normal(size=(128, 10, 3)), axis=1).astype("float32") / 3
    return x, x[:, -1, :1]


def codes():
    x = _stream().uniform(size=(256, 32)).astype("float32")
    return x, x


def compiled(model, loss="mse", metrics=(), optimizer="adam"):
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def linear_regression():
    model = keras.Sequential([keras.Input((20,)), layers.Dense(64, "relu"), layers.Dense(32, "relu"), layers.Dense(1)])
    return compiled(model, metrics=["mae"])


def logistic_regression():
    model = keras.Sequential([keras.Input((20,)), layers.Dense(1, "sigmoid", kernel_initializer="zeros")])
    return compiled(model, "binary_crossentropy", ["accuracy"], "sgd")


def iris():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(10, "tanh"), layers.Dense(8, "tanh"), layers.Dense(3)])
    return compiled(model, keras.losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"])


def deep_he():
    hidden = [layers.Dense(64, "relu", kernel_initializer="he_normal") for _ in range(8)]
    return compiled(keras.Sequential([keras.Input((20,)), *hidden, layers.Dense(1)]))


def deep_tanh():
    hidden = [layers.Dense(32, "tanh") for _ in range(8)]
    return compiled(keras.Sequential([keras.Input((20,)), *hidden, layers.Dense(1)]), optimizer="sgd")


def narrow_he():
    hidden = [layers.Dense(16, "relu", kernel_initializer="he_uniform") for _ in range(8)]
    return compiled(keras.Sequential([keras.Input((20,)), *hidden, layers.Dense(1)]))


def residual_mlp():
    inputs = keras.Input((20,))
    x = layers.Dense(32)(inputs)
    for _ in range(6):
        branch = layers.Dense(32, "relu", kernel_initializer="he_normal")(x)
        x = layers.Add()([x, layers.Dense(32, kernel_initializer="zeros")(branch)])
    return compiled(keras.Model(inputs, layers.Dense(1)(layers.Activation("relu")(x))))


def batch_normalized_cnn():
    model = keras.Sequential([keras.Input((12, 12, 3)), layers.Rescaling(1 / 255)])
    for filters in (8, 16, 32):
        model.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization())
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
    model.add(layers.Dropout(0.3))
    model.add(layers.Flatten())
    model.add(layers.Dense(10, "softmax"))
    return compiled(model, "sparse_categorical_crossentropy", ["accuracy"])


def plain_cnn():
    model = keras.Sequential([keras.Input((12, 12, 3))])
    for filters in (8, 16):
        model.add(layers.Conv2D(filters, 3, activation="relu"))
        model.add(layers.MaxPooling2D())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(32, "relu"))
    model.add(layers.Dense(10))
    return compiled(model, keras.losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"])


def lstm():
    model = keras.Sequential(
        [
            keras.Input((10, 3)),
            layers.LSTM(16, return_sequences=True),
            layers.LSTM(16, dropout=0.2),
            layers.Dense(8, "relu"),
            layers.Dense(1),
        ]
    )
    return compiled(model)


def masked_gru():
    model = keras.Sequential(
        [
            keras.Input((12,), dtype="int32"),
            layers.Embedding(200, 16, mask_zero=True),
            layers.Bidirectional(layers.GRU(8)),
            layers.Dropout(0.2),
            layers.Dense(1, "sigmoid"),
        ]
    )
    return compiled(model, "binary_crossentropy", ["accuracy"])


class TokensAndPlaces(layers.Layer):
    """Embeds tokens and their places."""

    def __init__(self, words, length, width, **options):
        super().__init__(**options)
        self.words = layers.Embedding(words, width)
        self.places = layers.Embedding(length, width)
        self.length = length

    def call(self, x):
        return self.words(x) + self.places(np.arange(self.length))


class TransformerBlock(layers.Layer):
    """A block as in Keras's own example of text classification."""

    def __init__(self, width, heads, inner, **options):
        super().__init__(**options)
        self.attention = layers.MultiHeadAttention(heads, width)
        self.inner = keras.Sequential([layers.Dense(inner, "relu"), layers.Dense(width)])
        self.norms = [layers.LayerNormalization(epsilon=1e-6) for _ in range(2)]
        self.drops = [layers.Dropout(0.1) for _ in range(2)]

    def call(self, x, training=None):
        x = self.norms[0](x + self.drops[0](self.attention(x, x), training=training))
        return self.norms[1](x + self.drops[1](self.inner(x), training=training))


def transformer():
    inputs = keras.Input((12,), dtype="int32")
    x = TokensAndPlaces(200, 12, 16)(inputs)
    x = TransformerBlock(16, 2, 32)(x)
    x = TransformerBlock(16, 2, 32)(x)
    x = layers.Dense(20, "relu")(layers.GlobalAveragePooling1D()(x))
    return compiled(keras.Model(inputs, layers.Dense(1, "sigmoid")(x)), "binary_crossentropy", ["accuracy"])


def self_normalizing():
    model = keras.Sequential([keras.Input((20,))])
    for _ in range(8):
        model.add(layers.Dense(32, "selu", kernel_initializer="lecun_normal"))
        model.add(layers.AlphaDropout(0.1))
    model.add(layers.Dense(1, "sigmoid"))
    return compiled(model, "binary_crossentropy", ["accuracy"])


def autoencoder():
    inputs = keras.Input((32,))
    code = layers.Dense(4, "relu", name="code")(layers.Dense(16, "relu")(inputs))
    outputs = layers.Dense(32, "sigmoid")(layers.Dense(16, "relu")(code))
    return compiled(keras.Model(inputs, outputs), "binary_crossentropy")


def two_inputs():
    one, two = keras.Input((20,), name="one"), keras.Input((5,), name="two")
    joined = layers.concatenate([layers.Dense(16, "relu")(one), layers.Dense(8, "relu")(two)])
    x = layers.Dense(16, "relu")(joined)
    outputs = {"price": layers.Dense(1, name="price")(x), "sold": layers.Dense(1, "sigmoid", name="sold")(x)}
    model = keras.Model({"one": one, "two": two}, outputs)
    model.compile("adam", {"price": "mse", "sold": "binary_crossentropy"}, loss_weights={"price": 0.5, "sold": 1.0})
    return model


def prices():
    x, y = tabular()
    return {"one": x, "two": x[:, :5].copy()}, {"price": y, "sold": (y > 0).astype("float32")}


def embedding_bag():
    model = keras.Sequential(
        [
            keras.Input((12,), dtype="int32"),
            layers.Embedding(200, 16),
            layers.GlobalAveragePooling1D(),
            layers.Dense(16, "relu"),
            layers.Dense(1, "sigmoid"),
        ]
    )
    return compiled(model, "binary_crossentropy", ["accuracy"])


class Subclassed(keras.Model):
    """A model of a class of the user's, which calls activations as functions."""

    def __init__(self):
        super().__init__()
        self.hidden = [layers.Dense(32, kernel_initializer="he_normal") for _ in range(5)]
        self.norm = layers.BatchNormalization()
        self.out = layers.Dense(1)

    def call(self, inputs, training=False):
        x = inputs
        for layer in self.hidden:
            x = keras.activations.relu(layer(x))
        return self.out(self.norm(x, training=training))


def subclassed():
    return compiled(Subclassed(), keras.losses.Huber())


def residual_cnn():
    inputs = keras.Input((12, 12, 3))
    x = layers.Conv2D(16, 3, padding="same", kernel_initializer="he_normal")(inputs)
    for _ in range(4):
        y = layers.Activation("relu")(layers.BatchNormalization()(x))
        y = layers.Conv2D(16, 3, padding="same", kernel_initializer="he_normal")(y)
        y = layers.Activation("relu")(layers.BatchNormalization()(y))
        x = x + layers.Conv2D(16, 3, padding="same", kernel_initializer="he_normal")(y)
    x = layers.GlobalAveragePooling2D()(layers.Activation("relu")(layers.BatchNormalization()(x)))
    return compiled(keras.Model(inputs, layers.Dense(10, "softmax")(x)), "sparse_categorical_crossentropy")


def zero_head():
    """A last layer of zeros, for ten classes of which the data have three."""
    model = keras.Sequential([keras.Input((20,)), layers.Dense(32, "relu")])
    model.add(layers.Dense(10, "softmax", kernel_initializer="zeros"))
    return compiled(model, "sparse_categorical_crossentropy", ["accuracy"])


def few_classes():
    x, y = tabular()
    return x, np.digitize(y[:, 0], (-0.5, 0.5)).astype("int32")


def siamese():
    one, two = keras.Input((20,)), keras.Input((20,))
    tower = keras.Sequential([layers.Dense(32, "relu"), layers.Dense(16)])
    distance = layers.Dot(axes=1, normalize=True)([tower(one), tower(two)])
    return compiled(keras.Model([one, two], layers.Dense(1, "sigmoid")(distance)), "binary_crossentropy")


def pairs():
    x, y = tabular()
    return [x, x[::-1].copy()], (y * y[::-1] > 0).astype("float32")


def convolutional_autoencoder():
    model = keras.Sequential([keras.Input((12, 12, 3))])
    model.add(layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"))
    model.add(layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"))
    model.add(layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"))
    model.add(layers.Conv2DTranspose(3, 3, strides=2, padding="same", activation="sigmoid"))
    return compiled(model)


def same_images():
    x, _ = images()
    return x, x


def residual_he():
    """Residual branches of He's kernels, without normalization."""
    inputs = keras.Input((20,))
    x = layers.Dense(32, kernel_initializer="he_normal")(inputs)
    for _ in range(4):
        branch = layers.Dense(32, "relu", kernel_initializer="he_normal")(x)
        x = layers.Add()([x, layers.Dense(32, kernel_initializer="glorot_normal")(branch)])
    return compiled(keras.Model(inputs, layers.Dense(1)(x)), "mae")


def one_hot():
    model = keras.Sequential([keras.Input((200,)), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")])
    return compiled(model, "binary_crossentropy", ["accuracy"])


def words():
    x, y = texts()
    return np.eye(200, dtype="float32")[x[:, 0]], y


HEALTHY = {
    "linear_regression": (linear_regression, houses),
    "logistic_regression": (logistic_regression, two_classes),
    "iris": (iris, flowers),
    "deep_he": (deep_he, tabular),
    "narrow_he": (narrow_he, tabular),
    "deep_tanh": (deep_tanh, tabular),
    "residual_mlp": (residual_mlp, tabular),
    "batch_normalized_cnn": (batch_normalized_cnn, pixels),
    "plain_cnn": (plain_cnn, images),
    "residual_cnn": (residual_cnn, images),
    "lstm": (lstm, series),
    "masked_gru": (masked_gru, texts),
    "transformer": (transformer, texts),
    "self_normalizing": (self_normalizing, two_classes),
    "autoencoder": (autoencoder, codes),
    "two_inputs": (two_inputs, prices),
    "embedding_bag": (embedding_bag, texts),
    "subclassed": (subclassed, tabular),
    "zero_head": (zero_head, few_classes),
    "siamese": (siamese, pairs),
    "convolutional_autoencoder": (convolutional_autoencoder, same_images),
    "residual_he": (residual_he, tabular),
    "one_hot": (one_hot, words),
}
