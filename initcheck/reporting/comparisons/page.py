"""The page of a comparison: may the upgrade be merged, what changed, and the evidence side by side."""

from __future__ import annotations

from collections.abc import Collection

from initcheck.baselines.comparing.comparison import Class, Comparison
from initcheck.baselines.records.schema import Baseline
from initcheck.baselines.records.training_records import STAGES
from initcheck.reporting.comparisons import words as comparison_words
from initcheck.reporting.comparisons.advice import advise
from initcheck.reporting.comparisons.problems import problems_of
from initcheck.reporting.comparisons.sentences import SECTIONS, describe, overall
from initcheck.reporting.comparisons.texts import changes, incomparable, title_of
from initcheck.reporting.templating import templates


def render_comparison(old: Baseline, new: Baseline, comparison: Comparison, allowed: Collection[Class]) -> str:
    """A self-contained page that needs no network and no JavaScript.

    Args:
        old: The old baseline.
        new: The new one.
        comparison: What was found in them.
        allowed: What a cell may be.
    """
    headline, *sentences = describe(comparison)
    template = templates().get_template("comparison.html.j2")
    return template.render(
        title=title_of(old, new),
        advice=advise(comparison, allowed),
        overall=overall(comparison),
        beyond=sum(cell.found not in allowed for cell in comparison.cells),
        allowed=[kind.value for kind in Class if kind in allowed],
        headline=headline,
        sentences=sentences,
        comparison=comparison,
        refused={one.what for one in comparison.refused},
        changes=list(changes(comparison)),
        cells=sorted(comparison.cells, key=lambda cell: -cell.found.rank),
        problems=problems_of(old, new, comparison),
        stages=STAGES,
        counts={kind: sum(cell.found is kind for cell in comparison.cells) for kind in Class},
        sections={name: told for name, told in SECTIONS.items() if comparison.of(name)},
        incomparable=list(incomparable(comparison)),
        words=comparison_words,
        same=Class.IDENTICAL,
        seed=new.seed,
    )
