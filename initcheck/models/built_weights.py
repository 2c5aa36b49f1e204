"""The initial weights of a user's model over several builds, against the documented laws of their initializers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.catalog.laws import Constant, ElementLaw, Elementwise, Identity, Orthogonal, Unstated, VarianceScaled
from initcheck.catalog.layers.signals import OF_CATEGORIES
from initcheck.digests import digest
from initcheck.engines.own_models import AddedWeight, Array, OwnData, OwnModel
from initcheck.engines.pinned_sources import SEEDS, pinned
from initcheck.models.diagnosis import FALSE_ALARM_RATE, ModelFinding, WeightFacts, listed
from initcheck.models.stated_laws import StatedLaw, explain_fans, stated_law, words_of
from initcheck.seeding import derive_seed

SEEDS_TRIED = 6  # of builds; one more repeats the first
OFF_SCALE = "a scale that is not its initializer's"
MIN_ELEMENTS = 200  # over all builds: with fewer the p-value of a scale is not to be trusted; see ``_scale``
_OPTIMISM = 3  # by which p-values of a scale are multiplied; likewise
_SAME_DIRECTION = 1 - 1e-6  # of a correlation
_RELATED = 0.99  # of a correlation: a weight that was scaled after its draw, or moved a little
_LEAST_CORRELATED = 8  # elements: two independent draws correlate so closely in less than one pair of 10¹⁵
_CONSTANT_ERROR = 1e-5  # relative, of a constant or of a matrix that is to be orthogonal; float32 rounds to 6e-8
_ORTHOGONAL_ERROR = 1e-3
_LEAST_EQUAL = 2  # elements: two draws of float32 are equal by chance less than once in 10¹³
_LARGEST = 4_000_000  # elements of a weight that are looked at
# Of a matrix that is the same in every build, and of which no law is stated: whether it looks drawn. Draws of float32
# are nearly all unlike in size, and neighbours are uncorrelated (within 4 standard errors, 1 of 16,000 is beyond);
# tables of waves, bases of cosines, stencils and identities are neither.
_LEAST_DRAWN = 32  # elements
_UNLIKE = 0.9
_NEIGHBOURS = 4.0

RESEEDS, FIXED, UNSEEDED, CONSTANT = "reseeds", "fixed", "unseeded", "constant"
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BuiltWeight:
    """One weight over several builds.

    Attributes:
        added: The weight as first built.
        stated: The documented law of its initializer.
        values: Its values under each seed.
        again: Its values under the first seed once more.
    """

    added: AddedWeight
    stated: StatedLaw
    values: list[Array]
    again: Array

    @property
    def seeding(self) -> str:
        """Whether it differs under one seed, is the same under all, or follows the seed."""
        if digest([self.values[0]]) != digest([self.again]):
            return UNSEEDED
        return RESEEDS if len({digest([value]) for value in self.values}) > 1 else FIXED

    @property
    def draws(self) -> Values:
        """The elements of all builds that differ, shape ``(builds, elements)``."""
        different = {digest([value]): value for value in self.values}
        return np.array([np.ravel(value)[:_LARGEST] for value in different.values()], dtype=np.float64)

    @property
    def varies_within(self) -> bool:
        """Whether its elements differ from each other."""
        return bool(np.ptp(self.draws[0]) > 0) if self.draws.size else False


def build_weights(
    keras: Any, own: OwnModel, data: OwnData | None, seed: int, paths: Sequence[str]
) -> list[BuiltWeight]:
    """The weights of the model built under several seeds, and under the first of them again.

    Args:
        keras: The framework.
        own: The model.
        data: What it is built with, if it needs any.
        seed: From which the seeds are derived.
        paths: The weights' paths in an earlier build, as Keras counts names on.

    Returns:
        Its weights of real numbers; none where it is another model each time, which is another finding.

    Raises:
        InitcheckError: A mistake in the model.
    """
    builds = []
    for number in (*range(SEEDS_TRIED), 0):
        with pinned(keras, SEEDS, derive_seed(seed, "doctor", "build", number)):
            builds.append(own.make_model(keras, data)[1])
    *tried, again = builds
    if any([one.value.shape for one in build] != [one.value.shape for one in tried[0]] for build in builds):
        return []
    if len(paths) == len(tried[0]):
        tried[0] = [replace(one, path=path) for one, path in zip(tried[0], paths, strict=True)]
    return [
        BuiltWeight(first, stated_law(first.initializer, first.value.shape), [one.value for one in values], last.value)
        for first, last, *values in zip(tried[0], again, *tried, strict=True)
        if first.value.dtype.kind == "f" or first.value.dtype.name == "bfloat16"
    ]


def facts_of(weight: BuiltWeight) -> WeightFacts:
    """What the table shows of a weight."""
    law, draws = weight.stated.law, weight.draws
    expected: float | None = None
    if isinstance(law, Constant):
        expected = law.value
    elif isinstance(law, Elementwise | VarianceScaled):
        expected = law.at(weight.stated.shape).stddev
    elif isinstance(law, Orthogonal) and draws.size:
        expected = _orthogonal_scale(weight)
    center = law.at(weight.stated.shape).mean if isinstance(law, Elementwise) else 0.0
    flat = not weight.varies_within
    actual = (
        float(draws.mean())
        if flat and draws.size
        else math.sqrt(float(np.mean((draws - center) ** 2) if draws.size else 0))
    )
    return WeightFacts(
        path=weight.added.path,
        shape=weight.added.value.shape,
        initializer=words_of(weight.added.initializer),
        law=str(law),
        fans=weight.stated.fans,
        expected=expected,
        actual=actual,
        seeding=CONSTANT if flat and weight.seeding == FIXED else weight.seeding,
        note=explain_fans(weight.added.layer, weight.stated, weight.added.value.shape),
    )


def find_in_weights(weights: Sequence[BuiltWeight]) -> list[ModelFinding]:
    """What is wrong with the weights as drawn."""
    return [*_find_unseeded(weights), *_find_copies(weights), *_find_scales(weights)]


def count_tested(weights: Sequence[BuiltWeight]) -> int:
    """The number of weights whose scale is tested: of random laws, with elements enough."""
    return sum(_is_testable(weight) and not _is_replaced(weight) for weight in weights)


def any_replaced(weights: Sequence[BuiltWeight]) -> bool:
    """Whether some of the weights are loaded, or drawn anew after their initializers drew."""
    return any(map(_is_replaced, weights))


def notes_on_weights(weights: Sequence[BuiltWeight]) -> list[str]:
    """What is the same in every build, and what does not come from its initializer."""
    fixed = [
        weight.added.path
        for weight in weights
        if weight.seeding == FIXED and weight.varies_within and not isinstance(weight.stated.law, Constant | Identity)
    ]
    replaced = [weight.added.path for weight in weights if _is_replaced(weight)]
    notes = []
    if fixed:
        notes.append(
            f"The same in every build, whatever the global seed: {listed(fixed)}. Their initializers have seeds of "
            "their own, build() seeds itself, or they are loaded: reseeding changes nothing there."
        )
    if replaced:
        notes.append(
            f"Loaded, or drawn anew after their initializers drew: {listed(replaced)}. None is compared with a law."
        )
    return notes


def _find_unseeded(weights: Sequence[BuiltWeight]) -> list[ModelFinding]:
    which = [weight for weight in weights if weight.seeding == UNSEEDED]
    if not which:
        return []
    kinds = sorted({words_of(weight.added.initializer) for weight in which})
    return [
        ModelFinding(
            "initial weights that no global seed decides",
            listed([weight.added.path for weight in which]),
            f"built twice under one keras.utils.set_random_seed, {len(which)} of {len(weights)} weights differ "
            f"({listed(kinds)})",
            "draw with keras.random and a seed, or from a generator that is given one",
        )
    ]


def _find_copies(weights: Sequence[BuiltWeight]) -> list[ModelFinding]:
    """Groups of trainable weights that are equal, or proportional as far as the shorter one goes."""
    random = [weight for weight in weights if weight.added.trainable and weight.varies_within and _is_random(weight)]
    random = [weight for weight in random if not _is_replaced(weight)]  # a decoder that starts as its encoder, say
    groups: list[list[BuiltWeight]] = []
    for weight in random:
        home = next((group for group in groups if _alike(group[0], weight)), None)
        if home is None:
            groups.append([weight])
        else:
            home.append(weight)
    return [_copies(group) for group in groups if len(group) > 1 and not _are_tables(group)]


def _are_tables(group: Sequence[BuiltWeight]) -> bool:
    """Whether they are tables of categories that are the same in every build: vectors of words, learned before."""
    return all(_is_kept(weight) and weight.added.layer in OF_CATEGORIES for weight in group)


def _is_kept(weight: BuiltWeight) -> bool:
    """Whether it is the same in every build by an initializer that states no law."""
    return isinstance(weight.stated.law, Unstated) and weight.seeding == FIXED


def _is_random(weight: BuiltWeight) -> bool:
    """Whether it is drawn; an LSTM's bias, zeros and ones for one gate, is not."""
    unstated = isinstance(weight.stated.law, Unstated)
    return weight.seeding != FIXED or (weight.stated.law.random if not unstated else _looks_drawn(weight.values[0]))


