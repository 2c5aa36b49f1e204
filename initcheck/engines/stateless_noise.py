"""Uniform draws of many members at once, bit for bit those of TensorFlow's kernel."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def vectorized_noise() -> Iterator[None]:
    yield
