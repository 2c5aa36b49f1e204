"""Data order: which rows ``fit`` took, and when."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from initcheck.catalog.cases.feeds import BATCHED_FEEDS, DEFAULT_BATCH, SMALL_FEED, feeds, large_feed, unshuffled_feeds
from initcheck.catalog.recipes import Feed
from initcheck.checks.promised import judge_promises
from initcheck.checks.registry import Judged, NotApplicable, Subject, check
from initcheck.evidence.composition.promises import Row
from initcheck.evidence.order import lacking
from initcheck.evidence.steps.fed_rows import FEEDS
from initcheck.evidence.steps.seeded_pipelines import PIPELINES
from initcheck.records import Status, Verdict, failed, passed
from initcheck.statistics.budget import POWER
from initcheck.targets import KERAS, target

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab
    from initcheck.evidence.order import Order

EXACT = "no tolerance: row numbers are compared"
_SHUFFLED = [Subject(feed.name, feed) for feed in feeds()]
_UNSHUFFLED = [Subject(feed.name, feed) for feed in unshuffled_feeds()]
_ROWS = 12_000  # of the large feed, times the effort's factor
_SEEDS = 12  # of the small feed
_BLOCKS = 12  # of the contingency table


@check("ORD01", "Every epoch takes every row once, its target and sample weight with it.", on=KERAS, subjects=_SHUFFLED)
def judge_permutation(lab: Lab, feed: Feed) -> Verdict:
    """Judges epochs as permutations of the rows, and compares inputs with targets, sample weights and second inputs."""
    return _judge_rows(_taken(lab, feed), feed)


@check("ORD02", "Batches are full but for the last, which holds the rest.", on=KERAS, subjects=[*_SHUFFLED])
def judge_batches(lab: Lab, feed: Feed) -> Verdict:
    """Judges the sizes of all batches of all epochs, by default too ("batch_size will default to 32")."""
    return _judge_sizes(_taken(lab, feed), feed)


@check("ORD03", "The order repeats under one global seed, after other random work.", on=KERAS, subjects=_SHUFFLED)
def judge_repeats(lab: Lab, feed: Feed) -> Verdict:
    """Judges two fits under one seed."""
    one, two = _taken(lab, feed), _taken(lab, feed, after_work=True)
    return _judge_same(feed, one, two, "again")


@check("ORD04", "The order repeats in a fresh process.", on=KERAS, subjects=_SHUFFLED)
def judge_fresh_process(lab: Lab, feed: Feed) -> Verdict:
    """Judges the digest of the order."""
    from initcheck.checks.determinism import judge_fresh  # the one fresh process answers both families

    return judge_fresh(lab, feed.name, lab.processes.about_order(feed), {"order": _taken(lab, feed).digest()})


@check("ORD05", "Another global seed gives another order.", on=KERAS, subjects=_SHUFFLED)
def judge_seeds(lab: Lab, feed: Feed) -> Verdict:
    """Judges fits under another stream's seed and under the next integer, epoch by epoch."""
    one = _taken(lab, feed).rows()
    for what, other in (("another", _taken(lab, feed, stream=1)), ("the next", _taken(lab, feed, step=1))):
        for epoch, (mine, yours) in enumerate(zip(one, other.rows(), strict=True), 1):
            if np.array_equal(mine, yours):
                return failed(f"{feed.name}: epoch {epoch} is the same under {what} seed", "another order", bound=EXACT)
    return passed(f"{feed.name}: three seeds, three orders", bound=EXACT)


@check("ORD06", "Shuffling gives each epoch an order of its own.", on=KERAS, subjects=_SHUFFLED)
def judge_epochs(lab: Lab, feed: Feed) -> Verdict:
    """Compares the epochs of one fit with one another ("shuffle the training data before each epoch")."""
    epochs = [tuple(rows) for rows in _taken(lab, feed).rows()]
    if len(set(epochs)) < len(epochs):
        measured = f"{feed.name}: {len(epochs)} epochs take {len(set(epochs))} different orders"
        return failed(measured, f"{len(epochs)} different ones", bound=EXACT)
    return passed(f"{feed.name}: {len(epochs)} epochs take {len(epochs)} different orders", bound=EXACT)


