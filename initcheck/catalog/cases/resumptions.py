"""Trainings that are saved after a step and resumed: every optimizer, and what else a file must hold for the next step.

Sources: https://keras.io/api/models/model_saving_apis/model_saving_and_loading/ (a saved model has "the optimizer's
state (if any)"), https://keras.io/guides/serialization_and_saving/, https://keras.io/api/optimizers/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from initcheck.catalog.layers.noise import DROPOUT
from initcheck.catalog.layers.normalization import BATCH_NORMALIZATION
from initcheck.catalog.optimizers import ADAM, OPTIMIZERS, SGD
from initcheck.oracle.optimizer_steps import Schedule


@dataclass(frozen=True)
class Resumption:
    """A training of a model of dense layers.

    Attributes:
        name: Unique, for the cells.
        optimizer: A class of ``keras.optimizers``.
        settings: Its arguments; a ``Schedule`` stands for an object of ``keras.optimizers.schedules``.
        scaling: Arguments of the LossScaleOptimizer that it is wrapped in; empty for none.
        layers: How many dense layers there are.
        frozen: The numbers of those that are not trained.
        nested: Whether all but the last one are a model within the model.
        between: Classes of ``keras.layers``, with arguments, that come before the last dense layer.
        assigned: A learning rate that is assigned after the first step.
        h5: Whether an ``.h5`` file is tried too.
        fresh: Whether weights are read into a compiled model that has not trained, too.
    """

    name: str
    optimizer: str = ADAM.name
    settings: Mapping[str, Any] = field(default_factory=dict)
    scaling: Mapping[str, Any] = field(default_factory=dict)
    layers: int = 2
    frozen: tuple[int, ...] = ()
    nested: bool = False
    between: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    assigned: float | None = None
    h5: bool = False
    fresh: bool = False


_RATE = {"learning_rate": 0.0625}
_HALVED = Schedule("PiecewiseConstantDecay", {"boundaries": [0, 1], "values": [0.5, 0.25, 0.125]})

RESUMPTIONS = (
    *(Resumption(row.name, row.name, {**_RATE, **row.saved}, h5=True) for row in OPTIMIZERS),
    Resumption("untrained", settings=_RATE, fresh=True),
    Resumption("clipped", SGD.name, {**_RATE, "momentum": 0.75, "clipnorm": 0.5, "weight_decay": 0.125}),
    Resumption("averaged", settings={**_RATE, "use_ema": True, "ema_momentum": 0.75, "ema_overwrite_frequency": 2}),
    Resumption("accumulating", settings={**_RATE, "gradient_accumulation_steps": 2}),
    Resumption("scheduled", settings={"learning_rate": _HALVED}, h5=True, fresh=True),
    Resumption("assigned-rate", settings=_RATE, assigned=0.25),
    Resumption("scaled-loss", settings=_RATE, scaling={"initial_scale": 8.0, "dynamic_growth_steps": 2}),
    Resumption("frozen-first", settings=_RATE, frozen=(0,), h5=True),
    Resumption("frozen-middle", settings=_RATE, layers=3, frozen=(1,)),
    Resumption("frozen-inner-model", settings=_RATE, layers=3, frozen=(0, 1), nested=True),
    Resumption("inner-model", settings=_RATE, layers=3, nested=True),
    Resumption("twelve-layers", settings=_RATE, layers=12),
    Resumption("normalized", settings=_RATE, between={BATCH_NORMALIZATION.name: {}}),
    Resumption("dropout", settings=_RATE, between={DROPOUT.name: {"rate": 0.5, "seed": 5}}),
)
