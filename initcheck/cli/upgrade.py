"""The command ``initcheck upgrade``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from initcheck.catalog.problems import get_problem
from initcheck.cli.baselines import compare, record
from initcheck.cli.path_option import NamedPath
from initcheck.cli.target_option import DEFAULT, OF_KERAS
from initcheck.endings import Interrupted, say, uninterrupted
from initcheck.errors import InitcheckError
from initcheck.extras import ENVIRONMENTS, require_upgrade_extra
from initcheck.files import require_writable, scratch_folder, write_whole
from initcheck.targets import TENSORFLOW, backend_of, modules_of, read_target, target, variables_of

if TYPE_CHECKING:
    from initcheck.upgrade.recordings import Advance, Recording
    from initcheck.upgrade.requirements import Source

DEFAULT_OUT = "initcheck-upgrade"
SIDES = ("old", "new")
_OWN = "files_of"  # which it does itself
_VERSION = re.compile(r"3\.\d+(\.\d+)?")


@click.command()
@click.argument("old", required=False)
@click.argument("new", required=False)
@click.option("--old-target", metavar="TARGET", help=f"The Keras that OLD is recorded on: {OF_KERAS}.  {DEFAULT}")
@click.option("--new-target", metavar="TARGET", help="The Keras that NEW is recorded on.  [default: that of OLD]")
@click.option("--python", help="Python of the environments, such as 3.11.  [default: the one that runs this]")
@click.option("--with", "both", multiple=True, help="A further requirement of both; may be given again.")
@click.option("--with-old", multiple=True, help="A further requirement of OLD; may be given again.")
@click.option("--with-new", multiple=True, help="A further requirement of NEW; may be given again.")
@click.option("--refresh", is_flag=True, help="Build the environments anew, as after a change of local files.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 2),
    help="Recordings at once.  [default: 2 where there are cores and memory for it]",
)
@click.option(
    "--out",
    type=NamedPath(file_okay=False),
    default=DEFAULT_OUT,
    show_default=True,
    help="Folder for old.json, new.json and report.html.",
)
@click.pass_context
def upgrade(
    context: click.Context,
    /,
    old: str | None,
    new: str | None,
    old_target: str | None,
    new_target: str | None,
    python: str | None,
    both: Sequence[str],
    with_old: Sequence[str],
    with_new: Sequence[str],
    refresh: bool,
    jobs: int | None,
    out: Path,
    **passed: Any,
) -> None:
    """Say what changes between two environments, each recorded as by record, by the words of compare.

    OLD and NEW are each a requirement such as tensorflow==2.15.1, a requirements file, or an environment that is there:
    its interpreter, or its folder. Without them --old-target and --new-target say what is compared, such as
    keras:tensorflow and keras:jax, in environments of what these need. Environments of requirements are built by uv and
    kept for the next call; nothing is installed into one that is there. A problem of your own,
    package.module:attribute, must be importable in both: from the current folder, or from a package that is installed
    in them.

    Exit code 0 where no cell is beyond what is allowed, 1 where one is or where one environment cannot be recorded,
    2 where nothing could be compared. Needs the extra: pip install 'initcheck[upgrade]'.
    """
    from initcheck.reporting.progress import progress_of_each

    require_upgrade_extra("initcheck upgrade", ENVIRONMENTS)
    if passed["model"] and context.get_parameter_source("problems") is ParameterSource.DEFAULT:
        passed["problems"] = ()  # as record has it
    shown = {str(one.name): passed[str(one.name)] for one in _options(compare)}
    words = [word for one in _options(record) for word in _words(one, passed[str(one.name)])]
    for name in passed["problems"]:
        if ":" not in name:  # one of the user's own need not be importable here
            get_problem(name)
    for one in _options(compare):
        if isinstance(one.type, click.Path) and (file := shown[str(one.name)]) is not None:
            require_writable(file, one.opts[0])
    targets = _targets(old_target, new_target)
    sources = _sources({"old": (old, with_old), "new": (new, with_new)}, both, python, targets)
    variables = {side: variables_of(name) if old_target or new_target else {} for side, name in targets.items()}
    with (
        progress_of_each(SIDES) as advance,
        scratch_folder(prefix="initcheck-upgrade-") as scratch,
    ):
        interpreters = _interpreters(sources, python, targets, refresh=refresh, advance=advance)
        _make_folder(out)
        recordings = _record(interpreters, words, variables, scratch, jobs, advance, out)
        if all(recording.file for recording in recordings.values()):
            _load_files(interpreters["new"], recordings, variables["new"], scratch / "carried", advance)
        kept = _keep(recordings, out)
    if len(kept) < len(SIDES):
        _tell_ends(recordings, sources, kept)
        raise SystemExit(1 if kept else 2)
    shown["html"] = shown["html"] or out / "report.html"
    say(f"page: {shown['html']}   baselines: {kept['old']}, {kept['new']}")
    context.invoke(compare, **kept, **shown)


def _options(command: click.Command) -> list[click.Option]:
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden and one.name != _OWN]
    return [one for one in options if one.expose_value]  # a side's target is its own


upgrade.params += [*_options(record), *_options(compare)]


def _words(option: click.Option, value: Any) -> list[str]:
    """The option as another process takes it."""
    name = option.opts[0]
    if option.is_flag:
        return [name] if value else []
    return [f"{name}={one}" for one in (value if option.multiple else [value]) if one is not None]


def _targets(old: str | None, new: str | None) -> dict[str, str]:
    """Each side's target: by default this process's, and the other side's.

    Raises:
        InitcheckError: One is none of Keras's.
    """
    first = target() if old is None else read_target(old.strip(), "--old-target")
    names = {"old": first, "new": first if new is None else read_target(new.strip(), "--new-target")}
    for side, name in names.items():
        if not backend_of(name):
            raise InitcheckError(f"--{side}-target {name} has no trainings to compare; give {OF_KERAS}")
    return names


def _sources(
    given: Mapping[str, tuple[str | None, Sequence[str]]],
    both: Sequence[str],
    python: str | None,
    targets: Mapping[str, str],
) -> dict[str, Source]:
    from initcheck.matrix.target_environments import place_of
    from initcheck.upgrade.carried import require_python
    from initcheck.upgrade.requirements import parse_source

    if python is not None:
        with _about(f"--python {python}"):
            if not _VERSION.fullmatch(python):
                raise InitcheckError("it is no version such as 3.11")
            require_python(python)
    sources = {}
    unnamed = [text for text, _ in given.values()].count(None)
    if unnamed == 1 or (unnamed and targets["old"] == targets["new"]):
        raise InitcheckError("give OLD and NEW, or two targets: --old-target keras:tensorflow --new-target keras:jax")
    for side, (text, also) in given.items():
        with _about(side.upper()):
            further = [*both, *also]
            sources[side] = place_of(targets[side], None, further) if text is None else parse_source(text, further)
    return sources


def _interpreters(
    sources: Mapping[str, Source], python: str | None, targets: Mapping[str, str], *, refresh: bool, advance: Advance
) -> dict[str, Path]:
    """Each side's interpreter; what cannot be resolved is reported before anything is built."""
    from initcheck.upgrade.carried import require_able
    from initcheck.upgrade.environments import Resolved, build, require_tensorflow, resolve
    from initcheck.upgrade.requirements import Interpreter

    needed = {side: modules_of(name) for side, name in targets.items()}
    resolved: dict[str, Resolved] = {}
    for side, source in sources.items():
        with _about(f"{side.upper()} {source}"):
            if isinstance(source, Interpreter):
                require_able(source.python, needed[side])
            else:
                advance(side, f"resolving {source}", 0, 0)
                resolved[side] = resolve(source, python)
                if targets[side] == TENSORFLOW:
                    require_tensorflow(resolved[side])
    built: dict[str, Path] = {}  # two sides may be of the same packages
    pythons = {}
    for side, source in sources.items():
        if isinstance(source, Interpreter):
            pythons[side] = source.python
            continue
        chosen = resolved[side]
        advance(side, f"installing {chosen.pins.count('==')} packages", 0, 0)
        with _about(f"{side.upper()} {source}"):
            if chosen.key not in built:
                built[chosen.key] = build(chosen, refresh=refresh)
            require_able(built[chosen.key], needed[side])
            pythons[side] = built[chosen.key]
    return pythons


