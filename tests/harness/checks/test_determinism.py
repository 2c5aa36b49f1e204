"""The checks of determinism, on draws and traces made by hand."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from initcheck.catalog.cases.formulas import FORMULAS
from initcheck.catalog.cases.trainings import recipes
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.layers.traits.noises import Fed, NoiseSource
from initcheck.catalog.recipes import Feed, Recipe
from initcheck.catalog.sources import IMAGES, sources
from initcheck.checks import determinism
from initcheck.checks.registry import NotApplicable
from initcheck.digests import digest
from initcheck.evidence.determinism.function_calls import SeededCalls
from initcheck.evidence.determinism.image_draws import SHAPE, ImageDraws, draw_piped
from initcheck.evidence.determinism.repeated_draws import RepeatedDraws
from initcheck.evidence.determinism.unseeded_sources import SourceDraws, find_source
from initcheck.evidence.fresh_process.client import Processes
from initcheck.evidence.trace import Repetition, Trace
from initcheck.frameworks.keras import load_keras
from initcheck.records import Status

ROW = INITIALIZERS["he_normal"]
WAYS = ("again", "another", "from_config", "traced", "traced_again", "in_thread", "after_work")
JUDGES = {
    "again": determinism.judge_calls,
    "another": determinism.judge_instances,
    "from_config": determinism.judge_instances,
    "traced": determinism.judge_function,
    "traced_again": determinism.judge_function,
    "in_thread": determinism.judge_thread,
    "after_work": determinism.judge_after_work,
}


def perturbed(values: Any) -> Any:
    """The values, one of them perturbed by one ulp."""
    values = np.array(values)
    values.ravel()[-1] = np.nextafter(values.ravel()[-1], values.dtype.type(9))
    return values


def values(seed: int = 0, shape: tuple[int, ...] = (4, 3)) -> Any:
    return np.random.RandomState(seed).normal(size=shape).astype(np.float32)


def make_draws() -> RepeatedDraws:
    return RepeatedDraws("float32", (4, 3), *[values() for _ in range(8)])


def make_trace(seed: int = 0) -> Trace:
    return Trace(
        initial_weights=(values(seed), values(seed + 1, (3,))),
        batch_order=np.arange(6),
        first_gradient=(values(seed + 2),),
        first_update=(values(seed + 3), values(seed + 4, (3,))),
        losses=values(seed + 5, (2, 3)),
        accuracies=np.empty(0),
        final_weights=(values(seed + 6), values(seed + 7, (3,))),
        predictions=values(seed + 8),
        predictions_again=values(seed + 8),
    )


@dataclass
class Models:
    """Evidence as given by the test."""

    draws: list[RepeatedDraws] = field(default_factory=lambda: [make_draws()])
    traces: dict[Any, Trace] = field(default_factory=dict)
    sources: dict[str, Any] = field(default_factory=dict)
    breaks_at: int = -1
    starts: Any = None
    calls: Any = None
    noise: Any = None

    def repeated_draws(self, row: Any, asked: Any) -> list[RepeatedDraws]:
        """The draws that were made."""
        return self.draws

    def draws_in_a_row(self, row: Any, shape: Any, calls: int) -> list[Any]:
        """Returns one instance's draw at each call."""
        return [perturbed(values()) if call == self.breaks_at else values() for call in range(calls)]

    def first_draws(self, seeds: Any) -> Any:
        """The first draws that were made."""
        return {"tensorflow": [self.starts(seed) for seed in seeds]}

    def seeded_calls(self, name: str) -> Any:
        """The calls that were made, if any."""
        return self.calls

    def masks(self, *, after_work: bool = False) -> Any:
        """The masks that were made."""
        return self.noise[after_work]

    def trace(
        self,
        recipe: Any,
        *,
        repetition: Repetition = Repetition.FIRST,
        style: str = "sequential",
        stream: int = 0,
    ) -> Trace:
        """The trace that was made, or that of a right framework."""
        return self.traces.get((repetition, style, stream), make_trace(20 * stream))

    def trace_problem(self, problem: Any, row: Any, *, after_work: bool = False) -> Trace:
        """The trace that was made, or that of a right framework."""
        return self.traces.get(after_work, make_trace())

    def source(self, name: str) -> Any:
        """The source that was made, if any."""
        return self.sources.get(name)


@dataclass
class Fresh(Processes):
    """A fresh process whose answers the test gives."""

    digests: dict[str, str] = field(default_factory=dict)

    def answers(self, question: Any, together: Any) -> dict[str, str]:
        """The given digests, for any question."""
        return self.digests


