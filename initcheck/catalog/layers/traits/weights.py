"""The traits of layers with weights: fans, documented initializers, given initializers, saved ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.catalog.laws import Constant, Mode, Shape
from initcheck.catalog.layers.kind import Arguments, LayerRequest, Trait

Places = tuple[tuple[str, int], ...]  # initializer argument → the place of its weight

GLOROT, ORTHOGONAL, UNIFORM, ZEROS, ONES = (
    INITIALIZERS[name] for name in ("glorot_uniform", "orthogonal", "uniform", "zeros", "ones")
)
# A forget gate starts open: "unit_forget_bias: If True, add 1 to the bias of the forget gate" (Jozefowicz et al. 2015).
FORGET_GATE = Initializer(
    "zeros, ones for the forget gate",
    "Zeros",
    Constant(0.0),
    "https://keras.io/api/layers/recurrent_layers/lstm/",
)


@dataclass(frozen=True, kw_only=True)
class Built(Trait):
    """A layer with arguments, built for inputs.

    Attributes:
        arguments: Its arguments; a ``LayerRequest`` among them is the layer that a wrapper wraps.
        inputs: The shape of each input, batch first.
        listed_inputs: Whether several inputs are passed as one list.
    """

    arguments: Arguments = field(default_factory=dict)
    inputs: tuple[Shape, ...] = ()
    listed_inputs: bool = False

    @property
    def request(self) -> LayerRequest:
        """The layer with its arguments and inputs."""
        return LayerRequest(self.layer, self.arguments, self.inputs, self.listed_inputs)

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that it gives a value."""
        return frozenset(self.arguments)


@dataclass(frozen=True)
class Dims:
    """The drawn dimensions of a layer whose kernel's scale is tested.

    Attributes:
        window: Lengths of a convolution's window.
        few: A small number of channels, features or heads.
        more: Another one, different from ``few``.
        size: The least number of elements of the kernel.
    """

    window: tuple[int, int, int]
    few: int
    more: int
    size: int

    def fill(self, *rest: int) -> int:
        """The length of the open axis that brings the kernel to its size."""
        return math.ceil(self.size / math.prod(rest))


@dataclass(frozen=True)
class Fanned:
    """A layer of certain dimensions, with the fans of its units.

    Attributes:
        arguments: The layer's arguments.
        inputs: The shape of each input, batch first.
        fan_in: The number of inputs that each unit of the layer sums up.
        fan_out: The number of units that each input goes to, per window, counting a recurrent layer's gates as one.
    """

    arguments: Arguments
    inputs: tuple[Shape, ...]
    fan_in: int
    fan_out: int


@dataclass(frozen=True, kw_only=True)
class FannedKernel(Trait):
    """A kernel whose scale follows from the fans of the layer's units.

    Attributes:
        name: A readable, unique name.
        make: The layer of those dimensions.
        argument: The initializer argument that decides the kernel.
        weight: The kernel's place among the layer's weights.
        beside: The other initializer arguments that decide a weight as given; not an LSTM's bias, partly forced.
        quirks: The modes in which some version of Keras counts the fans of the kernel's shape instead of those of the
            units; each with its order among all quirks.
        by_equation: Whether the layer gives its own copy of the initializer the fans that follow from an equation.
    """

    name: str
    make: Callable[[Dims], Fanned]
    argument: str = "kernel_initializer"
    weight: int = 0
    beside: Places = (("bias_initializer", -1),)
    quirks: Mapping[Mode, int] = field(default_factory=dict)
    by_equation: bool = False

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that it gives a value."""
        return frozenset({self.argument, *dict(self.beside), *self.make(Dims((2, 2, 2), 2, 3, 6)).arguments})


@dataclass(frozen=True, kw_only=True)
class LayerDefaults(Built):
    """A layer without given initializers.

    All conventions of counting fans agree for its shape, since another check tests the fans: one
    channel where Keras counts a depthwise kernel's channels, as many channels out as in for a transposed convolution,
    inputs by far more than units for gated layers.

    Attributes:
        initializers: The documented default of each of its weights, in the order of ``get_weights``.
        shapes: The documented shape of each of them.
        shown: The arguments that its name shows.
    """

    initializers: tuple[Initializer, ...]
    shapes: tuple[Shape, ...]
    shown: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """A readable, unique name."""
        shown = ",".join(f"{name}={self.arguments[name]}" for name in self.shown)
        return f"{self.layer}({shown})" if shown else self.layer


@dataclass(frozen=True, kw_only=True)
class PlacedWeights(Built):
    """A layer, and those of its initializer arguments that decide a weight.

    Attributes:
        name: A readable, unique name.
        places: Argument → the place of its weight.
        forced: Place of a bias whose second quarter, an LSTM's forget gate, is 1 whatever the initializer, if any.
        by_shape: Whether the fans follow from the weight's shape alone; since Keras 3.15 an einsum kernel's are passed
            to the layer's own copy of the initializer.
    """

    name: str
    places: Places
    forced: int | None = None
    by_shape: bool = True

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that it gives a value."""
        return super().varied | set(dict(self.places))


@dataclass(frozen=True, kw_only=True)
class GivenOptions(PlacedWeights):
    """With options that by the documentation do not change the initial weights, or that decide a bias."""


@dataclass(frozen=True, kw_only=True)
class TypedWeights(PlacedWeights):
    """Represents layers that make their weights in one way, where weights have the dtype of a policy."""


@dataclass(frozen=True, kw_only=True)
class UnseededKernel(Built):
    """Its weights are a source of randomness seeded by the global seed alone."""


@dataclass(frozen=True, kw_only=True)
class StackedKernels(Built):
    """Built with others under one global seed, to test that they share no stream.

    Attributes:
        kernels: The number of its random kernels of 4,096 elements or more.
    """

    kernels: int = 1


@dataclass(frozen=True, kw_only=True)
class SavedInitializers(Trait):
    """Rebuilt from its configuration, every initializer argument included.

    Attributes:
        initializers: Argument → ``{"class_name": …, "config": …}``.
        input_shape: The shape that it is built for, batch first.
        arguments: The other arguments.
        wraps: The layer that a wrapper wraps, which gets the initializers.
        dtype: Of the input.
    """

    initializers: Mapping[str, Arguments]
    input_shape: Shape
    arguments: Arguments = field(default_factory=dict)
    wraps: LayerRequest | None = None
    dtype: str = "float32"

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that it gives a value."""
        return frozenset({*self.arguments, *self.initializers})


@dataclass(frozen=True, kw_only=True)
class InitialMatrix(Trait):
    """Its only weight can be given as a matrix, which few layers offer.

    Attributes:
        argument: That takes it.
        arguments: The others, of which the first two are the matrix's shape.
    """

    argument: str
    arguments: Arguments

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that it gives a value."""
        return frozenset({self.argument, *self.arguments})


OF_WEIGHTS: tuple[type[Trait], ...] = (
    FannedKernel,
    LayerDefaults,
    GivenOptions,
    TypedWeights,
    UnseededKernel,
    StackedKernels,
    SavedInitializers,
)
