"""Training whose runs a store keeps."""

from __future__ import annotations

from collections.abc import Sequence

from initcheck.catalog.initializers import Initializer
from initcheck.engines.sweep import Piecewise
from initcheck.records import Environment
from initcheck.store.folder import AnswerFolder, Store
from initcheck.store.questions import Question, initializer_key
from initcheck.store.resuming import ResumedSweep


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
    return store.answers(Question.of(trained, seed=seed, score=piecewise.score, environment=environment))


def resume(
    answers: AnswerFolder, piecewise: Piecewise, rows: Sequence[Initializer], *, orders: range, reseeds: range
) -> ResumedSweep:
    """The runs of those cells, of which the store gives those that it has and keeps the others."""
    return ResumedSweep(
        answers,
        {initializer_key(row): row for row in rows},
        orders=orders,
        reseeds=reseeds,
        train=piecewise.train,
        tile=piecewise.tile,
        group=piecewise.group,
    )
