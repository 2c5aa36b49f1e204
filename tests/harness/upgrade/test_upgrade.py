"""``initcheck upgrade``: its arguments, the commands that it runs, and how it ends."""

import itertools
import json
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import time
import zipfile
from configparser import RawConfigParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from baselines import baseline

from initcheck import InitcheckError, files
from initcheck.__main__ import main
from initcheck.baselines.records.store import write_baseline
from initcheck.cli import app as cli
from initcheck.extras import ENVIRONMENTS
from initcheck.reporting.comparisons import comparison_page
from initcheck.reporting.comparisons.comparison_page import render_comparison
from initcheck.upgrade import environments, recordings
from initcheck.upgrade.carried import carry, require_able, require_python
from initcheck.upgrade.environments import build, clean_variables, own_requirements, resolve
from initcheck.upgrade.recordings import record_each
from initcheck.upgrade.requirements import Interpreter, Requirements, parse_source

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]

# Plays an interpreter: prints its versions, and records by copying the file baseline.json beside it.
PYTHON = """#!{python} -IS
import json, os, pathlib, shutil, signal, sys, time
here = pathlib.Path(__file__).parent
words = sys.argv[1:]
with open(here / "calls", "a") as calls:
    calls.write(json.dumps([os.getpid(), words, dict(os.environ), os.getcwd()]) + "\\n")
if "-c" in words:
    facts = json.loads((here / "facts").read_text())
    print(json.dumps({{"python": "3.11.7", "missing": [], "versions": dict.fromkeys(words[4:], "99")}} | facts))
    sys.exit()
print("1/2 draws of he_normal", flush=True)
how = (here / "how").read_text()
if how == "sleep":
    time.sleep(60)
if how == "segfault":
    print("a line before the end", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)
if how == "import":
    sys.exit("Traceback (most recent call last):\\n  File x\\n    import tensorflow\\nImportError: DLL \\x1b[2J")
shutil.copy(here / "baseline.json", words[-1])
"""

# Stands for uv: chooses what is asked for, and installs it by making links to the interpreter beside it.
UV = """#!{python} -IS
import json, os, pathlib, shutil, sys
here = pathlib.Path(__file__).parent
words = sys.argv[1:]
asked = " ".join(open(word).read().replace("\\n", " ").strip() for word in words if word.endswith("asked.in"))
files = "".join(open(word).read() for word in words[2:] if word.endswith(".txt") and os.path.exists(word))
with open(here / "calls", "a") as calls:
    calls.write(json.dumps([words, asked, dict(os.environ)]) + "\\n")
if "compile" in words:
    if "9.9" in asked:
        sys.exit("warning: of no interest\\nerror: No solution found\\n  cause: Because there is no version\\n"
                 "         of it, you cannot have it.\\n")
    pathlib.Path(words[words.index("--output-file") + 1]).write_text(asked + "\\n" + files)
if "venv" in words:
    shutil.copytree(here / "environment", words[words.index("--python") + 2])
if "sync" in words and (here / "broken").exists():
    sys.exit("error: Failed to fetch: the network")
"""


def make_script(path, text):
    path.write_text(text.format(python=sys.executable))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def make_environment(folder, *, how="", record=None, facts=None):
    """A virtual environment's folder whose interpreter records that baseline."""
    (folder / "bin").mkdir(parents=True)
    make_script(folder / "bin" / "python", PYTHON)
    (folder / "bin" / "how").write_text(how)
    (folder / "bin" / "facts").write_text(json.dumps(facts or {}))
    (folder / "bin" / "baseline.json").write_text(write_baseline(record or baseline()))
    return folder


def calls(folder):
    file = folder / "calls"
    text = file.read_text() if file.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]  # whole ones


def recorded(environment):
    """The calls of an environment's interpreter that were to record."""
    return [call for call in calls(environment / "bin") if "record" in call[1]]


