"""The self-test: breaks the installed framework on purpose, a fault at a time, and sees whether the checks notice.

Each fault is made in a process of its own, which judges and prints its verdicts as one line of JSON:
``python -m initcheck.selftest NAME SEED CODE …``.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

from initcheck.checks.registry import Cell, cells, run_check
from initcheck.children import leashed
from initcheck.errors import UnknownNameError
from initcheck.evidence.lab import Lab, get_lab
from initcheck.mutants.outcome import Finding, Mark, Outcome
from initcheck.mutants.registry import Mutant, all_mutants, apply_mutant
from initcheck.records import Status
from initcheck.texts import reason_of

MUTANT_VARIABLE = "INITCHECK_MUTANT"  # tells the child processes of determinism checks which fault to make


def run_selftest(mutants: Iterable[Mutant], *, seed: int, full: bool = False, workers: int = 1) -> Iterator[Outcome]:
    """Judges the framework under each mutant, and yields each outcome as it is known.

    Args:
        mutants: The changes to make.
        seed: The root seed.
        full: Whether to run every check on every fault, rather than those that must catch it.
        workers: How many processes at once.
    """
    pool, running = ThreadPoolExecutor(workers), _Running()
    try:
        waiting = [
            pool.submit(_in_process, mutant, seed, () if full else mutant.caught_by, running) for mutant in mutants
        ]
        for done in as_completed(waiting):
            yield done.result()
    finally:  # interrupted: those that wait are not started, and those that run are ended
        pool.shutdown(wait=False, cancel_futures=True)
        running.end()


class _Running:
    """The processes under way, to be ended together."""

    def __init__(self) -> None:
        self._lock, self._ended = threading.Lock(), False
        self._processes: set[subprocess.Popen[str]] = set()

    def communicate(self, process: subprocess.Popen[str]) -> tuple[str, str]:
        """What the process wrote to stdout and stderr until its end."""
        with self._lock:
            self._processes.add(process)
            if self._ended:
                process.kill()
        try:
            return process.communicate()
        finally:
            self._processes.discard(process)

    def end(self) -> None:
        """Ends those that run, and any that was just being started."""
        with self._lock:
            self._ended = True
            for process in self._processes:
                process.kill()


def _in_process(mutant: Mutant, seed: int, codes: Iterable[str], running: _Running) -> Outcome:
    finished = subprocess.Popen(
        leashed([sys.executable, "-m", "initcheck.selftest", mutant.name, str(seed), *codes]),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, MUTANT_VARIABLE: mutant.name},
    )
    stdout, stderr = running.communicate(finished)
    lines = stdout.splitlines()
    if finished.returncode or not lines:
        last = (stderr.strip() or "no output").splitlines()[-1]
        return Outcome(mutant, {}, f"exit code {finished.returncode}: {last}")
    found = json.loads(lines[-1])
    return Outcome(mutant, {code: Finding(Mark(mark), cell) for code, (mark, cell) in found.items()})


def judge_mutant(name: str, seed: int, codes: Iterable[str] = ()) -> dict[str, Finding]:
    """Makes the change in this process and runs the checks of those codes; all where none are given.

    Cells of known issues prove nothing and are left out, unless the check must catch the fault and has no others: then
    the installed framework has the fault already.
    """
    lab, named = get_lab(seed), all_mutants()[name].caught_by
    apply_mutant(name)
    findings = {}
    for code, group in itertools.groupby(cells(codes=codes), key=lambda cell: cell.check.code):
        found = list(group)
        sound = [cell for cell in found if not cell.known_issue]
        findings[code] = _judge(sound or (found if code in named else []), lab)
    return findings


def _judge(chosen: Iterable[Cell], lab: Lab) -> Finding:
    """The gravest of what a check's cells say; none is run after one that fails."""
    gravest = Finding(Mark.NOT_APPLICABLE)
    for cell in chosen:
        gravest = max(gravest, _judge_cell(cell, lab), key=lambda finding: _GRAVITY.index(finding.mark))
        if gravest.mark is Mark.FAILED:
            break
    return gravest


_GRAVITY = list(Mark)
_MARKS = {
    Status.NOT_APPLICABLE: Mark.NOT_APPLICABLE,
    Status.PASS: Mark.PASSED,
    Status.INCONCLUSIVE: Mark.INCONCLUSIVE,
    Status.FAIL: Mark.FAILED,
}


def _judge_cell(cell: Cell, lab: Lab) -> Finding:
    try:
        verdict = run_check(cell, lab)
    except Exception as error:
        return Finding(Mark.CRASHED, f"{cell.name}: {reason_of(error)}, raised in initcheck itself")
    return Finding(Mark.CRASHED if verdict.cause else _MARKS[verdict.status], f"{cell.name}: {verdict}")


def choose_mutants(names: Iterable[str]) -> list[Mutant]:
    """The mutants of those names; all of them where none is given.

    Raises:
        UnknownNameError: No mutant is named so.
    """
    known = all_mutants()
    chosen = list(names) or list(known)
    for name in chosen:
        if name not in known:
            raise UnknownNameError("mutant", name, known)
    return [known[name] for name in chosen]


if __name__ == "__main__":
    _, mutant_name, root_seed, *named_codes = sys.argv
    judged = judge_mutant(mutant_name, int(root_seed), named_codes)
    print(json.dumps({code: (one.mark.value, one.cell) for code, one in judged.items()}))  # noqa: T201 - its one line of output
