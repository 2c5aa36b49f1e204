"""``initcheck matrix``: a process and an environment for each target; one that fails is a column, not the end."""

import json
import signal
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from judged_targets import cell, keras, torch

from initcheck.catalog.known_issues import known_issues
from initcheck.errors import InitcheckError
from initcheck.matrix import target_environments
from initcheck.matrix.target_environments import place_of
from initcheck.records import Status
from initcheck.targets import TARGETS, VARIABLE
from initcheck.upgrade import recordings
from initcheck.upgrade.requirements import Interpreter, Requirements

# Plays an interpreter: says what it has, and judges by copying the record beside it.
PYTHON = """#!{python} -IS
import json, os, pathlib, shutil, signal, sys, time
here = pathlib.Path(__file__).parent
words = sys.argv[1:]
if "-c" in words:
    facts = json.loads((here / "facts").read_text())
    print(json.dumps({{"python": "3.11.7", "missing": [], "versions": dict.fromkeys(words[4:], "99")}} | facts))
    sys.exit()
# Whole as soon as it is there: a test may end this process when it sees it.
(here / "being-written").write_text(json.dumps([words, os.environ["{variable}"]]))
(here / "being-written").rename(here / "called")
print("1/2 LAW01-he_normal", flush=True)
if "sleeps" in (here / "facts").read_text():
    time.sleep(60)
if not (here / "record.json").exists():
    print("a line before the end", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)
shutil.copy(here / "record.json", words[-1])
"""


def interpreter(folder, record=None, **facts):
    """An interpreter that judges so; without a record it crashes."""
    folder.mkdir()
    python = folder / "python"
    python.write_text(PYTHON.format(python=sys.executable, variable=VARIABLE))
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    (folder / "facts").write_text(json.dumps(facts))
    if record is not None:
        (folder / "record.json").write_text(record.model_dump_json())
    return python


