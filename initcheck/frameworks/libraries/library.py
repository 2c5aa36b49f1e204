"""What a library has to say of itself, so that its draws can be judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Constant, Elementwise, Orthogonal, Shape

Draw = Callable[[Initializer, Shape, int | None, str], Any]
Build = Callable[[int], Mapping[str, Any]]


@dataclass(frozen=True)
class DefaultWeight:
    """What a library documents of one weight of a layer.

    Attributes:
        law: The documented distribution, in numbers: a fan is worked out by the row, from the sentence and the layer's
            sizes, never from the weight's shape. "Fans of the array" and "of a unit" are two laws.
        sentence: The documentation's own words, from which the law follows.
    """

    law: Constant | Elementwise | Orthogonal
    sentence: str


@dataclass(frozen=True)
class LibraryLayer:
    """A layer of a library, as it is made without any initializer given.

    Attributes:
        name: Readable, and the subject's name.
        build: Seed → weights by their paths. A layer that packs several kernels of its formula into one array gives
            them one by one, as its call takes them apart.
        weights: Path → what is documented of it.
        source: The page, or the source, with the sentences.
    """

    name: str
    build: Build
    weights: Mapping[str, DefaultWeight]
    source: str


@dataclass(frozen=True)
class LibraryStreams:
    """Places of a model, or keys made of one, that draw under one seed and have a stream each.

    Attributes:
        name: Readable, and the subject's name.
        draw: Seed → arrays of at least 64 · 64 random elements, by place: ten places or more, in the order in which
            neighbours stand side by side.
        sentence: The documentation's own words, from which it follows that they differ.
        source: Where these are.
    """

    name: str
    draw: Build
    sentence: str
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
        streams: What draws under one seed without sharing values.
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
    streams: tuple[LibraryStreams, ...] = ()
    like: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
