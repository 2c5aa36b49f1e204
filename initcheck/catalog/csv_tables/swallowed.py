"""Rows that stray quotation marks have made part of one cell."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

_BREAK = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Shape:
    """What a row of the table looks like: its separator, how many cells it has, and which of them is the label."""

    separator: str
    width: int
    target: int


def swallows_rows(cell: str, index: int, shape: Shape, labels: Collection[str]) -> bool:
    """Whether a cell with line breaks holds the end of its own row, perhaps whole rows, and the beginning of another.

    Rows that a stray quotation mark swallows are closed by one in the same column, or their length would not fit. A
    note of several lines has other numbers of separators in its lines, or no label in the right place.

    Args:
        cell: Its text.
        index: Its column.
        shape: What a row looks like.
        labels: The labels of other rows, without white space around them.
    """
    first, *inner, last = (line.split(shape.separator) for line in _BREAK.split(cell))
    inner = [line for line in inner if "".join(line).strip()]
    whole = [line for line in inner if len(line) - shape.width in (0, 1)]
    if len(first) + index - shape.width not in (0, 1) or len(last) != index + 1 or bool(inner) > bool(whole):
        return False
    found = [line[shape.target] for line in whole]
    found.append(first[shape.target - index] if shape.target > index else last[shape.target])
    return any(label.strip() in labels for label in found)
