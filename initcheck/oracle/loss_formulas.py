"""The documented formulas of losses and of metrics that are means, over arrays of plain or of bounded numbers.

Each takes targets, outputs and the loss's options, and returns the loss of each sample.

Sources: https://keras.io/api/losses/, https://keras.io/api/metrics/; the focal losses: Lin et al. 2017,
https://arxiv.org/abs/1708.02002; Tversky: Salehi et al. 2017, https://arxiv.org/abs/1706.05721; Circle: Sun et al.
2020, https://arxiv.org/abs/2002.10857; generalized crossentropy: Zhang & Sabuncu 2018,
https://arxiv.org/abs/1805.07836; CTC: Graves et al. 2006, Connectionist Temporal Classification, equation 3.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from initcheck.oracle.networks import FUZZ, clipped, sigmoid
from initcheck.oracle.rounding import Rounded

Array = Any  # a NumPy array, or a Rounded
Formula = Callable[..., Array]


def mean(x: Array, axis: int = -1) -> Array:
    """The mean along an axis."""
    return x.sum(axis=axis) / float(x.shape[axis])


def power(x: Array, exponent: float) -> Array:
    """A power of positive numbers."""
    if exponent == 2.0:
        return np.square(x)
    return np.exp(exponent * np.log(np.maximum(x, 1e-30))) if exponent else np.maximum(x, 1.0) * 0.0 + 1.0


def one_hot(classes: np.ndarray, count: int, axis: int = -1) -> np.ndarray:
    """A new axis with a 1 at the class; nothing but 0 where there is no such class."""
    rows: np.ndarray = np.moveaxis(np.asarray(classes)[..., None] == np.arange(count), -1, axis).astype(float)
    return rows


def squared(y: np.ndarray, p: Array) -> Array:
    """The mean of squares."""
    return mean(np.square(p - y))


def absolute(y: np.ndarray, p: Array) -> Array:
    """The mean of absolute differences."""
    return mean(np.absolute(p - y))


def percentage(y: np.ndarray, p: Array) -> Array:
    """The mean of absolute differences in hundredths of the target."""
    return 100.0 * mean(np.absolute((p - y) / np.maximum(np.absolute(y), FUZZ)))


def squared_logarithmic(y: Array, p: Array) -> Array:
    """The mean of squared differences of logarithms, each of one more."""
    y = Rounded(y)
    return mean(np.square(np.log(np.maximum(p, FUZZ) + 1.0) - np.log(np.maximum(y, FUZZ) + 1.0)))


def _unit(x: Array, axis: int) -> Array:
    return x / np.sqrt(np.maximum(np.square(x).sum(axis=axis, keepdims=True), 1e-12))


def cosine(y: np.ndarray, p: Array, axis: int = -1) -> Array:
    """The cosine; 0 for a vector of zeros."""
    return (_unit(Rounded(y), axis) * _unit(p, axis)).sum(axis=axis)


def huber(y: np.ndarray, p: Array, delta: float = 1.0) -> Array:
    """Squared up to delta, linear beyond."""
    error = np.absolute(p - y)
    within = np.minimum(error, delta)
    return mean(within * (error - within * 0.5))


def log_cosh(y: np.ndarray, p: Array) -> Array:
    """The mean of logarithms of hyperbolic cosines."""
    error = np.absolute(p - y)
    return mean(error + np.log1p(np.exp(error * -2.0)) - np.log(2.0))


def _at_most_one(p: Array) -> Array:
    return np.maximum(np.minimum(p, 1.0), FUZZ)


def divergence(y: np.ndarray, p: Array) -> Array:
    """Kullback and Leibler's, of the targets from the outputs."""
    y = _at_most_one(Rounded(y))
    return (y * np.log(y / _at_most_one(p))).sum(axis=-1)


def poisson(y: np.ndarray, p: Array) -> Array:
    """The mean of ``p − y·ln p``."""
    return mean(p - y * np.log(p + FUZZ))


def _signs(y: np.ndarray) -> np.ndarray:
    return y * 2.0 - 1.0 if set(np.unique(y)) <= {0.0, 1.0} else y


