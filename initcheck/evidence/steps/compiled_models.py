"""What ``compile`` decides: which weights move, what else counts as loss, in which type, and by whose step."""

from __future__ import annotations

import warnings
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
    normals,
    on_jax,
    refusal,
    table,
    values,
)
from initcheck.evidence.steps.trained_models import FAST, QUIET, X, compiled, linear, matched, reported, tested, trained
from initcheck.evidence.toy_data import pipeline
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import all_seen, as_tensor, changed_result, idle_step, seen_by
from initcheck.frameworks.operations import operations
from initcheck.oracle.reported_means import errors, mean_loss

_Y = inputs([1], [0], [2], [1])
_SUMS = X.sum(axis=1, keepdims=True)
_MSE = mean_loss(errors("mse", _Y, _SUMS))
_STREAM = 41


def _loss_of(keras: Any, layers: Any, *, fits: bool = False) -> list[float]:
    """The losses that calls for one batch report, then those of ``evaluate`` and ``fit`` in two batches."""
    model = compiled(keras, keras.Sequential([keras.Input((3,)), *layers]))
    losses = [float(trained(model, X, _Y)["loss"]), float(tested(model, X, _Y)["loss"])]
    return losses + _losses_in_batches(model) * fits


def _losses_in_batches(model: Any) -> list[float]:
    rows = pipeline(X, _Y, size=2)
    return [
        reported(model.evaluate(rows, return_dict=True, **QUIET))["loss"],
        float(model.fit(rows, shuffle=False, **QUIET).history["loss"][0]),
    ]


def _summing(keras: Any, units: int = 1, **options: Any) -> Any:
    return keras.layers.Dense(units, use_bias=False, kernel_initializer="ones", **options)


def penalties_of_weights(keras: Any, _: Path) -> Iterator[Seen]:
    """Each penalty counts once for a batch, in training and in evaluation, whatever the batch's size."""
    penalty = keras.regularizers.L2(0.25)
    for words, layer, added in (
        ("kernel", _summing(keras, kernel_regularizer=penalty), 0.25 * 3),
        (
            "kernel and bias",
            keras.layers.Dense(
                1,
                kernel_initializer="ones",
                kernel_regularizer=keras.regularizers.L1(0.5),
                bias_regularizer=penalty,
            ),
            0.5 * 3,
        ),
        ("nested kernel", keras.Sequential([_summing(keras, kernel_regularizer=penalty)]), 0.25 * 3),
    ):
        fits = words == "nested kernel"
        expected = [_MSE + added] * (4 if fits else 2)
        yield f"losses with a penalty of the {words}", expected, matched(expected, _loss_of(keras, [layer], fits=fits))
    x, layer = keras.Input((3,)), _summing(keras, kernel_regularizer=penalty)
    model = compiled(keras, keras.Model(x, keras.layers.Add()([layer(x), layer(x)])))
    twice = mean_loss(errors("mse", _Y, 2 * _SUMS)) + 0.25 * 3
    yield "loss of a layer that is called twice", twice, matched(twice, tested(model, X, _Y)["loss"])
    model = linear(keras, rate=0.5)
    model = compiled(
        keras, keras.Sequential([keras.Input((3,)), _summing(keras, kernel_regularizer=penalty)]), rate=0.5
    )
    trained(model, X, _Y)
    kernel = (1 - 0.5 * (2 * X.T.astype(float) @ (_SUMS - _Y) / 4 + 2 * 0.25)).tolist()
    yield "kernel after a step with a penalty", kernel, matched(kernel, values(model.get_weights()[0]))
    frozen = compiled(
        keras, keras.Sequential([keras.Input((3,)), _summing(keras, kernel_regularizer=penalty, trainable=False)])
    )
    if is_keras_3(keras):
        yield "loss with a penalty of a frozen kernel", _MSE, matched(_MSE, tested(frozen, X, _Y)["loss"])


