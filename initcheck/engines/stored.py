"""Training whose runs a store keeps."""

from __future__ import annotations

from collections.abc import Sequence

from initcheck.catalog.initializers import Initializer
from initcheck.engines.sweep import Piecewise
from initcheck.frameworks.environment import environment as environment_here
from initcheck.records import Environment, Runs
from initcheck.store.folder import AnswerFolder, Store
from initcheck.store.resuming import ResumedSweep, Train, in_order
from initcheck.store.sweep_questions import SweepQuestion, initializer_key


def answers_of(store: Store, piecewise: Piecewise, *, seed: int, environment: Environment) -> AnswerFolder:
    """The folder of the runs of that training.

    Args:
        store: The store.
        piecewise: The training.
        seed: Its root seed.
        environment: The software and hardware that decide bits.

    Raises:
        InitcheckError: The store cannot be written to.
    """
    trained = {**piecewise.identity(), "engine": piecewise.kind}
    return store.answers(SweepQuestion.of(trained, seed=seed, score=piecewise.score, environment=environment))


def resume(
    answers: AnswerFolder,
    piecewise: Piecewise,
    rows: Sequence[Initializer],
    *,
    orders: range,
    reseeds: range,
    train: Train | None = None,
) -> ResumedSweep:
    """The runs of those cells, of which the store gives those that it has and keeps the others.

    Args:
        answers: The folder of the runs.
        piecewise: The training.
        rows: The initializers.
        orders: Numbers of the batch orders.
        reseeds: Numbers of the repetitions.
        train: Trains in place of this process.
    """
    return ResumedSweep(
        answers,
        {initializer_key(row): row for row in rows},
        orders=orders,
        reseeds=reseeds,
        train=train or piecewise.train,
        tile=piecewise.tile,
        group=piecewise.group if train is None else piecewise.least,
    )


class KeptRuns:
    """Runs of one problem in this environment, of which a store keeps those that are finished.

    Args:
        store: The store.
        piecewise: The training.
        seed: Its root seed.
    """

    def __init__(self, store: Store, piecewise: Piecewise, seed: int) -> None:
        self._piecewise = piecewise
        self._answers = answers_of(store, piecewise, seed=seed, environment=environment_here())

    def runs(self, rows: Sequence[Initializer], reseeds: int) -> tuple[Runs, ...]:
        """The runs of each initializer, of which only those are trained that the store has not."""
        sweep = resume(self._answers, self._piecewise, rows, orders=range(1), reseeds=range(reseeds))
        try:
            return in_order(list(sweep.runs()), [row.name for row in rows])
        finally:
            sweep.close()
