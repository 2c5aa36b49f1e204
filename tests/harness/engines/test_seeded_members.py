import numpy as np
import pytest

from initcheck.engines import seeded_members
from initcheck.engines.own_models import OwnModel
from initcheck.engines.seeded_members import SeededMembers
from initcheck.frameworks.generators import globally_seeded
from initcheck.frameworks.keras import load_keras

_IN_KERAS_2 = load_keras().__version__.startswith("2.")
pytestmark = pytest.mark.skipif(_IN_KERAS_2, reason="Keras 2 keeps no seeds in variables")
SEEDS = range(5, 45)


def sequences(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Embedding(11, 5),
            layers.Bidirectional(layers.LSTM(3, recurrent_dropout=0.1)),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(2, kernel_initializer="he_normal", bias_initializer="random_normal"),
        ]
    )


def attention(keras):
    inputs = keras.Input((6, 4))
    attended = keras.layers.MultiHeadAttention(2, 4, dropout=0.1)(inputs, inputs)
    return keras.Model(inputs, keras.layers.Conv1D(3, 2, kernel_initializer="orthogonal")(attended))


def with_numpy(keras):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.layers[-1].set_weights([np.random.normal(size=(3, 2)), np.zeros(2)])
    return model


def members_of(build):
    return SeededMembers(load_keras(), OwnModel(build), None)


def assert_as_built(build, drawn, seeds):
    keras = load_keras()
    for seed, values in zip(seeds, drawn, strict=True):
        with globally_seeded(keras, seed):
            model = build(keras)
        for value, variable in zip(values, model.variables, strict=True):
            assert np.array_equal(value, variable.numpy()), (seed, variable.path)


@pytest.mark.parametrize("build", [sequences, attention])
def test_members_are_those_of_seeded_builds_bit_for_bit(build):
    members = members_of(build)
    drawn = members.draw(SEEDS)
    assert not members.built
    assert_as_built(build, [drawn[0], drawn[-1]], [SEEDS[0], SEEDS[-1]])


def with_a_generator(keras):
    initializer = keras.initializers.HeNormal(seed=keras.random.SeedGenerator())
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, kernel_initializer=initializer)])


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (with_numpy, "traced, an initializer draws other bits"),
        (with_a_generator, "a weight is not drawn by an initializer alone"),
    ],
)
def test_what_seeds_alone_do_not_explain_is_built_one_by_one(build, reason):
    members = members_of(build)
    assert_as_built(build, members.draw(SEEDS)[:2], SEEDS[:2])
    assert members.built == reason


@pytest.mark.parametrize(
    ("trace", "reason"),
    [
        (lambda *_: lambda seeds: 1 / 0, "tracing an initializer raises ZeroDivisionError"),
        (lambda *_: lambda seeds: load_keras().ops.zeros((len(seeds), 1, 3, 2)), "traced, an initializer draws other"),
    ],
    ids=["raises", "other bits"],
)
def test_an_initializer_that_is_traced_otherwise_is_built_one_by_one(monkeypatch, trace, reason):
    def build(keras):
        return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])

    members = members_of(build)
    monkeypatch.setattr(seeded_members, "trace_draws", trace)
    assert_as_built(build, members.draw(SEEDS), SEEDS)
    assert members.built.startswith(reason)
