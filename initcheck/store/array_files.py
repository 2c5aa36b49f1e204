"""Arrays that are too large for memory, in temporary files: read as NumPy's are, a column or some rows at a time."""

from __future__ import annotations

import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.errors import InitcheckError

Values = npt.NDArray[np.float64]

_AT_ONCE = 4096  # rows that are put into the file together


class ArrayFile:
    """An array of float64 whose first axis is long; indexing reads what is asked for, and gives NumPy's array of it.

    Column by column, so that a column is read in one go, and some rows in as many pieces as a row has elements. The
    file has no name, so that nothing of it is left however the process ends.

    Args:
        shape: Of the array, ``(rows, …)``; every row has to be put before it is read.
        folder: For the file; the system's folder for temporary files by default.

    Raises:
        InitcheckError: The file cannot be made.
    """

    def __init__(self, shape: tuple[int, ...], folder: Path | None = None) -> None:
        self.shape = shape
        self._columns = np.arange(int(np.prod(shape[1:]))).reshape(shape[1:])
        self._start, self._waiting = 0, [np.empty((0, *shape[1:]))]
        self._folder = folder or Path(tempfile.gettempdir())
        try:
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed with the array
            weakref.finalize(self, self._file.close)
        except OSError as error:
            raise self._unwritable(error) from None

    def __len__(self) -> int:
        return self.shape[0]

    def put(self, start: int, rows: Values) -> None:
        """Puts rows in their place, from ``start`` on.

        Raises:
            InitcheckError: The file cannot be written.
        """
        waiting = sum(map(len, self._waiting))
        if start != self._start + waiting or waiting >= _AT_ONCE:
            self._write()
            self._start = start
        self._waiting.append(rows)

    def __getitem__(self, key: Any) -> Values:
        self._write()
        first, *rest = key if isinstance(key, tuple) else (key,)
        columns = self._columns[tuple(rest)]
        numbers = np.arange(len(self))[first]
        low, high = (int(numbers.min()), int(numbers.max()) + 1) if numbers.size else (0, 0)
        inner: Any = slice(None) if isinstance(first, slice) and first.step in (None, 1) else numbers - low
        read = [self._read(column, low, high)[inner] for column in columns.ravel().tolist()]
        return np.stack(read, axis=-1).reshape((*np.shape(read[0]), *columns.shape))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return self[:] if dtype is None else self[:].astype(dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        return np.asarray, (self[:],)

    def _write(self) -> None:
        rows, self._waiting = np.concatenate(self._waiting), self._waiting[:1]
        try:
            for column, values in enumerate(rows.reshape(len(rows), -1).T if len(rows) else ()):
                self._file.seek(8 * (column * len(self) + self._start))
                self._file.write(np.ascontiguousarray(values).data)
            self._file.flush()
        except OSError as error:
            raise self._unwritable(error) from None
        self._start += len(rows)

    def _read(self, column: int, low: int, high: int) -> Values:
        values = np.empty(high - low)
        self._file.seek(8 * (column * len(self) + low))
        if self._file.readinto(values.data) != values.nbytes:
            raise ValueError("not every row was put into the file")
        return values

    def _unwritable(self, error: OSError) -> InitcheckError:
        return InitcheckError(
            f"{self._folder} cannot be written to ({error.strerror or error}), where histories lie while they are "
            "read; free some space, or name another folder by TMPDIR"
        )
