"""Processes that end with the one that started them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Asks the kernel (prctl, PR_SET_PDEATHSIG) for SIGKILL when the parent ends, then becomes the command.
_LEASH = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)
if os.getppid() != int(sys.argv[1]):
    sys.exit(137)
os.execvp(sys.argv[2], sys.argv[2:])
"""


_MOST_OUTPUT = 1 << 28  # bytes, the last ones


@dataclass(frozen=True)
class EndedChild:
    """A process that has ended.

    Attributes:
        code: Its exit code, negative for a signal; None where its time was up and it was ended.
        output: What it wrote to standard output.
        notes: What it wrote to standard error.
    """

    code: int | None
    output: str
    notes: str

    def answer(self, mark: str) -> str | None:
        """The rest of the last line of output that begins with that mark; None where there is none."""
        lines = [line for line in self.output.splitlines() if line.startswith(mark)]
        return lines[-1].removeprefix(mark) if lines else None


def leashed(command: Sequence[str]) -> list[str]:
    """The command in a form that is ended as soon as this process is, even by ``kill -9``.

    The thread that starts it has to live as long as the command. Linux alone can do this; elsewhere the command is
    returned as it is.
    """
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", "-c", _LEASH, str(os.getpid()), *command]


def run_child(
    command: Sequence[str],
    *,
    variables: Mapping[str, str],
    seconds: float,
    question: str = "",
    folder: Path | None = None,
) -> EndedChild:
    """Runs a command to its end; what it has started itself ends with it, as it does when this process is interrupted.

    Args:
        command: The program and its arguments.
        variables: Its environment.
        seconds: The time that it is given.
        question: What it reads from standard input.
        folder: Its working folder; by default this process's.

    Raises:
        OSError: It cannot be started.
    """
    # Files, not pipes: a pipe is open as long as any grandchild holds it.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(question.encode())
        given.seek(0)
        process = subprocess.Popen(
            leashed(command),
            env=dict(variables),
            cwd=folder,
            stdin=given,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        code: int | None = None
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(seconds)
        finally:
            _end(process)
        texts = []
        for file in (out, err):
            file.seek(max(0, file.seek(0, os.SEEK_END) - _MOST_OUTPUT))
            texts.append(file.read().decode(errors="replace"))
    return EndedChild(code, *texts)


def fresh_variables(hashes: str) -> dict[str, str]:
    """The environment of a fresh Python with those string hashes; it imports what this one does, in the same order."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONHASHSEED": hashes,
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and all others of its session."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