def _record(
    interpreters: Mapping[str, Path],
    words: Sequence[str],
    variables: Mapping[str, Mapping[str, str]],
    scratch: Path,
    jobs: int | None,
    advance: Advance,
    out: Path,
) -> dict[str, Recording]:
    from initcheck.upgrade.carried import carry
    from initcheck.upgrade.recordings import Recording, default_jobs, record_each

    for side in interpreters:
        advance(side, "recording", 0, 0)
    carried = carry(scratch / "carried")
    recordings: dict[str, Recording] = {}
    ending = record_each(
        interpreters,
        words,
        variables=variables,
        carried=carried,
        folder=scratch,
        jobs=jobs or default_jobs(),
        advance=advance,
    )
    try:
        recordings.update(ending)
    except KeyboardInterrupt:
        ending.close()
        if not recordings:
            raise Interrupted("the recordings are ended; nothing was written") from None
        unfinished = {side: Recording(None, "was interrupted") for side in interpreters if side not in recordings}
        with uninterrupted():
            kept = _keep({**recordings, **unfinished}, out)
        files = ", ".join(str(file) for file in kept.values())
        raise Interrupted(f"{files or 'nothing'} is there; {', '.join(unfinished)} was not recorded") from None
    return {side: recordings[side] for side in interpreters}


