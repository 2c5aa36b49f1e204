"""Layers that draw noise."""

from __future__ import annotations

from dataclasses import replace

from initcheck.catalog.laws import Shape
from initcheck.catalog.layers.configurations import IMAGES, NO_UNITS, NO_WEIGHTS, NOT_STACKED, ROWS_OF_VECTORS, VECTORS
from initcheck.catalog.layers.kind import Arguments, LayerKind, Trait, Without
from initcheck.catalog.layers.traits.computing import FormulaCase, LayerOptions, Role, TrainingRole
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
from initcheck.oracle.layer_outputs import identity

_RATE = {"rate": 0.5}
_POLICIES = ("float32", "float64", "mixed_float16", "mixed_bfloat16")
_STATE = State(holds=Holds.MORE, drawing_options=("rate",))


def _idle(name: str, input_shape: Shape = (6, 5), *, config: Arguments = _RATE) -> FormulaCase:
    """In inference it does nothing, so it has no gradient of its own."""
    return FormulaCase(
        name=f"{name}-at-inference",
        shapes=(),
        input_shape=input_shape,
        formula=identity,
        config=config,
        training=False,
        graded=False,
    )


_DROPOUT_STANDS = Without("represented by dropout in trainings", (SeededNoise, StepwiseNoise, TrainingRole))
_STATELESS = Without("it keeps no states from step to step", (SequenceDropout,))
_NO_SCORES = Without("it has no scores of attention", (ScoreDropout,))
_NONE = (NO_WEIGHTS, NO_UNITS, NOT_STACKED, _STATELESS, _NO_SCORES)

DROPOUT = LayerKind(
    "Dropout",
    *(
        NoiseLaw(order=0, name=f"Dropout({rate})", arguments={"rate": rate}, kind="dropped", strength=rate)
        for rate in (0.1, 0.5, 0.8)
    ),
    # "If you want the dropout mask to be the same for all timesteps, use noise_shape=(batch_size, 1, features)."
    NoiseLaw(
        order=0,
        name="Dropout(0.4,steps)",
        arguments={"rate": 0.4, "noise_shape": (64, 1, 1024)},
        kind="dropped",
        strength=0.4,
        shape=(64, 3, 1024),
        shared_axes=(1,),
    ),
    # "Shape of the binary dropout mask that will be multiplied with the input"; None stands for the input's length.
    NoiseLaw(
        order=0,
        name="Dropout(0.4,steps-of-any-batch)",
        arguments={"rate": 0.4, "noise_shape": (None, 1, None)},
        kind="dropped",
        strength=0.4,
        shape=(64, 3, 1024),
        shared_axes=(1,),
    ),
    NoiseSource(order=0, arguments=_RATE, traced=True),
    SeededNoise(order=0, arguments=_RATE),
    StepwiseNoise(order=0, arguments=_RATE),
    replace(_idle("dropout"), order=2),
    *(
        LayerOptions(
            order=13, options={"rate": 0.3, "noise_shape": [3, 1]}, input_shape=VECTORS, policy=policy, drawing=True
        )
        for policy in _POLICIES
    ),
    TrainingRole(order=0, role=Role.AFTER_DENSE, settings=(("rate", 0.4),), seed=True),
    TrainingRole(order=1, role=Role.AFTER_LOOKUP, settings=(("rate", 0.4),), seed=True),
    _STATE,
    *_NONE,
)


def _of_channels(rank: int, ones: tuple[int, ...], judged: tuple[int, ...]) -> tuple[Trait, ...]:
    # "It drops entire 1D feature maps instead of individual elements."
    return (
        NoiseLaw(
            order=1,
            name=f"SpatialDropout{rank}D(0.3)",
            arguments={"rate": 0.3},
            kind="dropped",
            strength=0.3,
            shape=(64, *judged, 1024),
            shared_axes=tuple(range(1, 1 + rank)),
        ),
        NoiseSource(order=0, arguments=_RATE, fed=Fed.ONES, shape=(24, *ones, 6)),
        _STATE,
    )


def _of_first_channels(rank: int, space: tuple[int, ...]) -> Trait:
    return NoiseLaw(
        order=5,
        name=f"SpatialDropout{rank}D(0.3,channels_first)",
        arguments={"rate": 0.3, "data_format": "channels_first"},
        kind="dropped",
        strength=0.3,
        shape=(64, 1024, *space),
        shared_axes=tuple(range(2, 2 + rank)),
    )


