"""Answers to a question that are texts, such as the parts of a baseline: each whole or absent, as runs are."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from initcheck.files import read_bounded
from initcheck.store.blocks import CellBlock
from initcheck.store.claims import Claims
from initcheck.store.folder import CLAIMS, TEXTS, AnswerFolder
from initcheck.store.stored_parts import digest_of_part

_MOST_TEXT = 100_000_000  # bytes
_FIRST_LOOK, _LONGEST_LOOK = 0.1, 2.0  # seconds between two looks for texts of other processes
_NAME = re.compile(r"([A-Za-z0-9_-]{1,80})\.([0-9a-f]{16})\.txt")

Makers = Mapping[str, Callable[[], str]]


class KeptTexts:
    """The texts of one question, each under a name.

    Args:
        folder: The folder of the question.

    Attributes:
        found: The number of texts that were there before, or came from other processes.
    """

    def __init__(self, folder: AnswerFolder) -> None:
        self._folder = folder
        self.found = 0

    def gather(self, makers: Makers) -> Iterator[tuple[str, str]]:
        """Names with their texts: first those that are there, then the others as they are made, here or elsewhere.

        Each is on the disk before the next one is begun.

        Args:
            makers: For each name, of letters, digits, ``_`` and ``-``, what makes its text.

        Raises:
            StoreError: A text cannot be written.
        """
        left = dict(makers)
        with Claims(self._folder.path / CLAIMS) as claims:
            self._folder.sweep()
            claims.sweep()
            yield from self._there(left)
            wait = _FIRST_LOOK
            while left:
                before = len(left)
                for name, make in list(left.items()):
                    block = CellBlock(name, range(1), range(1))
                    if not claims.take(block):
                        continue
                    if self.read(name) is None:  # nobody has made it since
                        text = make()
                        self._folder.place({self._place(name, text): text.encode()})
                        del left[name]
                        yield name, text
                    claims.release([block])
                yield from self._there(left)
                if left:
                    wait = _FIRST_LOOK if len(left) < before else min(2 * wait, _LONGEST_LOOK)
                    time.sleep(wait)

    def read(self, name: str) -> str | None:
        """The text of that name; None where there is none, or it is damaged: it is set aside then."""
        for path in sorted((self._folder.path / TEXTS).glob(f"{name}.*.txt")):
            if is_whole(path):
                return path.read_text(encoding="utf-8")
            self._folder.set_aside(path)
        return None

    def _there(self, left: dict[str, Callable[[], str]]) -> Iterator[tuple[str, str]]:
        """Those that are there, which it takes out of what is left."""
        for name in list(left):
            if (text := self.read(name)) is not None:
                del left[name]
                self.found += 1
                yield name, text

    def _place(self, name: str, text: str) -> Path:
        return self._folder.path / TEXTS / f"{name}.{digest_of_part(text.encode())}.txt"


def gathered(texts: KeptTexts | None, makers: Makers) -> Iterator[tuple[str, str]]:
    """The same where a store may keep them; without one each is made."""
    return ((name, make()) for name, make in makers.items()) if texts is None else texts.gather(makers)


def name_in(path: Path) -> str | None:
    """The name of the text in that file; None where it is no such file."""
    match = _NAME.fullmatch(path.name)
    return match[1] if match else None


def is_whole(path: Path) -> bool:
    """Whether a file of a text is as it was written.

    Raises:
        InitcheckError: It cannot be read.
    """
    match = _NAME.fullmatch(path.name)
    return match is not None and digest_of_part(read_bounded(path, _MOST_TEXT, "a text of a store")) == match[2]
