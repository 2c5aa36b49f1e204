"""The noise that layers draw within ``fit``, step by step."""

from __future__ import annotations

from typing import Any

import numpy as np

from initcheck.catalog.sources import STEPWISE
from initcheck.evidence import unrelated_work as unrelated
from initcheck.evidence.toy_models import make_recorder
from initcheck.evidence.trace import Array
from initcheck.frameworks.backend_calls import all_seen
from initcheck.seeding import derive_seed

ROWS, PLACES, UNITS, BATCH, EPOCHS = 8, 2, 32, 4, 3
Masks = dict[str, dict[str, list[Array]]]  # layer → with a seed or without → one a step


def masks(keras: Any, seed: int, *, after_work: bool) -> Masks:
    """Returns each kind of layer's output for ones, with an int seed and without, at every step of every epoch.

    Args:
        keras: Keras as installed.
        seed: The global seed; the layers' seeds are derived from it.
        after_work: Whether unrelated random work comes before it.
    """
    if after_work:
        unrelated.work(keras, seed + 1)
    keras.utils.set_random_seed(seed)
    seen: Masks = {}
    layers = keras.layers
    inputs = keras.Input((PLACES, UNITS))
    branches = []
    for name, arguments in STEPWISE.items():
        seen[name] = {"seeded": [], "unseeded": []}
        for how, drawn in seen[name].items():
            own = {"seed": derive_seed(seed, name)} if how == "seeded" else {}
            branches.append(make_recorder(keras, drawn)(getattr(layers, name)(**arguments, **own)(inputs)))
    model = keras.Model(inputs, layers.Dense(1)(layers.Concatenate()(branches)))
    model.compile(
        optimizer=keras.optimizers.SGD(0.0), loss="mse"
    )  # training must not change weights: outputs differ by noise alone
    rows = np.ones((ROWS, PLACES, UNITS), np.float32)
    model.fit(rows, rows[:, :, :1], batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0)
    all_seen()
    return seen
