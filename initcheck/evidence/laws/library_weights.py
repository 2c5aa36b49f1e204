"""Default weights of a library's layers, of as many layers as it takes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from initcheck.catalog.laws import Elementwise
from initcheck.frameworks.libraries.library import LibraryLayer

Array = np.ndarray[Any, Any]


def gather(layer: LibraryLayer, least: int, seed: Callable[[int], int]) -> dict[str, list[Array]]:
    """The weights of equal layers by path, until every random one has that many elements; no more of one that has.

    Args:
        layer: The layer.
        least: How many elements.
        seed: Number of a layer → its seed.
    """
    gathered: dict[str, list[Array]] = {}
    lacking: set[str] = set()
    for number in itertools.count():
        for path, values in layer.build(seed(number)).items():
            if number == 0 or path in lacking:
                gathered.setdefault(path, []).append(values)
        lacking = {
            path
            for path, row in layer.weights.items()
            if isinstance(row.law, Elementwise) and 0 < sum(one.size for one in gathered.get(path, ())) < least
        }
        if not lacking:
            break
    return gathered
