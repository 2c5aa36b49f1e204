"""Does training compute what its formulas say? Keras's first steps against an oracle written in NumPy.

Every tolerance is the oracle's own: a running error analysis of the formula in float32 (``catalog/rounding.py``), times
``OTHER_ORDER`` for another order of the same operations. Nothing here is random but the numbers put in, and no verdict
has a false-alarm rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.catalog.oracle import (
    ACTIVATIONS,
    Net,
    activate,
    backward,
    forward,
    right_rows,
    row_losses,
    targets,
)
from initcheck.catalog.rounding import OTHER_ORDER, Rounded
from initcheck.catalog.tasks import Batch, Task, rows_for, weights_for
from initcheck.catalog.update_rules import Optimizer, Rule, Schedule, learning_rate
from initcheck.checks.arithmetic_cases import (
    LOSSES,
    METRICS,
    PAIRS,
    RULES,
    SCHEDULES,
    TASKS,
    drawn_nets,
    gradients_for,
    output_for,
)
from initcheck.checks.registry import Subject, check
from initcheck.checks.within_rounding import verdict
from initcheck.records import Verdict, failed

if TYPE_CHECKING:
    from initcheck.training.lab import Lab
    from initcheck.training.steps import FitTrace

_TASKS = [Subject(task.name, task) for task in TASKS]


@check(
    "ARI01",
    "An activation computes its documented formula.",
    subjects=[Subject(name, name) for name in (*ACTIVATIONS, "softmax")],
)
def activations(lab: Lab, name: str) -> Verdict:
    """Over small, moderate and saturating inputs, and zero."""
    stream = np.random.RandomState(lab.stream("activation", name) % 2**32)
    x = np.concatenate([stream.normal(scale=scale, size=400) for scale in (0.01, 1.0, 4.0)] + [np.zeros(5)])
    rows = x.astype(np.float32).reshape(-1, 5)
    return verdict([(f"{name}(x)", lab.steps.activation(name, rows), activate(name, Rounded(rows)))])


@check(
    "ARI02",
    "A loss computes its documented formula and reduction.",
    subjects=[Subject(name, name) for name in LOSSES],
)
def losses(lab: Lab, name: str) -> Verdict:
    """The mean over rows by default, their sum, each row's; sample weights; smoothed labels; certain mistakes."""
    net = Net(3, (1 if name.startswith("binary") else 4,), (output_for(name),))
    seed = lab.stream("loss", name)
    batch = rows_for(net, name, 23, seed, True)
    output = forward(net, weights_for(net, seed + 1), batch.x.astype(np.float64)).astype(np.float32)
    each = row_losses(name, batch.y, Rounded(output))
    weighted = each * batch.share.astype(np.float64)
    ask = lab.steps.losses
    found = [
        ("the mean", ask(name, batch.y, output, None), each.sum() / 23.0),
        ("the weighted mean", ask(name, batch.y, output, batch.share), weighted.sum() / 23.0),
        ("the sum", ask(name, batch.y, output, None, reduction="sum"), each.sum()),
        ("each row's", ask(name, batch.y, output, None, reduction="none"), each),
        ("each row's, weighted", ask(name, batch.y, output, batch.share, reduction="none"), weighted),
    ]
    if name.startswith(("binary", "categorical")):
        smooth = targets(name, batch.y, output.shape[-1]) * 0.9 + 0.1 / max(2, output.shape[-1])
        smoothed = row_losses(name, smooth, Rounded(output)).sum() / 23.0
        found.append(("with label_smoothing=0.1", ask(name, batch.y, output, None, label_smoothing=0.1), smoothed))
    if name.endswith("crossentropy"):  # certain and right, certain and wrong: finite, by Keras's fuzz factor
        sure = targets(name, batch.y, output.shape[-1]).astype(np.float32)
        wrong = 1 - sure if sure.shape[-1] == 1 else np.roll(sure, 1, axis=-1)
        for told, certain in (("certain and right", sure), ("certain and wrong", wrong)):
            mean = row_losses(name, batch.y, Rounded(certain)).sum() / 23.0
            # −ln(fuzz) each; Keras 2 adds the factor twice, and 1 − fuzz rounds by a fifth of it: up to ln 2.5 less.
            if told == "certain and wrong":
                mean = Rounded(mean.value, np.log(2.5) / OTHER_ORDER)
            found.append((told, ask(name, batch.y, certain, None), mean))
    return verdict(found)


@check(
    "ARI03",
    "A network's output, loss and gradient are those of its formula.",
    subjects=[Subject(f"{hidden}-{output}-{loss}", (hidden, loss, output)) for hidden, loss, output in PAIRS],
)
def gradients(lab: Lab, pair: tuple[str, str, str]) -> Verdict:
    """Over networks that Hypothesis draws: depths, widths, rows."""
    found = []
    for net, rows in drawn_nets(*pair):
        seed = lab.stream("gradient", repr(net))
        batch, weights = rows_for(net, pair[1], rows, seed), weights_for(net, seed + 1)
        output, loss, slopes = lab.steps.gradients(net, pair[1], weights, batch)
        exact = [Rounded(one) for one in weights]
        right_loss, right = backward(net, exact, Rounded(batch.x), pair[1], batch.y)
        told = f"{net.inputs}-{'-'.join(map(str, net.widths))} on {rows} rows"
        found += [
            (f"output of {told}", output, forward(net, exact, Rounded(batch.x))),
            (f"loss of {told}", loss, right_loss),
            *((f"gradient of weight {k} of {told}", a, b) for k, (a, b) in enumerate(zip(slopes, right, strict=True))),
        ]
    return verdict(found)


