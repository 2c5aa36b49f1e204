"""The traits of what a layer computes, keeps in its configuration, and is trained for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from initcheck.catalog.laws import Shape
from initcheck.catalog.layers.kind import Arguments, Trait

Array = Any  # a float64 array, or an ``oracle.rounding.Rounded``


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
        shown = [key for key in self.options if key not in _REQUIRED]
        return "-".join([self.layer, *shown[:1], self.policy])


UNITS = 6  # that start equal


@dataclass(frozen=True, kw_only=True)
class EqualUnits(Trait):
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
    """Drawn for the small trainings that must repeat; another one in a role changes what is drawn.

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
