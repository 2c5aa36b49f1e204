import math

import numpy as np
import pytest
from scipy import integrate, stats

from initcheck import INITIALIZERS
from initcheck.catalog.laws import ElementLaw, fans

ELEMENT_LAWS = [ElementLaw("uniform", 0.5, 0.5), ElementLaw("normal", -1.0, 3.0), ElementLaw("truncated_normal", 0, 2)]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((), (1, 1)), ((7,), (7, 7)), ((4, 3), (4, 3)), ((3, 3, 2, 8), (18, 72)), ((5, 2, 8), (10, 40)), ((0, 3), (0, 3))],
)
def test_fans_follow_the_documented_layout(shape, expected):
    assert fans(shape) == expected


# Written out by hand from the papers: standard deviation of an element of a (25, 4) kernel.
BY_HAND = {
    "uniform": 0.05 / math.sqrt(3),
    "normal": 0.05,
    "random_uniform": 0.05 / math.sqrt(3),
    "random_normal": 0.05,
    "truncated_normal": 0.05 * 0.8796256610342398,
    "unit_uniform": 1 / math.sqrt(12),
    "standard_normal": 1.0,
    "glorot_uniform": math.sqrt(2 / 29),
    "glorot_normal": math.sqrt(2 / 29),
    "he_uniform": math.sqrt(2 / 25),
    "he_normal": math.sqrt(2 / 25),
    "lecun_uniform": 0.2,
    "lecun_normal": 0.2,
    "variance_scaling": 0.2,
}


@pytest.mark.parametrize("name", BY_HAND)
def test_standard_deviations_are_the_papers(name):
    assert INITIALIZERS[name].law.at((25, 4)).stddev == pytest.approx(BY_HAND[name], rel=1e-12)


def test_every_elementwise_row_has_a_figure_by_hand():
    assert set(BY_HAND) == {name for name, row in INITIALIZERS.items() if hasattr(row.law, "at")}


@pytest.mark.parametrize("law", ELEMENT_LAWS, ids=lambda law: law.family)
def test_moments_match_the_integrals_of_the_density(law):
    low, high = max(law.support[0], -40), min(law.support[1], 40)

    def moment(power, centre):
        return integrate.quad(lambda x: (x - centre) ** power * law.distribution.pdf(x), low, high, epsabs=1e-12)[0]

    assert moment(1, 0) == pytest.approx(law.mean, abs=1e-9)
    assert math.sqrt(moment(2, law.mean)) == pytest.approx(law.stddev, rel=1e-9)
    assert moment(4, law.mean) / law.stddev**4 == pytest.approx(law.kurtosis, rel=1e-8)


@pytest.mark.parametrize("law", ELEMENT_LAWS, ids=lambda law: law.family)
def test_the_distribution_lives_on_the_support(law):
    draws = law.distribution.rvs(1000, random_state=np.random.RandomState(0))
    assert draws.min() >= law.support[0]
    assert draws.max() <= law.support[1]
    assert stats.kstest(draws, law.distribution.cdf).pvalue > 1e-6


def test_constants_give_the_full_tensor():
    assert np.array_equal(INITIALIZERS["ones"].law.expected((2, 3)), np.ones((2, 3)))
    assert np.array_equal(INITIALIZERS["constant"].law.expected((2,)), [0.5, 0.5])
    assert np.array_equal(INITIALIZERS["identity"].law.expected((2, 3)), [[1, 0, 0], [0, 1, 0]])


def test_identity_and_orthogonal_do_not_allow_vectors():
    assert not INITIALIZERS["identity"].law.allows((3,))
    assert not INITIALIZERS["identity"].law.allows((3, 3, 3))
    assert not INITIALIZERS["orthogonal"].law.allows((3,))
    assert INITIALIZERS["orthogonal"].law.allows((3, 3, 3))
