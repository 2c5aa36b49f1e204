"""The page docs/coverage.md: every public name of Keras, and what the checks look at.

``python -m initcheck.reporting.coverage_page``, in the repository's root, writes it for the installed framework.
"""

from __future__ import annotations

from pathlib import Path

from initcheck.checks.census import take_census
from initcheck.endings import say
from initcheck.frameworks.keras import load_keras
from initcheck.frameworks.public_names import KINDS
from initcheck.reporting.templating import markdown_templates

PAGE = "docs/coverage.md"


def coverage_page() -> str:
    """The page for the installed framework."""
    entries = take_census()
    kinds = {kind: [one for one in entries if one.public.kind == kind] for kind in KINDS}
    return markdown_templates().get_template("coverage.md.j2").render(version=load_keras().__version__, kinds=kinds)


if __name__ == "__main__":
    Path(PAGE).write_text(coverage_page(), encoding="utf-8")
    say(PAGE)
