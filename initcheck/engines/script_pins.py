"""Pins sources of chance in a Python that is starting: written into a folder of its path as ``sitecustomize.py``.

It knows nothing of initcheck, as the script may run in another environment. ``INITCHECK_PINS`` names what is pinned,
``INITCHECK_PIN_SEED`` the seed.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import sys
import sysconfig
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_TICK = 1e-3  # seconds by which a pinned clock goes on at each look
BACKWARDS = "listing backwards"  # of folders within the script's own
_STDLIB = sysconfig.get_paths()["stdlib"]
_kept = contextlib.ExitStack()  # until the process ends
_START = 1_700_000_000  # a date in 2023, as seeds may be no time


def pin(names: set[str], seed: int) -> None:
    """Pins those sources in this process, and in what it imports later."""
    if "python" in names:
        random.seed(seed)
    if "python generators" in names:
        _pin_python_generators(seed)
    if "entropy" in names:
        stream = random.Random(seed)
        os.urandom = random._urandom = stream.randbytes  # type: ignore[attr-defined]
    if "clock" in names:
        _pin_clock()
    if "listing" in names:
        os.listdir, os.scandir = sorted_listing(os.listdir), sorted_scan(os.scandir)
    if BACKWARDS in names:
        here = os.path.realpath(Path.cwd())

        def is_within(folder: str) -> bool:
            return folder.startswith(here)

        os.listdir, os.scandir = sorted_listing(os.listdir, is_within), sorted_scan(os.scandir, is_within)
    acts = {"numpy.random": _pin_numpy, "tensorflow": _pin_tensorflow, "torch": _pin_torch}
    sys.meta_path.insert(0, _AfterImport({name: functools.partial(act, names, seed) for name, act in acts.items()}))


def _pin_numpy(names: set[str], seed: int, module: Any) -> None:
    if "numpy" in names:
        module.seed(seed % 2**32)
    if "numpy generators" in names:
        module.bit_generator.randbits = random.Random(seed).getrandbits


def _pin_tensorflow(names: set[str], seed: int, module: Any) -> None:
    if "framework" in names or "determinism" in names:  # which refuses to draw without a seed
        module.random.set_seed(seed % 2**31)
    if "determinism" in names:
        module.config.experimental.enable_op_determinism()
    generator = module.random.Generator
    if "entropy" in names:
        generator.from_non_deterministic_state = classmethod(lambda kind, alg=None: kind.from_seed(seed % 2**31, alg))


def _pin_torch(names: set[str], seed: int, module: Any) -> None:
    if "framework" in names:
        module.manual_seed(seed % 2**31)
    if "determinism" in names:
        module.use_deterministic_algorithms(True, warn_only=True)


def _pin_python_generators(seed: int) -> None:
    given = iter(range(seed, seed + 2**31))
    seeding = random.Random.seed

    def seed_of(self: random.Random, a: Any = None, version: int = 2) -> None:
        seeding(self, next(given) if a is None else a, version)

    random.Random.seed = seed_of  # type: ignore[method-assign]


def _pin_clock() -> None:
    looks = 0

    def seconds() -> float:
        nonlocal looks
        looks += 1
        return _START + looks * _TICK

    def nanoseconds() -> int:
        return int(seconds() * 1e9)

    for name in ("time", "monotonic", "perf_counter", "process_time"):
        setattr(time, name, seconds)
        setattr(time, f"{name}_ns", nanoseconds)
    _kept.enter_context(dates_pinned(seconds))


@contextlib.contextmanager
def dates_pinned(seconds: Callable[[], float]) -> Iterator[None]:
    """Gives ``datetime``'s classes another clock where code asks for them that is neither Python's nor installed.

    Libraries in C hold the real classes, and would crash with others.
    """
    pinned = pinned_dates(seconds)

    class PinnedDates(types.ModuleType):
        def __getattribute__(self, name: str) -> Any:
            if name in pinned and is_own_file(sys._getframe(1).f_code.co_filename):
                return pinned[name]
            return super().__getattribute__(name)

    datetime.__class__ = PinnedDates
    try:
        yield
    finally:
        datetime.__class__ = types.ModuleType


def is_own_file(file: str) -> bool:
    """Whether that file of code is the user's own."""
    return not file.startswith(("<", _STDLIB)) and "site-packages" not in file


