import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import initcheck
from initcheck import INITIALIZERS, PROBLEMS, Data, InitcheckError
from initcheck.catalog.optimizers import OPTIMIZERS
from initcheck.engines.feeding import batch_order
from initcheck.engines.fit import ReferenceEngine, count_correct
from initcheck.engines.sweep import start_sweep
from initcheck.frameworks.instances import LayerInitializers, make_initializer
from initcheck.frameworks.keras import load_keras
from initcheck.seeding import layer_seed, run_seed

pytestmark = pytest.mark.slow

EPOCHS = 3


def train_fresh(problem, initializer, reseed):
    engine = ReferenceEngine(problem, epochs=EPOCHS, reuse=False)
    return engine.train(INITIALIZERS[initializer], reseed=reseed, seed=5)


def with_layers(*layers, name="own"):
    """The iris problem with a model of those layers, each made by ``layer(keras, initializer)``."""

    def model(keras, initializer, input_shape):
        made = [layer(keras, initializer) for layer in layers]
        output = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=initializer("output"))
        return keras.Sequential([keras.Input(input_shape), *made, output])

    return replace(PROBLEMS["iris"], name=name, model=model)


def dropout(keras, initializer):
    return keras.layers.Dropout(0.5)


def normalization(keras, initializer):
    return keras.layers.BatchNormalization()


def unseeded(keras, initializer):
    return keras.layers.Dense(3)


@pytest.mark.parametrize("name", ["iris", *(pytest.param(name, marks=pytest.mark.slow) for name in ("xor", "digits"))])
def test_a_reused_model_gives_the_bits_of_a_fresh_one(name):
    engine = ReferenceEngine(PROBLEMS[name], epochs=EPOCHS)
    runs = [engine.train(INITIALIZERS["he_normal"], reseed=reseed, seed=5) for reseed in range(3)]
    assert engine.reuses_its_model
    assert runs[2] == train_fresh(PROBLEMS[name], "he_normal", 2)
    assert runs[1].history != runs[2].history


@pytest.mark.parametrize("optimizer", [row.name for row in OPTIMIZERS if row.resettable])
def test_every_reset_optimizer_gives_the_bits_of_a_fresh_one(optimizer):
    problem = replace(PROBLEMS["iris"], optimizer=lambda keras: getattr(keras.optimizers, optimizer)(0.05))
    engine = ReferenceEngine(problem, epochs=EPOCHS)
    runs = [engine.train(INITIALIZERS["he_normal"], reseed=reseed, seed=5) for reseed in range(2)]
    assert engine.reuses_its_model
    assert runs[1] == train_fresh(problem, "he_normal", 1)


def steps(keras, initializer):
    return keras.layers.Reshape((4, 1))


def lstm(keras, initializer):
    return keras.layers.LSTM(2, kernel_initializer=initializer("cell"))


def gru(keras, initializer):
    return keras.layers.GRU(2, recurrent_dropout=0.3, kernel_initializer=initializer("cell"))


def spatial_dropout(keras, initializer):
    return keras.layers.SpatialDropout1D(0.5)


def flatten(keras, initializer):
    return keras.layers.Flatten()


def noise(keras, initializer):
    return keras.layers.GaussianNoise(0.5)


def nested(keras, initializer):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5)])


def own_layer(keras: Any, initializer):
    class Own(keras.layers.Layer):
        def call(self, x):
            return x

    return Own()


def own_function(keras, initializer):
    return keras.layers.Lambda(lambda x: x)


def own_activation(keras, initializer):
    return keras.layers.Dense(2, activation=lambda x: x * x, kernel_initializer=initializer("own"))


def assert_bits_of_fresh_models(problem, *, reused):
    """Trains four runs by one engine, and the last two afresh: one proves, or refuses, and one follows."""
    engine = ReferenceEngine(problem, epochs=EPOCHS)
    order = [("zeros", 0), ("zeros", 1), ("he_normal", 1), ("he_normal", 2)]
    runs = [engine.train(INITIALIZERS[name], reseed=reseed, seed=5) for name, reseed in order]
    assert engine.reuses_its_model == reused
    for run, (name, reseed) in zip(runs[2:], order[2:], strict=True):
        assert run == train_fresh(problem, name, reseed)
    assert runs[2].history != runs[3].history


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param((steps, lstm), id="lstm"),
        pytest.param((steps, gru), id="gru"),
        pytest.param((dropout,), id="dropout"),
        pytest.param((normalization,), id="normalization"),
        pytest.param((steps, spatial_dropout, flatten), id="spatial dropout"),
        pytest.param((noise,), id="noise"),
        pytest.param((nested,), id="nested"),
    ],
)
def test_a_model_with_state_is_put_back_to_its_first_state(layers):
    drawn = {dropout, gru, spatial_dropout, noise, nested} & set(layers)
    seeds_are_state = not load_keras().__version__.startswith("2.")  # Keras 2 compiles the seeds of noise in
    assert_bits_of_fresh_models(with_layers(*layers), reused=seeds_are_state or not drawn)


