"""Draws of initializers under one session's streams."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Shape
from initcheck.evidence.laws.layer_weights import Layers
from initcheck.evidence.session import Session
from initcheck.frameworks.floatx import floatx
from initcheck.frameworks.instances import make_initializer


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
        """What a fresh initializer of that row returns.

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
        """What one instance returns at each of several calls."""
        instance = make_initializer(row, seed)
        # Keras 2 warns when an unseeded instance is called again; that it repeats is the evidence.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [np.asarray(instance(shape, dtype=dtype)) for _ in range(calls)]

    def advancing(
        self, row: Initializer, shape: Shape, *, seed: int, calls: int
    ) -> list[npt.NDArray[np.generic]] | None:
        """What one instance returns at each call when its seed is a ``SeedGenerator``; None where Keras has none."""
        generator = self._seed_generator()
        if generator is None:
            return None
        instance = make_initializer(row, generator(seed))
        return [np.asarray(instance(shape)) for _ in range(calls)]

    def states(self, *, seed: int | None = None, calls: int = 1) -> list[npt.NDArray[np.generic]] | None:
        """What a new ``SeedGenerator`` gives at each call of ``next``; None where Keras has none."""
        generator = self._seed_generator()
        if generator is None:
            return None
        one = generator(seed)
        return [np.asarray(one.next()) for _ in range(calls)]

    def _seed_generator(self) -> Any:
        return getattr(getattr(self._session.keras, "random", None), "SeedGenerator", None)

    def under(self, dtype: str, row: Initializer, shape: Shape, *, seed: int | None) -> npt.NDArray[np.generic]:
        """What a fresh initializer of that row returns for no dtype while the framework's own (``floatx``) is that."""
        with floatx(self._session.keras, dtype):
            return self.draw(row, shape, seed=seed)

    def described(self, name: str, keras_class: str) -> tuple[str, dict[str, Any]]:
        """What a string stands for: the class's name if it is the one expected, else its own; and its configuration."""
        initializers = self._session.keras.initializers
        instance = initializers.get(name)
        expected = type(instance) is getattr(initializers, keras_class)
        return keras_class if expected else type(instance).__name__, instance.get_config()

    def function(self, name: str, arguments: Mapping[str, Any], seed: int) -> npt.NDArray[np.generic] | None:
        """What that function of ``keras.random`` returns under a seed; None where Keras has none."""
        found = getattr(getattr(self._session.keras, "random", None), name, None)
        return None if found is None else np.asarray(found(**arguments, seed=seed))

    def attempt(self, row: Initializer, shape: Shape, *, seed: object) -> npt.NDArray[np.generic] | str:
        """A draw with a seed of any type, or the name of the exception that refuses it."""
        try:
            return np.asarray(make_initializer(row, seed)(shape))
        except Exception as error:  # noqa: BLE001 - how it is refused is the framework's choice
            return type(error).__name__

    def refusal(self, row: Initializer, shape: Shape) -> str:
        """The name of the exception that refuses that shape; empty where it is taken."""
        found = self.attempt(row, shape, seed=1)
        return found if isinstance(found, str) else ""

    @functools.cached_property
    def layers(self) -> Layers:
        """Weights and noise as layers make them."""
        return Layers(self._session)
