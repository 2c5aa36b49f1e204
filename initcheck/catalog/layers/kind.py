"""A row of the layers' catalogue: a class of ``keras.layers`` and its traits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from initcheck.catalog.laws import Shape

T = TypeVar("T", bound="Trait")
Arguments = Mapping[str, Any]

LAST = 1_000


@dataclass(frozen=True)
class LayerRequest:
    """A layer, and the inputs to build it with.

    Attributes:
        layer: A class of ``keras.layers``.
        arguments: Its arguments; a ``LayerRequest`` among them is the layer that a wrapper wraps.
        inputs: The shape of each input, batch first.
        listed_inputs: Whether several inputs are passed as one list.
    """

    layer: str
    arguments: Arguments = field(default_factory=dict)
    inputs: tuple[Shape, ...] = ()
    listed_inputs: bool = False


@dataclass(frozen=True, kw_only=True)
class Trait:
    """A property by which checks or engines select a layer.

    Attributes:
        layer: The class of ``keras.layers``; the row fills it in.
        order: Its place among all layers' traits of one kind, by row where equal; new ones come last. The order of
            cells, and of draws under one global seed, must not change when rows are added.
    """

    layer: str = ""
    order: int = LAST

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that it gives a value."""
        return frozenset()


@dataclass(frozen=True)
class Without:
    """The reason why a row lacks traits.

    Attributes:
        reason: In a few words.
        traits: The missing traits; if empty, all that the row does not name elsewhere.
    """

    reason: str
    traits: tuple[type[Trait], ...] = ()


@dataclass(frozen=True, init=False)
class LayerKind:
    """One row of the catalogue.

    Attributes:
        name: The class of ``keras.layers``.
        traits: The properties by which checks and engines select it; several of one kind are several cases.
        without: The reasons why it lacks the others.
    """

    name: str
    traits: tuple[Trait, ...]
    without: tuple[Without, ...]

    def __init__(self, name: str, *parts: Trait | Without) -> None:
        object.__setattr__(self, "name", name)
        traits = tuple(replace(part, layer=name) for part in parts if isinstance(part, Trait))
        object.__setattr__(self, "traits", traits)
        object.__setattr__(self, "without", tuple(part for part in parts if isinstance(part, Without)))

    def select(self, trait: type[T]) -> list[T]:
        """The row's traits of that kind."""
        return [one for one in self.traits if isinstance(one, trait)]

    def reason_without(self, trait: type[Trait]) -> str:
        """Why it lacks that trait; empty where it gives no reason."""
        reasons = [one.reason for one in self.without if trait in one.traits]
        reasons += [one.reason for one in self.without if not one.traits]
        return next(iter(reasons), "")
