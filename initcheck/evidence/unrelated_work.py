"""Random work that is unrelated to the code under test."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from initcheck.frameworks.backend_calls import draw_globally
from initcheck.frameworks.backends import load_target_keras
from initcheck.frameworks.instances import drawer
from initcheck.frameworks.libraries.chosen import offered_rows
from initcheck.targets import backend_of, target


def draw(seed: int) -> None:
    """``work``, of Keras; of a library, draws from all global generators and of each of its initializers."""
    if backend_of(target()):
        work(load_target_keras(), seed)
        return
    random.random()
    np.random.random(3)
    draw_globally()
    for row in offered_rows():
        drawer(row, seed)((2, 2), None)


def work(keras: Any, seed: int) -> None:
    """Draws from every global generator, and calls random layers of its own, under that global seed."""
    keras.utils.set_random_seed(seed)
    random.random()
    np.random.random(3)
    draw_globally()
    keras.initializers.HeNormal()((2, 2))
    keras.initializers.HeNormal(seed=seed)((2, 2))
    if hasattr(keras, "random"):
        keras.random.uniform((3,))
    keras.layers.Dropout(0.5)(np.ones((4, 2), np.float32), training=True)


def train(keras: Any, seed: int) -> None:
    """Does the same work, and fits a model on shuffled rows."""
    work(keras, seed)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dropout(0.5)])
    model.compile(optimizer=keras.optimizers.Adam(), loss="mse", run_eagerly=True)
    model.fit(np.ones((6, 2), np.float32), np.ones((6, 3), np.float32), batch_size=4, verbose=0)
