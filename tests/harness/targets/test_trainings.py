"""Trainings on Keras on another backend than TensorFlow, where this process has one as its target."""

import json
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from other_backends import build, data, on_other_backends, quiet

from initcheck import Problem
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.own_problems import OWN
from initcheck.catalog.problems import PROBLEMS, get_problem
from initcheck.cli.app import cli
from initcheck.engines.ensemble import EnsembleEngine
from initcheck.engines.feeding import batch_order, ordered_rows, rows_for
from initcheck.engines.fit import ReferenceEngine
from initcheck.engines.initial_weights import UnsuitableError
from initcheck.engines.own_runs import OwnEngine
from initcheck.engines.reuse import bitwise_equal, read_values
from initcheck.engines.stateless_agreement import judge_members
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import all_seen, as_tensor, mean, seen_by
from initcheck.frameworks.backends import load_target_keras
from initcheck.frameworks.differentiation import gradients
from initcheck.frameworks.environment import environment
from initcheck.records import DECIDE_BITS, METRICS, group_runs
from initcheck.targets import backend_of, target

pytestmark = on_other_backends


def test_a_model_that_is_used_again_gives_the_bits_of_fresh_ones():
    problem, row = get_problem("xor"), INITIALIZERS["he_normal"]
    engines = [ReferenceEngine(problem, epochs=2, reuse=reuse) for reuse in (True, False)]
    for run in (1, 2):
        (one, history), (other, fresh) = (engine.fit(row, run=run) for engine in engines)
        assert history == fresh
        assert bitwise_equal(read_values(one.variables), read_values(other.variables))


def test_a_model_of_one_s_own_repeats_whatever_was_trained_before_it():
    problem = Problem.of(build, data, epochs=2, name="noisy")
    engine = OwnEngine(problem)
    runs = [engine.train(OWN, reseed=reseed, seed=7) for reseed in (0, 1, 2, 1)]
    assert runs[1] == runs[3] == OwnEngine(problem).train(OWN, reseed=1, seed=7)
    assert len({run.history["loss"] for run in runs}) == 3


def test_rows_pass_in_the_given_order_through_all_epochs():
    keras: Any = load_target_keras()
    seen: list[int] = []

    class Noting(keras.layers.Layer):
        def call(self, inputs):
            seen_by(lambda rows: seen.extend(rows[:, 0].astype(int).tolist()), inputs)
            return inputs

    model = keras.Sequential([keras.Input((1,)), Noting(), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    numbers = np.arange(10, dtype="float32")[:, None]
    order = batch_order(10, 3)
    rows = rows_for(model, ordered_rows((numbers, 0 * numbers), order, 4))
    model.fit(rows, epochs=3, steps_per_epoch=3, shuffle=False, verbose=0)
    all_seen()
    assert seen[-30:] == order.ravel().tolist()


def test_a_gradient_in_training_moves_statistics_and_generators_as_a_call_does():
    keras: Any = load_target_keras()
    model, other = (
        keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5, seed=5)])
        for _ in range(2)
    )
    x = as_tensor(np.arange(40, dtype="float32").reshape(10, 4))

    def compute(rows):
        output = model(rows, training=True)
        return mean(output), output

    first, second = (gradients(model, [x], compute).values for _ in range(2))
    assert not np.array_equal(first == 0, second == 0)
    for expected in (first, second):
        np.testing.assert_array_equal(expected == 0, as_array(other(x, training=True)) == 0)
    for moved, expected in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(moved, expected, rtol=1e-6)


def test_the_environment_names_the_target_and_the_packages_of_its_backend():
    where, backend = environment(), backend_of(target())
    shown = dict(where.rows())
    assert shown["target"] == target()
    assert {backend, "keras", "numpy"} <= set(where.versions)
    assert not {"tensorflow", "jax", "torch"} & set(where.versions) - {backend}
    assert "CPU" in where.devices
    assert ("oneDNN" in shown) == (backend != "jax")
    assert "target" in DECIDE_BITS


def only_just_wrong(keras):
    return quiet(keras, momentum=0.98)


def judged(engine, fitted):
    """What the engine's ensemble makes of the initial values of those trainings, compared with them."""
    ensemble = engine.ensemble([(OWN, 0)])
    return judge_members(ensemble, [initial for _, initial, _ in fitted], [history for _, _, history in fitted])


