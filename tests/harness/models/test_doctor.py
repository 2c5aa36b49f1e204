"""The doctor names planted causes, and finds nothing wrong with healthy models."""

import dataclasses
import itertools
import json
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import initcheck
from initcheck.engines.own_trainings import OwnTrace
from initcheck.engines.pinned_sources import CLOCK, DATA, DETERMINISM, ENTROPY, HASHES, MODULE_STATE, OTHERS, SEEDS
from initcheck.engines.replacing import note_use
from initcheck.frameworks.keras import load_keras
from initcheck.models.repeats import find_in_threads, smallest_set, used_sources

UNSEEDED = "initial weights that no global seed decides"
NOT_UNDER_ONE_SEED = "the training does not repeat under one seed"
LEFT_OUT = "the model's own seeding leaves something out"
SCALE = "a scale that is not its initializer's"


def rows(stream=None, count=64):
    stream = stream or np.random.RandomState(0)
    x = stream.normal(size=(count, 6)).astype("float32")
    return x, (x[:, :1] + x[:, 1:2]).astype("float32")


def net(hidden=None, *more, kernel="glorot_uniform", last="glorot_uniform"):
    """A small compiled network; ``hidden`` in place of its hidden layer."""
    keras: Any = load_keras()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6,)),
            hidden or layers.Dense(8, "tanh", kernel_initializer=kernel),
            *more,
            layers.Dense(1, kernel_initializer=last),
        ]
    )
    model.compile("sgd", "mse")
    return model


def examined(build, data=None, **options):
    return initcheck.doctor(build, data, fresh_processes=False, reseeds=0, **options)


def only(report):
    assert len(report.findings) == 1, report.findings
    return report.findings[0]


def named(report, what):
    return next(one for one in report.findings if one.what == what)


# Planted in the weights.


def test_an_initializer_that_draws_from_an_unseeded_generator_is_named():
    def build():
        return net(kernel=lambda shape, dtype=None: np.random.default_rng().normal(size=shape))

    report = examined(build)
    assert named(report, UNSEEDED).where == "sequential/dense/kernel" or "kernel" in named(report, UNSEEDED).where
    assert "a NumPy generator made without a seed" in named(report, NOT_UNDER_ONE_SEED).remedy
    assert "first at: initial weights" in named(report, NOT_UNDER_ONE_SEED).where


def test_one_instance_of_an_initializer_in_two_layers_is_named():
    def build(keras):
        shared = keras.initializers.HeNormal()
        return net(
            None, keras.layers.Dense(8, kernel_initializer=shared), keras.layers.Dense(8, kernel_initializer=shared)
        )

    finding = only(examined(build))
    assert finding.what == "weights that are drawn equal"
    assert finding.where.count("kernel") == 2
    assert "one instance" in finding.effect


def test_one_seed_in_two_layers_of_other_shapes_is_named():
    def build(keras):
        he, glorot = keras.initializers.HeNormal(seed=3), keras.initializers.GlorotNormal(seed=3)
        return net(
            keras.layers.Dense(8, "tanh", kernel_initializer=he), keras.layers.Dense(4, kernel_initializer=glorot)
        )

    finding = only(examined(build))
    assert finding.what == "weights that are drawn in proportion"
    assert "one seed (3)" in finding.effect


def test_a_scale_that_is_not_the_law_s_is_named_with_its_factor():
    keras: Any = load_keras()

    class Louder(keras.layers.Dense):
        def build(self, input_shape):
            super().build(input_shape)
            self.kernel.assign(1.3 * self.kernel)

    finding = only(examined(lambda: net(Louder(16, kernel_initializer="he_normal"))))
    assert finding.what == SCALE
    assert "kernel" in finding.where
    assert 1.15 < float(finding.effect.split()[0]) < 1.45


def test_an_orthogonal_matrix_of_another_gain_is_named():
    keras: Any = load_keras()

    class Louder(keras.initializers.Orthogonal):
        def __call__(self, shape, dtype=None):
            return 1.1 * super().__call__(shape, dtype=dtype)

    finding = only(examined(lambda: net(kernel=Louder())))
    assert finding.what == SCALE
    assert "1.1 times" in finding.effect
    assert "OrthogonalInitializer" in finding.effect or "Orthogonal" in finding.effect


