"""Random image layers under a seed of their own: called, called again, and within a ``tf.data`` pipeline."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.catalog.layers.traits.noises import NoiseSource
from initcheck.evidence.trace import Array, Arrays
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor, training_call
from initcheck.targets import TENSORFLOW, target

# Of each half of a batch, whose halves are equal. A layer that leaves half of all images as they are leaves all of both
# halves so once in 1.7e7 seeds; a slow one, which leaves a fifth as they are, once in 1e8. Fewer will do where images
# share their draws, or may.
ROWS, SLOW_ROWS = 24, 12
SHAPE = (8, 6, 3)
CUTS = 800  # calls of a layer that cuts: each of 15 places is met but for a chance of 2e-23


@dataclass(frozen=True)
class ImageDraws:
    """Outputs of a random image layer for one batch of images, whose second half repeats the first.

    Attributes:
        first: Of two calls in training, under an int seed.
        again: Of two calls from the same start under another global seed.
        other: Of a call of a layer of another seed, if there is one.
        zeros: Of calls of layers of seed 0 under two global seeds, if Keras has generators.
        places: The rows and columns of the corners at which many calls cut, if it cuts.
    """

    first: Arrays
    again: Arrays
    other: Array | None = None
    zeros: Arrays = ()
    places: frozenset[tuple[int, int]] = frozenset()


def images(rows: int = ROWS) -> Array:
    """The batch: two equal halves of so many rows."""
    half = np.random.RandomState(6).uniform(0, 255, (rows, *SHAPE)).astype(np.float32)
    return np.concatenate([half, half])


def draw_images(keras: Any, source: NoiseSource, seed: int) -> ImageDraws:
    """Calls layers of that kind.

    Args:
        keras: Keras as installed.
        source: The layer and its arguments.
        seed: Of the first layer; global seeds are derived from it.
    """
    x = images(ROWS if source.shared is False and not source.slow else SLOW_ROWS)

    def called(own: int, everywhere: int, calls: int) -> Arrays:
        keras.utils.set_random_seed(everywhere)
        layer = getattr(keras.layers, source.layer)(**source.arguments, seed=own)
        return tuple(_in_training(layer, x, source.calls) for _ in range(calls))

    draws = called(seed, seed + 1, 2), called(seed, seed + 2, 2), called(seed + 3, seed + 1, 1)[0]
    generators = hasattr(getattr(keras, "random", None), "SeedGenerator")
    zeros = tuple(called(0, everywhere, 1)[0] for everywhere in (seed + 1, seed + 2) if generators)
    return ImageDraws(*draws, zeros, _places(keras, source, seed) if source.crops else frozenset())


def _places(keras: Any, source: NoiseSource, seed: int) -> frozenset[tuple[int, int]]:
    """Where an image whose pixels are their own places is cut."""
    layer = getattr(keras.layers, source.layer)(**source.arguments, seed=seed)
    # JAX compiles no slice whose place is drawn.
    cut = training_call(layer) if target() == TENSORFLOW else functools.partial(layer, training=True)
    pixels = as_tensor(np.moveaxis(np.indices(SHAPE[:2], np.float32), 0, -1)[None])
    corners = (as_array(cut(pixels))[0, 0, 0] for _ in range(CUTS))
    return frozenset((int(row), int(column)) for row, column in corners)


def draw_piped(keras: Any, sources: Sequence[NoiseSource], seed: int) -> dict[str, ImageDraws | Exception]:
    """What a ``tf.data`` pipeline maps two equal batches to, by layer, in each of two rounds.

    Of a layer of which only several calls distinguish two draws it is as many batches in place of one. Before the
    second round the states of the layers' generators are put back, and another global seed is set. One pipeline maps
    all that take one batch, since tracing takes time; where that fails, its halves go alone, and so on.
    """
    alone = [source for source in sources if source.calls > 1]
    if alone and len(sources) > 1:
        parts = [[source for source in sources if source.calls == 1], *([source] for source in alone)]
        return {name: drawn for part in parts if part for name, drawn in draw_piped(keras, part, seed).items()}
    try:
        return dict(_piped(keras, sources, seed))
    except Exception as error:  # noqa: BLE001 - it is raised where its layer is judged
        if len(sources) == 1:
            return {sources[0].layer: error}
    half = len(sources) // 2
    return draw_piped(keras, sources[:half], seed) | draw_piped(keras, sources[half:], seed)


def _piped(keras: Any, sources: Sequence[NoiseSource], seed: int) -> dict[str, ImageDraws]:
    """Of layers that take as many calls as the first one."""
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    layers = [getattr(keras.layers, source.layer)(**source.arguments, seed=seed) for source in sources]
    # Converting Keras's own code takes most of the time, and there is nothing to convert.
    mapped = tf.autograph.experimental.do_not_convert(lambda x: tuple(layer(x, training=True) for layer in layers))
    x, calls = images(), sources[0].calls
    dataset = tf.data.Dataset.from_tensor_slices(np.concatenate([x] * 2 * calls)).batch(len(x)).map(mapped)
    states = [(variable, variable.numpy().copy()) for layer in layers for variable in _states(layer)]
    first = _by_layer(dataset, calls)
    for variable, value in states:
        variable.assign(value)
    keras.utils.set_random_seed(seed + 1)
    again = _by_layer(dataset, calls)
    return {source.layer: ImageDraws(one, two) for source, one, two in zip(sources, first, again, strict=True)}


def _in_training(layer: Any, x: Array, calls: int) -> Array:
    return np.stack([np.array(as_array(layer(x, training=True))) for _ in range(calls)])


def _by_layer(dataset: Any, calls: int) -> list[Arrays]:
    """For each layer two arrays, each of so many batches."""
    batches = [[np.asarray(one) for one in outputs] for outputs in dataset]
    return [(np.stack(one[:calls]), np.stack(one[calls:])) for one in zip(*batches, strict=True)]


def _states(layer: Any) -> list[Any]:
    """The variables of its generators and of those of the layers within it."""
    return [variable for variable in layer.variables if "seed_generator" in variable.path]
