"""The lecture's questions, answered from finished runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.problem_facts import OneClass
from initcheck.records import Runs, Score
from initcheck.statistics import estimates
from initcheck.statistics.estimates import UNKNOWN, Estimate
from initcheck.statistics.outcomes import MIN_EPOCHS, Outcomes, outcomes
from initcheck.statistics.two_way import Components, Grid, variance_components

TITLES = (
    "held-out mean",
    "held-out sd",
    "training mean",
    "training sd",
    "comes out best",
    "epochs to target",
    "stuck",
    "restarts",
)


def methods(score: Score) -> dict[str, str]:
    """The meaning of each answer and the method of its interval: title → text, for every table and page."""
    name, best = score.name, "highest" if score.higher_is_better else "lowest"
    plateau = "has stopped falling or is not a number"
    if score.counted:
        plateau = (
            "has stopped falling, is not a number, or has come down to what predicting one class for all rows allows"
        )
    texts = (
        f"mean {name} on the held-out rows over reseeds; 95 % bootstrap interval (BCa; percentile from 1,000 runs on); "
        "none where a run ended with no number",
        f"standard deviation of that {name} over reseeds; interval as above, which covers less than it says where runs "
        "are few or collapse (docs/statistics.md)",
        f"mean {name} of the final weights on the training rows; interval as above",
        f"standard deviation of that {name} over reseeds; interval as above",
        f"chance to have the {best} held-out {name} if each initializer were run once, ties shared; exact for the "
        "observed runs, 95 % percentile bootstrap (Clopper–Pearson at 0 and 1); none for one draw of weights, or for "
        "runs that share weights or orders",
        f"median of the first epoch whose reported training {name} reaches the target; 95 % interval between order "
        "statistics; > means not within the epochs given",
        f"share of runs that never reached the target and whose loss {plateau} "
        "(docs/statistics.md); it is unknown without a target, after fewer than 8 epochs, and for a loss whose noise "
        "could hide a fall by 2 % in each quarter of the epochs; 95 % Clopper–Pearson interval, which allows for none "
        "or all of the unknown runs",
        "fresh runs that give a 95 % chance of at least one that is not stuck, from the interval of the share; none "
        "where no run of any initializer reached the target, as perhaps none can",
    )
    return dict(zip(TITLES, texts, strict=True))


def components_method(score: Score) -> str:
    """What the sources of the spread are, and how they are estimated."""
    return (
        f"shares of the variance of the held-out {score.name}, by a two-way random-effects model of initial weights × "
        "orders; interplay: what neither decides alone. All 95 % intervals, of the answers too, resample weights and "
        "orders together; none is given from fewer than 5 of either"
    )


@dataclass(frozen=True)
class Answer:
    """The answers for one initializer.

    Attributes:
        initializer: Name of the row.
        runs: How many runs there are.
        test_mean: Mean held-out score; unknown where a run ended with no number.
        test_stddev: Its standard deviation over reseeds.
        train_mean: Mean training score of the final weights.
        train_stddev: Its standard deviation over reseeds.
        best: Chance to come out best if each initializer were run once; NaN where the runs of an initializer are not
            independent draws of weights.
        epochs_to_target: Median of the epochs needed; infinite where most runs never get there.
        reached: The number of runs that reached the target.
        unfinished: The number that did not and whose loss still falls; with fewer than 8 epochs, falls in each.
        judged: The number of runs known to be stuck or not; 0 where fewer than 8 epochs decide it for some only, as
            then none but those that reached the target or diverged would count.
        noisy: The number of runs whose loss is too noisy to decide it.
        stuck: Share of stuck runs among the judged, whose interval allows for the others; NaN where there are none.
        restarts: Fresh runs for a 95 % chance of one that is not stuck; NaN where that is unknown, or where no run of
            any initializer reached the target.
        one_run: Whether they are one run repeated, since nothing in them is random: only ``best`` has an interval.
        diverged: The number of runs whose held-out score is no number.
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
    diverged: int = 0


def answer(groups: Sequence[Runs], target: float | None, one_class: OneClass | None = None) -> list[Answer]:
    """The answers for each initializer, in the order given.

    Args:
        groups: Finished runs of one problem, a group for each initializer.
        target: The problem's target, where it has one.
        one_class: The result of naming one class for all rows, where it is known.
    """
    best = _best(groups) if groups else []
    answers = [_answer(runs, share, target, one_class) for runs, share in zip(groups, best, strict=True)]
    if any(one.reached for one in answers):
        return answers
    return [replace(one, restarts=UNKNOWN) for one in answers]  # perhaps the model cannot reach it on these data


