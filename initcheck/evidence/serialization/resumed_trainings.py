"""A training saved after its first step, and the second step with and without the file."""

from __future__ import annotations

import functools
import inspect
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.catalog.cases.resumptions import Resumption
from initcheck.evidence.serialization.round_trips import Arrays, Config
from initcheck.evidence.session import Session
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import apply_gradients, as_tensor, mean
from initcheck.frameworks.differentiation import gradients
from initcheck.frameworks.quiet import quiet
from initcheck.oracle.optimizer_steps import Schedule
from initcheck.targets import backend_of, target

_WIDTH = 2  # of every layer: variables of one shape may be mixed up


class Carrier(Enum):
    """A file, and the model that its contents come into."""

    KERAS = "a .keras file"
    WEIGHTS = "a .weights.h5 file, read by a compiled model that has trained"
    FRESH = "a .weights.h5 file, read by a compiled model that has not trained"
    H5 = "an .h5 file"

    @property
    def suffix(self) -> str:
        """One word, for names."""
        return self.name.lower()


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A compiled model after a step.

    Attributes:
        weights: The model's.
        state: The optimizer's variables, in order.
        steps: The optimizer's count of its steps.
        config: The optimizer's configuration.
    """

    weights: Arrays
    state: Arrays
    steps: int
    config: Config


class Resumptions:
    """Evidence from trainings that are resumed from files.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._keras = session.keras

    def lacking(self, case: Resumption) -> str:
        """What the installed Keras has not of a case; empty where it has all."""
        optimizers = self._keras.optimizers
        for name, arguments in ((case.optimizer, case.settings), ("LossScaleOptimizer", case.scaling)):
            if arguments or name == case.optimizer:
                kind = getattr(optimizers, name, None)
                if kind is None:
                    return name
                if unknown := set(arguments) - set(inspect.signature(kind).parameters):
                    return f"{name}({', '.join(sorted(unknown))})"
        if case.scaling and backend_of(target()) == "jax":
            return "LossScaleOptimizer that takes a step outside of a compiled one on JAX"
        return ""

    def first_step(self, case: Resumption) -> TrainedModel:
        """The training when it is saved."""
        seen: TrainedModel = self._all(case)["saved"]
        return seen

    def second_step(self, case: Resumption, carrier: Carrier | None = None) -> TrainedModel:
        """The training after its second step, without a file or through one.

        Raises:
            Exception: Whatever the framework raises on the way.
        """
        seen = self._all(case)[carrier]
        if isinstance(seen, Exception):
            raise seen
        trained: TrainedModel = seen
        return trained

    def read(self, case: Resumption) -> TrainedModel:
        """What an ``.h5`` file is read as, before the next step.

        Raises:
            Exception: Whatever the framework raises on the way.
        """
        seen = self._all(case)["read"]
        if isinstance(seen, Exception):
            raise seen
        trained: TrainedModel = seen
        return trained

    def _all(self, case: Resumption) -> Mapping[Any, Any]:
        seen: Mapping[Any, Any] = self._session.once(("resumption", case.name), lambda: self._train(case))
        return seen

    @quiet()
    def _train(self, case: Resumption) -> Mapping[Any, Any]:
        batches = np.random.RandomState(self._session.stream("resumption", case.name) % 2**32).normal(
            size=(2, 4, _WIDTH)
        )
        model = self._model(case)
        _step(model, batches[0])
        if case.assigned is not None:
            model.optimizer.learning_rate = case.assigned
        seen: dict[Any, Any] = {"saved": _trained(model)}
        with tempfile.TemporaryDirectory() as folder:
            loaded = {
                carrier: _attempt(functools.partial(read, self, case, model, Path(folder)))
                for carrier, read in _CARRIERS.items()
                if carrier in carriers(case)
            }
        if Carrier.H5 in loaded:
            seen["read"] = _then(loaded[Carrier.H5], _trained)

        def step(one: Any) -> TrainedModel:
            _step(one, batches[1])
            return _trained(one)

        seen[None] = step(model)
        seen |= {carrier: _then(one, step) for carrier, one in loaded.items()}
        return seen

    def _model(self, case: Resumption) -> Any:
        keras = self._keras
        layers = [keras.layers.Dense(_WIDTH, activation="tanh") for _ in range(case.layers)]
        for number in case.frozen:
            layers[number].trainable = False
        body, last = layers[:-1], layers[-1]
        if case.nested:
            body = [keras.Sequential([keras.Input((_WIDTH,)), *body])]
        between = [getattr(keras.layers, name)(**arguments) for name, arguments in case.between.items()]
        model = keras.Sequential([keras.Input((_WIDTH,)), *body, *between, last])
        model.compile(self._optimizer(case), loss=keras.losses.MeanSquaredError())
        return model

    def _optimizer(self, case: Resumption) -> Any:
        optimizers = self._keras.optimizers
        settings = {
            name: getattr(optimizers.schedules, value.name)(**value.config) if isinstance(value, Schedule) else value
            for name, value in case.settings.items()
        }
        optimizer = getattr(optimizers, case.optimizer)(**settings)
        return optimizers.LossScaleOptimizer(optimizer, **case.scaling) if case.scaling else optimizer

    def through_keras(self, _: Resumption, model: Any, folder: Path) -> Any:
        """The model of a ``.keras`` file."""
        model.save(folder / "model.keras")
        return self._keras.models.load_model(folder / "model.keras")

    def through_h5(self, _: Resumption, model: Any, folder: Path) -> Any:
        """The model of an ``.h5`` file."""
        model.save(folder / "model.h5")
        return self._keras.models.load_model(folder / "model.h5")

    def through_weights(self, case: Resumption, model: Any, folder: Path, *, trained: bool) -> Any:
        """Another model, compiled, with the weights of a ``.weights.h5`` file."""
        path = folder / "model.weights.h5"
        if not path.exists():
            model.save_weights(path)
        other = self._model(case)
        for number in range(2 if trained else 0):  # more steps than the file has
            _step(other, np.full((4, _WIDTH), 1.0 + number))
        other.load_weights(path)
        return other


