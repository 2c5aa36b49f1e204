"""A signal, or its gradient, that vanishes or explodes with depth: where it begins, and by which factor a layer."""

from __future__ import annotations

import collections
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.catalog.layers.signals import ENDS_STRETCH
from initcheck.engines.probed_passes import ModelPass
from initcheck.models.call_paths import paths_through
from initcheck.models.diagnosis import FALSE_ALARM_RATE, ModelFinding
from initcheck.statistics.t_intervals import lower_end, mean_over

TOO_FAR = 100.0  # the factor of a finding: of two layers one moves a hundred times as slowly under one learning rate
FAR = 10.0  # that of a note
_PART = 1 / 3  # of the median layer's logarithm: the least that the first and the last layer of a stretch do

# Forward, and back.
VANISHES = "a signal that vanishes with depth", "gradients that vanish with depth"
EXPLODES = "a signal that explodes with depth", "gradients that explode with depth"

HOLDS = {
    "relu": "he_normal",
    "relu6": "he_normal",
    "leaky_relu": "he_normal",
    "elu": "he_normal",
    "gelu": "he_normal",
    "silu": "he_normal",
    "selu": "lecun_normal",
    "tanh": "glorot_uniform",
    "linear": "lecun_normal",
}

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SignalTrend:
    """The widest change along a path: between which layers, and the logarithm of its factor in each reseed."""

    begins: int
    ends: int
    layers: int
    total: Values
    typical: float
    activation: str
    backward: bool

    @property
    def size(self) -> float:
        """The logarithm of the factor, without what single layers add to it."""
        mean = float(self.total.mean())
        return math.copysign(min(abs(mean), abs(self.typical) * self.layers), mean) if mean * self.typical > 0 else 0.0


