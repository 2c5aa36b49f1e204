"""Boxes, masks of segments and labels, which are passed to image layers together with their images."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.catalog.layers.companions import COLORING, HEIGHT, MIXING, MOVING, WIDTH, Companioned
from initcheck.evidence.composition.promises import Row, Seen, tensorflows
from initcheck.frameworks.arrays import as_array

Array = np.ndarray[Any, Any]

# Rectangles of the images, as left, top, right, bottom.
_RECTANGLES = np.array(
    [[10, 8, 20, 14], [1, 2, 12, 9], [18, 12, 31, 23], [2, 13, 9, 22], [20, 1, 30, 8], [13, 11, 24, 18]], np.float32
)
_BRIGHT, _CLASS = 200.0, 2
_COLOR = np.array([_BRIGHT, 40.0, 120.0], np.float32)
# By how much an edge may be elsewhere than that of its pixels: half of one as they are interpolated, half of one as
# coordinates count from a pixel's corner or its middle, half of one as numbers of pixels are rounded.
_PIXELS = 1.5
_ROUNDED = 0.05  # of 255, in single precision
_ENLARGED = 2.0  # at most, of a pixel that is resized or zoomed

# How to write a box from left, top, right, bottom: as in keras.utils.bounding_boxes.convert_format
_ORDERS = {
    "xyxy": lambda x1, y1, x2, y2: (x1, y1, x2, y2),
    "yxyx": lambda x1, y1, x2, y2: (y1, x1, y2, x2),
    "xywh": lambda x1, y1, x2, y2: (x1, y1, x2 - x1, y2 - y1),
    "center_xywh": lambda x1, y1, x2, y2: ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1),
    "center_yxhw": lambda x1, y1, x2, y2: ((y1 + y2) / 2, (x1 + x2) / 2, y2 - y1, x2 - x1),
}
# Of these one layer shows all, by way of pixels, as the others convert boxes by the same functions.
FORMATS = (*_ORDERS, "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh")
_SHOWN = ("xyxy", "yxyx", "rel_xywh")


def _written(boxes: Array, style: str, height: int, width: int) -> Array:
    """Boxes in that format, given as left, top, right, bottom in pixels."""
    scale = np.array([width, height, width, height]) if style.startswith("rel_") else np.ones(4)
    corners = np.moveaxis(boxes / scale, -1, 0)
    return np.stack(_ORDERS[style.removeprefix("rel_")](*corners), axis=-1).astype(np.float32)


def _labels() -> Array:
    return np.eye(len(_RECTANGLES), dtype=np.float32)


def _data(style: str) -> dict[str, Any]:
    """A batch of black images with a colored rectangle each; its class is in the mask, and its box in that format."""
    images = np.zeros((len(_RECTANGLES), HEIGHT, WIDTH, len(_COLOR)), np.float32)
    for image, (left, top, right, bottom) in zip(images, _RECTANGLES.astype(int), strict=True):
        image[top:bottom, left:right] = _COLOR
    data: dict[str, Any] = {"images": images, "labels": _labels()}
    data["segmentation_masks"] = (images[..., :1] > 0).astype(np.float32) * _CLASS
    if style:
        boxes = _written(_RECTANGLES, style, HEIGHT, WIDTH)[:, None]
        data["bounding_boxes"] = {"boxes": boxes, "labels": np.arange(len(images))[:, None] % 3}
    return data


def _mapped(data: Any, change: Callable[[str, Array], Any]) -> dict[str, Any]:
    """The dict anew, each array changed."""
    return {
        key: _mapped(value, change) if isinstance(value, dict) else change(key, as_array(value))
        for key, value in data.items()
    }


def _layer(keras: Any, row: Companioned, style: str = "", **options: Any) -> Any:
    options |= {"seed": 3} if row.seeded else {}
    options |= {"bounding_box_format": style} if style else {}
    return getattr(keras.layers, row.layer)(**row.arguments, **options)


def _offered(keras: Any, row: Companioned) -> bool:
    """Whether the installed Keras has the layer, and it takes dicts."""
    kind = getattr(keras.layers, row.layer, None)
    return kind is not None and "transform_bounding_boxes" in dir(kind)


def _seen_boxes(images: Array) -> Array:
    """Left, top, right, bottom of what is bright."""
    found = []
    for image in images:
        bright = image.max(axis=-1) > _BRIGHT / 2
        rows, columns = (np.flatnonzero(bright.any(axis=axis)) for axis in (1, 0))
        found.append([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1] if len(rows) else [0, 0, 0, 0])
    return np.array(found, np.float64)


def _off(output: Mapping[str, Any], style: str) -> list[list[float]]:
    """The boxes that are elsewhere than what is bright in their images, with what is bright."""
    images = as_array(output["images"])
    seen = _seen_boxes(images)
    right, boxes = (_written(seen, style, *images.shape[1:3]), as_array(output["bounding_boxes"]["boxes"])[:, 0])
    scale = np.array([images.shape[2], images.shape[1]]).max() if style.startswith("rel_") else 1.0
    wrong = np.abs(boxes - right).max(axis=-1) * scale > _PIXELS * _ENLARGED
    wrong &= seen.any(axis=-1) | (_thickness(boxes, style) * scale > _PIXELS * _ENLARGED)
    return [
        [*np.round(box, 3).tolist(), *np.round(one, 3).tolist()]
        for box, one in zip(boxes[wrong], right[wrong], strict=True)
    ]


def _thickness(boxes: Array, style: str) -> Array:
    """The shorter side of each box: of one that has nearly left its image, no pixel may be bright."""
    corners = style.removeprefix("rel_") in ("xyxy", "yxyx")
    sides = boxes[:, 2:] - boxes[:, :2] if corners else boxes[:, 2:]
    shorter: Array = np.abs(sides).min(axis=-1)
    return shorter


def moved_boxes(row: Companioned, keras: Any, _: Path) -> Iterator[Seen]:
    """In every format, a box is where its pixels are."""
    if not _offered(keras, row):
        return
    for style in FORMATS if row.all_formats else _SHOWN:
        output = _layer(keras, row, style)(_data(style), training=True)
        yield f"boxes in {style} that are elsewhere", [], _off(output, style)


def moved_masks(row: Companioned, keras: Any, _: Path) -> Iterator[Seen]:
    """The mask is that of the pixels: the same ones where pixels are taken as they are; and labels stay."""
    if not _offered(keras, row):
        return
    layer = _layer(keras, row)
    output = layer(_data(""), training=True)
    yield "classes", {0.0, float(_CLASS)}, set(np.unique(output["segmentation_masks"]).tolist())
    yield "labels", _labels().tolist(), as_array(output["labels"]).tolist()
    nearest = "interpolation" in inspect.signature(type(layer)).parameters
    layer = _layer(keras, row, **({"interpolation": "nearest"} if nearest else {}))
    output = layer(_data(""), training=True)
    bright = as_array(output["images"])[..., :1] > _BRIGHT / 2
    off = int(np.sum(bright != (as_array(output["segmentation_masks"]) > _CLASS / 2)))
    yield "share of pixels of another class", True, off <= (0 if nearest or not row.sized else 0.05 * bright.size)


def companions_alone(row: Companioned, keras: Any, _: Path) -> Iterator[Seen]:
    """Of one image without a batch, everything is without one, and as in a batch."""
    if not _offered(keras, row):
        return
    data = _data("xyxy")
    output = _layer(keras, row, "xyxy")(_mapped(data, lambda _, one: one[0]), training=True)
    batch = _mapped(output, lambda _, one: one[None])
    ranks = _mapped(data, lambda _, one: one.ndim)
    yield "numbers of axes", ranks, _mapped(batch, lambda _, one: one.ndim)
    if row in MOVING:
        yield "boxes that are elsewhere", [], _off(batch, "xyxy")


def companions_channels_first(row: Companioned, keras: Any, _: Path) -> Iterator[Seen]:
    """With channels first, boxes and masks are as with channels last."""
    if not _offered(keras, row):
        return

    def first(key: str, one: Array) -> Array:
        return np.moveaxis(one, -1, 1) if key in ("images", "segmentation_masks") else one

    def last(key: str, one: Array) -> Array:
        return np.moveaxis(one, 1, -1) if key in ("images", "segmentation_masks") else one

    data = _data("xyxy")
    layer = _layer(keras, row, "xyxy", data_format="channels_first")
    output = _mapped(layer(_mapped(data, first), training=True), last)
    yield "boxes that are elsewhere", [], _off(output, "xyxy")
    expected = _mapped(_layer(keras, row, "xyxy")(data, training=True), lambda _, one: one)
    for key in ("images", "segmentation_masks"):
        yield f"shape of {key}", expected[key].shape, output[key].shape
        yield (
            f"whether {key} are those of channels last",
            True,
            bool(np.allclose(expected[key], output[key], atol=0.01)),
        )


@tensorflows("tf.data")
def companions_in_a_pipeline(row: Companioned, keras: Any, _: Path) -> Iterator[Seen]:
    """In a ``tf.data`` pipeline, as in a call."""
    import tensorflow as tf

    if not _offered(keras, row):
        return
    layer = _layer(keras, row, "xyxy")
    mapped = tf.autograph.experimental.do_not_convert(lambda data: layer(data, training=True))
    dataset = tf.data.Dataset.from_tensor_slices(_data("xyxy")).batch(len(_RECTANGLES)).map(mapped)
    yield "boxes that are elsewhere", [], _off(next(iter(dataset)), "xyxy")


@tensorflows("graphs of unknown sizes")
def images_of_unknown_sizes(row: Companioned, keras: Any, _: Path) -> Iterator[Seen]:
    """In a graph that knows neither rows nor heights nor widths, images are as in a call."""
    import tensorflow as tf

    if not _offered(keras, row):
        return
    x = _data("")["images"]
    layer = _layer(keras, row)
    spec = tf.TensorSpec((None, None, None, x.shape[-1]), tf.float32)
    graph = tf.function(lambda one: layer(one, training=True), autograph=False, input_signature=[spec])
    right, output = (
        as_array(_layer(keras, row)(x, training=True)),
        as_array(graph.get_concrete_function()(tf.constant(x))),
    )
    yield "whether images are as in a call", True, bool(np.allclose(output, right, atol=0.01))


def companions_in_inference(row: Companioned, keras: Any, _: Path) -> Iterator[Seen]:
    """A random layer does nothing in inference."""
    if not _offered(keras, row):
        return
    data = _data("xyxy")
    output = _layer(keras, row, "xyxy")(data, training=False)
    yield from _unchanged(output, _data("xyxy"), "images")


def companions_of_colors(row: Companioned, keras: Any, _: Path) -> Iterator[Seen]:
    """Labels, masks and boxes are as they were, and images are not."""
    if not _offered(keras, row):
        return
    output = _layer(keras, row, "xyxy")(_data("xyxy"), training=True)
    yield from _unchanged(output, _data("xyxy"))
    yield "images stay", False, bool(np.array_equal(output["images"], _data("")["images"]))


def mixed_masks(row: Companioned, keras: Any, _: Path) -> Iterator[Seen]:
    """A pixel's mask comes from the images that the pixel comes from."""
    if not _offered(keras, row):
        return
    output = _layer(keras, row)(_data(""), training=True)
    right = as_array(output["images"])[..., :1] / _BRIGHT * _CLASS
    yield "shape", right.shape, as_array(output["segmentation_masks"]).shape
    yield "whether masks are mixed as images", True, bool(np.allclose(output["segmentation_masks"], right, atol=1e-3))
    yield "whether images are as they were", False, bool(np.array_equal(output["images"], _data("")["images"]))


