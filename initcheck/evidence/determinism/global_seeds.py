"""The first draws of the global generators under each of many global seeds."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from initcheck.evidence.trace import Array
from initcheck.frameworks.backend_calls import global_draws

First = dict[str, list[tuple[Array, Array]]]


def first_draws(keras: Any, seeds: Sequence[int]) -> First:
    """Returns, for each generator and seed, the draw right after ``set_random_seed``, in each of two rounds."""
    rounds = [[_draw(keras, seed) for seed in seeds] for _ in range(2)]
    return {name: [(one[name], two[name]) for one, two in zip(*rounds, strict=True)] for name in rounds[0][0]}


def _draw(keras: Any, seed: int) -> dict[str, Array]:
    keras.utils.set_random_seed(seed)
    own = {name: draw() for name, draw in global_draws().items()}
    return {"python": np.array([random.random() for _ in range(9)]), "numpy": np.random.random(9), **own}
