"""Baselines under pytest, in repositories of their own: judged cell by cell, recorded part by part."""

import json
from pathlib import Path

import numpy as np
import pytest
from baselines import baseline, changed
from click.testing import CliRunner
from fake_recorder import PARTS, nothing, only

from initcheck import InitcheckError
from initcheck.baselines.comparing.compare import compare
from initcheck.baselines.comparing.comparison import CellKey, Section
from initcheck.baselines.recording.parts import Part, merge, needed_by, part_of, pick
from initcheck.baselines.records.store import load_baseline, write_baseline
from initcheck.cli import app as cli
from initcheck.seeding import DEFAULT_SEED

pytestmark = pytest.mark.slow

OLD = baseline().model_copy(update={"seed": DEFAULT_SEED})
OTHER_GRADIENT = changed(OLD, "first gradient", lambda values: values * np.float32(1.05))
CELLS = len(compare(OLD, OLD).cells)
CONFTEST = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2] / "shared")!r})
import fake_recorder
fake_recorder.install()
"""
TEST = """
import initcheck

@initcheck.parametrize_with_baseline()
def test_baseline(cell, initcheck_lab):
    cell(initcheck_lab)
"""
WORKERS = {"alone": ("-p", "no:xdist"), "n0": ("-n0",), "n2": ("-n2",)}


def with_threads(within):
    return OLD.model_copy(
        update={"environment": OLD.environment.model_copy(update={"threads": (within, 1)}), "seed": DEFAULT_SEED}
    )


@pytest.fixture
def repository(pytester):
    """A repository whose framework is a file, and that holds the baseline old.json; gives what runs its tests."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(TEST)
    (pytester.path / "old.json").write_text(write_baseline(OLD))

    def run(*options, framework=OLD):
        (pytester.path / "framework.json").write_text(write_baseline(framework))
        plain = ("no:cacheprovider", "no:randomly", "no:hypothesispytest")
        return pytester.runpytest_subprocess(*(word for name in plain for word in ("-p", name)), *options)

    return run


@pytest.mark.parametrize(
    "new",
    [
        OLD,
        OTHER_GRADIENT,
        changed(OLD, "final weights", lambda values: values * np.float32(1.05)),
        baseline(draw_seed=1).model_copy(update={"seed": DEFAULT_SEED}),
        OLD.model_copy(update={"fans": {}}),
        OLD.model_copy(update={"problems": {}}),
        OLD.model_copy(update={"problems": {"iris": OLD.problems["iris"].model_copy(update={"held_out_rows": 31})}}),
        with_threads(8),
    ],
    ids=["same", "gradient", "weights", "stream", "no-fans", "no-problem", "other-data", "threads"],
)
def test_a_cell_is_the_same_judged_with_its_parts_alone_and_with_all_others(new):
    whole = compare(OLD, new).cells
    for cell in compare(OLD, OLD).cells:
        part = part_of(cell.key, PARTS)
        assert part is not None
        alone = compare(OLD, merge([only(new, one) for one in needed_by(part, OLD, PARTS)])).cells
        cell_alone = pick(alone, cell.key)
        assert cell_alone == pick(whole, cell.key)
        assert cell_alone is not None


def test_a_cell_is_decided_by_its_own_problem_whatever_the_names():
    parts = [*PARTS, Part("problems", "iris he_normal")]
    for problem, subject in (("iris", "he_normal"), ("iris he_normal", "zeros"), ("iris", "he_normal zeros")):
        assert part_of(CellKey(Section.TRACES, subject, problem), parts).name == problem
    assert part_of(CellKey(Section.ORDERS, "iris"), parts).section == "orders"
    assert part_of(CellKey(Section.ORDERS, problem="iris"), parts).section == "problems"
    assert part_of(CellKey(Section.ORDERS, problem="wine"), parts) is None


def test_parts_merge_to_the_whole_and_not_from_two_environments():
    assert merge([only(OLD, part) for part in PARTS]) == OLD
    with pytest.raises(InitcheckError, match="different threads"):
        merge([only(OLD, PARTS[0]), only(with_threads(8), PARTS[1])])
    with pytest.raises(InitcheckError, match="different seed"):
        merge([nothing(OLD), nothing(OLD).model_copy(update={"seed": 2})])


@pytest.mark.parametrize("workers", WORKERS.values(), ids=WORKERS)
def test_the_file_is_the_same_for_any_number_of_workers_and_each_part_is_recorded_once(repository, pytester, workers):
    result = repository(*workers, "--initcheck-record=new.json", "--initcheck-baseline=old.json")
    result.assert_outcomes(passed=len(PARTS) + CELLS)
    assert (pytester.path / "new.json").read_text() == write_baseline(OLD)
    assert sorted((pytester.path / "recorded.txt").read_text().splitlines()) == sorted(map(str, PARTS))
    result.stdout.fnmatch_lines(
        ["initcheck: judged against old.json*", f"initcheck: {CELLS} cells*: {CELLS} identical", "*recorded *new.json*"]
    )


