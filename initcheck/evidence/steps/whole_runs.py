"""What ``fit``, ``evaluate`` and ``predict`` do around the steps: epochs, batches, validation, reports and stops."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.evidence.composition.promises import (
    Row,
    Seen,
    inputs,
    is_keras_3,
    lacked_by,
    normals,
    refusal,
    table,
    tensorflows,
    values,
)
from initcheck.evidence.steps.trained_models import QUIET, X, compiled, linear, matched, reported
from initcheck.evidence.toy_data import pipeline
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor
from initcheck.frameworks.operations import operations
from initcheck.oracle.reported_means import errors, mean_loss

_Y = inputs([1], [0], [2], [1])
_SUMS = X.sum(axis=1, keepdims=True)
_STREAM = 39


def _losses(x: Any, y: Any) -> list[float]:
    return [float(one) for one in errors("mse", y, np.asarray(x, float).sum(axis=-1, keepdims=True))]


def _watcher(keras: Any) -> Any:
    """A callback that notes which of its methods were called, with which number."""

    class BatchWatcher(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[tuple[str, Any]] = []
            self.logs: list[dict[str, float]] = []

        def on_train_begin(self, *_: Any, **__: Any) -> None:
            self.seen.append(("train begin", None))

        def on_epoch_begin(self, epoch: int, *_: Any, **__: Any) -> None:
            self.seen.append(("epoch", epoch))

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.seen.append(("batch", batch))
            self.logs.append(reported(logs))

        def on_test_batch_end(self, batch: int, *_: Any, **__: Any) -> None:
            self.seen.append(("test", batch))

        def on_predict_batch_end(self, batch: int, *_: Any, **__: Any) -> None:
            self.seen.append(("predict", batch))

        def on_epoch_end(self, epoch: int, *_: Any, **__: Any) -> None:
            self.seen.append(("epoch end", epoch))

        def on_train_end(self, *_: Any, **__: Any) -> None:
            self.seen.append(("train end", None))

    return BatchWatcher()


def epochs_and_batches(keras: Any, _: Path) -> Iterator[Seen]:
    """Epochs from ``initial_epoch`` to ``epochs``; batches from 0, the last one smaller; validation after them."""
    model, watcher = linear(keras), _watcher(keras)
    history = model.fit(
        X, _Y, batch_size=3, epochs=4, initial_epoch=2, validation_data=(X, _Y), callbacks=[watcher], **QUIET
    )
    an_epoch = [("batch", 0), ("batch", 1), ("test", 0), ("test", 1)]
    expected = [
        ("train begin", None),
        *(one for epoch in (2, 3) for one in (("epoch", epoch), *an_epoch, ("epoch end", epoch))),
        ("train end", None),
    ]
    yield "what is called in order", expected, [*watcher.seen]
    yield "epochs of the history", [2, 3], history.epoch
    yield "length of the history", 2, len(history.history["loss"])
    yield "epochs and steps that callbacks know", [4, 2], [history.params["epochs"], history.params["steps"]]
    yield "whether the model keeps it", True, model.history is history
    left = model.fit(pipeline(X, _Y), epochs=2, initial_epoch=2, shuffle=False, **QUIET)
    yield "epochs when none are left", [], left.epoch
    watcher.seen.clear()
    rows = np.ones((70, 3), np.float32)
    model.fit(rows, rows[:, :1], callbacks=[watcher], **QUIET)
    model.evaluate(rows, rows[:, :1], callbacks=[watcher], **QUIET)
    model.predict(rows, callbacks=[watcher], **QUIET)
    seen = [one for one in watcher.seen if one[0] in ("batch", "test", "predict")]
    yield "batches of 32 by default", [(name, k) for name in ("batch", "test", "predict") for k in range(3)], seen


def means_over_batches(keras: Any, _: Path) -> Iterator[Seen]:
    """After each batch the mean over the rows of the epoch so far, however many the batch has; anew each epoch."""
    model, watcher = linear(keras, metrics=["mae"]), _watcher(keras)
    each, sizes = _losses(X, _Y), errors("mae", _Y, _SUMS)
    for shuffle in (False, True):
        watcher.logs.clear()
        history = model.fit(X, _Y, batch_size=3, epochs=2, shuffle=shuffle, callbacks=[watcher], **QUIET).history
        expected: dict[str, Any] = {"loss": [np.mean(each)] * 2, "mae": [sizes.mean()] * 2}
        yield f"history, shuffle={shuffle}", expected, matched(expected, reported(history))
        if not shuffle:
            running: list[Any] = [{"loss": np.mean(each[:stop]), "mae": sizes[:stop].mean()} for stop in (3, 4)] * 2
            yield "logs after each batch", running, matched(running, watcher.logs)
    for size in (1, 3):
        report = reported(model.evaluate(pipeline(X, _Y, size=size), return_dict=True, **QUIET))
        expected = {"loss": np.mean(each), "mae": sizes.mean()}
        yield f"evaluate in batches of {size}", expected, matched(expected, report)
    again = reported(model.evaluate(pipeline(X[:1], _Y[:1]), return_dict=True, **QUIET))
    expected = {"loss": each[0], "mae": float(sizes[0])}
    yield "evaluate of other rows afterwards", expected, matched(expected, again)


def results_of_metrics(keras: Any, _: Path) -> Iterator[Seen]:
    """What ``evaluate`` returns is what the metrics hold: names, results, and zero once they are reset."""
    model = linear(keras, loss="mae", metrics=["mse", "mae"], weighted_metrics=["msle"])
    numbers = model.evaluate(pipeline(X, _Y), **QUIET)
    square, size = float(np.mean(_losses(X, _Y))), float(errors("mae", _Y, _SUMS).mean())
    yield (
        "loss and metrics that evaluate lists in order",
        [size, square, size],
        matched([size, square, size], numbers[:3]),
    )
    yield "numbers that evaluate lists", 4, len(numbers)
    model = linear(keras, metrics=["mae"])
    model.evaluate(pipeline(X, _Y), **QUIET)
    expected = [square, size]
    if is_keras_3(keras):
        yield "first name", "loss", model.metrics_names[0]
        results = reported(model.get_metrics_result())
        yield (
            "results of metrics",
            {"loss": expected[0], "mae": expected[1]},
            matched({"loss": expected[0], "mae": expected[1]}, results),
        )
        model.reset_metrics()
        results = reported(model.get_metrics_result())
        yield "results after a reset", {"loss": 0.0, "mae": 0.0}, results
    yield "a number alone", expected[0], matched(expected[0], linear(keras).evaluate(pipeline(X, _Y), **QUIET))


def lists_of_equal_metrics(keras: Any, _: Path) -> Iterator[Seen]:
    """A list has one number for each metric, also where one is given plain and weighted."""
    model = linear(keras, metrics=["mae"], weighted_metrics=["mae"])
    yield "numbers that evaluate lists", 3, len(model.evaluate(pipeline(X, _Y), **QUIET))
    yield "numbers that test_on_batch lists", 3, len(model.test_on_batch(X, _Y))


def single_batches(keras: Any, _: Path) -> Iterator[Seen]:
    """``train_on_batch`` and ``test_on_batch`` report their batch as it is, as a number, a list or by names."""
    y = _Y
    for eager in (True, False):
        model = linear(keras, metrics=["mae"], run_eagerly=eager)
        for words, call in (("train", model.train_on_batch), ("test", model.test_on_batch)):
            if eager or words == "train":
                for rows in (slice(0, 2), slice(1, 4)):
                    expected = [float(np.mean(_losses(X[rows], y[rows])))]
                    expected.append(float(errors("mae", y[rows], _SUMS[rows]).mean()))
                    share = np.ones(len(X[rows]), np.float32)
                    if is_keras_3(keras):  # Keras 2 adds up batches until ``reset_metrics``
                        actual = [float(one) for one in call(X[rows], y[rows])]
                        yield f"list of {words}, eager {eager}", expected, matched(expected, actual)
                        names = reported(call(X[rows], y[rows], sample_weight=share, return_dict=True))
                        by_name = {"loss": expected[0], "mae": expected[1]}
                        yield f"names of {words}, eager {eager}", by_name, matched(by_name, names)
    plain = linear(keras)
    for words, one_call in (("train", plain.train_on_batch), ("test", plain.test_on_batch)):
        number = one_call(X, y)
        yield f"axes of the only number of {words}", 0, np.ndim(number)
        yield (
            f"value of the only number of {words}",
            float(np.mean(_losses(X, y))),
            matched(float(np.mean(_losses(X, y))), float(number)),
        )
    model = linear(keras, rate=0.5)
    expected_kernel = (1 - 0.5 * 2 * X.T.astype(float) @ (_SUMS - y) / 4).tolist()
    model.test_on_batch(X, y)
    yield "kernel after a test", [[1.0]] * 3, values(model.get_weights()[0])
    model.train_on_batch(X, y)
    yield "kernel after a batch", expected_kernel, matched(expected_kernel, values(model.get_weights()[0]))
    yield "steps of the optimizer", 1, int(as_array(model.optimizer.iterations))


def rows_held_back(keras: Any, _: Path) -> Iterator[Seen]:
    """``validation_split`` takes the last rows before it shuffles, and does not train on them."""
    x = np.eye(8, 3, dtype=np.float32) + np.arange(8, dtype=np.float32)[:, None] / 4
    y = np.arange(8, dtype=np.float32)[:, None]
    each = _losses(x, y)
    for split, kept in ((0.25, 6), (0.3, 5)):
        model = linear(keras)
        history = model.fit(x, y, batch_size=8, validation_split=split, **QUIET).history
        expected: dict[str, Any] = {"loss": [np.mean(each[:kept])], "val_loss": [np.mean(each[kept:])]}
        yield f"history with {split} held back", expected, matched(expected, reported(history))
    model = linear(keras)
    history = model.fit(x, y, batch_size=8, validation_split=0.5, validation_data=(x[:1], y[:1]), **QUIET).history
    expected = {"loss": [np.mean(each)], "val_loss": [each[0]]}
    yield "history where data are given as well", expected, matched(expected, reported(history))
    split_lists = keras.Input((3,)), keras.Input((3,))
    added = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(keras.layers.Add()([*split_lists]))
    model = compiled(keras, keras.Model([*split_lists], added))
    history = model.fit([as_tensor(x), 0 * x], y, validation_split=0.25, **QUIET).history
    expected = {"loss": [np.mean(each[:6])], "val_loss": [np.mean(each[6:])]}
    yield "history of two inputs", expected, matched(expected, reported(history))
    for words, split in (("all", 1.0), ("all of one row", 0.25)):
        rows = 1 if words == "all of one row" else 8
        action = lambda split=split, rows=rows: linear(keras).fit(x[:rows], y[:rows], validation_split=split, **QUIET)  # noqa: E731
        yield f"whether {words} held back raises", True, bool(refusal(action))


def validation_of_each_fit(keras: Any, _: Path) -> Iterator[Seen]:
    """A second ``fit`` validates on its own data, and without any it reports none."""
    each, model, data = _losses(X, _Y), linear(keras, run_eagerly=False), pipeline(X, _Y)
    for words, rows in (("first", slice(0, 2)), ("second", slice(2, 4)), ("third", slice(1, 2))):
        history = model.fit(data, validation_data=(X[rows], _Y[rows]), shuffle=False, **QUIET).history
        expected = [float(np.mean(each[rows]))]
        yield f"validation of the {words} fit", expected, matched(expected, history["val_loss"])
    yield "names without any", ["loss"], [*reported(model.fit(data, shuffle=False, **QUIET).history)]

    class InterruptedTest(keras.callbacks.Callback):  # type: ignore[misc]
        def on_test_end(self, *_: Any, **__: Any) -> None:
            raise InterruptedError

    interrupting = {"validation_data": (X[:1], _Y[:1]), "callbacks": [InterruptedTest()]}
    error = refusal(lambda: model.fit(data, shuffle=False, **interrupting, **QUIET))
    yield "raised as it is interrupted", "InterruptedError", error
    history = model.fit(data, validation_data=(X[1:], _Y[1:]), shuffle=False, **QUIET).history
    expected = [float(np.mean(each[1:]))]
    yield "validation after an interrupted fit", expected, matched(expected, history["val_loss"])


def frequencies_of_validation(keras: Any, _: Path) -> Iterator[Seen]:
    """Every ``validation_freq`` epochs, or after the epochs that are listed, counted from one."""
    model, epochs, rows = linear(keras), list[int](), pipeline(X, _Y)

    class NotedValidation(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if "val_loss" in (logs or {}):
                epochs.append(epoch)

    for words, frequency, expected in (
        ("every second", 2, [1, 3]),
        ("the first and fourth", [1, 4], [0, 3]),
    ):
        epochs.clear()
        history = model.fit(
            rows,
            epochs=4,
            validation_data=rows,
            validation_freq=frequency,
            callbacks=[NotedValidation()],
            shuffle=False,
            **QUIET,
        ).history
        yield f"epochs that are validated: {words}", expected, [*epochs]
        yield f"numbers noted: {words}", [4, len(expected)], [len(history["loss"]), len(history["val_loss"])]


@tensorflows("datasets that repeat")
def steps_of_validation(keras: Any, _: Path) -> Iterator[Seen]:
    """``validation_steps`` batches from the beginning at each epoch; ``validation_batch_size`` rows each."""
    model, each, watcher = linear(keras), _losses(X, _Y), _watcher(keras)
    rows, whole = pipeline(X, _Y, size=1), pipeline(X, _Y)
    for words, options in (
        ("an array", {"validation_data": (X, _Y), "validation_batch_size": 1}),
        ("a dataset", {"validation_data": rows}),
        ("a repeated dataset", {"validation_data": rows.repeat(3)}),
    ):
        history = model.fit(whole, epochs=2, validation_steps=2, shuffle=False, **options, **QUIET).history
        expected = [float(np.mean(each[:2]))] * 2
        yield f"validation on two batches of {words}", expected, matched(expected, history["val_loss"])
    sizes = {"validation_data": (X, _Y), "validation_batch_size": 3}
    model.fit(whole, callbacks=[watcher], shuffle=False, **sizes, **QUIET)
    yield "validation in batches of 3", 2, sum(name == "test" for name, _ in watcher.seen)
    watcher.seen.clear()
    model.fit(X, _Y, batch_size=3, validation_data=(X, _Y), callbacks=[watcher], **QUIET)
    yield "validation in batches of training", 2, sum(name == "test" for name, _ in watcher.seen)
    report = model.evaluate(X, _Y, batch_size=1, steps=3, **QUIET)
    yield "evaluate in three steps", float(np.mean(each[:3])), matched(float(np.mean(each[:3])), report)


def caps_of_runs(keras: Any, _: Path) -> Iterator[Seen]:
    """``set_max_epochs`` and ``set_max_steps_per_epoch`` cut longer runs of any method."""
    config: Any = getattr(keras, "config", None)
    if not hasattr(config, "set_max_epochs"):
        return
    model, each = linear(keras), _losses(X, _Y)
    try:
        config.set_max_epochs(2)
        config.set_max_steps_per_epoch(2)
        history = model.fit(X, _Y, batch_size=1, epochs=3, shuffle=False, **QUIET).history["loss"]
        expected = [float(np.mean(each[:2])), float(np.mean(each[2:]))]
        yield "losses of no more than two epochs of two steps", expected, matched(expected, history)
        loss = model.evaluate(X, _Y, batch_size=1, **QUIET)
        yield "loss of no more than two steps", expected[0], matched(expected[0], loss)
        yield "rows that are predicted in two steps", 2, len(model.predict(X, batch_size=1, **QUIET))
        yield "caps", [2, 2], [config.max_epochs(), config.max_steps_per_epoch()]
    finally:
        config.set_max_epochs(None)
        config.set_max_steps_per_epoch(None)


@tensorflows("datasets that repeat")
def steps_of_epochs(keras: Any, _: Path) -> Iterator[Seen]:
    """``steps_per_epoch`` batches end an epoch; the next one goes on with the following batches of the data."""
    model, each, watcher = linear(keras), _losses(X, _Y), _watcher(keras)
    rows = pipeline(X, _Y, size=1).repeat()
    history = model.fit(rows, steps_per_epoch=2, epochs=3, callbacks=[watcher], **QUIET)
    expected = [float(np.mean(each[start : start + 2])) for start in (0, 2, 0)]
    yield "loss of epochs of two steps", expected, matched(expected, history.history["loss"])
    yield "steps that callbacks know", 2, history.params["steps"]
    yield "numbers of batches", [0, 1] * 3, [number for name, number in watcher.seen if name == "batch"]

    def forever() -> Iterator[Any]:
        row = 0
        while True:
            yield X[row % 4 : row % 4 + 1], _Y[row % 4 : row % 4 + 1]
            row += 1

    history = model.fit(forever(), steps_per_epoch=3, epochs=2, **QUIET)
    expected = [float(np.mean([each[row % 4] for row in range(start, start + 3)])) for start in (0, 3)]
    yield "loss of epochs of a generator", expected, matched(expected, history.history["loss"])
    history = model.fit(rows.take(4), epochs=2, **QUIET)
    expected = [float(np.mean(each))] * 2
    yield "loss of epochs of a dataset that ends", expected, matched(expected, history.history["loss"])


@lacked_by("several steps at once", "keras:torch")
def predictions_of_rows(keras: Any, _: Path) -> Iterator[Seen]:
    """All rows in order, whatever the batch size; nothing is dropped or moved; as the model called on them."""
    x = keras.Input((3,), name="x")
    layers = keras.layers
    hidden = layers.Dropout(0.5)(layers.Dense(1, use_bias=False, kernel_initializer="ones")(x))
    model = compiled(keras, keras.Model(x, {"b": hidden, "a": layers.Flatten()(x)}), loss=None)
    expected = {"b": _SUMS.tolist(), "a": X.tolist()}
    for size in (1, 3):
        outputs = model.predict(X, batch_size=size, **QUIET)
        yield f"predictions in batches of {size}", expected, values(outputs)
    yield "types of predictions", {"ndarray"}, {type(one).__name__ for one in outputs.values()}
    yield "predictions of named inputs", expected, values(model.predict({"x": X}, **QUIET))
    yield "output of the model", expected, values(model(X))
    yield "output of a batch", expected, values(model.predict_on_batch(X))
    yield "predictions in two steps", _SUMS[:2].tolist(), values(model.predict(X, batch_size=1, steps=2, **QUIET)["b"])
    both = [keras.Input((3,)), keras.Input((3,))]
    rest = keras.Model(both, layers.Subtract()(both))
    yield "output of a batch of two inputs", X.tolist(), values(rest.predict_on_batch([3 * X, 2 * X]))
    compiled(keras, model, loss=None, steps_per_execution=3)
    yield "predictions by three steps at once", expected, values(model.predict(X, batch_size=1, **QUIET))
    free = keras.Model(x, hidden)
    yield "predictions before compile", _SUMS.tolist(), values(free.predict(pipeline(X), **QUIET))
    lengths = keras.Sequential([keras.Input((None, 1)), layers.GlobalMaxPooling1D()])
    steps = normals(_STREAM, 5, 4, 1)
    longest = values(lengths.predict(pipeline(steps, size=2), **QUIET))
    yield "predictions of sequences", steps.max(axis=1).tolist(), longest


@lacked_by("several steps at once", "keras:torch")
def several_steps_at_once(keras: Any, _: Path) -> Iterator[Seen]:
    """``steps_per_execution`` changes neither weights nor reports, also where batches are left over."""
    x, y = normals(_STREAM, 14, 3), normals(_STREAM + 1, 14, 1)
    results = []
    for steps in (1, 3):
        model, watcher = (
            linear(keras, rate=0.1, metrics=["mae"], run_eagerly=steps == 1, steps_per_execution=steps),
            None,
        )
        watcher = _watcher(keras)
        history = model.fit(
            pipeline(x, y, size=2),
            epochs=2,
            validation_data=pipeline(x[:5], y[:5], size=2),
            callbacks=[watcher],
            shuffle=False,
            **QUIET,
        ).history
        results.append(
            {
                "history": reported(history),
                "kernel": values(model.get_weights()[0]),
                "steps": int(as_array(model.optimizer.iterations)),
                "evaluate": reported(model.evaluate(pipeline(x, y, size=3), return_dict=True, **QUIET)),
                "predict": values(model.predict(pipeline(x, size=3), **QUIET)),
            }
        )
        calls = sum(name == "batch" for name, _ in watcher.seen)
        yield f"calls of callbacks at {steps} steps", 14 if steps == 1 else 6, calls
    for words, one in results[0].items():
        yield f"{words} of three steps at once", one, matched(one, results[1][words])


def ways_to_run(keras: Any, _: Path) -> Iterator[Seen]:
    """Eagerly, in a graph and compiled by XLA: the same weights and reports within rounding error."""
    x, y = normals(_STREAM, 6, 3), normals(_STREAM + 1, 6, 1)
    results = {}
    ways: Mapping[str, Mapping[str, Any]] = {
        "eager": {"run_eagerly": True},
        "graph": {"run_eagerly": False, "jit_compile": False},
        "XLA": {"run_eagerly": False, "jit_compile": True},
    }
    for words, options in ways.items():
        model = linear(keras, rate=0.1, metrics=["mae"], **options)
        history = model.fit(pipeline(x, y, size=4), epochs=2, shuffle=False, **QUIET).history
        results[words] = [reported(history), values(model.get_weights()[0])]
        yield f"whether {words} runs eagerly", words == "eager", bool(model.run_eagerly)
    if is_keras_3(keras):
        yield "whether XLA is asked for", True, bool(model.jit_compile)
        model = linear(keras)
        model.layers[-1].supports_jit = False
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            compiled(keras, model, run_eagerly=False, jit_compile=True)
            yield "whether a layer without XLA is asked for it", False, bool(model.jit_compile)
        yield "whether it warns of that", True, any("jit_compile" in str(one.message) for one in seen)
    for words in ("graph", "XLA"):
        yield f"history and kernel of {words}", results["eager"], matched(results["eager"], results[words])


def stops_of_training(keras: Any, _: Path) -> Iterator[Seen]:
    """``stop_training`` ends the epoch in which it is set; the next ``fit`` starts afresh."""
    model, whole, rows = linear(keras), pipeline(X, _Y), pipeline(X, _Y, size=1)
    quietly: Mapping[str, Any] = {"shuffle": False, **QUIET}

    class StopAfterTwo(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, *_: Any, **__: Any) -> None:
            self.model.stop_training = epoch == 1

    class StopAtBatch(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, *_: Any, **__: Any) -> None:
            self.model.stop_training = batch == 1

    yield "epochs until it stops", [0, 1], model.fit(whole, epochs=4, callbacks=[StopAfterTwo()], **quietly).epoch
    yield "whether it is stopped", True, model.stop_training
    yield "epochs of the next fit", [0, 1, 2], model.fit(whole, epochs=3, **quietly).epoch
    watcher = _watcher(keras)
    model.fit(rows, epochs=3, callbacks=[StopAtBatch(), watcher], **quietly)
    yield "batches until it stops", [0, 1], [number for name, number in watcher.seen if name == "batch"]
    yield "epochs that end", 1, sum(name == "epoch end" for name, _ in watcher.seen)
    if not is_keras_3(keras):
        return

    class StopOthers(keras.callbacks.Callback):  # type: ignore[misc]
        def on_test_batch_end(self, batch: int, *_: Any, **__: Any) -> None:
            self.model.stop_evaluating = batch == 1

        def on_predict_batch_end(self, batch: int, *_: Any, **__: Any) -> None:
            self.model.stop_predicting = batch == 1

    loss = model.evaluate(rows, callbacks=[StopOthers()], **QUIET)
    expected = float(np.mean(_losses(X[:2], _Y[:2])))
    yield "loss of the batches until evaluate stops", expected, matched(expected, loss)
    yield "rows until predict stops", 2, len(model.predict(rows, callbacks=[StopOthers()], **QUIET))
    every = float(np.mean(_losses(X, _Y)))
    yield "loss of the next evaluate", every, matched(every, model.evaluate(rows, **QUIET))
    yield "rows of the next predict", 4, len(model.predict(rows, **QUIET))


@tensorflows("datasets that fix the size of batches")
def batches_of_one_size(keras: Any, _: Path) -> Iterator[Seen]:
    """In a graph, ``evaluate`` on batches whose size the dataset fixes reports what it does eagerly."""
    import tensorflow as tf

    rows = tf.data.Dataset.from_tensor_slices((X, _Y)).batch(2, drop_remainder=True)
    sizes = errors("mae", _Y, _SUMS)
    expected = {"loss": float(np.mean(_losses(X, _Y))), "mae": float(sizes.mean())}
    for eager in (True, False):
        model = linear(keras, metrics=["mae"], run_eagerly=eager)
        report = reported(model.evaluate(rows, return_dict=True, **QUIET))
        yield f"report, eager {eager}", expected, matched(expected, report)
        history = reported(model.fit(rows, **QUIET).history)
        noted = {name: [one] for name, one in expected.items()}
        yield f"history, eager {eager}", noted, matched(noted, history)


@tensorflows("datasets that fix the size of batches")
def subclasses_on_batches_of_one_size(keras: Any, _: Path) -> Iterator[Seen]:
    """The same of a model that is not built before, on generated batches: both metrics count all of them."""
    import tensorflow as tf

    def batches() -> Iterator[Any]:
        for start in (0, 1, 2, 3):
            yield X[start : start + 1], _Y[start : start + 1]

    signature = (tf.TensorSpec((1, 3), tf.float32), tf.TensorSpec((1, 1), tf.float32))
    rows = tf.data.Dataset.from_generator(batches, output_signature=signature)

    class SummingModel(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")

        def call(self, x: Any) -> Any:
            return self.dense(x)

    expected = {"loss": float(np.mean(_losses(X, _Y))), "mae": float(errors("mae", _Y, _SUMS).mean())}
    for eager in (True, False):
        model = compiled(keras, SummingModel(), metrics=["mae"], run_eagerly=eager)
        report = reported(model.evaluate(rows, return_dict=True, **QUIET))
        yield f"report, eager {eager}", expected, matched(expected, report)


def sums_of_losses(keras: Any, _: Path) -> Iterator[Seen]:
    """A loss that is a sum over the batch, or a number of its own, is reported as the mean over the rows of batches."""
    model = linear(keras, loss=keras.losses.MeanSquaredError(reduction="sum"))
    each = _losses(X, _Y)
    expected = (3 * sum(each[:3]) + each[3]) / 4
    yield (
        "evaluate in batches of three and one",
        expected,
        matched(expected, model.evaluate(pipeline(X, _Y, size=3), **QUIET)),
    )
    math = operations(keras)
    model = linear(keras, loss=lambda y, output: math.max(output - y))
    largest = float((_SUMS - _Y).max())
    yield "a loss without axes", largest, matched(largest, float(model.test_on_batch(X, _Y)))
    model = linear(keras, loss=lambda y, output: math.abs(output - y))
    expected = mean_loss(errors("mae", _Y, _SUMS))
    yield "a loss of each element", expected, matched(expected, float(model.test_on_batch(X, _Y)))


WHOLE_RUNS: Mapping[str, Row] = table(
    epochs_and_batches,
    means_over_batches,
    results_of_metrics,
    lists_of_equal_metrics,
    single_batches,
    rows_held_back,
    validation_of_each_fit,
    frequencies_of_validation,
    steps_of_validation,
    caps_of_runs,
    steps_of_epochs,
    predictions_of_rows,
    several_steps_at_once,
    ways_to_run,
    stops_of_training,
    batches_of_one_size,
    subclasses_on_batches_of_one_size,
    sums_of_losses,
)
