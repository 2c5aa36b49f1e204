"""Which weights a step moves: constrained, frozen, unknown ones; models that share an optimizer; a user's optimizer.

Source: https://keras.io/api/optimizers/, https://keras.io/guides/transfer_learning/.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.catalog.optimizers import ADAFACTOR, OPTIMIZERS, RMSPROP, SGD
from initcheck.evidence.composition.promises import (
    Row,
    Seen,
    close,
    inputs,
    is_keras_3,
    refusal,
    table,
    tensorflows,
    values,
)
from initcheck.evidence.steps.hand_steps import (
    fitted,
    halved,
    looked_up,
    scalar_model,
    step,
    stepped,
    the_number,
    variable,
    weight_of,
)
from initcheck.evidence.toy_data import pipeline
from initcheck.frameworks.backend_calls import as_tensor


def constraints_after_steps(keras: Any, _: Path) -> Iterator[Seen]:
    """After each step, of kernels and biases, in ``fit`` as by hand; what is frozen is left."""
    if not is_keras_3(keras):
        return
    kinds = keras.constraints
    dense = keras.layers.Dense(
        2, kernel_constraint=kinds.MaxNorm(1.0), bias_constraint=kinds.NonNeg(), bias_initializer="ones"
    )
    model = keras.Sequential([keras.Input((1,)), dense])
    dense.set_weights([inputs([0, 0]), inputs(1, -1)])
    model.compile(keras.optimizers.SGD(1.0), lambda _, output: output)
    model.fit(pipeline(np.full((2, 1), 6.0), np.zeros((2, 1)), size=1), shuffle=False, verbose=0)
    yield "kernel", [[-1.0, -1.0]], values(dense.kernel)
    yield "bias", [0.0, 0.0], values(dense.bias)
    weight = variable(keras, [3])
    weight.constraint = halved(keras)
    for options, expected in (({}, 1.0), ({"weight_decay": 0.5}, 0.25)):
        weight.assign([3.0])
        yield (
            f"constrained by hand, {options}",
            [expected],
            step(keras.optimizers.SGD(1.0, **options), [weight], [1.0])[0],
        )
    yield (
        "constrained without a gradient",
        [0.25],
        step(keras.optimizers.SGD(1.0), [weight, variable(keras, [0])], [None, 1.0])[0],
    )


def frozen_layers(keras: Any, _: Path) -> Iterator[Seen]:
    """Frozen before ``compile``, after it with another ``compile``, and thawed, with and without momenta."""
    if not is_keras_3(keras):
        return
    kinds = [keras.layers.Dense(1, use_bias=False, kernel_initializer="ones") for _ in range(2)]
    model, x = keras.Sequential([keras.Input((1,)), *kinds]), np.ones((1, 1), np.float32)

    def after(*trained: bool, optimizer: Any) -> list[float]:
        for layer, flag in zip(kinds, trained, strict=True):
            layer.trainable = flag
            layer.kernel.assign([[1.0]])
        model.compile(optimizer, lambda _, output: output, run_eagerly=True)
        model.train_on_batch(x, x)
        return [the_number(layer.kernel) for layer in kinds]

    kind, kept = keras.optimizers.SGD, keras.optimizers.SGD(0.25, momentum=0.5)
    yield "first one frozen", [1.0, 0.75], after(False, True, optimizer=kind(0.25))
    yield "last one frozen", [0.75, 1.0], after(True, False, optimizer=kind(0.25))
    yield "none frozen", [0.75, 0.75], after(True, True, optimizer=kept)
    yield "first one frozen later", [1.0, 0.625], after(False, True, optimizer=kept)
    yield "last one frozen later", [0.625, 1.0], after(True, False, optimizer=kept)
    partial = kind(0.25)
    after(False, True, optimizer=partial)
    yield "raised for a weight that is thawed", "ValueError", refusal(lambda: after(True, True, optimizer=partial))


def frozen_in_fit(keras: Any, _: Path) -> Iterator[Seen]:
    """A layer is frozen as it was at ``compile``; decay and averages leave what is frozen."""
    if not is_keras_3(keras):
        return
    kinds = [keras.layers.Dense(1, use_bias=False, kernel_initializer="ones") for _ in range(2)]
    kinds[0].trainable = False
    model, x = keras.Sequential([keras.Input((1,)), *kinds]), np.ones((1, 1), np.float32)
    optimizer = keras.optimizers.SGD(0.25, weight_decay=1.0, use_ema=True, ema_momentum=0.5)
    model.compile(optimizer, lambda _, output: output)
    model.fit(pipeline(x, x), epochs=2, shuffle=False, verbose=0)
    # 1 → ½ → ⅛, average 5/16.
    yield "weights", [[[1.0]], [[0.3125]]], values([one.kernel for one in kinds])
    yield "number of averages", 1, sum(one.name.split("_")[-1] == "average" for one in optimizer.variables)


def some_of_the_variables(keras: Any, _: Path) -> Iterator[Seen]:
    """Gradients without variables are of those that it was built for, in order; some of them may be given by name."""
    if not is_keras_3(keras):
        return
    optimizer, weights = keras.optimizers.SGD(1.0, momentum=0.5), [variable(keras, [0]) for _ in range(3)]
    optimizer.build(weights)
    optimizer.apply([as_tensor(inputs(1.0)), as_tensor(inputs(2.0)), as_tensor(inputs(3.0))])
    yield "weights without names", [[-1.0], [-2.0], [-3.0]], values(weights)
    optimizer.apply([as_tensor(inputs(0.0)), as_tensor(inputs(0.0))], [weights[2], weights[0]])
    yield "weights of two, in another order", [[-1.5], [-2.0], [-4.5]], values(weights)
    optimizer.apply_gradients([(as_tensor(inputs(0.0)), weights[1])])
    yield "weights of pairs", [[-1.5], [-3.0], [-4.5]], values(weights)
    yield "count", 3, the_number(optimizer.iterations)
    optimizer.apply([])
    yield "count after no gradients", 3, the_number(optimizer.iterations)
    yield "raised for too few", "ValueError", refusal(optimizer.apply, [as_tensor(inputs(1.0))])
    optimizer.iterations.assign(7)
    yield "count that is assigned", 7, the_number(optimizer.iterations)


def shared_optimizers(keras: Any, _: Path) -> Iterator[Seen]:
    """An optimizer "can only be called for the variables it was originally built with"; a copy is a new one."""
    if not is_keras_3(keras):
        return
    optimizer = keras.optimizers.SGD(1.0, momentum=0.5)
    first = scalar_model(keras, optimizer, run_eagerly=True)
    yield "first model", 0.0, stepped(first, 1.0)
    second = scalar_model(keras, optimizer, run_eagerly=True)
    yield "raised by the second model", "ValueError", refusal(stepped, second, 1.0)
    copies = keras.optimizers.SGD.from_config(optimizer.get_config())
    third = scalar_model(keras, copies, run_eagerly=True)
    yield "third model", 0.0, stepped(third, 1.0)
    yield "counts", [1, 1], [the_number(optimizer.iterations), the_number(copies.iterations)]
    first.compile(SGD.identifier, "mse")
    yield "count of a name's", 0, the_number(first.optimizer.iterations)


def exclusions_from_decay(keras: Any, _: Path) -> Iterator[Seen]:
    """By any of several words in a name, by variable, by both; a second call replaces the first."""
    if not is_keras_3(keras):
        return

    def after(*given: Mapping[str, Any]) -> list[float]:
        weights = [variable(keras, [1], name) for name in ("kernel", "bias", "gamma", "beta")]
        optimizer = keras.optimizers.SGD(1.0, weight_decay=0.5)
        for one in given:
            variables = {"var_list": [weights[k] for k in one["var_list"]]} if "var_list" in one else {}
            optimizer.exclude_from_weight_decay(**{**one, **variables})
        return [each[0] for each in step(optimizer, weights, [0.0] * 4)]

    yield "none", [0.5] * 4, after()
    yield "by words", [0.5, 1.0, 0.5, 1.0], after({"var_names": ["bias", "eta"]})
    yield "by variables", [1.0, 0.5, 0.5, 1.0], after({"var_list": [0, 3]})
    yield "by both", [1.0, 1.0, 0.5, 0.5], after({"var_list": [0], "var_names": ["bias"]})
    yield "twice", [1.0, 0.5, 0.5, 0.5], after({"var_names": ["bias"]}, {"var_list": [0]})


def late_exclusions(keras: Any, _: Path) -> Iterator[Seen]:
    """It "must be called before the optimizer's ``build`` method is called": later, it raises."""
    if not is_keras_3(keras):
        return
    optimizer, weight = keras.optimizers.SGD(1.0, weight_decay=0.5), variable(keras, [1])
    optimizer.build([weight])
    yield "raised", "ValueError", refusal(lambda: optimizer.exclude_from_weight_decay(var_list=[weight]))


def users_optimizers(keras: Any, _: Path) -> Iterator[Seen]:
    """The example of the base class's page: ``build``, ``update_step`` and ``get_config``; options come with it."""
    if not is_keras_3(keras) or not hasattr(keras.optimizers.SGD(0.1), "add_optimizer_variables"):
        return
    ops = keras.ops

    class HalvedFirsts(keras.optimizers.Optimizer):  # type: ignore[misc] # has no types
        def __init__(self, learning_rate: Any = 0.5, factor: float = 0.5, **options: Any) -> None:
            super().__init__(learning_rate, **options)
            self.factor = factor

        def build(self, variables: Any) -> None:
            super().build(variables)
            self.firsts, self.seconds = self.add_optimizer_variables(variables, ["first", "second"], ["ones", "zeros"])
            self.total = self.add_variable((), "zeros", name="total")

        def update_step(self, gradient: Any, weight: Any, learning_rate: Any) -> None:
            index = self._get_variable_index(weight)
            self.assign(self.seconds[index], ops.multiply(self.firsts[index], self.factor))
            self.assign_add(self.firsts[index], gradient)
            self.assign_sub(weight, ops.multiply(self.seconds[index], learning_rate))
            self.assign_add(self.total, ops.sum(gradient))

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "factor": self.factor}

    optimizer = HalvedFirsts(clipvalue=3.0, weight_decay=0.0)
    weights = [variable(keras, [0], "a"), variable(keras, [[0, 0]], "b")]
    step(optimizer, weights, [5.0, 1.0])
    step(optimizer, weights, [1.0, 1.0])
    # Of the first of them: 1, then 1 + 3; half of each times the rate.
    yield "weights", [[-1.25], [[-0.75, -0.75]]], values(weights)
    yield "total", 8.0, the_number(optimizer.total)
    yield "states", [[5.0], [[3.0, 3.0]]], values(optimizer.firsts)
    yield "number of variables", 2 + 2 * 2 + 1, len(optimizer.variables)
    yield "configuration", optimizer.get_config(), HalvedFirsts.from_config(optimizer.get_config()).get_config()
    model = scalar_model(keras, HalvedFirsts())
    yield "weight of a model", 1.0 - 0.25 - 0.5, fitted(model, (1.0, 1.0))

    class WithoutSuper(keras.optimizers.Optimizer):  # type: ignore[misc] # has no types
        def __init__(self) -> None:
            self.factor = 1.0

    yield "raised by one that calls no super().__init__", "RuntimeError", refusal(WithoutSuper)


