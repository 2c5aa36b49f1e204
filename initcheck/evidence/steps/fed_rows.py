"""Which rows ``fit``, ``evaluate`` and ``predict`` take, how often and with which weights, from every kind of data."""

from __future__ import annotations

import importlib.util
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from packaging.version import Version

from initcheck.evidence.composition.promises import (
    Row,
    Seen,
    inputs,
    is_keras_3,
    on_tensorflow,
    refusal,
    table,
    tensorflows,
)
from initcheck.evidence.steps.hooked_models import single_weight
from initcheck.evidence.steps.prepared_rows import PREPARED
from initcheck.evidence.toy_data import pipeline
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor, idle_step
from initcheck.targets import backend_of, target

_ROWS = 7
_X = np.arange(_ROWS, dtype=np.float32)[:, None]
_Y = np.array([0, 1, 2, 0, 1, 2, 1], np.float32)[:, None]
_WEIGHTS = {0: 0.0, 2: 3.0}  # of classes; class 1 is left out, and class 2 is the last
_BY_CLASS = [{0: 0.0, 1: 1.0, 2: 3.0}[int(one)] for one in _Y[:, 0]]
_BATCHES = [[0, 1, 2], [3, 4, 5], [6]]


def _by_pipeline() -> str:
    """What ``pipeline`` makes on the target."""
    return "tf.data" if on_tensorflow() else "a PyDataset that is read once"


def _taker(keras: Any) -> Any:
    """A model that gives back its inputs, learns nothing, and notes the rows of each batch of training and of tests."""

    class Taker(keras.Model):  # type: ignore[misc] # Keras is loaded at run time
        def __init__(self) -> None:
            super().__init__()
            self.taken: dict[str, list[Any]] = {"train": [], "test": [], "weights": [], "targets": [], "heads": []}

        def call(self, x: Any) -> Any:
            return x

        def compute_loss(self, *_: Any, **__: Any) -> Any:
            """That of the batch by which other backends than TensorFlow build a model; some batches have no targets."""
            return as_tensor(np.float32(0))

        def train_step(self, *state_and_data: Any) -> Any:
            x, y, weights = keras.utils.unpack_x_y_sample_weight(state_and_data[-1])
            self.taken["targets"].append(None if y is None else _numbers(y))
            self.taken["train"].append(_numbers(x))
            self.taken["weights"].append(None if weights is None else _numbers(weights))
            heads = weights.values() if isinstance(weights, dict) else weights
            self.taken["heads"].append([_numbers(one) for one in heads] if isinstance(y, dict | list | tuple) else [])
            return idle_step(state_and_data)

        def test_step(self, *state_and_data: Any) -> Any:
            x, *_ = keras.utils.unpack_x_y_sample_weight(state_and_data[-1])
            self.taken["test"].append(_numbers(x))
            return idle_step(state_and_data)

    model = Taker()
    model.compile(loss="mse", run_eagerly=True)
    model.build((None, 1))
    return model


def _numbers(x: Any) -> list[float]:
    if isinstance(x, dict):
        x = next(iter(x.values()))
    if isinstance(x, list | tuple):
        x = x[0]
    x = getattr(x, "flat_values", x)  # of a ragged tensor
    return [round(float(one), 6) for one in np.ravel(as_array(x))]


def _fed(keras: Any, *data: Any, **options: Any) -> Any:
    """The rows of each batch of a ``fit``; with ``what`` those of tests, or the weights of the rows."""
    model, what = _taker(keras), options.pop("what", "train")
    model.fit(*data, **{"epochs": 1, "verbose": 0, "shuffle": False, **options})
    return model.taken[what]


