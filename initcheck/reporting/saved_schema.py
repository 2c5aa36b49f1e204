"""The schema of ``sweep.json``: everything of a sweep that its two tables do not hold."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from initcheck.baselines.records.fields import Count, Finite, Record
from initcheck.baselines.records.schema import EnvironmentRecord
from initcheck.catalog.problem_facts import DataFacts, ProblemFacts
from initcheck.records import ACCURACY, METRICS, Score

FORMAT: Literal["initcheck sweep"] = "initcheck sweep"
SCHEMA: Literal[1] = 1

Digest = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
_Counts = Annotated[tuple[Count, ...], Field(max_length=1000)]
_Pairs = Annotated[tuple[tuple[str, str], ...], Field(max_length=1000)]
_Positive = Annotated[int, Field(ge=1, le=10**9)]


class DataFactsRecord(Record):
    """``DataFacts`` as JSON."""

    rows: tuple[Count, Count]
    described: _Pairs
    classes: Count
    digest: Annotated[str, Field(pattern="^[0-9a-f]{24}$")]
    counts: tuple[_Counts, _Counts] = ((), ())  # which earlier sweeps do not have
    arrays: _Pairs = ()


class ScoreRecord(Record):
    """``Score`` as JSON."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    higher_is_better: bool
    counted: bool

    @property
    def score(self) -> Score:
        """The record that the rest of the house reads."""
        return Score(**self.model_dump())


class FactsRecord(Record):
    """``ProblemFacts`` as JSON."""

    name: str
    title: str
    source: str
    loss: str
    batch_size: _Positive
    epochs: _Positive
    chance: Finite | None
    target: Finite | None
    about: _Pairs
    in_catalogue: bool
    data: DataFactsRecord | None
    score: ScoreRecord = ScoreRecord(name=ACCURACY.name, higher_is_better=True, counted=True)  # of earlier sweeps, too

    @model_validator(mode="after")
    def _levels_are_shares(self) -> FactsRecord:
        for name in ("chance", "target"):
            level = getattr(self, name)
            if self.score.counted and (level is None or not 0 <= level <= 1):
                raise ValueError(f"{name} is no share")
        if self.score.counted and not self.target:
            raise ValueError("target is 0")
        return self

    @property
    def facts(self) -> ProblemFacts:
        """The record that the rest of the house reads."""
        data = DataFacts(**self.data.model_dump()) if self.data else None
        return ProblemFacts(**{**self.model_dump(), "data": data, "score": self.score.score})


class GroupRecord(Record):
    """The runs of one initializer, which follow each other in both tables.

    Attributes:
        problem: The problem's name in both tables.
        initializer: Its name.
        runs: The number of runs.
        epochs: The number of epochs of each.
        train_total: Training rows.
        test_total: Held-out rows.
        metrics: The metrics of the second table.
    """

    problem: str
    initializer: str
    runs: _Positive
    epochs: _Positive
    train_total: _Positive
    test_total: _Positive
    metrics: Annotated[tuple[str, ...], Field(max_length=1000)] = METRICS  # which earlier sweeps do not have


class SweepRecord(Record):
    """A sweep without the numbers of its runs.

    Attributes:
        format: Says what the file is.
        schema_version: Of these models.
        initcheck_version: The version that wrote it.
        problem: The trained problem.
        groups: Whose runs the tables hold, in their order.
        seed: The root seed.
        engine: The engine that trained them.
        command: The command line or the call that repeats the sweep.
        planned: The number of runs asked for.
        environment: The environment of the runs.
        trained: Model and optimizer in words, which earlier sweeps do not have.
        digests: File → digest of its bytes. They distinguish the files of one sweep from a mix of two.
    """

    format: Literal["initcheck sweep"] = FORMAT
    schema_version: Literal[1] = SCHEMA
    initcheck_version: str
    problem: FactsRecord
    groups: tuple[GroupRecord, ...] = Field(max_length=10_000)
    seed: int
    engine: str
    command: str
    planned: Annotated[int, Field(ge=0, le=10**12)]
    environment: EnvironmentRecord
    digests: dict[str, Digest] = Field(max_length=3)
    trained: _Pairs = ()
