"""The schema of what was asked of a store."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from initcheck.baselines.records.fields import Count, Record
from initcheck.baselines.records.schema import EnvironmentRecord
from initcheck.reporting.saved_schema import FactsRecord

_Pairs = Annotated[tuple[tuple[str, str], ...], Field(max_length=10_000)]


class AskRecord(Record):
    """A sweep without its runs.

    Attributes:
        initializers: The key and the name of each, in their order.
        orders: The first number of a batch order, and the one after the last.
        reseeds: The same of the repetitions.
        problem: The trained problem.
        seed: The root seed.
        command: The command line or the call that repeats it.
        planned: The number of runs asked for.
        environment: The environment of the runs.
        trained: Model and optimizer in words.
        engine: The engine that trained them.
    """

    initializers: _Pairs
    orders: tuple[Count, Count]
    reseeds: tuple[Count, Count]
    problem: FactsRecord
    seed: int
    command: str
    planned: Annotated[int, Field(ge=0, le=10**12)]
    environment: EnvironmentRecord
    trained: _Pairs
    engine: str
