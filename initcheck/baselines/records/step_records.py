"""The records of what is around a step in a baseline: optimizers, losses and metrics, each alone."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from initcheck.baselines.records.fields import Named, Record, Text
from initcheck.baselines.records.training_records import StageRecord


class StepStage(StrEnum):
    """The stages of an optimizer, and the only one of a loss or metric, in the order in which they are judged."""

    VALUE = "value"
    FIRST_MOVE = "first update that moves a weight"
    UPDATES = "weights after several updates"
    FITTED = "weights that fit leaves"


STEP_STAGES = tuple(StepStage)


class StepsRecord(Record):
    """One optimizer, loss or metric with its arguments.

    Attributes:
        kind: Its kind, as ``frameworks.public_names`` names it.
        name: Its class.
        refused: The name of the exception that the framework raised, and then nothing else; empty where it raised none.
        stages: Those of ``STEP_STAGES`` that it has.
    """

    kind: Text
    name: Text
    refused: Annotated[str, Field(max_length=200)] = ""
    stages: Named[StageRecord] = Field(default_factory=dict)
