"""The pytest plugin: the checks as tests, the options, the header and the line that states the error budget."""

from __future__ import annotations

import argparse
import inspect
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from initcheck.checks.registry import Cell
    from initcheck.evidence.lab import Lab
    from initcheck.records import Verdict

_PREFIX = "initcheck_"
_BASELINE_MARK = f"{_PREFIX}baseline"
_DEPRECATION = f"{_PREFIX}deprecation"
_CENSUS = f"{_PREFIX}census"
_CENSUS_KEY = pytest.StashKey[str]()
_LEFT = f"{_PREFIX}left-out"
_LEFT_KEY = pytest.StashKey[int]()


@dataclass
class BoundCheck:
    """A check bound to its subject; called with the lab, it judges and keeps its verdict.

    Attributes:
        cell: The check and its subject.
        verdict: The verdict, once it was called.
        deprecations: The framework's deprecation warnings that its process met first while it judged.
    """

    cell: Cell
    verdict: Verdict | None = field(default=None, compare=False)
    deprecations: list[str] = field(default_factory=list, compare=False)

    def __call__(self, lab: Lab | None = None) -> None:
        """Judges; returns where the check passes.

        Raises:
            AssertionError: The check fails, or is inconclusive.
        """
        from initcheck.checks.registry import run_check
        from initcheck.frameworks.quiet import deprecations
        from initcheck.plugin.lab_argument import require_lab
        from initcheck.records import Status

        __tracebackhide__ = True
        lab = require_lab(lab, "check(initcheck_lab)")
        before = len(deprecations())
        self.verdict = run_check(self.cell, lab)
        self.deprecations = deprecations()[before:]
        if self.verdict.status is Status.NOT_APPLICABLE:
            pytest.skip(self.verdict.measured)
        if self.verdict.status is not Status.PASS:
            raise AssertionError(self.report(lab)) from self.verdict.cause

    def report(self, lab: Lab) -> str:
        """The failure, and the command that repeats it."""
        check = self.cell.check
        return (
            f"{check.code} {self.cell.subject.name}: {self.verdict}\n"
            f"promise: {check.title} ({check.url})\n"
            + (f"detects: {check.detects}\n" if check.detects else "")
            + f"repeat: {self._repeat(lab.seed)}"
        )

    def _repeat(self, seed: int) -> str:
        """The command that judges this cell again."""
        from initcheck.checks.registry import as_subject
        from initcheck.frameworks.own import origin_of
        from initcheck.plugin.groups import without_group

        subject, code = self.cell.subject, self.cell.check.code
        name = origin_of(subject.value) if subject.own else subject.name
        kind = getattr(subject.value, "made_by", None)
        if not name and isinstance(kind, type) and subject.value == as_subject(kind).value:
            name = origin_of(kind)  # the class was given, and is what a command can name
        if name:
            return shlex.join(["initcheck", "check", code, "--subject", name, "--seed", str(seed)])
        test = without_group(os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0])
        return shlex.join(["pytest", test, "--initcheck-seed", str(seed)])


