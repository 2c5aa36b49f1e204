"""The ensemble engine: trains thousands of runs of one problem side by side.

The framework's own initializers, activations, losses and optimizers do the work; what differs from ``fit`` is that the
weights of all members lie in the same tensors, and that all epochs are one compiled program.
"""

from __future__ import annotations

import functools
import itertools
import os
import queue
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.problems import Problem
from initcheck.engines.feeding import batch_order
from initcheck.engines.initial_weights import Array, InitialWeights, UnsuitableError
from initcheck.engines.member_programs import MemberProgram
from initcheck.engines.optimizer_settings import find_own_code
from initcheck.engines.perturbed import perturbed
from initcheck.engines.problem_models import build_model
from initcheck.engines.program import LOSSES, Program, Trained
from initcheck.engines.reuse import find_others_code, find_stateful, is_elementwise, is_resettable, named
from initcheck.engines.stacking import Network, single, stacked
from initcheck.engines.validation.problem import validated_data
from initcheck.frameworks.backends import load_target_keras
from initcheck.frameworks.instances import LayerInitializers
from initcheck.records import Runs
from initcheck.seeding import order_seed, run_seeds
from initcheck.store.blocks import Members
from initcheck.targets import TENSORFLOW, target

_CACHE = 512 * 1024  # bytes that the members of one program should keep to: about a core's second-level cache
_MOST_MEMBERS = 1024
_LANES = 16  # members fill whole vector registers, so that one loop computes all of them
_BLOCK = 64 * 1024 * 1024  # bytes of initial weights that are drawn at once
_MOST_DRAWN = 4096  # members that are drawn at once, while those drawn before are trained
_CHUNKS_WORTH_A_THREAD = 2  # a thread's program has to be compiled first


@dataclass(frozen=True)
class _Block:
    """Runs that are being trained, and the futures of their results."""

    members: Sequence[tuple[Initializer, int]]
    seeds: Sequence[int]
    order: int
    chunks: Sequence[Future[Trained]]


