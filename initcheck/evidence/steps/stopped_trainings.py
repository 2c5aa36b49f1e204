"""Callbacks that end training or change its learning rate, epoch by epoch."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from packaging.version import Version

from initcheck.evidence.composition.promises import Row, Seen, inputs, is_keras_3, refusal, table
from initcheck.evidence.steps.hand_steps import weight_of
from initcheck.evidence.steps.hooked_models import (
    driven,
    learning_rate,
    losses,
    single_weight,
    taken_step,
)
from initcheck.evidence.toy_data import pipeline
from initcheck.frameworks.arrays import as_array

# The callbacks that the rows look at, with the arguments that they give.
STOPPING: Mapping[str, Sequence[str]] = {
    "EarlyStopping": (
        *("monitor", "min_delta", "patience", "mode", "baseline", "restore_best_weights", "start_from_epoch"),
    ),
    "ReduceLROnPlateau": ("monitor", "factor", "patience", "mode", "min_delta", "cooldown", "min_lr"),
    "LearningRateScheduler": ("schedule",),
    "TerminateOnNaN": ("raise_error",),
}
_NAN = float("nan")

# Options, the monitored values, how many epochs are run, and of which epoch the weight is afterwards (from zero).
_STOPS: Sequence[tuple[Mapping[str, Any], Sequence[float], int, int]] = (
    ({}, (1.0, 0.5, 0.6, 0.1), 3, 2),
    ({"patience": 1}, (1.0, 0.5, 0.6, 0.1), 3, 2),
    ({"patience": 1}, (1.0, 0.9, 0.8, 0.7), 4, 3),
    ({"patience": 2}, (1.0, 0.5, 0.6, 0.4, 0.5, 0.6, 0.1), 6, 5),
    ({"patience": 2}, (1.0, 1.0, 1.0, 1.0), 3, 2),
    ({"patience": 3}, (1.0, _NAN, _NAN, 0.5, 0.6, _NAN, 0.6, 0.1), 7, 6),
    ({"patience": 2, "min_delta": 0.1}, (1.0, 0.95, 0.85, 0.84, 0.83, 0.1), 5, 4),
    ({"patience": 2, "min_delta": 0.1}, (1.0, 0.95, 0.92, 0.1), 3, 2),
    ({"patience": 2, "min_delta": 0.1, "mode": "max"}, (1.0, 1.05, 1.2, 1.25, 1.29, 9.0), 5, 4),
    ({"patience": 2, "mode": "min"}, (3.0, 2.0, 2.5, 2.2, 1.0), 4, 3),
    ({"patience": 2, "mode": "max"}, (1.0, 2.0, 1.5, 1.2, 9.0), 4, 3),
    ({"patience": 2, "baseline": 0.5}, (0.9, 0.91, 0.92, 0.1), 2, 1),
    ({"patience": 2, "baseline": 0.5}, (0.9, 0.4, 0.6, 0.45, 0.1), 4, 3),
    ({"patience": 2, "baseline": 0.5, "mode": "max"}, (0.1, 0.6, 0.4, 0.55, 0.9), 4, 3),
    ({"patience": 2, "min_delta": -0.1}, (1.0, 0.95, 0.85, 0.84, 0.83, 0.1), 5, 4),
    ({"patience": 2, "baseline": 0.0, "mode": "max"}, (-3.0, -4.0, -2.0, -3.0, -4.0, 9.0), 2, 1),
    ({"patience": 2, "start_from_epoch": 2}, (9.0, 9.0, 1.0, 2.0, 3.0, 4.0, 0.1), 5, 4),
    ({"patience": 2, "start_from_epoch": 3}, (1.0, 2.0, 3.0, 2.5, 2.4, 2.6, 2.7, 0.1), 7, 6),
    ({"patience": 2, "restore_best_weights": True}, (1.0, 0.5, 0.6, 0.7, 0.1), 4, 1),
    ({"patience": 9, "restore_best_weights": True}, (1.0, 0.5, 0.6), 3, 1),
    ({"patience": 9, "restore_best_weights": True}, (1.0, 0.5, 0.4), 3, 2),
    ({"patience": 2, "restore_best_weights": True, "mode": "max"}, (1.0, 0.5, 0.6, 0.7), 3, 0),
    ({"patience": 2, "restore_best_weights": True, "min_delta": 0.1}, (1.0, 0.95, 0.93, 0.1), 3, 0),
    ({"patience": 2, "restore_best_weights": True, "start_from_epoch": 2}, (0.1, 0.2, 0.9, 0.8, 0.9, 0.9), 6, 3),
    ({"patience": 5, "restore_best_weights": True, "baseline": 0.5}, (0.9, 0.8, 0.7, 0.71, 0.72, 0.1), 5, 2),
)


def _stops(keras: Any) -> Sequence[tuple[Mapping[str, Any], Sequence[float], int, int]]:
    """All of them; Keras 2 restores nothing where training was not stopped."""
    return [one for one in _STOPS if is_keras_3(keras) or one[0].get("patience") != 9]


def early_stops(keras: Any, _: Path) -> Iterator[Seen]:
    """Epochs that are run, and the weights that are left, for each option and values that rise and fall."""
    model = single_weight(keras)
    for options, numbers, epochs, kept in _stops(keras):
        callback = keras.callbacks.EarlyStopping("loss", **options)
        run = len(driven(callback, model, losses(*numbers)))
        yield f"epochs and kept weight with {options} for {numbers}", (epochs, float(kept)), (run, weight_of(model))
    callback = keras.callbacks.EarlyStopping(patience=1)
    run = len(driven(callback, model, [{"loss": 1.0, "val_loss": one} for one in (1.0, 0.5, 0.7)]))
    yield "epochs by the validation's loss, by default", 3, run
    yield "the epoch at which it stopped", 2, callback.stopped_epoch


def early_stops_twice(keras: Any, _: Path) -> Iterator[Seen]:
    """A callback can be used in several fits: a second one knows nothing of the first."""
    model = single_weight(keras)
    for options, numbers, epochs, kept in _stops(keras):
        callback = keras.callbacks.EarlyStopping("loss", **options)
        # The first fit has the best value that there is.
        driven(callback, model, losses(*[-9.0 if options.get("mode") != "max" else 99.0] * 4))
        run = len(driven(callback, model, losses(*numbers)))
        words = f"epochs and kept weight of a second fit with {options} for {numbers}"
        yield words, (epochs, float(kept)), (run, weight_of(model))


def baselines_never_reached(keras: Any, _: Path) -> Iterator[Seen]:
    """Where no epoch improves on it, "training will run for ``patience`` epochs", and the best of them is restored."""
    model = single_weight(keras)
    for patience in (2, 3):
        callback = keras.callbacks.EarlyStopping("loss", patience=patience, baseline=0.1, restore_best_weights=True)
        run = len(driven(callback, model, losses(0.9, 0.8, 0.7, 0.6, 0.5)))
        yield f"epochs with patience {patience}", patience, run
        yield f"epoch of the weight with patience {patience}", float(patience - 1), weight_of(model)


def unknown_values(keras: Any, _: Path) -> Iterator[Seen]:
    """Where the logs lack the monitored value, training goes on, with a warning that names it."""
    model, kinds = single_weight(keras), keras.callbacks
    for callback in (kinds.EarlyStopping("val_loss"), kinds.ReduceLROnPlateau("val_loss", patience=1)):
        name = type(callback).__name__
        yield f"learning rates with {name}", [1.0] * 4, driven(callback, model, losses(1.0, 2.0, 3.0, 4.0))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            callback.on_epoch_end(4, {"loss": 1.0})
        if is_keras_3(keras):
            yield f"whether {name} warns", True, any("val_loss" in str(one.message) for one in caught)


def directions(keras: Any, _: Path) -> Iterator[Seen]:
    """``mode="auto"``: which values are better is inferred from the metric that the name belongs to."""
    if not is_keras_3(keras):
        return
    kinds = keras.metrics
    up: dict[Any, bool] = {
        "accuracy": True,
        "mae": False,
        "mse": False,
        kinds.AUC(num_thresholds=3, name="area"): True,
        kinds.BinaryAccuracy(name="right"): True,
        kinds.BinaryCrossentropy(name="entropy"): False,
        kinds.CosineSimilarity(name="cosine"): True,
        kinds.Precision(name="precise"): True,
        kinds.Recall(name="recalled"): True,
        kinds.R2Score(name="explained"): True,
        kinds.RootMeanSquaredError(name="root"): False,
        kinds.Hinge(name="hinge"): False,
    }
    model = taken_step(single_weight(keras, metrics=[*up]))
    names: dict[str, bool] = {getattr(one, "name", one): better for one, better in up.items()} | {"loss": False}
    for name, better in names.items():
        for prefix in ("", "val_"):
            callback = keras.callbacks.EarlyStopping(prefix + name, patience=2)
            rising = len(driven(callback, model, losses(1.0, 2.0, 3.0, 4.0, 5.0, name=prefix + name)))
            yield f"epochs while {prefix}{name} rises", 5 if better else 3, rising
    plateau = keras.callbacks.ReduceLROnPlateau("val_accuracy", factor=0.5, patience=2)
    rates = driven(plateau, model, losses(0.1, 0.2, 0.3, 0.2, 0.1, name="val_accuracy"))
    yield "learning rates as the accuracy rises and falls", [1.0, 1.0, 1.0, 1.0, 0.5], rates
    callback = keras.callbacks.EarlyStopping("cleverness")
    logs = losses(1.0, name="cleverness")
    yield "raised for a name of no metric", "ValueError", refusal(driven, callback, model, logs)


def directions_of_several_outputs(keras: Any, _: Path) -> Iterator[Seen]:
    """The metric of one of several outputs has the output's name before its own."""
    if not is_keras_3(keras):
        return
    x = keras.Input((1,))
    outputs = {name: keras.layers.Dense(1, name=name)(x) for name in ("one", "two")}
    model = keras.Model(x, outputs)
    model.compile(keras.optimizers.SGD(), "mse", metrics={"one": ["accuracy"], "two": ["mae"]}, run_eagerly=True)
    y = {"one": inputs([0.0], [1.0]), "two": inputs([0.0], [1.0])}
    logs = model.train_on_batch(inputs([0.25], [0.75]), y, return_dict=True)
    for name, better in (("one_accuracy", True), ("two_mae", False), ("one_loss", False)):
        if name not in logs:
            continue
        callback = keras.callbacks.EarlyStopping("val_" + name, patience=1)
        callback.set_model(model)
        model.stop_training = False
        callback.on_train_begin({})
        for epoch, number in enumerate((1.0, 2.0)):
            callback.on_epoch_end(epoch, {"val_" + name: number})
        yield f"whether training stops as {name} rises", not better, bool(model.stop_training)


