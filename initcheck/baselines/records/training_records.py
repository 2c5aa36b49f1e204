"""The records of trainings in a baseline: their stages, their curves and their accuracies."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from initcheck.baselines.records.fields import MOST_VALUES, Count, Digest, Finite, Number, Record


class Stage(StrEnum):
    """The stages of a training, in the order in which one decides the next."""

    DRAWS = "draws"
    INITIAL_WEIGHTS = "initial weights"
    BATCH_ORDER = "batch order"
    FIRST_LOSS = "first loss"
    FIRST_GRADIENT = "first gradient"
    FIRST_UPDATE = "first update"
    EPOCH_LOSSES = "epoch losses"
    EPOCH_ACCURACIES = "epoch accuracies"
    EPOCH_METRICS = "epoch metrics"
    FINAL_WEIGHTS = "final weights"
    RELOADED_WEIGHTS = "reloaded weights"
    PREDICTIONS = "predictions"


STAGES = tuple(Stage)
MOST_RUNS = 100_000
MOST_EPOCHS = 100  # of a training that are kept, at even distances


class StageRecord(Record):
    """One stage of a training by digest, moments and some values, which may be NaN or infinite.

    Attributes:
        tolerance: Largest deviation of an element in runs whose initial weights were moved by one unit in the last
            place; None where none is known.
    """

    size: Count
    digest: Digest
    mean: Number
    stddev: Number
    values: tuple[Number, ...] = Field(max_length=MOST_VALUES)
    tolerance: Annotated[Finite, Field(ge=0)] | None = None


class TraceRecord(Record):
    """One seeded training, stage by stage.

    The stage ``batch order`` is not here: ``fit``'s own order is the problem's and is recorded separately, so that the
    stages after it can be compared where it has changed: most trainings are in the frozen order.

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
        if list(self.stages) != known or Stage.BATCH_ORDER in known or Stage.INITIAL_WEIGHTS not in known:
            raise ValueError("its stages are not those of a training, in their order")
        return self


class ModelRecord(Record):
    """A user's own model as it is: one seeded training, and its score over reseeds.

    Attributes:
        held_out_rows: The number of held-out rows.
        trace: The training, in the frozen order where the rows are arrays.
        score: The name of the score.
        is_share: Whether it is a share of 1.
        scores: The held-out score of each reseed, in order, to 12 digits.
    """

    held_out_rows: Annotated[int, Field(ge=1, le=10**9)]
    trace: TraceRecord
    score: Annotated[str, Field(min_length=1, max_length=200)]
    is_share: bool
    scores: tuple[Number, ...] = Field(max_length=MOST_RUNS)


class BandRecord(Record):
    """The spread of a metric over the reseeds, epoch by epoch; NaN counts as infinite.

    The values are order statistics to five digits: they are looked at, and never judged.

    Attributes:
        low: What a tenth of the runs does not exceed.
        median: What half of them does not.
        high: What nine tenths do not.
    """

    low: tuple[Number, ...] = Field(max_length=MOST_EPOCHS)
    median: tuple[Number, ...] = Field(max_length=MOST_EPOCHS)
    high: tuple[Number, ...] = Field(max_length=MOST_EPOCHS)


class CurvesRecord(Record):
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


class AccuraciesRecord(Record):
    """The held-out rows that each reseed's final weights classify correctly, and the curves of training.

    Attributes:
        engine: The engine that trained them.
        correct: One count for each reseed, in order; one alone where nothing is random.
        curves: Of the same runs.
    """

    engine: Literal["ensemble", "reference"]
    correct: tuple[Count, ...] = Field(min_length=1, max_length=MOST_RUNS)
    curves: CurvesRecord
