"""What is recorded of the installed framework: twice the same, and each fault of a framework at its own stage.

Each fault is recorded once and compared with the healthy framework, and with what was recorded on older stacks.
"""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from initcheck import INITIALIZERS, PROBLEMS, InitcheckError
from initcheck.baselines.comparing.classes import Class
from initcheck.baselines.comparing.compare import compare
from initcheck.baselines.comparing.comparison import Section
from initcheck.baselines.recording import record as recording
from initcheck.baselines.recording.single_steps import record_steps
from initcheck.baselines.records.store import load_baseline
from initcheck.baselines.records.training_records import STAGES
from initcheck.catalog.cases.kernels import KINDS
from initcheck.catalog.cases.layer_defaults import DEFAULTS
from initcheck.catalog.cases.recorded_layers import RECORDED as RECORDED_LAYERS
from initcheck.catalog.cases.recorded_steps import RECORDED_STEPS
from initcheck.catalog.problems import Problem
from initcheck.catalog.recipes import Feed
from initcheck.cli import app as cli
from initcheck.frameworks.keras import load_keras
from initcheck.reporting.comparisons.sentences import describe
from initcheck.seeding import DEFAULT_SEED

RECORDED = Path(__file__).parents[1] / "recorded"
IRIS = PROBLEMS["iris"]


@pytest.fixture(scope="module", autouse=True)
def _small():
    """One initializer, two layers, three steps, one feed: the same work on a scale that a test can pay."""
    steps = {name: RECORDED_STEPS[name] for name in ("SGD()", "loss MeanSquaredError()", "metric MeanSquaredError()")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording, "INITIALIZERS", {"he_normal": INITIALIZERS["he_normal"]})
        patch.setattr(recording, "TRACED", ("he_normal",))
        patch.setattr(recording, "DEFAULTS", {"Dense": DEFAULTS["Dense"]})
        patch.setattr(recording, "KINDS", {"dense": KINDS["dense"], "conv2d": KINDS["conv2d"]})
        patch.setattr(recording, "RECORDED", {name: RECORDED_LAYERS[name] for name in ("gru", "batch-normalization")})
        patch.setattr(recording, "record_steps", lambda seed: record_steps(seed, steps))
        patch.setattr(recording, "_FEEDS", (Feed(41, 8), Feed(41, 8, shuffle=False)))
        yield


def recorded(problem=IRIS, reseeds=0):
    return recording.record([problem], reseeds=reseeds, seed=DEFAULT_SEED, advance=lambda now, steps: None)


@pytest.fixture(scope="module")
def healthy(_small):
    return recorded()


@pytest.mark.slow
def test_the_same_framework_recorded_twice_is_identical(healthy):
    comparison = compare(healthy, recorded())
    assert comparison.verdict is Class.IDENTICAL, describe(comparison)


@pytest.mark.slow
def test_a_training_has_all_stages_and_saving_keeps_its_weights(healthy):
    stages = healthy.problems["iris"].traces["he_normal"].stages
    others = ("batch order", "epoch metrics")  # of the problem, and of models of the user's own
    assert [stage for stage in STAGES if stage not in others] == list(stages)
    assert stages["reloaded weights"].digest == stages["final weights"].digest
    assert 0 < stages["first update"].tolerance < 1e-5


@pytest.mark.slow
def test_a_training_as_fit_runs_it_starts_from_the_same_weights_and_ends_elsewhere(healthy):
    ((name, fitted),) = healthy.problems["iris"].fits.items()
    twin = healthy.problems["iris"].traces[name]
    assert (fitted.seed, fitted.steps) == (twin.seed, twin.steps)
    assert fitted.stages["initial weights"].digest == twin.stages["initial weights"].digest
    assert fitted.stages["final weights"].digest != twin.stages["final weights"].digest
    assert 0 <= fitted.stages["epoch accuracies"].values[-1] <= 1