def subclasses_by_name(keras: Any, _: Path) -> Iterator[Seen]:
    """A user's class derived from an optimizer is named as itself is, and so are its variables."""
    if not is_keras_3(keras):
        return
    for row in OPTIMIZERS:
        kind = getattr(keras.optimizers, row.name, None)
        if kind is not None:
            made = type("MadeHere", (kind,), {})(0.1)
            names = [made.name, made.iterations.path.split("/")[0]]
            yield (
                f"names of a class derived from {row.name}",
                ["made_here"] * 2,
                [one.rsplit("_", 1)[0] if one[-1].isdigit() else one for one in names],
            )


def configurations_used_twice(keras: Any, _: Path) -> Iterator[Seen]:
    """A configuration makes as many optimizers as one wants, with a schedule in it as well."""
    if is_keras_3(keras):
        for row in OPTIMIZERS:
            kind = getattr(keras.optimizers, row.name, None)
            if kind is not None:
                halves = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.5, 0.25])
                config = kind(halves).get_config()
                once, again = (kind.from_config(config).get_config() for _ in range(2))
                yield f"configuration of a second {row.name}", once, again


def configurations_of_scales_used_twice(keras: Any, _: Path) -> Iterator[Seen]:
    """The same of an optimizer that scales the loss of another one."""
    if is_keras_3(keras):
        kind = keras.optimizers.LossScaleOptimizer
        config = kind(keras.optimizers.SGD(0.5), 4.0).get_config()
        once, again = (kind.from_config(config).get_config() for _ in range(2))
        yield "configuration of a second one", once, again


