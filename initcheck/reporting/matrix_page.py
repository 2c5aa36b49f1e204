"""The matrix as files: a page, the same in Markdown, and JSON with all verdicts."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from initcheck.matrix.law_tables import (
    DRAWS,
    FURTHER,
    LAWS,
    LAYERS,
    SEEDS,
    CellState,
    Matrix,
    MatrixEntry,
    MatrixLine,
    Refutation,
)
from initcheck.matrix.target_records import JudgedCell, TargetRecord
from initcheck.records import Status
from initcheck.reporting.format import format_count
from initcheck.reporting.templating import markdown_templates, templates
from initcheck.statistics.budget import FALSE_ALARM_RATE, POWER
from initcheck.texts import for_markdown

FILES = ("matrix.html", "matrix.md", "matrix.json")
TITLES = {
    LAWS: "Laws",
    FURTHER: "Laws under other names, or with other arguments",
    LAYERS: "Default weights of layers",
    DRAWS: "Other promises of draws",
    SEEDS: "Seeds",
}
MARKS = {
    CellState.REFUTED: "✗",
    CellState.INCONCLUSIVE: "?",
    CellState.OTHER_LAW: "≠",
    CellState.HOLDS: "✓",
    CellState.NOT_JUDGED: "·",
    CellState.NOT_OFFERED: "–",
}
MEANINGS = {
    CellState.REFUTED: "the documentation of the target promises it, and a check refutes it; known where a known issue "
    "of that release says so, with its reason",
    CellState.INCONCLUSIVE: "too few samples, or initcheck itself failed",
    CellState.OTHER_LAW: "the target documents another law under that name, and keeps it",
    CellState.HOLDS: "every check of it passes",
    CellState.NOT_JUDGED: "there is nothing to judge, or initcheck does not ask the target for it with these arguments",
    CellState.NOT_OFFERED: "the target has nothing of that name",
}
_MOST_SIZES = 2  # of one cell that are shown in the table
_MOST_WORDS = 80  # characters of an actual value there


@dataclass(frozen=True)
class ShownEntry:
    """A cell as it is shown.

    Attributes:
        entry: The cell.
        key: Names its evidence on the page.
        word: Its state, with whether it is known.
        sizes: Which checks refute it, by how much and with how many samples.
        notes: What else is to be said: another law, other names.
        commands: What judges it again.
    """

    entry: MatrixEntry
    key: str
    word: str
    sizes: tuple[str, ...]
    notes: tuple[str, ...]
    commands: tuple[str, ...]

    @property
    def mark(self) -> str:
        """A sign for its state."""
        return MARKS[self.entry.state]

    @property
    def asked(self) -> bool:
        """Whether the target was asked for it, or is known not to offer it."""
        return bool(self.entry.cells) or self.entry.state is not CellState.NOT_JUDGED

    @property
    def kind(self) -> str:
        """The class of its state in the page's style."""
        return "known" if self.entry.known else self.entry.state.value.replace(" ", "-")

    @property
    def text(self) -> str:
        """All of it on one line; a sign alone where nothing was asked for."""
        if not self.asked:
            return self.mark
        return "; ".join([f"{self.mark} {self.word}", *self.sizes, *self.notes])


@dataclass(frozen=True)
class ShownLine:
    """A row of a table as it is shown."""

    line: MatrixLine
    entries: tuple[ShownEntry, ...]


def matrix_files(matrix: Matrix) -> dict[str, Iterable[str]]:
    """The text of each of ``FILES``."""
    return dict(zip(FILES, ([render_matrix(matrix)], [render_markdown(matrix)], [matrix_json(matrix)]), strict=True))