def _batched(
    keras: Any,
    size: int = 3,
    *columns: Any,
    log: list[str] | None = None,
    item: Any = None,
    **options: Any,
) -> Any:
    """A ``PyDataset`` of those columns, or what ``item`` makes of them; it notes when epochs begin and end."""

    class Batched(getattr(keras.utils, "PyDataset", keras.utils.Sequence)):  # type: ignore[misc] # the same
        def __init__(self) -> None:
            super().__init__(**options)

        def __len__(self) -> int:
            return -(-len(columns[0]) // size)

        def __getitem__(self, place: int) -> Any:
            batch = tuple(one[place * size : (place + 1) * size] for one in columns)
            return batch if item is None else item(*batch)

        def on_epoch_begin(self) -> None:
            if log is not None:
                log.append("begin")

        def on_epoch_end(self) -> None:
            if log is not None:
                log.append("end")

    return Batched()


def _generator(*columns: Any, size: int = 3, often: int | None = 1) -> Iterator[Any]:
    for _ in itertools.count() if often is None else range(often):
        for start in range(0, len(columns[0]), size):
            yield tuple(one[start : start + size] for one in columns)


def arrays(keras: Any, _: Path) -> Iterator[Seen]:
    """Batches of arrays in order: the last one is partial; as lists and dicts, tensors and whole numbers."""
    yield "batches of three", _BATCHES, _fed(keras, _X, _Y, 3)
    yield "batches of as many rows as there are", [[*range(_ROWS)]], _fed(keras, _X, _Y, _ROWS)
    yield "batches of more rows than there are", [[*range(_ROWS)]], _fed(keras, _X, _Y, 50)
    many = np.arange(70, dtype=np.float32)[:, None]
    yield "sizes of batches by default", [32, 32, 6], [len(one) for one in _fed(keras, many, many)]
    yield "sizes of batches by steps", [10] * 7, [len(one) for one in _fed(keras, many, many, steps_per_epoch=7)]
    yield "batches without targets", _BATCHES, _fed(keras, _X, None, 3)
    yield "targets of a list of inputs", [None] * 3, _fed(keras, [_X, _X + 9], None, 3, what="targets")
    for words, x in (
        ("a dict", {"one": _X, "two": _X + 9}),
        ("a list", [_X, _X + 9]),
        ("a tensor", as_tensor(_X)),
        ("whole numbers", _X.astype(np.int64)),
        ("numbers in half precision", _X.astype(np.float16)),
        ("two axes more", np.broadcast_to(_X[:, None], (_ROWS, 1, 1))),
    ):
        yield f"batches of {words}", _BATCHES, _fed(keras, x, _Y, 3)
    shuffled = _taker(keras)
    shuffled.fit(_X, _X, batch_size=3, epochs=2, verbose=0)
    epochs = [[*itertools.chain(*shuffled.taken["train"][start : start + 3])] for start in (0, 3)]
    yield "rows of shuffled epochs", [[*range(_ROWS)]] * 2, [sorted(one) for one in epochs]
    yield "epochs", _BATCHES * 2, _fed(keras, _X, _Y, 3, epochs=2)
    within = _fed(keras, many[:27], many[:27], 12, shuffle="batch")
    batches = sorted(sorted(one) for one in within)  # Keras 2 shuffles the batches as well
    yield "rows that are shuffled within batches", [[*range(12)], [*range(12, 24)], [24, 25, 26]], batches
    yield "whether they are", True, within[0] != sorted(within[0])
    shares = inputs(*_BY_CLASS)
    for words, y, weights in (("a list", [_Y, _X], shares), ("a dict", {"two": _X, "one": _Y}, shares[:, None])):
        if is_keras_3(keras):
            heads = _fed(keras, _X, y, 50, sample_weight=weights, what="heads")
            yield f"weights of each output in {words}", [[_BY_CLASS] * 2], heads
    for words, options in (
        ("fewer targets", {"y": _Y[:5]}),
        ("fewer sample weights", {"y": _Y, "sample_weight": np.ones(5, np.float32)}),
    ):
        yield f"raised for {words}", "ValueError", refusal(lambda options: _fed(keras, _X, **options), options)
    uneven = {"one": _X, "two": _X[:5]}
    yield "raised for inputs of two lengths", "ValueError", refusal(_fed, keras, uneven, _Y)


def tables(keras: Any, _: Path) -> Iterator[Seen]:
    """Columns of pandas, where it is installed."""
    if importlib.util.find_spec("pandas") is None:
        return
    import pandas

    frame = pandas.DataFrame({"one": _X[:, 0]})
    model, labels, weights = _taker(keras), pandas.Series(_Y[:, 0]), pandas.Series(_BY_CLASS)
    model.fit(frame, labels, 3, verbose=0, shuffle=False, sample_weight=weights)
    yield "batches of a frame", _BATCHES, model.taken["train"]
    for words, what, numbers in (("targets", "targets", _Y[:, 0].tolist()), ("weights", "weights", _BY_CLASS)):
        yield f"{words} of a series", [numbers[:3], numbers[3:6], numbers[6:]], model.taken[what]


def series(keras: Any, _: Path) -> Iterator[Seen]:
    """A series of pandas is a column, whether it is inputs, targets or weights."""
    if importlib.util.find_spec("pandas") is None:
        return
    import pandas

    column = pandas.Series(_X[:, 0])
    yield "shape of predictions", (_ROWS, 1), _taker(keras).predict(column, verbose=0).shape


@tensorflows("ragged tensors")
def ragged_rows(keras: Any, _: Path) -> Iterator[Seen]:
    """Rows of any length, in lists of any length, come as they are from generators, arrays and datasets."""
    import tensorflow as tf

    lists = [[[1.0], [2.0, 3.0]], [[4.0]], [[], [5.0]]]
    whole = tf.ragged.constant(lists)
    for words, x in (
        ("a generator", (one for one in ((whole[:2],), (whole[2:],)))),
        ("a tensor", whole),
        ("a dataset", tf.data.Dataset.from_tensors(whole)),
    ):
        seen = _taker(keras).predict(x, batch_size=2 if words == "a tensor" else None, verbose=0)
        yield f"rows of {words}", lists, getattr(seen, "to_list", lambda: None)()


@tensorflows("sparse tensors")
def sparse_rows(keras: Any, _: Path) -> Iterator[Seen]:
    """Sparse outputs come back as sparse ones, of a batch and of all."""
    import tensorflow as tf

    whole = tf.sparse.from_dense(np.array([[1, 0], [0, 2], [0, 0]], np.float32))
    model = _taker(keras)
    for words, run in (
        ("one batch", model.predict_on_batch),
        ("two batches", lambda x: model.predict(x, batch_size=2, verbose=0)),
    ):
        seen = run(whole)
        yield f"type of {words}", "SparseTensor", type(seen).__name__
        yield f"rows of {words}", [[1, 0], [0, 2], [0, 0]], tf.sparse.to_dense(tf.sparse.reorder(seen)).numpy().tolist()


@tensorflows("datasets of tf.data")
def datasets(keras: Any, _: Path) -> Iterator[Seen]:
    """``tf.data``: each element is a batch; with ``steps_per_epoch`` an epoch goes on where the last one ended."""
    yield "batches", _BATCHES, _fed(keras, pipeline(_X, _Y, size=3))
    yield "epochs", _BATCHES * 2, _fed(keras, pipeline(_X, _Y, size=3), epochs=2)
    yield "batches of inputs alone", _BATCHES, _fed(keras, pipeline(_X, size=3).map(lambda x: x))
    endless = pipeline(_X, _Y, size=3).repeat()
    yield "two epochs of four of an endless one", (_BATCHES * 3)[:8], _fed(keras, endless, epochs=2, steps_per_epoch=4)
    yield "an epoch of two steps", _BATCHES[:2], _fed(keras, pipeline(_X, _Y, size=3), steps_per_epoch=2)
    yield "an epoch of more steps than there are", _BATCHES, _fed(keras, pipeline(_X, _Y, size=3), steps_per_epoch=5)
    grown = pipeline(_X, _Y, size=3).filter(lambda x, y: True)  # of unknown cardinality
    yield "epochs of unknown length", _BATCHES * 3, _fed(keras, grown, epochs=3)
    weighed = pipeline(_X, _Y, inputs(*_BY_CLASS), size=3)
    yield "weights", [_BY_CLASS[:3], _BY_CLASS[3:6], _BY_CLASS[6:]], _fed(keras, weighed, what="weights")
    yield "raised for targets beside it", "ValueError", refusal(_fed, keras, pipeline(_X, _Y, size=3), _Y)


def generators(keras: Any, _: Path) -> Iterator[Seen]:
    """A generator's batches once each, in order; epochs of ``steps_per_epoch`` go on where the last one ended."""
    yield "batches", _BATCHES, _fed(keras, _generator(_X, _Y))
    yield (
        "two epochs of four",
        (_BATCHES * 3)[:8],
        _fed(keras, _generator(_X, _Y, often=None), epochs=2, steps_per_epoch=4),
    )
    weighed = _generator(_X, _Y, inputs(*_BY_CLASS))
    yield "weights", [_BY_CLASS[:3], _BY_CLASS[3:6], _BY_CLASS[6:]], _fed(keras, weighed, what="weights")
    if Version(keras.__version__) >= Version("3.2") or not is_keras_3(keras):
        lengths = [[0.0], [1.0, 2.0, 3.0], [4.0, 5.0]]
        yield "steps of batches of unlike lengths", lengths, _fed(keras, ((inputs(one),) for one in lengths))
    if on_tensorflow() and is_keras_3(keras) and Version(keras.__version__) >= Version("3.10"):
        import tensorflow as tf

        pairs = [[[[0.0, 1.0]], [[2.0, 3.0], [4.0, 5.0]]], [[[6.0, 7.0]], []]]
        ragged = ((tf.ragged.constant(one, ragged_rank=1, inner_shape=(2,)),) for one in pairs)
        yield "steps of ragged batches", [[0, 1, 2, 3, 4, 5], [6, 7]], _fed(keras, ragged)
    if is_keras_3(keras):
        single = _generator(_X[:2], _Y[:2], size=2)
        yield "a single batch", [[0, 1]], _fed(keras, single)
        yield (
            "raised for weights of classes",
            "ValueError",
            refusal(lambda: _fed(keras, _generator(_X, _Y), class_weight=_WEIGHTS)),
        )
        alike = ((inputs([0] * size),) for size in (1, 1, 2))
    if on_tensorflow() and is_keras_3(keras):
        yield "whether a length that differs behind the first two is refused", True, bool(refusal(_fed, keras, alike))
    raised = refusal(_fed, keras, _generator(_X[:0], _Y[:0]))
    yield "raised for none", "ValueError" if Version(keras.__version__) >= Version("3.15") else raised, raised


def python_datasets(keras: Any, _: Path) -> Iterator[Seen]:
    """Every batch of a ``PyDataset`` once an epoch, in order, with any number of workers; epochs begin and end."""
    if not is_keras_3(keras):
        return
    for words, options in (
        ("", {}),
        (" of two workers", {"workers": 2}),
        (" of three workers and a queue of one", {"workers": 3, "max_queue_size": 1}),
    ):
        log: list[str] = []
        data = _batched(keras, 3, _X, _Y, log=log, **options)
        yield f"epochs{words}", _BATCHES * 2, _fed(keras, data, epochs=2)
        yield f"ends of epochs{words}", True, log.count("end") >= 2
        if hasattr(keras.utils.PyDataset, "on_epoch_begin"):
            yield f"beginnings of epochs{words}", 2, log.count("begin")
        if hasattr(keras.utils.PyDataset, "__iter__"):
            yield f"batches that come by themselves{words}", _BATCHES, [_numbers(x) for x, *_ in data]
    yield "an epoch of two steps", _BATCHES[:2], _fed(keras, _batched(keras, 3, _X, _Y), steps_per_epoch=2)
    weighed = _batched(keras, 3, _X, _Y, inputs(*_BY_CLASS))
    yield "weights", [_BY_CLASS[:3], _BY_CLASS[3:6], _BY_CLASS[6:]], _fed(keras, weighed, what="weights")
    yield "raised for targets beside it", "ValueError", refusal(_fed, keras, _batched(keras, 3, _X, _Y), _Y)
    items: Mapping[str, Callable[..., Any]] = {
        "named inputs": lambda x, y: {"one": x},
        "inputs alone": lambda x, y: x,
    }
    for words, item in items.items():
        yield f"batches of {words}", _BATCHES, _fed(keras, _batched(keras, 3, _X, _Y, item=item))
    if Version(keras.__version__) >= Version("3.7"):
        # Elsewhere the batch by which a model is built is waited for in vain where there are workers.
        for workers in (1, 2) if on_tensorflow() else (1,):
            none = _batched(keras, 3, _X[:0], _Y[:0], workers=workers)
            yield f"raised for none, {workers} workers", "ValueError", refusal(_fed, keras, none)
    listed = _batched(keras, 3, _X, _Y, item=lambda x, y: [x, y])
    yield "targets of lists", [[0, 1, 2], [0, 1, 2], [1]], _fed(keras, listed, what="targets")
    if Version(keras.__version__) >= Version("3.2"):
        unlike = _batched(keras, 3, _X, item=lambda x: np.repeat(x, int(x[0, 0]) % 2 + 1, axis=1))
        yield "batches of unlike lengths", [[0, 1, 2], [3, 3, 4, 4, 5, 5], [6]], _fed(keras, unlike)
    shuffled = _taker(keras)
    shuffled.fit(_batched(keras, 1, np.arange(12.0)[:, None]), epochs=2, verbose=0, shuffle=True)
    rows = [one for (one,) in shuffled.taken["train"]]
    yield "rows of epochs", [[*range(12)]] * 2, [sorted(rows[:12]), sorted(rows[12:])]


def _within_a_strategy(keras: Any, strategy: Any, data: Any) -> list[Any]:
    """The batches that a model takes that is made in the scope of a strategy of one device, which changes nothing."""
    with strategy.scope():
        model = _taker(keras)
    # What has been read before the training begins has been read by then.
    wait = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: time.sleep(0.1))
    model.fit(data, verbose=0, shuffle=False, callbacks=[wait])
    return list(model.taken["train"])


