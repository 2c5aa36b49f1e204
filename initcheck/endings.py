"""One way to end: whatever stops a command, what is finished is kept, the last line says what is there.

Exit codes: 0, as the command says; 1, only where it says so: something changed or failed; 2, it could not be done;
128 and the number of the signal (130 for Ctrl-C, 143 for SIGTERM), it was interrupted.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TextIO

import click

from initcheck.errors import InitcheckError
from initcheck.texts import for_terminal

_STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_received = [signal.SIGINT]  # the last one that asked this process to stop


class Interrupted(Exception):
    """The work was interrupted; the message says what is there now."""


def say(line: str) -> None:
    """Writes a line to stdout, made harmless for a terminal."""
    sys.stdout.write(for_terminal(line) + "\n")
    sys.stdout.flush()


def say_aside(line: str) -> None:
    """Writes a line to stderr, made harmless for a terminal."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # there is nowhere to say it
        sys.stderr.write(f"initcheck: {for_terminal(' '.join(line.split()))}\n")
        sys.stderr.flush()


@contextlib.contextmanager
def leaving(what: str | Callable[[], str]) -> Iterator[None]:
    """States what an interruption leaves: it ends the block with that as its message.

    Args:
        what: In words, or a function that finds them then.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(what if isinstance(what, str) else what()) from None


@contextlib.contextmanager
def interrupted_between_steps() -> Iterator[Callable[[], None]]:
    """Lets a signal take effect after the step under way; gives the function to call as each is finished.

    Raised inside of the framework, the exception may be lost in a callback of its C++ part. Before the first step, or
    asked for again, it is raised at once all the same.
    """
    finished = asked = False

    def ask(number: int, _: object) -> None:
        nonlocal asked
        _received[0] = signal.Signals(number)
        if asked or not finished:
            raise KeyboardInterrupt
        asked = True

    def step_finished() -> None:
        nonlocal finished
        finished = True
        if asked:
            raise KeyboardInterrupt

    with _handled_by(ask):
        yield step_finished


@contextlib.contextmanager
def interrupted_even_if_lost() -> Iterator[None]:
    """Raises ``KeyboardInterrupt`` at the end of a block that may lose it, or raise an error of its own for it."""
    asked = False

    def ask(number: int, frame: object) -> None:
        nonlocal asked
        asked = True
        _stop(number, frame)

    with _handled_by(ask):
        try:
            yield
        except Exception:
            if not asked:
                raise
    if asked:
        raise KeyboardInterrupt


@contextlib.contextmanager
def uninterrupted(there: str = "") -> Iterator[None]:
    """Puts a signal off to the end of the block: several files are written together. A second one is not put off.

    Args:
        there: The state after the block, for the last line; by default whoever catches the interruption knows.
    """
    asked: list[int] = []

    def put_off(number: int, frame: object) -> None:
        if asked:
            _stop(number, frame)
        asked.append(number)
        say_aside("the files are finished first; once more ends at once")

    with _handled_by(put_off):
        yield
    if asked and there:
        _received[0] = signal.Signals(asked[0])
        raise Interrupted(there)
    if asked:
        _stop(asked[0], None)


def end_with(command: Callable[[], int | None]) -> NoReturn:
    """Runs a command and ends the process; every mistake that a user can correct is one line on stderr.

    Args:
        command: Returns an exit code.
    """
    _open_closed_streams()
    outlet = _Outlet(sys.stdout)
    with _handled_by(_stop), contextlib.redirect_stdout(outlet):
        code = _code_of(command)
        outlet.flush()
    if outlet.failure and outlet.failure.errno != errno.EPIPE:
        say_aside(f"the output could not be written ({outlet.failure.strerror}); files that were named are there")
        code = 2
    sys.exit(code)


def _code_of(command: Callable[[], int | None]) -> int:
    """The command's exit code, or that of the error that ended it, after a line about the error."""
    try:
        return command() or 0
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2 * bool(stop.code)
    except InitcheckError as error:
        say_aside(str(error))
    except click.ClickException as error:
        say_aside(error.format_message())
    except (Interrupted, KeyboardInterrupt, click.Abort) as stop:
        words = str(stop) if isinstance(stop, Interrupted) else "nothing was written"
        say_aside(f"interrupted: {words}")
        exec("")  # as `python -m` ends by the signal itself where it interrupted the last exec, such as a dataclass's
        return 128 + _received[0]
    except MemoryError:
        say_aside("memory ran out; ask for fewer reseeds, rows or epochs, or give it more memory")
    except OSError as error:
        named = f" ({error.filename})" if error.filename else ""
        say_aside(f"{error.strerror or error}{named}; nothing more can be done here")
    except BaseException as error:  # noqa: BLE001 - ours; it must not exit with the code of "changed"
        traceback.print_exc()
        say_aside(f"{type(error).__name__} in initcheck itself; please report it with the lines above")
    return 2