def test_missing_then_recorded_then_changed_then_recorded_again(repository):
    result = repository("--initcheck-baseline=a.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("ERROR: a.json cannot be read*")
    assert repository("--initcheck-record=a.json").ret == 0
    result = repository("--initcheck-baseline=a.json", "--initcheck-record=b.json", framework=OTHER_GRADIENT)
    result.assert_outcomes(failed=1, passed=len(PARTS) + CELLS - 1)
    result.stdout.fnmatch_lines(
        [
            "*traces iris he_normal: CHANGED since 'first gradient' by * ulps, relative 0.0*is allowed, actual*",
            "*expected: identical or within tolerance, against a.json*",
            "*see all: initcheck compare a.json b.json",
            "initcheck: * 1 changed",
        ]
    )
    result.stdout.no_fnmatch_line("*baseline_tests.py*")
    assert repository("--initcheck-baseline=b.json", framework=OTHER_GRADIENT).ret == 0


def test_what_is_allowed_passes_and_the_way_to_see_all_is_reported_where_nothing_is_recorded(repository):
    allowed = repository("--initcheck-baseline=old.json", "--initcheck-allow=changed", framework=OTHER_GRADIENT)
    assert allowed.ret == 0
    result = repository("--initcheck-baseline=old.json", "-k", "traces", framework=OTHER_GRADIENT)
    result.stdout.fnmatch_lines(
        "*see all: pytest --initcheck-record NEW --initcheck-seed 20260101, then initcheck compare old.json NEW"
    )


def test_without_the_options_nothing_is_collected_nor_skipped(repository, pytester):
    pytester.makepyfile(test_other="def test_other(): pass")
    result = repository("-rA")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*test_baseline*")


@pytest.mark.parametrize(
    ("options", "fault", "message"),
    [
        (("-k", "draws"), "", "7 were not selected, not reached or failed (defaults, fans, layers, …)"),
        ((), "FAILS", "1 were not selected, not reached or failed (fans)"),
        (("-n2", "--max-worker-restart=0"), "CRASHES", "*fans*"),
        (("-x",), "FAILS", "5 were not selected, not reached or failed (fans, layers, steps, …)"),
    ],
    ids=["deselected", "failed", "crashed", "stopped"],
)
def test_a_baseline_of_which_a_part_is_missing_overwrites_nothing(
    repository, pytester, monkeypatch, options, fault, message
):
    (pytester.path / "a.json").write_text("kept")
    monkeypatch.setenv(fault or "NO_FAULT", "fans")
    result = repository("--initcheck-record=a.json", *options)
    assert result.ret != 0
    result.stdout.fnmatch_lines(f"initcheck: *a.json was not written: of 8 parts, {message}")
    assert sorted(path.name for path in pytester.path.glob("*a.json*")) == ["a.json"]
    assert (pytester.path / "a.json").read_text() == "kept"


def test_a_baseline_that_no_test_records_is_reported(repository, pytester):
    pytester.makepyfile("def test_other(): pass")
    result = repository("--initcheck-record=a.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines("initcheck: *a.json was not written: no test that is decorated*")


def test_what_could_not_be_recorded_is_reported_by_each_of_its_tests_and_tried_once(repository, pytester, monkeypatch):
    monkeypatch.setenv("FAILS", "problems iris")
    result = repository("--initcheck-baseline=old.json")
    result.stdout.fnmatch_lines("*AssertionError: problems iris could not be recorded: it cannot be built")
    assert (pytester.path / "recorded.txt").read_text().count("problems iris") == 1
    of_iris = [cell for cell in compare(OLD, OLD).cells if part_of(cell.key, PARTS) == PARTS[-1]]
    assert result.parseoutcomes()["failed"] == 1 + len(of_iris)


def test_what_only_one_side_has_is_a_difference(repository, pytester):
    dense, iris = OLD.fans["dense"], OLD.problems["iris"]
    old = OLD.model_copy(update={"fans": {"gone": dense, "dense": dense}, "problems": {"wine": iris, "iris": iris}})
    (pytester.path / "old.json").write_text(write_baseline(old))
    new = OLD.model_copy(update={"fans": {"dense": dense, "extra": dense}})
    result = repository("--initcheck-baseline=old.json", "-rf", framework=new)
    # Where CI is set, pytest repeats a failure's whole message in its summary: only failures themselves are counted.
    complaints = [line.removeprefix("E").strip() for line in result.outlines if line.startswith("E ")]
    assert complaints.count("AssertionError: fans gone: CHANGED: only in the old baseline") == 1
    assert not any("fans extra" in line for line in complaints)  # a framework may gain layers
    of_wine = [cell for cell in compare(old, old).cells if cell.key.problem == "wine"]
    assert complaints.count("AssertionError: traces wine: CHANGED: only in the old baseline") == len(of_wine) > 2
    assert result.parseoutcomes()["failed"] == 1 + len(of_wine)


def test_between_environments_no_claim_about_bits_is_made_and_the_cells_are_judged(repository):
    result = repository("--initcheck-baseline=old.json", framework=with_threads(8))
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["initcheck: * within tolerance", "initcheck: no claim about bits is made*threads 1 within*→ 8 within*"]
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--initcheck-baseline=bad.json",), "bad.json is no JSON*"),
        (("--initcheck-baseline=newer.json", "-n2"), "newer.json was written by a newer initcheck*"),
        (("--initcheck-record=none/a.json", "-n2"), "--initcheck-record *none/a.json cannot be written*"),
        (("--initcheck-record=old.json", "--initcheck-baseline=old.json"), "*record to another file"),
        (("--initcheck-baseline=old.json", "--initcheck-seed=1"), "*another seed; add --initcheck-seed 20260101"),
        (("--initcheck-record=a.json", "--initcheck-reseeds=-1"), "--initcheck-reseeds is -1*"),
    ],
)
def test_what_cannot_work_is_reported_at_the_start_in_one_line(pytester, options, message):
    text = write_baseline(OLD)
    (pytester.path / "old.json").write_text(text)
    (pytester.path / "bad.json").write_text(text[:1000])
    (pytester.path / "newer.json").write_text(json.dumps({**json.loads(text), "schema_version": 99}))
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(f"ERROR: {message}")
    assert len(str(result.stderr).strip().splitlines()) == 1
    assert sorted(path.name for path in pytester.path.iterdir()) == ["bad.json", "newer.json", "old.json"]