@tensorflows("strategies of tf.distribute")
def rows_within_strategies(keras: Any, _: Path) -> Iterator[Seen]:
    """A model that is made in the scope of a strategy of ``tf.distribute`` takes every row once as well."""
    if not is_keras_3(keras):
        return
    import tensorflow as tf

    one, mirrored = tf.distribute.OneDeviceStrategy("CPU:0"), tf.distribute.MirroredStrategy(["CPU:0"])
    yield "batches of a PyDataset", _BATCHES, _within_a_strategy(keras, one, _batched(keras, 3, _X, _Y))
    yield "batches of a dataset", _BATCHES, _within_a_strategy(keras, mirrored, pipeline(_X, _Y, size=3))
    if Version(keras.__version__) >= Version("3.9"):
        made = mirrored.distribute_datasets_from_function(lambda _: pipeline(_X, _Y, size=3))
        yield "batches of a function's dataset", _BATCHES, _within_a_strategy(keras, mirrored, made)


@tensorflows("strategies of tf.distribute")
def generators_within_strategies(keras: Any, _: Path) -> Iterator[Seen]:
    """The same of a generator."""
    if not is_keras_3(keras):
        return
    import tensorflow as tf

    one = tf.distribute.OneDeviceStrategy("CPU:0")
    yield "batches of a generator", _BATCHES, _within_a_strategy(keras, one, _generator(_X, _Y))


def python_datasets_unshuffled(keras: Any, _: Path) -> Iterator[Seen]:
    """``shuffle``, on by default, "is ignored when ``x`` is a ``PyDataset``", since Keras 3.7."""
    if not is_keras_3(keras) or Version(keras.__version__) < Version("3.7"):
        return
    model = _taker(keras)
    model.fit(_batched(keras, 1, np.arange(12.0)[:, None]), verbose=0)
    yield "rows", [*range(12)], [one for (one,) in model.taken["train"]]


