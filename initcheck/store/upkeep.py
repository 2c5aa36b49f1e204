"""Looks after stores: what is in one, whether it is whole, what may be removed, and several made one."""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from initcheck.errors import InitcheckError
from initcheck.files import read_bounded
from initcheck.store.blocks import CellBlock
from initcheck.store.claims import Claims
from initcheck.store.folder import (
    ASKS,
    CLAIMS,
    DAMAGED,
    MARK,
    PARTIAL,
    QUESTION,
    RUNS,
    TEXTS,
    AnswerFolder,
    Store,
    StoredPart,
)
from initcheck.store.grid_reading import read_part
from initcheck.store.kept_texts import is_whole, name_in
from initcheck.store.part_texts import digest_of_part, joined_in_order

_MOST_PART = 2_000_000_000
_KNOWN = {QUESTION, RUNS, TEXTS, ASKS, CLAIMS, PARTIAL, DAMAGED}
_SMALL = 1024  # runs of a part; smaller ones are joined
_JOINED = 65_536  # runs of a joined part, about


@dataclass(frozen=True)
class HeldRuns:
    """What a store has of one question.

    Attributes:
        name: The question's folder.
        problem: The problem's name.
        engine: The engine, in words.
        seed: The root seed.
        initcheck: The version that trained it.
        versions: Of the framework.
        runs: For each initializer the number of its runs.
        parts: The number of their files.
        texts: The number of texts, each a file, such as parts of a baseline.
        bytes: The size of all these files.
    """

    name: str
    problem: str
    engine: str
    seed: int
    initcheck: str
    versions: dict[str, str]
    runs: dict[str, int]
    parts: int
    texts: int
    bytes: int


def holdings(store: Store) -> Iterator[HeldRuns]:
    """What a store has, a question after another, by the names of its files alone."""
    for folder in store.all_questions():
        body = folder.question.body
        parts, texts = folder.parts(), folder.texts()
        blocks: dict[str, list[CellBlock]] = collections.defaultdict(list)
        for part in parts:
            blocks[part.block.initializer].append(part.block)
        yield HeldRuns(
            name=folder.path.name,
            problem=str(body["trained"].get("problem")),
            engine=str(body["trained"].get("engine")),
            seed=int(body["seed"]),
            initcheck=str(body["initcheck"]),
            versions={name: str(body["environment"]["versions"].get(name)) for name in ("tensorflow", "keras")},
            runs={key.rpartition("-")[0]: _count(several) for key, several in blocks.items()},
            parts=len(parts),
            texts=len(texts),
            bytes=sum(path.stat().st_size for path in (*(part.path for part in parts), *texts)),
        )


def mistakes_in(store: Store) -> Iterator[str]:
    """What is wrong with a store, a line for each: every byte is read."""
    for path in sorted(store.root.iterdir()):
        if path.name != MARK and not (path / QUESTION).is_file():
            yield f"{path} is none of the store's"
    for folder in store.all_questions():
        runs = folder.path / RUNS
        foreign = [path for path in sorted(folder.path.iterdir()) if path.name not in _KNOWN]
        foreign += [path for path in (sorted(runs.iterdir()) if runs.is_dir() else ()) if StoredPart.of(path) is None]
        foreign += [path for path in folder.texts() if name_in(path) is None]
        for path in foreign:
            yield f"{path} is none of the store's"
        yield from _damaged_in(folder)


def _damaged_in(folder: AnswerFolder) -> Iterator[str]:
    for part in folder.parts():
        try:
            read_part(folder, part)
        except InitcheckError as error:
            yield str(error)
    for path in folder.texts():
        if name_in(path) is not None and not is_whole(path):
            yield f"{path} is damaged; run the same command with this --store, which makes it again"
    for one, other in _overlapping(folder.parts()):
        with contextlib.suppress(ValueError):
            try:
                joined_in_order([part.read(folder.question.score) for part in (one, other)])
            except InitcheckError:
                yield f"{one.path} and {other.path.name} have unlike results of one run; remove one of them"


def clean(store: Store) -> dict[str, int]:
    """Removes what no run needs: half-written and damaged files, abandoned claims, questions without a run.

    Small parts are joined, and parts whose runs others have are removed. What a living process is at work on is left.

    Returns:
        The numbers of files, and of questions, that are gone.
    """
    gone = dict.fromkeys(("half-written", "damaged", "joined", "empty questions"), 0)
    for folder in store.all_questions():
        gone["half-written"] += folder.sweep()
        with Claims(folder.path / CLAIMS) as claims:
            claims.sweep()
            busy = bool(claims.holders())
            if not busy:
                gone["joined"] += _join_small(folder)
        for path in _files(folder.path / DAMAGED):
            path.unlink()
            gone["damaged"] += 1
        if not busy and not folder.parts() and not folder.texts():
            _remove(folder.path)
            gone["empty questions"] += 1
    return gone


