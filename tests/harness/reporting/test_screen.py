"""What is printed can be read on a terminal of any width, and steers none."""

import io
import re
from dataclasses import replace

import pytest
from baselines import ORDERS, baseline
from rich.console import Console
from runs import ENVIRONMENT, make_run

import initcheck
from initcheck.baselines.comparing.compare import compare
from initcheck.bounds import Bound, Bounds, Calibration, load_bounds
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.checks.registry import cells
from initcheck.mutants.mutant import Mutant
from initcheck.mutants.outcome import Mark, Outcome, Reaction
from initcheck.records import failed, group_runs, passed
from initcheck.reporting import terminal
from initcheck.reporting.documented_bounds import COLUMNS, bound_cells
from initcheck.reporting.format import answer_cells
from initcheck.reporting.screen import PIPE_WIDTH, Screen
from initcheck.statistics.answers import TITLES

WIDTHS = [120, 100, 80, 60, 40]
PASSED = Reaction(Mark.PASSED)
STEERING = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\u2066\r\n\x9b31m[bold red]"


def apply(keras):
    """Changes nothing."""


def printed(show, *arguments, width):
    """What a terminal of that width shows."""
    shown = io.StringIO()
    console = Console(file=shown, width=width, force_terminal=True, color_system=None)
    show(*arguments, console)
    return shown.getvalue()


def sweep(names=("zeros", "he_normal", "lecun_uniform"), reseeds=8, epochs=8, **changes):
    runs = [
        make_run(
            initializer=name,
            reseed=reseed,
            losses=[0.7 - 0.01 * reseed] * epochs,
            accuracies=[0.5 + 0.01 * reseed * place] * epochs,
            correct=(70, 25 - place * reseed),
            total=(100, 30),
        )
        for place, name in enumerate(names)
        for reseed in range(reseeds)
    ]
    problem = replace(initcheck.PROBLEMS["iris"], **changes)
    return initcheck.Sweep(problem, group_runs(runs), 1, ENVIRONMENT, "initcheck run", "ensemble engine", len(runs))


def hostile_sweep(names, **changes):
    """As a file of somebody else may hold: no problem of one's own can have such a name."""
    swept = sweep(names)
    return replace(swept, problem=replace(swept.facts, **changes))


def lines_within(text, width):
    return all(len(line.rstrip()) <= width for line in text.splitlines())


def words(texts):
    """Every word that no narrow terminal has to break."""
    return {word for text in texts for word in text.split() if len(word) <= 20}


@pytest.mark.parametrize("width", WIDTHS)
def test_every_number_and_heading_of_the_answers_is_whole(width):
    swept = sweep()
    text = printed(terminal.print_answers, swept, width=width)
    assert lines_within(text, width)
    assert "…" not in text
    table = text.partition("held-out mean: ")[0]
    for answer in swept.answers:
        assert answer.initializer in table
        for cell in answer_cells(answer, 8).values():
            value, bracket, rest = cell.partition(" [")
            assert value in table
            assert bracket.strip() + rest in table  # an interval is never broken
    for title in TITLES:
        assert title in table


@pytest.mark.parametrize("width", WIDTHS)
def test_bounds_and_catalogue_are_whole(width):
    text = printed(terminal.print_bounds, load_bounds(), width=width)
    assert lines_within(text, width)
    assert "…" not in text
    for calibration in load_bounds().problems.values():
        for name, bound in calibration.initializers.items():
            cells = bound_cells(bound, calibration.held_out_rows).values()
            assert all(cell in " ".join(text.split()) or cell in text for cell in cells)
            assert name in text
    assert all(title in text for title in COLUMNS)
    text = printed(terminal.print_catalogue, width=width)
    assert lines_within(text, width)
    assert words([*INITIALIZERS, *(str(row.law) for row in INITIALIZERS.values())]) <= set(text.split())
    assert {"law", "asked", "source", "batch", "chance"} <= set(text.split())


@pytest.mark.parametrize("width", WIDTHS)
def test_a_comparison_and_the_self_test_are_whole(width):
    new = baseline(draw_seed=1, orders=[ORDERS[0]] * 2)
    text = printed(terminal.print_comparison, compare(baseline(), new), width=width)
    assert lines_within(text, width)
    assert {"he_normal", "CHANGED", "since", "found", "note", "order"} <= set(text.split())
    mutants = [
        Outcome(
            Mutant("gain", "a title of a few more words than fit into a narrow column", ("LAW03", "LAW12"), apply),
            {"LAW03": Reaction(Mark.FAILED, "LAW03-he_normal: x"), "LAW12": Reaction(Mark.FAILED), "SEED01": PASSED},
        ),
        Outcome(
            Mutant("bias", "another", ("LAW02", "LAW15"), apply),
            {"LAW02": Reaction(Mark.FAILED), "LAW15": Reaction(Mark.CRASHED, "LAW15-Dense: raised ValueError: no")},
        ),
        Outcome(Mutant("key", "harmless", (), apply), {"LAW02": PASSED, "LAW03": PASSED}),
        Outcome(Mutant("late", "harmless", (), apply), {"SPR01": Reaction(Mark.INCONCLUSIVE, "SPR01-iris: too few")}),
    ]
    text = printed(terminal.print_outcomes, mutants, width=width)
    assert lines_within(text, width)
    assert {"gain", "key", "LAW03", "crashes", "inconclusive", "yes", "NO"} <= set(text.split())
    flat = " ".join(text.split())
    assert "bias: LAW15-Dense: raised ValueError: no" in flat
    assert "late: SPR01-iris: too few" in flat
    assert "1 of 2 faults caught, 1 of 2 harmless changes passed" in flat


