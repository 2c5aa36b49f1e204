"""Tables of numbers: splitting into training and held-out rows, fetching OpenML's copy of the banknotes."""

from __future__ import annotations

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


def fetch_banknotes() -> Data:
    """The banknote authentication data from OpenML (data set 1462; V. Lohweg 2012, doi.org/10.24432/C55P57).

    Raises:
        DataError: OpenML cannot be reached.
    """
    from sklearn.datasets import fetch_openml

    try:
        table = fetch_openml(data_id=BANKNOTES_OPENML_ID, as_frame=False, parser="liac-arff", n_retries=1, delay=0.5)
    except Exception as error:  # a URL error, a time-out, an HTTP error, a broken archive: one fix for all of them
        raise DataError(
            f"OpenML did not give data set {BANKNOTES_OPENML_ID} ({type(error).__name__}); "
            "connect to the network, or give the table as a file with --data FILE.csv"
        ) from None
    labels = sorted(set(table.target))
    return split(table.data, [labels.index(label) for label in table.target])
