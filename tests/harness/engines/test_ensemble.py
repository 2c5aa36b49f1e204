import functools
import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import initcheck
from initcheck import INITIALIZERS, PROBLEMS, InitcheckError
from initcheck.catalog import optimizers
from initcheck.catalog.initializers import get_initializers
from initcheck.engines import initial_weights, reuse
from initcheck.engines.agreement import compare_engines, judge_agreement
from initcheck.engines.ensemble import EnsembleEngine, _cores
from initcheck.engines.fit import ReferenceEngine
from initcheck.engines.initial_weights import UnsuitableError
from initcheck.frameworks.floatx import floatx
from initcheck.frameworks.instances import LayerInitializers, make_initializer
from initcheck.frameworks.keras import load_keras
from initcheck.records import group_runs
from initcheck.seeding import layer_seed, layer_seeds, run_seed, run_seeds

_IN_KERAS_2 = load_keras().__version__.startswith("2.")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(_IN_KERAS_2, reason="Keras 2: the reference engine serves")]
EPOCHS = 2


def with_layers(*layers, name="own", **changes):
    """The iris problem with those layers, each made by ``layer(keras, initializer)``, before its sigmoid."""

    def model(keras, initializer, input_shape):
        made = [layer(keras, initializer) for layer in layers]
        output = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=initializer("output"))
        return keras.Sequential([keras.Input(input_shape), *made, output])

    return replace(PROBLEMS["iris"], name=name, model=model, **changes)


def dense(name, units=3, **settings):
    return lambda keras, initializer: keras.layers.Dense(units, kernel_initializer=initializer(name), **settings)


def train(problem, *names, reseeds=4, **settings):
    engine = EnsembleEngine(problem, get_initializers(names), epochs=EPOCHS, width=settings.pop("width", None))
    return group_runs(engine.runs(reseeds=range(reseeds), seed=5, **settings))


@pytest.mark.parametrize("name", ["iris", *(pytest.param(name, marks=pytest.mark.slow) for name in ("xor", "digits"))])
def test_initial_weights_are_those_of_the_reference_engine_bit_for_bit(name):
    problem = PROBLEMS[name]
    rows = get_initializers(["all"])
    rows = [row for row in rows if name != "digits" or row.name != "identity"]
    engine = EnsembleEngine(problem, rows, epochs=1)
    for row in rows:
        seeds = run_seeds(5, name, row.name, range(120 if row.name == "he_normal" else 3))
        weights = engine.initial_weights(row, seeds)
        for place in (0, len(seeds) - 1):
            model = problem.model(load_keras(), LayerInitializers(row, seeds[place]), problem.data().input_shape)
            for drawn, built in zip(weights, model.get_weights(), strict=True):
                assert np.array_equal(drawn[..., place], built), row.name


@given(data=st.data())
@settings(
    max_examples=12,
    phases=[Phase.explicit, Phase.generate],  # shrinking compiles for minutes
)
def test_random_architectures_agree_with_the_reference_engine(data):
    draw = data.draw
    activations = st.sampled_from(["relu", "tanh", "sigmoid", "elu", "softmax", "gelu", None])
    depth = draw(st.integers(0, 2), label="depth")
    hidden = [
        dense(f"h{n}", draw(st.integers(1, 9)), activation=draw(activations), use_bias=draw(st.booleans()))
        for n in range(depth)
    ]
    optimizer = draw(st.sampled_from(["SGD", "RMSprop", "Adam", "Adagrad", "Adadelta", "Adamax"]), label="optimizer")
    problem = with_layers(
        *hidden,
        optimizer=lambda keras: getattr(keras.optimizers, optimizer)(0.02),
        batch_size=draw(st.integers(5, 40), label="batch size"),
    )
    row = INITIALIZERS[draw(st.sampled_from(["he_normal", "glorot_uniform", "orthogonal"]))]
    verdict = judge_agreement(problem, row, reseed=1, seed=5, epochs=EPOCHS)
    assert verdict.agrees, verdict


