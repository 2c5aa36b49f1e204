"""The sources of chance in a user's training, each of which can be pinned while the others stay as they are."""

from __future__ import annotations

import contextlib
import datetime
import os
import random
import secrets
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.random import bit_generator

from initcheck.engines import process_sources
from initcheck.engines.kept_state import MODULE_STATE as KEPT
from initcheck.engines.kept_state import module_state_pinned, own_modules
from initcheck.engines.replacing import note_use, replaced
from initcheck.engines.script_pins import BACKWARDS, dates_pinned, pinned_dates, sorted_listing, sorted_scan
from initcheck.frameworks.generators import DETERMINISTIC, global_seeding
from initcheck.targets import NAMES_OF_BACKENDS, backend_of, target

Pin = Callable[[Any, int], contextlib.AbstractContextManager[None]]
_BACKEND = backend_of(target()) or "tensorflow"
_TICK = 1e-3  # seconds by which a pinned clock goes on at each look: whoever waits for a while gets there


@dataclass(frozen=True)
class ChanceSource:
    """A source of chance.

    Attributes:
        name: A readable, unique name.
        title: What it is, in words.
        remedy: What to write to pin it, in a line.
        pin: ``pin(keras, seed)`` pins it for the time of a ``with`` block; None where the training itself does.
        seeded: Whether ``keras.utils.set_random_seed`` seeds it.
        noted: Whether its pin notes that it is used, so that one that is not used is no cause.
    """

    name: str
    title: str
    remedy: str
    pin: Pin | None = None
    seeded: bool = False
    noted: bool = False


@contextlib.contextmanager
def _python_seeded(_keras: Any, seed: int) -> Iterator[None]:
    random.seed(seed)
    yield


@contextlib.contextmanager
def _numpy_seeded(_keras: Any, seed: int) -> Iterator[None]:
    np.random.seed(seed % 2**32)
    yield


@contextlib.contextmanager
def _framework_seeded(keras: Any, seed: int) -> Iterator[None]:
    states = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(seed % 2**31)
    random.setstate(states[0])
    np.random.set_state(states[1])
    yield


@contextlib.contextmanager
def _numpy_generators(_keras: Any, seed: int) -> Iterator[None]:
    bits = random.Random(seed)

    def drawn(count: int) -> int:
        note_use("numpy generators")
        return bits.getrandbits(count)

    with replaced(bit_generator, randbits=drawn):
        yield


@contextlib.contextmanager
def _python_generators(_keras: Any, seed: int) -> Iterator[None]:
    given = iter(range(seed, seed + 2**31))
    seeding = random.Random.seed

    def seed_of(self: random.Random, a: Any = None, version: int = 2) -> None:
        if a is None:
            note_use("python generators")
        seeding(self, next(given) if a is None else a, version)

    # Names of temporary files come from a generator that is made when the first is asked for.
    with replaced(random.Random, seed=seed_of), replaced(tempfile, _name_sequence=None):
        yield


@contextlib.contextmanager
def _entropy(_keras: Any, seed: int) -> Iterator[None]:
    stream = random.Random(seed)
    module: ModuleType = random

    def drawn(count: int) -> bytes:
        note_use("entropy")
        return stream.randbytes(count)

    def process_id() -> int:
        note_use("entropy")
        return 1 + seed % 2**15

    with replaced(os, urandom=drawn, getpid=process_id), replaced(module, _urandom=drawn):
        yield


@contextlib.contextmanager
def _clock(_keras: Any, seed: int) -> Iterator[None]:
    looks = 0

    def seconds() -> float:
        nonlocal looks
        looks += 1
        note_use("clock")
        return seed % 2**30 + looks * _TICK

    def nanoseconds() -> int:
        return int(seconds() * 1e9)

    names = ("time", "monotonic", "perf_counter", "process_time")
    clocks = {**dict.fromkeys(names, seconds), **{f"{name}_ns": nanoseconds for name in names}}
    real = {id(getattr(time, name)): clock for name, clock in clocks.items()}
    dates = {id(getattr(datetime, name)): kind for name, kind in pinned_dates(seconds).items()}
    with contextlib.ExitStack() as stack:
        for module in own_modules():  # what they have imported by name
            named = {
                name: (real | dates)[id(value)] for name, value in vars(module).items() if id(value) in real | dates
            }
            stack.enter_context(replaced(module, **named))
        stack.enter_context(replaced(time, **clocks))
        stack.enter_context(dates_pinned(seconds))
        yield


@contextlib.contextmanager
def _listing(_keras: Any, _seed: int) -> Iterator[None]:
    with replaced(os, listdir=sorted_listing(os.listdir), scandir=sorted_scan(os.scandir)):
        yield


@contextlib.contextmanager
def _determinism(_keras: Any, _seed: int) -> Iterator[None]:
    with DETERMINISTIC[_BACKEND][1]():
        yield


