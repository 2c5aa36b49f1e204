"""Layers in baselines: each difference is named at its layer and stage, and what was not looked at is not IDENTICAL."""

import numpy as np
import pytest
from baselines import baseline, layer, with_layer

from initcheck.baselines.comparing.classes import Class
from initcheck.baselines.comparing.closeness import mean_p_value
from initcheck.baselines.comparing.compare import compare
from initcheck.baselines.comparing.comparison import Section
from initcheck.baselines.records.layer_records import AskedRecord, LayerRecord, LayerStage
from initcheck.baselines.records.store import load_baseline, write_baseline
from initcheck.baselines.records.summary import array_record
from initcheck.reporting.comparisons.comparison_page import render_comparison
from initcheck.reporting.comparisons.markdown import render_comment
from initcheck.reporting.comparisons.sentences import describe

OLD, OTHER, WIDER = baseline(), baseline(draw_seed=1), baseline(draw_seed=1, scale=1.1)
DRAWN = np.random.RandomState(5).randn(600).astype(np.float32)
VALUES = np.random.RandomState(6).randn(40).astype(np.float32)


def cell_of(old, new):
    (cell,) = compare(with_layer(OLD, **old), with_layer(OLD, **new)).of(Section.LAYERS)
    return cell


@pytest.mark.parametrize("stage", [LayerStage.OUTPUT, LayerStage.GRADIENT])
@pytest.mark.parametrize(
    ("factor", "expected"), [(1, Class.IDENTICAL), (1 + 1e-7, Class.WITHIN_TOLERANCE), (1 + 3e-5, Class.CHANGED)]
)
def test_a_computed_stage_is_judged_by_what_rounding_allows(stage, factor, expected):
    cell = cell_of({stage: VALUES}, {stage: (VALUES * factor).astype(np.float32)})
    assert cell.found is expected
    assert cell.stage == (None if expected is Class.IDENTICAL else stage)


def test_what_is_computed_is_judged_though_the_initial_weights_are_others():
    moved = {"weights": VALUES[::-1].copy(), "output": VALUES}
    cell = cell_of({"weights": VALUES, "output": VALUES}, {**moved, "output": VALUES * np.float32(1.001)})
    assert [step.stage for step in cell.ladder if step.found is Class.CHANGED] == [LayerStage.OUTPUT]
    assert (cell.found, cell.stage) == (Class.CHANGED, LayerStage.OUTPUT)


@pytest.mark.parametrize(("factor", "expected"), [(0.5, Class.CHANGED), (1.01, Class.CHANGED)])
def test_initial_weights_of_one_stream_times_a_factor_are_a_change_however_few_they_are(factor, expected):
    cell = cell_of({"weights": VALUES}, {"weights": (VALUES * factor).astype(np.float32)})
    assert (cell.found, cell.stage) == (expected, LayerStage.INITIAL_WEIGHTS)
    assert f"the same stream, times {factor:g}" in cell.note


def test_few_initial_weights_of_another_stream_are_inconclusive():
    cell = cell_of({"weights": VALUES}, {"weights": DRAWN[:40]})
    assert (cell.found, cell.stage) == (Class.INCONCLUSIVE, LayerStage.INITIAL_WEIGHTS)


HE = AskedRecord(initializer="HeNormal", shape=(5, 8))


def test_few_initial_weights_are_judged_by_what_both_sides_ask_of_an_initializer_of_one_law():
    old, new = (with_layer(one, weights=weights, asked=(HE,)) for one, weights in ((OLD, VALUES), (OTHER, DRAWN[:40])))
    comparison = compare(old, new)
    (cell,) = comparison.of(Section.LAYERS)
    assert (cell.found, cell.stage) == (Class.SAME_DISTRIBUTION, LayerStage.INITIAL_WEIGHTS)
    assert "both ask HeNormal for (5, 8), whose law is judged under draws" in cell.note
    assert any(
        "initial weights of 1 layer, too few to judge a law by themselves" in one for one in describe(comparison)
    )


@pytest.mark.parametrize(
    ("new", "asked", "expected"),
    [
        (OTHER, HE.model_copy(update={"shape": (8, 5)}), Class.INCONCLUSIVE),
        (OTHER, HE.model_copy(update={"options": '{"scale": 2.0}'}), Class.INCONCLUSIVE),
        (OTHER, HE.model_copy(update={"initializer": ""}), Class.INCONCLUSIVE),
        (OTHER, HE.model_copy(update={"initializer": "GlorotNormal"}), Class.INCONCLUSIVE),
        (WIDER, HE, Class.INCONCLUSIVE),
    ],
    ids=["shape", "options", "not as drawn", "another initializer", "draws of another law"],
)
def test_few_initial_weights_stay_inconclusive_where_what_is_asked_or_its_law_differs(new, asked, expected):
    old, new = with_layer(OLD, weights=VALUES, asked=(HE,)), with_layer(new, weights=DRAWN[:40], asked=(asked,))
    (cell,) = compare(old, new).of(Section.LAYERS)
    assert (cell.found, cell.stage) == (expected, LayerStage.INITIAL_WEIGHTS)


