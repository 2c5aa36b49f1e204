"""Convolutions of one, two and three axes."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from initcheck.catalog.laws import Shape
from initcheck.catalog.layers.configurations import (
    IMAGES,
    KERNEL_AND_BIAS,
    NO_NOISE,
    REGULARIZED,
    ROWS_OF_VECTORS,
    normal,
    penalized,
    scaled,
)
from initcheck.catalog.layers.kind import LayerKind, Trait, Without
from initcheck.catalog.layers.traits.computing import UNITS, EqualUnits, FormulaCase, LayerOptions, Role, TrainingRole
from initcheck.catalog.layers.traits.engines import Holds, State
from initcheck.catalog.layers.traits.weights import (
    GLOROT,
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
from initcheck.oracle.arranging import in_its_format
from initcheck.oracle.convolution_formulas import depthwise, grouped, separable, transposed, without_bias
from initcheck.oracle.layer_outputs import convolution

_WINDOWS = {1: (40,), 2: (8, 5), 3: (4, 5, 2)}
_NARROW_WINDOWS = {1: (200,), 2: (20, 10)}
_IMAGE = ((1, 8, 8, 3),)
_KERNEL_AND_BIAS = (("kernel_initializer", 0), ("bias_initializer", 1))
_OPTIONS = {"filters": 6, "use_bias": False, "padding": "same", "activation": "tanh"}
_TRAINED = (("kernel_size", 3), ("padding", "same"), ("activation", "tanh"))
_FILTERS = (("filters", 4),)
_OTHERS = Without("represented by a convolution of two axes")


def _inputs(window: tuple[int, ...], channels: int) -> tuple[tuple[int, ...], ...]:
    return ((1, *(length + 1 for length in window), channels),)


def _full(rank: int, groups: int, d: Dims) -> Fanned:
    window = d.window[:rank]
    count = math.prod(window)
    filters = groups * math.ceil(d.fill(count, d.few) / groups)
    arguments: dict[str, Any] = {"filters": filters, "kernel_size": window}
    if groups > 1:
        arguments["groups"] = groups
    return Fanned(arguments, _inputs(window, d.few * groups), count * d.few, count * filters)


def _depthwise(rank: int, d: Dims) -> Fanned:
    window = d.window[:rank]
    arguments = {"kernel_size": window, "depth_multiplier": d.more}
    count = math.prod(window)
    return Fanned(arguments, _inputs(window, d.fill(*window, d.more)), count, count * d.more)


def _first_of_two(rank: int, d: Dims) -> Fanned:
    window = d.window[:rank]
    arguments = {"filters": 2, "kernel_size": window, "depth_multiplier": d.more}
    count = math.prod(window)
    return Fanned(arguments, _inputs(window, d.fill(*window, d.more)), count, count * d.more)


def _second_of_two(rank: int, d: Dims) -> Fanned:
    window = d.window[:rank]
    filters = d.fill(d.few, d.more)
    arguments = {"filters": filters, "kernel_size": window, "depth_multiplier": d.more}
    return Fanned(arguments, _inputs(window, d.few), d.few * d.more, filters)


def _documented(rank: int) -> LayerDefaults:
    window, channels = _WINDOWS[rank], 32
    return LayerDefaults(
        order=10 + rank,
        arguments={"filters": channels, "kernel_size": window},
        inputs=((1, *window, channels),),
        initializers=(GLOROT, ZEROS),
        shapes=((*window, channels, channels), (channels,)),
    )


def _of_every_rank(rank: int) -> tuple[Trait, ...]:
    return (
        FannedKernel(order=2, name=f"conv{rank}d", make=functools.partial(_full, rank, 1)),
        FannedKernel(order=3, name=f"grouped_conv{rank}d", make=functools.partial(_full, rank, 4)),
        _documented(rank),
    )


_POSITIONS: dict[int, Shape] = {1: (2, 7), 2: (2, 6, 5), 3: (2, 4, 5, 4)}  # rows, and lengths by rank


def _case(
    name: str, rank: int, formula: Callable[..., Any], *kernels: Shape, channels: int = 4, **config: Any
) -> FormulaCase:
    """A window of 3, 3 × 2 or 3 × 2 × 2; ``kernels`` are the last axes of the first one, and whole further ones."""
    window = (3, 2, 2)[:rank]
    rows, *lengths = _POSITIONS[rank]
    first, *more = kernels
    biased = config.get("use_bias", True)
    return FormulaCase(
        name=f"{name}-{rank}d",
        shapes=((*window, *first), *more, *([(channels,)] if biased else [])),
        input_shape=(rows, 4, *lengths) if "data_format" in config else (rows, *lengths, 4),
        formula=in_its_format(formula if biased else without_bias(formula, channels)),
        config={"kernel_size": window, **config},
    )


def _alone(case: FormulaCase, *, graded: bool = False) -> FormulaCase:
    """Only by itself, where other cases show the layer in a model."""
    return replace(case, modelled=False, graded=graded)


def _single(case: FormulaCase, *, graded: bool = True) -> FormulaCase:
    """By itself, in single precision: before Keras 3.15 TensorFlow had this kernel in no other on CPUs."""
    return replace(_alone(case, graded=graded), dtypes=("float32",))


def _compiled(case: FormulaCase) -> FormulaCase:
    """In one type, as Keras compiles it by XLA on CPUs, which takes a while."""
    return _alone(replace(case, dtypes=("float32",)))


_FIRST: dict[str, Any] = {"data_format": "channels_first"}
_SHOWN = 2  # the rank whose options are shown in models
_RATES: dict[int, Shape] = {1: (2,), 2: (2, 3), 3: (1, 2, 3)}
_UNBIASED = {"use_bias": False}
_BOTH: dict[str, Any] = {"strides": 2, "dilation_rate": 2}
_PADDINGS: dict[str, dict[str, Any]] = {"": {}, "-same": {"padding": "same"}}
_CAUSAL: dict[str, Any] = {"channels": 3, "filters": 3, "padding": "causal"}


def _plain_cases(rank: int) -> tuple[FormulaCase, ...]:
    name, strides = "convolution", (2, 1, 3)[:rank]

    def case(name: str, **config: Any) -> FormulaCase:
        return _case(name, rank, convolution, (4, 3), channels=3, filters=3, **config)

    return (
        replace(case(f"{name}-dilated", dilation_rate=_RATES[rank]), modelled=rank == _SHOWN),
        _alone(case(f"{name}-dilated-same", dilation_rate=2, padding="same", activation="tanh")),
        _alone(case(f"{name}-strided", strides=strides, **_UNBIASED), graded=True),
        penalized(case(name, activation="tanh")),
        # On CPUs TensorFlow has no other plain convolution with channels first, and compiles this one.
        *(
            [_compiled(case(f"{name}-first", **_FIRST, strides=strides, padding="same"))]
            if rank == len(_POSITIONS)
            else []
        ),
    )


def _grouped_cases(rank: int) -> tuple[FormulaCase, ...]:
    name, two = "convolution-groups", {"channels": 6, "filters": 6, "groups": 2}
    eight: dict[str, Any] = {"channels": 8, "filters": 8, "groups": 4, "dilation_rate": 2, "padding": "same"}
    return (
        _case(name, rank, grouped, (2, 6), **two),
        _compiled(_case(f"{name}-first", rank, grouped, (1, 8), **eight, **_FIRST)),
    )


def _transposed_cases(rank: int) -> tuple[FormulaCase, ...]:
    name, kernel, filters, strides = "convolution-transposed", (3, 4), {"filters": 3}, (2, 1, 3)[:rank]
    three: dict[str, Any] = {"channels": 3, **filters}
    same: dict[str, Any] = {"strides": 3, "padding": "same"}
    padded: dict[str, Any] = {"strides": 3, "output_padding": (2, 1, 0)[:rank]}
    return (
        _case(name, rank, transposed, kernel, channels=3, **filters),
        _case(f"{name}-strides", rank, transposed, kernel, channels=3, **filters, strides=2, activation="tanh"),
        _case(f"{name}-same", rank, transposed, kernel, channels=3, **filters, strides=strides, padding="same"),
        _alone(_case(f"{name}-unbiased", rank, transposed, kernel, **three, strides=strides, **_UNBIASED)),
        penalized(_case(name, rank, transposed, kernel, **three)),
        # "Amount of output padding along a given dimension must be lower than the stride". On CPUs TensorFlow has
        # neither dilation nor channels first.
        replace(_case(f"{name}-padded", rank, transposed, kernel, **three, **padded), modelled=rank == _SHOWN),
        *(
            _alone(
                _case(f"{name}-padded-same-{added}", rank, transposed, kernel, **three, **same, output_padding=added)
            )
            for added in (1, 2)
        ),
    )


def _depthwise_cases(rank: int) -> tuple[FormulaCase, ...]:
    name, kernel, two = "convolution-depthwise", (4, 2), {"channels": 8, "depth_multiplier": 2}
    return (
        _case(name, rank, depthwise, kernel, channels=8, depth_multiplier=2),
        _case(f"{name}-same", rank, depthwise, (4, 1), strides=2, padding="same", activation="tanh"),
        penalized(_case(name, rank, depthwise, kernel, **two)),
        # "Incompatible" before Keras 3.15.
        *(
            _single(_case(f"{name}-strides-dilated{after}", rank, depthwise, kernel, **two, **_BOTH, **more))
            for after, more in _PADDINGS.items()
        ),
        _alone(_case(f"{name}-dilated", rank, depthwise, (4, 2), **two, dilation_rate=2, **_UNBIASED), graded=True),
        _alone(_case(f"{name}-dilated-same", rank, depthwise, (4, 2), **two, dilation_rate=2, padding="same")),
        _single(_case(f"{name}-first", rank, depthwise, kernel, **two, **_FIRST, strides=2, padding="same")),
        _single(
            _case(f"{name}-first-dilated", rank, depthwise, kernel, **two, **_FIRST, dilation_rate=2), graded=False
        ),
    )


def _separable_cases(rank: int) -> tuple[FormulaCase, ...]:
    name, ones = "convolution-separable", (1,) * rank

    def case(name: str, filters: int = 3, **config: Any) -> FormulaCase:
        kernels: tuple[Shape, Shape] = (4, 2), (*ones, 8, filters)
        return _case(name, rank, separable, *kernels, channels=filters, filters=filters, depth_multiplier=2, **config)

    return (
        _case(name, rank, separable, (4, 2), (*ones, 8, 3), channels=3, filters=3, depth_multiplier=2),
        _case(f"{name}-same", rank, separable, (4, 1), (*ones, 4, 3), channels=3, filters=3, padding="same", strides=2),
        penalized(case(name)),
        *(_single(case(f"{name}-strides-dilated{after}", **_BOTH, **more)) for after, more in _PADDINGS.items()),
        _alone(case(f"{name}-dilated", dilation_rate=2, activation="tanh", **_UNBIASED), graded=True),
        _alone(case(f"{name}-dilated-same", dilation_rate=2, padding="same")),
        _single(case(f"{name}-first", 2, **_FIRST, strides=2, padding="same")),
        _single(case(f"{name}-first-dilated", 2, **_FIRST, dilation_rate=2), graded=False),
        # As many filters as columns.
        *([_single(case(f"{name}-square", 3, **_FIRST, dilation_rate=2), graded=False)] if rank > 1 else []),
    )


CONV_1D = LayerKind(
    "Conv1D",
    *_of_every_rank(1),
    UnseededKernel(order=1, arguments={"filters": 6, "kernel_size": 3}, inputs=((1, 5, 8),)),
    StackedKernels(order=1, arguments={"filters": 64, "kernel_size": 1}, inputs=((1, 3, 64),)),
    SavedInitializers(
        order=1, arguments={"filters": 3, "kernel_size": 2}, initializers=KERNEL_AND_BIAS, input_shape=(1, 5, 2)
    ),
    *(
        FormulaCase(
            order=4,
            name=name,
            shapes=((3, 2, 4), (4,)),
            input_shape=(3, length, 2),
            formula=convolution,
            config={"filters": 4, "kernel_size": 3, **options},
        )
        for name, length, options in (
            ("convolution", 9, {}),
            ("convolution-same-strides", 10, {"strides": 2, "padding": "same", "activation": "tanh"}),
            ("convolution-causal-dilated", 9, {"dilation_rate": 2, "padding": "causal"}),
        )
    ),
    _alone(_case("convolution-causal-strided", 1, convolution, (4, 3), **_CAUSAL, strides=2)),
    *_grouped_cases(1),
    *_plain_cases(1),
    LayerOptions(
        order=1,
        options={**_OPTIONS, "kernel_size": [2], "dilation_rate": [2], "padding": "causal"},
        input_shape=ROWS_OF_VECTORS,
        policy="mixed_bfloat16",
    ),
    State(),
    NO_NOISE,
    _OTHERS,
)

CONV_2D = LayerKind(
    "Conv2D",
    *_of_every_rank(2),
    *_grouped_cases(2),
    *_plain_cases(2),
    GivenOptions(
        order=2,
        name="conv2d,strided",
        arguments={"filters": 5, "kernel_size": (3, 2), "strides": 2, "activation": "tanh"},
        inputs=_IMAGE,
        places=_KERNEL_AND_BIAS,
    ),
    GivenOptions(
        order=2,
        name="conv2d,dilated",
        arguments={"filters": 5, "kernel_size": (3, 2), "dilation_rate": 2, "padding": "same"},
        inputs=_IMAGE,
        places=_KERNEL_AND_BIAS,
    ),
    TypedWeights(
        order=1,
        name="conv2d",
        arguments={"filters": 5, "kernel_size": (3, 2)},
        inputs=_IMAGE,
        places=_KERNEL_AND_BIAS,
    ),
    UnseededKernel(order=1, arguments={"filters": 6, "kernel_size": 3}, inputs=((1, 5, 5, 2),)),
    StackedKernels(order=1, arguments={"filters": 64, "kernel_size": 1}, inputs=((1, 3, 3, 64),)),
    SavedInitializers(
        order=1,
        arguments={"filters": 4, "kernel_size": 3, "groups": 2},
        initializers=KERNEL_AND_BIAS,
        input_shape=(1, 5, 5, 4),
    ),
    *(
        FormulaCase(
            order=4,
            name=name,
            shapes=((3, 2, 2, 3), (3,)),
            input_shape=(2, 6, 5, 2),
            formula=convolution,
            config={"filters": 3, "kernel_size": (3, 2), **options},
        )
        for name, options in (
            ("convolution-of-images", {}),
            ("convolution-of-images-same-strides", {"strides": 2, "padding": "same", "activation": "relu"}),
        )
    ),
    LayerOptions(
        order=1, options={**_OPTIONS, "kernel_size": [2, 3], "strides": [2, 1], "groups": 2}, input_shape=IMAGES
    ),
    LayerOptions(
        order=1,
        options={"filters": 2, "kernel_size": [2, 2], "dilation_rate": [2, 1], **REGULARIZED},
        input_shape=IMAGES,
        policy="float64",
    ),
    EqualUnits(
        order=0, input_shape=(5, 5, 2), arguments={"filters": UNITS, "kernel_size": 3}, pooling="GlobalAveragePooling2D"
    ),
    TrainingRole(order=0, role=Role.CONVOLUTION, settings=(*_FILTERS, *_TRAINED), kernels=("kernel_initializer",)),
    State(),
    NO_NOISE,
    Without("not written for members side by side yet"),
)

CONV_3D = LayerKind(
    "Conv3D",
    *_of_every_rank(3),
    *_grouped_cases(3),
    *_plain_cases(3),
    _case("convolution", 3, convolution, (4, 3), channels=3, filters=3),
    _case("convolution-same", 3, convolution, (4, 3), channels=3, filters=3, strides=(1, 2, 2), padding="same"),
    UnseededKernel(order=1, arguments={"filters": 6, "kernel_size": 2}, inputs=((1, 3, 3, 3, 3),)),
    SavedInitializers(
        order=1, arguments={"filters": 2, "kernel_size": 2}, initializers=KERNEL_AND_BIAS, input_shape=(1, 3, 3, 3, 2)
    ),
    State(),
    NO_NOISE,
    _OTHERS,
)


def _transposed(rank: int) -> FannedKernel:
    return FannedKernel(
        order=4,
        name=f"conv{rank}d_transpose",
        make=functools.partial(_full, rank, 1),
        quirks={"fan_in": 2, "fan_out": 3},  # Keras counts the kernel's shape, which has the filters first
    )


CONV_1D_TRANSPOSE = LayerKind(
    "Conv1DTranspose", _transposed(1), _documented(1), *_transposed_cases(1), State(holds=Holds.MORE), NO_NOISE, _OTHERS
)
CONV_2D_TRANSPOSE = LayerKind(
    "Conv2DTranspose",
    _transposed(2),
    _documented(2),
    *_transposed_cases(2),
    GivenOptions(
        order=2,
        name="conv2d_transpose,strided",
        arguments={"filters": 5, "kernel_size": (3, 2), "strides": 2},
        inputs=_IMAGE,
        places=_KERNEL_AND_BIAS,
    ),
    UnseededKernel(order=1, arguments={"filters": 6, "kernel_size": 3}, inputs=((1, 5, 5, 2),)),
    SavedInitializers(
        order=1, arguments={"filters": 3, "kernel_size": 2}, initializers=KERNEL_AND_BIAS, input_shape=(1, 4, 4, 2)
    ),
    LayerOptions(
        order=1,
        options={**_OPTIONS, "kernel_size": [2, 3], "strides": [2, 1]},
        input_shape=IMAGES,
        policy="mixed_float16",
    ),
    TrainingRole(order=1, role=Role.CONVOLUTION, settings=(*_FILTERS, *_TRAINED), kernels=("kernel_initializer",)),
    State(),
    NO_NOISE,
    _OTHERS,
)
CONV_3D_TRANSPOSE = LayerKind(
    "Conv3DTranspose", _transposed(3), _documented(3), *_transposed_cases(3), State(holds=Holds.MORE), NO_NOISE, _OTHERS
)


def _depthwise_traits(rank: int) -> tuple[Trait, ...]:
    window = _NARROW_WINDOWS[rank]
    return (
        FannedKernel(
            order=5,
            name=f"depthwise_conv{rank}d",
            make=functools.partial(_depthwise, rank),
            argument="depthwise_initializer",
            quirks={"fan_in": 0},  # https://github.com/keras-team/keras/issues/11773
        ),
        LayerDefaults(
            order=20 + rank,
            arguments={"kernel_size": window, "depth_multiplier": 200},
            inputs=((1, *window, 1),),
            initializers=(GLOROT, ZEROS),
            shapes=((*window, 1, 200), (200,)),
        ),
        *_depthwise_cases(rank),
    )


DEPTHWISE_CONV_1D = LayerKind("DepthwiseConv1D", *_depthwise_traits(1), State(holds=Holds.MORE), NO_NOISE, _OTHERS)
DEPTHWISE_CONV_2D = LayerKind(
    "DepthwiseConv2D",
    *_depthwise_traits(2),
    TypedWeights(
        order=1,
        name="depthwise",
        arguments={"kernel_size": (3, 2)},
        inputs=_IMAGE,
        places=(("depthwise_initializer", 0),),
    ),
    UnseededKernel(order=1, arguments={"kernel_size": 3, "depth_multiplier": 4}, inputs=((1, 5, 5, 4),)),
    SavedInitializers(
        order=1,
        arguments={"kernel_size": 3, "depth_multiplier": 2},
        initializers={"depthwise_initializer": scaled(41), "bias_initializer": normal(42)},
        input_shape=(1, 5, 5, 2),
    ),
    LayerOptions(
        order=1,
        options={"kernel_size": [2, 3], "depth_multiplier": 2, "use_bias": False},
        input_shape=IMAGES,
        policy="mixed_bfloat16",
    ),
    TrainingRole(order=3, role=Role.CONVOLUTION, settings=_TRAINED, kernels=("depthwise_initializer",)),
    State(),
    NO_NOISE,
    _OTHERS,
)


def _separable_traits(rank: int) -> tuple[Trait, ...]:
    window = _NARROW_WINDOWS[rank]
    return (
        FannedKernel(
            order=6,
            name=f"separable_conv{rank}d_depthwise",
            make=functools.partial(_first_of_two, rank),
            argument="depthwise_initializer",
            quirks={"fan_in": 1},  # as of the depthwise convolution
        ),
        FannedKernel(
            order=7,
            name=f"separable_conv{rank}d_pointwise",
            make=functools.partial(_second_of_two, rank),
            argument="pointwise_initializer",
            weight=1,
        ),
        LayerDefaults(
            order=20 + rank,
            arguments={"kernel_size": window, "depth_multiplier": 200, "filters": 200},
            inputs=((1, *window, 1),),
            initializers=(GLOROT, GLOROT, ZEROS),
            shapes=((*window, 1, 200), (*(1,) * rank, 200, 200), (200,)),
        ),
        UnseededKernel(
            order=1,
            arguments={"filters": 6, "kernel_size": 3, "depth_multiplier": 4},
            inputs=((1, 5, 8) if rank == 1 else (1, 5, 5, 4),),
        ),
        *_separable_cases(rank),
    )


SEPARABLE_CONV_1D = LayerKind(
    "SeparableConv1D",
    *_separable_traits(1),
    StackedKernels(order=4, kernels=2, arguments={"filters": 64, "kernel_size": 64}, inputs=((1, 65, 64),)),
    State(holds=Holds.MORE),
    NO_NOISE,
    _OTHERS,
)
SEPARABLE_CONV_2D = LayerKind(
    "SeparableConv2D",
    *_separable_traits(2),
    SavedInitializers(
        order=1,
        arguments={"filters": 3, "kernel_size": 2},
        initializers={
            "depthwise_initializer": scaled(51),
            "pointwise_initializer": normal(52),
            "bias_initializer": normal(53),
        },
        input_shape=(1, 4, 4, 2),
    ),
    LayerOptions(
        order=3,
        options={**_OPTIONS, "kernel_size": [2, 3], "depth_multiplier": 2},
        input_shape=IMAGES,
        policy="float64",
    ),
    TrainingRole(
        order=2,
        role=Role.CONVOLUTION,
        settings=(*_FILTERS, *_TRAINED),
        kernels=("depthwise_initializer", "pointwise_initializer"),
    ),
    State(),
    NO_NOISE,
    _OTHERS,
)

ROWS = (
    CONV_1D,
    CONV_2D,
    CONV_3D,
    CONV_1D_TRANSPOSE,
    CONV_2D_TRANSPOSE,
    CONV_3D_TRANSPOSE,
    DEPTHWISE_CONV_1D,
    DEPTHWISE_CONV_2D,
    SEPARABLE_CONV_1D,
    SEPARABLE_CONV_2D,
)
