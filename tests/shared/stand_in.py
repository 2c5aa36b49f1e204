"""A sweep that trains nothing: each run's numbers follow from its name, after a while. For tests of stores."""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from runs import ENVIRONMENT

from initcheck.catalog.initializers import get_initializers
from initcheck.records import ACCURACY, METRICS, Runs
from initcheck.store.blocks import Share
from initcheck.store.folder import AnswerFolder, Store
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
    """

    def __init__(self, seconds: float = 0.0, log: Path | None = None) -> None:
        self.seconds = seconds
        self.log = log
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
                yield runs_of(name, order, reseeds)


def answers_in(root: Path, **changes) -> AnswerFolder:
    """The folder of one question."""
    trained = {"problem": "iris", "engine": "none", **changes}
    return Store.open(root).answers(SweepQuestion.of(trained, seed=1, score=ACCURACY, environment=ENVIRONMENT))


def resumed(root: Path, trainer, *, reseeds=40, orders=range(1), tile=8, group=1, share=None, pause=1000.0, **changes):
    """The sweep with that store."""
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
    given = parser.parse_args()
    trainer = Trainer(given.seconds, given.log)
    sweep = resumed(given.root, trainer, reseeds=given.reseeds, tile=given.tile, pause=given.pause)
    text = text_of(sweep.runs())
    if given.out is not None:
        given.out.write_bytes(text)


if __name__ == "__main__":
    from initcheck.endings import end_with

    end_with(main)
