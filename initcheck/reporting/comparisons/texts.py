"""What a page and a comment both say of a comparison."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from initcheck.baselines.comparing.comparison import Class, ComparedCell, Comparison, Step
from initcheck.baselines.records.schema import Baseline
from initcheck.reporting.comparisons.sentences import SECTIONS
from initcheck.reporting.comparisons.words import CONCERNS, STAGE_CONCERNS

_MOST_NAMES = 6
_MOST_NOTE = 240  # characters of what is said of one cell among many
_LONE = "only in the "


def title_of(old: Baseline, new: Baseline) -> str:
    """Which frameworks are compared: ``tensorflow 2.15.1 → 2.21.0, keras 3.15.1``."""
    parts = []
    for name in ("tensorflow", "keras"):
        mine, other = (one.environment.versions.get(name, "unknown") for one in (old, new))
        parts.append(f"{name} {mine}" if mine == other else f"{name} {mine} → {other}")
    return ", ".join(parts)


def is_apart(step: Step) -> bool:
    """Whether a stage was not compared, for the sake of an earlier one."""
    return step.note.startswith("not comparable")


@dataclass(frozen=True)
class Change:
    """Cells that differ in the same way.

    Attributes:
        found: Their class.
        what: Their section and stage.
        names: The first of them.
        note: What there is to say of the first.
        concerns: Whom it concerns.
    """

    found: Class
    what: str
    names: str
    note: str
    concerns: str


def changes(comparison: Comparison) -> Iterator[Change]:
    """What changed, or follows another stream, by section and stage, the worst first.

    What only one of the two has, and what could not be judged, is told elsewhere; equivalent accuracies are no change.
    """
    groups: dict[tuple[Class, str, str], list[ComparedCell]] = {}
    for cell in comparison.cells:
        moved = cell.found is Class.CHANGED or (cell.found is Class.SAME_DISTRIBUTION and cell.section != "accuracies")
        if moved and not cell.note.startswith(_LONE):
            groups.setdefault((cell.found, cell.section, cell.stage if cell.ladder else ""), []).append(cell)
    for (found, section, stage), cells in sorted(groups.items(), key=lambda item: -item[0][0].rank):
        number = f"{len(cells)} of {len(comparison.of(section))} {SECTIONS[section]}"
        concerns = STAGE_CONCERNS[stage] if stage else CONCERNS.get(section, "")
        size = f" ({cells[0].size})" if cells[0].size else ""
        note = textwrap.shorten(cells[0].note, _MOST_NOTE, placeholder=" …") + size
        what = f"{number}, since {stage}" if stage else number
        yield Change(found, what, _some([cell.name for cell in cells]), note, concerns)


def incomparable(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """What was not compared, and why."""
    for one in comparison.refused:
        yield "bits", f"{one}: equal bits are not promised there; values, laws and accuracies are judged all the same"
    told = []
    for cell in comparison.cells:
        what = SECTIONS[cell.section]
        if cell.note.startswith(_LONE):
            told.append((what, cell.note, cell.name))
        elif cell.found is Class.INCONCLUSIVE and not cell.ladder:
            told.append((what, cell.note or "too little was recorded", cell.name))
        told += [
            (f"stages of {what}", note.removeprefix("not comparable: "), cell.name)
            for note in {step.note: None for step in cell.ladder if is_apart(step)}
        ]
    told.sort(key=lambda one: one[:2])
    for (what, why), group in itertools.groupby(told, key=lambda one: one[:2]):
        yield f"{what}: {_some([name for *_, name in group])}", why


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
