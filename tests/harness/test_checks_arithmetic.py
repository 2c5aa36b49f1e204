"""The checks of arithmetic on made-up evidence: a Keras that is NumPy, right or only just wrong."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from initcheck.catalog.oracle import activate, backward, forward, right_rows, row_losses, targets
from initcheck.catalog.tasks import Batch, rows_for, weights_for
from initcheck.catalog.update_rules import Optimizer, Rule, learning_rate
from initcheck.checks import arithmetic, arithmetic_cases
from initcheck.checks.arithmetic_cases import TASKS
from initcheck.records import Status

BY_NAME = {task.name: task for task in TASKS}


@dataclass
class Trace:
    """As ``fit`` gives it."""

    rows: Batch
    held_out: Batch
    weights: list
    batches: list
    epochs: list
    evaluated: dict
    predicted: np.ndarray
    weights_after: list


class FakeSteps:
    """Gives float32 roundings of what float64 says; its methods are the ones to spoil."""

    def activation(self, name, x):
        """Every activation."""
        return np.asarray(activate(name, x.astype(float)), np.float32)

    def losses(self, loss, y, output, share, reduction="mean", label_smoothing=0.0):
        """Every loss, reduction and smoothing."""
        if label_smoothing:
            wanted = targets(loss, y, output.shape[-1])
            y = wanted * (1 - label_smoothing) + label_smoothing / max(2, output.shape[-1])
        each = row_losses(loss, y, output.astype(float)) * (1.0 if share is None else share)
        return np.float32({"mean": each.mean(), "sum": each.sum(), "none": each}[reduction])

    def gradients(self, net, loss, weights, batch):
        """Output, loss, gradients."""
        exact, x = [one.astype(float) for one in weights], batch.x.astype(float)
        value, slopes = backward(net, exact, x, loss, batch.y)
        return np.float32(forward(net, exact, x)), np.float32(value), [np.float32(one) for one in slopes]

    def updates(self, rule, weights, gradients):
        """The weights after each gradient."""
        optimizer, after = Optimizer(rule, float), []
        for one in gradients:
            stepped = optimizer.step([w.astype(float) for w in weights], [g.astype(float) for g in one])
            weights = [w.astype(np.float32) for w in stepped]
            after.append(weights)
        return after

    def rates(self, schedule, steps):
        """The rates of those steps."""
        return np.array([learning_rate(schedule, step, float) for step in steps], np.float32)

    def fit(self, task):
        """A whole training."""
        rows = rows_for(task.net, task.loss, task.rows, 1, task.weighted)
        held_out = rows_for(task.net, task.loss, task.held_out, 2)
        weights, optimizer = [weights_for(task.net, 3)], Optimizer(task.rule, float)
        batches, epochs = [], []
        for _ in range(task.epochs):
            seen = []
            for where in task.slices:
                batch, before = rows[where], [one.astype(float) for one in weights[-1]]
                _, slopes = backward(task.net, before, batch.x.astype(float), task.loss, batch.y, batch.share)
                seen.append((weights[-1], batch))
                batches.append(report(task, seen))
                weights.append([one.astype(np.float32) for one in optimizer.step(before, slopes)])
            held = report(task, [(weights[-1], held_out)])
            epochs.append(batches[-1] | {f"val_{name}": value for name, value in held.items()})
        plain = replace(rows, share=np.ones_like(rows.share))
        last = [one.astype(float) for one in weights[-1]]
        predicted = np.float32(forward(task.net, last, rows.x.astype(float)))
        return Trace(
            rows, held_out, weights, batches, epochs, report(task, [(weights[-1], plain)]), predicted, weights[-1]
        )


def report(task, seen):
    """Loss and metric over batches at their weights."""
    losses, metrics, count = 0.0, 0.0, 0
    for weights, batch in seen:
        output = forward(task.net, [one.astype(float) for one in weights], batch.x.astype(float))
        losses += float((row_losses(task.loss, batch.y, output) * batch.share).sum())
        if task.classifies:
            metrics += right_rows(task.loss, batch.y, output)[0]
        else:
            metrics += float(row_losses("mean_absolute_error", batch.y, output).sum())
        count += len(batch)
    name = "accuracy" if task.classifies else "mean_absolute_error"
    return {"loss": float(np.float32(losses / count)), name: float(np.float32(metrics / count))}


class FakeLab:
    """Has the evidence that a check asks for."""

    def __init__(self, steps=None):
        self.steps = steps or FakeSteps()

    def stream(self, *names):
        """Any seed will do."""
        return 1 + sum(map(ord, "".join(map(str, names)))) % 1000


def spoiled(method, change):
    """Fake steps whose method's result is changed."""
    steps = FakeSteps()
    original = getattr(steps, method)
    setattr(steps, method, lambda *args, **options: change(original(*args, **options)))
    return FakeLab(steps)


