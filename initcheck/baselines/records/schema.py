"""The schema of a baseline file: validated, bounded in size, and read without loading a framework."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from initcheck.baselines.records.array_records import ArrayRecord, DrawsRecord, FansRecord, OrderRecord
from initcheck.baselines.records.fields import Count, Named, Record, Text
from initcheck.baselines.records.file_records import LoadedRecord, SavedRecord
from initcheck.baselines.records.layer_records import LayerRecord
from initcheck.baselines.records.step_records import StepsRecord
from initcheck.baselines.records.training_records import AccuraciesRecord, ModelRecord, TraceRecord
from initcheck.records import Environment
from initcheck.targets import TENSORFLOW

FORMAT: Literal["initcheck baseline"] = "initcheck baseline"
SCHEMA: Literal[1] = 1


class ProblemRecord(Record):
    """One problem's evidence.

    Attributes:
        held_out_rows: The number of held-out rows.
        order: In which order ``fit`` takes the problem's rows.
        traces: Initializer → one training.
        fits: Initializer → the same training as a user would write it: ``fit(shuffle=True)``, in its own order. The
            tolerances are those of the training in the frozen order.
        given: One training in the frozen order from weights that no framework draws, so that neither draws nor order
            decide it. Empty in files of versions before it.
        accuracies: Initializer → accuracies over reseeds.
    """

    held_out_rows: Annotated[int, Field(ge=1, le=10**9)]
    order: OrderRecord
    traces: Named[TraceRecord]
    fits: Named[TraceRecord]
    given: Named[TraceRecord] = Field(default_factory=dict)
    accuracies: Named[AccuraciesRecord]

    @model_validator(mode="after")
    def _fit(self) -> ProblemRecord:
        for name, record in self.accuracies.items():
            if max(record.correct) > self.held_out_rows:
                raise ValueError(f"{name} has more rows correct than there are")
        if len({record.curves.epochs for record in self.accuracies.values()}) > 1:
            raise ValueError("its initializers were trained over different epochs")
        return self


class EnvironmentRecord(Record):
    """``initcheck.records.Environment`` as JSON."""

    versions: Named[Text]
    python: Text
    platform: Text
    cpu: Text
    threads: tuple[Count, Count]
    onednn: bool
    op_determinism: bool
    devices: tuple[Text, ...] = Field(max_length=64)
    cpu_features: tuple[Text, ...] = Field(max_length=64, default=())
    switches: Named[Text] = Field(default_factory=dict)
    distributions: Named[Text] = Field(default_factory=dict)
    target: Text = TENSORFLOW  # of which earlier versions recorded alone

    @property
    def environment(self) -> Environment:
        """The record that the rest of the package reads."""
        return Environment(**self.model_dump())


class Baseline(Record):
    """The evidence of one environment.

    Attributes:
        format: Says what the file is.
        schema_version: Of these models.
        environment: The recording environment.
        seed: The root seed of all streams.
        draws: Initializer → dtype → its draws.
        defaults: Layer with its default initializers → each of its weights.
        fans: Kind of layer → the fans of its kernel.
        orders: Feed → ``fit``'s order.
        problems: Problem → its trainings.
        layers: Layer with its arguments → what it is and computes, alone. Empty in files of versions before it.
        steps: Optimizer, loss or metric with its arguments → what it computes, alone. Empty in files of versions
            before it.
        files: File of a saved model → the file. Empty in files of versions before it.
        loaded: The same of the files of another baseline → what this environment makes of them.
        loaded_from: Names exactly those files; empty where there are none.
        models: Model of the user's own → its training. Empty in files of versions before it.
        public: Kind of public names → name → whether anything of it is recorded. Empty in files of versions before it.
    """

    format: Literal["initcheck baseline"] = FORMAT
    schema_version: Literal[1] = SCHEMA
    environment: EnvironmentRecord
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)]
    draws: Named[Named[DrawsRecord]]
    defaults: Named[tuple[ArrayRecord, ...]]
    fans: Named[FansRecord]
    orders: Named[OrderRecord]
    problems: Named[ProblemRecord]
    layers: Named[LayerRecord] = Field(default_factory=dict)
    steps: Named[StepsRecord] = Field(default_factory=dict)
    files: Named[SavedRecord] = Field(default_factory=dict)
    loaded: Named[LoadedRecord] = Field(default_factory=dict)
    loaded_from: Annotated[str, Field(pattern="^([0-9a-f]{24})?$")] = ""
    models: Named[ModelRecord] = Field(default_factory=dict)
    public: Named[Named[bool]] = Field(default_factory=dict)
