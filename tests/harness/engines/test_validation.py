"""Mistakes in a problem, each refused in one line before any training."""

import itertools
import os
import re
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import initcheck
from initcheck import INITIALIZERS, PROBLEMS, Data, InitcheckError
from initcheck.engines.optimizer_settings import find_own_code
from initcheck.engines.validation.problem import validated_data
from initcheck.frameworks.keras import load_keras

pytestmark = pytest.mark.slow

on_keras_3 = pytest.mark.skipif(load_keras().__version__.startswith("2."), reason="the ensemble engine has no Keras 2")

_STREAM = np.random.RandomState(0)
X = _STREAM.normal(size=(60, 4)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")
CLASSES = (Y[:, 0] + (X[:, 1] > 0)).astype("int32")


def table(x=X, y=Y, **parts):
    """A function that returns 40 training and 20 held-out rows, but for those parts."""
    whole = {"x_train": x[:40], "y_train": y[:40], "x_test": x[40:], "y_test": y[40:]}
    return lambda: Data(**{**whole, **parts})


def dense(units=1, activation="sigmoid", layer=None):
    """A function that builds a model of one layer, with another one before it if given."""

    def model(keras, initializer, input_shape):
        before = [layer(keras, initializer)] if layer else []
        last = keras.layers.Dense(units, activation=activation, kernel_initializer=initializer("output"))
        return keras.Sequential([keras.Input(input_shape), *before, last])

    return model


def own(**changes):
    """A healthy problem, but for those changes."""
    fields = {
        "name": "mine",
        "title": "mine",
        "source": "none",
        "data": table(),
        "model": dense(),
        "optimizer": lambda keras: keras.optimizers.Adam(0.1),
        "loss": "binary_crossentropy",
        "batch_size": 16,
        "epochs": 1,
        "chance": 0.5,
        "target": 0.9,
    }
    return initcheck.Problem(**{**fields, **changes})


def classes(**changes):
    """A healthy problem of three classes, but for those changes."""
    three = {"data": table(y=CLASSES), "model": dense(3, "softmax"), "loss": "sparse_categorical_crossentropy"}
    return own(**{**three, **changes})


def refusal(problem):
    with pytest.raises(InitcheckError) as caught:
        validated_data(problem)
    message = str(caught.value)
    assert message.startswith("problem 'mine': ")
    assert "\n" not in message
    return message.removeprefix("problem 'mine': ")


@pytest.mark.parametrize("name", ["iris", "xor", "digits"])
def test_the_catalogues_problems_are_healthy(name):
    assert validated_data(PROBLEMS[name]) is validated_data(PROBLEMS[name])


@pytest.mark.parametrize(
    "problem",
    [
        pytest.param(own(), id="one sigmoid unit"),
        pytest.param(classes(), id="softmax"),
        pytest.param(classes(model=dense(10, "softmax")), id="more outputs than classes"),
        pytest.param(classes(data=table(y=CLASSES[:, None])), id="a column of class numbers"),
        pytest.param(own(loss="mse"), id="squared error of a sigmoid"),
        pytest.param(own(loss="BinaryCrossentropy"), id="a loss by its class"),
        pytest.param(own(model=dense(activation="hard_sigmoid")), id="hard sigmoid"),
        pytest.param(own(model=dense(layer=lambda keras, _: keras.layers.Dropout(0.5))), id="dropout"),
        pytest.param(own(model=dense(layer=lambda keras, _: keras.layers.BatchNormalization())), id="normalization"),
    ],
)
def test_healthy_problems_are_taken(problem):
    assert len(validated_data(problem).x_train) == 40


def test_two_classes_of_split_beside_a_softmax_are_refused_by_what_split_gives_and_taken_when_fixed():
    whole = initcheck.split(X, Y[:, 0])
    message = refusal(classes(data=lambda: whole, model=dense(2, "softmax")))
    assert message.startswith(
        "y_train is float32, as initcheck.split gives two classes for one sigmoid unit; a softmax"
    )
    assert message.endswith("class numbers: give initcheck.split(…, labels='int'), or end the model in that unit")
    fixed = initcheck.split(X, Y[:, 0], labels="int")
    validated_data(classes(data=lambda: fixed, model=dense(2, "softmax")))


def test_a_subclassed_and_an_unbuilt_model_are_taken():
    def subclassed(keras: Any, initializer, input_shape):
        class Own(keras.Model):
            def __init__(self):
                super().__init__()
                self.last = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=initializer("output"))

            def call(self, x, training=False):
                return self.last(x)

        return Own()

    def unbuilt(keras, initializer, input_shape):
        last = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=initializer("output"))
        return keras.Sequential([last])

    for model in (subclassed, unbuilt):
        validated_data(own(model=model))


