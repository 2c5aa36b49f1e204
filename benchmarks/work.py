"""The work that every contender does: the lecture's, on 960 rows drawn once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ROWS, BATCH, EPOCHS, RATE = 960, 16, 5, 0.01
HELD_OUT = 16  # the first rows: a handful, as most contenders evaluate none
MODELS = {"4-1": 0, "4-8-1": 8}  # name → hidden units


@dataclass(frozen=True)
class Table:
    """960 rows of 4 inputs, and the order in which each epoch takes them."""

    x: np.ndarray
    y: np.ndarray
    order: np.ndarray


def table() -> Table:
    """The rows: two classes, most of which a line separates."""
    stream = np.random.RandomState(0)
    x = stream.normal(size=(ROWS, 4)).astype(np.float32)
    y = (x @ [2.0, -1.0, 0.5, 1.0] + stream.normal(size=ROWS) > 0).astype(np.float32).reshape(-1, 1)
    orders = np.random.RandomState(42)
    return Table(x, y, np.stack([orders.permutation(ROWS) for _ in range(EPOCHS)]).astype(np.int32))
