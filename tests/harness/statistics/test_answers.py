import math
from dataclasses import replace

import numpy as np
import pytest
from runs import make_run

from initcheck.catalog.problem_facts import OneClass
from initcheck.records import ACCURACY, group_runs
from initcheck.reporting.format import answer_cells
from initcheck.statistics.answers import Answer, answer, attribute, methods
from initcheck.statistics.outcomes import names_one_class, outcomes

FLAT = [0.7] * 8
FALLING = [0.7 * 0.97**n for n in range(8)]


def which_are_stuck(runs, target, one_class=None):
    """Whether each run is stuck; None where that is unknown."""
    ends = outcomes(runs, target, one_class)
    assert not (ends.stuck & (ends.unknown | ends.unfinished | ends.reached)).any()
    return [None if unknown else one for one, unknown in zip(ends.stuck.tolist(), ends.unknown, strict=True)]


@pytest.mark.parametrize(
    ("losses", "accuracies", "stuck"),
    [
        (FLAT, None, True),
        (FALLING, None, False),
        ([*FALLING[:6], FALLING[5], FALLING[5]], None, True),
        ([*FALLING[:6], FALLING[5], FALLING[5] * 0.979], None, False),
        ([*FALLING[:6], FALLING[5], FALLING[5] * 0.991], None, True),
        (FLAT, [0.5] * 7 + [0.95], False),
        (FLAT, [0.95] + [0.5] * 7, False),
        ([0.7] * 7 + [math.nan], None, True),
        ([0.7] * 7 + [math.inf], None, True),
        ([math.nan], None, True),
        ([0.7, 0.6, math.inf], None, True),
        ([0.7, 0.7], [0.5, 0.95], False),
        ([0.7 * 0.999**n for n in range(40)], None, False),  # slow and steady: unfinished
        ([1.661 - 0.004 * n for n in range(20)], None, False),
        ([0.7 - 0.0001 * n for n in range(8)], None, False),
        ([0.7 * 0.9**n for n in range(4)] + [0.5 - 0.001 * n for n in range(8)], None, True),  # slower than before
        ([0.7 - 1e-7 * n for n in range(40)], None, True),  # rounding
        ([0.7 + 6e-8 * (n % 3) for n in range(40)], None, True),
        ([0.7 + 0.002 * (-1) ** n - 0.0001 * n for n in range(40)], None, True),  # the noise of batches
        ([0.7] * 7 + [0.71], None, True),
        ([1] * 10 + [math.inf] * 10, None, True),
        ([math.inf] * 20, None, True),
        ([math.inf] * 20, [0.95] + [0.5] * 19, False),
        ([-1.0] * 20, None, True),
        ([0.0] * 20, None, True),
        (np.linspace(-1, -0.96, 20).tolist(), None, True),
        (np.linspace(-0.96, -1, 20).tolist(), None, False),
        (np.linspace(0.01, -0.01, 20).tolist(), None, False),
        ([0.8, *np.linspace(0.69, 0.66, 39)], None, False),  # a jump at first is no pace
        ([0.69] * 30 + np.linspace(0.68, 0.5, 10).tolist(), None, False),  # left its plateau
        ([1.0] * 12 + [math.inf] + [1.0] * 7, None, True),
    ],
)
def test_stuck_is_short_of_the_target_and_no_longer_falling(losses, accuracies, stuck):
    (runs,) = group_runs([make_run(losses=losses, accuracies=accuracies)])
    assert which_are_stuck(runs, target=0.95) == [stuck]


@pytest.mark.parametrize(
    ("right", "total", "target"), [(126, 140, 0.9), (133, 140, 0.95), (7, 10, 0.7), (99, 110, 0.9)]
)
def test_an_accuracy_of_just_the_target_has_reached_it(right, total, target):
    """Keras reports it in float32: 126 of 140 is 0.89999998."""
    reported = [float(np.float32(count / total)) for count in (right - 1, right, right - 1)]
    (runs,) = group_runs([make_run(losses=[0.7] * 3, accuracies=reported, correct=(right, 3), total=(total, 10))])
    assert outcomes(runs, target).epochs_to_target.tolist() == [2]
    fewer = [reported[0]] * 3
    (runs,) = group_runs([make_run(losses=[0.7] * 3, accuracies=fewer, correct=(right, 3), total=(total, 10))])
    assert outcomes(runs, target).epochs_to_target.tolist() == [math.inf]


