"""The outputs of common layers, written from their documentation, for float64 and ``Rounded`` arrays.

Sources: https://keras.io/api/layers/ for arguments, defaults and the order of weights; Goodfellow, Bengio & Courville
2016, Deep Learning, section 9.1, for convolution (a correlation); Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167;
Ba et al. 2016, https://arxiv.org/abs/1607.06450. Recurrent layers are in ``oracle.recurrent``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from initcheck.oracle.networks import activate
from initcheck.oracle.rounding import Rounded, contracted

Array = Any
Weights = Sequence[Array]
EPSILON = 1e-3  # of both normalizations, by default


def dense(weights: Weights, x: Array, activation: str = "linear", **_: Any) -> Array:
    """Activation of x·W + b, along the last axis."""
    return activate(activation, x @ weights[0] + weights[1])


def embedding(weights: Weights, x: Any, **_: Any) -> Array:
    """The rows of the embedding table at the indices ``x``."""
    return weights[0][np.asarray(x)]


def reversed_embedding(weights: Weights, x: Array, logit_soft_cap: float | None = None, **_: Any) -> Array:
    """X times the transposed table, or the second weight where there is one; scaled by cap · tanh(· / cap)."""
    logits = x @ (weights[1] if len(weights) > 1 else weights[0].T)
    return logits if logit_soft_cap is None else np.tanh(logits / logit_soft_cap) * logit_soft_cap


def spectral(weights: Weights, x: Array, **_: Any) -> Array:
    """A dense layer as it is: outside training no weight changes."""
    return dense(weights[::2], x)


def spectral_in_training(weights: Weights, x: Array, **config: Any) -> Array:
    """A dense layer by its kernel over the kernel's largest singular value, as power iterations estimate it."""
    return dense(updated_spectral(weights, x, **config)[::2], x)


def updated_spectral(weights: Weights, _x: Array, power_iterations: int = 1, **_: Any) -> list[Array]:
    """The weights after a call in training: the normalized kernel, the last vector u, the bias.

    Miyato et al. 2018, https://arxiv.org/abs/1802.05957, algorithm 1: v is u·Wᵀ over its length, u is v·W over its
    length, σ is v·W·uᵀ.
    """
    kernel, u, bias = weights
    for _number in range(power_iterations):
        v = _of_length_one(u @ kernel.T)
        u = _of_length_one(v @ kernel)
    return [kernel / (v @ kernel @ u.T), u, bias]


def _of_length_one(x: Array) -> Array:
    return x / np.sqrt(np.square(x).sum())


def penalty_by_row(_weights: Weights, x: Array, l1: float = 0.0, l2: float = 0.0, **_: Any) -> Array:
    """l1 · Σ|x| + l2 · Σx² over the number of rows."""
    return (np.abs(x).sum() * l1 + np.square(x).sum() * l2) / float(len(x))


def penalty_of(formula: Callable[..., Array], **rates: float) -> Callable[..., Array]:
    """The penalty of a layer's output by its formula, per row."""
    return lambda weights, x, **config: penalty_by_row((), formula(weights, x, **config), **rates)


def einsum_dense(
    weights: Weights,
    x: Array,
    equation: str,
    bias_axes: str | None = None,
    activation: str = "linear",
    **_: Any,
) -> Array:
    """Activation of the products that the equation contracts, plus a bias along the axes of those letters."""
    equation = equation.replace("...", "ABCDEFG"[: len(x.shape) - len(equation.split(",")[0].replace(".", ""))])
    product = contracted(equation, x, weights[0])
    if bias_axes:
        letters = equation.split("->")[1]
        shape = [size if letter in bias_axes else 1 for letter, size in zip(letters, product.shape, strict=True)]
        product = product + Rounded(weights[1].value.reshape(shape), weights[1].error.reshape(shape))
    return activate(activation, product)


def identity(_weights: Weights, x: Array, **_: Any) -> Array:
    """The input, unchanged."""
    return x


