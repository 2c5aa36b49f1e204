"""The oracle of training's arithmetic: against numbers worked out by hand, finite differences, and float32 itself."""

import numpy as np
import pytest

from initcheck.oracle.networks import ACTIVATIONS, DenseNetwork, activate, backward, correct_rows, forward, row_losses
from initcheck.oracle.optimizer_steps import Schedule, learning_rate
from initcheck.oracle.rounding import Rounded, excess
from initcheck.oracle.tasks import rows_for, weights_for

LOSSES = {
    "mean_squared_error": "linear",
    "mean_absolute_error": "linear",
    "binary_crossentropy": "sigmoid",
    "binary_crossentropy_logits": "linear",
    "categorical_crossentropy": "softmax",
    "categorical_crossentropy_logits": "linear",
    "sparse_categorical_crossentropy": "softmax",
    "sparse_categorical_crossentropy_logits": "linear",
}


def a_net(loss, hidden="tanh"):
    return DenseNetwork(3, (4, 1 if loss.startswith("binary") else 3), (hidden, LOSSES[loss]))


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("sigmoid", [0.0, np.log(3.0)], [0.5, 0.75]),
        ("tanh", [0.0, np.log(2.0)], [0.0, 0.6]),
        ("relu", [-2.0, 3.0], [0.0, 3.0]),
        ("softmax", [0.0, np.log(3.0)], [0.25, 0.75]),
        ("elu", [-np.log(2.0), 2.0], [-0.5, 2.0]),
        ("softplus", [0.0, -np.log(2.0)], [np.log(2.0), np.log(1.5)]),
        ("softsign", [-1.0, 3.0], [-0.5, 0.75]),
        ("swish", [0.0, np.log(3.0)], [0.0, 0.75 * np.log(3.0)]),
        ("exponential", [0.0, np.log(5.0)], [1.0, 5.0]),
        ("selu", [0.0, 1.0], [0.0, 1.0507009873554805]),
    ],
)
def test_activations_have_known_values(name, x, expected):
    np.testing.assert_allclose(activate(name, np.array([x])), [expected], rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize(
    ("loss", "y", "output", "expected"),
    [
        ("mean_squared_error", [[1.0, 2.0]], [[0.0, 4.0]], 2.5),
        ("mean_absolute_error", [[1.0, 2.0]], [[0.0, 4.0]], 1.5),
        ("binary_crossentropy", [[1.0]], [[0.25]], np.log(4.0)),
        ("binary_crossentropy_logits", [[0.0]], [[np.log(3.0)]], np.log(4.0)),
        ("categorical_crossentropy", [[0.0, 1.0]], [[0.75, 0.25]], np.log(4.0)),
        ("sparse_categorical_crossentropy", [0], [[0.5, 0.5]], np.log(2.0)),
        ("sparse_categorical_crossentropy_logits", [1], [[np.log(3.0), 0.0]], np.log(4.0)),
    ],
)
def test_losses_have_known_values(loss, y, output, expected):
    assert row_losses(loss, np.array(y), np.array(output))[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("hidden", ["tanh", "sigmoid", "relu", "elu", "selu", "softplus", "softsign", "swish"])
def test_gradients_match_finite_differences(loss, hidden):
    net = a_net(loss, hidden)
    batch, step = rows_for(net, loss, 7, 3, weighted=True), 1e-6
    weights = [one.astype(np.float64) for one in weights_for(net, 4)]
    _, gradients = backward(net, weights, batch.x.astype(float), loss, batch.y, batch.sample_weight)
    for number, gradient in enumerate(gradients):
        for place in np.ndindex(gradient.shape):
            ends = []
            for sign in (1, -1):
                moved = [one.copy() for one in weights]
                moved[number][place] += sign * step
                ends.append(backward(net, moved, batch.x.astype(float), loss, batch.y, batch.sample_weight)[0])
            # A central difference errs by step² f‴/6 and by float64's rounding over the step: both below 1e-8.
            assert gradient[place] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-8)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_bound_holds_for_the_same_formula_in_float32(loss):
    for seed in range(20):
        net = a_net(loss)
        batch, weights = rows_for(net, loss, 9, seed), weights_for(net, seed + 1)
        expected, gradients = backward(net, [Rounded(one) for one in weights], Rounded(batch.x), loss, batch.y)
        actual, actual_gradients = backward(net, weights, batch.x, loss, batch.y)
        assert excess(np.float32(actual), expected) <= 1
        for one, other in zip(actual_gradients, gradients, strict=True):
            assert excess(one.astype(np.float32), other) <= 1


def test_the_bound_is_tight_enough_to_detect_a_gradient_off_by_one_in_ten_thousand():
    net = a_net("binary_crossentropy")
    batch, weights = rows_for(net, "binary_crossentropy", 9, 1), weights_for(net, 2)
    _, gradients = backward(net, [Rounded(one) for one in weights], Rounded(batch.x), "binary_crossentropy", batch.y)
    assert all(excess(one.value * 1.0001, one) > 1 for one in gradients)


def test_the_bound_of_float64_is_that_of_float32_times_the_ratio_of_their_roundings():
    one = Rounded(np.array([1.0, 3.0])) / 3.0
    actual = np.array([1.0, 3.0]) / 3.0
    assert excess(actual, one.of("float64")) <= 1
    assert excess(actual.astype(np.float32), one.of("float64")) > 1e6
    assert one.of("float32") is one


def test_nan_and_another_shape_have_infinite_excess():
    one = Rounded(np.ones((2, 3)))
    assert excess(np.ones((2, 3)), one) == 0
    assert excess(np.full((2, 3), np.nan), one) == np.inf
    assert excess(np.ones((3, 2)), one) == np.inf


def test_schedules_have_known_values():
    config = {"initial_learning_rate": 0.8, "decay_steps": 4}
    cases = [
        (Schedule("ExponentialDecay", {**config, "decay_rate": 0.25}), 2, 0.4),
        (Schedule("ExponentialDecay", {**config, "decay_rate": 0.25, "staircase": True}), 3, 0.8),
        (Schedule("InverseTimeDecay", {**config, "decay_rate": 1.0}), 4, 0.4),
        (Schedule("PolynomialDecay", {**config, "end_learning_rate": 0.2}), 2, 0.5),
        (Schedule("CosineDecay", config), 2, 0.4),
        (Schedule("CosineDecay", {**config, "warmup_target": 1.0, "warmup_steps": 2}), 0, 0.8),
        (Schedule("CosineDecay", {**config, "warmup_target": 1.0, "warmup_steps": 2}), 1, 0.9),
        (Schedule("CosineDecay", {**config, "warmup_target": 1.0, "warmup_steps": 2}), 2, 1.0),
        (Schedule("CosineDecay", {**config, "warmup_target": 1.0, "warmup_steps": 2}), 4, 0.5),
        (Schedule("CosineDecayRestarts", {"initial_learning_rate": 0.8, "first_decay_steps": 2}), 1, 0.4),
        (Schedule("CosineDecayRestarts", {"initial_learning_rate": 0.8, "first_decay_steps": 2}), 4, 0.4),
        (Schedule("CosineDecayRestarts", {"initial_learning_rate": 0.8, "first_decay_steps": 2, "m_mul": 0.5}), 2, 0.4),
        (Schedule("PiecewiseConstantDecay", {"boundaries": [2], "values": [1.0, 0.5]}), 2, 1.0),
        (Schedule("PiecewiseConstantDecay", {"boundaries": [2], "values": [1.0, 0.5]}), 3, 0.5),
    ]
    for schedule, step, expected in cases:
        assert learning_rate(schedule, step, float) == pytest.approx(expected), schedule


def test_correct_rows_are_counted_at_the_threshold_and_with_ties():
    assert correct_rows("binary_crossentropy", np.array([[1], [0], [1]]), np.array([[0.5], [0.5], [0.6]])) == (2, 2)
    tied = np.array([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4]])
    assert correct_rows("sparse_categorical_crossentropy", np.array([0, 2]), tied) == (1, 1)
    flags = np.array([[0.9, 0.1], [0.9, 0.9]])
    assert correct_rows("binary_crossentropy", np.array([[1, 0], [0, 1]]), flags) == (1.5, 1.5)
    assert correct_rows("binary_crossentropy", np.array([1, 0]), np.array([[0.9], [0.9]])) == (1, 1)
    unsure = Rounded(np.array([[0.5 + 1e-9]]), np.array([[1e-8]]))
    assert correct_rows("binary_crossentropy", np.array([[1]]), unsure) == (0, 1)


def test_outputs_are_those_of_a_network_worked_out_by_hand():
    net = DenseNetwork(2, (2, 1), ("relu", "linear"))
    weights = [np.array([[1.0, -1.0], [2.0, 0.5]]), np.array([0.5, 0.0]), np.array([[2.0], [3.0]]), np.array([-1.0])]
    assert forward(net, weights, np.array([[1.0, -2.0]]))[0, 0] == -1.0
    assert forward(net, weights, np.array([[1.0, 4.0]]))[0, 0] == 2 * 9.5 + 3 * 1.0 - 1.0


def test_every_activation_has_a_derivative():
    x = np.array([-1.3, 0.7])
    for name, (function, derivative) in ACTIVATIONS.items():
        difference = (function(x + 1e-6) - function(x - 1e-6)) / 2e-6
        np.testing.assert_allclose(derivative(x, function(x)), difference, atol=1e-8, err_msg=name)