def test_layers_whose_draws_are_often_equal_are_distinguished():
    """An orthogonal kernel of one element is 1 or −1: in one build of two, two layers draw the same."""
    problem = with_layers(dense("a", 1), dense("b", 1), dense("c", 1))
    row = INITIALIZERS["orthogonal"]
    seeds = run_seeds(5, "own", "orthogonal", range(12))
    weights = EnsembleEngine(problem, [row], epochs=1).initial_weights(row, seeds)
    for place, seed in enumerate(seeds):
        built = problem.model(load_keras(), LayerInitializers(row, seed), (4,)).get_weights()
        assert all(np.array_equal(drawn[..., place], own) for drawn, own in zip(weights, built, strict=True))


def conv(keras, initializer):
    return keras.layers.Conv2D(3, 2, kernel_initializer=initializer("conv"), activation="relu")


def test_convolutions_agree_with_the_reference_engine():
    def model(keras, initializer, input_shape):
        layers = keras.layers
        return keras.Sequential(
            [
                keras.Input(input_shape),
                layers.Reshape((8, 8, 1)),
                conv(keras, initializer),
                layers.MaxPooling2D(2),
                layers.Flatten(),
                layers.Dense(10, activation="softmax", kernel_initializer=initializer("output")),
            ]
        )

    problem = replace(PROBLEMS["digits"], name="own", model=model)
    verdict = judge_agreement(problem, INITIALIZERS["he_normal"], reseed=1, seed=5, epochs=1)
    assert verdict.agrees, verdict


def test_results_do_not_depend_on_width_or_threads_or_the_other_runs():
    (whole,) = train(PROBLEMS["xor"], "he_normal", reseeds=150)
    (narrow,) = train(PROBLEMS["xor"], "he_normal", reseeds=150, width=16)
    first, other = train(PROBLEMS["xor"], "he_normal", "orthogonal", reseeds=9)
    for part in (narrow, first):
        assert np.array_equal(part.history, whole.history[: len(part)])
        assert np.array_equal(part.test_correct, whole.test_correct[: len(part)])
    assert other.initializer == "orthogonal"


@pytest.mark.parametrize("name", ["iris", "digits"])
def test_results_do_not_depend_on_how_many_runs_there_are(name):
    """The products of these two are summed differently where there are fewer columns: the width has to be the same."""
    (many,) = train(PROBLEMS[name], "he_normal", reseeds=70)
    (few,) = train(PROBLEMS[name], "he_normal", reseeds=3)
    assert np.array_equal(few.history, many.history[:3])


def test_an_order_is_another_training_of_the_same_weights():
    (frozen,) = train(PROBLEMS["iris"], "he_normal")
    (runs,) = train(PROBLEMS["iris"], "he_normal", orders=(0, 1, 2))
    assert runs.orders.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert np.array_equal(runs.history[:4], frozen.history)
    assert runs.seeds[:4].tolist() == runs.seeds[4:8].tolist()
    assert len(np.unique(runs.metric("loss")[:, -1])) == 12
    reference = ReferenceEngine(PROBLEMS["iris"], epochs=EPOCHS).train(
        INITIALIZERS["he_normal"], reseed=3, seed=5, order=2
    )
    assert runs[-1].loss == pytest.approx(reference.loss, abs=1e-5)


def clipped(keras):
    return keras.optimizers.SGD(0.1, clipnorm=1.0)


def scaled(keras):
    return keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01))


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (with_layers(lambda keras, initializer: keras.layers.Dropout(0.5)), "more than weights"),
        (with_layers(lambda keras, initializer: keras.layers.BatchNormalization()), "more than weights"),
        (with_layers(lambda keras, initializer: keras.layers.Dense(3)), "does not decide alone"),
        (with_layers(dense("h", kernel_regularizer="l2")), "kernel_regularizer"),
        (with_layers(dense("h", dtype="float64")), "another dtype"),
        (replace(PROBLEMS["iris"], optimizer=clipped), "sets clipnorm"),
        (replace(PROBLEMS["iris"], optimizer=lambda keras: keras.optimizers.Adafactor(0.1)), "Adafactor"),
        (
            replace(PROBLEMS["iris"], optimizer=lambda keras: keras.optimizers.Adam(use_ema=True)),
            "optimizer sets use_ema",
        ),
        (replace(PROBLEMS["iris"], optimizer=scaled), "optimizer is LossScaleOptimizer"),
        (replace(PROBLEMS["iris"], loss="hinge"), "its loss"),
    ],
    ids=[
        "dropout",
        "normalization",
        "unseeded",
        "regularizer",
        "dtype",
        "clipnorm",
        "Adafactor",
        "average",
        "scale",
        "loss",
    ],
)
def test_what_it_cannot_hold_to_the_reference_engine_is_refused_and_trained_by_that(problem, reason):
    with pytest.raises(UnsuitableError, match=reason):
        EnsembleEngine(problem, get_initializers(["he_normal"]))
    with pytest.raises(InitcheckError, match="the ensemble engine cannot train problem"):
        initcheck.sweep(problem, initializers=["he_normal"], reseeds=1, epochs=1, engine="ensemble")