def merge(sources: Sequence[Store], target: Store) -> dict[str, int]:
    """Copies the runs and texts of several stores into one; those that it has are left as they are.

    Returns:
        For each question's folder, the number of its runs in the target, or of its texts where it has no runs.

    Raises:
        InitcheckError: A part is damaged, or two stores have unlike results of one run; or the target cannot be
            written.
    """
    merged: dict[str, int] = {}
    for source in sources:
        for folder in source.all_questions():
            into = target.answers(folder.question)
            there = {part.block: part.path for part in into.parts()}
            for part in folder.parts():
                _copy(part.path, part.digest, into, there.get(part.block))
            texts = {name_in(path): path for path in into.texts()}
            for path in folder.texts():
                if (name := name_in(path)) is not None:
                    _copy(path, path.suffixes[0][1:], into, texts.get(name))
            for path in _files(folder.path / ASKS):
                if not (into.path / ASKS / path.name).exists():
                    into.place(into.path / ASKS / path.name, path.read_bytes())
            blocks: dict[str, list[CellBlock]] = collections.defaultdict(list)
            for part in into.parts():
                blocks[part.block.initializer].append(part.block)
            merged[into.path.name] = sum(map(_count, blocks.values())) or len(into.texts())
    return merged


def _copy(path: Path, digest: str, into: AnswerFolder, known: Path | None) -> None:
    """Copies a file of that digest; the target may have one of the same runs, or of that name."""
    if known is not None and known.name == path.name:
        return
    if known is not None:
        raise InitcheckError(
            f"{path} and {known} have other results of the same runs: this model does not repeat; initcheck doctor "
            "says why"
        )
    text = read_bounded(path, _MOST_PART, "a part of a store")
    if digest_of_part(text) != digest:
        raise InitcheckError(f"{path} is damaged; initcheck store verify says what else is")
    into.place(into.path / path.parent.name / path.name, text)


def _overlapping(parts: Iterable[StoredPart]) -> Iterator[tuple[StoredPart, StoredPart]]:
    """Pairs of parts with a run in common."""
    ordered = sorted(parts, key=lambda part: (part.block.initializer, part.block.reseeds.start))
    for place, one in enumerate(ordered):
        for other in ordered[place + 1 :]:
            if other.block.initializer != one.block.initializer or other.block.reseeds.start >= one.block.reseeds.stop:
                break
            if one.block.overlaps(other.block):
                yield one, other


def _join_small(folder: AnswerFolder) -> int:
    """Joins small parts that follow each other; gives the number of files that are gone for it."""
    gone = 0
    of_each: dict[str, list[StoredPart]] = collections.defaultdict(list)
    for part in folder.parts():
        if len(part.block) < _SMALL:
            of_each[part.block.initializer].append(part)
    for key, parts in of_each.items():
        parts.sort(key=lambda part: (part.block.orders.start, part.block.reseeds.start))
        while len(parts) > 1:
            taken, size = [], 0
            while parts and size < _JOINED:
                size += len(parts[0].block)
                taken.append(parts.pop(0))
            read = [(part, runs) for part in taken if (runs := folder.read(part)) is not None]  # else it is set aside
            if not read:
                continue
            names = {part.path.name for part in folder.write(key, joined_in_order([runs for _, runs in read]))}
            for part, _ in read:
                if part.path.name not in names:
                    part.path.unlink()
                    gone += 1
            gone -= len(names - {part.path.name for part, _ in read})
    return gone


def _count(blocks: Sequence[CellBlock]) -> int:
    """The cells of blocks, each once."""
    whole: Any = sum(map(len, blocks))
    if not any(one.overlaps(other) for place, one in enumerate(blocks) for other in blocks[place + 1 : place + 64]):
        return int(whole)
    return len({(order, reseed) for block in blocks for order in block.orders for reseed in block.reseeds})


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def _remove(folder: Path) -> None:
    """Removes a question's folder with what belongs to it, and nothing else."""
    for name in (RUNS, TEXTS, ASKS, CLAIMS, PARTIAL, DAMAGED):
        for path in _files(folder / name):
            path.unlink()
        with contextlib.suppress(OSError):
            (folder / name).rmdir()
    (folder / QUESTION).unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()
