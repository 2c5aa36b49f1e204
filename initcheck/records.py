"""The frozen records that flow through the house: evidence, written by training and read by everyone else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum

import numpy as np
import numpy.typing as npt


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
class Epoch:
    """One epoch as Keras's ``History`` reports it: running means over its batches, and the held-out rows after it."""

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float


@dataclass(frozen=True)
class Run:
    """One training: problem × initializer × reseed.

    Attributes:
        problem: Name of the problem's row.
        initializer: Name of the initializer's row.
        reseed: Number of the repetition, from 0.
        seed: The integer that decides every draw of this run.
        train_correct: Training rows that the final weights classify rightly.
        train_total: Training rows.
        test_correct: Held-out rows that the final weights classify rightly.
        test_total: Held-out rows.
        history: The epochs in order, counted from 1.
    """

    problem: str
    initializer: str
    reseed: int
    seed: int
    train_correct: int
    train_total: int
    test_correct: int
    test_total: int
    history: tuple[Epoch, ...]

    @property
    def train_accuracy(self) -> float:
        """Share of training rows that the final weights classify rightly."""
        return self.train_correct / self.train_total

    @property
    def test_accuracy(self) -> float:
        """Share of held-out rows that the final weights classify rightly."""
        return self.test_correct / self.test_total

    @property
    def loss(self) -> float:
        """The last epoch's training loss, as Keras reports it."""
        return self.history[-1].loss


@dataclass(frozen=True)
class Environment:
    """The software and hardware that decide bits.

    Attributes:
        versions: Package name → installed version.
        python: Version of the interpreter.
        platform: Operating system and machine.
        cpu: Model name of the processor.
        threads: TensorFlow's threads within and between operations; 0 means its own choice.
        onednn: Whether oneDNN's kernels are on.
        op_determinism: Whether TensorFlow's op determinism is on.
        devices: The devices that TensorFlow sees.
    """

    versions: Mapping[str, str]
    python: str
    platform: str
    cpu: str
    threads: tuple[int, int]
    onednn: bool
    op_determinism: bool
    devices: tuple[str, ...]

    def rows(self) -> list[tuple[str, str]]:
        """The environment as ``(name, value)`` pairs for people to read."""
        shown = {
            "python": self.python,
            **self.versions,
            "platform": self.platform,
            "cpu": self.cpu,
            "threads": "{} within, {} between operations (0: TensorFlow's choice)".format(*self.threads),
            "oneDNN": "on" if self.onednn else "off",
            "op determinism": "on" if self.op_determinism else "off",
            "devices": ", ".join(self.devices),
        }
        return list(shown.items())


EPOCH_FIELDS = tuple(field.name for field in fields(Epoch))


class Status(Enum):
    """What a check says of its evidence."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Attributes:
        status: The judgement.
        measured: What was found, in words with numbers.
        expected: What the documentation says it should be.
        bound: How far it may be off, and why.
        n: Sample size of a statistical verdict.
        p_value: Its smallest p-value, if it has one.
        alpha: The false-alarm rate that the p-value is compared with.
        effect: The relative size of what was found, where it has one.
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
        told = ", ".join(f"{name}={value}" for name, value in facts.items() if value is not None)
        parts = [self.measured, f"expected {self.expected}" if self.expected else "", self.bound]
        return ", ".join(part for part in parts if part) + (f" [{told}]" if told else "")

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
