"""Small trainings as plain records: model, rows and training. Recipes are passed on as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from initcheck.catalog import optimizers
from initcheck.catalog.layers.traits.computing import EqualUnits
from initcheck.catalog.optimizers import Rule
from initcheck.oracle.networks import DenseNetwork

Settings = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Layer:
    """One layer: a class of ``keras.layers`` and its arguments.

    Attributes:
        kind: The class's name.
        settings: Its arguments but for initializers and seeds, which the recipe decides.
        random: Its arguments that take an initializer, and the catalogue's row for each.
        seed: Whether it takes a ``seed`` itself, as dropout does.
    """

    kind: str
    settings: Settings = ()
    random: tuple[tuple[str, str], ...] = ()
    seed: bool = False


@dataclass(frozen=True)
class Recipe:
    """A small model and its training through ``fit``.

    Attributes:
        name: Readable; the name of its random streams.
        input_shape: Shape of one row.
        layers: From the input to the output.
        optimizer: A class of ``keras.optimizers``.
        loss: As ``compile`` takes it.
        classes: 0 for real targets, else the number of classes.
        vocabulary: Size of the vocabulary where inputs are indices, else 0.
        seeded: Whether every layer has an int seed of its own; else all are left to the global seed.
        graph: Whether it is trained as ``compile`` does by default; else with ``run_eagerly``.
        rows: Training rows.
        batch_size: Rows per step; the last batch of an epoch is smaller.
        epochs: Passes over the rows.
    """

    name: str
    input_shape: tuple[int, ...]
    layers: tuple[Layer, ...]
    optimizer: str = optimizers.SGD.name
    loss: str = "mse"
    classes: int = 0
    vocabulary: int = 0
    seeded: bool = False
    graph: bool = False
    rows: int = 22
    batch_size: int = 8
    epochs: int = 2

    def to_json(self) -> dict[str, Any]:
        """The recipe as JSON's own types."""
        return asdict(self)

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Recipe:
        """The recipe from the output of ``to_json``."""
        layers = tuple(
            Layer(one["kind"], _settings(one["settings"]), _settings(one["random"]), one["seed"])
            for one in values["layers"]
        )
        return Recipe(**{**values, "layers": layers, "input_shape": tuple(values["input_shape"])})


@dataclass(frozen=True)
class Feed:
    """A way of feeding rows to ``fit``, which shows in which order it takes them.

    Attributes:
        rows: Training rows.
        batch_size: Rows per step.
        epochs: Passes over the rows.
        shuffle: As ``fit`` takes it.
        container: The rows' type: ``numpy``, ``tensor``, ``dict`` for two named inputs, ``dataset`` or ``generator``.
        steps_per_execution: As ``compile`` takes it; 0 for ``run_eagerly``.
        held_out: As ``fit`` takes ``validation_split``.
    """

    rows: int
    batch_size: int
    epochs: int = 3
    shuffle: bool = True
    container: str = "numpy"
    steps_per_execution: int = 0
    held_out: float = 0.0

    @property
    def trained_rows(self) -> int:
        """The number of rows trained on, from the start; by the documentation the held-out ones come from the end."""
        return int(self.rows * (1 - self.held_out))

    @property
    def name(self) -> str:
        """A readable, unique name."""
        how = f"steps{self.steps_per_execution}" if self.steps_per_execution else "eager"
        held = f"-held{self.held_out:g}" if self.held_out else ""
        return f"{self.rows}rows-batch{self.batch_size}-{self.container}-{how}{held}"


