"""The lecture's panels: loss and accuracy by epoch, and the held-out accuracies over reseeds."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from initcheck.reporting.bands import (
    COLOURS,
    INK,
    MAX_BINS,
    PANEL_WIDTH,
    Band,
    Values,
    draw_bands,
    scale_axis,
    title_axes,
)
from initcheck.reporting.format import format_count, has_interval
from initcheck.reporting.results import Sweep
from initcheck.reporting.svg import plot_style, to_svg
from initcheck.texts import for_axis, for_drawing

_MAX_POINTS = 200  # more runs than this are drawn as a histogram


class Plot(Figure):
    """A figure that notebooks show by itself: matplotlib leaves that to pyplot, which is not used here."""

    def _repr_svg_(self) -> str:
        return to_svg(self, name="plot", alt="Training by epoch")


def plot_history(sweep: Sweep) -> Figure:
    """The lecture's two panels side by side: training loss and training accuracy by epoch."""
    with plot_style():
        figure = Plot(figsize=(2.2 * PANEL_WIDTH, 4.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        handles = _draw_panel(left, sweep, "loss")
        _draw_panel(right, sweep, "accuracy")
        figure.suptitle(textwrap.fill(for_drawing(sweep.problem.title), 110), fontsize=11, parse_math=False)
        _add_legend(figure, handles, _names(sweep), _reading(sweep, "loss"), characters=125)
    return figure


def figure_loss(sweep: Sweep) -> Figure:
    """Training loss by epoch: medians, with bands over reseeds."""
    return _figure_panel(sweep, "loss")


def figure_accuracy(sweep: Sweep) -> Figure:
    """Training accuracy by epoch: medians, with bands over reseeds."""
    return _figure_panel(sweep, "accuracy")


def figure_strip(sweep: Sweep) -> Figure:
    """Every run's final held-out accuracy, one strip for each initializer, with the mean and its 95 % interval."""
    groups = sweep.groups
    many = any(len(runs) > _MAX_POINTS for runs in groups)
    with plot_style():
        figure = Figure(figsize=(PANEL_WIDTH, 1.4 + 0.42 * len(groups)), layout="constrained")
        axes = figure.subplots()
        chance = axes.axvline(sweep.problem.chance, color=INK, linestyle="--", linewidth=1)
        run: Artist = Line2D(
            [], [], color="#777777", linestyle="", marker="|" if many else "o", markersize=8 if many else 4
        )
        mean: Artist = Line2D([], [], color=INK, marker="D", markerfacecolor="white")
        for place, (runs, answer) in enumerate(zip(groups, sweep.answers, strict=True)):
            _draw_runs(axes, np.sort(runs.test_correct), runs.test_total, place)
            middle = answer.test_mean
            ends = (middle.low, middle.high) if has_interval(middle) else (middle.value, middle.value)
            axes.plot(ends, (place + 0.3, place + 0.3), color=INK, linewidth=1.6)
            axes.plot(middle.value, place + 0.3, "D", color=INK, markersize=4.5, markerfacecolor="white")
        axes.set_yticks(range(len(groups)), [for_axis(name) for name in _names(sweep)], parse_math=False)
        axes.set_ylim(len(groups) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        # Above the whole figure: long names leave the axes too narrow for it.
        figure.suptitle("Held-out accuracy of the final weights", x=0.02, ha="left", fontsize=10)
        names = ["runs: taller, more of them" if many else "one run", "mean, 95 % interval"]
        _add_legend(figure, [run, mean, chance], [*names, f"chance, {sweep.problem.chance:g}"], "", characters=62)
    return figure


def _series(sweep: Sweep, metric: str) -> list[Values]:
    """For each initializer one array of shape (runs, epochs); what is no number counts as infinite."""
    arrays = [runs.metric(metric) for runs in sweep.groups]
    return [np.where(np.isfinite(array), array, np.inf) for array in arrays]


def _names(sweep: Sweep) -> list[str]:
    return [runs.initializer for runs in sweep.groups]


def _figure_panel(sweep: Sweep, metric: str) -> Figure:
    with plot_style():
        figure = Figure(figsize=(PANEL_WIDTH, 3.2), layout="constrained")
        handles = _draw_panel(figure.subplots(), sweep, metric)
        _add_legend(figure, handles, _names(sweep), _reading(sweep, metric), characters=62)
    return figure


def _draw_panel(axes: Axes, sweep: Sweep, metric: str) -> list[Artist]:
    series = _series(sweep, metric)
    scale_axis(axes, np.concatenate([np.ravel(array) for array in series] or [np.array([])]))
    epochs = np.arange(1, max((array.shape[1] for array in series), default=1) + 1, dtype=np.float64)
    handles = draw_bands(axes, epochs, [Band.of(array) for array in series])
    title_axes(axes, f"Training {metric}")
    return handles


def _reading(sweep: Sweep, metric: str) -> str:
    """How to read a panel: what line and bands are, and which runs leave it."""
    counts = sorted({len(runs) for runs in sweep.groups})
    if not counts:
        return "no run has finished"
    runs = format_count(counts[0], "run") if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,} runs"
    text = "one run each" if counts == [1] else f"line: median of {runs}; band: 10–90 %; dotted: lowest and highest"
    if metric != "loss":
        return text
    diverged = [
        f"{for_axis(name)} {np.isinf(array).any(axis=1).sum()} of {len(array)}"
        for name, array in zip(_names(sweep), _series(sweep, metric), strict=True)
        if np.isinf(array).any()
    ]
    return text + (f"; runs whose loss became inf or NaN, counted as above: {', '.join(diverged)}" if diverged else "")


def _add_legend(
    figure: Figure, handles: Sequence[Artist], names: Sequence[str], reading: str, *, characters: int
) -> None:
    """Puts the legend below the panels and makes the figure taller by as much."""
    labels = [for_axis(name) for name in names]
    widths = [8 + len(label) for label in labels] or [8]
    columns = len(widths) if sum(widths) <= characters else max(1, characters // max(widths))
    note = textwrap.fill(for_drawing(reading), characters + 8)  # smaller type
    # Labels are set afterwards: matplotlib would drop one that starts with an underscore, and typeset one with two $.
    legend = figure.legend(handles, [" "] * len(labels), loc="outside lower center", ncols=columns, title=note)
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set_text(label)
        text.set_parse_math(False)
    legend.get_title().set_parse_math(False)
    legend.get_title().set_fontsize("small")
    lines = math.ceil(len(labels) / columns) + note.count("\n") + 1
    figure.set_figheight(figure.get_figheight() + 0.18 * lines)


def _draw_runs(axes: Axes, correct: npt.NDArray[np.int64], total: int, place: int) -> None:
    colour = COLOURS[place % len(COLOURS)]
    if len(correct) <= _MAX_POINTS:
        # Multiples of the golden ratio spread neighbours evenly, and the same each time.
        heights = -0.1 + 0.45 * (np.arange(len(correct)) * (math.sqrt(5) - 1) / 2 % 1 - 0.5)
        axes.plot(correct / total, place + heights, "o", color=colour, markersize=4, alpha=0.55, markeredgewidth=0)
        return
    # Bins hold equally many of the counts that can occur; otherwise the histogram is combed.
    width = math.ceil((int(np.ptp(correct)) + 1) / MAX_BINS)
    bins, counts = np.unique((correct - correct[0]) // width, return_counts=True)
    at = (correct[0] + bins * width + (width - 1) / 2) / total
    axes.vlines(at, place + 0.15 - 0.6 * counts / counts.max(), place + 0.15, color=colour, linewidth=2.5, alpha=0.7)
