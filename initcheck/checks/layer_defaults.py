"""The initializers that the documentation names as the defaults of the common layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.catalog.laws import Constant
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
    """

    request: LayerRequest
    initializers: tuple[Initializer, ...]


def _convolutions() -> dict[str, LayerDefaults]:
    window, channels = {1: (40,), 2: (8, 5), 3: (4, 5, 2)}, 32
    found = {}
    for rank, lengths in window.items():
        for name in (f"Conv{rank}D", f"Conv{rank}DTranspose"):
            inputs = ((1, *lengths, channels),)
            request = LayerRequest(name, {"filters": channels, "kernel_size": lengths}, inputs)
            found[name] = LayerDefaults(request, (GLOROT, ZEROS))
    for rank, lengths in {1: (200,), 2: (20, 10)}.items():
        inputs = ((1, *lengths, 1),)
        arguments = {"kernel_size": lengths, "depth_multiplier": 200}
        found[f"DepthwiseConv{rank}D"] = LayerDefaults(
            LayerRequest(f"DepthwiseConv{rank}D", arguments, inputs), (GLOROT, ZEROS)
        )
        found[f"SeparableConv{rank}D"] = LayerDefaults(
            LayerRequest(f"SeparableConv{rank}D", {**arguments, "filters": 200}, inputs), (GLOROT, GLOROT, ZEROS)
        )
    return found


def _recurrent() -> dict[str, LayerDefaults]:
    inputs, units = 4000, 10
    found = {
        name: LayerDefaults(LayerRequest(name, {"units": units}, ((1, 1, inputs),)), (GLOROT, ORTHOGONAL, bias))
        for name, bias in {"SimpleRNN": ZEROS, "GRU": ZEROS, "LSTM": FORGET_GATE}.items()
    }
    lstm = found["LSTM"]
    both = LayerRequest("Bidirectional", {"layer": lstm.request}, lstm.request.inputs)
    found["Bidirectional"] = LayerDefaults(both, lstm.initializers * 2)
    for rank in (1, 2):
        request = LayerRequest(
            f"ConvLSTM{rank}D", {"filters": 4, "kernel_size": (5,) * rank}, ((1, 1, *(6,) * rank, 400),)
        )
        found[f"ConvLSTM{rank}D"] = LayerDefaults(request, (GLOROT, ORTHOGONAL, FORGET_GATE))
    return found


def _others() -> dict[str, LayerDefaults]:
    rows, wide, features = ((1, 200),), ((1, 2, 200),), ((1, 6),)
    dense = LayerRequest("Dense", {"units": 200}, rows)
    pair = ((1, 2, 20_000), (1, 2, 20_000))
    affine, statistics = (ONES, ZEROS), (ZEROS, ONES)
    heads = (GLOROT, ZEROS)
    return {
        "Dense": LayerDefaults(dense, (GLOROT, ZEROS)),
        "TimeDistributed": LayerDefaults(LayerRequest("TimeDistributed", {"layer": dense}, wide), (GLOROT, ZEROS)),
        "Embedding": LayerDefaults(
            LayerRequest("Embedding", {"input_dim": 400, "output_dim": 100}, ((1, 2),)), (UNIFORM,)
        ),
        "EinsumDense": LayerDefaults(
            LayerRequest("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 200, "bias_axes": "c"}, rows),
            (GLOROT, ZEROS),
        ),
        # One head and one feature: its kernels are vectors, whose fans nobody counts differently.
        "MultiHeadAttention": LayerDefaults(
            LayerRequest("MultiHeadAttention", {"num_heads": 1, "key_dim": 20_000}, ((1, 2, 1), (1, 2, 1))), heads * 4
        ),
        "GroupQueryAttention": LayerDefaults(
            LayerRequest(
                "GroupQueryAttention",
                {"num_query_heads": 1, "num_key_value_heads": 1, "head_dim": 20_000},
                ((1, 2, 1), (1, 2, 1)),
            ),
            heads * 4,
        ),
        "AdditiveAttention": LayerDefaults(LayerRequest("AdditiveAttention", {}, pair, listed_inputs=True), (GLOROT,)),
        "Attention": LayerDefaults(
            LayerRequest(
                "Attention", {"use_scale": True, "score_mode": "concat"}, ((1, 2, 6), (1, 2, 6)), listed_inputs=True
            ),
            (ONES, ONES),
        ),
        "BatchNormalization": LayerDefaults(LayerRequest("BatchNormalization", {}, features), affine + statistics),
        "LayerNormalization": LayerDefaults(LayerRequest("LayerNormalization", {}, features), affine),
        "GroupNormalization": LayerDefaults(LayerRequest("GroupNormalization", {"groups": 2}, features), affine),
        "RMSNormalization": LayerDefaults(LayerRequest("RMSNormalization", {}, features), (ONES,)),
        "PReLU": LayerDefaults(LayerRequest("PReLU", {}, features), (ZEROS,)),
    }


DEFAULTS: Mapping[str, LayerDefaults] = {**_others(), **_convolutions(), **_recurrent()}
