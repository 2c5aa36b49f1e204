"""The commands ``initcheck store …``."""

from __future__ import annotations

from pathlib import Path

import click

from initcheck.cli.path_option import PATH
from initcheck.cli.store_options import format_option
from initcheck.endings import leaving, say
from initcheck.errors import InitcheckError
from initcheck.store.folder import Store
from initcheck.store.part_formats import PartFormat
from initcheck.store.upkeep import clean, holdings, merge, mistakes_in

_store = click.argument("folder", metavar="DIR", type=PATH)


@click.group()
def store() -> None:
    """The folders of --store: what is in one, whether it is whole, several made one."""


@store.command()
@_store
def show(folder: Path) -> None:
    """Show what a store has: problems, engines, environments, numbers of runs."""
    found = list(holdings(Store(folder)))
    for one in found:
        versions = ", ".join(f"{name} {version}" for name, version in one.versions.items())
        say(f"{one.name}: {one.problem}, seed {one.seed}, {one.engine}; {versions}, initcheck {one.initcheck}")
        runs = ", ".join(f"{count:,} of {name}" for name, count in one.runs.items()) or "none"
        kept = f"runs: {runs}" if one.runs or not one.texts else f"texts: {one.texts:,}"
        say(f"  {kept}; {one.parts + one.texts:,} files, {one.bytes / 1e6:.3g} MB")
    if not found:
        say(f"{folder} has no runs yet")


@store.command()
@_store
def verify(folder: Path) -> None:
    """Read every byte of a store, and say what is damaged or foreign.

    Exit code 0 where all is whole, 1 where something is not.
    """
    count = 0
    for line in mistakes_in(Store(folder)):
        say(line)
        count += 1
    say(f"initcheck: {folder} is whole" if not count else f"initcheck: {count:,} of {folder} are not as they should be")
    raise SystemExit(1 if count else 0)


@store.command()
@_store
def gc(folder: Path) -> None:
    """Remove what no run needs, and join small files.

    Half-written and damaged files go, and questions without a run; no finished run does.
    """
    with leaving(f"{folder} is whole"):
        gone = clean(Store(folder))
    say(f"{folder}: " + ", ".join(f"{count:,} {what}" for what, count in gone.items()) + " gone")


@store.command("merge")
@click.argument("folders", metavar="DIR...", nargs=-1, type=PATH, required=True)
@click.option("--store", "into", type=PATH, required=True, help="The store to put their runs into; made if missing.")
@format_option
def merge_(folders: tuple[Path, ...], into: Path, store_format: str | None) -> None:
    """Copy the runs of several stores into one, such as those of shares, or of one into another format."""
    sources = [Store(folder) for folder in folders]
    with leaving(f"{into} has some of the runs; the same command goes on"):
        form = PartFormat(store_format) if store_format else None
        merged = merge(sources, Store.open(into, form, default=sources[0].form))
    for name, runs in merged.items():
        say(f"{name}: {runs:,} results")
    if not merged:
        raise InitcheckError(f"{', '.join(map(str, folders))} have no runs; name stores of --store")


@store.command()
@_store
@click.option("--question", help="The name of a folder in it.  [default: its only one]")
@click.option("--out", type=PATH, default="initcheck-results", show_default=True, help="Folder for the results.")
def report(folder: Path, question: str | None, out: Path) -> None:
    """Write the results of a stored sweep, as initcheck run does, on any machine: nothing is trained."""
    from initcheck.reporting.saved_runs import save, writable_folder
    from initcheck.reporting.stored_sweeps import load_stored
    from initcheck.reporting.terminal import print_answers

    with writable_folder(out, "the folder"), leaving("nothing was written"):
        sweep = load_stored(folder, question, scratch=out)
        if not sweep.groups:
            raise InitcheckError(f"{folder} has no run of that question yet")
        save(sweep, out)
    print_answers(sweep)
    say(f"{sweep.finished:,} runs of {sweep.planned:,}; report: {out / 'report.html'}")
