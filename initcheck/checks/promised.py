"""Judges what a row of documented values looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initcheck.checks.blame import from_outside
from initcheck.checks.registry import NotApplicable
from initcheck.checks.within_rounding import verdict
from initcheck.errors import FrameworkError
from initcheck.oracle.rounding import Rounded
from initcheck.records import Status, Verdict, failed, passed
from initcheck.targets import target
from initcheck.texts import reason_of

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab


def judge_promises(lab: Lab, row: Callable[[Any, Path], Iterator[tuple[str, Any, Any]]]) -> Verdict:
    """Fails with the first value that is not the documented one; where that has a bound, with the first beyond it.

    A row only asks the framework for what it offers, so that whatever is raised in one is the framework's failure, also
    where Python raises it in the row's own line: an argument that is gone, say.
    """
    if what := lab.promises.lacking(row):
        raise NotApplicable(f"{target()} has no {what}")
    try:
        seen = lab.promises.seen(row)
    except (FrameworkError, NotApplicable):
        raise
    except Exception as error:  # noqa: BLE001 - the framework's, of any class
        return Verdict(Status.FAIL, f"raised {reason_of(error, 300)}", "no exception", cause=from_outside(error))
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
