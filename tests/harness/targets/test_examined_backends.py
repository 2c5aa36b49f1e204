"""The doctor on Keras on another backend than TensorFlow."""

import other_backends
from other_backends import on_other_backends

from initcheck.engines.own_models import OwnModel
from initcheck.engines.own_trainings import TraceTaker
from initcheck.engines.pinned_sources import seeding_noted
from initcheck.frameworks.backends import load_target_keras
from initcheck.models.diagnosis import ModelQuestion
from initcheck.models.examination import examine
from initcheck.targets import target

pytestmark = on_other_backends


def examined(data):
    return examine("other_backends:build", f"other_backends:{data}", epochs=1, reseeds=0, fresh_processes=False, seed=7)


def test_a_healthy_model_is_healthy_and_what_is_not_looked_at_is_said():
    diagnosis = examined("data")
    assert diagnosis.healthy, diagnosis.findings
    assert set(diagnosis.asked) == {ModelQuestion.WEIGHTS, ModelQuestion.REPETITION, ModelQuestion.INFERENCE}
    assert any("units, signal and first loss" in note and target() in note for note in diagnosis.notes)
    assert diagnosis.environment is not None
    assert diagnosis.environment.target == target()


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