class Lab:
    """A laboratory without a framework."""

    def __init__(self, models: Models | None = None, fresh: dict[str, str] | None = None) -> None:
        self.models = models or Models()
        self.processes = Fresh(fresh or {})
        self.processes._session = self  # type: ignore[assignment] # it is its own session
        self.orders = self

    def seed(self, feed: Feed) -> int:
        """Any seed."""
        return 1

    def stream(self, *names: Any) -> int:
        """Any seed that depends on the names."""
        return len(str(names))

    def once(self, key: Any, make: Any) -> Any:
        """Makes it anew."""
        return make()


def lab(**rest: Any) -> Any:
    return Lab(**rest)


@pytest.mark.parametrize("way", WAYS)
def test_one_ulp_in_one_repetition_fails(way: str) -> None:
    draws = make_draws()
    assert JUDGES[way](lab(), ROW).status is Status.PASS
    broken = Models([draws, replace(draws, **{way: perturbed(draws.first)})])
    verdict = JUDGES[way](lab(models=broken), ROW)
    assert verdict.status is Status.FAIL
    assert "1 of 12 values differ" in verdict.measured


def test_an_instance_that_changes_after_many_calls_fails() -> None:
    assert determinism.judge_calls(lab(models=Models(breaks_at=31)), ROW).status is Status.FAIL


def start(seed: int) -> Any:
    return values(seed % 2**32), values(seed % 2**32)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda seed: start(seed % 2**16),
        lambda seed: start(seed or 1),
        lambda seed: (values(seed % 2**32), values(1) if seed == 0 else values(seed % 2**32)),
    ],
    ids=["16 bits", "no 0", "0 does not repeat"],
)
def test_global_seeds_start_streams_of_their_own(wrong: Any) -> None:
    assert determinism.judge_global_seeds(lab(models=Models(starts=start)), "tensorflow").status is Status.PASS
    assert determinism.judge_global_seeds(lab(models=Models(starts=wrong)), "tensorflow").status is Status.FAIL


def integers(seed: int) -> Any:
    return np.random.RandomState(seed).randint(3, 8, 4000)


@pytest.mark.parametrize(
    "changes",
    [
        {"again": integers(2)},
        {"after_work": integers(2)},
        {"other": integers(1)},
        {"other": np.minimum(integers(2), 6)},
        {"other": np.append(integers(2)[1:], 8)},
        {"traced": integers(2)},
        {"piped": integers(2)},
    ],
    ids=["again", "after work", "same seed", "no largest", "beyond", "in a graph", "in a pipeline"],
)
def test_a_seeded_function_repeats_and_reaches_its_whole_range(changes: Any) -> None:
    one = integers(1)
    right = SeededCalls(one, one, one, integers(2), one, one)
    assert determinism.judge_function_seeds(lab(models=Models(calls=right)), "randint").status is Status.PASS
    wrong = replace(right, **changes)
    assert determinism.judge_function_seeds(lab(models=Models(calls=wrong)), "randint").status is Status.FAIL


def test_functions_of_real_numbers_and_permutations_have_ranges_too() -> None:
    stream = np.random.RandomState(1)
    numbers, order = [stream.uniform(2, 5, 4000) for _ in range(2)], [stream.permutation(4000) for _ in range(2)]
    drawn: dict[str, Any] = {"uniform": numbers, "shuffle": order}
    for name, (one, other) in drawn.items():
        right = SeededCalls(one, one, one, other, one, one)
        assert determinism.judge_function_seeds(lab(models=Models(calls=right)), name).status is Status.PASS
        advancing = replace(right, advancing=(one, other, one))
        assert determinism.judge_function_seeds(lab(models=Models(calls=advancing)), name).status is Status.PASS
        for wrong in (
            replace(right, other=other * 0 + 3),
            replace(right, advancing=(one, one, one)),
            replace(right, advancing=(one, other, other)),
        ):
            assert determinism.judge_function_seeds(lab(models=Models(calls=wrong)), name).status is Status.FAIL
    with pytest.raises(NotApplicable, match=r"has no keras\.random\.uniform"):
        determinism.judge_function_seeds(lab(), "uniform")


