"""Validates a problem's table with NumPy alone."""

from __future__ import annotations

import inspect
from typing import Any, NoReturn

import numpy as np

from initcheck.arguments import described
from initcheck.catalog.problems import Problem
from initcheck.errors import InitcheckError
from initcheck.records import Data
from initcheck.texts import for_terminal

_PARTS = ("train", "test")
_MOST_LABELS = 5  # shown in a message
_MOST_BYTES = 8  # of a number; NumPy's long double has more
_MOST_TEXT = 30  # characters of a label
_CHANCE_TOLERANCE = 0.05  # chance may be that of the whole table


def require_usable_data(problem: Problem, table: object) -> None:
    """Checks types, shapes, values and labels of what ``data()`` has returned.

    Raises:
        InitcheckError: The first mistake.
    """
    if not isinstance(table, Data):
        if inspect.iscoroutine(table):
            table.close()  # else Python warns, later, that nobody has waited for it
        _refuse(
            problem,
            f"data() returns {described(table)}; return an initcheck.Data, as initcheck.split(x, y, classes=…) does",
        )
    for name in ("x_train", "y_train", "x_test", "y_test"):
        _require_array(problem, name, getattr(table, name))
    for part in _PARTS:
        _require_inputs(problem, f"x_{part}", getattr(table, f"x_{part}"))
    if table.x_train.dtype != table.x_test.dtype:
        _refuse(problem, f"x_train is {table.x_train.dtype} and x_test {table.x_test.dtype}; give both one dtype")
    for part in _PARTS:
        _require_targets(problem, f"y_{part}", getattr(table, f"y_{part}"))
        _require_same_rows(problem, part, table)
    for axis in ("x", "y"):
        one, other = (getattr(table, f"{axis}_{part}").shape[1:] for part in _PARTS)
        if one != other:
            _refuse(
                problem,
                f"a row of {axis}_train has the shape {one}, one of {axis}_test {other}; give both the same columns",
            )
    for name in ("x_train", "y_train", "x_test", "y_test"):  # the last check of a type: those before say more
        _require_known_type(problem, name, getattr(table, name))
    _require_labels(problem, table)
    _require_levels(problem, table)


def _refuse(problem: Problem, text: str) -> NoReturn:
    raise InitcheckError(f"problem {problem.name!r}: {text}")


def _require_array(problem: Problem, name: str, array: object) -> None:
    if array is None:
        _refuse(problem, f"{name} is None; give training and held-out rows, as initcheck.split does")
    if not isinstance(array, np.ndarray):
        _refuse(problem, f"{name} is {described(array)}; give a NumPy array: np.asarray({name}, '{_needed(name)}')")
    if isinstance(array, np.ma.MaskedArray):
        _refuse(problem, f"{name} is a masked array, whose mask would be ignored; leave those rows out or fill them")
    if type(array) not in (np.ndarray, np.memmap):
        _refuse(problem, f"{name} is {described(array)}; give a plain NumPy array: np.asarray({name})")
    if array.dtype.kind in "OUSV":
        _refuse(problem, f"{name} holds {_contents(array)}; {_numbers_from(name)}")
    if array.dtype.kind not in "fiu":
        _refuse(problem, f"{name} is {array.dtype}; give numbers: {name}.astype('{_needed(name)}')")
    if array.ndim == 0 or not len(array):
        what = "held-out" if name.endswith("test") else "training"
        _refuse(problem, f"{name} has no rows; give at least one {what} row")
    if array.dtype.kind == "f" and not (finite := np.isfinite(array)).all():
        rows = np.unique(np.nonzero(~finite)[0])
        count = int((~finite).sum())
        _refuse(
            problem,
            f"{name} has NaN or infinity, {count:,} of {array.size:,} values, the first in row {rows[0]:,}; "
            "leave those rows out or fill them",
        )


def _require_known_type(problem: Problem, name: str, array: np.ndarray) -> None:
    if not array.dtype.isnative or array.dtype.itemsize > _MOST_BYTES:
        needed = _needed(name)
        _refuse(problem, f"{name} is {array.dtype}; give {needed}: {name}.astype({needed!r})")


