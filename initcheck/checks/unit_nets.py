"""Nets of one convolution or recurrent layer, whose filters or units start alike."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.records import Verdict, failed, passed

if TYPE_CHECKING:
    from initcheck.evidence.symmetry.units import UnitWalk


@dataclass(frozen=True)
class UnitNet:
    """A layer of like units and an output unit, trained step by step in float64.

    Attributes:
        kind: A class of ``keras.layers``.
        kernel: Every kernel's first value.
        activation: Not 0 at 0 where the kernels are, or nothing would move.
        optimizer: Of the names that ``walks`` knows: none that divides by a small number, which rounding would be.
        input_shape: Of one row.
        settings: The layer's other arguments.
        gates: How many weights of each kind a unit has; they are told apart, the units are not.
        batch_size: Rows per step.
        steps: How many.
    """

    kind: str
    kernel: float
    activation: str
    optimizer: str
    input_shape: tuple[int, ...]
    settings: Mapping[str, Any] = field(hash=False)
    gates: int = 1
    batch_size: int = 5
    steps: int = 3  # a net of zeros moves its hidden kernel at the second

    @property
    def name(self) -> str:
        """Readable and unique."""
        return f"{self.kind}-{self.kernel:g}-{self.optimizer}"


UNITS = 6
_SIZES: dict[str, tuple[tuple[int, ...], dict[str, Any], int]] = {
    "Conv2D": ((5, 5, 2), {"filters": UNITS, "kernel_size": 3}, 1),
    "SimpleRNN": ((2, 2), {"units": UNITS}, 1),
    "GRU": ((2, 2), {"units": UNITS}, 3),
    "LSTM": ((2, 2), {"units": UNITS}, 4),
}


def unit_nets() -> tuple[UnitNet, ...]:
    """Of every kind a net of zeros and one of a constant, by plain and by accelerated gradient descent."""
    return tuple(
        UnitNet(kind, kernel, "sigmoid" if kernel == 0 else "tanh", optimizer, shape, settings, gates)
        for kind, (shape, settings, gates) in _SIZES.items()
        for kernel, optimizer in ((0.0, "SGD"), (0.25, "Nesterov"))
    )


def tolerance(net: UnitNet) -> float:
    """How far rounding can set equal units apart: as ``symmetry.tolerance`` has it, for gradient descent.

    A gradient sums over rows and places, an output over inputs, units and gates: over fewer terms than all inputs of a
    batch, all units and all gates together. Terms are below 20, momentum and growth below 10 each, the rate is 0.1.
    """
    terms = net.batch_size * math.prod(net.input_shape) + UNITS * net.gates + 16
    return 20 * terms * float(np.finfo(np.float64).eps) * net.steps * 10 * 10 * 0.1


def judge_units(walk: UnitWalk, net: UnitNet) -> Verdict:
    """Whether all weights moved, and were the same for all units, and all pairs of units, at every step."""
    allowed = tolerance(net)
    bound = f"± {allowed:.2g} by rounding"
    still = [name for name, values in walk.weights.items() if np.any(values[-1] == values[0])]
    if still or not np.all(np.isfinite(walk.losses)):
        return failed(f"{net.name}: {still} did not move", "all moved, else nothing is shown", bound=bound)
    gaps = {name: np.ptp(values, axis=-1).reshape(len(values), -1).max(axis=1) for name, values in walk.weights.items()}
    name, gap = max(gaps.items(), key=lambda found: float(found[1].max()))
    largest = float(np.max([values.max() for values in gaps.values()]))
    if not largest <= allowed:  # NaN is no symmetry
        step = int(np.argmax(~(gap <= allowed)))
        measured = f"{net.name}: units are {gap[step]:.3g} apart in their {name} after step {step}"
        return failed(measured, "equal units", bound=bound, effect=largest)
    return passed(f"{net.name}: units at most {largest:.2g} apart in {net.steps} steps", bound=bound, effect=largest)
