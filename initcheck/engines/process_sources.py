"""Sources of chance that a Python process keeps or makes itself: its modules' state, names, addresses and threads."""

from __future__ import annotations

import builtins
import concurrent.futures
import contextlib
import copy
import importlib
import itertools
import multiprocessing.pool
import os
import random
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from initcheck.engines.replacing import note_use, replaced
from initcheck.engines.script_pins import BACKWARDS, is_own_file, sorted_listing, sorted_scan

MODULE_STATE, NAMES, ADDRESSES, POOLS, THREADS, WORKERS, TF_GENERATORS = (
    *("module state", "names", "addresses", "pools", "threads", "workers"),
    "tensorflow generators",
)
_HERE = str(Path(__file__).parents[1])
_MOST_PARTS = 10_000  # of a list or a dict
_MOST_BYTES = 1 << 24  # of an array
_PATIENCE = 1.0  # seconds for which a thread is waited for: it may wait for another itself
_MOST_WAITS = 5  # such waits in vain
_PLAIN = (int, float, complex, str, bytes, bool, type(None))


def own_modules() -> list[ModuleType]:
    """The modules of the user's own code: neither Python's, nor installed, nor ours; a notebook's is among them."""
    found = []
    for name, module in list(sys.modules.items()):
        if not isinstance(module, ModuleType):
            continue
        file = object.__getattribute__(module, "__dict__").get("__file__")  # a lazy one is not to be loaded
        if name == "__main__" if file is None else is_own_file(file) and not file.startswith(_HERE):
            found.append(module)
    return found


# The state of a global or a class's attribute as it was when it was first looked at: its name → how to put it back.
_first_state: dict[str, tuple[Any, Callable[[], bool]]] = {}


def forget_module_state() -> None:
    """Lets the state that modules have now be their first: the user may have changed it since."""
    _first_state.clear()


@contextlib.contextmanager
def module_state_pinned(_keras: Any, _seed: int) -> Iterator[None]:
    """Puts generators, counters, lists and arrays of modules and their classes back to where they were at first."""
    for home, name, value in _kept():
        _put_back(home, name, value)
    try:
        yield
    finally:
        for home, name, value in _kept():
            if _put_back(home, name, value):
                note_use(MODULE_STATE, _named(home, name))


def _kept() -> list[tuple[Any, str, Any]]:
    """What may change of the user's own modules and of their classes: home, name and value."""
    homes: list[Any] = own_modules()
    for module in list(homes):
        homes += [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__]
    kept = [
        (home, name, value)
        for home in homes
        for name, value in list(vars(home).items())
        if not name.startswith("__") and _may_change(value)
    ]
    functions = [(home, one) for home in homes for one in vars(home).values() if isinstance(one, FunctionType)]
    return [*kept, *(one for home, function in functions for one in _kept_by(home, function))]


def _kept_by(home: Any, function: FunctionType) -> Iterator[tuple[Any, str, Any]]:
    """What a function keeps from one call to the next, and may be changed in place: its defaults, and its closure."""
    if function.__module__ != getattr(home, "__module__", home.__name__):
        return
    defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    cells = []
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # an empty one
            cells.append(cell.cell_contents)
    for number, value in enumerate([*defaults, *cells]):
        if _may_change(value) and not isinstance(value, int | float | itertools.count):
            yield home, f"{function.__name__}: {'default' if number < len(defaults) else 'closure'} {number}", value


def _named(home: Any, name: str) -> str:
    prefix = f"{home.__module__}.{home.__qualname__}" if isinstance(home, type) else home.__name__
    return f"{prefix}.{name}"


def _may_change(value: Any) -> bool:
    return isinstance(
        value,
        int | float | list | dict | set | deque | np.ndarray | np.random.Generator | np.random.RandomState
        | random.Random | itertools.count,
    ) or type(value).__name__ in ("SeedGenerator", "Generator")  # fmt: skip


def _put_back(home: Any, name: str, value: Any) -> bool:
    """Puts something kept back to its first state, or notes it as that; whether it differed."""
    key = _named(home, name)
    first = _first_state.get(key)
    if first is None or (first[0] is not value and not isinstance(value, int | float | itertools.count)):
        with contextlib.suppress(Exception):  # what cannot be copied has no state that we know of
            if (restore := _restorer(home, name, value)) is not None:
                _first_state[key] = value, restore
        return False
    return first[1]()


def _restorer(home: Any, name: str, value: Any) -> Callable[[], bool] | None:
    if isinstance(value, int | float | itertools.count):
        return _rebinder(home, name, value)
    if isinstance(value, np.random.Generator):
        return _stateful(lambda: value.bit_generator.state, lambda state: setattr(value.bit_generator, "state", state))
    if isinstance(value, np.random.RandomState):
        return _stateful(value.get_state, value.set_state)
    if isinstance(value, random.Random):
        return _stateful(value.getstate, value.setstate)
    if isinstance(value, np.ndarray):
        if value.nbytes > _MOST_BYTES or value.dtype.hasobject or not value.flags["W"]:
            return None
        return _stateful(value.copy, lambda state: np.copyto(value, state))
    if isinstance(value, list | dict | set | deque):
        return _stateful(lambda: copy.copy(value), lambda state: _refill(value, state)) if _is_plain(value) else None
    state = getattr(value, "state", None)  # a generator of Keras or TensorFlow
    if state is None or not hasattr(state, "assign"):
        return None
    return _stateful(lambda: np.array(state), state.assign)


def _rebinder(home: Any, name: str, value: Any) -> Callable[[], bool]:
    first = copy.copy(value)

    def put_back() -> bool:
        differs = repr(getattr(home, name, None)) != repr(first)
        if differs:
            setattr(home, name, copy.copy(first))
        return differs

    return put_back


def _stateful(get: Callable[[], Any], put: Callable[[Any], Any]) -> Callable[[], bool]:
    first = copy.deepcopy(get())

    def put_back() -> bool:
        if _is_equal(get(), first):
            return False
        put(copy.deepcopy(first))
        return True

    return put_back


def _is_equal(one: Any, two: Any) -> bool:
    if isinstance(one, np.ndarray):
        return bool(one.tobytes() == two.tobytes())
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(_is_equal(one[key], two[key]) for key in one)
    if isinstance(one, tuple):
        return all(_is_equal(a, b) for a, b in zip(one, two, strict=True))
    return bool(one == two)


def _refill(kept: Any, state: Any) -> None:
    kept.clear()
    (kept.update if isinstance(kept, dict | set) else kept.extend)(state)


def _is_plain(value: Any) -> bool:
    if len(value) > _MOST_PARTS:
        return False
    parts: Iterable[Any] = [*value, *value.values()] if isinstance(value, dict) else value
    return all(isinstance(part, _PLAIN) for part in parts)


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
    tf: Any = importlib.import_module("tensorflow")
    random.random()
    np.random.random_sample()
    tf.random.uniform((3,))
    getattr(keras, "random", tf.random).uniform((3,))
    keras.initializers.GlorotUniform()((2, 2))


@contextlib.contextmanager
def seeded_draws_noted() -> Iterator[list[str]]:
    """Notes which of the global generators have drawn in a ``with`` block: ``python``, ``numpy``, ``framework``."""
    context: Any = importlib.import_module("tensorflow.python.eager.context").context()

    def states() -> dict[str, Any]:
        internal = getattr(context, "_rng", None)
        return {
            "python": random.getstate(),
            "numpy": np.random.get_state(),
            "framework": internal.getstate() if internal is not None else None,
        }

    noted: list[str] = []
    before = states()
    yield noted
    noted += [name for name, state in states().items() if not _is_equal(state, before[name])]


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
