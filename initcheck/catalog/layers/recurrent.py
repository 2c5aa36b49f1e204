"""Recurrent layers and cells, and convolutional recurrent layers."""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from typing import Any

from initcheck.catalog.laws import Shape
from initcheck.catalog.layers.configurations import NOT_STACKED, RECURRENT, ROWS_OF_VECTORS, penalized
from initcheck.catalog.layers.kind import LAST, Arguments, LayerKind, LayerRequest, Trait, Without
from initcheck.catalog.layers.traits.computing import UNITS, EqualUnits, FormulaCase, LayerOptions, Role, TrainingRole
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
from initcheck.oracle.recurrent_formulas import (
    CONVOLVED_LSTM_CELL,
    GRU_CELL,
    LSTM_CELL,
    SIMPLE_CELL,
    OneStep,
    RecurrentCell,
    Sequences,
)

_STEPS = ((1, 3, 6),)
_UNITS = 4
_RATES: dict[str, Any] = {"dropout": 0.25, "recurrent_dropout": 0.5}
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
_OWN_LAW = Without("its noise is dropout of its inputs and states", (NoiseLaw, SeededNoise, ScoreDropout))
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


def _formula(name: str, cell: RecurrentCell, order: int = LAST, **config: Any) -> FormulaCase:
    """Three steps of a layer of one cell; where options are given in one type, as the types differ by no option."""
    bias = () if config.get("use_bias") is False else _biases(cell, **config)
    formula = Sequences((replace(cell, weights=2 + len(bias)),))
    return FormulaCase(
        order=order,
        name=name,
        shapes=(*_kernels(cell, 3, _UNITS), *bias),
        input_shape=(2, 3, 3),
        formula=formula,
        in_turn=formula.in_turn if config.get("return_sequences") else None,
        config={"units": _UNITS, **config},
        dtypes=("float32",) if config else ("float32", "float64"),
    )


def _alone(case: FormulaCase, graded: bool = True) -> FormulaCase:
    """Only by itself, where another case shows the options in a model."""
    return replace(case, modelled=False, graded=graded)


def _kernels(cell: RecurrentCell, inputs: int, units: int) -> tuple[Shape, ...]:
    return (inputs, units * cell.gates), (units, units * cell.gates)


def _biases(cell: RecurrentCell, units: int = _UNITS, reset_after: bool = True, **_: Any) -> tuple[Shape, ...]:
    """One; two where a GRU resets after the product."""
    width = units * cell.gates
    return ((2, width) if cell is GRU_CELL and reset_after else (width,),)


def _formulas(name: str, cell: RecurrentCell, order: int) -> tuple[FormulaCase, ...]:
    """With the defaults, and with options; with rates of dropout, of which inference takes no notice."""
    backwards = _formula(f"{name}-backwards", cell, **_backwards(cell))
    states = _formula(f"{name}-states", cell, return_state=True, unroll=True, activation="softsign", **_RATES)
    given = ((2, _UNITS),) * cell.states
    # The models show one of each: their configurations are tested by themselves.
    return (
        _formula(name, cell, order),
        replace(backwards, modelled=cell is LSTM_CELL),
        replace(states, initial_states=True, outputs=1 + cell.states, beside=given, modelled=cell is GRU_CELL),
        _alone(
            replace(
                _formula(f"{name}-unrolled-backwards", cell, **_BACK_TO_FRONT, unroll=True, return_state=True),
                outputs=1 + cell.states,
            ),
            graded=False,
        ),
        penalized(_formula(name, cell, return_sequences=True)),
    )


_BACK_TO_FRONT: dict[str, Any] = {"return_sequences": True, "go_backwards": True}


def _backwards(cell: RecurrentCell) -> dict[str, Any]:
    return {**_BACK_TO_FRONT, **_other_activations(cell), "use_bias": False}


def _other_activations(cell: RecurrentCell) -> dict[str, Any]:
    return {"activation": "sigmoid", **({} if cell is SIMPLE_CELL else {"recurrent_activation": "tanh"})}


def _dropping(
    name: str, cell: RecurrentCell, rates: tuple[float, float], *skipped: int, **options: Any
) -> SequenceDropout:
    """Each gate but those skipped is read by four units."""
    read = tuple(gate for gate in range(cell.gates) if gate not in skipped)
    formula = replace(cell, options={"reset_after": True, **options} if cell is GRU_CELL else options)
    dropped = {argument: rate for argument, rate in zip(_RATES, rates, strict=True) if rate}
    arguments = {"units": 4 * len(read), **options, **dropped}
    return SequenceDropout(name=name, arguments=arguments, cell=formula, rates=rates, read=read)


