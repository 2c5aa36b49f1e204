import math

import numpy as np
import pytest
from scipy import stats

from initcheck.statistics import estimates, two_way
from initcheck.statistics.estimates import Estimate


def test_best_shares_agree_with_playing_the_game():
    samples = [np.array(v, dtype=float) for v in ([1, 2, 2, 3], [2, 2, 5], [0, 3, 3, 3, 4], [2, 3])]
    stream = np.random.RandomState(1)
    games = np.stack([stream.choice(sample, 200_000) for sample in samples])
    winners = games == games.max(axis=0)
    played = (winners / winners.sum(axis=0)).mean(axis=1)
    shares = [estimate.value for estimate in estimates.best_shares(samples)]
    assert sum(shares) == pytest.approx(1, abs=1e-12)
    assert shares == pytest.approx(played, abs=5 * math.sqrt(0.25 / 200_000))


@pytest.mark.parametrize("competitors", [1, 2, 5, 19])
def test_equals_share_the_prize(competitors):
    samples = [np.array([0.5, 0.5])] * competitors
    assert [e.value for e in estimates.best_shares(samples)] == pytest.approx([1 / competitors] * competitors)


def test_the_mean_and_its_interval():
    values = np.random.RandomState(3).normal(10, 2, 400)
    estimate = estimates.mean(values)
    assert estimate.value == values.mean()
    classic = stats.t.interval(0.95, 399, values.mean(), stats.sem(values))
    assert (estimate.low, estimate.high) == pytest.approx(classic, abs=0.02)


@pytest.mark.slow
def test_the_interval_of_a_standard_deviation_covers_a_normal_sample_s():
    stream = np.random.RandomState(5)
    inside = 0
    for _ in range(100):
        estimate = estimates.stddev(stream.normal(0, 1, 200))
        inside += estimate.low <= 1 <= estimate.high
    assert inside >= stats.binom.ppf(1e-4, 100, 0.92)  # BCa covers .93 to .95 here


@pytest.mark.parametrize("statistic", [estimates.mean, estimates.stddev])
def test_equal_values_have_no_interval(statistic):
    estimate = statistic(np.full(30, 0.1))
    assert estimate.value == (0.1 if statistic is estimates.mean else 0)
    assert math.isnan(estimate.low)
    assert math.isnan(estimate.high)


def test_one_value_has_a_mean_but_no_spread():
    assert estimates.mean(np.array([0.3])).value == 0.3
    assert math.isnan(estimates.stddev(np.array([0.3])).value)


def test_four_values_are_too_few_for_a_bootstrap():
    estimate = estimates.stddev(np.array([1.0, 2, 3, 4]))
    assert estimate.value == pytest.approx(math.sqrt(5 / 3))
    assert math.isnan(estimate.low)
    assert estimates.stddev(np.arange(5.0)).low > 0


def test_the_median_s_interval_covers_whatever_the_distribution():
    stream = np.random.RandomState(7)
    covered = 0
    for _ in range(2000):
        estimate = estimates.median(stream.exponential(1, 25))
        covered += estimate.low <= math.log(2) <= estimate.high
    assert covered / 2000 >= 0.95 - 4 * math.sqrt(0.05 * 0.95 / 2000)


def test_the_median_of_runs_that_mostly_never_arrive_is_never():
    estimate = estimates.median(np.array([3.0, 4, 5, *[math.inf] * 7]))
    assert estimate == Estimate(math.inf, 4.0, math.inf)


def test_five_values_are_too_few_for_a_median_s_interval():
    assert math.isnan(estimates.median(np.arange(5.0)).low)
    assert estimates.median(np.arange(6.0)) == Estimate(2, 0, 5)


@pytest.mark.parametrize(
    ("failure", "runs"), [(0, 1), (0.05, 1), (0.051, 2), (0.5, 5), (math.sqrt(0.05), 2), (0.9, 29), (1, math.inf)]
)
def test_runs_until_success(failure, runs):
    assert estimates.runs_until_success(Estimate(failure, 0, 1)) == Estimate(runs, 1, math.inf)
    if 0 < failure < 1:
        assert failure**runs <= 0.05 + 1e-12 < failure ** (runs - 1) + (runs == 1)


def test_a_proportion_has_the_exact_interval():
    estimate = estimates.proportion(0, 30)
    assert (estimate.value, estimate.low) == (0, 0)
    assert estimate.high == pytest.approx(1 - 0.025 ** (1 / 30))


def test_components_of_variance_find_rows_columns_and_noise():
    stream = np.random.RandomState(1)
    rows, columns, noise = stream.normal(size=(60, 1)), stream.normal(size=(1, 60)), stream.normal(size=(60, 60))
    components = two_way.variance_components(2 * rows + columns + noise)
    for share, expected in ((components.rows, 4 / 6), (components.columns, 1 / 6), (components.interplay, 1 / 6)):
        assert share.low < expected < share.high
        assert share.high - share.low < 0.35
    assert components.rows.value + components.columns.value + components.interplay.value == pytest.approx(1)


def test_a_table_that_varies_along_rows_alone_has_their_share_alone_and_one_without_spread_none():
    components = two_way.variance_components(np.repeat(np.arange(5.0)[:, None], 4, axis=1))
    assert (components.rows.value, components.columns.value, components.interplay.value) == (1, 0, 0)
    assert two_way.variance_components(np.ones((3, 3))) is None


def test_many_values_get_their_interval_in_no_time():
    values = np.random.RandomState(0).rand(100_000)
    estimate = estimates.mean(values)
    assert estimate.low < 0.5 < estimate.high
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * 12**-0.5 / 100_000**0.5, rel=0.1)


def test_intervals_of_a_grid_cover_where_those_for_independent_runs_do_not():
    stream = np.random.RandomState(3)
    rows, columns = (place.ravel() for place in np.indices((10, 10)))
    grid = two_way.Grid.of(rows, columns)
    covered = {"mean": 0, "median": 0, "independent": 0}
    for _ in range(60):
        values = stream.normal(size=10)[rows] + stream.normal(size=10)[columns] + stream.normal(size=100)
        covered["mean"] += grid.mean(values).low <= 0 <= grid.mean(values).high
        covered["median"] += grid.median(values).low <= 0 <= grid.median(values).high
        covered["independent"] += abs(values.mean()) <= 1.96 * values.std(ddof=1) / 10
    assert covered["mean"] >= 44  # of 60; at 88 % fewer come with chance 5e-4, at 55 % as many with 3e-3
    assert covered["median"] >= 44
    assert covered["independent"] < 44


def test_estimates_of_a_grid_with_gaps_are_those_of_its_runs():
    values = np.array([1.0, 2.0, 4.0, 8.0, math.inf])
    grid = two_way.Grid.of(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 1]))
    assert grid.median(values).value == 4
    assert grid.mean(values[[0, 1, 2, 3, 3]]).value == 4.6
    assert grid.stddev(values[[0, 1, 2, 3, 3]]).value == pytest.approx(np.std([1, 2, 4, 8, 8], ddof=1))
    assert math.isnan(grid.mean(values).low)
    for rows, columns in (([0, 1, 2], [0, 0, 0]), ([0, 0, 0], [1, 2, 3]), ([0, 1, 2], [1, 2, 3])):
        assert two_way.Grid.of(np.array(rows), np.array(columns)) is None
