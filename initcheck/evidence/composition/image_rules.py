"""Layers that change images at random: the same with channels first, and what lies beyond the edges."""

from __future__ import annotations

import functools
import inspect
import random
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.catalog.layers import select
from initcheck.catalog.layers.companions import MIXING
from initcheck.catalog.layers.kind import LayerRequest
from initcheck.catalog.layers.traits.noises import Fed, NoiseSource
from initcheck.evidence.composition.promises import Row, Seen, layers_named, refusal, table
from initcheck.evidence.made_layers import made
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor
from initcheck.frameworks.layer_calls import shaped_outputs

Array = np.ndarray[Any, Any]

_SEED = 11
_STREAM = 9
_FORMAT, _FIRST = "data_format", "channels_first"
_LEVELS = 255.0
_BRIGHTENING = ("Brightness", "Jitter", "Aug")  # in the names of layers that change the brightness, or may
_DISPLACING = ("Elastic",)
_PLAIN = {"fill_value": 9.0, "mode": "horizontal"}  # no noise, and one axis


def _sources(keras: Any, *names: str) -> Iterator[NoiseSource]:
    """The sources whose layers have those arguments, as far as the installed Keras has them."""
    for source in select(NoiseSource):
        kind = getattr(keras.layers, source.layer, None)
        if source.fed is Fed.IMAGES and kind and all(_takes(keras, source, name) for name in names):
            yield source


def _named(sources: Iterable[NoiseSource], words: Iterable[str], named: bool) -> Iterator[NoiseSource]:
    """Those whose layer has one of the words in its name, or those whose layer has none."""
    return (source for source in sources if named is any(word in source.layer for word in words))


def _takes(keras: Any, source: NoiseSource, name: str) -> bool:
    return name in inspect.signature(getattr(keras.layers, source.layer)).parameters


def _layer(keras: Any, source: NoiseSource, **options: Any) -> Any:
    return made(keras, LayerRequest(source.layer, {**source.arguments, "seed": _SEED, **options}))


def _swapped(keras: Any, composed: bool) -> Iterator[Seen]:
    x = np.random.RandomState(_STREAM).uniform(0, _LEVELS, (7, 6, 8, 3)).astype(np.float32)
    for source in _sources(keras, _FORMAT):
        options = {name: value for name, value in _PLAIN.items() if _takes(keras, source, name)}
        layer, other = (_layer(keras, source, **options, **more) for more in ({}, {_FORMAT: _FIRST}))
        held = *vars(layer).values(), *vars(layer).get("_modules", {}).values()  # which torch keeps apart
        if composed is not any(isinstance(one, keras.layers.Layer) for one in held):
            continue
        outputs = []
        for one, images in ((layer, x), (other, np.moveaxis(x, -1, 1))):
            random.seed(_SEED)  # which one of them asks
            outputs.append(as_array(one(images, training=True)))
        last, first = outputs[0], np.moveaxis(outputs[1], 1, -1)
        gap = np.abs(first - last).max() if first.shape == last.shape else np.inf
        yield f"whether {source.layer} is the same", True, bool(gap < 1e-3 * _LEVELS)


def channels_first(keras: Any, _: Path) -> Iterator[Seen]:
    """Under one seed, images with channels first come out as those with channels last."""
    yield from _swapped(keras, composed=False)


def channels_first_within(keras: Any, _: Path) -> Iterator[Seen]:
    """The same of layers that are made of others."""
    state = random.getstate()
    try:
        yield from _swapped(keras, composed=True)
    finally:
        random.setstate(state)


