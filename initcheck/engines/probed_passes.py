"""One pass of a user's model forward and back, over a batch of its data: what each layer returns, and all gradients."""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.catalog.layers.signals import ACTIVATION_LAYERS
from initcheck.digests import digest
from initcheck.engines.model_losses import loss_of
from initcheck.engines.own_models import Array, OwnData, leaves_of, mapped, mistakes_in
from initcheck.engines.replacing import replaced
from initcheck.errors import InitcheckError
from initcheck.frameworks.backend_calls import as_tensor, is_tensor, mean, seen_in_passing
from initcheck.frameworks.differentiation import (
    Outermost,
    Run,
    RunOutcome,
    differentiated,
    gradient_array,
    has_values,
    is_real,
    take_own_step,
    tensors_in,
)
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
    inputs, targets, weights = (_as_tensors(part) for part in (rows.inputs, rows.targets, rows.weights))
    if has_own_step(keras, model):
        return _own_pass(keras, model, (inputs, targets, weights), training=training, layers=layers)
    trainable = list(model.trainable_weights)
    noted: list[_Noted] = []

    def run(inputs: Any, outermost: Outermost) -> RunOutcome:
        noting: Any = _calls_noted(keras, inputs, outermost) if layers else contextlib.nullcontext([])
        with noting as calls:
            outputs = model(inputs, training=training)
            loss = loss_of(model, inputs, targets, outputs, weights, training=training)
        noted.extend(calls)
        return RunOutcome(loss, [call.given for call in noted if call.given is not None], _wanted(outputs, noted))

    with mistakes_in("the model: a step of its training", "fix its call"):
        found = differentiated(model, trainable, inputs, run)
    tensors = [call.given for call in noted if call.given is not None]
    by_tensor = {id(tensor): gradient for tensor, gradient in zip(tensors, found.by_tensors, strict=True)}
    return ModelPass(
        calls=_passes_of(noted, found.values["calls"], inputs, by_tensor),
        gradients=found.by_weights,
        weights=_paths_of(trainable),
        outputs=found.values["outputs"],
    )


def untrained_outputs(model: Any, rows: ProbedRows) -> dict[str, list[int]]:
    """The outputs that the loss does not depend on: name → places of the trainable weights that one comes of.

    They have no loss, or one whose weight is 0.

    Raises:
        InitcheckError: The model cannot be called or differentiated.
    """
    inputs, targets, weights = (_as_tensors(part) for part in (rows.inputs, rows.targets, rows.weights))
    trainable = list(model.trainable_weights)
    names: list[Any] = []

    def by_loss(inputs: Any, _outermost: Outermost) -> RunOutcome:
        outputs = model(inputs, training=True)
        names[:] = list(outputs) if isinstance(outputs, Mapping) else list(getattr(model, "output_names", None) or [])
        return RunOutcome(loss_of(model, inputs, targets, outputs, weights, training=True), _parts_of(outputs), None)

    def one_part(number: int) -> Run:
        def run(inputs: Any, _outermost: Outermost) -> RunOutcome:
            part = _parts_of(model(inputs, training=True))[number]
            return RunOutcome(mean(part) if is_real(part) else None, [], None)

        return run

    with mistakes_in("the model: a step of its training", "fix its call"):
        slopes = differentiated(model, trainable, inputs, by_loss).by_tensors
        found = {}
        for number, slope in enumerate(slopes if len(slopes) > 1 else []):
            if _is_none(slope):
                gradients = differentiated(model, trainable, inputs, one_part(number)).by_weights
                name = names[number] if len(names) == len(slopes) else f"output {number}"
                found[name] = [place for place, one in enumerate(gradients) if not _is_none(one)]
    return found


def _parts_of(outputs: Any) -> list[Any]:
    return list(outputs.values()) if isinstance(outputs, Mapping) else tensors_in(outputs)


def _is_none(gradient: Array | None) -> bool:
    return gradient is None or not np.any(gradient)