def test_noise_is_new_at_every_step_and_repeats() -> None:
    drawn = [values(seed) for seed in range(6)]
    noise = {"Dropout": {"seeded": drawn}}
    restarts = {"Dropout": {"seeded": drawn[:3] * 2}}
    other = {"Dropout": {"seeded": [*drawn[:5], values(9)]}}
    assert determinism.judge_masks(lab(models=Models(noise=(noise, noise))), "Dropout").status is Status.PASS
    wrong: Any
    for wrong in ((restarts, restarts), (noise, other), ({"Dropout": {"seeded": []}},) * 2, ({}, {})):
        assert determinism.judge_masks(lab(models=Models(noise=wrong)), "Dropout").status is Status.FAIL


SOURCE = NoiseSource(layer="RandomFlip", fed=Fed.IMAGES)
SHARED = replace(SOURCE, shared=True)


def batch(seed: int, *, halves_differ: bool = True) -> Any:
    half = values(seed, (2, 3, 3, 1))
    return np.concatenate([half, values(seed + 50, (2, 3, 3, 1)) if halves_differ else half])


def judge_images(drawn: Any, source: NoiseSource = SOURCE, *, piped: bool = False, lacking: str = "") -> Status:
    models = SimpleNamespace(
        lacking=lambda source: lacking,
        image_draws=lambda source: drawn,
        piped_images=lambda source, sources: drawn,
    )
    return determinism.judge_image_draws(lab(models=models), (source, piped)).status


def test_images_repeat_under_their_seed_and_differ_in_all_else() -> None:
    one, two, three = batch(1), batch(2), batch(3)
    right = ImageDraws((one, two), (one, two), three)
    assert judge_images(right) is judge_images(replace(right, other=None), piped=True) is Status.PASS
    for wrong in (
        replace(right, again=(one, perturbed(two))),
        replace(right, first=(one, one), again=(one, one)),
        replace(right, other=one),
        replace(right, zeros=(one, two)),
    ):
        assert judge_images(wrong) is judge_images(wrong, piped=True) is Status.FAIL
    assert judge_images(replace(right, zeros=(one, one.copy()))) is Status.PASS
    cut = replace(SOURCE, arguments={"height": SHAPE[0], "width": SHAPE[1] - 1}, crops=True)
    assert judge_images(replace(right, places=frozenset({(0, 0), (0, 1)})), cut) is Status.PASS
    assert judge_images(replace(right, places=frozenset({(0, 0)})), cut) is Status.FAIL
    with pytest.raises(NotApplicable, match="has no RandomFlip"):
        judge_images(right, lacking="RandomFlip")
    with pytest.raises(NotApplicable, match="no generators"):
        judge_images(None, piped=True)


def test_images_of_a_batch_share_a_draw_where_that_is_documented_alone() -> None:
    one, two = (batch(seed, halves_differ=False) for seed in (1, 2))
    alike = ImageDraws((one, two), (one, two))
    assert judge_images(alike, SHARED) is Status.PASS
    assert judge_images(alike) is Status.FAIL
    own = ImageDraws((batch(1), batch(2)), (batch(1), batch(2)))
    assert judge_images(own, SHARED) is Status.FAIL


@pytest.mark.parametrize(
    "wrong", [{("model", None): True}, {("layer", None): True}, {("model", True): False}, {("model", False): True}]
)
def test_the_layers_before_do_not_decide_about_training(wrong: dict[Any, bool]) -> None:
    right: dict[Any, Any] = {(place, given): given for place in ("model", "layer") for given in (None, True, False)}

    def judge(seen: Any, lacking: str = "") -> Status:
        layers = SimpleNamespace(lacking=lambda case: lacking, training_seen=lambda case, fixed: seen)
        return determinism.judge_training_seen(SimpleNamespace(layers=layers), (FORMULAS[0], False)).status

    assert judge(right) is judge(right | {("model", None): False}) is Status.PASS
    assert judge(right | wrong) is Status.FAIL
    with pytest.raises(NotApplicable):
        judge(right, "Dense")


def test_a_pipeline_that_one_layer_breaks_is_divided() -> None:
    keras = load_keras()
    broken = replace(SOURCE, layer="Dense")  # takes no seed
    drawn = draw_piped(keras, [SOURCE, broken], 7)
    assert isinstance(drawn["Dense"], Exception)
    assert isinstance(drawn[SOURCE.layer], ImageDraws)


