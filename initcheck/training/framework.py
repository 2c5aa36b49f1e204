"""Loads the framework under test, once, with its threads pinned."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from initcheck.errors import FrameworkError

THREADS = 1


@functools.cache
def load_keras() -> Any:
    """Keras as installed, running on TensorFlow, with one thread within and one between operations.

    With more threads the last bits of trained weights depend on scheduling. ``TF_NUM_INTRAOP_THREADS`` and
    ``TF_NUM_INTEROP_THREADS``, TensorFlow's own variables, are obeyed all the same. A program that has already started
    TensorFlow keeps the threads it has; ``environment()`` says how many.

    Raises:
        FrameworkError: TensorFlow is missing, does not import, or is not the backend that Keras uses.
    """
    if "tensorflow" not in sys.modules:
        _require("tensorflow")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
    try:
        with _quiet_start():
            import tensorflow as tf
    except Exception as error:  # a broken installation fails in many ways
        reason = " ".join(str(error).split())[:200]
        raise FrameworkError(
            f"TensorFlow is installed but does not import ({type(error).__name__}: {reason}); reinstall it"
        ) from error
    _pin_threads(tf)
    _require("keras")
    import keras

    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise FrameworkError(f"Keras runs on {backend}, not on TensorFlow; set KERAS_BACKEND=tensorflow")
    return keras


@contextlib.contextmanager
def _quiet_start() -> Iterator[None]:
    """Keeps TensorFlow's start-up notes, which no setting silences, off stderr; they are shown if it does not start."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as notes:
        stderr = os.dup(2)
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
