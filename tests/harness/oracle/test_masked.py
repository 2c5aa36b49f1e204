"""Formulas of layers under masks, compared with the formulas without masks of what is seen."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from initcheck.catalog.layers.traits.masking import Source
from initcheck.catalog.layers.under_masks import MASKED
from initcheck.oracle import attention_formulas as attention
from initcheck.oracle import masked_formulas as masked
from initcheck.oracle.layer_outputs import moments
from initcheck.oracle.recurrent_formulas import GRU_CELL, LSTM_CELL, SIMPLE_CELL, Sequences
from initcheck.oracle.rounding import Rounded

MASK = Source.PADDED.mask
CELLS = {"lstm": LSTM_CELL, "gru": GRU_CELL, "simple": SIMPLE_CELL}
SHAPES = {
    "lstm": ((4, 12), (3, 12), (12,)),
    "gru": ((4, 9), (3, 9), (2, 9)),
    "simple": ((4, 3), (3, 3), (3,)),
}


def drawn(*shapes):
    stream = np.random.RandomState(5)
    return [Rounded(stream.normal(size=shape)) for shape in shapes]


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("backwards", [False, True])
def test_a_masked_sequence_ends_as_the_sequence_of_its_seen_steps(kind, backwards):
    x, *weights = drawn((5, 6, 4), *SHAPES[kind])
    (output,) = masked.recurrent(weights, [x], [MASK], (CELLS[kind],), go_backwards=backwards)
    for row, seen in enumerate(MASK):
        steps = np.flatnonzero(seen)[:: -1 if backwards else 1]
        expected = Sequences((CELLS[kind],))(weights, x[row : row + 1, steps])
        np.testing.assert_allclose(output.value[row], expected.value[0], rtol=1e-12)


def test_the_output_of_a_masked_step_is_the_one_before_it_or_zeros():
    x, *weights = drawn((5, 6, 4), *SHAPES["lstm"])
    run = functools.partial(masked.recurrent, weights, [x], [MASK], (LSTM_CELL,), return_sequences=True)
    (repeated,), (zeroed,) = run(), run(zero_output_for_mask=True)
    assert np.array_equal(repeated.value[1, 5], repeated.value[1, 3])
    assert not repeated.value[2, :2].any()
    assert not zeroed.value[~MASK].any()
    assert np.array_equal(zeroed.value[MASK], repeated.value[MASK])


def test_a_query_attends_to_the_seen_keys_alone():
    query, value = drawn((5, 6, 4), (5, 4, 4))
    seen = Source.SHORTER.mask
    (output,) = attention.dot_product([], [query, value], [None, seen])
    for row in range(5):
        alone = [query[row : row + 1], value[row : row + 1, np.flatnonzero(seen[row])]]
        expected = attention.without_masks(attention.dot_product)([], alone)
        np.testing.assert_allclose(output.value[row], expected.value[0], rtol=1e-12)


def test_what_a_query_without_keys_shows_may_be_any_finite_number():
    query, value = drawn((5, 6, 4), (5, 6, 4))
    output, shares = attention.dot_product(
        [], [query, value], [None, Source.EMPTIED.mask], return_attention_scores=True
    )
    whole = ~Source.EMPTIED.mask.any(axis=1)
    assert np.isinf(output.error[whole]).all()
    assert np.isfinite(output.error[~whole]).all()
    assert np.isfinite(shares.value).all()


def test_moments_are_those_of_what_is_seen():
    (x,) = drawn((5, 6, 4))
    for actual, expected in zip(masked.seen_moments(x, MASK), moments(Rounded(x.value[MASK]), 0), strict=True):
        np.testing.assert_allclose(actual.value, expected.value[0], rtol=1e-12)


def test_a_softmax_over_two_axes_sums_to_one_over_what_counts():
    (x,) = drawn((5, 6, 4))
    mask = np.random.RandomState(1).random_sample((5, 6, 4)) < 0.5
    (shares,) = masked.softmax([], [x], [None], mask=mask, axis=[1, 2])
    np.testing.assert_allclose(shares.value.sum(axis=(1, 2)), 1, rtol=1e-12)
    assert not shares.value[~mask].any()


def test_the_cases_have_names_of_their_own():
    assert len({case.name for case in MASKED}) == len(MASKED)
