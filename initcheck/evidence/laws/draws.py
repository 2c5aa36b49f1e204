"""Draws of initializers under one session's streams."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Shape
from initcheck.evidence.laws.layer_weights import BuiltLayers
from initcheck.evidence.laws.library_weights import gather
from initcheck.evidence.laws.treated_layers import WeightArguments
from initcheck.evidence.session import Session
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor
from initcheck.frameworks.floatx import floatx
from initcheck.frameworks.instances import attempt_draw, draw_calls, dtypes_of, make_initializer
from initcheck.frameworks.libraries.library import LibraryLayer
from initcheck.frameworks.quiet import quiet

_TENSORS = frozenset({"x", "inputs", "logits"})  # documented as tensors; other arguments of functions as arrays, too


class Draws:
    """Draws of initializers under one laboratory's streams.

    Args:
        session: Through which Keras is reached.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def draw(
        self, row: Initializer, shape: Shape, *, seed: int | None, dtype: str | None = None
    ) -> npt.NDArray[np.generic]:
        """Returns the draw of a fresh initializer of that row.

        Args:
            row: The initializer.
            shape: The shape asked for.
            seed: The seed; ignored by rows without randomness; None leaves it to the framework.
            dtype: The dtype asked for; the framework's own (``floatx``) by default.
        """
        return self.repeated(row, shape, seed=seed, calls=1, dtype=dtype)[0]

    def repeated(
        self, row: Initializer, shape: Shape, *, seed: int | None, calls: int, dtype: str | None = None
    ) -> list[npt.NDArray[np.generic]]:
        """Returns the draw of one instance at each of several calls."""
        # Keras 2 warns when an unseeded instance is called again; that it repeats is the evidence.
        with quiet():
            return draw_calls(row, shape, seed, calls=calls, dtype=dtype)

    def dtypes(self, row: Initializer) -> tuple[str, ...]:
        """The float types that the target draws that row in."""
        return dtypes_of(row)

    def advancing(
        self, row: Initializer, shape: Shape, *, seed: int, calls: int
    ) -> list[npt.NDArray[np.generic]] | None:
        """Returns one instance's draw at each call, seeded by a ``SeedGenerator``; None if Keras lacks it."""
        generator = self._seed_generator()
        if generator is None:
            return None
        instance = make_initializer(row, generator(seed))
        return [as_array(instance(shape)) for _ in range(calls)]

    def states(self, *, seed: int | None = None, calls: int = 1) -> list[npt.NDArray[np.generic]] | None:
        """Returns the states of a new ``SeedGenerator`` at each call of ``next``; None if Keras lacks it."""
        generator = self._seed_generator()
        if generator is None:
            return None
        one = generator(seed)
        return [as_array(one.next()) for _ in range(calls)]

    def _seed_generator(self) -> Any:
        return getattr(getattr(self._session.keras, "random", None), "SeedGenerator", None)

    def under(self, dtype: str, row: Initializer, shape: Shape, *, seed: int | None) -> npt.NDArray[np.generic]:
        """Returns the draw of a fresh initializer without a dtype argument while ``floatx`` is that dtype."""
        with floatx(self._session.keras, dtype):
            return self.draw(row, shape, seed=seed)

    def described(self, name: str, keras_class: str) -> tuple[str, dict[str, Any]]:
        """Returns the class that a string means, by the expected name if it is that class, and its config."""
        initializers = self._session.keras.initializers
        instance = initializers.get(name)
        expected = type(instance) is getattr(initializers, keras_class)
        return keras_class if expected else type(instance).__name__, instance.get_config()

    def function(self, name: str, arguments: Mapping[str, Any], seed: int) -> npt.NDArray[np.generic] | None:
        """Returns the value of a function of ``keras.random`` under a seed; None if Keras lacks it."""
        function = getattr(getattr(self._session.keras, "random", None), name, None)
        given = {**arguments, **{key: as_tensor(arguments[key]) for key in _TENSORS & {*arguments}}}
        return None if function is None else as_array(function(**given, seed=seed))

    def attempt(
        self, row: Initializer, shape: Shape, *, seed: object, dtype: str | None = None
    ) -> npt.NDArray[np.generic] | str:
        """Returns a draw with a seed of any type, or the name of the exception that rejects it or the dtype."""
        return attempt_draw(row, shape, seed, dtype=dtype)

    def refusal(self, row: Initializer, shape: Shape) -> str:
        """Returns the name of the exception that rejects that shape; empty if it is accepted."""
        draw = self.attempt(row, shape, seed=1)
        return draw if isinstance(draw, str) else ""

    def of_library(
        self, layer: LibraryLayer, least: int, seed: Callable[[int], int]
    ) -> dict[str, list[npt.NDArray[np.generic]]]:
        """Returns the default weights of a library's layer, of as many layers as give ``least`` random elements."""
        return gather(layer, least, seed)

    @functools.cached_property
    def arguments(self) -> WeightArguments:
        """Layers with regularizers and constraints."""
        return WeightArguments(self._session)

    @functools.cached_property
    def layers(self) -> BuiltLayers:
        """Weights and noise as layers make them."""
        return BuiltLayers(self._session)
