import os
import re
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pandas as pd
import pytest

import initcheck
from initcheck import InitcheckError
from initcheck.cli import app as cli
from initcheck.errors import FrameworkError
from initcheck.frameworks import quiet
from initcheck.frameworks.keras import load_keras, require_supported, to_record

ROOT = Path(__file__).parents[3]
QUICK = ["--initializers", "zeros,he_normal,lecun_uniform", "--reseeds", "2", "--epochs", "2"]


def test_run_writes_its_four_files_and_prints_the_answers(initcheck_, tmp_path):
    code, out, err = initcheck_("run", *QUICK, "--out", "results")
    assert code == 0, err
    assert not [line for line in err.splitlines() if not line.startswith("initcheck: training runs: ")]
    written = sorted(path.name for path in (tmp_path / "results").iterdir())
    assert written == ["history.csv", "report.html", "runs.csv", "sweep.json"]
    assert "he_normal" in out
    assert "held-out mean" in out
    runs = pd.read_csv(tmp_path / "results" / "runs.csv")
    assert len(runs) == 6
    assert set(runs.train_correct / runs.train_total - runs.train_accuracy) == {0.0}
    history = pd.read_csv(tmp_path / "results" / "history.csv")
    assert list(history.epoch) == [1, 2] * 6


@pytest.mark.slow
def test_the_same_command_twice_gives_the_same_bytes_and_another_seed_does_not(initcheck_, tmp_path):
    def runs(*words):
        code, _, err = initcheck_("run", *QUICK, "--out", "results", *words)
        assert code == 0, err
        return (tmp_path / "results" / "runs.csv").read_bytes()

    first = runs()
    assert runs() == first
    assert runs("--seed", 2) != first
    subset = runs("--initializers", "lecun_uniform").decode().splitlines()
    assert subset == [line for line in first.decode().splitlines() if "lecun_uniform" in line or "seed" in line]


