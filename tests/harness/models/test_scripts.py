"""The doctor runs a script as a black box, and says what differs first, under which change, and why."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from typing import Any

import numpy as np
import pytest

import initcheck
from initcheck.models.artifacts import compare_artifacts, read_artifact
from initcheck.models.script_examination import examine_script, missed
from initcheck.models.scripts import THREADS

SCRIPT = """
import datetime
import json
import os
import random
import sys
import time
import uuid

def value(what):
    if what == "nothing":
        return random.Random(1).random()
    if what == "python":
        return random.random()
    if what == "rng":
        import numpy as np
        return float(np.random.default_rng().normal())
    if what == "numpy":
        import numpy as np
        return float(np.random.rand())
    if what == "clock":
        return datetime.datetime.now().microsecond
    if what == "entropy":
        return uuid.uuid4().hex
    if what == "both":
        return [random.random(), time.time()]
    if what == "hashes":
        return list({"some", "words", "of", "a", "set", "without", "order"})
    if what == "listing":
        return os.listdir("rows")
    if what == "path":
        return os.getcwd()
    if what == "threads":
        return int(os.environ.get("OMP_NUM_THREADS", "4"))
    if what == "rounding":
        return 1 + 1e-8 * int(os.environ.get("OMP_NUM_THREADS", "4"))
    if what == "process":
        return os.getpid()
    if what == "fails":
        raise ValueError("no rows")
    if what == "exits":
        sys.exit(3)
    if what == "waits":
        os.system(f"sleep 61; echo {os.getcwd()}")
    if what == "stale":
        sys.exit(0)
    return 0

with open("metrics.json", "w" if sys.argv[1] != "stale" else "r") as file:
    json.dump({"epochs": 2, "loss": value(sys.argv[1])}, file)
