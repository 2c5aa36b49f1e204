"""Epochs of training and evaluation of many members at once, as TensorFlow functions over stacked states."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from initcheck.engines import stateless_noise
from initcheck.engines.stateless_steps import MemberState, MemberSteps

Rows = tuple[Any, ...]  # x and y, and sample_weight if given: structures of tensors with a row for each example
Step = Callable[[MemberState, Any, Rows], MemberState]


class StackedProgram:
    """Trains and evaluates members side by side: each step is ``tf.vectorized_map`` over their states.

    Args:
        steps: The steps of one member.
        batch_size: Rows of a step; the last of an epoch has those that are left.
        compiled: Whether XLA compiles the epochs of training.
    """

    def __init__(self, steps: MemberSteps, *, batch_size: int, compiled: bool) -> None:
        import tensorflow as tf

        stateless_noise.register()
        self._steps = steps
        self._batch_size = batch_size
        # Without AutoGraph, as fit calls the model.
        self.train = tf.function(self._train, autograph=False, jit_compile=True if compiled else None)
        self.evaluate = tf.function(self._evaluate, autograph=False)
        self._test = tf.function(self._test_all, autograph=False)  # of its own: one trace serves tables of any length
        self.results = tf.function(functools.partial(_each, steps.results), autograph=False)
        self.finish = tf.function(functools.partial(_each, steps.finish), autograph=False)

    def _train(self, state: MemberState, count: Any, rows: Rows, order: Any) -> MemberState:
        """The stacked state after one epoch.

        Args:
            state: The stacked state before it.
            count: The optimizer's steps before it, a scalar.
            rows: All rows.
            order: Their order, shape ``(rows,)``.
        """

        def step(state: MemberState, number: Any, batch: Rows) -> MemberState:
            after: MemberState = _each(lambda member: self._steps.train(member, count + number, batch), state)
            return after

        return self._run(step, state, rows, order)

    def _evaluate(self, state: MemberState, rows: Rows, order: Any) -> MemberState:
        """The stacked state after an evaluation of all rows."""

        def step(state: MemberState, _: Any, batch: Rows) -> MemberState:
            after: MemberState = self._test(state, batch)
            return after

        return self._run(step, state, rows, order)

    def _test_all(self, state: MemberState, batch: Rows) -> MemberState:
        """The stacked state after an evaluation of a batch."""
        after: MemberState = _each(lambda member: self._steps.test(member, batch), state)
        return after

    def _run(self, step: Step, state: MemberState, rows: Rows, order: Any) -> MemberState:
        """The state after a step on each batch."""
        import tensorflow as tf

        size = self._batch_size
        whole = order.shape[0] // size
        batches = tf.reshape(order[: whole * size], (whole, size))

        def take(state: MemberState, number: Any, places: Any) -> MemberState:
            batch = tf.nest.map_structure(lambda rows: tf.gather(rows, places), rows)
            after = step(state, tf.cast(number, self._steps.count_dtype), batch)
            shaped: MemberState = tf.nest.map_structure(lambda new, old: tf.ensure_shape(new, old.shape), after, state)
            return shaped

        def turn(number: Any, state: MemberState) -> tuple[Any, MemberState]:
            return number + 1, take(state, number, batches[number])

        if whole:
            _, state = tf.while_loop(lambda number, _: number < whole, turn, (0, state), parallel_iterations=1)
        if order.shape[0] % size:
            state = take(state, whole, order[whole * size :])
        return state


def _each(function: Callable[[MemberState], Any], state: MemberState) -> Any:
    """What the function gives for each member, stacked."""
    import tensorflow as tf

    return tf.vectorized_map(function, state, warn=False)