def penalties_of_outputs(keras: Any, _: Path) -> Iterator[Seen]:
    """``activity_regularizer`` counts its penalty over the rows of the batch, for every call of the layer."""
    penalty = keras.regularizers.L1(0.5)
    share = 0.5 * float(np.abs(_SUMS).sum()) / len(X)
    halves = _MSE + (np.abs(_SUMS[:2]).sum() / 2 + np.abs(_SUMS[2:]).sum() / 2) * 0.5 / 2
    for words, layers in (
        ("a layer", [_summing(keras, activity_regularizer=penalty)]),
        ("a nested layer", [keras.Sequential([_summing(keras, activity_regularizer=penalty)])]),
        ("a layer of its own", [_summing(keras), keras.layers.ActivityRegularization(l1=0.5)]),
    ):
        fits = words == "a nested layer"
        expected = [_MSE + share] * 2 + [halves] * 2 * fits
        yield f"losses with a penalty of {words}", expected, matched(expected, _loss_of(keras, layers, fits=fits))
    x, layer = keras.Input((3,)), _summing(keras, activity_regularizer=penalty)
    model = compiled(keras, keras.Model(x, keras.layers.Add()([layer(x), layer(x)])))
    twice = mean_loss(errors("mse", _Y, 2 * _SUMS)) + 2 * share
    yield "loss of a layer that is called twice", twice, matched(twice, tested(model, X, _Y)["loss"])


def losses_that_layers_add(keras: Any, _: Path) -> Iterator[Seen]:
    """``add_loss`` of a layer, however deep it lies, counts once for each call of it, in its own batch alone."""
    math = operations(keras)

    class AddingSums(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            self.add_loss(0.25 * math.sum(x))
            return x

    class AddingInside(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = AddingSums()

        def call(self, x: Any) -> Any:
            return self.inner(x)

    total = 0.25 * float(_SUMS.sum())
    expected, halves = [_MSE + total] * 2, [_MSE + total / 2] * 2
    for words, layer in (
        ("a layer", AddingSums()),
        ("a layer in a layer", AddingInside()),
        ("a layer in a model", keras.Sequential([AddingInside()])),
    ):
        actual = _loss_of(keras, [_summing(keras), layer])
        yield f"losses added by {words}", expected, matched(expected, actual)
    alone = compiled(keras, keras.Sequential([keras.Input((3,)), AddingSums()]), loss=None)
    total = 0.25 * float(X.sum())
    for words, number in (("test", alone.test_on_batch(X)), ("train", alone.train_on_batch(X))):
        yield f"added loss alone, {words}", total, matched(total, float(np.ravel(number)[0]))
    if is_keras_3(keras):

        class AddingSeveral(keras.layers.Layer):  # type: ignore[misc]
            def call(self, x: Any) -> Any:
                self.add_loss([0.25 * math.sum(x), as_tensor(np.float32(1.0))])
                self.add_loss(x[:, 0])
                self.add_loss(as_tensor(np.array([1, 2], np.int32)))
                return x

        parts = 1.25 * float(_SUMS.sum()) + 4.0 + _MSE
        several = _loss_of(keras, [_summing(keras), AddingSeveral()])
        yield "lists and arrays of added losses", [parts] * 2, matched([parts] * 2, several)
    graph = compiled(keras, keras.Sequential([keras.Input((3,)), _summing(keras), AddingInside()]), run_eagerly=False)
    history = graph.fit(pipeline(X, _Y, size=2), epochs=2, shuffle=False, **QUIET).history["loss"]
    yield "added losses of two epochs in a graph", halves, matched(halves, history)


def frozen_layers(keras: Any, _: Path) -> Iterator[Seen]:
    """What is frozen when the model is compiled stays; what is not moves, by the optimizer's own slots."""
    x, y = normals(_STREAM, 4, 3), normals(_STREAM + 1, 4, 1)

    def moved(model: Any) -> list[bool]:
        before = model.get_weights()
        model.train_on_batch(x, y)
        return [bool(np.any(a != b)) for a, b in zip(before, model.get_weights(), strict=True)]

    first, second = _summing(keras, 2, name="first"), _summing(keras, name="second")
    model = keras.Sequential([keras.Input((3,)), first, second])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for words, which, expected in (
            ("none", (), [True, True]),
            ("the first", (first,), [False, True]),
            ("the second", (second,), [True, False]),
            ("the model", (model,), [False, False]),
        ):
            for layer in (model, first, second):
                layer.trainable = True
            for layer in which:
                layer.trainable = False
            compiled(keras, model, optimizer=keras.optimizers.Adam(0.1))
            yield f"what moves with {words} frozen", expected, moved(model)
        for layer in (model, second):
            layer.trainable = True
        first.trainable = False
        compiled(keras, model, rate=0.1)
        first.trainable = True
        compiled(keras, model, rate=0.1)
        yield "what moves after it is trained again and compiled", [True, True], moved(model)
        inner = keras.Sequential([keras.Input((3,)), _summing(keras, 2)])
        outer = keras.Sequential([keras.Input((3,)), inner, _summing(keras)])
        inner.trainable = False
        compiled(keras, outer, rate=0.1)
        yield "what moves with an inner model frozen", [False, True], moved(outer)
        normalized = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(), _summing(keras)])
        normalized.layers[0].trainable = False
        compiled(keras, normalized, rate=0.1)
        named = dict(zip((one.name for one in normalized.weights), moved(normalized), strict=True))
        yield "numbers that move with normalization frozen", 1, sum(named.values())


