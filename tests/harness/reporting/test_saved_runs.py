"""A sweep is saved, and comes back the same; a folder that is not one whole sweep is refused in one line."""

import copy
import functools
import json
import math
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runs import ENVIRONMENT, make_run

import initcheck
from initcheck import files
from initcheck.catalog.problem_facts import ProblemFacts
from initcheck.digests import digest
from initcheck.record_files import checksum_of
from initcheck.records import group_runs
from initcheck.reporting import page, saved_runs
from initcheck.reporting.documented_bounds import documented_cells
from initcheck.reporting.page import render_report

HOSTILE = '<b>,"q"\n\x1b[31m\'; NA \udcff'
IRIS = initcheck.PROBLEMS["iris"]


def make_sweep(names=("zeros", "he_normal"), reseeds=4, problem=IRIS, epochs=3, shift=0, **changes):
    stream = np.random.RandomState(5 + shift)
    runs = [
        make_run(
            initializer=name,
            reseed=reseed,
            losses=tuple(map(float, stream.uniform(0.1, 1, epochs).astype(np.float32))),
            accuracies=tuple(map(float, stream.uniform(0, 1, epochs).astype(np.float32))),
            correct=(50 + reseed, 20 + reseed + shift),
            total=(70, 30),
        )
        for name in names
        for reseed in range(reseeds)
    ]
    sweep = initcheck.Sweep(problem, group_runs(runs), 1, ENVIRONMENT, "initcheck run", "an engine", len(runs))
    return replace(sweep, **changes)


def render_digest(sweep):
    """A page with the digest of what it is about, twice."""
    parts = [part for runs in sweep.groups for part in (runs.test_score, runs.history)]
    return f"page 0 of {sweep} {digest(parts)} " * 2


@pytest.fixture(autouse=True)
def _a_page_in_no_time(monkeypatch):
    """Drawing takes a second; what matters here is that each sweep's page is its own."""
    monkeypatch.setattr(page, "render_report", render_digest)


def saved(tmp_path, sweep=None):
    folder = tmp_path / "results"
    (sweep or make_sweep()).save(folder)
    return folder


def refusal(folder):
    """The one line that refuses a folder."""
    with pytest.raises(initcheck.InitcheckError) as refused:
        initcheck.load(folder)
    message = str(refused.value)
    assert "\n" not in message
    assert len(message) < 700
    return message


def resign(folder, change=lambda body: None):
    """Makes digests and checksum agree again, as somebody who knows them would."""
    body = json.loads((folder / "sweep.json").read_text())
    body.pop("checksum")
    for name in body["digests"]:
        body["digests"][name] = saved_runs._digest([(folder / name).read_bytes()])
    change(body)
    body["checksum"] = checksum_of(body)
    (folder / "sweep.json").write_text(json.dumps(body))


def edit(folder, name, old, new):
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1))


def test_a_saved_sweep_comes_back_bit_for_bit(tmp_path):
    sweep = make_sweep()
    loaded = initcheck.load(saved(tmp_path, sweep))
    assert loaded.runs == sweep.runs
    for before, after in zip(sweep.groups, loaded.groups, strict=True):
        assert before.history.tobytes() == after.history.tobytes()
        assert all(getattr(after, name).dtype == np.int64 for name in ("reseeds", "orders", "seeds", "test_correct"))
    assert repr(loaded.answers) == repr(sweep.answers)  # NaN is no equal of itself
    assert loaded.to_frame().equals(sweep.to_frame())
    assert loaded.epochs_frame().equals(sweep.epochs_frame())
    assert loaded.history().equals(sweep.history())
    assert len(loaded.plot().axes) == 2
    assert "he_normal" in loaded._repr_html_()
    for name in ("seed", "environment", "command", "engine", "planned", "facts"):
        assert getattr(loaded, name) == getattr(sweep, name)


def test_a_loaded_sweep_is_saved_to_the_same_bytes(tmp_path):
    first = saved(tmp_path)
    initcheck.load(first).save(tmp_path / "again")
    for path in first.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 1e-5, 1e16])
def test_a_loss_of_any_kind_comes_back(loss, tmp_path):
    run = make_run(losses=(0.7, loss, loss))
    loaded = initcheck.load(saved(tmp_path, replace(make_sweep(), groups=group_runs([run]))))
    assert loaded.groups[0].history.tobytes() == group_runs([run])[0].history.tobytes()


