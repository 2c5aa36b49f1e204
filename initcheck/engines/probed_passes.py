"""One pass of a user's model forward and back, over a batch of its data: what each layer returns, and all gradients."""

from __future__ import annotations

import collections
import contextlib
import importlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.catalog.layers.signals import ACTIVATION_LAYERS
from initcheck.digests import digest
from initcheck.engines.own_models import Array, OwnData, leaves_of, mapped, mistakes_in
from initcheck.engines.replacing import replaced
from initcheck.errors import InitcheckError
from initcheck.texts import for_terminal

Values = npt.NDArray[np.float64]

MOST_ROWS = 64
_MOST_ELEMENTS = 2_000_000  # of a batch of inputs: fewer rows of images that are large
_LEAST_ROWS = 8
_FEW_ROWS = 2  # fewer cannot differ
RELUS = ("relu", "relu6")
# Beyond these a tanh or a sigmoid passes less than a twentieth of its largest slope.
ENDS = {"tanh": (-0.99, 0.99), "sigmoid": (0.01, 0.99)}


@dataclass(frozen=True, eq=False)
class LayerPass:
    """One call of a layer that has no layers inside, or of a recurrent one.

    Attributes:
        name: The layer's path.
        kind: Its class.
        activation: The name of its activation; empty where it has none.
        weighted: Whether it has a trainable kernel.
        recurrent: Whether it has a cell.
        parents: The places of the calls that returned what it was given, in the order of calls.
        given: The root mean square of what it was given; NaN where that is not of real numbers.
        least: The least value that it was given; likewise.
        spread: The root mean square of what differs there between rows; likewise.
        scale: The root mean square of what it returned.
        shape: The shape of that, ``(rows, …, units)``.
        identity: A digest of it.
        dead: Of relu units, which return 0 for all rows, shape ``(units,)``; empty where it has none.
        saturated: Of sigmoid and tanh, the share of what it returned that lies near an end; NaN where it is neither.
        gradient: The Euclidean norm of the loss's gradient by what it was given; NaN where there is none.
        gates: Of a recurrent layer with gates, the share of their values that lies near an end; NaN of others.
        finite: Whether all that it returned is finite.
        by_step: Of a recurrent layer, that norm by each step that it was given, in the order in which it takes them;
            empty of others, and where another layer is given the same.
    """

    name: str
    kind: str
    activation: str
    weighted: bool
    recurrent: bool
    parents: tuple[int, ...]
    given: float
    least: float
    spread: float
    scale: float
    shape: tuple[int, ...]
    identity: str
    dead: npt.NDArray[np.bool_]
    saturated: float
    gradient: float
    gates: float = np.nan
    finite: bool = True
    by_step: Values = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, eq=False)
class ModelPass:
    """One pass over a batch.

    Attributes:
        calls: The calls of layers, in their order.
        gradients: The gradient by each trainable weight; None where no path leads from the loss to it.
        weights: The paths of these weights.
        outputs: What the model returned, as it did; None where it cannot be called.
        judged: Whether its loss is the compiled one, of those outputs.
    """

    calls: tuple[LayerPass, ...]
    gradients: tuple[Array | None, ...]
    weights: tuple[str, ...]
    outputs: Any
    judged: bool = True


@dataclass(frozen=True)
class ProbedRows:
    """A batch: inputs, targets and weights of rows, the latter two perhaps None."""

    inputs: Any
    targets: Any
    weights: Any

    @property
    def size(self) -> int:
        """The number of rows."""
        return min((len(leaf) for leaf in leaves_of(self.inputs) if leaf.ndim), default=0)

    def scaled(self, factor: float) -> ProbedRows:
        """The same with inputs multiplied by that; whole numbers become real ones."""
        return ProbedRows(
            mapped(lambda leaf: (factor * np.asarray(leaf)).astype(np.float32), self.inputs), self.targets, self.weights
        )


