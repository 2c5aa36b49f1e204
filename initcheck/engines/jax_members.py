"""Members of a user's own model on JAX: the steps that ``fit`` makes of states, mapped by ``jax.vmap``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from initcheck.engines.initial_weights import UnsuitableError
from initcheck.engines.mapped_steps import Rows, ScopedSteps, batches_by
from initcheck.engines.member_blocks import Order
from initcheck.engines.own_models import OwnData
from initcheck.engines.stateless_limits import require_ordinary
from initcheck.engines.stateless_steps import MemberState
from initcheck.texts import for_terminal, reason_of, with_article


class JaxSteps(ScopedSteps):
    """Keras's own steps on JAX, which ``fit``, too, hands the values of all variables."""

    def train(self, state: MemberState, batch: Rows) -> MemberState:
        """The state after one training step on a batch."""
        given = state.trainable, state.other, state.slots, state.metrics
        _, (trainable, other, slots, metrics) = self._model.train_step(given, batch)
        return MemberState(list(trainable), list(other), list(metrics), list(slots))

    def test(self, state: MemberState, batch: Rows) -> MemberState:
        """The state after one step of evaluation."""
        _, (trainable, other, metrics) = self._model.test_step((state.trainable, state.other, state.metrics), batch)
        return MemberState(list(trainable), list(other), list(metrics), state.slots)


class JaxMembers:
    """Epochs as compiled programs: a loop over batches, of steps over the states of all members.

    Args:
        keras: The framework.
        model: The model, built and compiled.
        other: Another seed's build of it; None for none.
        data: Training rows.
        rows: The same as tensors.
        batch_size: Rows of a step.

    Raises:
        UnsuitableError: JAX cannot match ``fit`` on it; the text says why, as a clause.
    """

    words = "by jax.vmap"

    def __init__(self, keras: Any, model: Any, other: Any, data: OwnData, rows: Rows, batch_size: int) -> None:
        import jax

        self._batch_size = batch_size
        self.steps: ScopedSteps = JaxSteps(keras, model, data, batch_size)
        batch = jax.tree.map(lambda leaf: leaf[:batch_size], rows)
        traced = _trace_of(self.steps, batch)
        if other is not None:
            _require_same_program(traced, _trace_of(JaxSteps(keras, other, data, batch_size), batch))
        self.size = _count_bytes(traced)
        self._train = jax.jit(_epoch_of(self.steps.train))
        self._test = jax.jit(_epoch_of(self.steps.test))
        self._results = jax.jit(jax.vmap(self.steps.results))
        self._finish = jax.jit(jax.vmap(self.steps.finish))

    def train(self, state: MemberState, rows: Rows, order: Order) -> MemberState:
        """The stacked state after an epoch of training on the rows in that order."""
        with _stacking():
            after: MemberState = self._train(state, rows, *batches_by(order, self._batch_size))
        return after

    def test(self, state: MemberState, rows: Rows, order: Order) -> MemberState:
        """The stacked state after an evaluation."""
        after: MemberState = self._test(state, rows, *batches_by(order, self._batch_size))
        return after

    def results(self, state: MemberState) -> dict[str, Any]:
        """The loss and every metric, by the names that ``fit`` reports, each of shape ``(members,)``."""
        return dict(self._results(state))

    def finish(self, state: MemberState) -> MemberState:
        """The state after the last epoch."""
        after: MemberState = self._finish(state)
        return after

    def require_stackable(self, state: MemberState, rows: Rows, order: Order) -> None:
        """Traces an epoch.

        Raises:
            UnsuitableError: It cannot be run for many members.
        """
        import jax

        with _stacking():
            jax.eval_shape(self._train, state, rows, *batches_by(order, self._batch_size))


def require_mappable_by_jax(keras: Any, model: Any, *data: OwnData | None) -> None:
    """Refuses a model, or data, by what they are.

    ``fit`` on JAX takes each step as a function of the state, whatever the optimizer: so any of Keras's will do.

    Raises:
        UnsuitableError: The first reason, as a clause.
    """
    require_ordinary(keras, model, *data)
    if not model.jit_compile:
        raise UnsuitableError("its model is compiled without jit_compile, so that its code may depend on values")
    if keras.distribution.distribution() is not None:
        raise UnsuitableError("its model is made under a keras.distribution")
    if not isinstance(model.optimizer, keras.optimizers.Optimizer):
        kind = for_terminal(type(model.optimizer).__name__)
        raise UnsuitableError(f"its optimizer, {with_article(kind)}, is none of Keras's")


def _epoch_of(step: Callable[[MemberState, Rows], MemberState]) -> Callable[..., MemberState]:
    """Steps of all members over batches of equal size, then over a last smaller one."""
    import jax

    each = jax.vmap(step, in_axes=(0, None))

    def run(state: MemberState, rows: Rows, batches: Any, rest: Any) -> MemberState:
        def take(state: MemberState, places: Any) -> tuple[MemberState, None]:
            return each(state, jax.tree.map(lambda leaf: leaf[places], rows)), None

        if len(batches):
            state, _ = jax.lax.scan(take, state, batches)
        return take(state, rest)[0] if len(rest) else state

    return run


@contextlib.contextmanager
def _stacking() -> Iterator[None]:
    """Names a step that cannot be run for many members."""
    try:
        yield
    except (TypeError, ValueError, NotImplementedError, AttributeError) as error:  # of a trace, not of a kernel
        raise UnsuitableError(f"its training step cannot be stacked: {reason_of(error)}") from error


def _trace_of(steps: ScopedSteps, batch: Rows) -> Any:
    """The traced steps of one member.

    Raises:
        UnsuitableError: They cannot be traced, they call Python, or a metric is no single number.
    """
    import jax

    state = MemberState(*([one.value for one in part] for part in steps.variables))

    def both(state: MemberState, batch: Rows) -> Any:
        after = steps.train(state, batch)
        return after, steps.results(steps.test(after, batch))

    try:
        traced = jax.jit(both).trace(state, batch)
    except UnsuitableError:
        raise
    except Exception as error:
        raise UnsuitableError(f"its training step cannot be traced over states: {reason_of(error)}") from error
    if any("callback" in step.primitive.name for step in _steps_of(traced.jaxpr.jaxpr)):
        raise UnsuitableError("its training step calls Python at every step")
    for name, value in traced.out_info[1].items():
        if value.shape:
            raise UnsuitableError(f"its metric {for_terminal(name)!r} is no single number")
    return traced


def _require_same_program(traced: Any, other: Any) -> None:
    """Refuses a model whose builds hold different numbers outside of variables: members would share one build's.

    Raises:
        UnsuitableError: They differ.
    """
    one, two = (
        (each.lower().as_text(), [np.asarray(value).tobytes() for value in each.jaxpr.consts])
        for each in (traced, other)
    )
    if one != two:
        raise UnsuitableError("its builds under two seeds differ in numbers that are in no variable, or in their steps")


def _count_bytes(traced: Any) -> int:
    """The bytes of all values of a traced program, were none freed before its end."""
    values = [one.aval for step in _steps_of(traced.jaxpr.jaxpr) for one in step.outvars]
    return sum(int(np.prod(one.shape)) * one.dtype.itemsize for one in values if hasattr(one, "shape")) or 1


def _steps_of(program: Any) -> Iterator[Any]:
    """The operations of a traced program, and of the programs that it calls."""
    for step in program.eqns:
        yield step
        for setting in step.params.values():
            for part in setting if isinstance(setting, list | tuple) else (setting,):
                inner = getattr(part, "jaxpr", part)
                if hasattr(inner, "eqns"):
                    yield from _steps_of(inner)
