"""Sources of chance that a Python process keeps or makes itself: names, addresses and threads."""

from __future__ import annotations

import builtins
import concurrent.futures
import contextlib
import importlib
import multiprocessing.pool
import os
import random
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from initcheck.engines.kept_state import is_equal, own_modules
from initcheck.engines.replacing import note_use, replaced
from initcheck.engines.script_pins import BACKWARDS, is_own_file, sorted_listing, sorted_scan
from initcheck.frameworks.backend_calls import draw_globally
from initcheck.frameworks.generators import global_state

NAMES, ADDRESSES, POOLS, THREADS, WORKERS, TF_GENERATORS = (
    *("names", "addresses", "pools", "threads", "workers"),
    "tensorflow generators",
)
_HERE = str(Path(__file__).parents[1])
_PATIENCE = 1.0  # seconds for which a thread is waited for: it may wait for another itself
_MOST_WAITS = 5  # such waits in vain


@contextlib.contextmanager
def names_pinned(keras: Any, _seed: int) -> Iterator[None]:
    """Lets Keras count its names (dense, dense_1) from the beginning."""
    reset = getattr(keras.backend, "reset_uids", None)
    if reset is None:
        reset = importlib.import_module("keras.src.utils.naming").reset_uids
    reset()
    yield


def _is_of(module: ModuleType, value: Any) -> bool:
    return isinstance(value, type) and value.__module__ == module.__name__


@contextlib.contextmanager
def _globals_added(names: dict[str, Any]) -> Iterator[None]:
    """Gives the user's own modules globals, which are found before builtins of these names."""
    given = [
        (module, {name: one for name, one in names.items() if name not in vars(module)}) for module in own_modules()
    ]
    for module, new in given:
        vars(module).update(new)
    try:
        yield
    finally:
        for module, new in given:
            for name, one in new.items():
                if vars(module).get(name) is one:
                    delattr(module, name)


@contextlib.contextmanager
def addresses_pinned(_keras: Any, _seed: int) -> Iterator[None]:
    """Numbers objects in the order in which they are first asked for, not by address.

    That is what ``id`` and ``hash`` give in the user's own modules, and what the hashes of their classes' objects are.
    """
    serials: dict[int, tuple[object, int]] = {}

    def serial(self: object) -> int:
        note_use(ADDRESSES, type(self).__name__)
        return serials.setdefault(id(self), (self, len(serials)))[1]

    def serial_hash(given: object) -> int:
        return serial(given) if type(given).__hash__ is by_address else hash(given)

    by_address: Any = object.__hash__

    def is_hashed_by_address(kind: Any) -> bool:
        return isinstance(kind, type) and kind.__hash__ is by_address and not issubclass(kind, type)

    build_class = builtins.__build_class__
    changed: list[type] = []

    def change(kind: Any) -> None:
        with contextlib.suppress(TypeError, AttributeError):
            kind.__hash__ = serial
            changed.append(kind)

    def building(function: Any, *given: Any, **named: Any) -> Any:
        kind = build_class(function, *given, **named)
        if is_own_file(function.__code__.co_filename) and is_hashed_by_address(kind):
            change(kind)
        return kind

    for value in [one for module in own_modules() for one in vars(module).values() if _is_of(module, one)]:
        if is_hashed_by_address(value):
            change(value)
    try:
        with replaced(builtins, __build_class__=building), _globals_added({"id": serial, "hash": serial_hash}):
            yield
    finally:
        for kind in changed:
            with contextlib.suppress(AttributeError):
                del kind.__hash__


@contextlib.contextmanager
def pools_pinned(_keras: Any, _seed: int) -> Iterator[None]:
    """Gives pools of threads one thread, which does its work in the order given."""
    executor, pool = concurrent.futures.ThreadPoolExecutor, multiprocessing.pool.ThreadPool
    start_executor, start_pool = executor.__init__, pool.__init__

    def one_worker(self: Any, _max_workers: Any = None, *given: Any, **named: Any) -> None:
        note_use(POOLS)
        named.pop("max_workers", None)
        start_executor(self, 1, *given, **named)

    def one_process(self: Any, _processes: Any = None, *given: Any, **named: Any) -> None:
        note_use(POOLS)
        named.pop("processes", None)
        start_pool(self, 1, *given, **named)

    def in_order(futures: Iterable[Any], timeout: float | None = None) -> Iterator[Any]:
        for future in futures:
            concurrent.futures.wait([future], timeout)
            yield future

    with (
        replaced(executor, __init__=one_worker),
        replaced(pool, __init__=one_process, imap_unordered=pool.imap),
        replaced(concurrent.futures, as_completed=in_order),
        contextlib.ExitStack() as stack,
    ):
        for module in own_modules():
            if getattr(module, "as_completed", None) is not None:
                stack.enter_context(replaced(module, as_completed=in_order))
        yield


