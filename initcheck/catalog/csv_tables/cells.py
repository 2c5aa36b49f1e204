"""The kinds of cells: a number, a missing value, a word, or a number in an unsupported notation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from enum import Enum

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

# Markers of missing values that programs write; compared in lower case.
MISSING_MARKERS = frozenset(
    ["", "na", "n/a", "nan", "-nan", "null", "none", "?", "-", "--", ".", "#n/a", "<na>", "#na", "n.a."]
)
# "-" and "none" are names of classes more often than gaps.
MISSING_LABELS = MISSING_MARKERS - {"-", "--", ".", "none"}

# Advice for cells that begin with a number and are none.
NOT_NUMBERS = (
    "write numbers in digits without thousands separators and units and a missing value as an empty cell, put a letter "
    "before codes to make them categories, or leave the column (dates, addresses, ids) out with --drop"
)

# Characters that may precede a number: signs, comparisons, currencies, brackets.
_BEFORE_NUMBERS = "-+\u2212\u2013\u00b1<>=\u2264\u2265~\u2248$\u20ac\u00a3\u00a5('.,"
_PLAIN = b"0123456789+-.eE"
_NUMBER = {
    mark: re.compile(
        rf"[-+]?(?:[0-9]+(?:\{mark}[0-9]*)?|\{mark}[0-9]+)(?:e[-+]?[0-9]+)?|[-+]?inf(?:inity)?", re.IGNORECASE
    )
    for mark in (".", ",")
}
_FRACTION = {mark: re.compile(rf"[-+]?[0-9]*\{mark}[0-9]+(?:[eE][-+]?[0-9]+)?") for mark in (".", ",")}
_GROUPED = {mark: re.compile(rf"[-+]?[1-9][0-9]{{0,2}}(?:\{mark}[0-9]{{3}})+") for mark in (".", ",")}
# Without its white space: signs, currencies, percent, digits of any script, separators of thousands.
_ODD = re.compile(r"[-+\u2212\u2013(]?[$€£¥]?[-+]?[.,]?\d[\d.,'’_]*(?:e[-+]?\d+)?[%$€£¥)]?", re.IGNORECASE)


class Kind(Enum):
    """The kind of a cell; an odd one looks like a number, but its notation is ambiguous or unsupported."""

    NUMBER = "number"
    MISSING = "missing"
    ODD = "odd"
    WORD = "word"


def tidy(cell: str) -> str:
    """The cell in a normal form: Unicode's NFC, no invisible characters, single spaces."""
    if not cell.isascii():
        cell = "".join(letter for letter in unicodedata.normalize("NFC", cell) if unicodedata.category(letter) != "Cf")
    return " ".join(cell.split())


def has_invisible(cell: str) -> bool:
    """Whether the cell has characters that cannot be seen, such as zero-width spaces and marks of direction."""
    return not cell.isascii() and any(unicodedata.category(letter) == "Cf" for letter in cell)


def read_cell(cell: str, decimal: str) -> tuple[Kind, float]:
    """The cell's kind and its value: NaN unless it is a number, infinite beyond float64's range.

    Args:
        cell: Its text.
        decimal: The decimal mark, ``"."`` or ``","``.
    """
    hidden, cell = has_invisible(cell), tidy(cell)
    if _NUMBER[decimal].fullmatch(cell):  # an invisible character may be a separator, or reverse the digits
        return (Kind.ODD, np.nan) if hidden else (Kind.NUMBER, float(cell.replace(",", ".")))
    if cell.lower() in MISSING_MARKERS:
        return Kind.MISSING, np.nan
    return (Kind.ODD if _ODD.fullmatch("".join(cell.split())) else Kind.WORD), np.nan


def plain_numbers(cells: Sequence[str], decimal: str) -> Numbers | None:
    """The values of cells that are all numbers in plain notation, shape ``(cells,)``; None if any is not.

    This is the quick way for nearly all columns: ``float`` is exact, and takes no word written in these characters.
    """
    joined = "".join(cells).encode()
    if decimal == ",":
        if b"." in joined:
            return None
        joined, cells = joined.replace(b",", b"."), [cell.replace(",", ".") for cell in cells]
    if joined.translate(None, _PLAIN):
        return None
    try:
        return np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None


def is_number(cell: str) -> bool:
    """Whether the cell is a number with either decimal mark."""
    return any(read_cell(cell, mark)[0] is Kind.NUMBER for mark in _NUMBER)


def is_missing(cell: str) -> bool:
    """Whether the cell is empty or has a marker of a missing value."""
    return tidy(cell).lower() in MISSING_MARKERS


def starts_with_number(word: str) -> bool:
    """Whether a word is a number with a unit, a comparison, a date, a range or the like: ``5mm``, ``<3``, ``1/4``."""
    return word.lstrip(_BEFORE_NUMBERS + " ")[:1].isnumeric()


def is_fraction(cell: str, decimal: str) -> bool:
    """Whether the cell has digits after that decimal mark."""
    return _FRACTION[decimal].fullmatch(cell) is not None


def is_grouped(cell: str, mark: str) -> bool:
    """Whether that mark may separate thousands in the cell: ``1,234`` may be 1.234 or 1234."""
    return _GROUPED[mark].fullmatch(cell) is not None


def hint(cell: str, decimal: str) -> str:
    """Advice for fixing a cell that is not a number."""
    other = {".": ",", ",": "."}[decimal]
    if is_fraction(cell, other) and not is_grouped(cell, other):
        name = {".": "point", ",": "comma"}[other]
        return f"give --decimal {name} if {other!r} is the decimal mark, or fix the cell"
    if has_invisible(cell):
        return "write it without invisible characters"
    if starts_with_number(tidy(cell)):
        return NOT_NUMBERS
    return (
        "fix the cell, remove the row, put a letter before codes to make them categories, or leave the column out with "
        "--drop"
    )
