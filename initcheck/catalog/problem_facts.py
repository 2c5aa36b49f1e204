"""Facts of a problem without its functions, for saved sweeps and pages."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from initcheck.catalog.data_facts import describe_data
from initcheck.catalog.problems import PROBLEMS, Problem
from initcheck.endings import is_mistake
from initcheck.records import ACCURACY, Data, Score

_CROSS_ENTROPIES = {"binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"}
_MOST_CLASSES = 1000  # of which counts are kept
_AT_ONCE = 1_000_000  # values that are digested in one piece


@dataclass(frozen=True)
class DataFacts:
    """The facts of a problem's data that pages show, and the targets that accuracies are counted on.

    Attributes:
        rows: Training rows and held-out rows.
        described: Features and classes, as ``(name, value)``.
        classes: The number of distinct targets, training and held-out rows together.
        digest: Of the held-out targets in order: two sweeps with the same one were scored on the same targets.
        counts: The training rows and the held-out rows of each class; empty where unknown.
        arrays: The other arrays, each as ``(name, digest)``; empty where unknown.
    """

    rows: tuple[int, int]
    described: tuple[tuple[str, str], ...]
    classes: int
    digest: str
    counts: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    arrays: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class OneClass:
    """The results of a model that predicts one class for every row.

    Attributes:
        train_correct: Training rows that it classifies correctly, for each class that it may name.
        test_correct: The same for the held-out rows.
        least_loss: The least training loss that it can have, in nats; NaN for a loss that is no cross-entropy.
    """

    train_correct: tuple[int, ...]
    test_correct: tuple[int, ...]
    least_loss: float


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
        chance: Accuracy of always naming the commonest class, or the best score of one constant answer to all rows that
            was tried; None where unknown.
        target: The training score at which a run counts as having learned; None where there is none.
        about: Facts about the data for people, as ``(name, value)``.
        in_catalogue: Whether it was a row of the catalogue, not a user's own problem with the same name.
        data: The facts of its data; None where unknown.
        score: What its runs are judged by.
    """

    name: str
    title: str
    source: str
    loss: str
    batch_size: int
    epochs: int
    chance: float | None
    target: float | None
    about: tuple[tuple[str, str], ...] = ()
    in_catalogue: bool = False
    data: DataFacts | None = None
    score: Score = ACCURACY

    @property
    def one_class(self) -> OneClass | None:
        """The results of a model that predicts one class for every row; None where the counts are unknown."""
        train, test = self.data.counts if self.data else ((), ())
        if not train or len(train) != len(test) or not self.score.counted:
            return None
        shares = np.array([count for count in train if count]) / sum(train)
        entropy = -float(shares @ np.log(shares))
        return OneClass(train, test, entropy if self.loss in _CROSS_ENTROPIES else math.nan)

    @classmethod
    def of(cls, problem: Problem | ProblemFacts) -> ProblemFacts:
        """The facts of a problem; this loads its data."""
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
    """Whether a problem is a row of this version's catalogue, or was saved from one that trains in the same way."""
    row = PROBLEMS.get(problem.name)
    if row is None or isinstance(problem, Problem):
        return row is problem
    trained = ("loss", "batch_size", "epochs", "chance", "target")
    return problem.in_catalogue and all(getattr(problem, name) == getattr(row, name) for name in trained)


def _data_facts(problem: Problem) -> DataFacts | None:
    try:
        data = problem.data()
        counts = _count_classes(data)
        classes = len(counts[0])
        rows, described = (len(data.x_train), len(data.x_test)), tuple(describe_data(data).items())
        named = {"training inputs": data.x_train, "training targets": data.y_train, "held-out inputs": data.x_test}
        arrays = tuple((name, digest_of([array])) for name, array in named.items())
        digest = digest_of([data.y_test])
    except BaseException as error:  # the user's function, after the training: it must not cost the finished runs
        if not isinstance(error, Exception) and not is_mistake(error):
            raise
        return None
    one_target_a_row = tuple(map(sum, counts)) == rows and classes <= _MOST_CLASSES
    return DataFacts(rows, described, classes, digest, counts if one_target_a_row else ((), ()), arrays)


def digest_of(arrays: Sequence[np.ndarray]) -> str:
    """A digest of the values in order, as float64, which holds every class number and float32 whatever the dtype.

    Texts are digested as they are.
    """
    digest = hashlib.blake2b(digest_size=12)
    for values in arrays:
        flat = np.ravel(values)
        kind = np.float64 if flat.dtype.kind in "fiub" else flat.dtype
        for start in range(0, len(flat), _AT_ONCE):
            digest.update(np.ascontiguousarray(flat[start : start + _AT_ONCE], dtype=kind).tobytes())
    return digest.hexdigest()


def _count_classes(data: Data) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The count of each distinct target among the training rows, and among the held-out rows."""
    train, test = np.ravel(data.y_train), np.ravel(data.y_test)
    labels, places = np.unique(np.concatenate([train, test]), return_inverse=True)
    ends = places[: len(train)], places[len(train) :]
    of_train, of_test = (tuple(np.bincount(end, minlength=len(labels)).tolist()) for end in ends)
    return of_train, of_test
