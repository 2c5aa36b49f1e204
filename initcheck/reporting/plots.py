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

from initcheck.reporting.format import format_count, has_interval
from initcheck.reporting.results import Sweep
from initcheck.reporting.svg import plot_style, to_svg

Values = npt.NDArray[np.float64]

# Okabe & Ito 2008 without yellow, which is too faint on white. With three line styles 21 initializers differ; the
# markers, whose number shares no factor with seven, tell them apart in grey as well.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000")
_LINES = ("-", "--", ":")
_MARKERS = "os^DvPX<>"
_INK = "#333333"

_PANEL_WIDTH = 4.6  # inches: 331 px, so that text keeps its size on a phone and grows on a screen
_MAX_POINTS = 200  # more runs than this are drawn as a histogram
_MAX_BINS = 60
_MAX_NAME = 40
_LOG_SPAN = 100  # losses that span more than these two decades get a logarithmic axis


class Plot(Figure):
    """A figure that notebooks show by itself: matplotlib leaves that to pyplot, which is not used here."""

    def _repr_svg_(self) -> str:
        return to_svg(self, name="plot", alt="Training by epoch")


def plot_history(sweep: Sweep) -> Figure:
    """The lecture's two panels side by side: training loss and training accuracy by epoch."""
    with plot_style():
        figure = Plot(figsize=(2.2 * _PANEL_WIDTH, 4.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        handles = _draw_panel(left, sweep, "loss")
        _draw_panel(right, sweep, "accuracy")
        figure.suptitle(textwrap.fill(_printable(sweep.problem.title), 110), fontsize=11, parse_math=False)
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
        figure = Figure(figsize=(_PANEL_WIDTH, 1.4 + 0.42 * len(groups)), layout="constrained")
        axes = figure.subplots()
        chance = axes.axvline(sweep.problem.chance, color=_INK, linestyle="--", linewidth=1)
        run: Artist = Line2D(
            [], [], color="#777777", linestyle="", marker="|" if many else "o", markersize=8 if many else 4
        )
        mean: Artist = Line2D([], [], color=_INK, marker="D", markerfacecolor="white")
        for place, (runs, answer) in enumerate(zip(groups, sweep.answers, strict=True)):
            _draw_runs(axes, np.sort(runs.test_correct), runs.test_total, place)
            middle = answer.test_mean
            ends = (middle.low, middle.high) if has_interval(middle) else (middle.value, middle.value)
            axes.plot(ends, (place + 0.3, place + 0.3), color=_INK, linewidth=1.6)
            axes.plot(middle.value, place + 0.3, "D", color=_INK, markersize=4.5, markerfacecolor="white")
        axes.set_yticks(range(len(groups)), [_short(name) for name in _names(sweep)], parse_math=False)
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
        figure = Figure(figsize=(_PANEL_WIDTH, 3.2), layout="constrained")
        handles = _draw_panel(figure.subplots(), sweep, metric)
        _add_legend(figure, handles, _names(sweep), _reading(sweep, metric), characters=62)
    return figure


def _draw_panel(axes: Axes, sweep: Sweep, metric: str) -> list[Artist]:
    series = _series(sweep, metric)
    epochs = max((array.shape[1] for array in series), default=1)
    top = _set_limits(axes, np.concatenate([np.ravel(array) for array in series] or [np.array([])]))
    handles: list[Artist] = []
    for number, values in enumerate(series):
        x = np.arange(1, epochs + 1, dtype=np.float64)
        if epochs == 1:  # a point has no width: give each initializer its own short stretch beside the others
            x = 1 + 0.8 * ((number + np.array([0.1, 0.9])) / len(series) - 0.5)
            values = np.repeat(values, 2, axis=1)
        ordered = np.sort(values, axis=0)  # order statistics need no interpolation, which infinite losses would spoil
        lowest, low, median, high, highest = (
            ordered[max(0, math.ceil(share * len(ordered)) - 1)] for share in (0, 0.1, 0.5, 0.9, 1)
        )
        colour = _COLOURS[number % len(_COLOURS)]
        strength = min(1.0, len(_COLOURS) / len(series))  # many bands must not hide the medians
        for edge, dashes, opacity in ((low, "-", 0.6), (high, "-", 0.6), (lowest, ":", 0.5), (highest, ":", 0.5)):
            axes.plot(x, np.minimum(edge, top), color=colour, linestyle=dashes, linewidth=0.7, alpha=opacity * strength)
        # Edges carry the band: overlapping fills would mix to mud.
        axes.fill_between(
            x, np.minimum(low, top), np.minimum(high, top), color=colour, alpha=0.07 * strength**2, linewidth=0
        )
        step = max(1, epochs // 8)
        last = max(0, np.count_nonzero(np.isfinite(median)) - 1)
        handles += axes.plot(
            x,
            np.where(np.isfinite(median), median, np.nan),
            color=colour,
            linestyle=_LINES[number // len(_COLOURS) % len(_LINES)],
            marker=_MARKERS[number % len(_MARKERS)],
            markevery=sorted({*range(number % step, len(x), step), last}),
            zorder=2.5,
        )
    axes.set_xticks(_epoch_ticks(epochs))
    axes.set_xlim(1 - 0.02 * epochs - 0.4 * (epochs == 1), epochs + 0.02 * epochs + 0.4 * (epochs == 1))
    axes.set_xlabel("epoch")
    axes.set_title(f"Training {metric}" + ("" if axes.get_yscale() == "linear" else " (logarithmic axis)"))
    return handles


def _set_limits(axes: Axes, values: Values) -> float:
    """Scales the axis so that every finite value is inside, and returns its upper end."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return axes.get_ylim()[1]
    sizes = np.abs(finite[finite != 0])
    if len(sizes) and sizes.max() > _LOG_SPAN * sizes.min():
        if finite.min() > 0:
            axes.set_yscale("log")
        else:
            axes.set_yscale("symlog", linthresh=sizes.min())
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    scale = axes.yaxis.get_transform()
    low, high = scale.transform([finite.min(), finite.max()])
    margin = 0.05 * (high - low) or 0.05
    bottom, top = scale.inverted().transform([low - margin, high + margin])
    axes.set_ylim(bottom, top)
    return float(top)


def _epoch_ticks(epochs: int) -> list[int]:
    step = next(factor * 10**power for power in range(20) for factor in (1, 2, 5) if epochs <= 8 * factor * 10**power)
    return [1, *range(step if step > 1 else 2, epochs + 1, step)]


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
        f"{_short(name)} {np.isinf(array).any(axis=1).sum()} of {len(array)}"
        for name, array in zip(_names(sweep), _series(sweep, metric), strict=True)
        if np.isinf(array).any()
    ]
    return text + (f"; runs whose loss became inf or NaN, counted as above: {', '.join(diverged)}" if diverged else "")


def _add_legend(
    figure: Figure, handles: Sequence[Artist], names: Sequence[str], reading: str, *, characters: int
) -> None:
    """Puts the legend below the panels and makes the figure taller by as much."""
    labels = [_short(name) for name in names]
    widths = [8 + len(label) for label in labels] or [8]
    columns = len(widths) if sum(widths) <= characters else max(1, characters // max(widths))
    note = textwrap.fill(_printable(reading), characters + 8)  # smaller type
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
    colour = _COLOURS[place % len(_COLOURS)]
    if len(correct) <= _MAX_POINTS:
        # Multiples of the golden ratio spread neighbours evenly, and the same each time.
        heights = -0.1 + 0.45 * (np.arange(len(correct)) * (math.sqrt(5) - 1) / 2 % 1 - 0.5)
        axes.plot(correct / total, place + heights, "o", color=colour, markersize=4, alpha=0.55, markeredgewidth=0)
        return
    # Bins hold equally many of the counts that can occur; otherwise the histogram is combed.
    width = math.ceil((int(np.ptp(correct)) + 1) / _MAX_BINS)
    bins, counts = np.unique((correct - correct[0]) // width, return_counts=True)
    at = (correct[0] + bins * width + (width - 1) / 2) / total
    axes.vlines(at, place + 0.15 - 0.6 * counts / counts.max(), place + 0.15, color=colour, linewidth=2.5, alpha=0.7)


def _short(name: str) -> str:
    name = _printable(name)
    return name if len(name) <= _MAX_NAME else name[: _MAX_NAME - 1] + "…"


def _printable(text: str) -> str:
    """One line without control characters, which XML forbids."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in " ".join(text.split()))
