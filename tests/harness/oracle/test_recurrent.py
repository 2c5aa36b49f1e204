"""The formulas of recurrent layers, against numbers worked out by hand."""

import numpy as np
import pytest

from initcheck.catalog.layers.recurrent import GRU, LSTM
from initcheck.catalog.layers.traits.computing import FormulaCase
from initcheck.oracle import recurrent_formulas as recurrent
from initcheck.oracle.recurrent_formulas import GRU_CELL, LSTM_CELL, SIMPLE_CELL, Directions, EachStep, Sequences
from initcheck.oracle.rounding import Rounded

HALF = np.arctanh(0.5)
SIMPLE = Sequences((SIMPLE_CELL,))
X = Rounded(np.array([[[1.0], [0.0]]]))


def rounded(*arrays):
    return [Rounded(np.array(one, float)) for one in arrays]


def test_simple_layers_have_known_values():
    weights = rounded([[HALF]], [[2 * HALF]], [0.0])
    np.testing.assert_allclose(SIMPLE(weights, X).value, [[0.5]])
    both = SIMPLE(weights, X, return_sequences=True, return_state=True).value
    np.testing.assert_allclose(both, [[0.5, 0.5, 0.5]])  # tanh(2·arctanh(½)·½) is ½
    backwards = SIMPLE(weights, X, return_sequences=True, go_backwards=True).value
    np.testing.assert_allclose(backwards.ravel(), [0.0, 0.5])


def test_gated_layers_have_known_values():
    # All gates are ½ but for the cell's, which is tanh of the input: c = ¼, then ⅛.
    weights = rounded([[0, 0, HALF, 0]], [[0.0] * 4], [0.0] * 4)
    np.testing.assert_allclose(Sequences((LSTM_CELL,))(weights, X).value, [[0.5 * np.tanh(0.125)]])
    # Update and reset are ½: h = ¼, then ⅛.
    gru = Sequences((GRU_CELL,))
    weights = rounded([[0, 0, HALF]], [[0.0] * 3], [[0.0] * 3] * 2)
    np.testing.assert_allclose(gru(weights, X).value, [[0.125]])
    # From a state of 1, with a product of 2 and a second bias of 1: ½·(2 + 1) after it, (½·1)·2 before it.
    zero = Rounded(np.zeros((1, 1, 1)))
    weights = rounded([[0.0] * 3], [[0.0, 0.0, 2.0]], [[0.0] * 3, [0.0, 0.0, 1.0]])
    after = gru(weights, [zero, *rounded([[1.0]])], activation="linear")
    before = gru([*weights[:2], weights[2][0]], [zero, *rounded([[1.0]])], activation="linear", reset_after=False)
    assert (after.value.item(), before.value.item()) == (0.5 + 0.5 * 1.5, 0.5 + 0.5 * 1.0)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("concat", [[0.5, 0.5, 0.5, 0.0]]),
        ("sum", [[1.0, 0.5]]),
        ("mul", [[0.25, 0.0]]),
        ("ave", [[0.5, 0.25]]),
        (None, [[0.5, 0.5, 0.5, 0.0]]),
    ],
)
def test_both_directions_are_merged_in_the_order_of_the_input(mode, expected):
    weights = rounded([[HALF]], [[2 * HALF]], [0.0]) * 2
    formula = Directions(SIMPLE, SIMPLE, {"return_sequences": True})
    actual = formula(weights, X, merge_mode=mode).value
    np.testing.assert_allclose(actual.reshape(1, -1), expected)


def test_calls_in_turn_are_one_sequence():
    stream = np.random.RandomState(0)
    formula = Sequences((LSTM_CELL, GRU_CELL))
    weights = rounded(*(stream.normal(size=shape) for shape in ((2, 12), (3, 12), (12,), (3, 6), (2, 6), (2, 6))))
    x = Rounded(stream.normal(size=(4, 5, 2)))
    whole = formula(weights, x, return_sequences=True).value
    (first, second), _states = formula.in_turn(weights, [x[:, :2], x[:, 2:]], return_sequences=True)
    np.testing.assert_allclose(np.concatenate([first.value, second.value], axis=1), whole)


def test_a_window_of_one_makes_a_convolution_a_product():
    stream = np.random.RandomState(0)
    arrays = [stream.normal(size=shape) for shape in ((2, 12), (3, 12), (12,))]
    images = [one[None, None] if one.ndim == 2 else one for one in arrays]
    x = stream.normal(size=(4, 5, 2))
    plain = Sequences((LSTM_CELL,))(rounded(*arrays), Rounded(x)).value
    convolved = Sequences((recurrent.CONVOLVED_LSTM_CELL,))(rounded(*images), Rounded(x[:, :, None, None])).value
    np.testing.assert_allclose(convolved[:, 0, 0], plain)


def test_each_step_is_taken_alone():
    formula = EachStep(lambda weights, x, times: x * times, {"times": 2.0})
    np.testing.assert_array_equal(formula([], X).value, 2 * X.value)


@pytest.mark.parametrize("row", [GRU, LSTM], ids=lambda row: row.name)
def test_an_option_that_is_ignored_shows(row):
    cases = {case.name: case for case in row.select(FormulaCase)}
    case = cases[f"{row.name.lower()}-backwards"]
    stream = np.random.RandomState(0)
    weights = rounded(*(stream.normal(size=shape) for shape in case.shapes))
    x = Rounded(stream.normal(size=case.input_shape))
    right = case.output(weights, [x])
    for option in ("go_backwards", "activation", "recurrent_activation"):
        config = {name: value for name, value in case.config.items() if name != option}
        wrong = case.formula(weights, x, **config)
        assert np.abs(wrong.value - right.value).max() > 1e-3
