"""The documented bounds as tables, as the page docs/bounds.md and as its picture."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from urllib.parse import quote

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from initcheck.bounds import CONTENTS, Bound, Bounds, Calibration, load_bounds, write_bounds
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.problem_facts import is_catalogued
from initcheck.records import ACCURACY, Runs
from initcheck.reporting.format import format_ordinal, format_percent
from initcheck.reporting.results import Sweep
from initcheck.reporting.svg import plot_style, to_svg
from initcheck.reporting.templating import markdown_templates
from initcheck.statistics.counts import Counts
from initcheck.texts import for_axis


# What each column means, in the words of somebody who trains networks.
def bound_columns(score: str = ACCURACY.name) -> dict[str, str]:
    """Column title → its meaning, for runs that are judged by that score."""
    constant = "naming the commonest class" if score == ACCURACY.name else "the best constant answer"
    one = f"an {score}" if score == ACCURACY.name else f"a {score}"
    return {
        "mean": f"average {score} on the held-out rows over all reseeds; ± is its standard error",
        "standard deviation": f"how far one reseed's {score} typically lies from that average; 95 % confidence "
        "interval",
        "95 of 100 reseeds": f"at least 95 % of all reseeds end with {one} in this range (confidence 95 %); a result "
        "outside of it is a rare seed, or a change",
        "99 of 100": "the same for 99 %",
        "collapsed": f"share of reseeds that end no better on the training rows than {constant}; 95 % Clopper–Pearson "
        "interval",
    }


COLUMNS = tuple(bound_columns())


def bound_cells(bound: Bound, rows: int) -> dict[str, str]:
    """The cells of one initializer's row: column title → text.

    Args:
        bound: The results of its reseeds.
        rows: The held-out rows.
    """
    counts, scale = bound.counts, bound.scale(rows)
    ends = ".3f" if bound.unit is None else ".4g"
    form = _form(bound)
    ranges = [[f"{value * scale:{ends}}" for value in counts.tolerance_interval(content)] for content in CONTENTS]
    low, high = (value * scale for value in counts.stddev_interval)
    texts = (
        f"{_mean(bound, rows)} ± {counts.stddev * scale / counts.n**0.5:{form}}",
        _stddev(bound, rows) + (f" [{low:{form}}, {high:{form}}]" if counts.stddev else ""),
        *(" to ".join(ends) for ends in ranges),
        format_percent(bound.collapse_rate),
    )
    return dict(zip(COLUMNS, texts, strict=True))


def _form(bound: Bound) -> str:
    """The format of a number: four decimals of a share, four digits of any other score."""
    return ".4f" if bound.unit is None else ".4g"


def _mean(bound: Bound, rows: int) -> str:
    return f"{bound.counts.mean * bound.scale(rows):{_form(bound)}}"


def _stddev(bound: Bound, rows: int) -> str:
    return f"{bound.counts.stddev * bound.scale(rows):{_form(bound)}}" if bound.counts.stddev else "0"


def describe_calibration(problem: str, calibration: Calibration) -> str:
    """Describes the calibration of a problem in one sentence."""
    most = max(bound.counts.n for bound in calibration.initializers.values())
    where = ", ".join(
        f"{name} {calibration.environment[name]}" for name in ("tensorflow", "keras") if name in calibration.environment
    )
    return (
        f"{most:,} reseeds of each initializer on {problem}, {calibration.held_out_rows} rows held out; root seed "
        f"{calibration.seed}, {where}, {calibration.date}"
    )


def picture_of(bounds: Bounds) -> str:
    """A panel for each problem, as SVG: where 95 and 99 of 100 reseeds end, and their mean.

    It carries the digest of what it shows, so that a test can detect that it is out of date.
    """
    panels = bounds.problems
    heights = [1 + 0.26 * len(calibration.initializers) for calibration in panels.values()]
    with plot_style():
        figure = Figure(figsize=(7.2, sum(heights)), layout="constrained")
        axes = figure.subplots(len(panels), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
        for own, (problem, calibration) in zip(axes, panels.items(), strict=True):
            _draw(own, problem, calibration.initializers, calibration.held_out_rows, calibration.score)
    alt = "For each problem and initializer: the mean held-out accuracy, and where 95 and 99 of 100 reseeds end"
    return to_svg(figure, name="bounds", alt=alt).replace(">", f"><!-- {digest_of(bounds)} -->", 1)


def digest_of(bounds: Bounds) -> str:
    """A digest of the bounds file's text."""
    return hashlib.blake2b(write_bounds(bounds).encode(), digest_size=16).hexdigest()


