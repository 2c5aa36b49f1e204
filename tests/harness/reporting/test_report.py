import html
import math
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt  # comes with rich
from page_tags import Tags
from runs import ENVIRONMENT, make_run

import initcheck
from initcheck.bounds import Bound, Bounds, Calibration, load_bounds
from initcheck.catalog.problem_facts import DataFacts, ProblemFacts
from initcheck.records import Runs, group_runs
from initcheck.reporting import page, plots, svg
from initcheck.reporting.curves import curves_of
from initcheck.reporting.data_rows import data_rows
from initcheck.reporting.documented_bounds import documented_cells, picture_of, render_markdown
from initcheck.reporting.finding import find
from initcheck.reporting.format import (
    format_epochs,
    format_number,
    format_ordinal,
    format_percent,
    format_restarts,
    format_share,
)
from initcheck.reporting.page import render_report, render_summary
from initcheck.reporting.terminal import print_answers
from initcheck.statistics.estimates import Estimate, compare_pairs

pytestmark = pytest.mark.slow

HOSTILE = "<script>alert('x')</script> $\\frac{1}{0}$ & \"q\""


LEARNED = [0.5, 0.99]  # accuracies of a run that reaches the target


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
    assert len(figures) == 5  # loss and accuracy, of training and held-out rows each, and the accuracies over reseeds
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
    text = " ".join(re.sub(r"<[^>]*>", "", render_report(make_sweep(planned=99))).split())
    assert "Interrupted. 12 of 99" in text


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
    assert "zeros: 1 of 7 runs became inf or NaN" in " ".join(
        re.sub(r"<[^>]*>", " ", page).split()
    )  # a line may break between the words


def test_nothing_is_clipped_out_of_sight():
    sweep = make_sweep()
    for axes, metric in zip(sweep.plot().axes, ("loss", "accuracy"), strict=True):
        low, high = axes.get_ylim()
        values = sweep.epochs_frame()[metric]
        assert low <= values.min()
        assert values.max() <= high


def test_findings_claim_no_more_than_the_intervals():
    equal = make_sweep(names=("he_normal", "lecun_uniform"))
    equal = make([replace(run, history=make_run(accuracies=LEARNED).history) for run in equal.runs])
    runs = [replace(run, test_score=(250 + run.reseed) / run.test_total) for run in equal.runs]
    assert "No initializer clearly comes out best" in find(replace(equal, groups=group_runs(runs)))[0]
    runs = [
        replace(run, test_score=100 * (1 + (run.initializer == "he_normal")) / run.test_total) for run in equal.runs
    ]
    assert "he_normal (100 % [54, 100])" in find(replace(equal, groups=group_runs(runs)))[0]


def ends_of(correct):
    """A sweep of eight runs of each name, all of which reach the target, with those counts of 5 held-out rows right."""
    return make(
        [
            make_run(initializer=name, reseed=r, correct=(7, right[r % len(right)]), accuracies=LEARNED)
            for name, right in correct.items()
            for r in range(8)
        ]
    )


def test_those_that_tie_are_said_to_tie_and_those_that_never_come_out_best_are_not_listed():
    best, spread, *_ = find(ends_of({"a": [4], "b": [4], "c": [4], "low": [1, 2, 2], "lower": [1, 1, 2]}))
    assert best == "No initializer clearly comes out best: if each is run once, a (33 %), b (33 %) and c (33 %) tie."
    assert spread.startswith("Mean held-out accuracy runs from 0.25 (lower) to 0.80 (a, b and c); reseeding alone")


def test_two_that_tie_above_a_third_are_said_to_tie():
    best, spread, *_ = find(ends_of({"a": [2, 4, 4], "b": [2, 4, 4], "c": [2, 2, 4]}))
    assert re.fullmatch(
        r"No initializer clearly comes out best: if each is run once, a \([\d.]+ % \[.*\]\), b \([\d.]+ % \[.*\]\) "
        r"and c \([\d.]+ % \[.*\]\) do so most often; a and b tie, and the first one's interval overlaps "
        r"with the others'\.",
        best,
    ), best
    assert spread.startswith("Mean held-out accuracy runs from 0.50 (c) to 0.65 (a and b); ")


