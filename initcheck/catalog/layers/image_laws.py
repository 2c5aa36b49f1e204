"""The laws of numbers that image layers draw for each image, by layer; the images show the number that was drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from initcheck.catalog.layers.traits.noises import ImageLaw, Values

HEIGHT, WIDTH = 5, 7  # of images whose pixels are their own places, from which the middle can move by one pixel
_MIDDLE = (HEIGHT // 2, WIDTH // 2)
_AROUND = (slice(None), slice(1, 4), slice(2, 5), slice(2))  # the middle and the eight pixels around it
_PLACES = np.stack([*np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT)), np.zeros((HEIGHT, WIDTH))], axis=-1).astype("f")
_RIGHT, _DOWN = (_PLACES[_AROUND[1:]][..., axis] - _MIDDLE[1 - axis] for axis in range(2))
_GRAY = np.full((1, 1, 3), 128.0, np.float32)
_COLORS = np.array([[[96.0, 32.0, 224.0], [160.0, 48.0, 128.0]]], np.float32)
_SIGNED = np.array([[[0.0, 0.875, -0.875]]], np.float32)
_RED = np.array([[[192.0, 64.0, 64.0]]], np.float32)
_RAMP = np.arange(0, 256, 8).astype(np.float32)[None, :, None]
_SPOT = np.zeros((3, 3, 1), np.float32)
_SPOT[1, 1] = 1.0
_SIDE = 6  # of images that are black or white all over
_TWO_KINDS = np.stack([np.zeros((1, 1, 1)), np.ones((1, 1, 1))]).astype(np.float32)
_TWO_SQUARES = np.broadcast_to(_TWO_KINDS, (2, _SIDE, _SIDE, 1))
_BOTH_LABELS = np.eye(2, dtype=np.float32)

Off = Callable[[Values, Values], Values]


# Layers that map the coordinates of pixels.
_MAPPED = ("RandomRotation", "RandomZoom", "RandomTranslation", "RandomShear", "RandomPerspective")


def _law(
    layer: str,
    law: str,
    parameters: tuple[float, ...],
    image: Values,
    seen: Callable[[Values], Values],
    what: str = "",
    *,
    off: Off | None = None,
    labels: Values | None = None,
    times: int = 1,
    **arguments: Any,
) -> tuple[str, ImageLaw]:
    return layer, ImageLaw(
        name=f"{layer}-{what}" if what else layer,
        arguments=arguments,
        image=image,
        seen=seen,
        law=law,
        parameters=parameters,
        off=off,
        labels=labels,
        times=times,
        maps=layer in _MAPPED,
    )


def _uniform(low: float, high: float) -> tuple[float, float]:
    """The parameters of ``scipy.stats.uniform``: start and length."""
    return low, high - low


def _changed(image: Values) -> Callable[[Values], Values]:
    """Whether each image is another one."""
    return lambda outputs: np.any(outputs != image, axis=(1, 2, 3))


def _farthest(gaps: Values, allowed: float) -> Values:
    """The largest gap of each image, over the error that is allowed."""
    return np.asarray(np.abs(gaps).max(axis=tuple(range(1, gaps.ndim))) / allowed)


def _column(outputs: Values) -> Values:
    """The column, from the middle, that comes to each image's middle."""
    return outputs[:, *_MIDDLE, 0] - _MIDDLE[1]


def _row(outputs: Values) -> Values:
    """The same of the row."""
    return outputs[:, *_MIDDLE, 1] - _MIDDLE[0]


def _slope(channel: int, axis: int) -> Callable[[Values], Values]:
    """How the column (0) or row (1) that a pixel is taken from changes along an axis (1 is downwards)."""

    def slope(outputs: Values) -> Values:
        after = outputs[:, _MIDDLE[0] + (axis == 1), _MIDDLE[1] + (axis == 2), channel]
        return np.asarray(after - outputs[:, *_MIDDLE, channel])

    return slope


