"""Tables for the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from initcheck.answers import METHODS
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.problems import PROBLEMS
from initcheck.reporting.format import answer_cells
from initcheck.reporting.results import Sweep

_PIPE_WIDTH = 200  # nobody reads a pipe's columns by eye: never fold a name that a script may look for


def print_answers(sweep: Sweep) -> None:
    """The answers, a row for each initializer, and what each column means."""
    console = _console()
    epochs = len(sweep.runs[0].history)
    rows = [(answer.initializer, answer_cells(answer, epochs)) for answer in sweep.answers]
    table = Table(title=Text(f"{sweep.problem.name}: {sweep.problem.title}"), title_justify="left", show_lines=True)
    for column in ("initializer", *rows[0][1]):
        table.add_column(column, no_wrap=column == "initializer")
    for name, cells in rows:
        table.add_row(Text(name), *map(Text, cells.values()))
    console.print(table)
    for column, method in METHODS.items():
        console.print(Text.assemble((column, "bold"), f": {method}"), soft_wrap=True)
    target = f"{len(sweep.runs)} runs of {epochs} epochs; target accuracy {sweep.problem.target:g}; seed {sweep.seed}"
    console.print(Text(target), soft_wrap=True)


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


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)