_UNROLLED = _dropping("lstm-unrolled", LSTM_CELL, (0.0, 0.5))


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
    *_formulas("simple-rnn", SIMPLE_CELL, 6),
    LayerOptions(order=12, options=_OPTIONS, input_shape=ROWS_OF_VECTORS, drawing=True),
    _trained(2),
    *_of_every_cell(1),
    _dropping("simple-rnn", SIMPLE_CELL, (0.4, 0.5)),
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
    *_formulas("gru", GRU_CELL, 8),
    _alone(_formula("gru-reset-before", GRU_CELL, reset_after=False, return_sequences=True, unroll=True)),
    # Under a rate of recurrent dropout each gate has a product of its own.
    _alone(_formula("gru-reset-before-by-gate", GRU_CELL, reset_after=False, recurrent_dropout=0.5)),
    LayerOptions(
        order=11,
        options={**_OPTIONS, "recurrent_activation": "hard_sigmoid", "reset_after": False},
        input_shape=ROWS_OF_VECTORS,
        drawing=True,
    ),
    _trained(1),
    *_of_every_cell(3),
    _dropping("gru", GRU_CELL, (0.4, 0.5)),
    _dropping("gru-inputs", GRU_CELL, (0.5, 0.0)),
    # By the reset gate no unit reads states, but what the next product reads.
    _dropping("gru-reset-before", GRU_CELL, (0.5, 0.4), 1, reset_after=False),
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
    *_formulas("lstm", LSTM_CELL, 7),
    LayerOptions(order=2, options={"units": 3, "stateful": True}, input_shape=ROWS_OF_VECTORS),
    LayerOptions(
        order=10,
        options={**_OPTIONS, "recurrent_activation": "hard_sigmoid", "unit_forget_bias": False},
        input_shape=ROWS_OF_VECTORS,
        drawing=True,
    ),
    _trained(0),
    *_of_every_cell(4),
    _dropping("lstm", LSTM_CELL, (0.4, 0.5)),
    _dropping("lstm-inputs", LSTM_CELL, (0.5, 0.0)),
    replace(_UNROLLED, arguments={**_UNROLLED.arguments, "unroll": True}),
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


def _formula_of_images(rank: int, name: str, kernel: int = 2, **config: Any) -> FormulaCase:
    window, filters, channels = (kernel,) * rank, 2, 3
    bias = () if config.get("use_bias") is False else ((4 * filters,),)
    space = (5, 4, 3)[:rank]
    first = config.get("data_format") == "channels_first"
    formula = Sequences((replace(CONVOLVED_LSTM_CELL, weights=2 + len(bias)),))
    return FormulaCase(
        name=name,
        shapes=((*window, channels, 4 * filters), (*window, filters, 4 * filters), *bias),
        input_shape=(2, 3, channels, *space) if first else (2, 3, *space, channels),
        formula=formula,
        in_turn=formula.in_turn if config.get("return_sequences") and not config.get("return_state") else None,
        # Keras 2 has another activation of the gates by default.
        config={"filters": filters, "kernel_size": window, "recurrent_activation": "sigmoid", **config},
        outputs=3 if config.get("return_state") else 1,
        any_length=False,  # "only support static input shapes for the spatial dimension"
        dtypes=("float32",),
    )


def _dropping_images(name: str, *space: int) -> SequenceDropout:
    case = _dropping(name, LSTM_CELL, (0.4, 0.5))
    arguments = {"filters": case.arguments["units"], "kernel_size": 1, "recurrent_activation": "sigmoid"}
    return replace(case, arguments={**arguments, **dict(zip(_RATES, case.rates, strict=True))}, space=space)


