"""What a baseline file holds: validated, bounded in size, and read without loading a framework."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from initcheck.records import Environment

FORMAT: Literal["initcheck baseline"] = "initcheck baseline"
SCHEMA: Literal[1] = 1
STAGES = (
    "draws",
    "initial weights",
    "batch order",
    "first loss",
    "first gradient",
    "first update",
    "epoch losses",
    "epoch accuracies",
    "final weights",
    "reloaded weights",
    "predictions",
)
MOST_VALUES = 64  # of one array that are kept as numbers
MOST_RUNS = 100_000
MOST_EPOCHS = 100  # of a training that are kept, at even distances

_Text = Annotated[str, Field(min_length=1, max_length=200)]
_Digest = Annotated[str, Field(pattern="^[0-9a-f]{24}$")]
_Count = Annotated[int, Field(ge=0, le=10**9)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]
# JSON has no word for what is no number; a training that diverged holds such values, a draw does not.
_Number = _Finite | Literal["nan", "inf", "-inf"]
_Item = TypeVar("_Item")


def _few(items: Mapping[str, _Item]) -> Mapping[str, _Item]:
    if len(items) > 1000:
        raise ValueError(f"{len(items)} entries are more than the 1000 that it may have")
    return items


_Named = Annotated[Mapping[_Text, _Item], AfterValidator(_few)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ArrayRecord(_Record):
    """An array, or several one after another, by digest, moments and some values.

    Attributes:
        dtype: Of the elements.
        size: How many there are.
        digest: Names exactly these bits, types and shapes.
        mean: Of the elements, to 12 digits.
        stddev: Of the elements, to 12 digits.
        kurtosis: Their fourth central moment over the squared second; 1, the least there is, where all are equal.
        values: Elements at even distances, at most ``MOST_VALUES``, each as the shortest decimal that gives its bits.
    """

    dtype: Literal["float16", "bfloat16", "float32", "float64"]
    size: _Count
    digest: _Digest
    mean: _Finite
    stddev: Annotated[_Finite, Field(ge=0)]
    kurtosis: Annotated[_Finite, Field(ge=1)]
    values: tuple[_Finite, ...] = Field(max_length=MOST_VALUES)


class StageRecord(_Record):
    """The same of one stage of a training, which may hold what is no number.

    Attributes:
        tolerance: Largest deviation of an element in runs whose initial weights were moved by one unit in the last
            place; None where that cannot be said.
    """

    size: _Count
    digest: _Digest
    mean: _Number
    stddev: _Number
    values: tuple[_Number, ...] = Field(max_length=MOST_VALUES)
    tolerance: Annotated[_Finite, Field(ge=0)] | None = None


class LawRecord(_Record):
    """Many independent draws in units of the documented law, pooled.

    Attributes:
        n: How many there are.
        mean: Their mean, 0 for the law.
        stddev: Their standard deviation, 1 for the law.
        kurtosis: Their fourth central moment over the squared second.
        scale_is_exact: Whether the standard deviation is no estimate but the same for every draw, but for rounding.
        bins: How many fell between the law's quantiles, all bins being equally likely.
    """

    n: _Count
    mean: _Finite
    stddev: Annotated[_Finite, Field(ge=0)]
    kurtosis: Annotated[_Finite, Field(ge=1)]
    scale_is_exact: bool
    bins: tuple[_Count, ...] = Field(min_length=2, max_length=MOST_VALUES)

    @model_validator(mode="after")
    def _agree(self) -> LawRecord:
        if sum(self.bins) != self.n:
            raise ValueError("the bins do not sum up to n")
        return self


class DrawsRecord(_Record):
    """The draws of one initializer in one dtype.

    Attributes:
        draws: Shape and seed, in words → the draw; a name of an exception where the framework refuses it.
        law: Its pooled draws; None of a row without randomness, or of what is refused.
    """

    draws: _Named[ArrayRecord | _Text]
    law: LawRecord | None


class FansRecord(_Record):
    """The fans that a layer's kernel was scaled by, as measured on the kernel; None where its scale is no fan's.

    Attributes:
        fan_in: Under ``mode="fan_in"``.
        fan_out: Under ``mode="fan_out"``.
    """

    fan_in: Annotated[_Finite, Field(gt=0)] | None
    fan_out: Annotated[_Finite, Field(gt=0)] | None


class OrderRecord(_Record):
    """The orders in which ``fit`` took some rows.

    Attributes:
        rows: How many rows there are.
        batch_size: Rows per step.
        epochs: A digest of each epoch's order.
        first: The first row numbers of the first epoch.
        every_row_once: Whether each epoch took each row exactly once.
        shuffled: Whether no epoch took the rows as they lie, forwards or backwards.
    """

    rows: _Count
    batch_size: _Count
    epochs: tuple[_Digest, ...] = Field(min_length=1, max_length=1000)
    first: tuple[Annotated[int, Field(ge=-1, le=10**9)], ...] = Field(max_length=MOST_VALUES)
    every_row_once: bool
    shuffled: bool

    @property
    def repeats(self) -> bool:
        """Whether all epochs, two at least, took one order."""
        return len(self.epochs) > 1 and len(set(self.epochs)) == 1


class TraceRecord(_Record):
    """One seeded training, stage by stage.

    The stage ``batch order`` is not here: ``fit``'s own order is the problem's, and is held apart, so that the stages
    after it can be compared where it has changed: most trainings are in the frozen order.

    Attributes:
        seed: The integer that decided every draw.
        stages: Those of ``STAGES`` that it has, in their order.
        steps: Optimizer steps of the whole training.
    """

    seed: Annotated[int, Field(ge=0, lt=2**31)]
    steps: Annotated[int, Field(ge=1, le=10**9)]
    stages: Mapping[str, StageRecord]

    @model_validator(mode="after")
    def _known(self) -> TraceRecord:
        known = [stage for stage in STAGES if stage in self.stages]
        if list(self.stages) != known or "batch order" in known or "initial weights" not in known:
            raise ValueError("its stages are not those of a training, in their order")
        return self


class BandRecord(_Record):
    """How a metric is spread over the reseeds, epoch by epoch; what is no number counts as infinite.

    The values are order statistics to five digits: they are looked at, and never judged.

    Attributes:
        low: What a tenth of the runs does not exceed.
        median: What half of them does not.
        high: What nine tenths do not.
    """

    low: tuple[_Number, ...] = Field(max_length=MOST_EPOCHS)
    median: tuple[_Number, ...] = Field(max_length=MOST_EPOCHS)
    high: tuple[_Number, ...] = Field(max_length=MOST_EPOCHS)


class CurvesRecord(_Record):
    """Training, as ``fit`` reports it, over the reseeds.

    Attributes:
        epochs: The numbers of the epochs that are kept, from 1.
        loss: The training loss.
        accuracy: The held-out accuracy.
    """

    epochs: tuple[Annotated[int, Field(ge=1, le=10**9)], ...] = Field(min_length=1, max_length=MOST_EPOCHS)
    loss: BandRecord
    accuracy: BandRecord

    @model_validator(mode="after")
    def _agree(self) -> CurvesRecord:
        lengths = {len(line) for band in (self.loss, self.accuracy) for line in (band.low, band.median, band.high)}
        if lengths != {len(self.epochs)}:
            raise ValueError("its bands do not have a value for each epoch")
        if any(later <= earlier for earlier, later in itertools.pairwise(self.epochs)):
            raise ValueError("its epochs are not in order")
        return self


class AccuraciesRecord(_Record):
    """How many held-out rows each reseed's final weights classify rightly, and how they got there.

    Attributes:
        engine: What trained them.
        correct: One count for each reseed, in order; one alone where nothing is random.
        curves: Of the same runs.
    """

    engine: Literal["ensemble", "reference"]
    correct: tuple[_Count, ...] = Field(min_length=1, max_length=MOST_RUNS)
    curves: CurvesRecord


class ProblemRecord(_Record):
    """One problem's evidence.

    Attributes:
        held_out_rows: How many rows ``correct`` counts among.
        order: In which order ``fit`` takes the problem's rows.
        traces: Initializer → one training.
        fits: Initializer → the same training as a user would write it: ``fit(shuffle=True)``, in its own order. The
            tolerances are those of the training in the frozen order.
        accuracies: Initializer → accuracies over reseeds.
    """

    held_out_rows: Annotated[int, Field(ge=1, le=10**9)]
    order: OrderRecord
    traces: _Named[TraceRecord]
    fits: _Named[TraceRecord]
    accuracies: _Named[AccuraciesRecord]

    @model_validator(mode="after")
    def _fit(self) -> ProblemRecord:
        for name, record in self.accuracies.items():
            if max(record.correct) > self.held_out_rows:
                raise ValueError(f"{name} has more rows right than there are")
        if len({record.curves.epochs for record in self.accuracies.values()}) > 1:
            raise ValueError("its initializers were trained over different epochs")
        return self


class EnvironmentRecord(_Record):
    """``initcheck.records.Environment`` as JSON."""

    versions: _Named[_Text]
    python: _Text
    platform: _Text
    cpu: _Text
    threads: tuple[_Count, _Count]
    onednn: bool
    op_determinism: bool
    devices: tuple[_Text, ...] = Field(max_length=64)
    cpu_features: tuple[_Text, ...] = Field(max_length=64, default=())
    switches: _Named[_Text] = Field(default_factory=dict)

    @property
    def environment(self) -> Environment:
        """The record that the rest of the house reads."""
        return Environment(**self.model_dump())


class Baseline(_Record):
    """The evidence of one environment.

    Attributes:
        format: Says what the file is.
        schema_version: Of these models.
        environment: What it was recorded on.
        seed: The root seed of all streams.
        draws: Initializer → dtype → its draws.
        defaults: Layer that is told nothing of initializers → each of its weights.
        fans: Kind of layer → the fans of its kernel.
        orders: Feed → ``fit``'s order.
        problems: Problem → its trainings.
    """

    format: Literal["initcheck baseline"] = FORMAT
    schema_version: Literal[1] = SCHEMA
    environment: EnvironmentRecord
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)]
    draws: _Named[_Named[DrawsRecord]]
    defaults: _Named[tuple[ArrayRecord, ...]]
    fans: _Named[FansRecord]
    orders: _Named[OrderRecord]
    problems: _Named[ProblemRecord]
