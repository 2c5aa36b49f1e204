"""The judges of half precision and of complex draws, on draws made by NumPy: right ones pass, wrong ones fail."""

import math

import numpy as np
import pytest
from fakes import FakeLab, healthy_draw

from initcheck.catalog.cases import variants
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.checks.laws import complex_draws, half_draws, initializer_draws
from initcheck.checks.registry import NotApplicable
from initcheck.records import Status

ALPHA = 1e-6
NORMAL = [INITIALIZERS["standard_normal"], INITIALIZERS["he_normal"], *variants.RANDOM_VARIANTS[9:13]]


def half(row, change=lambda values, law: values):
    """The verdict on draws that are changed in single precision, and rounded then."""

    def generate(asked, shape, seed, dtype):
        law = asked.law.at(shape)
        values = healthy_draw(asked, shape, seed, "float64")
        return change(values, law).astype(healthy_draw(asked, (1, 1), 1, dtype).dtype)

    return half_draws.centred_in_half_precision(FakeLab(generate), row, ALPHA)


@pytest.mark.parametrize("row", NORMAL, ids=lambda row: row.name)
def test_right_draws_that_are_rounded_pass(row):
    assert half(row).status is Status.PASS


def test_a_mean_that_is_a_hundredth_of_a_sigma_too_low_fails():
    verdict = half(NORMAL[0], lambda values, law: values - 0.01 * law.stddev)
    assert verdict.status is Status.FAIL
    assert "mean in σ -0.0" in verdict.measured


def test_a_limit_that_is_a_hundredth_of_a_sigma_off_fails():
    verdict = half(INITIALIZERS["he_normal"], lambda values, law: values - 0.01 * law.stddev)
    assert verdict.status is Status.FAIL
    assert "most extreme element" in verdict.measured


def test_a_normal_law_without_its_last_tenth_of_a_per_mille_fails():
    verdict = half(NORMAL[0], lambda values, law: np.clip(values, -3.8, 3.8))
    assert verdict.status is Status.FAIL
    assert "most extreme element" in verdict.measured


def test_normal_numbers_from_uniform_ones_of_seven_bits_fail():
    from scipy.special import erfinv

    def of_few_bits(values, law):
        uniform = np.floor(np.random.RandomState(3).uniform(0, 256, values.shape)) / 128 - 1
        return math.sqrt(2) * erfinv(np.maximum(uniform, -1 + 2.0**-9))

    assert half(NORMAL[0], of_few_bits).status is Status.FAIL


def test_a_uniform_law_is_left_out():
    with pytest.raises(NotApplicable, match="half-open"):
        half(INITIALIZERS["unit_uniform"])


def disk(family, count=480_000, seed=5):
    """Complex numbers with mean square 1."""
    stream = np.random.RandomState(seed)
    share, turn = stream.uniform(size=count), stream.uniform(0, 2 * math.pi, count)
    if family == "uniform":
        squares = 2 * share
    elif family == "normal":
        squares = -np.log1p(-share)
    else:
        squares = -np.log1p(-share * -math.expm1(-4.0)) / (1 - 4 / math.expm1(4.0))
    return np.sqrt(squares) * np.exp(1j * turn)


def smallest(values, family, stddev=1.0):
    found = complex_draws.complex_findings(values, family, stddev)
    what, finding = min(found, key=lambda one: one[1].p_value)
    return what, finding.p_value * len(found)


@pytest.mark.parametrize("family", ["normal", "truncated_normal", "uniform"])
def test_right_complex_draws_pass(family):
    values = disk(family)
    assert np.mean(np.abs(values) ** 2) == pytest.approx(1, abs=0.006)
    assert smallest(values, family)[1] > 1e-3
    assert smallest(3 * values, family, 3.0)[1] > 1e-3


@pytest.mark.parametrize("family", ["normal", "truncated_normal", "uniform"])
def test_a_variance_that_is_1_5_percent_too_large_fails(family):
    assert smallest(math.sqrt(1.015) * disk(family), family)[1] < ALPHA


def test_numbers_that_lie_otherwise_or_point_one_way_fail():
    assert smallest(disk("normal"), "truncated_normal")[1] < ALPHA
    values = disk("uniform")
    what, p_value = smallest(np.abs(values) * np.exp(1j * np.abs(np.angle(values))), "uniform")
    assert (what, p_value < ALPHA) == ("distance of the direction's law", True)


def test_one_value_in_two_hundred_thousand_beyond_the_limits_is_seen():
    row = INITIALIZERS["truncated_normal"]

    def leaking(asked, shape, seed, dtype):
        values = healthy_draw(asked, shape, seed, dtype)
        loose = np.random.RandomState(seed % 2**32).uniform(size=shape) < 4.3e-6
        return np.where(loose, np.float32(0.11), values)

    assert initializer_draws.support(FakeLab(), row).status is Status.PASS
    verdicts = [initializer_draws.support(FakeLab(leaking, seed=seed), row).status for seed in range(5)]
    assert verdicts == [Status.FAIL] * 5
