"""Activations as layers, one of them with weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from initcheck.catalog.laws import Shape
from initcheck.catalog.layers.configurations import NO_NOISE, NO_WEIGHTS, ROWS_OF_VECTORS, VECTORS, initializer
from initcheck.catalog.layers.kind import LayerKind, Without
from initcheck.catalog.layers.traits.computing import FormulaCase, LayerOptions
from initcheck.catalog.layers.traits.engines import Stackable, Stacking, State
from initcheck.catalog.layers.traits.weights import ZEROS, GivenOptions, LayerDefaults, SavedInitializers
from initcheck.oracle.activation_options import (
    activation_layer,
    exponential_linear,
    leaky,
    parametric,
    rectified,
    softmax_layer,
)

_OTHERS = Without("its function is tested as an activation")
_ELEMENTWISE = (State(), Stackable(how=Stacking.ELEMENTWISE), NO_WEIGHTS, NO_NOISE, _OTHERS)


def _case(name: str, formula: Callable[..., Any], *shapes: Shape, **config: Any) -> FormulaCase:
    return FormulaCase(name=name, shapes=shapes, input_shape=(3, 4, 5), formula=formula, config=config)


ACTIVATION = LayerKind(
    "Activation",
    LayerOptions(order=7, options={"activation": "softplus"}, input_shape=VECTORS, policy="mixed_bfloat16"),
    State(),
    Stackable(how=Stacking.WITH_ACTIVATION),
    NO_WEIGHTS,
    NO_NOISE,
    _case("activation-softplus", activation_layer, activation="softplus"),
    _case("activation-softmax", activation_layer, activation="softmax"),
    _OTHERS,
)
RELU = LayerKind(
    "ReLU",
    _case("relu", rectified),
    _case("relu-bent", rectified, negative_slope=0.25, max_value=1.5, threshold=0.5),
    *_ELEMENTWISE,
)
LEAKY_RELU = LayerKind(
    "LeakyReLU",
    replace(_case("leaky-relu", leaky), dtypes=("float32",)),  # 0.3 is not exact in it
    _case("leaky-relu-bent", leaky, negative_slope=0.125),
    *_ELEMENTWISE,
)
ELU = LayerKind(
    "ELU",
    LayerOptions(order=7, options={"alpha": 0.375}, input_shape=VECTORS),
    _case("elu", exponential_linear),
    _case("elu-alpha", exponential_linear, alpha=0.375),
    *_ELEMENTWISE,
)
SOFTMAX = LayerKind(
    "Softmax",
    LayerOptions(order=7, options={"axis": 1}, input_shape=ROWS_OF_VECTORS, policy="float64"),
    _case("softmax", softmax_layer),
    _case("softmax-second-axis", softmax_layer, axis=1),
    _case("softmax-two-axes", softmax_layer, axis=(1, 2)),
    replace(_case("softmax-negative-axes", softmax_layer, axis=[-1, -2]), modelled=False),
    State(),
    NO_WEIGHTS,
    NO_NOISE,
    _OTHERS,
)
PRELU = LayerKind(
    "PReLU",
    LayerDefaults(order=6, inputs=((1, 6),), initializers=(ZEROS,), shapes=((6,),)),
    GivenOptions(order=5, name="prelu", inputs=((1, 6),), places=(("alpha_initializer", 0),)),
    SavedInitializers(
        order=9, initializers={"alpha_initializer": initializer("Constant", value=0.375)}, input_shape=(2, 4)
    ),
    _case("prelu", parametric, (4, 5)),
    _case("prelu-shared", parametric, (1, 5), shared_axes=[1]),
    _case("prelu-shared-twice", parametric, (1, 1), shared_axes=[1, 2]),
    replace(_case("prelu-shared-second", parametric, (4, 1), shared_axes=[2]), modelled=False),
    State(),
    NO_NOISE,
    Without("its weights multiply its inputs, as those of other layers do"),
)

ROWS = (ACTIVATION, RELU, LEAKY_RELU, ELU, SOFTMAX, PRELU)
