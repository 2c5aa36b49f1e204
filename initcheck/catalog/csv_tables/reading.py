"""The user's options for reading a CSV file."""

from __future__ import annotations

from dataclasses import dataclass

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
DECIMALS = {"point": ".", "comma": ","}
HEADERS = ("yes", "no")
MISSING = ("median",)


@dataclass(frozen=True)
class Reading:
    """The user's options for reading a CSV file; None means detected.

    Attributes:
        target: Name of the column with the classes; None for the last one.
        drop: Names of columns to leave out.
        separator: A name from ``SEPARATORS``.
        decimal: A name from ``DECIMALS``.
        header: ``"yes"`` if the first line names the columns, ``"no"`` if it is a row like the others.
        missing: ``"median"`` to fill in missing values; None to refuse them.
    """

    target: str | None = None
    drop: tuple[str, ...] = ()
    separator: str | None = None
    decimal: str | None = None
    header: str | None = None
    missing: str | None = None
