"""The panels of a sweep: loss and score by epoch, and the held-out scores over reseeds."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator

from initcheck.records import Runs
from initcheck.reporting.bands import (
    COLOURS,
    INK,
    MAX_BINS,
    PANEL_WIDTH,
    Values,
    draw_band,
    draw_bands,
    label_epochs,
    scale_axis,
    title_axes,
)
from initcheck.reporting.curves import MOST_TOGETHER, READING_APART, Curve, Curves, curves_of, diverged, reading
from initcheck.reporting.format import format_level, has_interval
from initcheck.reporting.results import Sweep
from initcheck.reporting.svg import plot_style, to_svg
from initcheck.texts import for_axis, for_drawing

_MAX_RUNS, _MAX_POINTS = 200, 1500  # of an initializer, of all: more are drawn as histograms
_MOST_COLUMNS = 5  # of small panels side by side
_SMALL = (2.15, 1.65)  # inches of a small panel: 155 points, so that two of them stand side by side on a phone
_TITLE, _HEADING, _NAME, _BETWEEN = 0.4, 0.25, 0.25, 0.12  # inches of a figure of them
_MOST_NAME = 24  # characters above a small panel
_SMALL_SPAN = 10  # one far run must not press all others flat: beyond this factor small panels get a logarithmic axis
_FEW_DECADES = 100  # below this factor powers of ten alone are too few ticks
_MARGINS = {"left": 0.44, "right": 0.13, "bottom": 0.36, "top": 0.06}  # inches of it


class Plot(Figure):
    """A figure that notebooks show by itself: matplotlib leaves that to pyplot, which is not used here."""

    def _repr_svg_(self) -> str:
        return to_svg(self, name="plot", alt="Training by epoch")


def plot_history(sweep: Sweep) -> Figure:
    """Loss and score by epoch, as the lecture draws them; more than three initializers get a panel each."""
    both = [curves_of(sweep.groups, metric) for metric in shown_metrics(sweep)]
    with plot_style():
        return _plot_together(sweep, both) if len(sweep.groups) <= MOST_TOGETHER else _plot_apart(sweep, both)


def shown_metrics(sweep: Sweep) -> tuple[str, ...]:
    """The metrics that are drawn by epoch: the loss, and the score where it is another."""
    return tuple(dict.fromkeys(("loss", sweep.facts.score.name)))


def figure_together(curves: Curves, part: str) -> Figure:
    """One metric of a few initializers in one panel, of the training rows or of those held out."""
    with plot_style():
        figure = Figure(figsize=(PANEL_WIDTH, 2.9), layout="constrained")
        _draw_together(figure.subplots(), curves, part)
    return figure


def small_frame(curves: Curves) -> Figure:
    """Draws what all small panels of a metric share: the axes, and every initializer's training median, faint."""
    with plot_style():
        figure, axes = _small_figure()
        _prepare_small(axes, curves)
    return figure


def small_panels(curves: Curves) -> Iterator[Figure]:
    """Each initializer's curve without axes, to be put above the frame: one figure, drawn anew for each."""
    with plot_style():
        figure, axes = _small_figure()
        _prepare_small(axes, curves, frame=False)
        axes.set_axis_off()
        figure.set_frameon(False)  # what lies below is to be seen
    for curve in curves.curves:
        with plot_style():
            _draw_small(axes, curves, curve)
        yield figure
        for artist in [*axes.lines, *axes.collections]:
            artist.remove()


