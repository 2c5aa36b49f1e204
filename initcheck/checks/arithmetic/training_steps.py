"""Keras's first training steps compared with the oracle: activations, losses, gradients, optimizers, fit, metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.catalog.cases.computations import (
    LOOKUP_RULES,
    LOOKUPS,
    LOSSES,
    METRICS,
    NAMED,
    NAMED_OPTIMIZERS,
    PAIRS,
    RULES,
    SCHEDULES,
    TASKS,
    drawn_nets,
    gradients_for,
    lookups_for,
    output_for,
)
from initcheck.catalog.optimizers import Rule
from initcheck.catalog.recipes import Task
from initcheck.checks.registry import NotApplicable, Subject, check
from initcheck.checks.within_rounding import verdict
from initcheck.oracle.activation_formulas import CASES as ACTIVATION_CASES
from initcheck.oracle.activation_formulas import ActivationCase
from initcheck.oracle.networks import (
    FUZZ,
    DenseNetwork,
    backward,
    correct_rows,
    correct_shares,
    forward,
    row_losses,
    targets,
)
from initcheck.oracle.optimizer_steps import Schedule, learning_rate
from initcheck.oracle.rounding import OTHER_ORDER, Rounded
from initcheck.oracle.tasks import Batch, other_shape, rows_for, weights_for
from initcheck.records import Verdict, failed
from initcheck.targets import KERAS, target

if TYPE_CHECKING:
    from initcheck.evidence.arithmetic import FitTrace
    from initcheck.evidence.lab import Lab

_BY_WEIGHT = "mean_with_sample_weight"
_TASKS = [Subject(task.name, task) for task in TASKS]


@check(
    "ARI01",
    "An activation computes its documented formula.",
    subjects=[Subject(str(case), case) for case in ACTIVATION_CASES],
    on=KERAS,
)
def activations(lab: Lab, case: ActivationCase) -> Verdict:
    """Over small, moderate, saturating and extreme inputs and zero; as rows and as sequences; in both types."""
    if not lab.steps.supports_activation(case.name, case.options, case.since):
        raise NotApplicable(f"the installed Keras does not document {case} so")
    stream = np.random.RandomState(lab.stream("activation", str(case)) % 2**32)
    most = 50.0 if case.name == "exponential" else np.inf  # beyond, float32 overflows, and rightly so
    extreme = np.minimum(np.outer((15.0, 20.0, 50.0, 100.0, 500.0), (1, -1, 0.9, -0.9)).ravel(), most)
    x = np.concatenate([stream.normal(scale=scale, size=400) for scale in (0.01, 1.0, 4.0)] + [np.zeros(20), extreme])
    compared = []
    for dtype in lab.computed(case.dtypes):
        rows = x.astype(dtype).reshape(-1, case.columns)
        expected = case.formula(Rounded(rows), **case.options).of(dtype)
        compared.append((f"{case} of rows in {dtype}", lab.steps.activation(case.name, rows, case.options), expected))
        cube = lab.steps.activation(case.name, rows.reshape(4, -1, case.columns), case.options)
        compared.append((f"{case} of sequences in {dtype}", cube.reshape(expected.shape), expected))
    return verdict(compared)


@check(
    "ARI02",
    "A loss computes its documented formula and reduction.",
    subjects=[Subject(name, name) for name in LOSSES],
    on=KERAS,
)
def losses(lab: Lab, name: str) -> Verdict:
    """Every reduction and shape of targets, with and without weights; smoothed labels; extremes; certain mistakes."""
    compared: list[tuple[str, Any, Rounded]] = []
    for outputs in (1, 4) if name.startswith(("mean", "binary")) else (4,):
        net = DenseNetwork(3, (outputs,), (output_for(name),))
        seed = lab.stream("loss", name)
        batch = rows_for(net, name, 23, seed, True)
        output = forward(net, weights_for(net, seed + 1), batch.x.astype(np.float64)).astype(np.float32)
        compared += [(f"{label}, of {outputs}", a, b) for label, a, b in _reductions(lab, name, batch, output)]
        compared += [(f"{label}, of {outputs}", a, b) for label, a, b in _extremes(lab, name, batch, output)]
    return verdict(compared)


def _reductions(lab: Lab, name: str, batch: Batch, output: np.ndarray) -> list[tuple[str, Any, Any]]:
    ask, outputs = lab.steps.losses, output.shape[-1]
    share = batch.sample_weight.astype(np.float64)
    each = row_losses(name, batch.y, Rounded(output))
    weighted = each * share
    compared = [
        ("the mean", ask(name, batch.y, output, None), each.sum() / 23.0),
        ("the weighted mean", ask(name, batch.y, output, batch.sample_weight), weighted.sum() / 23.0),
        ("the sum", ask(name, batch.y, output, None, reduction="sum"), each.sum()),
        ("the weighted sum", ask(name, batch.y, output, batch.sample_weight, reduction="sum"), weighted.sum()),
        ("each row's", ask(name, batch.y, output, None, reduction="none"), each),
        ("each row's, weighted", ask(name, batch.y, output, batch.sample_weight, reduction="none"), weighted),
    ]
    if lab.steps.supports_reduction(_BY_WEIGHT):
        mean = ask(name, batch.y, output, batch.sample_weight, reduction=_BY_WEIGHT)
        compared.append(("the mean by weight", mean, weighted.sum() / Rounded(share).sum()))
    if outputs == 1 or name.startswith("sparse"):
        other = other_shape(batch.y)
        compared.append(
            (f"the mean with targets of shape {other.shape}", ask(name, other, output, None), each.sum() / 23.0)
        )
    y = batch.y[:20].reshape(5, 4, *batch.y.shape[1:])
    compared.append(
        ("the mean of sequences", ask(name, y, output[:20].reshape(5, 4, -1), None), each[:20].sum() / 20.0)
    )
    return compared


def _extremes(lab: Lab, name: str, batch: Batch, output: np.ndarray) -> list[tuple[str, Any, Any]]:
    ask, compared, outputs = lab.steps.losses, [], output.shape[-1]
    if name.startswith(("binary", "categorical")):
        smooth = targets(name, batch.y, outputs) * 0.9 + 0.1 / max(2, outputs if name.startswith("cat") else 2)
        smoothed = row_losses(name, smooth, Rounded(output)).sum() / 23.0
        compared.append(("with label_smoothing=0.1", ask(name, batch.y, output, None, label_smoothing=0.1), smoothed))
    if not name.endswith("crossentropy"):
        loud = np.resize(np.array([-100, 20, 100, 500, -20, 0, -500], np.float32), output.shape)
        each = row_losses(name, batch.y, Rounded(loud)).fuzzed(lab.steps.logarithm_rounding(name))
        compared.append(("at extreme outputs", ask(name, batch.y, loud, None, reduction="none"), each))
        return compared
    # Certain and right, certain and wrong: finite, by Keras's fuzz factor.
    sure = targets(name, batch.y, outputs).astype(np.float32)
    wrong = 1 - sure if name.startswith("binary") else np.roll(sure, 1, axis=-1)
    for label, certain in (("certain and right", sure), ("certain and wrong", wrong)):
        mean = row_losses(name, batch.y, Rounded(certain)).sum() / 23.0
        # −ln(fuzz) each; Keras 2 adds the factor twice, and 1 − fuzz rounds by a fifth of it: up to ln 2.5 less.
        if label == "certain and wrong":
            mean = Rounded(mean.value, np.log(2.5) / OTHER_ORDER)
        compared.append((label, ask(name, batch.y, certain, None), mean))
    return compared


@check(
    "ARI03",
    "A network's output, loss and gradient are those of its formula.",
    subjects=[Subject(f"{hidden}-{output}-{loss}", (hidden, loss, output)) for hidden, loss, output in PAIRS],
    on=KERAS,
)
def gradients(lab: Lab, pair: tuple[str, str, str]) -> Verdict:
    """Over drawn networks: depths, widths, rows; logits also a hundred times as large, saturated."""
    compared = []
    drawn = [(*one, loud) for one in drawn_nets(*pair) for loud in (False, True)[: 1 + pair[1].endswith("_logits")]]
    for net, rows, loud in drawn:
        seed = lab.stream("gradient", repr(net))
        batch, weights = rows_for(net, pair[1], rows, seed), weights_for(net, seed + 1)
        if loud:
            weights[-2] *= np.float32(100.0)
        output, loss, slopes = lab.steps.gradients(net, pair[1], weights, batch)
        exact = [Rounded(one) for one in weights]
        right_loss, right = backward(net, exact, Rounded(batch.x), pair[1], batch.y)
        label = f"{net.inputs}-{'-'.join(map(str, net.widths))} on {rows} rows{', loud' if loud else ''}"
        compared += [
            (f"output of {label}", output, forward(net, exact, Rounded(batch.x))),
            (f"loss of {label}", loss, right_loss),
            *((f"gradient of weight {k} of {label}", a, b) for k, (a, b) in enumerate(zip(slopes, right, strict=True))),
        ]
    return verdict(compared)


@check(
    "ARI04",
    "An optimizer moves the weights by its documented rule, from given gradients.",
    subjects=[Subject(str(rule), rule) for rule in RULES],
    on=KERAS,
)
def updates(lab: Lab, rule: Rule) -> Verdict:
    """Nine gradients of changing signs, from so small that epsilon decides to so large that a hidden limit would."""
    _require_optimizer(lab, rule)
    if not lab.computed((rule.dtype,)):
        raise NotApplicable(f"Keras does not compute in double precision on {target()}")
    weights, slopes = gradients_for(lab.stream("update", str(rule)), rule.dtype)
    return _judge_updates(rule, weights, slopes, lab.steps.updates(rule, weights, slopes))


def _require_optimizer(lab: Lab, rule: Rule) -> None:
    if not lab.steps.supports_optimizer(rule):
        raise NotApplicable(f"the installed Keras does not document {rule.optimizer.name} so")


def _judge_updates(rule: Rule, weights: list[np.ndarray], slopes: list[Any], actual: list[list[np.ndarray]]) -> Verdict:
    """Each step from the weights before it: stored weights are exact; only the error of the state accumulates."""
    oracle = rule.stepper()
    compared = []
    for step, (before, after) in enumerate(zip([weights, *actual], actual, strict=False), start=1):
        gradients = [one if isinstance(one, Rounded) else Rounded(one) for one in slopes[step - 1]]
        expected = oracle.step([Rounded(one) for one in before], gradients)
        compared += [
            (f"weight {k} after step {step}", a, b.of(rule.dtype))
            for k, (a, b) in enumerate(zip(after, expected, strict=True))
        ]
    return verdict(compared)


@check(
    "ARI05",
    "Every step of fit moves the weights as gradient and optimizer say, batch by batch.",
    subjects=_TASKS,
    on=KERAS,
)
def fit_steps(lab: Lab, task: Task) -> Verdict:
    """Each step is worked out from the weights before it, so that no rounding error of an earlier one is carried on."""
    trace = lab.steps.fit(task)
    steps = task.epochs * len(task.slices)
    if len(trace.weights) != steps + 1:
        return failed(f"fit took {len(trace.weights) - 1} steps", f"{steps}: {len(task.slices)} batches an epoch")
    oracle = task.rule.stepper()
    compared = []
    for step in range(steps):
        batch = trace.rows[task.slices[step % len(task.slices)]]
        before = [Rounded(one) for one in trace.weights[step]]
        slopes = backward(task.net, before, Rounded(batch.x), task.loss, batch.y, batch.sample_weight)[1]
        after = oracle.step(before, slopes)
        compared += [
            (f"weight {k} after step {step + 1}", a, b)
            for k, (a, b) in enumerate(zip(trace.weights[step + 1], after, strict=True))
        ]
    return verdict(compared)


@check(
    "ARI06",
    "The loss that fit and evaluate report is the mean over the rows, anew each epoch.",
    subjects=[Subject(task.name, task) for task in TASKS if task.rows % task.batch == 0],
    on=KERAS,
)
def reported_loss(lab: Lab, task: Task) -> Verdict:
    """After each batch, for each epoch, for the validation rows, by evaluate; here for batches of one size."""
    return _reported_loss(lab, task)


@check(
    "ARI11",
    "The reported loss is the mean over the rows, also where the last batch is a partial one.",
    subjects=[Subject(task.name, task) for task in TASKS if task.rows % task.batch],
    on=KERAS,
)
def reported_loss_of_partial_batches(lab: Lab, task: Task) -> Verdict:
    """Each batch's mean loss counts as often as the batch has rows."""
    return _reported_loss(lab, task)


