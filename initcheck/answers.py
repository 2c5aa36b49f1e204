"""The lecture's questions, answered from finished runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from initcheck import statistics
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.problem_facts import OneClass
from initcheck.records import Runs
from initcheck.statistics import UNKNOWN, Components, Estimate

MIN_EPOCHS = 8  # of which each quarter has two; fewer cannot tell a plateau from a slow start
PROGRESS = 0.02  # a fall from one quarter of the epochs to the last by this share of the loss is no plateau
FLAT = 0.0001  # a fall by a smaller share than this is a flat line, and may be rounding
SLOWER = 0.5  # a fall is slower than before where it is less than this share of that of the quarter before
CLEAR = 3.0  # standard errors that a fall must exceed to be more than noise
NEAR = 0.01  # above the least loss of one answer to all rows by this share of it: all but arrived there
_WHOLE = 0.01  # rows that an accuracy in float32 is off a whole number of them
BELOW = 0.001  # below it by this share: something was learned of the rows

# What each answer means and how its interval is made, in words for every table and page.
METHODS = {
    "held-out mean": "mean accuracy on the held-out rows over reseeds; 95 % bootstrap interval (BCa; percentile from "
    "1,000 runs on)",
    "held-out sd": "standard deviation of that accuracy over reseeds; interval as above, which covers less "
    "than it says where runs are few or collapse (docs/statistics.md)",
    "training mean": "mean accuracy of the final weights on the training rows; interval as above",
    "training sd": "standard deviation of that accuracy over reseeds; interval as above",
    "comes out best": "chance to have the highest held-out accuracy if each initializer were run once, ties shared; "
    "exact for the observed runs, 95 % percentile bootstrap (Clopper–Pearson at 0 and 1); none of one draw of weights, "
    "or of runs that share weights or orders",
    "epochs to target": "median of the first epoch whose reported training accuracy reaches the target; 95 % interval "
    "between order statistics; > means not within the epochs given",
    "stuck": "share of runs that never reached the target and whose loss has stopped falling, is not a number, or has "
    "come down to what predicting one class for all rows allows (docs/statistics.md); it cannot be told from fewer "
    "than 8 epochs, nor from a loss whose noise could hide a fall by 2 % in each quarter of the epochs; 95 % "
    "Clopper–Pearson interval, which allows for none or all of the runs that cannot be told",
    "restarts": "fresh runs that give a 95 % chance of at least one that is not stuck, from the interval of the share; "
    "none where no run of any initializer reached the target, as perhaps none can",
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
        best: Chance to come out best if each initializer were run once; NaN where an initializer's runs are not as many
            independent draws of weights.
        epochs_to_target: Median of the epochs needed; infinite where most runs never get there.
        reached: Runs that reached the target accuracy.
        unfinished: Runs that did not, and whose loss still falls; of fewer than 8 epochs, falls in each.
        judged: Runs of which it can be told whether they are stuck; 0 where fewer than 8 epochs tell it of some only,
            as then none but those that reached the target or diverged would count.
        noisy: Runs of which it cannot be told because their loss is too noisy.
        stuck: Share of stuck runs among the judged, whose interval allows for the others; NaN where there are none.
        restarts: Fresh runs for a 95 % chance of one that is not stuck; NaN where that cannot be told, or where no run
            of any initializer reached the target.
        one_run: Whether they are one run, repeated, as nothing in them is random: only ``best`` has an interval.
    """

    initializer: str
    runs: int
    test_mean: Estimate
    test_stddev: Estimate
    train_mean: Estimate
    train_stddev: Estimate
    best: Estimate
    epochs_to_target: Estimate
    reached: int
    unfinished: int
    judged: int
    noisy: int
    stuck: Estimate
    restarts: Estimate
    one_run: bool = False


def epochs_to_target(runs: Runs, target: float) -> statistics.Values:
    """Each run's first epoch whose reported training accuracy reaches the target; infinite where none does."""
    reached = runs.metric("accuracy") >= target
    return np.where(reached.any(axis=1), 1.0 + reached.argmax(axis=1), np.inf)


def is_stuck(
    runs: Runs, target: float, one_class: OneClass | None = None
) -> np.ma.MaskedArray[tuple[int], np.dtype[np.bool_]]:
    """Whether each run never reached the target and had stopped getting better; masked where that cannot be told.

    It had, if its last training loss is no number or infinite, or if the loss lies on a plateau. A loss that still
    falls is unfinished, not stuck: more epochs would help it, a restart need not. But where a run named one class for
    all rows in every epoch, all that fell may be the output's bias: it is stuck if the loss is near the least that one
    answer to all rows can have, unfinished if below that, and above it nobody can tell. Nor can anybody from fewer than
    8 epochs, or where a loss is too noisy. All of it can be computed from the columns of ``history.csv`` and the
    classes' counts.

    Args:
        runs: The runs.
        target: The problem's target accuracy.
        one_class: What naming one class for all rows gives; None where that is not known, and not looked at.
    """
    loss = runs.metric("loss")
    never = np.isinf(epochs_to_target(runs, target))
    diverged = never & ~np.isfinite(loss[:, -1])
    if runs.epochs < MIN_EPOCHS:
        return np.ma.masked_array(diverged, mask=never & ~diverged)
    falls, noisy = never & ~diverged & _still_falls(loss), is_too_noisy(runs, target)
    if one_class is None:
        return np.ma.masked_array(never & ~falls, mask=noisy)
    idle = falls & names_one_class(runs, one_class)
    arrived, learns = _near_least(loss, one_class.least_loss)
    return np.ma.masked_array(never & (~falls | (idle & arrived)), mask=noisy | (idle & ~arrived & ~learns))


