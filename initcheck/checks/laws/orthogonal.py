"""Orthogonal draws: orthonormal columns, and uniform among all orthogonal matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.catalog.laws import Orthogonal
from initcheck.checks.judgement import judged
from initcheck.checks.laws.rows import orthogonal_rows
from initcheck.checks.registry import NotApplicable, Subject, check, require_law
from initcheck.records import Verdict, failed, passed
from initcheck.statistics.goodness import Finding, samples_for_shift, shape_test
from initcheck.targets import ANY, KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

import importlib

from initcheck.catalog.laws import ElementLaw, Shape
from initcheck.statistics.goodness import Sample, two_sided

# Shapes whose draws are judged for orthonormality: tall, wide, square, and kernels of convolutions.
SHAPES: tuple[Shape, ...] = (
    (1, 1),
    (1, 9),
    (9, 1),
    (64, 64),
    (150, 40),
    (40, 150),
    (3, 8, 20),
    (3, 3, 4, 60),
    (2, 3, 2, 2, 9),
)
# Small ones, of which many are drawn, for the law: tall, wide, of rank 3, and square.
HAAR_SHAPES: tuple[Shape, ...] = ((6, 5), (4, 6), (2, 3, 5), (5, 5))
# In the other dtypes half as many of one shape: a factorization that goes wrong there goes wrong at every shape.
HAAR_OTHERS: tuple[tuple[Shape, str], ...] = (((6, 5), "float64"), ((6, 5), "float16"))
# Signs twice and squares of each shape and dtype; the law of two entries.
HAAR_TESTS = 3 * (len(HAAR_SHAPES) + len(HAAR_OTHERS)) + 2


def haar_signs(shape: Shape) -> int:
    """Returns how many independent signs a matrix of that shape has: those of its first row and column."""
    return math.prod(shape[:-1]) + shape[-1] - 1


def as_matrix(kernel: np.ndarray) -> Sample:
    """The kernel as the matrix whose columns are orthonormal: flattened but for the last axis, transposed if wide."""
    matrix = kernel.astype(np.float64).reshape(-1, kernel.shape[-1])
    return matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T


def departure(kernel: np.ndarray, gain: float) -> tuple[float, float]:
    """The largest element of ``QᵀQ − g²I`` in units of g², and how large rounding may make it.

    Householder's triangularization gives columns orthonormal to a modest multiple of rows·u (Higham 2002, Accuracy and
    Stability of Numerical Algorithms, theorem 19.4 and the remark after it that the constant is pessimistic); each
    inner product has two rounded factors, each multiplied once more by the gain. So 2·rows·eps bounds it, of which
    correct frameworks need a twentieth.
    """
    ml_dtypes = importlib.import_module("ml_dtypes")  # comes with TensorFlow; NumPy's finfo does not know bfloat16
    matrix = as_matrix(kernel)
    gram = matrix.T @ matrix / gain**2
    eps = float(ml_dtypes.finfo(kernel.dtype).eps)
    off = float(np.max(np.abs(gram - np.eye(len(gram))))) if gram.size else 0.0
    return off, 2 * max(4, matrix.shape[0]) * eps


def haar_finding(samples: Sequence[Sequence[Sample]]) -> Finding:
    """Whether orthogonal matrices are uniform among all of their shape (Haar's law), from many of each shape.

    A column of length n is uniform on the sphere: an entry is positive half of the time, its square has the law
    Beta(½, (n−1)/2), whose mean is 1/n and whose variance is 2(n−1)/(n²(n+2)). As D₁QD₂ has Q's law for all diagonal
    matrices of signs, the signs of the first row and column of one matrix are independent, so that they can be pooled.

    Args:
        samples: For each shape, its matrices with orthonormal columns, divided by the gain.
    """
    from scipy.special import betainc

    findings: list[Finding] = []
    shares: list[Sample] = []
    for matrices in samples:
        stack = np.array(matrices)
        count, n, columns = stack.shape
        name = f"{n} × {columns}"
        signs = np.sign(stack)
        positive = signs.sum(axis=0) / math.sqrt(count)
        findings.append(_largest(f"sign of an entry of {name}", positive, count))
        free = np.concatenate([signs[:, 0, :], signs[:, 1:, 0]], axis=1)
        findings.append(_largest(f"signs of {name}", np.array([free.sum() / math.sqrt(free.size)]), free.size))
        squares = np.square(stack) * n
        sigma = math.sqrt(2 * (n - 1) / (n + 2))
        means = (squares.mean(axis=0) - 1) / sigma * math.sqrt(count)
        # A Beta variable is bounded by n times its mean, so the tails of the mean are lighter than the normal law's
        # beyond it, but skewed: z is shrunk by the first term of Cornish and Fisher's expansion.
        skewness = 2 * (n - 3 + 1) * math.sqrt(2 * (n + 2) / (n - 1)) / (n + 4) if n > 2 else 0.0
        shrunk = means - skewness / math.sqrt(count) * (np.square(means) - 1) / 6
        findings.append(_largest(f"square of an entry of {name}", shrunk, count))
        # The first and the last entry only: others of one matrix depend on them.
        for row, column in ((0, 0), (n - 1, columns - 1)):
            shares.append(2 * betainc(0.5, (n - 1) / 2, np.square(stack[:, row, column]).clip(0, 1)) - 1)
    for place, half in (("first", shares[0::2]), ("last", shares[1::2])):
        pooled = np.concatenate(half)
        distance, p_value = shape_test(ElementLaw("uniform", 0.0, 1.0))(pooled)
        findings.append(Finding(f"distribution of the {place} entry", distance, len(pooled), p_value))
    worst = min(findings, key=lambda one: one.p_value)
    return Finding(worst.group, worst.value, worst.n, min(1.0, worst.p_value * len(findings)))


def _largest(name: str, scores: Sample, n: int) -> Finding:
    where = np.unravel_index(int(np.argmax(np.abs(scores))), scores.shape)
    place = f" {tuple(int(index) for index in where)}" if scores.size > 1 else ""
    return Finding(name + place, float(scores[where]), n, min(1.0, two_sided(float(scores[where])) * scores.size))


@check(
    "LAW08",
    "Orthogonal draws have orthonormal columns, or rows where they are fewer, times the gain.",
    on=ANY,
    subjects=orthogonal_rows(),
    takes="initializer",
)
def orthonormality(lab: Lab, row: Initializer) -> Verdict:
    """‖QᵀQ − g²I‖ stays within the rounding of a QR factorization, for every rank and up to three dtypes."""
    require_law(row)
    if not isinstance(row.law, Orthogonal):
        raise NotApplicable(f"{row.name} is not orthogonal")
    largest = 0.0
    for dtype in filter(lab.draws.dtypes(row).__contains__, ("float32", "float64", "float16")):
        for shape in SHAPES:
            seed = lab.stream("laws", "orthonormality", row.name, dtype, *shape)
            values = lab.draws.draw(row, shape, seed=seed, dtype=dtype)
            if values.shape != shape or str(values.dtype) != dtype:
                return failed(f"{row.name}: {values.dtype} of shape {values.shape}", f"{dtype} of shape {shape}")
            off, bound = departure(values, row.law.gain)
            if not off <= bound:
                measured = f"{row.name} {shape}, {dtype}: |QᵀQ/g² − I| up to {off:.3g}"
                return failed(measured, "0", bound=f"at most {bound:.2g} from rounding")
            largest = max(largest, off / bound)
    return passed(f"{row.name}: |QᵀQ/g² − I| at most {largest:.2f} of the bound for rounding error")


_HAAR_DRAWS = 124  # of each shape, times the effort's factor; half as many in other dtypes


def _haar_needs(alpha: float) -> int:
    """Returns how many signs the shape with fewest needs; other dtypes have fewer, by a known factor."""
    fewest = min(map(haar_signs, HAAR_SHAPES))
    others = min(haar_signs(shape) for shape, _ in HAAR_OTHERS)
    return max(
        samples_for_shift(0.26, alpha, HAAR_TESTS),
        math.ceil(samples_for_shift(0.36, alpha, HAAR_TESTS) * 2 * fewest / others),
    )


@check(
    "LAW09",
    "Orthogonal draws are uniform among all orthogonal matrices (Haar's law).",
    on=ANY,
    subjects=orthogonal_rows()[:1],  # the gain multiplies the same draw, and LAW08 judges it
    takes="initializer",
    detects="signs of the first row and column that are positive 63 % of the time in matrices of one shape, 68 % in "
    "double and half precision",
    # The first row and column have rows + columns − 1 signs.
    samples=lambda factor: math.ceil(_HAAR_DRAWS * factor) * min(map(haar_signs, HAAR_SHAPES)),
    min_samples=_haar_needs,
)
def haar(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """Signs, squares and the Beta law of entries over small matrices; a missing sign correction shows only here."""
    require_law(row)
    if not isinstance(row.law, Orthogonal):
        raise NotApplicable(f"{row.name} is not orthogonal")
    requests = [(shape, "float32", _HAAR_DRAWS) for shape in HAAR_SHAPES]
    drawn_in = lab.draws.dtypes(row)
    requests += [(shape, dtype, _HAAR_DRAWS // 2) for shape, dtype in HAAR_OTHERS if dtype in drawn_in]
    drawn = []
    for shape, dtype, count in requests:
        seeds = (lab.stream("laws", "haar", row.name, dtype, *shape, k) for k in range(math.ceil(count * lab.factor)))
        kernels = [lab.draws.draw(row, shape, seed=seed, dtype=dtype) for seed in seeds]
        drawn.append([as_matrix(kernel) / row.law.gain for kernel in kernels])
    finding = haar_finding(drawn)
    return judged(finding, alpha, f"{row.name}: {finding.group} scores {finding.value:.3g}", "Haar's law")


@check(
    "LAW11",
    "Orthogonal draws exist in half precision, floating-point dtypes like any other.",
    on=KERAS,
    subjects=[Subject(dtype, dtype) for dtype in ("bfloat16", "float16")],
)
def orthogonal_in_half_precision(lab: Lab, dtype: str) -> Verdict:
    """The documentation admits "only floating point types" without excluding one."""
    values = lab.draws.draw(INITIALIZERS["orthogonal"], (16, 12), seed=lab.stream("laws", dtype), dtype=dtype)
    off, bound = departure(values, 1.0)
    if not off <= bound:
        return failed(f"{dtype}: |QᵀQ − I| up to {off:.3g}", "0", bound=f"at most {bound:.2g} from rounding")
    return passed(f"{dtype}: orthonormal to {off:.2g}")