def test_piped_answers_have_a_line_for_each_initializer(capsys):
    swept = sweep()
    terminal.print_answers(swept)
    lines = capsys.readouterr().out.splitlines()
    for answer in swept.answers:
        (line,) = [line for line in lines if line.startswith("│") and answer.initializer in line]
        assert all(cell in line for cell in answer_cells(answer, 8).values())
        assert len(line) <= PIPE_WIDTH
    assert any(line.startswith("held-out mean: ") for line in lines)


def test_the_answers_say_how_many_held_out_rows_were_trained_on(capsys):
    terminal.print_answers(sweep(about=(("repeated rows", "3 of 12 held-out rows (25.0%) are training rows, too"),)))
    assert "repeated rows: 3 of 12 held-out rows (25.0%) are training rows, too\n" in capsys.readouterr().out
    terminal.print_answers(sweep())
    assert "repeated rows" not in capsys.readouterr().out


@pytest.mark.parametrize("width", [200, *WIDTHS])
def test_hostile_texts_steer_no_terminal(width):
    name = STEERING
    texts = [
        printed(terminal.print_answers, hostile_sweep(names=(f"{name}\ud800", "b"), name=name, title=name), width=width)
    ]
    calibration = Calibration(
        date="2026-01-01",
        seed=1,
        held_out_rows=30,
        environment={"tensorflow": name, "keras": name},
        initializers={name: Bound(collapsed=2, correct=(10, 20), runs_with=(1, 5))},
    )
    texts.append(printed(terminal.print_bounds, Bounds(problems={name: calibration}), width=width))
    old = baseline()
    new = old.model_copy(deep=True)
    new.fans[name] = old.fans["dense"]
    where = new.environment.model_copy(update={"versions": {"tensorflow": name, name: name}, "cpu": name})
    comparison = compare(old, new.model_copy(update={"environment": where}))
    texts.append(printed(terminal.print_comparison, comparison, width=width))
    outcome = Outcome(Mutant(name, name, (name,), apply), {name: Reaction(Mark.FAILED, name)}, error=name)
    texts.append(printed(terminal.print_outcomes, [outcome], width=width))
    for text in texts:
        assert all(letter.isprintable() or letter == "\n" for letter in text)
        assert "owned" in text
        assert "red]" in text  # no markup of rich's either


@pytest.mark.parametrize(
    ("reseeds", "epochs", "message"),
    [(1, 1, "1 run of 1 epoch by"), (1, 3, "1 run of 3 epochs by"), (2, 1, "2 runs of 1 epoch by")],
)
def test_one_is_singular(reseeds, epochs, message):
    assert message in printed(terminal.print_answers, sweep(("zeros",), reseeds, epochs), width=120)


def test_a_sweep_without_a_finished_run_is_printed():
    empty = replace(sweep(), groups=(), planned=9)
    text = printed(terminal.print_answers, empty, width=60)
    assert "No run has finished." in text
    assert "0 runs of 15 epochs" in text


def test_names_longer_than_the_terminal_are_folded_and_kept():
    text = printed(terminal.print_answers, sweep(names=("x" * 300, "b")), width=60)
    assert lines_within(text, 60)
    assert text.count("x") >= 300


def test_columns_of_one_topic_stay_in_one_table():
    text = printed(terminal.print_answers, sweep(), width=80)
    heads = [line.split("  ") for line in text.splitlines() if line.startswith("initializer")]
    topics = [{head.strip() for head in line if head.strip()} - {"initializer"} for line in heads]
    assert {"held-out mean", "held-out sd"} in topics
    assert len(topics) <= 4


def test_a_line_breaks_neither_an_interval_nor_a_number_from_its_unit():
    shown = io.StringIO()
    console = Console(file=shown, width=20, force_terminal=True, color_system=None)
    Screen(console).line("some words of it and 31 % [18, 45] more")
    assert "31 %" in shown.getvalue()
    assert "[18, 45]" in shown.getvalue()
    assert re.sub(r"\s+", " ", shown.getvalue()).strip() == "some words of it and 31 % [18, 45] more"


def test_a_wide_table_reaches_a_pipe_whole(capsys):
    from initcheck.reporting.screen import Screen

    cells = [f"{number}.123456789 [> 40, > {number}]" for number in range(10)]
    Screen().table("wide", ["name", *(f"column {number}" for number in range(10))], [["row", *cells]])
    out = capsys.readouterr().out
    assert all(cell in out for cell in cells)


def test_a_long_line_reaches_a_pipe_whole(capsys):
    from initcheck.reporting.screen import Screen

    words = " ".join(f"word{number}" for number in range(100))
    Screen().line(words)
    assert capsys.readouterr().out == f"{words}\n"


@pytest.mark.parametrize("width", [PIPE_WIDTH, 40])
def test_a_failed_check_names_its_section_in_the_docs_and_one_that_passes_does_not(width, monkeypatch):
    monkeypatch.setenv("INITCHECK_DOCS", "https://docs.example.org")
    cell = next(cells(codes=["LAW03"]))
    shown = printed(terminal.print_verdict, cell, failed("0.316", "0.283 ± 0.011"), width=width)
    assert shown.splitlines()[-1].strip() == "https://docs.example.org/checks.md#law03"
    assert "https://" not in printed(terminal.print_verdict, cell, passed("0.283"), width=width)