def test_a_pipeline_takes_as_many_batches_as_distinguish_two_draws() -> None:
    """One place of fifteen is met twice by one root seed in fifteen; two layers of one seed cut at the same six."""
    cropping = next(source for source in IMAGES.values() if source.crops)
    drawn = draw_piped(load_keras(), [SOURCE, cropping], 1016)
    assert drawn[SOURCE.layer].first[0].shape[0] == SOURCE.calls == 1
    assert drawn[cropping.layer].first[0].shape[0] == cropping.calls > 1
    assert not np.array_equal(*drawn[cropping.layer].first)


def test_the_sign_of_zero_is_a_bit() -> None:
    draws = replace(make_draws(), first=np.zeros(3), again=-np.zeros(3))
    assert determinism.judge_calls(lab(models=Models([draws])), ROW).status is Status.FAIL


def test_a_fresh_process_must_give_the_same_digests() -> None:
    draws = make_draws()
    same = {draws.name: draws.digest()}
    other = {draws.name: digest([perturbed(draws.first)])}
    assert determinism.judge_draws_in_fresh_process(lab(fresh=same), ROW).status is Status.PASS
    assert determinism.judge_draws_in_fresh_process(lab(fresh=other), ROW).status is Status.FAIL
    assert determinism.judge_draws_in_fresh_process(lab(fresh={"raised": "E"}), ROW).status is Status.FAIL


def test_an_initializer_that_no_other_process_can_import_is_not_judged_there() -> None:
    class Own:
        pass

    with pytest.raises(NotApplicable, match="import"):
        determinism.judge_draws_in_fresh_process(lab(), replace(ROW, made_by=Own))


def make_source() -> SourceDraws:
    first, other = (values(1), values(2)), (values(3), values(4))
    return SourceDraws(first, other, first, other, values(5))


SOURCE_JUDGES = (determinism.judge_global_seed, determinism.judge_stream_moves)


def test_a_source_that_repeats_and_moves_passes() -> None:
    fake = lab(models=Models(sources={"numpy": make_source()}), fresh=make_source().digests())
    for judge in (*SOURCE_JUDGES, determinism.judge_global_seed_in_fresh_process):
        assert judge(fake, "numpy").status is Status.PASS
        with pytest.raises(NotApplicable, match="has no missing"):
            judge(fake, "missing")


@pytest.mark.parametrize("what", ["again", "other_again"])
@pytest.mark.parametrize("draw", [0, 1])
def test_a_source_that_keeps_an_earlier_seed_fails(what: str, draw: int) -> None:
    source = make_source()
    pair = list(getattr(source, what))
    pair[draw] = perturbed(pair[draw])
    changes: dict[str, Any] = {what: tuple(pair)}
    models = Models(sources={"numpy": replace(source, **changes)})
    assert determinism.judge_global_seed(lab(models=models), "numpy").status is Status.FAIL


def test_a_source_that_does_not_advance_fails() -> None:
    source = make_source()
    broken = ({"first": (values(1), values(1))}, {"other": source.first}, {"beside": source.first[1]})
    for still in (replace(source, **traits) for traits in broken):
        models = Models(sources={"numpy": still})
        assert determinism.judge_stream_moves(lab(models=models), "numpy").status is Status.FAIL


def test_python_and_numpy_are_compared_with_their_own_generators() -> None:
    fake = lab()
    python = random.Random(fake.stream("source", "python"))
    numpy = np.random.RandomState(fake.stream("source", "numpy"))
    right = {
        "python": replace(make_source(), first=(np.array([python.random() for _ in range(9)]), values())),
        "numpy": replace(make_source(), first=(numpy.random_sample(9), values())),
    }
    assert determinism.judge_generators(lab(models=Models(sources=right)), None).status is Status.PASS
    wrong = {**right, "numpy": right["python"]}
    assert determinism.judge_generators(lab(models=Models(sources=wrong)), None).status is Status.FAIL


RECIPE = Recipe("made-up", (3,), ())
STAGES = ("initial_weights", "first_update", "final_weights")


def test_a_training_that_repeats_passes() -> None:
    same = make_trace().digests()
    assert determinism.judge_training(lab(), RECIPE).status is Status.PASS
    assert determinism.judge_styles(lab(), RECIPE).status is Status.PASS
    assert determinism.judge_training_varies(lab(), RECIPE).status is Status.PASS
    assert determinism.judge_training_in_fresh_process(lab(fresh=same), RECIPE).status is Status.PASS
    assert determinism.judge_problem(lab(), RECIPE).status is Status.PASS


