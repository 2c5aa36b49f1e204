"""Family seeds: the same seed repeats a draw, another gives an unrelated one, and no two layers share a stream."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.catalog.cases.seed_values import ALIASES, LOWER, NARROWED, UPPER, random_seeds, turned_seeds
from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.catalog.laws import ElementLaw, Orthogonal, Shape, Unstated
from initcheck.catalog.layers import LayerRequest, select
from initcheck.catalog.layers.dense import DENSE
from initcheck.catalog.layers.traits.noises import SeededNoise
from initcheck.catalog.layers.traits.weights import StackedKernels
from initcheck.checks.laws.samples import element_law
from initcheck.checks.registry import FRAMEWORK, NotApplicable, Subject, check, over_initializers
from initcheck.frameworks.libraries.chosen import documents_seed, draws_unseeded, offered_streams
from initcheck.records import Verdict, failed, passed
from initcheck.statistics import dependence
from initcheck.statistics.goodness import Finding, Sample, samples_for_shift, unit_law
from initcheck.targets import ANY, KERAS, LIBRARY, target

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab
    from initcheck.frameworks.libraries.library import LibraryStreams

_ROWS = over_initializers(random=True)
_SMALL: Shape = (5, 4)  # 20 elements of 23 random bits: two streams agree by chance once in 10¹³⁸
# Draws that take another way through a framework than a small matrix of floats: rank 3 and 4, and other dtypes.
_FORMS: tuple[tuple[Shape, str], ...] = (((3, 2, 4), "float32"), ((5, 4), "float64"), ((2, 3, 2, 3), "float16"))
_NOISY = {noise.layer: noise.arguments for noise in select(SeededNoise)}


def _require_random(row: Initializer) -> None:
    if not row.law.random:
        raise NotApplicable(f"{row.name} takes no seed")


def _documented(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those whose seeds the target documents."""
    return [pair for pair in pairs if all(map(documents_seed, pair))]


def _meeting(named: Iterable[tuple[object, np.ndarray]]) -> tuple[object, object] | None:
    """Two names whose arrays have equal bits, if there are any."""
    seen: dict[bytes, object] = {}
    for name, values in named:
        first = seen.setdefault(values.tobytes(), name)
        if first != name:
            return first, name
    return None


@check(
    "SEED01",
    "Different seeds give different draws: at the bounds of every integer width, and at random.",
    on=ANY,
    subjects=_ROWS,
    takes="initializer",
)
def different_seeds(lab: Lab, row: Initializer) -> Verdict:
    """Pairwise over two sets of seeds; the upper set holds none that would alias modulo 2³¹ − 2 (see SEED02)."""
    _require_random(row)
    tried = 0
    for seeds in (tuple(dict.fromkeys((*LOWER, *random_seeds(lab.stream, row.name)))), UPPER):
        drawn = [(seed, lab.draws.draw(row, _SMALL, seed=seed)) for seed in seeds]
        meeting = _meeting(drawn)
        if meeting:
            return failed(f"{row.name}: seeds {meeting[0]} and {meeting[1]} give the same draw", "different draws")
        tried += len(seeds)
    turned = turned_seeds(lab.stream, row.name)
    # The ranks and dtypes that a user's own initializer supports are unknown.
    forms = () if isinstance(row.law, Unstated) else _FORMS
    for shape, dtype in (form for form in forms if form[1] in lab.draws.dtypes(row)):
        drawn = [(seed, lab.draws.draw(row, shape, seed=seed, dtype=dtype)) for seed in turned]
        meeting = _meeting(drawn)
        if meeting:
            measured = f"{row.name}: seeds {meeting[0]} and {meeting[1]} give the same {dtype} draw of {shape}"
            return failed(measured, "different draws")
    return passed(f"{row.name}: {tried} seeds, all different, and {len(turned)} in other ranks and dtypes")


