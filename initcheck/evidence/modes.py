"""Layers whose ``training`` argument is fixed inside a model, and what each way of running the model makes of it."""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from initcheck.catalog.cases.formulas import FORMULAS, layer_inputs
from initcheck.catalog.sources import IMAGES, MASKS
from initcheck.evidence.made_layers import arguments_made
from initcheck.evidence.session import Session
from initcheck.evidence.source_inputs import inputs_of
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.operations import operations
from initcheck.frameworks.quiet import quiet

Array = np.ndarray[Any, Any]
_NEAR = 1e-4  # of the size of the outputs; noise changes them by far more, another order of sums by less


class ModelRun(Enum):
    """A way to run a model, and its word in names."""

    CALL = "call"
    CALL_IN_TRAINING = "call-in-training"
    CALL_IN_INFERENCE = "call-in-inference"
    PREDICT = "predict"
    PREDICT_IN_STEPS = "predict-in-steps"
    EVALUATE = "evaluate"
    EVALUATE_EAGERLY = "evaluate-eagerly"
    TEST_ON_BATCH = "test-on-batch"
    FIT = "fit"
    TRAIN_ON_BATCH = "train-on-batch"


class Freezing(Enum):
    """A way to freeze layers, and its word in names."""

    CONSTRUCTED = "constructed"
    ATTRIBUTE = "attribute"
    MODEL = "model"
    AGAIN = "again"
    UNFROZEN = "unfrozen"

    @property
    def freezes(self) -> bool:
        """Whether the layers are frozen in the end."""
        return self is not Freezing.UNFROZEN


@dataclass(frozen=True)
class InTraining:
    """What a layer did that was run as in training.

    Attributes:
        behaved: Way to run it → whether its output was another than as in inference.
        moved: Whether some of its weights changed.
    """

    behaved: Mapping[ModelRun, bool]
    moved: bool


# Layers that compute something else in training, with outputs of one shape.
_NOISE = {name: source for name, source in {**MASKS, **IMAGES}.items() if not source.crops}
_STATISTICS = {case.layer: case for case in reversed(FORMULAS) if case.training}
LAYERS = (*_NOISE, *_STATISTICS)
FROZEN = (*(name for name in _NOISE if name in MASKS), *(name for name, case in _STATISTICS.items() if case.freezes))
STILL = frozenset(FROZEN) - set(_NOISE)  # as in inference where they are frozen
# Ways that differ from others by the model alone, not by the call of a layer: the groups of layers take them in turn.
_IN_TURN = (ModelRun.TEST_ON_BATCH, ModelRun.TRAIN_ON_BATCH, ModelRun.PREDICT_IN_STEPS)
# Of a model each; by the name alone, so that a new layer moves no other.
GROUP_OF = {layer: zlib.crc32(layer.encode()) % len(_IN_TURN) for layer in LAYERS}


def runs_of(layer: str) -> list[ModelRun]:
    """The ways to run the model that has that layer."""
    return [run for run in ModelRun if run not in _IN_TURN or run is _IN_TURN[GROUP_OF[layer]]]


