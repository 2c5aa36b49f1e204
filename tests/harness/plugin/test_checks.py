"""The pytest plugin, tried in repositories that have none of our files, with checks made up for the purpose."""

import xml.etree.ElementTree as ElementTree

import pytest

pytestmark = pytest.mark.slow

# Checks without a framework, in place of the catalogue's; the lab is real, but never asked for evidence.
CONFTEST = """
import pytest
from initcheck.catalog.known_issues import KnownIssue
from initcheck.checks import registry
from initcheck.records import Status, Verdict, failed, passed
from initcheck.frameworks import backends as framework

def fails(lab, value): return failed("0.316", "0.283 ± 0.011", n=8000)
def raises(lab, value): raise ValueError("broken")
def statistical(lab, value, alpha): return passed("close", n=9000, p_value=0.5, alpha=alpha, effect=0.001)
def lame(lab, value): raise registry.NotApplicable("nothing to judge")
def unsure(lab, value): return Verdict(Status.INCONCLUSIVE, "too little")
def salted(lab, value, alpha):
    return passed("fine") if lab.salt else failed("odd", "even", alpha=alpha)

exec(compile("def crashes(lab, value): return {}['ours']", registry.__file__, "exec"))  # in initcheck's own code

def deprecated(*names):
    module = {"__name__": "keras.src.module"}
    exec("import warnings\\ndef old(name): warnings.warn(name, DeprecationWarning)", module)

    def judge(lab, value):
        for name in names:
            module["old"](name)
        return passed("well")
    return judge

def make(code, judge, **traits):
    return registry.Check(code, f"promise of {code}", "laws", registry.FRAMEWORK, judge, **traits)

ENOUGH = dict(samples=lambda factor: int(1000 * factor), min_samples=lambda alpha: 1000, detects="5 %")
CHECKS = [
    make("GOOD", lambda lab, value: passed("well")), make("BAD", fails), make("RAISES", raises), make("LAME", lame),
    make("CRASHES", crashes), make("UNSURE", unsure),
    make("STAT", statistical, **ENOUGH), make("SALTED", salted, **ENOUGH),
    make("OLD1", deprecated("f is old", "g is old")), make("OLD2", deprecated("g is old", "h is old")),
    make("SCARCE", statistical, samples=lambda factor: 10, min_samples=lambda alpha: 11, detects="5 %"),
]
registry.all_checks = lambda: CHECKS
framework.load_target = lambda: None
"""


@pytest.fixture
def repository(pytester):
    """A repository with a conftest that makes up checks; gives the function that runs one test of some of them."""
    pytester.makeconftest(CONFTEST)

    def run(codes, *options, expected="None", body="check(initcheck_lab)"):
        pytester.makepyfile(
            f"import initcheck\n"
            f"@initcheck.parametrize_with_checks(codes={codes!r}, expected_failed_checks={expected})\n"
            f"def test_it(check, initcheck_lab): {body}\n"
        )
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:randomly", *options)

    return run


def test_a_good_check_passes_and_the_last_line_states_the_budget(repository):
    result = repository(["GOOD", "STAT"])
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        "initcheck: keras:tensorflow: 2 checks, 0 failed, 0 known issues; false alarm ≤ 1e-03 per stream, "
        "power ≥ 99.9% at the documented effects; seed 20260101"
    )


def test_a_failure_says_what_was_expected_and_how_to_repeat_it(repository):
    result = repository(["BAD"], "--initcheck-seed", "7")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("*0.316, expected 0.283 ± 0.011 [[]n=8000]*")
    result.stdout.fnmatch_lines(
        "*promise of BAD (https://github.com/initcheck/initcheck/blob/main/docs/checks.md#bad)*"
    )
    result.stdout.fnmatch_lines("*initcheck check BAD --subject framework --seed 7*")
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_a_failure_names_the_section_in_another_copy_of_the_docs(repository, monkeypatch):
    monkeypatch.setenv("INITCHECK_DOCS", "https://docs.example.org/initcheck/")
    repository(["BAD"]).stdout.fnmatch_lines("*promise of BAD (https://docs.example.org/initcheck/checks.md#bad)*")


