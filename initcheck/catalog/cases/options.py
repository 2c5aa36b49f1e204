"""Documented options with values that are not their defaults, for layers and all arguments of ``compile``.

Numbers are doubles that are not exact in single precision, except where Keras computes with the rounded number:
learning rates and terms added to a loss. Options that a version of Keras does not have are left out.

Sources: https://keras.io/api/layers/, https://keras.io/api/optimizers/, https://keras.io/api/losses/,
https://keras.io/api/metrics/, https://keras.io/api/layers/regularizers/, https://keras.io/api/layers/constraints/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from initcheck.catalog.layers import select
from initcheck.catalog.layers.traits.computing import LayerOptions
from initcheck.catalog.optimizers import OPTIMIZERS, Optimizer


@dataclass(frozen=True)
class SavedPart:
    """A class of Keras and options for it.

    Attributes:
        module: Of ``keras``, for example ``optimizers.schedules``.
        name: The class.
        options: In the types of JSON.
        variant: Distinguishes parts of one class.
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
        "L1L2": {"l1": 0.1, "l2": 0.3},  # not exact in single precision
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


# Policy → the dtype that a layer computes in, and that of its weights.
POLICIES = {
    "float32": ("float32", "float32"),
    "float64": ("float64", "float64"),
    "mixed_float16": ("float16", "float32"),
    "mixed_bfloat16": ("bfloat16", "float32"),
}
_LAYERS = select(LayerOptions)
# Layers that draw come last: one whose seed is lost draws differently every time, without an error.
LAYERS = (*(one for one in _LAYERS if not one.drawing), *(one for one in _LAYERS if one.drawing))
