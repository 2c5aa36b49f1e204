"""Layers of ``flax.nnx`` with their documented default weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from initcheck.frameworks.backends import load_library
from initcheck.frameworks.libraries.documented_laws import scaled_by
from initcheck.frameworks.libraries.flax_laws import (
    BATCH,
    CELL,
    DOCS,
    EMBEDDED,
    GRU_GATES,
    HEADS,
    INPUTS,
    LSTM_GATES,
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
from initcheck.frameworks.libraries.library import DefaultWeight, LibraryLayer

_NNX = f"{DOCS}/flax.nnx/nn"


def _nnx(
    name: str,
    page: str,
    make: Callable[[Any, Any], Any],
    weights: Weights,
    apart: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> LibraryLayer:
    """A layer of nnx; ``apart`` names the kernels that its call splits a packed one into, along the last axis."""

    def build(seed: int) -> Arrays:
        flax = load_library("flax")
        from flax import nnx

        made = nnx.state(make(nnx, nnx.Rngs(seed)), flax.nnx.Any(nnx.Param, nnx.BatchStat))
        values = dict(flat(nnx.to_pure_dict(made)))
        for path, names in apart.items():
            values |= dict(zip(names, np.split(values.pop(path), len(names), axis=-1), strict=True))
        return values

    return LibraryLayer(f"nnx.{name}", build, MappingProxyType(weights), f"{_NNX}/{page}.html")


_PACKED = ("dense_i.kernel", "dense_h.kernel")


def _packed(gates: str) -> dict[str, tuple[str, ...]]:
    return {path: tuple(f"W_{side}{gate}" for gate in gates) for path, side in zip(_PACKED, "ih", strict=True)}


def _packed_weights(gates: str, bias: str) -> Weights:
    names = _packed(gates)
    return {**lecun(CELL[0], *names[_PACKED[0]]), **hidden(*names[_PACKED[1]]), **biases(bias)}


NNX = (
    _nnx("Linear", "linear", lambda nnx, rngs: nnx.Linear(INPUTS, 1000, rngs=rngs), with_bias(INPUTS)),
    _nnx(
        "LinearGeneral",
        "linear",
        lambda nnx, rngs: nnx.LinearGeneral((15, 20), (20, 10), axis=(1, 2), rngs=rngs),
        with_bias(15 * 20),
    ),
    _nnx(
        "LinearGeneral-batch_axis",
        "linear",
        lambda nnx, rngs: nnx.LinearGeneral(INPUTS, 60, batch_axis={0: BATCH}, rngs=rngs),
        with_bias(INPUTS),
    ),
    _nnx(
        "Einsum",
        "linear",
        lambda nnx, rngs: nnx.Einsum("btd,dhk->bthk", (INPUTS, HEADS, 128), (HEADS, 128), rngs=rngs),
        with_bias(INPUTS),
    ),
    _nnx(
        "Conv",
        "linear",
        lambda nnx, rngs: nnx.Conv(9, 1000, WINDOW, rngs=rngs),
        with_bias(9 * math.prod(WINDOW)),
    ),
    _nnx(
        "Conv-groups",
        "linear",
        lambda nnx, rngs: nnx.Conv(16, 1200, WINDOW, feature_group_count=2, rngs=rngs),
        with_bias(8 * math.prod(WINDOW)),
    ),
    _nnx(
        "ConvTranspose",
        "linear",
        lambda nnx, rngs: nnx.ConvTranspose(128, 64, WINDOW, rngs=rngs),
        with_bias(128 * math.prod(WINDOW)),
    ),
    _nnx(
        "ConvTranspose-transpose_kernel",
        "linear",
        lambda nnx, rngs: nnx.ConvTranspose(256, 32, WINDOW, transpose_kernel=True, rngs=rngs),
        with_bias(256 * math.prod(WINDOW)),
    ),
    _nnx("Embed", "linear", lambda nnx, rngs: nnx.Embed(500, 100, rngs=rngs), EMBEDDED),
    _nnx(
        "LSTMCell",
        "recurrent",
        lambda nnx, rngs: nnx.LSTMCell(*CELL, rngs=rngs),
        {path.replace("if.", "if_."): weight for path, weight in lstm("i{}", "h{}").items()},
    ),
    _nnx(
        "OptimizedLSTMCell",
        "recurrent",
        lambda nnx, rngs: nnx.OptimizedLSTMCell(*CELL, rngs=rngs),
        _packed_weights(LSTM_GATES, "dense_h.bias"),
        _packed(LSTM_GATES),
    ),
    _nnx(
        "GRUCell",
        "recurrent",
        lambda nnx, rngs: nnx.GRUCell(*CELL, rngs=rngs),
        _packed_weights(GRU_GATES, "dense_i.bias"),
        _packed(GRU_GATES),
    ),
    _nnx(
        "SimpleCell",
        "recurrent",
        lambda nnx, rngs: nnx.SimpleCell(*CELL, rngs=rngs),
        lecun(CELL[0], "dense_i.kernel") | hidden("dense_h.kernel") | biases("dense_i.bias"),
    ),
    _nnx(
        "LoRA",
        "lora",
        lambda nnx, rngs: nnx.LoRA(INPUTS, 1000, 3, rngs=rngs),
        {
            "lora_a": DefaultWeight(
                scaled_by(2.0, INPUTS, "uniform"),
                "a_initializer: initializer function for the fan-in matrices. Default to he_uniform",
            ),
            **fixed(0.0, "b_initializer: … Default to zero initializer", "lora_b"),
        },
    ),
    _nnx(
        "MultiHeadAttention",
        "attention",
        lambda nnx, rngs: nnx.MultiHeadAttention(HEADS, CELL[0], qkv_features=160, rngs=rngs),
        attention(160),
    ),
    _nnx("PReLU", "activations", lambda nnx, rngs: nnx.PReLU(), SLOPE),
    _nnx("LayerNorm", "normalization", lambda nnx, rngs: nnx.LayerNorm(100, rngs=rngs), NORM),
    _nnx("GroupNorm", "normalization", lambda nnx, rngs: nnx.GroupNorm(100, 4, rngs=rngs), NORM),
    _nnx("InstanceNorm", "normalization", lambda nnx, rngs: nnx.InstanceNorm(100, rngs=rngs), NORM),
    _nnx("RMSNorm", "normalization", lambda nnx, rngs: nnx.RMSNorm(100, rngs=rngs), SCALE),
    _nnx("BatchNorm", "normalization", lambda nnx, rngs: nnx.BatchNorm(100, rngs=rngs), NORM | STATISTICS),
)
