"""One member's training step, as a function of its state: the model's own ``train_step``, run without variables."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from initcheck.engines.initial_weights import UnsuitableError
from initcheck.engines.replacing import replaced
from initcheck.engines.stackable_forms import stackable
from initcheck.texts import for_terminal

Array = npt.NDArray[Any]

_TAKES_SPARSE = "_clip_by_norm"  # of TensorFlow's optimizers: it writes to nothing, and takes an Embedding's gradients


class MemberState(NamedTuple):
    """What a training step changes, each a list of tensors; of many members, stacked along a first axis.

    Attributes:
        trainable: The values of ``model.trainable_variables``.
        other: Those of ``model.non_trainable_variables``: moving statistics, states of seed generators.
        metrics: Those of ``model.metrics_variables``.
        slots: The optimizer's, but for its count of steps and its learning rate, which all members share.
    """

    trainable: list[Any]
    other: list[Any]
    metrics: list[Any]
    slots: list[Any]


class MemberSteps:
    """The steps of ``fit`` and ``evaluate`` as functions from state to state.

    ``train_step``, ``test_step`` and ``get_metrics_result`` of the model itself run, in a ``keras.StatelessScope``: so
    losses, metrics, regularizers, constraints and clipping are those that ``fit`` computes.

    Args:
        keras: The framework.
        model: The model, built and compiled, its metrics built; its optimizer is built.

    Attributes:
        variables: What a state holds the values of.
        count_dtype: The type of the optimizer's count of steps.
        slots: The optimizer's initial values: an array, or the place of the trainable weight that it begins as.
    """

    def __init__(self, keras: Any, model: Any) -> None:
        self._keras = keras
        self._model = model
        optimizer = model.optimizer
        trainable = list(model.trainable_variables)
        probe = None if optimizer.built else put_probe(trainable)
        optimizer.build(trainable)
        shared = {id(optimizer.iterations), id(getattr(optimizer, "_learning_rate", None))}
        self._kind = type(optimizer.iterations)  # keras.Variable is a subclass of it in some versions
        own = {id(one): one for one in [*optimizer.variables, *vars(optimizer).values()] if isinstance(one, self._kind)}
        slots = [one for number, one in own.items() if number not in shared]
        self.variables = MemberState(
            trainable, list(model.non_trainable_variables), list(model.metrics_variables), slots
        )
        self.count_dtype = optimizer.iterations.dtype
        self.slots: list[Array | int] = [first_value(np.array(slot.numpy()), probe) for slot in slots]
        self._keys = {id(one): optimizer._var_key(one) for one in trainable}

    def train(self, state: MemberState, count: Any, batch: tuple[Any, ...]) -> MemberState:
        """The state after one training step on a batch, ``count`` steps having been taken before."""
        with self._scope(state, count) as scope, _stateless(self._model.optimizer, self._keys):
            with _scoped_tapes(self._model.trainable_variables, scope):
                self._model.train_step(batch)
            return self._current(scope)

    def apply(self, state: MemberState, count: Any, gradients: Sequence[Sequence[Any]]) -> list[Any]:
        """The trainable weights after the optimizer's steps by those gradients, ``count`` having been taken before."""
        with self._scope(state, count) as scope, _stateless(self._model.optimizer, self._keys):
            for each in gradients:
                self._model.optimizer.apply(each, self.variables.trainable)
            return self._current(scope).trainable

    def test(self, state: MemberState, batch: tuple[Any, ...]) -> MemberState:
        """The state after one step of evaluation."""
        with self._scope(state) as scope:
            self._model.test_step(batch)
            return self._current(scope)

    def results(self, state: MemberState) -> dict[str, Any]:
        """The loss and every metric, by the names that ``fit`` reports."""
        with self._scope(state):
            results: Mapping[str, Any] = self._model.get_metrics_result()
        return dict(results)

    def finish(self, state: MemberState) -> MemberState:
        """The state after the last epoch: an optimizer that averages weights puts the averages in their place."""
        optimizer = self._model.optimizer
        with self._scope(state) as scope, _stateless(optimizer, self._keys):
            optimizer.finalize_variable_values(self._model.trainable_variables)
            return self._current(scope)

    @contextlib.contextmanager
    def _scope(self, state: MemberState, count: Any = None) -> Iterator[Any]:
        pairs = [pair for part in zip(self.variables, state, strict=True) for pair in zip(*part, strict=True)]
        if count is not None:
            pairs.append((self._model.optimizer.iterations, count))
        self._model._clear_losses()  # which a trace before may have left behind
        with (
            _as_fit_reports(self._model),
            stackable(self._keras, self._model),
            closed_scope(self._keras, self._kind)(pairs, collect_losses=True) as scope,
        ):
            yield scope

    def _current(self, scope: Any) -> MemberState:
        return MemberState(*([scope.get_current_value(one) for one in part] for part in self.variables))


