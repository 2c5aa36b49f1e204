"""The commands ``initcheck record`` and ``initcheck compare``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from initcheck.baselines.comparing.classes import CLASSES, allowed
from initcheck.catalog.problems import DEFAULT_PROBLEMS
from initcheck.cli.comparison_options import (
    allow_option,
    asked_files,
    json_option,
    markdown_option,
    what_is_there,
    write_files,
)
from initcheck.cli.path_option import PATH
from initcheck.cli.seed_option import seed_option
from initcheck.endings import leaving, say, uninterrupted
from initcheck.errors import InitcheckError
from initcheck.files import require_writable, write_whole
from initcheck.frameworks.own import find_problem


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
@seed_option
@click.option(
    "--files-of", type=PATH, metavar="OLD", help="A baseline whose saved models are loaded, and judged by compare."
)
@click.option("--steps", is_flag=True, hidden=True, help="Say each step on stdout, for a program that watches.")
def record(
    file: Path, problems: Sequence[str], reseeds: int | None, seed: int, files_of: Path | None, steps: bool
) -> None:
    """Write the evidence of the installed framework to FILE, to be compared with that of another environment."""
    from initcheck.baselines.records.store import load_baseline, write_baseline
    from initcheck.frameworks.keras import to_record
    from initcheck.reporting.progress import progress_bar, progress_lines

    if reseeds is not None and reseeds < 0:
        raise InitcheckError(f"--reseeds is {reseeds}; it may be 0, for no accuracies, or more")
    require_writable(file, "FILE", after_work=True)
    chosen = {problem.name: problem for problem in map(find_problem, problems)}
    files = load_baseline(files_of).files if files_of else {}

    from initcheck.baselines.recording.record import record as gather
    from initcheck.baselines.recording.record import steps_of
    from initcheck.baselines.recording.saved_models import with_loaded

    total = steps_of(list(chosen.values()))
    with (
        leaving("no baseline was written"),
        to_record(),
        progress_lines(total) if steps else progress_bar("recording", total, usual="one to three minutes") as advance,
    ):
        baseline = gather(list(chosen.values()), reseeds=reseeds, seed=seed, advance=advance)
        if files:
            baseline = with_loaded(baseline, files)
    text = write_baseline(baseline)
    with uninterrupted(f"{file} is there"):
        write_whole(file, [text])
    where = ", ".join(f"{name} {baseline.environment.versions[name]}" for name in ("tensorflow", "keras"))
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
    CLASSES, "What a cell may be, with what is better than it; may be given again.  [default: within-tolerance]"
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
    comparison = find_differences(load_baseline(old), load_baseline(new), allowed([CLASSES[one] for one in allow]))
    write: dict[str, Callable[[], str]] = {
        "--json": lambda: comparison_json(comparison),
        "--markdown": lambda: render_comment(comparison),
        "--html": lambda: render_comparison(comparison),
    }
    with uninterrupted(what_is_there(files)):
        write_files(files, write)
        print_comparison(comparison)
    raise SystemExit(1 if comparison.beyond() else 0)
