"""Rows, steps and classes that count more, less or not at all: ``class_weight``, ``sample_weight`` and masks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.evidence.composition.promises import Row, Seen, inputs, is_keras_3, normals, refusal, table, values
from initcheck.evidence.steps.trained_models import QUIET, X, compiled, linear, matched, reported, tested, trained
from initcheck.evidence.toy_data import pipeline
from initcheck.oracle.reported_means import cross_entropies, errors, mean_loss, mean_metric, weights_of_classes

_CLASSES = {0: 0.5, 2: 4.0}  # class 1 is left out, and counts once
_LABELS = np.array([0, 1, 2, 2])
_CHANCES = inputs([0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.25, 0.5, 0.25], [0.125, 0.375, 0.5])
_HOT = np.eye(3, dtype=np.float32)
_STREAM = 37


def _chances(keras: Any, shape: tuple[int | None, ...] = (3,), **options: Any) -> Any:
    """A model that returns the probabilities that it is given, times a factor that it trains."""
    x = keras.Input(shape)
    output = keras.layers.Dense(3, use_bias=False, kernel_initializer=keras.initializers.Identity())(x)
    return compiled(keras, keras.Model(x, output), **options)


def _sparse(hot: bool) -> str:
    return "categorical_crossentropy" if hot else "sparse_categorical_crossentropy"


def weights_of_class_labels(keras: Any, _: Path) -> Iterator[Seen]:
    """Labels of one axis or two, or one-hot: each row counts as its class does, one that is left out once."""
    if not is_keras_3(keras):  # Keras 2 needs a weight for each class
        return
    each = cross_entropies(_LABELS, _CHANCES)
    weights = weights_of_classes(_LABELS, _CLASSES)
    right = (_CHANCES.argmax(axis=-1) == _LABELS).astype(float)
    for words, y in (
        ("labels", _LABELS),
        ("labels of two axes", _LABELS[:, None]),
        ("one-hot labels", _HOT[_LABELS]),
        ("labels as fractions", _LABELS.astype(np.float32)),
    ):
        model = _chances(
            keras, loss=_sparse(words.startswith("one")), metrics=["accuracy"], weighted_metrics=["accuracy"]
        )
        for given, shares in (("some", _CLASSES), ("all", {0: 0.5, 1: 1.0, 2: 4.0}), ("none", {})):
            counted = weights if shares else None
            names = ("accuracy", "weighted_accuracy")
            report = trained(model, _CHANCES, y, class_weight=shares)
            expected = [mean_loss(each, counted), right.mean(), mean_metric(right, counted)]
            actual = [report["loss"], *(report.get(name, -1.0) for name in names)]
            yield f"loss and accuracies of {words} with weights of {given}", expected, matched(expected, actual)


def weights_of_classes_in_fit(keras: Any, _: Path) -> Iterator[Seen]:
    """In ``fit``, over batches: the loss and weighted metrics of training, not of validation; one step by gradient."""
    if not is_keras_3(keras):  # Keras 2 needs a weight for each class
        return
    weights = weights_of_classes(_LABELS, _CLASSES)
    each = cross_entropies(_LABELS, _CHANCES)
    right = (_CHANCES.argmax(axis=-1) == _LABELS).astype(float)
    model = _chances(keras, loss=_sparse(False), weighted_metrics=["accuracy"])
    history = model.fit(
        _CHANCES,
        _LABELS,
        batch_size=3,
        shuffle=False,
        class_weight=_CLASSES,
        validation_data=(_CHANCES, _LABELS),
        **QUIET,
    ).history
    expected = {
        **{"loss": [mean_loss(each, weights)], "accuracy": [mean_metric(right, weights)]},
        **{"val_loss": [mean_loss(each)], "val_accuracy": [right.mean()]},
    }
    yield "history", expected, matched(expected, reported(history))
    yes = inputs([0], [1], [1], [0])
    model = linear(keras, rate=0.5)
    model.fit(pipeline(X, yes), class_weight={0: 3.0, 1: 0.25}, shuffle=False, **QUIET)
    share = weights_of_classes(yes[:, 0], {0: 3.0, 1: 0.25})[:, None]
    kernel = (1 - 0.5 * 2 * X.T.astype(float) @ (share * (X.sum(axis=1, keepdims=True) - yes)) / 4).tolist()
    yield "kernel after a weighted step", kernel, matched(kernel, values(model.get_weights()[0]))


def weights_of_classes_in_datasets(keras: Any, _: Path) -> Iterator[Seen]:
    """The same of a ``tf.data.Dataset``, where each batch has classes of its own."""
    each, weights = cross_entropies(_LABELS, _CHANCES), weights_of_classes(_LABELS, {**_CLASSES, 2: 1.0, 1: 4.0})
    for words, y in (("labels", _LABELS), ("labels of two axes", _LABELS[:, None]), ("one-hot labels", _HOT[_LABELS])):
        model = _chances(keras, loss=_sparse(words.startswith("one")))
        classes = {0: 0.5, 1: 4.0, 2: 1.0}
        rows = pipeline(_CHANCES, y, size=2)
        expected = {"loss": [mean_loss(each, weights)]}
        history = model.fit(rows, class_weight=classes, **QUIET).history
        yield f"history of a dataset of {words}", expected, matched(expected, reported(history))


def omitted_classes_in_datasets(keras: Any, _: Path) -> Iterator[Seen]:
    """The last classes of a ``tf.data.Dataset`` may be left out of ``class_weight``, as those of arrays."""
    if not is_keras_3(keras):  # Keras 2 needs a weight for each class
        return

    rows = pipeline(_CHANCES, _LABELS, size=2)
    for words, shares in (("the last class", {0: 0.5, 1: 4.0}), ("the last two", {0: 0.5})):
        expected = {"loss": [mean_loss(cross_entropies(_LABELS, _CHANCES), weights_of_classes(_LABELS, shares))]}
        history = _chances(keras, loss=_sparse(False)).fit(rows, class_weight=shares, **QUIET).history
        yield f"history without {words}", expected, matched(expected, reported(history))
    model = _chances(keras, loss=_sparse(False))
    expected = {"loss": [mean_loss(cross_entropies(_LABELS, _CHANCES))]}
    yield "history without any", expected, matched(expected, model.fit(rows, class_weight={}, **QUIET).history)


def keys_of_class_weights(keras: Any, _: Path) -> Iterator[Seen]:
    """Documented as a "dictionary mapping class indices (integers) to a weight": others are refused or read as such."""
    if not is_keras_3(keras):
        return
    weighted = mean_loss(cross_entropies(_LABELS, _CHANCES), weights_of_classes(_LABELS, _CLASSES))
    read: Mapping[str, Any] = {
        "integers of NumPy": {np.int64(0): 0.5, np.int64(2): 4.0},
        "numbers as texts": {"0": 0.5, "2": 4.0},
    }
    for words, shares in read.items():
        model = _chances(keras, loss=_sparse(False))
        loss = model.train_on_batch(_CHANCES, _LABELS, class_weight=shares, return_dict=True)["loss"]
        yield f"loss by {words}", weighted, matched(weighted, float(loss))
    refused: Mapping[str, Any] = {"a name of a class": {"cat": 2.0}, "a list": [1.0, 2.0], "no class": {None: 2.0}}
    for words, shares in refused.items():
        action = _chances(keras, loss=_sparse(False)).train_on_batch
        yield (
            f"whether {words} raises",
            True,
            bool(refusal(lambda action=action, shares=shares: action(_CHANCES, _LABELS, class_weight=shares))),
        )


def classes_of_steps(keras: Any, _: Path) -> Iterator[Seen]:
    """Weights of classes are for rows that have one class each: labels of steps are refused, not taken for others."""
    labels, chances = np.array([[0, 1], [2, 2]]), _CHANCES.reshape(2, 2, 3)
    for words, y in (("labels", labels[..., None]), ("one-hot labels", _HOT[labels])):
        model = _chances(keras, (2, 3), loss=_sparse(words.startswith("one")))
        error = refusal(lambda model=model, y=y: model.train_on_batch(chances, y, class_weight=_CLASSES))
        yield f"whether {words} of steps raise", True, bool(error)


def both_weights(keras: Any, _: Path) -> Iterator[Seen]:
    """Weights of classes and of rows at once, classes of several outputs or of a generator are refused."""
    if not is_keras_3(keras):
        return
    model, share = linear(keras), inputs(1, 2, 3, 4)
    y = inputs([0], [1], [1], [0])
    for words, action in (
        ("a generator", lambda: model.fit(((X, y) for _ in range(2)), class_weight={0: 2.0}, **QUIET)),
        ("train_on_batch", lambda: model.train_on_batch(X, y, sample_weight=share, class_weight={0: 2.0})),
        ("fit", lambda: model.fit(X, y, sample_weight=share, class_weight={0: 2.0}, **QUIET)),
        ("two outputs", lambda: model.fit(X, [y, y], class_weight={0: 2.0}, **QUIET)),
    ):
        yield f"raised by {words}", "ValueError", refusal(action)


def weights_of_every_rank(keras: Any, _: Path) -> Iterator[Seen]:
    """A weight for each row, each step, or each with axes of one: loss, weighted metric, plain metric and step."""
    steps = normals(_STREAM, 4, 3, 2)
    for rank, x, y in (
        ("rows", X, normals(_STREAM, 4, 2)),
        ("rows of one", X, normals(_STREAM, 4, 1)),
        ("steps", steps, normals(_STREAM + 1, 4, 3, 2)),
        ("steps of one", steps, normals(_STREAM + 1, 4, 3, 1)),
    ):
        output = np.repeat(x.sum(axis=-1, keepdims=True, dtype=float), y.shape[-1], axis=-1)
        shapes = [(4,), (4, 1)] if x.ndim == 2 else [(4, 3), (4, 3, 1)]
        model = linear(keras, y.shape[-1], x.shape[1:], metrics=["mae"], weighted_metrics=["mse"])
        for shape in shapes:
            share = np.arange(np.prod(shape), dtype=np.float32).reshape(shape) / 4
            squares, sizes = errors("mse", y, output), errors("mae", y, output)
            expected = {
                "loss": mean_loss(squares, share),
                "mae": mean_metric(sizes),
                "mse": mean_metric(squares, share),
            }
            for words, report in (
                ("tested", tested(model, x, y, sample_weight=share)),
                ("trained", trained(model, x, y, sample_weight=share)),
            ):
                yield f"{rank} with weights of {shape} {words}", expected, matched(expected, report, 1e-4)
        full = np.array(share, float).reshape(*share.shape[: x.ndim - 1], 1)
        model = linear(keras, y.shape[-1], x.shape[1:], rate=0.5)
        trained(model, x, y, sample_weight=share)
        slope = np.tensordot(x.astype(float), full * (output - y), (range(x.ndim - 1),) * 2) * 2 / y.size
        kernel = (1 - 0.5 * slope).tolist()
        yield f"kernel after a step on weighted {rank}", kernel, matched(kernel, values(model.get_weights()[0]), 1e-4)


def types_of_weights(keras: Any, _: Path) -> Iterator[Seen]:
    """Weights that are booleans, whole numbers or of any precision count as the numbers that they are."""
    y = normals(_STREAM, 4, 1)
    output = X.sum(axis=1, keepdims=True, dtype=float)
    model = linear(keras, weighted_metrics=["mae"])
    for share in (
        np.array([True, False, True, False]),
        np.array([2, 0, 1, 3]),
        np.array([0.5, 0.0, 2.0, 1.0]),
        np.array([0.5, 0.0, 2.0, 1.0], np.float16),
    ):
        whole = share.astype(float)
        expected = {
            "loss": mean_loss(errors("mse", y, output), whole),
            "mae": mean_metric(errors("mae", y, output), whole),
        }
        report = tested(model, X, y, sample_weight=share)
        yield f"report of weights in {share.dtype}", expected, matched(expected, report, 1e-4)


def weights_of_rows_for_steps(keras: Any, _: Path) -> Iterator[Seen]:
    """A "flat (1D)" array weighs the rows, also of outputs that have steps: each weight is that of its row's steps."""
    for words, rows in (("as many rows as steps", 3), ("more rows than steps", 4)):
        x, y = normals(_STREAM, rows, 3, 2), normals(_STREAM + 1, rows, 3, 1)
        share = np.arange(rows, dtype=np.float32) + 1
        squares = errors("mse", y, x.sum(axis=-1, keepdims=True, dtype=float))
        model = linear(keras, 1, x.shape[1:], weighted_metrics=["mse"])
        expected = {"loss": mean_loss(squares, share), "mse": mean_metric(squares, share)}
        yield f"report of {words}", expected, matched(expected, tested(model, x, y, sample_weight=share), 1e-4)