"""
REPEAT, FOLDER = "the script does not repeat", "the script depends on the folder that it runs in"
PLANTED = {
    "rng": (REPEAT, "a NumPy generator made without a seed: np.random.default_rng(SEED)"),
    "clock": (REPEAT, "pin the clock"),
    "process": (REPEAT, "none of the sources that can be pinned"),
    "hashes": (REPEAT, "sorted(...) around the set"),
    "listing": (FOLDER, "sorted(...) around the listing"),
    "python": (REPEAT, "keras.utils.set_random_seed(SEED)"),
    "numpy": (REPEAT, "keras.utils.set_random_seed(SEED)"),
    "entropy": (REPEAT, "the system's entropy"),
    "both": (REPEAT, "keras.utils.set_random_seed(SEED) and the clock"),
    "path": (FOLDER, "a path goes into the result"),
    "threads": ("the script depends on the number of threads", "OMP_NUM_THREADS"),
}
FAST = {"rng", "hashes", "listing"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("PYTHONHASHSEED", *THREADS):  # which a framework that was loaded here may have set
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "rows").mkdir()
    for name in "cab":
        (tmp_path / "rows" / name).write_text(name)
    return tmp_path


def examined(folder, what, **options):
    return examine_script(f"{sys.executable} train.py {what}", ["metrics.json"], folder=folder, **options)


@pytest.mark.parametrize("what", [pytest.param(one, marks=[pytest.mark.slow] * (one not in FAST)) for one in PLANTED])
def test_what_differs_first_is_named_with_its_cause(folder, what):
    (finding,) = examined(folder, what).findings
    title, remedy = PLANTED[what]
    assert finding.what == title
    assert remedy in finding.remedy
    assert finding.where.startswith("metrics.json: loss")


def test_a_script_that_repeats_is_healthy_and_leaves_nothing_behind(folder):
    before = sorted(folder.rglob("*"))
    diagnosis = examined(folder, "nothing", runs=3)
    assert diagnosis.healthy, diagnosis.findings
    assert sorted(folder.rglob("*")) == before
    assert diagnosis.notes[0].startswith(
        "A race by which half of the runs differ goes unseen in 3 runs with probability 0.25"
    )
    assert missed(8) < 0.01


@pytest.mark.slow
def test_threads_that_decide_the_last_bits_are_a_note_with_its_size(folder):
    diagnosis = examined(folder, "rounding")
    assert diagnosis.healthy
    assert "metrics.json: loss: 1.00000004 and 1.00000001" in diagnosis.notes[1]


@pytest.mark.slow
def test_hashes_that_the_command_sets_are_left_alone(folder):
    command = f"PYTHONHASHSEED=0 {sys.executable} train.py hashes"
    assert examine_script(command, ["metrics.json"], folder=folder).healthy


def test_a_field_can_be_left_out(folder):
    assert examined(folder, "process", ignored=["*.json:lo*"]).healthy


REFUSED: dict[str, Any] = {
    "the script ends with exit code 1 (its first run): ValueError: no rows; let": ("train.py fails", {}),
    "the script ends with exit code 3 (its first run); let": ("train.py exits", {}),
    "the script has not ended within 1 s (its first run); give": ("train.py waits", {"timeout": 1}),
    "FileNotFoundError": ("train.py stale", {}),
    "--command has '|', which only a shell understands": ("train.py | tee", {}),
    "cannot be split (No closing quotation)": ("train.py 'nothing", {}),
    "needs an --artifact": ("train.py nothing", {"artifacts": []}),
    "the script did not write m.csv (its first run; it wrote metrics.json)": (
        "train.py nothing",
        {"artifacts": ["m.csv"]},
    ),
    "--artifact ../m.csv is not within the folder": ("train.py nothing", {"artifacts": ["../m.csv"]}),
    "--runs is 1; at least 2": ("train.py nothing", {"runs": 1}),
}


@pytest.mark.parametrize("message", REFUSED)
def test_a_script_that_cannot_be_examined_is_refused_in_one_line(folder, message):
    words, options = REFUSED[message]
    (folder / "metrics.json").write_text("{}")  # left from before, and no artifact of a run
    given: dict[str, Any] = {"artifacts": ["metrics.json"], "folder": folder, **options}
    with pytest.raises(initcheck.InitcheckError) as refused:
        examine_script(f"{sys.executable} {words}", **given)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert ";" in str(refused.value)


def test_a_program_that_is_not_there_is_refused(folder):
    with pytest.raises(initcheck.InitcheckError, match="there is no program 'pythn'"):
        examine_script("pythn train.py", ["metrics.json"], folder=folder)
    with pytest.raises(initcheck.InitcheckError, match="names no program"):
        examine_script("A=1", ["metrics.json"], folder=folder)
    with pytest.raises(initcheck.InitcheckError, match="is no folder"):
        examine_script("python train.py", ["metrics.json"], folder=folder / "none")


def doctor(folder, *words, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "initcheck", "doctor", *words],
        cwd=folder,
        text=True,
        stdout=-1,
        stderr=-1,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # which a job in the background ignores
        **options,
    )


@pytest.mark.slow
def test_an_interruption_ends_the_script_and_what_it_started(folder):
    marked = str(folder)
    command = doctor(
        folder,
        "--command",
        f"{sys.executable} train.py waits",
        "--artifact",
        "metrics.json",
        env={**os.environ, "TMPDIR": marked},
    )
    for _ in range(200):
        if list(folder.glob("initcheck-scratch-*/here/*/train.py")):
            break
        time.sleep(0.1)
    time.sleep(1)
    command.send_signal(signal.SIGINT)
    command.communicate(timeout=30)
    assert command.returncode == 130
    assert not list(folder.glob("initcheck-scratch-*"))
    assert not [one for one in subprocess.check_output(["ps", "axo", "args"], text=True).splitlines() if marked in one]


@pytest.mark.slow
def test_the_command_says_what_differs_and_writes_a_page_and_json(folder):
    words = [
        "--command",
        f"{sys.executable} train.py rng",
        "--artifact",
        "metrics.json",
        "--html",
        "p.html",
        "--json",
        "a.json",
    ]
    command = doctor(folder, *words)
    out, err = command.communicate()
    assert (command.returncode, err) == (1, "")
    body = json.loads((folder / "a.json").read_text())
    assert (body["of_script"], body["healthy"]) == (True, False)
    assert REPEAT in out
    assert "metrics.json: loss" in (folder / "p.html").read_text()
    for words in (
        [],
        ["m:build", "--command", "python"],
        ["--command", "python", "--data", "m:data"],
        ["m:build", "--runs", "2"],
    ):
        command = doctor(folder, *words)
        _, err = command.communicate()
        assert command.returncode == 2
        assert len(err.splitlines()) == 1


KERAS = """
import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 6)).astype("float32")
hidden = [keras.layers.Dense(8, "relu"), keras.layers.Dropout(.2)]
model = keras.Sequential([keras.Input((6,)), *hidden, keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[keras.callbacks.CSVLogger("log.csv")])
model.save("out.keras")
model.save("out.h5")
model.save_weights("out.weights.h5")
np.savez("out.npz", *model.get_weights())
"""


@pytest.mark.slow
def test_the_training_script_of_a_healthy_model_is_healthy(tmp_path):
    (tmp_path / "train.py").write_text(KERAS)
    artifacts = ["log.csv", "out.keras", "out.h5", "out.weights.h5", "out.npz"]
    diagnosis = examine_script(f"{sys.executable} train.py", artifacts, folder=tmp_path)
    assert diagnosis.healthy, diagnosis.findings


@pytest.mark.slow
def test_a_weight_that_differs_is_named_by_its_path(tmp_path):
    (tmp_path / "train.py").write_text(KERAS.replace("keras.utils.set_random_seed(1)", "np.random.seed(1)"))
    diagnosis = examine_script(f"{sys.executable} train.py", ["out.keras", "log.csv"], folder=tmp_path)
    (finding,) = diagnosis.findings
    assert finding.where == "out.keras: layers/dense/vars/0 (dense)"
    assert "keras.utils.set_random_seed(SEED)" in finding.remedy
    assert "log.csv" in finding.effect


# Artifacts.


def fields(tmp_path, name, content):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_artifact(path)


COMPARED = {
    "json": ("m.json", '{"a": 1, "b": [1, {"c": 2.0}]}', '{"b": [1, {"c": 2.5}], "a": 1}', "b[1].c", "2 and 2.5", 0.2),
    "json's keys": ("m.json", '{"a": 1}', '{"a": 1, "b": 2}', "b", "there in one run alone", np.inf),
    "json's kinds": ("m.json", '{"a": 1}', '{"a": "1"}', "a", "1 and '1'", np.inf),
    "jsonl": ("m.jsonl", '{"a": 1}\n{"a": 2}\n', '{"a": 1}\n{"a": 4}\n', "line 2.a", "2 and 4", 0.5),
    "csv": ("m.csv", "epoch,loss\n0,.5\n1,.25\n", "epoch,loss\n0,.5\n1,.2\n", "row 2, loss", "0.25 and 0.2", 0.2),
    "csv without names": ("m.csv", "0,.5\n", "0,.4\n", "row 1, column 2", "0.5 and 0.4", 0.2),
    "text": ("log.txt", "a\nb\n", "a\nc\n", "line 2", "'b' and 'c'", np.inf),
    "bytes": ("m.bin", b"\x00\xff\x01", b"\x00\xff\x02", "", "from byte 2 on", np.inf),
    "json that is none": ("m.json", "{", "}", "line 1", "'{' and '}'", np.inf),
    "keras that is none": ("m.keras", b"\x00\xff", b"\x00\xfe", "", "from byte 1 on", np.inf),
}


@pytest.mark.parametrize("name", COMPARED)
def test_artifacts_are_compared_by_field(tmp_path, name):
    file, one, two, field, words, relative = COMPARED[name]
    first, second = fields(tmp_path / "1", file, one), fields(tmp_path / "2", file, two)
    assert compare_artifacts(first, fields(tmp_path / "3", file, one)) is None
    difference = compare_artifacts(first, second)
    assert difference.field == field
    assert words in difference.words
    assert difference.relative == pytest.approx(relative)


def saved(folder, name, values, minute):
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / name, "w") as archive:
        for member, value in values.items():
            with archive.open(zipfile.ZipInfo(f"{member}.npy", (2026, 1, 1, 1, minute, 0)), "w") as file:
                np.save(file, value)
    return read_artifact(folder / name)


def test_arrays_are_compared_bit_by_bit_and_times_of_containers_do_not_count(tmp_path):
    value = np.array([1.0, np.nan, 4.0])
    one = saved(tmp_path / "1", "w.npz", {"kernel": value, "bias": np.zeros(2)}, 1)
    assert compare_artifacts(one, saved(tmp_path / "2", "w.npz", {"kernel": value, "bias": np.zeros(2)}, 2)) is None
    other = saved(tmp_path / "3", "w.npz", {"kernel": value * [1, 1, 2], "bias": np.zeros(2)}, 1)
    difference = compare_artifacts(one, other)
    assert (difference.field, difference.differing, difference.fields) == ("kernel", 1, 2)
    assert difference.size == "4 and 8 at element 2 of 3; 1 of 2 fields differ, by up to 0.5 of the largest number"
    shaped = saved(tmp_path / "4", "w.npz", {"kernel": value[:2], "bias": np.zeros(2)}, 1)
    assert "float64 (3,) and float64 (2,)" in compare_artifacts(one, shaped).words


def test_a_folder_is_compared_file_by_file(tmp_path):
    for number in "12":
        fields(tmp_path / number, "a.json", '{"x": 1}')
        fields(tmp_path / number, "b.txt", number)
    difference = compare_artifacts(read_artifact(tmp_path / "1"), read_artifact(tmp_path / "2"))
    assert difference.field == "b.txt: line 1"
