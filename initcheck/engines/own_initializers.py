"""Whether a user's own initializer follows its seed, which every answer about reseeding rests on."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.catalog.laws import Unstated
from initcheck.catalog.problems import Problem
from initcheck.digests import digest
from initcheck.endings import is_mistake
from initcheck.engines.problem_models import build_model
from initcheck.engines.validation.problem import validated_data
from initcheck.errors import InitcheckError
from initcheck.frameworks.generators import globally_seeded
from initcheck.frameworks.instances import LayerInitializers, make_initializer
from initcheck.texts import reason_of

# Twice the same, and others: values of few levels, such as an orthogonal 1 × 1, may be equal by chance.
_SEEDS = (7, 7, *range(8, 20))
_ROWS = 32


@dataclass(frozen=True)
class Asked:
    """The shape and dtype that a layer asks an initializer for.

    Attributes:
        shape: The shape.
        dtype: The dtype; None where none is given.
    """

    shape: tuple[int, ...]
    dtype: str | None = None


_ALWAYS = Asked((4, 3))


def asked_of(keras: Any, problem: Problem) -> list[Asked]:
    """The requests of the problem's model to the initializer under test, each once.

    Raises:
        InitcheckError: A mistake in the problem.
    """
    data = validated_data(problem)
    row = INITIALIZERS["ones"]  # which suits every shape
    layers = _Recorder(row)
    with globally_seeded(keras, 0):
        model = build_model(keras, problem, row, layers, data.input_shape)
        if not model.built:
            model(data.x_train[:_ROWS], training=False)
    return list(dict.fromkeys(layers.asked_for))


class _Recorder(LayerInitializers):
    """Gives initializers that note what they are asked for."""

    def __init__(self, row: Initializer) -> None:
        super().__init__(row, 1)
        self.asked_for: list[Asked] = []

    def __call__(self, layer: str = "", *more: Any, **named: Any) -> Any:
        instance = super().__call__(layer, *more, **named)
        noted, kind = self.asked_for, type(instance)

        def call(self: Any, shape: Any, dtype: Any = None, **others: Any) -> Any:
            name = None if dtype is None else str(getattr(dtype, "name", dtype))
            noted.append(Asked(tuple(int(size) for size in shape), name))
            return kind.__call__(self, shape, dtype=dtype, **others)

        instance.__class__ = type(kind.__name__, (kind,), {"__call__": call})
        return instance


def require_seeded(keras: Any, row: Initializer, asked: Sequence[Asked]) -> Initializer:
    """The row, after its draws were seen to follow its seed; one that draws the same under every seed as not random.

    Args:
        keras: The framework.
        row: Of the catalogue, which is taken as it is, or a user's own.
        asked: The requests of a model, which the initializer must be able to draw.

    Raises:
        InitcheckError: Two fresh instances with one seed draw differently, or a draw fails, has another shape than
            asked, or holds no real numbers.
    """
    if INITIALIZERS.get(row.name) == row:
        return row
    tried = [(_ALWAYS, False), *((one, True) for one in asked)]
    probes = [probe for one, needed in tried if (probe := _probe(keras, row, one, needed=needed))]
    if not all(probe.repeats for probe in probes):
        raise InitcheckError(
            f"the initializer {row.name!r} draws differently under one seed, so that no run could be repeated; let its "
            "class take an argument named seed, and use it"
        )
    if not probes or any(probe.varies for probe in probes) or not (row.law.random and isinstance(row.law, Unstated)):
        return row
    warnings.warn(
        f"the initializer {row.name!r} draws the same under every seed: its reseeds differ in nothing that it draws",
        stacklevel=3,
    )
    return replace(row, law=Unstated(random=False))


@dataclass(frozen=True)
class _Seen:
    """Whether draws are bitwise equal under one seed, and whether they differ under others."""

    repeats: bool
    varies: bool


def _probe(keras: Any, row: Initializer, asked: Asked, *, needed: bool) -> _Seen | None:
    """Draws under the seeds until two differ; None where it cannot draw that and need not."""
    digests: list[str] = []
    for number, seed in enumerate(_SEEDS):
        with globally_seeded(keras, number, framework=False):  # what is left to a global seed must not repeat by it
            try:
                values = _draw(row, seed, asked)
            except BaseException as error:  # the user's own code
                if not is_mistake(error):
                    raise
                if not needed:
                    return None
                raise InitcheckError(
                    f"the initializer {row.name!r} cannot draw the shape {asked.shape} that the problem's model asks "
                    f"for ({reason_of(error)}); fix its __call__ or leave that initializer out"
                ) from error
        _require_real(row, values)
        if values.shape != asked.shape:
            if not needed:
                return None
            raise InitcheckError(
                f"the initializer {row.name!r} gives the shape {values.shape} where {asked.shape} is asked for; let "
                "its __call__ return the shape that it is given"
            )
        digests.append(digest([values]))
        if digests[-1] != digests[0]:
            break
    return _Seen(repeats=digests[0] == digests[1], varies=digests[0] != digests[-1])


def _draw(row: Initializer, seed: int, asked: Asked) -> Any:
    given = {} if asked.dtype is None else {"dtype": asked.dtype}
    return np.asarray(make_initializer(row, seed)(asked.shape, **given))


def _require_real(row: Initializer, values: Any) -> None:
    if values.dtype.kind in "cOSUmM":
        kind = "complex numbers" if values.dtype.kind == "c" else f"values of dtype {values.dtype}"
        raise InitcheckError(f"the initializer {row.name!r} draws {kind}; let its __call__ return real numbers")