@pytest.mark.parametrize("layer", [own_layer, own_function, own_activation], ids=lambda layer: layer.__name__)
def test_a_model_with_code_of_its_users_is_never_reused(layer):
    assert_bits_of_fresh_models(with_layers(layer, dropout), reused=False)


def test_a_stateful_cell_whose_state_is_in_no_list_of_variables_is_never_reused():
    def model(keras, initializer, input_shape):
        given = keras.Input(batch_shape=(30, *input_shape))
        cell = keras.layers.LSTM(2, stateful=True, kernel_initializer=initializer("cell"))
        output = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=initializer("output"))
        return keras.Sequential([given, keras.layers.Reshape((4, 1)), cell, output])

    whole = PROBLEMS["iris"].data()
    few = Data(whole.x_train[:30], whole.y_train[:30], whole.x_test, whole.y_test)
    problem = replace(PROBLEMS["iris"], name="own", model=model, data=lambda: few, batch_size=30, chance=0.6)
    assert_bits_of_fresh_models(problem, reused=False)


def test_no_model_is_reused_whose_training_differs_from_a_fresh_ones(monkeypatch):
    """A framework whose dropout does not start again from its state: the first run that could prove it refuses."""
    from initcheck.engines import reuse

    monkeypatch.setattr(reuse, "write_values", lambda variables, values: None)
    engine = ReferenceEngine(with_layers(dropout), epochs=EPOCHS)
    runs = [engine.train(INITIALIZERS["he_normal"], reseed=reseed, seed=5) for reseed in range(3)]
    assert not engine.reuses_its_model
    assert runs[2] == train_fresh(with_layers(dropout), "he_normal", 2)


def test_an_average_of_weights_kept_by_the_optimizer_is_never_reused():
    problem = replace(PROBLEMS["iris"], optimizer=lambda keras: keras.optimizers.Adam(0.05, use_ema=True))
    engine = ReferenceEngine(problem, epochs=1)
    engine.train(INITIALIZERS["he_normal"], reseed=0, seed=5)
    assert not engine.reuses_its_model


def test_what_a_user_leaves_unseeded_is_seeded_by_the_run():
    problem = with_layers(unseeded)
    engine = ReferenceEngine(problem, epochs=EPOCHS)
    runs = [engine.train(INITIALIZERS["zeros"], reseed=reseed, seed=5) for reseed in (0, 1)]
    assert runs[1] == train_fresh(problem, "zeros", 1)
    assert runs[0].history != runs[1].history


def test_training_leaves_the_callers_generators_where_they_were():
    engine = ReferenceEngine(with_layers(dropout), epochs=1)
    random.seed(1)
    np.random.seed(1)
    expected = random.random(), np.random.rand()
    random.seed(1)
    np.random.seed(1)
    engine.train(INITIALIZERS["he_normal"], reseed=0, seed=5)
    assert (random.random(), np.random.rand()) == expected


def test_runs_do_not_depend_on_the_order_of_cells_nor_on_the_other_cells():
    rows = [INITIALIZERS[name] for name in ("he_normal", "zeros", "uniform")]

    def train(rows):
        groups = start_sweep(PROBLEMS["iris"], rows, reseeds=range(2), seed=5, epochs=EPOCHS, engine="reference").runs
        return [run for runs in groups for run in runs]

    forwards, backwards, alone = train(rows), train(rows[::-1]), train(rows[2:])
    assert sorted(forwards, key=str) == sorted(backwards, key=str)
    assert alone == forwards[4:]


