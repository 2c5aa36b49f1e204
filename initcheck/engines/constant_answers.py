"""The best score of one answer to all rows: what a model must beat to have learned anything from its inputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from initcheck.engines.own_data import targets_of
from initcheck.engines.own_models import Array, OwnData, compiled_metrics
from initcheck.records import Score

_LEAST = 1e-7  # share of a class, before its logarithm
_ROWS_AT_ONCE = 8192


def best_constant(keras: Any, model: Any, data: OwnData, score: Score) -> float | None:
    """The best score that one of a few constant outputs has on the training rows; None where that is unknown.

    Tried are zeros, the mean, the median and the commonest class of the targets, and for classes their shares, these
    also as logarithms or log odds, for a loss that takes logits. A model of several outputs is not looked at.

    Args:
        keras: The framework.
        model: A compiled model; its loss and metrics are taken, so that it can be trained no more.
        data: Its training rows.
        score: The score.
    """
    found = targets_of(data)
    if found is None:
        return None
    y, weights = found
    try:
        outputs = model(data.batch(1)[0], training=False)
        shape = tuple(int(size) for size in outputs.shape[1:])
        inputs = keras.Input(shape)
        judge = keras.Model(inputs, keras.layers.Activation("linear")(inputs))
        judge.compile(loss=model.loss, **compiled_metrics(model))
        scores = [_evaluated(judge, row, y, weights, score.name) for row in _candidates(y, shape)]
    except Exception:  # noqa: BLE001 - a loss of the user's own may take anything but constants
        return None
    finite = [one for one in scores if one is not None and np.isfinite(one)]
    return score.sign * max(score.sign * one for one in finite) if finite else None


def _evaluated(judge: Any, row: Array, y: Array, weights: Array | None, name: str) -> float | None:
    outputs = np.broadcast_to(row.astype(np.float32), (len(y), *row.shape))
    given = judge.evaluate(
        outputs,
        y,
        sample_weight=weights,
        batch_size=_ROWS_AT_ONCE,
        verbose=0,
        return_dict=True,
    )
    return float(given[name]) if name in given else None


def _candidates(y: Array, shape: tuple[int, ...]) -> Iterator[Array]:
    """Constant outputs for one row."""
    yield np.zeros(shape)
    values = y.astype(np.float64)
    classes = shape[-1] if shape else 1
    if classes > 1 and values.shape[1:] != shape:  # class numbers
        counts = np.bincount(y.astype(np.int64).ravel(), minlength=classes)[:classes]
        shares = counts / max(1, counts.sum())
        yield np.broadcast_to(shares, shape)
        yield np.broadcast_to(np.log(np.maximum(shares, _LEAST)), shape)
        yield np.broadcast_to(np.eye(classes)[counts.argmax()], shape)
        return
    rows = values.reshape(len(values), *shape)
    mean = rows.mean(axis=0)
    yield mean
    yield np.median(rows, axis=0)
    if ((values >= 0) & (values <= 1)).all():
        inside = np.clip(mean, _LEAST, 1 - _LEAST)
        yield np.log(inside) - np.log1p(-inside)
        yield np.log(inside)
        if classes > 1:
            yield np.broadcast_to(np.eye(classes)[mean.reshape(-1, classes).mean(axis=0).argmax()], shape)
        else:
            yield np.rint(mean)
