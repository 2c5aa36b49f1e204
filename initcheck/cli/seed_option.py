"""The option ``--seed`` of every command."""

from __future__ import annotations

import click

from initcheck.arguments import whole_number
from initcheck.seeding import DEFAULT_SEED

seed_option = click.option(
    "--seed",
    type=int,
    default=DEFAULT_SEED,
    show_default=True,
    callback=lambda _context, _option, value: whole_number("--seed", value),
    help="The root seed of every stream.",
)
