"""Runs over many reseeds, for the checks on their spread and to calibrate their bounds."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.catalog.own_problems import OWN, OwnProblem
from initcheck.catalog.problems import Problem
from initcheck.engines.agreement import Agreement, compare_engines, count_steps
from initcheck.engines.ensemble import EnsembleEngine
from initcheck.engines.fit import ReferenceEngine
from initcheck.engines.initial_weights import UnsuitableError
from initcheck.engines.own_runs import OwnEngine
from initcheck.engines.stored import KeptRuns
from initcheck.engines.sweep import Piecewise
from initcheck.engines.validation.problem import validated_data
from initcheck.errors import InitcheckError
from initcheck.evidence.session import Session
from initcheck.frameworks.own import find_problem
from initcheck.records import Run, Runs, group_runs
from initcheck.seeding import derive_seed
from initcheck.store.folder import Store
from initcheck.targets import TENSORFLOW, target

_NARROW = 16  # members
_MOVED = 1000  # runs without randomness, each perturbed differently


class Spread:
    """Runs over reseeds under one laboratory's streams, by the ensemble engine.

    Every method that trains raises ``UnsuitableError`` if that engine does not support the problem.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._runs: dict[tuple[str | OwnProblem, str, range], Runs] = {}

    def runs(self, problem: str | OwnProblem, initializer: str, reseeds: range) -> Runs:
        """Fresh runs of one cell; the initializer by name, and the problem, unless it is a model of the user's own."""
        self.train_ahead(problem, [initializer], reseeds)
        return self._runs[problem, initializer, reseeds]

    def train_ahead(self, problem: str | OwnProblem, initializers: Iterable[str], reseeds: range) -> None:
        """Trains several cells at once, which keeps all cores busy; ``runs`` has them afterwards."""
        missing = [row_of(name) for name in initializers if (problem, name, reseeds) not in self._runs]
        if not missing:
            return
        seed = self._session.stream("spread")
        if isinstance(problem, OwnProblem):
            finished = _own_runs(self._own_engine(problem), missing, reseeds=reseeds, seed=seed)
        else:
            finished = _engine(problem, _width(len(missing) * len(reseeds))).runs(
                rows=missing, reseeds=reseeds, seed=seed
            )
        for runs in group_runs(finished):
            self._runs[problem, runs.initializer, reseeds] = runs

    def _own_engine(self, problem: OwnProblem) -> OwnEngine:
        engine: OwnEngine = self._session.once(("own engine", problem.name), lambda: OwnEngine(problem))
        return engine

    def majority(self, problem: str | OwnProblem) -> float | None:
        """Share of the commonest class among the problem's training rows, or the best score of a constant answer."""
        if isinstance(problem, OwnProblem):
            return self._own_engine(problem).facts.chance
        share: float = self._session.once(("majority", problem), lambda: majority(find_problem(problem)))
        return share

    def agreement(self, problem: str, initializer: str) -> Agreement:
        """One fresh run of one cell by both engines."""
        row, chosen, seed = INITIALIZERS[initializer], find_problem(problem), self._session.stream("agreement")
        # First: if it does not support the problem there is nothing to compare.
        engine = _engine(problem, _width(1))
        reference: ReferenceEngine = self._session.once(("reference engine", problem), lambda: ReferenceEngine(chosen))
        return compare_engines(engine, reference.train(row, reseed=0, seed=seed), row, chosen, seed=seed)


