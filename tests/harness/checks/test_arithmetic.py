"""The checks of arithmetic on made-up evidence: a Keras that is NumPy, right or only just wrong."""

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from initcheck.catalog import optimizers
from initcheck.catalog.cases import computations as arithmetic_cases
from initcheck.catalog.cases.computations import TASKS
from initcheck.catalog.cases.formulas import FORMULAS, OF_WHOLE_NUMBERS, UNDER_A_FORMAT, exactly, layer_inputs
from initcheck.catalog.cases.lengths import OTHER_LENGTHS, longer, unknown_axes
from initcheck.catalog.cases.masked_inputs import masked_inputs
from initcheck.catalog.layers.traits.computing import alone
from initcheck.catalog.layers.traits.masking import HEADS, STEP, UNITS, UNMASKED, Source
from initcheck.catalog.layers.under_masks import MASKED
from initcheck.catalog.optimizers import OPTIMIZERS, Rule
from initcheck.checks.arithmetic import (
    half_precision,
    layer_formulas,
    lengths_of_inputs,
    mask_formulas,
    training_steps,
)
from initcheck.checks.registry import _CHECKS
from initcheck.evidence.autocasting import PRECISE, Given, Seen
from initcheck.evidence.layers import Policy, Shown
from initcheck.evidence.masked_layers import MaskedFit, UnderMasks
from initcheck.evidence.modes import Freezing, InTraining, ModelRun
from initcheck.oracle.activation_formulas import CASES as ACTIVATION_CASES
from initcheck.oracle.networks import activate, backward, correct_rows, correct_shares, forward, row_losses, targets
from initcheck.oracle.optimizer_steps import Schedule, WeightStep, learning_rate
from initcheck.oracle.rounding import Rounded
from initcheck.oracle.tasks import Batch, class_of, rows_for, weights_for
from initcheck.records import Status

DECAY = Schedule("ExponentialDecay", {"initial_learning_rate": 0.05, "decay_steps": 3, "decay_rate": 0.6})
BY_NAME = {task.name: task for task in TASKS}


@dataclass
class Trace:
    """As ``fit`` gives it."""

    rows: Batch
    held_out: Batch
    weights: list[Any]
    batches: list[Any]
    epochs: list[Any]
    evaluated: dict[str, Any]
    predicted: np.ndarray
    weights_after: list[Any]


def _dtype(name):
    return np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)


class FakeLayers:
    """Layers that compute their formula in float64, rounded to float32; tests replace its methods by faulty ones."""

    def lacking(self, case):
        """Nothing."""
        return ""

    def given(self, case):
        """Random weights and inputs."""
        return layer_inputs(case, 3, "float32", rows=4)

    def compute(self, case, weights, inputs, policy=None):
        """Output, and weights afterwards, in the policy's types."""
        exact = [Rounded(one) for one in weights]
        into = [one if case.vocabulary else Rounded(one) for one in inputs]
        after = case.updated(exact, alone(into), **case.config) if case.updated else exact
        given = (weights or inputs)[0].dtype
        computed, stored = map(_dtype, (policy.computed, policy.stored) if policy else (given, given))
        output = case.output(exact, into).value.astype(computed)
        after = weights if after is exact else [one.value for one in after]
        losses = (np.asarray(case.loss(exact, alone(into), **case.config).value),) if case.loss else ()
        return Shown(output, [one.astype(stored) for one in after], losses=losses)

    def shown(self, case, route=None):
        """The same, whatever the route."""
        shown = self.compute(case, *self.given(case))
        return replace(shown, outputs={"predict": shown.output, "a plain call": shown.output})


