"""Reads the runs of a grid from a store, without training."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from initcheck.errors import InitcheckError
from initcheck.records import Runs
from initcheck.store.array_files import ArrayFile, Values
from initcheck.store.blocks import CellGrid
from initcheck.store.folder import AnswerFolder
from initcheck.store.part_texts import require_same_bits
from initcheck.store.stored_parts import StoredPart

MOST_IN_MEMORY = 64_000_000  # bytes of histories; more lie in files


def read_grid(folder: AnswerFolder, grid: CellGrid, scratch: Path | None = None) -> Iterator[Runs]:
    """The runs of a grid that are there: of each initializer that has some, by order and reseed.

    Each part is read once and put into its place, so that memory holds 50 bytes of each run and a part. Where the
    histories of all are larger than 64 MB, they lie in files without a name.

    Args:
        folder: The folder of the runs.
        grid: The cells asked for.
        scratch: For these files; the system's folder for temporary files by default.

    Raises:
        InitcheckError: A part is damaged, or two have unlike results of one run; or there is no space for the files.
    """
    nothing, done = grid.nothing_done(), grid.nothing_done()
    parts: dict[str, list[StoredPart]] = {}
    for part in sorted(folder.parts(), key=lambda part: (part.block.orders.start, part.block.reseeds.start)):
        if grid.lacks(nothing, part.block):
            grid.mark(done, part.block)
            parts.setdefault(part.block.initializer, []).append(part)
    every = sum(int(cells.sum()) for cells in done.values())
    for key in grid.initializers:
        if key in parts:
            yield _Gathered(grid, done.pop(key), every, scratch).of(folder, parts[key])


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


class _Gathered:
    """Runs of one initializer, each put into its place.

    Args:
        grid: The cells asked for.
        cells: Those of them that are there.
        every: The number of runs of all initializers.
        scratch: For files.
    """

    def __init__(self, grid: CellGrid, cells: npt.NDArray[np.bool_], every: int, scratch: Path | None) -> None:
        self._grid = grid
        self._places = np.cumsum(cells.ravel()) - 1
        orders, reseeds = np.nonzero(cells)
        self._count, self._every, self._scratch = len(orders), every, scratch
        self._numbers = {"orders": orders + grid.orders.start, "reseeds": reseeds + grid.reseeds.start}
        self._seeds = np.empty(self._count, dtype=np.int64)
        self._scores = {name: np.empty(self._count) for name in ("train_score", "test_score")}
        self._filled = np.zeros(self._count, dtype=np.bool_)

    def of(self, folder: AnswerFolder, parts: Sequence[StoredPart]) -> Runs:
        """All runs of those parts that are in the grid."""
        first, history = None, None
        for part in parts:
            runs = self._inside(read_part(folder, part))
            if first is None or history is None:
                first, history = runs, self._room_for(runs)
            elif (runs.metrics, runs.epochs) != (first.metrics, first.epochs):
                raise InitcheckError(f"{part.path} has runs of another length than others; remove it")
            self._put(runs, first, history)
        assert first is not None  # no initializer without parts
        return self._so_far(first, history)

    def _put(self, runs: Runs, first: Runs, history: Values | ArrayFile) -> None:
        grid = self._grid
        rows, columns = runs.orders - grid.orders.start, runs.reseeds - grid.reseeds.start
        places = self._places[rows * len(grid.reseeds) + columns]
        if (again := self._filled[places]).any():
            require_same_bits(self._so_far(first, history).at(places[again]), runs.at(np.flatnonzero(again)))
        self._seeds[places] = runs.seeds
        for name, column in self._scores.items():
            column[places] = getattr(runs, name)
        self._filled[places] = True
        if not isinstance(history, ArrayFile):
            history[places] = runs.history
            return
        ends = [0, *np.flatnonzero(np.diff(places) != 1) + 1, len(places)]
        for start, stop in itertools.pairwise(ends):
            history.put(int(places[start]), runs.history[start:stop])

    def _room_for(self, runs: Runs) -> Values | ArrayFile:
        shape = (self._count, *runs.history.shape[1:])
        if 8 * self._every * runs.history[0].size <= MOST_IN_MEMORY:
            return np.empty(shape)
        return ArrayFile(shape, self._scratch)

    def _so_far(self, first: Runs, history: Values | ArrayFile | None) -> Runs:
        columns: dict[str, Any] = {**self._numbers, **self._scores, "seeds": self._seeds}
        return replace(first, **columns, history=cast("Values", history))  # indexed like an array, wherever it lies

    def _inside(self, runs: Runs) -> Runs:
        inside = np.ones(len(runs), dtype=np.bool_)
        for numbers, asked in ((runs.orders, self._grid.orders), (runs.reseeds, self._grid.reseeds)):
            inside &= (numbers >= asked.start) & (numbers < asked.stop)
        return runs if inside.all() else runs.at(np.flatnonzero(inside))
