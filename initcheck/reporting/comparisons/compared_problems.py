"""Each problem of a comparison, as the page shows it: curves, accuracies, and the ladder of stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.figure import Figure

from initcheck.baselines.comparing.classes import Class, worst
from initcheck.baselines.comparing.comparison import ComparedCell, Comparison, Section, Side, Step
from initcheck.baselines.records.schema import ProblemRecord
from initcheck.baselines.records.training_records import STAGES
from initcheck.reporting.bands import COLOURS, GLYPHS, MARKERS
from initcheck.reporting.comparisons import comparison_plots as plots
from initcheck.reporting.comparisons.compared_trainings import Training, TrainingMetric, fitted_loss, training_of
from initcheck.reporting.svg import to_svg
from initcheck.texts import for_drawing

MOST_DRAWN = 4  # problems whose curves are drawn, the worst first: a panel costs a twentieth of a second

Sides = Mapping[Side, ProblemRecord]
_SHOWN = (Section.TRACES, Section.GIVEN, Section.FITS, Section.ACCURACIES)


@dataclass(frozen=True)
class Rung:
    """A stage of a ladder.

    Attributes:
        step: The stage in both baselines; None where the training has no such stage.
        first: Whether it is the first that differs.
    """

    step: Step | None
    first: bool


@dataclass(frozen=True)
class Drawing:
    """A figure as SVG, and how to read it; without a figure it says why there is none."""

    svg: Markup
    caption: str


@dataclass(frozen=True)
class ProblemSection:
    """A problem.

    Attributes:
        name: Its name.
        legend: Initializer → its colour and its mark in the curves.
        curves: By turns of the old environment and of the new one.
        spread: The accuracies over reseeds; None where none are drawn.
        fits: The losses in ``fit``'s own order; None where they do not differ.
        ladders: Cells of the trainings with their rungs, one for each of ``STAGES``.
        accuracies: Cells of the accuracies.
        notes: Further facts.
    """

    name: str
    legend: Mapping[str, tuple[str, str]]
    curves: tuple[Drawing, ...]
    spread: Drawing | None
    fits: Drawing | None
    ladders: tuple[tuple[ComparedCell, tuple[Rung, ...]], ...]
    accuracies: tuple[ComparedCell, ...]
    notes: tuple[str, ...]


def problems_of(comparison: Comparison) -> list[ProblemSection]:
    """All problems, in the baselines' order."""
    recorded = {Side.OLD: comparison.old.problems, Side.NEW: comparison.new.problems}
    sides = {
        name: {side: problems[name] for side, problems in recorded.items() if name in problems}
        for name in {**comparison.old.problems, **comparison.new.problems}
    }
    shown = [cell for cell in comparison.cells if cell.section in _SHOWN]
    cells = {name: [cell for cell in shown if cell.key.problem == name] for name in sides}
    ranked = sorted(cells, key=lambda name: -worst(cell.found for cell in cells[name]).rank)
    return [
        _problem(f"problem{number}", name, own, cells[name], drawn=name in ranked[:MOST_DRAWN])
        for number, (name, own) in enumerate(sides.items())
    ]


def _initializers(sides: Sides) -> list[str]:
    return list({row: None for one in sides.values() for row in (*one.traces, *one.fits, *one.accuracies)})


def _problem(key: str, name: str, sides: Sides, cells: list[ComparedCell], *, drawn: bool) -> ProblemSection:
    rows = _initializers(sides)
    notes = [
        f"{cell.name}: {cell.note}" for cell in cells if cell.section is not Section.ACCURACIES and not cell.ladder
    ]
    if not drawn:
        notes.append(f"Curves are drawn for {MOST_DRAWN} problems, those that differ most; this one's are left out.")
    return ProblemSection(
        name=name,
        legend={
            row: (COLOURS[place % len(COLOURS)], GLYPHS[MARKERS[place % len(MARKERS)]])
            for place, row in enumerate(rows)
        },
        curves=tuple(_curves(key, name, sides, rows)) if drawn else (),
        spread=_spread(key, name, sides, rows) if drawn else None,
        fits=_fits(key, name, sides, cells) if drawn else None,
        ladders=tuple((cell, tuple(_rungs(cell))) for cell in cells if cell.ladder),
        accuracies=tuple(cell for cell in cells if cell.section is Section.ACCURACIES),
        notes=tuple(notes),
    )


