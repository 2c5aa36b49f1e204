"""Keeps the framework's warnings to itself while evidence is gathered: what it does is judged, not what it says."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Ignores warnings, which strict test runs turn into errors.

    For example, Keras 3 saves weights through NumPy's old array protocol, and says that data pipelines stay graphs
    where a model runs eagerly.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def unlogged() -> Iterator[None]:
    """Keeps TensorFlow's advice on tracing off stderr: what is compiled on purpose for each problem looks wasteful."""
    logger = logging.getLogger("tensorflow")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
