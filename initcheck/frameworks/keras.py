"""Loads the framework under test, once, with its threads pinned."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from initcheck.endings import interrupted_even_if_lost
from initcheck.errors import FrameworkError
from initcheck.installed import is_within, version_of
from initcheck.keras_settings import configured_backend, read_settings, settings_file
from initcheck.texts import for_terminal, reason_of

THREADS = 1
_MOST_THREADS, _MOST_DIGITS = 1024, 20  # TensorFlow hangs or ends at a million, and int() refuses 4301 digits
# Package, versions that are too old, and the oldest that is supported in their place, which tox.ini and CI run.
# Keras 3 before 3.0.5 averages a batch before it applies weights of rows and classes, where targets have shape (n,):
# https://github.com/keras-team/keras/blob/v3.0.4/keras/losses/loss.py
ONLY_RECORDED = ("keras", ">=3.0.0.dev0,<3.0.5", "3.0.5")
TOO_OLD = (("tensorflow", "<2.15", "2.15"), ("keras", "<2.15", "2.15"), ONLY_RECORDED)
_RECORDING = "INITCHECK_RECORDING"
_TRIED = "INITCHECK_TRIED_FLAGS"
# https://keras.io/api/utils/config_utils/
_USUAL = {"backend": "tensorflow", "floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}
_OF_SETTINGS = (ValueError, TypeError, AssertionError)  # how Keras refuses what its keras.json asks for
# As the linker, the kernel and C++ say it.
_NO_MEMORY = ("Cannot allocate memory", "cannot allocate memory", "failed to map segment", "bad_alloc", "Out of memory")


@functools.cache
def load_keras() -> Any:
    """Keras as installed, running on TensorFlow, with one thread within and one between operations.

    With more threads the last bits of trained weights depend on scheduling. ``TF_NUM_INTRAOP_THREADS`` and
    ``TF_NUM_INTEROP_THREADS``, TensorFlow's own variables, are obeyed all the same. A program that has already started
    TensorFlow keeps the threads it has; ``environment()`` says how many.

    Raises:
        FrameworkError: TensorFlow is missing, too old, does not import, or is not the backend that Keras is set to;
            or a variable asks for no number of threads.
    """
    require_supported()
    if "tensorflow" not in sys.modules:
        threads()
        require_package("tensorflow")
        require_package("keras")
        _require_settings()
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
        _require_flags()
    tf = import_framework("tensorflow")
    _pin_threads(tf)
    keras = import_framework("keras")
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise FrameworkError(f"Keras runs on {backend}, not on TensorFlow; set KERAS_BACKEND=tensorflow")
    return keras


def import_framework(package: str) -> Any:
    """The package, imported quietly.

    Raises:
        FrameworkError: It is installed and does not import.
    """
    try:
        with _quiet_start(), interrupted_even_if_lost(), _uncollected():
            return importlib.import_module(package)
    except Exception as error:  # a broken installation fails in many ways
        reason = reason_of(error)
        what = f"{package} is installed but does not import ({reason})"
        if isinstance(error, MemoryError) or any(words in reason for words in _NO_MEMORY):
            raise FrameworkError(f"{what}: there is too little memory for it; free some, or allow it more") from error
        remedy = "see to that, or reinstall it where its files are damaged"
        if isinstance(error, _OF_SETTINGS) and (unusual := _unusual_settings()):
            remedy = f"{settings_file()} asks for {unusual}: correct that, if it is the cause"
        raise FrameworkError(f"{what}; {remedy}") from error


@contextlib.contextmanager
def to_record() -> Iterator[None]:
    """Lets a framework be loaded that can be recorded and not judged, in processes that are started within, too."""
    os.environ[_RECORDING] = "1"
    try:
        yield
    finally:
        del os.environ[_RECORDING]


def require_supported() -> None:
    """Refuses frameworks that are too old.

    Raises:
        FrameworkError: One is.
    """
    for row in TOO_OLD:
        package, versions, oldest = row
        if is_within(package, versions) and not (row is ONLY_RECORDED and _RECORDING in os.environ):
            raise FrameworkError(
                f"{package} {version_of(package)} is older than initcheck supports; install {package}>={oldest}"
            )


def _require_settings() -> None:
    """Refuses settings that Keras would not import with, since its own error would be of another kind.

    Keras 3 has another backend, and every Keras reads its ``keras.json`` when it is imported, whatever it holds.
    """
    backend, where = configured_backend()
    if backend != "tensorflow" and is_within("keras", ">=3"):
        raise FrameworkError(f"Keras is set to the backend {backend!r} by {where}; set KERAS_BACKEND=tensorflow")


def _require_flags() -> None:
    """TensorFlow ends a whole process, with exit code 1, at a flag of XLA that it does not know: another tries them.

    Raises:
        FrameworkError: It does.
    """
    flags = {name: os.environ[name] for name in ("XLA_FLAGS", "TF_XLA_FLAGS") if os.environ.get(name)}
    if not flags or os.environ.get(_TRIED) == str(flags):
        return
    program = "import tensorflow as tf; tf.function(tf.identity, jit_compile=True)(1.0)"
    tried = subprocess.run([sys.executable, "-c", program], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    notes = tried.stderr.decode(errors="replace").splitlines()
    for name, value in flags.items():
        reason = next((note.rpartition("] ")[2] for note in notes if name in note), "")
        if tried.returncode and reason:
            raise FrameworkError(
                f"TensorFlow does not start with {name}={value!r:.100} ({for_terminal(reason):.200}); correct that "
                "variable or unset it"
            )
    os.environ[_TRIED] = str(flags)  # for the processes that this one starts


def _unusual_settings() -> str:
    """The settings in Keras's file that are not the documented defaults."""
    settings = read_settings(settings_file()).items()
    return for_terminal(", ".join(f"{name} {value!r:.40}" for name, value in settings if value != _USUAL.get(name)))


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Imports without the garbage collector, which takes a third of the time and finds next to nothing.

    What there is by then counts as old, so that only full collections go through it, which are rare. It is not frozen:
    Hypothesis, for one, looks for an object's referrers, and does not find those.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if gc.get_freeze_count():  # the program's own, or what never dies in Python 3.12: it stays frozen
            gc.collect(1)
        else:
            gc.freeze()
            gc.unfreeze()  # to the oldest generation
        if collects:
            gc.enable()


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
        except ImportError:  # of its compiled part, perhaps, which says there why
            notes.seek(0)
            os.write(stderr, notes.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def require_package(package: str, install: str = "tensorflow") -> None:
    """Refuses to go on without the package.

    Raises:
        FrameworkError: It is missing.
    """
    if importlib.util.find_spec(package) is None:
        raise FrameworkError(
            f"{package} is not installed for {sys.executable}; install the framework that you want checked, "
            f"for example with: pip install {install}"
        )


def threads() -> tuple[int, int]:
    """The threads within and between operations that the process's environment asks for, by default one.

    With 0 TensorFlow chooses.

    Raises:
        FrameworkError: A variable asks for no whole number, or for more threads than TensorFlow would start with.
    """
    within, between = (_asked_threads(f"TF_NUM_{kind}OP_THREADS") for kind in ("INTRA", "INTER"))
    return within, between


def _asked_threads(name: str) -> int:
    asked = os.environ.get(name, "")
    if not asked:
        return THREADS
    if asked.isascii() and asked.isdecimal() and len(asked) <= _MOST_DIGITS and int(asked) <= _MOST_THREADS:
        return int(asked)
    raise FrameworkError(
        f"{name}={for_terminal(asked)!r:.40} is no number of threads; set it to a whole number from 0 (TensorFlow's "
        f"choice) to {_MOST_THREADS:,}, or unset it"
    )


def _pin_threads(tf: Any) -> None:
    within, between = threads()
    try:
        tf.config.threading.set_intra_op_parallelism_threads(within)
        tf.config.threading.set_inter_op_parallelism_threads(between)
    except RuntimeError:  # TensorFlow has started already: its threads are the caller's decision
        return
