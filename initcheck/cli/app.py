"""The command line."""

from __future__ import annotations

import contextlib
import difflib
import functools
import shlex
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from initcheck.api import DEFAULT_PROBLEM, DEFAULT_RESEEDS, INTERRUPTED, sweep
from initcheck.catalog.initializers import LECTURE_INITIALIZERS, get_initializers
from initcheck.catalog.own_problems import DEFAULT_INITIALIZERS, OWN, OwnProblem
from initcheck.catalog.problems import Problem
from initcheck.cli.baselines import compare, load_files, record
from initcheck.cli.bounds_commands import bounds
from initcheck.cli.compare_runs import compare_runs
from initcheck.cli.doctor_command import doctor
from initcheck.cli.matrix_command import judge_target, matrix
from initcheck.cli.model_options import ModelOptions, model_options
from initcheck.cli.path_option import PATH
from initcheck.cli.seed_option import seed_option
from initcheck.cli.store_commands import store as store_commands
from initcheck.cli.store_options import store_options
from initcheck.cli.table_options import TableOptions, table_options
from initcheck.cli.target_option import on_option, target_option
from initcheck.cli.upgrade import upgrade
from initcheck.endings import Interrupted, interrupted_between_steps, leaving, say, say_aside, uninterrupted
from initcheck.engines.plan import ENGINES, VARIED, Plan, grid
from initcheck.errors import InitcheckError
from initcheck.frameworks.own import find_initializers, import_own
from initcheck.frameworks.quiet import unlogged
from initcheck.store.blocks import Share
from initcheck.targets import TENSORFLOW, target

if TYPE_CHECKING:
    from initcheck.mutants.outcome import Outcome
    from initcheck.records import Runs
    from initcheck.reporting.results import Sweep

DEFAULT_OUT = "initcheck-results"


class _Commands(click.Group):
    """A group of commands that leave nothing where they are interrupted, unless they say what."""

    def invoke(self, ctx: click.Context) -> Any:
        with leaving("nothing was written"), unlogged():
            return super().invoke(ctx)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
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
@table_options
@model_options
@click.option(
    "--initializers",
    help="Names with commas, all, or package.module:Class.  "
    f"[default: {','.join(LECTURE_INITIALIZERS)}; of a model {','.join(DEFAULT_INITIALIZERS)}]",
)
@click.option("--reseeds", type=int, default=DEFAULT_RESEEDS, show_default=True, help="Runs for each initializer.")
@seed_option
@click.option("--epochs", type=int, help="Passes over the training rows.  [default: the problem's]")
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default=ENGINES[0],
    show_default=True,
    help="ensemble: all runs side by side; reference: fit, one by one; auto: the ensemble if it supports the problem.",
)
@click.option("--vary", type=click.Choice(VARIED), default="init", show_default=True, help="What a reseed changes.")
@on_option
@store_options
@click.option(
    "--out",
    type=PATH,
    default=DEFAULT_OUT,
    show_default=True,
    help="Folder for the results.",
)
def run(
    problem: str | None,
    table: TableOptions,
    own: ModelOptions,
    initializers: str | None,
    reseeds: int,
    seed: int,
    epochs: int | None,
    engine: str,
    vary: str,
    store: Path | None,
    store_format: str | None,
    shard: str | None,
    cluster: str | None,
    block_limit: float | None,
    out: Path,
) -> None:
    """Train a problem, or a model of yours as it is, under several initializers, each with many seeds.

    Writes runs.csv, history.csv, sweep.json and report.html to the folder of --out, over those of an earlier run.
    """
    from initcheck.reporting.terminal import print_answers

    defaults = LECTURE_INITIALIZERS if own.model is None else DEFAULT_INITIALIZERS
    names = (
        list(defaults) if initializers is None else [name.strip() for name in initializers.split(",") if name.strip()]
    )
    Plan(reseeds, seed, epochs, engine, vary)  # what can be refused at once is, before anything is loaded
    if not get_initializers(name for name in names if ":" not in name and name != OWN.name) and not names:
        raise InitcheckError("no initializer is named; name one at least, or all")
    if shard is not None and store is None:
        raise InitcheckError("--shard needs --store, in which the shares come together")
    if store_format is not None and store is None:
        raise InitcheckError("--store-format needs --store, whose files it is of")
    table.require_apart(out)
    with _output_folder(out) if shard is None else contextlib.nullcontext() as write:
        mine = table.choose_model(problem, own, epochs)
        chosen = mine or table.choose(problem)
        given = {
            "--problem": problem or (chosen.name if table.data is None else None),
            "--initializers": ",".join(names),
            "--reseeds": reseeds,
            "--seed": seed,
            "--epochs": epochs,
            "--engine": None if engine == ENGINES[0] else engine,
            "--vary": None if vary == "init" else vary,
            "--on": None if target() == TENSORFLOW else target(),
        }
        words = [str(word) for option, value in given.items() if value is not None for word in (option, value)]
        result = _sweep_with_progress(
            chosen,
            names,
            reseeds=reseeds,
            seed=seed,
            epochs=epochs,
            engine=engine,
            vary=vary,
            store=store,
            store_format=store_format,
            shard=shard,
            cluster=cluster,
            block_limit=block_limit,
            command=shlex.join(["initcheck", "run", *words, *own.words(), *table.words()]),
        )
        if write is None or store is not None:
            _say_stored(result, store, shard)
        if write is None:
            _end_stopped(result, store)
            return
        with uninterrupted(f"the {result.finished} runs finished of {result.planned} are kept in {out}"):
            try:
                write(_files(result))
            finally:  # the disk is full, perhaps: the answers are not lost for that
                print_answers(result)
            say(f"report: {out / 'report.html'}   runs: {out / 'runs.csv'}   history: {out / 'history.csv'}")
    _end_stopped(result)


