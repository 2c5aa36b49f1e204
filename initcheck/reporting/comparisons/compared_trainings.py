"""The curves of a recorded problem by epoch: bands over reseeds, or else the seeded runs one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from initcheck.baselines.records.fields import MOST_VALUES
from initcheck.baselines.records.schema import ProblemRecord
from initcheck.baselines.records.summary import kept_places
from initcheck.baselines.records.training_records import BandRecord, Stage, TraceRecord
from initcheck.reporting.bands import Band, Values


class TrainingMetric(StrEnum):
    """A metric that is drawn by epoch; its value is the field of ``CurvesRecord``."""

    LOSS = "loss"  # of the training rows
    ACCURACY = "accuracy"  # of the held-out rows


_LARGEST, _SMALLEST = 1e30, 1e-30  # beyond them an axis overflows, and is unreadable


@dataclass(frozen=True, eq=False)
class Training:
    """One metric of a problem in one environment.

    Attributes:
        epochs: Numbers of the epochs that are known, from 1.
        bands: Initializer → its band.
        runs: The number of runs of the largest band; 1 where there are only seeded runs.
    """

    epochs: Values
    bands: Mapping[str, Band]
    runs: int

    @property
    def values(self) -> Values:
        """All values, for the limits of the axis."""
        return np.concatenate([line for band in self.bands.values() for line in band.lines] or [np.zeros(0)])


def training_of(problem: ProblemRecord, metric: TrainingMetric, *, reseeds: bool) -> Training | None:
    """The metric over the reseeds, or of the seeded runs alone; None where none is recorded."""
    if reseeds:
        if not problem.accuracies:
            return None
        curves = {name: record.curves for name, record in problem.accuracies.items()}
        return Training(
            epochs=np.array(next(iter(curves.values())).epochs, dtype=np.float64),
            bands={name: _band(getattr(one, metric)) for name, one in curves.items()},
            runs=max(len(record.correct) for record in problem.accuracies.values()),
        )
    lines = {name: line for name, trace in problem.traces.items() if (line := _metric_of(trace, metric)) is not None}
    if not lines:
        return None
    epochs = next(iter(lines.values()))[0]
    bands = {name: Band(line, line, line) for name, (own, line) in lines.items() if np.array_equal(own, epochs)}
    return Training(epochs, bands, 1)


def fitted_loss(trace: TraceRecord) -> tuple[Values, Values] | None:
    """The training loss of one training in ``fit``'s own order: the epochs that are recorded, and the values."""
    return _part_of(trace, Stage.EPOCH_LOSSES, 0, 1)


def _metric_of(trace: TraceRecord, metric: TrainingMetric) -> tuple[Values, Values] | None:
    # A stage holds the metric of the training rows, and after it that of the held-out rows.
    places = {TrainingMetric.LOSS: (Stage.EPOCH_LOSSES, 0), TrainingMetric.ACCURACY: (Stage.EPOCH_ACCURACIES, 1)}
    return _part_of(trace, *places[metric], 2)


def _part_of(trace: TraceRecord, name: Stage, part: int, parts: int) -> tuple[Values, Values] | None:
    stage = trace.stages.get(name)
    if stage is None or stage.size < parts or len(stage.values) != min(stage.size, MOST_VALUES):
        return None
    epochs = stage.size // parts
    places = kept_places(stage.size, MOST_VALUES)
    mine = places // epochs == part
    return (places[mine] % epochs + 1).astype(np.float64), _numbers(stage.values)[mine]


def _band(record: BandRecord) -> Band:
    return Band(_numbers(record.low), _numbers(record.median), _numbers(record.high))


def _numbers(values: Sequence[float | str]) -> Values:
    numbers = np.array([float(value) for value in values], dtype=np.float64)
    return np.where(np.abs(numbers) < _LARGEST, np.where(np.abs(numbers) < _SMALLEST, 0.0, numbers), np.inf)
