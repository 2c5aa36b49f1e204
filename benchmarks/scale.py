"""Measures the bookkeeping of large sweeps: stores of a million runs, and workers by the hundred.

``python -m benchmarks.scale [--runs N] [--epochs E …] [--formats F …] [--workers W …] [--dask N] [--out FILE.md]``
trains nothing: a stand-in gives each run numbers that follow from its name, at once or after it has slept. Each step is
a process of its own, of which the clock's time, the processor's and the most memory are shown. The disk needs 6 kB for
each run of 15 epochs. ``--dask`` needs the extra ``cluster``, ``--formats parquet`` the extra ``parquet``.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from initcheck.store.part_formats import PartFormat

MILLION = 1_000_000


@dataclass(frozen=True)
class Measured:
    """What a process took.

    Attributes:
        seconds: By the clock.
        busy: Of processors.
        memory: The most that it held, in bytes.
    """

    seconds: float
    busy: float
    memory: int


def measure(command: Sequence[str]) -> Measured:
    """Runs a command of Python's to its end.

    Raises:
        SystemExit: It failed.
    """
    start = time.perf_counter()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, *command],
        environment,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, used = os.wait4(process, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    unit = 1 if sys.platform == "darwin" else 1024
    return Measured(time.perf_counter() - start, used.ru_utime + used.ru_stime, unit * used.ru_maxrss)


def store_steps(folder: Path, *, runs: int, epochs: int, form: str) -> Iterator[tuple[str, Measured]]:
    """Two shares are written, joined, looked at, resumed and reported."""
    own = ["-m", "benchmarks.scale_steps"]
    size = ["--runs", str(runs), "--epochs", str(epochs), "--form", form]
    command = ["-m", "initcheck", "store"]
    both = folder / "both"
    for number in (1, 2):
        yield (
            f"write share {number}/2",
            measure([*own, "write", str(folder / str(number)), *size, "--shard", f"{number}/2"]),
        )
    shares = [str(folder / str(number)) for number in (1, 2)]
    yield "store merge", measure([*command, "merge", *shares, "--store", str(both), "--store-format", form])
    yield "store show", measure([*command, "show", str(both)])
    yield "store verify", measure([*command, "verify", str(both)])
    yield "store gc", measure([*command, "gc", str(both)])
    yield "resume, all runs there", measure([*own, "write", str(both), *size])
    yield "store report", measure([*command, "report", str(both), "--out", str(folder / "results")])
    yield "load_stored, to_frame()", measure([*own, "frame", str(both)])
    yield "load_stored, history()", measure([*own, "means", str(both)])


def sizes(folder: Path) -> dict[str, int]:
    """The files of a store and of its report: what → bytes."""
    parts = list((folder / "both").glob("*/runs/*"))
    return {
        f"{len(parts):,} parts": sum(part.stat().st_size for part in parts),
        **{path.name: path.stat().st_size for path in sorted((folder / "results").iterdir())},
    }


def shown(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Prints a table, and gives it as Markdown."""
    table = Table(*headings, title=title)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    lines = [headings, ["---"] * len(headings), *rows]
    return f"{title}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in lines) + "\n"


def stores(given: argparse.Namespace) -> Iterator[str]:
    """A table for each number of epochs and each format."""
    for epochs in given.epochs:
        for form in given.formats:
            with tempfile.TemporaryDirectory(prefix="initcheck-scale-", dir=given.scratch) as scratch:
                rows = [
                    (step, f"{one.seconds:.3g}", f"{one.busy:.3g}", f"{one.memory / 1e6:,.0f} MB")
                    for step, one in store_steps(Path(scratch), runs=given.runs, epochs=epochs, form=form)
                ]
                rows += [(name, "", "", f"{size / 1e6:,.3g} MB") for name, size in sizes(Path(scratch)).items()]
            title = f"{given.runs:,} runs of {epochs} epochs, {form}"
            yield shown(title, ("step", "seconds", "of processors", "most memory, or size"), rows)


def workers(given: argparse.Namespace) -> Iterator[str]:
    """A row for each number of workers: threads that sleep, and the driver with its store."""
    rows = []
    for count in given.workers:
        with tempfile.TemporaryDirectory(prefix="initcheck-scale-", dir=given.scratch) as scratch:
            words = ["--runs", str(given.runs), "--workers", str(count), "--ideal", str(given.ideal)]
            one = measure(["-m", "benchmarks.scale_steps", "scatter", str(Path(scratch, "store")), *words])
            parts = len(list(Path(scratch).glob("store/*/runs/*")))
        rows.append(
            (f"{count:,}", f"{given.ideal:g}", f"{one.seconds:.3g}", f"{one.busy:.3g}", f"{one.memory / 1e6:,.0f} MB",
             f"{parts:,}")
        )  # fmt: skip
    if rows:
        headings = ("workers", "ideal, s", "took, s", "of processors, s", "most memory", "parts")
        yield shown(f"{given.runs:,} runs in blocks of 100, by threads that sleep", headings, rows)


def dask(given: argparse.Namespace) -> Iterator[str]:
    """Tasks a second of Dask's scheduler, with workers that do nothing."""
    rows = []
    for count in given.dask_workers if given.dask else ():
        words = ["--runs", str(given.dask), "--workers", str(count)]
        one = measure(["-m", "benchmarks.scale_steps", "dask", os.devnull, *words])
        rows.append((str(count), f"{given.dask:,}", f"{one.seconds:.3g}", f"{one.busy:.3g}"))
    if rows:
        yield shown("Dask: empty tasks", ("worker processes", "tasks", "took, s", "of the driver, s"), rows)


def main() -> None:
    """Measures what is asked for, and writes the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=MILLION)
    parser.add_argument("--epochs", type=int, nargs="*", default=[3, 15])
    parser.add_argument("--formats", nargs="*", default=[form.value for form in PartFormat])
    parser.add_argument("--workers", type=int, nargs="*", default=[100, 1000])
    parser.add_argument("--ideal", type=float, default=60.0, help="seconds that these would take without bookkeeping")
    parser.add_argument("--dask", type=int, default=2000, help="tasks for Dask's scheduler")
    parser.add_argument("--dask-workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--scratch", type=Path, help="folder for stores and results")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    texts = [*stores(given), *workers(given), *dask(given)]
    if given.out is not None:
        given.out.write_text("\n".join(texts))


if __name__ == "__main__":
    main()
