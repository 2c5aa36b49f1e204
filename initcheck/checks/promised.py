"""Judges what a row of documented values looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initcheck.checks.registry import NotApplicable
from initcheck.checks.within_rounding import verdict
from initcheck.oracle.rounding import Rounded
from initcheck.records import Status, Verdict, failed, passed

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab


def judge_promises(lab: Lab, row: Callable[[Any, Path], Iterator[tuple[str, Any, Any]]]) -> Verdict:
    """Fails with the first value that is not the documented one; where that has a bound, with the first beyond it."""
    seen = lab.promises.seen(row)
    if not seen:
        raise NotApplicable("the installed Keras does not offer this")
    for words, expected, actual in seen:
        if isinstance(expected, Rounded):
            judged = verdict([(words, actual, expected)])
            if judged.status is Status.FAIL:
                return judged
        elif actual != expected:
            return failed(f"{words}: {actual}", f"{expected}")
    return passed(f"{len(seen)} values as documented")