@pytest.fixture
def run(initcheck_, monkeypatch, tmp_path):
    """Runs the program in a folder of its own; its exit code, and what it wrote to stdout and stderr."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for variable in (VARIABLE, "UV_OFFLINE"):  # whatever a command sets is undone
        monkeypatch.setenv(variable, "")
    return initcheck_


def test_each_target_is_judged_by_its_own_interpreter_and_all_are_on_one_page(run, tmp_path):
    one, other = interpreter(tmp_path / "keras", keras()), interpreter(tmp_path / "torch", torch())
    words = ("keras:tensorflow", "torch", "--python", f"keras:tensorflow={one}", "--python", f"torch={other}")
    code, out, err = run("matrix", *words, "--seed", 7, "--out", "there")
    assert code == 0, err
    assert "2 targets, 4 verdicts" in out
    assert sorted(path.name for path in (tmp_path / "here/there").iterdir()) == [
        "matrix.html",
        "matrix.json",
        "matrix.md",
    ]
    words, target = json.loads((tmp_path / "torch/called").read_text())
    assert target == "torch"
    assert words[:6] == ["-P", "-m", "initcheck", "judge-target", "--seed", "7"]
    assert list(json.loads((tmp_path / "here/there/matrix.json").read_text())["records"]) == [
        "keras:tensorflow",
        "torch",
    ]


def test_a_target_whose_process_crashes_or_whose_environment_lacks_it_is_a_column_and_the_others_go_on(run, tmp_path):
    pythons = {
        "torch": interpreter(tmp_path / "torch", torch()),
        "jax": interpreter(tmp_path / "jax"),
        "flax": interpreter(tmp_path / "flax", missing=["flax"]),
    }
    code, out, _ = run("matrix", *pythons, *(f"--python={target}={path}" for target, path in pythons.items()))
    assert code == 1
    assert "NOT JUDGED: jax: its process was ended by SIGSEGV: a line before the end" in out
    assert "NOT JUDGED: flax: its environment cannot be used: it has no flax; install that there" in out
    page = (tmp_path / "here/initcheck-matrix/matrix.html").read_text()
    assert "was ended by SIGSEGV" in page


@pytest.fixture
def interrupted(tmp_path, monkeypatch):
    """The words of a matrix of torch and JAX that is interrupted while it judges JAX."""
    pythons = {
        "torch": interpreter(tmp_path / "torch", torch()),
        "jax": interpreter(tmp_path / "jax", torch(), sleeps=True),
    }

    def interrupt(_):
        if (tmp_path / "jax/called").exists():
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(recordings, "time", SimpleNamespace(sleep=interrupt))
    words = [f"--python={target}={path}" for target, path in pythons.items()]
    return [*pythons, *words, "--jobs", "1"]


def test_what_is_judged_when_it_is_interrupted_is_on_the_page(run, interrupted):
    code, out, err = run("matrix", *interrupted)
    assert code == 143
    assert "NOT JUDGED: jax: was interrupted" in out
    assert err.splitlines()[-1] == "initcheck: interrupted: initcheck-matrix/matrix.html has torch"
    body = json.loads(Path("initcheck-matrix/matrix.json").read_text())
    assert (list(body["records"]), list(body["not_judged"])) == (["torch"], ["jax"])


def test_each_process_is_given_the_store_and_an_interruption_says_that_it_goes_on(run, interrupted, tmp_path):
    code, _, err = run("matrix", *interrupted, "--store", "kept")
    assert code == 143
    assert err.splitlines()[-1].endswith("initcheck-matrix/matrix.html has torch; the same command goes on")
    for target in ("torch", "jax"):
        called, _ = json.loads((tmp_path / target / "called").read_text())
        assert called[called.index("--store") + 1] == str(tmp_path / "here/kept")


def test_where_nothing_could_be_judged_nothing_is_written(run, tmp_path):
    code, out, err = run("matrix", "jax", f"--python=jax={interpreter(tmp_path / 'jax')}", "--out", "there")
    assert code == 2
    assert "NOT JUDGED: jax" in out
    assert err.splitlines()[-1] == "initcheck: no target could be judged, as said above"
    assert not (tmp_path / "here/there").exists()


def test_an_environment_that_cannot_be_built_is_a_column_with_the_resolver_s_reason(run, tmp_path, monkeypatch):
    def resolve(*_):
        raise InitcheckError("No solution found")

    monkeypatch.setattr(target_environments, "resolve", resolve)
    code, out, _ = run("matrix", "torch", "flax", f"--python=torch={interpreter(tmp_path / 'torch', torch())}")
    assert code == 1
    assert "NOT JUDGED: flax: its environment cannot be used: No solution found" in out


@pytest.mark.parametrize(("known", "code"), [({}, 1), ({"issue": "it does", "link": "https://example.org"}, 0)])
def test_what_is_refuted_decides_the_exit_code_unless_it_is_known(known, code, run, tmp_path):
    python = interpreter(tmp_path / "torch", torch(cell("SEED13", "2^32", Status.FAIL, **known)))
    got, out, _ = run("matrix", "torch", f"--python=torch={python}")
    assert got == code
    assert ("REFUTED torch SEED13 on 2^32: 2^32 by SEED13" in out) is (code == 1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["torhc"], "TARGET is 'torhc'; give keras:tensorflow, "),
        (["torch", "--python", "torch"], "--python is 'torch'; give TARGET=PATH, such as torch=/path/to/python"),
        (["torch", "--python", "jax=/x"], "--python names jax, which is not among the targets: torch"),
        (["torch", "--python", "torch=/no/such/python"], "torch: '/no/such/python' is no file or folder that exists"),
        (["torch", "--python", "torch=torch"], "torch: --python torch is no interpreter, and no folder of a virtual"),
        (["torch", "--with", "torch=torch 2"], "torch: 'torch 2' is no requirement such as"),
        (["own.library:LIBRARY"], "own.library:LIBRARY: nothing says what it needs; add --with"),
        (["torch", "--store", "/dev/null"], "/dev/null cannot be used as a store"),
        (["torch", "--out", "/dev/null"], "--out /dev/null cannot be written to"),
    ],
)
def test_a_mistake_is_one_line_before_anything_is_built(words, message, run):
    code, _, err = run("matrix", *words)
    assert code == 2
    assert err.splitlines()[-1].startswith(f"initcheck: {message}")


def test_what_a_built_environment_needs_is_the_extra_of_the_target_and_what_the_user_adds():
    needs = {target: place_of(target, None, []).asked for target in TARGETS}
    assert [name for name in needs["torch"] if name.startswith("torch")] == ["torch>=2.4"]
    assert {"keras>=3", "jax>=0.4.30"} <= set(needs["keras:jax"])
    assert "keras>=3" not in needs["jax"]
    assert needs["flax"] == ("flax>=0.12", "jax>=0.7.1")
    assert place_of("torch", None, ["torch == 2.4.0"]) == Requirements((*needs["torch"], "torch==2.4.0"))
    assert place_of("own.library:LIBRARY", None, ["equinox"]) == Requirements(("equinox",))
    assert place_of("torch", sys.executable, []) == Interpreter(place_of("jax", sys.executable, []).python)


def test_the_target_of_check_and_self_test_is_chosen_before_any_check_is_there(run):
    for command in ("check", "self-test"):
        code, _, err = run(command, "--target", "torhc")
        assert (code, err.splitlines()[-1][:31]) == (2, "initcheck: --target is 'torhc';")


@pytest.mark.slow
def test_the_running_environment_is_judged_and_nothing_is_refuted_that_is_not_known(run):
    code, out, err = run("matrix", "keras:tensorflow", "--python", f"keras:tensorflow={sys.executable}")
    assert code == 0, out + err
    body = json.loads(Path("initcheck-matrix/matrix.json").read_text())
    record = body["records"]["keras:tensorflow"]
    assert {one["family"] for one in record["checks"].values()} == {"laws", "seeds"}
    refuted = {(one["check"], one["subject"]) for one in record["cells"] if one["status"] == "fail"}
    assert {check for check, _ in refuted} <= {issue.check for issue in known_issues()}
    named = {line["name"]: line["cells"]["keras:tensorflow"]["state"] for line in body["tables"]["laws"]}
    assert named["he_normal"] == "holds"
