"""The self-test's own logic, and a part of it for real; `initcheck self-test` does all of it."""

import threading
import time
from dataclasses import replace

import pytest

from initcheck import selftest
from initcheck.errors import UnknownNameError
from initcheck.mutants.outcome import Outcome
from initcheck.mutants.registry import Mutant, all_mutants
from initcheck.selftest import choose_mutants, run_selftest

FAULT = Mutant("fault", "", "laws", lambda keras: None)
HARMLESS = Mutant("harmless", "", "", lambda keras: None)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome(FAULT, {"laws": "LAW02-he_normal: off"}), True),
        (Outcome(FAULT, {"laws": ""}), False),
        (Outcome(FAULT, {"laws": "", "seeds": "caught elsewhere"}), False),
        (Outcome(HARMLESS, {"laws": "", "seeds": ""}), True),
        (Outcome(HARMLESS, {"laws": "", "seeds": "alarm"}), False),
        (Outcome(HARMLESS, {}, "exit code 1: crashed"), False),
        (Outcome(FAULT, {}, "exit code 1: crashed"), False),
    ],
)
def test_a_fault_must_be_seen_by_its_family_and_a_harmless_change_by_none(outcome, expected):
    assert outcome.as_expected is expected


def test_there_are_enough_faults_for_every_family_and_some_harmless_changes():
    mutants = all_mutants().values()
    assert sum(not mutant.harmless for mutant in mutants) >= 20
    assert sum(mutant.harmless for mutant in mutants) >= 3
    assert {mutant.family for mutant in mutants if not mutant.harmless} == set(selftest.FAMILIES)


def test_an_unknown_mutant_is_told():
    with pytest.raises(UnknownNameError, match="no mutant is named 'no-such-thing'"):
        choose_mutants(["no-such-thing"])


def test_a_process_that_crashes_is_an_outcome_with_its_last_line(monkeypatch):
    monkeypatch.setattr(selftest.sys, "executable", "/bin/false")
    (outcome,) = run_selftest([FAULT], seed=1)
    assert outcome.error == "exit code 1: no output"


def faults_of_each_family(number):
    by_family = {family: [m for m in all_mutants().values() if m.family == family] for family in selftest.FAMILIES}
    return [mutant for family in selftest.FAMILIES for mutant in by_family[family][:number]]


@pytest.mark.slow
def test_a_real_fault_is_caught_in_a_process_of_its_own():
    (outcome,) = run_selftest(choose_mutants(["scale-2-percent"]), seed=3)
    assert outcome.as_expected, outcome
    assert outcome.failures["laws"].startswith("LAW")


@pytest.mark.slow
@pytest.mark.parametrize("fault", faults_of_each_family(2), ids=lambda mutant: mutant.name)
def test_real_faults_of_each_family_are_caught(fault):
    (outcome,) = run_selftest([fault], seed=3)
    assert outcome.as_expected, outcome


def test_an_interruption_starts_no_more_processes_and_ends_those_that_run(monkeypatch):
    started = []

    def command(words):
        started.append(words[3])
        return ["false"] if words[3] == "quick" else ["sleep", "60"]

    monkeypatch.setattr(selftest, "leashed", command)
    mutants = [replace(FAULT, name=name) for name in ("quick", "slow", "never")]
    outcomes = run_selftest(mutants, seed=1, workers=1)
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
