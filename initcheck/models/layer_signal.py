"""The signal and its gradient by layer, over several reseeds, against what the theory of initialization promises.

Sources: Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward neural networks; He et al.
2015, Delving deep into rectifiers; Klambauer et al. 2017, Self-normalizing neural networks. They keep the mean square
of the signal, or of its gradient, from layer to layer: a factor of 1 a layer.
"""

from __future__ import annotations

import collections
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.engines.probed_passes import ENDS, RELUS, LayerPass, ModelPass
from initcheck.models.diagnosis import FALSE_ALARM_RATE, LayerSignal, MeanOverReseeds, ModelFinding, listed

NO_INPUTS, NO_ROWS = "inputs that tell no rows apart", "a layer that tells no rows apart"
RESEEDS = 10
TOO_FAR = 100.0  # the factor of a finding: of two layers one moves a hundred times as slowly under one learning rate
FAR = 10.0  # that of a note
UNSCALED = 10.0  # root mean square of inputs beyond which, or below whose inverse, they are not scaled

# Behind inputs within ±1, or of mean square 1, a Glorot kernel's sums have a standard deviation of √2 at most, of which
# 6 % lie so far out that tanh exceeds 0.99, and 0.1 % for sigmoid; hence a quarter is none of chance's, nor of Glorot's.
SATURATED = 0.25
_GLOROT = {"tanh": "6 %", "sigmoid": "0.1 %"}
_NEARLY_ALL = 0.99
_DEAD = 0.5  # a kernel that is symmetric about 0 leaves a unit dead with probability 1/2 at most, whatever its inputs
_GATED = ("LSTM", "GRU")  # what they return is no tanh of a sum
_EQUAL_ROWS = 1e-6  # of the root mean square

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
    "": "lecun_normal",
}

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FoundInSignal:
    """What the signal shows.

    Attributes:
        findings: What is wrong.
        notes: What is worth knowing.
        layers: The table, by layer.
        stops: Whether a layer passes no gradient: all its units are dead or saturated, or all rows are given as equal.
    """

    findings: tuple[ModelFinding, ...] = ()
    notes: tuple[str, ...] = ()
    layers: tuple[LayerSignal, ...] = ()
    stops: bool = False


def first_scale(one: ModelPass) -> float:
    """The root mean square of what the first layer with a kernel is given, of several the largest; NaN if of none."""
    given = [call.given for call in one.calls if call.weighted and _nearest(one.calls, call) is None]
    real = [scale for scale in given if math.isfinite(scale)]
    return max(real, default=math.nan)


def find_in_signal(passes: Sequence[ModelPass], names: Sequence[str]) -> FoundInSignal:
    """What is wrong with the signal and its gradient.

    Args:
        passes: A pass of the model under each of several seeds, over the same rows.
        names: The path of each call in the first build.

    Returns:
        Findings, each with a false-alarm rate of 0.001 for all layers of the model; and the table.
    """
    calls = [[one.calls[place] for one in passes] for place in range(len(passes[0].calls))]
    layers = tuple(_layer_signal(passes, place, name) for place, name in enumerate(names) if _is_shown(passes, place))
    equal = _find_equal_rows(passes, names)
    dead, all_dead = _find_dead(passes, calls, names)
    saturated, all_saturated = _find_saturated(passes, calls, names)
    faded, notes = _find_depth(passes, names)
    # What is dead or equal in all rows has no scale, and what is saturated passes no gradient: each cause once.
    findings = [*equal, *dead, *saturated] or faded
    return FoundInSignal(tuple(findings), tuple(notes if not findings else ()), layers, all_dead or all_saturated)


def _is_shown(passes: Sequence[ModelPass], place: int) -> bool:
    call = passes[0].calls[place]
    return math.isfinite(call.scale) and (call.weighted or call.recurrent or bool(call.activation))


def _layer_signal(passes: Sequence[ModelPass], place: int, name: str) -> LayerSignal:
    same = [one.calls[place] for one in passes]
    first = same[0]
    return LayerSignal(
        layer=name,
        kind=first.kind,
        activation=first.activation,
        scale=mean_over([call.scale for call in same]),
        gradient=mean_over([call.gradient for call in same]),
        dead=mean_over([float(call.dead.mean()) for call in same])
        if first.activation in RELUS
        else None,
        saturated=mean_over([call.saturated for call in same]) if _saturates(first) else None,
    )