@pytest.mark.slow
def test_fans_are_those_of_the_shapes(healthy):
    dense = KINDS["dense"].make(recording._DIMS)
    assert (healthy.fans["dense"].fan_in, healthy.fans["dense"].fan_out) == (dense.fan_in, dense.fan_out)


@pytest.mark.slow
def test_an_unshuffled_order_is_distinguished_from_a_shuffled_one(healthy):
    assert [order.shuffled for order in healthy.orders.values()] == [True, False]


@pytest.mark.slow
def test_accuracies_are_counted_and_curves_kept_where_asked_for():
    record = recorded(reseeds=3).problems["iris"].accuracies["he_normal"]
    assert len(record.correct) == 3
    assert record.curves.epochs == tuple(range(1, IRIS.epochs + 1))
    loss = record.curves.loss
    assert all(0 < low <= middle <= high for low, middle, high in zip(loss.low, loss.median, loss.high, strict=True))
    assert record.curves.accuracy.median[-1] == pytest.approx(sorted(record.correct)[1] / 30, abs=1e-5)


@pytest.fixture(scope="module", params=[path.stem for path in sorted(RECORDED.glob("*.json"))])
def older(request):
    return load_baseline(RECORDED / f"{request.param}.json")


def of_he_normal(old, new):
    (cell,) = (cell for cell in compare(old, new).of(Section.TRACES) if cell.name == "iris he_normal" and cell.ladder)
    return cell


def beyond(old, new):
    """The stages that differ by more than rounding."""
    return [step.stage for step in of_he_normal(old, new).ladder if step.found.rank > Class.WITHIN_TOLERANCE.rank]


@pytest.mark.slow
def test_older_stacks_are_distinguished_from_the_installed_one_by_order_and_reports_alone(healthy, older):
    assert set(beyond(older, healthy)) <= {"batch order", "epoch losses"}


def other_seed(patch, keras):
    original = keras.initializers.VarianceScaling.__init__

    def start(self, *arguments, seed=None, **options):
        original(self, *arguments, seed=None if seed is None else seed + 1, **options)

    patch.setattr(keras.initializers.VarianceScaling, "__init__", start)


def wider(patch, keras):
    original = keras.initializers.VarianceScaling.__call__
    patch.setattr(keras.initializers.VarianceScaling, "__call__", lambda *a, **options: original(*a, **options) * 1.05)


def reversed_order(patch, keras):
    import tensorflow as tf

    original = tf.random.shuffle
    for module in (tf, tf.compat.v2):  # Keras 3 asks the one, Keras 2 the other
        patch.setattr(module.random, "shuffle", lambda value, **options: tf.reverse(original(value, **options), [0]))


def noisy_gradient(patch, keras):
    import tensorflow as tf

    original = tf.GradientTape.gradient

    def gradient(*arguments, **options):
        dense = map(tf.convert_to_tensor, original(*arguments, **options))  # an Embedding's are sparse
        return [one * (1 + 1e-4 * tf.sin(1e6 * one)) for one in dense]

    patch.setattr(tf.GradientTape, "gradient", gradient)


def rounding_load(patch, keras):
    original = keras.Model.load_weights

    def load_weights(self, *arguments, **options):
        original(self, *arguments, **options)
        self.set_weights([value.astype("float16") for value in self.get_weights()])

    patch.setattr(keras.Model, "load_weights", load_weights)


def scaled_loss(patch, keras):
    original, module = keras.losses.binary_crossentropy, sys.modules[keras.losses.get.__module__]
    names = getattr(module, "ALL_OBJECTS_DICT", vars(module))  # Keras 3 and Keras 2
    patch.setitem(names, "binary_crossentropy", lambda y, output: 1.01 * original(y, output))


def other_decay(keras):
    return replace(IRIS, optimizer=lambda keras: keras.optimizers.RMSprop(0.01, rho=0.89))


def slowing_steps(keras):
    def optimizer(keras):
        return keras.optimizers.RMSprop(keras.optimizers.schedules.ExponentialDecay(0.01, 100, 0.9))

    return replace(IRIS, optimizer=optimizer)