@cli.command()
@click.argument("codes", nargs=-1)
@click.option("--family", "families", multiple=True, help="Only the checks of this family; may be given again.")
@click.option("--subject", help="Only on this subject, or on your own: package.module:attribute.")
@target_option
@seed_option
def check(codes: tuple[str, ...], families: tuple[str, ...], subject: str | None, seed: int) -> None:  # noqa: C901 - guards
    """Judge the installed framework by the checks of these CODES, without pytest; by all where none is named."""
    from initcheck.checks.registry import all_checks, as_subject, cells, run_check
    from initcheck.engines.validation.problem import validated_data
    from initcheck.evidence.lab import get_lab
    from initcheck.frameworks.quiet import deprecations
    from initcheck.records import Status
    from initcheck.reporting.format import count_deprecations, format_count
    from initcheck.reporting.terminal import print_verdict

    subjects = {subject.name for entry in all_checks() for subject in entry.subjects}
    for code in codes:
        if code in subjects and subject is None:
            raise InitcheckError(f"no check is named {code!r}; did you mean --subject {code}?")
    if subject is not None and ":" in subject:
        own = as_subject(import_own(subject, "--subject"))
        if isinstance(own.value, Problem):
            validated_data(own.value)  # a mistake in it is no failure of the framework
        chosen = list(cells(families, codes=codes, own=[own]))
        if not chosen:
            raise InitcheckError(
                f"no check of these can judge {subject}; leave CODES and --family out to see which can"
            )
    else:
        chosen = [cell for cell in cells(families, codes=codes) if subject in (None, cell.subject.name)]
    if not chosen:
        offered = {cell.subject.name for cell in cells(families, codes=codes)}
        near = difflib.get_close_matches(subject or "", sorted(offered), n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else "leave --subject out to see them"
        raise InitcheckError(f"no check of these has a subject named {subject!r}; {hint}")
    lab = get_lab(seed)
    good: list[bool] = []
    ran = 0
    with leaving(lambda: f"{len(good)} of {len(chosen)} checks were judged, {good.count(False)} failed; seed {seed}"):
        for cell in chosen:
            verdict = run_check(cell, lab)
            good.append(print_verdict(cell, verdict))
            ran += verdict.status is not Status.NOT_APPLICABLE
    idle = len(chosen) - ran
    if not ran and all(good):
        raise InitcheckError(
            f"nothing was judged: {format_count(idle, 'check')} not applicable, as said above; choose others; "
            f"seed {seed}"
        )
    counts = [f"{format_count(ran, 'check')} ran"]
    if ran or not all(good):
        counts.append(f"{good.count(False)} failed")
    if idle:
        counts.append(f"{idle:,} not applicable")
    say(f"initcheck: {', '.join(counts)}; seed {seed}")
    if deprecated := deprecations():
        say(f"initcheck: {count_deprecations(deprecated)}")
    raise SystemExit(0 if all(good) else 1)


@cli.command("self-test")
@click.argument("names", nargs=-1)
@click.option("--full", is_flag=True, help="Run every check on every fault, not only those that must see it.")
@target_option
@seed_option
@click.option("--workers", type=int, default=2, show_default=True, help="Processes at once.")
def self_test(names: tuple[str, ...], full: bool, seed: int, workers: int) -> None:
    """Break the installed framework on purpose, a fault at a time, and show which checks notice.

    NAMES of faults may be given; by default all are made. Nothing on disk is changed.
    """
    from initcheck.reporting.progress import progress_bar
    from initcheck.reporting.terminal import print_outcomes
    from initcheck.selftest import choose_mutants, run_selftest

    mutants = choose_mutants(names)
    outcomes: list[Outcome] = []

    def show() -> str:
        names = [mutant.name for mutant in mutants]
        print_outcomes(sorted(outcomes, key=lambda outcome: names.index(outcome.mutant.name)))
        return f"{len(outcomes)} of {len(mutants)} mutants were judged"

    with leaving(show), progress_bar("breaking the framework", len(mutants)) as advance:
        for outcome in run_selftest(mutants, seed=seed, full=full, workers=max(1, workers)):
            outcomes.append(outcome)
            advance(outcome.mutant.name, 1)
    show()
    raise SystemExit(0 if all(outcome.as_expected for outcome in outcomes) else 1)


cli.add_command(bounds)
cli.add_command(record)
cli.add_command(load_files)
cli.add_command(compare)
cli.add_command(compare_runs)
cli.add_command(doctor)
cli.add_command(judge_target)
cli.add_command(matrix)
cli.add_command(store_commands)
cli.add_command(upgrade)


def _sweep_with_progress(problem: Problem | OwnProblem, names: list[str], **settings: Any) -> Sweep:
    from initcheck.reporting.progress import progress_bar

    inits, orders = grid(settings["vary"], max(1, settings["reseeds"]))
    if settings["shard"] is not None:
        orders, inits = Share.read(settings["shard"]).cut(orders, inits)
    runs_of_each = len(inits) * len(orders)
    planned = len(find_initializers(names, "--initializers")) * runs_of_each
    if settings["vary"] == "init,order":  # more runs than were asked for, mostly
        say_aside(
            f"a grid of {len(inits):,} initial weights × {len(orders):,} orders: {runs_of_each:,} runs of each "
            "initializer"
        )
    with (
        progress_bar("training runs", planned) as advance,
        interrupted_between_steps() as run_finished,
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message=".*runs are kept")  # said at the end, below the table
        warnings.showwarning = lambda message, *_, **__: say_aside(f"warning: {message}")  # on one line

        def on_runs(runs: Runs) -> None:
            advance(runs.initializer, len(runs))
            run_finished()

        def on_found(runs: Runs) -> None:
            advance(runs.initializer, len(runs), found=True)
            run_finished()

        return sweep(problem, initializers=names, on_runs=on_runs, on_found=on_found, **settings)


def _say_stored(result: Sweep, store: Path | None, shard: str | None) -> None:
    """Says how much of a sweep the store had, and what comes after a share."""
    trained = result.finished - result.found
    say(f"store: {store} had {result.found:,} of these runs, {trained:,} were trained")
    if shard is not None and not result.stopped:
        say(f"share {shard} is finished; after all shares the same command without --shard gives the results")


def _end_stopped(result: Sweep, store: Path | None = None) -> None:
    """Ends a command whose sweep was stopped; the last line says what is kept."""
    place = f" in {store}" if store is not None else ""
    kept = f"the {result.finished} runs finished of {result.planned} are kept{place}"
    if result.stopped == INTERRUPTED:
        raise Interrupted(kept)
    if result.stopped:
        raise InitcheckError(f"{result.stopped}: {kept}; ask for fewer reseeds, or free some")


def _files(result: Sweep) -> dict[str, Iterable[str]]:
    from initcheck.reporting.saved_runs import sweep_files

    return sweep_files(result)


@contextlib.contextmanager
def _output_folder(folder: Path) -> Iterator[Callable[[Mapping[str, Iterable[str]]], None]]:
    """Makes sure before the work that its results can be written after it; gives the function that writes them.

    A folder made here is removed again if nothing was written to it.

    Raises:
        InitcheckError: The path is a file, or cannot be written to.
    """
    from initcheck.reporting.saved_runs import writable_folder, write_files

    absolute = folder.absolute()  # wherever the user's own code goes meanwhile
    with writable_folder(folder, "--out"):
        yield functools.partial(write_files, absolute)
