"""Texts from elsewhere, made fit to be drawn and written."""

from __future__ import annotations

_MAX_NAME = 40


def short_name(name: str) -> str:
    """A name that fits beside an axis."""
    name = printable(name)
    return name if len(name) <= _MAX_NAME else name[: _MAX_NAME - 1] + "…"


def printable(text: str) -> str:
    """One line without control characters, which XML forbids."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in " ".join(text.split()))
