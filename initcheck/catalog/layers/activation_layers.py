"""Activations as layers, one of them with weights."""

from __future__ import annotations

from initcheck.catalog.layers.configurations import NO_NOISE, NO_WEIGHTS, ROWS_OF_VECTORS, VECTORS, initializer
from initcheck.catalog.layers.kind import LayerKind, Without
from initcheck.catalog.layers.traits.computing import LayerOptions
from initcheck.catalog.layers.traits.engines import Stackable, Stacking, State
from initcheck.catalog.layers.traits.weights import ZEROS, GivenOptions, LayerDefaults, SavedInitializers

_OTHERS = Without("its function is tested as an activation")
_ELEMENTWISE = (State(), Stackable(how=Stacking.ELEMENTWISE), NO_WEIGHTS, NO_NOISE, _OTHERS)

ACTIVATION = LayerKind(
    "Activation",
    LayerOptions(order=7, options={"activation": "softplus"}, input_shape=VECTORS, policy="mixed_bfloat16"),
    State(),
    Stackable(how=Stacking.WITH_ACTIVATION),
    NO_WEIGHTS,
    NO_NOISE,
    _OTHERS,
)
RELU = LayerKind("ReLU", *_ELEMENTWISE)
LEAKY_RELU = LayerKind("LeakyReLU", *_ELEMENTWISE)
ELU = LayerKind("ELU", LayerOptions(order=7, options={"alpha": 0.375}, input_shape=VECTORS), *_ELEMENTWISE)
SOFTMAX = LayerKind(
    "Softmax",
    LayerOptions(order=7, options={"axis": 1}, input_shape=ROWS_OF_VECTORS, policy="float64"),
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
    State(),
    NO_NOISE,
    Without("its weights multiply its inputs, as those of other layers do"),
)

ROWS = (ACTIVATION, RELU, LEAKY_RELU, ELU, SOFTMAX, PRELU)
