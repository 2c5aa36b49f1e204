"""A net of dense hidden layers, trained step by step through ``train_on_batch``, its weights read after each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.catalog.optimizers import SMOOTH
from initcheck.catalog.recipes import Net
from initcheck.evidence.symmetry.unit_products import treats_units_equally
from initcheck.evidence.toy_data import net_rows
from initcheck.evidence.toy_models import make_model
from initcheck.evidence.trace import Array
from initcheck.frameworks.floatx import floatx
from initcheck.frameworks.instances import make_initializer
from initcheck.seeding import derive_seed
from initcheck.targets import backend_of, target

INPUTS = 5


@dataclass(frozen=True)
class WeightTrajectory:
    """The weights of a net at every step of its training.

    Attributes:
        kernels: For each dense layer, the output's last: shape ``(1 + steps, inputs, units)``, first values first.
        biases: For each dense layer: shape ``(1 + steps, units)``.
        orders: For each hidden layer, which unit stands at each place; the identity unless they were permuted.
        losses: The loss of each step.
        rate: The optimizer's learning rate.
        same_arithmetic: Whether this machine's matrix products treat all units by the same arithmetic.
    """

    kernels: tuple[Array, ...]
    biases: tuple[Array, ...]
    orders: tuple[Array, ...]
    losses: Array
    rate: float
    same_arithmetic: bool = True


def train_net(
    keras: Any, net: Net, seed: int, *, permuted: bool = False, row: Initializer | None = None
) -> WeightTrajectory:
    """Trains a net and returns its weight trajectory; with ``permuted``, its hidden units start in another order.

    Random kernels are of ``row``, by default of the catalogue's row that the net names.
    """
    with floatx(keras, net.dtype):
        return _train(keras, net, seed, permuted, row or INITIALIZERS[net.row])


def _train(keras: Any, net: Net, seed: int, permuted: bool, row: Initializer) -> WeightTrajectory:
    keras.utils.set_random_seed(seed)
    x, y = net_rows(net, INPUTS)
    layers: list[Any] = []
    for number, width in enumerate(net.widths):
        layers.append(_dense(keras, net, row, seed, number, width, net.activation))
        for kind, value in net.extra:
            layers.append(getattr(keras.layers, kind)(value, seed=seed + number))
    last = {"binary_crossentropy": "sigmoid", "categorical_crossentropy": "softmax"}.get(net.loss, "linear")
    layers.append(_dense(keras, net, row, seed, len(net.widths), y.shape[-1], last))
    model = make_model(keras, layers, (INPUTS,), "sequential", net.dtype)
    dense = [layer for layer in layers if isinstance(layer, keras.layers.Dense)]
    orders = tuple(_order(width, number) if permuted else np.arange(width) for number, width in enumerate(net.widths))
    _permute(dense, orders)
    rule = SMOOTH[net.optimizer]
    optimizer = getattr(keras.optimizers, rule.optimizer.name)(**rule.config)
    # On JAX each eager operation is a program of its own, and takes three times as long in all.
    eagerly = not net.graph and backend_of(target()) != "jax"
    model.compile(optimizer=optimizer, loss=net.loss, run_eagerly=eagerly)
    seen = [_read(dense)]
    losses = []
    for inputs, outputs in zip(x, y, strict=True):
        losses.append(float(np.ravel(model.train_on_batch(inputs, outputs))[0]))
        seen.append(_read(dense))
    return WeightTrajectory(
        kernels=tuple(np.stack([step[number][0] for step in seen]) for number in range(len(dense))),
        biases=tuple(np.stack([step[number][1] for step in seen]) for number in range(len(dense))),
        orders=orders,
        losses=np.array(losses),
        rate=rule.config["learning_rate"],
        same_arithmetic=treats_units_equally(net.batch_size, (INPUTS, *net.widths, y.shape[-1]), net.dtype),
    )


def _dense(keras: Any, net: Net, row: Initializer, seed: int, number: int, units: int, activation: str) -> Any:
    initializers = keras.initializers
    kernel = (
        make_initializer(row, derive_seed(seed, "kernel", number))
        if net.kernel is None
        else initializers.Constant(net.kernel)
        if net.kernel
        else initializers.Zeros()
    )
    bias = (
        initializers.RandomNormal(stddev=0.5, seed=derive_seed(seed, "bias", number))
        if net.bias is None
        else initializers.Constant(net.bias)
        if net.bias
        else initializers.Zeros()
    )
    hidden = number < len(net.widths)
    return keras.layers.Dense(
        units,
        activation=activation,
        kernel_initializer=kernel,
        bias_initializer=bias if hidden else "zeros",
        dtype=net.dtype,
    )


def _order(width: int, number: int) -> Array:
    """Another order of the units, in which the first and the last stand elsewhere."""
    order = np.random.RandomState(number + 1).permutation(width)
    return order if width < 2 or order[0] != 0 else np.roll(order, 1)


def _permute(dense: list[Any], orders: tuple[Array, ...]) -> None:
    for number, layer in enumerate(dense):
        kernel, bias = (np.array(value) for value in layer.get_weights())
        if number > 0:
            kernel = kernel[orders[number - 1]]
        if number < len(orders):
            kernel, bias = kernel[:, orders[number]], bias[orders[number]]
        layer.set_weights([kernel, bias])


def _read(dense: list[Any]) -> list[list[Array]]:
    return [[np.array(value) for value in layer.get_weights()] for layer in dense]
