"""Loads the framework under test, once, with its threads pinned."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from initcheck.errors import FrameworkError
from initcheck.installed import is_within
from initcheck.texts import reason_of

THREADS = 1
# As the linker, the kernel and C++ say it.
_NO_MEMORY = ("Cannot allocate memory", "cannot allocate memory", "failed to map segment", "bad_alloc", "Out of memory")


@functools.cache
def load_keras() -> Any:
    """Keras as installed, running on TensorFlow, with one thread within and one between operations.

    With more threads the last bits of trained weights depend on scheduling. ``TF_NUM_INTRAOP_THREADS`` and
    ``TF_NUM_INTEROP_THREADS``, TensorFlow's own variables, are obeyed all the same. A program that has already started
    TensorFlow keeps the threads it has; ``environment()`` says how many.

    Raises:
        FrameworkError: TensorFlow is missing, does not import, or is not the backend that Keras is set to.
    """
    if "tensorflow" not in sys.modules:
        _require("tensorflow")
        _require("keras")
        _require_backend()
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
    tf = _import("tensorflow")
    _pin_threads(tf)
    keras = _import("keras")
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise FrameworkError(f"Keras runs on {backend}, not on TensorFlow; set KERAS_BACKEND=tensorflow")
    return keras


def _import(package: str) -> Any:
    try:
        with _quiet_start():
            return importlib.import_module(package)
    except Exception as error:  # a broken installation fails in many ways
        reason = reason_of(error)
        what = f"{package} is installed but does not import ({reason})"
        if isinstance(error, MemoryError) or any(words in reason for words in _NO_MEMORY):
            raise FrameworkError(f"{what}: there is too little memory for it; free some, or allow it more") from error
        raise FrameworkError(f"{what}; see to that, or reinstall it where its files are damaged") from error


def _require_backend() -> None:
    """Another backend, which Keras 3 would import, is found out before its import fails for some reason of its own."""
    if not is_within("keras", ">=3"):
        return
    backend, where = os.environ.get("KERAS_BACKEND"), "the variable KERAS_BACKEND"
    if not backend:
        folder = Path(os.environ.get("KERAS_HOME") or Path("~/.keras").expanduser())
        file = folder / "keras.json"
        try:
            backend, where = json.loads(file.read_text(encoding="utf-8")).get("backend"), str(file)
        except (OSError, ValueError, AttributeError):  # Keras takes its default then
            return
    if backend not in (None, "tensorflow"):
        raise FrameworkError(f"Keras is set to the backend {backend!r} by {where}; set KERAS_BACKEND=tensorflow")


@contextlib.contextmanager
def _quiet_start() -> Iterator[None]:
    """Keeps TensorFlow's start-up notes, which no setting silences, off stderr; they are shown if it does not start."""
    try:
        stderr = os.dup(2)
        sys.stderr.flush()
    except (OSError, AttributeError):  # closed: there is nothing to keep them off
        yield
        return
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), 2)
        try:
            yield
        except BaseException:
            notes.seek(0)
            os.write(stderr, notes.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _require(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise FrameworkError(
            f"{package} is not installed for {sys.executable}; install the framework that you want checked, "
            "for example with: pip install tensorflow"
        )


def threads() -> tuple[int, int]:
    """How many threads within and between operations a process is to have: what its environment asks for, or one."""
    asked = (os.environ.get(f"TF_NUM_{kind}OP_THREADS", "") for kind in ("INTRA", "INTER"))
    within, between = (int(number) if number.isdecimal() else THREADS for number in asked)
    return within, between


def _pin_threads(tf: Any) -> None:
    within, between = threads()
    try:
        tf.config.threading.set_intra_op_parallelism_threads(within)
        tf.config.threading.set_inter_op_parallelism_threads(between)
    except RuntimeError:  # TensorFlow has started already: its threads are the caller's decision
        return
