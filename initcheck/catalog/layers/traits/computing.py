"""The traits of a layer's formula, its options and its role in small trainings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from initcheck.catalog.laws import Shape
from initcheck.catalog.layers.kind import Arguments, Trait

Array = Any  # a float64 array, or an ``oracle.rounding.Rounded``


@dataclass(frozen=True, kw_only=True)
class FormulaCase(Trait):
    """A layer of tiny size, with its formula.

    Attributes:
        name: A readable, unique name.
        shapes: Of its weights, in order.
        input_shape: Of its input, batch first.
        beside: Of its further inputs; then the formula takes a list.
        listed: Whether it is called with a list of its inputs, if several, instead of one after the other.
        initial_states: Whether its further inputs are passed as a list, the states that it begins with.
        outputs: Their number; of several, the formula returns each row's elements one after another.
        call: Further arguments of its call, which the formula takes like ``config``.
        formula: The output, from weights and input, with ``config`` as keyword arguments.
        config: The layer's arguments.
        vocabulary: Above 0 where the input is integers below it.
        positive: The numbers of the weights that must be positive.
        averages: The numbers of the weights that are moving averages, which have no gradient.
        idle: The numbers of the trained weights that the output does not depend on, such as what a softmax cancels.
        training: The argument of that name in the layer's call; None where it takes none.
        freezes: Whether a frozen layer is documented to run as in inference, even in training.
        in_turn: The outputs of a stateful layer's calls in a row and its last states, from weights, inputs and perhaps
            the states that it begins with; None where it is not tested.
        updated: The weights after a call, from weights and input; None where none changes.
        loss: The sum of the losses that a call adds, from weights and input; None where it adds none.
        loud: How large its inputs may be where it computes half precision in float32, and rounds the output; 0 where
            it does not.
        dtypes: Those that it is tested in; float64 needs arguments that float32 stores exactly.
        whole: The types of whole numbers in which the layer is tested, besides: they come out as they are.
        graded: Whether its gradients are tested.
        modelled: Whether it is tested within a model, in a graph and through files, too.
        any_length: Whether it takes other lengths than it was built for, where its formula does.
        needs: Arguments that the layer must know, beside those that it is given.
        image_data_format: The global one while it is made and called; as it is if empty.
    """

    name: str
    shapes: tuple[Shape, ...]
    input_shape: Shape
    formula: Callable[..., Array]
    config: Arguments = field(default_factory=dict)
    beside: tuple[Shape, ...] = ()
    listed: bool = True
    initial_states: bool = False
    outputs: int = 1
    call: Arguments = field(default_factory=dict)
    vocabulary: int = 0
    positive: tuple[int, ...] = ()
    averages: tuple[int, ...] = ()
    idle: tuple[int, ...] = ()
    training: bool | None = None
    freezes: bool = False
    in_turn: Callable[..., tuple[list[Array], list[Array]]] | None = None
    updated: Callable[..., list[Array]] | None = None
    loss: Callable[..., Array] | None = None
    loud: float = 0.0
    dtypes: tuple[str, ...] = ("float32", "float64")
    whole: tuple[str, ...] = ()
    graded: bool = True
    modelled: bool = True
    any_length: bool = True
    needs: tuple[str, ...] = ()
    image_data_format: str = ""

    def output(self, weights: Sequence[Array], inputs: Sequence[Array]) -> Array:
        """The output by the formula."""
        return self.formula(weights, alone(inputs), **self.config, **self.call)

    @property
    def called(self) -> Arguments:
        """The arguments of its call beside its inputs."""
        return {**self.call, **({} if self.training is None else {"training": self.training})}

    @property
    def in_model(self) -> bool:
        """Whether it is a branch of the model of all layers, which runs as in inference."""
        return self.modelled and not self.training

    @property
    def trained(self) -> list[int]:
        """The numbers of the weights that have a gradient."""
        return [number for number in range(len(self.shapes)) if number not in self.averages]

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that it gives a value."""
        return frozenset(self.config)


def alone(inputs: Sequence[Any]) -> Any:
    """The input, or the list of several."""
    return inputs[0] if len(inputs) == 1 else list(inputs)


_REQUIRED = ("units", "filters", "kernel_size", "equation", "output_shape", "input_dim", "output_dim", "rate")


@dataclass(frozen=True, kw_only=True)
class LayerOptions(Trait):
    """Options that are not the layer's defaults.

    Attributes:
        options: In the types of JSON.
        input_shape: Batch first.
        policy: Its dtype policy, one of ``catalog.cases.options.POLICIES``.
        drawing: Whether it draws in training.
    """

    options: Arguments
    input_shape: Shape
    policy: str = "float32"
    drawing: bool = False

    def __str__(self) -> str:
        shown = [key for key in self.options if key not in _REQUIRED]
        return "-".join([self.layer, *shown[:1], self.policy])

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that it gives a value."""
        return frozenset({*self.options, *(["dtype"] if self.policy != "float32" else [])})


@dataclass(frozen=True, kw_only=True)
class Outputs(Trait):
    """Outputs that rows of promises compare with what is documented, where a formula of numbers alone does not do.

    Attributes:
        rows: The names of those rows of ARI32.
        arguments: The layer's arguments that they vary.
    """

    rows: tuple[str, ...]
    arguments: tuple[str, ...] = ()

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that they vary."""
        return frozenset(self.arguments)


UNITS = 6  # that start equal


@dataclass(frozen=True, kw_only=True)
class EqualUnits(Trait):
    """``UNITS`` units with equal initial weights.

    Attributes:
        input_shape: Of one row.
        arguments: The layer's arguments but for the activation and the initializers.
        gates: The number of weights of each kind that a unit has; gates differ, units do not.
        recurrent: Whether it has a recurrent kernel, and returns one row.
        pooling: The layer that pools its outputs into one row, if needed.
    """

    input_shape: Shape
    arguments: Arguments
    gates: int = 1
    recurrent: bool = False
    pooling: str = ""

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that it gives a value."""
        return frozenset(self.arguments)


class Role(Enum):
    """The role of a layer in a small training."""

    AFTER_DENSE = "noise or a normalization after a dense layer"
    AFTER_LOOKUP = "noise after an embedding"
    CONVOLUTION = "a convolution of images"
    RECURRENT = "a recurrent layer"


@dataclass(frozen=True, kw_only=True)
class TrainingRole(Trait):
    """The layer may be drawn for the small trainings; another one in a role changes the draws.

    Attributes:
        role: Its role.
        settings: Its arguments, without initializers and seeds.
        kernels: Its arguments that take an initializer of random kernels.
        seed: Whether it takes a ``seed`` itself.
    """

    role: Role
    settings: tuple[tuple[str, Any], ...] = ()
    kernels: tuple[str, ...] = ()
    seed: bool = False

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that it gives a value."""
        return frozenset({*dict(self.settings), *self.kernels, *(["seed"] if self.seed else [])})
