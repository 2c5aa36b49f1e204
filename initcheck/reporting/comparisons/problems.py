"""Each problem of a comparison, as the page shows it: curves, accuracies, and the ladder of stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.figure import Figure

from initcheck.baselines.comparing.comparison import Class, ComparedCell, Comparison, Step
from initcheck.baselines.records.schema import Baseline, ProblemRecord
from initcheck.baselines.records.training_records import STAGES
from initcheck.reporting.bands import COLOURS, GLYPHS, MARKERS
from initcheck.reporting.comparisons import plots
from initcheck.reporting.comparisons.texts import is_apart
from initcheck.reporting.comparisons.trainings import METRICS, Training, fitted_loss, training_of
from initcheck.reporting.svg import to_svg
from initcheck.texts import for_drawing

MOST_DRAWN = 4  # problems whose curves are drawn, the worst first: a panel costs a twentieth of a second

Sides = Mapping[str, ProblemRecord]


@dataclass(frozen=True)
class Rung:
    """A stage of a ladder.

    Attributes:
        step: What was found; None where the training has no such stage.
        first: Whether it is the first that differs.
        apart: Whether it was not compared, for the sake of an earlier stage.
    """

    step: Step | None
    first: bool
    apart: bool


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
        notes: What else there is to say.
    """

    name: str
    legend: Mapping[str, tuple[str, str]]
    curves: tuple[Drawing, ...]
    spread: Drawing | None
    fits: Drawing | None
    ladders: tuple[tuple[ComparedCell, tuple[Rung, ...]], ...]
    accuracies: tuple[ComparedCell, ...]
    notes: tuple[str, ...]


def problems_of(old: Baseline, new: Baseline, comparison: Comparison) -> list[ProblemSection]:
    """All problems, in the baselines' order."""
    cells = {(cell.section, cell.name): cell for cell in comparison.cells}
    sides = {
        name: {side: one.problems[name] for side, one in (("old", old), ("new", new)) if name in one.problems}
        for name in {**old.problems, **new.problems}
    }
    found = {name: list(_cells_of(cells, name, own)) for name, own in sides.items()}
    worst = sorted(found, key=lambda name: -max((cell.found.rank for cell in found[name]), default=0))[:MOST_DRAWN]
    return [
        _problem(f"problem{number}", name, own, found[name], drawn=name in worst)
        for number, (name, own) in enumerate(sides.items())
    ]


def _cells_of(cells: Mapping[tuple[str, str], ComparedCell], problem: str, sides: Sides) -> Iterator[ComparedCell]:
    names = [problem, *(f"{problem} {row}" for row in _initializers(sides))]
    return (cells[key, name] for key in ("traces", "fits", "accuracies") for name in names if (key, name) in cells)


def _initializers(sides: Sides) -> list[str]:
    return list({row: None for one in sides.values() for row in (*one.traces, *one.fits, *one.accuracies)})


def _problem(key: str, name: str, sides: Sides, cells: list[ComparedCell], *, drawn: bool) -> ProblemSection:
    rows = _initializers(sides)
    notes = [f"{cell.name}: {cell.note}" for cell in cells if cell.section != "accuracies" and not cell.ladder]
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
        accuracies=tuple(cell for cell in cells if cell.section == "accuracies"),
        notes=tuple(notes),
    )


def _rungs(cell: ComparedCell) -> Iterator[Rung]:
    steps = {step.stage: step for step in cell.ladder}
    for stage in STAGES:
        step = steps.get(stage)
        yield Rung(step, first=stage == cell.stage, apart=step is not None and is_apart(step))


def _curves(key: str, name: str, sides: Sides, rows: list[str]) -> Iterator[Drawing]:
    # Bands are held against bands only: where one side has none, both show their seeded runs.
    reseeds = all(one.accuracies for one in sides.values())
    for metric in METRICS:
        trainings = {side: training_of(one, metric, reseeds=reseeds) for side, one in sides.items()}
        for side, other in (("old", "new"), ("new", "old")):
            shown = trainings.get(side)
            if shown is None:
                yield Drawing(Markup(), f"No training was recorded in the {side} environment.")
                continue
            figure = plots.figure_curves(shown, trainings.get(other), rows, metric, side)
            title = f"{side} {plots.TITLES[metric]} of {name} by epoch, for {', '.join(shown.bands)}"
            yield _drawing(figure, f"{key}{metric}{side}", title, _reading(shown, side, trainings.get(other)))


def _reading(shown: Training, side: str, other: Training | None) -> str:
    if shown.runs > 1:
        text = f"Line: median of up to {shown.runs:,} reseeds; band: where 8 in 10 of them lie."
    else:
        text = "One seeded run of each initializer, as not both environments have reseeds."
    return text + (" Dotted black: the old lines." if side == "new" and other else "")


def _spread(key: str, name: str, sides: Sides, rows: list[str]) -> Drawing | None:
    accuracies = {side: one.accuracies for side, one in sides.items()}
    if not any(accuracies.values()):
        return None
    held_out = max(one.held_out_rows for one in sides.values())
    recorded = [row for row in rows if any(row in one for one in accuracies.values())]
    figure = plots.figure_spread(accuracies.get("old", {}), accuracies.get("new", {}), recorded, held_out)
    title = f"Held-out accuracies of {name} over reseeds, old and new, for {', '.join(recorded)}"
    missing = [side for side in ("old", "new") if not accuracies.get(side)]
    caption = (
        "The higher above its line, the more of the old runs ended so; the deeper below, the more of the new ones."
        " Where both are alike, upper and lower half are mirror images."
    )
    if missing:
        caption = f"No reseeds were recorded in the {missing[0]} environment: there is nothing to hold these against."
    return _drawing(figure, f"{key}spread", title, caption)


def _fits(key: str, name: str, sides: Sides, cells: list[ComparedCell]) -> Drawing | None:
    differing = [cell for cell in cells if cell.section == "fits" and cell.found is not Class.IDENTICAL]
    old, new = (sides[side].fits if side in sides else {} for side in ("old", "new"))
    for row in old:
        losses = [fitted_loss(one[row]) for one in (old, new) if row in one]
        if differing and len(losses) == 2 and losses[0] and losses[1]:
            figure = plots.figure_fits(losses[0], losses[1], row)
            told = "; ".join(cell.note or cell.found.value for cell in differing)
            caption = f"One seeded training as a user writes it, with fit's own shuffling. Old against new: {told}."
            return _drawing(figure, f"{key}fits", f"Training losses of {name} in fit's own order, old and new", caption)
    return None


def _drawing(figure: Figure, key: str, title: str, caption: str) -> Drawing:
    # The drawing's own writer has escaped every text and attribute.
    return Drawing(Markup(to_svg(figure, name=key, alt=for_drawing(title))), caption)
