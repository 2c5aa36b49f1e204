"""Gathers the evidence of the installed framework into a baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Literal

from initcheck.baselines.recording.kept_parts import kept_parts
from initcheck.baselines.recording.parts import Part, merge
from initcheck.baselines.recording.saved_models import record_files
from initcheck.baselines.recording.single_layers import record_layers
from initcheck.baselines.recording.single_steps import record_steps
from initcheck.baselines.records.array_records import ArrayRecord, DrawsRecord, FansRecord, OrderRecord
from initcheck.baselines.records.schema import Baseline, EnvironmentRecord, ProblemRecord
from initcheck.baselines.records.summary import (
    array_record,
    curves_record,
    law_record,
    order_record,
    score_number,
    stage_record,
)
from initcheck.baselines.records.training_records import MOST_RUNS, AccuraciesRecord, ModelRecord, TraceRecord
from initcheck.catalog.cases.initializer_strings import class_name
from initcheck.catalog.cases.kernels import KINDS, layer_case
from initcheck.catalog.cases.layer_defaults import DEFAULTS
from initcheck.catalog.cases.recorded_layers import RECORDED
from initcheck.catalog.cases.recorded_steps import KIND_OF, RECORDED_STEPS, class_of
from initcheck.catalog.initializers import INITIALIZERS, LECTURE_INITIALIZERS, Initializer
from initcheck.catalog.layers.traits.weights import Dims
from initcheck.catalog.own_problems import OWN, OwnProblem
from initcheck.catalog.problems import Problem
from initcheck.catalog.recipes import Feed
from initcheck.engines.ensemble import EnsembleEngine
from initcheck.engines.fit import ReferenceEngine
from initcheck.engines.initial_weights import UnsuitableError
from initcheck.engines.own_runs import OwnEngine
from initcheck.engines.problem_models import training_of
from initcheck.engines.stored import KeptRuns
from initcheck.engines.sweep import Piecewise
from initcheck.engines.validation.problem import validated_data
from initcheck.errors import InitcheckError
from initcheck.evidence.baseline.own_stages import record_stages
from initcheck.evidence.baseline.recorded_draws import (
    DTYPES,
    POOLED_SEEDS,
    default_weights,
    draws_of,
    fit_order,
    kernel_fans,
    pooled_draws,
)
from initcheck.evidence.baseline.shuffled_fit import fit_shuffled
from initcheck.evidence.baseline.stages import StageRecorder
from initcheck.evidence.spread import buildable
from initcheck.frameworks.backends import has_doubles
from initcheck.frameworks.environment import environment
from initcheck.frameworks.memory import require_memory_for_runs
from initcheck.frameworks.public_names import public_names
from initcheck.records import group_runs
from initcheck.seeding import derive_seed, run_seed
from initcheck.store.folder import Store
from initcheck.targets import target

DEFAULT_RESEEDS = 300
MODEL_RESEEDS = 8  # of a user's own model, each by fit
GIVEN = "given weights"
TRACED = (*LECTURE_INITIALIZERS, "glorot_uniform")
_FEEDS = (
    Feed(41, 8),
    Feed(41, 8, steps_per_execution=1),
    Feed(41, 8, container="tensor"),
    Feed(300, 32),
    Feed(41, 8, held_out=0.25),
    Feed(41, 8, shuffle=False),
)
_DIMS = Dims(window=(3, 2, 2), few=4, more=3, size=600)
_DRAWN_VALUES, _LAYER_VALUES, _EPOCHS, _MOST_ROWS = 8, 4, 3, 2000
_MOST_EPOCHS = 15  # of a training that is traced: a stage that differs later has one before it that does

Advance = Callable[[str, int], None]


def steps_of(problems: Sequence[Problem], models: Sequence[OwnProblem] = ()) -> int:
    """The number of times that ``record`` reports an advance."""
    return len(INITIALIZERS) + 6 + len(problems) * (len(TRACED) + 3) + len(models)


def parts_of(problems: Sequence[Problem], reseeds: int | None = None, models: Sequence[OwnProblem] = ()) -> list[Part]:
    """All parts of a baseline, in its order.

    Args:
        problems: The problems to train.
        reseeds: Runs of each problem and initializer for the accuracies, 0 for none; by default what takes seconds.
        models: Models of the user's own to train.
    """
    return [
        *(Part("draws", name) for name in INITIALIZERS),
        *map(Part, ("defaults", "fans", "layers", "steps", "files", "orders")),
        *(Part("problems", problem.name, problem, reseeds) for problem in problems),
        *(Part("models", model.name, reseeds=reseeds, model=model) for model in models),
    ]


def record(
    problems: Sequence[Problem],
    *,
    reseeds: int | None,
    seed: int,
    advance: Advance,
    models: Sequence[OwnProblem] = (),
    store: Store | None = None,
) -> Baseline:
    """The evidence of the installed framework; loads it.

    Args:
        problems: The problems to train.
        reseeds: As in ``parts_of``.
        seed: The root seed of every stream.
        advance: Called with what is done, and how many steps that was.
        models: Models of the user's own to train.
        store: Keeps finished parts, and finished runs of unfinished ones; what it has is not recorded again.

    Raises:
        InitcheckError: No framework, or a problem that cannot be built under any initializer.
    """
    for problem in problems:
        _require_reseeds(problem, reseeds)
    for problem in problems:
        validated_data(problem)  # a mistake is to end it at once, not after minutes of draws
    # Models first: a mistake in one is to end it at once.
    parts = sorted(parts_of(problems, reseeds, models), key=lambda part: part.model is None)
    if store is None:
        return merge([record_part(part, seed=seed, advance=advance) for part in parts])
    return merge(
        kept_parts(
            store,
            parts,
            seed=seed,
            record=lambda part: record_part(part, seed=seed, advance=advance, store=store),
            found=lambda part: advance(f"{part}: in the store", len(TRACED) + 3 if part.problem else 1),
        )
    )


def record_part(part: Part, *, seed: int, advance: Advance, store: Store | None = None) -> Baseline:
    """A baseline of that part alone, the same in any process and in any order.

    A store keeps the runs for accuracies and scores.

    Raises:
        InitcheckError: No framework, or a problem that cannot be built under any initializer.
    """
    empty = record_nothing(seed=seed)
    advance(str(part), 0)
    if part.problem:
        with training_of(part.problem):
            problems = {part.name: _problem(part.problem, part.reseeds, seed, advance, store)}
        return empty.model_copy(update={"problems": problems})
    if part.model:
        made_of = {part.name: _model(part.model, part.reseeds, seed, store)}
        advance(str(part), 1)
        return empty.model_copy(update={"models": made_of})
    makers: dict[str, Callable[[], Mapping[str, object]]] = {
        "draws": lambda: {part.name: {dtype: _draws(INITIALIZERS[part.name], dtype, seed) for dtype in _dtypes()}},
        "defaults": lambda: _defaults(seed),
        "fans": lambda: _fans(seed),
        "layers": lambda: record_layers(seed, RECORDED),
        "steps": lambda: record_steps(seed),
        "files": record_files,
        "orders": lambda: _orders(seed),
    }
    made = makers[part.section]()
    advance(str(part), 1)
    return empty.model_copy(update={part.section: made})


def record_nothing(*, seed: int) -> Baseline:
    """A baseline without any part, but for the environment; loads the framework."""
    where = EnvironmentRecord(**asdict(environment()))
    return Baseline(
        environment=where, seed=seed, draws={}, defaults={}, fans={}, orders={}, problems={}, public=_public()
    )


def _public() -> dict[str, dict[str, bool]]:
    """The framework's public names, and whether anything of them is recorded."""
    recorded = {
        "initializers": {class_name(row) for row in INITIALIZERS.values()},
        "layers": {
            *(case.layer for case in (*DEFAULTS.values(), *KINDS.values())),
            *(case.layer for case in RECORDED.values()),
        },
        **{
            kind: {class_of(case) for case in RECORDED_STEPS.values() if type(case) is made}
            for made, kind in KIND_OF.items()
        },
    }
    names: dict[str, dict[str, bool]] = {}
    for one in public_names():
        names.setdefault(one.kind, {})[one.name] = one.name in recorded.get(one.kind, ())
    return names


