"""Symmetry: hidden units that start equal stay equal, unless something documented distinguishes them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.catalog.cases import nets
from initcheck.catalog.cases.units import unit_nets
from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Unstated
from initcheck.catalog.layers.traits.computing import UNITS
from initcheck.catalog.optimizers import SMOOTH
from initcheck.catalog.recipes import Net, UnitNet
from initcheck.checks.registry import NotApplicable, Subject, check, over_initializers
from initcheck.records import Verdict, failed, passed
from initcheck.targets import KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab
    from initcheck.evidence.symmetry.net_weights import WeightTrajectory
    from initcheck.evidence.symmetry.unit_weights import UnitTrajectory

Array = np.ndarray[Any, Any]
EXACT = "no tolerance: bits are compared"


def _subjects(chosen: tuple[Net, ...]) -> list[Subject]:
    return [Subject(net.name, net) for net in chosen]


def _computed(lab: Lab, dtype: str) -> str:
    """The type in which the backend computes what is asked of it in that one."""
    return dtype if lab.doubles else "float32"


def gaps(trajectory: WeightTrajectory) -> list[Array]:
    """Returns, by hidden layer and step, the largest gap between units in incoming and outgoing weights and bias."""
    gap = []
    for number in range(len(trajectory.kernels) - 1):
        taken, added, given = trajectory.kernels[number], trajectory.biases[number], trajectory.kernels[number + 1]
        spans = [np.ptp(taken, axis=2).max(axis=1), np.ptp(added, axis=1), np.ptp(given, axis=1).max(axis=1)]
        gap.append(np.max(spans, axis=0))
    return gap


def moved(trajectory: WeightTrajectory) -> list[bool]:
    """For each kernel, the output's last, whether training changed it at all."""
    return [bool(np.any(kernel[-1] != kernel[0])) for kernel in trajectory.kernels]


def learned(trajectory: WeightTrajectory) -> bool:
    """Whether the output bias moved: a training that takes no step leaves every symmetry as it was."""
    return bool(
        np.any(trajectory.biases[-1][-1] != trajectory.biases[-1][0]) and np.all(np.isfinite(trajectory.losses))
    )


def tolerance(net: Net, rate: float, dtype: str) -> float:
    """Returns how much equal units may differ by rounding error.

    Each step, a gradient sums over no more terms than m = rows + inputs + units, and an activation's vector and scalar
    code differ by up to 16 units in the last place: a relative error of (m + 16)·eps (Higham 2002, Accuracy and
    Stability of Numerical Algorithms, 3.1). The terms are below 20 in these nets (weights, inputs and targets below 1
    or so, 21 units). A step of gradient descent multiplies that by its rate, one of an adaptive optimizer by
    rate / epsilon at worst, with epsilon = 1e-7, Keras's default; momentum adds up to 10 of them. Later steps stretch
    what is there by (1 + rate·L) each, together below 10 for these rates and steps. eps is that of the type in which
    the backend computes.
    """
    terms = net.batch_size + 5 + max(net.widths) + 16
    error = 20 * terms * float(np.finfo(dtype).eps) * net.steps * 10 * rate
    return min(error / 1e-7, rate / 100) if SMOOTH[net.optimizer].optimizer.adaptive else error * 10


@check(
    "SYM01",
    "Under zero initialization, hidden units stay bitwise equal.",
    subjects=_subjects(nets.zero_nets()),
    on=KERAS,
)
def judge_zeros(lab: Lab, net: Net) -> Verdict:
    """Judges every step of nets whose kernels all move, bit by bit if this machine computes all units in the same way.

    The matrix products of the net's shapes show whether it does; if not, rounding error is allowed.
    """
    trajectory = lab.models.weight_trajectory(net)
    rounding = tolerance(net, trajectory.rate, _computed(lab, net.dtype))
    return _judge_kept(trajectory, net, 0.0 if trajectory.same_arithmetic else rounding)


@check(
    "SYM02",
    "Under zero initialization, hidden units of any width stay equal within rounding error.",
    subjects=_subjects(nets.zero_nets_of_any_width()),
    on=KERAS,
)
def judge_zeros_of_any_width(lab: Lab, net: Net) -> Verdict:
    """Judges every step of nets whose kernels all move, against a tolerance for rounding in float64."""
    return _judge_kept_up_to_rounding(lab, net)


@check(
    "SYM03",
    "Under a constant initialization, hidden units stay equal within rounding error.",
    subjects=_subjects(nets.constant_nets()),
    on=KERAS,
)
def judge_constants(lab: Lab, net: Net) -> Verdict:
    """Judges every step of nets whose kernels all move, against a tolerance for rounding in float64."""
    return _judge_kept_up_to_rounding(lab, net)


def _judge_kept_up_to_rounding(lab: Lab, net: Net) -> Verdict:
    trajectory = lab.models.weight_trajectory(net)
    return _judge_kept(trajectory, net, tolerance(net, trajectory.rate, _computed(lab, net.dtype)))