def test_the_system_s_entropy_in_an_initializer_is_named():
    def build(keras):
        return net(kernel=keras.initializers.HeNormal(seed=int.from_bytes(os.urandom(3), "big")))

    assert "os.urandom" in named(examined(build), NOT_UNDER_ONE_SEED).remedy


def test_the_time_in_a_seed_is_named():
    def build(keras):
        return net(kernel=keras.initializers.HeNormal(seed=time.time_ns() % 1_000_000_007))

    assert "the clock" in named(examined(build), NOT_UNDER_ONE_SEED).remedy


def test_seeding_that_leaves_python_s_random_out_is_named():
    def build(keras):
        import tensorflow as tf

        np.random.seed(1)
        tf.random.set_seed(1)
        return net()

    finding = only(examined(build))
    assert finding.what == LEFT_OUT
    of_keras_3 = "pin Python's random: random.seed(SEED);"
    of_keras_2 = "pin TensorFlow's and Keras's global seeds: keras.utils.set_random_seed(SEED);"
    assert finding.remedy.startswith(of_keras_3 if hasattr(load_keras(), "ops") else of_keras_2)
    assert "np.random.seed" in finding.effect


# Planted in the training.


def test_constant_kernels_whose_units_never_part_are_named():
    finding = only(examined(lambda: net(kernel="ones", last="zeros"), rows))
    assert "never part" in finding.what
    assert "kernel" in finding.where


def test_data_of_an_unseeded_generator_are_named():
    finding = only(examined(net, lambda: rows(np.random.default_rng())))
    assert finding.what == NOT_UNDER_ONE_SEED
    assert finding.where == "first at: data"
    assert "a NumPy generator made without a seed" in finding.remedy


@pytest.mark.slow
def test_data_of_python_s_random_beside_seeded_numpy_are_named():
    def data():
        np.random.seed(5)
        x, y = rows(np.random)
        return x, y + np.array([[random.random()] for _ in y], "float32")

    finding = named(examined(lambda keras: keras.utils.set_random_seed(1) or net(), data), LEFT_OUT)
    assert finding.where == "first at: data"
    assert "random.seed(SEED)" in finding.remedy


def test_dropout_in_inference_is_named():
    keras: Any = load_keras()

    class Always(keras.layers.Dropout):
        def call(self, inputs, training=False):
            return super().call(inputs, training=True)

    finding = only(examined(lambda: net(None, Always(0.5, name="always")), rows))
    assert finding.what == "inference that gives another result each time"
    assert "always" in finding.where
    assert "a second predict" in finding.effect


def test_statistics_that_inference_moves_are_named():
    import tensorflow as tf

    keras: Any = load_keras()

    class Counting(keras.layers.Layer):
        def build(self, input_shape):
            self.mean = self.add_weight(shape=(input_shape[-1],), initializer="zeros", trainable=False, name="mean")

        def call(self, inputs):
            self.mean.assign(0.9 * self.mean + 0.1 * tf.reduce_mean(inputs, axis=0))
            return inputs

    finding = only(examined(lambda: net(None, Counting()), rows))
    assert finding.what == "inference moves weights"
    assert "mean" in finding.where
    assert "predict" in finding.effect


PARALLEL = """
import random
import time
import numpy as np
import keras
import tensorflow as tf

def build():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model

def data():
    x = np.random.RandomState(0).normal(size=(64, 3)).astype("float32")

    def waiting(place):
        time.sleep(random.SystemRandom().random() / 200)
        return x[place], x[place, :1]

    def loaded(place):
        one, two = tf.numpy_function(waiting, [place], (tf.float32, tf.float32))
        return tf.ensure_shape(one, (3,)), tf.ensure_shape(two, (1,))

    return tf.data.Dataset.range(64).map(loaded, num_parallel_calls=8, deterministic=False).prefetch(8).batch(16)
"""


