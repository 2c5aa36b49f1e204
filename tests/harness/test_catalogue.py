import numpy as np
import pytest

import initcheck
from initcheck.catalog.initializers import LECTURE_INITIALIZERS, get_initializers
from initcheck.catalog.problems import get_problem
from initcheck.errors import InitcheckError, UnknownNameError


def test_all_stands_for_the_whole_catalogue_and_names_are_not_repeated():
    assert next(row.name for row in get_initializers(["he_normal", "all"])) == "he_normal"
    assert len(get_initializers(["he_normal", "all"])) == len(initcheck.INITIALIZERS)


def test_an_unknown_initializer_is_told_with_the_nearest_names():
    with pytest.raises(UnknownNameError, match="no initializer is named 'he_norml'; did you mean he_normal"):
        get_initializers(["he_norml"])


def test_an_unknown_problem_is_told_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="no problem is named 'zzzzzz'; known: iris, banknotes, xor, digits"):
        get_problem("zzzzzz")


def test_the_lecture_trains_five():
    assert LECTURE_INITIALIZERS == ("zeros", "uniform", "normal", "he_normal", "lecun_uniform")


@pytest.mark.parametrize(
    ("name", "rows", "inputs"), [("iris", (70, 30), 4), ("xor", (140, 60), 2), ("digits", (629, 270), 64)]
)
def test_embedded_data_is_split_as_stated(name, rows, inputs):
    data = initcheck.PROBLEMS[name].data()
    assert (len(data.x_train), len(data.x_test)) == rows
    assert data.input_shape == (inputs,)
    assert data.x_train.dtype == np.float32
    assert np.isfinite(data.x_train).all()


@pytest.mark.parametrize("name", ["iris", "xor", "digits"])
def test_stated_chance_is_the_commonest_class(name):
    problem = initcheck.PROBLEMS[name]
    data = problem.data()
    _, counts = np.unique(np.concatenate([data.y_train.ravel(), data.y_test.ravel()]), return_counts=True)
    assert problem.chance == pytest.approx(counts.max() / counts.sum(), abs=5e-5)


def test_impossible_budgets_are_refused():
    with pytest.raises(InitcheckError, match="at least 1"):
        initcheck.Problem("p", "t", "s", None, None, None, "mse", batch_size=0, epochs=1, chance=0.5, target=0.9)
    with pytest.raises(InitcheckError, match="accuracies"):
        initcheck.Problem("p", "t", "s", None, None, None, "mse", batch_size=1, epochs=1, chance=0.5, target=90)
