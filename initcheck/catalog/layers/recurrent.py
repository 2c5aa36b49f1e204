"""Recurrent layers, and convolutional recurrent layers."""

from __future__ import annotations

import functools
import math
from typing import Any

from initcheck.catalog.layers.configurations import NOT_STACKED, RECURRENT, ROWS_OF_VECTORS
from initcheck.catalog.layers.kind import LayerKind, Trait, Without
from initcheck.catalog.layers.traits.computing import UNITS, EqualUnits, FormulaCase, LayerOptions, Role, TrainingRole
from initcheck.catalog.layers.traits.engines import Holds, State
from initcheck.catalog.layers.traits.noises import Fed, NoiseLaw, NoiseSource, SeededNoise, StepwiseNoise
from initcheck.catalog.layers.traits.weights import (
    FORGET_GATE,
    GLOROT,
    ORTHOGONAL,
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
from initcheck.oracle.layer_outputs import gru, lstm, simple_rnn

_STEPS = ((1, 3, 6),)
_PLACES = (("kernel_initializer", 0), ("recurrent_initializer", 1), ("bias_initializer", 2))
_RECURRENT_BESIDE = (("recurrent_initializer", 1),)
_DROPPING = ("dropout", "recurrent_dropout")
_TRAINED = (("units", 4), ("dropout", 0.3), ("recurrent_dropout", 0.3))
_OPTIONS = {
    "units": 3,
    "activation": "sigmoid",
    "use_bias": False,
    "dropout": 0.3,
    "recurrent_dropout": 0.7,
    "return_sequences": True,
    "go_backwards": True,
    "unroll": True,
}
_OWN_LAW = Without("its noise is dropout of its inputs and states", (NoiseLaw, SeededNoise))
_LSTM_STANDS = Without("represented by LSTM", (NoiseSource, StepwiseNoise))
_OTHERS = Without("represented by ConvLSTM2D")


def _gated(gates: int, d: Dims) -> Fanned:
    inputs = d.fill(gates, d.more * 5)
    return Fanned({"units": d.more * 5}, ((1, 2, inputs),), inputs, d.more * 5)


def _documented(order: int, gates: int, bias: Any = ZEROS, biases: tuple[int, ...] = (), **shown: Any) -> LayerDefaults:
    inputs, units = 4000, 10
    width = gates * units
    return LayerDefaults(
        order=order,
        arguments={"units": units, **shown},
        inputs=((1, 1, inputs),),
        initializers=(GLOROT, ORTHOGONAL, bias),
        shapes=((inputs, width), (units, width), (*biases, width)),
        shown=tuple(shown),
    )


def _given(name: str, forced: int | None = None, **options: Any) -> GivenOptions:
    return GivenOptions(
        order=3, name=name, arguments={"units": 5, **options}, inputs=_STEPS, places=_PLACES, forced=forced
    )


def _formula(order: int, name: str, gates: int, formula: Any, biases: tuple[int, ...] = ()) -> FormulaCase:
    width = 4 * gates
    return FormulaCase(
        order=order,
        name=name,
        shapes=((3, width), (4, width), (*biases, width)),
        input_shape=(5, 6, 3),
        formula=formula,
        config={"units": 4},
    )


def _of_every_cell(gates: int) -> tuple[Trait, ...]:
    return (
        StackedKernels(order=2, kernels=2, arguments={"units": 64}, inputs=((1, 2, 64),)),
        EqualUnits(order=0, input_shape=(2, 2), arguments={"units": UNITS}, gates=gates, recurrent=True),
        State(holds=Holds.MORE, drawing_options=_DROPPING),
    )


def _saved(order: int) -> SavedInitializers:
    return SavedInitializers(order=order, arguments={"units": 2}, initializers=RECURRENT, input_shape=(1, 3, 2))


def _trained(order: int) -> TrainingRole:
    return TrainingRole(order=order, role=Role.RECURRENT, settings=_TRAINED, kernels=("kernel_initializer",), seed=True)


SIMPLE_RNN = LayerKind(
    "SimpleRNN",
    FannedKernel(
        order=8,
        name="simple_rnn",
        make=functools.partial(_gated, 1),
        beside=(("recurrent_initializer", 1), ("bias_initializer", -1)),
    ),
    _documented(30, 1),
    _given("simple_rnn,backwards", go_backwards=True),
    UnseededKernel(order=3, arguments={"units": 6}, inputs=((1, 5, 24),)),
    _saved(5),
    _formula(6, "simple-rnn", 1, simple_rnn),
    LayerOptions(order=12, options=_OPTIONS, input_shape=ROWS_OF_VECTORS, drawing=True),
    _trained(2),
    *_of_every_cell(1),
    _OWN_LAW,
    _LSTM_STANDS,
    NOT_STACKED,
    Without("represented by GRU and LSTM in other dtypes", (TypedWeights,)),
)

GRU = LayerKind(
    "GRU",
    FannedKernel(
        order=8,
        name="gru",
        make=functools.partial(_gated, 3),
        beside=(("recurrent_initializer", 1), ("bias_initializer", -1)),
        quirks={"fan_out": 4},  # Keras counts the gates side by side
    ),
    # "reset_after: … True = after (default and cuDNN compatible)": a bias for the inputs and one for the state.
    _documented(30, 3, biases=(2,)),
    _documented(30, 3, reset_after=False),
    _given("gru,reset_before", reset_after=False),
    _given("gru,sequences", return_sequences=True, dropout=0.2),
    TypedWeights(order=5, name="gru", arguments={"units": 5}, inputs=_STEPS, places=_PLACES),
    UnseededKernel(order=5, arguments={"units": 6}, inputs=((1, 5, 4),)),
    _saved(4),
    _formula(8, "gru", 3, gru, biases=(2,)),
    LayerOptions(
        order=11,
        options={**_OPTIONS, "recurrent_activation": "hard_sigmoid", "reset_after": False},
        input_shape=ROWS_OF_VECTORS,
        drawing=True,
    ),
    _trained(1),
    *_of_every_cell(3),
    _OWN_LAW,
    _LSTM_STANDS,
    NOT_STACKED,
)

LSTM = LayerKind(
    "LSTM",
    FannedKernel(
        order=8, name="lstm", make=functools.partial(_gated, 4), beside=_RECURRENT_BESIDE, quirks={"fan_out": 4}
    ),
    _documented(30, 4, FORGET_GATE),
    _documented(30, 4, unit_forget_bias=False),
    _given("lstm,forget_gate", 2),
    _given("lstm,no_forget_bias", unit_forget_bias=False),
    _given("lstm,backwards", 2, go_backwards=True, unroll=True),
    TypedWeights(order=4, name="lstm", arguments={"units": 5}, inputs=_STEPS, places=_PLACES, forced=2),
    UnseededKernel(order=4, arguments={"units": 6}, inputs=((1, 5, 4),)),
    _saved(3),
    NoiseSource(
        order=1,
        arguments={
            "units": 4,
            "dropout": 0.5,
            "recurrent_dropout": 0.5,
            "kernel_initializer": "ones",
            "recurrent_initializer": "ones",
        },
        fed=Fed.STEPS,
    ),
    StepwiseNoise(order=5, arguments={"units": 4, "unroll": True, "recurrent_dropout": 0.5, "return_sequences": True}),
    _formula(7, "lstm", 4, lstm),
    LayerOptions(order=2, options={"units": 3, "stateful": True}, input_shape=ROWS_OF_VECTORS),
    LayerOptions(
        order=10,
        options={**_OPTIONS, "recurrent_activation": "hard_sigmoid", "unit_forget_bias": False},
        input_shape=ROWS_OF_VECTORS,
        drawing=True,
    ),
    _trained(0),
    *_of_every_cell(4),
    _OWN_LAW,
    NOT_STACKED,
)


def _convolved(d: Dims) -> Fanned:
    window = d.window[:2]
    channels = d.fill(*window, d.more, 4)
    count = math.prod(window)
    arguments = {"filters": d.more, "kernel_size": window}
    return Fanned(arguments, ((1, 1, 7, 7, channels),), count * channels, count * d.more)


def _documented_convolution(rank: int, length: int, bias: Any = FORGET_GATE, **shown: Any) -> LayerDefaults:
    filters, window = 4, (length,) * rank
    return LayerDefaults(
        order=32,
        arguments={"filters": filters, "kernel_size": window, **shown},
        inputs=((1, 1, *(length + 1,) * rank, 400),),
        initializers=(GLOROT, ORTHOGONAL, bias),
        shapes=((*window, 400, 4 * filters), (*window, filters, 4 * filters), (4 * filters,)),
        shown=tuple(shown),
    )


def _given_convolution(name: str, forced: int | None = None, **options: Any) -> GivenOptions:
    return GivenOptions(
        order=3,
        name=name,
        arguments={"filters": 4, "kernel_size": (2, 2), **options},
        inputs=((1, 2, 5, 5, 3),),
        places=_PLACES,
        forced=forced,
    )


_STATE = State(holds=Holds.MORE, drawing_options=_DROPPING)
CONV_LSTM_1D = LayerKind("ConvLSTM1D", _documented_convolution(1, 5), _STATE, _OTHERS)
CONV_LSTM_2D = LayerKind(
    "ConvLSTM2D",
    FannedKernel(order=8, name="conv_lstm2d", make=_convolved, beside=_RECURRENT_BESIDE, quirks={"fan_out": 4}),
    _documented_convolution(2, 5),
    _documented_convolution(2, 5, ZEROS, unit_forget_bias=False),
    _given_convolution("conv_lstm2d,forget_gate", 2),
    _given_convolution("conv_lstm2d,no_forget_bias", unit_forget_bias=False),
    UnseededKernel(order=6, arguments={"filters": 6, "kernel_size": 2}, inputs=((1, 2, 4, 4, 3),)),
    _STATE,
    Without("represented by LSTM"),
)
CONV_LSTM_3D = LayerKind("ConvLSTM3D", _documented_convolution(3, 3), _STATE, _OTHERS)

ROWS = (SIMPLE_RNN, GRU, LSTM, CONV_LSTM_1D, CONV_LSTM_2D, CONV_LSTM_3D)
