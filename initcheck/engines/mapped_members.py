"""The ensemble of a user's own model on JAX and torch: its steps, mapped over the states of many members.

Moving statistics, losses, metrics and optimizers are Keras's own, and each member has its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from initcheck.engines.jax_members import JaxMembers, require_mappable_by_jax
from initcheck.engines.mapped_steps import MemberMap
from initcheck.engines.member_blocks import Order, SideBySide, as_rows, suited_width
from initcheck.engines.own_models import OwnData, leaves_of
from initcheck.engines.stateless_steps import Array, MemberState
from initcheck.engines.torch_members import TorchMembers, require_mappable_by_torch


class MappedEnsemble(SideBySide):
    """Trains members of one model side by side.

    Args:
        keras: The framework, on JAX or torch.
        model: The model, built and compiled: its variables give the layout of a member. Their values are lost.
        data: Training rows, arrays or structures of arrays.
        held_out: Rows that every epoch is evaluated on, in batches of the same size; None for none.
        batch_size: Rows of a step; the last of an epoch has those that are left.
        epochs: Passes over the training rows.
        orders: The rows' order in each epoch, shape ``(epochs, rows)``: the same for all members.
        other: Another seed's build of the model, to see whether seeds decide more than its variables; None for none.
        width: Members trained at once; by default as many as memory is likely to hold, at most 256.

    Raises:
        UnsuitableError: The engine cannot match ``fit``; the text says why, as a clause.
        InitcheckError: Keras cannot evaluate the model on the data.
    """

    def __init__(
        self,
        keras: Any,
        model: Any,
        data: OwnData,
        held_out: OwnData | None,
        *,
        batch_size: int,
        epochs: int,
        orders: Order,
        other: Any = None,
        width: int | None = None,
    ) -> None:
        on_jax = keras.backend.backend() == "jax"
        (require_mappable_by_jax if on_jax else require_mappable_by_torch)(keras, model, data, held_out)
        super().__init__(data, held_out, batch_size=batch_size, epochs=epochs, orders=orders)
        self._model = model
        self._rows = [as_rows(keras, table) for table in self._tables]
        kind = JaxMembers if on_jax else TorchMembers
        self._members: MemberMap = kind(keras, model, other, data, self._rows[0], batch_size)
        self._width = width or suited_width(self._members.size)
        self._layout = self._members.steps
        self._metrics = [np.array(one.numpy()) for one in self._layout.variables.metrics]

    @property
    def words(self) -> str:
        """The engine, and how its steps are run."""
        return f"stateless ensemble engine, {self._width} members at once {self._members.words}"

    def require_stackable_steps(self, member: Sequence[Array], members: int) -> None:
        """Runs or traces an epoch, so that a step that cannot be stacked shows before one is taken.

        Args:
            member: The initial values of a member's ``model.variables``.
            members: How many there will be.

        Raises:
            UnsuitableError: The backend cannot run a step for many members.
        """
        state = self._first_state([member] * self._width_of(members))
        self._members.require_stackable(state, self._rows[0], self._orders[0])

    def _train_epoch(self, state: MemberState, _epoch: int, order: Order) -> MemberState:
        return self._members.train(self._reset(state), self._rows[0], order)

    def _results(self, state: MemberState) -> dict[str, Any]:
        return self._members.results(state)

    def _evaluated(self, state: MemberState, *, held_out: bool) -> tuple[MemberState, dict[str, Any]]:
        order = np.arange(len(leaves_of(self._tables[held_out].y)[0]))
        after = self._members.test(self._reset(state), self._rows[held_out], order)
        return after, self._results(after)

    def _finished(self, state: MemberState) -> MemberState:
        return self._members.finish(state)
