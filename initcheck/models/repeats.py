"""Whether a training repeats, and if not: the first stage that differs, and the smallest set that makes it repeat."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from initcheck.engines.own_trainings import OwnTrace
from initcheck.engines.pinned_sources import (
    AT_IMPORT,
    DATA,
    DETERMINISM,
    HASHES,
    LISTING,
    MODULE_STATE,
    NAMES,
    ORDER,
    OTHERS,
    SEEDS,
    ChanceSource,
)
from initcheck.engines.replacing import uses_noted
from initcheck.errors import InitcheckError
from initcheck.models.diagnosis import ModelFinding, listed
from initcheck.models.fresh_training import FreshTrace
from initcheck.texts import for_terminal

Take = Callable[[Collection[ChanceSource]], OwnTrace]
TakeFresh = Callable[[str, Collection[ChanceSource]], FreshTrace]
_MOST_FILES = 5_000
_CONFIRMED = 2  # further trainings that must equal the first
_IMPORTED = "what the module draws when it is imported"
_BEFORE_ARITHMETIC = ("data", "initial weights", "order of rows")
_ROUNDING = 1e-4  # of the first loss: float32 resolves 1e-7, of which a sum over a batch and a model takes a thousand
BEFORE = "the training depends on what ran before it in the process"


@dataclass(frozen=True)
class RepeatedTrainings:
    """Trainings that were to be equal.

    Attributes:
        differs: The first stage that differs and its weights; None where all are equal.
        losses: The last losses of two trainings.
        times: The number of trainings.
    """

    differs: tuple[str, list[str]] | None
    losses: tuple[float, float] | None = None
    times: int = 2


def compare_traces(traces: Sequence[OwnTrace]) -> RepeatedTrainings:
    """The first pair that differs among those trainings, or that none does."""
    first = traces[0]
    for other in traces[1:]:
        if differs := first.first_difference(other):
            losses = (first.losses[-1], other.losses[-1]) if first.losses and other.losses else None
            return RepeatedTrainings(differs, losses, len(traces))
    return RepeatedTrainings(None, times=len(traces))


def repeats(
    take: Take, sources: Collection[ChanceSource], times: int = _CONFIRMED, glimpse: Take | None = None
) -> bool | None:
    """Whether trainings with those sources pinned are equal, bit for bit; None where one cannot be pinned.

    Under op determinism, for one, operations that have no deterministic form raise.

    Args:
        take: Trains with sources pinned.
        sources: What to pin.
        times: Further trainings that must equal the first.
        glimpse: Makes data and initial weights alone with sources pinned: where these differ, nothing is trained.
    """
    try:
        if glimpse and glimpse(sources).first_difference(glimpse(sources)) is not None:
            return False
        first = take(sources)
        return all(first.first_difference(take(sources)) is None for _ in range(times))
    except InitcheckError:
        return None


def smallest_set(
    take: Take,
    base: Collection[ChanceSource],
    candidates: Sequence[ChanceSource],
    times: int = _CONFIRMED,
    glimpse: Take | None = None,
) -> list[ChanceSource] | None:
    """The smallest set found of sources that have to be pinned beside the base; None if all of them do not do.

    Single sources are tried first, in order; then all, less one after another that turns out not to be needed.

    Args:
        take: Trains with sources pinned.
        base: What is pinned in any case.
        candidates: The sources to choose from.
        times: Further trainings that must equal the first.
        glimpse: As of ``repeats``.
    """
    needed: list[ChanceSource] = []
    for source in candidates:
        outcome = repeats(take, [*base, source], times, glimpse)
        if outcome:
            return [source]
        if outcome is not None:
            needed.append(source)
    if not repeats(take, [*base, *needed], times, glimpse):
        return None
    for source in reversed(needed):
        fewer = [one for one in needed if one is not source]
        if repeats(take, [*base, *fewer], times, glimpse):
            needed = fewer
    return needed


def used_sources(
    take: Take, base: Collection[ChanceSource], candidates: Sequence[ChanceSource]
) -> tuple[list[ChanceSource], dict[str, set[str]]]:
    """The candidates less those that a training does not use, and details of what it uses: name → details."""
    for tried in (candidates, [one for one in candidates if one is not DETERMINISM]):
        with uses_noted() as used:
            try:
                take([*base, *tried])
            except InitcheckError:  # an operation has no deterministic form
                continue
        return [one for one in candidates if not one.noted or one.name in used], used
    return [*candidates], {}


def find_in_process(
    take: Take,
    repetition: RepeatedTrainings,
    glimpse: Take | None = None,
    *,
    one_pipeline: bool = False,
    one_model: bool = False,
) -> list[ModelFinding]:
    """Why trainings of one process under one seed differ; empty where they do not.

    Args:
        take: Trains with sources pinned.
        repetition: The trainings that were to be equal.
        glimpse: As of ``repeats``.
        one_pipeline: Whether ``data()`` returns one and the same dataset each time.
        one_model: Whether weights of what ``build()`` returns are those of the time before.
    """
    if repetition.differs is None:
        return []
    stage = repetition.differs[0]
    if one_model and stage == "initial weights":
        how = "in this process, each after keras.utils.set_random_seed"
        return [ModelFinding(BEFORE, _where(repetition), _effect(repetition, how), _ONE_MODEL)]
    later = [one for one in OTHERS if not (one is DATA and stage not in ("data", "order of rows"))]
    later = [one for one in later if not (one is ORDER and stage in ("data", "initial weights"))]
    before = _files_here()
    later, used = used_sources(take, SEEDS, later)
    changed = sorted(str(file) for file, state in _files_here().items() if before.get(file) != state)
    causes = smallest_set(take, SEEDS, later, max(_CONFIRMED, repetition.times - 1), glimpse)
    remedy = _remedy(causes)
    if causes is None and one_pipeline and stage in ("data", "order of rows"):
        remedy = _ONE_PIPELINE
    elif changed and causes in (None, [DATA]):  # which names no cause
        remedy += f" (files that it changes: {for_terminal(listed(changed))})"
    if causes and MODULE_STATE in causes and (kept := sorted(used.get(MODULE_STATE.name, ()))):
        remedy += f" ({listed(kept)})"
    what_ran_before = remedy is _ONE_PIPELINE or (
        causes is not None and {one.name for one in causes} <= {MODULE_STATE.name, NAMES.name}
    )
    return [
        ModelFinding(
            BEFORE if what_ran_before else "the training does not repeat under one seed",
            _where(repetition),
            _effect(repetition, "in this process, each after keras.utils.set_random_seed"),
            remedy,
        )
    ]


def _files_here() -> dict[Path, tuple[int, int]]:
    """The size and time of the files in this folder, of a few thousand at most."""
    found = {}
    for file in itertools.islice(Path().rglob("*"), _MOST_FILES):
        with contextlib.suppress(OSError):
            if file.is_file() and "__pycache__" not in file.parts:
                found[file] = file.stat().st_size, file.stat().st_mtime_ns
    return found


def find_in_listing(first: OwnTrace, backwards: OwnTrace) -> list[ModelFinding]:
    """What differs between two trainings, in the second of which folders are listed backwards."""
    repetition = compare_traces([first, backwards])
    if repetition.differs is None:
        return []
    effect = _effect(repetition, "in this process, in the second of which os.listdir and glob go backwards")
    remedy = f"{LISTING.title}: {LISTING.remedy}"
    return [ModelFinding("the training depends on how a folder is listed", _where(repetition), effect, remedy)]


def find_in_threads(usual: OwnTrace, other: OwnTrace, words: str) -> tuple[list[ModelFinding], list[str]]:
    """What other numbers of threads change: a finding where rounding does not explain it, else a note with its size."""
    repetition = compare_traces([usual, other])
    if repetition.differs is None:
        return [], []
    size = ""
    pairs = [(a, b) for a, b in zip(usual.losses, other.losses, strict=False) if a != b]
    if usual.losses and other.losses:
        first, last = (abs(usual.losses[at] - other.losses[at]) / (abs(usual.losses[at]) or 1.0) for at in (0, -1))
        size = f"the first loss by {first:.1g} of its size, the last by {last:.1g}"
    if repetition.differs[0] not in _BEFORE_ARITHMETIC and (not pairs or first <= _ROUNDING):
        at = _where(repetition).removeprefix("first at: ")
        changed = f"; {size}" if pairs else ""
        return [], [f"With {words} the training differs within rounding error, first at {at}{changed}."]
    switch = f"pin {DETERMINISM.title}: {DETERMINISM.remedy}; or " if DETERMINISM.remedy else ""
    return [
        ModelFinding(
            "the training depends on the number of threads",
            _where(repetition),
            _effect(repetition, f"in fresh processes, one of them with {words}") + (f"; {size}" if pairs else ""),
            f"{switch}give every machine one number of threads",
        )
    ], []


def find_own_seeding(
    take: Take, repetition: RepeatedTrainings, seeded: Sequence[str], glimpse: Take | None = None
) -> list[ModelFinding]:
    """Why trainings differ that the user's own code seeds, where ``set_random_seed`` would make them repeat."""
    if repetition.differs is None:
        return []
    pinned = smallest_set(take, (), SEEDS, glimpse=glimpse)
    names = listed(list(dict.fromkeys(seeded)))
    return [
        ModelFinding(
            "the model's own seeding leaves something out",
            _where(repetition),
            _effect(repetition, f"in this process, seeded by {names} alone, as build() and data() do"),
            _remedy(pinned) + "; or keras.utils.set_random_seed(SEED) before both, which seeds all three",
        )
    ]


