"""Dropout in attention layers: made by hand, right and only just wrong."""

import numpy as np
import pytest

from initcheck.catalog.layers.attention import KEYS
from initcheck.checks.laws import score_dropout as dropout
from initcheck.checks.registry import budget_share
from initcheck.evidence.laws.layer_weights import Dropped

ALPHA = 1e-6
CASE = next(case for case in dropout.CASES if case.heads[0] > 1)
HEADS = dropout.heads(CASE)
ROWS = dropout.SAMPLES // (HEADS * dropout.QUERIES * KEYS)
SHAPE = (ROWS, HEADS, dropout.QUERIES, KEYS)


def outputs(kept, factor=1 / (1 - CASE.rate)):
    """What the layer returns with that mask."""
    scores = np.broadcast_to(kept, SHAPE) * (factor / KEYS)
    return np.moveaxis(scores, 1, 2).reshape(ROWS, dropout.QUERIES, -1).astype("float32")


def shown(change=lambda drawn: drawn, rate=CASE.rate, **options):
    stream = np.random.RandomState(3)
    calls = [outputs(change(stream.uniform(size=SHAPE)) >= rate, **options) for _ in range(2)]
    return Dropped(calls, outputs(1.0, factor=1.0), calls[0], calls[1])


def judged(made):
    problem = dropout.exact_problem(CASE, made)
    return problem or ("" if dropout.judge(CASE, made.calls).p_value > ALPHA else "unlikely")


def test_dropout_as_documented_passes():
    assert judged(shown()) == ""


@pytest.mark.parametrize("rate", [CASE.rate - 0.02, CASE.rate + 0.02])
def test_a_rate_that_is_just_wrong_fails(rate):
    assert judged(shown(rate=rate)) == "unlikely"


def test_a_factor_that_is_just_wrong_fails():
    assert "not 0 or" in judged(shown(factor=(1 + 2e-6) / (1 - CASE.rate)))
    assert judged(shown(factor=(1 + 1e-7) / (1 - CASE.rate))) == ""


@pytest.mark.parametrize("axis", range(4))
def test_a_mask_that_is_shared_along_an_axis_fails(axis):
    assert judged(shown(lambda drawn: np.take(drawn, [0], axis=axis) + 0 * drawn)) != ""


@pytest.mark.parametrize(("axis", "step"), [(2, 4), (3, 8)])
def test_a_few_queries_or_keys_that_share_a_mask_fail(axis, step):
    """Of every so many, one has the mask of the one before."""

    def change(drawn):
        moved = np.moveaxis(drawn.copy(), axis, 0)
        moved[1::step] = moved[0::step]
        return np.moveaxis(moved, 0, axis)

    assert judged(shown(change)) == "unlikely"


def test_one_row_with_the_mask_of_another_fails():
    def change(drawn):
        drawn[-1, 0] = drawn[0, -1]
        return drawn

    assert "same mask" in judged(shown(change))


def test_inference_seeds_and_calls_are_compared_exactly():
    made = shown()
    calls, idle = made.calls, made.at_inference
    assert "outside training" in judged(Dropped(calls, calls[0], None, None))
    assert "outside training" in judged(Dropped(calls, idle * np.float32(1 + 2e-6), None, None))
    assert "repeats the first" in judged(Dropped([calls[0]] * 2, idle, None, None))
    assert "same seed" in judged(Dropped(calls, idle, calls[1], calls[1]))
    assert "another seed" in judged(Dropped(calls, idle, calls[0], calls[0]))
    assert "seed 0" in judged(Dropped(calls, idle, calls[0], calls[1], (calls[0], calls[1])))


def test_what_two_calls_share_fails():
    made = shown()
    first, second = made.calls
    mixed = second.copy()
    mixed[:, ::8] = first[:, ::8]
    assert judged(Dropped([first, mixed], made.at_inference, None, None)) == "unlikely"


def test_a_score_that_was_dropped_before_the_softmax_fails():
    made = shown()
    assert "not 0 or" in judged(Dropped([made.at_inference, made.calls[1]], made.at_inference, None, None))


def test_a_verdict_rests_on_enough_scores():
    assert dropout.needs(budget_share()) <= dropout.SAMPLES
