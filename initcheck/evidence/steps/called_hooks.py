"""When ``fit``, ``evaluate`` and ``predict`` call which hook, with which logs; and callbacks that write them down."""

from __future__ import annotations

import contextlib
import csv
import importlib
import importlib.util
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from initcheck.evidence.composition.promises import Row, Seen, inputs, is_keras_3, table
from initcheck.evidence.steps.hooked_models import driven, single_weight
from initcheck.evidence.steps.trained_models import reported
from initcheck.evidence.toy_data import pipeline
from initcheck.frameworks.arrays import as_array

# The callbacks that the rows look at, with the arguments that they give.
REPORTING: Mapping[str, Sequence[str]] = {
    "History": (),
    "CSVLogger": ("filename", "separator", "append"),
    "LambdaCallback": (
        *("on_epoch_begin", "on_epoch_end", "on_train_begin", "on_train_end"),
        *("on_train_batch_begin", "on_train_batch_end"),
    ),
    "ProgbarLogger": (),
    "RemoteMonitor": ("root", "path", "field", "headers", "send_as_json"),
    "CallbackList": ("callbacks", "add_history", "model"),
}
_HOOKS = (
    *(f"on_{what}_{when}" for what in ("train", "test", "predict", "epoch") for when in ("begin", "end")),
    *(f"on_{what}_batch_{when}" for what in ("train", "test", "predict") for when in ("begin", "end")),
)
_X = inputs([1.0], [2.0], [3.0])
_QUIETLY: Mapping[str, Any] = {"verbose": 0, "shuffle": False}
Call = tuple[str, int | None, tuple[str, ...]]


def _recorder(keras: Any, calls: list[Any], note: Callable[..., Any], **members: Any) -> Any:
    """A callback that writes down what ``note(hook, number, logs)`` gives."""

    def hook(name: str) -> Any:
        if name.split("_")[1] in ("epoch",) or "_batch_" in name:
            return lambda self, number, logs=None: calls.append(note(name, number, logs))
        return lambda self, logs=None: calls.append(note(name, None, logs))

    return type("Recorder", (keras.callbacks.Callback,), {name: hook(name) for name in _HOOKS} | members)()


def _call(name: str, number: int | None, logs: Any) -> Call:
    return name.removeprefix("on_"), number, tuple(sorted(logs or {}))


def _around(what: str, number: int, *names: str) -> list[Call]:
    return [(f"{what}_batch_begin", number, ()), (f"{what}_batch_end", number, names)]


def _rows(size: int) -> Any:
    return pipeline(_X, _X, size=size)


def hooks_of_fit(keras: Any, _: Path) -> Iterator[Seen]:
    """Each hook in its place, with its number and the names in its logs: training, validation, epochs."""
    model = single_weight(keras, metrics=["mae"])
    calls: list[Call] = []
    recorder = _recorder(keras, calls, _call)
    names = ("loss", "mae")
    tested = [("test_begin", None, ()), *_around("test", 0, *names), *_around("test", 1, *names)]
    ended = ("loss", "mae", "val_loss", "val_mae")
    expected: list[Call] = [("train_begin", None, ())]
    for epoch in (1, 2):
        expected += [("epoch_begin", epoch, ()), *_around("train", 0, *names), *_around("train", 1, *names), *tested]
        expected += [("test_end", None, names), ("epoch_end", epoch, ended)]
    expected.append(("train_end", None, ended))
    model.fit(
        *(_X, _X, 2, 3, 0, [recorder]),
        validation_data=(_X, _X),
        validation_batch_size=2,
        initial_epoch=1,
        shuffle=False,
    )
    yield "hooks of fit", expected, [*calls]
    calls.clear()
    model.evaluate(_X, _X, 2, 0, callbacks=[recorder])
    yield "hooks of evaluate", [*tested, ("test_end", None, names)], [*calls]
    calls.clear()
    model.predict(_X, 2, 0, callbacks=[recorder])
    predicted = [*_around("predict", 0, "outputs"), *_around("predict", 1, "outputs")]
    yield "hooks of predict", [("predict_begin", None, ()), *predicted, ("predict_end", None, ())], [*calls]


