"""The columns of a CSV file: numbers, categories, labels. A cell that cannot be read is refused by line and column."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from initcheck.catalog.csv_tables.amounts import find_amounts
from initcheck.catalog.csv_tables.cells import (
    MISSING_MARKERS,
    NOT_NUMBERS,
    Kind,
    Numbers,
    hint,
    is_missing,
    plain_numbers,
    read_cell,
    starts_with_number,
    tidy,
)
from initcheck.catalog.csv_tables.encoding import CsvText
from initcheck.catalog.csv_tables.layout import Layout
from initcheck.catalog.csv_tables.swallowed import Shape, swallows_rows
from initcheck.catalog.tables import FLOAT32_MAX
from initcheck.errors import DataError
from initcheck.texts import for_axis, for_terminal

MOST_CATEGORIES = 50  # of a column of words
MOST_NUMBERS = 100_000_000  # rows × features; some 3 GB while they are standardised and split
_CELLS_AT_ONCE = 1_000_000
_ROWS_PER_CATEGORY = 2  # on average at least; a column with fewer is an identifier of rows

WHOLE = 2.0**53  # up to here float64 has every integer
_OF_WHOLE_NUMBERS = b"0123456789+- "
_PADDED = re.compile(r"^ *0[0-9]+ *$", re.MULTILINE)
_FEWEST_STEPS = 2.0**20  # of float64 between the least and the greatest value: about six digits

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class NumberColumn:
    """A column of numbers.

    Attributes:
        name: From the header.
        values: Shape ``(rows,)``; NaN where missing.
        is_whole: Whether every number is written in digits only, with a sign perhaps.
    """

    name: str
    values: Numbers
    is_whole: bool = False

    @property
    def gaps(self) -> int:
        """The number of missing values."""
        return int(np.isnan(self.values).sum())


@dataclass(frozen=True, eq=False)
class WordColumn:
    """A column of words.

    Attributes:
        name: From the header.
        words: The different ones: in alphabetical order for a category, in that of the file for labels.
        codes: Indexes into ``words``, shape ``(rows,)``; −1 where missing.
    """

    name: str
    words: tuple[str, ...]
    codes: Codes

    @property
    def gaps(self) -> int:
        """The number of missing values."""
        return int((self.codes < 0).sum())


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of a CSV file, before anything is filled in or encoded.

    Attributes:
        numbers: Columns of numbers.
        categories: Columns of words.
        labels: The target column; its words as written.
    """

    numbers: tuple[NumberColumn, ...]
    categories: tuple[WordColumn, ...]
    labels: WordColumn


def read_columns(text: CsvText, layout: Layout, *, fill: bool) -> Columns:
    """Reads every column that is not left out.

    A column is one of words where more than half of its filled cells are neither numbers nor look like one; then no
    cell may be a number.

    Args:
        text: The file.
        layout: Its layout.
        fill: Whether missing values are allowed.

    Raises:
        DataError: A row is ragged; a cell goes on over a line break, is missing, not a number, or not finite in
            float32; a column holds nothing, words and numbers, numbers with units, or too many different words; there
            is no row, or too many cells.
    """
    gathered = {index: _Gathered() for index in layout.features}
    labels = _Words(most=MOST_NUMBERS)
    place = _Place(text, layout)
    rows = 0
    for first, cells in _columnwise(text, layout):
        rows = first + len(cells[0])
        if rows * len(gathered) > MOST_NUMBERS:
            raise DataError(
                f"{text.where}: more than {MOST_NUMBERS:,} numbers in {len(gathered):,} features; leave rows out, or "
                "columns with --drop"
            )
        if b'"' in text.utf8:
            _require_single_lines(place, cells, first)
        for index, column in gathered.items():
            column.add(cells[index], first, layout.decimal)
        labels.add(cells[layout.target])
    if not rows:
        raise DataError(f"{text.where}: there is a header line but no row; give rows below it")
    numbers = {index: column.values() for index, column in gathered.items() if not column.is_words}
    for index, column in gathered.items():
        _require_readable(place, index, column, numbers.get(index), fill=fill)
    words = {index: column.words for index, column in gathered.items() if column.is_words}
    return Columns(
        tuple(NumberColumn(layout.names[index], values, gathered[index].is_whole) for index, values in numbers.items()),
        tuple(_category(place, index, column, rows) for index, column in words.items()),
        WordColumn(layout.names[layout.target], tuple(labels.codes), labels.array()),
    )


@dataclass(frozen=True)
class _Place:
    """Descriptions of places in a file, for messages."""

    text: CsvText
    layout: Layout

    def column(self, index: int) -> str:
        return f"column {for_axis(for_terminal(self.layout.names[index]))!r}"

    def of(self, row: int, index: int) -> str:
        return f"{self.text.where}: line {self.layout.line_of(self.text, row)}, {self.column(index)}"

    def written(self, row: int, index: int) -> str:
        cells = next(itertools.islice(self.layout.rows(self.text), row, None))
        return cells[index].strip()

    def cell(self, row: int, index: int) -> str:
        return for_axis(self.written(row, index))


