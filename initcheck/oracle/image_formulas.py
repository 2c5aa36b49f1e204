"""The outputs of layers that resize images or change their contrast, written from their documentation.

Each takes weights, images with channels last, and the layer's arguments, as in ``oracle.layer_outputs``. Source:
https://keras.io/api/layers/preprocessing_layers/.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from initcheck.oracle.arranging import as_given, channels_last, moved
from initcheck.oracle.rounding import Rounded

Array = Any
Weights = Sequence[Array]
Size = tuple[int, int]


def resized(
    _weights: Weights,
    x: Array,
    height: int,
    width: int,
    interpolation: str = "bilinear",
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_value: float = 0.0,
    **config: Any,
) -> Rounded:
    """Images of another size: a pixel is the point of the old image at the place of its middle.

    Where the ratio of the sides is kept, the middle of the image is cut out, or the image is padded around, to the
    largest or smallest window of the new ratio.
    """
    x = channels_last(x, config)
    if crop_to_aspect_ratio:
        x = _cut(x, _window(x.shape[1:3], (height, width), min))
    if pad_to_aspect_ratio:
        x = _padded(x, _window(x.shape[1:3], (height, width), max), fill_value)
    for axis, size in ((1, height), (2, width)):
        shares = _shares(x.shape[axis], size, interpolation)
        x = _moved_axis(Rounded(shares, np.zeros_like(shares)) @ _moved_axis(x, axis), axis)
    return as_given(x, config)


def enlarged(weights: Weights, x: Array, size: Sequence[int], **config: Any) -> Rounded:
    """Images that are ``size`` times as high and as wide."""
    height, width = channels_last(x, config).shape[1:3]
    return resized(weights, x, height * size[0], width * size[1], **config)


def largest_crop(_weights: Weights, x: Array, height: int, width: int, **_: Any) -> Rounded:
    """The largest window of the ratio of the sides in the middle of the images, resized."""
    return resized(_weights, x, height, width, crop_to_aspect_ratio=True)


def _moved_axis(x: Rounded, axis: int) -> Rounded:
    """The axis in the place of the last but one, or back."""
    return moved(x, lambda values: np.swapaxes(values, axis, -2))


def _window(size: Size, ratio: Size, choose: Callable[[int, int], int]) -> Size:
    """The window of that ratio of height and width, rounded down, that fits into the size, or that it fits into."""
    height, width = size
    return choose(height, width * ratio[0] // ratio[1]), choose(width, height * ratio[1] // ratio[0])


def _cut(x: Rounded, window: Size) -> Rounded:
    starts = [(size - kept) // 2 for size, kept in zip(x.shape[1:3], window, strict=True)]
    cut: Rounded = x[(slice(None), *(slice(start, start + kept) for start, kept in zip(starts, window, strict=True)))]
    return cut


def _padded(x: Rounded, window: Size, fill_value: float) -> Rounded:
    before = [(whole - size) // 2 for whole, size in zip(window, x.shape[1:3], strict=True)]
    around = [(b, whole - size - b) for b, whole, size in zip(before, window, x.shape[1:3], strict=True)]
    value = np.pad(x.value, [(0, 0), *around, (0, 0)], constant_values=fill_value)
    return Rounded(value, np.pad(x.error, [(0, 0), *around, (0, 0)]))


def _keys(distance: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution with a = −0.5, doi:10.1109/TASSP.1981.1163711."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return np.where(distance < 1, near, np.where(distance < 2, far, 0.0))


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    """The sinc under the window of a wider one."""
    return lambda distance: np.where(distance < radius, np.sinc(distance) * np.sinc(distance / radius), 0.0)


_KERNELS = {"bicubic": _keys, "lanczos3": _lanczos(3), "lanczos5": _lanczos(5)}


def _shares(old: int, new: int, interpolation: str) -> np.ndarray:
    """The share that each old pixel of a line has in each new one."""
    middles = (np.arange(new) + 0.5) * (old / new)
    if interpolation == "nearest":
        return np.asarray(np.eye(old)[np.floor(middles).astype(int)])
    if interpolation in _KERNELS:
        shares = _KERNELS[interpolation](np.abs(middles[:, None] - 0.5 - np.arange(old)))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))  # over the pixels that there are
    places = np.clip(middles - 0.5, 0, old - 1)
    return np.asarray(np.maximum(0.0, 1.0 - np.abs(places[:, None] - np.arange(old))))


def stretched(_weights: Weights, x: Array, value_range: Sequence[float] = (0.0, 255.0), **_: Any) -> Array:
    """Each channel of each image moved and stretched from its smallest and largest value to the value range."""
    least, most = x.value.min(axis=(1, 2), keepdims=True), x.value.max(axis=(1, 2), keepdims=True)
    low, high = map(float, value_range)
    share = (x - Rounded(least)) / (Rounded(most) - Rounded(least))
    # Keras scales by 255 and subtracts, both rounded at the size of the offset.
    unit = 2.0**-24 * np.abs(np.maximum(np.abs(least), np.abs(most)) / (most - least)) * 8 * 255
    return (share * (high - low) + low).fuzzed(unit * (high - low) / 255)


def solarized(
    _weights: Weights,
    x: Array,
    threshold_factor: Sequence[float] = (0.0, 0.0),
    value_range: Sequence[float] = (0.0, 255.0),
    **_: Any,
) -> Array:
    """Values at or above the threshold mirrored in the middle of the value range, to which they are clipped first."""
    low, high = map(float, value_range)
    x = np.minimum(np.maximum(x, low), high)
    threshold = low + threshold_factor[0] * (high - low)
    mirrored = x.value >= threshold
    other = low + high - x
    return Rounded(np.where(mirrored, other.value, x.value), np.maximum(other.error, x.error)).fuzzed(
        8 * 2.0**-24 * (high - low)
    )
