"""Metrics by epoch: medians with bands over reseeds, and the axes that hold them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

Values = npt.NDArray[np.float64]

# Okabe & Ito 2008 without yellow, which is too faint on white. With three line styles 21 initializers differ; the
# markers, whose number shares no factor with seven, distinguish them in grey as well.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000")
MARKERS = "os^DvPX<>"
GLYPHS = dict(zip(MARKERS, "●■▲◆▼✚✖◀▶", strict=True))  # the same in a legend of letters
INK = "#333333"
PANEL_WIDTH = 4.6  # inches: 331 px, so that text keeps its size on a phone and grows on a screen
MAX_BINS = 60  # of a histogram of accuracies

_LINES = ("-", "--", ":")
_LOG_SPAN = 100  # losses that span more than these two decades get a logarithmic axis


@dataclass(frozen=True, eq=False)
class Band:
    """One metric of many runs, a value for each epoch; what is no number is infinite.

    Attributes:
        low: What a tenth of the runs does not exceed.
        median: What half of them does not.
        high: What nine tenths do not.
        outer: The lowest and the highest, if they are known.
    """

    low: Values
    median: Values
    high: Values
    outer: tuple[Values, ...] = ()

    @classmethod
    def of(cls, columns: Iterable[Values]) -> Band:
        """The band of the values of each epoch, each of shape ``(runs,)``."""
        low, median, high, *outer = np.array([_order_statistics(column) for column in columns]).T
        return cls(low, median, high, tuple(outer))

    @property
    def lines(self) -> tuple[Values, ...]:
        """All of its lines."""
        return (self.low, self.median, self.high, *self.outer)


def _order_statistics(values: Values) -> Values:
    """What a tenth, half and nine tenths of the values do not exceed, the lowest, and the highest."""
    ordered = np.sort(values)  # order statistics need no interpolation, which infinite losses would spoil
    middle = [max(0, math.ceil(share * len(ordered)) - 1) for share in (0.1, 0.5, 0.9)]
    return ordered[[*middle, 0, -1]]


def draw_bands(axes: Axes, epochs: Values, bands: Sequence[Band | None]) -> list[Artist]:
    """Draws a band for each initializer, each in its colour, and returns the medians.

    Args:
        axes: Scaled already; what lies above is drawn at its upper end.
        epochs: The epochs' numbers, from 1, in order.
        bands: With a value for each epoch; None keeps a colour free.
    """
    last_epoch = int(epochs[-1]) if len(epochs) else 1
    strength = min(1.0, len(COLOURS) / max(1, len(bands)))  # many bands must not hide the medians
    handles: list[Artist] = []
    for number, band in enumerate(bands):
        if band is None:
            continue
        x = epochs
        if len(epochs) == 1:  # a point has no width: give each initializer its own short stretch beside the others
            x = epochs + 0.8 * ((number + np.array([0.1, 0.9])) / len(bands) - 0.5)
        colour = COLOURS[number % len(COLOURS)]
        # Edges carry the band: overlapping fills would mix to mud.
        draw_band(axes, x, band, colour, fill=0.07 * strength**2, edge=0.6 * strength)
        median = np.resize(band.median, len(x))
        step = max(1, len(epochs) // 8)
        last = max(0, np.count_nonzero(np.isfinite(median)) - 1)
        handles += axes.plot(
            x,
            np.where(np.isfinite(median), median, np.nan),
            color=colour,
            linestyle=_LINES[number // len(COLOURS) % len(_LINES)],
            marker=MARKERS[number % len(MARKERS)],
            markevery=sorted({*range(number % step, len(x), step), last}),
            zorder=2.5,
        )
    label_epochs(axes, last_epoch)
    axes.set_xlabel("epoch")
    return handles


def draw_band(axes: Axes, x: Values, band: Band, colour: str, *, fill: float, edge: float) -> None:
    """Draws all of a band but its median: the area that holds eight in ten runs, its edges, the outermost runs.

    Args:
        axes: Scaled already; what lies above is drawn at its upper end.
        x: The places of its values; two places where there is one value, which has no width.
        band: The band to draw.
        colour: Its colour.
        fill: Opacity of the area.
        edge: Opacity of its edges.
    """
    top = axes.get_ylim()[1]
    low, high, *outer = (np.minimum(np.resize(line, len(x)), top) for line in (band.low, band.high, *band.outer))
    for line, dashes, opacity in [(low, "-", edge), (high, "-", edge), *((line, ":", edge * 0.85) for line in outer)]:
        axes.plot(x, line, color=colour, linestyle=dashes, linewidth=0.7, alpha=opacity)
    axes.fill_between(x, low, high, color=colour, alpha=fill, linewidth=0)


def label_epochs(axes: Axes, last_epoch: int, most: int = 8) -> None:
    """Scales the horizontal axis to the epochs, and writes about ``most`` of their numbers."""
    if most:
        axes.set_xticks(_epoch_ticks(last_epoch, most))
    margin = 0.02 * last_epoch + 0.4 * (last_epoch == 1)
    axes.set_xlim(1 - margin, last_epoch + margin)


def scale_axis(axes: Axes, values: Values, metric: str, log_span: float = _LOG_SPAN) -> None:
    """Scales the axis so that every finite value is inside; logarithmic where losses span more than that factor."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        axes.set_ylim(0, 1)
        return
    sizes = np.abs(finite[finite != 0])
    if "accuracy" not in metric and len(sizes) and sizes.max() > log_span * sizes.min():
        if finite.min() > 0:
            axes.set_yscale("log")
        else:
            axes.set_yscale("symlog", linthresh=sizes.min())
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    scale = axes.yaxis.get_transform()
    low, high = scale.transform([finite.min(), finite.max()])
    margin = 0.05 * (high - low) or 0.05 * max(1, abs(high))
    axes.set_ylim(*scale.inverted().transform([low - margin, high + margin]))


def title_axes(axes: Axes, title: str) -> None:
    """Writes what the panel shows above it, and that its axis is logarithmic where it is."""
    axes.set_title(title + ("" if axes.get_yscale() == "linear" else " (logarithmic axis)"))


def _epoch_ticks(epochs: int, most: int) -> list[int]:
    steps = (factor * 10**power for power in range(20) for factor in (1, 2, 5))
    step = next(step for step in steps if epochs <= most * step)
    return [1, *range(step if step > 1 else 2, epochs + 1, step)]
