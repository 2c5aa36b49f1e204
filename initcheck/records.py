"""The frozen records that flow through the house: evidence, written by training and read by everyone else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.targets import TENSORFLOW, backend_of


@dataclass(frozen=True)
class Data:
    """A table split into training and held-out rows.

    Attributes:
        x_train: Training inputs, shape ``(rows, *input_shape)``, float32.
        y_train: Training targets: shape ``(rows, 1)`` of 0 and 1 as float32 for a sigmoid output, or shape
            ``(rows,)`` of class numbers as int32 for a softmax output.
        x_test: Held-out inputs, shaped like ``x_train``.
        y_test: Held-out targets, shaped like ``y_train``.
    """

    x_train: npt.NDArray[np.float32]
    y_train: npt.NDArray[np.generic]
    x_test: npt.NDArray[np.float32]
    y_test: npt.NDArray[np.generic]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one row of inputs."""
        return self.x_train.shape[1:]


@dataclass(frozen=True)
class Score:
    """The number that a run is judged by.

    Attributes:
        name: Its name in Keras's ``History``, such as ``accuracy``, ``loss`` or ``mae``.
        higher_is_better: Its direction.
        counted: Whether it is the share of correctly classified rows, a count over their number.
    """

    name: str
    higher_is_better: bool
    counted: bool = False

    @property
    def is_share(self) -> bool:
        """Whether it is a share of 1 by its name: an accuracy."""
        return self.counted or "accuracy" in self.name or self.name == "acc"

    @property
    def sign(self) -> float:
        """What it is multiplied by, so that higher is better."""
        return 1.0 if self.higher_is_better else -1.0


ACCURACY = Score("accuracy", higher_is_better=True, counted=True)
_MOST_ROWS = 1_000_000  # epochs of runs that are worked on at once, unless one run has more
METRICS = ("loss", "accuracy", "val_loss", "val_accuracy")  # of a run that is scored by ``ACCURACY``


