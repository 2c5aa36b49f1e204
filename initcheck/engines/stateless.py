"""The stateless ensemble: many members of any Keras 3 model, trained side by side by the model's own steps.

A member's state is a list of tensors, and ``tf.vectorized_map`` runs the model's ``train_step`` over those of all members
(``keras.StatelessScope``): dropout, moving statistics, recurrent cells, attention, losses, metrics and optimizers are
Keras's own, each member's noise and statistics its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.engines.initial_weights import UnsuitableError
from initcheck.engines.own_models import OwnData, mistakes_in
from initcheck.engines.stateless_limits import require_pure, require_same_steps, require_stateless
from initcheck.engines.stateless_program import Rows, StackedProgram
from initcheck.engines.stateless_steps import MemberState, MemberSteps

Array = npt.NDArray[Any]

_WIDTH = 256


@dataclass(frozen=True)
class TrainedMembers:
    """The trainings of several members.

    Attributes:
        history: By the names of ``fit``'s History, its values, each of shape ``(members, epochs)``.
        variables: The final values of ``model.variables``, each of shape ``(members, *shape)``.
    """

    history: dict[str, Array]
    variables: list[Array]


class StatelessEnsemble:
    """Trains members of one model side by side.

    Args:
        keras: The framework.
        model: The model, built and compiled: its variables give the layout of a member. Its metrics are reset.
        data: Training rows, arrays or structures of arrays.
        held_out: Rows that every epoch is evaluated on; None for none.
        batch_size: Rows of a step, in training and evaluation.
        epochs: Passes over the training rows.
        orders: The rows' order in each epoch, shape ``(epochs, rows)``: the same for all members.
        width: Members trained at once.

    Raises:
        UnsuitableError: The engine cannot match ``fit``; the text says why, as a clause.
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
        orders: npt.NDArray[np.integer[Any]],
        width: int = _WIDTH,
    ) -> None:
        import tensorflow as tf

        require_stateless(keras, model, data, held_out)
        self._model = model
        self._rows = _as_rows(keras, data)
        self._held_out = _as_rows(keras, held_out) if held_out is not None else None
        self._orders = orders
        self._epochs = epochs
        self._width = width
        batch = tf.nest.map_structure(lambda rows: rows[:batch_size], self._rows)
        with mistakes_in("the model cannot be evaluated: test_on_batch", "fix its loss or the data"):
            model.test_on_batch(*batch)  # which builds metrics and loss
        model.reset_metrics()
        self._steps = MemberSteps(keras, model)
        require_same_steps(model, self._steps)
        require_pure(self._steps, batch)
        self._batches = -(-orders.shape[1] // batch_size)
        self._metrics = [np.array(one.numpy()) for one in self._steps.variables.metrics]
        self._program = StackedProgram(self._steps, batch_size=batch_size, compiled=False)

    @property
    def words(self) -> str:
        """The engine in words, with how its steps are run."""
        return "stateless ensemble engine"

    def train(self, members: Sequence[Sequence[Array]]) -> TrainedMembers:
        """Trains each member from its own initial values.

        Args:
            members: For each member the values of ``model.variables``, in their order.
        """
        parts = [
            self._train_block(members[start : start + self._width]) for start in range(0, len(members), self._width)
        ]
        return TrainedMembers(
            {name: np.concatenate([part.history[name] for part in parts]) for name in parts[0].history},
            [np.concatenate(values) for values in zip(*(part.variables for part in parts), strict=True)],
        )

    def _train_block(self, members: Sequence[Sequence[Array]]) -> TrainedMembers:
        import tensorflow as tf

        state = self._first_state(members)
        history: dict[str, list[Array]] = {}
        first_count = int(self._model.optimizer.iterations.numpy())
        for epoch in range(self._epochs):
            count = tf.constant(first_count + epoch * self._batches, self._steps.count_dtype)
            order = tf.constant(self._orders[epoch], tf.int32)
            state = self._program.train(self._reset(state), count, self._rows, order)
            reported = dict(self._program.results(state))
            if self._held_out is not None:
                rows = tf.nest.flatten(self._held_out)[0].shape[0]
                state = self._program.evaluate(self._reset(state), self._held_out, tf.range(rows))
                reported |= {f"val_{name}": value for name, value in self._program.results(state).items()}
            for name, value in reported.items():
                history.setdefault(name, []).append(np.asarray(value))
        state = self._program.finish(state)
        places = {id(one): value for part in zip(self._steps.variables, state, strict=True) for one, value in zip(*part, strict=True)}
        return TrainedMembers(
            {name: np.stack(values, axis=1) for name, values in history.items()},
            [np.asarray(places[id(one)]) for one in self._model.variables],
        )

    def _first_state(self, members: Sequence[Sequence[Array]]) -> MemberState:
        import tensorflow as tf

        stacks = {
            id(one): np.stack([member[place] for member in members])
            for place, one in enumerate(self._model.variables)
        }
        trainable, other = (
            [tf.constant(stacks[id(one)]) for one in part]
            for part in (self._steps.variables.trainable, self._steps.variables.other)
        )
        slots = [
            trainable[first] if isinstance(first, int) else _repeated(first, len(members))
            for first in self._steps.slots
        ]
        return MemberState(trainable, other, [_repeated(first, len(members)) for first in self._metrics], slots)

    def _reset(self, state: MemberState) -> MemberState:
        width = state.trainable[0].shape[0]
        return state._replace(metrics=[_repeated(first, width) for first in self._metrics])


def _repeated(value: Array, width: int) -> Any:
    """The value for each of so many members, stacked."""
    import tensorflow as tf

    return tf.constant(np.repeat(value[None], width, axis=0))


def _as_rows(keras: Any, data: OwnData) -> Rows:
    """The rows as tensors, floating ones in Keras's float type as ``fit`` casts them, lists as tuples."""
    import tensorflow as tf

    def converted(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: converted(value) for key, value in part.items()}
        if isinstance(part, list | tuple):
            return tuple(converted(value) for value in part)
        array = np.asarray(part)
        return tf.constant(array.astype(keras.backend.floatx()) if array.dtype.kind == "f" else array)

    given = (data.x, data.y) if data.sample_weight is None else (data.x, data.y, data.sample_weight)
    return tuple(map(converted, given))
