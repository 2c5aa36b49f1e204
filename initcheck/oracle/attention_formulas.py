"""The outputs of attention layers, with the masks of queries, values and keys.

Sources: https://keras.io/api/layers/attention_layers/; Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; for the
additive one Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473; for grouped queries Ainslie et al. 2023,
https://arxiv.org/abs/2305.13245.

``use_causal_mask`` lets a query see keys of its own step and before; scores of others have no share in the softmax.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from initcheck.oracle.arranging import chosen, concatenated, finite, moved
from initcheck.oracle.networks import sigmoid
from initcheck.oracle.rounding import Rounded, contracted, masked_softmax

Array = Any
Weights = Sequence[Array]
Masks = Sequence[Any]  # bool arrays or None


def without_masks(formula: Callable[..., list[Array]]) -> Callable[..., Array]:
    """The formula of the only output where no input has a mask."""
    return lambda weights, xs, **config: formula(weights, xs, [None] * len(xs), **config)[0]


def shares_of(scores: Rounded, seen: Any) -> tuple[Any, Rounded]:
    """The softmax over the last axis of what is seen; first, which rows see anything, as the others' are not known."""
    seen = np.broadcast_to(seen, scores.shape)
    some = seen.any(axis=-1, keepdims=True)
    return some, masked_softmax(scores, seen | ~some)


def seen_keys(masks: Masks, steps: tuple[int, int], use_causal_mask: bool, queries: bool) -> Any:
    """Which keys a query sees by the masks of queries (if they count), values and keys, and by order.

    Args:
        masks: Of queries, values and, if they are other inputs, keys.
        steps: Of queries and keys.
        use_causal_mask: Whether a query sees no later step.
        queries: Whether a masked query sees nothing.
    """
    seen = np.ones((1, *steps), bool)
    if use_causal_mask:
        seen = np.tril(seen)
    for mask in masks[1:]:
        seen = seen if mask is None else seen & mask[:, None, :]
    return seen & masks[0][:, :, None] if queries and masks[0] is not None else seen


def multi_head(
    weights: Weights,
    xs: Sequence[Array],
    masks: Masks,
    num_heads: int,
    key_dim: int,
    attention_axes: Sequence[int] | None = None,
    **options: Any,
) -> list[Array]:
    """Scaled dot products in several heads; the outputs, and the shares if asked for.

    Axes between batch and features that are not attended over are as many batches.
    """
    if len(xs[0].shape) == len("btd"):
        return grouped_query(weights, xs, masks, num_heads, num_heads, key_dim, **options)
    axes = [axis % xs[0].value.ndim for axis in attention_axes or range(1, xs[0].value.ndim - 1)]
    (output,) = grouped_query(
        weights, [_in_batches(one, axes) for one in xs], masks, num_heads, num_heads, key_dim, **options
    )
    batches = _attended_last(xs[0], axes)
    unfolded = moved(output, lambda values: values.reshape(*batches.shape[:-1], *values.shape[2:]))
    places = range(-1 - len(axes), -1)
    return [moved(unfolded, lambda values: np.moveaxis(values, list(places), axes))]


def _attended_last(x: Array, axes: Sequence[int]) -> Rounded:
    return moved(x, lambda values: np.moveaxis(values, list(axes), list(range(-1 - len(axes), -1))))


def _in_batches(x: Array, axes: Sequence[int]) -> Rounded:
    steps = int(np.prod([x.shape[axis] for axis in axes]))
    return moved(_attended_last(x, axes), lambda values: values.reshape(-1, steps, values.shape[-1]))


