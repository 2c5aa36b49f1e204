"""The doctor's questions about a user's own model, in a repository that has none of our files."""

import pytest

MODELS = """
import keras
import numpy as np

def build():
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model

def zeros():
    hidden = keras.layers.Dense(8, "tanh", kernel_initializer="ones")
    model = keras.Sequential([keras.Input((6,)), hidden, keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    return model

def data():
    x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")
    return x, x[:, :1]

def unseeded():
    x = np.random.default_rng().normal(size=(64, 6)).astype("float32")
    return x, x[:, :1]
"""

TESTS = """
import examined_models as models
import initcheck

HEALTHY = initcheck.Problem.of(models.build, models.data, epochs=1)
EQUAL = initcheck.Problem.of(models.zeros, models.data, epochs=1)
UNSEEDED = initcheck.Problem.of(models.build, models.unseeded, epochs=1, name="unseeded")

@initcheck.parametrize_with_checks(HEALTHY)
def test_healthy(check, initcheck_lab):
    check(initcheck_lab)

@initcheck.parametrize_with_checks(EQUAL)
def test_equal(check, initcheck_lab):
    check(initcheck_lab)

@initcheck.parametrize_with_checks(UNSEEDED, expected_failed_checks={"repetition": "its data are drawn anew"})
def test_unseeded(check, initcheck_lab):
    check(initcheck_lab)
"""


@pytest.mark.slow
def test_each_question_of_the_doctor_is_a_test(pytester):
    pytester.makepyfile(examined_models=MODELS, test_models=TESTS)
    ran = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-rfx")
    ran.assert_outcomes(passed=10, failed=1, xfailed=1)
    ran.stdout.fnmatch_lines(
        [
            "*units never part*",
            "*what to do: draw them at random*",
            "FAILED test_models.py::test_equal[[]signal-examined_models:zeros]*",
            "XFAIL test_models.py::test_unseeded[[]repetition-unseeded] - its data are drawn anew",
        ]
    )
