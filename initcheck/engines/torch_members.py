"""Members of a user's own model on torch: the steps of ``fit`` as functions of states, mapped by ``torch.func.vmap``.

Keras's own ``train_step`` on torch goes backward through its variables, and its optimizers write to them; here the
gradient is taken of a function, and optimizers step by Keras's code for all backends.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from initcheck.engines.initial_weights import UnsuitableError
from initcheck.engines.mapped_steps import Rows, ScopedSteps, batches_by
from initcheck.engines.member_blocks import Order
from initcheck.engines.model_losses import loss_of, weighs_batches
from initcheck.engines.own_models import OwnData, mapped
from initcheck.engines.replacing import replaced
from initcheck.engines.stateless_limits import require_ordinary, require_plain_optimizer, require_same_steps
from initcheck.engines.stateless_steps import MemberState
from initcheck.frameworks.backend_calls import as_tensor
from initcheck.frameworks.differentiation import tensors_in
from initcheck.frameworks.memory import is_out_of_memory
from initcheck.texts import for_terminal, reason_of

_WRITERS = ("TorchOptimizer", "TorchParallelOptimizer")  # classes of Keras's that write to variables in place

_DRAWS = "its training step draws noise, and torch has none of each member's own"


class TorchSteps(ScopedSteps):
    """The steps of ``fit`` and ``evaluate`` on torch as functions of states."""

    def train(self, state: MemberState, batch: Rows) -> MemberState:
        """The state after one training step on a batch."""
        import torch

        x, y, weights = (*batch, None)[:3]
        model = self._model

        def loss_by(trainable: list[Any]) -> tuple[Any, Any]:
            with self._scope(state._replace(trainable=trainable)) as scope:
                outputs = model(x, training=True)
                loss = loss_of(model, x, y, outputs, weights, training=True)
                return loss, (loss, outputs, self._current(scope)._replace(trainable=[]))

        gradients, (loss, outputs, after) = torch.func.grad(loss_by, has_aux=True)(state.trainable)
        stepped = self._stepped(after._replace(trainable=state.trainable), [gradients])
        with self._scope(stepped) as scope:
            rows = len(tensors_in(x)[0]) if weighs_batches(self._keras) else None
            model._loss_tracker.update_state(loss, sample_weight=rows)
            model.compute_metrics(x, y, outputs, sample_weight=weights)
            return self._current(scope)

    def apply(self, state: MemberState, _count: Any, gradients: Sequence[Sequence[Any]]) -> list[Any]:
        """The trainable weights after the optimizer's steps by those gradients."""
        return self._stepped(state, [list(map(as_tensor, each)) for each in gradients]).trainable

    def _stepped(self, state: MemberState, gradients: Sequence[Sequence[Any]]) -> MemberState:
        with self._scope(state) as scope, _without_writing(self._model.optimizer):
            for each in gradients:
                self._model.optimizer.apply(list(each), self.variables.trainable)
            return self._current(scope)

    def test(self, state: MemberState, batch: Rows) -> MemberState:
        """The state after one step of evaluation."""
        with self._scope(state) as scope:
            self._model.test_step(batch)
            return self._current(scope)


class TorchMembers:
    """Steps over the states of all members, one after another.

    Args:
        keras: The framework.
        model: The model, built and compiled.
        other: Another seed's build of it; None for none.
        data: Training rows.
        rows: The same as tensors.
        batch_size: Rows of a step.

    Raises:
        UnsuitableError: torch cannot match ``fit`` on it; the text says why, as a clause.
    """

    words = "by torch.func.vmap"

    def __init__(self, keras: Any, model: Any, other: Any, data: OwnData, rows: Rows, batch_size: int) -> None:
        import torch

        self._batch_size = batch_size
        steps = TorchSteps(keras, model, data, batch_size)
        self.steps: ScopedSteps = steps
        require_same_steps(model, steps)
        batch = _taken(rows, torch.arange(min(batch_size, len(tensors_in(rows)[0]))))
        state = _stacked([one.value for one in part] for part in self.steps.variables)
        with _bytes_counted() as counted, _draws_refused(keras):
            first = self._both(self.steps, state, batch)
        self.size = max(1, sum(counted))
        if not _equal(first, self._both(self.steps, state, batch)):
            raise UnsuitableError("its training step gives another result each time")
        if other is not None and not _equal(
            first, self._both(TorchSteps(keras, other, data, batch_size), state, batch)
        ):
            raise UnsuitableError(
                "its builds under two seeds differ in numbers that are in no variable, or in their steps"
            )

    def _both(self, steps: ScopedSteps, state: MemberState, batch: Rows) -> list[Any]:
        """The state after a step of training and one of evaluation, and what is reported then."""
        after = _each(steps.train, state, batch)
        tested = _each(steps.test, after, batch)
        results = _each(steps.results, tested)
        for name, value in results.items():
            if value.ndim != 1:
                raise UnsuitableError(f"its metric {for_terminal(name)!r} is no single number")
        return tensors_in([list(after), list(tested), results])

    def train(self, state: MemberState, rows: Rows, order: Order) -> MemberState:
        """The stacked state after an epoch of training on the rows in that order."""
        return self._run(self.steps.train, state, rows, order)

    def test(self, state: MemberState, rows: Rows, order: Order) -> MemberState:
        """The stacked state after an evaluation."""
        return self._run(self.steps.test, state, rows, order)

    def _run(
        self, step: Callable[[MemberState, Rows], MemberState], state: MemberState, rows: Rows, order: Order
    ) -> MemberState:
        whole, rest = batches_by(order, self._batch_size)
        for places in [*whole, rest] if len(rest) else whole:
            state = _each(step, state, _taken(rows, as_tensor(places)))
        return state

    def results(self, state: MemberState) -> dict[str, Any]:
        """The loss and every metric, by the names that ``fit`` reports, each of shape ``(members,)``."""
        return dict(_each(self.steps.results, state))

    def finish(self, state: MemberState) -> MemberState:
        """The state after the last epoch."""
        after: MemberState = _each(self.steps.finish, state)
        return after

    def require_stackable(self, state: MemberState, rows: Rows, order: Order) -> None:
        """Nothing more: steps of one member have been run as those of many are."""


