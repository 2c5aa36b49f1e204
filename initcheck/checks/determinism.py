"""Determinism: the same seed gives the same bits."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.catalog.cases.feeds import feeds
from initcheck.catalog.cases.formulas import FORMULAS
from initcheck.catalog.cases.seed_values import LOWER, UPPER, random_seeds
from initcheck.catalog.cases.trainings import recipes
from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.catalog.layers import select
from initcheck.catalog.layers.traits.computing import FormulaCase
from initcheck.catalog.layers.traits.noises import Fed, NoiseSource
from initcheck.catalog.problems import PROBLEMS, Problem
from initcheck.catalog.recipes import Recipe
from initcheck.catalog.sources import FUNCTIONS, STEPWISE, global_generators, sources
from initcheck.checks.bits import bitwise_equal, first_digest_mismatch, first_divergence, mismatch
from initcheck.checks.registry import NotApplicable, Subject, check, over_initializers, require
from initcheck.evidence.determinism.image_draws import SHAPE, ImageDraws
from initcheck.evidence.trace import Repetition
from initcheck.frameworks.instances import dtypes_of
from initcheck.frameworks.libraries.chosen import offered_rows
from initcheck.oracle.rounding import UNIT_OF
from initcheck.records import Status, Verdict, failed, passed
from initcheck.targets import ANY, KERAS, TENSORFLOW, backend_of, target

if TYPE_CHECKING:
    from initcheck.evidence.determinism.function_calls import SeededCalls
    from initcheck.evidence.determinism.repeated_draws import RepeatedDraws
    from initcheck.evidence.determinism.unseeded_sources import SourceDraws
    from initcheck.evidence.fresh_process.client import Processes
    from initcheck.evidence.lab import Lab

SIDES = ("height", "width")
EXACT = "no tolerance: bits are compared"
_ALL_SOURCES = [Subject(name.replace(" ", "-"), name) for name in sources()]
_RECIPES = [Subject(recipe.name, recipe) for recipe in recipes()]
_SEEDED = [subject for subject in _RECIPES if subject.value.seeded]
_EAGER_DENSE = [subject for subject in _RECIPES if subject.name in ("seeded", "unseeded")]
# Kernels of several ranks; one of many elements, which is put together in blocks, and one that has none.
_SHAPES: tuple[tuple[int, ...], ...] = ((7, 5), (3, 3, 2, 6), (11,), (2, 0), (130, 67))
_CALLS = 40


def dtypes_and_shapes(row: Initializer) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The dtypes and shapes drawn: every shape that the row admits, and one in every other type that it is drawn in."""
    first, *others = dtypes_of(row)
    # Whether a library draws what is empty is for LAW10.
    shapes = tuple(
        (first, shape) for shape in _SHAPES if row.law.allows(shape) and (backend_of(target()) or 0 not in shape)
    )
    return (*shapes, *((dtype, _SHAPES[0]) for dtype in others))


def _repeated(lab: Lab, row: Initializer) -> list[RepeatedDraws]:
    return lab.models.repeated_draws(row, dtypes_and_shapes(row))


def _judge_draws(lab: Lab, row: Initializer, ways: Sequence[str]) -> Verdict:
    return judge_repeats(row, _repeated(lab, row), ways)


def judge_repeats(row: Initializer, draws: Sequence[RepeatedDraws], ways: Sequence[str]) -> Verdict:
    """Judges whether the draws made in those ways (fields of ``RepeatedDraws``) are bitwise equal to the first ones."""
    for draw in draws:
        for way in ways:
            first, other = draw.traced if way == "traced_again" else draw.first, getattr(draw, way)
            if first is None or other is None:
                raise NotApplicable(f"{target()} compiles nothing by default")
            if not (_same_stream if way == "traced" else bitwise_equal)(first, other):
                measured = f"{row.name} {draw.name}, {way.replace('_', ' ')}: {mismatch(first, other)}"
                return failed(measured, "the bits of the first draw", bound=EXACT)
    return passed(f"{row.name}: {len(draws)} draws repeat bit by bit", bound=EXACT, n=len(draws))