def test_the_engine_trains_as_a_user_would():
    """A plain loop of ``fit`` calls, one for each epoch on arrays in the frozen order, gives the same bits.

    The held-out rows are one batch in both: their mean loss is summed in another order otherwise.
    """
    keras = load_keras()
    problem, row = PROBLEMS["iris"], INITIALIZERS["he_normal"]
    data = problem.data()
    seed = run_seed(5, "iris", "he_normal", 0)
    kernel = keras.initializers.HeNormal(seed=layer_seed(seed, "output"))
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid", kernel_initializer=kernel)]
    )
    model.compile(optimizer=keras.optimizers.RMSprop(0.01), loss="binary_crossentropy", metrics=["accuracy"])
    reported = []
    for order in batch_order(70, EPOCHS):
        x, y = data.x_train[order], data.y_train[order]
        held_out = {"validation_data": (data.x_test, data.y_test), "validation_batch_size": 8192}
        history = model.fit(x, y, batch_size=16, shuffle=False, verbose=0, **held_out).history
        reported.append([history[name][0] for name in ("loss", "accuracy", "val_loss", "val_accuracy")])
    run = ReferenceEngine(problem, epochs=EPOCHS).train(row, reseed=0, seed=5)
    assert [list(values) for values in zip(*run.history.values(), strict=True)] == reported
    assert run.test_correct == round(reported[-1][3] * run.test_total)
    assert run.train_correct == round(model.evaluate(data.x_train, data.y_train, verbose=0)[1] * run.train_total)


def test_counts_agree_with_keras_on_a_softmax():
    run = train_fresh(PROBLEMS["digits"], "he_normal", 0)
    assert run.test_correct == round(run.history["val_accuracy"][-1] * run.test_total)
    assert run.test_score == pytest.approx(run.history["val_accuracy"][-1], abs=1e-6)


def test_counts_are_right_by_hand():
    class Model:
        def __init__(self, output):
            self.output = np.array(output)

        def __call__(self, x, training):
            return self.output[x]

    rows = np.arange(4)
    assert count_correct(Model([[0.5], [0.51], [0.9], [0.1]]), rows, np.array([[0.0], [1.0], [0.0], [1.0]])) == 2
    assert count_correct(Model([[0.2, 0.8], [0.6, 0.4], [0, 1], [1, 0]]), rows, np.array([1, 1, 1, 0])) == 3


def test_two_layers_may_not_share_a_stream():
    layers = LayerInitializers(INITIALIZERS["he_normal"], 1)
    layers("hidden")
    with pytest.raises(InitcheckError, match="two layers ask for the initializer 'hidden'"):
        layers("hidden")


@pytest.mark.parametrize("name", INITIALIZERS)
def test_keras_gives_every_row_of_the_catalogue(name):
    row = INITIALIZERS[name]
    shape = (6, 6)
    draw = np.asarray(make_initializer(row, 3)(shape))
    assert draw.shape == shape
    if not row.law.random:
        assert np.array_equal(draw, row.law.expected(shape).astype(np.float32))


def test_a_model_that_cannot_be_built_is_refused_before_anything_is_trained():
    def conv(keras, initializer):
        return keras.layers.Conv1D(2, 2, kernel_initializer=initializer("conv"))

    def add_axis(keras, initializer):
        return keras.layers.Reshape((4, 1))

    def flatten(keras, initializer):
        return keras.layers.Flatten()

    problem = with_layers(add_axis, conv, flatten)
    rows = [INITIALIZERS["he_normal"], INITIALIZERS["identity"]]
    with pytest.raises(InitcheckError, match="cannot be built with the initializer 'identity'"):
        start_sweep(problem, rows, reseeds=range(1), seed=1)


def test_batch_order_is_a_frozen_permutation_of_the_rows_in_each_epoch():
    order = batch_order(7, 3)
    assert all(sorted(epoch) == list(range(7)) for epoch in order)
    assert order[0].tolist() == [0, 1, 5, 2, 4, 3, 6]  # RandomState(42), which NumPy promises never to change
    assert (order[0] != order[1]).any()


