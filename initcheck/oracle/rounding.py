"""Arithmetic with error bounds: the source of every tolerance of training's arithmetic.

A ``Rounded`` is an array of float64 values, each with a bound of the error that the same formula makes in float32, or
within ``rounding_to`` in a type of half precision.
Formulas written with NumPy's functions work on it as on an array, so the oracle is written once and gives the
value and its tolerance together.

Source: Wilkinson's running error analysis, in Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.3.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]

# IEEE 754 rounds to nearest: a sum, product, quotient or square root is off by at most this share of itself.
UNIT = 2.0**-24
UNIT_OF = {"float32": UNIT, "float64": 2.0**-53, "float16": 2.0**-11, "bfloat16": 2.0**-8}
# What is smaller than the least normal number may be flushed to zero.
TINY = 2.0**-126
_TINY_OF = {"float32": TINY, "float16": 2.0**-14, "bfloat16": TINY}
# Vectorised exp, log, tanh (Eigen, oneDNN) are off by a few units more; eight is a judgement, kept on TF 2.15–2.21. In
# half precision they are computed in float32 and rounded once.
_ELEMENTARY_OF = {"float32": 8 * UNIT, "float16": 2 * UNIT_OF["float16"], "bfloat16": 2 * UNIT_OF["bfloat16"]}
# A framework may order the same sums and products differently, or use x·rsqrt(y) for x/√y: each such step costs at most
# as much again as the one that it replaces, so that the bound of another order is a small multiple of this order's.
OTHER_ORDER = 4.0


@dataclass(frozen=True)
class Precision:
    """How a type rounds.

    Attributes:
        dtype: Its name.
        unit: The largest relative error of a single operation.
        elementary: That of exp, log, tanh and their like.
        tiny: The least normal number.
    """

    dtype: str
    unit: float
    elementary: float
    tiny: float

    def stored(self, values: Floats) -> Floats:
        """A bound of the error of storing the values in this type."""
        if self.dtype == "bfloat16":
            return self.unit * np.abs(values)
        with np.errstate(over="ignore"):  # beyond its range the error is infinite
            return np.abs(values.astype(self.dtype).astype(np.float64) - values)


_PRECISIONS = {name: Precision(name, UNIT_OF[name], _ELEMENTARY_OF[name], _TINY_OF[name]) for name in _TINY_OF}
_PRECISION = ContextVar("precision", default=_PRECISIONS["float32"])


@contextlib.contextmanager
def rounding_to(dtype: str) -> Iterator[None]:
    """Bounds within are those of that type: ``float32``, ``float16`` or ``bfloat16``."""
    token = _PRECISION.set(_PRECISIONS[dtype])
    try:
        yield
    finally:
        _PRECISION.reset(token)


def _unit() -> float:
    return _PRECISION.get().unit


def _tiny() -> float:
    return _PRECISION.get().tiny


_MONOTONE = (np.exp, np.log, np.tanh, np.log1p, special.erf, np.sqrt)
_OF_ALL_NUMBERS = (np.exp, np.tanh, special.erf)  # the others are of positive ones


class Rounded(np.lib.mixins.NDArrayOperatorsMixin):
    """Values, each with a bound of its error.

    Args:
        value: The exact values.
        error: A bound of the absolute error of each; by default that of storing the value.
    """

    def __init__(self, value: npt.ArrayLike, error: npt.ArrayLike | None = None) -> None:
        self.value: Floats = np.asarray(value, dtype=np.float64)
        if error is None:
            error = _PRECISION.get().stored(self.value)
        self.error: Floats = np.broadcast_to(np.asarray(error, dtype=np.float64), self.value.shape)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """The result of a NumPy function, with its bound."""
        if method != "__call__" or options:
            return NotImplemented
        numbers = [one if isinstance(one, Rounded) else Rounded(one) for one in inputs]
        values, errors = [one.value for one in numbers], [one.error for one in numbers]
        if ufunc in _MONOTONE:
            return _monotone(ufunc, values[0], errors[0])
        rule = _RULES.get(ufunc)
        if rule is None:
            result = ufunc(*values)
            return result if result.dtype == bool else NotImplemented
        with np.errstate(all="ignore"):  # an infinite bound is valid: nothing is known
            return Rounded(*rule(*values, *errors))

    def sum(self, axis: Any = None, keepdims: bool = False) -> Rounded:
        """The sum; one rounding for each term, in whichever order."""
        value = self.value.sum(axis=axis, keepdims=keepdims)
        magnitude = np.abs(self.value).sum(axis=axis, keepdims=keepdims)
        terms = self.value.size / max(1, value.size)
        return Rounded(value, self.error.sum(axis=axis, keepdims=keepdims) + terms * _unit() * magnitude)

    def max(self, axis: Any = None, keepdims: bool = False) -> Rounded:
        """The maximum."""
        return Rounded(self.value.max(axis=axis, keepdims=keepdims), self.error.max(axis=axis, keepdims=keepdims))

    def fuzzed(self, by: float) -> Rounded:
        """The same values with that much more error."""
        return Rounded(self.value, self.error + by)

    def of(self, dtype: str) -> Rounded:
        """The same values with the bound of that dtype: each of its terms shrinks with the unit roundoff, or faster.

        Whole numbers are exact.

        Hyperparameters must be exact in float32, since frameworks hold some of them in it whatever the dtype.
        """
        return self if dtype == "float32" else Rounded(self.value, self.error * (UNIT_OF.get(dtype, 0.0) / UNIT))

    @property
    def T(self) -> Rounded:
        """The transposed matrix."""
        return Rounded(self.value.T, self.error.T)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values."""
        return self.value.shape

    def __getitem__(self, key: Any) -> Rounded:
        return Rounded(self.value[key], self.error[key])

    def __len__(self) -> int:
        return len(self.value)