@pytest.mark.parametrize("lost", [math.nan, math.inf])
@pytest.mark.parametrize("epoch", [3, 15, 35])
def test_an_epoch_without_a_finite_loss_does_not_make_a_falling_loss_stuck(lost, epoch):
    losses = [2 * 0.97**n for n in range(40)]
    losses[epoch] = lost
    (runs,) = group_runs([make_run(losses=losses)])
    assert which_are_stuck(runs, 0.95) == [False]
    assert outcomes(runs, 0.95).unfinished.tolist() == [True]


def test_too_few_epochs_with_a_finite_loss_leave_it_unknown():
    losses = [0.7] * 12 + [math.nan] * 7 + [0.7]
    (runs,) = group_runs([make_run(losses=losses)])
    assert which_are_stuck(runs, 0.95) == [None]


def test_runs_of_one_s_own_initializer_that_are_all_equal_are_one_run():
    equal = [make_run(initializer="mine", losses=FLAT, reseed=n) for n in range(20)]
    (result,) = answer(group_runs(equal), target=0.95)
    assert result.one_run
    assert math.isnan(result.stuck.low)
    other = replace(equal[3], history=make_run(losses=[*FLAT[:7], 0.71]).history)
    assert not answer(group_runs([*equal[:3], other]), target=0.95)[0].one_run
    assert not answer(group_runs(equal[:1]), target=0.95)[0].one_run
    diverged = [make_run(initializer="mine", losses=[math.nan] * 8, reseed=n) for n in range(20)]
    assert not answer(group_runs(diverged), target=0.95)[0].one_run  # whatever it drew


def stuck_share(losses):
    """The share of these losses, shape ``(runs, epochs)``, that are stuck, and the share that is unknown."""
    (runs,) = group_runs([make_run(losses=row, reseed=reseed) for reseed, row in enumerate(losses.tolist())])
    ends = outcomes(runs, target=0.95)
    return ends.stuck.mean(), ends.unknown.mean()


@pytest.mark.parametrize("noise", [0.0005, 0.001, 0.002])
@pytest.mark.parametrize(("epochs", "least"), [(8, 0.94), (20, 0.97), (40, 0.98), (100, 0.985)])
def test_a_plateau_of_little_noise_is_stuck(epochs, least, noise):
    stream = np.random.RandomState(1)
    assert stuck_share(math.log(2) + stream.normal(0, noise, (1000, epochs)))[0] >= least


@pytest.mark.parametrize("epochs", [8, 20, 40, 100])
@pytest.mark.parametrize("fall", [0, 0.01, 0.02])
def test_noise_that_could_hide_a_fall_leaves_it_unknown(epochs, fall):
    """As of dropout: the loss jumps from epoch to epoch by more than it would fall."""
    stream = np.random.RandomState(1)
    steady = 0.69 * (1 - fall) ** (np.arange(epochs) / (epochs / 4))
    stuck, unknown = stuck_share(steady + stream.normal(0, 0.05, (500, epochs)))
    assert stuck <= 0.002
    assert unknown >= 0.8


@pytest.mark.parametrize("epochs", [8, 20, 40, 100])
@pytest.mark.parametrize("noise", [0.0005, 0.002, 0.005, 0.01, 0.02, 0.05])
def test_a_fall_by_two_percent_a_quarter_is_hardly_ever_called_stuck(epochs, noise):
    stream = np.random.RandomState(1)
    steady = 0.69 * 0.98 ** (np.arange(epochs) / (epochs / 4))
    assert stuck_share(steady + stream.normal(0, noise, (500, epochs)))[0] <= 0.1


def test_a_loss_too_noisy_is_given_as_the_reason():
    losses = [0.7 + 0.1 * (-1) ** n for n in range(12)]
    noisy = [make_run(initializer="a", losses=losses, reseed=n) for n in range(10)]
    learned = make_run(initializer="b", losses=[0.7] * 12, accuracies=[0.99] * 12)
    result, _ = answer(group_runs([*noisy, learned]), target=0.95)
    assert (result.judged, result.noisy) == (0, 10)
    assert answer_cells(result, 12)["stuck"] == "unknown (noisy loss)"
    assert answer_cells(result, 12)["restarts"] == "–"


