"""The catalogue of problems: data, model and training budget. A new problem is one more row."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from initcheck.arguments import described, fraction, number, path_of, whole_number
from initcheck.catalog.csv_tables import CsvTable, Reading, read_table
from initcheck.catalog.own_problems import OwnProblem, name_of
from initcheck.catalog.tables import fetch_banknotes, split
from initcheck.errors import InitcheckError, UnknownNameError
from initcheck.records import Data
from initcheck.texts import for_axis

DETECTED = Reading()
_MOST_LAYERS, _MOST_UNITS = 100, 100_000
_SMALLEST_RATE, _LARGEST_RATE = 1e-30, 1e30  # well within float32

# Keras is handed to a problem, never imported by it: the catalogue loads no framework, and a problem cannot pick
# another Keras than the one under test.
Keras = Any
Model = Any
Optimizer = Any
SeededInitializer = Callable[[str], Any]


@dataclass(frozen=True)
class Problem:
    """Data, model and training budget: everything but the initializer and its seed.

    Attributes:
        name: The row's name; every random stream of its runs is derived from it.
        title: One line for people.
        source: Where data and protocol come from.
        data: Returns the split table; called once a session.
        model: ``model(keras, initializer, input_shape)`` returns an uncompiled Keras model whose last layer is one
            sigmoid unit, or a softmax over the classes. ``initializer("some name")`` gives the seeded initializer
            under test; each layer asks with a name of its own.
        optimizer: ``optimizer(keras)`` returns a new optimizer.
        loss: The loss as ``compile`` takes it.
        batch_size: Rows per step; all training rows where it is more than there are.
        epochs: Passes over the training rows.
        chance: Accuracy of always naming the commonest class.
        target: The training accuracy at which a run counts as having learned.
        about: Facts about the data for people, as ``(name, value)``, which pages show.
    """

    name: str
    title: str
    source: str
    data: Callable[[], Data]
    model: Callable[[Keras, SeededInitializer, tuple[int, ...]], Model]
    optimizer: Callable[[Keras], Optimizer]
    loss: str
    batch_size: int
    epochs: int
    chance: float
    target: float
    about: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Refuses fields of the wrong type or size; data and model are checked before training.

        Raises:
            InitcheckError: A field that cannot be used.
        """
        _require_texts(self)
        object.__setattr__(self, "about", _facts(self))
        for field in ("batch_size", "epochs"):
            number = whole_number(f"problem {self.name!r}: {field}", getattr(self, field), least=1)
            object.__setattr__(self, field, number)
        for field in ("chance", "target"):
            value = fraction(f"problem {self.name!r}: {field}", getattr(self, field))
            object.__setattr__(self, field, value)
        if self.target == 0:
            raise InitcheckError(f"problem {self.name!r}: target is 0; give the accuracy that counts as having learned")
        for field, usage in _CALLED_AS.items():
            if not callable(getattr(self, field)):
                given = described(getattr(self, field))
                raise InitcheckError(f"problem {self.name!r}: {field} is {given}; give a function, called as {usage}")
            if reason := _unusable_function(getattr(self, field), _ARGUMENTS[field]):
                raise InitcheckError(f"problem {self.name!r}: {field} {reason}; give a function, called as {usage}")

    @staticmethod
    def of(
        build: Callable[..., Any], data: Callable[[], Any], *, name: str | None = None, **settings: Any
    ) -> OwnProblem:
        """A model of yours as it is, to be swept like any other problem.

        Args:
            build: ``build()`` or ``build(keras)`` returns a Keras model, compiled or not.
            data: ``data()`` returns what ``fit`` takes: ``(x, y)`` or ``(x, y, sample_weight)``, each an array or a
                list or dict of arrays; a ``tf.data.Dataset`` or a ``PyDataset``; or a pair ``(train, held_out)``.
            name: Its name; by default the function's, with its module.
            settings: Other fields of ``OwnProblem``: epochs, batch_size, loss, optimizer, metrics, score, target and
                weights.

        Raises:
            InitcheckError: A setting that cannot be used.
        """
        unknown = [key for key in settings if key not in _OWN_SETTINGS]
        if unknown:
            raise InitcheckError(f"Problem.of has no setting {unknown[0]!r}; it has {', '.join(_OWN_SETTINGS)}")
        return OwnProblem(name_of(build) if name is None else name, build, data, **settings)

    def rows_per_step(self, rows: int) -> int:
        """The rows of a full step, given the number of training rows: a batch has no more than there are."""
        return min(self.batch_size, rows)