def test_means_that_are_all_equal_have_no_ends():
    _, spread, *_ = find(ends_of({"a": [2, 2, 2, 2, 3, 4, 4, 5], "b": [3]}))
    assert spread.startswith("Mean held-out accuracy is 0.60 for all; reseeding alone moves it most for a, ")


def test_a_grid_says_where_the_spread_comes_from_and_calls_none_best():
    runs = [
        replace(
            make_run(initializer=name, reseed=reseed, correct=(7, reseed * spread), accuracies=LEARNED), order=order
        )
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


def grid_of(reseeds, orders, right):
    """A sweep of that grid under two initializers; ``right`` gives how many held-out rows a cell has right."""
    runs = [
        replace(
            make_run(initializer=name, reseed=reseed, correct=(7, right(reseed, order)), accuracies=LEARNED),
            order=order,
        )
        for name in ("zeros", "he_normal")
        for reseed in range(reseeds)
        for order in range(1, orders + 1)
    ]
    return replace(make_sweep(), groups=group_runs(runs))


def test_a_grid_that_is_incomplete_or_without_spread_calls_none_best_either():
    whole = grid_of(6, 6, lambda reseed, order: reseed % 3)
    first, second = find(replace(whole, groups=tuple(runs.at(slice(0, 27)) for runs in whole.groups)))
    assert first == "Where the spread comes from cannot be said: not every draw of weights was trained in every order."
    assert second.endswith("no initializer is called best.")
    first, second = find(grid_of(3, 3, lambda reseed, order: 3))
    assert first == "Neither reseeding nor another order of the rows changed any run's held-out accuracy."
    assert "no initializer is called best" in second


def test_where_only_the_order_was_varied_no_sentence_speaks_of_reseeding_or_of_the_best():
    spread, caveat, _ = find(grid_of(1, 8, lambda reseed, order: order % 4))
    assert "; another order of the rows alone moves it most for" in spread
    assert caveat == "Each initializer has one draw of weights in all its runs: none is called best."
    still, *_ = find(grid_of(1, 8, lambda reseed, order: 3))
    assert still == "Another order of the rows changed no run's held-out accuracy."
    for sentence in (spread, caveat, still):
        assert "reseeding" not in sentence.lower()


def test_ten_thousand_runs_stay_a_small_page():
    sweep = make_sweep(names=("a",), reseeds=6)
    runs = tuple(replace(sweep.runs[n % 6], reseed=n, test_score=n % 300 / 300) for n in range(3000))
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


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.9, "0.9"), (1.0, "1"), (0.0549451, "0.0549"), (0.994286, "0.9943"), (0.99999, "0.9999"), (0.00001, "0.0001")],
)
def test_a_share_of_the_problem_has_four_decimals_at_most(share, text):
    assert format_number(share) == text


def test_chance_and_target_have_four_decimals_at_most_wherever_they_are_shown(capsys):
    sweep = make_sweep(chance=0.0549451, target=0.994286)
    print_answers(sweep)
    shown = capsys.readouterr().out + render_report(sweep) + render_summary(sweep)
    assert "chance, 0.0549<" in shown
    assert "target accuracy 0.9943" in shown
    assert "0.9943 training accuracy" in shown
    assert "0.05494" not in shown
    assert "0.99428" not in shown


@pytest.mark.parametrize(("name", "whose"), [("zeros", "zeros' held-out"), ("he_normal", "he_normal's held-out")])
def test_a_name_that_ends_in_s_takes_an_apostrophe_alone(name, whose):
    runs = [
        replace(make_run(initializer=name, reseed=reseed, correct=(7, reseed), accuracies=LEARNED), order=order)
        for reseed in range(4)
        for order in (1, 2, 3)
    ]
    assert find(make(runs))[0].startswith(f"Of the variance of {whose} accuracy")


def test_nothing_is_concluded_from_one_run_of_each():
    assert [sentence.split(":")[0] for sentence in find(make(one_each()))] == [
        "Too few runs to distinguish an initializer from its seed"
    ]


def test_a_sweep_without_a_finished_run_makes_a_page_that_says_so():
    assert "No run has finished." in page.render_report(make([], planned=4))