def excess(actual: npt.ArrayLike, expected: Rounded) -> float:
    """The largest deviation as a multiple of the rounding error allowed; above 1 is wrong, NaN counts as infinite."""
    values = np.asarray(actual, dtype=np.float64)
    if values.shape != expected.shape:
        return float("inf")
    with np.errstate(all="ignore"):
        ratio = np.where(values == expected.value, 0.0, np.abs(values - expected.value) / allowed(expected))
    return float(np.nan_to_num(ratio, nan=np.inf, posinf=np.inf).max(initial=0.0))


def allowed(expected: Rounded) -> Floats:
    """How far each value may be off."""
    return OTHER_ORDER * expected.error + _tiny()


def _monotone(function: Callable[..., Any], value: Floats, error: Floats) -> Rounded:
    share = 2 * _unit() if function is np.sqrt else _PRECISION.get().elementary
    with np.errstate(all="ignore"):
        result = function(value)
        low = value - error if function in _OF_ALL_NUMBERS else np.maximum(value - error, 0.0)
        reach = np.maximum(function(value + error) - result, result - function(low))
        return Rounded(result, np.nan_to_num(reach, nan=0.0, posinf=np.inf) + share * np.abs(result) + _tiny())


def _add(a: Floats, b: Floats, da: Floats, db: Floats) -> tuple[Floats, Floats]:
    return a + b, da + db + _unit() * np.abs(a + b)


def _subtract(a: Floats, b: Floats, da: Floats, db: Floats) -> tuple[Floats, Floats]:
    return a - b, da + db + _unit() * np.abs(a - b)


def _multiply(a: Floats, b: Floats, da: Floats, db: Floats) -> tuple[Floats, Floats]:
    # Exactly zero times something unknown is zero.
    spread = [np.nan_to_num(one, nan=0.0, posinf=np.inf) for one in (np.abs(a) * db, np.abs(b) * da, da * db)]
    return a * b, sum(spread) + _unit() * np.abs(a * b) + _tiny()


def _divide(a: Floats, b: Floats, da: Floats, db: Floats) -> tuple[Floats, Floats]:
    nearest = np.abs(b) - db
    error = (da + np.abs(a / b) * db) / nearest + 2 * _unit() * np.abs(a / b) + _tiny()
    return a / b, np.where(nearest > 0, error, np.inf)