def changed_python_datasets(keras: Any, _: Path) -> Iterator[Seen]:
    """What ``on_epoch_end`` rearranges is taken so in the next epoch; endless ones need ``steps_per_epoch``."""
    if not is_keras_3(keras):
        return

    class Reversing(keras.utils.PyDataset):  # type: ignore[misc] # the same
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.rows, self.epoch = _X[:6], 0

        def __len__(self) -> int:
            return 3

        def __getitem__(self, place: int) -> Any:
            return self.rows[2 * place : 2 * place + 2], self.rows[2 * place : 2 * place + 2]

        def on_epoch_end(self) -> None:
            self.epoch += 1
            self.rows = _X[:6] if self.epoch % 2 else _X[5::-1]

    seen = _fed(keras, Reversing(), epochs=3)
    both = ([[0, 1], [2, 3], [4, 5]], [[5, 4], [3, 2], [1, 0]])
    epochs = [seen[3 * k : 3 * k + 3] for k in range(3)]
    yield (
        "whether neighboring epochs are each other's reverse",
        True,
        all(one in both for one in epochs) and all(one != other for one, other in itertools.pairwise(epochs)),
    )

    if Version(keras.__version__) < Version("3.4"):
        return

    class Endless(keras.utils.PyDataset):  # type: ignore[misc] # the same
        @property
        def num_batches(self) -> None:
            return None

        def __getitem__(self, place: int) -> Any:
            return inputs([place]), inputs([place])

    for workers in (1, 2):
        rows = _fed(keras, Endless(workers=workers, max_queue_size=1), epochs=3, steps_per_epoch=3)
        yield f"rows of an endless one, {workers} workers", [[number] for number in range(9)], rows


def beginnings_before_workers(keras: Any, _: Path) -> Iterator[Seen]:
    """``on_epoch_begin`` is "called at the beginning of every epoch": workers ask for no item before it has ended."""
    if not is_keras_3(keras) or not hasattr(keras.utils.PyDataset, "on_epoch_begin"):
        return
    caller = threading.get_ident()
    for workers in (0, 2):
        asked, early = threading.Event(), []

        class Beginning(keras.utils.PyDataset):  # type: ignore[misc] # the same
            def __len__(self) -> int:
                return 3

            def __getitem__(self, place: int) -> Any:
                if threading.get_ident() != caller:  # which asks for the first ones to learn their types
                    asked.set()  # noqa: B023 - used within this turn of the loop
                return inputs([place]), inputs([place])

            def on_epoch_begin(self) -> None:
                early.append(asked.wait(0.1))  # noqa: B023 - the same

            def on_epoch_end(self) -> None:
                asked.clear()  # noqa: B023 - the same

        _fed(keras, Beginning(workers=workers), epochs=2)
        yield f"items before the epochs begin, {workers} workers", False, any(early)


@tensorflows("layers that look words up")
def words_in_arrays(keras: Any, _: Path) -> Iterator[Seen]:
    """Arrays of words, as objects, are fed as they are, and in order."""
    if not is_keras_3(keras):
        return
    model = keras.Sequential([keras.Input((), dtype="string"), keras.layers.StringLookup(vocabulary=["a", "b"])])
    model.compile(run_eagerly=True)
    words = np.array(["a", "b", "c", "b"], object)
    yield "numbers of words", [1, 2, 0, 2], model.predict(words, 2, 0).tolist()


def weights_of_classes(keras: Any, _: Path) -> Iterator[Seen]:
    """``class_weight`` gives each row its class's weight, 1 to a class that it leaves out, whatever the data are."""
    if not is_keras_3(keras):  # Keras 2 wants a weight of each class
        return
    right = [_BY_CLASS[:3], _BY_CLASS[3:6], _BY_CLASS[6:]]
    shapes = {
        "a column": _Y,
        "numbers": _Y[:, 0],
        "whole numbers": _Y.astype(int),
        "vectors": np.eye(3)[_Y[:, 0].astype(int)],
    }
    for words, y in shapes.items():
        y = y.astype(np.float32) if words == "vectors" else y
        options: dict[str, Any] = {"class_weight": _WEIGHTS, "what": "weights"}
        yield f"of arrays, {words}", right, _fed(keras, _X, y, 3, **options)
        if on_tensorflow():
            yield f"of tf.data, {words}", right, _fed(keras, pipeline(_X, y, size=3), **options)
        yield f"of a PyDataset, {words}", right, _fed(keras, _batched(keras, 3, _X, y), **options)
    weights = inputs(*_BY_CLASS)
    for words, data in (
        ("arrays", lambda: {"x": _X, "y": _Y, "sample_weight": weights}),
        (_by_pipeline(), lambda: {"x": pipeline(_X, _Y, weights, size=3)}),
        ("a PyDataset", lambda: {"x": _batched(keras, 3, _X, _Y, weights)}),
    ):
        if is_keras_3(keras):
            yield (
                f"raised for {words} with weights of their own",
                "ValueError",
                refusal(lambda data=data: _fed(keras, **data(), class_weight=_WEIGHTS)),
            )
    squares = np.square(_X - _Y)[:, 0]
    model = single_weight(keras, keras.optimizers.SGD(0.0))
    loss = model.train_on_batch(_X, _Y, class_weight=_WEIGHTS)
    yield "whether a batch's loss is weighed", True, bool(np.isclose(loss, np.mean(squares * _BY_CLASS)))
    history = model.fit(_X, _Y, _ROWS, 1, 0, class_weight=_WEIGHTS, validation_data=(_X, _Y)).history
    yield "whether fit's loss is weighed", True, bool(np.isclose(history["loss"][0], np.mean(squares * _BY_CLASS)))
    yield "whether the validation's is not", True, bool(np.isclose(history["val_loss"][0], np.mean(squares)))


@tensorflows("datasets of tf.data")
def weights_of_vectors_of_any_length(keras: Any, _: Path) -> Iterator[Seen]:
    """Classes of ``tf.data`` may be vectors whose length is not known before."""
    if not is_keras_3(keras):  # Keras 2 wants a weight of each class
        return
    import tensorflow as tf

    hot = np.eye(3, dtype=np.float32)[_Y[:, 0].astype(int)]
    spec = tf.TensorSpec((None, None), tf.float32)
    unknown = tf.data.Dataset.from_generator(lambda: _generator(_X, hot), output_signature=(spec, spec))
    right = [_BY_CLASS[:3], _BY_CLASS[3:6], _BY_CLASS[6:]]
    yield "of tf.data", right, _fed(keras, unknown, class_weight=_WEIGHTS, what="weights")