@check(
    "DET01",
    "An initializer with an int seed gives the same values at every call.",
    on=ANY,
    subjects=over_initializers(),
    takes="initializer",
)
def judge_calls(lab: Lab, row: Initializer) -> Verdict:
    """Judges the second call of one instance, which comes after draws of other shapes and types, and 40 in a row."""
    verdict = _judge_draws(lab, row, ("again",))
    if verdict.status is not Status.PASS:
        return verdict
    shape = dtypes_and_shapes(row)[0][1]
    first, *others = lab.models.draws_in_a_row(row, shape, _CALLS)
    for number, other in enumerate(others, 2):
        if not bitwise_equal(first, other):
            return failed(f"{row.name}, call {number}: {mismatch(first, other)}", "the bits of the first", bound=EXACT)
    return verdict


@check(
    "DET02",
    "Initializers with the same int seed draw the same values, and so does one rebuilt from a configuration.",
    on=KERAS,
    subjects=over_initializers(),
    takes="initializer",
)
def judge_instances(lab: Lab, row: Initializer) -> Verdict:
    """Judges a second instance and one made from the first one's configuration."""
    return _judge_draws(lab, row, ("another", "from_config"))


@check(
    "DET03",
    "An int seed draws the same values eagerly and in a tf.function.",
    on=KERAS,
    subjects=over_initializers(),
    takes="initializer",
)
def judge_function(lab: Lab, row: Initializer) -> Verdict:
    """Judges the first and second call of a traced function."""
    return _judge_draws(lab, row, ("traced", "traced_again"))


@check(
    "DET04",
    "An int seed draws the same values after any other random work and under any global seed.",
    on=ANY,
    subjects=over_initializers(),
    takes="initializer",
)
def judge_after_work(lab: Lab, row: Initializer) -> Verdict:
    """Judges a new instance after unrelated random work."""
    return _judge_draws(lab, row, ("after_work",))


@check(
    "DET05",
    "An int seed draws the same values in a fresh process.",
    on=ANY,
    subjects=over_initializers(),
    takes="initializer",
)
def judge_draws_in_fresh_process(lab: Lab, row: Initializer) -> Verdict:
    """Judges the draws of a process with other string hashes, which has done nothing else."""
    question = lab.processes.about_draws(row, dtypes_and_shapes(row))
    if question is None:
        raise NotApplicable(f"another process cannot import {row.name}: define its class in a module")
    here = {draw.name: draw.digest() for draw in _repeated(lab, row)}
    return judge_fresh(lab, row.name, question, here)


def _source(lab: Lab, name: str) -> SourceDraws:
    draws = lab.models.source(name)
    if draws is None:
        raise NotApplicable(f"{target()} as installed has no {name}")
    return draws


def _judge_source(lab: Lab, name: str, compare: Callable[[Any], str]) -> Verdict:
    draws = _source(lab, name)
    problem = compare(draws)
    if problem:
        return failed(f"{name}: {problem}", "the documented repetition", bound=EXACT)
    return passed(f"{name}: as documented", bound=EXACT)


@check(
    "DET06",
    "set_random_seed repeats every unseeded draw, whatever seed was set before.",
    on=KERAS,
    subjects=_ALL_SOURCES,
)
def judge_global_seed(lab: Lab, name: str) -> Verdict:
    """Judges two draws under seeds A, B, A, B, with other random work between."""

    def compare(draws: Any) -> str:
        for seed, one, two in (("A", draws.first, draws.again), ("B", draws.other, draws.other_again)):
            for which, mine, yours in zip(("first", "second"), one, two, strict=True):
                if not bitwise_equal(mine, yours):
                    return f"{which} draw under seed {seed}, seeded anew: {mismatch(mine, yours)}"
        return ""

    return _judge_source(lab, name, compare)


@check(
    "DET07",
    "Under set_random_seed, successive draws differ, and so do the draws of other layers and under other seeds.",
    on=KERAS,
    subjects=_ALL_SOURCES,
)
def judge_stream_moves(lab: Lab, name: str) -> Verdict:
    """Judges that draws differ where they should; each has thirty random bits or more, so none agree by chance."""

    def compare(draws: Any) -> str:
        if bitwise_equal(*draws.first) or bitwise_equal(*draws.other):
            return "two draws in a row are the same"
        if bitwise_equal(draws.first[0], draws.other[0]):
            return "the draws under two seeds are the same"
        if draws.beside is not None and any(bitwise_equal(one, draws.beside) for one in draws.first):
            return "two layers draw the same"
        return ""

    return _judge_source(lab, name, compare)


@check("DET08", "set_random_seed gives the same draws in a fresh process.", on=KERAS, subjects=_ALL_SOURCES)
def judge_global_seed_in_fresh_process(lab: Lab, name: str) -> Verdict:
    """Judges two draws in a row in a fresh process, which has had no earlier seed."""
    draws = _source(lab, name)
    return judge_fresh(lab, name, lab.processes.about_source(name), draws.digests())