@check(
    "SEED02",
    "Seeds do not alias: a seed and another that differs by the framework's modulus give different draws.",
    on=ANY,
    subjects=_ROWS,
    takes="initializer",
)
def aliased_seeds(lab: Lab, row: Initializer) -> Verdict:
    """The documentation says "a Python integer"; it does not warn that two integers may give one draw."""
    _require_random(row)
    refused, pairs = 0, _documented(ALIASES)
    if not pairs:
        raise NotApplicable(f"{target()} documents none of {len(ALIASES)} pairs of seeds")
    for pair in pairs:
        drawn = [lab.draws.attempt(row, _SMALL, seed=seed) for seed in pair]
        if any(isinstance(values, str) for values in drawn):
            refused += 1  # which cannot be mistaken for a draw
        elif np.array_equal(drawn[0], drawn[1]):
            return failed(f"{row.name}: seeds {pair[0]} and {pair[1]} give the same draw", "different draws")
    if refused == len(pairs):
        return failed(f"{row.name}: none of {refused} pairs of seeds is accepted", "draws, or a part of them")
    return passed(f"{row.name}: {len(pairs) - refused} pairs differ, {refused} are refused")


@check("SEED03", "Seed 0 is a seed like any other.", on=ANY, subjects=_ROWS, takes="initializer")
def seed_zero(lab: Lab, row: Initializer) -> Verdict:
    """Two instances with seed 0 agree, and differ from seed 1 and from no seed (keras#19361, keras#15586)."""
    _require_random(row)
    zero, again, one = (lab.draws.draw(row, _SMALL, seed=seed) for seed in (0, 0, 1))
    unseeded = [lab.draws.draw(row, _SMALL, seed=None)] if draws_unseeded() else []
    if not np.array_equal(zero, again):
        return failed(f"{row.name}: two instances with seed 0 differ", "the same draw")
    if any(np.array_equal(zero, other) for other in (one, *unseeded)):
        return failed(f"{row.name}: seed 0 draws what seed 1 or no seed draws", "a stream of its own")
    return passed(f"{row.name}: seed 0 repeats, and differs from 1 and from none")


_MANY = 70  # calls of one instance or generator: more than a counter of 4 to 6 bits holds


@check(
    "SEED04",
    "An instance with an integer seed returns the same values at every call, and so do all its equals.",
    on=ANY,
    subjects=_ROWS,
    takes="initializer",
)
def integer_seed_repeats(lab: Lab, row: Initializer) -> Verdict:
    """Documented: "an initializer seeded with an integer will produce the same random values across multiple calls"."""
    _require_random(row)
    for name in ("small", "large"):
        seed = lab.stream("seeds", "repeat", row.name, name)
        shape, count = (_SMALL, _MANY) if name == "small" else ((3, 3, 8, 30), 3)
        calls = lab.draws.repeated(row, shape, seed=seed, calls=count)
        lab.draws.draw(row, (7, 3), seed=seed + 1)  # something else in between
        calls.append(lab.draws.draw(row, shape, seed=seed))
        for number, values in enumerate(calls[1:], start=2):
            if not np.array_equal(values, calls[0]):
                return failed(
                    f"{row.name}, seed {seed}: draw {number} of {shape} differs from the first", "the same bits"
                )
    return passed(f"{row.name}: {_MANY} calls and a second instance agree")


@check("SEED05", "Unseeded instances differ from each other.", on=ANY, subjects=_ROWS, takes="initializer")
def unseeded_differ(lab: Lab, row: Initializer) -> Verdict:
    """Twelve of them: the framework picks one of 10⁹ seeds, so two meet by chance once in 15 million times."""
    _require_random(row)
    if not draws_unseeded():
        raise NotApplicable(f"{target()} draws nothing without a seed")
    meeting = _meeting((number, lab.draws.draw(row, _SMALL, seed=None)) for number in range(12))
    if meeting:
        return failed(f"{row.name}: unseeded instances {meeting[0]} and {meeting[1]} draw the same", "different draws")
    return passed(f"{row.name}: 12 unseeded instances, all different")


_LENGTH = (64, 64)


def _standardized(row: Initializer, values: np.ndarray) -> tuple[Sample, ElementLaw]:
    """The elements in σ; those of a large orthogonal matrix are nearly normal with variance 1/rows."""
    sample = values.astype(np.float64).ravel()
    if isinstance(row.law, Orthogonal):
        return sample / row.law.gain * math.sqrt(max(math.prod(values.shape[:-1]), values.shape[-1])), unit_law(
            "normal"
        )
    law = element_law(row, values.shape)
    return (sample - law.mean) / law.stddev, unit_law(law.family)


