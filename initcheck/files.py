"""One way to write a file, one way to read one that is not ours, and folders that are removed with their process."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from initcheck.errors import InitcheckError
from initcheck.texts import for_terminal

PATIENCE = 60  # seconds that a pipe may take until its end

_PARTIAL = ".initcheck-*.partial"
_ABANDONED = 3600  # seconds after which a partial file or a scratch folder without an owner is swept
_PIECE = 1 << 20  # bytes read at once
_OPEN = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)


def require_writable(path: Path, option: str, *, after_work: bool = False) -> None:
    """Makes sure before the work that its result can be written after it.

    Args:
        path: The file to be written.
        option: The user's name for it.
        after_work: Whether it is written after minutes of work; a named pipe, which may have no reader by then, is
            refused.

    Raises:
        InitcheckError: It is a folder or cannot be written, or neither can its folder.
    """
    try:
        if path.is_dir() or not path.name:
            raise InitcheckError(f"{option} {path} is a folder; name a file")
        kind, place = _destination(path)
        if kind == "file":
            _require_not_read_only(place)
            with tempfile.TemporaryFile(dir=place.parent):
                pass
        elif after_work and path.is_fifo() and _own_stream(path) is None:
            raise InitcheckError(f"{option} {path} is a pipe, which may have no reader by then; name a file")
    except (OSError, ValueError) as error:
        raise InitcheckError(f"{option} {path} cannot be written ({_reason(error)}); name another file") from None


def require_replaceable(path: Path, option: str) -> None:
    """Makes sure before the work that a file of a set can be put there: nothing, or a regular file, is there now.

    Args:
        path: The file to be written.
        option: The user's name for its folder.

    Raises:
        InitcheckError: A folder, a device, a pipe or a link that leads nowhere is in its place, or it is read-only.
    """
    require_writable(path, option)
    if path.exists() and not path.is_file():
        raise InitcheckError(f"{option}: {path} is no regular file; name another folder")


def write_whole(path: Path, parts: Iterable[str]) -> None:
    """Replaces the file in one step: a process killed at any moment leaves the old text, or the new one.

    The text goes to a new file beside it, under a name that nobody can guess, and takes its place when all of it is on
    the disk; where that fails, the new file is removed. Of several writers the last one wins. Where the path is a link,
    the file that it leads to is replaced, and the link stays. A terminal, a pipe or ``/dev/null`` is written to.

    Args:
        path: The file.
        parts: Its text, in pieces of any length.

    Raises:
        InitcheckError: It cannot be written, for example as the disk is full; what was there is there still.
    """
    try:
        kind, place = _destination(path)
        if kind == "file":
            _require_not_read_only(place)
            _replace(place, parts)
        else:
            _write_through(place, parts)
    except BrokenPipeError:
        return  # whoever reads it has read enough
    except OSError as error:
        raise InitcheckError(
            f"{path} cannot be written ({_reason(error)}); what was there before is kept; free some space, or name "
            "another place"
        ) from None


def read_bounded(path: Path, most_bytes: int, what: str = "the file") -> bytes:
    """The content of a file that somebody else has made.

    Args:
        path: A regular file, or a pipe, which is read to its end within ``PATIENCE`` seconds.
        most_bytes: The largest size.
        what: The file's expected content, for the message.

    Raises:
        InitcheckError: It is missing or cannot be read, is a folder or a device, is larger, or takes too long.
    """
    try:
        handle = os.open(path, os.O_RDONLY | _OPEN | _NO_WAIT)
    except (OSError, ValueError) as error:
        raise InitcheckError(f"{path} cannot be read ({_reason(error)}); name another file") from None
    try:
        mode = os.fstat(handle).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            kind = "a folder" if stat.S_ISDIR(mode) else "a device"
            raise InitcheckError(f"{path} is {kind}, not a file; name another file")
        return _read(handle, path, most_bytes, what, is_pipe=stat.S_ISFIFO(mode))
    except OSError as error:
        raise InitcheckError(f"{path} cannot be read ({_reason(error)}); name another file") from None
    finally:
        os.close(handle)


@contextlib.contextmanager
def alone_in(path: Path) -> Iterator[None]:
    """Keeps others who use this out of the file's folder, for as long as a file is read, changed and written again.

    The folder itself is locked, so that no file is left behind. Where it cannot be (Windows), the last writer wins.
    """
    handle = None
    with contextlib.suppress(ImportError, OSError):
        import fcntl

        handle = os.open(Path(os.path.realpath(path)).parent, os.O_RDONLY | _OPEN)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


@contextlib.contextmanager
def scratch_folder(parent: Path | None = None, prefix: str = "initcheck-scratch-") -> Iterator[Path]:
    """An empty folder for the time of a ``with`` block; what a killed process left of its own is swept first.

    Args:
        parent: The folder to make it in; the system's folder for temporary files by default.
        prefix: The start of its name.
    """
    from filelock import FileLock, Timeout

    parent = parent or Path(tempfile.gettempdir())
    for left in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError, Timeout):
            if time.time() - left.stat().st_mtime > 60 and left.is_dir() and not left.is_symlink():
                lock = FileLock(left / ".owner", timeout=0)  # free as soon as its owner has ended, however it did
                with lock:
                    shutil.rmtree(left)
    folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
    try:
        with FileLock(folder / ".owner"):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _destination(path: Path) -> tuple[str, Path]:
    """``"file"`` and the place that is to be replaced, or ``"stream"`` and the path to write to.

    Raises:
        OSError: It is a folder, a socket or a block device, or a link that leads nowhere.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "file", Path(os.path.realpath(path))
    if stat.S_ISCHR(mode) or stat.S_ISFIFO(mode) or _own_stream(path) is not None:
        return "stream", path
    if not stat.S_ISREG(mode):
        kind = {stat.S_IFDIR: "a folder", stat.S_IFSOCK: "a socket", stat.S_IFBLK: "a block device"}
        raise OSError(f"it is {kind.get(stat.S_IFMT(mode), 'no file')}")
    return "file", Path(os.path.realpath(path))


