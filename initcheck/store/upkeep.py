"""Looks after stores: what is in one, whether it is whole, what may be removed, and several made one."""

from __future__ import annotations

import collections
import contextlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from initcheck.errors import InitcheckError
from initcheck.files import read_bounded
from initcheck.records import Runs
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
)
from initcheck.store.grid_reading import read_part
from initcheck.store.kept_texts import is_whole, name_in
from initcheck.store.part_texts import joined_in_order, require_same_bits
from initcheck.store.stored_parts import StoredPart
from initcheck.targets import TENSORFLOW, frameworks_of

_MOST_TEXT = 100_000_000  # bytes
_KNOWN = {QUESTION, RUNS, TEXTS, ASKS, CLAIMS, PARTIAL, DAMAGED}
_SMALL = 1024  # runs of a part; smaller ones are joined
_AT_ONCE, _BYTES_AT_ONCE = 65_536, 64_000_000  # runs and bytes that are joined or copied together, about


@dataclass(frozen=True)
class HeldRuns:
    """What a store has of one question.

    Attributes:
        name: The question's folder.
        problem: The problem's name.
        engine: The engine, in words.
        seed: The root seed.
        initcheck: The version that trained it.
        versions: Of the framework; of all packages where it is none of those.
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
        versions = body["environment"]["versions"]
        named = frameworks_of(body["environment"].get("target", TENSORFLOW))
        parts, texts = folder.parts(), folder.texts()
        yield HeldRuns(
            name=folder.path.name,
            problem=str(body["trained"].get("problem")),
            engine=str(body["trained"].get("engine")),
            seed=int(body["seed"]),
            initcheck=str(body["initcheck"]),
            versions={name: versions[name] for name in named if name in versions} or versions,
            runs={key.rpartition("-")[0]: count for key, count in _counts(parts).items()},
            parts=len(parts),
            texts=len(texts),
            bytes=sum(path.stat().st_size for path in (*(part.path for part in parts), *texts)),
        )


def mistakes_in(store: Store) -> Iterator[str]:
    """What is wrong with a store, a line for each: every byte is read."""
    store.form.require()
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
    store.form.require()
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
    targets: dict[str, AnswerFolder] = {}
    for source in sources:
        for folder in source.all_questions():
            into = target.answers(folder.question)
            there = {part.block: part for part in into.parts()}
            for parts in _few_at_once(folder.parts()):
                _copy(parts, there, into)
            texts = {name_in(path): path for path in into.texts()}
            for path in folder.texts():
                _copy_text(path, texts.get(name_in(path)), into)
            for path in _files(folder.path / ASKS):
                if not (into.path / ASKS / path.name).exists():
                    into.place({into.path / ASKS / path.name: path.read_bytes()})
            targets[into.path.name] = into
    return {name: sum(_counts(into.parts()).values()) or len(into.texts()) for name, into in targets.items()}


def _copy(parts: Sequence[StoredPart], there: Mapping[CellBlock, StoredPart], into: AnswerFolder) -> None:
    """Copies parts, in the target's form; what is there of the same runs must be the same.

    Raises:
        InitcheckError: It is not, or a part is damaged.
    """
    contents = {}
    for part in parts:
        known = there.get(part.block)
        if known is not None and known.path.name == part.path.name:
            continue
        try:
            if known is None and part.form is into.form:
                contents[into.path / RUNS / part.path.name] = part.content()
                continue
            runs = part.read(into.question.score)
        except ValueError:
            raise InitcheckError(f"{part.path} is damaged; initcheck store verify says what else is") from None
        if known is None:
            into.write(part.block.initializer, runs)
        else:
            _require_same(part, runs, known, into)
    into.place(contents)


def _require_same(part: StoredPart, runs: Runs, known: StoredPart, into: AnswerFolder) -> None:
    try:
        require_same_bits(read_part(into, known), runs)
    except InitcheckError:
        raise _unlike(part.path, known.path) from None


def _copy_text(path: Path, known: Path | None, into: AnswerFolder) -> None:
    """Copies a text; the target may have it."""
    if known is not None and known.name == path.name:
        return
    if known is not None:
        raise _unlike(path, known)
    if not is_whole(path):
        raise InitcheckError(f"{path} is damaged; initcheck store verify says what else is")
    into.place({into.path / TEXTS / path.name: read_bounded(path, _MOST_TEXT, "a text of a store")})


def _unlike(path: Path, known: Path) -> InitcheckError:
    return InitcheckError(
        f"{path} and {known} have other results of the same runs: this model does not repeat; initcheck doctor says why"
    )


def _overlapping(parts: Iterable[StoredPart]) -> Iterator[tuple[StoredPart, StoredPart]]:
    """Pairs of parts with a run in common."""
    for several in _by_initializer(parts).values():
        starts = {axis: {getattr(part.block, axis).start for part in several} for axis in ("reseeds", "orders")}
        axis = max(starts, key=lambda one: len(starts[one]))  # along which most are apart
        ordered = sorted((getattr(part.block, axis).start, place) for place, part in enumerate(several))
        for number, (_, place) in enumerate(ordered):
            one = several[place]
            for start, later in itertools.islice(ordered, number + 1, None):
                if start >= getattr(one.block, axis).stop:
                    break
                if one.block.overlaps(several[later].block):
                    yield one, several[later]


def _join_small(folder: AnswerFolder) -> int:
    """Joins small parts that follow each other; gives the number of files that are gone for it."""
    gone = 0
    for key, parts in _by_initializer(part for part in folder.parts() if len(part.block) < _SMALL).items():
        parts.sort(key=lambda part: (part.block.orders.start, part.block.reseeds.start))
        for taken in _few_at_once(parts):
            if len(taken) == 1:
                continue
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
    """The cells of blocks of one initializer, each once."""
    ends = sorted({end for block in blocks for end in (block.orders.start, block.orders.stop)})
    places = {end: place for place, end in enumerate(ends)}
    strips: dict[int, list[range]] = collections.defaultdict(list)  # orders between two ends → reseeds
    for block in blocks:
        for place in range(places[block.orders.start], places[block.orders.stop]):
            strips[place].append(block.reseeds)
    count = 0
    for place, several in strips.items():
        reached = 0
        for reseeds in sorted(several, key=lambda one: one.start):
            count += (ends[place + 1] - ends[place]) * max(0, reseeds.stop - max(reached, reseeds.start))
            reached = max(reached, reseeds.stop)
    return count


def _few_at_once(parts: Iterable[StoredPart]) -> Iterator[list[StoredPart]]:
    """The parts, so many at a time that they fit into memory."""
    taken: list[StoredPart] = []
    runs = size = 0
    for part in parts:
        taken.append(part)
        runs, size = runs + len(part.block), size + part.path.stat().st_size
        if runs >= _AT_ONCE or size >= _BYTES_AT_ONCE:
            yield taken
            taken, runs, size = [], 0, 0
    if taken:
        yield taken


def _by_initializer(parts: Iterable[StoredPart]) -> dict[str, list[StoredPart]]:
    several: dict[str, list[StoredPart]] = collections.defaultdict(list)
    for part in parts:
        several[part.block.initializer].append(part)
    return several


def _counts(parts: Iterable[StoredPart]) -> dict[str, int]:
    """Initializer → the number of its runs, each counted once."""
    return {key: _count([part.block for part in several]) for key, several in _by_initializer(parts).items()}


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
