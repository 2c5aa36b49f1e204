"""Callbacks that keep weights: in files, for a later training, or averaged for an evaluation."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from packaging.version import Version

from initcheck.digests import digest
from initcheck.evidence.composition.promises import Row, Seen, close, inputs, is_keras_3, on_tensorflow, refusal, table
from initcheck.evidence.steps.hand_steps import weight_of
from initcheck.evidence.steps.hooked_models import (
    driven,
    losses,
    set_weight,
    single_weight,
    taken_step,
)
from initcheck.evidence.toy_data import pipeline
from initcheck.frameworks.arrays import as_array

# The callbacks that the rows look at, with the arguments that they give.
KEEPING: Mapping[str, Sequence[str]] = {
    "ModelCheckpoint": (
        *("filepath", "monitor", "save_best_only", "save_weights_only", "mode", "save_freq", "initial_value_threshold"),
    ),
    "BackupAndRestore": ("backup_dir", "save_freq", "double_checkpoint", "delete_checkpoint"),
    "SwapEMAWeights": ("swap_on_epoch",),
}
_FILE = "{epoch:02d}-{loss:.2f}.weights.h5"
_END = ".weights.h5"

# Options, the losses of the epochs, and the epochs whose weights are kept, counted from one as in the file's name.
_KEPT: Sequence[tuple[Mapping[str, Any], Sequence[float], Sequence[int]]] = (
    ({}, (3.0, 1.0, 2.0), (1, 2, 3)),
    ({"save_best_only": True}, (3.0, 1.0, 2.0, 1.0, 0.5), (1, 2, 5)),
    ({"save_best_only": True, "mode": "min"}, (3.0, 1.0, 2.0), (1, 2)),
    ({"save_best_only": True, "mode": "max"}, (3.0, 1.0, 4.0), (1, 3)),
    ({"save_best_only": True, "initial_value_threshold": 1.5}, (3.0, 1.0, 2.0), (2,)),
    ({"save_best_only": True, "initial_value_threshold": 2.5, "mode": "max"}, (3.0, 1.0, 4.0, 3.5), (1, 3)),
    ({"save_best_only": True, "initial_value_threshold": 0.5}, (3.0, 1.0), ()),
    ({"save_best_only": True, "initial_value_threshold": 0.0}, (3.0, -1.0), (2,)),
    ({"save_best_only": True}, (3.0, float("nan"), 2.0), (1, 3)),
)


def kept_epochs(keras: Any, folder: Path) -> Iterator[Seen]:
    """Which epochs' weights are in which files, for each option and values that rise and fall."""
    model = single_weight(keras)
    for number, (options, numbers, kept) in enumerate(_KEPT):
        place = folder / f"{number}"
        callback = keras.callbacks.ModelCheckpoint(place / _FILE, "loss", save_weights_only=True, **options)
        driven(callback, model, losses(*numbers))
        names = sorted(one.name for one in place.glob("*"))
        yield f"files with {options} for {numbers}", [f"{k:02d}-{numbers[k - 1]:.2f}{_END}" for k in kept], names
        yield f"their weights with {options}", [k - 1.0 for k in kept], [_kept(model, place / one) for one in names]


