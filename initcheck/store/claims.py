"""Claims on blocks, so that two processes with one store do not train the same: advice, never needed to be right."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from initcheck.store.blocks import CellBlock
from initcheck.store.owners import ProcessOwner

_BEAT = 20.0  # seconds between two signs of life
PATIENCE = 120.0  # seconds without one after which another machine's process counts as ended
_UNSIGNED = 5.0  # the same of a claim without a name: its process was killed as it wrote it
_MANY = 500  # claims, of which a look at all names takes long
_ENDING = ".claim"


class Claims:
    """The claims of this process in one folder; each is a file that is touched now and then.

    A claim of a process that has ended, which is seen on its own machine at once and elsewhere by its file that nobody
    touches, is taken over. Times are compared with earlier looks at the same file, never with a clock.

    Args:
        folder: The folder.
        patience: Seconds without a sign of life after which another machine's process counts as ended.
    """

    def __init__(self, folder: Path, *, patience: float = PATIENCE) -> None:
        self._folder = folder
        self._patience = patience
        self._owner = ProcessOwner.this_process()
        self._held: dict[CellBlock, Path] = {}
        self._names: set[str] = set()
        self._foreign: set[str] = set()
        self._look_again = 0.0
        self._seen: dict[str, tuple[int, float]] = {}
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._heart = threading.Thread(target=self._beat, daemon=True, name="initcheck-claims")

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._heart.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self.release(list(self._held))

    def take(self, block: CellBlock) -> bool:
        """Claims a block; False where another living process has a claim on some of it."""
        path = self._folder / f"{block.name}{_ENDING}"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            if not self._is_abandoned(path) or not self._remove_abandoned(path):
                return False
            return self.take(block)
        except OSError:  # a claim is advice: a folder that takes none gives an error when a part is written
            return True
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(self._owner.as_body()))
        with self._lock:
            self._held[block] = path
            self._names.add(path.name)
        # Whoever comes second sees the other one's; where both see each other, both let go, and try again later.
        for other in self._others(block):
            if not self._is_abandoned(other) or not self._remove_abandoned(other):
                self.release([block])
                return False
        return True

    def release(self, blocks: list[CellBlock]) -> None:
        """Lets go of blocks."""
        with self._lock:
            paths = [self._held.pop(block) for block in blocks if block in self._held]
            self._names -= {path.name for path in paths}
        for path in paths:
            with contextlib.suppress(OSError):
                path.unlink()

    def sweep(self) -> None:
        """Removes the claims of processes that have ended, as far as that can be seen from here."""
        for path in self._folder.glob(f"*{_ENDING}*"):
            owner = _owner_of(path)
            if owner is not None and owner.has_ended:
                self._remove_abandoned(path)

    def holders(self) -> list[str]:
        """The processes that have claims, in words."""
        words = set()
        for path in self._folder.glob(f"*{_ENDING}"):
            if (owner := _owner_of(path)) is not None and owner != self._owner:
                words.add(f"process {owner.pid} on {owner.host.split()[0]}")
        return sorted(words)

    def _others(self, block: CellBlock) -> list[Path]:
        """The claims of other processes on some of the block."""
        start = time.monotonic()
        if start >= self._look_again:
            names = os.listdir(self._folder)  # noqa: PTH208 - names alone
            with self._lock:
                self._foreign = set(names) - self._names
            if len(names) > _MANY:  # looks take a tenth of the time at most
                self._look_again = start + 10 * (time.monotonic() - start)
        others = []
        for name in self._foreign:
            other = CellBlock.of(name.removesuffix(_ENDING)) if name.startswith(f"{block.initializer}.") else None
            if other is not None and other.overlaps(block):
                others.append(self._folder / name)
        return others

    def _is_abandoned(self, path: Path) -> bool:
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            return False  # it was let go of just now: the next look will find none
        owner = _owner_of(path)
        ended = owner.has_ended if owner is not None else None
        if ended is not None:
            return ended
        before, since = self._seen.get(path.name, (None, 0.0))
        if before != changed:
            self._seen[path.name] = changed, time.monotonic()
            return False
        patience = self._patience if owner is not None else min(self._patience, _UNSIGNED)
        return time.monotonic() - since > patience

    def _remove_abandoned(self, path: Path) -> bool:
        """Whether this process, and no other one, removed it."""
        aside = path.with_name(f"{path.name}.{secrets.token_hex(6)}")
        try:
            path.rename(aside)
            aside.unlink()
        except OSError:
            return False
        self._seen.pop(path.name, None)
        return True

    def _beat(self) -> None:
        while not self._ended.wait(_BEAT):
            with self._lock:
                held = list(self._held.values())
            for path in held:
                with contextlib.suppress(OSError):
                    os.utime(path)


def _owner_of(path: Path) -> ProcessOwner | None:
    try:
        return ProcessOwner.of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None  # half-written, or gone
