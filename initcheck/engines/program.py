"""One compiled program that trains the members of a network side by side, all epochs, from given initial weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.catalog.problems import Problem
from initcheck.engines.closed_forms import is_binary_form_of, sum_binary_judgements
from initcheck.engines.model_losses import weighs_batches
from initcheck.engines.stacking import Network
from initcheck.records import METRICS, Data

LOSSES = ("binary_crossentropy", "sparse_categorical_crossentropy")
_ROWS_AT_ONCE = 32  # where rows are only classified: a sum that XLA takes in one order, whatever the width

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Trained:
    """The training of one program's members.

    Attributes:
        history: The metrics of each epoch, shape ``(members, epochs, 4)``.
        train_correct: Training rows that the final weights classify correctly, shape ``(members,)``.
        test_correct: Held-out rows that the final weights classify correctly, shape ``(members,)``.
    """

    history: Array
    train_correct: Array
    test_correct: Array


class Program:
    """Trains a network's members, from any initial weights and in any order of the rows.

    Args:
        keras: The framework.
        problem: Gives loss, optimizer and batch size.
        data: Its table.
        network: The members.
        epochs: Passes over the training rows.
    """

    def __init__(self, keras: Any, problem: Problem, data: Data, network: Network, *, epochs: int) -> None:
        import tensorflow as tf

        self._keras = keras
        self._network = network
        self._epochs = epochs
        self._batch_size = problem.rows_per_step(len(data.x_train))
        self._loss = getattr(keras.losses, problem.loss)
        self._weighs_batches = weighs_batches(keras)
        self._binary = problem.loss == "binary_crossentropy"
        closed = self._binary and network.logits is not None and is_binary_form_of(keras, network.activation)
        self._logits = network.logits if closed else None
        self._train_rows = tf.constant(data.x_train), tf.constant(data.y_train)
        self._test_rows = tf.constant(data.x_test), tf.constant(data.y_test)
        self._optimizer = problem.optimizer(keras)
        self._optimizer.build(network.variables)
        self._first_state = [variable.numpy() for variable in self._optimizer.variables]
        self._run = tf.function(self._train, jit_compile=True, autograph=False)  # whose conversion takes a second

    def __call__(self, weights: Sequence[Array], order: npt.NDArray[np.int64]) -> Trained:
        """Trains one member for each place of the weights' last axis, at most ``network.width``.

        Args:
            weights: The initial weights, each of shape ``(*shape, members)``.
            order: The training rows' order in every epoch, shape ``(epochs, rows)``.
        """
        members, width = weights[0].shape[-1], self._network.width
        parts = [
            self._train_width([weight[..., start : start + width] for weight in weights], order)
            for start in range(0, members, width)
        ]
        return Trained(*(np.concatenate(column)[:members] for column in zip(*parts, strict=True)))

    def _train_width(self, weights: Sequence[Array], order: npt.NDArray[np.int64]) -> tuple[Array, ...]:
        import tensorflow as tf

        missing = self._network.width - weights[0].shape[-1]
        filled = [
            np.pad(value, [*[(0, 0)] * (value.ndim - 1), (0, missing)], mode="edge") if missing else value
            for value in weights
        ]
        first = [
            tf.constant(value.reshape(variable.shape))
            for variable, value in zip(self._network.variables, filled, strict=True)
        ]
        steps = -(-order.shape[1] // self._batch_size)
        padded = np.pad(order, [(0, 0), (0, steps * self._batch_size - order.shape[1])])
        batches = padded.reshape(len(order), steps, self._batch_size)
        history, train_correct = self._run(first, tf.constant(batches, tf.int32), tf.ones(self._network.width))
        reported = history.numpy().astype(np.float64)
        # The last epoch's held-out rows are judged by the final weights.
        test_correct = reported[:, -1, METRICS.index("val_accuracy")] * self._test_rows[0].shape[0]
        return (reported, *(count.round().astype(np.int64) for count in (train_correct.numpy(), test_correct)))

    def _train(self, weights: Sequence[Any], batches: Any, exact_ones: Any) -> tuple[Any, Any]:
        """The compiled training; takes initial weights, and shapes ``(epochs, steps, batch)`` and ``(members,)``.

        Gives the history and the training rows that are classified correctly, shaped as those of ``Trained``.
        """
        import tensorflow as tf

        for variable, value in zip(self._network.variables, weights, strict=True):
            variable.assign(value)
        for variable, value in zip(self._optimizer.variables, self._first_state, strict=True):
            variable.assign(value)
        hold = _hold(exact_ones) if self._network.width > 1 else _same
        x, y = self._train_rows
        rows, steps = x.shape[0], batches.shape[1]
        filled = _filled(rows, steps, self._batch_size)
        zeros = tf.zeros(self._network.width)
        history = tf.TensorArray(tf.float32, size=self._epochs, element_shape=(4, self._network.width))

        def train_epoch(epoch: Any, history: Any) -> tuple[Any]:
            def train_batch(step: Any, loss: Any, correct: Any) -> tuple[Any, Any]:
                batch = batches[epoch, step]
                sums = self._take_step(tf.gather(x, batch), tf.gather(y, batch), filled[step], hold)
                share = 1.0 if self._weighs_batches else rows / steps / tf.reduce_sum(filled[step])
                return loss + share * sums[0], correct + sums[1]

            loss, correct = _repeat(steps, train_batch, zeros, zeros)
            test_loss, test_correct = self._evaluate(self._test_rows, hold)
            tests = self._test_rows[0].shape[0]
            reported = [loss / rows, correct / rows, test_loss / tests, test_correct / tests]
            return (history.write(epoch, tf.stack(reported)),)

        (history,) = _repeat(self._epochs, train_epoch, history)
        _, train_correct = self._evaluate(self._train_rows, hold)
        return tf.transpose(history.stack(), (2, 0, 1)), train_correct

    def _take_step(self, x: Any, y: Any, filled: Any, hold: Callable[[Any], Any]) -> tuple[Any, Any]:
        """One optimizer step; each member's summed loss and correct classifications, as they were before it."""
        import tensorflow as tf

        variables = self._network.variables
        with tf.GradientTape() as tape:
            loss, correct = self._sum_judgements(x, y, filled, hold)
            # Members share no weight, so the gradient of the sum holds each one's own.
            total = tf.reduce_sum(loss / tf.reduce_sum(filled))
        gradients = tape.gradient(total, [variable.value for variable in variables])
        self._optimizer.apply(gradients, variables)
        return loss, correct

    def _evaluate(self, table: tuple[Any, Any], hold: Callable[[Any], Any]) -> tuple[Any, Any]:
        """Each member's summed loss and correct classifications over a table, shape ``(members,)``."""
        import tensorflow as tf

        x, y = table
        steps = -(-x.shape[0] // _ROWS_AT_ONCE)
        size = -(-x.shape[0] // steps)
        filled = _filled(x.shape[0], steps, size)
        rows = tf.reshape(tf.range(steps * size) % x.shape[0], (steps, size))
        zeros = tf.zeros(self._network.width)

        def judge_batch(step: Any, loss: Any, correct: Any) -> tuple[Any, Any]:
            batch = rows[step]
            sums = self._sum_judgements(tf.gather(x, batch), tf.gather(y, batch), filled[step], hold)
            return loss + sums[0], correct + sums[1]

        loss, correct = _repeat(steps, judge_batch, zeros, zeros)
        return loss, correct

    def _sum_judgements(self, x: Any, y: Any, filled: Any, hold: Callable[[Any], Any]) -> tuple[Any, Any]:
        """Each member's summed loss and correct classifications over the filled rows, shape ``(members,)``."""
        import tensorflow as tf

        rows, width = x.shape[0], self._network.width
        if self._logits is not None:
            targets = tf.reshape(tf.cast(y, tf.float32), (rows, 1))
            return sum_binary_judgements(self._logits(x, hold), targets, filled[:, None])
        outputs = self._network.forward(x, hold)
        repeated = tf.broadcast_to(y[:, None], (rows, width, *y.shape[1:]))
        expected = tf.reshape(repeated, (rows * width, *y.shape[1:]))
        losses = self._loss(expected, outputs)
        metrics = self._keras.metrics
        metric = metrics.binary_accuracy if self._binary else metrics.sparse_categorical_accuracy
        correct = metric(expected, outputs)
        weight = filled[:, None]
        # Keras 3.0 takes the mean over a sigmoid's one output, later versions leave its axis.
        return tuple(tf.reduce_sum(weight * tf.reshape(each, (rows, width)), 0) for each in (losses, correct))


def _repeat(times: int, body: Callable[..., tuple[Any, ...]], *state: Any) -> tuple[Any, ...]:
    """The state after ``body`` was called so many times on its number and the state, in a loop of TensorFlow's."""
    import tensorflow as tf

    def turn(number: Any, *state: Any) -> tuple[Any, ...]:
        return number + 1, *body(number, *state)

    return tuple(tf.while_loop(lambda number, *_: number < times, turn, (0, *state)))[1:]


def _filled(rows: int, steps: int, size: int) -> Any:
    """1 for the places of the batches that hold a row, 0 for those beyond the last, shape ``(steps, size)``."""
    import tensorflow as tf

    return tf.constant((np.arange(steps * size) < rows).reshape(steps, size), tf.float32)


def _hold(exact_ones: Any) -> Callable[[Any], Any]:
    """Makes the compiler keep a value, and its gradient, rather than compute it anew for everything that uses it.

    XLA merges producers into each of their consumers, except those it holds for expensive, as a division is; a division
    by 1s that are known only at run time changes no bit. Without it a network of two layers takes thirty times as long.
    The divisor is one for each member and the value is a matrix, so that XLA keeps it with the members innermost: it
    would divide a transposed gradient as it is, and every consumer would read it across memory.
    """
    import tensorflow as tf

    def keep(value: Any) -> Any:
        return tf.reshape(tf.reshape(value, (-1, value.shape[-1])) / exact_ones, value.shape)

    def hold(value: Any) -> tuple[Any, Callable[[Any], Any]]:
        return keep(value), keep

    held: Callable[[Any], Any] = tf.custom_gradient(hold)
    return held


def _same(value: Any) -> Any:
    return value