def layers_thawed_by_their_model(keras: Any, _: Path) -> Iterator[Seen]:
    """Setting ``trainable`` sets it "for the layer and its sublayers", whatever it was."""
    for words, frozen in (("one layer", [0]), ("all layers", [0, 1])):
        for value in (True, False):
            model = keras.Sequential([keras.Input((3,)), _summing(keras, 2), _summing(keras)])
            model.trainable = value
            for layer in frozen:
                model.layers[layer].trainable = not value
            model.trainable = value
            actual = [layer.trainable for layer in model.layers]
            yield f"layers after {words} was not set to {value}", [value] * 2, actual


def frozen_after_compiling(keras: Any, _: Path) -> Iterator[Seen]:
    """As it is documented, `trainable` is looked at by `compile`: a change takes effect with the next one."""
    if Version(keras.__version__) < Version("3.14"):
        return
    x, y = normals(_STREAM, 4, 3), normals(_STREAM + 1, 4, 1)
    for eager in (True, False):
        first, second = _summing(keras, 2), _summing(keras)
        model = keras.Sequential([keras.Input((3,)), first, second])
        compiled(keras, model, rate=0.1, run_eagerly=eager)
        first.trainable = False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.train_on_batch(x, y)
            yield f"whether it moves until compiled, eager {eager}", True, bool(np.any(as_array(first.kernel) != 1))
            before = values(first.kernel)
            compiled(keras, model, rate=0.1)
            model.train_on_batch(x, y)
            yield f"kernel once compiled, eager {eager}", before, values(first.kernel)


def modes_of_calls(keras: Any, _: Path) -> Iterator[Seen]:
    """Layers are called with ``training=True`` in training alone, whatever was called before."""

    class DoublingInTraining(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any, training: Any = None) -> Any:
            return 2 * x if training else x

    model = keras.Sequential([keras.Input((3,)), _summing(keras), keras.Sequential([DoublingInTraining()])])
    twice = mean_loss(errors("mse", _Y, 2 * _SUMS))
    compiled(keras, model)
    for words in ("first", "second"):
        yield f"loss in the {words} training", twice, matched(twice, trained(model, X, _Y)["loss"])
        yield f"loss in the {words} test", _MSE, matched(_MSE, tested(model, X, _Y)["loss"])
        yield f"output in the {words} prediction", _SUMS.tolist(), values(model.predict_on_batch(X))
    compiled(keras, model, run_eagerly=False)
    rows = pipeline(X, _Y)
    history = model.fit(rows, validation_data=rows, shuffle=False, **QUIET).history
    expected = {"loss": [twice], "val_loss": [_MSE]}
    yield "history in a graph", expected, matched(expected, reported(history))


def compiled_parts(keras: Any, _: Path) -> Iterator[Seen]:
    """A compiled model within another one is trained and reports by itself after the other one is compiled."""
    if not is_keras_3(keras):
        return
    inner = linear(keras, metrics=["mae"])
    trained(inner, X, _Y)
    outer = compiled(keras, keras.Sequential([keras.Input((3,)), inner]), metrics=["mse"])
    wanted = {"loss": _MSE, "mae": float(errors("mae", _Y, _SUMS).mean())}
    yield "report of the outer one", _MSE, matched(_MSE, trained(outer, X, _Y)["loss"])
    yield "report of the inner one", wanted, matched(wanted, trained(inner, X, _Y))


