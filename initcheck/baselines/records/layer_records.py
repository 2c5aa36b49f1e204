"""The records of layers in a baseline: each alone, stage by stage."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from initcheck.baselines.records.array_records import ArrayRecord
from initcheck.baselines.records.fields import Count, Finite, Named, Record, Text
from initcheck.baselines.records.training_records import StageRecord


class LayerStage(StrEnum):
    """The stages of a layer, in the order in which they are judged."""

    INITIAL_WEIGHTS = "initial weights of the layer"
    OUTPUT = "output"
    GRADIENT = "gradient"
    TRAINING = "output in training"
    MOVED = "weights after a call in training"
    NOISE = "noise in training"
    CONFIGURATION = "configuration"


LAYER_STAGES = tuple(LayerStage)
COMPUTED = (LayerStage.OUTPUT, LayerStage.GRADIENT, LayerStage.TRAINING, LayerStage.MOVED)


class AskedRecord(Record):
    """What a layer asked of an initializer for one of its weights.

    Attributes:
        initializer: The initializer's class; empty where the weight is not the initializer's draw as it was made.
        options: Its options without the seed, as JSON; a long text by digest.
        shape: Of the weight.
    """

    initializer: Annotated[str, Field(max_length=200)] = ""
    options: Text = "{}"
    shape: tuple[Count, ...] = Field(max_length=10, default=())


class LayerRecord(Record):
    """One layer with its arguments, as ``evidence.baseline.recorded_layers`` observes it.

    Attributes:
        layer: The class of ``keras.layers``.
        refused: The name of the exception that the framework raised, and then nothing else; empty where it raised none.
        initial_weights: Each of its weights, by its default initializers under a fixed global seed.
        asked: What it asked for each of them; empty in files of earlier versions.
        computed: Those of the stages ``COMPUTED`` that it has.
        noise: Its output in training, where it draws noise, under a fixed global seed.
        independent: The number of independent draws behind ``noise``, at least.
        noise_errors: Standard errors of the mean of ``noise`` and of the logarithm of its standard deviation, from
            independent parts of it; None where its elements are independent.
        configuration: Option → its value as JSON; a long one by digest.
    """

    layer: Text
    refused: Annotated[str, Field(max_length=200)] = ""
    initial_weights: tuple[ArrayRecord, ...] = Field(max_length=100, default=())
    asked: tuple[AskedRecord, ...] = Field(max_length=100, default=())
    computed: Named[StageRecord] = Field(default_factory=dict)
    noise: ArrayRecord | None = None
    independent: Count = 0
    noise_errors: tuple[Annotated[Finite, Field(ge=0)], Annotated[Finite, Field(ge=0)]] | None = None
    configuration: Named[Text] = Field(default_factory=dict)