def _colorful(keras: Any, row: Companioned, low: float, high: float, first: bool = False) -> tuple[Array, Array]:
    """A call on the same colors in that range of values, and what comes out; both from 0 to 255 and channels last."""
    x = np.random.RandomState(5).randint(0, 256, (3, 6, 8, 3)) / 255
    takes = inspect.signature(getattr(keras.layers, row.layer)).parameters
    options: dict[str, Any] = {"value_range": (low, high)} if "value_range" in takes else {}
    fed = (x * (high - low) + low).astype(np.float32)
    layer = _layer(keras, row, **options | ({"data_format": "channels_first"} if first else {}))
    output = as_array(layer(np.moveaxis(fed, -1, 1) if first else fed, training=True))
    scale = 255 / (high - low)
    return x * 255, (np.moveaxis(output, 1, -1) if first else output - low) * scale


def ranges_of_values(row: Companioned, keras: Any, _: Path) -> Iterator[Seen]:
    """Colors in another range of values change by the same share of it."""
    kind = getattr(keras.layers, row.layer, None)
    if kind is None or "value_range" not in inspect.signature(kind).parameters:
        return
    given, right = _colorful(keras, row, 0.0, 255.0)
    yield "whether images are as they were", False, bool(np.allclose(given, right, atol=1.0))
    output = _colorful(keras, row, 0.0, 1.0)[1]
    yield "share of other colors", 0.0, float(np.mean(np.abs(output - right) > _ROUNDED))