def figure_strip(sweep: Sweep) -> Figure:
    """Every run's final held-out score, one strip for each initializer, with the mean and its 95 % interval.

    Runs that ended with no number are left out, and said beside the name.
    """
    groups, score, chance = sweep.groups, sweep.facts.score, sweep.facts.chance
    many = sweep.finished > _MAX_POINTS or any(len(runs) > _MAX_RUNS for runs in groups)
    with plot_style():
        figure = Figure(figsize=(1.25 * PANEL_WIDTH, 1.2 + 0.4 * len(groups)), layout="constrained")
        axes = figure.subplots()
        run: Artist = Line2D(
            [], [], color="#777777", linestyle="", marker="|" if many else "o", markersize=8 if many else 4
        )
        mean: Artist = Line2D([], [], color=INK, marker="D", markerfacecolor="white")
        for place, (runs, answer) in enumerate(zip(groups, sweep.answers, strict=True)):
            _draw_runs(axes, np.sort(runs.test_score[np.isfinite(runs.test_score)]), place, many=many, of=_grid(runs))
            middle = answer.test_mean
            ends = (middle.low, middle.high) if has_interval(middle) else (middle.value, middle.value)
            axes.plot(ends, (place + 0.3, place + 0.3), color=INK, linewidth=1.6)
            axes.plot(middle.value, place + 0.3, "D", color=INK, markersize=4.5, markerfacecolor="white")
        axes.set_yticks(range(len(groups)), [for_axis(runs.initializer) + _left_out(runs) for runs in groups])
        axes.set_ylim(len(groups) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(for_drawing(f"held-out {score.name} of the final weights"))
        names = ["runs: taller, more of them" if many else "one run", "mean, 95 % interval"]
        handles = [run, mean]
        if chance is not None:
            handles.append(axes.axvline(chance, color=INK, linestyle="--", linewidth=1))
            names.append(f"{'chance' if score.counted else 'best constant answer'}, {format_level(chance, score)}")
        _add_legend(figure, handles, names, "", characters=75)
    return figure


def _plot_together(sweep: Sweep, both: Sequence[Curves]) -> Figure:
    figure = Plot(figsize=(2.2 * PANEL_WIDTH, 4.4), layout="constrained")
    handles: list[Artist] = []
    for axes, curves in zip(figure.subplots(1, len(both)), both, strict=True):
        handles = _draw_together(axes, curves, "training")
    _title(figure, sweep)
    ill = [f"{for_axis(curve.name)}: {text}" for curve in both[0].curves if (text := diverged(curve))]
    note = "; ".join([reading(sweep.groups), *(f"{text}, counted as above" for text in ill)])
    _add_legend(figure, handles, [curve.name for curve in both[0].curves], note, characters=125)
    return figure


def _plot_apart(sweep: Sweep, both: Sequence[Curves]) -> Figure:
    columns = min(_MOST_COLUMNS, len(sweep.groups))
    rows = math.ceil(len(sweep.groups) / columns)
    block = _HEADING + rows * (_NAME + _SMALL[1])
    height = _TITLE + len(both) * (block + _BETWEEN) + _NAME
    figure = Plot(figsize=(columns * _SMALL[0], height))
    _title(figure, sweep, y=1 - 0.05 / height)
    for place, curves in enumerate(both):
        top = height - _TITLE - place * (block + _BETWEEN)  # inches from the lower edge, as all below
        for number, curve in enumerate(curves.curves):
            row, column = divmod(number, columns)
            bottom = top - _HEADING - (row + 1) * (_NAME + _SMALL[1])
            axes = _small_axes(figure, column / columns, bottom / height)
            _prepare_small(axes, curves)
            _draw_small(axes, curves, curve)
            name = for_axis(curve.name)
            axes.set_title(name if len(name) <= _MOST_NAME else f"{name[: _MOST_NAME - 1]}…", fontsize=9)
            if text := diverged(curve):
                axes.text(0.98, 0.96, text, transform=axes.transAxes, ha="right", va="top", fontsize=7)
        scale = figure.axes[-1].get_yscale()
        heading = for_drawing(curves.metric.capitalize()) + ("" if scale == "linear" else " (logarithmic axis)")
        figure.text(0.008, top / height, heading, fontsize=11, fontweight="bold", va="top")
    note = "; ".join((reading(sweep.groups), *READING_APART))
    figure.text(0.008, 0.06 / height, note, fontsize=8, color=INK)
    return figure


def _title(figure: Figure, sweep: Sweep, **place: float) -> None:
    figure.suptitle(textwrap.fill(for_drawing(sweep.problem.title), 110), fontsize=11, **place)


def _draw_together(axes: Axes, curves: Curves, part: str) -> list[Artist]:
    scale_axis(axes, curves.values, curves.metric)
    handles = draw_bands(axes, curves.epochs, [curve.bands[part] for curve in curves.curves])
    title_axes(axes, for_drawing(f"{part.capitalize()} {curves.metric}"))
    return handles


def _small_figure() -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SMALL)
    return figure, _small_axes(figure, 0, 0)


def _small_axes(figure: Figure, left: float, bottom: float) -> Axes:
    """Axes of a small panel whose lower left corner is at that share of the figure."""
    width, height = figure.get_size_inches()
    sides = {"left": _SMALL[0], "bottom": _SMALL[1]}
    wide = sides["left"] - _MARGINS["left"] - _MARGINS["right"]
    tall = sides["bottom"] - _MARGINS["bottom"] - _MARGINS["top"]
    corner = (left + _MARGINS["left"] / width, bottom + _MARGINS["bottom"] / height)
    return figure.add_axes((*corner, wide / width, tall / height))


