"""Finished runs as the bytes of a Parquet part, with the columns of JSON lines; needs the extra ``parquet``."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

from initcheck.errors import InitcheckError
from initcheck.records import Runs, Score

_SAME = ("problem", "initializer", "train_total", "test_total")  # in all rows of a part


def require_parquet() -> None:
    """Makes sure that the extra is installed.

    Raises:
        InitcheckError: It is not; the message names it.
    """
    if find_spec("pyarrow") is None:
        raise InitcheckError("a store of Parquet files needs pyarrow: pip install 'initcheck[parquet]'")


def encode_parquet(runs: Runs) -> bytes:
    """The bytes of a part, a row for each run; each number keeps its bits.

    Raises:
        InitcheckError: The extra is not installed.
    """
    require_parquet()
    import pyarrow as pa
    from pyarrow import parquet

    count, offsets = len(runs), np.arange(len(runs) + 1, dtype=np.int32) * runs.epochs
    histories = [pa.ListArray.from_arrays(offsets, runs.metric(name).ravel()) for name in runs.metrics]
    columns = {
        "problem": pa.repeat(runs.problem, count),
        "initializer": pa.repeat(runs.initializer, count),
        "reseed": runs.reseeds,
        "order": runs.orders,
        "seed": runs.seeds,
        "train_score": runs.train_score,
        "train_total": pa.repeat(runs.train_total, count),
        "test_score": runs.test_score,
        "test_total": pa.repeat(runs.test_total, count),
        "history": pa.StructArray.from_arrays(histories, names=list(runs.metrics)),
    }
    written = pa.BufferOutputStream()
    # Dictionaries would compare floats, of which 0 and -0 are equal.
    settings: dict[str, Any] = {"use_dictionary": ["problem", "initializer"], "use_byte_stream_split": True}
    parquet.write_table(pa.table(columns), written, compression="zstd", **settings)
    return bytes(written.getvalue())


def decode_parquet(content: bytes, score: Score) -> Runs:
    """The runs of a part.

    Args:
        content: Of ``encode_parquet``.
        score: What they are judged by.

    Raises:
        ValueError: It is no such part.
        InitcheckError: The extra is not installed.
    """
    require_parquet()
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
        same = {name: table[name].unique().to_pylist() for name in _SAME}
        if any(len(values) != 1 for values in same.values()):
            raise ValueError("its rows are not of one problem and initializer")
        columns = {name: table[name].to_numpy() for name in ("reseed", "order", "seed", "train_score", "test_score")}
        history = table["history"].combine_chunks()
        metrics = tuple(field.name for field in history.type)
        lists = [history.field(name) for name in metrics]
        if any(np.ptp(np.diff(one.offsets)) for one in lists):
            raise ValueError("its histories differ in length")
        values = [one.flatten().to_numpy(zero_copy_only=False).reshape(len(history), -1) for one in lists]
        return Runs(
            problem=same["problem"][0],
            initializer=same["initializer"][0],
            reseeds=columns["reseed"].astype(np.int64),
            orders=columns["order"].astype(np.int64),
            seeds=columns["seed"].astype(np.int64),
            train_score=columns["train_score"].astype(np.float64),
            train_total=same["train_total"][0],
            test_score=columns["test_score"].astype(np.float64),
            test_total=same["test_total"][0],
            history=np.stack(values, axis=2).astype(np.float64),
            metrics=metrics,
            score=score,
        )
    except (pa.ArrowException, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"it has no runs as initcheck writes them ({type(error).__name__})") from None
