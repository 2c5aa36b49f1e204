"""The orders in which ``fit`` took the rows, recorded within its training step."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from initcheck.catalog.recipes import Feed
from initcheck.digests import digest
from initcheck.engines.feeding import dataset_of
from initcheck.evidence import unrelated_work as unrelated
from initcheck.evidence.session import Session
from initcheck.evidence.trace import Array
from initcheck.frameworks.backend_calls import all_seen, as_tensor, idle_step, seen_by
from initcheck.targets import backend_of, target

_TWIN = 1_000_000  # between the number in one of two named inputs and in the other


@dataclass(frozen=True)
class Order:
    """The row numbers that ``fit`` passed to the training step.

    Attributes:
        epochs: For each epoch the row numbers of its batches, as read from the inputs.
        targets: The same, as read from the targets.
        sample_weights: The same, as read from the sample weights.
        twins: The same, as read from a second named input; empty where there is none.
        held_out: The row numbers passed to the test step in each epoch, as read from the inputs; −1 for a row that came
            with another's target or sample weight.
        evaluated: The row numbers that ``evaluate`` takes afterwards, likewise; None for shuffled feeds.
        predicted: The row numbers that ``predict`` gives back afterwards; None for shuffled feeds.
    """

    epochs: tuple[tuple[Array, ...], ...]
    targets: tuple[tuple[Array, ...], ...]
    sample_weights: tuple[tuple[Array, ...], ...]
    twins: tuple[tuple[Array, ...], ...]
    held_out: tuple[tuple[Array, ...], ...]
    evaluated: Array | None = None
    predicted: Array | None = None

    def rows(self) -> list[Array]:
        """Each epoch's row numbers in one array."""
        return [np.concatenate(batches) if batches else np.empty(0, int) for batches in self.epochs]

    def digest(self) -> str:
        """Returns the digest of this order."""
        return digest([batch for batches in self.epochs for batch in batches])


class Orders:
    """Evidence on the order of rows; each training runs once.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def taken(self, feed: Feed, *, stream: int = 0, step: int = 0, after_work: bool = False) -> Order:
        """The order in which ``fit`` took that feed's rows.

        Args:
            feed: How the rows are fed.
            stream: Other streams have other global seeds.
            step: Added to the global seed, to get its neighbours.
            after_work: Whether unrelated random work comes before it.
        """
        order: Order = self._session.once(
            ("order", feed, stream, step, after_work),
            lambda: take(
                self._session.keras, feed, feed_seed(self._session, feed, stream) + step, after_work=after_work
            ),
        )
        return order


def lacking(feed: Feed) -> str:
    """What the target's backend lacks of that feed; empty where it lacks nothing."""
    backend = backend_of(target())
    if feed.container == "dataset" and backend == "jax":
        return "datasets of its own"
    if feed.steps_per_execution > 1 and backend == "torch":
        return "executions of several steps, which Keras refuses"
    return ""


def feed_seed(session: Session, feed: Feed, stream: int = 0) -> int:
    """The global seed under which that feed is fitted; other streams have other seeds."""
    return session.stream("order", feed.name, stream)


def take(keras: Any, feed: Feed, seed: int, *, after_work: bool = False) -> Order:
    """Fits a model that only records the row numbers it is given."""
    if after_work:
        unrelated.train(keras, seed + 1)
    keras.utils.set_random_seed(seed)
    model = _order_recorder(keras)()
    model.compile(
        loss="mse",
        run_eagerly=feed.steps_per_execution == 0,
        steps_per_execution=max(1, feed.steps_per_execution),
        jit_compile=False,  # the notes are taken in Python
    )
    inputs, targets, sample_weights = _rows(feed)
    model.fit(
        **_fed(feed, inputs, targets, sample_weights),
        epochs=feed.epochs,
        **({} if feed.shuffle else {"shuffle": False}),  # True is the documented default
        callbacks=[_epochs_of(keras, model)],
        verbose=0,
    )
    all_seen()
    notes: dict[str, Any] = {what: tuple(tuple(epoch[key]) for epoch in model.notes) for what, key in _NOTED.items()}
    order = Order(**notes)
    if feed.shuffle:
        return order
    evaluated, predicted = _without_training(model, inputs, targets, feed)
    return replace(order, evaluated=evaluated, predicted=predicted)


