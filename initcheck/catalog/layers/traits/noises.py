"""The traits of layers that draw noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

import numpy as np

from initcheck.catalog.laws import Shape
from initcheck.catalog.layers.kind import Arguments, Trait
from initcheck.oracle.recurrent_formulas import RecurrentCell

Values = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class NoiseLaw(Trait):
    """The law of the noise that it draws.

    Attributes:
        name: A readable, unique name.
        arguments: The layer's arguments but for the seed.
        kind: ``dropped``: each element is 0 with the rate, else divided by 1 − rate. ``saturated``: it is −λα with the
            rate, and all elements are then scaled and moved so that mean 0 and variance 1 are kept. ``added``: a normal
            variable is added. ``multiplied``: the element is multiplied by a normal variable around 1.
        strength: The rate, or the standard deviation of the normal variable.
        shape: Of the inputs, chosen for equally many independent random numbers in each case.
        shared_axes: Axes along which all elements are dropped together.
    """

    name: str
    arguments: Arguments
    kind: Literal["dropped", "saturated", "added", "multiplied"]
    strength: float
    shape: Shape = (64, 16, 64)  # rows, positions, channels
    shared_axes: tuple[int, ...] = ()

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that it gives a value."""
        return frozenset({*self.arguments, "seed"})


class Fed(Enum):
    """The inputs of a source of noise."""

    ROWS = "rows"
    ONES = "ones"
    STEPS = "steps"
    IMAGES = "images"


@dataclass(frozen=True, kw_only=True)
class NoiseSource(Trait):
    """A source of randomness seeded by the global seed alone: the layer's outputs in training.

    Attributes:
        arguments: The layer's arguments.
        fed: Its inputs.
        shape: Of inputs of ones.
        inputs: The number of times that it takes them.
        calls: The number of calls that distinguishes two draws.
        traced: Whether it is also called within a ``tf.function``.
        crops: Whether its outputs are smaller than its inputs.
        shared: Whether all images of a batch get one draw; None where some draws change all images in one way.
        slow: Whether a call takes long and tracing longer: the fewest calls under seeds of its own.
    """

    arguments: Arguments = field(default_factory=dict)
    fed: Fed = Fed.ROWS
    shape: Shape = ()
    inputs: int = 1
    calls: int = 1
    traced: bool = False
    crops: bool = False
    shared: bool | None = False
    slow: bool = False

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that it gives a value."""
        return frozenset(self.arguments)


@dataclass(frozen=True, kw_only=True)
class ImageLaw(Trait):
    """The law of a number that it draws for each image, and what it does with that number.

    Attributes:
        name: A readable, unique name.
        arguments: The layer's arguments but for the seed.
        image: That each of many images is; of several, they take turns.
        seen: The number drawn for each image, from all outputs, or labels if there are some; fewer
            numbers where not every image shows it.
        law: Its law's name in ``scipy.stats``.
        parameters: Of that law.
        off: How far outputs, and labels if there are some, are from what the numbers drawn say, over the error that is
            allowed; given outputs and labels.
        labels: Of the images, if it is given labels.
        times: How many images are given for each number that is judged.
        maps: Whether it maps the coordinates of pixels, for each image in another way.
    """

    name: str
    arguments: Arguments
    image: Values
    seen: Callable[[Values], Values]
    law: str
    parameters: tuple[float, ...]
    off: Callable[[Values, Values], Values] | None = None
    labels: Values | None = None
    times: int = 1
    maps: bool = False

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that it gives a value."""
        return frozenset({*self.arguments, "seed"})


@dataclass(frozen=True, kw_only=True)
class SeededNoise(Trait):
    """Draws noise under a seed of its own.

    Attributes:
        arguments: The layer's arguments but for the seed.
    """

    arguments: Arguments

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that it gives a value."""
        return frozenset({*self.arguments, "seed"})


@dataclass(frozen=True, kw_only=True)
class StepwiseNoise(Trait):
    """Its noise is recorded at every step of ``fit``.

    Attributes:
        arguments: The layer's arguments but for the seed.
    """

    arguments: Arguments

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that it gives a value."""
        return frozenset({*self.arguments, "seed"})


@dataclass(frozen=True, kw_only=True)
class SequenceDropout(Trait):
    """A recurrent layer that drops inputs and states where they are transformed linearly, by one mask a sequence.

    Its weights are chosen so that each unit reads one input and one state, by one gate.

    Attributes:
        name: A readable, unique name.
        arguments: The layer's arguments but for seeds; it returns sequences.
        cell: The formula of a step, with its options.
        rates: Of dropout and of recurrent dropout; 0 for none.
        read: The gates by which units read.
        space: The lengths of the axes between steps and channels.
        before: Whether a cell that returns its inputs comes before.
    """

    name: str
    arguments: Arguments
    cell: RecurrentCell
    rates: tuple[float, float]
    read: tuple[int, ...]
    space: Shape = ()
    before: bool = False

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that it gives a value."""
        return frozenset({*self.arguments, "seed"})


@dataclass(frozen=True, kw_only=True)
class ScoreDropout(Trait):
    """An attention layer that drops its scores after their softmax.

    Attributes:
        name: A readable, unique name.
        arguments: The layer's arguments but for the seed.
        rate: Of dropout.
        heads: The number of heads of queries, and of keys and values; 0 for a layer without heads.
        shapes: Of the weights of a layer without heads.
    """

    name: str
    arguments: Arguments
    rate: float
    heads: tuple[int, int] = (0, 0)
    shapes: tuple[Shape, ...] = ()

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that it gives a value."""
        return frozenset({*self.arguments, "seed"})


OF_NOISE: tuple[type[Trait], ...] = (
    NoiseLaw,
    NoiseSource,
    SeededNoise,
    StepwiseNoise,
    SequenceDropout,
    ScoreDropout,
)
