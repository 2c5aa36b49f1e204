"""The smallest difference that so many seeds find, and what the best of them shows."""

import numpy as np
import pytest
from scipy import stats

from initcheck.statistics.detectable import detectable_difference, expected_best, stddev_interval
from initcheck.statistics.t_intervals import lower_end, mean_over


@pytest.mark.parametrize("n", [3, 10])
def test_welch_s_test_finds_the_difference_with_the_power_that_is_said(n):
    stream = np.random.RandomState(n)
    one, two = stream.normal(size=(2, 20_000, n))
    found = stats.ttest_ind(one + detectable_difference(n), two, axis=1, equal_var=False).pvalue < 0.05
    assert abs(found.mean() - 0.9) < 4 * (0.9 * 0.1 / 20_000) ** 0.5


def test_many_seeds_find_what_the_normal_distribution_says():
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.9)
    assert detectable_difference(1000) == pytest.approx(z * (2 / 1000) ** 0.5, rel=2e-3)


def test_the_best_of_some_seeds_is_the_expected_order_statistic():
    assert expected_best(2) == pytest.approx(np.pi**-0.5, rel=1e-6)
    assert expected_best(3) == pytest.approx(1.5 * np.pi**-0.5, rel=1e-6)


def test_the_interval_of_a_standard_deviation_is_that_of_chi_squared():
    low, high = stddev_interval(2.0, 8)
    assert (low, high) == pytest.approx((1.3223, 4.0705), rel=1e-3)


def test_a_mean_over_reseeds_has_student_s_interval():
    values = np.random.RandomState(0).normal(size=9)
    interval = stats.ttest_1samp(values, 0).confidence_interval()
    mean = mean_over(values)
    assert (mean.low, mean.high) == pytest.approx((interval.low, interval.high))
    assert lower_end(values, 0.025) == pytest.approx(mean.low)
    assert np.isnan(mean_over([1.0]).low)