@check("ORD07", "Without shuffling, every epoch takes the rows in their order.", on=KERAS, subjects=_UNSHUFFLED)
def judge_unshuffled(lab: Lab, feed: Feed) -> Verdict:
    """Judges every epoch of a fit with ``shuffle=False``."""
    return _judge_as_they_stand(_taken(lab, feed), feed)


@check("ORD08", "Shuffling moves rows: no epoch takes them in their order.", on=KERAS, subjects=_SHUFFLED)
def judge_shuffled(lab: Lab, feed: Feed) -> Verdict:
    """Judges that every epoch differs from the given order, so that an idle shuffle does not pass ORD01 to ORD03."""
    for epoch, rows in enumerate(_taken(lab, feed).rows(), 1):
        if np.array_equal(rows, np.sort(rows)):
            return failed(f"{feed.name}: epoch {epoch} takes rows {_head(rows)}", "a shuffled order", bound=EXACT)
    return passed(f"{feed.name}: every epoch is shuffled", bound=EXACT)


@check("ORD09", "Held-out rows are the last ones, taken before shuffling and in their order.", on=KERAS)
def judge_held_out(lab: Lab, _: None) -> Verdict:
    """Judges ``validation_split`` ("the last samples in the x and y data provided, before shuffling")."""
    for feed in (one for one in (*feeds(), *unshuffled_feeds()) if one.held_out):
        expected = np.arange(feed.trained_rows, feed.rows)
        for epoch, batches in enumerate(_taken(lab, feed).held_out, 1):
            rows = np.concatenate(batches) if batches else np.empty(0, int)
            if not np.array_equal(rows, expected):
                return failed(f"{feed.name}: epoch {epoch} holds out {_head(rows)}", _head(expected), bound=EXACT)
    return passed("the last rows are held out, in order", bound=EXACT)


@check(
    "ORD15",
    "evaluate and predict take the rows in their order, with the partial last batch.",
    on=KERAS,
    subjects=_UNSHUFFLED,
)
def judge_without_training(lab: Lab, feed: Feed) -> Verdict:
    """Judges the rows handed to the test step, and those that a model which learns nothing gives back."""
    order = _taken(lab, feed)
    for what, rows in (("evaluate takes", order.evaluated), ("predict gives back", order.predicted)):
        if rows is None or not np.array_equal(rows, np.arange(feed.rows)):
            expected = f"{feed.rows} rows, 0, 1, 2, …"
            return failed(f"{feed.name}: {what} {_told([] if rows is None else rows)}", expected, bound=EXACT)
    return passed(f"{feed.name}: evaluate and predict take {feed.rows} rows in order", bound=EXACT)


@check(
    "ORD16",
    "fit takes a dataset or a generator in its order: shuffle is for arrays.",
    on=KERAS,
    subjects=[Subject(feed.name, feed) for feed in BATCHED_FEEDS],
)
def judge_batched(lab: Lab, feed: Feed) -> Verdict:
    """Compares the batches in the training step with those put in ("this argument is ignored" for them)."""
    order = _taken(lab, feed)
    rows, sizes = _judge_as_they_stand(order, feed), _judge_sizes(order, feed)
    return sizes if rows.status is Status.PASS else rows


@check(
    "ORD17",
    "A pipeline of tf.data repeats under its seeds, and differs between seeds and epochs as documented.",
    subjects=[Subject(name, row) for name, row in PIPELINES.items()],
    evidence="pipelines",
)
def judge_pipelines(lab: Lab, row: Row) -> Verdict:
    """Each row builds a few pipelines twice under one global seed, under another one and under seeds of their own."""
    return judge_promises(lab, row)


