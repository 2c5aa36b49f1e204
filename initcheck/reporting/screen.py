"""Lines and tables for a terminal of any width: the one way in which a text reaches it.

Every text is made harmless on the way. A number, a name or a heading is never cut: where a table is wider than the
terminal, its columns are dealt to several tables, and where those would be many, each row becomes a list. What is no
terminal gets wide lines, in which a script finds what it looks for.
"""

from __future__ import annotations

import functools
import io
import itertools
import math
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from initcheck.texts import for_terminal

PIPE_WIDTH = 200  # scripts read a pipe: never fold a name that they may look for

_MOST_TABLES = 4  # of one; rather than more of them, each row becomes a list
_PROSE = 28  # characters that a column of prose needs to be read
_MOST_PROSE = 50  # characters that it is given for the sake of one long word
_LEAST = 8  # characters of a folded text
_GAP = 3  # characters between two columns
_INDENT = 2
_TOGETHER = re.compile(r"\[[^\]]{,40}\]|\d %|> \d")
_NO_BREAK = "\N{NO-BREAK SPACE}"

Part = str | tuple[str, str]  # a text, or a text and its style


@dataclass(frozen=True)
class Column:
    """A column: its title, and whether it holds prose, which may be folded."""

    title: str
    prose: bool = False


def printed(show: Callable[[Console], None]) -> str:
    """The text printed to a console: as wide as the terminal if there is one, else as for a pipe."""
    text = io.StringIO()
    here = Console()
    width = {"width": here.width, "force_terminal": True, "color_system": None} if here.is_terminal else {}
    show(Console(file=text, **width))  # type: ignore[arg-type] # each of the type that its name takes
    return text.getvalue().rstrip("\n")


def plain(text: Part) -> Text:
    """A text for the terminal, without what would steer it."""
    words, style = text if isinstance(text, tuple) else (text, "")
    return Text(for_terminal(words), style)


