"""The doctor's tables of signal by layer, first loss and seeds: as cells, on the screen, and the page's figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from initcheck.models.diagnosis import Diagnosis, FirstLoss, LayerSignal, ReseededScore
from initcheck.reporting.format import format_count, format_percent, has_interval
from initcheck.reporting.screen import Column, Screen
from initcheck.statistics.detectable import LEVEL, POWER
from initcheck.statistics.estimates import Estimate

_MOST_LAYERS = 16  # on the screen; the page has all
_FEW_ENDS = 2
_FEW_DECADES = 100  # below this factor powers of ten alone are too few ticks
_FLOOR = 1e-3  # of a value: how far its interval is drawn down on a logarithmic axis

SIGNAL_WORDS = {
    "scale": "the root mean square of what the layer returns, over rows and units; in theory depth does not change it",
    "gradient": "the norm of the loss's gradient by what the layer is given; likewise",
    "dead": "the share of relu units that are 0 for all rows: 50 % at most behind a symmetric kernel",
    "saturated": "the share of values of a sigmoid or tanh within 1 % of an end: a finding from 50 %",
}
SEEDS_WORDS = {
    "difference found": f"the smallest difference between two configurations that Welch's two-sided t test finds with "
    f"power {100 * POWER:.0f} % at α = {LEVEL:g}, with so many seeds each, for normal scores of the standard deviation "
    "measured; and for the upper end of its 95 % interval",
    "score": "after the few steps that trainings take here; after a whole training it may spread otherwise",
    "best seed": "by how much the best of so many seeds is expected to beat the mean: what a lucky seed shows",
}


@dataclass(frozen=True)
class TitledTable:
    """A table of the page: its caption, the titles of its columns, and its rows."""

    caption: str
    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def format_estimate(estimate: Estimate) -> str:
    """Three digits with the interval: ``0.12 [0.1, 0.14]``; the value alone where there is none."""
    if math.isnan(estimate.value):
        return ""
    interval = f" [{estimate.low:.3g}, {estimate.high:.3g}]" if has_interval(estimate) else ""
    return f"{estimate.value:.3g}{interval}"


def signal_table(layers: Sequence[LayerSignal]) -> TitledTable:
    """The signal by layer; columns that are empty throughout are left out."""
    rows = [
        {
            "layer": one.layer,
            "class": one.kind,
            "activation": one.activation,
            "scale": format_estimate(one.scale),
            "gradient": format_estimate(one.gradient),
            "dead": "" if one.dead is None else _share(one.dead),
            "saturated": "" if one.saturated is None else _share(one.saturated),
        }
        for one in layers
    ]
    titles = tuple(title for title in rows[0] if any(row[title] for row in rows)) if rows else ()
    return TitledTable("Signal by layer", titles, tuple(tuple(row[title] for title in titles) for row in rows))


def loss_table(losses: Sequence[FirstLoss]) -> TitledTable:
    """The first loss of each output."""
    titles = ("output", "loss", "before training", "best constant", "a finding beyond")
    rows = (
        (one.output or "–", one.loss, format_estimate(one.first), f"{one.constant:.4g}", f"{one.limit:.4g}")
        for one in losses
    )
    return TitledTable("First loss, and that of the best constant prediction for the same rows", titles, tuple(rows))


def seeds_table(score: ReseededScore) -> TitledTable:
    """What so many seeds find of one score."""
    titles = ("seeds each", "difference found", "best seed")
    rows = (
        (f"{one.seeds:,}", f"{one.detectable:.2g}, at most {one.at_most:.2g}", f"{one.lucky:.2g}")
        for one in score.table
    )
    return TitledTable(f"{score.name}: what so many seeds find", titles, tuple(rows))


def describe_score(score: ReseededScore) -> str:
    """One score over reseeds, in a line."""
    reseeds = format_count(len(score.values), "reseed")
    if score.spread.value == 0:
        return f"{score.name}: {score.mean.value:.4g} in each of {reseeds}"
    if math.isnan(score.spread.value):
        return f"{score.name}: no number in some of {reseeds}"
    spread = format_estimate(score.spread)
    return f"{score.name} over {reseeds}: mean {format_estimate(score.mean)}, standard deviation {spread}"


def main_score(scores: Sequence[ReseededScore]) -> ReseededScore:
    """The score that a claim is about: the first of them that varies."""
    return next((one for one in scores if one.table), scores[0])


def print_sections(diagnosis: Diagnosis, screen: Screen) -> None:
    """Prints the signal by layer, the first loss and the table of seeds, those that there are."""
    if diagnosis.signal:
        _print_table(_shortened(signal_table(diagnosis.signal)), screen)
        screen.gap()
    for one in diagnosis.first_losses:
        output = f" of {one.output}" if one.output else ""
        screen.line(
            ("First loss", "bold"),
            f"{output}: {one.loss} {format_estimate(one.first)}, of the best constant {one.constant:.4g}",
        )
    if diagnosis.scores:
        score = main_score(diagnosis.scores)
        screen.line(("How many seeds?", "bold"), f" {describe_score(score)}")
        if score.table:
            _print_table(seeds_table(score), screen)
            for title, meaning in SEEDS_WORDS.items():
                screen.line((title, "bold"), f": {meaning}")
    if diagnosis.first_losses or diagnosis.scores:
        screen.gap()


def _print_table(table: TitledTable, screen: Screen) -> None:
    columns = [Column(title, prose=title in ("layer", "output")) for title in table.titles]
    screen.table(table.caption, columns, table.rows)


def _shortened(table: TitledTable) -> TitledTable:
    """The first and the last layers of many."""
    if len(table.rows) <= _MOST_LAYERS:
        return table
    half = _MOST_LAYERS // _FEW_ENDS
    between = (f"… {len(table.rows) - 2 * half} more", *[""] * (len(table.titles) - 1))
    return TitledTable(table.caption, table.titles, (*table.rows[:half], between, *table.rows[-half:]))


def _share(estimate: Estimate) -> str:
    """In per cent; a t interval may go beyond what a share can be."""
    return format_percent(Estimate(estimate.value, max(0.0, estimate.low), min(1.0, estimate.high)))


def signal_figure(layers: Sequence[LayerSignal]) -> Markup | None:
    """The scale of signal and gradient by depth, with their intervals; None for fewer than three layers."""
    if len(layers) <= _FEW_ENDS:
        return None
    from matplotlib.figure import Figure  # heavy, and a notebook's tables do not need it
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    from initcheck.reporting.bands import COLOURS, PANEL_WIDTH
    from initcheck.reporting.svg import plot_style, to_svg

    with plot_style():
        figure = Figure(figsize=(PANEL_WIDTH, 3.0), layout="constrained")
        axes = figure.add_subplot()
        places = np.arange(1, len(layers) + 1)
        drawn = False
        for number, (label, marker, estimates) in enumerate(
            (
                ("root mean square of what the layer returns", "o", [one.scale for one in layers]),
                ("norm of the gradient by what it is given", "s", [one.gradient for one in layers]),
            )
        ):
            value, low, high = (np.array([getattr(one, end) for one in estimates]) for end in ("value", "low", "high"))
            seen = np.isfinite(value) & (value > 0)
            if not seen.any():
                continue
            drawn = True
            value, low, high = value[seen], np.fmax(low[seen], _FLOOR * value[seen]), high[seen]
            axes.fill_between(places[seen], low, np.fmax(high, value), color=COLOURS[number], alpha=0.2, linewidth=0)
            axes.plot(places[seen], value, marker=marker, color=COLOURS[number], label=label)
        if not drawn:
            return None
        axes.set_yscale("log")
        bottom, top = axes.get_ylim()
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if top < _FEW_DECADES * bottom else (1,)))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")  # a formula would be drawn as it is written
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("layer, in the order of calls")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.legend(loc="outside upper left")
    names = ", ".join(one.layer for one in layers[:_FEW_ENDS])
    alt = f"Scale of signal and gradient by layer, from {names} to {layers[-1].layer}, means with 95 % intervals"
    return Markup(to_svg(figure, name="signal", alt=alt))