_CARRIERS: Mapping[Carrier, Callable[[Resumptions, Resumption, Any, Path], Any]] = {
    Carrier.KERAS: Resumptions.through_keras,
    Carrier.WEIGHTS: lambda *given: Resumptions.through_weights(*given, trained=True),
    Carrier.FRESH: lambda *given: Resumptions.through_weights(*given, trained=False),
    Carrier.H5: Resumptions.through_h5,
}


def carriers(case: Resumption) -> list[Carrier]:
    """Those that are tried with a case."""
    tried = {Carrier.FRESH: case.fresh, Carrier.H5: case.h5}
    return [carrier for carrier in Carrier if tried.get(carrier, True)]


def _attempt(make: Callable[[], Any]) -> Any:
    """What it makes, or the exception, which is raised where it is judged."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - the framework chooses the exception
        return error


def _then(made: Any, use: Callable[[Any], Any]) -> Any:
    return made if isinstance(made, Exception) else _attempt(lambda: use(made))


def _step(model: Any, batch: np.ndarray) -> None:
    """A training step of its mean square, eagerly: the same kernels for every model."""
    found = gradients(
        model, [as_tensor(batch.astype(np.float32))], lambda rows: (_mean_square(model(rows, training=True)), None)
    )
    apply_gradients(model.optimizer, found.by_weights, model.trainable_variables)


def _mean_square(outputs: Any) -> Any:
    return mean((outputs - 0.5) * (outputs - 0.5))


def _trained(model: Any) -> TrainedModel:
    variables = model.optimizer.variables
    config = json.dumps(model.optimizer.get_config(), default=lambda value: as_array(value).tolist())
    return TrainedModel(
        weights=model.get_weights(),
        state=[as_array(one) for one in (variables() if callable(variables) else variables)],
        steps=int(as_array(model.optimizer.iterations)),
        config=json.loads(config),
    )
