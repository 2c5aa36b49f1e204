"""The command line, as its tests run it."""

import sys

import pytest

from initcheck.__main__ import main


@pytest.fixture
def initcheck_(monkeypatch, capfd, tmp_path):
    """Runs the command line in this process, in an empty folder; gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["initcheck", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        out, err = capfd.readouterr()
        return stopped.value.code or 0, out, err

    return run
