"""What a library has to say of itself, so that its draws can be judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Law, Shape

Draw = Callable[[Initializer, Shape, int | None, str], Any]
Build = Callable[[int], Mapping[str, Any]]


@dataclass(frozen=True)
class DefaultWeight:
    """What a library documents of one weight of a layer.

    Attributes:
        law: The documented distribution.
        sentence: The documentation's own words.
        axes: For each axis of a kernel ``(*window, inputs, outputs)``, the axis of the weight as the library keeps it;
            empty where it keeps it so.
        fan_in: How many inputs a unit takes, where the law is by fans and the shape does not tell; 0 where it does.
        gates: How many blocks of equal size the weight consists of, each with the law, along the last axis.
    """

    law: Law
    sentence: str
    axes: tuple[int, ...] = ()
    fan_in: int = 0
    gates: int = 1


@dataclass(frozen=True)
class LibraryLayer:
    """A layer of a library, as it is made without any initializer given.

    Attributes:
        name: Readable, and the subject's name.
        build: Seed → weights by their paths, with several thousand elements in each that is random.
        weights: Path → what is documented of it.
        source: Where.
    """

    name: str
    build: Build
    weights: Mapping[str, DefaultWeight]
    source: str


@dataclass(frozen=True)
class Library:
    """A library of initializers: what it draws, by which laws, and what its seeds promise.

    Attributes:
        name: As people call it.
        packages: The distributions whose versions decide what is drawn.
        rows: Its initializers with their laws, for kernels ``(*window, inputs, outputs)``.
        draw: ``draw(row, shape, seed, dtype)``: an array of that shape, kernels as above; the seed None leaves it to
            the library.
        dtypes: The float types that it draws in; the first is the one that it draws in without being asked.
        complex_dtype: The complex type that it documents laws of; empty where it has none.
        seeds: The least and the greatest seed that it documents.
        unseeded: Whether it draws without a seed.
        layers: Layers with documented default weights.
        like: Name of a row → the row of Keras's catalogue that goes by the same name in papers.
    """

    name: str
    packages: tuple[str, ...]
    rows: tuple[Initializer, ...]
    draw: Draw
    dtypes: tuple[str, ...] = ("float32",)
    complex_dtype: str = ""
    seeds: tuple[int, int] = (0, 2**32 - 1)
    unseeded: bool = False
    layers: tuple[LibraryLayer, ...] = ()
    like: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
