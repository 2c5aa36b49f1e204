"""Texts from elsewhere, made harmless: one function each for a terminal, a page and Markdown.

A title, a column's name, a file's name or a framework's message may hold what steers a terminal, what turns the
direction of reading, or what a page or Markdown takes for its own.
"""

from __future__ import annotations

import re

_NO_LETTER = "\N{REPLACEMENT CHARACTER}"
_MOST_NAME = 40  # characters of a name beside an axis
_MOST_MARKDOWN = 700  # characters of one text in Markdown
# What Markdown or HTML would read; an underscore within a word is none of it.
_SPECIAL = re.compile(r"[&<>|`*~#$!\\\[\]]|(?<![^\W_])_|_(?![^\W_])")
# Where GitHub would see a mention or a link however it is escaped, since it looks at the finished text.
_LINKED = re.compile(r"(?<=@)(?=\w)|(?<=:)(?=//)|(?<=www)(?=\.)|(?<=#)(?=\d)|(?<=\bgh-)(?=\d)", re.IGNORECASE)
_NOTHING = "\N{ZERO WIDTH SPACE}"
_COLORS = re.compile(r"\x1b\[[0-9;]*m")  # which Keras puts into its messages
_OF_AUTOGRAPH = "in user code:"  # TensorFlow lists files and lines first, and the reason last
_MOST_REASON = 200  # characters of somebody else's message


def for_terminal(text: str) -> str:
    """The text on one line, without control characters and marks that turn the direction of reading."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def with_article(noun: str) -> str:
    """``an int``, ``a Dense``."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def reason_of(error: BaseException, most: int = _MOST_REASON) -> str:
    """An exception's type and message on one line, as ``ValueError: no such row``.

    Args:
        error: Of anybody's class, which may not even be able to say its message.
        most: Characters of the message.
    """
    kind = for_terminal(type(error).__name__)
    try:
        text = str(error)
    except BaseException as failure:  # raised by a __str__ of the user's own
        if isinstance(failure, KeyboardInterrupt | MemoryError):
            raise
        text = f"its __str__ raises {for_terminal(type(failure).__name__)}"
    if text.lstrip().startswith(_OF_AUTOGRAPH):
        text = text.strip().splitlines()[-1].strip().removeprefix(f"{kind}: ")
    text = for_terminal(" ".join(_COLORS.sub("", text).split()))
    text = text if len(text) <= most else f"{text[:most]}…"
    return f"{kind}: {text}" if text else kind


def for_html(value: object) -> object:
    """A text without control characters, which HTML and XML forbid; anything else as it is. Escapes no markup."""
    if type(value) is not str:  # markup that is escaped already is a class of its own
        return value
    return "".join(letter if letter.isprintable() or letter == "\n" else _NO_LETTER for letter in value)


def for_drawing(text: str) -> str:
    """The text on one line of a drawing."""
    return str(for_html(" ".join(text.split())))


def for_axis(name: str) -> str:
    """A name that fits beside an axis."""
    name = for_drawing(name)
    return name if len(name) <= _MOST_NAME else name[: _MOST_NAME - 1] + "…"


def for_markdown(text: str, most: int = _MOST_MARKDOWN) -> str:
    """A text as Markdown that shows it as it is, on one line, with at most so many characters.

    It has no mentions and no links.
    """
    kept = _LINKED.sub(_NOTHING, for_drawing(text))
    while len(escaped := _SPECIAL.sub(lambda match: f"&#{ord(match[0])};", kept)) > most:
        kept = kept[: len(kept) * most // len(escaped)]
    return escaped if len(kept) >= len(text) else f"{escaped}…"