def _own_stream(path: Path) -> int | None:
    """The own output that the path names, 1 or 2: ``/dev/stdout`` that was sent to a file, for example."""
    for number in (1, 2):
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(number), path.stat()):
                return number
    return None


def _require_not_read_only(place: Path) -> None:
    if place.exists() and not os.access(place, os.W_OK):
        raise OSError("it is read-only")


def _replace(place: Path, parts: Iterable[str]) -> None:
    for left in place.parent.glob(_PARTIAL):
        with contextlib.suppress(OSError):
            if time.time() - left.lstat().st_mtime > _ABANDONED:
                left.unlink()
    partial = place.with_name(_PARTIAL.replace("*", secrets.token_hex(8)))
    # Exclusive: a file or link that somebody has put there is an error, never followed.
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, 0o666)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            if place.exists():
                _keep_permissions(place, partial)
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, place)  # noqa: PTH105 - the same call, and named atomic in the documentation
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
    if hasattr(os, "O_DIRECTORY"):  # the new name has to be on the disk, too
        with contextlib.suppress(OSError):
            folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def _keep_permissions(old: Path, new: Path) -> None:
    before = old.stat()
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):  # only root may give a file away
            os.chown(new, before.st_uid, before.st_gid)
    new.chmod(stat.S_IMODE(before.st_mode))


def _write_through(place: Path, parts: Iterable[str]) -> None:
    if (own := _own_stream(place)) is not None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        handle = os.dup(own)
    else:
        handle = os.open(place, os.O_WRONLY | _OPEN | _NO_WAIT)  # a pipe that nobody reads is an error, not a wait
        os.set_blocking(handle, True)
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.writelines(parts)


def _read(handle: int, path: Path, most_bytes: int, what: str, *, is_pipe: bool) -> bytes:
    deadline = time.monotonic() + PATIENCE
    pieces: list[bytes] = []
    size = 0
    while True:
        if is_pipe and not select.select([handle], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise InitcheckError(f"{path} gave no end within {PATIENCE} s; name a file, or a pipe that is written to")
        piece = os.read(handle, _PIECE)
        size += len(piece)
        if size > most_bytes:
            raise InitcheckError(f"{path} is larger than {what} may be ({most_bytes / 1e6:g} MB); name another file")
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)


def _reason(error: OSError | ValueError) -> str:
    return for_terminal(getattr(error, "strerror", None) or str(error))
