"""Dropout in recurrent layers: made by hand right and only just wrong, and by Keras."""

import itertools

import numpy as np
import pytest

from initcheck.checks.laws import sequence_dropout as dropout
from initcheck.checks.registry import budget_share
from initcheck.evidence.laws.layer_weights import Dropped
from initcheck.frameworks.keras import load_keras

ALPHA = 1e-6
CASES = {case.name: case for case in dropout.CASES}


def run(case, x, drawn, rates, scale=1.0, carried=None):
    """The layer's outputs where ``drawn`` gives, for inputs and for states, what each unit's mask is drawn from."""
    exact = [
        one.reshape(one.shape[-2:]) if one.ndim > 2 else one for one in map(np.float64, dropout.weights(case)[-3:])
    ]
    options = [(0.0, scale / (1 - rate)) if rate else (1.0,) for rate in case.rates]
    states = [np.zeros((len(x), len(case.read) * dropout.INPUTS))] * case.cell.states
    outputs = []
    for step in range(dropout.STEPS):
        given = [one[step] if one.ndim == 3 else one for one in drawn]
        kept = [
            (one >= rate).astype(int) if rate else np.zeros(one.shape, int)
            for one, rate in zip(given, rates, strict=True)
        ]
        if carried is not None:
            states = [states[0] * carried, *states[1:]]
        results = [
            case.cell.step(exact, x[:, step], states, factors=pair, **case.cell.options)[1]
            for pair in itertools.product(*options)
        ]
        which = kept[0] * len(options[1]) + kept[1]
        states = [np.choose(which, [result[number] for result in results]) for number in range(case.cell.states)]
        outputs.append(states[0])
    return np.stack(outputs, 1).astype("float32")


def shown(case, x, *, rates=None, change=lambda drawn: drawn, **options):
    stream = np.random.RandomState(3)
    shape = (2, len(x), len(case.read) * dropout.INPUTS)
    calls = [run(case, x, change(list(stream.uniform(size=shape))), rates or case.rates, **options) for _ in range(2)]
    return Dropped(calls, run(case, x, [np.ones(shape[1:])] * 2, (0.0, 0.0), scale=0.0), calls[0], calls[1])


def judged(given, outputs):
    case, x = given
    seen = [dropout.masks(case, x, output) for output in outputs.calls]
    problem = dropout.exact_problem(case, x, outputs, seen)
    return problem or ("" if dropout.judge(case, seen).p_value > ALPHA else "unlikely")


@pytest.fixture(scope="module")
def gru():
    case = CASES["gru"]
    return case, dropout.inputs(case, 1)


def at_inference(case, x):
    """The formula without dropout."""
    exact = [np.float64(one) for one in dropout.weights(case)[-3:]]
    states, outputs = [np.zeros((len(x), len(case.read) * dropout.INPUTS))] * case.cell.states, []
    for step in range(dropout.STEPS):
        output, states = case.cell.step(exact, x[:, step], states, **case.cell.options)
        outputs.append(output)
    return np.stack(outputs, 1).astype("float32")


def right(case, x, **options):
    made = shown(case, x, **options)
    return Dropped(made.calls, at_inference(case, x), made.again, made.other)


def test_dropout_as_documented_passes(gru):
    assert judged(gru, right(*gru)) == ""


@pytest.mark.parametrize("rates", [(0.45, 0.5), (0.4, 0.45)])
def test_a_rate_that_is_just_wrong_fails(gru, rates):
    assert judged(gru, right(*gru, rates=rates)) == "unlikely"


def test_a_factor_that_is_just_wrong_fails(gru):
    assert "fit no mask" in judged(gru, right(*gru, scale=1.001))


def test_a_mask_of_each_step_fails(gru):
    def anew(drawn):
        return [drawn[0], np.stack([np.roll(drawn[1], step, axis=0) for step in range(dropout.STEPS)])]

    assert "fit no mask" in judged(gru, right(*gru, change=anew))


def test_a_carried_state_that_is_masked_fails(gru):
    mask = np.random.RandomState(5).choice([0.0, 2.0], size=(len(gru[1]), 12))
    assert "fit no mask" in judged(gru, right(*gru, carried=mask))


def test_gates_that_share_the_mask_of_the_states_fail(gru):
    def shared(drawn):
        return [drawn[0], np.tile(drawn[1][:, : dropout.INPUTS], 3)]

    assert "same mask" in judged(gru, right(*gru, change=shared))


def test_two_gates_that_share_a_mask_fail(gru):
    def shared(drawn):
        mask = drawn[1].copy()
        mask[:, : dropout.INPUTS] = mask[:, dropout.INPUTS : 2 * dropout.INPUTS]
        return [drawn[0], mask]

    assert judged(gru, right(*gru, change=shared)) == "unlikely"


def test_inference_seeds_and_calls_are_compared_exactly(gru):
    made = right(*gru)
    calls, idle = made.calls, made.at_inference
    assert "outside training" in judged(gru, Dropped(calls, calls[0], None, None))
    assert "repeats the first" in judged(gru, Dropped([calls[0]] * 2, idle, None, None))
    assert "same seed" in judged(gru, Dropped(calls, idle, calls[1], calls[1]))
    assert "another seed" in judged(gru, Dropped(calls, idle, calls[0], calls[0]))


def test_a_verdict_rests_on_enough_elements():
    assert dropout.needs(budget_share()) <= dropout.SAMPLES


def test_recurrent_dropout_leaves_the_carried_state_alone():
    """Of Keras 3.7.0 the mean is 3.60, as it masks the state that is carried on, too."""
    keras = load_keras()
    keras.utils.set_random_seed(1)
    layer = keras.layers.GRU(
        2000, recurrent_dropout=0.5, kernel_initializer="ones", recurrent_initializer="identity", use_bias=False
    )
    output = np.asarray(layer(np.ones((1, 6, 1), "float32"), training=True))

    expected = []
    for mask in (0.0, 2.0):
        state = 0.0
        for _ in range(6):
            update = 1 / (1 + np.exp(-1 - mask * state))  # identity of (2000, 6000): the other gates see no state
            state = update * state + (1 - update) * np.tanh(1)
        expected.append(state)
    assert np.mean(expected) == pytest.approx(0.58, abs=0.005)
    assert abs(output.mean() - np.mean(expected)) < 5 * np.std(expected) / np.sqrt(2000)
