"""Optimizers that have a part of the weights each, and two that are documented apart: Muon, ScheduleFreeAdamW.

Source: https://keras.io/api/optimizers/, the pages of ``MultiOptimizer``, ``Muon`` and ``ScheduleFreeAdamW``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.catalog.optimizers import MUON, SCHEDULE_FREE
from initcheck.evidence.composition.promises import (
    Row,
    Seen,
    close,
    is_keras_3,
    normals,
    refusal,
    table,
    tensorflows,
    values,
)
from initcheck.evidence.steps.hand_steps import fitted, scalar_model, step, the_number, variable
from initcheck.frameworks.arrays import as_array

# The classes that hold other optimizers, with the arguments that rows give.
WRAPPERS: Mapping[str, tuple[str, ...]] = {
    "MultiOptimizer": ("optimizer_map", "loss_scale_factor"),
    "LossScaleOptimizer": ("inner_optimizer", "initial_scale", "dynamic_growth_steps"),
}


def optimizers_by_path(keras: Any, _: Path) -> Iterator[Seen]:
    """A map gives the optimizer of exactly this path, or of the one pattern that matches all of it, or its default."""
    kind = getattr(keras.optimizers, "OptimizerMap", None)
    if kind is None:
        return
    slow, fast, first = (keras.optimizers.SGD(rate) for rate in (0.25, 1.0, 0.5))
    mapped = kind(slow, {"encoder/.*": fast, "decoder": first})
    mapped["encoder/layer_0/dense"] = first
    for path, optimizer in (
        ("encoder/layer_0/dense", first),
        ("encoder/layer_0/attention", fast),
        ("encoder", slow),
        ("decoder/encoder/a", slow),
        ("decoder", first),
        ("decoder/layer_0", slow),
    ):
        yield f"whether {path} has its own", True, mapped[path] is optimizer
    yield "default", True, mapped.default_optimizer is slow
    yield "keys", ["encoder/.*", "decoder", "encoder/layer_0/dense"], list(mapped)
    yield "number of keys", 3, len(mapped)
    mapped["encoder/layer_[0-9]/x"] = first
    yield "raised for two patterns", "ValueError", refusal(lambda: mapped["encoder/layer_0/x"])
    yield "raised for a second time", "ValueError", refusal(mapped.__setitem__, "encoder/.*", slow)
    yield "raised for no optimizer", "ValueError", refusal(mapped.__setitem__, "a", "no")
    del mapped["encoder/layer_[0-9]/x"]
    yield "whether a key is gone", False, "encoder/layer_[0-9]/x" in list(mapped)
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0))
    yield "raised for one that scales", "ValueError", refusal(mapped.__setitem__, "a", scaled)
    yield "raised for no default", "TypeError", refusal(lambda: kind("no"))


def several_optimizers(keras: Any, _: Path) -> Iterator[Seen]:
    """Each weight is moved by its own optimizer: in ``fit``, counted, scaled, clipped and averaged."""
    kind = getattr(keras.optimizers, "MultiOptimizer", None)
    if kind is None:
        return
    make = keras.optimizers
    weights = [variable(keras, [0], name) for name in ("a", "b", "c")]
    given = {
        weights[0].path: make.SGD(1.0, momentum=0.5),
        weights[1].path: make.SGD(0.5, clipvalue=1.0, use_ema=True, ema_momentum=0.5),
    }
    optimizer = kind(make.OptimizerMap(make.SGD(0.25), given), loss_scale_factor=2.0)
    yield "scaled loss", 6.0, the_number(optimizer.scale_loss(3.0))
    yield "after a step", [[-1.0], [-0.5], [-0.25]], step(optimizer, weights, [2.0, 4.0, 2.0])
    yield "after two", [[-2.5], [-1.0], [-0.5]], step(optimizer, weights, [2.0, 4.0, 2.0])
    optimizer.finalize_variable_values(weights)
    yield "in the end", [[-2.5], [-0.75], [-0.5]], values(weights)
    yield "counts", [2, 2, 2, 2], [the_number(one.iterations) for one in (optimizer, *optimizer.optimizers)]
    yield "raised as one reads the rate", "AttributeError", refusal(lambda: optimizer.learning_rate)
    yield "raised as one assigns the rate", "AttributeError", refusal(setattr, optimizer, "learning_rate", 0.1)
    yield "factor of each", [2.0] * 3, [one.loss_scale_factor for one in optimizer.optimizers]
    yield "raised for too few gradients", "ValueError", refusal(optimizer.apply, [np.ones(1)])
    yield (
        "raised by one within another",
        "ValueError",
        refusal(kind(lambda _: kind(make.OptimizerMap(make.SGD(1.0)))).build, weights),
    )
    yield (
        "raised by one that scales",
        "ValueError",
        refusal(kind(lambda _: make.LossScaleOptimizer(make.SGD(1.0))).build, weights),
    )


def several_optimizers_in_fit(keras: Any, folder: Path) -> Iterator[Seen]:
    """In a model, chosen by a function, within a scaled loss, and from a file with all state."""
    kind = getattr(keras.optimizers, "MultiOptimizer", None)
    if kind is None:
        return
    make = keras.optimizers
    parts = {"first": make.SGD(1.0, momentum=0.5), "last": make.Adam(0.5)}
    layers = [keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", name=name) for name in parts]
    model = keras.Sequential([keras.Input((1,)), *layers])
    chosen = kind(lambda weight: parts["first" if "first" in weight.path else "last"])
    model.compile(make.LossScaleOptimizer(chosen, 4.0), "mse", run_eagerly=True)
    x = np.ones((1, 1), np.float32)
    model.train_on_batch(x, 0 * x)
    yield "weights after a step", [[[-1.0]], [[0.5]]], np.round(values([one.kernel for one in layers]), 5).tolist()
    yield "whether both have moved on", [1, 1], [the_number(one.iterations) for one in parts.values()]
    mapped = make.OptimizerMap(make.Adam(0.5), {".*first.*": make.SGD(1.0, momentum=0.5)})
    model.compile(kind(mapped), "mse", run_eagerly=True)
    model.train_on_batch(x, x)
    model.save(folder / "several.keras")
    again = keras.models.load_model(folder / "several.keras")
    again.compile(again.optimizer, "mse", run_eagerly=True)
    yield "rates of a loaded one", [1.0, 0.5], [the_number(one.learning_rate) for one in again.optimizer.optimizers]
    yield "configuration", True, model.optimizer.get_config() == again.optimizer.get_config()
    for one in (model, again):
        one.train_on_batch(x, 2 * x)
    yield "weights after the next step", values(model.weights), values(again.weights)


def state_of_several_optimizers(keras: Any, _: Path) -> Iterator[Seen]:
    """The variables of all, which ``set_weights`` takes."""
    kind = getattr(keras.optimizers, "MultiOptimizer", None)
    if kind is None:
        return
    make = keras.optimizers

    def made() -> tuple[Any, list[Any]]:
        weights = [variable(keras, [0], name) for name in ("a", "b")]
        given = {weights[1].path: make.Adam(0.5)}
        return kind(make.OptimizerMap(make.SGD(1.0, momentum=0.5), given)), weights

    (first, weights), (second, others) = made(), made()
    yield "raised before it is built", "ValueError", refusal(first.set_weights, [])
    step(first, weights, [1.0, 2.0])
    second.build(others)
    second.set_weights([as_array(one) for one in first.variables])
    for one, right in zip(others, weights, strict=True):
        one.assign(right)
    yield "next step", step(first, weights, [3.0, 0.0]), step(second, others, [3.0, 0.0])


def state_beside_an_idle_optimizer(keras: Any, _: Path) -> Iterator[Seen]:
    """``set_weights`` takes the variables of all also where the default has no weight."""
    kind = getattr(keras.optimizers, "MultiOptimizer", None)
    if kind is None:
        return
    make = keras.optimizers
    optimizer, weight = kind(make.OptimizerMap(make.Adam(0.5), {".*": make.SGD(1.0)})), variable(keras, [0])
    yield "weight after a step", [-1.0], step(optimizer, [weight], [1.0])[0]
    state = [as_array(one) for one in optimizer.variables]
    yield "raised by its own state", "", refusal(optimizer.set_weights, state)


def optimizers_by_path_of_a_loaded_model(keras: Any, folder: Path) -> Iterator[Seen]:
    """A weight that is mapped by its path has the same optimizer in the model that is loaded, with its state."""
    kind = getattr(keras.optimizers, "MultiOptimizer", None)
    if kind is None:
        return
    make = keras.optimizers
    layers = [keras.layers.Dense(1, use_bias=False, kernel_initializer="ones") for _ in range(2)]
    model, x = keras.Sequential([keras.Input((1,)), *layers]), np.ones((1, 1), np.float32)
    mapped = make.OptimizerMap(make.SGD(0.25), {layers[0].kernel.path: make.SGD(0.5, momentum=0.5)})
    model.compile(kind(mapped), "mse", run_eagerly=True)
    model.train_on_batch(x, 0 * x)
    model.save(folder / "mapped.keras")
    again = keras.models.load_model(folder / "mapped.keras")
    chosen = [the_number(again.optimizer._optimizer_map(one).learning_rate) for one in again.trainable_weights]
    yield "rates of the loaded model's weights", [0.5, 0.25], chosen
    yield "count", 1, the_number(again.optimizer.iterations)


def matrices_of_muon(keras: Any, _: Path) -> Iterator[Seen]:
    """AdamW moves "any variable that isn't 2D", embeddings, and layers that are excluded."""
    kind = getattr(keras.optimizers, MUON.name, None)
    if kind is None:
        return
    given = normals(3, 3, 2)
    layers = [
        keras.layers.Dense(2, use_bias=False, name="middle"),
        keras.layers.Dense(2, use_bias=False, name="output_head"),
        keras.layers.Embedding(3, 2),
    ]
    for layer in layers:
        layer.build((None, 3))
    deep = variable(keras, np.zeros((2, 3, 2)))
    for options, by_adam in (
        ({}, [False, False, True, True]),
        ({"exclude_layers": ["head"]}, [False, True, True, True]),
        ({"exclude_layers": ["mid", "nothing"], "exclude_embeddings": False}, [True, False, False, True]),
    ):
        for layer in layers:
            layer.set_weights([np.zeros((3, 2))])
        deep.assign(np.zeros((2, 3, 2)))
        weights = [*(layer.weights[0] for layer in layers), deep]
        after = step(kind(0.25, **options), weights, [given, given, given, np.stack([given, given])])
        # The first step of Adam is the rate, whatever the gradient.
        moved = [close(np.abs(one), np.full(np.shape(one), 0.25), 1e-3) for one in after]
        yield f"whether Adam has moved each, {options}", by_adam, moved
    for decay, of_adam, expected in ((0.5, None, [0.875, 1.0]), (None, 0.5, [1.0, 0.875]), (0.5, 1.0, [0.875, 0.75])):
        weights = [variable(keras, np.ones((2, 2))), variable(keras, [1.0, 1.0])]
        after = step(kind(0.25, weight_decay=decay, adam_weight_decay=of_adam), weights, [0.0, 0.0])
        yield f"weights that decay by {decay} and {of_adam}", expected, [float(np.mean(one)) for one in after]


@tensorflows("variables of TensorFlow")
def weights_of_tensorflow(keras: Any, _: Path) -> Iterator[Seen]:
    """Variables of TensorFlow are trained as those of Keras are."""
    import tensorflow as tf

    kind = getattr(keras.optimizers, MUON.name, None)
    if kind is None:
        return
    weights = [tf.Variable(normals(3, 3, 2)), variable(keras, normals(3, 3, 2))]
    for one in weights:
        step(kind(0.25), [one], [normals(4, 3, 2)])
    yield "whether both are the same", True, close(weights[0], weights[1])


@tensorflows("variables of TensorFlow")
def weights_of_both_kinds(keras: Any, _: Path) -> Iterator[Seen]:
    """Variables of TensorFlow and of Keras are trained side by side, and may lack a gradient."""
    import tensorflow as tf

    if not is_keras_3(keras):
        return
    for order in (1, -1):
        for gradients, expected in (([1.0, 1.0], [[0.0], [0.0]]), ([None, 1.0], [[1.0], [0.0]])):
            weights = [tf.Variable([1.0]), variable(keras, [1])][::order]
            words = f"{type(weights[0]).__module__.split('.')[0]} first, gradients {gradients}"
            yield f"weights, {words}", expected, step(keras.optimizers.SGD(1.0), weights, gradients)


def _free(start: float, slopes: list[float], warm: int = 0, decay: float = 0.0) -> tuple[float, float]:
    """Weight and average of Schedule-Free AdamW, as in the paper's algorithm 1; rate, beta_1 and beta_2 are ½."""
    fast = average = weight = start
    power = total = 0.0
    for number, slope in enumerate(slopes, start=1):
        rate = 0.5 * min(1.0, number / warm if warm else 1.0)
        power = 0.5 * power + 0.5 * slope**2
        size = (power / (1 - 0.5**number)) ** 0.5 + 1e-8
        fast -= rate * (slope / size + decay * weight)
        total += rate**2
        share = rate**2 / total
        average = (1 - share) * average + share * fast
        weight = 0.5 * fast + 0.5 * average
    return weight, average


