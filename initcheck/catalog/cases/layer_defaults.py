"""The documented default initializers of the common layers."""

from __future__ import annotations

from collections.abc import Mapping

from initcheck.catalog.layers import select
from initcheck.catalog.layers.traits.weights import LayerDefaults

DEFAULTS: Mapping[str, LayerDefaults] = {layer.name: layer for layer in select(LayerDefaults)}
