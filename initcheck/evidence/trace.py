"""The arrays of one training, stage by stage, and their digests."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from initcheck.digests import digest

Array = np.ndarray[Any, Any]
Arrays = tuple[Array, ...]


class Repetition(Enum):
    """Which of the trainings of one recipe, all under one stream."""

    FIRST = "first"
    AFTER_WORK = "after unrelated random work"
    OTHER_GLOBAL_SEED = "after unrelated random work, under another global seed"


@dataclass(frozen=True)
class Trace:
    """The arrays of one training, stage by stage; each stage decides the next.

    Attributes:
        initial_weights: All weights before the first step.
        batch_order: The rows' numbers in the order that ``fit`` took them, shape ``(epochs, rows)``; empty where they
            were not recorded.
        first_gradient: Of the loss on the first batch at the initial weights, in inference mode, so that it costs no
            randomness; empty where the batch order is.
        first_update: All weights after the first step.
        losses: Every batch's loss, shape ``(epochs, steps)``.
        accuracies: Every batch's accuracy, of the same shape; empty where targets are real numbers.
        final_weights: All weights after the last step.
        predictions: For all training rows, by ``predict``.
        predictions_again: Those of a second call of ``predict``, after the first training only.
    """

    initial_weights: Arrays
    batch_order: Array
    first_gradient: Arrays
    first_update: Arrays
    losses: Array
    accuracies: Array
    final_weights: Arrays
    predictions: Array
    predictions_again: Array

    def stages(self) -> dict[str, Arrays]:
        """The stages by name, from the first to the last."""
        return {
            "initial weights": self.initial_weights,
            "batch order": (self.batch_order,),
            "first loss": (self.losses[:1, :1],),
            "first gradient": self.first_gradient,
            "first update": self.first_update,
            "batch losses": (self.losses,),
            "batch accuracies": (self.accuracies,),
            "final weights": self.final_weights,
            "predictions": (self.predictions,),
        }

    def digests(self) -> dict[str, str]:
        """The stages' digests by name, from the first to the last."""
        return {stage: digest(arrays) for stage, arrays in self.stages().items()}