@dataclass
class _Gathered:
    """The cells of one feature, as they are read; ``words`` lacks parts of the column that are all plain numbers.

    Every number is written in digits so far where ``is_whole``; ``padded`` is the first row with a zero before them.
    """

    parts: list[Numbers] = field(default_factory=list)
    counts: Counter[Kind] = field(default_factory=Counter)
    first: dict[Kind, int] = field(default_factory=dict)
    is_merged: bool = False
    is_whole: bool = True
    padded: int | None = None
    words: _Words = field(default_factory=lambda: _Words())

    def add(self, cells: Sequence[str], start: int, decimal: str) -> None:
        values, numbers = plain_numbers(cells, decimal), cells
        if values is None:
            read = {cell: read_cell(cell, decimal) for cell in set(cells)}
            values = np.fromiter((read[cell][1] for cell in cells), np.float64, len(cells))
            numbers = [cell for cell, (kind, _) in read.items() if kind is Kind.NUMBER]
            times = Counter(cells)
            counts: Counter[Kind] = Counter()
            for cell, (kind, _) in read.items():
                counts[kind] += times[cell]
            for kind in counts.keys() - self.first.keys():
                self.first[kind] = start + next(row for row, cell in enumerate(cells) if read[cell][0] is kind)
            self.counts += counts
            self.words.add(cells)
        else:
            self.first.setdefault(Kind.NUMBER, start)
            self.counts[Kind.NUMBER] += len(cells)
        # Different integers beyond float64's digits are one value.
        self.is_merged |= abs(values[0]) >= WHOLE and bool((values == values[0]).all()) and len(set(cells)) > 1
        self.parts.append(values)
        self._notice_notation(numbers, cells, start)

    def _notice_notation(self, numbers: Sequence[str], cells: Sequence[str], start: int) -> None:
        self.is_whole = self.is_whole and not "".join(numbers).encode().translate(None, _OF_WHOLE_NUMBERS)
        if self.is_whole and self.padded is None and _PADDED.search("\n".join(cells)):
            self.padded = start + next(row for row, cell in enumerate(cells) if _PADDED.match(cell))

    @property
    def is_words(self) -> bool:
        return self.counts[Kind.WORD] > self.counts[Kind.NUMBER] + self.counts[Kind.ODD]

    def values(self) -> Numbers:
        values = np.concatenate(self.parts)
        self.parts.clear()
        return values


@dataclass
class _Words:
    """The cells of one column of words or labels, as they are read; not to the end where there are too many words."""

    most: int = MOST_CATEGORIES + len(MISSING_MARKERS)
    codes: dict[str, int] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    parts: list[Codes] = field(default_factory=list)

    def add(self, cells: Sequence[str]) -> None:
        if self.is_whole:
            for cell in dict.fromkeys(cells):
                if cell not in self.written:
                    self.written[cell] = self.codes.setdefault(tidy(cell), len(self.codes))
            self.parts.append(np.fromiter(map(self.written.__getitem__, cells), np.int64, len(cells)))

    @property
    def is_whole(self) -> bool:
        return len(self.codes) <= self.most

    def array(self) -> Codes:
        return np.concatenate(self.parts)


