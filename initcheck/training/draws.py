"""Asks Keras for initializers and draws."""

from __future__ import annotations

from typing import Any

from initcheck.catalog.initializers import Initializer
from initcheck.errors import InitcheckError
from initcheck.training.framework import load_keras
from initcheck.training.seeding import layer_seed


def make_initializer(row: Initializer, seed: int) -> Any:
    """Keras's initializer of that row; rows without randomness take no seed."""
    keras_class = type(load_keras().initializers.get(row.keras_name))
    return keras_class(**row.config, **({"seed": seed} if row.law.random else {}))


class LayerInitializers:
    """Gives each layer of one model its own seeded initializer; called with the layer's name.

    Args:
        row: The initializer under test.
        seed: The run's seed.
    """

    def __init__(self, row: Initializer, seed: int) -> None:
        self._row = row
        self._seed = seed
        self._asked: set[str] = set()

    def __call__(self, layer: str) -> Any:
        """The initializer of that layer.

        Raises:
            InitcheckError: The name was asked for before: two layers would share one stream.
        """
        if layer in self._asked:
            raise InitcheckError(f"two layers ask for the initializer {layer!r}; give each a name of its own")
        self._asked.add(layer)
        return make_initializer(self._row, layer_seed(self._seed, layer))