def is_too_noisy(runs: Runs, target: float) -> npt.NDArray[np.bool_]:
    """Whether each run seems to lie on a plateau, short of the target, but its noise could hide that it learns.

    It could where a fall by ``PROGRESS``, which counts as one, is less than the ``CLEAR`` standard errors that a fall
    must exceed. How often a fall is seen up to that noise, docs/statistics.md measures.
    """
    loss = runs.metric("loss")
    if runs.epochs < MIN_EPOCHS:
        return np.zeros(len(runs), dtype=bool)
    plateau = np.isinf(epochs_to_target(runs, target)) & np.isfinite(loss[:, -1]) & ~_still_falls(loss)
    quarter = runs.epochs // 4
    late = loss[:, -_late(runs.epochs) :]
    with np.errstate(invalid="ignore", over="ignore"):
        third, last = late[:, -2 * quarter : -quarter].mean(axis=1), late[:, -quarter:].mean(axis=1)
        noise, size = CLEAR * _noise(late) * math.sqrt(2 / quarter), np.maximum(np.abs(third), np.abs(last))
        found: npt.NDArray[np.bool_] = plateau & (noise > PROGRESS * size) & np.isfinite(noise)
    return found


def is_unfinished(runs: Runs, target: float, one_class: OneClass | None = None) -> npt.NDArray[np.bool_]:
    """Whether each run never reached the target while its loss still falls, so that more epochs would help.

    Of fewer than 8 epochs, which show no noise, the loss has to fall in each, the last time by much or about as fast as
    the time before. One that is stuck though its loss creeps to the least of one answer to all rows is not unfinished.
    """
    loss = runs.metric("loss")
    never = np.isinf(epochs_to_target(runs, target)) & np.isfinite(loss[:, -1])
    if runs.epochs >= MIN_EPOCHS:
        return never & _still_falls(loss) & ~is_stuck(runs, target, one_class).filled(False)
    if runs.epochs == 1:
        return np.zeros(len(runs), dtype=bool)
    with np.errstate(invalid="ignore", over="ignore"):
        falls = -np.diff(loss, axis=1)
        size = np.maximum(np.abs(loss[:, -2]), np.abs(loss[:, -1]))
        pace = falls[:, -1] >= np.minimum(PROGRESS * size, SLOWER * falls[:, -min(2, runs.epochs - 1)])
        found: npt.NDArray[np.bool_] = never & (falls > 0).all(axis=1) & (falls[:, -1] >= FLAT * size) & pace
    return found


def names_one_class(runs: Runs, one_class: OneClass) -> npt.NDArray[np.bool_]:
    """Whether each run's predictions were one class for all rows, after every epoch but those of the first quarter.

    As far as counts tell: of the held-out rows, those of one class were right after each of these epochs, and of all
    rows those of that class at the end. Which class it is may change: where all are as frequent, little decides it.
    """
    late = runs.metric("val_accuracy")[:, -_late(runs.epochs) :] * runs.test_total
    counts = np.array(one_class.test_correct)
    if counts.sum() != runs.test_total or sum(one_class.train_correct) != runs.train_total:
        return np.zeros(len(runs), dtype=bool)  # of other data than these runs
    with np.errstate(invalid="ignore"):
        right = np.rint(late)
        whole = np.abs(late - right) < _WHOLE
    pair = runs.test_total + 1  # so that both counts of a class are one number
    last = np.isin(runs.train_correct * pair + runs.test_correct, np.array(one_class.train_correct) * pair + counts)
    found: npt.NDArray[np.bool_] = (np.isin(right, counts) & whole).all(axis=1) & last
    return found


