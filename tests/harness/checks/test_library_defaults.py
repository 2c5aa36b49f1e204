"""Checks of a library's layers and streams: made by hand, right and only just wrong."""

import math

import numpy as np
import pytest

from initcheck.catalog.laws import Constant, ElementLaw, Elementwise, Orthogonal
from initcheck.checks.laws.library_defaults import library_defaults
from initcheck.checks.registry import cells, run_check
from initcheck.checks.seeds import places_apart
from initcheck.evidence.lab import Lab
from initcheck.frameworks.libraries.documented_laws import scaled_by, uniform_within
from initcheck.frameworks.libraries.library import DefaultWeight, LibraryLayer, LibraryStreams
from initcheck.records import Status

ALPHA = 6e-6
LAWS: dict[str, Constant | Elementwise | Orthogonal] = {
    "kernel": Elementwise(ElementLaw("uniform", 0.0, 0.25)),
    "table": Elementwise(ElementLaw("normal", 0.0, 1.0)),
    "cell": Orthogonal(),
    "bias": Constant(0.0),
}


def healthy(seed):
    stream = np.random.RandomState(seed % 2**32)
    return {
        "kernel": stream.uniform(-0.25, 0.25, (16, 500)).astype("float32"),
        "table": stream.normal(size=(100, 30)).astype("float32"),
        "cell": np.linalg.qr(stream.normal(size=(20, 20)))[0].astype("float32"),
        "bias": np.zeros(500, "float32"),
    }


def normal_like(values):
    """A normal sample with the variance that the uniform one has."""
    return np.random.RandomState(int(1e6 * abs(values[0, 0]))).normal(0, 0.25 / 3**0.5, values.shape)


def judged(change=lambda weights: weights, seed=3):
    weights = {path: DefaultWeight(law, f"sentence of {path}") for path, law in LAWS.items()}
    layer = LibraryLayer("Made", lambda seed: change(healthy(seed)), weights, "https://made.up/docs")
    return library_defaults(Lab(seed), layer, ALPHA)


def test_weights_as_documented_pass_under_twenty_seeds():
    assert all(judged(seed=seed).status is Status.PASS for seed in range(20))


@pytest.mark.parametrize(
    ("path", "change"),
    [
        pytest.param("kernel", lambda values: values * 1.03, id="wider"),
        pytest.param("kernel", lambda values: values * np.float32(0.995), id="short-of-its-limits"),
        pytest.param("kernel", lambda values: normal_like(values), id="normal-instead-of-uniform"),
        pytest.param("table", lambda values: values * 1.03, id="normal-and-wider"),
        pytest.param("table", lambda values: values + 0.04, id="shifted"),
        pytest.param("cell", lambda values: values * np.float32(1.0001), id="not-quite-orthogonal"),
        pytest.param("bias", lambda values: values + np.float32(1e-30), id="not-quite-zero"),
    ],
)
def test_what_is_just_wrong_fails_with_its_sentence(path, change):
    verdict = judged(lambda weights: {**weights, path: change(weights[path])})
    assert verdict.status is Status.FAIL
    assert f"“sentence of {path}” (https://made.up/docs)" in str(verdict)


def test_a_weight_of_another_float_type_than_the_default_one_fails():
    verdict = judged(lambda weights: {**weights, "kernel": weights["kernel"].astype("float64")})
    assert verdict.status is Status.FAIL
    assert "kernel: float64" in str(verdict)
    assert judged(lambda weights: {**weights, "bias": weights["bias"].astype("int32")}).status is Status.PASS


def test_weights_that_are_not_documented_or_missing_fail():
    verdict = judged(lambda weights: {**weights, "gain": np.ones(3)})
    assert "gain" in str(verdict)
    assert verdict.status is Status.FAIL
    assert judged(lambda weights: {path: weights[path] for path in ("kernel", "bias")}).status is Status.FAIL


def test_laws_in_numbers_are_those_of_the_formulas():
    assert uniform_within(1 / 16).law == ElementLaw("uniform", 0.0, 0.25)
    assert math.isclose(scaled_by(1.0, 25, "truncated_normal").law.stddev, 0.2)
    assert math.isclose(scaled_by(1.0, 6, "uniform").law.support[1], math.sqrt(3 / 6))


def drawn(seed, places=10):
    stream = np.random.RandomState(seed % 2**32)
    return {f"place {number}": stream.normal(size=(64, 64)) for number in range(places)}


def places(draw):
    return places_apart(Lab(3), LibraryStreams("made", draw, "a sentence", "https://made.up/docs"), ALPHA)


def test_places_of_their_own_pass():
    assert places(drawn).status is Status.PASS


def test_places_that_share_bits_or_a_part_of_their_stream_fail():
    def equal(seed):
        return (made := drawn(seed)) | {"place 7": made["place 2"]}

    def shifted(seed):
        made = drawn(seed)
        return made | {"place 7": 2 * np.roll(made["place 6"], 1000)}

    verdict = places(equal)
    assert verdict.status is Status.FAIL
    assert "place 2 of seed" in str(verdict)
    assert "a sentence" in str(verdict)
    assert places(shifted).status is Status.FAIL


def test_places_that_do_not_repeat_or_are_those_of_the_next_seed_fail():
    calls = iter(range(10))
    assert "draws again" in str(places(lambda seed: drawn(seed + 100 * next(calls))))

    def next_one(seed):
        return {
            f"place {number}": np.random.RandomState(seed % 2**31 + number).normal(size=4096) for number in range(10)
        }

    assert "place 0 of seed" in str(places(next_one))


@pytest.mark.parametrize("code", ["LAW28", "SEED16"])
def test_of_keras_layers_they_are_not_asked(code):
    (cell,) = cells(codes=[code])
    verdict = run_check(cell, Lab(3))
    assert verdict.status is Status.NOT_APPLICABLE
    assert "LAW15" in str(verdict)
