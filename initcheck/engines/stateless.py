"""The stateless ensemble: many members of any Keras 3 model, trained side by side by the model's own steps.

A member's state is a list of tensors, and ``tf.vectorized_map`` runs the model's ``train_step`` over those of all
members: dropout, moving statistics, recurrent cells, attention, losses, metrics and optimizers are Keras's own, and
each member has its own noise and statistics.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.engines.initial_weights import UnsuitableError
from initcheck.engines.own_models import OwnData, mistakes_in
from initcheck.engines.replacing import replaced
from initcheck.engines.stateless_limits import (
    count_bytes,
    is_faster_in_xla,
    require_pure,
    require_same_constants,
    require_same_steps,
    require_stackable,
    require_stateless,
)
from initcheck.engines.stateless_program import Rows, StackedProgram
from initcheck.engines.stateless_steps import Array, MemberState, MemberSteps
from initcheck.texts import reason_of

_MOST_MEMBERS = 256  # at once
_WORTH_COMPILING = (
    150e9  # bytes of all steps of all members at once: ten seconds in the graph, or two of compilation and seven
)
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


class StatelessEnsemble:
    """Trains members of one model side by side.

    Args:
        keras: The framework.
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
        orders: npt.NDArray[np.integer[Any]],
        other: Any = None,
        width: int | None = None,
    ) -> None:
        import tensorflow as tf

        require_stateless(keras, model, data, held_out)
        self._model = model
        self._rows = _as_rows(keras, data)
        self._held_out = _as_rows(keras, held_out) if held_out is not None else None
        self._orders = orders
        self._epochs = epochs
        self._steps_an_epoch: int = -(-orders.shape[1] // batch_size)
        batch = tf.nest.map_structure(lambda rows: rows[:batch_size], self._rows)
        self._steps = _made_ready(keras, model, data, batch_size)
        require_same_steps(model, self._steps)
        traced = require_pure(self._steps, batch)
        require_stackable(self._steps, batch, traced)
        if other is not None:
            require_same_constants(traced, require_pure(_made_ready(keras, other, data, batch_size), batch))
        size = count_bytes(traced)
        suited = min(_MOST_MEMBERS, 2 ** int(np.log2(max(1, _MOST_BYTES // size))))
        self._width = width or suited
        # By size, not by the clock or by how many are trained: else a member's last bits would depend on those.
        self._long = size * suited * self.steps >= _WORTH_COMPILING
        self._dense = is_faster_in_xla(traced)
        self._metrics = [np.array(one.numpy()) for one in self._steps.variables.metrics]
        self._first_count = int(model.optimizer.iterations.numpy())
        self._program = StackedProgram(self._steps, batch_size=batch_size, compiled=self._dense and self._long)
        self._traced = 1

    @property
    def steps(self) -> int:
        """The optimizer's steps of a training."""
        return self._epochs * self._steps_an_epoch

    def table_sizes(self, *, held_out: bool) -> list[int]:
        """The sizes of the targets, in rows and then in numbers, of the training or the held-out rows."""
        import tensorflow as tf

        table = self._held_out if held_out else self._rows
        leaves = tf.nest.flatten(table[1]) if table else []
        return [*{int(leaf.shape[0]) for leaf in leaves}, *{int(leaf.shape.num_elements()) for leaf in leaves}]

    @property
    def words(self) -> str:
        """The engine, and how its steps are run."""
        if not self._dense:
            how = "in TensorFlow's graph (XLA is slower on its operations, or draws other noise)"
        elif not self._long:
            how = "in TensorFlow's graph (too short a training to be compiled)"
        else:
            how = "compiled by XLA"
        return f"stateless ensemble engine, {self._width} members at once {how}"

    @property
    def width(self) -> int:
        """The members that are trained at once."""
        return self._width

    def require_stackable_steps(self, member: Sequence[Array], members: int) -> None:
        """Traces an epoch of training, so that a step that cannot be stacked shows before one is taken.

        Args:
            member: The initial values of a member's ``model.variables``.
            members: How many there will be.

        Raises:
            UnsuitableError: TensorFlow cannot run a step for many members.
        """
        import tensorflow as tf

        with _stacking():
            count = tf.constant(self._first_count, self._steps.count_dtype)
            state = self._first_state([member] * self._width_of(members))
            self._program.train.get_concrete_function(state, count, self._rows, _places(self._orders[0]))

    def train(
        self, members: Sequence[Sequence[Array]], orders: npt.NDArray[np.integer[Any]] | None = None
    ) -> TrainedMembers:
        """Trains each member from its own initial values.

        Args:
            members: For each member the values of ``model.variables``, in their order, as a seeded ``build()`` gives
                them.
            orders: The rows' order in each epoch, if it is another one than that of the engine.

        Raises:
            UnsuitableError: TensorFlow cannot run a step for many members; raised before one is taken.
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

    def _train_block(self, members: Sequence[Sequence[Array]], orders: npt.NDArray[np.integer[Any]]) -> TrainedMembers:
        import tensorflow as tf

        state = self._first_state(members)
        history: dict[str, list[Array]] = {}
        for epoch in range(self._epochs):
            count = tf.constant(self._first_count + epoch * self._steps_an_epoch, self._steps.count_dtype)
            with _stacking():
                state = self._program.train(self._reset(state), count, self._rows, _places(orders[epoch]))
            reported = dict(self._program.results(state))
            if self._held_out is not None:
                state, results = self._evaluated(state, self._held_out)
                reported |= {f"val_{name}": value for name, value in results.items()}
            for name, value in reported.items():
                history.setdefault(name, []).append(value.numpy())
        finished = self._program.finish(state)
        tables = [self._rows] if self._held_out is None else [self._rows, self._held_out]
        ends = [self._evaluated(finished, table)[1] for table in tables]
        values = {
            id(variable): value.numpy()
            for part in zip(self._steps.variables[:2], finished[:2], strict=True)
            for variable, value in zip(*part, strict=True)
        }
        return TrainedMembers(
            {name: np.stack(each, axis=1) for name, each in history.items()},
            [values[id(variable)] for variable in self._model.variables],
            tuple({name: value.numpy() for name, value in end.items()} for end in ends),
        )

    def _evaluated(self, state: MemberState, rows: Rows) -> tuple[MemberState, dict[str, Any]]:
        """The state after an evaluation of those rows, and its results."""
        import tensorflow as tf

        order = np.arange(tf.nest.flatten(rows)[0].shape[0])
        after = self._program.evaluate(self._reset(state), rows, _places(order))
        return after, dict(self._program.results(after))

    def _first_state(self, members: Sequence[Sequence[Array]]) -> MemberState:
        import tensorflow as tf

        stacks = {
            id(variable): tf.constant(np.stack([member[place] for member in members]))
            for place, variable in enumerate(self._model.variables)
        }
        trainable, other = ([stacks[id(variable)] for variable in part] for part in self._steps.variables[:2])
        slots = [
            trainable[first] if isinstance(first, int) else _repeated(first, len(members))
            for first in self._steps.slots
        ]
        return self._reset(MemberState(trainable, other, [], slots))

    def _reset(self, state: MemberState) -> MemberState:
        """The state with metrics as they are before an epoch."""
        width = state.trainable[0].shape[0]
        return state._replace(metrics=[_repeated(first, width) for first in self._metrics])


@contextlib.contextmanager
def _stacking() -> Iterator[None]:
    """Names a step that cannot be run for many members."""
    import tensorflow as tf

    try:
        with replaced(tf.get_logger(), disabled=True):  # which prints a trace that fails
            yield
    except (TypeError, ValueError, NotImplementedError, AttributeError) as error:  # of a trace, not of a kernel
        raise UnsuitableError(f"its training step cannot be stacked: {reason_of(error)}") from error


def _made_ready(keras: Any, model: Any, data: OwnData, batch_size: int) -> MemberSteps:
    """The steps of a model whose loss and metrics an evaluation of a few rows has built."""
    x, y, sample_weight = data.batch(batch_size)
    with mistakes_in("the model cannot be evaluated: evaluate", "fix its loss or the data"):
        model.evaluate(x, y, sample_weight=sample_weight, batch_size=batch_size, verbose=0)
    model.reset_metrics()
    return MemberSteps(keras, model)


def _repeated(value: Array, width: int) -> Any:
    """The value for each of so many members, stacked."""
    import tensorflow as tf

    return tf.constant(np.repeat(value[None], width, axis=0))


def _places(order: npt.NDArray[np.integer[Any]]) -> Any:
    import tensorflow as tf

    return tf.constant(order, tf.int32)


def _as_rows(keras: Any, data: OwnData) -> Rows:
    """The rows as tensors, in the forms and float type that ``fit`` turns them into."""
    import tensorflow as tf

    def converted(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: converted(value) for key, value in part.items()}
        if isinstance(part, list | tuple):
            return tuple(converted(value) for value in part)
        array = np.asarray(part)
        return tf.constant(array.astype(keras.backend.floatx()) if array.dtype.kind == "f" else array)

    return tuple(map(converted, data.packed))