def weights_of_fewer_classes(keras: Any, _: Path) -> Iterator[Seen]:
    """A class above all those that ``class_weight`` names has weight 1, as others that it leaves out."""
    if not is_keras_3(keras):  # Keras 2 wants a weight of each class
        return
    expected = [[0.5, 1.0, 1.0], [0.5, 1.0, 1.0], [1.0]]
    options = {"class_weight": {0: 0.5}, "what": "weights"}
    yield "of arrays", expected, _fed(keras, _X, _Y, 3, **options)
    yield "of a PyDataset", expected, _fed(keras, _batched(keras, 3, _X, _Y), **options)


@tensorflows("datasets of tf.data")
def weights_of_fewer_classes_of_pipelines(keras: Any, _: Path) -> Iterator[Seen]:
    """The same of ``tf.data``."""
    if not is_keras_3(keras):  # Keras 2 wants a weight of each class
        return
    options = {"class_weight": {0: 0.5}, "what": "weights"}
    yield "of tf.data", [[0.5, 1.0, 1.0], [0.5, 1.0, 1.0], [1.0]], _fed(keras, pipeline(_X, _Y, size=3), **options)


def whole_weights_of_classes(keras: Any, _: Path) -> Iterator[Seen]:
    """A weight may be a whole number, or one of NumPy's; a class, too."""
    given = {0: 2, np.int64(1): np.float32(1.5), 2: 3}
    expected = [[2.0, 1.5, 3.0], [2.0, 1.5, 3.0], [1.5]]
    options = {"class_weight": given, "what": "weights"}
    yield "of arrays", expected, _fed(keras, _X, _Y, 3, **options)
    if on_tensorflow():
        yield "of tf.data", expected, _fed(keras, pipeline(_X, _Y, size=3), **options)


def classes_by_name(keras: Any, _: Path) -> Iterator[Seen]:
    """Documented as "mapping class indices (integers) to a weight": other keys are no classes, and are refused."""
    if is_keras_3(keras):
        yield "raised for names", True, bool(refusal(lambda: _fed(keras, _X, _Y, 3, class_weight={"cat": 2.0})))


def validated_rows(keras: Any, _: Path) -> Iterator[Seen]:
    """Validation takes every row of its data in every epoch, whatever they are; other data in another fit."""
    feeds: dict[str, Callable[[], Any]] = {
        "arrays": lambda: (_X, _Y),
        "arrays with weights": lambda: (_X, _Y, inputs(*_BY_CLASS)),
        _by_pipeline(): lambda: pipeline(_X, _Y, size=3),
    }
    if is_keras_3(keras):
        feeds |= {
            "a PyDataset": lambda: _batched(keras, 3, _X, _Y),
        }
    model, rows = _taker(keras), pipeline(_X, _Y, size=3)
    for words, feed in feeds.items():
        sizes = {"validation_batch_size": 3} if words.startswith("arrays") else {}
        model.taken["test"].clear()
        model.fit(rows, epochs=2, verbose=0, validation_data=feed(), shuffle=False, **sizes)
        yield f"batches of {words}", _BATCHES * 2, [*model.taken["test"]]
        model.taken["test"].clear()
        options = {"validation_steps": 2, "shuffle": False, **sizes}
        model.fit(rows, epochs=2, verbose=0, validation_data=feed(), **options)
        yield f"two steps of {words}, from the beginning each epoch", _BATCHES[:2] * 2, [*model.taken["test"]]
    model.taken["test"].clear()
    model.fit(_X, _Y, batch_size=2, verbose=0, validation_data=(_X + 10, _Y))
    yield "batches of other data", [[10, 11], [12, 13], [14, 15], [16]], [*model.taken["test"]]
    model.taken["test"].clear()
    model.fit(_X, _Y, batch_size=3, verbose=0, validation_split=0.3)
    yield "batches that are held out", [[4, 5, 6]], [*model.taken["test"]]
    yield (
        "raised where a dataset is to be split",
        "ValueError",
        refusal(lambda: model.fit(pipeline(_X, _Y, size=3), validation_split=0.3, verbose=0)),
    )


def validated_rows_of_workers(keras: Any, _: Path) -> Iterator[Seen]:
    """A ``PyDataset`` of two workers is validated as one without: from its beginning in each epoch."""
    if not is_keras_3(keras):
        return
    for steps in (None, 2):
        data = _batched(keras, 3, _X, _Y, workers=2)
        options = {"validation_data": data, "validation_steps": steps, "epochs": 2, "what": "test"}
        yield f"batches, steps {steps}", _BATCHES[:steps] * 2, _fed(keras, _X, _Y, **options)


def tested_rows(keras: Any, _: Path) -> Iterator[Seen]:
    """``evaluate`` and ``predict`` take every row once and in order, whatever the data are; or so many steps."""
    feeds: dict[str, Callable[..., Any]] = {
        "arrays": lambda *columns: columns[0],
        _by_pipeline(): lambda *columns: pipeline(*columns, size=3),
        "a generator": lambda *columns: _generator(*columns),
    }
    if is_keras_3(keras):
        feeds["a PyDataset"] = lambda *columns: _batched(keras, 3, *columns)
        feeds["a PyDataset of two workers"] = lambda *columns: _batched(keras, 3, *columns, workers=2)
    model = _taker(keras)
    for words, feed in feeds.items():
        for steps in (None, 2):
            sizes: dict[str, Any] = {"verbose": 0, "steps": steps}
            if words == "arrays":
                sizes |= {"batch_size": 3}
            targets = (_Y,) if words == "arrays" else ()
            model.taken["test"].clear()
            model.evaluate(feed(_X, _Y), *targets, **sizes)
            yield f"batches of {words} that are evaluated, steps {steps}", _BATCHES[:steps], [*model.taken["test"]]
            rows = np.ravel(model.predict(feed(_X, _Y), **sizes)).tolist()
            yield f"rows of {words} that are predicted, steps {steps}", [*itertools.chain(*_BATCHES[:steps])], rows
    pairs = model.predict({"one": _X, "two": _X + 9}, 3, 0)
    yield "named outputs", {"one": _X.tolist(), "two": (_X + 9).tolist()}, {k: v.tolist() for k, v in pairs.items()}
    ends = keras.Input((1,), name="one"), keras.Input((1,), name="two")
    both = keras.Model([*ends], keras.layers.Subtract()([*ends]))
    both.compile(loss="mse", run_eagerly=True)
    for words, x in (("a list", [3 * _X, _X]), ("a dict", {"two": _X, "one": 3 * _X})):
        yield f"output of a batch of two inputs in {words}", (2 * _X).tolist(), both.predict_on_batch(x).tolist()
        yield f"loss of a batch of two inputs in {words}", 4.0, round(float(both.test_on_batch(x, 2 * _X - 2)), 5)


