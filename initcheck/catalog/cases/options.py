"""Documented options with values that are not their defaults: of layers, and of all that training is compiled with.

Numbers are doubles that single precision cannot hold, but where Keras computes with the rounded number itself: learning
rates and what is added to a loss. Versions differ in what they offer; options that one does not know are left out.

Sources: https://keras.io/api/layers/, https://keras.io/api/optimizers/, https://keras.io/api/losses/,
https://keras.io/api/metrics/, https://keras.io/api/layers/regularizers/, https://keras.io/api/layers/constraints/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from initcheck.catalog.optimizers import OPTIMIZERS, Optimizer


@dataclass(frozen=True)
class SavedPart:
    """A class of Keras and options for it.

    Attributes:
        module: Of ``keras``, for example ``optimizers.schedules``.
        name: The class.
        options: As JSON gives them back.
        variant: Tells apart parts of one class.
    """

    module: str
    name: str
    options: Mapping[str, Any]
    variant: str = ""

    def __str__(self) -> str:
        return f"{self.name}-{self.variant}" if self.variant else self.name


def _parts(module: str, table: Mapping[str, Mapping[str, Any]], **common: Any) -> tuple[SavedPart, ...]:
    return tuple(SavedPart(module, name, {**options, **common}) for name, options in table.items())


_CLIPS = ({"clipnorm": 0.3}, {"clipvalue": 0.3}, {"global_clipnorm": 0.3})
_AVERAGED = {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 2}
_EVERY = {"learning_rate": 0.0625, "weight_decay": 0.003, "loss_scale_factor": 8.0, "name": "named"}


def _optimizer(row: Optimizer, clip: dict[str, Any]) -> SavedPart:
    # Keras refuses two kinds of clipping at once; and averages are not for weights that are updated now and then.
    more = {"gradient_accumulation_steps": 2} if "clipvalue" in clip else _AVERAGED
    return SavedPart("optimizers", row.name, {**_EVERY, **row.saved, **clip, **more}, next(iter(clip)))


OPTIMIZER_PARTS = tuple(
    _optimizer(row, clip)
    for number, row in enumerate(OPTIMIZERS)
    for clip in (_CLIPS if row.every_clip else _CLIPS[number % 3 :][:1])
)

SCHEDULES = _parts(
    "optimizers.schedules",
    {
        "ExponentialDecay": {"decay_steps": 3, "decay_rate": 0.7, "staircase": True},
        "InverseTimeDecay": {"decay_steps": 3, "decay_rate": 0.7, "staircase": True},
        "PolynomialDecay": {"decay_steps": 4, "end_learning_rate": 0.003, "power": 1.7, "cycle": True},
        "CosineDecay": {"decay_steps": 9, "alpha": 0.03, "warmup_target": 0.7, "warmup_steps": 3},
        "CosineDecayRestarts": {"first_decay_steps": 3, "t_mul": 1.5, "m_mul": 0.7, "alpha": 0.03},
    },
    initial_learning_rate=0.3,
    name="named",
)
SCHEDULES += _parts(
    "optimizers.schedules",
    {"PiecewiseConstantDecay": {"boundaries": [2, 5], "values": [0.3, 0.7, 0.1], "name": "named"}},
)

_PLAIN_LOSSES = (
    "MeanSquaredError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredLogarithmicError",
    "LogCosh",
    "KLDivergence",
    "Poisson",
    "Hinge",
    "SquaredHinge",
    "CategoricalHinge",
)
_PLAIN_METRICS = (
    "Accuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "MeanSquaredError",
    "RootMeanSquaredError",
)
_SMOOTHED = {"from_logits": True, "label_smoothing": 0.1, "axis": 1}
LOSSES = _parts(
    "losses",
    {
        "BinaryCrossentropy": _SMOOTHED,
        "CategoricalCrossentropy": _SMOOTHED,
        "SparseCategoricalCrossentropy": {"from_logits": True, "ignore_class": 1},
        "BinaryFocalCrossentropy": {**_SMOOTHED, "apply_class_balancing": True, "alpha": 0.3, "gamma": 1.7},
        "CategoricalFocalCrossentropy": {**_SMOOTHED, "alpha": 0.3, "gamma": 1.7},
        "Huber": {"delta": 0.3},
        "CosineSimilarity": {"axis": 0},
        "Tversky": {"alpha": 0.3, "beta": 0.7},
        **{name: {} for name in _PLAIN_LOSSES},
    },
    reduction="sum",
    name="named",
)

METRICS = _parts(
    "metrics",
    {
        "BinaryAccuracy": {"threshold": 0.3},
        "TopKCategoricalAccuracy": {"k": 2},
        "SparseTopKCategoricalAccuracy": {"k": 2},
        "BinaryCrossentropy": {"from_logits": True, "label_smoothing": 0.1},
        "CategoricalCrossentropy": {"from_logits": True, "label_smoothing": 0.1},
        "SparseCategoricalCrossentropy": {"from_logits": True},
        "AUC": {"num_thresholds": 50, "curve": "PR", "summation_method": "majoring", "multi_label": True},
        "Precision": {"thresholds": 0.3, "top_k": 2, "class_id": 1},
        "Recall": {"thresholds": 0.3, "top_k": 2, "class_id": 1},
        **{name: {} for name in _PLAIN_METRICS},
    },
    name="named",
)

REGULARIZERS = _parts(
    "regularizers",
    {
        "L1": {"l1": 0.375},
        "L2": {"l2": 0.375},
        "L1L2": {"l1": 0.375, "l2": 0.625},
        "OrthogonalRegularizer": {"factor": 0.375, "mode": "columns"},
    },
)
CONSTRAINTS = _parts(
    "constraints",
    {
        "MaxNorm": {"max_value": 0.3, "axis": 1},
        "MinMaxNorm": {"min_value": 0.1, "max_value": 0.3, "rate": 0.7, "axis": 1},
        "UnitNorm": {"axis": 1},
    },
)
PARTS = (*OPTIMIZER_PARTS, *SCHEDULES, *LOSSES, *METRICS, *REGULARIZERS, *CONSTRAINTS)


@dataclass(frozen=True)
class LayerPart:
    """A layer, options for it, and the shape of an input, batch included.

    Attributes:
        name: The class.
        options: As JSON gives them back.
        input_shape: With the batch.
        policy: The dtypes that it is given, as one of ``POLICIES``.
        drawing: Whether it draws when it is called in training.
    """

    name: str
    options: Mapping[str, Any]
    input_shape: tuple[int, ...]
    policy: str = "float32"
    drawing: bool = False

    def __str__(self) -> str:
        told = [key for key in self.options if key not in _REQUIRED]
        return "-".join([self.name, *told[:1], self.policy])


# What a layer is computed in and what its weights are held in, by the documented name of the policy.
POLICIES = {
    "float32": ("float32", "float32"),
    "float64": ("float64", "float64"),
    "mixed_float16": ("float16", "float32"),
    "mixed_bfloat16": ("bfloat16", "float32"),
}
_REQUIRED = ("units", "filters", "kernel_size", "equation", "output_shape", "input_dim", "output_dim", "rate")
_VECTORS, _ROWS, _IMAGES = (3, 4), (2, 3, 4), (2, 6, 6, 4)
_REGULARIZED = {
    "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.375}},
    "bias_regularizer": {"class_name": "L1", "config": {"l1": 0.375}},
    "kernel_constraint": {"class_name": "MaxNorm", "config": {"max_value": 0.75, "axis": 0}},
    "bias_constraint": {"class_name": "NonNeg", "config": {}},
}
_CONVOLUTION = {"filters": 6, "use_bias": False, "padding": "same", "activation": "tanh"}
_RECURRENT = {
    "units": 3,
    "activation": "sigmoid",
    "use_bias": False,
    "dropout": 0.3,
    "recurrent_dropout": 0.7,
    "return_sequences": True,
    "go_backwards": True,
    "unroll": True,
}
_LAYERS = (
    LayerPart("Dense", {"units": 3, "activation": "tanh", **_REGULARIZED}, _VECTORS),
    LayerPart("Dense", {"units": 3, "use_bias": False}, _VECTORS),
    LayerPart("EinsumDense", {"equation": "ab,bc->ac", "output_shape": [3], "activation": "tanh"}, _VECTORS),
    LayerPart("Conv1D", {**_CONVOLUTION, "kernel_size": [2], "dilation_rate": [2], "padding": "causal"}, _ROWS),
    LayerPart("Conv2D", {**_CONVOLUTION, "kernel_size": [2, 3], "strides": [2, 1], "groups": 2}, _IMAGES),
    LayerPart("Conv2D", {"filters": 2, "kernel_size": [2, 2], "dilation_rate": [2, 1], **_REGULARIZED}, _IMAGES),
    LayerPart("Conv2DTranspose", {**_CONVOLUTION, "kernel_size": [2, 3], "strides": [2, 1]}, _IMAGES),
    LayerPart("DepthwiseConv2D", {"kernel_size": [2, 3], "depth_multiplier": 2, "use_bias": False}, _IMAGES),
    LayerPart("LSTM", {"units": 3, "stateful": True}, _ROWS),
    LayerPart("SeparableConv2D", {**_CONVOLUTION, "kernel_size": [2, 3], "depth_multiplier": 2}, _IMAGES),
    LayerPart("Embedding", {"input_dim": 7, "output_dim": 3, "mask_zero": True}, (2, 5)),
    LayerPart("BatchNormalization", {"momentum": 0.7, "epsilon": 0.03, "center": False}, _VECTORS),
    LayerPart("BatchNormalization", {"scale": False}, _VECTORS),
    LayerPart("LayerNormalization", {"epsilon": 0.03, "center": False}, _VECTORS),
    LayerPart("LayerNormalization", {"scale": False}, _VECTORS),
    LayerPart("MaxPooling2D", {"pool_size": [2, 3], "strides": [1, 2], "padding": "same"}, _IMAGES),
    LayerPart("AveragePooling2D", {"pool_size": [2, 3], "strides": [1, 2], "padding": "same"}, _IMAGES),
    LayerPart("GlobalAveragePooling2D", {"keepdims": True}, _IMAGES),
    LayerPart("ZeroPadding2D", {"padding": [[1, 2], [0, 3]]}, _IMAGES),
    LayerPart("Activation", {"activation": "softplus"}, _VECTORS),
    LayerPart("ELU", {"alpha": 0.375}, _VECTORS),
    LayerPart("Softmax", {"axis": 1}, _ROWS),
)
_NAMES = tuple(POLICIES)
LAYERS = tuple(replace(layer, policy=_NAMES[number % len(_NAMES)]) for number, layer in enumerate(_LAYERS))
# Layers that draw: whose seed is lost, draws otherwise every time, and nobody is told.
_NOISE = (
    LayerPart("LSTM", {**_RECURRENT, "recurrent_activation": "hard_sigmoid", "unit_forget_bias": False}, _ROWS),
    LayerPart("GRU", {**_RECURRENT, "recurrent_activation": "hard_sigmoid", "reset_after": False}, _ROWS),
    LayerPart("SimpleRNN", _RECURRENT, _ROWS),
    LayerPart("Dropout", {"rate": 0.3, "noise_shape": [3, 1]}, _VECTORS),
    LayerPart("SpatialDropout1D", {"rate": 0.3}, _ROWS),
    LayerPart("SpatialDropout2D", {"rate": 0.3}, _IMAGES),
    LayerPart("SpatialDropout3D", {"rate": 0.3}, (2, 2, 2, 2, 8)),
    LayerPart("GaussianDropout", {"rate": 0.3}, _VECTORS),
    LayerPart("GaussianNoise", {"stddev": 0.3}, _VECTORS),
    LayerPart("AlphaDropout", {"rate": 0.3, "noise_shape": [3, 1]}, _VECTORS),
    LayerPart("RandomFlip", {"mode": "vertical"}, _IMAGES),
    LayerPart("RandomRotation", {"factor": [-0.1, 0.3], "fill_mode": "constant", "fill_value": 0.3}, _IMAGES),
    LayerPart("RandomZoom", {"height_factor": 0.3, "width_factor": 0.1, "interpolation": "nearest"}, _IMAGES),
    LayerPart("RandomContrast", {"factor": [0.1, 0.3]}, (2, 6, 6, 3)),
    LayerPart("RandomBrightness", {"factor": [-0.1, 0.3]}, (2, 6, 6, 3)),
    LayerPart("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.1, "fill_mode": "wrap"}, _IMAGES),
    LayerPart("RandomCrop", {"height": 3, "width": 2}, _IMAGES),
)
# Image layers have no kernels in every dtype.
NOISE = tuple(
    replace(layer, drawing=True, policy="float32" if layer.name.startswith("Random") else policy)
    for layer in _NOISE
    for policy in (_NAMES if layer.name in ("Dropout", "SpatialDropout1D") else _NAMES[:1])
)
