"""Tables of numbers: splitting into training and held-out rows, fetching OpenML's copy of the banknotes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from numbers import Real

import numpy as np
import numpy.typing as npt

from initcheck.arguments import choice, described, whole_number
from initcheck.errors import DataError
from initcheck.records import Data
from initcheck.texts import for_axis, for_terminal

LABELS = ("auto", "int")
_FEWEST_ROWS = 2
BANKNOTES_OPENML_ID = 1462
FLOAT32_MAX = float(np.finfo(np.float32).max)  # networks are trained in float32
SPREAD_ERROR = 1e-3  # of a standard deviation that should be 1: float32 and missing digits stay far below


def split(
    x: npt.ArrayLike, y: npt.ArrayLike, *, classes: int = 2, standardize: bool = True, labels: str = "auto"
) -> Data:
    """Standardises all rows and splits them 70/30 in an order that never changes, as the lecture does.

    Args:
        x: Inputs, shape ``(rows, *input_shape)``; standardised by column where they are a table.
        y: Class numbers from 0, shape ``(rows,)``.
        classes: How many classes; with 2 the targets become a column of 0.0 and 1.0 for one sigmoid output.
        standardize: Whether to bring each column to mean 0 and standard deviation 1.
        labels: ``"int"`` gives two classes, too, as int32 of shape ``(rows,)``, for a softmax over two units.

    Returns:
        The split, by NumPy's ``RandomState(42)``, a stream that NumPy promises never to change.

    Raises:
        DataError: ``x`` or ``y`` is no such array; the message names the cause and the fix.
    """
    classes = whole_number("split: classes", classes, least=2)
    labels = choice("split: labels", labels, LABELS)
    inputs = _inputs(x, standardize)
    numbers = _class_numbers(y, classes)
    if len(inputs) != len(numbers):
        raise DataError(f"split: x has {len(inputs):,} rows and y {len(numbers):,}; give a class for every row")
    if len(inputs) < _FEWEST_ROWS:
        raise DataError(f"split: x has {len(inputs)} row; give {_FEWEST_ROWS} at least, to train on and to hold out")
    if standardize:
        inputs = _require_standardized(inputs, standardized(inputs))
    elif np.abs(inputs).max() > FLOAT32_MAX:
        raise DataError(f"split: x has numbers beyond float32's {FLOAT32_MAX:.2g}; divide them by a constant")
    return divided(inputs, numbers, classes, labels)


def standardized(inputs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Each column at mean 0 and standard deviation 1, or at 0 if constant; NaN or infinite where float64 overflows."""
    from sklearn.preprocessing import StandardScaler

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        columns: npt.NDArray[np.float64] = StandardScaler().fit_transform(inputs)
    return columns


def divided(
    inputs: npt.NDArray[np.float64], numbers: npt.NDArray[np.generic], classes: int, labels: str = "auto"
) -> Data:
    """The rows split 70/30 in an order that never changes, in float32; arguments as of ``split``."""
    from sklearn.model_selection import train_test_split

    if labels == "int":
        targets: npt.NDArray[np.generic] = numbers.astype(np.int32).ravel()
    else:
        targets = numbers.astype(np.float32).reshape(-1, 1) if classes == 2 else numbers.astype(np.int32)
    with np.errstate(all="ignore"):
        rounded = inputs.astype(np.float32)
    x_train, x_test, y_train, y_test = train_test_split(rounded, targets, test_size=0.3, random_state=42)
    return Data(x_train, y_train, x_test, y_test)


