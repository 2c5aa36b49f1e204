"""Layers without weights that pool, pad, reshape, rescale or merge their inputs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from initcheck.catalog.laws import Shape
from initcheck.catalog.layers.configurations import IMAGES, NO_NOISE, NO_WEIGHTS
from initcheck.catalog.layers.kind import LayerKind, Trait, Without
from initcheck.catalog.layers.traits.computing import FormulaCase, LayerOptions
from initcheck.catalog.layers.traits.engines import Holds, Stackable, Stacking, State
from initcheck.oracle import arranging, pooling
from initcheck.oracle.image_formulas import enlarged
from initcheck.oracle.layer_outputs import identity, penalty_by_row, pooled_maximum, pooled_mean

_WINDOW = {"pool_size": [2, 3], "strides": [1, 2], "padding": "same"}
_CHANNELS_FIRST = {"data_format": "channels_first"}
_OTHERS = Without("it only reshapes, pools or merges its inputs")
_POSITIONS: dict[int, Shape] = {1: (2, 7, 3), 2: (2, 6, 5, 3), 3: (2, 4, 5, 3, 2)}  # by number of axes


def _shape(name: str, *traits: Trait, holds: Holds = Holds.WEIGHTS) -> LayerKind:
    return LayerKind(name, *traits, State(holds=holds), NO_WEIGHTS, NO_NOISE, _OTHERS)


def _case(name: str, formula: Callable[..., Any], input_shape: Shape, *beside: Shape, **config: Any) -> FormulaCase:
    return FormulaCase(name=name, shapes=(), input_shape=input_shape, beside=beside, formula=formula, config=config)


def _alone(case: FormulaCase, *, graded: bool = False) -> FormulaCase:
    """Only by itself, where other cases show the layer in a model."""
    return replace(case, modelled=False, graded=graded)


def _whole(case: FormulaCase, *dtypes: str) -> FormulaCase:
    """In those types of whole numbers too: the layer only moves, chooses, repeats or combines elements."""
    return replace(case, whole=dtypes)


def _first(shape: Shape) -> Shape:
    """The shape with its channels first."""
    return (shape[0], shape[-1], *shape[1:-1])


def _penalized(name: str, **config: Any) -> FormulaCase:
    return replace(_case(name, identity, (4, 5, 3), **config), loss=penalty_by_row)


def _pooled(rank: int, name: str, formula: Callable[..., Any], **config: Any) -> FormulaCase:
    case = _case(name, formula, _POSITIONS[rank], **config)
    return replace(case, dtypes=("float32",)) if rank == len(_POSITIONS) else case  # TensorFlow has no other in 3-D


def _pooling(kind: str, rank: int, *older: Trait) -> LayerKind:
    """Windows that overlap and leave a rest, with padding and without; ``strides`` is the window's size by default."""
    formula = {"Max": pooling.max_pooling, "Average": pooling.average_pooling}[kind]
    name = f"{kind.lower()}-pooling-{rank}d"
    window, strides = (3, 2, 2)[:rank], (2, 1, 3)[:rank]
    return _shape(
        f"{kind}Pooling{rank}D",
        *older,
        _pooled(rank, name, formula, pool_size=2),
        _pooled(rank, f"{name}-same", formula, pool_size=window, strides=strides, padding="same"),
        _pooled(rank, f"{name}-strided", formula, pool_size=window, strides=strides),
        _pooled(rank, f"{name}-channels-first", formula, pool_size=2, strides=1, data_format="channels_first"),
    )


def _global_pooling(kind: str, rank: int, *older: Trait, holds: Holds = Holds.WEIGHTS) -> LayerKind:
    formula = {"Max": pooling.global_maximum, "Average": pooling.global_average}[kind]
    name, shape = f"global-{kind.lower()}-pooling-{rank}d", _POSITIONS[rank]
    return _shape(
        f"Global{kind}Pooling{rank}D",
        *older,
        _case(name, formula, shape),
        _case(f"{name}-first", formula, shape, data_format="channels_first", keepdims=True),
        _alone(_case(f"{name}-kept", formula, shape, keepdims=True)),
        _alone(_case(f"{name}-first-dropped", formula, shape, data_format="channels_first")),
        holds=holds,
    )


