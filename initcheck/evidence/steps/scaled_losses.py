"""Losses that are scaled for float16, by a constant or as gradients overflow.

Source: https://keras.io/api/optimizers/loss_scale_optimizer: "On any train step, if a nonfinite gradient is
encountered, the loss scale is halved, and the train step is skipped. If ``dynamic_growth_steps`` have occurred since
the last time the loss scale was updated, and no nonfinite gradients have occurred, the loss scale is doubled."
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.catalog.optimizers import SGD
from initcheck.evidence.composition.promises import (
    Row,
    Seen,
    close,
    inputs,
    is_keras_3,
    lacked_by,
    refusal,
    table,
    values,
)
from initcheck.evidence.steps.hand_steps import (
    fitted,
    looked_up,
    scalar_model,
    step,
    stepped,
    the_number,
    variable,
    weight_of,
)
from initcheck.frameworks.backend_calls import as_tensor

_INFINITE = float("inf")


def constant_scales(keras: Any, _: Path) -> Iterator[Seen]:
    """The loss is multiplied, gradients are divided before they are clipped, and the report is the loss itself."""
    if not is_keras_3(keras):
        return
    optimizer = keras.optimizers.SGD(1.0, loss_scale_factor=8.0, clipvalue=2.0)
    yield "a scaled loss", 24.0, the_number(optimizer.scale_loss(3.0))
    yield "a loss without a scale", 3.0, the_number(keras.optimizers.SGD(1.0).scale_loss(3.0))
    model = scalar_model(keras, optimizer, run_eagerly=True)
    x = np.array([[0.5]], np.float32)
    yield "reported loss", 0.5, float(model.train_on_batch(x, x))
    yield "weight", 0.5, weight_of(model)
    yield "weight after a large gradient", -1.5, stepped(model, 3.0)


def constant_scales_of_lookups(keras: Any, _: Path) -> Iterator[Seen]:
    """An Embedding is trained under a scale like any layer."""
    if not is_keras_3(keras):
        return
    weight = variable(keras, np.zeros((3, 1)))
    optimizer = keras.optimizers.SGD(1.0, loss_scale_factor=2.0)
    yield "rows", [[0.0], [-2.0], [0.0]], step(optimizer, [weight], [looked_up([1], ([4.0],), 3)])[0]


def dynamic_scales(keras: Any, _: Path) -> Iterator[Seen]:
    """Doubled after so many finite steps in a row, halved by a step that overflows, which is skipped."""
    if not is_keras_3(keras):
        return
    inner = keras.optimizers.SGD(1.0, momentum=0.5)
    optimizer, weight = keras.optimizers.LossScaleOptimizer(inner, 8.0, 2), variable(keras, [0])
    yield "loss before the first step", 24.0, the_number(optimizer.scale_loss(3.0))
    moved, scales, counts = [], [], []
    for slope in (8.0, 8.0, 16.0, _INFINITE, 8.0, float("nan"), 4.0, 4.0, 8.0):
        moved.append(step(optimizer, [weight], [slope])[0][0])
        scales.append(the_number(optimizer.scale_loss(1.0)))
        counts.append(the_number(inner.iterations))
    yield "scales", [8.0, 16.0, 16.0, 8.0, 8.0, 4.0, 4.0, 8.0, 8.0], scales
    yield "counts of steps", [1, 2, 3, 3, 4, 4, 5, 6, 7], counts
    velocity, place, expected = 0.0, 0.0, []
    for finite in (True, True, True, False, True, False, True, True, True):
        if finite:
            velocity = 0.5 * velocity - 1.0
            place += velocity
        expected.append(place)
    yield "weights", expected, moved


def dynamic_scales_of_many(keras: Any, _: Path) -> Iterator[Seen]:
    """One number that is not finite, of any weight, skips the step of all; a missing gradient is none of them."""
    if not is_keras_3(keras):
        return
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0, weight_decay=0.5), 4.0)
    weights = [variable(keras, [1, 1]), variable(keras, [1]), variable(keras, [1])]
    step(optimizer, weights, [4.0, np.array([-_INFINITE]), None])
    yield "weights after one infinite number", [[1.0, 1.0], [1.0], [1.0]], values(weights)
    step(optimizer, weights, [2.0, 4.0, None])
    yield "weights after a finite step", [[-0.5, -0.5], [-1.5], [1.0]], values(weights)
    table_of, rows = variable(keras, np.zeros((3, 1))), looked_up([1], ([4.0],), 3)
    yield (
        "looked-up rows",
        [[0.0], [-2.0], [0.0]],
        step(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0), 2.0), [table_of], [rows])[0],
    )
    infinite = looked_up([2], ([_INFINITE],), 3)
    yield (
        "looked-up rows that overflow",
        [[0.0], [0.0], [0.0]],
        step(
            keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0), 2.0),
            [variable(keras, np.zeros((3, 1)))],
            [infinite],
        )[0],
    )


@lacked_by("scaled steps by apply, which fit takes by stateless_apply", "keras:jax")
def scales_of_some_variables(keras: Any, _: Path) -> Iterator[Seen]:
    """Gradients without variables are of those that it was built for; some of them may be given by name."""
    if not is_keras_3(keras):
        return
    weights = [variable(keras, [0]) for _ in range(2)]
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0), 2.0)
    optimizer.build(weights)
    optimizer.apply([as_tensor(inputs(2.0)), as_tensor(inputs(4.0))])
    yield "weights without names", [[-1.0], [-2.0]], values(weights)
    optimizer.apply([as_tensor(inputs(2.0))], [weights[1]])
    yield "weights, one of them by name", [[-1.0], [-3.0]], values(weights)


def dynamic_scales_in_fit(keras: Any, _: Path) -> Iterator[Seen]:
    """A policy of mixed_float16 wraps an optimizer, but one that is wrapped already or as ``auto_scale_loss`` says."""
    if not is_keras_3(keras):
        return
    kind, inner = keras.optimizers.LossScaleOptimizer, keras.optimizers.SGD(1.0)
    model = scalar_model(keras, kind(inner, 8.0, 3))
    slopes = (0.5, 0.5, _INFINITE, 0.5, 0.5, 0.5)
    yield "weight after five steps and an overflow", -1.5, fitted(model, slopes)
    yield "scale after an overflow and three steps", 8.0, the_number(model.optimizer.scale_loss(1.0))
    yield "count of steps", 5, the_number(model.optimizer.iterations)

    class Half(keras.Model):  # type: ignore[misc] # has no types
        def __init__(self) -> None:
            super().__init__(dtype="mixed_float16")

    half = Half()
    for words, optimizer, options, wrapped in (
        ("an optimizer", inner, {}, True),
        ("a name", SGD.identifier, {}, True),
        ("none", inner, {"auto_scale_loss": False}, False),
    ):
        half.compile(optimizer, "mse", **options)
        yield f"whether {words} is wrapped", wrapped, isinstance(half.optimizer, kind)
    given = kind(inner)
    half.compile(given, "mse")
    yield "whether one that is wrapped stays", True, half.optimizer is given


def small_gradients_in_half_precision(keras: Any, _: Path) -> Iterator[Seen]:
    """What underflows in float16 without a scale moves weights with one."""
    if not is_keras_3(keras):
        return
    for options, moved in (({}, 0.0), ({"loss_scale_factor": 4096.0}, 2.0**-26)):
        dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros", dtype="mixed_float16")
        model = keras.Sequential([keras.Input((1,)), dense])
        optimizer = keras.optimizers.SGD(1.0, **options)
        model.compile(optimizer, lambda _, output: output, run_eagerly=True, auto_scale_loss=False)
        x = np.full((1, 1), 2.0**-13, np.float32)
        model.train_on_batch(x, x, sample_weight=np.full(1, 2.0**-13, np.float32))
        yield f"moved by {options}", moved, -the_number(dense.kernel)
        yield f"type of weights by {options}", "float32", dense.kernel.dtype


def wrapped_options(keras: Any, _: Path) -> Iterator[Seen]:
    """Rate and count are the inner optimizer's, options are given to it alone; configurations keep it."""
    if not is_keras_3(keras):
        return
    kind = keras.optimizers.LossScaleOptimizer
    inner = keras.optimizers.SGD(0.5, momentum=0.25, loss_scale_factor=2.0)
    optimizer = kind(inner, initial_scale=4.0, dynamic_growth_steps=7)
    yield "rate", 0.5, the_number(optimizer.learning_rate)
    optimizer.learning_rate = 0.25
    yield "assigned rate of the inner one", 0.25, the_number(inner.learning_rate)
    yield "weight, scaled once", [-0.25], step(optimizer, [variable(keras, [0])], [4.0])[0]
    again = kind.from_config(optimizer.get_config())
    yield "configuration of a rebuilt one", optimizer.get_config(), again.get_config()
    yield "configuration of the inner one", inner.get_config(), again.inner_optimizer.get_config()
    yield "class by a serialized one", kind, type(keras.optimizers.deserialize(keras.optimizers.serialize(optimizer)))
    for options in ({"clipnorm": 1.0}, {"weight_decay": 0.1}, {"use_ema": True}, {"loss_scale_factor": 2.0}):
        yield (
            f"raised by {options}",
            "ValueError",
            refusal(lambda given=options: kind(keras.optimizers.SGD(1.0), **given)),
        )
    yield "raised by dynamic=False", "ValueError", refusal(lambda: kind(keras.optimizers.SGD(1.0), dynamic=False))


