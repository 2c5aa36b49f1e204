from typing import Any

import numpy as np
import pytest

import initcheck
from initcheck.catalog import laws
from initcheck.catalog.initializers import LECTURE_INITIALIZERS, get_initializers
from initcheck.catalog.problems import get_problem
from initcheck.errors import InitcheckError, UnknownNameError


def test_all_means_the_full_catalogue_and_names_are_not_repeated():
    assert next(row.name for row in get_initializers(["he_normal", "all"])) == "he_normal"
    assert len(get_initializers(["he_normal", "all"])) == len(initcheck.INITIALIZERS)


def test_an_unknown_initializer_is_refused_with_the_nearest_names():
    with pytest.raises(UnknownNameError, match="no initializer is named 'he_norml'; did you mean he_normal"):
        get_initializers(["he_norml"])


def test_an_unknown_problem_is_refused_with_the_known_names():
    with pytest.raises(UnknownNameError, match="no problem is named 'zzzzzz'; known: iris, banknotes, xor, digits"):
        get_problem("zzzzzz")


def test_of_many_known_names_a_message_lists_thirty():
    assert str(UnknownNameError("fault", "zzz", [f"f{n}" for n in range(100)])).endswith(", f29, and 70 more")


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


FIELDS: dict[str, Any] = {
    "name": "p",
    "title": "t",
    "source": "s",
    "data": lambda: None,
    "model": lambda keras, initializer, input_shape: None,
    "optimizer": lambda keras: None,
    "loss": "binary_crossentropy",
    "batch_size": 16,
    "epochs": 1,
    "chance": 0.5,
    "target": 0.9,
}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "problem: name is '' (a str); give a text of printable characters, such as 'mine'"),
        ("name", 3, "problem: name is 3 (an int); give a text of printable characters, such as 'mine'"),
        (
            "name",
            "a\x1b[1m",
            "problem: name is 'a\\x1b[1m' (a str); give a text of printable characters, such as 'mine'",
        ),
        ("title", None, "problem 'p': title is None; give a line of text"),
        ("source", b"x", "problem 'p': source is a bytes; give a line of text"),
        ("loss", None, "problem 'p': loss is None; give the name of a loss, such as 'binary_crossentropy'"),
        (
            "data",
            (1, 2),
            "problem 'p': data is a tuple; give a function, called as data(), that returns an initcheck.Data",
        ),
        (
            "optimizer",
            "adam",
            "problem 'p': optimizer is 'adam' (a str); give a function, called as optimizer(keras), …",
        ),
        (
            "model",
            None,
            "problem 'p': model is None; give a function, called as model(keras, initializer, input_shape), …",
        ),
        ("batch_size", True, "problem 'p': batch_size is True (a bool); give a whole number"),
        ("batch_size", 16.0, "problem 'p': batch_size is 16.0 (a float); give a whole number"),
        ("epochs", "5", "problem 'p': epochs is '5' (a str); give a whole number"),
        ("epochs", 0, "problem 'p': epochs is 0; at least 1 is needed"),
        ("epochs", float("nan"), "problem 'p': epochs is nan (a float); give a whole number"),
        ("chance", float("nan"), "problem 'p': chance is nan (a float); accuracies lie between 0 and 1"),
        ("chance", "half", "problem 'p': chance is 'half' (a str); give a number: accuracies lie between 0 and 1"),
        ("target", True, "problem 'p': target is True (a bool); give a number: accuracies lie between 0 and 1"),
        ("target", 0, "problem 'p': target is 0; give the accuracy that counts as having learned"),
    ],
)
def test_a_field_of_the_wrong_type_is_refused_in_one_line(field, value, message):
    with pytest.raises(InitcheckError) as caught:
        initcheck.Problem(**{**FIELDS, field: value})
    text = str(caught.value)
    assert text == message or (message.endswith("…") and text.startswith(message[:-1]))
    assert "\n" not in text


def test_numbers_of_numpy_become_those_of_python():
    problem = initcheck.Problem(
        **{**FIELDS, "batch_size": np.int64(8), "epochs": np.uint8(3), "chance": np.float32(0.5)}
    )
    assert [type(value) for value in (problem.batch_size, problem.epochs, problem.chance)] == [int, int, float]


def test_impossible_budgets_are_refused():
    with pytest.raises(InitcheckError, match="at least 1"):
        initcheck.Problem(**{**FIELDS, "batch_size": 0})
    with pytest.raises(InitcheckError, match="accuracies"):
        initcheck.Problem(**{**FIELDS, "target": 90})


@pytest.mark.parametrize(
    ("law", "words"),
    [(None, "None"), ("he", "'he' (a str)"), (laws.Unstated, "the class Unstated"), (2.0, "2.0 (a float)")],
)
def test_a_row_whose_law_is_none_is_refused_when_it_is_made(law, words):
    with pytest.raises(InitcheckError) as raised:
        initcheck.Initializer("mine", "HeNormal", law, "our wiki")
    assert str(raised.value).startswith(f"initcheck.Initializer: law is {words}; give one of initcheck.catalog.laws")
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("law", "arguments", "message"),
    [
        (laws.VarianceScaled, (2.0, "fan_in", "truncated"), "did you mean 'truncated_normal'?"),
        (laws.VarianceScaled, (2.0, "fan", "normal"), "VarianceScaled: mode is 'fan' (a str), none of 'fan_in', "),
        (laws.VarianceScaled, ("2", "fan_in", "normal"), "VarianceScaled: scale is '2' (a str); give a number"),
        (laws.VarianceScaled, (0.0, "fan_in", "normal"), "VarianceScaled: scale is 0; give a number above 0"),
        (laws.ElementLaw, ("gauss", 0.0, 1.0), "ElementLaw: family is 'gauss' (a str), none of 'uniform', 'normal', "),
        (laws.ElementLaw, ("normal", 0.0, None), "ElementLaw: spread is None; give a number"),
    ],
)
def test_a_law_of_unusable_arguments_is_refused_when_it_is_made(law, arguments, message):
    with pytest.raises(InitcheckError) as raised:
        law(*arguments)
    assert message in str(raised.value)