class _Outlet(io.TextIOBase):
    """Standard output that may be closed by its reader: where it fails, the rest is dropped and the work goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.failure: OSError | None = None
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an encoding too narrow for an interval's dash

    def write(self, text: str) -> int:
        self._attempt(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        if not self._stream.closed:  # by the user's own code; nothing is held back then
            self._attempt(self._stream.flush)

    def __getattribute__(self, name: str) -> Any:
        if name in {"encoding", "errors", "buffer", "fileno", "isatty", "newlines"}:
            return getattr(self._stream, name)
        return super().__getattribute__(name)

    def _attempt(self, act: Callable[[], object]) -> None:
        if self.failure:
            return
        try:
            act()
        except (OSError, ValueError) as error:  # ValueError: it is closed, by the user's own code
            self.failure = error if isinstance(error, OSError) else OSError(errno.EBADF, "it is closed")
            with contextlib.suppress(OSError, ValueError):  # what is buffered goes nowhere when the process ends
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)


def is_mistake(error: BaseException) -> bool:
    """Whether what the user's code raised is a mistake in it: not ours, not want of memory, not a wish to stop."""
    if isinstance(error, InitcheckError | MemoryError | KeyboardInterrupt | GeneratorExit | Interrupted):
        return False
    return not any(kind.__name__ == "OutcomeException" for kind in type(error).__mro__)  # pytest.skip() and the like


@contextlib.contextmanager
def outputs_kept_open() -> Iterator[list[str]]:
    """Opens again what the user's code closes of standard output and error.

    Yields:
        A list that in the end names those that were closed, ``"output"`` or ``"error"``.
    """
    closed: list[str] = []
    streams = {1: ("stdout", sys.stdout), 2: ("stderr", sys.stderr)}
    handles: dict[int, int] = {}
    for number in streams:
        with contextlib.suppress(OSError):
            handles[number] = os.dup(number)
    were_closed = {name for name, stream in streams.values() if _is_closed(name, stream)}
    try:
        yield closed
    finally:
        for number, (name, stream) in streams.items():
            handle = handles.get(number)
            ended = handle is not None and not _is_same(handle, number)
            if handle is not None:
                if ended:
                    os.dup2(handle, number)
                os.close(handle)
            if _is_closed(name, stream) and name not in were_closed:
                ended = True
                if isinstance(stream, io.TextIOWrapper) and stream.closed:
                    setattr(sys, name, _reopened(number, stream))
            if ended:
                closed.append("output" if number == 1 else "error")


def _is_closed(name: str, stream: Any) -> bool:
    """Whether that stream is closed, or the one that the process began with, which it may write to."""
    return any(getattr(one, "closed", False) for one in (stream, getattr(sys, f"__{name}__")))


def _is_same(handle: int, number: int) -> bool:
    try:
        return os.path.sameopenfile(handle, number)
    except OSError:
        return False


def _reopened(number: int, stream: io.TextIOWrapper) -> TextIO:
    encoding, errors = stream.encoding, stream.errors
    return open(number, "w", encoding=encoding, errors=errors, closefd=False)


def _open_closed_streams() -> None:
    """A process may start with its outputs closed: what it writes must not go to a file that takes their numbers."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            with contextlib.suppress(OSError):
                while (handle := os.open(os.devnull, os.O_RDWR)) < number:
                    pass
                if handle != number:
                    os.dup2(handle, number)
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - for the process's life


def _stop(number: int, _: object) -> None:
    _received[0] = signal.Signals(number)
    raise KeyboardInterrupt


@contextlib.contextmanager
def _handled_by(handle: Callable[[int, Any], object]) -> Iterator[None]:
    """Signals that ask to stop are handled so for a while, those that the caller ignores are not: ``nohup``, ``&``."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {}
    for number in _STOPPING:
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            before[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous if previous is not None else signal.SIG_DFL)
