"""Options shared by the commands that compare: which classes are allowed, and which files are written."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import click

from initcheck.cli.path_option import PATH
from initcheck.errors import InitcheckError
from initcheck.files import require_writable, write_whole

markdown_option = click.option(
    "--markdown", type=PATH, help="Write the verdict to this file, as a comment on a pull request."
)
json_option = click.option("--json", "json_file", type=PATH, help="Write the whole comparison to this file.")


def allow_option(names: Collection[str], help_text: str) -> Callable[[Any], Any]:
    """``--allow``, whose values are those names."""
    return click.option("--allow", multiple=True, type=click.Choice(list(names)), help=help_text)


def asked_files(files: Mapping[str, Path | None], taken: Mapping[Path, str]) -> dict[str, Path]:
    """The files that were asked for: each can be written, and is neither what is compared nor another option's file.

    Args:
        files: Option → its file; None where it was not given.
        taken: Compared file → its owner.
    """
    asked = {option: file for option, file in files.items() if file is not None}
    owners = {os.path.realpath(file): owner for file, owner in taken.items()}
    for option, file in asked.items():
        require_writable(file, option)
        owner = owners.setdefault(os.path.realpath(file), option)
        if owner != option:
            raise InitcheckError(f"{option} {file} is {owner}'s file; name another one")
    return asked


def what_is_there(files: Mapping[str, Path]) -> str:
    """Names the files that are there, for an interruption while they are written."""
    names = [str(file) for file in files.values()]
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} there" if names else "no file was asked for"


def write_files(files: Mapping[str, Path], render: Mapping[str, Callable[[], str]]) -> None:
    """Writes each file, after the texts of all of them were made: an error in one costs no other its old content."""
    texts = {file: render[option]() for option, file in files.items()}
    for file, text in texts.items():
        write_whole(file, [text])