def test_every_number_in_the_finding_has_its_interval():
    falling = [0.7 * 0.9**n for n in range(8)]
    runs = [
        make_run(initializer=name, correct=(7, r % 5), reseed=r, losses=falling)
        for name in ("a", "b")
        for r in range(8)
    ]
    unfinished, best, spread, stuck = find(make(runs))
    assert unfinished.startswith("16 of 16 runs did not reach")
    assert "[" in best
    assert "standard deviation of" in spread
    assert "[" in spread
    assert stuck == "No run is stuck; the true share may still be as high as 37 %."


def test_the_finding_calls_no_run_stuck_that_cannot_be_determined():
    few = [0.7, 0.69]
    runs = [make_run(initializer=name, correct=(7, r % 5), reseed=r, losses=few) for name in "ab" for r in range(8)]
    sentence = find(make(runs))[-1]
    assert sentence == "Whether runs are stuck cannot be determined from 2 epochs: train for 8 or more."
    diverged = make_run(initializer="a", reseed=9, losses=[0.7, math.nan])
    sentence = find(make([*runs, diverged]))[-1]
    assert sentence == "Whether runs are stuck cannot be determined from 2 epochs: train for 8 or more."


def test_no_share_is_ruled_out_where_few_epochs_tell_of_some_runs_only():
    few = [0.7, 0.69]
    learned = [make_run(initializer="he_normal", reseed=r, losses=few, accuracies=[0.5, 0.99]) for r in range(10)]
    unknown = [make_run(initializer="he_uniform", reseed=r, losses=few) for r in range(10)]
    assert find(make([*learned, *unknown]))[-1] == (
        "Of 10 runs none is stuck; of 10 more it cannot be determined from 2 epochs."
    )
    mixed = [replace(run, initializer="he_normal", reseed=10 + run.reseed) for run in unknown]
    assert find(make([*learned, *mixed]))[-1] == (
        "Whether runs are stuck cannot be determined from 2 epochs: train for 8 or more."
    )


def one_class_falling(name, runs=8):
    """Runs that name one class in all epochs, 3 of 5 held-out rows, while the loss falls far above its least."""
    losses = [0.9 - 0.01 * n for n in range(12)]
    return [
        make_run(initializer=name, reseed=r, losses=losses, accuracies=[0.6] * 12, correct=(6, 3)) for r in range(runs)
    ]


def of_two_classes(runs):
    facts = replace(ProblemFacts.of(initcheck.PROBLEMS["iris"]), data=None)
    data = DataFacts((10, 5), (), 2, "0" * 24, ((4, 6), (2, 3)))
    return replace(make(runs), problem=replace(facts, data=data))


def test_the_finding_says_why_it_cannot_be_determined_of_falling_losses_at_one_class():
    sweep = of_two_classes([*one_class_falling("he_normal"), *one_class_falling("he_uniform")])
    assert find(sweep)[-1] == (
        "Whether runs are stuck cannot be determined, as accuracy stayed that of one class though the loss falls: "
        "train for more."
    )
    learned = [
        make_run(initializer="lecun_normal", reseed=r, losses=[0.7] * 12, accuracies=[0.99] * 12) for r in range(8)
    ]
    assert find(of_two_classes([*one_class_falling("he_normal"), *learned]))[-1] == (
        "Of 8 runs none is stuck; of 8 more it cannot be determined: accuracy stayed that of one class though the loss "
        "falls; the true share may still be as high as 37 % among runs of lecun_normal."
    )


def test_the_finding_says_why_it_cannot_be_determined_of_noisy_losses():
    losses = [0.7 + 0.1 * (-1) ** n for n in range(12)]
    noisy = [make_run(initializer="he_normal", losses=losses, reseed=r) for r in range(8)]
    learned = [
        make_run(initializer="he_uniform", losses=[0.7] * 12, accuracies=[0.99] * 12, reseed=r) for r in range(8)
    ]
    assert find(make([*noisy, *learned]))[-1] == (
        "Of 8 runs none is stuck; of 8 more it cannot be determined: the loss is too noisy to show whether it falls; "
        "the true share may still be as high as 37 % among runs of he_uniform."
    )


@pytest.mark.parametrize(
    ("cell", "parts"),
    [
        ("0.0 % [0.0, 11.6]", ("0.0 %", "[0.0, 11.6]", "")),
        ("> 15 [> 15, > 15]", ("> 15", "[> 15, > 15]", "")),
        ("31 % [18, 45], 2 of 30 unknown", ("31 %", "[18, 45]", "2 of 30 unknown")),
        ("unknown (accuracy of one class only)", ("unknown", "", "(accuracy of one class only)")),
        ("–", ("–", "", "")),
    ],
)
def test_a_cell_of_the_page_separates_its_words_which_may_be_broken_into_lines(cell, parts):
    assert page._split(cell) == parts


