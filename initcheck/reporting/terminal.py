"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from initcheck.answers import COMPONENTS_METHOD, METHODS
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.problems import PROBLEMS
from initcheck.checks.registry import FAMILIES, Cell
from initcheck.records import Status, Verdict
from initcheck.reporting.format import answer_cells, component_cells
from initcheck.reporting.results import Sweep
from initcheck.texts import for_terminal

if TYPE_CHECKING:
    from initcheck.baselines.comparison import Comparison
    from initcheck.bounds import Bounds
    from initcheck.selftest import Outcome

_MOST_CELLS = 40  # of a comparison, the worst first
_PIPE_WIDTH = 200  # nobody reads a pipe's columns by eye: never fold a name that a script may look for


def print_answers(sweep: Sweep) -> None:
    """The answers, a row for each initializer, and what each column means."""
    console = _console()
    epochs = sweep.groups[0].epochs
    rows = [(answer.initializer, answer_cells(answer, epochs)) for answer in sweep.answers]
    table = Table(title=Text(f"{sweep.problem.name}: {sweep.problem.title}"), title_justify="left", show_lines=True)
    for column in ("initializer", *rows[0][1]):
        table.add_column(column, no_wrap=column == "initializer")
    for name, cells in rows:
        table.add_row(Text(name), *map(Text, cells.values()))
    console.print(table)
    for column, method in METHODS.items():
        console.print(Text.assemble((column, "bold"), f": {method}"), soft_wrap=True)
    if sweep.components:
        _print_components(console, sweep)
    work = f"{sweep.finished:,} runs of {epochs} epochs by the {sweep.engine}"
    console.print(Text(f"{work}; target accuracy {sweep.problem.target:g}; seed {sweep.seed}"), soft_wrap=True)


def _print_components(console: Console, sweep: Sweep) -> None:
    rows = {name: component_cells(components) for name, components in sweep.components.items()}
    table = Table(title="Where the spread comes from", title_justify="left")
    for column in ("initializer", *next(iter(rows.values()))):
        table.add_column(column, no_wrap=column == "initializer")
    for name, cells in rows.items():
        table.add_row(Text(name), *map(Text, cells.values()))
    console.print(table)
    console.print(Text(COMPONENTS_METHOD), soft_wrap=True)


def print_bounds(bounds: Bounds) -> None:
    """A table for each problem, and what each column means."""
    from initcheck.reporting.bounds import COLUMNS, bound_cells, describe_calibration

    console = _console()
    for problem, calibration in bounds.problems.items():
        title = Text(describe_calibration(problem, calibration))
        table = Table("initializer", *COLUMNS, title=title, title_justify="left")
        for name, bound in calibration.initializers.items():
            table.add_row(Text(name), *map(Text, bound_cells(bound, calibration.held_out_rows).values()))
        console.print(table)
    for column, meaning in COLUMNS.items():
        console.print(Text.assemble((column, "bold"), f": {meaning}"), soft_wrap=True)


def print_catalogue() -> None:
    """All initializers with their laws and sources, and all problems with their budgets."""
    console = _console()
    columns = ("initializer", "law", "asked of Keras as", "source")
    initializers = Table(*columns, title="Initializers", title_justify="left")
    for row in INITIALIZERS.values():
        arguments = ", ".join(f"{name}={value:g}" for name, value in row.config.items())
        asked = f"{row.keras_name}({arguments})" if arguments else str(row.keras_name)
        initializers.add_row(*map(Text, (row.name, str(row.law), asked, row.source)))
    console.print(initializers)
    fields = ("problem", "what", "batch", "epochs", "chance", "target", "source")
    problems = Table(*fields, title="Problems", title_justify="left")
    for problem in PROBLEMS.values():
        numbers = (str(problem.batch_size), str(problem.epochs), f"{problem.chance:g}", f"{problem.target:g}")
        problems.add_row(*map(Text, (problem.name, problem.title, *numbers, problem.source)))
    console.print(problems)
    console.print(Text("Your own problem: --problem package.module:attribute (examples/wine.py)"))


def print_verdict(cell: Cell, verdict: Verdict) -> bool:
    """One line for one verdict; whether it is good, a known issue counting as good."""
    issue = cell.known_issue
    good = verdict.status in (Status.PASS, Status.NOT_APPLICABLE)
    word = verdict.status.value
    if issue and not (good and cell.subject.own):
        # A row that no longer fails in its range is wrong itself, and told as loudly as a failure.
        good, word = not good, "known issue" if not good else "no longer fails"
    text = Text.assemble((word if good else word.upper(), "green" if good else "bold red"), f" {cell.name}: {verdict}")
    _console().print(text.append(f" ({issue.reason})" if issue else ""), soft_wrap=True)
    return good


def print_matrix(outcomes: Sequence[Outcome]) -> None:
    """Fault × check family: what was caught, what was let through, and every harmless change that was not."""
    console = _console()
    table = Table("mutant", "what is changed", *FAMILIES, "as expected", title="Self-test", title_justify="left")
    for outcome in outcomes:
        marks = [_mark(outcome, family) for family in FAMILIES]
        table.add_row(
            Text(outcome.mutant.name), Text(outcome.mutant.title), *marks, "yes" if outcome.as_expected else "NO"
        )
    console.print(table)
    for outcome in outcomes:
        if not outcome.as_expected:
            found = outcome.error or "; ".join(filter(None, outcome.failures.values())) or "nothing failed"
            console.print(Text(f"{outcome.mutant.name}: {found}", "bold red"), soft_wrap=True)
    faults = [outcome for outcome in outcomes if not outcome.mutant.harmless]
    harmless = [outcome for outcome in outcomes if outcome.mutant.harmless]
    console.print(
        f"{sum(o.as_expected for o in faults)} of {len(faults)} faults caught, "
        f"{sum(o.as_expected for o in harmless)} of {len(harmless)} harmless changes passed",
        highlight=False,
    )


def _mark(outcome: Outcome, family: str) -> str:
    if family not in outcome.failures:
        return ""
    return "caught" if outcome.failures[family] else "–"


def print_comparison(comparison: Comparison) -> None:
    """The environments' differences, every cell that is not identical, and the verdict in words."""
    from initcheck.baselines.verdict import describe

    console = _console()
    if comparison.differences:
        table = Table("what", "old", "new", title="Environments", title_justify="left")
        for one in comparison.differences:
            table.add_row(*map(_plain, (one.what, one.old, one.new)))
        console.print(table)
    if differing := sorted(comparison.differing, key=lambda cell: -cell.found.rank):
        hidden = len(differing) - _MOST_CELLS
        title = "Cells that are not identical" + (f", but for {hidden} more, which --json gives" if hidden > 0 else "")
        table = Table("cell", "found", "since", "by", "note", title=title, title_justify="left")
        for cell in differing[:_MOST_CELLS]:
            size = str(cell.size) if cell.size else ""
            words = (f"{cell.section} {cell.name}", cell.found.value.upper(), cell.stage, size, cell.note)
            table.add_row(*map(_plain, words))
        console.print(table)
    first, *rest = describe(comparison)
    console.print(Text.assemble((_plain(first).plain, "bold")), soft_wrap=True)
    for sentence in rest:
        console.print(_plain(sentence), soft_wrap=True)


def _plain(text: str) -> Text:
    """A text from somebody's file, without what would steer a terminal."""
    return Text(for_terminal(text))


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)
