import html
import math
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from runs import ENVIRONMENT, make_run

import initcheck
from initcheck.bounds import load_bounds
from initcheck.records import group_runs
from initcheck.reporting import page, plots, svg
from initcheck.reporting.bounds import documented_cells
from initcheck.reporting.format import format_epochs, format_ordinal, format_percent, format_restarts, format_share
from initcheck.reporting.page import find, render_report, render_summary
from initcheck.statistics import Estimate

HOSTILE = "<script>alert('x')</script> $\\frac{1}{0}$ & \"q\""


def make_sweep(names=("zeros", "he_normal"), reseeds=6, planned=None, **changes):
    runs = [
        make_run(
            initializer=name,
            reseed=reseed,
            losses=(0.7, 0.5 + 0.05 * reseed, 0.4 + 0.05 * reseed),
            accuracies=(0.5, 0.6 + 0.05 * reseed * number, 0.7 + 0.05 * reseed * number),
            correct=(700, 250 + 5 * reseed * number),
            total=(1000, 300),
        )
        for number, name in enumerate(names)
        for reseed in range(reseeds)
    ]
    problem = replace(initcheck.PROBLEMS["iris"], **changes)
    return initcheck.Sweep(
        problem, group_runs(runs), 1, ENVIRONMENT, "initcheck run --seed 1", "an engine", planned or len(runs)
    )


class Tags(HTMLParser):
    """Gathers the tags of a page with their attributes."""

    def __init__(self, page):
        super().__init__()
        self.tags = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        """Keeps one tag."""
        self.tags.append((tag, dict(attributes)))


def test_the_page_needs_no_network_and_no_script():
    page = render_report(make_sweep())
    tags = Tags(page).tags
    assert not [tag for tag, _ in tags if tag in {"script", "link", "img", "iframe", "object", "embed"}]
    for _, attributes in tags:
        for name, value in attributes.items():
            assert name not in {"src", "srcset"}
            assert not name.startswith("on")
            assert name != "href" or value.startswith("#")
    assert "@import" not in page
    assert "url(" not in re.sub(r"url\(#", "", page)


def test_the_page_shows_the_numbers_of_the_sweep():
    page = html.unescape(render_report(make_sweep()))
    for text in ("he_normal", "0.833", "initcheck run --seed 1", "a processor × 2", "2.21.0", "Clopper"):
        assert text in page
    assert "Interrupted" not in page


def test_every_figure_has_an_alternative_text_and_its_ids_are_its_own():
    tags = Tags(render_report(make_sweep())).tags
    figures = [attributes for tag, attributes in tags if tag == "svg"]
    assert len(figures) == 3
    assert all(figure["role"] == "img" and "he_normal" in figure["aria-label"] for figure in figures)
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_hostile_names_are_shown_as_they_are_written():
    sweep = make_sweep(names=(HOSTILE, "b"), name=HOSTILE, title=HOSTILE, source=HOSTILE)
    sweep = replace(sweep, command=f"initcheck run --problem {HOSTILE}", environment=replace(ENVIRONMENT, cpu=HOSTILE))
    for text in (render_report(sweep), render_summary(sweep)):
        assert "<script" not in text
        assert html.escape(HOSTILE, quote=False)[:20] in text


def test_an_interrupted_sweep_says_so():
    told = " ".join(re.sub(r"<[^>]*>", "", render_report(make_sweep(planned=99))).split())
    assert "Interrupted. 12 of 99" in told


def test_one_run_of_one_epoch_makes_a_page():
    sweep = replace(make_sweep(), groups=group_runs([make_run(losses=(0.7,))]), planned=1)
    assert "Too few runs" in find(sweep)[0]
    assert "<svg" in render_report(sweep)
    assert sweep.plot().axes


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_runs_that_diverge_are_shown_and_counted(loss):
    diverged = make_run(initializer="zeros", losses=(0.7, loss, loss), reseed=9)
    page = render_report(replace(make_sweep(), groups=group_runs([diverged, *make_sweep().runs])))
    assert "inf or NaN" in page
    assert "zeros 1 of 7" in " ".join(re.sub(r"<[^>]*>", " ", page).split())  # a line may break between the words


def test_nothing_is_clipped_out_of_sight():
    sweep = make_sweep()
    for axes, metric in zip(sweep.plot().axes, ("loss", "accuracy"), strict=True):
        low, high = axes.get_ylim()
        values = sweep.epochs_frame()[metric]
        assert low <= values.min()
        assert values.max() <= high