@pytest.mark.parametrize("epochs", [2, 5, 20])
def test_that_training_was_too_short_is_said_before_any_winner(epochs):
    """The others have hardly left their start: zeros comes out best by being there already."""
    creeping = [0.7 - 0.002 * n for n in range(epochs)]
    runs = [make_run(initializer="zeros", reseed=r, losses=creeping, correct=(7, 4)) for r in range(10)]
    runs += [make_run(initializer="a", reseed=r, losses=creeping, correct=(7, r % 4)) for r in range(10)]
    said = "11 of 11 runs, zeros counted once, did not reach the target accuracy 0.95 while their loss still falls: "
    said += "train for more epochs."
    assert find(make(runs))[0] == said
    assert find(make(runs))[1].startswith("If each initializer is run once, zeros (")
    assert said in html.unescape(render_report(make(runs)))
    learned = [make_run(initializer="b", reseed=r, losses=creeping, accuracies=[0.99] * epochs) for r in range(8)]
    few = [replace(run, initializer="b", reseed=8) for run in runs[-1:]]
    assert not any("still falls: give more" in sentence for sentence in find(make([*learned, *learned, *few])))
    flat = [make_run(initializer="b", reseed=r, losses=[0.7] * epochs) for r in range(8)]
    assert not any("still falls: give more" in sentence for sentence in find(make(flat)))