@pytest.mark.parametrize("stage", STAGES)
def test_a_training_one_bit_off_fails_at_that_stage(stage: str) -> None:
    right = make_trace()
    arrays = getattr(right, stage)
    changes: dict[str, Any] = {stage: (arrays[0], perturbed(arrays[1]))}
    wrong = replace(right, **changes)
    judged = {
        determinism.judge_training: (Repetition.AFTER_WORK, "sequential", 0),
        determinism.judge_styles: (Repetition.FIRST, "subclassed", 0),
        determinism.judge_int_seeds: (Repetition.OTHER_GLOBAL_SEED, "sequential", 0),
        determinism.judge_problem: 1,
    }
    for judge, key in judged.items():
        verdict = judge(lab(models=Models(traces={key: wrong})), RECIPE)
        assert verdict.status is Status.FAIL
        assert stage.replace("_", " ") in verdict.measured
    verdict = determinism.judge_training_in_fresh_process(lab(fresh=wrong.digests()), RECIPE)
    assert verdict.status is Status.FAIL


@pytest.mark.parametrize("stage", ["losses", "predictions", "batch_order"])
def test_other_stages_count_too(stage: str) -> None:
    right = make_trace()
    array = getattr(right, stage)
    wrong = replace(right, **{stage: array[::-1] if stage == "batch_order" else perturbed(array)})
    assert (
        determinism.judge_training(
            lab(models=Models(traces={(Repetition.AFTER_WORK, "sequential", 0): wrong})), RECIPE
        ).status
        is Status.FAIL
    )


def test_predictions_that_change_at_a_second_call_fail() -> None:
    wrong = replace(make_trace(), predictions_again=perturbed(make_trace().predictions))
    assert (
        determinism.judge_training(
            lab(models=Models(traces={(Repetition.FIRST, "sequential", 0): wrong})), RECIPE
        ).status
        is Status.FAIL
    )


def test_a_training_that_moves_nothing_fails() -> None:
    idle = replace(make_trace(), final_weights=make_trace().initial_weights)
    assert (
        determinism.judge_training(
            lab(models=Models(traces={(Repetition.FIRST, "sequential", 0): idle})), RECIPE
        ).status
        is Status.FAIL
    )


def test_a_training_that_is_the_same_under_another_seed_fails() -> None:
    same = Models(traces={(Repetition.FIRST, "sequential", 1): make_trace()})
    assert determinism.judge_training_varies(lab(models=same), RECIPE).status is Status.FAIL


def test_sources_are_those_of_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    of_tensorflow = sources()
    monkeypatch.setenv("INITCHECK_TARGET", "keras:torch")
    assert set(sources()) - set(of_tensorflow) == {"torch", "torch shuffle"}
    monkeypatch.setenv("INITCHECK_TARGET", "keras:jax")
    assert sources() == of_tensorflow


def test_where_nothing_is_compiled_there_is_nothing_to_compare() -> None:
    fake = lab(models=Models(draws=[replace(make_draws(), traced=None, traced_again=None)]))
    with pytest.raises(NotApplicable, match="compiles nothing"):
        determinism.judge_function(fake, ROW)


def test_compiled_calls_of_jax_agree_within_rounding_and_others_bit_by_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = np.random.RandomState(0).uniform(2, 5, 4000).astype(np.float32)
    other = np.random.RandomState(1).uniform(2, 5, 4000).astype(np.float32)
    near = SeededCalls(numbers, numbers, numbers, other, np.nextafter(numbers, np.float32(9)), None)
    monkeypatch.setenv("INITCHECK_TARGET", "keras:jax")
    assert determinism.judge_function_seeds(lab(models=Models(calls=near)), "uniform").status is Status.PASS
    far = replace(near, traced=other)
    assert determinism.judge_function_seeds(lab(models=Models(calls=far)), "uniform").status is Status.FAIL
    monkeypatch.setenv("INITCHECK_TARGET", "keras:torch")
    assert determinism.judge_function_seeds(lab(models=Models(calls=near)), "uniform").status is Status.FAIL


def test_every_named_source_can_be_looked_up_without_a_framework_where_it_needs_none() -> None:
    for name in sources():
        if name.split()[0] in {"initializer", "kernel", "python", "numpy"}:
            assert callable(find_source(None, name))


def test_recipes_travel_as_json() -> None:
    import json

    for recipe in recipes():
        assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


def test_every_kind_of_training_is_drawn() -> None:
    names = {recipe.name for recipe in recipes()}
    assert names == {"unseeded", "seeded", "unseeded-graph", "seeded-graph", "convolution", "recurrent", "embedding"}
