"""Describes a sweep's data: rows, features, classes, and the problem's own facts."""

from __future__ import annotations

from initcheck.reporting.format import format_level
from initcheck.reporting.results import Sweep


def data_rows(sweep: Sweep) -> list[tuple[str, str]]:
    """Facts as ``(name, value)`` pairs; one that the problem states takes the place of ours of that name."""
    runs, known = next(iter(sweep.groups), None), sweep.facts.data
    same = known is not None and runs is not None and known.rows == (runs.train_total, runs.test_total)
    facts = {
        "source": sweep.problem.source,
        "rows": f"{runs.train_total:,} for training, {runs.test_total:,} held out" if runs else "not known yet",
        **(dict(known.described) if known and same else {}),
        **dict(sweep.trained),
        **dict(sweep.problem.about),
    }
    chance, score = sweep.facts.chance, sweep.facts.score
    if chance is not None:
        words = "accuracy of always naming the commonest class" if score.counted else f"best {score.name} of one answer"
        facts.setdefault("chance", f"{format_level(chance, score)}: {words}")
    return list(facts.items())