def _related(pairs: int, sharing: float) -> dict[str, Any]:
    """The traits of a check of that many pairs of streams, each of which has a stream in common with so many others.

    A score of streams with the correlation ρ varies more than one of unrelated streams: products of two normal
    elements have variance 1 + ρ², and a covariance of ρ + ρ² with those of a pair that shares a stream, of 2ρ² with
    those of another (Isserlis 1918).
    """
    shifts = math.prod(_LENGTH) - 1
    one, common = 0.25, 0.06
    shared = 1 + common**2 + sharing * (common + common**2) + (pairs - 1 - sharing) * 2 * common**2

    def min_samples(alpha: float) -> int:
        tests = 4 * shifts  # elements and magnitudes; pairs by themselves and together
        return max(
            samples_for_shift(one, alpha, tests * pairs, math.sqrt(1 + one**2)),
            math.ceil(samples_for_shift(common, alpha, tests, math.sqrt(shared)) / pairs),
        )

    return {
        "detects": f"a correlation of {one} between two streams at any shift, of {common} if all pairs share it",
        "samples": lambda factor: math.prod(_LENGTH) // 2,  # products at the largest shift
        "min_samples": min_samples,
    }


_PAIRS = 24


@check(
    "SEED06",
    "Draws of neighbouring seeds are unrelated, at every shift.",
    on=ANY,
    subjects=_ROWS,
    takes="initializer",
    **_related(_PAIRS, 0),
)
def neighbouring_seeds(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """Correlations of elements and of magnitudes between seeds s and s + 1, and s and 2s."""
    _require_random(row)
    pairs = []
    for number in range(_PAIRS):
        seed = lab.stream("seeds", "neighbours", row.name, number) // 2
        other = seed + 1 if number % 4 else 2 * seed
        drawn = [_standardized(row, lab.draws.draw(row, _LENGTH, seed=one)) for one in (seed, other)]
        pairs.append((drawn[0][0], drawn[1][0]))
    return _unrelated(dependence.between(pairs, drawn[0][1]), alpha, f"{row.name}, seeds s and s + 1")


def _unrelated(finding: Finding, alpha: float, what: str) -> Verdict:
    facts = {"n": finding.n, "p_value": finding.p_value, "alpha": alpha, "effect": finding.value}
    measured = f"{what}: {finding.group}, score {finding.value:.2f}"
    return failed(measured, "unrelated draws", **facts) if finding.p_value < alpha else passed(measured, **facts)


_LAYERS = 10
# Each layer with the next, and the first one with all: 36 + 7 + 16 times two of the 17 pairs have a layer in common.
_MODEL = _related(2 * _LAYERS - 3, 2 * 59 / 17)


@check("SEED07", "Layers of a model do not share a stream.", on=KERAS, subjects=_ROWS, takes="initializer", **_MODEL)
def layers_apart(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """Ten like layers, each with an unseeded initializer of its own, after seeding everything once."""
    _require_random(row)
    request = LayerRequest(DENSE.name, {"units": _LENGTH[1], "use_bias": False}, ((1, _LENGTH[0]),))
    seed = lab.stream("seeds", "layers", row.name)
    kernels = lab.draws.layers.unseeded(request, "kernel_initializer", row, _LAYERS, seed)
    meeting = _meeting(enumerate(kernels))
    if meeting:
        return failed(f"{row.name}: layers {meeting[0]} and {meeting[1]} have the same kernel", "kernels that differ")
    scaled = [_standardized(row, kernel) for kernel in kernels]
    pairs = [(first[0], second[0]) for first, second in itertools.pairwise(scaled)]
    pairs += [(scaled[0][0], one[0]) for one in scaled[2:]]
    return _unrelated(dependence.between(pairs, scaled[0][1]), alpha, f"{row.name}: kernels of a model's layers")


_STACK = {stacked.layer: stacked for stacked in select(StackedKernels)}
_KERNELS = sum(stacked.kernels for stacked in _STACK.values())


@check(
    "SEED08",
    "By default, kernels of different kinds of layer, and those within one layer, do not share a stream.",
    on=KERAS,
    **_related(_KERNELS * (_KERNELS - 1) // 2, 2 * (_KERNELS - 2)),
)
def unlike_layers_apart(lab: Lab, _: None, alpha: float) -> Verdict:
    """All kernels of a model with dense, convolution, recurrent, attention and embedding layers, pair by pair.

    They are compared by the ranks of their first 4,096 elements, which two that share a stream have in common even
    where their scales differ.
    """
    built = lab.draws.layers.stack([one.request for one in _STACK.values()], lab.stream("seeds", "stack"))
    named = [
        (f"{name}'s weight {place}", values)
        for name, weights in zip(_STACK, built, strict=True)
        for place, values in enumerate(weights)
        if values.size >= math.prod(_LENGTH) and len(np.unique(values)) > 1
    ]
    if len(named) < len(_STACK) + 8:
        return failed(f"{len(named)} kernels with differing elements", f"at least {len(_STACK) + 8}")
    meeting = _meeting(named)
    if meeting:
        return failed(f"{meeting[0]} is {meeting[1]}", "kernels that differ")
    scaled = [_ranks(values.ravel()[: math.prod(_LENGTH)]) for _, values in named]
    pairs = [(x, y) for number, x in enumerate(scaled) for y in scaled[:number]]
    return _unrelated(dependence.between(pairs, unit_law("uniform")), alpha, f"{len(pairs)} pairs of kernels")


def _ranks(values: np.ndarray) -> Sample:
    """The ranks, as a sample of the uniform law with mean 0 and standard deviation 1."""
    ranks = values.argsort(kind="stable").argsort(kind="stable")
    return np.asarray((2 * (ranks + 0.5) / len(ranks) - 1) * math.sqrt(3))


_CALLS = 15


@check(
    "SEED09",
    "With a SeedGenerator as its seed, an initializer advances at each call, and repeats from the start.",
    on=KERAS,
    subjects=_ROWS,
    takes="initializer",
    **_related(_CALLS - 1, 2 * (_CALLS - 2) / (_CALLS - 1)),  # each call with the next one
)
def generators_advance(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """Documented: "to get different random values across multiple calls, use as seed a SeedGenerator"."""
    _require_random(row)
    seed = lab.stream("seeds", "generator", row.name)
    calls = lab.draws.advancing(row, _LENGTH, seed=seed, calls=_CALLS)
    again = lab.draws.advancing(row, _LENGTH, seed=seed, calls=_CALLS)
    other = lab.draws.advancing(row, _LENGTH, seed=seed + 1, calls=_CALLS)
    if calls is None or again is None or other is None:
        raise NotApplicable("the installed Keras has no SeedGenerator")
    if any(not np.array_equal(first, second) for first, second in zip(calls, again, strict=True)):
        return failed(f"{row.name}: two generators with seed {seed} differ", "the same sequence of draws")
    meeting = _meeting(enumerate([*calls, *other]))
    if meeting:
        return failed(f"{row.name}: draws {meeting[0]} and {meeting[1]} of two generators agree", "different draws")
    scaled = [_standardized(row, values) for values in calls]
    pairs = [(first[0], second[0]) for first, second in itertools.pairwise(scaled)]
    return _unrelated(dependence.between(pairs, scaled[0][1]), alpha, f"{row.name}: successive draws of a generator")


_REFUSED = {"a float": 1.5, "a string": "7", "a list": [1], "a pair": (1, 2)}
_NUMPY = {"np.int64(5)": np.int64(5), "np.int32(5)": np.int32(5), "np.array(5)": np.array(5)}


@check(
    "SEED10",
    "A seed that is not an integer is refused, never silently replaced.",
    subjects=_ROWS,
    takes="initializer",
    on=ANY,
)
def seed_types(lab: Lab, row: Initializer) -> Verdict:
    """Documented: "a Python integer or instance of SeedGenerator"; an integer of NumPy's is refused or honoured."""
    _require_random(row)
    for name, seed in _REFUSED.items():
        if not isinstance(lab.draws.attempt(row, _SMALL, seed=seed), str):
            return failed(f"{row.name} takes {name} as its seed", "an error")
    five = lab.draws.draw(row, _SMALL, seed=5)
    for name, seed in _NUMPY.items():
        draw = lab.draws.attempt(row, _SMALL, seed=seed)
        if not isinstance(draw, str) and not np.array_equal(draw, five):
            return failed(f"{row.name}: the seed {name} and 5 give different draws", "an error, or the draw of 5")
    return passed(f"{row.name}: {len(_REFUSED)} types refused, NumPy's integers refused or honoured")


def _noise(lab: Lab, layer: str) -> tuple[list[tuple[int, int, np.ndarray]], list[tuple[int, int, np.ndarray]], str]:
    """Returns noise of seeded layers (seed, call, values), of unseeded ones (layer, call, values), and a difference.

    One global seed keeps a layer that forgets its own seed from looking as if it used it.
    """
    inputs = np.ones((8, 6, 40), np.float32)
    argument = _NOISY[layer]
    everywhere = lab.stream("seeds", "noise", layer)
    seeded: list[tuple[int, int, np.ndarray]] = []
    differing = ""
    for seed in (0, 1, 2, 2**16, 2**31 - 3, everywhere // 2, everywhere // 2 + 1):
        (calls,), (again,) = (
            lab.draws.layers.noise(layer, {**argument, "seed": seed}, inputs, seed=everywhere, calls=3)
            for _ in range(2)
        )
        if any(not np.array_equal(first, second) for first, second in zip(calls, again, strict=True)):
            differing = f"{layer}: two layers with seed {seed} differ"
        seeded += [(seed, number, values) for number, values in enumerate(calls)]
    made = lab.draws.layers.noise(layer, argument, inputs, seed=everywhere, layers=6, calls=2)
    unseeded = [(k, number, values) for k, calls in enumerate(made) for number, values in enumerate(calls)]
    return seeded, unseeded, differing


@check("SEED11", "Noise layers honour their seed, 0 included.", on=KERAS, subjects=[Subject(n, n) for n in _NOISY])
def noise_seeds(lab: Lab, layer: str) -> Verdict:
    """Same seed, same noise call by call; another seed, call or unseeded layer, other noise."""
    seeded, unseeded, differing = lab.once(("seeds", "noise", layer), lambda: _noise(lab, layer))
    if differing:
        return failed(differing, "the same noise, call by call")
    compared = [
        *([(f"seed {seed}", values) for seed, number, values in seeded if number == call] for call in range(3)),
        *([(f"call {number}", values) for one, number, values in seeded if one == seed] for seed, _, _ in seeded),
        [(f"call {number} of unseeded layer {k}", values) for k, number, values in unseeded],
    ]
    for some in compared:
        meeting = _meeting(some)
        if meeting:
            return failed(f"{layer}: {meeting[0]} and {meeting[1]} give the same noise", "different noise")
    return passed(f"{layer}: {len(seeded) + len(unseeded)} calls")


@check(
    "SEED12",
    "No call of one noise layer repeats a call of another.",
    on=KERAS,
    subjects=[Subject(n, n) for n in _NOISY],
)
def noise_streams(lab: Lab, layer: str) -> Verdict:
    """All calls of all layers, seeded and not, against each other."""
    seeded, unseeded, _ = lab.once(("seeds", "noise", layer), lambda: _noise(lab, layer))
    named = [(f"call {number} of seed {seed}", values) for seed, number, values in seeded]
    meeting = _meeting([*named, *((f"call {number} of unseeded layer {k}", values) for k, number, values in unseeded)])
    if meeting:
        return failed(f"{layer}: {meeting[0]} and {meeting[1]} give the same noise", "different noise")
    return passed(f"{layer}: {len(seeded) + len(unseeded)} calls, all different")


@check(
    "SEED13",
    "Seeds that a narrower integer type would merge give different draws, where they are accepted.",
    on=ANY,
    subjects=[Subject(lost, pairs) for lost, pairs in NARROWED.items()],
)
def narrowed_seeds(lab: Lab, pairs: tuple[tuple[int, int], ...]) -> Verdict:
    """Negative seeds, and those beyond 31 and 32 bits; the pairs of SEED02 are not among them."""
    compared = 0
    for subject in _ROWS:
        row: Initializer = subject.value
        for pair in _documented(pairs):
            drawn = [lab.draws.attempt(row, _SMALL, seed=seed) for seed in pair]
            if any(isinstance(values, str) for values in drawn):
                continue  # rejected, which cannot be mistaken for a draw
            if np.array_equal(drawn[0], drawn[1]):
                return failed(f"{row.name}: seeds {pair[0]} and {pair[1]} give the same draw", "different draws")
            compared += 1
    return passed(f"{compared} pairs differ, {len(pairs) * len(_ROWS) - compared} are refused or not documented")


@check("SEED14", "SeedGenerators with different seeds differ, and none returns to an earlier state.", on=KERAS)
def generators_apart(lab: Lab, _: None) -> Verdict:
    """The first draws of generators with many seeds, seventy calls of one of them, and a thousand of its states."""
    row = INITIALIZERS["random_uniform"]
    named = []
    for seed in dict.fromkeys((*LOWER, *random_seeds(lab.stream, "generators"))):
        calls = lab.draws.advancing(row, _SMALL, seed=seed, calls=1)
        if calls is None:
            raise NotApplicable("the installed Keras has no SeedGenerator")
        named.append((f"the first draw of seed {seed}", calls[0]))
    seed = lab.stream("seeds", "generators", "long")
    long = lab.draws.advancing(row, _SMALL, seed=seed, calls=_MANY) or []
    named += [(f"draw {number} of seed {seed}", values) for number, values in enumerate(long, start=1)]
    meeting = _meeting(named) or _meeting(enumerate(lab.draws.states(seed=seed, calls=_STATES) or []))
    if meeting:
        return failed(f"{meeting[0]} is {meeting[1]}", "different draws")
    return passed(f"{len(named)} draws and {_STATES} states, all different")


_STATES = 1100  # of one generator: more than a counter of ten bits holds
_CLASSES = {
    subject.value.made_by: subject for subject in reversed(_ROWS)
}  # other rows of one class use seeds in the same way
_POOL = 400  # of 10⁴ seeds, 400 instances take some twice but for e^(−400²/2·10⁴) = 3e-4


@check(
    "SEED15",
    "Unseeded instances choose among many seeds.",
    on=KERAS,
    subjects=[*_CLASSES.values(), Subject("SeedGenerator", None)],
)
def unseeded_pool(lab: Lab, row: Initializer | None) -> Verdict:
    """If two of 400 agree, 400 others are drawn: with 10⁹ seeds two of those would agree once in 10⁴ times."""

    def draw() -> np.ndarray:
        if row:
            return lab.draws.draw(row, _SMALL, seed=None)
        states = lab.draws.states()
        if states is None:
            raise NotApplicable("the installed Keras has no SeedGenerator")
        return states[0]

    for _look in range(2):
        if not _meeting((number, draw()) for number in range(_POOL)):
            return passed(f"{_POOL} unseeded instances, all different")
    measured = f"of {_POOL} unseeded instances some agree, and so of {_POOL} others"
    return failed(measured, "different draws, as from 10⁹ seeds")


@check(
    "SEED16",
    "Places of one model, and keys made of one, do not share values or streams, and repeat under their seed.",
    on=LIBRARY,
    subjects=[Subject(streams.name, streams) for streams in offered_streams()] or FRAMEWORK,
    **_MODEL,
)
def places_apart(lab: Lab, streams: LibraryStreams | None, alpha: float) -> Verdict:
    """All places of two neighbouring seeds against each other, bit by bit; of one seed the first ten by their ranks."""
    if streams is None:
        raise NotApplicable(f"{target()} describes no streams")
    seed = lab.stream("seeds", "places", streams.name) // 2
    documented = f"“{streams.sentence}” ({streams.source})"
    drawn = {one: streams.draw(one) for one in (seed, seed + 1)}
    again = streams.draw(seed)
    differing = [place for place, values in drawn[seed].items() if not np.array_equal(values, again[place])]
    if differing:
        return failed(f"{streams.name}: {differing[0]} differs when seed {seed} draws again", "the same values")
    named = [(f"{place} of seed {one}", values) for one, places in drawn.items() for place, values in places.items()]
    meeting = _meeting(named)
    if meeting:
        return failed(f"{streams.name}: {meeting[0]} is {meeting[1]}", f"values that differ, as of {documented}")
    places = [_ranks(values.ravel()[: math.prod(_LENGTH)]) for values in list(drawn[seed].values())[:_LAYERS]]
    pairs = [*itertools.pairwise(places), *((places[0], one) for one in places[2:])]
    return _unrelated(dependence.between(pairs, unit_law("uniform")), alpha, f"{streams.name}, {len(named)} places")