def _best(groups: Sequence[Runs]) -> list[Estimate]:
    """Each initializer's chance to come out best; unknown where runs are not independent draws of weights."""
    if any(np.ptp(runs.orders) for runs in groups):
        return [UNKNOWN] * len(groups)
    shares = estimates.best_shares([ranked(runs) for runs in groups])
    nothing_random = all(map(is_one_run, groups))
    return [_without_interval(share) for share in shares] if nothing_random else shares


def ranked(runs: Runs) -> estimates.Values:
    """The held-out scores, higher is better, shape ``(runs,)``; what is no number is the worst."""
    signed = runs.score.sign * runs.test_score
    return np.where(np.isnan(signed), -np.inf, signed)


def is_one_run(runs: Runs) -> bool:
    """Whether the runs are one run repeated: equal in every record, of an initializer that draws nothing.

    Whether a user's own initializer draws is judged by its runs alone: several of them whose every loss is equal.
    """
    row = INITIALIZERS.get(runs.initializer)
    if row is None and len(runs) == 1:
        return False
    if (row is not None and row.law.random) or any(
        np.ptp(column) for column in (runs.orders, runs.test_score, runs.train_score)
    ):
        return False
    first = runs.history[:1]
    return (row is not None or bool(np.isfinite(first).all())) and all(
        np.array_equal(piece.history, np.broadcast_to(first, piece.history.shape), equal_nan=True)
        for piece in runs.pieces()
    )


def _without_interval(estimate: Estimate) -> Estimate:
    return Estimate(estimate.value, math.nan, math.nan)


def attribute(runs: Runs) -> Components | None:
    """The shares of the variance of the held-out score due to the initial weights and to the rows' order.

    None unless each of two or more initial weights met each of two or more orders, or where all runs are equal, or one
    ended with no number.
    """
    reseeds, row = np.unique(runs.reseeds, return_inverse=True)
    orders, column = np.unique(runs.orders, return_inverse=True)
    if min(len(reseeds), len(orders)) < 2 or len(runs) != len(reseeds) * len(orders) or not _finite(runs.test_score):
        return None
    table = np.empty((len(reseeds), len(orders)))
    table[row, column] = runs.test_score
    return variance_components(table)


def _answer(runs: Runs, best: Estimate, target: float | None, one_class: OneClass | None) -> Answer:
    ends = outcomes(runs, target, one_class)
    grid = Grid.of(runs.reseeds, runs.orders)
    judged, stuck = _stuck_share(ends, few=runs.epochs < MIN_EPOCHS or target is None, grid=grid)
    one_run = is_one_run(runs)
    by = grid or estimates
    to_target = UNKNOWN if target is None else by.median(ends.epochs_to_target)
    if one_run:
        stuck, to_target = _without_interval(stuck), _without_interval(to_target)
    restarts = estimates.runs_until_success(stuck)
    if math.isinf(restarts.value) and judged < len(runs):
        restarts = UNKNOWN  # one of the others may not be stuck
    return Answer(
        initializer=runs.initializer,
        runs=len(runs),
        test_mean=by.mean(runs.test_score) if _finite(runs.test_score) else UNKNOWN,
        test_stddev=by.stddev(runs.test_score) if _finite(runs.test_score) else UNKNOWN,
        train_mean=by.mean(runs.train_score) if _finite(runs.train_score) else UNKNOWN,
        train_stddev=by.stddev(runs.train_score) if _finite(runs.train_score) else UNKNOWN,
        best=best,
        epochs_to_target=to_target,
        reached=int(ends.reached.sum()),
        unfinished=int(ends.unfinished.sum()),
        judged=judged,
        noisy=int(ends.noisy.sum()),
        stuck=stuck,
        restarts=restarts,
        one_run=one_run,
        diverged=int((~np.isfinite(runs.test_score)).sum()),
    )


def _finite(values: estimates.Values) -> bool:
    return bool(np.isfinite(values).all())


def _stuck_share(ends: Outcomes, *, few: bool, grid: Grid | None) -> tuple[int, Estimate]:
    """The number of runs known to be stuck or not, and the share of these that are stuck.

    No run that reached the target is unknown, so the known ones are no random sample: the interval reaches from the
    share if no unknown run is stuck to the share if all are. With few epochs, or no target, the value itself would be 0
    or 1 by construction, and is not given.
    """
    runs, stuck, unknown = len(ends.stuck), int(ends.stuck.sum()), int(ends.unknown.sum())
    judged = runs - unknown
    if not judged or (unknown and few):
        return 0, UNKNOWN
    if grid:
        least, most = grid.proportion(ends.stuck), grid.proportion(ends.stuck | ends.unknown)
    else:
        least, most = estimates.proportion(stuck, runs), estimates.proportion(stuck + unknown, runs)
    return judged, Estimate(stuck / judged, least.low, most.high)
