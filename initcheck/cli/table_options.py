"""The options of ``initcheck run`` for a user's own table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from initcheck.api import DEFAULT_PROBLEM
from initcheck.catalog.csv_tables import Reading
from initcheck.catalog.csv_tables.reading import DECIMALS, HEADERS, MISSING, SEPARATORS
from initcheck.catalog.own_problems import OwnProblem
from initcheck.catalog.problems import Problem, banknotes_from_csv, from_csv
from initcheck.cli.model_options import ModelOptions
from initcheck.cli.path_option import PATH
from initcheck.errors import InitcheckError
from initcheck.frameworks.own import find_any_problem


def _mark(marks: dict[str, str]) -> dict[str, Any]:
    """Settings of an option that takes a mark by its name, or the mark itself."""

    def convert(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
        written = "\t" if value == r"\t" else value
        for name, mark in marks.items():
            if written in (name, mark):
                return name
        if value is None:
            return None
        raise click.BadParameter(f"{value!r} is none of {', '.join(marks)}.")

    return {"callback": convert, "metavar": f"[{'|'.join(marks)}]"}


def _units(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Units of layers, written with commas between."""
    try:
        return None if value is None else tuple(map(int, value.split(",")))
    except ValueError:
        raise click.BadParameter(f"{value!r} is no list of whole numbers such as 8,8.") from None


_OPTIONS = (
    click.option(
        "--data",
        type=PATH,
        help="A CSV file: your own table of features and classes; with --model, package.module:data.",
    ),
    click.option("--target", help="The table's class column.  [default: the last]"),
    click.option("--drop", multiple=True, metavar="COLUMN", help="A column of it to leave out; may be given again."),
    click.option("--separator", **_mark(SEPARATORS), help="Between its cells.  [default: detected]"),
    click.option("--decimal", **_mark(DECIMALS), help="Its decimal mark.  [default: detected]"),
    click.option(
        "--header",
        type=click.Choice(HEADERS),
        help="Does its first line name the columns?  [default: yes, but a line that looks like data is refused]",
    ),
    click.option(
        "--missing",
        type=click.Choice(MISSING),
        help="What to fill in for missing values: the column's median; for words, a category of its own.  "
        "[default: they are refused]",
    ),
    click.option("--hidden", callback=_units, metavar="UNITS", help="Its relu layers, such as 8,8.  [default: none]"),
    click.option("--batch-size", type=int, help="Its rows per step.  [default: 16; of a model 32]"),
    click.option("--learning-rate", type=float, help="Its RMSprop's learning rate.  [default: Keras's]"),
    click.option(
        "--target-accuracy",
        type=float,
        help="The training accuracy from which on a run has learned.  [default: 0.9; halfway from chance to 1 where "
        "chance is 0.9 or more]",
    ),
)


@dataclass(frozen=True)
class TableOptions:
    """The options as they were given; None, or nothing, where they were not."""

    data: Path | None
    target: str | None
    drop: tuple[str, ...]
    separator: str | None
    decimal: str | None
    header: str | None
    missing: str | None
    hidden: tuple[int, ...] | None
    batch_size: int | None
    learning_rate: float | None
    target_accuracy: float | None

    def words(self) -> list[str]:
        """The options as words of a command line that gives them again."""
        words: list[str] = []
        for option, value in self._given():
            many = value if option == "--drop" else [",".join(map(str, value)) if option == "--hidden" else value]
            words += [str(word) for one in many for word in (option, one)]
        return words

    def choose_model(self, problem: str | None, own: ModelOptions, epochs: int | None) -> OwnProblem | None:
        """The model of ``--model``, whose data ``--data`` names and whose batches ``--batch-size``; None without one.

        Raises:
            InitcheckError: The options do not fit together, or name what cannot be imported.
        """
        if own.model is not None:
            if problem is not None:
                raise InitcheckError("--problem and --model are both given; give one of them")
            for option, _ in self._given():
                if option not in ("--data", "--batch-size"):
                    raise InitcheckError(f"{option} is about a table, and --model has data of its own; leave it out")
        data = None if self.data is None else str(self.data)
        return own.choose(data, self.batch_size, epochs)

    def choose(self, problem: str | None) -> Problem | OwnProblem:
        """The problem to train: the table of ``--data`` if one is given, else the problem of that name.

        Raises:
            InitcheckError: The options do not fit together, or the table cannot be used as it is.
        """
        if self.data is None:
            self._refuse_all()
            return find_any_problem(problem or DEFAULT_PROBLEM)
        reading = Reading(self.target, self.drop, self.separator, self.decimal, self.header, self.missing)
        if problem is None:
            return from_csv(
                self.data,
                reading,
                hidden=self.hidden or (),
                batch_size=self.batch_size,
                learning_rate=self.learning_rate,
                target_accuracy=self.target_accuracy,
            )
        if problem != "banknotes":
            raise InitcheckError(f"--problem {problem} has data of its own; give --data without --problem")
        for option, value in self._given():
            if option in ("--hidden", "--batch-size", "--learning-rate", "--target-accuracy"):
                raise InitcheckError(
                    f"{option} changes the lecture's protocol; leave --problem banknotes out ({value})"
                )
        return banknotes_from_csv(self.data, reading)

    def require_apart(self, out: Path) -> None:
        """Makes sure that the table is none of the files that are written.

        Raises:
            InitcheckError: It is one.
        """
        from initcheck.reporting.saved_runs import SWEEP_FILES

        for name in SWEEP_FILES if self.data is not None and self.data.exists() else ():
            if (out / name).exists() and (out / name).samefile(self.data or ""):
                raise InitcheckError(f"--data {self.data} would be overwritten by {out / name}; name another --out")

    def _given(self) -> list[tuple[str, Any]]:
        options = [(f"--{one.name.replace('_', '-')}", getattr(self, one.name)) for one in fields(self)]
        return [(option, value) for option, value in options if value is not None and value != ()]

    def _refuse_all(self) -> None:
        for option, _ in self._given():
            what = "names a column" if option == "--target" else "is about the table"
            hint = "; the Keras that trains is named by --on" if option == "--target" else ""
            raise InitcheckError(f"{option} {what} of --data FILE.csv, which is not given{hint}")


def table_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options to a command, which is handed them as ``table``."""

    def with_table(**given: Any) -> None:
        table = TableOptions(**{one.name: given.pop(one.name) for one in fields(TableOptions)})
        command(table=table, **given)

    with_table.__doc__ = command.__doc__
    with_table.__name__ = command.__name__
    with_table.__dict__.update(vars(command))  # where click keeps the options above it
    for option in reversed(_OPTIONS):
        with_table = option(with_table)
    return with_table
