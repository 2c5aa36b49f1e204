"""The global generators of Python, NumPy and the framework."""

from __future__ import annotations

import contextlib
import importlib
import random
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from initcheck.targets import backend_of, target


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


def global_state() -> Any:
    """The state of the backend's own global generator, to be compared; None where it has none yet, or none at all."""
    backend = backend_of(target())
    if backend == "torch":
        import torch

        return torch.get_rng_state().numpy()
    if backend == "tensorflow":
        context: Any = importlib.import_module("tensorflow.python.eager.context").context()
        internal = getattr(context, "_rng", None)
        return None if internal is None else internal.getstate()
    return None


def global_seeding() -> list[tuple[Any, str, str]]:
    """The backend's own functions that seed it: module, name there, name in words."""
    backend = backend_of(target())
    if backend == "torch":
        import torch

        return [(torch, "manual_seed", "torch.manual_seed")]
    if backend == "tensorflow":
        import tensorflow as tf

        return [(tf.random, "set_seed", "tf.random.set_seed")]
    return []


@contextlib.contextmanager
def _tensorflow_deterministic() -> Iterator[None]:
    switches: Any = importlib.import_module("tensorflow.python.framework.config")
    before = switches.is_op_determinism_enabled()
    switches.enable_op_determinism()
    try:
        yield
    finally:
        if not before:
            switches.disable_op_determinism()


@contextlib.contextmanager
def _torch_deterministic() -> Iterator[None]:
    import torch

    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


# How a backend is told to compute in one order: the line to write, and what does it for a while. JAX has no switch.
DETERMINISTIC: Mapping[str, tuple[str, Callable[[], contextlib.AbstractContextManager[None]]]] = MappingProxyType(
    {
        "tensorflow": ("tf.config.experimental.enable_op_determinism()", _tensorflow_deterministic),
        "torch": ("torch.use_deterministic_algorithms(True)", _torch_deterministic),
    }
)
