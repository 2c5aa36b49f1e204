"""Shared by all tests: where the lecture's data may lie, and runs made by hand."""

import os
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["pytester"]

# Before any test imports the framework: its start-up log is not a test's output.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# About how long what takes long takes. It comes first, so that no worker is left alone with it at the end.
_SECONDS = {"fresh process": 60, "tests/reproducibility/test_spread.py digits": 30}

_BANKNOTES = Path(__file__).parent.parent / "shared" / "data" / "banknotes.csv"


@pytest.fixture(scope="session")
def banknotes() -> Path:
    """The lecture's own data, which is not part of the repository."""
    if not _BANKNOTES.exists():
        pytest.skip(f"the lecture's data is not at {_BANKNOTES}")
    return _BANKNOTES


def pytest_make_parametrize_id(val: object) -> str | None:
    """Readable ids that are the same in every worker: a function's or row's own name, not its address."""
    name = getattr(val, "__name__", None) or getattr(val, "name", None)
    return name if isinstance(name, str) and name != "<lambda>" else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests that share evidence go to one worker, so that it is not gathered in each; other ways to share stay."""
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class SharedEvidence(LoadScopeScheduling):  # type: ignore[misc] # pytest-xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            return evidence_of(nodeid)

        def _assign_work_unit(self, node: Any) -> None:
            longest = max(self.workqueue, key=lambda evidence: _SECONDS.get(evidence, 0))
            self.workqueue.move_to_end(longest, last=False)
            super()._assign_work_unit(node)

    config.option.loadscopereorder = False  # by number of tests: the longest training would come last
    return SharedEvidence(config, log)


def evidence_of(nodeid: str) -> str:
    """What a test shares with others: its file's evidence, that of its problem, or answers of one fresh process."""
    file, _, test = nodeid.partition("::")
    if file.endswith(("reproducibility/test_determinism.py", "reproducibility/test_order.py")):
        return "fresh process"
    if file.endswith(("reproducibility/test_spread.py", "reproducibility/test_baseline.py")):
        words = test.partition("[")[2].rstrip("]").split("-")
        return f"{file} {(words if words[0] == 'evidence' else words[:2])[-1]}"
    return file