def _draw(axes: Axes, problem: str, initializers: Mapping[str, Bound], rows: int, score: str) -> None:
    for place, bound in enumerate(initializers.values()):
        for content, width in zip(CONTENTS, (5, 1.5), strict=True):
            low, high = (value * bound.scale(rows) for value in bound.counts.tolerance_interval(content))
            axes.plot((low, high), (place, place), color="#0072B2", linewidth=width, alpha=0.55, solid_capstyle="butt")
        axes.plot(
            bound.counts.mean * bound.scale(rows), place, "D", color="#333333", markersize=4, markerfacecolor="white"
        )
    axes.set_yticks(range(len(initializers)), [for_axis(name) for name in initializers])
    axes.set_ylim(len(initializers) - 0.4, -0.6)
    if score == ACCURACY.name:
        axes.set_xlim(-0.02, 1.02)
    axes.grid(visible=False, axis="y")
    axes.set_title(f"{for_axis(problem)}: held-out {score}; thick 95 of 100 reseeds, thin 99, diamond the mean")


def render_markdown(bounds: Bounds, picture: str) -> str:
    """The page ``docs/bounds.md``; ``picture`` is where its picture lies beside it."""
    problems = [
        (
            problem,
            describe_calibration(problem, calibration),
            [(name, _numbers(bound, calibration.held_out_rows)) for name, bound in calibration.initializers.items()],
        )
        for problem, calibration in bounds.problems.items()
    ]
    template = markdown_templates().get_template("bounds.md.j2")
    return template.render(problems=problems, columns=bound_columns(), picture=Markup(quote(picture))) + "\n"


def _numbers(bound: Bound, rows: int) -> dict[str, Markup]:
    """The cells of one row: no text but our own, whose brackets Markdown reads as they are."""
    return {title: Markup(cell) for title, cell in bound_cells(bound, rows).items()}


PLACES = {
    "documented mean": "average held-out accuracy of the reseeds at calibration",
    "documented sd": "their standard deviation",
    "95 of 100 reseeds": "where at least 95 % of all reseeds end (confidence 95 %)",
    "outside here": "runs of this sweep that end elsewhere; the bounds are those of the frozen order",
    "first reseed": "where this sweep's first run lies among the reseeds at calibration: half of those that equal it "
    "counted as below",
}


def documented_cells(sweep: Sweep) -> dict[str, dict[str, str]]:
    """Initializer → its documented bounds beside this sweep's runs; empty where the bounds are of another training.

    They hold for a problem of the catalogue and its own number of epochs.
    """
    if not is_catalogued(sweep.problem):
        return {}
    calibration = load_bounds().problems.get(sweep.problem.name)
    comparable = all(runs.epochs == sweep.problem.epochs for runs in sweep.groups)
    if calibration is None or not comparable:
        return {}
    return {
        runs.initializer: _place(runs, calibration.initializers[runs.initializer], calibration.held_out_rows)
        for runs in sweep.groups
        if runs.initializer in calibration.initializers
    }


def _place(runs: Runs, bound: Bound, rows: int) -> dict[str, str]:
    cells = bound_cells(bound, rows)
    counts = bound.counts
    random = INITIALIZERS[runs.initializer].law.random
    outside = Counts.of(runs.test_correct).outside(*counts.tolerance_interval(CONTENTS[0]))
    first = runs.test_correct[runs.reseeds.argmin()]
    texts = (
        _mean(bound, rows),
        _stddev(bound, rows),
        cells["95 of 100 reseeds"],
        f"{outside:,} of {len(runs):,}",
        f"{format_ordinal(round(counts.percentile_of(first)))} percentile" if random else "nothing is random",
    )
    return dict(zip(PLACES, texts, strict=True))
