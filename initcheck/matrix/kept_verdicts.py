"""The verdicts on a target that a store keeps, a text for each check, so that a matrix that was stopped goes on."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pydantic import TypeAdapter

from initcheck.frameworks.environment import target_environment
from initcheck.frameworks.libraries.chosen import library
from initcheck.matrix.target_records import JudgedCell
from initcheck.store.code_digests import code_digest
from initcheck.store.folder import Store
from initcheck.store.kept_texts import KeptTexts, gathered
from initcheck.store.sweep_questions import SweepQuestion, initializer_key
from initcheck.targets import LIBRARIES, target

_CELLS = TypeAdapter(list[JudgedCell])


def kept_verdicts(store: Path, seed: int) -> KeptTexts:
    """What the store has of this process's target, in this environment, under that root seed.

    Raises:
        InitcheckError: It is no store, or cannot be written to.
    """
    judged = {"problem": f"matrix {target()}", "engine": "judge", "library": _described_library()}
    question = SweepQuestion.of(judged, seed=seed, score=None, environment=target_environment())
    return KeptTexts(Store(store).answers(question))


def judged_or_found(
    kept: KeptTexts | None, codes: Iterable[str], judge: Callable[[str], list[JudgedCell]]
) -> Iterator[tuple[str, list[JudgedCell], bool]]:
    """The verdicts of each check, and whether they were there; what initcheck itself failed in is judged again.

    Args:
        kept: What a store has; None without one.
        codes: The checks.
        judge: Code → its verdicts.
    """
    makers = {code: functools.partial(_text_of, judge, code) for code in codes}
    before = 0
    for code, text in gathered(kept, makers):
        cells = _CELLS.validate_json(text)
        found = kept is not None and kept.found > before
        before += found
        if found and any(cell.status is None for cell in cells):
            cells, found = judge(code), False
        yield code, cells, found


def _text_of(judge: Callable[[str], list[JudgedCell]], code: str) -> str:
    return _CELLS.dump_json(judge(code)).decode()


def _described_library() -> list[str] | None:
    """What decides the draws of a library of the user's own: how it is described, and the code of its module."""
    chosen = library()
    if chosen is None or target() in LIBRARIES:
        return None
    facts = (
        chosen.name,
        chosen.dtypes,
        chosen.complex_dtype,
        chosen.seeds,
        chosen.unseeded,
        sorted(chosen.like.items()),
    )
    layers = [(one.name, sorted(one.weights.items())) for one in chosen.layers]
    streams = [one.name for one in chosen.streams]
    code = code_digest(
        sys.modules[target().partition(":")[0]],
        chosen.draw,
        [one.build for one in chosen.layers],
        [one.draw for one in chosen.streams],
    )
    return [repr((facts, layers, streams)), *(f"{initializer_key(row)} {row.source}" for row in chosen.rows), code]
