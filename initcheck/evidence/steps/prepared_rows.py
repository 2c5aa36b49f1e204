"""What the utilities make of sequences, classes and arrays before they are fed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.evidence.composition.promises import Row, Seen, inputs, refusal, table, values
from initcheck.frameworks.backend_calls import as_tensor
from initcheck.oracle.rounding import Rounded

_SEQUENCES = [[1], [2, 3], [], [4, 5, 6]]
_LENGTHS = inputs([3, 4], [4, 4])


def padded_sequences(keras: Any, _: Path) -> Iterator[Seen]:
    """Padded and cut before or behind, by default before, to the longest or a given length, with any value."""
    pad = keras.utils.pad_sequences
    for options, right in (
        ({}, [[0, 0, 1], [0, 2, 3], [0, 0, 0], [4, 5, 6]]),
        ({"maxlen": 2}, [[0, 1], [2, 3], [0, 0], [5, 6]]),
        ({"maxlen": 4, "value": 9}, [[9, 9, 9, 1], [9, 9, 2, 3], [9] * 4, [9, 4, 5, 6]]),
        ({"padding": "post"}, [[1, 0, 0], [2, 3, 0], [0, 0, 0], [4, 5, 6]]),
        ({"maxlen": 2, "truncating": "post"}, [[0, 1], [2, 3], [0, 0], [4, 5]]),
        ({"maxlen": 2, "padding": "post", "truncating": "post"}, [[1, 0], [2, 3], [0, 0], [4, 5]]),
    ):
        made = pad(_SEQUENCES, **options)
        yield f"sequences with {options}", ("int32", right), (made.dtype.name, made.tolist())
    halves = pad([[1.5], [2.5, 3.5]], dtype="float64", value=-0.5)
    yield "sequences of fractions", [[-0.5, 1.5], [2.5, 3.5]], halves.tolist()
    vectors = pad([[], [[1, 2]], [[3, 4], [5, 6]]])
    yield "sequences of vectors", [[[0, 0]] * 2, [[0, 0], [1, 2]], [[3, 4], [5, 6]]], vectors.tolist()
    for dtype in (object, "<U3"):
        texts = pad([["ab"], ["b", "abc"]], dtype=dtype, value="_").tolist()
        yield f"sequences of words in {dtype}", [["_", "ab"], ["b", "abc"]], texts
    for words, sequences, options in (
        ("numbers", [1, 2], {}),
        ("vectors of two lengths", [[[1, 2]], [[3]]], {}),
        ("words as whole numbers", [["a"]], {"value": "_"}),
        ("padding in the middle", [[1]], {"padding": "middle"}),
        ("cuts in the middle", [[1]], {"truncating": "middle"}),
    ):
        yield (
            f"raised for {words}",
            "ValueError",
            refusal(lambda given, options: pad(given, **options), sequences, options),
        )


def padded_bytes(keras: Any, _: Path) -> Iterator[Seen]:
    """Words in bytes are padded by words as well."""
    made = keras.utils.pad_sequences([[b"ab"], [b"b", b"abc"]], dtype="S3", value="_")
    yield "sequences of bytes", [[b"_", b"ab"], [b"b", b"abc"]], made.tolist()


def classes_as_vectors(keras: Any, _: Path) -> Iterator[Seen]:
    """A vector for each class, along a last axis; an axis of one is left out; as many as there are, or as are given."""
    vectors = keras.utils.to_categorical
    for words, given, count in (
        ("of a list", [0, 2, 1], None),
        ("of more classes", [0, 2, 1], 5),
        ("of a column", inputs([0], [2]), None),
        ("of class 0 alone", [0, 0], None),
        ("of a map", np.array([[0, 1], [2, 0]], np.uint8), 3),
        ("of a map in columns", np.array([[[0], [1]], [[2], [0]]]), 4),
        ("of a number", 1, 3),
    ):
        classes = np.asarray(given).astype(int)
        classes = classes[..., 0] if classes.ndim > 1 and classes.shape[-1] == 1 else classes
        right = np.eye(count or classes.max() + 1)[classes].tolist()
        yield f"vectors {words}", right, vectors(given, *([count] if count else [])).tolist()
    yield "raised for a class too many", True, bool(refusal(vectors, [0, 3], 3))


def classes_of_tensors(keras: Any, _: Path) -> Iterator[Seen]:
    """A tensor of classes becomes vectors as an array does."""
    for words, given in (("", [0, 2]), (" in a column", [[0], [2]])):
        yield (
            f"vectors of classes{words}",
            np.eye(4)[[0, 2]].tolist(),
            values(keras.utils.to_categorical(as_tensor(given), 4)),
        )


def _unit(axis: int, order: float) -> Rounded:
    norms = np.linalg.norm(_LENGTHS.astype(float), order, axis, keepdims=True)
    return Rounded(_LENGTHS / norms, 2e-7)


def normalized_arrays(keras: Any, _: Path) -> Iterator[Seen]:
    """Divided by their norm along the last axis, of order 2 or another; rows of zeros are left."""
    for words, options, right in (
        ("by default", {}, _unit(-1, 2)),
        ("by their sum", {"order": 1}, _unit(-1, 1)),
        ("by their largest", {"order": np.inf}, _unit(-1, np.inf)),
        ("along the second axis", {"axis": 1}, _unit(1, 2)),
    ):
        yield f"normalized {words}", right, keras.utils.normalize(_LENGTHS, **options)
    rows = Rounded([[0.0, 0.0], [0.6, 0.8]], 2e-7)
    yield "normalized beside zeros", rows, keras.utils.normalize(inputs([0, 0], [3, 4]))
    cube = np.arange(1.0, 13).reshape(2, 3, 2)
    right = cube / np.sqrt(np.square(cube).sum(1, keepdims=True))
    yield "normalized steps", Rounded(right, 1e-12), keras.utils.normalize(cube, axis=1)


def normalized_along_the_first_axis(keras: Any, _: Path) -> Iterator[Seen]:
    """The axis may be the first one."""
    for order in (2, 1):
        yield f"normalized by order {order}", _unit(0, order), keras.utils.normalize(_LENGTHS, 0, order)


def normalized_vectors(keras: Any, _: Path) -> Iterator[Seen]:
    """A vector stays one."""
    yield "a normalized vector", Rounded([0.6, 0.8], 2e-7), keras.utils.normalize(inputs(3, 4))


def normalized_tensors(keras: Any, _: Path) -> Iterator[Seen]:
    """A tensor is normalized as an array."""
    for axis, order in ((-1, 2), (0, 2), (0, 1)):
        yield (
            f"normalized along {axis} by order {order}",
            _unit(axis, order),
            keras.utils.normalize(as_tensor(_LENGTHS), axis, order),
        )


PREPARED: Mapping[str, Row] = table(
    padded_sequences,
    padded_bytes,
    classes_as_vectors,
    classes_of_tensors,
    normalized_arrays,
    normalized_along_the_first_axis,
    normalized_vectors,
    normalized_tensors,
)
