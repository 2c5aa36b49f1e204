"""One member's training step, as a function of its state: the model's own ``train_step``, run without variables."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from initcheck.engines.pinned_sources import replaced


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
        model: The model, built and compiled, its metrics and its optimizer built.
    """

    def __init__(self, keras: Any, model: Any) -> None:
        self._keras = keras
        self._model = model
        optimizer = model.optimizer
        shared = {id(optimizer.iterations), id(getattr(optimizer, "_learning_rate", None))}
        self._keys = {id(one): optimizer._var_key(one) for one in model.trainable_variables}
        self.count_dtype = optimizer.iterations.dtype
        self.variables = MemberState(
            list(model.trainable_variables),
            list(model.non_trainable_variables),
            list(model.metrics_variables),
            [slot for slot in optimizer.variables if id(slot) not in shared],
        )

    def train(self, state: MemberState, count: Any, batch: tuple[Any, ...]) -> MemberState:
        """The state after one training step on a batch, ``count`` steps having been taken before."""
        with self._scope(state, count) as scope, _stateless(self._model.optimizer, self._keys):
            tape = _tape_of(self._model.trainable_variables, scope)
            with _replaced_tape(tape):
                self._model.train_step(batch)
            return self._current(scope)

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
        with self._keras.StatelessScope(pairs, collect_losses=True) as scope:
            yield scope

    def _current(self, scope: Any) -> MemberState:
        return MemberState(*([scope.get_current_value(one) for one in part] for part in self.variables))


@contextlib.contextmanager
def _stateless(optimizer: Any, keys: Mapping[int, Any]) -> Iterator[None]:
    """Lets the optimizer step by Keras's code for all backends, which writes to no ``tf.Variable``.

    Args:
        optimizer: The optimizer, built.
        keys: By id of a weight, its key in the optimizer, which Keras reads off the ``tf.Variable``.
    """
    kinds = {kind.__name__: kind for kind in type(optimizer).__mro__}
    own, general = (vars(kinds[name]) for name in ("TFOptimizer", "BaseOptimizer"))
    methods = {
        name: general[name].__get__(optimizer)
        for name, method in own.items()
        if callable(method) and name in general and not name.startswith("__")
    }
    methods["_var_key"] = lambda variable: keys.get(id(variable))
    vars(optimizer).update(methods)
    try:
        yield
    finally:
        for name in methods:
            del vars(optimizer)[name]


def _tape_of(variables: Sequence[Any], scope: Any) -> Any:
    """A class of tapes that take gradients by the values that variables have in that scope."""
    import tensorflow as tf

    class ScopedTape(tf.GradientTape):  # type: ignore[misc] # a class of whichever TensorFlow is loaded
        """Watches the members' weights, which are tensors."""

        def __enter__(self) -> Any:
            entered = super().__enter__()
            self._values = {id(variable): scope.get_current_value(variable) for variable in variables}
            self.watch(list(self._values.values()))
            return entered

        def gradient(self, target: Any, sources: Any, *given: Any, **named: Any) -> Any:
            tensors = tf.nest.map_structure(lambda source: self._values.get(id(source), source), sources)
            found = super().gradient(target, tensors, *given, **named)
            # An Embedding's gradient has a row for each lookup; a tensor of all rows can be stacked.
            return [tf.convert_to_tensor(one) if isinstance(one, tf.IndexedSlices) else one for one in found]

    return ScopedTape


def _replaced_tape(tape: Any) -> Any:
    import tensorflow as tf

    return replaced(tf, GradientTape=tape)
