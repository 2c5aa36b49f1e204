"""What a program has written, read by field: weights by path, JSON and CSV by field, texts by line, else bytes."""

from __future__ import annotations

import csv
import fnmatch
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from initcheck.texts import for_terminal

Field = np.ndarray[Any, Any] | float | str | bytes | bool | None
_MOST_SHOWN = 40  # characters of a text that differs


@dataclass(frozen=True)
class ArtifactDifference:
    """How two artifacts of one name differ.

    Attributes:
        field: The first field, weight or line that differs.
        words: How it differs.
        differing: The number of fields that differ.
        fields: The number of all.
        relative: The largest difference of numbers over the largest number of its field; infinite where something
            other than a number differs.
    """

    field: str
    words: str
    differing: int
    fields: int
    relative: float

    @property
    def size(self) -> str:
        """The size of the difference in words."""
        share = f"{self.differing:,} of {self.fields:,} fields" if self.fields > 1 else "it"
        largest = f", by up to {self.relative:.2g} of the largest number" if 0 < self.relative < np.inf else ""
        return f"{self.words}; {share} differ{'s' if share == 'it' else ''}{largest}"


def read_artifact(path: Path) -> dict[str, Field]:
    """The fields of a file, or of all files of a folder: path within it → value.

    What belongs to the container is left out: times in a zip or gzip file, the date that Keras writes into one of its
    own. A file that is not what its name promises is taken as bytes. Nothing is unpickled.
    """
    if path.is_dir():
        files = sorted(one for one in path.rglob("*") if one.is_file())
        return {
            f"{file.relative_to(path).as_posix()}{': ' if name else ''}{name}": value
            for file in files
            for name, value in read_artifact(file).items()
        }
    return _read(path.name, path.read_bytes())


def compare_artifacts(
    one: dict[str, Field], two: dict[str, Field], ignored: Collection[str] = ()
) -> ArtifactDifference | None:
    """How those artifacts differ; None where all fields are equal.

    Args:
        one: Fields.
        two: Fields, likewise.
        ignored: Patterns of names that do not count, as a shell reads them.
    """
    names = [
        name
        for name in dict.fromkeys([*one, *two])
        if not any(name == pattern or fnmatch.fnmatchcase(name, pattern) for pattern in ignored)
    ]
    different = [(name, *outcome) for name in names if (outcome := _difference(name, one, two))]
    if not different:
        return None
    first, words, _ = different[0]
    return ArtifactDifference(first, words, len(different), len(names), max(size for _, _, size in different))


def _difference(name: str, one: dict[str, Field], two: dict[str, Field]) -> tuple[str, float] | None:
    if name not in one or name not in two:
        return "it is there in one run alone", float("inf")
    a, b = one[name], two[name]
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return _array_difference(a, b)
    if _is_number(a) and _is_number(b):
        return _number_difference(a, b)
    if type(a) is type(b) and a == b:
        return None
    if isinstance(a, bytes) and isinstance(b, bytes):
        place = next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
        return f"{len(a):,} and {len(b):,} bytes, which differ from byte {place:,} on", float("inf")
    return f"{_shown(a)} and {_shown(b)}", float("inf")


def _array_difference(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> tuple[str, float] | None:
    if (a.dtype, a.shape) != (b.dtype, b.shape):
        return f"{a.dtype} {a.shape} and {b.dtype} {b.shape}", float("inf")
    if a.tobytes() == b.tobytes():
        return None
    if a.dtype.kind not in "fiubc":
        place = int(np.flatnonzero((a != b).ravel())[0]) if bool((a != b).any()) else 0
        return f"{_shown(a.ravel()[place])} and {_shown(b.ravel()[place])} at element {place:,}", float("inf")
    x, y = (value.ravel().astype(complex if a.dtype.kind == "c" else float) for value in (a, b))
    off = ~((x == y) | (np.isnan(x) & np.isnan(y)))
    if not off.any():
        return None  # zeros of unlike sign, or other bits of a NaN
    place = int(np.flatnonzero(off)[0])
    largest = max(float(np.abs(value[np.isfinite(value)]).max(initial=0)) for value in (x, y))
    distance = np.abs(x - y)[off]
    relative = float(distance.max() / largest) if largest and np.isfinite(distance).all() else float("inf")
    return f"{x[place]:.9g} and {y[place]:.9g} at element {place:,} of {x.size:,}", relative


def _number_difference(a: float, b: float) -> tuple[str, float] | None:
    if a == b or (a != a and b != b):
        return None
    largest = max(abs(a), abs(b))
    return f"{a:.9g} and {b:.9g}", float(abs(a - b) / largest) if np.isfinite(largest) else float("inf")


def _is_number(value: Field) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: object) -> str:
    text = for_terminal(repr(value))
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def _read(name: str, content: bytes) -> dict[str, Field]:
    ending = "".join(Path(name).suffixes[-1:]).lower()
    reader = _READERS.get(ending)
    if reader is not None:
        try:
            return reader(content)
        except Exception:  # noqa: BLE001 - it is not what its name promises, in one of the many ways of four libraries
            return _lines(content)
    return _lines(content)


