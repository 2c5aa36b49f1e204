"""The initializers that the documentation names as the defaults of the common layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.catalog.laws import Constant, Shape
from initcheck.catalog.layers import LayerRequest

_LAYERS = "https://keras.io/api/layers/"

GLOROT, ORTHOGONAL, UNIFORM, ZEROS, ONES = (
    INITIALIZERS[name] for name in ("glorot_uniform", "orthogonal", "uniform", "zeros", "ones")
)
# A forget gate starts open: "unit_forget_bias: If True, add 1 to the bias of the forget gate" (Jozefowicz et al. 2015).
FORGET_GATE = Initializer("zeros, ones for the forget gate", "Zeros", Constant(0.0), f"{_LAYERS}recurrent_layers/lstm/")


@dataclass(frozen=True)
class LayerDefaults:
    """A layer that is told nothing of initializers.

    Attributes:
        request: The layer. Its shape is one for which every convention of counting fans agrees, since the fans are
            another check's concern: one channel where Keras counts a depthwise kernel's channels, as many channels
            out as in for a transposed convolution, inputs by far more than units for gated layers.
        initializers: The documented default of each of its weights, in the order of ``get_weights``.
        shapes: The documented shape of each of them.
    """

    request: LayerRequest
    initializers: tuple[Initializer, ...]
    shapes: tuple[Shape, ...]


def _convolutions() -> dict[str, LayerDefaults]:
    window, channels = {1: (40,), 2: (8, 5), 3: (4, 5, 2)}, 32
    found = {}
    for rank, lengths in window.items():
        for name in (f"Conv{rank}D", f"Conv{rank}DTranspose"):
            inputs = ((1, *lengths, channels),)
            request = LayerRequest(name, {"filters": channels, "kernel_size": lengths}, inputs)
            found[name] = LayerDefaults(request, (GLOROT, ZEROS), ((*lengths, channels, channels), (channels,)))
    for rank, lengths in {1: (200,), 2: (20, 10)}.items():
        inputs = ((1, *lengths, 1),)
        arguments = {"kernel_size": lengths, "depth_multiplier": 200}
        depthwise, pointwise = (*lengths, 1, 200), (*(1,) * rank, 200, 200)
        found[f"DepthwiseConv{rank}D"] = LayerDefaults(
            LayerRequest(f"DepthwiseConv{rank}D", arguments, inputs), (GLOROT, ZEROS), (depthwise, (200,))
        )
        found[f"SeparableConv{rank}D"] = LayerDefaults(
            LayerRequest(f"SeparableConv{rank}D", {**arguments, "filters": 200}, inputs),
            (GLOROT, GLOROT, ZEROS),
            (depthwise, pointwise, (200,)),
        )
    return found


def _recurrent() -> dict[str, LayerDefaults]:
    inputs, units, closed = 4000, 10, {"unit_forget_bias": False}
    found = {}
    # "reset_after: … True = after (default and cuDNN compatible)": a bias for the inputs and one for the state.
    for name, options, gates, bias, biases in (
        ("SimpleRNN", {}, 1, ZEROS, ()),
        ("GRU", {}, 3, ZEROS, (2,)),
        ("GRU", {"reset_after": False}, 3, ZEROS, ()),
        ("LSTM", {}, 4, FORGET_GATE, ()),
        ("LSTM", closed, 4, ZEROS, ()),
    ):
        width = gates * units
        found[_named(name, options)] = LayerDefaults(
            LayerRequest(name, {"units": units, **options}, ((1, 1, inputs),)),
            (GLOROT, ORTHOGONAL, bias),
            ((inputs, width), (units, width), (*biases, width)),
        )
    lstm = found["LSTM"]
    both = LayerRequest("Bidirectional", {"layer": lstm.request}, lstm.request.inputs)
    found["Bidirectional"] = LayerDefaults(both, lstm.initializers * 2, lstm.shapes * 2)
    for rank, length, options in ((1, 5, {}), (2, 5, {}), (2, 5, closed), (3, 3, {})):
        name, filters, window = f"ConvLSTM{rank}D", 4, (length,) * rank
        arguments = {"filters": filters, "kernel_size": window, **options}
        found[_named(name, options)] = LayerDefaults(
            LayerRequest(name, arguments, ((1, 1, *(length + 1,) * rank, 400),)),
            (GLOROT, ORTHOGONAL, ZEROS if options else FORGET_GATE),
            ((*window, 400, 4 * filters), (*window, filters, 4 * filters), (4 * filters,)),
        )
    return found


def _named(layer: str, options: Mapping[str, Any]) -> str:
    shown = ",".join(f"{name}={value}" for name, value in options.items())
    return f"{layer}({shown})" if options else layer


def _others() -> dict[str, LayerDefaults]:
    rows, wide, features = ((1, 200),), ((1, 2, 200),), ((1, 6),)
    dense = LayerRequest("Dense", {"units": 200}, rows)
    pair = ((1, 2, 20_000), (1, 2, 20_000))
    affine, statistics = (ONES, ZEROS), (ZEROS, ONES)
    matrix, vector = ((200, 200), (200,)), ((6,),)
    heads = (GLOROT, ZEROS) * 4
    # One head and one feature: its kernels are vectors, whose fans nobody counts differently.
    width = 20_000
    head_shapes = ((1, 1, width), (1, width)) * 3 + ((1, width, 1), (1,))
    return {
        "Dense": LayerDefaults(dense, (GLOROT, ZEROS), matrix),
        "TimeDistributed": LayerDefaults(
            LayerRequest("TimeDistributed", {"layer": dense}, wide), (GLOROT, ZEROS), matrix
        ),
        "Embedding": LayerDefaults(
            LayerRequest("Embedding", {"input_dim": 400, "output_dim": 100}, ((1, 2),)), (UNIFORM,), ((400, 100),)
        ),
        "EinsumDense": LayerDefaults(
            LayerRequest("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 200, "bias_axes": "c"}, rows),
            (GLOROT, ZEROS),
            matrix,
        ),
        "MultiHeadAttention": LayerDefaults(
            LayerRequest("MultiHeadAttention", {"num_heads": 1, "key_dim": width}, ((1, 2, 1), (1, 2, 1))),
            heads,
            head_shapes,
        ),
        "GroupQueryAttention": LayerDefaults(
            LayerRequest(
                "GroupQueryAttention",
                {"num_query_heads": 1, "num_key_value_heads": 1, "head_dim": width},
                ((1, 2, 1), (1, 2, 1)),
            ),
            heads,
            head_shapes,
        ),
        "AdditiveAttention": LayerDefaults(
            LayerRequest("AdditiveAttention", {}, pair, listed_inputs=True), (GLOROT,), ((width,),)
        ),
        "Attention": LayerDefaults(
            LayerRequest(
                "Attention", {"use_scale": True, "score_mode": "concat"}, ((1, 2, 6), (1, 2, 6)), listed_inputs=True
            ),
            (ONES, ONES),
            ((), ()),
        ),
        "BatchNormalization": LayerDefaults(
            LayerRequest("BatchNormalization", {}, features), affine + statistics, vector * 4
        ),
        "LayerNormalization": LayerDefaults(LayerRequest("LayerNormalization", {}, features), affine, vector * 2),
        "GroupNormalization": LayerDefaults(
            LayerRequest("GroupNormalization", {"groups": 2}, features), affine, vector * 2
        ),
        "RMSNormalization": LayerDefaults(LayerRequest("RMSNormalization", {}, features), (ONES,), vector),
        "PReLU": LayerDefaults(LayerRequest("PReLU", {}, features), (ZEROS,), vector),
    }


DEFAULTS: Mapping[str, LayerDefaults] = {**_others(), **_convolutions(), **_recurrent()}
