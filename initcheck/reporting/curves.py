"""The curves of a sweep by epoch: bands over reseeds, of the training rows and of those held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from initcheck.baselines.records.summary import kept_places
from initcheck.records import Runs
from initcheck.reporting.bands import COLOURS, Band, Values
from initcheck.reporting.format import format_count

MOST_TOGETHER = 3  # initializers that share a panel; from four on each gets its own
PARTS = {"training": "", "held-out": "val_"}  # name → what Keras puts before a metric of these rows
READING_APART = ("dashed: the same on the held-out rows", "grey: training of the others", "all on the same axes")
_MOST_EPOCHS = 60  # drawn of a long training: no panel is wide enough for more


@dataclass(frozen=True, eq=False)
class Curve:
    """One metric of one initializer's runs, epoch by epoch.

    Attributes:
        name: The initializer.
        colour: Its colour in every drawing.
        bands: Name of the rows, as in ``PARTS`` → its band there.
        diverged: The number of runs that have a NaN or infinity.
        runs: The number of runs.
    """

    name: str
    colour: str
    bands: dict[str, Band]
    diverged: int
    runs: int


@dataclass(frozen=True, eq=False)
class Curves:
    """One metric of all initializers.

    Attributes:
        metric: ``loss``, or the score.
        epochs: The numbers of the epochs that are drawn, from 1.
        curves: One for each initializer.
    """

    metric: str
    epochs: Values
    curves: tuple[Curve, ...]

    @property
    def values(self) -> Values:
        """All values, for the limits of the axis."""
        lines = [line for curve in self.curves for band in curve.bands.values() for line in band.lines]
        return np.concatenate(lines or [np.zeros(0)])


def curves_of(groups: Sequence[Runs], metric: str) -> Curves:
    """The bands of that metric, a value for each epoch that is drawn."""
    epochs = max((runs.epochs for runs in groups), default=1)
    kept = kept_places(epochs, _MOST_EPOCHS)
    curves = []
    for place, runs in enumerate(groups):
        bands, ill = {}, np.zeros(len(runs), bool)
        for part, prefix in PARTS.items():
            for epoch in range(runs.epochs):
                ill |= ~np.isfinite(runs.column(f"{prefix}{metric}", epoch))
            bands[part] = Band.of(_finite_or_infinite(runs.column(f"{prefix}{metric}", epoch)) for epoch in kept)
        curves.append(Curve(runs.initializer, COLOURS[place % len(COLOURS)], bands, int(ill.sum()), len(runs)))
    return Curves(metric, (kept + 1).astype(np.float64), tuple(curves))


def _finite_or_infinite(values: Values) -> Values:
    return np.where(np.isfinite(values), values, np.inf)


def reading(groups: Sequence[Runs]) -> str:
    """The legend of line and band in words: ``Line: median of 30 runs; band: 10–90 %; …``."""
    counts = sorted({len(runs) for runs in groups})
    if not counts:
        return "No run has finished"
    if counts == [1]:
        return "Line: the one run"
    runs = format_count(counts[0], "run") if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,} runs"
    return f"Line: median of {runs}; band: 10–90 %; dotted: lowest and highest"


def diverged(curve: Curve) -> str:
    """The number of its runs that left the axis, in words; empty where none did."""
    if not curve.diverged:
        return ""
    return f"{curve.diverged:,} of {format_count(curve.runs, 'run')} became inf or NaN"
