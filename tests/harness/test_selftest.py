"""The self-test's own logic, and a part of it for real; `initcheck self-test` does all of it."""

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from initcheck import selftest
from initcheck.checks import blame
from initcheck.checks.registry import Cell, Check, Subject, all_checks
from initcheck.errors import UnknownNameError
from initcheck.mutants.mutant import Mutant, all_mutants
from initcheck.mutants.outcome import Mark, Outcome, Reaction
from initcheck.plugin.groups import group_of
from initcheck.records import Status, Verdict, failed, passed
from initcheck.selftest import choose_mutants, judge_mutant, run_selftest
from initcheck.targets import LIBRARY, TARGETS

FAULT = Mutant("fault", "", ("LAW02", "LAW03"), lambda keras: None)
HARMLESS = Mutant("harmless", "", (), lambda keras: None)


def reactions(**marks):
    return {code: Reaction(mark, f"{code}-he_normal: said") for code, mark in marks.items()}


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome(FAULT, reactions(LAW02=Mark.FAILED, LAW03=Mark.FAILED)), True),
        (Outcome(FAULT, reactions(LAW02=Mark.FAILED, LAW03=Mark.FAILED, SEED01=Mark.CRASHED)), True),
        (Outcome(FAULT, reactions(LAW02=Mark.FAILED, LAW03=Mark.PASSED)), False),
        (Outcome(FAULT, reactions(LAW02=Mark.FAILED, LAW03=Mark.CRASHED)), False),
        (Outcome(FAULT, reactions(LAW02=Mark.FAILED, LAW03=Mark.INCONCLUSIVE)), False),
        (Outcome(FAULT, reactions(LAW02=Mark.FAILED, LAW03=Mark.NOT_APPLICABLE)), False),
        (Outcome(FAULT, reactions(LAW02=Mark.FAILED, SEED01=Mark.FAILED)), False),
        (Outcome(FAULT, {}, "exit code 1: crashed"), False),
        (Outcome(HARMLESS, reactions(LAW02=Mark.PASSED, LAW03=Mark.NOT_APPLICABLE)), True),
        (Outcome(HARMLESS, reactions(LAW02=Mark.PASSED, LAW03=Mark.FAILED)), False),
        (Outcome(HARMLESS, reactions(LAW02=Mark.CRASHED)), False),
        (Outcome(HARMLESS, reactions(LAW02=Mark.INCONCLUSIVE)), False),
        (Outcome(HARMLESS, {}, "exit code 1: crashed"), False),
    ],
)
def test_every_check_that_a_fault_names_must_fail_and_none_under_a_harmless_change(outcome, expected):
    assert outcome.as_expected is expected


def test_every_check_has_a_fault_that_it_must_catch_and_no_fault_names_another():
    named = {code for name in TARGETS for mutant in all_mutants(name).values() for code in mutant.caught_by}
    assert named == {check.code for check in all_checks()}


def test_there_are_harmless_changes():
    assert sum(mutant.harmless for mutant in all_mutants().values()) >= 12


def test_a_fault_names_first_a_check_of_the_family_in_whose_file_it_stands():
    families = {check.code: check.family for check in all_checks()}
    for mutant in all_mutants().values():
        if mutant.caught_by:
            assert mutant.apply.__module__ == f"initcheck.mutants.{families[mutant.caught_by[0]]}", mutant.name


def judged(monkeypatch, *said, known=(), caught_by=()):
    """Returns the reaction of one check under ``judge_mutant``, and the numbers of its cells that were run."""
    run = []

    def judge(lab, number):
        run.append(number)
        if isinstance(said[number], Exception):
            raise said[number]
        return said[number]

    check = Check("X1", "", "laws", [Subject(str(number), number) for number in range(len(said))], judge)
    monkeypatch.setattr(selftest, "cells", lambda codes: [Cell(check, subject, 0.0) for subject in check.subjects])
    monkeypatch.setattr(Cell, "known_issue", property(lambda cell: "known" if cell.subject.value in known else None))
    monkeypatch.setattr(selftest, "all_mutants", lambda: {"fault": replace(FAULT, caught_by=caught_by)})
    monkeypatch.setattr(selftest, "apply_mutant", lambda name: None)
    return judge_mutant("fault", 1)["X1"], run


GOOD, BAD = passed("right"), failed("wrong", "right")
DOUBTFUL, IDLE = Verdict(Status.INCONCLUSIVE, "too few"), Verdict(Status.NOT_APPLICABLE, "none")
RAISED = replace(failed("raised ValueError: no", "no exception"), cause=ValueError("no"))


@pytest.mark.parametrize(
    ("said", "mark"),
    [
        ([GOOD, IDLE], Mark.PASSED),
        ([IDLE], Mark.NOT_APPLICABLE),
        ([GOOD, DOUBTFUL, GOOD], Mark.INCONCLUSIVE),
        ([RAISED, DOUBTFUL], Mark.CRASHED),
        ([GOOD, KeyError("ours")], Mark.CRASHED),
        ([RAISED, KeyError("ours"), BAD], Mark.FAILED),
    ],
)
def test_a_crash_and_an_inconclusive_verdict_are_marks_of_their_own(said, mark, monkeypatch):
    reaction, run = judged(monkeypatch, *said)
    assert reaction.mark is mark
    assert run == list(range(len(said)))