def _columnwise(text: CsvText, layout: Layout) -> Iterator[tuple[int, list[list[str]]]]:
    """The number of a row, and the cells of each column from there on, a chunk at a time."""
    rows, width = layout.rows(text), len(layout.names)
    start, most = 0, max(1, _CELLS_AT_ONCE // width)
    # One list, not one for each row: so many lists kept make Python's garbage collector take most of the time.
    while cells := list(itertools.chain.from_iterable(itertools.islice(rows, most))):
        yield start, [cells[column::width] for column in range(width)]
        start += len(cells) // width


def _require_single_lines(place: _Place, cells: Sequence[Sequence[str]], start: int) -> None:
    """Refuses a line break in a feature or label: a stray quotation mark makes one cell of many rows.

    In a column that is left out, only swallowed rows are refused.
    """
    layout = place.layout
    used = {*layout.features, layout.target}
    shape = Shape(layout.separator, len(layout.names), layout.target)
    labels: set[str] = set()
    for index, column in enumerate(cells):
        joined = "".join(column)
        if "\n" not in joined and "\r" not in joined:
            continue
        labels = labels or {label.strip() for label in cells[layout.target]}
        for row, cell in enumerate(column, start):
            if "\n" not in cell and "\r" not in cell:
                continue
            if index in used:
                raise DataError(
                    f"{place.of(row, index)}: the cell goes on over a line break; fix the quotation marks of the row "
                    "that begins there, or leave the column out with --drop"
                )
            if swallows_rows(cell, index, shape, labels):
                raise DataError(
                    f"{place.of(row, index)}: the cell goes on over line breaks and holds other rows of the table; fix "
                    "the quotation marks of the row that begins there"
                )


def _require_readable(place: _Place, index: int, column: _Gathered, values: Numbers | None, *, fill: bool) -> None:
    where = f"{place.text.where}: {place.column(index)}"
    if set(column.counts) == {Kind.MISSING}:
        raise DataError(f"{where} holds no value at all; leave it out with --drop")
    if values is not None:
        if wrong := [row for kind, row in column.first.items() if kind in (Kind.ODD, Kind.WORD)]:
            advice = hint(place.written(min(wrong), index), place.layout.decimal)
            raise DataError(
                f"{place.of(min(wrong), index)}: {place.cell(min(wrong), index)!r} is not a number; {advice}"
            )
        if column.is_whole and column.padded is not None:
            row = column.padded
            raise DataError(
                f"{place.of(row, index)}: {place.cell(row, index)!r} has a leading zero, as codes have, not numbers; "
                "put a letter before the codes to make them categories, write numbers without leading zeros, or leave "
                "the column out with --drop"
            )
        large = np.flatnonzero(np.abs(values) > FLOAT32_MAX)
        if len(large):
            row = int(large[0])
            raise DataError(
                f"{place.of(row, index)}: {place.cell(row, index)!r} is not a finite number in float32 (up to "
                f"{FLOAT32_MAX:.2g}); fix the cell, or remove the row"
            )
        least, greatest = np.nanmin(values), np.nanmax(values)
        steps = (greatest - least) / np.spacing(max(abs(least), abs(greatest)))
        if column.is_merged or 0 < steps < _FEWEST_STEPS:
            raise DataError(
                f"{where} varies from {least:g} to {greatest:g}, of which floating point keeps too few digits; "
                "subtract a constant from it, or leave it out with --drop"
            )
    else:
        _require_words(place, index, column)
    if Kind.MISSING in column.first and not fill:
        row = column.first[Kind.MISSING]
        cell = place.cell(row, index)
        shown = f" ({cell!r})" if cell else ""
        raise DataError(
            f"{place.of(row, index)}: the value is missing{shown}; fill it in, remove the row, or give --missing median"
        )


def _require_words(place: _Place, index: int, column: _Gathered) -> None:
    """Refuses a column of words some of which are numbers, or most of which have a number with a unit or the like."""
    if numeric_rows := [row for kind, row in column.first.items() if kind in (Kind.NUMBER, Kind.ODD)]:
        row, word = min(numeric_rows), place.cell(column.first[Kind.WORD], index)
        raise DataError(
            f"{place.of(row, index)}: {place.cell(row, index)!r} is a number among words such as {word!r}; "
            f"{NOT_NUMBERS}"
        )
    words = [word for word in column.words.codes if not is_missing(word)]
    numeric = [word for word in words if starts_with_number(word)]
    if 2 * len(numeric) > len(words):
        row = int(np.argmax(column.words.array() == column.words.codes[numeric[0]]))
        cell = for_axis(for_terminal(numeric[0]))
        raise DataError(
            f"{place.of(row, index)}: {cell!r} begins with a number, as most of the column's different words do; "
            f"{NOT_NUMBERS}"
        )
    if amounts := find_amounts(words):
        first = amounts[0].word
        row = int(np.argmax(column.words.array() == column.words.codes[first]))
        raise DataError(
            f"{place.of(row, index)}: {for_axis(for_terminal(first))!r} is a number with a unit, as most of the "
            "column's different words are; write the number alone, put a hyphen before codes (type-3), or leave the "
            "column out with --drop"
        )


def _category(place: _Place, index: int, column: _Words, rows: int) -> WordColumn:
    missing = {code for word, code in column.codes.items() if is_missing(word)}
    words = sorted(word for word, code in column.codes.items() if code not in missing)
    most = min(MOST_CATEGORIES, rows // _ROWS_PER_CATEGORY)
    if len(words) > most or not column.is_whole:
        example = for_axis(for_terminal(words[0]))
        raise DataError(
            f"{place.text.where}: {place.column(index)} has more different words (such as {example!r}) than the {most} "
            f"categories that {rows:,} rows allow; leave it out with --drop, or group its words"
        )
    require_no_twins(f"{place.text.where}: {place.column(index)}", words)
    return WordColumn(place.layout.names[index], tuple(words), _renumbered(column, words))


def require_no_twins(where: str, words: Sequence[str]) -> None:
    """Refuses words that differ only in the case of letters.

    Args:
        where: File and column, for the message.
        words: The different words.

    Raises:
        DataError: There are such words; two are named.
    """
    folded: dict[str, str] = {}
    for word in words:
        twin = folded.setdefault(word.casefold(), word)
        if twin != word:
            both = " and ".join(repr(for_axis(for_terminal(one))) for one in (twin, word))
            raise DataError(f"{where} has both {both}; write them in one way, or rename one if they differ")


def _renumbered(column: _Words, words: Sequence[str]) -> Codes:
    """The codes of a column as indexes into other words; −1 for a word that is not among them."""
    places: Mapping[str, int] = {word: place for place, word in enumerate(words)}
    return np.array([places.get(word, -1) for word in column.codes], np.int64)[column.array()]
