"""The page of a comparison: may the upgrade be merged, what changed, and the evidence side by side."""

from __future__ import annotations

from initcheck.baselines.comparing.classes import Class
from initcheck.baselines.comparing.comparison import Comparison
from initcheck.baselines.records.training_records import STAGES
from initcheck.reporting.comparisons import words as comparison_words
from initcheck.reporting.comparisons.advice import advise
from initcheck.reporting.comparisons.cell_changes import changes, incomparable, title_of
from initcheck.reporting.comparisons.compared_problems import problems_of
from initcheck.reporting.comparisons.sentences import SECTIONS, describe
from initcheck.reporting.templating import templates


def render_comparison(comparison: Comparison) -> str:
    """A self-contained page that needs no network and no JavaScript."""
    headline, *sentences = describe(comparison)
    template = templates().get_template("comparison.html.j2")
    return template.render(
        title=title_of(comparison),
        advice=advise(comparison),
        beyond=len(comparison.beyond()),
        allowed=[kind.value for kind in Class if kind in comparison.allowed],
        headline=headline,
        sentences=sentences,
        comparison=comparison,
        changes=list(changes(comparison)),
        cells=sorted(comparison.cells, key=lambda cell: -cell.found.rank),
        problems=problems_of(comparison),
        stages=STAGES,
        counts={kind: sum(cell.found is kind for cell in comparison.cells) for kind in Class},
        sections={section: title for section, title in SECTIONS.items() if comparison.of(section)},
        incomparable=list(incomparable(comparison)),
        words=comparison_words,
        seed=comparison.new.seed,
    )
