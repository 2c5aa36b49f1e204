"""Another ``floatx``, global dtype policy or image data format, for a while."""

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


@contextlib.contextmanager
def dtype_policy(keras: Any, policy: str) -> Iterator[None]:
    """Layers that are made within have that policy, unless they are given one."""
    config = getattr(keras, "config", None)  # Keras 3
    get, put = (
        (config.dtype_policy, config.set_dtype_policy)
        if config
        else (keras.mixed_precision.global_policy, keras.mixed_precision.set_global_policy)
    )
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
