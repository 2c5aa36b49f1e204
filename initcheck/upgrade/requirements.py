"""The two sides of an upgrade: requirements, a requirements file, or an existing interpreter."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from initcheck.errors import InitcheckError
from initcheck.files import read_bounded

_FILES = (".txt", ".in")  # as pip and uv name files of requirements
_MOST_BYTES = 1_000_000
_INTERPRETERS = ("bin/python", "Scripts/python.exe")


@dataclass(frozen=True)
class Requirements:
    """The requirements of a throwaway environment.

    Attributes:
        asked: Requirements in the words of PEP 508, each checked.
        files: Files of requirements.
    """

    asked: tuple[str, ...]
    files: tuple[Path, ...] = ()

    def __str__(self) -> str:
        return ", ".join([*map(str, self.files), *self.asked])


@dataclass(frozen=True)
class Interpreter:
    """An existing environment; nothing is installed into it.

    Attributes:
        python: Its interpreter, not resolved: what a link of that name belongs to decides what can be imported.
    """

    python: Path

    def __str__(self) -> str:
        return str(self.python)


Source = Requirements | Interpreter


def parse_source(text: str, also: Sequence[str] = ()) -> Source:
    """The source that the user named: a path that exists, or else a requirement.

    Args:
        text: A requirement, a requirements file, an interpreter, or the folder of a virtual environment.
        also: Further requirements of this side.

    Raises:
        InitcheckError: It is none of them, or there are further requirements for an interpreter.
    """
    extra = tuple(map(parse_requirement, also))
    path = Path(text)
    if not text.strip():
        raise InitcheckError("the text is empty; name a requirement, a requirements file or an interpreter")
    if _exists(path):
        python = _interpreter(path)
        if python is not None and extra:
            raise InitcheckError(
                f"{text} is an environment already, into which nothing is installed; leave out {', '.join(extra)}"
            )
        if python is not None:
            return Interpreter(python)
        if not path.is_dir():
            read_bounded(path, _MOST_BYTES, "a requirements file")
            return Requirements(extra, (path.absolute(),))
        if not _is_requirement(text):
            raise InitcheckError(f"{text} is a folder without {_INTERPRETERS[0]}; name a virtual environment's folder")
    elif path.suffix in _FILES or (os.sep in text and not _is_requirement(text)):
        raise InitcheckError(
            f"{_shown(text)} is no file or folder that exists, and no requirement such as 'tensorflow==2.21.0'; name a "
            "requirement, a requirements file or an interpreter"
        )
    return Requirements((parse_requirement(text), *extra))


def parse_requirement(text: str) -> str:
    """The requirement in one spelling.

    Raises:
        InitcheckError: It is none: an option, several at once, or more than one line.
    """
    if not text.isprintable() or not _is_requirement(text):
        raise InitcheckError(
            f"{_shown(text)} is no requirement such as 'tensorflow==2.21.0'; name one at a time, further ones with "
            "--with, --with-old or --with-new"
        )
    return str(Requirement(text))


def _is_requirement(text: str) -> bool:
    try:
        Requirement(text)
    except InvalidRequirement:
        return False
    return True


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # longer than a name may be, or with a null
        return False


def _interpreter(path: Path) -> Path | None:
    if path.is_dir():
        return next((path.absolute() / name for name in _INTERPRETERS if (path / name).is_file()), None)
    return path.absolute() if path.suffix not in _FILES and os.access(path, os.X_OK) else None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:80]}…")
