"""The judges of seeds on draws made by NumPy: correct ones pass, slightly wrong ones fail."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fakes import FakeLab, Generator, healthy_draw

from initcheck.catalog.cases.seed_values import ALIASES, LOWER, NARROWED, RANGE, UPPER, random_seeds, turned_seeds
from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.checks import seeds
from initcheck.checks.registry import NotApplicable
from initcheck.records import Verdict
from initcheck.seeding import derive_seed

ALPHA = 1e-6
ROWS = [INITIALIZERS[name] for name in ("he_normal", "uniform", "orthogonal")]
HE = ROWS[0]


def _status(verdict: Verdict) -> str:
    assert str(verdict)
    return verdict.status.value


def _with_seed(change: Callable[..., Any]) -> FakeLab:
    """A laboratory whose framework uses ``change(seed)`` for a seed."""
    generate: Generator = lambda row, shape, seed, dtype: healthy_draw(  # noqa: E731 - one expression
        row,
        shape,
        None if seed is None else change(seed),
        dtype,
    )
    return FakeLab(generate)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_healthy_framework_passes(row: Initializer) -> None:
    lab = FakeLab()
    for judge in (
        seeds.different_seeds,
        seeds.aliased_seeds,
        seeds.seed_zero,
        seeds.integer_seed_repeats,
        seeds.unseeded_differ,
        seeds.seed_types,
    ):
        assert _status(judge(lab, row)) == "pass", judge.__name__
    for pairs in NARROWED.values():
        # Of the fakes' own stream, which takes 32 bits, a hash of the seed.
        assert _status(seeds.narrowed_seeds(_with_seed(derive_seed), pairs)) == "pass"
    assert _status(seeds.generators_apart(lab, None)) == "pass"
    for asked in (row, None):
        assert _status(seeds.unseeded_pool(lab, asked)) == "pass"
    for statistical in (seeds.neighbouring_seeds, seeds.generators_advance):
        assert _status(statistical(lab, row, ALPHA)) == "pass"


@pytest.mark.parametrize(
    "change",
    [
        lambda seed: seed & 0xFFFF,
        lambda seed: seed & ~1,
        lambda seed: int(np.float32(seed)),
        lambda seed: seed % 10**6,
        lambda seed: max(seed, 1),
        lambda seed: seed & 0x3FFFFFFF,
        lambda seed: min(seed, 2**31 - 1),
    ],
    ids=["16 bits", "even", "float32", "modulo a million", "zero is one", "30 bits", "clipped"],
)
def test_seeds_that_meet_fail(change: Callable[..., Any]) -> None:
    assert _status(seeds.different_seeds(_with_seed(change), HE)) == "fail"


def test_the_modulus_is_detected_by_its_own_check_alone() -> None:
    reduced = _with_seed(lambda seed: seed % RANGE)
    assert _status(seeds.aliased_seeds(reduced, HE)) == "fail"
    assert _status(seeds.different_seeds(reduced, HE)) == "pass"


def test_sets_of_seeds_hold_no_aliases() -> None:
    tried = random_seeds(FakeLab().stream, "he_normal")
    for chosen in (LOWER, UPPER, tried):
        assert len({seed % RANGE for seed in chosen}) == len(chosen)
    assert all((first - second) % RANGE == 0 for first, second in ALIASES)
    assert all((first - second) % RANGE for pairs in NARROWED.values() for first, second in pairs)
    turned = turned_seeds(FakeLab().stream, "he_normal")
    assert len({seed & 0xFFFF for seed in turned}) < len({seed % RANGE for seed in turned}) == len(turned)


@pytest.mark.parametrize(
    ("lost", "change"),
    [
        ("2^32", lambda seed: seed % 2**32),
        ("2^31", lambda seed: seed % 2**31),
        ("2^31-1", lambda seed: seed % (2**31 - 1)),
        ("sign", abs),
    ],
)
def test_a_narrower_integer_is_detected(lost: str, change: Callable[..., Any]) -> None:
    assert _status(seeds.narrowed_seeds(_with_seed(change), NARROWED[lost])) == "fail"


@pytest.mark.parametrize(
    "special", [lambda shape, dtype: len(shape) > 2, lambda shape, dtype: dtype == "float64"], ids=["rank 3", "float64"]
)
def test_seeds_that_meet_in_other_ranks_and_dtypes_fail(special: Callable[..., bool]) -> None:
    def cut(row: Initializer, shape: tuple[int, ...], seed: int | None, dtype: str) -> np.ndarray:
        masked = seed & 0xFFFF if seed and special(shape, dtype) else seed
        return healthy_draw(row, shape, masked, dtype)

    assert _status(seeds.different_seeds(FakeLab(cut), HE)) == "fail"


@pytest.mark.parametrize(
    "change",
    [lambda seed, call: (seed % 2**20, call), lambda seed, call: (seed, call % 16)],
    ids=["20 bits", "16 calls"],
)
def test_generators_that_meet_fail(change: Callable[..., Any]) -> None:
    def advancing(row: Initializer, shape: tuple[int, ...], seed: int, calls: int) -> list[np.ndarray]:
        return [healthy_draw(row, shape, derive_seed(*change(seed, call))) for call in range(calls)]

    lab = SimpleNamespace(draws=SimpleNamespace(advancing=advancing), stream=FakeLab().stream)
    assert _status(seeds.generators_apart(lab, None)) == "fail"


def test_few_default_seeds_fail() -> None:
    stream = np.random.RandomState(0)
    lab = FakeLab(lambda row, shape, seed, dtype: healthy_draw(row, shape, stream.randint(10**4), dtype))
    assert _status(seeds.unseeded_pool(lab, HE)) == "fail"


def test_a_generator_that_comes_back_to_an_earlier_state_fails() -> None:
    lab = FakeLab()
    states = [np.array([7, call % 1024]) for call in range(1100)]
    wrapping = SimpleNamespace(**{**vars(lab.draws), "states": lambda **_: states})
    broken = SimpleNamespace(draws=wrapping, stream=lab.stream)
    assert _status(seeds.generators_apart(broken, None)) == "fail"
    assert _status(seeds.generators_apart(lab, None)) == "pass"


def test_a_later_call_that_differs_fails() -> None:
    calls = iter(range(1, 10**6))
    lab = FakeLab(
        lambda row, shape, seed, dtype: healthy_draw(row, shape, (seed or 0) + (next(calls) % 16 == 0), dtype)
    )
    assert _status(seeds.integer_seed_repeats(lab, HE)) == "fail"


def test_seed_zero_taken_for_no_seed_fails() -> None:
    assert _status(seeds.seed_zero(_with_seed(lambda seed: seed or None), HE)) == "fail"
    assert _status(seeds.seed_zero(_with_seed(lambda seed: max(seed, 1)), HE)) == "fail"


def test_unseeded_instances_that_agree_fail() -> None:
    fixed = FakeLab(lambda row, shape, seed, dtype: healthy_draw(row, shape, seed or 1, dtype))
    assert _status(seeds.unseeded_differ(fixed, HE)) == "fail"


def test_a_second_call_that_differs_fails() -> None:
    calls = iter(range(1000))
    lab = FakeLab(lambda row, shape, seed, dtype: healthy_draw(row, shape, (seed or 0) + next(calls), dtype))
    assert _status(seeds.integer_seed_repeats(lab, HE)) == "fail"


def test_neighbours_that_are_shifted_copies_fail() -> None:
    def shifted(row: Initializer, shape: tuple[int, ...], seed: int | None, dtype: str) -> np.ndarray:
        values = healthy_draw(row, shape, (seed or 0) // 8, dtype)
        return np.roll(values.ravel(), seed or 0).reshape(shape)

    assert _status(seeds.neighbouring_seeds(FakeLab(shifted), HE, ALPHA)) == "fail"


def test_neighbours_that_are_slightly_correlated_fail() -> None:
    def mixed(row: Initializer, shape: tuple[int, ...], seed: int | None, dtype: str) -> np.ndarray:
        common = healthy_draw(row, shape, 1, dtype)
        return (healthy_draw(row, shape, seed, dtype) + 0.3 * common) / np.float32(np.sqrt(1.09))

    assert _status(seeds.neighbouring_seeds(FakeLab(mixed), HE, ALPHA)) == "fail"


def test_calls_of_a_generator_that_share_a_little_fail() -> None:
    def mixed(row: Initializer, shape: tuple[int, ...], seed: int | None, dtype: str) -> np.ndarray:
        common = healthy_draw(row, shape, 1, dtype)
        return np.asarray(np.sqrt(0.94) * healthy_draw(row, shape, seed, dtype) + np.sqrt(0.06) * common)

    lab = FakeLab(mixed)
    assert _status(seeds.generators_advance(lab, INITIALIZERS["standard_normal"], ALPHA)) == "fail"


def _model(kernels: list[np.ndarray]) -> FakeLab:
    return FakeLab(layers=SimpleNamespace(unseeded=lambda *asked: kernels))


def test_layers_that_share_a_stream_fail() -> None:
    apart = [healthy_draw(HE, (64, 64), seed) for seed in range(10)]
    assert _status(seeds.layers_apart(_model(apart), HE, ALPHA)) == "pass"
    assert _status(seeds.layers_apart(_model([*apart[:9], apart[3]]), HE, ALPHA)) == "fail"
    assert _status(seeds.layers_apart(_model([*apart[:9], -apart[0]]), HE, ALPHA)) == "fail"


def test_a_generator_that_does_not_advance_fails() -> None:
    still = FakeLab(lambda row, shape, seed, dtype: healthy_draw(row, shape, 5, dtype))
    assert _status(seeds.generators_advance(still, HE, ALPHA)) == "fail"


@pytest.mark.parametrize(("forgets", "expected"), [(False, "pass"), (True, "fail")])
def test_noise_layers_must_use_their_seed(forgets: bool, expected: str) -> None:
    def noise(layer: str, arguments: dict[str, int], inputs: np.ndarray, **asked: int) -> list[list[np.ndarray]]:
        own = arguments.get("seed")
        seeds_used = [11 if forgets else own] if own is not None else range(100, 100 + asked.get("layers", 1))
        streams = [np.random.RandomState(one) for one in seeds_used]
        return [[stream.uniform(size=inputs.shape) for _ in range(asked.get("calls", 1))] for stream in streams]

    lab = FakeLab(layers=SimpleNamespace(noise=noise))
    # RandomState takes 32 bits, and a stream's seed has 31; 100 … 105 are none of the seeds tried.
    assert _status(seeds.noise_seeds(lab, "Dropout")) == expected


@pytest.mark.parametrize(("overlaps", "expected"), [(False, "pass"), (True, "fail")])
def test_noise_streams_must_not_be_shifted_copies(overlaps: bool, expected: str) -> None:
    def noise(layer: str, arguments: dict[str, int], inputs: np.ndarray, **asked: int) -> list[list[np.ndarray]]:
        first = [arguments["seed"]] if "seed" in arguments else range(100, 100 + asked.get("layers", 1))
        step = 1 if overlaps else 10**8
        return [
            [np.random.RandomState((one + step * call) % 2**32).uniform(size=9) for call in range(asked["calls"])]
            for one in first
        ]

    lab = FakeLab(layers=SimpleNamespace(noise=noise))
    assert _status(seeds.noise_streams(lab, "Dropout")) == expected


def test_seeds_are_not_asked_of_constants() -> None:
    with pytest.raises(NotApplicable, match="zeros takes no seed"):
        seeds.different_seeds(FakeLab(), INITIALIZERS["zeros"])