def _adaptive_pooling(kind: str, rank: int) -> LayerKind:
    formula = {"Max": pooling.adaptive_maximum, "Average": pooling.adaptive_average}[kind]
    name = f"adaptive-{kind.lower()}-pooling-{rank}d"
    sizes = (3, 2, 2)[:rank]
    return _shape(
        f"Adaptive{kind}Pooling{rank}D",
        replace(_pooled(rank, name, formula, output_size=2), any_length=False),
        replace(_pooled(rank, f"{name}-uneven", formula, output_size=sizes), any_length=False),
        _alone(_pooled(rank, f"{name}-first", formula, output_size=sizes, **_CHANNELS_FIRST)),
    )


def _croppings(rank: int) -> tuple[FormulaCase, ...]:
    """Every choice of axes at whose end nothing is cut off, with channels last and first."""
    name, shape = f"cropping-{rank}d", _POSITIONS[rank]
    last, first = (
        [
            _case(
                "-".join(filter(None, (name, suffix, "".join(map(str, ends)), "kept"))),
                arranging.cropping,
                layout,
                # An axis by itself has a pair of its own.
                cropping=pairs[0] if rank == 1 else pairs,
                **config,
            )
            for ends in itertools.product((0, 1), repeat=rank)
            for pairs in [tuple((1 - number % 2, end) for number, end in enumerate(ends))]
        ]
        for suffix, layout, config in (("", shape, {}), ("first", _first(shape), _CHANNELS_FIRST))
    )
    shown, *others = first
    return (
        *(_alone(replace(one, dtypes=("float32",))) for one in (*last, *others)),
        replace(shown, modelled=rank == _SHOWN),
    )[: 2**rank if rank == 1 else None]  # no format of channels in one dimension


_SHOWN = 2  # the rank whose cases are shown in models


def _of_every_rank(rank: int) -> tuple[LayerKind, ...]:
    shape, pairs = _POSITIONS[rank], ((1, 2), (0, 1), (1, 0))[:rank]
    ends = pairs[0] if rank == 1 else pairs
    padded: list[Trait] = (
        [LayerOptions(order=6, options={"padding": [[1, 2], [0, 3]]}, input_shape=IMAGES, policy="mixed_float16")]
        if rank == _SHOWN
        else []
    )
    zeros = _case(f"zero-padding-{rank}d-first", arranging.zero_padding, _first(shape), padding=ends, **_CHANNELS_FIRST)
    sizes = (2, 3, 1)[:rank]
    larger = _case(f"up-sampling-{rank}d-first", arranging.up_sampling, _first(shape), size=sizes, **_CHANNELS_FIRST)
    return (
        _shape(
            f"ZeroPadding{rank}D",
            *padded,
            _case(f"zero-padding-{rank}d", arranging.zero_padding, shape, padding=1),
            _whole(_case(f"zero-padding-{rank}d-uneven", arranging.zero_padding, shape, padding=ends), "uint8"),
            replace(zeros, modelled=rank == _SHOWN, graded=rank == _SHOWN),
            *(
                [
                    _alone(
                        _case(f"zero-padding-{rank}d-by-axis", arranging.zero_padding, shape, padding=(1, 2, 0)[:rank])
                    )
                ]
                if rank > 1
                else []
            ),
        ),
        _shape(
            f"Cropping{rank}D",
            _case(f"cropping-{rank}d", arranging.cropping, shape, cropping=1),
            _whole(_case(f"cropping-{rank}d-uneven", arranging.cropping, shape, cropping=ends), "uint8"),
            *_croppings(rank),
            *(
                [_alone(_case(f"cropping-{rank}d-by-axis", arranging.cropping, shape, cropping=(1, 2, 0)[:rank]))]
                if rank > 1
                else []
            ),
        ),
        _shape(
            f"UpSampling{rank}D",
            _whole(_case(f"up-sampling-{rank}d", arranging.up_sampling, shape, size=2), "int32"),
            *([_case(f"up-sampling-{rank}d-uneven", arranging.up_sampling, shape, size=(2, 3, 1)[:rank])][: rank - 1]),
            *([replace(larger, modelled=rank == _SHOWN, graded=rank == _SHOWN)][: rank - 1]),
            *(_interpolated() if rank == _SHOWN else ()),
        ),
    )


