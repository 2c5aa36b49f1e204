"""Sweeps: problems × initializers × reseeds → runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.problems import Problem
from initcheck.records import Run
from initcheck.training.fit import ReferenceEngine


def train_runs(
    problem: Problem, initializers: Sequence[Initializer], *, reseeds: int, seed: int, epochs: int | None = None
) -> Iterator[Run]:
    """Trains each initializer under each reseed, one run at a time, and yields each as it is finished.

    Args:
        problem: What to train.
        initializers: The rows to train it under.
        reseeds: Runs for each of them.
        seed: The root seed.
        epochs: Passes over the training rows; the problem's own number by default.

    Raises:
        InitcheckError: A model cannot be built under one of the initializers; nothing was trained then.
    """
    engine = ReferenceEngine(problem, epochs=epochs)
    for initializer in initializers:
        engine.require_buildable(initializer)
    for initializer in initializers:
        for reseed in range(reseeds):
            yield engine.train(initializer, reseed=reseed, seed=seed)
