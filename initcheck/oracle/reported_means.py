"""What a trainer reports: weighted means of errors, by the documentation of ``compile`` and ``fit``.

A loss is "sum_over_batch_size": each row's error times its weight, summed, over the number of rows (of steps, where
there are several; of those that no mask hides). A weighted metric is over the sum of weights, another one the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def errors(name: str, y: Array, output: Array) -> Array:
    """The error of each row, or of each step of it: the mean over the last axis."""
    difference = np.asarray(output, float) - np.asarray(y, float)
    mean: Array = (np.square(difference) if name == "mse" else np.abs(difference)).mean(axis=-1)
    return mean


def mean_loss(each: Array, weights: Any = None, mask: Any = None) -> float:
    """The sum of weighted errors over their number, of those that the mask leaves."""
    seen = np.ones(each.shape) if mask is None else np.asarray(mask, float)
    return float((each * _spread(weights, each) * seen).sum() / seen.sum())


def mean_metric(each: Array, weights: Any = None, mask: Any = None) -> float:
    """The sum of weighted errors over the sum of weights, of those that the mask leaves."""
    seen = _spread(weights, each) * (np.ones(each.shape) if mask is None else np.asarray(mask, float))
    return float((each * seen).sum() / seen.sum())


def _spread(weights: Any, each: Array) -> Array:
    """The weights, one for each error: those of rows count for all steps of them."""
    if weights is None:
        return np.ones(each.shape)
    given = np.asarray(weights, float)
    if given.ndim == each.ndim + 1:
        given = given[..., 0]
    spread: Array = np.broadcast_to(given.reshape(given.shape + (1,) * (each.ndim - given.ndim)), each.shape)
    return spread


def weights_of_classes(labels: Array, shares: Mapping[int, float]) -> Array:
    """The weight of each label; 1 where none is given for it."""
    weights: Array = np.vectorize(lambda label: shares.get(int(label), 1.0), otypes=[float])(labels)
    return weights


def cross_entropies(labels: Array, probabilities: Array) -> Array:
    """Minus the logarithm of the probability of each label."""
    chosen = np.take_along_axis(np.asarray(probabilities, float), np.asarray(labels, int)[..., None], axis=-1)[..., 0]
    entropies: Array = -np.log(chosen)
    return entropies
