"""A sweep's drawings as the page shows them: curves by epoch, together or a panel each, and the accuracies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from initcheck.reporting import plots
from initcheck.reporting.bands import GLYPHS, MARKERS
from initcheck.reporting.curves import MOST_TOGETHER, PARTS, READING_APART, Curves, curves_of, diverged, reading
from initcheck.reporting.results import Sweep
from initcheck.reporting.svg import to_panels, to_svg


@dataclass(frozen=True)
class Panel:
    """A drawing and what is written above it."""

    svg: Markup
    title: str = ""
    colour: str = ""
    note: str = ""


@dataclass(frozen=True)
class Metric:
    """The drawings of one metric, and what its axis is."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Panels:
    """The drawings of the page.

    Attributes:
        metrics: Loss and score by epoch.
        separate: Whether each initializer has a panel of its own.
        legend: Name, colour and glyph of each initializer, where they share panels.
        reading: How to read a panel.
        strip: The held-out scores.
    """

    metrics: tuple[Metric, ...]
    separate: bool
    legend: tuple[tuple[str, str, str], ...]
    reading: str
    strip: Markup


def panels_of(sweep: Sweep) -> Panels:
    """All drawings of a sweep with at least one finished run."""
    both = [curves_of(sweep.groups, metric) for metric in plots.shown_metrics(sweep)]
    names = [runs.initializer for runs in sweep.groups]
    separate = len(names) > MOST_TOGETHER
    alt = f"Held-out {sweep.facts.score.name} of every run of {', '.join(names)}, with means and intervals"
    notes = [reading(sweep.groups)]
    if separate:
        notes += READING_APART
    else:
        notes += [f"{curve.name}: {text}, counted as above" for curve in both[0].curves if (text := diverged(curve))]
    return Panels(
        metrics=tuple(map(_apart if separate else _together, both)),
        separate=separate,
        legend=tuple(
            (curve.name, curve.colour, GLYPHS[MARKERS[place % len(MARKERS)]])
            for place, curve in enumerate(both[0].curves)
        ),
        reading="; ".join(notes),
        # The drawing's own writer has escaped every text and attribute.
        strip=Markup(to_svg(plots.figure_strip(sweep), name="strip", alt=alt)),
    )


def _together(curves: Curves) -> Metric:
    names = ", ".join(curve.name for curve in curves.curves)
    figures = {part: plots.figure_together(curves, part) for part in PARTS}
    panels = [
        Panel(
            Markup(
                to_svg(
                    figure,
                    name=f"{part.replace('-', '')}{_identifier(curves.metric)}",
                    alt=f"{part.capitalize()} {curves.metric} by epoch for {names}: medians, with bands over reseeds",
                )
            )
        )
        for part, figure in figures.items()
    ]
    return Metric(curves.metric.capitalize(), tuple(panels))


def _identifier(metric: str) -> str:
    """The metric's name as part of an identifier in the page; one that has no letters is a score."""
    return "".join(letter for letter in metric if letter.isascii() and letter.isalnum()) or "score"


def _apart(curves: Curves) -> Metric:
    frame = plots.small_frame(curves)
    drawn = to_panels(
        frame,
        plots.small_panels(curves),
        name=_identifier(curves.metric),
        alts=[
            f"{curves.metric.capitalize()} by epoch for {curve.name}: medians of training and held-out rows, with bands"
            for curve in curves.curves
        ],
    )
    scale = "" if frame.axes[0].get_yscale() == "linear" else " (logarithmic axis)"
    return Metric(curves.metric.capitalize() + scale, tuple(_titled(curves, drawn)))


def _titled(curves: Curves, drawn: Sequence[str]) -> list[Panel]:
    return [
        Panel(Markup(svg), curve.name, curve.colour, diverged(curve))
        for svg, curve in zip(drawn, curves.curves, strict=True)
    ]
