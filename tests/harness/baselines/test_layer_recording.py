"""What is recorded of layers: twice the same, and faults that are only just wrong each at their stage."""

import numpy as np
import pytest
from baselines import baseline

from initcheck.baselines.comparing.classes import Class
from initcheck.baselines.comparing.compare import compare
from initcheck.baselines.comparing.comparison import Section
from initcheck.baselines.recording.single_layers import record_layers
from initcheck.baselines.records.layer_records import LayerStage
from initcheck.catalog.cases.recorded_layers import PARTS, RECORDED
from initcheck.catalog.layers import LAYERS, select
from initcheck.catalog.layers.traits.computing import FormulaCase
from initcheck.catalog.layers.traits.weights import Built
from initcheck.evidence.baseline.layer_stages import shared_words
from initcheck.frameworks.keras import load_keras
from initcheck.seeding import DEFAULT_SEED

DENSE = "Dense(units=7) of (1,6)"
FLIP = "RandomFlip(mode=vertical, data_format=channels_first) of (2,4,6,6)"
CELL = "simple-rnn-cell-rates"
DROPOUT = "Dropout(rate=0.5) of (24,6)"
NAMES = (DENSE, "gru", "batch-normalization-in-training", "batch-normalization", DROPOUT, FLIP, CELL)
CASES = {name: RECORDED[name] for name in NAMES}


def test_every_row_with_a_formula_or_a_request_is_recorded():
    layers = {trait.layer for kind in (FormulaCase, Built) for trait in select(kind)}
    assert layers <= {case.layer for case in RECORDED.values()}
    assert {case.layer for case in RECORDED.values()} <= set(LAYERS)


def test_a_configuration_is_recorded_in_the_words_that_versions_share():
    new = {
        "name": "dense_3",
        "units": 3,
        "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}},
        "kernel_initializer": {"class_name": "Zeros", "config": {}, "module": "keras.initializers"},
        "kernel_size": (3, 2),
    }
    old = {
        "units": 3,
        "dtype": "float32",
        "kernel_initializer": {"class_name": "Zeros", "config": {}},
        "kernel_size": [3, 2],
    }
    assert shared_words(new) == shared_words(old)
    l2 = {"class_name": "L2", "config": {"l2": np.float32(0.5)}}
    assert shared_words({"r": l2}) == {"r": '"L2"', "r.l2": "0.5"}
    cells = [{"module": "keras.layers", "class_name": "LSTMCell", "config": {"name": "lstm_cell_7", "units": 2}}, l2]
    assert shared_words({"cells": cells}) == {
        "cells": "[]",
        "cells[0]": '"LSTMCell"',
        "cells[0].units": "2",
        "cells[1]": '"L2"',
        "cells[1].l2": "0.5",
    }


@pytest.fixture(scope="module")
def healthy():
    return record_layers(DEFAULT_SEED, CASES)


def found(healthy, new):
    comparison = compare(*(baseline().model_copy(update={"layers": one}) for one in (healthy, new)))
    return {cell.name: cell.stage for cell in comparison.of(Section.LAYERS) if cell.found is not Class.IDENTICAL}


@pytest.mark.slow
def test_what_draws_is_noise_though_two_draws_agree_and_though_a_cell_keeps_its_masks(healthy):
    noisy = {name for name, one in healthy.items() if one.noise is not None}
    assert noisy == {DROPOUT, FLIP, CELL}
    assert all(healthy[name].noise_errors and healthy[name].independent == PARTS for name in noisy)
    # A plain call of a Dropout is inference, of a RandomFlip training: what it draws is no output to be compared.
    assert LayerStage.OUTPUT in healthy[DROPOUT].computed
    assert not healthy[FLIP].computed


@pytest.mark.slow
def test_what_a_layer_asks_of_its_initializers_is_recorded_where_its_weights_are_as_drawn(healthy):
    kernel, bias = healthy[DENSE].asked
    assert (kernel.initializer, kernel.options, kernel.shape) == ("GlorotUniform", "{}", (6, 7))
    assert (bias.initializer, bias.shape) == ("Zeros", (7,))
    assert [one.initializer for one in healthy["gru"].asked] == ["GlorotUniform", "Orthogonal", "Zeros"]


@pytest.mark.slow
def test_weights_that_are_scaled_after_their_draw_are_not_as_drawn(monkeypatch):
    layers = load_keras().layers
    original = layers.Dense.build

    def build(self, *given, **named):
        original(self, *given, **named)
        self.kernel.assign(self.kernel * 1.1)

    monkeypatch.setattr(layers.Dense, "build", build)
    (dense,) = record_layers(DEFAULT_SEED, {DENSE: CASES[DENSE]}).values()
    assert [one.initializer for one in dense.asked] == ["", "Zeros"]


@pytest.mark.slow
def test_layers_recorded_twice_are_identical_whatever_else_is_recorded(healthy):
    assert set(healthy) == set(NAMES)
    assert not any(one.refused for one in healthy.values())
    assert not found(healthy, record_layers(DEFAULT_SEED, dict(reversed(CASES.items()))))


def wider(patch, keras):
    original = keras.initializers.VarianceScaling.__call__
    patch.setattr(keras.initializers.VarianceScaling, "__call__", lambda *a, **options: original(*a, **options) * 1.01)


def larger_output(patch, keras):
    original = keras.layers.Dropout.call
    patch.setattr(keras.layers.Dropout, "call", lambda self, *a, **o: original(self, *a, **o) * 1.0001)


def slower_average(patch, keras):
    original = keras.layers.BatchNormalization.__init__
    patch.setattr(
        keras.layers.BatchNormalization,
        "__init__",
        lambda self, *a, **o: original(self, *a, **{"momentum": 0.98, **o}),
    )


def more_dropped(patch, keras):
    original = keras.layers.Dropout.__init__
    patch.setattr(keras.layers.Dropout, "__init__", lambda self, rate, **o: original(self, rate * 1.6, **o))


def forgetful(patch, keras):
    original = keras.layers.GRU.get_config
    patch.setattr(keras.layers.GRU, "get_config", lambda self: {**original(self), "reset_after": False})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "name", "stage"),
    [
        (wider, DENSE, LayerStage.INITIAL_WEIGHTS),
        (larger_output, DROPOUT, LayerStage.OUTPUT),
        (slower_average, "batch-normalization-in-training", LayerStage.MOVED),
        (more_dropped, DROPOUT, LayerStage.NOISE),
        (forgetful, "gru", LayerStage.CONFIGURATION),
    ],
)
def test_a_fault_of_a_layer_is_named_at_its_stage(healthy, monkeypatch, fault, name, stage):
    fault(monkeypatch, load_keras())
    assert found(healthy, record_layers(DEFAULT_SEED, CASES))[name] == stage
