"""The lecture's questions, answered from finished runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck import statistics
from initcheck.records import Runs
from initcheck.statistics import Components, Estimate

PLATEAU = 0.02  # less relative fall of the loss than this over the last quarter of the epochs is no progress

# What each answer means and how its interval is made, in words for every table and page.
METHODS = {
    "held-out mean": "mean accuracy on the held-out rows over reseeds; 95 % bootstrap interval (BCa; percentile from "
    "1,000 runs on)",
    "held-out sd": "standard deviation of that accuracy over reseeds; interval as above, which covers less "
    "than it says where runs are few or collapse (docs/statistics.md)",
    "training mean": "mean accuracy of the final weights on the training rows; interval as above",
    "training sd": "standard deviation of that accuracy over reseeds; interval as above",
    "comes out best": "chance to have the highest held-out accuracy if each initializer were run once, ties shared; "
    "exact for the observed runs, 95 % percentile bootstrap interval",
    "epochs to target": "median of the first epoch whose reported training accuracy reaches the target; 95 % interval "
    "between order statistics; > means not within the epochs given",
    "stuck": "share of runs that never reached the target and whose training loss fell by less than 2 % over the last "
    "quarter of the epochs (or is no number); 95 % Clopper–Pearson interval",
    "restarts": "fresh runs that give a 95 % chance of one at least that is not stuck; from the interval of the share",
}

COMPONENTS_METHOD = (
    "shares of the variance of the held-out accuracy, by a two-way random-effects model of initial weights × orders; "
    "interplay: what neither decides alone; 95 % intervals resample weights and orders together. The other intervals "
    "take runs for independent, which runs that share weights or orders are not: they are too narrow here"
)


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


def epochs_to_target(runs: Runs, target: float) -> statistics.Values:
    """Each run's first epoch whose reported training accuracy reaches the target; infinite where none does."""
    reached = runs.metric("accuracy") >= target
    return np.where(reached.any(axis=1), 1.0 + reached.argmax(axis=1), np.inf)


def is_stuck(runs: Runs, target: float) -> npt.NDArray[np.bool_]:
    """Whether each run never reached the target and had stopped getting better.

    It had, if its training loss fell by less than 2 % over the last quarter of the epochs (at least one epoch), or is
    no number. A run that is still falling is unfinished, not stuck: more epochs would help it, a restart need not.
    Both can be checked against the columns of ``history.csv``.
    """
    loss = runs.metric("loss")
    never = np.isinf(epochs_to_target(runs, target))
    if runs.epochs == 1:
        return never & ~np.isfinite(loss[:, 0])
    earlier = loss[:, -1 - max(1, runs.epochs // 4)]
    return never & ~(loss[:, -1] <= (1 - PLATEAU) * earlier)  # written so that NaN counts as stuck


def answer(groups: Sequence[Runs], target: float) -> list[Answer]:
    """The answers for each initializer, in the order given.

    Args:
        groups: Finished runs of one problem, a group for each initializer.
        target: The problem's target accuracy.
    """
    best = statistics.best_shares([runs.test_accuracy for runs in groups]) if groups else []
    return [_answer(runs, share, target) for runs, share in zip(groups, best, strict=True)]


def attribute(runs: Runs) -> Components | None:
    """How much of the spread of the held-out accuracy is the initial weights, how much the rows' order.

    None where not every initial weights met every order, at least two of each, or where all runs are equal.
    """
    reseeds, row = np.unique(runs.reseeds, return_inverse=True)
    orders, column = np.unique(runs.orders, return_inverse=True)
    if min(len(reseeds), len(orders)) < 2 or len(runs) != len(reseeds) * len(orders):
        return None
    table = np.empty((len(reseeds), len(orders)))
    table[row, column] = runs.test_accuracy
    return statistics.variance_components(table)


def _answer(runs: Runs, best: Estimate, target: float) -> Answer:
    stuck = statistics.proportion(int(is_stuck(runs, target).sum()), len(runs))
    return Answer(
        initializer=runs.initializer,
        runs=len(runs),
        test_mean=statistics.mean(runs.test_accuracy),
        test_stddev=statistics.stddev(runs.test_accuracy),
        train_mean=statistics.mean(runs.train_accuracy),
        train_stddev=statistics.stddev(runs.train_accuracy),
        best=best,
        epochs_to_target=statistics.median(epochs_to_target(runs, target)),
        stuck=stuck,
        restarts=statistics.runs_until_success(stuck),
    )