# Options, the monitored values, and the learning rate after each epoch; it begins at 1 and is halved.
_RATES: Sequence[tuple[Mapping[str, Any], Sequence[float], Sequence[float]]] = (
    ({"patience": 2}, (1.0,) * 6, (1.0, 1.0, 0.5, 0.5, 0.25, 0.25)),
    ({"patience": 1}, (1.0,) * 4, (1.0, 0.5, 0.25, 0.125)),
    ({"patience": 2}, (1.0, 1.1, 0.9, 1.0, 0.95, 0.95, 0.8), (1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5)),
    ({"patience": 2}, (1.0, _NAN, _NAN, 0.5), (1.0, 1.0, 0.5, 0.5)),
    ({"patience": 2, "mode": "max"}, (1.0, 2.0, 1.5, 1.5, 3.0, 1.0), (1.0, 1.0, 1.0, 0.5, 0.5, 0.5)),
    ({"patience": 2, "min_delta": 0.1}, (1.0, 0.95, 0.92, 0.8), (1.0, 1.0, 0.5, 0.5)),
    ({"patience": 2, "min_delta": 0.1, "mode": "max"}, (1.0, 1.05, 1.2, 1.25, 1.29), (1.0, 1.0, 1.0, 1.0, 0.5)),
    ({"patience": 1}, (1.0, 0.99995, 0.9999), (1.0, 0.5, 0.25)),  # by default a change below 0.0001 is none
    ({"patience": 1}, (1.0, 0.9998, 0.9996), (1.0, 1.0, 1.0)),
    ({"patience": 1, "min_delta": 0.0}, (1.0, 0.99995, 0.9999), (1.0, 1.0, 1.0)),
    # The epoch in which the cooldown's counter comes to zero counts again, in every release.
    ({"patience": 1, "cooldown": 2}, (1.0,) * 6, (1.0, 0.5, 0.5, 0.25, 0.25, 0.125)),
    ({"patience": 2, "cooldown": 3}, (1.0,) * 9, (1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25)),
    ({"patience": 1, "cooldown": 3}, (1.0, 1.1, 0.5, 0.6, 0.7), (1.0, 0.5, 0.5, 0.5, 0.25)),
    ({"patience": 1, "min_lr": 0.3}, (1.0,) * 4, (1.0, 0.5, 0.3, 0.3)),
    ({"patience": 1, "factor": 0.1}, (1.0,) * 3, (1.0, 0.1, 0.01)),
)