@check(
    "ARI04",
    "An optimizer moves the weights by its documented rule, from given gradients.",
    subjects=[Subject(str(rule), rule) for rule in RULES],
)
def updates(lab: Lab, rule: Rule) -> Verdict:
    """Twelve gradients of changing signs, from so small that epsilon decides to so large that it does not."""
    weights, slopes = gradients_for(lab.stream("update", str(rule)))
    oracle = Optimizer(rule)
    before = [Rounded(one) for one in weights]
    found = []
    for step, after in enumerate(lab.steps.updates(rule, weights, slopes), start=1):
        expected = oracle.step(before, [Rounded(one) for one in slopes[step - 1]])
        found += [(f"weight {k} after step {step}", a, b) for k, (a, b) in enumerate(zip(after, expected, strict=True))]
        before = [Rounded(one) for one in after]  # what is stored is known exactly; only the state's error adds up
    return verdict(found)


@check("ARI05", "Every step of fit moves the weights as gradient and optimizer say, batch by batch.", subjects=_TASKS)
def fit_steps(lab: Lab, task: Task) -> Verdict:
    """Each step is worked out from the weights before it, so that no rounding error of an earlier one is carried on."""
    trace = lab.steps.fit(task)
    steps = task.epochs * len(task.slices)
    if len(trace.weights) != steps + 1:
        return failed(f"fit took {len(trace.weights) - 1} steps", f"{steps}: {len(task.slices)} batches an epoch")
    oracle = Optimizer(task.rule)
    found = []
    for step in range(steps):
        batch = trace.rows[task.slices[step % len(task.slices)]]
        before = [Rounded(one) for one in trace.weights[step]]
        slopes = backward(task.net, before, Rounded(batch.x), task.loss, batch.y, batch.share)[1]
        after = oracle.step(before, slopes)
        found += [
            (f"weight {k} after step {step + 1}", a, b)
            for k, (a, b) in enumerate(zip(trace.weights[step + 1], after, strict=True))
        ]
    return verdict(found)


@check(
    "ARI06",
    "The loss that fit and evaluate report is the mean over the rows, anew each epoch.",
    subjects=[Subject(task.name, task) for task in TASKS if task.rows % task.batch == 0],
)
def reported_loss(lab: Lab, task: Task) -> Verdict:
    """After each batch, for each epoch, for the validation rows, by evaluate; here for batches of one size."""
    return _reported_loss(lab, task)


@check(
    "ARI11",
    "The reported loss is the mean over the rows, also where the last batch is a partial one.",
    subjects=[Subject(task.name, task) for task in TASKS if task.rows % task.batch],
)
def reported_loss_of_partial_batches(lab: Lab, task: Task) -> Verdict:
    """Each batch's mean loss counts as often as the batch has rows."""
    return _reported_loss(lab, task)


def _reported_loss(lab: Lab, task: Task) -> Verdict:
    trace = lab.steps.fit(task)
    found = []
    for epoch, reports in enumerate(trace.epochs):
        running = [_row_loss(task, *one) for one in _batches(task, trace, epoch)]
        found.append((f"loss of epoch {epoch + 1}", reports["loss"], _mean(running)))
        for number, told in enumerate(_of_epoch(task, trace.batches, epoch)):
            if "loss" in told:
                found.append(
                    (f"loss of epoch {epoch + 1} up to batch {number + 1}", told["loss"], _mean(running[: number + 1]))
                )
        held_out = _row_loss(task, _weights_after(task, trace, epoch), trace.held_out)
        found.append((f"val_loss of epoch {epoch + 1}", reports["val_loss"], _mean([held_out])))
    rows = Batch(trace.rows.x, trace.rows.y, np.ones(len(trace.rows), np.float32))
    found.append(("loss of evaluate", trace.evaluated["loss"], _mean([_row_loss(task, trace.weights[-1], rows)])))
    return verdict(found)


