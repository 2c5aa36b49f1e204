"""The page docs/checks.md: the frame of each section is written from the registry, its text by hand.

``python -m initcheck.reporting.check_page``, in the repository's root, rewrites the frames.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from markupsafe import Markup

from initcheck.catalog.known_issues import KnownIssue, known_issues
from initcheck.checks.registry import FAMILIES, FRAMEWORK, Check, all_checks
from initcheck.endings import say
from initcheck.errors import UnknownNameError
from initcheck.mutants.library_layers import FAULTS
from initcheck.mutants.mutant import all_mutants
from initcheck.reporting.format import format_count
from initcheck.reporting.templating import markdown_templates
from initcheck.statistics.budget import EFFORTS, POWER
from initcheck.targets import LIBRARY, TENSORFLOW

PAGE = "docs/checks.md"
_CONTENTS = "contents"
_MOST_NAMES = 4  # of subjects
_SHOWN_ON = {"LAW30": "jax"}  # checks of what Keras lacks
_FRAME = re.compile(r"(?<=<!-- )(\w+)( -->\n).*?(?=<!-- /\1 -->)", re.DOTALL)


def with_frames(page: str) -> str:
    """The page with what stands between its markers written anew.

    Raises:
        UnknownNameError: A marker names neither a check nor the contents.
    """
    checks = {found.code: found for found in all_checks()}

    def frame(found: re.Match[str]) -> str:
        name, end = found.groups()
        if name == _CONTENTS:
            return name + end + _contents(checks)
        if name not in checks:
            raise UnknownNameError("check", name, checks)
        return name + end + _frame(checks[name])

    return _FRAME.sub(frame, page)


def _contents(checks: dict[str, Check]) -> str:
    codes = {family: [code for code, found in checks.items() if found.family == family] for family in FAMILIES}
    return markdown_templates().get_template("check_contents.md.j2").render(codes=codes)


def _frame(check: Check) -> str:
    names = [] if check.subjects == FRAMEWORK else [one.name for one in check.subjects]
    shown = names if len(names) <= _MOST_NAMES + 1 else names[:_MOST_NAMES]
    template = markdown_templates().get_template("check_frame.md.j2")
    return template.render(
        check=check,
        power=f"{POWER:.1%}".replace("%", " %"),
        samples=f"{check.samples(EFFORTS['normal']):,}" if check.samples else "",
        subjects=format_count(len(names), "subject"),
        names=[Markup(name) for name in shown],  # as code, which Markdown reads as it is
        more=len(names) - len(shown),
        of_libraries=check.on == LIBRARY,
        faults=[
            *(
                mutant
                for mutant in all_mutants(_SHOWN_ON.get(check.code, "")).values()
                if check.code in mutant.caught_by
            ),
            *(fault for fault in FAULTS if any(cell.startswith(f"{check.code}-") for cell in fault.cells)),
        ],
        issues=_issues(check),
    )


def _issues(check: Check) -> list[dict[str, str]]:
    """The known issues, each once for all of its targets."""
    found: list[tuple[KnownIssue, list[str]]] = []
    for issue in known_issues():
        if issue.check != check.code:
            continue
        if same := [names for one, names in found if replace(one, target=issue.target) == issue]:
            same[0].append(issue.target)
        else:
            found.append((issue, [issue.target]))
    return [_described(issue, targets) for issue, targets in found]


def _described(issue: KnownIssue, targets: list[str]) -> dict[str, str]:
    versions = ", ".join(f"`{package}{allowed}`" for package, allowed in issue.versions.items())
    if targets != [TENSORFLOW]:
        *first, last = [f"`{name}`" for name in targets]
        versions += f" as the targets {', '.join(first)} and {last}" if first else f" as the target {last}"
    versions += f" on processors with `{issue.processor}`" if issue.processor else ""
    return {
        "versions": Markup(versions),
        "subject": Markup(issue.subject),
        "reason": issue.reason,
        "link": Markup(issue.link),
    }


def _rewrite() -> None:
    page = Path(PAGE)
    text = with_frames(page.read_text(encoding="utf-8"))
    page.write_text(text, encoding="utf-8")
    say(f"{PAGE}: {format_count(len(all_checks()), 'check')}")


if __name__ == "__main__":
    _rewrite()