def overwritten_checkpoints(keras: Any, folder: Path) -> Iterator[Seen]:
    """Without formatting options the file is overwritten: by each epoch, or "by each new better model" in any fit."""
    model, kind = single_weight(keras), keras.callbacks.ModelCheckpoint
    last, best = folder / f"last{_END}", folder / f"best{_END}"
    callback = kind(best, "loss", save_best_only=True, save_weights_only=True)
    driven(kind(str(last), "loss", save_weights_only=True), model, losses(3.0, 1.0, 2.0))
    yield "weight of the last epoch", 2.0, _kept(model, last)
    driven(callback, model, losses(3.0, 1.0, 2.0))
    yield "weight of the best epoch", 1.0, _kept(model, best)
    driven(callback, model, losses(4.0, 3.0, 2.0))
    yield "weight of the best epoch after a worse fit", 1.0, _kept(model, best)
    driven(callback, model, losses(4.0, 3.0, 0.5))
    yield "weight of the best epoch after a better fit", 2.0, _kept(model, best)
    nested = folder / "new" / "folders" / f"one{_END}"
    driven(kind(nested, "loss", save_weights_only=True), model, losses(1.0))
    yield "whether folders are made", True, nested.exists()
    unused = folder / "unused"
    callback = kind(
        unused / f"one{_END}", "loss", save_best_only=True, save_weights_only=True, initial_value_threshold=0.5
    )
    driven(callback, model, losses(1.0))
    yield "whether folders are made for nothing", False, unused.exists() and is_keras_3(keras)
    by_validation = folder / f"val{_END}"
    logs = [{"loss": 9.0 - k, "val_loss": number} for k, number in enumerate((3.0, 1.0, 2.0))]
    driven(kind(by_validation, save_best_only=True, save_weights_only=True), model, logs)
    yield "weight of the epoch that validates best, by default", 1.0, _kept(model, by_validation)


def best_by_direction(keras: Any, folder: Path) -> Iterator[Seen]:
    """Which epoch is best is inferred from the metric; several values at once are no best, and every epoch is kept."""
    if not is_keras_3(keras):
        return
    kind, kinds = keras.callbacks.ModelCheckpoint, keras.metrics
    up = {kinds.BinaryAccuracy(name="right"): 1.0, kinds.R2Score(name="explained"): 1.0, kinds.Hinge(name="hinge"): 2.0}
    model = taken_step(single_weight(keras, metrics=[*up]))
    for metric, epoch in up.items():
        file = folder / f"{metric.name}{_END}"
        callback = kind(file, f"val_{metric.name}", save_best_only=True, save_weights_only=True)
        driven(callback, model, losses(2.0, 3.0, 1.0, name=f"val_{metric.name}"))
        yield f"epoch of the best {metric.name}", epoch, _kept(model, file)
    several = folder / "several"
    callback = kind(several / f"{{epoch}}{_END}", "loss", save_best_only=True, save_weights_only=True)
    driven(callback, model, [{"loss": np.array([1.0, 2.0])}, {"loss": np.array([3.0, 4.0])}])
    yield "files by several values", [f"1{_END}", f"2{_END}"], sorted(one.name for one in several.glob("*"))
    for file in several.glob("*"):
        yield f"weight in {file.name}", float(file.name[0]) - 1, _kept(model, file)


def checkpoints_of_batches(keras: Any, folder: Path) -> Iterator[Seen]:
    """An integer ``save_freq`` saves after so many batches, counted over epochs; several may come in one execution."""
    if not is_keras_3(keras):
        return
    model = single_weight(keras)
    batches = [[{"loss": 1.0 + 3 * epoch + batch} for batch in range(3)] for epoch in range(3)]
    for often in (1, 2, 3, 4, 10):
        place = folder / f"{often}"
        callback = keras.callbacks.ModelCheckpoint(
            place / f"{{loss:02.0f}}{_END}", save_freq=often, save_weights_only=True
        )
        driven(callback, model, losses(99.0, 99.0, 99.0), batches)
        expected = [f"{number:02d}{_END}" for number in range(often, 10, often)]
        yield f"files by every {often} batches", expected, sorted(one.name for one in place.glob("*"))
    place = folder / "executions"
    callback = keras.callbacks.ModelCheckpoint(place / f"{{loss:02.0f}}{_END}", save_freq=4, save_weights_only=True)
    callback.set_model(model)
    for epoch in range(2):
        callback.on_epoch_begin(epoch)
        for batch in (2, 5):
            callback.on_train_batch_end(batch, {"loss": 6.0 * epoch + batch + 1})
    yield (
        "files by every 4 batches, three at once",
        [f"06{_END}", f"12{_END}"],
        sorted(one.name for one in place.glob("*")),
    )