class FakeSteps:
    """Returns float64 results rounded to float32; tests replace its methods by faulty ones."""

    losses_have_a_dtype = True

    def logarithm_rounding(self, loss):
        """NumPy's logarithm is within the rounding that the oracle allows anyway."""
        return 0.0

    def supports_activation(self, name, options, since):
        """All of them."""
        return True

    def supports_optimizer(self, rule):
        """All of them."""
        return True

    def activation(self, name, x, options):
        """Every activation."""
        (case, *_) = (one for one in ACTIVATION_CASES if (one.name, one.options) == (name, options))
        return case.formula(Rounded(x.astype(float)), **options).value.astype(x.dtype)

    def losses(self, loss, y, output, share, reduction="mean", label_smoothing=0.0):
        """Every loss, reduction and smoothing; sequences are rows, and targets have any documented shape."""
        output = output.reshape(-1, output.shape[-1])
        y = y.reshape(-1) if loss.startswith("sparse") else y.reshape(output.shape)
        if label_smoothing:
            classes = output.shape[-1] if loss.startswith("categorical") else 2
            y = targets(loss, y, output.shape[-1]) * (1 - label_smoothing) + label_smoothing / classes
        weights = np.ones(len(output)) if share is None else share
        each = row_losses(loss, y, output.astype(float)) * weights
        means = {"mean": each.mean(), "mean_with_sample_weight": each.sum() / weights.sum()}
        return np.float32((means | {"sum": each.sum(), "none": each})[reduction])

    def supports_reduction(self, name):
        """All of them."""
        return True

    def named_loss(self, name, y, output):
        """The loss of that name."""
        return np.float32(row_losses(arithmetic_cases.NAMED[name][0], y, output.astype(float)))

    def named_metric(self, name, y, output):
        """The metric of that name."""
        return np.float32(correct_rows(arithmetic_cases.NAMED[name][0], y, output)[0] / len(output))

    def fuzz_factor(self):
        """As documented."""
        return 1e-7

    def gradients(self, net, loss, weights, batch):
        """Output, loss, gradients."""
        exact, x = [one.astype(float) for one in weights], batch.x.astype(float)
        value, slopes = backward(net, exact, x, loss, batch.y)
        return np.float32(forward(net, exact, x)), np.float32(value), [np.float32(one) for one in slopes]

    def updates(self, rule, weights, gradients, by_name=False):
        """The weights after each gradient."""
        optimizer, after = rule.stepper(float), []
        for one in gradients:
            stepped = optimizer.step([w.astype(float) for w in weights], [g.astype(float) for g in one])
            weights = [w.astype(rule.dtype) for w in stepped]
            after.append(weights)
        return after

    def lookups(self, rule, table, steps):
        """The table after each step, from gradients with all its rows."""
        gradients = []
        for indices, slopes in steps:
            gradient = np.zeros(table.shape)
            np.add.at(gradient, indices, slopes.astype(float))
            gradients.append([gradient])
        return [one for (one,) in self.updates(rule, [table], gradients)]

    def rates(self, schedule, steps):
        """The rates of those steps."""
        return np.array([learning_rate(schedule, step, float) for step in steps], np.float32)

    def fit(self, task):
        """All steps of a training."""
        rows = rows_for(task.net, task.loss, task.rows, 1, task.weighted)
        held_out = rows_for(task.net, task.loss, task.held_out, 2, task.weighted)
        last_rows = rows
        if task.class_weights:
            rows = rows.with_sample_weight(np.array(task.class_weights)[class_of(rows.y)])
        weights, optimizer = [weights_for(task.net, 3)], task.rule.stepper(float)
        batches, epochs = [], []
        for _ in range(task.epochs):
            seen = []
            for where in task.slices:
                batch, before = rows[where], [one.astype(float) for one in weights[-1]]
                _, slopes = backward(task.net, before, batch.x.astype(float), task.loss, batch.y, batch.sample_weight)
                seen.append((weights[-1], batch))
                batches.append(report(task, seen))
                weights.append([one.astype(np.float32) for one in optimizer.step(before, slopes)])
            held = report(task, [(weights[-1], held_out)])
            epochs.append(batches[-1] | {f"val_{name}": value for name, value in held.items()})
        last = [one.astype(float) for one in weights[-1]]
        predicted = np.asarray(forward(task.net, last, rows.x.astype(float)), np.float32)
        return Trace(
            rows, held_out, weights, batches, epochs, report(task, [(weights[-1], last_rows)]), predicted, weights[-1]
        )


def report(task, seen):
    """Loss and metric, plain and weighted, over batches at their weights."""
    losses, metrics, shares = [], [], []
    for weights, batch in seen:
        output = forward(task.net, [one.astype(float) for one in weights], batch.x.astype(float))
        losses += list(row_losses(task.loss, batch.y, output) * batch.sample_weight)
        metric = correct_shares(task.loss, batch.y, output)[0]
        metrics += list(metric if task.classifies else row_losses("mean_absolute_error", batch.y, output))
        shares += list(batch.sample_weight)
    weighted = {"weighted": float(np.average(metrics, weights=shares))} if task.weighs else {}
    return {"loss": float(np.mean(losses)), task.metric: float(np.mean(metrics)), **weighted}


class FakeLab:
    """Has the evidence that a check asks for."""

    def __init__(self, steps=None, layers=None):
        self.steps = steps or FakeSteps()
        self.layers = layers or FakeLayers()

    def computed(self, dtypes):
        """All of them, as on TensorFlow."""
        return dtypes

    def stream(self, *names):
        """Any seed will do."""
        return 1 + sum(map(ord, "".join(map(str, names)))) % 1000


def spoiled(method, change):
    """Fake steps whose method's result is changed."""
    steps: Any = FakeSteps()
    original = getattr(steps, method)
    setattr(steps, method, lambda *args, **options: change(original(*args, **options)))
    return FakeLab(steps)


@pytest.mark.parametrize(
    "judge",
    [
        training_steps.activations,
        training_steps.losses,
        training_steps.gradients,
        training_steps.updates,
        training_steps.fit_steps,
        training_steps.reported_loss,
        training_steps.reported_loss_of_partial_batches,
        training_steps.reported_metric,
        training_steps.predictions,
        training_steps.schedules,
        training_steps.names,
        training_steps.lookups,
        layer_formulas.layers,
        layer_formulas.predicted_layers,
    ],
    ids=lambda judge: judge.__name__,
)
def test_right_arithmetic_passes(judge):
    from initcheck.checks.registry import _CHECKS

    (check,) = [one for one in _CHECKS.values() if one.judge is judge]
    for subject in check.subjects:
        verdict = judge(FakeLab(), subject.value)
        assert verdict.status is Status.PASS, f"{subject.name}: {verdict}"


@pytest.mark.parametrize("case", ACTIVATION_CASES, ids=str)
def test_an_activation_off_by_a_hundred_thousandth_fails(case):
    lab = spoiled("activation", lambda values: values * np.float32(1.00001))
    assert training_steps.activations(lab, case).status is Status.FAIL


def test_an_option_of_an_activation_that_is_ignored_fails():
    for case in (one for one in ACTIVATION_CASES if one.options):
        plain = next((one for one in ACTIVATION_CASES if one.name == case.name and not one.options), None)
        if plain is None:
            continue
        steps: Any = FakeSteps()
        steps.activation = lambda name, x, options, plain=plain: FakeSteps().activation(name, x, plain.options)
        assert training_steps.activations(FakeLab(steps), case).status is Status.FAIL, str(case)