@check(
    "ORD18",
    "Every row is taken as often as documented, with its weight, whatever kind of data it comes from.",
    on=KERAS,
    subjects=[Subject(name, row) for name, row in FEEDS.items()],
    evidence="feeds",
)
def judge_feeds(lab: Lab, row: Row) -> Verdict:
    """Each row feeds seven rows to a model that notes them, or reads a dataset that Keras makes, element by element."""
    return judge_promises(lab, row)


def _taken(lab: Lab, feed: Feed, **which: Any) -> Order:
    """The order of that feed, as of ``Orders.taken``, where the backend can be fed so."""
    if reason := lacking(feed):
        raise NotApplicable(f"{target()} has no {reason}")
    return lab.orders.taken(feed, **which)


def _judge_as_they_stand(order: Order, feed: Feed) -> Verdict:
    for epoch, rows in enumerate(order.rows(), 1):
        if not np.array_equal(rows, np.arange(feed.trained_rows)):
            return failed(
                f"{feed.name}: epoch {epoch} takes {_told(rows)}", f"{feed.trained_rows} rows, 0, 1, 2, …", bound=EXACT
            )
    return _judge_rows(order, feed)


def _judge_sizes(order: Order, feed: Feed) -> Verdict:
    size = feed.batch_size or DEFAULT_BATCH
    expected = [size] * (feed.trained_rows // size)
    expected += [feed.trained_rows % size] if feed.trained_rows % size else []
    for epoch, batches in enumerate(order.epochs, 1):
        if (sizes := [len(batch) for batch in batches]) != expected:
            return failed(f"{feed.name}: epoch {epoch} has batches of {sizes}", f"{expected}", bound=EXACT)
    return passed(f"{feed.name}: {len(expected)} batches an epoch, the last of {expected[-1]}", bound=EXACT)


def _judge_rows(order: Order, feed: Feed) -> Verdict:
    if len(order.epochs) != feed.epochs:
        return failed(f"{feed.name}: {len(order.epochs)} epochs", f"{feed.epochs}", bound=EXACT)
    for epoch, rows in enumerate(order.rows(), 1):
        if len(rows) != feed.trained_rows:
            return failed(f"{feed.name}: epoch {epoch} takes {len(rows)} rows", f"{feed.trained_rows}", bound=EXACT)
        counts = np.bincount(rows, minlength=feed.trained_rows)
        if not np.all(counts == 1):
            odd = np.flatnonzero(counts != 1)
            return failed(f"{feed.name}: epoch {epoch} takes rows {_head(odd)} not once", "each once", bound=EXACT)
    twins: tuple[tuple[str, Any], ...] = (("target", order.targets), ("sample weight", order.sample_weights))
    twins += (("second input", order.twins),) if feed.container == "dict" else ()
    for what, epochs in twins:
        if not _agree(order.epochs, epochs):
            return failed(f"{feed.name}: a row comes with another row's {what}", "its own", bound=EXACT)
    return passed(f"{feed.name}: {feed.epochs} epochs take each row once, with its target and weight", bound=EXACT)


def _agree(one: Any, other: Any) -> bool:
    return len(one) == len(other) and all(
        len(mine) == len(yours) and all(np.array_equal(*pair) for pair in zip(mine, yours, strict=True))
        for mine, yours in zip(one, other, strict=True)
    )


def _judge_same(feed: Feed, one: Order, two: Order, what: str) -> Verdict:
    for epoch, (mine, yours) in enumerate(zip(one.rows(), two.rows(), strict=True), 1):
        if not np.array_equal(mine, yours):
            measured = f"{feed.name}: epoch {epoch} takes {_head(mine)}, {what} {_head(yours)}"
            return failed(measured, "one order", bound=EXACT)
    return passed(f"{feed.name}: {feed.epochs} epochs repeat", bound=EXACT)


def _told(rows: Any) -> str:
    return f"{len(rows)} rows, {_head(rows)}"


def _head(rows: Any) -> str:
    return f"{', '.join(str(row) for row in rows[:6])}{', …' if len(rows) > 6 else ''}"


# --- Whether the order is as random as it should be: statistics, each with its share of the error budget. ---


def rows_for_correlation(rho: float, alpha: float) -> int:
    """Returns how many rows detect a rank correlation of ``rho`` with power 99.9 %.

    A permutation's rank correlation has mean 0 and variance exactly 1 / (n − 1) and is normal for large n (Kendall &
    Gibbons 1990, Rank Correlation Methods, 5.7), so z = ρ·√(n − 1) must exceed both quantiles together.
    """
    quantiles = float(stats.norm.isf(alpha / 2) + stats.norm.isf(1 - POWER))
    return math.ceil((quantiles / rho) ** 2) + 1


_CORRELATION = 0.08  # shown by 12,000 rows down to α = 1e-7


def _large(lab: Lab, stream: int = 0, step: int = 0) -> np.ndarray[Any, Any]:
    feed = large_feed(round(_ROWS * lab.factor))
    rows: np.ndarray[Any, Any] = _taken(lab, feed, stream=stream, step=step).rows()[0]
    if not np.array_equal(np.sort(rows), np.arange(feed.rows)):
        raise Judged(failed(f"{feed.name}: the rows are not taken once each", "a permutation; see ORD01", bound=EXACT))
    return rows


def _samples(factor: float) -> int:
    return int(large_feed(round(_ROWS * factor)).rows)


def _judge_correlation(what: str, one: Any, other: Any, alpha: float) -> Verdict:
    rho = float(np.corrcoef(one, other)[0, 1])
    n = len(one)
    p_value = float(2 * stats.norm.sf(abs(rho) * math.sqrt(n - 1)))
    bound = f"± {stats.norm.isf(alpha / 2) / math.sqrt(n - 1):.3f}"
    facts = {"bound": bound, "n": n, "p_value": p_value, "alpha": alpha, "effect": rho}
    if p_value < alpha:
        return failed(f"{what}: rank correlation {rho:.3f}", "0", **facts)
    return passed(f"{what}: rank correlation {rho:.3f}", **facts)


_CORRELATED: dict[str, Any] = {
    "on": KERAS,
    "detects": f"rank correlation {_CORRELATION}",
    "samples": _samples,
    "min_samples": lambda alpha: rows_for_correlation(_CORRELATION, alpha),
}


@check("ORD10", "A row's place in the shuffled order tells nothing of its place in the data.", **_CORRELATED)
def judge_places(lab: Lab, _: None, alpha: float) -> Verdict:
    """Judges the correlation of row and place: that of a shuffle within a buffer, or an incomplete one, is not 0."""
    rows = _large(lab)
    return _judge_correlation("row and place", rows, np.arange(len(rows)), alpha)


@check("ORD11", "A row tells nothing of the row that is taken next.", **_CORRELATED)
def judge_neighbours(lab: Lab, _: None, alpha: float) -> Verdict:
    """Judges the correlation of neighbours: where whole batches are shuffled, or blocks stay together, it is near 1.

    A permutation's serial correlation, taken around a circle, has mean −1 / (n − 1) and variance 1 / n to first
    order (Wald & Wolfowitz 1943); the mean is a hundredth of the bound.
    """
    rows = _large(lab)
    return _judge_correlation("a row and the next one", rows, np.roll(rows, -1), alpha)


@check("ORD12", "The order under a seed tells nothing of that under the next seed.", **_CORRELATED)
def judge_seeds_apart(lab: Lab, _: None, alpha: float) -> Verdict:
    """Judges the correlation of the places that a row has under two neighbouring seeds."""
    places, next_places = (np.argsort(_large(lab, step=step)) for step in (0, 1))
    return _judge_correlation("places under two neighbouring seeds", places, next_places, alpha)


def rows_for_kept_share(share: float, alpha: float) -> int:
    """Returns how many rows detect that a share of them stays within its block, with power 99.9 %.

    With b blocks of rows and of places, that share puts share + (1 − share) / b of each block on the diagonal: the
    table's φ² is share²·(b − 1), and n·φ² the non-centrality of χ² with (b − 1)² degrees of freedom.
    """
    degrees = (_BLOCKS - 1) ** 2
    limit = stats.chi2.isf(alpha, degrees)
    low, high = 0.0, 1e4
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if stats.ncx2.sf(limit, degrees, middle) >= POWER else (middle, high)
    return math.ceil(high / (share**2 * (_BLOCKS - 1)))


_KEPT = 0.05


@check(
    "ORD13",
    "Rows of every part of the data are spread evenly over every part of the epoch.",
    on=KERAS,
    detects="5 % of all rows stay in their twelfth of the epoch",
    samples=_samples,
    min_samples=lambda alpha: rows_for_kept_share(_KEPT, alpha),
)
def judge_spread(lab: Lab, _: None, alpha: float) -> Verdict:
    """Judges the contingency table of twelfths of the data by twelfths of the epoch.

    Its margins are fixed, so the cells are hypergeometric: n / (n − 1) too small a variance, which 1e-4 does not show.
    """
    rows = _large(lab)
    table = np.histogram2d(rows, np.arange(len(rows)), bins=_BLOCKS)[0]
    test = stats.chi2_contingency(table, correction=False)
    diagonal = float(np.trace(table) / len(rows))
    effect = (diagonal - 1 / _BLOCKS) / (1 - 1 / _BLOCKS)
    facts = {"n": len(rows), "p_value": float(test.pvalue), "alpha": alpha, "effect": effect}
    measured = f"χ² {test.statistic:.0f} of the table of twelfths, {diagonal:.3f} of the rows stay in theirs"
    if test.pvalue < alpha:
        return failed(measured, f"χ² with {(_BLOCKS - 1) ** 2} degrees of freedom", **facts)
    return passed(measured, **facts)


@check(
    "ORD14",
    "No row keeps a place: under many seeds every row comes everywhere.",
    on=KERAS,
    detects="one row that is taken at one place under 9 seeds of 10",
    samples=lambda factor: _SEEDS,
    min_samples=lambda alpha: seeds_for_kept_place(0.9, alpha),
)
def judge_kept_places(lab: Lab, _: None, alpha: float) -> Verdict:
    """Judges how often any row is at one place, over seeds: a first row that stays, for example."""
    orders = np.stack([_taken(lab, SMALL_FEED, stream=stream).rows()[0] for stream in range(_SEEDS)])
    rows = orders.shape[1]
    counts = np.zeros((rows, rows), int)
    np.add.at(counts, (np.tile(np.arange(rows), _SEEDS), orders.ravel()), 1)
    most = int(counts.max())
    place, row = np.unravel_index(counts.argmax(), counts.shape)
    p_value = min(1.0, kept_place_p_value(most, _SEEDS, rows))
    facts = {"n": _SEEDS, "p_value": p_value, "alpha": alpha, "effect": most / _SEEDS}
    measured = f"row {row} is taken at place {place} under {most} seeds of {_SEEDS}"
    if p_value < alpha:
        return failed(measured, f"at most {most_kept_places(alpha, _SEEDS, rows)}", **facts)
    return passed(measured, **facts)


def kept_place_p_value(most: int, seeds: int, rows: int) -> float:
    """The chance that some row is at one place under that many seeds: over rows² pairs, each with chance 1 / rows."""
    return float(rows**2 * stats.binom.sf(most - 1, seeds, 1 / rows))


def most_kept_places(alpha: float, seeds: int, rows: int) -> int:
    """The largest number of seeds that is no failure."""
    return max(most for most in range(seeds + 1) if most == 0 or kept_place_p_value(most, seeds, rows) >= alpha)


def seeds_for_kept_place(share: float, alpha: float) -> int:
    """Returns how many seeds detect a row that keeps its place under that share of them, with power 99.9 %."""
    seeds = 2
    while stats.binom.sf(most_kept_places(alpha, seeds, SMALL_FEED.rows), seeds, share) < POWER:
        seeds += 1
    return seeds
