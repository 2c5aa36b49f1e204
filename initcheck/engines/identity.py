"""What decides the bits of a problem's runs, beside seeds, engine and environment: code, data, model, settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.own_problems import OwnProblem
from initcheck.catalog.problems import Problem
from initcheck.digests import digest
from initcheck.engines.own_data import batches_in
from initcheck.engines.own_models import OwnData, OwnModel, leaves_of
from initcheck.engines.own_runs import OwnEngine
from initcheck.engines.problem_models import build_model
from initcheck.engines.validation.problem import validated_data
from initcheck.frameworks.backends import load_target_keras
from initcheck.frameworks.generators import globally_seeded
from initcheck.frameworks.instances import LayerInitializers
from initcheck.store.code_digests import code_digest

Identity = dict[str, Any]

_UNSTEADY = {"name", "inbound_nodes", "input_layers", "output_layers", "build_input_shape", "module", "registered_name"}


def identify(problem: Problem, epochs: int | None = None) -> Identity:
    """What decides the bits of a problem's runs."""
    keras = load_target_keras()
    data = validated_data(problem)
    row = INITIALIZERS["ones"]  # which suits every shape
    with globally_seeded(keras, 0):
        model = build_model(keras, problem, row, LayerInitializers(row, 1), data.input_shape)
        optimizer = problem.optimizer(keras)
    return {
        "problem": problem.name,
        "epochs": epochs or problem.epochs,
        "batch_size": problem.batch_size,
        "loss": problem.loss,
        "data": digest([data.x_train, data.y_train, data.x_test, data.y_test]),
        "code": code_digest(problem.model, problem.optimizer),
        "model": [_digest_model(model), digest([np.asarray(weight) for weight in model.get_weights()])],
        "optimizer": code_digest(_steady(optimizer.get_config(), {})),
    }


def identify_own(problem: OwnProblem, engine: OwnEngine) -> Identity:
    """The same of a user's own model as it is."""
    model, values = engine.frozen_model()
    return {
        "problem": problem.name,
        "epochs": engine.epochs,
        "batch_size": problem.batch_size,
        "loss": [problem.loss, engine.facts.loss],
        "score": engine.score.name,
        "metrics": list(problem.metrics),
        "weights": list(problem.weights),
        "data": [digest(list(_arrays(part))) for part in engine.tables],
        "code": code_digest(problem.build, problem.data),
        "model": [_digest_model(model), digest(values)],
        "optimizer": code_digest(_steady(model.optimizer.get_config(), {})),
    }


def identify_model(keras: Any, own: OwnModel, data: OwnData) -> Identity:
    """What decides the bits of trainings of a user's own model on arrays that were made already."""
    with globally_seeded(keras, 0):
        model, added = own.make_model(keras, data)
    parts = (data,) if data.held_out is None else (data, data.held_out)
    return {
        "problem": getattr(own.build, "__name__", "model"),
        "options": asdict(own.options),
        "data": [digest(list(_arrays(part))) for part in parts],
        "code": code_digest(own.build, own.data),
        "model": [_digest_model(model), digest([one.value for one in added])],
        "optimizer": code_digest(_steady(model.optimizer.get_config(), {})),
    }


def _digest_model(model: Any) -> str:
    """A name for its configuration."""
    try:
        layers = list(model._flatten_layers())  # Keras 2 and 3 have no public name for it
        config = _steady(model.get_config(), {layer.name: f"# {place}" for place, layer in enumerate(layers)})
    except Exception:  # noqa: BLE001 - a user's own class need not have a configuration: its code counts
        config = None
    return code_digest(config)


def _steady(config: Any, names: Mapping[str, str]) -> Any:
    """A configuration without what Keras counts up in each process, such as the names of layers."""
    if isinstance(config, Mapping):
        kept = {key: value for key, value in config.items() if key not in _UNSTEADY}
        return {str(names.get(key, key)): _steady(value, names) for key, value in kept.items()}
    if isinstance(config, list | tuple):
        return [_steady(value, names) for value in config]
    if isinstance(config, str):
        return names.get(config, config)
    return config if isinstance(config, bool | int | float | np.ndarray) or config is None else str(type(config))


def _arrays(part: OwnData) -> Iterator[np.ndarray]:
    if not part.in_batches:
        yield from map(np.asarray, leaves_of(part.packed))
        return
    for batch in batches_in(part):
        yield from map(np.asarray, leaves_of(batch))
