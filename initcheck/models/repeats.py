"""Whether a training repeats, and if not: the first stage that differs, and the smallest set that makes it repeat."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from initcheck.engines.own_trainings import OwnTrace
from initcheck.engines.pinned_sources import DATA, FRAMEWORK, HASHES, NUMPY, ORDER, OTHERS, PYTHON, SEEDS, ChanceSource
from initcheck.errors import InitcheckError
from initcheck.models.diagnosis import ModelFinding, listed

Take = Callable[[Collection[ChanceSource]], OwnTrace]
_CONFIRMED = 2  # further trainings that must equal the first
_IMPORTED = "what the module draws when it is imported"


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


def repeats(take: Take, sources: Collection[ChanceSource]) -> bool | None:
    """Whether trainings with those sources pinned are equal, bit for bit; None where one cannot be pinned.

    Under op determinism, for one, operations that have no deterministic form raise.
    """
    try:
        first = take(sources)
        return all(first.first_difference(take(sources)) is None for _ in range(_CONFIRMED))
    except InitcheckError:
        return None


def smallest_set(
    take: Take, base: Collection[ChanceSource], candidates: Sequence[ChanceSource]
) -> list[ChanceSource] | None:
    """The smallest set found of sources that have to be pinned beside the base; None if all of them do not do.

    Single sources are tried first, in order; then all, less one after another that turns out not to be needed.
    """
    needed: list[ChanceSource] = []
    for source in candidates:
        outcome = repeats(take, [*base, source])
        if outcome:
            return [source]
        if outcome is not None:
            needed.append(source)
    if not repeats(take, [*base, *needed]):
        return None
    for source in reversed(needed):
        fewer = [one for one in needed if one is not source]
        if repeats(take, [*base, *fewer]):
            needed = fewer
    return needed


def find_in_process(take: Take, repetition: RepeatedTrainings) -> list[ModelFinding]:
    """Why trainings of one process under one seed differ; empty where they do not."""
    if repetition.differs is None:
        return []
    stage = repetition.differs[0]
    later = [one for one in OTHERS if not (one is DATA and stage not in ("data", "order of rows"))]
    later = [one for one in later if not (one is ORDER and stage in ("data", "initial weights"))]
    return [
        ModelFinding(
            "the training does not repeat under one seed",
            _where(repetition),
            _effect(repetition, "in this process, each after keras.utils.set_random_seed"),
            _remedy(smallest_set(take, SEEDS, later)),
        )
    ]


def find_own_seeding(take: Take, repetition: RepeatedTrainings, seeded: Sequence[str]) -> list[ModelFinding]:
    """Why trainings differ that the user's own code seeds, where ``set_random_seed`` would make them repeat."""
    if repetition.differs is None:
        return []
    pinned = smallest_set(take, (), SEEDS)
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
    take_fresh: Callable[[Collection[ChanceSource], str, bool], OwnTrace],
    trained: Sequence[OwnTrace],
) -> list[ModelFinding]:
    """Why trainings of fresh processes differ that repeat within one.

    Args:
        repetition: The trainings of two fresh processes, with the first and the second string hashes.
        take_fresh: ``take_fresh(sources, hashes, at_import)`` trains in a fresh process with those string hashes; with
            the sources pinned before the user's module is imported, if asked.
        trained: These two; where they are repeated under the same hashes, and only there, hashes are the cause.
    """
    if repetition.differs is None:
        return []
    causes: list[str] | None = None
    if all(
        one.first_difference(take_fresh(SEEDS, hashes, False)) is None
        for hashes, one in zip(("first", "second"), trained, strict=True)
    ):
        causes = [f"{HASHES.title}: {HASHES.remedy}"]
    else:
        for source in (PYTHON, NUMPY, FRAMEWORK, *OTHERS[:4]):
            one, two = (take_fresh([*SEEDS, source], hashes, True) for hashes in ("first", "second"))
            if one.first_difference(two) is None:
                causes = [
                    f"{source.title}, {_IMPORTED}: move it into data() or build(), or seed before the import: "
                    f"{source.remedy}"
                ]
                break
    return [
        ModelFinding(
            "the training does not repeat in a fresh process",
            _where(repetition),
            _effect(repetition, "in processes of unlike string hashes, each after keras.utils.set_random_seed"),
            "; ".join(causes) if causes else _UNKNOWN,
        )
    ]


_UNKNOWN = (
    "none of the sources that can be pinned is the cause: look for datetime.now(), threads of its own, files, the "
    "network, or tf.random.Generator.from_non_deterministic_state"
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
