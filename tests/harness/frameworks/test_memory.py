"""What cannot fit into memory is refused before any training."""

import sys

import pytest

from initcheck.catalog.problems import PROBLEMS
from initcheck.errors import InitcheckError
from initcheck.frameworks import memory
from initcheck.records import runs_at_once

GB = 10**9


@pytest.fixture
def free(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: GB)


@pytest.mark.usefixtures("free")
def test_what_fits_is_taken_and_what_does_not_is_refused_with_what_would():
    memory.require_memory_for_runs(reseeds=100_000, epochs=5, cells=5)
    message = r"^500,000 runs of 40 epochs would take 1\.83 GB of memory, and 1 GB are available; about (\S+) reseeds"
    with pytest.raises(InitcheckError, match=message) as caught:
        memory.require_memory_for_runs(reseeds=100_000, epochs=40, cells=5)
    fitting = int(str(caught.value).split("about ")[1].split()[0].replace(",", ""))
    memory.require_memory_for_runs(reseeds=fitting, epochs=40, cells=5)
    with pytest.raises(InitcheckError, match="about "):
        memory.require_memory_for_runs(reseeds=2 * fitting, epochs=40, cells=5)


@pytest.mark.usefixtures("free")
def test_too_many_epochs_are_refused_with_how_many_would_fit():
    with pytest.raises(
        InitcheckError, match=r"^1 run of 100,000,000 epochs would take .*; about 3,000,000 epochs would"
    ):
        memory.require_memory_for_runs(reseeds=1, epochs=10**8)
    with pytest.raises(
        InitcheckError, match=r"^the order of 1,000 training rows in 1,000,000 epochs would take 28 GB of"
    ):
        memory.require_memory_for_order(1000, 10**6)
    memory.require_memory_for_order(1000, 10**4)


def test_where_nobody_knows_what_is_free_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: None)
    memory.require_memory_for_runs(reseeds=10**18, epochs=10**6)


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's files")
def test_the_least_of_system_control_group_and_process_counts(monkeypatch, tmp_path):
    assert 0 < (memory.available_memory() or 0) < 10**15
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert memory._of_cgroup() is None
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.stat").write_text("anon 500\ninactive_file 150\n")
    assert memory._of_cgroup() == 450
    assert memory.available_memory() == 450
    (tmp_path / "memory.max").write_text("max\n")
    assert memory._of_cgroup() is None


def test_histories_of_many_epochs_are_written_fewer_runs_at_a_time():
    assert runs_at_once(5) == 10_000
    assert runs_at_once(1000) == 1000
    assert runs_at_once(10**9) == 1


def test_a_baselines_reseeds_are_refused_before_any_evidence_is_gathered(monkeypatch):
    from initcheck.baselines.recording import record

    def draw(*args):
        raise AssertionError("evidence was gathered")

    monkeypatch.setattr(record, "record_part", draw)
    with pytest.raises(
        InitcheckError, match=r"^reseeds is 100,001; a baseline holds at most 100,000 of each initializer"
    ):
        record.record([PROBLEMS["iris"]], reseeds=100_001, seed=1, advance=draw)
    monkeypatch.setattr(memory, "available_memory", lambda: 1000)
    with pytest.raises(InitcheckError, match=r"^6 runs of 15 epochs would take .* of memory"):
        record.record([PROBLEMS["iris"]], reseeds=1, seed=1, advance=draw)