def values_in_logs(keras: Any, _: Path) -> Iterator[Seen]:
    """Logs hold numbers: means over the epoch's rows so far; the epoch's are those of its last batch; outputs too."""
    model = single_weight(keras, keras.optimizers.SGD(0.0))
    calls: list[Any] = []

    def note(name: str, _: Any, logs: Any) -> Any:
        return name.removeprefix("on_"), {key: as_array(one).tolist() for key, one in (logs or {}).items()}

    recorder = _recorder(keras, calls, note)
    y = _X + inputs([1.0], [1.0], [4.0])  # squared errors 1, 1, 16
    history = model.fit(_X, y, 2, 1, 0, [recorder], validation_data=(_X[:1], _X[:1] + 3), shuffle=False)
    seen = {name: logs for name, logs in calls if logs}
    batches = [logs["loss"] for name, logs in calls if name == "train_batch_end"]
    yield "losses after each batch", [1.0, 6.0], batches
    yield "logs of the epoch", {"loss": 6.0, "val_loss": 9.0}, seen["epoch_end"]
    yield "logs of the end", {"loss": 6.0, "val_loss": 9.0}, seen["train_end"]
    yield "logs of the validation", {"loss": 9.0}, seen["test_end"]
    yield "history", {"loss": [6.0], "val_loss": [9.0]}, reported(history.history)
    if is_keras_3(keras):
        numbers: list[Any] = []
        kinds = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: numbers.extend(logs.values()))
        model.fit(pipeline(_X, y), callbacks=[kinds], **_QUIETLY)
        yield "whether logs hold numbers of Python", True, all(isinstance(one, float | int) for one in numbers)
    calls.clear()
    model.predict(pipeline(inputs([1.0], [2.0], [3.0], [4.0]), size=2), verbose=0, callbacks=[recorder])
    outputs = [logs["outputs"] for name, logs in calls if name == "predict_batch_end"]
    yield "outputs of each batch", [[[1.0], [2.0]], [[3.0], [4.0]]], outputs


def order_of_callbacks(keras: Any, _: Path) -> Iterator[Seen]:
    """Each hook is called for the callbacks in the order of their list; all know their model and parameters first."""
    model = single_weight(keras)
    calls: list[Any] = []

    def named(name: str) -> Any:
        return _recorder(keras, calls, lambda hook, number, logs: (name, hook))

    first, second = named("first"), named("second")
    history = model.fit(_rows(3), epochs=2, callbacks=[first, second], **_QUIETLY)
    expected = [(name, hook) for _, hook in calls[::2] for name in ("first", "second")]
    yield "which callback is called when", expected, [*calls]
    yield "whether their model is known", [True, True], [one.model is model for one in (first, second)]
    params = {name: first.params.get(name) for name in ("epochs", "steps", "verbose")}
    yield "parameters", {"epochs": 2, "steps": 1, "verbose": 0}, params
    yield "whether the history is the model's", True, model.history is history
    # The changes that one makes to the logs are seen by the next ones, and in the history.
    write = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(extra=epoch + 0.5))
    read: list[Any] = []
    reads = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: read.append(logs.get("extra")))
    history = model.fit(_rows(3), epochs=2, callbacks=[write, reads], **_QUIETLY)
    yield "logs that another callback added to", [0.5, 1.5], read
    yield "the history of them", [0.5, 1.5], history.history.get("extra")


def lists_of_callbacks(keras: Any, _: Path) -> Iterator[Seen]:
    """A ``CallbackList`` calls every hook of each, in order; ``fit`` takes one as it is."""
    model = single_weight(keras)
    calls: list[Any] = []
    recorders = [_recorder(keras, calls, lambda hook, number, logs, k=k: (k, hook, number)) for k in range(2)]
    together = keras.callbacks.CallbackList(recorders, model=model, add_history=True, epochs=1, verbose=0, steps=1)
    yield (
        "whether a history is added",
        True,
        any(isinstance(one, keras.callbacks.History) for one in together.callbacks),
    )
    together.on_train_begin()
    together.on_epoch_begin(3)
    together.on_train_batch_begin(4)
    together.on_train_batch_end(4, {"loss": 1.0})
    together.on_epoch_end(3, {"loss": 1.0})
    together.on_train_end()
    hooks = [("on_train_begin", None), ("on_epoch_begin", 3), ("on_train_batch_begin", 4)]
    hooks += [("on_train_batch_end", 4), ("on_epoch_end", 3), ("on_train_end", None)]
    yield "hooks", [(k, *one) for one in hooks for k in range(2)], [*calls]
    calls.clear()
    model.fit(_rows(3), callbacks=together, **_QUIETLY)
    yield (
        "hooks of fit",
        [(k, *one) for one in hooks for k in range(2)],
        [(k, hook, {0: hooks[1][1] if "epoch" in hook else 4}.get(number, number)) for k, hook, number in calls],
    )
    nested = keras.callbacks.CallbackList([[recorders[0]], recorders[1]], model=model)
    yield "callbacks of nested lists", recorders, nested.callbacks


