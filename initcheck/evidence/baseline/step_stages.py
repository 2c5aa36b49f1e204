"""Optimizers as a baseline records them, from given gradients and through ``fit``; losses and metrics, of examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.catalog.cases.recorded_steps import (
    KIND_OF,
    UPDATES,
    RecordedLoss,
    RecordedMetric,
    RecordedOptimizer,
    RecordedStep,
    class_of,
)
from initcheck.engines.perturbed import perturbed
from initcheck.evidence.baseline.layer_stages import Computed, deviation
from initcheck.evidence.steps.judged_examples import example_of, supports
from initcheck.evidence.steps.judged_metrics import shares_of
from initcheck.evidence.trace import Array, Arrays
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor
from initcheck.frameworks.backends import load_target_keras
from initcheck.frameworks.quiet import quiet
from initcheck.seeding import derive_seed

_WHOLE = ("guesses", "ranked")  # outputs that are numbers of classes
_SHARES = np.array([1.5, 0.25, 0.0, 2.0, 1.0, 0.75], np.float32)
_PERTURBED = 0  # the seed of the ups and downs
_ROWS, _BATCH, _EPOCHS = 24, 4, 2


@dataclass(frozen=True, eq=False)
class OptimizerStages:
    """One optimizer, stage by stage.

    Attributes:
        first_move: The number of the first update that moves a weight; 0 where none does.
        updates: The kernel after several updates from given gradients.
        fitted: The weights that ``fit`` leaves. None with the other two, as they are with it.
    """

    first_move: Computed | None = None
    updates: Computed | None = None
    fitted: Computed | None = None


class StepRecorder:
    """Makes optimizers, losses and metrics one by one, so that one which fails hides no other.

    Args:
        seed: The root seed.
    """

    def __init__(self, seed: int) -> None:
        self._keras, self._seed = load_target_keras(), derive_seed(seed, "baseline", "steps")

    def lacks(self, case: RecordedStep) -> bool:
        """Whether the installed Keras lacks the optimizer, loss or metric, or some of its arguments."""
        options = case.config if isinstance(case, RecordedOptimizer) else case.options
        return not supports(self._class(case), options)

    def _class(self, case: RecordedStep) -> Any:
        return getattr(getattr(self._keras, KIND_OF[type(case)]), class_of(case), None)

    def value(self, case: RecordedLoss | RecordedMetric) -> Computed:
        """The values of that loss, of each sample and weighted; of that metric, after each of two batches.

        Raises:
            Exception: Whatever the framework raises for it.
        """
        make, (y, p) = self._class(case), example_of(case.case, case.options)

        def compute(given: Sequence[Array]) -> Arrays:
            if isinstance(case, RecordedLoss):
                return _loss_of(make, case, y, given[0])
            return _metric_of(make, case, y, given[0])

        with quiet():
            # Numbers of classes are moved by no rounding.
            return Computed(compute([p]), 0.0) if case.case.outputs in _WHOLE else _twice(compute, [p])

    def observe(self, case: RecordedOptimizer) -> OptimizerStages:
        """The stages of that optimizer.

        Raises:
            Exception: Whatever the framework raises for it.
        """
        with quiet():
            if case.fits:
                return OptimizerStages(fitted=_twice(lambda given: self._fit(case, given), self._data()))
            given = self._numbers(UPDATES + 1)
            after, perturbed_after = self._update(case, given), self._update(case, _moved(given))
            first = next((number for number, one in enumerate(after, start=1) if np.any(one != given[0])), 0)
            return OptimizerStages(
                Computed((np.array([first], np.float32),), 0.0),
                Computed((after[-1],), deviation((after[-1],), (perturbed_after[-1],))),
            )

    def _numbers(self, count: int) -> list[Array]:
        stream = np.random.RandomState(self._seed % 2**32)
        return [stream.normal(size=(4, 3)).astype(np.float32) for _ in range(count)]

    def _data(self) -> list[Array]:
        stream = np.random.RandomState((self._seed + 1) % 2**32)
        kernel, bias = stream.normal(size=(4, 3)), stream.normal(size=3)
        inputs, targets = stream.normal(size=(_ROWS, 4)), stream.normal(size=(_ROWS, 3))
        return [one.astype(np.float32) for one in (kernel, bias, inputs, targets)]

    def _made(self, case: RecordedOptimizer) -> Any:
        return self._class(case)(**case.config)

    def _update(self, case: RecordedOptimizer, given: Sequence[Array]) -> list[Array]:
        """The kernel after each of the gradients, which come after it."""
        kernel, *gradients = given
        layer = self._keras.layers.Dense(kernel.shape[1], use_bias=False)
        layer.build((None, kernel.shape[0]))
        layer.set_weights([kernel])
        optimizer = self._made(case)
        after = []
        for gradient in gradients:
            optimizer.apply_gradients([(as_tensor(gradient), layer.trainable_weights[0])])
            after.append(np.asarray(layer.get_weights()[0]))
        return after

    def _fit(self, case: RecordedOptimizer, given: Sequence[Array]) -> Arrays:
        kernel, bias, inputs, targets = given
        model = self._keras.Sequential([self._keras.Input((kernel.shape[0],)), self._keras.layers.Dense(len(bias))])
        model.set_weights([kernel, bias])
        model.compile(self._made(case), loss="mse", jit_compile=False)
        model.fit(inputs, targets, batch_size=_BATCH, epochs=_EPOCHS, shuffle=False, verbose=0)
        return tuple(np.asarray(one) for one in model.get_weights())


def _loss_of(make: Any, case: RecordedLoss, y: Array, p: Array) -> Arrays:
    each = as_array(make(**case.options, reduction="none")(y, p))
    if not case.case.samples:
        return (each,)
    return each, as_array(make(**case.options)(y, p, sample_weight=np.resize(_SHARES, each.shape)))


def _metric_of(make: Any, case: RecordedMetric, y: Array, p: Array) -> Arrays:
    metric, values = make(**case.options), []
    shares, weighted = shares_of(case.case, y), case.case.weighted and "axis" not in case.options
    for batch in (slice(0, 5), slice(5, None)):
        metric.update_state(y[batch], p[batch], **({"sample_weight": shares[batch]} if weighted else {}))
        values.append(np.array(as_array(metric.result())))
    return tuple(values)


def _twice(compute: Callable[[Sequence[Array]], Arrays], given: Sequence[Array]) -> Computed:
    """What is computed, and how far it moves where every number given is perturbed by one ulp."""
    first, second = compute(given), compute(_moved(given))
    return Computed(first, deviation(first, second))


def _moved(given: Sequence[Array]) -> list[Array]:
    return [perturbed(one, 1, _PERTURBED) for one in given]
