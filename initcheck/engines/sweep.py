"""Sweeps: problems × initializers × reseeds → runs, by the engine that supports the problem."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.catalog.own_problems import OWN, OwnProblem
from initcheck.catalog.problem_facts import ProblemFacts
from initcheck.catalog.problems import Problem
from initcheck.engines.ensemble import EnsembleEngine
from initcheck.engines.fit import ReferenceEngine
from initcheck.engines.identity import identify, identify_own
from initcheck.engines.initial_weights import UnsuitableError
from initcheck.engines.member_blocks import SideBySide
from initcheck.engines.own_initializers import asked_of, require_seeded
from initcheck.engines.own_runs import OwnEngine
from initcheck.engines.protocol import describe_protocol
from initcheck.errors import InitcheckError
from initcheck.frameworks.backends import load_target_keras
from initcheck.records import ACCURACY, Runs, Score
from initcheck.store.blocks import Members

FEW_RUNS = 50  # of a model as it is: so many are trained one by one
_MOST_STACKED = 256  # members that are looked at to choose a program's width
_FITTED = 4  # reseeds that one process of several with a store takes at once, where they are fitted one by one


@dataclass(frozen=True)
class StartedSweep:
    """A sweep whose problem was looked at, and whose runs are trained as they are asked for.

    Attributes:
        problem: The problem; the facts of a user's own model.
        words: Gives the engine, in words that are final once it has trained.
        runs: The runs, yielded as they are finished.
        trained: Model and optimizer in words, as ``(name, value)``.
        rows: The initializers, as they are asked for a seed.
        piecewise: The same training in groups, for a store.
    """

    problem: Problem | ProblemFacts
    words: Callable[[], str]
    runs: Iterator[Runs]
    trained: tuple[tuple[str, str], ...]
    rows: tuple[Initializer, ...]
    piecewise: Piecewise


@dataclass(frozen=True)
class Piecewise:
    """Training in groups of members, as somebody asks for them.

    Attributes:
        train: Gives the runs of groups, which it takes from an iterator when it is ready for them.
        tile: Reseeds of one initializer that are best asked for together.
        group: Members that are trained at once.
        least: Members that are trained at no less than their share of the time: what is sent to others.
        kind: The engine, in words that decide bits.
        identity: Makes out what decides the bits of a run beside its seeds.
        score: What a run is judged by.
    """

    train: Callable[[Iterator[Members]], Iterator[Runs]]
    tile: int
    group: int
    least: int
    kind: str
    identity: Callable[[], dict[str, Any]]
    score: Score

    @classmethod
    def of_ensemble(
        cls, problem: Problem, ensemble: EnsembleEngine, *, seed: int, planned: int, epochs: int | None = None
    ) -> Piecewise:
        """By the ensemble engine, with so many members to come."""
        return cls(
            functools.partial(ensemble.train_members, seed=seed, planned=planned),
            ensemble.block,
            ensemble.block,
            ensemble.width,
            f"ensemble, {ensemble.width} members",
            functools.partial(identify, problem, epochs),
            ACCURACY,
        )

    @classmethod
    def of_reference(
        cls, problem: Problem, reference: ReferenceEngine, *, seed: int, epochs: int | None = None
    ) -> Piecewise:
        """By ``fit``, one after another."""
        train = functools.partial(reference.train_members, seed=seed)
        return cls(train, _FITTED, 1, 1, "fit", functools.partial(identify, problem, epochs), ACCURACY)

    @classmethod
    def of_own(cls, problem: OwnProblem, trainer: OwnEngine, ensemble: SideBySide | None, *, seed: int) -> Piecewise:
        """Of a user's own model, by that ensemble; by ``fit`` where it is None."""
        identity = functools.partial(identify_own, problem, trainer)
        if ensemble is None:
            train = functools.partial(trainer.train_members, seed=seed)
            return cls(train, _FITTED, 1, 1, "fit", identity, trainer.score)
        train = functools.partial(trainer.train_stacked, ensemble, seed=seed)
        kind = f"stateless ensemble, {ensemble.width} members"
        return cls(train, ensemble.width, ensemble.width, ensemble.width, kind, identity, trainer.score)


