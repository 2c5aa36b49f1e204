"""The options of commands whose runs a store keeps."""

from __future__ import annotations

from collections.abc import Callable

import click

from initcheck.cli.path_option import PATH
from initcheck.store.part_formats import PartFormat

store_option = click.option(
    "--store",
    type=PATH,
    help="A folder that keeps finished runs: what it has of these is not trained again.  [default: none]",
)
format_option = click.option(
    "--store-format",
    type=click.Choice([form.value for form in PartFormat]),
    help="The format of a new store's files; parquet needs the extra parquet.  [default: jsonl; of merge DIR's]",
)
_OPTIONS = (
    store_option,
    format_option,
    click.option(
        "--shard",
        metavar="i/n",
        help="Train only the i-th of n shares into --store, and write no results.  [default: all]",
    ),
    click.option(
        "--cluster",
        metavar="local:N|ADDRESS",
        help="Train in N processes, or on the Dask cluster with that scheduler.  [default: this process]",
    ),
    click.option(
        "--block-limit",
        type=float,
        metavar="SECONDS",
        help="End a worker of --cluster that takes longer for a block.  [default: none]",
    ),
)


def store_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds ``--store``, ``--shard`` and ``--cluster`` to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
