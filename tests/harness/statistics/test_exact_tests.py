"""Permutation tests of integers: exact where they state so, against SciPy and by brute force."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from initcheck.statistics import exact_tests
from initcheck.statistics.exact_tests import min_pairs_for, min_runs_for, permutation_p_value, sign_flip_p_value

STREAM = np.random.RandomState(1)


@pytest.mark.parametrize("scale", [1, 3])
def test_sign_flips_agree_with_all_signs_tried(scale):
    for _ in range(20):
        apart = scale * STREAM.randint(-4, 6, 10)
        flipped = [abs(np.dot(signs, apart)) for signs in itertools.product((-1, 1), repeat=10)]
        assert sign_flip_p_value(apart) == pytest.approx(np.mean(np.array(flipped) >= abs(apart.sum())))


def test_sign_flips_of_signs_are_the_sign_test():
    for up, down in ((0, 0), (1, 0), (9, 2), (40, 11)):
        signs = np.array([1] * up + [-1] * down + [0] * 7)
        expected = stats.binomtest(up, up + down).pvalue if up + down else 1.0
        assert sign_flip_p_value(signs) == pytest.approx(expected)


def test_permutations_agree_with_all_divisions_tried():
    for _ in range(20):
        old, new = STREAM.randint(0, 5, 5), STREAM.randint(1, 7, 4)
        pooled = np.concatenate([old, new])
        apart = [abs(sum(one) - 4 * pooled.mean()) for one in itertools.combinations(pooled, 4)]
        expected = np.mean(np.array(apart) >= abs(new.sum() - 4 * pooled.mean()) - 1e-9)
        assert permutation_p_value(old, new) == pytest.approx(expected)
        assert permutation_p_value(new, old) == pytest.approx(expected)


def test_permutations_of_ranks_are_the_exact_mann_whitney_test():
    ranks = np.argsort(np.argsort(np.arange(30) + 12 * STREAM.uniform(size=30)))
    expected = stats.mannwhitneyu(ranks[:17], ranks[17:], method="exact").pvalue
    assert permutation_p_value(ranks[:17], ranks[17:]) == pytest.approx(expected)


def test_separate_samples_have_the_least_p_value_there_is():
    for n in (3, 9, 30, 100):
        assert permutation_p_value(np.zeros(n, int), np.ones(n, int)) == pytest.approx(2 / math.comb(2 * n, n))
        assert sign_flip_p_value(np.ones(n, int)) == pytest.approx(2.0 ** (1 - n))


@pytest.mark.parametrize(("few", "many"), [(20, 1190), (20, 1480), (300, 900), (2, 4_000)])
def test_samples_of_very_unequal_sizes_have_the_p_value_of_counting(few, many):
    """Of zeros and ones the permutations are Fisher's exact test; more than 1,100 values once underflowed."""
    for ones_of_few, ones_of_many in (
        (few, 0),
        (0, many),
        (few // 2, many // 2),
        (few // 2, many // 9),
        (1, many // 3),
    ):
        old, new = np.arange(few) < ones_of_few, np.arange(many) < ones_of_many
        k = np.arange(few + 1)
        ones = ones_of_few + ones_of_many
        apart = np.abs(k - few * ones / (few + many))
        at_least = apart >= apart[ones_of_few] - 1e-9
        expected = stats.hypergeom.pmf(k, few + many, ones, few)[at_least].sum()
        for one, two in ((old, new), (new, old)):
            assert permutation_p_value(one.astype(int), two.astype(int)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("turned", [False, True], ids=["few first", "many first"])
def test_samples_of_very_unequal_sizes_raise_alarms_where_they_should(turned):
    stream = np.random.RandomState(2)
    sides = slice(None, None, -1 if turned else 1)
    apart = [stream.randint(30, 55, 20), stream.randint(5, 30, 1480)][sides]
    assert permutation_p_value(*apart) == pytest.approx(1 / math.comb(1500, 20))
    p_values = [permutation_p_value(*[stream.binomial(60, 0.9, n) for n in (20, 1190)[sides]]) for _ in range(40)]
    assert stats.binomtest(int(np.less(p_values, 0.05).sum()), 40, 0.05, alternative="greater").pvalue > 1e-3


@pytest.mark.parametrize("same", [0, 7, -3])
def test_equal_values_are_no_evidence(same):
    assert permutation_p_value(np.full(5, same), np.full(9, same)) == 1.0
    assert sign_flip_p_value(np.zeros(5, int)) == 1.0


def test_the_approximations_for_many_agree_with_the_exact_tests(monkeypatch):
    apart = STREAM.randint(-9, 11, 300)
    old, new = STREAM.randint(0, 12, 90), STREAM.randint(0, 14, 90)
    exact = sign_flip_p_value(apart), permutation_p_value(old, new)
    monkeypatch.setattr(exact_tests, "_MOST_STEPS", 0)
    assert (sign_flip_p_value(apart), permutation_p_value(old, new)) == pytest.approx(exact, rel=0.1)


def test_a_hundred_thousand_runs_take_seconds():
    old, new = STREAM.randint(0, 300, 100_000), STREAM.randint(0, 301, 100_000)
    assert 0 <= sign_flip_p_value(new - old) <= 1
    assert 0 <= permutation_p_value(old, new) <= 1


@pytest.mark.parametrize("alpha", [0.05, 1e-3, 5e-5])
def test_the_fewest_runs_are_those_with_which_a_test_can_fail(alpha):
    pairs, runs = min_pairs_for(alpha), min_runs_for(alpha)
    assert 2.0 ** (1 - pairs) < alpha <= 2.0 ** (2 - pairs)
    assert 2 / math.comb(2 * runs, runs) < alpha <= 2 / math.comb(2 * runs - 2, runs - 1)


def three_farther(small, large):
    """The exact probability that three values drawn from all have a sum as far from the expected one, by power sums."""
    values = np.concatenate([small, large])
    values = values - values.min()
    size = 3 * int(values.max()) + 1
    one, two, three = (np.fft.rfft(np.bincount(k * values, minlength=size)[:size], 2 * size) for k in (1, 2, 3))
    sums = np.fft.irfft((one**3 - 3 * one * two + 2 * three) / 6, 2 * size)[:size]
    expected = 3 * values.mean()
    far = np.abs(np.arange(size) - expected) >= abs(values[:3].sum() - expected) - 1e-6
    return sums[far].sum() / sums.sum()


@pytest.mark.parametrize("small", [(1000, 1000, 9000), (1000, 1000, 1000), (6000, 5000, 5000), (4000, 3000, 5000)])
def test_three_runs_against_three_thousand_have_no_smaller_p_value_than_the_exact_one(small):
    """The saddlepoint approximation was up to 1.7 times too small."""
    stream = np.random.RandomState(0)
    large = np.where(stream.uniform(size=3000) < 0.03, 1000, np.round(stream.beta(12, 2, 3000) * 10_000)).astype(int)
    actual, exact = permutation_p_value(np.array(small), large), three_farther(np.array(small), large)
    assert 1 - 1e-9 <= actual / exact <= 1.01