def steps_of_the_user(keras: Any, _: Path) -> Iterator[Seen]:
    """``train_step``, ``test_step`` and ``predict_step`` of a user's model run, and what they return is reported."""
    if not is_keras_3(keras):
        return
    seen: list[str] = []

    class OwnSteps(keras.Sequential):  # type: ignore[misc]
        def train_step(self, *state_and_data: Any) -> Any:
            seen.append("train")
            return idle_step(state_and_data, {"mine": 1.5, "loss": 7.0})

        def test_step(self, *state_and_data: Any) -> Any:
            seen.append("test")
            return idle_step(state_and_data, {"theirs": 2.5})

        def predict_step(self, *state_and_data: Any) -> Any:
            seen.append("predict")
            return changed_result(super().predict_step(*state_and_data), lambda outputs: outputs * 2)

    model = compiled(keras, OwnSteps([keras.Input((3,)), _summing(keras)]))
    rows = pipeline(X, _Y)
    history = reported(model.fit(rows, validation_data=rows, shuffle=False, **QUIET).history)
    yield "history", {"mine": [1.5], "loss": [7.0], "val_theirs": [2.5]}, history
    yield "evaluate", {"theirs": 2.5}, reported(model.evaluate(rows, return_dict=True, **QUIET))
    yield "predictions", (2 * _SUMS).tolist(), values(model.predict(rows, **QUIET))
    yield "steps", ["train", "test", "test", "predict"], seen


def losses_of_the_user(keras: Any, _: Path) -> Iterator[Seen]:
    """``compute_loss`` and ``compute_metrics`` of a user's model get what they are documented to get."""
    if not is_keras_3(keras):
        return
    seen: list[Any] = []
    has_training = Version(keras.__version__) >= Version("3.5")

    class LossOfItsOwn(keras.Sequential):  # type: ignore[misc]
        def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *options: Any, **named: Any) -> Any:
            given = (y, y_pred, options[0] if options else named["sample_weight"])
            if not any(one is None for one in given):  # as where a model is built
                seen_by(lambda *arrays: seen.append(tuple(values(one) for one in arrays)), *given)
            return 3.0 * super().compute_loss(x, y, y_pred, *options, **named)

        def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            return {**super().compute_metrics(x, y, y_pred, sample_weight), "rows": float(y.shape[0])}

    class OlderLoss(keras.Sequential):  # type: ignore[misc]
        def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Any:
            return 2.0 * super().compute_loss(x, y, y_pred, sample_weight)

    share = inputs(1, 2, 0, 1)
    if has_training:
        model = compiled(keras, LossOfItsOwn([keras.Input((3,)), _summing(keras)]), metrics=["mae"])
        expected = {
            "loss": 3 * mean_loss(errors("mse", _Y, _SUMS), share),
            "mae": float(errors("mae", _Y, _SUMS).mean()),
            "rows": 4.0,
        }
        for words, report in (
            ("trained", trained(model, X, _Y, sample_weight=share)),
            ("tested", tested(model, X, _Y, sample_weight=share)),
        ):
            yield f"report {words}", expected, matched(expected, report)
        all_seen()
        yield "what the loss is computed of", (_Y.tolist(), _SUMS.tolist(), share.tolist()), seen[-1]
    model = compiled(keras, OlderLoss([keras.Input((3,)), _summing(keras)]))
    yield "loss without the argument training", 2 * _MSE, matched(2 * _MSE, tested(model, X, _Y)["loss"])