def weights_in_fit(keras: Any, _: Path) -> Iterator[Seen]:
    """``fit`` gives each batch its own rows' weights, shuffled or not; ``evaluate`` and validation have theirs."""
    y, share = inputs([1], [0], [2], [1]), inputs(1, 2, 0.5, 4)
    squares = errors("mse", y, X.sum(axis=1, keepdims=True))
    sizes = errors("mae", y, X.sum(axis=1, keepdims=True))
    model = linear(keras, metrics=["mae"], weighted_metrics=["mse"])
    other = share[::-1].copy()
    for words, shuffle in (("in order", False), ("shuffled", True)):
        history = model.fit(
            X, y, sample_weight=share, batch_size=2, shuffle=shuffle, validation_data=(X, y, other), **QUIET
        ).history
        expected: dict[str, Any] = {
            "loss": [mean_loss(squares, share)],
            "mae": [sizes.mean()],
            "mse": [mean_metric(squares, share)],
            "val_loss": [mean_loss(squares, other)],
            "val_mae": [sizes.mean()],
            "val_mse": [mean_metric(squares, other)],
        }
        yield f"history {words}", expected, matched(expected, reported(history))
    expected = {"loss": mean_loss(squares, other), "mae": sizes.mean(), "mse": mean_metric(squares, other)}
    actual = model.evaluate(X, y, sample_weight=other, batch_size=3, return_dict=True, **QUIET)
    yield "evaluate", expected, matched(expected, reported(actual))
    history = model.fit(X, y, sample_weight=share, batch_size=2, validation_split=0.5, shuffle=False, **QUIET).history
    expected = {"loss": [mean_loss(squares[:2], share[:2])], "val_loss": [mean_loss(squares[2:], share[2:])]}
    seen = {name: history[name] for name in expected}
    yield "history of halves", expected, matched(expected, reported(seen))


