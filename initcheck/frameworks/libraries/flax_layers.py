"""Layers of ``flax.linen`` and ``flax.nnx`` with their documented default weights.

Flax documents which initializer is the default, by name or in the signature, and ``jax.nn.initializers`` what its law
is: a variance of one over "the number of inputs". So a fan here is the number of inputs of a unit, by the layer's
formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from initcheck.catalog.laws import Constant, Orthogonal
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backends import load_library
from initcheck.frameworks.libraries.documented_laws import scaled_by
from initcheck.frameworks.libraries.library import DefaultWeight, LibraryLayer

_DOCS = "https://flax.readthedocs.io/en/latest/api_reference"
_LINEN = f"{_DOCS}/flax.linen/layers.html"
_NNX = f"{_DOCS}/flax.nnx/nn"
_INPUTS = (
    "kernel_init, by default lecun_normal(): a standard deviation (after truncation, if applicable) of √(scale / n), "
    "where n is, for fan_in, the number of inputs"
)
_HIDDEN = "initializer function for the kernels that transform the hidden state (default: initializers.orthogonal())"
_EMBEDDING = 'embedding_init=variance_scaling(1.0, "fan_in", "normal", out_axis=0) (in the source), of features values'
_ZERO, _ONE = "bias_init: initializer for bias, by default, zero", "scale_init: initializer for scale, by default, one"
Arrays = Mapping[str, Any]
Weights = dict[str, DefaultWeight]


def _flat(*collections: Mapping[str, Any]) -> Arrays:
    flax = load_library("flax")
    values: dict[str, Any] = {}
    for collection in collections:
        values |= flax.traverse_util.flatten_dict(collection, sep=".")
    return {path: as_array(value) for path, value in values.items()}


def _linen(
    name: str, make: Callable[[Any], Any], inputs: Callable[[Any], tuple[Any, ...]], weights: Weights
) -> LibraryLayer:
    """A layer of linen, initialized with what ``inputs`` makes of ``jax.numpy.zeros``."""

    def build(seed: int) -> Arrays:
        jax = load_library("jax")
        load_library("flax")
        from flax import linen

        variables = make(linen).init(jax.random.key(seed), *inputs(jax.numpy.zeros))
        return _flat(*variables.values())

    return LibraryLayer(f"linen.{name}", build, MappingProxyType(weights), _LINEN)


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
        values = dict(_flat(nnx.to_pure_dict(made)))
        for path, names in apart.items():
            values |= dict(zip(names, np.split(values.pop(path), len(names), axis=-1), strict=True))
        return values

    return LibraryLayer(f"nnx.{name}", build, MappingProxyType(weights), f"{_NNX}/{page}.html")


def _lecun(inputs: int, *paths: str) -> Weights:
    return dict.fromkeys(paths, DefaultWeight(scaled_by(1.0, inputs, "truncated_normal"), _INPUTS))


def _hidden(*paths: str) -> Weights:
    return dict.fromkeys(paths, DefaultWeight(Orthogonal(), _HIDDEN))


def _fixed(value: float, sentence: str, *paths: str) -> Weights:
    return dict.fromkeys(paths, DefaultWeight(Constant(value), sentence))


def _biases(*paths: str) -> Weights:
    return _fixed(0.0, "bias_init=zeros_init()", *paths)


def _with_bias(inputs: int) -> Weights:
    return _lecun(inputs, "kernel") | _biases("bias")


# Each random kernel has tens of thousands of elements or some thousand: each shape costs a second to compile. Sizes of
# inputs, windows, heads and batches differ, so that one taken for another shows.
_KERNEL, _BATCH, _HEADS = 54, 16, 8
_WINDOW = (2, 3)
_CELL = (96, 80)  # inputs, hidden features
_NORM = _fixed(1.0, _ONE, "scale") | _fixed(0.0, _ZERO, "bias")
_STATISTICS = _fixed(0.0, "zeros (in the source)", "mean") | _fixed(1.0, "ones (in the source)", "var")
_EMBEDDED: Weights = {"embedding": DefaultWeight(scaled_by(1.0, 100, "normal"), _EMBEDDING)}
_LSTM_GATES, _GRU_GATES = "ifgo", "rzn"


def _attention(inner: int) -> Weights:
    paths = ("query", "key", "value")
    return {
        **_lecun(_CELL[0], *(f"{path}.kernel" for path in paths)),
        **_lecun(inner, "out.kernel"),
        **_biases(*(f"{path}.bias" for path in (*paths, "out"))),
    }


def _lstm(inputs: str, hidden: str) -> Weights:
    """The eight kernels and four biases of an LSTM whose paths are made of those templates and a gate's letter."""
    return {
        **_lecun(_CELL[0], *(f"{inputs.format(gate)}.kernel" for gate in _LSTM_GATES)),
        **_hidden(*(f"{hidden.format(gate)}.kernel" for gate in _LSTM_GATES)),
        **_biases(*(f"{hidden.format(gate)}.bias" for gate in _LSTM_GATES)),
    }