def metrics_of_layers(keras: Any, _: Path) -> Iterator[Seen]:
    """Metrics that a layer or a model holds are reported, and reset with the others."""
    if not is_keras_3(keras):
        return

    class AveragingInputs(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.mean = keras.metrics.Mean(name="mean_of_x")

        def call(self, x: Any) -> Any:
            self.mean.update_state(x)
            return x

    if Version(keras.__version__) < Version("3.3"):
        return
    model = compiled(keras, keras.Sequential([keras.Input((3,)), _summing(keras), AveragingInputs()]), metrics=["mae"])
    model.fit(pipeline(2 * X, _Y), shuffle=False, **QUIET)
    expected = {"loss": _MSE, "mae": float(errors("mae", _Y, _SUMS).mean()), "mean_of_x": float(_SUMS.mean())}
    report = reported(model.evaluate(pipeline(X, _Y, size=1), return_dict=True, **QUIET))
    yield "report", expected, matched(expected, report)
    outer = compiled(keras, keras.Sequential([keras.Input((3,)), model]), metrics=["mse"])
    report = tested(outer, X, _Y)
    expected = {"loss": _MSE, "mse": _MSE, "mean_of_x": float(_SUMS.mean())}
    yield "names of a model around a compiled one", expected, matched(expected, report)


def halves_in_training(keras: Any, _: Path) -> Iterator[Seen]:
    """Mixed precision: weights and losses in float32, outputs in half, gradients as large as they are."""
    x, y = X[:, :2], inputs([1], [0], [2], [1])
    sums = x.sum(axis=1, keepdims=True)
    for policy, half in (("mixed_float16", "float16"), ("mixed_bfloat16", "bfloat16")):
        layer = _summing(keras, dtype=policy)
        model = keras.Sequential([keras.Input((2,)), layer])
        if is_keras_3(keras):
            model.dtype_policy = keras.dtype_policies.DTypePolicy(policy)
        compiled(keras, model, rate=0.5, metrics=["mae"])
        yield f"type of outputs in {policy}", half, as_array(model(x)).dtype.name
        yield f"type of predictions in {policy}", half, model.predict_on_batch(x).dtype.name
        yield f"type of weights in {policy}", "float32", as_array(model.get_weights()[0]).dtype.name
        expected = {
            "loss": mean_loss(errors("mse", y, sums)),
            "mae": float(errors("mae", y, sums).mean()),
        }
        yield f"report in {policy}", expected, matched(expected, trained(model, x, y), 1e-2)
        slope = 2 * x.T.astype(float) @ (sums - y) / 4
        kernel = (1 - 0.5 * slope).tolist()
        yield f"kernel after a step in {policy}", kernel, matched(kernel, values(model.get_weights()[0]), 1e-2)
        if is_keras_3(keras):
            scaled = type(model.optimizer).__name__ == "LossScaleOptimizer"
            yield f"whether the loss is scaled in {policy}", policy == "mixed_float16", scaled
    if not is_keras_3(keras):
        return
    model = keras.Sequential([keras.Input((2,)), _summing(keras, dtype="mixed_float16")])
    model.dtype_policy = keras.dtype_policies.DTypePolicy("mixed_float16")
    model.compile(keras.optimizers.SGD(0.5), "mse", auto_scale_loss=False, **FAST)
    yield "whether one is scaled that is not to be", False, type(model.optimizer).__name__ == "LossScaleOptimizer"
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5))
    model.compile(scaled, "mse", **FAST)
    yield "whether one that is scaled is left", True, model.optimizer is scaled
    tiny = inputs([1e-3], [1e-3])  # its gradient's half-precision product, 2e-3 · 1e-5, would be zero
    small = keras.Sequential([keras.Input((1,)), _summing(keras, dtype="mixed_float16")])
    small.dtype_policy = keras.dtype_policies.DTypePolicy("mixed_float16")
    compiled(keras, small, rate=1.0, loss=lambda y, output: 1e-5 * output)
    trained(small, tiny, tiny)
    moved = 1e8 * (1.0 - float(small.get_weights()[0][0, 0]))
    yield "whether small gradients reach the kernel", True, abs(moved - 1.0) < 6.5


def states_of_halves(keras: Any, _: Path) -> Iterator[Seen]:
    """In mixed precision, a layer reads its state in half and assigns it in whole precision."""
    if not is_keras_3(keras):
        return

    class Noting(keras.layers.Layer):  # type: ignore[misc]
        def build(self, _: Any) -> None:
            self.noted = self.add_weight(shape=(3,), initializer="zeros", trainable=False)

        def call(self, x: Any) -> Any:
            self.noted.assign(np.full(3, 0.1, np.float32))
            return keras.ops.multiply(self.noted, x)

    for policy, half in (("mixed_float16", "float16"), ("mixed_bfloat16", "bfloat16")):
        layer = Noting(dtype=policy)
        yield f"type in {policy}", half, as_array(layer(X)).dtype.name
        yield f"state in {policy}", [float(np.float32(0.1))] * 3, np.asarray(layer.noted.numpy(), float).tolist()