def _contents(array: np.ndarray) -> str:
    first = next(iter(array.ravel()), None)
    if isinstance(first, str | bytes):
        return f"texts such as {_shortened(first)!r}"
    return f"objects, the first {described(first)}"


def _shortened(label: Any) -> str:
    return for_terminal(str(label))[:_MOST_TEXT]


def _needed(name: str) -> str:
    return "float32" if name.startswith("x") else "int32"


def _numbers_from(name: str) -> str:
    if name.startswith("x"):
        return f"give numbers: {name}.astype('float32'), or code texts as columns of 0 and 1"
    return "give class numbers: np.unique(y, return_inverse=True)[1]"


def _require_inputs(problem: Problem, name: str, x: np.ndarray) -> None:
    if x.ndim < 2 or 0 in x.shape:
        _refuse(problem, f"{name} has the shape {x.shape}; give (rows, columns): {name}.reshape(len({name}), -1)")
    # Whole numbers may be what an embedding takes: the model's input decides.
    if x.dtype.kind == "f" and x.dtype != np.float32:
        _refuse(problem, f"{name} is {x.dtype}; give float32: {name}.astype('float32')")


def _require_targets(problem: Problem, name: str, y: np.ndarray) -> None:
    if y.ndim > 1 and y.shape[1:] != (1,):
        hot = y.ndim == 2 and np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all()
        kind = "is one-hot" if hot else "has several numbers a row"
        fix = f"give class numbers: {name}.argmax(axis=1)" if hot else "give one class number a row, shape (rows,)"
        _refuse(problem, f"{name} {kind}, shape {y.shape}; {fix}")
    if y.dtype.kind == "f" and (fractions := y != np.floor(y)).any():
        _refuse(
            problem,
            f"{name} holds real numbers such as {float(y[fractions][0]):.4g}, a regression; give class numbers: scores "
            "other than accuracy are not supported yet",
        )


def _require_same_rows(problem: Problem, part: str, data: Data) -> None:
    x, y = (getattr(data, f"{axis}_{part}") for axis in "xy")
    if len(x) != len(y):
        _refuse(problem, f"x_{part} has {len(x):,} rows and y_{part} {len(y):,}; give a target for every row")


def _require_labels(problem: Problem, data: Data) -> None:
    train, test = np.unique(data.y_train), np.unique(data.y_test)
    labels = np.union1d(train, test)
    if labels.tolist() == [-1, 1]:
        _refuse(problem, "y_train has the labels -1 and 1; give 0 and 1: (y + 1) / 2")
    unseen = np.setdiff1d(test, train)
    if not np.array_equal(labels, np.arange(len(labels))):
        shown = ", ".join(f"{label:g}" for label in labels[:_MOST_LABELS]) + (", …" if len(labels) > 5 else "")
        _refuse(
            problem,
            f"y_train and y_test have the labels {shown}; number the {len(labels):,} classes from 0 on: "
            "np.unique(y, return_inverse=True)[1]; a regression is not supported yet",
        )
    if len(unseen):
        _refuse(
            problem,
            f"y_test has the class {unseen[0]:g}, which no row of y_train has; split so that training rows have "
            "every class",
        )
    if len(labels) < 2:
        _refuse(problem, f"y_train has the one class {labels[0]:g}; give rows of two classes or more")


def _require_levels(problem: Problem, data: Data) -> None:
    """Refuses a chance that is not that of these rows, and a target that naming one class for all of them reaches."""
    train, test = (float(np.bincount(y.ravel().astype(np.int64)).max() / len(y)) for y in (data.y_train, data.y_test))
    low, high = min(train, test) - _CHANCE_TOLERANCE, max(train, test) + _CHANCE_TOLERANCE
    if not low <= problem.chance <= high:
        _refuse(
            problem,
            f"chance is {problem.chance:g}, but the commonest class has {train:.4g} of the training rows and "
            f"{test:.4g} of the held-out rows; give chance={test:.4g}",
        )
    if problem.target <= train:
        _refuse(
            problem,
            f"target is {problem.target:g}, which a model reaches that names the commonest class for all training rows "
            f"({train:.4g}); give a higher target",
        )
