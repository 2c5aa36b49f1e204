"""Layers under masks: what reads them, what passes them on, and what combines them.

Source: https://keras.io/guides/understanding_masking_and_padding/, and the ``mask`` arguments of the layers' pages.
"""

from __future__ import annotations

import functools
import itertools
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from initcheck.catalog.laws import Shape
from initcheck.catalog.layers.kind import LayerRequest
from initcheck.catalog.layers.traits.masking import FEATURES, Mask, MaskedCase, Source
from initcheck.oracle import attention_formulas
from initcheck.oracle import masked_formulas as masked
from initcheck.oracle.layer_outputs import embedding, reversed_embedding
from initcheck.oracle.recurrent_formulas import CONVOLVED_LSTM_CELL, GRU_CELL, LSTM_CELL, SIMPLE_CELL

_UNITS = 3
_CELL = {"simple": SIMPLE_CELL, "lstm": LSTM_CELL, "gru": GRU_CELL}
_LAYERS = {"simple": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}
_SEQUENCES = {"return_sequences": True}
_MASK = ("mask",)
_CAUSAL = {"use_causal_mask": True}
_SCORES = {"return_attention_scores": True}
_FIRST_OR = "3.4"  # before, the masks of merged inputs were lost, and in Keras 2 all had to see a step


def _first(_xs: Sequence[Any], masks: Sequence[Mask]) -> list[Mask]:
    return [masks[0]]


def _none(_xs: Sequence[Any], _masks: Sequence[Mask]) -> list[Mask]:
    return [None]


def _either(_xs: Sequence[Any], masks: Sequence[Mask]) -> list[Mask]:
    return [np.any(masks, axis=0)]


def _one_after_another(xs: Sequence[Any], masks: Sequence[Mask]) -> list[Mask]:
    pairs = zip(xs, masks, strict=True)
    return [np.concatenate([np.ones(x.shape[:2], bool) if mask is None else mask for x, mask in pairs], axis=1)]


def _of_cell(kind: str, inputs: int = FEATURES) -> tuple[Shape, ...]:
    width = _CELL[kind].gates * _UNITS
    return ((inputs, width), (_UNITS, width), (2, width) if kind == "gru" else (width,))


def _recurrent(kind: str, suffix: str = "", **options: Any) -> MaskedCase:
    source, config = options.pop("source", Source.PADDED), {"units": _UNITS, **options}
    sequences, states = config.get("return_sequences"), config.get("return_state", False)
    # "go_backwards: … return the reversed sequence": which mask then leaves is documented nowhere.
    carries = None if states or config.get("go_backwards") else _first if sequences else _none
    return MaskedCase(
        name="-".join(filter(None, (kind, "rnn" if kind == "simple" else "", suffix))),
        layer=_LAYERS[kind],
        config=config,
        shapes=_of_cell(kind),
        sources=(source,),
        formula=functools.partial(masked.recurrent, cells=(_CELL[kind],)),
        carries=carries,
        explicit=_MASK,
    )


def _every_recurrent(kind: str) -> Iterator[MaskedCase]:
    yield _recurrent(kind)
    yield _recurrent(kind, "sequences-backwards", go_backwards=True, **_SEQUENCES)
    yield replace(_recurrent(kind, "backwards-unrolled", go_backwards=True, unroll=True, **_SEQUENCES), alone=True)
    in_turn = functools.partial(masked.recurrent_in_turn, cell=_CELL[kind])
    yield replace(_recurrent(kind, "in-turn", stateful=True), formula=in_turn, carries=None, calls=2)


def _both_ways(kind: str, merge_mode: str | None, suffix: str, **options: Any) -> MaskedCase:
    inner = {"units": _UNITS, **options}
    first: Callable[..., Any] = _first if options.get("return_sequences") else _none
    return MaskedCase(
        name=f"bidirectional-{kind}-{suffix}",
        layer="Bidirectional",
        config={"layer": LayerRequest(_LAYERS[kind], inner), "merge_mode": merge_mode},
        shapes=_of_cell(kind) * 2,
        formula=functools.partial(masked.bidirectional, cell=_CELL[kind], **inner),
        carries=None if options.get("return_state") else first if merge_mode else _twice(first),
        explicit=_MASK,
    )