@check("DET09", "set_random_seed seeds Python's and NumPy's global generators with the same integer.", on=KERAS)
def judge_generators(lab: Lab, _: None) -> Verdict:
    """Judges ``random`` and ``numpy.random`` against generators of their own with that seed."""
    seed = lab.stream("source", "python"), lab.stream("source", "numpy")
    python = random.Random(seed[0])
    expected = {
        "python": np.array([python.random() for _ in range(9)]),
        "numpy": np.random.RandomState(seed[1]).random_sample(9),
    }
    for name, values in expected.items():
        drawn = _source(lab, name).first[0]
        if not bitwise_equal(drawn, values):
            return failed(f"{name}: {mismatch(drawn, values)}", f"{name}'s own draws under that seed", bound=EXACT)
    return passed("Python and NumPy draw as under that seed", bound=EXACT)


@check(
    "DET10",
    "A training repeats after other random work: weights, losses and predictions are bitwise equal.",
    on=KERAS,
    subjects=_RECIPES,
)
def judge_training(lab: Lab, recipe: Recipe) -> Verdict:
    """Judges two trainings stage by stage, where they move something: all kernels, by finite losses."""
    one, two = lab.models.trace(recipe), lab.models.trace(recipe, repetition=Repetition.AFTER_WORK)
    pairs = enumerate(zip(one.initial_weights, one.final_weights, strict=True))
    still = [number for number, (before, after) in pairs if before.ndim > 1 and bitwise_equal(before, after)]
    if still or not np.all(np.isfinite(one.losses)):
        measured = f"{recipe.name}: kernels {still} do not move, losses {one.losses.ravel()}"
        return failed(measured, "kernels that move by finite losses", bound=EXACT)
    divergence = first_divergence(one.stages(), two.stages())
    if not divergence and not bitwise_equal(one.predictions, one.predictions_again):
        divergence = f"predict called twice: {mismatch(one.predictions, one.predictions_again)}"
    if divergence:
        return failed(f"{recipe.name}: {divergence}", "the same bits at every stage", bound=EXACT)
    return passed(f"{recipe.name}: {len(one.stages())} stages repeat bit by bit", bound=EXACT)


@check("DET11", "A training repeats in a fresh process.", on=KERAS, subjects=_RECIPES)
def judge_training_in_fresh_process(lab: Lab, recipe: Recipe) -> Verdict:
    """Judges the digests of all stages."""
    return judge_fresh(lab, recipe.name, lab.processes.about_trace(recipe), lab.models.trace(recipe).digests())


@check(
    "DET12",
    "Sequential, functional and subclassed models of the same layers train to bitwise equal weights.",
    on=KERAS,
    subjects=_SEEDED,
)
def judge_styles(lab: Lab, recipe: Recipe) -> Verdict:
    """Judges int-seeded layers put together in three ways."""
    sequential = lab.models.trace(recipe)
    for style in ("functional", "subclassed"):
        divergence = first_divergence(sequential.stages(), lab.models.trace(recipe, style=style).stages())
        if divergence:
            return failed(f"{recipe.name}, {style}: {divergence}", "the sequential model's bits", bound=EXACT)
    return passed(f"{recipe.name}: three styles agree bit by bit", bound=EXACT)


@check("DET15", "With an int seed in every layer, the global seed has no effect.", on=KERAS, subjects=_SEEDED)
def judge_int_seeds(lab: Lab, recipe: Recipe) -> Verdict:
    """Judges two trainings on rows in their order, under two global seeds, stage by stage."""
    other = lab.models.trace(recipe, repetition=Repetition.OTHER_GLOBAL_SEED)
    divergence = first_divergence(lab.models.trace(recipe).stages(), other.stages())
    if divergence:
        return failed(f"{recipe.name}: {divergence}", "the same bits under another global seed", bound=EXACT)
    return passed(f"{recipe.name}: trainings under two global seeds are bitwise equal", bound=EXACT)


@check("DET13", "Different seeds give different trainings.", on=KERAS, subjects=_EAGER_DENSE)
def judge_training_varies(lab: Lab, recipe: Recipe) -> Verdict:
    """Judges that draws, losses, trained weights and predictions differ: a check of equal bits can fail."""
    one, other = lab.models.trace(recipe).stages(), lab.models.trace(recipe, stream=1).stages()
    for stage in ("initial weights", "batch losses", "final weights", "predictions"):
        if not first_divergence({stage: one[stage]}, {stage: other[stage]}):
            return failed(f"{recipe.name}: {stage} are the same under two seeds", "others", bound=EXACT)
    return passed(f"{recipe.name}: two seeds differ at every stage", bound=EXACT)