def counts_of_halves(keras: Any, _: Path) -> Iterator[Seen]:
    """``assign_add`` and ``assign_sub`` of a layer's state are of its own type, in mixed precision too."""

    class CountingCalls(keras.layers.Layer):  # type: ignore[misc]
        def build(self, _: Any) -> None:
            self.counts = [self.add_weight(name=name, shape=(), initializer="zeros", trainable=False) for name in "ab"]

        def call(self, x: Any) -> Any:
            self.counts[0].assign_add(1.0)
            self.counts[1].assign_sub(1.0)
            return x

    for policy in ("float32", "mixed_float16", "mixed_bfloat16"):
        layer = CountingCalls(dtype=policy)
        layer(X)
        layer.set_weights([np.float32(4096), np.float32(-4096)])
        layer(X)
        yield f"counts in {policy}", [4097.0, -4097.0], [float(as_array(one)) for one in layer.get_weights()]


def _steps_counted(keras: Any, *, trainable: bool, eager: bool) -> float:
    """The value of a weight that its layer raises by one in each of two training steps, whose rate is zero."""

    class CountingSteps(keras.layers.Layer):  # type: ignore[misc]
        def build(self, _: Any) -> None:
            self.count = self.add_weight(name="count", shape=(), initializer="zeros", trainable=trainable)

        def call(self, x: Any, training: Any = None) -> Any:
            if training:
                self.count.assign(self.count + 1.0)
            return x

    layer = CountingSteps()
    model = compiled(keras, keras.Sequential([keras.Input((3,)), layer, _summing(keras)]), rate=0.0, run_eagerly=eager)
    model.fit(pipeline(X, _Y, size=2), shuffle=False, **QUIET)
    return float(as_array(layer.count))


def states_assigned_in_training(keras: Any, _: Path) -> Iterator[Seen]:
    """What a layer assigns to its state in training is there after it."""
    for eager in (True, False):
        yield f"steps counted, eager {eager}", 2.0, _steps_counted(keras, trainable=False, eager=eager)


def weights_assigned_in_training(keras: Any, _: Path) -> Iterator[Seen]:
    """And so is what it assigns to a weight that is trained: SpectralNormalization's limit of a kernel's norm."""
    if Version(keras.__version__) < Version("3.1"):  # whose spectral normalization raises
        return
    for eager in (True, False):
        yield f"steps counted, eager {eager}", 2.0, _steps_counted(keras, trainable=True, eager=eager)
        limited = keras.layers.SpectralNormalization(_summing(keras), power_iterations=20)
        model = compiled(keras, keras.Sequential([keras.Input((3,)), limited]), rate=0.0, run_eagerly=eager)
        model.fit(pipeline(X, _Y, size=2), shuffle=False, **QUIET)
        norm = float(np.linalg.norm(as_array(limited.layer.kernel), 2))
        yield f"norm of a kernel, eager {eager}", 1.0, matched(1.0, norm)