def _lstm_inputs(zeros: Any) -> tuple[Any, ...]:
    return (zeros((1, _CELL[1])), zeros((1, _CELL[1]))), zeros((1, _CELL[0]))


LINEN = (
    _linen("Dense", lambda nn: nn.Dense(1000), lambda zeros: (zeros((1, _KERNEL)),), _with_bias(_KERNEL)),
    _linen(
        "DenseGeneral",
        lambda nn: nn.DenseGeneral((20, 10), axis=(1, 2)),
        lambda zeros: (zeros((1, 15, 20)),),
        _with_bias(15 * 20),
    ),
    _linen(
        "DenseGeneral-batch_dims",
        lambda nn: nn.DenseGeneral(60, batch_dims=(0,)),
        lambda zeros: (zeros((_BATCH, _KERNEL)),),
        _with_bias(_KERNEL),
    ),
    _linen(
        "Einsum",
        lambda nn: nn.Einsum((_KERNEL, _HEADS, 128), "btd,dhk->bthk"),
        lambda zeros: (zeros((1, 1, _KERNEL)),),
        _with_bias(_KERNEL),
    ),
    _linen(
        "Conv",
        lambda nn: nn.Conv(1000, _WINDOW),
        lambda zeros: (zeros((1, 3, 3, 9)),),
        _with_bias(9 * math.prod(_WINDOW)),
    ),
    _linen(
        "Conv-groups",
        lambda nn: nn.Conv(1200, _WINDOW, feature_group_count=2),
        lambda zeros: (zeros((1, 3, 3, 16)),),
        _with_bias(8 * math.prod(_WINDOW)),
    ),
    _linen(
        "ConvLocal",
        lambda nn: nn.ConvLocal(40, _WINDOW),
        lambda zeros: (zeros((1, 8, 8, 4)),),
        _with_bias(4 * math.prod(_WINDOW)),
    ),
    _linen(
        "ConvTranspose",
        lambda nn: nn.ConvTranspose(64, _WINDOW),
        lambda zeros: (zeros((1, 3, 3, 128)),),
        _with_bias(128 * math.prod(_WINDOW)),
    ),
    _linen(
        "ConvTranspose-transpose_kernel",
        lambda nn: nn.ConvTranspose(32, _WINDOW, transpose_kernel=True),
        lambda zeros: (zeros((1, 3, 3, 256)),),
        _with_bias(256 * math.prod(_WINDOW)),
    ),
    _linen("Embed", lambda nn: nn.Embed(500, 100), lambda zeros: (zeros((1,), "int32"),), _EMBEDDED),
    _linen("LSTMCell", lambda nn: nn.LSTMCell(_CELL[1]), _lstm_inputs, _lstm("i{}", "h{}")),
    _linen("OptimizedLSTMCell", lambda nn: nn.OptimizedLSTMCell(_CELL[1]), _lstm_inputs, _lstm("i{}", "h{}")),
    _linen(
        "GRUCell",
        lambda nn: nn.GRUCell(_CELL[1]),
        lambda zeros: (zeros((1, _CELL[1])), zeros((1, _CELL[0]))),
        {
            **_lecun(_CELL[0], *(f"i{gate}.kernel" for gate in _GRU_GATES)),
            **_hidden(*(f"h{gate}.kernel" for gate in _GRU_GATES)),
            **_biases(*(f"i{gate}.bias" for gate in _GRU_GATES), "hn.bias"),
        },
    ),
    _linen(
        "MultiHeadDotProductAttention",
        lambda nn: nn.MultiHeadDotProductAttention(_HEADS, qkv_features=160),
        lambda zeros: (zeros((1, 2, _CELL[0])),),
        _attention(160),
    ),
    _linen("LayerNorm", lambda nn: nn.LayerNorm(), lambda zeros: (zeros((1, 100)),), _NORM),
    _linen("GroupNorm", lambda nn: nn.GroupNorm(4), lambda zeros: (zeros((1, 100)),), _NORM),
    _linen(
        "BatchNorm",
        lambda nn: nn.BatchNorm(use_running_average=False),
        lambda zeros: (zeros((2, 100)),),
        _NORM | _STATISTICS,
    ),
)