def require_mappable_by_torch(keras: Any, model: Any, *data: OwnData | None) -> None:
    """Refuses a model, or data, by what they are.

    Raises:
        UnsuitableError: The first reason, as a clause.
    """
    require_ordinary(keras, model, *data)
    if model.jit_compile:
        raise UnsuitableError(
            "its model is compiled with jit_compile, and torch.compile may draw and round differently"
        )
    if type(model).train_step is not keras.Model.train_step or "train_step" in vars(model):
        raise UnsuitableError("its model has train_step of its own, which goes backward through variables on torch")
    require_plain_optimizer(model.optimizer, "TorchOptimizer")


def _each(function: Callable[..., Any], state: MemberState, *batch: Any) -> Any:
    """What the function gives for each member, stacked.

    Raises:
        UnsuitableError: It cannot be run for many members.
    """
    import torch

    mapped_over = torch.func.vmap(function, in_dims=(0, *[None] * len(batch)))
    try:
        with torch.no_grad(), _plain_layout():
            return mapped_over(state, *batch)
    except UnsuitableError:
        raise
    except (RuntimeError, TypeError, ValueError, NotImplementedError, AttributeError) as error:
        if is_out_of_memory(error):
            raise
        if "randomness" in str(error):  # of Keras's generators or, by vmap itself, of torch's
            raise UnsuitableError(_DRAWS) from error
        raise UnsuitableError(f"its training step cannot be stacked: {reason_of(error)}") from error


def _taken(rows: Rows, places: Any) -> Rows:
    taken: Rows = mapped(lambda leaf: leaf[places], rows)
    return taken


def _stacked(parts: Any) -> MemberState:
    """The state of one member as that of many."""
    return MemberState(*([one.detach()[None].clone() for one in part] for part in parts))


def _equal(one: Sequence[Any], other: Sequence[Any]) -> bool:
    import torch

    return len(one) == len(other) and all(map(torch.equal, one, other))


@contextlib.contextmanager
def _bytes_counted() -> Iterator[list[int]]:
    """Notes the bytes of every tensor that torch makes meanwhile."""
    from torch.utils._python_dispatch import TorchDispatchMode

    sizes: list[int] = []

    class ByteCounter(TorchDispatchMode):  # type: ignore[misc] # torch is loaded at run time
        def __torch_dispatch__(self, function: Any, _types: Any, given: Any = (), named: Any = None) -> Any:
            made = function(*given, **(named or {}))
            sizes.extend(one.nelement() * one.element_size() for one in tensors_in(made))
            return made

    with ByteCounter():
        yield sizes


def _plain_layout() -> contextlib.AbstractContextManager[None]:
    """Lets Keras's convolutions leave images as they lie in memory: vmap cannot copy them into another layout."""
    convolutions: Any = sys.modules.get("keras.src.backend.torch.nn")
    if not hasattr(convolutions, "_maybe_convert_to_channels_last"):
        return contextlib.nullcontext()
    return replaced(convolutions, _maybe_convert_to_channels_last=lambda images: images)


@contextlib.contextmanager
def _draws_refused(keras: Any) -> Iterator[None]:
    """Refuses steps that draw by a generator of Keras's: torch takes a seed as a number, the same for all members."""

    def refuse(*_given: Any, **_named: Any) -> None:
        raise RuntimeError("randomness of Keras's generator")  # Keras writes texts of other errors anew

    with replaced(keras.random.SeedGenerator, next=refuse):
        yield


@contextlib.contextmanager
def _without_writing(optimizer: Any) -> Iterator[None]:
    """Lets the optimizer step by Keras's code for all backends, which assigns to variables."""
    kinds = {kind.__name__: kind for kind in type(optimizer).__mro__}
    general = vars(kinds["BaseOptimizer"])
    with contextlib.ExitStack() as stack:
        for kind in (kinds[name] for name in _WRITERS if name in kinds):
            names = [name for name in vars(kind) if name in general and not name.startswith("__")]
            stack.enter_context(replaced(kind, **{name: _passed_on(kind, name) for name in names}))
        yield


def _passed_on(kind: Any, name: str) -> Callable[..., Any]:
    """The method as it would be if that class had none."""
    return lambda optimizer, *given: getattr(super(kind, optimizer), name)(*given)
