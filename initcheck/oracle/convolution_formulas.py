"""The outputs of convolutions that are not plain.

Sources: https://keras.io/api/layers/convolution_layers/; Goodfellow, Bengio & Courville 2016, Deep Learning, section
9.5; Dumoulin & Visin 2016, https://arxiv.org/abs/1603.07285, for transposed ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from initcheck.oracle.arranging import concatenated, moved
from initcheck.oracle.layer_outputs import convolution
from initcheck.oracle.networks import activate
from initcheck.oracle.rounding import Rounded

Array = Any
Weights = Sequence[Array]


def without_bias(formula: Callable[..., Array], channels: int) -> Callable[..., Array]:
    """The formula of a layer that has no bias for its output channels."""
    nothing = np.zeros(channels)
    return lambda weights, x, **config: formula([*weights, Rounded(nothing)], x, **config)


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


def transposed(
    weights: Weights,
    x: Array,
    strides: Any = 1,
    padding: str = "valid",
    dilation_rate: Any = 1,
    output_padding: Any = None,
    activation: str = "linear",
    **_: Any,
) -> Array:
    """Each input adds the kernel, times itself, to the outputs ``strides`` apart; ``same`` keeps strides × length.

    What is cut off before is what a convolution of that padding would add before. With ``output_padding`` the length
    is (length − 1) · strides + kernel, or with ``same`` the kernel modulo 2, plus that padding.
    """
    kernel, bias = weights
    sizes = kernel.shape[:-2]
    steps, rates, more = (
        [None if one is None else int(one) for one in np.broadcast_to(given, len(sizes))]
        for given in (strides, dilation_rate, output_padding)
    )
    places, cuts, whole = [], [], []
    for n, size, step, rate, extra in zip(x.shape[1:-1], sizes, steps, rates, more, strict=True):
        reach = (size - 1) * rate + 1
        full = (n - 1) * step + reach
        if padding == "same":
            length = n * step if extra is None else (n - 1) * step + reach % 2 + extra
        else:
            length = max(full, n * step) if extra is None else full + extra
        before = max(full - length, 0) // 2 if padding == "same" else 0
        whole.append(max(full, before + length))
        cuts.append(slice(before, before + length))
        places.append((n, step, rate))
    total: Array = Rounded(np.zeros((x.shape[0], *whole, kernel.shape[-2])), 0.0)
    for offset in np.ndindex(*sizes):
        place = [
            slice(o * rate, o * rate + (n - 1) * step + 1, step)
            for o, (n, step, rate) in zip(offset, places, strict=True)
        ]
        total = total + _spread(x @ kernel[offset].T, total.shape, (slice(None), *place))
    return activate(activation, total[(slice(None), *cuts)] + bias)


def _spread(x: Array, shape: tuple[int, ...], place: tuple[slice, ...]) -> Rounded:
    def spread(values: np.ndarray) -> np.ndarray:
        whole = np.zeros(shape)
        whole[place] = values
        return whole

    return moved(x, spread)
