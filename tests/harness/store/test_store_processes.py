"""What happens to processes with a store: killed, interrupted, started twice, on a full disk. Real processes."""

import collections
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from ended_processes import ended_processes
from stand_in import Trainer, answers_in, resumed, text_of, undivided

from initcheck.store.stored_parts import StoredPart

pytestmark = pytest.mark.slow

SHARED = Path(__file__).parents[2] / "shared"
RESEEDS = 60


@pytest.fixture
def start(tmp_path):
    """Starts a process that sweeps with the store ``tmp_path/store``."""
    with ended_processes() as started:

        def start_(*words, folder=tmp_path / "store", **settings):
            command = [sys.executable, str(SHARED / "stand_in.py"), str(folder), "--reseeds", str(RESEEDS)]
            command += ["--log", str(tmp_path / "log"), *map(str, words)]
            path = os.pathsep.join([str(SHARED), str(SHARED.parents[1])])
            variables = {**os.environ, "PYTHONPATH": path}
            process = subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True, **settings)
            started.append(process)
            return process

        yield start_


def require(form):
    if form == "parquet":
        pytest.importorskip("pyarrow", reason="the extra parquet is not installed")


def begun(tmp_path):
    """How often each run was begun."""
    log = tmp_path / "log"
    return collections.Counter(log.read_text().splitlines() if log.exists() else [])


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def saved(tmp_path):
    parts = map(StoredPart.of, (tmp_path / "store").glob("*/runs/*"))
    return sum(len(part.block) for part in parts if part is not None)


def finish(start, tmp_path, *words):
    """Sweeps to the end; gives the text of all runs."""
    process = start("--seconds", 0.002, "--out", tmp_path / "out", *words)
    assert process.wait(120) == 0, process.stderr.read()
    return (tmp_path / "out").read_bytes()


@pytest.mark.parametrize(
    ("number", "form"),
    [(signal.SIGKILL, "jsonl"), (signal.SIGTERM, "jsonl"), (signal.SIGINT, "jsonl"), (signal.SIGKILL, "parquet")],
)
def test_a_process_that_is_stopped_loses_what_was_in_flight_at_most(number, form, start, tmp_path):
    require(form)
    process = start("--form", form, "--gate", tmp_path / "never", 80)
    wait_for(lambda: saved(tmp_path) >= 20)
    process.send_signal(number)
    code = process.wait(60)
    assert code == (-9 if number == signal.SIGKILL else 128 + number), process.stderr.read()
    kept = saved(tmp_path)
    lost = len(begun(tmp_path)) - kept
    # Of SIGKILL the runs of a tenth of a second, and of the time until these are on the disk; else what is in training.
    assert lost <= (20 if number == signal.SIGKILL else 1)
    assert finish(start, tmp_path) == undivided(RESEEDS)
    assert sum(begun(tmp_path).values()) - 2 * RESEEDS == lost


def test_killed_again_and_again_it_still_comes_to_its_end(start, tmp_path):
    for _ in range(4):
        before = saved(tmp_path)
        process = start("--pause", 0, "--gate", tmp_path / "never", 20)
        wait_for(lambda before=before: saved(tmp_path) > before + 5)
        process.kill()
        process.wait()
    assert finish(start, tmp_path) == undivided(RESEEDS)
    assert max(begun(tmp_path).values()) <= 5
    assert not list((tmp_path / "store").glob("*/partial/*"))
    assert not list((tmp_path / "store").glob("*/claims/*"))


def test_killed_in_the_midst_of_each_write_it_loses_what_was_in_flight_at_most(start, tmp_path):
    for syncs in range(9):  # of the question and of runs: half-written, and renamed while its folder is not synced
        process = start("--pause", 0, "--seconds", 0, "--dies", syncs)
        assert process.wait(60) == -9
    assert list((tmp_path / "store").glob("*/partial/*"))
    assert finish(start, tmp_path) == undivided(RESEEDS)
    assert not list((tmp_path / "store").glob("*/partial/*"))
    assert sum(begun(tmp_path).values()) - 2 * RESEEDS <= 9


def test_ten_thousand_blocks_of_one_run_are_each_trained_once(tmp_path):
    trainer = Trainer()
    start = time.process_time()
    assert text_of(resumed(tmp_path / "store", trainer, reseeds=5000, tile=1, pause=1.0).runs()) == undivided(5000)
    assert len(trainer.trained) == len(set(trainer.trained)) == 10_000
    assert time.process_time() - start < 60
    assert not list((tmp_path / "store").glob("*/claims/*"))


