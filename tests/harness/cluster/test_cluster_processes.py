"""Clusters of real processes, some of which are killed, hang or take too much memory."""

import collections
import contextlib
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from ended_processes import ended_processes
from stand_in import resumed, scattered, text_of, undivided

from initcheck.cluster.pools import pool_of
from initcheck.errors import InitcheckError

pytestmark = pytest.mark.slow
pytest.importorskip("distributed", reason="the extra cluster is not installed")

SHARED = Path(__file__).parents[2] / "shared"
RESEEDS = 60
VARIABLES = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SHARED), str(SHARED.parents[1])])}


@pytest.fixture
def start(tmp_path):
    """Starts processes, which are ended with the test."""
    with ended_processes() as started:

        def start_(*words, cluster="local:2"):
            command = [sys.executable, str(SHARED / "stand_in.py"), str(tmp_path / "store"), "--reseeds", str(RESEEDS)]
            command += ["--log", str(tmp_path / "log"), "--out", str(tmp_path / "out"), *map(str, words)]
            command += [] if cluster is None else ["--cluster", cluster]
            process = subprocess.Popen(
                command, env=VARIABLES, stderr=subprocess.PIPE, text=True, start_new_session=True
            )
            started.append(process)
            return process

        def other(*command):
            process = subprocess.Popen(command, env=VARIABLES, stderr=subprocess.DEVNULL, start_new_session=True)
            started.append(process)
            return process

        yield SimpleNamespace(sweep=start_, other=other)


def begun(tmp_path):
    log = tmp_path / "log"
    return collections.Counter(log.read_text().splitlines() if log.exists() else [])


def waiting(tmp_path, gate):
    """The processes that wait for that gate, or did."""
    return [int(path.name.rpartition("-")[2]) for path in tmp_path.glob(f"{gate}-*")]


def wait_for(condition, seconds=90.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def require_whole(process, tmp_path):
    assert process.wait(120) == 0, process.stderr.read()
    assert (tmp_path / "out").read_bytes() == undivided(RESEEDS)


def require_little_twice(tmp_path, most=30):
    """Nothing was begun more than twice, and only what may have been in flight was twice."""
    assert set(begun(tmp_path).values()) <= {1, 2}
    assert sum(begun(tmp_path).values()) - 2 * RESEEDS <= most


@pytest.mark.parametrize("count", [1, 2])
def test_killed_workers_cost_what_was_in_flight(count, start, tmp_path):
    process = start.sweep("--gate", tmp_path / "killed", 20, "--gate", tmp_path / "replaced", 60)
    wait_for(lambda: len(waiting(tmp_path, "killed")) == 2)
    for pid in waiting(tmp_path, "killed")[:count]:
        os.kill(pid, signal.SIGKILL)
    (tmp_path / "killed").touch()
    wait_for(lambda: len(list((tmp_path / "pids").glob("*"))) == 2 + count)
    (tmp_path / "replaced").touch()
    require_whole(process, tmp_path)
    assert 0 < sum(begun(tmp_path).values()) - 2 * RESEEDS <= 30


@pytest.fixture
def usual_port():
    """Dask's usual port is taken, as by another cluster on the machine, of which nothing is to be said."""
    with socket.socket() as other:
        with contextlib.suppress(OSError):  # it is taken indeed
            other.bind(("", 8787))
            other.listen()
        yield


def test_a_block_that_kills_its_worker_is_named_and_all_others_are_kept(start, usual_port, tmp_path):
    process = start.sweep("--mischief", "kill", 33, 99)
    assert process.wait(120) == 2
    (line,) = process.stderr.read().splitlines()
    assert "the block of he_normal, reseed 33 ended its worker 3 times; all other runs are kept" in line
    assert len(list(tmp_path.glob("kill-*"))) == 3
    assert len(begun(tmp_path)) == 2 * RESEEDS - 1
    again = start.sweep(cluster=None)
    require_whole(again, tmp_path)
    assert sum(begun(tmp_path).values()) <= 2 * RESEEDS + 30


def test_a_worker_that_hangs_is_ended_and_its_block_tried_again(start, tmp_path):
    process = start.sweep("--mischief", "hang", 20, 1, "--limit", 8)
    require_whole(process, tmp_path)
    assert (tmp_path / "hang-0").exists()
    require_little_twice(tmp_path)


def test_a_worker_that_takes_too_much_memory_is_ended_and_its_block_tried_again(start, tmp_path):
    process = start.sweep("--mischief", "memory", 20, 1, cluster="local:2:1GB")
    require_whole(process, tmp_path)
    assert (tmp_path / "memory-0").exists()
    require_little_twice(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_stopped_driver_leaves_no_worker_and_a_store_that_goes_on(number, start, tmp_path):
    process = start.sweep("--gate", tmp_path / "stopped", 20)
    wait_for(lambda: len(waiting(tmp_path, "stopped")) == 2)
    alive = waiting(tmp_path, "stopped")
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as Ctrl-C of a terminal, which the workers get, too
    else:
        process.send_signal(number)
    assert process.wait(60) == (-9 if number == signal.SIGKILL else 128 + number)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in alive), 20)
    before = sum(begun(tmp_path).values())
    require_whole(start.sweep(cluster=None), tmp_path)
    assert before - (2 * RESEEDS - (sum(begun(tmp_path).values()) - before)) <= 45


def test_a_killed_scheduler_is_one_line_and_a_store_that_goes_on(start, tmp_path):
    address = tmp_path / "scheduler.json"
    dask, known = [sys.executable, "-m"], ["--scheduler-file", address, "--no-dashboard"]
    scheduler = start.other(*dask, "distributed.cli.dask_scheduler", "--port", "0", *known)
    wait_for(address.exists)
    wait_for(lambda: address.read_text().strip().endswith("}"))
    folder = ["--local-directory", tmp_path / "dask"]
    start.other(*dask, "distributed.cli.dask_worker", "--nthreads", "1", "--nworkers", "1", *folder, *known)
    place = json.loads(address.read_text())["address"]
    process = start.sweep("--gate", tmp_path / "killed", 20, cluster=place)
    wait_for(lambda: waiting(tmp_path, "killed"))
    scheduler.kill()
    assert process.wait(90) == 2
    (line,) = process.stderr.read().splitlines()
    assert "the workers are gone" in line
    require_whole(start.sweep(cluster=None), tmp_path)


def test_python_s_own_pool_breaks_in_one_line_and_goes_on_when_it_is_started_again(tmp_path):
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as executor, pool_of(None, executor) as pool:
        sweep = resumed(tmp_path / "store", scattered(pool, tmp_path, mischief=[("kill", 20, 1)]))
        with pytest.raises(InitcheckError, match="the workers are gone"):
            list(sweep.runs())
    with ProcessPoolExecutor(2, mp_context=context) as executor, pool_of(None, executor) as pool:
        sweep = resumed(tmp_path / "store", scattered(pool, tmp_path))
        assert text_of(sweep.runs()) == undivided()
        assert sweep.found > 0
