"""Layers without weights that pool, pad, reshape or merge their inputs."""

from __future__ import annotations

from initcheck.catalog.layers.configurations import IMAGES, NO_NOISE, NO_WEIGHTS
from initcheck.catalog.layers.kind import LayerKind, Trait, Without
from initcheck.catalog.layers.traits.computing import FormulaCase, LayerOptions
from initcheck.catalog.layers.traits.engines import Holds, Stackable, Stacking, State
from initcheck.oracle.layer_outputs import pooled_maximum, pooled_mean

_WINDOW = {"pool_size": [2, 3], "strides": [1, 2], "padding": "same"}
_OTHERS = Without("it only reshapes, pools or merges its inputs")


def _shape(name: str, *traits: Trait, holds: Holds = Holds.WEIGHTS) -> LayerKind:
    return LayerKind(name, *traits, State(holds=holds), NO_WEIGHTS, NO_NOISE, _OTHERS)


MAX_POOLING_1D = _shape(
    "MaxPooling1D",
    FormulaCase(order=5, name="maximum-pooling", shapes=(), input_shape=(3, 7, 2), formula=pooled_maximum),
)
MAX_POOLING_2D = _shape(
    "MaxPooling2D", LayerOptions(order=6, options=_WINDOW, input_shape=IMAGES, policy="mixed_bfloat16")
)
AVERAGE_POOLING_1D = _shape("AveragePooling1D")
AVERAGE_POOLING_2D = _shape("AveragePooling2D", LayerOptions(order=6, options=_WINDOW, input_shape=IMAGES))
GLOBAL_MAX_POOLING_2D = _shape("GlobalMaxPooling2D")
GLOBAL_AVERAGE_POOLING_1D = _shape(
    "GlobalAveragePooling1D",
    FormulaCase(order=5, name="mean-pooling", shapes=(), input_shape=(3, 7, 2), formula=pooled_mean),
    holds=Holds.MORE,  # not examined
)
GLOBAL_AVERAGE_POOLING_2D = _shape(
    "GlobalAveragePooling2D",
    LayerOptions(order=6, options={"keepdims": True}, input_shape=IMAGES, policy="float64"),
)
ZERO_PADDING_2D = _shape(
    "ZeroPadding2D",
    LayerOptions(order=6, options={"padding": [[1, 2], [0, 3]]}, input_shape=IMAGES, policy="mixed_float16"),
)
FLATTEN = _shape("Flatten", Stackable(how=Stacking.FLATTENED))

ROWS = (
    MAX_POOLING_1D,
    MAX_POOLING_2D,
    AVERAGE_POOLING_1D,
    AVERAGE_POOLING_2D,
    GLOBAL_MAX_POOLING_2D,
    GLOBAL_AVERAGE_POOLING_1D,
    GLOBAL_AVERAGE_POOLING_2D,
    ZERO_PADDING_2D,
    FLATTEN,
    *map(_shape, ("InputLayer", "Reshape", "Permute", "Add", "Concatenate", "Multiply")),
)