@tensorflows("datasets of tf.data, whose number of batches is unknown")
def evaluated_in_graphs(keras: Any, _: Path) -> Iterator[Seen]:
    """``evaluate`` means over every row in graphs as well: of batches that all have one size, of unknown number."""
    import tensorflow as tf

    rows = np.arange(8, dtype=np.float32)[:, None]
    spec = tf.TensorSpec((2, 1), tf.float32)
    data = tf.data.Dataset.from_generator(lambda: _generator(rows, 0 * rows, size=2), output_signature=(spec, spec))
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(), "mse", metrics=["mae"])
    for words, feed in (("of unknown number", data), ("of known number", pipeline(rows, 0 * rows, size=2))):
        loss, error = model.evaluate(feed, verbose=0)
        yield f"loss and error {words}", [17.5, 3.5], [round(float(one), 5) for one in (loss, error)]


def steps_in_one_execution(keras: Any, _: Path) -> Iterator[Seen]:
    """Several steps in one execution take every row once; the last execution takes the rest; not on torch."""
    if backend_of(target()) == "torch":
        return
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.0), "mse", steps_per_execution=2)
    expected = float(np.mean(np.square(_X)))
    for words, data in (("arrays", (_X, 0 * _X)), (_by_pipeline(), (pipeline(_X, 0 * _X, size=3),))):
        sizes = {"batch_size": 3} if words == "arrays" else {}
        ends: list[int] = []
        note = keras.callbacks.LambdaCallback(
            **{
                "on_train_batch_end" if is_keras_3(keras) else "on_batch_end": lambda batch, logs, list=ends: (
                    list.append(batch)
                )
            }
        )
        loss = model.fit(*data, verbose=0, callbacks=[note], **sizes).history["loss"][0]
        yield f"loss of {words}", round(expected, 4), round(loss, 4)
        yield f"executions of {words}", 2, len(ends)
        yield f"rows of {words} that are predicted", _X.tolist(), model.predict(data[0], verbose=0, **sizes).tolist()


@tensorflows("datasets of tf.data")
def split_rows(keras: Any, _: Path) -> Iterator[Seen]:
    """``split_dataset``: the first rows, and the last ones; shuffled before under a seed; by shares and numbers."""
    split = keras.utils.split_dataset

    def halves(*given: Any, **options: Any) -> tuple[list[int], list[int]]:
        left, right = split(*given, **options)
        return [int(one) for one in left], [int(one) for one in right]

    rows = np.arange(10)
    for options, expected in (
        ({"left_size": 0.7}, 7),
        ({"right_size": 0.7}, 3),
        ({"left_size": 0.28}, 3),
        ({"right_size": 0.28}, 7),
        ({"left_size": 4}, 4),
        ({"right_size": 4}, 6),
        ({"left_size": 0.3, "right_size": 0.7}, 3),
        ({"left_size": 6, "right_size": 4}, 6),
    ):
        yield f"rows by {options}", ([*range(expected)], [*range(expected, 10)]), halves(rows, **options)
    yield "rows by smaller sizes", ([0, 1], [7, 8, 9]), halves(rows, left_size=2, right_size=3)
    left, right = halves(rows, left_size=0.5, shuffle=True, seed=3)
    yield "rows when shuffled", [*range(10)], sorted(left + right)
    yield "whether they are shuffled", True, left != [*range(5)]
    yield "whether a seed repeats", (left, right), halves(rows, left_size=0.5, shuffle=True, seed=3)
    zero = halves(rows, left_size=0.5, shuffle=True, seed=0)
    yield "whether a seed of zero repeats", zero, halves(rows, left_size=0.5, shuffle=True, seed=0)
    yield "whether another seed differs", True, (left, right) != halves(rows, left_size=0.5, shuffle=True, seed=4)
    import tensorflow as tf

    numbers = tf.data.Dataset.range(10)
    yield "rows of tf.data", ([0, 1, 2], [*range(3, 10)]), halves(numbers, left_size=3)
    batched, rest = split(numbers.batch(2), left_size=0.6)
    yield (
        "batches of tf.data",
        ([[0, 1], [2, 3], [4, 5]], [[6, 7], [8, 9]]),
        tuple([np.asarray(one).tolist() for one in half] for half in (batched, rest)),
    )
    pairs, _rest = split((rows, rows * 2), left_size=0.2)
    yield "pairs", [[0, 0], [1, 2]], [[int(part) for part in one] for one in pairs]
    for words, options in (
        ("no size", {}),
        ("a share above one", {"left_size": 1.5}),
        ("more rows than there are", {"left_size": 11}),
        ("shares of more than all", {"left_size": 0.6, "right_size": 0.6}),
    ):
        yield f"raised for {words}", "ValueError", refusal(lambda options: split(rows, **options), options)