def test_an_interrupted_and_an_empty_sweep_come_back(tmp_path):
    assert initcheck.load(saved(tmp_path / "a", make_sweep(planned=99))).planned == 99
    empty = initcheck.load(saved(tmp_path / "b", replace(make_sweep(), groups=(), planned=4)))
    assert (empty.finished, empty.planned) == (0, 4)
    for frame, whole in (
        (empty.to_frame(), make_sweep().to_frame()),
        (empty.epochs_frame(), make_sweep().epochs_frame()),
    ):
        assert frame.empty
        assert list(frame.columns) == list(whole.columns)


def test_a_grid_and_groups_of_unequal_length_come_back(tmp_path):
    runs = [replace(make_run(reseed=reseed), order=order) for reseed in range(3) for order in (1, 2)]
    runs += [make_run(initializer="b", losses=(1.0,), reseed=reseed) for reseed in range(5)]
    sweep = replace(make_sweep(), groups=group_runs(runs))
    assert initcheck.load(saved(tmp_path, sweep)).runs == sweep.runs


def test_hostile_names_come_back_as_they_were_written(tmp_path):
    shown = "".join(letter for letter in HOSTILE if letter.isprintable())  # no problem has another name
    problem = replace(IRIS, name=shown, title=HOSTILE, source=HOSTILE, about=((HOSTILE, HOSTILE),))
    sweep = make_sweep(names=(HOSTILE, "NA", "", "nan"), problem=problem, command=HOSTILE * 200, seed=10**40)
    sweep = replace(sweep, groups=tuple(replace(runs, problem=shown) for runs in sweep.groups))
    loaded = initcheck.load(saved(tmp_path, sweep))
    written = HOSTILE.encode("utf-8", "backslashreplace").decode()  # half a character is spelt out
    assert [runs.initializer for runs in loaded.groups] == [written, "NA", "", "nan"]
    assert (loaded.problem.name, loaded.problem.about, loaded.seed) == (shown, ((written, written),), 10**40)
    assert "\n" not in repr(loaded)


def test_the_columns_and_bytes_of_the_tables_are_those_of_the_frames(tmp_path):
    sweep = make_sweep()
    folder = saved(tmp_path, sweep)
    for name, frame in (("runs.csv", sweep.to_frame()), ("history.csv", sweep.epochs_frame())):
        assert (folder / name).read_text() == frame.to_csv(index=False, lineterminator="\n")


def test_a_loaded_problem_says_what_a_page_says_of_it(tmp_path):
    sweep = make_sweep()
    loaded = initcheck.load(saved(tmp_path, sweep))
    for name in ("name", "title", "source", "loss", "batch_size", "epochs", "chance", "target", "about"):
        assert getattr(loaded.problem, name) == getattr(IRIS, name)
    assert render_report(loaded) == render_report(sweep)
    assert loaded.problem.data.classes == 2


def test_the_counts_of_classes_come_back_and_an_earlier_sweep_has_none(tmp_path):
    sweep = make_sweep()
    folder = saved(tmp_path, sweep)
    assert initcheck.load(folder).facts == sweep.facts
    assert [sum(counts) for counts in sweep.facts.data.counts] == list(sweep.facts.data.rows)
    resign(folder, lambda body: body["problem"]["data"].pop("counts"))
    earlier = initcheck.load(folder)
    assert earlier.facts.one_class is None
    assert earlier.to_frame().equals(sweep.to_frame())
    resign(folder, lambda body: body["problem"]["data"].update(counts=[[1], [2, 3]]))
    assert initcheck.load(folder).facts.one_class is None


def test_documented_bounds_are_for_the_catalogue_s_problem_saved_or_not(tmp_path):
    sweep = make_sweep(epochs=IRIS.epochs)
    assert documented_cells(sweep)
    assert documented_cells(initcheck.load(saved(tmp_path / "own", sweep))) == documented_cells(sweep)
    own = make_sweep(epochs=IRIS.epochs, problem=replace(IRIS, title=IRIS.title))  # of the same name and numbers
    assert documented_cells(own) == {}
    assert documented_cells(initcheck.load(saved(tmp_path / "other", own))) == {}
    of_old = replace(sweep, problem=replace(sweep.facts, batch_size=99))  # the catalogue has changed since
    assert documented_cells(initcheck.load(saved(tmp_path / "old", of_old))) == {}


