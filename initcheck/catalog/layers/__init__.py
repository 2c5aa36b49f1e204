"""The catalogue of layers: one row each, in the module of its group. A new layer is one more row there."""

from collections.abc import Mapping
from types import MappingProxyType

from initcheck.catalog.layers import (
    activation_layers,
    attention,
    category_layers,
    convolutions,
    dense,
    images,
    noise,
    normalization,
    recurrent,
    shapes,
    unexamined,
    wrappers,
)
from initcheck.catalog.layers.kind import LayerKind, LayerRequest, T, Without

_GROUPS = (
    dense,
    convolutions,
    recurrent,
    wrappers,
    attention,
    normalization,
    activation_layers,
    shapes,
    noise,
    images,
    category_layers,
    unexamined,
)
LAYERS: Mapping[str, LayerKind] = MappingProxyType({row.name: row for group in _GROUPS for row in group.ROWS})


def select(trait: type[T]) -> tuple[T, ...]:
    """All layers' traits of that kind, in order."""
    traits = [one for row in LAYERS.values() for one in row.select(trait)]
    return tuple(sorted(traits, key=lambda one: one.order))


__all__ = ["LAYERS", "LayerKind", "LayerRequest", "Without", "select"]
