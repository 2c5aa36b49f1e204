"""Many members of one architecture side by side: the weights of all of them in one tensor, the members' axis last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.catalog.activations import ACTIVATIONS, ActivationKind
from initcheck.catalog.layers import select
from initcheck.catalog.layers.traits.engines import Stackable, Stacking
from initcheck.engines.initial_weights import UnsuitableError

_STACKABLE = {one.layer: one.how for one in select(Stackable)}


@dataclass(frozen=True)
class Network:
    """Members trained side by side.

    Attributes:
        width: The number of members.
        variables: Their weights, shape ``(*shape, width)``; of a single member its model's own.
        forward: ``forward(x, hold)`` gives the outputs, shape ``(rows × width, outputs)``, of inputs shared by all
            members; ``hold`` is put around what the compiler must compute once and keep.
        logits: Of networks of one output, ``logits(x, hold)`` gives what its activation is taken of, shape
            ``(rows, width)``; None for others.
        activation: The activation of the last layer, if it is known.
    """

    width: int
    variables: Sequence[Any]
    forward: Callable[[Any, Any], Any]
    logits: Callable[[Any, Any], Any] | None = None
    activation: Any = None


def single(model: Any) -> Network:
    """One member: Keras's own model."""
    return Network(1, model.trainable_variables, lambda x, _: model(x, training=True))


def stacked(keras: Any, model: Any, width: int) -> Network:
    """Members of a dense network side by side.

    Dense layers are written as contractions over the inputs' axis, with the layer's own activation function; the last
    activation gets its outputs on the last axis, as Keras's losses want them.

    Raises:
        UnsuitableError: The model has another layer, or is no chain.
    """
    import tensorflow as tf

    chain = _chain(keras, model)
    own = model.trainable_variables
    variables = [keras.Variable(np.zeros((*weight.shape, width), "float32"), name=weight.name) for weight in own]
    places = {id(weight): place for place, weight in enumerate(own)}

    def weights_of(layer: Any) -> list[Any]:
        return [variables[places[id(weight)]].value for weight in layer.trainable_variables]

    *inner, last = chain

    def last_inputs(x: Any, hold: Callable[[Any], Any]) -> Any:
        """What the last activation is taken of, shape ``(units, rows, width)``."""
        for layer in inner:
            x = _apply(keras, layer, weights_of(layer), x, hold)
        weights = weights_of(last)
        return hold(tf.transpose(_weigh(last, weights, x) if weights else x, (1, 0, 2)))

    def forward(x: Any, hold: Callable[[Any], Any]) -> Any:
        # The members are innermost and the units outermost. What Keras wants, a matrix with a row of outputs for each
        # member of each row, is the same memory read by columns: XLA sees that, and turns its loops instead.
        units_first = last_inputs(x, hold)
        # Keras's losses look at the activation that they are fed by: nothing may come between.
        return last.activation(tf.transpose(tf.reshape(units_first, (units_first.shape[0], -1))))

    def logits(x: Any, hold: Callable[[Any], Any]) -> Any:
        return last_inputs(x, hold)[0]

    return Network(width, variables, forward, logits if last.output.shape[1:] == (1,) else None, last.activation)


def _chain(keras: Any, model: Any) -> list[Any]:
    """The model's layers in order, each fed by the one before it alone."""
    layers = [layer for layer in model.layers if type(layer) is not keras.layers.InputLayer]
    value = model.inputs[0] if len(model.inputs) == 1 else None
    for layer in layers:
        _require_stackable(keras, layer)
        if layer.input is not value:
            raise UnsuitableError(f"its layer {layer.name!r} is not fed by the layer before it alone")
        value = layer.output
    if not layers or len(model.outputs) != 1 or model.outputs[0] is not value:
        raise UnsuitableError("its layers are no chain")
    if _how(keras, layers[-1]) is not Stacking.WITH_ACTIVATION or len(value.shape) != 2:
        kinds = " or ".join(name for name, how in _STACKABLE.items() if how is Stacking.WITH_ACTIVATION)
        raise UnsuitableError(f"its last layer is no {kinds} of one row of outputs")
    return layers


def _require_stackable(keras: Any, layer: Any) -> None:
    how = _how(keras, layer)
    if how is None:
        raise UnsuitableError(f"its layer {layer.name!r} is a {type(layer).__name__}")
    if how is Stacking.WITH_ACTIVATION and _activation_of(keras, layer) is None:
        raise UnsuitableError(f"its layer {layer.name!r} has an activation that Keras does not provide")


def _apply(keras: Any, layer: Any, weights: Sequence[Any], x: Any, hold: Callable[[Any], Any]) -> Any:
    """The layer's outputs, members on the last axis."""
    import tensorflow as tf

    how = _how(keras, layer)
    if how is Stacking.FLATTENED:
        members = tuple(x.shape[len(layer.input.shape) :])  # none before the first layer with weights
        return tf.reshape(x, (x.shape[0], -1, *members))
    if how is Stacking.ELEMENTWISE:
        return layer.call(x)
    if weights:
        x = hold(_weigh(layer, weights, x))
    row = _activation_of(keras, layer)
    if row and row.elementwise:
        return layer.activation(x)
    rank = len(x.shape)
    features_last = layer.activation(tf.transpose(x, (0, rank - 1, *range(1, rank - 1))))
    return tf.transpose(features_last, (0, *range(2, rank), 1))


def _weigh(layer: Any, weights: Sequence[Any], x: Any) -> Any:
    """The input of the layer's activation, members on the last axis; inputs are shared or each member's own."""
    kernel, *bias = weights
    shared = len(x.shape) == len(layer.input.shape)
    return (_contract_shared(x, kernel) if shared else _contract(x, kernel)) + (bias[0] if bias else 0.0)


def _contract_shared(x: Any, kernel: Any) -> Any:
    """Inputs ``(rows, …, features)`` times kernels ``(features, units, members)``: one product of matrices."""
    import tensorflow as tf

    features, units, width = kernel.shape
    product = tf.tensordot(x, tf.reshape(kernel, (features, units * width)), 1)
    return tf.reshape(product, (*x.shape[:-1], units, width))


def _contract(x: Any, kernel: Any) -> Any:
    """Each member's inputs ``(rows, …, features, members)`` times its own kernel."""
    import tensorflow as tf

    return tf.reduce_sum(x[..., None, :] * kernel, axis=-3)


def _how(keras: Any, layer: Any) -> Stacking | None:
    """The way that members go through that layer; None where they cannot."""
    return next((how for name, how in _STACKABLE.items() if type(layer) is getattr(keras.layers, name)), None)


def _activation_of(keras: Any, layer: Any) -> ActivationKind | None:
    """The layer's activation, if it is Keras's own."""
    rows = (row for row in ACTIVATIONS.values() if layer.activation is getattr(keras.activations, row.name, None))
    return next(rows, None)
