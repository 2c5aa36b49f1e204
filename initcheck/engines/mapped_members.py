"""The ensemble of a user's own model on JAX and torch: its steps, mapped over the states of many members.

Moving statistics, losses, metrics and optimizers are Keras's own, and each member has its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from initcheck.engines.jax_members import JaxMembers, require_mappable_by_jax
from initcheck.engines.mapped_steps import MemberMap, Rows
from initcheck.engines.member_blocks import Order, SideBySide, suited_width
from initcheck.engines.own_models import OwnData, leaves_of
from initcheck.engines.stateless_steps import Array, MemberState
from initcheck.engines.torch_members import TorchMembers, require_mappable_by_torch
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor


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
        self._rows = [_as_rows(keras, table) for table in self._tables]
        kind = JaxMembers if on_jax else TorchMembers
        self._members: MemberMap = kind(keras, model, other, data, self._rows[0], batch_size)
        self._width = width or suited_width(self._members.size)
        self._metrics = [np.array(one.numpy()) for one in self._members.steps.variables.metrics]

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

    def _first_state(self, members: Sequence[Sequence[Array]]) -> MemberState:
        variables = self._members.steps.variables
        stacks = {
            id(variable): as_tensor(np.stack([member[place] for member in members]))
            for place, variable in enumerate(self._model.variables)
        }
        trainable, other = ([stacks[id(variable)] for variable in part] for part in variables[:2])
        slots = [
            trainable[first] if isinstance(first, int) else _repeated(first, len(members))
            for first in self._members.steps.slots
        ]
        return self._reset(MemberState(trainable, other, [], slots))

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

    def _variables(self, state: MemberState) -> list[Array]:
        values = {
            id(variable): as_array(value)
            for part in zip(self._members.steps.variables[:2], state[:2], strict=True)
            for variable, value in zip(*part, strict=True)
        }
        return [values[id(variable)] for variable in self._model.variables]

    def _reset(self, state: MemberState) -> MemberState:
        """The state with metrics as they are before an epoch."""
        width = state.trainable[0].shape[0]
        return state._replace(metrics=[_repeated(first, width) for first in self._metrics])


def _repeated(value: Array, width: int) -> Any:
    """The value for each of so many members, stacked."""
    return as_tensor(np.repeat(value[None], width, axis=0))


def _as_rows(keras: Any, data: OwnData) -> Rows:
    """The rows as tensors, in the forms and float type that ``fit`` turns them into."""

    def converted(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: converted(value) for key, value in part.items()}
        if isinstance(part, list | tuple):
            return tuple(converted(value) for value in part)
        array = np.asarray(part)
        return as_tensor(array.astype(keras.backend.floatx()) if array.dtype.kind == "f" else array)

    return tuple(map(converted, data.packed))