def test_started_twice_they_share_the_work_and_a_killed_one_s_block_is_taken_over(start, tmp_path):
    first, second = start("--out", tmp_path / "one"), start("--out", tmp_path / "two")
    wait_for(lambda: saved(tmp_path) >= 30)
    assert max(begun(tmp_path).values()) == 1
    first.kill()
    assert second.wait(120) == 0
    assert (tmp_path / "two").read_bytes() == undivided(RESEEDS)
    twice = [run for run, count in begun(tmp_path).items() if count > 1]
    assert len(twice) <= 16  # two blocks: the one that it was at, and one whose runs were not on the disk yet
    assert sum(begun(tmp_path).values()) == 2 * RESEEDS + len(twice)


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_four_at_once_train_each_run_once(form, start, tmp_path):
    require(form)
    words = ["--seconds", 0.01, "--form", form]
    processes = [start("--out", tmp_path / f"out{number}", *words) for number in range(4)]
    assert [process.wait(120) for process in processes] == [0] * 4
    assert {(tmp_path / f"out{number}").read_bytes() for number in range(4)} == {undivided(RESEEDS)}
    assert set(begun(tmp_path).values()) == {1}


def test_a_full_disk_is_one_line_and_what_was_there_stays(start, tmp_path):
    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1200, 1200))  # a run has 400 bytes

    answers_in(tmp_path / "store")
    process = start("--pause", 0.1, preexec_fn=small_files)
    assert process.wait(60) == 2
    (line,) = process.stderr.read().splitlines()
    assert line.startswith("initcheck: ")
    assert "cannot be written to (File too large); what the store had is kept" in line
    assert finish(start, tmp_path) == undivided(RESEEDS)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_store_is_one_line(start, tmp_path):
    answers_in(tmp_path / "store")
    (tmp_path / "store").chmod(0o500)
    process = start()
    assert process.wait(60) == 2
    assert "cannot be used as a store (Permission denied)" in process.stderr.read()
    (tmp_path / "store").chmod(0o700)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 200 kB, and what changes it."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(*words):
        command = ["mount", "-t", "tmpfs", *words, "tmpfs", str(folder)]
        return shutil.which("mount") and subprocess.run(command, capture_output=True, check=False).returncode == 0

    if not mount("-o", "size=200k"):
        pytest.skip("only root may mount a disk")
    yield SimpleNamespace(folder=folder, change=lambda how: mount("-o", f"remount,{how}"))
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize(
    ("before", "cause", "after"),
    [
        ("size=200k", "No space left on device", "size=8m"),
        ("size=8m", "Read-only file system", "rw"),
    ],
)
def test_a_disk_that_is_full_or_becomes_read_only_is_one_line_and_the_rest_follows(
    before, cause, after, start, small_disk, tmp_path
):
    (tmp_path / "store").symlink_to(small_disk.folder / "store")
    (small_disk.folder / "store").mkdir()
    assert small_disk.change(before)
    process = start("--pause", 0, "--gate", tmp_path / "changed", 40)
    if "Read-only" in cause:
        wait_for(lambda: saved(tmp_path) >= 20)
        assert small_disk.change("ro")
    (tmp_path / "changed").touch()
    assert process.wait(60) == 2
    (line,) = process.stderr.read().splitlines()
    assert f"cannot be written to ({cause}); what the store had is kept" in line
    kept = saved(tmp_path)
    assert small_disk.change(after)
    assert finish(start, tmp_path) == undivided(RESEEDS)
    assert sum(begun(tmp_path).values()) <= 2 * RESEEDS + 2
    assert 20 <= kept < 2 * RESEEDS


def test_a_store_that_vanishes_is_one_line_or_comes_again(start, tmp_path):
    process = start("--pause", 0, "--out", tmp_path / "out")
    wait_for(lambda: saved(tmp_path) >= 5)
    shutil.rmtree(tmp_path / "store", ignore_errors=True)
    code = process.wait(60)
    text = process.stderr.read()
    assert code in (0, 2)
    assert len(text.splitlines()) == (1 if code else 0), text
    if code == 0:
        assert (tmp_path / "out").read_bytes() == undivided(RESEEDS)


def test_clocks_and_ages_of_files_decide_nothing(start, tmp_path):
    process = start()
    wait_for(lambda: saved(tmp_path) >= 20)
    for path in (tmp_path / "store").rglob("*"):
        os.utime(path, (4e9, 4e9))  # as if the clock had been set back since
    process.kill()
    process.wait()
    assert finish(start, tmp_path) == undivided(RESEEDS)
    assert max(begun(tmp_path).values()) <= 2