def test_an_optimizer_whose_elements_move_together_is_refused(monkeypatch):
    together = replace(optimizers.RMSPROP, elementwise=False, without={"elementwise": "a test"})
    monkeypatch.setattr(reuse, "OPTIMIZERS", (together,))
    with pytest.raises(UnsuitableError, match="its optimizer is RMSprop"):
        EnsembleEngine(PROBLEMS["iris"], get_initializers(["he_normal"]))


def test_losses_in_float64_are_trained_by_fit():
    keras = load_keras()
    with floatx(keras, "float64"):
        with pytest.raises(UnsuitableError, match=r"Keras computes losses in float64 \(floatx\)"):
            EnsembleEngine(PROBLEMS["iris"], get_initializers(["he_normal"]))
        result = initcheck.sweep("iris", initializers=["he_normal"], reseeds=1, epochs=1)
    assert "Keras computes losses in float64" in result.engine
    assert np.isfinite(result.runs[0].loss)


def test_auto_says_which_engine_trained_and_why():
    problem = with_layers(lambda keras, initializer: keras.layers.Dropout(0.5))
    fallen_back = initcheck.sweep(problem, initializers=["he_normal"], reseeds=1, epochs=1)
    assert fallen_back.engine.startswith("reference engine, as the ensemble cannot train this: its layer 'dropout")
    assert "a Dropout, may hold more than weights" in fallen_back.engine
    assert initcheck.sweep("iris", initializers=["zeros"], reseeds=1, epochs=1).engine == "ensemble engine"


def test_both_ways_to_vary_make_a_grid():
    sweep = initcheck.sweep("iris", initializers=["he_normal"], reseeds=10, epochs=1, vary="init,order")
    assert len({(run.reseed, run.order) for run in sweep.runs}) == sweep.planned == 12
    order_only = initcheck.sweep("iris", initializers=["he_normal"], reseeds=3, epochs=1, vary="order")
    assert [(run.reseed, run.order) for run in order_only.runs] == [(0, 1), (0, 2), (0, 3)]


