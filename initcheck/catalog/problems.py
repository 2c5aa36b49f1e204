"""The catalogue of problems: data, model and training budget. A new problem is one more row."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from initcheck.arguments import described, fraction, whole_number
from initcheck.catalog.tables import fetch_banknotes, read_csv, split
from initcheck.errors import InitcheckError, UnknownNameError
from initcheck.records import Data

# Keras is handed to a problem, never imported by it: the catalogue loads no framework, and a problem cannot pick
# another Keras than the one under test.
Keras = Any
Model = Any
Optimizer = Any
SeededInitializer = Callable[[str], Any]


@dataclass(frozen=True)
class Problem:
    """What is trained: everything but the initializer and its seed.

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
        batch_size: Rows per step.
        epochs: Passes over the training rows.
        chance: Accuracy of always naming the commonest class.
        target: Training accuracy from which on a run counts as having learned.
        about: Facts about the data for people, as ``(name, value)``: what a page says of a user's own table.
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
        """Refuses fields of the wrong type or size; what takes data or framework to see is checked before training.

        Raises:
            InitcheckError: A field that cannot be used.
        """
        _require_texts(self)
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
                found = described(getattr(self, field))
                raise InitcheckError(f"problem {self.name!r}: {field} is {found}; give a function, called as {usage}")


_CALLED_AS = {
    "data": "data(), that returns an initcheck.Data",
    "model": "model(keras, initializer, input_shape), that returns an uncompiled model",
    "optimizer": "optimizer(keras), that returns a new optimizer",
}


def _require_texts(problem: Problem) -> None:
    if not isinstance(problem.name, str) or not problem.name.strip() or not problem.name.isprintable():
        found = described(problem.name)
        raise InitcheckError(f"problem: name is {found}; give a text of printable characters, such as 'mine'")
    for field in ("title", "source", "loss"):
        if not isinstance(found := getattr(problem, field), str):
            hint = "the name of a loss, such as 'binary_crossentropy'" if field == "loss" else "a line of text"
            raise InitcheckError(f"problem {problem.name!r}: {field} is {described(found)}; give {hint}")


def _iris() -> Data:
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    return split(x[y > 0], y[y > 0] - 1)


def _xor() -> Data:
    rows_per_corner = 50
    corners = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    noise = np.random.RandomState(42).normal(0, 0.2, (4 * rows_per_corner, 2))
    return split(np.repeat(corners, rows_per_corner, axis=0) + noise, np.repeat([0, 1, 1, 0], rows_per_corner))


def _digits() -> Data:
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return split(x[::2] / 16, y[::2], classes=10, standardize=False)  # half of the rows: reseeds tell more than rows


def _one_sigmoid(keras: Keras, initializer: SeededInitializer, input_shape: tuple[int, ...]) -> Model:
    """The lecture's model: every input straight to one sigmoid unit."""
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
DEFAULT_PROBLEMS = tuple(name for name in PROBLEMS if name != "banknotes")  # whose data has to be fetched


def get_problem(name: str) -> Problem:
    """The row of that name, or the user's own from ``package.module:attribute``.

    Raises:
        UnknownNameError: No row bears that name; the message gives the nearest ones.
        InitcheckError: The module does not import, or the attribute is no ``Problem``.
    """
    if ":" in name:
        return _import_problem(name)
    if name not in PROBLEMS:
        raise UnknownNameError("problem", name, [*PROBLEMS, "package.module:attribute"])
    return PROBLEMS[name]


def from_csv(path: Path, *, target: str | None = None) -> Problem:
    """The lecture's protocol on a user's table; ``target`` names the class column, the last one by default.

    Raises:
        DataError: The file cannot be used as it is.
    """
    data = read_csv(path, target=target)
    share = float(data.y_train.astype(np.float64).mean())
    return replace(PROBLEMS["banknotes"], data=functools.partial(_same, data), chance=max(share, 1 - share))


def _same(data: Data) -> Data:
    return data


def _import_problem(name: str) -> Problem:
    module_name, _, attribute = name.partition(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)  # as `python -m` does; a console script does not
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # whatever the user's module raises, the user has to mend it
        reason = " ".join(str(error).split())
        raise InitcheckError(
            f"--problem {name}: importing {module_name!r} failed: {type(error).__name__}: {reason}"
        ) from None
    found = getattr(module, attribute, None)
    if not isinstance(found, Problem):
        what = "nothing" if found is None else f"a {type(found).__name__}"
        raise InitcheckError(
            f"--problem {name}: {module_name} has {what} named {attribute!r}; name an initcheck.Problem there"
        )
    return found
