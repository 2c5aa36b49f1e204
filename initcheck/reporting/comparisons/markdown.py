"""The verdict of a comparison as Markdown, to be posted on a pull request."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from initcheck.baselines.comparing.comparison import ComparedCell, Comparison
from initcheck.reporting.comparisons.advice import advise
from initcheck.reporting.comparisons.cell_changes import changes, incomparable, title_of
from initcheck.reporting.comparisons.sentences import SECTIONS, describe
from initcheck.reporting.comparisons.words import CLASSES, MARKS
from initcheck.reporting.templating import markdown_templates
from initcheck.texts import for_markdown

LIMIT = 65_536  # characters of a comment on GitHub; the rooms below leave some for what is fixed
_ROOMS = {"changes": 9_000, "environments": 7_000, "first": 15_000, "rest": 12_000, "apart": 5_000}
_MOST_ROWS = 30  # of what is not folded away
_CELL = ("cell", "found", "since", "by", "note")


@dataclass(frozen=True)
class _Table:
    """Rows of a table as Markdown, and how many did not fit."""

    head: Sequence[str]
    lines: Sequence[Markup]
    hidden: int


def render_comment(comparison: Comparison) -> str:
    """The comment: the answer and the verdict, what changed, and the rest folded away."""
    advice = advise(comparison)
    cells = sorted(comparison.differing, key=lambda cell: -cell.found.rank)
    beyond = sorted(comparison.beyond(), key=lambda cell: -cell.found.rank)
    first = _table(_CELL, map(_row, beyond[:_MOST_ROWS]), "first")
    shown = beyond[: len(first.lines)]
    template = markdown_templates().get_template("comparison.md.j2")
    return template.render(
        mark=MARKS[comparison.verdict],
        answer=advice.answer,
        reason=advice.reason,
        title=title_of(comparison),
        sentences=describe(comparison),
        changes=_table(
            ("what", "concerns", "which", "the first of them"),
            ((f"{MARKS[one.found]} {one.what}", one.concerns, one.names, one.note) for one in changes(comparison)),
            "changes",
        ),
        beyond=len(beyond),
        first=first,
        environments=_table(
            ("what", "old", "new"), ((one.what, one.old, one.new) for one in comparison.differences), "environments"
        ),
        rest=_table(_CELL, (_row(cell) for cell in cells if cell not in shown), "rest"),
        apart=_table(("what", "why"), incomparable(comparison), "apart"),
        words={kind.value: meaning.format(delta=f"{comparison.delta:g}") for kind, meaning in CLASSES.items()},
        identical=len(comparison.cells) - len(cells),
    )


def _row(cell: ComparedCell) -> tuple[str, ...]:
    size = str(cell.size) if cell.size else ""
    found = f"{MARKS[cell.found]} {cell.found.value}"
    return (f"{SECTIONS[cell.section]}: {cell.name}", found, cell.stage or "", size, cell.note)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], room: str) -> _Table:
    lines = [f"| {' | '.join(map(for_markdown, row))} |" for row in rows]
    ends = itertools.accumulate(len(line) + 1 for line in lines)
    fitting = sum(end <= _ROOMS[room] for end in ends)
    return _Table(head, [Markup(line) for line in lines[:fitting]], len(lines) - fitting)
