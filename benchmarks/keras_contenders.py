"""Keras: the notebook's loop, one compiled model reused, and the ensemble engine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from benchmarks.work import BATCH, EPOCHS, HELD_OUT, MODELS, RATE, table
from initcheck import INITIALIZERS, Data, Problem
from initcheck.engines.ensemble import EnsembleEngine
from initcheck.engines.fit import ReferenceEngine
from initcheck.frameworks.keras import load_keras

ROW = INITIALIZERS["glorot_uniform"]


def problem(model: str) -> Problem:
    """The lecture's work as a problem."""
    rows = table()
    hidden = MODELS[model]

    def build(keras: Any, initializer: Any, input_shape: Any) -> Any:
        layers = [keras.Input(input_shape)]
        if hidden:
            layers.append(keras.layers.Dense(hidden, activation="tanh", kernel_initializer=initializer("hidden")))
        layers.append(keras.layers.Dense(1, activation="sigmoid", kernel_initializer=initializer("output")))
        return keras.Sequential(layers)

    return Problem(
        name=f"bench {model}",
        title="",
        source="",
        data=lambda: Data(rows.x, rows.y, rows.x[:HELD_OUT], rows.y[:HELD_OUT]),
        model=build,
        optimizer=lambda keras: keras.optimizers.RMSprop(RATE),
        loss="binary_crossentropy",
        batch_size=BATCH,
        epochs=EPOCHS,
        chance=0.5,
        target=0.9,
    )


def notebook(model: str, n: int) -> Iterator[float]:
    """Build, compile and fit anew for every model, as the lecture's notebook does."""
    keras = load_keras()
    rows, work = table(), problem(model)
    while True:
        start = time.perf_counter()
        for seed in range(1, n + 1):

            def initializer(_: str, seed: int = seed) -> Any:
                return keras.initializers.GlorotUniform(seed=seed)

            fresh = work.model(keras, initializer, (4,))
            fresh.compile(optimizer=work.optimizer(keras), loss=work.loss, metrics=["accuracy"])
            fresh.fit(rows.x, rows.y, batch_size=BATCH, epochs=EPOCHS, verbose=0)
        yield time.perf_counter() - start


def reused(model: str, n: int) -> Iterator[float]:
    """The reference engine: one compiled model, put back to its first state for each run."""
    engine = ReferenceEngine(problem(model))
    while True:
        start = time.perf_counter()
        for reseed in range(n):
            engine.train(ROW, reseed=reseed, seed=1)
        yield time.perf_counter() - start


def ensemble(model: str, n: int) -> Iterator[float]:
    """The ensemble engine, its draws and seeds included."""
    engine = EnsembleEngine(problem(model), [ROW])
    while True:
        start = time.perf_counter()
        for _ in engine.runs(reseeds=range(n), seed=1):
            pass
        yield time.perf_counter() - start


CONTENDERS = {"notebook": notebook, "reused": reused, "ensemble": ensemble}
