"""Targets and outputs of losses and metrics, and what rows of the two share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from initcheck.catalog.cases.loss_cases import LossCase, Options
from initcheck.catalog.cases.metric_cases import MetricCase
from initcheck.evidence.composition.promises import Row, Seen

Array = np.ndarray[Any, Any]
C = TypeVar("C", LossCase, MetricCase)

_STREAM = 20


def examples(targets: str, outputs: str, shape: tuple[int, ...], axis: Any = -1, stream: int = _STREAM) -> Any:
    """Targets and outputs of those kinds, the same at every call; classes lie along the axis."""
    draws = np.random.RandomState(stream + sum(map(ord, targets + outputs)))
    axis = axis if axis in (1, -1) else -1
    p: Array = draws.normal(size=shape)
    drawn = draws.permutation(np.prod(shape) // shape[axis]) % shape[axis]
    classes = np.where(np.arange(drawn.size) % 3 == 0, p.argmax(axis).ravel(), drawn)
    rest = np.delete(shape, axis)
    hot = np.moveaxis(np.eye(shape[axis])[classes.reshape(rest)], -1, axis)
    if outputs in ("chances", "shares"):
        p = 1 / (1 + np.exp(-p))
    if outputs == "shares":
        p = p / p.sum(axis=axis, keepdims=True)
    if outputs == "positive":
        p = np.abs(p) + 0.25
    if outputs == "units":
        p = p / np.linalg.norm(p, axis=-1, keepdims=True)
    if outputs == "guesses":
        p = np.where(draws.uniform(size=rest) < 0.5, classes.reshape(rest), draws.randint(shape[axis], size=rest))
    if outputs == "ranked":
        p = np.argsort(-p, axis=-1)
    makers: Mapping[str, Callable[[], Array]] = {
        "numbers": lambda: draws.normal(size=shape),
        "positive": lambda: np.abs(draws.normal(size=shape)) + 0.125,
        "bits": lambda: (draws.uniform(size=shape) < 0.5) * 1.0,
        "signs": lambda: np.where(draws.uniform(size=shape) < 0.5, -1.0, 1.0),
        "hot": lambda: hot,
        "classes": lambda: classes.reshape(rest) * 1.0,
        "shares": lambda: draws.dirichlet(np.ones(shape[-1]), shape[:-1]),
        "labels": lambda: np.arange(shape[0]) % 3 * 1.0,
        "spelt": lambda: np.array([[1, 2, 0], [2, 0, 0], [1, 1, 0]]) * 1.0,
    }
    return makers[targets]().astype(np.float32), p.astype(np.float32)


def example_of(case: LossCase | MetricCase, options: Options) -> Any:
    """The case's targets and outputs under those options."""
    outputs = "numbers" if options.get("from_logits") else case.outputs
    return examples(case.targets, outputs, case.shape, options.get("axis", -1))


def supports(kind: Any, options: Options) -> bool:
    """Whether the installed Keras has these arguments."""
    return kind is not None and set(options) <= set(inspect.signature(kind).parameters)


def words_of(options: Options) -> str:
    """Options in words."""
    return ", ".join(f"{name}={value}" for name, value in options.items()) or "by default"


def row_apart(section: str, case: C, look: Callable[[Any, C, Options], Iterator[Seen]]) -> Row:
    """A row of its own for one look at a case, under each of its options that the installed Keras has.

    Args:
        section: The module of ``keras`` that has the class.
        case: The case.
        look: Yields what is seen, from Keras, the case and its options.
    """

    def row(keras: Any, _: Path) -> Iterator[Seen]:
        kind = getattr(getattr(keras, section), case.name, None)
        for options in case.options:
            if supports(kind, options):
                yield from look(keras, case, options)

    return row
