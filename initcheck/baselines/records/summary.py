"""Summaries of arrays in a baseline: digests, moments, some values; and many draws in units of their law."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from initcheck.baselines.records.array_records import ArrayRecord, LawRecord, OrderRecord
from initcheck.baselines.records.fields import MOST_VALUES
from initcheck.baselines.records.training_records import MOST_EPOCHS, BandRecord, CurvesRecord, StageRecord
from initcheck.catalog.laws import Law, Orthogonal
from initcheck.digests import digest
from initcheck.records import Runs

BINS = 32
_BAND = {"low": 0.1, "median": 0.5, "high": 0.9}
_DRAWN_DIGITS = 5
_DIGITS = 12  # of moments: beyond them NumPy's sums are not the same on every machine

Array = npt.NDArray[Any]
Number = float | Literal["nan", "inf", "-inf"]


def array_record(array: Array, values: int) -> ArrayRecord:
    """The record of an array of finite numbers, with at most so many of its values."""
    flat = np.ravel(array)
    return ArrayRecord(
        dtype=cast(Any, str(array.dtype)),
        size=flat.size,
        digest=digest([array]),
        **_moments(flat),
        kurtosis=_kurtosis(flat),
        values=tuple(map(_shortest, _at_even_distances(flat, values))),
    )


def stage_record(arrays: Sequence[Array], deviation: float | None, most: int = MOST_VALUES) -> StageRecord:
    """The record of one stage of a training or of a layer.

    Args:
        arrays: The arrays of the stage, computed in float32.
        deviation: The largest deviation of an element in runs from perturbed weights; None where there is none.
        most: The number of its values to keep, at most.
    """
    flat = np.concatenate([np.ravel(array).astype(np.float32) for array in arrays])
    return StageRecord(
        size=flat.size,
        digest=digest(arrays),
        **{name: _worded(value) for name, value in _moments(flat).items()},
        values=tuple(_worded(_shortest(value)) for value in _at_even_distances(flat, most)),
        tolerance=None if deviation is None or not np.isfinite(deviation) else _rounded(deviation),
    )


def noise_errors(noise: Array, parts: int) -> tuple[float, float]:
    """Standard errors of the mean of some noise and of the logarithm of its standard deviation.

    By the jackknife, each part of it left out in turn (Efron and Stein 1981): whatever depends on whatever within a
    part.

    Args:
        noise: Its first axis divides into ``parts`` independent parts of equal length.
        parts: Their number.
    """
    wide = noise.astype(np.float64).reshape(parts, -1)
    sums, squares = wide.sum(axis=1), np.square(wide - wide.mean()).sum(axis=1)
    left = wide.size - wide.shape[1]
    means = (sums.sum() - sums) / left
    variances = (squares.sum() - squares) / left - np.square(means - wide.mean())
    logarithms = np.log(np.maximum(variances, np.finfo(np.float64).tiny)) / 2
    mean, scale = (math.sqrt((parts - 1) * float(np.var(one))) for one in (means, logarithms))
    return _rounded(mean), _rounded(scale)


def law_record(law: Law, draws: Sequence[Array]) -> LawRecord:
    """Independent draws of one shape, in units of the law.

    Elements of one draw of an orthogonal matrix depend on each other, so only the first of each is taken; its square
    follows Beta(½, (n − 1)/2), n being the longer side, and the scale of the whole matrix is the same in every draw.

    Args:
        law: The documented law; random.
        draws: Of one shape.
    """
    from scipy import stats

    shape = draws[0].shape
    if isinstance(law, Orthogonal):
        longer = max(shape)
        first = np.array([draw.flat[0] for draw in draws], dtype=np.float64)
        shares = (1 + np.sign(first) * stats.beta.cdf(first**2, 0.5, (longer - 1) / 2)) / 2
        pooled = first * np.sqrt(longer)
        scale = float(np.sqrt(np.mean(np.square(np.stack(draws).astype(np.float64)))) * np.sqrt(longer))
    else:
        element = law.at(shape)  # type: ignore[union-attr] # constants and identities are not random
        values = np.concatenate([np.ravel(draw) for draw in draws]).astype(np.float64)
        shares = element.distribution.cdf(values)
        pooled = (values - element.mean) / element.stddev
        scale = float(pooled.std())
    places = np.clip((shares * BINS).astype(np.int64), 0, BINS - 1)
    return LawRecord(
        n=len(pooled),
        mean=_rounded(float(pooled.mean())),
        stddev=_rounded(scale),
        kurtosis=_kurtosis(pooled),
        scale_is_exact=isinstance(law, Orthogonal),
        bins=tuple(np.bincount(places, minlength=BINS).tolist()),
    )


def order_record(epochs: Sequence[Array], rows: int, batch_size: int) -> OrderRecord:
    """The record of the orders in which ``fit`` took some rows, each epoch's row numbers in one array."""
    lying = np.arange(rows)
    return OrderRecord(
        rows=rows,
        batch_size=batch_size,
        epochs=tuple(digest([epoch.astype(np.int64)]) for epoch in epochs),
        first=tuple(epochs[0][:MOST_VALUES].tolist()),
        every_row_once=all(np.array_equal(np.sort(epoch), lying) for epoch in epochs),
        shuffled=not any(np.array_equal(epoch, way) for epoch in epochs for way in (lying, lying[::-1])),
    )


