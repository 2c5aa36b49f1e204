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
from initcheck.reporting.page import findings, render_report, render_summary

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
    return initcheck.Sweep(problem, tuple(runs), 1, ENVIRONMENT, "initcheck run --seed 1", planned or len(runs))


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
    for text in ("he_normal", "0.833", "initcheck run --seed 1", "a processor × 2", "2.21.0", "12 runs", "Clopper"):
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
    for page in (render_report(sweep), render_summary(sweep)):
        assert "<script" not in page
        assert html.escape(HOSTILE, quote=False)[:20] in page


def test_an_interrupted_sweep_says_so():
    assert "Interrupted: 12 of 99 planned runs" in render_report(make_sweep(planned=99))


def test_one_run_of_one_epoch_makes_a_page():
    sweep = replace(make_sweep(), runs=(make_run(losses=(0.7,)),), planned=1)
    assert "never" not in findings(sweep)[0]
    assert "<svg" in render_report(sweep)
    assert sweep.plot().axes


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_runs_that_diverge_are_shown_and_counted(loss):
    diverged = make_run(initializer="zeros", losses=(0.7, loss, loss), reseed=9)
    page = render_report(replace(make_sweep(), runs=(diverged, *make_sweep().runs)))
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
    assert "do not tell it from" in findings(replace(equal, runs=tuple(runs)))[0]
    runs = [replace(run, test_correct=100 + 100 * (run.initializer == "he_normal")) for run in equal.runs]
    assert "more often than any other" in findings(replace(equal, runs=tuple(runs)))[0]


def test_ten_thousand_runs_stay_a_small_page():
    sweep = make_sweep(names=("a",), reseeds=6)
    runs = tuple(replace(sweep.runs[n % 6], reseed=n, test_correct=n % 300) for n in range(3000))
    assert len(render_report(replace(sweep, runs=runs))) < 1_000_000


CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
# Tells in the page's title what was laid out: the page's own width, and that of its widest visible text.
PROBE = """<script>addEventListener('load', () => {
  const frame = document.querySelector('iframe').contentDocument;
  const svg = [...frame.querySelectorAll('svg')].map(one => one.getBoundingClientRect());
  const text = [...frame.querySelectorAll('svg text')].map(one => one.getBoundingClientRect().height);
  const rows = frame.querySelectorAll('tbody tr').length;
  document.title = JSON.stringify({scroll: frame.documentElement.scrollWidth, rows,
    widest: Math.max(...svg.map(one => one.right)), shallowest: Math.min(...svg.map(one => one.height)),
    smallest: Math.min(...text)});
});</script>"""


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
