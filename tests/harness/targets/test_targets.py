"""What is under test: its name, what is asked of it, and that nothing else is loaded for it."""

import json
import subprocess
import sys

import pytest

from initcheck import targets
from initcheck.catalog.initializers import Initializer
from initcheck.catalog.known_issues import known_issues
from initcheck.catalog.laws import VarianceScaled
from initcheck.checks import registry
from initcheck.checks.registry import all_checks, budget_share, cells, run_check, share_judged
from initcheck.errors import InitcheckError
from initcheck.evidence.lab import get_lab
from initcheck.frameworks.environment import packages_of, target_environment
from initcheck.frameworks.libraries import chosen
from initcheck.frameworks.libraries.chosen import offered_rows
from initcheck.records import Status
from initcheck.statistics.budget import FALSE_ALARM_RATE
from initcheck.targets import ANY, KERAS, LIBRARY, TENSORFLOW, VARIABLE, is_judged, read_target, target

FRAMEWORKS = {
    "keras:tensorflow": {"tensorflow", "keras"},
    "keras:jax": {"jax", "keras"},
    "keras:torch": {"torch", "keras"},
    "torch": {"torch"},
    "jax": {"jax"},
    "flax": {"jax", "flax"},
}


@pytest.fixture
def unset(monkeypatch, tmp_path):
    """A process in which nothing says what the target is."""
    for name in (VARIABLE, "KERAS_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(targets, "is_within", lambda *_: True)  # Keras 3
    return tmp_path


def test_where_nothing_is_said_it_is_keras_on_tensorflow(unset):
    assert target() == TENSORFLOW


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_it_is_keras_on_the_backend_that_its_variable_or_file_names(unset, monkeypatch, backend):
    (unset / "keras.json").write_text(json.dumps({"backend": backend}))
    assert target() == f"keras:{backend}"
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert target() == TENSORFLOW
    monkeypatch.setenv(VARIABLE, "flax")
    assert target() == "flax"


def test_a_backend_that_there_is_no_target_for_is_left_to_the_loading_of_keras(unset, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "openvino")
    assert target() == TENSORFLOW


@pytest.mark.parametrize("name", [*targets.TARGETS, "mine:LIBRARY", "a.b.c:d"])
def test_a_target_s_name_is_taken_as_it_is(name):
    assert read_target(name, "it") == name


@pytest.mark.parametrize("name", ["pytorch", "keras:theano", "keras:", ":x", "a b:c", "torch;"])
def test_another_name_is_refused_with_those_that_there_are(name):
    with pytest.raises(InitcheckError, match="keras:tensorflow, keras:jax, keras:torch, torch, jax, flax, or package"):
        read_target(name, "--initcheck-target")


@pytest.mark.parametrize(
    ("name", "judged"),
    [("keras:tensorflow", (True, True, True, False)), ("keras:torch", (True, True, False, False))]
    + [(name, (True, False, False, True)) for name in ("torch", "mine:LIBRARY")],
)
def test_checks_judge_what_they_are_for(name, judged):
    assert tuple(is_judged(name, on) for on in (ANY, KERAS, TENSORFLOW, LIBRARY)) == judged


def test_a_known_issue_is_of_one_target(monkeypatch):
    (issue,) = [one for one in known_issues() if (one.check, one.target) == ("SEED09", "keras:torch")]
    monkeypatch.setattr("initcheck.catalog.known_issues.is_within", lambda *_: True)
    for name, expected in (("keras:torch", True), ("keras:jax", False), ("torch", False)):
        monkeypatch.setenv(VARIABLE, name)
        assert issue.applies() is expected


def test_a_check_that_does_not_judge_the_target_is_there_once_and_says_why(monkeypatch):
    monkeypatch.setenv(VARIABLE, "keras:torch")
    (cell,) = cells(codes=["ORD17"])
    verdict = run_check(cell, get_lab(1))
    assert (cell.name, cell.alpha > 0, verdict.status) == ("ORD17-framework@keras:torch", False, Status.NOT_APPLICABLE)
    assert "keras:tensorflow only so far, not on keras:torch" in str(verdict)
    monkeypatch.setenv(VARIABLE, "torch")
    assert "torch has nothing of the kind" in str(run_check(cell, get_lab(1)))


def test_the_error_budget_is_that_of_what_is_judged():
    shares = [cell.check.p_values * cell.alpha for cell in cells()]
    assert sum(shares) == pytest.approx(FALSE_ALARM_RATE)
    assert all(cell.alpha in (0.0, budget_share()) for cell in cells())


def test_how_much_is_judged_is_counted_by_family(monkeypatch):
    families = {name: sum(each.family == name for each in all_checks()) for name in registry.FAMILIES}
    monkeypatch.setenv(VARIABLE, "torch")
    said = share_judged()
    assert f"order 0 of {families['order']}" in said
    assert f"of {families['laws']}" in said
    assert "laws 0 of" not in said


def test_a_target_that_is_no_library_is_refused(monkeypatch):
    monkeypatch.setenv(VARIABLE, "json:dumps")
    with pytest.raises(InitcheckError, match=r"the target json:dumps is of type function; name an initcheck\.Library"):
        chosen.library()


def test_a_law_by_fans_may_need_two_axes():
    law = VarianceScaled(2.0, "fan_in", "normal", least_axes=2)
    assert [law.allows(shape) for shape in ((), (3,), (3, 4), (2, 3, 4))] == [False, False, True, True]


def test_the_target_s_rows_have_names_of_their_own_and_are_those_of_its_library():
    names = [row.name for row in offered_rows()]
    assert len(names) == len(set(names))
    assert all(isinstance(row, Initializer) and row.source for row in offered_rows())
    assert {row.law.random for row in offered_rows()} == {True, False}


def test_the_environment_of_a_target_has_the_versions_of_what_decides_its_verdicts():
    versions = target_environment().versions
    assert {*packages_of(target()), "initcheck", "numpy", "scipy"} <= {*versions}
    assert "not installed" not in versions.values()


def test_jax_draws_by_jaxlib_under_keras_too():
    assert packages_of("keras:jax") == ("jax", "jaxlib", "keras", "numpy")
    assert packages_of("keras:torch") == ("torch", "keras", "numpy")


@pytest.mark.skipif(target() not in FRAMEWORKS, reason="a library of the user's may import what it wants")
def test_judging_a_target_loads_no_other_framework():
    row = next(row.name for row in offered_rows() if isinstance(row.law, VarianceScaled))
    program = (
        "import sys\n"
        "from initcheck.checks.registry import cells, run_check\n"
        "from initcheck.evidence.lab import get_lab\n"
        f"(cell,) = [one for one in cells(codes=['SEED04']) if one.subject.name == {row!r}]\n"
        "print(run_check(cell, get_lab(1)).status.value)\n"
        "print(*sorted({'tensorflow', 'keras', 'jax', 'torch', 'flax'} & set(sys.modules)))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n")[0] == Status.PASS.value
    assert set(ran.stdout.split("\n")[1].split()) == FRAMEWORKS[target()]
