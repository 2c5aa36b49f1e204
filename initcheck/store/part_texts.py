"""Finished runs as the text of a part: a line of JSON for each, readable by pandas and DuckDB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from initcheck.errors import InitcheckError
from initcheck.records import Runs, Score

_TRAINED = ("seeds", "train_score", "test_score", "history")


def encode_runs(runs: Runs) -> bytes:
    """The text of a part, a line for each run; numbers are written so that reading gives the same bits."""
    from pydantic_core import to_json

    histories = runs.history.transpose(0, 2, 1).tolist()
    columns = zip(
        runs.reseeds.tolist(),
        runs.orders.tolist(),
        runs.seeds.tolist(),
        runs.train_score.tolist(),
        runs.test_score.tolist(),
        histories,
        strict=True,
    )
    lines = [
        to_json(
            {
                "problem": runs.problem,
                "initializer": runs.initializer,
                "reseed": reseed,
                "order": order,
                "seed": seed,
                "train_score": train,
                "train_total": runs.train_total,
                "test_score": test,
                "test_total": runs.test_total,
                "history": dict(zip(runs.metrics, history, strict=True)),
            },
            inf_nan_mode="constants",
        )
        for reseed, order, seed, train, test, history in columns
    ]
    return b"\n".join([*lines, b""])


def decode_runs(text: bytes, score: Score) -> Runs:
    """The runs of a part.

    Args:
        text: Of ``encode_runs``.
        score: What they are judged by.

    Raises:
        ValueError: It is no such text.
    """
    from pydantic_core import from_json

    rows = [from_json(line) for line in text.splitlines()]
    try:
        first = rows[0]
        metrics = tuple(first["history"])
        same = [(name, first[name]) for name in ("problem", "initializer", "train_total", "test_total")]
        if any(row[name] != value for row in rows for name, value in same):
            raise ValueError("its lines are not of one problem and initializer")
        history = np.array([[row["history"][name] for name in metrics] for row in rows], dtype=np.float64)
        if history.ndim != 3:
            raise ValueError("its histories differ in length")
        return Runs(
            problem=first["problem"],
            initializer=first["initializer"],
            reseeds=_counts(rows, "reseed"),
            orders=_counts(rows, "order"),
            seeds=_counts(rows, "seed"),
            train_score=np.array([row["train_score"] for row in rows], dtype=np.float64),
            train_total=first["train_total"],
            test_score=np.array([row["test_score"] for row in rows], dtype=np.float64),
            test_total=first["test_total"],
            history=history.transpose(0, 2, 1).copy(),
            metrics=metrics,
            score=score,
        )
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"it has no runs as initcheck writes them ({type(error).__name__})") from None


def joined_in_order(parts: Sequence[Runs]) -> Runs:
    """Runs of one initializer, each once, by order and reseed.

    Raises:
        InitcheckError: Two trainings of one run gave other bits.
    """
    runs = Runs.join(parts)
    places = np.lexsort((runs.reseeds, runs.orders))
    if (np.diff(places) != 1).any():
        runs = runs.at(places)
    twice = (np.diff(runs.reseeds) == 0) & (np.diff(runs.orders) == 0)
    if not twice.any():
        return runs
    again = np.flatnonzero(twice)
    require_same_bits(runs.at(again), runs.at(again + 1))
    return runs.at(np.flatnonzero(np.concatenate([[True], ~twice])))


def require_same_bits(one: Runs, other: Runs) -> None:
    """Makes sure that two trainings of the same runs gave the same.

    Raises:
        InitcheckError: They did not; the message names the first run of which they did not.
    """
    columns = [(getattr(one, name), getattr(other, name)) for name in _TRAINED]
    if all(mine.tobytes() == theirs.tobytes() for mine, theirs in columns):
        return
    for place, reseed in enumerate(one.reseeds):
        if any(mine[place].tobytes() != theirs[place].tobytes() for mine, theirs in columns):
            raise InitcheckError(
                f"the run of {one.initializer}, reseed {reseed}, is in the store twice with other bits: "
                "this model does not repeat here; initcheck doctor says why, and initcheck store verify names the parts"
            )


def rectangles(runs: Runs) -> Iterator[tuple[range, range, Runs]]:
    """Runs in order, in pieces that are a range of orders times a range of reseeds, with these."""
    places = np.flatnonzero((np.diff(runs.reseeds) != 1) | (np.diff(runs.orders) != 0)) + 1
    pieces = [piece for piece in np.split(np.arange(len(runs)), places) if len(piece)]
    start = 0
    while start < len(pieces):
        first = runs.reseeds[pieces[start]]
        stop = start + 1
        while stop < len(pieces) and (
            runs.orders[pieces[stop][0]] == runs.orders[pieces[stop - 1][0]] + 1
            and np.array_equal(runs.reseeds[pieces[stop]], first)
        ):
            stop += 1
        whole = np.concatenate(pieces[start:stop])
        orders = range(int(runs.orders[whole[0]]), int(runs.orders[whole[-1]]) + 1)
        yield orders, range(int(first[0]), int(first[-1]) + 1), runs.at(whole)
        start = stop


def _counts(rows: Sequence[Any], name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    values = [row[name] for row in rows]
    if not all(type(value) is int for value in values):
        raise ValueError(f"{name} is no whole number")
    return np.array(values, dtype=np.int64)