@tensorflows("datasets of tf.data")
def time_series(keras: Any, _: Path) -> Iterator[Seen]:
    """Windows of so many steps, with strides and rates; targets of their first step; shuffled under a seed."""
    make: Callable[..., Any] = keras.utils.timeseries_dataset_from_array
    steps = np.arange(10)

    def windows(*given: Any, **options: Any) -> list[Any]:
        return [np.asarray(one).tolist() for one in make(*given, **{"batch_size": None, **options})]

    yield "windows", [[k, k + 1, k + 2] for k in range(8)], windows(steps, None, 3)
    yield "windows by strides", [[0, 1, 2], [4, 5, 6]], windows(steps, None, 3, sequence_stride=4)
    yield "windows by rates", [[k, k + 3, k + 6] for k in range(4)], windows(steps, None, 3, sampling_rate=3)
    bounded = windows(steps, None, 3, start_index=2, end_index=7)
    yield "windows within bounds", [[2, 3, 4], [3, 4, 5], [4, 5, 6]], bounded
    yield "batches", [2, 2, 2, 2], [len(one) for one in make(steps, None, 3, batch_size=2)]
    pairs = [(np.asarray(x).tolist(), int(y)) for x, y in make(steps[:-2], steps[2:] * 10, 3, batch_size=None)]
    yield "targets", [([k, k + 1, k + 2], 10 * (k + 2)) for k in range(6)], pairs
    ends = {"start_index": 2, "end_index": 7}
    pairs = [(np.asarray(x).tolist(), np.asarray(y).tolist()) for x, y in make(steps, steps * 10, 3, **ends)]
    yield "targets within bounds", [([[k, k + 1, k + 2] for k in (2, 3, 4)], [20, 30, 40])], pairs
    for seed in (0, 3):
        batched = windows(steps, None, 1, shuffle=True, seed=seed, batch_size=4)
        again = windows(steps, None, 1, shuffle=True, seed=seed, batch_size=4)
        yield f"whether batches repeat under seed {seed}", batched, again
    shuffled = windows(steps, None, 3, shuffle=True, seed=3)
    yield "windows when shuffled", windows(steps, None, 3), sorted(shuffled)
    yield "whether they are shuffled", True, shuffled != windows(steps, None, 3)
    yield "whether a seed repeats", shuffled, windows(steps, None, 3, shuffle=True, seed=3)
    yield "whether another seed differs", True, shuffled != windows(steps, None, 3, shuffle=True, seed=4)
    matched = [
        (np.asarray(x).tolist(), int(y)) for x, y in make(steps, steps * 10, 3, batch_size=None, shuffle=True, seed=3)
    ]
    yield "targets when shuffled", True, all(10 * x[0] == y for x, y in matched)


def _texts(folder: Path, counts: Mapping[str, int]) -> Path:
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            (folder / name / f"{number}.txt").write_text(f"{name}{number}")
    return folder


@tensorflows("datasets of tf.data")
def text_folders(keras: Any, folder: Path) -> Iterator[Seen]:
    """Files of folders, in the order of their names, with their folder's number; shuffled and split under a seed."""
    read: Callable[..., Any] = keras.utils.text_dataset_from_directory
    place = _texts(folder / "all", {"b": 3, "a": 4, "c": 3})
    (place / "a" / "3.txt").rename(place / "a" / "3.TXT")
    (place / "b" / "3.md").write_text("not a text")
    names = [f"{name}{number}" for name, count in (("a", 4), ("b", 3), ("c", 3)) for number in range(count)]

    def rows(dataset: Any) -> list[Any]:
        return [
            tuple(np.asarray(part).tolist() for part in one) if isinstance(one, tuple) else np.asarray(one).tolist()
            for one in dataset
        ]

    def given(**options: Any) -> Any:
        return read(str(place), **{"batch_size": None, "shuffle": False, **options})

    def texts(dataset: Any) -> list[str]:
        return [one[0].decode() if isinstance(one, tuple) else one.decode() for one in rows(dataset)]

    labels = [0] * 4 + [1] * 3 + [2] * 3
    plain = given()
    yield "texts", names, texts(plain)
    yield "labels", labels, [one[1] for one in rows(plain)]
    yield "names of classes", ["a", "b", "c"], list(plain.class_names)
    yield "vectors of labels", np.eye(3)[labels].tolist(), [one[1] for one in rows(given(label_mode="categorical"))]
    yield "texts without labels", names, texts(given(label_mode=None, labels=None))
    chosen = sorted((one[0].decode(), one[1]) for one in rows(given(class_names=["c", "a", "b"])))
    yield "texts and labels by given classes", [*zip(names, [1] * 4 + [2] * 3 + [0] * 3, strict=True)], chosen
    if is_keras_3(keras):
        fewer = [(b"c0", 0), (b"c1", 0), (b"c2", 0), *((name.encode(), 1) for name in names[:4])]
        yield "texts and labels of some classes", fewer, rows(given(class_names=["c", "a"]))
    yield "given labels", [*range(10)], [one[1] for one in rows(given(labels=[*range(10)]))]
    yield "sizes of batches", [4, 4, 2], [len(one[0]) for one in rows(given(batch_size=4))]
    pair = _texts(folder / "pair", {"b": 1, "a": 2, ".c": 1})
    plainly: dict[str, Any] = {"batch_size": None, "shuffle": False}
    single = [(b"a0", [0.0]), (b"a1", [0.0]), (b"b0", [1.0])]
    yield "texts and labels of two classes", single, rows(read(str(pair), label_mode="binary", **plainly))
    yield "given labels in one folder", [(b"a0", 1), (b"a1", 0)], rows(read(str(pair / "a"), labels=[1, 0], **plainly))
    shuffled = given(shuffle=True, seed=0)
    first, second = texts(shuffled), texts(shuffled)
    yield "texts when shuffled", names, sorted(first)
    yield "whether they are shuffled, in each epoch", [True, True], [first != names, first != second]
    yield "whether a seed repeats", first, texts(given(shuffle=True, seed=0))
    yield "whether another seed differs", True, first != texts(given(shuffle=True, seed=4))
    matched = [(one[0].decode()[0], one[1]) for one in rows(given(shuffle=True, seed=3))]
    yield "whether labels come along", True, all("abc".index(name) == label for name, label in matched)
    parts = {subset: texts(given(validation_split=0.3, subset=subset)) for subset in ("training", "validation")}
    yield "the last ones are for validation", (names[:7], names[7:]), (parts["training"], parts["validation"])
    random = {
        subset: sorted(texts(given(validation_split=0.3, subset=subset, shuffle=True, seed=3)))
        for subset in ("training", "validation")
    }
    yield "how many of a shuffled split", [7, 3], [len(one) for one in random.values()]
    yield "all of a shuffled split", names, sorted(random["training"] + random["validation"])
    yield "whether it is shuffled before", True, random["validation"] != names[7:]
    both = given(validation_split=0.3, subset="both", shuffle=True, seed=3)
    yield "both parts at once", [*random.values()], [sorted(texts(one)) for one in both]
    for words, options in (
        ("a shuffled split without a seed", {"validation_split": 0.3, "subset": "training", "shuffle": True}),
        ("a split of no part", {"validation_split": 0.3}),
        ("another part", {"validation_split": 0.3, "subset": "half"}),
        ("a share above one", {"validation_split": 1.5, "subset": "training"}),
        ("other classes", {"class_names": ["a", "x"]}),
        ("too few labels", {"labels": [1, 2]}),
    ):
        yield f"raised for {words}", "ValueError", refusal(lambda options: given(**options), options)


@tensorflows("datasets of tf.data")
def small_splits(keras: Any, folder: Path) -> Iterator[Seen]:
    """A share that is less than one file leaves all files for training."""
    place = _texts(folder, {"a": 2, "b": 2})
    read: Callable[..., Any] = keras.utils.text_dataset_from_directory
    training = read(str(place), batch_size=None, shuffle=False, validation_split=0.2, subset="training")
    yield "texts for training", ["a0", "a1", "b0", "b1"], [np.asarray(one[0]).item().decode() for one in training]


