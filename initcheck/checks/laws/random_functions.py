"""The functions of ``keras.random``, each with its documented law."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.checks.judgement import judged
from initcheck.checks.registry import NotApplicable, Subject, check, require_dtype
from initcheck.oracle.rounding import UNIT_OF
from initcheck.records import Verdict, failed
from initcheck.statistics.dependence import within
from initcheck.statistics.goodness import (
    Finding,
    Sample,
    samples_for_distance,
    samples_for_shift,
    shape_test,
    together,
    unit_law,
)
from initcheck.targets import KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

SAMPLES = 50_000
_CORRELATION = 0.07
_WIDE = 3 * 2**29  # no power of two, and more than a third of all numbers of 32 bits
_CHANCES = (0.1, 0.2, 0.3, 0.4)


def needs(alpha: float) -> int:
    """Returns how many draws detect either effect; at the largest distance there are half as many pairs."""
    distances = 2 * SAMPLES // 2  # of elements and magnitudes
    return max(samples_for_distance(0.02, alpha, 2), 2 * samples_for_shift(_CORRELATION, alpha, 2 * distances))


@dataclass(frozen=True)
class FunctionCase:
    """One function with its arguments.

    Attributes:
        function: Its name in ``keras.random``.
        arguments: Its arguments but for the seed.
        law: The name of its law in ``scipy.stats``.
        parameters: Of that law.
        seen: Selects the part of the result that follows the law; all of it by default.
        what: Tells it from other cases of the function.
        dtype: Given to the function, and that of the result; the function's own by default.
    """

    function: str
    arguments: Mapping[str, Any]
    law: str
    parameters: tuple[float, ...]
    seen: Callable[[np.ndarray], np.ndarray] = np.ravel
    what: str = ""
    dtype: str = ""

    @property
    def name(self) -> str:
        """A readable, unique name."""
        return "-".join(filter(None, (self.function, self.what, self.dtype)))

    @property
    def given(self) -> Mapping[str, Any]:
        """Its arguments, the dtype among them if it is given."""
        return {**self.arguments, **({"dtype": self.dtype} if self.dtype else {})}


def _places(values: np.ndarray) -> np.ndarray:
    """Returns the source places of the first half of a shuffle, scaled to (0, 1): a sample without replacement."""
    return (values[:SAMPLES] + 0.5) / len(values)


def _second(values: np.ndarray) -> np.ndarray:
    """Returns the column that has the second of several parameters."""
    second: np.ndarray = values[:, 1]
    return second


_SHAPE = {"shape": (250, 200)}
_BY_DEFAULT = (
    FunctionCase("normal", {**_SHAPE, "mean": 1.0, "stddev": 2.0}, "norm", (1.0, 2.0)),
    FunctionCase("uniform", {**_SHAPE, "minval": -1.0, "maxval": 3.0}, "uniform", (-1.0, 4.0)),
    FunctionCase("truncated_normal", {**_SHAPE, "mean": 1.0, "stddev": 2.0}, "truncnorm", (-2.0, 2.0, 1.0, 2.0)),
    FunctionCase("randint", {**_SHAPE, "minval": 3, "maxval": 11}, "randint", (3, 11)),
    FunctionCase("randint", {**_SHAPE, "minval": 0, "maxval": _WIDE}, "uniform", (0.0, float(_WIDE)), what="wide"),
    FunctionCase(
        "randint",
        {**_SHAPE, "minval": 0, "maxval": 2**30},
        "randint",
        (0, 256),
        lambda drawn: drawn.ravel() % 256,
        "low-bits",
    ),
    FunctionCase("gamma", {**_SHAPE, "alpha": 0.7}, "gamma", (0.7,)),
    FunctionCase("beta", {**_SHAPE, "alpha": 2.0, "beta": 3.0}, "beta", (2.0, 3.0)),
    FunctionCase("binomial", {**_SHAPE, "counts": 10.0, "probabilities": 0.3}, "binom", (10, 0.3)),
    FunctionCase(
        "categorical",
        {"logits": np.log(np.array([_CHANCES, _CHANCES[::-1]], np.float32)), "num_samples": SAMPLES},
        "multinomial",
        _CHANCES,
        lambda drawn: drawn[0],
    ),
    FunctionCase(
        "dropout",
        {"inputs": np.ones((250, 200), np.float32), "rate": 0.3},
        "bernoulli",
        (0.7,),
        lambda kept: kept.ravel() > 0,
    ),
    FunctionCase("shuffle", {"x": np.arange(2 * SAMPLES)}, "uniform", (0.0, 1.0), _places),
    # "The axis along which to shuffle", by default the first one: whole slices, here rows or columns of two values.
    FunctionCase(
        "shuffle",
        {"x": np.stack([np.arange(2 * SAMPLES), -np.arange(2 * SAMPLES)], axis=1)},
        "uniform",
        (0.0, 1.0),
        lambda values: _places(values[:, 0]),
        "rows",
    ),
    FunctionCase(
        "shuffle",
        {"x": np.stack([np.arange(2 * SAMPLES), -np.arange(2 * SAMPLES)]), "axis": 1},
        "uniform",
        (0.0, 1.0),
        lambda values: _places(values[0]),
        "columns",
    ),
    FunctionCase(
        "shuffle",
        {"x": np.stack([np.arange(2 * SAMPLES), -np.arange(2 * SAMPLES)]), "axis": -1},
        "uniform",
        (0.0, 1.0),
        lambda values: _places(values[0]),
        "last-axis",
    ),
    # "Float or an array of floats … Must be broadcastable with beta and shape."
    FunctionCase(
        "beta",
        {"shape": (SAMPLES, 2), "alpha": np.array([[50.0, 2.0]], np.float32), "beta": 3.0},
        "beta",
        (2.0, 3.0),
        _second,
        "arrays",
    ),
    FunctionCase(
        "binomial",
        {"shape": (SAMPLES, 2), "counts": np.array([50, 10], "f"), "probabilities": np.array([0.9, 0.3], "f")},
        "binom",
        (10, 0.3),
        _second,
        "arrays",
    ),
)
_OTHER_TYPES = {
    "float16": ("normal", "uniform", "truncated_normal", "gamma", "beta", "binomial"),
    "bfloat16": ("normal", "uniform", "truncated_normal", "gamma", "beta", "binomial"),
    "float64": ("normal", "gamma"),
    "int64": ("randint", "categorical"),
    "int32": ("categorical",),
    "int16": ("randint",),
    "uint8": ("randint",),
}
CASES = (
    *_BY_DEFAULT,
    *(
        replace(case, dtype=dtype)
        for dtype, functions in _OTHER_TYPES.items()
        for case in _BY_DEFAULT
        if case.function in functions and not case.what
    ),
)


def exact_problem(case: FunctionCase, values: np.ndarray, again: np.ndarray, other: np.ndarray) -> str:
    """Describes what is wrong with a draw, a second one of its seed and one of another seed; empty if nothing is."""
    if not np.array_equal(values, again):
        return "one seed gives two draws"
    if np.array_equal(values, other):
        return "two seeds give one draw"
    if case.dtype and values.dtype.name != case.dtype:
        return f"dtype {values.dtype.name}"
    if case.function == "shuffle":
        axis = case.arguments.get("axis", 0)
        given, shuffled = (np.moveaxis(one, axis, 0) for one in (case.arguments["x"], values))
        if not np.array_equal(np.sort(shuffled, axis=0), np.sort(given, axis=0)):
            return "the shuffled elements are not those given"
        first = shuffled if shuffled.ndim == 1 else shuffled[:, 0]
        if not np.array_equal(shuffled[np.argsort(first)], given):
            return "the slices along the axis are not moved as wholes"
        another = np.moveaxis(other, axis, 0)
        for end, name in ((0, "first"), (-1, "last")):  # by chance, one in 10¹⁰
            if np.array_equal(shuffled[end], given[end]) and np.array_equal(another[end], given[end]):
                return f"the {name} of {len(given)} elements stays in its place under two seeds"
    # One division or product rounded to float32, of a rounded 1/(1 − rate): 3 units of roundoff.
    if case.function == "dropout" and np.any(np.abs(values[values != 0] * 0.7 - 1) > 3 * 2.0**-24):
        return "kept elements are not multiplied by 1/(1 − rate)"
    return ""


def finding(case: FunctionCase, values: np.ndarray) -> Finding:
    """The more suspicious of the distance of a function's values from their law, and of their correlations."""
    unit = UNIT_OF[case.dtype] if case.dtype.endswith("float16") else 0.0
    scores = _uniform_scores(np.asarray(case.seen(values), np.float64), case.law, case.parameters, unit)
    return together([_distance("distance of distribution functions", scores), within(scores, unit_law("uniform"))])