def _facts(problem: Problem) -> tuple[tuple[str, str], ...]:
    """The problem's ``about``, as pairs of texts.

    Raises:
        InitcheckError: ``about`` is something else.
    """
    about: object = problem.about
    pairs = [tuple(pair) for pair in about if isinstance(pair, tuple | list)] if isinstance(about, tuple | list) else []
    texts = all(len(pair) == 2 and all(isinstance(part, str) for part in pair) for pair in pairs)
    if not isinstance(about, tuple | list) or len(pairs) != len(about) or not texts or len(pairs) > _MOST_FACTS:
        raise InitcheckError(
            f"problem {problem.name!r}: about is not what it may be; give at most {_MOST_FACTS:,} pairs of texts: "
            "((name, value), …)"
        )
    return tuple(pairs)


_OWN_SETTINGS = tuple(field.name for field in fields(OwnProblem))[3:]
_MOST_FACTS = 1000  # about the data, which a page shows
_CALLED_AS = {
    "data": "data(), that returns an initcheck.Data",
    "model": "model(keras, initializer, input_shape), that returns an uncompiled model",
    "optimizer": "optimizer(keras), that returns a new optimizer",
}


_ARGUMENTS = {"data": (), "model": ("keras", "initializer", "input_shape"), "optimizer": ("keras",)}


def _unusable_function(function: Callable[..., Any], arguments: tuple[str, ...]) -> str:
    """Why the function cannot be called with those arguments; empty where it can."""
    if inspect.iscoroutinefunction(function):
        return "is an async function (write def without async)"
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return "is a generator function (write return in place of yield)"
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some of those that are written in C have none
        return ""
    try:
        signature.bind(*arguments)
    except TypeError as error:
        return f"takes {for_axis(str(signature))} ({error})"
    return ""


def _require_texts(problem: Problem) -> None:
    if not isinstance(problem.name, str) or not problem.name.strip() or not problem.name.isprintable():
        given = described(problem.name)
        raise InitcheckError(f"problem: name is {given}; give a text of printable characters, such as 'mine'")
    for field in ("title", "source", "loss"):
        if not isinstance(given := getattr(problem, field), str):
            hint = "the name of a loss, such as 'binary_crossentropy'" if field == "loss" else "a line of text"
            raise InitcheckError(f"problem {problem.name!r}: {field} is {described(given)}; give {hint}")


@functools.cache
def _iris_rows() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_iris

    rows: tuple[np.ndarray, np.ndarray] = load_iris(return_X_y=True)
    return rows


def _iris() -> Data:
    x, y = _iris_rows()
    return split(x[y > 0], y[y > 0] - 1)


def _xor() -> Data:
    rows_per_corner = 50
    corners = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    noise = np.random.RandomState(42).normal(0, 0.2, (4 * rows_per_corner, 2))
    return split(np.repeat(corners, rows_per_corner, axis=0) + noise, np.repeat([0, 1, 1, 0], rows_per_corner))


def _digits() -> Data:
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return split(
        x[::2] / 16, y[::2], classes=10, standardize=False
    )  # half of the rows: more reseeds are worth more than more rows


def _one_sigmoid(keras: Keras, initializer: SeededInitializer, input_shape: tuple[int, ...]) -> Model:
    """The lecture's model: one sigmoid unit on the inputs."""
    output = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=initializer("output"), name="output")
    return keras.Sequential([keras.Input(input_shape), output])


def _two_tanh(keras: Keras, initializer: SeededInitializer, input_shape: tuple[int, ...]) -> Model:
    """Two tanh units before the sigmoid: the smallest net that can learn exclusive or."""
    hidden = keras.layers.Dense(2, activation="tanh", kernel_initializer=initializer("hidden"), name="hidden")
    output = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=initializer("output"), name="output")
    return keras.Sequential([keras.Input(input_shape), hidden, output])


def _deep_narrow_relu(keras: Keras, initializer: SeededInitializer, input_shape: tuple[int, ...]) -> Model:
    """Five relu layers of 8 units: deep and narrow, so that a wrong scale dies out or explodes."""
    names = [f"hidden_{number}" for number in range(1, 6)]
    hidden = [
        keras.layers.Dense(8, activation="relu", kernel_initializer=initializer(name), name=name) for name in names
    ]
    output = keras.layers.Dense(10, activation="softmax", kernel_initializer=initializer("output"), name="output")
    return keras.Sequential([keras.Input(input_shape), *hidden, output])


