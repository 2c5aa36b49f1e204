"""Files that are whole at every moment: the old text, or the new."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from initcheck.errors import InitcheckError


def require_writable(path: Path, option: str) -> None:
    """Makes sure before the work that its result can be written after it.

    Args:
        path: The file to be written.
        option: How the user named it.

    Raises:
        InitcheckError: It is a folder, or its folder cannot be written to.
    """
    try:
        if path.is_dir():
            raise InitcheckError(f"{option} {path} is a folder; name a file")
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise InitcheckError(f"{option} {path} cannot be written ({reason}); name another file") from None


def write_whole(path: Path, parts: Iterable[str]) -> None:
    """Replaces the file in one step: a process killed at any moment leaves the old text, or the new one.

    Args:
        path: The file.
        parts: Its text, in pieces of any length.
    """
    temporary = path.with_name(f".{path.name}.partial")
    with temporary.open("w", encoding="utf-8") as file:
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)  # noqa: PTH105 - the same call, and named atomic in the documentation
