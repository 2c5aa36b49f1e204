"""Initial values of many seeded builds of a user's model, bit for bit, without building each of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.engines.initial_weights import trace_draws
from initcheck.engines.own_models import Array, OwnData, OwnModel
from initcheck.engines.replacing import replaced
from initcheck.frameworks.generators import globally_seeded
from initcheck.texts import reason_of

_WORTH_TRACING = 32  # builds that take as long as the traces
_PROBES = (1, 2)  # seeds of the builds that the others are read off, and that every call draws again


@dataclass(frozen=True)
class _Build:
    """One build of the model.

    Attributes:
        asked: The arguments of each call of ``random.randint``, which Keras takes the seeds of unseeded parts from.
        drawn: What each of them returned.
        values: The initial values of ``model.variables``.
        initializers: The initializer of each; None where none is known.
    """

    asked: list[tuple[Any, ...]]
    drawn: list[int]
    values: list[Array]
    initializers: list[Any]


@dataclass(frozen=True)
class _Source:
    """Where a variable's initial value comes from.

    Attributes:
        place: The place, among the ints that a build draws, of its seed; None for a value that no seed moves.
        initializer: The initializer that draws it; None for the state of a seed generator.
    """

    place: int | None
    initializer: Any = None


class SeededMembers:
    """Draws members of one model, each as ``build()`` gives it after ``keras.utils.set_random_seed``.

    A build under a seed shows which of Python's random ints each initializer and each seed generator took. Under
    another seed those ints are drawn alone, and all members' weights by the initializers, traced. What two builds do
    not explain so, and what is traced to other bits, is built one by one.

    Args:
        keras: The framework.
        own: The model.
        data: Its first rows build a model that does not know the shape of its inputs.

    Attributes:
        built: Why members are built one by one, as a clause; empty where they are not.

    Raises:
        InitcheckError: ``build()`` failed.
    """

    def __init__(self, keras: Any, own: OwnModel, data: OwnData | None) -> None:
        self._keras = keras
        self._own = own
        self._data = data
        self._probes = [self._build(seed) for seed in _PROBES]
        self._traces: dict[tuple[str, tuple[int, ...], str], Any] = {}
        self.built = ""
        self._sources = self._explain()

    def draw(self, seeds: Sequence[int]) -> list[list[Array]]:
        """For each seed the initial values of ``model.variables``, in their order."""
        if len(seeds) >= _WORTH_TRACING and not self.built:
            try:
                drawn = self._draw_traced([*seeds, *_PROBES])
            except Exception as error:  # noqa: BLE001 - an initializer that cannot be traced is called by a build
                self.built = f"tracing an initializer raises {reason_of(error)}"
            else:
                pairs = zip(drawn[len(seeds) :], self._probes, strict=True)
                if all(map(_equal, *zip(*((own, probe.values) for own, probe in pairs), strict=True))):
                    return drawn[: len(seeds)]
                self.built = "traced, an initializer draws other bits"
        return [self._build(seed).values for seed in seeds]

    def _build(self, seed: int) -> _Build:
        asked: list[tuple[Any, ...]] = []
        drawn: list[int] = []
        randint = random.randint

        def noting(*given: Any) -> int:
            asked.append(given)
            drawn.append(randint(*given))
            return drawn[-1]

        with globally_seeded(self._keras, seed), replaced(random, randint=noting):
            model, added = self._own.make_model(self._keras, self._data)
        initializers = {id(weight): one.initializer for weight, one in zip(model.weights, added, strict=True)}
        values = [np.array(variable.numpy()) for variable in model.variables]
        return _Build(asked, drawn, values, [initializers.get(id(variable)) for variable in model.variables])

    def _explain(self) -> list[_Source]:
        one, other = self._probes
        if one.asked != other.asked or [value.shape for value in one.values] != [value.shape for value in other.values]:
            self.built = "its builds differ in more than seeds"
            return []
        places = {drawn: place for place, drawn in reversed(list(enumerate(one.drawn)))}
        sources = []
        for first, second, initializer in zip(one.values, other.values, one.initializers, strict=True):
            generator = first.shape == (2,) and first.dtype.kind in "iu"
            seed = int(first[0]) if generator else getattr(initializer, "seed", None)
            place = places.get(seed) if isinstance(seed, int) else None
            if np.array_equal(first, second, equal_nan=first.dtype.kind == "f"):
                sources.append(_Source(None))
            elif place is None:
                self.built = "a weight is not drawn by an initializer alone"
                return []
            else:
                sources.append(_Source(place, None if generator else initializer))
        return sources

    def _draw_traced(self, seeds: Sequence[int]) -> list[list[Array]]:
        asked = self._probes[0].asked
        ints = []
        for seed in seeds:
            with globally_seeded(self._keras, seed, framework=False):
                ints.append([random.randint(*each) for each in asked])
        columns = np.array(ints, dtype=np.int64).reshape(len(seeds), len(asked))
        stacks = [
            self._draw_one(source, columns, first)
            for source, first in zip(self._sources, self._probes[0].values, strict=True)
        ]
        return [list(member) for member in zip(*stacks, strict=True)]

    def _draw_one(self, source: _Source, columns: Array, first: Array) -> Array:
        """One variable of all members, shape ``(members, *shape)``."""
        import tensorflow as tf

        if source.place is None:
            return np.broadcast_to(first, (len(columns), *first.shape))
        seeds = columns[:, source.place]
        if source.initializer is None:  # Keras keeps an int seed and a count of draws
            return np.stack([seeds, np.zeros_like(seeds)], axis=1).astype(first.dtype)
        kind, config = type(source.initializer), source.initializer.get_config()
        key = f"{kind} { {**config, 'seed': None} }", first.shape, first.dtype.name
        if key not in self._traces:
            self._traces[key] = trace_draws(kind.from_config(config), first.shape, first.dtype.name)
        drawn: Array = self._traces[key](tf.constant(seeds[:, None], tf.int32)).numpy()[:, 0]
        return drawn


def _equal(one: Sequence[Array], other: Sequence[Array]) -> bool:
    return all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(one, other, strict=True))