@pytest.mark.slow
def test_a_parallel_map_is_named_and_the_page_and_the_json_hold_it(tmp_path):
    (tmp_path / "parallel.py").write_text(PARALLEL)
    words = ["doctor", "parallel:build", "--data", "parallel:data", "--html", "page.html", "--json", "all.json"]
    done = subprocess.run(
        [sys.executable, "-m", "initcheck", *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "")
    written = json.loads((tmp_path / "all.json").read_text())
    (finding,) = written["findings"]
    page = (tmp_path / "page.html").read_text()
    assert written["examined"] == "parallel:build, data parallel:data"
    assert written["examined"] in done.stdout
    assert written["examined"] in page
    assert written["environment"]["versions"]["keras"] == load_keras().__version__
    assert written["environment"]["cpu"] in page
    assert finding["what"] == NOT_UNDER_ONE_SEED
    assert finding["where"] == "first at: order of rows"
    assert "enable_op_determinism" in finding["remedy"]
    assert finding["what"] in done.stdout
    assert finding["what"] in page


@pytest.mark.slow
def test_a_pool_of_threads_is_named():
    def data():
        x, y = rows()
        order = []

        def load(place):
            time.sleep(random.SystemRandom().random() / 400)
            order.append(place)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(load, range(len(x))))
        return x[order], y[order]

    finding = only(examined(net, data))
    assert finding.where == "first at: data"
    assert "a pool of threads" in finding.remedy
    assert finding.effect.startswith("5 trainings")


@pytest.mark.slow
def test_two_causes_are_named_together():
    def build(keras):
        return net(kernel=keras.initializers.HeNormal(seed=time.time_ns() % 1_000_000_007))

    finding = named(examined(build, lambda: rows(np.random.default_rng())), NOT_UNDER_ONE_SEED)
    assert "a NumPy generator made without a seed: np.random.default_rng(SEED) and the clock" in finding.remedy
    assert "os.urandom" not in finding.remedy


def trace(*losses):
    """A training with those losses."""
    return OwnTrace({"initial weights": ["same"], "losses": list(map(repr, losses))}, ["kernel"], list(losses))


def racing(*needed, refused=()):
    """Trainings that are equal where all of those sources are pinned."""
    counter = itertools.count()

    def take(sources):
        if set(refused) & set(sources):
            raise initcheck.InitcheckError("it cannot be pinned; leave it")
        return trace(0.5) if {*needed} <= {*sources} else trace(next(counter))

    return take


def test_the_smallest_set_is_one_source_or_those_that_are_needed_together():
    assert smallest_set(racing(CLOCK), SEEDS, OTHERS) == [CLOCK]
    assert smallest_set(racing(CLOCK, ENTROPY), SEEDS, OTHERS) == [CLOCK, ENTROPY]
    assert smallest_set(racing(HASHES), SEEDS, OTHERS) is None


def test_a_source_that_cannot_be_pinned_is_no_cause():
    assert smallest_set(racing(DATA, refused=[DETERMINISM]), SEEDS, OTHERS) == [DATA]
    assert smallest_set(racing(CLOCK, ENTROPY, refused=[DETERMINISM]), SEEDS, OTHERS) == [CLOCK, ENTROPY]


def test_a_source_that_no_training_uses_is_no_candidate():
    def take(sources):
        if CLOCK in sources:
            note_use(CLOCK.name)
        note_use(MODULE_STATE.name, "mine.rng")
        return trace(0.5)

    candidates, used = used_sources(take, SEEDS, [CLOCK, ENTROPY, MODULE_STATE, DATA])
    assert candidates == [CLOCK, MODULE_STATE, DATA]
    assert used[MODULE_STATE.name] == {"mine.rng"}


def test_other_threads_are_a_note_within_rounding_and_a_finding_beyond():
    usual = trace(0.5, 0.4)
    assert find_in_threads(usual, trace(0.5, 0.4), "1 thread") == ([], [])
    findings, notes = find_in_threads(usual, trace(0.5 * (1 + 1e-7), 0.40001), "1 thread")
    assert not findings
    assert "the first loss by 1e-07 of its size, the last by 2e-05" in notes[0]
    (finding,), notes = find_in_threads(usual, trace(0.51, 0.4), "1 thread")
    assert finding.what == "the training depends on the number of threads"
    assert not notes
    rows_first = dataclasses.replace(usual, stages={**usual.stages, "order of rows": ["other"]})
    other = dataclasses.replace(usual, stages={**usual.stages, "order of rows": ["one"]})
    (finding,), _ = find_in_threads(rows_first, other, "1 thread")
    assert finding.where == "first at: order of rows"


