"""What can be said of a problem without its functions: what a saved sweep keeps, and what a page shows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from initcheck.catalog.data_facts import describe_data
from initcheck.catalog.problems import PROBLEMS, Problem
from initcheck.endings import is_mistake


@dataclass(frozen=True)
class DataFacts:
    """What a page says of a problem's data, and the targets that accuracies are counted on.

    Attributes:
        rows: Training rows and held-out rows.
        described: Features and classes, as ``(name, value)``.
        classes: How many distinct targets the table has, training and held-out rows together.
        digest: Of the held-out targets in their order: two sweeps with the same one were scored on the same targets.
    """

    rows: tuple[int, int]
    described: tuple[tuple[str, str], ...]
    classes: int
    digest: str


@dataclass(frozen=True)
class ProblemFacts:
    """A problem as a record: its attributes but for its functions, which no file can hold.

    Attributes:
        name: As ``Problem.name``.
        title: One line for people.
        source: Where data and protocol come from.
        loss: The loss as ``compile`` takes it.
        batch_size: Rows per step.
        epochs: Passes over the training rows, unless a sweep was given another number.
        chance: Accuracy of always naming the commonest class.
        target: Training accuracy from which on a run counts as having learned.
        about: Facts about the data for people, as ``(name, value)``.
        in_catalogue: Whether it was a row of the catalogue, and not one of the user's own with the same name.
        data: What its data are; None where that is not known.
    """

    name: str
    title: str
    source: str
    loss: str
    batch_size: int
    epochs: int
    chance: float
    target: float
    about: tuple[tuple[str, str], ...] = ()
    in_catalogue: bool = False
    data: DataFacts | None = None

    @classmethod
    def of(cls, problem: Problem | ProblemFacts) -> ProblemFacts:
        """The facts of a problem, whose data are loaded for it."""
        if isinstance(problem, ProblemFacts):
            return problem
        return cls(
            name=problem.name,
            title=problem.title,
            source=problem.source,
            loss=problem.loss,
            batch_size=problem.batch_size,
            epochs=problem.epochs,
            chance=problem.chance,
            target=problem.target,
            about=problem.about,
            in_catalogue=is_catalogued(problem),
            data=_data_facts(problem),
        )


def is_catalogued(problem: Problem | ProblemFacts) -> bool:
    """Whether a problem is a row of today's catalogue: a sweep's own, or one that was saved and trains as it does."""
    row = PROBLEMS.get(problem.name)
    if row is None or isinstance(problem, Problem):
        return row is problem
    trained = ("loss", "batch_size", "epochs", "chance", "target")
    return problem.in_catalogue and all(getattr(problem, name) == getattr(row, name) for name in trained)


def _data_facts(problem: Problem) -> DataFacts | None:
    try:
        data = problem.data()
        targets = np.ascontiguousarray(data.y_test)
        classes = len(np.unique(np.concatenate([np.ravel(data.y_train), np.ravel(targets)])))
        rows, described = (len(data.x_train), len(data.x_test)), tuple(describe_data(data).items())
    except BaseException as error:  # the user's function, after the training: it must not cost the finished runs
        if not isinstance(error, Exception) and not is_mistake(error):
            raise
        return None
    # float64 holds every class number: the same targets have one digest, whatever type they are stored in.
    digest = hashlib.blake2b(np.ravel(targets).astype(np.float64).tobytes(), digest_size=12).hexdigest()
    return DataFacts(rows, described, classes, digest)
