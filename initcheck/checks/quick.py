"""The cells of a quick run."""

from __future__ import annotations

from collections.abc import Sequence

from initcheck.checks.registry import Cell, Check

SHARE = 4  # one in so many of what a long check looks at
WHOLE = 12  # a check with no more cells is run whole


def in_quick_run(cells: Sequence[Cell], seed: int) -> list[bool]:
    """Whether each of those cells is part of a quick run: every check is, of long exact ones about a quarter.

    Statistical cells and a user's own objects always are. The others go in turn, by name, or together where they share
    evidence of their own; the root seed says who begins, so that four in a row take them all.

    Args:
        cells: All that would be run.
        seed: The root seed.
    """
    turns: dict[str, dict[str, int]] = {}
    return [_chosen(cell, turns.setdefault(cell.check.code, _turns(cell.check)), seed) for cell in cells]


def _turns(check: Check) -> dict[str, int]:
    keys = dict.fromkeys(subject.evidence or subject.name for subject in check.subjects)
    return {key: number for number, key in enumerate(keys)}


def _chosen(cell: Cell, turns: dict[str, int], seed: int) -> bool:
    check, subject = cell.check, cell.subject
    if check.statistical or subject.own or len(check.subjects) <= WHOLE:
        return True
    return (turns[subject.evidence or subject.name] + seed) % min(SHARE, len(turns)) == 0
