"""The library that is under test in this process, and what is asked of it."""

from __future__ import annotations

import functools

from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.errors import InitcheckError
from initcheck.frameworks.libraries.library import Library, LibraryLayer, LibraryStreams
from initcheck.frameworks.own import import_own
from initcheck.targets import LIBRARIES, backend_of, target


def library() -> Library | None:
    """The description of the library that is the target; None where it is Keras.

    Raises:
        InitcheckError: ``package.module:attribute`` does not lead to a ``Library``.
    """
    name = target()
    return None if backend_of(name) else _find(name)


@functools.cache
def _find(name: str) -> Library:
    found = import_own(LIBRARIES.get(name, name), "the target")
    if not isinstance(found, Library):
        raise InitcheckError(f"the target {name} is of type {type(found).__name__}; name an initcheck.Library there")
    return found


def draws_unseeded() -> bool:
    """Whether the target draws without a seed."""
    chosen = library()
    return chosen is None or chosen.unseeded


def documents_seed(seed: int) -> bool:
    """Whether the target documents that seed; Keras documents "a Python integer"."""
    chosen = library()
    return chosen is None or chosen.seeds[0] <= seed <= chosen.seeds[1]


def complex_dtype() -> str:
    """The complex type that the target documents draws in; empty where it documents none."""
    chosen = library()
    return "" if chosen is None else chosen.complex_dtype


def default_dtype() -> str:
    """The float type that the target takes where none is given."""
    chosen = library()
    return "float32" if chosen is None else chosen.dtypes[0]


def offered_rows() -> tuple[Initializer, ...]:
    """The initializers of the target: those of Keras's catalogue, or the library's."""
    chosen = library()
    return tuple(INITIALIZERS.values()) if chosen is None else chosen.rows


def offered_layers() -> tuple[LibraryLayer, ...]:
    """The library's layers with documented default weights; none of Keras's, which are in the catalogue."""
    chosen = library()
    return () if chosen is None else chosen.layers


def offered_streams() -> tuple[LibraryStreams, ...]:
    """What the library draws under one seed without sharing values."""
    chosen = library()
    return () if chosen is None else chosen.streams
