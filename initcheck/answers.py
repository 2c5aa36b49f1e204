"""The lecture's questions, answered from finished runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from initcheck import statistics
from initcheck.records import Run
from initcheck.statistics import Estimate

PLATEAU = 0.02  # less relative fall of the loss than this over the last quarter of the epochs is no progress

# What each answer means and how its interval is made, in words for every table and page.
METHODS = {
    "held-out mean": "mean accuracy on the held-out rows over reseeds; 95 % BCa bootstrap interval",
    "held-out sd": "standard deviation of that accuracy over reseeds; 95 % BCa bootstrap interval, which covers less "
    "than it says where runs are few or collapse (docs/statistics.md)",
    "training mean": "mean accuracy of the final weights on the training rows; 95 % BCa bootstrap interval",
    "training sd": "standard deviation of that accuracy over reseeds; interval as above",
    "comes out best": "chance to have the highest held-out accuracy if each initializer were run once, ties shared; "
    "exact for the observed runs, 95 % percentile bootstrap interval",
    "epochs to target": "median of the first epoch whose reported training accuracy reaches the target; 95 % interval "
    "between order statistics; > means not within the epochs given",
    "stuck": "share of runs that never reached the target and whose training loss fell by less than 2 % over the last "
    "quarter of the epochs (or is no number); 95 % Clopper–Pearson interval",
    "restarts": "fresh runs that give a 95 % chance of one at least that is not stuck; from the interval of the share",
}


@dataclass(frozen=True)
class Answer:
    """What the runs of one initializer say.

    Attributes:
        initializer: Name of the row.
        runs: How many runs there are.
        test_mean: Mean held-out accuracy.
        test_stddev: Its standard deviation over reseeds.
        train_mean: Mean training accuracy of the final weights.
        train_stddev: Its standard deviation over reseeds.
        best: Chance to come out best if each initializer were run once.
        epochs_to_target: Median of the epochs needed; infinite where most runs never get there.
        stuck: Share of stuck runs.
        restarts: Fresh runs for a 95 % chance of one that is not stuck.
    """

    initializer: str
    runs: int
    test_mean: Estimate
    test_stddev: Estimate
    train_mean: Estimate
    train_stddev: Estimate
    best: Estimate
    epochs_to_target: Estimate
    stuck: Estimate
    restarts: Estimate


def epochs_to_target(run: Run, target: float) -> int | None:
    """The first epoch whose reported training accuracy reaches the target, or None."""
    return next((epoch.epoch for epoch in run.history if epoch.accuracy >= target), None)


def is_stuck(run: Run, target: float) -> bool:
    """Whether the run never reached the target and had stopped getting better.

    It had, if its training loss fell by less than 2 % over the last quarter of the epochs (at least one epoch), or is
    no number. A run that is still falling is unfinished, not stuck: more epochs would help it, a restart need not.
    Both can be checked against the columns of ``history.csv``.
    """
    if epochs_to_target(run, target) is not None:
        return False
    if len(run.history) == 1:
        return not math.isfinite(run.loss)
    earlier = run.history[-1 - max(1, len(run.history) // 4)].loss
    return not run.loss <= (1 - PLATEAU) * earlier  # written so that NaN counts as stuck


def answer(runs: Sequence[Run], target: float) -> list[Answer]:
    """The answers for each initializer, in the order in which they first appear.

    Args:
        runs: Finished runs of one problem.
        target: The problem's target accuracy.
    """
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.initializer, []).append(run)
    best = statistics.best_shares([_test_accuracies(group) for group in groups.values()]) if groups else []
    return [_answer(name, group, share, target) for (name, group), share in zip(groups.items(), best, strict=True)]


def _test_accuracies(runs: Sequence[Run]) -> statistics.Values:
    return np.array([run.test_accuracy for run in runs])


def _answer(name: str, runs: Sequence[Run], best: Estimate, target: float) -> Answer:
    test, train = _test_accuracies(runs), np.array([run.train_accuracy for run in runs])
    reached = np.array([epochs_to_target(run, target) or math.inf for run in runs])
    stuck = statistics.proportion(sum(is_stuck(run, target) for run in runs), len(runs))
    return Answer(
        initializer=name,
        runs=len(runs),
        test_mean=statistics.mean(test),
        test_stddev=statistics.stddev(test),
        train_mean=statistics.mean(train),
        train_stddev=statistics.stddev(train),
        best=best,
        epochs_to_target=statistics.median(reached),
        stuck=stuck,
        restarts=statistics.runs_until_success(stuck),
    )
