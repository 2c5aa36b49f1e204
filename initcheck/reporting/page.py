"""The report: one HTML page that needs no network and no JavaScript."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from initcheck.reporting.data_rows import data_rows
from initcheck.reporting.documented_bounds import PLACES, documented_cells
from initcheck.reporting.finding import find
from initcheck.reporting.format import answer_cells, component_cells, format_count, format_level, notation
from initcheck.reporting.results import Sweep
from initcheck.reporting.templating import templates
from initcheck.statistics.answers import TITLES, components_method, methods
from initcheck.targets import frameworks_of

if TYPE_CHECKING:
    from initcheck.reporting.panels import Panels

_CELL = re.compile(r"(.*?)(?: (\[[^]]*\]))?(?:, (.+)| (\(.+\)))?", re.DOTALL)


def render_report(sweep: Sweep) -> str:
    """A self-contained page: finding, panels, answers with their intervals, methods, problem, environment, command."""
    template = templates().get_template("report.html.j2")
    return template.render(
        sweep=sweep,
        figures=_figures(sweep),
        finding=find(sweep),
        work=_work(sweep),
        data=data_rows(sweep),
        methods=methods(sweep.facts.score),
        notation=notation(sweep.facts.score),
        components={name: component_cells(components) for name, components in sweep.components.items()},
        components_method=components_method(sweep.facts.score),
        documented=documented_cells(sweep),
        places=PLACES,
        problem=_problem_rows(sweep),
        environment=[("seed", str(sweep.seed)), *sweep.environment.rows()],
        **_table(sweep),
    )


def render_summary(sweep: Sweep) -> str:
    """The table of answers alone, as a fragment for notebooks."""
    return templates().get_template("answers.html.j2").render(**_table(sweep))


def _figures(sweep: Sweep) -> Panels | None:
    if not sweep.finished:
        return None
    from initcheck.reporting.panels import panels_of  # matplotlib is heavy, and a notebook's table does not need it

    return panels_of(sweep)


def _work(sweep: Sweep) -> list[str]:
    """The size of the sweep, a few words a fact."""
    versions = sweep.environment.versions
    return [
        f"{format_count(sweep.finished, 'run')} of {format_count(_epochs(sweep), 'epoch')}",
        format_count(len(sweep.groups), "initializer"),
        f"seed {sweep.seed}",
        *(f"{name} {versions[name]}" for name in frameworks_of(sweep.environment.target) if name in versions),
    ]


def _table(sweep: Sweep) -> dict[str, Any]:
    """The context of the table's template: titles, and rows of name, runs, and cells as (value, interval, words)."""
    epochs = _epochs(sweep)
    rows = [
        (
            answer.initializer,
            f"{answer.runs:,}",
            [_split(cell) for cell in answer_cells(answer, epochs, sweep.facts.score).values()],
        )
        for answer in sweep.answers
    ]
    return {"titles": list(TITLES), "rows": rows, "budget": _budget(sweep)}


def _budget(sweep: Sweep) -> str:
    facts = sweep.facts
    target = "no target" if facts.target is None else f"target {format_level(facts.target, facts.score)}"
    return f"{target} within {format_count(_epochs(sweep), 'epoch')}"


def _split(cell: str) -> tuple[str, str, str]:
    """A cell's value, its interval in brackets, and the words behind, which may be broken into lines."""
    match = _CELL.fullmatch(cell)
    assert match  # every text matches
    value, interval, words, reason = match.groups("")
    return value, interval, words or reason


def _epochs(sweep: Sweep) -> int:
    return max((runs.epochs for runs in sweep.groups), default=sweep.problem.epochs)


def _problem_rows(sweep: Sweep) -> list[tuple[str, str]]:
    problem, score = sweep.facts, sweep.facts.score
    direction = "higher" if score.higher_is_better else "lower"
    learned = f"training {score.name}: from there on a run counts as having learned"
    level = "none" if problem.target is None else f"{format_level(problem.target, score)} {learned}"
    return [
        ("name", problem.name),
        ("title", problem.title),
        ("budget", f"{format_count(_epochs(sweep), 'epoch')} in batches of {problem.batch_size:,}"),
        ("loss", problem.loss),
        ("trained by", f"the {sweep.engine}"),
        *([] if score.counted else [("score", f"{score.name}; {direction} is better")]),
        ("target", level),
    ]