def law_distance(name: str, values: Sample, law: str, parameters: tuple[float, ...], unit: float = 0.0) -> Finding:
    """The distance of the distribution functions; values of a discrete law are spread evenly over their steps.

    Args:
        name: Of what draws the values.
        values: A sample.
        law: Its law's name in ``scipy.stats``.
        parameters: Of that law.
        unit: The share of itself by which a value was rounded; then it is spread over the numbers that round to it.
    """
    return _distance(name, _uniform_scores(values, law, parameters, unit))


def _distance(name: str, scores: Sample) -> Finding:
    distance, p_value = shape_test(unit_law("uniform"))(scores)
    return Finding(name, distance, len(scores), p_value)


def _uniform_scores(values: Sample, law: str, parameters: tuple[float, ...], unit: float) -> Sample:
    """Where the values lie in their law, standardized: uniform where they follow it."""
    below, weight = _steps(law, parameters, values, unit)
    evenly = below + weight * np.random.RandomState(13).uniform(size=len(below))
    return np.asarray((2 * evenly - 1) * math.sqrt(3))


def _steps(name: str, parameters: tuple[float, ...], values: Sample, unit: float) -> tuple[Sample, Sample]:
    """The law's distribution function just below each value, and by how much it jumps there."""
    from scipy import stats

    if name == "multinomial":
        law = stats.rv_discrete(values=(range(len(parameters)), parameters))
    else:
        law = getattr(stats, name)(*parameters)
    if hasattr(law, "pmf"):
        distinct, index = np.unique(values, return_inverse=True)
        return law.cdf(distinct - 1)[index], law.pmf(distinct)[index]
    half = unit * 2.0 ** np.floor(np.log2(np.maximum(np.abs(values), np.finfo(float).tiny)))
    below, above = np.asarray(law.cdf(values - half)), np.asarray(law.cdf(values + half))
    return below, above - below


@check(
    "LAW21",
    "The functions of keras.random draw their documented laws, and an int seed repeats.",
    on=KERAS,
    subjects=[Subject(case.name, case) for case in CASES],
    detects="distribution functions 2 % apart; a correlation of 0.07 between elements any fixed distance apart",
    samples=lambda factor: SAMPLES,
    min_samples=needs,
)
def functions(lab: Lab, case: FunctionCase, alpha: float) -> Verdict:
    """Their distance from scipy's law, and their correlations; values of a discrete law are spread over their steps."""
    require_dtype(case.dtype)
    seed = lab.stream("laws", "functions", case.name)
    drawn = [lab.draws.function(case.function, case.given, one) for one in (seed, seed, seed // 2 + 1)]
    values, again, other = drawn
    if values is None or again is None or other is None:
        raise NotApplicable(f"the installed Keras has no keras.random.{case.function}")
    problem = exact_problem(case, values, again, other)
    if problem:
        return failed(f"keras.random.{case.name}: {problem}", "its documentation")
    worst = finding(case, values)
    measured = f"keras.random.{case.name}: {worst.group} {worst.value:.4f}"
    return judged(worst, alpha, measured, "independent draws of its law", effect=worst.value)