def _near_least(loss: statistics.Values, least: float) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Whether each loss has all but arrived at the least of one answer to all rows, and whether it is below that.

    One whose pace leads below it within half as many epochs again is passing, and has not arrived. Of an unknown
    least loss, NaN, neither is said.
    """
    quarter = loss.shape[1] // 4
    late = loss[:, -_late(loss.shape[1]) :]
    with np.errstate(invalid="ignore", over="ignore"):
        third, last = late[:, -2 * quarter : -quarter].mean(axis=1), late[:, -quarter:].mean(axis=1)
        floor = least - np.maximum(BELOW * least, CLEAR * _noise(late) * math.sqrt(2 / quarter))
        learns, passing = last < floor, last - 2 * (third - last) < least
        arrived = (last <= (1 + NEAR) * least) & ~learns & ~passing
    return arrived, learns


def _late(epochs: int) -> int:
    """How many epochs the last three quarters have."""
    return 3 * (epochs // 4)


def _still_falls(loss: statistics.Values) -> npt.NDArray[np.bool_]:
    """Whether each loss, shape ``(runs, epochs)``, falls by more than noise, and by much or about as fast as before.

    Means of quarters are compared, as single epochs are noisy. The first quarter, in which a loss may jump, is left
    out. Shares are of the loss's size, whatever its sign.
    """
    quarter = loss.shape[1] // 4
    late = loss[:, -_late(loss.shape[1]) :]
    with np.errstate(invalid="ignore", over="ignore"):  # of a run that diverged, or nearly so
        second, third, last = late.reshape(len(loss), 3, quarter).mean(axis=2).T
        size = np.maximum(np.abs(third), np.abs(last))
        fall, before = third - last, second - third
        clear = np.maximum(second, third) - last > CLEAR * _noise(late) * math.sqrt(2 / quarter)
        much = fall >= PROGRESS * size
        keeps_pace = (fall >= SLOWER * before) & (fall >= FLAT * size)
    found: npt.NDArray[np.bool_] = (fall > 0) & clear & (much | keeps_pace)
    return found


def _noise(loss: statistics.Values) -> statistics.Values:
    """The standard deviation of each loss about its trend: second differences cancel any line, and sum 1 + 4 + 1."""
    found: statistics.Values = np.sqrt(np.mean(np.diff(loss, n=2, axis=1) ** 2, axis=1) / 6)
    return found


def answer(groups: Sequence[Runs], target: float, one_class: OneClass | None = None) -> list[Answer]:
    """The answers for each initializer, in the order given.

    Args:
        groups: Finished runs of one problem, a group for each initializer.
        target: The problem's target accuracy.
        one_class: What naming one class for all rows gives, where that is known.
    """
    best = _best(groups) if groups else []
    answers = [_answer(runs, share, target, one_class) for runs, share in zip(groups, best, strict=True)]
    if any(one.reached for one in answers):
        return answers
    return [replace(one, restarts=UNKNOWN) for one in answers]  # perhaps the model cannot reach it on these data


def _best(groups: Sequence[Runs]) -> list[Estimate]:
    """How often each initializer would come out best; unknown where a run is not a draw of weights of its own."""
    if any(np.ptp(runs.orders) for runs in groups):
        return [UNKNOWN] * len(groups)
    found = statistics.best_shares([runs.test_accuracy for runs in groups])
    nothing_random = all(map(is_one_run, groups))
    return [_without_interval(share) for share in found] if nothing_random else found


def is_one_run(runs: Runs) -> bool:
    """Whether an initializer without randomness has given the same run again and again: one run, however often."""
    row = INITIALIZERS.get(runs.initializer)
    return (
        row is not None
        and not row.law.random
        and len(np.unique(runs.orders)) == 1
        and not np.ptp(runs.test_correct)
        and not np.ptp(runs.train_correct)
        and np.array_equal(runs.history, np.broadcast_to(runs.history[:1], runs.history.shape), equal_nan=True)
    )


def _without_interval(estimate: Estimate) -> Estimate:
    return Estimate(estimate.value, math.nan, math.nan)


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


def _answer(runs: Runs, best: Estimate, target: float, one_class: OneClass | None) -> Answer:
    judged, stuck = _stuck_share(runs, target, one_class)
    one_run = is_one_run(runs)
    epochs = epochs_to_target(runs, target)
    to_target = statistics.median(epochs)
    if one_run:
        stuck, to_target = _without_interval(stuck), _without_interval(to_target)
    restarts = statistics.runs_until_success(stuck)
    if math.isinf(restarts.value) and judged < len(runs):
        restarts = UNKNOWN  # of the others one may have been on its way
    return Answer(
        initializer=runs.initializer,
        runs=len(runs),
        test_mean=statistics.mean(runs.test_accuracy),
        test_stddev=statistics.stddev(runs.test_accuracy),
        train_mean=statistics.mean(runs.train_accuracy),
        train_stddev=statistics.stddev(runs.train_accuracy),
        best=best,
        epochs_to_target=to_target,
        reached=int(np.isfinite(epochs).sum()),
        unfinished=int(is_unfinished(runs, target, one_class).sum()),
        judged=judged,
        noisy=int(is_too_noisy(runs, target).sum()),
        stuck=stuck,
        restarts=restarts,
        one_run=one_run,
    )


def _stuck_share(runs: Runs, target: float, one_class: OneClass | None) -> tuple[int, Estimate]:
    """Of how many runs it can be told whether they are stuck, and the share of these that are.

    No run that reached the target is among those that cannot be told, so that the others are no random sample: the
    interval reaches from the share if none of them is stuck to that if all are. From few epochs the value itself would
    be 0 or 1 by construction, and is not given.
    """
    found = is_stuck(runs, target, one_class)
    stuck, judged = int(found.compressed().sum()), len(found.compressed())
    if not judged or (judged < len(runs) and runs.epochs < MIN_EPOCHS):
        return 0, UNKNOWN
    low = statistics.proportion(stuck, len(runs)).low
    high = statistics.proportion(stuck + len(runs) - judged, len(runs)).high
    return judged, Estimate(stuck / judged, low, high)