@pytest.mark.slow
def test_the_users_own_problem_runs_from_the_example(initcheck_, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    code, _, err = initcheck_("run", "--problem", "examples.wine:problem", *QUICK, "--out", "results")
    assert code == 0, err
    assert (pd.read_csv(tmp_path / "results" / "runs.csv").problem == "wine").all()


@pytest.mark.slow
def test_the_users_own_initializers_run_beside_the_catalogue_s_and_can_be_checked(initcheck_, tmp_path):
    Path("mine.py").write_text(
        "import keras\n"
        "class Halved(keras.initializers.VarianceScaling):\n"
        "    def __init__(self, seed=None):\n"
        "        super().__init__(1.0, 'fan_in', 'untruncated_normal', seed=seed)\n"
        "    def get_config(self):\n"
        "        return {'seed': super().get_config()['seed']}\n"
        "small = keras.initializers.RandomNormal(stddev=0.001, seed=3)\n"
    )
    code, out, err = initcheck_(
        "run", "--initializers", "zeros,mine:Halved,mine:small", "--reseeds", "4", "--epochs", "2", "--out", "results"
    )
    assert code == 0, err
    runs = pd.read_csv(tmp_path / "results" / "runs.csv")
    assert list(dict.fromkeys(runs.initializer)) == ["zeros", "Halved", "RandomNormal"]
    assert runs.groupby("initializer").loss.nunique().to_dict() == {"zeros": 1, "Halved": 4, "RandomNormal": 4}
    assert "zeros,mine:Halved,mine:small" in Path("results/report.html").read_text()
    code, out, _ = initcheck_("check", "DET01", "SEED02", "--subject", "mine:Halved")
    assert code == 0
    assert "DET01-Halved" in out


@pytest.mark.slow
def test_data_stands_for_the_lectures_protocol(initcheck_):
    rows = "".join(f"{n % 7},{n % 3},{n % 2}\n" for n in range(60))
    Path("mine.csv").write_text("a,b,class\n" + rows)
    code, _, err = initcheck_("run", "--data", "mine.csv", "--initializers", "zeros", "--reseeds", "1")
    assert code == 0, err
    assert (pd.read_csv("initcheck-results/runs.csv").train_total == 42).all()


@pytest.mark.slow
def test_the_report_s_command_repeats_the_run(initcheck_):
    initcheck_("run", *QUICK, "--seed", "9", "--out", "first")
    page = Path("first/report.html").read_text()
    command = re.search(r"initcheck run [^<]*", page).group().split()
    assert initcheck_(*command[1:], "--out", "second")[0] == 0
    assert Path("first/runs.csv").read_bytes() == Path("second/runs.csv").read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--problem", "irsi"], "no problem is named 'irsi'; did you mean iris"),
        (["--initializers", "zeros,he_norml"], "no initializer is named 'he_norml'; did you mean he_normal"),
        (["--initializers", ","], "name one at least"),
        (["--reseeds", "0"], "reseeds is 0; at least 1 is needed"),
        (["--reseeds", "many"], "'many' is not a valid integer"),
        (["--epochs", "0"], "epochs is 0"),
        (["--reseeds", str(10**12)], "5,000,000,000,000 runs of 15 epochs would take "),
        (["--reseeds", str(10**30)], "reseeds is 1" + 30 * "0" + "; it may be 9,223,372,036,854,775,807 at most"),
        (["--epochs", str(10**12)], "150 runs of 1,000,000,000,000 epochs would take "),
        (["--seed", str(10**30)], "seed is 1" + 30 * "0" + "; it may be 9,223,372,036,854,775,807 at most"),
        (["--data", "none.csv"], "none.csv cannot be read (No such file or directory)"),
        (["--target", "class"], "--target names a column of --data"),
        (["--problem", "iris", "--data", "none.csv"], "has data of its own"),
        (["--out", "file"], "--out file is a file"),
        (["--out", ""], "--out is empty; give a path (. is the current folder)"),
        (["--data", ""], "--data is empty; give a path"),
        (["--out", "~nobody-of-that-name/x"], "--out begins with ~nobody-of-that-name, but there is no such user"),
        (["--out", "x" * 300], "cannot be written to (File name too long)"),
        (["--out", "file/below"], "--out file/below cannot be written to"),
        (["--out", "/proc/none"], "--out /proc/none cannot be written to"),
        (["--problem", "nowhere_module:p"], "importing 'nowhere_module' failed"),
        (["--nonsense"], "No such option"),
    ],
)
def test_bad_input_is_one_line_with_exit_code_2_and_writes_nothing(initcheck_, words, message, tmp_path):
    Path("file").write_text("here before")
    code, out, err = initcheck_("run", *words)
    assert code == 2
    assert message in err
    assert err.startswith("initcheck: ")
    assert err.count("\n") == 1
    assert out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--epochs", "0"], "epochs is 0; at least 1 is needed"),
        (["--reseeds", "0"], "reseeds is 0; at least 1 is needed"),
        (["--seed", str(2**63)], "seed is 9223372036854775808; it may be"),
        (["--initializers", "zeross"], "no initializer is named 'zeross'; did you mean zeros?"),
        (["--initializers", ","], "no initializer is named; name one at least"),
        (["--initializers", "own:Init", "--problem", "irsi"], "no problem is named 'irsi'"),
        (["--out", "own.py"], "--out own.py is a file"),
    ],
)
def test_what_can_be_refused_without_the_users_module_is_refused_before_it_is_imported(
    initcheck_, words, message, tmp_path
):
    Path("own.py").write_text("raise RuntimeError('imported, and the framework before it')")
    problem = [] if "--problem" in words else ["--problem", "own:problem"]
    code, out, err = initcheck_("run", *problem, *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["own.py"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"initializers": "zeros, ones"},
            "initializers is one text, 'zeros, ones' (a str); give a list of names: ['zeros', 'ones']",
        ),
        ({"vary": ("init", "order")}, "vary is a tuple; give one of the texts 'init', 'order', 'init,order'"),
        ({"vary": ["init"]}, "vary is a list; give one of the texts 'init', 'order', 'init,order'"),
        (
            {"vary": "order, init"},
            "vary is 'order, init' (a str), none of 'init', 'order', 'init,order'; did you mean 'init,order'?",
        ),
        ({"vary": "ordr"}, "vary is 'ordr' (a str), none of 'init', 'order', 'init,order'; did you mean 'order'?"),
        ({"vary": "all"}, "vary is 'all' (a str), none of 'init', 'order', 'init,order'"),
        ({"engine": None}, "engine is None; give one of the texts 'auto', 'ensemble', 'reference'"),
        ({"engine": "ensembl"}, "engine is 'ensembl' (a str), none of 'auto', 'ensemble', 'reference'; did you mean"),
        ({"epochs": 0, "problem": "own:problem"}, "epochs is 0; at least 1 is needed"),
    ],
)
def test_an_argument_of_sweep_that_is_none_is_one_line_that_says_how_to_fix_it(arguments, message):
    with pytest.raises(InitcheckError) as raised:
        initcheck.sweep(**arguments)
    assert str(raised.value).startswith(message)


