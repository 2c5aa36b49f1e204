"""The stateless ensemble: many members of any Keras 3 model, trained side by side by the model's own steps.

A member's state is a list of tensors, and ``tf.vectorized_map`` runs the model's ``train_step`` over those of all
members: dropout, moving statistics, recurrent cells, attention, losses, metrics and optimizers are Keras's own, and
each member has its own noise and statistics.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.engines.initial_weights import UnsuitableError
from initcheck.engines.member_blocks import SideBySide, as_rows, suited_width
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
from initcheck.engines.stateless_program import StackedProgram
from initcheck.engines.stateless_steps import Array, MemberState, MemberSteps
from initcheck.texts import reason_of

_WORTH_COMPILING = (
    150e9  # bytes of all steps of all members at once: ten seconds in the graph, or two of compilation and seven
)


class StatelessEnsemble(SideBySide):
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
        self._rows = as_rows(keras, data)
        self._held_out = as_rows(keras, held_out) if held_out is not None else None
        super().__init__(data, held_out, batch_size=batch_size, epochs=epochs, orders=orders)
        batch = tf.nest.map_structure(lambda rows: rows[:batch_size], self._rows)
        self._steps = _made_ready(keras, model, data, batch_size)
        require_same_steps(model, self._steps)
        traced = require_pure(self._steps, batch)
        require_stackable(self._steps, batch, traced)
        if other is not None:
            require_same_constants(traced, require_pure(_made_ready(keras, other, data, batch_size), batch))
        size = count_bytes(traced)
        suited = suited_width(size)
        self._width = width or suited
        # By size, not by the clock or by how many are trained: else a member's last bits would depend on those.
        self._long = size * suited * self.steps >= _WORTH_COMPILING
        self._dense = is_faster_in_xla(traced)
        self._layout = self._steps
        self._metrics = [np.array(one.numpy()) for one in self._layout.variables.metrics]
        self._first_count = int(model.optimizer.iterations.numpy())
        self._program = StackedProgram(self._steps, batch_size=batch_size, compiled=self._dense and self._long)

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

    def _train_epoch(self, state: MemberState, epoch: int, order: npt.NDArray[np.integer[Any]]) -> MemberState:
        import tensorflow as tf

        count = tf.constant(self._first_count + epoch * self._steps_an_epoch, self._steps.count_dtype)
        with _stacking():
            after: MemberState = self._program.train(self._reset(state), count, self._rows, _places(order))
        return after

    def _results(self, state: MemberState) -> dict[str, Any]:
        return dict(self._program.results(state))

    def _evaluated(self, state: MemberState, *, held_out: bool) -> tuple[MemberState, dict[str, Any]]:
        import tensorflow as tf

        rows = self._held_out if held_out else self._rows
        order = np.arange(tf.nest.flatten(rows)[0].shape[0])
        after = self._program.evaluate(self._reset(state), rows, _places(order))
        return after, self._results(after)

    def _finished(self, state: MemberState) -> MemberState:
        after: MemberState = self._program.finish(state)
        return after


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


def _places(order: npt.NDArray[np.integer[Any]]) -> Any:
    import tensorflow as tf

    return tf.constant(order, tf.int32)