def _looks_drawn(value: Array) -> bool:
    """Whether a matrix that is the same in every build looks like draws: of one seed, or kept as an array."""
    if value.ndim < 2 or not _LEAST_DRAWN <= value.size <= _LARGEST:
        return False
    values = value.astype(np.float64)
    if len(np.unique(np.abs(values))) < _UNLIKE * values.size:
        return False
    values = values - values.mean()
    variance = float(np.mean(values**2))
    for axis in (0, -1):
        one, two = (
            np.take(values, range(1, values.shape[axis]), axis),
            np.take(values, range(values.shape[axis] - 1), axis),
        )
        if one.size and abs(float(np.mean(one * two))) * math.sqrt(one.size) > _NEIGHBOURS * variance:
            return False
    return True


def _alike(one: BuiltWeight, two: BuiltWeight) -> bool:
    first, second = (np.ravel(weight.values[0])[:_LARGEST] for weight in (one, two))
    least = _LEAST_EQUAL if first.dtype.itemsize >= 4 else _LEAST_CORRELATED  # half types have few values
    if first.shape == second.shape and first.size >= least and np.array_equal(first, second):
        return True
    return _proportional(first, second, _SAME_DIRECTION)


def _proportional(first: Array, second: Array, least: float) -> bool:
    """Whether two draws correlate so closely, as far as the shorter one goes; unknown, and so false, for a few."""
    size = min(first.size, second.size)
    if size < _LEAST_CORRELATED:
        return False
    one, two = (part[:size].astype(np.float64) - part[:size].astype(np.float64).mean() for part in (first, second))
    norms = math.sqrt(float(one @ one) * float(two @ two))
    return norms > 0 and abs(float(one @ two)) / norms > least


