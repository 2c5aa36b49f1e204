"""Paths on the command line, read as ``Sweep.save`` and ``initcheck.load`` read theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from initcheck.arguments import path_of


class NamedPath(click.Path):
    """A path that is not empty; ``~`` is the home folder where a shell leaves it, as in ``--out=~/x``."""

    def __init__(self, **checks: Any) -> None:
        super().__init__(path_type=Path, **checks)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The word as a ``Path``, or the refusal of ``path_of``."""
        name = param.opts[0] if param else "the path"
        return super().convert(path_of(name if name.startswith("-") else name.upper(), value), param, ctx)


PATH = NamedPath()
