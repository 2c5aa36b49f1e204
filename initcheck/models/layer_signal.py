"""The signal and its gradient by layer, over several reseeds, against what the theory of initialization promises.

Sources: Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward neural networks; He et al.
2015, Delving deep into rectifiers; Klambauer et al. 2017, Self-normalizing neural networks. They keep the mean square
of the signal, or of its gradient, from layer to layer: a factor of 1 a layer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from initcheck.catalog.layers.signals import GATED_LAYERS
from initcheck.engines.probed_passes import ENDS, RELUS, LayerPass, ModelPass
from initcheck.models.call_paths import is_hidden, nearest_kernel
from initcheck.models.diagnosis import FALSE_ALARM_RATE, LayerSignal, ModelFinding, listed
from initcheck.models.signal_depth import find_depth
from initcheck.models.signal_time import find_in_time
from initcheck.statistics.estimates import Estimate
from initcheck.statistics.t_intervals import lower_end, mean_over

NO_INPUTS, NO_ROWS = "inputs that tell no rows apart", "a layer that tells no rows apart"
RESEEDS = 10
# The root mean square of inputs that are scaled; those that are mostly 0, such as one-hot words, are small.
SCALED = (0.01, 10.0)

# Behind inputs within ±1, or of mean square 1, a Glorot kernel's sums have a standard deviation of √2 at most, of
# which 6 % lie so far out that tanh exceeds 0.99, and 0.1 % for sigmoid. A finding where most of a layer passes no
# gradient to speak of; kernels of standard deviation 1 behind six inputs leave 30 % there, and still train.
SATURATED = 0.5
_GLOROT = {"tanh": "6 %", "sigmoid": "0.1 %"}
_NEARLY_ALL = 0.99
# Biases for a long memory (Tallec & Ollivier 2018) let two gates of an LSTM's three lie near an end, never all.
_GATES = 0.75
_DEAD = 0.5  # a kernel that is symmetric about 0 leaves a unit dead with probability 1/2 at most, whatever its inputs
_EQUAL_ROWS = 1e-6  # of the root mean square


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
    given = [call.given for call in one.calls if call.weighted and nearest_kernel(one.calls, call) is None]
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
    gates, all_gates = _find_gates(calls, names)
    faded, notes = find_depth(passes, names)
    in_time, more = find_in_time(calls, names)
    # What is dead or equal in all rows has no scale, and what is saturated passes no gradient: each cause once.
    if all_dead or all_gates:  # what is dead, or shut, is equal in all rows
        equal = [one for one in equal if one.what != NO_ROWS]
    findings = [*equal, *dead, *saturated, *gates] or [*faded, *in_time]
    stops = all_dead or all_saturated or all_gates
    return FoundInSignal(tuple(findings), tuple([*notes, *more] if not findings else ()), layers, stops)


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
        dead=mean_over([float(call.dead.mean()) for call in same]) if first.activation in RELUS else None,
        saturated=mean_over([call.saturated for call in same]) if _saturates(first) else None,
    )


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
        return [ModelFinding(NO_INPUTS, "data", effect, "look at what data() returns as inputs")]
    if rms == 0 and passes[0].calls[before[-1]].activation in RELUS:
        return []  # dead units, which are named as such
    begins = next(
        place for place in range(before[-1] + 1, first + 1) if all(_rows_equal(one.calls[place]) for one in passes)
    )
    culprit = max(passes[0].calls[begins].parents, default=before[-1])
    if culprit != before[-1]:
        remedy = "look at what it does: a normalization, or a softmax, over a single value gives a constant"
    elif rms == 0:
        remedy = "all of it is 0: look for dead relu units (biases, kernels or inputs of one sign), or factors of 0"
    else:
        remedy = (
            "draw its kernel at random: a constant one gives equal outputs for unlike rows, until it has been trained"
        )
    return [ModelFinding(NO_ROWS, names[culprit], effect, remedy)]


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

    judged = [place for place, same in enumerate(calls) if same[0].activation in RELUS and is_hidden(passes[0], place)]
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
            f"{share:.0%} of the units of {names[place]} are 0 for all rows ({count:,} units over {len(passes)} "
            f"reseeds; a symmetric kernel without a bias leaves half of them so at most: p {p_value:.1g} after "
            f"Bonferroni over {len(judged)} layers){later}",
            "look for a kernel of zeros, a negative bias, a kernel that is not symmetric about 0, or inputs that are "
            "0; he_normal with biases of zeros leaves few units dead",
        )
    ], any(share == 1 for _, share, _, _ in found)


def _has_signal(passes: Sequence[ModelPass], call: LayerPass) -> bool:
    """Whether the kernel behind an activation was given anything: after a layer that is dead all others are."""
    if call.weighted or call.given == 0:
        return call.given != 0
    for one in passes:
        if any(call is other for other in one.calls):
            before = nearest_kernel(one.calls, call)
            return before is None or one.calls[before].given != 0
    return True


def _fixed(same: Sequence[LayerPass]) -> bool:
    """Whether the layer returns the same under all seeds, so that units of one build are all there is."""
    return len({call.identity for call in same}) == 1


def _saturates(call: LayerPass) -> bool:
    return call.activation in ENDS and not call.kind.startswith(GATED_LAYERS)


def _above(shares: Mapping[int, Sequence[float]], least: float) -> list[tuple[int, Estimate]]:
    """The places whose shares over reseeds lie above that significantly, with their means."""
    return [
        (place, mean_over([float(share) for share in several]))
        for place, several in shares.items()
        if len(several) > 1 and lower_end(np.array(several), FALSE_ALARM_RATE / len(shares)) > least
    ]


def _find_saturated(
    passes: Sequence[ModelPass], calls: Sequence[Sequence[LayerPass]], names: Sequence[str]
) -> tuple[list[ModelFinding], bool]:
    judged = [place for place, same in enumerate(calls) if _saturates(same[0]) and is_hidden(passes[0], place)]
    shares = {place: [call.saturated for call in calls[place]] for place in judged}
    found = _above(shares, SATURATED)
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
            f"{share.high:.0%}], the mean over {len(passes)} reseeds, where a Glorot kernel leaves "
            f"{_GLOROT[activation]} at most (a finding from {SATURATED:.0%}, at a false-alarm rate of "
            f"{FALSE_ALARM_RATE:g} for all layers)",
            "draw the kernel with glorot_uniform: it keeps the sums within the range where the activation has a slope"
            + ("; and the recurrent one with orthogonal" if calls[place][0].recurrent else ""),
        )
    ], any(one.value > _NEARLY_ALL for _, one in found)


def _find_gates(calls: Sequence[Sequence[LayerPass]], names: Sequence[str]) -> tuple[list[ModelFinding], bool]:
    """Recurrent layers whose gates stand open or shut, whatever they are given; and whether nearly all of one do."""
    judged = [place for place, same in enumerate(calls) if math.isfinite(same[0].gates)]
    shares = {place: [call.gates for call in calls[place]] for place in judged}
    found = _above(shares, _GATES)
    if not found:
        return [], False
    place, share = found[0]
    return [
        ModelFinding(
            "saturated gates",
            listed([names[one] for one, _ in found]),
            f"{share.value:.0%} of the values of the gates of {names[place]} lie within 1 % of 0 or 1 "
            f"[{share.low:.0%}, {share.high:.0%}], the mean over {len(calls[place])} reseeds: they stand open or shut, "
            f"whatever it is given (a finding from {_GATES:.0%}, at a false-alarm rate of {FALSE_ALARM_RATE:g} for all "
            "layers)",
            "look for a large bias, a large kernel, or inputs that are not scaled; Keras's defaults leave few there",
        )
    ], any(one.value > _NEARLY_ALL for _, one in found)
