"""Trains a user's own model as it is, with many seeds, under its own initializers and under the catalogue's."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.own_problems import OWN, REPLACED, OwnProblem
from initcheck.catalog.problem_facts import DataFacts, ProblemFacts, digest_of
from initcheck.engines.constant_answers import best_constant
from initcheck.engines.feeding import batch_order, batches_of, ordered_rows, rows_for
from initcheck.engines.mapped_members import MappedEnsemble
from initcheck.engines.member_blocks import SideBySide
from initcheck.engines.one_by_one import train_one_by_one
from initcheck.engines.own_data import (
    FROZEN,
    batches_in,
    count_rows,
    describe_rows,
    is_countable,
    plain_arrays,
    split_rows,
)
from initcheck.engines.own_initializers import Asked
from initcheck.engines.own_members import OwnMembers
from initcheck.engines.own_models import (
    FEW_ROWS,
    OwnData,
    OwnModel,
    TrainingOptions,
    leaves_of,
    mistakes_in,
)
from initcheck.engines.own_scores import choose_score, default_target
from initcheck.engines.protocol import describe_layers, describe_optimizer
from initcheck.engines.reuse import KeptModel, Values, bitwise_equal, is_resettable, read_values, write_values
from initcheck.engines.stateless import StatelessEnsemble
from initcheck.errors import InitcheckError
from initcheck.frameworks.backends import load_target_keras
from initcheck.frameworks.generators import globally_seeded
from initcheck.records import Run, Runs, Score
from initcheck.seeding import order_seed, run_seed
from initcheck.store.blocks import Members
from initcheck.targets import TENSORFLOW, target
from initcheck.texts import for_terminal

_BATCH_SIZE = 32  # Keras's
_LANES = 16  # members that fill whole vector registers
# Columns of the results, and questions of a comparison.
_TAKEN = {"problem", "initializer", "reseed", "order", "seed", "epoch", "stuck", "speed", "runs", "epochs_to_target"}

History = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class _Feeds:
    """What ``fit`` and ``evaluate`` take.

    Attributes:
        order: The seed of the rows' order; None for the frozen one.
        rows: The training rows of all epochs.
        seen: The training rows once.
        held_out: The held-out rows.
        steps: The batches of an epoch; None where the data end it themselves.
    """

    order: int | None
    rows: Any
    seen: Any
    held_out: Any
    steps: int | None


class OwnEngine:
    """Trains runs of a user's own model, one after another by its own ``fit``, or many side by side.

    A model is built anew for each run by the user's function under the run's seed. For ``fit`` it is compiled once and
    used again, with the fresh model's variables, if that gave the bits of a fresh one in the first run that could show
    it.

    Args:
        problem: The problem.
        epochs: Passes over the training rows; the problem's own number by default.

    Raises:
        InitcheckError: A mistake in the model or its data, found before any run: they are built once, and trained for
            one step.
    """

    def __init__(self, problem: OwnProblem, *, epochs: int | None = None) -> None:
        self._keras = load_target_keras()
        self._problem = problem
        self._epochs = epochs or problem.epochs
        options = TrainingOptions(self._epochs, problem.batch_size, problem.loss, problem.optimizer, problem.metrics)
        self._own = OwnModel(problem.build, problem.data, options)
        self._kept: KeptModel | None = None
        self._feeds: _Feeds | None = None
        self._reuse = True
        self._train, self._test = self._make_data()
        self._rows = count_rows(self._train), count_rows(self._test)
        self._members = OwnMembers(self._keras, problem, self._own, self._train)
        model = self._members.first
        self._trained_by = (
            ("model", describe_layers(model.layers)),
            ("optimizer", describe_optimizer(model.optimizer)),
        )
        self._loss = _loss_name(model.loss)
        names, metrics = self._try_step(model)
        self._metrics = (*names, *(f"val_{name}" for name in names))
        self._score = choose_score(problem, names, metrics, countable=is_countable(self._train))
        chance = best_constant(self._keras, model, self._train, self._score)
        self._chance = chance
        self._target = default_target(self._score, chance) if problem.target is None else problem.target

    @functools.cached_property
    def facts(self) -> ProblemFacts:
        """The problem as a record, with what was found of its score and its data."""
        train, test = self._train, self._test
        arrays: tuple[tuple[str, str], ...] = ()
        digest = digest_of([])
        if not train.in_batches and not test.in_batches:
            named = {"training inputs": train.x, "training targets": train.y, "held-out inputs": test.x}
            arrays = tuple((name, digest_of(leaves_of(part))) for name, part in named.items())
            digest = digest_of(leaves_of(test.y))
        return ProblemFacts(
            name=self._problem.name,
            title="a model of yours, as it is",
            source="its own build() and data()",
            loss=self._loss,
            batch_size=self._problem.batch_size or _BATCH_SIZE,
            epochs=self._epochs,
            chance=self._chance,
            target=self._target,
            about=((REPLACED, self._members.describe_replaced()),),
            data=DataFacts(rows=self._rows, described=describe_rows(train), classes=0, digest=digest, arrays=arrays),
            score=self._score,
        )

    @property
    def trained(self) -> tuple[tuple[str, str], ...]:
        """Model and optimizer in words, as ``(name, value)``."""
        return self._trained_by

    def asked(self) -> list[Asked]:
        """The requests of the model to an initializer of the catalogue, each once.

        Raises:
            InitcheckError: There is none.
        """
        return self._members.asked()

    def require_buildable(self, row: Initializer) -> None:
        """Builds the model once under that initializer, to fail before hours of training rather than after.

        Raises:
            InitcheckError: It cannot be built so.
        """
        if row is not OWN:
            self._members.asked()
        self._members.make(row, 1)

    def require_orders(self, orders: Sequence[int]) -> None:
        """Makes sure that the order of the rows can be varied, where it is to be.

        Raises:
            InitcheckError: The data make their own batches.
        """
        if self._train.in_batches and any(orders):
            raise InitcheckError(
                "data() makes its own batches, so that their order is its own; leave --vary out, or return arrays"
            )

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

    def ensemble_runs(
        self, rows: Sequence[Initializer], *, reseeds: Sequence[int], orders: Sequence[int] = (0,), seed: int
    ) -> tuple[str, Iterator[Runs]]:
        """The engine in words, and the same runs, trained side by side.

        Raises:
            UnsuitableError: The stateless ensemble cannot match ``fit`` on this model; nothing was trained then.
        """
        ensemble = self.ensemble(list(itertools.product(rows, reseeds)))
        return ensemble.words, self.runs_stacked(ensemble, rows, reseeds=reseeds, orders=orders, seed=seed)

    def runs_stacked(
        self,
        ensemble: SideBySide,
        rows: Sequence[Initializer],
        *,
        reseeds: Sequence[int],
        orders: Sequence[int] = (0,),
        seed: int,
    ) -> Iterator[Runs]:
        """The same runs by that ensemble."""
        members, size = list(itertools.product(rows, reseeds)), ensemble.width
        groups = ((order, members[start : start + size]) for order in orders for start in range(0, len(members), size))
        return self.train_stacked(ensemble, groups, seed=seed)

    def ensemble(self, members: Sequence[tuple[Initializer, int]]) -> SideBySide:
        """The ensemble that trains members of the model.

        Args:
            members: Initializers and reseeds that are likely to be trained.

        Raises:
            UnsuitableError: The stateless ensemble cannot match ``fit`` on this model.
        """
        template, other = (self._members.make(OWN, seed)[0] for seed in (FROZEN, FROZEN + 1))
        kind = StatelessEnsemble if target() == TENSORFLOW else MappedEnsemble
        ensemble = kind(
            self._keras,
            template,
            self._train,
            self._test,
            batch_size=self.batch_size,
            epochs=self._epochs,
            orders=batch_order(self._rows[0], self._epochs),
            other=other,
        )
        lanes, _ = _in_lanes(members[: ensemble.width], min(_LANES, ensemble.width))
        ensemble.require_stackable_steps(self._members.draw(members[0][0], [FROZEN])[0], len(lanes))
        return ensemble

    def train_members(self, groups: Iterable[Members], *, seed: int) -> Iterator[Runs]:
        """Trains groups of members by ``fit``, one after another.

        Args:
            groups: For each a batch order, and initializers with the numbers of their reseeds.
            seed: The root seed.
        """
        return train_one_by_one(self.train, groups, seed=seed)

    def train_stacked(self, ensemble: SideBySide, groups: Iterable[Members], *, seed: int) -> Iterator[Runs]:
        """The same by the ensemble, each group side by side."""
        for order, members in groups:
            yield from self._train_block(ensemble, order, members, seed)

    def _train_block(
        self, ensemble: SideBySide, order: int, block: Sequence[tuple[Initializer, int]], seed: int
    ) -> Iterator[Runs]:
        name = self._problem.name
        seeds = [run_seed(seed, name, row.name, reseed) for row, reseed in block]
        members: list[Values] = []
        for row, named in itertools.groupby(zip(block, seeds, strict=True), key=lambda member: member[0][0]):
            members += self._members.draw(row, [run for _, run in named])
        order_of_rows = batch_order(self._rows[0], self._epochs, seed=order_seed(seed, name, order) if order else None)
        lanes, places = _in_lanes(block, min(_LANES, ensemble.width))
        trained = ensemble.train([members[place] for place in lanes], order_of_rows)
        metrics = self._metrics
        history = np.stack([trained.history[metric] for metric in metrics], axis=-1).astype(np.float64)[places]
        ends = [end[self._score.name].astype(np.float64)[places] for end in trained.ends]
        start = 0
        for row, group in itertools.groupby(block, key=lambda member: member[0]):
            reseeds = [reseed for _, reseed in group]
            own = slice(start, start + len(reseeds))
            start = own.stop
            yield Runs(
                problem=name,
                initializer=row.name,
                reseeds=np.array(reseeds),
                orders=np.full(len(reseeds), order),
                seeds=np.array(seeds[own]),
                train_score=ends[0][own],
                train_total=self._rows[0],
                test_score=ends[1][own],
                test_total=self._rows[1],
                history=history[own],
                metrics=metrics,
                score=self._score,
            )

    def train(self, row: Initializer, *, reseed: int, seed: int, order: int = 0) -> Run:
        """Trains one run; the arguments are those of ``runs``, for one of each."""
        name = self._problem.name
        run = run_seed(seed, name, row.name, reseed)
        history, scores = self._fit_run(row, run, order_seed(seed, name, order) if order else None)
        return Run(
            problem=name,
            initializer=row.name,
            reseed=reseed,
            seed=run,
            train_score=scores[0],
            train_total=self._rows[0],
            test_score=scores[1],
            test_total=self._rows[1],
            history={metric: tuple(map(float, history[metric])) for metric in self._metrics},
            order=order,
            score=self._score,
        )

    def train_fresh(
        self,
        run: int,
        *,
        change: Callable[[Values], Values] | None = None,
        callbacks: Sequence[Any] = (),
    ) -> tuple[Any, Values, History]:
        """One training of a fresh model under its own initializers: the model, its initial values and its history.

        Args:
            run: The run's seed.
            change: Is applied to the values of its variables before the first step.
            callbacks: Of Keras, which see the training.
        """
        with globally_seeded(self._keras, run):
            model, values = self._members.make(OWN, run)
            if change:
                values = change(values)
                write_values(model.variables, values)
            history, _ = self._fit(model, None, callbacks)
        return model, values, history

    def held_out_inputs(self, most: int) -> Any:
        """Inputs of the first held-out rows, at most so many, as a dataset; of batches, those of a first pass."""
        test = self._make_data()[1] if self._test.in_batches else self._test
        return batches_of(OwnData(test.batch(most)[0]).packed, self.batch_size)

    @property
    def score(self) -> Score:
        """What its runs are judged by."""
        return self._score

    @property
    def epochs(self) -> int:
        """Passes over the training rows."""
        return self._epochs

    @property
    def tables(self) -> tuple[OwnData, OwnData]:
        """The training rows and the held-out rows."""
        return self._train, self._test

    def frozen_model(self) -> tuple[Any, Values]:
        """A fresh model under a frozen seed, with its initial values."""
        with globally_seeded(self._keras, FROZEN):
            return self._members.make(OWN, FROZEN)

    @property
    def batch_size(self) -> int:
        """The rows of a step."""
        return min(self._problem.batch_size or _BATCH_SIZE, self._rows[0])

    @property
    def steps(self) -> int:
        """The optimizer's steps of one training."""
        of_epoch = (
            len(list(batches_in(self._train))) if self._train.in_batches else -(-self._rows[0] // self.batch_size)
        )
        return self._epochs * of_epoch

    def _fit_run(self, row: Initializer, run: int, order: int | None) -> tuple[History, tuple[float, float]]:
        kept = self._kept
        with globally_seeded(self._keras, run):
            model, values = self._members.make(row, run)
            if kept is not None and kept.proven:
                kept.put_back(values)
                return self._fit(kept.model, order)
            if kept is None and self._reuse and is_resettable(self._keras, model.optimizer):
                self._kept = KeptModel.of(model, model.variables)
            history, scores = self._fit(model, order)
        if kept is None:
            return history, scores
        if self._reuse:
            with globally_seeded(self._keras, run):
                _, again = self._members.make(row, run)
                kept.put_back(again)
                repeated, _ = self._fit(kept.model, order)
            same = bitwise_equal([np.array(list(history.values()))], [np.array(list(repeated.values()))])
            kept.proven = same and bitwise_equal(read_values(kept.model.variables), read_values(model.variables))
            self._reuse = kept.proven
        return history, scores

    def _make_data(self) -> tuple[OwnData, OwnData]:
        """The training rows and those held out, the same each time."""
        with globally_seeded(self._keras, FROZEN):
            data = self._own.make_data()
        assert data is not None  # an own problem has some
        if data.held_out is not None:
            return plain_arrays(data), plain_arrays(data.held_out)
        if data.in_batches:
            raise InitcheckError(
                "data() returns batches alone, of which none can be held out; return (train, held_out), such as "
                "(dataset.skip(10), dataset.take(10))"
            )
        return split_rows(plain_arrays(data))

    def _try_step(self, model: Any) -> tuple[list[str], list[Any]]:
        """One step of training on few rows: the names of its metrics, and the metrics as objects.

        Raises:
            InitcheckError: Keras cannot train the model, or a metric's name cannot be used.
        """
        with (
            globally_seeded(self._keras, FROZEN),
            mistakes_in("the model cannot be trained: fit", "fix its loss or data"),
        ):
            few = min(FEW_ROWS, self.batch_size)  # a model may be built for batches of its own size alone
            rows = batches_of(OwnData(*self._train.batch(few)).packed, few)
            history = model.fit(rows, epochs=1, verbose=0, shuffle=False).history
        names = [name for name in history if np.ndim(history[name][0]) == 0]
        if taken := sorted(_TAKEN & {*names}):
            raise InitcheckError(f"a metric of the model is named {taken[0]!r}, as a column of the results; rename it")
        compiled = getattr(model, "_compile_metrics", None)  # of Keras 3, whose models list it as one metric
        return names, [*getattr(compiled, "metrics", []), *getattr(model, "metrics", [])]

    def _fit(self, model: Any, order: int | None, callbacks: Sequence[Any] = ()) -> tuple[History, tuple[float, float]]:
        """Trains a model; gives its history and the scores of its final weights on training and held-out rows."""
        feeds = self._feed(order)
        with mistakes_in(f"problem {self._problem.name!r} cannot be trained: fit", "fix its model, loss or data"):
            history = model.fit(
                rows_for(model, feeds.rows) if feeds.steps else feeds.rows,
                epochs=self._epochs,
                steps_per_epoch=feeds.steps,
                validation_data=feeds.held_out,
                shuffle=False,
                callbacks=[*callbacks],
                verbose=0,
            ).history
            ends = [model.evaluate(each, verbose=0, return_dict=True) for each in (feeds.seen, feeds.held_out)]
        if any(len(values) != self._epochs for values in history.values()):
            raise InitcheckError(
                f"problem {self._problem.name!r}: fit ended before {self._epochs} epochs; leave out what stops it, as "
                "runs of unlike lengths cannot be compared"
            )
        scores = (float(ends[0][self._score.name]), float(ends[1][self._score.name]))
        return {name: values for name, values in history.items() if np.ndim(values[0]) == 0}, scores

    def _feed(self, order: int | None) -> _Feeds:
        """The rows in the order of that seed; those of the last order are kept, but batches that the data make."""
        if self._feeds is not None and self._feeds.order == order:
            return self._feeds
        train, test = self._train, self._test
        if train.in_batches:
            train, test = self._make_data()  # an iterator may go on where it was left
        held_out = test.x if test.in_batches else batches_of(test.packed, self.batch_size)
        if train.in_batches:
            return _Feeds(order, train.x, train.x, held_out, None)
        places = batch_order(self._rows[0], self._epochs, seed=order)
        rows = ordered_rows(train.packed, places, self.batch_size)
        feeds = _Feeds(
            order, rows, batches_of(train.packed, self.batch_size), held_out, -(-self._rows[0] // self.batch_size)
        )
        self._feeds = None if test.in_batches else feeds
        return feeds


def _in_lanes(members: Sequence[tuple[Initializer, int]], size: int) -> tuple[list[int], list[int]]:
    """Which member is trained in each place, and the place of each member; what is free in a lane repeats one of it.

    A kernel may sum what lies at the end of a vector register in another order, so that a member's last bits depend on
    its place. Each initializer therefore fills lanes of its own, and a reseed has the same place in each of them,
    whatever else is trained.
    """
    lanes: dict[tuple[str, int], dict[int, int]] = {}
    for number, (row, reseed) in enumerate(members):
        lanes.setdefault((row.name, reseed // size), {})[reseed % size] = number
    starts = {key: size * place for place, key in enumerate(lanes)}
    places = [starts[row.name, reseed // size] + reseed % size for row, reseed in members]
    return [lane.get(place, next(iter(lane.values()))) for lane in lanes.values() for place in range(size)], places


def _loss_name(loss: Any) -> str:
    if isinstance(loss, str):
        return for_terminal(loss)
    if isinstance(loss, Mapping):
        return ", ".join(f"{for_terminal(str(key))}: {_loss_name(value)}" for key, value in loss.items())
    if isinstance(loss, list | tuple):
        return ", ".join(map(_loss_name, loss))
    return for_terminal(str(getattr(loss, "name", None) or getattr(loss, "__name__", type(loss).__name__)))