def test_whole_numbers_are_taken_where_the_models_input_is_one():
    def embedding(keras, initializer, input_shape):
        return keras.Sequential(
            [
                keras.Input(input_shape, dtype="int32"),
                keras.layers.Embedding(9, 2, embeddings_initializer=initializer("words")),
                keras.layers.Flatten(),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )

    words = np.abs(X).astype("int32")
    assert validated_data(own(data=table(x=words), model=embedding)).x_train.dtype == np.int32
    assert "x_train is float32 and the model's input a whole number" in refusal(own(model=embedding))


class Labelled(np.ndarray):
    """As a library of units or labels makes arrays."""


async def _coroutine():
    return table()()


def raising():
    raise KeyError("two\nlines")


def exiting():
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (raising, r"data() raises KeyError: 'two\nlines'; fix it, or the file that it reads"),
        (exiting, "data() raises SystemExit: 3; fix it, or the file that it reads"),
        (lambda: None, "data() returns None; return an initcheck.Data, as initcheck.split(x, y, classes=…) does"),
        (lambda: (X, Y), "data() returns a tuple; return an initcheck.Data, as "),
        (lambda: [X, Y], "data() returns a list; return an initcheck.Data, as "),
        (lambda: {"x": X}, "data() returns a dict; return an initcheck.Data, as "),
        (lambda: pd.DataFrame(X), "data() returns a DataFrame; return an initcheck.Data, as "),
        (table(x_train=X[:40].tolist()), "x_train is a list; give a NumPy array: np.asarray(x_train, 'float32')"),
        (table(x_train=pd.DataFrame(X[:40])), "x_train is a DataFrame; give a NumPy array: "),
        (table(x_train=np.ma.masked_array(X[:40])), "x_train is a masked array, whose mask would be ignored; "),
        (table(x=X[:, 0]), "x_train has the shape (40,); give (rows, columns): x_train.reshape(len(x_train), -1)"),
        (table(x=X.astype("float64")), "x_train is float64; give float32: x_train.astype('float32')"),
        (table(x=X.astype(">f4")), "x_train is >f4; give float32: "),
        (table(x=X.astype("int64")), "x_train is int64; give float32: x_train.astype('float32')"),
        (table(x=X > 0), "x_train is bool; give numbers: x_train.astype('float32')"),
        (table(x=X.astype(str)), "x_train holds texts such as '"),
        (
            table(x_test=np.where(np.arange(80).reshape(20, 4) == 30, np.nan, X[40:]).astype("float32")),
            "x_test has NaN or infinity, 1 of 80 values, the first in row 7; leave those rows out or fill them",
        ),
        (
            table(x_train=X[:40] * np.float32(np.inf)),
            "x_train has NaN or infinity, 160 of 160 values, the first in row 0; ",
        ),
        (table(y_train=Y[:40] * np.nan), "y_train has NaN or infinity, 40 of 40 values, the first in row 0; "),
        (table(x_train=X[:0], y_train=Y[:0]), "x_train has no rows; give at least one training row"),
        (table(x_test=X[:0], y_test=Y[:0]), "x_test has no rows; give at least one held-out row"),
        (table(x_test=None, y_test=None), "x_test is None; give training and held-out rows, as initcheck.split does"),
        (table(y_train=Y[:39]), "x_train has 40 rows and y_train 39; give a target for every row"),
        (table(y_test=Y[:19]), "x_test has 20 rows and y_test 19; give a target for every row"),
        (table(x_test=X[40:, :3]), "a row of x_train has the shape (4,), one of x_test (3,); give both the same "),
        (table(y=np.eye(3)[CLASSES]), "y_train is one-hot, shape (40, 3); give class numbers: y_train.argmax(axis=1)"),
        (table(y=X[:, :2]), "y_train has several numbers a row, shape (40, 2); give one class number a row, shape "),
        (table(y=np.array(["no", "yes"])[CLASSES // 2]), "y_train holds texts such as 'yes'; give class numbers: "),
        (table(y=np.array(["no", "yes"], object)[CLASSES // 2]), "y_train holds texts such as 'yes'; give class "),
        (table(y=Y.astype("longdouble")), "y_train is float128; give int32: y_train.astype('int32')"),
        (table(y=(Y / 2).astype("longdouble")), "y_train holds real numbers such as 0.5, a regression; "),
        (table(y=Y.astype(">i4")), "y_train is >i4; give int32: y_train.astype('int32')"),
        (table(y=Y.astype("complex64")), "y_train is complex64; give numbers: "),
        (table(x=X.view(Labelled)), "x_train is a Labelled; give a plain NumPy array: np.asarray(x_train)"),
        (lambda: _coroutine(), "data() returns a coroutine; return an initcheck.Data"),
        (table(y=Y > 0), "y_train is bool; give numbers: y_train.astype('int32')"),
        (table(y=Y[:, 0]), "y_train has the shape (40,); one output needs (rows, 1): y_train.reshape(-1, 1)"),
        (table(y=2 * Y - 1), "y_train has the labels -1 and 1; give 0 and 1: (y + 1) / 2"),
        (table(y=Y + 1), "y_train and y_test have the labels 1, 2; number the 2 classes from 0 on: "),
        (table(y=2 * Y), "y_train and y_test have the labels 0, 2; number the 2 classes from 0 on: "),
        (table(y_train=0 * Y[:40]), "y_test has the class 1, which no row of y_train has; split so that training "),
        (table(y=0 * Y), "y_train has the one class 0; give rows of two classes or more"),
        (table(y=CLASSES[:, None]), "y_train has 3 classes and the model one output; end it in 3 by softmax"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(data, message):
    assert refusal(own(data=data)).startswith(message)


def test_a_chance_that_is_not_that_of_the_rows_is_refused():
    few = table(y=(np.arange(60) % 10 == 0).astype("float32").reshape(-1, 1))
    shares = "0.9 of the training rows and 0.9 of the held-out rows"
    assert refusal(own(data=few)) == f"chance is 0.5, but the commonest class has {shares}; give chance=0.9"
    names_one = "which a model reaches that names the commonest class for all training rows (0.9)"
    assert refusal(own(data=few, chance=0.9)) == f"target is 0.9, {names_one}; give a higher target"
    assert validated_data(own(data=few, chance=0.9, target=0.95))


def test_a_dataset_or_a_tensor_is_refused():
    load_keras()
    import tensorflow as tf

    assert re.match(r"data\(\) returns a \w*Dataset; ", refusal(own(data=lambda: tf.data.Dataset.range(3))))
    assert refusal(own(data=table(x_train=tf.constant(X[:40])))).startswith("x_train is an EagerTensor; ")
    with pytest.raises(InitcheckError, match=r"data is a \w*Dataset; give a function"):
        own(data=tf.data.Dataset.range(3))


@pytest.mark.parametrize("loss", ["mse", "binary_crossentropy"])
def test_a_regression_is_refused_until_there_are_scores_for_it(loss):
    message = refusal(own(loss=loss, data=table(y=X[:, :1])))
    assert message.endswith("a regression; give class numbers: scores other than accuracy are not supported yet")
    assert "a regression is not supported yet" in refusal(own(loss=loss, data=table(y=np.round(9 * X[:, :1]))))


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (
            classes(model=dense(2, "softmax")),
            "y_train has 3 classes and the model 2 outputs; give it one for each class",
        ),
        (classes(data=table(y=CLASSES.astype("float32"))), "y_train is float32; a softmax needs class numbers: "),
        (own(loss="binary_crosentropy"), r"loss 'binary_crosentropy' is none that Keras "),
        (own(loss=""), "loss '' is none that Keras "),
        (own(loss="poisson"), "loss 'poisson' is none that accuracies are counted for; take 'binary_crossentropy'"),
        (
            own(loss="sparse_categorical_crossentropy"),
            "loss 'sparse_categorical_crossentropy' does not go with a model ",
        ),
        (
            classes(loss="binary_crossentropy"),
            "loss 'binary_crossentropy' does not go with a model of 3 outputs; take ",
        ),
        (
            classes(loss="categorical_crossentropy"),
            "loss 'categorical_crossentropy' is none that accuracies are counted ",
        ),
        (
            classes(loss="mse"),
            "loss 'mse' does not go with a model of 3 outputs; take 'sparse_categorical_crossentropy'",
        ),
    ],
)
def test_a_loss_that_no_accuracy_goes_with_is_refused(problem, message):
    assert refusal(problem).startswith(message)


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (lambda keras: "adam", "optimizer returns 'adam' (a str); return a new one: optimizer=lambda keras: "),
        (lambda keras: None, "optimizer returns None; return a new one: "),
        (lambda keras: keras.optimizers.Adam, "optimizer returns the class Adam; return a new one: "),
        (lambda keras: object(), "optimizer returns an object; return a new one: "),
    ],
)
def test_an_optimizer_that_is_none_is_refused(optimizer, message):
    assert refusal(own(optimizer=optimizer)).startswith(message)


def test_an_optimizer_class_and_one_object_for_all_runs_are_refused():
    keras = load_keras()
    kept = keras.optimizers.Adam()
    assert refusal(own(optimizer=keras.optimizers.Adam)).startswith("optimizer is the class Adam; give a function ")
    assert refusal(own(optimizer=lambda keras: kept)).startswith("optimizer returns the same object each time, ")


def two_inputs(keras, initializer, input_shape):
    inputs = [keras.Input(input_shape) for _ in range(2)]
    joined = keras.layers.Concatenate()(inputs)
    last = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=initializer("output"))
    return keras.Model(inputs, last(joined))


def two_outputs(keras, initializer, input_shape):
    given = keras.Input(input_shape)
    last = [keras.layers.Dense(1, activation="sigmoid", kernel_initializer=initializer(name)) for name in "ab"]
    return keras.Model(given, [layer(given) for layer in last])


def one_output_a_step(keras, initializer, input_shape):
    steps = keras.layers.Reshape((4, 1))
    last = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=initializer("output"))
    return keras.Sequential([keras.Input(input_shape), steps, last])


def no_axis_of_outputs(keras, initializer, input_shape):
    last = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=initializer("output"))
    return keras.Sequential([keras.Input(input_shape), last, keras.layers.Reshape(())])


def too_many_columns(keras, initializer, input_shape):
    return dense()(keras, initializer, (7,))


def broken(keras, initializer, input_shape):
    raise RuntimeError("no such layer")


def breaks_in_training(keras: Any, initializer, input_shape):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.last = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=initializer("output"))

        def call(self, x, training=False):
            if training:
                raise ValueError("only for inference")
            return self.last(x)

    return Own()