def test_data_that_cannot_be_loaded_again_cost_no_runs(tmp_path):
    def gone():
        raise OSError("no network")

    loaded = initcheck.load(saved(tmp_path, make_sweep(problem=replace(IRIS, data=gone))))
    assert loaded.finished == 8
    assert loaded.problem.data is None


def test_the_same_targets_have_one_digest_and_others_another():
    data = IRIS.data()
    shuffled = replace(data, y_test=data.y_test[::-1])
    as_integers = replace(data, y_train=data.y_train.astype(np.int32), y_test=data.y_test.ravel().astype(np.int32))
    kept, other, same = (
        ProblemFacts.of(replace(IRIS, data=functools.partial(copy.copy, table))).data
        for table in (data, shuffled, as_integers)
    )
    assert kept == same
    assert kept.digest != other.digest


def test_printed_a_sweep_and_a_comparison_are_what_the_commands_print():
    sweep = make_sweep()
    assert "held-out mean" in str(sweep)
    assert str(sweep).endswith(f"seed {sweep.seed}")
    report = initcheck.compare_runs(sweep, make_sweep(shift=1))
    assert re.fullmatch(r"<RunsReport: [A-Z ]+, \d+ rows>", repr(report))
    assert "B − A" in str(report)
    assert "False-alarm rate 0.001 for the whole" in str(report)


def test_the_repr_is_one_short_line():
    assert repr(make_sweep()) == "<Sweep of iris: 2 initializers, 8 of 8 runs, seed 1>"
    assert repr(make_sweep(names=("zeros",), planned=9)) == "<Sweep of iris: 1 initializer, 4 of 9 runs, seed 1>"


