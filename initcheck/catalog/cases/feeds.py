"""The drawn feeds of ``fit`` for the checks of data order."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

from initcheck.catalog.cases.drawn import CaseStream, draw_cases
from initcheck.catalog.recipes import Feed

DEFAULT_BATCH = 32  # "if unspecified, batch_size will default to 32"; a feed says so with a batch size of 0


@functools.cache
def feeds() -> tuple[Feed, ...]:
    """Shuffled feeds: containers, partial last batches, one of a single row, fit's own batch size, held-out rows."""
    plan: tuple[tuple[str, int, float, Callable[[int, int], tuple[int, int]]], ...] = (
        ("numpy", 0, 0.0, lambda number, size: (number - number % size + size + 1, size)),
        ("tensor", 0, 0.0, lambda number, size: (number + DEFAULT_BATCH, 0)),
        ("dict", 0, 0.0, lambda number, size: (number, size)),
        ("numpy", 1, 0.25, lambda number, size: (number, size)),
        ("numpy", 2, 0.0, lambda number, size: (number, size)),
    )
    return tuple(
        Feed(*change(number, size), container=container, steps_per_execution=steps, held_out=held_out)
        for container, steps, held_out, change in plan
        for number, size in draw_cases(_rows_and_batch_size, 1, f"feed {container} {steps}")
    )


def _rows_and_batch_size(stream: CaseStream) -> tuple[int, int]:
    # Forty rows at least: two of their orders agree by chance once in 10⁴⁷.
    return stream.integer(40, 90), stream.integer(7, 24)


@functools.cache
def unshuffled_feeds() -> tuple[Feed, ...]:
    """The same feeds with ``shuffle=False``."""
    return tuple(replace(feed, shuffle=False) for feed in feeds())


# Containers that ``fit`` takes batch by batch, as they come: its ``shuffle``, on by default, is for arrays.
BATCHED_FEEDS = (Feed(41, 10, container="dataset"), Feed(41, 10, container="generator"))


# Many rows in one epoch, a third of them in the partial last batch, which an adapter handles separately.
def large_feed(rows: int) -> Feed:
    """One epoch of that many rows, in two full batches and one that is a row short."""
    size = -(-rows // 3)
    return Feed(3 * size - 1, size, epochs=1)


SMALL_FEED = Feed(250, 32, epochs=1)
