"""The outputs of attention layers, with the masks of queries, values and keys.

Sources: https://keras.io/api/layers/attention_layers/; Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; for the
additive one Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473; for grouped queries Ainslie et al. 2023,
https://arxiv.org/abs/2305.13245.

``use_causal_mask`` lets a query see keys of its own step and before; scores of others have no share in the softmax.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from initcheck.oracle.arranging import chosen, finite, moved
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


def multi_head(weights: Weights, xs: Sequence[Array], masks: Masks, num_heads: int, **options: Any) -> list[Array]:
    """Scaled dot products in several heads; the outputs, and the shares if asked for."""
    return grouped_query(weights, xs, masks, num_heads, num_heads, options.pop("key_dim"), **options)


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
    **_: Any,
) -> list[Array]:
    """The same, where several query heads in a row share one head of keys and values."""
    query, value, key = (*xs[:2], xs[2] if len(xs) > 2 else xs[1])
    queries, keys, values = (
        contracted("btd,dhe->bthe", one, weights[2 * part]) + weights[2 * part + 1]
        for part, one in enumerate((query, key, value))
    )
    repeated = functools.partial(np.repeat, repeats=num_query_heads // num_key_value_heads, axis=2)
    scores = contracted("bthe,bshe->bhts", queries, moved(keys, repeated)) / np.sqrt(float(head_dim))
    seen = seen_keys(masks, scores.shape[-2:], use_causal_mask, queries=True)
    seen = seen if attention_mask is None else seen & attention_mask
    some, shares = shares_of(scores, seen[:, None])
    attended = contracted("bhts,bshe->bthe", shares, moved(values, repeated))
    shown = [finite(some[:, 0], _projected(attended, weights))]
    return [*shown, finite(some, shares)] if return_attention_scores else shown


def _projected(attended: Rounded, weights: Weights) -> Rounded:
    rows = moved(attended, lambda values: values.reshape(*values.shape[:2], -1))
    projected: Rounded = rows @ moved(weights[6], lambda values: values.reshape(-1, values.shape[-1])) + weights[7]
    return projected


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
    """Scores are weighted sums of tanh of the sums of queries and keys."""
    scores = (weights[0] * np.tanh(xs[0][:, :, None] + xs[-1][:, None])).sum(axis=-1)
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
