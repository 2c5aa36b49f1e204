"""The outputs of convolutions that are not plain.

Sources: https://keras.io/api/layers/convolution_layers/; Goodfellow, Bengio & Courville 2016, Deep Learning, section
9.5; Dumoulin & Visin 2016, https://arxiv.org/abs/1603.07285, for transposed ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from initcheck.oracle.arranging import concatenated, moved
from initcheck.oracle.layer_outputs import convolution
from initcheck.oracle.networks import activate
from initcheck.oracle.rounding import Rounded

Array = Any
Weights = Sequence[Array]


def grouped(weights: Weights, x: Array, groups: int, **config: Any) -> Array:
    """Each group of output channels sees one group of input channels."""
    kernel, bias = weights
    inputs, outputs = x.shape[-1] // groups, kernel.shape[-1] // groups
    parts = []
    for group in range(groups):
        into, out = (slice(group * width, (group + 1) * width) for width in (inputs, outputs))
        parts.append(convolution([kernel[..., out], bias[out]], x[..., into], **config))
    return concatenated((), parts)


def depthwise(weights: Weights, x: Array, depth_multiplier: int = 1, **config: Any) -> Array:
    """Each input channel alone, to ``depth_multiplier`` output channels."""
    kernel, bias = weights
    parts = []
    for channel in range(x.shape[-1]):
        own = slice(channel, channel + 1)
        out = slice(channel * depth_multiplier, (channel + 1) * depth_multiplier)
        parts.append(convolution([kernel[..., own, :], bias[out]], x[..., own], **config))
    return concatenated((), parts)


def separable(
    weights: Weights, x: Array, activation: str = "linear", depth_multiplier: int = 1, **config: Any
) -> Array:
    """A depthwise convolution without bias, then one that mixes the channels of each position."""
    by_channel, by_position, bias = weights
    nothing = Rounded(np.zeros(by_channel.shape[-2] * depth_multiplier))
    middle = depthwise([by_channel, nothing], x, depth_multiplier, **config)
    return activate(activation, convolution([by_position, bias], middle))


def transposed(weights: Weights, x: Array, strides: Any = 1, padding: str = "valid", **config: Any) -> Array:
    """Each input adds the kernel, times itself, to the outputs ``strides`` apart; ``same`` keeps strides × length."""
    kernel, bias = weights
    sizes, rank = kernel.shape[:-2], len(kernel.shape) - 2
    steps = [int(one) for one in np.broadcast_to(strides, rank)]
    whole = [(n - 1) * step + max(size, step) for n, step, size in zip(x.shape[1:-1], steps, sizes, strict=True)]
    total: Array = Rounded(np.zeros((x.shape[0], *whole, kernel.shape[-2])), 0.0)
    for offset in np.ndindex(*sizes):
        place = [
            slice(start, start + (n - 1) * step + 1, step)
            for start, n, step in zip(offset, x.shape[1:-1], steps, strict=True)
        ]
        total = total + _spread(x @ kernel[offset].T, total.shape, (slice(None), *place))
    if padding == "same":
        cuts = []
        for n, step, size in zip(x.shape[1:-1], steps, sizes, strict=True):
            start = max(size - step, 0) // 2
            cuts.append(slice(start, start + n * step))
        total = total[(slice(None), *cuts)]
    return activate(config.get("activation", "linear"), total + bias)


def _spread(x: Array, shape: tuple[int, ...], place: tuple[slice, ...]) -> Rounded:
    def spread(values: np.ndarray) -> np.ndarray:
        whole = np.zeros(shape)
        whole[place] = values
        return whole

    return moved(x, spread)