def refused_identifiers(keras: Any, _: Path) -> Iterator[Seen]:
    """What is no optimizer, by ``optimizers.get`` and in ``compile``; without one, ``compile`` takes RMSprop."""
    if not is_keras_3(keras):
        return
    model = keras.Sequential([keras.layers.Dense(1)])
    others = {"a number": 3, "another name": "nothing", "a loss": keras.losses.MeanSquaredError(), "a class": dict}
    for words, given in others.items():
        yield f"raised for {words}", "ValueError", refusal(keras.optimizers.get, given)
        yield f"raised by compile for {words}", "ValueError", refusal(lambda given=given: model.compile(given, "mse"))
    yield (
        "raised for AdamW that does not decay",
        "ValueError",
        refusal(lambda: keras.optimizers.AdamW(weight_decay=None)),
    )
    yield "got for None", None, keras.optimizers.get(None)
    model.compile(loss="mse")
    yield "taken by default", RMSPROP.name, type(model.optimizer).__name__


def state_of_equal_names(keras: Any, _: Path) -> Iterator[Seen]:
    """Weights whose names are equal in layers of their own have state of names of its own."""
    if not is_keras_3(keras):
        return
    layers = [keras.layers.Dense(1, name=name) for name in ("first", "second")]
    for layer in layers:
        layer.build((1, 1))
    optimizer = keras.optimizers.SGD(0.5, momentum=0.5)
    optimizer.build([weight for layer in layers for weight in layer.weights])
    names = [one.name for one in optimizer.variables]
    yield "number of names", [6, 6], [len(names), len(set(names))]
    yield "state of each layer", [2, 2], [sum(layer.name in one for one in names) for layer in layers]