def _moved(columns: Callable[[Values], Values], rows: Callable[[Values], Values]) -> Off:
    """The places that the pixels around the middle must come from, by columns and rows from the middle.

    Single precision rounds places below 8, angles, and the shift of the middle, of about its size: 32 units of 8.
    """

    def off(outputs: Values, _: Values) -> Values:
        expected = np.stack([_MIDDLE[1] + columns(outputs), _MIDDLE[0] + rows(outputs)], axis=-1)
        return _farthest(outputs[_AROUND] - expected, 32 * 8 * 2.0**-24)

    return off


def _zoomed(by_rows: bool, by_columns: bool) -> Off:
    """Each direction is zoomed by the same factor, or not at all, about the middle."""
    seen = _slope(1, 1) if by_rows else _slope(0, 2)

    def along(places: Values, zoomed: bool) -> Callable[[Values], Values]:
        return lambda outputs: (seen(outputs) if zoomed else np.ones(len(outputs)))[:, None, None] * places

    return _moved(along(_RIGHT, by_columns), along(_DOWN, by_rows))


def _turn(outputs: Values) -> Values:
    """The counterclockwise turn of each image in whole turns."""
    return np.asarray(np.arctan2(_slope(1, 2)(outputs), _slope(0, 2)(outputs)) / (2 * np.pi))


def _turned(right: Values, down: Values, sign: int) -> Callable[[Values], Values]:
    def along(outputs: Values) -> Values:
        angle = 2 * np.pi * _turn(outputs)[:, None, None]
        return np.asarray(np.cos(angle) * right + sign * np.sin(angle) * down)

    return along


def _places_shifted(outputs: Values, _: Values) -> Values:
    """All pixels around the middle are shifted like it."""
    middle = outputs[:, *_MIDDLE, :2][:, None, None]
    return _farthest(outputs[_AROUND] - middle - np.stack([_RIGHT, _DOWN], axis=-1), 32 * 8 * 2.0**-24)


def _brightened(image: Values, low: float, high: float) -> Off:
    """The same is added everywhere, and what leaves the range of values is cut off."""

    def off(outputs: Values, _: Values) -> Values:
        added = outputs[:, :1, :1, :1] - image[0, 0, 0]
        return _farthest(outputs - np.clip(image + added, low, high), 8 * 2.0**-24 * (high - low))

    return off


def _contrasted(outputs: Values, _: Values) -> Values:
    """``(x - mean) * factor + mean`` of each channel, by the factor of the first, cut off at 0 and 255."""
    mean = _COLORS.mean(axis=(0, 1))
    expected = np.clip((_COLORS - mean) * _contrast(outputs)[:, None, None, None] + mean, 0.0, 255.0)
    return _farthest(outputs - expected, 16 * 2.0**-24 * 255)


def _one_of(image: Values, changed: Values) -> Off:
    """Each image is as it was, or changed."""

    def off(outputs: Values, _: Values) -> Values:
        return np.asarray(np.minimum(*(_farthest(outputs - one, 2.0**-24 * 255) for one in (image, changed))))

    return off


def _hue_turn(outputs: Values) -> Values:
    """By how far red is turned on the circle of hues, in whole turns: a sixth from each full color to the next."""
    red, green, blue = (outputs[:, 0, 0, channel] for channel in range(3))
    width = outputs[:, 0, 0].max(axis=-1) - outputs[:, 0, 0].min(axis=-1)
    beside = (green - blue) / width  # where red is the largest
    turn = np.where(beside > 0, 2 + (blue - red) / width, -2 + (red - green) / width)
    return np.asarray(np.where(red >= np.maximum(green, blue), beside, turn) / 6)


def _same_brightness(least: bool) -> Off:
    """The largest of the channels stays, and perhaps the least; up to what conversions to hues and back lose."""

    def off(outputs: Values, _: Values) -> Values:
        gaps = [outputs.max(axis=-1) - _RED.max(), *([outputs.min(axis=-1) - _RED.min()] if least else [])]
        return _farthest(np.stack(gaps, axis=1), 64 * 2.0**-24 * 255)

    return off