def _both_ways_in_turn(kind: str) -> MaskedCase:
    inner: dict[str, Any] = {"units": _UNITS, "stateful": True, **_SEQUENCES}
    formula = functools.partial(masked.bidirectional_in_turn, cell=_CELL[kind], **inner)
    return replace(_both_ways(kind, "concat", "in-turn", **inner), formula=formula, carries=None, calls=2)


def _twice(one: Callable[..., Any]) -> Callable[..., list[Mask]]:
    return lambda xs, masks: one(xs, masks) * 2


def _two_layers(weights: Sequence[Any], xs: Sequence[Any], masks: Sequence[Mask], **_: Any) -> list[Any]:
    """Sequences of an LSTM, and the last output of a GRU on them."""
    sequences = masked.recurrent(weights[:3], xs, masks, (LSTM_CELL,), return_sequences=True)
    return masked.recurrent(weights[3:], sequences, masks, (GRU_CELL,))


def _inner_model(layer: str) -> MaskedCase:
    layers = [LayerRequest("LSTM", {"units": _UNITS, **_SEQUENCES}), LayerRequest("GRU", {"units": _UNITS})]
    return MaskedCase(
        name=f"{layer.lower()}-of-lstm-and-gru",
        layer=layer,
        config={"layers": layers},
        shapes=(*_of_cell("lstm"), *_of_cell("gru", _UNITS)),
        formula=_two_layers,
        carries=_none,
    )


def _carrying_model(layer: str) -> MaskedCase:
    layers = [LayerRequest("Dense", {"units": _UNITS}), LayerRequest("Dropout", {"rate": 0.5})]
    return MaskedCase(
        name=f"{layer.lower()}-of-dense-and-dropout", layer=layer, config={"layers": layers}, carries=_first
    )


_CELLS = [LayerRequest("LSTMCell", {"units": _UNITS}), LayerRequest("GRUCell", {"units": _UNITS})]
_STACKED = MaskedCase(
    name="rnn-of-cells",
    layer="RNN",
    config={"cell": _CELLS, **_SEQUENCES},
    shapes=(*_of_cell("lstm"), *_of_cell("gru", _UNITS)),
    formula=functools.partial(masked.recurrent, cells=(LSTM_CELL, GRU_CELL)),
    carries=_first,
    explicit=_MASK,
)
_FROM_A_STATE = {"initial_state": Source.STATE}
_IMAGES = {"filters": 2, "kernel_size": 2, "padding": "same", "recurrent_activation": "sigmoid"}


def _convolved(suffix: str, **options: Any) -> MaskedCase:
    return MaskedCase(
        name=f"conv-lstm-{suffix}",
        layer="ConvLSTM1D",
        config={**_IMAGES, **options},
        shapes=((2, 2, 8), (2, 2, 8), (8,)),
        sources=(Source.FRAMES,),
        formula=functools.partial(masked.recurrent, cells=(CONVOLVED_LSTM_CELL,)),
        carries=_first if options == _SEQUENCES else None,
        explicit=_MASK,
    )


def _each_step(layer: str, formula: Callable[..., Any], *shapes: Shape, **config: Any) -> MaskedCase:
    """Applied to every step of sequences of sequences."""
    return MaskedCase(
        name=f"each-step-{layer.lower()}",
        layer="TimeDistributed",
        config={"layer": LayerRequest(layer, config)},
        shapes=shapes,
        sources=(Source.NESTED,),
        formula=functools.partial(masked.each_step, formula=functools.partial(formula, **config)),
        explicit=_MASK,
    )


