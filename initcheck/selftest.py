"""The self-test: breaks the installed framework on purpose, a fault at a time, and sees whether the checks notice.

Each fault is made in a process of its own, which judges and prints its verdicts as one line of JSON:
``python -m initcheck.selftest NAME SEED FAMILY …``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

from initcheck.checks.registry import FAMILIES
from initcheck.children import leashed
from initcheck.mutants.outcome import Outcome
from initcheck.mutants.registry import Mutant, all_mutants

MUTANT_VARIABLE = "INITCHECK_MUTANT"  # tells the child processes of determinism checks which fault to make
NO_MUTANT = "none"


def run_selftest(mutants: Iterable[Mutant], *, seed: int, full: bool = False, workers: int = 1) -> Iterator[Outcome]:
    """Judges the framework under each mutant, and yields each outcome as it is known.

    Args:
        mutants: The changes to make.
        seed: The root seed.
        full: Whether to run every family on every fault, rather than the one that must catch it.
        workers: How many processes at once.
    """
    pool, running = ThreadPoolExecutor(workers), _Running()
    try:
        waiting = [
            pool.submit(_in_process, mutant, seed, FAMILIES if full or mutant.harmless else (mutant.family,), running)
            for mutant in mutants
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


def _in_process(mutant: Mutant, seed: int, families: Iterable[str], running: _Running) -> Outcome:
    finished = subprocess.Popen(
        leashed([sys.executable, "-m", "initcheck.selftest", mutant.name, str(seed), *families]),
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
    return Outcome(mutant, json.loads(lines[-1]))


def judge_mutant(name: str, seed: int, families: Iterable[str]) -> dict[str, str]:
    """Makes the change in this process and judges; family → its first unexpected failure, or an empty text."""
    from initcheck.checks.registry import run_check, cells
    from initcheck.evidence.lab import get_lab
    from initcheck.mutants.registry import infect
    from initcheck.records import Status

    lab = get_lab(seed)
    if name != NO_MUTANT:
        infect(name)
    failures = {}
    for family in families:
        failures[family] = ""
        for cell in cells([family]):
            if cell.known_issue:
                continue
            verdict = run_check(cell, lab)
            if verdict.status in (Status.FAIL, Status.INCONCLUSIVE):
                failures[family] = f"{cell.name}: {verdict}"
                break
    return failures


def choose_mutants(names: Iterable[str]) -> list[Mutant]:
    """The mutants of those names; all of them where none is given.

    Raises:
        UnknownNameError: A name that no mutant bears.
    """
    from initcheck.errors import UnknownNameError

    known = all_mutants()
    chosen = list(names) or list(known)
    for name in chosen:
        if name not in known:
            raise UnknownNameError("mutant", name, known)
    return [known[name] for name in chosen]


if __name__ == "__main__":
    _, mutant_name, root_seed, *family_names = sys.argv
    print(json.dumps(judge_mutant(mutant_name, int(root_seed), family_names)))  # noqa: T201 - its one line of output
