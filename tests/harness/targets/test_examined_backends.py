"""The doctor on Keras on another backend than TensorFlow."""

import numpy as np
import other_backends
import pytest
from other_backends import on_other_backends

from initcheck.engines.own_models import OwnData, OwnModel
from initcheck.engines.own_trainings import TraceTaker
from initcheck.engines.pinned_sources import seeding_noted
from initcheck.engines.probed_passes import pass_through, rows_of
from initcheck.frameworks.backends import load_target_keras
from initcheck.models.diagnosis import ModelQuestion
from initcheck.models.examination import examine
from initcheck.targets import target

pytestmark = on_other_backends


def examined(data):
    return examine("other_backends:build", f"other_backends:{data}", epochs=1, reseeds=0, fresh_processes=False, seed=7)


def test_a_healthy_model_is_healthy_by_all_that_is_looked_at():
    diagnosis = examined("data")
    assert diagnosis.healthy, diagnosis.findings
    assert set(diagnosis.asked) == {*ModelQuestion}
    assert [layer.kind for layer in diagnosis.signal] == ["Dense", "Dense"]
    assert [loss.loss for loss in diagnosis.first_losses] == ["sparse_categorical_crossentropy"]
    assert diagnosis.environment is not None
    assert diagnosis.environment.target == target()


def findings(build, data):
    return examine(build, data, epochs=1, reseeds=0, fresh_processes=False).findings


def is_named_once(planted):
    """Whether the doctor finds that cause, and nothing else."""
    build, data, what, word = planted
    found = findings(build, data)
    words = [finding.where + finding.effect + finding.remedy for finding in found]
    return len(found) == 1 and what in found[0].what and word in words[0]


@pytest.mark.parametrize("name", ["two_equal_units", "stopped", "softmax_twice"])
def test_a_planted_cause_is_named_once(name):
    from ill_models import ILL

    assert is_named_once(ILL[name])


@pytest.mark.slow
def test_every_planted_cause_is_named_once():
    from ill_models import ILL

    assert [name for name, planted in ILL.items() if not is_named_once(planted)] == []


@pytest.mark.slow
def test_nothing_is_wrong_with_healthy_models():
    from healthy_models import HEALTHY

    assert {name: found for name, (build, data) in HEALTHY.items() if (found := findings(build, data))} == {}


def test_of_a_model_with_a_step_of_its_own_the_gradients_are_those_that_it_hands_on():
    from healthy_models import compiled, keras, tabular

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
    from healthy_models import compiled, keras, series

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
    keras = load_target_keras()
    taker = TraceTaker(keras, OwnModel(other_backends.build, other_backends.data), 7)
    first, again = (taker.take().trace for _ in range(2))
    assert first.first_difference(again) is None
    seen = {"data", "initial weights", "order of rows", "first loss", "losses", "final weights", "predictions"}
    assert set(first.stages) == seen


def test_seeding_by_the_backend_s_own_function_is_noted():
    keras = load_target_keras()
    with seeding_noted(keras) as noted:
        keras.utils.set_random_seed(1)
    assert noted[0] == "keras.utils.set_random_seed"
    assert ("torch.manual_seed" in noted) == (target() == "keras:torch")