def test_findings_claim_no_more_than_the_intervals():
    equal = make_sweep(names=("he_normal", "lecun_uniform"))
    runs = [replace(run, test_correct=250 + run.reseed) for run in equal.runs]
    assert "No initializer clearly comes out best" in find(replace(equal, groups=group_runs(runs)))[0]
    runs = [replace(run, test_correct=100 + 100 * (run.initializer == "he_normal")) for run in equal.runs]
    assert "he_normal (100 %" in find(replace(equal, groups=group_runs(runs)))[0]


def test_a_grid_says_where_the_spread_comes_from_and_calls_none_best():
    runs = [
        replace(make_run(initializer=name, reseed=reseed, correct=(7, reseed * spread)), order=order)
        for name, spread in (("zeros", 0), ("he_normal", 1))
        for reseed in range(4)
        for order in (1, 2, 3)
    ]
    sweep = replace(make_sweep(), groups=group_runs(runs))
    first, second = find(sweep)
    assert first.startswith("Of the variance of he_normal's held-out accuracy, which spreads most, 100 %")
    assert "no initializer is called best" in second
    page = render_report(sweep)
    assert "Where the spread comes from" in page
    assert "Where the spread comes from" not in render_report(make_sweep())


@pytest.mark.slow
def test_ten_thousand_runs_stay_a_small_page():
    sweep = make_sweep(names=("a",), reseeds=6)
    runs = tuple(replace(sweep.runs[n % 6], reseed=n, test_correct=n % 300) for n in range(3000))
    assert len(render_report(replace(sweep, groups=group_runs(runs)))) < 1_000_000


NAN = math.nan


def make(runs, planned=None):
    return initcheck.Sweep(
        initcheck.PROBLEMS["iris"], group_runs(runs), 1, ENVIRONMENT, "a command", "an engine", planned or len(runs)
    )


def one_each():
    return [make_run(initializer=name, correct=(7, right)) for name, right in (("zeros", 3), ("ones", 4))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (format_share(Estimate(0.8361, 0.7811, 0.8829)), "0.836 [0.781, 0.883]"),
        (format_share(Estimate(0.5, NAN, NAN)), "0.500"),
        (format_share(Estimate(NAN, NAN, NAN)), "–"),
        (format_percent(Estimate(0.375, 0.19, 0.58)), "38 % [19, 58]"),
        (format_epochs(Estimate(9, 7, math.inf), 15), "9 [7, > 15]"),
        (format_epochs(Estimate(math.inf, math.inf, math.inf), 15), "> 15 [> 15, > 15]"),
        (format_restarts(Estimate(math.inf, 10, math.inf)), "never [≥ 10]"),
        (format_restarts(Estimate(1, 1, 3)), "1 [1, 3]"),
    ],
)
def test_estimates_are_shown_no_finer_than_their_error(text, expected):
    assert text == expected


def test_nothing_is_concluded_from_one_run_of_each():
    assert [sentence.split(":")[0] for sentence in page.find(make(one_each()))] == [
        "Too few runs to tell an initializer from its seed"
    ]


def test_a_sweep_without_a_finished_run_makes_a_page_that_says_so():
    assert "No run has finished." in page.render_report(make([], planned=4))


def test_every_number_in_the_finding_bears_its_interval():
    falling = [0.7 * 0.9**n for n in range(8)]
    runs = [
        make_run(initializer=name, correct=(7, r % 5), reseed=r, losses=falling)
        for name in ("a", "b")
        for r in range(8)
    ]
    best, spread, stuck = page.find(make(runs))
    assert "[" in best
    assert "standard deviation of" in spread
    assert "[" in spread
    assert "no smaller one" in stuck


def test_the_finding_calls_no_run_stuck_that_cannot_be_told():
    few = [0.7, 0.69]
    runs = [make_run(initializer=name, correct=(7, r % 5), reseed=r, losses=few) for name in "ab" for r in range(8)]
    told = page.find(make(runs))[2]
    assert told == "Whether runs are stuck cannot be told from 2 epochs: train for 8 or more."
    diverged = make_run(initializer="a", reseed=9, losses=[0.7, math.nan])
    told = page.find(make([*runs, diverged]))[2]
    assert told == "Stuck are 1 of 1 run: a 1 of 1; of 16 more it cannot be told from 2 epochs."


def test_dollar_signs_underscores_and_line_breaks_do_not_reach_mathtext():
    names = ("_hidden", "$\\frac{$", "two\nlines", "\x00")
    figure = plots.figure_strip(make([make_run(initializer=name) for name in names]))
    drawn = svg.to_svg(figure, name="strip", alt='"><script>')
    for shown in ("_hidden", "$\\frac{$", "two lines"):
        assert f">{shown}<" in drawn
    assert "<script" not in drawn