@pytest.mark.parametrize(("noise", "most"), [(0.0005, 0), (0.001, 0), (0.002, 0.01), (0.005, 0.15)])
@pytest.mark.parametrize("epochs", [40, 100])
def test_a_steady_fall_within_noise_is_not_stuck(epochs, noise, most):
    stream = np.random.RandomState(1)
    assert stuck_share(np.linspace(0.69, 0.66, epochs) + stream.normal(0, noise, (500, epochs)))[0] <= most


def trained(features, *, share, rate, epochs, rows=(140, 60), seed=0, signal=1.0):
    """One unit under SGD, from zeros: the bias alone without features, as where relu layers of zeros come before it."""
    stream = np.random.RandomState(seed)
    y = [(np.arange(n) < round(share * n)).astype(float)[stream.permutation(n)] for n in rows]
    x = [
        np.column_stack([np.ones(len(one)), *[signal * (one - share) + stream.normal(size=len(one))] * features])
        for one in y
    ]
    weights, history = np.zeros(1 + features), []

    def look(x, y):
        p = 1 / (1 + np.exp(-x @ weights))
        return -np.log(np.where(y > 0, p, 1 - p)), (p > 0.5) == (y > 0)

    for _ in range(epochs):
        seen = []
        order = stream.permutation(rows[0])
        for start in range(0, rows[0], 10):
            batch = x[0][order[start : start + 10]], y[0][order[start : start + 10]]
            seen.append(np.array(look(*batch)).mean(axis=1))
            slope = batch[0].T @ (1 / (1 + np.exp(-batch[0] @ weights)) - batch[1]) / 10
            weights = weights - rate * slope
        history.append([*np.mean(seen, axis=0), *np.array(look(x[1], y[1])).mean(axis=1)])
    right = [int(look(x[end], y[end])[1].sum()) for end in (0, 1)]
    run = make_run(initializer="he_normal", losses=[0] * epochs, correct=right, total=rows)
    counts = [(n - round(share * n), round(share * n)) for n in rows]
    least = -share * math.log(share) - (1 - share) * math.log(1 - share)
    return replace(group_runs([run])[0], history=np.array([history])), OneClass(counts[0], counts[1], least)


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
@pytest.mark.parametrize("rate", [0.02, 0.05, 0.2])
@pytest.mark.parametrize("epochs", [20, 60])
def test_a_run_that_learns_how_frequent_classes_are_and_no_more_is_never_called_not_stuck(share, rate, epochs):
    states = []
    for seed in range(5):
        runs, one_class = trained(0, share=share, rate=rate, epochs=epochs, seed=seed)
        assert names_one_class(runs, one_class).all()
        states += which_are_stuck(runs, 0.95, one_class)
    assert False not in states
    if rate * epochs >= 10:  # it has had the time to arrive
        assert states == [True] * 5


def test_loss_that_creeps_to_the_least_of_one_class_is_stuck_though_it_falls():
    runs, one_class = trained(0, share=0.6, rate=0.01, epochs=20)
    assert which_are_stuck(runs, 0.95) == [False]  # by its loss alone
    assert which_are_stuck(runs, 0.95, one_class) == [True]


@pytest.mark.parametrize(("share", "signal"), [(0.7, 0.2), (0.9, 0.2), (0.9, 1.0)])
def test_slow_learning_is_not_called_stuck_while_it_names_one_class(share, signal):
    """It is unknown whether the bias or the weights learn while the loss is above the least of one class."""
    seen = 0
    for rate in (0.005, 0.02):
        for seed in range(2):
            full, one_class = trained(2, share=share, rate=rate, epochs=100, seed=seed, signal=signal)
            ends = {
                "train_score": np.array(one_class.train_correct[1:]) / full.train_total,
                "test_score": np.array(one_class.test_correct[1:]) / full.test_total,
            }
            for epochs in (8, 12, 20, 30, 40, 60, 80, 100):
                runs = replace(full, history=full.history[:, :epochs], **ends)
                if names_one_class(runs, one_class).all() and not outcomes(runs, 2.0).stuck.all():
                    seen += 1
                    assert which_are_stuck(runs, 2.0, one_class) != [True]
    assert seen