def test_a_table_is_never_overwritten_by_the_results(initcheck_):
    table = "a,b,class\n" + "".join(f"{n % 7},{n % 3},{n % 2}\n" for n in range(60))
    Path("mine").mkdir()
    Path("mine/runs.csv").write_text(table)
    Path("link.csv").symlink_to("mine/runs.csv")
    for name in ("mine/runs.csv", "link.csv"):
        code, _, err = initcheck_("run", "--data", name, "--out", "mine")
        assert code == 2
        assert f"--data {name} would be overwritten by mine/runs.csv; name another --out" in err
    assert Path("mine/runs.csv").read_text() == table


def test_what_is_in_the_place_of_a_result_is_refused_before_training(initcheck_):
    Path("out/history.csv").mkdir(parents=True)
    code, _, err = initcheck_("run", "--out", "out")
    assert code == 2
    assert "history.csv is a folder" in err


@pytest.mark.slow
def test_results_of_an_earlier_run_survive_one_that_fails(initcheck_, monkeypatch):
    initcheck_("run", *QUICK, "--out", "results")
    before = {path.name: path.read_bytes() for path in Path("results").iterdir()}

    def broken(*_):
        raise InitcheckError("broken on purpose")

    monkeypatch.setattr(cli, "_files", broken)
    assert initcheck_("run", *QUICK, "--out", "results")[0] == 2
    assert {path.name: path.read_bytes() for path in Path("results").iterdir()} == before


