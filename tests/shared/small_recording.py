"""``initcheck record`` on a scale that a test can pay: the same command, with one initializer and few parts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from initcheck.__main__ import main
from initcheck.baselines.recording import record
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.own_problems import OwnProblem
from initcheck.catalog.problems import PROBLEMS
from initcheck.catalog.recipes import Feed
from initcheck.frameworks.keras import load_keras

recording: Any = record  # whose parts are replaced
_SECTIONS = {"draws", "fans", "orders", "problems", "models"}


def shrink() -> None:
    """Leaves out most of a recording."""
    whole = recording.parts_of
    recording.INITIALIZERS = {name: INITIALIZERS[name] for name in ("he_normal",)}
    recording.TRACED = ("he_normal",)
    recording._FEEDS = (Feed(41, 8),)
    recording.parts_of = lambda *given: [part for part in whole(*given) if part.section in _SECTIONS]


def build():
    """A model of a user's own."""
    keras = load_keras()
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    return model


def data():
    """Its data."""
    x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")
    return x, x[:, :1]


MINE = OwnProblem("mine", build, data, epochs=2)
IRIS = replace(PROBLEMS["iris"], epochs=2)

if __name__ == "__main__":
    shrink()
    main()
