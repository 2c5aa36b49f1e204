"""What makes a random matrix orthogonal, and uniform among all orthogonal ones."""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence

import numpy as np

from initcheck.catalog.laws import ElementLaw, Shape
from initcheck.checks.goodness import Finding, Sample, shape_test, two_sided

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
    """How many independent signs a matrix of that shape has: those of its first row and column."""
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


def haar(samples: Sequence[Sequence[Sample]]) -> Finding:
    """Whether orthogonal matrices are uniform among all of their shape (Haar's law), from many of each shape.

    A column of length n is uniform on the sphere: an entry is positive half of the time, its square has the law
    Beta(½, (n−1)/2), whose mean is 1/n and whose variance is 2(n−1)/(n²(n+2)). As D₁QD₂ has Q's law for all diagonal
    matrices of signs, the signs of the first row and column of one matrix are independent, so that they can be pooled.

    Args:
        samples: For each shape, its matrices with orthonormal columns, divided by the gain.
    """
    from scipy.special import betainc

    found: list[Finding] = []
    shares: list[Sample] = []
    for matrices in samples:
        stack = np.array(matrices)
        count, n, columns = stack.shape
        name = f"{n} × {columns}"
        signs = np.sign(stack)
        positive = signs.sum(axis=0) / math.sqrt(count)
        found.append(_largest(f"sign of an entry of {name}", positive, count))
        free = np.concatenate([signs[:, 0, :], signs[:, 1:, 0]], axis=1)
        found.append(_largest(f"signs of {name}", np.array([free.sum() / math.sqrt(free.size)]), free.size))
        squares = np.square(stack) * n
        sigma = math.sqrt(2 * (n - 1) / (n + 2))
        means = (squares.mean(axis=0) - 1) / sigma * math.sqrt(count)
        # A Beta variable is bounded by n times its mean, so the tails of the mean are lighter than the normal law's
        # beyond it, but skewed: z is shrunk by the first term of Cornish and Fisher's expansion.
        skewness = 2 * (n - 3 + 1) * math.sqrt(2 * (n + 2) / (n - 1)) / (n + 4) if n > 2 else 0.0
        shrunk = means - skewness / math.sqrt(count) * (np.square(means) - 1) / 6
        found.append(_largest(f"square of an entry of {name}", shrunk, count))
        # The first and the last entry only: others of one matrix depend on them.
        for row, column in ((0, 0), (n - 1, columns - 1)):
            shares.append(2 * betainc(0.5, (n - 1) / 2, np.square(stack[:, row, column]).clip(0, 1)) - 1)
    for place, half in (("first", shares[0::2]), ("last", shares[1::2])):
        pooled = np.concatenate(half)
        distance, p_value = shape_test(ElementLaw("uniform", 0.0, 1.0))(pooled)
        found.append(Finding(f"distribution of the {place} entry", distance, len(pooled), p_value))
    worst = min(found, key=lambda one: one.p_value)
    return Finding(worst.group, worst.value, worst.n, min(1.0, worst.p_value * len(found)))


def _largest(name: str, scores: Sample, n: int) -> Finding:
    where = np.unravel_index(int(np.argmax(np.abs(scores))), scores.shape)
    place = f" {tuple(int(index) for index in where)}" if scores.size > 1 else ""
    return Finding(name + place, float(scores[where]), n, min(1.0, two_sided(float(scores[where])) * scores.size))