def test_a_loss_off_by_a_thousandth_fails():
    lab = spoiled("losses", lambda values: values * np.float32(1.001))
    assert training_steps.losses(lab, "binary_crossentropy").status is Status.FAIL


def test_a_gradient_off_by_a_ten_thousandth_fails():
    def change(results):
        return results[0], results[1], [one * np.float32(1.0001) for one in results[2]]

    verdict = training_steps.gradients(spoiled("gradients", change), ("tanh", "mean_squared_error", "linear"))
    assert verdict.status is Status.FAIL
    assert "gradient of weight" in verdict.measured


@pytest.mark.parametrize(
    ("given", "applied"),
    [
        (Rule(optimizers.SGD), Rule(optimizers.SGD, {"learning_rate": 0.0101})),
        (Rule(optimizers.SGD, {"momentum": 0.9}), Rule(optimizers.SGD, {"momentum": -0.9})),
        (Rule(optimizers.SGD, {"momentum": 0.9, "nesterov": True}), Rule(optimizers.SGD, {"momentum": 0.9})),
        (Rule(optimizers.SGD, {"clipnorm": 0.5}), Rule(optimizers.SGD, {"global_clipnorm": 0.5})),
        (Rule(optimizers.RMSPROP), Rule(optimizers.RMSPROP, {"rho": 0.89})),
        (Rule(optimizers.RMSPROP), Rule(optimizers.RMSPROP, {"epsilon": 1e-6})),
        (Rule(optimizers.RMSPROP, {"centered": True}), Rule(optimizers.RMSPROP)),
        (Rule(optimizers.ADAM), Rule(optimizers.ADAM, {"beta_2": 0.998})),
        (Rule(optimizers.ADAM), Rule(optimizers.ADAM, {"beta_1": 0.899})),
        (Rule(optimizers.ADAM), Rule(optimizers.ADAM, {"epsilon": 1e-6})),
        (Rule(optimizers.ADAM), Rule(optimizers.ADAM, {"learning_rate": 0.00101})),
        (Rule(optimizers.ADAM, {"amsgrad": True, "beta_2": 0.7}), Rule(optimizers.ADAM, {"beta_2": 0.7})),
        (
            Rule(optimizers.ADAMW, {"learning_rate": 0.5}),
            Rule(optimizers.ADAMW, {"learning_rate": 0.5, "weight_decay": 0.0041}),
        ),
        (Rule(optimizers.ADAGRAD), Rule(optimizers.ADAGRAD, {"initial_accumulator_value": 0.101})),
        (Rule(optimizers.ADADELTA), Rule(optimizers.ADADELTA, {"rho": 0.94})),
        (Rule(optimizers.ADAMAX), Rule(optimizers.ADAMAX, {"beta_2": 0.998})),
        (Rule(optimizers.ADAMAX), Rule(optimizers.ADAMAX, {"epsilon": 2e-7})),
        (Rule(optimizers.ADAM), Rule(optimizers.ADAM, {"epsilon": 2e-7})),
        (
            Rule(optimizers.ADAGRAD, {"initial_accumulator_value": 0.0}),
            Rule(optimizers.ADAGRAD, {"initial_accumulator_value": 0.0, "epsilon": 1.001e-7}),
        ),
        (Rule(optimizers.NADAM), Rule(optimizers.NADAM, {"beta_1": 0.899})),
        (Rule(optimizers.LION), Rule(optimizers.LION, {"beta_1": 0.85})),
        (Rule(optimizers.FTRL), Rule(optimizers.FTRL, {"l1_regularization_strength": 1e-4})),
        (Rule(optimizers.ADAM, start=10_000), Rule(optimizers.ADAM, start=5904)),
        (Rule(optimizers.SGD), Rule(optimizers.SGD, {"clipvalue": 100.0})),
        (
            Rule(optimizers.ADAM, {"learning_rate": 0.125, "epsilon": 2.0**-20}, dtype="float64"),
            Rule(optimizers.ADAM, {"learning_rate": 0.125 * (1 + 1e-10), "epsilon": 2.0**-20}, dtype="float64"),
        ),
    ],
    ids=str,
)
def test_an_optimizer_that_is_slightly_different_fails(given, applied):
    steps: Any = FakeSteps()
    steps.updates = lambda rule, weights, gradients: FakeSteps().updates(applied, weights, gradients)
    verdict = training_steps.updates(FakeLab(steps), given)
    assert verdict.status is Status.FAIL
    assert "after step" in verdict.measured


def with_formula(formula):
    """A Keras whose optimizers all have that formula."""

    class Other(FakeSteps):
        def updates(self, rule, weights, gradients, by_name=False):
            other = replace(rule, optimizer=replace(rule.optimizer, formula=formula))
            return FakeSteps.updates(self, other, weights, gradients)

    return FakeLab(Other())


def test_a_rate_outside_of_the_velocity_fails_where_the_rate_changes():
    def outside(step):
        velocity = step.setting("momentum") * step.slot("velocity", step.gradient) - step.gradient
        return step.weight + step.rate * step.keep("velocity", velocity)

    constant = Rule(optimizers.SGD, {"momentum": 0.9})
    changing = Rule(optimizers.SGD, {"momentum": 0.9, "learning_rate": DECAY})
    assert training_steps.updates(with_formula(outside), constant).status is Status.PASS
    assert training_steps.updates(with_formula(outside), changing).status is Status.FAIL