def test_the_same_figure_is_drawn_the_same_twice():
    sweep = make(one_each())
    first, second = (svg.to_svg(plots.figure_loss(sweep), name="loss", alt="loss") for _ in range(2))
    assert first == second


def test_losses_over_many_decades_get_a_logarithmic_axis_that_holds_them_all():
    left, _ = plots.plot_history(make([make_run(losses=(1e4, 0.1))])).axes
    assert left.get_yscale() == "log"
    assert left.get_ylim()[0] < 0.1 < 1e4 < left.get_ylim()[1]


def test_a_long_name_neither_cuts_the_figure_s_title_nor_vanishes():
    run = replace(make_run(), initializer="x" * 300)
    assert "x" * 300 in page.render_report(make([run]))
    assert "x…" in svg.to_svg(plots.figure_strip(make([run])), name="strip", alt="")


CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
# Tells in the page's title what was laid out: the page's own width, and that of its widest visible text.
PROBE = """<script>addEventListener('load', () => {
  const frame = document.querySelector('iframe').contentDocument;
  const svg = [...frame.querySelectorAll('svg')].map(one => one.getBoundingClientRect());
  const text = [...frame.querySelectorAll('svg text')].map(one => one.getBoundingClientRect().height);
  const rows = frame.querySelectorAll('table tbody')[0].rows.length;
  document.title = JSON.stringify({scroll: frame.documentElement.scrollWidth, rows,
    widest: Math.max(...svg.map(one => one.right)), shallowest: Math.min(...svg.map(one => one.height)),
    smallest: Math.min(...text)});
});</script>"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed to look at the page with")
@pytest.mark.parametrize("width", [400, 1280])
def test_a_browser_lays_the_page_out_within_its_width(tmp_path, width):
    import json

    sweep = make_sweep(names=("zeros", "a_rather_long_name_of_an_initializer", "he_normal"))
    (tmp_path / "report.html").write_text(render_report(sweep))
    # Chromium's window is never narrower than 500 pixels; a frame is as narrow as it is told.
    frame = f'<!doctype html>{PROBE}<iframe src="report.html" style="width:{width}px;height:900px;border:0"></iframe>'
    (tmp_path / "frame.html").write_text(frame)
    flags = (
        "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync "
        "--disable-component-update --disable-quic --allow-file-access-from-files --virtual-time-budget=5000"
    )
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [CHROMIUM, *flags.split(), profile, "--dump-dom", (tmp_path / "frame.html").as_uri()]
    page = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    told = json.loads(html.unescape(re.search(r"<title>(.*?)</title>", page).group(1)))
    assert told["scroll"] <= width  # nothing to scroll sideways for
    assert told["widest"] <= width
    assert told["rows"] == 3
    assert told["shallowest"] > 150
    assert told["smallest"] > 6  # pixels: legible still


def bounded_sweep(epochs):
    losses = tuple(1 / number for number in range(2, 2 + epochs))
    runs = [
        make_run(initializer="he_normal", reseed=reseed, losses=losses, correct=(50, right), total=(70, 30))
        for reseed, right in enumerate((25, 28, 2, 30))
    ]
    problem = initcheck.PROBLEMS["iris"]
    return initcheck.Sweep(problem, group_runs(runs), 1, ENVIRONMENT, "initcheck run", "an engine", len(runs))


def test_a_catalogued_training_is_shown_beside_its_documented_bounds():
    cells = documented_cells(bounded_sweep(initcheck.PROBLEMS["iris"].epochs))["he_normal"]
    counts = load_bounds().problems["iris"].initializers["he_normal"].counts
    low, high = counts.tolerance_interval(0.95)
    assert cells["95 of 100 reseeds"] == f"{low / 30:.3f} to {high / 30:.3f}"
    assert cells["outside here"] == f"{sum(not low <= right <= high for right in (25, 28, 2, 30))} of 4"
    assert cells["first reseed"] == f"{format_ordinal(round(counts.percentile_of(25)))} percentile"
    assert "Against the documented bounds" in render_report(bounded_sweep(initcheck.PROBLEMS["iris"].epochs))


def test_another_training_is_not_held_to_them():
    assert documented_cells(bounded_sweep(epochs=3)) == {}
    own = make_sweep(name="iris")
    assert documented_cells(own) == {}
    assert "Against the documented bounds" not in render_report(own)


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0th"), (1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (12, "12th"), (93, "93rd")]
)
def test_ordinals(number, told):
    assert format_ordinal(number) == told
