"""Another ``floatx`` for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def floatx(keras: Any, dtype: str) -> Iterator[None]:
    """Computes losses, metrics and undecided draws in that dtype.

    Keras 3 makes the ``floatx`` of its first layer the dtype policy of all later ones. That layer is therefore made
    before: layers get their dtype by argument, here and everywhere.
    """
    keras.layers.Dense(1)
    before = keras.backend.floatx()
    keras.backend.set_floatx(dtype)
    try:
        yield
    finally:
        keras.backend.set_floatx(before)