def _reported_loss(lab: Lab, task: Task) -> Verdict:
    trace = lab.steps.fit(task)
    compared = []
    for epoch, reports in enumerate(trace.epochs):
        running = [_row_loss(task, *one) for one in _batches(task, trace, epoch)]
        compared.append((f"loss of epoch {epoch + 1}", reports["loss"], _mean(running)))
        for number, report in enumerate(_of_epoch(task, trace.batches, epoch)):
            if "loss" in report:
                compared.append(
                    (
                        f"loss of epoch {epoch + 1} up to batch {number + 1}",
                        report["loss"],
                        _mean(running[: number + 1]),
                    )
                )
        held_out = _row_loss(task, _weights_after(task, trace, epoch), trace.held_out)
        compared.append((f"val_loss of epoch {epoch + 1}", reports["val_loss"], _mean([held_out])))
    rows = _evaluated(task, trace)
    compared.append(("loss of evaluate", trace.evaluated["loss"], _mean([_row_loss(task, trace.weights[-1], rows)])))
    return verdict(compared)


@check(
    "ARI07",
    "The metric that fit and evaluate report counts the rows exactly, anew each epoch.",
    subjects=_TASKS,
    on=KERAS,
)
def reported_metric(lab: Lab, task: Task) -> Verdict:
    """The share of right rows, as a count, plain and weighted; for a regression, the mean absolute error."""
    trace = lab.steps.fit(task)
    return verdict(
        one
        for name, by_share in ((task.metric, False), ("weighted", True))[: 1 + task.weighs]
        for one in _reported_metric(task, trace, name, by_share)
    )


