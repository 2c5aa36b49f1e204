"""From the most suspicious finding to a verdict."""

from __future__ import annotations

from initcheck.records import Verdict, failed, passed
from initcheck.statistics.goodness import Finding


def judged(found: Finding, alpha: float, said: str, expected: str, *, effect: float | None = None) -> Verdict:
    """A failure where the p-value is below its share of the error budget."""
    facts = {"n": found.n, "p_value": found.p_value, "alpha": alpha, "effect": effect}
    if found.p_value < alpha:
        return failed(said, expected, **facts)
    return passed(said, expected=expected, **facts)
