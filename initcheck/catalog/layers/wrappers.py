"""Layers that wrap other layers, and Keras's wrappers of other code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from initcheck.catalog.laws import Shape
from initcheck.catalog.layers.configurations import KERNEL_AND_BIAS, RECURRENT
from initcheck.catalog.layers.convolutions import CONV_1D
from initcheck.catalog.layers.dense import DENSE
from initcheck.catalog.layers.kind import LayerKind, LayerRequest, Without
from initcheck.catalog.layers.noise import DROPOUT
from initcheck.catalog.layers.recurrent import GRU, LSTM, SIMPLE_RNN
from initcheck.catalog.layers.traits.computing import FormulaCase
from initcheck.catalog.layers.traits.engines import Holds, State
from initcheck.catalog.layers.traits.noises import Fed, NoiseSource
from initcheck.catalog.layers.traits.weights import LayerDefaults, SavedInitializers, StackedKernels
from initcheck.oracle.layer_outputs import convolution, dense, spectral, spectral_in_training, updated_spectral
from initcheck.oracle.recurrent_formulas import GRU_CELL, LSTM_CELL, SIMPLE_CELL, Directions, EachStep, Sequences

_WRAPPED = Without("represented by the layer that it wraps")
_SHELL = Without("its code is the user's")

_SIMPLE, _SEQUENCES = Sequences((SIMPLE_CELL,)), {"return_sequences": True, "unroll": True}
_DIRECTION = ((3, 4), (4, 4), (4,))


def _both(name: str, **config: Any) -> FormulaCase:
    """A simple layer that reads both ways, with a state of four units each way."""
    formula = Directions(_SIMPLE, _SIMPLE, _SEQUENCES)
    return FormulaCase(
        name=f"bidirectional-{name}",
        shapes=_DIRECTION * 2,
        input_shape=(2, 3, 3),
        formula=formula,
        in_turn=formula.in_turn if config["merge_mode"] == "concat" else None,
        config={"layer": LayerRequest(SIMPLE_RNN.name, {"units": 4, **_SEQUENCES}), **config},
        outputs=1 if config["merge_mode"] else 2,
        modelled=config["merge_mode"] == "ave",  # which the models show of these
        graded=config["merge_mode"] in ("mul", None),
        dtypes=("float32",),  # the layers' own
    )


_STATES = {"return_state": True, "unroll": True}
_BOTH_STATES = FormulaCase(
    name="bidirectional-states",
    shapes=((3, 16), (4, 16), (16,)) * 2,
    input_shape=(2, 3, 3),
    beside=((2, 4),) * 4,
    initial_states=True,
    outputs=5,
    formula=Directions(Sequences((LSTM_CELL,)), Sequences((LSTM_CELL,)), _STATES),
    config={"layer": LayerRequest(LSTM.name, {"units": 4, **_STATES})},
    dtypes=("float32",),
)
_STATES_APART = replace(
    _BOTH_STATES,
    name="bidirectional-states-apart",
    outputs=6,
    config={**_BOTH_STATES.config, "merge_mode": None},
    graded=False,
    modelled=False,
)
_BEFORE = {"reset_after": False}
_BACKWARD_GIVEN = FormulaCase(
    name="bidirectional-backward-layer",
    shapes=(*_DIRECTION, (3, 6), (2, 6), (6,)),
    input_shape=(2, 3, 3),
    formula=Directions(_SIMPLE, Sequences((GRU_CELL,)), backward_options=_BEFORE),
    config={
        "layer": LayerRequest(SIMPLE_RNN.name, {"units": 4}),
        "backward_layer": LayerRequest(GRU.name, {"units": 2, "go_backwards": True, **_BEFORE}),
    },
    dtypes=("float32",),
)

_ONES = {"kernel_initializer": "ones", "recurrent_initializer": "ones"}
_lstm, _dense = LSTM.select(LayerDefaults)[0], DENSE.select(LayerDefaults)[0]
BIDIRECTIONAL = LayerKind(
    "Bidirectional",
    LayerDefaults(
        order=31,
        arguments={"layer": _lstm.request},
        inputs=_lstm.inputs,
        initializers=_lstm.initializers * 2,
        shapes=_lstm.shapes * 2,
    ),
    StackedKernels(
        order=3, kernels=4, arguments={"layer": LayerRequest(LSTM.name, {"units": 64})}, inputs=((1, 2, 64),)
    ),
    SavedInitializers(
        order=6, initializers=RECURRENT, input_shape=(1, 3, 2), wraps=LayerRequest(LSTM.name, {"units": 2})
    ),
    # Only the layer backwards draws, which another than the wrapped one runs.
    NoiseSource(
        order=4,
        arguments={
            "layer": LayerRequest(GRU.name, {"units": 4, **_ONES}),
            "backward_layer": LayerRequest(GRU.name, {"units": 4, "dropout": 0.5, "go_backwards": True, **_ONES}),
        },
        fed=Fed.STEPS,
    ),
    _both("concat", merge_mode="concat"),
    _both("sum", merge_mode="sum"),
    _both("mul", merge_mode="mul"),
    _both("ave", merge_mode="ave"),
    _both("separate", merge_mode=None),
    _BOTH_STATES,
    _STATES_APART,
    _BACKWARD_GIVEN,
    State(holds=Holds.MORE),
    _WRAPPED,
)


def _each_step(
    name: str, of: LayerKind, formula: Callable[..., Any], shapes: tuple[Shape, ...], input_shape: Shape, **options: Any
) -> FormulaCase:
    return FormulaCase(
        name=f"time-distributed-{name}",
        shapes=shapes,
        input_shape=input_shape,
        formula=EachStep(formula, options),
        config={"layer": LayerRequest(of.name, options)},
        dtypes=("float32",),  # the layer's own
        modelled=of is DENSE,
    )


TIME_DISTRIBUTED = LayerKind(
    "TimeDistributed",
    LayerDefaults(
        order=1,
        arguments={"layer": _dense.request},
        inputs=((1, 2, 200),),
        initializers=_dense.initializers,
        shapes=_dense.shapes,
    ),
    SavedInitializers(
        order=7, initializers=KERNEL_AND_BIAS, input_shape=(1, 3, 2), wraps=LayerRequest(DENSE.name, {"units": 2})
    ),
    NoiseSource(order=4, arguments={"layer": LayerRequest(DROPOUT.name, {"rate": 0.5})}, fed=Fed.STEPS),
    _each_step("dense", DENSE, dense, ((2, 4), (4,)), (3, 4, 2), units=4, activation="sigmoid"),
    _each_step(
        "convolution", CONV_1D, convolution, ((2, 2, 3), (3,)), (3, 2, 5, 2), filters=3, kernel_size=2, strides=2
    ),
    _each_step("simple-rnn", SIMPLE_RNN, _SIMPLE, _DIRECTION, (3, 2, 3, 3), units=4, unroll=True),
    State(holds=Holds.MORE),
    _WRAPPED,
)

_SHELLS = tuple(
    LayerKind(name, State(holds=Holds.OTHERS_CODE), _SHELL)
    for name in ("Lambda", "TorchModuleWrapper", "FlaxLayer", "JaxLayer", "TFSMLayer")
)


def _spectral(name: str, formula: Callable[..., Any], *, in_training: bool, **config: Any) -> FormulaCase:
    return FormulaCase(
        name=name,
        shapes=((4, 5), (1, 5), (5,)),
        input_shape=(3, 4),
        formula=formula,
        config={"layer": LayerRequest(DENSE.name, {"units": 5}), **config},
        averages=(1,),
        dtypes=("float32",),  # that of the layer within
        training=in_training,
        updated=updated_spectral if in_training else None,
        graded=not in_training,
    )


SPECTRAL_NORMALIZATION = LayerKind(
    "SpectralNormalization",
    _spectral("spectral-normalization", spectral, in_training=False),
    _spectral("spectral-normalization-in-training", spectral_in_training, in_training=True),
    _spectral("spectral-normalization-twice", spectral_in_training, in_training=True, power_iterations=2),
    State(holds=Holds.MORE),
    _WRAPPED,
)

ROWS = (BIDIRECTIONAL, TIME_DISTRIBUTED, SPECTRAL_NORMALIZATION, *_SHELLS)
