"""The inputs of layers that draw noise."""

from __future__ import annotations

from typing import Any

import numpy as np

from initcheck.catalog.layers.traits.noises import Fed, NoiseSource

FED = {
    Fed.ROWS: np.random.RandomState(4).uniform(1, 2, (24, 6)).astype(np.float32),
    Fed.STEPS: np.random.RandomState(5).uniform(-1, 1, (24, 4, 6)).astype(np.float32),
    Fed.IMAGES: np.random.RandomState(3).uniform(0, 255, (24, 9, 8, 3)).astype(np.float32),
}


def inputs_of(source: NoiseSource) -> list[np.ndarray[Any, Any]]:
    """Its inputs, of 24 rows each."""
    return [np.ones(source.shape, np.float32) if source.fed is Fed.ONES else FED[source.fed]] * source.inputs