@pytest.mark.parametrize("name", ["runs.csv", "history.csv", "sweep.json", "report.html"])
@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "of another sweep", "binary", "longer"])
def test_a_damaged_file_is_refused(name, damage, tmp_path):
    folder, path = saved(tmp_path), tmp_path / "results" / name
    text = path.read_bytes()
    other = saved(tmp_path / "other", make_sweep(reseeds=4, shift=1))
    spoilt = {
        "cut": text[: len(text) // 2],
        "empty": b"",
        "flipped": text.replace(b"0", b"1", 1),
        "of another sweep": (other / name).read_bytes(),
        "binary": bytes(range(256)) * 9,
        "longer": text + b"\nzeros,1\n",
    }[damage]
    path.write_bytes(spoilt)
    assert name in refusal(folder)


@pytest.mark.parametrize("name", ["runs.csv", "history.csv", "sweep.json"])
def test_a_missing_file_is_refused_and_a_removed_page_is_not(name, tmp_path):
    folder = saved(tmp_path)
    (folder / "report.html").unlink()
    assert initcheck.load(folder).finished == 8
    (folder / name).unlink()
    assert name in refusal(folder)


def test_a_folder_of_an_earlier_version_is_refused_with_the_way_to_get_a_new_one(tmp_path):
    folder = saved(tmp_path)
    (folder / "sweep.json").unlink()
    message = refusal(folder)
    assert "earlier initcheck" in message
    assert f"initcheck run --out {folder}" in message


@pytest.mark.parametrize("place", ["none", "file", "empty", "x" * 300, "a\0b", "file/below"])
def test_what_is_no_folder_of_a_sweep_is_refused(place, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    assert "name" in refusal(tmp_path / place) or "no sweep.json" in refusal(tmp_path / place)


@pytest.mark.parametrize("name", ["runs.csv", "history.csv", "sweep.json", "report.html"])
def test_an_endless_or_oversized_file_is_refused(name, tmp_path, monkeypatch):
    folder = saved(tmp_path)
    monkeypatch.setitem(saved_runs._MOST_BYTES, name, 100)
    assert "is larger than" in refusal(folder)
    monkeypatch.undo()
    (folder / name).unlink()
    (folder / name).symlink_to("/dev/zero")
    assert "is a device" in refusal(folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("runs.csv", "problem,", "probleme,", "runs.csv line 1: its column 'probleme' is unknown"),
        ("runs.csv", "order,seed", "seed,order", "runs.csv line 1: its columns are in another order"),
        ("history.csv", ",val_accuracy", "", "history.csv line 1: its column 'val_accuracy' is missing"),
        ("runs.csv", "iris,zeros,0,", "iris,zeros,1,", "not those of runs.csv"),
        ("runs.csv", "iris,zeros,0,", "iris,ones,0,", "its runs are not those of zeros"),
        ("runs.csv", "iris,zeros,0,", "xor,zeros,0,", "its runs are not those of zeros"),
        ("runs.csv", "iris,zeros,0,", "iris,zeros,-1,", "runs.csv line 2: '-1' is no count"),
        ("runs.csv", "iris,zeros,0,", "iris,zeros,99999999999999999999,", "is no count"),
        ("runs.csv", ",50,70,", ",71,70,", "more correct rows than there are"),
        ("runs.csv", ",50,70,", ",51,70,", "train_accuracy of zeros is not the share"),
        ("runs.csv", ",50,70,", ",50,71,", "train_total of zeros is not 70"),
        ("runs.csv", "\niris", "\n\niris", "runs.csv line 2"),
        ("history.csv", "iris,zeros,0,0,1,", "iris,zeros,0,0,2,", "the epochs of zeros are not 1 to 3"),
        ("history.csv", "iris,zeros,0,0,1,0.", "iris,zeros,0,0,1,0x", "is no number"),
        ("history.csv", "iris,zeros,0,0,1,0.", "iris,zeros,0,0,1, 0.", "is no number"),
        ("history.csv", "iris,zeros,0,0,3,0.", "iris,zeros,0,0,3,1.", "not that of its last epoch"),
        ("history.csv", "iris,zeros,0,0,1", '"iris,zeros,0,0,1', "history.csv line"),
    ],
)
def test_an_edit_that_knows_the_digests_must_still_make_a_sweep(name, old, new, message, tmp_path):
    folder = saved(tmp_path)
    edit(folder, name, old, new)
    resign(folder)
    assert message in refusal(folder)


def test_an_initializer_that_is_there_twice_is_refused(tmp_path):
    runs = [replace(group_runs([make_run(reseed=reseed)])[0], initializer="a") for reseed in (0, 1)]
    assert "has two groups" in refusal(saved(tmp_path, replace(make_sweep(), groups=tuple(runs))))


def test_a_run_that_is_there_twice_is_refused(tmp_path):
    run = make_run(reseed=1)
    assert "there twice" in refusal(saved(tmp_path, replace(make_sweep(), groups=group_runs([run, run]))))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "initcheck baseline"}, "is no record of a sweep"),
        ({"schema_version": 2}, "newer initcheck (schema 2; this one reads 1)"),
        ({"schema_version": "1"}, "schema_version"),
        ({"seed": 1.5}, "seed"),
        ({"planned": -1}, "planned"),
        ({"extra": 1}, "extra"),
        ({"groups": []}, "damaged"),
        ({"digests": {}}, "which files belong to it"),
        ({"environment": {}}, "environment"),
    ],
)
def test_a_record_that_is_none_is_refused(change, message, tmp_path):
    folder = saved(tmp_path)
    resign(folder, lambda body: body.update(change))
    assert message in refusal(folder)


@pytest.mark.parametrize("text", ["[]", "null", "{", '{"format": NaN}', "[" * 100_000, '{"format": "initcheck sweep"}'])
def test_json_that_is_no_record_is_refused(text, tmp_path):
    folder = saved(tmp_path)
    (folder / "sweep.json").write_text(text)
    assert "sweep.json" in refusal(folder)