def test_a_check_stops_at_its_first_cell_that_fails(monkeypatch):
    reaction, run = judged(monkeypatch, GOOD, BAD, GOOD)
    assert (reaction.cell, run) == ("X1-1: wrong, expected right", [0, 1])


def test_an_exception_of_initcheck_is_distinguished_from_one_of_the_framework(monkeypatch):
    monkeypatch.setattr(blame, "_OWN_FOLDERS", (*blame._OWN_FOLDERS, Path(__file__).parent))
    reaction, _ = judged(monkeypatch, KeyError("ours"))
    assert reaction.cell == "X1-0: KeyError: 'ours', raised in initcheck itself"


def test_known_issues_prove_nothing_unless_a_check_has_no_other_cells(monkeypatch):
    assert judged(monkeypatch, BAD, GOOD, known=[0], caught_by=("X1",)) == (Reaction(Mark.PASSED, "X1-1: right"), [1])
    assert judged(monkeypatch, BAD, known=[0], caught_by=("X1",))[0].mark is Mark.FAILED
    assert judged(monkeypatch, BAD, known=[0]) == (Reaction(Mark.NOT_APPLICABLE), [])


def test_only_the_checks_that_a_fault_names_are_run_unless_all_are_asked_for(monkeypatch):
    asked = []
    monkeypatch.setattr(
        selftest, "_in_process", lambda mutant, seed, codes, running: asked.append((mutant.name, codes))
    )
    list(run_selftest([FAULT, HARMLESS], seed=1))
    list(run_selftest([FAULT], seed=1, full=True))
    assert asked == [("fault", ("LAW02", "LAW03")), ("harmless", ()), ("fault", ())]


def test_an_unknown_mutant_is_refused():
    with pytest.raises(UnknownNameError, match="no mutant is named 'no-such-thing'"):
        choose_mutants(["no-such-thing"])


def test_a_process_that_ends_without_an_answer_is_an_error(monkeypatch):
    monkeypatch.setattr(selftest, "_answer", print)
    (outcome,) = run_selftest([FAULT], seed=1)
    assert (outcome.error, outcome.as_expected) == ("exit code 0", False)


def test_a_fault_that_cannot_be_made_is_an_error_with_its_reason():
    (outcome,) = run_selftest([FAULT], seed=1)
    assert outcome.error == "KeyError: 'fault'"


def test_a_process_ends_with_the_one_that_started_it():
    program = (
        "import time; from initcheck import selftest\n"
        "process = selftest.PROCESSES.Process(target=selftest._end_with_parent); process.start()\n"
        "print(process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 30
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()


def faults_for_every_check():
    """A fault for each check that none of those before it names."""
    chosen, named = [], set()
    for check in all_checks():
        faults = [mutant for name in TARGETS for mutant in all_mutants(name).values() if check.code in mutant.caught_by]
        assert faults or check.on == LIBRARY, check.code
        here = [mutant for mutant in all_mutants().values() if check.code in mutant.caught_by]
        if check.code not in named and here:
            chosen.append(here[0])
            named |= set(chosen[-1].caught_by)
    return chosen


# A group each: they share nothing, and one worker after another takes the next.
FAULTS = [
    pytest.param(fault, id=fault.name, marks=group_of(f"fault {fault.name}")) for fault in faults_for_every_check()
]


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_every_check_fails_under_a_fault_that_names_it(fault):
    (outcome,) = run_selftest([fault], seed=3)
    assert outcome.as_expected, outcome


started: list[str] = []


class _FakeProcess:
    """Stands for a process: a quick one ends at once, another one when it is killed."""

    exitcode = 0

    def __init__(self, target, args, daemon):
        sender, self.name, *_ = args
        self._held = None if self.name == "quick" else os.dup(sender.fileno())

    def start(self):
        started.append(self.name)

    def join(self):
        pass

    def kill(self):
        if self._held is not None:
            os.close(self._held)


def test_an_interruption_starts_no_more_processes_and_ends_those_that_run(monkeypatch):
    started.clear()
    monkeypatch.setattr(selftest, "PROCESSES", SimpleNamespace(Process=_FakeProcess, Pipe=multiprocessing.Pipe))
    monkeypatch.setattr(selftest, "begin_loading", lambda: None)
    mutants = [replace(FAULT, name=name) for name in ("quick", "slow", "never")]
    outcomes: Any = run_selftest(mutants, seed=1, workers=1)
    assert next(outcomes).mutant.name == "quick"
    while len(started) < 2:
        time.sleep(0.01)
    outcomes.close()
    before = time.monotonic()
    for thread in threading.enumerate():
        if thread.name.startswith("ThreadPoolExecutor"):
            thread.join(30)
    assert time.monotonic() - before < 30
    assert started == ["quick", "slow"]