def find_depth(passes: Sequence[ModelPass], names: Sequence[str]) -> tuple[list[ModelFinding], list[str]]:
    """The widest change of the signal or of its gradient along the paths through a model: a finding, or a note.

    The factor of a stretch is a mean of logarithms over reseeds. A finding is a factor whose one-sided t interval lies
    beyond 100, at a false-alarm rate of 0.001 for all stretches, directions and both quantities together (Bonferroni).
    What a single layer adds, such as pooling, counts no more than the others of the stretch do.

    Args:
        passes: A pass of the model under each of several seeds, over the same rows.
        names: The path of each call.
    """
    paths = paths_through(passes[0])
    trends = [trend for path in paths for back in (False, True) if (trend := _widest(passes, path, backward=back))]
    tests = 4 * sum(len(path) * (len(path) - 1) // 2 for path in paths)
    beyond = [one for one in trends if abs(one.size) > math.log(FAR)]
    far = [
        one
        for one in beyond
        if abs(one.size) > math.log(TOO_FAR)
        and lower_end(np.sign(one.size) * one.total, FALSE_ALARM_RATE / max(1, tests)) > math.log(TOO_FAR)
    ]
    if far:
        worst = max(far, key=lambda one: (not one.backward, abs(one.size)))
        other = [one for one in beyond if one.backward is not worst.backward and one.size * worst.size > 0]
        return [_depth_finding(worst, max(other, key=lambda one: abs(one.size), default=None), passes, names)], []
    if beyond:
        return [], [_depth_note(max(beyond, key=lambda one: (not one.backward, abs(one.size))), names)]
    return [], []


def _widest(passes: Sequence[ModelPass], path: Sequence[int], *, backward: bool) -> SignalTrend | None:
    """The widest change of the signal along a path, or of its gradient on the way back.

    A recurrent layer, for which there is no theory of its scale, an embedding and a normalization, behind which the
    scale is another, end a stretch. The first gradient of all is by the
    data, on which no weight depends.
    """
    best: SignalTrend | None = None
    for stretch in _stretches(passes, path, backward=backward):
        scales = np.array(
            [[one.calls[place].gradient if backward else one.calls[place].given for place in stretch] for one in passes]
        )
        # Where a layer is 0, as the last of a residual branch, what is before it is not seen through it.
        seen = (scales > 0).all(axis=0) & np.isfinite(scales).all(axis=0)
        places, logs = [place for place, one in zip(stretch, seen, strict=True) if one], np.log(scales[:, seen])
        for start in range(len(places)):
            for end in range(start + 2, len(places)):
                steps = np.diff(logs[:, start : end + 1].mean(axis=0)) * (-1 if backward else 1)
                typical = _steady_step(steps)
                if min(steps[0] * typical, steps[-1] * typical) < _PART * typical**2:
                    continue  # it begins later, or ends earlier
                trend = SignalTrend(
                    begins=places[end - 1] if backward else places[start],
                    ends=places[start] if backward else places[end - 1],
                    layers=end - start,
                    total=(logs[:, start] - logs[:, end]) if backward else (logs[:, end] - logs[:, start]),
                    typical=typical,
                    activation=_activation_of(passes[0], places[start : end + 1]),
                    backward=backward,
                )
                if best is None or abs(trend.size) > abs(best.size):
                    best = trend
    return best


def _steady_step(steps: Values) -> float:
    """What a layer does where a single jump counts little: the median, and the mean without the largest, if smaller.

    Of an even number of steps the median is the lower of the two in the middle.
    """
    sign = math.copysign(1.0, float(steps.sum()))
    ordered = np.sort(sign * steps)
    return sign * max(0.0, min(float(ordered[(len(steps) - 1) // 2]), float(ordered[:-1].mean())))


def _stretches(passes: Sequence[ModelPass], path: Sequence[int], *, backward: bool) -> list[list[int]]:
    calls = passes[0].calls
    stretches: list[list[int]] = [[]]
    for number, place in enumerate(path):
        if not (backward and number == 0):
            stretches[-1].append(place)
        between = calls[place : path[number + 1]] if number + 1 < len(path) else ()
        if any(call.recurrent or call.kind.endswith(ENDS_STRETCH) for call in between):
            stretches.append([])
    return [one for one in stretches if len(one) > 2]


def _activation_of(one: ModelPass, path: Sequence[int]) -> str:
    """The commonest activation behind those calls, of which the last is given what comes of the one before.

    One that is called as a function is not seen; where nothing below 0 comes of it, it is taken for relu.
    """
    kinds = []
    for place, later in itertools.pairwise(path):
        between = [call.activation for call in one.calls[place:later] if call.activation not in ("", "linear")]
        kinds.append(between[0] if between else "relu" if one.calls[later].least >= 0 else "linear")
    return collections.Counter(kinds).most_common(1)[0][0]


def _words_of_factor(trend: SignalTrend) -> str:
    mean = mean_over(trend.total)
    middle, low, high = (math.exp(end) for end in (mean.value, mean.low, mean.high))
    return (
        f"{middle:.2g} [{low:.2g}, {high:.2g}] over {trend.layers} layers, {middle ** (1 / trend.layers):.2g} a layer"
    )


def _stretch_of(trend: SignalTrend, names: Sequence[str]) -> str:
    return f"from {names[trend.begins]} {'back ' if trend.backward else ''}to {names[trend.ends]}"


_NOUNS = {False: "the signal's root mean square", True: "the gradient's norm"}


def _subject(trend: SignalTrend) -> str:
    return (VANISHES if trend.size < 0 else EXPLODES)[trend.backward]


def _remedy(trend: SignalTrend) -> str:
    name = trend.activation or "linear"
    if name == "sigmoid":
        return (
            "no initializer holds the gradients of many sigmoid layers, whose slope is 1/4 at most: relu with "
            "he_normal, tanh with glorot_uniform, or batch normalization in between"
        )
    if name not in HOLDS:
        return f"normalize between the layers; for {name} no initializer is known to hold the scale"
    return f"draw these kernels with {HOLDS[name]}, which keeps the scale behind {name}: 1 a layer"


def _depth_finding(
    trend: SignalTrend, other: SignalTrend | None, passes: Sequence[ModelPass], names: Sequence[str]
) -> ModelFinding:
    beside = f"; {_NOUNS[other.backward]} by {_words_of_factor(other)}" if other else ""
    return ModelFinding(
        _subject(trend),
        _stretch_of(trend, names),
        f"{_NOUNS[trend.backward]} changes by {_words_of_factor(trend)}{beside} ({len(passes)} reseeds, "
        f"95 % interval; a finding beyond {TOO_FAR:g}, at a false-alarm rate of {FALSE_ALARM_RATE:g} for all layers; "
        "in theory 1 a layer)",
        _remedy(trend),
    )


def _depth_note(trend: SignalTrend, names: Sequence[str]) -> str:
    return (
        f"T{_NOUNS[trend.backward][1:]} changes by {_words_of_factor(trend)}, {_stretch_of(trend, names)}: no "
        f"finding below {TOO_FAR:g}, but at one learning rate plain SGD takes several times the steps. What would hold "
        f"it: {_remedy(trend)}."
    )
