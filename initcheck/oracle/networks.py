"""The arithmetic of training, written from its formulas: outputs, losses and gradients of dense networks.

Everything works on float64 arrays and on ``Rounded`` ones, which give the tolerance along with the value.

Sources: Goodfellow, Bengio & Courville 2016, Deep Learning, sections 6.2 and 6.5, for outputs, losses and gradients;
https://keras.io/api/losses/ and https://keras.io/api/layers/activations/ for the names in Keras.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.oracle.rounding import OTHER_ORDER, Rounded

Array = Any  # a float64 array, or a Rounded
FUZZ = 1e-7  # keras.config.epsilon(): "the fuzz factor used in numeric expressions"


@dataclass(frozen=True)
class DenseNetwork:
    """Dense layers one after another; their weights are kernel and bias of each.

    Attributes:
        inputs: Columns of the input.
        widths: Units of each layer.
        activations: Activation of each layer.
    """

    inputs: int
    widths: tuple[int, ...]
    activations: tuple[str, ...]

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of the weights, kernel and bias of each layer in turn."""
        widths = (self.inputs, *self.widths)
        return [shape for a, b in itertools.pairwise(widths) for shape in ((a, b), (b,))]


def sigmoid(x: Array) -> Array:
    """1 / (1 + e⁻ˣ)."""
    return 1.0 / (1.0 + np.exp(-x))


def softmax(x: Array) -> Array:
    """Exponentials that sum to one, along the last axis."""
    shifted = np.exp(x - x.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def _below(x: Array) -> Array:
    return np.minimum(x, 0.0)


# Klambauer et al. 2017, https://arxiv.org/abs/1706.02515, equation 2.
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805

# Name → function of x, and its derivative from x and the function's value.
ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array, Array], Array]]] = {
    "linear": (lambda x: x, lambda x, f: 1.0 + 0.0 * x),
    "sigmoid": (sigmoid, lambda x, f: f * (1.0 - f)),
    "tanh": (np.tanh, lambda x, f: 1.0 - f * f),
    "relu": (lambda x: np.maximum(x, 0.0), lambda x, f: np.heaviside(x, 0.0)),
    "elu": (
        lambda x: np.maximum(x, 0.0) + (np.exp(_below(x)) - 1.0),
        lambda x, f: np.heaviside(x, 0.0) + (1.0 - np.heaviside(x, 0.0)) * np.exp(_below(x)),
    ),
    "selu": (
        lambda x: _SELU_SCALE * (np.maximum(x, 0.0) + _SELU_ALPHA * (np.exp(_below(x)) - 1.0)),
        lambda x, f: (
            _SELU_SCALE * (np.heaviside(x, 0.0) + _SELU_ALPHA * (1.0 - np.heaviside(x, 0.0)) * np.exp(_below(x)))
        ),
    ),
    "softplus": (lambda x: np.maximum(x, 0.0) + np.log1p(np.exp(-np.absolute(x))), lambda x, f: sigmoid(x)),
    "softsign": (lambda x: x / (1.0 + np.absolute(x)), lambda x, f: 1.0 / np.square(1.0 + np.absolute(x))),
    "exponential": (np.exp, lambda x, f: f),
    "swish": (lambda x: x * sigmoid(x), lambda x, f: sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x)))),
}


def activate(name: str, x: Array) -> Array:
    """The output of the activation of that name."""
    return softmax(x) if name == "softmax" else ACTIVATIONS[name][0](x)


def activation_gradient(name: str, x: Array, f: Array, gradient: Array) -> Array:
    """The loss's gradient at an activation's input, from that at its output."""
    if name == "softmax":
        return f * (gradient - (gradient * f).sum(axis=-1, keepdims=True))
    return gradient * ACTIVATIONS[name][1](x, f)


def forward(net: DenseNetwork, weights: Sequence[Array], x: Array) -> Array:
    """The output of the network."""
    return _layers(net, weights, x)[-1][2]


def _layers(net: DenseNetwork, weights: Sequence[Array], x: Array) -> list[tuple[Array, Array, Array]]:
    """Input, pre-activation and output of each layer."""
    layers = []
    for number, name in enumerate(net.activations):
        before = x @ weights[2 * number] + weights[2 * number + 1]
        after = activate(name, before)
        layers.append((x, before, after))
        x = after
    return layers


def backward(
    net: DenseNetwork, weights: Sequence[Array], x: Array, loss: str, y: Any, sample_weight: Any = 1.0
) -> tuple[Array, list[Array]]:
    """The mean loss over the rows, and its gradient for each weight.

    Args:
        net: The network.
        weights: Its weights.
        x: Inputs.
        loss: Name of the loss.
        y: Targets.
        sample_weight: Multiplies each row's loss; the mean still divides by the number of rows.
    """
    sample_weight = np.broadcast_to(np.asarray(sample_weight, dtype=np.float64), (len(y),))
    layers = _layers(net, weights, x)
    output = layers[-1][2]
    gradient = loss_gradient(loss, y, output) * sample_weight[:, None] / float(len(y))
    gradients: list[Array] = []
    for number in reversed(range(len(layers))):
        into, before, after = layers[number]
        gradient = activation_gradient(net.activations[number], before, after, gradient)
        gradients = [into.T @ gradient, gradient.sum(axis=0), *gradients]
        gradient = gradient @ weights[2 * number].T
    return (row_losses(loss, y, output) * sample_weight).sum() / float(len(y)), gradients


