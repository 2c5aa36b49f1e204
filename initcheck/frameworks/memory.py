"""The memory that finished runs need, compared with what is free; loads no framework."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from initcheck.errors import InitcheckError
from initcheck.records import runs_at_once

_EPOCH = 80  # bytes a run and epoch: four float64, twice while parts are joined, and half as much to sort them
_RUN = 256  # bytes a run: its counts and numbers, twice
_ROW = 250  # bytes of a row of history.csv while it is written
_ORDERED_ROW = 28  # bytes of a training row in each epoch's order, with its copies for the compiled program
_CGROUP = Path("/sys/fs/cgroup")


def require_memory_for_runs(*, reseeds: int, epochs: int, cells: int = 1, filed: bool = False) -> None:
    """Makes sure before any training that the finished runs fit into memory.

    Args:
        reseeds: Runs of each cell.
        epochs: Epochs of each run.
        cells: The number of cells kept at once: initializers, for example.
        filed: Whether their histories lie in a store.

    Raises:
        InitcheckError: They do not; the text says what would.
    """
    free, each = available_memory(), 0 if filed else _EPOCH
    if free is None or (needed := _bytes_of(reseeds * cells, epochs, each)) <= free:
        return
    fitting = _most(lambda number: _bytes_of(number * cells, epochs, each) <= free)
    hint = f"about {_rounded(fitting)} reseeds would fit, or fewer epochs"
    if not fitting:
        hint = f"about {_rounded(_most(lambda number: _bytes_of(cells, number, each) <= free))} epochs would fit"
    what = f"{_count(reseeds * cells, 'run')} of {_count(epochs, 'epoch')}"
    raise InitcheckError(f"{what} would take {_size(needed)} of memory, and {_size(free)} are available; {hint}")


def require_memory_for_order(rows: int, epochs: int) -> None:
    """Makes sure that the order of that many training rows in all epochs fits into memory.

    Raises:
        InitcheckError: It does not; the text says what would.
    """
    free, needed = available_memory(), _ORDERED_ROW * rows * epochs
    if free is not None and needed > free:
        what = f"the order of {_count(rows, 'training row')} in {_count(epochs, 'epoch')}"
        hint = f"about {_rounded(free // (_ORDERED_ROW * rows))} epochs would fit"
        raise InitcheckError(f"{what} would take {_size(needed)} of memory, and {_size(free)} are available; {hint}")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether Python or the framework raised it for want of memory."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError) or any(
            kind.__name__ == "ResourceExhaustedError" for kind in type(seen).__mro__
        ):
            return True
        seen = seen.__cause__
    return False


def available_memory() -> int | None:
    """Bytes that this process may still take: by the system, its control group and its own limit; None if unknown."""
    known = [one for one in (_of_system(), _of_cgroup(), _of_process()) if one is not None]
    return max(0, min(known)) if known else None


def _bytes_of(runs: int, epochs: int, each: int) -> int:
    written = min(runs, runs_at_once(epochs)) * epochs
    return runs * (_RUN + each * epochs) + _ROW * written


def _most(fits: Callable[[int], bool]) -> int:
    """The largest number that fits, by bisection."""
    low, high = 0, 1
    while fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _rounded(number: int) -> str:
    """Down to two digits, as what is free changes all the time."""
    unit = 10 ** max(0, len(str(number)) - 2)
    return f"{number // unit * unit:,}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _size(number: int) -> str:
    """``1.5 GB``; more than any machine has is ``5e+08 TB``."""
    for unit, bytes_of_it in (("kB", 1e3), ("MB", 1e6), ("GB", 1e9)):
        if number < 999.5 * bytes_of_it:
            return f"{number / bytes_of_it:.3g} {unit}"
    return f"{number / 1e12:.3g} TB"


def _of_system() -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    for name in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES"):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            if (pages := os.sysconf(name)) > 0:
                return pages * os.sysconf("SC_PAGE_SIZE")
    return None


def _of_cgroup() -> int | None:
    """The memory that a container's control group leaves; caches that can be dropped count as free."""
    for limit, used, cache in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
    ):
        with contextlib.suppress(OSError, ValueError):  # no such file, or no limit
            most = int((_CGROUP / limit).read_text())
            statistics = (_CGROUP / limit).with_name("memory.stat").read_text().split()
            dropped = int(dict(zip(statistics[::2], statistics[1::2], strict=True)).get(cache, 0))
            return most - int((_CGROUP / used).read_text()) + dropped
    return None


def _of_process() -> int | None:
    """The memory that the limit on this process's address space leaves (``ulimit -v``)."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        if most != resource.RLIM_INFINITY:
            return most - int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return None