_RECURRENT = (
    *itertools.chain.from_iterable(map(_every_recurrent, _CELL)),
    _recurrent("gru", "sequences", **_SEQUENCES),
    _recurrent("lstm", "sequences-zeroed", zero_output_for_mask=True, **_SEQUENCES),
    _recurrent("lstm", "sequences-unrolled", unroll=True, **_SEQUENCES),
    _recurrent("lstm", "states", return_state=True, **_SEQUENCES),
    _recurrent("simple", "states-backwards", return_state=True, go_backwards=True),
    replace(_recurrent("gru", "states-unrolled", return_state=True, unroll=True), alone=True),
    replace(_recurrent("gru", "from-a-state", return_state=True), arrays=_FROM_A_STATE),
    replace(
        _recurrent("gru", "from-a-state-mask-given", source=Source.PLAIN, return_state=True),
        arrays={**_FROM_A_STATE, "mask": Source.SEEN},
        explicit=(),
    ),
    replace(
        _recurrent(
            "simple",
            "backwards-unrolled-zeroed",
            zero_output_for_mask=True,
            go_backwards=True,
            unroll=True,
            **_SEQUENCES,
        ),
        alone=True,
    ),
    _recurrent("lstm", "emptied", source=Source.EMPTIED, **_SEQUENCES),
    replace(_recurrent("lstm", "float64", dtype="float64", **_SEQUENCES), explicit=()),
    replace(_recurrent("gru", "mixed-float16", dtype="mixed_float16", **_SEQUENCES), formula=None, explicit=()),
    _both_ways("lstm", "concat", "sequences", **_SEQUENCES),
    _both_ways("gru", "sum", "last"),
    _both_ways("simple", "mul", "sequences-zeroed", zero_output_for_mask=True, **_SEQUENCES),
    _both_ways("gru", None, "apart", **_SEQUENCES),
    _both_ways("lstm", "concat", "states", return_state=True, **_SEQUENCES),
    replace(_both_ways("simple", "ave", "unrolled", unroll=True), alone=True),
    replace(_both_ways("gru", "ave", "sequences-unrolled", unroll=True, **_SEQUENCES), alone=True),
    _both_ways_in_turn("lstm"),
    _STACKED,
    replace(
        _STACKED,
        name="rnn-of-cells-states-backwards",
        config={"cell": _CELLS, "return_state": True, "go_backwards": True},
        carries=None,
        alone=True,
    ),
    replace(
        _STACKED,
        name="rnn-of-cells-unrolled",
        config={"cell": _CELLS, "unroll": True, "zero_output_for_mask": True, **_SEQUENCES},
        alone=True,
    ),
    _convolved("sequences", **_SEQUENCES),
    replace(_convolved("states-backwards", return_state=True, go_backwards=True), alone=True),
    _each_step(
        "LSTM", functools.partial(masked.recurrent, cells=(LSTM_CELL,)), *_of_cell("lstm"), units=_UNITS, **_SEQUENCES
    ),
    _each_step("GlobalAveragePooling1D", masked.averaged),
    *map(_inner_model, ("Sequential", "Model")),
    *map(_carrying_model, ("Sequential", "Model")),
)


def _of_heads(queries: int, keys: int, size: int) -> tuple[Shape, ...]:
    into = (((FEATURES, heads, size), (heads, size)) for heads in (queries, keys, keys))
    return (*itertools.chain.from_iterable(into), (queries, size, FEATURES), (FEATURES,))


_KINDS: dict[str, dict[str, Any]] = {
    "heads": {
        "layer": "MultiHeadAttention",
        "config": {"num_heads": 2, "key_dim": 4},
        "shapes": _of_heads(2, 2, 4),
        "formula": attention_formulas.multi_head,
        "listed": False,
        "keeps": False,  # one case judges it
    },
    "groups": {
        "layer": "GroupQueryAttention",
        "config": {"num_query_heads": 4, "num_key_value_heads": 2, "head_dim": 4},
        "shapes": _of_heads(4, 2, 4),
        "formula": attention_formulas.grouped_query,
        "listed": False,
    },
    "dot": {"layer": "Attention", "formula": attention_formulas.dot_product, "explicit": _MASK},
    "additive": {
        "layer": "AdditiveAttention",
        "shapes": ((FEATURES,),),
        "formula": attention_formulas.additive,
        "explicit": _MASK,
    },
}


def _attention(kind: str, suffix: str, sources: Sequence[Source], **options: Any) -> MaskedCase:
    row = _KINDS[kind]
    call, arrays, training = (options.pop(name, None) for name in ("call", "arrays", "training"))
    several = (call or {}).get("return_attention_scores", False)
    return MaskedCase(
        name=f"attention-{kind}-{suffix}",
        sources=tuple(sources),
        call=call or {},
        arrays=arrays or {},
        training=training,
        carries=None if several else _first,
        **{**row, "config": {**row.get("config", {}), **options}},
    )