def masks_of_steps(keras: Any, _: Path) -> Iterator[Seen]:
    """A step that a mask hides counts neither in the loss nor in weighted or plain metrics, nor moves a weight."""
    x = np.array(normals(_STREAM, 3, 4, 2))
    seen = np.array([[1, 1, 0, 1], [1, 0, 0, 0], [1, 1, 1, 1]], bool)
    x[~seen] = 9.0
    y = normals(_STREAM + 2, 3, 4, 1)
    y[~seen] = 1000.0
    output = x.sum(axis=-1, keepdims=True, dtype=float)
    squares, sizes = errors("mse", y, output), errors("mae", y, output)
    layers = keras.layers
    inner = layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((4, 2)), layers.Masking(9.0), inner])
    compiled(keras, model, rate=0.5, metrics=["mae"], weighted_metrics=["mse"])
    masked = seen.astype(float)
    shares: Mapping[str, Any] = {
        "no weights": None,
        "weights of steps": np.arange(12, dtype=np.float32).reshape(3, 4) / 4,
    }
    for words, share in shares.items():
        expected = {
            "loss": mean_loss(squares, share, masked),
            "mae": mean_metric(sizes, None, masked),
            "mse": mean_metric(squares, share, masked),
        }
        report = tested(model, x, y, sample_weight=share)
        yield f"masked with {words}", expected, matched(expected, report, 1e-4)
    trained(model, x, y)
    slope = np.tensordot(x.astype(float), masked[..., None] * (output - y), ((0, 1),) * 2) * 2 / masked.sum()
    kernel = (1 - 0.5 * slope).tolist()
    yield "kernel after a masked step", kernel, matched(kernel, values(inner.kernel), 1e-4)


