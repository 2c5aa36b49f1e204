"""The pytest plugin's part for baselines: options, collection, and the controller, which alone writes the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from initcheck.arguments import path_of
from initcheck.baselines.comparing.classes import CLASSES, Class, allowed
from initcheck.baselines.comparing.judge import Judge, versions_of
from initcheck.baselines.recording.parts import Part, merge
from initcheck.baselines.recording.pool import Pool
from initcheck.baselines.records.schema import Baseline
from initcheck.baselines.records.store import load_baseline, write_baseline
from initcheck.baselines.records.training_records import MOST_RUNS
from initcheck.errors import InitcheckError
from initcheck.extras import LOCKS, require_upgrade_extra
from initcheck.files import require_writable, scratch_folder, write_whole
from initcheck.frameworks.own import find_problem
from initcheck.plugin.baseline_tests import CellTest, Evidence, plan, tests_of
from initcheck.plugin.groups import group_of
from initcheck.texts import for_terminal

_FOLDER = "initcheck_folder"  # given to a worker
_CELL, _FOUND = "initcheck_cell", "initcheck_found"  # properties of a test


class BaselineSession:
    """The hooks of a session that judges against a baseline, records one, or both.

    Args:
        config: The session's.
        mark: Name of the mark of the tests to parametrize.

    Raises:
        InitcheckError: The baseline cannot be read, what is to be recorded could not be written, or locks are not
            installed.
    """

    def __init__(self, config: pytest.Config, mark: str) -> None:
        require_upgrade_extra("a baseline under pytest", LOCKS)
        self._config, self._mark = config, mark
        self._controls = getattr(config, "workerinput", None) is None
        self._folders = ExitStack()
        named, new = config.getoption("initcheck_baseline"), config.getoption("initcheck_record")
        self._target = path_of("--initcheck-record", new).absolute() if new else None
        if self._controls:
            judged = self._require_usable(path_of("--initcheck-baseline", named) if named else None)
            folder = self._folders.enter_context(scratch_folder(prefix="initcheck-tests-"))
            if judged:
                write_whole(folder / "judged.json", [write_baseline(judged)])  # for all, whatever becomes of the file
        else:
            folder = Path(config.workerinput[_FOLDER])  # type: ignore[attr-defined]
        self._pool = Pool(folder)
        self._parts: dict[str, Part] = {}
        self._judge = self._load_judge(named, folder / "judged.json") if named else None
        self._line = ""

    def _require_usable(self, named: Path | None) -> Baseline | None:
        if (reseeds := self._config.getoption("initcheck_reseeds")) is not None and reseeds < 0:
            raise InitcheckError(f"--initcheck-reseeds is {reseeds}; it may be 0, for no accuracies, or more")
        if reseeds is not None and reseeds > MOST_RUNS:
            raise InitcheckError(f"--initcheck-reseeds is {reseeds:,}; a baseline holds at most {MOST_RUNS:,}")
        if self._target:
            require_writable(self._target, "--initcheck-record", after_work=True)
        if named is None:
            return None
        if self._target and named.resolve() == self._target.resolve():
            raise InitcheckError(f"{named} would be judged against and overwritten; record to another file")
        seed, judged = self._config.getoption("initcheck_seed"), load_baseline(named)
        if seed != judged.seed:
            raise InitcheckError(f"{named} was recorded with another seed; add --initcheck-seed {judged.seed}")
        return judged

    def _load_judge(self, named: str, copy: Path) -> Judge:
        allow = allowed([CLASSES[one] for one in self._config.getoption("initcheck_allow")])
        seed, new = self._config.getoption("initcheck_seed"), self._config.getoption("initcheck_record")
        first = "" if new else f"pytest --initcheck-record NEW --initcheck-seed {seed}, then "
        return Judge(named, load_baseline(copy), allow, f"{first}initcheck compare {named} {new or 'NEW'}")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Gives a worker of xdist the folder where all workers put their evidence."""
        node.workerinput[_FOLDER] = str(self._pool.folder)

    def pytest_report_header(self) -> list[str]:
        """Names the baseline to compare with, and the file to record."""
        lines = [f"initcheck: judged against {self._judge}"] if self._judge else []
        return [*lines, *([f"initcheck: records {self._target}"] if self._target else [])]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Makes a test of each part, and of each cell where there is a baseline.

        Raises:
            InitcheckError: A problem that does not exist, or two of one name.
        """
        mark = metafunc.definition.get_closest_marker(self._mark)
        if mark is None:
            return
        problems = [find_problem(one) if isinstance(one, str) else one for one in mark.args]
        parts = plan(problems, self._config.getoption("initcheck_reseeds"), self._judge)
        for part in parts:
            if self._parts.setdefault(str(part), part) != part:
                raise InitcheckError(f"two problems are named {part.name!r}; rename one")
        self._pool.plan(list(self._parts.values()))
        tests = tests_of(Evidence(self._pool, tuple(parts)), self._judge)
        metafunc.parametrize(
            "cell", [pytest.param(test, id=name, marks=group_of(f"baseline {test.part}")) for name, test in tests]
        )

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        """Exports a cell's class as a property of the test."""
        callspec = getattr(item, "callspec", None)
        cell = callspec.params.get("cell") if callspec else None
        if call.when == "call" and isinstance(cell, CellTest) and cell.found:
            item.user_properties += [(_CELL, str(cell.key)), (_FOUND, cell.found.value)]
        return (yield)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Writes the baseline in one step, if all its parts are there."""
        if not self._controls or not self._target or session.config.getoption("collectonly"):
            return
        try:
            text, where = self._merged()
            write_whole(self._target, [text])
            self._line = f"recorded {where}: {self._target} ({len(text.encode()) / 1000:.0f} kB)"
        except (InitcheckError, OSError) as error:
            self._line = f"{self._target} was not written: {error}"
            if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _merged(self) -> tuple[str, str]:
        there, missing = self._pool.collect()
        if missing:
            shown = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
            count = len(there) + len(missing)
            raise InitcheckError(f"of {count} parts, {len(missing)} were not selected, not reached or failed ({shown})")
        if not there:
            raise InitcheckError("no test that is decorated with initcheck.parametrize_with_baseline was collected")
        whole = merge(there)
        return write_baseline(whole), versions_of(whole)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Ends the session with the cells' classes, the cells without a claim, and the file that was written."""
        reports = [one for outcome in ("passed", "failed") for one in terminalreporter.getreports(outcome)]
        properties = [dict(getattr(report, "user_properties", ())) for report in reports]
        classes = Counter(one[_FOUND] for one in properties if _FOUND in one)
        if self._judge and classes:
            counts = ", ".join(f"{classes[one.value]} {one.value}" for one in Class if classes[one.value])
            terminalreporter.write_line(f"initcheck: {classes.total()} cells against {self._judge}: {counts}")
            there, _ = self._pool.collect()
            if refused := self._judge.compare(there[0]).refused if there else ():
                terminalreporter.write_line(
                    "initcheck: no claim about bits is made, for the environments differ in "
                    f"{for_terminal('; '.join(map(str, refused)))}; values, laws and accuracies are judged all the same"
                )
        if self._line:
            terminalreporter.write_line(f"initcheck: {self._line}")

    def pytest_unconfigure(self) -> None:
        """Removes the workers' folder."""
        self._folders.close()
