"""Runs that are judged by a score other than accuracy: their comparison, and that no text calls it one."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from runs import ENVIRONMENT
from scipy import stats

import initcheck
from initcheck.catalog.problem_facts import ProblemFacts
from initcheck.comparing_runs.effects import measure_score
from initcheck.comparing_runs.side_by_side import compare_runs
from initcheck.comparing_runs.verdicts import RunsVerdict
from initcheck.records import Runs, Score
from initcheck.reporting.finding import find
from initcheck.reporting.page import render_report
from initcheck.reporting.runs_comparison import render_runs_markdown, runs_comparison_json
from initcheck.statistics.exact_tests import as_levels

MAE = Score("mae", higher_is_better=False)
R2 = Score("r2_score", higher_is_better=True)
FACTS = ProblemFacts("mine", "a model", "mine", "mse", 32, 3, chance=3.0, target=1.5, score=MAE)


def group(scores, *, name="own", seeds=None, score=MAE):
    """Runs that end with those held-out scores, and reach them evenly over eight epochs."""
    scores = np.asarray(scores, dtype=float)
    n = len(scores)
    seeds = np.arange(100, 100 + n) if seeds is None else seeds
    history = np.empty((n, 8, 4))
    for epoch in range(8):
        history[:, epoch] = (scores * (1 + (7 - epoch) / 7))[:, None]
    metrics = ("loss", score.name, "val_loss", f"val_{score.name}")
    none = np.zeros(n, int)
    return Runs("mine", name, np.arange(n), none, seeds, scores, 70, scores, 30, history, metrics, score)


def sweep(*groups, facts=FACTS):
    facts = replace(facts, score=groups[0].score)
    return initcheck.Sweep(facts, groups, 1, ENVIRONMENT, "a command", "an engine", sum(map(len, groups)))


def rows(a, b, **settings):
    return {row.asked: row for row in compare_runs(a, b, **settings).rows}


def draw(stream, n, shift=1.0):
    """Losses as they are: positive and skewed."""
    return shift * stream.lognormal(0, 0.3, n)


def test_a_change_of_the_mean_is_seen_and_named_by_its_score():
    stream = np.random.RandomState(1)
    a, b = group(draw(stream, 60)), group(draw(stream, 60, 1.6), seeds=np.arange(900, 960))
    comparison = compare_runs(sweep(a), sweep(b))
    row = rows(sweep(a), sweep(b))["mae"]
    assert row.verdict is RunsVerdict.CHANGED
    assert row.difference.value == pytest.approx(b.test_score.mean() - a.test_score.mean())
    assert row.delta == pytest.approx(0.05 * a.test_score.mean())
    for text in (render_runs_markdown(comparison), runs_comparison_json(comparison)):
        assert "accuracy" not in text
        assert "mae" in text
    assert json.loads(runs_comparison_json(comparison))["rows"][0]["question"] == "mae"
    assert "mae of own (higher in B)" in render_runs_markdown(comparison)


def test_equal_distributions_are_equivalent_with_runs_enough_and_delta_in_the_scores_unit():
    stream = np.random.RandomState(2)
    scores = 1000 + draw(stream, 400)
    ends = group(scores), group(scores + stream.normal(0, 0.01, 400))
    near, far = ([sweep(one, facts=replace(FACTS, chance=chance)) for one in ends] for chance in (1010.0, 1e6))
    assert rows(*near, delta=5.0)["mae"].verdict is RunsVerdict.EQUIVALENT
    assert rows(*near, delta=1e-4)["mae"].verdict is RunsVerdict.INCONCLUSIVE
    # A run that learns nothing would move the mean by more than that, and so many runs need not show one.
    assert rows(*far, delta=5.0)["mae"].verdict is RunsVerdict.INCONCLUSIVE
    with pytest.raises(initcheck.InitcheckError, match="delta is -1; give a difference of mae above 0"):
        compare_runs(*near, delta=-1)


@pytest.mark.parametrize("paired", [True, False])
def test_p_values_of_a_score_keep_their_rate(paired):
    stream = np.random.RandomState(3)
    p_values = []
    for _ in range(400):
        old, new = draw(stream, 12), draw(stream, 12)
        if paired:
            new = np.where(stream.uniform(size=12) < 0.5, old, new)
        p_values.append(measure_score(old, new, paired=paired, reach=0.0, least_end=0.1).p_value)
    for alpha in (0.1, 0.02):
        alarms = int(np.less(p_values, alpha).sum())
        assert stats.binomtest(alarms, 400, alpha, alternative="greater").pvalue > 1e-4


def test_levels_keep_order_and_do_not_depend_on_the_side():
    stream = np.random.RandomState(4)
    old, new = draw(stream, 9), draw(stream, 7)
    one, two = as_levels(old, new)
    assert np.array_equal(np.concatenate(as_levels(new, old)), np.concatenate([two, one]))
    both, levels = np.concatenate([old, new]), np.concatenate([one, two])
    assert (np.diff(levels[np.argsort(both)]) >= 0).all()
    assert (levels.min(), levels.max()) == (0, 1000)
    assert not np.concatenate(as_levels(np.ones(3), np.ones(3))).any()


def test_runs_that_end_with_no_number_are_compared_by_rank():
    stream = np.random.RandomState(5)
    scores = draw(stream, 60)
    a, b = group(scores), group(np.where(np.arange(60) % 3 == 0, math.nan, scores))
    row = rows(sweep(a), sweep(b))["mae"]
    assert row.verdict is RunsVerdict.CHANGED
    assert row.difference.value == pytest.approx(-1 / 3)
    assert "0 of 60 end with no number → 20 of 60" in row.note
    assert rows(sweep(b), sweep(b))["runs"].verdict is RunsVerdict.IDENTICAL


def test_two_scores_are_not_compared():
    a, b = group(np.ones(9)), group(np.ones(9), score=R2)
    row = rows(sweep(a), sweep(b))["runs"]
    assert row.verdict is RunsVerdict.NOT_COMPARABLE
    assert "A is scored by mae, B by r2_score" in row.note


def test_without_a_target_nothing_is_said_of_stuck_runs_and_speed():
    facts = replace(FACTS, target=None)
    stream = np.random.RandomState(6)
    a, b = (sweep(group(draw(stream, 20), seeds=np.arange(start, start + 20)), facts=facts) for start in (0, 50))
    found = rows(a, b)
    assert {found[question].verdict for question in ("stuck", "speed")} == {RunsVerdict.NOT_COMPARABLE}
    assert "without a target" in found["stuck"].note
    (answer,) = a.answers
    assert math.isnan(answer.stuck.value)
    assert math.isnan(answer.epochs_to_target.value)
    assert "without a target: give one" in " ".join(find(a))


def test_the_lowest_loss_comes_out_best_and_no_text_says_accuracy():
    stream = np.random.RandomState(7)
    low, high = group(draw(stream, 20), name="low"), group(draw(stream, 20, 3.0), name="high")
    swept = sweep(high, low)
    shares = {answer.initializer: answer.best.value for answer in swept.answers}
    assert shares["low"] > 0.9
    assert any("low (" in sentence and "comes out best most often" in sentence for sentence in find(swept))
    text = str(swept) + render_report(swept)
    assert "accuracy" not in text.lower()
    assert "lowest held-out mae" in text


def test_an_initializer_that_wins_with_the_worse_mean_is_explained_in_the_scores_direction():
    swept = sweep(group([1] * 12 + [9] * 8, name="often"), group([2] * 20, name="steady"))
    sentence = next(one for one in find(swept) if "more often than" in one)
    assert "often comes out best more often than steady although its mean is higher" in sentence
    assert "its runs are below steady's in 60 % of all pairs and above them in 40 %" in sentence


def test_runs_that_end_with_no_number_have_no_mean_and_never_come_out_best():
    swept = sweep(group([math.nan] * 4 + [1.0] * 6, name="a"), group([2.0] * 10, name="b"))
    first, *_ = find(swept)
    assert "held-out mae that is no number: a 4 of 10" in first
    a, b = swept.answers
    assert math.isnan(a.test_mean.value)
    assert (a.best.value, b.best.value) == (pytest.approx(0.6), pytest.approx(0.4))
    assert "a (4 inf or NaN)" in render_report(swept)


def test_a_sweep_of_any_score_comes_back_from_its_files(tmp_path):
    stream = np.random.RandomState(8)
    swept = sweep(group(draw(stream, 7)), group(np.array([1e-12, math.inf, math.nan, 2, 3, 4, 5]), name="odd"))
    swept.save(tmp_path)
    loaded = initcheck.load(tmp_path)
    assert loaded.facts == swept.facts
    for mine, other in zip(swept.groups, loaded.groups, strict=True):
        assert (mine.score, mine.metrics) == (other.score, other.metrics)
        assert np.array_equal(mine.test_score, other.test_score, equal_nan=True)
        assert np.array_equal(mine.history, other.history, equal_nan=True)
    assert list(swept.to_frame()) == [
        "problem", "initializer", "reseed", "order", "seed", "train_total", "test_total", "train_mae", "test_mae",
        "loss", "stuck", "epochs_to_target",
    ]  # fmt: skip
    assert compare_runs(swept, loaded).verdict is RunsVerdict.IDENTICAL
