"""The commands ``initcheck record`` and ``initcheck compare``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from initcheck.catalog.problems import PROBLEMS, get_problem
from initcheck.errors import InitcheckError
from initcheck.files import require_writable, write_whole
from initcheck.training.seeding import DEFAULT_SEED

DEFAULT_PROBLEMS = tuple(name for name in PROBLEMS if name != "banknotes")  # whose data has to be fetched

_path = click.Path(path_type=Path)


@click.command()
@click.argument("file", type=_path)
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
    help="Runs of each problem and initializer for the accuracies; 0 for none.  [default: 300, or 5 where the ensemble "
    "engine does not serve]",
)
@click.option("--seed", type=int, default=DEFAULT_SEED, show_default=True, help="The root seed of every stream.")
def record(file: Path, problems: Sequence[str], reseeds: int | None, seed: int) -> None:
    """Write the evidence of the installed framework to FILE, to be compared with that of another environment."""
    from initcheck.baselines.store import write_baseline
    from initcheck.reporting.terminal import progress_bar

    if reseeds is not None and reseeds < 0:
        raise InitcheckError(f"--reseeds is {reseeds}; it may be 0, for no accuracies, or more")
    chosen = {problem.name: problem for problem in map(get_problem, problems)}
    require_writable(file, "FILE")

    from initcheck.baselines.record import record as gather
    from initcheck.baselines.record import steps_of

    with progress_bar("loading the framework", steps_of(list(chosen.values()))) as advance:
        found = gather(list(chosen.values()), reseeds=reseeds, seed=seed, advance=advance)
    text = write_baseline(found)
    write_whole(file, [text])
    where = ", ".join(f"{name} {found.environment.versions[name]}" for name in ("tensorflow", "keras"))
    click.echo(f"baseline of {where}: {file} ({len(text.encode()) / 1000:.0f} kB)")
