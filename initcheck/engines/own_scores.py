"""Which number a user's own model is judged by, and from which value on a run of it has learned."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from initcheck.catalog.own_problems import OwnProblem
from initcheck.errors import InitcheckError
from initcheck.records import Score
from initcheck.texts import for_terminal

_LOSS = Score("loss", higher_is_better=False)
_ACCURACIES = (
    "accuracy",
    "acc",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
)
_LEAST_TARGET = 0.9  # of an accuracy: the lecture's

# Directions of metrics and losses by the names that Keras gives them, https://keras.io/api/metrics/.
_LOWER = [
    "loss",
    "mse",
    "mean_squared_error",
    "mae",
    "mean_absolute_error",
    "mape",
    "mean_absolute_percentage_error",
    "msle",
    "mean_squared_logarithmic_error",
    "root_mean_squared_error",
    "rmse",
    "log_cosh",
    "logcosh",
    "poisson",
    "kl_divergence",
    "kullback_leibler_divergence",
    "hinge",
    "squared_hinge",
    "categorical_hinge",
    "huber",
    "binary_crossentropy",
    "bce",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "categorical_focal_crossentropy",
    "binary_focal_crossentropy",
    "false_positives",
    "false_negatives",
]
_HIGHER = [
    "auc",
    "precision",
    "recall",
    "f1_score",
    "fbeta_score",
    "r2_score",
    "cosine_similarity",
    "top_k_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "binary_io_u",
    "mean_io_u",
    "io_u",
    "one_hot_io_u",
    "one_hot_mean_io_u",
    "pearson_correlation",
    "concordance_correlation",
    "true_positives",
    "true_negatives",
    "precision_at_recall",
    "recall_at_precision",
    "sensitivity_at_specificity",
    "specificity_at_sensitivity",
]


def choose_score(problem: OwnProblem, names: Sequence[str], metrics: Iterable[Any], *, countable: bool) -> Score:
    """The score of a problem.

    Args:
        problem: The problem.
        names: The names of the metrics of the training rows in ``History``.
        metrics: The model's metrics as objects, which may know their direction.
        countable: Whether the targets may be classes, so that an accuracy means something.

    Raises:
        InitcheckError: There is no such metric, its direction is not known, or it counts real numbers.
    """
    name = problem.score_name
    if not name:
        accuracies = [one for one in names if one in _ACCURACIES and countable]
        name = accuracies[0] if len(accuracies) == 1 else _LOSS.name
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"it has {for_terminal(', '.join(names))}"
        raise InitcheckError(f"no metric of the model is named {name!r}; {hint}")
    if name in _ACCURACIES and not countable:
        raise InitcheckError(
            f"the targets are real numbers, of which {name} counts none; take another score, such as loss"
        )
    higher = problem.higher_is_better
    if higher is None:
        higher = _direction(name, names, metrics)
    if higher is None:
        raise InitcheckError(f"whether a higher {name} is better is not known; say so: --score {name}:max, or :min")
    return Score(name, higher_is_better=higher)


def _direction(name: str, names: Sequence[str], metrics: Iterable[Any]) -> bool | None:
    """Whether higher is better; None where nothing says so."""
    for metric in metrics:  # Keras 3.8 and later say so themselves
        if getattr(metric, "name", "") == name and getattr(metric, "_direction", None) in ("up", "down"):
            return bool(metric._direction == "up")
    # A metric of one of several outputs is named after it, and a second one of a name is numbered.
    ends = [one for one in (*_LOWER, *_HIGHER, *_ACCURACIES) if name == one or name.endswith(f"_{one}")]
    if not ends and (stem := name.rstrip("0123456789").rstrip("_")) != name:
        return _direction(stem, names, ())
    longest = max(ends, key=len, default="")
    return None if not longest else longest not in _LOWER


def default_target(score: Score, chance: float | None) -> float | None:
    """The training score from which on a run has learned, given the best one of one answer to all rows.

    For an accuracy the lecture's 0.9, or halfway from that to 1 where that is as high; for a loss half of it.
    """
    if chance is None:
        return None
    if score.is_share:
        return _LEAST_TARGET if chance < _LEAST_TARGET else (1 + chance) / 2
    return chance / 2 if not score.higher_is_better and chance > 0 else None
