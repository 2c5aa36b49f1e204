"""The two tables of a saved sweep: their text, and the runs in it again."""

from __future__ import annotations

import csv
import io
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from initcheck.records import METRICS, Runs
from initcheck.reporting.saved_schema import GroupRecord

if TYPE_CHECKING:
    import pandas as pd

Columns = Mapping[str, npt.NDArray[np.generic]]

RUNS = ("problem", "initializer", "reseed", "order", "seed", "train_correct", "train_total", "test_correct",
        "test_total", "train_accuracy", "test_accuracy", "loss", "stuck", "epochs_to_target")  # fmt: skip
HISTORY = ("problem", "initializer", "reseed", "order", "epoch", *METRICS)

_COUNTS = ("reseed", "order", "seed", "train_correct", "train_total", "test_correct", "test_total", "epoch")
_NUMBERS = ("train_accuracy", "test_accuracy", *METRICS)  # an empty cell is NaN: a loss that is no number is a result
_COUNT = re.compile(r"\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"-?(\d+(\.\d+)?(e[-+]\d+)?|inf)|", re.ASCII)


def as_csv(frames: Iterable[pd.DataFrame]) -> Iterator[str]:
    """The text a frame at a time: a hundred thousand histories are too long for one string."""
    for number, frame in enumerate(frames):
        yield frame.to_csv(index=False, header=number == 0, lineterminator="\n")


def read_groups(groups: Sequence[GroupRecord], runs: bytes, history: bytes) -> tuple[Runs, ...]:
    """The runs in both tables.

    Args:
        groups: Whose runs they are.
        runs: The bytes of ``runs.csv``.
        history: The bytes of ``history.csv``.

    Raises:
        ValueError: The tables do not hold those runs; the text says where, and names the file first.
    """
    if not groups and not runs and not history:
        return ()
    if len({group.initializer for group in groups}) < len(groups):
        raise ValueError("an initializer has two groups of runs")
    rows, epochs = read_table("runs.csv", RUNS, runs), read_table("history.csv", HISTORY, history)
    _require_length("runs.csv", rows, sum(group.runs for group in groups))
    _require_length("history.csv", epochs, sum(group.runs * group.epochs for group in groups))
    loaded, row, line = [], 0, 0
    for group in groups:
        lines = group.runs * group.epochs
        own = {name: column[row : row + group.runs] for name, column in rows.items()}
        later = {name: column[line : line + lines] for name, column in epochs.items()}
        loaded.append(_group(group, own, later))
        row, line = row + group.runs, line + lines
    return tuple(loaded)


def read_table(file: str, names: Sequence[str], text: bytes) -> dict[str, npt.NDArray[np.generic]]:
    """The columns of a table: counts as int64, numbers as float64, the rest as text.

    Raises:
        ValueError: It has other columns, a line of another length, or a cell that is no number.
    """
    counts = {name: array("q") for name in names if name in _COUNTS}
    numbers = {name: array("d") for name in names if name in _NUMBERS}
    texts: dict[str, list[str]] = {name: [] for name in names if name not in {*counts, *numbers}}
    # By Python's own reader: float() rounds every decimal correctly, which pandas promises on request only.
    lines = csv.reader(io.TextIOWrapper(io.BytesIO(text), encoding="utf-8", newline=""), strict=True)
    try:
        if (header := next(lines, [])) != list(names):
            raise ValueError(_unlike(header, names))  # noqa: TRY301 - its message gets the line's number below
        for row in lines:
            for name, cell in zip(names, row, strict=True):
                if name in counts:
                    counts[name].append(_count(cell))
                elif name in numbers:
                    numbers[name].append(_number(cell))
                else:
                    texts[name].append(cell)
    except (ValueError, csv.Error) as error:  # text that is no UTF-8 among them
        raise ValueError(f"{file} line {max(1, lines.line_num)}: {error}") from None
    return {
        **{name: np.array(column, dtype=np.int64) for name, column in counts.items()},
        **{name: np.array(column, dtype=np.float64) for name, column in numbers.items()},
        **{name: np.array(column, dtype=object) for name, column in texts.items()},
    }


def _group(group: GroupRecord, rows: Columns, epochs: Columns) -> Runs:  # noqa: C901 - one guard after another
    for file, columns in (("runs.csv", rows), ("history.csv", epochs)):
        if not ((columns["problem"] == group.problem).all() and (columns["initializer"] == group.initializer).all()):
            raise ValueError(f"{file}: its runs are not those of {group.initializer}")
    for name in ("reseed", "order"):
        if not np.array_equal(np.repeat(rows[name], group.epochs), epochs[name]):
            raise ValueError(f"history.csv: the runs of {group.initializer} are not those of runs.csv")
    if not np.array_equal(epochs["epoch"], np.tile(np.arange(1, group.epochs + 1), group.runs)):
        raise ValueError(f"history.csv: the epochs of {group.initializer} are not 1 to {group.epochs}")
    for part in ("train", "test"):
        correct, total = rows[f"{part}_correct"], getattr(group, f"{part}_total")
        if not (rows[f"{part}_total"] == total).all() or (correct > total).any():
            raise ValueError(f"runs.csv: a run of {group.initializer} has more correct rows than there are")
        if not np.array_equal(correct / total, rows[f"{part}_accuracy"]):
            raise ValueError(f"runs.csv: {part}_accuracy of {group.initializer} is not the share of its rows")
    keys = np.stack([rows["reseed"], rows["order"], rows["seed"]], axis=1)
    if len(np.unique(keys, axis=0)) != len(keys):
        raise ValueError(f"runs.csv: a run of {group.initializer} is there twice")
    values = np.stack([epochs[metric] for metric in METRICS], axis=1).astype(np.float64)
    history = values.reshape(group.runs, group.epochs, len(METRICS))
    if not np.array_equal(history[:, -1, 0], rows["loss"], equal_nan=True):
        raise ValueError(f"runs.csv: the loss of {group.initializer} is not that of its last epoch")
    return Runs(
        problem=group.problem,
        initializer=group.initializer,
        reseeds=rows["reseed"].astype(np.int64),
        orders=rows["order"].astype(np.int64),
        seeds=rows["seed"].astype(np.int64),
        train_correct=rows["train_correct"].astype(np.int64),
        train_total=group.train_total,
        test_correct=rows["test_correct"].astype(np.int64),
        test_total=group.test_total,
        history=history,
    )


def _require_length(file: str, columns: Columns, expected: int) -> None:
    actual = len(next(iter(columns.values())))
    if actual != expected:
        raise ValueError(f"{file}: it has {actual} rows, not {expected}")


def _unlike(header: Sequence[str], names: Sequence[str]) -> str:
    unknown, missing = [name for name in header if name not in names], [name for name in names if name not in header]
    if unknown:
        return f"its column {unknown[0]!r} is unknown"
    return f"its column {missing[0]!r} is missing" if missing else "its columns are in another order, or twice"


def _count(cell: str) -> int:
    if not _COUNT.fullmatch(cell):
        raise ValueError(f"{cell!r} is no count")
    return int(cell)


def _number(cell: str) -> float:
    if not _NUMBER.fullmatch(cell):
        raise ValueError(f"{cell!r} is no number")
    return float(cell or "nan")