def test_a_seed_that_is_no_number_is_refused_with_what_is_wanted(repository):
    result = repository(["GOOD"], "--initcheck-seed", "abc")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("*--initcheck-seed: the root seed is 'abc' (a str); give a whole number")


def test_a_target_that_is_not_installed_is_one_line_before_any_test(pytester):
    pytester.makeconftest(
        "import importlib.util as util\n"
        "found = util.find_spec\n"
        "there = {'ml_dtypes': None, 'torch': 'any spec'}\n"
        "util.find_spec = lambda name, *within: there[name] if name in there else found(name, *within)"
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--initcheck-target", "torch")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = filter(str.strip, result.errlines)
    assert line.startswith("ERROR: ml_dtypes is not installed for ")
    assert line.endswith("for example with: pip install ml-dtypes")


@pytest.mark.parametrize("body", ["check()", "check(None)", "check(check)"])
def test_a_check_that_is_called_without_its_lab_is_one_line_that_says_how(repository, body):
    result = repository(["GOOD"], body=body)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        "the test calls check without its lab; write check(initcheck_lab), where initcheck_lab *"
    )
    result.stdout.no_fnmatch_line("*Error*")


def test_a_number_of_threads_that_is_none_is_one_line(repository, monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "abc")
    result = repository(["GOOD"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line.strip()] == [
        "ERROR: TF_NUM_INTRAOP_THREADS='abc' is no number of threads; set it to a whole number from 0 (TensorFlow's "
        "choice) to 1,024, or unset it"
    ]


def test_a_seed_beyond_64_bits_is_refused(repository):
    result = repository(["GOOD"], "--initcheck-seed", str(10**30))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        "*--initcheck-seed: the root seed is 1000000*; it may be 9,223,372,036,854,775,807 at most"
    )


def test_an_exception_of_the_framework_is_a_failure_and_its_trace_is_shown(repository):
    result = repository(["RAISES"])
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("*raised ValueError: broken*")


def test_nothing_to_judge_is_a_skip_with_its_reason_and_too_little_is_a_failure(repository):
    result = repository(["LAME", "UNSURE"], "-rs")
    result.assert_outcomes(skipped=1, failed=1)
    result.stdout.fnmatch_lines("*nothing to judge*")
    result.stdout.fnmatch_lines("initcheck: keras:tensorflow: 1 check, 1 failed, 0 known issues, 1 not applicable; *")


def test_a_statistical_failure_is_confirmed_on_fresh_streams(repository):
    repository(["SALTED"]).assert_outcomes(passed=1)


