"""The ways of feeding ``fit`` that Hypothesis draws for the checks of data order."""

from __future__ import annotations

import functools
from dataclasses import replace

from initcheck.catalog.recipes import Feed
from initcheck.checks.cases import draw_cases


@functools.cache
def feeds() -> tuple[Feed, ...]:
    """Shuffled feeds: every container, partial last batches, steps in one go, and held-out rows."""
    from hypothesis import strategies as st

    # Forty rows at least: two of their orders agree by chance once in 10⁴⁷.
    rows, batch_size = st.integers(40, 90), st.integers(7, 24)
    plan = (
        ("numpy", 0, 0.0),
        ("tensor", 0, 0.0),
        ("dict", 0, 0.0),
        ("numpy", 1, 0.25),
        ("numpy", 2, 0.0),
    )
    return tuple(
        Feed(number, size, container=container, steps_per_execution=steps, held_out=held_out)
        for container, steps, held_out in plan
        # Hypothesis draws the simplest case of all first; the third is another.
        for number, size in draw_cases(st.tuples(rows, batch_size), 3, f"feed {container} {steps}")[-1:]
    )


@functools.cache
def unshuffled_feeds() -> tuple[Feed, ...]:
    """The same with ``shuffle=False``."""
    return tuple(replace(feed, shuffle=False) for feed in feeds())


# Many rows in one epoch, a third of them in the partial last batch, which an adapter takes apart from the full ones.
def large_feed(rows: int) -> Feed:
    """One epoch of that many rows, in two full batches and one that lacks a row of being full."""
    size = -(-rows // 3)
    return Feed(3 * size - 1, size, epochs=1)


SMALL_FEED = Feed(250, 32, epochs=1)
