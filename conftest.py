"""Shared by all tests: where the lecture's data may lie, and runs made by hand."""

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from initcheck.plugin.groups import group_of
from initcheck.targets import TENSORFLOW, target

pytest_plugins = ["pytester"]

# Before any test imports the framework: its start-up log is not a test's output.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# The same examples everywhere, however slow the machine; --hypothesis-profile=default looks for others.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")

_BANKNOTES = Path(__file__).parent.parent / "shared" / "data" / "banknotes.csv"


@pytest.fixture(scope="session")
def banknotes() -> Path:
    """The lecture's own data, which is not part of the repository."""
    if not _BANKNOTES.exists():
        pytest.skip(f"the lecture's data is not at {_BANKNOTES}")
    return _BANKNOTES


@pytest.fixture
def heard_signals() -> Iterator[None]:
    """What this process ignores, as under nohup or in a shell's background, its children would."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTERM, signal.SIGINT)}
    if hasattr(signal, "SIGHUP"):
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def pytest_sessionstart() -> None:
    """Collects garbage more seldom where objects are many and stay: all of Keras on JAX takes 7 % less time."""
    if target() == "keras:jax":
        gc.set_threshold(200_000, 20, 1_000)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """The harness is tested with Keras on TensorFlow; for another target only what tests targets, and the target."""
    if target() == TENSORFLOW:
        return None
    harness = Path(__file__).parent / "tests" / "harness"
    left_out = harness in collection_path.parents and not collection_path.is_relative_to(harness / "targets")
    return True if left_out else None


def pytest_make_parametrize_id(val: object) -> str | None:
    """Readable ids that are the same in every worker: a function's or row's own name, not its address."""
    name = getattr(val, "__name__", None) or getattr(val, "name", None)
    return name if isinstance(name, str) and name != "<lambda>" else None


def pytest_itemcollected(item: pytest.Item) -> None:
    """Tests that judge initcheck share what their file builds: one worker runs them."""
    if not any(item.iter_markers("xdist_group")):
        item.add_marker(group_of(item.nodeid.partition("::")[0]))