def _judge_kept(trajectory: WeightTrajectory, net: Net, allowed: float) -> Verdict:
    bound = f"± {allowed:.2g} by rounding" if allowed else EXACT
    if not (all(moved(trajectory)) and learned(trajectory)):
        return failed(f"{net.name}: kernels moved {moved(trajectory)}", "all moved, else nothing is shown", bound=bound)
    return _judge_gaps(trajectory, net, allowed, bound)


def _judge_gaps(trajectory: WeightTrajectory, net: Net, allowed: float, bound: str) -> Verdict:
    gap = gaps(trajectory)
    largest = float(np.max(gap))
    if not largest <= allowed:  # NaN is no symmetry
        broken = ~(np.array(gap) <= allowed)
        step = int(np.argmax(broken.any(axis=0)))
        layer = int(np.argmax(broken[:, step]))
        measured = f"{net.name}: units of hidden layer {layer + 1} are {gap[layer][step]:.3g} apart after step {step}"
        return failed(measured, "equal units", bound=bound, effect=largest)
    return passed(f"{net.name}: units at most {largest:.2g} apart in {net.steps} steps", bound=bound, effect=largest)


@check(
    "SYM04",
    "Under zero initialization, no kernel moves where the activation is 0 at 0; the output bias does.",
    subjects=_subjects(nets.resting_nets()),
    on=KERAS,
)
def judge_resting(lab: Lab, net: Net) -> Verdict:
    """Judges all kernels and hidden biases at every step: they stay 0, while the training takes its steps."""
    trajectory = lab.models.weight_trajectory(net)
    if not learned(trajectory):
        return failed(f"{net.name}: the output bias did not move", "moved by the training", bound=EXACT)
    still = [*trajectory.kernels, *trajectory.biases[:-1]]
    if any(np.any(values != 0) for values in still):
        largest = max(float(np.abs(values).max()) for values in still)
        return failed(f"{net.name}: weights of up to {largest:.3g}", "0: no gradient reaches them", bound=EXACT)
    return passed(f"{net.name}: no kernel moved in {net.steps} steps, the output bias did", bound=EXACT)


@check(
    "SYM05",
    "Under zero initialization, each kernel moves where the activation is not 0 at 0, one step after the one above.",
    subjects=_subjects(nets.moving_nets()),
    on=KERAS,
)
def judge_moving(lab: Lab, net: Net) -> Verdict:
    """Judges the step at which each kernel first moves: the output's at the first, the next below at the second."""
    trajectory = lab.models.weight_trajectory(net)
    first = [_first_move(kernel) for kernel in trajectory.kernels]
    expected = list(range(len(trajectory.kernels), 0, -1))
    if first != expected:
        return failed(f"{net.name}: kernels first move at steps {first}", f"{expected}", bound=EXACT)
    return passed(f"{net.name}: kernels first move at steps {first}", bound=EXACT)


def _first_move(values: Array) -> int:
    """Returns the first step that changes a value; 0 if none does."""
    changed = (values != values[0]).reshape(len(values), -1).any(axis=1)
    return int(np.argmax(changed))


@check(
    "SYM06",
    "Random kernels break the symmetry: hidden units start apart, learn different functions and stay apart.",
    subjects=over_initializers(random=True),
    takes="initializer",
    on=KERAS,
)
def judge_random(lab: Lab, row: Initializer) -> Verdict:
    """Judges all pairs of units of both hidden layers in their initial and final weights and their difference."""
    if not row.law.random:
        reason = "takes no seed" if isinstance(row.law, Unstated) else "is not random"
        raise NotApplicable(f"{row.name} {reason}")
    net = nets.net_of_row(row.name)
    trajectory = lab.models.weight_trajectory(net, row=row)
    for number, kernel in enumerate(trajectory.kernels[:-1]):
        stages = {"at the start": kernel[0], "at the end": kernel[-1], "in what they learned": kernel[-1] - kernel[0]}
        for stage, values in stages.items():
            if len(np.unique(values, axis=1).T) < values.shape[1]:
                return failed(
                    f"{row.name}: units of layer {number + 1} are equal {stage}", "all different", bound=EXACT
                )
    return passed(f"{row.name}: all units of both layers differ, at the start, at the end and in what they learned")