def best_of_batches(keras: Any, folder: Path) -> Iterator[Seen]:
    """``save_best_only`` with an integer ``save_freq``: the monitored value of the batches decides."""
    if not is_keras_3(keras):
        return
    model = single_weight(keras)
    name = folder / f"{{loss:.0f}}{_END}"
    callback = keras.callbacks.ModelCheckpoint(name, "loss", save_best_only=True, save_weights_only=True, save_freq=1)
    batches = [[{"loss": one} for one in numbers] for numbers in ((5.0, 4.0, 6.0), (7.0, 3.0, 4.0))]
    driven(callback, model, losses(9.0, 9.0), batches)
    yield "files", [f"{one}{_END}" for one in (3, 4, 5)], sorted(one.name for one in folder.glob("*"))


def whole_checkpoints(keras: Any, folder: Path) -> Iterator[Seen]:
    """The whole model comes back with its weights, its optimizer's state and how it was compiled."""
    x = inputs([1.0], [2.0])
    rows, others = pipeline(x, x * 3), pipeline(x, x)
    takes_h5 = is_keras_3(keras) and Version(keras.__version__) >= Version("3.8")
    for end in (".keras", ".h5") if takes_h5 else (".keras",):
        model = single_weight(keras, keras.optimizers.SGD(0.125, momentum=0.5))
        file = folder / f"{{epoch}}{end}"
        callback = keras.callbacks.ModelCheckpoint(str(file), "loss")
        model.fit(rows, epochs=2, callbacks=[callback], shuffle=False, verbose=0)
        yield f"files that end with {end}", [f"1{end}", f"2{end}"], sorted(one.name for one in folder.glob(f"*{end}"))
        again = keras.models.load_model(folder / f"2{end}")
        yield f"weight of {end}", weight_of(model), weight_of(again)
        yield f"loss of {end}", model.evaluate(others, verbose=0), again.evaluate(others, verbose=0)
        if end == ".h5":  # SER17 looks at the optimizer that comes back from it
            continue
        yield f"state of the optimizer of {end}", _state(model), _state(again)
        for one in (model, again):
            one.train_on_batch(x, x * 3)
        yield f"weight after another step of {end}", weight_of(model), weight_of(again)


def resumed_weights(keras: Any, folder: Path) -> Iterator[Seen]:
    """Documented as "compile the model before loading the weights": then the state of the optimizer comes back."""
    if not is_keras_3(keras):
        return

    def made() -> Any:
        return single_weight(keras, keras.optimizers.SGD(0.125, momentum=0.5))

    x, file, right = inputs([1.0], [2.0]), folder / f"w{_END}", made()
    keeping = keras.callbacks.ModelCheckpoint(file, save_weights_only=True)
    right.fit(pipeline(x, x * 3), callbacks=[keeping], shuffle=False, verbose=0)
    model = made()
    model.load_weights(file)
    yield "weight", weight_of(right), weight_of(model)
    yield "state of the optimizer", _state(right), _state(model)


def refused_checkpoints(keras: Any, folder: Path) -> Iterator[Seen]:
    """Names of files with another ending, and frequencies that there are not."""
    if not is_keras_3(keras):
        return
    kind = keras.callbacks.ModelCheckpoint
    for words, arguments in (
        ("weights in a file of a model", {"filepath": "a.keras", "save_weights_only": True}),
        ("a model in a file without an end", {"filepath": "a"}),
        ("a model in another file", {"filepath": "a.txt"}),
        ("another frequency", {"filepath": "a.keras", "save_freq": "batch"}),
        ("a half frequency", {"filepath": "a.keras", "save_freq": 1.5}),
    ):
        yield f"raised for {words}", "ValueError", refusal(lambda options: kind(**options), arguments)
    yield "raised for no folder of backups", "ValueError", refusal(keras.callbacks.BackupAndRestore, "")
    backup = keras.callbacks.BackupAndRestore
    yield "raised for another frequency of backups", "ValueError", refusal(backup, folder, "batch")


def _kept(model: Any, file: Path) -> float:
    before = weight_of(model)
    model.load_weights(file)
    kept = weight_of(model)
    set_weight(model, before)
    return kept


