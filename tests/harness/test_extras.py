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


def test_without_extras_neither_dask_nor_arrow_is_installed():
    assert not {"dask", "distributed", "duckdb", "pyarrow"} & {*names_of(PROJECT["dependencies"])}
    assert names_of(PROJECT["optional-dependencies"]["cluster"]) == ["distributed"]
    assert names_of(PROJECT["optional-dependencies"]["parquet"]) == ["pyarrow"]


@pytest.mark.parametrize(
    ("package", "home"),
    [("dask", "cluster/dask_pool.py"), ("distributed", "cluster/dask_pool.py"), ("pyarrow", "store/parquet_parts.py")],
)
def test_one_module_alone_imports_what_an_extra_installs(package, home):
    root = Path(extras.__file__).parent
    importing = re.compile(rf"^\s*(import|from) {package}\b", re.MULTILINE)
    assert [path for path in root.rglob("*.py") if importing.search(path.read_text("utf-8"))] == [root / home]


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
