"""Nets of one convolution or recurrent layer, whose filters or units start equal."""

from __future__ import annotations

from typing import Any

from initcheck.catalog import optimizers
from initcheck.catalog.recipes import UnitNet

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
        for kernel, optimizer in ((0.0, optimizers.PLAIN.name), (0.25, optimizers.NESTEROV.name))
    )
