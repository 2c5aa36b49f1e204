"""A user's script as a black box: run in copies of its folder, under circumstances of our choice."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from initcheck.children import run_child
from initcheck.engines import script_pins
from initcheck.errors import InitcheckError
from initcheck.models.artifacts import ArtifactDifference, Field, compare_artifacts, read_artifact
from initcheck.texts import for_terminal

PATIENCE = 3600  # seconds that a run is given by default
HASHES, OTHER_HASHES = "20011", "20012"
THREADS = (
    "OMP_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)
_LEFT_OUT = {".git", ".hg", ".svn", "__pycache__", ".tox", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
_MOST_BYTES, _MOST_FILES = 4e9, 200_000  # of a folder
_OF_SHELLS = {"&&", "||", "|", ";", "&", ">", ">>", "<", "2>", "2>&1"}
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_MOST_WORDS = 200  # characters of what a script wrote last


@dataclass(frozen=True)
class Script:
    """A script and what it writes.

    Attributes:
        command: The program and its arguments.
        variables: Environment variables that were written before it.
        artifacts: The files or folders that it writes, from its folder.
        folder: Its folder, of which each run gets a copy.
        seconds: The time that a run is given.
    """

    command: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    artifacts: tuple[str, ...]
    folder: Path
    seconds: int = PATIENCE


@dataclass(frozen=True)
class Circumstances:
    """What a run is given that should not matter.

    Attributes:
        words: In words, for messages.
        elsewhere: Whether its folder is copied to another place.
        hashes: The seed of its string hashes.
        threads: The number of threads; the machine's where it is None.
        pins: The sources of chance that are pinned.
    """

    words: str
    elsewhere: bool = False
    hashes: str = HASHES
    threads: int | None = None
    pins: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScriptRun:
    """What one run has written.

    Attributes:
        artifacts: Artifact → its fields.
        seconds: The time that it took.
    """

    artifacts: dict[str, dict[str, Field]]
    seconds: float

    def differences(self, other: ScriptRun, ignored: Sequence[str] = ()) -> dict[str, ArtifactDifference]:
        """The artifacts that differ, in order, and how.

        Args:
            other: Another run of the same script.
            ignored: Patterns of fields that do not count, ``artifact:field``.
        """
        found = {}
        for name, fields in self.artifacts.items():
            patterns = [one.partition(":")[2] for one in ignored if PurePosixPath(name).match(one.partition(":")[0])]
            if difference := compare_artifacts(fields, other.artifacts[name], patterns):
                found[name] = difference
        return found


def script_of(command: str, artifacts: Sequence[str], folder: Path, seconds: int = PATIENCE) -> Script:
    """The script that a command line names; no shell reads it.

    Raises:
        InitcheckError: It is no command, there is no such program, or an artifact lies outside of the folder.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InitcheckError(f"--command {command!r} cannot be split ({error}); close its quotation marks") from None
    variables = []
    while words and (match := _ASSIGNED.fullmatch(words[0])):
        variables.append((match[1], match[2]))
        words.pop(0)
    if not words:
        raise InitcheckError(f"--command {command!r} names no program; write it as in a terminal: 'python train.py'")
    if of_shells := [word for word in words if word in _OF_SHELLS]:
        raise InitcheckError(f"--command has {of_shells[0]!r}, which only a shell understands; put it into a script")
    if not folder.is_dir():
        raise InitcheckError(f"--folder {folder} is no folder; name the one that the script is started in")
    _require_program(words[0], folder)
    if not artifacts:
        raise InitcheckError("--command needs an --artifact, a file that the script writes; name one or more")
    for artifact in artifacts:
        path = PurePosixPath(artifact)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise InitcheckError(
                f"--artifact {artifact} is not within the folder; name it from there, such as out/model.keras"
            )
    return Script(tuple(words), tuple(variables), tuple(dict.fromkeys(artifacts)), folder.resolve(), seconds)


