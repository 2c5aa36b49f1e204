"""Another ``floatx``, global dtype policy or image data format, for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
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


def global_policy(keras: Any) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    """How the global dtype policy is read, and how it is set."""
    module = keras.mixed_precision
    if hasattr(module, "dtype_policy"):  # Keras 3
        return module.dtype_policy, module.set_dtype_policy
    return module.global_policy, module.set_global_policy


@contextlib.contextmanager
def dtype_policy(keras: Any, policy: str) -> Iterator[None]:
    """Layers that are made within have that policy, unless they are given one."""
    get, put = global_policy(keras)
    before = get()
    put(policy)
    try:
        yield
    finally:
        put(before)


@contextlib.contextmanager
def image_data_format(keras: Any, data_format: str) -> Iterator[None]:
    """Layers that are made and called within take that format of images, unless they are given one; "" changes none."""
    before = keras.backend.image_data_format()
    keras.backend.set_image_data_format(data_format or before)
    try:
        yield
    finally:
        keras.backend.set_image_data_format(before)