def hinge(y: np.ndarray, p: Array) -> Array:
    """The mean of ``max(1 − y·p, 0)``, where labels 0 and 1 are −1 and 1."""
    return mean(np.maximum(1.0 - _signs(y) * p, 0.0))


def squared_hinge(y: np.ndarray, p: Array) -> Array:
    """The mean of the hinge's squares."""
    return mean(np.square(np.maximum(1.0 - _signs(y) * p, 0.0)))


def categorical_hinge(y: np.ndarray, p: Array) -> Array:
    """One more than the largest output of another class less that of the class; at least 0."""
    return np.maximum(((1.0 - y) * p).max(axis=-1) - (y * p).sum(axis=-1) + 1.0, 0.0)


def _binary_each(y: Array, p: Array, from_logits: bool) -> Array:
    if from_logits:
        return np.maximum(p, 0.0) - p * y + np.log1p(np.exp(-np.absolute(p)))
    p = clipped(p)
    return -(y * np.log(p) + (1.0 - y) * np.log(1.0 - p))


def binary(y: np.ndarray, p: Array, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1) -> Array:
    """The mean crossentropy of outputs that are each a probability; smoothing moves labels towards ½."""
    return mean(_binary_each(y * (1.0 - label_smoothing) + 0.5 * label_smoothing, p, from_logits), axis)