def test_every_formula_meets_a_schedule_a_string_and_repeated_lookups():
    judged = {row for row in OPTIMIZERS if row.formula}
    scheduled = {
        rule.optimizer for rule in arithmetic_cases.RULES if isinstance(rule.config.get("learning_rate"), Schedule)
    }
    assert scheduled == judged == {rule.optimizer for rule in arithmetic_cases.LOOKUP_RULES}
    named = {row.identifier for row in judged if not row.version_defaults}
    assert named == {row.identifier for row in judged} - {"lion"}
    assert named <= {subject.name for subject in arithmetic_subjects("ARI12")}


def arithmetic_subjects(code):
    from initcheck.checks.registry import _CHECKS

    return _CHECKS[code].subjects


def test_lookups_that_count_once_fail_only_where_rows_repeat():
    class Once(FakeSteps):
        def lookups(self, rule, table, steps):
            last = [(indices, np.where(_first(indices)[..., None], slopes, 0.0)) for indices, slopes in steps]
            return FakeSteps.lookups(self, rule, table, last)

    rule = Rule(optimizers.SGD)
    assert training_steps.lookups(FakeLab(Once()), (rule, "once")).status is Status.PASS
    assert training_steps.lookups(FakeLab(Once()), (rule, "repeated")).status is Status.FAIL


def _first(indices):
    first = np.zeros(indices.size, bool)
    first[np.unique(indices, return_index=True)[1]] = True
    return first.reshape(indices.shape)


@pytest.mark.parametrize("name", ["adam", "mse", "binary_accuracy", "epsilon"])
def test_a_name_that_means_something_else_fails(name):
    class Other(FakeSteps):
        def updates(self, rule, weights, gradients, by_name=False):
            return FakeSteps.updates(self, Rule(rule.optimizer, {"learning_rate": 0.0011}), weights, gradients)

        named_loss = FakeSteps.named_loss
        named_metric = FakeSteps.named_metric

    lab = FakeLab(Other())
    for method in ("named_loss", "named_metric", "fuzz_factor"):
        right = getattr(lab.steps, method)
        setattr(lab.steps, method, lambda *args, right=right: right(*args) * 1.01)
    assert training_steps.names(lab, name).status is Status.FAIL


@pytest.mark.parametrize("name", ["batch-normalization-in-training", "lstm", "convolution-causal-dilated"])
def test_a_layer_off_by_a_ten_thousandth_fails(name):
    (case,) = (one for one in FORMULAS if one.name == name)
    layers: Any = FakeLayers()
    right = layers.compute
    layers.compute = lambda *arguments: replace(right(*arguments), output=right(*arguments).output * np.float32(1.0001))
    assert layer_formulas.layers(FakeLab(layers=layers), case).status is Status.FAIL
    assert layer_formulas.predicted_layers(FakeLab(layers=layers), case).status is Status.FAIL


def test_whole_numbers_that_come_out_in_another_type_fail():
    case = next(one for one in OF_WHOLE_NUMBERS if one.dtypes == ("int32",))
    assert layer_formulas.layers(FakeLab(), case).status is Status.PASS
    layers: Any = FakeLayers()
    right = layers.compute
    layers.compute = lambda *given: replace(right(*given), output=right(*given).output.astype("float32"))
    verdict = layer_formulas.layers(FakeLab(layers=layers), case)
    assert verdict.status is Status.FAIL
    assert "int32 comes out as float32" in verdict.measured


def test_layers_that_take_a_data_format_are_given_the_other_one_or_none():
    cases = {one.name: one for one in UNDER_A_FORMAT if one.layer == "Cropping2D"}
    assert [one.config.get("data_format") for one in cases.values()] == [None, "channels_last"]
    assert {one.image_data_format for one in cases.values()} == {"channels_first"}
    assert all(layer_formulas.layers(FakeLab(), one).status is Status.PASS for one in cases.values())


def test_moving_averages_that_do_not_move_fail():
    case = next(one for one in FORMULAS if one.updated)
    layers: Any = FakeLayers()
    right = layers.compute
    layers.compute = lambda one, weights, inputs: replace(right(one, weights, inputs), weights=list(weights))
    verdict = layer_formulas.layers(FakeLab(layers=layers), case)
    assert verdict.status is Status.FAIL
    assert "weight 2 afterwards" in verdict.measured


_OFF_BY = {"dense-softmax-of-sequences": 1.5, "attention-of-heads-causal": 2, "layer-normalization": 1.125, "lstm": 2}


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16", "float64"])
@pytest.mark.parametrize("name", _OFF_BY)
def test_a_layer_under_a_policy_passes_and_fails_in_another_type_or_with_other_values(name, policy):
    case = next(one for one in FORMULAS if one.name == name)
    assert layer_formulas.policies(FakeLab(), (case, policy)).status is Status.PASS
    for wrong, words in (
        (lambda shown: replace(shown, output=shown.output.astype("float32")), "an output in"),
        (
            lambda shown: replace(shown, output=shown.output * np.asarray(_OFF_BY[name], shown.output.dtype)),
            "output under",
        ),
        (lambda shown: replace(shown, weights=[one.astype("float16") for one in shown.weights]), "weight 0 in"),
        (lambda shown: replace(shown, weights=[one * one.dtype.type(2) for one in shown.weights]), "weight 0 after"),
    ):
        layers: Any = FakeLayers()
        right = layers.compute
        layers.compute = lambda *arguments, right=right, wrong=wrong: wrong(right(*arguments))
        verdict = layer_formulas.policies(FakeLab(layers=layers), (case, policy))
        assert verdict.status is Status.FAIL
        assert words in verdict.measured