def compiled(keras, initializer, input_shape):
    model = dense()(keras, initializer, input_shape)
    model.compile(loss="mse")
    return model


def returns(value):
    def model(keras, initializer, input_shape):
        initializer("output")
        return value

    return model


def a_layer(keras, initializer, input_shape):
    return keras.layers.Dense(1, activation="sigmoid", kernel_initializer=initializer("output"))


def never_asks(keras, initializer, input_shape):
    return keras.Sequential([keras.Input(input_shape), keras.layers.Dense(1, activation="sigmoid")])


def asks_in_vain(keras, initializer, input_shape):
    initializer("output")
    return never_asks(keras, initializer, input_shape)


def asks_in_vain_and_is_not_built(keras, initializer, input_shape):
    initializer("output")
    return keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])


def asks_twice(keras, initializer, input_shape):
    kernels = [initializer("hidden") for _ in range(2)]
    return keras.Sequential([keras.Input(input_shape), *(keras.layers.Dense(1, kernel_initializer=k) for k in kernels)])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (broken, "model raises RuntimeError: no such layer; fix it: it is called with the input shape (4,)"),
        (returns(None), "model returns None; return a keras.Model, such as keras.Sequential([…])"),
        (returns([1]), "model returns a list; return a keras.Model, "),
        (a_layer, "model returns a Dense; return a keras.Model, "),
        (compiled, "model returns a compiled model; return it uncompiled: "),
        (two_inputs, "model has 2 inputs; give it one, "),
        (two_outputs, "model has 2 outputs; give it one, "),
        (one_output_a_step, "model returns outputs of shape (4, 1) for a row, one for each step or place; "),
        (no_axis_of_outputs, "model returns a number a row, shape (rows,); give it the shape (rows, 1)"),
        (too_many_columns, "model takes inputs of shape (7,), and a row of x_train has (4,); "),
        (breaks_in_training, "model raises ValueError: Exception encountered when calling Own.call(). only for infere"),
        (never_asks, "model never asks for the initializer, so that all initializers would be the same; "),
        (asks_in_vain, "model asks for the initializer, but no weight depends on it, so that all initializers would "),
        (asks_in_vain_and_is_not_built, "model asks for the initializer, but no weight depends on it, so that all "),
        (asks_twice, "model: two layers ask for the initializer 'hidden'; give each a name of its own"),
    ],
)
def test_a_model_that_cannot_be_compared_is_refused(model, message):
    text = refusal(own(model=model))
    if model is breaks_in_training:  # Keras 2 words it otherwise, and Keras 3 prints in colours
        assert text.startswith("model raises ValueError: ")
        assert "only for inference" in text
        assert "\x1b" not in text
    else:
        assert text.startswith(message)