_PACKED = ("dense_i.kernel", "dense_h.kernel")


def _packed(gates: str) -> dict[str, tuple[str, ...]]:
    return {path: tuple(f"W_{side}{gate}" for gate in gates) for path, side in zip(_PACKED, "ih", strict=True)}


def _packed_weights(gates: str, bias: str) -> Weights:
    names = _packed(gates)
    return {**_lecun(_CELL[0], *names[_PACKED[0]]), **_hidden(*names[_PACKED[1]]), **_biases(bias)}


NNX = (
    _nnx("Linear", "linear", lambda nnx, rngs: nnx.Linear(_KERNEL, 1000, rngs=rngs), _with_bias(_KERNEL)),
    _nnx(
        "LinearGeneral",
        "linear",
        lambda nnx, rngs: nnx.LinearGeneral((15, 20), (20, 10), axis=(1, 2), rngs=rngs),
        _with_bias(15 * 20),
    ),
    _nnx(
        "LinearGeneral-batch_axis",
        "linear",
        lambda nnx, rngs: nnx.LinearGeneral(_KERNEL, 60, batch_axis={0: _BATCH}, rngs=rngs),
        _with_bias(_KERNEL),
    ),
    _nnx(
        "Einsum",
        "linear",
        lambda nnx, rngs: nnx.Einsum("btd,dhk->bthk", (_KERNEL, _HEADS, 128), (_HEADS, 128), rngs=rngs),
        _with_bias(_KERNEL),
    ),
    _nnx(
        "Conv",
        "linear",
        lambda nnx, rngs: nnx.Conv(9, 1000, _WINDOW, rngs=rngs),
        _with_bias(9 * math.prod(_WINDOW)),
    ),
    _nnx(
        "ConvTranspose",
        "linear",
        lambda nnx, rngs: nnx.ConvTranspose(128, 64, _WINDOW, rngs=rngs),
        _with_bias(128 * math.prod(_WINDOW)),
    ),
    _nnx(
        "ConvTranspose-transpose_kernel",
        "linear",
        lambda nnx, rngs: nnx.ConvTranspose(256, 32, _WINDOW, transpose_kernel=True, rngs=rngs),
        _with_bias(256 * math.prod(_WINDOW)),
    ),
    _nnx("Embed", "linear", lambda nnx, rngs: nnx.Embed(500, 100, rngs=rngs), _EMBEDDED),
    _nnx(
        "LSTMCell",
        "recurrent",
        lambda nnx, rngs: nnx.LSTMCell(*_CELL, rngs=rngs),
        {path.replace("if.", "if_."): weight for path, weight in _lstm("i{}", "h{}").items()},
    ),
    _nnx(
        "OptimizedLSTMCell",
        "recurrent",
        lambda nnx, rngs: nnx.OptimizedLSTMCell(*_CELL, rngs=rngs),
        _packed_weights(_LSTM_GATES, "dense_h.bias"),
        _packed(_LSTM_GATES),
    ),
    _nnx(
        "GRUCell",
        "recurrent",
        lambda nnx, rngs: nnx.GRUCell(*_CELL, rngs=rngs),
        _packed_weights(_GRU_GATES, "dense_i.bias"),
        _packed(_GRU_GATES),
    ),
    _nnx(
        "MultiHeadAttention",
        "attention",
        lambda nnx, rngs: nnx.MultiHeadAttention(_HEADS, _CELL[0], qkv_features=160, rngs=rngs),
        _attention(160),
    ),
    _nnx("LayerNorm", "normalization", lambda nnx, rngs: nnx.LayerNorm(100, rngs=rngs), _NORM),
    _nnx("GroupNorm", "normalization", lambda nnx, rngs: nnx.GroupNorm(100, 4, rngs=rngs), _NORM),
    _nnx("BatchNorm", "normalization", lambda nnx, rngs: nnx.BatchNorm(100, rngs=rngs), _NORM | _STATISTICS),
)