def colors_channels_first(row: Companioned, keras: Any, _: Path) -> Iterator[Seen]:
    """With channels first, colors are as with channels last."""
    if not _offered(keras, row) or not row.any_format:
        return
    right = _colorful(keras, row, 0.0, 255.0)[1]
    output = _colorful(keras, row, 0.0, 255.0, first=True)[1]
    yield "share of other colors", 0.0, float(np.mean(np.abs(output - right) > _ROUNDED))


def _unchanged(output: Mapping[str, Any], data: Mapping[str, Any], *more: str) -> Iterator[Seen]:
    for key in ("labels", "segmentation_masks", *more):
        yield f"whether {key} are as they were", True, bool(np.array_equal(output[key], data[key]))
    if "bounding_boxes" in data:
        for key in ("boxes", "labels"):
            same = np.array_equal(output["bounding_boxes"][key], data["bounding_boxes"][key])
            yield f"whether {key} of boxes are as they were", True, bool(same)


_OF_MOVING = {
    "boxes": moved_boxes,
    "masks": moved_masks,
    "alone": companions_alone,
    "channels-first": companions_channels_first,
    "tf-data": companions_in_a_pipeline,
    "unknown-sizes": images_of_unknown_sizes,
}
_OF_COLORING = {
    "stay": companions_of_colors,
    "alone": companions_alone,
    "inference": companions_in_inference,
    "ranges": ranges_of_values,
    "channels-first": colors_channels_first,
}


def _rows() -> Iterator[tuple[str, Row]]:
    piped = set()  # tracing takes time
    for row in MOVING:
        for name, look in _OF_MOVING.items():
            if name in ("tf-data", "unknown-sizes") and row.layer in piped:
                continue
            if name == "unknown-sizes" and row.sized:
                continue  # other checks show those that draw nothing; a random crop needs to know them
            yield f"{row}-{name}", functools.partial(look, row)
        piped.add(row.layer)
        if row.seeded and not row.sized:
            yield f"{row}-inference", functools.partial(companions_in_inference, row)
    for row in COLORING:
        for name, look in _OF_COLORING.items():
            if name != "inference" or row.seeded:
                yield f"{row}-{name}", functools.partial(look, row)
    for row in MIXING:
        yield f"{row}-masks", functools.partial(mixed_masks, row)


COMPANIONS: Mapping[str, Row] = dict(_rows())
