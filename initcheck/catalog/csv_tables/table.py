"""A CSV file as a split table: words encoded, gaps filled in, rows standardised, classes numbered."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from initcheck.catalog.csv_tables.about import Facts, describe
from initcheck.catalog.csv_tables.amounts import find_amounts
from initcheck.catalog.csv_tables.cells import MISSING_LABELS, Numbers
from initcheck.catalog.csv_tables.columns import (
    MOST_NUMBERS,
    Codes,
    Columns,
    WordColumn,
    read_columns,
    require_no_twins,
)
from initcheck.catalog.csv_tables.encoding import CsvText, read_text
from initcheck.catalog.csv_tables.layout import Layout, find_layout
from initcheck.catalog.csv_tables.reading import Reading
from initcheck.catalog.csv_tables.spellings import merge_spellings
from initcheck.catalog.tables import SPREAD_ERROR, divided, standardized
from initcheck.errors import DataError
from initcheck.records import Data
from initcheck.texts import for_axis, for_terminal

MIN_ROWS = 10
MOST_CLASSES = 50
_FEW_CLASSES = 10  # so many different numbers may be classes in a table of any size
_ROWS_PER_CLASS = 10  # on average, where there are more than a few
_FIRST_ROWS = 1000
_MOST_NAME = 80  # characters


@dataclass(frozen=True, eq=False)
class CsvTable:
    """A user's table, ready for training.

    Attributes:
        name: The file's own name, without its folder.
        digest: The first 16 hexadecimal digits of SHA-256 over the file's bytes.
        target: Name of the target column.
        classes: The classes as they are written, in the order of their numbers.
        features: The number of columns used.
        data: The split table.
        chance: Share of the commonest class in the training rows.
        about: Facts for people, as ``(name, value)``.
    """

    name: str
    digest: str
    target: str
    classes: tuple[str, ...]
    features: int
    data: Data
    chance: float
    about: tuple[tuple[str, str], ...]


def read_table(path: Path, reading: Reading) -> CsvTable:
    """Reads, encodes and splits a user's CSV file.

    Words become one input for each category, missing values the median of their column or a category of their own,
    where that is allowed. As in ``split``, all rows decide the standardisation, including held-out ones.

    Args:
        path: The file.
        reading: The user's options for reading it.

    Raises:
        InitcheckError: The file cannot be read.
        DataError: It is not a table that can be trained on; the message says where and how to fix it.
    """
    text = read_text(path)
    layout = find_layout(text, reading)
    columns = read_columns(text, layout, fill=reading.missing is not None)
    labels = columns.labels
    if len(labels.codes) < MIN_ROWS:
        raise DataError(
            f"{text.where}: {len(labels.codes)} rows are too few to train and hold out; give at least {MIN_ROWS}"
        )
    classes, numbers, also = _number_classes(text, layout, labels)
    _require_no_copy(text, columns, numbers, len(classes))
    inputs, names = _encode(text, columns)
    constant = np.ptp(inputs, axis=0) == 0
    inputs[:, constant] = 0.0  # rounding of large values would leave a large remainder
    data = divided(standardized(inputs), numbers, len(classes))
    _require_standardized(text, data, names, constant)
    trained = np.bincount(data.y_train.ravel().astype(np.int64), minlength=len(classes))
    if not trained.all():
        rare = classes[int(np.argmin(trained))]
        raise DataError(
            f"{text.where}: no row of class {_shown(rare)!r} is among the training rows; give more rows of it"
        )
    facts = Facts(
        file=_file_name(path),
        text=text,
        layout=layout,
        reading=reading,
        columns=columns,
        classes=classes,
        also=also,
        counts=tuple(int(count) for count in np.bincount(numbers, minlength=len(classes))),
        held_out=tuple(int(count) for count in np.bincount(numbers, minlength=len(classes)) - trained),
        inputs=inputs.shape[1],
        constant=tuple(name for name, varies_not in zip(names, constant, strict=True) if varies_not),
        shared=_count_shared(data),
    )
    return CsvTable(
        facts.file,
        text.digest,
        labels.name,
        classes,
        len(layout.features),
        data,
        float(trained.max() / trained.sum()),
        describe(facts),
    )


def _file_name(path: Path) -> str:
    """The file's own name, the same in any folder; a fixed name for a pipe, whose number changes."""
    absolute = path.absolute()
    if absolute.parts[1:2] == ("proc",) or absolute.parent in (Path("/dev"), Path("/dev/fd")):
        return "table"
    name = unicodedata.normalize("NFC", for_terminal(absolute.name)).strip()
    return name if len(name) <= _MOST_NAME else f"{name[: _MOST_NAME - 1]}…"


