"""The checks of symmetry, on weights made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from initcheck.catalog.cases import nets
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.optimizers import SMOOTH
from initcheck.catalog.recipes import Net
from initcheck.checks import symmetry
from initcheck.checks.registry import NotApplicable
from initcheck.evidence.symmetry.net_weights import WeightTrajectory
from initcheck.records import Status

NET = Net((4, 3), dtype="float64", steps=3)
ROW = INITIALIZERS["he_normal"]


def make_trajectory(*, still: bool = False, random: bool = False) -> WeightTrajectory:
    """Weights of a 5-4-3-1 net over three steps; equal units unless they are random."""
    stream = np.random.RandomState(3)
    shapes = ((5, 4), (4, 3), (3, 1))
    kernels, biases = [], []
    for number, (inputs, units) in enumerate(shapes):
        # The last kernel moves at the first step, the next below at the second.
        size = np.maximum(0, np.arange(4) - (2 - number)).reshape(4, 1, 1) * (not still)
        rows = stream.normal(size=(1, inputs if random or number == 0 else 1, units if random else 1))
        kernels.append(
            size * rows * np.ones((4, inputs, units)) + (stream.normal(size=(inputs, units)) if random else 0)
        )
        biases.append(np.zeros((4, units)))
    biases[-1] += np.arange(4)[:, None]
    orders = (np.arange(4), np.arange(3))
    return WeightTrajectory(tuple(kernels), tuple(biases), orders, np.arange(3.0), 0.1)


def permuted(trajectory: WeightTrajectory) -> WeightTrajectory:
    """The same trajectory with its hidden units in another order."""
    one, two = np.array([2, 0, 3, 1]), np.array([1, 2, 0])
    kernels = (
        trajectory.kernels[0][:, :, one],
        trajectory.kernels[1][:, one][:, :, two],
        trajectory.kernels[2][:, two],
    )
    return replace(
        trajectory,
        kernels=kernels,
        biases=(trajectory.biases[0][:, one], trajectory.biases[1][:, two], trajectory.biases[2]),
        orders=(one, two),
    )


def touch(trajectory: WeightTrajectory, layer: int, change: float, what: str = "kernels") -> WeightTrajectory:
    """One weight of that layer after the last step changed by that much."""
    arrays = [array.copy() for array in getattr(trajectory, what)]
    arrays[layer].reshape(4, -1)[-1, 0] += change
    changes: dict[str, Any] = {what: tuple(arrays)}
    return replace(trajectory, **changes)


class Lab:
    """A laboratory without a framework."""

    doubles = True

    def __init__(self, trajectory: WeightTrajectory, other: WeightTrajectory | None = None) -> None:
        self.models = self
        self._trajectories = trajectory, other

    def weight_trajectory(self, net: Any, *, permuted: bool = False, row: Any = None) -> Any:
        """The trajectory that was made."""
        return self._trajectories[permuted]


def lab(trajectory: WeightTrajectory, other: WeightTrajectory | None = None) -> Any:
    return Lab(trajectory, other)


KEPT = [symmetry.judge_zeros, symmetry.judge_zeros_of_any_width, symmetry.judge_constants]


@pytest.mark.parametrize("judge", KEPT)
def test_equal_units_pass_and_a_different_unit_fails(judge: Any) -> None:
    assert judge(lab(make_trajectory()), NET).status is Status.PASS
    allowed = symmetry.tolerance(NET, 0.1, NET.dtype)
    for layer, what in ((0, "kernels"), (1, "kernels"), (0, "biases"), (1, "biases")):
        assert judge(lab(touch(make_trajectory(), layer, 3 * allowed, what)), NET).status is Status.FAIL


def test_bits_count_for_zeros_and_rounding_is_forgiven_at_any_width() -> None:
    tiny = touch(make_trajectory(), 0, 1e-15)
    assert symmetry.judge_zeros(lab(tiny), NET).status is Status.FAIL
    assert symmetry.judge_zeros_of_any_width(lab(tiny), NET).status is Status.PASS


def test_rounding_is_forgiven_where_the_machine_treats_units_differently() -> None:
    tiny, allowed = touch(make_trajectory(), 0, 1e-15), symmetry.tolerance(NET, 0.1, NET.dtype)
    assert symmetry.judge_zeros(lab(replace(tiny, same_arithmetic=False)), NET).status is Status.PASS
    different = touch(make_trajectory(), 0, 3 * allowed)
    assert symmetry.judge_zeros(lab(replace(different, same_arithmetic=False)), NET).status is Status.FAIL


def test_outgoing_weights_count_too() -> None:
    assert symmetry.judge_zeros(lab(touch(make_trajectory(), 1, 1e-12)), NET).status is Status.FAIL


@pytest.mark.parametrize("judge", KEPT)
def test_symmetry_of_a_net_that_does_not_move_shows_nothing(judge: Any) -> None:
    assert judge(lab(make_trajectory(still=True)), NET).status is Status.FAIL


def test_nan_is_no_symmetry() -> None:
    assert symmetry.judge_constants(lab(touch(make_trajectory(), 0, np.nan)), NET).status is Status.FAIL


def test_resting_nets_must_rest_while_the_output_bias_moves() -> None:
    still = make_trajectory(still=True)
    assert symmetry.judge_resting(lab(still), NET).status is Status.PASS
    assert symmetry.judge_resting(lab(touch(still, 0, 1e-30)), NET).status is Status.FAIL
    assert symmetry.judge_resting(lab(touch(still, 1, 1e-30, "biases")), NET).status is Status.FAIL
    untrained = replace(still, biases=tuple(np.zeros_like(bias) for bias in still.biases))
    assert symmetry.judge_resting(lab(untrained), NET).status is Status.FAIL


def test_moving_nets_must_move_layer_by_layer() -> None:
    assert symmetry.judge_moving(lab(make_trajectory()), NET).status is Status.PASS
    assert symmetry.judge_moving(lab(make_trajectory(still=True)), NET).status is Status.FAIL
    early = make_trajectory()
    early.kernels[0][1] = 1
    assert symmetry.judge_moving(lab(early), NET).status is Status.FAIL


def test_random_units_must_differ_at_the_start_and_in_what_they_learn() -> None:
    trajectory = make_trajectory(random=True)
    assert symmetry.judge_random(lab(trajectory), ROW).status is Status.PASS
    twins = make_trajectory(random=True)
    twins.kernels[0][:, :, 1] = twins.kernels[0][:, :, 0]
    assert symmetry.judge_random(lab(twins), ROW).status is Status.FAIL
    lockstep = make_trajectory(random=True)
    lockstep.kernels[1][:] = lockstep.kernels[1][:1]
    assert symmetry.judge_random(lab(lockstep), ROW).status is Status.FAIL
    with pytest.raises(NotApplicable, match="zeros "):
        symmetry.judge_random(lab(trajectory), INITIALIZERS["zeros"])


def test_permuted_units_must_learn_the_same() -> None:
    trajectory = make_trajectory(random=True)
    other = permuted(trajectory)
    allowed = symmetry.tolerance(NET, 0.1, NET.dtype)
    assert symmetry.judge_permuted(lab(trajectory, other), NET).status is Status.PASS
    assert symmetry.judge_permuted(lab(trajectory, touch(other, 1, allowed / 2)), NET).status is Status.PASS
    assert symmetry.judge_permuted(lab(trajectory, touch(other, 1, 3 * allowed)), NET).status is Status.FAIL
    assert symmetry.judge_permuted(lab(trajectory, touch(other, 2, 3 * allowed, "biases")), NET).status is Status.FAIL
    assert (
        symmetry.judge_permuted(lab(trajectory, replace(other, losses=other.losses + 3 * allowed)), NET).status
        is Status.FAIL
    )
    assert symmetry.judge_permuted(lab(trajectory, trajectory), NET).status is Status.FAIL


def one_layer(values: Any) -> WeightTrajectory:
    """A net of one hidden layer of four units, whose output kernel ends at these values."""
    kernels = (np.zeros((3, 5, 4)), np.stack([np.zeros((4, 1)), np.zeros((4, 1)), np.reshape(values, (4, 1))]))
    biases = (np.zeros((3, 4)), np.arange(3.0)[:, None])
    return WeightTrajectory(kernels, biases, (np.arange(4),), np.zeros(2), 0.1)


def test_all_units_must_differ_where_the_symmetry_is_broken() -> None:
    net = Net((4,))
    assert symmetry.judge_breaking(lab(one_layer([1, 2, 3, 4])), net).status is Status.PASS
    equal = one_layer([1, 2, 3, 3])
    assert symmetry.judge_breaking(lab(equal), net).status is Status.FAIL
    # One float that two units have in common is chance; a bias that nothing has learned from distinguishes no units.
    equal.biases[0][-1] = [1, 2, 3, 4]
    assert symmetry.judge_breaking(lab(equal), net).status is Status.FAIL
    equal.kernels[0][-1, 0, 3] = 0.5
    assert symmetry.judge_breaking(lab(equal), net).status is Status.PASS


def test_units_of_breaking_nets_are_equal_by_chance_as_rarely_as_stated() -> None:
    for net in nets.BREAKING:
        assert net.widths == (16,)
        assert net.dtype == "float64" or net.bias is not None
        if ("Dropout", 0.5) in net.extra:
            assert net.batch_size * (net.steps - 2) >= 44


def test_symmetry_must_be_kept_bit_by_bit() -> None:
    resting, moving = Net((4,)), Net((4,), bias=0.5)
    assert symmetry.judge_keeping(lab(one_layer([0, 0, 0, 0])), resting).status is Status.PASS
    assert symmetry.judge_keeping(lab(one_layer([0, 0, 0, 1e-9])), resting).status is Status.FAIL
    assert symmetry.judge_keeping(lab(one_layer([2, 2, 2, 2])), moving).status is Status.FAIL  # its hidden kernel rests
    both = one_layer([2, 2, 2, 2])
    both.kernels[0][1:] = 1
    assert symmetry.judge_keeping(lab(both), moving).status is Status.PASS
    both.kernels[0][2, 0, 0] = np.nextafter(1, 2)
    assert symmetry.judge_keeping(lab(both), moving).status is Status.FAIL


def test_tolerances_are_far_below_a_step() -> None:
    for net in (*nets.zero_nets_of_any_width(), *nets.constant_nets(), *nets.random_nets()):
        assert 0 < symmetry.tolerance(net, 0.01, net.dtype) < 1e-3 * 0.01


def test_every_net_has_a_name_of_its_own_and_every_optimizer_trains_one() -> None:
    families = (
        nets.zero_nets(),
        nets.zero_nets_of_any_width(),
        nets.constant_nets(),
        nets.random_nets(),
        nets.resting_nets(),
        nets.moving_nets(),
        nets.BREAKING,
        nets.KEEPING,
    )
    for family in families:
        assert len({net.name for net in family}) == len(family)
    assert {net.optimizer for net in nets.zero_nets()} == set(SMOOTH)
    assert all(width % nets.PACKET == 0 for net in nets.zero_nets() for width in net.widths)
