"""The doctor: examines a user's model as it is, its weights, its inference, and whether its training repeats."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import sys
import time
from collections.abc import Callable, Collection, Iterator
from typing import Any

from initcheck.arguments import described, whole_number
from initcheck.engines.identity import identify_model
from initcheck.engines.kept_state import forget_module_state
from initcheck.engines.own_models import OwnData, OwnModel, TrainingOptions, mistakes_in
from initcheck.engines.own_trainings import MOST_STEPS, OwnTrace, TracedModel, TraceTaker
from initcheck.engines.pinned_sources import LISTING_BACKWARDS, SEEDS, ChanceSource, pinned, seeding_noted
from initcheck.engines.process_sources import draw_everywhere
from initcheck.engines.replacing import uses_noted
from initcheck.engines.reseeded_trainings import ReseededTrainings
from initcheck.errors import InitcheckError, StoreError
from initcheck.frameworks.backends import load_target_keras
from initcheck.frameworks.environment import environment
from initcheck.frameworks.own import import_own, origin_of
from initcheck.frameworks.quiet import quiet
from initcheck.models.built_weights import (
    MIN_ELEMENTS,
    OFF_SCALE,
    SEEDS_TRIED,
    any_replaced,
    build_weights,
    count_tested,
    facts_of,
    find_in_weights,
    notes_on_weights,
)
from initcheck.models.diagnosis import Diagnosis, FirstLoss, LayerSignal, ModelFinding, ModelQuestion, ReseededScore
from initcheck.models.fresh_training import FreshTrace, FreshTraining
from initcheck.models.inference import find_in_inference
from initcheck.models.repeats import (
    compare_traces,
    find_in_listing,
    find_in_process,
    find_in_processes,
    find_in_threads,
    find_own_seeding,
)
from initcheck.models.seeds_needed import LEAST, by_interest, score_over_reseeds
from initcheck.models.untrained_passes import find_in_passes
from initcheck.seeding import DEFAULT_SEED, derive_seed
from initcheck.store.folder import Store
from initcheck.store.kept_texts import KeptTexts
from initcheck.store.sweep_questions import SweepQuestion
from initcheck.targets import backend_of, target

DEFAULT_RESEEDS = 8  # trainings: a standard deviation is known within a factor of 2, 95 times of 100
_TIMES_OF_RACES = 5  # trainings where data are made in parallel
_OneOwn = Callable[..., Any] | str


def examine(
    build: _OneOwn,
    data: _OneOwn | None = None,
    *,
    epochs: int = TrainingOptions.epochs,
    batch_size: int | None = None,
    loss: str | None = None,
    optimizer: str | None = None,
    seed: int = DEFAULT_SEED,
    fresh_processes: bool = True,
    reseeds: int = DEFAULT_RESEEDS,
    store: Store | None = None,
) -> Diagnosis:
    """Examines a model; the arguments are those of ``initcheck.doctor``.

    Raises:
        InitcheckError: A mistake in the model or its data, or an argument that cannot be used.
    """
    start = time.monotonic()
    options = _options(epochs, batch_size, loss, optimizer)
    seed = whole_number("seed", seed)
    reseeds = _reseeds(reseeds)
    with _usual_threads():
        own = OwnModel(_own(build, "build"), None if data is None else _own(data, "data"), options)
        keras = load_target_keras()
    forget_module_state()
    with quiet():
        examination = _Examination(keras, own, derive_seed(seed, "doctor"))
        examination.ask(ModelQuestion.WEIGHTS, examination.look_at_weights)
        examination.ask(ModelQuestion.REPETITION, examination.look_at_training)
        examination.ask(ModelQuestion.INFERENCE, examination.look_at_inference)
        examination.ask(ModelQuestion.SIGNAL, examination.look_at_signal)
        examination.look_at_scores(reseeds, store)
        if fresh_processes and not examination.differs:
            names = _name_of(build), None if data is None else _name_of(data)
            examination.ask(ModelQuestion.REPETITION, functools.partial(examination.look_at_processes, *names))
    return Diagnosis(
        findings=tuple(examination.findings),
        notes=tuple(examination.notes),
        weights=tuple(examination.weights),
        looked_at=tuple(examination.looked_at),
        seconds=time.monotonic() - start,
        seed=seed,
        signal=examination.signal,
        first_losses=examination.first_losses,
        scores=examination.scores,
        asked=tuple(dict.fromkeys(examination.asked)),
        examined=_words_for(build, data),
        environment=environment(),
    )


class _Examination:
    """One examination: what was found so far."""

    def __init__(self, keras: Any, own: OwnModel, seed: int) -> None:
        self._keras = keras
        self._own = own
        self._seed = seed
        self._taker = TraceTaker(keras, own, seed)
        self._first: OwnTrace | None = None
        self.findings: list[ModelFinding] = []
        self.notes: list[str] = []
        self.weights: list[Any] = []
        self.looked_at: list[str] = []
        self.differs = False
        self.signal: tuple[LayerSignal, ...] = ()
        self.first_losses: tuple[FirstLoss, ...] = ()
        self.scores: tuple[ReseededScore, ...] = ()
        self.asked: list[ModelQuestion] = []
        self._trained: TracedModel | None = None
        self._loaded = False
        self._parallel = False

    def ask(self, question: ModelQuestion, look: Callable[[], bool | None]) -> None:
        """Looks: what is found answers that question, unless the look says that there was nothing to look at."""
        if look() is not False:
            self.asked.append(question)
        self.findings = [
            dataclasses.replace(one, question=question) if one.question is None else one for one in self.findings
        ]

    def look_at_weights(self) -> None:
        with pinned(self._keras, SEEDS, self._seed), seeding_noted(self._keras) as self._seeded:
            data = self._own.make_data()
            self._paths = [one.path for one in self._own.make_model(self._keras, data)[1]]
        built = build_weights(self._keras, self._own, data, self._seed, self._paths)
        self.weights = [facts_of(weight) for weight in built]
        self.findings += find_in_weights(built)
        self._loaded = any_replaced(built)
        self.notes += notes_on_weights(built)
        tested = f"the scale of {count_tested(built):,} is tested, which have {MIN_ELEMENTS} elements or more"
        self.looked_at.append(f"{len(built):,} weights, over {SEEDS_TRIED + 1} builds of the model: {tested}")

    def look_at_training(self) -> None:
        first = self._taker.take()
        self._first = self._named(first.trace)
        self._trained = first
        draw_everywhere(self._keras)
        times = _TIMES_OF_RACES if first.parallel else 2
        taken = [self._taker.take(SEEDS) for _ in range(times - 1)]
        traces = [self._first, *(self._named(one.trace) for one in taken)]
        again = traces[1]
        datasets = [one.data.x for one in (first, taken[0]) if one.data is not None and one.data.in_batches]
        one_pipeline = len(datasets) == 2 and datasets[0] is datasets[1]
        repetition = compare_traces(traces)
        one_model = bool({id(one) for one in first.model.weights} & {id(one) for one in taken[0].model.weights})
        self._parallel = first.parallel
        self.findings += find_in_process(
            self._take_again, repetition, self._glimpse, one_pipeline=one_pipeline, one_model=one_model
        )
        self.differs = repetition.differs is not None
        steps = f"{len(again.losses)} steps" if again.losses else "its initial weights, as no data are given"
        number = "two" if times == 2 else f"{times}"
        self.looked_at.append(f"{number} trainings in this process: {steps}, at most {MOST_STEPS}")
        if not self.differs:
            self._look_at_own_seeding()
            self._look_at_listing()
            missed = 0.5 ** (times - 1)
            if first.parallel:
                self.notes.append(
                    f"Its data are made in parallel: a race by which half of the trainings differ goes unseen in "
                    f"{times} trainings with probability {missed:.2g}, one of a tenth with {0.9 ** (times - 1):.2g}."
                )

    def look_at_inference(self) -> bool:
        """Whether ways of inference agree, and move nothing; False where there are no data."""
        trained = self._trained
        if trained is None or trained.data is None or self._first is None:
            return False
        findings, notes, moved = find_in_inference(self._keras, dataclasses.replace(trained, trace=self._first))
        # What moves when the model is called has moved by the time that a model of a class is built.
        self.findings = [one for one in self.findings if one.what != OFF_SCALE or one.where not in moved]
        self.findings += findings
        self.notes += notes
        self.looked_at.append("predict, evaluate, a plain call and training=False on one batch")
        return True

    def look_at_signal(self) -> bool:
        """Units, weights, signal, gradients and first loss, by passes over the user's own data.

        False where there are no data, or the probe failed.
        """
        trained = self._trained
        if trained is None or trained.data is None:
            return False
        try:
            with mistakes_in("the probe", "nothing is said of them"):
                found = find_in_passes(self._keras, self._own, trained, self._paths, self._seed, loaded=self._loaded)
        except InitcheckError as error:  # it was trained: what fails is the probe
            self.notes.append(f"Not looked at: units, signal and first loss, as the probe failed: {error}.")
            return False
        self.findings += found.findings
        self.notes += found.notes
        self.looked_at += found.looked_at
        self.signal, self.first_losses = found.signal, found.first_losses
        return True

    def look_at_scores(self, reseeds: int, store: Store | None) -> None:
        """The spread of the model's scores over reseeds; a store keeps the trainings."""
        if self._trained is None or self._trained.data is None or not reseeds:
            return
        trainings = ReseededTrainings(self._keras, self._own, self._trained.data, self._seed)
        texts = None if store is None else self._kept_in(store, self._trained.data)
        try:
            each = trainings.scores(reseeds, texts)
        except StoreError:
            raise
        except InitcheckError as error:
            self.notes.append(
                f"Not looked at: the spread over reseeds, as a training under another seed failed: {error}."
            )
            return
        names = by_interest(name for name in each[0] if all(name in one for one in each))
        self.scores = tuple(score_over_reseeds(name, [one[name] for one in each]) for name in names)
        found = f", {texts.found} of them from the store" if texts is not None and texts.found else ""
        self.looked_at.append(
            f"{len(each)} trainings under unlike seeds on the same data, {trainings.steps} steps each{found}"
        )

    def _kept_in(self, store: Store, data: OwnData) -> KeptTexts | None:
        """Where the store keeps the trainings; None where they depend on more than their seed."""
        if any(part.in_batches for part in (data, data.held_out) if part is not None):
            self.notes.append(
                "Not kept in the store: the trainings under other seeds, as data() makes its own batches, and what a "
                "pass over them gives may depend on the passes before it."
            )
            return None
        trained = {**identify_model(self._keras, self._own, data), "engine": "doctor"}
        question = SweepQuestion.of(trained, seed=self._seed, score=None, environment=environment())
        return KeptTexts(store.answers(question))

    def look_at_processes(self, build: str, data: str | None) -> None:
        if not build or data == "":
            self.notes.append(
                "Not looked at: fresh processes, as no other process can import what is defined in a notebook or "
                "within a function; put it into a module."
            )
            return
        fresh = FreshTraining(build, data, self._own.options, self._seed, environment().threads)

        def take(hashes: str, sources: Collection[ChanceSource]) -> FreshTrace:
            taken = fresh.take([*SEEDS, *sources], hashes, sources)
            return dataclasses.replace(taken, trace=self._named(taken.trace))

        one, two = (take(hashes, ()).trace for hashes in ("first", "second"))
        repetition = compare_traces([one, two])
        self.findings += find_in_processes(repetition, take, (one, two))
        self.looked_at.append("a training in each of two fresh processes, with unlike string hashes")
        if repetition.differs is None:
            self._look_at_threads(fresh, one)
        if repetition.differs is None and self._first is not None and (other := self._first.first_difference(one)):
            self.notes.append(
                f"Fresh processes train equally, and differ from this one, first at: {other[0]}. What was done here "
                "before, or what the module does when it is imported, decides it."
            )

    def _look_at_threads(self, fresh: FreshTraining, usual: OwnTrace) -> None:
        cores, within = os.cpu_count() or 1, fresh.threads[0]
        other = 2 if within == 1 or cores == 1 else 1
        words = f"{other} thread{'s' if other > 1 else ''} in place of {within or 'one for each core'}"
        trace = self._named(dataclasses.replace(fresh, threads=(other, other)).take(SEEDS, "first").trace)
        findings, notes = find_in_threads(usual, trace, words)
        self.findings += findings
        self.notes += notes
        self.looked_at.append(f"a training in a fresh process with {words}")

    def _look_at_listing(self) -> None:
        backwards = [*SEEDS, LISTING_BACKWARDS]
        with uses_noted() as used, pinned(self._keras, backwards, self._seed):
            self._own.make_data()
        if LISTING_BACKWARDS.name in used and self._first is not None:
            self.findings += find_in_listing(self._first, self._take(backwards))
            self.looked_at.append("a training whose data are made from folders that are listed backwards")

    def _look_at_own_seeding(self) -> None:
        if not self._seeded:
            self.notes.append(
                "Nothing that build() and data() call sets a seed: the training repeats after "
                "keras.utils.set_random_seed(SEED), called before both."
            )
            return
        repetition = compare_traces([self._take(()), self._take(())])
        self.findings += find_own_seeding(self._take_again, repetition, self._seeded, self._glimpse)
        self.looked_at.append("two trainings with no seeding but the model's own")

    def _take(self, sources: Collection[ChanceSource]) -> OwnTrace:
        return self._named(self._taker.take(sources).trace)

    def _take_again(self, sources: Collection[ChanceSource]) -> OwnTrace:
        """A training that is compared with others alone: a race has the more chances the more is looked at."""
        return self._named(self._taker.take(sources, rows=self._parallel).trace)

    def _glimpse(self, sources: Collection[ChanceSource]) -> OwnTrace:
        return self._named(self._taker.glimpse(sources))

    def _named(self, trace: OwnTrace) -> OwnTrace:
        """The trace with the weights' paths of the first build, as Keras counts names on."""
        names = self._paths if len(self._paths) == len(trace.weights) else trace.weights
        return OwnTrace(trace.stages, names, trace.losses)


