"""The command line."""

from __future__ import annotations

import contextlib
import shlex
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from initcheck.api import DEFAULT_PROBLEM, DEFAULT_RESEEDS, sweep
from initcheck.baselines_cli import compare, record
from initcheck.bounds_cli import bounds
from initcheck.catalog.initializers import LECTURE_INITIALIZERS, get_initializers
from initcheck.catalog.problems import Problem, from_csv, get_problem
from initcheck.errors import InitcheckError
from initcheck.files import write_whole
from initcheck.training.plan import ENGINES, VARIED, grid
from initcheck.training.seeding import DEFAULT_SEED
from initcheck.upgrade_cli import upgrade

if TYPE_CHECKING:
    import pandas as pd

    from initcheck.records import Runs
    from initcheck.reporting.results import Sweep

DEFAULT_OUT = "initcheck-results"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(metadata.version("initcheck"), prog_name="initcheck")
def cli() -> None:
    """How much of a result is the initializer, and how much is the seed?"""


@cli.command("list")
def list_() -> None:
    """Show the initializers with their laws and sources, and the problems."""
    from initcheck.reporting.terminal import print_catalogue

    print_catalogue()


@cli.command()
@click.option("--problem", help=f"What to train: a name, or package.module:attribute.  [default: {DEFAULT_PROBLEM}]")
@click.option("--data", type=click.Path(path_type=Path), help="A CSV file for the problem banknotes.")
@click.option("--target", help="The CSV's class column.  [default: the last]")
@click.option(
    "--initializers", default=",".join(LECTURE_INITIALIZERS), show_default=True, help="Names with commas, or all."
)
@click.option("--reseeds", type=int, default=DEFAULT_RESEEDS, show_default=True, help="Runs for each initializer.")
@click.option("--seed", type=int, default=DEFAULT_SEED, show_default=True, help="The root seed of every stream.")
@click.option("--epochs", type=int, help="Passes over the training rows.  [default: the problem's]")
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default=ENGINES[0],
    show_default=True,
    help="ensemble: all runs side by side; reference: fit, one by one; auto: the ensemble where it serves.",
)
@click.option("--vary", type=click.Choice(VARIED), default="init", show_default=True, help="What a reseed changes.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=DEFAULT_OUT, show_default=True, help="Folder for the results."
)
def run(
    problem: str | None,
    data: Path | None,
    target: str | None,
    initializers: str,
    reseeds: int,
    seed: int,
    epochs: int | None,
    engine: str,
    vary: str,
    out: Path,
) -> None:
    """Train a problem under several initializers, each with many seeds, and answer with numbers.

    Writes report.html, runs.csv and history.csv to the folder of --out, over those of an earlier run.
    """
    from initcheck.reporting.terminal import print_answers

    names = [name.strip() for name in initializers.split(",") if name.strip()]
    chosen = _choose(problem, data, target)
    given = {
        "--problem": problem or chosen.name,
        "--data": data,
        "--target": target,
        "--initializers": ",".join(names),
        "--reseeds": reseeds,
        "--seed": seed,
        "--epochs": epochs,
        "--engine": None if engine == ENGINES[0] else engine,
        "--vary": None if vary == "init" else vary,
    }
    words = [str(word) for option, value in given.items() if value is not None for word in (option, value)]
    with _output_folder(out) as write:
        found = _sweep_with_progress(
            chosen,
            names,
            reseeds=reseeds,
            seed=seed,
            epochs=epochs,
            engine=engine,
            vary=vary,
            command=shlex.join(["initcheck", "run", *words]),
        )
        print_answers(found)
        write(_files(found))
    click.echo(f"report: {out / 'report.html'}   runs: {out / 'runs.csv'}   history: {out / 'history.csv'}")
    if found.finished < found.planned:
        click.echo(f"interrupted: the {found.finished} runs finished of {found.planned} are kept", err=True)
        raise SystemExit(130)


@cli.command()
@click.argument("codes", nargs=-1)
@click.option("--family", "families", multiple=True, help="Only the checks of this family; may be given again.")
@click.option("--subject", help="Only on this subject.")
@click.option("--seed", type=int, default=DEFAULT_SEED, show_default=True, help="The root seed of every stream.")
def check(codes: tuple[str, ...], families: tuple[str, ...], subject: str | None, seed: int) -> None:
    """Judge the installed framework by the checks of these CODES, without pytest; by all where none is named."""
    from initcheck.checks.registry import carry_out, cells
    from initcheck.reporting.format import format_count
    from initcheck.reporting.terminal import print_verdict
    from initcheck.training.lab import get_lab

    chosen = [cell for cell in cells(families, codes=codes) if subject in (None, cell.subject.name)]
    if not chosen:
        raise InitcheckError(f"no check of these has a subject named {subject!r}; leave --subject out to see them")
    lab = get_lab(seed)
    failed = [cell for cell in chosen if not print_verdict(cell, carry_out(cell, lab))]
    click.echo(f"initcheck: {format_count(len(chosen), 'check')}, {len(failed)} failed; seed {seed}")
    raise SystemExit(1 if failed else 0)