def state_of_scales(keras: Any, _: Path) -> Iterator[Seen]:
    """The scale, its count and the inner state are variables, and go on where they were."""
    if not is_keras_3(keras):
        return

    def made() -> tuple[Any, Any]:
        return keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.5), 4.0, 3), variable(keras, [1])

    (first, weight), (second, other) = made(), made()
    for slope in (2.0, _INFINITE, 1.0, 3.0):
        step(first, [weight], [slope])
    second.build([other])
    yield "number of variables", len(first.variables), len(second.variables)
    for one, right in zip(second.variables, first.variables, strict=True):
        one.assign(right)
    other.assign(weight)
    for slope in (1.0, 5.0):
        same = close(step(first, [weight], [slope]), step(second, [other], [slope]), 1e-7)
        yield f"whether the step of {slope} is the same", True, same
        yield f"scale after the step of {slope}", the_number(first.scale_loss(1.0)), the_number(second.scale_loss(1.0))


def accumulated_scaled_steps(keras: Any, _: Path) -> Iterator[Seen]:
    """The inner optimizer accumulates unscaled gradients, though the scale changes between; what overflows is none."""
    if not hasattr(keras.optimizers.SGD(0.1), "gradient_accumulation_steps"):
        return
    inner = keras.optimizers.SGD(1.0, gradient_accumulation_steps=2)
    optimizer, weight = keras.optimizers.LossScaleOptimizer(inner, 4.0, 1), variable(keras, [0])
    seen = [step(optimizer, [weight], [slope])[0][0] for slope in (4.0, _INFINITE, 12.0, 8.0)]
    yield "weights", [0.0, 0.0, -2.0, -2.0], seen


SCALED: Mapping[str, Row] = table(
    constant_scales,
    constant_scales_of_lookups,
    dynamic_scales,
    dynamic_scales_of_many,
    scales_of_some_variables,
    dynamic_scales_in_fit,
    small_gradients_in_half_precision,
    wrapped_options,
    state_of_scales,
    accumulated_scaled_steps,
)
