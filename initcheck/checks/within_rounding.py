"""Compares values with those of the oracle, within rounding error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from initcheck.oracle.rounding import Rounded, allowed, excess
from initcheck.records import Verdict, failed, passed

_BOUND = "bound: the formula's rounding errors, added up"


def verdict(labelled: Iterable[tuple[str, Any, Rounded]]) -> Verdict:
    """Compares labelled values with those of the oracle, within rounding error."""
    compared = list(labelled)
    worst, (label, measured, expected) = max(
        ((excess(measured, expected), (label, measured, expected)) for label, measured, expected in compared),
        key=lambda one: one[0],
    )
    if worst <= 1:
        return passed(f"{len(compared)} arrays within {worst:.2f} of the bound for rounding error", bound=_BOUND)
    measured = np.asarray(measured, dtype=np.float64)
    if measured.shape != expected.shape:
        return failed(f"{label} has shape {measured.shape}", f"shape {expected.shape}")
    most = allowed(expected)
    ratio = np.nan_to_num(np.abs(measured - expected.value) / most, nan=np.inf, posinf=np.inf)
    at = np.unravel_index(int(ratio.argmax()), measured.shape)
    return failed(
        f"{label}{list(map(int, at)) if at else ''} is {measured[at]:.9g}",
        f"{expected.value[at]:.9g} ± {most[at]:.1g}",
        bound=_BOUND,
        effect=float(worst),
    )