@pytest.fixture
def uv(tmp_path, monkeypatch):
    """The folder of a uv whose environments all record one baseline; its calls are in it."""
    folder = tmp_path / "uv"
    make_environment(folder / "environment")
    monkeypatch.setattr("uv.find_uv_bin", lambda: str(make_script(folder / "uv", UV)))
    monkeypatch.setattr(environments, "environments_folder", lambda: tmp_path / "kept")
    return folder


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """Runs the program in a folder of its own; its exit code, and what it wrote to stdout and stderr."""
    folder = tmp_path / "here, and there"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(comparison_page, "render_comparison", lambda *_: "a page")  # drawn in one test only

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["initcheck", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capfd.readouterr()
        return ended.value.code, captured.out, captured.err

    return run


def test_a_requirement_is_distinguished_from_a_file_a_folder_and_an_interpreter(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environment = make_environment(tmp_path / "an environment")
    Path("requirements.txt").write_text("tensorflow")
    Path("tensorflow").mkdir()  # as in a folder of checkouts
    assert parse_source("tensorflow == 2.15.1") == Requirements(("tensorflow==2.15.1",))
    assert parse_source("tensorflow", ["keras"]) == Requirements(("tensorflow", "keras"))
    assert parse_source("requirements.txt", ["keras"]) == Requirements(("keras",), (tmp_path / "requirements.txt",))
    assert parse_source("an environment") == Interpreter(environment / "bin" / "python")
    assert parse_source(str(environment / "bin" / "python")) == Interpreter(environment / "bin" / "python")


HOSTILE = (
    "--index-url=http://127.0.0.1/",
    "-r /etc/passwd",
    "-e .",
    "tensorflow --index-url http://127.0.0.1/",
    "tensorflow\n--index-url http://127.0.0.1/",
    "tensorflow @ http://127.0.0.1/a.whl\n--index-url http://127.0.0.1/",
    "tensorflow; touch hurt",
    "$(touch hurt)",
    "tensorflow==2.21.0 && touch hurt",
    "`touch hurt`",
    "tensorflow keras",
    "a\x00b",
    "x" * 5000 + "!",
    "",
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("where", ["OLD", "--with"])
def test_what_is_no_requirement_is_refused_in_one_line_and_never_run(text, where, uv, run):
    words = ["--", text, "tensorflow"] if where == "OLD" else [f"--with={text}", "tensorflow", "tensorflow"]
    code, out, err = run("upgrade", *words)
    assert code == 2
    assert not out
    assert err.startswith("initcheck: OLD: ")
    assert err.count("\n") == 1
    assert len(err) < 400
    assert not calls(uv)
    assert not list(Path.cwd().iterdir())


@pytest.mark.parametrize("name", ["requirements.txt", "no/such/python"])
def test_a_path_that_is_not_there_is_not_looked_for_in_a_registry(name, uv, run):
    code, _, err = run("upgrade", name, "tensorflow")
    assert code == 2
    assert "no file or folder that exists" in err
    assert not calls(uv)


def test_nothing_is_installed_into_an_environment_that_is_there(uv, run, tmp_path):
    environment = make_environment(tmp_path / "there")
    code, _, err = run("upgrade", environment, environment, "--with-new", "keras==3.3.3")
    assert code == 2
    assert "into which nothing is installed; leave out keras==3.3.3" in err
    assert run("upgrade", environment, environment)[0] == 0
    assert not calls(uv)


def test_equal_baselines_are_identical_and_are_kept_with_the_page(uv, run, monkeypatch):
    monkeypatch.setattr(comparison_page, "render_comparison", render_comparison)
    code, out, _ = run("upgrade", "tensorflow==1", "tensorflow==2", "--out", "out")
    assert code == 0
    assert "IDENTICAL" in out
    assert "<html" in Path("out", "report.html").read_text()
    assert {Path("out", f"{side}.json").read_text() for side in ("old", "new")} == {write_baseline(baseline())}


def test_differences_are_reported_with_exit_code_1(uv, run, tmp_path):
    other = make_environment(tmp_path / "other", record=baseline(scale=1.05))
    code, out, _ = run(
        *("upgrade", "tensorflow", other, "--json", "comparison.json", "--markdown", "v.md", "--html", "page.html")
    )
    assert code == 1
    assert "CHANGED since the stage 'draws'" in out
    assert json.loads(Path("comparison.json").read_text())["verdict"] == "changed"
    assert "May this upgrade be merged?" in Path("v.md").read_text()
    assert Path("page.html").exists()
    assert not Path("initcheck-upgrade", "report.html").exists()
    assert run("upgrade", "tensorflow", other, "--allow", "changed")[0] == 0


def test_the_resolver_sees_what_each_side_asks_for_and_what_initcheck_needs(uv, run):
    run("upgrade", "tensorflow==1", "tensorflow==2", "--with", "keras==3", "--with-new", "numpy<2", "--python", "3.12")
    old, new = [asked for words, asked, _ in calls(uv) if "compile" in words]
    needs = [str(one) for one in own_requirements()]
    assert old.split() == ["tensorflow==1", "keras==3", *needs]
    assert new.split() == ["tensorflow==2", "keras==3", "numpy<2", *needs]
    assert all(words[words.index("--python") + 1] == "3.12" for words, _, _ in calls(uv) if "sync" not in words)
    assert any(need.startswith("numpy") for need in needs)
    assert not any(need.startswith("hypothesis") for need in needs)


def test_each_side_is_recorded_on_its_own_target_whatever_this_process_has(uv, run, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    old, new = (make_environment(tmp_path / side) for side in ("old", "new"))
    code, _, err = run("upgrade", old, new, "--old-target", "keras:tensorflow", "--new-target", "keras:jax")
    assert code == 0, err
    for side, backend in ((old, "tensorflow"), (new, "jax")):
        ((_, words, variables, _),) = recorded(side)
        assert variables["INITCHECK_TARGET"] == f"keras:{backend}"
        assert variables["KERAS_BACKEND"] == backend
        assert not [word for word in words if "target" in word]
    (probe,) = [words for _, words, _, _ in calls(new / "bin") if "-c" in words]
    assert "keras,jax" in probe


def test_two_targets_alone_are_recorded_in_environments_of_what_they_need(uv, run):
    code, _, err = run("upgrade", "--old-target", "keras:jax", "--new-target", "keras:torch", "--with", "numpy<3")
    assert code == 0, err
    old, new = [asked.split() for words, asked, _ in calls(uv) if "compile" in words]
    for asked, backend, other in ((old, "jax", "torch"), (new, "torch", "jax")):
        assert {"keras>=3", "numpy<3"} <= set(asked)
        assert [one for one in asked if one.startswith(f"{backend}>=")]
        assert not [one for one in asked if one.startswith((other, "tensorflow"))]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give OLD and NEW, or two targets"),
        (["tensorflow"], "give OLD and NEW, or two targets"),
        (["--new-target", "keras:tensorflow"], "give OLD and NEW, or two targets"),
        (["a", "b", "--new-target", "torch"], "--new-target torch has no trainings to compare"),
        (["a", "b", "--old-target", "jaxx"], "--old-target is 'jaxx'; give keras:tensorflow"),
    ],
)
def test_targets_that_cannot_be_compared_are_refused_in_one_line(words, message, uv, run):
    code, out, err = run("upgrade", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not calls(uv)


def test_a_requirements_file_is_handed_on_whatever_its_path(uv, run):
    file = Path("r $(touch hurt); 'x'.txt")
    file.write_text("tensorflow")
    assert run("upgrade", file, file)[0] == 0
    assert [str(file.absolute()) in words for words, _, _ in calls(uv) if "compile" in words] == [True, True]
    assert not Path("hurt").exists()


def test_options_of_record_reach_both_sides_as_one_word_each(run, tmp_path):
    environment = make_environment(tmp_path / "there")
    run("upgrade", environment, environment, "--problem", "a:b; touch hurt", "--problem", "iris", "--seed", "-3")
    calls_made = [call[1] for call in recorded(environment)]
    assert [words[:4] for words in calls_made] == [["-P", "-m", "initcheck", "record"]] * 2
    assert all({"--problem=a:b; touch hurt", "--problem=iris", "--seed=-3"} <= set(words) for words in calls_made)
    assert [call[3] for call in recorded(environment)] == [str(Path.cwd())] * 2  # where a user's own problem may lie


def test_environments_are_kept_between_calls_and_shared_by_equal_sides(uv, run):
    for words in ([], [], ["--refresh"]):
        run("upgrade", "tensorflow", "tensorflow", *words)
    assert ["compile" if "compile" in words else words[0] for words, _, _ in calls(uv)] == [
        *("compile", "compile", "venv", "pip"),
        *("compile", "compile"),
        *("compile", "compile", "venv", "pip"),
    ]


def test_an_environment_that_was_not_finished_is_never_used(uv, run, tmp_path):
    (uv / "broken").touch()
    code, _, err = run("upgrade", "tensorflow", "tensorflow")
    assert (code, err.splitlines()[-1]) == (2, "initcheck: OLD tensorflow: Failed to fetch: the network")
    assert not list((tmp_path / "kept").iterdir())
    (uv / "broken").unlink()
    assert run("upgrade", "tensorflow", "tensorflow")[0] == 0


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A requirement that the real uv can have without a network."""
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("tiny.py", "")
        file.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        file.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr("tiny-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setattr(environments, "environments_folder", lambda: tmp_path / "kept, here")
    monkeypatch.setattr(environments, "own_requirements", list)
    return f"tiny @ {wheel.as_uri()}"


def test_the_real_uv_builds_an_environment_once_and_compiles_it(tiny):
    wanted: Any = parse_source(tiny)
    python = build(resolve(wanted, None))
    done = subprocess.run(
        [python, "-I", "-c", "import tiny; print(tiny.__cached__)"], capture_output=True, text=True, check=True
    ).stdout
    assert Path(done.strip()).exists()
    made = python.lstat().st_ctime_ns
    assert build(resolve(wanted, None)) == python
    assert python.lstat().st_ctime_ns == made
    assert build(resolve(wanted, None), refresh=True).lstat().st_ctime_ns > made
    assert [path.name for path in environments.environments_folder().iterdir()] == [resolve(wanted, None).key]


def test_the_real_uv_s_reason_is_on_one_line(tiny):
    wanted: Any = parse_source(tiny, ["tiny==2"])
    with pytest.raises(InitcheckError) as caught:
        resolve(wanted, None)
    assert "No solution found" in str(caught.value)
    assert "tiny==2" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_build_that_nobody_finishes_is_cleared_away_and_one_under_way_is_not(uv, run, tmp_path):
    for name, age in ((".partial-old", 2e5), (".partial-new", 0)):
        (tmp_path / "kept" / name).mkdir(parents=True)
        then = (tmp_path / "kept").stat().st_mtime - age
        os.utime(tmp_path / "kept" / name, (then, then))
    run("upgrade", "tensorflow", "tensorflow")
    assert [path.name for path in (tmp_path / "kept").glob(".partial-*")] == [".partial-new"]


def test_what_cannot_be_resolved_is_reported_in_one_line_with_the_reason(uv, run):
    code, out, err = run("upgrade", "tensorflow", "tensorflow==9.9")
    assert code == 2
    assert not out
    assert err.splitlines()[-1] == (
        "initcheck: NEW tensorflow==9.9: No solution found; Because there is no version; of it, you cannot have it"
    )
    assert not list(Path.cwd().iterdir())


@pytest.mark.parametrize("how", ["segfault", "import"])
def test_an_environment_that_crashes_is_a_result_with_its_last_lines(how, uv, run, tmp_path):
    crashing = make_environment(tmp_path / "crashing", how=how)
    Path("out").mkdir()
    for name in ("new.json", "report.html"):
        Path("out", name).write_text("of an earlier call")
    code, out, err = run("upgrade", "tensorflow", crashing, "--out", "out", "--json", "comparison.json")
    assert code == 1
    assert "NOT COMPARED: NEW" in out
    assert "Traceback" not in out + err
    expected = {
        "segfault": ["SIGSEGV", "a line before the end"],
        "import": ["code 1", "  ImportError: DLL  [2J\n"],
    }
    assert all(words in out for words in expected[how])
    assert "import tensorflow" not in out
    assert [path.name for path in Path("out").iterdir()] == ["old.json"]
    assert not Path("comparison.json").exists()


def test_two_environments_that_crash_compare_nothing(run, tmp_path):
    crashing = make_environment(tmp_path / "crashing", how="segfault")
    code, out, _ = run("upgrade", crashing, crashing)
    assert code == 2
    assert out.count("SIGSEGV") == 2


def test_an_interpreter_that_cannot_record_is_reported_with_what_it_lacks(tmp_path):
    lacking = make_environment(tmp_path / "lacking", facts={"versions": {one.name: None for one in own_requirements()}})
    old = {"versions": {one.name: "99" for one in own_requirements()} | {"rich": "1.0"}}
    for folder, message in (
        (lacking, "lacks what initcheck needs: click>=8"),
        (make_environment(tmp_path / "old", facts=old), r"needs: rich>=13 \(it has 1.0\)"),
        (make_environment(tmp_path / "ten", facts={"python": "3.10.4"}), "has Python 3.10.4; initcheck needs >=3.11"),
        (make_environment(tmp_path / "bare", facts={"missing": ["tensorflow"]}), "no tensorflow"),
    ):
        with pytest.raises(InitcheckError, match=message):
            require_able(folder / "bin" / "python")
    with pytest.raises(InitcheckError, match="does not answer as a Python"):
        require_able(Path("/bin/cat"))
    require_able(make_environment(tmp_path / "able") / "bin" / "python")
    require_able(Path(sys.executable))


@pytest.mark.parametrize(
    ("version", "what"), [("3.10", "has Python 3.10;"), ("2", "no version"), ("3.12 -q", "no vers")]
)
def test_a_python_that_initcheck_does_not_run_on_is_refused(version, what, uv, run):
    code, _, err = run("upgrade", "tensorflow", "tensorflow", "--python", version)
    assert code == 2
    assert what in err
    assert not calls(uv)


def test_a_python_that_is_new_enough_passes():
    for version in ("3.11", "3.11.0", "3.13.2"):
        require_python(version)


def test_results_that_could_not_be_written_are_refused_before_the_work(uv, run):
    code, _, err = run("upgrade", "tensorflow", "tensorflow", "--json", "no/such/folder.json")
    assert code == 2
    assert "--json" in err
    assert not calls(uv)


def test_a_problem_that_is_not_there_is_refused_before_the_work(uv, run):
    code, _, err = run("upgrade", "tensorflow", "tensorflow", "--problem", "irris")
    assert code == 2
    assert "irris" in err
    assert not calls(uv)


def test_what_a_shell_has_set_for_another_python_does_not_leak(uv, run, monkeypatch):
    leaks = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX", "UV_PYTHON", "UV_SYSTEM_PYTHON")
    for name in leaks:
        monkeypatch.setenv(name, "/elsewhere")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    run("upgrade", "tensorflow", "tensorflow")
    given = [call[2] for call in calls(uv)] + [call[2] for path in uv.parent.glob("kept/*/bin") for call in calls(path)]
    assert len(given) >= 5
    assert not any("/elsewhere" in variables.values() for variables in given)
    assert {variables["TF_ENABLE_ONEDNN_OPTS"] for variables in given} == {"0"}


def test_torch_is_the_build_without_cuda_unless_the_user_says_where_it_comes_from(uv, run, monkeypatch):
    for name in [name for name in os.environ if name.startswith("UV_")]:
        monkeypatch.delenv(name)
    run("upgrade", "tensorflow", "tensorflow")
    monkeypatch.setenv("UV_FIND_LINKS", "/wheels")
    run("upgrade", "tensorflow==2", "tensorflow==2")
    backends = [call[2].get("UV_TORCH_BACKEND") for call in calls(uv)]
    assert set(backends[: len(backends) // 2]) == {"cpu"}
    assert set(backends[len(backends) // 2 :]) == {None}


def test_what_is_carried_is_this_initcheck_with_its_version_and_nothing_else(tmp_path):
    folder = carry(tmp_path / "carried")
    code = "import initcheck; from importlib import metadata; print(initcheck.__file__, metadata.version('initcheck'))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={**clean_variables(), "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert done[0] == str(folder / "initcheck" / "__init__.py")
    assert sorted(path.name for path in folder.iterdir()) == ["initcheck", f"initcheck-{done[1]}.dist-info"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interruption_ends_what_runs(jobs, tmp_path):
    environment = make_environment(tmp_path / "sleeping", how="sleep")
    python = environment / "bin" / "python"

    def interrupt(*_):
        if len(recorded(environment)) == jobs:
            raise KeyboardInterrupt("all record")

    both = {"old": python, "new": python}
    with pytest.raises(KeyboardInterrupt, match="all record"):
        list(record_each(both, [], carried=tmp_path, folder=tmp_path, jobs=jobs, advance=interrupt))
    for pid, *_ in recorded(environment):
        with pytest.raises(ProcessLookupError, match="No such process"):
            os.kill(pid, 0)


def test_what_one_side_has_recorded_is_kept_when_the_other_is_interrupted(run, tmp_path, monkeypatch):
    quick = make_environment(tmp_path / "quick")
    sleeping = make_environment(tmp_path / "sleeping", how="sleep")
    Path("out").mkdir()
    for name in ("new.json", "report.html"):
        Path("out", name).write_text("of an earlier call")

    def interrupt(_):
        if recorded(sleeping) and recorded(quick):
            time.sleep(0.5)
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(recordings, "time", SimpleNamespace(sleep=interrupt))
    code, _, err = run("upgrade", quick, sleeping, "--out", "out", "--jobs", "1")
    assert code == 143
    assert err.splitlines()[-1] == "initcheck: interrupted: out/old.json is there; new was not recorded"
    assert [path.name for path in Path("out").iterdir()] == ["old.json"]


def test_an_environment_without_tensorflow_is_refused_before_anything_is_installed(uv, run):
    code, _, err = run("upgrade", "keras==3.7.0", "keras==3.8.0")
    assert code == 2
    assert err.splitlines()[-1].startswith("initcheck: OLD keras==3.7.0: it has no TensorFlow; add one")
    assert [words[0] for words, _, _ in calls(uv)] == ["pip"]


@pytest.mark.parametrize("name", ["tensorflow-cpu", "tf-nightly", "tensorflow-macos", "intel-tensorflow", "tf_nightly"])
def test_tensorflow_is_known_under_all_its_names(uv, run, name):
    assert run("upgrade", name, name)[0] == 0


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "the text is empty"),
        ("foo/bar==1", "is no file or folder that exists, and no requirement"),
        ("/dev/zero", "is a device, not a file"),
        ("pipe", "gave no end within"),
    ],
)
def test_what_is_no_source_is_refused_in_one_line(source, words, run, monkeypatch):
    monkeypatch.setattr(files, "PATIENCE", 0.2)
    os.mkfifo("pipe")
    code, out, err = run("upgrade", source, "tensorflow")
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def test_a_cache_that_cannot_be_made_is_one_line_that_says_what_to_set(uv, run, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(environments, "environments_folder", lambda: tmp_path / "file" / "below")
    code, _, err = run("upgrade", "tensorflow", "tensorflow")
    assert code == 2
    assert "cannot be written (Not a directory); set XDG_CACHE_HOME" in err.splitlines()[-1]


def test_kill_9_ends_both_recordings_and_the_next_call_sweeps_what_is_left(tmp_path):
    sleeping = make_environment(tmp_path / "sleeping", how="sleep")
    variables = {**os.environ, "TMPDIR": str(tmp_path)}
    words = [sys.executable, "-m", "initcheck", "upgrade"]
    killed = subprocess.Popen([*words, sleeping, sleeping, "--jobs", "2"], env=variables, cwd=tmp_path)
    deadline = time.monotonic() + 60
    while len(recorded(sleeping)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    killed.kill()
    killed.wait()
    for pid, *_ in recorded(sleeping):
        while Path(f"/proc/{pid}/exe").exists():  # not a zombie that nobody has waited for
            assert time.monotonic() < deadline
            time.sleep(0.05)
    (left,) = tmp_path.glob("initcheck-upgrade-*")
    os.utime(left, (1, 1))
    quick = make_environment(tmp_path / "quick")
    subprocess.run([*words, quick, quick], env=variables, cwd=tmp_path, check=True, capture_output=True)
    assert not list(tmp_path.glob("initcheck-upgrade-*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_leave_nothing_half_written_and_nothing_running(run, tmp_path, monkeypatch, request, number):
    sleeping = make_environment(tmp_path / "sleeping", how="sleep")

    def interrupt(_):
        if recorded(sleeping):
            signal.raise_signal(number)

    monkeypatch.setattr(time, "sleep", interrupt)
    # What a shell starts in the background ignores the signal, and so would this process.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    code, _, err = run("upgrade", sleeping, sleeping, "--out", "out")
    assert code == 128 + number
    assert "interrupted" in err
    assert not list(Path("out").iterdir())
    for pid, *_ in recorded(sleeping):
        with pytest.raises(ProcessLookupError, match="No such process"):
            os.kill(pid, 0)


def commands_of(text):
    """The commands of initcheck in a shell's or tox's lines."""
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [line[line.index("initcheck ") :] for line in map(str.strip, lines) if re.match(r"(\w+: )?initcheck ", line)]


def parse(line):
    name, *words = shlex.split(line)[1:]
    return cli.cli.commands[name].make_context(name, words)


def test_the_workflow_of_the_documentation_is_one_and_gives_untrusted_code_nothing():
    page = (ROOT / "docs" / "upgrading.md").read_text()
    texts = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    flows = [yaml.safe_load(text) for text in texts]
    jobs = [job for flow in flows for job in flow["jobs"].values()]
    lines = [line for job in jobs for step in job["steps"] for line in commands_of(step.get("run", ""))]
    assert {line.split()[1] for line in lines} == {"record", "compare"}
    for line in lines:
        parse(line)
    assert not any("pull_request_target" in text or "secrets." in text for text in texts)
    for flow, text in zip(flows, texts, strict=True):
        # A job that may write runs nothing of the pull request.
        for job in flow["jobs"].values():
            rights = job.get("permissions", flow["permissions"])
            writes = "write" in rights.values()
            steps = json.dumps(job["steps"])
            assert not (writes and ("actions/checkout" in steps or "pip " in steps or "uv " in steps))
        # What a stranger may choose, a branch's name say, is never pasted into a shell.
        runs = "".join(step.get("run", "") for job in flow["jobs"].values() for step in job["steps"])
        assert "${{" not in runs, text
    used = [step["uses"] for job in jobs for step in job["steps"] if "uses" in step]
    assert used
    assert all(re.search(r"@v\d+(\.\d+)*$", one) for one in used)


def test_commands_of_the_documentation_are_ones_that_the_program_takes():
    page = (ROOT / "docs" / "upgrading.md").read_text()
    lines = [line for text in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in commands_of(text)]
    assert {"upgrade", "record", "compare"} <= {line.split()[1] for line in lines}
    for line in lines:
        parse(line.partition("  #")[0])


def test_tox_upgrades_and_has_the_neighbouring_versions():
    config = RawConfigParser()
    config.read(ROOT / "tox.ini")
    assert config["testenv:upgrade"]["commands"].split("{posargs}")[0].split() == ["initcheck", "upgrade"]
    (recorded,) = (name for name in config.sections() if name.startswith("testenv:record-tf{"))
    versions = recorded.partition("{")[2].rstrip("}").split(",")
    (compared,) = (name for name in config.sections() if name.startswith("testenv:compare-tf{"))
    assert compared.partition("{")[2].rstrip("}").split(",") == [
        f"{old}-tf{new}" for old, new in itertools.pairwise(versions)
    ]
    lines = [line for line in config[compared]["commands"].splitlines() if line.strip()]
    assert [line.split(": ")[0].strip() for line in lines] == [
        f"tf{old}-tf{new}" for old, new in itertools.pairwise(versions)
    ]
    for line in lines:
        names, words = line.split(": ")
        old, new = (f"{{work_dir}}/record-{name}.json" for name in names.strip().split("-"))
        assert words.split()[2:4] == [old, new]


def test_an_environment_against_itself_is_identical(run):
    code, out, _ = run("upgrade", sys.executable, sys.executable, "--problem", "iris", "--reseeds", "2")
    assert code == 0, out
    assert "IDENTICAL" in out


def test_recording_needs_nothing_that_is_not_installed_for_it(tmp_path):
    code = f"""
import sys
class Absent:
    def find_spec(self, name, *_):
        if name in {sorted({*environments._NOT_FOR_RECORDING, *ENVIRONMENTS})}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from initcheck.__main__ import main
main()
"""
    words = ["record", str(tmp_path / "comparison.json"), "--problem", "xor", "--reseeds", "2"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
