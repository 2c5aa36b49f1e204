"""Attention layers."""

from __future__ import annotations

import functools
import itertools
from typing import Any

from initcheck.catalog.laws import Shape
from initcheck.catalog.layers.configurations import NO_OPTIONS, NO_UNITS, NOT_STACKED, NOT_TRAINED
from initcheck.catalog.layers.kind import LayerKind, Without
from initcheck.catalog.layers.traits.computing import FormulaCase
from initcheck.catalog.layers.traits.engines import Holds, State
from initcheck.catalog.layers.traits.noises import (
    Fed,
    NoiseLaw,
    NoiseSource,
    ScoreDropout,
    SeededNoise,
    SequenceDropout,
    StepwiseNoise,
)
from initcheck.catalog.layers.traits.weights import (
    GLOROT,
    ONES,
    ZEROS,
    Dims,
    Fanned,
    FannedKernel,
    GivenOptions,
    LayerDefaults,
    SavedInitializers,
    StackedKernels,
    TypedWeights,
    UnseededKernel,
)
from initcheck.oracle.attention_formulas import additive, dot_product, grouped_query, multi_head, without_masks

# The query's, key's, value's and output's kernels, each followed by its bias.
_PLACES = {"query": 0, "key": 2, "value": 4, "output": 6}
_STATE = State(holds=Holds.MORE, drawing_options=("dropout",))
_OTHERS = Without("represented by MultiHeadAttention")


def _heads(names: tuple[str, ...], place: int, d: Dims) -> Fanned:
    width = d.fill(d.few, d.more)
    *counts, size = names
    arguments: dict[str, Any] = {**dict.fromkeys(counts, d.few), size: d.more}
    fans = (d.few * d.more, width) if place == _PLACES["output"] else (width, d.few * d.more)
    return Fanned(arguments, ((1, 2, width), (1, 2, width)), *fans)


def _documented(order: int, names: tuple[str, ...]) -> LayerDefaults:
    # One head and one feature: its kernels are vectors, whose fans all conventions count equally.
    width = 20_000
    *counts, size = names
    return LayerDefaults(
        order=order,
        arguments={**dict.fromkeys(counts, 1), size: width},
        inputs=((1, 2, 1), (1, 2, 1)),
        initializers=(GLOROT, ZEROS) * 4,
        shapes=((1, 1, width), (1, width)) * 3 + ((1, width, 1), (1,)),
    )


def _case(name: str, layer_weights: tuple[Shape, ...], formula: Any, inputs: int = 2, **options: Any) -> FormulaCase:
    """Queries of 4 steps, values and keys of 3, or of as many where a mask is to be causal."""
    listed, call = options.pop("listed", False), options.pop("call", {})
    idle = () if listed else (3,)  # the bias of the keys adds the same to all scores of a query
    steps = 4 if call else 3
    return FormulaCase(
        name=name,
        shapes=layer_weights,
        input_shape=(2, 4, 5),
        beside=((2, steps, 5),) * (inputs - 1),
        listed=listed,
        call=call,
        idle=idle,
        formula=without_masks(formula),
        config=options,
    )


def _of_heads(queries: int, keys: int, size: int) -> tuple[Shape, ...]:
    into = (((5, heads, size), (heads, size)) for heads in (queries, keys, keys))
    return (*itertools.chain.from_iterable(into), (queries, size, 5), (5,))