class ScriptRunner:
    """Runs a script, each time in a fresh copy of its folder.

    Args:
        script: The script.
        place: An empty folder for the copies.
        seed: Of whatever is pinned.
    """

    def __init__(self, script: Script, place: Path, seed: int) -> None:
        self._script = script
        self._place = place
        self._seed = seed
        self.runs = 0
        _require_small(script.folder, place)
        pins = place / "pins"
        pins.mkdir()
        shutil.copyfile(script_pins.__file__, pins / "sitecustomize.py")

    def run(self, given: Circumstances) -> ScriptRun:
        """One run.

        Raises:
            InitcheckError: It failed, did not end in time or write an artifact; or the folder cannot be copied.
        """
        # The same path each time: one that is not may be written into a model, or into a seed.
        copy = self._place / ("elsewhere/there" if given.elsewhere else "here") / (self._script.folder.name or "root")
        scratch = self._place / "tmp"
        self.runs += 1
        try:
            scratch.mkdir()
            try:
                _copy_folder(self._script.folder, copy, self._place)
            except OSError as error:
                raise InitcheckError(
                    f"{self._script.folder} cannot be copied ({error.strerror or error}); name a smaller --folder"
                ) from None
            for name in self._script.artifacts:
                _remove(copy / name)
            before = {file: file.stat().st_mtime_ns for file in _files(copy) if file.exists()}
            start = time.monotonic()
            self._run(copy, scratch, given)
            seconds = time.monotonic() - start
            for name in self._script.artifacts:
                if not (copy / name).exists():
                    written = [
                        str(file.relative_to(copy))
                        for file in _files(copy)
                        if file.exists() and before.get(file) != file.stat().st_mtime_ns
                    ]
                    hint = f"it wrote {for_terminal(', '.join(sorted(written)[:3]))}" if written else "it wrote nothing"
                    raise InitcheckError(f"the script did not write {name} ({given.words}; {hint}); correct --artifact")
            return ScriptRun({name: read_artifact(copy / name) for name in self._script.artifacts}, seconds)
        finally:
            for left in (scratch, copy):
                _remove(left)

    def _run(self, copy: Path, scratch: Path, given: Circumstances) -> None:
        variables = {**os.environ, "PYTHONHASHSEED": os.environ.get("PYTHONHASHSEED") or HASHES, "TMPDIR": str(scratch)}
        if given.hashes != HASHES:
            variables["PYTHONHASHSEED"] = given.hashes
        if given.threads is not None:
            variables |= dict.fromkeys(THREADS, str(given.threads))
        if given.pins:
            path = [str(self._place / "pins"), *filter(None, [os.environ.get("PYTHONPATH")])]
            variables |= {
                "PYTHONPATH": os.pathsep.join(path),
                "INITCHECK_PINS": ",".join(given.pins),
                "INITCHECK_PIN_SEED": str(self._seed),
            }
        variables |= dict(self._script.variables)
        try:
            done = run_child(self._script.command, variables=variables, seconds=self._script.seconds, folder=copy)
        except OSError as error:
            raise InitcheckError(
                f"the script cannot be started: {error.strerror or error}; correct --command"
            ) from None
        if done.code is None:
            raise InitcheckError(
                f"the script has not ended within {self._script.seconds:,} s ({given.words}); "
                "give it longer with --timeout"
            )
        if done.code:
            lines = [line.strip() for line in (done.notes.strip() or done.output).splitlines() if line.strip()]
            last = f": {for_terminal(lines[-1])[:_MOST_WORDS]}" if lines else ""
            raise InitcheckError(f"the script {_ending(done.code)} ({given.words}){last}; let it end with 0")


def _ending(code: int) -> str:
    if code > 0:
        return f"ends with exit code {code}"
    try:
        return f"is ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"is ended by signal {-code}"


def _require_program(program: str, folder: Path) -> None:
    place = folder / program if os.sep in program else None
    if (shutil.which(program) if place is None else place.is_file() and os.access(place, os.X_OK)) in (None, False):
        raise InitcheckError(f"--command: there is no program {for_terminal(program)!r} to be started; correct it")


def _require_small(folder: Path, place: Path) -> None:
    size = 0
    for count, file in enumerate(_files(folder, place)):
        size += file.lstat().st_size
        if size > _MOST_BYTES or count > _MOST_FILES:
            raise InitcheckError(
                f"{folder} holds more than {_MOST_BYTES / 1e9:g} GB or {_MOST_FILES:,} files, and is copied for each "
                "run; name the script's own folder with --folder"
            )


def _is_left_out(entry: os.DirEntry[str], place: Path) -> bool:
    return entry.name in _LEFT_OUT or entry.path == str(place)


def _is_environment(entry: os.DirEntry[str]) -> bool:
    return Path(entry.path, "pyvenv.cfg").exists() or entry.name == "node_modules"


def _files(folder: Path, place: Path = Path()) -> Iterator[Path]:
    """The files that a copy holds."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not _is_left_out(entry, place) and not _is_environment(entry):
                    yield from _files(Path(entry.path), place)
            else:
                yield Path(entry.path)


def _copy_folder(source: Path, target: Path, place: Path) -> None:
    """Copies a folder without its caches and history; environments are linked."""
    target.mkdir(parents=True)
    with os.scandir(source) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        copy = target / entry.name
        if entry.is_symlink():
            link = Path(entry.path).readlink()
            inside = link.is_absolute() or Path(entry.path).resolve().is_relative_to(source)
            copy.symlink_to(link if inside else Path(entry.path).resolve())
        elif entry.is_dir():
            if _is_left_out(entry, place):
                continue
            if _is_environment(entry):
                copy.symlink_to(entry.path)
            else:
                _copy_folder(Path(entry.path), copy, place)
        elif entry.is_file():
            shutil.copy2(entry.path, copy)


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)
