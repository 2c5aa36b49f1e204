"""Judges the target of this process by the checks of draws: laws and seeds."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.checks.registry import Cell, cells, run_check
from initcheck.errors import FrameworkError
from initcheck.evidence.lab import Lab, get_lab
from initcheck.frameworks.backends import load_target
from initcheck.frameworks.environment import packages_of, settings
from initcheck.frameworks.libraries.chosen import library
from initcheck.frameworks.libraries.library import LibraryLayer
from initcheck.matrix.kept_verdicts import judged_or_found, kept_verdicts
from initcheck.matrix.target_records import CheckFacts, JudgedCell, OfferedRow, SubjectKind, TargetRecord, law_key
from initcheck.records import Status
from initcheck.targets import TENSORFLOW, is_judged, target
from initcheck.texts import reason_of

FAMILIES = ("laws", "seeds")


def chosen_cells() -> list[Cell]:
    """The cells of laws and seeds that this target shares with others."""
    found = cells(FAMILIES)
    return [cell for cell in found if cell.check.on != TENSORFLOW and is_judged(target(), cell.check.on)]


def judge_target(seed: int, advance: Callable[[str, int], None], store: Path | None = None) -> TargetRecord:
    """All verdicts on the target of this process.

    Args:
        seed: The root seed.
        advance: Called with the name of a cell that was judged, or of a check whose verdicts the store has, and the
            number of cells.
        store: Keeps the verdicts of each check as soon as they are there.

    Raises:
        FrameworkError: The target cannot be loaded.
        InitcheckError: The store cannot be used.
    """
    started = time.monotonic()
    load_target()
    lab, chosen = get_lab(seed), chosen_cells()
    of_check: dict[str, list[Cell]] = {}
    for cell in chosen:
        of_check.setdefault(cell.check.code, []).append(cell)

    def judge(code: str) -> list[JudgedCell]:
        judged = []
        for cell in of_check[code]:
            judged.append(_judge(cell, lab))
            advance(cell.name, 1)
        return judged

    kept = None if store is None else kept_verdicts(store, seed)
    judged = []
    for code, cells_of_it, found in judged_or_found(kept, of_check, judge):
        judged += cells_of_it
        if found:
            advance(code, len(cells_of_it))
    places = {(cell.check.code, cell.subject.name): place for place, cell in enumerate(chosen)}
    return TargetRecord(
        target=target(),
        settings=settings(),
        packages=packages_of(target()),
        seed=seed,
        seconds=time.monotonic() - started,
        rows=tuple(_offered(chosen)),
        checks={
            code: CheckFacts(title=one.title, family=one.family, url=one.url, detects=one.detects)
            for code, one in {cell.check.code: cell.check for cell in chosen}.items()
        },
        cells=tuple(sorted(judged, key=lambda cell: places[cell.check, cell.subject])),
    )


def _judge(cell: Cell, lab: Lab) -> JudgedCell:
    issue = cell.known_issue
    facts: dict[str, Any] = {
        "check": cell.check.code,
        "subject": cell.subject.name,
        "kind": _kind(cell.subject.value),
        "issue": issue.reason if issue else "",
        "link": issue.link if issue else "",
    }
    try:
        verdict = run_check(cell, lab)
    except FrameworkError:  # there is nothing to judge
        raise
    except Exception as error:  # noqa: BLE001 - the others can be judged all the same
        return JudgedCell(**facts, status=None, measured=f"{reason_of(error)}, raised in initcheck itself")
    if issue and issue.sometimes and verdict.status is Status.PASS:
        facts |= {"issue": "", "link": ""}  # this time it did not show
    return JudgedCell(
        **facts,
        n=None if verdict.n is None else int(verdict.n),  # of NumPy, perhaps
        p_value=verdict.p_value,
        alpha=verdict.alpha,
        effect=verdict.effect,
        status=verdict.status,
        measured=verdict.measured,
        expected=verdict.expected,
        bound=verdict.bound,
    )


def _kind(value: object) -> SubjectKind:
    if isinstance(value, Initializer):
        return SubjectKind.INITIALIZER
    return SubjectKind.LAYER if isinstance(value, LibraryLayer) else SubjectKind.OTHER


def _offered(chosen: list[Cell]) -> list[OfferedRow]:
    """The initializers that were judged."""
    described = library()
    rows = {cell.subject.name: cell.subject.value for cell in chosen if isinstance(cell.subject.value, Initializer)}
    like = {name: name for name in INITIALIZERS} if described is None else described.like
    return [
        OfferedRow(name=name, law=str(row.law), law_key=law_key(row.law), source=row.source, like=like.get(name, ""))
        for name, row in rows.items()
    ]
