"""The laws of numbers that image layers draw for each image, by layer; the images show the number that was drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from initcheck.catalog.layers.traits.noises import ImageLaw, Values

SIZE = 5  # of images whose pixels are their own places, from which the middle can move by one pixel
_MIDDLE = SIZE // 2
_PLACES = np.stack([*np.meshgrid(np.arange(SIZE), np.arange(SIZE)), np.zeros((SIZE, SIZE))], axis=-1).astype(np.float32)
_GRAY = np.full((1, 1, 3), 128.0, np.float32)
_HALVES = np.array([[[96.0] * 3, [160.0] * 3]], np.float32)
_RED = np.array([[[192.0, 64.0, 64.0]]], np.float32)


def _law(
    layer: str,
    law: str,
    parameters: tuple[float, ...],
    image: Values,
    seen: Callable[[Values], Values],
    what: str = "",
    **arguments: Any,
) -> tuple[str, ImageLaw]:
    name = f"{layer}-{what}" if what else layer
    return layer, ImageLaw(name=name, arguments=arguments, image=image, seen=seen, law=law, parameters=parameters)


def _uniform(low: float, high: float) -> tuple[float, float]:
    """The parameters of ``scipy.stats.uniform``: start and length."""
    return low, high - low


def _changed(image: Values) -> Callable[[Values], Values]:
    """Whether each image is another one."""
    return lambda outputs: np.any(outputs != image, axis=(1, 2, 3))


def _column(outputs: Values) -> Values:
    """The column, from the middle, that comes to each image's middle."""
    return outputs[:, _MIDDLE, _MIDDLE, 0] - _MIDDLE


def _row(outputs: Values) -> Values:
    """The same of the row."""
    return outputs[:, _MIDDLE, _MIDDLE, 1] - _MIDDLE


def _slope(channel: int, axis: int) -> Callable[[Values], Values]:
    """How the column (0) or row (1) that a pixel is taken from changes along an axis (1 is downwards)."""

    def slope(outputs: Values) -> Values:
        after = outputs[:, _MIDDLE + (axis == 1), _MIDDLE + (axis == 2), channel]
        return np.asarray(after - outputs[:, _MIDDLE, _MIDDLE, channel])

    return slope


def _turn(outputs: Values) -> Values:
    """The counterclockwise turn of each image in whole turns."""
    return np.asarray(np.arctan2(_slope(1, 2)(outputs), _slope(0, 2)(outputs)) / (2 * np.pi))


def _hue_turn(outputs: Values) -> Values:
    """By how far red is turned on the circle of hues, in whole turns."""
    red, green, blue = (outputs[:, 0, 0, channel] for channel in range(3))
    return np.asarray(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue) / (2 * np.pi))


def _saturation(outputs: Values) -> Values:
    """The saturation of the first pixel of each image."""
    pixel = outputs[:, 0, 0]
    return np.asarray(1 - pixel.min(axis=1) / pixel.max(axis=1))


def _contrast(outputs: Values) -> Values:
    """By what the difference of the two pixels, 64, is multiplied."""
    return np.asarray((outputs[:, 0, 1, 0] - outputs[:, 0, 0, 0]) / 64.0)


LAWS_AND_LAYERS = (
    _law("RandomFlip", "bernoulli", (0.5,), _HALVES, _changed(_HALVES), mode="horizontal"),
    _law("RandomRotation", "uniform", _uniform(-0.05, 0.1), _PLACES, _turn, factor=(-0.05, 0.1)),
    _law("RandomZoom", "uniform", _uniform(0.9, 1.2), _PLACES, _slope(1, 1), "height", height_factor=(-0.1, 0.2)),
    _law(
        *("RandomZoom", "uniform", _uniform(0.8, 1.1), _PLACES, _slope(0, 2), "width"),
        height_factor=0.0,
        width_factor=(-0.2, 0.1),
    ),
    _law("RandomContrast", "uniform", _uniform(0.6, 1.4), _HALVES, _contrast, factor=0.4),
    _law("RandomContrast", "uniform", _uniform(0.8, 1.4), _HALVES, _contrast, "two-factors", factor=(0.2, 0.4)),
    _law(
        *("RandomBrightness", "uniform", _uniform(-0.1, 0.3), _GRAY),
        lambda outputs: (outputs[:, 0, 0, 0] - 128.0) / 255.0,
        factor=(-0.1, 0.3),
    ),
    _law(
        *("RandomTranslation", "uniform", _uniform(-0.1, 0.2), _PLACES),
        lambda outputs: -_row(outputs) / SIZE,
        "height",
        height_factor=(-0.1, 0.2),
        width_factor=0.0,
    ),
    _law(
        *("RandomTranslation", "uniform", _uniform(-0.2, 0.1), _PLACES),
        lambda outputs: -_column(outputs) / SIZE,
        "width",
        height_factor=0.0,
        width_factor=(-0.2, 0.1),
    ),
    _law("RandomGrayscale", "bernoulli", (0.3,), _RED, _changed(_RED), factor=0.3),
    _law("RandomInvert", "bernoulli", (0.3,), _RED, _changed(_RED), factor=(0.3, 0.3)),
    _law("RandomErasing", "bernoulli", (0.3,), _PLACES, _changed(_PLACES), factor=(0.3, 0.3), scale=(0.9, 1.0)),
    _law("RandomHue", "uniform", _uniform(-0.2, 0.2), _RED, _hue_turn, factor=0.4),
    _law(
        *("RandomSaturation", "uniform", _uniform(0.2, 0.5), _RED),
        # The saturation of the image, 2/3, is multiplied by factor / (1 − factor).
        lambda outputs: 1 / (1 + 2 / 3 / _saturation(outputs)),
        factor=(0.2, 0.5),
    ),
    _law(
        *("RandomColorDegeneration", "uniform", _uniform(0.2, 0.6), _RED),
        lambda outputs: 1 - (outputs[:, 0, 0, 0] - outputs[:, 0, 0, 1]) / 128.0,
        factor=(0.2, 0.6),
    ),
)
LAWS: Mapping[str, tuple[ImageLaw, ...]] = {
    layer: tuple(law for other, law in LAWS_AND_LAYERS if other == layer) for layer, _ in LAWS_AND_LAYERS
}