@dataclass(frozen=True)
class Run:
    """One training: problem × initializer × reseed.

    Attributes:
        problem: Name of the problem's row.
        initializer: Name of the initializer's row.
        reseed: Number of the repetition, from 0.
        seed: The integer that decides every draw of this run.
        train_score: Score of the final weights on the training rows.
        train_total: Training rows.
        test_score: Score of the final weights on the held-out rows.
        test_total: Held-out rows.
        history: Metric → its value after each epoch, as Keras's ``History`` holds it: running means over the batches,
            and with ``val_`` those of the held-out rows.
        order: Number of the batch order, from 1; 0 is the frozen one.
        score: The score.
    """

    problem: str
    initializer: str
    reseed: int
    seed: int
    train_score: float
    train_total: int
    test_score: float
    test_total: int
    history: Mapping[str, tuple[float, ...]]
    order: int = 0
    score: Score = ACCURACY

    @property
    def train_correct(self) -> int:
        """Training rows that the final weights classify correctly, where the score counts them."""
        return round(self.train_score * self.train_total)

    @property
    def test_correct(self) -> int:
        """Held-out rows that the final weights classify correctly, where the score counts them."""
        return round(self.test_score * self.test_total)

    @property
    def loss(self) -> float:
        """The last epoch's training loss, as Keras reports it."""
        return self.history["loss"][-1]


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs of one problem under one initializer, as columns: a hundred thousand of them fit into memory.

    Attributes:
        problem: Name of the problem's row.
        initializer: Name of the initializer's row.
        reseeds: Number of each repetition, shape ``(runs,)``.
        orders: Number of each batch order, shape ``(runs,)``; 0 is the frozen one.
        seeds: The integer that decides the draws of each run, shape ``(runs,)``.
        train_score: Score of each run's final weights on the training rows, shape ``(runs,)``.
        train_total: Training rows.
        test_score: The same on the held-out rows, shape ``(runs,)``.
        test_total: Held-out rows.
        history: The metrics of each epoch, shape ``(runs, epochs, metrics)``: an array, or what is indexed like one and
            lies on the disk, of which ``column`` and ``pieces`` read a part at a time.
        metrics: The names of these.
        score: The score.
    """

    problem: str
    initializer: str
    reseeds: npt.NDArray[np.int64]
    orders: npt.NDArray[np.int64]
    seeds: npt.NDArray[np.int64]
    train_score: npt.NDArray[np.float64]
    train_total: int
    test_score: npt.NDArray[np.float64]
    test_total: int
    history: npt.NDArray[np.float64]
    metrics: tuple[str, ...] = METRICS
    score: Score = ACCURACY

    def __len__(self) -> int:
        return len(self.reseeds)

    def __iter__(self) -> Iterator[Run]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> Run:
        return Run(
            problem=self.problem,
            initializer=self.initializer,
            reseed=int(self.reseeds[number]),
            seed=int(self.seeds[number]),
            train_score=float(self.train_score[number]),
            train_total=self.train_total,
            test_score=float(self.test_score[number]),
            test_total=self.test_total,
            history={
                name: tuple(map(float, self.history[number, :, place])) for place, name in enumerate(self.metrics)
            },
            order=int(self.orders[number]),
            score=self.score,
        )

    @property
    def epochs(self) -> int:
        """The number of epochs of each run."""
        return int(self.history.shape[1])

    @property
    def train_correct(self) -> npt.NDArray[np.int64]:
        """Training rows that each run's final weights classify correctly, where the score counts them."""
        return np.rint(self.train_score * self.train_total).astype(np.int64)

    @property
    def test_correct(self) -> npt.NDArray[np.int64]:
        """Held-out rows that each run's final weights classify correctly, where the score counts them."""
        return np.rint(self.test_score * self.test_total).astype(np.int64)

    def metric(self, name: str) -> npt.NDArray[np.float64]:
        """The values of one of ``metrics`` in each epoch, shape ``(runs, epochs)``."""
        return self.history[:, :, self.metrics.index(name)]

    def column(self, name: str, epoch: int) -> npt.NDArray[np.float64]:
        """The values of one of ``metrics`` after one epoch, counted as places are, shape ``(runs,)``."""
        return self.history[:, epoch, self.metrics.index(name)]

    def pieces(self, size: int | None = None) -> Iterator[Runs]:
        """The same runs, at most so many at a time; by default so many that their histories are small."""
        size = size or runs_at_once(self.epochs)
        for start in range(0, max(1, len(self)), size):
            yield self.at(slice(start, start + size))

    def at(self, places: slice | npt.NDArray[np.int64]) -> Runs:
        """The runs at those places; views where they are a slice."""
        columns: dict[str, Any] = {name: getattr(self, name)[places] for name in _COLUMNS}
        return replace(self, **columns)

    @classmethod
    def join(cls, parts: Sequence[Runs]) -> Runs:
        """All runs of those parts, which are of one problem, initializer, score and number of epochs."""
        joined: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS}
        return replace(parts[0], **joined)