PYTHON = ChanceSource("python", "Python's random", "random.seed(SEED)", _python_seeded, seeded=True)
NUMPY = ChanceSource("numpy", "NumPy's global generator", "np.random.seed(SEED)", _numpy_seeded, seeded=True)
FRAMEWORK = ChanceSource(
    "framework",
    f"{NAMES_OF_BACKENDS[_BACKEND]}'s and Keras's global seeds",
    "keras.utils.set_random_seed(SEED)",
    _framework_seeded,
    seeded=True,
)
NUMPY_GENERATORS = ChanceSource(
    "numpy generators",
    "a NumPy generator made without a seed",
    "np.random.default_rng(SEED)",
    _numpy_generators,
    noted=True,
)
PYTHON_GENERATORS = ChanceSource(
    "python generators",
    "a random.Random made without a seed, or the name of a temporary file",
    "random.Random(SEED), and no such name in what is computed",
    _python_generators,
    noted=True,
)
CLOCK = ChanceSource("clock", "the clock", "give a number in place of the time", _clock, noted=True)
ENTROPY = ChanceSource(
    "entropy",
    "the system's entropy (os.urandom, secrets, uuid, os.getpid)",
    "random.Random(SEED) in its place",
    _entropy,
    noted=True,
)
TF_GENERATORS = ChanceSource(
    process_sources.TF_GENERATORS,
    "a TensorFlow generator whose state the system gives (from_non_deterministic_state)",
    "tf.random.Generator.from_seed(SEED)",
    process_sources.tf_generators_pinned,
    noted=True,
)
MODULE_STATE = ChanceSource(
    KEPT,
    "what a module, or the environment, keeps from one training to the next, a generator or a counter",
    "make it in data() or build()",
    module_state_pinned,
    noted=True,
)
NAMES = ChanceSource(
    process_sources.NAMES,
    "Keras's counters of names (dense, dense_1)",
    "give layers names of your own, or keras.backend.clear_session() first",
    process_sources.names_pinned,
)
ADDRESSES = ChanceSource(
    process_sources.ADDRESSES,
    "the addresses of objects: id(), or the order of a set of objects",
    "a list or dict.fromkeys(...) in place of the set, and no id() in what is computed",
    process_sources.addresses_pinned,
    noted=True,
)
POOLS = ChanceSource(
    process_sources.POOLS,
    "a pool of threads that end in any order",
    "executor.map(...) in place of as_completed, and no list that they share; or max_workers=1",
    process_sources.pools_pinned,
    noted=True,
)
THREADS = ChanceSource(
    process_sources.THREADS,
    "threads that run side by side and end in any order",
    "put what each makes into its own place of a list, and join all; or executor.map(...)",
    process_sources.threads_pinned,
    noted=True,
)
WORKERS = ChanceSource(
    process_sources.WORKERS,
    "the workers of a PyDataset, whose draws race",
    "np.random.default_rng([SEED, index]) in __getitem__; or workers=1",
    process_sources.workers_pinned,
    noted=True,
)
LISTING = ChanceSource(
    "listing", "the order in which a folder is listed (os.listdir, glob)", "sorted(...) around the listing", _listing
)
LISTING_BACKWARDS = ChanceSource(
    BACKWARDS, "folders that are listed backwards", LISTING.remedy, process_sources.listed_backwards, noted=True
)
DATA = ChanceSource("data", "the data, made anew each time", "make the data once and save them (np.savez)")
ORDER = ChanceSource("order", "the order of the rows", "fit(..., shuffle=False)")
DETERMINISM = ChanceSource(
    "determinism",
    "operations and data pipelines that run in parallel",
    DETERMINISTIC[_BACKEND][0] if _BACKEND in DETERMINISTIC else "",
    _determinism,
)
HASHES = ChanceSource(
    "hashes",
    "the hashes of strings: hash(), or the order of a set of strings (PYTHONHASHSEED)",
    "sorted(...) around the set, and hashlib in place of hash(); or start with PYTHONHASHSEED=0 in the environment",
)

SEEDS = (PYTHON, NUMPY, FRAMEWORK)
_OF_TENSORFLOW = (TF_GENERATORS,) if _BACKEND == "tensorflow" else ()
_SWITCHED = (DETERMINISM,) if _BACKEND in DETERMINISTIC else ()
AT_IMPORT = (PYTHON, NUMPY, FRAMEWORK, NUMPY_GENERATORS, PYTHON_GENERATORS, CLOCK, ENTROPY, *_OF_TENSORFLOW, ADDRESSES)
OTHERS = (
    *(NUMPY_GENERATORS, PYTHON_GENERATORS, CLOCK, ENTROPY, *_OF_TENSORFLOW, MODULE_STATE, NAMES, ADDRESSES),
    *(POOLS, THREADS, WORKERS, *_SWITCHED, ORDER, DATA),
)
SOURCES = {source.name: source for source in (*SEEDS, *OTHERS, LISTING, LISTING_BACKWARDS, HASHES)}


@contextlib.contextmanager
def pinned(keras: Any, sources: Collection[ChanceSource], seed: int) -> Iterator[None]:
    """Pins those sources; the global generators that are not among them start anywhere, and are put back in the end.

    Args:
        keras: The framework.
        sources: What to pin.
        seed: The seed of what is pinned.
    """
    states = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(secrets.randbits(30))
    random.seed(secrets.randbits(60))
    np.random.seed(secrets.randbits(32))
    try:
        with contextlib.ExitStack() as stack:
            for source in SOURCES.values():
                if source in sources and source.pin is not None:
                    stack.enter_context(source.pin(keras, seed))
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


@contextlib.contextmanager
def seeding_noted(keras: Any) -> Iterator[list[str]]:
    """Notes what is seeded in a ``with`` block by whoever calls Python's, NumPy's or Keras's function for it."""
    noted: list[str] = []

    def noting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def seed(*given: Any, **named: Any) -> Any:
            noted.append(name)
            return function(*given, **named)

        return seed

    with contextlib.ExitStack() as stack:
        for home, name, title in (
            (random, "seed", "random.seed"),
            (np.random, "seed", "np.random.seed"),
            *global_seeding(),
            (keras.utils, "set_random_seed", "keras.utils.set_random_seed"),
        ):
            stack.enter_context(replaced(home, **{name: noting(title, getattr(home, name))}))
        yield noted