def find_in_processes(
    repetition: RepeatedTrainings,
    take_fresh: TakeFresh,
    trained: Sequence[OwnTrace],
) -> list[ModelFinding]:
    """Why trainings of fresh processes differ that repeat within one.

    Args:
        repetition: The trainings of two fresh processes, with the first and the second string hashes.
        take_fresh: ``take_fresh(hashes, sources)`` trains in a fresh process with those string hashes, and those
            sources pinned from the import of the user's module on.
        trained: These two; where they are repeated under the same hashes, and only there, hashes are the cause.
    """
    if repetition.differs is None:
        return []
    causes: list[str] | None = None
    if all(
        one.first_difference(take_fresh(hashes, ()).trace) is None
        for hashes, one in zip(("first", "second"), trained, strict=True)
    ):
        causes = [f"{HASHES.title}: {HASHES.remedy}"]
    else:
        named, when = _named_in_processes(take_fresh)
        if named and when == _IMPORTED:
            remedies = " and ".join(f"{source.title}, {_IMPORTED}: {source.remedy}" for source in named)
            causes = [f"{remedies}; or move it into data() or build()"]
        elif named:
            causes = [_remedy(named)]
    return [
        ModelFinding(
            "the training does not repeat in a fresh process",
            _where(repetition),
            _effect(repetition, "in processes of unlike string hashes, each after keras.utils.set_random_seed"),
            "; ".join(causes) if causes else _UNKNOWN,
        )
    ]