def binary_focal(
    y: np.ndarray,
    p: Array,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """The binary crossentropy times ``(1 − p_t)^gamma``; balanced, alpha times for ones and the rest for zeros."""
    y = y * (1.0 - label_smoothing) + 0.5 * label_smoothing
    p = sigmoid(p) if from_logits else p
    each = _binary_each(y, p, False) * power(1.0 - (y * p + (1.0 - y) * (1.0 - p)), gamma)
    return mean((y * alpha + (1.0 - y) * (1.0 - alpha)) * each if apply_class_balancing else each, axis)


def _smoothed(y: np.ndarray, label_smoothing: float, axis: int) -> np.ndarray:
    smoothed: np.ndarray = y * (1.0 - label_smoothing) + label_smoothing / y.shape[axis]
    return smoothed


def _softmax(x: Array, axis: int) -> Array:
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def categorical(
    y: np.ndarray, p: Array, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Array:
    """The crossentropy of a distribution over classes; smoothing moves labels towards the uniform one."""
    y = _smoothed(y, label_smoothing, axis)
    if from_logits:
        shifted = p - p.max(axis=axis, keepdims=True)
        return np.log(np.exp(shifted).sum(axis=axis)) * y.sum(axis=axis) - (shifted * y).sum(axis=axis)
    return -(y * np.log(clipped(p))).sum(axis=axis)


def categorical_focal(
    y: np.ndarray,
    p: Array,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """The categorical crossentropy, each term alpha times ``(1 − p)^gamma``; alpha may be one for each class."""
    p = clipped(_softmax(p, axis) if from_logits else p)
    each = _smoothed(y, label_smoothing, axis) * np.log(p) * power(1.0 - p, gamma)
    return -(each * np.asarray(alpha)).sum(axis=axis)


def sparse(
    y: np.ndarray, p: Array, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Array:
    """The categorical crossentropy of classes by number; 0 for the one that is ignored."""
    classes = y if ignore_class is None else np.where(y == ignore_class, -1, y)
    return categorical(one_hot(classes, p.shape[axis], axis), p, from_logits, axis=axis)


def generalized(y: np.ndarray, p: Array, q: float = 0.5) -> Array:
    """``(1 − p^q)/q`` of the class's probability."""
    right = (one_hot(y, p.shape[-1]) * p).sum(axis=-1)
    return (1.0 - power(right, q)) / q


def dice(y: np.ndarray, p: Array, axis: Any = None) -> Array:
    """One less twice the common part over the sum of both."""
    return 1.0 - (p * y).sum(axis=axis) * 2.0 / (y.sum(axis=axis) + p.sum(axis=axis) + FUZZ)


def tversky(y: np.ndarray, p: Array, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Array:
    """One less the common part over itself with alpha of the false positives and beta of the false negatives."""
    common = (p * y).sum(axis=axis)
    wrong, missing = (p * (1.0 - y)).sum(axis=axis), ((1.0 - p) * y).sum(axis=axis)
    return 1.0 - common / (common + wrong * alpha + missing * beta + FUZZ)


def circle(y: np.ndarray, p: Array, gamma: float = 80.0, margin: float = 0.4, remove_diagonal: bool = True) -> Array:
    """Softplus of both sums' logarithms: over the rows of the same class, and over those of other classes."""
    likeness = np.minimum(p @ p.T, 1.0)
    losses = []
    for row in range(len(y)):
        s = likeness[row]
        positive = (y == y[row]) & ((np.arange(len(y)) != row) | (not remove_diagonal))
        pull = -gamma * np.maximum(1.0 + margin - s, 0.0) * (s - (1.0 - margin))
        push = gamma * np.maximum(s + margin, 0.0) * (s - margin)
        both = _log_sum(pull[np.nonzero(positive)]) + _log_sum(push[np.nonzero(y != y[row])])
        losses.append(np.maximum(both, 0.0) + np.log1p(np.exp(-np.absolute(both))))
    return Rounded([one.value for one in losses], [one.error for one in losses])


def _log_sum(x: Array) -> Array:
    return np.log(np.exp(x - x.max()).sum()) + x.max()


def ctc(y: np.ndarray, p: Array) -> Array:
    """Over all paths that spell the labels: repeated ones are one, and 0, the blank, is none; 0 pads labels too."""
    shares, losses = _softmax(p, -1), []
    steps, classes = p.shape[1:]
    paths = np.array([*itertools.product(range(classes), repeat=steps)])
    for labels, share in zip(np.asarray(y).astype(int), (shares[row] for row in range(len(shares))), strict=True):
        spelt = [path for path in paths if _spelt(path) == [one for one in labels if one]]
        chance: Any = 1.0
        for step in range(steps):
            chance = chance * share[step, np.array(spelt)[:, step]]
        losses.append(-np.log(chance.sum()))
    return Rounded([one.value for one in losses], [one.error for one in losses])


def _spelt(path: np.ndarray) -> list[int]:
    return [int(one) for one, before in zip(path, [-1, *path[:-1]], strict=True) if one and one != before]


def pearson(y: np.ndarray, p: Array, axis: int = -1) -> Array:
    """The correlation."""
    y, p = (one - _mean_of(one, axis) for one in (Rounded(y), p))
    return (y * p).sum(axis=axis) / np.sqrt(np.square(y).sum(axis=axis) * np.square(p).sum(axis=axis))


def concordance(y: np.ndarray, p: Array, axis: int = -1) -> Array:
    """Lin's: twice the covariance over both variances and the squared difference of means."""
    y_mean, p_mean = _mean_of(Rounded(y), axis), _mean_of(p, axis)
    y, p = y - y_mean, p - p_mean
    apart = np.square(y_mean - p_mean).sum(axis=axis)
    return 2.0 * mean(y * p, axis) / (mean(np.square(y), axis) + mean(np.square(p), axis) + apart)


def _mean_of(x: Array, axis: int) -> Array:
    return x.sum(axis=axis, keepdims=True) / float(x.shape[axis])


# By the name that each has as a function of ``keras.losses`` or ``keras.metrics``.
LOSS_FORMULAS: Mapping[str, Formula] = MappingProxyType(
    {
        "mean_squared_error": squared,
        "mean_absolute_error": absolute,
        "mean_absolute_percentage_error": percentage,
        "mean_squared_logarithmic_error": squared_logarithmic,
        "cosine_similarity": lambda y, p, axis=-1: -cosine(y, p, axis),
        "huber": huber,
        "log_cosh": log_cosh,
        "kl_divergence": divergence,
        "poisson": poisson,
        "hinge": hinge,
        "squared_hinge": squared_hinge,
        "categorical_hinge": categorical_hinge,
        "binary_crossentropy": binary,
        "binary_focal_crossentropy": binary_focal,
        "categorical_crossentropy": categorical,
        "categorical_focal_crossentropy": categorical_focal,
        "sparse_categorical_crossentropy": sparse,
        "categorical_generalized_cross_entropy": generalized,
        "dice": dice,
        "tversky": tversky,
        "circle": circle,
        "ctc": ctc,
        "pearson_correlation": pearson,
        "concordance_correlation": concordance,
    }
)