def _options(epochs: int, batch_size: int | None, loss: str | None, optimizer: str | None) -> TrainingOptions:
    for name, value in (("loss", loss), ("optimizer", optimizer)):
        if value is not None and not isinstance(value, str):
            raise InitcheckError(f"{name} is {described(value)}; give the name of one of Keras's")
    size = None if batch_size is None else whole_number("batch_size", batch_size, least=1)
    return TrainingOptions(whole_number("epochs", epochs, least=1), size, loss, optimizer)


def _reseeds(given: int) -> int:
    number = whole_number("reseeds", given, least=0)
    if 0 < number < LEAST:
        raise InitcheckError(f"reseeds is {number}; give {LEAST} or more, or 0 for none")
    return number


def _own(given: _OneOwn, option: str) -> Callable[..., Any]:
    own = import_own(given, option) if isinstance(given, str) else given
    if not callable(own):
        raise InitcheckError(f"{option} is {described(own)}; give a function, or its name, package.module:{option}")
    return own


def _name_of(given: _OneOwn) -> str:
    return given if isinstance(given, str) else origin_of(given)


def _words_for(build: _OneOwn, data: _OneOwn | None) -> str:
    model, *rest = (
        one if isinstance(one, str) else getattr(one, "__qualname__", type(one).__name__)
        for one in (build, data)
        if one is not None
    )
    return ", data ".join((model, *rest))


@contextlib.contextmanager
def _usual_threads() -> Iterator[None]:
    """Lets the framework have as many threads as in the user's own program, if it is started here."""
    names = [f"TF_NUM_{kind}OP_THREADS" for kind in ("INTRA", "INTER")]  # which decide those of other backends, too
    added = [name for name in names if name not in os.environ and backend_of(target()) not in sys.modules]
    os.environ.update(dict.fromkeys(added, "0"))
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