def stopped_from_batches(keras: Any, _: Path) -> Iterator[Seen]:
    """``stop_training`` ends the fit: within an epoch after its batch, else after the epoch; the next fit is whole."""
    if not is_keras_3(keras):
        return
    model = single_weight(keras)
    for place, expected in (
        ("on_train_batch_end", ["t0", "t1", "e0", "end"]),
        ("on_epoch_begin", ["t0", "e0", "t0", "e1", "end"]),
        ("on_epoch_end", ["t0", "t1", "t2", "e0", "t0", "t1", "t2", "e1", "end"]),
    ):
        calls: list[str] = []

        def stop(number: int, *_: Any, **__: Any) -> None:
            model.stop_training = number == 1

        stops = keras.callbacks.LambdaCallback(**{place: stop})
        notes = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs, list=calls: list.append(f"t{batch}"),
            on_epoch_end=lambda epoch, logs, list=calls: list.append(f"e{epoch}"),
            on_train_end=lambda logs, list=calls: list.append("end"),
        )
        history = model.fit(_rows(1), epochs=4, callbacks=[stops, notes], **_QUIETLY)
        if place == "on_epoch_begin":  # the first epoch clears the flag, the second sets it
            expected = ["t0", "t1", "t2", "e0", "t0", "e1", "end"]
        yield f"batches and epochs, stopped by {place}", expected, [*calls]
        yield (
            f"epochs of the history, stopped by {place}",
            sum(one[0] == "e" and one[1:].isdigit() for one in expected),
            len(history.epoch),
        )
    history = model.fit(_rows(1), epochs=3, **_QUIETLY)
    yield "epochs of the next fit", [0, 1, 2], history.epoch


def asynchronous_callbacks(keras: Any, _: Path) -> Iterator[Seen]:
    """A callback that says that it is ``async_safe`` sees every batch before its epoch ends."""
    model = single_weight(keras)
    calls: list[Any] = []
    recorder = _recorder(keras, calls, lambda hook, number, logs: (hook, number), async_safe=True)
    model.fit(_rows(1), epochs=2, callbacks=[recorder], **_QUIETLY)
    begins = [k for k, one in enumerate(calls) if one[0] == "on_epoch_begin"]
    ends = [k for k, one in enumerate(calls) if one[0] == "on_epoch_end"]
    within = [
        sorted(one[1] for one in calls[begin:end] if one[0] == "on_train_batch_end")
        for begin, end in zip(begins, ends, strict=True)
    ]
    yield "batches that have ended within each epoch", [[0, 1, 2]] * 2, within


def former_hooks(keras: Any, _: Path) -> Iterator[Seen]:
    """``on_batch_begin`` and ``on_batch_end`` are aliases of the training's."""
    calls: list[Any] = []
    members = {
        "on_batch_begin": lambda self, batch, logs=None: calls.append(("begin", batch)),
        "on_batch_end": lambda self, batch, logs=None: calls.append(("end", batch, sorted(logs))),
    }
    model = single_weight(keras)
    model.fit(_rows(2), callbacks=[type("Former", (keras.callbacks.Callback,), members)()], **_QUIETLY)
    yield "calls", [("begin", 0), ("end", 0, ["loss"]), ("begin", 1), ("end", 1, ["loss"])], [*calls]


def lambdas(keras: Any, _: Path) -> Iterator[Seen]:
    """Each function that is given is the hook of its name."""
    model = single_weight(keras)
    calls: list[tuple[str, int]] = []
    hooks = {
        name: lambda *given, _name=name, **named: calls.append((_name, len(given) + len(named))) for name in _HOOKS
    }
    callback = keras.callbacks.LambdaCallback(**hooks)
    model.fit(_rows(3), callbacks=[callback], validation_data=_rows(3), **_QUIETLY)
    model.predict(_rows(3), verbose=0, callbacks=[callback])
    expected = sorted((name, 1 + ("_batch_" in name or "epoch" in name)) for name in _HOOKS)
    yield "hooks and their arguments", expected, sorted(calls)
    model.evaluate(_rows(3), verbose=0, callbacks=[keras.callbacks.LambdaCallback()])