def test_what_is_asked_excuses_no_weights_that_are_themselves_of_another_law():
    old, new = (
        with_layer(one, weights=weights, asked=(HE,)) for one, weights in ((OLD, VALUES), (OTHER, DRAWN[:40] * 9))
    )
    (cell,) = compare(old, new).of(Section.LAYERS)
    assert (cell.found, cell.stage) == (Class.CHANGED, LayerStage.INITIAL_WEIGHTS)


def test_noise_that_a_batch_draws_together_counts_as_one_draw():
    """Thirty-two batches of 100 rows, each of one level and little noise: as 3,200 draws their means would differ."""
    levels = [np.random.RandomState(seed).normal(5, 1, (32, 1)) for seed in (1, 2)]
    stream = np.random.RandomState(3)
    old, new = ((level + stream.normal(0, 0.01, (32, 100))).astype(np.float32) for level in levels)
    assert mean_p_value(array_record(old, 8), array_record(new, 8), (3200, 3200)) < 1e-9
    assert cell_of({"noise": old, "parts": 32}, {"noise": new, "parts": 32}).found is not Class.CHANGED
    assert cell_of({"noise": old, "parts": 32}, {"noise": new + 5, "parts": 32}).found is Class.CHANGED


@pytest.mark.parametrize(
    ("scale", "expected"), [(1.0, Class.SAME_DISTRIBUTION), (1.25, Class.CHANGED), (0.8, Class.CHANGED)]
)
def test_noise_of_independent_rows_is_judged_by_errors_that_its_parts_have(scale, expected):
    old, new = (np.random.RandomState(seed).randn(512, 12).astype(np.float32) for seed in (1, 2))
    cell = cell_of({"noise": old, "parts": 32}, {"noise": new * np.float32(scale), "parts": 32})
    assert (cell.found, cell.stage) == (expected, LayerStage.NOISE)


def test_noise_that_moves_neither_mean_nor_scale_is_of_one_law_within_rounding():
    """As a flip's, whose estimated errors are zero."""
    row = np.random.RandomState(1).rand(8).astype(np.float32)
    flips = [np.random.RandomState(seed).rand(512) < 0.5 for seed in (1, 2)]
    old, new = (np.where(flip[:, None], row[::-1], row) for flip in flips)
    new = (new * np.float32(1 + 2e-7)).astype(np.float32)
    assert cell_of({"noise": old, "parts": 32}, {"noise": new, "parts": 32}).found is Class.SAME_DISTRIBUTION


@pytest.mark.parametrize(("scale", "expected"), [(1.0, Class.INCONCLUSIVE), (1.5, Class.CHANGED)])
def test_other_noise_is_judged_by_its_law(scale, expected):
    other = np.random.RandomState(7).randn(600).astype(np.float32) * np.float32(scale)
    cell = cell_of({"noise": DRAWN}, {"noise": other})
    assert (cell.found, cell.stage) == (expected, LayerStage.NOISE)


@pytest.mark.parametrize(
    ("old", "new", "expected", "note"),
    [
        ({"bias": "true"}, {"bias": "false"}, Class.CHANGED, "bias true → false"),
        ({"bias": "true"}, {}, Class.CHANGED, "bias true → none"),
        ({"bias": "null"}, {}, Class.IDENTICAL, ""),
        ({}, {"bias": "true"}, Class.IDENTICAL, "new options: bias"),
    ],
)
def test_options_are_compared_and_new_ones_noted(old, new, expected, note):
    cell = cell_of({"options": old}, {"options": new})
    assert (cell.found, cell.note) == (expected, note)


def test_a_layer_that_one_environment_refuses_is_a_change_and_one_that_both_refuse_was_not_looked_at():
    refused = LayerRecord(layer="GRU", refused="ValueError")
    one, both = (
        compare(
            OLD.model_copy(update={"layers": {"GRU(units=3)": old}}),
            OLD.model_copy(update={"layers": {"GRU(units=3)": refused}}),
        )
        for old in (layer(), refused)
    )
    assert one.of(Section.LAYERS)[0].found is Class.CHANGED
    assert not both.of(Section.LAYERS)
    assert "Not looked at: GRU(units=3), which neither environment runs." in describe(both)


def test_a_baseline_of_before_is_read_and_compared_and_its_layers_were_not_looked_at(tmp_path):
    path = tmp_path / "old.json"
    path.write_text(write_baseline(OLD.model_copy(update={"layers": {}})), encoding="utf-8")
    assert '"layers"' not in path.read_text()
    comparison = compare(load_baseline(path), OLD)
    assert comparison.verdict is Class.IDENTICAL
    assert not comparison.of(Section.LAYERS)
    assert "Not looked at: layers alone; the old baseline holds none. Record it anew." in describe(comparison)


def test_page_comment_and_sentences_name_the_layer_and_its_first_stage():
    comparison = compare(with_layer(OLD, noise=DRAWN), with_layer(OLD, noise=DRAWN * np.float32(6)))
    headline, *sentences = describe(comparison)
    assert headline.startswith("CHANGED since the stage 'noise in training': first in layers alone, GRU(units=3)")
    assert any(
        one.startswith("Layers changed since 'noise in training': GRU in 1; first GRU(units=3)") for one in sentences
    )
    for text in (render_comparison(comparison), render_comment(comparison)):
        assert "GRU(units=3)" in text
        assert "they draw other noise" in text