def test_inference_that_differs_by_the_way_or_moves_a_weight_fails():
    case = next(one for one in FORMULAS if one.name == "batch-normalization")
    assert layer_formulas.inferred_layers(FakeLab(), case).status is Status.PASS
    layers: Any = FakeLayers()
    right = layers.shown
    layers.shown = lambda case: replace(right(case), outputs={"a plain call": right(case).output * np.float32(1.0001)})
    assert "output of a plain call" in layer_formulas.inferred_layers(FakeLab(layers=layers), case).measured
    layers.shown = lambda case: replace(right(case), weights=[np.nextafter(one, 9) for one in right(case).weights])
    assert "weights after inference" in layer_formulas.inferred_layers(FakeLab(layers=layers), case).measured


@pytest.mark.parametrize("fixed", [True, False])
def test_a_layer_that_does_not_obey_its_fixed_training_argument_fails(fixed):
    lab: Any = FakeLab()
    lab.modes = SimpleNamespace(
        lacks=lambda layer: False, unable=lambda run: "", in_training=lambda layer, fixed, run: fixed
    )
    assert layer_formulas.fixed_modes(lab, ("Dropout", fixed, ModelRun.PREDICT)).status is Status.PASS
    lab.modes.in_training = lambda layer, fixed, run: run is ModelRun.FIT
    disobeyed = [
        run for run in ModelRun if layer_formulas.fixed_modes(lab, ("Dropout", fixed, run)).status is Status.FAIL
    ]
    assert disobeyed == ([run for run in ModelRun if run is not ModelRun.FIT] if fixed else [ModelRun.FIT])
    lab.modes.in_training = lambda layer, fixed, run: None
    assert "without it" in layer_formulas.fixed_modes(lab, ("Dropout", fixed, ModelRun.CALL)).measured


@pytest.mark.parametrize("way", Freezing)
@pytest.mark.parametrize("layer", ["Dropout", "BatchNormalization"])
def test_a_frozen_layer_in_the_other_mode_fails(layer, way):
    def judged(**changes):
        trains = not (way.freezes and layer == "BatchNormalization")
        seen = {"behaved": {ModelRun.FIT: trains, ModelRun.CALL_IN_TRAINING: trains}, "moved": trains, **changes}
        lab: Any = FakeLab()
        lab.modes = SimpleNamespace(
            unable=lambda run: "",
            lacks=lambda layer: False,
            unfreezable=lambda layer, way: False,
            frozen=lambda layer, way: InTraining(**seen),
        )
        return layer_formulas.frozen_layers(lab, (layer, way)).status

    assert judged() is Status.PASS
    assert judged(behaved={ModelRun.FIT: True, ModelRun.CALL_IN_TRAINING: False}) is Status.FAIL
    if layer == "BatchNormalization":
        assert judged(moved=way.freezes) is Status.FAIL


class FakeShapes:
    """What layers with a formula return and announce, changed."""

    def __init__(self, change=lambda values: values, announce=lambda shape: shape):
        self._change, self._announce = change, announce

    def at_other_lengths(self, case, weights, inputs):
        """By the formula, one row of longer inputs."""
        into = longer(inputs, unknown_axes(case, weights, inputs))
        return {"a call of one longer row": (into, self._change(case.output(*exactly(case, weights, into)).value))}

    def announced(self, case):
        """A single output."""
        return [(4, 3, 5)], {"compute_output_shape": [self._announce((None, 3, 5))]}


@pytest.mark.parametrize("case", OTHER_LENGTHS, ids=lambda case: case.name)
def test_a_layer_that_is_off_at_another_length_fails(case):
    lab: Any = FakeLab()
    lab.shapes = FakeShapes()
    assert lengths_of_inputs.other_lengths(lab, case).status is Status.PASS
    lab.shapes = FakeShapes(lambda values: values * 1.001 + 0.001)
    assert lengths_of_inputs.other_lengths(lab, case).status is Status.FAIL


def test_lengths_are_free_where_the_formula_takes_any():
    cases = {case.name: case for case in OTHER_LENGTHS}

    def free(name):
        return unknown_axes(cases[name], *layer_inputs(cases[name], 1, "float32"))[0]

    assert free("reshape") == {0}
    assert free("reshape-to-fit") == {0, 1, 2}
    assert free("lstm") == {0, 1}
    assert free("convolution-of-images") == {0, 1, 2}


@pytest.mark.parametrize("shape", [(None, 3, 6), (None, 3), (4, 3, 5), (None, None, 5)])
def test_a_layer_that_announces_another_shape_fails(shape):
    lab: Any = FakeLab()
    lab.keras, lab.shapes = SimpleNamespace(__version__="3.15.1"), FakeShapes()
    case = OTHER_LENGTHS[0]
    assert lengths_of_inputs.announced_shapes(lab, case).status is Status.PASS
    lab.shapes = FakeShapes(announce=lambda right: shape)
    assert lengths_of_inputs.announced_shapes(lab, case).status is Status.FAIL


_LOUD = [subject.value for subject in _CHECKS["ARI27"].subjects if not isinstance(subject.value[0], str)]


