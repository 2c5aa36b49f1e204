"""Two sweeps side by side: a change is seen, no change is not, too few runs are no proof of either."""

import functools
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from runs import ENVIRONMENT
from scipy import stats

import initcheck
from initcheck.catalog.problem_facts import ProblemFacts
from initcheck.comparing_runs.effects import (
    detectable,
    judge,
    measure_accuracy,
    measure_net_share,
    needed,
    runs_that_show_a_rare_outcome,
)
from initcheck.comparing_runs.side_by_side import compare_runs
from initcheck.comparing_runs.unconditional import shares_power, signs, two_samples
from initcheck.comparing_runs.verdicts import DELTA, NET_DELTAS, POWER, RunsQuestion, RunsRow, RunsVerdict, accepted
from initcheck.records import Data, Runs
from initcheck.statistics.exact_tests import permutation_p_value, spread_p_value

pytestmark = pytest.mark.slow

IRIS = initcheck.PROBLEMS["iris"]
ROWS = 60
ALPHA = 1e-3  # of the tests that the tests here make


def group(correct, *, name="he_normal", seeds=None, orders=None, reseeds=None, arrives=None, loss=None, epochs=8):
    """Runs with those held-out counts, which reach the target in those epochs (0: never)."""
    n = len(correct)
    arrives = np.full(n, 4) if arrives is None else np.asarray(arrives)
    seeds = np.arange(100, 100 + n) if seeds is None else np.asarray(seeds)
    number = np.arange(1, epochs + 1)
    history = np.empty((n, epochs, 4))
    history[..., 0] = 0.8**number + 1e-6 * seeds[:, None] if loss is None else loss
    history[..., 1] = np.where((number >= arrives[:, None]) & (arrives[:, None] > 0), 0.99, 0.6)
    history[..., 2:] = 0.5
    return Runs(
        problem="iris",
        initializer=name,
        reseeds=np.arange(n) if reseeds is None else np.asarray(reseeds),
        orders=np.zeros(n, int) if orders is None else np.asarray(orders),
        seeds=seeds,
        train_score=np.ones(n),
        train_total=70,
        test_score=np.asarray(correct) / ROWS,
        test_total=ROWS,
        history=history,
    )


def sweep(*groups, problem=IRIS, seed=1, environment=ENVIRONMENT):
    return initcheck.Sweep(problem, groups, seed, environment, "a command", "an engine", sum(map(len, groups)))


def rows(a, b, **settings):
    """(initializer, question) → row."""
    return {(row.initializer, row.asked): row for row in compare_runs(a, b, **settings).rows}


