"""Any Keras model: a loop over ``fit``, and the stateless ensemble from the same seeds."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.keras_work import BATCH, EPOCHS, build, rows_of
from initcheck.engines.own_models import OwnData, OwnModel
from initcheck.engines.seeded_members import SeededMembers
from initcheck.engines.stateless import StatelessEnsemble
from initcheck.frameworks.keras import load_keras


def fit(model: str, n: int) -> Iterator[float]:
    """Build, compile and fit anew for every seed."""
    keras, rows = load_keras(), rows_of(model)
    while True:
        start = time.perf_counter()
        for seed in range(1, n + 1):
            keras.utils.set_random_seed(seed)
            build(keras, model).fit(
                rows.x,
                rows.y,
                validation_data=(rows.x_held_out, rows.y_held_out),
                batch_size=BATCH,
                epochs=EPOCHS,
                verbose=0,
            )
        yield time.perf_counter() - start


def stateless(model: str, n: int) -> Iterator[float]:
    """The stateless ensemble, its draws of initial values included."""
    keras, rows = load_keras(), rows_of(model)
    data, held_out = OwnData(rows.x, rows.y), OwnData(rows.x_held_out, rows.y_held_out)
    own = OwnModel(lambda: build(keras, model))
    start = time.perf_counter()
    members = SeededMembers(keras, own, data)
    engine = StatelessEnsemble(
        keras, build(keras, model), data, held_out, batch_size=BATCH, epochs=EPOCHS, orders=rows.orders
    )
    while True:
        engine.train(members.draw(range(1, n + 1)))
        yield time.perf_counter() - start
        start = time.perf_counter()


CONTENDERS = {"fit": fit, "stateless": stateless}
