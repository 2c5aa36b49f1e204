"""The work of the second comparison: four kinds of Keras models, on 512 rows drawn once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

ROWS, HELD_OUT, BATCH, EPOCHS, RATE = 512, 128, 32, 5, 0.01
CLASSES = 10


def dense(keras: Any) -> Any:
    """A dense layer, batch normalization and dropout."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((16,)),
            layers.Dense(32, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def lstm(keras: Any) -> Any:
    """Eight LSTM units over ten steps."""
    return keras.Sequential([keras.Input((10, 4)), keras.layers.LSTM(8), keras.layers.Dense(1, activation="sigmoid")])


def convolution(keras: Any) -> Any:
    """A small convolution with batch normalization and dropout."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.25),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def transformer(keras: Any) -> Any:
    """A transformer block of two heads over eight steps."""
    layers = keras.layers
    inputs = keras.Input((8, 8))
    attended = layers.MultiHeadAttention(2, 4, dropout=0.1)(inputs, inputs)
    hidden = layers.LayerNormalization()(layers.Add()([inputs, attended]))
    wide = layers.Dense(8)(layers.Dense(16, activation="relu")(hidden))
    hidden = layers.LayerNormalization()(layers.Add()([hidden, layers.Dropout(0.1)(wide)]))
    output = layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling1D()(hidden))
    return keras.Model(inputs, output)


@dataclass(frozen=True)
class Kind:
    """A model, the shape of a row, and how often as fast as ``fit`` the ensemble is to be."""

    layers: Callable[[Any], Any]
    shape: tuple[int, ...]
    loss: str
    wanted: int


BINARY = "binary_crossentropy"
KINDS = {
    "dense": Kind(dense, (16,), BINARY, 100),
    "LSTM": Kind(lstm, (10, 4), BINARY, 100),
    "convolution": Kind(convolution, (8, 8, 1), "sparse_categorical_crossentropy", 20),
    "transformer": Kind(transformer, (8, 8), BINARY, 20),
}


@dataclass(frozen=True)
class Rows:
    """Training and held-out rows, and the order in which each epoch takes the former."""

    x: np.ndarray
    y: np.ndarray
    x_held_out: np.ndarray
    y_held_out: np.ndarray
    orders: np.ndarray


def rows_of(name: str) -> Rows:
    """The rows: classes by the signs of their first numbers."""
    kind, stream = KINDS[name], np.random.RandomState(0)
    x = stream.normal(size=(ROWS + HELD_OUT, *kind.shape)).astype(np.float32)
    flat = x.reshape(len(x), -1)
    y = flat[:, 0] > 0 if kind.loss == BINARY else np.abs(flat[:, :CLASSES]).argmax(axis=1)
    y = y.astype("float32" if kind.loss == BINARY else "int32").reshape(-1, 1)
    orders = np.stack([stream.permutation(ROWS) for _ in range(EPOCHS)])
    return Rows(x[:ROWS], y[:ROWS], x[ROWS:], y[ROWS:], orders)


def build(keras: Any, name: str) -> Any:
    """The model, compiled."""
    model = KINDS[name].layers(keras)
    model.compile(keras.optimizers.Adam(RATE), KINDS[name].loss, metrics=["accuracy"])
    return model


def members(keras: Any, name: str, n: int) -> Iterator[list[np.ndarray]]:
    """The initial values of the variables of so many models, each built under its own seed."""
    for seed in range(1, n + 1):
        keras.utils.set_random_seed(seed)
        yield [np.asarray(variable) for variable in build(keras, name).variables]
