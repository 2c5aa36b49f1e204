"""Validates a problem's model, loss and optimizer on a few rows, before any training."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from numbers import Real
from typing import Any, NoReturn

import numpy as np

from initcheck.arguments import described
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.problems import Problem
from initcheck.engines.optimizer_settings import configuration, find_own_code, first_difference
from initcheck.engines.problem_models import calling
from initcheck.engines.reuse import bitwise_equal, own_methods, read_values
from initcheck.errors import InitcheckError
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.generators import globally_seeded
from initcheck.frameworks.instances import LayerInitializers
from initcheck.records import METRICS, Data
from initcheck.texts import for_terminal

# Losses for one output from 0 to 1 and targets 0 and 1, with what else Keras calls them.
_OF_ONE_OUTPUT = {
    "binary_crossentropy": ("bce",),
    "binary_focal_crossentropy": (),
    "mean_squared_error": ("mse",),
    "mean_absolute_error": ("mae",),
    "hinge": (),
    "squared_hinge": (),
    "huber": ("huber_loss",),
    "log_cosh": ("logcosh",),
}
_OF_CLASSES = "sparse_categorical_crossentropy"
_ROWS = 32
_OPTIMIZERS = 3  # made to see whether they are the same
# What weights are scaled by: outputs must stay within 0 and 1 whatever the weights are.
_SCALES = (1.0, 0.3, 3.0, 1.0)
_SUM_TOLERANCE = {"float32": 1e-3, "float64": 1e-3}
_COARSE_TOLERANCE = 0.03  # of half precision
_PROBES = ("ones", "zeros", "glorot_uniform")  # constants suit every shape


def require_usable_model(keras: Any, problem: Problem, data: Data) -> None:
    """Builds the model under a few initializers, and tries it on a few rows.

    Raises:
        InitcheckError: The first mistake in model, targets, loss or optimizer.
    """
    with globally_seeded(keras, 0):
        model = _build(keras, problem, data, _PROBES[0])
        _require_model(keras, problem, model)
        _require_inputs(problem, model, data)
        rows = _few_rows(model, data)
        outputs = _call(problem, model, rows, training=False)
    _require_one_row_of_outputs(problem, outputs)
    _call(problem, model, rows, training=True)
    _require_loss(keras, problem, outputs.shape[-1])
    _require_targets(problem, data, outputs.shape[-1])
    _require_own_weights(keras, problem, data, model, rows)
    _require_shares(problem, model, rows)
    optimizer = _require_optimizer(keras, problem)
    _require_trainable(problem, model, data)
    if own_code := find_own_code(keras, optimizer):
        _require_same_training(keras, problem, data, own_code)


def _refuse(problem: Problem, text: str) -> NoReturn:
    raise InitcheckError(f"problem {problem.name!r}: {text}")


def _build(keras: Any, problem: Problem, data: Data, name: str) -> Any:
    if isinstance(problem.model, keras.layers.Layer):
        kind = described(problem.model)
        _refuse(
            problem, f"model is {kind}; give a function model(keras, initializer, input_shape) that builds a new one"
        )
    layers = LayerInitializers(INITIALIZERS[name], 1)
    with calling(problem, "model", f"; fix it: it is called with the input shape {data.input_shape}"):
        try:
            model = problem.model(keras, layers, data.input_shape)
        except InitcheckError as error:
            _refuse(problem, f"model: {error}")
    if not layers.asked:
        _refuse(
            problem,
            "model never asks for the initializer, so that all initializers would be the same; give it to a layer: "
            "kernel_initializer=initializer('hidden')",
        )
    return model


def _require_model(keras: Any, problem: Problem, model: Any) -> None:
    if not isinstance(model, keras.Model):
        kind = f"the class {model.__name__}" if isinstance(model, type) else described(model)
        _refuse(problem, f"model returns {kind}; return a keras.Model, such as keras.Sequential([…])")
    if getattr(model, "compiled", False) or getattr(model, "_is_compiled", False):
        _refuse(
            problem,
            "model returns a compiled model; return it uncompiled: loss and optimizer are fields of the problem",
        )


def _require_inputs(problem: Problem, model: Any, data: Data) -> None:
    inputs = _tensors(model, "inputs")
    if len(inputs) > 1:
        _refuse(problem, f"model has {len(inputs)} inputs; give it one, and split it into parts inside the model")
    if len(outputs := _tensors(model, "outputs")) > 1:
        _refuse(problem, f"model has {len(outputs)} outputs; give it one, which the accuracy is counted from")
    if not inputs:  # of a class of the user's own: calling it shows
        _require_float(problem, data)
        return
    shape = tuple(inputs[0].shape)[1:]
    if len(shape) != len(data.input_shape) or any(
        size not in (None, given) for size, given in zip(shape, data.input_shape, strict=True)
    ):
        _refuse(
            problem,
            f"model takes inputs of shape {shape}, and a row of x_train has {data.input_shape}; build it with "
            "keras.Input(input_shape)",
        )
    kind = np.dtype(str(getattr(inputs[0].dtype, "name", inputs[0].dtype)).replace("bfloat16", "float32")).kind
    if kind == "f":
        _require_float(problem, data)
    elif data.x_train.dtype.kind == "f":
        _refuse(problem, f"x_train is {data.x_train.dtype} and the model's input a whole number; give int32")


def _require_float(problem: Problem, data: Data) -> None:
    if data.x_train.dtype != np.float32:
        _refuse(problem, f"x_train is {data.x_train.dtype}; give float32: x_train.astype('float32')")


def _tensors(model: Any, name: str) -> list[Any]:
    try:
        return list(getattr(model, name) or [])
    except (AttributeError, ValueError, TypeError):  # of a model that is not built yet
        return []


def _few_rows(model: Any, data: Data) -> Any:
    """Some training rows: as many as a fixed batch has, where the model has one."""
    inputs = _tensors(model, "inputs")
    fixed = inputs[0].shape[0] if inputs else None
    return data.x_train[: fixed or _ROWS]


def _call(problem: Problem, model: Any, rows: Any, *, training: bool) -> Any:
    when = "in training " if training else ""
    with calling(problem, "model", f" when it is called {when}on rows of {rows.shape[1:]}; fix it"):
        return model(rows, training=training)


def _require_one_row_of_outputs(problem: Problem, outputs: Any) -> None:
    if not hasattr(outputs, "shape"):
        _refuse(problem, f"model returns {described(outputs)} of outputs; give it one output, shape (rows, classes)")
    shape = tuple(outputs.shape)
    if len(shape) == 1:
        _refuse(problem, "model returns a number a row, shape (rows,); give it the shape (rows, 1)")
    if len(shape) != 2:
        _refuse(
            problem,
            f"model returns outputs of shape {shape[1:]} for a row, one for each step or place; give one for each "
            "class, for example by Flatten, a pooling layer, or return_sequences=False",
        )


def _require_loss(keras: Any, problem: Problem, outputs: int) -> None:
    known = [*_OF_ONE_OUTPUT, _OF_CLASSES]
    name = _canonical(problem.loss)
    of_one = {_canonical(each) for row in _OF_ONE_OUTPUT.items() for each in (row[0], *row[1])}
    needed = "binary_crossentropy" if outputs == 1 else _OF_CLASSES
    try:
        loss = keras.losses.get(problem.loss) if problem.loss else None
    except Exception:  # noqa: BLE001 - Keras's reasons differ from version to version
        loss = None
    if loss is None:
        near = difflib.get_close_matches(problem.loss, known, n=1, cutoff=0.5)
        hint = near[0] if near else needed
        _refuse(
            problem,
            f"loss {for_terminal(problem.loss)!r} is none that Keras {keras.__version__} knows; did you mean {hint!r}?",
        )
    if (name in of_one and outputs == 1) or (name == _canonical(_OF_CLASSES) and outputs > 1):
        return
    if name in of_one or name == _canonical(_OF_CLASSES):
        noun = "1 output" if outputs == 1 else f"{outputs} outputs"
        _refuse(problem, f"loss {problem.loss!r} does not go with a model of {noun}; take {needed!r}")
    _refuse(problem, f"loss {problem.loss!r} is none that accuracies are counted for; take {needed!r}")


def _canonical(loss: str) -> str:
    return loss.lower().replace("_", "")


def _require_targets(problem: Problem, data: Data, outputs: int) -> None:
    y = data.y_train
    classes = int(max(y.max(), data.y_test.max())) + 1
    if outputs == 1:
        if classes > 2:
            _refuse(problem, f"y_train has {classes} classes and the model one output; end it in {classes} by softmax")
        if y.ndim != 2:
            _refuse(problem, f"y_train has the shape {y.shape}; one output needs (rows, 1): y_train.reshape(-1, 1)")
        return
    if classes > outputs:
        _refuse(problem, f"y_train has {classes} classes and the model {outputs} outputs; give it one for each class")
    if y.dtype.kind == "f" or data.y_test.dtype.kind == "f":
        _refuse(
            problem,
            f"y_train is {y.dtype}, as initcheck.split gives two classes for one sigmoid unit; a softmax needs class "
            "numbers: give initcheck.split(…, labels='int'), or end the model in that unit"
            if y.shape[1:] == (1,) and classes == 2
            else f"y_train is {y.dtype}; a softmax needs class numbers: y_train.astype('int32')",
        )


def _require_own_weights(keras: Any, problem: Problem, data: Data, model: Any, rows: Any) -> None:
    """Models are to be new ones each time, with weights that the initializer decides.

    Raises:
        InitcheckError: They are not.
    """
    if not model.trainable_weights:
        _refuse(problem, "model has no weights to train; give it a layer that has some")
    before = {id(weight) for weight in model.trainable_weights}
    first = [np.array(weight) for weight in model.get_weights()]
    for name in _PROBES[1:]:
        with globally_seeded(keras, 0):
            other = _build(keras, problem, data, name)
            _call(problem, other, rows, training=False)  # creates the weights of a model that is not built yet
        if before & {id(weight) for weight in other.trainable_weights}:
            _refuse(
                problem,
                "model returns layers that it has returned before, which would start from trained weights; build new "
                "ones in each call",
            )
        weights = [np.array(weight) for weight in other.get_weights()]
        if len(weights) != len(first) or not all(map(np.array_equal, weights, first)):
            return
    _refuse(
        problem,
        "model asks for the initializer, but no weight depends on it, so that all initializers would be the same; "
        "give what initializer(…) returns to a layer: kernel_initializer=initializer('hidden')",
    )


def _require_shares(problem: Problem, model: Any, rows: Any) -> None:
    """Outputs must lie within 0 and 1, and sum to 1 where there are several, whatever the weights are.

    Raises:
        InitcheckError: They do not: the accuracy would be counted by a wrong threshold.
    """
    always_one = True
    for outputs in _outputs_of_any_weights(problem, model, rows):
        kind = str(outputs.dtype)
        tolerance = _SUM_TOLERANCE.get(kind, _COARSE_TOLERANCE)
        values = outputs.astype(np.float64)
        values = values[np.isfinite(values).all(axis=1)]
        always_one = always_one and bool(np.allclose(values, 1, rtol=0, atol=1e-6))
        if values.size and (values.min() < -tolerance or values.max() > 1 + tolerance):
            _refuse(
                problem, f"model gives outputs from {values.min():.3g} to {values.max():.3g}; {_ending(model, values)}"
            )
        if values.shape[1] > 1 and (np.abs(values.sum(axis=1) - 1) > tolerance).any():
            worst = values.sum(axis=1)[np.abs(values.sum(axis=1) - 1).argmax()]
            _refuse(problem, f"model gives a row of outputs that sum to {worst:.3g}, not 1; {_ending(model, values)}")
    if always_one and values.shape[1] == 1:
        _refuse(problem, f"model's one output is always 1, as a softmax over one unit is; {_ending(model, values)}")


def _outputs_of_any_weights(problem: Problem, model: Any, rows: Any) -> Iterator[np.ndarray]:
    stream = np.random.RandomState(0)
    for scale in _SCALES:
        for weight in model.trainable_weights:
            kind = as_array(weight).dtype
            weight.assign((scale * stream.standard_normal(tuple(weight.shape))).astype(kind))
        yield as_array(_call(problem, model, rows, training=False))


def _ending(model: Any, values: np.ndarray) -> str:
    last = model.layers[-1] if model.layers else None
    activation = getattr(getattr(last, "activation", None), "__name__", None)
    seen = f"its last layer has the activation {activation!r}: " if activation else ""
    needed = "sigmoid" if values.shape[1] == 1 else "softmax over the classes"
    return f"{seen}end it in a {needed}, and take the loss from that, not from logits"


def _require_optimizer(keras: Any, problem: Problem) -> Any:
    """Makes optimizers, which must be new ones of one configuration; returns one."""
    fix = "return a new one: optimizer=lambda keras: keras.optimizers.Adam(0.01)"
    if isinstance(problem.optimizer, type):
        _refuse(
            problem, f"optimizer is the class {problem.optimizer.__name__}; give a function that is called to {fix}"
        )
    made = []
    for _ in range(_OPTIMIZERS):
        with calling(problem, "optimizer", f"; {fix}"):
            made.append(problem.optimizer(keras))
    legacy = getattr(getattr(keras.optimizers, "legacy", None), "Optimizer", keras.optimizers.Optimizer)
    if not isinstance(made[0], (keras.optimizers.Optimizer, legacy)):
        kind = f"the class {made[0].__name__}" if isinstance(made[0], type) else described(made[0])
        _refuse(problem, f"optimizer returns {kind}; {fix}")
    if made[0] is made[1]:
        _refuse(problem, f"optimizer returns the same object each time, with the steps of the run before; {fix}")
    for other in made[1:]:
        if type(other) is not type(made[0]):
            _refuse(problem, "optimizer returns another class when it is called again; return the same one each time")
        if name := first_difference(configuration(keras, made[0]), configuration(keras, other)):
            _refuse(
                problem,
                f"optimizer returns another {for_terminal(name)} when it is called again, so that no run could be "
                "repeated; return the same configuration in each call",
            )
    return made[0]


def _require_same_training(keras: Any, problem: Problem, data: Data, own_code: str) -> None:
    """Trains twice for one epoch of a few rows: the second run must not differ, nor depend on the first.

    Args:
        keras: The framework.
        problem: Whose optimizer has code of the user's.
        data: Its table.
        own_code: That code, for the message.

    Raises:
        InitcheckError: Training raises, or results would depend on how many runs came before.
    """
    from initcheck.engines.fit import ReferenceEngine  # which takes its tables from where this is called

    whose = own_code.removeprefix("its ")
    runs, settings = [], []
    with calling(problem, f"{whose} when it trains,", "; fix it"):
        for _ in range(2):
            settings.append(configuration(keras, problem.optimizer(keras)))
            engine = ReferenceEngine(problem, epochs=1, reuse=False, data=_few(data))
            model, history = engine.fit(INITIALIZERS[_PROBES[-1]], run=1)
            runs.append([*read_values(model.variables), *(np.array(history[name]) for name in sorted(history))])
    if first_difference(*settings) or not bitwise_equal(*runs):
        _refuse(
            problem,
            f"{whose} keeps state from one run to the next, or draws unseeded: two trainings from one seed differ; "
            "make all that it changes anew in each call of optimizer(keras)",
        )


def _few(data: Data) -> Data:
    return Data(data.x_train[:_ROWS], data.y_train[:_ROWS], data.x_test[:_ROWS], data.y_test[:_ROWS])


def _require_trainable(problem: Problem, model: Any, data: Data) -> None:
    """Trains a model whose class changes how Keras trains for one epoch of a few rows.

    Raises:
        InitcheckError: Its own methods raise, or lose what is read from the history.
    """
    own = [name for name in own_methods(model) if name != "call"]
    if not own:
        return
    from initcheck.engines.fit import ReferenceEngine  # which takes its tables from where this is called

    whose = f"model's own {' and '.join(own)}, of the class {for_terminal(type(model).__name__)},"
    fix = f"; let it return what super().{own[0]}(…) returns, or leave it out"
    with calling(problem, whose, fix):
        history = ReferenceEngine(problem, epochs=1, reuse=False, data=_few(data)).fit(
            INITIALIZERS[_PROBES[-1]], run=1
        )[1]
        missing = [name for name in METRICS if not isinstance(history.get(name, [None])[0], Real)]
    if missing:
        _refuse(problem, f"{whose} gives no {' and no '.join(missing)}{fix}")