def _every_attention(kind: str) -> Iterator[MaskedCase]:
    padded, other, shorter, plain = Source.PADDED, Source.OTHER, Source.SHORTER, Source.PLAIN
    yield _attention(kind, "both", (other, shorter))
    yield _attention(kind, "keys", (other, shorter, shorter))
    yield replace(_attention(kind, "keys-other-mask", (other, shorter, Source.KEYS)), alone=kind != "heads")
    yield replace(_attention(kind, "queries", (other, plain)), alone=True)
    yield _attention(kind, "causal-scores", (plain, plain), call={**_CAUSAL, **_SCORES})
    yield _attention(kind, "causal-both", (padded, other), call=_CAUSAL)
    yield _attention(kind, "causal-dropout", (plain, plain), call=_CAUSAL, dropout=0.5)
    # A rate at which nothing is dropped: what training computes, without its noise.
    yield _attention(kind, "both-training", (padded, other), call=_CAUSAL, dropout=1e-9, training=True, seed=1)
    yield _attention(kind, "emptied", (padded, Source.EMPTIED), call=_SCORES)
    yield _attention(kind, "float16", (other, shorter), call=_SCORES, dtype="float16")


def _of_heads_alone() -> Iterator[MaskedCase]:
    padded, other, shorter, plain = Source.PADDED, Source.OTHER, Source.SHORTER, Source.PLAIN
    yield _attention("heads", "values", (plain, shorter))
    yield _attention("heads", "causal", (plain, plain), call=_CAUSAL)
    yield _attention("heads", "causal-both-scores", (padded, other), call={**_CAUSAL, **_SCORES})
    yield _attention("heads", "both-dropout", (other, shorter), dropout=0.5)
    yield _attention("heads", "causal-training", (plain, plain), call=_CAUSAL, dropout=1e-9, training=True, seed=1)
    yield _attention("heads", "float64", (other, shorter), dtype="float64")
    yield replace(_attention("heads", "keeps-masks", (other, shorter)), keeps=True)
    # Both look at one and the same tensor, as the blocks of a decoder do at what its encoder gives.
    for place in ("first", "second"):
        yield replace(_attention("heads", f"shared-{place}", (plain, shorter)), shared=True)


def _explicit_attention(kind: str) -> Iterator[MaskedCase]:
    pairs, plain = {"attention_mask": Source.PAIRS}, Source.PLAIN
    shorter = {"attention_mask": Source.PAIRS_OF_SHORTER}
    yield _attention(kind, "pairs", (plain, plain), arrays=pairs)
    yield _attention(kind, "pairs-causal-scores", (plain, plain), arrays=pairs, call={**_CAUSAL, **_SCORES})
    yield _attention(kind, "pairs-both", (Source.OTHER, Source.SHORTER), arrays=shorter)
    yield _attention(kind, "pairs-all", (Source.PADDED, Source.OTHER), arrays=pairs, call=_CAUSAL, dropout=0.5)
    every = (Source.OTHER, Source.PADDED, Source.OTHER)
    yield _attention(kind, "pairs-keys-all", every, arrays=pairs, call={**_CAUSAL, **_SCORES})
    yield replace(_attention(kind, "keys-alone", (plain, plain, Source.PADDED)), alone=True)
    # Given as arguments; which mask leaves then is documented nowhere.
    given = ("query_mask", "value_mask", "key_mask")
    several = _attention(kind, "masks-given", (Source.OTHER, Source.SHORTER, Source.KEYS), arrays=shorter)
    yield replace(several, explicit=given, carries=None, alone=True)


_ATTENTION = (
    *_of_heads_alone(),
    *itertools.chain.from_iterable(map(_every_attention, _KINDS)),
    *itertools.chain.from_iterable(map(_explicit_attention, ("heads", "groups"))),
    replace(_attention("dot", "scaled", (Source.OTHER, Source.SHORTER), use_scale=True), shapes=((),)),
    replace(_attention("dot", "concat", (Source.OTHER, Source.SHORTER), score_mode="concat"), shapes=((),)),
)


def _carried(layer: str, **config: Any) -> MaskedCase:
    return MaskedCase(name=f"through-{layer.lower()}", layer=layer, config=config, carries=_first)


