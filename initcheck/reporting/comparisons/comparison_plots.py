"""Old and new side by side: curves with bands, and accuracies over reseeds as two distributions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from initcheck.baselines.comparing.comparison import Side
from initcheck.baselines.records.training_records import AccuraciesRecord
from initcheck.reporting.bands import (
    INK,
    MAX_BINS,
    PANEL_WIDTH,
    Values,
    draw_bands,
    scale_axis,
    title_axes,
)
from initcheck.reporting.comparisons.compared_trainings import Training, TrainingMetric
from initcheck.reporting.svg import plot_style
from initcheck.texts import for_axis

OLD, NEW = "#0072B2", "#D55E00"
_HEIGHT = 2.5  # inches
_MARGINS = {"left": 0.6, "right": 0.1, "bottom": 0.42, "top": 0.3}  # inches: laying out each panel takes as long again
TITLES = {TrainingMetric.LOSS: "training loss", TrainingMetric.ACCURACY: "held-out accuracy"}

Accuracies = Mapping[str, AccuraciesRecord]


def figure_curves(
    shown: Training, other: Training | None, names: Sequence[str], metric: TrainingMetric, side: Side
) -> Figure:
    """One metric in one environment, on the axis that shows the other environment's as well.

    Args:
        shown: The training to draw; in the new environment the old medians are drawn below it.
        other: The same of the other environment.
        names: The initializers of both, a colour each.
        metric: The metric to draw.
        side: The environment.
    """
    with plot_style():
        figure, axes = _panel()
        scale_axis(axes, np.concatenate([one.values for one in (shown, other) if one]), metric)
        draw_bands(axes, shown.epochs, [shown.bands.get(name) for name in names])
        if other and side is Side.NEW:
            for band in other.bands.values():
                line = np.where(np.isfinite(band.median), band.median, np.nan)
                axes.plot(other.epochs, line, color=INK, linestyle=":", linewidth=1.1, zorder=3)
        title_axes(axes, f"{side.capitalize()}: {TITLES[metric]}")
    return figure


def figure_fits(old: tuple[Values, Values], new: tuple[Values, Values], name: str) -> Figure:
    """The training loss of one training in ``fit``'s own order: epochs and values of both environments."""
    with plot_style():
        figure, axes = _panel()
        scale_axis(axes, np.concatenate([old[1], new[1]]), TrainingMetric.LOSS)
        for (epochs, values), side, colour, dashes in ((old, Side.OLD, OLD, "-"), (new, Side.NEW, NEW, "--")):
            axes.plot(epochs, np.where(np.isfinite(values), values, np.nan), dashes, color=colour, label=side)
        axes.set_xlabel("epoch")
        axes.legend()
        title_axes(axes, f"In fit's own order: training loss, {for_axis(name)}")
    return figure


def figure_spread(old: Accuracies, new: Accuracies, names: Sequence[str], rows: int) -> Figure:
    """Held-out accuracies over reseeds, for each initializer the old ones above its line and the new ones below it."""
    with plot_style():
        figure = Figure(figsize=(PANEL_WIDTH, 0.9 + 0.5 * len(names)), layout="constrained")
        axes = figure.subplots()
        for place, name in enumerate(names):
            axes.axhline(place, color="#cccccc", linewidth=0.6)
            _draw_pair(axes, old.get(name), new.get(name), rows, place)
        axes.set_yticks(range(len(names)), [for_axis(name) for name in names])
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        figure.suptitle("Held-out accuracy of the final weights, run by run", x=0.02, ha="left", fontsize=10)
        diamond = Line2D([], [], color=INK, marker="D", linestyle="", markersize=4.5, markerfacecolor="white")
        handles = [Patch(color=OLD, alpha=0.75), Patch(color=NEW, alpha=0.75), diamond]
        figure.legend(handles, ["old", "new", "mean"], loc="outside lower center", ncols=3)
    return figure


def _panel() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(PANEL_WIDTH, _HEIGHT))
    left, right, bottom, top = (_MARGINS[side] for side in ("left", "right", "bottom", "top"))
    width, height = PANEL_WIDTH - left - right, _HEIGHT - bottom - top
    return figure, figure.add_axes(
        (left / PANEL_WIDTH, bottom / _HEIGHT, width / PANEL_WIDTH, height / _HEIGHT),
    )


def _draw_pair(axes: Axes, old: AccuraciesRecord | None, new: AccuraciesRecord | None, rows: int, place: int) -> None:
    counts = [np.array(one.correct) if one else np.zeros(0, np.int64) for one in (old, new)]
    both = np.concatenate(counts)
    if not len(both):
        return
    # Bins hold equally many of the counts that can occur; else the histogram is combed.
    first, width = int(both.min()), math.ceil((int(np.ptp(both)) + 1) / MAX_BINS)
    shares = []
    for one in counts:
        bins, numbers = np.unique((one - first) // width, return_counts=True)
        shares.append((bins, numbers / max(1, len(one))))
    highest = max(float(share.max()) for _, share in shares if len(share))
    for (bins, share), one, colour, up in zip(shares, counts, (OLD, NEW), (-1, 1), strict=True):
        if len(one):
            at = (first + bins * width + (width - 1) / 2) / rows
            axes.vlines(at, place, place + up * 0.38 * share / highest, color=colour, linewidth=2.5, alpha=0.75)
            axes.plot(
                one.mean() / rows, place + up * 0.2, "D", color=INK, markersize=4, markerfacecolor="white", zorder=3
            )