def compiled_again(keras: Any, _: Path) -> Iterator[Seen]:
    """A second ``compile`` has its own loss, metrics and optimizer; the weights stay as they are."""
    model = linear(keras, rate=0.5, metrics=["mae"])
    trained(model, X, _Y)
    weights = model.get_weights()
    compiled(keras, model, loss="mae", metrics=["mse"])
    output = X.astype(float) @ weights[0]
    expected = {"loss": mean_loss(errors("mae", _Y, output)), "mse": float(errors("mse", _Y, output).mean())}
    yield "weights", values(weights), values(model.get_weights())
    yield "report", expected, matched(expected, tested(model, X, _Y))
    yield "report of training", expected, matched(expected, trained(model, X, _Y))
    yield "steps of the new optimizer", 1, int(as_array(model.optimizer.iterations))
    yield "names of an evaluation", 2, len(model.evaluate(pipeline(X, _Y), **QUIET))
    graph = linear(keras, run_eagerly=False)
    graph.train_on_batch(X, _Y)
    compiled(keras, graph, loss="mae", run_eagerly=False)
    mae = float(errors("mae", _Y, _SUMS).mean())
    yield "loss of the second in a graph", mae, matched(mae, trained(graph, X, _Y)["loss"])
    yield "raised by fit before compile", True, bool(refusal(keras.Sequential([_summing(keras)]).fit, X, _Y))
    none = keras.Sequential([keras.Input((3,)), _summing(keras)])
    none.compile(keras.optimizers.SGD(0.0), **FAST)
    if not on_jax():  # where Keras lets a loss of zero pass
        yield "whether fit without a loss raises", True, bool(refusal(lambda: none.fit(X, _Y, **QUIET)))


def compiled_before_building(keras: Any, _: Path) -> Iterator[Seen]:
    """A model without an input is built by its first batch, with its optimizer's state and its metrics."""
    runs: Mapping[str, Callable[[Any], Any]] = {
        "fit": lambda model: model.fit(X, _Y, batch_size=4, **QUIET),
        "train_on_batch": lambda model: model.train_on_batch(X, _Y),
    }
    for words, run in runs.items():
        model = keras.Sequential([_summing(keras)])
        compiled(keras, model, optimizer=keras.optimizers.SGD(0.5, momentum=0.5), metrics=["mae"])
        run(model)
        kernel = (1 - 0.5 * 2 * X.T.astype(float) @ (_SUMS - _Y) / 4).tolist()
        yield f"kernel after a step of {words}", kernel, matched(kernel, values(model.get_weights()[0]))
    model = compiled(keras, keras.Sequential([_summing(keras)]), metrics=["mae"])
    yield "report of evaluate", _MSE, matched(_MSE, model.evaluate(pipeline(X, _Y), **QUIET)[0])
    model = keras.Sequential([_summing(keras)])
    yield "predictions", _SUMS.tolist(), values(model.predict(X, **QUIET))


def compile_configurations(keras: Any, _: Path) -> Iterator[Seen]:
    """``compile_from_config`` of ``get_compile_config`` compiles another model the same."""
    if not is_keras_3(keras):
        return
    model = linear(keras)
    model.compile(
        optimizer=keras.optimizers.SGD(0.25, momentum=0.5),
        loss=keras.losses.MeanAbsoluteError(reduction="sum"),
        metrics=["mae", keras.metrics.MeanSquaredError(name="squares")],
        weighted_metrics=[keras.metrics.MeanAbsoluteError(name="shares")],
        loss_weights=0.5 if Version(keras.__version__) >= Version("3.3") else None,
        run_eagerly=True,
        steps_per_execution=1,
    )
    other = keras.Sequential([keras.Input((3,)), _summing(keras)])
    other.compile_from_config(model.get_compile_config())
    share = inputs(1, 2, 0.5, 0)
    for words in ("first", "second"):
        expected = trained(model, X, _Y, sample_weight=share)
        yield f"report of the {words} step", expected, matched(expected, trained(other, X, _Y, sample_weight=share))
    yield "names", ["loss", "mae", "shares", "squares"], sorted(expected)
    yield "kernel", values(model.get_weights()), matched(values(model.get_weights()), values(other.get_weights()))
    yield "whether it runs eagerly", True, other.run_eagerly
    none = keras.Sequential([_summing(keras)]).get_compile_config()
    since = Version(keras.__version__) >= Version("3.10")  # before, None
    yield "configuration without compile", {}, none if since else none or {}


