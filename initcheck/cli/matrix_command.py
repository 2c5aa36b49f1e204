"""The command ``initcheck matrix``, and the hidden one by which it judges one target."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from initcheck.cli.path_option import PATH, NamedPath
from initcheck.cli.seed_option import seed_option
from initcheck.cli.store_options import store_option
from initcheck.endings import Interrupted, say, uninterrupted
from initcheck.errors import InitcheckError
from initcheck.extras import ENVIRONMENTS, require_upgrade_extra
from initcheck.files import scratch_folder, write_whole
from initcheck.store.folder import Store
from initcheck.targets import TARGETS, VARIABLE, read_target

if TYPE_CHECKING:
    from initcheck.matrix.target_environments import Place
    from initcheck.matrix.target_records import TargetRecord
    from initcheck.upgrade.recordings import Advance

DEFAULT_OUT = "initcheck-matrix"


def _pairs(_context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for value in values:
        target, _, rest = value.partition("=")
        if not rest.strip():
            raise InitcheckError(
                f"{option.opts[0]} is {value!r:.80}; give {option.metavar}, such as {_EXAMPLES[option.name or '']}"
            )
        pairs.append((read_target(target.strip(), option.opts[0]), rest.strip()))
    return tuple(pairs)


_EXAMPLES = {"pythons": "torch=/path/to/python", "also": "'torch=torch==2.13.0'"}


@click.command()
@click.argument("targets", nargs=-1)
@click.option(
    "--python",
    "pythons",
    metavar="TARGET=PATH",
    multiple=True,
    callback=_pairs,
    help="An environment that is there, its interpreter or its folder, in place of a built one; may be given again.",
)
@click.option(
    "--with",
    "also",
    metavar="TARGET=REQUIREMENT",
    multiple=True,
    callback=_pairs,
    help="A further requirement of a target's environment; may be given again.",
)
@click.option("--refresh", is_flag=True, help="Build the environments anew.")
@click.option("--offline", is_flag=True, help="Build from what uv has in its cache.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 6),
    help="Targets at once.  [default: 2 where there are cores and memory for it]",
)
@seed_option
@store_option
@click.option(
    "--out",
    type=NamedPath(file_okay=False),
    default=DEFAULT_OUT,
    show_default=True,
    help="Folder for matrix.html, matrix.md and matrix.json.",
)
def matrix(
    targets: Sequence[str],
    pythons: Sequence[tuple[str, str]],
    also: Sequence[tuple[str, str]],
    refresh: bool,
    offline: bool,
    jobs: int | None,
    seed: int,
    store: Path | None,
    out: Path,
) -> None:
    """Judge several libraries by the same laws, and show them side by side: law × library, seeds × library.

    TARGETs are keras:tensorflow, keras:jax, keras:torch, torch, jax, flax (by default all of them), or
    package.module:attribute for a library of your own. Each is judged in a process and an environment of its own, which
    uv builds and keeps for the next call. A matrix with --store that was stopped goes on.

    Exit code 0 where all holds, or fails as is known; 1 where something else is refuted or left open, or a target could
    not be judged; 2 where none could. Needs the extra: pip install 'initcheck[upgrade]'.
    """
    from initcheck.matrix.law_tables import make_matrix
    from initcheck.reporting.matrix_page import FILES, matrix_files, summary
    from initcheck.reporting.progress import progress_of_each
    from initcheck.reporting.saved_runs import writable_folder, write_files

    require_upgrade_extra("initcheck matrix", ENVIRONMENTS)
    if offline:
        os.environ["UV_OFFLINE"] = "1"
    asked = tuple(dict.fromkeys(read_target(one, "TARGET") for one in targets)) or TARGETS
    places = _places(asked, pythons, also)
    if store is not None:
        Store.open(store)  # a mistake in it is said before anything is built
    reasons: dict[str, str] = {}
    with writable_folder(out, "--out", FILES):
        with progress_of_each(asked) as advance, scratch_folder(prefix="initcheck-matrix-") as scratch:
            interpreters = _interpreters(places, reasons, refresh=refresh, advance=advance)
            words = ["--seed", str(seed), *(["--store", str(store.absolute())] if store is not None else [])]
            records, stopped = _judge(interpreters, reasons, scratch, words=words, jobs=jobs, advance=advance)
        for target, reason in reasons.items():
            say(f"NOT JUDGED: {target}: {reason}")
        if not records:
            if stopped:
                raise Interrupted("nothing was written" + (f"; {store} keeps what is judged" if store else ""))
            raise InitcheckError("no target could be judged, as said above")
        made = make_matrix(seed, asked, records, reasons)
        with uninterrupted():
            write_files(out, matrix_files(made))
    for line in summary(made):
        say(line)
    say(f"page: {out / 'matrix.html'}   also: {out / 'matrix.md'}, {out / 'matrix.json'}")
    if stopped:
        goes_on = "; the same command goes on" if store else ""
        raise Interrupted(f"{out / 'matrix.html'} has {', '.join(records)}{goes_on}")
    raise SystemExit(0 if made.good and not reasons else 1)


@click.command("judge-target", hidden=True)
@click.argument("file", type=PATH)
@seed_option
@store_option
def judge_target(file: Path, seed: int, store: Path | None) -> None:
    """Judge the target of this process by the checks of draws, and write the verdicts to FILE."""
    from initcheck.matrix.target_judging import chosen_cells, judge_target
    from initcheck.reporting.progress import progress_lines

    with progress_lines(len(chosen_cells())) as advance:
        record = judge_target(seed, advance, store)
    write_whole(file, [record.model_dump_json(indent=1)])


def _places(
    asked: Sequence[str], pythons: Sequence[tuple[str, str]], also: Sequence[tuple[str, str]]
) -> dict[str, Place]:
    """Where each target is to be judged; a mistake in one is an error before anything is built."""
    from initcheck.matrix.target_environments import place_of

    for option, pairs in (("--python", pythons), ("--with", also)):
        for target, _ in pairs:
            if target not in asked:
                raise InitcheckError(f"{option} names {target}, which is not among the targets: {', '.join(asked)}")
    places = {}
    for target in asked:
        further = [requirement for name, requirement in also if name == target]
        try:
            places[target] = place_of(target, dict(pythons).get(target), further)
        except InitcheckError as error:
            raise InitcheckError(f"{target}: {error}") from None
    return places


def _interpreters(
    places: Mapping[str, Place], reasons: dict[str, str], *, refresh: bool, advance: Advance
) -> dict[str, Path]:
    """Each target's interpreter; one that cannot be had is a reason, and the others go on."""
    from initcheck.matrix.target_environments import interpreter_of

    found = {}
    for target, place in places.items():
        try:
            found[target] = interpreter_of(target, place, refresh=refresh, advance=advance)
        except InitcheckError as error:
            reasons[target] = f"its environment cannot be used: {error}"
    return found