def _state(model: Any) -> list[Any]:
    variables = model.optimizer.variables
    return [as_array(one).tolist() for one in (variables() if callable(variables) else variables)]


class _Interruption(Exception):
    pass


_X = inputs([1.0], [0.5], [-1.0], [2.0], [0.25], [-0.5])
_Y = 3 * _X + 1


def _trainee(keras: Any) -> Any:
    return single_weight(keras, keras.optimizers.Adam(0.25))


def _interrupted(keras: Any, callback: Any, epoch: int, batch: int, model: Any = None) -> Any:
    """A model that is fitted, of three batches an epoch, until that batch of that epoch begins."""
    model = _trainee(keras) if model is None else model
    now = [0]

    def begins(number: int, **_: Any) -> None:
        if (now[0], number) == (epoch, batch):
            raise _Interruption

    stop = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda number, logs: now.__setitem__(0, number), on_train_batch_begin=begins
    )
    try:
        _fitted(model, callback, stop)
    except _Interruption:
        return model
    raise AssertionError("no such batch")


def _fitted(model: Any, *callbacks: Any, epochs: int = 4) -> list[int]:
    """Fits without shuffling, two rows a batch; returns the numbers of the epochs that were run."""
    history = model.fit(pipeline(_X, _Y, size=2), epochs=epochs, verbose=0, shuffle=False, callbacks=[*callbacks])
    return list(history.epoch)


def interrupted_training(keras: Any, folder: Path) -> None:
    """Leaves the backup of a training of four epochs that was interrupted as the third began."""
    _interrupted(keras, keras.callbacks.BackupAndRestore(str(folder)), 2, 0)


def backed_up_training(keras: Any, folder: Path) -> tuple[str, str]:
    """Trains from the folder's backup, or from the beginning: the epochs that were run, a digest of what is left."""
    model = _trainee(keras)
    epochs = _fitted(model, keras.callbacks.BackupAndRestore(str(folder)))
    return f"{epochs}", digest([*model.get_weights(), *(as_array(one) for one in _state(model))])


def resumed_trainings(keras: Any, folder: Path) -> Iterator[Seen]:
    """A training that was interrupted goes on where its last backup was, and ends as if nothing had happened."""
    if not is_keras_3(keras):
        return
    kind, right = keras.callbacks.BackupAndRestore, _trainee(keras)
    _fitted(right)
    given = inspect.signature(kind).parameters
    cases: Sequence[tuple[str, Mapping[str, bool]]] = (
        ("", {}),
        (", with two backups", {"double_checkpoint": True}),
        (", kept", {"delete_checkpoint": False}),
    )
    for number, (words, options) in enumerate(one for one in cases if given.keys() >= one[1].keys()):
        place = folder / f"{number}"
        _interrupted(keras, kind(str(place), **options), 2, 0)
        yield f"whether there is a backup{words}", True, place.exists()
        model = _trainee(keras)
        yield f"epochs that are run again{words}", [2, 3], _fitted(model, kind(str(place), **options))
        yield (
            f"weight and state of the optimizer{words}",
            [weight_of(right), *_state(right)],
            [
                weight_of(model),
                *_state(model),
            ],
        )
        yield f"whether the backup is left{words}", "delete_checkpoint" in options, place.exists()
    # Within an epoch: the last backup is that of the epoch before.
    place = folder / "within"
    _interrupted(keras, kind(str(place)), 1, 2)
    model = _trainee(keras)
    yield "epochs after an interruption within one", [1, 2, 3], _fitted(model, kind(str(place)))
    yield "weight after it", weight_of(right), weight_of(model)
    # Twice, and with the same callback and model.
    place = folder / "twice"
    callback = kind(str(place))
    model = _interrupted(keras, callback, 1, 0)
    _interrupted(keras, callback, 3, 0, model)
    yield "epochs after a second interruption", [3], _fitted(model, callback)
    yield "weight after a second interruption", weight_of(right), weight_of(model)
    if not on_tensorflow():  # there ``fit`` builds it first
        return
    empty = keras.Sequential([keras.layers.Dense(1)])
    empty.compile(keras.optimizers.SGD(), "mse", run_eagerly=True)
    empty.stop_training = False
    yield "raised for a model that is not built", "ValueError", refusal(_fitted, empty, kind(str(place)))


