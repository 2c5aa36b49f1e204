"""A small convolutional network on 8 × 8 images, moved at random by a ``tf.data`` pipeline while it trains."""

import keras
import tensorflow as tf
from sklearn.datasets import load_digits


def build():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(8, 3, padding="same", use_bias=False, kernel_initializer="he_normal"),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu", kernel_initializer="he_normal"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(10, "softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def data():
    x, y = load_digits(return_X_y=True)
    images = tf.constant((x / 16).reshape(-1, 8, 8, 1), tf.float32)
    rows = tf.data.Dataset.from_tensor_slices((images, y.astype("int32")))
    shuffled = rows.skip(500).shuffle(1300, seed=1)
    return shuffled.map(moved).batch(32), rows.take(500).batch(100)


def moved(image, digit):
    larger = tf.pad(image, [[1, 1], [1, 1], [0, 0]])
    return tf.image.random_crop(larger, (8, 8, 1), seed=2), digit
