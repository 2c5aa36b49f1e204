"""A user's own model in two baselines: its stages, and its score over reseeds."""

import numpy as np
import pytest
from baselines import baseline

import initcheck
from initcheck.baselines.comparing.classes import Class
from initcheck.baselines.comparing.compare import compare
from initcheck.baselines.comparing.comparison import Section
from initcheck.baselines.recording import record as recording
from initcheck.baselines.records.store import load_baseline, write_baseline
from initcheck.baselines.records.summary import score_number, stage_record
from initcheck.baselines.records.training_records import ModelRecord, Stage, StageRecord, TraceRecord
from initcheck.reporting.comparisons.sentences import describe

STAGES = (
    Stage.INITIAL_WEIGHTS,
    Stage.FIRST_LOSS,
    Stage.FIRST_UPDATE,
    Stage.EPOCH_LOSSES,
    Stage.EPOCH_METRICS,
    Stage.FINAL_WEIGHTS,
    Stage.PREDICTIONS,
)
STREAM = np.random.RandomState(1)
ARRAYS = {stage: STREAM.uniform(0.5, 1, 8).astype("float32") for stage in STAGES}
SCORES = STREAM.lognormal(0, 0.2, 12)


def model(scores=SCORES, *, score="mae", is_share=False, rows=40, **changed):
    """A record whose stages of those names are changed by that factor."""
    stages: dict[str, StageRecord] = {}
    for stage, array in ARRAYS.items():
        factor = changed.get(stage.replace(" ", "_"), 1.0)
        stages[stage] = stage_record([(array * factor).astype("float32")], 1e-7)
    trace = TraceRecord(seed=1, steps=20, stages=stages)
    numbers = tuple(score_number(one) for one in scores)
    return ModelRecord(held_out_rows=rows, trace=trace, score=score, is_share=is_share, scores=numbers)


def cell(old, new):
    both = [baseline().model_copy(update={"models": {"mine": one}}) for one in (old, new)]
    comparison = compare(*both)
    assert describe(comparison)
    (one,) = comparison.of(Section.MODELS)
    return one


def test_the_same_model_is_identical():
    assert cell(model(), model()).found is Class.IDENTICAL


def test_a_last_bit_is_within_tolerance_and_names_its_stage():
    found = cell(model(), model(first_loss=1 + 1e-7))
    assert (found.found, found.stage) == (Class.WITHIN_TOLERANCE, Stage.FIRST_LOSS)


@pytest.mark.parametrize("stage", [Stage.FIRST_LOSS, Stage.FIRST_UPDATE])
def test_another_first_step_is_changed(stage):
    found = cell(model(), model(**{stage.replace(" ", "_"): 1.001}))
    assert (found.found, found.stage) == (Class.CHANGED, stage)


def test_reported_metrics_that_differ_though_the_weights_agree_are_changed():
    found = cell(model(), model(epoch_metrics=1.1))
    assert (found.found, found.stage) == (Class.CHANGED, Stage.EPOCH_METRICS)


@pytest.mark.parametrize(("factor", "expected"), [(1.0, Class.SAME_DISTRIBUTION), (2.0, Class.CHANGED)])
def test_later_stages_beyond_rounding_are_judged_by_the_scores(factor, expected):
    many = STREAM.lognormal(0, 0.2, 400)
    other = many * factor * (1 + STREAM.normal(0, 0.005, 400))
    found = cell(model(many), model(other, final_weights=1.1))
    assert found.found is expected
    assert "mean mae" in found.note
    assert "accurac" not in found.note


def test_another_stream_of_weights_is_judged_by_scores_that_are_not_paired():
    many = STREAM.lognormal(0, 0.05, 600)
    found = cell(model(many), model(many[::-1] * 1.0001, initial_weights=1.5))
    assert found.found is Class.SAME_DISTRIBUTION
    assert found.stage is Stage.INITIAL_WEIGHTS
    assert "unpaired" in found.note


def test_few_scores_are_inconclusive():
    found = cell(model(SCORES[:1]), model(SCORES[:1] * 1.5, final_weights=1.1))
    assert found.found is Class.INCONCLUSIVE
    assert "too few runs" in found.note
    lost = cell(model([np.nan, 1.0]), model([1.0, 1.0], final_weights=1.1))
    assert lost.found is Class.INCONCLUSIVE
    assert "mae is no number" in lost.note


@pytest.mark.parametrize("other", [{"rows": 41}, {"score": "mse"}])
def test_other_data_and_another_score_are_changed(other):
    assert "other data, or another model" in cell(model(), model(**other)).note


def test_a_model_of_one_baseline_alone_is_said():
    comparison = compare(baseline(), baseline().model_copy(update={"models": {"mine": model()}}))
    (one,) = comparison.of(Section.MODELS)
    assert (one.found, one.only_in) == (Class.CHANGED, "new")


def test_a_model_comes_back_from_its_file(tmp_path):
    whole = baseline().model_copy(update={"models": {"mine": model([1e-12, np.inf, np.nan])}})
    (tmp_path / "file.json").write_text(write_baseline(whole), encoding="utf-8")
    assert load_baseline(tmp_path / "file.json").models == whole.models


def test_the_number_of_reseeds_that_is_asked_for_is_that_of_models_too(monkeypatch):
    seen = []
    monkeypatch.setattr(recording, "record_part", lambda part, **_: seen.append(part))
    monkeypatch.setattr(recording, "merge", lambda parts: parts)
    problem = initcheck.Problem.of(lambda: None, lambda: None, name="mine")
    recording.record((), reseeds=3, seed=1, advance=lambda *_: None, models=[problem])
    assert (seen[0].name, seen[0].reseeds, seen[0].model) == ("mine", 3, problem)
    assert not any(part.model for part in seen[1:])
