"""The two forms in which a store keeps its parts."""

from __future__ import annotations

from enum import Enum

from initcheck.records import Runs, Score
from initcheck.store.parquet_parts import decode_parquet, encode_parquet, require_parquet
from initcheck.store.part_texts import decode_runs, encode_runs


class PartFormat(Enum):
    """A form of parts; its value is the ending of their names."""

    JSON_LINES = "jsonl"
    PARQUET = "parquet"

    def require(self) -> None:
        """Makes sure that it can be written and read here.

        Raises:
            InitcheckError: An extra is missing; the message names it.
        """
        if self is PartFormat.PARQUET:
            require_parquet()

    def encode(self, runs: Runs) -> bytes:
        """The content of a part, from which ``decode`` gives the same bits."""
        return encode_parquet(runs) if self is PartFormat.PARQUET else encode_runs(runs)

    def decode(self, content: bytes, score: Score) -> Runs:
        """The runs of a part that are judged by that score.

        Raises:
            ValueError: It is no such part.
        """
        return decode_parquet(content, score) if self is PartFormat.PARQUET else decode_runs(content, score)
