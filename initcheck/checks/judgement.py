"""Turns the most suspicious finding into a verdict."""

from __future__ import annotations

from initcheck.records import Verdict, failed, passed
from initcheck.statistics.goodness import Finding


def judged(finding: Finding, alpha: float, measured: str, expected: str, *, effect: float | None = None) -> Verdict:
    """Returns a failure if the p-value is below its share of the error budget, else a pass."""
    facts = {"n": finding.n, "p_value": finding.p_value, "alpha": alpha, "effect": effect}
    if finding.p_value < alpha:
        return failed(measured, expected, **facts)
    return passed(measured, expected=expected, **facts)