def functions_on_weights(keras: Any, _: Path) -> Iterator[Seen]:
    """A plain function is a constraint or a regularizer of a variable, or of a layer."""
    if not is_keras_3(keras):
        return
    weight = variable(keras, [3])
    weight.constraint = lambda one: one * 0.5
    yield "constrained by a function", [1.0], step(keras.optimizers.SGD(1.0), [weight], [1.0])[0]
    weight.regularizer = lambda one: 2 * one
    yield "penalty by a function", [2.0], values(weight.regularizer(weight))
    kind = keras.layers.Dense
    dense = kind(
        1, kernel_constraint=lambda one: one * 0.5, kernel_regularizer=keras.ops.sum, kernel_initializer="ones"
    )
    dense.build((1, 3))
    yield "penalty of a layer", [3.0], values(dense.losses)
    yield "constrained kernel of a layer", [[0.5]] * 3, step(keras.optimizers.SGD(1.0), [dense.kernel], [0.0])[0]
    for name in ("constraint", "regularizer"):
        yield f"raised for a number as {name}", "ValueError", refusal(setattr, weight, name, 3.0)


def values_of_assignments(keras: Any, _: Path) -> Iterator[Seen]:
    """``assign``, ``assign_add`` and ``assign_sub`` return what the variable is from then on."""
    if not is_keras_3(keras):
        return
    weight = variable(keras, [1.0])
    for way, number, expected in (("assign", 4.0, [4.0]), ("assign_add", 2.0, [6.0]), ("assign_sub", 1.0, [5.0])):
        returned = getattr(weight, way)([number])
        yield f"returned by {way}", [expected] * 2, values([np.nan if returned is None else returned, weight])


@tensorflows("gradients of looked-up rows alone")
def slices_of_variables(keras: Any, _: Path) -> Iterator[Seen]:
    """What an optimizer assigns, adds and subtracts may be rows that were looked up; the other rows stay."""
    optimizer = keras.optimizers.SGD(1.0)
    if not is_keras_3(keras) or not hasattr(optimizer, "assign_add"):
        return
    weight = variable(keras, [[1], [2], [3]])
    for way, expected in (("assign", [4, 2, 5]), ("assign_add", [8, 2, 10]), ("assign_sub", [4, 2, 5])):
        getattr(optimizer, way)(weight, looked_up([2, 0], ([5], [4]), 3))
        yield f"rows after {way}", [[float(one)] for one in expected], values(weight)


