"""Rows that stray quotation marks have made part of one cell."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

_BREAK = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Shape:
    """The shape of a row: its separator, its number of cells, and the index of its label."""

    separator: str
    width: int
    target: int


def swallows_rows(cell: str, index: int, shape: Shape, labels: Collection[str]) -> bool:
    """Whether a cell with line breaks holds the end of its own row, perhaps full rows, and the beginning of another.

    Rows that a stray quotation mark swallows are closed by one in the same column, or their length would not fit. A
    note of several lines has other numbers of separators in its lines, or no label in the right place.

    Args:
        cell: Its text.
        index: Its column.
        shape: The shape of a row.
        labels: The labels of other rows, without white space around them.
    """
    first, *inner, last = (line.split(shape.separator) for line in _BREAK.split(cell))
    inner = [line for line in inner if "".join(line).strip()]
    complete = [line for line in inner if len(line) - shape.width in (0, 1)]
    if len(first) + index - shape.width not in (0, 1) or len(last) != index + 1 or bool(inner) > bool(complete):
        return False
    candidates = [line[shape.target] for line in complete]
    candidates.append(first[shape.target - index] if shape.target > index else last[shape.target])
    return any(label.strip() in labels for label in candidates)
