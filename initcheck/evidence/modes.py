"""Layers whose ``training`` argument is fixed inside a model, and what each way of running the model makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import numpy as np

from initcheck.catalog.cases.formulas import FORMULAS, layer_inputs
from initcheck.catalog.sources import IMAGES, MASKS
from initcheck.evidence.made_layers import arguments_made
from initcheck.evidence.session import Session
from initcheck.evidence.source_inputs import inputs_of
from initcheck.frameworks.quiet import quiet

Array = np.ndarray[Any, Any]
_NEAR = 1e-4  # of the size of the outputs; noise changes them by far more, another order of sums by less


class ModelRun(Enum):
    """A way to run a model, and its word in names."""

    CALL = "call"
    CALL_IN_TRAINING = "call-in-training"
    CALL_IN_INFERENCE = "call-in-inference"
    PREDICT = "predict"
    EVALUATE = "evaluate"
    FIT = "fit"


# Layers that compute something else in training, with outputs of one shape.
_NOISE = {name: source for name, source in {**MASKS, **IMAGES}.items() if not source.crops}
_STATISTICS = {case.layer: case for case in FORMULAS if case.training}
LAYERS = (*_NOISE, *_STATISTICS)


class Modes:
    """One model of all layers that compute something else in training, for each value of the fixed argument.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._keras = session.keras

    def lacks(self, layer: str) -> bool:
        """Whether the installed Keras has no such layer."""
        return not hasattr(self._keras.layers, layer)

    def in_training(self, layer: str, fixed: bool, run: ModelRun) -> bool:
        """Whether the layer behaved as in training: other outputs than its own with ``training=False``.

        Args:
            layer: One of ``LAYERS``.
            fixed: The value of ``training`` with which it is called inside the model.
            run: How the model was run.
        """
        seen: bool = self._session.once(("modes", fixed), lambda: self._look(fixed))[run][layer]
        return seen

    def _look(self, fixed: bool) -> dict[ModelRun, dict[str, bool]]:
        names = [name for name in LAYERS if not self.lacks(name)]
        fed = {name: self._inputs(name) for name in names}
        layers = {name: self._layer(name) for name in names}
        with quiet():
            model = self._model(layers, fed, fixed)
            usual = {name: np.asarray(layers[name](*fed[name], training=False)) for name in names}
            inputs = [one for name in names for one in fed[name]]
            targets = [usual[name] for name in names]
            model.compile(
                optimizer=self._keras.optimizers.SGD(0.0), loss=["mse"] * len(names), metrics=[["mse"]] * len(names)
            )
            rows, weights = len(inputs[0]), model.get_weights()

            def losses(run: Callable[..., Any]) -> dict[str, bool]:
                model.set_weights(weights)
                logs = run(inputs, targets, batch_size=rows, verbose=0)
                logs = logs if isinstance(logs, dict) else {key: values[0] for key, values in logs.history.items()}
                return {name: bool(logs[f"{name}_mse"] > _NEAR**2 * np.mean(usual[name] ** 2)) for name in names}

            def outputs(run: Callable[..., list[Any]], **options: Any) -> dict[str, bool]:
                model.set_weights(weights)
                return {
                    name: bool(np.abs(np.asarray(one) - usual[name]).max() > _NEAR * np.abs(usual[name]).max())
                    for name, one in zip(names, run(inputs, **options), strict=True)
                }

            return {
                ModelRun.CALL: outputs(model),
                ModelRun.CALL_IN_TRAINING: outputs(model, training=True),
                ModelRun.CALL_IN_INFERENCE: outputs(model, training=False),
                ModelRun.PREDICT: outputs(model.predict, batch_size=rows, verbose=0),
                ModelRun.EVALUATE: losses(
                    lambda *given, **options: model.evaluate(*given, **options, return_dict=True)
                ),
                ModelRun.FIT: losses(lambda *given, **options: model.fit(*given, **options, shuffle=False)),
            }

    def _layer(self, name: str) -> Any:
        arguments = _STATISTICS[name].config if name in _STATISTICS else _NOISE[name].arguments
        return getattr(self._keras.layers, name)(**arguments_made(self._keras, arguments), name=name)

    def _inputs(self, name: str) -> list[Array]:
        if name in _STATISTICS:
            return layer_inputs(_STATISTICS[name], self._session.stream("modes", name), "float32", rows=24)[1]
        return inputs_of(_NOISE[name])

    def _model(self, layers: Mapping[str, Any], fed: Mapping[str, list[Array]], fixed: bool) -> Any:
        inputs, outputs = [], []
        for name, layer in layers.items():
            own = [self._keras.Input(one.shape[1:], name=f"{name}-{number}") for number, one in enumerate(fed[name])]
            inputs += own
            outputs.append(layer(*own, training=fixed))
        return self._keras.Model(inputs, outputs)
