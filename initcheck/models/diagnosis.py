"""What the doctor says of a user's model: findings, notes, and the table of weights."""

from __future__ import annotations

from dataclasses import dataclass

FALSE_ALARM_RATE = 1e-3  # of all tests of scale of one model together


@dataclass(frozen=True)
class ModelFinding:
    """Something that is wrong with a model.

    Attributes:
        what: What is wrong, in a few words.
        where: The weights, layers or stage.
        effect: The size of the effect, and what it rests on.
        remedy: What to do.
    """

    what: str
    where: str
    effect: str
    remedy: str


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
class Diagnosis:
    """Everything that was looked at.

    Attributes:
        findings: What is wrong, the worst first.
        notes: What is worth knowing, and is not wrong.
        weights: The weights, in the model's order.
        looked_at: What was looked at and how, a line each.
        seconds: What it took.
        seed: The seed.
        of_script: Whether it is one of a script, and not of a model.
    """

    findings: tuple[ModelFinding, ...]
    notes: tuple[str, ...]
    weights: tuple[WeightFacts, ...]
    looked_at: tuple[str, ...]
    seconds: float
    seed: int
    of_script: bool = False

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def listed(names: list[str], most: int = 3) -> str:
    """The first few names, and how many more there are."""
    more = [f"{len(names) - most} more"] if len(names) > most else []
    return ", ".join([*names[:most], *more])