def _dtypes() -> list[str]:
    """The float types that the backend has: JAX gives single precision for double, unless asked."""
    return [dtype for dtype in DTYPES if dtype != "float64" or has_doubles(target())]


def _draws(row: Initializer, dtype: str, seed: int) -> DrawsRecord:
    seeds = [derive_seed(seed, "baseline", row.name, number) for number in range(POOLED_SEEDS)]
    pooled = pooled_draws(row, dtype, seeds)
    return DrawsRecord(
        draws={
            name: draw if isinstance(draw, str) else array_record(draw, _DRAWN_VALUES)
            for name, draw in draws_of(row, dtype).items()
        },
        law=law_record(row.law, pooled) if pooled else None,
    )


def _defaults(seed: int) -> dict[str, tuple[ArrayRecord, ...]]:
    by_name = default_weights(
        {name: default.request for name, default in DEFAULTS.items()}, derive_seed(seed, "defaults")
    )
    return {name: tuple(array_record(weight, _LAYER_VALUES) for weight in weights) for name, weights in by_name.items()}


def _fans(seed: int) -> dict[str, FansRecord]:
    records = {}
    for kind, kernel in KINDS.items():
        case = layer_case(kernel, _DIMS)
        fans = kernel_fans(case.request, case.argument, case.weight, derive_seed(seed, "fans", kind))
        if fans is not None:
            records[kind] = FansRecord(fan_in=fans[0], fan_out=fans[1])
    return records


