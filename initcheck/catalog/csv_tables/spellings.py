"""Labels that are one number in several spellings: merged where that is certain, refused where they may be codes."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, DecimalException

from initcheck.catalog.csv_tables.cells import Kind, read_cell
from initcheck.errors import DataError
from initcheck.texts import for_axis, for_terminal

_PARTS = re.compile(r"(-?)([0-9]*)\.?([0-9]*)(?:e([-+]?[0-9]+))?")
_FIX = "write them in one way if they are one class, or put a letter before them if they are codes or versions"


@dataclass(frozen=True)
class Spellings:
    """The labels of a target column.

    Attributes:
        keys: The class of each different label: the label itself, or the first spelling of the same number.
        values: Its value; None of all if any label is no finite number.
        also: The other spellings of a class, where there are any.
    """

    keys: tuple[str, ...]
    values: tuple[float, ...] | None
    also: dict[str, tuple[str, ...]]


def merge_spellings(where: str, words: Sequence[str], decimal: str) -> Spellings:
    """Merges labels that are one number, such as ``1`` and ``1.0``, where all labels are numbers.

    Spellings may differ in zeros at the end of a fraction, in a plus sign, and in an exponent if float64 has the value
    exactly. ``01`` and ``1`` are codes, and so are ``3.1`` and ``3.10`` beside ``3.11``.

    Args:
        where: File and column, for the message.
        words: The different labels in the order of the file.
        decimal: The decimal mark.

    Raises:
        DataError: Labels have the same value in float64, but may be different classes; two are named.
    """
    read = [read_cell(word, decimal) for word in words]
    are_numbers = all(kind is Kind.NUMBER and math.isfinite(value) for kind, value in read)
    groups: dict[float, list[str]] = {}
    for word, (kind, value) in zip(words, read, strict=True):
        if kind is Kind.NUMBER and math.isfinite(value):
            groups.setdefault(value, []).append(word)
    plain = {word: _plain(word.replace(decimal, "."), value) for value, group in groups.items() for word in group}
    several = [group for group in groups.values() if len(group) > 1]
    for group in several:
        for one, other in itertools.combinations(group, 2):
            if not are_numbers or plain[one] != plain[other]:
                reason = "have the same value as numbers" if are_numbers else "are one number among words"
                raise DataError(f"{where} has both {_shown(one)} and {_shown(other)}, which {reason}; {_FIX}")
            if longer := _version_beside(plain[one], [one, other], words, decimal):
                raise DataError(
                    f"{where} has both {_shown(one)} and {_shown(other)}, which are one number, but may be versions as "
                    f"{_shown(longer)} may; {_FIX}"
                )
    first = {word: group[0] for group in several for word in group}
    return Spellings(
        tuple(first.get(word, word) for word in words),
        tuple(value for _, value in read) if are_numbers else None,
        {group[0]: tuple(group[1:]) for group in several},
    )


def _plain(word: str, value: float) -> str:
    """The number without plus sign, exponent and zeros at its end, but with the zeros before it; itself if inexact."""
    parts = _PARTS.fullmatch(word.lower().removeprefix("+"))
    assert parts is not None, word
    sign, integer, fraction, exponent = parts.groups()
    if exponent is None:
        return f"{sign}{integer}.{fraction.rstrip('0')}"
    try:
        exact = Decimal(word)
        if (len(integer) == 1 or integer[:1] not in ("", "0")) and exact == Decimal(value):
            digits = f"{exact:f}" if exact else f"{sign}0"
            integer, _, fraction = digits.partition(".")
            return f"{integer}.{fraction.rstrip('0')}"
    except DecimalException:  # an exponent of twenty digits
        pass
    return word


def _version_beside(plain: str, spellings: Sequence[str], words: Sequence[str], decimal: str) -> str:
    """A label that makes versions of two spellings such as ``3.1`` and ``3.10``: ``3.9`` or ``3.11``; or nothing."""
    fractions = {one.partition(decimal)[2] for one in spellings}
    shortest = plain.partition(".")[2]
    if not shortest or len(fractions) == 1 or not all(fraction.isdigit() for fraction in fractions):
        return ""
    for word in words:
        fraction = word.partition(decimal)[2].rstrip("0")
        if word not in spellings and fraction.isdigit() and (len(fraction) > len(shortest) or fraction == "9"):
            return word
    return ""


def _shown(word: str) -> str:
    return repr(for_axis(for_terminal(word)))