def grouped_query(
    weights: Weights,
    xs: Sequence[Array],
    masks: Masks,
    num_query_heads: int,
    num_key_value_heads: int,
    head_dim: int,
    use_causal_mask: bool = False,
    attention_mask: Any = None,
    return_attention_scores: bool = False,
    sliding_window: int | None = None,
    use_gate: bool = False,
    use_bias: bool = True,
    **_: Any,
) -> list[Array]:
    """The same, where several query heads in a row share one head of keys and values.

    With ``sliding_window`` a query sees keys that are less than so many steps away. With ``use_gate`` the result is
    multiplied by the sigmoid of another projection of the query: Qiu et al. 2025, https://arxiv.org/abs/2505.06708.
    """
    names = ("query", "key", *(["gate"] if use_gate else []), "value", "output")
    left = list(weights)
    parts = {name: (left.pop(0), left.pop(0) if use_bias else 0.0) for name in names}
    query, value, key = (*xs[:2], xs[2] if len(xs) > 2 else xs[1])
    queries, keys, values = (
        _in_heads(one, *parts[name]) for name, one in (("query", query), ("key", key), ("value", value))
    )
    repeated = functools.partial(np.repeat, repeats=num_query_heads // num_key_value_heads, axis=2)
    scores = contracted("bthe,bshe->bhts", queries, moved(keys, repeated)) / np.sqrt(float(head_dim))
    steps = scores.shape[-2:]
    seen = seen_keys(masks, steps, use_causal_mask, queries=True)
    seen = seen if attention_mask is None else seen & attention_mask
    if sliding_window is not None:
        seen = seen & (np.abs(np.arange(steps[0])[:, None] - np.arange(steps[1])) < sliding_window)
    some, shares = shares_of(scores, seen[:, None])
    attended = contracted("bhts,bshe->bthe", shares, moved(values, repeated))
    if use_gate:
        attended = attended * sigmoid(_in_heads(query, *parts["gate"]))
    output = _projected(attended, *parts["output"])
    shown = [finite(some[:, 0].reshape(*some.shape[:1], -1, *(1,) * (len(output.shape) - 2)), output)]
    return [*shown, finite(some, shares)] if return_attention_scores else shown


def projections(weights: Weights, xs: Sequence[Array], **options: Any) -> Array:
    """The elements of all projections: of queries, keys, values and what is attended to, each with its bias."""
    output = without_masks(multi_head if "num_heads" in options else grouped_query)(weights, xs, **options)
    query, value, key = (*xs[:2], xs[2] if len(xs) > 2 else xs[1])
    inner = [_in_heads(one, *weights[2 * part : 2 * part + 2]) for part, one in enumerate((query, key, value))]
    return concatenated((), [moved(one, lambda values: values.reshape(len(values), -1)) for one in (*inner, output)])


def _in_heads(x: Array, kernel: Array, bias: Array) -> Array:
    return contracted("btd,dhe->bthe", x, kernel) + bias


def _projected(attended: Rounded, kernel: Array, bias: Array) -> Array:
    rows = moved(attended, lambda values: values.reshape(*values.shape[:2], -1))
    into = kernel.shape[2:]
    projected = rows @ moved(kernel, lambda values: values.reshape(-1, math.prod(into)))
    return moved(projected, lambda values: values.reshape(*values.shape[:2], *into)) + bias


def dot_product(
    weights: Weights,
    xs: Sequence[Array],
    masks: Masks,
    use_scale: bool = False,
    score_mode: str = "dot",
    **options: Any,
) -> list[Array]:
    """Scores are dot products of queries and keys, or sums of tanh of their sums."""
    query, key = xs[0], xs[-1]
    if score_mode == "concat":
        sums = query[:, :, None] + key[:, None]
        scores = np.tanh(weights[0] * sums if use_scale else sums).sum(axis=-1) * weights[-1]
        return _attended(scores, xs, masks, **options)
    scores = contracted("btd,bsd->bts", query, key)
    return _attended(scores * weights[0] if use_scale else scores, xs, masks, **options)


def additive(weights: Weights, xs: Sequence[Array], masks: Masks, **options: Any) -> list[Array]:
    """Scores are sums, weighted unless there is no scale, of tanh of the sums of queries and keys."""
    sums = np.tanh(xs[0][:, :, None] + xs[-1][:, None])
    scores = (weights[0] * sums if weights else sums).sum(axis=-1)
    return _attended(scores, xs, masks, **options)


def _attended(
    scores: Rounded,
    xs: Sequence[Array],
    masks: Masks,
    use_causal_mask: bool = False,
    return_attention_scores: bool = False,
    **_: Any,
) -> list[Array]:
    """By the mask of the values; "the output will be zero at the positions where" the queries' mask is False."""
    queries, keys = scores.shape[-2:]
    some, shares = shares_of(scores, seen_keys(masks[:2], (queries, keys), use_causal_mask, queries=False))
    output = finite(some, shares @ xs[1])
    if masks[0] is not None:
        output = chosen(masks[0][..., None], output, Rounded(np.zeros(output.shape)))
    return [output, finite(some, shares)] if return_attention_scores else [output]
