"""Faults of data order: shuffles that are not, or that lose rows or their targets."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from initcheck.frameworks.arrays import as_array
from initcheck.mutants.mutant import mutant
from initcheck.targets import KERAS


def _wrap_fit(keras: Any, change: Any) -> None:
    """Rearranges the inputs, targets and sample weights that ``fit`` is given by ``change(arrays, rest)``.

    It returns the order of rows and whether ``fit`` still shuffles; a wrong shuffle replaces the right one.
    """
    original = keras.Model.fit

    def fit(self: Any, x: Any = None, y: Any = None, **rest: Any) -> Any:
        rows = len(next(iter(x.values())) if isinstance(x, dict) else x)
        if rest.get("shuffle", True) and rest.get("validation_split", 0) == 0 and y is not None:
            order, shuffle = change(rows, rest.get("batch_size") or 32)
            if order is not None:
                x, y = _take(x, order), _take(y, order)
                if rest.get("sample_weight") is not None:
                    rest["sample_weight"] = _take(rest["sample_weight"], order)
                rest["shuffle"] = shuffle
        return original(self, x, y, **rest)

    keras.Model.fit = fit


def _take(values: Any, order: Any) -> Any:
    if isinstance(values, dict):
        return {name: _take(value, order) for name, value in values.items()}
    return np.array(as_array(values))[order]


@mutant("shuffle-in-buffer", "fit shuffles within a buffer of half the rows", caught_by=("ORD10", "ORD13"), on=KERAS)
def shuffle_in_buffer(keras: Any) -> None:
    """As ``tf.data`` does with too small a buffer."""

    def order(rows: int, batch_size: int) -> Any:
        buffer: list[int] = []
        taken: list[int] = []
        waiting = list(range(rows))
        size = max(2, rows // 2)
        while waiting or buffer:
            while waiting and len(buffer) < size:
                buffer.append(waiting.pop(0))
            place = np.random.randint(len(buffer))
            taken.append(buffer[place])
            buffer[place] = buffer[-1]
            buffer.pop()
        return np.array(taken), False

    _wrap_fit(keras, order)


@mutant(
    "shuffle-keeps-rest",
    "fit never shuffles the rows of the partial last batch",
    caught_by=("ORD14", "ORD10"),
    on=KERAS,
)
def keep_rest(keras: Any) -> None:

    def order(rows: int, batch_size: int) -> Any:
        full = rows - rows % batch_size
        return np.concatenate([np.random.permutation(full), np.arange(full, rows)]), False

    _wrap_fit(keras, order)


@mutant("shuffle-keeps-first", "fit leaves the first row first", caught_by=("ORD14",), on=KERAS)
def keep_first(keras: Any) -> None:
    _wrap_fit(keras, lambda rows, batch_size: (np.append(0, 1 + np.random.permutation(rows - 1)), False))


@mutant("shuffle-pairs", "fit shuffles pairs of rows, which stay together", caught_by=("ORD11",), on=KERAS)
def shuffle_pairs(keras: Any) -> None:

    def order(rows: int, batch_size: int) -> Any:
        pairs = np.random.permutation(-(-rows // 2))
        taken = np.stack([2 * pairs, 2 * pairs + 1], axis=1).ravel()
        return taken[taken < rows], False

    _wrap_fit(keras, order)


@mutant("shuffle-repeats-row", "fit takes one row twice and another not at all", caught_by=("ORD01",), on=KERAS)
def repeat_row(keras: Any) -> None:

    def order(rows: int, batch_size: int) -> Any:
        taken = np.arange(rows)
        taken[1] = taken[0]
        return taken, True

    _wrap_fit(keras, order)


@mutant("shuffle-by-clock", "fit takes the order from the clock", caught_by=("ORD03",), on=KERAS)
def clock(keras: Any) -> None:
    _wrap_fit(keras, lambda rows, batch_size: (np.random.RandomState(time.time_ns() % 2**31).permutation(rows), False))


@mutant("shuffle-always-alike", "fit takes one order under every seed", caught_by=("ORD05", "ORD12"), on=KERAS)
def always_one_order(keras: Any) -> None:
    _wrap_fit(keras, lambda rows, batch_size: (np.random.RandomState(0).permutation(rows), False))


@mutant(
    "shuffle-by-process", "fit adds the number of the process to the seed of its order", caught_by=("ORD04",), on=KERAS
)
def by_process(keras: Any) -> None:
    """Repeats within a process, and in no other."""

    def order(rows: int, batch_size: int) -> Any:
        seed = (np.random.randint(2**31) + os.getpid()) % 2**31
        return np.random.RandomState(seed).permutation(rows), False

    _wrap_fit(keras, order)


@mutant("shuffle-once", "fit shuffles once, and takes that order in every epoch", caught_by=("ORD06",), on=KERAS)
def once(keras: Any) -> None:
    """As Keras 3 does after ``set_random_seed``."""
    _wrap_fit(keras, lambda rows, batch_size: (np.random.permutation(rows), False))


@mutant("shuffle-forgotten", "fit takes the rows as they stand", caught_by=("ORD08",), on=KERAS)
def forgotten(keras: Any) -> None:
    _wrap_fit(keras, lambda rows, batch_size: (np.arange(rows), False))


@mutant("shuffle-shifts", "fit takes one order under every seed, begun at another row", caught_by=("ORD12",), on=KERAS)
def shifts(keras: Any) -> None:
    original = keras.utils.set_random_seed
    seeds = [0]

    def set_random_seed(seed: int) -> None:
        original(seed)
        seeds[0] = seed

    def order(rows: int, batch_size: int) -> Any:
        return np.roll(np.random.RandomState(0).permutation(rows), seeds[0]), False

    keras.utils.set_random_seed = set_random_seed
    _wrap_fit(keras, order)


@mutant(
    "shuffle-loses-weights",
    "fit shuffles rows and targets, but not their sample weights",
    caught_by=("ORD01",),
    on=KERAS,
)
def lose_weights(keras: Any) -> None:
    original = keras.Model.fit

    def fit(self: Any, x: Any = None, y: Any = None, **rest: Any) -> Any:
        if rest.get("sample_weight") is not None:
            rest["sample_weight"] = np.roll(np.array(rest["sample_weight"]), 1)
        return original(self, x, y, **rest)

    keras.Model.fit = fit


@mutant("shuffle-false-ignored", "fit shuffles despite shuffle=False", caught_by=("ORD07",), on=KERAS)
def ignore_false(keras: Any) -> None:
    original = keras.Model.fit

    def fit(self: Any, *arguments: Any, **rest: Any) -> Any:
        return original(self, *arguments, **{**rest, "shuffle": True})

    keras.Model.fit = fit


@mutant("split-from-start", "fit holds out the first rows instead of the last", caught_by=("ORD09",), on=KERAS)
def split_from_start(keras: Any) -> None:
    original = keras.Model.fit

    def fit(self: Any, x: Any = None, y: Any = None, **rest: Any) -> Any:
        if rest.get("validation_split"):
            order = np.roll(np.arange(len(x)), -int(len(x) * rest["validation_split"]))
            x, y = _take(x, order), _take(y, order)
            if rest.get("sample_weight") is not None:
                rest["sample_weight"] = _take(rest["sample_weight"], order)
        return original(self, x, y, **rest)

    keras.Model.fit = fit


@mutant("batch-of-64", "fit takes 64 rows a batch where no batch size is given", caught_by=("ORD02",), on=KERAS)
def batch_of_64(keras: Any) -> None:
    """A batch size that is given is right."""
    original = keras.Model.fit

    def fit(self: Any, x: Any = None, y: Any = None, batch_size: Any = None, **rest: Any) -> Any:
        return original(self, x, y, batch_size or (None if y is None else 64), **rest)

    keras.Model.fit = fit


@mutant("last-row-dropped", "fit drops a last batch of a single row", caught_by=("ORD02",), on=KERAS)
def drop_last_row(keras: Any) -> None:
    """Larger last batches are right."""
    original = keras.Model.fit

    def fit(self: Any, x: Any = None, y: Any = None, batch_size: Any = None, **rest: Any) -> Any:
        if isinstance(x, np.ndarray) and y is not None and len(x) % (batch_size or 32) == 1:
            x, y = x[:-1], y[:-1]
            if rest.get("sample_weight") is not None:
                rest["sample_weight"] = rest["sample_weight"][:-1]
        return original(self, x, y, batch_size, **rest)

    keras.Model.fit = fit


@mutant(
    "evaluate-targets-shifted", "evaluate takes rows with their neighbours' targets", caught_by=("ORD15",), on=KERAS
)
def shift_targets(keras: Any) -> None:
    """The rows themselves are the right ones."""
    original = keras.Model.evaluate

    def evaluate(self: Any, x: Any = None, y: Any = None, *arguments: Any, **rest: Any) -> Any:
        return original(self, x, None if y is None else np.roll(as_array(y), 1, axis=0), *arguments, **rest)

    keras.Model.evaluate = evaluate


@mutant("dataset-shuffled", "fit shuffles the batches of a dataset", caught_by=("ORD16",))
def shuffle_dataset(keras: Any) -> None:
    """Arrays are shuffled rightly."""
    import tensorflow as tf

    original = keras.Model.fit

    def fit(self: Any, x: Any = None, *arguments: Any, **rest: Any) -> Any:
        if isinstance(x, tf.data.Dataset) and rest.get("shuffle", True):
            x = x.shuffle(4)
        return original(self, x, *arguments, **rest)

    keras.Model.fit = fit


@mutant("fit-copies-rows", "harmless: fit works on copies of its arrays", on=KERAS)
def copy_rows(keras: Any) -> None:
    original = keras.Model.fit

    def fit(self: Any, x: Any = None, *arguments: Any, **rest: Any) -> Any:
        return original(self, np.array(x) if isinstance(x, np.ndarray) else x, *arguments, **rest)

    keras.Model.fit = fit


@mutant("pipeline-forgets-seed", "a shuffle of tf.data is given no seed of its own", caught_by=("ORD17",))
def pipeline_forgets_seed(keras: Any) -> None:
    """It is right under a global seed alone."""
    import tensorflow as tf

    original = tf.data.Dataset.shuffle

    def shuffle(self: Any, buffer_size: int, seed: Any = None, *rest: Any, **options: Any) -> Any:
        return original(self, buffer_size, None, *rest, **options)

    tf.data.Dataset.shuffle = shuffle


@mutant("class-weights-forgotten", "fit takes no weights of classes", caught_by=("ORD18",), on=KERAS)
def class_weights_forgotten(keras: Any) -> None:
    """Its rows are right."""
    original = keras.Model.fit

    def fit(self: Any, *args: Any, **options: Any) -> Any:
        options.pop("class_weight", None)
        return original(self, *args, **options)

    keras.Model.fit = fit