class Screen:
    """The console to print to."""

    def __init__(self, console: Console | None = None) -> None:
        console = console or Console()
        self._wide = not console.is_terminal  # a pipe or a file
        self._console = Console(file=console.file, width=PIPE_WIDTH) if self._wide else console
        self._width = self._console.width

    def line(self, *parts: Part) -> None:
        """A paragraph: folded between words on a terminal, one line elsewhere."""
        text = Text.assemble(*map(plain, parts))
        for piece in [text] if self._wide else _fold(text, self._width):
            self._console.print(piece, soft_wrap=self._wide, overflow="ignore" if self._wide else "fold")

    def gap(self) -> None:
        """An empty line."""
        self._console.print()

    def table(
        self,
        title: str,
        columns: Iterable[Column | str],
        rows: Iterable[Sequence[Part]],
        *,
        lines: bool = False,
    ) -> None:
        """A table whose first column names its rows.

        Args:
            title: The line above it.
            columns: Its columns, or their titles.
            rows: A text for each column; one that is empty is left out where rows become lists.
            lines: Whether to draw a line between two rows where the table is in one piece.
        """
        heads = [Column(one) if isinstance(one, str) else one for one in columns]
        cells = [[plain(cell) for cell in row] for row in rows]
        widths = [_width_of(head, [row[place] for row in cells]) for place, head in enumerate(heads)]
        self.line((title, "italic"))
        if self._wide or _framed(widths) <= self._width:
            console = self._console
            if self._wide:  # no number is cut there either
                console = Console(file=console.file, width=max(PIPE_WIDTH, _framed(widths)))
            console.print(_make_table(heads, cells, range(len(heads)), box.HEAVY_HEAD, lines=lines))
            return
        parts = _deal([head.title for head in heads], widths, self._width)
        if parts is None:
            self._print_lists(heads, cells)
        for part in parts or ():
            self._console.print(_make_table(heads, cells, part, box.SIMPLE_HEAD, lines=False))
            self.gap()

    def _print_lists(self, heads: Sequence[Column], rows: Sequence[Sequence[Text]]) -> None:
        titles = [for_terminal(head.title) for head in heads[1:]]
        label = min(max(map(cell_len, titles), default=0), self._width // 2)
        for first, *others in rows:
            first.stylize("bold")
            self._console.print(first, overflow="fold")
            for title, cell in zip(titles, others, strict=True):
                if cell.plain:
                    self._print_pair(Text(title, "dim"), cell, label)
            self.gap()

    def _print_pair(self, title: Text, cell: Text, label: int) -> None:
        values = _fold(cell, self._width - label - 2 * _INDENT)
        for name, value in itertools.zip_longest(_fold(title, label), values, fillvalue=Text()):
            gap = " " * (label - name.cell_len + _INDENT)
            self._console.print(Text.assemble(" " * _INDENT, name, gap, value), overflow="fold")


def _width_of(head: Column, cells: Sequence[Text]) -> int:
    """The width of a column: that of its longest text; of prose, a readable line's, and its longest word's."""
    texts = [for_terminal(head.title), *(cell.plain for cell in cells)]
    longest = max(map(cell_len, texts))
    if not head.prose:
        return longest
    words = max((cell_len(word) for text in texts for word in text.split()), default=0)
    return min(longest, max(_PROSE, min(words, _MOST_PROSE), cell_len(texts[0])))


def _framed(widths: Sequence[int]) -> int:
    """The width of a table in a frame."""
    return sum(widths) + _GAP * len(widths) + 1


def _deal(titles: Sequence[str], widths: Sequence[int], room: int) -> list[list[int]] | None:
    """The columns dealt to the fewest tables that fit; None where those are too many, or a column is too wide.

    The first column is repeated in each. Columns whose titles begin with the same word stay together where they can;
    else the tables are as even as possible.
    """
    own = [width + _GAP for width in widths[1:]]
    topics = [title.partition(" ")[0] for title in titles[1:]]
    left = room - widths[0]

    @functools.cache
    def best(start: int, tables: int) -> tuple[int, float, tuple[int, ...]]:
        """The number of cut topics, the widest table's width, and minus the places where tables start."""
        if tables == 1:
            total = sum(own[start:])
            return 0, (total if total <= left else math.inf), ()
        least: tuple[int, float, tuple[int, ...]] = (len(own), math.inf, ())
        for cut in range(start + 1, len(own) - tables + 2):
            first = sum(own[start:cut])
            if first > left:
                break
            split, rest, cuts = best(cut, tables - 1)
            if rest < math.inf:
                least = min(least, (split + (topics[cut - 1] == topics[cut]), max(first, rest), (-cut, *cuts)))
        return least

    for tables in range(1, min(_MOST_TABLES, len(own)) + 1):
        _, width, cuts = best(0, tables)
        if width < math.inf:
            ends = itertools.pairwise((0, *(-cut for cut in cuts), len(own)))
            return [[0, *(place + 1 for place in range(start, end))] for start, end in ends]
    return None


def _make_table(
    heads: Sequence[Column], rows: Sequence[Sequence[Text]], places: Sequence[int], frame: box.Box, *, lines: bool
) -> Table:
    framed = frame is not box.SIMPLE_HEAD
    table = Table(box=frame, show_lines=lines, show_edge=framed, pad_edge=framed)
    for place in places:
        head = heads[place]
        table.add_column(plain(head.title), no_wrap=not head.prose, overflow="fold")
    for row in rows:
        table.add_row(*(row[place] for place in places))
    return table


def _fold(text: Text, width: int) -> list[Text]:
    """The text in lines of that width, broken between words; an interval stays in one piece, a number with its %."""
    kept = _TOGETHER.sub(lambda match: match[0].replace(" ", _NO_BREAK), text.plain)
    lines, start = [], 0
    for words in textwrap.wrap(kept, max(_LEAST, width), break_on_hyphens=False):
        start = kept.index(words, start)
        lines.append(text[start : start + len(words)])
        start += len(words)
    return lines or [text]
