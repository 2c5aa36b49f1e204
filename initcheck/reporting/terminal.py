"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.own_problems import REPLACED
from initcheck.catalog.problems import PROBLEMS
from initcheck.checks.registry import Cell
from initcheck.records import Status, Verdict
from initcheck.reporting.finding import find, target_words
from initcheck.reporting.format import answer_cells, component_cells, format_count, format_number
from initcheck.reporting.results import Sweep
from initcheck.reporting.screen import Column, Screen
from initcheck.statistics.answers import TITLES, components_method, methods

if TYPE_CHECKING:
    from initcheck.baselines.comparing.comparison import Comparison
    from initcheck.bounds import Bounds
    from initcheck.mutants.outcome import Outcome

_DOUBTFUL = ("repeated rows", "numbers the rows")  # they make accuracies too good, or worse without need
_MOST_CELLS = 40  # of a comparison, the worst first


def print_answers(sweep: Sweep, console: Console | None = None) -> None:
    """The answers for each initializer, what each of them means, and the finding."""
    screen = Screen(console)
    epochs = max((runs.epochs for runs in sweep.groups), default=sweep.problem.epochs)
    score = sweep.facts.score
    rows = [(answer.initializer, *answer_cells(answer, epochs, score).values()) for answer in sweep.answers]
    title = f"{sweep.problem.name}: {sweep.problem.title}"
    screen.table(title, ("initializer", *TITLES), rows, lines=True)
    _explain(screen, methods(score))
    if sweep.components:
        cells = {name: component_cells(components) for name, components in sweep.components.items()}
        columns = ("initializer", *next(iter(cells.values())))
        screen.table("Where the spread comes from", columns, [(name, *row.values()) for name, row in cells.items()])
        screen.line(components_method(score))
    screen.gap()
    for number, sentence in enumerate(find(sweep)):
        screen.line((sentence, "" if number else "bold"))
    work = f"{format_count(sweep.finished, 'run')} of {format_count(epochs, 'epoch')} by the {sweep.engine}"
    screen.line(f"{work}; {target_words(sweep.facts)}; seed {sweep.seed}")
    for name, value in sweep.problem.about:
        if name in (*_DOUBTFUL, REPLACED):
            screen.line(f"{name}: {value}")


def print_bounds(bounds: Bounds, console: Console | None = None) -> None:
    """A table for each problem, and what each column means."""
    from initcheck.reporting.documented_bounds import bound_cells, bound_columns, describe_calibration

    screen = Screen(console)
    for problem, calibration in bounds.problems.items():
        rows = [
            (name, *bound_cells(bound, calibration.held_out_rows).values())
            for name, bound in calibration.initializers.items()
        ]
        columns = bound_columns(calibration.score)
        screen.table(describe_calibration(problem, calibration), ("initializer", *columns), rows)
    for score in dict.fromkeys(one.score for one in bounds.problems.values()):
        _explain(screen, bound_columns(score))


def print_catalogue(console: Console | None = None) -> None:
    """All initializers with their laws and sources, and all problems with their budgets."""
    screen = Screen(console)
    columns = (
        "initializer",
        Column("law", prose=True),
        Column("asked of Keras as", prose=True),
        Column("source", prose=True),
    )
    initializers = []
    for row in INITIALIZERS.values():
        arguments = ", ".join(f"{name}={value:g}" for name, value in row.config.items())
        asked = f"{row.made_by}({arguments})" if arguments else str(row.made_by)
        initializers.append((row.name, str(row.law), asked, row.source))
    screen.table("Initializers", columns, initializers)
    numbers = ("batch", "epochs", "chance", "target")
    fields = ("problem", Column("what", prose=True), *numbers, Column("source", prose=True))
    problems = [
        (
            one.name,
            one.title,
            str(one.batch_size),
            str(one.epochs),
            format_number(one.chance),
            format_number(one.target),
            one.source,
        )
        for one in PROBLEMS.values()
    ]
    screen.table("Problems", fields, problems)
    screen.line("Your own problem: --problem package.module:attribute (examples/wine.py)")


