"""Holds the ensemble engine's runs to the reference engine's, within what rounding may do to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.problems import Problem
from initcheck.engines.ensemble import EnsembleEngine
from initcheck.engines.fit import ReferenceEngine
from initcheck.engines.perturbed import TRIALS, tolerance, worst
from initcheck.records import METRICS, Run, group_runs

_LOSSES = [METRICS.index("loss"), METRICS.index("val_loss")]


@dataclass(frozen=True)
class Agreement:
    """The differences between two engines' runs of the same name, and their tolerances.

    Attributes:
        loss: Difference of a reported loss, in the epoch where it is largest beside its tolerance.
        loss_tolerance: That epoch's tolerance.
        rows: Difference of the training or held-out rows that the final weights classify correctly, likewise.
        rows_tolerance: Its tolerance.
    """

    loss: float
    loss_tolerance: float
    rows: int
    rows_tolerance: int

    @property
    def agrees(self) -> bool:
        """Whether both differences are within their tolerances; NaN agrees with nothing."""
        return self.loss <= self.loss_tolerance and self.rows <= self.rows_tolerance


def judge_agreement(
    problem: Problem, row: Initializer, *, reseed: int, seed: int, epochs: int | None = None
) -> Agreement:
    """Trains one run by both engines.

    The tolerance is learned. Each step rounds each weight once in either engine, so after ``steps`` steps they
    differ by what that many ulps have grown to. The same run is therefore trained again from initial
    weights perturbed by ``steps`` ulps, up or down by chance, eight times; what these scatter by, up to an epoch, gives
    the tolerance of its losses, with one rounding of the loss for each step beside it, and at the end that of the rows,
    with one row for roundings of the last steps.

    Args:
        problem: The problem to train.
        row: The initializer.
        reseed: Number of the repetition.
        seed: The root seed.
        epochs: Passes over the training rows; the problem's own number by default.

    Raises:
        UnsuitableError: The ensemble engine does not train that problem.
    """
    reference = ReferenceEngine(problem, epochs=epochs)
    engine = EnsembleEngine(problem, [row], epochs=epochs)
    return compare_engines(engine, reference.train(row, reseed=reseed, seed=seed), row, problem, seed=seed)


def count_steps(problem: Problem, rows: int, epochs: int) -> int:
    """The optimizer's steps over so many training rows and epochs."""
    return epochs * -(-rows // problem.batch_size)


def compare_engines(engine: EnsembleEngine, run: Run, row: Initializer, problem: Problem, *, seed: int) -> Agreement:
    """Trains one run by the ensemble engine, and compares it with that run of the reference engine."""
    (reference,) = group_runs([run])
    steps = count_steps(problem, run.train_total, reference.epochs)
    (own,) = group_runs(engine.runs(rows=[row], reseeds=[run.reseed], seed=seed))
    # The same run so many times, side by side: each is perturbed by ups and downs of its own.
    (shifted,) = group_runs(engine.runs(rows=[row], reseeds=[run.reseed] * TRIALS, seed=seed, ulps=steps))

    losses = [one.history[:, :, _LOSSES] - own.history[:, :, _LOSSES] for one in (reference, shifted)]
    rounding = steps * float(np.finfo(np.float32).eps) * max(1.0, float(np.abs(own.history[:, :, _LOSSES]).max()))
    # A fault's own differences grow as these do.
    loss, loss_tolerance = worst(losses[0][0], np.maximum.accumulate(tolerance(losses[1])) + rounding)
    rows = [
        np.stack([one.train_correct - own.train_correct, one.test_correct - own.test_correct], -1)
        for one in (reference, shifted)
    ]
    counted, rows_tolerance = worst(rows[0][0], np.floor(tolerance(rows[1])) + 1)
    return Agreement(loss, loss_tolerance, int(counted), int(rows_tolerance))
