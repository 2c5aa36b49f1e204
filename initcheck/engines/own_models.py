"""A user's own model and data, as they are: made anew as often as asked, with the weights that its layers add noted."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.arguments import described
from initcheck.catalog.optimizers import ADAM
from initcheck.endings import is_mistake, outputs_kept_open
from initcheck.engines.replacing import replaced
from initcheck.errors import InitcheckError
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.memory import is_out_of_memory
from initcheck.texts import for_terminal, reason_of

Array = npt.NDArray[Any]

FEW_ROWS = 32  # that a model of a subclass is built with
_FORMS = (
    "(x, y), (x, y, sample_weight), (x,) without targets, a tf.data.Dataset or a PyDataset, or a pair "
    "(train, held_out) of these"
)


@dataclass(frozen=True)
class TrainingOptions:
    """What ``compile`` and ``fit`` are given beyond what ``build()`` and ``data()`` say.

    Attributes:
        epochs: Passes over the data; a training is cut off after a few steps all the same.
        batch_size: Rows of a step; Keras's default where it is None.
        loss: The name of a loss; that of the compiled model where it is None.
        optimizer: The name of an optimizer; that of the compiled model, or adam, where it is None.
        metrics: The names of metrics, beside those of the compiled model.
    """

    epochs: int = 2
    batch_size: int | None = None
    loss: str | None = None
    optimizer: str | None = None
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True)
class OwnData:
    """What ``data()`` returned, as ``fit`` takes it.

    Attributes:
        x: An array, a list or dict of arrays, a ``tf.data.Dataset`` or a ``PyDataset``.
        y: The targets, in the same forms; None for the latter two, and where there are none.
        sample_weight: Weights of the rows, if given.
        held_out: Further rows, if given.
    """

    x: Any
    y: Any = None
    sample_weight: Any = None
    held_out: OwnData | None = None

    @property
    def in_batches(self) -> bool:
        """Whether it is a ``tf.data.Dataset`` or a ``PyDataset``, which makes batches itself."""
        return _makes_batches(self.x)

    @property
    def packed(self) -> Any:
        """What a step of ``fit`` is handed: inputs, targets and weights of rows, as far as there are any."""
        if self.y is None:
            return (self.x,) if isinstance(self.x, tuple) else self.x
        return (self.x, self.y) if self.sample_weight is None else (self.x, self.y, self.sample_weight)

    def batch(self, rows: int = FEW_ROWS) -> tuple[Any, Any, Any]:
        """The first rows, at most so many: inputs, targets and weights of rows, the latter two perhaps None."""
        given: Any = (self.x, self.y, self.sample_weight)
        if self.in_batches:
            first = next(iter(self.x)) if hasattr(self.x, "element_spec") else self.x[0]
            given = (first if isinstance(first, tuple) else (first,)) + (None, None)
        return tuple(mapped(lambda leaf: leaf[:rows], part) for part in given[:3])


@dataclass(frozen=True)
class AddedWeight:
    """One weight of a model that was just built.

    Attributes:
        path: Its path in the model.
        layer: The class of the layer that added it; empty where it was made without ``add_weight``.
        initializer: The initializer that the layer gave to ``add_weight``, as an object; None likewise.
        drawn: Its value as the layer added it; None where that is unknown.
        value: Its initial value, when the model was built.
        trainable: Whether ``fit`` changes it.
        number: Its place among all calls of ``add_weight``, from 0; -1 where it was made without.
    """

    path: str
    layer: str
    initializer: Any
    drawn: Array | None
    value: Array
    trainable: bool
    number: int = -1


@dataclass(frozen=True)
class OwnModel:
    """A model of the user's, as it is: a function that builds it, and one that makes its data.

    Attributes:
        build: ``build()`` or ``build(keras)`` returns a Keras model, compiled or not.
        data: ``data()`` returns what ``fit`` takes; None where there is none.
        options: What else ``compile`` and ``fit`` are given.
    """

    build: Callable[..., Any]
    data: Callable[[], Any] | None = None
    options: TrainingOptions = TrainingOptions()

    def __post_init__(self) -> None:
        """Refuses what cannot be called.

        Raises:
            InitcheckError: ``build`` or ``data`` is no function.
        """
        for name, function in (("build", self.build), ("data", self.data)):
            if (function is not None and not callable(function)) or inspect.iscoroutinefunction(function):
                raise InitcheckError(f"{name} is {described(function)}; give a function, called as {name}()")

    def make_data(self) -> OwnData | None:
        """The data, made anew.

        Raises:
            InitcheckError: ``data()`` failed, or returned something that ``fit`` does not take.
        """
        if self.data is None:
            return None
        with mistakes_in("data()", "fix it"):
            made = self.data()
        return _as_data(made)

    def make_model(
        self, keras: Any, data: OwnData | None, replacing: Mapping[int, Any] = MappingProxyType({})
    ) -> tuple[Any, list[AddedWeight]]:
        """The model, made anew, built and compiled as far as it can be, with its initial weights.

        Args:
            keras: The framework.
            data: Its first rows build a model that does not know the shape of its inputs.
            replacing: Number of a call of ``add_weight`` → the initializer to give it in place of the layer's.

        Raises:
            InitcheckError: ``build()`` failed or returned no Keras model; or it is not built, and there are no data.
        """
        with mistakes_in("build()", "fix it"), added_weights_noted(keras, replacing) as noted:
            model = self.build(keras) if _takes_an_argument(self.build) else self.build()
            self._require_model(keras, model)
            if not model.built:
                if data is None:
                    raise InitcheckError(
                        "build() returns a model that has no weights before its first batch; give data as well "
                        "(--data package.module:data)"
                    )
                model(data.batch()[0], training=False)
        self._compile(model, needed=data is not None)
        return model, [_added(weight, noted) for weight in model.weights]

    def fit(self, model: Any, data: OwnData, *, shuffle: bool, callbacks: Sequence[Any]) -> None:
        """Trains the model on the data.

        Raises:
            InitcheckError: Keras cannot train it.
        """
        given: dict[str, Any] = {"epochs": self.options.epochs, "verbose": 0, "callbacks": [*callbacks]}
        if not data.in_batches:
            given |= {"y": data.y, "sample_weight": data.sample_weight, "batch_size": self.options.batch_size}
        if not hasattr(data.x, "element_spec"):  # a tf.data.Dataset shuffles itself
            given["shuffle"] = shuffle
        with mistakes_in("the model cannot be trained: fit", "fix its loss or the data"):
            model.fit(data.x, **given)

    def _require_model(self, keras: Any, model: Any) -> None:
        if not isinstance(model, keras.Model):
            kind = for_terminal(f"{type(model).__module__}.{type(model).__name__}")
            made = "nothing" if model is None else f"a {kind}"
            raise InitcheckError(f"build() returns {made}, not a Keras model; let it return a keras.Model")

    def _compile(self, model: Any, *, needed: bool) -> None:
        compiled = bool(getattr(model, "compiled", getattr(model, "_is_compiled", False)))
        loss, optimizer, metrics = self.options.loss, self.options.optimizer, list(self.options.metrics)
        if compiled and loss is None and optimizer is None and not metrics:
            return
        if not compiled and loss is None:
            if not needed:
                return
            raise InitcheckError(
                "build() returns a model that is not compiled, and no loss is given; compile it, or name a loss "
                "(--loss mse)"
            )
        with mistakes_in("the model cannot be compiled: compile", "name a loss and an optimizer of Keras"):
            model.compile(
                optimizer=optimizer or (model.optimizer if compiled else ADAM.identifier),
                loss=loss or model.loss,
                **compiled_metrics(model, metrics),
            )


def compiled_metrics(model: Any, more: Sequence[str] = ()) -> dict[str, Any]:
    """The metrics that a model was compiled with, as arguments of ``compile``, and more that are named.

    Neither Keras 2 nor 3 has a public name for them.
    """
    container = getattr(model, "_compile_metrics", None) or getattr(model, "compiled_metrics", None)
    metrics = getattr(container, "_user_metrics", None)
    weighted = getattr(container, "_user_weighted_metrics", None)
    if more and (metrics is None or isinstance(metrics, list | tuple)):
        metrics = [*(metrics or []), *more]
    elif more:
        metrics = list(more)
    return {
        name: value for name, value in (("metrics", metrics), ("weighted_metrics", weighted)) if value not in (None, [])
    }


@contextlib.contextmanager
def mistakes_in(what: str, fix: str) -> Iterator[None]:
    """Runs the user's code: what it raises, and an output that it closes, is a mistake in it.

    Args:
        what: The function, for the message.
        fix: The end of the message: how to fix it.

    Raises:
        InitcheckError: It raised something other than one of ours, or closed an output, which is open again.
    """
    with outputs_kept_open() as closed:
        try:
            yield
        except BaseException as error:  # the user's own code, and Keras's reasons are many
            if not is_mistake(error) or is_out_of_memory(error):
                raise
            raise InitcheckError(f"{what} raises {reason_of(error)}; {fix}") from error
    if closed:
        raise InitcheckError(f"{what} closes standard {closed[0]}; leave it open, as the results are written to it")


def mapped(change: Callable[[Any], Any], structure: Any) -> Any:
    """The structure with each of its leaves changed; None stays."""
    if structure is None:
        return None
    if isinstance(structure, Mapping):
        return {key: mapped(change, value) for key, value in structure.items()}
    if isinstance(structure, list | tuple):
        return type(structure)([mapped(change, value) for value in structure])
    return change(structure)


def leaves_of(structure: Any) -> list[Array]:
    """The arrays of a structure of dicts, lists and tuples, in the order of its keys; texts as arrays of bytes."""
    if structure is None:
        return []
    if isinstance(structure, Mapping):
        return [leaf for key in sorted(structure, key=str) for leaf in leaves_of(structure[key])]
    if isinstance(structure, list | tuple):
        return [leaf for part in structure for leaf in leaves_of(part)]
    array = as_array(structure)
    return [array.astype("S") if array.dtype.kind == "O" else array]


def as_tensors(keras: Any, inputs: Any) -> Any:
    """Inputs as tensors of the framework, as ``predict`` gives them to a model."""
    convert = getattr(getattr(keras, "ops", None), "convert_to_tensor", None) or (lambda leaf: leaf)
    return mapped(
        lambda leaf: leaf if hasattr(leaf, "device") and not isinstance(leaf, np.ndarray) else convert(leaf), inputs
    )


def _makes_batches(x: Any) -> bool:
    names = {kind.__name__ for kind in type(x).__mro__}
    return bool(names & {"DatasetV2", "PyDataset", "Sequence"}) and not isinstance(x, list | tuple)


def _is_part(value: Any) -> bool:
    return _makes_batches(value) or isinstance(value, tuple)


def _as_data(made: Any) -> OwnData:
    """The data that ``data()`` returned.

    Raises:
        InitcheckError: They have none of the forms.
    """
    if isinstance(made, tuple) and len(made) == 2 and all(map(_is_part, made)):
        train, held_out = map(_as_data, made)
        return OwnData(train.x, train.y, train.sample_weight, held_out)
    if _makes_batches(made):
        return OwnData(made)
    if isinstance(made, Mapping) or hasattr(made, "__array__"):
        made = (made,)  # fit(x)
    if not isinstance(made, tuple) or len(made) not in (1, 2, 3):
        raise InitcheckError(f"data() returns {described(made)}; let it return {_FORMS}")
    sizes = set()
    for name, part in zip(("x", "y", "sample_weight"), made, strict=False):
        if _makes_batches(part):
            raise InitcheckError(f"data(): {name} is {described(part)}; let it return {_FORMS}")
        try:
            leaves = leaves_of(part)
        except ValueError as error:  # a list of lists of unequal lengths, for example
            raise InitcheckError(f"data(): {name} is no array ({reason_of(error)}); give arrays") from None
        if not leaves or any(not leaf.ndim for leaf in leaves):
            raise InitcheckError(f"data(): {name} is {described(part)}; give arrays with a row for each example")
        sizes |= {len(leaf) for leaf in leaves}
    if len(sizes) > 1 or sizes == {0}:
        rows = " and ".join(f"{size:,}" for size in sorted(sizes))
        raise InitcheckError(f"data(): the arrays have {rows} rows; give each of them the same rows, one or more")
    return OwnData(*made)


def _takes_an_argument(build: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(build).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(
        one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) for one in parameters
    )


# By id of a variable: itself, so that the id stays its own; its layer's class, initializer, value and number.
Noted = dict[int, tuple[Any, str, Any, Array | None, int]]


@contextlib.contextmanager
def added_weights_noted(keras: Any, replacing: Mapping[int, Any]) -> Iterator[Noted]:
    """Notes each weight that a layer adds, with its initializer; those of some numbers get another one."""
    noted: Noted = {}
    kind = keras.layers.Layer
    add_weight = kind.add_weight

    @functools.wraps(add_weight)
    def noting(layer: Any, *given: Any, **named: Any) -> Any:
        number = len(noted)
        if number in replacing:
            given, named = _with_initializer(given, named, replacing[number])
        weight = add_weight(layer, *given, **named)
        arguments = inspect.signature(add_weight).bind_partial(layer, *given, **named).arguments
        initializer = arguments.get("initializer")
        positional = arguments.get("args", ())  # of Keras 3: shape, initializer, dtype
        if initializer is None and len(positional) > 1:
            initializer = positional[1]
        if initializer is None:
            initializer = "glorot_uniform" if "float" in str(getattr(weight, "dtype", "")) else "zeros"
        drawn: Array | None = None
        with contextlib.suppress(Exception):  # it is initialized later, perhaps, and has no value yet
            drawn = np.array(weight)
        noted[id(weight)] = (weight, type(layer).__name__, keras.initializers.get(initializer), drawn, number)
        return weight

    with replaced(kind, add_weight=noting):
        yield noted


def _with_initializer(
    given: tuple[Any, ...], named: dict[str, Any], initializer: Any
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of ``add_weight`` with that initializer, which has another place in Keras 2 than in Keras 3."""
    place = next((place for place, value in enumerate(given) if _is_initializer(value)), None)
    if place is None:
        return given, {**named, "initializer": initializer}
    return (*given[:place], initializer, *given[place + 1 :]), named


def _is_initializer(value: Any) -> bool:
    """Whether a positional argument of ``add_weight`` is an initializer: an object of such a class, or a function."""
    return callable(value) and not isinstance(value, type)


def _added(weight: Any, noted: Noted) -> AddedWeight:
    _, layer, initializer, drawn, number = noted.get(id(weight), (None, "", None, None, -1))
    return AddedWeight(
        path=for_terminal(str(getattr(weight, "path", weight.name))).removesuffix(":0"),  # of Keras 2
        layer=layer,
        initializer=initializer,
        drawn=drawn,
        value=np.asarray(weight),
        trainable=bool(weight.trainable),
        number=number,
    )