@check(
    "SYM07",
    "Permuting the initial hidden units permutes the trained ones, and changes nothing else.",
    subjects=_subjects(nets.random_nets()),
    on=KERAS,
)
def judge_permuted(lab: Lab, net: Net) -> Verdict:
    """Judges every step of two trainings of one random net, against a tolerance for sums in another order."""
    trajectory, other = lab.models.weight_trajectory(net), lab.models.weight_trajectory(net, permuted=True)
    allowed = tolerance(net, trajectory.rate, _computed(lab, net.dtype))
    bound = f"± {allowed:.2g} by rounding"
    if not all(moved(trajectory)):
        return failed(f"{net.name}: kernels moved {moved(trajectory)}", "all moved, else nothing is shown", bound=bound)
    if all(np.array_equal(one, two) for one, two in zip(trajectory.kernels, other.kernels, strict=True)):
        return failed(f"{net.name}: both orders have the same kernels", "permuted ones", bound=bound)
    largest = float(np.abs(trajectory.losses - other.losses).max())
    last = len(trajectory.kernels) - 1
    for number in range(last + 1):
        kernel, bias = trajectory.kernels[number], trajectory.biases[number]
        if number > 0:
            kernel = kernel[:, other.orders[number - 1]]
        if number < last:
            kernel, bias = kernel[:, :, other.orders[number]], bias[:, other.orders[number]]
        for one, two in ((kernel, other.kernels[number]), (bias, other.biases[number])):
            largest = max(largest, float(np.abs(one - two).max()))
    if not largest <= allowed:
        return failed(
            f"{net.name}: weights or losses {largest:.3g} apart", "the permuted ones", bound=bound, effect=largest
        )
    return passed(f"{net.name}: weights and losses at most {largest:.2g} apart", bound=bound, effect=largest)


@check(
    "SYM08", "Noise on hidden units and random biases break the symmetry.", subjects=_subjects(nets.BREAKING), on=KERAS
)
def judge_breaking(lab: Lab, net: Net) -> Verdict:
    """Judges that units differ in incoming and outgoing weights, as only noise and biases can make them.

    All weights together, as among 120 pairs single floats are equal too often by chance: see ``nets.BREAKING``.
    """
    trajectory = lab.models.weight_trajectory(net)
    units = np.concatenate([trajectory.kernels[0][-1].T, trajectory.kernels[1][-1]], axis=1)
    different = len(np.unique(units, axis=0))
    if different < len(units):
        return failed(f"{net.name}: {different} different units of {len(units)}", "all different", bound=EXACT)
    return passed(f"{net.name}: all {len(units)} units differ after {net.steps} steps", bound=EXACT)


@check(
    "SYM09", "Dropout of zeros and equal biases do not break the symmetry.", subjects=_subjects(nets.KEEPING), on=KERAS
)
def judge_keeping(lab: Lab, net: Net) -> Verdict:
    """Judges every step, at a width where every unit goes through the same arithmetic."""
    trajectory = lab.models.weight_trajectory(net)
    if not learned(trajectory):
        return failed(f"{net.name}: the output bias did not move", "moved by the training", bound=EXACT)
    expected = [bool(net.bias)] * 2
    if moved(trajectory) != expected:
        return failed(f"{net.name}: kernels moved {moved(trajectory)}", f"{expected}", bound=EXACT)
    return _judge_gaps(trajectory, net, 0.0, EXACT)


@check(
    "SYM10",
    "Filters of a convolution and units of a recurrent layer that start equal stay equal within rounding error.",
    subjects=[Subject(net.name, net) for net in unit_nets()],
    on=KERAS,
)
def judge_filters_and_units(lab: Lab, net: UnitNet) -> Verdict:
    """Judges every step of nets of zeros and of a constant whose weights all move, in float64."""
    return judge_units(lab.models.unit_trajectory(net), net, _computed(lab, "float64"))


def unit_tolerance(net: UnitNet, dtype: str) -> float:
    """Returns how much equal units may differ by rounding error: ``tolerance`` for gradient descent.

    A gradient sums over rows and places, an output over inputs, units and gates: over fewer terms than all inputs of a
    batch, all units and all gates together. Terms are below 20, momentum and growth below 10 each, the rate is 0.1.
    """
    terms = net.batch_size * math.prod(net.units.input_shape) + UNITS * net.units.gates + 16
    return 20 * terms * float(np.finfo(dtype).eps) * net.steps * 10 * 10 * 0.1


def judge_units(trajectory: UnitTrajectory, net: UnitNet, dtype: str) -> Verdict:
    """Judges that all weights moved, and were equal for all units, and all pairs of units, at every step."""
    allowed = unit_tolerance(net, dtype)
    bound = f"± {allowed:.2g} by rounding"
    still = [name for name, values in trajectory.weights.items() if np.any(values[-1] == values[0])]
    if still or not np.all(np.isfinite(trajectory.losses)):
        return failed(f"{net.name}: {still} did not move", "all moved, else nothing is shown", bound=bound)
    gaps = {
        name: np.ptp(values, axis=-1).reshape(len(values), -1).max(axis=1)
        for name, values in trajectory.weights.items()
    }
    name, gap = max(gaps.items(), key=lambda item: float(item[1].max()))
    largest = float(np.max([values.max() for values in gaps.values()]))
    if not largest <= allowed:  # NaN is no symmetry
        step = int(np.argmax(~(gap <= allowed)))
        measured = f"{net.name}: units are {gap[step]:.3g} apart in their {name} after step {step}"
        return failed(measured, "equal units", bound=bound, effect=largest)
    return passed(f"{net.name}: units at most {largest:.2g} apart in {net.steps} steps", bound=bound, effect=largest)