def test_a_model_or_layers_made_once_for_all_runs_are_refused():
    keras = load_keras()
    kept = dense()(keras, lambda name: keras.initializers.HeNormal(seed=1), (4,))
    assert refusal(own(model=kept)).startswith("model is a Sequential; give a function model(keras, initializer, ")
    assert refusal(own(model=returns(kept))).startswith("model returns layers that it has returned before, ")
    layer = keras.layers.Dense(2)
    shared = own(model=dense(layer=lambda keras, initializer: layer))
    assert refusal(shared).startswith("model returns layers that it has returned before, ")


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (
            own(model=dense(activation=None)),
            r"model gives outputs from -?\d.* to \d.*; its last layer has the .* 'linear'",
        ),
        (own(model=dense(activation="relu")), r"model gives outputs from 0 to \d.*; its last layer has the .* 'relu'"),
        (
            own(model=dense(activation="tanh")),
            r"model gives outputs from -0\.\d.* to .*; its last layer has the .* 'tanh'",
        ),
        (
            classes(model=dense(3, None)),
            r"model gives outputs from -\d.*: end it in a softmax over the classes, .* logits",
        ),
        (classes(model=dense(3, "sigmoid")), r"model gives a row of outputs that sum to \d.*, not 1; .* 'sigmoid'"),
        (
            own(model=dense(layer=lambda keras, _: keras.layers.Dropout(0.5), activation=None)),
            "model gives outputs from .*: end it in a sigmoid, and take the loss from that, not from logits",
        ),
    ],
)
def test_outputs_that_are_no_shares_of_one_are_refused(problem, message):
    assert re.match(message, refusal(problem))


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1 of a tensor of shape")
def test_a_softmax_over_one_unit_is_refused():
    message = refusal(own(model=dense(activation="softmax")))
    assert message.startswith(
        "model's one output is always 1, as a softmax over one unit is; its last layer has the act"
    )