def parametrize_with_checks(
    *own: Any,
    families: Iterable[str] = (),
    codes: Iterable[str] = (),
    expected_failed_checks: Mapping[str, str] | None = None,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Parametrizes a test with checks; the test calls ``check(initcheck_lab)``.

    Args:
        own: Your own ``Problem`` or ``Initializer`` rows, or Keras initializer classes; the framework's own
            catalogue where none is given. A model of yours as it is, ``Problem.of(build, data)``, is asked the doctor's
            questions, one a test.
        families: Only the checks of those families.
        codes: Only those checks.
        expected_failed_checks: Code of a check, or question, that is expected to fail → the reason; one that passes
            all the same fails the test.

    Raises:
        UnknownNameError: A family or code that does not exist.
    """
    from initcheck.catalog.own_problems import OwnProblem
    from initcheck.checks.registry import as_subject, cells
    from initcheck.plugin.examined import model_checks
    from initcheck.plugin.groups import group_of

    expected = dict(expected_failed_checks or {})
    models = [one for one in own if isinstance(one, OwnProblem)]
    parameters = [parameter for model in models for parameter in model_checks(model, expected)]
    others = [as_subject(one) for one in own if not isinstance(one, OwnProblem)]
    for cell in cells(families, codes=codes, own=others) if others or not models else ():
        issue, reason = cell.known_issue, expected.get(cell.check.code)
        strict = reason is not None or not (cell.subject.own or (issue is not None and issue.sometimes))
        reason = reason or (f"{issue.reason} ({issue.link})" if issue else None)
        marks = [group_of(cell.evidence)]
        # A mistake of initcheck's own is no expected failure.
        marks += [pytest.mark.xfail(reason=reason, strict=strict, raises=AssertionError)] if reason else []
        parameters.append(pytest.param(BoundCheck(cell), id=cell.name, marks=marks))
    return pytest.mark.parametrize("check", parameters)


def parametrize_with_baseline(*problems: Any) -> pytest.MarkDecorator:
    """Parametrizes a test with the cells of a baseline; the test calls ``cell(initcheck_lab)``.

    With ``--initcheck-baseline FILE`` the installed framework is judged cell by cell; with ``--initcheck-record FILE``
    its evidence is written. Without either the test is not collected.

    Args:
        problems: Your own ``Problem`` rows, your own models as ``Problem.of`` takes them, or names of the catalogue's;
            by default those of the catalogue that the baseline holds, or where there is none to judge against, the
            catalogue's own.
    """
    return getattr(pytest.mark, _BASELINE_MARK).with_args(*problems)  # type: ignore[no-any-return]


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Adds the options, all with one prefix, and the hooks that keep shared evidence in one worker."""
    from initcheck.plugin import groups
    from initcheck.seeding import DEFAULT_SEED

    pluginmanager.register(groups, "initcheck-groups")
    group = parser.getgroup("initcheck", "reproducibility of the installed framework")
    group.addoption(
        "--initcheck-seed",
        type=_seed,
        default=DEFAULT_SEED,
        help=f"root seed of every stream (default: {DEFAULT_SEED})",
    )
    group.addoption(
        "--initcheck-target",
        metavar="TARGET",
        help="what is judged: keras:tensorflow, keras:jax, keras:torch, torch, jax, flax, or package.module:attribute "
        "for a library of your own (default: the variable INITCHECK_TARGET, or Keras on the backend that it is set to)",
    )
    effort = "the stated effects are detected with power 99.9 %% in any case"
    quick = (
        "just as many samples as they need, and of exact checks with many rows a quarter, which the root seed chooses"
    )
    for name, times in (("quick", quick), ("thorough", "four times as many")):
        group.addoption(
            f"--initcheck-{name}",
            action="store_const",
            const=name,
            dest="initcheck_effort",
            default="normal",
            help=f"take {times} (default: half as many again); {effort}",
        )
    _add_baseline_options(group)


def _seed(text: str) -> int:
    from initcheck.arguments import described, whole_number
    from initcheck.errors import InitcheckError

    try:
        return whole_number("the root seed", int(text))
    except InitcheckError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    except ValueError:
        raise argparse.ArgumentTypeError(f"the root seed is {described(text)}; give a whole number") from None


def _add_baseline_options(group: pytest.OptionGroup) -> None:
    from initcheck.baselines.comparing.classes import CLASSES

    group.addoption(
        "--initcheck-baseline",
        metavar="FILE",
        help="judge the installed framework against that baseline, a test for each cell (default: none)",
    )
    group.addoption(
        "--initcheck-record",
        metavar="FILE",
        help="write the evidence of the installed framework to that baseline (default: none)",
    )
    group.addoption(
        "--initcheck-allow",
        metavar="CLASS",
        action="append",
        default=[],
        choices=list(CLASSES),
        help=f"what a cell may be, with what is better than it, may be given again: {', '.join(CLASSES)} "
        "(default: within-tolerance)",
    )
    group.addoption(
        "--initcheck-reseeds",
        metavar="N",
        type=int,
        help="runs of each problem and initializer for a baseline's accuracies; 0 for none (default: as many as the "
        "baseline to judge against has, or else as initcheck record takes)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Prepares to judge that target, against a baseline, or to record one.

    Raises:
        UsageError: No such target, or it is not installed; a baseline that cannot be used, or a place that cannot be
            written to.
    """
    _choose_target(config)
    config.addinivalue_line("markers", f"{_BASELINE_MARK}(*problems): set by parametrize_with_baseline")
    if not _wants_baseline(config):
        return
    from initcheck.errors import InitcheckError
    from initcheck.plugin.baseline import BaselineSession
    from initcheck.texts import for_terminal

    try:
        config.pluginmanager.register(BaselineSession(config, _BASELINE_MARK), "initcheck-baselines")
    except InitcheckError as error:
        raise pytest.UsageError(for_terminal(str(error))) from None


def _choose_target(config: pytest.Config) -> None:
    if (asked := config.getoption("initcheck_target")) is None:
        return
    from initcheck.errors import InitcheckError
    from initcheck.frameworks.backends import require_target
    from initcheck.targets import choose_target

    try:
        choose_target(asked, "--initcheck-target")
        require_target()
    except InitcheckError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_pycollect_makeitem(collector: pytest.Collector, obj: object) -> list[pytest.Item] | None:
    """Collects no test of a baseline where there is none to judge against or to record."""
    marks = getattr(obj, "pytestmark", ()) if inspect.isfunction(obj) else ()
    hidden = any(mark.name == _BASELINE_MARK for mark in marks) and not _wants_baseline(collector.config)
    return [] if hidden else None


def _wants_baseline(config: pytest.Config) -> bool:
    options = {name: config.getoption(name) for name in ("initcheck_baseline", "initcheck_record")}
    for name, value in options.items():
        if value is not None and not value.strip():  # a variable that is not set
            raise pytest.UsageError(f"--{name.replace('_', '-')} names no file; name one, or leave the option out")
    return any(value is not None for value in options.values())


def pytest_report_header(config: pytest.Config) -> list[str]:
    """The settings that decide the results; the framework is not loaded for it."""
    from initcheck.errors import InitcheckError
    from initcheck.frameworks.environment import settings

    try:
        header = ", ".join(f"{name} {value}" for name, value in settings().items())
    except InitcheckError as error:
        raise pytest.UsageError(str(error)) from None
    return [f"initcheck: {header}, seed {config.getoption('initcheck_seed')}, {config.getoption('initcheck_effort')}"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what no quick run judges; refuses statistical checks with too few samples for the power they state."""
    from initcheck.statistics.budget import EFFORTS

    effort = config.getoption("initcheck_effort")
    factor = EFFORTS[effort]
    cells = {item: bound.cell for item in items if (bound := _bound_check(item)) is not None}
    if effort == "quick":
        _leave_out(config, items, cells)
    for cell in cells.values():
        check = cell.check
        if check.samples is None or check.min_samples is None or not cell.alpha:  # exact, or not judged here
            continue
        if (taken := check.samples(factor)) < (needed := check.min_samples(cell.alpha)):
            raise pytest.UsageError(f"{check.code}: {taken} samples are too few; {check.detects} needs {needed}")


def _leave_out(config: pytest.Config, items: list[pytest.Item], cells: dict[pytest.Item, Cell]) -> None:
    from initcheck.checks.quick import in_quick_run

    chosen = in_quick_run(list(cells.values()), config.getoption("initcheck_seed"))
    left = {item for item, kept in zip(cells, chosen, strict=True) if not kept}
    if left:
        config.hook.pytest_deselected(items=list(left))
        items[:] = [item for item in items if item not in left]
    config.stash[_LEFT_KEY] = len(left)


@pytest.fixture(scope="session")
def initcheck_lab(request: pytest.FixtureRequest) -> Lab:
    """The session's laboratory, which gives checks their evidence; loads the framework, with its threads pinned."""
    from initcheck.errors import InitcheckError
    from initcheck.evidence.lab import get_lab
    from initcheck.frameworks.backends import load_target
    from initcheck.statistics.budget import EFFORTS

    try:
        load_target()
    except InitcheckError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None  # so that it is shown once
    config = request.config
    return get_lab(config.getoption("initcheck_seed"), EFFORTS[config.getoption("initcheck_effort")])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Exports the verdict's numbers as properties of the test, which JUnit files and xdist's controller receive."""
    check = _bound_check(item)
    if call.when == "call" and check is not None and check.verdict is not None:
        from initcheck.targets import target

        verdict = check.verdict
        numbers = {"n": verdict.n, "p_value": verdict.p_value, "alpha": verdict.alpha, "effect": verdict.effect}
        item.user_properties.append((f"{_PREFIX}check", check.cell.name))
        item.user_properties.append((f"{_PREFIX}target", target()))
        item.user_properties += [(_PREFIX + name, value) for name, value in numbers.items() if value is not None]
        item.user_properties += [(_DEPRECATION, text) for text in check.deprecations]
    return (yield)


def _bound_check(item: pytest.Item) -> BoundCheck | None:
    callspec = getattr(item, "callspec", None)
    check = callspec.params.get("check") if callspec else None
    return check if isinstance(check, BoundCheck) else None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker, reports what the checks look at of the framework, which the controller does not load."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_CENSUS] = _census()
        output[_LEFT] = session.config.stash.get(_LEFT_KEY, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:  # noqa: ARG001 - pytest-xdist's signature
    """In the controller, keeps what a worker reports; each has collected the same tests."""
    output = getattr(node, "workeroutput", {})
    if census := output.get(_CENSUS):
        node.config.stash[_CENSUS_KEY] = census
    if left := output.get(_LEFT):
        node.config.stash[_LEFT_KEY] = left


def _census() -> str:
    """How many of the framework's public names are looked at; empty where it was not loaded."""
    from initcheck.checks.registry import share_judged
    from initcheck.targets import TENSORFLOW, target

    if target() != TENSORFLOW:
        return share_judged()
    if not sys.modules.keys() & {"keras", "tf_keras"}:
        return ""
    from initcheck.checks.census import summary, take_census

    return summary(take_census())


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Ends the session with what was judged, what is deprecated, and how often a right framework would fail."""
    counts = {
        outcome: sum(
            any(name == f"{_PREFIX}check" for name, _ in getattr(report, "user_properties", ()))
            for report in terminalreporter.getreports(outcome)
        )
        for outcome in ("passed", "failed", "xfailed", "skipped")
    }
    if not sum(counts.values()):
        return
    from initcheck.statistics.budget import FALSE_ALARM_RATE, POWER
    from initcheck.targets import target

    idle = f", {counts['skipped']} not applicable" if counts["skipped"] else ""
    checks, issues = counts["passed"] + counts["failed"] + counts["xfailed"], counts["xfailed"]
    terminalreporter.write_line(
        f"initcheck: {target()}: {checks} check{'s' * (checks != 1)}, {counts['failed']} failed, "
        f"{issues} known issue{'s' * (issues != 1)}{idle}; false alarm ≤ {FALSE_ALARM_RATE:.0e} per stream, "
        f"power ≥ {POWER:.1%} at the documented effects; seed {config.getoption('initcheck_seed')}"
    )
    left = config.stash.get(_LEFT_KEY, 0)
    if left:
        terminalreporter.write_line(
            f"initcheck: quick: not run are {left} more checks, rows of long ones; the next two root seeds run others"
        )
    if census := config.stash.get(_CENSUS_KEY, "") or _census():
        terminalreporter.write_line(f"initcheck: looked at{' by all rows' * bool(left)}: {census}")
    deprecated = dict.fromkeys(
        text
        for outcome in counts
        for report in terminalreporter.getreports(outcome)
        for name, text in getattr(report, "user_properties", ())  # a module that was skipped as a whole has none
        if name == _DEPRECATION
    )
    if deprecated:
        from initcheck.reporting.format import count_deprecations

        terminalreporter.write_line(f"initcheck: {count_deprecations(list(deprecated))}")
