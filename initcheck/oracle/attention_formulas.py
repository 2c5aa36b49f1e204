"""The outputs of attention layers.

Sources: https://keras.io/api/layers/attention_layers/; Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; for the
additive one Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473; for grouped queries Ainslie et al. 2023,
https://arxiv.org/abs/2305.13245.

``use_causal_mask`` lets a query see keys of its own step and before; scores of others have no share in the softmax.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from initcheck.oracle.arranging import moved
from initcheck.oracle.rounding import contracted, masked_softmax

Array = Any
Weights = Sequence[Array]


def multi_head(weights: Weights, xs: Sequence[Array], num_heads: int, key_dim: int, **options: Any) -> Array:
    """Scaled dot products in several heads, with biases."""
    return grouped_query(weights, xs, num_heads, num_heads, key_dim, **options)


def grouped_query(
    weights: Weights,
    xs: Sequence[Array],
    num_query_heads: int,
    num_key_value_heads: int,
    head_dim: int,
    use_causal_mask: bool = False,
    **_: Any,
) -> Array:
    """The same, where several query heads in a row share one head of keys and values."""
    query, value, key = (*xs[:2], xs[2] if len(xs) > 2 else xs[1])
    queries, keys, values = (
        contracted("btd,dhe->bthe", one, weights[2 * part]) + weights[2 * part + 1]
        for part, one in enumerate((query, key, value))
    )
    shared = num_query_heads // num_key_value_heads
    keys, values = (moved(one, lambda array: np.repeat(array, shared, axis=2)) for one in (keys, values))
    scores = contracted("bthe,bshe->bhts", queries, keys) / np.sqrt(float(head_dim))
    attended = contracted("bhts,bshe->bthe", _shares(scores, use_causal_mask), values)
    return _projected(attended, weights[6]) + weights[7]


def _projected(attended: Array, kernel: Array) -> Array:
    """All heads of a step to its output, by a kernel of shape ``(heads, size, outputs)``."""
    rows = moved(attended, lambda values: values.reshape(*values.shape[:2], -1))
    return rows @ moved(kernel, lambda values: values.reshape(-1, values.shape[-1]))


def _shares(scores: Array, use_causal_mask: bool) -> Array:
    """The softmax over the last axis, of which masked scores are no part."""
    return masked_softmax(scores, np.tril(np.ones(scores.shape[-2:])) if use_causal_mask else None)


def dot_product(
    weights: Weights,
    xs: Sequence[Array],
    use_scale: bool = False,
    score_mode: str = "dot",
    use_causal_mask: bool = False,
    **_: Any,
) -> Array:
    """Scores are dot products of queries and keys, or sums of tanh of their sums."""
    query, value, key = (*xs[:2], xs[2] if len(xs) > 2 else xs[1])
    if score_mode == "concat":
        sums = query[:, :, None] + key[:, None]
        scores = np.tanh(weights[0] * sums if use_scale else sums).sum(axis=-1) * weights[-1]
    else:
        scores = contracted("btd,bsd->bts", query, key)
        scores = scores * weights[0] if use_scale else scores
    return _shares(scores, use_causal_mask) @ value


def additive(weights: Weights, xs: Sequence[Array], use_causal_mask: bool = False, **_: Any) -> Array:
    """Scores are weighted sums of tanh of the sums of queries and keys."""
    query, value, key = (*xs[:2], xs[2] if len(xs) > 2 else xs[1])
    scores = (weights[0] * np.tanh(query[:, :, None] + key[:, None])).sum(axis=-1)
    return _shares(scores, use_causal_mask) @ value