def rates_on_plateaus(keras: Any, _: Path) -> Iterator[Seen]:
    """The learning rate after each epoch, and in its logs, for each option and values that rise and fall."""
    model = single_weight(keras)
    for options, numbers, rates in _RATES:
        given = {"factor": 0.5, **options}
        callback = keras.callbacks.ReduceLROnPlateau("loss", **given)
        model.optimizer.learning_rate = 1.0
        yield f"learning rates with {given} for {numbers}", list(rates), driven(callback, model, losses(*numbers))
    callback = keras.callbacks.ReduceLROnPlateau()
    model.optimizer.learning_rate = 1.0
    logs = losses(*(1.0,) * 12, name="val_loss")
    yield "learning rates by default", [1.0] * 10 + [0.1] * 2, driven(callback, model, logs)
    yield "raised for a factor of one", "ValueError", refusal(lambda: keras.callbacks.ReduceLROnPlateau(factor=1.0))


def rates_on_plateaus_twice(keras: Any, _: Path) -> Iterator[Seen]:
    """A second fit knows nothing of the first: neither its best value, nor its patience or cooldown."""
    model = single_weight(keras)
    for options, numbers, rates in _RATES:
        given = {"factor": 0.5, **options}
        callback = keras.callbacks.ReduceLROnPlateau("loss", **given)
        driven(callback, model, losses(*[-9.0 if options.get("mode") != "max" else 99.0] * 4))
        model.optimizer.learning_rate = 1.0
        words = f"learning rates of a second fit with {given} for {numbers}"
        yield words, list(rates), driven(callback, model, losses(*numbers))