def _lines(content: bytes) -> dict[str, Field]:
    """A text by line, anything else as its bytes."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return {"": content}
    if "\0" in text:
        return {"": content}
    return {f"line {number}": line for number, line in enumerate(text.splitlines(), 1)} or {"": content}


def _gzip(content: bytes) -> dict[str, Field]:
    return _lines(gzip.decompress(content))


def _json(content: bytes) -> dict[str, Field]:
    return dict(_flat(json.loads(content), ""))


def _json_lines(content: bytes) -> dict[str, Field]:
    lines = content.decode("utf-8").splitlines()
    return {
        name: value
        for number, line in enumerate(lines, 1)
        if line.strip()
        for name, value in _flat(json.loads(line), f"line {number}")
    }


def _flat(value: Any, path: str) -> Iterator[tuple[str, Field]]:
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _flat(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for number, part in enumerate(value):
            yield from _flat(part, f"{path}[{number}]")
    else:
        yield path, repr(value) if isinstance(value, dict | list) else value


def _table(delimiter: str) -> Callable[[bytes], dict[str, Field]]:
    def read(content: bytes) -> dict[str, Field]:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), delimiter=delimiter))
        header = rows[0] if rows and not any(map(_number_in, rows[0])) else []
        fields: dict[str, Field] = {"header": delimiter.join(header)} if header else {}
        for number, row in enumerate(rows[bool(header) :], 1):
            for place, cell in enumerate(row):
                column = header[place] if place < len(header) else f"column {place + 1}"
                value = _number_in(cell)
                fields[f"row {number}, {column}"] = cell if value is None else value
        return fields

    return read


def _number_in(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _npy(content: bytes) -> dict[str, Field]:
    return {"": np.load(io.BytesIO(content), allow_pickle=False)}


def _npz(content: bytes) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            member = archive.read(name)
            try:
                fields[name.removesuffix(".npy")] = np.load(io.BytesIO(member), allow_pickle=False)
            except ValueError:  # pickled objects
                fields[name] = member
    return fields


def _zip(content: bytes) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            for field, value in _read(name, archive.read(name)).items():
                fields[f"{name}: {field}" if field else name] = value
    return fields


def _keras(content: bytes) -> dict[str, Field]:
    fields = _zip(content)
    fields.pop("metadata.json: date_saved", None)
    numbers: dict[Field, int] = {}
    for name, value in fields.items():
        if name.endswith("shared_object_id"):  # an address in memory; what shares one matters
            fields[name] = numbers.setdefault(value, len(numbers))
    weights = {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}
    return {name.removeprefix("model.weights.h5: "): value for name, value in {**weights, **fields}.items()}


def _h5(content: bytes) -> dict[str, Field]:
    import h5py  # type: ignore[import-untyped] # comes with Keras

    fields: dict[str, Field] = {}

    def note(path: str, item: Any) -> None:
        for key, value in sorted(item.attrs.items()):
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
            if isinstance(text, str) and text[:1] in "{[":
                fields.update(_flat(json.loads(text), f"{path}@{key}"))
            else:
                fields[f"{path}@{key}"] = text if isinstance(text, str) else np.asarray(text).astype("O").astype(str)
        if isinstance(item, h5py.Dataset):
            value = item[()]
            array = np.asarray(value)
            fields[path] = array if array.dtype.kind != "O" else repr(array.tolist())

    with h5py.File(io.BytesIO(content), "r") as file:
        note("", file)
        file.visititems(note)
    # The weights first, each with the name of its layer where that is given.
    layers = {name.removesuffix("@name"): str(value) for name, value in fields.items() if name.endswith("/vars@name")}
    weights: dict[str, Field] = {}
    others: dict[str, Field] = {}
    for name, value in fields.items():
        layer = layers.get(name.rpartition("/")[0])
        is_weight = isinstance(value, np.ndarray) and "@" not in name
        (weights if is_weight else others)[f"{name} ({layer})" if is_weight and layer else name] = value
    return {**weights, **others}


_READERS: dict[str, Callable[[bytes], dict[str, Field]]] = {
    ".json": _json,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".csv": _table(","),
    ".tsv": _table("\t"),
    ".npy": _npy,
    ".npz": _npz,
    ".keras": _keras,
    ".h5": _h5,
    ".hdf5": _h5,
    ".zip": _zip,
    ".pt": _zip,
    ".pth": _zip,
    ".gz": _gzip,
}