def _load_files(
    python: Path, recordings: Mapping[str, Recording], variables: Mapping[str, str], carried: Path, advance: Advance
) -> None:
    """Has the new environment load the old one's saved models, if there are any."""
    from initcheck.baselines.records.store import load_baseline
    from initcheck.upgrade.recordings import load_files

    old, new = (recordings[side].file for side in SIDES)
    if old is None or new is None or not load_baseline(old).files:
        return
    advance("new", "loading OLD's files", 0, 0)
    if ending := load_files(python, old, new, variables=variables, carried=carried):
        say(f"NEW could not load OLD's files; it {ending}")


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InitcheckError(f"--out {out} cannot be made ({error.strerror or error}); name another folder") from None
    require_writable(out / "old.json", "--out")


def _keep(recordings: Mapping[str, Recording], out: Path) -> dict[str, Path]:
    """Puts the baselines into their folder; one of an earlier call must not pass for one that is missing."""
    kept = {}
    if any(recording.file is None for recording in recordings.values()):
        (out / "report.html").unlink(missing_ok=True)  # of an earlier call
    for side, recording in recordings.items():
        file = out / f"{side}.json"
        if recording.file is None:
            file.unlink(missing_ok=True)
        else:
            write_whole(file, [recording.file.read_text(encoding="utf-8")])
            kept[side] = file
    return kept


def _tell_ends(recordings: Mapping[str, Recording], sources: Mapping[str, Source], kept: Mapping[str, Path]) -> None:
    for side, recording in recordings.items():
        if recording.file is None:
            say(f"NOT COMPARED: {side.upper()} {sources[side]} cannot be recorded; it {recording.ending}:")
            for line in recording.last_lines or ("(it said nothing)",):
                say(f"  {line}")
        else:
            say(f"{side.upper()} {sources[side]} was recorded: {kept[side]}")


@contextmanager
def _about(what: str) -> Iterator[None]:
    """Names what an error is about."""
    try:
        yield
    except InitcheckError as error:
        raise InitcheckError(f"{what}: {error}") from None
