"""Sweeps: problems × initializers × reseeds → runs, by the engine that supports the problem."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.problems import Problem
from initcheck.engines.ensemble import EnsembleEngine
from initcheck.engines.fit import ReferenceEngine
from initcheck.engines.initial_weights import UnsuitableError
from initcheck.errors import InitcheckError
from initcheck.records import Runs


def train_runs(
    problem: Problem,
    initializers: Sequence[Initializer],
    *,
    reseeds: Sequence[int],
    orders: Sequence[int] = (0,),
    seed: int,
    epochs: int | None = None,
    engine: str = "auto",
) -> tuple[Callable[[], str], Iterator[Runs]]:
    """Returns the engine, in words that are final once it has trained, and the runs, yielded as they are finished.

    Args:
        problem: The problem to train.
        initializers: The rows to train it under.
        reseeds: Numbers of the repetitions of each.
        orders: Numbers of the batch orders of each repetition; 0 is the frozen one.
        seed: The root seed.
        epochs: Passes over the training rows; the problem's own number by default.
        engine: One of ``ENGINES``; ``auto`` is the ensemble where it supports the problem.

    Raises:
        InitcheckError: A model cannot be built under one of the initializers, or not be trained by that engine; nothing
            was trained then.
    """
    words = "reference engine"
    if engine != "reference":
        try:
            ensemble = EnsembleEngine(problem, initializers, epochs=epochs)
        except UnsuitableError as error:
            if engine == "ensemble":
                raise InitcheckError(
                    f"the ensemble engine cannot train problem {problem.name!r}: {error}; take the engine auto"
                ) from None
            words = f"reference engine, as the ensemble cannot train this: {error}"
        else:
            return ensemble.words, ensemble.runs(reseeds=reseeds, orders=orders, seed=seed)
    reference = ReferenceEngine(problem, epochs=epochs)
    for row in initializers:
        reference.require_buildable(row)
    return lambda: words, reference.runs(initializers, reseeds=reseeds, orders=orders, seed=seed)