def edges(keras: Any, _: Path) -> Iterator[Seen]:
    """An image of one color stays it, if edges are repeated, mirrored or wrapped around; else the fill is beside it."""
    x = np.full((3, 6, 8, 3), 200.0, np.float32)
    for source in _sources(keras, "fill_mode", "fill_value"):
        for mode in ("nearest", "reflect", "wrap"):
            seen = as_array(_layer(keras, source, fill_mode=mode)(x, training=True))
            yield f"whether {source.layer} with {mode} edges keeps a color", True, bool(np.abs(seen - 200).max() < 0.1)
        options = {"fill_mode": "constant", "fill_value": 50.0, "interpolation": "nearest"}
        filled = np.unique(np.round(as_array(_layer(keras, source, **options)(x, training=True)), 2))
        yield f"colors of {source.layer} beside those filled in", [], sorted(set(filled.tolist()) - {50.0, 200.0})


def places_of_erasing(keras: Any, _: Path) -> Iterator[Seen]:
    """Each image of a batch is erased at a place of its own."""
    kinds = layers_named(keras, "Erasing")
    if not kinds:
        return
    layer = kinds[0](1.0, scale=(0.1, 0.1), fill_value=0.0, value_range=(0, 1), seed=4)
    outputs = as_array(layer(np.ones((40, 16, 16, 3), np.float32), training=True))
    places = {np.argwhere(one == 0)[0].tobytes() for one in outputs if np.any(one == 0)}
    yield "whether images are erased at several places", True, len(places) > 3


def images_by_themselves(keras: Any, _: Path) -> Iterator[Seen]:
    """An image without a batch is changed at random, too."""
    x = np.random.RandomState(_STREAM).uniform(0, _LEVELS, (6, 8, 3)).astype(np.float32)
    for source in _sources(keras, "seed"):
        if source.crops or source.slow or source.layer in {one.layer for one in MIXING}:
            continue
        layer = _layer(keras, source)
        changed = (np.any(np.abs(as_array(layer(x, training=True)) - x) > 1) for _ in range(40))
        yield f"whether {source.layer} changes it in one of 40 calls", True, any(changed)


def _left_as_they_are(keras: Any, *, brighten: bool) -> Iterator[Seen]:
    x = np.random.RandomState(_STREAM).uniform(0, _LEVELS, (7, 6, 8, 3)).astype(np.float32)
    for source in _named(_sources(keras, "seed"), _BRIGHTENING, brighten):
        images = as_tensor(x)
        _layer(keras, source)(images, training=True)
        yield f"whether {source.layer} leaves them", True, bool(np.array_equal(as_array(images), x))


def images_left_as_they_are(keras: Any, _: Path) -> Iterator[Seen]:
    """What is changed is returned; the tensor of images that a layer is given stays as it is."""
    yield from _left_as_they_are(keras, brighten=False)


def brightened_images_left_as_they_are(keras: Any, _: Path) -> Iterator[Seen]:
    """The same of layers that change the brightness, or may."""
    yield from _left_as_they_are(keras, brighten=True)


def _taken_by_fit(keras: Any, *, displaced: bool) -> Iterator[Seen]:
    x = as_tensor(np.full((7, 6, 8, 3), _LEVELS / 2, np.float32))
    for source in _named(_sources(keras), _DISPLACING, displaced):
        layer = _layer(keras, source)
        layer.build(x.shape)
        call = functools.partial(layer, x, training=True)
        compiled = getattr(layer, "supports_jit", True)  # else `fit` compiles no model that has it
        yield f"raised by {source.layer}", "", refusal(shaped_outputs, layer, call) if compiled else refusal(call)


def images_taken_by_fit(keras: Any, _: Path) -> Iterator[Seen]:
    """In training a layer of images takes tensors as ``fit`` has them: on JAX those of a program that is traced."""
    yield from _taken_by_fit(keras, displaced=False)


def displaced_images_taken_by_fit(keras: Any, _: Path) -> Iterator[Seen]:
    """The same where displacements of single pixels are drawn."""
    yield from _taken_by_fit(keras, displaced=True)


IMAGE_RULES: Mapping[str, Row] = table(
    channels_first,
    channels_first_within,
    edges,
    places_of_erasing,
    images_by_themselves,
    images_left_as_they_are,
    brightened_images_left_as_they_are,
    images_taken_by_fit,
    displaced_images_taken_by_fit,
)