def test_a_table_is_made_twice_in_a_process_and_compared():
    calls = []

    def counted():
        calls.append(1)
        return table()()

    problem = own(data=counted)
    tables = [validated_data(each) for each in (problem, problem, own(data=counted, epochs=3, name="other"))]
    assert tables[0] is tables[1] is tables[2]
    assert len(calls) == 2


@pytest.mark.parametrize("part", ["x_train", "y_train", "x_test", "y_test"])
def test_a_table_that_differs_from_call_to_call_is_refused_and_the_array_is_named(part):
    turns = itertools.count()

    def data():
        changed = table()()
        array = getattr(changed, part).copy()
        array[:2] = np.roll(array, next(turns), axis=0)[:2] if part[0] == "x" else next(turns) % 2
        return replace(changed, **{part: array})

    message = refusal(own(data=data))
    assert message.startswith(f"data() gives another {part} when it is called again, so that no run could")


def test_an_array_that_data_shuffles_in_place_is_no_repeatable_table():
    rows, stream = X.copy(), np.random.RandomState(0)

    def data():
        stream.shuffle(rows)
        return Data(rows[:40], Y[:40], rows[40:], Y[40:])

    assert refusal(own(data=data)).startswith("data() gives another x_train when it is called again")


def test_a_table_that_can_be_made_only_once_is_refused():
    once = iter([table()()])
    message = refusal(own(data=lambda: next(once)))
    assert message == "data() raises StopIteration when it is called again; let each call return the same table"


class Mute(Exception):
    """One that cannot say its message."""

    def __str__(self):
        raise RuntimeError("no words")


class Outside(BaseException):
    """One that ``except Exception`` lets pass."""


def throwing(error):
    def function(*_):
        raise error

    return function


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Mute(), "Mute: its __str__ raises RuntimeError"),
        (Outside("told\nto stop"), "Outside: told to stop"),
        (SystemExit(), "SystemExit"),
        (type("Two\nlines", (Exception,), {})("x"), "Two lines: x"),
    ],
    ids=["mute", "outside", "exit", "two lines"],
)
@pytest.mark.parametrize("field", ["data", "model", "optimizer"])
def test_whatever_an_own_function_raises_is_one_line(field, error, reason):
    assert f" raises {reason}" in refusal(own(**{field: throwing(error)}))


@pytest.mark.parametrize("reason", [pytest.skip.Exception("not here"), KeyboardInterrupt()], ids=["skip", "interrupt"])
def test_a_skip_and_an_interruption_pass_through_an_own_function(reason):
    with pytest.raises(type(reason), match=f"^{reason}$"):
        validated_data(own(data=throwing(reason)))


def _generator():
    yield table()()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"data": _coroutine},
            "data is an async function (write def without async); give a function, called as data()",
        ),
        (
            {"data": _generator},
            "data is a generator function (write return in place of yield); give a function, called",
        ),
        ({"data": lambda x: x}, "data takes (x) (missing a required argument: 'x'); give a function, called as data()"),
        (
            {"model": lambda keras, x: x},
            "model takes (keras, x) (too many positional arguments); give a function, call",
        ),
        (
            {"optimizer": lambda: 1},
            "optimizer takes () (too many positional arguments); give a function, called as opt",
        ),
    ],
)
def test_a_function_that_cannot_be_called_as_it_will_be_is_refused_at_once(changes, message):
    with pytest.raises(InitcheckError) as caught:
        own(**changes)
    assert str(caught.value).startswith(f"problem 'mine': {message}")


def given(ask):
    """A function that builds a model whose kernel gets what ``ask`` makes of the initializer."""

    def model(keras, initializer, input_shape):
        last = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=ask(initializer))
        return keras.Sequential([keras.Input(input_shape), last])

    return model


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda initializer: initializer, "initializer is called with a shape, (4, 1) and dtype=…; "),
        (lambda initializer: initializer(), "initializer is called with nothing; "),
        (lambda initializer: initializer(""), "initializer is called with nothing; "),
        (lambda initializer: initializer(1), "initializer is called with 1 (an int); "),
        (lambda initializer: initializer("a", seed=1), "initializer is called with 'a' (a str) and seed=…; "),
        (lambda initializer: initializer.clone(), "AttributeError: initializer is a function, without 'clone'; "),
    ],
    ids=["as it is", "nothing", "empty", "a number", "a seed", "a method"],
)
def test_an_initializer_that_is_not_asked_for_by_a_layers_name_is_one_line_that_says_how(ask, expected):
    message = refusal(own(model=given(ask)))
    assert message.startswith("model")
    assert expected in message
    assert 'kernel_initializer=initializer("name of the layer")' in message


