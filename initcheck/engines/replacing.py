"""Attributes replaced for a while, and which sources of chance were used meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

_uses: list[dict[str, set[str]]] = []  # of whoever looks


@contextlib.contextmanager
def replaced(home: Any, **names: Any) -> Iterator[None]:
    """Gives a module or a class other attributes for the time of a ``with`` block; what it lacks, it gets none of."""
    before = {name: getattr(home, name) for name in names if hasattr(home, name)}
    for name in before:
        setattr(home, name, names[name])
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(home, name, value)


@contextlib.contextmanager
def uses_noted() -> Iterator[dict[str, set[str]]]:
    """Notes which pinned sources of chance are used in a ``with`` block: name → details, which may be none."""
    noted: dict[str, set[str]] = {}
    _uses.append(noted)
    try:
        yield noted
    finally:
        _uses.remove(noted)


def note_use(source: str, detail: str = "") -> None:
    """Says that the source of that name is used; the detail is what to look for in the code."""
    for noted in _uses:
        noted.setdefault(source, set()).update({detail} - {""})