def summary(matrix: Matrix) -> list[str]:
    """The counts in a sentence, then one for each promise that is refuted and not known, or known and not refuted."""
    states = []
    known = sum(
        entry.known and entry.state is CellState.REFUTED
        for lines in matrix.tables.values()
        for line in lines
        for entry in line.entries
    )
    for state, count in matrix.counts().items():
        if not count:
            continue
        among = f" ({known} of them known)" if state is CellState.REFUTED else ""
        states.append(f"{count} {state.value}{among}")
    total = sum(matrix.counts().values())
    verdicts = sum(len(record.cells) for record in matrix.records.values())
    counted = (
        format_count(len(matrix.records), "target"),
        format_count(verdicts, "verdict"),
        format_count(total, "cell"),
    )
    first = f"{', '.join(counted)}: {', '.join(states)}"
    return [first, *(f"REFUTED {_describe(one)}" for one in matrix.refutations if not one.known), *_outdated(matrix)]


def _outdated(matrix: Matrix) -> list[str]:
    return [
        f"NO LONGER FAILS {record.target} {cell.check} on {cell.subject}, a known issue: {cell.issue}"
        for record in matrix.records.values()
        for cell in record.cells
        if cell.outdated
    ]


def render_matrix(matrix: Matrix) -> str:
    """A self-contained page that needs no network and no JavaScript."""
    return templates().get_template("matrix.html.j2").render(**_context(matrix), checks=_checks(matrix))


def render_markdown(matrix: Matrix) -> str:
    """The tables and what is refuted, without the evidence of each cell."""
    context = _context(matrix)
    tables = [(TITLES[key], _table(matrix, key)) for key in matrix.tables]
    return markdown_templates().get_template("matrix.md.j2").render(**{**context, "tables": tables})


def matrix_json(matrix: Matrix) -> str:
    """Everything: the tables, and all verdicts on every target."""
    body = {
        "seed": matrix.seed,
        "targets": matrix.targets,
        "not_judged": dict(matrix.reasons),
        "counts": {
            target: {state.value: count for state, count in matrix.counts(target).items()} for target in matrix.records
        },
        "tables": {
            key: [
                {
                    "name": shown.line.name,
                    "documented": shown.line.documented,
                    "cells": {one.entry.target: _entry_body(one) for one in shown.entries},
                }
                for shown in _shown(matrix, key)
            ]
            for key in matrix.tables
        },
        "records": {target: record.model_dump(mode="json") for target, record in matrix.records.items()},
    }
    return json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _entry_body(shown: ShownEntry) -> dict[str, object]:
    entry = shown.entry
    return {
        "state": entry.state.value,
        "known": entry.known,
        "other_law": entry.law,
        "names": entry.names,
        "refuted_by": [[cell.check, cell.subject] for cell in entry.bad],
        "commands": shown.commands,
    }


def _context(matrix: Matrix) -> dict[str, object]:
    return {
        "columns": matrix.targets,
        "headline": summary(matrix)[0],
        "counts": {target: matrix.counts(target) for target in matrix.records},
        "marks": MARKS,
        "refutations": [_row_of(matrix, one) for one in matrix.refutations],
        "tables": [(key, TITLES[key], _shown(matrix, key)) for key in matrix.tables],
        "outdated": _outdated(matrix),
        "reasons": matrix.reasons,
        "records": matrix.records,
        "installs": {target: _install(record) for target, record in matrix.records.items()},
        "meanings": {f"{MARKS[state]} {state.value}": meaning for state, meaning in MEANINGS.items()},
        "seed": matrix.seed,
        "power": f"{100 * POWER:g} %",
        "false_alarms": f"{FALSE_ALARM_RATE:g}",
    }


def _shown(matrix: Matrix, key: str) -> list[ShownLine]:
    """The rows of a table with all columns: a target without a record has nothing in its own."""
    shown = []
    for row, line in enumerate(matrix.tables[key]):
        found = {entry.target: entry for entry in line.entries}
        entries = [found.get(target, MatrixEntry(target, CellState.NOT_JUDGED)) for target in matrix.targets]
        shown.append(ShownLine(line, tuple(_show(matrix, one, f"{key}-{row}-{at}") for at, one in enumerate(entries))))
    return shown


def _show(matrix: Matrix, entry: MatrixEntry, key: str) -> ShownEntry:
    word = entry.state.value + (" (known)" if entry.known else "")
    notes = [
        *([f"documented: {entry.law}"] if entry.law else []),
        *([f"as {', '.join(entry.names)}"] if entry.names else []),
    ]
    record = matrix.records.get(entry.target)
    commands = tuple(_commands(record, entry.cells)) if record else ()
    return ShownEntry(entry, key, word, tuple(_sizes(entry)), tuple(notes), commands)