class EnsembleEngine:
    """Trains runs of one problem side by side.

    Args:
        problem: The problem to train.
        rows: The initializers to train it under.
        epochs: Passes over the training rows; the problem's own number by default.
        width: Members of one program, a multiple of 16; by default as many as suit the processor's cache. It may decide
            how XLA sums, so last bits; nothing else about a sweep does, neither its other runs nor threads.

    Raises:
        UnsuitableError: The engine cannot match the reference engine; the text says why.
        InitcheckError: The problem's model cannot be built under one of the initializers.
    """

    def __init__(
        self,
        problem: Problem,
        rows: Sequence[Initializer],
        *,
        epochs: int | None = None,
        width: int | None = None,
    ) -> None:
        self._keras = load_target_keras()
        self._problem = problem
        self._epochs = epochs or problem.epochs
        self._data = validated_data(problem)
        self._model = self._build(rows[0], LayerInitializers(rows[0], 1), 1)
        _require_suitable(self._keras, problem, self._model)
        self._weights: dict[str, InitialWeights] = {}
        for row in rows:
            self.prepare(row)
        self._rows = rows
        self._width = width or self._choose_width()
        self._programs: list[Program | MemberProgram] = []

    def runs(
        self,
        *,
        rows: Sequence[Initializer] | None = None,
        reseeds: Sequence[int],
        orders: Sequence[int] = (0,),
        seed: int,
        ulps: int = 0,
    ) -> Iterator[Runs]:
        """Trains every initializer under every reseed and batch order; yields parts as they are finished.

        Args:
            rows: Some of the initializers; all by default.
            reseeds: Numbers of the repetitions.
            orders: Numbers of the batch orders; 0 is the frozen one.
            seed: The root seed.
            ulps: The number of units in the last place to perturb every initial weight by, up or down by chance, for
                the tolerance of rounding.
        """
        for row in rows or ():
            self.prepare(row)
        members = _Members(rows or self._rows, reseeds)
        size = self.block
        groups = (
            (order, members.part(start, start + size))
            for order, start in itertools.product(orders, range(0, len(members), size))
        )
        planned = -(-len(members) // self._width) * len(orders)
        yield from self._train_groups(groups, seed, planned, ulps=ulps)

    def train_members(self, groups: Iterable[Members], *, seed: int, planned: int) -> Iterator[Runs]:
        """Trains groups of members, each of at most ``block``; asks for the next one while one is trained.

        Args:
            groups: For each a batch order, and initializers with the numbers of their reseeds.
            seed: The root seed.
            planned: Members of all groups, about.
        """
        return self._train_groups(groups, seed, -(-planned // self._width), ulps=0)

    @property
    def block(self) -> int:
        """The members whose initial weights are drawn at once."""
        member_bytes = 4 * sum(int(weight.size) for weight in self._model.get_weights())
        return max(1, min(_BLOCK // member_bytes, _MOST_DRAWN) // self._width) * self._width

    @property
    def width(self) -> int:
        """The members of one program."""
        return self._width

    def _train_groups(self, groups: Iterable[Members], seed: int, chunks: int, *, ulps: int) -> Iterator[Runs]:
        threads = min(_cores(), max(1, chunks // _CHUNKS_WORTH_A_THREAD))
        free: queue.SimpleQueue[Program | MemberProgram] = queue.SimpleQueue()
        for program in self._ready_programs(threads):
            free.put(program)
        pool = ThreadPoolExecutor(threads)
        pending: deque[_Block] = deque()
        try:
            for order, members in groups:
                pending.append(self._start(members, order, seed, ulps, self._width, pool, free))
                if len(pending) > 1:
                    yield from self._finish(pending.popleft())
            while pending:
                yield from self._finish(pending.popleft())
        finally:
            pool.shutdown(cancel_futures=True)

    def prepare(self, row: Initializer) -> None:
        """Makes ready to draw under that initializer.

        Raises:
            UnsuitableError: The engine cannot; the text says why.
            InitcheckError: The problem's model cannot be built under it.
        """
        if row.name not in self._weights:
            weights = InitialWeights(row, functools.partial(self._build, row))
            if weights.shapes != [weight.shape for weight in self._model.get_weights()]:
                raise UnsuitableError("its model has other weights under another initializer")
            self._weights[row.name] = weights

    def words(self) -> str:
        """The engine's name, and which initializers it had to draw slowly, and why."""
        slow = [f"{name} drawn one by one, as {one.untraced}" for name, one in self._weights.items() if one.untraced]
        return "; ".join(["ensemble engine", *slow])

    def initial_weights(self, row: Initializer, seeds: Sequence[int]) -> list[Array]:
        """The initial weights of the runs of those seeds, in the order of the model's, each ``(*shape, runs)``."""
        return self._weights[row.name].draw(seeds)

    def _start(
        self,
        members: Sequence[tuple[Initializer, int]],
        order: int,
        seed: int,
        ulps: int,
        width: int,
        pool: ThreadPoolExecutor,
        free: queue.SimpleQueue[Program | MemberProgram],
    ) -> _Block:
        """Draws the members' weights and hands them to the pool."""
        seeds: list[int] = []
        drawn: list[list[Array]] = []
        for row, reseeds in _by_initializer(members):
            own = run_seeds(seed, self._problem.name, row.name, reseeds)
            seeds += own
            drawn.append(self._weights[row.name].draw(own))
        weights = [np.concatenate(parts, axis=-1) for parts in zip(*drawn, strict=True)]
        if ulps:
            weights = [perturbed(weight, ulps, trial=0) for weight in weights]
        rows = batch_order(
            len(self._data.x_train),
            self._epochs,
            seed=order_seed(seed, self._problem.name, order) if order else None,
        )

        def train(start: int) -> Trained:
            program = free.get()
            try:
                return program([weight[..., start : start + width] for weight in weights], rows)
            finally:
                free.put(program)

        chunks = [pool.submit(train, start) for start in range(0, len(members), width)]
        return _Block(members, seeds, order, chunks)

    def _finish(self, block: _Block) -> Iterator[Runs]:
        """Waits for a block, and sorts its runs by initializer."""
        done = [chunk.result() for chunk in block.chunks]
        history, train_correct, test_correct = (
            np.concatenate([getattr(part, name) for part in done])
            for name in ("history", "train_correct", "test_correct")
        )
        start = 0
        for row, reseeds in _by_initializer(block.members):
            own = slice(start, start + len(reseeds))
            start = own.stop
            yield Runs(
                problem=self._problem.name,
                initializer=row.name,
                reseeds=np.array(reseeds),
                orders=np.full(len(reseeds), block.order),
                seeds=np.array(block.seeds[own]),
                train_score=train_correct[own] / len(self._data.x_train),
                train_total=len(self._data.x_train),
                test_score=test_correct[own] / len(self._data.x_test),
                test_total=len(self._data.x_test),
                history=history[own],
            )

    def _build(self, row: Initializer, initializers: LayerInitializers, global_seed: int) -> Any:
        return build_model(self._keras, self._problem, row, initializers, self._data.input_shape, global_seed)

    def _choose_width(self) -> int:
        """As many members as suit the cache, however few are trained: a full program costs what one ``fit`` does.

        On other backends than TensorFlow as many as there may be: each step costs as much again as its sums.
        """
        if target() != TENSORFLOW:
            return _MOST_MEMBERS
        units = sum(int(np.prod(layer.output.shape[1:])) for layer in self._model.layers)
        weights = sum(weight.size for weight in self._model.get_weights())
        rows = self._problem.rows_per_step(len(self._data.x_train))
        own = 4 * (2 * rows * units + 3 * weights)
        suited = 2 ** int(np.log2(max(1, _CACHE // own)))
        return int(min(max(2 * _LANES, suited), _MOST_MEMBERS))

    def _ready_programs(self, threads: int) -> list[Program | MemberProgram]:
        while len(self._programs) < threads:
            self._programs.append(self._make_program())
        return self._programs[:threads]

    def _make_program(self) -> Program | MemberProgram:
        if target() != TENSORFLOW:
            model = self._build(self._rows[0], LayerInitializers(self._rows[0], 1), 1)
            return MemberProgram(self._keras, self._problem, self._data, model, epochs=self._epochs, width=self._width)
        return Program(self._keras, self._problem, self._data, self._network(), epochs=self._epochs)

    def _network(self) -> Network:
        try:
            return stacked(self._keras, self._model, self._width)
        except UnsuitableError:  # convolutions and their like: one member after another, each in the compiled program
            return single(self._build(self._rows[0], LayerInitializers(self._rows[0], 1), 1))


@dataclass(frozen=True)
class _Members:
    """Initializers × reseeds in order, of which only slices are ever made."""

    rows: Sequence[Initializer]
    reseeds: Sequence[int]

    def __len__(self) -> int:
        return len(self.rows) * len(self.reseeds)

    def part(self, start: int, stop: int) -> list[tuple[Initializer, int]]:
        """The members from ``start`` up to ``stop``."""
        numbers = (divmod(number, len(self.reseeds)) for number in range(start, min(stop, len(self))))
        return [(self.rows[row], self.reseeds[reseed]) for row, reseed in numbers]


def _by_initializer(members: Sequence[tuple[Initializer, int]]) -> Iterator[tuple[Initializer, list[int]]]:
    for _, group in itertools.groupby(members, key=lambda member: member[0].name):
        own = list(group)
        yield own[0][0], [reseed for _, reseed in own]


def _cores() -> int:
    """The processors that this process may use: under pytest-xdist its share of them."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    affinity = getattr(os, "sched_getaffinity", None)  # which macOS and Windows do not have
    there = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, there // workers)


def _require_suitable(keras: Any, problem: Problem, model: Any) -> None:  # noqa: C901 - one guard after another
    """Raises unless weights are all the state that training has, and every optimizer step is each weight's own."""
    if keras.__version__.startswith("2."):
        raise UnsuitableError("Keras 2 has no optimizer that it could share")
    if (floatx := keras.backend.floatx()) != "float32":
        raise UnsuitableError(f"Keras computes losses in {floatx} (floatx), while the engine computes in float32")
    if not model.built:
        raise UnsuitableError(
            f"its model, a {type(model).__name__}, has no weights until it is called; start it with "
            "keras.Input(input_shape)"
        )
    if stateful := find_stateful(keras, model):
        raise UnsuitableError(f"{stateful} may hold more than weights: state, randomness or code of its own")
    if caller := find_others_code(keras, model):
        raise UnsuitableError(f"{caller} calls a function that is not Keras's own, which may keep state or draw")
    optimizer = problem.optimizer(keras)
    if own_code := find_own_code(keras, optimizer):
        raise UnsuitableError(f"{own_code} is not Keras's own, and may keep state or draw")
    settings = optimizer.get_config()
    for name in ("clipnorm", "global_clipnorm", "use_ema", "gradient_accumulation_steps", "loss_scale_factor"):
        if settings.get(name):
            raise UnsuitableError(f"its optimizer sets {name}")
    if not (is_resettable(keras, optimizer) and is_elementwise(keras, optimizer)):
        raise UnsuitableError(f"its optimizer is {type(optimizer).__name__}")
    if getattr(optimizer, "_exclude_from_weight_decay", None) or getattr(
        optimizer, "_exclude_from_weight_decay_pattern", None
    ):
        raise UnsuitableError("its optimizer spares some weights from decay")
    if problem.loss not in LOSSES:
        raise UnsuitableError(f"its loss is neither {' nor '.join(LOSSES)}")
    for layer in model.layers:
        config = layer.get_config()
        extras = [name for name, value in config.items() if name.endswith(("regularizer", "constraint")) and value]
        if extras or not layer.trainable or layer.dtype_policy.name != "float32":
            raise UnsuitableError(f"{named(model, layer)} has {extras[0] if extras else 'another dtype or is fixed'}")
