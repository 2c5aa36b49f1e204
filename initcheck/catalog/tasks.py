"""Tiny trainings whose every step can be worked out by hand: network, loss, optimizer and data."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from initcheck.catalog.oracle import Net
from initcheck.catalog.update_rules import Rule


@dataclass(frozen=True)
class Task:
    """One tiny training.

    Attributes:
        name: Readable, and unique among tasks.
        net: The network.
        loss: As ``oracle.row_losses`` calls it.
        rule: The optimizer.
        rows: Training rows; mostly no multiple of ``batch``, so that the last batch is a partial one.
        batch: Rows of a batch.
        epochs: Passes over the rows.
        graph: Whether it runs as a compiled graph, as ``fit`` does by default, or eagerly.
        weighted: Whether the rows carry sample weights.
        dataset: Whether the rows come from a ``tf.data.Dataset`` rather than from arrays.
    """

    name: str
    net: Net
    loss: str
    rule: Rule
    rows: int = 22
    batch: int = 8
    epochs: int = 2
    graph: bool = False
    weighted: bool = False
    dataset: bool = False

    @property
    def classifies(self) -> bool:
        """Whether an accuracy means anything."""
        return "crossentropy" in self.loss

    @property
    def held_out(self) -> int:
        """Validation rows; their last batch is partial where that of the training rows is."""
        return self.rows - (3 if self.rows % self.batch else self.batch)

    @property
    def slices(self) -> list[slice]:
        """The rows of each batch of an epoch."""
        return [slice(start, min(start + self.batch, self.rows)) for start in range(0, self.rows, self.batch)]


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows with their targets and sample weights."""

    x: np.ndarray
    y: np.ndarray
    share: np.ndarray

    def __getitem__(self, rows: slice) -> Batch:
        return Batch(self.x[rows], self.y[rows], self.share[rows])

    def __len__(self) -> int:
        return len(self.x)


@functools.lru_cache(maxsize=256)
def rows_for(net: Net, loss: str, rows: int, seed: int, weighted: bool = False) -> Batch:
    """Random rows with targets of the kind that the loss takes."""
    stream = np.random.RandomState(seed % 2**32)
    x = stream.normal(size=(rows, net.inputs)).astype(np.float32)
    outputs = net.widths[-1]
    if loss.startswith("mean"):
        y: np.ndarray = stream.normal(size=(rows, outputs)).astype(np.float32)
    elif loss.startswith("binary"):
        y = stream.randint(0, 2, size=(rows, outputs)).astype(np.float32)
    else:
        y = stream.randint(0, outputs, size=rows).astype(np.int32)
        if not loss.startswith("sparse"):
            y = np.eye(outputs, dtype=np.float32)[y]
    share = stream.uniform(0.25, 2.0, size=rows) if weighted else np.ones(rows)
    return Batch(x, y, share.astype(np.float32))


def weights_for(net: Net, seed: int) -> list[np.ndarray]:
    """Random weights of a size that leaves the outputs away from saturation."""
    stream = np.random.RandomState(seed % 2**32)
    scale = {1: 0.2, 2: 0.7 / np.sqrt(net.inputs)}
    return [(scale[len(shape)] * stream.normal(size=shape)).astype(np.float32) for shape in net.shapes]