def test_too_few_samples_are_refused_at_collection(repository):
    result = repository(["GOOD", "SCARCE"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("*SCARCE: 10 samples are too few; 5 % needs 11*")


def test_expected_failures_are_distinguished_and_go_stale_loudly(repository):
    repository(["BAD"], expected="{'BAD': 'known'}").assert_outcomes(xfailed=1)
    result = repository(["GOOD"], expected="{'GOOD': 'known'}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("*XPASS(strict)*known*")


def test_a_crash_of_initcheck_itself_is_no_expected_failure(repository):
    result = repository(["CRASHES", "RAISES"], expected="dict(CRASHES='known', RAISES='known')")
    result.assert_outcomes(failed=1, xfailed=1)
    result.stdout.fnmatch_lines("*KeyError: 'ours'*")


def test_a_check_without_its_lab_is_no_expected_failure(repository):
    repository(["BAD"], expected="dict(BAD='known')", body="check()").assert_outcomes(failed=1)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one", "two"])
def test_numbers_reach_the_junit_file_and_the_summary_from_workers_too(repository, pytester, workers):
    result = repository(["STAT", "BAD"], "--junitxml", "out.xml", *workers)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines("initcheck: keras:tensorflow: 2 checks, 1 failed*")
    properties = {
        item.get("name"): item.get("value") for item in ElementTree.parse(pytester.path / "out.xml").iter("property")
    }
    assert {"initcheck_n", "initcheck_p_value", "initcheck_alpha", "initcheck_effect"} <= set(properties)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one", "two"])
@pytest.mark.parametrize("strict", [(), ("-W", "error")], ids=["lenient", "strict"])
def test_deprecations_of_the_framework_are_counted_and_fail_nothing(repository, pytester, workers, strict):
    result = repository(["GOOD", "OLD1", "OLD2"], "--junitxml", "out.xml", *workers, *strict)
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines_random(
        "initcheck: 3 deprecation warnings of the framework, first: DeprecationWarning: *"
    )
    values = {item.get("value") for item in ElementTree.parse(pytester.path / "out.xml").iter("property")}
    assert {f"DeprecationWarning: {name} is old" for name in "fgh"} <= values


def test_without_deprecations_there_is_no_line(repository):
    repository(["GOOD"]).stdout.no_fnmatch_line("initcheck: *deprecation warning*")


def test_a_module_that_is_skipped_as_a_whole_changes_nothing(repository, pytester):
    pytester.makepyfile(test_other='import pytest\npytest.importorskip("no_such_module")')
    result = repository(["GOOD"])
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["initcheck: keras:tensorflow: 1 check, 0 failed*"])


CENSUS = """
from initcheck.checks import census

census.take_census = lambda: ["entries"]
census.summary = lambda entries: f"layers 5 of 7, of {entries}"
framework.load_target = lambda: sys.modules.setdefault("keras", ModuleType("keras"))  # in a worker, not its controller
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one", "two"])
def test_the_summary_says_how_much_of_the_framework_is_looked_at(repository, pytester, workers):
    pytester.makeconftest("import sys\nfrom types import ModuleType\n" + CONFTEST + CENSUS)
    repository(["GOOD"], *workers).stdout.fnmatch_lines("initcheck: looked at: layers 5 of 7, of *entries*")


def test_without_a_framework_nothing_is_said_to_be_looked_at(repository):
    repository(["GOOD"]).stdout.no_fnmatch_line("*looked at*")


LONG = """
CHECKS += [make("LONG", lambda lab, value: passed("well")), make("MANY", statistical, **ENOUGH)]
rows = [registry.Subject(f"row-{number}") for number in range(60)]
CHECKS[-2:] = [dataclasses.replace(check, subjects=rows) for check in CHECKS[-2:]]
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one", "two"])
def test_a_quick_run_leaves_out_rows_of_long_checks_and_says_how_many(repository, pytester, workers):
    pytester.makeconftest("import dataclasses\n" + CONFTEST + LONG)
    codes = ["GOOD", "LONG", "MANY"]
    result = repository(codes, *workers, "--initcheck-quick")
    assert result.parseoutcomes()["passed"] == 1 + 15 + 60
    result.stdout.fnmatch_lines(
        ["initcheck: keras:tensorflow: 76 checks, 0 failed*", "initcheck: quick: * 45 more checks*"]
    )
    assert repository(codes, *workers).parseoutcomes() == {"passed": 121}


def test_the_header_shows_what_decides_the_result(repository):
    stdout = repository(["GOOD"]).stdout
    stdout.fnmatch_lines(
        "initcheck: target keras:tensorflow, tensorflow *, keras *, cpu *, threads 1, oneDNN *, seed 2026*"
    )


def test_unknown_codes_are_refused(repository):
    repository(["NOPE"]).stdout.fnmatch_lines("*no check is named 'NOPE'*")


def test_a_repository_without_our_checks_is_left_alone(pytester):
    pytester.makepyfile("def test_theirs(): pass")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("initcheck: * checks, *")
