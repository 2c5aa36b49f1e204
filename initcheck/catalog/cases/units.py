"""Nets of one convolution or recurrent layer, whose filters or units start equal."""

from __future__ import annotations

from initcheck.catalog import optimizers
from initcheck.catalog.layers import select
from initcheck.catalog.layers.traits.computing import EqualUnits
from initcheck.catalog.recipes import UnitNet


def unit_nets() -> tuple[UnitNet, ...]:
    """A net of zeros and one of a constant for each kind, by plain and by accelerated gradient descent."""
    return tuple(
        UnitNet(units, kernel, "sigmoid" if kernel == 0 else "tanh", optimizer)
        for units in select(EqualUnits)
        for kernel, optimizer in ((0.0, optimizers.PLAIN.name), (0.25, optimizers.NESTEROV.name))
    )