def missing_gradients(keras: Any, _: Path) -> Iterator[Seen]:
    """It warns of the weights that have no gradient, by their paths, and of none else."""
    if not is_keras_3(keras):
        return
    weights = [variable(keras, [1.0], name) for name in ("first", "second", "third")]
    for words, gradients, named in (
        ("one", [1.0, None, 1.0], [False, True, False]),
        ("two", [None, 1.0, None], [True, False, True]),
        ("none", [1.0] * 3, [False] * 3),
    ):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            step(keras.optimizers.SGD(1.0), weights, gradients)
        text = " ".join(str(one.message) for one in seen)
        yield f"whether it warns of each where {words} are missing", named, [one.name in text for one in weights]


@tensorflows("a stateless_apply that is refused")
def steps_without_state(keras: Any, _: Path) -> Iterator[Seen]:
    """On TensorFlow, ``stateless_apply`` is refused, and changes nothing."""
    if not is_keras_3(keras):
        return
    optimizer, weight = keras.optimizers.SGD(1.0), variable(keras, [1])
    optimizer.build([weight])
    state = [one.value for one in optimizer.variables]
    yield "raised", "ValueError", refusal(lambda: optimizer.stateless_apply(state, [inputs(1)], [weight.value]))
    yield "weight", [1.0], values(weight)


def rates_in_training(keras: Any, _: Path) -> Iterator[Seen]:
    """A rate that is assigned counts at the next step of ``fit``; schedules count over all calls of it."""
    if not is_keras_3(keras):
        return
    model = scalar_model(keras, keras.optimizers.SGD(1.0))
    yield "weight by the first rate", 0.0, fitted(model, (1.0,))
    model.optimizer.learning_rate = 0.5
    yield "weight by the second rate", -0.5, fitted(model, (1.0,))
    model.optimizer.learning_rate.assign(0.25)
    yield "weight by the third rate", -0.75, fitted(model, (1.0,))
    halves = keras.optimizers.schedules.PiecewiseConstantDecay([0, 1, 2], [1.0, 0.5, 0.25, 0.125])
    model = scalar_model(keras, keras.optimizers.SGD(halves), run_eagerly=True)
    yield "weight by two rates of a schedule", -0.5, fitted(model, (1.0, 1.0))
    yield "weight by four", -0.875, fitted(model, (1.0, 1.0))
    yield "rate of the next step", 0.125, the_number(model.optimizer.learning_rate)


def rates_of_any_kind(keras: Any, _: Path) -> Iterator[Seen]:
    """A function is asked at every step; a schedule of a user's own takes the count; either replaces a number."""
    if not is_keras_3(keras):
        return
    asked = []

    def rate() -> float:
        asked.append(1)
        return 0.5 ** len(asked)

    optimizer, weight = keras.optimizers.SGD(rate), variable(keras, [0])
    yield "weights by a function", [-0.5, -0.75], [step(optimizer, [weight], [1.0])[0][0] for _ in range(2)]

    class CountedRate(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc] # has no types
        def __call__(self, count: Any) -> Any:
            return keras.ops.cast(count + 1, "float32")

        def get_config(self) -> dict[str, Any]:
            return {}

    optimizer, weight = keras.optimizers.SGD(CountedRate()), variable(keras, [0])
    yield "weights by a user's schedule", [-1.0, -3.0, -6.0], [step(optimizer, [weight], [1.0])[0][0] for _ in range(3)]
    again = keras.optimizers.SGD.from_config(optimizer.get_config(), custom_objects={"CountedRate": CountedRate})
    yield "rate of a rebuilt one", 1.0, the_number(again.learning_rate)
    optimizer, weight = keras.optimizers.SGD(1.0), variable(keras, [0])
    step(optimizer, [weight], [1.0])
    optimizer.learning_rate = CountedRate()
    yield "weight by a schedule from then on", [-3.0], step(optimizer, [weight], [1.0])[0]
    yield "names of variables left", ["iteration"], [one.name for one in optimizer.variables]
    replaced, weight = keras.optimizers.SGD(1.0), variable(keras, [0])
    replaced.learning_rate = lambda: 0.25
    yield "weight by a function from then on", [-0.25], step(replaced, [weight], [1.0])[0]

    def quarter() -> float:
        return 0.25

    kind = keras.optimizers.SGD
    again = kind.from_config(kind(quarter).get_config(), custom_objects={"quarter": quarter})
    yield "rate of a rebuilt one by a function", 0.25, the_number(again.learning_rate)


