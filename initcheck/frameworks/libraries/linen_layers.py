"""Layers of ``flax.linen`` with their documented default weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from initcheck.frameworks.backends import load_library
from initcheck.frameworks.libraries.flax_laws import (
    BATCH,
    CELL,
    DOCS,
    EMBEDDED,
    GRU_GATES,
    HEADS,
    INPUTS,
    NORM,
    SCALE,
    SLOPE,
    STATISTICS,
    WINDOW,
    Arrays,
    Weights,
    attention,
    biases,
    fixed,
    flat,
    hidden,
    lecun,
    lstm,
    with_bias,
)
from initcheck.frameworks.libraries.library import LibraryLayer

_LINEN = f"{DOCS}/flax.linen/layers.html"


def _linen(
    name: str, make: Callable[[Any], Any], inputs: Callable[[Any], tuple[Any, ...]], weights: Weights
) -> LibraryLayer:
    """A layer of linen, initialized with what ``inputs`` makes of ``jax.numpy.zeros``."""

    def build(seed: int) -> Arrays:
        jax = load_library("jax")
        load_library("flax")
        from flax import linen

        variables = make(linen).init(jax.random.key(seed), *inputs(jax.numpy.zeros))
        return flat(*variables.values())

    return LibraryLayer(f"linen.{name}", build, MappingProxyType(weights), _LINEN)


def _lstm_inputs(zeros: Any) -> tuple[Any, ...]:
    return (zeros((1, CELL[1])), zeros((1, CELL[1]))), zeros((1, CELL[0]))


def _one_state(zeros: Any) -> tuple[Any, ...]:
    return zeros((1, CELL[1])), zeros((1, CELL[0]))


LINEN = (
    _linen("Dense", lambda nn: nn.Dense(1000), lambda zeros: (zeros((1, INPUTS)),), with_bias(INPUTS)),
    _linen(
        "DenseGeneral",
        lambda nn: nn.DenseGeneral((20, 10), axis=(1, 2)),
        lambda zeros: (zeros((1, 15, 20)),),
        with_bias(15 * 20),
    ),
    _linen(
        "DenseGeneral-batch_dims",
        lambda nn: nn.DenseGeneral(60, batch_dims=(0,)),
        lambda zeros: (zeros((BATCH, INPUTS)),),
        with_bias(INPUTS),
    ),
    _linen(
        "Einsum",
        lambda nn: nn.Einsum((INPUTS, HEADS, 128), "btd,dhk->bthk"),
        lambda zeros: (zeros((1, 1, INPUTS)),),
        with_bias(INPUTS),
    ),
    _linen(
        "Conv",
        lambda nn: nn.Conv(1000, WINDOW),
        lambda zeros: (zeros((1, 3, 3, 9)),),
        with_bias(9 * math.prod(WINDOW)),
    ),
    _linen(
        "Conv-groups",
        lambda nn: nn.Conv(1200, WINDOW, feature_group_count=2),
        lambda zeros: (zeros((1, 3, 3, 16)),),
        with_bias(8 * math.prod(WINDOW)),
    ),
    _linen(
        "ConvLocal",
        lambda nn: nn.ConvLocal(40, WINDOW),
        lambda zeros: (zeros((1, 8, 8, 4)),),
        with_bias(4 * math.prod(WINDOW)),
    ),
    _linen(
        "ConvTranspose",
        lambda nn: nn.ConvTranspose(64, WINDOW),
        lambda zeros: (zeros((1, 3, 3, 128)),),
        with_bias(128 * math.prod(WINDOW)),
    ),
    _linen(
        "ConvTranspose-transpose_kernel",
        lambda nn: nn.ConvTranspose(32, WINDOW, transpose_kernel=True),
        lambda zeros: (zeros((1, 3, 3, 256)),),
        with_bias(256 * math.prod(WINDOW)),
    ),
    _linen("Embed", lambda nn: nn.Embed(500, 100), lambda zeros: (zeros((1,), "int32"),), EMBEDDED),
    _linen("LSTMCell", lambda nn: nn.LSTMCell(CELL[1]), _lstm_inputs, lstm("i{}", "h{}")),
    _linen("OptimizedLSTMCell", lambda nn: nn.OptimizedLSTMCell(CELL[1]), _lstm_inputs, lstm("i{}", "h{}")),
    _linen(
        "GRUCell",
        lambda nn: nn.GRUCell(CELL[1]),
        _one_state,
        {
            **lecun(CELL[0], *(f"i{gate}.kernel" for gate in GRU_GATES)),
            **hidden(*(f"h{gate}.kernel" for gate in GRU_GATES)),
            **biases(*(f"i{gate}.bias" for gate in GRU_GATES), "hn.bias"),
        },
    ),
    _linen(
        "MGUCell",
        lambda nn: nn.MGUCell(CELL[1]),
        _one_state,
        {
            **lecun(CELL[0], "if.kernel", "in.kernel"),
            **hidden("hf.kernel", "hn.kernel"),
            **fixed(1.0, "the default is set to initializers.ones_init()", "if.bias"),
            **fixed(0.0, "activation_bias_init … (default: initializers.zeros_init())", "in.bias", "hn.bias"),
        },
    ),
    _linen(
        "SimpleCell",
        lambda nn: nn.SimpleCell(CELL[1]),
        _one_state,
        lecun(CELL[0], "i.kernel") | hidden("h.kernel") | biases("i.bias"),
    ),
    _linen(
        "MultiHeadDotProductAttention",
        lambda nn: nn.MultiHeadDotProductAttention(HEADS, qkv_features=160),
        lambda zeros: (zeros((1, 2, CELL[0])),),
        attention(160),
    ),
    _linen("PReLU", lambda nn: nn.PReLU(), lambda zeros: (zeros((1, 2)),), SLOPE),
    _linen(
        "WeightNorm",
        lambda nn: nn.WeightNorm(nn.Dense(1000)),
        lambda zeros: (zeros((1, INPUTS)),),
        {
            **{f"layer_instance.{path}": weight for path, weight in with_bias(INPUTS).items()},
            **fixed(
                1.0, "scale_init: initializer for the scaling function (default: ones)", "layer_instance/kernel/scale"
            ),
        },
    ),
    _linen("LayerNorm", lambda nn: nn.LayerNorm(), lambda zeros: (zeros((1, 100)),), NORM),
    _linen("GroupNorm", lambda nn: nn.GroupNorm(4), lambda zeros: (zeros((1, 100)),), NORM),
    _linen("InstanceNorm", lambda nn: nn.InstanceNorm(), lambda zeros: (zeros((1, 2, 2, 100)),), NORM),
    _linen("RMSNorm", lambda nn: nn.RMSNorm(), lambda zeros: (zeros((1, 100)),), SCALE),
    _linen(
        "BatchNorm",
        lambda nn: nn.BatchNorm(use_running_average=False),
        lambda zeros: (zeros((2, 100)),),
        NORM | STATISTICS,
    ),
)