_CARRYING = (
    _carried("Dense", units=3),
    _carried("Dropout", rate=0.5),
    _carried("SpatialDropout1D", rate=0.5),
    _carried("GaussianDropout", rate=0.5),
    _carried("GaussianNoise", stddev=0.5),
    _carried("AlphaDropout", rate=0.5),
    _carried("Activation", activation="tanh"),
    _carried("ReLU"),
    _carried("LeakyReLU"),
    _carried("PReLU"),
    _carried("ELU"),
    _carried("LayerNormalization"),
    _carried("GroupNormalization", groups=2),
    _carried("BatchNormalization"),
    _carried("UnitNormalization"),
    _carried("ActivityRegularization", l1=0.5),
    _carried("Identity"),
    replace(_carried("TimeDistributed"), config={"layer": LayerRequest("Dense", {"units": 3})}),
    replace(_carried("Rescaling", scale=0.5), since="3.0"),
    replace(_carried("Softmax"), alone=True),
    _carried("Lambda", function=lambda x: x * 2.0, mask=lambda _, mask: mask),
    replace(_carried("Lambda", function=lambda x: x * 2.0), name="past-lambda-without-mask", carries=_none),
    replace(_carried("Dense", units=3, dtype="float64"), name="through-dense-float64"),
    replace(_carried("Dropout", rate=0.5, dtype="mixed_float16"), name="through-dropout-mixed-float16"),
    replace(_carried("Dense", units=3, dtype="bfloat16"), name="through-dense-bfloat16"),
    replace(_carried("Activation", activation="relu", dtype="float16"), name="through-activation-float16"),
)


def _dropped(layer: str, **config: Any) -> MaskedCase:
    """Its output's steps are not its input's, nor does it make a mask of them."""
    return MaskedCase(
        name=f"past-{layer.lower()}",
        layer=layer,
        config=config,
        carries=_none,
        alone=layer != "Conv1D",
        since="3.0",
    )


_DROPPING = (
    _dropped("Conv1D", filters=2, kernel_size=2),
    _dropped("Cropping1D", cropping=1),
    _dropped("ZeroPadding1D", padding=1),
    _dropped("UpSampling1D", size=2),
    _dropped("MaxPooling1D"),
    _dropped("Flatten"),
    _dropped("Permute", dims=(2, 1)),
    _dropped("Reshape", target_shape=(3, 8)),
)


def _merged(layer: str, sources: Sequence[Source], suffix: str, carries: Any, **options: Any) -> MaskedCase:
    since = options.pop("since", "2")
    return MaskedCase(
        name=f"{layer.lower()}-{suffix}",
        layer=layer,
        sources=tuple(sources),
        config=options,
        carries=carries,
        since=since,
    )


_PAIR = (Source.PADDED, Source.OTHER)
_MERGING = (
    *(
        _merged(layer, sources, suffix, carries, since=since)
        for layer in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
        for sources, suffix, carries, since in (
            ((Source.PADDED, Source.PADDED), "same-masks", _first, "2"),
            (_PAIR, "either-mask", _either, _FIRST_OR),
        )
    ),
    _merged("Add", (Source.PADDED, Source.PLAIN), "one-mask", _none, since=_FIRST_OR),
    _merged("Concatenate", (Source.PADDED, Source.PADDED), "same-masks", _first),
    _merged("Concatenate", _PAIR, "either-mask", _either, since=_FIRST_OR),
    _merged("Concatenate", (Source.PADDED, Source.SHORTER), "steps", _one_after_another, axis=1),
    _merged(
        "Concatenate", (Source.PADDED, Source.PLAIN), "steps-one-mask", _one_after_another, axis=1, since=_FIRST_OR
    ),
    _merged("Dot", _PAIR, "masks", _none, axes=2),
)


def _looked_up(weights: Sequence[Any], xs: Sequence[Any], _masks: Sequence[Mask], **_: Any) -> list[Any]:
    return [embedding(weights, xs[0])]


def _found_again(weights: Sequence[Any], xs: Sequence[Any], _masks: Sequence[Mask], **_: Any) -> list[Any]:
    return [reversed_embedding(weights, xs[0])]


def _mask_of_zeros(xs: Sequence[Any], _masks: Sequence[Mask]) -> list[Mask]:
    return [np.asarray(xs[0]) != 0]