def test_a_hostile_name_reaches_no_terminal_with_its_controls(repository, pytester):
    evil = "\u001b[2Jevil <script>"
    where = OLD.environment.model_copy(update={"versions": {"tensorflow": evil}, "cpu": evil})
    old = OLD.model_copy(update={"fans": {evil: OLD.fans["dense"]}, "environment": where})
    (pytester.path / "old.json").write_text(write_baseline(old))
    result = repository("--initcheck-baseline=old.json", "-rA")
    assert result.parseoutcomes()["failed"] == 1
    assert "evil <script>: CHANGED: only in the old" in str(result.stdout)
    assert "\u001b" not in str(result.stdout)


FAULT = """
import os

import keras

if os.environ.get("FAULT"):
    original = keras.initializers.VarianceScaling.__call__
    keras.initializers.VarianceScaling.__call__ = lambda *a, **options: original(*a, **options) * 1.05
"""


def test_the_installed_framework_is_recorded_as_the_command_does_and_its_fault_is_named(pytester, monkeypatch):
    pytester.makeconftest(FAULT)
    pytester.makepyfile(TEST.replace("baseline()", "baseline('iris')"))
    command = CliRunner().invoke(cli.cli, ["record", "cli.json", "--problem", "iris", "--reseeds", "20"])
    assert command.exit_code == 0, command.exception
    expected = (pytester.path / "cli.json").read_bytes()
    # That every number of workers gives the same file is tested above, with a recorder that takes no time.
    result = pytester.runpytest_subprocess("--initcheck-record=a.json", "--initcheck-reseeds=20", "-n2")
    assert result.ret == 0
    assert (pytester.path / "a.json").read_bytes() == expected
    old = load_baseline(pytester.path / "a.json")
    result = pytester.runpytest_subprocess("--initcheck-baseline=a.json", "-n2")
    assert result.ret == 0
    result.stdout.fnmatch_lines(f"initcheck: * {len(compare(old, old).cells)} identical")

    monkeypatch.setenv("FAULT", "1")
    result = pytester.runpytest_subprocess("--initcheck-baseline=a.json", "-k", "he_normal")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines("*traces iris he_normal: CHANGED since 'draws'*")


def test_a_baseline_without_locks_names_the_extra_before_any_test(repository, pytester):
    pytester.makeconftest("import sys\nfrom initcheck import extras\nextras.find_spec = lambda name: None\n")
    result = repository("--initcheck-baseline", "old.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*needs filelock: pip install 'initcheck[[]upgrade]'*"])