def put_probe(variables: Sequence[Any]) -> list[Array]:
    """Draws values for the variables of a model that is only a layout, and puts them there."""
    stream = np.random.RandomState(0)
    drawn = [stream.uniform(1, 2, tuple(one.shape)).astype(one.numpy().dtype) for one in variables]
    for variable, value in zip(variables, drawn, strict=True):
        variable.assign(value)
    return drawn


def first_value(value: Array, probe: list[Array] | None) -> Array | int:
    """The value, or the place of the probe's array that it is."""
    places = (place for place, one in enumerate(probe or ()) if value.size and np.array_equal(value, one))
    return next(places, value)


def closed_scope(keras: Any, kind: type[Any]) -> Any:
    """A class of stateless scopes that refuse an update of a variable that is not mapped."""

    class ClosedScope(keras.StatelessScope):  # type: ignore[misc] # a class of whichever Keras is loaded
        """Keeps every value as a tensor, so that it does not move with the variable that it was read from."""

        def add_update(self, update: Any) -> None:
            variable, value = update
            if id(variable) not in self.state_mapping:
                name = for_terminal(str(getattr(variable, "path", variable.name)))
                raise UnsuitableError(f"training changes the variable {name!r}, which is none of the model's")
            super().add_update((variable, value.value if isinstance(value, kind) else value))

    return ClosedScope


@contextlib.contextmanager
def _stateless(optimizer: Any, keys: Mapping[int, Any]) -> Iterator[None]:
    """Lets the optimizer step by Keras's code for all backends, which writes to no ``tf.Variable``.

    Args:
        optimizer: The optimizer, built.
        keys: By id of a weight, its key in the optimizer, which Keras reads off the ``tf.Variable``.
    """
    kinds = {kind.__name__: kind for kind in type(optimizer).__mro__}
    own, general = kinds["TFOptimizer"], kinds["BaseOptimizer"]
    methods = {
        name: vars(general)[name]
        for name, method in vars(own).items()
        if callable(method) and name in vars(general) and not name.startswith("__") and name != _TAKES_SPARSE
    }
    with replaced(own, **{**methods, "_var_key": lambda _, variable: keys.get(id(variable))}):
        yield


@contextlib.contextmanager
def _as_fit_reports(model: Any) -> Iterator[None]:
    """Lets the losses of several outputs be means over batches, as they are in ``fit``.

    Keras weighs them by ``y_pred.shape[0]``, which is None in the batches of unknown size that ``fit`` traces.
    """
    trackers = list(getattr(getattr(model, "_compile_loss", None), "metrics", ()))

    def unweighted(tracker: Any) -> Any:
        return lambda value, sample_weight=None: type(tracker).update_state(tracker, value)

    for tracker in trackers:
        vars(tracker)["update_state"] = unweighted(tracker)
    try:
        yield
    finally:
        for tracker in trackers:
            del vars(tracker)["update_state"]


def _scoped_tapes(variables: Sequence[Any], scope: Any) -> contextlib.AbstractContextManager[None]:
    """Lets ``tf.GradientTape`` take gradients by the values that variables have in that scope, which are tensors."""
    import tensorflow as tf

    class ScopedTape(tf.GradientTape):  # type: ignore[misc] # a class of whichever TensorFlow is loaded
        """Watches the weights' values."""

        def __enter__(self) -> Any:
            entered = super().__enter__()
            self._values = {id(variable): scope.get_current_value(variable) for variable in variables}
            self.watch(list(self._values.values()))
            return entered

        def gradient(self, target: Any, sources: Any, *given: Any, **named: Any) -> Any:
            tensors = tf.nest.map_structure(lambda source: self._values.get(id(source), source), sources)
            return super().gradient(target, tensors, *given, **named)

    return replaced(tf, GradientTape=ScopedTape)
