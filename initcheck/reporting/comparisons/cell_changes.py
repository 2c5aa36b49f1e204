"""The changes and gaps of a comparison, for a page and a comment."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from initcheck.baselines.comparing.classes import Class
from initcheck.baselines.comparing.comparison import AnyStage, ComparedCell, Comparison, Section
from initcheck.reporting.comparisons.sentences import SECTIONS
from initcheck.reporting.comparisons.words import CONCERNS, STAGE_CONCERNS
from initcheck.targets import frameworks_of

_MOST_NAMES = 6
_MOST_NOTE = 240  # characters of the note of one cell among many


def title_of(comparison: Comparison) -> str:
    """The compared frameworks: ``tensorflow 2.15.1 → 2.21.0, keras 3.15.1``; ``tensorflow 2.21.0 → torch 2.13.0``."""
    parts = []
    sides = comparison.old.environment, comparison.new.environment
    for one, two in zip(*(frameworks_of(side.target) for side in sides), strict=True):
        mine, other = (side.versions.get(name, "unknown") for side, name in zip(sides, (one, two), strict=True))
        change = other if one == two else f"{two} {other}"
        parts.append(f"{one} {mine}" if (one, mine) == (two, other) else f"{one} {mine} → {change}")
    return ", ".join(parts)


@dataclass(frozen=True)
class Change:
    """Cells that differ in the same way.

    Attributes:
        found: Their class.
        what: Their section and stage.
        names: The first of them.
        note: The note of the first.
        concerns: Whom it concerns.
    """

    found: Class
    what: str
    names: str
    note: str
    concerns: str


def changes(comparison: Comparison) -> Iterator[Change]:
    """Yields what changed, or follows another stream, by section and stage, the worst first.

    What only one of the two has, and what could not be judged, is listed elsewhere; equivalent accuracies are no
    change.
    """
    groups: dict[tuple[Class, Section, AnyStage | None], list[ComparedCell]] = {}
    for cell in comparison.cells:
        equivalent = cell.found is Class.SAME_DISTRIBUTION and cell.section is Section.ACCURACIES
        if cell.found in (Class.CHANGED, Class.SAME_DISTRIBUTION) and not equivalent and not cell.only_in:
            groups.setdefault((cell.found, cell.section, cell.stage if cell.ladder else None), []).append(cell)
    for (found, section, stage), cells in sorted(groups.items(), key=lambda item: -item[0][0].rank):
        number = f"{len(cells)} of {len(comparison.of(section))} {SECTIONS[section]}"
        concerns = STAGE_CONCERNS[stage] if stage else CONCERNS.get(section, "")
        size = f" ({cells[0].size})" if cells[0].size else ""
        note = textwrap.shorten(cells[0].note, _MOST_NOTE, placeholder=" …") + size
        what = f"{number}, since {stage}" if stage else number
        yield Change(found, what, _some([cell.name for cell in cells]), note, concerns)


def incomparable(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yields what was not compared, and why."""
    for one in comparison.refused:
        yield "bits", f"{one}: equal bits are not promised there; values, laws and accuracies are judged all the same"
    reasons = []
    for cell in comparison.cells:
        what = SECTIONS[cell.section]
        if cell.only_in:
            reasons.append((what, cell.note, cell.name))
        elif cell.found is Class.INCONCLUSIVE and not cell.ladder:
            reasons.append((what, cell.note or "too little was recorded", cell.name))
        obstacles = dict.fromkeys(step.obstacle for step in cell.ladder if step.obstacle)
        reasons += [(f"stages of {what}", obstacle.value, cell.name) for obstacle in obstacles]
    reasons.sort(key=lambda one: one[:2])
    for (what, why), group in itertools.groupby(reasons, key=lambda one: one[:2]):
        yield f"{what}: {_some([name for *_, name in group])}", why


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