def runs_at_once(epochs: int) -> int:
    """The number of runs whose histories are worked on or written at once."""
    return max(1, min(10_000, _MOST_ROWS // epochs))


def group_runs(runs: Iterable[Run | Runs]) -> tuple[Runs, ...]:
    """Runs of one problem as columns, one group for each initializer, in the order in which they first appear."""
    groups: dict[str, list[Runs]] = {}
    for run in runs:
        groups.setdefault(run.initializer, []).append(run if isinstance(run, Runs) else _as_columns(run))
    return tuple(Runs.join(parts) for parts in groups.values())


def _as_columns(run: Run) -> Runs:
    return Runs(
        problem=run.problem,
        initializer=run.initializer,
        reseeds=np.array([run.reseed]),
        orders=np.array([run.order]),
        seeds=np.array([run.seed]),
        train_score=np.array([run.train_score]),
        train_total=run.train_total,
        test_score=np.array([run.test_score]),
        test_total=run.test_total,
        history=np.array([list(zip(*run.history.values(), strict=True))], dtype=np.float64),
        metrics=tuple(run.history),
        score=run.score,
    )


@dataclass(frozen=True)
class Environment:
    """The software and hardware that decide bits.

    Attributes:
        versions: Package name → version of the imported package.
        distributions: Package name → the distribution that gave it, where that has another name.
        python: Version of the interpreter.
        platform: Operating system, machine and C library.
        cpu: Model name of the processor, and how many cores of it.
        cpu_features: Those of its instruction sets that kernels are chosen by.
        threads: The framework's threads within and between operations; 0 means its own choice.
        onednn: Whether oneDNN's kernels are on; False where the framework has none.
        op_determinism: Whether the framework's determinism is on; False where it has no such switch.
        devices: The devices that the framework sees.
        switches: Name → value of other settings that change bits.
        target: What was under test.
    """

    versions: Mapping[str, str]
    python: str
    platform: str
    cpu: str
    threads: tuple[int, int]
    onednn: bool
    op_determinism: bool
    devices: tuple[str, ...]
    cpu_features: tuple[str, ...] = ()
    switches: Mapping[str, str] = field(default_factory=dict)
    distributions: Mapping[str, str] = field(default_factory=dict)
    target: str = TENSORFLOW

    def rows(self, only: Collection[str] | None = None) -> list[tuple[str, str]]:
        """The environment as ``(name, value)`` pairs for people to read: of all fields, or only of those."""
        of_jax = backend_of(self.target) == "jax"  # which has no such switches
        shown: dict[str, Mapping[str, str]] = {
            "target": {"target": self.target},
            "python": {"python": self.python},
            "versions": self.versions,
            "distributions": {f"{name} is from": distribution for name, distribution in self.distributions.items()},
            "platform": {"platform": self.platform},
            "cpu": {"cpu": self.cpu},
            "cpu_features": {"cpu features": ", ".join(self.cpu_features)},
            "threads": {
                "threads": f"{self.threads[0]} within, {self.threads[1]} between operations (0: the framework's choice)"
            },
            "onednn": {} if of_jax else {"oneDNN": "on" if self.onednn else "off"},
            "op_determinism": {} if of_jax else {"op determinism": "on" if self.op_determinism else "off"},
            "devices": {"devices": ", ".join(self.devices)},
            "switches": {"switches": ", ".join(f"{name}={value}" for name, value in self.switches.items())},
        }
        return [
            (name, value)
            for field_name, entries in shown.items()
            if only is None or field_name in only
            for name, value in entries.items()
            if value
        ]


# The fields of ``Environment``, beside versions, that decide bits: where one differs, equal bits are not promised.
DECIDE_BITS = (
    *("target", "platform", "cpu", "cpu_features", "threads", "onednn", "op_determinism", "devices", "switches"),
)

_COLUMNS = ("reseeds", "orders", "seeds", "train_score", "test_score", "history")


class Status(Enum):
    """The judgement of a check on its evidence."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Verdict:
    """The verdict of a check, with its numbers.

    Attributes:
        status: The judgement.
        measured: The actual value, in words with numbers.
        expected: The documented value.
        bound: The tolerance, and its reason.
        n: Sample size of a statistical verdict.
        p_value: Its smallest p-value, if it has one.
        alpha: The false-alarm rate that the p-value is compared with.
        effect: The relative size of the deviation, where it has one.
        cause: The exception, if one was raised.
    """

    status: Status
    measured: str
    expected: str = ""
    bound: str = ""
    n: int | None = None
    p_value: float | None = None
    alpha: float | None = None
    effect: float | None = None
    cause: BaseException | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        facts = {
            "n": self.n,
            "p": None if self.p_value is None else f"{self.p_value:.2g}",
            "α": None if self.alpha is None else f"{self.alpha:.2g}",
        }
        numbers = ", ".join(f"{name}={value}" for name, value in facts.items() if value is not None)
        parts = [self.measured, f"expected {self.expected}" if self.expected else "", self.bound]
        return ", ".join(part for part in parts if part) + (f" [{numbers}]" if numbers else "")

    def confirmed_by(self, again: Verdict) -> Verdict:
        """This failure after a second look on fresh streams: it stands only if that fails too."""
        if again.status is Status.FAIL:
            return replace(
                self, bound="; ".join(filter(None, (self.bound, f"again on fresh streams: {again.measured}")))
            )
        return replace(again, measured=f"{again.measured} (a first look failed: {self.measured})")


def passed(measured: str, **facts: object) -> Verdict:
    """A verdict that passes."""
    return Verdict(Status.PASS, measured, **facts)  # type: ignore[arg-type] # the facts are Verdict's own fields


def failed(measured: str, expected: str, **facts: object) -> Verdict:
    """A verdict that fails."""
    return Verdict(Status.FAIL, measured, expected, **facts)  # type: ignore[arg-type] # the same
