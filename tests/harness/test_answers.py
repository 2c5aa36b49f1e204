import math
from dataclasses import replace

import pytest
from runs import make_run

from initcheck.answers import METHODS, Answer, answer, attribute, epochs_to_target, is_stuck
from initcheck.records import group_runs

FLAT = [0.7] * 8
FALLING = [0.7 * 0.97**n for n in range(8)]


@pytest.mark.parametrize(
    ("losses", "accuracies", "stuck"),
    [
        (FLAT, None, True),
        (FALLING, None, False),
        ([*FALLING[:6], FALLING[5], FALLING[5]], None, True),
        ([*FALLING[:6], FALLING[5], FALLING[5] * 0.979], None, False),
        ([*FALLING[:6], FALLING[5], FALLING[5] * 0.981], None, True),
        (FLAT, [0.5] * 7 + [0.95], False),
        (FLAT, [0.95] + [0.5] * 7, False),
        ([0.7] * 7 + [math.nan], None, True),
        ([0.7] * 7 + [math.inf], None, True),
        ([0.7], None, False),
        ([math.nan], None, True),
        ([0.7, 0.7], None, True),
    ],
)
def test_stuck_is_short_of_the_target_and_no_longer_falling(losses, accuracies, stuck):
    (runs,) = group_runs([make_run(losses=losses, accuracies=accuracies)])
    assert is_stuck(runs, target=0.95).tolist() == [stuck]


def test_epochs_to_target_count_from_one():
    (runs,) = group_runs([make_run(losses=[1, 1, 1], accuracies=[0.5, 0.9, 0.8])])
    assert epochs_to_target(runs, 0.5) == 1
    assert epochs_to_target(runs, 0.9) == 2
    assert epochs_to_target(runs, 0.91) == math.inf


def test_answers_come_in_the_runs_order_with_their_counts():
    runs = [make_run(initializer="zeros", losses=FLAT, reseed=n) for n in range(4)]
    runs += [make_run(initializer="he_normal", losses=FALLING, correct=(9, 3 + n), reseed=n) for n in range(3)]
    zeros, he_normal = answer(group_runs(runs), target=0.95)
    assert (zeros.initializer, zeros.runs, zeros.stuck.value) == ("zeros", 4, 1)
    assert (he_normal.initializer, he_normal.runs, he_normal.stuck.value) == ("he_normal", 3, 0)
    assert he_normal.test_mean.value == pytest.approx(0.8)
    assert he_normal.test_stddev.value == pytest.approx(0.2)
    assert he_normal.train_mean.value == pytest.approx(0.9)
    assert zeros.best.value == pytest.approx(1 / 6)
    assert (zeros.restarts.value, he_normal.restarts.value) == (math.inf, 1)
    assert zeros.epochs_to_target.value == math.inf


def test_no_runs_give_no_answers():
    assert answer([], target=0.9) == []


def test_each_number_of_an_answer_has_its_method_named():
    assert len(METHODS) == len(Answer.__dataclass_fields__) - len(("initializer", "runs"))


def test_the_spread_is_attributed_where_every_weight_met_every_order():
    runs = [
        replace(make_run(reseed=reseed, correct=(7, reseed)), order=order) for reseed in range(4) for order in (1, 2, 3)
    ]
    found = attribute(group_runs(runs)[0])
    assert (found.rows.value, found.columns.value) == (1, 0)
    assert attribute(group_runs(runs[:-1])[0]) is None
    assert attribute(group_runs(runs[:3])[0]) is None