@pytest.mark.parametrize("subject", _LOUD, ids=lambda subject: f"{subject[0].name}-{subject[1]}")
def test_a_normalization_that_rounds_more_than_once_in_half_precision_fails(subject):
    layers: Any = FakeLayers()
    assert half_precision.half_precision(FakeLab(layers=layers), subject).status is Status.PASS
    right = layers.compute
    layers.compute = lambda *given: replace(right(*given), output=right(*given).output * 1.04)
    assert half_precision.half_precision(FakeLab(layers=layers), subject).status is Status.FAIL
    if subject[0].updated:
        layers.compute = lambda *given: replace(right(*given), weights=[one * 1.001 for one in right(*given).weights])
        assert half_precision.half_precision(FakeLab(layers=layers), subject).status is Status.FAIL


@pytest.mark.parametrize("name", arithmetic_cases.LOSSES)
def test_a_loss_in_half_precision_fails(name):
    assert half_precision.half_precision(FakeLab(), (name, "mixed_float16")).status is Status.PASS
    halved = spoiled("losses", lambda values: values.astype(np.float16))
    assert half_precision.half_precision(halved, (name, "mixed_float16")).status is Status.FAIL


def test_one_type_that_differs_or_a_bit_of_what_was_assigned_fails():
    policy = Policy("mixed_float16", "float16", "float32", globally=False)
    types = {"an input of float32": ("float16", "computed"), "the weight total": ("float32", "stored")}

    def judged(**changes):
        lab: Any = FakeLab()
        seen = Seen(**{"types": types, "assigned": PRECISE.astype(np.float32), **changes})
        lab.autocasting = SimpleNamespace(seen=lambda policy, given: seen)
        return half_precision.autocasting(lab, (policy, Given.NAME)).status

    assert judged() is Status.PASS
    assert judged(types={**types, "the weight total": ("float16", "stored")}) is Status.FAIL
    assert judged(types={**types, "an input of int32": ("float16", "int32")}) is Status.FAIL
    assert judged(assigned=PRECISE.astype(np.float16).astype(np.float32)) is Status.FAIL


def test_a_loss_that_overflows_fails():
    class Overflowing(FakeSteps):
        def losses(self, loss, y, output, share, *args, **config):
            values = FakeSteps.losses(self, loss, y, output, share, *args, **config)
            return values * np.nan if np.abs(output).max() > 88 else values

    assert training_steps.losses(FakeLab(Overflowing()), "binary_crossentropy_logits").status is Status.FAIL


@pytest.mark.parametrize("where", ["evaluated", "epochs"])
def test_a_weighted_metric_that_is_not_fails(where):
    def change(trace):
        changed = [dict(one) for one in trace.epochs]
        changed[0]["weighted"] = changed[0]["mean_absolute_error"]
        evaluated = trace.evaluated | {"weighted": trace.evaluated["mean_absolute_error"]}
        return replace(trace, epochs=changed) if where == "epochs" else replace(trace, evaluated=evaluated)

    task = BY_NAME["adagrad-absolute"]
    assert training_steps.reported_metric(FakeLab(), task).status is Status.PASS
    assert training_steps.reported_metric(spoiled("fit", change), task).status is Status.FAIL


def test_class_weights_that_count_as_one_fail():
    task = BY_NAME["clipped-categorical"]
    steps: Any = FakeSteps()
    steps.fit = lambda task: FakeSteps().fit(replace(task, class_weights=(1.0, 1.0, 1.0)))
    right = FakeSteps().fit(task)
    wrong = replace(steps.fit(task), rows=right.rows)
    steps.fit = lambda task: wrong
    assert training_steps.fit_steps(FakeLab(steps), task).status is Status.FAIL


def test_an_optimizer_without_bias_correction_fails():
    class Uncorrected(WeightStep):
        def bias_correction(self, decay):
            return 1.0

    formula = optimizers.ADAM.formula
    assert formula is not None
    lab = with_formula(lambda step: formula(Uncorrected(**vars(step))))
    assert training_steps.updates(lab, Rule(optimizers.ADAM)).status is Status.FAIL


def test_a_dropped_last_batch_fails():
    task = BY_NAME["sgd-binary"]
    lab = spoiled("fit", lambda trace: replace(trace, weights=trace.weights[:7]))
    verdict = training_steps.fit_steps(lab, task)
    assert verdict.status is Status.FAIL
    assert "6 steps" in verdict.measured


def test_a_step_off_by_one_percent_fails():
    def change(trace):
        first, second = trace.weights[:2]
        moved = [a + (b - a) * np.float32(1.01) for a, b in zip(first, second, strict=True)]
        return replace(trace, weights=[first, moved, *trace.weights[2:]])

    assert training_steps.fit_steps(spoiled("fit", change), BY_NAME["sgd-binary"]).status is Status.FAIL


def test_a_loss_averaged_over_batches_instead_of_rows_fails():
    task = BY_NAME["sgd-binary"]

    def change(trace):
        epochs = [dict(one) for one in trace.epochs]
        sums = [trace.batches[k]["loss"] * len(range(22)[: 8 * (k + 1)]) for k in range(3)]
        each = np.diff([0.0, *sums]) / [8, 8, 6]
        epochs[0]["loss"] = float(each.mean())
        return replace(trace, epochs=epochs)

    assert training_steps.reported_loss_of_partial_batches(spoiled("fit", change), task).status is Status.FAIL


