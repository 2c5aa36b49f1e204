"""Normalization layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from initcheck.catalog.laws import Shape
from initcheck.catalog.layers.configurations import NO_NOISE, VECTORS, initializer, normal, penalized
from initcheck.catalog.layers.kind import LayerKind, Without
from initcheck.catalog.layers.traits.computing import FormulaCase, LayerOptions, Role, TrainingRole
from initcheck.catalog.layers.traits.engines import Holds, State
from initcheck.catalog.layers.traits.weights import ONES, ZEROS, GivenOptions, LayerDefaults, SavedInitializers
from initcheck.oracle.arranging import normalized_by
from initcheck.oracle.layer_outputs import (
    batch_normalization,
    batch_normalization_in_training,
    layer_normalization,
    updated_averages,
)
from initcheck.oracle.normalizations import (
    batch_norm,
    batch_norm_in_training,
    group_norm,
    layer_norm,
    moved_averages,
    root_mean_square,
)

_FEATURES, _AFFINE = ((1, 6),), (ONES, ZEROS)
_WEIGHTS = ((5,), (5,))
_CENTERED = (("gamma_initializer", 0), ("beta_initializer", 1))
_LOUD = 1000.0  # whose squares overflow float16
_STATE = State(holds=Holds.MORE)
_OTHERS = Without("it scales and shifts, as other layers do")
_ITS_KIN = Without("represented by layer normalization")


def _case(
    name: str,
    formula: Callable[..., Any],
    *shapes: Shape,
    moving: bool = False,
    loud: float = _LOUD,
    **config: Any,
) -> FormulaCase:
    """Of images of 3 × 4 positions and 6 channels; weights of moving averages come last."""
    count = len(shapes)
    return FormulaCase(
        name=name,
        shapes=shapes,
        input_shape=(2, 3, 4, 6),
        formula=formula,
        config=config,
        positive=(count - 1,) if moving else (),
        averages=(count - 2, count - 1) if moving else (),
        training=False if moving else None,
        loud=loud,
    )


def _alone(case: FormulaCase) -> FormulaCase:
    """Only by itself, where other cases show the layer in a model."""
    return replace(case, modelled=False)


def _in_training(name: str, weights: int, channels: int, *deviations: int, **config: Any) -> FormulaCase:
    """With weights for each channel, of which those beside scale and shift move."""
    case = _case(name, batch_norm_in_training, *((channels,),) * weights, momentum=0.75, epsilon=0.125, **config)
    shifted = sum(config.get(option, True) for option in ("center", "scale"))
    return replace(
        case,
        positive=(shifted + 1, *deviations),
        averages=tuple(range(shifted, weights)),
        training=True,
        updated=moved_averages,
        dtypes=("float32",),
    )


_RENORM: dict[str, Any] = {"renorm": True, "renorm_momentum": 0.5}
_CLIPPED = {"renorm_clipping": {"rmin": 1.25, "rmax": 2.0, "dmax": 0.5}}


BATCH_NORMALIZATION = LayerKind(
    "BatchNormalization",
    LayerDefaults(order=5, inputs=_FEATURES, initializers=(*_AFFINE, ZEROS, ONES), shapes=((6,),) * 4),
    GivenOptions(
        order=4,
        name="batch_normalization",
        inputs=_FEATURES,
        places=(*_CENTERED, ("moving_mean_initializer", 2), ("moving_variance_initializer", 3)),
    ),
    SavedInitializers(
        order=8,
        arguments={"momentum": 0.75, "epsilon": 0.01},
        initializers={
            "gamma_initializer": normal(71),
            "beta_initializer": normal(72),
            "moving_mean_initializer": normal(73),
            "moving_variance_initializer": initializer("RandomUniform", minval=0.5, maxval=1.5, seed=74),
        },
        input_shape=(2, 4),
    ),
    FormulaCase(
        order=3,
        name="batch-normalization",
        shapes=_WEIGHTS * 2,
        input_shape=(7, 5),
        formula=batch_normalization,
        positive=(3,),
        averages=(2, 3),
        training=False,
        loud=_LOUD,
    ),
    FormulaCase(
        order=3,
        name="batch-normalization-in-training",
        shapes=_WEIGHTS * 2,
        input_shape=(7, 5),
        formula=batch_normalization_in_training,
        positive=(3,),
        averages=(2, 3),
        training=True,
        freezes=True,
        updated=updated_averages,
        loud=_LOUD,
        dtypes=("float32",),
    ),
    FormulaCase(
        order=3,
        name="batch-normalization-of-short-memory",
        shapes=_WEIGHTS * 2,
        input_shape=(7, 5),
        formula=batch_normalization_in_training,
        config={"momentum": 0.75},
        positive=(3,),
        averages=(2, 3),
        training=True,
        freezes=True,
        updated=updated_averages,
        loud=_LOUD,
    ),
    LayerOptions(
        order=5,
        options={"momentum": 0.7, "epsilon": 0.03, "center": False},
        input_shape=VECTORS,
        policy="mixed_bfloat16",
    ),
    LayerOptions(order=5, options={"scale": False}, input_shape=VECTORS),
    _case("batch-normalization-of-images", batch_norm, *((6,),) * 4, moving=True, epsilon=0.125),
    _case("batch-normalization-of-rows", batch_norm, *((3,),) * 4, moving=True, axis=1),
    _case("batch-normalization-uncentered", batch_norm, *((6,),) * 3, moving=True, center=False),
    _case("batch-normalization-unscaled", batch_norm, *((6,),) * 3, moving=True, scale=False),
    _alone(_case("batch-normalization-plain", batch_norm, *((6,),) * 2, moving=True, scale=False, center=False)),
    penalized(_case("batch-normalization", batch_norm, *((6,),) * 4, moving=True)),
    _in_training("batch-normalization-of-rows-in-training", 4, 3, axis=1),
    _in_training("batch-normalization-uncentered-in-training", 3, 6, center=False),
    _in_training("batch-normalization-unscaled-in-training", 3, 4, scale=False, axis=-2),
    # The gradient takes the factors for constants.
    replace(_in_training("batch-normalization-renormed", 7, 6, 4, 6, **_RENORM), graded=False),
    replace(_in_training("batch-normalization-renormed-clipped", 7, 6, 4, 6, **_RENORM, **_CLIPPED), graded=False),
    TrainingRole(order=3, role=Role.AFTER_DENSE),
    _STATE,
    NO_NOISE,
    _OTHERS,
)

LAYER_NORMALIZATION = LayerKind(
    "LayerNormalization",
    LayerDefaults(order=5, inputs=_FEATURES, initializers=_AFFINE, shapes=((6,),) * 2),
    GivenOptions(order=4, name="layer_normalization", inputs=_FEATURES, places=_CENTERED),
    SavedInitializers(
        order=8,
        initializers={"gamma_initializer": normal(81), "beta_initializer": normal(82)},
        input_shape=(2, 4),
    ),
    FormulaCase(
        order=3,
        name="layer-normalization",
        shapes=_WEIGHTS,
        input_shape=(4, 3, 5),
        formula=layer_normalization,
        loud=_LOUD,
    ),
    LayerOptions(order=5, options={"epsilon": 0.03, "center": False}, input_shape=VECTORS, policy="float64"),
    LayerOptions(order=5, options={"scale": False}, input_shape=VECTORS, policy="mixed_float16"),
    _case("layer-normalization-two-axes", layer_norm, (4, 6), (4, 6), axis=[-2, -1], epsilon=0.125),
    _case("layer-normalization-uncentered", layer_norm, (6,), center=False),
    _case("layer-normalization-unscaled", layer_norm, (6,), scale=False),
    _alone(_case("layer-normalization-second-axis", layer_norm, (3,), (3,), axis=1)),
    _alone(_case("layer-normalization-axes-apart", layer_norm, (3, 6), (3, 6), axis=(1, 3))),
    _alone(_case("layer-normalization-plain", layer_norm, axis=[1, 2], center=False, scale=False)),
    _STATE,
    NO_NOISE,
    _OTHERS,
)

GROUP_NORMALIZATION = LayerKind(
    "GroupNormalization",
    LayerDefaults(order=5, arguments={"groups": 2}, inputs=_FEATURES, initializers=_AFFINE, shapes=((6,),) * 2),
    _case("group-normalization", group_norm, (6,), (6,), groups=3),
    _case("group-normalization-of-one-group", group_norm, (6,), (6,), groups=1, epsilon=0.125),
    _alone(_case("group-normalization-second-axis", group_norm, (3,), (3,), groups=3, axis=1)),
    _alone(_case("group-normalization-last-but-one", group_norm, (4,), (4,), groups=2, axis=-2)),
    _alone(_case("group-normalization-of-instances", group_norm, (6,), (6,), groups=-1)),
    _alone(_case("group-normalization-uncentered", group_norm, (6,), groups=2, center=False)),
    _alone(_case("group-normalization-unscaled", group_norm, (6,), groups=2, scale=False)),
    _STATE,
    NO_NOISE,
    _ITS_KIN,
)
RMS_NORMALIZATION = LayerKind(
    "RMSNormalization",
    LayerDefaults(order=5, inputs=_FEATURES, initializers=(ONES,), shapes=((6,),)),
    _case("rms-normalization", root_mean_square, (6,)),
    _case("rms-normalization-epsilon", root_mean_square, (6,), epsilon=0.5),
    _alone(_case("rms-normalization-second-axis", root_mean_square, (3,), loud=0.0, axis=1)),
    _STATE,
    NO_NOISE,
    _ITS_KIN,
)

_MOMENTS: dict[str, Any] = {"mean": [0.5, -0.5, 0.0, 1.0, 2.0, -2.0], "variance": [4.0, 1.0, 0.25, 2.0, 9.0, 1.0]}
_MOMENTS_OF_ROWS: dict[str, Any] = {"mean": [0.5, -0.5, 1.0], "variance": [4.0, 1.0, 0.25]}
_MOMENTS_OF_PLACES: dict[str, Any] = {
    "mean": [[0.5, -0.5, 1.0, 0.0], [2.0, 0.25, 1.5, -2.0], [0.5, 1.0, 0.0, -1.0]],
    "variance": [[4.0, 1.0, 0.25, 2.0], [9.0, 0.5, 1.0, 3.0], [1.0, 2.0, 0.125, 4.0]],
}


def _by_moments(name: str, **config: Any) -> FormulaCase:
    return _case(name, normalized_by, loud=0.0, **config)


NORMALIZATION = LayerKind(
    "Normalization",
    _by_moments("normalization", **_MOMENTS),
    _by_moments("normalization-inverted", **_MOMENTS, invert=True),
    _alone(_by_moments("normalization-second-axis", axis=1, **_MOMENTS_OF_ROWS)),
    _alone(_by_moments("normalization-two-axes", axis=(1, -2), **_MOMENTS_OF_PLACES)),
    _alone(_by_moments("normalization-two-axes-inverted", axis=(1, -2), **_MOMENTS_OF_PLACES, invert=True)),
    _alone(_by_moments("normalization-of-all", axis=None, mean=0.5, variance=4.0)),
    _alone(_by_moments("normalization-of-all-inverted", axis=None, mean=0.5, variance=4.0, invert=True)),
    _STATE,
    NO_NOISE,
    Without("its mean and variance are given, or counted by adapt"),
)

ROWS = (BATCH_NORMALIZATION, LAYER_NORMALIZATION, GROUP_NORMALIZATION, RMS_NORMALIZATION, NORMALIZATION)
