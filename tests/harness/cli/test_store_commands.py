"""Stores on the command line."""

from pathlib import Path

import pytest

FILES = ("runs.csv", "history.csv", "sweep.json", "report.html")
QUICK = ["--initializers", "zeros,he_normal", "--epochs", "2"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--shard", "1/2"], "--shard needs --store"),
        (["run", "--shard", "3/2", "--store", "s"], "shard is '3/2'; give i/n"),
        (["run", "--store", "full"], "full is no store: it holds mine.txt"),
        (["bounds", "calibrate", "--store", "full"], "full is no store: it holds mine.txt"),
        (["run", "--store-format", "parquet"], "--store-format needs --store"),
        (["store", "show", "none"], "none: no such folder"),
        (["store", "verify", "full"], "full is no store"),
        (["store", "merge", "full", "--store", "into"], "full is no store"),
    ],
)
def test_what_cannot_be_done_is_one_line(words, message, initcheck_):
    Path("full").mkdir()
    Path("full/mine.txt").touch()
    code, _, err = initcheck_(*words)
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.slow
def test_a_run_goes_on_shares_are_joined_and_the_files_are_those_of_one_run(initcheck_, monkeypatch):
    def run(*words):
        code, out, err = initcheck_("run", *QUICK, *words)
        assert code == 0, err
        return out

    run("--reseeds", 20, "--out", "whole")
    assert "had 0 of these runs, 14 were trained" in run("--reseeds", 7, "--store", "s", "--out", "few")
    for place in ("api", "store.grid_reading"):  # as if they were a million
        monkeypatch.setattr(f"initcheck.{place}.MOST_IN_MEMORY", 0)
    assert "had 14 of these runs, 26 were trained" in run("--reseeds", 20, "--store", "s", "--out", "more")
    for number in (1, 2):
        out = run("--reseeds", 20, "--shard", f"{number}/2", "--store", f"s{number}", "--out", "nowhere")
        assert f"share {number}/2 is finished" in out
    assert not Path("nowhere").exists()
    assert initcheck_("store", "merge", "s1", "s2", "--store", "all")[0] == 0
    assert initcheck_("store", "report", "all", "--out", "reported")[0] == 0
    for other in ("more", "reported"):
        for name in FILES:
            assert Path("whole", name).read_bytes() == Path(other, name).read_bytes(), (other, name)
    assert initcheck_("store", "verify", "all") == (0, "initcheck: all is whole\n", "")
    assert "20 of he_normal, 20 of zeros" in initcheck_("store", "show", "all")[1]
    next(Path("all").glob("*/runs/*")).write_bytes(b"x")
    assert initcheck_("store", "verify", "all")[0] == 1
    assert initcheck_("store", "gc", "all")[0] == 0


@pytest.mark.slow
def test_bounds_that_were_interrupted_are_calibrated_from_the_store(initcheck_):
    words = ["bounds", "calibrate", "--problem", "xor", "--initializers", "he_normal", "--reseeds", 20]
    assert initcheck_(*words, "--out", "a.toml")[0] == 0
    for _ in range(2):
        assert initcheck_(*words, "--out", "b.toml", "--store", "s")[0] == 0
        assert Path("a.toml").read_text() == Path("b.toml").read_text()
    assert "20 of he_normal" in initcheck_("store", "show", "s")[1]
