"""Runs that are trained one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from initcheck.records import Run, Runs, group_runs
from initcheck.store.blocks import Members


def train_one_by_one(train: Callable[..., Run], groups: Iterable[Members], *, seed: int) -> Iterator[Runs]:
    """Trains groups of members, one after another.

    Args:
        train: Trains one run: called with an initializer, ``reseed``, ``seed`` and ``order``.
        groups: For each a batch order, and initializers with the numbers of their reseeds.
        seed: The root seed.
    """
    for order, members in groups:
        for row, reseed in members:
            yield from group_runs([train(row, reseed=reseed, seed=seed, order=order)])