def test_an_accuracy_off_by_one_row_fails():
    def change(trace):
        epochs = [dict(one) for one in trace.epochs]
        epochs[1]["accuracy"] += 1 / 22
        return replace(trace, epochs=epochs)

    assert training_steps.reported_metric(spoiled("fit", change), BY_NAME["sgd-binary"]).status is Status.FAIL


def test_predictions_in_another_order_fail():
    lab = spoiled("fit", lambda trace: replace(trace, predicted=trace.predicted[::-1]))
    assert training_steps.predictions(lab, BY_NAME["sgd-binary"]).status is Status.FAIL


def test_weights_changed_by_evaluate_fail():
    lab = spoiled("fit", lambda trace: replace(trace, weights_after=[one + 1e-7 for one in trace.weights_after]))
    assert training_steps.predictions(lab, BY_NAME["sgd-binary"]).status is Status.FAIL


def test_metrics_are_judged_by_hand_made_counts():
    case = arithmetic_cases.METRICS[0]
    steps: Any = FakeSteps()
    steps.metric = lambda *args: [4 / 7, 7 / 10, 4 / 7]
    assert training_steps.metrics(FakeLab(steps), case).status is Status.PASS
    for wrong in ([5 / 7, 8 / 10, 5 / 7], [4 / 7, 7 / 10, 11 / 17]):
        steps.metric = lambda *args, wrong=wrong: wrong
        assert training_steps.metrics(FakeLab(steps), case).status is Status.FAIL


def test_a_schedule_one_step_late_fails():
    lab = spoiled("rates", lambda rates: np.roll(rates, 1))
    assert training_steps.schedules(lab, arithmetic_cases.SCHEDULES[0]).status is Status.FAIL


class Sloping(FakeLayers):
    """Gradients of a dense layer by its weights and input, by hand; the kernel's may be a little too large."""

    def __init__(self, kernel=1.0):
        self.kernel = kernel

    def gradients(self, case, weights, inputs, slopes):
        """Of softmax(x·W + b)."""
        (x,) = inputs
        output = activate("softmax", x @ weights[0] + weights[1])
        before = output * (slopes - (output * slopes).sum(-1, keepdims=True))
        kernel = np.einsum("rsi,rso->io", x, before)
        return [kernel * self.kernel, before.sum((0, 1)), before @ weights[0].T]


class Inferring(FakeSteps):
    """A model in inference."""

    def inference(self, weights, x, y):
        """Normalized by the moving averages, as it should be."""
        scale, shift, mean, variance = (one.astype(float) for one in weights)
        output = (x - mean) / np.sqrt(variance + 1e-3) * scale + shift
        loss = np.float32(np.square(output - y).mean())
        return {"output of predict": np.float32(output), "loss of evaluate": loss}


@pytest.mark.parametrize(("kernel", "status"), [(1.0, Status.PASS), (1.001, Status.FAIL)])
def test_the_gradient_of_a_layer_is_that_of_its_formula(kernel, status):
    assert layer_formulas.layer_gradients(FakeLab(layers=Sloping(kernel)), FORMULAS[0]).status is status


@pytest.mark.parametrize(("times", "kernel", "status"), [(1000, 1.0, Status.PASS), (300, 1.01, Status.FAIL)])
def test_a_gradient_next_to_nothing_is_compared_within_the_rounding_of_the_sums(monkeypatch, times, kernel, status):
    """As under root seed 2012: it was 3e-7, and the difference of two sums off by 3e-10."""

    def saturated(*arguments, **options):
        (weights, bias), inputs = layer_inputs(*arguments, **options)
        return [times * weights, bias], inputs

    monkeypatch.setattr(layer_formulas, "layer_inputs", saturated)
    assert layer_formulas.layer_gradients(FakeLab(layers=Sloping(kernel)), FORMULAS[0]).status is status


def test_evaluate_that_drops_units_is_detected():
    class Dropping(Inferring):
        def inference(self, weights, x, y):
            return super().inference(weights, x * 1.001, y)

    assert layer_formulas.inference(FakeLab(Inferring()), None).status is Status.PASS
    assert layer_formulas.inference(FakeLab(Dropping()), None).status is Status.FAIL


class FakeMasked:
    """Layers under masks by their formulas, each mask as documented."""

    def __init__(self, change, kept):
        self._change, self._kept = change, kept

    def lacking(self, case):
        """Nothing."""
        return ""

    def given(self, case):
        """Random weights, inputs and arrays."""
        return masked_inputs(case, lambda name: sum(map(ord, name)))

    def _seen(self, case):
        weights, inputs, arrays = self.given(case)
        outputs, masks = [], []
        if case.formula:
            outputs = [one.value for one in mask_formulas.expected_under_masks(case, weights, inputs, arrays)]
        if case.carries:
            expected = case.carries([Rounded(one) for one in inputs], [source.mask for source in case.sources])
            masks = [np.full(len(inputs[0]), UNMASKED) if one is None else one.astype(float) for one in expected]
        outputs, masks = self._change(outputs, masks)
        weights = [one.value for one in mask_formulas.updated_under_masks(case, weights, inputs)]
        return UnderMasks(outputs, masks, self._kept, weights)

    def alone(self, case, explicit=False):
        """By a plain call."""
        return self._seen(case)

    def predicted(self, case):
        """In a model."""
        return self._seen(case)


def masked_case(name):
    (case,) = (one for one in MASKED if one.name == name)
    return case


def masked_lab(change=lambda outputs, masks: (outputs, masks), kept=True):
    lab: Any = FakeLab()
    lab.masked = FakeMasked(change, kept)
    return lab


