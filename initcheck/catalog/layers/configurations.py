"""Configurations that rows share: initializers to save, options that are no defaults, and reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from initcheck.catalog.layers.kind import Without
from initcheck.catalog.layers.traits.computing import EqualUnits, FormulaCase, LayerOptions, TrainingRole
from initcheck.catalog.layers.traits.engines import Stackable
from initcheck.catalog.layers.traits.noises import OF_NOISE
from initcheck.catalog.layers.traits.weights import OF_WEIGHTS
from initcheck.oracle.layer_outputs import penalty_of

VECTORS, ROWS_OF_VECTORS, IMAGES = (3, 4), (2, 3, 4), (2, 6, 6, 4)

NO_WEIGHTS = Without("it has no weights", OF_WEIGHTS)
NO_NOISE = Without("it draws nothing in training", OF_NOISE)
NO_UNITS = Without("it has no units whose symmetry could break", (EqualUnits,))
NOT_STACKED = Without("not written for members side by side yet", (Stackable,))
NOT_TRAINED = Without("another layer of its role represents it in the small trainings", (TrainingRole,))
NO_OPTIONS = Without("another layer of its family represents its options", (LayerOptions,))


def initializer(class_name: str, **config: Any) -> dict[str, Any]:
    """The configuration of that initializer."""
    return {"class_name": class_name, "config": config}


def normal(seed: int) -> dict[str, Any]:
    """A normal initializer, none of whose arguments is the default."""
    return initializer("RandomNormal", mean=0.125, stddev=0.75, seed=seed)


def scaled(seed: int) -> dict[str, Any]:
    """A variance-scaled initializer, none of whose arguments is the default."""
    return initializer("VarianceScaling", scale=1.5, mode="fan_out", distribution="uniform", seed=seed)


KERNEL_AND_BIAS = {"kernel_initializer": scaled(31), "bias_initializer": normal(32)}
RECURRENT = {
    "kernel_initializer": scaled(21),
    "recurrent_initializer": initializer("Orthogonal", gain=0.5, seed=22),
    "bias_initializer": normal(23),
}
_RATES = {"l1": 0.25, "l2": 0.75}


def penalized(case: FormulaCase, loss: Callable[..., Any] | None = None) -> FormulaCase:
    """With a penalty of its output, or whatever ``loss`` counts; only by itself, as other cases show the layer."""
    return replace(
        case,
        name=f"{case.name}-penalized",
        config={**case.config, "activity_regularizer": {"class_name": "L1L2", "config": _RATES}},
        loss=penalty_of(loss or case.formula, **_RATES),
        dtypes=("float32",),
        in_turn=None,
        graded=False,
        modelled=False,
    )


REGULARIZED = {
    "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.375}},
    "bias_regularizer": {"class_name": "L1", "config": {"l1": 0.375}},
    "kernel_constraint": {"class_name": "MaxNorm", "config": {"max_value": 0.75, "axis": 0}},
    "bias_constraint": {"class_name": "NonNeg", "config": {}},
}
