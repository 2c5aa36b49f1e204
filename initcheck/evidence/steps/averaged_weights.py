"""Moving averages of weights: when they begin, what they hold, when they replace the weights.

Source: https://keras.io/api/optimizers/, ``use_ema``: "new_average = ema_momentum * old_average + (1 - ema_momentum) *
current_variable_value", "as the weight values change after each training batch"; in ``fit`` the weights are replaced
"automatically after the last epoch".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.evidence.composition.promises import Row, Seen, close, is_keras_3, table, values
from initcheck.evidence.steps.hand_steps import fitted, scalar_model, step, the_number, variable
from initcheck.evidence.toy_data import pipeline
from initcheck.frameworks.arrays import as_array

_KEPT = 0.75
_AVERAGED = {"use_ema": True, "ema_momentum": _KEPT}


def _by_hand(start: float, slopes: Sequence[float], every: int | None = None) -> tuple[float, float]:
    """The weight and its average after steps of rate 1 along these gradients; the average replaces it now and then."""
    weight, average = start, None
    for number, slope in enumerate(slopes, start=1):
        weight -= slope
        average = weight if average is None else _KEPT * average + (1 - _KEPT) * weight
        if every and number % every == 0:
            weight = average
    return weight, start if average is None else average


def averages_left_by_fit(keras: Any, _: Path) -> Iterator[Seen]:
    """Weights of ones that no gradient moves are ones after ``fit``: the average begins with the weights."""
    if not is_keras_3(keras):
        return
    dense = keras.layers.Dense(2, use_bias=False, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((2,)), dense])
    model.compile(keras.optimizers.SGD(1e-3, use_ema=True, ema_momentum=0.9999), "mse")
    x = np.ones((8, 2), np.float32)
    model.fit(pipeline(x, 2 * x, size=1), shuffle=False, verbose=0)
    yield "whether weights are ones", True, close(values(dense.kernel), np.ones((2, 2)), 1e-6)


def averages_of_fit(keras: Any, _: Path) -> Iterator[Seen]:
    """After the last epoch of each ``fit``, not of each epoch; the next one begins with the averages."""
    slopes = (1.0, 2.0, -1.0, 4.0)
    for every in (None, 3) if is_keras_3(keras) else ():
        optimizer = keras.optimizers.SGD(1.0, ema_overwrite_frequency=every, **_AVERAGED)
        model = scalar_model(keras, optimizer, run_eagerly=every is not None)
        seen = fitted(model, slopes, epochs=2)
        expected = _by_hand(1.0, slopes * 2, every)[1]
        yield f"weight after two epochs, replaced every {every} steps", round(expected, 5), round(seen, 5)
        again = fitted(model, slopes[:1])
        average = _KEPT * expected + (1 - _KEPT) * (expected - 1.0)
        yield "weight after one more step", round(average, 5), round(again, 5)
        yield "weights that predict", round(again, 5), round(float(as_array(model(np.ones((1, 1))))[0, 0]), 5)


def averages_at_each_step(keras: Any, _: Path) -> Iterator[Seen]:
    """Weights stay their own until they are replaced; averages of a frequency replace them at its multiples."""
    if not is_keras_3(keras):
        return
    slopes = (1.0, 2.0, -1.0, 4.0, 0.5, 3.0)
    for every in (None, 1, 2, 3):
        optimizer, weight = keras.optimizers.SGD(1.0, ema_overwrite_frequency=every, **_AVERAGED), variable(keras, [1])
        for number in range(1, len(slopes) + 1):
            after = step(optimizer, [weight], [slopes[number - 1]])[0]
            expected = _by_hand(1.0, slopes[:number], every)[0]
            yield f"whether right after step {number}, replaced every {every}", True, close(after, [expected])
        optimizer.finalize_variable_values([weight])
        yield (
            f"whether averages are left, every {every}",
            True,
            close(values(weight), [_by_hand(1.0, slopes, every)[1]]),
        )


def averages_of_accumulated_steps(keras: Any, _: Path) -> Iterator[Seen]:
    """With accumulation, "model & optimizer variables will not be updated at every step": nor are averages."""
    if not hasattr(keras.optimizers.SGD(0.1), "gradient_accumulation_steps"):
        return
    optimizer, weight = keras.optimizers.SGD(1.0, gradient_accumulation_steps=2, **_AVERAGED), variable(keras, [1])
    for slope in (1.0, 1.0, 2.0, 2.0, -1.0, -1.0):
        step(optimizer, [weight], [slope])
    optimizer.finalize_variable_values([weight])
    yield "whether right", True, close(values(weight), [_by_hand(1.0, (1.0, 2.0, -1.0))[1]])


def averages_that_replace_accumulated_steps(keras: Any, _: Path) -> Iterator[Seen]:
    """The frequency "will look at accumulated iterations value": every second update, and never between two."""
    if not hasattr(keras.optimizers.SGD(0.1), "gradient_accumulation_steps"):
        return
    optimizer = keras.optimizers.SGD(
        1.0, gradient_accumulation_steps=2, use_ema=True, ema_momentum=0.0, ema_overwrite_frequency=2
    )
    weight = variable(keras, [1])
    seen = [step(optimizer, [weight], [1.0])[0][0] for _ in range(8)]
    yield "weights, whose averages are the weights", [1.0, 0.0, 0.0, -1.0, -1.0, -2.0, -2.0, -3.0], seen


def averages_without_steps(keras: Any, _: Path) -> Iterator[Seen]:
    """A ``fit`` that has no epoch left changes nothing."""
    if not is_keras_3(keras):
        return
    model = scalar_model(keras, keras.optimizers.SGD(1.0, **_AVERAGED), run_eagerly=True)
    yield "weight after no epoch", 1.0, fitted(model, (1.0,), epochs=1, initial_epoch=1)


def averages_of_a_built_optimizer_without_steps(keras: Any, _: Path) -> Iterator[Seen]:
    """As weights do not change before the first step, neither do their averages."""
    if not is_keras_3(keras):
        return
    optimizer, weight = keras.optimizers.SGD(1.0, **_AVERAGED), variable(keras, [1])
    optimizer.build([weight])
    optimizer.finalize_variable_values([weight])
    yield "weight", [1.0], values(weight)


def averages_of_what_is_frozen(keras: Any, _: Path) -> Iterator[Seen]:
    """Each weight that is trained gets its own average, also after another has been frozen."""
    if not is_keras_3(keras):
        return
    kinds = [keras.layers.Dense(1, use_bias=False, kernel_initializer=start) for start in ("ones", "zeros")]
    model = keras.Sequential([keras.Input((1,)), *kinds])
    x = np.zeros((2, 1), np.float32)
    for frozen in (False, True):
        kinds[0].trainable = not frozen
        optimizer = model.optimizer if frozen else keras.optimizers.SGD(1.0, **_AVERAGED)
        model.compile(optimizer, "mse", run_eagerly=True)
        model.fit(pipeline(x, x), shuffle=False, verbose=0)
        yield f"weights, the first one frozen: {frozen}", [[[1.0]], [[0.0]]], values([one.kernel for one in kinds])


def averages_beside_overwritten_weights(keras: Any, _: Path) -> Iterator[Seen]:
    """A variable that its gradient overwrites, as scales in float8 are, has no average."""
    if not hasattr(keras.optimizers.SGD(0.1), "_overwrite_variables_directly_with_gradients"):
        return
    optimizer, weights = keras.optimizers.SGD(1.0, **_AVERAGED), [variable(keras, [1]), variable(keras, [5])]
    weights[1].overwrite_with_gradient = True
    step(optimizer, weights, [1.0, 3.0])
    optimizer.finalize_variable_values(weights)
    yield "weights", [[0.0], [3.0]], values(weights)


def averages_beside_missing_gradients(keras: Any, _: Path) -> Iterator[Seen]:
    """A weight has its own average also in steps in which it, or another one, has no gradient."""
    if not is_keras_3(keras):
        return
    optimizer, weights = keras.optimizers.SGD(1.0, **_AVERAGED), [variable(keras, [start]) for start in (1, 5, 7)]
    for gradients in ([None, 1.0, 2.0], [1.0, None, None], [2.0, 1.0, None]):
        step(optimizer, weights, gradients)
    optimizer.finalize_variable_values(weights)
    expected = [_by_hand(start, slopes)[1] for start, slopes in ((1, (0, 1, 2)), (5, (1, 0, 1)), (7, (2, 0, 0)))]
    yield "whether right", True, close(values(weights), np.array(expected)[:, None])


def averages_within_a_scaled_loss(keras: Any, _: Path) -> Iterator[Seen]:
    """The averages are the inner optimizer's; a step that is skipped does not count."""
    if not is_keras_3(keras):
        return
    inner, weight = keras.optimizers.SGD(1.0, **_AVERAGED), variable(keras, [1])
    optimizer = keras.optimizers.LossScaleOptimizer(inner, initial_scale=4.0)
    for slope in (4.0, float("inf"), 4.0, -2.0):
        step(optimizer, [weight], [slope])
    optimizer.finalize_variable_values([weight])
    yield "whether right", True, close(values(weight), [_by_hand(1.0, (1.0, 2.0, -1.0))[1]])
    yield "count of steps", 3, the_number(inner.iterations)


AVERAGED: Mapping[str, Row] = table(
    averages_left_by_fit,
    averages_of_fit,
    averages_at_each_step,
    averages_of_accumulated_steps,
    averages_that_replace_accumulated_steps,
    averages_without_steps,
    averages_of_a_built_optimizer_without_steps,
    averages_of_what_is_frozen,
    averages_beside_overwritten_weights,
    averages_beside_missing_gradients,
    averages_within_a_scaled_loss,
)