def backups_of_batches(keras: Any, folder: Path) -> Iterator[Seen]:
    """An integer ``save_freq`` backs up after so many batches; the epoch that was interrupted begins again."""
    if not is_keras_3(keras):
        return
    kind = keras.callbacks.BackupAndRestore
    # How often, how many of the five steps before the interruption are kept, and in which epoch the last of them was.
    for often, kept, epoch in ((1, 5, 1), (2, 4, 1), (3, 3, 0)):
        place = folder / f"{often}"
        _interrupted(keras, kind(str(place), save_freq=often), 1, 2)
        model = _trainee(keras)
        epochs = _fitted(model, kind(str(place), save_freq=often))
        yield f"epochs that are run, by every {often} batches", [*range(epoch, 4)], epochs
        steps = int(as_array(model.optimizer.iterations))
        yield f"steps in all, by every {often} batches", kept + 3 * (4 - epoch), steps


def backups_after_a_second_interruption(keras: Any, folder: Path) -> Iterator[Seen]:
    """A training that was resumed is backed up with its epoch's number as well."""
    if not is_keras_3(keras):
        return
    kind = keras.callbacks.BackupAndRestore
    _interrupted(keras, kind(str(folder), save_freq=1), 2, 1)
    _interrupted(keras, kind(str(folder), save_freq=1), 2, 2)
    yield "epochs after it", [2, 3], _fitted(_trainee(keras), kind(str(folder), save_freq=1))


def no_backups(keras: Any, folder: Path) -> Iterator[Seen]:
    """With ``save_freq=False`` nothing is backed up, for that is for preemption."""
    if not is_keras_3(keras):
        return
    _interrupted(keras, keras.callbacks.BackupAndRestore(str(folder / "none"), save_freq=False), 2, 0)
    yield "whether there is a backup", False, (folder / "none").exists()


def broken_backups(keras: Any, folder: Path) -> Iterator[Seen]:
    """Of two backups, the one before is restored where the last one cannot be loaded."""
    if "double_checkpoint" not in inspect.signature(keras.callbacks.BackupAndRestore).parameters:
        return
    right = _trainee(keras)
    _fitted(right)
    kind = keras.callbacks.BackupAndRestore
    _interrupted(keras, kind(str(folder), double_checkpoint=True), 3, 0)
    (folder / f"latest{_END}").write_bytes(b"broken")
    model = _trainee(keras)
    yield "epochs", [2, 3], _fitted(model, kind(str(folder), double_checkpoint=True))
    yield "weight and state", [weight_of(right), *_state(right)], [weight_of(model), *_state(model)]


