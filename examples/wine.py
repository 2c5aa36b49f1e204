"""A problem of one's own: run it with ``initcheck run --problem examples.wine:problem``."""

from sklearn.datasets import load_wine

import initcheck


def data():
    x, y = load_wine(return_X_y=True)
    return initcheck.split(x, y, classes=3)


def model(keras, initializer, input_shape):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Dense(8, activation="relu", kernel_initializer=initializer("hidden")),
            keras.layers.Dense(3, activation="softmax", kernel_initializer=initializer("output")),
        ]
    )


problem = initcheck.Problem(
    name="wine",
    title="Three cultivars of wine from 13 measurements: 13-8-3, relu",
    source="Forina et al. 1991, as scikit-learn ships it",
    data=data,
    model=model,
    optimizer=lambda keras: keras.optimizers.Adam(0.01),
    loss="sparse_categorical_crossentropy",
    batch_size=16,
    epochs=10,
    chance=0.4,
    target=0.95,
)
