"""How Keras is asked for a layer: what checks name and training builds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from initcheck.catalog.laws import Shape


@dataclass(frozen=True)
class LayerRequest:
    """A layer, and the inputs that it is called with to be built.

    Attributes:
        layer: A class of ``keras.layers``.
        arguments: Its arguments; a ``LayerRequest`` among them is the layer that a wrapper wraps.
        inputs: The shape of each input, batch first.
        listed_inputs: Whether several inputs are handed over as one list.
    """

    layer: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Shape, ...] = ()
    listed_inputs: bool = False