_STATE = State(holds=Holds.MORE, drawing_options=_DROPPING)
_BACKWARDS: dict[str, Any] = {"go_backwards": True, "return_sequences": True, "use_bias": False, "padding": "same"}
_STATES: dict[str, Any] = {"return_state": True, "return_sequences": True, **_RATES}
CONV_LSTM_1D = LayerKind(
    "ConvLSTM1D",
    _documented_convolution(1, 5),
    _alone(_formula_of_images(1, "conv-lstm-1d")),
    _formula_of_images(1, "conv-lstm-1d-backwards", **_BACKWARDS, strides=2, activation="sigmoid"),
    _alone(
        _formula_of_images(1, "conv-lstm-1d-dilated", dilation_rate=2, return_state=True, recurrent_activation="tanh"),
        graded=False,
    ),
    penalized(_formula_of_images(1, "conv-lstm-1d")),
    _STATE,
    _OTHERS,
)
CONV_LSTM_2D = LayerKind(
    "ConvLSTM2D",
    FannedKernel(order=8, name="conv_lstm2d", make=_convolved, beside=_RECURRENT_BESIDE, quirks={"fan_out": 4}),
    _documented_convolution(2, 5),
    _documented_convolution(2, 5, ZEROS, unit_forget_bias=False),
    _given_convolution("conv_lstm2d,forget_gate", 2),
    _given_convolution("conv_lstm2d,no_forget_bias", unit_forget_bias=False),
    UnseededKernel(order=6, arguments={"filters": 6, "kernel_size": 2}, inputs=((1, 2, 4, 4, 3),)),
    _alone(_formula_of_images(2, "conv-lstm-2d", **_RATES), graded=False),
    _alone(_formula_of_images(2, "conv-lstm-2d-backwards", **_BACKWARDS, strides=(2, 1), activation="sigmoid")),
    _dropping_images("conv-lstm-2d", 2, 4),
    _alone(_formula_of_images(2, "conv-lstm-2d-dilated", dilation_rate=(2, 1), **_STATES), graded=False),
    penalized(_formula_of_images(2, "conv-lstm-2d")),
    _STATE,
    Without("represented by LSTM"),
)
CONV_LSTM_3D = LayerKind(
    "ConvLSTM3D",
    _documented_convolution(3, 3),
    _formula_of_images(3, "conv-lstm-3d"),
    _alone(_formula_of_images(3, "conv-lstm-3d-backwards", **_BACKWARDS, strides=(2, 1, 3), activation="sigmoid")),
    _alone(_formula_of_images(3, "conv-lstm-3d-dilated", dilation_rate=(2, 2, 1), **_STATES), graded=False),
    penalized(_formula_of_images(3, "conv-lstm-3d")),
    _STATE,
    _OTHERS,
)

_STANDS = Without("represented by the layer of such a cell")


def _step(name: str, cell: RecurrentCell, **config: Any) -> FormulaCase:
    """One step of a cell: its output and its states."""
    case = _formula(name, cell, **config)
    return replace(
        case,
        input_shape=(2, 3),
        beside=((2, _UNITS),) * cell.states,
        initial_states=True,
        outputs=1 + cell.states,
        formula=OneStep((replace(cell, weights=len(case.shapes)),)),
    )


def _cell(name: str, of: LayerKind, short: str, cell: RecurrentCell, **more: Any) -> LayerKind:
    documented = of.select(LayerDefaults)[0]
    return LayerKind(
        name,
        replace(documented, inputs=((1, documented.shapes[0][0]),), order=LAST),
        _alone(_step(f"{short}-cell", cell)),
        replace(
            _step(f"{short}-cell-options", cell, **_other_activations(cell), use_bias=False, **more),
            modelled=cell is GRU_CELL,
        ),
        _alone(_step(f"{short}-cell-rates", cell, **_RATES), graded=False),
        _STATE,
        _STANDS,
    )


SIMPLE_RNN_CELL = _cell("SimpleRNNCell", SIMPLE_RNN, "simple-rnn", SIMPLE_CELL)
GRU_CELL_ROW = _cell("GRUCell", GRU, "gru", GRU_CELL, reset_after=False)
LSTM_CELL_ROW = _cell("LSTMCell", LSTM, "lstm", LSTM_CELL)
_KINDS = {SIMPLE_CELL: SIMPLE_RNN_CELL.name, GRU_CELL: GRU_CELL_ROW.name, LSTM_CELL: LSTM_CELL_ROW.name}


def _request(cell: RecurrentCell, units: int, options: Arguments) -> LayerRequest:
    return LayerRequest(_KINDS[cell], {"units": units, **options})


