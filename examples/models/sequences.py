"""An LSTM on sequences of several lengths, which are padded and masked: does the larger number come first?"""

import keras
import numpy as np

LONGEST = 12


def build():
    model = keras.Sequential(
        [
            keras.Input((LONGEST, 1)),
            keras.layers.Masking(),
            keras.layers.LSTM(8),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"])
    return model


def data():
    stream = np.random.default_rng(1)
    x = np.zeros((400, LONGEST, 1), "float32")
    y = np.zeros((400, 1), "float32")
    for row, length in enumerate(stream.integers(4, LONGEST + 1, 400)):
        steps = stream.normal(size=length)
        x[row, :length, 0] = steps
        y[row] = steps[: length // 2].max() > steps[length // 2 :].max()
    return x, y
