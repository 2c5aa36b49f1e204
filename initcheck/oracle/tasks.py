"""Rows and weights of tiny trainings whose every step can be worked out by hand."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from initcheck.oracle.networks import DenseNetwork


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows with their targets and sample weights."""

    x: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray

    def __getitem__(self, rows: slice) -> Batch:
        return Batch(self.x[rows], self.y[rows], self.sample_weight[rows])

    def __len__(self) -> int:
        return len(self.x)

    def with_sample_weight(self, sample_weight: np.ndarray) -> Batch:
        """The same rows with other sample weights."""
        return Batch(self.x, self.y, sample_weight.astype(np.float32))


def other_shape(y: np.ndarray) -> np.ndarray:
    """Targets of one number a row in the other shape that Keras accepts: ``(n,)`` for ``(n, 1)``, and the reverse."""
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
    sample_weight = stream.uniform(0.25, 2.0, size=rows) if weighted else np.ones(rows)
    return Batch(x, y, sample_weight.astype(np.float32))


def weights_for(net: DenseNetwork, seed: int) -> list[np.ndarray]:
    """Random weights, small enough to keep the outputs away from saturation."""
    stream = np.random.RandomState(seed % 2**32)
    scale = {1: 0.2, 2: 0.7 / np.sqrt(net.inputs)}
    return [(scale[len(shape)] * stream.normal(size=shape)).astype(np.float32) for shape in net.shapes]
