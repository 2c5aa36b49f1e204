"""The optimizers, losses and metrics that a baseline records: every row of the catalogue, with its options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from initcheck.catalog.cases.loss_cases import LOSS_CASES, LossCase, Options
from initcheck.catalog.cases.metric_cases import METRIC_CASES, MetricCase
from initcheck.catalog.optimizers import OPTIMIZERS, Settings

RATE = 0.05
UPDATES = 9
# Options of every optimizer: https://keras.io/api/optimizers/, "Core Optimizer API".
_SHARED: tuple[Settings, ...] = (
    {"weight_decay": 0.1},
    {"clipnorm": 0.5},
    {"clipvalue": 0.25},
    {"global_clipnorm": 0.5},
    {"use_ema": True, "ema_momentum": 0.75, "ema_overwrite_frequency": 2},
    {"gradient_accumulation_steps": 3},
    {"loss_scale_factor": 8.0},
)
# What fit does beyond the updates: it accumulates batch by batch, and ends with the averages.
_FITTED: tuple[Settings, ...] = ({"use_ema": True, "ema_momentum": 0.9999}, {"gradient_accumulation_steps": 3})


@dataclass(frozen=True)
class RecordedOptimizer:
    """An optimizer with arguments.

    Attributes:
        optimizer: The class of ``keras.optimizers``.
        config: Its arguments.
        fits: Whether ``fit`` trains by it, too.
    """

    optimizer: str
    config: Mapping[str, Any]
    fits: bool = False

    def __str__(self) -> str:
        given = {key: value for key, value in self.config.items() if key != "learning_rate"}
        return f"{self.optimizer}({_worded(given)}){' in fit' if self.fits else ''}"


@dataclass(frozen=True)
class RecordedLoss:
    """A loss with arguments.

    Attributes:
        case: Its row.
        options: Its arguments.
    """

    case: LossCase
    options: Options

    def __str__(self) -> str:
        return f"loss {self.case}({_worded(self.options)})"


@dataclass(frozen=True)
class RecordedMetric:
    """A metric with arguments.

    Attributes:
        case: Its row.
        options: Its arguments.
    """

    case: MetricCase
    options: Options

    def __str__(self) -> str:
        return f"metric {self.case}({_worded(self.options)})"


def _worded(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in options.items())


def _cases() -> Iterator[RecordedOptimizer]:
    for row in OPTIMIZERS:
        for settings in ({}, *row.options, *_SHARED):
            yield RecordedOptimizer(row.name, {"learning_rate": RATE, **settings})
        if row.every_clip:  # one with state and one without
            for settings in _FITTED:
                yield RecordedOptimizer(row.name, {"learning_rate": RATE, **settings}, fits=True)


RECORDED_OPTIMIZERS: Mapping[str, RecordedOptimizer] = {str(case): case for case in _cases()}
RECORDED_LOSSES: Mapping[str, RecordedLoss] = {
    str(one): one for one in (RecordedLoss(case, options) for case in LOSS_CASES for options in case.options)
}
RECORDED_METRICS: Mapping[str, RecordedMetric] = {
    str(one): one for one in (RecordedMetric(case, options) for case in METRIC_CASES for options in case.options)
}
RecordedStep = RecordedOptimizer | RecordedLoss | RecordedMetric
RECORDED_STEPS: Mapping[str, RecordedStep] = {**RECORDED_OPTIMIZERS, **RECORDED_LOSSES, **RECORDED_METRICS}
KIND_OF: Mapping[type[RecordedStep], str] = {
    RecordedOptimizer: "optimizers",
    RecordedLoss: "losses",
    RecordedMetric: "metrics",
}  # as frameworks.public_names names them


def class_of(case: RecordedStep) -> str:
    """The class of the optimizer, loss or metric."""
    return case.optimizer if isinstance(case, RecordedOptimizer) else case.case.name