def test_slow_learning_below_the_least_loss_of_one_class_is_unfinished():
    runs, one_class = trained(2, share=0.9, rate=0.02, epochs=60, signal=0.2)
    assert names_one_class(runs, one_class).tolist() == [True]
    assert runs.metric("loss")[0, -1] < one_class.least_loss
    assert which_are_stuck(runs, 0.95, one_class) == [False]


def test_one_class_whose_loss_is_far_from_its_least_is_unknown():
    runs, one_class = trained(0, share=0.7, rate=0.002, epochs=20)
    (result,) = answer([runs], 0.95, one_class)
    assert which_are_stuck(runs, 0.95, one_class) == [None]
    assert math.isnan(result.restarts.value)
    assert answer_cells(result, 20)["stuck"] == "unknown (accuracy of one class only)"
    other_loss = replace(one_class, least_loss=math.nan)
    runs, _ = trained(0, share=0.7, rate=0.02, epochs=20)
    assert which_are_stuck(runs, 0.95, other_loss) == [None]


def test_counts_of_other_data_are_ignored():
    runs, one_class = trained(0, share=0.7, rate=0.02, epochs=20)
    other = replace(one_class, test_correct=(18, 43))
    assert which_are_stuck(runs, 0.95, other) == which_are_stuck(runs, 0.95)


def test_one_run_repeated_has_no_interval():
    def runs(name, **settings):
        return group_runs([make_run(initializer=name, losses=FLAT, reseed=n, **settings) for n in range(20)])[0]

    learned = runs("ones", accuracies=[0.99] * 8)
    zeros, drawn, _ = answer([runs("zeros"), runs("he_normal"), learned], target=0.95)
    for name in ("stuck", "restarts", "epochs_to_target", "best", "test_mean", "test_stddev"):
        estimate = getattr(zeros, name)
        assert math.isnan(estimate.low), name
        assert math.isnan(estimate.high), name
    assert (zeros.one_run, zeros.stuck.value, zeros.restarts.value) == (True, 1, math.inf)
    assert answer_cells(zeros, 8)["stuck"] == "100 %"
    assert answer_cells(zeros, 8)["restarts"] == "never"
    assert not drawn.one_run  # equal draws of a random initializer are as many runs
    assert drawn.stuck.low == pytest.approx(0.8316, abs=1e-4)


def test_no_initializer_is_certain_to_be_best_where_nothing_is_random():
    def runs(name, right):
        return group_runs([make_run(initializer=name, correct=(7, right), reseed=n) for n in range(20)])[0]

    ones, zeros = answer([runs("ones", 4), runs("zeros", 3)], target=0.95)
    assert (ones.best.value, zeros.best.value) == (1, 0)
    assert math.isnan(ones.best.low)
    assert math.isnan(zeros.best.high)


@pytest.mark.parametrize("draws", [1, 4])
def test_no_initializer_is_best_of_runs_that_share_weights_or_orders(draws):
    runs = [
        replace(make_run(initializer=name, reseed=reseed, correct=(7, right)), order=order)
        for name, right in (("a", 4), ("b", 3))
        for reseed in range(draws)
        for order in range(1, 9)
    ]
    for result in answer(group_runs(runs), target=0.95):
        assert all(map(math.isnan, (result.best.value, result.best.low, result.best.high)))
        assert answer_cells(result, 2)["comes out best"] == "–"


def test_the_intervals_of_a_grid_allow_for_shared_weights():
    """Every order gives the same accuracy: 10 draws of weights, however many runs of each."""
    right = np.random.RandomState(1).randint(2, 13, 10)

    def grid(orders):
        runs = [
            replace(make_run(reseed=reseed, correct=(7, int(right[reseed])), total=(7, 14)), order=order)
            for reseed in range(10)
            for order in range(1, orders + 1)
        ]
        return answer(group_runs(runs), target=0.95)[0]

    alone, shared = (grid(orders).test_mean for orders in (1, 10))
    assert shared.value == pytest.approx(alone.value)
    assert shared.high - shared.low == pytest.approx(alone.high - alone.low, rel=0.15)
    few = grid(2).test_mean
    assert all(map(math.isnan, (few.low, few.high)))