def calibrate(
    problem: Problem, initializers: Sequence[Initializer], *, reseeds: int, seed: int, store: Store | None = None
) -> Iterator[Runs]:
    """Runs of each of those initializers, one initializer after another.

    Those without randomness give one run, whatever the seed. It is trained again from weights perturbed by as many ulps
    as it has steps, up or down at random: the range of its rounding error on another machine.

    The runs' stream is their own, so that neither a sweep nor a check under the same root seed repeats them. A store
    keeps them, but for those of initializers without randomness.

    Raises:
        InitcheckError: The ensemble engine does not support that problem.
    """
    try:
        engine = EnsembleEngine(problem, initializers)
        stream = derive_seed(seed, "bounds")
        steps = count_steps(problem, len(validated_data(problem).x_train), problem.epochs)
        kept = (
            None
            if store is None
            else KeptRuns(store, Piecewise.of_ensemble(problem, engine, seed=stream, planned=reseeds), stream)
        )
        for row in initializers:
            if kept is not None and row.law.random:
                yield from kept.runs([row], reseeds)
                continue
            parts = list(engine.runs(rows=[row], reseeds=range(reseeds if row.law.random else 1), seed=stream))
            if not row.law.random:
                parts += engine.runs(rows=[row], reseeds=range(1, _MOVED), seed=stream, ulps=steps)
            yield group_runs(parts)[0]
    except UnsuitableError as error:
        raise InitcheckError(f"bounds need the ensemble engine, which cannot train {problem.name!r}: {error}") from None


def calibrate_own(
    problem: OwnProblem, initializers: Sequence[Initializer], *, reseeds: int, seed: int, store: Store | None = None
) -> tuple[OwnEngine, Iterator[Runs]]:
    """The engine of a user's own model, and the runs of each of those initializers, one after another.

    Raises:
        InitcheckError: A mistake in the model, or an initializer that draws nothing.
    """
    engine = OwnEngine(problem)
    for row in initializers:
        if not row.law.random:
            raise InitcheckError(f"{row.name} draws nothing, so that a reseed of it changes nothing; leave it out")
        engine.require_buildable(row)
    stream = derive_seed(seed, "bounds")
    if store is not None:
        try:
            ensemble = engine.ensemble([(row, reseed) for row in initializers[:1] for reseed in range(reseeds)])
        except UnsuitableError:
            ensemble = None
        kept = KeptRuns(store, Piecewise.of_own(problem, engine, ensemble, seed=stream), stream)
        return engine, (kept.runs([row], reseeds)[0] for row in initializers)
    return engine, (
        group_runs(_own_runs(engine, [row], reseeds=range(reseeds), seed=stream))[0] for row in initializers
    )


def _own_runs(engine: OwnEngine, rows: Sequence[Initializer], *, reseeds: range, seed: int) -> Iterator[Runs]:
    try:
        return engine.ensemble_runs(rows, reseeds=reseeds, seed=seed)[1]
    except UnsuitableError:
        return engine.runs(rows, reseeds=reseeds, seed=seed)


def row_of(name: str) -> Initializer:
    """The catalogue's row of that name, or the one under which a model keeps its own initializers."""
    return OWN if name == OWN.name else INITIALIZERS[name]


def place_run(problem: Problem | OwnProblem, initializer: Initializer, *, seed: int) -> Run:
    """The first run under that root seed, as ``initcheck run --seed`` trains it."""
    if isinstance(problem, OwnProblem):
        return OwnEngine(problem).train(initializer, reseed=0, seed=seed)
    return ReferenceEngine(problem).train(initializer, reseed=0, seed=seed)


def buildable(problem: Problem, initializers: Iterable[Initializer]) -> list[Initializer]:
    """Returns those that the problem's model can be built with: an identity needs square kernels, for example.

    Raises:
        InitcheckError: None of them; the reason of the first is given.
    """
    reference = ReferenceEngine(problem)
    rows: list[Initializer] = []
    reasons: list[InitcheckError] = []
    for row in initializers:
        try:
            reference.require_buildable(row)
        except InitcheckError as error:
            reasons.append(error)
        else:
            rows.append(row)
    if reasons and not rows:
        raise reasons[0]
    return rows


def majority(problem: Problem) -> float:
    """Share of the commonest class among the problem's training rows."""
    counts = np.unique(validated_data(problem).y_train, return_counts=True)[1]
    return float(counts.max() / counts.sum())


def _width(members: int) -> int | None:
    """The width for so many members: elsewhere than on TensorFlow a few would fill a program of a thousand."""
    return _NARROW if members <= _NARROW and target() != TENSORFLOW else None


@functools.cache
def _engine(problem: str, width: int | None = None) -> EnsembleEngine:
    """Compiled once for all streams of the process."""
    return EnsembleEngine(find_problem(problem), [INITIALIZERS["zeros"]], width=width)
