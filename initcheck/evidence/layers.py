"""Layers with a formula: each alone, and all of them in one model, built, run, saved and read once for all checks."""

from __future__ import annotations

import functools
import inspect
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.catalog.cases.formulas import FORMULAS, layer_inputs
from initcheck.catalog.cases.recorded_layers import RecordedLayer
from initcheck.catalog.layers import LayerRequest
from initcheck.catalog.layers.traits.computing import FormulaCase, alone
from initcheck.evidence.session import Session
from initcheck.frameworks.quiet import quiet

Array = np.ndarray[Any, Any]
ROWS = 4  # of its batch


class Route(Enum):
    """A way by which a model is written and read."""

    CONFIGURATION = "its configuration"
    CLONE = "clone_model"
    KERAS = "a .keras file"
    WEIGHTS = "a .weights.h5 file"
    H5 = "an .h5 file"

    @property
    def suffix(self) -> str:
        """One word, for names."""
        return self.name.lower()


@dataclass(frozen=True)
class Shown:
    """What is seen of one layer in a model.

    Attributes:
        output: Of ``predict``.
        weights: In the order of ``get_weights``.
    """

    output: Array
    weights: list[Array]


class Layers:
    """Layers at tiny sizes.

    In the model of all of them each has a branch: its own inputs, the layer, its own output. Where that model cannot be
    taken along a route, its halves go alone, and so on, so that only what is broken fails.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._keras = session.keras

    def lacking(self, case: FormulaCase | RecordedLayer) -> str:
        """What the installed Keras has not of a case: the layer, or some of its arguments; empty where it has all."""
        kind = getattr(self._keras.layers, case.layer, None)
        if kind is None:
            return case.layer
        known = {*inspect.signature(kind).parameters, *inspect.signature(kind.call).parameters}
        unknown = [argument for argument in (*case.config, *case.call) if argument not in known]
        return f"{case.layer}({', '.join(unknown)})" if unknown else ""

    def compute(self, case: FormulaCase, weights: Sequence[Array], inputs: Sequence[Array]) -> Shown:
        """The layer's output at those weights, and its weights afterwards; computed in the weights' dtype.

        Args:
            case: The layer.
            weights: In the order of ``get_weights``.
            inputs: Its inputs; integers for an Embedding.
        """
        layer = self._built(case, weights, inputs)
        output = layer(*_as_called(case, [_tensor(one) for one in inputs]), **case.called)
        return Shown(np.asarray(output), layer.get_weights())

    def gradients(
        self, case: FormulaCase, weights: Sequence[Array], inputs: Sequence[Array], slopes: Array
    ) -> list[Array]:
        """The gradients of the sum of its outputs times ``slopes``: of its trained weights, and of real inputs.

        Args:
            case: The layer.
            weights: In the order of ``get_weights``.
            inputs: Its inputs.
            slopes: A number for each output.
        """
        import tensorflow as tf

        layer = self._built(case, weights, inputs)
        into = [_tensor(one) for one in inputs]
        real = [one for one in into if one.dtype.is_floating]
        with tf.GradientTape() as tape:
            tape.watch(real)
            value = tf.reduce_sum(layer(*_as_called(case, into), **case.called) * _tensor(slopes))
        gradients = tape.gradient(value, [*layer.trainable_weights, *real])
        return [np.asarray(tf.convert_to_tensor(one)) for one in gradients]

    def _built(self, case: FormulaCase, weights: Sequence[Array], inputs: Sequence[Array]) -> Any:
        dtype = next((one.dtype.name for one in (*weights, *inputs) if one.dtype.kind == "f"), "float32")
        layer = self.made(case, dtype=dtype)
        layer(*_as_called(case, [_tensor(one) for one in inputs]), **case.call)
        layer.set_weights(weights)
        return layer

    def made(self, case: FormulaCase | RecordedLayer, **options: Any) -> Any:
        """The case's layer, not yet built, with further arguments."""
        layers = self._keras.layers
        arguments = {
            name: getattr(layers, value.layer)(**value.arguments) if isinstance(value, LayerRequest) else value
            for name, value in case.config.items()
        }
        return getattr(layers, case.layer)(**arguments, **options)

    @functools.cached_property
    def _cases(self) -> list[FormulaCase]:
        return [case for case in FORMULAS if not case.training and not self.lacking(case)]

    def given(self, case: FormulaCase) -> tuple[list[Array], list[Array]]:
        """The weights and inputs of a case."""
        return layer_inputs(case, self._session.stream("gallery", case.name), "float32", rows=ROWS)

    def shown(self, case: FormulaCase, route: Route | None = None) -> Shown:
        """The case's layer, after that route if one is given.

        Raises:
            Exception: Whatever the framework raises for this case.
        """
        seen = self._session.once(("gallery", route), lambda: self._divided(self._cases, route))[case.name]
        if isinstance(seen, Exception):
            raise seen
        shown: Shown = seen
        return shown

    def _divided(self, cases: Sequence[FormulaCase], route: Route | None) -> dict[str, Shown | Exception]:
        """What is seen of the cases together, or where that fails of either half."""
        try:
            return dict(self._look(cases, route))
        except Exception as error:  # noqa: BLE001 - it is raised where its case is judged
            if len(cases) == 1:
                return {cases[0].name: error}
        half = len(cases) // 2
        return self._divided(cases[:half], route) | self._divided(cases[half:], route)

    def _look(self, cases: Sequence[FormulaCase], route: Route | None) -> dict[str, Shown]:
        given = {case.name: self.given(case) for case in cases}
        with quiet():
            model = self._model(cases)
            for case in cases:
                model.get_layer(case.name).set_weights(given[case.name][0])
            if route is not None:
                model = _ALONG[route](self._keras, model)
            inputs = [one for _, arrays in given.values() for one in arrays]
            outputs = model.predict(alone(inputs), batch_size=ROWS, verbose=0)
        outputs = [outputs] if len(cases) == 1 else outputs
        return {
            case.name: Shown(np.asarray(output), model.get_layer(case.name).get_weights())
            for case, output in zip(cases, outputs, strict=True)
        }

    def _model(self, cases: Sequence[FormulaCase]) -> Any:
        inputs, outputs = [], []
        for case in cases:
            own = [
                self._keras.Input(one.shape[1:], dtype=one.dtype.name, name=f"{case.name}-input-{number}")
                for number, one in enumerate(self.given(case)[1])
            ]
            inputs += own
            outputs.append(self.made(case, name=case.name)(*_as_called(case, own), **case.call))
        return self._keras.Model(inputs, outputs)


def _as_called(case: FormulaCase, inputs: list[Any]) -> tuple[Any, ...]:
    return (alone(inputs),) if case.listed else tuple(inputs)


def _tensor(value: Any) -> Any:
    import tensorflow as tf

    return tf.convert_to_tensor(value)


def _rebuilt(keras: Any, model: Any) -> Any:
    again = keras.Model.from_config(json.loads(json.dumps(model.get_config())))
    again.set_weights(model.get_weights())
    return again


def _cloned(keras: Any, model: Any) -> Any:
    again = keras.models.clone_model(model)
    again.set_weights(model.get_weights())
    return again


def _through_file(suffix: str, keras: Any, model: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model{suffix}"
        model.save(path)
        return keras.models.load_model(path, compile=False)


def _through_weights(keras: Any, model: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        model.save_weights(path)
        again = keras.Model.from_config(model.get_config())
        again.load_weights(path)
        return again


_ALONG: Mapping[Route, Callable[[Any, Any], Any]] = {
    Route.CONFIGURATION: _rebuilt,
    Route.CLONE: _cloned,
    Route.KERAS: functools.partial(_through_file, ".keras"),
    Route.WEIGHTS: _through_weights,
    Route.H5: functools.partial(_through_file, ".h5"),
}
