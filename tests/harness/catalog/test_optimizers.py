"""The catalogue of optimizers: its formulas against numbers worked out by hand, and its traits."""

from dataclasses import replace

import numpy as np
import pytest

from initcheck.catalog import optimizers
from initcheck.catalog.cases import nets
from initcheck.catalog.optimizers import OPTIMIZERS, Rule
from initcheck.errors import InitcheckError

JUDGED = [row for row in OPTIMIZERS if row.formula]


def steps_of(rule, gradients, start=1.0):
    optimizer, weights, seen = rule.stepper(float), [np.array([start])], []
    for gradient in gradients:
        weights = optimizer.step(weights, [np.array([gradient])])
        seen.append(float(weights[0][0]))
    return seen


@pytest.mark.parametrize(
    ("rule", "gradients", "expected"),
    [
        (Rule(optimizers.SGD, {"learning_rate": 0.1}), [1.0, 2.0], [0.9, 0.7]),
        (Rule(optimizers.SGD, {"learning_rate": 0.1, "momentum": 0.5}), [1.0, 2.0], [0.9, 0.65]),
        (Rule(optimizers.SGD, {"learning_rate": 0.1, "momentum": 0.5, "nesterov": True}), [1.0, 2.0], [0.85, 0.525]),
        (Rule(optimizers.SGD, {"learning_rate": 0.1, "clipvalue": 0.5}), [3.0], [0.95]),
        (Rule(optimizers.SGD, {"learning_rate": 0.1, "clipnorm": 2.0}), [-3.0], [1.2]),
        (Rule(optimizers.SGD, {"learning_rate": 0.1, "weight_decay": 0.5}), [1.0], [0.85]),
        (Rule(optimizers.RMSPROP, {"learning_rate": 0.1, "rho": 0.75, "epsilon": 0.0}), [2.0], [0.8]),
        (Rule(optimizers.RMSPROP, {"learning_rate": 0.1, "rho": 0.75, "epsilon": 3.0}), [2.0], [0.9]),
        # Adam's first step is the learning rate, whatever the gradient and the betas.
        (Rule(optimizers.ADAM, {"learning_rate": 0.1, "epsilon": 0.0}), [7.0], [0.9]),
        (Rule(optimizers.ADAM, {"learning_rate": 0.1, "epsilon": 0.0}), [7.0, 7.0], [0.9, 0.8]),
        (Rule(optimizers.ADAMW, {"learning_rate": 0.1, "epsilon": 0.0, "weight_decay": 0.5}), [7.0], [0.85]),
        (Rule(optimizers.ADAMAX, {"learning_rate": 0.1, "epsilon": 0.0}), [7.0], [0.9]),
        (
            Rule(optimizers.ADAGRAD, {"learning_rate": 0.1, "epsilon": 0.0, "initial_accumulator_value": 0.0}),
            [2.0, 2.0],
            [0.9, 0.9 - 0.1 / np.sqrt(2)],
        ),
        (Rule(optimizers.ADADELTA, {"learning_rate": 1.0, "rho": 0.75, "epsilon": 3.0}), [6.0], [1.0 - 3.0]),
        (Rule(optimizers.NADAM, {"learning_rate": 0.1, "beta_1": 0.0, "epsilon": 0.0}), [7.0], [0.9]),
        # Momenta ½·(1 − ½·0.96) = 0.26 now and ½·(1 − ½·0.96²) = 0.2696 next; their product is 0.070096.
        (
            Rule(optimizers.NADAM, {"learning_rate": 0.1, "beta_1": 0.5, "epsilon": 0.0}),
            [7.0],
            [0.9 - 0.1 * 0.2696 * 0.5 / (1 - 0.070096)],
        ),
        (Rule(optimizers.LION, {"learning_rate": 0.1}), [1.0, -0.05, -7.0], [0.9, 0.8, 0.9]),
        # Without regularization, Ftrl is Adagrad.
        (
            Rule(optimizers.FTRL, {"learning_rate": 0.1, "initial_accumulator_value": 0.0}),
            [2.0, 2.0],
            [0.9, 0.9 - 0.05 * 2**0.5],
        ),
        (
            Rule(
                optimizers.FTRL,
                {"learning_rate": 0.1, "initial_accumulator_value": 0.0, "l1_regularization_strength": 3.0},
            ),
            [2.0],
            [(18.0 - 3.0) / 20.0],
        ),
        # After many steps, the correction of Adam's bias is over: its mean is a tenth of the gradient.
        (
            Rule(optimizers.ADAM, {"learning_rate": 0.1, "beta_2": 0.9, "epsilon": 0.0}, start=1000),
            [4.0],
            [1 - 0.1 * 0.1**0.5],
        ),
    ],
    ids=str,
)
def test_optimizers_take_known_steps(rule, gradients, expected):
    np.testing.assert_allclose(steps_of(rule, gradients), expected, rtol=1e-12)


@pytest.mark.parametrize("row", JUDGED, ids=lambda row: row.name)
def test_traits_say_of_the_formula_what_it_does(row):
    """With its defaults, over gradients of several sizes in one weight; each trait both ways."""
    stream = np.random.RandomState(5)
    start, gradients = stream.normal(size=4), stream.normal(size=(3, 4))

    def trained(start, gradients, first=0):
        stepper, weights = Rule(row, start=first).stepper(float), [start]
        for gradient in gradients:
            weights = stepper.step(weights, [gradient])
        return weights[0], stepper

    def moved(gradients, first=0):
        return trained(start, gradients, first)[0] - start

    after, stepper = trained(start, gradients)
    assert bool(stepper.slots[0]) == row.stateful
    assert (moved(gradients[:1]) != moved(gradients[:1], 1000)).any() == row.counts_steps
    halves = [trained(start[part], gradients[:, part])[0] for part in (slice(2), slice(2, 4))]
    assert np.array_equal(after, np.concatenate(halves)) == row.elementwise
    if row.smooth:  # what is not adaptive moves by so much of its gradient
        in_proportion = np.allclose(moved(2 * gradients[:1]), 2 * moved(gradients[:1]), rtol=1e-12, atol=0)
        assert in_proportion != row.adaptive
    assert all(np.float32(value) == value for value in (row.exact or {}).values())


def test_a_row_says_why_it_lacks_a_trait_and_nothing_else():
    with pytest.raises(InitcheckError, match=r"optimizer Lion: give a reason .* for no other: resettable"):
        replace(optimizers.LION, resettable=True)
    with pytest.raises(InitcheckError, match=r"optimizer Adam: give a reason .* for no other: drawn, smooth"):
        replace(optimizers.ADAM, smooth=(), drawn=False)
    with pytest.raises(InitcheckError, match="optimizer Lamb has no formula: its configuration alone"):
        Rule(optimizers.LAMB).stepper()


def test_samples_of_nets_are_numbered_without_gaps():
    assert [net.optimizer for net in nets.constant_nets()] == ["SGD", "Nesterov", "Adam", "RMSprop", "Adagrad"]
    assert [net.optimizer for net in nets.random_nets()] == ["SGD", "Momentum", "Adam", "RMSprop", "Nadam", "Adagrad"]