def _copies(group: Sequence[BuiltWeight]) -> ModelFinding:
    first, *others = group
    equal = all(digest([first.values[0]]) == digest([other.values[0]]) for other in others)
    seeds = {int(weight.added.initializer.seed) for weight in group if _has_int_seed(weight)}
    shared = any(one.added.initializer is two.added.initializer for one, two in itertools.combinations(group, 2))
    why = "one instance of an initializer is given to both" if shared else "their initializers have one seed"
    if fixed := all(map(_is_kept, group)):
        why = "the same in every build, too: what draws them has one seed, or is an array that is kept"
    cause = f"; {why}" + (f" ({min(seeds)})" if len(seeds) == 1 and not shared and not fixed else "")
    return ModelFinding(
        "weights that are drawn equal" if equal else "weights that are drawn in proportion",
        listed([weight.added.path for weight in group]),
        ("bitwise equal" if equal else "correlation 1.000000 element by element, as far as the shorter one goes")
        + (cause if shared or seeds or fixed else ""),
        "give each layer an initializer of its own, without a seed or each with another one",
    )


def _has_int_seed(weight: BuiltWeight) -> bool:
    return isinstance(getattr(weight.added.initializer, "seed", None), int)


def _find_scales(weights: Sequence[BuiltWeight]) -> list[ModelFinding]:
    """Weights whose scale is not their law's: of random laws by a test, of others exactly."""
    replaced = any(map(_is_replaced, weights))  # with them constants may have been loaded, such as biases
    judged = [weight for weight in weights if not _is_replaced(weight) and (weight.stated.law.random or not replaced)]
    tested = [weight for weight in judged if _is_testable(weight)]
    findings = []
    for weight in tested:
        law = weight.stated.law.at(weight.stated.shape)  # type: ignore[union-attr]
        ratio, p_value = _scale(weight.draws, law)
        p_value = min(1.0, _OPTIMISM * p_value * len(tested))
        if p_value < FALSE_ALARM_RATE:
            findings.append(
                _scale_finding(
                    weight,
                    ratio,
                    f"{weight.draws.size:,} elements in {len(weight.draws)} builds, "
                    f"p {p_value:.1g} after Bonferroni over {len(tested)} weights, α {FALSE_ALARM_RATE:g}",
                )
            )
    exact = [(weight, off) for weight in judged if weight.added.trainable and (off := _exact_ratio(weight)) is not None]
    return [
        *findings,
        *(_scale_finding(weight, off, "compared exactly, beyond rounding error") for weight, off in exact),
    ]