def _written(file: Path, separator: str = ",") -> list[dict[str, Any]]:
    with file.open(newline="") as stream:
        return [dict(row) for row in csv.DictReader(stream, delimiter=separator)]


def logged_rows(keras: Any, folder: Path) -> Iterator[Seen]:
    """One line an epoch, with the epoch's index and what is in its logs; anew in each fit, or appended to."""
    model, kind = single_weight(keras), keras.callbacks.CSVLogger
    logs = [{"loss": 1.5, "accuracy": 0.25, "val_loss": 2.0}, {"loss": 0.5, "accuracy": 0.75, "val_loss": 3.0}]
    lines = [{"epoch": f"{k}"} | {name: f"{one}" for name, one in line.items()} for k, line in enumerate(logs)]
    plain = kind(folder / "plain.csv")
    driven(plain, model, logs)
    yield "lines", lines, _written(folder / "plain.csv")
    driven(plain, model, logs[1:])
    yield "lines of a second fit", [lines[1] | {"epoch": "0"}], _written(folder / "plain.csv")
    driven(plain, model, [{"other": 7.0}])
    (other,) = _written(folder / "plain.csv")
    yield "another value in a third fit", "7.0", other.get("other")
    driven(kind(str(folder / "tabs.csv"), separator=";"), model, logs)
    yield "lines with semicolons", lines, _written(folder / "tabs.csv", ";")
    appended = kind(folder / "more.csv", append=True)
    for callback in (appended, appended, kind(folder / "more.csv", append=True)):
        driven(callback, model, logs)
    yield "lines of three fits", lines * 3, _written(folder / "more.csv")
    (folder / "empty.csv").touch()
    driven(kind(folder / "empty.csv", append=True), model, logs)
    yield "lines behind an empty file", lines, _written(folder / "empty.csv")
    driven(kind(folder / "arrays.csv"), model, [{"loss": np.array(1.5), "parts": np.array([1.0, 2.0])}])
    (row,) = _written(folder / "arrays.csv")
    yield "a number in an array", "1.5", row["loss"]
    yield "numbers of an array", [1.0, 2.0], json.loads(row["parts"].strip('"'))
    driven(kind(folder / "seldom.csv"), model, [{"loss": 1.0}, {"loss": 0.5, "val_loss": 2.0}, {"loss": 0.25}])
    seldom = _written(folder / "seldom.csv")
    yield "validation by every second epoch", ["1.0", "0.5", "0.25"], [row["loss"] for row in seldom]
    yield "its values", "2.0", seldom[1].get("val_loss")
    fit = model.fit(pipeline(_X, 2 * _X), epochs=2, callbacks=[kind(folder / "fit.csv")], **_QUIETLY)
    yield "losses of a fit", fit.history["loss"], [float(row["loss"]) for row in _written(folder / "fit.csv")]


def printed_rows(keras: Any, _: Path) -> Iterator[Seen]:
    """The progress bar ends with what the epoch's logs say, which are means already."""
    if not is_keras_3(keras):
        return
    model = single_weight(keras)
    interactive = keras.config.is_interactive_logging_enabled()
    keras.config.enable_interactive_logging()
    try:
        for verbose in (1, 2):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                callback = keras.callbacks.ProgbarLogger()
                callback.set_model(model)
                callback.set_params({"verbose": verbose, "epochs": 2, "steps": 2})
                callback.on_train_begin()
                callback.on_epoch_begin(1)
                callback.progbar.interval = 0.0  # it is to print every batch
                for batch, loss in enumerate((4.0, 3.0)):
                    callback.on_train_batch_begin(batch)
                    callback.on_train_batch_end(batch, {"loss": loss})
                callback.on_epoch_end(1, {"loss": 3.0, "val_loss": 0.5})
            text = printed.getvalue()
            last = text.replace("\r", "\n").split("Epoch 2/2")[-1].strip().split("\n")[-1]
            yield f"whether the epoch is printed, verbose {verbose}", True, "Epoch 2/2" in text
            yield f"whether all steps are printed, verbose {verbose}", True, "2/2" in last
            yield f"printed loss, verbose {verbose}", "3.0000", _after(last, " loss: ")
            if verbose == 1:
                running = [_after(one, " loss: ") for one in text.replace("\r", "\n").split("\n") if " loss: " in one]
                yield "printed losses of the batches", ["4.0000", "3.0000"], running[:2]
            yield f"printed loss of the validation, verbose {verbose}", "0.5000", _after(last, "val_loss: ")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            model.fit(_rows(3), **_QUIETLY)
        yield "what is printed, verbose 0", "", printed.getvalue()
    finally:
        if not interactive:
            keras.config.disable_interactive_logging()


