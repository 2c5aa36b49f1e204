"""The members of a sweep of a user's own model: fresh models under an initializer and a seed."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from typing import Any

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.own_problems import OWN, OwnProblem
from initcheck.engines.counted_names import CountedNames
from initcheck.engines.own_data import FROZEN
from initcheck.engines.own_initializers import Asked
from initcheck.engines.own_models import AddedWeight, Array, OwnData, OwnModel
from initcheck.engines.reuse import Values, bitwise_equal, read_values
from initcheck.engines.seeded_members import SeededMembers
from initcheck.errors import InitcheckError
from initcheck.frameworks.generators import globally_seeded
from initcheck.frameworks.instances import make_initializer
from initcheck.seeding import derive_seed, layer_seed
from initcheck.texts import for_terminal

_MOST_NAMED = 8  # weights in a line of text


class OwnMembers:
    """Makes fresh models of a problem; the first one, under a frozen seed, says which weights there are.

    Args:
        keras: The framework.
        problem: The problem.
        own: Its model.
        train: Its training rows.

    Attributes:
        first: The first model, built and compiled.

    Raises:
        InitcheckError: It cannot be built.
    """

    def __init__(self, keras: Any, problem: OwnProblem, own: OwnModel, train: OwnData) -> None:
        self._keras = keras
        self._problem = problem
        self._own = own
        self._train = train
        self._seeded: SeededMembers | None = None
        self._names = CountedNames(keras)
        with globally_seeded(keras, FROZEN):
            self.first, self._added = own.make_model(keras, train)
        numbers = {id(weight): one.number for weight, one in zip(self.first.weights, self._added, strict=True)}
        self._places = {
            numbers[id(variable)]: place
            for place, variable in enumerate(self.first.variables)
            if numbers.get(id(variable), -1) >= 0
        }

    def describe_replaced(self) -> str:
        """The weights that an initializer of the catalogue draws, each with the one that it has itself."""
        chosen = self.replaced()
        names = [f"{one.path} ({type(one.initializer).__name__})" for one in chosen[:_MOST_NAMED]]
        more = [f"{len(chosen) - _MOST_NAMED} more"] if len(chosen) > _MOST_NAMED else []
        words = ", ".join([*names, *more]) or "none"
        return f"{words}; {len(self._added) - len(chosen)} of {len(self._added)} weights keep their own"

    def asked(self) -> list[Asked]:
        """The requests of the model to an initializer of the catalogue, each once.

        Raises:
            InitcheckError: There is none.
        """
        if not (chosen := self.replaced()):
            raise InitcheckError(
                f"no weight of {self._problem.name} is drawn by its fans, so that every initializer would be the same; "
                "name those to draw (--weights '*kernel'), or train it under its own alone (--initializers own)"
            )
        return list(dict.fromkeys(Asked(one.value.shape, str(one.value.dtype)) for one in chosen))

    def make(self, row: Initializer, run: int) -> tuple[Any, Values]:
        """A fresh model under that initializer and seed, compiled, and the values of its variables.

        The global generators are seeded with that seed, and left where the building leaves them.
        """
        self._names.put_back()
        model, _ = self._own.make_model(self._keras, self._train, self._replacing(row, run))
        if getattr(model, "steps_per_execution", 1) != 1:
            model.steps_per_execution = 1  # no result depends on it, but Keras 3 may run beyond an epoch
        return model, read_values(model.variables)

    def draw(self, row: Initializer, runs: Sequence[int]) -> list[Values]:
        """For each run the values that ``make`` gives the variables of a fresh model, bit for bit.

        Most models are not built for it: their own draws are made at once, and those of the row beside them. The first
        run shows whether that gives the same bits; if not, each model is built.
        """
        self._seeded = self._seeded or SeededMembers(self._keras, self._own, self._train)
        drawn = self._seeded.draw(runs) if not self._seeded.built else []
        if drawn and not self._seeded.built:
            overlaid = [self._overlaid(row, run, values) for run, values in zip(runs, drawn, strict=True)]
            if bitwise_equal(overlaid[0], self._built(row, runs[0])):
                return overlaid
        return [self._built(row, run) for run in runs]

    def _built(self, row: Initializer, run: int) -> Values:
        with globally_seeded(self._keras, run):
            return self.make(row, run)[1]

    def _overlaid(self, row: Initializer, run: int, values: Sequence[Array]) -> Values:
        """The values of a build with those drawn by the row, or under another seed, in their places."""
        whole = [np.array(value) for value in values]
        for number, initializer in self._replacing(row, run).items():
            if (place := self._places.get(number)) is not None:
                one = whole[place]
                whole[place] = np.asarray(initializer(one.shape, dtype=str(one.dtype)))
        return whole

    def _replacing(self, row: Initializer, run: int) -> dict[int, Any]:
        """Number of a call of ``add_weight`` → the initializer that it gets in place of the layer's."""
        replacing = {
            one.number: make_initializer(row, layer_seed(run, f"weight {one.number}"))
            for one in (self.replaced() if row is not OWN else [])
        }
        for one in self._added:
            if one.number not in replacing and (reseeded := _reseeded(one.initializer, run)) is not None:
                replacing[one.number] = reseeded
        return replacing

    def replaced(self) -> list[AddedWeight]:
        """The weights that an initializer of the catalogue draws.

        Raises:
            InitcheckError: A pattern names none.
        """
        patterns = self._problem.weights
        known = [one for one in self._added if one.number >= 0]
        if patterns:
            chosen = [one for one in known if any(fnmatch.fnmatchcase(one.path, pattern) for pattern in patterns)]
            unused = [one for one in patterns if not fnmatch.filter([each.path for each in known], one)]
            if unused:
                raise InitcheckError(
                    f"no weight of {self._problem.name} is named like {unused[0]!r}; they are "
                    f"{for_terminal(', '.join(each.path for each in known[:_MOST_NAMED]))}"
                )
            return chosen
        scaled = self._keras.initializers.VarianceScaling
        return [one for one in known if one.trainable and isinstance(one.initializer, scaled)]


def _reseeded(initializer: Any, run: int) -> Any | None:
    """The initializer with a seed of that run in place of one of its own; None where it has none.

    Equal seeds stay equal, so that weights which are drawn equal by mistake are so in each run.
    """
    config = initializer.get_config() if hasattr(initializer, "get_config") else {}
    seed = config.get("seed")
    if not isinstance(seed, int) or isinstance(seed, bool):
        return None
    return type(initializer).from_config({**config, "seed": derive_seed(run, "seed", seed)})
