"""Trains what a store lacks of a sweep, and reads the rest: alone, or beside other processes with the same store."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.errors import InitcheckError
from initcheck.records import Runs
from initcheck.store.blocks import CellBlock, CellGrid, Members, runs_in
from initcheck.store.claims import Claims
from initcheck.store.folder import CLAIMS, AnswerFolder
from initcheck.store.part_texts import joined_in_order

Train = Callable[[Iterator[Members]], Iterator[Runs]]

_PAUSE = 5.0  # seconds of finished runs that a killed process may lose, beside those in training
_MOST_UNSAVED = 16_384  # runs that are put onto the disk at once
_FIRST_LOOK, _LONGEST_LOOK = 0.1, 2.0  # seconds between two looks for blocks of other processes


class ResumedSweep:
    """A sweep whose finished runs lie in a store.

    Args:
        answers: The folder of its question.
        rows: The initializers by their keys, in their order.
        orders: Numbers of the batch orders.
        reseeds: Numbers of the repetitions.
        train: Trains groups of members, which it asks for when it needs them.
        tile: Reseeds of a block: what a process claims at once.
        group: Members that are trained at once.

    Attributes:
        orders: The numbers of the batch orders.
        reseeds: The numbers of the repetitions.
        found: The number of runs that were there before, or came from others.
        begun: Whether a block was claimed: runs that were given before were there at the start.
        damaged: Names of parts that were not what was written; their runs are trained again.
    """

    def __init__(
        self,
        answers: AnswerFolder,
        rows: Mapping[str, Initializer],
        *,
        orders: range,
        reseeds: range,
        train: Train,
        tile: int,
        group: int,
        pause: float = _PAUSE,
    ) -> None:
        self.found, self.begun = 0, False
        self.damaged: list[str] = []
        self._answers = answers
        self._rows = rows
        self._keys = {row.name: key for key, row in rows.items()}
        self.orders, self.reseeds = orders, reseeds
        self._grid = CellGrid(tuple(rows), orders, reseeds)
        self._train = train
        self._tile = tile
        self._group = group
        self._pause = pause
        self._have = self._grid.nothing_done()
        self._left = len(self._grid)
        self._known: set[str] = set()
        self._stamp = -1
        self._arrived: list[Runs] = []
        self._unsaved: dict[str, list[Runs]] = {}
        self._saved_at, self._count = time.monotonic(), 0
        self._claimed: list[CellBlock] = []
        self._deferred = False
        self._running = self._run()

    def close(self) -> None:
        """Puts what was trained onto the disk, wherever ``runs`` was left."""
        self._running.close()

    def runs(self) -> Iterator[Runs]:
        """The runs: first those that are there, then the others as they are finished, here or elsewhere.

        Raises:
            InitcheckError: The store cannot be written to, or holds two unlike results of one run.
        """
        return self._running

    def _run(self) -> Generator[Runs, None, None]:
        answers = self._answers
        with Claims(answers.path / CLAIMS) as claims:
            answers.sweep()
            claims.sweep()
            yield from self._look()
            wait = _FIRST_LOOK
            while self._left:
                self._deferred = False
                before = self._left
                yield from self._trained(claims)
                yield from self._taken()
                yield from self._look()
                if self._left and not self._deferred:
                    raise InitcheckError(f"{self._left:,} runs were neither trained nor found in the store")
                if self._left:
                    wait = _FIRST_LOOK if self._left < before else min(2 * wait, _LONGEST_LOOK)
                    time.sleep(wait)

    def _trained(self, claims: Claims) -> Iterator[Runs]:
        """What this process trains of the blocks that nobody else does."""
        try:
            for runs in self._train(self._groups(claims)):
                self._keep(runs)
                if time.monotonic() - self._saved_at >= self._pause or self._count >= _MOST_UNSAVED:
                    self._save(claims)
                yield runs
                yield from self._taken()
        except BaseException:
            with contextlib.suppress(InitcheckError):  # what ended the training is what the user has to know
                self._save(claims)
            raise
        self._save(claims)

    def _groups(self, claims: Claims) -> Iterator[Members]:
        """Claims what is missing block by block, and gives it in groups that are trained at once."""
        pending: dict[int, list[tuple[Initializer, int]]] = {}
        within: tuple[range, range] | None = None
        for tile in self._grid.tiles(self._tile):
            if within not in (None, (tile.orders, tile.reseeds)):
                yield from self._packed(pending, whole=False)
            within = tile.orders, tile.reseeds
            if not self._grid.lacks(self._have, tile):
                continue
            if not claims.take(tile):
                self._deferred = True
                continue
            self._claimed.append(tile)
            self.begun = True
            self._arrived += self._look()  # what came since, before it was claimed here
            row = self._rows[tile.initializer]
            for order, reseeds in self._grid.missing_in(self._have, tile):
                pending.setdefault(order, []).extend((row, reseed) for reseed in reseeds)
            yield from self._packed(pending, whole=True)
        yield from self._packed(pending, whole=False)

    def _packed(self, pending: dict[int, list[tuple[Initializer, int]]], *, whole: bool) -> Iterator[Members]:
        """Takes groups out of what is pending; only whole ones, or all."""
        for order in list(pending):
            while len(pending[order]) >= self._group:
                yield order, pending[order][: self._group]
                pending[order] = pending[order][self._group :]
            if not whole and pending[order]:
                yield order, pending[order]
            if not whole or not pending[order]:
                del pending[order]

    def _keep(self, runs: Runs) -> None:
        self._mark(self._keys[runs.initializer], runs)
        self._count += len(runs)
        self._unsaved.setdefault(self._keys[runs.initializer], []).append(runs)

    def _mark(self, key: str, runs: Runs) -> None:
        for order in np.unique(runs.orders).tolist():
            reseeds = np.unique(runs.reseeds[runs.orders == order]).tolist()
            for piece in runs_in(reseeds):
                self._left -= self._grid.mark(self._have, CellBlock(key, range(order, order + 1), piece))

    def _save(self, claims: Claims) -> None:
        """Puts what was trained onto the disk, then lets go of the blocks."""
        for key in list(self._unsaved):
            written = self._answers.write(key, joined_in_order(self._unsaved[key]))
            self._known |= {part.path.name for part in written}
            del self._unsaved[key]
        tiles: dict[bool, list[CellBlock]] = {True: [], False: []}  # whether it lacks runs
        for tile in self._claimed:
            tiles[self._grid.lacks(self._have, tile)].append(tile)
        claims.release(tiles[False])
        self._claimed = tiles[True]
        self._saved_at, self._count = time.monotonic(), 0

    def _taken(self) -> Iterator[Runs]:
        arrived, self._arrived = self._arrived, []
        yield from arrived

    def _look(self) -> Iterator[Runs]:
        """The runs of this grid that came into the store since the last look, a part at a time."""
        stamp = self._answers.stamp()
        if stamp == self._stamp:
            return
        for part in self._answers.parts_beside(self._known):
            if not self._grid.lacks(self._have, part.block):
                continue
            runs = self._answers.read(part)
            if runs is None:
                self.damaged.append(part.path.name)
                continue
            runs = self._only_new(part.block.initializer, runs)
            if len(runs):
                self._mark(part.block.initializer, runs)
                self.found += len(runs)
                yield runs
        self._stamp = stamp

    def _only_new(self, key: str, runs: Runs) -> Runs:
        cells, orders, reseeds = self._have[key], self._grid.orders, self._grid.reseeds
        rows, columns = runs.orders - orders.start, runs.reseeds - reseeds.start
        inside = (rows >= 0) & (rows < len(orders)) & (columns >= 0) & (columns < len(reseeds))
        new = inside.copy()
        new[inside] = ~cells[rows[inside], columns[inside]]
        return runs if new.all() else runs.at(np.flatnonzero(new))


def in_order(groups: Sequence[Runs], names: Sequence[str]) -> tuple[Runs, ...]:
    """Runs as columns, one group for each of those initializers that has some, by order and reseed."""
    parts: dict[str, list[Runs]] = {name: [] for name in names}
    for runs in groups:
        parts[runs.initializer].append(runs)
    return tuple(joined_in_order(several) for several in parts.values() if several)