def _orders(seed: int) -> dict[str, OrderRecord]:
    return {_name(feed): _order(feed, derive_seed(seed, "baseline", "order", _name(feed))) for feed in _FEEDS}


def _name(feed: Feed) -> str:
    return feed.name if feed.shuffle else f"{feed.name}-unshuffled"


def _order(feed: Feed, seed: int) -> OrderRecord:
    return order_record(fit_order(feed, seed), feed.trained_rows, feed.batch_size)


def _problem(problem: Problem, reseeds: int | None, seed: int, advance: Advance, store: Store | None) -> ProblemRecord:
    _require_reseeds(problem, reseeds)
    data = validated_data(problem)
    rows = buildable(problem, [INITIALIZERS[name] for name in TRACED])
    feed = Feed(min(len(data.x_train), _MOST_ROWS), problem.batch_size, epochs=_EPOCHS)
    order = _order(feed, derive_seed(seed, "baseline", "order", problem.name))
    advance(f"{problem.name}: order of fit", 1)
    brief = replace(problem, epochs=min(problem.epochs, _MOST_EPOCHS))
    recorder = StageRecorder(brief)
    traces = {row.name: _trace(recorder, row, run_seed(seed, problem.name, row.name, 0), advance) for row in rows}
    advance(problem.name, len(TRACED) - len(rows))
    given = _trace(recorder, rows[-1], run_seed(seed, problem.name, GIVEN, 0), advance, given=True)
    accuracies = _accuracies(problem, rows, reseeds, seed, store)
    advance(f"{problem.name}: accuracies", 1)
    return ProblemRecord(
        held_out_rows=len(data.x_test),
        order=order,
        traces=traces,
        fits=_fits(brief, rows[-1], traces),
        given={GIVEN: given},
        accuracies=accuracies,
    )