@tensorflows("datasets of tf.data")
def image_folders(keras: Any, folder: Path) -> Iterator[Seen]:
    """Images of folders as texts: in the order of their names, shuffled and split under a seed; of the given size."""
    import tensorflow as tf

    for number in range(8):
        place = folder / "ab"[number // 4]
        place.mkdir(exist_ok=True)
        pixels = tf.fill((2, 3, 3), tf.cast(10 * number, tf.uint8))
        (place / f"{number}.png").write_bytes(tf.io.encode_png(pixels).numpy())
    read: Callable[..., Any] = keras.utils.image_dataset_from_directory

    def given(**options: Any) -> Any:
        return read(str(folder), **{"batch_size": None, "shuffle": False, "image_size": (2, 3), **options})

    def numbers(dataset: Any) -> list[tuple[int, float]]:
        return [(int(np.asarray(x).mean()) // 10, float(np.asarray(y).max())) for x, y in dataset]

    expected = [(number, float(number // 4)) for number in range(8)]
    yield "images and labels", expected, numbers(given())
    yield (
        "sizes of batches",
        [(3, 2, 3, 3), (3, 2, 3, 3), (2, 2, 3, 3)],
        [tuple(x.shape) for x, _ in given(batch_size=3)],
    )
    gray = given(color_mode="grayscale", image_size=(4, 5), label_mode=None)
    yield "shapes of gray images", [(4, 5, 1)] * 8, [tuple(one.shape) for one in gray]
    colors = [np.asarray(one).reshape(6, -1).mean(0).tolist() for one in given(color_mode="rgba", label_mode=None)]
    yield "colors with the one behind", [[10.0 * k] * 3 + [255.0] for k in range(8)], colors
    shuffled = numbers(given(shuffle=True, seed=0))
    yield "images when shuffled", expected, sorted(shuffled)
    yield "whether they are shuffled", True, shuffled != expected
    yield "whether a seed repeats", shuffled, numbers(given(shuffle=True, seed=0))
    yield "whether another seed differs", True, shuffled != numbers(given(shuffle=True, seed=4))
    parts = given(validation_split=0.25, subset="both", shuffle=True, seed=3)
    left, right = (sorted(numbers(one)) for one in parts)
    yield "how many are for validation", 2, len(right)
    yield "all of a split", expected, sorted(left + right)
    alone = numbers(given(validation_split=0.25, subset="validation", shuffle=True, seed=3))
    yield "the part for validation alone", right, sorted(alone)


def _sounds(folder: Path) -> Callable[..., Any]:
    """Reads a folder of four sounds, of 2, 3, 4 and 1 steps; the files of class b come last."""
    import tensorflow as tf

    for number, steps in enumerate((2, 3, 4, 1)):
        place = folder / "ab"[number // 2]
        place.mkdir(exist_ok=True)
        sound = tf.audio.encode_wav(tf.fill((steps, 1), 0.125 * (number + 1)), 8000)
        (place / f"{number}.wav").write_bytes(sound.numpy())
    return lambda read, **options: [
        tuple(np.round(np.asarray(part), 3).tolist() for part in one)
        for one in read(str(folder), **{"batch_size": 2, "shuffle": False, **options})
    ]


@tensorflows("datasets of tf.data")
def audio_folders(keras: Any, folder: Path) -> Iterator[Seen]:
    """Sounds of folders, in the order of their names: padded to the longest of a batch, or of a given length."""
    heard, read = _sounds(folder), keras.utils.audio_dataset_from_directory
    padded: list[Any] = [[[[1, 1, 0], [2, 2, 2]], [0, 0]], [[[3, 3, 3, 3], [4, 0, 0, 0]], [1, 1]]]
    cut: list[Any] = [[[[1, 1], [2, 2]], [0, 0]], [[[3, 3], [4, 0]], [1, 1]]]
    limits: Mapping[str, Any] = {"": {}, " of two steps": {"output_sequence_length": 2}}
    for (words, options), right in zip(limits.items(), (padded, cut), strict=True):
        expected = [([[[0.125 * v] for v in one] for one in sounds], labels) for sounds, labels in right]
        yield f"sounds and labels{words}", expected, heard(read, **options)
    single = heard(read, batch_size=None)
    yield "lengths of sounds", [(2, 0), (3, 0), (4, 1), (1, 1)], [(len(sound), label) for sound, label in single]
    ragged = read(str(folder), batch_size=2, shuffle=False, ragged=True)
    yield "lengths of ragged sounds", [[2, 3], [4, 1]], [[len(one) for one in sounds.to_list()] for sounds, _ in ragged]
    shuffled = heard(read, batch_size=None, shuffle=True, seed=0)
    yield "sounds when shuffled", sorted(single), sorted(shuffled)
    yield "whether a seed repeats", shuffled, heard(read, batch_size=None, shuffle=True, seed=0)


@tensorflows("datasets of tf.data")
def vectors_of_audio_folders(keras: Any, folder: Path) -> Iterator[Seen]:
    """Labels of sounds as vectors and in a column."""
    heard, read = _sounds(folder), keras.utils.audio_dataset_from_directory
    hot = [[[1.0, 0.0]] * 2, [[0.0, 1.0]] * 2]
    yield "vectors of labels", hot, [labels for _, labels in heard(read, label_mode="categorical")]
    column = [[[0.0]] * 2, [[1.0]] * 2]
    yield "columns of labels", column, [labels for _, labels in heard(read, label_mode="binary")]


FEEDS: Mapping[str, Row] = {
    **table(
        arrays,
        tables,
        series,
        ragged_rows,
        sparse_rows,
        datasets,
        generators,
        python_datasets,
        python_datasets_unshuffled,
        changed_python_datasets,
        beginnings_before_workers,
        rows_within_strategies,
        generators_within_strategies,
        words_in_arrays,
        weights_of_classes,
        weights_of_vectors_of_any_length,
        weights_of_fewer_classes,
        weights_of_fewer_classes_of_pipelines,
        whole_weights_of_classes,
        classes_by_name,
        validated_rows,
        validated_rows_of_workers,
        tested_rows,
        evaluated_in_graphs,
        steps_in_one_execution,
        split_rows,
        time_series,
        text_folders,
        small_splits,
        image_folders,
        audio_folders,
        vectors_of_audio_folders,
    ),
    **PREPARED,
}
