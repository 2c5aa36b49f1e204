"""Two baselines compared: a class for each cell, the first stage that differs, and its size."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

from initcheck.baselines.comparing.classes import Class, worst
from initcheck.baselines.comparing.differences import Difference
from initcheck.baselines.records.file_records import FileStage
from initcheck.baselines.records.layer_records import LAYER_STAGES, LayerStage
from initcheck.baselines.records.schema import Baseline
from initcheck.baselines.records.step_records import STEP_STAGES, StepStage
from initcheck.baselines.records.training_records import STAGES, Stage


class Side(StrEnum):
    """One of the two baselines."""

    OLD = "old"
    NEW = "new"


class Section(StrEnum):
    """The sections of a comparison, in the order in which they are shown."""

    DRAWS = "draws"
    DEFAULTS = "defaults"
    FANS = "fans"
    LAYERS = "layers"
    STEPS = "steps"
    FILES = "files"
    ORDERS = "orders"
    TRACES = "traces"
    GIVEN = "given"
    FITS = "fits"
    ACCURACIES = "accuracies"
    MODELS = "models"


AnyStage = Stage | LayerStage | StepStage | FileStage
# As one decides the next: draws, a layer alone, a step alone, a training, a saved model.
ALL_STAGES: tuple[AnyStage, ...] = (Stage.DRAWS, *LAYER_STAGES, *STEP_STAGES, *STAGES[1:], *FileStage)
TRAININGS = (Section.TRACES, Section.GIVEN, Section.FITS, Section.MODELS)


class Obstacle(Enum):
    """Why a stage of two trainings cannot be compared, for the sake of an earlier one."""

    INITIAL_WEIGHTS = "it started from other weights"
    BATCH_ORDER = "its rows came in another order"


@dataclass(frozen=True)
class CellKey:
    """The key of a cell.

    Attributes:
        section: Its section.
        subject: The initializer, layer, kind of layer, optimizer, loss, metric, feed or model; empty where the cell is
            about a whole problem.
        problem: The problem; empty where the cell is about none.
        dtype: The dtype of the draws; empty in other sections.
    """

    section: Section
    subject: str = ""
    problem: str = ""
    dtype: str = ""

    @property
    def name(self) -> str:
        """The name within the section."""
        return " ".join(filter(None, (self.problem, self.subject, self.dtype)))

    def __str__(self) -> str:
        return f"{self.section} {self.name}"


@dataclass(frozen=True)
class Deviation:
    """The deviation of two arrays, by their recorded values and moments: a lower bound.

    Attributes:
        absolute: The largest difference; infinite where one side is not a number.
        relative: The same over the largest recorded value.
        ulps: The same in units in the last place of the largest recorded value.
    """

    absolute: float
    relative: float
    ulps: float

    def __str__(self) -> str:
        return f"{self.ulps:.3g} ulps, relative {self.relative:.2g}"


@dataclass(frozen=True)
class Moved:
    """A number that both sides recorded."""

    what: str
    old: float
    new: float

    def __str__(self) -> str:
        return f"{self.what} {self.old:.4g} → {self.new:.4g}"


@dataclass(frozen=True)
class Step:
    """One stage of a training, a layer, a step or a saved model, in both baselines.

    Attributes:
        stage: The stage.
        found: Its class.
        size: The deviation; None where there is none, or where it is unknown.
        allowed: The largest absolute deviation that is within tolerance; None where none is known.
        note: Further facts, for people to read.
        obstacle: Why the stage could not be compared; None where it was.
        by_initializer: Whether weights that are too few for a law were judged by what was asked of their initializers.
    """

    stage: AnyStage
    found: Class
    size: Deviation | None = None
    allowed: float | None = None
    note: str = ""
    obstacle: Obstacle | None = None
    by_initializer: bool = False


@dataclass(frozen=True)
class ComparedCell:
    """One comparison.

    Attributes:
        key: The cell's key.
        found: Its class.
        stage: The first stage that differs; None where none does, or the section has none.
        size: The deviation of that stage.
        note: Further facts with their numbers, for people to read.
        ladder: All stages of a training, a layer, a step or a saved model, in order.
        unclaimed: Whether the same bits were recorded, and the cell is within tolerance only because no claim about
            bits is made between the environments.
        only_in: The side that alone holds it, so that there was nothing to compare; None where both do.
        ends: The outcome of a training whose stages cannot be compared.
    """

    key: CellKey
    found: Class
    stage: AnyStage | None = None
    size: Deviation | None = None
    note: str = ""
    ladder: tuple[Step, ...] = ()
    unclaimed: bool = False
    only_in: Side | None = None
    ends: tuple[Moved, ...] = ()

    @property
    def section(self) -> Section:
        """Its section."""
        return self.key.section

    @property
    def name(self) -> str:
        """Its name within the section."""
        return self.key.name


@dataclass(frozen=True)
class Comparison:
    """Two baselines side by side.

    Attributes:
        old: The old baseline.
        new: The new one.
        allowed: The classes that a cell may have.
        differences: The differences between the environments.
        refused: Those differences for which no claim about bits is made.
        cells: Everything compared, in the baselines' order.
        delta: The difference of accuracies below which they are equivalent.
        alpha: Chance that an unchanged framework that draws other streams has a cell that is called changed.
    """

    old: Baseline
    new: Baseline
    allowed: frozenset[Class]
    differences: tuple[Difference, ...]
    refused: tuple[Difference, ...]
    cells: tuple[ComparedCell, ...]
    delta: float
    alpha: float

    def of(self, section: Section) -> list[ComparedCell]:
        """The cells of one section."""
        return [cell for cell in self.cells if cell.section == section]

    def beyond(self) -> list[ComparedCell]:
        """The cells that are not allowed; where there is none, the comparison passes."""
        return [cell for cell in self.cells if cell.found not in self.allowed]

    @property
    def verdict(self) -> Class:
        """The class of the worst cell."""
        return worst(cell.found for cell in self.cells)

    @property
    def differing(self) -> list[ComparedCell]:
        """The cells that are not identical, as far as recorded."""
        return [cell for cell in self.cells if cell.found is not Class.IDENTICAL and not cell.unclaimed]