def test_the_first_stage_that_differs_names_its_weights():
    other = OwnTrace({"initial weights": ["other"], "losses": ["1"]}, ["kernel"], [1.0])
    assert trace(0.5).first_difference(other) == ("initial weights", ["kernel"])
    assert trace(0.5).first_difference(trace(0.6)) == ("losses", [])
    assert trace(0.5).first_difference(trace(0.5)) is None


MODULE = """
import keras
import numpy as np

def build():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model

def data():
    x = np.random.RandomState(0).normal(size=(10, 3)).astype("float32")
    return x, x[:, :1]
"""


@pytest.mark.slow
def test_a_healthy_module_is_healthy_in_fresh_processes_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "healthy_module.py").write_text(MODULE)
    report = initcheck.doctor("healthy_module:build", "healthy_module:data")
    assert report.healthy, report.findings
    assert "two fresh processes" in str(report)


# Healthy models.


def dense(keras):
    layers = keras.layers
    return net(None, layers.BatchNormalization(), layers.Dropout(0.3), layers.GaussianNoise(0.1))


def functional(keras):
    layers = keras.layers
    one, two = keras.Input((6,), name="one"), keras.Input((6,), name="two")
    joined = layers.concatenate([layers.Dense(8, "relu", kernel_initializer="he_normal")(one), layers.Dense(4)(two)])
    outputs = {"a": layers.Dense(1, name="a")(joined), "b": layers.Dense(2, "softmax", name="b")(joined)}
    model = keras.Model({"one": one, "two": two}, outputs)
    model.compile("adam", {"a": "mse", "b": "sparse_categorical_crossentropy"})
    return model


def two_inputs():
    x, y = rows()
    return {"one": x, "two": x[:, ::-1].copy()}, {"a": y, "b": (y[:, 0] > 0).astype("int32")}


def subclassed(keras: Any):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.inside = keras.Sequential([keras.layers.Dense(8, "relu"), keras.layers.BatchNormalization()])
            self.out = keras.layers.Dense(1, kernel_initializer="zeros")

        def call(self, inputs, training=False):
            return self.out(self.inside(inputs, training=training))

    return Own()


def weighted():
    x, y = rows()
    return (x, y, np.linspace(0.5, 1.5, len(x))), (x[:8], y[:8], np.ones(8))


