"""Recordings that a store keeps: one that was stopped goes on, and the baseline is that of an undisturbed one."""

import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import small_recording
from ended_processes import ended_processes

from initcheck.baselines.recording import record as recording
from initcheck.baselines.records.store import load_baseline, write_baseline
from initcheck.seeding import DEFAULT_SEED
from initcheck.store.folder import Store
from initcheck.store.upkeep import holdings

pytestmark = pytest.mark.slow

SHARED = Path(__file__).parents[2] / "shared"
PATIENCE = 600  # seconds; two processors that are free take a tenth
IRIS, MINE = small_recording.IRIS, small_recording.MINE
WORDS = ["--problem", "small_recording:IRIS", "--problem", "small_recording:MINE", "--reseeds", "20", "--steps"]


@pytest.fixture(scope="module", autouse=True)
def _small():
    names = ("INITIALIZERS", "TRACED", "_FEEDS", "parts_of")
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(recording, name, getattr(recording, name))
        small_recording.shrink()
        yield


def recorded(store=None, problem=IRIS, models=(MINE,), reseeds=5):
    """The text of a baseline, and what was done for it."""
    done: list[str] = []
    baseline = recording.record(
        [problem],
        reseeds=reseeds,
        seed=DEFAULT_SEED,
        advance=lambda now, steps: done.append(now),
        models=models,
        store=store,
    )
    return write_baseline(baseline), done


def test_a_store_changes_no_byte_and_gives_all_the_second_time(tmp_path, monkeypatch):
    store = Store.open(tmp_path)
    whole, _ = recorded()
    assert recorded(store)[0] == whole
    runs = {one.problem: one.runs for one in holdings(store)}
    assert runs == {"baseline": {}, "iris": {"he_normal": 5}, "mine": {"own": 5}}

    def refuse(*_, **__):
        raise AssertionError("it is recorded again")

    monkeypatch.setattr(recording, "record_part", refuse)
    assert recorded(store)[0] == whole


def test_another_problem_model_or_number_of_reseeds_is_recorded_anew(tmp_path, monkeypatch):
    whole = recording.parts_of
    monkeypatch.setattr(
        recording, "parts_of", lambda *given: [part for part in whole(*given) if part.section in ("problems", "models")]
    )
    store = Store.open(tmp_path)
    changed = dataclasses.replace(IRIS, batch_size=8), dataclasses.replace(MINE, epochs=3)
    for problem, model, reseeds in ((IRIS, MINE, 3), (*changed, 3), (IRIS, MINE, 4)):
        done = recorded(store, problem, [model], reseeds)[1]
        assert {"iris: accuracies", "models mine"} <= set(done)
    assert [len(list(store.root.glob(f"baseline-*/texts/{name}-*"))) for name in ("problems_iris", "models_mine")] == [
        3,
        3,
    ]
    assert sorted(one.runs["he_normal"] for one in holdings(store) if one.problem == "iris") == [3, 4]


@pytest.fixture
def start(tmp_path):
    """Starts a recording, which is ended with the test."""
    with ended_processes() as started:

        def start_(file, *words):
            command = [sys.executable, str(SHARED / "small_recording.py"), "record", file, *WORDS, *words]
            variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SHARED), str(SHARED.parents[1])])}
            process = subprocess.Popen(command, cwd=tmp_path, env=variables, stdout=subprocess.PIPE, text=True)
            started.append(process)
            return process

        yield start_


def test_a_recording_that_was_killed_goes_on_and_writes_the_same_bytes(start, tmp_path):
    process = start("killed.json", "--store", "s")
    deadline = time.monotonic() + PATIENCE
    while len(there := list(tmp_path.glob("s/*/texts/*"))) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert not (tmp_path / "killed.json").exists()
    ends = {}
    for file, words in (("again.json", ["--store", "s"]), ("whole.json", [])):
        process = start(file, *words)
        ends[file], _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert set(load_baseline(tmp_path / "again.json").models) == {"mine"}
    assert ends["again.json"].count("in the store") >= len(there)
    assert "in the store" not in ends["whole.json"]
    assert list(tmp_path.glob("s/*/claims/*")) == []
