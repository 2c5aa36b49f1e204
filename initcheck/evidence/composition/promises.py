"""Runs what is documented of layers and models, one row at a time."""

from __future__ import annotations

import functools
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from initcheck.evidence.session import Session
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backends import has_doubles
from initcheck.frameworks.quiet import quiet
from initcheck.oracle.rounding import Rounded
from initcheck.targets import TENSORFLOW, backend_of, target

_SEED = 20231127
Seen = tuple[str, Any, Any]  # what is looked at, its documented value, its actual one
Row = Callable[[Any, Path], Iterator[Seen]]
Look = TypeVar("Look", bound=Callable[..., Iterator[Seen]])  # a row, or a function that rows are made of
_LACKED: dict[Callable[..., Any], Mapping[str, str]] = {}  # what a row looks at, by the targets that have it not


class Promises:
    """Evidence from rows that each build some layers or models.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def lacking(self, row: Row) -> str:
        """What the row looks at that the target has not; empty where it has."""
        inner = row.func if isinstance(row, functools.partial) else row
        return _LACKED.get(inner, {}).get(target(), "")

    @quiet()
    def seen(self, row: Row) -> list[Seen]:
        """What the row looks at; nothing where the installed Keras does not offer it.

        Raises:
            Exception: Whatever the framework raises.
        """
        keras = self._session.keras
        # What a row leaves to chance is the same whatever ran before.
        if keras.__version__.startswith("2."):
            keras.utils.set_random_seed(_SEED)
        else:  # its seeds are Python's; set_random_seed empties TensorFlow's cache of kernels, which is slow
            random.seed(_SEED)
            np.random.seed(_SEED)
        with tempfile.TemporaryDirectory() as folder:
            return [
                (words, expected, as_array(actual) if isinstance(expected, Rounded) else actual)
                for words, expected, actual in row(keras, Path(folder))
            ]


def table(*rows: Row) -> Mapping[str, Row]:
    """The rows by their names in words."""
    return {row.__name__.replace("_", "-"): row for row in rows}


def tensorflows(what: str) -> Callable[[Look], Look]:
    """Marks a row that looks at what TensorFlow alone has, which is named."""
    return lacked_by(what, "keras:jax", "keras:torch")


def lacked_by(what: str, *targets: str) -> Callable[[Look], Look]:
    """Marks a row that looks at what these targets have not, which is named."""

    def mark(row: Look) -> Look:
        _LACKED[row] = dict.fromkeys(targets, what)
        return row

    return mark


def there(*dtypes: str) -> list[str]:
    """Those of these types that the target has: JAX has none of 64 bits unless it is asked."""
    return [dtype for dtype in dtypes if keeps_doubles() or not dtype.endswith("64")]


def on_jax() -> bool:
    """Whether the target is Keras on JAX, of which a row may look at less."""
    return backend_of(target()) == "jax"


def on_tensorflow() -> bool:
    """Whether the target is Keras on TensorFlow, of which a row may look at more."""
    return target() == TENSORFLOW


def keeps_doubles() -> bool:
    """Whether the target has double precision: JAX only where ``JAX_ENABLE_X64`` says so."""
    return has_doubles(target())


def values(tensors: Any) -> Any:
    """The numbers of tensors, nested as they are."""
    if isinstance(tensors, dict):
        return {name: values(one) for name, one in tensors.items()}
    if isinstance(tensors, list | tuple):
        return type(tensors)(values(one) for one in tensors)
    return as_array(tensors).tolist()


def refusal(action: Callable[..., Any], *arguments: Any) -> str:
    """The class of the exception that the action raises; empty where it raises none."""
    try:
        action(*arguments)
    except Exception as error:  # noqa: BLE001 - which one it is, is the result
        return type(error).__name__
    return ""


def inputs(*numbers: Any) -> np.ndarray:
    """An array in single precision."""
    return np.array(numbers, np.float32)


def normals(stream: int, *shape: int) -> np.ndarray:
    """Normal numbers in single precision, the same at every call."""
    return np.random.RandomState(stream).normal(size=shape).astype(np.float32)


def close(one: Any, other: Any, relative: float = 1e-5) -> bool:
    """Within rounding error of a few operations, and of one shape."""
    one, other = as_array(one).astype(float), as_array(other).astype(float)
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=relative, atol=relative))


def layers_named(keras: Any, end: str) -> list[Any]:
    """The layers whose name ends so, as far as the installed Keras has them."""
    return [kind for name, kind in vars(keras.layers).items() if name.endswith(end)]


def is_keras_3(keras: Any) -> bool:
    """Whether it is Keras 3, whose layers share no code with those of Keras 2."""
    return hasattr(keras, "ops")