def _is_replaced(weight: BuiltWeight) -> bool:
    """Whether its value has nothing to do with what its initializer drew: it was loaded, or drawn anew."""
    drawn, value = weight.added.drawn, weight.added.value
    if not weight.stated.law.random or drawn is None or drawn.shape != value.shape:
        return False
    return not np.array_equal(drawn, value) and not _proportional(np.ravel(drawn), np.ravel(value), _RELATED)


def _is_testable(weight: BuiltWeight) -> bool:
    law = weight.stated.law
    return (
        isinstance(law, Elementwise | VarianceScaled)
        and law.at(weight.stated.shape).spread > 0
        and weight.draws.size >= MIN_ELEMENTS
    )


def _scale(draws: Values, law: ElementLaw) -> tuple[float, float]:
    """The standard deviation about the law's mean over the law's own, and its p-value.

    The sum of squares of n elements is taken for χ² with 2n/(κ − 1) degrees of freedom, which has its mean and its
    variance, and for κ = 3 is its law. By its own law (a convolution of n squares) with 200 elements of a uniform law
    1.3 in 10⁴ lie below p = 10⁻⁴, 1.6 in 10⁵ below 10⁻⁵ and 2.3 in 10⁶ below 10⁻⁶; of a truncated normal law 1.1, 1.3
    and 1.5; with more elements fewer. Hence a factor of 3, which holds down to p = 3·10⁻⁷: for a thousand weights.
    """
    from scipy import special

    n = draws.size
    ratio = float(np.mean(((draws - law.mean) / law.stddev) ** 2))
    freedom = 2 * n / (law.kurtosis - 1)
    tails = special.chdtr(freedom, ratio * freedom), special.chdtrc(freedom, ratio * freedom)
    return math.sqrt(ratio), min(1.0, 2 * float(min(tails)))


def _orthogonal_scale(weight: BuiltWeight) -> float:
    """The root mean square of the elements of a matrix with orthonormal rows or columns, times its gain."""
    shape = weight.added.value.shape
    rows, columns = math.prod(shape[:-1]), shape[-1]
    gain = weight.stated.law.gain  # type: ignore[union-attr]
    return float(abs(gain) * math.sqrt(min(rows, columns) / max(1, rows * columns)))


def _exact_ratio(weight: BuiltWeight) -> float | None:
    """By which factor a weight differs from a law without chance in its scale; None if it does not."""
    law, draws = weight.stated.law, weight.draws
    if not draws.size or draws.shape[1] < math.prod(weight.added.value.shape):
        return None
    if isinstance(law, Orthogonal):
        ratio = math.sqrt(float(np.mean(draws[0] ** 2))) / (_orthogonal_scale(weight) or 1)
        return ratio if abs(ratio - 1) > _ORTHOGONAL_ERROR else None
    if not isinstance(law, Constant | Identity) or weight.added.value.dtype.itemsize < 4:
        return None
    expected = np.ravel(law.expected(weight.added.value.shape))
    size = float(np.abs(expected).max(initial=0)) or 1.0
    if float(np.abs(draws - expected).max()) <= _CONSTANT_ERROR * size:
        return None
    return math.sqrt(float(np.mean(draws**2))) / (math.sqrt(float(np.mean(expected**2))) or math.nan)


def _scale_finding(weight: BuiltWeight, ratio: float, evidence: str) -> ModelFinding:
    derived = f", from which {type(weight.added.initializer).__name__} is derived" if weight.stated.derived else ""
    law = f"{weight.stated.derived or words_of(weight.added.initializer)}{derived}: {weight.stated.law}"
    size = f"{ratio:.3g} times the documented scale" if math.isfinite(ratio) else "not 0, as documented"
    return ModelFinding(
        OFF_SCALE,
        weight.added.path,
        f"{size} ({law}; {evidence})",
        "look for what changes the weight after it is drawn, or draws it otherwise; an initializer of another law had "
        "better derive from keras.initializers.Initializer",
    )
