"""Tables of numbers: reading a user's CSV, fetching OpenML's copy, splitting into training and held-out rows."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt

from initcheck.errors import DataError
from initcheck.records import Data

BANKNOTES_OPENML_ID = 1462


def split(x: npt.ArrayLike, y: npt.ArrayLike, *, classes: int = 2, standardize: bool = True) -> Data:
    """Standardise all rows and split them 70/30 in an order that never changes, as the lecture does.

    Args:
        x: Inputs, shape ``(rows, *input_shape)``; standardised by column where they are a table.
        y: Class numbers from 0, shape ``(rows,)``.
        classes: How many classes; with 2 the targets become a column of 0.0 and 1.0 for one sigmoid output.
        standardize: Whether to bring each column to mean 0 and standard deviation 1.

    Returns:
        The split; NumPy's ``RandomState(42)`` decides it, a stream that NumPy promises never to change.
    """
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    inputs = np.asarray(x, dtype=np.float64)
    if standardize:
        inputs = StandardScaler().fit_transform(inputs)
    targets = np.asarray(y).astype(np.float32).reshape(-1, 1) if classes == 2 else np.asarray(y).astype(np.int32)
    x_train, x_test, y_train, y_test = train_test_split(
        inputs.astype(np.float32), targets, test_size=0.3, random_state=42
    )
    return Data(x_train, y_train, x_test, y_test)


def read_csv(path: Path, *, target: str | None = None) -> Data:
    """A user's CSV with a header and two classes, split as the lecture does.

    Args:
        path: The file: a header line, numbers in every feature column, two classes in the target column.
        target: Name of the target column; the last one by default.

    Raises:
        DataError: The file is missing, empty, ragged, non-numeric, has gaps, lacks the column, or has not two classes.
    """
    header, rows = _read_rows(path)
    if target is not None and target not in header:
        raise DataError(f"{path}: no column is named {target!r}; name one with --target: {', '.join(header)}")
    column = header.index(target) if target is not None else len(header) - 1
    labels = sorted({row[column] for _, row in rows})
    if "" in labels or "nan" in (label.lower() for label in labels):
        raise DataError(f"{path}: the target column {header[column]!r} has gaps; remove those rows")
    if len(labels) != 2:
        raise DataError(
            f"{path}: the target column {header[column]!r} has {len(labels)} class{'es' * (len(labels) != 1)}, "
            "but two are needed; name another column with --target"
        )
    features = [[_number(path, line, name, cell) for name, cell in _without(header, row, column)] for line, row in rows]
    if len(rows) < 10:
        raise DataError(f"{path}: {len(rows)} rows are too few to train and hold out; give at least 10")
    data = split(features, [labels.index(row[column]) for _, row in rows])
    if len(np.unique(data.y_train)) != 2:
        raise DataError(f"{path}: the training rows hold one class only; give more rows of the rarer class")
    return data


def _read_rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header's names and the rows with their line numbers; every row as long as the header."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}; give a readable file with --data") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV file in UTF-8 ({error}); export it as one") from None
    if not lines:
        raise DataError(f"{path}: the file is empty; give a header line and rows of numbers")
    header, rows = lines[0][1], lines[1:]
    if len(header) < 2:
        raise DataError(f"{path}: a table needs a feature and a target column, separated by commas; found {header}")
    if len(set(header)) != len(header):
        raise DataError(f"{path}: two columns bear the same name; rename one in the header line")
    if not rows:
        raise DataError(f"{path}: there is a header line but no row; give rows of numbers")
    for number, row in rows:
        if len(row) != len(header):
            raise DataError(f"{path}: line {number} has {len(row)} cells, the header has {len(header)}; mend that line")
    return header, rows


def _without(header: list[str], row: list[str], column: int) -> list[tuple[str, str]]:
    return [pair for index, pair in enumerate(zip(header, row, strict=True)) if index != column]


def _number(path: Path, line: int, name: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        found = "nothing" if cell == "" else repr(cell)
        raise DataError(f"{path}: line {line}, column {name!r}: {found} is no number; mend or remove it") from None
    if not np.isfinite(value):
        raise DataError(f"{path}: line {line}, column {name!r}: {cell} is not a finite number; mend or remove it")
    return value


def fetch_banknotes() -> Data:
    """The banknote authentication data from OpenML (data set 1462; V. Lohweg 2012, doi.org/10.24432/C55P57).

    Raises:
        DataError: OpenML cannot be reached.
    """
    from sklearn.datasets import fetch_openml

    try:
        table = fetch_openml(data_id=BANKNOTES_OPENML_ID, as_frame=False, parser="liac-arff", n_retries=1, delay=0.5)
    except Exception as error:  # a URL error, a time-out, an HTTP error, a broken archive: one mend for all of them
        raise DataError(
            f"OpenML did not give data set {BANKNOTES_OPENML_ID} ({type(error).__name__}); "
            "connect to the network, or give the table as a file with --data FILE.csv"
        ) from None
    labels = sorted(set(table.target))
    return split(table.data, [labels.index(label) for label in table.target])
