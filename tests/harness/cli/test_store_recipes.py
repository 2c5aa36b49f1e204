"""The recipes of docs/scale.md, as they stand there: killed, restarted, and the same bytes in the end."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ended_processes import ended_processes

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[3] / "docs/scale.md"
FILES = ("runs.csv", "history.csv", "sweep.json", "report.html")
ENOUGH = {"4000": "300"}  # reseeds that a test can pay
PATIENCE = 600  # seconds; two processors that are free take a tenth


def block_with(word):
    """The block of code on the page with that word in it."""
    (block,) = (one for one in re.findall(r"^```\w*\n(.*?)^```", PAGE.read_text(), re.M | re.S) if word in one)
    for whole, few in ENOUGH.items():
        block = block.replace(whole, few)
    return block


def end_group(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def start(tmp_path):
    """Starts a command in the test's folder, which is ended with the test."""
    with ended_processes(end_group) as started:

        def start_(*command):
            path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
            process = subprocess.Popen(
                command,
                cwd=tmp_path,
                env={**os.environ, "PATH": path},
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            started.append(process)
            return process

        yield start_


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_make_s_shares_are_killed_and_restarted_and_give_the_bytes_of_one_run(start, tmp_path):
    (tmp_path / "Makefile").write_text(block_with("shares :="))
    process = start("make", "-j2", "results")
    deadline = time.monotonic() + PATIENCE
    while not list(tmp_path.glob("runs/*/runs/*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "results").exists()
    said, _ = start("make", "-j2", "results").communicate(timeout=PATIENCE)
    assert re.search(r"had [1-9][\d,]* of these runs", said), said
    whole = start("initcheck", "run", "--reseeds", ENOUGH["4000"], "--out", "whole")
    assert whole.wait(PATIENCE) == 0
    for name in FILES:
        assert (tmp_path / "results" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