def test_an_interrupted_sweep_keeps_the_finished_runs():
    finished = []

    def interrupt(runs):
        finished.extend(runs)
        if len(finished) == 2:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted: 2 of 6 runs are kept"):
        sweep = initcheck.sweep(
            "iris",
            initializers=["zeros", "normal"],
            reseeds=3,
            epochs=1,
            seed=1,
            engine="reference",
            on_runs=interrupt,
        )
    assert sweep.runs == tuple(finished)
    assert sweep.planned == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reseeds": 0}, "at least 1"),
        ({"epochs": 0}, "at least 1"),
        ({"initializers": []}, "name one at least"),
        ({"engine": "fast"}, r"engine is 'fast' \(a str\), none of 'auto', 'ensemble', 'reference'"),
        ({"vary": "data"}, r"vary is 'data' \(a str\), none of 'init', 'order', 'init,order'"),
        ({"seed": "x"}, r"^seed is 'x' \(a str\); give a whole number$"),
        ({"seed": 1.0}, r"^seed is 1.0 \(a float\); give a whole number$"),
        ({"seed": 2**63}, "^seed is 9223372036854775808; it may be 9,223,372,036,854,775,807 at most$"),
        ({"seed": -(2**63) - 1}, "^seed is -9223372036854775809; at least -9,223,372,036,854,775,808 is needed$"),
        ({"seed": None}, "^seed is None; give a whole number$"),
        ({"reseeds": 2.5}, r"^reseeds is 2.5 \(a float\); give a whole number$"),
        ({"reseeds": True}, r"^reseeds is True \(a bool\); give a whole number$"),
        ({"reseeds": np.bool_(True)}, f"^reseeds is a {np.bool_.__name__}; give a whole number$"),
        ({"reseeds": 10**30}, "^reseeds is 10{30}; it may be 9,223,372,036,854,775,807 at most$"),
        ({"epochs": "3"}, r"^epochs is '3' \(a str\); give a whole number$"),
        ({"epochs": 1.5}, r"^epochs is 1.5 \(a float\); give a whole number$"),
        ({"epochs": False}, r"^epochs is False \(a bool\); give a whole number$"),
        (
            {"reseeds": 10**12},
            r"^5,000,000,000,000 runs of 15 epochs would take [\d.e+]+ TB of memory, and .* reseeds would",
        ),
        ({"reseeds": 10**12, "vary": "init,order"}, "^5,000,000,000,000 runs of 15 epochs would take "),
        (
            {"epochs": 10**12},
            r"^150 runs of 1,000,000,000,000 epochs would take .* are available; about [\d,]+ epochs would",
        ),
        (
            {"problem": 5},
            r"^problem is 5 \(an int\); give the name of one, an initcheck.Problem, or Problem.of\(build, data\)$",
        ),
    ],
)
def test_impossible_sweeps_are_refused(arguments, message):
    with pytest.raises(InitcheckError, match=message):
        initcheck.sweep(**{"problem": "iris", **arguments})


def test_whole_numbers_of_numpy_are_taken_as_pythons():
    settings: dict[str, Any] = {"initializers": "normal", "engine": "reference"}
    numbers: dict[str, Any] = {"reseeds": np.int64(1), "seed": np.uint8(7), "epochs": np.int32(1)}
    sweep = initcheck.sweep("iris", **numbers, **settings)
    assert sweep.runs == initcheck.sweep("iris", reseeds=1, seed=7, epochs=1, **settings).runs
    assert "seed=7, epochs=1" in sweep.command


class ResourceExhaustedError(Exception):
    """As TensorFlow's is named."""


@pytest.mark.parametrize("error", [MemoryError, ResourceExhaustedError])
def test_a_sweep_that_runs_out_of_memory_keeps_the_finished_runs(error):
    finished = []

    def run_out(runs):
        finished.extend(runs)
        if len(finished) == 2:
            raise error("no more")

    settings: dict[str, Any] = {"initializers": ["zeros"], "reseeds": 3, "epochs": 1, "seed": 1, "engine": "reference"}
    with pytest.warns(UserWarning, match="memory ran out: 2 of 3 runs are kept"):
        sweep = initcheck.sweep("iris", **settings, on_runs=run_out)
    assert sweep.runs == tuple(finished)


@pytest.mark.parametrize("error", [MemoryError, ResourceExhaustedError])
def test_a_sweep_without_memory_for_one_run_says_so(error, monkeypatch):
    def run_out(self, *args, **kwargs):
        raise error("no more")

    monkeypatch.setattr(ReferenceEngine, "train", run_out)
    with pytest.raises(InitcheckError, match=r"^memory ran out before the first of 3 runs was finished; free some"):
        initcheck.sweep("iris", initializers=["zeros"], reseeds=3, epochs=1, engine="reference")


def test_a_missing_framework_is_reported_with_the_command(monkeypatch):
    import importlib.util
    import sys

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    with pytest.raises(InitcheckError, match=r"tensorflow is not installed .* pip install tensorflow"):
        load_keras.__wrapped__()
