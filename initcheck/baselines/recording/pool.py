"""A folder in which several processes gather one baseline: each part is recorded once, by whichever needs it first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from initcheck.baselines.recording.parts import Part
from initcheck.baselines.records.schema import Baseline
from initcheck.baselines.records.store import load_baseline, write_baseline
from initcheck.files import write_whole


@dataclass(frozen=True)
class Pool:
    """The parts recorded so far.

    Attributes:
        folder: An empty folder, or one that such a pool has filled.
    """

    folder: Path

    def get(self, part: Part, record: Callable[[], Baseline]) -> Baseline:
        """The part as it was recorded first; waits where another process is recording it.

        A process that dies while it records leaves nothing behind, and the next one records the part.
        """
        from filelock import FileLock

        place = self._place(str(part))
        with FileLock(place.with_suffix(".lock")):
            if not place.exists():
                write_whole(place, [write_baseline(record())])
        return load_baseline(place)

    def plan(self, parts: Sequence[Part]) -> None:
        """Writes the parts of the whole baseline, in their order."""
        from filelock import FileLock

        with FileLock(self._planned.with_suffix(".lock")):  # every process plans the same
            write_whole(self._planned, [json.dumps([str(part) for part in parts])])

    def collect(self) -> tuple[list[Baseline], list[str]]:
        """The planned parts that are there, in order, and the names of those that are not."""
        names = json.loads(self._planned.read_text(encoding="utf-8")) if self._planned.exists() else []
        there = [name for name in names if self._place(name).exists()]
        return [load_baseline(self._place(name)) for name in there], [name for name in names if name not in there]

    @property
    def _planned(self) -> Path:
        return self.folder / "plan.json"

    def _place(self, part: str) -> Path:
        return self.folder / f"{hashlib.blake2b(part.encode(), digest_size=8).hexdigest()}.json"
