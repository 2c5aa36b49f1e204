"""Checks of a library's layers and streams: faults that are only just wrong, in the library that is the target.

Run for each: ``pytest --initcheck-target torch tests/harness/targets``; with Keras there is nothing to run.
"""

import fnmatch
import importlib

import pytest

from initcheck.catalog.known_issues import known_issues
from initcheck.catalog.laws import Elementwise
from initcheck.checks.laws.library_defaults import MOST, SAMPLES, needs
from initcheck.checks.registry import all_checks, budget_share, cells, run_check
from initcheck.evidence.lab import get_lab
from initcheck.frameworks.backends import load_library
from initcheck.frameworks.libraries.chosen import library
from initcheck.mutants.library_layers import FAULTS
from initcheck.records import Status
from initcheck.targets import LIBRARY, target

pytestmark = pytest.mark.skipif(library() is None, reason="needs a library as the target: torch, jax or flax")
HERE = [fault for fault in FAULTS if fault.target == target()]


def judged(name):
    """The verdict of the cell of that code and subject."""
    code, _, subject = name.partition("-")
    (cell,) = [one for one in cells(codes=[code]) if one.subject.name == subject]
    return run_check(cell, get_lab(3))


@pytest.mark.parametrize("fault", HERE)
def test_a_fault_that_is_only_just_wrong_is_caught_and_nothing_is_without_it(fault, monkeypatch):
    package = load_library(fault.target)
    if fault.target == "flax":
        importlib.import_module("flax.linen")
    for cell in fault.cells:
        assert judged(cell).status is Status.PASS, cell
    fault.apply(package, monkeypatch.setattr)
    for cell in fault.cells:
        assert judged(cell).status is Status.FAIL, cell


def test_every_check_of_libraries_has_a_fault():
    codes = {check.code for check in all_checks() if check.on == LIBRARY}
    assert {cell.partition("-")[0] for fault in FAULTS for cell in fault.cells} == codes


def test_no_layer_has_more_random_weights_than_the_tests_are_counted_for():
    for layer in library().layers:
        assert sum(isinstance(row.law, Elementwise) for row in layer.weights.values()) <= MOST, layer.name
    assert needs(budget_share()) <= SAMPLES


def test_layers_and_streams_have_names_of_their_own_and_say_where_they_are_documented():
    for rows in (library().layers, library().streams):
        assert len({row.name for row in rows}) == len(rows)
        assert all(row.source.startswith("https://") and " " not in row.name for row in rows)


def test_known_issues_of_layers_and_streams_name_some():
    subjects = {check.code: [one.name for one in check.subjects] for check in all_checks() if check.on == LIBRARY}
    for issue in known_issues():
        if issue.target == target() and issue.check in subjects:
            assert fnmatch.filter(subjects[issue.check], issue.subject), issue


def test_streams_have_ten_places_of_4096_elements():
    for streams in library().streams:
        drawn = streams.draw(5)
        assert len(drawn) >= 10, streams.name
        assert all(values.size >= 64 * 64 for values in drawn.values()), streams.name
