"""``initcheck compare-runs``: exit codes, files, a table that any terminal holds, and a notebook's."""

import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from runs import ENVIRONMENT, make_run

import initcheck
from initcheck.__main__ import main
from initcheck.records import group_runs
from initcheck.reporting import page
from initcheck.reporting.runs_comparison import print_runs_comparison, run_cells

HOSTILE = "\x1b[31m| <b>\n@everyone `x` ![](http://e) \N{RIGHT-TO-LEFT OVERRIDE}"


@pytest.fixture(autouse=True)
def _a_page_in_no_time(monkeypatch):
    monkeypatch.setattr(page, "render_report", lambda _: "a page")


def save(folder, correct, *, names=("zeros", "he_normal"), seed=1, title="a title", problem=None, environment=None):
    """A sweep with those held-out counts of 100 rows, each initializer the same."""
    runs = [
        make_run(
            initializer=name,
            reseed=reseed,
            losses=(0.7, 0.5 + 1e-6 * (reseed + seed), 0.3),
            accuracies=(0.5, 0.6, 0.97),
            correct=(70, right),
            total=(100, 100),
        )
        for name in names
        for reseed, right in enumerate(correct)
    ]
    runs = [replace(run, seed=run.seed + 1000 * seed) for run in runs]
    problem = problem or replace(initcheck.PROBLEMS["iris"], title=title)
    where = environment or ENVIRONMENT
    initcheck.Sweep(problem, group_runs(runs), seed, where, "a command", "an engine", len(runs)).save(folder)
    return folder


