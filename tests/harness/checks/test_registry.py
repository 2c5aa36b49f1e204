"""An exception in a check: a failure of the framework, or a mistake in initcheck."""

import json
import operator
import traceback
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from initcheck.checks import blame, order
from initcheck.checks.registry import FRAMEWORK, Cell, Check, NotApplicable, Subject, cells, run_check
from initcheck.errors import FrameworkError, InitcheckError
from initcheck.frameworks.keras import load_keras
from initcheck.records import Status
from initcheck.texts import reason_of


def run(judge):
    lab: Any = SimpleNamespace()
    return run_check(Cell(Check("X1", "", "laws", FRAMEWORK, judge), FRAMEWORK[0], 0.0), lab)


def outside():
    """Stands for the framework: it lies neither in initcheck nor in a library that initcheck computes with."""
    raise ValueError("no such shape")


def in_initcheck(function):
    """Makes a function appear as defined in initcheck."""
    function.__code__ = function.__code__.replace(co_filename=order.__file__)
    return function


@pytest.mark.parametrize(
    ("judge", "message"),
    [
        (lambda lab, _: [][0], "list index out of range"),
        (lambda lab, _: np.stack([]), "need at least one array to stack"),
        (lambda lab, _: json.loads("{"), "Expecting property name"),
    ],
)
def test_an_exception_out_of_initchecks_own_code_is_raised(judge, message):
    with pytest.raises((ValueError, IndexError), match=message):
        run(in_initcheck(judge))


def test_an_exception_that_comes_through_the_framework_is_a_failure_with_its_trace_alone():
    verdict = run(in_initcheck(lambda lab, _: outside()))
    assert (verdict.status, verdict.measured) == (Status.FAIL, "raised ValueError: no such shape")
    assert [frame.name for frame in traceback.extract_tb(verdict.cause.__traceback__)] == ["outside"]


@pytest.mark.parametrize(("installed", "status"), [(None, Status.NOT_APPLICABLE), (True, Status.FAIL)])
def test_what_takes_an_optional_package_that_is_not_installed_is_not_applicable(monkeypatch, installed, status):
    def without_torchvision():
        raise ImportError("This requires the torchvision module. You can install it via `pip install torchvision`")

    monkeypatch.setattr(blame, "find_spec", {"torchvision": installed}.get)
    verdict = run(in_initcheck(lambda lab, _: without_torchvision()))
    assert verdict.status is status
    assert "torchvision" in verdict.measured


def test_what_a_users_own_object_lacks_or_does_not_take_is_its_failure():
    class Own:
        def __call__(self, shape):
            return shape

    for judge in (lambda lab, own: own.get_config(), lambda lab, own: own((2,), dtype="float32")):
        check = Check("X1", "", "laws", FRAMEWORK, in_initcheck(judge))
        lab: Any = SimpleNamespace()
        verdict = run_check(Cell(check, Subject("mine", Own(), own=True), 0.0), lab)
        assert verdict.status is Status.FAIL
        assert "Own" in verdict.measured


@pytest.mark.parametrize("missing", ["keras.layers", "tensorflow"])
def test_a_name_that_the_framework_lacks_is_its_failure(missing):
    module = ModuleType(missing)

    def judge(lab, _):
        return module.removed

    verdict = run(in_initcheck(judge))
    assert verdict.status is Status.FAIL
    assert verdict.measured == f"raised AttributeError: module '{missing}' has no attribute 'removed'"
    with pytest.raises(AttributeError, match="removed"):  # of our own
        run(in_initcheck(lambda lab, _: lab.removed))


def with_wrong_arguments(function):
    return in_initcheck(lambda lab, _: function(no_such_argument=1))  # a call is raised in the frame of the caller


@pytest.mark.parametrize("name", ["initializers.GlorotNormal", "losses.MeanSquaredError", "utils.set_random_seed"])
def test_arguments_that_the_framework_no_longer_accepts_are_its_failure(name):
    verdict = run(with_wrong_arguments(operator.attrgetter(name)(load_keras())))
    assert verdict.status is Status.FAIL
    assert "got an unexpected keyword argument 'no_such_argument'" in verdict.measured


class GlorotNormal:
    """Is named as an initializer of the framework."""


def test_arguments_that_another_function_does_not_accept_are_a_mistake_in_initcheck(monkeypatch):
    monkeypatch.setattr(GlorotNormal, "__module__", order.__name__)
    monkeypatch.setattr(order, "GlorotNormal", GlorotNormal, raising=False)
    for function in (GlorotNormal, reason_of, np.linalg.norm):
        with pytest.raises(TypeError, match=r"no_such_argument|takes no arguments"):
            run(with_wrong_arguments(function))


def test_an_error_of_initcheck_about_a_users_mistake_is_a_failure():
    def judge(lab, _):
        raise InitcheckError("problem 'mine': model raises ValueError: no; correct it")

    assert run(in_initcheck(judge)).measured.startswith("raised InitcheckError: problem 'mine'")


def test_a_missing_framework_is_no_failure_of_a_check():
    def judge(lab, _):
        raise FrameworkError("not installed")

    with pytest.raises(FrameworkError, match="not installed"):
        run(judge)


def test_a_subject_that_cannot_be_judged_is_not_applicable_with_the_reason():
    def judge(lab, _):
        raise NotApplicable("it takes no seed")

    assert (run(judge).status, run(judge).measured) == (Status.NOT_APPLICABLE, "it takes no seed")


def test_an_order_that_is_no_permutation_fails_by_judgement():
    taken = SimpleNamespace(rows=lambda: [np.zeros(18_000, int)])
    lab: Any = SimpleNamespace(factor=1.5, orders=SimpleNamespace(taken=lambda feed, **_: taken), salted=lambda: lab)
    (cell,) = cells(codes=["ORD11"])
    verdict = run_check(cell, lab)
    assert (verdict.status, verdict.cause) == (Status.FAIL, None)
    assert "the rows are not taken once each" in verdict.measured
