"""Runs commands of initcheck in other interpreters, side by side, and says how each ended."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from initcheck.children import leashed
from initcheck.upgrade.environments import clean_variables

_STEP = re.compile(r"(\d+)/(\d+) (.+)")
_LAST_LINES = 8
_PAUSE = 0.1  # seconds between two looks at what runs
_MEMORY = 4e9  # bytes for two recordings at once

Advance = Callable[[str, str, int, int], None]


@dataclass(frozen=True)
class InterpreterCommand:
    """A command of initcheck that writes a file.

    Attributes:
        python: The interpreter that runs it.
        words: The command and its options; the file comes after them.
        variables: Added to its environment.
    """

    python: Path
    words: Sequence[str]
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Recording:
    """The outcome of such a command.

    Attributes:
        file: The file; None where there is none.
        ending: The reason where there is no file, in words.
        last_lines: The last lines of its output.
    """

    file: Path | None
    ending: str = ""
    last_lines: tuple[str, ...] = ()


def default_jobs() -> int:
    """2 where the machine has two cores, and memory for two frameworks; else 1."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else _MEMORY
    return 2 if (os.cpu_count() or 1) >= 2 and pages >= _MEMORY else 1


def record_each(
    interpreters: Mapping[str, Path],
    words: Sequence[str],
    *,
    carried: Path,
    folder: Path,
    jobs: int,
    advance: Advance,
    variables: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> Generator[tuple[str, Recording], None, None]:
    """A baseline from each interpreter, by name, as each recording ends.

    Every recording has the same number of threads, however many run at once: bits depend on it.

    Args:
        interpreters: Name → interpreter.
        words: Options of ``initcheck record``.
        variables: Name → what is added to the interpreter's environment variables: its target, for example.
        carried: The folder of ``initcheck.upgrade.carried.carry``.
        folder: For the baselines, and the processes' output.
        jobs: The number of recordings at once.
        advance: Called with a name, what it does, how many steps it has done and how many there are.
    """
    tasks = {
        name: InterpreterCommand(python, ["record", "--steps", *words], variables.get(name, {}))
        for name, python in interpreters.items()
    }
    yield from run_each(tasks, carried=carried, folder=folder, jobs=jobs, advance=advance)


def run_each(
    tasks: Mapping[str, InterpreterCommand], *, carried: Path, folder: Path, jobs: int, advance: Advance
) -> Generator[tuple[str, Recording], None, None]:
    """The outcome of each command, by name, as each ends; the arguments are those of ``record_each``."""
    waiting = list(tasks)
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                name = waiting.pop(0)
                running[name] = _start(tasks[name], _file(folder, name), carried, folder / name)
            for name, process in list(running.items()):
                if step := _latest_step(folder / f"{name}.out"):
                    advance(name, *step)
                if process.poll() is not None:
                    del running[name]
                    yield name, _ended(process.returncode, folder, name)
            time.sleep(_PAUSE)
    finally:
        for process in running.values():
            process.kill()
        for process in running.values():
            process.wait()


def load_files(python: Path, old: Path, new: Path, *, variables: Mapping[str, str], carried: Path) -> str:
    """Adds to the new baseline what its interpreter makes of the old one's saved models.

    Args:
        python: The interpreter that recorded the new baseline.
        old: The old baseline.
        new: The new baseline, which is written anew.
        variables: Added to its environment variables.
        carried: As in ``record_each``.

    Returns:
        How it ended where it failed, and then the new baseline is as it was; else nothing.
    """
    command = [str(python), "-P", "-m", "initcheck", "load-files", "--", str(old), str(new)]
    given = {**clean_variables(), **variables, "PYTHONPATH": str(carried)}
    done = subprocess.run(
        leashed(command),
        env=given,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    return " ".join([_describe(done.returncode), *_last_lines(done.stderr)[-1:]]) if done.returncode else ""


def _start(task: InterpreterCommand, file: Path, carried: Path, said: Path) -> subprocess.Popen[bytes]:
    # -P: the folder that the caller stands in, a checkout of initcheck perhaps, must not be imported from.
    command = [str(task.python), "-P", "-m", "initcheck", *task.words, "--", str(file)]
    with Path(f"{said}.out").open("wb") as out, Path(f"{said}.err").open("wb") as err:
        variables = {**clean_variables(), **task.variables, "PYTHONPATH": str(carried), "PYTHONUNBUFFERED": "1"}
        return subprocess.Popen(leashed(command), env=variables, stdin=subprocess.DEVNULL, stdout=out, stderr=err)


def _ended(code: int, folder: Path, name: str) -> Recording:
    file = _file(folder, name)
    if code == 0 and file.exists():
        return Recording(file)
    return Recording(None, _describe(code), _last_lines((folder / f"{name}.err").read_text(errors="replace")))


def _describe(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was ended by {name}" + (" (no memory left, perhaps)" if name == "SIGKILL" else "")


def _last_lines(output: str) -> tuple[str, ...]:
    """The last lines, without the frames of a traceback: its message says what happened, its frames are ours."""
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    start = next((number for number, line in enumerate(lines) if line.startswith("Traceback (most")), len(lines))
    kept = lines[:start] + [line for line in lines[start:] if not line.startswith((" ", "Traceback (most"))]
    return tuple(kept[-_LAST_LINES:])


def _latest_step(file: Path) -> tuple[str, int, int] | None:
    steps = _STEP.findall(file.read_text(errors="replace"))
    if not steps:
        return None
    done, total, now = steps[-1]
    return now, int(done), int(total)


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"
