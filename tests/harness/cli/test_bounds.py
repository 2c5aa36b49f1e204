import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from initcheck import PROBLEMS, InitcheckError
from initcheck.bounds import PACKAGED, Bound, Bounds, Calibration, load_bounds, rounded, summarize, write_bounds
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.checks.spread_tests import compare
from initcheck.cli import app as cli
from initcheck.cli import bounds_commands as bounds_cli
from initcheck.evidence import spread
from initcheck.frameworks.keras import load_keras
from initcheck.records import Runs, Score
from initcheck.reporting.documented_bounds import bound_cells, digest_of, render_markdown
from initcheck.reporting.screen import printed
from initcheck.statistics.counts import Counts

DOCS = Path(__file__).parents[3] / "docs"
WHERE = {"tensorflow": "2.21.0", 'odd "name"': "back\\slash"}
on_keras_3 = pytest.mark.skipif(load_keras().__version__.startswith("2."), reason="the ensemble engine has no Keras 2")


def bounds(**problems):
    return Bounds(
        problems={
            name: Calibration(
                date="2026-01-01",
                seed=1,
                held_out_rows=30,
                environment=WHERE,
                initializers={"he_normal": Bound(collapsed=2, correct=(10, 20, 30), runs_with=counts)},
            )
            for name, counts in problems.items()
        }
    )


def test_what_is_written_is_read_back(tmp_path):
    written = bounds(iris=(1, 5, 4), **{"package.module:problem": (7, 1, 1)})
    path = tmp_path / "bounds.toml"
    path.write_text(write_bounds(written))
    assert load_bounds(path) == written


def test_the_package_s_file_is_as_it_is_written_and_says_how_it_was_made():
    packaged = load_bounds()
    assert write_bounds(packaged) == PACKAGED.read_text(encoding="utf-8")
    for problem, calibration in packaged.problems.items():
        assert calibration.environment["tensorflow"]
        assert calibration.held_out_rows == len(PROBLEMS[problem].data().x_test)
        for name, bound in calibration.initializers.items():
            assert bound.counts.n == (10_000 if INITIALIZERS[name].law.random else 1000)


def test_every_embedded_problem_has_bounds_for_every_initializer_that_fits():
    assert set(load_bounds().problems) == set(PROBLEMS) - {"banknotes"}  # its data is not in the package
    for problem, calibration in load_bounds().problems.items():
        missing = set(INITIALIZERS) - set(calibration.initializers)
        assert not missing, (problem, missing)


def test_the_page_and_its_picture_are_in_step_with_the_file():
    assert (DOCS / "bounds.md").read_text() == render_markdown(load_bounds(), "bounds.svg")
    assert digest_of(load_bounds()) in (DOCS / "bounds.svg").read_text()


def test_runs_are_summarized_by_counts_and_collapses():
    runs = Runs(
        problem="own",
        initializer="he_normal",
        reseeds=np.arange(4),
        orders=np.zeros(4, int),
        seeds=np.arange(4),
        train_score=np.array([0.4, 0.55, 0.56, 1]),
        train_total=100,
        test_score=np.array([0.7, 0.9, 0.7, 0.9]),
        test_total=10,
        history=np.zeros((4, 1, 4)),
    )
    assert summarize(runs, 0.55) == Bound(collapsed=2, correct=(7, 9), runs_with=(2, 2))


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.123456, 0.0012, 0.1235),
        (0.5, 0.0, 0.5),
        (12.3456, 0.5, 12.35),
        (0.987654, 3e-5, 0.987654),
        (123.4, 20, 123.0),
    ],
)
def test_numbers_are_cut_where_their_error_has_two_digits(value, error, text):
    assert rounded(value, error) == text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text[: len(text) // 2] + "\n[[", "is no TOML"),
        (lambda text: text.replace("collapsed = 2", "collapsed = 99"), "fewer runs than collapsed"),
        (lambda text: text.replace("correct = [10, 20, 30]", "correct = [10, 30, 20]"), "ascending"),
        (
            lambda text: text.replace("correct = [10, 20, 30]", "correct = [10, 20, 31]"),
            "more correct rows than there are",
        ),
        (lambda text: text.replace("runs_with = [1, 5, 4]", "runs_with = [1, 5]"), "as long as"),
        (lambda text: text.replace("runs_with = [1, 5, 4]", "runs_with = [1, nan, 4]"), "runs_with"),
        (lambda text: text.replace("runs_with = [1, 5, 4]", "runs_with = [1, -5, 4]"), "runs_with"),
        (lambda text: text.replace("seed = 1", 'seed = "one"'), "seed"),
        (lambda text: text + "surprise = 1\n[extra]\n", "extra"),
        (lambda text: "\x00" + text, "is no TOML"),
        (lambda text: "a = " + "[" * 100_000, "is no TOML"),
        (lambda text: "a = " + "1" * 6000, "is no TOML"),
    ],
    ids=[
        "cut",
        "collapsed",
        "order",
        "rows",
        "shorter",
        "no number",
        "negative",
        "type",
        "key",
        "control",
        "deep",
        "digits",
    ],
)
def test_a_file_that_holds_something_else_is_refused_in_one_line(tmp_path, change, reason):
    path = tmp_path / "bounds.toml"
    path.write_text(change(write_bounds(bounds(iris=(1, 5, 4)))))
    with pytest.raises(InitcheckError, match=reason) as caught:
        load_bounds(path)
    assert "\n" not in str(caught.value)
    assert "initcheck bounds calibrate" in str(caught.value)


