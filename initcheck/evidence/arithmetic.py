"""First training steps of tiny models, taken by Keras, to compare with the oracle."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from packaging.version import Version

from initcheck.catalog.optimizers import Rule
from initcheck.catalog.recipes import Task
from initcheck.evidence.session import Session
from initcheck.evidence.toy_data import pipeline
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor
from initcheck.frameworks.differentiation import gradients
from initcheck.frameworks.layer_calls import compiled_step, slope_of_lookups
from initcheck.frameworks.quiet import quiet
from initcheck.oracle.networks import DenseNetwork
from initcheck.oracle.optimizer_steps import Schedule
from initcheck.oracle.rounding import UNIT
from initcheck.oracle.tasks import Batch, class_of, other_shape, rows_for, weights_for

Arrays = list[np.ndarray]

# The oracle's name of a loss → Keras's class.
_LOSSES = {
    "mean_squared_error": "MeanSquaredError",
    "mean_absolute_error": "MeanAbsoluteError",
    "binary_crossentropy": "BinaryCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy",
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
}


@dataclass(frozen=True, eq=False)
class FitTrace:
    """Weights and reports of ``fit`` on one task, then the results of ``evaluate`` and ``predict``.

    Attributes:
        rows: The training rows.
        held_out: The validation rows.
        weights: The weights at the start and after each batch of each epoch.
        batches: The logs after each batch: running means since the epoch began.
        epochs: The values of ``History`` for each epoch.
        evaluated: The results of ``evaluate`` on the training rows at the end.
        predicted: The results of ``predict`` on the training rows at the end.
        weights_after: The weights after ``evaluate`` and ``predict``.
    """

    rows: Batch
    held_out: Batch
    weights: list[Arrays]
    batches: list[Mapping[str, float]]
    epochs: list[Mapping[str, float]]
    evaluated: Mapping[str, float]
    predicted: np.ndarray
    weights_after: Arrays


class Steps:
    """Training arithmetic as Keras computes it.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._keras = session.keras

    def supports_activation(self, name: str, options: Mapping[str, Any], since: str) -> bool:
        """Whether the installed Keras has that activation with those options, and documents it as from a version on."""
        function = getattr(self._keras.activations, name, None)
        if function is None or Version(self._keras.__version__) < Version(since):
            return False
        return set(options) <= set(inspect.signature(function).parameters)

    def activation(self, name: str, x: np.ndarray, options: Mapping[str, Any]) -> np.ndarray:
        """Returns the activation of that name, applied to x."""
        return as_array(self._keras.activations.get(name)(as_tensor(x), **options))

    def losses(self, loss: str, y: np.ndarray, output: np.ndarray, share: np.ndarray | None, **config: Any) -> Any:
        """Returns the loss of targets and outputs: one number, or one for each row, depending on ``reduction``."""
        weights = None if share is None else as_tensor(share)
        return as_array(self._loss(loss, **config)(as_tensor(y), as_tensor(output), sample_weight=weights))

    def logarithm_rounding(self, loss: str) -> float:
        """How much the backend's log(1 + exp(−|x|)) of a loss of logits may be off beside log1p's own rounding.

        torch rounds the sum before its logarithm: half a unit in the last place of a number from 1 to 2 at most.
        """
        rounds = loss == "binary_crossentropy_logits" and self._keras.backend.backend() == "torch"
        return UNIT if rounds else 0.0

    @property
    def losses_have_a_dtype(self) -> bool:
        """Whether losses of the installed version have a type of their own that they compute in."""
        return "dtype" in inspect.signature(self._keras.losses.Loss.__init__).parameters

    def supports_reduction(self, name: str) -> bool:
        """Whether losses of the installed version support that ``reduction``."""
        try:
            self._loss("mean_squared_error", reduction=name)
        except ValueError:
            return False
        return True

    def named_loss(self, name: str, y: np.ndarray, output: np.ndarray) -> np.ndarray:
        """Returns the loss that ``losses.get`` gives for a name, for each row."""
        return as_array(self._keras.losses.get(name)(as_tensor(y), as_tensor(output)))

    def named_metric(self, name: str, y: np.ndarray, output: np.ndarray) -> float:
        """Returns the mean of the metric that ``metrics.get`` gives for a name."""
        metric = self._keras.metrics.get(name)
        if not hasattr(metric, "update_state"):  # Keras 2 returns the function, which ``compile`` wraps
            return float(np.mean(as_array(metric(as_tensor(y), as_tensor(output)))))
        metric.update_state(as_tensor(y), as_tensor(output))
        return float(metric.result())

    def fuzz_factor(self) -> float:
        """Returns ``keras.backend.epsilon``, which keeps numeric expressions away from zero."""
        return float(self._keras.backend.epsilon())

    def gradients(
        self, net: DenseNetwork, loss: str, weights: Arrays, batch: Batch
    ) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """Output, mean loss and gradients of the network at those weights."""
        model = self._model(net)
        model.set_weights(weights)
        made, targets = self._loss(loss), as_tensor(batch.y)

        def compute(x: Any) -> tuple[Any, Any]:
            output = model(x, training=True)
            number = made(targets, output)
            return number, [output, number]

        found = gradients(model, [as_tensor(batch.x)], compute)
        output, value = found.values
        return output, value, [one for one in found.by_weights if one is not None]

    def supports_optimizer(self, rule: Rule) -> bool:
        """Whether the installed Keras has that optimizer, and documents it as from a version on."""
        row = rule.optimizer
        return hasattr(self._keras.optimizers, row.name) and Version(self._keras.__version__) >= Version(row.since)

    def updates(
        self, rule: Rule, weights: Arrays, gradients: Sequence[Arrays], *, by_name: bool = False
    ) -> list[Arrays]:
        """The weights after each of those gradients was applied; by name, the optimizer has its defaults."""
        layer = self._keras.layers.Dense(weights[0].shape[1], dtype=rule.dtype)
        layer.build((None, weights[0].shape[0]))
        layer.set_weights(weights)
        optimizer = self._keras.optimizers.get(rule.optimizer.identifier) if by_name else self._optimizer(rule)
        if rule.start:
            optimizer.build(layer.trainable_weights)
            optimizer.iterations.assign(rule.start)

        def step(*slopes: Any) -> None:
            optimizer.apply_gradients(zip(slopes, layer.trainable_weights, strict=True))

        if rule.graph:
            optimizer.build(layer.trainable_weights)
            step = compiled_step(optimizer, layer.trainable_weights)
        after = []
        for one in gradients:
            step(*map(as_tensor, one))
            after.append(layer.get_weights())
        return after

    def lookups(
        self, rule: Rule, table: np.ndarray, steps: Sequence[tuple[np.ndarray, np.ndarray]]
    ) -> list[np.ndarray]:
        """An Embedding's table after each step down the slope of its looked-up rows times the numbers given.

        Args:
            rule: The optimizer.
            table: The first values.
            steps: For each step the indices, and a number for each value looked up.
        """
        layer = self._keras.layers.Embedding(*table.shape)
        layer.build((None,))
        layer.set_weights([table])
        optimizer = self._optimizer(rule)
        after = []
        for indices, slopes in steps:
            gradient = slope_of_lookups(layer, as_tensor(indices), as_tensor(slopes))
            optimizer.apply_gradients([(gradient, layer.trainable_weights[0])])
            after.append(layer.get_weights()[0])
        return after

    def inference(self, weights: Arrays, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the inference outputs of a model with batch normalization, dropout and noise.

        Args:
            weights: Of its BatchNormalization.
            x: Rows, all of one batch.
            y: Targets, of x's shape.
        """
        layers = self._keras.layers
        noise = [layers.Dropout(0.5), layers.GaussianNoise(1.0)]
        model = self._keras.Sequential([self._keras.Input(x.shape[1:]), layers.BatchNormalization(), *noise])
        model.set_weights(weights)
        model.compile(optimizer=self._keras.optimizers.SGD(), loss="mse")
        with quiet():
            return {
                "output of a plain call": as_array(model(as_tensor(x))),
                "output of predict": model.predict(x, batch_size=len(x), verbose=0),
                "loss of evaluate": as_array(model.evaluate(x, y, batch_size=len(x), verbose=0)),
            }

    def rates(self, schedule: Schedule, steps: Sequence[int]) -> np.ndarray:
        """The learning rates of those steps."""
        made = self._schedule(schedule)
        return np.array([as_array(made(as_tensor(np.int64(step)))) for step in steps])

    def metric(self, name: str, config: Mapping[str, Any], batches: Sequence[Sequence[Any]]) -> list[float]:
        """The metric's result after each batch of ``(y, output)`` or ``(y, output, share)``, and the first again.

        It is reset before the last one, which shows whether ``reset_state`` works.
        """
        metric = getattr(self._keras.metrics, name)(**config)
        results = []
        for one in batches:
            metric.update_state(*(as_tensor(part) for part in one))
            results.append(float(metric.result()))
        metric.reset_state()
        metric.update_state(*(as_tensor(part) for part in batches[0]))
        return [*results, float(metric.result())]

    def fit(self, task: Task) -> FitTrace:
        """The task trained by ``fit``."""
        trace: FitTrace = self._session.once(("fit", task.name), lambda: self._fit(task))
        return trace

    def _fit(self, task: Task) -> FitTrace:
        seed = self._session.stream("arithmetic", task.name)
        rows = rows_for(task.net, task.loss, task.rows, seed, task.weighted)
        held_out = rows_for(task.net, task.loss, task.held_out, seed + 1, task.weighted)
        model = self._model(task.net)
        model.set_weights(weights_for(task.net, seed + 2))
        model.compile(
            optimizer=task.rule.optimizer.identifier if task.by_name else self._optimizer(task.rule),
            loss=task.loss if task.by_name else self._loss(task.loss),
            metrics=[task.metric],
            weighted_metrics=[self._weighted_metric(task)] if task.weighs else None,
            run_eagerly=not task.graph,
        )
        recorder = _recorder(self._keras)
        with quiet():
            history = model.fit(
                **self._source(task, rows),
                epochs=task.epochs,
                shuffle=False,
                verbose=0,
                validation_data=_parts(task, held_out),
                validation_batch_size=task.batch,
                callbacks=[recorder],
                **({"class_weight": dict(enumerate(task.class_weights))} if task.class_weights else {}),
            ).history
            evaluated = model.evaluate(**self._source(task, rows), verbose=0, return_dict=True)
            predicted = model.predict(pipeline(rows.x, size=task.batch), verbose=0)
        if task.class_weights:
            rows = rows.with_sample_weight(np.array(task.class_weights)[class_of(rows.y)])
        return FitTrace(
            rows=rows,
            held_out=held_out,
            weights=recorder.weights,
            batches=recorder.logs,
            epochs=[{name: float(values[epoch]) for name, values in history.items()} for epoch in range(task.epochs)],
            evaluated={name: float(value) for name, value in evaluated.items()},
            predicted=as_array(predicted),
            weights_after=model.get_weights(),
        )

    def _source(self, task: Task, rows: Batch) -> dict[str, Any]:
        parts = _parts(task, rows)
        if not task.dataset:
            return {"batch_size": task.batch, **dict(zip(("x", "y", "sample_weight"), parts, strict=False))}
        return {"x": pipeline(*parts, size=task.batch)}

    def _weighted_metric(self, task: Task) -> Any:
        """The metric that the task reports anyway, weighted, under a name of its own."""
        kind = task.loss.partition("_")[0].capitalize() if task.classifies else "Mean"
        name = {"Binary": "BinaryAccuracy", "Categorical": "CategoricalAccuracy", "Sparse": "SparseCategoricalAccuracy"}
        return getattr(self._keras.metrics, name.get(kind, "MeanAbsoluteError"))(name="weighted")

    def _model(self, net: DenseNetwork) -> Any:
        dense = self._keras.layers.Dense
        layers = [dense(width, activation=name) for width, name in zip(net.widths, net.activations, strict=True)]
        return self._keras.Sequential([self._keras.Input((net.inputs,)), *layers])

    def _loss(self, name: str, **config: Any) -> Any:
        base = name.removesuffix("_logits")
        if base != name:
            config["from_logits"] = True
        return getattr(self._keras.losses, _LOSSES[base])(**config)

    def _optimizer(self, rule: Rule) -> Any:
        config = {
            key: self._schedule(value) if isinstance(value, Schedule) else value for key, value in rule.config.items()
        }
        return getattr(self._keras.optimizers, rule.optimizer.name)(**config)

    def _schedule(self, schedule: Schedule) -> Any:
        return getattr(self._keras.optimizers.schedules, schedule.name)(**schedule.config)


def _recorder(keras: Any) -> Any:
    class Recorder(keras.callbacks.Callback):  # type: ignore[misc] # Keras is loaded at run time
        """Records the weights and the logs after each batch."""

        def __init__(self) -> None:
            super().__init__()
            self.weights: list[Arrays] = []
            self.logs: list[Mapping[str, float]] = []

        def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
            self.weights.append(self.model.get_weights())

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
            self.weights.append(self.model.get_weights())
            self.logs.append({name: float(value) for name, value in (logs or {}).items()})

    return Recorder()


def _parts(task: Task, rows: Batch) -> tuple[np.ndarray, ...]:
    """Inputs, targets as the task shapes them, and sample weights where it has them."""
    y = other_shape(rows.y) if task.reshaped else rows.y
    return (rows.x, y, rows.sample_weight) if task.weighted else (rows.x, y)
