"""One seeded training in the frozen order, stage by stage, and its deviations when perturbed by one ulp."""

from __future__ import annotations

import functools
import math
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.problems import Problem
from initcheck.engines.feeding import batch_order
from initcheck.engines.fit import ReferenceEngine
from initcheck.engines.perturbed import perturbed
from initcheck.engines.validation.problem import validated_data
from initcheck.evidence.determinism.traces import weights
from initcheck.evidence.gradients import loss_gradient
from initcheck.evidence.trace import Array, Arrays
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backends import load_target_keras
from initcheck.frameworks.instances import make_initializer
from initcheck.frameworks.quiet import quiet
from initcheck.records import Data

_FIRST_TRIALS = 2  # runs from perturbed weights, over the first step
_WHOLE_TRIALS = 1  # the same over all steps, which cost more and are judged by their accuracies in the end

Change = Callable[[list[Array]], list[Array]]


@dataclass(frozen=True, eq=False)
class TrainingStages:
    """The stages of one training, and how much rounding may change them.

    Attributes:
        seed: The integer that decided every draw.
        steps: Optimizer steps of the whole training.
        stages: Name of the stage → its arrays, in the order in which one decides the next.
        deviations: Name of the stage → the largest deviation of an element in runs whose initial weights were perturbed
            by one ulp, up or down at random; for the first step at least the error of another order of summation.
    """

    seed: int
    steps: int
    stages: Mapping[str, Arrays]
    deviations: Mapping[str, float]


class StageRecorder:
    """Records one problem's training through ``fit``: the first step alone, and all steps.

    Args:
        problem: The problem to train.
    """

    def __init__(self, problem: Problem) -> None:
        self._keras = load_target_keras()
        self._problem = problem
        self._data = validated_data(problem)
        self._whole = ReferenceEngine(problem)
        first = _first_batch(problem, self._data)
        self._x, self._y = first.x_train, first.y_train
        self._first = ReferenceEngine(problem, epochs=1, data=first)

    def train(self, row: Initializer, seed: int, *, given: bool = False) -> TrainingStages:
        """The run of that seed under that initializer.

        Args:
            row: The initializer.
            seed: Of the initializer and the run.
            given: Whether the run starts from weights that no framework draws, instead; then it has no draws.
        """
        start = functools.partial(_given, seed) if given else _unperturbed
        first = self._first_step(row, seed, start)
        stages = {
            **({} if given else {"draws": (self._draw(row, seed, first["initial weights"]),)}),
            **first,
            **self._all_steps(row, seed, start, saves=True),
        }
        deviations: dict[str, float] = {}
        for trials, part in ((_FIRST_TRIALS, self._first_step), (_WHOLE_TRIALS, self._all_steps)):
            for trial in range(trials):
                for stage, moved in part(row, seed, functools.partial(_perturbed, trial, start)).items():
                    deviations[stage] = max(deviations.get(stage, 0.0), largest_deviation(stages[stage], moved))
        deviations.pop("initial weights")
        for stage in ("first loss", "first gradient", "first update"):
            # Each is a sum over the batch, in any order: a unit in the last place for a row (Higham 2002, chapter 4).
            with np.errstate(invalid="ignore"):  # of a training that diverges at once
                unit = float(np.spacing(np.float32(max(np.abs(array).max(initial=0) for array in stages[stage]))))
            deviations[stage] = max(deviations[stage], len(self._x) * unit)
        return TrainingStages(
            seed, self._problem.epochs * -(-len(self._data.x_train) // self._problem.batch_size), stages, deviations
        )

    def _draw(self, row: Initializer, seed: int, initial: Arrays) -> Array:
        """Returns the initializer's draw of the first kernel's shape."""
        kernels = [weight.shape for weight in initial if weight.ndim > 1] or [initial[0].shape]
        return as_array(make_initializer(row, seed)(kernels[0]))

    def _first_step(self, row: Initializer, seed: int, change: Change) -> dict[str, Arrays]:
        initial: list[Array] = []

        def note(values: list[Array]) -> list[Array]:
            initial[:] = change(values)
            return initial

        model, history = self._first.fit(row, run=seed, change=note)
        update = weights(model)
        model.set_weights(initial)
        return {
            "initial weights": tuple(initial),
            "first loss": (_float32(history["loss"]),),
            "first gradient": loss_gradient(self._keras, model, self._x, self._y, self._problem.loss),
            "first update": update,
        }

    def _all_steps(self, row: Initializer, seed: int, change: Change, *, saves: bool = False) -> dict[str, Arrays]:
        model, history = self._whole.fit(row, run=seed, change=change)
        final = weights(model)
        predictions = np.asarray(model.predict(self._data.x_test, batch_size=len(self._data.x_test), verbose=0))
        return {
            "epoch losses": tuple(_float32(history[name]) for name in ("loss", "val_loss")),
            "epoch accuracies": tuple(_float32(history[name]) for name in ("accuracy", "val_accuracy")),
            "final weights": final,
            "reloaded weights": _reloaded(model) if saves else final,
            "predictions": (predictions,),
        }


def _first_batch(problem: Problem, data: Data) -> Data:
    """Returns the first batch of the frozen order, arranged so that the frozen order of its rows restores it."""
    rows = batch_order(len(data.x_train), 1)[0][: problem.batch_size]
    rows = rows[np.argsort(batch_order(len(rows), 1)[0])]
    return Data(data.x_train[rows], data.y_train[rows], data.x_test[:1], data.y_test[:1])


def _reloaded(model: Any) -> Arrays:
    """Returns the weights after they were saved, set to zero and loaded."""
    with tempfile.TemporaryDirectory() as folder, quiet():
        file = str(Path(folder) / "model.weights.h5")
        model.save_weights(file)
        model.set_weights([np.zeros_like(value) for value in model.get_weights()])
        model.load_weights(file)
    return weights(model)


def _unperturbed(values: list[Array]) -> list[Array]:
    return values


def _given(seed: int, values: list[Array]) -> list[Array]:
    """Frozen weights of those shapes: spread over a kernel's inputs, positive where they have one axis."""
    stream = np.random.RandomState(seed % 2**32)
    return [
        np.asarray(
            stream.normal(scale=1 / math.sqrt(math.prod(value.shape[:-1])), size=value.shape)
            if value.ndim > 1
            else stream.uniform(0.1, 0.5, size=value.shape),
            value.dtype,
        )
        for value in values
    ]


def _perturbed(trial: int, start: Change, values: list[Array]) -> list[Array]:
    return [perturbed(value, 1, trial) if value.dtype == np.float32 else value for value in start(values)]


def largest_deviation(own: Arrays, others: Arrays) -> float:
    """Returns the largest absolute difference of any element; infinite if one is NaN."""
    with np.errstate(invalid="ignore", over="ignore"):
        largest = max((float(np.abs(a - b).max()) for a, b in zip(own, others, strict=True) if a.size), default=0.0)
    return largest if np.isfinite(largest) else np.inf


def _float32(values: list[float]) -> Array:
    return np.array(values, dtype=np.float32)
