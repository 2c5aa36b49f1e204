"""The members of an ensemble on JAX and torch: Keras's own model, loss and optimizer, mapped over stacked weights."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.catalog.problems import Problem
from initcheck.engines.model_losses import weighs_batches
from initcheck.engines.program import Trained
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor
from initcheck.records import Data

Array = npt.NDArray[Any]


class MemberProgram:
    """Trains members of one model side by side, from any initial weights and in any order of the rows.

    One member is a call of the model's ``stateless_call`` on weights of its own: ``jax.vmap`` or ``torch.func.vmap``
    takes the gradients of all. The optimizer takes the stacked weights as they are, as each of its steps is each
    weight's own. On JAX all epochs are one compiled program, on torch steps are made one after another.

    Args:
        keras: The framework.
        problem: Gives loss, optimizer and batch size.
        data: Its table.
        model: Built; nothing but its weights is state.
        epochs: Passes over the training rows.
        width: Members of one call; fewer are filled up.
    """

    def __init__(self, keras: Any, problem: Problem, data: Data, model: Any, *, epochs: int, width: int) -> None:
        self._keras = keras
        self._model = model
        self._epochs = epochs
        self._width = width
        self._batch_size = problem.rows_per_step(len(data.x_train))
        self._rows_per_step = len(data.x_train) / -(-len(data.x_train) // self._batch_size)
        self._weighs_batches = weighs_batches(keras)
        self._loss = getattr(keras.losses, problem.loss)
        binary = problem.loss == "binary_crossentropy"
        self._correct = keras.metrics.binary_accuracy if binary else keras.metrics.sparse_categorical_accuracy
        self._train_rows = as_tensor(data.x_train), as_tensor(data.y_train)
        self._test_rows = as_tensor(data.x_test), as_tensor(data.y_test)
        self._optimizer = problem.optimizer(keras)
        self._stacked = [keras.Variable(np.zeros((width, *one.shape), one.dtype)) for one in model.trainable_variables]
        self._optimizer.build(self._stacked)
        self._first_state = [np.array(as_array(one.value)) for one in self._optimizer.variables]
        self._run = _on_jax if keras.backend.backend() == "jax" else _on_torch

    def __call__(self, weights: Sequence[Array], order: npt.NDArray[np.int64]) -> Trained:
        """Trains one member for each place of the weights' last axis, at most the width.

        Args:
            weights: The initial weights, each of shape ``(*shape, members)``.
            order: The training rows' order in every epoch, shape ``(epochs, rows)``.
        """
        members, rows = weights[0].shape[-1], order.shape[1]
        places = np.minimum(np.arange(self._width), members - 1)
        first = [np.moveaxis(one, -1, 0)[places] for one in weights]
        steps = -(-rows // self._batch_size)
        batches = np.pad(order, [(0, 0), (0, steps * self._batch_size - rows)]).reshape(len(order), steps, -1)
        filled = np.arange(steps * self._batch_size).reshape(steps, -1) < rows
        history, train_correct, test_correct = self._run(self, first, batches, filled.astype(np.float32))
        return Trained(
            history.astype(np.float64)[:members],
            *(one[:members].round().astype(np.int64) for one in (train_correct, test_correct)),
        )

    def sums(self, weights: Sequence[Any], x: Any, y: Any, filled: Any) -> tuple[Any, Any]:
        """One member's summed loss and correct classifications over the rows whose weight in ``filled`` is 1."""
        outputs, _ = self._model.stateless_call(list(weights), [], x, training=True)
        losses, corrects = (one(y, outputs).reshape(filled.shape) for one in (self._loss, self._correct))
        return (losses * filled).sum(), (corrects * filled).sum()

    def mean(self, weights: Sequence[Any], x: Any, y: Any, filled: Any) -> tuple[Any, tuple[Any, Any]]:
        """One member's mean loss, which its step goes down, and its sums, whose mean over rows ``fit`` reports."""
        loss, correct = self.sums(weights, x, y, filled)
        mean = loss / filled.sum()
        return mean, (loss if self._weighs_batches else self._rows_per_step * mean, correct)


def _on_jax(program: Any, first: Sequence[Array], batches: Array, filled: Array) -> tuple[Array, ...]:
    import jax

    state = [jax.numpy.asarray(one) for one in program._first_state]
    start = [jax.numpy.asarray(one) for one in first]
    return tuple(map(np.asarray, _jitted(program)(start, state, batches.astype(np.int32), filled)))


@functools.cache
def _jitted(program: Any) -> Callable[..., Any]:
    import jax
    import jax.numpy as jnp

    slopes = jax.vmap(jax.grad(program.mean, has_aux=True), in_axes=(0, None, None, None))
    judge = jax.vmap(program.sums, in_axes=(0, None, None, None))
    (x, y), (x_test, y_test) = program._train_rows, program._test_rows

    def run(weights: Any, state: Any, batches: Any, filled: Any) -> Any:
        def step(now: Any, batch: Any) -> tuple[Any, Any]:
            rows, full = batch
            gradients, sums = slopes(now[0], x[rows], y[rows], full)
            return program._optimizer.stateless_apply(now[1], gradients, now[0]), sums

        def epoch(now: Any, order: Any) -> tuple[Any, Any]:
            now, (losses, corrects) = jax.lax.scan(step, now, (order, filled))
            tested = judge(now[0], x_test, y_test, jnp.ones(len(x_test)))
            shares = losses.sum(0) / len(x), corrects.sum(0) / len(x), tested[0] / len(x_test), tested[1] / len(x_test)
            return now, (jnp.stack(shares, -1), tested[1])

        now, (history, tested) = jax.lax.scan(epoch, (weights, state), batches)
        return jnp.swapaxes(history, 0, 1), judge(now[0], x, y, jnp.ones(len(x)))[1], tested[-1]

    return jax.jit(run)  # type: ignore[no-any-return] # has no types


def _on_torch(program: Any, first: Sequence[Array], batches: Array, filled: Array) -> tuple[Array, ...]:
    import torch

    slopes = torch.func.vmap(torch.func.grad(program.mean, has_aux=True), in_dims=(0, None, None, None))
    judge = torch.func.vmap(program.sums, in_dims=(0, None, None, None))
    (x, y), (x_test, y_test) = program._train_rows, program._test_rows
    stacked, optimizer = program._stacked, program._optimizer
    for variable, value in zip((*stacked, *optimizer.variables), (*first, *program._first_state), strict=True):
        variable.assign(value)
    history = []
    with torch.no_grad():
        for order in torch.from_numpy(batches):
            sums = torch.zeros(2, program._width)
            for rows, full in zip(order, torch.from_numpy(filled), strict=True):
                gradients, own = slopes([one.value for one in stacked], x[rows], y[rows], full)
                optimizer.apply(gradients, stacked)
                sums += torch.stack(own)
            tested = torch.stack(judge([one.value for one in stacked], x_test, y_test, torch.ones(len(x_test))))
            history.append(torch.cat([sums / len(x), tested / len(x_test)]))
        trained = judge([one.value for one in stacked], x, y, torch.ones(len(x)))
    return torch.stack(history).permute(2, 0, 1).numpy(), trained[1].numpy(), tested[1].numpy()