def losses_by_shapes(keras: Any, _: Path) -> Iterator[Seen]:
    """Both "accuracy" and "crossentropy" become the ones of the shapes of labels and outputs."""
    if not is_keras_3(keras):
        return
    chances = inputs([0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.25, 0.5, 0.25], [0.125, 0.375, 0.5])
    labels = np.array([0, 1, 2, 1])
    chosen = np.log(chances.astype(float)[np.arange(4), labels])
    sure = inputs([0.75], [0.25], [0.625], [0.125])
    yes = inputs([1], [0], [0], [0])
    binary = -np.log(np.where(yes == 1, sure, 1 - sure).astype(float)).mean()
    hot = np.eye(3, dtype=np.float32)[labels]
    steps = chances.reshape(2, 2, 3)
    for words, output, y, loss, accuracy in (
        ("labels", chances, labels, -chosen.mean(), 0.5),
        ("labels of two axes", chances, labels[:, None], -chosen.mean(), 0.5),
        ("one-hot labels", chances, hot, -chosen.mean(), 0.5),
        ("yes or no", sure, yes, binary, 0.75),
        ("labels of steps", steps, labels.reshape(2, 2), -chosen.mean(), 0.5),
        ("one-hot labels of steps", steps, hot.reshape(2, 2, 3), -chosen.mean(), 0.5),
    ):
        x = keras.Input(output.shape[1:])
        model = keras.Model(x, keras.layers.Activation("linear")(x))
        for entropy, name in (("crossentropy", "accuracy"), ("ce", "acc")):
            compiled(keras, model, loss=entropy, metrics=[name])
            expected = {"loss": float(loss), name: accuracy}
            yield f"{entropy} and {name} of {words}", expected, matched(expected, tested(model, output, y))


def entropies_among_metrics(keras: Any, _: Path) -> Iterator[Seen]:
    """In ``metrics``, "a similar conversion is done for the strings 'crossentropy' and 'ce' as well"."""
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Activation("linear")(x))
    chances, labels = inputs([0.5, 0.25, 0.25], [0.125, 0.75, 0.125]), np.array([0, 1])
    entropy = -float(np.log([0.5, 0.75]).mean())
    for name in ("crossentropy", "ce"):
        compiled(keras, model, loss="sparse_categorical_crossentropy", metrics=[name])
        expected = {"loss": entropy, name: entropy}
        yield f"report of {name}", expected, matched(expected, tested(model, chances, labels))


def names_of_metrics(keras: Any, _: Path) -> Iterator[Seen]:
    """A metric by name, object, or function has its name in reports; equal names are distinguished."""

    def own(y: Any, output: Any) -> Any:
        return abs(output - y) * 2

    sizes = float(errors("mae", _Y, _SUMS).mean())
    for words, metrics, expected in (
        ("names", ["mae", "mse"], {"mae": sizes, "mse": _MSE}),
        ("long names", ["mean_absolute_error"], {"mean_absolute_error": sizes}),
        ("an object", [keras.metrics.MeanAbsoluteError()], {"mean_absolute_error": sizes}),
        ("a named object", [keras.metrics.MeanAbsoluteError(name="mine")], {"mine": sizes}),
        ("a function", [own], {"own": 2 * sizes}),
        ("two of one kind", [keras.metrics.MeanSquaredError(name=name) for name in "ab"], {"a": _MSE, "b": _MSE}),
        ("none", [], {}),
    ):
        report = tested(linear(keras, metrics=metrics), X, _Y)
        wanted = {"loss": _MSE, **expected}
        yield f"report of {words}", wanted, matched(wanted, report)
    if is_keras_3(keras):
        report = tested(
            linear(keras, metrics=["mae"], weighted_metrics=["mae"]), X, _Y, sample_weight=inputs(0, 0, 0, 1)
        )
        last = float(errors("mae", _Y, _SUMS)[-1])
        wanted = {"loss": float(errors("mse", _Y, _SUMS)[-1]) / 4, "mae": sizes, "weighted_mae": last}
        yield "report of one metric, plain and weighted", wanted, matched(wanted, report)


COMPILED_MODELS: Mapping[str, Row] = table(
    penalties_of_weights,
    penalties_of_outputs,
    losses_that_layers_add,
    frozen_layers,
    layers_thawed_by_their_model,
    frozen_after_compiling,
    modes_of_calls,
    steps_of_the_user,
    losses_of_the_user,
    metrics_of_layers,
    halves_in_training,
    states_of_halves,
    counts_of_halves,
    states_assigned_in_training,
    weights_assigned_in_training,
    compiled_again,
    compiled_parts,
    compiled_before_building,
    compile_configurations,
    losses_by_shapes,
    entropies_among_metrics,
    names_of_metrics,
)