def _interpolated() -> tuple[FormulaCase, ...]:
    shape, config = _POSITIONS[_SHOWN], {"size": (2, 3), "interpolation": "bilinear"}
    last = _case("up-sampling-2d-bilinear", enlarged, shape, **config)
    first = _case("up-sampling-2d-bilinear-first", enlarged, _first(shape), **config, **_CHANNELS_FIRST)
    others = [
        _case(f"up-sampling-2d-{word}", enlarged, shape, size=(2, 2), interpolation=word)
        for word in ("bicubic", "lanczos3", "lanczos5")
    ]
    return tuple(_alone(replace(one, dtypes=("float32",)), graded=one is last) for one in (*others, last, first))


def _merging(name: str, formula: Callable[..., Any], *others: Trait, inputs: int = 3) -> LayerKind:
    whole, row = (2, 3, 4), (2, 1, 4)  # the last input is broadcast
    ranks = ((2, 3), (2, 5, 4, 3), (2, 4, 3))[:inputs]
    return _shape(
        name,
        _whole(
            _case(f"{name.lower()}", formula, *(whole,) * inputs), *([] if name == "Average" else ["int32", "int64"])
        ),
        _case(f"{name.lower()}-broadcast", formula, *(whole,) * (inputs - 1), row),
        replace(_case(f"{name.lower()}-of-ranks", formula, *ranks), modelled=name == "Add"),
        _alone(_case(f"{name.lower()}-of-falling-ranks", formula, *reversed(ranks))),
        *others,
    )


_MAXIMUM = FormulaCase(order=5, name="maximum-pooling", shapes=(), input_shape=(3, 7, 2), formula=pooled_maximum)
_MEAN = FormulaCase(order=5, name="mean-pooling", shapes=(), input_shape=(3, 7, 2), formula=pooled_mean)
_SAVED = {
    "MaxPooling2D": LayerOptions(order=6, options=_WINDOW, input_shape=IMAGES, policy="mixed_bfloat16"),
    "AveragePooling2D": LayerOptions(order=6, options=_WINDOW, input_shape=IMAGES),
    "GlobalAveragePooling2D": LayerOptions(order=6, options={"keepdims": True}, input_shape=IMAGES, policy="float64"),
}
FLATTEN = _shape(
    "Flatten",
    Stackable(how=Stacking.FLATTENED),
    _whole(_case("flatten", arranging.flatten, (2, 3, 4, 2)), "int32"),
    _case("flatten-first", arranging.flatten, (2, 3, 4, 2), **_CHANNELS_FIRST),
    _alone(_case("flatten-volumes-first", arranging.flatten, (2, 3, 4, 2, 2), **_CHANNELS_FIRST)),
    _alone(_case("flatten-sequences-first", arranging.flatten, (2, 3, 4), **_CHANNELS_FIRST)),
    _alone(_case("flatten-vectors-first", arranging.flatten, (2, 3), **_CHANNELS_FIRST)),
)
GLOBAL_AVERAGE_POOLING_1D = _global_pooling("Average", 1, _MEAN, holds=Holds.MORE)  # not examined: it reads a mask
GLOBAL_AVERAGE_POOLING_2D = _global_pooling("Average", 2, _SAVED["GlobalAveragePooling2D"])

