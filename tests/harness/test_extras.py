"""Commands that need an extra name it where it is missing; the others do without."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from initcheck import extras
from initcheck.__main__ import main
from initcheck.errors import InitcheckError
from initcheck.extras import ENVIRONMENTS, LOCKS, require_upgrade_extra

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


@pytest.fixture
def without(monkeypatch):
    """Makes packages missing."""

    def hide(*names):
        monkeypatch.setattr(extras, "find_spec", lambda name: None if name in names else object())

    return hide


def names_of(requirements):
    return [re.match(r"[\w-]+", one).group() for one in requirements]


def test_the_extra_installs_what_the_command_needs_and_nothing_else_does():
    assert names_of(PROJECT["optional-dependencies"]["upgrade"]) == sorted(ENVIRONMENTS)
    assert not {*ENVIRONMENTS} & {*names_of(PROJECT["dependencies"])}


@pytest.mark.parametrize(("missing", "named"), [(ENVIRONMENTS, "filelock, platformdirs, uv"), (("uv",), "uv")])
def test_upgrade_without_its_extra_is_one_line_that_names_it(without, missing, named, monkeypatch, capfd, tmp_path):
    monkeypatch.chdir(tmp_path)
    without(*missing)
    monkeypatch.setattr(sys, "argv", ["initcheck", "upgrade", "tensorflow==2.20.0", "tensorflow==2.21.0"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        f"initcheck: initcheck upgrade needs {named}: pip install 'initcheck[upgrade]'"
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_baseline_under_pytest_needs_locks_only(without):
    without("platformdirs", "uv")
    require_upgrade_extra("a baseline under pytest", LOCKS)
    without("filelock")
    with pytest.raises(InitcheckError, match=r"needs filelock: pip install 'initcheck\[upgrade\]'"):
        require_upgrade_extra("a baseline under pytest", LOCKS)
