"""Models compiled with losses and metrics by name, evaluated before and after a file."""

from __future__ import annotations

import functools
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.catalog.cases.compiled_names import BY_SHAPE, EVERY_OTHER, NAMES_OF, OF_SEQUENCES
from initcheck.evidence.session import Session
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.quiet import quiet

_CLASSES = 3
_LABELS = np.array([0, 2, 1, 2], np.int32)
_STREAM = np.random.RandomState(9)
_INPUTS = _STREAM.normal(size=(len(_LABELS), 2)).astype(np.float32)
_KERNEL = _STREAM.normal(size=(2, _CLASSES)).astype(np.float32)
_NOT_NAMES = ("deserialize", "experimental", "get", "serialize")

Results = list[np.ndarray]


class CompiledNames:
    """Evidence from losses and metrics that are given by name.

    One model has an output for each name. Where it cannot be read from a file, its halves go alone, and so on.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._keras = session.keras

    def known(self, kind: str) -> list[str]:
        """The names that the installed Keras knows.

        Args:
            kind: ``losses`` or ``metrics``.
        """
        names: list[str] = self._session.once(("names", kind), lambda: self._known(kind))
        return names

    def results(self, kind: str, name: str, suffix: str) -> tuple[Results, Results]:
        """What ``evaluate`` reports with that name, and perhaps with others, before and after a file.

        Args:
            kind: ``losses`` or ``metrics``.
            name: One of the table, or ``EVERY_OTHER`` for the rest that Keras knows.
            suffix: Of the file.

        Raises:
            Exception: Whatever the framework raises for this name.
        """
        others = name == EVERY_OTHER
        names = [one for one in self.known(kind) if (one in NAMES_OF[kind]) is not others]

        def evaluate() -> Mapping[str, Any]:
            if others:
                return {name: _attempt(lambda: self._evaluated(kind, names, suffix))}
            return self._divided(kind, names, suffix)

        seen = self._session.once(("compiled", kind, suffix, others), evaluate)[name]
        if isinstance(seen, Exception):
            raise seen
        before, after = seen
        return before, after

    @quiet()
    def _known(self, kind: str) -> list[str]:
        module = getattr(self._keras, kind)
        table = vars(sys.modules[module.get.__module__]).get("ALL_OBJECTS_DICT", vars(module))
        listed = [name for name in table if not name.startswith("_") and name not in (*_NOT_NAMES, *OF_SEQUENCES)]
        names = sorted({*listed, *NAMES_OF[kind]})
        return [name for name in names if (kind == "metrics" and name in BY_SHAPE) or self._usable(kind, name)]

    def _usable(self, kind: str, name: str) -> bool:
        """Whether it can be computed from the name alone; some classes need arguments, and some are no names."""
        try:
            judge = getattr(self._keras, kind).get(name)
            weights = {"sample_weight": None} if isinstance(judge, self._keras.metrics.Metric) else {}
            value = judge(_truth(name), np.full((len(_LABELS), _CLASSES), 1 / _CLASSES, np.float32), **weights)
        except Exception:  # noqa: BLE001 - each Keras refuses in its own way
            return False
        return value is not None and not isinstance(judge, type)

    def _divided(self, kind: str, names: list[str], suffix: str) -> dict[str, Any]:
        seen = _attempt(lambda: self._evaluated(kind, names, suffix))
        if len(names) == 1 or (not isinstance(seen, Exception) and repr(seen[0]) == repr(seen[1])):
            return dict.fromkeys(names, seen)
        half = len(names) // 2
        return self._divided(kind, names[:half], suffix) | self._divided(kind, names[half:], suffix)

    @quiet()
    def _evaluated(self, kind: str, names: list[str], suffix: str) -> tuple[Results, Results]:
        keras = self._keras
        model = self._model(len(names))
        squares = [keras.losses.MeanSquaredError() for _ in names]
        metrics = [[name] for name in names] if len(names) > 1 else names
        compiled = {"loss": names} if kind == "losses" else {"loss": squares, "metrics": metrics}
        model.compile(**compiled, run_eagerly=True)
        evaluate = functools.partial(_evaluate, truth=[_truth(name) for name in names])
        before = evaluate(model)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"model{suffix}"
            model.save(path)
            loaded = keras.models.load_model(path)
        loaded.run_eagerly = True
        return before, evaluate(loaded)

    def _model(self, outputs: int) -> Any:
        """One layer, whose output is given as often as there are names."""
        inputs = self._keras.Input((2,))
        layer = self._keras.layers.Dense(_CLASSES, activation="softmax", use_bias=False)
        hidden = layer(inputs)
        model = self._keras.Model(inputs, [hidden] * outputs if outputs > 1 else hidden)
        layer.set_weights([_KERNEL])
        return model


def _evaluate(model: Any, truth: Sequence[np.ndarray]) -> Results:
    targets = list(truth) if len(truth) > 1 else truth[0]
    found = map(as_array, model.test_on_batch(_INPUTS, targets, return_dict=True).values())
    return sorted(found, key=lambda value: (value.shape, value.tobytes()))  # files may change names, by which they come


def _truth(name: str) -> np.ndarray:
    """Class numbers for what is sparse, else one of each row's values."""
    if name.lower().startswith(("sparse", "circle")):
        return _LABELS.reshape(-1, 1)
    return np.eye(_CLASSES, dtype=np.float32)[_LABELS]


def _attempt(make: Callable[[], Any]) -> Any:
    """What it makes, or the exception, which is raised where it is judged."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - the framework chooses the exception
        return error