def mean_over(values: Sequence[float], confidence: float = 0.95) -> MeanOverReseeds:
    """The mean over reseeds with its t interval; no interval from one reseed, or where it is no number."""
    array = np.array(values, np.float64)
    if len(array) < 2 or not np.isfinite(array).all():
        return MeanOverReseeds(float(array.mean()), math.nan, math.nan)
    margin = _t(1 - (1 - confidence) / 2, len(array)) * float(array.std(ddof=1)) / math.sqrt(len(array))
    return MeanOverReseeds(float(array.mean()), float(array.mean()) - margin, float(array.mean()) + margin)


def lower_end(values: Values, rate: float) -> float:
    """The lower end of the mean's one-sided t interval at that error rate."""
    return float(values.mean() - _t(1 - rate, len(values)) * values.std(ddof=1) / math.sqrt(len(values)))


def _t(share: float, count: int) -> float:
    from scipy import special

    return float(special.stdtrit(count - 1, share))


# Rows that are equal, dead units, saturated ones.


def _find_equal_rows(passes: Sequence[ModelPass], names: Sequence[str]) -> list[ModelFinding]:
    """A layer behind which no later kernel is given anything that differs between rows, in any reseed."""
    weighted = [place for place, call in enumerate(passes[0].calls) if call.weighted or call.recurrent]
    unlike = [place for place in weighted if not all(_rows_equal(one.calls[place]) for one in passes)]
    first = next((place for place in weighted if place > max(unlike, default=-1)), None)
    if first is None:
        return []
    before = [place for place in weighted if place < first]
    rms = float(np.mean([one.calls[first].given for one in passes]))
    effect = (
        f"what {names[first]} and every later kernel is given is equal in all rows, within {_EQUAL_ROWS:g} of its root "
        f"mean square of {rms:.3g}, in each of {len(passes)} reseeds"
    )
    if not before:
        return [
            ModelFinding(NO_INPUTS, "data", effect, "look at what data() returns as inputs")
        ]
    if rms == 0 and passes[0].calls[before[-1]].activation in RELUS:
        return []  # dead units, which are named as such
    return [
        ModelFinding(
            NO_ROWS,
            names[before[-1]],
            effect,
            "draw its kernel at random: a constant one gives equal outputs for unlike rows, until it has been trained",
        )
    ]


def _rows_equal(call: LayerPass) -> bool:
    return math.isfinite(call.spread) and call.spread <= _EQUAL_ROWS * call.given


def _find_dead(
    passes: Sequence[ModelPass], calls: Sequence[Sequence[LayerPass]], names: Sequence[str]
) -> tuple[list[ModelFinding], bool]:
    """Relu layers most of whose units return 0 for all rows.

    Whatever a layer is given, a kernel whose law is symmetric about 0 without a bias gives each unit's sums and their
    negatives with equal probability: a unit is dead with probability 1/2 at most, each on its own. So the number of
    dead units over all reseeds exceeds its binomial quantile with no more than the probability stated.
    """
    from scipy import stats

    judged = [place for place, same in enumerate(calls) if same[0].activation in RELUS and _is_hidden(passes[0], place)]
    found: list[tuple[int, float, int, float]] = []
    for place in judged:
        different = {call.identity: call for call in calls[place] if _has_signal(passes, call)}
        units = [call.dead for call in different.values()]
        count = sum(len(one) for one in units)
        if not count:
            continue
        dead = int(sum(int(one.sum()) for one in units))
        p_value = min(1.0, float(stats.binom.sf(dead - 1, count, _DEAD)) * len(judged))
        if p_value < FALSE_ALARM_RATE or (dead == count and _fixed(calls[place])):
            found.append((place, dead / count, count, p_value))
    if not found:
        return [], False
    place, share, count, p_value = found[0]
    later = f"; {len(found) - 1} later layers likewise" if len(found) > 1 else ""
    return [
        ModelFinding(
            "dead relu units",
            listed([names[one[0]] for one in found]),
            f"{share:.0%} of the units of {names[place]} are 0 for all rows ({count:,} units over {len(passes)} reseeds; "
            f"a symmetric kernel without a bias leaves half of them so at most: p {p_value:.1g} after Bonferroni over "
            f"{len(judged)} layers){later}",
            "look for a negative bias, a kernel that is not symmetric about 0, or inputs that are 0; he_normal with "
            "biases of zeros leaves few units dead",
        )
    ], any(share == 1 for _, share, _, _ in found)