def test_an_initializer_whose_trace_differs_is_drawn_eagerly(monkeypatch):
    """A seed that is changed on the way into the constructor is not seen by the trace: the probes notice."""
    keras = load_keras()
    original = keras.initializers.HeNormal.__init__
    monkeypatch.setattr(keras.initializers.HeNormal, "__init__", lambda self, seed: original(self, seed=seed // 2))
    row = INITIALIZERS["he_normal"]
    seeds = run_seeds(5, "iris", "he_normal", range(200))
    engine = EnsembleEngine(PROBLEMS["iris"], [row], epochs=1)
    with pytest.warns(UserWarning, match="he_normal is drawn one by one, which is slower: traced, it draws other bits"):
        kernel, _ = engine.initial_weights(row, seeds)
    expected = keras.initializers.HeNormal(seed=layer_seed(seeds[77], "output"))((4, 1))
    assert np.array_equal(kernel[..., 77], expected)


def test_a_framework_that_cannot_be_traced_is_slow_and_says_why_once(monkeypatch):
    import tensorflow as tf

    keras = load_keras()
    original = keras.initializers.HeNormal.__call__
    sweep = functools.partial(initcheck.sweep, "iris", initializers=["he_normal", "zeros"], reseeds=100, epochs=1)
    traced = sweep()
    assert traced.engine == "ensemble engine"

    def untraceable(self, *arguments, **settings):
        if tf.inside_function():
            raise TypeError("no graph")
        return original(self, *arguments, **settings)

    monkeypatch.setattr(keras.initializers.HeNormal, "__call__", untraceable)
    with pytest.warns(UserWarning, match="he_normal is drawn one by one") as caught:
        drawn = sweep()
    reason = "tracing it raises TypeError: no graph"
    assert [str(one.message) for one in caught] == [f"he_normal is drawn one by one, which is slower: {reason}"]
    assert drawn.engine == f"ensemble engine; he_normal drawn one by one, as {reason}"
    assert drawn.runs == traced.runs


@pytest.mark.parametrize("name", ["he_uniform", "he_normal"])
@pytest.mark.parametrize("wrong", [False, True], ids=["right", "wrong"])
def test_thousands_of_draws_are_those_of_each_seed(name, wrong, monkeypatch):
    """Uniform draws are made together; draws of other laws, and those that differ so, one after another."""
    joint = []

    original = initial_weights.trace_joint_draws

    def trace(*given):
        draws = original(*given)
        joint.append(name)
        return (lambda seeds: draws(seeds + 1)) if wrong else draws

    monkeypatch.setattr(initial_weights, "trace_joint_draws", trace)
    seeds = run_seeds(5, "iris", name, range(4096))
    engine = EnsembleEngine(PROBLEMS["iris"], [INITIALIZERS[name]], epochs=1)
    kernel, _ = engine.initial_weights(INITIALIZERS[name], seeds)
    again, _ = engine.initial_weights(INITIALIZERS[name], seeds[:1234])
    assert joint == ["he_uniform"] * (name == "he_uniform")
    assert np.array_equal(again, kernel[..., :1234])
    for place in (1, 1233, 3000):
        initializer = make_initializer(INITIALIZERS[name], layer_seed(seeds[place], "output"))
        assert np.array_equal(kernel[..., place], initializer(kernel.shape[:-1]))
    assert engine.words() == "ensemble engine"


def test_seeds_of_many_are_the_seeds_of_each():
    assert run_seeds(7, "iris", "zeros", range(3)) == [run_seed(7, "iris", "zeros", n) for n in range(3)]
    assert layer_seeds([5, 6], 'a "name"') == [layer_seed(5, 'a "name"'), layer_seed(6, 'a "name"')]


@pytest.fixture(scope="module")
def iris_run():
    """The right training, by the reference engine."""
    return ReferenceEngine(PROBLEMS["iris"], epochs=EPOCHS).train(INITIALIZERS["he_normal"], reseed=0, seed=5)


def test_the_right_training_agrees(iris_run):
    problem, row = PROBLEMS["iris"], INITIALIZERS["he_normal"]
    assert compare_engines(EnsembleEngine(problem, [row], epochs=EPOCHS), iris_run, row, problem, seed=5).agrees


@pytest.mark.parametrize("wrong", [{"rho": 0.901}, {"learning_rate": 0.01001}, {"epsilon": 1e-5}], ids=str)
def test_a_training_that_is_only_just_wrong_does_not_agree(wrong, iris_run):
    problem, row = PROBLEMS["iris"], INITIALIZERS["he_normal"]
    settings = {"learning_rate": 0.01, **wrong}
    other = replace(problem, optimizer=lambda keras: keras.optimizers.RMSprop(**settings))
    assert not compare_engines(EnsembleEngine(other, [row], epochs=EPOCHS), iris_run, row, problem, seed=5).agrees


@pytest.mark.parametrize("name", ["iris", "xor", "digits"])
def test_both_engines_agree_under_every_initializer_of_the_catalogue(name):
    problem, rows = PROBLEMS[name], list(INITIALIZERS.values())
    reference, engine = ReferenceEngine(problem), EnsembleEngine(problem, rows)
    for row in rows:
        agreement = compare_engines(engine, reference.train(row, reseed=0, seed=5), row, problem, seed=5)
        assert agreement.agrees, (row.name, agreement)


def test_processors_are_counted_where_no_affinity_is_known(monkeypatch):
    """As on macOS, where Python has no ``os.sched_getaffinity``."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "2")
    assert _cores() == 3
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert _cores() == 1
