"""The constant that predicts targets best, for the losses of which it is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Of the best constant's loss. Outputs of a fresh network have the scale of its signal, about 1, and standardized
# targets too: its squared error is 2 to 3 times the targets' variance, and 50 times behind residual branches that add
# up. A hundred times means that outputs are off by ten standard deviations of the targets: ten times in absolute
# errors, and in between for Huber's loss, which is either.
_SQUARED, _ABSOLUTE, _HUBER = 100.0, 10.0, 30.0
# Natural units above the uniform prediction, or above the best constant where that is worse. Logits of standard
# deviation s around 0 cost about s²/2 above uniform: s is 1 to 1.5 for Glorot's and He's kernels, which is 0.5 to 1.
# Ten units give the right class less than a ten-thousandth of what guessing gives: s is 8 or more for ten classes.
NATS = 10.0
_CLIP = 1e-7  # Keras's own, of probabilities

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class KnownLoss:
    """A loss whose best constant is known.

    Attributes:
        best: The best constant of targets of shape ``(rows, …)``, weights of the rows, and the number of units.
        logit: From probabilities to logits, where the loss may take those.
        factor: Of the constant's loss; 0 where it is a cross-entropy.
    """

    best: Callable[[Values, Values, int], Values]
    logit: Callable[[Values], Values] | None = None
    factor: float = 0.0


def _mean(y: Values, weights: Values, _units: int) -> Values:
    return np.asarray(np.average(y, axis=0, weights=weights))


def _median(y: Values, weights: Values, _units: int) -> Values:
    order = np.argsort(y, axis=0)
    heaped = np.cumsum(np.broadcast_to(weights.reshape(-1, *[1] * (y.ndim - 1)), y.shape).copy(), axis=0)
    heaped = np.cumsum(np.take_along_axis(np.diff(heaped, axis=0, prepend=0), order, axis=0), axis=0)
    place = (heaped < heaped[-1:] / 2).sum(axis=0, keepdims=True)
    return np.asarray(np.take_along_axis(np.take_along_axis(y, order, axis=0), place, axis=0)[0])


def _frequencies(y: Values, weights: Values, units: int) -> Values:
    """Of classes given as numbers, shape ``(units,)``."""
    flat = y.reshape(len(y), -1).astype(int)
    each = np.repeat(weights, flat.shape[1])
    counts = np.bincount(flat.ravel(), weights=each, minlength=units)[:units]
    return np.asarray(counts / counts.sum())


def _shares(y: Values, weights: Values, _units: int) -> Values:
    """Of one-hot classes, shape ``(units,)``."""
    return np.asarray(np.average(y, axis=0, weights=weights).reshape(-1, y.shape[-1]).mean(axis=0))


def _log(p: Values) -> Values:
    return np.log(np.clip(p, _CLIP, None))


def _logit(p: Values) -> Values:
    clipped = np.clip(p, _CLIP, 1 - _CLIP)
    return np.asarray(np.log(clipped / (1 - clipped)))


SPARSE, ONE_HOT, BINARY = "sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy"
KNOWN_LOSSES = {
    "mean_squared_error": KnownLoss(_mean, factor=_SQUARED),
    "mean_absolute_error": KnownLoss(_median, factor=_ABSOLUTE),
    "huber": KnownLoss(_median, factor=_HUBER),
    BINARY: KnownLoss(_mean, _logit),
    ONE_HOT: KnownLoss(_shares, _log),
    SPARSE: KnownLoss(_frequencies, _log),
}
OTHER_NAMES = {"mse": "mean_squared_error", "mae": "mean_absolute_error"}