def _of_cells(
    name: str, *parts: tuple[RecurrentCell, int, Arguments], stacked: bool = True, **config: Any
) -> FormulaCase:
    """A layer of cells; several are given as a list or as a stack."""
    requests = [_request(*part) for part in parts]
    shapes: list[Shape] = []
    for (cell, units, options), inputs in zip(parts, (3, *(units for _, units, _ in parts)), strict=False):
        shapes += [*_kernels(cell, inputs, units), *_biases(cell, units, **options)]
    stack: Any = LayerRequest("StackedRNNCells", {"cells": requests}) if stacked else requests
    formula = Sequences(tuple(replace(cell, options=options) for cell, _, options in parts))
    return FormulaCase(
        name=name,
        shapes=tuple(shapes),
        input_shape=(2, 3, 3),
        formula=formula,
        in_turn=formula.in_turn if config.get("return_sequences") and not config.get("return_state") else None,
        config={"cell": requests[0] if len(parts) == 1 else stack, **config},
        outputs=1 + sum(cell.states for cell, _, _ in parts) if config.get("return_state") else 1,
        dtypes=("float32",),  # the cells' own
    )


_HALF = dict.fromkeys(_RATES, 0.5)
_SOFTSIGN, _BEFORE = {"activation": "softsign"}, {"reset_after": False, "activation": "sigmoid"}
_gru = GRU.select(LayerDefaults)[0]
RNN = LayerKind(
    "RNN",
    LayerDefaults(
        arguments={"cell": _request(GRU_CELL, 10, {})},
        inputs=_gru.inputs,
        initializers=_gru.initializers,
        shapes=_gru.shapes,
    ),
    _alone(_of_cells("rnn-of-simple-cell", (SIMPLE_CELL, 4, _SOFTSIGN), unroll=True, return_state=True), graded=False),
    _of_cells("rnn-of-gru-cell", (GRU_CELL, 4, _BEFORE), go_backwards=True, return_sequences=True),
    _alone(_of_cells("rnn-of-lstm-cell", (LSTM_CELL, 4, _SOFTSIGN), return_state=True), graded=False),
    _alone(
        _of_cells("rnn-of-cells", (LSTM_CELL, 4, {}), (SIMPLE_CELL, 2, _SOFTSIGN), stacked=False, return_sequences=True)
    ),
    _of_cells(
        "rnn-of-stacked-cells",
        (GRU_CELL, 2, _BEFORE),
        (LSTM_CELL, 3, _SOFTSIGN),
        (SIMPLE_CELL, 4, _SOFTSIGN),
        return_state=True,
        return_sequences=True,
    ),
    SequenceDropout(
        name="rnn-of-stacked-cells",
        arguments={
            "cell": [_request(SIMPLE_CELL, 4, {"activation": "linear"}), _request(LSTM_CELL, 16, _HALF)],
        },
        cell=LSTM_CELL,
        rates=(0.5, 0.5),
        read=(0, 1, 2, 3),
        before=True,
    ),
    _STATE,
    Without("represented by the layers of one cell"),
)
_lstm = LSTM.select(LayerDefaults)[0]
STACKED_RNN_CELLS = LayerKind(
    "StackedRNNCells",
    LayerDefaults(
        arguments={"cells": [_request(LSTM_CELL, 10, {}), _request(SIMPLE_CELL, 10, {})]},
        inputs=((1, 4000),),
        initializers=(*_lstm.initializers, GLOROT, ORTHOGONAL, ZEROS),
        shapes=(*_lstm.shapes, (10, 10), (10, 10), (10,)),
    ),
    FormulaCase(
        name="stacked-rnn-cells",
        shapes=((3, 6), (2, 6), (6,), (2, 4), (4, 4), (4,)),
        input_shape=(2, 3),
        beside=((2, 2), (2, 4)),
        initial_states=True,
        outputs=3,
        formula=OneStep((replace(GRU_CELL, options=_BEFORE), replace(SIMPLE_CELL, options=_SOFTSIGN))),
        config={"cells": [_request(GRU_CELL, 2, _BEFORE), _request(SIMPLE_CELL, 4, _SOFTSIGN)]},
        dtypes=("float32",),  # the cells' own
        modelled=False,
    ),
    _STATE,
    _STANDS,
)

ROWS = (
    SIMPLE_RNN,
    GRU,
    LSTM,
    CONV_LSTM_1D,
    CONV_LSTM_2D,
    CONV_LSTM_3D,
    SIMPLE_RNN_CELL,
    GRU_CELL_ROW,
    LSTM_CELL_ROW,
    RNN,
    STACKED_RNN_CELLS,
)