def print_verdict(cell: Cell, verdict: Verdict, console: Console | None = None) -> bool:
    """One line for one verdict, and where to read on if it is bad; whether it is good, as a known issue is."""
    issue = cell.known_issue
    good = verdict.status in (Status.PASS, Status.NOT_APPLICABLE)
    word = verdict.status.value
    if issue and not (good and (cell.subject.own or issue.sometimes)):
        # A row that no longer fails in its range is wrong itself, and shown as loudly as a failure.
        good, word = not good, "known issue" if not good else "no longer fails"
    mark = (word if good else word.upper(), "green" if good else "bold red")
    Screen(console).line(mark, f" {cell.name}: {verdict}", f" ({issue.reason})" if issue else "")
    if not good:
        Screen(console).line(f"  {cell.check.url}")
    return good


def print_outcomes(outcomes: Sequence[Outcome], console: Console | None = None) -> None:
    """Prints each mutant's reactions, the reason where they are not as expected, and the counts."""
    screen = Screen(console)
    columns = ("mutant", Column("what is changed", prose=True), "must fail", Column("what checks said", prose=True))
    rows = [
        (
            outcome.mutant.name,
            outcome.mutant.title,
            ", ".join(outcome.mutant.caught_by) or "none",
            _said(outcome),
            "yes" if outcome.as_expected else "NO",
        )
        for outcome in outcomes
    ]
    screen.table("Self-test", (*columns, "as expected"), rows)
    for outcome in outcomes:
        if not outcome.as_expected:
            why = (
                outcome.error
                or "; ".join(reaction.cell for reaction in outcome.unexpected)
                or "not every check was run"
            )
            screen.line((f"{outcome.mutant.name}: {why}", "bold red"))
    faults = [outcome for outcome in outcomes if not outcome.mutant.harmless]
    harmless = [outcome for outcome in outcomes if outcome.mutant.harmless]
    screen.line(
        f"{sum(o.as_expected for o in faults)} of {format_count(len(faults), 'fault')} caught, "
        f"{sum(o.as_expected for o in harmless)} of {format_count(len(harmless), 'harmless change')} passed"
    )


def _said(outcome: Outcome) -> str:
    """The checks that the mutant names or that do not pass, and the number of all others."""
    if outcome.error:
        return "nothing"
    shown = [
        f"{code} {reaction.mark.value}"
        for code, reaction in outcome.reactions.items()
        if code in outcome.mutant.caught_by or not reaction.mark.good
    ]
    others = len(outcome.reactions) - len(shown)
    return ", ".join([*shown, *([f"{format_count(others, 'check')} without objection"] if others else [])])


def print_comparison(comparison: Comparison, console: Console | None = None) -> None:
    """The environments' differences, every cell that is not identical, and the verdict in words."""
    from initcheck.reporting.comparisons.sentences import describe

    screen = Screen(console)
    if comparison.differences:
        values = (Column("old", prose=True), Column("new", prose=True))
        rows = [(one.what, one.old, one.new) for one in comparison.differences]
        screen.table("Environments", ("what", *values), rows)
    if differing := sorted(comparison.differing, key=lambda cell: -cell.found.rank):
        hidden = len(differing) - _MOST_CELLS
        title = "Cells that are not identical" + (f", but for {hidden} more, which --json gives" if hidden > 0 else "")
        cells = [
            (
                f"{cell.section} {cell.name}",
                cell.found.value.upper(),
                cell.stage or "",
                str(cell.size) if cell.size else "",
                cell.note,
            )
            for cell in differing[:_MOST_CELLS]
        ]
        screen.table(title, (Column("cell", prose=True), "found", "since", "by", Column("note", prose=True)), cells)
    first, *rest = describe(comparison)
    screen.line((first, "bold"))
    for sentence in rest:
        screen.line(sentence)


def _explain(screen: Screen, meanings: Mapping[str, str]) -> None:
    for title, meaning in meanings.items():
        screen.line((title, "bold"), f": {meaning}")