def _reported_metric(task: Task, trace: FitTrace, name: str, by_share: bool) -> Iterator[tuple[str, Any, Rounded]]:
    for epoch, reports in enumerate(trace.epochs):
        seen = _batches(task, trace, epoch)
        yield f"{name} of epoch {epoch + 1}", reports[name], _metric(task, seen, by_share)
        for number, report in enumerate(_of_epoch(task, trace.batches, epoch), start=1):
            if name in report:
                what = f"{name} up to batch {number} of epoch {epoch + 1}"
                yield what, report[name], _metric(task, seen[:number], by_share)
        held_out = [(_weights_after(task, trace, epoch), trace.held_out)]
        yield f"val_{name} of epoch {epoch + 1}", reports[f"val_{name}"], _metric(task, held_out, by_share)
    last = [(trace.weights[-1], _evaluated(task, trace))]
    yield f"{name} of evaluate", trace.evaluated[name], _metric(task, last, by_share)


@check(
    "ARI08", "Evaluate and predict take every row, in order, and leave the weights alone.", subjects=_TASKS, on=KERAS
)
def predictions(lab: Lab, task: Task) -> Verdict:
    """Judges that ``predict`` returns the network's output for each row at the final weights."""
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
    on=KERAS,
)
def metrics(lab: Lab, case: tuple[str, dict[str, Any], list[tuple[Any, ...]], list[tuple[float, float]]]) -> Verdict:
    """At the threshold, with ties, weights, and batches of several sizes."""
    name, config, batches, counts = case
    results = lab.steps.metric(name, config, batches)
    expected = [Rounded(right) / float(rows) for right, rows in [*counts, counts[0]]]
    when = [*(f"after batch {number + 1}" for number in range(len(batches))), "of the first batch after reset_state"]
    return verdict([(f"{name} {moment}", a, b) for moment, a, b in zip(when, results, expected, strict=True)])