def test_members_of_a_model_s_ensemble_are_within_rounding_of_fit_and_have_the_same_bits_in_any_place():
    noisy = build if target() == "keras:jax" else quiet
    engine = OwnEngine(Problem.of(noisy, data, epochs=2, name="own"))
    fitted = engine.train(OWN, reseed=13, seed=7)
    ensemble = engine.ensemble([(OWN, 0)])
    few, many = (
        group_runs(engine.runs_stacked(ensemble, [OWN], reseeds=range(start, 20), seed=7))[0] for start in (13, 0)
    )
    np.testing.assert_array_equal(few.history, many.history[13:])
    np.testing.assert_array_equal(few.test_score, many.test_score[13:])
    reported = np.array([fitted.history[name] for name in few.metrics]).T
    np.testing.assert_allclose(few.history[0], reported, atol=1e-5)


def test_a_member_that_is_only_just_wrong_does_not_agree():
    engine, wrong = (OwnEngine(Problem.of(one, data, epochs=4, name="own")) for one in (quiet, only_just_wrong))
    fitted = [engine.train_fresh(1)]
    assert judged(engine, fitted).agrees
    assert not judged(wrong, fitted).agrees


def compiled(keras, model):
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model


def shifted(keras):
    """A number that each build keeps in no variable."""
    shift = float(np.random.normal())
    inputs = keras.Input((4,))
    return compiled(keras, keras.Model(inputs, keras.layers.Dense(2)(inputs + shift)))


def by_python(keras: Any):
    """A call that draws by NumPy: once in a program of JAX, each time on torch."""

    class Drawing(keras.layers.Layer):
        def call(self, inputs):
            return inputs * float(np.random.normal())

    return compiled(keras, keras.Sequential([keras.Input((4,)), Drawing(), keras.layers.Dense(2)]))


@pytest.mark.parametrize(
    ("model", "reasons"),
    [
        (shifted, {"keras:jax": "differ in numbers", "keras:torch": "differ in numbers"}),
        (by_python, {"keras:jax": "differ in numbers", "keras:torch": "gives another result each time"}),
        (build, {"keras:torch": "draws noise, and torch has none of each member's own"}),
    ],
)
def test_what_the_ensemble_cannot_match_fit_on_is_refused_before_it_trains(model, reasons):
    engine = OwnEngine(Problem.of(model, data, epochs=1, name="own"))
    if target() in reasons:
        with pytest.raises(UnsuitableError, match=reasons[target()]):
            engine.ensemble([(OWN, 0)])
    else:
        assert engine.ensemble([(OWN, 0)]).width > 1


def test_a_run_by_the_ensemble_names_it(tmp_path):
    words = ["run", "--model", "other_backends:quiet", "--data", "other_backends:data", "--reseeds", "2"]
    done = CliRunner().invoke(cli, [*words, "--epochs", "1", "--engine", "ensemble", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "stateless ensemble engine" in done.output


def test_members_of_the_ensemble_are_within_rounding_of_fit_and_have_the_same_bits_in_any_place():
    problem, row = PROBLEMS["xor"], INITIALIZERS["he_normal"]
    engine = EnsembleEngine(problem, [row], epochs=3, width=32)
    (few,), (many,) = (group_runs(engine.runs(reseeds=range(start, 20), seed=7)) for start in (13, 0))
    fitted = ReferenceEngine(problem, epochs=3).train(row, reseed=13, seed=7)
    np.testing.assert_array_equal(few.history, many.history[13:])
    np.testing.assert_array_equal(few.test_score, many.test_score[13:])
    reported = np.array([fitted.history[name] for name in METRICS]).T
    np.testing.assert_allclose(few.history[0], reported, atol=1e-5)
    assert fitted.test_score == few.test_score[0]


def test_a_run_says_on_which_target_it_was(tmp_path):
    words = ["run", "--problem", "xor", "--reseeds", "1", "--epochs", "1", "--out", str(tmp_path)]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    saved = json.loads((tmp_path / "sweep.json").read_text())
    assert saved["environment"]["target"] == target()
    assert saved["command"].endswith(f"--on {target()}")
    assert target() in (tmp_path / "report.html").read_text()
