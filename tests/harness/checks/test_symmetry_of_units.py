"""The check of filters and recurrent units, on weights made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from initcheck.catalog.cases.units import unit_nets
from initcheck.checks.symmetry import judge_units, unit_tolerance
from initcheck.evidence.lab import Lab
from initcheck.evidence.symmetry.unit_weights import UnitTrajectory
from initcheck.frameworks.keras import load_keras
from initcheck.records import Status

NET = unit_nets()[0]


def trajectory(change: float = 0.0, *, still: bool = False) -> Any:
    steps = np.arange(4.0).reshape(4, 1, 1) * (not still)
    weights = {name: steps * np.ones((4, 3, 6)) for name in ("kernel", "bias", "output kernel")}
    weights["bias"][-1, 0, 0] += change
    return UnitTrajectory(weights, np.arange(3.0))


@pytest.mark.parametrize(("change", "status"), [(0.0, "pass"), (0.5, "pass"), (2.0, "fail"), (np.nan, "fail")])
def test_units_may_differ_by_rounding_error_only(change: float, status: str) -> None:
    assert judge_units(trajectory(change * unit_tolerance(NET, "float64")), NET, "float64").status.value == status


def test_weights_that_do_not_move_show_nothing() -> None:
    assert judge_units(trajectory(still=True), NET, "float64").status is Status.FAIL


def test_every_net_has_a_name_and_a_tolerance_far_below_a_step() -> None:
    assert len({net.name for net in unit_nets()}) == len(unit_nets())
    assert all(0 < unit_tolerance(net, "float64") < 1e-9 for net in unit_nets())


def test_the_nets_are_in_float64_whatever_was_built_before_and_leave_nothing_behind():
    """Keras keeps the dtype of its first layer as the policy of all later ones."""
    keras = load_keras()
    keras.layers.Dense(1)
    net = next(net for net in unit_nets() if net.units.layer == "LSTM")
    trajectory = Lab(3).models.unit_trajectory(net)
    assert {values.dtype for values in trajectory.weights.values()} == {np.dtype("float64")}
    assert keras.backend.floatx() == keras.layers.Dense(1).dtype == "float32"