@check(
    "ARI10",
    "A learning-rate schedule computes its documented formula.",
    subjects=[Subject(f"{one.name}-{number}", one) for number, one in enumerate(SCHEDULES)],
    on=KERAS,
)
def schedules(lab: Lab, schedule: Schedule) -> Verdict:
    """At the first steps, at every boundary, beyond the end, and late."""
    steps = (*range(13), 2049, 40_001)  # half precision does not represent the last two
    rates = lab.steps.rates(schedule, steps)
    pairs = zip(steps, rates, strict=True)
    return verdict([(f"rate of step {step}", rate, learning_rate(schedule, step)) for step, rate in pairs])


def _batches(task: Task, trace: FitTrace, epoch: int) -> list[tuple[list[np.ndarray], Batch]]:
    """The weights before each batch of an epoch, and its rows."""
    first = epoch * len(task.slices)
    return [(trace.weights[first + number], trace.rows[rows]) for number, rows in enumerate(task.slices)]


def _weights_after(task: Task, trace: FitTrace, epoch: int) -> list[np.ndarray]:
    return trace.weights[(epoch + 1) * len(task.slices)]


def _evaluated(task: Task, trace: FitTrace) -> Batch:
    """The rows as ``evaluate`` weighs them: by sample weights, not by class weights, which are for training."""
    return trace.rows if task.weighted else trace.rows.with_sample_weight(np.ones(len(trace.rows)))


def _of_epoch(task: Task, reports: Sequence[Any], epoch: int) -> Sequence[Any]:
    return reports[epoch * len(task.slices) : (epoch + 1) * len(task.slices)]


