"""A user's own model, as it is, in a baseline under pytest: recorded, judged again, and found where it is changed."""

import pytest

from initcheck.baselines.records.store import load_baseline

pytestmark = pytest.mark.slow

MODELS = """
import os
import keras
import numpy as np

def build():
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(float(os.environ.get("RATE", "0.01"))), "mse")
    return model

def data():
    x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")
    return x, x[:, :1]
"""
TESTS = """
import initcheck
import recorded_models as models

@initcheck.parametrize_with_baseline(initcheck.Problem.of(models.build, models.data, epochs=2, name="mine"))
def test_unchanged(cell, initcheck_lab):
    cell(initcheck_lab)
"""
# The framework's own draws, layers and files take a minute, and are other tests' subject.
CONFTEST = """
from initcheck.plugin import baseline_tests
whole = baseline_tests.parts_of
baseline_tests.parts_of = lambda *given: [part for part in whole(*given) if part.model]
"""


def test_a_model_is_recorded_and_judged_by_its_training_and_its_scores(pytester, monkeypatch):
    pytester.makepyfile(recorded_models=MODELS, test_models=TESTS)
    pytester.makeconftest(CONFTEST)
    run = ("-p", "no:cacheprovider")
    recorded = pytester.runpytest_subprocess(*run, "--initcheck-record=old.json", "--initcheck-reseeds=3")
    recorded.assert_outcomes(passed=1)
    (model,) = load_baseline(pytester.path / "old.json").models.items()
    assert (model[0], len(model[1].scores)) == ("mine", 3)

    same = pytester.runpytest_subprocess(*run, "-n2", "--initcheck-baseline=old.json", "--initcheck-record=new.json")
    same.assert_outcomes(passed=2)
    same.stdout.fnmatch_lines(["*1 cells against old.json*: 1 identical"])
    assert load_baseline(pytester.path / "new.json").models == load_baseline(pytester.path / "old.json").models

    monkeypatch.setenv("RATE", "0.02")
    faster = pytester.runpytest_subprocess(*run, "--initcheck-baseline=old.json")
    faster.assert_outcomes(passed=1, failed=1)
    faster.stdout.fnmatch_lines(["*models mine*first update*"])
