"""Warnings are kept quiet while evidence is gathered; the framework's deprecations are noted."""

import logging
import warnings

import pytest

from initcheck.frameworks import quiet as quieted
from initcheck.frameworks.quiet import deprecations, quiet, unlogged


@pytest.fixture(autouse=True)
def heard(monkeypatch):
    monkeypatch.setattr(quieted, "_heard", {})


def of_package(name, calls=None):
    """A function of that package which warns, or makes that call."""
    module = {"__name__": f"{name}.src.module", "warnings": warnings, "calls": calls}
    body = "calls(text, category)" if calls else "warnings.warn(text, category, stacklevel=2)"
    exec(f"def warn(text, category):\n    {body}", module)
    return module["warn"]


def test_deprecations_of_the_framework_are_noted_once_each_and_nothing_else_is():
    old = of_package("keras")
    with quiet():
        for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning, UserWarning, DeprecationWarning):
            old("use\n\x1b[1m new", category)
        of_package("pandas")("theirs", DeprecationWarning)
        warnings.warn("ours", DeprecationWarning, stacklevel=1)
    kinds = ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning")
    assert deprecations() == [f"{kind}: use [1m new" for kind in kinds]


def test_what_the_framework_calls_is_its_own_and_what_calls_it_too_but_not_what_initcheck_calls():
    deprecated = of_package("numpy")
    with quiet():
        of_package("tensorflow", deprecated)("a", FutureWarning)
        of_package("initcheck", of_package("keras"))("b", FutureWarning)
        of_package("keras", of_package("initcheck", deprecated))("c", FutureWarning)
    assert deprecations() == ["FutureWarning: a", "FutureWarning: b"]


def test_they_are_noted_through_a_further_quiet_and_where_warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with quiet(), quiet():
            of_package("keras")("old", DeprecationWarning)
        with pytest.raises(DeprecationWarning, match="older"):
            of_package("keras")("older", DeprecationWarning)
    assert deprecations() == ["DeprecationWarning: old"]


@pytest.mark.parametrize("name", ["tensorflow", "absl"])
def test_what_the_framework_logs_of_deprecation_is_noted_and_only_its_errors_are_shown(name, caplog):
    logger = logging.getLogger(name)
    logger.addHandler(caplog.handler)
    try:
        with quiet():
            logger.warning("f is deprecated and\nwill be removed")
            logger.warning("f is slow")
            logger.error("f fails")
        logger.warning("g is deprecated")
    finally:
        logger.removeHandler(caplog.handler)
    assert deprecations() == ["f is deprecated and will be removed"]
    assert [*dict.fromkeys(caplog.messages)] == ["f fails", "g is deprecated"]


def test_what_is_kept_off_stderr_is_noted_all_the_same(caplog):
    logger = logging.getLogger("tensorflow")
    logger.addHandler(caplog.handler)
    try:
        with unlogged(), quiet():
            logger.warning("f is deprecated")
            logger.error("f fails")
        logger.warning("g")
    finally:
        logger.removeHandler(caplog.handler)
    assert deprecations() == ["f is deprecated"]
    assert [*dict.fromkeys(caplog.messages)] == ["f fails", "g"]
