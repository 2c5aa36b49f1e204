"""Recording whose finished parts a store keeps, so that one that was stopped goes on."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from initcheck.baselines.recording.parts import Part
from initcheck.baselines.records.schema import Baseline
from initcheck.engines.identity import identify, identify_own
from initcheck.engines.own_runs import OwnEngine
from initcheck.engines.problem_models import training_of
from initcheck.frameworks.environment import environment
from initcheck.store.folder import Store
from initcheck.store.kept_texts import KeptTexts
from initcheck.store.sweep_questions import SweepQuestion, slug

_RECORDED = {"problem": "baseline", "engine": "record"}


def kept_parts(
    store: Store,
    parts: Sequence[Part],
    *,
    seed: int,
    record: Callable[[Part], Baseline],
    found: Callable[[Part], None],
) -> list[Baseline]:
    """A baseline of each part, as the store has it, or recorded now.

    Args:
        store: The store.
        parts: The parts.
        seed: The root seed.
        record: Records a part.
        found: Is called with each part that is not recorded here.

    Raises:
        InitcheckError: A part cannot be recorded, or the store not be written to.
    """
    named = {_name_of(part): part for part in parts}
    question = SweepQuestion.of(_RECORDED, seed=seed, score=None, environment=environment())
    kept = KeptTexts(store.answers(question))
    texts: dict[str, str] = {}
    before = 0
    for name, text in kept.gather({name: functools.partial(_text_of, record, part) for name, part in named.items()}):
        texts[name] = text
        if kept.found > before:
            before = kept.found
            found(named[name])
    return [Baseline.model_validate_json(texts[name]) for name in named]


def _text_of(record: Callable[[Part], Baseline], part: Part) -> str:
    return record(part).model_dump_json()


def _name_of(part: Part) -> str:
    """A name that differs where anything does that decides the part, beside seed, environment and initcheck."""
    decides: Any = None
    if part.problem:
        with training_of(part.problem):
            decides = identify(part.problem)
    if part.model:
        decides = identify_own(part.model, OwnEngine(part.model))
    body = json.dumps([str(part), part.reseeds, decides], sort_keys=True, default=str)
    return f"{slug(str(part))}-{hashlib.blake2b(body.encode(), digest_size=8).hexdigest()}"