def _own_pass(keras: Any, model: Any, batch: tuple[Any, Any, Any], *, training: bool, layers: bool) -> ModelPass:
    """A pass of a model with a step of its own."""
    inputs, targets, weights = batch
    noted: list[_Noted] = []

    def run(inputs: Any, outermost: Outermost) -> RunOutcome:
        with _calls_noted(keras, inputs, outermost) as calls:
            outputs = model(inputs, training=training)
        noted.extend(calls)
        return RunOutcome(None, [], _wanted(outputs, noted))

    values: Any = {"outputs": None, "calls": []}
    if layers:
        # It need not have a call: its step calls its parts.
        with contextlib.suppress(InitcheckError), mistakes_in("the model: a call", "fix its call"):
            values = differentiated(model, [], inputs, run).values
    trainable = list(model.trainable_weights)
    handed: dict[int, Array] = {}
    judged: list[bool] = []
    given = tuple(part for part in (inputs, targets, weights) if part is not None)
    with (
        mistakes_in("the model: its train_step", "fix it"),
        _gradients_noted(keras, handed),
        _loss_noted(keras, judged),
    ):
        take_own_step(model, given if len(given) > 1 else inputs)
    return ModelPass(
        calls=_passes_of(noted, values["calls"], inputs, {}),
        gradients=tuple(_handed(weight, handed) for weight in trainable),
        weights=_paths_of(trainable),
        outputs=values["outputs"],
        judged=bool(judged) and values["outputs"] is not None,
    )


@contextlib.contextmanager
def _gradients_noted(keras: Any, handed: dict[int, Array]) -> Iterator[None]:
    """Notes the gradients that optimizers are handed, by the id of the variable, in place of a step of theirs."""
    kind = keras.optimizers.Optimizer

    def note(gradients: Any, variables: Any) -> None:
        for gradient, variable in zip(gradients, variables, strict=False):
            if gradient is not None:
                handed[id(variable)] = handed.get(id(variable), 0) + gradient_array(gradient)

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


def _as_tensors(structure: Any) -> Any:
    return mapped(lambda leaf: leaf if is_tensor(leaf) else as_tensor(_in_single(leaf)), structure)


def _in_single(leaf: Any) -> Any:
    array = np.asarray(leaf)
    return array.astype(np.float32) if array.dtype == np.float64 else array


@dataclass(eq=False)
class _Noted:
    """One call while it is noted; tensors are kept, so that their ids stay their own.

    Attributes:
        layer: The layer.
        place: Its place among the calls of layers without layers inside.
        given: The first tensor of real numbers that it was given; None where there is none.
        others: All tensors that it was given and returned.
        output: The first tensor that it returned; None likewise.
        parents: The places of the calls that returned what it was given, as far as is known.
        first: The first tensor that it was given, where it is not known to be such a call's or the batch; else None.
        follows: Whether it is taken to come of the latest call, unless ``first`` has the values of the batch.
        leaf: Whether it is of a layer without layers inside.
        gates: Of the values of its gates, those near an end, and all.
    """

    layer: Any
    place: int
    given: Any
    others: list[Any]
    output: Any
    parents: set[int]
    first: Any = None
    follows: bool = False
    leaf: bool = True
    gates: list[tuple[int, int]] = field(default_factory=list)


def _wanted(outputs: Any, noted: Sequence[_Noted]) -> dict[str, Any]:
    """The tensors whose values are asked for: of the model, and of each call what it was given, first and returned."""
    return {"outputs": outputs, "calls": [[call.given, call.first, call.output] for call in noted]}


