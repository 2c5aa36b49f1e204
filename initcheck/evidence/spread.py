"""Runs over many reseeds, for the checks on their spread and to calibrate their bounds."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.catalog.problems import Problem
from initcheck.engines.agreement import Agreement, compare_engines, count_steps
from initcheck.engines.ensemble import EnsembleEngine
from initcheck.engines.fit import ReferenceEngine
from initcheck.engines.initial_weights import UnsuitableError
from initcheck.engines.validation.problem import validated_data
from initcheck.errors import InitcheckError
from initcheck.evidence.session import Session
from initcheck.frameworks.own import find_problem
from initcheck.records import Run, Runs, group_runs
from initcheck.seeding import derive_seed

_MOVED = 1000  # runs without randomness, each perturbed differently


class Spread:
    """Runs over reseeds under one laboratory's streams, by the ensemble engine.

    Every method that trains raises ``UnsuitableError`` if that engine does not support the problem.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._runs: dict[tuple[str, str, range], Runs] = {}

    def runs(self, problem: str, initializer: str, reseeds: range) -> Runs:
        """Fresh runs of one cell; problem and initializer by name."""
        self.train_ahead(problem, [initializer], reseeds)
        return self._runs[problem, initializer, reseeds]

    def train_ahead(self, problem: str, initializers: Iterable[str], reseeds: range) -> None:
        """Trains several cells at once, which keeps all cores busy; ``runs`` has them afterwards."""
        missing = [INITIALIZERS[name] for name in initializers if (problem, name, reseeds) not in self._runs]
        if missing:
            seed = self._session.stream("spread")
            for runs in group_runs(_engine(problem).runs(rows=missing, reseeds=reseeds, seed=seed)):
                self._runs[problem, runs.initializer, reseeds] = runs

    def majority(self, problem: str) -> float:
        """Share of the commonest class among the problem's training rows."""
        share: float = self._session.once(("majority", problem), lambda: majority(find_problem(problem)))
        return share

    def agreement(self, problem: str, initializer: str) -> Agreement:
        """One fresh run of one cell by both engines."""
        row, chosen, seed = INITIALIZERS[initializer], find_problem(problem), self._session.stream("agreement")
        engine = _engine(problem)  # first: if it does not support the problem there is nothing to compare
        reference: ReferenceEngine = self._session.once(("reference engine", problem), lambda: ReferenceEngine(chosen))
        return compare_engines(engine, reference.train(row, reseed=0, seed=seed), row, chosen, seed=seed)


def calibrate(problem: Problem, initializers: Sequence[Initializer], *, reseeds: int, seed: int) -> Iterator[Runs]:
    """Runs of each of those initializers, one initializer after another.

    Those without randomness give one run, whatever the seed. It is trained again from weights perturbed by as many ulps
    as it has steps, up or down at random: the range of its rounding error on another machine.

    The runs' stream is their own, so that neither a sweep nor a check under the same root seed repeats them.

    Raises:
        InitcheckError: The ensemble engine does not support that problem.
    """
    try:
        engine = EnsembleEngine(problem, initializers)
        stream = derive_seed(seed, "bounds")
        steps = count_steps(problem, len(validated_data(problem).x_train), problem.epochs)
        for row in initializers:
            parts = list(engine.runs(rows=[row], reseeds=range(reseeds if row.law.random else 1), seed=stream))
            if not row.law.random:
                parts += engine.runs(rows=[row], reseeds=range(1, _MOVED), seed=stream, ulps=steps)
            yield group_runs(parts)[0]
    except UnsuitableError as error:
        raise InitcheckError(f"bounds need the ensemble engine, which cannot train {problem.name!r}: {error}") from None


def place_run(problem: Problem, initializer: Initializer, *, seed: int) -> Run:
    """The first run under that root seed, as ``initcheck run --seed`` trains it."""
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


@functools.cache
def _engine(problem: str) -> EnsembleEngine:
    """Compiled once for all streams of the process."""
    return EnsembleEngine(find_problem(problem), [INITIALIZERS["zeros"]])