def rates_by_schedules(keras: Any, _: Path) -> Iterator[Seen]:
    """An optimizer that follows a schedule has no learning rate that a callback could set: ``TypeError``."""
    if not is_keras_3(keras):
        return
    schedule = keras.optimizers.schedules.ExponentialDecay(1.0, 10, 0.5)
    model = single_weight(keras, keras.optimizers.SGD(schedule))
    plateau = keras.callbacks.ReduceLROnPlateau("loss", patience=1)
    yield "raised on a plateau", "TypeError", refusal(driven, plateau, model, losses(1.0, 1.0, 1.0))
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, lr: lr * 0.5)
    yield "raised by a scheduler", "TypeError", refusal(driven, scheduler, model, losses(1.0))


def rates_by_epoch(keras: Any, _: Path) -> Iterator[Seen]:
    """The function gets the epoch's index and the present rate, and gives the epoch its rate, which is logged."""
    asked: list[tuple[int, float]] = []

    def halved(epoch: int, rate: float) -> float:
        asked.append((epoch, rate))
        return rate if epoch < 2 else rate * 0.5

    model, kind = single_weight(keras), keras.callbacks.LearningRateScheduler
    x = inputs([1.0])
    history = model.fit(
        pipeline(x, x), epochs=5, initial_epoch=1, callbacks=[kind(halved)], shuffle=False, verbose=0
    ).history
    yield "what the function is asked", [(1, 1.0), (2, 1.0), (3, 0.5), (4, 0.25)], asked
    (logged,) = [one for name, one in history.items() if name in ("lr", "learning_rate")]
    yield "logged rates", [1.0, 0.5, 0.25, 0.125], [as_array(one).tolist() for one in logged]
    yield "rate afterwards", 0.125, learning_rate(model)
    alone = kind(lambda epoch: 0.5 / (epoch + 1))
    yield "rates of a function of the epoch alone", [0.5, 0.25, 0.166667], driven(alone, model, losses(1.0, 1.0, 1.0))
    numpys = kind(lambda epoch, lr: np.float32(0.25))
    yield "rates of NumPy's numbers", [0.25, 0.25], driven(numpys, model, losses(1.0, 1.0))
    words = kind(lambda epoch, lr: "fast")
    yield "raised for another result", "ValueError", refusal(driven, words, model, losses(1.0))


def rates_of_several_optimizers(keras: Any, _: Path) -> Iterator[Seen]:
    """Each of several optimizers has its own rate, which is set, lowered and logged by its name."""
    if not is_keras_3(keras) or Version(keras.__version__) < Version("3.15"):
        return
    first, second = keras.optimizers.SGD(1.0, name="first"), keras.optimizers.SGD(0.5, name="second")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, name="one"), keras.layers.Dense(1, name="two")])
    chosen = keras.optimizers.MultiOptimizer(lambda weight: first if "one" in weight.path else second)
    model.compile(chosen, keras.losses.MeanSquaredError(), run_eagerly=True)
    model.train_on_batch(inputs([1.0]), inputs([1.0]))

    def rates() -> list[float]:
        return [float(as_array(one.learning_rate)) for one in (first, second)]

    for callback, expected in (
        (keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5), [0.5, 0.25]),
        (keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1), [0.25, 0.125]),
    ):
        name = type(callback).__name__
        callback.set_model(model)
        callback.on_train_begin({})
        before = rates()
        logs: list[dict[str, float]] = [{"loss": 1.0}, {"loss": 1.0}]
        callback.on_epoch_begin(0, {})
        callback.on_epoch_end(0, logs[0])
        if "schedule" not in vars(callback):
            callback.on_epoch_end(1, logs[1])
        yield f"rates by {name}", expected, rates()
        logged = {f"learning_rate_{one.name}": rate for one, rate in zip((first, second), before, strict=True)}
        after = {f"learning_rate_{one.name}": rate for one, rate in zip((first, second), expected, strict=True)}
        yield f"logged by {name}", {"loss": 1.0, **(after if "schedule" in vars(callback) else logged)}, logs[0]


