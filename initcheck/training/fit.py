"""The reference engine: builds, compiles and fits through Keras's public API, as a user would."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.problems import Problem
from initcheck.errors import InitcheckError
from initcheck.records import METRICS, Epoch, Run, Runs, group_runs
from initcheck.training.draws import LayerInitializers
from initcheck.training.framework import load_keras
from initcheck.training.seeding import order_seed, run_seed

# What holds no state but its weights, so that weights and optimizer variables are all there is to put back.
# Anything else (dropout's generator, normalization's statistics, a user's own class) gets a fresh model each run.
_STATELESS_LAYERS = """
    InputLayer Dense Activation ReLU LeakyReLU ELU PReLU Softmax Flatten Reshape Permute ZeroPadding2D
    Conv1D Conv2D Conv3D DepthwiseConv2D SeparableConv2D Conv2DTranspose MaxPooling1D MaxPooling2D
    AveragePooling1D AveragePooling2D GlobalMaxPooling2D GlobalAveragePooling2D Add Concatenate Multiply
"""
_RESETTABLE_OPTIMIZERS = "SGD RMSprop Adam AdamW Adagrad Adadelta Adamax"
_ROWS_PER_PREDICTION = 8192


class ReferenceEngine:
    """Trains runs of one problem, one after another.

    The model is compiled once and reused where that gives the bits of a fresh one (``is_stateless`` and
    ``is_resettable``): a new model is built for every run, so its draws are the framework's own, and its weights are
    handed to the compiled one, whose optimizer is put back to its first state. Compiling and tracing cost ten times
    what training a small model does.

    Args:
        problem: What to train.
        epochs: Passes over the training rows; the problem's own number by default.
        reuse: Set to False to build and compile a fresh model for every run.
    """

    def __init__(self, problem: Problem, *, epochs: int | None = None, reuse: bool = True) -> None:
        self._keras = load_keras()
        self._problem = problem
        self._epochs = epochs or problem.epochs
        self._data = problem.data()
        self._steps = -(-len(self._data.x_train) // problem.batch_size)
        self._test_rows = self._batches(self._data.x_test, self._data.y_test).cache()
        self._reuse = reuse
        self._all_seeded = False
        self._kept: tuple[int | None, Any] | None = None
        self._compiled: Any = None
        self._first_state: list[Any] = []

    @property
    def reuses_its_model(self) -> bool:
        """Whether the runs after the first take the model compiled for it."""
        return self._compiled is not None

    def runs(
        self, rows: Sequence[Initializer], *, reseeds: Sequence[int], orders: Sequence[int] = (0,), seed: int
    ) -> Iterator[Runs]:
        """Trains every initializer under every reseed and batch order, one run after another.

        Args:
            rows: The initializers.
            reseeds: Numbers of the repetitions.
            orders: Numbers of the batch orders; 0 is the frozen one.
            seed: The root seed.
        """
        for row, order, reseed in itertools.product(rows, orders, reseeds):
            yield from group_runs([self.train(row, reseed=reseed, seed=seed, order=order)])

    def train(self, initializer: Initializer, *, reseed: int, seed: int, order: int = 0) -> Run:
        """Trains one run.

        Args:
            initializer: The row under test.
            reseed: Number of the repetition.
            seed: The root seed.
            order: Number of the batch order; 0 is the frozen one.
        """
        own_seed = run_seed(seed, self._problem.name, initializer.name, reseed)
        model, history = self.fit(
            initializer, run=own_seed, order=order_seed(seed, self._problem.name, order) if order else None
        )
        return Run(
            problem=self._problem.name,
            initializer=initializer.name,
            reseed=reseed,
            seed=own_seed,
            train_correct=count_correct(model, self._data.x_train, self._data.y_train),
            train_total=len(self._data.x_train),
            test_correct=count_correct(model, self._data.x_test, self._data.y_test),
            test_total=len(self._data.x_test),
            history=tuple(
                Epoch(number, *(float(history[name][number - 1]) for name in METRICS))
                for number in range(1, self._epochs + 1)
            ),
            order=order,
        )

    def fit(
        self,
        initializer: Initializer,
        *,
        run: int,
        order: int | None = None,
        change: Callable[[list[np.ndarray]], list[np.ndarray]] | None = None,
    ) -> tuple[Any, dict[str, list[float]]]:
        """Trains one run; returns its model, which the next run may use again, and what its ``History`` holds.

        Args:
            initializer: The row under test.
            run: The run's seed.
            order: The seed of the batch order; None for the frozen one.
            change: What is done to the initial weights before the first step.
        """
        # Seeding TensorFlow's globals drops every kernel it has prepared, which doubles the cost of a run.
        with contextlib.nullcontext() if self._all_seeded else globally_seeded(self._keras, run):
            built = self._build(initializer, run)
            if change:
                built.set_weights(change(built.get_weights()))
            model = self._prepare(built)
            history = model.fit(
                self._ordered_rows(order),
                epochs=self._epochs,
                steps_per_epoch=self._steps,
                validation_data=self._test_rows,
                shuffle=False,
                verbose=0,
            ).history
        return model, history

    def require_buildable(self, initializer: Initializer) -> None:
        """Builds the model once under that initializer, to fail before hours of training rather than after.

        Raises:
            InitcheckError: The problem's model cannot be built, for example as the initializer admits matrices only.
        """
        layers = LayerInitializers(initializer, 1)
        build_model(self._keras, self._problem, initializer, layers, self._data.input_shape, 0)

    def _build(self, initializer: Initializer, seed: int) -> Any:
        layers = LayerInitializers(initializer, seed)
        return build_model(self._keras, self._problem, initializer, layers, self._data.input_shape)

    def _prepare(self, model: Any) -> Any:
        """A compiled model with the weights of ``model`` and an optimizer that has not stepped."""
        if self._compiled is not None:
            self._compiled.set_weights(model.get_weights())
            for variable, value in zip(_optimizer_variables(self._compiled), self._first_state, strict=True):
                variable.assign(value)
            return self._compiled
        model.compile(
            optimizer=self._problem.optimizer(self._keras),
            loss=self._problem.loss,
            metrics=["accuracy"],
            steps_per_execution=self._steps if _loops_in_graph(self._keras) else 1,
        )
        if self._reuse and is_stateless(self._keras, model) and is_resettable(self._keras, model.optimizer):
            self._all_seeded = not any(_has_unseeded(layer.get_config()) for layer in model.layers)
            model.optimizer.build(model.trainable_variables)
            self._first_state = [variable.numpy() for variable in _optimizer_variables(model)]
            self._compiled = model
        return model

    def _ordered_rows(self, seed: int | None) -> Any:
        """All batches of all epochs, each row where the order of that seed puts it; the last order is kept."""
        if self._kept is None or self._kept[0] != seed:
            self._kept = seed, self._make_ordered_rows(seed)
        return self._kept[1]

    def _make_ordered_rows(self, seed: int | None) -> Any:
        import tensorflow as tf

        x, y = tf.constant(self._data.x_train), tf.constant(self._data.y_train)
        size = self._problem.batch_size
        order = batch_order(len(x), self._epochs, seed=seed)
        batches = tf.data.Dataset.from_tensor_slices(order).flat_map(
            lambda epoch: tf.data.Dataset.from_tensor_slices(epoch).batch(size)
        )
        return batches.map(lambda rows: (tf.gather(x, rows), tf.gather(y, rows)))

    def _batches(self, x: Any, y: Any) -> Any:
        import tensorflow as tf

        return tf.data.Dataset.from_tensor_slices((x, y)).batch(_ROWS_PER_PREDICTION)


def build_model(
    keras: Any,
    problem: Problem,
    row: Initializer,
    layers: LayerInitializers,
    input_shape: tuple[int, ...],
    global_seed: int | None = None,
) -> Any:
    """The problem's model, uncompiled.

    Args:
        keras: The framework.
        problem: Whose model it is.
        row: The initializer under test, for the message.
        layers: What gives each layer its initializer.
        input_shape: The shape of one row of inputs.
        global_seed: Seeds all global generators for the time of building, if given.

    Raises:
        InitcheckError: The model cannot be built, for example as the initializer admits matrices only.
    """
    with contextlib.nullcontext() if global_seed is None else globally_seeded(keras, global_seed):
        try:
            return problem.model(keras, layers, input_shape)
        except InitcheckError:
            raise
        except Exception as error:  # the model is the user's code, and Keras's reasons are many
            reason = " ".join(str(error).split())[:200]
            raise InitcheckError(
                f"problem {problem.name!r} cannot be built with the initializer {row.name!r} "
                f"({type(error).__name__}: {reason}); mend the model or leave that initializer out"
            ) from error


def batch_order(rows: int, epochs: int, *, seed: int | None = None) -> np.ndarray:
    """The order of the training rows in every epoch, shape ``(epochs, rows)``.

    It comes from NumPy's ``RandomState``, the only stream that NumPy promises never to change. Without a seed it is the
    frozen order: the same for every run ever made.
    """
    stream = np.random.RandomState(42 if seed is None else seed)
    return np.stack([stream.permutation(rows) for _ in range(epochs)])


def count_correct(model: Any, x: np.ndarray, y: np.ndarray) -> int:
    """How many rows the model classifies rightly: output > 0.5 for one sigmoid unit, the largest of several."""
    starts = range(0, len(x), _ROWS_PER_PREDICTION)
    outputs = [np.asarray(model(x[start : start + _ROWS_PER_PREDICTION], training=False)) for start in starts]
    output = np.concatenate(outputs)
    classes = output[:, 0] > 0.5 if output.shape[-1] == 1 else output.argmax(axis=-1)
    return int(np.sum(classes == y.reshape(len(y))))


def is_stateless(keras: Any, model: Any) -> bool:
    """Whether weights are all the state that a training of this model leaves in its layers."""
    layers = {getattr(keras.layers, name) for name in _STATELESS_LAYERS.split()}
    return (
        type(model).__name__ in {"Sequential", "Functional"}
        and type(model).__module__.startswith("keras.")
        and all(type(layer) in layers for layer in model.layers)
    )


def is_resettable(keras: Any, optimizer: Any) -> bool:
    """Whether its variables are all the state that this optimizer keeps."""
    optimizers = {getattr(keras.optimizers, name) for name in _RESETTABLE_OPTIMIZERS.split()}
    return type(optimizer) in optimizers and not optimizer.use_ema


def _has_unseeded(config: Any) -> bool:
    """Whether a layer's configuration holds an initializer that would take its seed from a global generator."""
    if isinstance(config, dict):
        return config.get("seed", 0) is None or any(_has_unseeded(value) for value in config.values())
    return isinstance(config, list | tuple) and any(_has_unseeded(value) for value in config)


def _loops_in_graph(keras: Any) -> bool:
    """Whether ``steps_per_execution`` is a loop: Keras 3.0 to 3.6 unroll it, and fail beyond 32 steps."""
    major, minor = (int(part) for part in keras.__version__.split(".")[:2])
    return major == 2 or (major, minor) >= (3, 7)


def _optimizer_variables(model: Any) -> list[Any]:
    return list(model.optimizer.variables)


@contextlib.contextmanager
def globally_seeded(keras: Any, seed: int) -> Iterator[None]:
    """Seeds all global generators for whatever in a user's model is unseeded; Python's and NumPy's are put back."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