_VOCABULARY = 31
_MAKING = (
    MaskedCase(
        name="embedding",
        layer="Embedding",
        config={"input_dim": _VOCABULARY, "output_dim": 4, "mask_zero": True},
        shapes=((_VOCABULARY, 4),),
        sources=(Source.INDICES,),
        formula=_looked_up,
        carries=_mask_of_zeros,
    ),
    MaskedCase(
        name="embedding-without-mask",
        layer="Embedding",
        config={"input_dim": _VOCABULARY, "output_dim": 4},
        shapes=((_VOCABULARY, 4),),
        sources=(Source.INDICES,),
        formula=_looked_up,
        carries=_none,
    ),
    MaskedCase(
        name="masking",
        layer="Masking",
        config={"mask_value": -1.5},
        sources=(Source.CONSTANT,),
        formula=masked.masked_by_value,
        carries=lambda xs, _masks: [masked.differs(xs[0], -1.5)],
    ),
    MaskedCase(
        name="masking-float64",
        layer="Masking",
        config={"mask_value": -1.5, "dtype": "float64"},
        sources=(Source.CONSTANT,),
        formula=masked.masked_by_value,
        carries=lambda xs, _masks: [masked.differs(xs[0], -1.5)],
    ),
    MaskedCase(
        name="masking-bfloat16",
        layer="Masking",
        config={"mask_value": -1.5, "dtype": "mixed_bfloat16"},
        alone=True,
        sources=(Source.CONSTANT,),
        formula=masked.masked_by_value,
        carries=lambda xs, _masks: [masked.differs(xs[0], -1.5)],
    ),
    MaskedCase(
        name="reversible-embedding-reversed",
        layer="ReversibleEmbedding",
        config={"input_dim": _VOCABULARY, "output_dim": FEATURES, "mask_zero": True},
        call={"reverse": True},
        shapes=((_VOCABULARY, FEATURES),),
        formula=_found_again,
        carries=_none,  # it is given no indices, of which some would be zero
    ),
)


def _pooled(suffix: str, **config: Any) -> MaskedCase:
    return MaskedCase(
        name="-".join(filter(None, ("pooled", suffix))),
        layer="GlobalAveragePooling1D",
        config=config,
        formula=masked.averaged,
        carries=_none,
        explicit=_MASK,
    )


def _softmax(suffix: str, source: Source = Source.PLAIN, mask: Source = Source.ELEMENTS, **config: Any) -> MaskedCase:
    return MaskedCase(
        name="-".join(filter(None, ("softmax", suffix))),
        layer="Softmax",
        config=config,
        sources=(source,),
        arrays={"mask": mask},
        formula=masked.softmax,
    )


def _batch_normalization(suffix: str = "", source: Source = Source.PADDED, **config: Any) -> MaskedCase:
    return MaskedCase(
        name="-".join(filter(None, ("batch-normalization-training", suffix))),
        layer="BatchNormalization",
        config=config,
        shapes=((source.shape[config.get("axis", -1)],),) * 4,
        sources=(source,),
        formula=masked.batch_normalization,
        updated=masked.updated_averages,
        training=True,
        needs="mask",
        explicit=_MASK,
    )


BATCH_NORMALIZATION_UNDER_MASK = _batch_normalization()
_READING = (
    _pooled(""),
    _pooled("keepdims", keepdims=True),
    _pooled("float64", dtype="float64"),
    replace(_pooled("channels-first", data_format="channels_first"), sources=(Source.SHORTER,)),
    _pooled("mixed-float16", dtype="mixed_float16"),
    _softmax(""),
    _softmax("steps", axis=1),
    _softmax("two-axes", axis=[1, 2]),
    _softmax("float16", dtype="float16"),
    _softmax("enormous", Source.LOUD, Source.QUIET),
    replace(_softmax("enormous-two-axes", Source.LOUD, Source.QUIET, axis=[1, 2]), alone=True),
    BATCH_NORMALIZATION_UNDER_MASK,
    _batch_normalization("of-steps", axis=1, momentum=0.5),
    _batch_normalization("of-sequences-of-sequences", Source.NESTED, momentum=0.5),
    _batch_normalization("of-nested-steps", Source.NESTED, axis=2, momentum=0.5),
)

MASKED: tuple[MaskedCase, ...] = (
    *_MAKING,
    *_READING,
    *_RECURRENT,
    *_ATTENTION,
    *_CARRYING,
    *_DROPPING,
    *_MERGING,
)
# The cases of some layers share a model, which is traced once; by name alone, so that a new layer moves no other.
MASKED_GROUP_OF = {case.name: zlib.crc32(case.layer.encode()) % 3 for case in MASKED}
MASKED_GROUPS = tuple(tuple(case for case in MASKED if MASKED_GROUP_OF[case.name] == group) for group in range(3))
