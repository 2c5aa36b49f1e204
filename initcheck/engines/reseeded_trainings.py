"""Several whole trainings of a user's own model that differ in their seed alone, and their scores."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from initcheck.engines.counted_names import CountedNames
from initcheck.engines.own_models import Array, OwnData, OwnModel, leaves_of, mapped, mistakes_in
from initcheck.engines.own_trainings import StepLosses
from initcheck.engines.pinned_sources import SEEDS, pinned
from initcheck.engines.probed_passes import ModelPass, ProbedRows, evenly_spread, pass_through
from initcheck.engines.reuse import KeptModel, find_others_code, read_values
from initcheck.seeding import derive_seed
from initcheck.store.kept_texts import KeptTexts, gathered

MOST_SCORED = 1024  # rows on which a score is taken
_LEAST = 5
_COMPILED = 2  # trainings that compile, and count for no patience
_PATIENCE = 60.0  # seconds after which no further training is begun
_SCORED_STEPS = 16  # of a dataset, likewise


def passes_over_reseeds(
    keras: Any, own: OwnModel, data: OwnData, rows: ProbedRows, count: int, seed: int
) -> Iterator[ModelPass]:
    """A pass of the untrained model under each of several seeds.

    Raises:
        InitcheckError: The model cannot be built, called or differentiated.
    """
    for number in range(count):
        with pinned(keras, SEEDS, derive_seed(seed, "signal", number)):
            model, _ = own.make_model(keras, data)
            yield pass_through(keras, model, rows)


class ReseededTrainings:
    """Trains a model under one seed after another, on the same data.

    Initial weights, order of rows, dropout and whatever else the global seeds decide vary with the seed. A model is
    compiled once where that may be: the weights, the states of generators and the optimizer's variables of each seed
    are put into the compiled one. Of a model that is Keras's own throughout these are all its state; of another, the
    second one that is trained must give the same scores both ways.

    Args:
        keras: The framework.
        own: The model.
        data: The data, made once.
        seed: From which the seeds are derived.
    """

    def __init__(self, keras: Any, own: OwnModel, data: OwnData, seed: int) -> None:
        self._keras = keras
        self._own = own
        self._data = data
        self._seed = seed
        self._names = CountedNames(keras)
        self._kept: KeptModel | None = None
        self._begun = 0
        self.steps = 0

    def scores(self, count: int, texts: KeptTexts | None = None) -> list[dict[str, float]]:
        """The loss and every compiled metric after each training: on training rows, and held-out ones.

        Of a model whose trainings take long there are fewer, five at least.

        Args:
            count: The number of trainings.
            texts: Keeps the scores; what it has is not trained again.

        Raises:
            InitcheckError: The model cannot be trained or evaluated, or the store not be written to.
        """
        makers = {f"reseed-{number}": functools.partial(self._text, number) for number in range(count)}
        found: dict[str, dict[str, float]] = {}
        start = time.monotonic()
        for name, text in gathered(texts, makers):
            self.steps, found[name] = json.loads(text)
            if self._begun <= _COMPILED:
                start = time.monotonic()
            if len(found) >= _LEAST and time.monotonic() - start > _PATIENCE:
                break
        return [found[name] for name in makers if name in found]

    def _text(self, number: int) -> str:
        """The steps and the scores of one training."""
        self._begun += 1
        unproven = self._begun == 2 and self._kept is not None and find_others_code(self._keras, self._kept.model)
        scores = self._scores(number, kept=self._begun > 1 and not unproven)
        if unproven and self._scores(number, kept=True) != scores:
            self._kept = None
        return json.dumps([self.steps, scores])

    def _scores(self, number: int, *, kept: bool) -> dict[str, float]:
        with pinned(self._keras, SEEDS, derive_seed(self._seed, "reseed", number)):
            self._names.put_back()
            model = self._own.make_model(self._keras, self._data)[0]
            if self._begun == 1 and hasattr(self._keras, "ops"):  # Keras 2 has generators that are no variables
                self._kept = KeptModel.of(model, _states(model))
            model = self._placed(model) if kept else model
            losses = StepLosses(self._keras)
            self._own.fit(model, self._data, shuffle=True, callbacks=[losses.callback])
            self.steps = len(losses.values)
            found = self._evaluated(model, self._data, "training")
            if self._data.held_out is not None:
                found |= self._evaluated(model, self._data.held_out, "held-out")
        return found

    def _placed(self, model: Any) -> Any:
        """The compiled model with the values of that one; that one itself where they do not fit."""
        given = _states(model)
        if self._kept is None or [one.shape for one in given] != [one.shape for one in self._kept.variables]:
            return model
        self._kept.put_back(read_values(given))
        return self._kept.model

    def _evaluated(self, model: Any, data: OwnData, what: str) -> dict[str, float]:
        named: dict[str, Any] = {"verbose": 0, "return_dict": True}
        if data.in_batches:
            given, named["steps"] = data.x, _SCORED_STEPS
            size = getattr(data.x, "cardinality", None)
            length = int(size()) if size is not None else len(data.x)
            named["steps"] = min(_SCORED_STEPS, length) if length > 0 else _SCORED_STEPS
        else:
            places = evenly_spread(len(leaves_of(data.x)[0]), MOST_SCORED)
            given = _taken(data.x, places)
            named |= {"y": _taken(data.y, places), "sample_weight": _taken(data.sample_weight, places)}
            named["batch_size"] = self._own.options.batch_size
        with mistakes_in("the model cannot be evaluated: evaluate", "fix its loss or the data"):
            found = model.evaluate(given, **named)
        return {f"{what} {name}": float(value) for name, value in found.items() if np.ndim(value) == 0}


def _taken(structure: Any, places: Array) -> Any:
    return mapped(lambda leaf: np.asarray(leaf)[places], structure)


def _states(model: Any) -> list[Any]:
    """The variables that decide a training: weights, and the states of generators; not those of metrics."""
    metrics = {id(variable) for variable in model.metrics_variables}
    return [variable for variable in model.variables if id(variable) not in metrics]