def test_list_shows_every_row_without_a_framework():
    code = (
        "import sys, initcheck.__main__ as c; sys.argv = ['initcheck', 'list']\n"
        "try: c.main()\nexcept SystemExit: print('tensorflow' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    import initcheck

    for name in (*initcheck.INITIALIZERS, *initcheck.PROBLEMS):
        assert re.search(rf"\b{name}\b", out), name
    assert "arxiv.org/abs/1502.01852" in out
    assert out.endswith("False\n")


@pytest.mark.filterwarnings("always:the initializer")
def test_a_warning_is_one_line(initcheck_, monkeypatch):
    def warn(*_, **__):
        warnings.warn("the initializer 'Flat' draws the same\nunder every seed", stacklevel=2)
        raise InitcheckError("no more of it")

    monkeypatch.setattr(cli, "sweep", warn)
    code, _, err = initcheck_("run")
    assert code == 2
    lines = [line for line in err.splitlines() if "training runs" not in line]  # the progress bar's
    assert lines == [
        "initcheck: warning: the initializer 'Flat' draws the same under every seed",
        "initcheck: no more of it",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_keep_the_finished_runs_and_say_so(number, tmp_path, request):
    # What a shell starts in the background ignores the signal, and so would its children.
    before = signal.signal(number, signal.SIG_DFL)
    request.addfinalizer(lambda: signal.signal(number, before))
    words = ["run", "--initializers", "zeros", "--reseeds", "100000", "--engine", "reference", "--out", "results"]
    start = "import sys; from initcheck import __main__; from initcheck.cli import app; sys.argv[0] = 'initcheck'"
    script = f"{start}\n{REPORT_SECOND_RUN}\n__main__.main()"
    process = subprocess.Popen(
        [sys.executable, "-c", script, *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 240
        while not (tmp_path / "two-runs").exists():
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        os.kill(process.pid, number)
        _, err = process.communicate(timeout=240)
    finally:
        process.kill()
    runs = pd.read_csv(tmp_path / "results" / "runs.csv")
    assert process.returncode == 128 + number
    assert f"interrupted: the {len(runs)} runs finished of 100000 are kept" in err
    assert "Traceback" not in err
    assert len(runs) >= 2
    assert (tmp_path / "results" / "report.html").exists()


# The process reports its second finished run by a file, so that the test need not guess how long that takes.
REPORT_SECOND_RUN = """
import pathlib
original = app.sweep
def sweep(*args, on_runs, **kwargs):
    def report(runs):
        on_runs(runs)
        if runs.reseeds[-1] == 1: pathlib.Path('two-runs').touch()
    return original(*args, on_runs=report, **kwargs)
app.sweep = sweep
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("output", "variables", "code"),
    [
        ("| head -1", {}, 0),
        ("> /dev/full", {}, 2),
        (">&-", {}, 0),
        ("", {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, 0),
    ],
    ids=["closed", "full", "none", "narrow"],
)
def test_results_are_written_whatever_becomes_of_the_output(output, variables, code, tmp_path):
    command = f"'{sys.executable}' -m initcheck run {' '.join(QUICK)} --out results {output}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        env={**os.environ, **variables},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert len(pd.read_csv(tmp_path / "results" / "runs.csv")) == 6
    assert {"history.csv", "report.html"} <= {path.name for path in (tmp_path / "results").iterdir()}
    assert "Traceback" not in done.stderr


def test_help_states_the_defaults(initcheck_):
    _, out, _ = initcheck_("run", "--help")
    for default in ("iris", "zeros,uniform,normal,he_normal,lecun_uniform", "30", "20260101", "initcheck-results"):
        assert default in "".join(out.split())  # long ones are folded


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["LAW03", "he_normal"], "no check is named 'he_normal'; did you mean --subject he_normal?"),
        (
            ["LAW03", "--subject", "he_normall"],
            "no check of these has a subject named 'he_normall'; did you mean he_normal?",
        ),
        (["--subject", "zzz"], "no check of these has a subject named 'zzz'; leave --subject out to see them"),
        (["law03"], "no check is named 'law03'; did you mean LAW03"),
    ],
)
def test_an_unknown_check_or_subject_is_answered_with_what_was_meant(initcheck_, words, message):
    code, out, err = initcheck_("check", *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"initcheck: {message}")
    assert err.count("\n") == 1


def test_check_counts_the_framework_s_deprecations_and_fails_for_none(initcheck_, monkeypatch):
    keras = load_keras()
    monkeypatch.setattr(quiet, "_heard", {})
    original = keras.initializers.Zeros.__call__

    def deprecated(*arguments, **settings):
        exec("import warnings; warnings.warn('soon gone', FutureWarning)", {"__name__": "keras.src.initializers"})
        return original(*arguments, **settings)

    words = ["check", "DET01", "--subject", "zeros"]
    code, out, _ = initcheck_(*words)
    assert (code, "soon gone" in out) == (0, False)
    own = quiet.deprecations()  # Keras 2 has one of its own, once in a process
    assert ("deprecation" in out) is bool(own)
    monkeypatch.setattr(quiet, "_heard", {})
    monkeypatch.setattr(keras.initializers.Zeros, "__call__", deprecated)
    code, out, _ = initcheck_(*words)
    assert code == 0
    assert out.splitlines()[-2].startswith("initcheck: 1 check ran, 0 failed")
    first, *again = quiet.deprecations()
    assert first == "FutureWarning: soon gone"
    assert set(again) <= set(own)
    counted = f"{1 + len(again)} deprecation warning{'s' * bool(again)}"
    assert out.splitlines()[-1] == f"initcheck: {counted} of the framework, first: {first}"


@pytest.mark.parametrize(
    ("package", "version", "oldest"),
    [("tensorflow", "2.14.1", "2.15"), ("keras", "2.14.0", "2.15"), ("keras", "3.0.4", "3.0.5")],
)
def test_a_framework_that_is_too_old_is_one_line(package, version, oldest, tmp_path):
    installed = tmp_path / f"{package}-{version}.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    done = subprocess.run(
        [sys.executable, "-m", "initcheck", "check", "DET01", "--subject", "zeros"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    message = f"initcheck: {package} {version} is older than initcheck supports; install {package}>={oldest}\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


def test_of_keras_3_what_is_too_old_to_be_judged_can_be_recorded(monkeypatch):
    monkeypatch.setattr("initcheck.installed.version_of", {"tensorflow": "2.16.2", "keras": "3.0.2"}.get)
    with pytest.raises(FrameworkError, match="install keras>="):
        require_supported()
    with to_record():
        require_supported()
        monkeypatch.setattr("initcheck.installed.version_of", {"tensorflow": "2.14.1", "keras": "3.0.2"}.get)
        with pytest.raises(FrameworkError, match="install tensorflow>="):
            require_supported()


def test_the_known_checks_are_listed_in_order(initcheck_):
    _, _, err = initcheck_("check", "zzzzzz")
    listed = err.partition("known: ")[2].partition(", and ")[0].split(", ")
    assert len(listed) == 30
    assert listed == sorted(listed)


def test_a_run_of_a_grid_says_first_how_many_runs_that_is(initcheck_, tmp_path):
    words = ["--initializers", "zeros", "--reseeds", "5", "--epochs", "1", "--vary", "init,order", "--out", "results"]
    code, _, err = initcheck_("run", *words)
    assert code == 0, err
    assert err.startswith("initcheck: a grid of 3 initial weights × 2 orders: 6 runs of each initializer\n")
    assert len(pd.read_csv(tmp_path / "results" / "runs.csv")) == 6


MODEL = """
import keras
import numpy as np

def build():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "tanh"), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model

def data():
    x = np.random.RandomState(1).normal(size=(40, 3)).astype("float32")
    return x, x[:, :1]
"""


@pytest.mark.slow
def test_run_trains_a_model_as_it_is_and_judges_it_by_any_score(initcheck_, tmp_path, monkeypatch):
    (tmp_path / "run_model.py").write_text(MODEL)
    monkeypatch.syspath_prepend(tmp_path)
    model = ("--model", "run_model:build", "--data", "run_model:data", "--reseeds", "2", "--epochs", "2")
    code, out, err = initcheck_("run", *model, "--score", "mae", "--out", "results")
    assert code == 0, err
    assert "mean mae on the held-out rows" in out
    assert "accuracy" not in out
    sweep = initcheck.load(tmp_path / "results")
    assert [runs.initializer for runs in sweep.groups] == ["own", "glorot_uniform", "he_normal"]
    assert sweep.command.endswith("--model run_model:build --score mae --data run_model:data")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "run_model:build"), "--model needs data: give --data package.module:data"),
        (("--score", "mae"), "--score is about the model of --model, which is not given"),
        (("--model", "a:b", "--data", "a:c", "--problem", "iris"), "--problem and --model are both given"),
        (("--model", "a:b", "--data", "a:c", "--hidden", "8"), "--hidden is about a table"),
        (("--model", "nowhere:b", "--data", "nowhere:c"), "importing 'nowhere' failed"),
        (("--initializers", "own", "--reseeds", "2"), "problem 'iris' has no initializers of its own"),
    ],
)
def test_options_of_a_model_that_do_not_fit_are_refused_in_one_line(initcheck_, words, said):
    code, out, err = initcheck_("run", *words)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1