@contextlib.contextmanager
def _calls_noted(keras: Any, inputs: Any, outermost: Outermost) -> Iterator[list[_Noted]]:
    """Notes each call of a layer without layers inside; what happens inside a recurrent layer is its own.

    Args:
        keras: The framework.
        inputs: What the model is given.
        outermost: Says whether a call is no part of a graph or loop, whose tensors have no values.
    """
    calls: list[_Noted] = []
    leaves: list[_Noted] = []
    open_calls: list[Any] = []
    sources: dict[int, set[int]] = {}
    rows = {id(tensor) for tensor in tensors_in(inputs)}
    kind = keras.layers.Layer
    original = kind.__call__

    def noting(layer: Any, *given: Any, **named: Any) -> Any:
        if not outermost() or any(map(_is_recurrent, open_calls)):
            return original(layer, *given, **named)
        open_calls.append(layer)
        before = len(calls)
        gates: list[tuple[int, int]] = []
        try:
            with _gates_noted(layer, gates):
                output = original(layer, *given, **named)
        finally:
            open_calls.pop()
        returned = _tensors(output)
        inside = {call.place for call in calls[before:] if call.leaf}
        if inside and not _is_recurrent(layer):
            last = {max(inside)}
            for tensor in returned:
                sources.setdefault(id(tensor), last)
            calls.append(_Noted(layer, -1, None, returned, output, set(), leaf=False))
            return output
        taken = _tensors([list(given), dict(named)])
        known = [sources[id(tensor)] for tensor in taken if id(tensor) in sources]
        place = len(leaves)
        parents: set[int] = set().union(*known)
        call = _Noted(
            layer,
            place,
            given=next(filter(is_real, taken), None),
            others=[*taken, *returned],
            output=returned[0] if returned else None,
            parents=parents,
            first=None if known or not taken or id(taken[0]) in rows else taken[0],
            follows=bool(leaves) and not known and (not taken or id(taken[0]) not in rows),
            gates=gates,
        )
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

    def count(array: Array) -> None:
        gates.append((int(np.count_nonzero((array < low) | (array > high))), array.size))

    def noting(function: Any) -> Any:
        def activate(sums: Any) -> Any:
            values = function(sums)
            with contextlib.suppress(Exception):  # within a graph of TensorFlow there is nothing to see
                seen_in_passing(count, values)
            return values

        return activate

    with contextlib.ExitStack() as stack:
        for one in getattr(cell, "cells", [cell]):
            if callable(function := getattr(one, "recurrent_activation", None)):
                stack.enter_context(replaced(one, recurrent_activation=noting(function)))
        yield


def _is_recurrent(layer: Any) -> bool:
    return getattr(layer, "cell", None) is not None


def _tensors(structure: Any) -> list[Any]:
    return [leaf for leaf in tensors_in(structure) if has_values(leaf)]


def _passes_of(
    noted: Sequence[_Noted], values: Sequence[Any], inputs: Any, gradients: Mapping[int, Array | None]
) -> tuple[LayerPass, ...]:
    """The calls with the values of their tensors, and the gradients by the ids of these."""
    shared = collections.Counter(id(call.given) for call in noted if call.given is not None)
    rows = leaves_of(inputs)
    return tuple(
        _seen(
            call,
            (given, output),
            gradients.get(id(call.given)),
            _parents(call, first, rows),
            alone=bool(gradients) and shared[id(call.given)] == 1,
        )
        for call, (given, first, output) in zip(noted, values, strict=True)
    )


def _parents(call: _Noted, first: Array | None, rows: Sequence[Array]) -> tuple[int, ...]:
    """The calls that it comes of: what an operation that is no layer returned is taken to come of the latest.

    Args:
        call: The call.
        first: The values of its ``first``.
        rows: The batch, which it may be given as another tensor of the same values.
    """
    is_batch = first is not None and any(first.shape == row.shape and np.array_equal(first, row) for row in rows)
    return (call.place - 1,) if call.follows and not is_batch else tuple(sorted(call.parents))


def _seen(
    call: _Noted,
    values: tuple[Array | None, Array | None],
    gradient: Array | None,
    parents: tuple[int, ...],
    *,
    alone: bool,
) -> LayerPass:
    layer = call.layer
    given = None if values[0] is None else values[0].astype(np.float64)
    output = np.zeros((0, 0)) if values[1] is None else values[1].astype(np.float32)
    activation = _activation(layer)
    low, high = ENDS.get(activation, (np.nan, np.nan))
    kernels = [weight for weight in layer.trainable_weights if len(weight.shape) >= 2]
    return LayerPass(
        name=for_terminal(str(getattr(layer, "path", "") or layer.name)),
        kind=type(layer).__name__,
        activation=activation,
        weighted=bool(kernels),
        recurrent=_is_recurrent(layer),
        parents=parents,
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