class Modes:
    """A model of each group of layers that compute something else in training, for each value of the fixed argument.

    Where the model cannot be run its halves are, and so on, so that only what is broken fails.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._keras = session.keras

    def lacks(self, layer: str) -> bool:
        """Whether the installed Keras has no such layer."""
        return not hasattr(self._keras.layers, layer)

    def unable(self, run: ModelRun) -> str:
        """What the backend has not that this way to run a model needs; empty where it has all."""
        apart = run is ModelRun.PREDICT_IN_STEPS and self._keras.backend.backend() == "torch"
        return "several steps at once" if apart else ""

    def in_training(self, layer: str, fixed: bool, run: ModelRun) -> bool | None:
        """Whether the layer behaved as in training: other outputs than its own with ``training=False``.

        None where the model is built without it: it hands on its symbolic input.

        Args:
            layer: One of ``LAYERS``.
            fixed: The value of ``training`` with which it is called inside the model.
            run: How the model was run; one of ``runs_of(layer)``.

        Raises:
            Exception: Whatever the framework raises for this layer.
        """
        group = GROUP_OF[layer]
        names = [name for name in LAYERS if GROUP_OF[name] == group and not self.lacks(name)]
        seen = self._session.once(("modes", group, fixed), lambda: self._divided(names, fixed))[layer]
        if isinstance(seen, Exception):
            raise seen
        behaved: bool | None = seen[run]
        return behaved

    def _divided(self, names: Sequence[str], fixed: bool) -> dict[str, Mapping[ModelRun, bool | None] | Exception]:
        try:
            seen = self._look(names, fixed)
            return {name: {run: each[name] for run, each in seen.items()} for name in names}
        except Exception as error:  # noqa: BLE001 - it is raised where its layer is judged
            if len(names) == 1:
                return {names[0]: error}
        half = len(names) // 2
        return self._divided(names[:half], fixed) | self._divided(names[half:], fixed)

    def _look(self, names: Sequence[str], fixed: bool) -> dict[ModelRun, dict[str, bool | None]]:
        fed = {name: self._inputs(name) for name in names}
        layers = {name: self._layer(name) for name in names}
        with quiet():
            model = self._model(layers, fed, fixed)
            usual = {name: _rows(layers[name](*fed[name], training=False)) for name in names}
            ends = np.cumsum([one.shape[1] for one in usual.values()])
            inputs, targets = [one for name in names for one in fed[name]], np.concatenate([*usual.values()], -1)
            squares = _squares(self._keras, targets.shape[1])
            optimizer, metrics = self._keras.optimizers.SGD(0.0), [squares]
            model.compile(optimizer, loss="mse", metrics=metrics)
            rows, weights = len(inputs[0]), model.get_weights()

            def other(squared: Array) -> dict[str, bool | None]:
                """Which layers' outputs differ from their usual ones, from the mean squared differences."""
                different: dict[str, bool | None] = dict.fromkeys(names)
                for name, one in zip(names, np.split(squared, ends[:-1]), strict=True):
                    if layers[name] in model.layers:
                        different[name] = bool(one.mean() > _NEAR**2 * np.mean(usual[name] ** 2))
                return different

            def losses(run: Callable[..., Any], **options: Any) -> dict[str, bool | None]:
                model.set_weights(weights)
                run(inputs, targets, **options)
                return other(as_array(squares.squares))

            def outputs(run: Callable[..., Any], **options: Any) -> dict[str, bool | None]:
                model.set_weights(weights)
                return other(np.mean((as_array(run(inputs, **options)) - targets) ** 2, axis=0))

            whole = {"batch_size": rows, "verbose": 0}
            seen = {
                ModelRun.CALL: outputs(model),
                ModelRun.CALL_IN_TRAINING: outputs(model, training=True),
                ModelRun.CALL_IN_INFERENCE: outputs(model, training=False),
                ModelRun.PREDICT: outputs(model.predict, **whole),
                ModelRun.EVALUATE: losses(model.evaluate, **whole),
                ModelRun.FIT: losses(model.fit, shuffle=False, **whole),
            }
            model.compile(optimizer, loss="mse", metrics=metrics, run_eagerly=True)
            seen[ModelRun.EVALUATE_EAGERLY] = losses(model.evaluate, **whole)
            wanted = runs_of(names[0])
            if ModelRun.TEST_ON_BATCH in wanted:
                model.compile(optimizer, loss="mse", metrics=metrics)
                seen[ModelRun.TEST_ON_BATCH] = losses(model.test_on_batch)  # its own trace, not that of evaluate
            if ModelRun.TRAIN_ON_BATCH in wanted:
                model.compile(optimizer, loss="mse", metrics=metrics)
                seen[ModelRun.TRAIN_ON_BATCH] = losses(model.train_on_batch)
            if ModelRun.PREDICT_IN_STEPS in wanted and not self.unable(ModelRun.PREDICT_IN_STEPS):
                model.compile(optimizer, loss="mse", metrics=metrics, steps_per_execution=2)
                seen[ModelRun.PREDICT_IN_STEPS] = outputs(model.predict, **{**whole, "batch_size": rows // 2})
            return seen

    def unfreezable(self, layer: str, way: Freezing) -> bool:
        """Whether the layer's constructor takes no ``trainable``, where that is the way."""
        known = inspect.signature(getattr(self._keras.layers, layer)).parameters
        takes = "trainable" in known or any(one.kind is one.VAR_KEYWORD for one in known.values())
        return way is Freezing.CONSTRUCTED and not takes

    def frozen(self, layer: str, way: Freezing) -> InTraining:
        """What the layer does in a model that is trained, where it is frozen that way.

        Args:
            layer: One of ``FROZEN``.
            way: How it is frozen; ``UNFROZEN`` is a layer that was frozen once.

        Raises:
            Exception: Whatever the framework raises for this layer.
        """
        names = [name for name in FROZEN if not self.lacks(name) and not self.unfreezable(name, way)]
        place = way if way in (Freezing.CONSTRUCTED, Freezing.MODEL) else Freezing.ATTRIBUTE
        seen = self._session.once(("frozen", place), lambda: self._frozen_apart(names, place))[layer]
        if isinstance(seen, Exception):
            raise seen
        shown: InTraining = seen[way]
        return shown

    def _frozen_apart(
        self, names: Sequence[str], place: Freezing
    ) -> dict[str, Mapping[Freezing, InTraining] | Exception]:
        """All together, or where that fails of either half."""
        try:
            seen = self._look_frozen(names, place)
            return {name: {way: each[name] for way, each in seen.items()} for name in names}
        except Exception as error:  # noqa: BLE001 - it is raised where its layer is judged
            if len(names) == 1:
                return {names[0]: error}
        half = len(names) // 2
        return self._frozen_apart(names[:half], place) | self._frozen_apart(names[half:], place)

    def _look_frozen(self, names: Sequence[str], place: Freezing) -> dict[Freezing, dict[str, InTraining]]:
        keras = self._keras
        fed = {name: self._inputs(name) for name in names}
        layers = {
            name: self._layer(name, **({"trainable": False} if place is Freezing.CONSTRUCTED else {})) for name in names
        }
        with quiet():
            inner = self._model(layers, fed, None)
            if place is Freezing.MODEL:
                inner.trainable = False
            # Beside them something that is trained.
            inputs = [keras.Input(one.shape[1:]) for name in names for one in fed[name]]
            trained = keras.layers.Dense(1)(keras.layers.Flatten()(inputs[0]))
            model = keras.Model(inputs, keras.layers.Concatenate()([inner(inputs), trained]))
            arrays = [one for name in names for one in fed[name]]
            usual = {name: _rows(layers[name](*fed[name], training=False)) for name in names}
            ends = np.cumsum([one.shape[1] for one in usual.values()])
            targets = np.concatenate([*usual.values(), np.zeros((len(arrays[0]), 1), np.float32)], -1)
            squares = _squares(keras, targets.shape[1])
            weights = model.get_weights()

            def seen() -> dict[str, InTraining]:
                # A trace takes a second: one of them will do.
                how = {"jit_compile": False} if place is Freezing.MODEL else {"run_eagerly": True}
                model.compile(keras.optimizers.SGD(0.5), loss="mse", metrics=[squares], **how)
                model.set_weights(weights)
                before = {name: layers[name].get_weights() for name in names}
                model.fit(arrays, targets, batch_size=len(targets), shuffle=False, verbose=0)
                fitted = np.split(as_array(squares.squares), ends)
                after = {name: layers[name].get_weights() for name in names}
                model.set_weights(weights)
                called = np.mean((as_array(model(arrays, training=True)) - targets) ** 2, axis=0)
                pairs = zip(names, fitted, np.split(called, ends), strict=False)  # the last is what is trained
                return {
                    name: InTraining(
                        {
                            run: bool(one.mean() > _NEAR**2 * np.mean(usual[name] ** 2))
                            for run, one in ((ModelRun.FIT, fit), (ModelRun.CALL_IN_TRAINING, call))
                        },
                        any(
                            np.any(old != new)
                            for later in (after[name], layers[name].get_weights())
                            for old, new in zip(before[name], later, strict=True)
                        ),
                    )
                    for name, fit, call in pairs
                }

            if place is not Freezing.ATTRIBUTE:
                return {place: seen()}
            shown = {}
            for way in (Freezing.ATTRIBUTE, Freezing.UNFROZEN, Freezing.AGAIN):
                for layer in layers.values():
                    layer.trainable = not way.freezes
                shown[way] = seen()
            return shown

    def _layer(self, name: str, **options: Any) -> Any:
        arguments = _STATISTICS[name].config if name in _STATISTICS else _NOISE[name].arguments
        return getattr(self._keras.layers, name)(**arguments_made(self._keras, arguments), name=name, **options)

    def _inputs(self, name: str) -> list[Array]:
        if name in _STATISTICS:
            return layer_inputs(_STATISTICS[name], self._session.stream("modes", name), "float32", rows=24)[1]
        return inputs_of(_NOISE[name])

    def _model(self, layers: Mapping[str, Any], fed: Mapping[str, list[Array]], fixed: bool | None) -> Any:
        inputs, outputs = [], []
        call = {} if fixed is None else {"training": fixed}
        for name, layer in layers.items():
            own = [self._keras.Input(one.shape[1:], name=f"{name}-{number}") for number, one in enumerate(fed[name])]
            inputs += own
            outputs.append(self._keras.layers.Flatten()(layer(*own, **call)))
        together = self._keras.layers.Concatenate()(outputs) if len(outputs) > 1 else outputs[0]
        return self._keras.Model(inputs, together)


def _rows(output: Any) -> Array:
    """A row's elements one after another."""
    array = as_array(output)
    return array.reshape(len(array), -1)


def _squares(keras: Any, size: int) -> Any:
    math = operations(keras)

    class Squares(keras.metrics.Metric):  # type: ignore[misc] # Keras is loaded at run time
        """The mean squared difference of each element of the last batch's output: a metric each would be traced."""

        def __init__(self) -> None:
            super().__init__(name="squares")
            self.squares = self.add_weight(name="squares", shape=(size,), initializer="zeros")

        def update_state(self, y_true: Any, y_pred: Any, **_: Any) -> None:
            self.squares.assign(math.mean((math.convert_to_tensor(y_true) - y_pred) ** 2, axis=0))

        def result(self) -> Any:
            return math.mean(self.squares)

        def reset_state(self) -> None:
            self.squares.assign(math.zeros((size,)))

    return Squares()
