"""The checks of layers and models that a user writes, on made-up rows and on Keras itself."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from initcheck.checks import order, serialization
from initcheck.checks.arithmetic import (
    around_steps,
    composed_models,
    followed_callbacks,
    losses_and_metrics,
    trainers,
)
from initcheck.checks.registry import NotApplicable, all_checks
from initcheck.evidence.composition import image_companions, weight_rules
from initcheck.evidence.composition.encoders import ENCODED
from initcheck.evidence.composition.image_companions import COMPANIONS
from initcheck.evidence.composition.kept_files import BUILT, KEPT
from initcheck.evidence.composition.promises import refusal, table, values
from initcheck.evidence.composition.structured_models import STRUCTURES
from initcheck.evidence.composition.user_layers import USER_LAYERS
from initcheck.evidence.lab import Lab
from initcheck.evidence.steps.backed_up_trainings import KEEPING, KEEPS
from initcheck.evidence.steps.called_hooks import REPORTING, REPORTS
from initcheck.evidence.steps.fed_rows import FEEDS
from initcheck.evidence.steps.seeded_pipelines import PIPELINES
from initcheck.evidence.steps.several_outputs import SEVERAL_OUTPUTS
from initcheck.evidence.steps.stopped_trainings import STOPPING, STOPS
from initcheck.evidence.steps.trained_models import matched
from initcheck.frameworks.keras import load_keras
from initcheck.oracle.rounding import UNIT, Rounded
from initcheck.records import Status

JUDGES = (
    composed_models.user_layers,
    composed_models.structured_models,
    composed_models.called_layers,
    composed_models.image_companions,
    around_steps.around_steps,
    trainers.trainers,
    followed_callbacks.followed_callbacks,
    order.judge_feeds,
    order.judge_pipelines,
    serialization.kept_files,
    serialization.build_configurations,
    losses_and_metrics.every_loss,
    losses_and_metrics.every_metric,
)

# A row for each callback, which must differ where its hooks do nothing.
_ROWS_OF = {
    "EarlyStopping": ["early-stops"],
    "ReduceLROnPlateau": ["rates-on-plateaus"],
    "LearningRateScheduler": ["rates-by-epoch"],
    "TerminateOnNaN": ["losses-that-are-no-numbers"],
    "ModelCheckpoint": ["kept-epochs"],
    "BackupAndRestore": ["resumed-trainings"],
    "SwapEMAWeights": ["averaged-weights"],
    "History": ["histories"],
    "CSVLogger": ["logged-rows"],
    "LambdaCallback": ["lambdas"],
    "ProgbarLogger": ["printed-rows"],
    "RemoteMonitor": ["posted-rows"],
    "CallbackList": ["lists-of-callbacks"],
}


@pytest.mark.parametrize("judge", JUDGES)
def test_one_value_that_is_not_the_documented_one_fails(judge):
    def seen(*rows):
        lab: Any = SimpleNamespace(promises=SimpleNamespace(lacking=lambda row: "", seen=lambda row: row(None, None)))
        return judge(lab, lambda keras, folder: list(rows))

    assert seen(("a", [1.0], [1.0]), ("b", (2,), (2,))).status is Status.PASS
    for wrong in (("b", (2,), [2]), ("b", True, False), ("b", {"x": [1.0]}, {"x": [1.5]})):
        verdict = seen(("a", [1.0], [1.0]), wrong)
        assert verdict.status is Status.FAIL
        assert verdict.measured == f"b: {wrong[2]}"
    with pytest.raises(NotApplicable, match="does not offer"):
        seen()


def test_a_value_with_a_bound_is_compared_within_it():
    def judged(actual):
        lab: Any = SimpleNamespace(promises=SimpleNamespace(lacking=lambda row: "", seen=lambda row: row(None, None)))
        rows = [("exact", 1, 1), ("bounded", Rounded(2.0, UNIT), actual)]
        return losses_and_metrics.every_loss(lab, lambda keras, folder: rows)

    assert judged(np.float32(2.0)).status is Status.PASS
    assert judged(2.0 + 3 * UNIT).status is Status.PASS
    wrong = judged(2.0 + 8 * UNIT)
    assert wrong.status is Status.FAIL
    assert wrong.measured.startswith("bounded is 2")
    assert judged(np.ones(2)).measured == "bounded has shape (2,)"


@pytest.mark.parametrize("judge", JUDGES)
def test_what_is_raised_in_a_row_is_the_frameworks_failure(judge):
    def row(keras, folder):
        yield "a value", 1, keras.twice(factor=2)

    keras = SimpleNamespace(twice=lambda: 2)
    lab: Any = SimpleNamespace(promises=SimpleNamespace(lacking=lambda row: "", seen=lambda row: [*row(keras, None)]))
    verdict = judge(lab, row)
    assert verdict.status is Status.FAIL
    assert verdict.measured.startswith("raised TypeError")


def test_every_row_has_a_name_of_its_own_and_says_what_it_looks_at():
    codes = {"ARI30", "ARI31", "ARI32", "ARI33", "ARI37", "SER22"}
    codes = {"ARI30", "ARI31", "ARI32", "ARI33", "ARI38", "ORD17", "ORD18", "SER22"}
    rows = [(one.name, one.value) for check in all_checks() if check.code in codes for one in check.subjects]
    assert len({name for name, _ in rows}) == len(rows) > 250
    functions = [(name, row) for name, row in rows if hasattr(row, "__name__")]
    assert all(row.__name__.replace("_", "-") == name and row.__doc__ for name, row in functions)
    assert len(functions) > 150
    assert len(BUILT) >= 20


def test_values_keep_their_structure():
    arrays = {"a": (np.ones(1), [np.zeros(2)]), "b": np.float32(3)}
    assert values(arrays) == {"a": ([1.0], [[0.0, 0.0]]), "b": 3.0}
    assert [*table(USER_LAYERS["any-arguments"])] == ["any-arguments"]


def test_what_a_row_leaves_to_chance_does_not_depend_on_what_ran_before():
    def drawn(keras, _):
        yield "kernel", 0, np.asarray(keras.initializers.RandomNormal()((3,))).tolist()

    once = Lab(5).promises.seen(drawn)
    np.asarray(load_keras().initializers.RandomNormal()((3,)))
    assert Lab(6).promises.seen(drawn) == once


@pytest.mark.parametrize(
    ("expected", "near", "far"),
    [
        (2.0, np.float32(2.000001), 2.001),
        ([1.0, 2.0], np.array([1.0, 2.000001]), [1.0]),
        ({"a": [1.0]}, {"a": [np.float64(1)]}, {"a": [1.0], "b": 0.0}),
        ([[1.0], [2.0]], np.ones((2, 1)) * [[1], [2]], [[1.0, 2.0]]),
        ([{"k": 1.0}, "x"], [{"k": 1.0}, "x"], [{"k": 1.0}, "y"]),
        (None, None, 0.0),
    ],
)
def test_a_match_has_the_structure_and_the_numbers_within_rounding_error(expected, near, far):
    assert matched(expected, near) is expected
    assert matched(expected, far) != expected


def test_a_box_that_has_nearly_left_its_image_needs_no_pixels():
    images = np.zeros((3, 8, 9, 1))
    images[2, 1:5, 2:8] = 200
    thin, thick, right = [0.0, 1.0, 0.1, 7.0], [0.0, 1.0, 4.0, 7.0], [2.0, 1.0, 8.0, 5.0]
    boxes = {"boxes": np.array([thin, thick, right])[:, None]}
    assert image_companions._off({"images": images, "bounding_boxes": boxes}, "xyxy") == [[*thick, 0.0, 0.0, 0.0, 0.0]]


def test_a_refusal_is_the_class_of_what_is_raised():
    assert refusal(int, "3") == ""
    assert refusal(int, "three") == "ValueError"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (USER_LAYERS["containers"], "trained weights of a frozen layer"),
        (STRUCTURES["sequential-of-models"], "output after pop"),
        (ENCODED["weighted-counts"], "counts"),
        (COMPANIONS["RandomTranslation-boxes"], "boxes in rel_center_xywh that are elsewhere"),
        (COMPANIONS["RandomGaussianBlur-channels-first"], "share of other colors"),
        (KEPT["overwritten-weights"], "weights after the answer n"),
        (BUILT["Conv1D"], "weights of the rebuilt layer"),
        (SEVERAL_OUTPUTS["weights-of-losses"], "weights by name of a dict"),
        (STOPS["rates-by-epoch"], "logged rates"),
        (KEEPS["overwritten-checkpoints"], "weight of the best epoch"),
        (REPORTS["values-in-logs"], "history"),
        (PIPELINES["shuffled-pipelines"], "whether a shuffle repeats"),
        (FEEDS["datasets"], "two epochs of four of an endless one"),
    ],
)
def test_a_row_on_keras_itself(row, words):
    seen = {what: (expected, actual) for what, expected, actual in Lab(5).promises.seen(row)}
    assert seen[words][0] == seen[words][1]


@pytest.mark.parametrize(
    ("kind", "name", "row"),
    [
        *(("constraints", name, "constraints-by-formula") for name in weight_rules.CONSTRAINTS),
        *(("regularizers", name, "penalties-by-formula") for name in weight_rules.REGULARIZERS),
    ],
)
def test_every_constraint_and_penalty_is_held_to_its_formula(monkeypatch, kind, name, row):
    judged = getattr(getattr(load_keras(), kind), name)
    right = judged.__call__
    monkeypatch.setattr(judged, "__call__", lambda self, w: right(self, w) * 1.001)
    assert any(expected != actual for _, expected, actual in Lab(5).promises.seen(weight_rules.WEIGHT_RULES[row]))


@pytest.mark.parametrize("name", [*STOPPING, *KEEPING, *REPORTING])
def test_a_callback_that_the_census_counts_is_seen_to_do_nothing(monkeypatch, name):
    judged = getattr(load_keras().callbacks, name)
    for hook in dir(judged):
        if hook.startswith("on_"):
            monkeypatch.setattr(judged, hook, lambda self, *given, **named: None)
    set_other = lambda self, name, value: None if name.startswith("on_") else object.__setattr__(self, name, value)  # noqa: E731
    monkeypatch.setattr(judged, "__setattr__", set_other)
    rows = {**STOPS, **KEEPS, **REPORTS}
    wrong = []
    for row in _ROWS_OF[name]:
        try:
            wrong += [words for words, expected, actual in Lab(5).promises.seen(rows[row]) if expected != actual]
        except Exception as error:  # noqa: BLE001 - a row that fails is one that sees it
            wrong.append(repr(error))
    assert wrong