def evenly_spread(count: int, most: int) -> npt.NDArray[np.int64]:
    """The places of at most so many rows, spread evenly over all of them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def rows_of(data: OwnData) -> ProbedRows:
    """Rows spread evenly over the data, as they may be sorted; of a dataset, the first of its first batch."""
    if data.in_batches:
        return ProbedRows(*data.batch(_rows(data.batch(1)[0])))
    leaves = leaves_of(data.x)
    count = len(leaves[0])
    places = evenly_spread(count, _rows([leaf[:1] for leaf in leaves]))
    return ProbedRows(*(mapped(lambda leaf: np.asarray(leaf)[places], part) for part in _parts(data)))


def _rows(row: Any) -> int:
    elements = sum(leaf.size for leaf in leaves_of(row))
    return min(MOST_ROWS, max(_LEAST_ROWS, _MOST_ELEMENTS // max(1, elements)))


def has_own_step(keras: Any, model: Any) -> bool:
    """Whether the model's ``train_step`` is its own, so that its gradients are those that it hands its optimizers."""
    return getattr(type(model), "train_step", None) is not getattr(keras.Model, "train_step", None)


def pass_through(keras: Any, model: Any, rows: ProbedRows, *, training: bool = True, layers: bool = True) -> ModelPass:
    """The model called on those rows as a step of ``fit`` does, and its loss differentiated.

    Of a model with a ``train_step`` of its own, the gradients are those that it hands its optimizers, which do nothing
    with them; by what its layers are given there are none.

    Args:
        keras: The framework.
        model: The compiled model; statistics that its layers keep are moved.
        rows: The batch.
        training: Whether layers take their training path.
        layers: Whether to note the calls of layers.

    Raises:
        InitcheckError: The model cannot be called or differentiated.
    """
    tf: Any = importlib.import_module("tensorflow")
    inputs, targets, weights = (_as_tensors(tf, part) for part in (rows.inputs, rows.targets, rows.weights))
    if has_own_step(keras, model):
        return _own_pass(tf, keras, model, (inputs, targets, weights), training=training, layers=layers)
    trainable = list(model.trainable_weights)
    noting: Any = _calls_noted(tf, keras, inputs) if layers else contextlib.nullcontext([])
    with mistakes_in("the model: a step of its training", "fix its call"):
        with tf.GradientTape() as tape, noting as noted:
            for leaf in tf.nest.flatten(inputs):
                if leaf.dtype.is_floating:
                    tape.watch(leaf)
            outputs = model(inputs, training=training)
            loss = _loss(tf, model, inputs, targets, outputs, weights, training)
        tensors = [call.given for call in noted if call.given is not None]
        found = tape.gradient(loss, [*trainable, *tensors])
    gradients = tuple(map(_as_array, found[: len(trainable)]))
    by_tensor = {
        id(tensor): _as_array(gradient) for tensor, gradient in zip(tensors, found[len(trainable) :], strict=True)
    }
    places = {call.place: number for number, call in enumerate(noted)}
    shared = collections.Counter(map(id, tensors))
    return ModelPass(
        calls=tuple(_seen(call, by_tensor, places, alone=shared[id(call.given)] == 1) for call in noted),
        gradients=gradients,
        weights=_paths_of(trainable),
        outputs=mapped(np.asarray, outputs),
    )


def untrained_outputs(model: Any, rows: ProbedRows) -> dict[str, list[int]]:
    """The outputs that the loss does not depend on: name → places of the trainable weights that one comes of.

    They have no loss, or one whose weight is 0.

    Raises:
        InitcheckError: The model cannot be called or differentiated.
    """
    tf: Any = importlib.import_module("tensorflow")
    inputs, targets, weights = (_as_tensors(tf, part) for part in (rows.inputs, rows.targets, rows.weights))
    trainable = list(model.trainable_weights)
    with mistakes_in("the model: a step of its training", "fix its call"):
        with tf.GradientTape(persistent=True) as tape:
            outputs = model(inputs, training=True)
            loss = _loss(tf, model, inputs, targets, outputs, weights, True)
        names = list(outputs) if isinstance(outputs, Mapping) else list(getattr(model, "output_names", None) or [])
        parts = list(outputs.values()) if isinstance(outputs, Mapping) else tf.nest.flatten(outputs)
        found = {}
        for number, part in enumerate(parts if len(parts) > 1 else []):
            if _is_none(tape.gradient(loss, part)):
                gradients = tape.gradient(part, trainable)
                name = names[number] if len(names) == len(parts) else f"output {number}"
                found[name] = [place for place, one in enumerate(gradients) if not _is_none(one)]
    return found


