"""The traits of layers: each is a kind of case that checks are applied to, or what engines need to know."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.catalog.laws import Constant, Mode, Shape
from initcheck.catalog.layers.kind import LayerRequest, Trait

Array = Any  # a float64 array, or an ``oracle.rounding.Rounded``
Arguments = Mapping[str, Any]
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
        listed_inputs: Whether several inputs are handed over as one list.
    """

    arguments: Arguments = field(default_factory=dict)
    inputs: tuple[Shape, ...] = ()
    listed_inputs: bool = False

    @property
    def request(self) -> LayerRequest:
        """How Keras is asked for it."""
        return LayerRequest(self.layer, self.arguments, self.inputs, self.listed_inputs)


# Its weights.


@dataclass(frozen=True)
class Dims:
    """What is drawn for a layer whose kernel's scale is judged.

    Attributes:
        window: Lengths of a convolution's window.
        few: A small number of channels, features or heads.
        more: Another one, different from ``few``.
        size: How many elements the kernel should have at least.
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
        fan_in: How many inputs each unit of the layer sums up.
        fan_out: How many units each input goes to, window by window, counting a recurrent layer's gates as one.
    """

    arguments: Arguments
    inputs: tuple[Shape, ...]
    fan_in: int
    fan_out: int


@dataclass(frozen=True, kw_only=True)
class FannedKernel(Trait):
    """A kernel whose scale follows from the fans of the layer's units.

    Attributes:
        name: Readable and unique.
        make: The layer of those dimensions.
        argument: The initializer argument that decides the kernel.
        weight: The kernel's place among the layer's weights.
        beside: The other initializer arguments that decide a weight as they are given; no LSTM's bias, half forced.
        quirks: The modes in which Keras has counted, or counts, the fans of the kernel's shape and not those of the
            units; each with its order among all quirks.
        by_equation: Whether the layer tells its own copy of the initializer the fans that an equation gives.
    """

    name: str
    make: Callable[[Dims], Fanned]
    argument: str = "kernel_initializer"
    weight: int = 0
    beside: Places = (("bias_initializer", -1),)
    quirks: Mapping[Mode, int] = field(default_factory=dict)
    by_equation: bool = False


