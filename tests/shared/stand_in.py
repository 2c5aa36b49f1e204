"""A sweep that trains nothing: each run's numbers follow from its name, after a while. For tests of stores."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from runs import ENVIRONMENT

from initcheck.catalog.initializers import get_initializers
from initcheck.cluster.pools import pool_of
from initcheck.cluster.scattering import Scattering
from initcheck.cluster.sent_tasks import SentSweep, pickled
from initcheck.records import ACCURACY, METRICS, Runs
from initcheck.store.blocks import Share
from initcheck.store.folder import AnswerFolder, Store
from initcheck.store.part_formats import PartFormat
from initcheck.store.part_texts import encode_runs
from initcheck.store.resuming import ResumedSweep, in_order
from initcheck.store.sweep_questions import SweepQuestion, initializer_key

ROWS = {initializer_key(row): row for row in get_initializers(["zeros", "he_normal"])}
NAMES = [row.name for row in ROWS.values()]
EPOCHS = 3


def numbers_of(initializer: str, order: int, reseed: int) -> np.ndarray:
    """The history of a run, NaN and infinity included."""
    seed = int.from_bytes(hashlib.blake2b(f"{initializer} {order} {reseed}".encode(), digest_size=4).digest(), "big")
    history = np.random.RandomState(seed).normal(size=(EPOCHS, len(METRICS)))
    if reseed % 7 == 3:
        history[-1, 0] = np.nan
    if reseed % 7 == 5:
        history[-1, 2] = -np.inf
    return history


def runs_of(initializer: str, order: int, reseeds: list[int], epochs: int = EPOCHS) -> Runs:
    """Runs of one initializer."""
    histories = np.stack([numbers_of(initializer, order, reseed)[:epochs] for reseed in reseeds])
    return Runs(
        problem="iris",
        initializer=initializer,
        reseeds=np.array(reseeds),
        orders=np.full(len(reseeds), order),
        seeds=np.array(reseeds) + 7,
        train_score=np.array([reseed % 11 / 105 for reseed in reseeds]),
        train_total=105,
        test_score=np.array([reseed % 13 / 45 for reseed in reseeds]),
        test_total=45,
        history=histories,
    )


class Trainer:
    """Trains groups, and notes which runs.

    Args:
        seconds: Of each run.
        log: A file to which the name of each run is added when it is begun.
        gates: Files, each with the number of runs after which a process waits for it: however fast or slow a machine
            is, it is in the midst of a run then. Whoever waits says so by a file of the gate's name and its own number.
    """

    def __init__(self, seconds: float = 0.0, log: Path | None = None, gates: Sequence[tuple[Path, int]] = ()) -> None:
        self.seconds = seconds
        self.log = log
        self.gates = gates
        self.trained: list[tuple[str, int, int]] = []

    def __call__(self, groups) -> Iterator[Runs]:
        for order, members in groups:
            for name in dict.fromkeys(row.name for row, _ in members):
                reseeds = [reseed for row, reseed in members if row.name == name]
                self.trained += [(name, order, reseed) for reseed in reseeds]
                if self.log is not None:
                    with self.log.open("a") as file:
                        file.write("".join(f"{name} {order} {reseed}\n" for reseed in reseeds))
                time.sleep(self.seconds * len(reseeds))
                self.wait()
                yield runs_of(name, order, reseeds)

    def wait(self) -> None:
        """Waits for gates."""
        for gate, count in self.gates:
            if len(self.trained) > count and not gate.exists():
                gate.with_name(f"{gate.name}-{os.getpid()}").touch()
                while not gate.exists():
                    time.sleep(0.01)


def answers_in(root: Path, form: PartFormat | None = None, **changes) -> AnswerFolder:
    """The folder of one question."""
    question = SweepQuestion.of(
        {"problem": "iris", "engine": "none", **changes}, seed=1, score=ACCURACY, environment=ENVIRONMENT
    )
    return Store.open(root, form).answers(question)


def resumed(root: Path, trainer, *, reseeds=40, orders=range(1), tile=8, group=1, share=None, pause=1000.0, **changes):
    """The sweep with that store; changes are of ``answers_in``."""
    cells = orders, range(reseeds)
    orders, reseeds = cells if share is None else Share.read(share).cut(*cells)
    return ResumedSweep(
        answers_in(root, **changes),
        ROWS,
        orders=orders,
        reseeds=reseeds,
        train=trainer,
        tile=tile,
        group=group,
        pause=pause,
    )


def text_of(finished) -> bytes:
    """All runs as one text, by initializer, order and reseed."""
    return b"".join(map(encode_runs, in_order(list(finished), NAMES)))


def undivided(reseeds=40, orders=range(1)) -> bytes:
    """The text of a sweep without a store."""
    return text_of(runs_of(name, order, list(range(reseeds))) for name in NAMES for order in orders)


def start_here(expected, who, *, folder, log=None, seconds=0.0, mischief=(), gates=()):
    """What another process is sent in place of a real sweep.

    Args:
        expected: Of the sender.
        who: This process, in words.
        folder: Keeps what has happened.
        log: As of ``Trainer``.
        seconds: The same.
        mischief: For a reseed of he_normal what happens to the process there, and how often.
        gates: As of ``Trainer``.
    """
    trainer = Trainer(seconds, log, gates)

    def train(groups):
        groups = list(groups)
        (folder / "pids").mkdir(exist_ok=True)
        (folder / "pids" / str(os.getpid())).touch()
        for what, reseed, times in mischief:
            if any(row.name == "he_normal" and one == reseed for _, members in groups for row, one in members):
                done = len(list(folder.glob(f"{what}-*")))
                if done < times:
                    (folder / f"{what}-{done}").touch()
                    misbehave(what)
        return trainer(iter(groups))

    return "stand-in", train, list(ROWS.values())


def misbehave(what):
    """Ends this process in that way."""
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "hang":
        time.sleep(1000)
    if what == "memory":
        filled = []
        while True:
            filled.append(np.ones(2**23))
            time.sleep(0.02)
    raise ValueError("a mistake")


def scattered(pool, folder, *, total=80, limit=None, **settings):
    """The training by a pool; settings are of ``start_here``."""
    sweep = SentSweep(pickled((start_here, {"folder": folder, **settings})), "stand-in", ENVIRONMENT, tuple(sys.path))
    return Scattering(sweep, list(ROWS.values()), pool, total, limit, 0.2).train


def die_in_write(syncs: int) -> None:
    """Ends this process when it would put something onto the disk after so many times; a file is left half-written."""
    sync, left = os.fsync, iter(range(syncs))

    def dying(handle: int) -> None:
        if next(left, None) is None:
            with contextlib.suppress(OSError):  # a folder
                os.ftruncate(handle, os.fstat(handle).st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        sync(handle)

    os.fsync = dying  # type: ignore[assignment] # of numbers alone


def main() -> None:
    """A process with a store; prints how many runs it trained and found, and writes the whole sweep's text."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--reseeds", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=0.02)
    parser.add_argument("--pause", type=float, default=0.1)
    parser.add_argument("--tile", type=int, default=8)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--form", type=PartFormat)
    parser.add_argument("--cluster")
    parser.add_argument("--limit", type=float)
    parser.add_argument("--dies", type=int)
    parser.add_argument("--mischief", nargs=3, action="append", default=[])
    parser.add_argument("--gate", nargs=2, action="append", default=[])
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in the background ignores
    if given.dies is not None:
        die_in_write(given.dies)
    settings = {"reseeds": given.reseeds, "tile": given.tile, "pause": given.pause, "form": given.form}
    with contextlib.ExitStack() as ending:
        gates = [(Path(gate), int(count)) for gate, count in given.gate]
        trainer = Trainer(given.seconds, given.log, gates)
        if given.cluster is not None:
            pool = ending.enter_context(pool_of(given.cluster, None))
            mischief = [(what, int(reseed), int(times)) for what, reseed, times in given.mischief]
            sent = {"log": given.log, "seconds": given.seconds, "mischief": mischief, "gates": gates}
            trainer = scattered(pool, given.log.parent, limit=given.limit, total=2 * given.reseeds, **sent)
        sweep = resumed(given.root, trainer, **settings)
        ending.callback(sweep.close)
        text = text_of(sweep.runs())
    if given.out is not None:
        given.out.write_bytes(text)


if __name__ == "__main__":
    from initcheck.endings import end_with

    end_with(main)
