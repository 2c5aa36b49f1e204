"""The two tables of a saved sweep: their text, and the runs in it again."""

from __future__ import annotations

import csv
import io
import math
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from initcheck.records import Runs, Score
from initcheck.reporting.saved_schema import GroupRecord

if TYPE_CHECKING:
    import pandas as pd

Columns = Mapping[str, npt.NDArray[np.generic]]

_NAMES = ("problem", "initializer", "reseed", "order")
_COUNTS = ("reseed", "order", "seed", "train_correct", "train_total", "test_correct", "test_total", "epoch")
_TEXTS = ("problem", "initializer", "stuck", "epochs_to_target")
_CORRECT = ("train_correct", "test_correct")
TAKEN = frozenset((*_COUNTS, *_TEXTS))  # no metric may have these names
_COUNT = re.compile(r"\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"-?(\d+(\.\d+)?(e[-+]\d+)?|inf)|", re.ASCII)


def run_columns(score: Score) -> tuple[str, ...]:
    """The columns of ``runs.csv``: counts of rows only where the score counts them."""
    counted = ("train_correct", "train_total", "test_correct", "test_total")
    counts = counted if score.counted else tuple(name for name in counted if name not in _CORRECT)
    scores = tuple(dict.fromkeys((f"train_{score.name}", f"test_{score.name}", "loss")))
    return (*_NAMES, "seed", *counts, *scores, "stuck", "epochs_to_target")


def history_columns(metrics: Sequence[str]) -> tuple[str, ...]:
    """The columns of ``history.csv``."""
    return (*_NAMES, "epoch", *metrics)


def as_csv(frames: Iterable[pd.DataFrame]) -> Iterator[str]:
    """The text a frame at a time."""
    for number, frame in enumerate(frames):
        yield frame.to_csv(index=False, header=number == 0, lineterminator="\n")


def history_csv(groups: Sequence[Runs]) -> Iterator[str]:
    """The text of ``history.csv``, some runs at a time, as pandas writes it, which takes twice as long."""
    if groups:
        yield _line(history_columns(groups[0].metrics))
    for runs in groups:
        names = _line((runs.problem, runs.initializer)).rstrip("\n")
        for piece in runs.pieces():
            number = repr if np.isfinite(piece.history).all() else _or_empty
            numbered = zip(piece.reseeds.tolist(), piece.orders.tolist(), piece.history.tolist(), strict=True)
            yield "".join(
                f"{names},{reseed},{order},{epoch},{','.join(map(number, values))}\n"
                for reseed, order, history in numbered
                for epoch, values in enumerate(history, 1)
            )


def _line(words: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(words)
    return text.getvalue()


def _or_empty(value: float) -> str:
    return "" if math.isnan(value) else repr(value)


def read_groups(groups: Sequence[GroupRecord], score: Score, runs: bytes, history: bytes) -> tuple[Runs, ...]:
    """The runs in both tables.

    Args:
        groups: Whose runs they are.
        score: What they are judged by.
        runs: The bytes of ``runs.csv``.
        history: The bytes of ``history.csv``.

    Raises:
        ValueError: The tables do not hold those runs; the text says where, and names the file first.
    """
    if not groups and not runs and not history:
        return ()
    if len({group.initializer for group in groups}) < len(groups):
        raise ValueError("an initializer has two groups of runs")
    metrics = groups[0].metrics if groups else ()
    if (
        any(group.metrics != metrics for group in groups)
        or not {"loss", score.name} <= {*metrics}
        or TAKEN & {*metrics}
    ):
        raise ValueError("the metrics of its groups are not those of one sweep")
    rows = read_table("runs.csv", run_columns(score), runs)
    epochs = read_table("history.csv", history_columns(metrics), history)
    _require_length("runs.csv", rows, sum(group.runs for group in groups))
    _require_length("history.csv", epochs, sum(group.runs * group.epochs for group in groups))
    loaded, row, line = [], 0, 0
    for group in groups:
        lines = group.runs * group.epochs
        own = {name: column[row : row + group.runs] for name, column in rows.items()}
        later = {name: column[line : line + lines] for name, column in epochs.items()}
        loaded.append(_group(group, score, own, later))
        row, line = row + group.runs, line + lines
    return tuple(loaded)


def read_table(file: str, names: Sequence[str], text: bytes) -> dict[str, npt.NDArray[np.generic]]:
    """The columns of a table: counts as int64, numbers as float64, the rest as text.

    Raises:
        ValueError: It has other columns, a line of another length, or a cell that is no number.
    """
    counts = {name: array("q") for name in names if name in _COUNTS}
    texts: dict[str, list[str]] = {name: [] for name in names if name in _TEXTS}
    # An empty cell is NaN: a loss that is no number is a result.
    numbers = {name: array("d") for name in names if name not in {*counts, *texts}}
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


def _group(group: GroupRecord, score: Score, rows: Columns, epochs: Columns) -> Runs:  # noqa: C901 - one guard after another
    for file, columns in (("runs.csv", rows), ("history.csv", epochs)):
        if not ((columns["problem"] == group.problem).all() and (columns["initializer"] == group.initializer).all()):
            raise ValueError(f"{file}: its runs are not those of {group.initializer}")
    for name in ("reseed", "order"):
        if not np.array_equal(np.repeat(rows[name], group.epochs), epochs[name]):
            raise ValueError(f"history.csv: the runs of {group.initializer} are not those of runs.csv")
    if not np.array_equal(epochs["epoch"], np.tile(np.arange(1, group.epochs + 1), group.runs)):
        raise ValueError(f"history.csv: the epochs of {group.initializer} are not 1 to {group.epochs}")
    for part in ("train", "test"):
        total = getattr(group, f"{part}_total")
        if not (rows[f"{part}_total"] == total).all():
            raise ValueError(f"runs.csv: the {part}_total of {group.initializer} is not {total}")
        if score.counted:
            _require_shares(group, part, rows, total)
    keys = np.stack([rows["reseed"], rows["order"], rows["seed"]], axis=1)
    if len(np.unique(keys, axis=0)) != len(keys):
        raise ValueError(f"runs.csv: a run of {group.initializer} is there twice")
    values = np.stack([epochs[metric] for metric in group.metrics], axis=1).astype(np.float64)
    history = values.reshape(group.runs, group.epochs, len(group.metrics))
    if not np.array_equal(history[:, -1, group.metrics.index("loss")], rows["loss"], equal_nan=True):
        raise ValueError(f"runs.csv: the loss of {group.initializer} is not that of its last epoch")
    return Runs(
        problem=group.problem,
        initializer=group.initializer,
        reseeds=rows["reseed"].astype(np.int64),
        orders=rows["order"].astype(np.int64),
        seeds=rows["seed"].astype(np.int64),
        train_score=rows[f"train_{score.name}"].astype(np.float64),
        train_total=group.train_total,
        test_score=rows[f"test_{score.name}"].astype(np.float64),
        test_total=group.test_total,
        history=history,
        metrics=group.metrics,
        score=score,
    )


def _require_shares(group: GroupRecord, part: str, rows: Columns, total: int) -> None:
    correct = rows[f"{part}_correct"].astype(np.int64)
    if (correct > total).any():
        raise ValueError(f"runs.csv: a run of {group.initializer} has more correct rows than there are")
    if not np.array_equal(correct / total, rows[f"{part}_accuracy"]):
        raise ValueError(f"runs.csv: {part}_accuracy of {group.initializer} is not the share of its rows")


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
