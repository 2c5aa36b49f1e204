"""Whether this machine's matrix products treat every unit of a layer by the same arithmetic."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor, of_columns, product

_TRIES = 20


def treats_units_equally(batch: int, sizes: Sequence[int], dtype: str) -> bool:
    """Whether units with equal weights get equal bits from every product of a training step, and what goes with it.

    Where a width is no multiple of what a processor's kernels take at once, the units left over go through other
    instructions, which round in another order: 32 units in panels of 24 on AVX2, for example, none on AVX-512. On torch
    the same holds of the sum over rows that is the gradient of a bias, and of activations.

    Args:
        batch: Rows of a batch.
        sizes: Inputs, the units of each hidden layer, outputs.
        dtype: Of the weights.
    """
    fans = zip(sizes[:-2], sizes[1:-1], sizes[2:], strict=True)
    return all(_treats_equally(batch, before, units, after, dtype) for before, units, after in fans)


@functools.cache
def _treats_equally(batch: int, before: int, units: int, after: int, dtype: str) -> bool:
    for seed in range(_TRIES):
        stream = np.random.RandomState(seed)
        inputs, gradients = stream.normal(size=(batch, before)), stream.normal(size=(batch, after))
        own = np.repeat(stream.normal(size=(batch, 1)), units, axis=1)  # each unit's output, or its share of the loss
        taken = np.repeat(stream.normal(size=(before, 1)), units, axis=1)
        given = np.repeat(stream.normal(size=(1, after)), units, axis=0)
        x, e, h, w, v = (as_tensor(values.astype(dtype)) for values in (inputs, gradients, own, taken, given))
        products = (
            as_array(product(x, w)),
            as_array(product(x, h, turned="first")),
            as_array(product(e, v, turned="second")),
            as_array(product(h, e, turned="first")).T,
            *map(as_array, of_columns(h)),
        )
        if not all(np.all(one == one[:, :1]) for one in products):
            return False
    return True
