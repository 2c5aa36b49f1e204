"""Arguments of the wrong type or size, each refused in one line."""

from __future__ import annotations

import difflib
import math
import operator
import os
from collections.abc import Sequence
from numbers import Real
from pathlib import Path

from initcheck.errors import InitcheckError
from initcheck.texts import for_terminal, with_article

_INT64 = 2**63
_MOST = 40  # characters of a value in a message


def whole_number(name: str, value: object, *, least: int | None = None, most: int = _INT64 - 1) -> int:
    """The argument as an ``int``; NumPy's integers are welcome, floats and bools are not.

    Args:
        name: The user's name for it, with its problem where it is a field of one.
        value: The given value.
        least: The smallest that it may be; by default the smallest of 64 bits.
        most: The largest that it may be.

    Raises:
        InitcheckError: It is no whole number, or is too small or too large.
    """
    try:
        if _is_bool(value):
            raise TypeError  # noqa: TRY301 - a bool is refused in the same words
        number = operator.index(value)  # type: ignore[arg-type] # what has no index raises the error that is caught
    except TypeError:
        raise InitcheckError(f"{name} is {described(value)}; give a whole number") from None
    if number < (least := -_INT64 if least is None else least):
        raise InitcheckError(f"{name} is {_shortened(number)}; at least {least:,} is needed")
    if number > most:
        raise InitcheckError(f"{name} is {_shortened(number)}; it may be {most:,} at most")
    return number


def path_of(name: str, value: object) -> Path:
    """The argument as a ``Path``; ``~`` and ``~user`` at its beginning are a home folder, as in a shell.

    Raises:
        InitcheckError: It is neither text nor a path, is empty, or begins with ``~`` where there is no such user.
    """
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str):
        raise InitcheckError(f"{name} is {described(value)}; give a path")
    if not text.strip():
        raise InitcheckError(f"{name} is empty; give a path (. is the current folder)")
    expanded = os.path.expanduser(text)  # noqa: PTH111 - Path would take ./~ for ~
    if text.startswith("~") and expanded == text:
        user = for_terminal(text.partition("/")[0])
        raise InitcheckError(f"{name} begins with {user}, but there is no such user; write ./{user} for one here")
    return Path(expanded)


def fraction(name: str, value: object) -> float:
    """The argument as a ``float`` from 0 to 1.

    Raises:
        InitcheckError: It is no number, or lies outside.
    """
    if _is_bool(value) or not isinstance(value, Real):
        raise InitcheckError(f"{name} is {described(value)}; give a number: accuracies lie between 0 and 1")
    number = float(value)
    if not 0 <= number <= 1:  # NaN included
        raise InitcheckError(f"{name} is {described(value)}; accuracies lie between 0 and 1")
    return number


def number(name: str, value: object) -> float:
    """The argument as a ``float``, NaN and infinity included; NumPy's numbers are welcome, bools and texts are not.

    Raises:
        InitcheckError: It is no real number.
    """
    if _is_bool(value) or not isinstance(value, Real):
        raise InitcheckError(f"{name} is {described(value)}; give a number")
    try:
        return float(value)
    except OverflowError:  # a whole number of hundreds of digits
        return math.inf if value > 0 else -math.inf  # type: ignore[operator] # typeshed's Real has no order


def _is_bool(value: object) -> bool:
    return isinstance(value, bool) or type(value).__name__ == "bool_"  # as NumPy's is called


def choice(name: str, value: object, known: Sequence[str]) -> str:
    """The argument as one of the texts that it may be.

    Raises:
        InitcheckError: It is none of them; the nearest one is named.
    """
    if isinstance(value, str) and value in known:
        return str(value)
    texts = ", ".join(map(repr, known))
    if not isinstance(value, str):
        raise InitcheckError(f"{name} is {described(value)}; give one of the texts {texts}")
    parts = sorted(part.strip() for part in value.split(","))  # the same in another order, or with spaces
    near = [one for one in known if sorted(one.split(",")) == parts]
    near = near or difflib.get_close_matches(value, known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise InitcheckError(f"{name} is {described(value)}, none of {texts}{hint}")


def described(value: object) -> str:
    """A value and its type, short enough for one line: ``2.5 (a float)``."""
    if value is None:
        return "None"
    kind = type(value).__name__
    text = ""
    if isinstance(value, str):
        text = str.__repr__(value)  # a class of the user's may have any __repr__
    elif isinstance(value, int | float | complex) and type(value).__module__ in ("builtins", "numpy"):
        text = " ".join(repr(value).split())
    text = _shortened(text)
    kind = with_article(kind)
    return f"{text} ({kind})" if text else kind


def _shortened(value: object) -> str:
    text = str(value)
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"