def _after(text: str, words: str) -> str:
    return text.partition(words)[2].split(" ")[0].strip("\x08")


def said_actions(keras: Any, folder: Path) -> Iterator[Seen]:
    """With ``verbose`` a callback says when it acts, and without it nothing."""
    if not is_keras_3(keras):
        return
    model, kinds = single_weight(keras), keras.callbacks
    interactive = keras.config.is_interactive_logging_enabled()
    keras.config.enable_interactive_logging()
    try:
        for verbose in (0, 1):
            for callback, acts in (
                (kinds.EarlyStopping("loss", patience=1, verbose=verbose), True),
                (kinds.EarlyStopping("loss", patience=3, verbose=verbose), False),
                (kinds.ReduceLROnPlateau("loss", patience=1, verbose=verbose), True),
                (kinds.ReduceLROnPlateau("loss", patience=3, verbose=verbose), False),
                (kinds.LearningRateScheduler(lambda epoch: 0.5, verbose=verbose), True),
                (kinds.ModelCheckpoint(folder / "one.weights.h5", save_weights_only=True, verbose=verbose), True),
            ):
                printed = io.StringIO()
                with contextlib.redirect_stdout(printed):
                    driven(callback, model, [{"loss": 1.0}, {"loss": 2.0}])
                words = f"whether a {type(callback).__name__} that acts ({acts}) says so, verbose {verbose}"
                yield words, bool(acts and verbose), bool(printed.getvalue())
    finally:
        if not interactive:
            keras.config.disable_interactive_logging()


def posted_rows(keras: Any, _: Path) -> Iterator[Seen]:
    """A ``RemoteMonitor`` posts each epoch's logs: as JSON in a field of a form, or as JSON."""
    if importlib.util.find_spec("requests") is None:
        return
    importlib.import_module("requests")
    model, kind = single_weight(keras), keras.callbacks.RemoteMonitor
    logs: list[Any] = [{"loss": np.float32(1.5)}, {"loss": 0.5}]
    rows = [{"epoch": 0, "loss": 1.5}, {"epoch": 1, "loss": 0.5}]
    with mock.patch("requests.post") as post:
        driven(kind(), model, logs)
        yield (
            "addresses by default",
            ["http://localhost:9000/publish/epoch/end/"] * 2,
            [one.args[0] for one in post.call_args_list],
        )
        yield "posted forms", rows, [json.loads(one.args[1]["data"]) for one in post.call_args_list]
        post.reset_mock()
        driven(kind("http://here", "/there", "what", {"X-A": "b"}, send_as_json=True), model, logs)
        yield "posted rows", rows, [one.kwargs["json"] for one in post.call_args_list]
        yield (
            "address and headers",
            ("http://here/there", {"X-A": "b"}),
            (
                post.call_args.args[0],
                post.call_args.kwargs["headers"],
            ),
        )


def histories(keras: Any, _: Path) -> Iterator[Seen]:
    """What the epochs' logs said, by name, with the epochs' indices."""
    model, callback = single_weight(keras), keras.callbacks.History()
    driven(callback, model, [{"loss": 3.0, "mae": 1.0}, {"loss": 2.0, "mae": 0.5}])
    yield "history", {"loss": [3.0, 2.0], "mae": [1.0, 0.5]}, callback.history
    yield "epochs", [0, 1], callback.epoch
    mine = keras.callbacks.History()
    returned = model.fit(_rows(3), epochs=2, callbacks=[mine], **_QUIETLY)
    yield "whether a history that is given is returned", True, returned is mine
    yield "its losses", 2, len(mine.history["loss"])


REPORTS: Mapping[str, Row] = table(
    hooks_of_fit,
    values_in_logs,
    order_of_callbacks,
    lists_of_callbacks,
    stopped_from_batches,
    asynchronous_callbacks,
    former_hooks,
    lambdas,
    logged_rows,
    printed_rows,
    said_actions,
    posted_rows,
    histories,
)