def _is_none(gradient: Any) -> bool:
    array = _as_array(gradient)
    return array is None or not np.any(array)


def _own_pass(
    tf: Any, keras: Any, model: Any, batch: tuple[Any, Any, Any], *, training: bool, layers: bool
) -> ModelPass:
    """A pass of a model with a step of its own."""
    inputs, targets, weights = batch
    noted: list[_Noted] = []
    outputs = None
    if layers:
        # It need not have a call: its step calls its parts.
        with (
            contextlib.suppress(InitcheckError),
            mistakes_in("the model: a call", "fix its call"),
            _calls_noted(tf, keras, inputs) as noted,
        ):
            outputs = model(inputs, training=training)
    trainable = list(model.trainable_weights)
    handed: dict[int, Array] = {}
    judged: list[bool] = []
    given = tuple(part for part in (inputs, targets, weights) if part is not None)
    with (
        mistakes_in("the model: its train_step", "fix it"),
        _gradients_noted(keras, handed),
        _loss_noted(keras, judged),
    ):
        model.train_step(given if len(given) > 1 else inputs)
    places = {call.place: number for number, call in enumerate(noted)}
    return ModelPass(
        calls=tuple(_seen(call, {}, places, alone=False) for call in noted),
        gradients=tuple(_handed(weight, handed) for weight in trainable),
        weights=_paths_of(trainable),
        outputs=mapped(np.asarray, outputs),
        judged=bool(judged) and outputs is not None,
    )


@contextlib.contextmanager
def _gradients_noted(keras: Any, handed: dict[int, Array]) -> Iterator[None]:
    """Notes the gradients that optimizers are handed, by the id of the variable, in place of a step of theirs."""
    kind = keras.optimizers.Optimizer

    def note(gradients: Any, variables: Any) -> None:
        for gradient, variable in zip(gradients, variables, strict=False):
            if gradient is not None:
                array = _as_array(gradient)
                assert array is not None
                handed[id(variable)] = handed.get(id(variable), 0) + array

    def apply(self: Any, grads: Any, trainable_variables: Any = None) -> None:
        note(grads, self._trainable_variables if trainable_variables is None else trainable_variables)

    def apply_gradients(_self: Any, grads_and_vars: Any, *_given: Any, **_named: Any) -> None:
        note(*zip(*grads_and_vars, strict=True))

    new = {"apply": apply} if hasattr(kind, "apply") else {"apply_gradients": apply_gradients}  # the latter of Keras 2
    with replaced(kind, **new):
        yield


@contextlib.contextmanager
def _loss_noted(keras: Any, judged: list[bool]) -> Iterator[None]:
    compute_loss = keras.Model.compute_loss

    def noting(model: Any, *given: Any, **named: Any) -> Any:
        judged.append(True)
        return compute_loss(model, *given, **named)

    with replaced(keras.Model, compute_loss=noting):
        yield


def _handed(weight: Any, handed: dict[int, Array]) -> Array | None:
    """The gradient of that weight, which a step may know as Keras's variable or as TensorFlow's."""
    return handed.get(id(weight), handed.get(id(getattr(weight, "value", None))))


def _paths_of(weights: Sequence[Any]) -> tuple[str, ...]:
    return tuple(for_terminal(str(getattr(weight, "path", weight.name))) for weight in weights)


