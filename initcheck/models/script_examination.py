"""The doctor for scripts: does what a script writes repeat, and if not: what differs first, and under which change?"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from initcheck.arguments import whole_number
from initcheck.engines.pinned_sources import HASHES as HASHES_SOURCE
from initcheck.engines.pinned_sources import LISTING, SOURCES
from initcheck.engines.script_pins import BACKWARDS
from initcheck.errors import InitcheckError
from initcheck.files import scratch_folder
from initcheck.models.artifacts import ArtifactDifference
from initcheck.models.diagnosis import Diagnosis, ModelFinding
from initcheck.models.scripts import OTHER_HASHES, PATIENCE, Circumstances, ScriptRun, ScriptRunner, script_of
from initcheck.seeding import DEFAULT_SEED, derive_seed

# Of the largest number of a field. Threads add float32 in another order, 1e-7 a step, which a training carries on.
ROUNDING = 1e-2
_SEEDS = ("python", "numpy", "framework")
_ALONE = ("numpy generators", "python generators", "clock", "entropy", "determinism")
_THREADS = "threads"
_UNKNOWN = (
    "none of the sources that can be pinned is the cause: look for threads and processes of its own, the network, "
    "files outside of its folder, or a program that is not Python"
)
_OF_TIME = ("time", "date", "second", "duration", "elapsed", "stamp")


def examine_script(
    command: str,
    artifacts: Sequence[str],
    *,
    folder: Path = Path(),
    runs: int = 2,
    timeout: int = PATIENCE,
    ignored: Sequence[str] = (),
    seed: int = DEFAULT_SEED,
) -> Diagnosis:
    """Runs a script again and again, each time in a fresh copy of its folder, and compares what it writes.

    Args:
        command: The command line; no shell reads it.
        artifacts: What it writes, from its folder.
        folder: Its folder.
        runs: The number of runs that are to be equal, all else the same.
        timeout: Seconds for each run.
        ignored: Patterns of fields that may differ, ``artifact:field``.
        seed: Of whatever is pinned where a cause is looked for.

    Raises:
        InitcheckError: The script cannot be run, fails, or does not write an artifact.
    """
    start = time.monotonic()
    runs = whole_number("--runs", runs, least=2)
    seed = whole_number("--seed", seed)
    script = script_of(command, artifacts, folder, whole_number("--timeout", timeout, least=1))
    with scratch_folder() as place:
        runner = ScriptRunner(script, place, derive_seed(seed, "doctor"))
        examination = _ScriptExamination(runner, ignored, runs, {name for name, _ in script.variables})
        examination.look()
    return Diagnosis(
        findings=tuple(examination.findings),
        notes=tuple(examination.notes),
        weights=(),
        looked_at=tuple(examination.looked_at),
        seconds=time.monotonic() - start,
        seed=seed,
        of_script=True,
        examined=command,
    )


def missed(runs: int, share: float = 0.5) -> float:
    """The probability that none of so many runs differs from the first where a share of all pairs do."""
    return (1 - share) ** (runs - 1)


class _ScriptExamination:
    """One examination: what was found so far."""

    def __init__(self, runner: ScriptRunner, ignored: Sequence[str], runs: int, assigned: set[str]) -> None:
        self._runner = runner
        self._ignored = ignored
        self._runs = runs
        self._assigned = assigned
        self.findings: list[ModelFinding] = []
        self.notes: list[str] = []
        self.looked_at: list[str] = []

    def look(self) -> None:
        first = self._runner.run(Circumstances("its first run"))
        self.looked_at.append(
            f"{self._runs} runs, each in a fresh copy of the folder at one path, about {first.seconds:.0f} s each"
        )
        for number in range(2, self._runs + 1):
            again = self._runner.run(Circumstances(f"its run {number}, all else the same"))
            if differences := first.differences(again, self._ignored):
                self._does_not_repeat(differences, number)
                return
        self.notes.append(
            f"A race by which half of the runs differ goes unseen in {self._runs} runs with probability "
            f"{missed(self._runs):.2g}, in 8 with {missed(8):.1g} (--runs 8)."
        )
        self._look_elsewhere(first)
        self._look_at_hashes(first)
        self._look_at_threads(first)

    def _look_elsewhere(self, first: ScriptRun) -> None:
        words = "in a folder of another path, listed backwards"
        self.looked_at.append("a run in a copy at another path, in which os.listdir and glob go backwards")
        run = self._runner.run(Circumstances(words, elsewhere=True, pins=(BACKWARDS,)))
        if not (differences := first.differences(run, self._ignored)):
            return
        in_order = (LISTING.name,)
        pair = [self._attempt(Circumstances(words, elsewhere=one, pins=in_order)) for one in (False, True)]
        if pair[0] and pair[1] and not pair[0].differences(pair[1], self._ignored):
            remedy = f"{LISTING.title}: {LISTING.remedy}"
        else:
            remedy = "a path goes into the result: look for __file__, Path.cwd() and absolute paths"
        self._find("the script depends on the folder that it runs in", differences, words, remedy)

    def _look_at_hashes(self, first: ScriptRun) -> None:
        if "PYTHONHASHSEED" in {*os.environ, *self._assigned}:
            self.looked_at.append("no other string hashes, as PYTHONHASHSEED is set")
            return
        other = Circumstances("with other string hashes", hashes=OTHER_HASHES)
        self.looked_at.append(
            "a run with other string hashes (PYTHONHASHSEED), which a Python chooses anew at each start"
        )
        if differences := first.differences(self._runner.run(other), self._ignored):
            remedy = f"{HASHES_SOURCE.title}: {HASHES_SOURCE.remedy}"
            self._find("the script does not repeat", differences, other.words, remedy)

    def _look_at_threads(self, first: ScriptRun) -> None:
        threads = 2 if os.cpu_count() == 1 or os.environ.get("OMP_NUM_THREADS") == "1" else 1
        words = f"with {threads} thread{'s' if threads > 1 else ''} in place of the machine's number"
        self.looked_at.append(f"a run {words} (OMP_NUM_THREADS, TF_NUM_INTRAOP_THREADS, TF_NUM_INTEROP_THREADS)")
        run = self._runner.run(Circumstances(words, threads=threads))
        if not (differences := first.differences(run, self._ignored)):
            return
        if max(one.relative for one in differences.values()) <= ROUNDING:
            name, difference = next(iter(differences.items()))
            self.notes.append(
                f"The number of threads decides the last bits, as sums are added in another order: {name}: "
                f"{difference.field}: {difference.size}. A machine of other cores gives other bits."
            )
            return
        self._find(
            "the script depends on the number of threads",
            differences,
            f"{words}, by more than {ROUNDING:.0%}",
            "set OMP_NUM_THREADS, TF_NUM_INTRAOP_THREADS and TF_NUM_INTEROP_THREADS to one number wherever it runs",
        )

    def _does_not_repeat(self, differences: dict[str, ArtifactDifference], number: int) -> None:
        causes = self._causes()
        named = " and ".join(
            "Python's random, NumPy's global generator and the framework's seeds: keras.utils.set_random_seed(SEED)"
            if cause == _SEEDS[0]
            else "the number of threads: OMP_NUM_THREADS=1, TF_NUM_INTRAOP_THREADS=1 and TF_NUM_INTEROP_THREADS=1"
            if cause == _THREADS
            else f"{SOURCES[cause].title}: {SOURCES[cause].remedy}"
            for cause in causes
        )
        how = f"in run {number}, all else the same"
        self._find("the script does not repeat", differences, how, f"pin {named}" if named else _UNKNOWN)
        self.looked_at.append(f"{self._runner.runs - number} runs with sources of chance pinned")

    def _causes(self) -> list[str]:
        """The smallest set found of sources that have to be pinned: the seeds as one, named by their first."""
        groups = [_SEEDS, *((one,) for one in _ALONE), (_THREADS,)]
        if self._repeats([_SEEDS]):  # the most frequent cause
            return [_SEEDS[0]]
        outcome = self._repeats(groups)
        if outcome is None:  # under op determinism, for one, operations raise that have no deterministic form
            groups = [group for group in groups if self._repeats([group]) is not None]
            outcome = self._repeats(groups)
        if not outcome:
            return []
        for group in groups[1:]:
            if self._repeats([group]):
                return [group[0]]
        for group in list(reversed(groups)):
            fewer = [one for one in groups if one != group]
            if self._repeats(fewer):
                groups = fewer
        return [group[0] for group in groups]

    def _repeats(self, groups: Sequence[tuple[str, ...]]) -> bool | None:
        """Whether runs with those sources pinned are equal; None where it cannot be run so."""
        pins = tuple(name for group in groups for name in group if name != _THREADS)
        given = Circumstances("with sources pinned", threads=1 if (_THREADS,) in groups else None, pins=pins)
        first = self._attempt(given)
        if first is None:
            return None
        for _ in range(self._runs - 1):
            again = self._attempt(given)
            if again is None or first.differences(again, self._ignored):
                return False
        return True

    def _attempt(self, given: Circumstances) -> ScriptRun | None:
        try:
            return self._runner.run(given)
        except InitcheckError:  # it cannot run so, under op determinism for one
            return None

    def _find(self, what: str, differences: dict[str, ArtifactDifference], how: str, remedy: str) -> None:
        name, difference = next(iter(differences.items()))
        others = (
            f"; {len(differences) - 1} more differ: {', '.join(list(differences)[1:4])}" if len(differences) > 1 else ""
        )
        if any(word in difference.field.lower() for word in _OF_TIME):
            remedy += f"; or, if it is to hold a time, --ignore '{name}:{difference.field}'"
        where = f"{name}: {difference.field}" if difference.field else name
        self.findings.append(ModelFinding(what, where, f"{how}: {difference.size}{others}", remedy))
