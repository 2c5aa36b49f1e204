"""One seeded training as a user would write it: the framework's own order, its own compilation."""

from __future__ import annotations

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.problems import Problem
from initcheck.engines.fit import count_correct
from initcheck.engines.problem_models import build_model
from initcheck.engines.validation.problem import validated_data
from initcheck.evidence.determinism.traces import weights
from initcheck.evidence.trace import Arrays
from initcheck.frameworks.backends import load_target_keras
from initcheck.frameworks.generators import globally_seeded
from initcheck.frameworks.instances import LayerInitializers


def fit_shuffled(problem: Problem, row: Initializer, seed: int) -> dict[str, Arrays]:
    """Returns the stages of a training under ``set_random_seed`` and ``fit(shuffle=True)``.

    The last of the accuracies is that of the held-out rows.

    It starts from the weights of the reference engine's run of that seed.

    Args:
        problem: The problem to train.
        row: The initializer.
        seed: Of every draw, and of the global generators, which the order is taken from.
    """
    keras, data = load_target_keras(), validated_data(problem)
    with globally_seeded(keras, seed):
        model = build_model(keras, problem, row, LayerInitializers(row, seed), data.input_shape)
        initial = weights(model)
        model.compile(optimizer=problem.optimizer(keras), loss=problem.loss, metrics=["accuracy"])
        history = model.fit(
            data.x_train,
            data.y_train,
            batch_size=problem.rows_per_step(len(data.x_train)),
            epochs=problem.epochs,
            shuffle=True,
            verbose=0,
        ).history
        # Once, at the end: held-out rows after every epoch would cost as much as the training.
        held_out = count_correct(model, data.x_test, data.y_test) / len(data.x_test)
    return {
        "initial weights": initial,
        "epoch losses": (np.array(history["loss"], dtype=np.float32),),
        "epoch accuracies": (np.array([*history["accuracy"], held_out], dtype=np.float32),),
        "final weights": weights(model),
    }
