"""The doctor on Keras on another backend than TensorFlow."""

import numpy as np
import other_backends
import pytest
from healthy_models import HEALTHY, compiled, keras, series, tabular
from ill_models import ILL
from other_backends import on_other_backends

from initcheck.engines.own_models import OwnData, OwnModel
from initcheck.engines.own_trainings import TraceTaker
from initcheck.engines.pinned_sources import seeding_noted
from initcheck.engines.probed_passes import pass_through, rows_of
from initcheck.models.diagnosis import ModelQuestion
from initcheck.models.examination import examine
from initcheck.targets import target

pytestmark = on_other_backends
FAST = ("two_equal_units", "stopped", "softmax_twice")
SLOW = [name for name in ILL if name not in FAST]


def examined(data):
    return examine("other_backends:build", f"other_backends:{data}", epochs=1, reseeds=0, fresh_processes=False, seed=7)


def test_a_healthy_model_is_healthy_by_all_that_is_looked_at():
    diagnosis = examined("data")
    assert diagnosis.healthy, diagnosis.findings
    assert set(diagnosis.asked) == {*ModelQuestion}
    assert [layer.name.rpartition("/")[2] for layer in diagnosis.signal] == ["dense", "dense_1"]
    assert [loss.loss for loss in diagnosis.first_losses] == ["sparse_categorical_crossentropy"]
    assert diagnosis.environment is not None
    assert diagnosis.environment.target == target()


@pytest.mark.parametrize(
    "name",
    ["two_equal_units", "stopped", "softmax_twice", *(pytest.param(one, marks=pytest.mark.slow) for one in SLOW)],
)
def test_a_planted_cause_is_named_once(name):
    build, data, what, word = ILL[name]
    (finding,) = examine(build, data, epochs=1, reseeds=0, fresh_processes=False).findings
    assert what in finding.what
    assert word in finding.where + finding.effect + finding.remedy


@pytest.mark.slow
@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_wrong_with_a_user_s_healthy_model(name):
    build, data = HEALTHY[name]
    diagnosis = examine(build, data, reseeds=0, fresh_processes=False)
    assert diagnosis.healthy, diagnosis.findings
    assert diagnosis.signal
    assert diagnosis.first_losses


def test_of_a_model_with_a_step_of_its_own_the_gradients_are_those_that_it_hands_on():
    class Own(keras.Sequential):
        def train_step(self, *data):
            return super().train_step(*data)

    def build():
        return compiled(Own([keras.Input((20,)), keras.layers.Dense(1)]))

    diagnosis = examine(build, tabular, epochs=1, reseeds=0, fresh_processes=False)
    assert diagnosis.healthy, diagnosis.findings
    assert any("a train_step of its own" in note for note in diagnosis.notes)
    assert diagnosis.first_losses


def test_gates_are_seen_and_gradients_by_step_go_back_in_time():
    """The gates of an LSTM whose kernels are large are saturated; the first step comes last on the way back."""
    large = {name: keras.initializers.RandomNormal(stddev=30.0) for name in ("kernel_initializer", "bias_initializer")}
    model = compiled(keras.Sequential([keras.Input((10, 3)), keras.layers.LSTM(4, **large), keras.layers.Dense(1)]))
    recurrent, dense = pass_through(keras, model, rows_of(OwnData(*series()))).calls
    assert recurrent.gates > 0.8
    assert np.isnan(dense.gates)
    assert recurrent.by_step.shape == (10,)
    assert np.isclose(np.linalg.norm(recurrent.by_step), recurrent.gradient)
    assert (recurrent.parents, dense.parents) == ((), (0,))


def test_the_cause_by_which_a_training_does_not_repeat_is_named():
    (finding,) = examined("noisy_data").findings
    assert "a NumPy generator made without a seed" in str(finding)


def test_all_stages_of_a_training_are_seen():
    taker = TraceTaker(keras, OwnModel(other_backends.build, other_backends.data), 7)
    first, again = (taker.take().trace for _ in range(2))
    assert first.first_difference(again) is None
    seen = {"data", "initial weights", "order of rows", "first loss", "losses", "final weights", "predictions"}
    assert set(first.stages) == seen


def test_seeding_by_the_backend_s_own_function_is_noted():
    with seeding_noted(keras) as noted:
        keras.utils.set_random_seed(1)
    assert noted[0] == "keras.utils.set_random_seed"
    assert ("torch.manual_seed" in noted) == (target() == "keras:torch")
