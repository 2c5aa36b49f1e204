"""The outputs of layers under masks, from their documentation: a masked step is skipped, and counts nowhere.

Sources: https://keras.io/guides/understanding_masking_and_padding/, and the ``mask`` arguments in
https://keras.io/api/layers/.

Inputs have shape ``(rows, steps, features)``, masks ``(rows, steps)``, True for a step that is seen; None where one
has none. Where nothing is documented, as for what a query sees whose keys are all masked, the error is infinite: any
finite number will do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from initcheck.oracle.arranging import chosen, finite, moved
from initcheck.oracle.attention_formulas import shares_of
from initcheck.oracle.layer_outputs import normalized
from initcheck.oracle.recurrent_formulas import Directions, RecurrentCell, Sequences
from initcheck.oracle.rounding import Rounded

Array = Any
Weights = Sequence[Array]
Seen = Any  # a bool array or None
Masks = Sequence[Seen]


def unchanged(_weights: Weights, xs: Sequence[Array], _masks: Masks, **_: Any) -> list[Array]:
    """The inputs."""
    return list(xs)


def joined(weights: Weights, xs: Sequence[Array], _masks: Masks, formula: Any, **config: Any) -> list[Array]:
    """What a layer makes of its inputs whatever their masks, by the formula of the layer without masks."""
    return [formula(weights, xs[0] if len(xs) == 1 else list(xs), **config)]


def masked_by_value(_weights: Weights, xs: Sequence[Array], _masks: Masks, mask_value: float, **_: Any) -> list[Array]:
    """The input, with zeros where a whole step equals ``mask_value``."""
    return [chosen(differs(xs[0], mask_value)[..., None], xs[0], xs[0] * 0.0)]


def differs(x: Array, mask_value: float) -> Seen:
    """Where some feature of a step differs from ``mask_value``."""
    return (x.value != mask_value).any(axis=-1)


def recurrent(
    weights: Weights, xs: Sequence[Array], masks: Masks, cells: tuple[RecurrentCell, ...], **config: Any
) -> list[Array]:
    """The outputs of a layer of those cells, which begins with ``initial_state`` if given."""
    states = [Rounded(config.pop("initial_state"))] if "initial_state" in config else []
    seen = config.pop("mask", masks[0])
    return Sequences(cells).parts(weights, xs[0], states, seen=seen, **config)[0]


def recurrent_in_turn(
    weights: Weights, xs: Sequence[Array], masks: Masks, cell: RecurrentCell, **config: Any
) -> list[Array]:
    """The outputs of two calls of a stateful layer: masked steps leave its state as it is."""
    layer = Sequences((cell,))
    first, states = layer.parts(weights, xs[0], [], seen=masks[0], **config)
    return [*first, *layer.parts(weights, xs[0], states, seen=masks[0], **config)[0]]


def bidirectional(
    weights: Weights,
    xs: Sequence[Array],
    masks: Masks,
    cell: RecurrentCell,
    merge_mode: str | None = "concat",
    **config: Any,
) -> list[Array]:
    """A layer each way, merged; sequences in the order of the input, with zeros for masked steps."""
    return _directions(cell, masks, config).parts(weights, xs[0], [], merge_mode)[0]


def bidirectional_in_turn(
    weights: Weights,
    xs: Sequence[Array],
    masks: Masks,
    cell: RecurrentCell,
    merge_mode: str | None = "concat",
    **config: Any,
) -> list[Array]:
    """The outputs of two calls of a stateful layer each way."""
    layer = _directions(cell, masks, config)
    first, states = layer.parts(weights, xs[0], [], merge_mode)
    return [*first, *layer.parts(weights, xs[0], states, merge_mode)[0]]


def _directions(cell: RecurrentCell, masks: Masks, config: dict[str, Any]) -> Directions:
    options = {**config, "seen": masks[0]} | ({"zero_output_for_mask": True} if config.get("return_sequences") else {})
    layer = Sequences((cell,))
    return Directions(layer, layer, options)


def each_step(weights: Weights, xs: Sequence[Array], masks: Masks, formula: Any, **_: Any) -> list[Array]:
    """Of every step what a layer makes of its own steps under their own mask."""
    steps = range(xs[0].shape[1])
    parts = [formula(weights, [xs[0][:, step]], [masks[0][:, step]])[0] for step in steps]
    return [Rounded(*(np.stack([getattr(one, part) for one in parts], 1) for part in ("value", "error")))]


def averaged(
    _weights: Weights,
    xs: Sequence[Array],
    masks: Masks,
    keepdims: bool = False,
    data_format: str = "channels_last",
    **_: Any,
) -> list[Array]:
    """The mean over the steps that are seen."""
    axis, other = (1, 2) if data_format == "channels_last" else (2, 1)
    seen = np.expand_dims(masks[0], other).astype(float)
    return [(xs[0] * seen).sum(axis=axis, keepdims=keepdims) / seen.sum(axis=axis, keepdims=keepdims)]


def softmax(
    _weights: Weights, xs: Sequence[Array], _masks: Masks, mask: Any = None, axis: Any = -1, **_: Any
) -> list[Array]:
    """The softmax of the elements that count, and 0 for the others."""
    axes = [axis] if isinstance(axis, int) else list(axis)
    last = tuple(range(-len(axes), 0))

    def flat(values: Any) -> Any:
        turned = np.moveaxis(values, axes, last)
        return turned.reshape(*turned.shape[: -len(axes)], -1)

    counts = np.broadcast_to(True if mask is None else mask, xs[0].shape)
    shares = finite(*shares_of(moved(xs[0], flat), flat(counts)))
    shape = np.moveaxis(counts, axes, last).shape
    return [moved(shares, lambda values: np.moveaxis(values.reshape(shape), last, axes))]


def seen_moments(x: Array, seen: Any, axis: int = -1) -> tuple[Array, Array]:
    """Mean and variance of each feature, or of what lies along another axis, over the elements that are seen."""
    counts = np.moveaxis(np.broadcast_to(np.asarray(seen, float)[..., None], x.shape), axis, -1)
    x, axes = _turned(x, axis, -1), tuple(range(len(x.shape) - 1))
    number = counts.sum(axis=axes)
    mean = (x * counts).sum(axis=axes) / number
    return mean, (np.square(x - mean) * counts).sum(axis=axes) / number


def batch_normalization(weights: Weights, xs: Sequence[Array], masks: Masks, axis: int = -1, **_: Any) -> list[Array]:
    """Each feature normalized by its moments over what is seen, as in training; masked steps are normalized too."""
    moments = seen_moments(xs[0], masks[0], axis)
    return [_turned(normalized(_turned(xs[0], axis, -1), *moments, weights[0], weights[1]), -1, axis)]


def updated_averages(
    weights: Weights, xs: Sequence[Array], masks: Masks, axis: int = -1, momentum: float = 0.99, **_: Any
) -> list[Array]:
    """The weights of a batch normalization after a batch: its moving averages take in what is seen."""
    kept, moments = Rounded(momentum), seen_moments(xs[0], masks[0], axis)
    pairs = zip(weights[2:], moments, strict=True)
    return [*weights[:2], *(old * kept + new * (1.0 - kept) for old, new in pairs)]


def _turned(x: Array, axis: int, to: int) -> Rounded:
    return moved(x, lambda values: np.moveaxis(values, axis, to))
