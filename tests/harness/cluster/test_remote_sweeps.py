"""Real sweeps that other threads and processes train: the files of one process; and how local workers start."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from ended_processes import ended_processes

import initcheck
from initcheck.store.part_texts import encode_runs

QUICK = ["--problem", "xor", "--initializers", "zeros,he_normal", "--reseeds", "6", "--engine", "reference"]
LOADED = """
from initcheck.cluster.pools import pool_of, prepare_pool

prepare_pool("local:1", None)
with pool_of("local:1", None) as pool:
    print(pool._client.submit(eval, "'tensorflow' in __import__('sys').modules").result())
"""


@pytest.mark.parametrize("stored", [False, True])
def test_a_sweep_by_an_executor_is_that_of_one_process(stored, tmp_path):
    def sweep(**settings):
        return initcheck.sweep("xor", initializers=["zeros", "he_normal"], reseeds=3, epochs=2, **settings)

    alone = sweep(engine="reference")
    with ThreadPoolExecutor(1) as executor:
        settings = {"store": tmp_path / "store"} if stored else {}
        elsewhere = sweep(engine="reference", executor=executor, **settings)
        again = sweep(engine="reference", executor=executor, **settings)
    assert [encode_runs(runs) for runs in elsewhere.groups] == [encode_runs(runs) for runs in alone.groups]
    assert (elsewhere.planned, elsewhere.found, again.found) == (6, 0, 6 * stored)


@pytest.mark.slow
def test_a_sweep_by_local_workers_writes_the_files_of_one_process(tmp_path):
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    for words in (["--out", "alone"], ["--out", "two", "--cluster", "local:2"]):
        command = [sys.executable, "-m", "initcheck", "run", *QUICK, *words]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=240)
    for name in ("runs.csv", "history.csv", "sweep.json", "report.html"):
        assert (tmp_path / "alone" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers are no forks")
def test_local_workers_have_the_framework_when_they_start():
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    done = subprocess.run([sys.executable, "-c", LOADED], check=False, capture_output=True, text=True, timeout=240)
    assert (done.stdout, done.stderr) == ("True\n", "")


@pytest.mark.slow
@pytest.mark.usefixtures("heard_signals")
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers are no forks")
@pytest.mark.parametrize("processes", [1, 2, 3, 4], ids=["tracker", "server", "worker", "workers"])
def test_ctrl_c_while_workers_start_is_one_line(processes, tmp_path):
    psutil = pytest.importorskip("psutil", reason="the extra cluster is not installed")
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    command = [sys.executable, "-m", "initcheck", "run", *QUICK, "--reseeds", "1000", "--cluster", "local:2"]
    with ended_processes() as started:
        process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True)
        started.append(process)
        driver = psutil.Process(process.pid)
        wait_for(lambda: len(driver.children(recursive=True)) >= processes, process)
        children = driver.children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=120)
    (line,) = [line for line in err.splitlines() if " steps done" not in line]
    assert (process.returncode, line) == (130, "initcheck: interrupted: nothing was written")
    assert psutil.wait_procs(children, timeout=60)[1] == []


def wait_for(condition, process):
    """Waits for that condition, while the process is at work."""
    end = time.monotonic() + 90
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)
