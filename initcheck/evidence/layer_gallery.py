"""One model of all layers with a formula: built, run, saved and read once for all checks of them."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.catalog.cases.formulas import FORMULAS, alone, layer_inputs
from initcheck.catalog.layers.traits.computing import FormulaCase
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


@dataclass(frozen=True)
class Shown:
    """What is seen of one layer in a model.

    Attributes:
        output: Of ``predict``.
        weights: In the order of ``get_weights``.
    """

    output: Array
    weights: list[Array]


class LayerGallery:
    """A model with a branch for each case: its own inputs, the layer, its own output.

    Where the model of all cases cannot be taken along a route, each case goes alone, so that only what is broken fails.

    Args:
        session: The session, with its streams and cache.
        lacking: Says what the installed Keras has not of a case; such a case is left out.
    """

    def __init__(self, session: Session, lacking: Callable[[FormulaCase], str]) -> None:
        self._session = session
        self._keras = session.keras
        self._cases = [case for case in FORMULAS if not case.training and not lacking(case)]

    def given(self, case: FormulaCase) -> tuple[list[Array], list[Array]]:
        """The weights and inputs of a case."""
        return layer_inputs(case, self._session.stream("gallery", case.name), "float32", rows=ROWS)

    def shown(self, case: FormulaCase, route: Route | None = None) -> Shown:
        """The case's layer, after that route if one is given.

        Raises:
            Exception: Whatever the framework raises for this case.
        """
        seen = self._session.once(("gallery", route), lambda: self._all(route))[case.name]
        if isinstance(seen, Exception):
            raise seen
        shown: Shown = seen
        return shown

    def _all(self, route: Route | None) -> Mapping[str, Shown | Exception]:
        try:
            return self._look(self._cases, route)
        except Exception:  # noqa: BLE001 - one of them: which shows when each goes alone
            return {case.name: self._alone(case, route) for case in self._cases}

    def _alone(self, case: FormulaCase, route: Route | None) -> Shown | Exception:
        try:
            return self._look([case], route)[case.name]
        except Exception as error:  # noqa: BLE001 - it is raised where the case is judged
            return error

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
            layer = getattr(self._keras.layers, case.layer)(**case.config, name=case.name)
            inputs += own
            outputs.append(layer(alone(own)))
        return self._keras.Model(inputs, outputs)


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
