"""Keeps the framework's warnings to itself while evidence is gathered: what it does is judged, not what it says.

Its deprecation warnings are the earliest news of what the next version removes: they are kept, to be counted.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from initcheck.texts import for_terminal

_DEPRECATIONS = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)
_FRAMEWORK, _OWN = ("keras", "tensorflow", "tf_keras", "jax", "torch", "flax"), "initcheck"
_LOGGERS = ("tensorflow", "absl")
_heard: dict[str, None] = {}


def deprecations() -> list[str]:
    """The framework's deprecation warnings that ``quiet`` has met in this process, each once, in one line."""
    return list(_heard)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Ignores warnings, logged ones too, which strict runs turn into errors; the framework's deprecations are noted.

    For example, Keras 3 saves weights through NumPy's old array protocol, and says that data pipelines stay graphs
    where a model runs eagerly.
    """
    with warnings.catch_warnings(), contextlib.ExitStack() as logs:
        warnings.simplefilter("ignore")
        for category in _DEPRECATIONS:
            warnings.simplefilter("always", category)
        warnings.showwarning = _note_warning
        for name in _LOGGERS:
            logs.enter_context(_noting(name, logging.ERROR))
        yield


@contextlib.contextmanager
def unlogged() -> Iterator[None]:
    """Keeps TensorFlow's advice on tracing off stderr: what is compiled on purpose for each problem looks wasteful."""
    with _noting("tensorflow", logging.ERROR):
        yield


@contextlib.contextmanager
def _noting(name: str, level: int) -> Iterator[None]:
    """Notes what that logger says of deprecation, and lets through what is of that level or above."""

    def keep(record: logging.LogRecord) -> bool:
        if "deprecated" in (text := record.getMessage()):
            _note(text)
        return record.levelno >= level

    logger = logging.getLogger(name)
    logger.addFilter(keep)
    try:
        yield
    finally:
        logger.removeFilter(keep)


def _note_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    if _of_framework():
        _note(f"{type(message).__name__}: {message}")


def _of_framework() -> bool:
    """Whether the framework is at work where the warning is raised, itself or through what it calls."""
    frame = sys._getframe(2)
    while frame.f_back is not None:
        frame = frame.f_back
        package = str(frame.f_globals.get("__name__")).partition(".")[0]
        if package in (*_FRAMEWORK, _OWN) and frame.f_globals.get("__name__") != __name__:
            return package != _OWN
    return False


def _note(text: str) -> None:
    _heard[" ".join(for_terminal(text).split())] = None