def _number_classes(
    text: CsvText, layout: Layout, labels: WordColumn
) -> tuple[tuple[str, ...], Codes, dict[str, tuple[str, ...]]]:
    """The classes in order, the number of each row's class, and other spellings of a class: ``1.0`` of ``1``."""
    where = f"{text.where}: the target column {_shown(labels.name)!r}"
    _require_labels(text, layout, labels)
    spellings = merge_spellings(where, labels.words, layout.decimal)
    keys, values = spellings.keys, spellings.values
    require_no_twins(where, list(dict.fromkeys(keys)))
    by_value = dict(zip(keys, values or (), strict=bool(values)))
    classes = tuple(sorted(set(keys), key=by_value.__getitem__ if values else None))
    rows = len(labels.codes)
    if values and _looks_like_regression(values, len(classes), rows):
        raise DataError(
            f"{where} has {len(classes):,} different numbers in {rows:,} rows, which looks like regression, but "
            "initcheck compares accuracies of classes; name a column of classes with --target"
        )
    amounts = [] if values else find_amounts(classes)
    sizes = [one.value for one in amounts]
    if amounts and _looks_like_regression(sizes, len(set(sizes)), rows):
        raise DataError(
            f"{where} has {len(amounts):,} different numbers with a unit, such as {_shown(amounts[0].word)!r}, in "
            f"{rows:,} rows, which looks like regression, but initcheck compares accuracies of classes; name a column "
            "of classes with --target"
        )
    if len(classes) > MOST_CLASSES:
        raise DataError(
            f"{where} has {len(classes):,} different words in {rows:,} rows, but at most {MOST_CLASSES} classes are "
            "supported; name another column with --target"
        )
    if len(classes) < 2:
        raise DataError(
            f"{where} has 1 class, {_shown(labels.words[0])!r}, but two are needed; name another column with --target"
        )
    places = {key: place for place, key in enumerate(classes)}
    numbers = np.array([places[key] for key in keys], np.int64)[labels.codes]
    counts = np.bincount(numbers)
    if counts.min() < 2:
        rare = int(np.argmin(counts))
        line = layout.line_of(text, int(np.argmax(numbers == rare)))
        raise DataError(
            f"{text.where}: line {line} is the only row of class {_shown(classes[rare])!r} in the target column "
            f"{_shown(labels.name)!r}; remove that row, or give more rows of the class"
        )
    return classes, numbers, spellings.also


def _require_labels(text: CsvText, layout: Layout, labels: WordColumn) -> None:
    """Refuses rows without a class; the message names the first and their number."""
    missing = [code for code, word in enumerate(labels.words) if word.lower() in MISSING_LABELS]
    rows = np.flatnonzero(np.isin(labels.codes, missing))
    if not len(rows):
        return
    line, word = layout.line_of(text, int(rows[0])), labels.words[labels.codes[rows[0]]]
    fix = f", the first of {len(rows):,} such rows; remove them" if len(rows) > 1 else "; remove that row"
    raise DataError(
        f"{text.where}: line {line}: the target column {_shown(labels.name)!r} has no value"
        f"{f' ({word!r})' if word else ''}{fix}"
    )


