"""Processes that a test starts, and that end with it."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def ended_processes(
    end: Callable[[subprocess.Popen[Any]], object] = subprocess.Popen.kill,
) -> Iterator[list[subprocess.Popen[Any]]]:
    """A list for what a test starts, each of which is ended with it, and its pipes closed."""
    started: list[subprocess.Popen[Any]] = []
    yield started
    for process in started:
        end(process)
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