@dataclass(frozen=True, kw_only=True)
class LayerDefaults(Built):
    """A layer that is given no initializers.

    Its shape is one for which every convention of counting fans agrees, since the fans are another check's concern: one
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
        """Readable and unique."""
        shown = ",".join(f"{name}={self.arguments[name]}" for name in self.shown)
        return f"{self.layer}({shown})" if shown else self.layer


@dataclass(frozen=True, kw_only=True)
class PlacedWeights(Built):
    """A layer, and those of its initializer arguments that decide a weight.

    Attributes:
        name: Readable and unique.
        places: Argument → the place of its weight.
        forced: Place of a bias whose second quarter, an LSTM's forget gate, is 1 whatever the initializer, if any.
        by_shape: Whether the fans are those of the weight's shape, so that an initializer that is told the shape alone
            knows them; an einsum kernel's are told to the layer's own copy of the initializer since Keras 3.15.
    """

    name: str
    places: Places
    forced: int | None = None
    by_shape: bool = True


@dataclass(frozen=True, kw_only=True)
class GivenOptions(PlacedWeights):
    """With options that the documentation does not let change the first weights, or that it lets decide a bias."""


@dataclass(frozen=True, kw_only=True)
class TypedWeights(PlacedWeights):
    """Stands for its sort where weights have the dtype of a policy: it makes its weights in its own way."""


@dataclass(frozen=True, kw_only=True)
class UnseededKernel(Built):
    """Its weights are a source of randomness that is left to the global seed."""


@dataclass(frozen=True, kw_only=True)
class StackedKernels(Built):
    """Built with others under one global seed, to see that they share no stream.

    Attributes:
        kernels: How many random kernels of 4,096 elements or more it has.
    """

    kernels: int = 1


@dataclass(frozen=True, kw_only=True)
class SavedInitializers(Trait):
    """Rebuilt from its configuration, every initializer argument included.

    Attributes:
        initializers: Argument → ``{"class_name": …, "config": …}``.
        input_shape: The shape that it is built for, with the batch.
        arguments: The other arguments.
        wraps: The layer that a wrapper wraps, which gets the initializers.
        dtype: Of the input.
    """

    initializers: Mapping[str, Arguments]
    input_shape: Shape
    arguments: Arguments = field(default_factory=dict)
    wraps: LayerRequest | None = None
    dtype: str = "float32"


# What it draws.


@dataclass(frozen=True, kw_only=True)
class NoiseLaw(Trait):
    """The law of the noise that it draws.

    Attributes:
        name: Readable and unique.
        arguments: The layer's arguments but for the seed.
        kind: ``dropped``: each element is 0 with the rate, else divided by 1 − rate. ``saturated``: it is −λα with the
            rate, and all elements are then scaled and moved so that mean 0 and variance 1 are kept. ``added``: a normal
            variable is added. ``multiplied``: the element is multiplied by a normal variable around 1.
        strength: The rate, or the standard deviation of the normal variable.
        shape: Of the inputs; as many independent random numbers in each case.
        alike: Axes along which all elements are dropped together.
    """

    name: str
    arguments: Arguments
    kind: Literal["dropped", "saturated", "added", "multiplied"]
    strength: float
    shape: Shape = (64, 16, 64)  # rows, positions, channels
    alike: tuple[int, ...] = ()


class Fed(Enum):
    """What a source of noise is called with."""

    ROWS = "rows"
    ONES = "ones"
    STEPS = "steps"
    IMAGES = "images"


@dataclass(frozen=True, kw_only=True)
class NoiseSource(Trait):
    """A source of randomness that is left to the global seed: what it makes of its inputs in training.

    Attributes:
        arguments: The layer's arguments.
        fed: Its inputs.
        shape: Of ones.
        inputs: How often it takes them.
        calls: How many tell two draws apart.
        traced: Whether it is also called within a ``tf.function``.
    """

    arguments: Arguments = field(default_factory=dict)
    fed: Fed = Fed.ROWS
    shape: Shape = ()
    inputs: int = 1
    calls: int = 1
    traced: bool = False


@dataclass(frozen=True, kw_only=True)
class SeededNoise(Trait):
    """Draws noise under a seed of its own.

    Attributes:
        arguments: The layer's arguments but for the seed.
    """

    arguments: Arguments


@dataclass(frozen=True, kw_only=True)
class StepwiseNoise(Trait):
    """Its noise is recorded at every step of ``fit``.

    Attributes:
        arguments: The layer's arguments but for the seed.
    """

    arguments: Arguments


# What it computes, and what its configuration keeps.


@dataclass(frozen=True, kw_only=True)
class FormulaCase(Trait):
    """The layer at a tiny size, and its formula.

    Attributes:
        name: Readable and unique.
        shapes: Of its weights, in order.
        input_shape: Of its input, batch first.
        formula: The output, from weights and input; ``config`` is handed on to it.
        config: The layer's arguments.
        vocabulary: Above 0 where the input is integers below it.
        positive: The numbers of the weights that must be positive.
        averages: The numbers of the weights that are moving averages, which have no gradient.
        training: As the layer is called with it; None where it is not.
        updated: From weights and input to the weights afterwards; None where none changes.
        dtypes: What it is judged in; float64 needs arguments that float32 stores exactly.
        graded: Whether its gradients are judged.
    """

    name: str
    shapes: tuple[Shape, ...]
    input_shape: Shape
    formula: Callable[..., Array]
    config: Arguments = field(default_factory=dict)
    vocabulary: int = 0
    positive: tuple[int, ...] = ()
    averages: tuple[int, ...] = ()
    training: bool | None = None
    updated: Callable[..., list[Array]] | None = None
    dtypes: tuple[str, ...] = ("float32", "float64")
    graded: bool = True

    @property
    def trained(self) -> list[int]:
        """The numbers of the weights that have a gradient."""
        return [number for number in range(len(self.shapes)) if number not in self.averages]


_REQUIRED = ("units", "filters", "kernel_size", "equation", "output_shape", "input_dim", "output_dim", "rate")


@dataclass(frozen=True, kw_only=True)
class LayerOptions(Trait):
    """Options that are not the layer's defaults.

    Attributes:
        options: As JSON gives them back.
        input_shape: With the batch.
        policy: The dtypes that it is given, as one of ``catalog.cases.options.POLICIES``.
        drawing: Whether it draws when it is called in training.
    """

    options: Arguments
    input_shape: Shape
    policy: str = "float32"
    drawing: bool = False

    def __str__(self) -> str:
        told = [key for key in self.options if key not in _REQUIRED]
        return "-".join([self.layer, *told[:1], self.policy])


# How it is trained.


UNITS = 6  # that start equal


@dataclass(frozen=True, kw_only=True)
class LikeUnits(Trait):
    """``UNITS`` units that start equal.

    Attributes:
        input_shape: Of one row.
        arguments: The layer's arguments but for the activation and the initializers.
        gates: How many weights of each kind a unit has; they are told apart, the units are not.
        recurrent: Whether it has a recurrent kernel, and gives one row.
        pooling: The layer that makes one row of its outputs, where it does not.
    """

    input_shape: Shape
    arguments: Arguments
    gates: int = 1
    recurrent: bool = False
    pooling: str = ""


class Role(Enum):
    """What a layer is drawn for in a small training."""

    AFTER_DENSE = "noise or a normalization after a dense layer"
    AFTER_LOOKUP = "noise after looked-up vectors"
    CONVOLUTION = "a convolution of images"
    RECURRENT = "a recurrent layer"


@dataclass(frozen=True, kw_only=True)
class TrainingRole(Trait):
    """Drawn for the small trainings that must repeat.

    Attributes:
        role: What for.
        settings: Its arguments, without initializers and seeds.
        kernels: Its arguments that take an initializer of random kernels.
        seed: Whether it takes a ``seed`` itself.
    """

    role: Role
    settings: tuple[tuple[str, Any], ...] = ()
    kernels: tuple[str, ...] = ()
    seed: bool = False


# What engines may do with it.


class Holds(Enum):
    """What a training leaves behind in a layer."""

    WEIGHTS = "nothing but weights"
    MORE = "state beside weights, or nobody has looked"
    OTHERS_CODE = "whatever the code does that it is a shell around"


@dataclass(frozen=True, kw_only=True)
class State(Trait):
    """What a training leaves behind in it, which decides whether engines may use a compiled model again.

    Attributes:
        holds: What.
        draws: Whether it draws at every step of training, whatever its options.
        drawing_options: The options that make it draw where they are not 0.
    """

    holds: Holds = Holds.WEIGHTS
    draws: bool = False
    drawing_options: tuple[str, ...] = ()


class Stacking(Enum):
    """How members side by side, on the last axis, go through a layer."""

    WITH_ACTIVATION = "a product if it has weights, then its activation"
    ELEMENTWISE = "element by element"
    FLATTENED = "the features of each member in one row"


@dataclass(frozen=True, kw_only=True)
class Stackable(Trait):
    """Members can be trained side by side.

    Attributes:
        how: What the engine does for it.
    """

    how: Stacking


OF_WEIGHTS = (
    FannedKernel,
    LayerDefaults,
    GivenOptions,
    TypedWeights,
    UnseededKernel,
    StackedKernels,
    SavedInitializers,
)
OF_NOISE = (NoiseLaw, NoiseSource, SeededNoise, StepwiseNoise)
TRAITS: tuple[type[Trait], ...] = (
    *OF_WEIGHTS,
    *OF_NOISE,
    FormulaCase,
    LayerOptions,
    LikeUnits,
    TrainingRole,
    State,
    Stackable,
)