@check(
    "DET14",
    "The training of a problem repeats, after other random work.",
    on=KERAS,
    subjects=[Subject(name, PROBLEMS[name]) for name in ("iris", "xor")],
    takes="problem",
)
def judge_problem(lab: Lab, problem: Problem) -> Verdict:
    """Judges the first twelve batches of the problem's own model, loss and optimizer, stage by stage."""
    row = INITIALIZERS["glorot_uniform"]
    one, two = lab.models.trace_problem(problem, row), lab.models.trace_problem(problem, row, after_work=True)
    divergence = first_divergence(one.stages(), two.stages())
    if divergence:
        return failed(f"{problem.name}: {divergence}", "the same bits at every stage", bound=EXACT)
    return passed(f"{problem.name}: {len(one.stages())} stages repeat bit by bit", bound=EXACT)


@check(
    "DET16",
    "An int seed draws the same values in another thread.",
    on=ANY,
    subjects=over_initializers(),
    takes="initializer",
)
def judge_thread(lab: Lab, row: Initializer) -> Verdict:
    """Judges a new instance in a thread other than the main one, in which data pipelines and servers draw."""
    return _judge_draws(lab, row, ("in_thread",))


@check(
    "DET17",
    "Distinct integers given to set_random_seed, 0 included, start distinct streams, and each restarts its own.",
    on=KERAS,
    subjects=[Subject(name, name) for name in global_generators()],
)
def judge_global_seeds(lab: Lab, name: str) -> Verdict:
    """Judges nine numbers under each seed, at the bounds of every integer width and at random."""
    seeds = tuple(dict.fromkeys((*LOWER, *UPPER, *random_seeds(lab.stream, "global"))))
    draws = lab.models.first_draws(seeds).get(name)
    if draws is None:
        raise NotApplicable(f"{target()} as installed has no {name}")
    owners: dict[bytes, int] = {}
    for seed, (first, again) in zip(seeds, draws, strict=True):
        if not bitwise_equal(first, again):
            return failed(f"{name}, seed {seed}: {mismatch(first, again)}", "the same draws again", bound=EXACT)
        owner = owners.setdefault(first.tobytes(), seed)
        if owner != seed:
            return failed(f"{name}: seeds {owner} and {seed} draw the same", "others", bound=EXACT)
    return passed(f"{name}: {len(seeds)} seeds start {len(owners)} streams", bound=EXACT, n=len(seeds))


# Bounds of the least of 4000 values, and of the largest: a correct function fails with a probability below 1e-12.
_REACH = {
    "normal": (-15.0, 1.0, 5.0, 21.0),
    "uniform": (2.0, 2.1, 4.9, 5.0),
    "truncated_normal": (0.0, 0.1, 1.9, 2.0),
    "gamma": (0.0, 0.5, 4.0, 60.0),
    "beta": (0.0, 0.2, 0.8, 1.0),
}
_VALUES = {"randint": {3, 4, 5, 6, 7}, "categorical": {0, 1, 2, 3, 4}, "dropout": {0, 4}, "binomial": {0, 1, 2, 3}}


@check(
    "DET18",
    "A function of keras.random repeats under the same int seed, advances a SeedGenerator, and covers its whole range.",
    on=KERAS,
    subjects=[Subject(name, name) for name in FUNCTIONS],
)
def judge_function_seeds(lab: Lab, name: str) -> Verdict:
    """Judges calls in a row, a call after other random work, and the least and largest of 4000 values."""
    calls = lab.models.seeded_calls(name)
    if calls is None:
        raise NotApplicable(f"this version of Keras has no keras.random.{name}")
    if problem := _seed_problem(calls) or _range_problem(name, calls):
        return failed(f"{name}{problem}", "its documentation", bound=EXACT)
    return passed(f"{name}: repeats, and reaches its whole range", bound=EXACT, n=calls.first.size)