def _saturation(outputs: Values) -> Values:
    """The saturation of the first pixel of each image."""
    pixel = outputs[:, 0, 0]
    return np.asarray(1 - pixel.min(axis=1) / pixel.max(axis=1))


def _contrast(outputs: Values) -> Values:
    """By what the difference of the two pixels, 64, is multiplied."""
    return np.asarray((outputs[:, 0, 1, 0] - outputs[:, 0, 0, 0]) / 64.0)


def _grayed(outputs: Values, _: Values) -> Values:
    """Each image is as it was, or its channels are equal."""
    spread = outputs.max(axis=-1) - outputs.min(axis=-1)
    return np.minimum(_farthest(outputs - _RED, 2.0**-24 * 255), _farthest(spread, 2.0**-24 * 255))


def _erased(outputs: Values, _: Values) -> Values:
    """A rectangle is filled, in all channels, and the rest is as it was."""
    filled = np.all(outputs == _FILL, axis=-1)
    rectangle = np.any(filled, axis=1)[:, None] & np.any(filled, axis=2)[:, :, None]
    return _farthest(np.where(rectangle[..., None], outputs - _FILL, outputs - _PLACES), 2.0**-24)


_FILL = 9.0


def _kinds(count: int) -> Values:
    """Black or white, of the images in turn."""
    return np.resize([0, 1], count)


def _others_share(labels: Values) -> Values:
    """The share of the other image in each that was mixed with one of the other kind."""
    other = labels[np.arange(len(labels)), 1 - _kinds(len(labels))]
    return np.asarray(other[other > 0])


def _other_kind(labels: Values) -> Values:
    """Whether each image was mixed with one of the other kind, as half of them are."""
    return np.asarray(labels[np.arange(len(labels)), 1 - _kinds(len(labels))] > 0)


def _labels_as_images(outputs: Values, labels: Values) -> Values:
    white = outputs[:, 0, 0, 0]
    return _farthest(labels - np.stack([1 - white, white], axis=-1), 4 * 2.0**-24)


def _labels_as_areas(outputs: Values, labels: Values) -> Values:
    """Labels share by the area of the rectangle that comes from the other image.

    Its sides are not whole numbers of pixels: there is less than one pixel more, or less, than their length.
    """
    patch = outputs[..., 0] != _kinds(len(outputs))[:, None, None]
    sides = [np.any(patch, axis=axis).sum(axis=1) for axis in (1, 2)]
    least, most = (np.prod([np.clip(side + one, 0, _SIDE) for side in sides], axis=0) for one in (-1, 1))
    other = labels[np.arange(len(labels)), 1 - _kinds(len(labels))] * _SIDE**2
    gaps = [np.maximum(least - other, other - most), patch.sum(axis=(1, 2)) - sides[0] * sides[1]]
    return np.asarray(np.max([*gaps, np.abs(labels.sum(axis=1) - 1)], axis=0) / 1e-3)


def _bits(outputs: Values) -> Values:
    """The bits that are kept of each value, by how many of the ramp's values are distinct."""
    return np.asarray(np.log2(1 + np.count_nonzero(np.diff(outputs[:, 0, :, 0], axis=1), axis=1)))


def _highest_bits(outputs: Values, _: Values) -> Values:
    """Each value lacks what is below the lowest bit that is kept."""
    below = 2.0 ** (8 - _bits(outputs)[:, None, None, None])
    return _farthest(outputs - below * np.floor(_RAMP / below), 2.0**-24)


def _sharpness(outputs: Values) -> Values:
    """The factor: none keeps the spot's blur, 5/13 of it, one half the spot, and one adds what the blur takes away."""
    return np.asarray(0.5 - (1 - outputs[:, 1, 1, 0] / 128.0) * 13 / 16)