def normalized(x: Array, mean: Array, variance: Array, scale: Array, shift: Array) -> Array:
    """The input less ``mean``, over √(``variance`` + epsilon), times ``scale``, plus ``shift``."""
    scaled = scale / np.sqrt(variance + EPSILON)
    return x * scaled + (shift - mean * scaled)  # as it is computed in one go, with the larger rounding errors


def moments(x: Array, axis: int) -> tuple[Array, Array]:
    """Mean and variance along an axis."""
    mean = x.sum(axis=axis, keepdims=True) / float(x.shape[axis])
    return mean, np.square(x - mean).sum(axis=axis, keepdims=True) / float(x.shape[axis])


def batch_normalization(weights: Weights, x: Array, **_: Any) -> Array:
    """The input normalized by the moving mean and variance, as in inference."""
    scale, shift, mean, variance = weights
    return normalized(x, mean, variance, scale, shift)


def batch_normalization_in_training(weights: Weights, x: Array, **_: Any) -> Array:
    """The input normalized by the mean and variance of the batch, as in training."""
    return normalized(x, *moments(x, 0), weights[0], weights[1])


def updated_averages(weights: Weights, x: Array, momentum: float = 0.99, **_: Any) -> list[Array]:
    """The weights of a batch normalization after a batch: moving averages keep 99 % of themselves by default."""
    kept = Rounded(momentum)
    pairs = zip(weights[2:], moments(x, 0), strict=True)
    return [*weights[:2], *(old * kept + new[0] * (1.0 - kept) for old, new in pairs)]


def layer_normalization(weights: Weights, x: Array, **_: Any) -> Array:
    """The input normalized by the mean and variance of each row."""
    return normalized(x, *moments(x, -1), weights[0], weights[1])


def convolution(weights: Weights, x: Array, **config: Any) -> Array:
    """The sum of products of the kernel with each window, over one to three axes between batch and channels."""
    kernel, bias = weights
    sizes = kernel.shape[:-2]
    strides, rates = (np.broadcast_to(config.get(name, 1), len(sizes)) for name in ("strides", "dilation_rate"))
    reach = [(size - 1) * int(rate) + 1 for size, rate in zip(sizes, rates, strict=True)]
    x = _padded(x, config.get("padding", "valid"), reach, strides)
    places = [(n - r) // int(s) + 1 for n, r, s in zip(x.shape[1:-1], reach, strides, strict=True)]
    total: Array = 0.0
    for offset in np.ndindex(*sizes):
        starts = [int(o * rate) for o, rate in zip(offset, rates, strict=True)]
        cut = [slice(a, a + (n - 1) * int(s) + 1, int(s)) for a, n, s in zip(starts, places, strides, strict=True)]
        total = total + x[(slice(None), *cut)] @ kernel[offset]
    return activate(config.get("activation", "linear"), total + bias)


def _padded(x: Array, padding: str, reach: Sequence[int], strides: Any) -> Array:
    """The input padded with zeros."""
    around = padding_for(x.shape, padding, reach, strides)
    return Rounded(np.pad(x.value, around), np.pad(x.error, around))


def padding_for(shape: Sequence[int], padding: str, reach: Sequence[int], strides: Any) -> list[tuple[int, int]]:
    """The padding of each axis: none, only before the start, or as ``same`` asks, the odd one at the end."""
    around = [(0, 0)]
    for size, one, stride in zip(shape[1:-1], reach, strides, strict=True):
        missing = max(0, (-(-size // int(stride)) - 1) * int(stride) + one - size)
        around.append({"valid": (0, 0), "causal": (one - 1, 0)}.get(padding, (missing // 2, missing - missing // 2)))
    return [*around, (0, 0)]


def pooled_mean(_weights: Weights, x: Array, **_: Any) -> Array:
    """The mean over all positions."""
    return x.sum(axis=1) / float(x.shape[1])


def pooled_maximum(_weights: Weights, x: Array, **_: Any) -> Array:
    """The maximum of each pair of positions; an odd one at the end is dropped."""
    pairs = x.shape[1] // 2
    return np.maximum(x[:, 0 : 2 * pairs : 2], x[:, 1 : 2 * pairs : 2])
