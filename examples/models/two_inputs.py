"""Two inputs by name: a digit's left and right half, each with layers of its own before they are joined."""

import keras
from sklearn.datasets import load_digits


def build():
    left, right = keras.Input((32,), name="left"), keras.Input((32,), name="right")
    halves = [keras.layers.Dense(16, "relu", name=f"{half.name}_units")(half) for half in (left, right)]
    joined = keras.layers.Dropout(0.2)(keras.layers.Concatenate()(halves))
    digit = keras.layers.Dense(10, "softmax", name="digit")(joined)
    model = keras.Model({"left": left, "right": right}, digit)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def data():
    x, y = load_digits(return_X_y=True)
    images = (x / 16).reshape(-1, 8, 8).astype("float32")
    halves = {"left": images[:, :, :4].reshape(-1, 32), "right": images[:, :, 4:].reshape(-1, 32)}
    return halves, y.astype("int32")
