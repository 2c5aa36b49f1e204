"""The self-test: breaks the installed framework on purpose, one fault at a time, and reports which checks fail.

Each fault is made in a process of its own, on Linux a fork of one that has loaded the framework and not used it.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from initcheck.checks.registry import Cell, cells, run_check
from initcheck.errors import UnknownNameError
from initcheck.evidence.lab import Lab, get_lab
from initcheck.frameworks.forking import PROCESSES, begin_loading
from initcheck.frameworks.quiet import unlogged
from initcheck.mutants.mutant import Mutant, all_mutants, apply_mutant
from initcheck.mutants.outcome import Mark, Outcome, Reaction
from initcheck.records import Status
from initcheck.texts import reason_of

MUTANT_VARIABLE = "INITCHECK_MUTANT"  # names the fault for the child processes of determinism checks


def run_selftest(mutants: Iterable[Mutant], *, seed: int, full: bool = False, workers: int = 1) -> Iterator[Outcome]:
    """Runs the checks under each mutant, and yields each outcome as soon as it is known.

    Args:
        mutants: The changes to make.
        seed: The root seed.
        full: Whether to run every check on every fault instead of those that must catch it.
        workers: How many processes at once.
    """
    begin_loading()
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
    """The running processes, to be ended together."""

    def __init__(self) -> None:
        self._lock, self._ended = threading.Lock(), False
        self._processes: set[BaseProcess] = set()

    def start(self, process: BaseProcess) -> None:
        """Starts the process, unless all were ended."""
        with self._lock:
            if not self._ended:
                process.start()
                self._processes.add(process)

    def end(self) -> None:
        """Ends those that run, and starts no more."""
        with self._lock:
            self._ended = True
            for process in self._processes:
                process.kill()


def _in_process(mutant: Mutant, seed: int, codes: Iterable[str], running: _Running) -> Outcome:
    receiver, sender = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_answer, args=(sender, mutant.name, seed, codes), daemon=True)
    running.start(process)
    sender.close()
    try:
        answer = receiver.recv()
    except EOFError:  # it ended without an answer
        process.join()
        answer = f"exit code {process.exitcode}"
    return Outcome(mutant, {}, answer) if isinstance(answer, str) else Outcome(mutant, answer)


def _answer(sender: Connection, name: str, seed: int, codes: Iterable[str]) -> None:
    """Sends the checks' outcomes under a mutant, or the reason why they could not be run."""
    # Ctrl-C is for the parent, which shows the outcomes and ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ[MUTANT_VARIABLE] = name
    try:
        with unlogged():
            sender.send(judge_mutant(name, seed, codes))
    except Exception as error:  # noqa: BLE001 - the parent has to hear of whatever ends this process
        sender.send(reason_of(error))


def _end_with_parent() -> None:
    """Ends this process as soon as its parent is gone, even by ``kill -9``."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(137)


def judge_mutant(name: str, seed: int, codes: Iterable[str] = ()) -> dict[str, Reaction]:
    """Applies the mutant in this process and runs the checks of those codes, by default all.

    Cells of known issues prove nothing and are left out, unless the check must catch the fault and has no others: then
    the installed framework already has the fault.
    """
    lab, named = get_lab(seed), all_mutants()[name].caught_by
    apply_mutant(name)
    reactions = {}
    for code, group in itertools.groupby(cells(codes=codes), key=lambda cell: cell.check.code):
        every = list(group)
        sound = [cell for cell in every if not cell.known_issue]
        reactions[code] = _judge(sound or (every if code in named else []), lab)
    return reactions


def _judge(chosen: Iterable[Cell], lab: Lab) -> Reaction:
    """Returns the gravest outcome of a check's cells; none is run after one that fails."""
    gravest = Reaction(Mark.NOT_APPLICABLE)
    for cell in chosen:
        gravest = max(gravest, _judge_cell(cell, lab), key=lambda reaction: _GRAVITY.index(reaction.mark))
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


def _judge_cell(cell: Cell, lab: Lab) -> Reaction:
    try:
        verdict = run_check(cell, lab)
    except Exception as error:  # noqa: BLE001 - a crash is a reaction of its own
        return Reaction(Mark.CRASHED, f"{cell.name}: {reason_of(error)}, raised in initcheck itself")
    return Reaction(Mark.CRASHED if verdict.cause else _MARKS[verdict.status], f"{cell.name}: {verdict}")


def choose_mutants(names: Iterable[str]) -> list[Mutant]:
    """Returns the mutants of those names, by default all that this environment shows.

    Raises:
        UnknownNameError: No mutant is named so.
    """
    known = all_mutants()
    chosen = list(names) or [name for name, one in known.items() if one.shows()]
    for name in chosen:
        if name not in known:
            raise UnknownNameError("mutant", name, known)
    return [known[name] for name in chosen]
