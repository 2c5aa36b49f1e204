"""Pipelines of ``tf.data``: what repeats under a seed, what differs between seeds and epochs, and in which order."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.evidence.composition.promises import Row, Seen, table

_ROWS = 12  # two of their orders agree by chance once in 479,001,600
_PARALLEL = 300  # enough for calls in parallel to overtake one another


def _taken(build: Callable[[], Any], seed: int, epochs: int = 2) -> list[list[Any]]:
    """What a pipeline gives in each epoch, built under that global seed."""
    import tensorflow as tf

    tf.random.set_seed(seed)
    pipeline = build()
    return [[np.asarray(one).tolist() for one in pipeline] for _ in range(epochs)]


def _seeds(words: str, build: Callable[[int], Any], given: tuple[bool, bool], epochs: bool) -> Iterator[Seen]:
    """Whether it repeats, and whether it differs under another global seed, another own seed, and in the next epoch."""
    once = _taken(lambda: build(3), 1)
    yield f"whether {words} repeats", True, once == _taken(lambda: build(3), 1)
    if given[0]:
        yield f"whether {words} differs under another global seed", True, once != _taken(lambda: build(3), 2)
    if given[1]:
        yield f"whether {words} differs under another seed of its own", True, once != _taken(lambda: build(4), 1)
    yield f"whether {words} differs in the next epoch", epochs, once[0] != once[1]


def shuffled_pipelines(_keras: Any, _: Path) -> Iterator[Seen]:
    """``shuffle`` is a permutation under a global seed, its own or both, new in each epoch unless that is off."""
    import tensorflow as tf

    numbers = tf.data.Dataset.range(_ROWS)
    yield from _seeds("a shuffle by the global seed", lambda _: numbers.shuffle(_ROWS), (True, False), True)
    yield from _seeds("a shuffle", lambda seed: numbers.shuffle(_ROWS, seed=seed), (True, True), True)

    def once(seed: int) -> Any:
        return numbers.shuffle(_ROWS, seed=seed, reshuffle_each_iteration=False)

    yield from _seeds("a shuffle without another", once, (True, True), False)
    for words, pipeline in (
        ("a shuffle", numbers.shuffle(_ROWS, seed=3)),
        ("a small buffer", numbers.shuffle(3, seed=3)),
        ("a batch", numbers.shuffle(_ROWS, seed=3).batch(5).unbatch()),
        ("a parallel batch", numbers.shuffle(_ROWS, seed=3).batch(5, num_parallel_calls=2).unbatch()),
        ("what is prefetched", numbers.shuffle(_ROWS, seed=3).prefetch(2)),
    ):
        yield f"elements of {words}", [*range(_ROWS)], sorted(int(one) for one in pipeline)
    small = [int(one) for one in numbers.shuffle(3, seed=3)]
    late = [one - place for place, one in enumerate(small)]
    yield "whether a buffer of three takes none that is further away", True, max(late) <= 2
    twice = [int(one) for one in numbers.shuffle(_ROWS, seed=3).repeat(2)]
    yield "epochs of a repeated shuffle", [[*range(_ROWS)]] * 2, [sorted(twice[:_ROWS]), sorted(twice[_ROWS:])]
    yield "whether they differ", True, twice[:_ROWS] != twice[_ROWS:]
    mixed = [int(one) for one in numbers.repeat(2).shuffle(2 * _ROWS, seed=3)]
    yield "elements of a shuffled repeat", sorted([*range(_ROWS)] * 2), sorted(mixed)


def random_pipelines(_keras: Any, _: Path) -> Iterator[Seen]:
    """Random functions in a sequential ``map``, datasets of random numbers, and samples from several datasets."""
    import tensorflow as tf

    numbers = tf.data.Dataset.range(_ROWS)

    def by_global(_: int) -> Any:
        return numbers.map(lambda _: tf.random.uniform([]))

    def by_both(seed: int) -> Any:
        return numbers.map(lambda _: tf.random.uniform([], seed=seed))

    def by_element(seed: int) -> Any:
        return numbers.map(lambda one: tf.random.stateless_uniform([], (seed, one)))

    def parallel(seed: int) -> Any:
        return numbers.map(lambda one: tf.random.stateless_uniform([], (seed, one)), 4, deterministic=True)

    for words, build in (("a map by the global seed", by_global), ("a map", by_both)):
        bound = functools.partial(build, 3)
        once = _taken(bound, 1)
        yield f"whether {words} repeats", True, once == _taken(bound, 1)
        yield f"whether {words} differs under another seed", True, once != _taken(bound, 2)
        yield f"different numbers of {words}", _ROWS, len(set(once[0]))
    own = _taken(lambda: by_both(3), 1)
    yield "whether a map differs under another seed of its own", True, own != _taken(lambda: by_both(4), 1)
    yield from _seeds("a map of stateless numbers", by_element, (False, True), False)
    one, other = _taken(lambda: by_element(3), 1), _taken(lambda: parallel(3), 1)
    yield "whether stateless numbers are the same in parallel", True, one == other

    def drawn(seed: int) -> Any:
        return tf.data.Dataset.random(seed=seed).take(_ROWS)

    def redrawn(seed: int) -> Any:
        return tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).take(_ROWS)

    yield from _seeds("a dataset of random numbers", drawn, (True, True), False)
    yield from _seeds("a dataset of new random numbers", redrawn, (True, True), True)

    def sampled(seed: int) -> Any:
        return tf.data.Dataset.sample_from_datasets([numbers, numbers.map(lambda one: one + 50)], [0.5, 0.5], seed)

    yield from _seeds("a sample", sampled, (True, True), False)
    both = _taken(lambda: sampled(3), 1)[0]
    yield "elements of a sample", [*range(_ROWS), *range(50, 50 + _ROWS)], sorted(both)
    yield "whether a sample keeps each dataset's order", True, [one for one in both if one < 50] == [*range(_ROWS)]


def parallel_maps(_keras: Any, _: Path) -> Iterator[Seen]:
    """Documented of ``deterministic=True`` as "elements in a deterministic order": of random functions too."""
    import tensorflow as tf

    def build() -> Any:
        numbers = tf.data.Dataset.range(_PARALLEL)
        return numbers.map(lambda _: tf.random.uniform([]), num_parallel_calls=4, deterministic=True)

    runs = [_taken(build, 1, 1) for _ in range(4)]
    yield "whether four runs under one seed are one", True, all(one == runs[0] for one in runs)


def cached_pipelines(_keras: Any, folder: Path) -> Iterator[Seen]:
    """A cache keeps what came first, in memory and in a file: also an order, unless it is shuffled behind."""
    import tensorflow as tf

    numbers = tf.data.Dataset.range(_ROWS)
    for words, place in (("in memory", ""), ("in a file", str(folder / "cache"))):
        draws = numbers.map(lambda _: tf.random.uniform([], seed=3)).cache(place)
        first, second = ([float(value) for value in draws] for _ in range(2))
        yield f"whether numbers {words} stay", True, first == second
        yield f"how many there are {words}", _ROWS, len(second)
    before, behind = numbers.shuffle(_ROWS, seed=3).cache(), numbers.cache().shuffle(_ROWS, seed=3)
    for words, pipeline, stays in (("before", before, True), ("behind", behind, False)):
        one, other = ([int(value) for value in pipeline] for _ in range(2))
        yield f"whether the order stays when it is shuffled {words}", stays, one == other
        yield f"elements when it is shuffled {words}", [*range(_ROWS)], sorted(other)


def ordered_pipelines(_keras: Any, _: Path) -> Iterator[Seen]:
    """Elements in the documented order: maps and interleaves in sequence and in parallel, repeats, batches, shards."""
    import tensorflow as tf

    data = tf.data.Dataset
    numbers = data.range(7)

    def of(pipeline: Any) -> list[Any]:
        return [np.asarray(one).tolist() for one in pipeline]

    blocks = [1] * 4 + [2] * 4 + [1] * 2 + [2] * 2 + [3] * 4 + [4] * 4 + [3] * 2 + [4] * 2 + [5] * 6
    for words, options in (
        ("in sequence", {}),
        ("in parallel", {"num_parallel_calls": 2, "deterministic": True}),
        ("in parallel by default", {"num_parallel_calls": tf.data.AUTOTUNE}),
    ):
        doubled = numbers.map(lambda one: 2 * one, **options)
        yield f"mapped {words}", [0, 2, 4, 6, 8, 10, 12], of(doubled)
        woven = data.range(1, 6).interleave(
            lambda one: data.from_tensors(one).repeat(6), cycle_length=2, block_length=4, **options
        )
        yield f"interleaved {words}", blocks, of(woven)
    free = numbers.map(lambda one: 2 * one, num_parallel_calls=2, deterministic=False)
    yield "mapped in any order", [0, 2, 4, 6, 8, 10, 12], sorted(of(free))
    yield "repeated", [0, 1, 0, 1, 0, 1], of(data.range(2).repeat(3))
    yield "repeated for ever", [0, 1, 0, 1, 0], of(data.range(2).repeat().take(5))
    yield "batches", [[0, 1, 2], [3, 4, 5], [6]], of(numbers.batch(3))
    yield "full batches", [[0, 1, 2], [3, 4, 5]], of(numbers.batch(3, drop_remainder=True))
    yield "batches of what is repeated", [[0, 1, 2], [0, 1, 2]], of(data.range(3).repeat(2).batch(3))
    yield "repeated batches", [[0, 1], [2], [0, 1], [2]], of(data.range(3).batch(2).repeat(2))
    yield "without batches", [0, 1, 2, 3, 4, 5, 6], of(numbers.batch(3).unbatch())
    yield "first, and rest", ([0, 1], [2, 3, 4, 5, 6]), (of(numbers.take(2)), of(numbers.skip(2)))
    shards = [of(numbers.shard(3, k)) for k in range(3)]
    yield "shards", [[0, 3, 6], [1, 4], [2, 5]], shards
    yield "one behind the other", [0, 1, 0, 1, 2], of(data.range(2).concatenate(data.range(3)))
    yield (
        "pairs",
        [[0, 5], [1, 6]],
        [[int(part) for part in one] for one in data.zip((data.range(2), data.range(5, 9)))],
    )
    yield "even ones", [0, 2, 4, 6], of(numbers.filter(lambda one: one % 2 == 0))
    yield (
        "sums so far",
        [0, 1, 3, 6, 10, 15, 21],
        of(numbers.scan(np.int64(0), lambda old, one: (old + one, old + one))),
    )
    windows = numbers.window(3, shift=2, drop_remainder=True).flat_map(lambda one: one.batch(3))
    yield "windows", [[0, 1, 2], [2, 3, 4], [4, 5, 6]], of(windows)
    chosen = data.choose_from_datasets(
        [data.range(3), data.range(10, 13)], data.from_tensor_slices(np.array([1, 0, 1]))
    )
    yield "chosen", [10, 0, 11], of(chosen)
    yield (
        "how many",
        [7, 3, 2, 14],
        [
            int(one.cardinality())
            for one in (numbers, numbers.batch(3), numbers.batch(3, drop_remainder=True), numbers.repeat(2))
        ],
    )


PIPELINES: Mapping[str, Row] = table(
    shuffled_pipelines,
    random_pipelines,
    parallel_maps,
    cached_pipelines,
    ordered_pipelines,
)