ROWS = (
    _pooling("Max", 1, _MAXIMUM),
    _pooling("Max", 2, _SAVED["MaxPooling2D"]),
    _pooling("Average", 1),
    _pooling("Average", 2, _SAVED["AveragePooling2D"]),
    _global_pooling("Max", 2),
    GLOBAL_AVERAGE_POOLING_1D,
    GLOBAL_AVERAGE_POOLING_2D,
    *_of_every_rank(2),
    FLATTEN,
    LayerKind("InputLayer", State(), Without("it declares an input")),
    _shape(
        "Reshape",
        _whole(_case("reshape", arranging.reshape, (2, 3, 4), target_shape=(2, 6)), "int32"),
        _case("reshape-to-fit", arranging.reshape, (2, 3, 4), target_shape=(-1, 2)),
    ),
    _shape("Permute", _whole(_case("permute", arranging.permute, (2, 3, 4, 5), dims=(3, 1, 2)), "int32")),
    _merging(
        "Add",
        arranging.added,
        # As many rows as columns, and an element for each row.
        _alone(_case("add-of-columns", arranging.added, (2, 2), (2, 1))),
        _alone(_case("add-of-columns-first", arranging.added, (2, 1), (2, 2))),
    ),
    _shape(
        "Concatenate",
        _whole(_case("concatenate", arranging.concatenated, (2, 3, 4), (2, 3, 1), (2, 3, 2)), "int32"),
        _case("concatenate-second-axis", arranging.concatenated, (2, 3, 4), (2, 1, 4), axis=1),
        _alone(_case("concatenate-last-but-one", arranging.concatenated, (2, 3, 4, 2), (2, 3, 1, 2), axis=-2)),
        _alone(_case("concatenate-rows", arranging.concatenated, (2, 3), (2, 3), axis=0)),
    ),
    _merging("Multiply", arranging.multiplied),
    _pooling("Max", 3),
    _pooling("Average", 3),
    _global_pooling("Max", 1),
    _global_pooling("Max", 3),
    _global_pooling("Average", 3),
    *(_adaptive_pooling(kind, rank) for kind in ("Max", "Average") for rank in (1, 2, 3)),
    *_of_every_rank(1),
    *_of_every_rank(3),
    _merging("Subtract", arranging.subtracted, inputs=2),
    _merging("Average", arranging.averaged),
    _merging("Maximum", arranging.largest),
    _merging("Minimum", arranging.smallest),
    _shape(
        "Dot",
        _case("dot", arranging.dotted, (3, 4, 2), (3, 4, 5), axes=1),
        _case("dot-normalized", arranging.dotted, (3, 2, 4), (3, 5, 4), axes=2, normalize=True),
        _case("dot-of-axes", arranging.dotted, (3, 5, 2), (3, 4, 5), axes=(1, 2), normalize=True),
        _alone(_case("dot-of-negative-axis", arranging.dotted, (3, 2, 4), (3, 5, 2, 4), axes=-1), graded=True),
        _alone(_case("dot-of-negative-axes", arranging.dotted, (3, 4, 2), (3, 5, 4), axes=(-2, -1), normalize=True)),
        _alone(_case("dot-of-ranks", arranging.dotted, (3, 2, 4, 5), (3, 4), axes=(2, 1), normalize=True)),
        _alone(_case("dot-of-rising-ranks", arranging.dotted, (3, 4), (3, 2, 4, 5), axes=(1, -2))),
        _alone(_case("dot-of-vectors", arranging.dotted, (3, 4), (3, 4), axes=1, normalize=True)),
    ),
    _shape("RepeatVector", _whole(_case("repeat-vector", arranging.repeat_vector, (3, 4), n=3), "int32")),
    _shape("Identity", _whole(_case("identity", identity, (3, 4)), "bool", "uint8", "int64")),
    _shape(
        "ActivityRegularization",
        _penalized("activity-regularization", l1=0.25, l2=0.75),
        _penalized("activity-regularization-l1", l1=0.5),
        _penalized("activity-regularization-l2", l2=0.5),
        LayerOptions(order=15, options={"l1": 0.25, "l2": 0.75}, input_shape=(3, 4)),
        holds=Holds.MORE,
    ),
    _shape("Masking", _case("masking", arranging.masking, (3, 4, 2), mask_value=0.0), holds=Holds.MORE),
    _shape(
        "UnitNormalization",
        replace(_case("unit-normalization", arranging.unit_normalization, (3, 4, 5)), loud=1000.0),
        _case("unit-normalization-second-axis", arranging.unit_normalization, (3, 4, 5), axis=1),
        _case("unit-normalization-axes", arranging.unit_normalization, (3, 4, 2, 5), axis=(1, 3)),
        _alone(_case("unit-normalization-negative-axes", arranging.unit_normalization, (3, 4, 5), axis=[-2, -1])),
    ),
    _shape(
        "Rescaling",
        _case("rescaling", arranging.rescaled, (2, 3, 4), scale=0.75, offset=-0.5),
        _case("rescaling-by-channel", arranging.rescaled, (2, 3, 3), scale=[0.75, 2.0, 0.5], offset=[1.0, 0.0, -0.5]),
        replace(
            _alone(_case("rescaling-by-channel-first", arranging.rescaled_first, (2, 3, 4, 5), scale=[0.75, 2.0, 0.5])),
            image_data_format="channels_first",
        ),
    ),
    _shape(
        "CenterCrop",
        _case("center-crop", arranging.center_crop, (2, 6, 7, 3), height=3, width=4),
        _case("center-crop-first", arranging.center_crop, (2, 3, 6, 7), height=3, width=4, **_CHANNELS_FIRST),
    ),
)
