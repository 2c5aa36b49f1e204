"""The facts of a user's table for pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from initcheck.catalog.csv_tables.columns import WHOLE, Columns, NumberColumn, WordColumn
from initcheck.catalog.csv_tables.encoding import CsvText
from initcheck.catalog.csv_tables.layout import Layout, list_names
from initcheck.catalog.csv_tables.reading import DECIMALS, SEPARATORS, Reading
from initcheck.texts import for_axis, for_terminal

_MOST_LISTED = 10
_LONG = 1e9  # ten digits
_SENTINELS = frozenset([-99.0, *(sign * number for sign in (-1.0, 1.0) for number in (999, 9999, 99_999, 999_999))])
_SAME_STEP = 1e-6  # relative; the steps of 0.1, 0.2, 0.3 differ in floating point


@dataclass(frozen=True, eq=False)
class Facts:
    """The facts of a user's table.

    Attributes:
        file: The file's own name.
        text: The file.
        layout: Its layout.
        reading: The user's options for reading it.
        columns: Its columns.
        classes: The classes in the order of their numbers.
        also: Other spellings of a class, which were read as the same number.
        counts: Rows of each class.
        held_out: Rows of each class that are held out.
        inputs: The number of inputs that the features give.
        constant: Names of the inputs that never vary.
        shared: The number of held-out rows that equal a training row in inputs and class.
    """

    file: str
    text: CsvText
    layout: Layout
    reading: Reading
    columns: Columns
    classes: tuple[str, ...]
    also: Mapping[str, tuple[str, ...]]
    counts: tuple[int, ...]
    held_out: tuple[int, ...]
    inputs: int
    constant: tuple[str, ...]
    shared: int


def describe(facts: Facts) -> tuple[tuple[str, str], ...]:
    """The facts that apply, as ``(name, value)``."""
    layout, columns = facts.layout, facts.columns
    features = [layout.names[index] for index in layout.features]
    rows = sum(facts.counts)
    described = {
        "file": facts.file,
        "sha256": f"{facts.text.digest}… of the file's bytes",
        "read as": _read_as(facts),
        "table": f"{rows:,} rows of {_count(len(features), 'feature')} and a target",
        "features": f"{list_names(features)}; {_count(facts.inputs, 'input')}",
        "target column": _shown(columns.labels.name),
        "classes": _listed(
            [
                f"{_class(facts, name)}: {count:,} rows ({count / rows:.1%})"
                for name, count in zip(facts.classes, facts.counts, strict=True)
            ]
        ),
        "counts as 1": _shown(facts.classes[1]) if len(facts.classes) == 2 else "",
        "never held out": _listed(
            [_shown(name) for name, count in zip(facts.classes, facts.held_out, strict=True) if not count]
        ),
        "categories": _listed([_category(column) for column in columns.categories]),
        "left out": list_names(facts.reading.drop),
        "missing values": _missing([*columns.numbers, *columns.categories]),
        "never varies": list_names(facts.constant),
        "repeated rows": _shared(facts.shared, sum(facts.held_out)),
        "numbers the rows": _numbering([column.name for column in columns.numbers if _numbers_rows(column)]),
        "may identify the rows": _listed(list(filter(None, map(_identifies, columns.numbers)))),
        "may stand for a missing value": _listed([words for column in columns.numbers for words in _sentinels(column)]),
    }
    return tuple((name, value) for name, value in described.items() if value)


def _class(facts: Facts, name: str) -> str:
    also = facts.also.get(name)
    return f"{_shown(name)} (also written {_listed([_shown(one) for one in also])})" if also else _shown(name)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _read_as(facts: Facts) -> str:
    separator = next(name for name, mark in SEPARATORS.items() if mark == facts.layout.separator)
    decimal = next(name for name, mark in DECIMALS.items() if mark == facts.layout.decimal)
    header = "names in the first line" if facts.layout.has_header else "no header line"
    return f"{facts.text.encoding}, cells separated by {separator}, decimal {decimal}, {header}"


def _category(column: WordColumn) -> str:
    words = _listed([_shown(word) for word in column.words])
    inputs = len(column.words) + bool(column.gaps)
    return f"{_shown(column.name)} ({words}; one-hot, {_count(inputs, 'input')})"


def _missing(columns: Sequence[NumberColumn | WordColumn]) -> str:
    gaps = [column for column in columns if column.gaps]
    if not gaps:
        return "none"
    how = {NumberColumn: "the column's median over all rows", WordColumn: "a category of its own"}
    return _listed([f"{column.gaps:,} in {_shown(column.name)}: {how[type(column)]}" for column in gaps])


def _numbering(names: Sequence[str]) -> str:
    return f"{list_names(names)}: trained on; if it measures nothing, leave it out with --drop" if names else ""


def _numbers_rows(column: NumberColumn) -> bool:
    """Whether it numbers the rows: in equal steps up or down, or in integers of equal steps in any order."""
    steps = np.diff(column.values)
    if np.allclose(steps, steps[0], rtol=_SAME_STEP, atol=0) and steps[0]:
        return True
    if not (column.values == np.floor(column.values)).all():
        return False
    steps = np.diff(np.sort(column.values))
    return bool((steps == steps[0]).all() and steps[0])


def _identifies(column: NumberColumn) -> str:
    """Why a column of long whole numbers may hold account numbers; empty where it does not look so."""
    values = np.abs(column.values[~np.isnan(column.values)])
    if not column.is_whole or not len(values) or _numbers_rows(column):
        return ""
    if values.max() > WHOLE:
        return f"{_shown(column.name)} (whole numbers beyond 2⁵³, which lose their last digits)"
    if np.median(values) >= _LONG and len(np.unique(values)) == len(values):
        return f"{_shown(column.name)} (long whole numbers, all different)"
    return ""


def _sentinels(column: NumberColumn) -> Iterator[str]:
    """Numbers such as -999 that lie farther from all others than these from each other."""
    values = column.values[~np.isnan(column.values)]
    ends = {float(values.min()), float(values.max())} & _SENTINELS
    rest = values[~np.isin(values, list(_SENTINELS))] if ends else values
    if not len(rest):
        return
    low, high = rest.min(), rest.max()
    for value in sorted(ends):
        if max(low - value, value - high) > high - low:
            rows = int((values == value).sum())
            yield f"{value:g} in {_shown(column.name)} ({rows:,} row{'s' * (rows != 1)}), far from its other values"


def _shared(rows: int, held_out: int) -> str:
    if not rows:
        return ""
    verb = "is a training row" if rows == 1 else "are training rows"
    return f"{rows:,} of {held_out:,} held-out rows ({rows / held_out:.1%}) {verb}, too: same inputs, same class"


def _listed(items: Sequence[str]) -> str:
    more = len(items) - _MOST_LISTED
    return ", ".join([*items[:_MOST_LISTED], *([f"and {more:,} more"] if more > 0 else [])])


def _shown(text: str) -> str:
    return for_axis(for_terminal(text))
