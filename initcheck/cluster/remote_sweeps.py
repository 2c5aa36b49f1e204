"""A sweep as another process builds it anew, after a look at that process's environment."""

from __future__ import annotations

import dataclasses
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from initcheck.catalog.initializers import Initializer
from initcheck.cluster.sent_tasks import SentSweep, pickled
from initcheck.errors import InitcheckError
from initcheck.records import Environment, Runs
from initcheck.store.blocks import Members
from initcheck.store.sweep_questions import SweepQuestion


def sent_sweep(question: SweepQuestion, environment: Environment, settings: dict[str, Any]) -> SentSweep:
    """The sweep of ``start_sweep`` with those arguments, to be sent.

    Raises:
        InitcheckError: The problem cannot be sent.
    """
    own = {name: settings.pop(name) for name in ("problem", "initializers")}
    settings = {**settings, "own": pickled(own)}  # unpickled after the framework is loaded
    paths = tuple(path for path in sys.path if path)
    return SentSweep(pickled((start_here, settings)), question.name, environment, paths)


def start_here(
    expected: Environment, who: str, *, own: bytes, seed: int, **settings: Any
) -> tuple[str, Callable[[Iterator[Members]], Iterator[Runs]], Sequence[Initializer]]:
    """The name of the question, what trains it, and its initializers.

    Raises:
        InitcheckError: The environment differs from the expected one.
    """
    from initcheck.engines.sweep import start_sweep
    from initcheck.frameworks.environment import environment

    here = environment()
    require_same(expected, here, who)
    chosen = pickle.loads(own)
    started = start_sweep(chosen["problem"], chosen["initializers"], seed=seed, alone=False, **settings)
    piecewise = started.piecewise
    trained = {**piecewise.identity(), "engine": piecewise.kind}
    question = SweepQuestion.of(trained, seed=seed, score=piecewise.score, environment=here)
    return question.name, piecewise.train, started.rows


def require_same(expected: Environment, actual: Environment, who: str) -> None:
    """Refuses an environment that may give other bits.

    Raises:
        InitcheckError: It differs; the first difference is named.
    """
    if expected == actual:
        return
    one, other = dataclasses.asdict(expected), dataclasses.asdict(actual)
    name = next(name for name in one if one[name] != other[name])
    if isinstance(one[name], dict):
        key = next(key for key in {**one[name], **other[name]} if one[name].get(key) != other[name].get(key))
        name, one, other = key, {key: one[name].get(key)}, {key: other[name].get(key)}
    raise InitcheckError(
        f"{who} has another environment: {name} is {other[name]} there and {one[name]} here, so that bits may differ; "
        "give all workers the same one"
    )