def row_losses(loss: str, y: Any, output: Array) -> Array:
    """The loss of each row, shape ``(rows,)``.

    Args:
        loss: ``mean_squared_error``, or ``binary``, ``categorical`` or ``sparse_categorical`` crossentropy, which take
            probabilities; with ``_logits`` appended, the inputs of sigmoid or softmax.
        y: Targets: numbers, 0 and 1, one-hot rows, or class numbers; in the shape that the loss takes.
        output: The network's output.
    """
    y = targets(loss, y, output.shape[-1])
    if loss == "mean_squared_error":
        return np.square(output - y).sum(axis=-1) / float(output.shape[-1])
    if loss == "mean_absolute_error":
        return np.absolute(output - y).sum(axis=-1) / float(output.shape[-1])
    if loss == "binary_crossentropy_logits":
        each = np.maximum(output, 0.0) - output * y + np.log1p(np.exp(-np.absolute(output)))
        return each.sum(axis=-1) / float(output.shape[-1])
    if loss == "binary_crossentropy":
        p = clipped(output)
        return -(y * np.log(p) + (1.0 - y) * np.log(1.0 - p)).sum(axis=-1) / float(output.shape[-1])
    if loss.endswith("_logits"):
        shifted = output - output.max(axis=-1, keepdims=True)
        return np.log(np.exp(shifted).sum(axis=-1)) - (shifted * y).sum(axis=-1)
    return -(y * np.log(clipped(output))).sum(axis=-1)


def loss_gradient(loss: str, y: Any, output: Array) -> Array:
    """The gradient of each row's loss with respect to its outputs."""
    y = targets(loss, y, output.shape[-1])
    if loss == "mean_squared_error":
        return (output - y) * 2.0 / float(output.shape[-1])
    if loss == "mean_absolute_error":
        return (2.0 * np.heaviside(output - y, 0.5) - 1.0) / float(output.shape[-1])
    if loss == "binary_crossentropy_logits":
        return (sigmoid(output) - y) / float(output.shape[-1])
    if loss == "binary_crossentropy":
        p = clipped(output)
        return ((1.0 - y) / (1.0 - p) - y / p) / float(output.shape[-1])
    if loss.endswith("_logits"):
        return softmax(output) - y
    return -y / clipped(output)


def clipped(p: Array) -> Array:
    """Probabilities clipped away from 0 and 1 by Keras's fuzz factor, with that much more error."""
    p = np.maximum(np.minimum(p, 1.0 - FUZZ), FUZZ)
    return p.fuzzed(FUZZ) if isinstance(p, Rounded) else p


def targets(loss: str, y: Any, columns: int) -> np.ndarray:
    """The targets as one number per output."""
    y = np.asarray(y)
    expected: np.ndarray = np.eye(columns)[y.reshape(-1)] if loss.startswith("sparse") else y.astype(np.float64)
    return expected


def correct_shares(loss: str, y: Any, output: Array) -> tuple[np.ndarray, np.ndarray]:
    """Each row's accuracy, from 0 to 1: the least and the most within rounding error, mostly equal.

    For a binary loss, the share of the row's outputs that are on the correct side of ½; above ½ means 1. Otherwise
    whether the first of the largest outputs is that of the class.
    """
    value = output.value if isinstance(output, Rounded) else output
    error = OTHER_ORDER * output.error if isinstance(output, Rounded) else np.zeros_like(output)
    if loss.startswith("binary") or value.shape[-1] == 1:
        correct = (value > 0.5) == (np.reshape(y, value.shape) > 0.5)
        unsure = (np.abs(value - 0.5) <= error) & (error > 0)
        return (correct & ~unsure).mean(axis=-1), (correct | unsure).mean(axis=-1)
    expected = targets(loss, y, value.shape[-1]).argmax(axis=-1)
    ranked = np.sort(value, axis=-1)
    correct = value.argmax(axis=-1) == expected
    room = 2 * error.max(axis=-1)
    unsure = (ranked[:, -1] - ranked[:, -2] <= room) & (room > 0)
    return (correct & ~unsure).astype(float), (correct | unsure).astype(float)


def correct_rows(loss: str, y: Any, output: Array) -> tuple[float, float]:
    """The number of correct rows: the least and the most within rounding error."""
    least, most = correct_shares(loss, y, output)
    return float(least.sum()), float(most.sum())