def _fed(feed: Feed, inputs: Any, targets: Any, sample_weights: Any) -> dict[str, Any]:
    """Returns the data arguments of ``fit``; a batch size of 0 means the default."""
    rows = (inputs, targets, sample_weights)
    if feed.container == "dataset":
        return {"x": dataset_of(rows, feed.batch_size)}
    if feed.container == "generator":
        starts = range(0, feed.rows, feed.batch_size)
        batches = [tuple(part[start : start + feed.batch_size] for part in rows) for start in starts]
        return {"x": (batch for _ in itertools.count() for batch in batches), "steps_per_epoch": len(batches)}
    batch_size = {"batch_size": feed.batch_size} if feed.batch_size else {}
    return {"x": inputs, "y": targets, "sample_weight": sample_weights, "validation_split": feed.held_out, **batch_size}


def _without_training(model: Any, inputs: Any, targets: Any, feed: Feed) -> tuple[Array, Array]:
    """The rows as ``evaluate`` takes them and as ``predict`` gives them back."""
    model.notes.append({what: [] for what in _NOTED.values()})
    batch_size = {"batch_size": feed.batch_size} if feed.batch_size else {}
    model.evaluate(inputs, targets, verbose=0, **batch_size)
    all_seen()
    predicted = np.ravel(model.predict(inputs, verbose=0, **batch_size))
    return np.concatenate([np.empty(0, np.int64), *model.notes[-1]["held_out"]]), predicted.astype(np.int64)


_NOTED = {
    "epochs": "inputs",
    "targets": "targets",
    "sample_weights": "sample_weights",
    "twins": "twins",
    "held_out": "held_out",
}


def _rows(feed: Feed) -> tuple[Any, Any, Any]:
    numbers = np.arange(feed.rows, dtype=np.int32)
    inputs, targets, sample_weights = numbers[:, None], numbers[:, None] + 0.0, numbers + 1.0
    targets, sample_weights = targets.astype(np.float32), sample_weights.astype(np.float32)
    if feed.container == "dict":
        return {"first": inputs, "second": inputs + _TWIN}, targets, sample_weights
    if feed.container == "tensor":
        return as_tensor(inputs), as_tensor(targets), as_tensor(sample_weights)
    return inputs, targets, sample_weights


def _order_recorder(keras: Any) -> Any:
    class OrderRecorder(keras.Model):  # type: ignore[misc] # Keras is loaded at run time
        """Records the rows of each batch and learns nothing."""

        def __init__(self) -> None:
            super().__init__()
            self.notes: list[dict[str, list[Array]]] = []

        def call(self, inputs: Any) -> Any:
            return inputs["first"] if isinstance(inputs, dict) else inputs

        def train_step(self, *state_and_data: Any) -> Any:
            inputs, targets, sample_weights = state_and_data[-1]
            if isinstance(inputs, dict):
                seen_by(self._note_twins, inputs["second"])
                inputs = inputs["first"]
            seen_by(self._note, inputs, targets, sample_weights)
            return idle_step(state_and_data)

        def test_step(self, *state_and_data: Any) -> Any:
            inputs, *others = state_and_data[-1]
            inputs = inputs["first"] if isinstance(inputs, dict) else inputs
            seen_by(self._note_held_out, inputs, *(one for one in others if one is not None))
            return idle_step(state_and_data)

        def _note(self, inputs: Array, targets: Array, sample_weights: Array) -> None:
            self._append("inputs", inputs)
            self._append("targets", targets)
            self._append("sample_weights", sample_weights - 1)

        def _note_held_out(self, inputs: Array, targets: Array, *sample_weights: Array) -> None:
            rows = np.ravel(inputs)
            others = [targets, *(weights - 1 for weights in sample_weights)]
            together = np.all([np.ravel(one) == rows for one in others], axis=0)
            self._append("held_out", np.where(together, rows, -1))

        def _note_twins(self, rows: Array) -> None:
            self._append("twins", rows - _TWIN)

        def _append(self, what: str, rows: Array) -> None:
            self.notes[-1][what].append(np.ravel(rows).astype(np.int64))

    return OrderRecorder


def _epochs_of(keras: Any, model: Any) -> Any:
    class Epochs(keras.callbacks.Callback):  # type: ignore[misc] # the same
        """Starts a new record with each epoch."""

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
            all_seen()
            model.notes.append({what: [] for what in _NOTED.values()})

    return Epochs()
