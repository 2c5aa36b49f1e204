"""The commands ``initcheck record`` and ``initcheck compare``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from initcheck.baselines.comparing.classes import CLASSES, Class, allowed
from initcheck.catalog.own_problems import OwnProblem
from initcheck.catalog.problems import DEFAULT_PROBLEMS, Problem
from initcheck.cli.comparison_options import (
    allow_option,
    asked_files,
    json_option,
    markdown_option,
    what_is_there,
    write_files,
)
from initcheck.cli.model_options import ModelOptions, model_options
from initcheck.cli.path_option import PATH
from initcheck.cli.seed_option import seed_option
from initcheck.cli.store_options import store_option
from initcheck.cli.target_option import keras_target_option
from initcheck.endings import leaving, say, uninterrupted
from initcheck.errors import InitcheckError
from initcheck.files import require_writable, write_whole
from initcheck.frameworks.own import find_any_problem
from initcheck.store.folder import Store


@click.command()
@click.argument("file", type=PATH)
@click.option(
    "--problem",
    "problems",
    multiple=True,
    default=DEFAULT_PROBLEMS,
    show_default=True,
    help="What to train: a name, or package.module:attribute; may be given again.",
)
@click.option(
    "--reseeds",
    type=int,
    help="Runs of each problem and initializer for the accuracies; 0 for none.  [default: 300, or 0 where the ensemble "
    "engine is unsupported, as under Keras 2]",
)
@model_options
@click.option("--data", metavar="package.module:data", help="What makes the data of --model.")
@click.option("--epochs", type=int, help="Passes over the data of --model.  [default: 10]")
@click.option("--batch-size", type=int, help="Rows of a step of --model.  [default: 32]")
@seed_option
@click.option(
    "--files-of", type=PATH, metavar="OLD", help="A baseline whose saved models are loaded, and judged by compare."
)
@store_option
@keras_target_option
@click.option("--steps", is_flag=True, hidden=True, help="Say each step on stdout, for a program that watches.")
@click.pass_context
def record(
    context: click.Context,
    /,
    file: Path,
    problems: Sequence[str],
    own: ModelOptions,
    data: str | None,
    epochs: int | None,
    batch_size: int | None,
    reseeds: int | None,
    seed: int,
    files_of: Path | None,
    store: Path | None,
    steps: bool,
) -> None:
    """Write the evidence of the installed framework to FILE, to be compared with that of another environment.

    With --model, a model of yours as it is takes the place of the default problems.
    """
    from initcheck.baselines.comparing.judge import versions_of
    from initcheck.baselines.records.store import load_baseline, write_baseline
    from initcheck.frameworks.keras import to_record
    from initcheck.reporting.progress import progress_bar, progress_lines

    if reseeds is not None and reseeds < 0:
        raise InitcheckError(f"--reseeds is {reseeds}; it may be 0, for no accuracies, or more")
    require_writable(file, "FILE", after_work=True)
    if own.model is None and (given := {"--data": data, "--epochs": epochs, "--batch-size": batch_size}):
        for option in [name for name, value in given.items() if value is not None]:
            raise InitcheckError(f"{option} is about the model of --model, which is not given")
    mine = own.choose(data, batch_size, epochs)
    if mine and context.get_parameter_source("problems") is ParameterSource.DEFAULT:
        problems = ()
    named = [find_any_problem(problem) for problem in problems]
    chosen = {problem.name: problem for problem in named if isinstance(problem, Problem)}
    models = {model.name: model for model in (mine, *named) if isinstance(model, OwnProblem)}
    files = load_baseline(files_of).files if files_of else {}
    kept = None if store is None else Store.open(store)

    from initcheck.baselines.recording.record import record as gather
    from initcheck.baselines.recording.record import steps_of
    from initcheck.baselines.recording.saved_models import with_loaded

    total = steps_of(list(chosen.values()), list(models.values()))
    with (
        leaving("no baseline was written" + (f"; what was finished is kept in {store}" if store else "")),
        to_record(),
        progress_lines(total) if steps else progress_bar("recording", total, usual="one to three minutes") as advance,
    ):
        baseline = gather(
            list(chosen.values()),
            reseeds=reseeds,
            seed=seed,
            advance=advance,
            models=list(models.values()),
            store=kept,
        )
        if files:
            baseline = with_loaded(baseline, files)
    text = write_baseline(baseline)
    with uninterrupted(f"{file} is there"):
        write_whole(file, [text])
    where = versions_of(baseline)
    say(f"baseline of {where}: {file} ({len(text.encode()) / 1000:.0f} kB)")


@click.command(hidden=True)
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
def load_files(old: Path, new: Path) -> None:
    """Load the saved models of OLD, and add to NEW, recorded here, what became of them."""
    from initcheck.baselines.recording.saved_models import with_loaded
    from initcheck.baselines.records.store import load_baseline, write_baseline
    from initcheck.frameworks.keras import to_record

    with to_record():
        write_whole(new, [write_baseline(with_loaded(load_baseline(new), load_baseline(old).files))])


@click.command()
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@click.option("--html", type=PATH, help="Write a page with everything that a decision needs to this file.")
@markdown_option
@json_option
@allow_option(
    CLASSES,
    "What a cell may be, with what is better than it; may be given again.  [default: within-tolerance; between two "
    "targets same-distribution]",
)
def compare(
    old: Path, new: Path, html: Path | None, markdown: Path | None, json_file: Path | None, allow: Sequence[str]
) -> None:
    """Compare two baselines: what changed, since which stage, by how much.

    Exit code 0 where no cell is beyond what is allowed, 1 where one is, 2 where they could not be compared.
    """
    from initcheck.baselines.comparing.compare import compare as find_differences
    from initcheck.baselines.records.store import load_baseline
    from initcheck.reporting.comparisons.json_text import comparison_json
    from initcheck.reporting.comparisons.markdown import render_comment
    from initcheck.reporting.terminal import print_comparison

    if html is not None:
        from initcheck.reporting.comparisons.comparison_page import render_comparison  # matplotlib is heavy

    files = asked_files({"--json": json_file, "--markdown": markdown, "--html": html}, {old: "OLD", new: "NEW"})
    sides = load_baseline(old), load_baseline(new)
    across = len({side.environment.target for side in sides}) > 1  # whose draws are promised to be of one law, no more
    named = [CLASSES[one] for one in allow] or ([Class.SAME_DISTRIBUTION] if across else [])
    comparison = find_differences(*sides, allowed(named))
    write: dict[str, Callable[[], str]] = {
        "--json": lambda: comparison_json(comparison),
        "--markdown": lambda: render_comment(comparison),
        "--html": lambda: render_comparison(comparison),
    }
    with uninterrupted(what_is_there(files)):
        write_files(files, write)
        print_comparison(comparison)
    raise SystemExit(1 if comparison.beyond() else 0)
