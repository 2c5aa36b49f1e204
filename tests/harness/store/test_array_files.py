"""Arrays in files give what NumPy's give, a part at a time."""

import io
import pickle
import tempfile

import numpy as np
import pytest

from initcheck.errors import InitcheckError
from initcheck.store.array_files import ArrayFile

KEYS = {
    "all": slice(None),
    "some rows": slice(3, 9),
    "rows beyond the end": slice(15, 40),
    "no rows": slice(30, 40),
    "every second row": slice(None, None, 2),
    "a row": 5,
    "the last row": -1,
    "places": np.array([13, 2, 2]),
    "no places": np.array([], dtype=int),
    "flags": np.arange(20) % 3 == 0,
    "a column": (slice(None), 1, 2),
    "a column of some rows": (slice(2, 5), -1, 0),
    "several columns": (slice(None), slice(None), 3),
    "the first epochs": (slice(None), slice(0, 2)),
    "a number": (4, 1, 1),
}


def filled(values):
    """A file with those values, put there out of order and in pieces."""
    array = ArrayFile(values.shape)
    for start, stop in ((0, 7), (7, 9), (12, 20), (9, 12)):
        array.put(start, values[start:stop])
    return array


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_what_is_read_is_what_numpy_gives(key):
    values = np.random.RandomState(0).normal(size=(20, 3, 4))
    values[3, 1, 2], values[4, 0, 0] = np.nan, -0.0
    read = filled(values)[key]
    assert read.shape == values[key].shape
    assert read.tobytes() == np.ascontiguousarray(values[key]).tobytes()


def test_it_is_an_array_where_one_is_asked_for_and_when_it_is_pickled():
    values = np.random.RandomState(0).normal(size=(20, 3, 4))
    array = filled(values)
    assert len(array) == 20
    assert np.array_equal(np.asarray(array), values)
    assert np.asarray(array, dtype=np.float32).dtype == np.float32
    assert np.array_equal(pickle.loads(pickle.dumps(array)), values)


def test_rows_that_nobody_has_put_there_cannot_be_read():
    array = ArrayFile((20, 2))
    array.put(0, np.zeros((5, 2)))
    with pytest.raises(ValueError, match="not every row"):
        array[:]


def test_a_full_disk_is_one_line_that_names_the_folder_and_the_way_out(monkeypatch):
    class Full(io.BytesIO):
        def write(self, content):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Full())
    array = ArrayFile((20, 2))
    array.put(0, np.zeros((20, 2)))
    words = f"{tempfile.gettempdir()} cannot be written to .No space left on device.*TMPDIR"
    with pytest.raises(InitcheckError, match=words):
        array[:]