def _sharpened(outputs: Values, _: Values) -> Values:
    """Around the spot 1/13 of it in the blur, cut off at 0."""
    share = np.maximum(0.0, (1 - 2 * _sharpness(outputs)) / 13)
    return _farthest(np.delete(outputs.reshape(-1, 9), 4, axis=1) - 128 * share[:, None], 64 * 2.0**-24 * 255)


def _blur(outputs: Values) -> Values:
    """The standard deviation of a Gaussian whose values at the middle and one pixel beside it are those."""
    return np.asarray(np.sqrt(0.5 / np.log(outputs[:, 1, 1, 0] / outputs[:, 1, 2, 0])))


LAWS_AND_LAYERS = (
    _law(
        *("RandomFlip", "bernoulli", (0.5,), _PLACES, _changed(_PLACES), "horizontal"),
        off=_one_of(_PLACES, _PLACES[:, ::-1]),
        mode="horizontal",
    ),
    _law(
        *("RandomFlip", "bernoulli", (0.5,), _PLACES, _changed(_PLACES), "vertical"),
        off=_one_of(_PLACES, _PLACES[::-1]),
        mode="vertical",
    ),
    _law(
        *("RandomRotation", "uniform", _uniform(-0.05, 0.1), _PLACES, _turn),
        off=_moved(_turned(_RIGHT, _DOWN, -1), _turned(_DOWN, _RIGHT, 1)),
        factor=(-0.05, 0.1),
    ),
    _law(
        *("RandomZoom", "uniform", _uniform(0.9, 1.2), _PLACES, _slope(1, 1), "height"),
        off=_zoomed(by_rows=True, by_columns=True),
        height_factor=(-0.1, 0.2),
    ),
    _law(
        *("RandomZoom", "uniform", _uniform(0.8, 1.1), _PLACES, _slope(0, 2), "width"),
        off=_zoomed(by_rows=False, by_columns=True),
        height_factor=0.0,
        width_factor=(-0.2, 0.1),
    ),
    _law("RandomContrast", "uniform", _uniform(0.6, 1.4), _COLORS, _contrast, factor=0.4),
    _law(
        *("RandomContrast", "uniform", _uniform(0.8, 1.4), _COLORS, _contrast, "two-factors"),
        off=_contrasted,
        factor=(0.2, 0.4),
    ),
    _law(
        *("RandomBrightness", "uniform", _uniform(-0.1, 0.3), _GRAY),
        lambda outputs: (outputs[:, 0, 0, 0] - 128.0) / 255.0,
        off=_brightened(_GRAY, 0.0, 255.0),
        factor=(-0.1, 0.3),
    ),
    _law(
        *(
            "RandomBrightness",
            "uniform",
            _uniform(-0.3, 0.3),
            _SIGNED,
            lambda outputs: outputs[:, 0, 0, 0] / 2,
            "signed",
        ),
        off=_brightened(_SIGNED, -1.0, 1.0),
        factor=0.3,
        value_range=(-1.0, 1.0),
    ),
    _law(
        *("RandomColorJitter", "uniform", _uniform(-0.1, 0.3), _SIGNED, lambda outputs: outputs[:, 0, 0, 0] / 2),
        off=_brightened(_SIGNED, -1.0, 1.0),
        brightness_factor=(-0.1, 0.3),
        value_range=(-1.0, 1.0),
    ),
    _law(
        *("RandomTranslation", "uniform", _uniform(-0.1, 0.2), _PLACES),
        lambda outputs: -_row(outputs) / HEIGHT,
        "height",
        off=_places_shifted,
        height_factor=(-0.1, 0.2),
        width_factor=0.0,
    ),
    _law(
        *("RandomTranslation", "uniform", _uniform(-0.2, 0.1), _PLACES),
        lambda outputs: -_column(outputs) / WIDTH,
        "width",
        off=_places_shifted,
        height_factor=0.0,
        width_factor=(-0.2, 0.1),
    ),
    # It shears to either side.
    _law(
        *("RandomShear", "uniform", _uniform(0.1, 0.3), _PLACES, lambda outputs: np.abs(_slope(0, 1)(outputs)), "x"),
        x_factor=(0.1, 0.3),
    ),
    _law(
        *("RandomShear", "uniform", _uniform(0.1, 0.2), _PLACES, lambda outputs: np.abs(_slope(1, 2)(outputs)), "y"),
        y_factor=(0.1, 0.2),
    ),
    _law("RandomGrayscale", "bernoulli", (0.3,), _RED, _changed(_RED), off=_grayed, factor=0.3),
    _law(
        *("RandomInvert", "bernoulli", (0.3,), _RED, _changed(_RED)),
        off=_one_of(_RED, 255.0 - _RED),
        factor=(0.3, 0.3),
    ),
    _law(
        *("RandomErasing", "bernoulli", (0.3,), _PLACES, _changed(_PLACES)),
        off=_erased,
        factor=(0.3, 0.3),
        scale=(0.3, 0.6),
        fill_value=_FILL,
    ),
    _law("RandomPosterization", "randint", (4, 5), _RAMP, _bits, off=_highest_bits, factor=4),
    _law("RandomPosterization", "randint", (1, 2), _RAMP, _bits, "one-bit", off=_highest_bits, factor=1),
    _law("RandomPerspective", "bernoulli", (0.3,), _PLACES, _changed(_PLACES), factor=(0.3, 0.3)),
    _law("RandomGaussianBlur", "bernoulli", (0.3,), _PLACES, _changed(_PLACES), factor=(0.3, 0.3)),
    _law(
        *("RandomGaussianBlur", "uniform", _uniform(0.5, 1.0), _SPOT, _blur, "sigma"),
        factor=(1.0, 1.0),
        sigma=(0.5, 1.0),
    ),
    # The blur is PIL's ``ImageFilter.SMOOTH``.
    _law(
        *("RandomSharpness", "uniform", _uniform(0.2, 0.9), 128 * _SPOT, _sharpness),
        off=_sharpened,
        factor=(0.2, 0.9),
    ),
    _law(
        *("RandomHue", "uniform", _uniform(-0.2, 0.2), _RED, _hue_turn),
        off=_same_brightness(least=True),
        factor=0.4,
    ),
    _law(
        *("RandomSaturation", "uniform", _uniform(0.2, 0.5), _RED),
        # The saturation of the image, 2/3, is multiplied by factor / (1 − factor).
        lambda outputs: 1 / (1 + 2 / 3 / _saturation(outputs)),
        off=_same_brightness(least=False),
        factor=(0.2, 0.5),
    ),
    _law(
        *("RandomColorDegeneration", "uniform", _uniform(0.2, 0.6), _RED),
        lambda outputs: 1 - (outputs[:, 0, 0, 0] - outputs[:, 0, 0, 1]) / 128.0,
        factor=(0.2, 0.6),
    ),
    _law(
        *("MixUp", "beta", (0.8, 0.8), _TWO_KINDS, _others_share),
        off=_labels_as_images,
        labels=_BOTH_LABELS,
        times=3,
        alpha=0.8,
    ),
    _law(
        *("MixUp", "bernoulli", (0.5,), _TWO_KINDS, _other_kind, "partner"),
        off=_labels_as_images,
        labels=_BOTH_LABELS,
        alpha=0.8,
    ),
    # The share is uniform where the factor is 1.
    _law(
        *("CutMix", "uniform", _uniform(0.0, 1.0), _TWO_SQUARES, _others_share),
        off=_labels_as_areas,
        labels=_BOTH_LABELS,
        times=3,
        factor=(1.0, 1.0),
    ),
    _law(
        *("CutMix", "bernoulli", (0.5,), _TWO_SQUARES, _other_kind, "partner"),
        off=_labels_as_areas,
        labels=_BOTH_LABELS,
        factor=(1.0, 1.0),
    ),
)
LAWS: Mapping[str, tuple[ImageLaw, ...]] = {
    layer: tuple(law for other, law in LAWS_AND_LAYERS if other == layer) for layer, _ in LAWS_AND_LAYERS
}