def test_where_no_run_reached_the_target_the_finding_says_so_and_calls_none_stuck():
    flat = [
        make_run(initializer=name, reseed=r, losses=[0.7] * 8) for name in ("he_normal", "he_uniform") for r in range(8)
    ]
    said = "No run of any initializer reached the target accuracy 0.95: perhaps this model cannot on these data, or "
    assert find(make(flat))[0] == said + "needs more epochs."
    assert not any("Stuck" in sentence for sentence in find(make(flat)))
    one = make_run(initializer="he_normal", losses=[0.7] * 8, accuracies=[0.5, 0.96, *[0.5] * 6])
    assert find(make([one, *flat[1:]]))[-1] == "15 of 16 runs are stuck: he_uniform 8 of 8 and he_normal 7 of 8."
    order = [replace(run, reseed=1, order=run.reseed + 1) for run in flat]
    assert find(make(order))[0] == said + "needs more epochs."
    grid = [replace(run, reseed=run.reseed % 2, order=run.reseed // 2) for run in flat]
    assert find(make(grid))[0] == said + "needs more epochs."


def test_one_run_repeated_is_one_run_in_the_finding():
    zeros = [make_run(initializer="zeros", reseed=r, losses=[0.7] * 8) for r in range(8)]
    drawn = [make_run(initializer="he_normal", reseed=r, losses=[0.7] * 8, accuracies=[0.99] * 8) for r in range(8)]
    *_, stuck, repeated = find(make([*zeros, *drawn]))
    assert stuck == "1 of 9 runs is stuck: zeros 1 of 1."
    assert repeated == (
        "zeros draws nothing at random: its runs are one run, repeated, and only what compares it with others has an "
        "interval."
    )
    own = [make_run(initializer="mine", reseed=r, losses=[0.7] * 8, accuracies=[0.99] * 8) for r in range(8)]
    assert find(make(own))[-1] == repeated.replace("zeros", "mine")  # it ignores its seed
    learned = [make_run(initializer="zeros", reseed=r, losses=[0.7] * 8, accuracies=[0.99] * 8) for r in range(8)]
    assert find(make(learned))[-2:] == ["No run is stuck.", repeated]


def test_neither_table_nor_finding_ranks_runs_that_share_weights_or_orders():
    runs = [
        replace(make_run(initializer=name, reseed=r, correct=(7, right - (r + order) % 2)), order=order)
        for name, right in (("a", 5), ("b", 2))
        for r in range(3)
        for order in (1, 2, 3)
    ]
    sweep = make(runs)
    assert all(math.isnan(answer.best.value) for answer in sweep.answers)
    assert any("no initializer is called best" in sentence for sentence in find(sweep))


def test_dollar_signs_underscores_and_line_breaks_do_not_reach_mathtext():
    names = ("_hidden", "$\\frac{$", "two\nlines", "\x00")
    figure = plots.figure_strip(make([make_run(initializer=name) for name in names]))
    drawn = svg.to_svg(figure, name="strip", alt='"><script>')
    for shown in ("_hidden", "$\\frac{$", "two lines"):
        assert f">{shown}<" in drawn
    assert "<script" not in drawn


def test_the_same_figure_is_drawn_the_same_twice():
    sweep = make(one_each())
    first, second = (svg.to_svg(plots.figure_strip(sweep), name="strip", alt="runs") for _ in range(2))
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
  const scrolls = [...frame.querySelectorAll('.scroll')].filter(one => one.scrollWidth > one.clientWidth).length;
  const rows = frame.querySelectorAll('table tbody')[0].rows.length;
  document.title = JSON.stringify({scroll: frame.documentElement.scrollWidth, rows, scrolls,
    widest: Math.max(...svg.map(one => one.right)), shallowest: Math.min(...svg.map(one => one.height)),
    smallest: Math.min(...text)});
});</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed to look at the page with")
@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("cells", ["numbers", "words"])
def test_a_browser_lays_the_page_out_within_its_width(tmp_path, width, cells):
    import json

    names = ("zeros", "a_rather_long_name_of_an_initializer", "he_normal")
    falling = [run for name in names[:2] for run in one_class_falling(name)]
    learned = [
        make_run(
            initializer="he_normal",
            reseed=r,
            losses=[0.7] * 12,
            accuracies=[0.9 + r % 2 / 10] * 12,
            correct=(6 + r % 4, 2 + r % 3),
        )
        for r in range(8)
    ]
    sweep = make_sweep(names=names) if cells == "numbers" else of_two_classes([*falling, *learned])
    (tmp_path / "report.html").write_text(render_report(sweep))
    # Chromium's window is never narrower than 500 pixels; a frame is as narrow as it is layout.
    frame = f'<!doctype html>{PROBE}<iframe src="report.html" style="width:{width}px;height:900px;border:0"></iframe>'
    (tmp_path / "frame.html").write_text(frame)
    flags = (
        "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync "
        "--disable-component-update --disable-quic --allow-file-access-from-files --virtual-time-budget=5000"
    )
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [CHROMIUM, *flags.split(), profile, "--dump-dom", (tmp_path / "frame.html").as_uri()]
    page = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    layout = json.loads(html.unescape(re.search(r"<title>(.*?)</title>", page).group(1)))
    assert layout["scroll"] <= width  # nothing to scroll sideways for
    assert layout["scrolls"] == 0  # and no table to scroll within
    assert layout["widest"] <= width
    assert layout["rows"] == 3
    assert layout["shallowest"] > 150
    assert layout["smallest"] > 6  # pixels: legible still


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


def test_another_training_is_not_compared_with_them():
    assert documented_cells(bounded_sweep(epochs=3)) == {}
    own = make_sweep(name="iris")
    assert documented_cells(own) == {}
    assert "Against the documented bounds" not in render_report(own)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0th"), (1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (12, "12th"), (93, "93rd")]
)
def test_ordinals(number, text):
    assert format_ordinal(number) == text


