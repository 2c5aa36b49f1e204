"""The option that says what is under test: ``--target``, and ``--on`` where that is a table's column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from initcheck.targets import BACKENDS, TARGETS, VARIABLE, choose_target

DEFAULT = f"[default: the variable {VARIABLE}, or Keras on the backend that it is set to]"
OF_KERAS = ", ".join(f"keras:{backend}" for backend in BACKENDS)


def _option(name: str, text: str) -> Callable[[Any], Any]:
    def choose(_context: click.Context, _option: click.Parameter, asked: str | None) -> None:
        if asked is not None:
            choose_target(asked, name)

    return click.option(name, metavar="TARGET", callback=choose, expose_value=False, help=f"{text}  {DEFAULT}")


target_option = _option(
    "--target", f"What is judged: {', '.join(TARGETS)}, or package.module:attribute for a library of your own."
)
keras_target_option = _option("--target", f"The Keras that it is done on: {OF_KERAS}.")
on_option = _option("--on", f"The Keras that trains: {OF_KERAS}.")
