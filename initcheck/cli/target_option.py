"""The option ``--target``: what a command judges."""

from __future__ import annotations

import os

import click

from initcheck.targets import TARGETS, VARIABLE, read_target


def _choose(_context: click.Context, _option: click.Parameter, asked: str | None) -> None:
    """Makes the target that of this process and of those that it starts, before any check is imported."""
    if asked is not None:
        os.environ[VARIABLE] = read_target(asked.strip(), "--target")


target_option = click.option(
    "--target",
    metavar="TARGET",
    callback=_choose,
    expose_value=False,
    help=f"What is judged: {', '.join(TARGETS)}, or package.module:attribute for a library of your own.  [default: "
    f"the variable {VARIABLE}, or Keras on the backend that it is set to]",
)