def _require_standardized(given: npt.NDArray[np.float64], scaled: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The standardised columns.

    Raises:
        DataError: A column varies, but float64 cannot standardise it.
    """
    with np.errstate(all="ignore"):
        spread = scaled.std(axis=0)
        wrong = (given != given[0]).any(axis=0) & ~(np.abs(spread - 1) < SPREAD_ERROR) | ~np.isfinite(scaled).all(
            axis=0
        )
    if wrong.any():
        column = int(np.argmax(wrong))
        low, high = given[:, column].min(), given[:, column].max()
        raise DataError(
            f"split: column {column} of x, from {low:g} to {high:g}, cannot be standardised in floating point; choose "
            "another unit, or subtract a constant"
        )
    return scaled


def _inputs(x: npt.ArrayLike, standardize: bool) -> npt.NDArray[np.float64]:
    """The inputs as finite numbers."""
    inputs = _numbers("x", x, "give numbers, and code words as columns of 0 and 1")
    if standardize and inputs.ndim != 2:
        fix = "x.reshape(len(x), -1)" if inputs.ndim == 1 else "standardize=False, or x.reshape(len(x), -1)"
        raise DataError(f"split: x has the shape {inputs.shape}; a table has rows and columns: give {fix}")
    if not inputs.ndim or not inputs.size:
        raise DataError(f"split: x has the shape {inputs.shape}; give rows, each of one number or more")
    return inputs


def _class_numbers(y: npt.ArrayLike, classes: int) -> npt.NDArray[np.float64]:
    """The class numbers as whole numbers from 0 to ``classes`` - 1, in the shape given."""
    numbers = _numbers("y", y, "give class numbers: np.unique(y, return_inverse=True)[1]")
    if numbers.ndim == 2 and numbers.shape[1] > 1:
        hot = np.isin(numbers, (0, 1)).all() and (numbers.sum(axis=1) == 1).all()
        kind, fix = ("is one-hot", "y.argmax(axis=1)") if hot else ("has several numbers a row", "one for each row")
        raise DataError(f"split: y {kind}, shape {numbers.shape}; give class numbers: {fix}")
    if numbers.ndim not in (1, 2) or not numbers.size:
        raise DataError(f"split: y has the shape {numbers.shape}; give one class number for each row, shape (rows,)")
    if (wrong := numbers[numbers != np.floor(numbers)]).size:
        raise DataError(
            f"split: y holds real numbers such as {wrong[0]:.4g}, a regression; give class numbers: scores other than "
            "accuracy are not supported yet"
        )
    if numbers.min() < 0:
        fix = "(y + 1) / 2" if set(np.unique(numbers)) == {-1, 1} else "np.unique(y, return_inverse=True)[1]"
        raise DataError(f"split: y has the class {numbers.min():g}; number the classes from 0 on: {fix}")
    if (needed := int(numbers.max()) + 1) > classes:
        raise DataError(
            f"split: y has the class {needed - 1:,}, but classes={classes:,}; give classes={needed:,}, or number the "
            "classes from 0 on: np.unique(y, return_inverse=True)[1]"
        )
    return numbers


def _numbers(name: str, given: npt.ArrayLike, fix: str) -> npt.NDArray[np.float64]:
    if given is None:
        raise DataError(f"split: {name} is None; {fix}")
    try:
        array = np.asarray(given)
        if array.dtype.kind in "cmM":  # complex numbers and times would lose a part, or their unit
            raise DataError(f"split: {name} is {array.dtype}; {fix}")
        numbers = array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        first = next((one for one in _flat(given) if not isinstance(one, Real)), given)
        raise DataError(f"split: {name} holds {_shown(first)}, no number; {fix}") from None
    if not np.isfinite(numbers).all():
        row = int(np.nonzero(~np.isfinite(numbers))[0][0]) if numbers.ndim else 0
        raise DataError(
            f"split: {name} has NaN or infinity, the first in row {row:,}; leave those rows out or fill them"
        )
    return numbers


def _flat(given: npt.ArrayLike) -> Iterable[object]:
    try:
        return np.asarray(given, object).ravel()
    except (TypeError, ValueError):  # rows of different lengths, or not iterable for NumPy
        return ()


def _shown(value: object) -> str:
    """A text, shortened; the type of anything else."""
    return repr(for_axis(for_terminal(value))) if isinstance(value, str) else described(value)


def fetch_banknotes() -> Data:
    """The banknote authentication data from OpenML (data set 1462; V. Lohweg 2012, doi.org/10.24432/C55P57).

    Raises:
        DataError: OpenML cannot be reached.
    """
    from sklearn.datasets import fetch_openml

    try:
        table = fetch_openml(data_id=BANKNOTES_OPENML_ID, as_frame=False, parser="liac-arff", n_retries=1, delay=0.5)
    except Exception as error:  # noqa: BLE001 - of a URL, HTTP, a time-out, an archive: one fix for all
        raise DataError(
            f"OpenML did not give data set {BANKNOTES_OPENML_ID} ({type(error).__name__}); "
            "connect to the network, or give the table as a file with --data FILE.csv"
        ) from None
    labels = sorted(set(table.target))
    return split(table.data, [labels.index(label) for label in table.target])
