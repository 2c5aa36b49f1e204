"""What every ensemble of models of one's own has: members in blocks, epoch after epoch, and what they report."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from initcheck.engines.own_models import OwnData, leaves_of
from initcheck.engines.stateless_steps import MemberState
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor

Array = npt.NDArray[Any]
Order = npt.NDArray[np.integer[Any]]

_MOST_MEMBERS = 256  # at once
_MOST_BYTES = 2 * 1024**3  # of a step's values, if none were freed before its end


@dataclass(frozen=True)
class TrainedMembers:
    """The trainings of several members.

    Attributes:
        history: By the names of ``fit``'s History, its values, each of shape ``(members, epochs)``.
        variables: The final values of ``model.variables``, each of shape ``(members, *shape)``.
        ends: What ``evaluate`` gives of the final weights on the training rows and on those held out, by name, each of
            shape ``(members,)``; no second part without held-out rows.
    """

    history: dict[str, Array]
    variables: list[Array]
    ends: tuple[dict[str, Array], ...] = ()


def suited_width(size: int) -> int:
    """The members whose steps' values are likely to fit into memory at once, a power of two.

    Args:
        size: The bytes of all values of one member's step.
    """
    return int(min(_MOST_MEMBERS, 2 ** int(np.log2(max(1, _MOST_BYTES // size)))))


class MemberLayout(Protocol):
    """What a member's state is made of.

    Attributes:
        variables: What a state holds the values of.
        slots: The optimizer's initial values: an array, or the place of the trainable weight that it begins as.
    """

    variables: MemberState
    slots: list[Any]


class SideBySide(abc.ABC):
    """Trains members of one model side by side.

    Args:
        data: Training rows, arrays or structures of arrays.
        held_out: Rows that every epoch is evaluated on, in batches of the same size; None for none.
        batch_size: Rows of a step; the last of an epoch has those that are left.
        epochs: Passes over the training rows.
        orders: The rows' order in each epoch, shape ``(epochs, rows)``: the same for all members.
    """

    _width: int
    _model: Any
    _layout: MemberLayout
    _metrics: Sequence[Array]  # before an epoch

    def __init__(self, data: OwnData, held_out: OwnData | None, *, batch_size: int, epochs: int, orders: Order) -> None:
        self._tables = (data,) if held_out is None else (data, held_out)
        self._orders = orders
        self._epochs = epochs
        self._steps_an_epoch: int = -(-orders.shape[1] // batch_size)
        self._traced = 1

    @property
    @abc.abstractmethod
    def words(self) -> str:
        """The engine, and how its steps are run."""

    @abc.abstractmethod
    def require_stackable_steps(self, member: Sequence[Array], members: int) -> None:
        """Traces an epoch of training, so that a step that cannot be stacked shows before one is taken.

        Args:
            member: The initial values of a member's ``model.variables``.
            members: How many there will be.

        Raises:
            UnsuitableError: The backend cannot run a step for many members.
        """

    @property
    def steps(self) -> int:
        """The optimizer's steps of a training."""
        return self._epochs * self._steps_an_epoch

    @property
    def width(self) -> int:
        """The members that are trained at once."""
        return self._width

    def table_sizes(self, *, held_out: bool) -> list[int]:
        """The sizes of the targets, in rows and then in numbers, of the training or the held-out rows."""
        leaves = [leaf for table in self._tables[held_out : held_out + 1] for leaf in leaves_of(table.y)]
        return [*{len(leaf) for leaf in leaves}, *{leaf.size for leaf in leaves}]

    def train(self, members: Sequence[Sequence[Array]], orders: Order | None = None) -> TrainedMembers:
        """Trains each member from its own initial values.

        Args:
            members: For each member the values of ``model.variables``, in their order, as a seeded ``build()`` gives
                them.
            orders: The rows' order in each epoch, if it is another one than that of the engine.

        Raises:
            UnsuitableError: The backend cannot run a step for many members; raised before one is taken.
        """
        width = self._width_of(len(members))
        orders = self._orders if orders is None else orders
        parts = []
        for start in range(0, len(members), width):
            block = list(members[start : start + width])
            parts.append(self._train_block(block + block[-1:] * (width - len(block)), orders))
        count = len(members)
        return TrainedMembers(
            {name: np.concatenate([part.history[name] for part in parts])[:count] for name in parts[0].history},
            [np.concatenate(values)[:count] for values in zip(*(part.variables for part in parts), strict=True)],
            tuple(
                {name: np.concatenate([end[name] for end in ends])[:count] for name in ends[0]}
                for ends in zip(*(part.ends for part in parts), strict=True)
            ),
        )

    def _width_of(self, members: int) -> int:
        """The width of the program for so many: every new one is traced, so fewer than before are filled up."""
        self._traced = max(self._traced, min(self._width, 2 ** int(np.ceil(np.log2(members)))))
        return self._traced

    def _train_block(self, members: Sequence[Sequence[Array]], orders: Order) -> TrainedMembers:
        state = self._first_state(members)
        history: dict[str, list[Array]] = {}
        for epoch in range(self._epochs):
            state = self._train_epoch(state, epoch, orders[epoch])
            reported = dict(self._results(state))
            if len(self._tables) > 1:
                state, results = self._evaluated(state, held_out=True)
                reported |= {f"val_{name}": value for name, value in results.items()}
            for name, value in reported.items():
                history.setdefault(name, []).append(as_array(value))
        finished = self._finished(state)
        ends = [self._evaluated(finished, held_out=bool(place))[1] for place in range(len(self._tables))]
        return TrainedMembers(
            {name: np.stack(each, axis=1) for name, each in history.items()},
            self._variables(finished),
            tuple({name: as_array(value) for name, value in end.items()} for end in ends),
        )

    @abc.abstractmethod
    def _train_epoch(self, state: Any, epoch: int, order: Order) -> Any:
        """The stacked state after that epoch, whose metrics begin anew."""

    @abc.abstractmethod
    def _results(self, state: Any) -> Mapping[str, Any]:
        """The loss and every metric of a state, by the names that ``fit`` reports, each of shape ``(members,)``."""

    @abc.abstractmethod
    def _evaluated(self, state: Any, *, held_out: bool) -> tuple[Any, Mapping[str, Any]]:
        """The state after an evaluation of the training or the held-out rows, and its results."""

    @abc.abstractmethod
    def _finished(self, state: Any) -> Any:
        """The state after the last epoch: an optimizer that averages weights puts the averages in their place."""

    def _first_state(self, members: Sequence[Sequence[Array]]) -> MemberState:
        """The stacked state before the first step, of members with those values of ``model.variables``."""
        stacks = {
            id(variable): as_tensor(np.stack([member[place] for member in members]))
            for place, variable in enumerate(self._model.variables)
        }
        trainable, other = ([stacks[id(variable)] for variable in part] for part in self._layout.variables[:2])
        slots = [
            trainable[first] if isinstance(first, int) else _repeated(first, len(members))
            for first in self._layout.slots
        ]
        return self._reset(MemberState(trainable, other, [], slots))

    def _variables(self, state: MemberState) -> list[Array]:
        """The values of ``model.variables``, each of shape ``(members, *shape)``."""
        values = {
            id(variable): as_array(value)
            for part in zip(self._layout.variables[:2], state[:2], strict=True)
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


def as_rows(keras: Any, data: OwnData) -> tuple[Any, ...]:
    """The rows as tensors, in the forms and float type that ``fit`` turns them into."""

    def converted(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: converted(value) for key, value in part.items()}
        if isinstance(part, list | tuple):
            return tuple(converted(value) for value in part)
        array = np.asarray(part)
        return as_tensor(array.astype(keras.backend.floatx()) if array.dtype.kind == "f" else array)

    return tuple(map(converted, data.packed))