def counts_in_graphs(keras: Any, _: Path) -> Iterator[Seen]:
    """``iterations`` is the number of steps, also where their number is not known before: rates go by it."""
    if not is_keras_3(keras):
        return
    for eager in (True, False):
        model = scalar_model(keras, keras.optimizers.SGD(0.5), run_eagerly=eager)
        batches = ((inputs([1], [1]), inputs([0], [0])) for _ in range(3))
        model.fit(batches, shuffle=False, verbose=0)
        yield f"steps of three batches, eager {eager}", 3, int(the_number(model.optimizer.iterations))


def refused_schedules(keras: Any, _: Path) -> Iterator[Seen]:
    """Schedules over no steps, and boundaries without as many values and one more."""
    if not is_keras_3(keras):
        return
    kinds = keras.optimizers.schedules
    for steps in (0, -1):
        for words, make in (
            ("ExponentialDecay", lambda given=steps: kinds.ExponentialDecay(0.1, given, 0.5)),
            ("PolynomialDecay", lambda given=steps: kinds.PolynomialDecay(0.1, given)),
            ("InverseTimeDecay", lambda given=steps: kinds.InverseTimeDecay(0.1, given, 0.5)),
            ("CosineDecay", lambda given=steps: kinds.CosineDecay(0.1, given)),
            ("CosineDecayRestarts", lambda given=steps: kinds.CosineDecayRestarts(0.1, given)),
        ):
            yield f"raised by a {words} over {steps} steps", "ValueError", refusal(make)
    yield "raised for too few values", "ValueError", refusal(lambda: kinds.PiecewiseConstantDecay([1], [1.0]))


def loaded_rates(keras: Any, folder: Path) -> Iterator[Seen]:
    """A file keeps the count, and so the place in a schedule, and a rate that was assigned."""
    if not is_keras_3(keras):
        return
    halves = keras.optimizers.schedules.PiecewiseConstantDecay([0, 1, 2], [1.0, 0.5, 0.25, 0.125])
    model = scalar_model(keras, keras.optimizers.SGD(halves), run_eagerly=True)
    model.compile(model.optimizer, "mse", run_eagerly=True)
    x = np.ones((1, 1), np.float32)
    for _ in range(2):
        model.train_on_batch(x, x)
    model.save(folder / "scheduled.keras")
    again = keras.models.load_model(folder / "scheduled.keras")
    yield "count", 2, the_number(again.optimizer.iterations)
    yield "rate of a schedule", 0.25, the_number(again.optimizer.learning_rate)
    model.compile(keras.optimizers.SGD(1.0), "mse", run_eagerly=True)
    model.optimizer.learning_rate = 0.125
    model.save(folder / "assigned.keras")
    again = keras.models.load_model(folder / "assigned.keras")
    yield "rate that was assigned", 0.125, the_number(again.optimizer.learning_rate)
    yield "weight", weight_of(model), weight_of(again)


def unfactored_rates(keras: Any, _: Path) -> Iterator[Seen]:
    """Adafactor's rate is "adjusted based on current iterations" if it is constant and ``relative_step`` is True."""
    kind = getattr(keras.optimizers, ADAFACTOR.name, None)
    if kind is None or not is_keras_3(keras):
        return
    constant = keras.optimizers.schedules.PiecewiseConstantDecay([99], [1.0, 1.0])
    for words, optimizer, moved in (
        ("adjusted", kind(1.0), 0.5),
        ("not adjusted", kind(1.0, relative_step=False), 1.0),
        ("of a schedule", kind(constant), 1.0),
    ):
        weight = variable(keras, [1, 1])
        for _step in range(4):
            weight.assign([1.0, 1.0])
            after = step(optimizer, [weight], [1.0])[0]
        yield f"whether the fourth step is by a rate {words}", True, close(after, [1 - moved] * 2)


TRAINED: Mapping[str, Row] = table(
    constraints_after_steps,
    frozen_layers,
    frozen_in_fit,
    some_of_the_variables,
    shared_optimizers,
    exclusions_from_decay,
    late_exclusions,
    users_optimizers,
    subclasses_by_name,
    configurations_used_twice,
    configurations_of_scales_used_twice,
    refused_identifiers,
    state_of_equal_names,
    functions_on_weights,
    values_of_assignments,
    missing_gradients,
    slices_of_variables,
    steps_without_state,
    rates_in_training,
    rates_of_any_kind,
    counts_in_graphs,
    refused_schedules,
    loaded_rates,
    unfactored_rates,
)
