"""What a page and a comment both say of a comparison."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from initcheck.baselines.comparison import Class, Comparison, Step
from initcheck.baselines.schema import Baseline
from initcheck.baselines.verdict import SECTIONS

_MOST_NAMES = 6


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


def incomparable(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """What was not compared, and why."""
    for one in comparison.refused:
        yield "bits", f"{one}: equal bits are not promised there; values, laws and accuracies are judged all the same"
    told = []
    for cell in comparison.cells:
        what = SECTIONS[cell.section]
        if cell.note.startswith("only in the "):
            told.append((what, cell.note, cell.name))
        elif cell.found is Class.INCONCLUSIVE and not cell.ladder:
            told.append((what, cell.note or "too little was recorded", cell.name))
        told += [
            (f"stages of {what}", note.removeprefix("not comparable: "), cell.name)
            for note in {step.note: None for step in cell.ladder if is_apart(step)}
        ]
    told.sort(key=lambda one: one[:2])
    for (what, why), group in itertools.groupby(told, key=lambda one: one[:2]):
        names = [name for *_, name in group]
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        yield f"{what}: {', '.join(names[:_MOST_NAMES])}{more}", why
