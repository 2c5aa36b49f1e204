"""Words that are amounts: numbers with a currency or a unit, which are neither numbers nor categories."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from initcheck.catalog.csv_tables.cells import starts_with_number, tidy

# Before or behind a number; the number ends with a digit.
# A hyphen behind a letter is no sign.
_MEASURED = re.compile(
    r"(?P<before>\D*?)\s*(?P<number>(?:(?<![^\W\d_])[-+\u2212])?\d(?:[\d.,'\u2019_ ]*\d)?)\s*(?P<after>\D*)"
)
_UNITS = """
    aed ars aud bgn brl cad chf clp cny cop czk dkk eur gbp hkd huf idr ils inr isk jpy krw kr kr. mxn myr ngn nok nzd
    pen php pln rm ron rs rs. rub sar sek sgd thb try twd uah us$ usd vnd zar
    kg mg cm mm km ml cl lb lbs oz ft hz khz mhz ghz kb mb gb tb kw kwh mw °c °f ° % degc degf
    approx approx. about around circa ca ca. over under
"""
_VERSIONS = ("v", "v.", "version", "release")
_FEWEST_MEASURED = 5  # different whole numbers; fewer may be codes that are not dense


@dataclass(frozen=True)
class Amount:
    """A word that is one number with letters or marks before or behind it: ``EUR 5.50``.

    Attributes:
        word: The word as it is written.
        before: The text before the number, in lower case; spaces at its end are kept.
        after: The text after it.
        value: The number; the last separator is the decimal mark unless it must separate thousands.
        is_whole: Whether it has no decimal mark.
    """

    word: str
    before: str
    after: str
    value: float
    is_whole: bool

    @property
    def unit(self) -> tuple[str, str]:
        """The texts around the number, equal in all cells of a column of measured numbers."""
        return self.before.strip(), self.after


def measured(word: str) -> Amount | None:
    """The number in that word and the text around it; None where there is none, or more than one."""
    match = _MEASURED.fullmatch(tidy(word))
    if match is None:
        return None
    digits = re.sub(r"['\u2019_ ]", "", match["number"]).replace("\u2212", "-")
    mark = max(digits.rfind("."), digits.rfind(","))
    ends_in_thousands = digits.count(".") + digits.count(",") > 1 and len(digits) - mark == 4
    is_whole = mark < 0 or ends_in_thousands
    plain = re.sub(r"[.,]", "", digits if is_whole else digits[:mark]) + ("" if is_whole else f".{digits[mark + 1 :]}")
    before = tidy(word)[: match.start("number")].casefold()
    return Amount(word, before, match["after"].strip().casefold(), float(plain), is_whole)


def find_amounts(words: Sequence[str]) -> list[Amount]:
    """The words that are amounts of one unit, where these are more than half of the words; else none.

    A unit behind the number makes an amount (``5 kg``). One before it does so if it is a currency, a common unit or
    word, or the numbers have fractions, or are integers with gaps where codes count on (``grade 1``, ``grade 2``).
    Letters without a space before whole numbers (``A320``) and a hyphen (``type-3``) make a code, and ``v1.2`` is a
    version.
    """
    units: dict[tuple[str, str], list[Amount]] = {}
    for amount in filter(None, map(measured, words)):
        if any(amount.unit):
            units.setdefault(amount.unit, []).append(amount)
    most = max(units.values(), key=len, default=[])
    return most if 2 * len(most) > len(words) and _are_amounts(most) else []


def _are_amounts(candidates: Sequence[Amount]) -> bool:
    """Whether numbers of one unit are amounts, not codes."""
    before = candidates[0].unit[0]
    if not before or starts_with_number(before + "1"):
        return True
    if before[-1] in "-_/#" or before in _VERSIONS:
        return False
    if before in _UNITS.split() or not all(one.is_whole for one in candidates):
        return True
    if all(one.before[-1:].isalnum() for one in candidates):
        return False
    values = {one.value for one in candidates}
    return len(values) >= _FEWEST_MEASURED and 2 * len(values) < max(values) - min(values) + 1
