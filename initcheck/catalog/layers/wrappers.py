"""Layers that wrap other layers, and Keras's wrappers of other code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from initcheck.catalog.layers.configurations import KERNEL_AND_BIAS, RECURRENT
from initcheck.catalog.layers.dense import DENSE
from initcheck.catalog.layers.kind import LayerKind, LayerRequest, Without
from initcheck.catalog.layers.recurrent import LSTM
from initcheck.catalog.layers.traits.computing import FormulaCase
from initcheck.catalog.layers.traits.engines import Holds, State
from initcheck.catalog.layers.traits.weights import LayerDefaults, SavedInitializers, StackedKernels
from initcheck.oracle.layer_outputs import spectral, spectral_in_training, updated_spectral

_WRAPPED = Without("represented by the layer that it wraps")
_SHELL = Without("its code is the user's")

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
    State(holds=Holds.MORE),
    _WRAPPED,
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