@pytest.mark.parametrize(
    "judge",
    [
        arithmetic.activations,
        arithmetic.losses,
        arithmetic.gradients,
        arithmetic.updates,
        arithmetic.fit_steps,
        arithmetic.reported_loss,
        arithmetic.reported_loss_of_partial_batches,
        arithmetic.reported_metric,
        arithmetic.predictions,
        arithmetic.schedules,
    ],
    ids=lambda judge: judge.__name__,
)
def test_right_arithmetic_passes(judge):
    from initcheck.checks.registry import _CHECKS

    (found,) = [one for one in _CHECKS.values() if one.judge is judge]
    for subject in found.subjects:
        verdict = judge(FakeLab(), subject.value)
        assert verdict.status is Status.PASS, f"{subject.name}: {verdict}"


def test_an_activation_off_by_a_hundred_thousandth_fails():
    lab = spoiled("activation", lambda found: found * np.float32(1.00001))
    assert arithmetic.activations(lab, "sigmoid").status is Status.FAIL


def test_a_loss_off_by_a_thousandth_fails():
    lab = spoiled("losses", lambda found: found * np.float32(1.001))
    assert arithmetic.losses(lab, "binary_crossentropy").status is Status.FAIL


def test_a_gradient_off_by_a_ten_thousandth_fails():
    def change(found):
        return found[0], found[1], [one * np.float32(1.0001) for one in found[2]]

    verdict = arithmetic.gradients(spoiled("gradients", change), ("tanh", "mean_squared_error", "linear"))
    assert verdict.status is Status.FAIL
    assert "gradient of weight" in verdict.measured


@pytest.mark.parametrize(
    ("told", "done"),
    [
        (Rule("SGD"), Rule("SGD", {"learning_rate": 0.0101})),
        (Rule("SGD", {"momentum": 0.9}), Rule("SGD", {"momentum": -0.9})),
        (Rule("SGD", {"momentum": 0.9, "nesterov": True}), Rule("SGD", {"momentum": 0.9})),
        (Rule("SGD", {"clipnorm": 0.5}), Rule("SGD", {"global_clipnorm": 0.5})),
        (Rule("RMSprop"), Rule("RMSprop", {"rho": 0.89})),
        (Rule("RMSprop"), Rule("RMSprop", {"epsilon": 1e-6})),
        (Rule("RMSprop", {"centered": True}), Rule("RMSprop")),
        (Rule("Adam"), Rule("Adam", {"beta_2": 0.998})),
        (Rule("Adam"), Rule("Adam", {"beta_1": 0.899})),
        (Rule("Adam"), Rule("Adam", {"epsilon": 1e-6})),
        (Rule("Adam"), Rule("Adam", {"learning_rate": 0.00101})),
        (Rule("Adam", {"amsgrad": True, "beta_2": 0.7}), Rule("Adam", {"beta_2": 0.7})),
        (
            Rule("AdamW", {"learning_rate": 0.5}),
            Rule("AdamW", {"learning_rate": 0.5, "weight_decay": 0.0041}),
        ),
        (Rule("Adagrad"), Rule("Adagrad", {"initial_accumulator_value": 0.101})),
        (Rule("Adadelta"), Rule("Adadelta", {"rho": 0.94})),
        (Rule("Adamax"), Rule("Adamax", {"beta_2": 0.998})),
    ],
    ids=str,
)
def test_an_optimizer_that_is_only_just_another_fails(told, done):
    steps = FakeSteps()
    steps.updates = lambda rule, weights, gradients: FakeSteps().updates(done, weights, gradients)
    verdict = arithmetic.updates(FakeLab(steps), told)
    assert verdict.status is Status.FAIL
    assert "after step" in verdict.measured