@dataclass(frozen=True)
class Fault:
    """What is wrong, and what the comparison has to say of it.

    Attributes:
        stage: The first that differs.
        found: The class of the training.
        patch: Breaks the framework; None where it breaks nothing.
        change: A problem whose training differs as a broken framework's would.
        law: The class of the initializer's draws.
    """

    stage: str
    found: Class
    patch: Callable[[pytest.MonkeyPatch, Any], None] | None = None
    change: Callable[[Any], Problem] | None = None
    law: Class = Class.IDENTICAL


FAULTS = {
    # No accuracies are recorded here, so that what becomes of other draws, or of late differences, is unknown.
    "another seed": Fault("draws", Class.INCONCLUSIVE, other_seed, law=Class.SAME_DISTRIBUTION),
    "wider by a twentieth": Fault("draws", Class.CHANGED, wider, law=Class.CHANGED),
    "order reversed": Fault("batch order", Class.SAME_DISTRIBUTION, reversed_order),
    "noisy gradient": Fault("first gradient", Class.CHANGED, noisy_gradient),
    "rounding load": Fault("reloaded weights", Class.CHANGED, rounding_load),
    "scaled loss": Fault("first loss", Class.CHANGED, scaled_loss),
    "another decay": Fault("first update", Class.CHANGED, change=other_decay),
    "slowing steps": Fault("epoch losses", Class.INCONCLUSIVE, change=slowing_steps),
}


@functools.cache  # not left to pytest, which makes a fixture anew for each older stack
def recorded_under(name):
    fault = FAULTS[name]
    keras = load_keras()
    with pytest.MonkeyPatch.context() as patch:
        if fault.patch:
            fault.patch(patch, keras)
        return recorded(fault.change(keras) if fault.change else IRIS)


@pytest.fixture(params=FAULTS)
def faulty(request, _small):
    """What is recorded under one fault, and what it is."""
    return recorded_under(request.param), FAULTS[request.param]


@pytest.mark.slow
def test_a_fault_is_named_at_its_stage(healthy, faulty):
    new, fault = faulty
    cell = of_he_normal(healthy, new)
    assert (cell.stage, cell.found) == (fault.stage, fault.found), cell
    assert {one.found for one in compare(healthy, new).of(Section.DRAWS)} == {fault.law}


@pytest.mark.slow
def test_a_fault_is_named_at_its_stage_against_an_older_stack_too(healthy, faulty, older):
    new, fault = faulty
    stages, known = beyond(older, new), beyond(older, healthy)
    assert fault.stage in stages, (stages, known)
    # Where the older stack differs at that very stage, as Keras 2 does in its order, the fault adds none before it.
    first = next((stage for stage in stages if stage not in known), fault.stage)
    assert STAGES.index(first) >= STAGES.index(fault.stage), (stages, known)


def run(*arguments):
    return CliRunner().invoke(cli.cli, ["record", *map(str, arguments)])


@pytest.mark.slow
def test_the_command_writes_a_file_that_can_be_read(tmp_path):
    file = tmp_path / "baseline.json"
    done = run(file, "--problem", "iris", "--reseeds", "0")
    assert done.exit_code == 0, done.exception
    assert "baseline of tensorflow" in done.output
    assert set(load_baseline(file).problems) == {"iris"}
    assert [path.name for path in tmp_path.iterdir()] == ["baseline.json"]


@pytest.mark.parametrize(
    "wrong", [("--problem", "irsi"), ("--reseeds", "-1"), ("--problem", "no_such_module:problem", "--reseeds", "0")]
)
def test_nothing_is_written_on_a_mistake(tmp_path, wrong):
    file = tmp_path / "baseline.json"
    file.write_text("kept")
    assert isinstance(run(file, *wrong).exception, InitcheckError)
    assert file.read_text() == "kept"


def test_a_place_that_cannot_be_written_is_reported_before_the_work(tmp_path):
    assert isinstance(run(tmp_path).exception, InitcheckError)
    assert isinstance(run(tmp_path / "none" / "file.json").exception, InitcheckError)
