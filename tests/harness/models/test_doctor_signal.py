"""The doctor names what is wrong with signal, units, first loss and outputs, and finds nothing on healthy models."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from healthy_models import HEALTHY, compiled, keras, layers, tabular
from ill_models import ILL, dense

import initcheck
from initcheck.engines.identity import identify_model
from initcheck.engines.own_models import OwnData, OwnModel, TrainingOptions
from initcheck.engines.probed_passes import LayerPass, ModelPass
from initcheck.engines.reseeded_trainings import ReseededTrainings
from initcheck.frameworks.environment import environment
from initcheck.models.best_constants import KNOWN_LOSSES
from initcheck.models.layer_signal import find_in_signal
from initcheck.models.seeds_needed import score_over_reseeds
from initcheck.models.signal_time import find_in_time
from initcheck.reporting.diagnosis_report import diagnosis_json, render_diagnosis
from initcheck.store.folder import Store
from initcheck.store.kept_texts import KeptTexts
from initcheck.store.sweep_questions import SweepQuestion

FAST = {"logistic_regression", "two_equal_units"}


def cases(names):
    return [pytest.param(name, marks=[pytest.mark.slow] * (name not in FAST)) for name in names]


def examined(build, data, **options):
    report = initcheck.doctor(build, data, fresh_processes=False, **{"reseeds": 0, **options})
    assert not any("failed" in note for note in report.diagnosis.notes), report.diagnosis.notes
    return report


@pytest.mark.parametrize("name", cases(ILL))
def test_a_planted_cause_is_named_once(name):
    build, data, what, word = ILL[name]
    (finding,) = examined(build, data).findings
    assert what in finding.what
    assert word in finding.where + finding.effect + finding.remedy


@pytest.mark.parametrize("name", cases(HEALTHY))
def test_nothing_is_wrong_with_a_user_s_healthy_model(name):
    build, data = HEALTHY[name]
    report = examined(build, data)
    assert report.healthy, report.findings
    assert report.diagnosis.signal
    assert report.diagnosis.first_losses


def test_a_report_has_signal_first_loss_and_seeds():
    def build():
        model = keras.Sequential([keras.Input((20,)), *(layers.Dense(8, "relu") for _ in range(2))])
        model.add(layers.Dense(1))
        return compiled(model, metrics=["mae"])

    x, y = tabular()
    report = examined(build, lambda: ((x, y), (x[:32], y[:32])), reseeds=3, epochs=1)
    assert {score.name for score in report.diagnosis.scores} == {
        "training loss",
        "training mae",
        "held-out loss",
        "held-out mae",
    }
    text, page, body = str(report), render_diagnosis(report.diagnosis), json.loads(diagnosis_json(report.diagnosis))
    for part in ("Signal by layer", "First loss", "How many seeds?", "difference found"):
        assert part in text
        assert part in page
    assert "<svg" in page
    assert len(body["signal"]) == 3
    assert len(body["scores"][0]["table"]) == 7
    assert body["first_losses"][0]["loss"] == "mean_squared_error"


def test_of_a_model_with_a_step_of_its_own_the_gradients_are_those_that_it_hands_on():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.out = layers.Dense(1)

        def call(self, inputs):
            return self.out(inputs)

        def train_step(self, *data):
            return super().train_step(*data)

    report = examined(lambda: compiled(Own()), tabular)
    assert report.healthy, report.findings
    assert any("a train_step of its own" in note for note in report.diagnosis.notes)
    assert report.diagnosis.first_losses
    assert any("passes forward and back" in one for one in report.diagnosis.looked_at)


def test_units_that_dropout_alone_parts_are_noted():
    def build():
        kernel, dropout = keras.initializers.Constant(0.1), layers.Dropout(0.5)
        hidden = layers.Dense(8, "tanh", kernel_initializer=kernel)
        return dense(hidden, dropout, last=layers.Dense(1, kernel_initializer=kernel))

    report = examined(build, tabular)
    assert report.healthy, report.findings
    assert any("without dropout and noise" in note for note in report.diagnosis.notes)


def test_statistics_that_a_layer_has_adapted_to_are_no_finding():
    def build():
        normalization = layers.Normalization()
        normalization.adapt(200 * tabular()[0] + 100)
        return dense(normalization, layers.Dense(8, "relu"))

    x, y = tabular()
    report = examined(build, lambda: (200 * x + 100, y))
    assert report.healthy, report.findings


def test_of_one_row_no_rows_are_equal():
    x, y = tabular()
    report = examined(dense, lambda: (x[:1], y[:1]))
    assert report.healthy, report.findings
    assert any("fewer than 8 rows" in note for note in report.diagnosis.notes)


def test_reseeds_are_three_or_more_or_none():
    with pytest.raises(initcheck.InitcheckError, match="reseeds is 2; give 3 or more, or 0 for none"):
        examined(dense, tabular, reseeds=2)


def test_a_model_that_is_compiled_once_trains_as_one_that_is_made_anew():
    def build():
        return dense(layers.Dense(8, "relu"), layers.Dropout(0.2), layers.BatchNormalization())

    x, y = tabular(64)
    trainings = ReseededTrainings(keras, OwnModel(build), OwnData(x, y), 7)
    kept = trainings.scores(3)
    assert kept[2] == trainings._scores(2, kept=False)
    assert len({one["training loss"] for one in kept}) == 3


def test_trainings_that_a_store_has_are_not_trained_again(tmp_path):
    def build():
        return dense(layers.Dense(8, "relu"), layers.Dropout(0.2))

    def scored(count, stored=True, rows=64, epochs=1):
        own, data = OwnModel(build, options=TrainingOptions(epochs=epochs)), OwnData(*tabular(rows))
        trained = {**identify_model(keras, own, data), "engine": "doctor"}
        question = SweepQuestion.of(trained, seed=7, score=None, environment=environment())
        texts = KeptTexts(Store.open(tmp_path).answers(question)) if stored else None
        return ReseededTrainings(keras, own, data, 7).scores(count, texts), texts and texts.found

    assert scored(3)[1] == 0
    assert scored(5) == (scored(5, stored=False)[0], 3)
    assert scored(3, rows=48)[1] == 0
    assert scored(3, epochs=2)[1] == 0
    assert scored(5)[1] == 5


@pytest.mark.slow
def test_the_doctor_says_how_many_trainings_came_from_the_store(tmp_path):
    first, again = (examined(dense, tabular, reseeds=3, epochs=1, store=tmp_path).diagnosis for _ in range(2))
    assert first.scores == again.scores
    words = [[line for line in one.looked_at if "from the store" in line] for one in (first, again)]
    assert words[0] == []
    assert words[1][0].endswith("steps each, 3 of them from the store")


@pytest.mark.slow
def test_trainings_on_data_that_make_their_own_batches_are_not_kept(tmp_path):
    import tensorflow as tf

    def data():
        return tf.data.Dataset.from_tensor_slices(tabular()).batch(32)

    diagnosis = examined(dense, data, reseeds=3, store=tmp_path / "store").diagnosis
    assert any(note.startswith("Not kept in the store") for note in diagnosis.notes)
    assert len(diagnosis.scores[0].values) == 3


# Judging, without a framework.


def chain(gains, backward=1.0, dead=0.0, count=10, units=40):
    """Passes of a chain of relu layers with these factors, each with a spread of 10 % over reseeds."""
    stream = np.random.RandomState(0)
    passes = []
    for _ in range(count):
        noise = np.exp(stream.normal(0, 0.1, len(gains) + 1))
        scales = np.cumprod([1.0, *gains]) * noise
        gradients = np.cumprod([1.0, *[backward] * len(gains)])[::-1] * noise
        calls = [
            LayerPass(
                name=f"layer {place}",
                kind="Dense",
                activation="relu" if place < len(gains) else "linear",
                weighted=True,
                recurrent=False,
                parents=(place - 1,) if place else (),
                given=scales[place],
                least=0.0,
                spread=scales[place],
                scale=scales[min(place + 1, len(gains))],
                shape=(8, units),
                identity=str(stream.random_sample()),
                dead=stream.random_sample(units) < dead,
                saturated=np.nan,
                gradient=gradients[place],
            )
            for place in range(len(gains) + 1)
        ]
        passes.append(ModelPass(tuple(calls), (), (), None))
    return passes


def found_in(passes):
    return find_in_signal(passes, [call.name for call in passes[0].calls])


def test_a_signal_that_fades_is_named_from_where_it_begins():
    (finding,) = found_in(chain([1, 1, 1, 0.1, 0.1, 0.1, 0.1])).findings
    assert finding.what == "a signal that vanishes with depth"
    assert finding.where == "from layer 3 to layer 6"
    assert "over 4 layers, 0.098 a layer" in finding.effect


def test_gradients_are_named_from_the_last_layer_back():
    (finding,) = found_in(chain([1] * 6, backward=0.2)).findings
    assert finding.what == "gradients that vanish with depth"
    assert finding.where == "from layer 5 back to layer 1"


def test_a_single_jump_is_no_trend():
    found = found_in(chain([1, 1, 1e-4, 1, 1]))
    assert not found.findings
    assert not found.notes


def test_a_jump_among_layers_that_go_up_and_down_is_no_trend():
    found = found_in(chain([500, 0.55, 1.8, 0.55, 1.8, 0.55, 1.8]))
    assert not found.findings
    assert not found.notes


def test_a_factor_below_a_hundred_is_noted_only():
    found = found_in(chain([0.5] * 6))
    assert not found.findings
    assert "no finding below 100" in found.notes[0]


def test_a_factor_whose_interval_holds_a_hundred_is_no_finding():
    assert not found_in(chain([100 ** (-1 / 6)] * 6)).findings


def test_half_of_the_units_may_be_dead_and_not_more():
    assert not found_in(chain([1, 1], dead=0.5)).findings
    (finding,) = found_in(chain([1, 1], dead=0.7)).findings
    assert finding.what == "dead relu units"


def in_time(norms):
    """Passes of one recurrent layer with those gradients by step, each with a spread of 10 % over reseeds."""
    noise = np.random.RandomState(0).normal(0, 0.1, (10, len(norms)))
    layer = chain([1], count=1)[0].calls[0]
    calls = [dataclasses.replace(layer, recurrent=True, by_step=norms * np.exp(one)) for one in noise]
    return find_in_time([calls], ["lstm"])


def test_gradients_that_multiply_back_in_time_explode_and_those_that_add_up_do_not():
    (finding,), _ = in_time(2.0 ** np.arange(20)[::-1])
    assert (finding.what, finding.where) == ("gradients that explode through time", "lstm")
    assert in_time(np.arange(1.0, 1001)[::-1]) == ([], [])
    assert in_time(np.where(np.arange(20) < 12, 2.0 ** np.arange(20)[::-1], 0.0))[0]  # behind 12 steps is padding


def test_gradients_that_vanish_through_time_are_noted_only():
    findings, notes = in_time(0.5 ** np.arange(20)[::-1])
    assert not findings
    assert "On the way back through lstm" in notes[0]


LOSSES: Any = {
    "mean_squared_error": lambda y, c: np.square(y - c).mean(),
    "mean_absolute_error": lambda y, c: np.abs(y - c).mean(),
    "binary_crossentropy": lambda y, c: -(y * np.log(c) + (1 - y) * np.log(1 - c)).mean(),
}


@pytest.mark.parametrize("name", LOSSES)
def test_no_constant_near_it_is_better_than_the_best(name):
    stream = np.random.RandomState(0)
    y = (stream.random_sample((99, 1)) < 0.3).astype(float) if "binary" in name else stream.gamma(2, size=(99, 1))
    best = KNOWN_LOSSES[name].best(y, np.ones(99), 1)
    at = LOSSES[name](y, best)
    assert all(at <= LOSSES[name](y, factor * best) for factor in (0.9, 0.99, 1.01, 1.1))


def test_scores_that_are_equal_have_no_table():
    score = score_over_reseeds("accuracy", [0.5] * 4)
    assert score.spread.value == 0
    assert not score.table


def test_the_table_widens_for_the_uncertainty_of_the_spread():
    few = score_over_reseeds("loss", [1.0, 2.0, 3.0])
    row = few.table[0]
    assert row.at_most / row.detectable == pytest.approx(few.spread.high / few.spread.value)