def _parts(data: OwnData) -> tuple[Any, Any, Any]:
    return data.x, data.y, data.sample_weight


def _as_tensors(tf: Any, structure: Any) -> Any:
    return mapped(lambda leaf: leaf if tf.is_tensor(leaf) else tf.convert_to_tensor(_in_single(leaf)), structure)


def _in_single(leaf: Any) -> Any:
    array = np.asarray(leaf)
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _loss(tf: Any, model: Any, x: Any, y: Any, outputs: Any, weights: Any, training: bool) -> Any:
    named = {"x": x, "y": y, "y_pred": outputs, "sample_weight": weights, "training": training}
    takes = inspect.signature(model.compute_loss).parameters
    if not any(one.kind is one.VAR_KEYWORD for one in takes.values()):
        named = {name: value for name, value in named.items() if name in takes}
    loss = model.compute_loss(**named)
    if loss is None:
        raise InitcheckError("the model has no loss; compile it with one")
    return tf.convert_to_tensor(loss)


@dataclass(eq=False)
class _Noted:
    """One call while it is noted; tensors are kept, so that their ids stay their own."""

    layer: Any
    place: int
    given: Any
    others: list[Any]
    output: Any
    parents: set[int]
    leaf: bool = True
    gates: list[tuple[int, int]] = field(default_factory=list)  # near an end, and all


@contextlib.contextmanager
def _calls_noted(tf: Any, keras: Any, inputs: Any) -> Iterator[list[_Noted]]:
    """Notes each call of a layer without layers inside; what happens inside a recurrent layer is its own."""
    calls: list[_Noted] = []
    leaves: list[_Noted] = []
    open_calls: list[Any] = []
    sources: dict[int, set[int]] = {}
    given_rows = _tensors(tf, inputs)
    kind = keras.layers.Layer
    original = kind.__call__

    def noting(layer: Any, *given: Any, **named: Any) -> Any:
        if not tf.executing_eagerly() or any(map(_is_recurrent, open_calls)):
            return original(layer, *given, **named)
        open_calls.append(layer)
        before = len(calls)
        gates: list[tuple[int, int]] = []
        try:
            with _gates_noted(layer, gates):
                output = original(layer, *given, **named)
        finally:
            open_calls.pop()
        returned = _tensors(tf, output)
        inside = {call.place for call in calls[before:] if call.leaf}
        if inside and not _is_recurrent(layer):
            last = {max(inside)}
            for tensor in returned:
                sources.setdefault(id(tensor), last)
            calls.append(_Noted(layer, -1, None, returned, output, set(), leaf=False))
            return output
        taken = _tensors(tf, [list(given), dict(named)])
        known = [sources[id(tensor)] for tensor in taken if id(tensor) in sources]
        place = len(leaves)
        parents: set[int] = set().union(*known)
        if not known and leaves and not _is_given(taken, given_rows):
            parents = {place - 1}  # what comes of an operation that is no layer is taken to come of the latest call
        real = next((one for one in taken if one.dtype.is_floating), None)
        kept = [*taken, *returned]
        call = _Noted(layer, place, real, kept, returned[0] if returned else None, parents, gates=gates)
        calls.append(call)
        leaves.append(call)
        for tensor in returned:
            if all(tensor is not one for one in taken):  # a layer that passes on what it was given
                sources[id(tensor)] = {place}
        return output

    with replaced(kind, __call__=noting):
        yield leaves


@contextlib.contextmanager
def _gates_noted(layer: Any, gates: list[tuple[int, int]]) -> Iterator[None]:
    """Notes of each value of a recurrent layer's gates whether it lies near an end."""
    cell = getattr(layer, "cell", None)
    low, high = ENDS["sigmoid"]

    def noting(function: Any) -> Any:
        def activate(sums: Any) -> Any:
            values = function(sums)
            with contextlib.suppress(Exception):  # within a graph there is nothing to see
                array = np.asarray(values)
                gates.append((int(np.count_nonzero((array < low) | (array > high))), array.size))
            return values

        return activate

    with contextlib.ExitStack() as stack:
        for one in getattr(cell, "cells", [cell]):
            if callable(function := getattr(one, "recurrent_activation", None)):
                stack.enter_context(replaced(one, recurrent_activation=noting(function)))
        yield