@cli.command("self-test")
@click.argument("names", nargs=-1)
@click.option("--full", is_flag=True, help="Run every check family on every fault, not only the one that must see it.")
@click.option("--seed", type=int, default=DEFAULT_SEED, show_default=True, help="The root seed of every stream.")
@click.option("--workers", type=int, default=2, show_default=True, help="Processes at once.")
def self_test(names: tuple[str, ...], full: bool, seed: int, workers: int) -> None:
    """Break the installed framework on purpose, a fault at a time, and show which check family notices.

    NAMES of faults may be given; all are made otherwise. Nothing on disk is changed.
    """
    from initcheck.reporting.terminal import print_matrix, progress_bar
    from initcheck.selftest import choose_mutants, run_selftest

    mutants = choose_mutants(names)
    outcomes = []
    with progress_bar("breaking the framework", len(mutants)) as advance:
        for outcome in run_selftest(mutants, seed=seed, full=full, workers=max(1, workers)):
            outcomes.append(outcome)
            advance(outcome.mutant.name, 1)
    print_matrix(sorted(outcomes, key=lambda outcome: [mutant.name for mutant in mutants].index(outcome.mutant.name)))
    raise SystemExit(0 if all(outcome.as_expected for outcome in outcomes) else 1)


cli.add_command(bounds)
cli.add_command(record)
cli.add_command(compare)
cli.add_command(upgrade)


def _choose(problem: str | None, data: Path | None, target: str | None) -> Problem:
    if data is None:
        if target is not None:
            raise InitcheckError("--target names a column of --data FILE.csv, which is not given")
        return get_problem(problem or DEFAULT_PROBLEM)
    if problem not in (None, "banknotes"):
        raise InitcheckError(f"--problem {problem} has data of its own; --data goes with --problem banknotes")
    return from_csv(data, target=target)


def _sweep_with_progress(problem: Problem, names: list[str], **settings: Any) -> Sweep:
    from initcheck.reporting.terminal import progress_bar

    inits, orders = grid(settings["vary"], max(1, settings["reseeds"]))
    planned = len(get_initializers(names)) * len(inits) * len(orders)
    with (
        progress_bar("loading the framework", planned) as advance,
        _interrupt_between_runs() as run_finished,
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message="interrupted: ")  # said at the end, below the table

        def on_runs(runs: Runs) -> None:
            advance(runs.initializer, len(runs))
            run_finished()

        return sweep(problem, initializers=names, on_runs=on_runs, **settings)


@contextlib.contextmanager
def _interrupt_between_runs() -> Iterator[Callable[[], None]]:
    """Lets Ctrl-C take effect after the run under way; gives the function to call as each is finished.

    Raised inside of the framework, the exception may be lost in a callback of its C++ part. Before the first run, or
    asked for again, it is raised at once all the same.
    """
    finished = asked = False

    def ask(*_: object) -> None:
        nonlocal asked
        if asked or not finished:
            raise KeyboardInterrupt
        asked = True

    def run_finished() -> None:
        nonlocal finished
        finished = True
        if asked:
            raise KeyboardInterrupt

    previous = signal.signal(signal.SIGINT, ask)
    try:
        yield run_finished
    finally:
        signal.signal(signal.SIGINT, previous)


def _files(found: Sweep) -> dict[str, Iterable[str]]:
    from initcheck.reporting.page import render_report

    return {
        "report.html": [render_report(found)],
        "runs.csv": _as_csv(part.to_frame() for part in found.parts()),
        "history.csv": _as_csv(part.epochs_frame() for part in found.parts()),
    }


def _as_csv(frames: Iterable[pd.DataFrame]) -> Iterator[str]:
    """The text a frame at a time: a hundred thousand histories are too long for one string."""
    for number, frame in enumerate(frames):
        yield frame.to_csv(index=False, header=number == 0, lineterminator="\n")


@contextlib.contextmanager
def _output_folder(folder: Path) -> Iterator[Callable[[Mapping[str, Iterable[str]]], None]]:
    """Makes sure before the work that its results can be written after it; gives the function that writes them.

    A folder made here is taken away again if nothing was written to it.

    Raises:
        InitcheckError: The path is a file, or cannot be written to.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = "is a file" if folder.is_file() else f"cannot be written to ({error.strerror or error})"
        raise InitcheckError(f"--out {folder} {reason}; name another folder") from None

    def write(files: Mapping[str, Iterable[str]]) -> None:
        for name, parts in files.items():
            write_whole(folder / name, parts)

    try:
        yield write
    finally:
        for path in missing:
            with contextlib.suppress(OSError):  # not empty: it holds the results
                path.rmdir()


def main() -> None:
    """Runs the command line; a mistake that the user can mend is one line on stderr and exit code 2."""
    try:
        sys.exit(cli.main(standalone_mode=False))
    except InitcheckError as error:
        _fail(str(error))
    except click.ClickException as error:
        _fail(error.format_message())
    except (KeyboardInterrupt, click.Abort):
        click.echo("initcheck: interrupted before the first run was finished; nothing was written", err=True)
        sys.exit(130)


def _fail(message: str) -> None:
    click.echo(f"initcheck: {' '.join(message.split())}", err=True)
    sys.exit(2)
