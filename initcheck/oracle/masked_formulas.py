"""The outputs of layers under masks, from their documentation: a masked step is skipped, and counts nowhere.

Sources: https://keras.io/guides/understanding_masking_and_padding/, and the ``mask`` arguments in
https://keras.io/api/layers/.

Inputs have shape ``(rows, steps, features)``, masks ``(rows, steps)``, True for a step that is seen; None where one
has none. Where nothing is documented, as for what a query sees whose keys are all masked, the error is infinite: any
finite number will do.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from initcheck.oracle.arranging import moved
from initcheck.oracle.layer_outputs import normalized
from initcheck.oracle.recurrent_formulas import gru_step, lstm_step, simple_step
from initcheck.oracle.rounding import Rounded, contracted, masked_softmax

Array = Any
Weights = Sequence[Array]
Seen = Any  # a bool array or None
Masks = Sequence[Seen]
_Step = Callable[..., tuple[Array, list[Array]]]  # weights, input, states → output and new states


def chosen(seen: Seen, one: Rounded, other: Rounded) -> Rounded:
    """One of two arrays where ``seen``, the other elsewhere."""
    return Rounded(np.where(seen, one.value, other.value), np.where(seen, one.error, other.error))


def finite(known: Seen, x: Rounded) -> Rounded:
    """The values where they are known; elsewhere any finite ones."""
    return Rounded(x.value, np.where(known, x.error, np.inf))


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


def _stacked(weights: Weights, x: Array, states: list[Array]) -> tuple[Array, list[Array]]:
    """A GRU cell on an LSTM cell; the states are the LSTM's two and the GRU's."""
    lower, kept = lstm_step(weights[:3], x, states[:2])
    upper, last = gru_step(weights[3:], lower, states[2:])
    return upper, [*kept, *last]


# Steps, with the number of their states.
_CELLS: dict[str, tuple[_Step, int]] = {
    "simple": (simple_step, 1),
    "lstm": (lstm_step, 2),
    "gru": (gru_step, 1),
    "stacked": (_stacked, 3),
}


def recurrent(
    weights: Weights,
    xs: Sequence[Array],
    masks: Masks,
    kind: str,
    units: int,
    return_sequences: bool = False,
    return_state: bool = False,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
    **_: Any,
) -> list[Array]:
    """The output, or the outputs of all steps in the order in which they are taken, and the states if asked for.

    A masked step leaves the states as they are; its output is that of the step before it, or zeros.
    """
    x, seen = xs[0], masks[0]
    step, count = _CELLS[kind]
    nothing = Rounded(np.zeros((x.shape[0], units)))
    states, output, outputs = [nothing] * count, nothing, []
    for time in reversed(range(x.shape[1])) if go_backwards else range(x.shape[1]):
        now = np.ones((x.shape[0], 1), bool) if seen is None else seen[:, time, None]
        made, new = step(weights, x[:, time], states)
        states = [chosen(now, *pair) for pair in zip(new, states, strict=True)]
        output = chosen(now, made, nothing if zero_output_for_mask else output)
        outputs.append(output)
    shown = [_in_order(outputs) if return_sequences else output]
    return [*shown, *states] if return_state else shown


def _in_order(outputs: Sequence[Rounded]) -> Rounded:
    return Rounded(np.stack([one.value for one in outputs], 1), np.stack([one.error for one in outputs], 1))


def bidirectional(
    weights: Weights, xs: Sequence[Array], masks: Masks, merge_mode: str | None = "concat", **config: Any
) -> list[Array]:
    """A layer each way, merged; sequences in the order of the input, with zeros for masked steps."""
    half = len(weights) // 2
    if config.get("return_sequences"):
        config["zero_output_for_mask"] = True
    onward = recurrent(weights[:half], xs, masks, **config)
    back = recurrent(weights[half:], xs, masks, **config, go_backwards=True)
    if config.get("return_sequences"):
        back[0] = moved(back[0], lambda values: values[:, ::-1])
    if merge_mode is None:
        merged = [onward[0], back[0]]
    elif merge_mode == "concat":
        pair = (onward[0], back[0])
        merged = [Rounded(*(np.concatenate([getattr(one, part) for one in pair], -1) for part in ("value", "error")))]
    else:
        merged = [{"sum": onward[0] + back[0], "mul": onward[0] * back[0]}[merge_mode]]
    return [*merged, *onward[1:], *back[1:]]


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
    shares = _shares(moved(xs[0], flat), flat(counts))
    shape = np.moveaxis(counts, axes, last).shape
    return [moved(shares, lambda values: np.moveaxis(values.reshape(shape), last, axes))]


def _shares(scores: Rounded, seen: Any) -> Rounded:
    """The softmax over the last axis of what is seen; where nothing is, any finite numbers."""
    seen = np.broadcast_to(seen, scores.shape)
    some = seen.any(axis=-1, keepdims=True)
    return finite(some, masked_softmax(scores, seen | ~some))


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
    some = np.broadcast_to(seen.any(axis=-1), scores.shape[:1] + scores.shape[2:3])
    shares = masked_softmax(scores, (seen | ~some[..., None])[:, None])
    attended = contracted("bhts,bshe->bthe", shares, moved(values, repeated))
    shown = [finite(some[..., None], _projected(attended, weights))]
    return [*shown, finite(some[:, None, :, None], shares)] if return_attention_scores else shown


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
        return _attended(np.tanh(sums).sum(axis=-1) * weights[-1], xs, masks, **options)
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
    seen = seen_keys(masks[:2], (queries, keys), use_causal_mask, queries=False)
    seen = np.broadcast_to(seen, scores.shape)
    some = seen.any(axis=-1, keepdims=True)
    shares = masked_softmax(scores, seen | ~some)
    output = finite(some, shares @ xs[1])
    if masks[0] is not None:
        output = chosen(masks[0][..., None], output, Rounded(np.zeros(output.shape)))
    return [output, finite(some, shares)] if return_attention_scores else [output]


def seen_moments(x: Array, seen: Any) -> tuple[Array, Array]:
    """Mean and variance of each feature over the rows and steps that are seen."""
    axes = tuple(range(len(x.shape) - 1))
    counts, number = np.asarray(seen, float)[..., None], float(np.sum(seen))
    mean = (x * counts).sum(axis=axes) / number
    return mean, (np.square(x - mean) * counts).sum(axis=axes) / number


def batch_normalization(weights: Weights, xs: Sequence[Array], masks: Masks, **_: Any) -> list[Array]:
    """Each feature normalized by its moments over what is seen, as in training; masked steps are normalized too."""
    return [normalized(xs[0], *seen_moments(xs[0], masks[0]), weights[0], weights[1])]