def test_what_no_record_may_hold_is_refused_before_anything_is_written(tmp_path):
    folder = saved(tmp_path)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(initcheck.InitcheckError, match=r"cannot be saved \(environment\.cpu"):
        make_sweep(environment=replace(ENVIRONMENT, cpu="")).save(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("stopped_at", [0, 1, 2, 3])
def test_a_write_that_is_cut_short_never_passes_for_a_sweep(stopped_at, tmp_path, monkeypatch):
    """However far it came, the folder holds the old sweep, or the new one, or is refused; never a mix."""
    folder, new = saved(tmp_path), make_sweep(shift=1)
    written: list[Any] = []

    def write(path, parts):
        if len(written) == stopped_at:
            raise initcheck.InitcheckError("the disk is full")
        written.append(path.name)
        files.write_whole(path, parts)

    monkeypatch.setattr(saved_runs, "write_whole", write)
    there = {0: "", 1: "; runs.csv there is new", 2: "; runs.csv, history.csv there are new"}
    with pytest.raises(initcheck.InitcheckError, match=f"^the disk is full{there.get(stopped_at, '')}") as refused:
        new.save(folder)
    assert ("new" in str(refused.value)) is (stopped_at > 0)
    assert written == ["runs.csv", "history.csv", "sweep.json", "report.html"][:stopped_at]
    if stopped_at == 0:
        assert initcheck.load(folder).runs == make_sweep().runs
    else:
        assert "is not the one that sweep.json was written with" in refusal(folder)
    monkeypatch.undo()
    new.save(folder)
    assert initcheck.load(folder).runs == new.runs


def test_a_process_killed_at_any_moment_leaves_no_mix(tmp_path):
    """Two sweeps are saved by turns until the process is killed."""
    folder = saved(tmp_path)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_saved_runs import make_sweep\n"
        "from pathlib import Path\n"
        "sweeps = [make_sweep(reseeds=2), make_sweep(reseeds=2, shift=1)]\n"
        "for n in range(10**6):\n"
        "    sweeps[n % 2].save(sys.argv[2])\n"
        "    print(n, flush=True)\n"
    )
    known = [make_sweep(reseeds=2).runs, make_sweep(reseeds=2, shift=1).runs, make_sweep().runs]
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(Path(__file__).parents[2] / "shared"), str(folder)], stdout=subprocess.PIPE
    )
    try:
        for _ in range(3):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    outcome: Any
    try:
        outcome = initcheck.load(folder).runs
    except initcheck.InitcheckError as error:
        outcome = str(error)
    assert outcome in known or "is not the one that sweep.json was written with" in outcome


def test_two_files_that_are_one_by_a_link_are_refused_before_anything_is_written(tmp_path):
    (tmp_path / "history.csv").symlink_to("runs.csv")
    with pytest.raises(initcheck.InitcheckError, match="a link makes one file of two; name another folder"):
        make_sweep().save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["history.csv"]


@pytest.mark.parametrize("place", [None, 5, b"results", object()])
def test_what_is_no_path_is_refused(place):
    for use in (make_sweep().save, initcheck.load):
        with pytest.raises(initcheck.InitcheckError, match=r"^the folder is .*; give a path$"):
            use(place)


@pytest.mark.parametrize("place", ["file", "file/below", "x" * 300, "a\0b", "/proc/none"])
def test_a_folder_that_cannot_be_made_is_one_line(place, tmp_path):
    (tmp_path / "file").write_text("here before")
    with pytest.raises(initcheck.InitcheckError, match=r"^the folder .* name another folder$") as refused:
        make_sweep().save(tmp_path / place)
    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.slow
def test_a_hundred_thousand_runs_come_back(tmp_path):
    runs = group_runs([make_run(reseed=reseed) for reseed in range(2)])[0]
    many = 100_000
    stream = np.random.RandomState(0)
    columns: dict[str, Any] = {name: np.arange(many) for name in ("reseeds", "seeds")}
    large = replace(
        runs,
        **columns,
        orders=np.zeros(many, np.int64),
        train_score=stream.randint(0, 11, many) / runs.train_total,
        test_score=stream.randint(0, 6, many) / runs.test_total,
        history=stream.uniform(0, 1, (many, 5, 4)),
    )
    loaded = initcheck.load(saved(tmp_path, replace(make_sweep(), groups=(large,), planned=many)))
    assert loaded.groups[0].history.tobytes() == large.history.tobytes()
    assert np.array_equal(loaded.groups[0].test_correct, large.test_correct)


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("", "the folder is empty; give a path (. is the current folder)"),
        (" ", "the folder is empty; give a path (. is the current folder)"),
        ("~nobody-of-that-name/x", "the folder begins with ~nobody-of-that-name, but there is no such user; write ./"),
    ],
)
@pytest.mark.parametrize("use", [lambda folder: make_sweep().save(folder), initcheck.load])
def test_a_path_that_names_no_folder_is_one_line_and_writes_nothing(tmp_path, monkeypatch, use, folder, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(initcheck.InitcheckError) as raised:
        use(folder)
    assert str(raised.value).startswith(message)
    assert str(raised.value).isprintable()
    assert not list(tmp_path.iterdir())


def test_a_tilde_at_the_beginning_of_a_path_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    make_sweep().save("~/x")
    make_sweep().save(Path("~/y"))
    make_sweep().save("./~")
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["x", "y"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "~"]
    assert initcheck.load("~/x").to_frame().equals(initcheck.load("./~").to_frame())