@check("ARI07", "The metric that fit and evaluate report counts the rows exactly, anew each epoch.", subjects=_TASKS)
def reported_metric(lab: Lab, task: Task) -> Verdict:
    """The share of right rows, as a count; for a regression, the mean absolute error."""
    trace = lab.steps.fit(task)
    name = "accuracy" if task.classifies else "mean_absolute_error"
    found = []
    for epoch, reports in enumerate(trace.epochs):
        seen = _batches(task, trace, epoch)
        found.append((f"{name} of epoch {epoch + 1}", reports[name], _metric(task, seen)))
        for number, told in enumerate(_of_epoch(task, trace.batches, epoch)):
            if name in told:
                found.append(
                    (
                        f"{name} up to batch {number + 1} of epoch {epoch + 1}",
                        told[name],
                        _metric(task, seen[: number + 1]),
                    )
                )
        held_out = [(_weights_after(task, trace, epoch), trace.held_out)]
        found.append((f"val_{name} of epoch {epoch + 1}", reports[f"val_{name}"], _metric(task, held_out)))
    found.append((f"{name} of evaluate", trace.evaluated[name], _metric(task, [(trace.weights[-1], trace.rows)])))
    return verdict(found)


@check("ARI08", "Evaluate and predict take every row, in order, and leave the weights alone.", subjects=_TASKS)
def predictions(lab: Lab, task: Task) -> Verdict:
    """What predict gives is the network's output for each row at the final weights."""
    trace = lab.steps.fit(task)
    if any(np.any(a != b) for a, b in zip(trace.weights[-1], trace.weights_after, strict=True)):
        return failed("evaluate or predict changed the weights", "the weights that fit left")
    moved = [np.abs(a - b).max() for a, b in zip(trace.weights[0], trace.weights[-1], strict=True)]
    if min(moved) == 0:
        return failed("a weight never moved in training", "every kernel and bias trained")
    output = forward(task.net, [Rounded(one) for one in trace.weights[-1]], Rounded(trace.rows.x))
    return verdict([("predict", trace.predicted, output)])


@check(
    "ARI09",
    "An accuracy metric counts right rows exactly, over batches, and forgets them when reset.",
    subjects=[
        Subject(f"{name}-{number}", (name, config, batches, counts))
        for number, (name, config, batches, counts) in enumerate(METRICS)
    ],
)
def metrics(lab: Lab, case: tuple[str, dict[str, Any], list[tuple[Any, ...]], list[tuple[float, float]]]) -> Verdict:
    """At the threshold, with ties, weights, and batches of several sizes."""
    name, config, batches, counts = case
    results = lab.steps.metric(name, config, batches)
    expected = [Rounded(right) / float(rows) for right, rows in [*counts, counts[0]]]
    when = [*(f"after batch {number + 1}" for number in range(len(batches))), "of the first batch after reset_state"]
    return verdict([(f"{name} {told}", a, b) for told, a, b in zip(when, results, expected, strict=True)])


@check(
    "ARI10",
    "A learning-rate schedule computes its documented formula.",
    subjects=[Subject(f"{one.name}-{number}", one) for number, one in enumerate(SCHEDULES)],
)
def schedules(lab: Lab, schedule: Schedule) -> Verdict:
    """At the first steps, at every boundary, and beyond the end."""
    steps = range(13)
    rates = lab.steps.rates(schedule, steps)
    return verdict([(f"rate of step {step}", rates[step], learning_rate(schedule, step)) for step in steps])


def _batches(task: Task, trace: FitTrace, epoch: int) -> list[tuple[list[np.ndarray], Batch]]:
    """The weights before each batch of an epoch, and its rows."""
    first = epoch * len(task.slices)
    return [(trace.weights[first + number], trace.rows[rows]) for number, rows in enumerate(task.slices)]


def _weights_after(task: Task, trace: FitTrace, epoch: int) -> list[np.ndarray]:
    return trace.weights[(epoch + 1) * len(task.slices)]


def _of_epoch(task: Task, reports: Sequence[Any], epoch: int) -> Sequence[Any]:
    return reports[epoch * len(task.slices) : (epoch + 1) * len(task.slices)]


def _output(task: Task, weights: list[np.ndarray], batch: Batch) -> Rounded:
    result = forward(task.net, [Rounded(one) for one in weights], Rounded(batch.x))
    assert isinstance(result, Rounded)
    return result


def _row_loss(task: Task, weights: list[np.ndarray], batch: Batch) -> tuple[Any, int]:
    each = row_losses(task.loss, batch.y, _output(task, weights, batch)) * batch.share.astype(np.float64)
    return each.sum(), len(batch)


def _mean(sums: Sequence[tuple[Any, int]]) -> Any:
    """The mean over all rows of all batches."""
    total = sums[0][0]
    for one, _ in sums[1:]:
        total = total + one
    return total / float(sum(rows for _, rows in sums))


def _metric(task: Task, seen: Sequence[tuple[list[np.ndarray], Batch]]) -> Rounded:
    rows = sum(len(batch) for _, batch in seen)
    if not task.classifies:
        each = [row_losses("mean_absolute_error", batch.y, _output(task, weights, batch)) for weights, batch in seen]
        mean = _mean([(one.sum(), len(one)) for one in each])
        assert isinstance(mean, Rounded)
        return mean
    counts = [right_rows(task.loss, batch.y, _output(task, weights, batch)) for weights, batch in seen]
    least, most = (sum(one[side] for one in counts) for side in (0, 1))
    middle = Rounded((least + most) / 2, (most - least) / 2 / OTHER_ORDER)
    share: Rounded = middle / float(rows)
    return share