def _sizes(entry: MatrixEntry) -> Iterator[str]:
    """Each check that fails, with the greatest effect, and on how many subjects where there are several."""
    groups: dict[str, list[JudgedCell]] = {}
    for cell in entry.bad:
        groups.setdefault(cell.check, []).append(cell)
    for code, cells in list(groups.items())[:_MOST_SIZES]:
        judged = [one for one in entry.cells if one.check == code and one.status is not Status.NOT_APPLICABLE]
        worst = max(cells, key=lambda cell: abs(cell.effect or 0))
        some = f": {', '.join(cell.subject for cell in cells)}" if len(cells) <= _MOST_SIZES else ""
        facts = [
            _shortened(worst) if worst.effect is None else f"effect {worst.effect:.3g}",
            *([f"n = {worst.n:,}"] if worst.n is not None else []),
            *([f"{len(cells)} of {len(judged)}{some}"] if len(judged) > 1 else []),
        ]
        yield f"{code}: {', '.join(facts)}"
    if len(groups) > _MOST_SIZES:
        yield f"and {len(groups) - _MOST_SIZES} more"


def _shortened(cell: JudgedCell) -> str:
    """The actual value, without the subject's name, beside which it stands."""
    words = cell.measured.removeprefix(cell.subject).lstrip(" ,:")
    return words if len(words) <= _MOST_WORDS else f"{words[:_MOST_WORDS]}…"


def _commands(record: TargetRecord, cells: Sequence[JudgedCell]) -> Iterator[str]:
    """The commands that judge these cells again."""
    subjects: dict[str, list[str]] = {}
    for cell in cells:
        if cell.status is not Status.NOT_APPLICABLE:
            subjects.setdefault(cell.subject, []).append(cell.check)
    codes = {code for found in subjects.values() for code in found}
    ending = ["--target", record.target, "--seed", str(record.seed)]
    if len(codes) == 1 and len(subjects) > 1:
        yield shlex.join(["initcheck", "check", *codes, *ending])
        return
    for subject, found in subjects.items():
        yield shlex.join(["initcheck", "check", *found, "--subject", subject, *ending])


def _install(record: TargetRecord) -> str:
    """A command for an environment in which the verdicts are the same."""
    versions = [f"{name}=={record.settings[name].split(' ')[0]}" for name in record.packages if name in record.settings]
    return shlex.join(["pip", "install", "initcheck", *versions])


def _checks(matrix: Matrix) -> dict[str, object]:
    return {code: check for record in matrix.records.values() for code, check in record.checks.items()}


def _describe(one: Refutation) -> str:
    first = one.cells[0]
    others = f" and {len(one.cells) - 1} more" if len(one.cells) > 1 else ""
    return f"{one.target} {one.check} on {first.subject}{others}: {first.measured}"


def _row_of(matrix: Matrix, one: Refutation) -> Mapping[str, object]:
    record, first = matrix.records[one.target], one.cells[0]
    return {
        "target": one.target,
        "check": one.check,
        "facts": record.checks[one.check],
        "subjects": [cell.subject for cell in one.cells],
        "first": first,
        "state": CellState.REFUTED if any(cell.status is Status.FAIL for cell in one.cells) else CellState.INCONCLUSIVE,
        "command": next(_commands(record, one.cells)),
    }


def _table(matrix: Matrix, key: str) -> list[Markup]:
    heads = [f"{one} (not judged)" if one in matrix.reasons else one for one in matrix.targets]
    rows = [["", "documented", *heads], ["---"] * (2 + len(heads))]
    rows += [
        [shown.line.name, shown.line.documented, *(one.text for one in shown.entries)] for shown in _shown(matrix, key)
    ]
    return [Markup(f"| {' | '.join(cell if cell == '---' else for_markdown(cell) for cell in row)} |") for row in rows]