def _prepare_small(axes: Axes, curves: Curves, *, frame: bool = True) -> None:
    """Scales a small panel, the same for all of a metric, and draws what all of them share."""
    scale_axis(axes, curves.values, curves.metric, log_span=_SMALL_SPAN)
    label_epochs(axes, int(curves.epochs[-1]), most=4 if frame else 0)
    if not frame:
        return
    if axes.get_yscale() == "linear":
        axes.yaxis.set_major_locator(MaxNLocator(4))
    elif axes.get_yscale() == "log":
        low, high = axes.get_ylim()
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < _FEW_DECADES * low else (1,), numticks=6))
    axes.tick_params(labelsize=8, length=2, pad=2)
    axes.set_xlabel("epoch", fontsize=8, labelpad=1)
    for curve in curves.curves:
        x = _stretch(curves.epochs)
        axes.plot(x, _finite(curve.bands["training"].median, len(x)), color="#b4bbc2", linewidth=0.8)


def _draw_small(axes: Axes, curves: Curves, curve: Curve) -> None:
    x = _stretch(curves.epochs)
    training, held_out = curve.bands.values()
    draw_band(axes, x, training, curve.colour, fill=0.2, edge=0.7)
    axes.plot(x, _finite(training.median, len(x)), color=curve.colour, linewidth=1.8)
    axes.plot(x, _finite(held_out.median, len(x)), color=INK, linestyle=(0, (3, 1.6)), linewidth=1.1)


def _stretch(epochs: Values) -> Values:
    """A single epoch as a short stretch, as a point has no width."""
    return epochs if len(epochs) > 1 else epochs + np.array([-0.25, 0.25])


def _finite(line: Values, size: int) -> Values:
    whole = np.resize(line, size)
    return np.where(np.isfinite(whole), whole, np.nan)


def _add_legend(figure: Figure, handles: Sequence[Artist], names: Sequence[str], note: str, *, characters: int) -> None:
    """Puts the legend below the panels and makes the figure taller by as much."""
    labels = [for_axis(name) for name in names]
    widths = [8 + len(label) for label in labels] or [8]
    columns = len(widths) if sum(widths) <= characters else max(1, characters // max(widths))
    note = textwrap.fill(for_drawing(note), characters + 8)  # smaller type
    # Labels are set afterwards: matplotlib would drop one that starts with an underscore.
    legend = figure.legend(handles, [" "] * len(labels), loc="outside lower center", ncols=columns, title=note)
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set_text(label)
    legend.get_title().set_fontsize("small")
    lines = math.ceil(len(labels) / columns) + note.count("\n") + 1
    figure.set_figheight(figure.get_figheight() + 0.18 * lines)


def _left_out(runs: Runs) -> str:
    """How many of the runs ended with no number, to be written behind the name."""
    ill = int((~np.isfinite(runs.test_score)).sum())
    return f" ({ill:,} inf or NaN)" if ill else ""


def _grid(runs: Runs) -> int | None:
    """The number of values, less one, that a score from 0 to 1 can have; None where it can have any."""
    return runs.test_total if runs.score.counted else None


def _draw_runs(axes: Axes, scores: Values, place: int, *, many: bool, of: int | None) -> None:
    """Draws each run, or a histogram of many; scores are finite and ascending, multiples of 1/``of`` if given."""
    colour = COLOURS[place % len(COLOURS)]
    if not len(scores):
        return
    if not many:
        # Multiples of the golden ratio spread neighbours evenly, and the same each time.
        heights = -0.1 + 0.45 * (np.arange(len(scores)) * (math.sqrt(5) - 1) / 2 % 1 - 0.5)
        axes.plot(scores, place + heights, "o", color=colour, markersize=4, alpha=0.55, markeredgewidth=0)
        return
    # Bins hold equally many of the values that can occur; else the histogram is combed.
    step = 1 / of if of else float(np.ptp(scores)) / (MAX_BINS - 1) or 1.0
    places = np.rint((scores - scores[0]) / step).astype(np.int64)
    width = math.ceil((int(places[-1]) + 1) / MAX_BINS)
    bins, counts = np.unique(places // width, return_counts=True)
    at = scores[0] + (bins * width + (width - 1) / 2) * step
    axes.vlines(at, place + 0.15 - 0.6 * counts / counts.max(), place + 0.15, color=colour, linewidth=2.5, alpha=0.7)