@pytest.fixture
def compare(monkeypatch, capfd, tmp_path):
    """Runs the command in an empty folder; gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["initcheck", "compare-runs", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        return stopped.value.code or 0, *capfd.readouterr()

    return run


def test_equal_runs_are_identical_and_exit_0(compare):
    code, out, err = compare(save("a", [90] * 9), save("b", [90] * 9))
    assert (code, err) == (0, "")
    assert out.count("IDENTICAL") == 3  # a row each, and the verdict


def test_a_change_exits_1_and_names_what_changed(compare):
    code, out, _ = compare(save("a", [90] * 40), save("b", [70] * 40))
    assert code == 1
    assert "CHANGED: accuracy of zeros (lower in B), accuracy of he_normal (lower in B)" in out
    assert "1.8e-12" in out
    assert "CHANGED below 0.00013" in out
    assert "40 pairs of one seed" in out
    assert "-0.2000 [" in out


def test_too_few_runs_exit_1_unless_that_is_allowed(compare):
    a, b = save("a", [90, 88, 91]), save("b", [90, 89, 91])
    assert compare(a, b)[0] == 1
    code, out, _ = compare(a, b, "--allow", "inconclusive")
    assert code == 0
    assert re.search(r"INCONCLUSIVE: accuracy of zeros, stuck of zeros", out)
    assert "would show Δ: how many pairs, or runs of each side, show Δ with that power" in out
    assert re.search(r"accuracy of zeros .* none ", out)


def test_an_initializer_of_one_side_exits_1_unless_that_is_allowed(compare):
    a, b = save("a", [90] * 9), save("b", [90] * 9, names=("he_normal", "ones"))
    code, out, _ = compare(a, b)
    assert code == 1
    assert "only in A" in out
    assert "only in B" in out
    assert compare(a, b, "--allow", "not-comparable")[0] == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"names": ("ones",)}, "only in A"),
        ({"problem": replace(initcheck.PROBLEMS["iris"], name="other")}, "other problems: iris and other"),
    ],
)
def test_nothing_in_common_exits_2(settings, message, compare):
    code, out, err = compare(save("a", [90] * 9), save("b", [90] * 9, **settings), "--allow", "not-comparable")
    assert code == 2
    assert err.count("\n") == 1
    assert message in err
    assert "NOT COMPARABLE" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a", "none"), "no such folder"),
        (("a", "empty"), "holds no sweep"),
        (("a",), "Missing argument 'B'"),
        (("a", "b", "--delta", "2"), "delta is 2; it may lie between 1e-09 and 1"),
        (("a", "b", "--delta", "nan"), "delta is nan"),
        (("a", "b", "--false-alarm-rate", "0"), "false_alarm_rate is 0"),
        (("a", "b", "--json", "none/x.json"), "--json none/x.json cannot be written"),
        (("a", "b", "--json", "x", "--markdown", "x"), "--json x is --markdown's file"),
        (("a", "b", "--json", "a/sweep.json"), "is the sweep a's file"),
        (("a", "b", "--markdown", "b/../b/runs.csv"), "is the sweep b's file"),
        (("a", "b", "--allow", "same"), "'same' is not one of"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_exit_2(words, message, compare):
    save("a", [90] * 3)
    save("b", [90] * 3)
    Path("empty").mkdir()
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    code, out, err = compare(*words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.startswith("initcheck: ")
    assert err.count("\n") == 1
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


def test_both_files_hold_every_row(compare):
    a, b = save("a", [90] * 9), save("b", [80, 90, 90, 91, 85, 88, 90, 90, 93], names=("he_normal", "ones"))
    compare(a, b, "--json", "x.json", "--markdown", "x.md")
    body = json.loads(Path("x.json").read_text())
    assert [row["initializer"] for row in body["rows"]] == ["zeros", *["he_normal"] * 3, "ones"]
    text = Path("x.md").read_text()
    for row in body["rows"]:
        assert f"| {row['initializer']} | {row['question']} |" in text
    compare(a, b, "--json", "a/x.json")
    assert compare(a, b, "--json", "a/x.json")[0] == 1  # its own file may be written again


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_every_line_fits_the_terminal_and_no_number_is_cut(width, tmp_path):
    environment = replace(ENVIRONMENT, cpu="a processor with a name that goes on and on " * 4)
    long = "my_package.my_module_with_a_long_name:my_initializer_with_a_long_name_too"
    a = save(tmp_path / "a", [90] * 9, names=("zeros", long))
    b = save(tmp_path / "b", [10, 100] * 6, names=("zeros", long), seed=2, environment=environment)
    report = initcheck.compare_runs(initcheck.load(a), initcheck.load(b))
    shown = io.StringIO()
    console = Console(file=shown, width=width, force_terminal=True, color_system=None)
    print_runs_comparison(report.comparison, console)
    out = shown.getvalue()
    assert max(map(len, out.splitlines())) <= width
    for row in report.rows:
        for title, cell in run_cells(row, report.comparison).items():
            if title not in ("what", "note"):
                for part in re.split(r" (?=\[)| → ", cell):
                    assert part in out
    assert re.search(r"root seed\W+1\W", out)


def test_a_notebook_shows_the_verdict_and_every_row_and_no_markup_of_a_name(tmp_path):
    a, b = (save(tmp_path / name, [90 - 9 * n] * 9, names=(HOSTILE, "zeros")) for n, name in enumerate("ab"))
    report = initcheck.compare_runs(initcheck.load(a), initcheck.load(b))
    shown = report._repr_html_()
    for row in report.rows:
        assert f">{row.verdict.value.upper()}</td>" in shown
    assert "<b>" not in shown
    assert "accuracy of zeros" in shown
    assert initcheck.compare_runs(
        replace(initcheck.load(a), groups=()), replace(initcheck.load(b), groups=())
    )._repr_html_()


def test_hostile_texts_steer_neither_a_terminal_nor_a_comment(compare):
    names = (HOSTILE, "he_normal")
    a, b = save("a", [90] * 9, names=names, title=HOSTILE), save("b", [80] * 9, names=names, title=HOSTILE * 2)
    _, out, _ = compare(a, b, "--markdown", "x.md")
    assert all(letter.isprintable() for line in out.splitlines() for letter in line)
    text = Path("x.md").read_text()
    nothing = "\N{ZERO WIDTH SPACE}"  # breaks mentions and links
    assert all(letter.isprintable() for line in text.replace(nothing, "").splitlines() for letter in line)
    assert "@everyone" not in text
    assert "![" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {4, 7}


def test_python_gives_the_same_records():
    runs = group_runs([make_run(reseed=reseed) for reseed in range(5)])
    sweep = initcheck.Sweep(initcheck.PROBLEMS["iris"], runs, 1, ENVIRONMENT, "a command", "an engine", 5)
    report = initcheck.compare_runs(sweep, sweep)
    assert isinstance(report, initcheck.RunsReport)
    assert isinstance(report.comparison, initcheck.RunsComparison)
    assert report.verdict is initcheck.RunsVerdict.IDENTICAL
    assert [row.verdict for row in report.rows] == [initcheck.RunsVerdict.IDENTICAL]


@pytest.mark.slow
def test_a_real_change_is_seen_and_the_same_training_is_the_same(tmp_path):
    """Iris with another learning rate: other accuracies and another speed; another seed alone changes nothing."""
    iris = initcheck.PROBLEMS["iris"]
    slow = replace(iris, optimizer=lambda keras: keras.optimizers.RMSprop(0.0005))
    settings: dict[str, Any] = {"initializers": ["zeros", "he_normal", "glorot_uniform"], "reseeds": 200, "epochs": 10}
    folders = {}
    for name, problem, seed in (("a", iris, 1), ("again", iris, 1), ("other seed", iris, 2), ("slow", slow, 1)):
        folders[name] = initcheck.sweep(problem, seed=seed, **settings)
        folders[name].save(tmp_path / name)
        folders[name] = initcheck.load(tmp_path / name)
    verdicts = {
        name: {row.verdict for row in initcheck.compare_runs(folders["a"], other).rows}
        for name, other in folders.items()
    }
    changed = initcheck.RunsVerdict.CHANGED
    assert verdicts["a"] == verdicts["again"] == {initcheck.RunsVerdict.IDENTICAL}
    assert changed not in verdicts["other seed"]
    rows = initcheck.compare_runs(folders["a"], folders["slow"]).rows
    assert {row.initializer for row in rows if row.verdict is changed and row.asked == "accuracy"} == {
        "zeros",
        "he_normal",
        "glorot_uniform",
    }
    assert all(row.difference.value < 0 for row in rows if row.asked == "accuracy")
    assert {row.pairs for row in rows} == {200}
    assert np.isfinite([row.difference.low for row in rows]).all()
