"""Whether a user's own initializer follows its seed, which every answer about reseeding rests on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.catalog.laws import Unstated
from initcheck.endings import is_mistake
from initcheck.errors import InitcheckError
from initcheck.training.draws import make_initializer
from initcheck.training.problem_models import globally_seeded

_SHAPE = (4, 3)
_SEEDS = (7, 7, 8)  # twice the same, and another


def require_seeded(keras: Any, row: Initializer) -> Initializer:
    """The row, after its draws were seen to follow its seed; one that draws the same under every seed as not random.

    Args:
        keras: The framework.
        row: Of the catalogue, which is taken as it is, or a user's own.

    Raises:
        InitcheckError: Two fresh instances with one seed draw differently, or draws have another shape than asked.
    """
    if INITIALIZERS.get(row.name) == row:
        return row
    draws = []
    for number, seed in enumerate(_SEEDS):
        with globally_seeded(keras, number, framework=False):  # what is left to a global seed must not repeat by it
            try:
                draws.append(np.asarray(make_initializer(row, seed)(_SHAPE)))
            except BaseException as error:  # it may not admit this shape; whether the model can be built is seen next
                if not is_mistake(error):
                    raise
                return row
    first, again, other = draws
    if first.shape != _SHAPE:
        raise InitcheckError(
            f"the initializer {row.name!r} gives the shape {first.shape} where {_SHAPE} is asked for; let its __call__ "
            "return the shape that it is given"
        )
    if first.tobytes() != again.tobytes():
        raise InitcheckError(
            f"the initializer {row.name!r} draws differently under one seed, so that no run could be repeated; let its "
            "class take an argument named seed, and use it"
        )
    if row.law.random and first.tobytes() == other.tobytes() and isinstance(row.law, Unstated):
        return replace(row, law=Unstated(random=False))
    return row