def _looks_like_regression(values: Sequence[float], distinct: int, rows: int) -> bool:
    if distinct > min(MOST_CLASSES, max(_FEW_CLASSES, rows // _ROWS_PER_CLASS)) or 2 * distinct > rows:
        return True
    return distinct > _FEW_CLASSES and not all(value.is_integer() for value in values)


def _require_no_copy(text: CsvText, columns: Columns, numbers: Codes, classes: int) -> None:
    """Refuses a feature that is a copy of the target under other names, with or without missing values."""
    features = [(column.name, column.values, ~np.isnan(column.values)) for column in columns.numbers]
    features += [(column.name, column.codes.astype(float), column.codes >= 0) for column in columns.categories]
    for name, values, filled in features:
        if _is_copy(values, numbers, classes) or _is_copy(values[filled], numbers[filled], classes):
            raise DataError(
                f"{text.where}: column {_shown(name)!r} has one value for each class of the target column "
                f"{_shown(columns.labels.name)!r}, so it gives the answer away; leave it out with --drop"
            )


def _is_copy(values: Numbers, numbers: Codes, classes: int) -> bool:
    """Whether values and classes correspond one to one."""
    if len(np.unique(values[:_FIRST_ROWS])) > classes:  # as for nearly all columns
        return False
    different, codes = np.unique(values, return_inverse=True)
    return len(different) == classes == len(np.unique(codes * classes + numbers))


def _count_shared(data: Data) -> int:
    """The number of held-out rows that equal a training row, in the model's inputs and class."""
    import pandas as pd

    trained, held_out = (
        pd.util.hash_pandas_object(pd.DataFrame(x + np.float32(0)).assign(label=y.ravel()), index=False)
        for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test))
    )
    return int(held_out.isin(trained).sum())


def _encode(text: CsvText, columns: Columns) -> tuple[Numbers, list[str]]:
    """The inputs, shape ``(rows, inputs)``, numbers first, and their names."""
    rows = len(columns.labels.codes)
    encoded = [_one_hot(column) for column in columns.categories]
    width = len(columns.numbers) + sum(part.shape[1] for part, _ in encoded)
    if rows * width > MOST_NUMBERS:
        raise DataError(
            f"{text.where}: {rows:,} rows of {width:,} inputs are more than {MOST_NUMBERS:,} numbers; leave out rows, "
            "or columns with --drop"
        )
    parts = [_filled([column.values for column in columns.numbers]), *(part for part, _ in encoded)]
    names = [*(column.name for column in columns.numbers), *(name for _, part in encoded for name in part)]
    inputs = np.hstack([part for part in parts if part.size])
    if not np.ptp(inputs, axis=0).any():
        raise DataError(f"{text.where}: every feature has the same value in all rows; give columns that vary")
    return inputs, names


def _filled(values: Sequence[Numbers]) -> Numbers:
    """The columns side by side, with the median of its column in place of each missing value."""
    from sklearn.impute import SimpleImputer

    if not values:
        return np.empty((0, 0))
    table = np.column_stack(values)
    if not np.isnan(table).any():
        return table
    filled: Numbers = SimpleImputer(strategy="median").fit_transform(table)
    return filled


def _one_hot(column: WordColumn) -> tuple[Numbers, list[str]]:
    """An input for each category, the last one for missing values where there are any."""
    from sklearn.preprocessing import OneHotEncoder

    names = [f"{column.name}={word}" for word in column.words] + [f"{column.name} missing"] * bool(column.gaps)
    codes = np.where(column.codes < 0, len(column.words), column.codes).reshape(-1, 1)
    encoder = OneHotEncoder(categories=[np.arange(len(names))], sparse_output=False, dtype=np.float64)
    encoded: Numbers = encoder.fit_transform(codes)
    return encoded, names


def _require_standardized(text: CsvText, data: Data, names: Sequence[str], constant: npt.NDArray[np.bool_]) -> None:
    """Refuses an input that float64 cannot standardise: it varies too little for its size, or is too small."""
    both = np.concatenate([data.x_train, data.x_test])
    with np.errstate(all="ignore"):
        wrong = ~constant & ~(np.abs(both.std(axis=0, dtype=np.float64) - 1) < SPREAD_ERROR)
    if (wrong | ~np.isfinite(both).all(axis=0)).any():
        name = names[int(np.argmax(wrong))]
        raise DataError(
            f"{text.where}: column {_shown(name)!r} varies too little for the size of its values to be standardised in "
            "floating point; subtract a constant from it, choose another unit, or leave it out with --drop"
        )


def _shown(text: str) -> str:
    return for_axis(for_terminal(text))
