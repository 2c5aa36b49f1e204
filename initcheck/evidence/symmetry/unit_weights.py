"""A net of one convolution or recurrent layer, trained step by step, the weights of its units read after each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.catalog.optimizers import SMOOTH
from initcheck.evidence.toy_models import make_model
from initcheck.evidence.trace import Array
from initcheck.frameworks.floatx import floatx

if TYPE_CHECKING:
    from initcheck.catalog.layers.traits.computing import EqualUnits
    from initcheck.catalog.recipes import UnitNet

RATE = 0.1
_DTYPE = "float64"


@dataclass(frozen=True)
class UnitTrajectory:
    """The weights of equal units at every step of a training.

    Attributes:
        weights: By name; shape ``(1 + steps, kinds, units)``; values along the last axis must stay equal.
        losses: The loss of each step.
    """

    weights: dict[str, Array]
    losses: Array


def train_units(keras: Any, net: UnitNet, seed: int) -> UnitTrajectory:
    """Trains a net of ``catalog.cases.units`` and returns its weight trajectory."""
    with floatx(keras, _DTYPE):
        return _train(keras, net, seed)


def _train(keras: Any, net: UnitNet, seed: int) -> UnitTrajectory:
    keras.utils.set_random_seed(seed)
    stream = np.random.RandomState(seed % 2**32)
    units = net.units
    x = stream.normal(size=(net.steps, net.batch_size, *units.input_shape))
    y = stream.uniform(size=(net.steps, net.batch_size, 1))
    constant = keras.initializers.Constant(net.kernel)
    layer = getattr(keras.layers, units.layer)(
        activation=net.activation,
        kernel_initializer=constant,
        dtype=_DTYPE,
        **({"recurrent_initializer": constant} if units.recurrent else {}),
        **units.arguments,
    )
    pooling = [getattr(keras.layers, units.pooling)(dtype=_DTYPE)] if units.pooling else []
    output = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=constant, dtype=_DTYPE)
    model = make_model(keras, [layer, *pooling, output], units.input_shape, "sequential", _DTYPE)
    rule = SMOOTH[net.optimizer]
    optimizer = getattr(keras.optimizers, rule.optimizer.name)(**{**rule.config, "learning_rate": RATE})
    model.compile(optimizer=optimizer, loss="binary_crossentropy", run_eagerly=True)
    seen, losses = [(layer.get_weights(), output.get_weights())], []
    for inputs, outputs in zip(x, y, strict=True):
        losses.append(float(np.ravel(model.train_on_batch(inputs, outputs))[0]))
        seen.append((layer.get_weights(), output.get_weights()))
    return UnitTrajectory(_by_unit(units, seen), np.array(losses))


def _by_unit(units: EqualUnits, seen: list[tuple[list[Array], list[Array]]]) -> dict[str, Array]:
    """Weights with the units last; of a recurrent kernel, which has units on both sides, every pair of them."""
    by_unit = {}
    names = ("kernel", "recurrent kernel", "bias") if units.recurrent else ("kernel", "bias")
    for number, name in enumerate(names):
        steps = np.stack([step[0][number] for step in seen])
        split: Array = steps.reshape(len(steps), -1, units.gates, steps.shape[-1] // units.gates)
        if name == "recurrent kernel":
            split = split.transpose(0, 2, 1, 3).reshape(len(steps), units.gates, -1)
        by_unit[name] = split.reshape(len(steps), -1, split.shape[-1])
    by_unit["output kernel"] = np.stack([step[1][0].T for step in seen])
    return by_unit
