"""Reads the runs of a grid from a store, without training."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from initcheck.errors import InitcheckError
from initcheck.records import Runs
from initcheck.store.blocks import CellGrid
from initcheck.store.folder import AnswerFolder, StoredPart
from initcheck.store.part_texts import joined_in_order


def read_grid(folder: AnswerFolder, grid: CellGrid) -> Iterator[Runs]:
    """The runs of a grid that are there: of each initializer that has some, by order and reseed.

    Raises:
        InitcheckError: A part is damaged, or two have unlike results of one run.
    """
    nothing = grid.nothing_done()
    parts: dict[str, list[StoredPart]] = {}
    for part in folder.parts():
        if grid.lacks(nothing, part.block):
            parts.setdefault(part.block.initializer, []).append(part)
    for key in grid.initializers:
        pieces = [_inside(read_part(folder, part), grid) for part in parts.get(key, ())]
        if kept := [piece for piece in pieces if len(piece)]:
            yield joined_in_order(kept)


def read_part(folder: AnswerFolder, part: StoredPart) -> Runs:
    """The runs of a part.

    Raises:
        InitcheckError: It is damaged.
    """
    try:
        return part.read(folder.question.score)
    except ValueError as error:
        raise InitcheckError(
            f"{part.path} is damaged ({error}); run the same command with this --store, which trains its runs again"
        ) from None


def _inside(runs: Runs, grid: CellGrid) -> Runs:
    inside = np.ones(len(runs), dtype=np.bool_)
    for numbers, asked in ((runs.orders, grid.orders), (runs.reseeds, grid.reseeds)):
        inside &= (numbers >= asked.start) & (numbers < asked.stop)
    return runs if inside.all() else runs.at(np.flatnonzero(inside))
