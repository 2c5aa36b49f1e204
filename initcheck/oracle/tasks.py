"""Tiny trainings whose every step can be worked out by hand: network, loss, optimizer and data."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from initcheck.oracle.networks import DenseNetwork
from initcheck.oracle.optimizers import Rule


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
        weighted: Whether all rows carry sample weights, those of validation and of ``evaluate`` too.
        class_weights: The weight of each class, as ``fit`` takes ``class_weight``; empty for none.
        reshaped: Whether targets come in their other documented shape: see ``other_shape``.
        by_name: Whether optimizer and loss are asked for by their names, and so have their defaults.
        dataset: Whether the rows come from a ``tf.data.Dataset`` rather than from arrays.
    """

    name: str
    net: DenseNetwork
    loss: str
    rule: Rule
    rows: int = 22
    batch: int = 8
    epochs: int = 2
    graph: bool = False
    weighted: bool = False
    dataset: bool = False
    class_weights: tuple[float, ...] = ()
    reshaped: bool = False
    by_name: bool = False

    @property
    def classifies(self) -> bool:
        """Whether an accuracy means anything."""
        return "crossentropy" in self.loss

    @property
    def metric(self) -> str:
        """What it reports besides its loss; for several flags a row, "accuracy" would mean the categorical one."""
        if not self.classifies:
            return "mean_absolute_error"
        return "binary_accuracy" if self.loss.startswith("binary") and self.net.widths[-1] > 1 else "accuracy"

    @property
    def weighs(self) -> bool:
        """Whether a row's loss counts more than another's."""
        return self.weighted or bool(self.class_weights)

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

    def shared(self, share: np.ndarray) -> Batch:
        """The same rows with other sample weights."""
        return Batch(self.x, self.y, share.astype(np.float32))


def other_shape(y: np.ndarray) -> np.ndarray:
    """Targets of one number a row in the other shape that Keras takes: ``(n,)`` for ``(n, 1)``, and the reverse."""
    return y.reshape(-1) if y.ndim > 1 else y[:, None]


def class_of(y: np.ndarray) -> np.ndarray:
    """The class number of each target."""
    return (y if y.ndim == 1 else y.argmax(axis=-1) if y.shape[-1] > 1 else y[:, 0]).astype(int)


@functools.lru_cache(maxsize=256)
def rows_for(net: DenseNetwork, loss: str, rows: int, seed: int, weighted: bool = False) -> Batch:
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


def weights_for(net: DenseNetwork, seed: int) -> list[np.ndarray]:
    """Random weights of a size that leaves the outputs away from saturation."""
    stream = np.random.RandomState(seed % 2**32)
    scale = {1: 0.2, 2: 0.7 / np.sqrt(net.inputs)}
    return [(scale[len(shape)] * stream.normal(size=shape)).astype(np.float32) for shape in net.shapes]