@pytest.mark.parametrize(
    "close",
    [
        lambda: sys.stdout.close(),
        lambda: os.close(1),
        lambda: os.dup2(2, 1),
    ],
    ids=["the stream", "the handle", "another in its place"],
)
def test_an_own_function_that_closes_an_output_is_refused_and_the_output_is_open_again(close, capfd, monkeypatch):
    monkeypatch.setattr(sys, "stdout", open(1, "w", closefd=False))  # noqa: SIM115 - data() closes it

    def data():
        close()
        return table()()

    assert refusal(own(data=data)).startswith("data() closes standard output; leave it open")
    print("still here", flush=True)  # noqa: T201 - what is tested
    assert capfd.readouterr().out == "still here\n"


def trained_by(**methods):
    """A function that builds a functional model whose class has those methods."""

    def model(keras, initializer, input_shape):
        inputs = keras.Input(input_shape)
        last = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=initializer("output"))
        return type("Mine", (keras.Model,), methods)(inputs, last(inputs))

    return model


def no_step(self, data):
    raise ValueError("no step")


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"train_step": no_step}, r"model's own train_step, of the class Mine, raises ValueError: .*no step; "),
        ({"train_step": lambda self, data: None}, r"model's own train_step, of the class Mine, raises "),
        ({"train_step": lambda self, data: {"mine": 0.0}}, r"model's own train_step, of the class Mine, "),
        ({"fit": lambda self, *_, **__: None}, r"model's own fit, of the class Mine, raises AttributeError: "),
        (
            {"fit": lambda self, *_, **__: SimpleNamespace(history={"loss": [1.0], "val_loss": [1.0]})},
            r"model's own fit, of the class Mine, gives no accuracy and no val_accuracy; let it return what ",
        ),
    ],
    ids=["raises", "nothing", "another metric", "fit gives nothing", "fit gives no accuracy"],
)
def test_an_own_way_of_training_that_gives_no_history_is_refused_before_training(methods, message):
    assert re.match(message, refusal(own(model=trained_by(**methods))))


@pytest.mark.parametrize("reported", [7.0, -0.5, float("nan")])
def test_an_accuracy_that_is_no_share_is_refused(reported):
    def fit(self, *args, **named):
        history = load_keras().Model.fit(self, *args, **named)
        history.history["val_accuracy"] = [reported] * len(history.history["loss"])
        return history

    with pytest.raises(InitcheckError, match=rf"reports val_accuracy {reported:g}, which is no share of the rows; "):
        initcheck.sweep(own(model=trained_by(fit=fit)), initializers=["he_normal"], reseeds=1, seed=1)


def with_own(name, made):
    """A function that builds a model of Keras's own class, one of whose methods is another."""

    def model(keras, initializer, input_shape):
        built = dense()(keras, initializer, input_shape)
        place = built.layers[-1] if name == "call" else built
        setattr(place, name, made(getattr(place, name)))
        return built

    return model


@on_keras_3
def test_a_method_that_is_set_on_a_model_or_layer_is_its_own_too():
    message = refusal(own(model=with_own("train_step", lambda _: lambda data: {})))
    assert message.startswith("model's own train_step, of the class Sequential, ")
    for name, subject in (("train_step", "its model, a Sequential,"), ("call", "a Dense,")):
        problem = own(model=with_own(name, lambda keras_own: lambda *data, **given: keras_own(*data, **given)))
        result = initcheck.sweep(problem, initializers=["he_normal"], reseeds=1)
        assert "reference engine, as the ensemble cannot train this: " in result.engine
        assert f"{subject} may hold more than weights" in result.engine


def test_an_own_train_step_that_keeps_the_metrics_is_trained_by_fit_and_named():
    problem = own(model=trained_by(train_step=lambda self, data: super(type(self), self).train_step(data)))
    result = initcheck.sweep(problem, initializers=["he_normal"], reseeds=2)
    assert result.finished == 2
    assert "its model, a Mine, may hold more than weights" in result.engine or "Keras 2" in result.engine


@on_keras_3
@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda keras, _: keras.layers.Dropout(0.5, name="drop"), "its layer 'drop', a Dropout, may hold more than"),
        (
            lambda keras, _: keras.layers.Dense(4, activation=lambda x: x, name="mine"),
            "its layer 'mine', a Dense, calls a function that is not Keras's own",
        ),
        (
            lambda keras, _: keras.layers.Dense(4, kernel_regularizer="l2", name="held"),
            "its layer 'held', a Dense, has kernel_regularizer",
        ),
        (
            lambda keras, ask: keras.layers.Dense(
                4, kernel_initializer=keras.initializers.RandomNormal(seed=None), name="free"
            ),
            "its layer 'free', a Dense, has a weight that the initializer under test does not decide alone",
        ),
    ],
    ids=["dropout", "own function", "regularizer", "unseeded"],
)
def test_the_reason_for_fit_names_the_layer_and_its_class(layer, message):
    result = initcheck.sweep(own(model=dense(layer=layer)), initializers=["he_normal"], reseeds=1)
    assert f"reference engine, as the ensemble cannot train this: {message}" in result.engine


