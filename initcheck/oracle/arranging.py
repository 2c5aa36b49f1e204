"""The outputs of layers that rearrange, pad, merge or rescale their inputs, written from their documentation.

Each takes weights, an input (a list of inputs, where it merges several) and the layer's arguments, as in
``oracle.layer_outputs``. Source: https://keras.io/api/layers/.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from initcheck.oracle.rounding import Rounded, contracted

Array = Any
Weights = Sequence[Array]


def moved(x: Array, move: Callable[[np.ndarray], np.ndarray]) -> Rounded:
    """The elements in other places: a move changes none of them, nor its error."""
    return Rounded(move(x.value), move(x.error))


def chosen(where: Any, one: Rounded, other: Rounded) -> Rounded:
    """One of two arrays where that is true, the other elsewhere."""
    return Rounded(np.where(where, one.value, other.value), np.where(where, one.error, other.error))


def finite(known: Any, x: Rounded) -> Rounded:
    """The values where they are known; elsewhere any finite ones."""
    return Rounded(x.value, np.where(known, x.error, np.inf))


def channels_last(x: Array, config: dict[str, Any]) -> Rounded:
    """The input with its channels on the last axis."""
    first = config.get("data_format") == "channels_first"
    return moved(x, lambda values: np.moveaxis(values, 1, -1)) if first else x


def as_given(x: Array, config: dict[str, Any]) -> Rounded:
    """The output with its channels where the input has them."""
    first = config.get("data_format") == "channels_first"
    return moved(x, lambda values: np.moveaxis(values, -1, 1)) if first else x


def in_its_format(formula: Callable[..., Array]) -> Callable[..., Array]:
    """A formula of inputs with channels last, for the layer's ``data_format``."""

    def given(weights: Weights, x: Array, **config: Any) -> Array:
        return as_given(formula(weights, channels_last(x, config), **config), config)

    return given


def flatten(_weights: Weights, x: Array, **config: Any) -> Rounded:
    """Each row in one axis, in the order of channels last."""
    return moved(channels_last(x, config), lambda values: values.reshape(len(values), -1))


def reshape(_weights: Weights, x: Array, target_shape: Sequence[int], **_: Any) -> Rounded:
    """Each row in another shape."""
    return moved(x, lambda values: values.reshape(len(values), *target_shape))


def permute(_weights: Weights, x: Array, dims: Sequence[int], **_: Any) -> Rounded:
    """The axes of each row, counted from 1, in another order."""
    return moved(x, lambda values: values.transpose(0, *dims))


def repeat_vector(_weights: Weights, x: Array, n: int, **_: Any) -> Rounded:
    """Each row n times, along a new second axis."""
    return moved(x, lambda values: np.repeat(values[:, None], n, axis=1))


def _pairs(given: Any, rank: int) -> list[tuple[int, int]]:
    """What is done before the start and after the end of each of ``rank`` axes; documented in three forms."""
    each = np.broadcast_to(given, rank).tolist() if np.ndim(given) < 2 and not (rank == 1 and np.ndim(given)) else given
    if rank == 1 and np.ndim(given) == 1:
        each = [tuple(given)]
    return [(int(one), int(one)) if np.ndim(one) == 0 else (int(one[0]), int(one[1])) for one in each]


def cropping(_weights: Weights, x: Array, cropping: Any, **config: Any) -> Rounded:
    """The input without elements at the start and end of each axis between batch and channels."""
    x = channels_last(x, config)
    ends = _pairs(cropping, len(x.shape) - 2)
    cuts = [slice(start, size - end) for (start, end), size in zip(ends, x.shape[1:-1], strict=True)]
    return as_given(x[(slice(None), *cuts)], config)


def zero_padding(_weights: Weights, x: Array, padding: Any, **config: Any) -> Rounded:
    """The input with zeros at the start and end of each axis between batch and channels."""
    x = channels_last(x, config)
    around = [(0, 0), *_pairs(padding, len(x.shape) - 2), (0, 0)]
    return as_given(moved(x, lambda values: np.pad(values, around)), config)


def up_sampling(_weights: Weights, x: Array, size: Any, **config: Any) -> Rounded:
    """Each element as often as ``size`` says along each axis between batch and channels."""
    x = channels_last(x, config)
    for axis, times in enumerate(np.broadcast_to(size, len(x.shape) - 2), start=1):
        x = moved(x, functools.partial(np.repeat, repeats=int(times), axis=axis))
    return as_given(x, config)


