"""The layout of a CSV file: its separator, header and decimal mark. An ambiguous layout is refused."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from initcheck.catalog.csv_tables.cells import is_fraction, is_grouped, is_missing, is_number, tidy
from initcheck.catalog.csv_tables.encoding import CsvText
from initcheck.catalog.csv_tables.reading import DECIMALS, SEPARATORS, Reading
from initcheck.errors import DataError
from initcheck.texts import for_axis, for_terminal

# The layout is detected in these rows and cells; later rows that do not fit are refused when they are read.
_MOST_SAMPLED, _FEWEST_SAMPLED, _CELLS_SAMPLED = 1000, 20, 100_000
_CLEARLY_MORE = 0.1  # share of cells
_MOST_NAMES = 20
_COMMENTS = ("#", "%", "//")  # beginnings of lines that programs write above a table

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Layout:
    """The layout of a file.

    Attributes:
        separator: Between cells.
        decimal: The decimal mark.
        names: The columns' names, in order; ``column_1`` and so on where the file gives none.
        has_header: Whether the first line names the columns.
        target: Index of the column with the classes.
        features: Indexes of the other columns that are not left out.
        skipped: Lines before the first one of the table: 1 where Excel has written ``sep=;``.
    """

    separator: str
    decimal: str
    names: tuple[str, ...]
    has_header: bool
    target: int
    features: tuple[int, ...]
    skipped: int

    def rows(self, text: CsvText) -> Iterator[list[str]]:
        """The rows in order, each as long as ``names``; blank lines are left out.

        Raises:
            DataError: A row has another length, or its quotation marks do not fit; the line is named.
        """
        width = len(self.names)
        numbered = _rows(text, self.separator, self.skipped)
        for line, row in itertools.islice(numbered, int(self.has_header), None):
            if len(row) != width:
                if len(row) != width + 1 or row[-1].strip():
                    first = "the header has" if self.has_header else "the first line has"
                    raise DataError(f"{text.where}: line {line} has {len(row)} cells, {first} {width}; fix that line")
                row.pop()  # a separator at the end of the line
            yield row

    def line_of(self, text: CsvText, number: int) -> int:
        """The line of the row of that number, counted from 0."""
        rows = itertools.islice(_rows(text, self.separator, self.skipped), number + int(self.has_header), None)
        return next(rows)[0]


def find_layout(text: CsvText, reading: Reading) -> Layout:
    """The layout, by the user's options or as detected in the first rows.

    Raises:
        DataError: It is ambiguous, or there is no such column; the message names the option that decides.
    """
    declared = _declared_separator(text)
    skipped = int(declared is not None)
    separator = SEPARATORS[reading.separator] if reading.separator else declared or _find_separator(text)
    first, *sample = _sample(text, separator, skipped) or [[]]
    if _ends_with_separators(first, sample):
        first = first[:-1]
    if reading.separator and (len(first) < 2 or _common_width(sample, len(first)) not in (0, len(first))):
        _require_no_better(text, reading.separator, skipped)
    if len(first) < 2:
        raise _single_column(text, first, sample)
    _require_matching_header(text, first, sample, separator, skipped)
    fitting = [row for row in sample if len(row) - len(first) in (0, 1)]
    has_header = _has_header(text, first, fitting, reading)
    if has_header:
        _require_matched_quotes(text, first, separator, skipped)
    names = _names(first) if has_header else tuple(f"column_{number}" for number in range(1, len(first) + 1))
    layout = Layout(separator, ".", names, has_header, *_chosen(text, first, names, has_header, reading), skipped)
    if reading.decimal:
        return replace(layout, decimal=DECIMALS[reading.decimal])
    rows = fitting if has_header else [first, *fitting]
    mark = _find_decimal(text, _used_cells(layout, rows), separator)
    if mark is None and separator != "," and (b"." in text.utf8 or b"," in text.utf8):
        mark = _find_decimal_in_all(text, layout)
    return replace(layout, decimal=mark or ".")


def list_names(names: Sequence[str]) -> str:
    """The first names, shortened, for a message."""
    shown = [for_axis(for_terminal(name)) for name in names[:_MOST_NAMES]]
    more = len(names) - len(shown)
    return ", ".join([*shown, f"and {more:,} more"] if more else shown)


def _lines(text: CsvText) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(text.utf8), encoding="utf-8", newline="")


def _rows(text: CsvText, separator: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, with the numbers of the lines that they begin on.

    Empty cells alone are a row whose values are missing, except at the end, where spreadsheets leave such lines.
    """
    lines = _lines(text)
    for _ in range(skipped):
        lines.readline()
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    line = skipped
    empty: list[tuple[int, list[str]]] = []
    try:
        for row in reader:
            start, line = line + 1, reader.line_num + skipped
            if any(cell.strip() for cell in row):
                yield from empty
                empty.clear()
                yield start, row
            elif len(row) > 1:
                empty.append((start, row))
    except csv.Error as error:
        raise DataError(
            f"{text.where}: line {line + 1}: the row that begins there cannot be read ({error}); fix its "
            "quotation marks"
        ) from None


