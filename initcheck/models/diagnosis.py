"""What the doctor says of a user's model: findings, notes, and the table of weights."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from initcheck.records import Environment
from initcheck.statistics.estimates import Estimate

FALSE_ALARM_RATE = 1e-3  # of all tests of scale of one model together


class ModelQuestion(StrEnum):
    """What the doctor asks of a model, in its order."""

    WEIGHTS = "weights"
    REPETITION = "repetition"
    INFERENCE = "inference"
    SIGNAL = "signal"


@dataclass(frozen=True)
class ModelFinding:
    """Something that is wrong with a model, or with a script.

    Attributes:
        what: What is wrong, in a few words.
        where: The weights, layers or stage.
        effect: The size of the effect, and what it rests on.
        remedy: What to do.
        question: What was asked; None of a script.
    """

    what: str
    where: str
    effect: str
    remedy: str
    question: ModelQuestion | None = None


@dataclass(frozen=True)
class WeightFacts:
    """One weight over several builds.

    Attributes:
        path: Its path in the model.
        shape: Its shape.
        initializer: The initializer as configured, in words.
        law: Its documented law, in words; empty where none is stated.
        fans: Fan-in and fan-out by that documentation; empty where the law has none.
        expected: The law's standard deviation, or its constant; None where none is stated.
        actual: The measured one, over all builds.
        seeding: Whether reseeding changes it: ``reseeds``, ``fixed``, ``unseeded`` or ``constant``.
        note: How to read the fans, for example.
    """

    path: str
    shape: tuple[int, ...]
    initializer: str
    law: str
    fans: str
    expected: float | None
    actual: float
    seeding: str
    note: str = ""


@dataclass(frozen=True)
class LayerSignal:
    """One layer's signal over several reseeds, in the order of calls.

    Attributes:
        layer: Its path.
        kind: Its class.
        activation: The name of its activation; empty where it has none.
        scale: The root mean square of what it returns.
        gradient: The norm of the loss's gradient by what it is given; NaN where there is none.
        dead: The share of relu units that are 0 for all rows; None where it has none.
        saturated: The share of values of sigmoid or tanh near an end; likewise.
    """

    layer: str
    kind: str
    activation: str
    scale: Estimate
    gradient: Estimate
    dead: Estimate | None
    saturated: Estimate | None


@dataclass(frozen=True)
class FirstLoss:
    """The loss of one output before training, against that of the best constant prediction on the same rows.

    Attributes:
        output: The output's name; empty where there is one only.
        loss: The name of its loss.
        first: The first loss over reseeds.
        constant: That of the best constant prediction.
        limit: What it would have to exceed to be a finding.
    """

    output: str
    loss: str
    first: Estimate
    constant: float
    limit: float


@dataclass(frozen=True)
class SeedsNeeded:
    """One row of the table of seeds.

    Attributes:
        seeds: The number of seeds of each of two configurations.
        detectable: The smallest difference of their means that Welch's test finds with power 90 % at α = 0.05.
        at_most: The same for the upper end of the 95 % interval of the standard deviation.
        lucky: How much better than the mean the best of so many seeds is expected to be.
    """

    seeds: int
    detectable: float
    at_most: float
    lucky: float


@dataclass(frozen=True)
class ReseededScore:
    """One score of whole trainings over reseeds.

    Attributes:
        name: Its name, such as ``held-out accuracy``.
        values: One a reseed.
        mean: The mean, with its 95 % t interval.
        spread: The standard deviation, with its 95 % interval (χ²).
        table: What so many seeds find; empty where all values are equal, or where one is no number.
    """

    name: str
    values: tuple[float, ...]
    mean: Estimate
    spread: Estimate
    table: tuple[SeedsNeeded, ...]


@dataclass(frozen=True)
class Diagnosis:
    """Everything that was looked at.

    Attributes:
        findings: What is wrong, the worst first.
        notes: What is worth knowing, and is not wrong.
        weights: The weights, in the model's order.
        looked_at: What was looked at and how, a line each.
        seconds: What it took.
        seed: The seed.
        signal: The signal by layer; empty where it was not looked at.
        first_losses: The first loss of each output that was looked at.
        scores: The scores of whole trainings over reseeds.
        asked: The questions that were answered.
        of_script: Whether it is one of a script, and not of a model.
        examined: Model and data, or the script, by their names.
        environment: Where it was examined; None of a script, which may run anything.
    """

    findings: tuple[ModelFinding, ...]
    notes: tuple[str, ...]
    weights: tuple[WeightFacts, ...]
    looked_at: tuple[str, ...]
    seconds: float
    seed: int
    signal: tuple[LayerSignal, ...] = ()
    first_losses: tuple[FirstLoss, ...] = ()
    scores: tuple[ReseededScore, ...] = ()
    of_script: bool = False
    asked: tuple[ModelQuestion, ...] = ()
    examined: str = ""
    environment: Environment | None = None

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def listed(names: list[str], most: int = 3) -> str:
    """The first few names, and how many more there are."""
    more = [f"{len(names) - most} more"] if len(names) > most else []
    return ", ".join([*names[:most], *more])