def _same_stream(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether bits are equal; on JAX, whether numbers are so near that no other stream explains it.

    XLA joins the operations of a compiled function, in another order than they have by themselves: JAX does not
    promise the same rounding ("jit changes the exact numerics of outputs", https://docs.jax.dev/en/latest/faq.html).
    Values of another stream differ by their range: 10⁵ times this bound, 100 times in half precision, where it is two
    of the steps between the largest.
    """
    if backend_of(target()) != "jax" or not one.size:
        return bitwise_equal(one, other)
    if (one.shape, one.dtype) != (other.shape, other.dtype):
        return False
    these, those = one.astype(np.float64), other.astype(np.float64)
    rounding = 4 * UNIT_OF.get(one.dtype.name, 0.0) * np.abs(these).max()
    return bool(np.max(np.abs(these - those)) <= max(1e-5 * np.ptp(these), rounding))


def _seed_problem(calls: SeededCalls) -> str:
    """Describes what is wrong with how seeds and generators repeat; empty if nothing is."""
    repeated = {"called again": calls.again, "after other work": calls.after_work}
    for how, values in {**repeated, "in a tf.data pipeline": calls.piped}.items():
        if values is not None and not bitwise_equal(calls.first, values):
            return f", {how}: {mismatch(calls.first, values)}"
    if calls.traced is not None and not _same_stream(calls.first, calls.traced):
        return f", in a compiled function: {mismatch(calls.first, calls.traced)}"
    if bitwise_equal(calls.first, calls.other):
        return " draws the same under two int seeds"
    if calls.advancing:
        first, second, again = calls.advancing
        if not bitwise_equal(first, again):
            return f", another SeedGenerator of the same seed: {mismatch(first, again)}"
        if bitwise_equal(first, second):
            return " does not advance its SeedGenerator"
    return ""


def _range_problem(name: str, calls: SeededCalls) -> str:
    """Describes values that are missing or beyond the range; empty if there are none."""
    for values in (calls.first, calls.other):
        if name in _VALUES and set(np.unique(values).tolist()) != _VALUES[name]:
            return f" returned {np.unique(values)[:9]}, not all of {sorted(_VALUES[name])}"
        if name == "shuffle" and not np.array_equal(np.sort(values), np.arange(len(values))):
            return " lost a value"
        if name in _REACH:
            least, low, high, largest = _REACH[name]
            if not (least <= values.min() <= low and high <= values.max() <= largest):
                return f" returned {values.min():.6g} … {values.max():.6g}, not {_REACH[name]}"
    return ""


@check(
    "DET19",
    "Noise layers draw new noise at every step of every epoch, and repeat it under the seed.",
    on=KERAS,
    subjects=[Subject(kind, kind) for kind in STEPWISE],
)
def judge_masks(lab: Lab, kind: str) -> Verdict:
    """Judges the outputs of layers for ones within ``fit``, in two trainings, the second after other random work."""
    one, two = (lab.models.masks(after_work=after_work).get(kind, {}) for after_work in (False, True))
    if not one:
        return failed(f"no noise of {kind} was recorded", "noise at every step", bound=EXACT)
    for how, drawn in one.items():
        if len(drawn) < 4 or len({mask.tobytes() for mask in drawn}) < len(drawn):
            measured = f"{kind}, {how}: a step's noise is met twice in {len(drawn)} steps"
            return failed(measured, "new noise", bound=EXACT)
    divergence = first_divergence(one, two)
    if divergence:
        return failed(f"{kind}, {divergence}", "the same noise again", bound=EXACT)
    return passed(f"{kind} draws anew at every step, with a seed and without, and repeats", bound=EXACT)


_IMAGE_LAYERS = [source for source in select(NoiseSource) if source.fed is Fed.IMAGES]
_PIPED = [source for source in _IMAGE_LAYERS if not source.slow]
# Layers that cut, at the whole height: thirty calls distinguish two draws of three places each.
_WHOLE_HEIGHT = [
    replace(source, arguments={**source.arguments, "height": SHAPE[0]}, calls=30)
    for source in _IMAGE_LAYERS
    if source.crops
]


@check(
    "DET20",
    "A random image layer repeats under its int seed, and draws anew for each call, seed and image; in tf.data, too.",
    on=KERAS,
    subjects=[
        *(Subject(one.layer, (one, False), evidence="image draws") for one in _IMAGE_LAYERS),
        *(Subject(f"{one.layer}-whole-height", (one, False), evidence="image draws") for one in _WHOLE_HEIGHT),
        *(Subject(f"{one.layer}-tf.data", (one, True), evidence="image pipeline") for one in _PIPED),
    ],
)
def judge_image_draws(lab: Lab, source_and_piped: tuple[NoiseSource, bool]) -> Verdict:
    """Judges calls in training for a batch with equal halves, and a pipeline whose generators are put back."""
    source, piped = source_and_piped
    if piped and target() != TENSORFLOW:
        raise NotApplicable(f"{target()} has no pipelines of its own")
    require(lab.models.lacking(source))
    drawn = lab.models.piped_images(source, _PIPED) if piped else lab.models.image_draws(source)
    if drawn is None:
        raise NotApplicable("the installed Keras has no generators whose state can be put back")
    if problem := _image_seed_problem(drawn) or _image_problem(source, drawn):
        return failed(f"{source.layer}{problem}", "its documentation", bound=EXACT)
    return passed(f"{source.layer} repeats, and draws anew", bound=EXACT)


def _image_seed_problem(drawn: ImageDraws) -> str:
    """Describes what is wrong with how calls and seeds repeat; empty if nothing is."""
    for number, (one, two) in enumerate(zip(drawn.first, drawn.again, strict=True), start=1):
        if not bitwise_equal(one, two):
            return f", call {number} again: {mismatch(one, two)}"
    first, second = drawn.first
    if bitwise_equal(first, second):
        return ": the second call repeats the first"
    if drawn.other is not None and bitwise_equal(first, drawn.other):
        return " draws the same under two seeds"
    if drawn.zeros and not bitwise_equal(*drawn.zeros):
        return ": seed 0 draws others under another global seed"
    return ""


def _image_problem(source: NoiseSource, drawn: ImageDraws) -> str:
    """Describes images of a batch that share a draw or do not, and places that no call cuts at; empty if none."""
    first = drawn.first[0]
    half = first.shape[-4] // 2
    alike = bitwise_equal(first[..., :half, :, :, :], first[..., half:, :, :, :])
    if source.shared is not None and alike is not source.shared:
        return f": the images of a batch {'do not share a draw' if source.shared else 'share their draws'}"
    if drawn.places:
        free = [range(size - int(source.arguments[side]) + 1) for size, side in zip(SHAPE, SIDES, strict=False)]
        if drawn.places != {*itertools.product(*free)}:
            return f" cuts {SHAPE[:2]} at {sorted(drawn.places)}, not at every place that leaves room"
    return ""


_IMAGES = {source.layer for source in _IMAGE_LAYERS}
_FIRST_CASES = {case.layer: case for case in reversed(FORMULAS)}


@check(
    "DET21",
    "Whether a layer runs as in training does not depend on the layers before it.",
    on=KERAS,
    subjects=[
        *(Subject(case.layer, (case, False), evidence="training seen") for case in _FIRST_CASES.values()),
        *(
            Subject(f"{case.layer}-in-training", (case, True), evidence="training seen")
            for case in _FIRST_CASES.values()
            if case.training is not None and case.layer not in _IMAGES
        ),
    ],
)
def judge_training_seen(lab: Lab, case_and_fixed: tuple[FormulaCase, bool]) -> Verdict:
    """Judges what a layer after it is given, in a model called without and with ``training``, and in a layer."""
    case, fixed = case_and_fixed
    require(lab.layers.lacking(case))
    for (place, given), seen in lab.layers.training_seen(case, fixed=fixed).items():
        if bool(seen) is not bool(given):
            how = "a plain call" if given is None else f"a call with training={given}"
            return failed(f"in {how} of a {place}, the layer after {case.layer} sees training={seen}", f"{bool(given)}")
    return passed(f"the layer after {case.layer} sees what its model is given")


def judge_fresh(lab: Lab, what: str, question: Any, here: dict[str, str]) -> Verdict:
    """Compares digests of this process with those of a fresh one, which answers all questions of the suite at once."""
    divergence = first_digest_mismatch(here, lab.processes.answers(question, _questions(lab)))
    if divergence:
        return failed(f"{what}, {divergence}", "the same digests in both processes", bound=EXACT)
    return passed(f"{what}: {len(here)} digests agree with a fresh process's", bound=EXACT)


def _questions(lab: Lab) -> Any:
    return lab.once("questions to a fresh process", lambda: _all_questions(lab.processes))


def _all_questions(processes: Processes) -> tuple[Any, ...]:
    draws = [processes.about_draws(row, dtypes_and_shapes(row)) for row in offered_rows()]
    if not backend_of(target()):
        return tuple(draws)
    return (
        *draws,
        *(processes.about_source(name) for name in sources()),
        *(processes.about_trace(recipe) for recipe in recipes()),
        *(processes.about_order(feed) for feed in feeds()),
    )
