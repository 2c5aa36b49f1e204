"""Which cells of a sweep there are, which are done, and in which blocks the others are trained: arithmetic alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.catalog.initializers import Initializer
from initcheck.errors import InitcheckError

ORDERS_OF_A_BLOCK = 16  # batch orders that one block spans, where they vary

Cells = npt.NDArray[np.bool_]
Members = tuple[int, Sequence[tuple[Initializer, int]]]  # a batch order, and initializers with their reseeds


@dataclass(frozen=True)
class CellBlock:
    """Cells of one initializer: a range of batch orders times a range of reseeds.

    Attributes:
        initializer: The key of its row.
        orders: Numbers of the batch orders.
        reseeds: Numbers of the repetitions.
    """

    initializer: str
    orders: range
    reseeds: range

    def __len__(self) -> int:
        return len(self.orders) * len(self.reseeds)

    @property
    def name(self) -> str:
        """The block as a part of a file's name."""
        ends = (self.orders.start, self.orders.stop, self.reseeds.start, self.reseeds.stop)
        return "{}.o{}-{}.r{}-{}".format(self.initializer, *ends)

    @classmethod
    def of(cls, name: str) -> CellBlock | None:
        """The block of that name; None for anything else."""
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        first, last, start, stop = map(int, match.groups()[1:])
        return cls(match[1], range(first, last), range(start, stop)) if first < last and start < stop else None

    def overlaps(self, other: CellBlock) -> bool:
        """Whether they have a cell in common."""
        return self.initializer == other.initializer and all(
            max(one.start, two.start) < min(one.stop, two.stop)
            for one, two in ((self.orders, other.orders), (self.reseeds, other.reseeds))
        )


_NAME = re.compile(r"([A-Za-z0-9_-]{1,80})\.o(\d{1,18})-(\d{1,18})\.r(\d{1,18})-(\d{1,18})")


@dataclass(frozen=True)
class Share:
    """One of several shares of a sweep.

    Attributes:
        number: Its number, from 1.
        of: The number of shares.
    """

    number: int
    of: int

    @classmethod
    def read(cls, text: str) -> Share:
        """The share that ``i/n`` names.

        Raises:
            InitcheckError: It is not written so.
        """
        match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text.strip()) if isinstance(text, str) else None
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise InitcheckError(f"shard is {text!r}; give i/n, such as 1/4 for the first of four shares")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def part_of(self, numbers: range) -> range:
        """Its part of those numbers; parts differ by one in length, and together are all of them."""
        start, stop = (len(numbers) * number // self.of for number in (self.number - 1, self.number))
        return numbers[start:stop]

    def cut(self, orders: range, reseeds: range) -> tuple[range, range]:
        """Its part of a grid: some of the orders where there are more of these, else some of the reseeds."""
        if len(orders) > len(reseeds):
            return self.part_of(orders), reseeds
        return orders, self.part_of(reseeds)


@dataclass(frozen=True)
class CellGrid:
    """The cells that a sweep asks for.

    Attributes:
        initializers: Keys of its rows, in their order.
        orders: Numbers of the batch orders.
        reseeds: Numbers of the repetitions.
    """

    initializers: tuple[str, ...]
    orders: range
    reseeds: range

    def __len__(self) -> int:
        return len(self.initializers) * len(self.orders) * len(self.reseeds)

    def nothing_done(self) -> dict[str, Cells]:
        """For each initializer no cell."""
        return {key: np.zeros((len(self.orders), len(self.reseeds)), dtype=np.bool_) for key in self.initializers}

    def mark(self, done: dict[str, Cells], block: CellBlock) -> int:
        """Marks the cells of a block as done; gives the number of those that were not."""
        cells = done.get(block.initializer)
        if cells is None:
            return 0
        view = cells[_within(self.orders, block.orders), _within(self.reseeds, block.reseeds)]
        new = int(view.size - view.sum())
        view[:] = True
        return new

    def tiles(self, size: int) -> Iterator[CellBlock]:
        """The grid in blocks of at most so many reseeds.

        Their ends are multiples of that size, and of the number of orders, so that however many reseeds were asked for
        before, and whatever share another process takes, equal cells lie in equal blocks or in parts of them.
        """
        for orders in _cut(self.orders, ORDERS_OF_A_BLOCK):
            for reseeds in _cut(self.reseeds, size):
                for key in self.initializers:
                    yield CellBlock(key, orders, reseeds)

    def lacks(self, done: dict[str, Cells], block: CellBlock) -> bool:
        """Whether a cell of the block is asked for and not done."""
        cells = done.get(block.initializer)
        if cells is None:
            return False
        return not cells[_within(self.orders, block.orders), _within(self.reseeds, block.reseeds)].all()

    def missing_in(self, done: dict[str, Cells], tile: CellBlock) -> list[tuple[int, list[int]]]:
        """The cells of a tile that are not done: orders, each with its reseeds."""
        rows, columns = _within(self.orders, tile.orders), _within(self.reseeds, tile.reseeds)
        cells = done[tile.initializer][rows, columns]
        first = self.reseeds[columns.start] if columns.start < len(self.reseeds) else 0
        missing = []
        for order, there in zip(self.orders[rows], cells, strict=True):
            if left := [first + int(place) for place in np.flatnonzero(~there)]:
                missing.append((order, left))
        return missing


def runs_in(reseeds: Sequence[int]) -> Iterator[range]:
    """Increasing numbers as ranges without gaps."""
    start = 0
    for place in range(1, len(reseeds) + 1):
        if place == len(reseeds) or reseeds[place] != reseeds[place - 1] + 1:
            yield range(reseeds[start], reseeds[place - 1] + 1)
            start = place


def _within(whole: range, part: range) -> slice:
    """The places in ``whole`` of the numbers that are in both."""
    start = min(max(part.start - whole.start, 0), len(whole))
    return slice(start, max(start, min(part.stop - whole.start, len(whole))))


def _cut(numbers: range, size: int) -> Iterator[range]:
    start = numbers.start
    while start < numbers.stop:
        stop = min((start // size + 1) * size, numbers.stop)
        yield range(start, stop)
        start = stop
