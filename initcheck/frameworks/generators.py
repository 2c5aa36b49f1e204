"""The global generators of Python, NumPy and the framework."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np


@contextlib.contextmanager
def globally_seeded(keras: Any, seed: int, *, framework: bool = True) -> Iterator[None]:
    """Seeds all global generators; Python's and NumPy's, which may be the caller's, are put back.

    Args:
        keras: The framework.
        seed: The seed.
        framework: Whether TensorFlow's and Keras's own are seeded as well.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    if framework:
        keras.utils.set_random_seed(seed)
    else:
        random.seed(seed)
        np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
