"""The option ``--target``: what a command judges."""

from __future__ import annotations

import click

from initcheck.targets import TARGETS, VARIABLE, choose_target


def _choose(_context: click.Context, _option: click.Parameter, asked: str | None) -> None:
    if asked is not None:
        choose_target(asked, "--target")


target_option = click.option(
    "--target",
    metavar="TARGET",
    callback=_choose,
    expose_value=False,
    help=f"What is judged: {', '.join(TARGETS)}, or package.module:attribute for a library of your own.  [default: "
    f"the variable {VARIABLE}, or Keras on the backend that it is set to]",
)