def test_layers_that_obey_masks_pass():
    for case in MASKED:
        if case.formula:
            assert mask_formulas.masked_layers(masked_lab(), case).status is Status.PASS, case.name
        if case.carries:
            assert mask_formulas.carried_masks(masked_lab(), case).status is Status.PASS, case.name


@pytest.mark.parametrize("name", ["lstm", "attention-heads-both", "pooled", "softmax"])
def test_an_output_under_masks_that_is_only_just_wrong_fails(name):
    lab = masked_lab(lambda outputs, masks: ([one * (1 + 1e-4) for one in outputs], masks))
    assert mask_formulas.masked_layers(lab, masked_case(name)).status is Status.FAIL


def test_a_nan_for_a_query_without_keys_fails_and_a_number_passes():
    case = masked_case("attention-dot-emptied")

    def with_value(value):
        def change(outputs, masks):
            for one in outputs:
                one[1] = value if one is not outputs[0] else one[1]
            return outputs, masks

        return masked_lab(change)

    assert mask_formulas.masked_layers(with_value(0.25), case).status is Status.PASS
    assert mask_formulas.masked_layers(with_value(np.nan), case).status is Status.FAIL


@pytest.mark.parametrize("name", ["embedding", "through-dense", "add-either-mask", "concatenate-steps"])
def test_one_step_masked_otherwise_fails(name):
    def flip(outputs, masks):
        masks[0][1, 2] = 1 - masks[0][1, 2]
        return outputs, masks

    assert mask_formulas.carried_masks(masked_lab(flip), masked_case(name)).status is Status.FAIL


def test_a_mask_that_should_be_dropped_or_is_taken_off_the_input_fails():
    def mask(outputs, masks):
        return outputs, [np.ones_like(one) for one in masks]

    assert mask_formulas.carried_masks(masked_lab(mask), masked_case("pooled")).status is Status.FAIL
    assert mask_formulas.carried_masks(masked_lab(kept=False), masked_case("through-dense")).status is Status.FAIL


def masked_fit(counted=None, step=STEP):
    """A step on padded sequences, all of it right, or with other steps that count in the losses."""
    stream = np.random.RandomState(2)
    mask = Source.PADDED.mask
    x = stream.normal(size=(*mask.shape, 4))
    y = stream.randint(0, 2, size=(*mask.shape, UNITS)).astype(np.float32)
    weight = stream.uniform(0.5, 1.5, size=mask.shape)
    seen = (mask if counted is None else counted).ravel().astype(float)
    before = {name: [stream.normal(size=(4, UNITS)), stream.normal(size=UNITS)] for name in HEADS}
    rows, targets_of_rows, share = x.reshape(-1, 4), y.reshape(-1, UNITS), weight.ravel()
    slopes = 2 / UNITS * (rows @ before["squared"][0] + before["squared"][1] - targets_of_rows)
    slopes *= (seen * share / seen.sum())[:, None]
    kernel, bias = before["squared"]
    after = {**before, "squared": [kernel - step * rows.T @ slopes, bias - step * slopes.sum(axis=0)]}
    fitted: dict[str, Any] = {}
    evaluated: dict[str, Any] = {}
    for name, (loss, reduction) in HEADS.items():
        for report, weights, shares in ((fitted, before, share), (evaluated, after, 1.0)):
            each = row_losses(loss, targets_of_rows, rows @ weights[name][0] + weights[name][1])
            report[f"{name}_loss"] = (each * seen * shares).sum() / (1 if reduction == "sum" else seen.sum())
            if name == "squared":
                report["squared_plain"] = (each * seen).sum() / seen.sum()
                report["squared_weighted"] = (each * seen * shares).sum() / (seen * shares).sum()
    kept = x[mask if counted is None else counted]
    averages = [np.ones(4)] * 4, [np.ones(4)] * 2 + [0.5 + 0.5 * kept.mean(axis=0), 0.5 + 0.5 * kept.var(axis=0)]
    return MaskedFit(x, y, weight, fitted, evaluated, before, after, averages)


_ARI20 = [subject.value for subject in _CHECKS["ARI20"].subjects]


@pytest.mark.parametrize("name", [name for name in _ARI20 if "-by-row" in name])
def test_a_masked_step_that_counts_in_a_loss_with_weights_of_rows_fails(name):
    def judged(counted):
        def loss(head, y, output, weights):
            kind, reduction = HEADS[head]
            each = row_losses(kind, y.reshape(-1, UNITS), Rounded(output.reshape(-1, UNITS))).value
            weighed = each.reshape(counted.shape) * counted * weights.reshape(-1, 1)
            return np.asarray(weighed.sum() / (counted.sum() if reduction != "sum" else 1))

        lab = masked_lab()
        lab.masked.loss = loss
        return mask_formulas.masked_losses(lab, name).status

    counted = Source.PADDED.mask.copy()
    assert judged(counted) is Status.PASS
    counted[1, 4] = True
    assert judged(counted) is Status.FAIL


@pytest.mark.parametrize("name", [name for name in _ARI20 if "-by-row" not in name])
def test_a_masked_step_that_counts_in_a_loss_fails(name):
    lab = masked_lab()
    lab.masked.fitted = masked_fit
    assert mask_formulas.masked_losses(lab, name).status is Status.PASS
    counted = Source.PADDED.mask.copy()
    counted[1, 4] = True
    lab.masked.fitted = lambda: masked_fit(counted)
    assert mask_formulas.masked_losses(lab, name).status is Status.FAIL