STEERING = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\u2066\x9b31m $\\frac{ $x_1$\ud800"


def columns(names, reseeds=6, epochs=3, correct=None, history=None):
    """Runs as columns, with the accuracies and histories given."""
    numbers = np.arange(reseeds)
    stream = np.random.RandomState(1)
    groups = [
        Runs(
            problem="iris",
            initializer=name,
            reseeds=numbers,
            orders=numbers * 0,
            seeds=numbers,
            train_score=numbers * 0 + 50 / 70,
            train_total=70,
            test_score=(stream.randint(10, 31, reseeds) if correct is None else np.asarray(correct[place])) / 30,
            test_total=30,
            history=stream.uniform(0.1, 1, (reseeds, epochs, 4)) if history is None else history,
        )
        for place, name in enumerate(names)
    ]
    return replace(make_sweep(), groups=tuple(groups), planned=reseeds * len(groups))


def cards(text):
    """Every table that becomes cards: the titles of its columns, and those that its cells name."""
    for table in re.findall(r'<table class="[^"]*cards">.*?</table>', text, re.DOTALL):
        heads = [head.strip() for head in re.findall(r'<th scope="col">(.*?)</th>', table, re.DOTALL)]
        rows = re.findall(r"<tr.*?</tr>", table[table.index("<tbody>") :], re.DOTALL)
        yield heads, [re.findall(r'<td data-title="([^"]*)"', row) for row in rows], table


@pytest.mark.parametrize("names", [("zeros",), ("zeros", "he_normal"), tuple("abcde")])
def test_on_a_phone_every_cell_names_its_column(names):
    text = render_report(columns(names))
    assert "@media (max-width: 600px)" in text
    tables = list(cards(text))
    assert len(tables) >= 1
    for heads, rows, table in tables:
        assert all(row == heads[1:] for row in rows)
        assert table.count("<td") == sum(map(len, rows))


@pytest.mark.parametrize(("number", "figures"), [(1, 5), (3, 5), (4, 9), (19, 39)])
def test_from_four_initializers_on_each_has_panels_of_its_own(number, figures):
    names = [f"row{place}" for place in range(number)]
    text = render_report(columns(names))
    shown = [attributes for tag, attributes in Tags(text).tags if tag == "svg"]
    assert len(shown) == figures
    assert text.count('href="#loss-shared"') == text.count('href="#accuracy-shared"') == (number - 1) * (number > 3)
    if number > 3:
        for name in names:
            assert (
                sum(
                    figure["aria-label"].startswith(("Loss", "Accuracy")) and f"for {name}:" in figure["aria-label"]
                    for figure in shown
                )
                == 2
            )


def test_the_notebook_s_plot_follows_the_same_rule():
    assert len(columns("abc").plot().axes) == 2
    axes = columns("abcde").plot().axes
    assert len(axes) == 10
    assert len({one.get_ylim() for one in axes[:5]}) == len({one.get_ylim() for one in axes[5:]}) == 1  # shared
    assert [one.get_title(loc="left") for one in axes[:5]] == list("abcde")


def test_small_panels_hold_all_medians_and_cut_nothing():
    sweep = columns("abcdef", reseeds=5)
    for metric in plots.shown_metrics(sweep):
        curves = curves_of(sweep.groups, metric)
        (axes,) = plots.small_frame(curves).axes
        drawn = [line.get_ydata().tolist() for line in axes.lines]
        assert drawn == [curve.bands["training"].median.tolist() for curve in curves.curves]
        low, high = axes.get_ylim()
        for runs in sweep.groups:
            for name in (metric, f"val_{metric}"):
                assert low <= runs.metric(name).min()
                assert runs.metric(name).max() <= high


@pytest.mark.parametrize("epochs", [5, 40, 400, 4000])
def test_no_label_of_a_small_panel_is_cut_off(epochs):
    runs = [make_run(initializer=name, losses=np.linspace(9, 0.001, epochs)) for name in "abcd"]
    figure = plots.small_frame(curves_of(make(runs).groups, "loss"))
    figure.draw_without_rendering()
    (axes,) = figure.axes
    width, height = figure.canvas.get_width_height()
    low, high = axes.get_ylim()
    shown = [label for label in axes.get_yticklabels() if low <= label.get_position()[1] <= high]
    for label in (*axes.get_xticklabels(), *shown, axes.xaxis.label):
        box = label.get_window_extent()
        assert 0 <= box.x0 <= box.x1 <= width, label
        assert 0 <= box.y0 <= box.y1 <= height, label


def test_held_out_curves_are_the_medians_of_the_held_out_rows():
    sweep = columns("abcde", reseeds=5)
    for metric in plots.shown_metrics(sweep):
        curves = curves_of(sweep.groups, metric)
        for figure, runs in zip(plots.small_panels(curves), sweep.groups, strict=True):
            expected = np.sort(runs.metric(f"val_{metric}"), axis=0)[2]
            (axes,) = figure.axes
            assert axes.lines[-1].get_ydata().tolist() == expected.tolist()
            assert axes.lines[-1].is_dashed()
    few = render_report(columns("ab"))
    for words in ("Held-out loss by epoch", "Held-out accuracy by epoch", "Training loss by epoch"):
        assert words in few


def test_a_long_training_is_thinned_and_keeps_its_ends():
    history = np.linspace(1, 0.1, 5000)[None, :, None] * np.ones((2, 1, 4))
    curves = curves_of(columns("abcd", reseeds=2, epochs=5000, history=history).groups, "loss")
    assert len(curves.epochs) <= 60
    assert (curves.epochs[0], curves.epochs[-1]) == (1, 5000)
    assert curves.curves[0].bands["training"].median[-1] == pytest.approx(0.1)


def test_nineteen_initializers_stay_a_light_page():
    sweep = columns([f"initializer_{place}" for place in range(19)], reseeds=200, epochs=300)
    assert len(render_report(sweep).encode()) < 600_000


@pytest.mark.parametrize("number", [1, 3, 5])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.0, 3e38])
def test_runs_of_which_none_is_a_number_are_drawn_all_the_same(number, value):
    sweep = columns("abcde"[:number], history=np.full((6, 3, 4), value))
    text = render_report(sweep)
    assert text.count("<svg") == (5 if number <= 3 else 2 * number + 1)
    assert ("inf or NaN" in text) == (not math.isfinite(value))
    assert sweep.plot()._repr_svg_().startswith("<svg")


