"""The report page and the notebook's table."""

from __future__ import annotations

import functools

from jinja2 import Environment, PackageLoader, Template

from initcheck.answers import METHODS, Answer
from initcheck.reporting.format import NOTATION, answer_cells, format_count, format_percent
from initcheck.reporting.plots import figure_accuracy, figure_loss, figure_strip, to_svg
from initcheck.reporting.results import Sweep


def render_report(sweep: Sweep) -> str:
    """The whole page: one HTML file that needs neither network nor JavaScript."""
    names = ", ".join(answer.initializer for answer in sweep.answers)
    bands = f"by epoch for {names}: median and bands over reseeds"
    figures = [
        to_svg(figure_loss(sweep), name="loss", alt=f"Training loss {bands}"),
        to_svg(figure_accuracy(sweep), name="accuracy", alt=f"Training accuracy {bands}"),
        to_svg(figure_strip(sweep), name="strip", alt=f"Final held-out accuracy of every run of {names}, with means"),
    ]
    return _template("report.html.j2").render(
        sweep=sweep, findings=findings(sweep), figures=figures, rows=_rows(sweep), methods=METHODS, notation=NOTATION
    )


def render_summary(sweep: Sweep) -> str:
    """The answers as a table, for a notebook."""
    return _template("answers.html.j2").render(sweep=sweep, rows=_rows(sweep))


def findings(sweep: Sweep) -> list[str]:
    """What the numbers say, in sentences that claim no more than the intervals allow."""
    answers = sweep.answers
    runs = format_count(min(answer.runs for answer in answers), "run")
    said = []
    if len(answers) > 1:
        first, *others = sorted(answers, key=lambda answer: answer.best.value, reverse=True)
        rivals = [answer.initializer for answer in others if answer.best.high >= first.best.low]
        said.append(
            f"If each were run once, {first.initializer} would come out best in {format_percent(first.best)} of cases"
            + (f"; {runs} each do not tell it from {', '.join(rivals)}." if rivals else ", more often than any other.")
        )
    widest = max(answers, key=lambda answer: answer.test_stddev.value)
    if widest.test_stddev.value > 0:
        said.append(
            f"The seed alone moves {widest.initializer}'s held-out accuracy by a standard deviation of "
            f"{100 * widest.test_stddev.value:.1f} percentage points, the most of all."
        )
    said.append(_stuck(answers))
    return said


def _stuck(answers: list[Answer]) -> str:
    stuck = [f"{answer.initializer} {answer.stuck.value:.0%}" for answer in answers if answer.stuck.value]
    if not stuck:
        return "None of these runs is stuck: where one looks bad, more epochs would help it, not a restart."
    return f"Stuck runs: {', '.join(stuck)}; the table says how many restarts cure that."


def _rows(sweep: Sweep) -> list[tuple[Answer, dict[str, str]]]:
    return [(answer, answer_cells(answer, len(sweep.runs[0].history))) for answer in sweep.answers]


@functools.cache
def _environment() -> Environment:
    loader = PackageLoader("initcheck.reporting")
    return Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)


def _template(name: str) -> Template:
    return _environment().get_template(name)
