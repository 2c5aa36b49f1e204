"""One member's steps on JAX or torch, as functions of its state that the backend's ``vmap`` can take."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from initcheck.engines.member_blocks import Order
from initcheck.engines.own_models import OwnData, mistakes_in
from initcheck.engines.stateless_steps import Array, MemberState, closed_scope, first_value, put_probe

Rows = tuple[Any, ...]  # x and y, and sample_weight if given: structures of tensors with a row for each example


class MemberMap(Protocol):
    """The steps of ``fit`` and ``evaluate`` over the states of many members.

    Attributes:
        words: How they are mapped.
        steps: Those of one member.
        size: The bytes of all values of a step of one member, were none freed before its end.
    """

    words: str
    steps: ScopedSteps
    size: int

    def train(self, state: MemberState, rows: Rows, order: Order) -> MemberState:
        """The stacked state after an epoch of training on the rows in that order."""

    def test(self, state: MemberState, rows: Rows, order: Order) -> MemberState:
        """The stacked state after an evaluation."""

    def results(self, state: MemberState) -> dict[str, Any]:
        """The loss and every metric, by the names that ``fit`` reports, each of shape ``(members,)``."""

    def finish(self, state: MemberState) -> MemberState:
        """The state after the last epoch: an optimizer that averages weights puts the averages in their place."""

    def require_stackable(self, state: MemberState, rows: Rows, order: Order) -> None:
        """Raises where an epoch cannot be run for many members.

        Raises:
            UnsuitableError: It cannot; the reason is a clause.
        """


class ScopedSteps:
    """What both backends do in a ``keras.StatelessScope``: what is reported, and the end.

    Args:
        keras: The framework.
        model: The model, built and compiled; its optimizer is built, and an evaluation of a few rows builds its loss
            and metrics.
        data: Rows.
        batch_size: Rows of a step.

    Attributes:
        variables: What a state holds the values of; ``slots`` are all of the optimizer's.
        slots: The optimizer's initial values: an array, or the place of the trainable weight that it begins as.
    """

    def __init__(self, keras: Any, model: Any, data: OwnData, batch_size: int) -> None:
        self._keras = keras
        self._model = model
        optimizer, trainable = model.optimizer, list(model.trainable_variables)
        probe = None if optimizer.built else put_probe(trainable)
        optimizer.build(trainable)  # which evaluate would
        x, y, sample_weight = data.batch(batch_size)
        with mistakes_in("the model cannot be evaluated: evaluate", "fix its loss or the data"):
            model.evaluate(x, y, sample_weight=sample_weight, batch_size=batch_size, verbose=0)
        model.reset_metrics()
        slots = list(optimizer.variables)
        self._scope_kind = closed_scope(keras, type(optimizer.iterations))
        self.variables = MemberState(
            trainable, list(model.non_trainable_variables), list(model.metrics_variables), slots
        )
        self.slots = [first_value(np.array(slot.numpy()), probe) for slot in slots]

    def train(self, state: MemberState, batch: Rows) -> MemberState:
        """The state after one training step on a batch."""
        raise NotImplementedError

    def test(self, state: MemberState, batch: Rows) -> MemberState:
        """The state after one step of evaluation."""
        raise NotImplementedError

    def results(self, state: MemberState) -> dict[str, Any]:
        """The loss and every metric, by the names that ``fit`` reports."""
        with self._scope(state):
            return dict(self._model.get_metrics_result())

    def finish(self, state: MemberState) -> MemberState:
        """The state after the last epoch: an optimizer that averages weights puts the averages in their place."""
        with self._scope(state) as scope:
            self._model.optimizer.finalize_variable_values(self._model.trainable_variables)
            return self._current(scope)

    @contextlib.contextmanager
    def _scope(self, state: MemberState) -> Iterator[Any]:
        pairs = [pair for part in zip(self.variables, state, strict=True) for pair in zip(*part, strict=True)]
        self._model._clear_losses()  # which a step before may have left behind
        with self._scope_kind(pairs, collect_losses=True) as scope:
            yield scope

    def _current(self, scope: Any) -> MemberState:
        return MemberState(*([scope.get_current_value(one) for one in part] for part in self.variables))


def batches_by(order: Order, size: int) -> tuple[Array, Array]:
    """The places of the rows of each whole batch, shape ``(batches, size)``, and of a last smaller one."""
    whole = len(order) - len(order) % size
    places = order.astype(np.int64)
    return places[:whole].reshape(-1, size), places[whole:]