def _output(task: Task, weights: list[np.ndarray], batch: Batch) -> Rounded:
    result = forward(task.net, [Rounded(one) for one in weights], Rounded(batch.x))
    assert isinstance(result, Rounded)
    return result


def _row_loss(task: Task, weights: list[np.ndarray], batch: Batch) -> tuple[Any, int]:
    each = row_losses(task.loss, batch.y, _output(task, weights, batch)) * batch.sample_weight.astype(np.float64)
    return each.sum(), len(batch)


def _mean(sums: Sequence[tuple[Any, int]]) -> Any:
    """The mean over all rows of all batches."""
    total = sums[0][0]
    for one, _ in sums[1:]:
        total = total + one
    return total / float(sum(rows for _, rows in sums))


def _metric(task: Task, seen: Sequence[tuple[list[np.ndarray], Batch]], by_share: bool) -> Rounded:
    """The mean of the task's metric over all rows of those batches, each counted once or by its sample weight."""
    each = [_row_metric(task, _output(task, weights, batch), batch) for weights, batch in seen]
    if by_share:
        shares = [batch.sample_weight.astype(np.float64) for _, batch in seen]
        total = sum((one * share).sum() for one, share in zip(each, shares, strict=True))
        return total / Rounded(np.concatenate(shares)).sum()  # type: ignore[no-any-return] # a Rounded
    if not task.classifies:
        mean = _mean([(one.sum(), len(one)) for one in each])
        assert isinstance(mean, Rounded)
        return mean
    # A count is exact: only rows at the threshold are uncertain.
    count = Rounded(sum(one.value.sum() for one in each), sum(one.error.sum() for one in each))
    share: Rounded = count / float(sum(map(len, each)))
    return share


def _row_metric(task: Task, output: Rounded, batch: Batch) -> Rounded:
    if not task.classifies:
        error = row_losses("mean_absolute_error", batch.y, output)
        assert isinstance(error, Rounded)
        return error
    least, most = correct_shares(task.loss, batch.y, output)
    return Rounded((least + most) / 2, (most - least) / 2 / OTHER_ORDER)


@check(
    "ARI12",
    "A string gives the documented defaults, and the fuzz factor is the documented one.",
    subjects=[Subject(name, name) for name in (*NAMED_OPTIMIZERS, *NAMED, "epsilon")],
    on=KERAS,
)
def names(lab: Lab, name: str) -> Verdict:
    """Optimizers, losses and metrics as ``get`` returns them for a name, as ``compile`` does."""
    if name == "epsilon":
        return verdict([("the fuzz factor", lab.steps.fuzz_factor(), Rounded(FUZZ))])
    if name not in NAMED:
        rule = Rule(NAMED_OPTIMIZERS[name])
        _require_optimizer(lab, rule)
        weights, slopes = gradients_for(lab.stream("named", name))
        return _judge_updates(rule, weights, slopes, lab.steps.updates(rule, weights, slopes, by_name=True))
    loss, outputs = NAMED[name]
    net, seed = DenseNetwork(3, (outputs,), (output_for(loss),)), lab.stream("named", name)
    batch = rows_for(net, loss, 23, seed)
    output = forward(net, weights_for(net, seed + 1), batch.x.astype(np.float64)).astype(np.float32)
    if not name.endswith("accuracy"):
        return verdict(
            [(name, lab.steps.named_loss(name, batch.y, output), row_losses(loss, batch.y, Rounded(output)))]
        )
    return verdict(
        [(name, lab.steps.named_metric(name, batch.y, output), Rounded(correct_rows(loss, batch.y, output)[0]) / 23.0)]
    )


@check(
    "ARI13",
    "A row of an Embedding moves by the sum of the gradients of all its lookups, in every optimizer.",
    subjects=[Subject(f"{rule}-{often}", (rule, often)) for rule in LOOKUP_RULES for often in LOOKUPS],
    on=KERAS,
)
def lookups(lab: Lab, case: tuple[Rule, str]) -> Verdict:
    """Rows that are looked up once at most, or up to three times; the oracle uses dense gradients."""
    rule, often = case
    _require_optimizer(lab, rule)
    table, steps = lookups_for(LOOKUPS[often], lab.stream("lookups", str(rule), often))
    slopes = []
    for indices, slope in steps:
        chosen = np.eye(len(table))[indices.ravel()]
        slopes.append([Rounded(chosen.T) @ Rounded(slope.reshape(-1, table.shape[1]))])
    tables = lab.steps.lookups(rule, table, steps)
    return _judge_updates(rule, [table], slopes, [[one] for one in tables])
