"""Attention layers."""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace
from typing import Any

from initcheck.catalog.laws import Shape
from initcheck.catalog.layers.configurations import NO_OPTIONS, NO_UNITS, NOT_STACKED, NOT_TRAINED, penalized
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
from initcheck.oracle.attention_formulas import (
    additive,
    dot_product,
    grouped_query,
    multi_head,
    projections,
    without_masks,
)

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
    # The bias of the keys adds the same to all scores of a query.
    idle = () if listed or options.get("use_bias") is False else (3,)
    steps = options.pop("steps", 4 if call else 3)
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


def _alone(case: FormulaCase, *, graded: bool = False) -> FormulaCase:
    """Only by itself, where other cases show the layer in a model."""
    return replace(case, modelled=False, graded=graded)


def _causal(
    name: str, layer_weights: tuple[Shape, ...], formula: Any, inputs: int = 2, **options: Any
) -> tuple[FormulaCase, ...]:
    """As many steps of values as of queries, and fewer and more: position i sees none that is later than i."""

    def case(suffix: str, **more: Any) -> FormulaCase:
        return _case(f"{name}-{suffix}", layer_weights, formula, inputs, call=_CAUSAL, **options, **more)

    return (
        case("causal"),
        _alone(case("causal-shorter", steps=3)),
        _alone(case("causal-longer", steps=6), graded=True),
    )


def _of_heads(
    queries: int,
    keys: int,
    size: int,
    *,
    value: int | None = None,
    gate: bool = False,
    bias: bool = True,
    into: Shape = (5,),
) -> tuple[Shape, ...]:
    """The kernels of queries, keys, the gate, values and outputs, each with its bias."""
    value = size if value is None else value
    inner = ((queries, size), (keys, size), *([(queries, value)] if gate else []), (keys, value))
    pairs = (*(((5, *one), one) for one in inner), ((queries, value, *into), into))
    return tuple(itertools.chain.from_iterable(pair[: 1 + bias] for pair in pairs))


KEYS = 32
"""Keys of a layer whose scores are dropped: a power of two, so that equal scores are exact."""
_RATE = 0.4
_DROPPING = {"dropout": _RATE}
_CAUSAL = {"use_causal_mask": True}
_NAMES = ("num_heads", "key_dim")
_CONCAT: dict[str, Any] = {"listed": True, "use_scale": True, "score_mode": "concat"}
_HEADS = dict(zip(_NAMES, (2, 4), strict=True))
_GATED: dict[str, Any] = {**_HEADS, "use_gate": True}
_WIDER: dict[str, Any] = {**_HEADS, "value_dim": 3, "output_shape": 3}


def _windows(name: str, layer_weights: tuple[Shape, ...], formula: Any, **options: Any) -> tuple[FormulaCase, ...]:
    """Windows of two and of three steps, the latter of which must not be later."""

    def case(suffix: str, **more: Any) -> FormulaCase:
        return _case(f"{name}-{suffix}", layer_weights, formula, **options, **more)

    return (
        _alone(case("windowed", sliding_window=2), graded=True),
        _alone(case("windowed-causal", sliding_window=3, call=_CAUSAL, steps=6)),
    )


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
    *_causal("attention-of-heads", _of_heads(2, 2, 4), multi_head, **_HEADS),
    _case("attention-of-heads-gated", _of_heads(2, 2, 4, value=3, gate=True), multi_head, 3, **_GATED, value_dim=3),
    _alone(_case("attention-of-heads-unbiased", _of_heads(2, 2, 4, bias=False), multi_head, **_HEADS, use_bias=False)),
    _alone(
        _case("attention-of-heads-plane", _of_heads(2, 2, 4, into=(2, 3)), multi_head, **_HEADS, output_shape=(2, 3))
    ),
    _alone(
        _case("attention-of-heads-wider", _of_heads(2, 2, 4, value=3, into=(3,)), multi_head, **_WIDER), graded=True
    ),
    # "Regularizer for dense layer activity": of each projection.
    penalized(_case("attention-of-heads", _of_heads(2, 2, 4), multi_head, 3, **_HEADS), projections),
    *_windows("attention-of-heads", _of_heads(2, 2, 4), multi_head, **_HEADS),
    *(
        replace(
            _case(f"attention-of-heads-{name}", _of_heads(2, 2, 4), multi_head, **_HEADS, **axes),
            input_shape=(2, 3, 4, 5),
            beside=(values,),
            modelled=name == "first-axis",
            graded=name == "first-axis",
        )
        for name, values, axes in (
            ("last-axis", (2, 3, 2, 5), {"attention_axes": (-2,)}),
            ("first-axis", (2, 2, 4, 5), {"attention_axes": (1,)}),
            ("both-axes", (2, 2, 3, 5), {"attention_axes": (1, 2)}),
            ("all-axes", (2, 2, 3, 5), {}),
        )
    ),
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
    *_causal("attention-of-groups", _of_heads(4, 2, 4), grouped_query, **_GROUPED),
    _alone(_case("attention-of-groups-gated", _of_heads(4, 2, 4, gate=True), grouped_query, **_GROUPED, use_gate=True)),
    _alone(
        _case("attention-of-groups-unbiased", _of_heads(4, 2, 4, bias=False), grouped_query, **_GROUPED, use_bias=False)
    ),
    penalized(_case("attention-of-groups", _of_heads(4, 2, 4), grouped_query, **_GROUPED), projections),
    *_windows("attention-of-groups", _of_heads(4, 2, 4), grouped_query, **_GROUPED),
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
    *_causal("additive-attention", ((5,),), additive, 3, listed=True),
    _alone(_case("additive-attention-unscaled", (), additive, listed=True, use_scale=False), graded=True),
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
    *_causal("dot-attention", (), dot_product, 3, listed=True),
    _alone(_case("dot-attention-concat-scaled", ((), ()), dot_product, 3, **_CONCAT), graded=True),
    _STATE,
    _OTHERS,
)

ROWS = (MULTI_HEAD_ATTENTION, GROUP_QUERY_ATTENTION, ADDITIVE_ATTENTION, ATTENTION)