def facts(sweep):
    return dict(data_rows(sweep))


def iris_sized(**changes):
    """A sweep with the counts of Iris's own rows."""
    return (
        bounded_sweep(3)
        if not changes
        else replace(bounded_sweep(3), problem=replace(initcheck.PROBLEMS["iris"], **changes))
    )


def test_the_page_says_what_the_data_are():
    shown = facts(iris_sized())
    assert shown["rows"] == "70 for training, 30 held out"
    assert shown["features"] == "4"
    assert shown["classes"] == "two: 0: 50 % (50), 1: 50 % (50)"
    assert shown["counts as 1"].startswith("virginica")
    text = html.unescape(render_report(iris_sized()))
    assert "<h2>Data</h2>" in text
    assert all(fact in text for fact in shown.values())


def test_what_a_problem_states_of_its_data_takes_the_place_of_what_was_counted():
    about = (("file", STEERING), ("classes", "<b>genuine</b>: 55 %, forged: 45 %"))
    shown = facts(iris_sized(about=about))
    assert shown["classes"] == about[1][1]
    assert shown["file"] == STEERING
    text = render_report(iris_sized(about=about))
    assert "<b>" not in text
    assert "\x1b" not in text


def test_data_that_cannot_be_read_again_or_are_others_leave_the_counts_of_the_runs():
    def fail():
        raise RuntimeError("gone")

    for data in (fail, initcheck.PROBLEMS["xor"].data, lambda: None):
        shown = facts(iris_sized(data=data))
        assert shown["rows"] == "70 for training, 30 held out"
        assert "classes" not in shown


def test_digits_have_ten_classes_and_targets_that_are_none_are_not_counted():
    data = initcheck.PROBLEMS["digits"].data()
    assert "10 classes: 0: 10 % (90), 1: 10.3 % (93)" in facts(sized(data))["classes"]
    real = replace(data, y_train=np.random.RandomState(0).normal(size=len(data.x_train)))
    assert "classes" not in facts(sized(real))


def sized(data):
    """A sweep whose runs have as many rows as those data."""
    run = make_run(correct=(1, 1), total=(len(data.x_train), len(data.x_test)))
    return replace(make_sweep(data=lambda: data), groups=group_runs([run]))


def explained(sweep):
    return [sentence for sentence in find(sweep) if "although its mean is lower" in sentence]


def test_the_finding_says_why_another_comes_out_best_than_has_the_highest_mean():
    often, steady = [20, 20, 28, 28, 28, 28], [26, 26, 26, 26, 27, 27]
    (sentence,) = explained(columns(("steady", "often"), correct=(steady, often)))
    assert sentence == (
        "often comes out best more often than steady although its mean is lower (0.844 against 0.878): its runs are "
        "above steady's in 67 % of all pairs and below them in 33 %; where they are below, they fall further short."
    )
    assert not explained(columns(("steady", "low"), correct=(steady, [20] * 6)))
    assert not explained(columns(("a", "b"), correct=(steady, steady)))


