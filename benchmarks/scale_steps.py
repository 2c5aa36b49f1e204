"""Steps that ``benchmarks.scale`` measures, each a process: ``python -m benchmarks.scale_steps STEP STORE …``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.catalog.initializers import Initializer, get_initializers
from initcheck.catalog.problems import PROBLEMS
from initcheck.cluster.pools import ExecutorPool
from initcheck.cluster.scattering import Scattering
from initcheck.cluster.sent_tasks import SentSweep, SentTask, pickled
from initcheck.records import ACCURACY, METRICS, Environment, Runs
from initcheck.reporting.results import Sweep
from initcheck.reporting.stored_sweeps import load_stored, note_ask
from initcheck.store.blocks import Members, Share
from initcheck.store.folder import AnswerFolder, Store
from initcheck.store.part_formats import PartFormat
from initcheck.store.resuming import ResumedSweep
from initcheck.store.sweep_questions import SweepQuestion, initializer_key

ROWS = get_initializers(["zeros", "random_normal", "glorot_uniform", "he_normal", "lecun_uniform"])
PROBLEM = PROBLEMS["iris"]
TRAIN, TEST = 105, 45  # rows of its data
BLOCK, SMALL = 4096, 100  # runs that are trained together: by the ensemble, and elsewhere
ENVIRONMENT = Environment({}, sys.version.split()[0], sys.platform, "none", (1, 1), False, False, ())


def stand_in(groups: Iterator[Members], *, epochs: int, seconds: float = 0.0) -> Iterator[Runs]:
    """Runs whose losses fall and whose scores vary, as follows from their names; each takes that long."""
    for order, members in groups:
        for name in dict.fromkeys(row.name for row, _ in members):
            reseeds = np.array([reseed for row, reseed in members if row.name == name])
            time.sleep(seconds * len(reseeds))
            luck = (reseeds * 0.6180339887 + len(name) / 16) % 1
            pace = np.where(luck < 0.1, 0.0, luck)[:, None] * np.arange(1, epochs + 1) / epochs  # a tenth is stuck
            rows = np.rint(TRAIN * (1 - 0.6 * np.exp(-3 * pace)))
            history = np.stack([np.exp(-pace), rows / TRAIN, np.exp(-0.9 * pace), rows / TRAIN], axis=2)
            yield Runs(
                problem=PROBLEM.name,
                initializer=name,
                reseeds=reseeds,
                orders=np.full(len(reseeds), order),
                seeds=reseeds + 7,
                train_score=rows[:, -1] / TRAIN,
                train_total=TRAIN,
                test_score=np.rint(TEST * rows[:, -1] / TRAIN) / TEST,
                test_total=TEST,
                history=history.astype(np.float32).astype(np.float64),
            )


def answers_in(store: Path, *, runs: int, form: str | None, epochs: int) -> tuple[AnswerFolder, range]:
    """The folder of the question in a store, in which it is written what was asked, and the reseeds of that."""
    trained = {"problem": PROBLEM.name, "engine": "none", "epochs": epochs}
    question = SweepQuestion.of(trained, seed=1, score=ACCURACY, environment=ENVIRONMENT)
    answers = Store.open(store, PartFormat(form) if form else None).answers(question)
    reseeds = range(runs // len(ROWS))
    planned = len(ROWS) * len(reseeds)
    asked = Sweep(PROBLEM, (), 1, ENVIRONMENT, "a stand-in", "none", planned, trained=(("model", METRICS[0]),))
    note_ask(answers, asked, ROWS, orders=range(1), reseeds=reseeds)
    return answers, reseeds


def train(answers: AnswerFolder, reseeds: range, how: Callable[[Iterator[Members]], Iterator[Runs]], tile: int) -> int:
    """Trains what the store lacks; gives the number of runs that there are afterwards."""
    keys = {initializer_key(row): row for row in ROWS}
    sweep = ResumedSweep(answers, keys, orders=range(1), reseeds=reseeds, train=how, tile=tile, group=tile)
    return sum(map(len, sweep.runs()))


def write(given: argparse.Namespace) -> None:
    """Trains a share by a stand-in that takes no time."""
    answers, reseeds = answers_in(given.store, runs=given.runs, form=given.form, epochs=given.epochs)
    share = reseeds if given.shard is None else Share.read(given.shard).part_of(reseeds)
    count = train(answers, share, lambda groups: stand_in(groups, epochs=given.epochs), BLOCK)
    assert count == len(ROWS) * len(share)


def start_here(_: Environment, __: str, *, seconds: float) -> tuple[str, Any, Sequence[Initializer]]:
    """What a worker is sent in place of a real sweep."""
    return "stand-in", lambda groups: stand_in(groups, epochs=3, seconds=seconds), ROWS


def scatter(given: argparse.Namespace) -> None:
    """The driver and its store, with threads for workers that sleep."""
    answers, reseeds = answers_in(given.store, runs=given.runs, form=None, epochs=3)
    seconds = given.ideal * given.workers / given.runs
    sent = SentSweep(pickled((start_here, {"seconds": seconds})), "stand-in", ENVIRONMENT, ())
    with ThreadPoolExecutor(given.workers) as executor:
        total = -(-given.runs // SMALL)
        scattered = Scattering(sent, ROWS, ExecutorPool(executor), total, seconds=given.ideal / 4)
        count = train(answers, reseeds, scattered.train, SMALL)
    assert count == len(ROWS) * len(reseeds)


def dask(given: argparse.Namespace) -> None:
    """Empty tasks, all of them at once, by the pool of ``--cluster local:N``."""
    from initcheck.cluster.dask_pool import dask_pool

    sent = SentSweep(pickled((start_here, {"seconds": 0.0})), "stand-in", ENVIRONMENT, tuple(sys.path))
    task = SentTask(sent, ((0, tuple((0, reseed) for reseed in range(SMALL))),))
    with dask_pool(f"local:{given.workers}") as pool:
        wait([pool.submit(task) for _ in range(2 * given.workers)])  # until each has started
        start = time.perf_counter()
        wait([pool.submit(task) for _ in range(given.runs)])
        took = time.perf_counter() - start
    print(f"{given.runs / took:.0f} tasks a second", file=sys.stderr)  # noqa: T201


def frame(given: argparse.Namespace) -> None:
    """Loads a store, and makes the frame of its runs."""
    sweep = load_stored(given.store)
    assert len(sweep.to_frame()) == sweep.finished


def means(given: argparse.Namespace) -> None:
    """Loads a store, and makes the frame of means by epoch."""
    assert len(load_stored(given.store).history()) > 0


STEPS = {step.__name__: step for step in (write, scatter, dask, frame, means)}


def main() -> None:
    """Runs the step that is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("store", type=Path)
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--form")
    parser.add_argument("--shard")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--ideal", type=float, default=60.0)
    given = parser.parse_args()
    STEPS[given.step](given)


if __name__ == "__main__":
    main()
