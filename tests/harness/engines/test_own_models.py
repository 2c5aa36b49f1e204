"""The checks on a user's own initializer and problem, in a repository that has none of our files."""

import pytest

INITIALIZERS = """
import keras

class Halved(keras.initializers.VarianceScaling):
    'A user\\'s own: He initialization with half the scale.'
    def __init__(self, seed=None):
        super().__init__(scale=1.0, mode="fan_in", distribution="untruncated_normal", seed=seed)
    def get_config(self):
        return {"seed": super().get_config()["seed"]}

class Forgetful(Halved):
    def get_config(self):
        return {}
"""

TESTS = """
import initcheck
import mine
from initcheck.catalog.laws import VarianceScaled

RIGHT = initcheck.Initializer("right", mine.Halved, VarianceScaled(1.0, "fan_in", "normal"), "our wiki")
WRONG = initcheck.Initializer("wrong", mine.Halved, VarianceScaled(1.05, "fan_in", "normal"), "our wiki")
CODES = ["DET01", "DET02", "SEED01", "LAW02", "LAW03"]

@initcheck.parametrize_with_checks(mine.Halved, RIGHT, codes=CODES)
def test_right(check, initcheck_lab):
    check(initcheck_lab)

@initcheck.parametrize_with_checks(WRONG, codes=["LAW03"])
def test_wrong_law(check, initcheck_lab):
    check(initcheck_lab)

@initcheck.parametrize_with_checks(
    mine.Forgetful, codes=["DET01", "DET02"], expected_failed_checks={"DET02": "no seed"}
)
def test_forgetful(check, initcheck_lab):
    check(initcheck_lab)

@initcheck.parametrize_with_checks(initcheck.PROBLEMS["iris"])
def test_problem(check, initcheck_lab):
    check(initcheck_lab)
"""


@pytest.mark.slow
def test_another_repository_judges_what_is_its_own(pytester):
    pytester.makepyfile(mine=INITIALIZERS, test_mine=TESTS)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-rA")
    result.assert_outcomes(passed=5 + 3 + 1 + 1, skipped=2, failed=1, xfailed=1)
    result.stdout.fnmatch_lines(["FAILED *test_wrong_law?LAW03-wrong?*"])
    result.stdout.fnmatch_lines("initcheck: *1 failed, 1 known issue, 2 not applicable;*")