KEYS = 32
"""Keys of a layer whose scores are dropped: a power of two, so that equal scores are exact."""
_RATE = 0.4
_DROPPING = {"dropout": _RATE}
_CAUSAL = {"use_causal_mask": True}
_NAMES = ("num_heads", "key_dim")
MULTI_HEAD_ATTENTION = LayerKind(
    "MultiHeadAttention",
    *(
        FannedKernel(
            order=10,
            name=f"attention_{part}",
            make=functools.partial(_heads, _NAMES, place),
            weight=place,
            quirks={"fan_out": 9} if part == "output" else {"fan_in": 8, "fan_out": 9},
            by_equation=True,
        )
        for part, place in _PLACES.items()
    ),
    _documented(4, _NAMES),
    GivenOptions(
        order=6,
        name="attention,biases",
        arguments={"num_heads": 2, "key_dim": 3},
        inputs=((1, 3, 6), (1, 3, 6)),
        places=tuple(("bias_initializer", place + 1) for place in _PLACES.values()),
        by_shape=False,
    ),
    UnseededKernel(order=8, arguments={"num_heads": 2, "key_dim": 6}, inputs=((1, 4, 6), (1, 4, 6))),
    StackedKernels(order=6, kernels=4, arguments={"num_heads": 4, "key_dim": 16}, inputs=((1, 2, 64), (1, 2, 64))),
    NoiseSource(
        order=2,
        arguments={"num_heads": 2, "key_dim": 3, "dropout": 0.5, "kernel_initializer": "ones"},
        fed=Fed.STEPS,
        inputs=2,
    ),
    ScoreDropout(
        name="attention-of-heads",
        arguments={"num_heads": 4, "key_dim": KEYS, **_DROPPING, "use_bias": False},
        rate=_RATE,
        heads=(4, 4),
    ),
    _case("attention-of-heads", _of_heads(2, 2, 4), multi_head, num_heads=2, key_dim=4),
    _case("attention-of-heads-keys", _of_heads(2, 2, 4), multi_head, 3, num_heads=2, key_dim=4),
    _case("attention-of-heads-causal", _of_heads(2, 2, 4), multi_head, num_heads=2, key_dim=4, call=_CAUSAL),
    _STATE,
    NO_OPTIONS,
    NO_UNITS,
    NOT_TRAINED,
    NOT_STACKED,
    Without("its noise is dropout of its scores", (NoiseLaw, SeededNoise, StepwiseNoise, SequenceDropout)),
    Without("its kernels are those of einsum layers", (TypedWeights, SavedInitializers)),
)

_GROUPED_NAMES = ("num_query_heads", "num_key_value_heads", "head_dim")
_GROUPED = dict(zip(_GROUPED_NAMES, (4, 2, 4), strict=True))
GROUP_QUERY_ATTENTION = LayerKind(
    "GroupQueryAttention",
    FannedKernel(
        order=11,
        name="grouped_query_attention_query",
        make=functools.partial(_heads, _GROUPED_NAMES, _PLACES["query"]),
        quirks={"fan_in": 10, "fan_out": 11},
        by_equation=True,
    ),
    FannedKernel(
        order=11,
        name="grouped_query_attention_output",
        make=functools.partial(_heads, _GROUPED_NAMES, _PLACES["output"]),
        weight=_PLACES["output"],
        quirks={"fan_out": 12},
        by_equation=True,
    ),
    _documented(4, _GROUPED_NAMES),
    ScoreDropout(
        name="attention-of-groups",
        arguments={**_GROUPED, "head_dim": KEYS, **_DROPPING, "use_bias": False},
        rate=_RATE,
        heads=(4, 2),
    ),
    _case("attention-of-groups", _of_heads(4, 2, 4), grouped_query, **_GROUPED),
    _case("attention-of-groups-causal", _of_heads(4, 2, 4), grouped_query, **_GROUPED, call=_CAUSAL),
    _STATE,
    _OTHERS,
)

ADDITIVE_ATTENTION = LayerKind(
    "AdditiveAttention",
    LayerDefaults(
        order=4,
        inputs=((1, 2, 20_000), (1, 2, 20_000)),
        listed_inputs=True,
        initializers=(GLOROT,),
        shapes=((20_000,),),
    ),
    ScoreDropout(name="additive-attention", arguments=_DROPPING, rate=_RATE, shapes=((KEYS,),)),
    _case("additive-attention", ((5,),), additive, listed=True),
    _case("additive-attention-causal", ((5,),), additive, 3, listed=True, call=_CAUSAL),
    _STATE,
    _OTHERS,
)
ATTENTION = LayerKind(
    "Attention",
    LayerDefaults(
        order=4,
        arguments={"use_scale": True, "score_mode": "concat"},
        inputs=((1, 2, 6), (1, 2, 6)),
        listed_inputs=True,
        initializers=(ONES, ONES),
        shapes=((), ()),
    ),
    ScoreDropout(name="dot-attention", arguments=_DROPPING, rate=_RATE),
    _case("dot-attention", (), dot_product, listed=True),
    _case("dot-attention-scaled", ((),), dot_product, 3, listed=True, use_scale=True),
    _case("dot-attention-concat", ((),), dot_product, listed=True, score_mode="concat"),
    _case("dot-attention-causal", (), dot_product, 3, listed=True, call=_CAUSAL),
    _STATE,
    _OTHERS,
)

ROWS = (MULTI_HEAD_ATTENTION, GROUP_QUERY_ATTENTION, ADDITIVE_ATTENTION, ATTENTION)
