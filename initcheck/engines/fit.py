"""The reference engine: builds, compiles and fits through Keras's public API, as a user would."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.problems import Problem
from initcheck.engines.feeding import batch_order, batches_of, ordered_rows, rows_for
from initcheck.engines.one_by_one import train_one_by_one
from initcheck.engines.problem_models import build_model, training_of
from initcheck.engines.reuse import (
    KeptModel,
    Values,
    bitwise_equal,
    is_all_seeded,
    is_kerass_own,
    is_resettable,
    is_stateless,
    read_values,
)
from initcheck.engines.validation.problem import validated_data
from initcheck.errors import InitcheckError
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backends import load_target_keras
from initcheck.frameworks.generators import globally_seeded
from initcheck.frameworks.instances import LayerInitializers
from initcheck.records import METRICS, Data, Run, Runs
from initcheck.seeding import order_seed, run_seed
from initcheck.store.blocks import Members
from initcheck.targets import TENSORFLOW, target

History = dict[str, list[float]]

_ROWS_PER_PREDICTION = 8192


class Seeded(Enum):
    """The global generators that are seeded for a run.

    Seeding TensorFlow's drops every kernel that it has prepared, which doubles the cost of a run, or trebles it.
    """

    NOTHING = "nothing"
    PYTHON = "Python's and NumPy's"
    ALL = "all"


_TRIED = (Seeded.PYTHON, Seeded.ALL)  # the cheaper one first


@dataclass(frozen=True)
class _Trained:
    """A fresh model's training: its history, whose last held-out accuracy is the count, and its variables."""

    history: History
    values: Values


