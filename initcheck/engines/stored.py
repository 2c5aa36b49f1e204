"""A sweep that was looked at, with a store for its runs."""

from __future__ import annotations

from initcheck.engines.sweep import StartedSweep
from initcheck.records import Environment
from initcheck.store.blocks import Share
from initcheck.store.folder import Store
from initcheck.store.questions import Question, initializer_key
from initcheck.store.resuming import ResumedSweep


def resume(
    store: Store,
    started: StartedSweep,
    environment: Environment,
    *,
    orders: range,
    reseeds: range,
    share: Share | None,
    seed: int,
) -> ResumedSweep:
    """The sweep's runs, of which the store gives those that it has and keeps the others.

    Args:
        store: The store.
        started: The sweep.
        environment: Its environment.
        orders: Numbers of its batch orders.
        reseeds: Numbers of its repetitions.
        share: A share of it; all where it is None.
        seed: Its root seed.

    Raises:
        InitcheckError: The store cannot be written to.
    """
    piecewise = started.piecewise
    trained = {**piecewise.identity(), "engine": piecewise.kind}
    question = Question.of(trained, seed=seed, score=piecewise.score, environment=environment)
    if share is not None:
        orders, reseeds = share.cut(orders, reseeds)
    return ResumedSweep(
        store.answers(question),
        {initializer_key(row): row for row in started.rows},
        orders=orders,
        reseeds=reseeds,
        train=piecewise.train,
        tile=piecewise.tile,
        group=piecewise.group,
    )
