"""One seeded training of a user's own model, stage by stage, and its deviations when perturbed by one ulp."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.engines.own_models import leaves_of, mistakes_in
from initcheck.engines.own_runs import OwnEngine
from initcheck.engines.perturbed import perturbed
from initcheck.engines.reuse import Values
from initcheck.evidence.baseline.stages import TrainingStages, largest_deviation
from initcheck.evidence.trace import Arrays
from initcheck.frameworks.backends import load_target_keras
from initcheck.frameworks.quiet import quiet

_TRIALS = 2  # trainings from perturbed weights
_PREDICTED = 256  # rows


def record_stages(engine: OwnEngine, seed: int) -> TrainingStages:
    """The run of that seed under the model's own initializers.

    Raises:
        InitcheckError: It cannot be trained.
    """
    stages = _train(engine, seed, None)
    deviations: dict[str, float] = {}
    for trial in range(_TRIALS):
        for stage, moved in _train(engine, seed, functools.partial(_moved, trial)).items():
            if stage in stages:
                deviations[stage] = max(deviations.get(stage, 0.0), largest_deviation(stages[stage], moved))
    deviations.pop("initial weights", None)
    return TrainingStages(seed, engine.steps, stages, deviations)


def _train(engine: OwnEngine, seed: int, change: Any) -> dict[str, Arrays]:
    first = _FirstStep(load_target_keras())
    model, initial, history = engine.train_fresh(seed, change=change, callbacks=[first.callback])
    losses = [name for name in history if name.endswith("loss")]
    metrics = [name for name in history if name not in losses]
    final = _floats(model.get_weights())
    with quiet(), mistakes_in("the model cannot predict: predict", "fix its call"):
        predictions = leaves_of(model.predict(engine.held_out_inputs(_PREDICTED), verbose=0))
    stages: dict[str, Arrays] = {
        "initial weights": _floats(initial),
        "first loss": first.loss,
        "first update": first.weights,
        "epoch losses": tuple(np.array(history[name], np.float32) for name in losses),
        "epoch metrics": tuple(np.array(history[name], np.float32) for name in metrics),
        "final weights": final,
        "reloaded weights": _reloaded(model),
        "predictions": _floats(predictions),
    }
    return {name: arrays for name, arrays in stages.items() if arrays}


class _FirstStep:
    """Notes the loss and the weights after the first step."""

    def __init__(self, keras: Any) -> None:
        self.loss: Arrays = ()
        self.weights: Arrays = ()
        noted = self

        class NotedFirstStep(keras.callbacks.Callback):  # type: ignore[misc] # a class of whichever Keras is loaded
            def on_train_batch_end(self, _batch: int, logs: Any = None) -> None:
                if not noted.loss:
                    noted.loss = (np.array([(logs or {}).get("loss", np.nan)], np.float32),)
                    noted.weights = _floats(self.model.get_weights())

        self.callback = NotedFirstStep()


def _floats(values: Any) -> Arrays:
    """Those of the values that hold real numbers; seeds and counts are none."""
    arrays = [np.asarray(value) for value in values]
    return tuple(array for array in arrays if array.dtype.kind == "f" or "float" in str(array.dtype))


def _moved(trial: int, values: Values) -> Values:
    return [perturbed(value, 1, trial) if value.dtype == np.float32 else value for value in values]


def _reloaded(model: Any) -> Arrays:
    """The weights after they were saved, set to zero and loaded; nothing where Keras does not save this model."""
    with tempfile.TemporaryDirectory() as folder, quiet():
        file = str(Path(folder) / "model.weights.h5")
        kept = model.get_weights()
        try:
            model.save_weights(file)
            model.set_weights([np.zeros_like(value) for value in kept])
            model.load_weights(file)
            return _floats(model.get_weights())
        except Exception:  # noqa: BLE001 - Keras's reasons are many, and not every model need be saved
            model.set_weights(kept)
            return ()
