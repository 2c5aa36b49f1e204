"""Gradients on their way to a step: accumulated, sparse, clipped, missing.

Source: https://keras.io/api/optimizers/: with ``gradient_accumulation_steps``, "model & optimizer variables will not be
updated at every step; instead they will be updated every ``gradient_accumulation_steps`` steps, using the average value
of the gradients since the last update"; ``clipnorm`` limits "the gradient of each weight".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.evidence.composition.promises import Row, Seen, close, is_keras_3, normals, on_jax, table, values
from initcheck.evidence.steps.hand_steps import (
    fitted,
    halved,
    looked_up,
    scalar_model,
    step,
    stepped,
    the_number,
    variable,
)


def _accumulates(keras: Any) -> bool:
    return hasattr(keras.optimizers.SGD(0.1), "gradient_accumulation_steps")


def accumulated_batches(keras: Any, _: Path) -> Iterator[Seen]:
    """Three batches of four in ``fit`` are one of twelve, to rounding error: weights, count and moments."""
    if not _accumulates(keras):
        return
    x, y, kernel = normals(3, 24, 3), normals(4, 24, 2), normals(5, 3, 2)
    left = dict[int, Any]()
    for batch, count in ((4, 3), (12, None)):
        optimizer = keras.optimizers.Adam(
            0.1, gradient_accumulation_steps=count, clipnorm=0.5, weight_decay=0.1, amsgrad=True
        )
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        model.set_weights([kernel, np.zeros(2)])
        model.compile(optimizer, "mse")
        model.fit(x, y, batch_size=batch, epochs=2, shuffle=False, verbose=0)
        moments = [one for one in optimizer.variables if not one.name.endswith("_gradient_accumulator")]
        left[batch] = (values(model.weights), the_number(optimizer.iterations), values(moments[2:]))
    yield "steps of batches of four", 4, left[4][1]
    for part, words in ((0, "weights"), (2, "moments")):
        pairs = zip(left[4][part], left[12][part], strict=True)
        yield f"whether {words} are those of one batch", True, all(close(a, b, 1e-6) for a, b in pairs)


def counts_of_accumulated_steps(keras: Any, _: Path) -> Iterator[Seen]:
    """Weights and state change every third step, also over two calls of ``fit``; "iterations" are updates."""
    if not _accumulates(keras):
        return
    optimizer = keras.optimizers.SGD(1.0, momentum=0.5, gradient_accumulation_steps=3)
    model = scalar_model(keras, optimizer)
    yield "weight after two batches", 1.0, fitted(model, (3.0, 6.0))
    yield "count after two batches", 0, the_number(optimizer.iterations)
    yield "weight after two more", -3.0, fitted(model, (3.0, 6.0))
    yield "count after two more", 1, the_number(optimizer.iterations)
    # The first of three is 6 already; velocity −2 − 4.
    yield "weight after three more", -9.0, fitted(model, (3.0, 3.0, 5.0))


def rates_of_accumulated_steps(keras: Any, _: Path) -> Iterator[Seen]:
    """Schedules "will look at "real" iterations value (optimizer steps)", not at updates."""
    if not _accumulates(keras):
        return
    rates = keras.optimizers.schedules.PiecewiseConstantDecay([1], [1.0, 0.5])
    optimizer, weight = keras.optimizers.SGD(rates, gradient_accumulation_steps=2), variable(keras, [1])
    seen = [step(optimizer, [weight], [1.0])[0][0] for _ in range(4)]
    yield "weights", [1.0, 0.0, 0.0, -0.5], seen


def constraints_of_accumulated_steps(keras: Any, _: Path) -> Iterator[Seen]:
    """A weight that no step changes is not constrained again."""
    if not _accumulates(keras):
        return
    optimizer, weight = keras.optimizers.SGD(1.0, gradient_accumulation_steps=2), variable(keras, [8])
    weight.constraint = halved(keras)
    seen = [step(optimizer, [weight], [0.0])[0][0] for _ in range(4)]
    yield "weights", [8.0, 4.0, 4.0, 2.0], seen


def limits_of_accumulated_steps(keras: Any, _: Path) -> Iterator[Seen]:
    """After an update of accumulated gradients, a weight is within its constraint."""
    if not _accumulates(keras):
        return
    weight = variable(keras, [1, 1])
    weight.constraint = keras.constraints.NonNeg()
    optimizer = keras.optimizers.SGD(1.0, gradient_accumulation_steps=2)
    after = [step(optimizer, [weight], [[2.0, 0.5]])[0] for _ in range(2)]
    yield "weights", [[1.0, 1.0], [0.0, 0.5]], after


def accumulated_lookups(keras: Any, _: Path) -> Iterator[Seen]:
    """Gradients of looked-up rows add up to those of the whole table, rows that come twice too."""
    if not _accumulates(keras):
        return
    optimizer, weight = keras.optimizers.SGD(1.0, gradient_accumulation_steps=2), variable(keras, np.zeros((3, 1)))
    first = looked_up([1, 1], ([2.0], [4.0]), 3)
    yield "after the first", [[0.0], [0.0], [0.0]], step(optimizer, [weight], [first])[0]
    second = looked_up([2], ([6.0],), 3)
    yield "after the second", [[0.0], [-3.0], [-3.0]], step(optimizer, [weight], [second])[0]


def accumulated_beside_missing_gradients(keras: Any, _: Path) -> Iterator[Seen]:
    """Each weight has its own sum, also where another one has no gradient."""
    if not _accumulates(keras):
        return
    optimizer = keras.optimizers.SGD(1.0, gradient_accumulation_steps=2)
    weights = [variable(keras, [0]) for _ in range(3)]
    for slopes in ([2.0, 4.0, 8.0], [None, 4.0, 8.0], [None, 2.0, 4.0], [6.0, 2.0, 4.0]):
        after = step(optimizer, weights, slopes)
    # On JAX the sum of the first one outlives the update in which it has no gradient.
    first = 1 if on_jax() else 0
    yield "weights after two updates", [[-3.0], [-6.0], [-12.0]][first:], after[first:]


def accumulated_maxima(keras: Any, _: Path) -> Iterator[Seen]:
    """A variable that is overwritten gets the largest of the gradients, which no loss scale divides."""
    if not _accumulates(keras) or not hasattr(keras.optimizers.SGD(0.1), "_overwrite_variable_with_gradient"):
        return
    optimizer = keras.optimizers.SGD(1.0, gradient_accumulation_steps=2, loss_scale_factor=2.0)
    weights = [variable(keras, [0]), variable(keras, [9])]
    weights[1].overwrite_with_gradient = True
    seen = [step(optimizer, weights, [2.0, given])[1][0] for given in (5.0, 3.0, 2.0, 1.0)]
    yield "overwritten", [9.0, 5.0, 5.0, 2.0], seen
    yield "weight beside it", [-2.0], values(weights[0])


def overwritten_variables(keras: Any, _: Path) -> Iterator[Seen]:
    """``overwrite_with_gradient``: the gradient is the new value, neither clipped, decayed, scaled nor in momenta."""
    if not hasattr(keras.optimizers.SGD(0.1), "_overwrite_variable_with_gradient"):
        return
    optimizer = keras.optimizers.SGD(1.0, momentum=0.5, weight_decay=0.5, global_clipnorm=1.0, loss_scale_factor=2.0)
    weights = [variable(keras, [0]), variable(keras, [9])]
    weights[1].overwrite_with_gradient = True
    step(optimizer, weights, [4.0, 6.0])
    yield "weights after a step", [[-1.0], [6.0]], values(weights)
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0), initial_scale=2.0)
    weights = [variable(keras, [0]), variable(keras, [9])]
    weights[1].overwrite_with_gradient = True
    step(scaled, weights, [4.0, 6.0])
    yield "weights after a scaled step", [[-2.0], [6.0]], values(weights)
    optimizer = keras.optimizers.SGD(1.0)
    yield "weight that is alone", [2.0], step(optimizer, weights[1:], [2.0])[0]
    yield "count of its steps", 1, the_number(optimizer.iterations)


def clipped_gradients(keras: Any, _: Path) -> Iterator[Seen]:
    """By length, by value, together; what is short stays, what is zero too, and None is no gradient of length 0."""
    if not is_keras_3(keras):
        return
    for options, expected in (
        ({"clipnorm": 1.0}, [[-0.6, -0.8], [0.25], [0.0]]),
        ({"clipvalue": 0.5}, [[-0.5, -0.5], [0.25], [0.0]]),
        ({"global_clipnorm": 1.0}, [[-0.599251, -0.799001], [0.049938], [0.0]]),
        ({"global_clipnorm": 100.0}, [[-3.0, -4.0], [0.25], [0.0]]),
    ):
        weights = [variable(keras, one) for one in ([0, 0], [0], [0], [0])]
        after = step(keras.optimizers.SGD(1.0, **options), weights, [np.array([3.0, 4.0]), -0.25, 0.0, None])
        yield f"whether right by {options}", True, all(map(close, after, [*expected, [0.0]]))


def clipped_lookups(keras: Any, _: Path) -> Iterator[Seen]:
    """The gradient of an Embedding has the length of all its rows, those that are not looked up are zero."""
    if not is_keras_3(keras):
        return
    for options, rows in (
        ({"clipnorm": 1.0}, [[-0.6], [0.0], [-0.8]]),
        ({"clipvalue": 0.5}, [[-0.5], [0.0], [-0.5]]),
        ({"global_clipnorm": 1.0}, [[-0.6], [0.0], [-0.8]]),
        ({"weight_decay": 0.5}, [[-3.0], [0.0], [-4.0]]),
    ):
        weight = variable(keras, np.zeros((3, 1)))
        after = step(keras.optimizers.SGD(1.0, **options), [weight], [looked_up([0, 2], ([3.0], [4.0]), 3)])
        yield f"whether right by {options}", True, close(after[0], rows)


def clipped_lookups_of_one_row(keras: Any, _: Path) -> Iterator[Seen]:
    """A row that is looked up twice has the sum of both gradients, which is what is clipped."""
    for options in ({"clipnorm": 1.0}, {"clipvalue": 1.0}, {"global_clipnorm": 1.0}) if is_keras_3(keras) else ():
        weight = variable(keras, np.zeros((2, 1)))
        after = step(keras.optimizers.SGD(1.0, **options), [weight], [looked_up([1, 1], ([3.0], [3.0]), 2)])
        yield f"whether right by {options}", True, close(after[0], [[0.0], [-1.0]])


def decayed_lookups(keras: Any, _: Path) -> Iterator[Seen]:
    """All rows of a table decay, also those that are not looked up."""
    if not is_keras_3(keras):
        return
    weight = variable(keras, np.ones((3, 1)))
    after = step(keras.optimizers.SGD(1.0, weight_decay=0.5), [weight], [looked_up([0], ([0.25],), 3)])
    yield "rows", [[0.25], [0.5], [0.5]], after[0]


def clipped_losses(keras: Any, _: Path) -> Iterator[Seen]:
    """In training too, after the mean over the batch, and not of what is reported."""
    if not is_keras_3(keras):
        return
    model = scalar_model(keras, keras.optimizers.SGD(1.0, clipvalue=2.0), run_eagerly=True)
    yield "weight after gradients 9 and −1", -1.0, stepped(model, 9.0, -1.0)
    yield "weight after gradients 9 and −8", -1.5, stepped(model, 9.0, -8.0)


GATHERED: Mapping[str, Row] = table(
    accumulated_batches,
    counts_of_accumulated_steps,
    rates_of_accumulated_steps,
    constraints_of_accumulated_steps,
    limits_of_accumulated_steps,
    accumulated_lookups,
    accumulated_beside_missing_gradients,
    accumulated_maxima,
    overwritten_variables,
    clipped_gradients,
    clipped_lookups,
    clipped_lookups_of_one_row,
    decayed_lookups,
    clipped_losses,
)