def pinned_dates(seconds: Callable[[], float]) -> dict[str, type]:
    """Classes like ``datetime.datetime`` and ``datetime.date``, by name, whose present is that of another clock."""
    real, real_date = datetime.datetime, datetime.date

    class AnyMoment(type):
        def __instancecheck__(cls, one: object) -> bool:
            return isinstance(one, real)

    class AnyDay(type):
        def __instancecheck__(cls, one: object) -> bool:
            return isinstance(one, real_date)

    class PinnedMoment(real, metaclass=AnyMoment):  # type: ignore[misc, valid-type] # a variable
        __slots__ = ()

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return real.fromtimestamp(seconds(), tz)

        @classmethod
        def utcnow(cls) -> Any:
            return real.fromtimestamp(seconds(), datetime.timezone.utc).replace(tzinfo=None)  # noqa: UP017 - an older Python, too

        @classmethod
        def today(cls) -> Any:
            return real.fromtimestamp(seconds())

    class PinnedDay(real_date, metaclass=AnyDay):  # type: ignore[misc, valid-type] # a variable
        __slots__ = ()

        @classmethod
        def today(cls) -> Any:
            return real_date.fromtimestamp(seconds())

    return {"datetime": PinnedMoment, "date": PinnedDay}


Within = Callable[[str], bool]


def sorted_listing(listdir: Callable[..., list[Any]], backwards: Within | None = None) -> Callable[..., list[Any]]:
    """``os.listdir`` with its names in order; or backwards in some folders, and elsewhere as they come."""

    def in_order(*given: Any) -> list[Any]:
        names = listdir(*given)
        if backwards is None:
            return sorted(names)
        return sorted(names, reverse=True) if backwards(_path_of(*given)) else names

    return in_order


def sorted_scan(scandir: Callable[..., Any], backwards: Within | None = None) -> Callable[..., Any]:
    """``os.scandir`` with its entries in order; or backwards in some folders, and elsewhere as they come."""

    class InOrder:
        def __init__(self, *given: Any) -> None:
            with scandir(*given) as found:
                entries = list(found)
            if backwards is None or backwards(_path_of(*given)):
                entries.sort(key=lambda entry: str(entry.name), reverse=backwards is not None)
            self._entries = iter(entries)

        def __iter__(self) -> Any:
            return self._entries

        def __next__(self) -> Any:
            return next(self._entries)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def close(self) -> None:
            pass

    return InOrder


def _path_of(listed: Any = ".") -> str:
    try:
        return os.path.realpath(os.fsdecode(listed))
    except TypeError:  # the number of an open folder
        return ""


class _AfterImport(importlib.abc.MetaPathFinder):
    """Acts on modules as soon as they are imported."""

    def __init__(self, acts: dict[str, Callable[[Any], None]]) -> None:
        self._acts = acts

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> Any:
        act = self._acts.pop(name, None)
        if act is None:
            return None
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def then_act(module: Any) -> None:
            execute(module)
            act(module)

        spec.loader.exec_module = then_act  # type: ignore[method-assign]
        return spec


def run_shadowed() -> None:
    """Runs the ``sitecustomize.py`` of the script's own environment, which this one takes the place of."""
    own = os.path.dirname(os.path.realpath(__file__))  # noqa: PTH120 - as sys.path has it
    path = [one for one in sys.path if os.path.realpath(one) != own]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


if __name__ == "sitecustomize":
    run_shadowed()
    pin(set(os.environ["INITCHECK_PINS"].split(",")), int(os.environ["INITCHECK_PIN_SEED"]))
