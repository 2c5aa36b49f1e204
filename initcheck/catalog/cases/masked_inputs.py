"""Random weights and inputs of layers under masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from initcheck.catalog.layers.traits.masking import MaskedCase, Source

Array = np.ndarray[Any, Any]
_ENORMOUS = 1e9


def masked_inputs(case: MaskedCase, seed_of: Callable[[str], int]) -> tuple[list[Array], list[Array], dict[str, Array]]:
    """The weights, the inputs as the layer sees them, and the arrays of its call.

    Args:
        case: The layer.
        seed_of: The seed of the stream of a case's or a source's name.
    """
    stream = np.random.RandomState(seed_of(case.name) % 2**32)
    weights = [stream.normal(scale=0.7, size=shape).astype(np.float32) for shape in case.shapes]
    inputs = [numbers(source, seed_of(source.name)) for source in case.sources]
    return weights, inputs, {name: numbers(source, seed_of(source.name)) for name, source in case.arrays.items()}


def table(source: Source, seed: int) -> Array:
    """The vectors that an Embedding looks up: one for masked steps, one for each other step."""
    stream = np.random.RandomState(seed % 2**32)
    return stream.normal(size=(source.mask.size + 1, int(np.prod(source.vector)))).astype(np.float32)


def fed(source: Source, seed: int) -> Array:
    """What a model is given for the source: indices, 0 for a masked step, where it is looked up."""
    mask = Source.PADDED.mask if source is Source.INDICES else source.mask
    if mask is None:
        return numbers(source, seed)
    return np.where(mask, 1 + np.arange(mask.size).reshape(mask.shape), 0).astype(np.int32)


def numbers(source: Source, seed: int) -> Array:
    """The source's numbers, or booleans, or indices."""
    if source.embedded:
        return table(source, seed)[fed(source, seed)].reshape(source.shape)
    if source is Source.INDICES:
        return fed(source, seed)
    stream = np.random.RandomState(seed % 2**32)
    if source in (Source.QUIET, Source.SEEN):
        return ~_loud() if source is Source.QUIET else Source.PADDED.mask
    if source.boolean:
        mask = stream.random_sample(source.shape) < 0.6
        mask[0, 1], mask[1, :, 2], mask[2] = False, False, source is not Source.ELEMENTS
        return mask
    values = stream.normal(size=source.shape).astype(np.float32)
    if source is Source.CONSTANT:
        values[~Source.PADDED.mask] = -1.5
        values[0, 1, :-1] = values[1, 2, 1:] = -1.5
    if source is Source.LOUD:
        places = np.flatnonzero(_loud())
        values.ravel()[places] = _ENORMOUS * (-1.0) ** places
    return values


def _loud() -> Array:
    """Where numbers are enormous: three of seven in a row, and a whole row."""
    places = np.arange(np.prod(Source.LOUD.shape)).reshape(Source.LOUD.shape)
    loud: Array = (places % 7 < 3) | (places // np.prod(Source.LOUD.shape[1:]) == 2)
    return loud
