"""A transformer block on a digit's eight rows of pixels, as a model of one's own class."""

import keras
import numpy as np
from sklearn.datasets import load_digits

layers = keras.layers


class Reader(keras.Model):
    """One block of attention over the rows, then the mean of what it gives."""

    def __init__(self, size=16):
        super().__init__()
        self.embed = layers.Dense(size)
        self.places = layers.Embedding(8, size)
        self.attention = layers.MultiHeadAttention(2, size // 2)
        self.inner = keras.Sequential([layers.Dense(2 * size, "gelu"), layers.Dense(size)])
        self.norms = [layers.LayerNormalization() for _ in range(2)]
        self.dropout = layers.Dropout(0.1)
        self.digit = layers.Dense(10)

    def call(self, rows, training=False):
        """The logits of the ten digits, shape ``(images, 10)``."""
        x = self.embed(rows) + self.places(np.arange(8))
        x = self.norms[0](x + self.dropout(self.attention(x, x), training=training))
        x = self.norms[1](x + self.dropout(self.inner(x), training=training))
        return self.digit(keras.ops.mean(x, axis=1))


def build():
    model = Reader()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.005), loss, metrics=["accuracy"])
    return model


def data():
    x, y = load_digits(return_X_y=True)
    return (x / 16).reshape(-1, 8, 8).astype("float32"), y.astype("int32")