def recurrent(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((5,), dtype="int32"),
            layers.Embedding(20, 8, mask_zero=True),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
            layers.GRU(4),
            layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def sequences():
    x = np.random.RandomState(1).randint(0, 20, (48, 5))
    return x, (x[:, :1] > 9).astype("float32")


def convolutional(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.RandomFlip(),
            layers.Conv2D(8, 3, activation="relu", kernel_initializer="he_uniform"),
            layers.DepthwiseConv2D(3, depthwise_initializer="orthogonal"),
            layers.Conv2DTranspose(4, 2),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, "softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def pipeline():
    import tensorflow as tf

    stream = np.random.RandomState(2)
    images, labels = stream.normal(size=(48, 8, 8, 2)).astype("float32"), stream.randint(0, 3, 48)
    return tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(48).batch(16)


def attention(keras):
    layers = keras.layers
    tokens = keras.Input((4, 6))
    inside = layers.LayerNormalization()(tokens + layers.MultiHeadAttention(2, 3, dropout=0.1)(tokens, tokens))
    model = keras.Model(tokens, layers.EinsumDense("btd,dh->bth", output_shape=(None, 2))(inside))
    model.compile("adam", "mse")
    return model


def in_batches():
    keras: Any = load_keras()

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            x = np.random.RandomState(index).normal(size=(8, 4, 6)).astype("float32")
            return x, x[..., :2]

    return Batches()


def loaded(keras):
    model = net()
    stream = np.random.RandomState(3)
    model.set_weights([stream.normal(size=weight.shape) for weight in model.get_weights()])
    return model


HEALTHY = {
    "dense": (dense, rows, {}),
    "functional": (functional, two_inputs, {}),
    "subclassed": (subclassed, weighted, {"loss": "mse", "optimizer": "sgd"}),
    "recurrent": (recurrent, sequences, {}),
    "convolutional": (convolutional, pipeline, {}),
    "attention": (attention, in_batches, {}),
    "loaded": (loaded, rows, {}),
}


SLOW = {"recurrent", "attention"}


@pytest.mark.parametrize("name", [pytest.param(one, marks=[pytest.mark.slow] * (one in SLOW)) for one in HEALTHY])
def test_nothing_is_wrong_with_a_healthy_model(name):
    build, data, options = HEALTHY[name]
    report = examined(build, data, **options)
    assert report.healthy, report.findings
    assert report.diagnosis.weights


# What is no model, and what is no data.

MISTAKES = {
    "build() returns nothing, not a Keras model": (lambda: None, None),
    "build() raises ZeroDivisionError": (lambda: 1 / 0, None),
    "build() returns a model that has no weights before its first batch": (subclassed, None),
    "build() returns a model that is not compiled, and no loss is given": (subclassed, rows),
    "data() returns 5 (an int)": (net, lambda: 5),
    "data(): the arrays have 3 and 4 rows": (net, lambda: (np.ones((3, 6)), np.ones((4, 1)))),
    "data(): x is 2.0 (a float)": (net, lambda: (2.0, 3.0)),
    "the model cannot be trained: fit raises": (net, lambda: (np.ones((4, 5)), np.ones((4, 1)))),
    "build is 5 (an int)": (5, None),
}


@pytest.mark.parametrize("message", MISTAKES)
def test_a_mistake_is_refused_in_one_line(message):
    build, data = MISTAKES[message]
    with pytest.raises(initcheck.InitcheckError) as refused:
        examined(build, data)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert ";" in str(refused.value)  # and how to fix it


def test_the_fans_of_packed_kernels_are_explained():
    def build(keras):
        layers = keras.layers
        inputs = keras.Input((4, 6))
        return keras.Model(inputs, layers.LSTM(3)(layers.SeparableConv1D(5, 2)(inputs)))

    notes = [one.note for one in examined(build).diagnosis.weights if "lstm" in one.path and "/kernel" in one.path]
    assert "4 gates in one kernel" in notes[0]


def test_a_report_prints_and_shows_and_makes_names_harmless():
    def build(keras):
        def ones(shape, dtype=None):
            return np.ones(shape)

        ones.__name__ = "<b>\x1b[31mones"
        return keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, kernel_initializer=ones)])

    report = examined(build)
    assert "nothing wrong was found" in repr(report)
    assert report.diagnosis.examined.endswith("<locals>.build")
    assert "\x1b" not in str(report)
    assert "<b>" not in report._repr_html_()
    assert "Not looked at: fresh processes" not in str(report)


def test_weights_that_are_loaded_are_noted_and_not_compared():
    report = examined(loaded)
    assert report.healthy
    assert any(note.startswith("Loaded, or drawn anew") for note in report.diagnosis.notes)


def test_a_layer_that_is_copied_on_purpose_is_no_finding():
    def build(keras):
        model = net(None, keras.layers.Dense(8, name="one"), keras.layers.Dense(8, name="two"))
        model.get_layer("two").set_weights(model.get_layer("one").get_weights())
        return model

    report = examined(build)
    assert report.healthy, report.findings
    assert "two/kernel" in report.diagnosis.notes[0]


def test_fewer_elements_than_a_scale_needs_are_said_and_not_judged():
    keras: Any = load_keras()

    class Louder(keras.initializers.HeNormal):
        def __call__(self, shape, dtype=None):
            return 1.3 * super().__call__(shape, dtype=dtype)

    report = examined(lambda: net(keras.layers.Dense(2, kernel_initializer=Louder())))
    assert report.healthy
    assert "the scale of 0 is tested" in report.diagnosis.looked_at[0]