class ReferenceEngine:
    """Trains runs of one problem, one after another.

    The model is compiled once and reused where that gives the bits of a fresh one: a new model is built for every run,
    so its draws are the framework's own, and its variables are copied into the compiled one, whose optimizer is put
    back to its first state. Compiling and tracing cost ten times what training a small model does.

    Where weights are all the state there is (``is_stateless``), that is so by construction. Where Keras's own layers
    hold more, such as the seeds of dropout or the statistics of a normalization, one run is trained both ways, and
    the compiled model is reused only if history (with the held-out counts) and variables are bitwise equal.

    Args:
        problem: The problem to train.
        epochs: Passes over the training rows; the problem's own number by default.
        reuse: Set to False to build and compile a fresh model for every run.
        data: Some of the problem's rows, to be trained on in place of its table.

    Raises:
        InitcheckError: A mistake in the problem.
    """

    def __init__(
        self, problem: Problem, *, epochs: int | None = None, reuse: bool = True, data: Data | None = None
    ) -> None:
        self._keras = load_target_keras()
        self._problem = problem
        self._epochs = epochs or problem.epochs
        self._data = data or validated_data(problem)
        self._steps = -(-len(self._data.x_train) // problem.batch_size)
        self._test_rows = batches_of((self._data.x_test, self._data.y_test), _ROWS_PER_PREDICTION, kept=True)
        self._reuse = reuse
        self._kept: tuple[int | None, Any] | None = None
        self._compiled: KeptModel | None = None
        self._needs = Seeded.ALL  # before the compiled model is used again

    @property
    def reuses_its_model(self) -> bool:
        """Whether the runs after the first take the model compiled for it."""
        return self._compiled is not None and self._compiled.proven

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
        groups = ((order, [(row, reseed) for reseed in reseeds]) for row, order in itertools.product(rows, orders))
        return self.train_members(groups, seed=seed)

    def train_members(self, groups: Iterable[Members], *, seed: int) -> Iterator[Runs]:
        """Trains groups of members, one after another.

        Args:
            groups: For each a batch order, and initializers with the numbers of their reseeds.
            seed: The root seed.
        """
        return train_one_by_one(self.train, groups, seed=seed)

    def train(self, initializer: Initializer, *, reseed: int, seed: int, order: int = 0) -> Run:
        """Trains one run.

        Args:
            initializer: The row under test.
            reseed: Number of the repetition.
            seed: The root seed.
            order: Number of the batch order; 0 is the frozen one.
        """
        own_seed = run_seed(seed, self._problem.name, initializer.name, reseed)
        with training_of(self._problem):
            model, history = self.fit(
                initializer, run=own_seed, order=order_seed(seed, self._problem.name, order) if order else None
            )
        self._require_shares(history)
        return Run(
            problem=self._problem.name,
            initializer=initializer.name,
            reseed=reseed,
            seed=own_seed,
            train_score=count_correct(model, self._data.x_train, self._data.y_train) / len(self._data.x_train),
            train_total=len(self._data.x_train),
            test_score=count_correct(model, self._data.x_test, self._data.y_test) / len(self._data.x_test),
            test_total=len(self._data.x_test),
            history={name: tuple(map(float, history[name])) for name in METRICS},
            order=order,
        )

    def _require_shares(self, history: History) -> None:
        """Refuses accuracies that are none: a model's own ``fit`` or ``metrics`` may report anything.

        Raises:
            InitcheckError: One is no number from 0 to 1.
        """
        for name in ("accuracy", "val_accuracy"):
            for value in history[name]:
                if not 0 <= value <= 1:
                    raise InitcheckError(
                        f"problem {self._problem.name!r}: its training reports {name} {value:g}, which is no share of "
                        "the rows; let model return a model that is trained by Keras's own fit"
                    )

    def fit(
        self,
        initializer: Initializer,
        *,
        run: int,
        order: int | None = None,
        change: Callable[[list[np.ndarray]], list[np.ndarray]] | None = None,
    ) -> tuple[Any, History]:
        """Trains one run; returns its model, which the next run may use again, and what its ``History`` holds.

        Args:
            initializer: The row under test.
            run: The run's seed.
            order: The seed of the batch order; None for the frozen one.
            change: A function applied to the initial weights before the first step.
        """

        def build() -> Any:
            built = self._build(initializer, run)
            if change:
                built.set_weights(change(built.get_weights()))
            return built

        kept = self._compiled
        if kept is not None and kept.proven:
            with self._seeded(self._needs, run):
                kept.put_back(read_values(build().variables))
                return kept.model, self._fit(kept.model, order)
        with self._seeded(Seeded.ALL, run):
            built = build()
            if kept is None:
                return self._train_first(built, order)
            variables, values = list(built.variables), read_values(built.variables)
            self._compile(built)
            history = self._fit(built, order)
        # Only a random initializer can prove it: from zeros, units may stay where they are whatever dropout draws.
        if initializer.law.random:
            fresh = _Trained(history, read_values(variables))
            kept.proven = any(self._repeats(kept, build, values, fresh, needs, run, order) for needs in _TRIED)
            self._compiled, self._reuse = (kept, True) if kept.proven else (None, False)
        return built, history

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

    def _train_first(self, built: Any, order: int | None) -> tuple[Any, History]:
        """Compiles a model and trains it; keeps it where it may be used again."""
        variables = list(built.variables) if built.built else []  # Keras 2 refuses to list them before
        self._compile(built)
        resettable = variables and is_resettable(self._keras, built.optimizer)  # none: it is built when it is called
        if self._reuse and resettable and is_kerass_own(self._keras, built):
            self._compiled = KeptModel.of(built, variables)
            self._compiled.proven = is_stateless(self._keras, built)
            self._needs = Seeded.NOTHING if self._compiled.proven and is_all_seeded(built) else Seeded.ALL
        return built, self._fit(built, order)

    def _repeats(
        self,
        kept: KeptModel,
        build: Callable[[], Any],
        start: Values,
        fresh: _Trained,
        needs: Seeded,
        run: int,
        order: int | None,
    ) -> bool:
        """Whether the kept model ends with the bits of a fresh one where no more than that is seeded."""
        self._needs = needs
        with self._seeded(needs, run):
            values = read_values(build().variables)
            if len(values) != len(kept.variables) or not bitwise_equal(values, start):
                return False
            kept.put_back(values)
            history = self._fit(kept.model, order)
        return _same_history(history, fresh.history) and bitwise_equal(read_values(kept.variables), fresh.values)

    def _seeded(self, what: Seeded, seed: int) -> contextlib.AbstractContextManager[None]:
        if what is Seeded.NOTHING:
            return contextlib.nullcontext()
        return globally_seeded(self._keras, seed, framework=what is Seeded.ALL)

    def _compile(self, model: Any) -> None:
        model.compile(
            optimizer=self._problem.optimizer(self._keras),
            loss=self._problem.loss,
            metrics=["accuracy"],
            steps_per_execution=self._steps if _loops_in_graph(self._keras) else 1,  # which decides no bit
        )

    def _fit(self, model: Any, order: int | None) -> History:
        history: History = model.fit(
            rows_for(model, self._ordered_rows(order)),
            epochs=self._epochs,
            steps_per_epoch=self._steps,
            validation_data=self._test_rows,
            shuffle=False,
            verbose=0,
        ).history
        return history

    def _ordered_rows(self, seed: int | None) -> Any:
        """All batches of all epochs, each row where the order of that seed puts it; the last order is kept."""
        if self._kept is None or self._kept[0] != seed:
            self._kept = seed, self._make_ordered_rows(seed)
        return self._kept[1]

    def _make_ordered_rows(self, seed: int | None) -> Any:
        rows = len(self._data.x_train)
        order = batch_order(rows, self._epochs, seed=seed)
        return ordered_rows((self._data.x_train, self._data.y_train), order, self._problem.rows_per_step(rows))


def count_correct(model: Any, x: np.ndarray, y: np.ndarray) -> int:
    """The number of correctly classified rows: output > 0.5 for one sigmoid unit, the largest of several."""
    starts = range(0, len(x), _ROWS_PER_PREDICTION)
    outputs = [as_array(model(x[start : start + _ROWS_PER_PREDICTION], training=False)) for start in starts]
    output = np.concatenate(outputs)
    classes = output[:, 0] > 0.5 if output.shape[-1] == 1 else output.argmax(axis=-1)
    return int(np.sum(classes == y.reshape(len(y))))


def _loops_in_graph(keras: Any) -> bool:
    """Whether ``steps_per_execution`` is a loop: Keras 3.0 to 3.6 unroll it, and fail beyond 32 steps.

    On JAX it is unrolled, on torch refused.
    """
    if target() != TENSORFLOW:
        return False
    major, minor = (int(part) for part in keras.__version__.split(".")[:2])
    return major == 2 or (major, minor) >= (3, 7)


def _same_history(one: History, other: History) -> bool:
    """Whether all numbers have the same bits, NaN included."""
    names = sorted(one)
    return names == sorted(other) and bitwise_equal(
        *([np.array(each[name]) for name in names] for each in (one, other))
    )