def _has_signal(passes: Sequence[ModelPass], call: LayerPass) -> bool:
    """Whether the kernel behind an activation was given anything: after a layer that is dead all others are."""
    if call.weighted:
        return not call.given == 0
    for one in passes:
        if any(call is other for other in one.calls):
            before = _nearest(one.calls, call)
            return before is None or not one.calls[before].given == 0
    return True


def _fixed(same: Sequence[LayerPass]) -> bool:
    """Whether the layer returns the same under all seeds, so that units of one build are all there is."""
    return len({call.identity for call in same}) == 1


def _saturates(call: LayerPass) -> bool:
    return call.activation in ENDS and not call.kind.startswith(_GATED)


def _find_saturated(
    passes: Sequence[ModelPass], calls: Sequence[Sequence[LayerPass]], names: Sequence[str]
) -> tuple[list[ModelFinding], bool]:
    judged = [place for place, same in enumerate(calls) if _saturates(same[0]) and _is_hidden(passes[0], place)]
    found = []
    for place in judged:
        shares = np.array([call.saturated for call in calls[place]])
        if len(shares) > 1 and lower_end(shares, FALSE_ALARM_RATE / len(judged)) > SATURATED:
            found.append((place, mean_over([float(share) for share in shares])))
    if not found:
        return [], False
    place, share = found[0]
    activation = calls[place][0].activation
    low, high = ENDS[activation]
    return [
        ModelFinding(
            f"saturated {activation} units",
            listed([names[one] for one, _ in found]),
            f"{share.value:.0%} of what {names[place]} returns lies beyond {low:g} and {high:g} [{share.low:.0%}, "
            f"{share.high:.0%}], the mean over {len(passes)} reseeds, where a Glorot kernel leaves {_GLOROT[activation]} at "
            f"most (a finding from {SATURATED:.0%}, at a false-alarm rate of {FALSE_ALARM_RATE:g} for all layers)",
            "draw the kernel with glorot_uniform: it keeps the sums within the range where the activation has a slope",
        )
    ], any(one.value > _NEARLY_ALL for _, one in found)


# Vanishing and exploding with depth.


@dataclass(frozen=True)
class _Trend:
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