def _matmul(a: Floats, b: Floats, da: Floats, db: Floats) -> tuple[Floats, Floats]:
    magnitude = np.abs(a) @ np.abs(b)
    return a @ b, np.abs(a) @ db + da @ np.abs(b) + da @ db + (a.shape[-1] + 1) * _unit() * magnitude + _tiny()


def _larger(a: Floats, b: Floats, da: Floats, db: Floats) -> tuple[Floats, Floats]:
    return np.maximum(a, b), np.broadcast_to(np.maximum(da, db), np.broadcast_shapes(a.shape, b.shape))


def _smaller(a: Floats, b: Floats, da: Floats, db: Floats) -> tuple[Floats, Floats]:
    return np.minimum(a, b), np.broadcast_to(np.maximum(da, db), np.broadcast_shapes(a.shape, b.shape))


def _heaviside(a: Floats, b: Floats, da: Floats, _db: Floats) -> tuple[Floats, Floats]:
    unsure = (np.abs(a) <= OTHER_ORDER * da) & (da > 0)  # float32 may be on either side of the kink
    return np.heaviside(a, b), np.where(unsure, 1.0, 0.0)


_RULES: dict[np.ufunc, Callable[..., tuple[Floats, Floats]]] = {
    np.add: _add,
    np.subtract: _subtract,
    np.multiply: _multiply,
    np.divide: _divide,
    np.matmul: _matmul,
    np.maximum: _larger,
    np.minimum: _smaller,
    np.heaviside: _heaviside,
    np.negative: lambda a, da: (-a, da),
    np.absolute: lambda a, da: (np.abs(a), da),
    np.square: lambda a, da: _multiply(a, a, da, da),
}


def contracted(equation: str, one: Rounded, other: Rounded) -> Rounded:
    """``np.einsum`` of two arrays; a rounding for each term of a sum, in whichever order."""
    inputs, result = equation.split("->")
    sizes = dict(zip(inputs.replace(",", ""), (*one.shape, *other.shape), strict=True))
    terms = np.prod([size for letter, size in sizes.items() if letter not in result])
    sizes_only = (np.abs(one.value), np.abs(other.value))
    error = (
        np.einsum(equation, sizes_only[0], other.error)
        + np.einsum(equation, one.error, sizes_only[1])
        + np.einsum(equation, one.error, other.error)
        + (terms + 1) * _unit() * np.einsum(equation, *sizes_only)
        + _tiny()
    )
    return Rounded(np.einsum(equation, one.value, other.value), error)


def masked_softmax(scores: Rounded, seen: npt.ArrayLike | None = None) -> Rounded:
    """The softmax over the last axis, of which scores that are not seen are no part.

    Where each score is off by at most its error, a share is off by a factor between the two quotients below; the
    powers, their sum and the quotient are rounded besides.

    Args:
        scores: Any finite ones.
        seen: True for those that count, in a shape that broadcasts; all by default. One of each row must be.
    """
    counts = np.broadcast_to(True if seen is None else np.asarray(seen, bool), scores.shape)
    least = scores.value - np.where(counts, scores.value, -np.inf).max(axis=-1, keepdims=True)
    error = scores.error + _unit() * np.abs(least)
    powers = np.where(counts, np.exp(np.minimum(least, 0.0)), 0.0)
    shares = powers / powers.sum(axis=-1, keepdims=True)
    with np.errstate(all="ignore"):
        most = np.exp(error) / (shares * np.exp(-error)).sum(axis=-1, keepdims=True) - 1.0
        fewest = 1.0 - np.exp(-error) / (shares * np.exp(error)).sum(axis=-1, keepdims=True)
    roundings = 2 * _PRECISION.get().elementary + (scores.shape[-1] + 2) * _unit()
    reach = np.nan_to_num(np.maximum(most, fewest), nan=np.inf)
    return Rounded(shares, np.where(counts, shares * (reach + roundings) + _tiny(), 0.0))