@pytest.mark.parametrize("engine", [pytest.param("ensemble", marks=on_keras_3), "reference"])
def test_a_batch_larger_than_the_table_is_all_of_its_rows(engine):
    sweeps = [
        initcheck.sweep(own(batch_size=size), initializers=["he_normal"], reseeds=2, engine=engine)
        for size in (40, 10**9, 2**63 - 1)
    ]
    losses = [each.runs[0].history for each in sweeps]
    assert losses[0] == losses[1] == losses[2]


@pytest.mark.parametrize("engine", ["auto", "reference", "ensemble"])
def test_sweeps_refuse_a_mistake_before_training(engine):
    with pytest.raises(InitcheckError, match="problem 'mine': model never asks for the initializer"):
        initcheck.sweep(own(model=never_asks), reseeds=1, engine=engine)


def test_recordings_calibrations_and_checks_refuse_a_mistake_before_training():
    from initcheck.baselines.recording.record import record
    from initcheck.evidence.lab import get_lab
    from initcheck.evidence.spread import buildable, place_run

    problem, steps = own(model=broken), []
    message = "problem 'mine': model raises RuntimeError: no such layer"
    with pytest.raises(InitcheckError, match=message):
        record([problem], reseeds=0, seed=1, advance=lambda what, count: steps.append(what))
    assert steps == []
    row = INITIALIZERS["he_normal"]
    for attempt in (
        lambda: buildable(problem, [row]),
        lambda: place_run(problem, row, seed=1),
        lambda: get_lab(1).models.trace_problem(problem, row),
    ):
        with pytest.raises(InitcheckError, match=message):
            attempt()


def test_a_model_that_breaks_under_every_initializer_asked_for_is_refused_with_keras_reason():
    from initcheck.evidence.spread import buildable

    def no_matrix(keras, initializer, input_shape):
        return keras.Sequential(
            [
                keras.Input(input_shape),
                keras.layers.Reshape((4, 1)),
                keras.layers.Conv1D(2, 2, kernel_initializer=initializer("hidden")),
                keras.layers.Flatten(),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )

    with pytest.raises(InitcheckError, match=r"cannot be built with the initializer 'identity' \(\w+Error: .+\)"):
        buildable(own(model=no_matrix), [INITIALIZERS["identity"]])


def test_what_only_fit_raises_names_the_problem_and_the_reason(monkeypatch):
    import initcheck
    from initcheck.engines.fit import ReferenceEngine
    from initcheck.errors import InitcheckError

    def fit(*_, **__):
        raise ValueError("a graph that\ncannot be")

    engine = ReferenceEngine(initcheck.PROBLEMS["iris"])
    monkeypatch.setattr(engine, "fit", fit)
    with pytest.raises(InitcheckError) as raised:
        engine.train(initcheck.INITIALIZERS["zeros"], reseed=0, seed=1)
    assert str(raised.value) == (
        "problem 'iris' cannot be trained (ValueError: a graph that cannot be); fix its model, loss or data"
    )


@pytest.mark.parametrize(
    "about",
    [(("a", 1),), ("ab",), [("a",)], "text", {"a": "b"}, None, (("a", "b"),) * 1001],
    ids=["number", "no pair", "one", "text", "dictionary", "nothing", "too many"],
)
def test_facts_that_no_page_could_show_are_refused_before_any_training(about):
    with pytest.raises(InitcheckError, match=r"^problem 'iris': about is not what it may be; give .* pairs of texts"):
        replace(initcheck.PROBLEMS["iris"], about=about)


def test_facts_may_be_lists_of_lists():
    about: Any = [["a", "b"]]
    assert replace(initcheck.PROBLEMS["iris"], about=about).about == (("a", "b"),)


def test_a_model_without_an_input_is_trained_by_fit_and_the_reason_is_given():
    problem = replace(
        initcheck.PROBLEMS["iris"],
        model=lambda keras, initializer, _: keras.Sequential(
            [keras.layers.Dense(1, activation="sigmoid", kernel_initializer=initializer("output"))]
        ),
    )
    result = initcheck.sweep(problem, initializers=["he_normal"], reseeds=2, epochs=2)
    assert result.finished == 2
    keras_2 = load_keras().__version__.startswith("2.")  # which is the first reason there
    assert ("Keras 2 has no optimizer" if keras_2 else "start it with keras.Input(input_shape)") in result.engine


def schedule(keras: Any, kind):
    """An own learning rate schedule of which each instance is new, but for what ``kind`` says."""

    class Warm(keras.optimizers.schedules.LearningRateSchedule):
        def __init__(self):
            import tensorflow as tf

            self.rate = tf.Variable(0.5) if kind == "variable" else 0

        def __call__(self, step):
            import tensorflow as tf

            if kind == "variable":
                return tf.identity(self.rate.assign(self.rate * 0.9))
            if kind == "draws":
                return tf.random.uniform(())
            self.rate += kind == "counts"
            return 0.5 / (1 + self.rate)

    return Warm()


@pytest.mark.parametrize("kind", ["variable", "counts", "draws", "only called"])
@pytest.mark.parametrize("engine", ["auto", "reference"])
def test_an_own_schedule_starts_anew_in_each_run(kind, engine):
    problem = own(optimizer=lambda keras: keras.optimizers.SGD(schedule(keras, kind)))
    sweep = initcheck.sweep(problem, initializers=["he_normal", "zeros"], reseeds=2, engine=engine)
    alone = initcheck.sweep(problem, initializers=["zeros"], reseeds=1, engine=engine)
    assert next(run for run in sweep.runs if run.initializer == "zeros") == alone.runs[0]
    if engine == "auto" and not load_keras().__version__.startswith("2."):
        assert "its optimizer's learning_rate, a Warm, is not Keras's own, and may keep state or draw" in sweep.engine


@on_keras_3
def test_a_rate_that_is_a_function_and_a_replaced_method_are_trained_by_fit():
    def replaced(keras):
        optimizer = keras.optimizers.SGD(0.1)
        step = optimizer.update_step
        optimizer.update_step = lambda gradient, variable, rate: step(gradient, variable, rate)
        return optimizer

    for optimizer, subject in [
        (lambda keras: keras.optimizers.SGD(lambda: 0.1), "its optimizer's learning_rate, a function,"),
        (replaced, "its optimizer's update_step, a function,"),
    ]:
        sweep = initcheck.sweep(own(optimizer=optimizer), initializers=["zeros"], reseeds=1)
        assert f"{subject} is not Keras's own" in sweep.engine


def test_keras_own_schedules_and_numbers_are_no_code_of_the_users():
    keras = load_keras()
    schedules = keras.optimizers.schedules
    rates = [0.1, schedules.ExponentialDecay(0.1, 10, 0.9), schedules.PiecewiseConstantDecay([3], [0.1, 0.2])]
    for rate in [*rates, schedules.CosineDecay(0.1, 10)]:
        assert not find_own_code(keras, keras.optimizers.AdamW(rate, clipvalue=1.0))
    assert find_own_code(keras, keras.optimizers.SGD(type("Mine", (schedules.ExponentialDecay,), {})(0.1, 10, 0.9)))
    counting = keras.optimizers.SGD(0.1)
    counting.steps = counting.iterations  # a variable under a public name, as Keras 3.0 keeps its iterations
    assert not find_own_code(keras, counting)
    validated_data(own(optimizer=lambda keras: keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 9))))


