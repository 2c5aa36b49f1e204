"""The optimizers that a baseline records: every row of the catalogue, alone and with the options that all share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

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
_FITTING = ("SGD", "Adam")


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
        given = ", ".join(f"{key}={value}" for key, value in self.config.items() if key != "learning_rate")
        return f"{self.optimizer}({given}){' in fit' if self.fits else ''}"


def _cases() -> Iterator[RecordedOptimizer]:
    for row in OPTIMIZERS:
        for settings in ({}, *row.options, *_SHARED):
            yield RecordedOptimizer(row.name, {"learning_rate": RATE, **settings})
        if row.name in _FITTING:
            for settings in _FITTED:
                yield RecordedOptimizer(row.name, {"learning_rate": RATE, **settings}, fits=True)


RECORDED_OPTIMIZERS: Mapping[str, RecordedOptimizer] = {str(case): case for case in _cases()}
