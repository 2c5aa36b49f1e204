"""A regression: what a diabetes patient's progression is a year on, from ten measurements (scikit-learn's table)."""

import keras
from sklearn.datasets import load_diabetes


def build():
    model = keras.Sequential(
        [
            keras.Input((10,)),
            keras.layers.Dense(32, "relu", kernel_initializer="he_normal"),
            keras.layers.Dense(16, "relu", kernel_initializer="he_normal"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model


def data():
    x, y = load_diabetes(return_X_y=True)
    x, y = x / x.std(axis=0), (y - y.mean()) / y.std()
    return x.astype("float32"), y.astype("float32")[:, None]
