"""Tests that share evidence run in one worker of pytest-xdist, so that it is not gathered in each.

The groups are pytest-xdist's own marks, ``xdist_group``; ``-n`` without a ``--dist`` distributes by them. What takes
longest starts first, so that no worker is left alone with it at the end.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import pytest

_PREFIX = "initcheck-"


def group_of(evidence: str) -> pytest.MarkDecorator:
    """The mark of a test that shares that evidence with others."""
    return pytest.mark.xdist_group(_PREFIX + evidence)


def without_group(nodeid: str) -> str:
    """The test's id as it is without pytest-xdist, which appends the group to it."""
    plain, separator, _ = nodeid.rpartition(f"@{_PREFIX}")
    return plain if separator else nodeid


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Distributes by groups where ``-n`` is given; a ``--dist`` that is given comes later and counts."""
    known = early_config.known_args_namespace
    if getattr(known, "numprocesses", None):
        args.insert(0, "--dist=loadgroup")
        if hasattr(known, "loadscopereorder"):  # by number of tests: the longest evidence would come last
            args.insert(0, "--no-loadscope-reorder")


def pytest_configure(config: pytest.Config) -> None:
    """Makes the mark known where pytest-xdist is not installed."""
    config.addinivalue_line("markers", "xdist_group(name): tests that one worker of pytest-xdist runs")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """In a worker, puts the evidence that takes longest first, and makes the groups known to pytest-xdist."""
    distributed = hasattr(config, "workerinput")
    if distributed:
        items.sort(key=_seconds, reverse=True)
    yield
    if distributed and config.getoption("loadgroup"):
        for item in items:
            _append_group(item)


def _append_group(item: pytest.Item) -> None:
    """Appends the group, as pytest-xdist up to 3.8 fails to from pytest 9.2 on.

    Source: https://github.com/pytest-dev/pytest-xdist/issues/1386.
    """
    group = "_".join(sorted({str(name) for mark in item.iter_markers("xdist_group") for name in mark.args}))
    if group and not item.nodeid.endswith(f"@{group}"):
        item._id = type(item._id).parse(f"{item.nodeid}@{group}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Reports a test under the id that it has without pytest-xdist, to the terminal, the cache and JUnit files."""
    if hasattr(report, "node"):  # from a worker, whose own hooks still need the id that it has there
        report.nodeid = without_group(report.nodeid)


def _seconds(item: pytest.Item) -> float:
    return sum(_seconds_of(str(name)) for mark in item.iter_markers("xdist_group") for name in mark.args)


@functools.cache
def _seconds_of(group: str) -> float:
    from initcheck.checks.registry import SECONDS

    return SECONDS.get(group.removeprefix(_PREFIX), 0)