def test_a_file_that_is_not_there_is_reported():
    with pytest.raises(InitcheckError, match="cannot be read"):
        load_bounds(Path("nowhere.toml"))


def invoke(*words):
    return CliRunner().invoke(cli.cli, ["bounds", *words], catch_exceptions=True)


def test_show_has_a_row_for_every_bound_and_explains_its_columns():
    shown = invoke("show", "--problem", "iris").output
    for name in load_bounds().problems["iris"].initializers:
        assert re.search(rf"\b{name}\b", shown)
    assert "95 of 100 reseeds: at least 95 %" in shown


@pytest.mark.slow
def test_show_writes_the_page_and_its_picture(tmp_path):
    assert invoke("show", "--markdown", str(tmp_path / "page.md")).exit_code == 0
    assert "![" in (tmp_path / "page.md").read_text()
    assert (tmp_path / "page.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    "words",
    [
        ("show", "--problem", "wine"),
        ("check", "--initializers", "he_norml"),
        ("show", "--bounds", "nowhere.toml"),
        ("calibrate", "--reseeds", "1"),
        ("calibrate", "--reseeds", str(10**12)),
        ("calibrate", "--reseeds", str(10**30)),
        ("calibrate", "--out", "/nowhere/bounds.toml"),
        ("calibrate", "--out", "/"),
        ("check", "--seed", str(10**30)),
        ("place", "--seed", str(-(10**30))),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(words):
    done = subprocess.run(
        [sys.executable, "-m", "initcheck", "bounds", *words], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, ""), done.stderr


@pytest.mark.slow
@on_keras_3
def test_calibrating_replaces_its_problem_and_keeps_the_others(tmp_path):
    path = tmp_path / "bounds.toml"
    path.write_text(write_bounds(bounds(iris=(1, 5, 4), other=(2, 3, 4))))
    words = ("--problem", "iris", "--initializers", "zeros,he_normal,identity", "--reseeds", "20", "--out", str(path))
    done = invoke("calibrate", *words)
    assert done.exit_code == 0, done
    assert (
        "too few reseeds to be sure of a decision: of iris, 1 of 3 initializers may stay INCONCLUSIVE; " in done.output
    )
    loaded = load_bounds(path)
    assert loaded.problems["other"] == bounds(other=(2, 3, 4)).problems["other"]
    counts = {name: bound.counts.n for name, bound in loaded.problems["iris"].initializers.items()}
    assert counts == {"zeros": 1000, "he_normal": 20, "identity": 1000}
    assert loaded.problems["iris"].environment["keras"] == load_keras().__version__
    again = tmp_path / "again.toml"
    invoke("calibrate", *words[:-1], str(again))
    assert load_bounds(again).problems["iris"] == loaded.problems["iris"]


@pytest.mark.slow
@on_keras_3
def test_what_another_calibration_wrote_meanwhile_is_kept(tmp_path, monkeypatch):
    path = tmp_path / "bounds.toml"
    calibrate = spread.calibrate

    def beside_another(*args, **kwargs):
        path.write_text(write_bounds(bounds(other=(2, 3, 4))))
        yield from calibrate(*args, **kwargs)

    monkeypatch.setattr(spread, "calibrate", beside_another)
    words = ("--problem", "iris", "--initializers", "zeros", "--reseeds", "2", "--out", str(path))
    assert invoke("calibrate", *words).exit_code == 0
    assert set(load_bounds(path).problems) == {"other", "iris"}


KILLED = """
import sys, time
from initcheck import files
from initcheck.cli import app
files.os.replace = lambda *paths: (print("written", flush=True), time.sleep(600))
app.cli(sys.argv[1:])
"""


@pytest.mark.slow
@on_keras_3
def test_a_calibration_that_is_killed_leaves_the_old_file_unchanged(tmp_path):
    """At the worst of moments: the new file is written, and about to take the old one's place."""
    path = tmp_path / "bounds.toml"
    old = write_bounds(bounds(iris=(1, 5, 4)))
    path.write_text(old)
    words = ["bounds", "calibrate", "--problem", "iris", "--initializers", "zeros", "--out", str(path)]
    process = subprocess.Popen([sys.executable, "-c", KILLED, *words], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout.readline() == "written\n"
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert path.read_text() == old
    assert load_bounds(path)


@pytest.mark.parametrize(
    ("values", "counts", "place"),
    [
        ((10,), (500,), "that of all 500 reseeds"),
        ((9, 10, 11), (100, 200, 200), "the 40th percentile of 500 reseeds; 40 % of them end there"),
        ((9, 10, 11), (499, 2, 499), "the 50th percentile of 1,000 reseeds"),
        ((9, 11), (100, 400), "the 20th percentile of 500 reseeds"),
    ],
)
def test_a_run_is_placed_among_the_reseeds_that_end_as_it_does(values, counts, place):
    assert bounds_cli._placed(Counts(np.array(values), np.array(counts)), 10) == place


@pytest.mark.slow
@on_keras_3
def test_the_run_of_a_seed_is_placed_among_the_reseeds():
    placed = invoke("place", "--problem", "iris", "--initializers", "he_normal,zeros", "--seed", "0")
    zeros, he_normal = placed.output.splitlines()
    assert re.fullmatch(
        r"iris, he_normal: the accuracy of seed 0 is 0\.\d{4}, the \d+(st|nd|rd|th) percentile of 10,000 reseeds"
        r"; \d+ % of them end there",
        he_normal,
    )
    assert zeros == "iris, zeros: the accuracy of seed 0 is 0.9000, as that of any other: nothing is random in it"


LOSS = Score("loss", higher_is_better=False)


def scored(scores, train=None):
    """Runs that end with those held-out losses."""
    scores = np.asarray(scores, dtype=float)
    n = np.arange(len(scores))
    train = scores if train is None else np.asarray(train, dtype=float)
    return Runs(
        "mine", "own", n, n * 0, n, train, 100, scores, 10, np.zeros((len(n), 1, 2)), ("loss", "val_loss"), LOSS
    )


def test_runs_of_any_score_are_summarized_in_units_of_their_spread():
    runs = scored([0.5, 0.52, -0.1, 0.52], train=[2.0, 3.0, 3.1, 1.0])
    bound = summarize(runs, 3.0)
    assert bound.unit == 1e-4
    assert (bound.correct, bound.runs_with, bound.collapsed) == ((-1000, 5000, 5200), (1, 1, 2), 2)
    assert summarize(runs, None, 0.01) == Bound(collapsed=0, correct=(-10, 50, 52), runs_with=(1, 1, 2), unit=0.01)
    assert bound_cells(bound, 10)["mean"].startswith("0.36 ± ")
    assert summarize(scored([7.0] * 3), 9.0).runs_with == (3,)


def test_a_run_that_ended_with_no_number_is_refused_in_one_line():
    with pytest.raises(InitcheckError, match="1 of 3 runs of own end with a loss that is no number"):
        summarize(scored([1.0, np.nan, 2.0]), 3.0)


def test_bounds_of_a_model_come_back_from_their_file_and_name_its_score(tmp_path):
    from initcheck.reporting.terminal import print_bounds

    bound = summarize(scored(np.random.RandomState(1).lognormal(size=50)), 3.0)
    calibration = Calibration(
        date="2026-11-27",
        seed=1,
        held_out_rows=10,
        environment={"keras": "3.15.1"},
        initializers={"own": bound},
        score="loss",
        model={"model": "mine:build", "data": "mine:data", "epochs": 3, "weights": ("*kernel", "a b")},
    )
    file = tmp_path / "bounds.toml"
    file.write_text(write_bounds(Bounds(problems={"mine:build": calibration})), encoding="utf-8")
    loaded = load_bounds(file)
    assert loaded.problems["mine:build"] == calibration
    shown = printed(lambda console: print_bounds(loaded, console))
    assert "average loss" in shown
    assert "accuracy" not in shown


def test_fresh_runs_of_any_score_are_compared_in_its_unit():
    stream = np.random.RandomState(2)
    old = summarize(scored(stream.lognormal(0, 0.2, 4000)), 9.0)
    same = summarize(scored(stream.lognormal(0, 0.2, 4000)), 9.0, old.unit)
    worse = summarize(scored(stream.lognormal(0.1, 0.2, 4000)), 9.0, old.unit)
    assert min(finding.p_value for finding in compare(old, same)) > 1e-3
    mean, *_ = compare(old, worse)
    assert mean.p_value < 1e-9
    assert mean.effect == pytest.approx(0.5, abs=0.1)
    assert mean.what.startswith("mean 1.12")


@on_keras_3
@pytest.mark.slow
def test_bounds_of_a_model_are_calibrated_and_placed(monkeypatch, tmp_path):
    (tmp_path / "bounded_model.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    model = ["--model", "bounded_model:build", "--data", "bounded_model:data", "--epochs", "1", "--out", "mine.toml"]
    run = CliRunner().invoke(cli.cli, ["bounds", "calibrate", *model, "--reseeds", "60"])
    assert run.exit_code == 0, run.output
    assert "bounds of bounded_model:build: mine.toml" in run.output
    run = CliRunner().invoke(cli.cli, ["bounds", "place", "--bounds", "mine.toml", "--seed", "3"])
    assert run.exit_code == 0, run.output
    assert "bounded_model:build, own: the loss of seed 3 is" in run.output
    run = CliRunner().invoke(cli.cli, ["bounds", "calibrate", *model, "--initializers", "zeros"])
    assert isinstance(run.exception, InitcheckError)
    assert "zeros draws nothing" in str(run.exception)


MODEL = """
import keras
import numpy as np

def build():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "tanh"), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model

def data():
    x = np.random.RandomState(1).normal(size=(40, 3)).astype("float32")
    return x, x[:, :1]
"""
