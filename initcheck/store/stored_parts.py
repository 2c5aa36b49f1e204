"""A file of finished runs: its name says which, and ends with the digest of its bytes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from initcheck.files import read_bounded
from initcheck.records import Runs, Score
from initcheck.store.blocks import CellBlock
from initcheck.store.part_formats import PartFormat

_MOST_BYTES = 2_000_000_000
_NAME = re.compile(rf"(.+)\.([0-9a-f]{{16}})\.({'|'.join(form.value for form in PartFormat)})")


@dataclass(frozen=True)
class StoredPart:
    """A file of finished runs.

    Attributes:
        path: The file.
        block: The cells in it.
        digest: Of its bytes, as its name says.
        form: Its form.
    """

    path: Path
    block: CellBlock
    digest: str
    form: PartFormat

    @classmethod
    def of(cls, path: Path) -> StoredPart | None:
        """The part of that name; None for anything else."""
        match = _NAME.fullmatch(path.name)
        block = CellBlock.of(match[1]) if match else None
        return cls(path, block, match[2], PartFormat(match[3])) if match and block else None

    def read(self, score: Score) -> Runs:
        """Its runs.

        Raises:
            ValueError: It is damaged.
            InitcheckError: It cannot be read.
        """
        runs = self.form.decode(self.content(), score)
        if len(runs) != len(self.block) or any(
            not set(numbers.tolist()) <= set(known)
            for numbers, known in ((runs.orders, self.block.orders), (runs.reseeds, self.block.reseeds))
        ):
            raise ValueError("its runs are not those that its name says")
        return runs

    def content(self) -> bytes:
        """Its bytes.

        Raises:
            ValueError: It is damaged.
            InitcheckError: It cannot be read.
        """
        content = read_bounded(self.path, _MOST_BYTES, "a part of a store")
        if digest_of_part(content) != self.digest:
            raise ValueError("its bytes are not those that were written")
        return content


def digest_of_part(content: bytes) -> str:
    """The end of a part's name, by which it is seen to be whole."""
    return hashlib.blake2b(content, digest_size=8).hexdigest()