def test_a_grid_without_stuck_runs_is_as_certain_as_its_fewer_weights_or_orders():
    learned = {"losses": FLAT, "accuracies": [0.99] * 8}
    runs = [replace(make_run(**learned, reseed=r), order=o) for r in range(8) for o in range(1, 7)]
    (result,) = answer(group_runs(runs), target=0.95)
    assert result.stuck.value == 0
    assert result.stuck.high == pytest.approx(1 - 0.025 ** (1 / 6))


@pytest.mark.parametrize("losses", [[0.7], [0.7, 0.7], [1.661, 1.644, 1.631, 1.618, 1.606], [0.7] * 7])
def test_whether_a_run_is_stuck_is_unknown_after_few_epochs(losses):
    (runs,) = group_runs([make_run(losses=losses, reseed=n) for n in range(3)])
    assert which_are_stuck(runs, target=0.95) == [None] * 3
    (result,) = answer([runs], target=0.95)
    assert result.judged == 0
    assert all(map(math.isnan, (result.stuck.value, result.stuck.low, result.restarts.value, result.restarts.low)))
    cells = answer_cells(result, len(losses))
    assert cells["stuck"] == f"unknown ({len(losses)} epoch{'s' * (len(losses) > 1)})"
    assert cells["restarts"] == "–"


@pytest.mark.parametrize("ends", [("learned",), ("diverged",), ("learned", "diverged")])
def test_a_run_of_few_epochs_that_is_unknown_leaves_no_share_and_no_restarts(ends):
    """Only those that reached the target or diverged could count: the share would be 0 or 1 by construction."""
    few = [0.7, 0.69, 0.68]
    runs = {
        "learned": [make_run(losses=few, accuracies=[0.5, 0.9, 0.96], reseed=n) for n in range(41)],
        "diverged": [make_run(losses=[0.7, math.nan, math.nan], reseed=n) for n in range(41, 43)],
    }
    known = [run for end in ends for run in runs[end]]
    unknown = make_run(losses=few, reseed=99)
    (result,) = answer(group_runs([*known, unknown]), target=0.95)
    assert result.judged == 0
    assert all(map(math.isnan, (result.stuck.value, result.stuck.low, result.restarts.value, result.restarts.low)))
    cells = answer_cells(result, 3)
    assert (cells["stuck"], cells["restarts"]) == ("unknown (3 epochs)", "–")
    (each,) = group_runs([*known, unknown])
    assert [one for one in which_are_stuck(each, 0.95) if one is not None] == [
        end == "diverged" for end in ends for _ in runs[end]
    ]
    (result,) = answer(group_runs(known), target=0.95)  # none is unknown
    assert (result.judged, result.stuck.value) == (
        len(known),
        sum("d" in e[:1] for e in ends for _ in runs[e]) / len(known),
    )


def test_the_interval_allows_for_unknown_runs():
    """None of them reached the target: as a random sample of all runs the others would look too good."""
    falling, one_class = trained(0, share=0.7, rate=0.002, epochs=20)
    learned = replace(falling, history=falling.history + np.array([0, 1, 0, 0]))  # reached the target
    groups = [learned, falling, falling]
    (result,) = answer([joined(groups)], 0.95, one_class)
    assert (result.judged, result.stuck.value) == (1, 0)
    assert (result.stuck.low, result.stuck.high) == pytest.approx((0, 0.9916), abs=1e-4)  # of 2 in 3
    assert (result.restarts.value, result.restarts.high) == (1, 355)


def joined(groups):
    """Those single runs as one group."""
    first = groups[0]
    return replace(
        first,
        **{
            name: np.concatenate([getattr(runs, name) for runs in groups])
            for name in ("orders", "seeds", "train_score", "test_score", "history")
        },
        reseeds=np.arange(len(groups)),
    )