def test_an_optimizer_without_bias_correction_fails(monkeypatch):
    class Uncorrected(Optimizer):
        def _unbias(self, share):
            return 1.0

    steps = FakeSteps()
    right = FakeSteps.updates
    monkeypatch.setitem(right.__globals__, "Optimizer", Uncorrected)
    assert arithmetic.updates(FakeLab(steps), Rule("Adam")).status is Status.FAIL


def test_a_dropped_last_batch_fails():
    task = BY_NAME["sgd-binary"]
    lab = spoiled("fit", lambda trace: replace(trace, weights=trace.weights[:7]))
    verdict = arithmetic.fit_steps(lab, task)
    assert verdict.status is Status.FAIL
    assert "6 steps" in verdict.measured


def test_a_step_off_by_one_percent_fails():
    def change(trace):
        first, second = trace.weights[:2]
        moved = [a + (b - a) * np.float32(1.01) for a, b in zip(first, second, strict=True)]
        return replace(trace, weights=[first, moved, *trace.weights[2:]])

    assert arithmetic.fit_steps(spoiled("fit", change), BY_NAME["sgd-binary"]).status is Status.FAIL


def test_a_loss_averaged_over_batches_instead_of_rows_fails():
    task = BY_NAME["sgd-binary"]

    def change(trace):
        epochs = [dict(one) for one in trace.epochs]
        sums = [trace.batches[k]["loss"] * len(range(22)[: 8 * (k + 1)]) for k in range(3)]
        each = np.diff([0.0, *sums]) / [8, 8, 6]
        epochs[0]["loss"] = float(each.mean())
        return replace(trace, epochs=epochs)

    assert arithmetic.reported_loss_of_partial_batches(spoiled("fit", change), task).status is Status.FAIL


def test_an_accuracy_off_by_one_row_fails():
    def change(trace):
        epochs = [dict(one) for one in trace.epochs]
        epochs[1]["accuracy"] += 1 / 22
        return replace(trace, epochs=epochs)

    assert arithmetic.reported_metric(spoiled("fit", change), BY_NAME["sgd-binary"]).status is Status.FAIL


def test_predictions_in_another_order_fail():
    lab = spoiled("fit", lambda trace: replace(trace, predicted=trace.predicted[::-1]))
    assert arithmetic.predictions(lab, BY_NAME["sgd-binary"]).status is Status.FAIL


def test_weights_changed_by_evaluate_fail():
    lab = spoiled("fit", lambda trace: replace(trace, weights_after=[one + 1e-7 for one in trace.weights_after]))
    assert arithmetic.predictions(lab, BY_NAME["sgd-binary"]).status is Status.FAIL


def test_metrics_are_judged_by_hand_made_counts():
    case = arithmetic_cases.METRICS[0]
    steps = FakeSteps()
    steps.metric = lambda *args: [4 / 7, 7 / 10, 4 / 7]
    assert arithmetic.metrics(FakeLab(steps), case).status is Status.PASS
    for wrong in ([5 / 7, 8 / 10, 5 / 7], [4 / 7, 7 / 10, 11 / 17]):
        steps.metric = lambda *args, wrong=wrong: wrong
        assert arithmetic.metrics(FakeLab(steps), case).status is Status.FAIL


def test_a_schedule_one_step_late_fails():
    lab = spoiled("rates", lambda rates: np.roll(rates, 1))
    assert arithmetic.schedules(lab, arithmetic_cases.SCHEDULES[0]).status is Status.FAIL
