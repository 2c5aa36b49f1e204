"""A few steps of training a user's own model, as digests by stage."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.digests import digest
from initcheck.engines.own_models import AddedWeight, Array, OwnData, OwnModel, as_tensors, leaves_of, mistakes_in
from initcheck.engines.pinned_sources import DATA, ORDER, SEEDS, ChanceSource, pinned
from initcheck.engines.process_sources import is_parallel, threads_noted

MOST_STEPS = 20  # of one training
_PREDICTED = 64  # rows
STAGES = ("data", "initial weights", "order of rows", "first loss", "losses", "final weights", "predictions")


@dataclass(frozen=True)
class OwnTrace:
    """One training of a few steps.

    Attributes:
        stages: The digests of each stage, a digest a part; a stage that could not be seen is left out.
        weights: The paths of the weights, in the order of their digests.
        losses: The loss after each step.
    """

    stages: dict[str, list[str]]
    weights: list[str]
    losses: list[float]

    def first_difference(self, other: OwnTrace) -> tuple[str, list[str]] | None:
        """The first stage that differs, and which of the weights do where it is one of weights; None if none does."""
        for stage in STAGES:
            one, two = self.stages.get(stage, []), other.stages.get(stage, [])
            if one and two and one != two:
                by_weight = stage.endswith("weights") and len(one) == len(two) == len(self.weights)
                parts = (
                    [name for name, a, b in zip(self.weights, one, two, strict=False) if a != b] if by_weight else []
                )
                return stage, parts
        return None


@dataclass(frozen=True)
class TracedModel:
    """A training of a few steps, and what came of it.

    Attributes:
        trace: The training by stage.
        model: The trained model.
        data: The data that it was trained on; None where there are none.
        initial: Its initial weights.
        parallel: Whether its data are made by threads, workers or a pipeline that runs in parallel.
    """

    trace: OwnTrace
    model: Any
    data: OwnData | None
    initial: list[Array]
    parallel: bool = False


class TraceTaker:
    """Trains a user's model for a few steps, as often as asked, and notes each stage.

    Args:
        keras: The framework.
        own: The model.
        seed: Of whatever is pinned.
    """

    def __init__(self, keras: Any, own: OwnModel, seed: int) -> None:
        self._keras = keras
        self._own = own
        self._seed = seed
        self._kept: OwnData | None = None

    def glimpse(self, sources: Collection[ChanceSource] = SEEDS) -> OwnTrace:
        """The data, where they are arrays, and the initial weights, with those sources pinned, and no training.

        Raises:
            InitcheckError: A mistake in the model or its data.
        """
        with pinned(self._keras, sources, self._seed):
            data = self._data(sources)
            added = self._own.make_model(self._keras, data)[1]
            return OwnTrace(_made_stages(data, added), [one.path for one in added], [])

    def take(self, sources: Collection[ChanceSource] = SEEDS, *, rows: bool = True) -> TracedModel:
        """One training with those sources of chance pinned, others left to themselves.

        Args:
            sources: What to pin.
            rows: Whether to see the rows as ``fit`` takes them, too, for their stages, and to predict by ``predict``.

        Raises:
            InitcheckError: A mistake in the model or its data.
        """
        seen = self._see_rows(sources) if rows else {}
        with pinned(self._keras, sources, self._seed):
            with threads_noted() as started:
                data = self._data(sources)
                model, added = self._own.make_model(self._keras, data)
            stages = _made_stages(data, added)
            losses = StepLosses(self._keras)
            if data is not None:
                stages |= seen
                self._own.fit(model, data, shuffle=ORDER not in sources, callbacks=[losses.callback])
                stages["first loss"] = [repr(loss) for loss in losses.values[:1]]
                stages["losses"] = list(map(repr, losses.values))
                stages["final weights"] = [digest([np.asarray(weight)]) for weight in model.weights]
                with mistakes_in("the model cannot predict: predict", "fix its call"):
                    inputs = (data.held_out or data).batch(_PREDICTED)[0]
                    stages["predictions"] = [digest(leaves_of(self._predicted(model, inputs, compiled=rows)))]
        trace = OwnTrace(stages, [one.path for one in added], losses.values)
        parallel = bool(started) or (data is not None and is_parallel(data.x))
        return TracedModel(trace, model, data, [one.value for one in added], parallel)

    def _predicted(self, model: Any, inputs: Any, *, compiled: bool) -> Any:
        """Predictions by ``predict``; or by a call, which compiles nothing, where they are compared with such alone."""
        if compiled or type(model).predict_step is not self._keras.Model.predict_step:
            return model.predict(inputs, verbose=0)
        return model(as_tensors(self._keras, inputs), training=False)

    def _data(self, sources: Collection[ChanceSource]) -> OwnData | None:
        if DATA not in sources:
            return self._own.make_data()
        self._kept = self._kept or self._own.make_data()
        return self._kept

    def _see_rows(self, sources: Collection[ChanceSource]) -> dict[str, list[str]]:
        """The stages of rows as ``fit`` takes them, seen by a model whose step does nothing but note them.

        They are left out for a model whose ``fit`` or ``train_step`` is not Keras's.
        """
        if self._own.data is None:
            return {}
        rows: list[bytes] = []
        with pinned(self._keras, sources, self._seed):
            data = self._data(sources)
            model, _ = self._own.make_model(self._keras, data)
            kind = self._keras.Model
            if data is None or type(model).fit is not kind.fit or type(model).train_step is not kind.train_step:
                return {}

            def note(*state_and_batch: Any) -> Any:
                *state, batch = state_and_batch  # on JAX it is also given its model's variables, and returns them
                leaves = leaves_of(batch)
                sizes = min((len(leaf) for leaf in leaves if leaf.ndim), default=0)
                rows.extend(
                    b"".join(np.ascontiguousarray(leaf[place]).tobytes() for leaf in leaves if leaf.ndim)
                    for place in range(sizes)
                )
                return ({"loss": 0.0}, *state) if state else {"loss": 0.0}

            with contextlib.suppress(AttributeError, ValueError), _noting_only(model, note):
                losses = StepLosses(self._keras)
                self._own.fit(model, data, shuffle=ORDER not in sources, callbacks=[losses.callback])
        if not rows:
            return {}
        seen = {"order of rows": [digest([np.frombuffer(b"".join(rows), np.uint8)])]}
        if data.in_batches:
            seen["data"] = [digest([np.frombuffer(b"".join(sorted(rows)), np.uint8)])]
        return seen


def _made_stages(data: OwnData | None, added: Sequence[AddedWeight]) -> dict[str, list[str]]:
    stages = {"initial weights": [digest([one.value]) for one in added]}
    if data is not None and not data.in_batches:
        stages["data"] = [_arrays_digest(part) for part in (data, data.held_out) if part is not None]
    return stages


@contextlib.contextmanager
def _noting_only(model: Any, note: Callable[..., Any]) -> Iterator[None]:
    """Lets the model's steps do nothing but note, and be as before: ``build()`` may return it again.

    Raises:
        AttributeError, ValueError: A model of the user's own refuses either.
    """
    eagerly = model.run_eagerly
    model.run_eagerly = True
    model.train_step = note
    model.get_metrics_result = lambda: {"loss": 0.0}  # no metric has seen a row
    optimizer = model.optimizer
    optimizer.finalize_variable_values = lambda _variables: None  # averages (use_ema), which no step has made
    try:
        yield
    finally:
        with contextlib.suppress(AttributeError):
            del optimizer.finalize_variable_values
        for name in ("train_step", "get_metrics_result"):
            with contextlib.suppress(AttributeError):
                delattr(model, name)
        model.run_eagerly = eagerly
        model.train_function = None
        model.stop_training = False


def _arrays_digest(data: OwnData) -> str:
    return digest(leaves_of([data.x, data.y, data.sample_weight]))


class StepLosses:
    """Notes the loss after each step, and ends the training after a few."""

    def __init__(self, keras: Any) -> None:
        values: list[float] = []

        class NotedSteps(keras.callbacks.Callback):  # type: ignore[misc] # a class of whichever Keras is loaded
            def on_train_batch_end(self, _batch: int, logs: Any = None) -> None:
                values.append(float((logs or {}).get("loss", 0.0)))
                if len(values) >= MOST_STEPS:
                    self.model.stop_training = True

        self.values = values
        self.callback = NotedSteps()
