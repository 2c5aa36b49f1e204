"""For tests of Keras on another backend than TensorFlow, where that is the target; and a model as a user has it."""

from typing import Any

import numpy as np
import pytest

from initcheck.targets import TENSORFLOW, backend_of, target

on_other_backends = [
    pytest.mark.skipif(
        not backend_of(target()) or target() == TENSORFLOW,
        reason=f"the harness trains on TensorFlow elsewhere, and a library has no fit; the target is {target()}",
    ),
    # Keras's own variables as arrays, by the protocol that NumPy had before 2.0.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
]


def data() -> tuple[Any, Any]:
    """Two classes."""
    stream = np.random.RandomState(1)
    x = stream.normal(size=(60, 4)).astype("float32")
    return x, (x[:, 0] > 0).astype("int32")


def noisy_data() -> tuple[Any, Any]:
    """The same inputs with noise that no global seed decides."""
    x, y = data()
    return x + np.random.default_rng().normal(size=x.shape).astype("float32"), y


def build(keras: Any) -> Any:
    """Statistics and noise: what a model that is used again has to put back."""
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(6, "relu"), layers.BatchNormalization(), layers.Dropout(0.25), layers.Dense(2)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def quiet(keras: Any, **statistics: Any) -> Any:
    """A model without noise, of which torch has none of each member's own."""
    layers = keras.layers
    model = keras.Sequential([keras.Input((4,)), layers.Dense(6, "relu"), layers.BatchNormalization(**statistics)])
    model.add(layers.Dense(2))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Nadam(0.01), loss, metrics=["accuracy"])
    return model