def _sample(text: CsvText, separator: str, skipped: int = 0) -> list[list[str]]:
    """The first rows; those before the first broken line, which is reported when all rows are read."""
    rows: list[list[str]] = []
    try:
        for _, row in itertools.islice(_rows(text, separator, skipped), 1 + _MOST_SAMPLED):
            rows.append(row)
            if len(rows) > max(_FEWEST_SAMPLED, _CELLS_SAMPLED // len(rows[0])):
                break
    except DataError:
        if not rows:
            raise
    return rows


def _declared_separator(text: CsvText) -> str | None:
    """The separator that the first line declares, as Excel writes it: ``sep=;``."""
    first = text.utf8[:16].splitlines()[0].strip(b'" \r')
    declared = first[4:].decode(errors="replace") if first.lower().startswith(b"sep=") else ""
    return declared if declared in SEPARATORS.values() else None


def _find_separator(text: CsvText) -> str:
    samples: dict[str, list[list[str]]] = {}
    broken: DataError | None = None
    for separator in SEPARATORS.values():
        try:
            rows = _sample(text, separator)
        except DataError as error:
            broken = broken or error
            continue
        if rows and len(rows[0]) - _ends_with_separators(rows[0], rows[1:]) > 1:
            samples[separator] = rows
    if not samples:
        if broken is not None:
            raise broken
        alone = {separator: _sample(text, separator) for separator in SEPARATORS.values()} if broken is None else {}
        first, *rows = max(alone.values(), key=_longer_rows, default=[]) or [[]]
        raise _single_column(text, first, rows)
    consistent = {separator: _consistency(rows) for separator, rows in samples.items()}
    best = [separator for separator in samples if consistent[separator] == max(consistent.values())]
    if len(best) > 1:
        shares = {separator: _number_share(samples[separator]) for separator in best}
        top = max(shares.values())
        best = [separator for separator in best if shares[separator] > top - _CLEARLY_MORE]
    if len(best) > 1:
        names = [name for name, separator in SEPARATORS.items() if separator in best]
        raise DataError(
            f"{text.where}: the cells may be separated by {' or by '.join(names)}; say which with --separator"
        )
    return best[0]


def _require_no_better(text: CsvText, given: str, skipped: int) -> None:
    """Refuses the separator that the user gives where it fits no table, but another one fits every line."""
    fitting: dict[str, float] = {}
    for name, separator in SEPARATORS.items():
        with contextlib.suppress(DataError):  # quotation marks that do not fit
            rows = _sample(text, separator, skipped)
            width = len(rows[0]) - _ends_with_separators(rows[0], rows[1:]) if rows else 0
            if name != given and width > 1 and _consistency(rows) == 1:
                fitting[name] = _number_share(rows)
    if fitting:
        best = max(fitting, key=fitting.__getitem__)
        raise DataError(
            f"{text.where}: the lines do not fit together as cells separated by {given}, but do as cells separated by "
            f"{best}; give --separator {best}"
        )


def _consistency(rows: Rows) -> float:
    """The share of the rows that are as long as the first, give or take a separator at the end."""
    width = len(rows[0]) - _ends_with_separators(rows[0], rows[1:])
    fits = [len(row) == width or (len(row) == width + 1 and not row[-1].strip()) for row in rows]
    return sum(fits) / len(fits)


def _number_share(rows: Rows) -> float:
    cells = [cell for row in rows[1:] for cell in row]
    return sum(map(is_number, cells)) / len(cells) if cells else 0.0


def _ends_with_separators(first: Sequence[str], sample: Rows) -> bool:
    """Whether the last cell of the first line is there only because lines end with a separator."""
    if len(first) < 2 or first[-1].strip():
        return False
    return all(len(row) < len(first) or not "".join(row[len(first) - 1 :]).strip() for row in sample)


def _longer_rows(rows: Rows) -> int:
    return sum(len(row) > 1 for row in rows)


def _common_width(sample: Rows, width: int) -> int:
    """The number of cells that more than half of the rows have; 0 where there is none.

    A separator at the end of the line adds no cell.
    """
    widths = Counter(len(row) - (len(row) == width + 1 and not row[-1].strip()) for row in sample)
    common, times = widths.most_common(1)[0] if widths else (0, 0)
    return common if 2 * times > len(sample) else 0


def _require_matching_header(text: CsvText, first: Sequence[str], sample: Rows, separator: str, skipped: int) -> None:
    """Refuses a first line whose length differs from that of most rows: the fault is its own, not theirs."""
    common = _common_width(sample, len(first))
    if common in (0, len(first)):
        return
    line = next(_numbered(text, separator, skipped), 1 + skipped)
    if first[0].lstrip().startswith(_COMMENTS):
        raise _no_part(text, line)
    raise DataError(
        f"{text.where}: line {line}, the first, has {len(first)} cells, but most rows have {common}; give each column "
        "one name there"
    )


def _no_part(text: CsvText, line: int) -> DataError:
    shown = for_axis(for_terminal(next(itertools.islice(_lines(text), line - 1, None)).strip()))
    return DataError(f"{text.where}: line {line}, {shown!r}, is no part of the table below it; remove that line")


def _single_column(text: CsvText, first: Sequence[str], sample: Rows = ()) -> DataError:
    cell = for_axis(for_terminal(first[0])) if first else ""
    if first and 2 * _longer_rows(sample) > len(sample):
        return _no_part(text, next(_numbered(text, ",", int(_declared_separator(text) is not None)), 1))
    return DataError(
        f"{text.where}: a table needs a feature and a target column, but the first line has one cell, {cell!r}; "
        f"separate the cells by {', '.join(SEPARATORS)}, or say which of them with --separator"
    )


def _has_header(text: CsvText, first: Sequence[str], sample: Rows, reading: Reading) -> bool:
    if reading.header is not None:
        return reading.header == "yes"
    reason = _looks_like_data(first, sample)
    if reason:
        raise DataError(
            f"{text.where}: the first line may be data, not names: {reason}; give --header no if it is a row, or "
            "--header yes if it names the columns"
        )
    return True


def _require_matched_quotes(text: CsvText, first: Sequence[str], separator: str, skipped: int) -> None:
    """Refuses a header line with a stray quotation mark, which becomes part of a name or swallows rows."""
    numbered = list(itertools.islice(_numbered(text, separator, skipped), 2))
    stop = numbered[1] - 1 if len(numbered) > 1 else None
    lines = itertools.islice(_lines(text), numbered[0] - 1, stop)
    swallowed = [cell for cell in first if separator in cell and ("\n" in cell or "\r" in cell)]
    if swallowed or sum(line.count('"') for line in lines) % 2:
        odd = next((cell for cell in [*swallowed, *first] if cell in swallowed or '"' in cell), first[0])
        raise DataError(
            f"{text.where}: the header line {numbered[0]} has a stray quotation mark, at the column "
            f'{for_axis(for_terminal(odd))!r}; remove it, or write "" for a mark within a quoted name'
        )


def _numbered(text: CsvText, separator: str, skipped: int) -> Iterator[int]:
    """The lines that rows begin on, as far as they can be read."""
    try:
        for line, _ in _rows(text, separator, skipped):
            yield line
    except DataError:  # reported when all rows are read
        return


def _looks_like_data(first: Sequence[str], sample: Rows) -> str:
    """Why the first line may be a row like the others; empty if it looks like names."""
    filled = [(cell.strip(), index) for index, cell in enumerate(first) if not is_missing(cell)]
    if all(is_number(cell) for cell, _ in filled):
        return "every cell of it is a number" if filled else "it names nothing"
    for cell, index in filled:
        if is_number(cell):
            others = {row[index] for row in sample if not is_missing(row[index])}
            if others and all(map(is_number, others)):
                return f"{cell!r} stands above a column of numbers"
    for cell, index in filled:
        if any(cell == row[index].strip() for row in sample):
            return f"{cell!r} occurs again in its column"
    return ""


def _names(first: Sequence[str]) -> tuple[str, ...]:
    return tuple(tidy(cell) or f"column_{number}" for number, cell in enumerate(first, 1))


def _chosen(
    text: CsvText, first: Sequence[str], names: tuple[str, ...], has_header: bool, reading: Reading
) -> tuple[int, tuple[int, ...]]:
    """The indexes of the target column and of the features; names are compared in normal form."""
    wanted, dropped = None if reading.target is None else tidy(reading.target), tuple(map(tidy, reading.drop))
    for option, name in [("--target", wanted), *(("--drop", name) for name in dropped)]:
        if name is not None and name not in names:
            raise DataError(
                f"{text.where}: no column is named {for_terminal(name)!r}; give {option} one of: {list_names(names)}"
            )
    kept = [index for index, name in enumerate(names) if name not in dropped]
    if wanted in dropped:
        raise DataError(f"{text.where}: {wanted!r} is the target and cannot be left out; leave out --drop")
    if len(kept) < 2:
        raise DataError(f"{text.where}: --drop leaves no feature and target; keep two columns at least")
    times = Counter(names[index] for index in kept)
    for index in kept:
        name = names[index]
        if has_header and not first[index].strip():
            raise DataError(
                f"{text.where}: column {index + 1} has no name; name it in the header line, or leave it out with "
                f"--drop {name}"
            )
        if times[name] > 1:
            raise DataError(
                f"{text.where}: two columns have the same name, {for_axis(for_terminal(name))!r}; rename one in the "
                "header line"
            )
    target = names.index(wanted) if wanted is not None else kept[-1]
    return target, tuple(index for index in kept if index != target)


def _used_cells(layout: Layout, rows: Iterable[Sequence[str]]) -> Iterator[str]:
    used = (*layout.features, layout.target)
    return (row[index].strip() for row in rows for index in used)


def _find_decimal(text: CsvText, cells: Iterable[str], separator: str) -> str | None:
    """The decimal mark that the first rows show; None where they do not."""
    cells = list(cells)
    fractions = {mark: [cell for cell in cells if is_fraction(cell, mark)] for mark in (".", ",")}
    clear = {
        mark: next((cell for cell in group if not is_grouped(cell, mark)), None) for mark, group in fractions.items()
    }
    if clear["."] and clear[","]:
        raise DataError(
            f"{text.where}: both {clear['.']!r} and {clear[',']!r} occur; say with --decimal point or --decimal comma "
            "which is the decimal mark"
        )
    for mark, cell in clear.items():
        if cell:
            return mark
    if separator == "," and fractions[","]:  # quoted; a point is the decimal mark there
        raise _ambiguous(text, fractions[","][0], ",")
    return None


def _find_decimal_in_all(text: CsvText, layout: Layout) -> str | None:
    """The decimal mark of the first clear fraction in the file; None where nothing looks like a fraction.

    Only where cells are separated by commas is a point never a separator of thousands.
    """
    doubtful: dict[str, str] = {}
    for cell in _used_cells(layout, layout.rows(text)):
        for mark in (",", "."):
            if mark in cell and is_fraction(cell, mark):
                if not is_grouped(cell, mark):
                    return mark
                doubtful.setdefault(mark, cell)
    for mark in (",", "."):
        if mark in doubtful:
            raise _ambiguous(text, doubtful[mark], mark)
    return None


def _ambiguous(text: CsvText, cell: str, mark: str) -> DataError:
    name = {".": "point", ",": "comma"}[mark]
    return DataError(
        f"{text.where}: {cell!r} may be {cell.replace(mark, '.', 1)} or {cell.replace(mark, '')}; give --decimal "
        f"{name} if {mark!r} is the decimal mark, or write numbers without thousands separators"
    )