def center_crop(_weights: Weights, x: Array, height: int, width: int, **config: Any) -> Rounded:
    """The middle of each image; of an odd rest the smaller half is cut off at the start."""
    x = channels_last(x, config)
    starts = [(size - kept) // 2 for size, kept in zip(x.shape[1:3], (height, width), strict=True)]
    cuts = [slice(start, start + kept) for start, kept in zip(starts, (height, width), strict=True)]
    return as_given(x[(slice(None), *cuts)], config)


def masking(_weights: Weights, x: Array, mask_value: float = 0.0, **_: Any) -> Rounded:
    """The input with zeros for the steps all of whose elements are ``mask_value``."""
    kept = (x.value != mask_value).any(axis=-1, keepdims=True)
    return moved(x, lambda values: values * kept)


def merged(formula: Callable[..., Array]) -> Callable[..., Array]:
    """A formula of inputs of one rank; those of lower rank get axes of length 1 after the first."""

    def of_one_rank(weights: Weights, xs: Sequence[Array], **config: Any) -> Array:
        rank = max(len(one.shape) for one in xs)
        widened = [
            moved(one, lambda values: values.reshape(len(values), *(1,) * (rank - values.ndim), *values.shape[1:]))
            for one in xs
        ]
        return formula(weights, widened, **config)

    return of_one_rank


@merged
def added(_weights: Weights, xs: Sequence[Array], **_: Any) -> Array:
    """The sum of the inputs, in whichever order: a sum of two may cancel."""
    return _sum_of(xs)


def _sum_of(xs: Sequence[Array]) -> Array:
    stacked = (np.stack(np.broadcast_arrays(*(getattr(x, part) for x in xs))) for part in ("value", "error"))
    return Rounded(*stacked).sum(axis=0)


@merged
def subtracted(_weights: Weights, xs: Sequence[Array], **_: Any) -> Array:
    """The first input less the second."""
    return xs[0] - xs[1]


@merged
def multiplied(_weights: Weights, xs: Sequence[Array], **_: Any) -> Array:
    """The product of the inputs, element by element."""
    return functools.reduce(lambda product, one: product * one, xs)


@merged
def averaged(_weights: Weights, xs: Sequence[Array], **_: Any) -> Array:
    """The mean of the inputs."""
    return _sum_of(xs) / float(len(xs))


@merged
def largest(_weights: Weights, xs: Sequence[Array], **_: Any) -> Array:
    """The largest of the inputs, element by element."""
    return functools.reduce(np.maximum, xs)


@merged
def smallest(_weights: Weights, xs: Sequence[Array], **_: Any) -> Array:
    """The smallest of the inputs, element by element."""
    return functools.reduce(np.minimum, xs)


def concatenated(_weights: Weights, xs: Sequence[Array], axis: int = -1, **_: Any) -> Rounded:
    """The inputs one after another along an axis."""
    return Rounded(
        np.concatenate([one.value for one in xs], axis=axis), np.concatenate([one.error for one in xs], axis=axis)
    )


def dotted(_weights: Weights, xs: Sequence[Array], axes: Any, normalize: bool = False, **_: Any) -> Array:
    """For each row the products of the two inputs along an axis of each, after bringing each to length 1 if asked for.

    The other axes of the first input come first; if none is left, there is one of length 1.
    """
    pairs = list(zip(xs, np.broadcast_to(axes, 2).tolist(), strict=True))
    first, second = (
        moved(_unit_length(one, axis) if normalize else one, functools.partial(_axis_last, axis=axis))
        for one, axis in pairs
    )
    rows, *left = first.shape[:-1]
    right = second.shape[1:-1]
    product = contracted(
        "bxk,byk->bxy",
        moved(first, lambda values: values.reshape(rows, -1, values.shape[-1])),
        moved(second, lambda values: values.reshape(rows, -1, values.shape[-1])),
    )
    return moved(product, lambda values: values.reshape(rows, *((*left, *right) or (1,))))


def _axis_last(values: np.ndarray, axis: int) -> np.ndarray:
    return np.moveaxis(values, axis, -1)


def _unit_length(x: Array, axis: Any) -> Array:
    return x / np.sqrt(np.square(x).sum(axis=axis, keepdims=True))


def unit_normalization(_weights: Weights, x: Array, axis: Any = -1, **_: Any) -> Array:
    """The input over its length along an axis, or along several together."""
    return _unit_length(x, tuple(np.atleast_1d(axis).tolist()))


def rescaled(_weights: Weights, x: Array, scale: Any, offset: Any = 0.0, **_: Any) -> Array:
    """The input times ``scale`` plus ``offset``."""
    return x * np.asarray(scale) + np.asarray(offset)


def rescaled_first(weights: Weights, x: Array, **config: Any) -> Array:
    """The same by channel, where these come first."""
    first = {"data_format": "channels_first"}
    return as_given(rescaled(weights, channels_last(x, first), **config), first)


def rescaled_and_cropped(_weights: Weights, x: Array, layers: Sequence[Any], **_: Any) -> Array:
    """The middle of each rescaled image, by the arguments of the two layers."""
    scaling, crop = layers
    return center_crop(_weights, rescaled(_weights, x, **scaling.arguments), **crop.arguments)


def normalized_by(
    _weights: Weights, x: Array, mean: Any, variance: Any, axis: Any = -1, invert: bool = False, **_: Any
) -> Array:
    """The input less ``mean`` over the root of ``variance``, which lie along some axes; or the way back."""
    kept = [] if axis is None else [int(one) % len(x.shape) for one in np.atleast_1d(axis)]
    shape = [size if number in kept else 1 for number, size in enumerate(x.shape)]
    mean, variance = (np.asarray(one, np.float64) for one in (mean, variance))
    mean, variance = (one.reshape(shape) if one.ndim else one for one in (mean, variance))
    mean, deviation = Rounded(mean), np.sqrt(Rounded(variance))
    return x * deviation + mean if invert else (x - mean) / deviation