def start_sweep(
    problem: Problem | OwnProblem,
    initializers: Sequence[Initializer],
    *,
    reseeds: Sequence[int],
    orders: Sequence[int] = (0,),
    seed: int,
    epochs: int | None = None,
    engine: str = "auto",
    alone: bool = True,
) -> StartedSweep:
    """Looks at everything that can be looked at before the first run.

    Args:
        problem: The problem to train.
        initializers: The rows to train it under.
        reseeds: Numbers of the repetitions of each.
        orders: Numbers of the batch orders of each repetition; 0 is the frozen one.
        seed: The root seed.
        epochs: Passes over the training rows; the problem's own number by default.
        engine: One of ``ENGINES``; ``auto`` is the ensemble where it supports the problem.
        alone: Whether no other process of the sweep trains on this machine, so that all its processors are free.

    Raises:
        InitcheckError: A model cannot be built under one of the initializers, or not be trained by that engine; nothing
            was trained then.
    """
    keras = load_target_keras()
    own = [row for row in initializers if INITIALIZERS.get(row.name) != row and row is not OWN]
    asked: dict[str, Any] = {"reseeds": reseeds, "orders": orders, "seed": seed}
    if isinstance(problem, OwnProblem):
        trainer = OwnEngine(problem, epochs=epochs)
        trainer.require_orders(orders)
        seeded = functools.partial(require_seeded, keras, asked=trainer.asked() if own else [])
        rows = [row if row is OWN else seeded(row) for row in initializers]
        for row in rows:
            trainer.require_buildable(row)
        words, finished, piecewise = _start_own(problem, trainer, rows, engine=engine, asked=asked)
        return StartedSweep(trainer.facts, lambda: words, finished, trainer.trained, tuple(rows), piecewise)
    if OWN in initializers:
        raise InitcheckError(f"problem {problem.name!r} has no initializers of its own; name others than own")
    needed = asked_of(keras, problem) if own else []
    rows = [require_seeded(keras, row, asked=needed) for row in initializers]
    chosen, runs, piecewise = _start_engine(problem, rows, epochs=epochs, engine=engine, asked=asked, alone=alone)
    return StartedSweep(problem, chosen, runs, describe_protocol(keras, problem), tuple(rows), piecewise)


def _start_own(
    problem: OwnProblem, trainer: OwnEngine, rows: Sequence[Initializer], *, engine: str, asked: dict[str, Any]
) -> tuple[str, Iterator[Runs], Piecewise]:
    """The engine in words, and the runs of a model as it is; few runs do not repay the ensemble's trace."""
    planned = len(rows) * len(asked["reseeds"]) * len(asked["orders"])
    words = "reference engine, by the model's own fit"
    if engine == "ensemble" or (engine == "auto" and planned >= FEW_RUNS):
        try:
            ensemble = trainer.ensemble(
                list(itertools.islice(itertools.product(rows, asked["reseeds"]), _MOST_STACKED))
            )
        except UnsuitableError as error:
            if engine == "ensemble":
                raise InitcheckError(f"the ensemble cannot train this model: {error}; take the engine auto") from None
            words += f", as the ensemble cannot train this: {error}"
        else:
            piecewise = Piecewise.of_own(problem, trainer, ensemble, seed=asked["seed"])
            return ensemble.words, trainer.runs_stacked(ensemble, rows, **asked), piecewise
    return words, trainer.runs(rows, **asked), Piecewise.of_own(problem, trainer, None, seed=asked["seed"])


def _start_engine(
    problem: Problem,
    rows: Sequence[Initializer],
    *,
    epochs: int | None,
    engine: str,
    asked: dict[str, Any],
    alone: bool,
) -> tuple[Callable[[], str], Iterator[Runs], Piecewise]:
    words = "reference engine"
    seed = asked["seed"]
    if engine != "reference":
        try:
            ensemble = EnsembleEngine(problem, rows, epochs=epochs)
        except UnsuitableError as error:
            if engine == "ensemble":
                raise InitcheckError(
                    f"the ensemble engine cannot train problem {problem.name!r}: {error}; take the engine auto"
                ) from None
            words = f"reference engine, as the ensemble cannot train this: {error}"
        else:
            planned = len(rows) * len(asked["reseeds"]) * len(asked["orders"]) if alone else 0
            piecewise = Piecewise.of_ensemble(problem, ensemble, seed=seed, planned=planned, epochs=epochs)
            return ensemble.words, ensemble.runs(**asked), piecewise
    reference = ReferenceEngine(problem, epochs=epochs)
    for row in rows:
        reference.require_buildable(row)
    piecewise = Piecewise.of_reference(problem, reference, seed=seed, epochs=epochs)
    return lambda: words, reference.runs(rows, **asked), piecewise