def _model(model: OwnProblem, reseeds: int | None, seed: int, store: Store | None) -> ModelRecord:
    engine = OwnEngine(model)
    run = record_stages(engine, run_seed(seed, model.name, OWN.name, 0))
    count = MODEL_RESEEDS if reseeds is None else reseeds
    if count and store is not None:
        (runs,) = KeptRuns(store, Piecewise.of_own(model, engine, None, seed=seed), seed).runs([OWN], count)
        scores = runs.test_score.tolist()
    else:
        scores = [engine.train(OWN, reseed=reseed, seed=seed).test_score for reseed in range(count)]
    return ModelRecord(
        held_out_rows=engine.facts.data.rows[1] if engine.facts.data else 1,
        trace=TraceRecord(
            seed=run.seed,
            steps=run.steps,
            stages={stage: stage_record(arrays, run.deviations.get(stage)) for stage, arrays in run.stages.items()},
        ),
        score=engine.score.name,
        is_share=engine.score.is_share,
        scores=tuple(score_number(score) for score in scores),
    )


def _require_reseeds(problem: Problem, reseeds: int | None) -> None:
    """Refuses before any training what a baseline could not hold, or memory not."""
    if reseeds is None:
        return
    if reseeds > MOST_RUNS:
        raise InitcheckError(f"reseeds is {reseeds:,}; a baseline holds at most {MOST_RUNS:,} of each initializer")
    require_memory_for_runs(reseeds=reseeds, epochs=problem.epochs, cells=len(TRACED))


def _trace(
    recorder: StageRecorder, row: Initializer, seed: int, advance: Advance, *, given: bool = False
) -> TraceRecord:
    run = recorder.train(row, seed, given=given)
    advance(f"trainings from {GIVEN if given else row.name}", 1)
    return TraceRecord(
        seed=run.seed,
        steps=run.steps,
        stages={stage: stage_record(arrays, run.deviations.get(stage)) for stage, arrays in run.stages.items()},
    )


def _fits(problem: Problem, row: Initializer, traces: Mapping[str, TraceRecord]) -> dict[str, TraceRecord]:
    """One training alone: it shows what follows from ``fit``'s order, and costs a compilation."""
    twin = traces[row.name]
    stages = {
        stage: stage_record(arrays, twin.stages[stage].tolerance)
        for stage, arrays in fit_shuffled(problem, row, twin.seed).items()
    }
    return {row.name: TraceRecord(seed=twin.seed, steps=twin.steps, stages=stages)}


def _accuracies(
    problem: Problem, rows: Sequence[Initializer], reseeds: int | None, seed: int, store: Store | None
) -> dict[str, AccuraciesRecord]:
    engine: Literal["ensemble", "reference"] = "ensemble"
    trainer: EnsembleEngine | ReferenceEngine
    try:
        trainer = EnsembleEngine(problem, rows)
        piecewise = Piecewise.of_ensemble(problem, trainer, seed=seed, planned=len(rows) * (reseeds or DEFAULT_RESEEDS))
    except UnsuitableError:
        engine, trainer = "reference", ReferenceEngine(problem)
        piecewise = Piecewise.of_reference(problem, trainer, seed=seed)
    if reseeds is None:
        # Runs fitted one by one would have to be hundreds as well to show anything, which takes minutes.
        reseeds = DEFAULT_RESEEDS if engine == "ensemble" else 0
    if not reseeds:
        return {}
    accuracies = {}
    kept = None if store is None else KeptRuns(store, piecewise, seed)
    for random, count in ((True, reseeds), (False, 1)):
        if chosen := [row for row in rows if row.law.random is random]:
            found = kept.runs(chosen, count) if kept else None
            for runs in found or group_runs(trainer.runs(rows=chosen, reseeds=range(count), seed=seed)):
                accuracies[runs.initializer] = AccuraciesRecord(
                    engine=engine, correct=tuple(runs.test_correct.tolist()), curves=curves_record(runs)
                )
    return {row.name: accuracies[row.name] for row in rows}