def masks_of_embeddings(keras: Any, _: Path) -> Iterator[Seen]:
    """The mask of ``mask_zero`` reaches the accuracy of a tagger and both of two heads, in ``fit``'s graph too."""
    words = np.array([[1, 2, 0, 0], [2, 2, 1, 0]])
    seen = (words != 0).astype(float)
    labels = np.array([[0, 1, 1, 1], [1, 0, 0, 0]])
    layers = keras.layers
    x = keras.Input((4,))
    table_ = keras.initializers.Constant(inputs([0.5, 0.5], [0.75, 0.25], [0.25, 0.75]))
    embedded = layers.Embedding(3, 2, mask_zero=True, embeddings_initializer=table_)(x)
    tags = layers.Activation("linear", name="tags")(embedded)
    again = layers.Activation("linear", name="again")(embedded)
    chances = np.array([[0.5, 0.5], [0.75, 0.25], [0.25, 0.75]])[words]
    each = cross_entropies(labels, chances)
    right = (chances.argmax(axis=-1) == labels).astype(float)
    loss, accuracy = mean_loss(each, None, seen), mean_metric(right, None, seen)
    for eager in (True, False):
        model = compiled(keras, keras.Model(x, tags), loss=_sparse(False), metrics=["accuracy"], run_eagerly=eager)
        expected = {"loss": loss, "accuracy": accuracy}
        report = reported(model.evaluate(pipeline(words, labels), return_dict=True, **QUIET))
        yield f"report of a tagger, eager {eager}", expected, matched(expected, report)
    model = compiled(
        keras, keras.Model(x, [tags, again]), loss=[_sparse(False)] * 2, metrics=[["accuracy"], ["accuracy"]]
    )
    expected = {
        **{"loss": 2 * loss, "tags_loss": loss, "again_loss": loss},
        **{"tags_accuracy": accuracy, "again_accuracy": accuracy},
    }
    yield "report of two taggers", expected, matched(expected, tested(model, words, [labels, labels]))


def sizes_of_weights(keras: Any, _: Path) -> Iterator[Seen]:
    """As many weights as rows, and as many targets: others are refused."""
    model, y = linear(keras), inputs([1], [0], [2], [1])
    for words, action in (
        ("weights of three rows for four", lambda: model.fit(X, y, sample_weight=inputs(1, 2, 3), **QUIET)),
        ("three targets for four rows", lambda: model.fit(X, y[:3], **QUIET)),
        ("three targets in evaluate", lambda: model.evaluate(X, y[:3], **QUIET)),
    ):
        yield f"whether {words} raise", True, bool(refusal(action))


WEIGHTED_ROWS: Mapping[str, Row] = table(
    weights_of_class_labels,
    weights_of_classes_in_fit,
    weights_of_classes_in_datasets,
    omitted_classes_in_datasets,
    keys_of_class_weights,
    classes_of_steps,
    both_weights,
    weights_of_every_rank,
    types_of_weights,
    weights_of_rows_for_steps,
    weights_in_fit,
    masks_of_steps,
    masks_of_embeddings,
    sizes_of_weights,
)