def _judge(
    interpreters: Mapping[str, Path],
    reasons: dict[str, str],
    scratch: Path,
    *,
    words: Sequence[str],
    jobs: int | None,
    advance: Advance,
) -> tuple[dict[str, TargetRecord], bool]:
    """What each target's process has judged, and whether it was interrupted; one that ended is a reason."""
    from initcheck.matrix.target_records import read_record
    from initcheck.upgrade.carried import carry
    from initcheck.upgrade.recordings import InterpreterCommand, default_jobs, run_each

    tasks = {
        target: InterpreterCommand(python, ["judge-target", *words], {VARIABLE: target})
        for target, python in interpreters.items()
    }
    for target in tasks:
        advance(target, "judging", 0, 0)
    running = run_each(
        tasks, carried=carry(scratch / "carried"), folder=scratch, jobs=jobs or default_jobs(), advance=advance
    )
    records: dict[str, TargetRecord] = {}
    stopped = False
    try:
        for target, ended in running:
            if ended.file is None:
                reasons[target] = (
                    f"its process {ended.ending}: {' '.join(ended.last_lines[-1:]) or '(it said nothing)'}"
                )
            else:
                records[target] = read_record(ended.file)
    except KeyboardInterrupt:
        running.close()
        stopped = True
        reasons |= {target: "was interrupted" for target in tasks if target not in {*records, *reasons}}
    return {target: records[target] for target in tasks if target in records}, stopped
