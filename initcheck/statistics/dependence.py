"""Tests of independence of elements: correlations at every lag, along rows, columns and streams.

Samples are standardized. Elements and their magnitudes are both tested, since a copy with random signs is uncorrelated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from initcheck.catalog.laws import ElementLaw
from initcheck.statistics.goodness import Finding, Sample, cdf, two_sided

Scores = npt.NDArray[np.float64]


def within(sample: Sample, law: ElementLaw | None) -> Finding:
    """The largest correlation of a sample with itself shifted, over all shifts up to half its length.

    Without a law the elements have two values, whose magnitudes carry no information, and only they are tested.

    r_k·√(n−k) is standard normal in the limit. The products of normal elements have a kurtosis of 9, so with the n/2
    terms of the largest shift the tail is heavier by exp(6·z⁴/(24·n/2)) at the score z (Edgeworth's first term): by a
    third for n = 4,096 and z = 6.5, by a hundredth for n = 10⁵.
    """
    lags = len(sample) // 2
    findings = []
    for name, values in _views(sample, law):
        scores = _shifted_products(values, values)[1 : lags + 1]
        findings.append(_worst(f"{name}, lag", scores, 1))
    return _of(findings, len(sample))


def between(pairs: Sequence[tuple[Sample, Sample]], law: ElementLaw | None) -> Finding:
    """The largest correlation between the two samples of a pair, at every shift up to half their length either way.

    Tested for each pair by itself, and for each shift over all pairs together. All samples have one length.
    """
    n = len(pairs[0][0])
    findings = []
    for index, name in enumerate(("elements", "magnitudes") if law else ("elements",)):
        scores = []
        for x, y in pairs:
            first, second = _views(x, law)[index][1], _views(y, law)[index][1]
            ahead = _shifted_products(first, second)[: n // 2]
            behind = _shifted_products(second, first)[1 : n // 2]
            scores.append(np.concatenate([behind[::-1], ahead]))
        table = np.array(scores)
        start = 1 - n // 2
        findings.append(_worst(f"{name} of one pair, shift", table, start))
        findings.append(_worst(f"{name} of all pairs, shift", table.sum(axis=0) / math.sqrt(len(pairs)), start))
    return _of(findings, n * len(pairs))


def rows(matrix: Sample, law: ElementLaw) -> Finding:
    """Whether the sums and the norms of the rows and columns of a matrix scatter as those of independent elements.

    The sum of squares of r standardized row sums is χ² with r degrees of freedom but for the kurtosis of a sum of c
    elements, for which a gamma law with the variance r·(2 + excess/c) allows; likewise for the norms.
    """
    from scipy.special import gammainc, gammaincc

    fourth, excess_of_squares = law.kurtosis, _excess_of_squares(law)
    findings = []
    for name, lines in (("rows", matrix), ("columns", matrix.T)):
        count, length = lines.shape
        sums = np.square(lines.sum(axis=1)) / length
        norms = np.square(np.square(lines).sum(axis=1) - length) / (length * (fourth - 1))
        for what, terms, excess in (("sums", sums, fourth - 3), ("norms", norms, excess_of_squares)):
            variance = 2 + excess / length
            total = float(terms.sum()) / variance
            tail = min(gammainc(count / variance, total), gammaincc(count / variance, total))
            findings.append(Finding(f"{what} of {name}", float(terms.mean()), count, min(1.0, 2 * float(tail))))
    return _of(findings, matrix.size)


def _views(sample: Sample, law: ElementLaw | None) -> list[tuple[str, Sample]]:
    """The elements, and their magnitudes as uniform variables, whose products have light tails."""
    if law is None:
        return [("elements", sample)]
    outward = 2 * cdf(law, np.abs(sample)) - 1
    return [("elements", sample), ("magnitudes", (2 * outward - 1) * math.sqrt(3))]


def _shifted_products(x: Sample, y: Sample) -> Scores:
    """Σ x[i]·y[i+k] / √(n−k) for k = 0 … n−1, by the fast Fourier transform."""
    from scipy import fft

    n = len(x)
    size = fft.next_fast_len(2 * n, real=True)
    products = fft.irfft(np.conj(fft.rfft(x, size)) * fft.rfft(y, size), size)[:n]
    return np.asarray(products / np.sqrt(n - np.arange(n)))


def _worst(name: str, scores: Scores, first: int) -> Finding:
    where = int(np.argmax(np.abs(scores)))
    shift = first + where % scores.shape[-1]
    p_value = min(1.0, two_sided(float(scores.flat[where])) * scores.size)
    return Finding(f"{name} {shift}", float(scores.flat[where]), scores.size, p_value)


def _of(findings: list[Finding], n: int) -> Finding:
    worst = min(findings, key=lambda one: one.p_value)
    return Finding(worst.group, worst.value, n, min(1.0, worst.p_value * len(findings)))


def _excess_of_squares(law: ElementLaw) -> float:
    """Excess kurtosis of the square of a standardized element, by Simpson's rule over the quantiles' range."""
    from scipy.integrate import simpson

    reach = 9.0 if law.family == "normal" else law.support[1]
    x = np.linspace(-reach, reach, 20001)
    density = np.ones_like(x) if law.family == "uniform" else np.exp(-np.square(x / law.spread) / 2)
    density /= simpson(density, x=x)
    square = np.square(x) - 1
    return float(simpson(density * square**4, x=x) / simpson(density * square**2, x=x) ** 2 - 3)
