"""Kernels as real layers create them, with the fans that their units really have."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from initcheck.catalog.cases.drawn import CaseStream, draw_cases
from initcheck.catalog.laws import Mode
from initcheck.catalog.layers import LayerRequest

CASES_PER_KIND = 3
CASE_SAMPLES = 10_000  # elements of one kernel, times the effort's factor


@dataclass(frozen=True)
class LayerCase:
    """One kernel of one layer.

    Attributes:
        request: The layer.
        argument: The initializer argument that decides the kernel.
        weight: The kernel's place among the layer's weights.
        fan_in: How many inputs each unit of the layer sums up.
        fan_out: How many units each input goes to, window by window, counting a recurrent layer's gates as one.
    """

    request: LayerRequest
    argument: str
    weight: int
    fan_in: int
    fan_out: int


@dataclass(frozen=True)
class Dims:
    """What is drawn for a layer.

    Attributes:
        window: Lengths of a convolution's window.
        few: A small number of channels, features or heads.
        more: Another one, different from ``few``.
        size: How many elements the kernel should have at least.
    """

    window: tuple[int, int, int]
    few: int
    more: int
    size: int

    def fill(self, *rest: int) -> int:
        """The length of the open axis that brings the kernel to its size."""
        return math.ceil(self.size / math.prod(rest))


def _dense(d: Dims) -> LayerCase:
    units = d.fill(d.few)
    return LayerCase(LayerRequest("Dense", {"units": units}, ((1, d.few),)), "kernel_initializer", 0, d.few, units)


def _embedding(d: Dims) -> LayerCase:
    rows = d.fill(d.few)
    request = LayerRequest("Embedding", {"input_dim": rows, "output_dim": d.few}, ((1, 2),))
    return LayerCase(request, "embeddings_initializer", 0, rows, d.few)


def _convolution(rank: int, *, groups: int = 1, transpose: bool = False) -> Callable[[Dims], LayerCase]:
    def make(d: Dims) -> LayerCase:
        window = d.window[:rank]
        count = math.prod(window)
        filters = groups * math.ceil(d.fill(count, d.few) / groups)
        channels = d.few * groups
        arguments: dict[str, Any] = {"filters": filters, "kernel_size": window}
        if groups > 1:
            arguments["groups"] = groups
        inputs = ((1, *(length + 1 for length in window), channels),)
        name = f"Conv{rank}D{'Transpose' if transpose else ''}"
        return LayerCase(LayerRequest(name, arguments, inputs), "kernel_initializer", 0, count * d.few, count * filters)

    return make


def _depthwise(rank: int) -> Callable[[Dims], LayerCase]:
    def make(d: Dims) -> LayerCase:
        window = d.window[:rank]
        channels = d.fill(*window, d.more)
        request = LayerRequest(
            f"DepthwiseConv{rank}D",
            {"kernel_size": window, "depth_multiplier": d.more},
            ((1, *(length + 1 for length in window), channels),),
        )
        count = math.prod(window)
        return LayerCase(request, "depthwise_initializer", 0, count, count * d.more)

    return make


def _separable(rank: int, *, pointwise: bool) -> Callable[[Dims], LayerCase]:
    def make(d: Dims) -> LayerCase:
        window = d.window[:rank]
        count = math.prod(window)
        channels = d.few if pointwise else d.fill(*window, d.more)
        filters = d.fill(channels, d.more) if pointwise else 2
        request = LayerRequest(
            f"SeparableConv{rank}D",
            {"filters": filters, "kernel_size": window, "depth_multiplier": d.more},
            ((1, *(length + 1 for length in window), channels),),
        )
        if pointwise:
            return LayerCase(request, "pointwise_initializer", 1, channels * d.more, filters)
        return LayerCase(request, "depthwise_initializer", 0, count, count * d.more)

    return make


def _recurrent(name: str, gates: int) -> Callable[[Dims], LayerCase]:
    def make(d: Dims) -> LayerCase:
        inputs = d.fill(gates, d.more * 5)
        request = LayerRequest(name, {"units": d.more * 5}, ((1, 2, inputs),))
        return LayerCase(request, "kernel_initializer", 0, inputs, d.more * 5)

    return make


def _conv_lstm(d: Dims) -> LayerCase:
    window = d.window[:2]
    channels = d.fill(*window, d.more, 4)
    request = LayerRequest("ConvLSTM2D", {"filters": d.more, "kernel_size": window}, ((1, 1, 7, 7, channels),))
    count = math.prod(window)
    return LayerCase(request, "kernel_initializer", 0, count * channels, count * d.more)


def _einsum_matrix(d: Dims) -> LayerCase:
    units = d.fill(d.few)
    request = LayerRequest("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (None, units)}, ((1, 2, d.few),))
    return LayerCase(request, "kernel_initializer", 0, d.few, units)


def _einsum_heads(d: Dims) -> LayerCase:
    inputs = d.fill(d.few, d.more)
    arguments = {"equation": "abc,cde->abde", "output_shape": (None, d.few, d.more)}
    return LayerCase(
        LayerRequest("EinsumDense", arguments, ((1, 2, inputs),)), "kernel_initializer", 0, inputs, d.few * d.more
    )


def _einsum_joined(d: Dims) -> LayerCase:
    units = d.fill(d.few, d.more)
    arguments = {"equation": "abcd,cde->abe", "output_shape": (None, units)}
    return LayerCase(
        LayerRequest("EinsumDense", arguments, ((1, 2, d.few, d.more),)), "kernel_initializer", 0, d.few * d.more, units
    )


def _attention(name: str, weight: int) -> Callable[[Dims], LayerCase]:
    def make(d: Dims) -> LayerCase:
        width = d.fill(d.few, d.more)
        arguments: dict[str, Any] = {"num_heads": d.few, "key_dim": d.more}
        if name == "GroupQueryAttention":
            arguments = {"num_query_heads": d.few, "num_key_value_heads": d.few, "head_dim": d.more}
        request = LayerRequest(name, arguments, ((1, 2, width), (1, 2, width)))
        fans = (d.few * d.more, width) if weight == 6 else (width, d.few * d.more)
        return LayerCase(request, "kernel_initializer", weight, *fans)

    return make


# The query's, key's, value's and output's kernels of attention, each followed by its bias.
_PLACES = {"query": 0, "key": 2, "value": 4, "output": 6}

KINDS: Mapping[str, Callable[[Dims], LayerCase]] = {
    "dense": _dense,
    "embedding": _embedding,
    **{f"conv{rank}d": _convolution(rank) for rank in (1, 2, 3)},
    **{f"grouped_conv{rank}d": _convolution(rank, groups=4) for rank in (1, 2, 3)},
    **{f"conv{rank}d_transpose": _convolution(rank, transpose=True) for rank in (1, 2, 3)},
    **{f"depthwise_conv{rank}d": _depthwise(rank) for rank in (1, 2)},
    **{f"separable_conv{rank}d_depthwise": _separable(rank, pointwise=False) for rank in (1, 2)},
    **{f"separable_conv{rank}d_pointwise": _separable(rank, pointwise=True) for rank in (1, 2)},
    "simple_rnn": _recurrent("SimpleRNN", 1),
    "gru": _recurrent("GRU", 3),
    "lstm": _recurrent("LSTM", 4),
    "conv_lstm2d": _conv_lstm,
    "einsum_matrix": _einsum_matrix,
    "einsum_heads": _einsum_heads,
    "einsum_joined": _einsum_joined,
    **{f"attention_{part}": _attention("MultiHeadAttention", place) for part, place in _PLACES.items()},
    **{
        f"grouped_query_attention_{part}": _attention("GroupQueryAttention", _PLACES[part])
        for part in ("query", "output")
    },
}


# Where Keras has counted, or counts, the fans of the kernel's shape and not those of the layer's units: depthwise
# kernels (keras#11773), transposed ones, gates side by side, and einsum kernels (keras pull request 22789).
QUIRKS: tuple[tuple[str, Mode], ...] = (
    *((f"depthwise_conv{rank}d", "fan_in") for rank in (1, 2)),
    *((f"separable_conv{rank}d_depthwise", "fan_in") for rank in (1, 2)),
    *((f"conv{rank}d_transpose", "fan_in") for rank in (1, 2, 3)),
    *((f"conv{rank}d_transpose", "fan_out") for rank in (1, 2, 3)),
    *((kind, "fan_out") for kind in ("gru", "lstm", "conv_lstm2d")),
    ("einsum_heads", "fan_in"),
    ("einsum_heads", "fan_out"),
    ("einsum_joined", "fan_out"),
    *((f"attention_{part}", "fan_in") for part in ("query", "key", "value")),
    *((f"attention_{part}", "fan_out") for part in _PLACES),
    ("grouped_query_attention_query", "fan_in"),
    ("grouped_query_attention_query", "fan_out"),
    ("grouped_query_attention_output", "fan_out"),
)  # fmt: skip


@functools.cache
def layer_cases(kind: str, size: int) -> tuple[LayerCase, ...]:
    """Some layers of that kind, whose kernels have ``size`` elements or a quarter more."""

    def make(stream: CaseStream) -> Dims:
        return Dims(
            window=(stream.integer(2, 5), stream.integer(1, 4), stream.integer(2, 3)),
            few=stream.integer(3, 8),
            more=stream.integer(2, 5),
            size=stream.integer(size, size + size // 4),
        )

    return tuple(KINDS[kind](dims) for dims in draw_cases(make, CASES_PER_KIND, f"layers {kind}"))


def arguments_of(kind: str, case: LayerCase) -> list[tuple[str, int]]:
    """The initializer arguments of a layer of that kind, each with its weight's place; no LSTM's bias, half forced."""
    found = [(case.argument, case.weight)]
    if kind in {"simple_rnn", "gru", "lstm", "conv_lstm2d"}:
        found.append(("recurrent_initializer", 1))
    if "lstm" not in kind and "einsum" not in kind and kind != "embedding":
        found.append(("bias_initializer", -1))
    return found