def test_where_pairs_differ_it_is_the_spread():
    wide, steady = [20, 20, 20, 20, 30, 30], [26, 26, 26, 26, 27, 27]
    (sentence,) = explained(columns(("a", "b", "c", "wide"), correct=(steady, steady, steady, wide)))
    assert sentence.startswith("wide comes out best more often than a although its mean is lower")
    assert sentence.endswith(
        "below them in 67 %, but they spread more, and only the highest run of all comes out best."
    )


@settings(max_examples=15)
@given(st.lists(st.lists(st.integers(0, 30), min_size=6, max_size=6), min_size=2, max_size=4))
def test_what_the_finding_explains_is_true(correct):
    names = "abcd"[: len(correct)]
    sweep = columns(names, correct=correct)
    answers = {answer.initializer: answer for answer in sweep.answers}
    for sentence in explained(sweep):
        first, second = re.match(r"(\w) comes out best more often than (\w) ", sentence).groups()
        assert answers[first].best.value > answers[second].best.value
        assert answers[first].test_mean.value < answers[second].test_mean.value
        mine, other = (np.array(correct[names.index(name)]) for name in (first, second))
        differences = mine[:, None] - other[None]
        above, below = (100 * float((sign * differences > 0).mean()) for sign in (1, -1))
        assert f"in {above:.0f} % of all pairs and below them in {below:.0f} %" in sentence
        if "fall further short" in sentence:
            assert -differences[differences < 0].mean() > differences[differences > 0].mean()
        if "spread more" in sentence:
            assert mine.std() > other.std()
    leader = max(sweep.answers, key=lambda answer: answer.best.value)
    highest = max(sweep.answers, key=lambda answer: answer.test_mean.value)
    if (
        f"{leader.test_mean.value:.3f}" != f"{highest.test_mean.value:.3f}"
        and leader.best.value > highest.best.value + 0.2
    ):
        assert explained(sweep)


def test_pairs_are_counted_with_their_ties():
    assert compare_pairs(np.array([1.0, 2.0]), np.array([2.0, 3.0, 0.0])) == (2 / 6, 3 / 6)


@pytest.mark.parametrize("names", [(STEERING, "b"), (STEERING, "b", "c", f"{STEERING}d", "_e")])
def test_hostile_names_reach_neither_page_nor_drawing(names):
    environment = replace(ENVIRONMENT, cpu=STEERING, versions={STEERING: STEERING}, switches={STEERING: STEERING})
    sweep = replace(columns(names), environment=environment, command=STEERING, engine=STEERING)
    facts = replace(sweep.facts, name=STEERING, title=STEERING, source=STEERING)  # as a file of somebody else may say
    sweep = replace(sweep, problem=facts)
    for text in (render_report(sweep), render_summary(sweep), sweep.plot()._repr_svg_()):
        assert "owned" in text
        assert all(letter.isprintable() or letter == "\n" for letter in text)
        text.encode()  # no half of a character
    assert "$\\frac{ $x_1$" in html.unescape(render_report(sweep))


HOSTILE_MARKDOWN = "|`*_[x](http://evil.example)\n# @team $1$ <b>\x1b\u202e"


def test_bounds_of_a_hostile_file_make_a_harmless_page_and_picture():
    name = HOSTILE_MARKDOWN
    hostile = Bounds(
        problems={
            name: Calibration(
                date=name,
                seed=1,
                held_out_rows=30,
                environment={"tensorflow": name, "keras": name},
                initializers={name: Bound(collapsed=2, correct=(10, 20), runs_with=(1, 5))},
            )
        }
    )
    text = render_markdown(hostile, "my page (1) [x].svg")
    assert all(letter.isprintable() or letter in "\n\N{ZERO WIDTH SPACE}" for letter in text)
    shown = Tags(MarkdownIt("commonmark").enable("table").render(text)).tags
    assert not {tag for tag, _ in shown} & {"b", "script"}
    assert [attributes["href"] for tag, attributes in shown if tag == "a"] == ["checks.md", "statistics.md"]
    assert [attributes["src"] for tag, attributes in shown if tag == "img"] == ["my%20page%20%281%29%20%5Bx%5D.svg"]
    (row,) = [line for line in text.splitlines() if line.startswith("| &#124;")]
    assert row.count("|") == 7
    assert all(letter.isprintable() or letter == "\n" for letter in picture_of(hostile))
