"""The deviation of recorded arrays, and tests of whether two sets of independent draws have one law."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from initcheck.baselines.comparing.comparison import Deviation
from initcheck.baselines.records.array_records import ArrayRecord, LawRecord
from initcheck.baselines.records.training_records import StageRecord

_MANTISSA = {"float16": 10, "bfloat16": 7, "float32": 23, "float64": 52}
_LEAST = {"float16": -14, "bfloat16": -126, "float32": -126, "float64": -1022}  # exponents of normal numbers
# A draw is made of random bits by a few operations, each rounded once: a polynomial or a logarithm, a scale, a shift.
DRAW_ROUNDINGS = 8
# Householder's columns are off by 2·rows·eps at most (initcheck.checks.laws.orthogonal); 36 rows are the most recorded,
# and an element may be half as large as its column.
MATRIX_ROUNDINGS = 2 * 36 * 2
_POWER = 0.999
_FEW = 64  # numbers, whose kurtosis is not known
_NORMAL_KURTOSIS = 3.0
SCALE_EFFECT = 0.05  # of a standard deviation: what a comparison of two laws must be able to see

Record = ArrayRecord | StageRecord


def deviation(old: Record, new: Record) -> Deviation:
    """The deviation of two arrays of one size: a lower bound.

    Neither the mean nor the standard deviation of two arrays can differ by more than their elements do, so those speak
    for the elements that are not recorded.
    """
    dtype = old.dtype if isinstance(old, ArrayRecord) else "float32"
    mine, other = (_numbers(record.values, dtype) for record in (old, new))
    moments = [(float(a), float(b)) for a, b in ((old.mean, new.mean), (old.stddev, new.stddev))]
    pairs = [*zip(mine, other, strict=True), *moments]
    # NaN on both sides agrees; NaN on one side is infinitely far off.
    gaps = [abs(a - b) for a, b in pairs if not (a == b or (math.isnan(a) and math.isnan(b)))]
    absolute = max((math.inf if math.isnan(gap) else gap for gap in gaps), default=0.0)
    scale = largest(old, new)
    return Deviation(absolute, absolute / scale if scale else math.inf * bool(absolute), absolute / ulp(scale, dtype))


def largest(*records: Record) -> float:
    """The largest finite recorded value, by its absolute value."""
    return max((abs(float(value)) for record in records for value in record.values if _finite(value)), default=0.0)


def ulp(value: float, dtype: str = "float32") -> float:
    """The unit in the last place of a value of that type."""
    exponent = math.frexp(value)[1] - 1 if value else _LEAST[dtype]
    return math.ldexp(1.0, max(exponent, _LEAST[dtype]) - _MANTISSA[dtype])


def law_p_values(old: LawRecord, new: LawRecord) -> dict[str, float]:
    """p-values that both sets of draws have one mean, one standard deviation and one shape.

    Sources: DESIGN's z of the scale, ln(s/σ)·√(4n/(κ − 1)), for two samples; Pearson 1900 for the bins.
    """
    from scipy import stats

    bins = np.array([old.bins, new.bins]) if len(old.bins) == len(new.bins) else np.zeros((2, 0))
    filled = bins[:, bins.sum(axis=0) > 0]
    shape = float(stats.chi2_contingency(filled).pvalue) if filled.shape[1] > 1 else float(filled.shape[1])
    if old.scale_is_exact and new.scale_is_exact:
        scale = float(abs(new.stddev - old.stddev) <= 0.01 * old.stddev)  # far above rounding in half precision
    else:
        scale = scale_p_value((old.stddev, old.n), (new.stddev, new.n), max(old.kurtosis, new.kurtosis))
    return {"mean": mean_p_value(old, new, (old.n, new.n)), "scale": scale, "shape": shape}


def mean_p_value(old: ArrayRecord | LawRecord, new: ArrayRecord | LawRecord, sizes: tuple[int, int]) -> float:
    """The p-value of two samples of those sizes having one mean; 1 where one number shows no spread.

    By Student's t with the freedom of the smaller sample: a normal law for it would find five numbers of one law
    different a hundred times as often as it should.
    """
    if min(sizes) < 2:
        return 1.0
    error = math.sqrt(old.stddev**2 / (sizes[0] - 1) + new.stddev**2 / (sizes[1] - 1))
    return two_sided((new.mean - old.mean) / error, min(sizes) - 1) if error else float(new.mean == old.mean)


def scale_p_value(old: tuple[float, int], new: tuple[float, int], kurtosis: float) -> float:
    """The p-value of two samples, each a standard deviation and a size, having one standard deviation.

    Of few numbers the kurtosis is not known, and no tail lighter than a normal one is believed.
    """
    if not old[0] or not new[0]:
        return float(old[0] == new[0])
    if (fewest := min(old[1], new[1])) < 2:
        return 1.0
    error = scale_error(old[1], new[1], _believed(kurtosis, fewest))
    return two_sided(math.log(new[0] / old[0]) / error, fewest - 1)


def scale_error(old: int, new: int, kurtosis: float) -> float:
    """Standard error of the logarithm of two standard deviations' ratio."""
    return math.sqrt(max(0.1, kurtosis - 1) / 4 * (1 / max(1, old) + 1 / max(1, new)))


def detectable(old: int, new: int, kurtosis: float, alpha: float) -> float:
    """The relative error of a scale that two samples of those sizes show at that level with power 99.9 %."""
    fewest = max(2, min(old, new))
    return scale_error(old, new, _believed(kurtosis, fewest)) * errors_seen(alpha, fewest - 1)


def _believed(kurtosis: float, size: int) -> float:
    return max(kurtosis, _NORMAL_KURTOSIS) if size < _FEW else kurtosis


def _numbers(values: Sequence[float | str], dtype: str) -> list[float]:
    """The values at their own precision: their shortest decimals are near them only."""
    numbers = [float(value) for value in values]
    if dtype in {"float16", "float32"}:
        with np.errstate(over="ignore"):
            return [float(value) for value in np.array(numbers, dtype=dtype)]
    return numbers


def _finite(value: float | str) -> bool:
    return math.isfinite(float(value))


def errors_seen(alpha: float, freedom: float) -> float:
    """How many standard errors a difference has that Student's t shows at that level with power 99.9 %."""
    from scipy import stats

    return float(stats.t.isf(alpha / 2, freedom) + stats.t.ppf(_POWER, freedom))


def two_sided(t: float, freedom: float) -> float:
    """The p-value of Student's t, of either sign."""
    from scipy import stats

    return float(2 * stats.t.sf(abs(t), freedom))