def accuracies(stream, n, collapse=0.05):
    """Skewed, discrete, with some runs at chance."""
    learned = np.round(stream.beta(12, 2, n) * ROWS)
    return np.where(stream.uniform(size=n) < collapse, ROWS // 2, learned).astype(int)


def pairs(stream, n, agree=0.7, **settings):
    """Two runs of each of n seeds, of one distribution, which agree in that share of the seeds."""
    base, *others = (accuracies(stream, n, **settings) for _ in range(3))
    return [np.where(stream.uniform(size=n) < agree, base, other) for other in others]


# The verdict that needs no statistics.


def test_the_same_runs_are_identical_a_loss_that_is_no_number_included():
    stream = np.random.RandomState(0)
    runs = group(accuracies(stream, 9), loss=np.full((9, 8), math.nan))
    again = replace(runs, history=runs.history.copy())
    comparison = compare_runs(sweep(runs), sweep(again))
    assert [(row.verdict, row.pairs) for row in comparison.rows] == [(RunsVerdict.IDENTICAL, 9)]
    backwards = {name: getattr(runs, name)[::-1] for name in ("reseeds", "orders", "seeds", "test_score", "history")}
    assert rows(sweep(runs), sweep(replace(runs, **backwards)))["he_normal", "runs"].verdict is RunsVerdict.IDENTICAL


@pytest.mark.parametrize("what", ["history", "train_score", "test_score", "seeds", "reseeds", "orders"])
def test_one_other_bit_is_not_identical(what):
    runs = group([50] * 9)
    other = getattr(runs, what).copy()
    other.flat[-1] = np.nextafter(other.flat[-1], 0) if other.dtype == np.float64 else other.flat[-1] - 1
    verdicts = {row.verdict for row in rows(sweep(runs), sweep(replace(runs, **{what: other}))).values()}
    assert RunsVerdict.IDENTICAL not in verdicts
    assert RunsVerdict.CHANGED not in verdicts


def test_runs_that_nobody_compared_are_not_called_identical():
    runs = group([50] * 9)
    for a, b in ((runs.at(slice(0, 5)), runs), (runs, runs.at(slice(0, 1)))):
        compared = rows(sweep(a), sweep(b))
        assert {row.verdict for row in compared.values()} == {RunsVerdict.INCONCLUSIVE}
        assert compared["he_normal", "accuracy"].pairs == min(len(a), len(b))
        assert compared["he_normal", "accuracy"].left_out == (
            len(a) - min(len(a), len(b)),
            len(b) - min(len(a), len(b)),
        )


def test_a_sweep_that_was_stopped_is_not_called_identical_to_itself():
    cut = replace(sweep(group([50] * 9)), planned=20)
    comparison = compare_runs(cut, cut)
    assert comparison.verdict is RunsVerdict.INCONCLUSIVE
    assert comparison.rows[0].note == (
        "A was stopped after 9 of 20 runs and B was stopped after 9 of 20 runs; the others are not compared"
    )
    assert comparison.rows[1].verdict is RunsVerdict.IDENTICAL


def test_more_epochs_alone_make_no_run_stuck():
    """Of the shorter sweep fewer runs lie on a plateau yet: both are judged by the epochs that both have."""
    stream = np.random.RandomState(3)
    falls = np.arange(60) % 2 == 0
    steps = np.arange(40)
    loss = np.where(falls[:, None], 0.7 * 0.97 ** np.minimum(steps, 16), 0.7) + stream.normal(0, 1e-5, (60, 40))
    long = group(accuracies(stream, 60), arrives=np.zeros(60), loss=loss, epochs=40)
    short = replace(long, history=long.history[:, :16])
    row = rows(sweep(long), sweep(short))["he_normal", "stuck"]
    assert (row.old, row.new) == (0.5, 0.5)
    assert row.verdict is not RunsVerdict.CHANGED
    assert "A has 40 epochs, B 16: only the first 16 count" in row.note


def test_two_empty_sweeps_are_not_comparable():
    comparison = compare_runs(sweep(), sweep())
    assert (comparison.verdict, comparison.compared) == (RunsVerdict.NOT_COMPARABLE, [])


def test_what_only_one_side_has_is_said():
    compared = rows(
        sweep(group([50] * 3), group([50] * 3, name="a")), sweep(group([50] * 3), group([50] * 4, name="b"))
    )
    assert compared["a", "runs"].note == "only in A"
    assert (compared["b", "runs"].note, compared["b", "runs"].runs) == ("only in B", (0, 4))
    assert compared["a", "runs"].verdict is compared["b", "runs"].verdict is RunsVerdict.NOT_COMPARABLE
    assert compared["he_normal", "runs"].verdict is RunsVerdict.IDENTICAL


def data(classes, rows_held_out=6):
    y = np.arange(12) % classes
    return Data(np.zeros((12, 1), np.float32), y, np.zeros((rows_held_out, 1), np.float32), y[:rows_held_out])


@pytest.mark.parametrize(
    ("problem", "change", "message"),
    [
        (replace(IRIS, name="xor"), {}, "other problems: iris and xor"),
        (replace(IRIS, data=lambda: data(3)), {}, "2 classes in A and 3 in B"),
        (IRIS, {"test_total": 61}, "60 held-out rows in A and 61 in B"),
        (IRIS, {"reseeds": np.zeros(9, int), "orders": np.arange(1, 10)}, "A varies the initial weights, B the order"),
    ],
)
def test_other_trainings_are_not_comparable_though_their_numbers_agree(problem, change, message):
    a, b = group([50] * 9), replace(group([50] * 9), **change)
    (row,) = compare_runs(sweep(a), sweep(b, problem=problem)).rows
    assert row.verdict is RunsVerdict.NOT_COMPARABLE
    assert message in row.note


def test_other_targets_leave_the_accuracies_comparable():
    compared = rows(sweep(group([50] * 9)), sweep(group([51] * 9), problem=replace(IRIS, target=0.5)))
    assert (
        compared["he_normal", "stuck"].verdict is compared["he_normal", "speed"].verdict is RunsVerdict.NOT_COMPARABLE
    )
    assert compared["he_normal", "accuracy"].p_value is not None


def test_settings_data_and_environment_that_differ_are_listed():
    other = replace(IRIS, batch_size=8, loss="mse", about=(("rows", "100"),), data=lambda: data(2))
    b = sweep(group([50] * 9, epochs=9), problem=other, seed=2, environment=replace(ENVIRONMENT, cpu="another"))
    listed = {one.what: (one.old, one.new) for one in compare_runs(sweep(group([50] * 9)), b).differences}
    for array in ("training inputs", "training targets", "held-out inputs", "held-out targets"):
        mine, others = listed.pop(array)
        assert mine != others
    assert listed == {
        "batch size": ("16", "8"),
        "loss": ("binary_crossentropy", "mse"),
        "epochs": ("8", "9"),
        "counts as 1": ("virginica; versicolor counts as 0", "–"),
        "rows": ("–", "100"),
        "root seed": ("1", "2"),
        "cpu": ("a processor × 2", "another"),
    }


# Pairs.


def test_only_pairs_of_one_seed_are_compared_where_there_are_any():
    stream = np.random.RandomState(1)
    a, b = group(accuracies(stream, 30)), group(accuracies(stream, 50))
    row = rows(sweep(a), sweep(b))["he_normal", "accuracy"]
    assert (row.pairs, row.runs, row.left_out) == (30, (30, 30), (0, 20))
    assert row.difference.value == pytest.approx(b.test_score[:30].mean() - a.test_score.mean())
    other = rows(sweep(a), sweep(group(accuracies(stream, 50), seeds=np.arange(900, 950))))["he_normal", "accuracy"]
    assert (other.pairs, other.runs, other.left_out) == (None, (30, 50), (0, 0))


def test_pairs_show_more_than_as_many_runs_that_are_not_paired():
    stream = np.random.RandomState(2)
    seen = {True: 0, False: 0}
    for _ in range(100):
        old, new = pairs(stream, 60, agree=0.95)
        for paired in seen:
            other = np.clip(new - 2, 0, ROWS)
            measured = measure_accuracy(old, other if paired else stream.permutation(other), ROWS, paired=paired)
            seen[paired] += judge(measured, DELTA, ALPHA)[0] is RunsVerdict.CHANGED
    assert seen[True] > 90
    assert seen[False] < 30


# False alarms, false equivalence, and power.


def both_ways(old, new, paired):
    return (
        measure_accuracy(old, new, ROWS, paired=paired).p_value,
        spread_p_value(old, new, paired=paired),
        measure_net_share(*(1.0 * (one <= 30) for one in (old, new)), paired=paired).p_value,
        measure_net_share(*(np.where(one < 45, math.inf, 60 - one) for one in (old, new)), paired=paired).p_value,
    )


@pytest.mark.parametrize("n", [6, pytest.param(25, marks=pytest.mark.slow)])
@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
def test_a_change_without_effect_raises_no_more_alarms_than_stated(paired, n):
    stream = np.random.RandomState(3)
    drawn = []
    for _ in range(1000):
        old, new = pairs(stream, n) if paired else (accuracies(stream, n), accuracies(stream, n))
        drawn.append(both_ways(old, new, paired))
    for p_values in np.array(drawn).T:
        for alpha in (0.1, 0.02):
            alarms = int((p_values < alpha).sum())
            assert stats.binomtest(alarms, len(p_values), alpha, alternative="greater").pvalue > ALPHA


def test_the_whole_comparison_keeps_its_false_alarm_rate():
    stream = np.random.RandomState(4)
    alarms, comparisons = 0, 250
    for _ in range(comparisons):
        sides: list[list[Runs]] = [[], []]
        for name in ("a", "b"):
            for side, correct in zip(sides, pairs(stream, 20), strict=True):
                side.append(group(correct, name=name, arrives=stream.randint(0, 6, 20)))
        comparison = compare_runs(*(sweep(*side) for side in sides), false_alarm_rate=0.2)
        assert comparison.tests == 8
        alarms += comparison.verdict is RunsVerdict.CHANGED
    assert stats.binomtest(alarms, comparisons, 0.2, alternative="greater").pvalue > ALPHA
    assert alarms > 0  # and it is no test that cannot fail


@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
def test_a_shift_by_delta_is_rarely_called_equivalent(paired):
    stream = np.random.RandomState(5)
    delta, n, count = 2 / ROWS, 200, 200
    wrong = 0
    for _ in range(count):
        old, new = pairs(stream, n) if paired else (accuracies(stream, n), accuracies(stream, n))
        moved = np.where(new == ROWS // 2, new, new - 2) - 2 * (new == ROWS // 2)
        verdict, *_ = judge(measure_accuracy(old, moved, ROWS, paired=paired), delta, ALPHA)
        wrong += verdict is RunsVerdict.EQUIVALENT
    assert stats.binomtest(wrong, count, 0.025, alternative="greater").pvalue > ALPHA


@functools.cache
def is_equivalent(n, usual, rare, seen, *, paired):
    """Whether runs of which all are usual, and as many of which so many are rare, are called equivalent."""
    new = np.full(n, usual)
    new[:seen] = rare
    verdict, *_ = judge(measure_accuracy(np.full(n, usual), new, ROWS, paired=paired), DELTA, ALPHA)
    return verdict is RunsVerdict.EQUIVALENT


@pytest.mark.parametrize("n", [10, 30, 120, 160])
@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
def test_collapses_too_rare_to_be_seen_are_not_called_equivalent(paired, n):
    """B loses 0.4 in one run of forty: its mean is off by exactly Δ, and of few runs none shows it."""
    stream = np.random.RandomState(6)
    count, wrong = 200, 0
    for collapses in stream.binomial(n, 1 / 40, count):
        wrong += is_equivalent(n, 54, 30, int(collapses), paired=paired)
    assert stats.binomtest(wrong, count, 0.025, alternative="greater").pvalue > ALPHA


@pytest.mark.parametrize(
    ("usual", "rare"),
    [(30, 60), (57, 6)],
    ids=["rise", "below chance"],
)
@pytest.mark.parametrize("n", [20, 150])
@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
def test_outcomes_too_rare_to_be_seen_are_not_called_equivalent_wherever_they_lie(paired, n, usual, rare):
    """So often that the mean is off by exactly Δ."""
    stream = np.random.RandomState(17)
    count, wrong, share = 200, 0, DELTA * ROWS / abs(usual - rare)
    for seen in stream.binomial(n, share, count):
        wrong += is_equivalent(n, usual, rare, int(seen), paired=paired)
    assert stats.binomtest(wrong, count, 0.025, alternative="greater").pvalue > ALPHA


@functools.cache
def is_share_equivalent(n, stuck, delta, *, paired):
    """Whether runs of which none is stuck, and as many of which so many are, are called equivalent."""
    measured = measure_net_share(np.zeros(n), 1.0 * (np.arange(n) < stuck), paired=paired)
    return judge(measured, delta, ALPHA)[0] is RunsVerdict.EQUIVALENT


@pytest.mark.parametrize("n", [10, 50, 80])
@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
def test_stuck_runs_too_rare_to_be_seen_are_not_called_equivalent(paired, n):
    stream = np.random.RandomState(7)
    wrong, count, delta = 0, 500, NET_DELTAS[RunsQuestion.STUCK]
    for stuck in stream.binomial(n, delta, count):
        wrong += is_share_equivalent(n, int(stuck), delta, paired=paired)
    assert stats.binomtest(wrong, count, 0.025, alternative="greater").pvalue > ALPHA


@pytest.mark.parametrize("n", [40, 200])
@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
def test_the_difference_that_is_said_to_be_seen_is_seen(paired, n):
    """A shift of every run by what is detectable, with the power that is stated."""
    stream = np.random.RandomState(8)
    draw = functools.partial(accuracies, stream, n, collapse=0)
    first = pairs(stream, n, collapse=0) if paired else (draw(), draw())
    shift = math.ceil(detectable(measure_accuracy(first[0], first[1], ROWS, paired=paired), n, 1e-4) * ROWS)
    assert 1 <= shift <= 20
    seen, count = 0, 150
    for _ in range(count):
        old, new = pairs(stream, n, collapse=0) if paired else (draw(), draw())
        verdict, *_ = judge(measure_accuracy(old, new - shift, ROWS, paired=paired), DELTA, 1e-4)
        seen += verdict is RunsVerdict.CHANGED
    assert stats.binomtest(seen, count, POWER, alternative="less").pvalue > ALPHA


@pytest.mark.parametrize("share", [0.0, 0.2])
@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
def test_the_share_of_stuck_runs_that_is_said_to_be_seen_is_seen(paired, share):
    stream = np.random.RandomState(9)
    n, count, seen = 80, 200, 0

    def draw(extra=0.0):
        old, other = stream.uniform(size=(2, n)) < share
        new = np.where(stream.uniform(size=n) < 0.5, old, other) if paired else other
        moved = new | (stream.uniform(size=n) < extra / (1 - share))
        return 1.0 * old, 1.0 * moved

    extra = detectable(measure_net_share(*draw(), paired=paired), n, 1e-4)
    for _ in range(count):
        seen += judge(measure_net_share(*draw(extra), paired=paired), 0.05, 1e-4)[0] is RunsVerdict.CHANGED
    assert extra < 0.7
    assert stats.binomtest(seen, count, POWER, alternative="less").pvalue > ALPHA


def test_half_the_share_of_stuck_runs_that_is_said_to_be_seen_is_missed_more_often_than_stated():
    """The stated share is no far too large one: at first the change's variance was added to both sides."""
    stream = np.random.RandomState(20)
    none, n, count = np.zeros(100), 100, 200
    half = detectable(measure_net_share(none, none, paired=False), n, 1e-4) / 2
    seen = sum(
        measure_net_share(none, (stream.uniform(size=n) < half).astype(float), paired=False).p_value < 1e-4
        for _ in range(count)
    )
    assert stats.binomtest(seen, count, POWER, alternative="less").pvalue < ALPHA


@pytest.mark.parametrize(
    "make", [lambda n: two_samples(n, n), lambda n: two_samples(n, 3 * n), signs], ids=["equal", "unequal", "pairs"]
)
@pytest.mark.parametrize("n", [6, 40, 130])
@pytest.mark.parametrize("alpha", [0.05, 1e-3, 1e-4])
def test_unconditional_tests_reject_no_more_often_than_stated_whatever_the_share(make, n, alpha):
    """By enumeration of all samples, at eight times as many shares as the test itself tries."""
    test = make(n)
    rejected = np.where(test.p_values <= test.level(alpha), test.chances, 0).sum(axis=1)
    events = len(rejected) - 1
    shares = np.sin(np.linspace(0, math.pi / 2, 8 * test.events.shape[0] + 1)) ** 2
    assert (stats.binom.pmf(np.arange(events + 1), events, shares[:, np.newaxis]) @ rejected).max() <= alpha


@pytest.mark.parametrize(("old", "new"), [((0, 30), (9, 30)), ((5, 60), (20, 60)), ((2, 20), (30, 50))])
def test_the_unconditional_p_value_of_two_shares_is_boschloo_s(old, new):
    samples = [np.arange(n) < count for count, n in (old, new)]
    conditional = permutation_p_value(*(sample.astype(int) for sample in samples))
    p_value = measure_net_share(*(1.0 * sample for sample in samples), paired=False).p_value
    assert p_value < conditional
    if old[1] == new[1]:  # where two-sided means the same
        counts = [[old[0], new[0]], [old[1] - old[0], new[1] - new[0]]]
        assert p_value == pytest.approx(stats.boschloo_exact(counts).pvalue, rel=5e-3)


def test_the_unconditional_test_sees_what_the_conditional_one_misses():
    """A tenth of a thousand is not what is asked: at α = 1e-4, 100 runs a side, none stuck before and 17 % after."""
    test, counts = two_samples(100, 100), np.arange(101)
    conditional = test.p_values[counts, 0] < 1e-4
    misses = 1 - stats.binom.pmf(counts, 100, 0.17) @ conditional
    assert misses > 0.17
    assert shares_power((100, 100), (0.0, 0.17), 1e-4) > 0.88


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_the_share_that_is_said_to_be_seen_is_exact(share):
    old = 1.0 * (np.arange(100) < round(100 * share))
    row = measure_net_share(old, old[::-1], paired=False)
    _, shown, _ = judge(row, 0.05, 1e-4)
    guess = (2 * old.sum() + 2) / 204  # two more at either end, as the interval has them
    power = shares_power((100, 100), (guess, guess + shown), 1e-4)
    assert POWER <= power < POWER + 0.02


@pytest.mark.parametrize("n", [8, 9, 12, 30])
@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
def test_no_difference_is_said_to_be_seen_that_cannot_be(n, paired):
    stream = np.random.RandomState(21)
    for _ in range(5):
        old, new = stream.permutation(n) * 1.0, stream.permutation(n) * 1.0
        for alpha in (0.01, 1e-4):
            _, shown, _ = judge(measure_net_share(old, new, paired=paired), 0.1, alpha)
            assert shown <= 1 or math.isinf(shown)
            _, shown, _ = judge(
                measure_accuracy(np.zeros(n, int), ROWS * (new > n / 2), ROWS, paired=paired), 0.01, 0.01
            )
            assert shown <= 1 or math.isinf(shown)


def wrong_equivalents(n, usual, rare, *, paired, others=None):
    """How often B is called equivalent to A though rare outcomes move its mean by Δ: the sum over their numbers."""
    share, wrong = DELTA * ROWS / abs(usual - rare), 0.0
    for count in range(n):
        chance = stats.binom.pmf(count, n, share)
        if count > n * share and chance < 1e-6:
            return wrong
        new = np.full(n, usual)
        new[:count] = rare
        verdict, *_ = judge(measure_accuracy(np.full(others or n, usual), new, ROWS, paired=paired), DELTA, 1e-4)
        wrong += chance * (verdict is RunsVerdict.EQUIVALENT)
        if verdict is not RunsVerdict.EQUIVALENT and count > 3:  # more of them only move it farther
            return wrong
    return wrong


@pytest.mark.parametrize(("usual", "rare"), [(54, 30), (57, 6), (30, 60), (54, 0), (60, 0)])
@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
def test_rare_outcomes_of_which_a_few_were_seen_are_not_called_equivalent(usual, rare, paired):
    """Exactly; with a symmetrical interval that was up to 6.3 %, at 400 runs of 54 of which few collapse to 0."""
    least = runs_that_show_a_rare_outcome(max(usual, ROWS - usual) / ROWS, DELTA)
    rates = [wrong_equivalents(n, usual, rare, paired=paired) for n in range(least, 3 * least, least // 12)]
    assert max(rates) <= 0.025
    assert max(rates) > 0.005  # nor is all refused


def test_rare_outcomes_of_the_smaller_of_two_samples_are_not_called_equivalent():
    assert max(wrong_equivalents(n, 30, 60, paired=False, others=1000) for n in range(190, 420, 20)) <= 0.025


@pytest.mark.parametrize(
    ("verdict", "pairs", "needed", "more"),
    [
        (RunsVerdict.INCONCLUSIVE, 300, 273, None),  # what is wanting is something else
        (RunsVerdict.INCONCLUSIVE, 200, 273, 273),
        (RunsVerdict.INCONCLUSIVE, None, 273, 273),
        (RunsVerdict.INCONCLUSIVE, 200, None, None),
        (RunsVerdict.CHANGED, 200, 273, None),
    ],
)
def test_more_runs_are_asked_for_only_where_they_would_tell(verdict, pairs, needed, more):
    row = RunsRow("he_normal", RunsQuestion.SPEED, verdict, (200, 250), pairs=pairs, needed=needed)
    assert row.more_needed == more


def test_as_many_runs_as_are_asked_for_show_delta():
    stream = np.random.RandomState(10)
    first, second = pairs(stream, 30)
    measured = measure_accuracy(first, second, ROWS, paired=True)
    asked = needed(measured, DELTA, 1e-4)
    assert detectable(measured, asked, 1e-4) <= DELTA < detectable(measured, asked - 1, 1e-4)
    equal = measure_accuracy(np.full(30, 54), np.full(30, 54), ROWS, paired=True)
    enough = needed(equal, DELTA, 1e-4)
    old = np.full(enough, 54)
    assert judge(measure_accuracy(old, old, ROWS, paired=True), DELTA, 1e-4)[0] is RunsVerdict.EQUIVALENT


def test_intervals_cover():
    stream = np.random.RandomState(11)
    for paired in (True, False):
        covered = {"accuracy": 0, "share": 0}
        for _ in range(400):
            old, new = pairs(stream, 40) if paired else (accuracies(stream, 40), accuracies(stream, 40))
            intervals = {
                "accuracy": measure_accuracy(old, new, ROWS, paired=paired).difference,
                "share": measure_net_share(1.0 * (old < 50), 1.0 * (new < 50), paired=paired).difference,
            }
            for name, estimate in intervals.items():
                covered[name] += estimate.low <= 0 <= estimate.high
        for count in covered.values():
            assert stats.binomtest(count, 400, 0.95, alternative="less").pvalue > ALPHA


# Corners.


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("seeds", ["same", "other"])
def test_few_runs_are_inconclusive_however_close_or_far(n, seeds):
    stream = np.random.RandomState(12)
    for far in (0, 30):
        a = group(accuracies(stream, n, collapse=0))
        b = group(np.clip(a.test_correct - far, 0, ROWS), seeds=a.seeds + 1000 * (seeds == "other"))
        b = replace(b, train_score=b.train_score - 1 / 70)
        for row in compare_runs(sweep(a), sweep(b)).rows:
            assert row.verdict is RunsVerdict.INCONCLUSIVE
            assert row.detectable == math.inf
            assert row.needed > n


def test_equal_accuracies_are_equivalent_only_with_runs_enough():
    for n, verdict in ((30, RunsVerdict.INCONCLUSIVE), (400, RunsVerdict.EQUIVALENT)):
        a = group(np.full(n, 54))
        compared = rows(sweep(a), sweep(replace(a, train_score=a.train_score - 1 / 70)))
        assert compared["he_normal", "accuracy"].verdict is verdict
        assert compared["he_normal", "stuck"].verdict is verdict
        assert compared["he_normal", "accuracy"].p_value == compared["he_normal", "speed"].p_value == 1


def test_a_change_of_every_question_is_seen():
    n = 60
    stream = np.random.RandomState(13)
    before = group(accuracies(stream, n, collapse=0), arrives=stream.randint(2, 5, n))
    dead = np.arange(n) % 2 == 0
    loss = np.where(dead[:, None], 0.69, before.history[..., 0])
    after = group(np.where(dead, 30, before.test_correct), arrives=np.where(dead, 0, 7), loss=loss)
    for seeds in (before.seeds, before.seeds + 500):
        compared = rows(sweep(before), sweep(replace(after, seeds=seeds)))
        assert {row.verdict for row in compared.values()} == {RunsVerdict.CHANGED}
        assert compared["he_normal", "stuck"].new == 0.5
        assert compared["he_normal", "speed"].difference.value == 1


def test_another_spread_around_the_same_mean_is_a_change():
    n = 100
    a = group(np.tile([50, 51], n // 2))
    b = group(np.tile([41, 41, 60, 60], n // 4), seeds=a.seeds + 500)
    row = rows(sweep(a), sweep(b))["he_normal", "accuracy"]
    assert row.verdict is RunsVerdict.CHANGED
    assert "spread 0.0084 → 0.1591" in row.note


def test_a_shift_by_less_than_delta_is_no_other_spread():
    stream = np.random.RandomState(18)
    rare = np.where(stream.uniform(size=200) < 0.1, 300, 500)
    assert spread_p_value(rare, rare + 1, paired=True) == 1
    assert spread_p_value(np.full(100, 500), np.full(150, 501), paired=False) == 1
    n = 200
    a = group(np.where(stream.uniform(size=n) < 0.1, 30, 50))
    for seeds in (a.seeds, a.seeds + n):
        row = rows(sweep(a), sweep(group(a.test_correct + 1, seeds=seeds)), delta=0.05)["he_normal", "accuracy"]
        assert row.verdict in (RunsVerdict.EQUIVALENT, RunsVerdict.INCONCLUSIVE)


@pytest.mark.parametrize("sizes", [(6, 6), (25, 25), (5, 100)])
@pytest.mark.parametrize("shift", [0, 1])
def test_the_spread_raises_no_more_alarms_than_stated_with_or_without_a_shift(sizes, shift):
    stream = np.random.RandomState(19)
    p_values = [
        spread_p_value(accuracies(stream, sizes[0]), accuracies(stream, sizes[1]) + shift, paired=False)
        for _ in range(300)
    ]
    for alpha in (0.1, 0.02):
        alarms = int(np.less(p_values, alpha).sum())
        assert stats.binomtest(alarms, 300, alpha, alternative="greater").pvalue > ALPHA


def test_a_change_of_the_spread_alone_is_explained_by_it():
    from initcheck.reporting.runs_comparison import describe_runs

    a = group(np.tile([50, 51], 50))
    spread = group(np.tile([41, 41, 60, 60], 25), seeds=a.seeds + 500)
    (sentence,) = [one for one in describe_runs(compare_runs(sweep(a), sweep(spread))) if one.startswith("CHANGED")]
    assert "the spread's p is below" in sentence
    worse = group(np.tile([30, 31], 50), seeds=a.seeds + 500)
    (sentence,) = [one for one in describe_runs(compare_runs(sweep(a), sweep(worse))) if one.startswith("CHANGED")]
    assert "the interval not inside" in sentence


def test_speed_knows_no_mean_of_what_never_arrived():
    stream = np.random.RandomState(14)
    n = 400
    a = group(np.full(n, 54), arrives=np.where(stream.uniform(size=n) < 0.8, 0, 5))
    b = replace(a, train_score=a.train_score - 1 / 70)
    row = rows(sweep(a), sweep(b))["he_normal", "speed"]
    assert row.verdict is RunsVerdict.INCONCLUSIVE  # most speeds are unknown, though all agree as far as known
    assert "train for more epochs" in row.note
    assert math.isinf(row.old)
    longer = group(
        np.full(n, 54), arrives=np.full(n, 12), epochs=16
    )  # arrives after A's budget: not known to be slower
    row = rows(sweep(group(np.full(n, 54), arrives=np.zeros(n))), sweep(longer))["he_normal", "speed"]
    assert (row.difference.value, row.p_value) == (0, 1)
    assert "A has 8 epochs, B 16: only the first 8 count" in row.note


def test_which_runs_are_stuck_is_inconclusive_where_one_class_at_a_falling_loss_leaves_it_open():
    facts = ProblemFacts.of(IRIS)
    assert facts.data is not None
    two = replace(facts, data=replace(facts.data, counts=((30, 40), (30, 30))))
    falling = np.tile(2 - 0.05 * np.arange(8), (20, 1))
    a = group([30] * 20, arrives=np.zeros(20), loss=falling)
    a = replace(a, train_score=np.full(20, 30 / 70))
    b = replace(a, train_score=np.full(20, 40 / 70))
    row = rows(sweep(a, problem=two), sweep(b, problem=two))["he_normal", "stuck"]
    assert row.verdict is RunsVerdict.INCONCLUSIVE
    assert (
        "whether 20 of A's and 20 of B's runs are stuck cannot be determined: accuracy stayed that of one class"
        in row.note
    )
    # A sweep that was saved without counts is not judged by another definition than its neighbour.
    earlier = replace(two, data=replace(facts.data, counts=((), ())))
    row = rows(sweep(a, problem=earlier), sweep(b, problem=two))["he_normal", "stuck"]
    assert (row.old, row.new) == (0, 0)


def test_a_grid_is_inconclusive_with_its_reason_unless_it_is_identical():
    reseeds, orders = np.repeat(np.arange(6), 6), np.tile(np.arange(1, 7), 6)
    a = group(np.full(36, 54), reseeds=reseeds, orders=orders, seeds=100 + reseeds)
    b = replace(a, test_score=np.full(36, 30 / ROWS))
    for row in compare_runs(sweep(a), sweep(b)).rows:
        assert row.verdict is RunsVerdict.INCONCLUSIVE
        assert "runs of a grid share weights and orders" in row.note
        assert row.p_value is None
        assert math.isnan(row.difference.low)
    assert [row.verdict for row in compare_runs(sweep(a), sweep(a)).rows] == [RunsVerdict.IDENTICAL]


def test_orders_are_compared_under_the_same_weights_only():
    stream = np.random.RandomState(15)
    settings = {"reseeds": np.zeros(40, int), "orders": np.arange(1, 41)}
    a = group(accuracies(stream, 40, collapse=0), seeds=np.full(40, 7), **settings)
    b = replace(a, test_score=(a.test_correct - 12) / ROWS)
    assert rows(sweep(a), sweep(b))["he_normal", "accuracy"].verdict is RunsVerdict.CHANGED
    other = replace(b, seeds=np.full(40, 8))
    row = rows(sweep(a), sweep(other))["he_normal", "accuracy"]
    assert row.verdict is RunsVerdict.INCONCLUSIVE
    assert "one draw of weights" in row.note


def test_an_initializer_without_randomness_is_compared_exactly():
    def runs(correct, name="zeros"):
        return group([correct] * 30, name=name, loss=np.full((30, 8), 0.5))

    for correct, verdict in ((48, RunsVerdict.CHANGED), (54, RunsVerdict.EQUIVALENT)):
        b = replace(runs(correct), train_score=np.full(30, 69 / 70))
        row = rows(sweep(runs(54)), sweep(b))["zeros", "accuracy"]
        assert (row.verdict, row.p_value) == (verdict, None)
        assert row.difference.low == row.difference.value == row.difference.high
        assert "nothing is random" in row.note
    same = rows(sweep(runs(54, "he_normal")), sweep(replace(b, initializer="he_normal")))
    assert same["he_normal", "accuracy"].p_value == 1  # thirty equal runs of a random initializer are thirty runs


def test_a_hundred_thousand_runs_a_side_are_compared():
    stream = np.random.RandomState(16)
    n = 100_000
    a = group(accuracies(stream, n), arrives=stream.randint(0, 9, n))
    b = group(accuracies(stream, n), seeds=a.seeds + n, arrives=stream.randint(0, 9, n))
    assert rows(sweep(a), sweep(b))["he_normal", "accuracy"].verdict is RunsVerdict.EQUIVALENT


@pytest.mark.parametrize("settings", [{"delta": 0}, {"delta": math.nan}, {"false_alarm_rate": 1}, {"delta": 1e-320}])
def test_a_share_that_is_none_is_refused(settings):
    with pytest.raises(initcheck.InitcheckError, match="may lie between 1e-09 and 1"):
        compare_runs(sweep(), sweep(), **settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("false_alarm_rate", None),  # of delta that is the default
        *((name, value) for name in ("delta", "false_alarm_rate") for value in ("0.1", True, 0.1j, [0.1])),
    ],
)
def test_a_share_that_is_no_number_is_one_line(name, value):
    with pytest.raises(initcheck.InitcheckError, match=rf"^{name} is .*; give a number$"):
        compare_runs(sweep(), sweep(), **{name: value})


def test_more_runs_are_needed_for_rarer_outcomes():
    assert runs_that_show_a_rare_outcome(0.005, 0.01) == 0
    assert 1 - (1 - 0.01 / 0.4) ** runs_that_show_a_rare_outcome(0.4, 0.01) >= 0.975
    assert 1 - (1 - 0.01 / 0.4) ** (runs_that_show_a_rare_outcome(0.4, 0.01) - 1) < 0.975


def test_what_is_allowed_is_what_was_named_and_what_is_better():
    same, near = RunsVerdict.IDENTICAL, RunsVerdict.EQUIVALENT
    assert accepted([]) == {same, near}
    assert accepted([same]) == {same}
    assert accepted([RunsVerdict.INCONCLUSIVE]) == {same, near, RunsVerdict.INCONCLUSIVE}


def test_json_holds_every_row_and_no_number_that_json_has_not():
    from initcheck.reporting.runs_comparison import runs_comparison_json

    a, b = group([50] * 3, arrives=[0] * 3), group([51] * 3, arrives=[0] * 3)
    body = json.loads(runs_comparison_json(compare_runs(sweep(a), sweep(b))), parse_constant=pytest.fail)
    assert body["verdict"] == "inconclusive"
    assert [row["question"] for row in body["rows"]] == ["accuracy", "stuck", "speed"]
    assert body["rows"][0]["detectable"] == "inf"