@contextlib.contextmanager
def threads_pinned(_keras: Any, _seed: int) -> Iterator[None]:
    """Lets each thread that the user's own code starts end before the next begins, unless it waits for that."""
    start = threading.Thread.start
    waits = 0

    def one_by_one(self: threading.Thread) -> None:
        nonlocal waits
        start(self)
        if is_own_file(sys._getframe(1).f_code.co_filename) and waits < _MOST_WAITS:
            note_use(THREADS)
            self.join(_PATIENCE)
            waits += self.is_alive()

    with replaced(threading.Thread, start=one_by_one):
        yield


@contextlib.contextmanager
def workers_pinned(keras: Any, _seed: int) -> Iterator[None]:
    """Gives a ``PyDataset`` one worker."""
    kind = getattr(keras.utils, "PyDataset", None)
    if kind is None:
        yield
        return

    def one(self: Any) -> int:
        if getattr(self, "_workers", 1) > 1:
            note_use(WORKERS)
        return 1

    def put(self: Any, value: int) -> None:
        self._workers = value

    none = property(lambda _: False, lambda *_: None)
    with replaced(kind, workers=property(one, put), use_multiprocessing=none):
        yield


@contextlib.contextmanager
def tf_generators_pinned(_keras: Any, seed: int) -> Iterator[None]:
    """Seeds TensorFlow's generators that would take their state from the system, its global one too."""
    homes: Any = importlib.import_module("tensorflow.python.ops.stateful_random_ops")
    kind = homes.Generator

    def from_seed(_: Any, alg: Any = None) -> Any:
        note_use(TF_GENERATORS)
        return kind.from_seed(seed % 2**31, alg)

    with replaced(kind, from_non_deterministic_state=classmethod(from_seed)), replaced(homes, global_generator=None):
        yield


@contextlib.contextmanager
def listed_backwards(_keras: Any, _seed: int) -> Iterator[None]:
    """Lists folders that are the user's own backwards."""
    system = (sys.prefix, sys.base_prefix, _HERE)

    def is_own(folder: str) -> bool:
        if folder.startswith(system):
            return False
        note_use(BACKWARDS)
        return True

    own = {"listdir": sorted_listing(os.listdir, is_own), "scandir": sorted_scan(os.scandir, is_own)}
    real = {id(getattr(os, name)): listing for name, listing in own.items()}
    with contextlib.ExitStack() as stack:
        for module in own_modules():  # what they have imported by name
            named = {name: real[id(value)] for name, value in vars(module).items() if id(value) in real}
            stack.enter_context(replaced(module, **named))
        stack.enter_context(replaced(os, **own))
        yield


def draw_everywhere(keras: Any) -> None:
    """Draws from every global generator, as other work of a process does."""
    random.random()
    np.random.random_sample()
    draw_globally()
    if hasattr(keras, "random"):  # not in Keras 2
        keras.random.uniform((3,))
    keras.initializers.GlorotUniform()((2, 2))


@contextlib.contextmanager
def seeded_draws_noted() -> Iterator[list[str]]:
    """Notes which of the global generators have drawn in a ``with`` block: ``python``, ``numpy``, ``framework``."""

    def states() -> dict[str, Any]:
        return {"python": random.getstate(), "numpy": np.random.get_state(), "framework": global_state()}

    noted: list[str] = []
    before = states()
    yield noted
    noted += [name for name, state in states().items() if not is_equal(state, before[name])]


@contextlib.contextmanager
def threads_noted() -> Iterator[list[str]]:
    """Notes the threads that are started in a ``with`` block."""
    started: list[str] = []
    start = threading.Thread.start

    def noting(self: threading.Thread) -> None:
        started.append(self.name)
        start(self)

    with replaced(threading.Thread, start=noting):
        yield started


def is_parallel(data: Any) -> bool:
    """Whether a ``PyDataset`` has workers, or a ``tf.data`` pipeline a stage that runs in parallel."""
    if getattr(data, "workers", 1) > 1:
        return True
    waiting, seen = [data], 0
    while waiting and seen < 1000:
        one = waiting.pop()
        seen += 1
        if "Parallel" in type(one).__name__:
            return True
        with contextlib.suppress(Exception):  # private to TensorFlow
            waiting += list(one._inputs()) if hasattr(one, "element_spec") else []
    return False
