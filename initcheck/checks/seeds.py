"""Family seeds: another seed gives another, unrelated draw; the same seed the same one; and nobody shares a stream."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import ElementLaw, Orthogonal, Shape
from initcheck.catalog.layers import LayerRequest
from initcheck.checks import dependence
from initcheck.checks.goodness import Finding, Sample, samples_for_shift, unit_law
from initcheck.checks.registry import NotApplicable, Subject, check, over_initializers
from initcheck.checks.samples import element_law
from initcheck.checks.seed_values import ALIASES, LOWER, UPPER, random_seeds
from initcheck.records import Verdict, failed, passed

if TYPE_CHECKING:
    from initcheck.training.lab import Lab

_ROWS = over_initializers(random=True)
_SMALL: Shape = (5, 4)  # 20 elements of 23 random bits: two streams agree by chance once in 10¹³⁸
_NOISY = ("Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "AlphaDropout")


def _require_random(row: Initializer) -> None:
    if not row.law.random:
        raise NotApplicable(f"{row.name} takes no seed")


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
    subjects=_ROWS,
    takes="initializer",
)
def different_seeds(lab: Lab, row: Initializer) -> Verdict:
    """Pairwise over two sets of seeds; the upper set holds none that would alias modulo 2³¹ − 2 (see SEED02)."""
    _require_random(row)
    tried = 0
    for seeds in (tuple(dict.fromkeys((*LOWER, *random_seeds(lab, row.name)))), UPPER):
        drawn = [(seed, lab.draws.draw(row, _SMALL, seed=seed)) for seed in seeds]
        meeting = _meeting(drawn)
        if meeting:
            return failed(f"{row.name}: seeds {meeting[0]} and {meeting[1]} give the same draw", "different draws")
        tried += len(seeds)
    return passed(f"{row.name}: {tried} seeds, no two alike")


@check(
    "SEED02",
    "Seeds do not alias: a seed and another that differs by the framework's modulus give different draws.",
    subjects=_ROWS,
    takes="initializer",
)
def aliased_seeds(lab: Lab, row: Initializer) -> Verdict:
    """The documentation says "a Python integer"; nothing warns that integers meet."""
    _require_random(row)
    for pair in ALIASES:
        drawn = [(seed, lab.draws.draw(row, _SMALL, seed=seed)) for seed in pair]
        if _meeting(drawn):
            return failed(f"{row.name}: seeds {pair[0]} and {pair[1]} give the same draw", "different draws")
    return passed(f"{row.name}: {len(ALIASES)} pairs differ")


@check("SEED03", "Seed 0 is a seed like any other.", subjects=_ROWS, takes="initializer")
def seed_zero(lab: Lab, row: Initializer) -> Verdict:
    """Two instances with seed 0 agree, and differ from seed 1 and from no seed (keras#19361, keras#15586)."""
    _require_random(row)
    zero, again, one = (lab.draws.draw(row, _SMALL, seed=seed) for seed in (0, 0, 1))
    unseeded = lab.draws.draw(row, _SMALL, seed=None)
    if not np.array_equal(zero, again):
        return failed(f"{row.name}: two instances with seed 0 differ", "the same draw")
    if np.array_equal(zero, one) or np.array_equal(zero, unseeded):
        return failed(f"{row.name}: seed 0 draws what seed 1 or no seed draws", "a stream of its own")
    return passed(f"{row.name}: seed 0 repeats, and differs from 1 and from none")


@check(
    "SEED04",
    "An instance with an integer seed returns the same values at every call, and so do all its equals.",
    subjects=_ROWS,
    takes="initializer",
)
def integer_seed_repeats(lab: Lab, row: Initializer) -> Verdict:
    """Documented: "an initializer seeded with an integer will produce the same random values across multiple calls"."""
    _require_random(row)
    for name in ("small", "large"):
        seed = lab.stream("seeds", "repeat", row.name, name)
        shape = _SMALL if name == "small" else (3, 3, 8, 30)
        calls = lab.draws.repeated(row, shape, seed=seed, calls=3)
        lab.draws.draw(row, (7, 3), seed=seed + 1)  # something else in between
        calls.append(lab.draws.draw(row, shape, seed=seed))
        for number, values in enumerate(calls[1:], start=2):
            if not np.array_equal(values, calls[0]):
                return failed(
                    f"{row.name}, seed {seed}: draw {number} of {shape} differs from the first", "the same bits"
                )
    return passed(f"{row.name}: three calls and a second instance agree")


@check("SEED05", "Unseeded instances differ from each other.", subjects=_ROWS, takes="initializer")
def unseeded_differ(lab: Lab, row: Initializer) -> Verdict:
    """Twelve of them: the framework picks one of 10⁹ seeds, so two meet by chance once in 15 million times."""
    _require_random(row)
    meeting = _meeting((number, lab.draws.draw(row, _SMALL, seed=None)) for number in range(12))
    if meeting:
        return failed(f"{row.name}: unseeded instances {meeting[0]} and {meeting[1]} draw the same", "different draws")
    return passed(f"{row.name}: 12 unseeded instances, no two alike")


_PAIRS, _LENGTH = 24, (64, 64)
_MOST_PAIRS = 250  # of the check that compares the most


def _standardized(row: Initializer, values: np.ndarray) -> tuple[Sample, ElementLaw]:
    """The elements in σ; those of a large orthogonal matrix are nearly normal with variance 1/rows."""
    sample = values.astype(np.float64).ravel()
    if isinstance(row.law, Orthogonal):
        return sample / row.law.gain * math.sqrt(max(math.prod(values.shape[:-1]), values.shape[-1])), unit_law(
            "normal"
        )
    law = element_law(row, values.shape)
    return (sample - law.mean) / law.stddev, unit_law(law.family)


_RELATED = {
    "detects": "a correlation of 0.25 between two streams at any shift, of 0.06 if all pairs of streams share it",
    "samples": lambda factor: math.prod(_LENGTH) // 2,
    "min_samples": lambda alpha: samples_for_shift(0.25, alpha, 4 * _MOST_PAIRS * math.prod(_LENGTH)),
}


@check(
    "SEED06",
    "Draws of neighbouring seeds are unrelated, at every shift.",
    subjects=_ROWS,
    takes="initializer",
    **_RELATED,
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


def _unrelated(found: Finding, alpha: float, what: str) -> Verdict:
    facts = {"n": found.n, "p_value": found.p_value, "alpha": alpha, "effect": found.value}
    said = f"{what}: {found.group}, score {found.value:.2f}"
    return failed(said, "unrelated draws", **facts) if found.p_value < alpha else passed(said, **facts)


_LAYERS = 10


@check("SEED07", "Layers of a model do not share a stream.", subjects=_ROWS, takes="initializer", **_RELATED)
def layers_apart(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """Ten like layers, each with an unseeded initializer of its own, after seeding everything once."""
    _require_random(row)
    request = LayerRequest("Dense", {"units": _LENGTH[1], "use_bias": False}, ((1, _LENGTH[0]),))
    seed = lab.stream("seeds", "layers", row.name)
    kernels = lab.draws.layers.unseeded(request, "kernel_initializer", row, _LAYERS, seed)
    meeting = _meeting(enumerate(kernels))
    if meeting:
        return failed(f"{row.name}: layers {meeting[0]} and {meeting[1]} have the same kernel", "kernels that differ")
    scaled = [_standardized(row, kernel) for kernel in kernels]
    pairs = [(first[0], second[0]) for first, second in itertools.pairwise(scaled)]
    pairs += [(scaled[0][0], one[0]) for one in scaled[2:]]
    return _unrelated(dependence.between(pairs, scaled[0][1]), alpha, f"{row.name}: kernels of a model's layers")


_WIDTH = 64
_STACK = {
    "Dense": LayerRequest("Dense", {"units": _WIDTH}, ((1, _WIDTH),)),
    "Conv1D": LayerRequest("Conv1D", {"filters": _WIDTH, "kernel_size": 1}, ((1, 3, _WIDTH),)),
    "Conv2D": LayerRequest("Conv2D", {"filters": _WIDTH, "kernel_size": 1}, ((1, 3, 3, _WIDTH),)),
    "SimpleRNN": LayerRequest("SimpleRNN", {"units": _WIDTH}, ((1, 2, _WIDTH),)),
    "GRU": LayerRequest("GRU", {"units": _WIDTH}, ((1, 2, _WIDTH),)),
    "LSTM": LayerRequest("LSTM", {"units": _WIDTH}, ((1, 2, _WIDTH),)),
    "Bidirectional": LayerRequest(
        "Bidirectional", {"layer": LayerRequest("LSTM", {"units": _WIDTH})}, ((1, 2, _WIDTH),)
    ),
    "SeparableConv1D": LayerRequest(
        "SeparableConv1D", {"filters": _WIDTH, "kernel_size": _WIDTH}, ((1, _WIDTH + 1, _WIDTH),)
    ),
    "Embedding": LayerRequest("Embedding", {"input_dim": _WIDTH, "output_dim": _WIDTH}, ((1, 2),)),
    "MultiHeadAttention": LayerRequest(
        "MultiHeadAttention", {"num_heads": 4, "key_dim": _WIDTH // 4}, ((1, 2, _WIDTH), (1, 2, _WIDTH))
    ),
    "EinsumDense": LayerRequest("EinsumDense", {"equation": "ab,bc->ac", "output_shape": _WIDTH}, ((1, _WIDTH),)),
}


@check("SEED08", "Kernels of unlike layers, and those within one layer, do not share a stream by default.", **_RELATED)
def unlike_layers_apart(lab: Lab, _: None, alpha: float) -> Verdict:
    """All kernels of a model with dense, convolution, recurrent, attention and embedding layers, pair by pair.

    They are compared by the ranks of their first 4,096 elements, which two that share a stream have in common even
    where their scales differ.
    """
    built = lab.draws.layers.stack(list(_STACK.values()), lab.stream("seeds", "stack"))
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


@check(
    "SEED09",
    "With a SeedGenerator as its seed, an initializer advances at each call, and repeats from the start.",
    subjects=_ROWS,
    takes="initializer",
    **_RELATED,
)
def generators_advance(lab: Lab, row: Initializer, alpha: float) -> Verdict:
    """Documented: "to get different random values across multiple calls, use as seed a SeedGenerator"."""
    _require_random(row)
    seed = lab.stream("seeds", "generator", row.name)
    calls = lab.draws.advancing(row, _LENGTH, seed=seed, calls=8)
    again = lab.draws.advancing(row, _LENGTH, seed=seed, calls=8)
    other = lab.draws.advancing(row, _LENGTH, seed=seed + 1, calls=8)
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


@check("SEED10", "A seed that is no integer is refused, never quietly replaced.", subjects=_ROWS, takes="initializer")
def seed_types(lab: Lab, row: Initializer) -> Verdict:
    """Documented: "a Python integer or instance of SeedGenerator"; an integer of NumPy's is refused or honoured."""
    _require_random(row)
    for name, seed in _REFUSED.items():
        if not isinstance(lab.draws.attempt(row, _SMALL, seed=seed), str):
            return failed(f"{row.name} takes {name} as its seed", "an error")
    five = lab.draws.draw(row, _SMALL, seed=5)
    for name, seed in _NUMPY.items():
        found = lab.draws.attempt(row, _SMALL, seed=seed)
        if not isinstance(found, str) and not np.array_equal(found, five):
            return failed(f"{row.name}: the seed {name} draws otherwise than 5", "an error, or the draw of 5")
    return passed(f"{row.name}: {len(_REFUSED)} types refused, NumPy's integers refused or honoured")


def _noise(lab: Lab, layer: str) -> tuple[list[tuple[int, int, np.ndarray]], list[tuple[int, int, np.ndarray]], str]:
    """Noise of seeded layers (seed, call, values), of unseeded ones (layer, call, values), and what did not repeat.

    One global seed keeps a layer that forgets its own seed from looking as if it used it.
    """
    inputs = np.ones((8, 6, 40), np.float32)
    argument = {"stddev": 0.5} if layer == "GaussianNoise" else {"rate": 0.5}
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


@check("SEED11", "Layers that draw noise honour their seed, 0 among them.", subjects=[Subject(n, n) for n in _NOISY])
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


@check("SEED12", "A later call of one noise layer is no call of another's.", subjects=[Subject(n, n) for n in _NOISY])
def noise_streams(lab: Lab, layer: str) -> Verdict:
    """All calls of all layers, seeded and not, against each other."""
    seeded, unseeded, _ = lab.once(("seeds", "noise", layer), lambda: _noise(lab, layer))
    named = [(f"call {number} of seed {seed}", values) for seed, number, values in seeded]
    meeting = _meeting([*named, *((f"call {number} of unseeded layer {k}", values) for k, number, values in unseeded)])
    if meeting:
        return failed(f"{layer}: {meeting[0]} and {meeting[1]} give the same noise", "different noise")
    return passed(f"{layer}: {len(seeded) + len(unseeded)} calls, no two alike")