def curves_record(runs: Runs) -> CurvesRecord:
    """The record of how some runs trained, epoch by epoch."""
    epochs = _at_even_distances(np.arange(1, runs.epochs + 1), MOST_EPOCHS)
    bands = [_band(runs.metric(name)[:, epochs - 1]) for name in ("loss", "val_accuracy")]
    return CurvesRecord(epochs=tuple(epochs.tolist()), loss=bands[0], accuracy=bands[1])


def score_number(value: float) -> Number:
    """A score to 12 digits, which is NaN or infinite in words."""
    return _worded(_rounded(value))


def _band(values: Array) -> BandRecord:
    """The band of values of shape ``(runs, epochs)``."""
    # Order statistics need no interpolation, which infinite losses would spoil.
    ordered = np.sort(np.where(np.isfinite(values), values, np.inf), axis=0)
    places = {name: max(0, math.ceil(share * len(ordered)) - 1) for name, share in _BAND.items()}
    return BandRecord(
        **{name: tuple(_worded(_rounded(value, _DRAWN_DIGITS)) for value in ordered[at]) for name, at in places.items()}
    )


def _moments(flat: Array) -> dict[str, float]:
    wide = flat.astype(np.float64)
    with np.errstate(all="ignore"):  # a training may have diverged
        mean, stddev = (float(wide.mean()), float(wide.std())) if flat.size else (0.0, 0.0)
    return {"mean": _rounded(mean), "stddev": _rounded(stddev)}


def _kurtosis(flat: Array) -> float:
    centred = flat.astype(np.float64) - (flat.astype(np.float64).mean() if flat.size else 0.0)
    _, exponent = np.frexp(np.abs(centred).max(initial=0.0))
    centred = np.ldexp(centred, -exponent)  # of the order of 1, bit for bit: powers neither vanish nor overflow
    second = float(np.mean(centred**2)) if flat.size else 0.0
    return max(1.0, float(f"{float(np.mean(centred**4)) / second**2:.4g}")) if second else 1.0


def kept_places(size: int, most: int) -> npt.NDArray[np.int64]:
    """The places of an array's recorded elements, at even distances, at most so many."""
    return np.round(np.linspace(0, size - 1, min(size, most))).astype(np.int64)


def _at_even_distances(flat: Array, count: int) -> Array:
    kept: Array = flat[kept_places(flat.size, count)]
    return kept


def _shortest(value: np.generic) -> float:
    """The shortest decimal that gives the value's bits at its own precision, where NumPy knows that precision."""
    return float(str(value)) if isinstance(value, np.float32 | np.float16) else float(value)


def _rounded(value: float, digits: int = _DIGITS) -> float:
    return float(f"{value:.{digits}g}")


def _worded(value: float) -> Number:
    return value if np.isfinite(value) else cast(Number, str(float(value)))