def _freed(keras: Any, slopes: list[float], **options: Any) -> float:
    optimizer = keras.optimizers.ScheduleFreeAdamW(0.5, beta_1=0.5, beta_2=0.5, **options)
    weight = variable(keras, [2])
    for slope in slopes:
        step(optimizer, [weight], [slope])
    return round(the_number(weight), 4)


def first_steps_free_of_schedules(keras: Any, _: Path) -> Iterator[Seen]:
    """The first step of each warm-up: the weight, the fast one and its average are one."""
    if hasattr(keras.optimizers, SCHEDULE_FREE.name):
        for warm in (0, 1, 4):
            yield (
                f"weight after a step, {warm} of them to warm up",
                round(_free(2.0, [1.0], warm)[0], 4),
                _freed(keras, [1.0], warmup_steps=warm),
            )


def steps_free_of_schedules(keras: Any, _: Path) -> Iterator[Seen]:
    """The weight is between the fast one and its average."""
    if hasattr(keras.optimizers, SCHEDULE_FREE.name):
        slopes = [1.0, -2.0, 3.0, 1.0]
        yield "weight after four", round(_free(2.0, slopes)[0], 4), _freed(keras, slopes)


def decay_free_of_schedules(keras: Any, _: Path) -> Iterator[Seen]:
    """The fast weight decays, by rate times decay of the weight, from the first step."""
    if hasattr(keras.optimizers, SCHEDULE_FREE.name):
        yield "weight", round(_free(2.0, [1.0], decay=0.25)[0], 4), _freed(keras, [1.0], weight_decay=0.25)