def _named_in_processes(take_fresh: TakeFresh) -> tuple[list[ChanceSource], str]:
    """The source that makes fresh processes differ, and when it is used; all at import where one alone does not do."""
    try:
        one = take_fresh("first", AT_IMPORT)
        if one.trace.first_difference(take_fresh("second", AT_IMPORT).trace) is not None:
            return [], ""
        at_import = [source for source in AT_IMPORT if source.name in one.used]
        later = [source for source in AT_IMPORT if source not in at_import and source.name in one.used_later]
        for source in (*at_import, *later):
            traces = [take_fresh(hashes, [source]).trace for hashes in ("first", "second")]
            if traces[0].first_difference(traces[1]) is None:
                return [source], _IMPORTED if source in at_import else ""
    except InitcheckError:  # the user's code does not run with some of them pinned
        return [], ""
    return at_import, _IMPORTED


_ONE_MODEL = (
    "build() returns a model, or layers, that were made once, with the weights that the training before left: make "
    "them in build()"
)
_ONE_PIPELINE = (
    "data() returns a pipeline that was made once, and goes on where it was, shuffling anew at each pass: make it in "
    "data(), where keras.utils.set_random_seed(SEED) covers it; or shuffle(..., seed=SEED, "
    "reshuffle_each_iteration=False)"
)
_UNKNOWN = (
    "none of the sources that can be pinned is the cause: look for threads of its own, files that it changes, the "
    "network, or a set of functions or of other objects without an order"
)


def _where(repetition: RepeatedTrainings) -> str:
    assert repetition.differs is not None
    stage, parts = repetition.differs
    return f"first at: {stage}" + (f" ({listed(parts)})" if parts else "")


def _effect(repetition: RepeatedTrainings, how: str) -> str:
    losses = ""
    if repetition.losses:
        one, two = repetition.losses
        losses = f"; last loss {one:.6g} and {two:.6g}" if one != two else f"; last loss {one:.6g} in both"
    return f"{repetition.times} trainings {how}, compared bit by bit{losses}"


def _remedy(sources: Sequence[ChanceSource] | None) -> str:
    if sources is None:
        return _UNKNOWN
    return "pin " + " and ".join(f"{source.title}: {source.remedy}" for source in sources)