@on_keras_3
def test_an_optimizer_of_keras_within_another_is_keras_own_and_is_trained_the_same_in_any_sweep():
    keras = load_keras()
    scale, adam = keras.optimizers.LossScaleOptimizer, keras.optimizers.Adam
    assert not find_own_code(keras, scale(adam(0.01)))
    mine = scale(type("Mine", (adam,), {})(0.01))
    assert find_own_code(keras, mine) == "its optimizer's inner_optimizer, a Mine,"
    assert (
        find_own_code(keras, scale(adam(lambda: 0.01)))
        == "its optimizer's inner_optimizer's learning_rate, a function,"
    )
    problem = own(optimizer=lambda keras: scale(adam(0.01)))
    sweep = initcheck.sweep(problem, initializers=["he_normal", "zeros"], reseeds=2)
    alone = initcheck.sweep(problem, initializers=["zeros"], reseeds=1)
    assert next(run for run in sweep.runs if run.initializer == "zeros") == alone.runs[0]


@on_keras_3
def test_an_optimizer_that_has_another_one_within_in_each_call_is_refused():
    rates = itertools.count(1)
    message = "optimizer returns another inner_optimizer when it is called again"
    with pytest.raises(InitcheckError, match=message):
        validated_data(
            own(
                optimizer=lambda keras: keras.optimizers.LossScaleOptimizer(
                    keras.optimizers.Adam(0.01 * next(rates), name="adam")
                )
            )
        )


def test_an_optimizer_that_shares_state_between_runs_is_refused():
    kept: list[Any] = []
    words = "optimizer's learning_rate, a Warm, keeps state from one run to the next"

    def shared(keras):
        kept[:] = kept or [schedule(keras, "variable")]
        return keras.optimizers.SGD(kept[0])

    assert refusal(own(optimizer=shared)).startswith(words)


def test_an_optimizer_of_another_configuration_in_each_call_is_refused():
    rates = itertools.count(1)
    message = refusal(own(optimizer=lambda keras: keras.optimizers.SGD(0.1 / next(rates))))
    assert message.startswith(
        "optimizer returns another learning_rate when it is called again, so that no run could be "
    )
    kinds = itertools.cycle(["SGD", "Adam"])
    message = refusal(own(optimizer=lambda keras: getattr(keras.optimizers, next(kinds))(0.1)))
    assert message.startswith("optimizer returns another class when it is called again")