def averaged_weights(keras: Any, _: Path) -> Iterator[Seen]:
    """Evaluation sees the averages of the weights, and training goes on with the weights themselves."""
    kind = getattr(keras.callbacks, "SwapEMAWeights", None)
    if kind is None:
        return
    x = inputs([1.0])
    rows = pipeline(x, 0 * x)
    # Each step halves the weight, for targets of zero; the averages follow halfway.
    weights = [1.0 * 0.5**k for k in range(1, 5)]
    averages = [*itertools.accumulate(weights, lambda mean, one: 0.5 * mean + 0.5 * one)]

    def made() -> Any:
        return single_weight(keras, keras.optimizers.SGD(0.25, use_ema=True, ema_momentum=0.5))

    def seen(place: str) -> tuple[list[float], Any]:
        noted: list[float] = []
        # The model that a callback is asked for has its weights on JAX, too, which fit holds back meanwhile.
        callback = keras.callbacks.LambdaCallback()
        setattr(callback, place, lambda *_, **__: noted.append(weight_of(callback.model)))
        return noted, callback

    for words, swap in (("", False), (", swapped by epoch", True)):
        model = made()
        began, begins = seen("on_epoch_begin")
        ended, ends = seen("on_epoch_end")
        tested, tests = seen("on_test_batch_end")
        callbacks = [kind(swap_on_epoch=swap), begins, ends, tests]
        history = model.fit(rows, epochs=4, verbose=0, validation_data=rows, callbacks=callbacks, shuffle=False).history
        yield f"whether each epoch begins with its weight{words}", True, close(began, [1.0, *weights[:-1]])
        yield f"whether averages are tested{words}", True, close(tested, averages)
        yield f"whether averages are validated{words}", True, close(history["val_loss"], np.square(averages))
        yield f"whether an epoch ends so{words}", True, close(ended, averages if swap else weights)
        yield f"whether averages are left{words}", True, close(weight_of(model), averages[-1])
    model = made()
    for _step in range(2):
        model.train_on_batch(x, 0 * x)
    loss = model.evaluate(rows, verbose=0, callbacks=[kind()])
    yield "whether averages are evaluated", True, close(loss, averages[1] ** 2)
    yield "whether the weight is back", True, close(weight_of(model), weights[1])
    plain = single_weight(keras, keras.optimizers.SGD(0.25))
    yield "raised without averages", "ValueError", refusal(lambda: plain.evaluate(x, x, verbose=0, callbacks=[kind()]))


def averages_of_wrapped_optimizers(keras: Any, _: Path) -> Iterator[Seen]:
    """The averages may be those of an optimizer that scales losses, or of one of several optimizers."""
    kind = getattr(keras.callbacks, "SwapEMAWeights", None)
    if kind is None or Version(keras.__version__) < Version("3.15"):
        return
    x = inputs([1.0])
    layers = [keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")]

    def averaging() -> Any:
        return keras.optimizers.SGD(0.25, use_ema=True, ema_momentum=0.5)

    for words, optimizer in (
        ("scaled losses", keras.optimizers.LossScaleOptimizer(averaging(), initial_scale=2.0)),
        ("several optimizers", keras.optimizers.MultiOptimizer(lambda _: averaging())),
    ):
        model = keras.Sequential([keras.Input((1,)), *layers])
        model.set_weights([np.ones((1, 1), np.float32)])
        model.compile(optimizer, keras.losses.MeanSquaredError(), run_eagerly=True)
        for _step in range(2):
            model.train_on_batch(x, 0 * x)
        loss = model.evaluate(pipeline(x, 0 * x), verbose=0, callbacks=[kind()])
        yield f"whether averages are evaluated, {words}", True, close(loss, 0.375**2)
        yield f"whether the weight is back, {words}", True, close(weight_of(model), 0.25)


def predictions_of_averages(keras: Any, _: Path) -> Iterator[Seen]:
    """``predict`` sees the averages as well, and the weights are back afterwards."""
    kind = getattr(keras.callbacks, "SwapEMAWeights", None)
    if kind is None:
        return
    x = inputs([1.0])
    model = single_weight(keras, keras.optimizers.SGD(0.25, use_ema=True, ema_momentum=0.5))
    for _step in range(2):
        model.train_on_batch(x, 0 * x)
    callback = kind()
    for words in ("", " again"):
        yield (
            f"whether averages predict{words}",
            True,
            close(model.predict(pipeline(x), verbose=0, callbacks=[callback]), [[0.375]]),
        )
        yield f"whether the weight is back{words}", True, close(weight_of(model), 0.25)


KEEPS: Mapping[str, Row] = table(
    kept_epochs,
    overwritten_checkpoints,
    best_by_direction,
    checkpoints_of_batches,
    best_of_batches,
    whole_checkpoints,
    resumed_weights,
    refused_checkpoints,
    resumed_trainings,
    backups_of_batches,
    backups_after_a_second_interruption,
    no_backups,
    broken_backups,
    averaged_weights,
    averages_of_wrapped_optimizers,
    predictions_of_averages,
)
