"""Which tests pytest-xdist runs in one worker, in a repository that has none of our files."""

import xml.etree.ElementTree as ElementTree

import pytest

from initcheck.catalog.problems import PROBLEMS
from initcheck.checks.registry import SECONDS, cells
from initcheck.plugin.groups import group_of, without_group

pytestmark = pytest.mark.slow

# Checks of three evidences, each of which notes where it ran.
CONFTEST = """
import os
from pathlib import Path
from initcheck.checks import registry
from initcheck.frameworks import backends as framework
from initcheck.records import passed

NOTES = Path(__file__).with_name("notes")

def noting(lab, name):
    with NOTES.open("a") as notes:
        print(os.environ.get("PYTEST_XDIST_WORKER", "alone"), name, file=notes)
    return passed("noted")

def make(code, *, subjects=3, **traits):
    subjects = [registry.Subject(f"s{number}", f"{code}-s{number}") for number in range(subjects)]
    return registry.Check(code, f"promise of {code}", "laws", subjects, noting, **traits)

CHECKS = [make("A", subjects=9), make("B", evidence="spread of digits"), make("C", evidence="fresh process")]
CHECKS += [make("D", evidence="fresh process")]
registry.all_checks = lambda: CHECKS
framework.load_target = lambda: None
"""


@pytest.fixture
def ran(pytester):
    """Runs the checks with those options; gives the result, and the names that each worker ran, in their order."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        "import initcheck\n"
        "@initcheck.parametrize_with_checks()\n"
        "def test_it(check, initcheck_lab): check(initcheck_lab)\n"
    )
    pytester.makeini("[pytest]\nstrict_markers = true\n")

    def run(*options):
        result = pytester.runpytest_subprocess("-p", "no:randomly", "--junitxml=junit.xml", *options)
        result.assert_outcomes(passed=18)
        by_worker: dict[str, list[str]] = {}
        for line in (pytester.path / "notes").read_text().splitlines():
            worker, name = line.split()
            by_worker.setdefault(worker, []).append(name)
        (pytester.path / "notes").unlink()
        return result, by_worker

    return run


def ids(path):
    return {case.get("name") for case in ElementTree.parse(path / "junit.xml").iter("testcase")}


def test_one_worker_runs_all_that_shares_evidence_and_the_longest_starts_first(ran):
    _, by_worker = ran("-n2")
    codes = [[name[0] for name in names] for names in by_worker.values()]
    assert sorted(code for worker in codes for code in dict.fromkeys(worker)) == ["A", "B", "C", "D"]  # each in one
    first = sorted("".join(dict.fromkeys(worker)) for worker in codes)
    # Of two workers, one begins with the fresh process, the other with the next longest; what is left goes to either.
    assert first in (["B", "CDA"], ["BA", "CD"])


def test_ids_are_those_of_a_run_without_workers(ran, pytester):
    ran("-n2")
    distributed = ids(pytester.path)
    ran("-n0")
    assert distributed == ids(pytester.path)
    assert "test_it[A-s0]" in distributed


def test_what_failed_in_a_worker_is_repeated_without_workers(ran, pytester):
    ran("-n2")
    cache = pytester.path / ".pytest_cache/v/cache/nodeids"
    assert "@" not in cache.read_text()


def test_another_way_to_distribute_is_kept(ran):
    result, _ = ran("-n2", "--dist=load", "-v")
    result.stdout.fnmatch_lines("scheduling tests via LoadScheduling")
    result, _ = ran("-n2", "-v")
    result.stdout.fnmatch_lines("scheduling tests via LoadGroupScheduling")


def test_the_marks_are_known_without_xdist(ran):
    ran("-p", "no:xdist")


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("ORD01", "DET05-zeros", True),
        ("SPR01-iris-", "SPR03-iris-he_normal", True),
        ("SPR01-iris-", "SPR01-xor-", False),
        ("LAW01", "LAW02", True),
        ("LAW01", "SEED01", False),
    ],
)
def test_checks_of_the_catalogue_that_share_evidence(one, other, together):
    mine, others = (next(cell for cell in cells() if cell.name.startswith(name)).evidence for name in (one, other))
    assert (mine == others) is together


def test_what_takes_long_is_evidence_of_some_check():
    assert set(SECONDS) <= {cell.evidence for cell in cells()}
    assert {f"spread of {name}" for name in ("iris", "digits")} <= {cell.evidence for cell in cells()}
    assert "digits" in PROBLEMS


@pytest.mark.parametrize(
    "nodeid", ["test_a.py::test_b[x@y]", "test_a.py::test_b", "a@b.py::test_c", "test_a.py::t@own"]
)
def test_only_our_groups_are_taken_from_an_id(nodeid):
    assert without_group(nodeid) == nodeid
    assert without_group(f"{nodeid}@{group_of('laws').args[0]}") == nodeid