def _rungs(cell: ComparedCell) -> Iterator[Rung]:
    steps = {step.stage: step for step in cell.ladder}
    for stage in STAGES:
        yield Rung(steps.get(stage), first=stage is cell.stage)


def _curves(key: str, name: str, sides: Sides, rows: list[str]) -> Iterator[Drawing]:
    # Bands are compared with bands only: where one side has none, both show their seeded runs.
    reseeds = all(one.accuracies for one in sides.values())
    for metric in TrainingMetric:
        trainings = {side: training_of(one, metric, reseeds=reseeds) for side, one in sides.items()}
        for side, other in ((Side.OLD, Side.NEW), (Side.NEW, Side.OLD)):
            shown = trainings.get(side)
            if shown is None:
                yield Drawing(Markup(), f"No training was recorded in the {side} environment.")
                continue
            figure = plots.figure_curves(shown, trainings.get(other), rows, metric, side)
            title = f"{side} {plots.TITLES[metric]} of {name} by epoch, for {', '.join(shown.bands)}"
            yield _drawing(figure, f"{key}{metric}{side}", title, _reading(shown, side, trainings.get(other)))


def _reading(shown: Training, side: Side, other: Training | None) -> str:
    if shown.runs > 1:
        text = f"Line: median of up to {shown.runs:,} reseeds; band: where 8 in 10 of them lie."
    else:
        text = "One seeded run of each initializer, as not both environments have reseeds."
    return text + (" Dotted black: the old lines." if side is Side.NEW and other else "")


def _spread(key: str, name: str, sides: Sides, rows: list[str]) -> Drawing | None:
    accuracies = {side: one.accuracies for side, one in sides.items()}
    if not any(accuracies.values()):
        return None
    held_out = max(one.held_out_rows for one in sides.values())
    recorded = [row for row in rows if any(row in one for one in accuracies.values())]
    figure = plots.figure_spread(accuracies.get(Side.OLD, {}), accuracies.get(Side.NEW, {}), recorded, held_out)
    title = f"Held-out accuracies of {name} over reseeds, old and new, for {', '.join(recorded)}"
    missing = [side for side in Side if not accuracies.get(side)]
    caption = (
        "The higher above its line, the more of the old runs ended so; the deeper below, the more of the new ones."
        " Where both are equal, upper and lower half are mirror images."
    )
    if missing:
        caption = f"No reseeds were recorded in the {missing[0]} environment: there is nothing to compare these with."
    return _drawing(figure, f"{key}spread", title, caption)


def _fits(key: str, name: str, sides: Sides, cells: list[ComparedCell]) -> Drawing | None:
    differing = [cell for cell in cells if cell.section is Section.FITS and cell.found is not Class.IDENTICAL]
    old, new = (sides[side].fits if side in sides else {} for side in Side)
    for row in old:
        losses = [fitted_loss(one[row]) for one in (old, new) if row in one]
        if differing and len(losses) == 2 and losses[0] and losses[1]:
            figure = plots.figure_fits(losses[0], losses[1], row)
            notes = "; ".join(cell.note or cell.found.value for cell in differing)
            caption = f"One seeded training as a user writes it, with fit's own shuffling. Old and new: {notes}."
            return _drawing(figure, f"{key}fits", f"Training losses of {name} in fit's own order, old and new", caption)
    return None


def _drawing(figure: Figure, key: str, title: str, caption: str) -> Drawing:
    # The drawing's own writer has escaped every text and attribute.
    return Drawing(Markup(to_svg(figure, name=key, alt=for_drawing(title))), caption)