def _is_given(taken: Sequence[Any], rows: Sequence[Any]) -> bool:
    """Whether a layer was given the batch itself, perhaps as another tensor of the same values."""
    return bool(taken) and any(
        taken[0].shape == row.shape and np.array_equal(np.asarray(taken[0]), np.asarray(row)) for row in rows
    )


def _is_recurrent(layer: Any) -> bool:
    return getattr(layer, "cell", None) is not None


def _tensors(tf: Any, structure: Any) -> list[Any]:
    return [leaf for leaf in tf.nest.flatten(structure) if tf.is_tensor(leaf) and hasattr(leaf, "numpy")]


def _seen(call: _Noted, gradients: dict[int, Array | None], places: dict[int, int], *, alone: bool) -> LayerPass:
    layer = call.layer
    gradient = gradients.get(id(call.given))
    given = None if call.given is None else np.asarray(call.given, np.float64)
    output = np.zeros((0, 0)) if call.output is None else np.asarray(call.output).astype(np.float32)
    activation = _activation(layer)
    low, high = ENDS.get(activation, (np.nan, np.nan))
    kernels = [weight for weight in layer.trainable_weights if len(weight.shape) >= 2]
    return LayerPass(
        name=for_terminal(str(getattr(layer, "path", "") or layer.name)),
        kind=type(layer).__name__,
        activation=activation,
        weighted=bool(kernels),
        recurrent=_is_recurrent(layer),
        parents=tuple(sorted(places[one] for one in call.parents if one in places)),
        given=np.nan if given is None else _scale(given),
        least=np.nan if given is None else float(given.min(initial=np.inf)),
        spread=np.nan if given is None or given.shape[:1] < (_FEW_ROWS,) else _scale(given - given.mean(axis=0)),
        scale=_scale(output),
        shape=output.shape,
        identity=digest([output]),
        dead=np.all(output.reshape(-1, output.shape[-1]) <= 0, axis=0)
        if activation in RELUS
        else np.zeros(0, np.bool_),
        saturated=float(np.mean((output < low) | (output > high))),
        gradient=np.nan if gradient is None else float(np.linalg.norm(np.ravel(gradient).astype(np.float64))),
        gates=sum(near for near, _ in call.gates) / max(1, sum(count for _, count in call.gates))
        if call.gates
        else np.nan,
        finite=bool(np.isfinite(output).all()),
        by_step=_by_step(layer, gradient) if alone and _is_recurrent(layer) else np.zeros(0),
    )


def _by_step(layer: Any, gradient: Array | None) -> Values:
    """The norm of a gradient of shape ``(rows, steps, …)`` by each step, in the order in which the layer takes them."""
    if gradient is None or gradient.ndim < 3 or getattr(layer, "time_major", False):
        return np.zeros(0)
    steps = np.moveaxis(gradient.astype(np.float64), 1, 0)
    norms: Values = np.sqrt(np.square(steps.reshape(len(steps), -1)).sum(axis=1))
    return norms[::-1] if getattr(layer, "go_backwards", False) else norms


def _scale(values: Array) -> float:
    return float(np.sqrt(np.mean(np.square(values)))) if values.size else float("nan")


def _activation(layer: Any) -> str:
    function = getattr(layer, "activation", None)
    name = getattr(function, "__name__", "") or type(function).__name__
    return ACTIVATION_LAYERS.get(type(layer).__name__, "") if function is None else str(name)


def _as_array(gradient: Any) -> Array | None:
    if gradient is None:
        return None
    tf: Any = importlib.import_module("tensorflow")
    return np.asarray(tf.convert_to_tensor(gradient))