def losses_that_are_no_numbers(keras: Any, _: Path) -> Iterator[Seen]:
    """Training ends with the batch whose loss is NaN or infinite; its epoch and the training are closed."""
    model, kind = single_weight(keras), keras.callbacks.TerminateOnNaN
    for number, ends in ((1.0, False), (0.0, False), (1e30, False), (_NAN, True), (np.inf, True), (-np.inf, True)):
        callback = kind()
        callback.set_model(model)
        model.stop_training = False
        callback.on_batch_end(0, {"loss": np.float32(number), "accuracy": _NAN if not ends else 0.5})
        yield f"whether a loss of {number} ends training", ends, bool(model.stop_training)
    callback = kind()
    callback.set_model(model)
    model.stop_training = False
    yield "raised without a loss", "", refusal(callback.on_batch_end, 0, {})
    seen: list[str] = []
    notes = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(f"batch {batch}"),
        on_epoch_end=lambda epoch, logs: seen.append(f"epoch {epoch}"),
        on_train_end=lambda logs: seen.append("end"),
    )
    rows = inputs([1.0], [1.0], [np.inf], [1.0])
    batches = pipeline(rows, np.ones_like(rows), size=1)
    model.fit(batches, epochs=3, verbose=0, callbacks=[kind(), notes], shuffle=False)
    yield "hooks of a fit whose third batch is infinite", ["batch 0", "batch 1", "batch 2", "epoch 0", "end"], seen
    if "raise_error" in inspect.signature(kind).parameters:
        strict = kind(raise_error=True)
        strict.set_model(model)
        yield "raised at once", "RuntimeError", refusal(strict.on_batch_end, 0, {"loss": _NAN})
        yield "raised for a number", "", refusal(strict.on_batch_end, 0, {"loss": 1.0})


def stops_in_fit(keras: Any, _: Path) -> Iterator[Seen]:
    """A weight that runs away from the targets stops the fit, and the best epoch's weight is left; twice."""
    x = inputs([1.0], [1.0])
    rows = pipeline(x, x)
    stopping = keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.0)
    model = single_weight(keras, keras.optimizers.SGD(1.5))
    # Each step goes from w to w − 3·(w − 1): the distance from 1 doubles; halved, the rate halves it in two steps.
    for words in ("", " again"):
        model.set_weights([inputs([2.0])])
        model.optimizer.learning_rate = 1.5
        history = model.fit(rows, epochs=9, verbose=0, validation_data=rows, callbacks=[stopping], shuffle=False)
        yield f"epochs of a fit{words}", [0, 1, 2], history.epoch
        yield f"weight after it{words}", -1.0, weight_of(model)
        yield f"losses{words}", [1.0, 4.0, 16.0], [float(one) for one in history.history["loss"]]
    model.set_weights([inputs([2.0])])
    model.optimizer.learning_rate = 1.5
    history = model.fit(rows, epochs=4, verbose=0, callbacks=[plateau], shuffle=False).history
    # 2 → −1 → (rate 0.75) 5 … : the rate is halved at the end of each epoch whose loss is no smaller.
    (logged,) = [one for name, one in history.items() if name in ("lr", "learning_rate")]
    yield "losses on a plateau", [1.0, 4.0, 16.0, 4.0], [float(one) for one in history["loss"]]
    yield "rates of its epochs", [1.5, 1.5, 0.75, 0.375], [float(one) for one in logged]


STOPS: Mapping[str, Row] = table(
    early_stops,
    early_stops_twice,
    baselines_never_reached,
    unknown_values,
    directions,
    directions_of_several_outputs,
    rates_on_plateaus,
    rates_on_plateaus_twice,
    rates_by_schedules,
    rates_by_epoch,
    rates_of_several_optimizers,
    losses_that_are_no_numbers,
    stops_in_fit,
)
