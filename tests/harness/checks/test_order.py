"""The checks of data order, on orders made by hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from initcheck.catalog.cases.feeds import BATCHED_FEEDS, DEFAULT_BATCH, SMALL_FEED, feeds, large_feed, unshuffled_feeds
from initcheck.catalog.recipes import Feed
from initcheck.checks import order
from initcheck.evidence.order import Order, lacking
from initcheck.records import Status

FEED = Feed(50, 16)
ALPHA = 1e-6


def batched(rows: Any, size: int) -> tuple[Any, ...]:
    return tuple(np.asarray(rows)[start : start + size] for start in range(0, len(rows), size))


def make_order(epochs: list[Any], feed: Feed = FEED) -> Order:
    batches = tuple(batched(rows, feed.batch_size or DEFAULT_BATCH) for rows in epochs)
    held_out = tuple((np.arange(feed.trained_rows, feed.rows),) for _ in epochs)
    return Order(batches, batches, batches, batches, held_out, np.arange(feed.rows), np.arange(feed.rows))


def shuffled(feed: Feed = FEED, seed: int = 0) -> Order:
    stream = np.random.RandomState(seed)
    return make_order([stream.permutation(feed.trained_rows) for _ in range(feed.epochs)], feed)


@dataclass
class Orders:
    """Gives the orders that a test made; shuffled ones where it made none."""

    made: dict[tuple[int, int, bool], Order] = field(default_factory=dict)
    make: Any = None

    def taken(self, feed: Feed, *, stream: int = 0, step: int = 0, after_work: bool = False) -> Order:
        """The order that was made, or a right one."""
        order = self.made.get((stream, step, after_work))
        if order is not None:
            return order
        if self.make is not None:
            return make_order([self.make(np.random.RandomState(10 * stream + step), feed.rows)], feed)
        rows = np.arange(feed.trained_rows)
        return shuffled(feed, 10 * stream + step) if feed.shuffle else make_order([rows] * feed.epochs, feed)


@dataclass
class Lab:
    """A laboratory without a framework."""

    orders: Orders
    factor: float = 1.5


def lab(first: Order | None = None, **rest: Any) -> Any:
    return Lab(Orders({} if first is None else {(0, 0, False): first}, **rest))


JUDGES = [order.judge_permutation, order.judge_batches, order.judge_repeats, order.judge_seeds, order.judge_epochs]
JUDGES += [order.judge_shuffled]


@pytest.mark.parametrize("judge", JUDGES)
def test_a_right_order_passes(judge: Any) -> None:
    assert judge(lab(), FEED).status is Status.PASS


def test_a_row_taken_twice_fails() -> None:
    rows = np.random.RandomState(0).permutation(50)
    rows[3] = rows[4]
    assert order.judge_permutation(lab(make_order([rows] * 3)), FEED).status is Status.FAIL


@pytest.mark.parametrize("count", [49, 51])
def test_a_wrong_number_of_rows_fails(count: int) -> None:
    verdict = order.judge_permutation(lab(make_order([np.arange(count)] * 3)), FEED)
    assert verdict.status is Status.FAIL
    assert f"takes {count} rows" in verdict.measured


def test_there_is_a_last_batch_of_one_row_and_a_feed_without_a_batch_size() -> None:
    assert any(feed.batch_size and feed.trained_rows % feed.batch_size == 1 for feed in feeds())
    assert any(not feed.batch_size and feed.trained_rows > 2 * DEFAULT_BATCH for feed in feeds())
    assert all(feed.rows >= 40 for feed in feeds())


def test_another_default_batch_size_fails() -> None:
    feed = Feed(90, 0)
    rows = [np.arange(90)] * 3
    assert order.judge_batches(lab(make_order(rows, feed)), feed).status is Status.PASS
    assert order.judge_batches(lab(make_order(rows, replace(feed, batch_size=64))), feed).status is Status.FAIL


@pytest.mark.parametrize("feed", BATCHED_FEEDS, ids=lambda feed: feed.container)
def test_a_dataset_must_come_as_it_stands(feed: Feed) -> None:
    right = make_order([np.arange(feed.rows)] * feed.epochs, feed)
    assert order.judge_batched(lab(right), feed).status is Status.PASS
    assert order.judge_batched(lab(shuffled(feed)), feed).status is Status.FAIL
    other = make_order([np.arange(feed.rows)] * feed.epochs, replace(feed, batch_size=20))
    assert order.judge_batched(lab(other), feed).status is Status.FAIL


def test_an_epoch_too_few_fails() -> None:
    assert order.judge_permutation(lab(make_order([np.arange(50)] * 2)), FEED).status is Status.FAIL


@pytest.mark.parametrize("what", ["targets", "sample_weights", "twins"])
def test_a_row_with_another_rows_target_fails(what: str) -> None:
    right, other = shuffled(), shuffled(seed=1)
    broken = replace(right, **{what: getattr(other, what)})
    feed = replace(FEED, container="dict")
    assert order.judge_permutation(lab(right), feed).status is Status.PASS
    assert order.judge_permutation(lab(broken), feed).status is Status.FAIL


def test_a_dropped_last_batch_fails() -> None:
    right = shuffled()
    assert (
        order.judge_batches(lab(replace(right, epochs=tuple(e[:-1] for e in right.epochs))), FEED).status is Status.FAIL
    )


def test_an_order_that_does_not_repeat_fails() -> None:
    other = {(0, 0, True): shuffled(seed=5)}
    assert order.judge_repeats(Lab(Orders(other)), FEED).status is Status.FAIL


def test_the_next_seeds_order_must_be_another() -> None:
    same = {(0, 0, False): shuffled(), (0, 1, False): shuffled()}
    assert order.judge_seeds(Lab(Orders(same)), FEED).status is Status.FAIL


def test_one_order_for_all_epochs_fails() -> None:
    rows = np.random.RandomState(0).permutation(50)
    assert order.judge_epochs(lab(make_order([rows] * 3)), FEED).status is Status.FAIL


def test_an_unshuffled_epoch_fails_where_rows_are_shuffled_and_passes_where_not() -> None:
    feed = unshuffled_feeds()[0]
    assert order.judge_unshuffled(lab(), feed).status is Status.PASS
    assert order.judge_unshuffled(lab(shuffled(feed)), feed).status is Status.FAIL
    assert order.judge_shuffled(lab(make_order([np.arange(50)] * 3)), FEED).status is Status.FAIL


def test_rows_held_out_from_the_start_fail() -> None:
    assert order.judge_held_out(lab(), None).status is Status.PASS
    feed = next(one for one in feeds() if one.held_out)
    wrong = replace(shuffled(feed), held_out=((np.arange(feed.rows - feed.trained_rows),),) * feed.epochs)
    assert order.judge_held_out(lab(wrong), None).status is Status.FAIL


@pytest.mark.parametrize("what", ["evaluated", "predicted"])
def test_rows_that_evaluate_or_predict_lose_or_move_fail(what: str) -> None:
    feed = unshuffled_feeds()[0]
    right = make_order([np.arange(feed.trained_rows)] * feed.epochs, feed)
    assert order.judge_without_training(lab(right), feed).status is Status.PASS
    for wrong in (np.arange(feed.rows - 1), np.roll(np.arange(feed.rows), 1), None):
        changes: dict[str, Any] = {what: wrong}
        assert order.judge_without_training(lab(replace(right, **changes)), feed).status is Status.FAIL


def whole(stream: Any, rows: int) -> Any:
    return stream.permutation(rows)


def in_buffer(stream: Any, rows: int) -> Any:
    return np.argsort(np.arange(rows) + stream.uniform(0, 3 * rows, rows))


def in_pairs(stream: Any, rows: int) -> Any:
    pairs = 2 * stream.permutation(rows // 2)
    return np.append(np.stack([pairs, pairs + 1], axis=1).ravel(), np.arange(rows - rows % 2, rows))


def keeps_a_share(stream: Any, rows: int) -> Any:
    taken = np.arange(rows)
    free = stream.choice(rows, round(0.93 * rows), replace=False)
    taken[np.sort(free)] = stream.permutation(free)
    return taken


def keeps_first(stream: Any, rows: int) -> Any:
    return np.append(0, 1 + stream.permutation(rows - 1))


def ignores_seeds(stream: Any, rows: int) -> Any:
    return np.random.RandomState(0).permutation(rows)


STATISTICS = [order.judge_places, order.judge_neighbours, order.judge_seeds_apart, order.judge_spread]
STATISTICS += [order.judge_kept_places]


@pytest.mark.parametrize("judge", STATISTICS)
def test_a_random_order_passes_every_statistic(judge: Any) -> None:
    assert judge(lab(make=whole), None, ALPHA).status is Status.PASS


@pytest.mark.parametrize(
    ("judge", "make"),
    [
        (order.judge_places, in_buffer),
        (order.judge_neighbours, in_pairs),
        (order.judge_seeds_apart, ignores_seeds),
        (order.judge_spread, keeps_a_share),
        (order.judge_kept_places, keeps_first),
    ],
)
def test_an_order_that_is_slightly_nonrandom_fails(judge: Any, make: Any) -> None:
    assert judge(lab(make=make), None, ALPHA).status is Status.FAIL


def test_samples_suffice_for_the_stated_power_at_a_share_of_the_budget() -> None:
    rows = large_feed(12_000).rows
    assert order.rows_for_correlation(0.08, ALPHA) <= rows
    assert order.rows_for_kept_share(0.05, ALPHA) <= rows
    assert order.seeds_for_kept_place(0.9, ALPHA) <= 12


def test_p_value_of_a_kept_place_bounds_the_simulated_frequency() -> None:
    stream = np.random.RandomState(0)
    rows, seeds, most, trials = 30, 4, 3, 400
    hits = 0
    for _ in range(trials):
        orders = np.stack([stream.permutation(rows) for _ in range(seeds)])
        counts = np.zeros((rows, rows), int)
        np.add.at(counts, (np.tile(np.arange(rows), seeds), orders.ravel()), 1)
        hits += counts.max() >= most
    assert hits / trials < order.kept_place_p_value(most, seeds, rows) + 0.1
    assert SMALL_FEED.rows > rows


@pytest.mark.parametrize(
    ("target", "lacked"),
    [
        ("keras:tensorflow", set()),
        ("keras:jax", {"41rows-batch10-dataset-eager"}),
        ("keras:torch", {feed.name for feed in feeds() if feed.steps_per_execution > 1}),
    ],
)
def test_a_feed_that_a_backend_has_not_is_not_judged(
    monkeypatch: pytest.MonkeyPatch, target: str, lacked: set[str]
) -> None:
    monkeypatch.setenv("INITCHECK_TARGET", target)
    assert {feed.name for feed in (*feeds(), *BATCHED_FEEDS) if lacking(feed)} == lacked