def warmup_free_of_schedules(keras: Any, _: Path) -> Iterator[Seen]:
    """The rate "linearly increases from 0"; averages weigh a step by the square of its rate."""
    if hasattr(keras.optimizers, SCHEDULE_FREE.name):
        slopes = [1.0, -2.0, 3.0]
        yield "weight after three", round(_free(2.0, slopes, warm=4)[0], 4), _freed(keras, slopes, warmup_steps=4)


@tensorflows("graphs that assign variables")
def graphs_free_of_schedules(keras: Any, _: Path) -> Iterator[Seen]:
    """A first step within a graph is the step that it is without."""
    if hasattr(keras.optimizers, SCHEDULE_FREE.name):
        import tensorflow as tf

        optimizer, weight = keras.optimizers.ScheduleFreeAdamW(0.5, beta_1=0.5, beta_2=0.5), variable(keras, [2])
        tf.function(lambda slope: optimizer.apply([slope], [weight]))(tf.constant([1.0]))
        yield "weight", round(_free(2.0, [1.0])[0], 4), round(the_number(weight), 4)


def averages_free_of_schedules(keras: Any, _: Path) -> Iterator[Seen]:
    """The averaged sequence is "used for evaluation": it is what ``fit`` leaves."""
    if hasattr(keras.optimizers, SCHEDULE_FREE.name):
        optimizer = keras.optimizers.ScheduleFreeAdamW(0.5, beta_1=0.5, beta_2=0.5)
        model = scalar_model(keras, optimizer, start=2.0, run_eagerly=True)
        slopes = [1.0, 1.0, 1.0]
        yield "weight", round(_free(2.0, slopes)[1], 4), round(fitted(model, slopes), 4)


SEVERAL: Mapping[str, Row] = table(
    optimizers_by_path,
    several_optimizers,
    several_optimizers_in_fit,
    state_of_several_optimizers,
    state_beside_an_idle_optimizer,
    optimizers_by_path_of_a_loaded_model,
    matrices_of_muon,
    weights_of_tensorflow,
    weights_of_both_kinds,
    first_steps_free_of_schedules,
    steps_free_of_schedules,
    decay_free_of_schedules,
    warmup_free_of_schedules,
    graphs_free_of_schedules,
    averages_free_of_schedules,
)