SPATIAL_DROPOUT_1D = LayerKind(
    "SpatialDropout1D",
    *_of_channels(1, (4,), (4,)),
    SeededNoise(order=1, arguments=_RATE),
    StepwiseNoise(order=2, arguments=_RATE),
    *(
        LayerOptions(order=13, options={"rate": 0.3}, input_shape=ROWS_OF_VECTORS, policy=policy, drawing=True)
        for policy in _POLICIES
    ),
    TrainingRole(order=0, role=Role.AFTER_LOOKUP, settings=(("rate", 0.4),), seed=True),
    _idle("spatial-dropout-1d", (4, 3, 5)),
    *_NONE,
)
SPATIAL_DROPOUT_2D = LayerKind(
    "SpatialDropout2D",
    *_of_channels(2, (2, 2), (2, 3)),
    _of_first_channels(2, (2, 3)),
    LayerOptions(order=13, options={"rate": 0.3}, input_shape=IMAGES, drawing=True),
    _idle("spatial-dropout-2d", (4, 3, 2, 5)),
    _DROPOUT_STANDS,
    *_NONE,
)
SPATIAL_DROPOUT_3D = LayerKind(
    "SpatialDropout3D",
    *_of_channels(3, (2, 2, 1), (2, 1, 2)),
    _of_first_channels(3, (2, 1, 2)),
    LayerOptions(order=13, options={"rate": 0.3}, input_shape=(2, 2, 2, 2, 8), drawing=True),
    _idle("spatial-dropout-3d", (4, 3, 2, 2, 5)),
    _DROPOUT_STANDS,
    *_NONE,
)

GAUSSIAN_DROPOUT = LayerKind(
    "GaussianDropout",
    # "Multiplicative noise with standard deviation sqrt(rate / (1 - rate))": https://keras.io/api/layers/
    *(
        NoiseLaw(
            order=4,
            name=f"GaussianDropout({rate})",
            arguments={"rate": rate},
            kind="multiplied",
            strength=deviation,
        )
        for rate, deviation in ((0.2, 0.5), (0.8, 2.0))
    ),
    NoiseSource(order=0, arguments=_RATE),
    SeededNoise(order=3, arguments=_RATE),
    StepwiseNoise(order=3, arguments=_RATE),
    LayerOptions(order=13, options={"rate": 0.3}, input_shape=VECTORS, drawing=True),
    TrainingRole(order=1, role=Role.AFTER_DENSE, settings=(("rate", 0.4),), seed=True),
    _STATE,
    _idle("gaussian-dropout"),
    *_NONE,
)
GAUSSIAN_NOISE = LayerKind(
    "GaussianNoise",
    NoiseLaw(order=3, name="GaussianNoise(0.7)", arguments={"stddev": 0.7}, kind="added", strength=0.7),
    NoiseSource(order=0, arguments={"stddev": 1.0}),
    SeededNoise(order=2, arguments={"stddev": 0.5}),
    StepwiseNoise(order=1, arguments={"stddev": 1.0}),
    LayerOptions(order=13, options={"stddev": 0.3}, input_shape=VECTORS, drawing=True),
    TrainingRole(order=2, role=Role.AFTER_DENSE, settings=(("stddev", 0.3),), seed=True),
    State(holds=Holds.MORE, drawing_options=("stddev",)),
    _idle("gaussian-noise", config={"stddev": 0.5}),
    *_NONE,
)
ALPHA_DROPOUT = LayerKind(
    "AlphaDropout",
    *(
        NoiseLaw(order=2, name=f"AlphaDropout({rate})", arguments={"rate": rate}, kind="saturated", strength=rate)
        for rate in (0.2, 0.5)
    ),
    NoiseLaw(
        order=5,
        name="AlphaDropout(0.4,steps)",
        arguments={"rate": 0.4, "noise_shape": (64, 1, 1024)},
        kind="saturated",
        strength=0.4,
        shape=(64, 3, 1024),
        shared_axes=(1,),
    ),
    NoiseSource(order=0, arguments=_RATE),
    SeededNoise(order=4, arguments=_RATE),
    StepwiseNoise(order=4, arguments=_RATE),
    LayerOptions(order=13, options={"rate": 0.3, "noise_shape": [3, 1]}, input_shape=VECTORS, drawing=True),
    _STATE,
    _idle("alpha-dropout"),
    Without("represented by dropout in trainings", (TrainingRole,)),
    *_NONE,
)

ROWS = (
    DROPOUT,
    SPATIAL_DROPOUT_1D,
    SPATIAL_DROPOUT_2D,
    SPATIAL_DROPOUT_3D,
    GAUSSIAN_DROPOUT,
    GAUSSIAN_NOISE,
    ALPHA_DROPOUT,
)
