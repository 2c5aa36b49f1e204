"""Shows progress: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from initcheck.endings import say, say_aside
from initcheck.texts import for_terminal

FIRST, PAUSE = 2.0, 15.0  # seconds until the first line, and between two
_SPEED = 180.0  # seconds over which a bar measures its speed: a worker of a cluster reports twice a minute


class Advance(Protocol):
    """Advances a bar by what was done, and how many steps; those that were found done tell nothing of its speed."""

    def __call__(self, now: str, steps: int, *, found: bool = False) -> None:
        """Advances it."""


@contextlib.contextmanager
def progress_bar(description: str, total: int, *, usual: str = "") -> Iterator[Advance]:
    """A bar with the time left, on stderr; gives the function that advances it.

    Where stderr is no terminal, a line at the start says how much is to do, and another one now and then how much of it
    is done and about how long the rest takes.

    Args:
        description: The work, such as ``training``.
        total: Steps.
        usual: Its usual duration, in words.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        with _lines(description, total, usual) as advance:
            yield advance
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, speed_estimate_period=_SPEED) as progress:
        task = progress.add_task("loading the framework", total=total)

        def advance(now: str, steps: int, *, found: bool = False) -> None:
            progress.update(task, advance=steps, description=for_terminal(now))
            if found:
                progress.reset(task, completed=int(progress.tasks[0].completed), total=total)

        yield advance


@contextlib.contextmanager
def _lines(description: str, total: int, usual: str) -> Iterator[Advance]:
    started, there, done, latest, ended = time.monotonic(), 0, 0, "loading the framework", threading.Event()

    def speak() -> None:
        pause = FIRST  # an error that is raised at once needs no line before it
        while not ended.wait(pause):
            pause = PAUSE
            each = (time.monotonic() - started) / (done - there) if done > there else None
            left = usual if each is None else f"about {format_seconds(each * (total - done))} left"
            say_aside(f"{description}: {done:,} of {total:,} steps done ({latest})" + (f", {left}" if left else ""))

    def advance(now: str, steps: int, *, found: bool = False) -> None:
        nonlocal started, there, done, latest
        done, latest = done + steps, now
        if found:
            started, there = time.monotonic(), done

    speaker = threading.Thread(target=speak, daemon=True)
    speaker.start()
    try:
        yield advance
    finally:
        ended.set()
        speaker.join()


def format_seconds(seconds: float) -> str:
    """A time for people: ``40 s``, ``3 min``, ``2.5 h``, ``12 days``."""
    for unit, size, most in (("s", 1, 100), ("min", 60, 100), ("h", 3600, 48)):
        if seconds < most * size:
            return f"{seconds / size:.{int(unit == 'h')}f} {unit}"
    return f"{seconds / 86400:,.0f} days"


@contextlib.contextmanager
def progress_lines(total: int) -> Iterator[Advance]:
    """The same as a line on stdout for each step, for a program that watches."""
    done = 0

    def advance(now: str, steps: int, *, found: bool = False) -> None:  # noqa: ARG001 - as of the others
        nonlocal done
        done += steps
        say(f"{done}/{total} {now}")

    yield advance


@contextlib.contextmanager
def progress_of_each(names: Sequence[str]) -> Iterator[Callable[[str, str, int, int], None]]:
    """A bar on stderr for each name; gives the function that shows what one does, its steps done and all of them.

    Where stderr is no terminal, a line says when one begins something, and now and then how far it is.
    """
    console = Console(stderr=True)
    shown, now = TextColumn("{task.fields[name]}"), TextColumn("{task.description}", markup=False)
    columns = (shown, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), now)
    bar = Progress(*columns, console=console, transient=True)
    with bar if console.is_terminal else contextlib.nullcontext():
        spoken = dict.fromkeys(names, 0.0)
        tasks = {name: bar.add_task("", total=None, name=name) for name in names}

        def show(name: str, what: str, done: int, total: int) -> None:
            bar.update(tasks[name], description=for_terminal(what), completed=done, total=total or None)
            if console.is_terminal:
                return
            if not total or time.monotonic() - spoken[name] >= PAUSE:
                spoken[name] = time.monotonic()
                say_aside(f"{name}: {what}" + (f" ({done:,} of {total:,} steps done)" if total else ""))

        yield show
