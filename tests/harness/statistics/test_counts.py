import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from initcheck.statistics.counts import Counts, difference_p_value, resampling_p_value

ALPHA = 0.01
ROWS = 60


def collapsing(stream, n):
    """Skewed, discrete, with one run of twenty at chance: as accuracies over reseeds are."""
    learned = np.round(stream.beta(12, 2, n) * ROWS)
    return np.where(stream.uniform(size=n) < 0.05, 6, learned).astype(np.int64)


POPULATION = collapsing(np.random.RandomState(1), 50_000)


def draw(stream, n):
    return Counts.of(stream.choice(POPULATION, n))


def squares(values):
    return (values - POPULATION.mean()) ** 2


def identity(values):
    return values


def test_moments_are_those_of_the_sample():
    sample = np.array([3, 5, 5, 9, 9, 9])
    counts = Counts.of(sample)
    assert (counts.n, counts.mean) == (6, sample.mean())
    assert counts.stddev == pytest.approx(sample.std(ddof=1))
    assert counts.kurtosis == pytest.approx(stats.kurtosis(sample, fisher=False))
    assert counts.outside(4, 8) == 4
    assert counts.outside(3, 9) == 0


def test_a_percentile_counts_half_of_the_equals():
    counts = Counts.of(np.array([1, 2, 2, 3]))
    assert [counts.percentile_of(value) for value in (0, 1, 2, 2.5, 4)] == [0, 12.5, 50, 75, 100]


@pytest.mark.slow
@pytest.mark.parametrize("score", [identity, squares], ids=["mean", "spread"])
def test_p_values_of_one_distribution_are_uniform(score):
    stream = np.random.RandomState(2)
    p_values = [difference_p_value(draw(stream, 3000), draw(stream, 700), score) for _ in range(400)]
    assert stats.kstest(p_values, "uniform").pvalue > ALPHA
    assert np.mean(np.array(p_values) < 0.02) == pytest.approx(0.02, abs=3.5 * (0.02 * 0.98 / 400) ** 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("score", [identity, squares], ids=["mean", "spread"])
def test_far_out_p_values_agree_with_resampling(score):
    """At 2.5e-4, as small as 400,000 resamples can resolve."""
    stream = np.random.RandomState(3)
    pooled, sizes, resamples = draw(stream, 2500), (500, 2000), 400_000
    scores, weights = score(pooled.values.astype(float)), pooled.counts / pooled.n
    first, second = (stream.multinomial(n, weights, resamples) @ scores / n for n in sizes)
    far = np.sort(np.abs(first - second))[-100]
    assert resampling_p_value(scores, weights, sizes, far) == pytest.approx(100 / resamples, rel=4 / 100**0.5)


def test_a_tolerance_interval_contains_its_share_as_often_as_it_says():
    stream = np.random.RandomState(4)
    for content in (0.95, 0.99):
        held = 0
        for _ in range(200):
            low, high = draw(stream, 3000).tolerance_interval(content)
            held += np.mean((low <= POPULATION) & (high >= POPULATION)) >= content
        # Ties can only add to what the interval holds.
        assert stats.binomtest(held, 200, 0.95, alternative="less").pvalue > ALPHA


def test_the_interval_of_a_standard_deviation_covers():
    stream = np.random.RandomState(5)
    covered = 0
    for _ in range(100):
        low, high = draw(stream, 3000).stddev_interval
        covered += low <= POPULATION.std() <= high
    assert stats.binomtest(covered, 100, 0.95).pvalue > ALPHA


def test_equal_samples_are_no_evidence_and_disjoint_ones_are_all_there_is():
    one, other = Counts.of(np.array([5] * 50)), Counts.of(np.array([9] * 50))
    assert difference_p_value(one, one, identity) == 1
    assert difference_p_value(one, other, identity) < 1e-20


@given(st.data())
@settings(max_examples=25)
def test_the_tail_is_that_of_resampling_for_any_few_values(data):
    values = np.array(sorted(data.draw(st.sets(st.integers(0, 60), min_size=3, max_size=8))), float)
    weights = np.array(data.draw(st.lists(st.integers(5, 100), min_size=len(values), max_size=len(values))), float)
    weights /= weights.sum()
    sizes = data.draw(st.tuples(st.integers(300, 3000), st.integers(300, 3000)))
    resamples, beyond = 40_000, 400
    stream = np.random.RandomState(6)
    first, second = (stream.multinomial(n, weights, resamples) @ values / n for n in sizes)
    apart = np.abs(first - second)
    far = np.sort(apart)[-beyond]
    # Values are discrete: the tail lies between that beyond the difference and that which includes it.
    low, high = np.mean(apart > far * (1 + 1e-9)), np.mean(apart >= far * (1 - 1e-9))
    error = 4 / np.sqrt(beyond)
    assert low * (1 - error) <= resampling_p_value(values, weights, sizes, far) <= high * (1 + error)


@given(st.floats(0.1, 10), st.floats(-50, 50), st.integers(2, 500), st.integers(2, 500))
@settings(max_examples=50)
def test_a_p_value_depends_on_neither_units_nor_sides(scale, shift, one, other):
    values, weights, difference = np.array([0.0, 1.0, 4.0]), np.array([0.5, 0.3, 0.2]), 0.6
    plain = resampling_p_value(values, weights, (one, other), difference)
    assert 0 <= plain <= 1
    assert resampling_p_value(values * scale + shift, weights, (one, other), difference * scale) == pytest.approx(
        plain, rel=1e-5, abs=1e-12
    )
    assert resampling_p_value(values, weights, (other, one), -difference) == pytest.approx(plain, rel=1e-9, abs=1e-15)