_ROWS = (
    Problem(
        name="iris",
        title="Iris versicolor or virginica: 4 inputs, 1 sigmoid output, the lecture's model",
        source="Fisher 1936, as scikit-learn ships it",
        data=_iris,
        model=_one_sigmoid,
        optimizer=lambda keras: keras.optimizers.RMSprop(0.01),
        loss="binary_crossentropy",
        batch_size=16,
        epochs=15,
        chance=0.5,
        target=0.95,
        about=(("counts as 1", "virginica; versicolor counts as 0"),),
    ),
    Problem(
        name="banknotes",
        title="Genuine or forged banknotes: the lecture's own data and protocol (--data FILE.csv, or OpenML)",
        source="V. Lohweg 2012, https://doi.org/10.24432/C55P57",
        data=fetch_banknotes,
        model=_one_sigmoid,
        optimizer=lambda keras: keras.optimizers.RMSprop(),
        loss="binary_crossentropy",
        batch_size=16,
        epochs=5,
        chance=0.5554,
        target=0.9,
    ),
    Problem(
        name="xor",
        title="Exclusive or with noise: 2-2-1, tanh; has real local minima",
        source="Rumelhart, Hinton & Williams 1986, Parallel Distributed Processing, chapter 8",
        data=_xor,
        model=_two_tanh,
        optimizer=lambda keras: keras.optimizers.Adam(0.05),
        loss="binary_crossentropy",
        batch_size=16,
        epochs=40,
        chance=0.5,
        target=0.95,
        about=(("counts as 1", "a point whose two inputs differ in sign"),),
    ),
    Problem(
        name="digits",
        title="Handwritten digits: 64 inputs, five relu layers of 8, softmax; depth shows the scale",
        source="Alpaydin & Kaynak 1998, https://doi.org/10.24432/C50P49, as scikit-learn ships it",
        data=_digits,
        model=_deep_narrow_relu,
        optimizer=lambda keras: keras.optimizers.RMSprop(0.01),
        loss="sparse_categorical_crossentropy",
        batch_size=32,
        epochs=10,
        chance=0.1034,
        target=0.6,
    ),
)

PROBLEMS: Mapping[str, Problem] = MappingProxyType({row.name: row for row in _ROWS})
_LECTURE = PROBLEMS["banknotes"]
DEFAULT_PROBLEMS = tuple(name for name in PROBLEMS if name != "banknotes")  # whose data has to be fetched


def get_problem(name: str) -> Problem:
    """The row of that name.

    Raises:
        UnknownNameError: No row has that name; the message gives the nearest ones.
    """
    if name not in PROBLEMS:
        raise UnknownNameError("problem", name, [*PROBLEMS, "package.module:attribute"])
    return PROBLEMS[name]


def from_csv(
    path: str | Path,
    reading: Reading = DETECTED,
    *,
    hidden: Sequence[int] = (),
    batch_size: int | None = None,
    learning_rate: float | None = None,
    target_accuracy: float | None = None,
) -> Problem:
    """A user's table as a problem, trained by the lecture's protocol by default.

    It is named after the file, without its folder: a file has the same random streams in any folder.

    Args:
        path: The CSV file.
        reading: How to read it.
        hidden: Units of the relu layers before the output; none by default.
        batch_size: Rows per step; the lecture's 16 by default.
        learning_rate: Of RMSprop; Keras's own by default.
        target_accuracy: The training accuracy at which a run has learned; by default the lecture's 0.9, or halfway
            from chance to 1 where chance is as high.

    Raises:
        InitcheckError: The file cannot be read or used as it is, or the model cannot be made so.
    """
    path = path_of("path", path)
    _require_trainable(hidden, batch_size, learning_rate)
    if target_accuracy is not None and not 0 < number("--target-accuracy", target_accuracy) <= 1:
        raise InitcheckError(f"--target-accuracy {target_accuracy:g}: it may be above 0 and up to 1, such as 0.75")
    table = read_table(path, reading)
    if batch_size is not None and batch_size > (rows := len(table.data.x_train)):
        raise InitcheckError(f"--batch-size {batch_size}: it may be from 1 to the number of training rows, {rows:,}")
    two = len(table.classes) == 2
    inputs = table.data.input_shape[0]
    units = "-".join(map(str, (inputs, *hidden, 1 if two else len(table.classes))))
    features, layers = (
        _count(table.features, "feature"),
        f"{units}, {'relu, ' * bool(hidden)}{'sigmoid' if two else 'softmax'}",
    )
    return Problem(
        name=f"{table.name} (file)" if table.name in PROBLEMS else table.name,
        title=f"{len(table.classes)} classes of {for_axis(table.target)!r} from {features}: {layers}",
        source=_source(table),
        data=functools.partial(_same, table.data),
        model=functools.partial(_dense, tuple(hidden), len(table.classes)),
        optimizer=functools.partial(_rmsprop, learning_rate),
        loss="binary_crossentropy" if two else "sparse_categorical_crossentropy",
        batch_size=_LECTURE.batch_size if batch_size is None else batch_size,
        epochs=_LECTURE.epochs,
        chance=table.chance,
        target=_target(table) if target_accuracy is None else target_accuracy,
        about=(*table.about, ("optimizer", _optimizer(learning_rate))),
    )