def _find_depth(passes: Sequence[ModelPass], names: Sequence[str]) -> tuple[list[ModelFinding], list[str]]:
    paths = _paths(passes[0])
    trends = [trend for path in paths for back in (False, True) if (trend := _widest(passes, path, backward=back))]
    tests = 2 * sum(len(path) * (len(path) - 1) // 2 for path in paths)
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
        return [], [_depth_note(max(beyond, key=lambda one: (not one.backward, abs(one.size))), len(passes), names)]
    return [], []


def _paths(one: ModelPass) -> list[list[int]]:
    """The calls with kernels on the way to each that no other follows, from the first on."""
    before = {
        place: _nearest(one.calls, call) for place, call in enumerate(one.calls) if call.weighted or call.recurrent
    }
    paths = []
    for last in before.keys() - {place for place in before.values() if place is not None}:
        path: list[int] = []
        at: int | None = last
        while at is not None:
            path.append(at)
            at = before[at]
        paths.append(path[::-1])
    return paths


def _nearest(calls: Sequence[LayerPass], call: LayerPass) -> int | None:
    """The latest call with a kernel on the way to that call."""
    seen: set[int] = set()
    left = set(call.parents)
    while left:
        place = max(left)
        left.remove(place)
        if calls[place].weighted or calls[place].recurrent:
            return place
        left |= set(calls[place].parents) - seen
        seen.add(place)
    return None


def _is_hidden(one: ModelPass, place: int) -> bool:
    """Whether a later call with a kernel is given what comes of that call."""
    reached = {place}
    for later, call in enumerate(one.calls[place + 1 :], place + 1):
        if reached & set(call.parents):
            if call.weighted or call.recurrent:
                return True
            reached.add(later)
    return False


def _widest(passes: Sequence[ModelPass], path: Sequence[int], *, backward: bool) -> _Trend | None:
    """The widest change of the signal along a path, or of its gradient on the way back.

    A recurrent layer, for which there is no theory of its scale, ends a stretch. The first gradient of all is by the
    data, on which no weight depends.
    """
    best: _Trend | None = None
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
                trend = _Trend(
                    begins=places[end - 1] if backward else places[start],
                    ends=places[start] if backward else places[end - 1],
                    layers=end - start,
                    total=(logs[:, start] - logs[:, end]) if backward else (logs[:, end] - logs[:, start]),
                    typical=_lower_median(steps),
                    activation=_activation_of(passes[0], places[start : end + 1]),
                    backward=backward,
                )
                if best is None or abs(trend.size) > abs(best.size):
                    best = trend
    return best


def _lower_median(steps: Values) -> float:
    """The median step in the direction of their sum, of an even number the smaller one: a single jump counts little."""
    sign = math.copysign(1.0, float(steps.sum()))
    return sign * float(np.sort(sign * steps)[(len(steps) - 1) // 2])


def _stretches(passes: Sequence[ModelPass], path: Sequence[int], *, backward: bool) -> list[list[int]]:
    calls = passes[0].calls
    stretches: list[list[int]] = [[]]
    for number, place in enumerate(path):
        if not (backward and number == 0):
            stretches[-1].append(place)
        if calls[place].recurrent or calls[place].kind == "Embedding":
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


def _words_of_factor(trend: _Trend, count: int) -> str:
    mean = float(trend.total.mean())
    margin = _t(0.975, count) * float(trend.total.std(ddof=1)) / math.sqrt(count)
    low, middle, high = (math.exp(end) for end in (mean - margin, mean, mean + margin))
    return (
        f"{middle:.2g} [{low:.2g}, {high:.2g}] over {trend.layers} layers, {math.exp(mean / trend.layers):.2g} a layer"
    )


def _stretch_of(trend: _Trend, names: Sequence[str]) -> str:
    return f"from {names[trend.begins]} {'back ' if trend.backward else ''}to {names[trend.ends]}"


_NOUNS = {False: "the signal's root mean square", True: "the gradient's norm"}
_SINGULAR = {"vanish": "vanishes", "explode": "explodes"}


def _subject(trend: _Trend) -> str:
    verb = "vanish" if trend.size < 0 else "explode"
    return f"gradients that {verb} with depth" if trend.backward else f"a signal that {_SINGULAR[verb]} with depth"


def _remedy(trend: _Trend) -> str:
    holds = HOLDS.get(trend.activation)
    if trend.activation == "sigmoid" or holds is None:
        name = trend.activation or "this activation"
        return (
            f"no initializer holds the gradients of many {name} layers, whose slope is 1/4 at most: relu with he_normal, "
            "tanh with glorot_uniform, or batch normalization in between"
            if name == "sigmoid"
            else f"normalize between the layers; for {name} no initializer is known to hold the scale"
        )
    return f"draw these kernels with {holds}, which keeps the scale behind {trend.activation or 'linear'}: 1 a layer"


def _depth_finding(
    trend: _Trend, other: _Trend | None, passes: Sequence[ModelPass], names: Sequence[str]
) -> ModelFinding:
    beside = f"; {_NOUNS[other.backward]} by {_words_of_factor(other, len(passes))}" if other else ""
    return ModelFinding(
        _subject(trend),
        _stretch_of(trend, names),
        f"{_NOUNS[trend.backward]} changes by {_words_of_factor(trend, len(passes))}{beside} ({len(passes)} reseeds, 95 % interval; a finding beyond "
        f"{TOO_FAR:g}, at a false-alarm rate of {FALSE_ALARM_RATE:g} for all layers; in theory 1 a layer)",
        _remedy(trend),
    )


def _depth_note(trend: _Trend, count: int, names: Sequence[str]) -> str:
    return (
        f"T{_NOUNS[trend.backward][1:]} changes by {_words_of_factor(trend, count)}, {_stretch_of(trend, names)}: no finding below "
        f"{TOO_FAR:g}, but plain SGD starts as much more slowly, or needs as much smaller steps. What would hold it: "
        f"{_remedy(trend)}."
    )