@dataclass(frozen=True)
class Net:
    """A stack of dense hidden layers, trained step by step for the symmetry of its units.

    Attributes:
        widths: Units of each hidden layer.
        activation: Of the hidden layers.
        optimizer: The name of a variant in ``catalog.optimizers.SMOOTH``.
        loss: ``binary_crossentropy``, ``categorical_crossentropy`` or a loss of real targets.
        kernel: The initial value of every kernel; None for random ones, of the row ``row``.
        row: The catalogue's row for random kernels.
        bias: The initial value of the hidden biases; None for random ones.
        extra: Layers after each hidden layer, as classes of ``keras.layers`` with one argument each.
        dtype: What it is computed in.
        batch_size: Rows per step, without a common factor with the classes, so that no gradient cancels by chance.
        steps: How many; a zero net needs one more than it has layers before its first layer can move.
        graph: Whether a step is traced, as ``compile`` does by default; else ``run_eagerly``, but on JAX.
    """

    widths: tuple[int, ...]
    activation: str = "sigmoid"
    optimizer: str = optimizers.PLAIN.name
    loss: str = "binary_crossentropy"
    kernel: float | None = 0.0
    row: str = "glorot_uniform"
    bias: float | None = 0.0
    extra: tuple[tuple[str, float], ...] = ()
    dtype: str = "float32"
    batch_size: int = 7
    steps: int = 6
    graph: bool = False

    @property
    def name(self) -> str:
        """A readable, unique name."""
        kernel = self.row if self.kernel is None else f"{self.kernel:g}"
        parts = ["x".join(map(str, self.widths)), self.activation, kernel, self.optimizer, self.loss]
        parts += ["random_bias"] if self.bias is None else [f"bias{self.bias:g}"] if self.bias else []
        parts += [f"{kind}{value:g}" for kind, value in self.extra]
        return "-".join([*parts, self.dtype])


def _settings(values: Any) -> tuple[Any, ...]:
    return tuple((key, tuple(value) if isinstance(value, list) else value) for key, value in values)


@dataclass(frozen=True)
class UnitNet:
    """A layer of equal units and an output unit, trained step by step in float64.

    Attributes:
        units: The layer.
        kernel: The initial value of every kernel.
        activation: Not 0 at 0 where the kernels are 0, so that they move.
        optimizer: The name of a variant in ``catalog.optimizers.SMOOTH`` that is not adaptive.
        batch_size: Rows per step.
        steps: How many.
    """

    units: EqualUnits = field(hash=False)
    kernel: float
    activation: str
    optimizer: str
    batch_size: int = 5
    steps: int = 3  # a net of zeros moves its hidden kernel at the second

    @property
    def name(self) -> str:
        """A readable, unique name."""
        return f"{self.units.layer}-{self.kernel:g}-{self.optimizer}"


@dataclass(frozen=True)
class Task:
    """One tiny training whose every step the oracle computes.

    Attributes:
        name: Readable, and unique among tasks.
        net: The network.
        loss: As in ``oracle.networks.row_losses``.
        rule: The optimizer.
        rows: Training rows; mostly no multiple of ``batch``, so that the last batch is a partial one.
        batch: Rows of a batch.
        epochs: Passes over the rows.
        graph: Whether it runs as a compiled graph, as ``fit`` does by default, or eagerly.
        weighted: Whether all rows carry sample weights, those of validation and of ``evaluate`` too.
        class_weights: The weight of each class, as ``fit`` takes ``class_weight``; empty for none.
        reshaped: Whether targets come in their other documented shape: see ``oracle.tasks.other_shape``.
        by_name: Whether optimizer and loss are given by name, and so have their defaults.
        dataset: Whether the rows come from a ``tf.data.Dataset`` rather than from arrays.
    """

    name: str
    net: DenseNetwork
    loss: str
    rule: Rule
    rows: int = 22
    batch: int = 8
    epochs: int = 2
    graph: bool = False
    weighted: bool = False
    dataset: bool = False
    class_weights: tuple[float, ...] = ()
    reshaped: bool = False
    by_name: bool = False

    @property
    def classifies(self) -> bool:
        """Whether it is a classification, which has an accuracy."""
        return "crossentropy" in self.loss

    @property
    def metric(self) -> str:
        """The metric besides the loss; for several flags a row, "accuracy" would mean the categorical one."""
        if not self.classifies:
            return "mean_absolute_error"
        return "binary_accuracy" if self.loss.startswith("binary") and self.net.widths[-1] > 1 else "accuracy"

    @property
    def weighs(self) -> bool:
        """Whether rows have different weights in the loss."""
        return self.weighted or bool(self.class_weights)

    @property
    def held_out(self) -> int:
        """Validation rows; their last batch is partial where that of the training rows is."""
        return self.rows - (3 if self.rows % self.batch else self.batch)

    @property
    def slices(self) -> list[slice]:
        """The rows of each batch of an epoch."""
        return [slice(start, min(start + self.batch, self.rows)) for start in range(0, self.rows, self.batch)]
