"""Units that a training does not tell apart: kernels that are constant at first, and whose units stay equal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from initcheck.engines.own_models import Array
from initcheck.engines.own_trainings import TracedModel
from initcheck.models.diagnosis import ModelFinding, listed

_PARTED = 1e-4  # relative to the kernel's largest change or value; vectorised tails keep equal units within 2e-7


def find_equal_units(trained: TracedModel) -> list[ModelFinding]:
    """Kernels whose elements are all equal at first, and whose units are equal still after a few steps.

    A constant kernel is no mistake by itself: a last layer of zeros, or one between random ones, parts at the first
    step. Nothing is said of a training that moves no weight at all.
    """
    if trained.data is None:
        return []
    after = [np.asarray(weight) for weight in trained.model.weights]
    names = trained.trace.weights
    steps = len(trained.trace.losses)
    trainable = [bool(weight.trainable) for weight in trained.model.weights]
    if len(after) != len(trained.initial) or not _moved(trained.initial, after, trainable):
        return []
    still: list[str] = []
    equal: list[str] = []
    for name, first, last, moves in zip(names, trained.initial, after, trainable, strict=True):
        if not moves or not _is_constant_kernel(first) or not _units_equal(last):
            continue
        (still if np.array_equal(first, last) else equal).append(name)
    findings = []
    for which, effect in (
        (equal, f"all units of a layer are equal still, within rounding error, after {steps} steps of training"),
        (still, f"they have not moved in {steps} steps of training, while others have"),
    ):
        if which:
            findings.append(
                ModelFinding(
                    "kernels that are constant: their units never part",
                    listed(which),
                    effect,
                    "draw them at random: glorot_uniform, or he_normal before relu",
                )
            )
    return findings


def _moved(before: Sequence[Array], after: Sequence[Array], trainable: Sequence[bool]) -> bool:
    return any(moves and not np.array_equal(one, two) for one, two, moves in zip(before, after, trainable, strict=True))


def _is_constant_kernel(value: Array) -> bool:
    return value.ndim >= 2 and value.shape[-1] > 1 and value.size > 0 and bool((value == value.flat[0]).all())


def _units_equal(value: Array) -> bool:
    units = value.reshape(-1, value.shape[-1]).astype(np.float64)
    return float(np.ptp(units, axis=1).max()) <= _PARTED * float(np.abs(units).max(initial=0))