def banknotes_from_csv(path: str | Path, reading: Reading = DETECTED) -> Problem:
    """The lecture's protocol on a file: model, budget, target and random streams of the catalogue's banknotes.

    Raises:
        InitcheckError: The file cannot be read or used as it is, or has more than two classes.
    """
    path = path_of("path", path)
    table = read_table(path, reading)
    if len(table.classes) != 2:
        raise InitcheckError(
            f"{path}: the target column {for_axis(table.target)!r} has {len(table.classes)} classes, but the lecture's "
            "model has two; leave --problem banknotes out"
        )
    inputs = _count(table.data.input_shape[0], "input")
    return replace(
        _LECTURE,
        title=f"The lecture's protocol on the file {table.name}: {inputs}, 1 sigmoid output",
        source=_source(table),
        data=functools.partial(_same, table.data),
        chance=table.chance,
        about=table.about,
    )


def _target(table: CsvTable) -> float:
    return _LECTURE.target if table.chance < _LECTURE.target else (1 + table.chance) / 2


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _source(table: CsvTable) -> str:
    return f"the file {table.name}, SHA-256 {table.digest}…"


def _require_trainable(hidden: Sequence[int], batch_size: int | None, learning_rate: float | None) -> None:
    """Refuses settings that no table can be trained with, before one is read."""
    hidden = [whole_number("--hidden", units) for units in hidden]
    if len(hidden) > _MOST_LAYERS or not all(1 <= units <= _MOST_UNITS for units in hidden):
        raise InitcheckError(
            f"--hidden {','.join(map(str, hidden))}: give up to {_MOST_LAYERS} layers of 1 to {_MOST_UNITS:,} units"
        )
    if batch_size is not None and whole_number("--batch-size", batch_size) < 1:
        raise InitcheckError(f"--batch-size {batch_size}: it may be from 1 to the number of training rows")
    if learning_rate is not None and not _SMALLEST_RATE <= number("--learning-rate", learning_rate) <= _LARGEST_RATE:
        raise InitcheckError(
            f"--learning-rate {learning_rate:g}: it may be from {_SMALLEST_RATE:g} to {_LARGEST_RATE:g}"
        )


def _dense(hidden: tuple[int, ...], classes: int, keras: Keras, initializer: SeededInitializer, shape: Any) -> Model:
    """Relu layers of those units, then one sigmoid unit for two classes, or a softmax over more."""
    layers = [
        keras.layers.Dense(units, activation="relu", kernel_initializer=initializer(name), name=name)
        for name, units in ((f"hidden_{number}", units) for number, units in enumerate(hidden, 1))
    ]
    units, activation = (1, "sigmoid") if classes == 2 else (classes, "softmax")
    output = keras.layers.Dense(units, activation=activation, kernel_initializer=initializer("output"), name="output")
    return keras.Sequential([keras.Input(shape), *layers, output])


def _rmsprop(learning_rate: float | None, keras: Keras) -> Optimizer:
    return keras.optimizers.RMSprop(*([] if learning_rate is None else [learning_rate]))


def _optimizer(learning_rate: float | None) -> str:
    rate = "Keras's default" if learning_rate is None else f"{learning_rate:g}"
    return f"RMSprop, learning rate {rate}"


def _same(data: Data) -> Data:
    return data