@pytest.mark.parametrize(
    ("losses", "unfinished"),
    [
        ([0.7], False),  # nothing to compare with
        ([0.7, 0.699], True),
        ([0.7, 0.7], False),
        ([0.7, 0.69, 0.68], True),
        ([0.7, 0.5, 0.499], False),  # slower than before
        ([0.7, 0.71, 0.70], False),
        ([0.7, 0.69, math.nan], False),
        (FLAT, False),
        (FALLING, True),
    ],
)
def test_unfinished_is_short_of_the_target_and_still_falling(losses, unfinished):
    (runs,) = group_runs([make_run(losses=losses)])
    assert outcomes(runs, target=0.95).unfinished.tolist() == [unfinished]
    (runs,) = group_runs([make_run(losses=losses, accuracies=[0.95] * len(losses))])
    assert outcomes(runs, target=0.95).unfinished.tolist() == [False]


def test_a_run_stuck_at_the_least_loss_of_one_class_is_not_unfinished():
    runs, one_class = trained(0, share=0.6, rate=0.01, epochs=20)
    assert outcomes(runs, 0.95).unfinished.tolist() == [True]
    assert outcomes(runs, 0.95, one_class).unfinished.tolist() == [False]


def test_no_restart_is_advised_where_no_run_of_any_initializer_reached_the_target():
    """Perhaps the model cannot reach it: then a restart is no cure, whatever the share of stuck runs."""
    stuck = [make_run(initializer="a", losses=FLAT, reseed=n) for n in range(10)]
    mixed = [make_run(initializer="b", losses=[FLAT, FALLING][n % 2], reseed=n) for n in range(10)]
    a, b = answer(group_runs([*stuck, *mixed]), target=0.95)
    assert (a.stuck.value, b.stuck.value) == (1, 0.5)
    assert all(math.isnan(end) for one in (a, b) for end in (one.restarts.value, one.restarts.low, one.restarts.high))
    learned = make_run(initializer="c", losses=FLAT, accuracies=[0.5] * 7 + [0.96])
    a, b, c = answer(group_runs([*stuck, *mixed, learned]), target=0.95)
    assert (a.reached, c.reached) == (0, 1)
    assert (a.restarts.value, b.restarts.value, c.restarts.value) == (math.inf, 5, 1)


def test_epochs_to_target_count_from_one():
    (runs,) = group_runs([make_run(losses=[1, 1, 1], accuracies=[0.5, 0.9, 0.8])])
    assert outcomes(runs, 0.5).epochs_to_target == 1
    assert outcomes(runs, 0.9).epochs_to_target == 2
    assert outcomes(runs, 0.91).epochs_to_target == math.inf


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
    assert (zeros.reached, he_normal.reached) == (0, 0)
    assert zeros.epochs_to_target.value == math.inf


@pytest.mark.parametrize(("reseeds", "low"), [(6, 0.541), (19, 0.824), (100, 0.964)])
def test_always_the_best_is_not_certain_to_be(reseeds, low):
    runs = [make_run(initializer="a", correct=(7, 4 + n % 2), reseed=n) for n in range(reseeds)]
    runs += [make_run(initializer=name, correct=(7, n % 3), reseed=n) for name in "bc" for n in range(reseeds)]
    first, *others = (result.best for result in answer(group_runs(runs), target=0.95))
    assert (first.value, first.low, first.high) == pytest.approx((1, low, 1), abs=5e-4)
    for other in others:
        assert (other.value, other.low, other.high) == pytest.approx((0, 0, 1 - low), abs=5e-4)


def test_a_tie_of_equal_runs_has_no_interval():
    runs = [make_run(initializer=name, reseed=n) for name in "ab" for n in range(8)]
    for result in answer(group_runs(runs), target=0.95):
        assert result.best.value == 0.5
        assert math.isnan(result.best.low)
        assert math.isnan(result.best.high)


def test_no_runs_give_no_answers():
    assert answer([], target=0.9) == []


def test_each_number_of_an_answer_has_its_method_named():
    assert len(methods(ACCURACY)) == len(Answer.__dataclass_fields__) - len(
        ("initializer", "runs", "reached", "unfinished", "judged", "noisy", "one_run", "diverged")
    )


def test_the_spread_is_attributed_where_every_weight_met_every_order():
    runs = [
        replace(make_run(reseed=reseed, correct=(7, reseed)), order=order) for reseed in range(4) for order in (1, 2, 3)
    ]
    components = attribute(group_runs(runs)[0])
    assert (components.rows.value, components.columns.value) == (1, 0)
    assert attribute(group_runs(runs[:-1])[0]) is None
    assert attribute(group_runs(runs[:3])[0]) is None
